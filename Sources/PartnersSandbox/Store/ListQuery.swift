/// The parameters of a list that a partner asks for (API reference, List referrals).
struct ListQuery: Sendable, Equatable {
  /// The value by which a list is sorted.
  enum Key: String, Sendable, CaseIterable {
    case createdAt, convertedAt, conversionValue
  }

  /// The direction of a list.
  enum Order: String, Sendable, CaseIterable {
    case asc, desc
  }

  var status: SandboxReferral.Status?
  var referrerEmail: String?
  /// Milliseconds since 1970, included.
  var dateFrom: Int64?
  /// Milliseconds since 1970, included.
  var dateTo: Int64?
  var search: String?
  var sortBy = Key.createdAt
  /// The reference names no default; the newest first is what a dashboard shows.
  var sortOrder = Order.desc
  var page = 1
  var pageSize = 25
}

/// One page, and the number of referrals on all of them.
struct ListPage: Sendable {
  let referrals: [SandboxReferral]
  let total: Int
}

extension ReferralStore {
  /// Returns the page that a partner asked for.
  ///
  /// Takes a slice of an index for a list by creation with no other filter than status and window: its cost doesn't
  /// depend on the number of referrals. Ties keep the order in which referrals were added. A referral without the sort
  /// key (never converted, no value) comes last in either direction.
  func list(_ query: ListQuery, of partner: String, search: SandboxSearch = .substring) -> ListPage {
    let index = index(of: partner, status: query.status)
    let range = index.range(from: query.dateFrom, to: query.dateTo)
    let filtered = query.referrerEmail != nil || !(query.search ?? "").isEmpty
    if !filtered, query.sortBy == .createdAt {
      let slice = Self.window(of: range.count, query).map { position in
        let offset = query.sortOrder == .asc ? range.lowerBound + position : range.upperBound - 1 - position
        return slots[index.keys[offset].number]
      }
      return ListPage(referrals: slice, total: range.count)
    }
    var numbers = index.keys[range].map(\.number)
    if filtered { numbers = numbers.filter { matches(slots[$0], query, search) } }
    numbers = sorted(numbers, query)
    let slice = Self.window(of: numbers.count, query).map { slots[numbers[$0]] }
    return ListPage(referrals: slice, total: numbers.count)
  }

  private static func window(of count: Int, _ query: ListQuery) -> Range<Int> {
    let (offset, overflow) = (query.page - 1).multipliedReportingOverflow(by: query.pageSize)
    guard !overflow, offset < count else { return 0..<0 }
    return offset..<min(count, offset + query.pageSize)
  }

  private func matches(_ referral: SandboxReferral, _ query: ListQuery, _ search: SandboxSearch) -> Bool {
    if let email = query.referrerEmail, !referral.isReferred(by: email) { return false }
    if let text = query.search, !text.isEmpty, !search.finds(referral, text) { return false }
    return true
  }

  private func sorted(_ numbers: [Int], _ query: ListQuery) -> [Int] {
    guard query.sortBy != .createdAt else { return query.sortOrder == .asc ? numbers : numbers.reversed() }
    var valued: [(value: Int64, number: Int)] = []
    var missing: [Int] = []
    for number in numbers {
      let referral = slots[number]
      let value = query.sortBy == .convertedAt ? referral.convertedAt : referral.conversionValue
      if let value { valued.append((value, number)) } else { missing.append(number) }
    }
    // Keeps equal values in one order, so that pages don't overlap.
    valued.sort { left, right in
      guard left.value != right.value else { return left.number < right.number }
      return query.sortOrder == .asc ? left.value < right.value : left.value > right.value
    }
    return valued.map(\.number) + missing
  }
}
