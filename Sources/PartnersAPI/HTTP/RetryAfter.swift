import Conversions

/// How long an answer asks to wait (RFC 9110, 10.2.3, and API reference, Errors).
enum RetryAfter {
  /// How far a date may lie back that says "now": clocks differ, and HTTP dates have whole seconds.
  private static let pastMax = Duration.seconds(60)

  /// The larger of the header and of `retryAfterMs`, of those that can be read and ask for 0 … 1 day: whatever else they
  /// ask for counts as an hour. Nil where neither is there, and where neither can be read in an answer that is no 429: the
  /// limit was not met, and the back-off waits by itself.
  ///
  /// A date in the header is judged against the answer's own Date, so that a wrong clock on either side changes nothing;
  /// against `now` where there is none.
  static func wait(
    header: String?, milliseconds: JSONValue?, date: Timestamp?, now: Timestamp, isLimit: Bool = true
  ) -> Duration? {
    let waits = [
      header.map { seconds($0) ?? until($0, date ?? now, now) }, milliseconds.map { duration($0, unit: 0.001) },
    ].compactMap(\.self)
    let readable = waits.compactMap { $0 }.filter { $0 >= .zero }
    guard let longest = readable.max() else {
      return waits.isEmpty || !isLimit ? nil : PacingRules.retryAfterUnbelieved
    }
    return longest <= PacingRules.retryAfterMax ? longest : PacingRules.retryAfterUnbelieved
  }

  private static func seconds(_ text: String) -> Duration? {
    guard text.utf8.count <= 40, let number = JSONValue.number(in: text) else { return nil }
    return duration(number, unit: 1)
  }

  private static func until(_ text: String, _ base: Timestamp, _ now: Timestamp) -> Duration? {
    guard let wait = HTTPDate.parse(text, now: now).map({ $0 - base }), wait >= .zero - pastMax else { return nil }
    return max(wait, .zero)
  }

  /// A number of units in seconds as a wait, rounded up to whole milliseconds; all that is too long is as long as another.
  private static func duration(_ value: JSONValue, unit: Double) -> Duration? {
    guard case .number(let text) = value, let number = Double(text), !number.isNaN else { return nil }
    let most = PacingRules.retryAfterMax.inSeconds * 2
    return .milliseconds(Int64((min(max(number * unit, -1), most) * 1000).rounded(.up)))
  }
}
