/// A decimal number exactly as it was written: `digits` × 10^`exponent`, negative or not.
///
/// Amounts arrive as text and are never a `Double`: with 0.1 + 0.2 a cent can be lost.
public struct ExactDecimal: Equatable, Sendable {
  /// True if a minus sign stood before it; never so for zero.
  public let isNegative: Bool
  /// The significant digits, without leading or trailing zeros; empty for zero.
  let digits: [UInt8]
  /// The power of ten of the last digit.
  let exponent: Int

  /// Reads PostgreSQL's text of `numeric` and the integer types; also an exponent, as jsonb prints one. Nil for `NaN`,
  /// `Infinity`, an empty text and anything else that is no finite decimal, and beyond 400 digits or an exponent of
  /// 10,000, which no order total is.
  public init?(_ text: String) {
    var bytes = text.utf8[...]
    guard bytes.count <= 400 else { return nil }
    let sign = bytes.first
    if sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") { bytes = bytes.dropFirst() }
    let (whole, afterWhole) = Self.leadingDigits(bytes)
    var fraction: [UInt8] = []
    bytes = afterWhole
    if bytes.first == UInt8(ascii: ".") {
      (fraction, bytes) = Self.leadingDigits(bytes.dropFirst())
    }
    guard !whole.isEmpty || !fraction.isEmpty else { return nil }
    guard let power = Self.power(bytes) else { return nil }
    var all = whole + fraction
    var exponent = power - fraction.count
    while all.last == 0 { (_, exponent) = (all.removeLast(), exponent + 1) }
    digits = Array(all.drop { $0 == 0 })
    self.exponent = digits.isEmpty ? 0 : exponent
    isNegative = sign == UInt8(ascii: "-") && !digits.isEmpty
  }

  private static func leadingDigits(_ bytes: Substring.UTF8View) -> ([UInt8], Substring.UTF8View) {
    let digits = bytes.prefix { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
    return (digits.map { $0 - UInt8(ascii: "0") }, bytes[digits.endIndex...])
  }

  /// Returns the value of `e-3` and the like, 0 for nothing; nil for anything else.
  private static func power(_ bytes: Substring.UTF8View) -> Int? {
    guard let mark = bytes.first else { return 0 }
    guard mark == UInt8(ascii: "e") || mark == UInt8(ascii: "E") else { return nil }
    guard let value = Int(String(Substring(bytes.dropFirst()))), abs(value) <= 10_000 else { return nil }
    return value
  }

  /// The number of cents that this decimal is when multiplied by 10^`power`.
  enum Scaled: Equatable {
    /// A whole number that fits.
    case whole(Int64)
    /// A whole number and a fraction; `roundedHalfUp` is away from zero at one half.
    case fraction(roundedHalfUp: Int64)
    /// Larger than any `Int64`.
    case tooLarge
  }

  /// Returns the magnitude times 10^`power` as a whole number.
  func scaled(byPowerOfTen power: Int) -> Scaled {
    let position = exponent + power
    let wholeCount = digits.count + min(position, 0)
    guard digits.count + max(position, 0) <= 18 || wholeCount <= 18 else { return .tooLarge }
    var value: Int64 = 0
    for digit in digits.prefix(max(0, wholeCount)) { value = value * 10 + Int64(digit) }
    guard position < 0 else {
      for _ in 0..<(digits.isEmpty ? 0 : position) {
        let (product, overflow) = value.multipliedReportingOverflow(by: 10)
        if overflow { return .tooLarge }
        value = product
      }
      return .whole(value)
    }
    let firstDropped = wholeCount >= 0 ? digits[wholeCount] : 0
    return .fraction(roundedHalfUp: firstDropped >= 5 ? value + 1 : value)
  }
}
