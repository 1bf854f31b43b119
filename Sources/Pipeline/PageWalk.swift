import Conversions

/// A way through the API's list, page by page. Pure: it asks for queries and is given pages.
protocol PageWalk: Sendable {
  /// The first query.
  var first: ReferralQuery { get }
  /// Takes in the answer to the last query; says what is next.
  mutating func advance(_ page: ReferralPage) -> PageStep
}

/// What a walk asks for next.
enum PageStep: Sendable, Hashable {
  /// This page.
  case ask(ReferralQuery)
  /// Nothing: the walk is complete.
  case done
  /// Nothing: the list is not what the reference says.
  case distrust(String)
}

extension ReferralPage {
  /// What is wrong with any page that the reference promises.
  var shapeFault: String? {
    if count > ReferralQuery.pageSizeMax { return "a page holds more referrals than were asked for" }
    if total < count { return "a page holds more referrals than its total" }
    return nil
  }

  /// Whether there is more behind the page: a full one, or a shorter one of a server with a page size of its own.
  func hasMore(shownBefore: Int) -> Bool {
    guard count > 0 else { return false }
    return count >= ReferralQuery.pageSizeMax || total > shownBefore + count
  }
}
