extension ValueKind where Value == Configuration.Orders.Start {
  /// A word, a day, or an instant with its offset from UTC.
  static var start: Self {
    let words = ["auto", "now", "beginning"]
    let allowed = "auto, now, beginning, a day such as 2026-01-31, or an instant such as 2026-01-31T12:00:00Z"
    return .text("a start; write \(allowed)", allowed: allowed) { text throws(Refusal) in
      switch text {
      case "auto": return .auto
      case "now": return .now
      case "beginning": return .beginning
      default: break
      }
      if let start = StartText.parse(text) { return start }
      if let meant = Suggestion.closest(to: text, among: words) {
        throw Refusal(message: "\(Shown.text(text)) is not a start; did you mean \"\(meant)\"?")
      }
      throw Refusal()
    }
  }
}
