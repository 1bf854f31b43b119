/// A point of wall-clock time: microseconds since 1970-01-01T00:00:00Z, PostgreSQL's own resolution.
///
/// A count and not a `Date`: a `Double` of seconds loses microseconds, and equal times must compare equal.
public struct Timestamp: Hashable, Comparable, Sendable, Codable {
  /// Microseconds since 1970-01-01T00:00:00Z, negative before it.
  public let microseconds: Int64

  /// Makes a timestamp from microseconds since 1970-01-01T00:00:00Z.
  public init(microseconds: Int64) {
    self.microseconds = microseconds
  }

  /// Makes a timestamp from milliseconds since 1970-01-01T00:00:00Z, the unit of the API; saturates.
  public init(milliseconds: Int64) {
    let (product, overflow) = milliseconds.multipliedReportingOverflow(by: 1000)
    microseconds = overflow ? (milliseconds < 0 ? .min : .max) : product
  }

  /// Makes the timestamp of a Gregorian day's beginning in UTC (days-from-civil over 400-year eras).
  public init(utcYear year: Int, month: Int, day: Int) {
    let shifted = month <= 2 ? year - 1 : year
    let era = (shifted >= 0 ? shifted : shifted - 399) / 400
    let yearOfEra = shifted - era * 400
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    microseconds = Int64(era * 146_097 + dayOfEra - 719_468) * 86_400_000_000
  }

  /// Milliseconds since 1970-01-01T00:00:00Z, rounded down: the unit of the API.
  public var milliseconds: Int64 {
    microseconds >= 0 ? microseconds / 1000 : -((-(microseconds + 1)) / 1000) - 1
  }

  /// Reads the plain number that `encode(to:)` wrote.
  public init(from decoder: any Decoder) throws {
    microseconds = try decoder.singleValueContainer().decode(Int64.self)
  }

  /// Writes the microseconds as a plain number.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(microseconds)
  }

  /// True if the left time is the earlier one.
  public static func < (left: Self, right: Self) -> Bool { left.microseconds < right.microseconds }

  /// Returns the time a duration later; saturates at the ends of the range instead of trapping, as times come from
  /// tables that hold `infinity` and typing mistakes.
  public static func + (time: Self, duration: Duration) -> Self {
    let (sum, overflow) = time.microseconds.addingReportingOverflow(duration.wholeMicroseconds)
    return Self(microseconds: overflow ? (duration < .zero ? .min : .max) : sum)
  }

  /// Returns the time a duration earlier; saturates.
  public static func - (time: Self, duration: Duration) -> Self { time + (.zero - duration) }

  /// Returns the time by which `left` is later than `right`; saturates.
  public static func - (left: Self, right: Self) -> Duration {
    let (difference, overflow) = left.microseconds.subtractingReportingOverflow(right.microseconds)
    return .microseconds(overflow ? (left < right ? .min : .max) : difference)
  }
}

extension Duration {
  /// The duration in whole microseconds, rounded towards zero; saturates.
  public var wholeMicroseconds: Int64 {
    let (seconds, attoseconds) = components
    let (scaled, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000)
    if overflow { return seconds < 0 ? .min : .max }
    let (sum, sumOverflow) = scaled.addingReportingOverflow(attoseconds / 1_000_000_000_000)
    return sumOverflow ? (seconds < 0 ? .min : .max) : sum
  }

  /// The duration in whole milliseconds, rounded towards zero.
  public var wholeMilliseconds: Int64 { wholeMicroseconds / 1000 }

  /// The duration in seconds, for arithmetic that does not decide about money.
  public var inSeconds: Double { Double(wholeMicroseconds) / 1_000_000 }
}

extension Timestamp: CustomStringConvertible {
  /// RFC 3339 in UTC with milliseconds, such as `2026-11-22T13:05:01.123Z`.
  public var description: String {
    let date = civilDate
    let milliseconds = date.microsecondOfDay / 1000
    let (seconds, fraction) = (milliseconds / 1000, milliseconds % 1000)
    let time = [seconds / 3600, seconds / 60 % 60, seconds % 60].map { padded($0, 2) }.joined(separator: ":")
    return "\(padded(date.year, 4))-\(padded(date.month, 2))-\(padded(date.day, 2))T\(time).\(padded(fraction, 3))Z"
  }

  /// The day in UTC, such as `2026-11-22`.
  public var utcDay: String { String(description.prefix { $0 != "T" }) }

  /// The Gregorian date in UTC, by the days-from-civil algorithm over 400-year eras: no calendar object,
  /// so that it can be used for every log line.
  private var civilDate: (year: Int64, month: Int64, day: Int64, microsecondOfDay: Int64) {
    let day: Int64 = 86_400_000_000
    var days = microseconds / day
    var remainder = microseconds % day
    if remainder < 0 { (days, remainder) = (days - 1, remainder + day) }
    let shifted = days + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    return (year, month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1, remainder)
  }

  private func padded(_ number: Int64, _ width: Int) -> String {
    let digits = String(number.magnitude)
    return (number < 0 ? "-" : "") + String(repeating: "0", count: max(0, width - digits.count)) + digits
  }
}
