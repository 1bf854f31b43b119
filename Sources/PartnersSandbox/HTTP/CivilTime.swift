internal import Foundation

/// A time in milliseconds since 1970 as text, in UTC.
struct CivilTime: Sendable {
  private let date: Date
  private let millisecond: Int64

  init(milliseconds: Int64) {
    let seconds = milliseconds.flooredQuotient(by: 1000)
    // Keeps the milliseconds apart: as a fraction of a `Date` they may round down to the millisecond before.
    (date, millisecond) = (Date(timeIntervalSince1970: Double(seconds)), milliseconds - seconds * 1000)
  }

  /// The date of RFC 9110, 5.6.7: `Sun, 06 Nov 1994 08:49:37 GMT`.
  var httpDate: String {
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = .gmt
    let parts = calendar.dateComponents([.weekday, .month], from: date)
    let (weekday, month) = (Self.weekdays[(parts.weekday ?? 1) - 1], Self.months[(parts.month ?? 1) - 1])
    let text = date.formatted(.iso8601)
    let (year, day, clock) = (text.prefix(4), text.dropFirst(8).prefix(2), text.dropFirst(11).prefix(8))
    return "\(weekday), \(day) \(month) \(year) \(clock) GMT"
  }

  /// The time of ISO 8601: `1994-11-06T08:49:37.000Z`.
  var iso8601: String { "\(date.formatted(.iso8601).dropLast()).\(String(1000 + millisecond).dropFirst())Z" }

  private static let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
  private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
}
