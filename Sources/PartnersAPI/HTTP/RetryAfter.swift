import Conversions

/// Computes the wait that an answer asks for (RFC 9110, 10.2.3, and API reference, Errors).
enum RetryAfter {
  /// The furthest that a date may lie in the past and mean "now": clocks differ, and HTTP dates have whole seconds.
  private static let pastMax = Duration.seconds(60)

  /// Returns the larger of the header and of `retryAfterMs`, of those that can be read and ask for 0 … 1 day: any other
  /// wait counts as an hour. Nil if neither is there, and if neither can be read in an answer that is no 429: the limit
  /// was not met, and the back-off waits by itself.
  ///
  /// Compares a date in the header with the answer's own Date, so that a wrong clock on either side changes nothing;
  /// with `now` if there is none.
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

  /// Returns a number of units in seconds as a wait, rounded up to whole milliseconds and cut off at twice
  /// `retryAfterMax`.
  private static func duration(_ value: JSONValue, unit: Double) -> Duration? {
    guard case .number(let text) = value, let number = Double(text), !number.isNaN else { return nil }
    let most = PacingRules.retryAfterMax.inSeconds * 2
    return .milliseconds(Int64((min(max(number * unit, -1), most) * 1000).rounded(.up)))
  }
}
