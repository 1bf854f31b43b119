import Conversions

/// The paging inside one `createdAt` that fills more than a page, as an import does: there a keyset can't go on, and
/// pages have to be counted. Without a status filter, as a referral that changes its status would shift the pages
/// behind it. Other shifts (by a referral that is deleted, an unstable order) show when the pages are read
/// again: an instant of several pages is read until two passes agree.
struct InstantPaging: PageWalk {
  /// The most passes: so many that don't agree are no coincidence.
  private static let passesMax = 6

  let at: Timestamp
  /// True if a page has shown that there are referrals of this instant, so that an empty answer is wrong.
  private let mustShow: Bool
  private var number = 1
  private var passes = 1
  private var sum = WalkPlace.Sum()
  private var before: WalkPlace.Sum?
  private var lastIDs: [ReferralID] = []

  init(at: Timestamp, mustShow: Bool) {
    self.at = at
    self.mustShow = mustShow
  }

  /// Goes on with a paging from its place.
  init(_ place: WalkPlace.Instant) {
    self.init(at: place.at, mustShow: place.mustShow)
    (number, passes, sum, before) = (max(1, place.number), place.passes, place.sum, place.before)
  }

  /// The place that it has reached.
  var place: WalkPlace.Instant {
    WalkPlace.Instant(at: at, mustShow: mustShow, number: number, passes: passes, sum: sum, before: before)
  }

  /// The query for the current page.
  var first: ReferralQuery {
    var query = ReferralQuery()
    (query.sortBy, query.sortOrder, query.pageSize) = (.createdAt, .ascending, ReferralQuery.pageSizeMax)
    (query.dateFrom, query.dateTo, query.page) = (at, at, number)
    return query
  }

  mutating func advance(_ page: ReferralPage) -> PageStep {
    if mustShow, sum.count + page.count == 0 {
      return .distrust("the list leaves out referrals that were made at dateFrom exactly")
    }
    let hasMore = page.hasMore(shownBefore: sum.count)
    sum.add(page)
    guard !hasMore else {
      let ids = page.ids
      if ids == lastIDs { return .distrust(ReferralWalk.repetition) }
      lastIDs = ids
      number += 1
      return .ask(first)
    }
    // Accepts a single page at once, as nothing could have shifted between pages.
    if number == 1 || sum == before { return .done }
    if passes >= Self.passesMax { return .distrust("the referrals made at one instant differ at each reading") }
    (before, sum, number, lastIDs) = (sum, WalkPlace.Sum(), 1, [])
    passes += 1
    return .ask(first)
  }
}
