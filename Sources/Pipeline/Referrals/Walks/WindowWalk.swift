import Conversions

/// The safe mode's way through a list that is not what the reference says: small windows of `createdAt` without a
/// status filter, each wider than it need be, halved until one page holds it, and read from both ends. It takes nothing
/// for granted but that a page shows referrals; their content is not judged here.
///
/// Nothing is ever concluded from what it doesn't show, as a broken list may hide it; and it always ends.
struct WindowWalk: PageWalk {
  /// The milliseconds by which a window is read beyond its ends: for bounds that are exclusive, or kept in seconds.
  private static let margin: Int64 = 1000
  /// The length of a window that is not halved any more, in milliseconds: its pages are counted.
  private static let shortest: Int64 = 1000

  /// A range of times in milliseconds since 1970, both ends included.
  private struct Window: Sendable {
    var from: Int64
    var to: Int64

    func margined(by margin: Int64) -> ClosedRange<Int64> { max(0, from - margin)...(to + margin) }
  }

  private var window: Window
  /// The windows still to be read, the newest last.
  private var windows: [Window] = []
  /// True once a page has shown that the API ignores windows: the whole list is paged through then.
  private var ignoresWindows = false
  private let oldest: Int64
  private var order = ReferralQuery.SortOrder.ascending
  private var number = 1
  private var ids: Set<ReferralID> = []
  private var pages = 0
  private let pagesMax: Int

  /// A walk over everything made from a time on, or over everything.
  ///
  /// - Parameters:
  ///   - from: The earliest time; nil for everything.
  ///   - now: Wall-clock time.
  ///   - known: The number of referrals that the ledger has: a walk of many more pages is given up. Each walk shows
  ///     more of them, the newest first, so what is given up now is reached by one of the next.
  init(from: Timestamp?, now: Timestamp, known: Int) {
    oldest = from?.milliseconds ?? 0
    window = Window(from: oldest, to: (now + .seconds(86_400)).milliseconds)
    pagesMax = 500 + known / 4
  }

  var first: ReferralQuery { query() }

  mutating func advance(_ page: ReferralPage) -> PageStep {
    pages += 1
    guard pages < pagesMax else { return .done }
    let bounds = window.margined(by: Self.margin)
    if !ignoresWindows, page.creations.contains(where: { !bounds.contains($0.milliseconds) }) {
      return pageThroughAll()
    }
    let isNew = page.ids.contains { !ids.contains($0) }
    ids.formUnion(page.ids)
    let isFull = page.count >= max(1, min(page.pageSize, ReferralQuery.pageSizeMax))
    let hasMore = isFull || (page.count > 0 && page.total > ids.count)
    if ignoresWindows { return nextOfAll(page, isNew: isNew) }
    if hasMore, number == 1, order == .ascending, window.to - window.from > Self.shortest { return halve() }
    if hasMore, isNew, page.count > 0 {
      number += 1
      return .ask(query())
    }
    return turnOrGoOn()
  }

  private mutating func halve() -> PageStep {
    let middle = window.from + (window.to - window.from) / 2
    windows.append(Window(from: window.from, to: middle))
    return begin(Window(from: middle + 1, to: window.to))
  }

  /// Reads the window from its other end, or begins the next one.
  private mutating func turnOrGoOn() -> PageStep {
    if order == .ascending {
      // Reads on from the other end only while it shows referrals that are new to this walk.
      (order, number) = (.descending, 1)
      return .ask(query())
    }
    guard let next = windows.popLast() else { return .done }
    return begin(next)
  }

  private mutating func begin(_ next: Window) -> PageStep {
    (window, order, number, ids) = (next, .ascending, 1, [])
    return .ask(query())
  }

  /// Pages through the whole list, the newest first, so that a walk over young referrals can end early.
  private mutating func pageThroughAll() -> PageStep {
    (ignoresWindows, windows, ids, order, number) = (true, [], [], .descending, 1)
    return .ask(query())
  }

  private mutating func nextOfAll(_ page: ReferralPage, isNew: Bool) -> PageStep {
    let isTooOld = page.creations.allSatisfy { $0.milliseconds < oldest }
    guard isTooOld || !isNew else {
      number += 1
      return .ask(query())
    }
    guard order == .descending, oldest == 0 else { return .done }
    (order, number, ids) = (.ascending, 1, [])
    return .ask(query())
  }

  private func query() -> ReferralQuery {
    var query = ReferralQuery()
    (query.sortBy, query.sortOrder) = (.createdAt, order)
    (query.page, query.pageSize) = (number, ReferralQuery.pageSizeMax)
    guard !ignoresWindows else { return query }
    let bounds = window.margined(by: Self.margin)
    query.dateFrom = Timestamp(milliseconds: bounds.lowerBound)
    query.dateTo = Timestamp(milliseconds: bounds.upperBound)
    return query
  }
}
