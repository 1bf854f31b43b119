/// The rules by which an order's total becomes cents.
public struct AmountRules: Hashable, Sendable {
  /// The unit that the column counts.
  public enum Unit: String, Sendable, CaseIterable {
    /// Cents.
    case cents
    /// Euros, with a decimal point.
    case major
  }

  /// The treatment of a fraction of a cent.
  public enum Rounding: String, Sendable, CaseIterable {
    /// It goes to review.
    case refuse
    /// It is rounded, one half upwards.
    case halfUp = "half_up"
  }

  /// The treatment of an order in another currency than the API's EUR.
  public enum OtherCurrency: String, Sendable, CaseIterable {
    /// It goes to review.
    case review
    /// It is reported without a value.
    case omitValue = "omit_value"
  }

  /// The unit that the column counts.
  public var unit: Unit
  /// The treatment of a fraction of a cent.
  public var rounding: Rounding
  /// The treatment of another currency.
  public var otherCurrency: OtherCurrency

  /// Rules as configured.
  public init(unit: Unit, rounding: Rounding, otherCurrency: OtherCurrency) {
    self.unit = unit
    self.rounding = rounding
    self.otherCurrency = otherCurrency
  }

  /// The most that is reported: 2^53, up to which every JSON parser reads a number exactly (RFC 8259, 6).
  public static let centsMax: Int64 = 9_007_199_254_740_992

  /// A total that can be reported, or the reason why not.
  public enum Judgement: Hashable, Sendable {
    /// The value in cents of EUR; nil where the conversion is to be reported without one.
    case value(Int64?)
    /// A person must look, with the reason in a sentence.
    case refused(ReviewReason, String)
  }

  /// Judges a total. The currency comes first: the amount of another currency is not judged where it is left out
  /// anyway.
  public func judge(_ total: OrderTotal) -> Judgement {
    switch total {
    case .unmapped: return .value(nil)
    case .null: return .refused(.invalidAmount, "the total is NULL")
    case .amount(let text, let currency):
      let code = Self.code(of: currency)
      guard code == "EUR" else {
        if otherCurrency == .omitValue, !code.isEmpty { return .value(nil) }
        let name = code.isEmpty ? "missing" : "\(code.prefix(8)), and the API takes EUR only"
        return .refused(.otherCurrency, "the currency is \(name)")
      }
      return cents(text)
    }
  }

  /// Returns a total in cents of its own currency, whether or not that can be reported; nil where it is no amount.
  public func amount(of total: OrderTotal) -> OrderAmount? {
    guard case .amount(let text, let currency) = total else { return nil }
    let code = Self.code(of: currency)
    guard !code.isEmpty, case .value(let cents?) = cents(text) else { return nil }
    return OrderAmount(cents: cents, currency: String(code.prefix(8)))
  }

  /// Returns a currency's code as it is compared; empty where there is none.
  private static func code(of currency: String?) -> String {
    currency == "EUR" ? "EUR" : currency.flatMap(NormalForm.trimmed)?.uppercased() ?? ""
  }

  /// Returns the words for a text that is no number, or may be two.
  private static func question(_ text: String) -> String {
    let shown = "the total \(text.prefix(40))"
    if text.hasSuffix("?") {
      return "\(shown.dropLast()) may be a decimal or thousands: map an exact number in orders.columns.total, such as "
        + "(total)::numeric, or replace(total, '.', '')::numeric where the point stands before thousands"
    }
    if text.contains(",") {
      return "\(shown) has a comma, which may stand before decimals or thousands: map an exact number in "
        + "orders.columns.total, such as replace(total, ',', '.')::numeric"
    }
    return "\(shown) is not a finite number"
  }

  private func cents(_ text: String) -> Judgement {
    guard let decimal = ExactDecimal(text) else {
      return .refused(.invalidAmount, Self.question(text))
    }
    guard !decimal.isNegative else { return .refused(.invalidAmount, "the total \(text.prefix(40)) is negative") }
    switch decimal.scaled(byPowerOfTen: unit == .major ? 2 : 0) {
    case .whole(let cents) where cents <= Self.centsMax: return .value(cents)
    case .fraction(let cents) where cents <= Self.centsMax:
      if rounding == .halfUp { return .value(cents) }
      return .refused(.invalidAmount, "the total \(text.prefix(40)) has a fraction of a cent")
    case .whole, .fraction, .tooLarge:
      return .refused(.invalidAmount, "the total \(text.prefix(40)) is more than 2^53 cents")
    }
  }
}
