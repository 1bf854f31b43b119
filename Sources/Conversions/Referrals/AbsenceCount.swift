/// How many open referrals a complete sweep has not shown.
public struct AbsenceCount: Hashable, Sendable {
  /// Those that it, and perhaps a few before it, didn't show.
  public var absent: Int
  /// All open ones that the ledger knows.
  public var open: Int

  /// A count from its values.
  public init(absent: Int, open: Int) {
    self.absent = absent
    self.open = open
  }

  /// Whether so many are no coincidence: the list hides them, or is another account's.
  public var isMass: Bool { absent > max(20, open / 10) }
}
