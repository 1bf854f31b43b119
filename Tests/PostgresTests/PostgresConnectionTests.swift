import Foundation
import Postgres
import TestHosts
import Testing

@Suite struct PostgresConnectionTests {
  private func connect(_ suffix: String = "") async throws -> (TestDatabase, PostgresConnection) {
    let database = try await PostgresCluster.shared().createDatabase()
    return (database, try await PostgresConnection.connect(to: database.conninfo + suffix))
  }

  @Test func valuesTravelBoundAndUnchanged() async throws {
    let (_, connection) = try await connect()
    let texts = [
      "", "'; DROP TABLE x; --", "a\r\nb\tc", "😀 \u{0301}é", String(repeating: "x", count: 100_000), "\\ \"",
    ]
    for text in texts {
      let rows = try await connection.query(
        "SELECT $1::text, $2::text", [PostgresParameter(text), PostgresParameter(nil)])
      #expect(try rows.text(0, 0) == text)
      #expect(try rows.text(0, 1) == nil)
      #expect(rows.isNull(0, 1))
      #expect(rows.bytes(0, 0) == Array(text.utf8))
    }
  }

  /// libpq breaks its hint into a line of its own, behind a tab.
  @Test func aMessageIsOneLineWithPlainSpaces() async throws {
    await #expect {
      _ = try await PostgresConnection.connect(to: "host=/nonexistent dbname=shop")
    } throws: { error in
      let message = (error as? PostgresError)?.message ?? ""
      return message.contains("; Is the server running locally") && !message.contains { $0.isWhitespace && $0 != " " }
    }
    let error = PostgresError(message: "one\n\ttwo", detail: " a\r\nb ", hint: "c\td")
    #expect([error.message, error.detail, error.hint] == ["one two", "a b", "c d"])
  }

  @Test func arraysKeepEveryCharacter() async throws {
    let (_, connection) = try await connect()
    let texts = ["", "NULL", "a,b", "{}", "\"q\"", "back\\slash", " space ", "a\r\nb", "😀", "'"]
    let rows = try await connection.query(
      "SELECT x FROM unnest($1::text[]) WITH ORDINALITY AS u(x, n) ORDER BY n", [PostgresParameter(array: texts)])
    #expect(try (0..<rows.count).map { try rows.text($0, 0) } == texts)
  }

  @Test func columnsTellTheirTypes() async throws {
    let (_, connection) = try await connect()
    let rows = try await connection.query("SELECT 1::int4 AS \"camelCase x\", now()::timestamptz(3) LIMIT 0")
    #expect(rows.count == 0)
    #expect(rows.columns.map(\.name) == ["camelCase x", "now"])
    #expect(rows.columns.map(\.typeOID) == [23, 1184])
    #expect(rows.columns.map(\.typeModifier) == [-1, 3])
  }

  @Test func oneStatementAtATime() async throws {
    let (_, connection) = try await connect()
    await #expect { try await connection.query("SELECT 1; SELECT 2") } throws: { error in
      (error as? PostgresError)?.sqlState?.rawValue == "42601"
    }
    await #expect(throws: PostgresError.self) {
      try await connection.query("SELECT $1::text", [PostgresParameter("a\0b")])
    }
    await #expect(throws: PostgresError.self) { try await connection.query("SELECT 1 \0") }
    await #expect(throws: PostgresError.self) { try await connection.query("COPY (SELECT 1) TO STDOUT") }
  }

  @Test func errorsSayWhatWhereAndWhich() async throws {
    let (_, connection) = try await connect()
    await #expect { try await connection.query("SELECT nosuch FROM pg_class") } throws: { error in
      let error = error as? PostgresError
      return error?.sqlState?.rawValue == "42703" && error?.position == 8 && error?.kind == .mapping
        && error?.message == "column \"nosuch\" does not exist" && error?.isConnectionLost == false
    }
    #expect(try await connection.query("SELECT 1").count == 1)
  }

  @Test func identifiersAndLiteralsAreQuoted() async throws {
    let (_, connection) = try await connect()
    let name = "o\"dd 'na\\me"
    let literal = try await connection.quotedLiteral(name)
    let rows = try await connection.query("SELECT \(literal) AS \(try await connection.quotedIdentifier(name))")
    #expect(rows.columns[0].name == name)
    #expect(try rows.text(0, 0) == name)
  }

  @Test func theSessionIsOurs() async throws {
    let (_, connection) = try await connect(" client_encoding=LATIN1")
    let rows = try await connection.query("SHOW application_name")
    #expect(try rows.text(0, 0) == "conversiond")
    #expect(await connection.reportedSetting("client_encoding") == "UTF8")
    #expect(connection.serverVersion >= 130_000)
    let pid = try await connection.query("SELECT pg_backend_pid()::text").text(0, 0)
    #expect(await pid == String(connection.backendPID))
    let (_, named) = try await connect(" application_name=mine")
    #expect(try await named.query("SHOW application_name").text(0, 0) == "mine")
  }

  @Test func aTerminatedBackendIsALostConnection() async throws {
    let (database, connection) = try await connect()
    let pid = await connection.backendPID
    let running = Task { try await connection.query("SELECT pg_sleep(30)") }
    #expect(
      await eventually {
        (try? await database.execute(
          "SELECT count(*) FROM pg_stat_activity WHERE pid = \(pid) AND state = 'active'")) == "1"
      })
    try await database.execute("SELECT pg_terminate_backend(\(pid))")
    let result = await running.result
    #expect(throws: PostgresError.self) { try result.get() }
    if case .failure(let error as PostgresError) = result {
      #expect(error.isConnectionLost)
      #expect(error.kind == .unreachable)
    }
    #expect(!connection.isUsable)
    await #expect(throws: PostgresError.self) { try await connection.query("SELECT 1") }
  }

  @Test func aCancelledTaskEndsItsStatementWithinASecond() async throws {
    let (_, connection) = try await connect()
    let running = Task { try await connection.query("SELECT pg_sleep(60)") }
    try await Task.sleep(for: .milliseconds(200))
    let start = ContinuousClock.now
    running.cancel()
    let result = await running.result
    #expect(throws: CancellationError.self) { try result.get() }
    #expect(ContinuousClock.now - start < .seconds(1))
    #expect(try await connection.query("SELECT 'usable'").text(0, 0) == "usable")
  }

  @Test func manyCancellationsHitNobodyElse() async throws {
    let (_, connection) = try await connect()
    for turn in 0..<40 {
      let running = Task { try await connection.query("SELECT pg_sleep(0.01)") }
      try await Task.sleep(for: .milliseconds(turn % 20))
      running.cancel()
      _ = await running.result
      // A cancel request that came late would end this one.
      #expect(try await connection.query("SELECT pg_sleep(0.002)::text").count == 1)
    }
  }

  @Test func aSilentServerIsGivenUpWhenCancelled() async throws {
    let cluster = try await PostgresCluster.start()
    let connection = try await PostgresConnection.connect(to: cluster.conninfo())
    let pid = Int32(await connection.backendPID)
    let running = Task { try await connection.query("SELECT pg_sleep(60)") }
    try await Task.sleep(for: .milliseconds(200))
    kill(pid, SIGSTOP)
    defer { kill(pid, SIGCONT) }
    running.cancel()
    let start = ContinuousClock.now
    let result = await running.result
    #expect(throws: CancellationError.self) { try result.get() }
    #expect(ContinuousClock.now - start < .seconds(8))
    #expect(!connection.isUsable)
  }

  @Test func connectingIsBoundedAndCancellable() async throws {
    // A listener that never answers: libpq waits for its first byte.
    let silent = try SilentListener()
    let conninfo = "host=127.0.0.1 port=\(silent.port) dbname=x user=y"
    let start = ContinuousClock.now
    await #expect { try await PostgresConnection.connect(to: conninfo, within: .milliseconds(300)) } throws: { error in
      (error as? PostgresError)?.kind == .unreachable
    }
    let running = Task { try await PostgresConnection.connect(to: conninfo) }
    try await Task.sleep(for: .milliseconds(100))
    running.cancel()
    let result = await running.result
    #expect(throws: CancellationError.self) { try result.get() }
    await #expect { try await PostgresConnection.connect(to: conninfo + " connect_timeout=2") } throws: { error in
      (error as? PostgresError)?.kind == .unreachable
    }
    #expect(ContinuousClock.now - start < .seconds(6))
  }

  @Test func anUnreachableServerIsToldFromARefusal() async throws {
    let cluster = try await PostgresCluster.shared()
    await #expect { try await PostgresConnection.connect(to: "host=/nonexistent dbname=x") } throws: { error in
      (error as? PostgresError)?.kind == .unreachable
    }
    await #expect {
      try await PostgresConnection.connect(to: cluster.conninfo(database: "postgres", user: "nobody_here"))
    } throws: { error in
      (error as? PostgresError)?.kind == .permission
    }
  }

  @Test(arguments: [
    "postgresql://user:s3cr@t@127.0.0.1:1/db", "postgresql://user:s3c/r3t@127.0.0.1:1/db", "password=s3c r3t host=x",
    "host=127.0.0.1 port=1 password='s3cr3t", "postgresql://user:12/s3cr@t@h/db", "host=127.0.0.1 port=s3cr3t",
    "host=127.0.0.1 port=1 user=u password=s3cr3t dbname=d",
  ])
  func noErrorShowsAPassword(conninfo: String) async throws {
    do {
      _ = try await PostgresConnection.connect(to: conninfo)
      Issue.record("connected")
    } catch let error as PostgresError {
      for part in ["s3c", "r3t", "cr@t"] { #expect(!"\(error) \(error.detail ?? "")".contains(part), "\(error)") }
      #expect(error.message.count > 20)
    }
  }
}
