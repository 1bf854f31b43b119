/// An order's amount, for people: it need be none that can be reported.
public struct OrderAmount: Hashable, Sendable {
  /// Hundredths of the currency's unit.
  public var cents: Int64
  /// The currency's code.
  public var currency: String

  /// Makes an amount of a currency.
  public init(cents: Int64, currency: String = "EUR") { (self.cents, self.currency) = (cents, currency) }

  /// The amount as people read it, such as 1234.05 EUR.
  public var text: String { CentsText.text(cents, currency: currency) }
}
