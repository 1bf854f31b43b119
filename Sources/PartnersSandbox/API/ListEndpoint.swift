/// API reference, List referrals.
enum ListEndpoint {
  static let searchMax = 256
  static let pageSizeMax = 100

  static func answer(
    _ request: SandboxRequest, partner: String, store: ReferralStore, search: SandboxSearch
  ) throws(APIError) -> HTTPResponse {
    let query = try query(request.query)
    if case .status(let status) = search, query.search?.isEmpty == false { throw .searchRefused(status) }
    let page = store.list(query, of: partner, search: search)
    return HTTPResponse(
      status: 200,
      json: [
        "referrals": .array(page.referrals.map(\.document)),
        "pagination": [
          "page": .integer(query.page), "pageSize": .integer(query.pageSize), "total": .integer(page.total),
        ],
      ])
  }

  /// The reference calls a malformed parameter 400, so a page size above 100 is refused, not cut down. A window
  /// whose end lies before its beginning holds nothing, and an empty search finds everything.
  static func query(_ raw: String?) throws(APIError) -> ListQuery {
    var reader = QueryReader(raw)
    var query = ListQuery()
    query.status = reader.optional("status", oneOf(SandboxReferral.Status.self)) { .init(rawValue: $0) }
    query.referrerEmail = reader.optional("referrerEmail", "Invalid email") { EmailRule.isEmail($0) ? $0 : nil }
    query.dateFrom = reader.optional("dateFrom", "Must be epoch milliseconds", milliseconds)
    query.dateTo = reader.optional("dateTo", "Must be epoch milliseconds", milliseconds)
    query.search = reader.optional("search", "Must be at most \(searchMax) characters") {
      $0.unicodeScalars.count <= searchMax ? $0 : nil
    }
    let key = reader.optional("sortBy", oneOf(ListQuery.Key.self)) { ListQuery.Key(rawValue: $0) }
    let order = reader.optional("sortOrder", oneOf(ListQuery.Order.self)) { ListQuery.Order(rawValue: $0) }
    let page = reader.optional("page", "Must be a whole number from 1") { number($0, 1...Int64(Int32.max)) }
    let pageSize = reader.optional("pageSize", "Must be a whole number from 1 to \(pageSizeMax)") {
      number($0, 1...Int64(pageSizeMax))
    }
    try reader.finish()
    query.sortBy = key ?? query.sortBy
    query.sortOrder = order ?? query.sortOrder
    query.page = page.map(Int.init) ?? query.page
    query.pageSize = pageSize.map(Int.init) ?? query.pageSize
    return query
  }

  private static func milliseconds(_ text: String) -> Int64? { number(text, 0...9_007_199_254_740_991) }

  private static func number(_ text: String, _ range: ClosedRange<Int64>) -> Int64? {
    guard text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }), let number = Int64(text),
      range.contains(number)
    else { return nil }
    return number
  }

  private static func oneOf<Choice: CaseIterable & RawRepresentable<String>>(_: Choice.Type) -> String {
    "Must be one of " + Choice.allCases.map(\.rawValue).joined(separator: ", ")
  }
}

extension SandboxRequest {
  /// True if a list is asked for by a text.
  var searches: Bool {
    method == "GET" && path.hasSuffix("/referrals") && (try? ListEndpoint.query(query))?.search?.isEmpty == false
  }
}
