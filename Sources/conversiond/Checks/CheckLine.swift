import Conversions
import Orders

/// One line of `check`. The JSON shape is a contract, like `StatusReport`'s.
struct CheckLine: Codable, Sendable {
  enum Verdict: String, Codable, Sendable {
    case ok
    case warn
    case fail = "FAIL"
  }

  var version = 1
  var verdict: Verdict
  var subject: String
  var message: String
  var advice: String?

  init(_ verdict: Verdict, _ subject: String, _ message: String, advice: String? = nil) {
    self.verdict = verdict
    self.subject = subject
    self.message = message
    self.advice = advice
  }

  init(_ finding: ShopFinding) {
    let verdict: Verdict =
      switch finding.severity {
      case .ok: .ok
      case .warn: .warn
      case .fail: .fail
      }
    self.init(verdict, finding.subject, finding.message, advice: finding.advice)
  }

  /// The line as people read it, with what to do on a line of its own.
  func text(color: Bool) -> String {
    let mark = verdict.rawValue + String(repeating: " ", count: 4 - verdict.rawValue.count)
    let shown = color ? "\u{1B}[\(code)m\(mark)\u{1B}[0m" : mark
    let gap = String(repeating: " ", count: max(1, 36 - subject.count))
    let line = "\(shown)  \(Table.printable(subject))\(gap)\(Table.printable(message))\n"
    return line + (advice.map { String(repeating: " ", count: 42) + "→ \(Table.printable($0))\n" } ?? "")
  }

  private var code: Int {
    switch verdict {
    case .ok: 32
    case .warn: 33
    case .fail: 31
    }
  }
}
