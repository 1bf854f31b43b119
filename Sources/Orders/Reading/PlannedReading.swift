import Conversions
import Postgres

/// Transactions that read as a plan says, each of which begins with the table's description and identity.
struct PlannedReading: Sendable {
  let mapping: OrderMapping
  let limits: TransactionLimits
  let connection: ShopConnection
  let plan: FollowPlan

  /// Either way to read.
  enum Reading: Sendable {
    case versions(VersionReading)
    case hashes(HashReading)
  }

  /// Reads in one transaction, as the survey said; carefully where some row's value made a whole statement fail before.
  ///
  /// - Throws: `OrderSourceFailure` of kind `changed` where the server or the table is another one; `PostgresError`, of
  ///   kind `data` where only a careful reading will do.
  func read<Page: Sendable>(
    _ survey: ShopSurvey, _ screen: OrderScreen, isCareful: Bool,
    _ work: @Sendable (Reading, Opening.Opened, PostgresTransaction) throws -> Page
  ) async throws -> (value: Page, cost: Duration) {
    try await transaction { sql, opened, transaction in
      guard opened.identity == survey.identity else {
        throw OrderSourceFailure(
          kind: .changed, message: "the server or the table is not the one that was read before")
      }
      let reading: Reading =
        plan.table == nil
        ? .hashes(HashReading(sql: sql, plan: plan, screen: screen))
        : .versions(VersionReading(sql: sql, plan: plan, screen: screen, isCareful: isCareful))
      return try work(reading, opened, transaction)
    }
  }

  /// Runs one transaction.
  func transaction<Value: Sendable>(
    _ work: @Sendable (ShopSQL, Opening.Opened, PostgresTransaction) throws -> Value
  ) async throws -> (value: Value, cost: Duration) {
    try await connection.read { connection in
      let opening = Opening(
        sql: ShopSQL(mapping: mapping), plan: plan, isASCII: connection.isASCII,
        serverVersion: connection.serverVersion)
      let began = ContinuousClock.now
      do {
        let value = try await connection.transaction(limits, opening: opening.statements) { transaction in
          try work(opening.sql, try opening.taken(transaction), transaction)
        }
        return (value, ContinuousClock.now - began)
      } catch let error as PostgresError where [.mapping, .permission, .data, .other].contains(error.kind) {
        // The server's message alone does not say which setting it is about.
        _ = try await connection.transaction(limits) {
          try Describing(sql: opening.sql, isASCII: opening.isASCII).description(in: $0)
        }
        throw error
      }
    }
  }
}
