import Conversions

/// One keyset walk over the API's list of one status: always page 1, sorted by `createdAt`, from the last `createdAt`
/// on, inclusive. A list that loses or gains members while it is read can't shift a page boundary past a referral.
///
/// The reference leaves open whether pages are sorted, filters obeyed and bounds inclusive, so the walk checks each
/// page. Pure: it asks for queries and is given pages.
struct ReferralWalk: Sendable {
  /// What to ask for next.
  enum Step: Sendable, Hashable {
    /// This page.
    case ask(ReferralQuery)
    /// Nothing: the walk is complete.
    case done
    /// Nothing: the list is not what the reference says.
    case distrust(String)
  }

  private let status: ReferralStatus
  private var from: Timestamp?
  /// Set while paging inside one `createdAt` that fills more than a page.
  private var instant: (at: Timestamp, page: Int)?
  private var lastIDs: [ReferralID] = []
  private(set) var pages = 0
  /// More pages than the largest list: 2,000,000 referrals. A walk that needs more is going round in circles.
  private static let pagesMax = 20_000

  /// A walk over one status, from a `createdAt` on or from the beginning.
  init(status: ReferralStatus, from: Timestamp? = nil) {
    self.status = status
    self.from = from
  }

  /// The first query.
  var first: ReferralQuery { query() }

  /// Takes in the answer to the last query; says what is next.
  mutating func advance(_ page: ReferralPage) -> Step {
    pages += 1
    if pages > Self.pagesMax { return .distrust("the list of \(status.rawValue) referrals has no end") }
    if let fault = fault(in: page) { return .distrust(fault) }
    let isFull = page.referrals.count >= ReferralQuery.pageSizeMax
    guard isFull, let last = page.referrals.last?.createdAt else { return endOfPage() }
    let ids = page.referrals.map(\.id)
    if ids == lastIDs { return .distrust("two different pages of the list hold the same referrals") }
    lastIDs = ids
    if let instant {
      self.instant = (instant.at, instant.page + 1)
    } else if last == page.referrals.first?.createdAt {
      instant = (last, 1)
      lastIDs = []
    } else {
      from = last
    }
    return .ask(query())
  }

  /// A page that isn't full ends the walk, or the instant that was paged through.
  private mutating func endOfPage() -> Step {
    guard let instant else { return .done }
    from = instant.at + .milliseconds(1)
    self.instant = nil
    lastIDs = []
    return .ask(query())
  }

  private func query() -> ReferralQuery {
    var query = ReferralQuery()
    query.sortBy = .createdAt
    query.sortOrder = .ascending
    query.pageSize = ReferralQuery.pageSizeMax
    if let instant {
      // Without a status filter: a referral that changes its status would shift the pages behind it.
      (query.dateFrom, query.dateTo, query.page) = (instant.at, instant.at, instant.page)
    } else {
      (query.status, query.dateFrom, query.page) = (status, from, 1)
    }
    return query
  }

  /// What is wrong with a page that the reference promises.
  private func fault(in page: ReferralPage) -> String? {
    let query = query()
    if page.referrals.count > ReferralQuery.pageSizeMax { return "a page holds more referrals than were asked for" }
    if page.total < page.referrals.count { return "a page holds more referrals than its total" }
    var before: Timestamp?
    for referral in page.referrals {
      if let status = query.status, referral.status != status {
        return "the list of \(status.rawValue) referrals shows a \(referral.status.rawValue) one"
      }
      if let from = query.dateFrom, referral.createdAt < from { return "the list goes back behind dateFrom" }
      if let to = query.dateTo, referral.createdAt > to { return "the list goes beyond dateTo" }
      if let before, referral.createdAt < before { return "the list is not sorted by createdAt" }
      before = referral.createdAt
    }
    return nil
  }
}
