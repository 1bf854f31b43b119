/// A configured limit.
public enum RateLimit: Hashable, Sendable {
  /// So many in any minute.
  case perMinute(Int)
  /// None.
  case unlimited

  /// The number, nil for none.
  public var perMinute: Int? {
    if case .perMinute(let count) = self { count } else { nil }
  }
}
