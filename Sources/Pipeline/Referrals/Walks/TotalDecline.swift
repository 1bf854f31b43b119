import Conversions

/// Checks that a walk makes progress: from page to page there is less left of a list, but for what is made meanwhile. A
/// list that never gets shorter is one without an end.
struct TotalDecline: Sendable {
  /// The number of pages looked at together, so that a few new referrals don't matter.
  private static let pages = 50
  /// The number of stretches without progress that is too many: a large import during one is none in the next.
  private static let stretchesMax = 4

  private var total: Int?
  private var shown = 0
  private var seen = 0
  private var stretches = 0

  /// Takes in a page; returns true once the total has disagreed with what was shown for too long.
  mutating func isMissing(in page: ReferralPage) -> Bool {
    guard let total else {
      total = page.total
      return false
    }
    shown += page.count
    seen += 1
    guard seen == Self.pages else { return false }
    stretches = page.total > total - shown / 2 ? stretches + 1 : 0
    (self.total, shown, seen) = (page.total, 0, 0)
    return stretches >= Self.stretchesMax
  }
}
