/// Something about the shop's table that an operator should know, although reading goes on.
public struct ShopWarning: Hashable, Sendable, CustomStringConvertible {
  /// The kinds.
  public enum Kind: String, Sendable, CaseIterable {
    /// Rows without a key, which no walk can reach.
    case nullKeys
    /// Pages are read in smaller pieces, as they ran into a time limit.
    case smallPages
  }

  /// What kind it is.
  public var kind: Kind
  /// What is the matter and what to do, in a sentence.
  public var message: String

  /// The message.
  public var description: String { message }
}
