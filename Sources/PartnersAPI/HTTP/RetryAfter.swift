import Conversions

/// How long an answer asks to wait (RFC 9110, 10.2.3, and API reference, Errors).
enum RetryAfter {
  /// The larger of the header and of `retryAfterMs`, within 0 … 1 day; nil where neither says anything that can be read.
  ///
  /// A date in the header is judged against the answer's own Date, so that a wrong clock on either side changes nothing;
  /// against `now` where there is none.
  static func wait(header: String?, milliseconds: JSONValue?, date: Timestamp?, now: Timestamp) -> Duration? {
    let waits = [
      header.flatMap { seconds($0) ?? until($0, date ?? now, now) },
      milliseconds.flatMap { clamped($0, unit: 0.001) },
    ]
    return waits.compactMap(\.self).max()
  }

  private static func seconds(_ text: String) -> Duration? {
    guard text.utf8.count <= 40, let number = JSONValue.number(in: text) else { return nil }
    return clamped(number, unit: 1)
  }

  private static func until(_ text: String, _ base: Timestamp, _ now: Timestamp) -> Duration? {
    HTTPDate.parse(text, now: now).map { min(max($0 - base, .zero), PacingRules.retryAfterMax) }
  }

  /// A number of units in seconds as a wait, rounded up to whole milliseconds.
  private static func clamped(_ value: JSONValue, unit: Double) -> Duration? {
    guard case .number(let text) = value, let number = Double(text), !number.isNaN else { return nil }
    let seconds = min(max(number * unit, 0), PacingRules.retryAfterMax.inSeconds)
    return .milliseconds(Int64((seconds * 1000).rounded(.up)))
  }
}
