import Conversions

/// The newest conversions, back to the point that an earlier walk had reached. One that is converted meanwhile comes in
/// at the top and shifts the pages forward, so that some are shown twice and none is left out.
struct ConversionsWalk: PageWalk {
  /// The time by which it goes back behind the last walk: conversions of the same time may become visible one by one.
  static let overlap = Duration.seconds(900)
  private static let pagesMax = 20_000

  private let backTo: Timestamp?
  private var number = 1
  private var lastIDs: [ReferralID] = []
  /// The newest conversion when the walk began; nil where there was none.
  private(set) var newest: Timestamp?

  /// A walk back to what is known; nil for one that only looks for the newest.
  init(knownTo: Timestamp?, overlap: Duration = Self.overlap) { backTo = knownTo.map { $0 - overlap } }

  var first: ReferralQuery { query() }

  mutating func advance(_ page: ReferralPage) -> PageStep {
    if let fault = page.shapeFault { return .distrust(fault) }
    // Skips a referral without a time: it comes last, and is left to the full sweep.
    let times = page.referrals.compactMap(\.convertedAt)
    guard page.referrals.allSatisfy({ $0.status == .converted }) else {
      return .distrust("the list of converted referrals shows one that is not converted")
    }
    guard zip(times, times.dropFirst()).allSatisfy({ $0 >= $1 }) else {
      return .distrust("the list is not sorted by convertedAt")
    }
    if number == 1 { newest = times.first }
    // Goes on after a page of which none can be read: it doesn't tell how far back it goes.
    guard let backTo, times.last.map({ $0 >= backTo }) ?? !page.unreadable.isEmpty else { return .done }
    guard page.hasMore(shownBefore: (number - 1) * page.pageSize) else { return .done }
    let ids = page.ids
    if ids == lastIDs { return .distrust(ReferralWalk.repetition) }
    if number >= Self.pagesMax { return .distrust("the list of converted referrals has no end") }
    lastIDs = ids
    number += 1
    return .ask(query())
  }

  private func query() -> ReferralQuery {
    var query = ReferralQuery()
    (query.status, query.sortBy, query.sortOrder) = (.converted, .convertedAt, .descending)
    (query.page, query.pageSize) = (number, ReferralQuery.pageSizeMax)
    return query
  }
}
