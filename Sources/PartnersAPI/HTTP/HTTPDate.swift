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
    let seconds = { (year: Int64) in
      days(year, Int64(monthIndex + 1), day) * 86_400 + hour * 3600 + minute * 60 + second
    }
    guard year.count == 2 else {
      return year.count == 4 ? Timestamp(milliseconds: seconds(years) * 1000) : nil
    }
    // Takes a date more than 50 years in the future for one of the past century (RFC 9110, 5.6.7).
    let nowSeconds = now.milliseconds / 1000
    let century = 1970 + nowSeconds / 31_556_952
    let candidate = century - century % 100 + years
    let isFuture = seconds(candidate) > nowSeconds + 50 * 31_556_952
    return Timestamp(milliseconds: seconds(isFuture ? candidate - 100 : candidate) * 1000)
  }

  /// Reads one to four digits; nil for anything else.
  private static func number(_ text: String) -> Int64? {
    guard (1...4).contains(text.utf8.count), text.utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
    return Int64(text)
  }

  /// Counts days from 1970-01-01 in the Gregorian calendar, by eras of 400 years from March.
  private static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
    let year = month <= 2 ? year - 1 : year
    let era = (year >= 0 ? year : year - 399) / 400
    let yearOfEra = year - era * 400
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }
}
