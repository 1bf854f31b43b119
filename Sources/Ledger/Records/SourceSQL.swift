public import Conversions
import GRDB

/// The shop and the mapping to which a ledger's orders belong.
extension SQLiteTransaction: SourceRecords {
  /// Facts that a ledger which is built anew takes over.
  static let lastingFacts = [
    "source.configured", "source.surveyed", "mapping", startFact, forgettingKey,
  ]
  /// The number of orders that the last accepted mapping took out of the comparison with their rows, until it is said.
  fileprivate static let uncomparedFact = "source.uncompared"
  /// `orders.start` as it was when it was last carried out.
  static let startFact = "orders.start"
  /// Notes on sources that were accepted, a line each, until the log has them.
  static let acceptedFact = "source.accepted"

  func configuredSource() throws -> ConfiguredSource? { try fact("source.configured", as: ConfiguredSource.self) }

  func setConfiguredSource(_ source: ConfiguredSource) throws { try setFact("source.configured", json: source) }

  func surveyedSource() throws -> SurveyedSource? { try fact("source.surveyed", as: SurveyedSource.self) }

  func noteSurveyedSource(_ source: SurveyedSource) throws {
    var known = try surveyedSource() ?? source
    let isEmpty = try isEmpty()
    // Nothing can be confused in a ledger without orders.
    if !isEmpty, let refusal = known.refusal(of: source) { throw OrderSourceFailure(kind: .mapping, message: refusal) }
    if isEmpty { known = source } else { known.learn(from: source) }
    if try known != surveyedSource() { try setFact("source.surveyed", json: known) }
  }

  /// Ties the ledger to a source; one that holds orders keeps to its own.
  func adopt(_ source: ConfiguredSource) throws {
    let known = try configuredSource()
    let changes = try known == nil || isEmpty() ? [] : known?.changes(to: source) ?? []
    guard changes.isEmpty else { throw LedgerFailure(.otherSource, changes.refusal) }
    if known != source { try setConfiguredSource(source) }
  }
}

/// The effect that accepting another mapping would have on a ledger.
public struct MappingAcceptance: Sendable {
  /// The settings that changed.
  public var changes: [SourceChange]
  /// Orders that the ledger knows.
  public var orders: Int
  /// Orders that were never sent: their rows can't be read again, and they end as cancelled.
  public var open: Int
  /// The time when the first of those was placed that might still have been sent.
  public var openSince: Timestamp?
  /// The time when the newest known order was placed.
  public var newest: Timestamp?
  /// Orders that were reported in the last 60 days: their rows are not compared with their reports any more.
  public var uncompared = 0
}

extension SQLiteLedger {
  /// Returns the source that the ledger's orders belong to; nil where it holds none yet, so that any will do.
  ///
  /// - Throws: `LedgerFailure`.
  public func knownSource() async throws -> (configured: ConfiguredSource?, surveyed: SurveyedSource?)? {
    try await transaction { transaction in
      guard let transaction = transaction as? SQLiteTransaction, try !transaction.isEmpty() else { return nil }
      return (try transaction.configuredSource(), try transaction.surveyedSource())
    }
  }

  /// Tells what it would mean to take another source for this ledger's.
  ///
  /// - Parameters:
  ///   - source: The other source, as configured.
  ///   - surveyed: The other source, as the shop's database told it.
  ///   - reported: Orders reported from then on are those that are compared with their rows.
  ///   - placed: The time of placing from which on they find their rows again; nil where none does.
  /// - Returns: The effect.
  /// - Throws: `LedgerFailure`.
  public func acceptance(
    of source: ConfiguredSource, _ surveyed: SurveyedSource?, reportedSince reported: Timestamp,
    placedBefore placed: Timestamp?
  ) async throws -> MappingAcceptance {
    try await transaction { transaction in
      guard let transaction = transaction as? SQLiteTransaction else {
        throw LedgerFailure(.other, "ledger: no transaction of its own")
      }
      var acceptance = try transaction.acceptance(of: source, surveyed)
      acceptance.uncompared = try transaction.comparedOrders(reportedSince: reported, placedBefore: placed)
      return acceptance
    }
  }

  /// Takes another source for this ledger's: orders placed from a time on are taken from it. Orders that were never
  /// sent lose their rows; one whose ID comes back goes on.
  ///
  /// - Parameters:
  ///   - acceptance: The effect, as it was told.
  ///   - source: The other source, as configured.
  ///   - surveyed: The other source, as the shop's database told it.
  ///   - since: The time; nil for the end of the known orders.
  ///   - note: The words on who did it, for the log of the next start.
  /// - Throws: `LedgerFailure`.
  public func accept(
    _ acceptance: MappingAcceptance, _ source: ConfiguredSource, _ surveyed: SurveyedSource?, since: Timestamp?,
    note: String? = nil
  ) async throws {
    try await transaction { transaction in
      guard let transaction = transaction as? SQLiteTransaction else { return }
      let notes = [try transaction.fact(SQLiteTransaction.acceptedFact), note].compactMap(\.self)
      try transaction.setFact(SQLiteTransaction.acceptedFact, notes.isEmpty ? nil : notes.joined(separator: "\n"))
      guard try transaction.accept(source, surveyed, since: since), acceptance.uncompared > 0 else { return }
      try transaction.setFact(SQLiteTransaction.uncomparedFact, String(acceptance.uncompared))
    }
  }

  /// Returns what was noted of sources that were accepted since the last call, for the log.
  ///
  /// - Throws: `LedgerFailure`.
  public func takeAcceptances() async throws -> [String] {
    try await transaction { transaction in
      guard let transaction = transaction as? SQLiteTransaction,
        let notes = try transaction.fact(SQLiteTransaction.acceptedFact)
      else { return [] }
      try transaction.setFact(SQLiteTransaction.acceptedFact, nil)
      return notes.split(separator: "\n").map(String.init)
    }
  }

  /// Returns how many reported orders an accepted mapping took out of the comparison with their rows, once.
  ///
  /// - Throws: `LedgerFailure`.
  public func takeUncompared() async throws -> Int? {
    try await transaction { transaction in
      guard let transaction = transaction as? SQLiteTransaction,
        let count = try transaction.fact(SQLiteTransaction.uncomparedFact).flatMap({ Int($0) })
      else { return nil }
      try transaction.setFact(SQLiteTransaction.uncomparedFact, nil)
      return count
    }
  }
}

extension SQLiteTransaction {
  /// Orders that end as cancelled once their rows are lost: all that were never sent and didn't end so before.
  fileprivate static let losesRow = """
    outcome NOT IN ('reported', 'cancelled', 'discarded') AND \(hasRow)
      AND NOT EXISTS (SELECT 1 FROM reports r WHERE r.entry = orders.entry)
    """

  fileprivate func acceptance(of source: ConfiguredSource, _ surveyed: SurveyedSource?) throws -> MappingAcceptance {
    let changes =
      try (configuredSource()?.changes(to: source) ?? [])
      + (surveyed.flatMap { try surveyedSource()?.changes(to: $0) } ?? [])
    let orders = try Int.fetchOne(
      db, sql: "SELECT (SELECT count(*) FROM orders) + (SELECT count(*) FROM settled)")
    let open = try Row.fetchOne(
      db,
      sql: """
        SELECT count(*) AS n, min(placed_from) FILTER (
          WHERE outcome IN ('not_qualifying', 'held', 'waiting', 'queued', 'review')) AS first
        FROM orders WHERE \(Self.losesRow)
        """)
    return MappingAcceptance(
      changes: changes, orders: orders ?? 0, open: try open?.decode(forColumn: "n") ?? 0,
      openSince: OrderCoding.time(try open?.decode(forColumn: "first")), newest: try newestPlaced())
  }

  /// Counts the orders, reported from a time on, whose rows are compared with their reports.
  fileprivate func comparedOrders(reportedSince time: Timestamp, placedBefore placed: Timestamp?) throws -> Int {
    let sql = """
      SELECT count(*) FROM orders
      WHERE outcome = 'reported' AND decided_at >= ?1 AND coalesce(placed_from < ?2, 1) AND \(Self.hasRow)
      """
    return try Int.fetchOne(db, sql: sql, arguments: [time.microseconds, placed?.microseconds]) ?? 0
  }

  private func newestPlaced() throws -> Timestamp? {
    OrderCoding.time(
      try Int64.fetchOne(
        db,
        sql:
          "SELECT max(t) FROM (SELECT max(placed_to) AS t FROM orders UNION ALL SELECT max(placed_from) FROM settled)"))
  }

  /// Returns true if orders lose their rows.
  fileprivate func accept(_ source: ConfiguredSource, _ surveyed: SurveyedSource?, since: Timestamp?) throws -> Bool {
    let changes = try acceptance(of: source, surveyed).changes
    try setConfiguredSource(source)
    // Another API alone leaves every order where it was.
    if since == nil, changes.allSatisfy({ $0.setting == SourceChange.baseURLSetting }) { return false }
    var progress = try intakeProgress()
    let start = try since ?? newestPlaced().map { $0 + .microseconds(1) }
    progress.noteAcceptance(from: start, keepsIDs: surveyed != nil && changes.keepIDs)
    try setIntakeProgress(progress)
    try removeRanges()
    try setFact("source.surveyed", nil)
    try execute(
      """
      UPDATE orders SET key = char(1) || entry || char(1) || key, id_check = 0,
        decide_at = CASE WHEN \(Self.losesRow) THEN 0 ELSE decide_at END
      WHERE \(Self.hasRow)
      """)
    try execute("UPDATE settled SET key = char(1) || entry || char(1) || key WHERE \(Self.hasRow)")
    return true
  }
}
