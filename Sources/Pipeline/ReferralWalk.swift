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

  /// The paging inside one `createdAt`.
  private struct Instant: Sendable {
    let at: Timestamp
    /// Whether a page has shown that there are referrals of it, so that none at all is a lie.
    let mustShow: Bool
    var page = 1
    var shown = 0
  }

  private let status: ReferralStatus
  private var from: Timestamp?
  /// Where the last page ended. The next one begins there, too: the bound is inclusive.
  private var boundary: Timestamp?
  /// Set while paging inside one `createdAt` that fills more than a page.
  private var instant: Instant?
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
    if let instant { return advance(page, inside: instant) }
    if let boundary, page.referrals.first?.createdAt != boundary {
      // All of that instant moved on to other lists, or `dateFrom` isn't inclusive: the instant itself tells.
      return self.page(through: Instant(at: boundary, mustShow: true))
    }
    guard hasMore(page, shownBefore: 0), let last = page.referrals.last?.createdAt else { return .done }
    if isRepeated(page) { return .distrust(Self.repetition) }
    if last == page.referrals.first?.createdAt { return self.page(through: Instant(at: last, mustShow: false)) }
    (from, boundary) = (last, last)
    return .ask(query())
  }

  private mutating func page(through instant: Instant) -> Step {
    (self.instant, boundary, lastIDs) = (instant, nil, [])
    return .ask(query())
  }

  private mutating func advance(_ page: ReferralPage, inside instant: Instant) -> Step {
    if instant.mustShow, instant.shown + page.referrals.count == 0 {
      return .distrust("the list leaves out referrals that were made at dateFrom exactly")
    }
    if hasMore(page, shownBefore: instant.shown) {
      if isRepeated(page) { return .distrust(Self.repetition) }
      self.instant?.page += 1
      self.instant?.shown += page.referrals.count
    } else {
      from = instant.at + .milliseconds(1)
      (self.instant, lastIDs) = (nil, [])
    }
    return .ask(query())
  }

  /// Whether there is more behind a page: a full one, or a shorter one of a server with a page size of its own.
  private func hasMore(_ page: ReferralPage, shownBefore: Int) -> Bool {
    guard !page.referrals.isEmpty else { return false }
    return page.referrals.count >= ReferralQuery.pageSizeMax || page.total > shownBefore + page.referrals.count
  }

  private static let repetition = "two different pages of the list hold the same referrals"

  private mutating func isRepeated(_ page: ReferralPage) -> Bool {
    let ids = page.referrals.map(\.id)
    defer { lastIDs = ids }
    return ids == lastIDs
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
    if page.referrals.isEmpty, page.total > 0, instant == nil {
      return "a page is empty, although its total is not zero"
    }
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
