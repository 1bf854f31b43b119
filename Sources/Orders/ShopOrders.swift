public import Conversions
public import Postgres

/// The shop's orders in PostgreSQL.
///
/// Holds at most three connections: one for sweeps and recent changes, one for re-reads, one that listens.
public actor ShopOrders: OrderSource {
  /// The number of times that one call halves what it reads before it leaves the rest to the next one: a slow database
  /// is to be spared.
  static let halvingsMax = 4

  /// The mapping by which the table is read.
  public nonisolated let mapping: OrderMapping
  private var limits: TransactionLimits
  /// The source that the ledger's orders were read from, or else the one that the first survey found.
  private var known: SurveyedSource?
  private let pages: ShopConnection
  private let rereads: RereadConnection
  private let listening: ListeningConnection?
  private var plan: FollowPlan?
  private let memory = ShopMemory()
  private var sizing: PageSizing
  private var warnings: [ReadWarning: String] = [:]
  private var emails = EmailWatch()
  /// Numbers of ranges in which rows without a key were met when they were last read whole.
  private var rangesWithNullKeys: Set<Int64> = []

  /// Orders as mapped. Connects at first use.
  ///
  /// - Parameters:
  ///   - mapping: The operator's.
  ///   - limits: The most time that one transaction may take.
  ///   - known: The source that the remembered orders were read from: nothing else is read.
  public init(
    _ mapping: OrderMapping, limits: TransactionLimits = TransactionLimits(), known: SurveyedSource? = nil
  ) {
    self.known = known
    self.mapping = mapping
    self.limits = limits
    pages = ShopConnection(mapping.connection)
    rereads = RereadConnection(mapping.connection, sweeps: pages)
    listening = mapping.notifyChannel.map { ListeningConnection(mapping.connection, channel: $0) }
    sizing = PageSizing(max: HashReader.keysMax)
  }

  /// Closes every connection; the next read makes them anew.
  public func close() async {
    await pages.close()
    await rereads.close()
    await listening?.close()
  }

  /// Looks at the table, its kind and what the planner would read for an order, and chooses how it is followed.
  public func survey() async throws -> ShopSurvey {
    try await translated {
      await pages.askForRoom { [weak rereads] in await rereads?.giveUp() ?? false }
      let plan = try await chosenPlan()
      let source = try await describedSource()
      if let refusal = known?.refusal(of: source) { throw OrderSourceFailure(kind: .mapping, message: refusal) }
      // From now on a retyped key is another mapping, and rows that it hides are not gone.
      known = known ?? source
      known?.total = source.total
      let sizeMax = plan.table == nil ? HashReader.keysMax : Int(plan.blocksPerRange)
      if sizing.sizeMax != sizeMax { sizing = PageSizing(max: sizeMax, start: sizeMax / 8) }
      rangesWithNullKeys = []
      let opened = try await reading(plan).opened()
      try memory.check(opened.stand)
      memory.survey(opened.stand)
      self.plan = plan
      note(opened.stand.policed.min().map { policedTable($0) }, .rowSecurity)
      return ShopSurvey(
        method: plan.method, because: plan.because, identity: opened.identity, hasRecent: !plan.recent.isEmpty,
        moment: opened.moment, isStandby: opened.stand.isStandby, sight: opened.stand.sight, source: source,
        hasLocalTimes: opened.description.placedAt.needsTimeZone)
    }
  }

  /// Asks which database and table the mapping reads, and what its keys and IDs are.
  ///
  /// - Throws: `OrderSourceFailure`, or `CancellationError`.
  public func source() async throws -> SurveyedSource { try await translated { try await describedSource() } }

  private func describedSource() async throws -> SurveyedSource {
    try await pages.read { [mapping, limits] connection in
      let describing = TableDescriber(sql: ShopSQL(mapping: mapping), isASCII: connection.isASCII)
      return try await connection.transaction(limits) { transaction in
        try SourceSurvey(mapping: mapping).source(try describing.description(in: transaction), in: transaction)
      }
    }
  }

  /// Takes in the source that the remembered orders were read from.
  public func keepTo(_ source: SurveyedSource) { known = source }

  /// Chooses how the table is followed, with the session's settings fixed at their defaults, or at their present values
  /// where the table is found with these alone.
  private func chosenPlan() async throws -> FollowPlan {
    let defaults = try await pages.read { [limits] connection in
      var unfixed = limits
      unfixed.settings = []
      return try await connection.transaction(unfixed) { try SessionDefaults(in: $0) }
    }
    // The role is the first session's, as it can't be told from a role that another client has left.
    let role = limits.settings.first { $0.name == "role" }
    func fix(_ settings: [PinnedSetting]) {
      limits.settings = settings.map { $0.name == "role" ? role ?? $0 : $0 }
    }
    do {
      fix(defaults.settings)
      return try await plan()
    } catch let failure as OrderSourceFailure
      where failure.kind == .mapping && defaults.settings != defaults.settingsInForce
    {
      fix(defaults.settingsInForce)
      do { return try await plan() } catch is OrderSourceFailure {}
      fix(defaults.settings)
      throw failure
    }
  }

  private func plan() async throws -> FollowPlan {
    try await pages.read { [mapping, limits] connection in
      let surveying = SourceSurveyor(
        sql: ShopSQL(mapping: mapping), isASCII: connection.isASCII, serverVersion: connection.serverVersion)
      return try await connection.transaction(limits) { try surveying.plan($0) }
    }
  }

  private func policedTable(_ table: String) -> String {
    "row-level security is on for \(table): orders may be hidden from the role in orders.connection; compare their number "
      + "with the shop's, or give the role BYPASSRLS or a policy that shows every order"
  }

  /// Reads blocks or keys of a range, fewer where they take too long.
  public func sweep(_ piece: SweepPiece, of survey: ShopSurvey, screen: OrderScreen) async throws -> SweepPage {
    try await halving {
      let (page, cost) = try await carefully { isCareful in
        let (size, began) = (sizing.size, ContinuousClock.now)
        let (fetched, stand, cost) = try await surveyed.read(survey, screen, isCareful: isCareful) {
          reading, opened, transaction in
          switch reading {
          case .versions(let reading):
            try reading.sweep(piece, blocksMax: Int64(size), opened, transaction)
          case .hashes(let reading): FetchedSweep(try reading.sweep(piece, keysMax: size, opened, transaction))
          }
        }
        let duration = ContinuousClock.now - began
        let page = try await fetched.sorted()
        notePace(duration, page)
        memory.note(page.orders, stand)
        return (page, cost)
      }
      noteNullKeys(page, of: piece, survey.method)
      emails.note(page.orders, mapping)
      var finished = page
      (finished.cost, finished.warnings, finished.doubt) = (cost, said, emails.warning)
      return finished
    }
  }

  /// Reads what the change columns say is recent.
  public func recent(
    after position: String?, of survey: ShopSurvey, screen: OrderScreen
  ) async throws -> RecentPage {
    try await translated {
      var (page, stand, cost) = try await carefully { isCareful in
        try await surveyed.read(survey, screen, isCareful: isCareful) { reading, opened, transaction in
          switch reading {
          case .versions(let reading): try reading.recent(after: position, opened, transaction)
          case .hashes(let reading): try reading.recent(after: position, opened, transaction)
          }
        }
      }
      memory.note(page.orders, stand)
      emails.note(page.orders, mapping)
      (page.cost, page.warnings, page.doubt) = (cost, said, emails.warning)
      return page
    }
  }

  /// Reads once more, and carefully, where some row's value makes the whole statement fail.
  private func carefully<Value>(_ read: (_ isCareful: Bool) async throws -> Value) async throws -> Value {
    do {
      return try await read(false)
    } catch let error as PostgresError where error.kind == .data {
      return try await read(true)
    }
  }

  /// Reads orders again by their keys, a page's worth in each transaction.
  public func orders(withKeys keys: [OrderKey]) async throws -> [OrderKey: RowSighting] {
    guard !keys.isEmpty else { return [:] }
    if plan == nil { _ = try await survey() }
    return try await translated {
      let stand = try surveyed.plan.stand
      let looking = SightingReader(memory: memory) { [rereads, mapping, limits, known] keys in
        try await rereads.read { connection in
          try await KeyedReader(
            mapping: mapping, limits: limits, connection: connection, stand: stand, known: known
          ).orders(keys)
        }
      }
      var result: [OrderKey: RowSighting] = [:]
      var rest = keys[...]
      while !rest.isEmpty {
        let part = Array(rest.prefix(mapping.pageSize))
        rest = rest.dropFirst(part.count)
        result.merge(try await looking.sightings(part)) { first, _ in first }
      }
      note(await rereads.warning, .oneConnection)
      return result
    }
  }

  /// Reads the newest orders, for an operator to see what would be reported.
  public func newest() async throws -> NewestOrders {
    try await translated {
      try await rereads.read { [mapping, limits] connection in
        let (sql, isASCII) = (ShopSQL(mapping: mapping), connection.isASCII)
        return try await connection.transaction(limits) { try NewestOrders(sql, isASCII: isASCII, $0) }
      }
    }
  }

  /// Returns when the shop notifies on its channel; where there is none, or none can be listened to, throws `silent`.
  public func change() async throws {
    guard let listening else {
      throw OrderSourceFailure(kind: .silent, message: "no orders.notify_channel is configured")
    }
    // Listening needs a connection least: it is the last to be made.
    while plan == nil { try await Task.sleep(for: .milliseconds(100)) }
    try await translated {
      guard try await rereads.hasOwn() else {
        note(await rereads.warning, .oneConnection)
        throw OrderSourceFailure(kind: .silent, message: "no connection to spare")
      }
      try await listening.wait()
    }
  }

  /// A fault that an operator should know although reading goes on.
  private enum ReadWarning: CaseIterable {
    /// Rows without a key, which no walk can reach.
    case nullKeys
    /// A single connection for everything.
    case oneConnection
    /// Row-level security, which may hide orders.
    case rowSecurity
    /// Pages are read in smaller pieces, as they ran into a time limit.
    case smallPages
  }

  private var surveyed: PlannedReader {
    get throws {
      guard let plan else { throw OrderSourceFailure(kind: .changed, message: "the table was not surveyed yet") }
      return reading(plan)
    }
  }

  private func reading(_ plan: FollowPlan) -> PlannedReader {
    PlannedReader(mapping: mapping, limits: limits, connection: pages, plan: plan, memory: memory)
  }

  private func halving<Page>(_ read: () async throws -> Page) async throws -> Page {
    var halvings = 0
    return try await translated {
      while true {
        do {
          return try await read()
        } catch let error as PostgresError where error.sqlState == .queryCanceled {
          halvings += 1
          guard sizing.halve() else { throw error }
          note(smallPages, .smallPages)
          guard halvings < Self.halvingsMax else { throw error }
        }
      }
    }
  }

  private var said: [String] { ReadWarning.allCases.compactMap { warnings[$0] } }

  private func note(_ message: String?, _ kind: ReadWarning) {
    warnings[kind] = message
  }

  /// Notes rows without a key; a page that looked at changes alone tells nothing of those that were there before.
  private func noteNullKeys(_ page: SweepPage, of piece: SweepPiece, _ method: ShopSurvey.Method) {
    if piece.from == nil, page.isWhole || method == .hashes { rangesWithNullKeys.remove(piece.range.number) }
    if !page.warnings.isEmpty { rangesWithNullKeys.insert(piece.range.number) }
    note(rangesWithNullKeys.isEmpty ? nil : mapping.nullKeysWarning, .nullKeys)
  }

  private func notePace(_ duration: Duration, _ page: SweepPage) {
    sizing.note(duration, orders: page.orders.count)
    if sizing.size == sizing.sizeMax { note(nil, .smallPages) }
  }

  private var smallPages: String {
    "a read of orders ran into a time limit (statement_timeout, 57014): less is read at a time; is the database "
      + "overloaded, or its limit for this role very short?"
  }

  private func translated<Result>(_ work: () async throws -> Result) async throws -> Result {
    do {
      return try await work()
    } catch let error as PostgresError {
      throw FailureWording.failure(error)
    }
  }
}

extension PostgresConnection {
  /// True if the database's encoding is SQL_ASCII, in which any bytes are text.
  nonisolated var isASCII: Bool { serverEncoding == "SQL_ASCII" }
}

extension OrderMapping {
  /// The warning for rows that no read by key can reach.
  var nullKeysWarning: String {
    "rows without a key (\(keyExpression.setting) is NULL) can't be read: leave them out by orders.where, or choose "
      + "another orders.key"
  }
}
