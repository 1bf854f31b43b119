import Conversions

/// One keyset walk over the API's list of one status: always page 1, sorted by `createdAt`, from the last `createdAt`
/// on, inclusive. A list that loses or gains members while it is read can't shift a page boundary past a referral.
///
/// The reference leaves open whether pages are sorted, filters obeyed and bounds inclusive, so the walk checks each
/// page.
struct ReferralWalk: PageWalk {
  /// The statuses in the order in which a referral takes them: one that moves on meanwhile is met again further on.
  static let statuses: [ReferralStatus] = [.clicked, .pending, .converted, .expired]
  static let repetition = "two different pages of the list hold the same referrals"

  let status: ReferralStatus
  private var from: Timestamp?
  /// The `createdAt` at which the last page ended. The next one begins there, too: the bound is inclusive.
  private var boundary: Timestamp?
  /// The paging inside one `createdAt` that fills more than a page; nil outside one.
  private var instant: InstantPaging?
  private var lastIDs: [ReferralID] = []
  private var decline = TotalDecline()
  private(set) var pages = 0
  /// The most pages, for 2,000,000 referrals: more than the largest list has. A walk that needs more repeats itself.
  private static let pagesMax = 20_000

  /// A walk over one status, from a `createdAt` on or from the beginning.
  init(status: ReferralStatus, from: Timestamp? = nil) {
    self.status = status
    self.from = from
  }

  /// Goes on from the place of an earlier walk.
  mutating func goOn(from place: WalkPlace) {
    (from, boundary, instant) = (place.from, place.boundary, place.instant.map { InstantPaging($0) })
  }

  /// Returns its place, as a part of a tier's walk.
  func place(in walk: MirrorWalk, of tier: WalkTier, newestConversion: Timestamp?) -> WalkPlace {
    WalkPlace(
      tier: tier, walk: walk, status: status, from: from, boundary: boundary, instant: instant?.place,
      newestConversion: newestConversion)
  }

  var first: ReferralQuery { query() }

  mutating func advance(_ page: ReferralPage) -> PageStep {
    pages += 1
    if pages > Self.pagesMax { return .distrust("the list of \(status.rawValue) referrals has no end") }
    if let fault = fault(in: page) { return .distrust(fault) }
    if instant != nil { return advanceInside(page) }
    if decline.isMissing(in: page) { return .distrust("the list of \(status.rawValue) referrals has no end") }
    let times = page.creations
    if let boundary, times.first != boundary {
      // Reads the instant itself: all of it moved on to other lists, or `dateFrom` isn't inclusive.
      return self.page(through: InstantPaging(at: boundary, mustShow: true))
    }
    guard page.hasMore(shownBefore: 0) else { return .done }
    guard let last = times.last else { return .distrust("no referral of a page tells when it was made") }
    if isRepeated(page) { return .distrust(Self.repetition) }
    if last == times.first {
      return self.page(through: InstantPaging(at: last, mustShow: false))
    }
    (from, boundary) = (last, last)
    return .ask(query())
  }

  private mutating func page(through instant: InstantPaging) -> PageStep {
    (self.instant, boundary, lastIDs) = (instant, nil, [])
    return .ask(query())
  }

  private mutating func advanceInside(_ page: ReferralPage) -> PageStep {
    guard var paging = instant else { return .done }
    let step = paging.advance(page)
    instant = paging
    switch step {
    case .distrust, .ask: return step
    case .done:
      from = paging.at + .milliseconds(1)
      (instant, lastIDs) = (nil, [])
      return .ask(query())
    }
  }

  private mutating func isRepeated(_ page: ReferralPage) -> Bool {
    let ids = page.ids
    defer { lastIDs = ids }
    return ids == lastIDs
  }

  private func query() -> ReferralQuery {
    if let instant { return instant.first }
    var query = ReferralQuery()
    (query.sortBy, query.sortOrder, query.pageSize) = (.createdAt, .ascending, ReferralQuery.pageSizeMax)
    (query.status, query.dateFrom, query.page) = (status, from, 1)
    return query
  }

  /// Returns the fault of a page by what the reference promises; nil for none.
  private func fault(in page: ReferralPage) -> String? {
    if let fault = page.shapeFault { return fault }
    let query = query()
    if page.count == 0, page.total > 0, instant == nil {
      return "a page is empty, although its total is not zero"
    }
    if let status = query.status, let other = page.referrals.first(where: { $0.status != status }) {
      return "the list of \(status.rawValue) referrals shows a \(other.status.rawValue) one"
    }
    var before: Timestamp?
    for time in page.creations {
      if let from = query.dateFrom, time < from { return "the list goes back behind dateFrom" }
      if let to = query.dateTo, time > to { return "the list goes beyond dateTo" }
      if let before, time < before { return "the list is not sorted by createdAt" }
      before = time
    }
    return nil
  }
}
