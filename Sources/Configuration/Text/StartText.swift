private import Conversions

/// Days and instants as RFC 3339 writes them.
public enum StartText {
  /// Reads a full-date, or a date-time with its offset (RFC 3339, 5.6); `nil` for anything else.
  public static func parse(_ text: String) -> Configuration.Orders.Start? {
    var digits = Cursor(text)
    guard let day = day(&digits) else { return nil }
    if digits.isAtEnd { return .day(year: day.year, month: day.month, day: day.day) }
    guard digits.take(UInt8(ascii: "T")) || digits.take(UInt8(ascii: "t")) || digits.take(UInt8(ascii: " ")) else {
      return nil
    }
    guard let seconds = time(&digits), let fraction = fraction(&digits), let offset = offset(&digits) else {
      return nil
    }
    guard digits.isAtEnd else { return nil }
    let midnight = Timestamp(utcYear: day.year, month: day.month, day: day.day)
    return .instant(microseconds: midnight.microseconds + Int64(seconds - offset) * 1_000_000 + Int64(fraction))
  }

  private typealias Day = (year: Int, month: Int, day: Int)

  private static func day(_ text: inout Cursor) -> Day? {
    guard let year = text.number(4), text.take(UInt8(ascii: "-")), let month = text.number(2),
      text.take(UInt8(ascii: "-")), let day = text.number(2)
    else { return nil }
    guard year >= 1970, (1...12).contains(month), isDay((year, month, day)) else { return nil }
    return (year, month, day)
  }

  /// Reads the seconds since midnight; a leap second is the second after.
  private static func time(_ text: inout Cursor) -> Int? {
    guard let hour = text.number(2), text.take(UInt8(ascii: ":")), let minute = text.number(2),
      text.take(UInt8(ascii: ":")), let second = text.number(2)
    else { return nil }
    return hour < 24 && minute < 60 && second <= 60 ? hour * 3_600 + minute * 60 + second : nil
  }

  /// Reads microseconds; further digits are dropped.
  private static func fraction(_ text: inout Cursor) -> Int? {
    guard text.take(UInt8(ascii: ".")) else { return 0 }
    var (microseconds, scale, count) = (0, 100_000, 0)
    while let digit = text.number(1) {
      microseconds += digit * scale
      scale /= 10
      count += 1
    }
    return count > 0 ? microseconds : nil
  }

  /// Reads the seconds east of UTC.
  private static func offset(_ text: inout Cursor) -> Int? {
    if text.take(UInt8(ascii: "Z")) || text.take(UInt8(ascii: "z")) { return 0 }
    let sign = text.take(UInt8(ascii: "+")) ? 1 : text.take(UInt8(ascii: "-")) ? -1 : 0
    guard sign != 0, let hour = text.number(2), text.take(UInt8(ascii: ":")), let minute = text.number(2) else {
      return nil
    }
    return hour < 24 && minute < 60 ? sign * (hour * 3_600 + minute * 60) : nil
  }

  private static func isDay(_ day: Day) -> Bool {
    let (nextYear, nextMonth) = day.month == 12 ? (day.year + 1, 1) : (day.year, day.month + 1)
    let (first, next) = (
      Timestamp(utcYear: day.year, month: day.month, day: 1), Timestamp(utcYear: nextYear, month: nextMonth, day: 1)
    )
    return day.day >= 1 && first + .seconds(86_400 * (day.day - 1)) < next
  }

  /// Reads fixed numbers of ASCII digits from the front of a text.
  private struct Cursor {
    private var rest: ArraySlice<UInt8>

    init(_ text: String) { rest = Array(text.utf8)[...] }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func take(_ byte: UInt8) -> Bool {
      guard rest.first == byte else { return false }
      rest.removeFirst()
      return true
    }

    mutating func number(_ count: Int) -> Int? {
      let digits = rest.prefix(count)
      guard digits.count == count, digits.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
      rest.removeFirst(count)
      return digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
    }
  }
}
