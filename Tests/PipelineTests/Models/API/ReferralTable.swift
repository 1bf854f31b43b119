import Conversions

/// The API's list of referrals, as the reference has it (API reference, List referrals), or lying.
struct ReferralTable: Sendable {
  /// A fault of the list: a thing that the reference doesn't promise, or that a broken server breaks.
  enum Lie: Sendable, CaseIterable {
    case unsorted
    case ignoresStatus
    case ignoresDateFrom
    case ignoresDateTo
    case repeatsPages
    case endless
    case exclusiveDateFrom
    case smallPages
    case overfullPages
    case emptyPages
    case smallTotal
  }

  private static let crowd = (0..<100).map {
    Referral(id: ReferralID("endless_\($0)"), status: .pending, createdAt: start)
  }

  private(set) var referrals: [ReferralID: Referral] = [:]
  /// The same in the order in which they were made, so that a page of many takes one look at each.
  private var byCreation: [Referral] = []
  var lie: Lie?
  /// Referrals that no list shows, although they are there.
  var hidden: Set<ReferralID> = []
  /// Referrals that can't be read, and whether not even when they were made can.
  var unreadable: [ReferralID: Bool] = [:]

  /// Goes up with each change.
  private(set) var changes = 0

  mutating func put(_ referral: Referral) {
    if let earlier = referrals.updateValue(referral, forKey: referral.id) { byCreation.remove(at: place(of: earlier)) }
    byCreation.insert(referral, at: place(of: referral))
    changes += 1
  }

  @discardableResult
  mutating func remove(_ id: ReferralID) -> Referral? {
    changes += 1
    guard let referral = referrals.removeValue(forKey: id) else { return nil }
    byCreation.remove(at: place(of: referral))
    return referral
  }

  mutating func removeAll() { for id in referrals.keys { remove(id) } }

  /// The first place whose referral was not made before this one.
  private func place(of referral: Referral) -> Int {
    var (low, high) = (byCreation.startIndex, byCreation.endIndex)
    while low < high {
      let middle = (low + high) / 2
      let other = byCreation[middle]
      if (other.createdAt, other.id) < (referral.createdAt, referral.id) { low = middle + 1 } else { high = middle }
    }
    return low
  }

  func page(_ query: ReferralQuery) -> ReferralPage {
    let size = lie == .smallPages ? 25 : min(query.pageSize ?? 25, 100)
    let number = lie == .repeatsPages ? 1 : max(query.page ?? 1, 1)
    if lie == .endless { return endless(query, size: size) }
    var found = byCreation.filter { matches($0, query) }
    if query.sortBy == .convertedAt {
      let never = Timestamp(microseconds: .min)
      found.sort { ($0.convertedAt ?? never, $0.id) < ($1.convertedAt ?? never, $1.id) }
    }
    if query.sortOrder == .descending { found.reverse() }
    if lie == .unsorted { found.reverse() }
    let total = lie == .smallTotal ? 1 : found.count
    guard lie != .emptyPages else { return ReferralPage(referrals: [], page: number, pageSize: size, total: total) }
    let first = lie == .overfullPages ? 0 : (number - 1) * size
    let shown = lie == .overfullPages ? found[...] : found.dropFirst(first).prefix(size)
    return page(Array(shown), number: number, size: size, total: total)
  }

  private func page(_ shown: [Referral], number: Int, size: Int, total: Int) -> ReferralPage {
    var page = ReferralPage(referrals: [], page: number, pageSize: size, total: total)
    for referral in shown {
      guard let isTimeless = unreadable[referral.id] else {
        page.referrals.append(referral)
        continue
      }
      page.unreadable.append(
        UnreadableReferral(
          place: page.referrals.count, id: referral.id, createdAt: isTimeless ? nil : referral.createdAt,
          fault: "referral.externalSourceId is no string"))
    }
    return page
  }

  private func matches(_ referral: Referral, _ query: ReferralQuery) -> Bool {
    if !hidden.isEmpty, hidden.contains(referral.id) { return false }
    if lie != .ignoresStatus, let status = query.status, referral.status != status { return false }
    if let search = query.search?.lowercased() {
      let texts = [referral.friendEmail, referral.friendName, referral.externalSourceID].compactMap { $0?.lowercased() }
      guard texts.contains(where: { $0.contains(search) }) else { return false }
    }
    let created = referral.createdAt.milliseconds
    if lie != .ignoresDateFrom, let from = query.dateFrom?.milliseconds {
      if lie == .exclusiveDateFrom ? created <= from : created < from { return false }
    }
    if lie != .ignoresDateTo, let to = query.dateTo?.milliseconds, created > to { return false }
    return true
  }

  /// A list that always has more, each page within what was asked for.
  private func endless(_ query: ReferralQuery, size: Int) -> ReferralPage {
    let from = query.dateFrom ?? Timestamp(milliseconds: 1)
    var shown = Array(Self.crowd.prefix(size))
    let status = query.status ?? .pending
    for index in shown.indices {
      shown[index].status = status
      shown[index].createdAt = query.dateTo == nil ? from + .milliseconds(index) : from
    }
    shown[0].id = ReferralID("endless_\(from.milliseconds)_\(query.page ?? 1)")
    return ReferralPage(referrals: shown, page: query.page ?? 1, pageSize: size, total: 1_000_000)
  }
}
