public import Conversions
public import Postgres

/// The shop's orders in PostgreSQL.
///
/// Has two connections, one for pages and one for re-reads. In this version the sweep reads every order again in each
/// walk, and the fast lane is empty; the position keeps each page's horizon for when that changes.
public actor ShopOrders: OrderSource {
  /// How often one call halves its page before it leaves the rest to the next one: a slow database is to be spared.
  static let halvingsMax = 4

  /// How the table is read.
  public nonisolated let mapping: OrderMapping
  private let limits: TransactionLimits
  private let pages: ShopConnection
  private let rereads: ShopConnection
  private var sizing: PageSizing
  private var current: [ShopWarning.Kind: ShopWarning] = [:]

  /// Orders as mapped. Connects at first use.
  public init(_ mapping: OrderMapping, limits: TransactionLimits = TransactionLimits()) {
    self.mapping = mapping
    self.limits = limits
    pages = ShopConnection(mapping.connection)
    rereads = ShopConnection(mapping.connection)
    sizing = PageSizing(max: mapping.pageSize)
  }

  /// What an operator should know now; each kind at most once.
  public var warnings: [ShopWarning] { ShopWarning.Kind.allCases.compactMap { current[$0] } }

  /// Closes both connections; the next read makes them anew.
  public func close() async {
    await pages.close()
    await rereads.close()
  }

  /// Reads the next page of a lane. The fast lane is an empty page that ends its walk.
  public func page(of lane: IntakeLane, after position: IntakePosition?) async throws -> OrderPage {
    switch lane {
    case .fast: try await translated { try await self.emptyPage(position) }
    case .sweep: try await translated { try await self.sweepPage(WalkPosition(position)) }
    }
  }

  /// Reads orders again by their keys, a page's worth in each transaction.
  public func orders(withKeys keys: [OrderKey]) async throws -> [OrderKey: OrderRow] {
    try await translated {
      var result: [OrderKey: OrderRow] = [:]
      var rest = keys[...]
      while !rest.isEmpty {
        let part = Array(rest.prefix(sizing.size))
        rest = rest.dropFirst(part.count)
        let orders = try await read(rereads) { try $0.orders(part, in: $1) }
        result.merge(orders) { first, _ in first }
      }
      return result
    }
  }

  private func sweepPage(_ position: WalkPosition?) async throws -> OrderPage {
    var halvings = 0
    while true {
      let size = sizing.size
      let start = ContinuousClock.now
      do {
        let page = try await read(pages) { try $0.page(after: position, size: size, in: $1) }
        notePace(ContinuousClock.now - start)
        if page.keyPage.last == nil { await lookForNullKeys() }
        return finished(page)
      } catch let error as PostgresError where error.sqlState == .queryCanceled {
        halvings += 1
        guard sizing.halve() else { throw error }
        noteSmallPages()
        guard halvings < Self.halvingsMax else { throw error }
      }
    }
  }

  private func finished(_ page: ShopReading.Page) -> OrderPage {
    let endsWalk = page.keyPage.last == nil
    let next = WalkPosition(
      walk: endsWalk ? page.walk + 1 : page.walk, key: page.keyPage.last?.text, horizon: page.moment.horizon,
      mapping: page.walkDigest)
    return OrderPage(
      rows: page.rows, position: next.encoded, endsWalk: endsWalk, readAt: page.moment.readAt,
      warnings: warnings.map(\.message))
  }

  private func emptyPage(_ position: IntakePosition?) async throws -> OrderPage {
    let statement = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint::text"
    let now = try await pages.read { try await $0.query(statement).text(0, 0) }.flatMap { Int64($0) } ?? 0
    return OrderPage(
      rows: [], position: position ?? IntakePosition("{}"), endsWalk: true, readAt: Timestamp(microseconds: now))
  }

  /// Once a walk, in a transaction of its own: without an index it may take too long, which is then no failure.
  private func lookForNullKeys() async {
    guard let found = try? await read(pages, { try $1.query($0.sql.hasNullKeys).text(0, 0) }) else { return }
    current[.nullKeys] =
      found == "true"
      ? ShopWarning(
        kind: .nullKeys,
        message: "rows without a key (\(mapping.keyExpression.setting) is NULL) can't be read: leave them out by "
          + "orders.where, or choose another orders.key") : nil
  }

  private func notePace(_ duration: Duration) {
    sizing.note(duration)
    if sizing.size == sizing.sizeMax { current[.smallPages] = nil }
  }

  private func noteSmallPages() {
    current[.smallPages] = ShopWarning(
      kind: .smallPages,
      message: "a page of orders ran into a time limit (statement_timeout, 57014): reading \(sizing.size) at a time; "
        + "is there an index on \(mapping.keyExpression.setting)?")
  }

  /// Reads in one transaction.
  private func read<Result: Sendable>(
    _ place: ShopConnection, _ work: @Sendable (ShopReading, PostgresTransaction) throws -> Result
  ) async throws -> Result {
    try await place.read { [mapping, limits] connection in
      let reading = ShopReading(
        sql: ShopSQL(mapping: mapping), isASCII: await connection.reportedSetting("server_encoding") == "SQL_ASCII",
        serverVersion: await connection.serverVersion)
      return try await connection.transaction(limits) { try work(reading, $0) }
    }
  }

  private func translated<Result>(_ work: () async throws -> Result) async throws -> Result {
    do {
      return try await work()
    } catch let error as PostgresError {
      throw FailureWording.failure(error)
    }
  }
}
