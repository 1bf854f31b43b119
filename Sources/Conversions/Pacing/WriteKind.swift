/// The kind that a write is counted as.
public enum WriteKind: Hashable, Sendable {
  /// A conversion, which both limits count.
  case conversion
  /// A referral created or updated, which the limit of writes alone counts.
  case referral
}
