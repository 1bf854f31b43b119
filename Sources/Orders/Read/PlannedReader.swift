import Conversions
import Postgres

/// Transactions that read as a plan says, each of which begins with the table's description and identity.
struct PlannedReader: Sendable {
  let mapping: OrderMapping
  let limits: TransactionLimits
  let connection: ShopConnection
  let plan: FollowPlan
  let memory: ShopMemory

  /// Either way to read.
  enum Reading: Sendable {
    case versions(VersionReader)
    case hashes(HashReader)
  }

  /// Reads in one transaction, as the survey said; carefully where some row's value made a whole statement fail before.
  ///
  /// - Throws: `OrderSourceFailure` of kind `changed` where the server or the table is another one; `PostgresError`, of
  ///   kind `data` where only a careful reading will do.
  func read<Page: Sendable>(
    _ survey: ShopSurvey, _ screen: OrderScreen, isCareful: Bool,
    _ work: @Sendable (Reading, SourceOpening.Opened, PostgresTransaction) throws -> Page
  ) async throws -> (value: Page, stand: ServerStand, cost: Duration) {
    try await transaction { sql, opened, transaction in
      // Before anything is taken for another table: what hides rows, or lags, is to be waited out.
      try memory.check(opened.stand)
      guard opened.identity == survey.identity else {
        throw OrderSourceFailure(
          kind: .changed, message: "the server or the table is not the one that was read before")
      }
      let reading: Reading =
        plan.table == nil
        ? .hashes(HashReader(sql: sql, plan: plan, screen: screen))
        : .versions(VersionReader(sql: sql, plan: plan, screen: screen, isCareful: isCareful))
      return try work(reading, opened, transaction)
    }
  }

  /// The stand and the identity of what a survey found.
  func opened() async throws -> SourceOpening.Opened {
    try await transaction { _, opened, _ in opened }.value
  }

  /// Runs one transaction.
  func transaction<Value: Sendable>(
    _ work: @Sendable (ShopSQL, SourceOpening.Opened, PostgresTransaction) throws -> Value
  ) async throws -> (value: Value, stand: ServerStand, cost: Duration) {
    try await connection.read { connection in
      let opening = SourceOpening(
        sql: ShopSQL(mapping: mapping), plan: plan, isASCII: connection.isASCII,
        serverVersion: connection.serverVersion)
      let began = ContinuousClock.now
      do {
        let (value, stand) = try await connection.transaction(limits, opening: opening.statements) { transaction in
          let opened = try opening.taken(transaction)
          return (try work(opening.sql, opened, transaction), opened.stand)
        }
        return (value, stand, ContinuousClock.now - began)
      } catch let error as PostgresError where [.mapping, .permission, .data, .other].contains(error.kind) {
        // The server's message alone does not say which setting it is about.
        _ = try await connection.transaction(limits) {
          try TableDescriber(sql: opening.sql, isASCII: opening.isASCII).description(in: $0)
        }
        throw error
      }
    }
  }
}
