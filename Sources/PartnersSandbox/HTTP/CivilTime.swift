/// A time in milliseconds since 1970 as a calendar shows it, in UTC.
struct CivilTime: Sendable, Equatable {
  let year: Int64
  let month: Int64
  let day: Int64
  /// 0 is Sunday.
  let weekday: Int64
  let hour: Int64
  let minute: Int64
  let second: Int64
  let millisecond: Int64

  init(milliseconds: Int64) {
    let days = milliseconds.flooredQuotient(by: 86_400_000)
    let time = milliseconds - days * 86_400_000
    // Howard Hinnant's `civil_from_days`: years that begin in March, in eras of 400.
    let shifted = days + 719_468
    let era = shifted.flooredQuotient(by: 146_097)
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let monthFromMarch = (5 * dayOfYear + 2) / 153
    month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
    year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
    // 1970 began on a Thursday.
    weekday = days + 4 - (days + 4).flooredQuotient(by: 7) * 7
    hour = time / 3_600_000
    minute = time / 60_000 % 60
    second = time / 1000 % 60
    millisecond = time % 1000
  }

  private static let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
  private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

  /// The date of RFC 9110, 5.6.7: `Sun, 06 Nov 1994 08:49:37 GMT`.
  var httpDate: String {
    "\(Self.weekdays[Int(weekday)]), \(Self.padded(day)) \(Self.months[Int(month) - 1]) \(Self.padded(year, 4)) \(clock) GMT"
  }

  /// The time of ISO 8601: `1994-11-06T08:49:37.000Z`.
  var iso8601: String {
    "\(Self.padded(year, 4))-\(Self.padded(month))-\(Self.padded(day))T\(clock).\(Self.padded(millisecond, 3))Z"
  }

  private var clock: String { "\(Self.padded(hour)):\(Self.padded(minute)):\(Self.padded(second))" }

  private static func padded(_ number: Int64, _ width: Int = 2) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
  }
}
