/// An operator's word on an order, kept by its transaction ID: a row that is deleted and made again, or a change of the
/// rules, does not take it back.
public struct OperatorAct: Hashable, Sendable {
  /// Kinds of words that a decision obeys.
  public enum Kind: String, Sendable, Codable, CaseIterable {
    /// The order is never reported.
    case discard
    /// The order waits until it is released.
    case hold
  }

  /// The kind.
  public var kind: Kind
  /// The operator's reason, in words of their own.
  public var reason: String?
  /// The user who said it, such as `alice (uid 1000)`.
  public var actor: String
  /// The time at which it was said.
  public var actedAt: Timestamp

  /// A word from its values.
  public init(kind: Kind, reason: String?, actor: String, actedAt: Timestamp) {
    self.kind = kind
    self.reason = reason
    self.actor = actor
    self.actedAt = actedAt
  }
}
