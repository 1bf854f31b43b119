/// An operator's act on an order, kept by the order's transaction ID: it outlasts a row that is deleted and made again,
/// and a change of the rules.
public struct OperatorAct: Hashable, Sendable {
  /// The kinds of acts that a decision obeys.
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
  /// The user whose act it is, such as `alice (uid 1000)`.
  public var actor: String
  /// The time of the act.
  public var actedAt: Timestamp

  /// Makes an act from its values.
  public init(kind: Kind, reason: String?, actor: String, actedAt: Timestamp) {
    self.kind = kind
    self.reason = reason
    self.actor = actor
    self.actedAt = actedAt
  }
}
