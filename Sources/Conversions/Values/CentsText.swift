/// An amount in cents as people read it, such as 1234.05 EUR.
public enum CentsText {
  /// Returns the text of an amount that is not negative.
  public static func text(_ cents: Int64) -> String { text(cents, currency: "EUR") }

  /// Returns the text of an amount that is not negative, in a currency.
  public static func text(_ cents: Int64, currency: String) -> String {
    let fraction = cents % 100
    return "\(cents / 100).\(fraction < 10 ? "0" : "")\(fraction) \(currency)"
  }
}
