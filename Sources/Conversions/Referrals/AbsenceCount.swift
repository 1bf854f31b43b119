/// The number of open referrals that a complete sweep has not shown.
public struct AbsenceCount: Hashable, Sendable {
  /// The number that it, and perhaps a few before it, didn't show.
  public var absent: Int
  /// The number of all open ones that the ledger knows.
  public var open: Int

  /// Makes a count from its values.
  public init(absent: Int, open: Int) {
    self.absent = absent
    self.open = open
  }

  /// True if so many are no coincidence: the list hides them, or is another account's.
  public var isMass: Bool { absent > max(20, open / 10) }
}
