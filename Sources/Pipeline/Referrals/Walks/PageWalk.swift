import Conversions

/// A way through the API's list, page by page. Pure: it returns queries and is given pages.
protocol PageWalk: Sendable {
  /// The first query.
  var first: ReferralQuery { get }
  /// Takes in the answer to the last query; returns the next step.
  mutating func advance(_ page: ReferralPage) -> PageStep
}

/// The next step of a walk.
enum PageStep: Sendable, Hashable {
  /// The next page to ask for.
  case ask(ReferralQuery)
  /// The end: the walk is complete.
  case done
  /// The end: the list is not as the reference describes it.
  case distrust(String)
}

extension ReferralPage {
  /// The fault of a page of any walk, by what the reference promises; nil for none.
  var shapeFault: String? {
    if count > ReferralQuery.pageSizeMax { return "a page holds more referrals than were asked for" }
    if total < count { return "a page holds more referrals than its total" }
    return nil
  }

  /// Returns true if there is more after the page: it is full, or from a server with a shorter page size of its own.
  func hasMore(shownBefore: Int) -> Bool {
    guard count > 0 else { return false }
    return count >= ReferralQuery.pageSizeMax || total > shownBefore + count
  }
}
