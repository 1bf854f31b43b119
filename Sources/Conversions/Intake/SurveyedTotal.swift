/// The order value as a survey found it: its mapping, and the type from which amounts are read.
public struct SurveyedTotal: Hashable, Sendable, Codable {
  /// Types between which a change may leave every amount a hundred times another.
  public enum Family: String, Sendable, Codable {
    /// Whole numbers.
    case whole
    /// Numbers with decimals.
    case decimals
    /// Numbers as text.
    case text
  }

  /// `orders.columns.total`.
  public var sql: String
  /// `orders.total_unit`, as far as it is written.
  public var unit: String?
  /// The type's name, as SQL writes it.
  public var type: String
  /// The type's family.
  public var family: Family

  /// Makes a total from its values.
  public init(sql: String, unit: String?, type: String, family: Family) {
    (self.sql, self.unit, self.type, self.family) = (sql, unit, type, family)
  }

  /// Returns the message to the operator where another type under the same mapping leaves open what amounts mean; nil
  /// where it doesn't, or the mapping is another one.
  func refusal(of other: SurveyedTotal) -> String? {
    guard sql == other.sql, unit == other.unit, family != other.family else { return nil }
    return "the type of orders.columns.total was \(type) and is \(other.type): set orders.total_unit for it and "
      + "restart. If it is set right as it stands, write orders.columns.total in parentheses"
  }
}
