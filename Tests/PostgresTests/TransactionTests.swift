import Postgres
import TestHosts
import Testing

@Suite struct TransactionTests {
  private func connect(_ sql: String = "", user: String = "postgres") async throws -> (TestDatabase, PostgresConnection)
  {
    let database = try await PostgresCluster.shared().createDatabase()
    if !sql.isEmpty { try await database.execute(sql) }
    return (database, try await PostgresConnection.connect(to: database.conninfo(user: user)))
  }

  @Test func oneSnapshotReadOnly() async throws {
    let (database, connection) = try await connect("CREATE TABLE t (a int); INSERT INTO t VALUES (1)")
    let name = database.name
    let seen = try await connection.transaction { transaction in
      let level = try transaction.query("SHOW transaction_isolation").text(0, 0)
      let readOnly = try transaction.query("SHOW transaction_read_only").text(0, 0)
      return [level, readOnly, try transaction.query("SELECT current_database()").text(0, 0)]
    }
    #expect(seen == ["repeatable read", "on", name])
    await #expect { try await connection.transaction { try $0.query("INSERT INTO t VALUES (2)") } } throws: { error in
      (error as? PostgresError)?.sqlState?.rawValue == "25006"
    }
    #expect(try await database.execute("SELECT count(*) FROM t") == "1")
  }

  @Test func settingsAreFixedWithinAndGoneAfter() async throws {
    let (_, connection) = try await connect()
    _ = try await connection.query("SET TimeZone = 'Europe/Berlin'")
    _ = try await connection.query("SET DateStyle = 'German'")
    let text = try await connection.transaction { transaction in
      try transaction.query("SELECT timestamptz '2026-07-01 12:00+00'::text").text(0, 0)
    }
    #expect(text == "2026-07-01 12:00:00+00")
    let after = try await connection.query("SELECT current_setting('TimeZone'), current_setting('statement_timeout')")
    #expect(try after.text(0, 0) == "Europe/Berlin")
    #expect(try after.text(0, 1) == "0")
  }

  @Test func theShorterLimitCounts() async throws {
    let (database, connection) = try await connect()
    let limits = TransactionLimits(statement: .milliseconds(2500), lock: .milliseconds(1500), idle: .seconds(7))
    func inForce() async throws -> [String?] {
      try await connection.transaction(limits) { transaction in
        let rows = try transaction.query(
          """
          SELECT current_setting('statement_timeout'), current_setting('lock_timeout'),
          current_setting('idle_in_transaction_session_timeout')
          """)
        return try (0..<3).map { try rows.text(0, $0) }
      }
    }
    #expect(try await inForce() == ["2500ms", "1500ms", "7s"])
    for (setting, expected) in [("300ms", "300ms"), ("1h", "2500ms"), ("2", "2ms"), ("2s", "2s"), ("0", "2500ms")] {
      _ = try await connection.query("SET statement_timeout = '\(setting)'")
      // So short a limit may already end the statement that asks.
      if setting != "2" { #expect(try await inForce().first == expected) }
    }
    _ = database
  }

  @Test func aStatementThatTakesTooLongIsTransient() async throws {
    let (_, connection) = try await connect()
    let limits = TransactionLimits(statement: .milliseconds(50))
    await #expect {
      try await connection.transaction(limits) { try $0.query("SELECT pg_sleep(5)") }
    } throws: { error in
      (error as? PostgresError)?.sqlState == .queryCanceled && (error as? PostgresError)?.kind == .transient
    }
    #expect(try await connection.query("SELECT 1").count == 1)
  }

  @Test func aFailureRollsBackAndTheConnectionGoesOn() async throws {
    struct Stop: Error {}
    let (_, connection) = try await connect()
    await #expect(throws: Stop.self) {
      try await connection.transaction { _ -> Int in throw Stop() }
    }
    await #expect(throws: PostgresError.self) { try await connection.transaction { try $0.query("SELECT 1/0") } }
    let state = try await connection.query("SELECT pg_current_xact_id_if_assigned() IS NULL")
    #expect(state.count == 1)
    #expect(try await connection.transaction { try $0.query("SELECT 2").text(0, 0) } == "2")
  }

  @Test func anAttemptMayFailAlone() async throws {
    let (_, connection) = try await connect()
    let outcome = try await connection.transaction { transaction in
      let bad = try transaction.attempt { try transaction.query("SELECT 'x'::int") }
      let good = try transaction.attempt { try transaction.query("SELECT 5").text(0, 0) }
      guard case .failure(let error) = bad else { return "none" }
      return try "\(error.kind) \(good.get() ?? "")"
    }
    #expect(outcome == "data 5")
  }

  @Test func aCancelledTransactionIsRolledBack() async throws {
    let (database, connection) = try await connect()
    let running = Task { try await connection.transaction { try $0.query("SELECT pg_sleep(20)").count } }
    try await Task.sleep(for: .milliseconds(200))
    running.cancel()
    let result = await running.result
    #expect(throws: CancellationError.self) { try result.get() }
    #expect(
      try await database.execute(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND xact_start IS NOT NULL "
          + "AND pid <> pg_backend_pid()") == "0")
    #expect(try await connection.query("SELECT 1").count == 1)
  }

  @Test func anIdleSessionLeavesNoTransactionBehind() async throws {
    let (database, connection) = try await connect()
    _ = try await connection.transaction { try $0.query("SELECT 1").count }
    let open = "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in%' AND datname = current_database()"
    #expect(try await database.execute(open) == "0")
  }
}
