import Conversions

/// Reads the three forms of a date in HTTP (RFC 9110, 5.6.7): IMF-fixdate, and the obsolete RFC 850 and asctime forms,
/// which a recipient must accept.
enum HTTPDate {
  private static let months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]

  /// Reads a date; nil for anything else. `now` decides the century of RFC 850's two digits.
  static func parse(_ text: String, now: Timestamp) -> Timestamp? {
    let words = text.split { $0 == " " || $0 == "," || $0 == "-" }.map(String.init)
    // Sun, 06 Nov 1994 08:49:37 GMT · Sunday, 06-Nov-94 08:49:37 GMT · Sun Nov  6 08:49:37 1994
    if words.count == 6, words[5].uppercased() == "GMT" {
      return time(day: words[1], month: words[2], year: words[3], clock: words[4], now)
    }
    if words.count == 5 { return time(day: words[2], month: words[1], year: words[4], clock: words[3], now) }
    return nil
  }

  private static func time(
    day: String, month: String, year: String, clock: String, _ now: Timestamp
  ) -> Timestamp? {
    let parts = clock.split(separator: ":", omittingEmptySubsequences: false).map { number(String($0)) }
    guard parts.count == 3, let hour = parts[0], let minute = parts[1], let second = parts[2],
      hour < 24, minute < 60, second <= 60, let day = number(day), (1...31).contains(day),
      let monthIndex = months.firstIndex(of: month.lowercased()), let years = number(year)
    else { return nil }
    let time = { (year: Int) in
      Timestamp(utcYear: year, month: monthIndex + 1, day: day) + .seconds(hour * 3600 + minute * 60 + second)
    }
    guard year.count == 2 else { return year.count == 4 ? time(years) : nil }
    // Takes a date more than 50 years in the future for one of the past century (RFC 9110, 5.6.7).
    let secondsOfYear = 31_556_952
    let century = 1970 + Int(now.milliseconds) / 1000 / secondsOfYear
    let candidate = century - century % 100 + years
    let isFuture = time(candidate) > now + .seconds(50 * secondsOfYear)
    return time(isFuture ? candidate - 100 : candidate)
  }

  /// Reads one to four digits; nil for anything else.
  private static func number(_ text: String) -> Int? {
    guard (1...4).contains(text.utf8.count), text.utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
    return Int(text)
  }
}
