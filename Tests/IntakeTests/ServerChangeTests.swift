import Conversions
import Foundation
import Ledger
import LoopFixtures
import Orders
import Pipeline
import Postgres
import TestHosts
import Testing

/// Another server than before, or the same one set back: transaction numbers are given out anew.
@Suite(.serialized) struct ServerChangeTests {
  private func insert(_ email: String) -> String { "INSERT INTO orders (email) VALUES ('\(email)@example.com');" }

  @Test func transactionNumbersThatWrapAround() async throws {
    let cluster = try await PostgresCluster.start()
    let world = try await IntakeWorld.make(IntakeWorld.table + insert("old"), cluster: cluster)
    // Frozen, so that no row's number lies in the future after the leap (PostgreSQL manual, 25.1.5).
    try await cluster.database("postgres").execute("ALTER DATABASE template0 ALLOW_CONNECTIONS true")
    for name in ["postgres", "template0", "template1", world.database.name] {
      try await cluster.database(name).execute("VACUUM (FREEZE)")
    }
    try await cluster.stop()
    try await cluster.run("pg_resetwal", ["-x", "4294967200", "-u", "4294967190", "-e", "1", cluster.data])
    // The status file of the numbers before 2^32; the leap has passed over its beginning.
    try cluster.writeZeros(262_144, to: "pg_xact/0FFF")
    try await cluster.start()
    try await world.run {
      try await world.holds(["1"])
      let mark = try #require(try await world.ranges().first?.mark)
      var expected: Set = ["1"]
      for number in 2...8 {
        for _ in 0..<40 { try await world.sql("SELECT pg_current_xact_id()") }
        try await world.sql(insert("new\(number)"))
        expected.insert(String(number))
        try await world.holds(expected)
      }
      // Numbers as rows hold them went round, those that count epochs did not.
      let versions = try await world.sql(
        "SELECT (max(xmin::text::bigint) > 4294967000)::text || (min(xmin::text::bigint) < 1000)::text FROM orders WHERE id > 1"
      )
      #expect(versions == "truetrue")
      #expect(try await UInt64(world.sql("SELECT pg_current_xact_id()")) ?? 0 > 2 << 32)
      let naive = try await world.sql(
        "SELECT count(*) FROM orders WHERE id > 1 AND xmin::text::bigint >= \(UInt64(mark) ?? 0) % 4294967296")
      #expect(Int(naive) ?? 0 < 7)
      // Expects no order that did not change to be read again.
      let before = world.source.sweptSizes.count
      try await world.sweeps(3)
      #expect(world.source.sweptSizes[before...].dropFirst().allSatisfy { $0 == 0 })
    }
  }

  @Test func aBackendThatWasKilledAndNumbersGivenOutAgain() async throws {
    // The server recovers under the same postmaster: numbers of transactions that were rolled back are used again.
    let cluster = try await PostgresCluster.start()
    let world = try await IntakeWorld.make(IntakeWorld.table + insert("a") + "CHECKPOINT;", cluster: cluster)
    func started() async throws -> String { try await world.sql("SELECT pg_postmaster_start_time()") }
    try await world.run {
      try await world.catchesUp()
      try await world.holds(["1"])
      for _ in 0..<60 { try await world.sql("BEGIN; SELECT pg_current_xact_id(); ROLLBACK") }
      try await world.sweeps(2)
      let (since, seen) = (try await started(), try await world.progress().identity)
      let victim = Task { try? await cluster.database("postgres").execute("SELECT pg_sleep(600)") }
      var pid: Int32?
      let find = "SELECT pid FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(600)'"
      #expect(
        await eventually {
          pid = (try? await cluster.database("postgres").execute(find)).flatMap { Int32($0) }
          return pid != nil
        })
      kill(try #require(pid), SIGKILL)
      _ = await victim.value
      #expect(await eventually { (try? await world.sql("SELECT 1")) == "1" })
      #expect(try await started() == since, "the same postmaster")
      for number in 0..<70 { try await world.sql(insert("after\(number)")) }
      let count = try await world.sql("SELECT count(*) FROM orders")
      try await world.reaches(within: .seconds(40)) { try await String(world.keys().count) == count }
      #expect(try await world.progress().identity != seen)
    }
  }

  @Test func aFailoverToAStandbyThatLagged() async throws {
    let primary = try await PostgresCluster.start()
    let standby = try await primary.startStandby()
    let both =
      "host=\(primary.folder.path),\(standby.folder.path) port=5432,5432 target_session_attrs=read-write user=postgres"
    let world = try await IntakeWorld.make(IntakeWorld.table + insert("a"), cluster: primary) { mapping in
      mapping.connection =
        "\(both) dbname=\(mapping.connection.split(separator: "dbname=")[1].split(separator: " ")[0])"
    }
    let copy = standby.database(world.database.name)
    #expect(await eventually { (try? await copy.execute("SELECT count(*) FROM orders")) == "1" })
    try await world.run {
      try await world.catchesUp()
      try await world.holds(["1"])
      // Makes changes that never reach the standby, and that our marks count.
      try await copy.execute("SELECT pg_wal_replay_pause()")
      for _ in 0..<30 { try await world.sql("SELECT pg_current_xact_id()") }
      try await world.sql(insert("lost"))
      try await world.holds(["1", "2"])
      try await world.sweeps(2)
      let mark = try #require(try await world.ranges().compactMap { $0.mark.flatMap { UInt64($0) } }.max())
      try await primary.stop(.immediate)
      try await standby.restart(.immediate)
      try await copy.execute("SELECT pg_promote(true, 30)")
      try await copy.execute("UPDATE orders SET total = 5 WHERE id = 1;" + insert("c"))
      let naive = "SELECT count(*) FROM orders WHERE xmin::text::bigint >= \(mark)"
      if try await copy.execute("SELECT count(*) FROM orders") == "2" { #expect(try await copy.execute(naive) == "0") }
      try await world.reaches(within: .seconds(40)) {
        try await world.held().values.contains { $0.order?.email?.text == "c@example.com" }
      }
      try await world.reaches { try await world.order("1")?.order?.total == .amount("5.00", currency: "EUR") }
      #expect(world.lines.of(.tableChanged).count >= 1)
    }
    withExtendedLifetime((primary, standby)) {}
  }

  @Test func aCrashThatGivesNumbersOutAgain() async throws {
    let cluster = try await PostgresCluster.start(settings: ["synchronous_commit": "off", "wal_writer_delay": "10s"])
    let world = try await IntakeWorld.make(IntakeWorld.table + insert("a"), cluster: cluster)
    try await cluster.database("postgres").execute("CHECKPOINT")
    try await world.run {
      try await world.holds(["1"])
      for _ in 0..<30 { try await world.sql("SELECT pg_current_xact_id()") }
      try await world.sql(insert("lost"))
      try await world.holds(["1", "2"])
      try await world.sweeps(2)
      let mark = try #require(try await world.ranges().compactMap { $0.mark.flatMap { UInt64($0) } }.max())
      try await cluster.restart(.immediate)
      try await world.sql("UPDATE orders SET total = 5 WHERE id = 1;" + insert("c"))
      // The crash took the second order, and the new ones have numbers that were seen before.
      let isLost = try await world.sql("SELECT count(*) FROM orders WHERE email LIKE 'lost%'") == "0"
      if isLost {
        #expect(try await world.sql("SELECT count(*) FROM orders WHERE xmin::text::bigint >= \(mark)") == "0")
      }
      try await world.reaches { try await world.held().values.contains { $0.order?.email?.text == "c@example.com" } }
      try await world.reaches { try await world.order("1")?.order?.total == .amount("5.00", currency: "EUR") }
    }
  }

  @Test func aServerThatWasRestartedIsNoOther() async throws {
    let cluster = try await PostgresCluster.start()
    let world = try await IntakeWorld.make(IntakeWorld.table + insert("a"), cluster: cluster)
    try await world.run {
      try await world.holds(["1"])
      try await world.catchesUp()
      try await cluster.restart()
      try await world.sql(insert("b"))
      try await world.holds(["1", "2"])
      let told = world.lines.of(.following).filter { $0.reason == "server_restarted" }
      #expect(told.count == 1 && told[0].message.contains("the database server was restarted"))
      #expect(world.lines.of(.tableChanged).isEmpty)
    }
  }

  @Test func aBackupThatWasRestored() async throws {
    let cluster = try await PostgresCluster.start()
    var world = try await IntakeWorld.make(IntakeWorld.table + insert("a"), cluster: cluster)
    try await cluster.stop()
    try await cluster.keepData()
    try await cluster.start()
    try await world.run {
      for _ in 0..<50 { try await world.sql("SELECT pg_current_xact_id()") }
      try await world.sql(insert("b"))
      try await world.holds(["1", "2"])
      try await world.catchesUp()
    }
    let entry = try #require(try await world.order("2")?.entry)
    // It was reported, before the shop went back to its backup.
    let reported = try #require(try await world.order("2")?.order)
    try await world.ledger.transaction { transaction in
      let report = ConversionReport(
        referralID: ReferralID("r"), transactionID: reported.transactionID, value: 1000, body: [])
      let number = try transaction.beginSend(entry, report, at: SystemClock().now)
      let attempt = Attempt(
        number: number, startedAt: SystemClock().now, duration: nil, httpStatus: 200, verdict: "reported", detail: nil)
      try transaction.finishSend(
        entry, report, attempt: attempt, result: SendResult(next: .reported, isUnknown: false, counts: true),
        at: SystemClock().now)
    }
    try await cluster.stop()
    try await cluster.restoreData()
    try await cluster.start()
    world = try world.restarted()
    try await world.run {
      try await world.sql("UPDATE orders SET total = 7 WHERE id = 1;")
      try await world.reaches { try await world.order("1")?.order?.total == .amount("7.00", currency: "EUR") }
      #expect(world.lines.of(.tableChanged).count == 1)
      // The next order gets the number of one that was reported.
      try await world.sql(insert("another"))
      try await world.reaches { try await world.order("2")?.outcome == .review }
      #expect(try await world.order("2")?.reason == ReviewReason.idReused.rawValue)
      #expect(world.lines.of(.review).contains { $0.reason == "id_reused" })
    }
  }

  @Test func aDumpRestoredUnderTheSameName() async throws {
    let world = try await IntakeWorld.make(IntakeWorld.table + insert("a") + insert("b"))
    let cluster = world.database.cluster
    let name = world.database.name
    try await world.run {
      try await world.holds(["1", "2"])
      let file = cluster.folder.path("\(name).sql")
      let server = ["-h", cluster.folder.path, "-p", String(cluster.port), "-U", "postgres"]
      try await cluster.run("pg_dump", server + ["-f", file, name])
      try await cluster.run("dropdb", server + ["--force", name])
      try await cluster.run("createdb", server + [name])
      try await cluster.run("psql", server + ["-q", "-X", "-d", name, "-f", file])
      try await world.sql("UPDATE orders SET total = 7 WHERE id = 1;" + insert("c"))
      try await world.holds(["1", "2", "3"])
      try await world.reaches { try await world.order("1")?.order?.total == .amount("7.00", currency: "EUR") }
      #expect(world.lines.of(.tableChanged).count >= 1)
    }
  }

  @Test func aTableThatWasTruncated() async throws {
    let world = try await IntakeWorld.make(IntakeWorld.table + insert("a") + insert("b"))
    try await world.run {
      try await world.holds(["1", "2"])
      try await world.sql("TRUNCATE orders RESTART IDENTITY; " + insert("c"))
      try await world.reaches { try await world.order("1")?.order?.email?.text == "c@example.com" }
      #expect(world.lines.of(.tableChanged).count >= 1)
    }
  }
}
