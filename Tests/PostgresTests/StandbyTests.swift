import Postgres
import TestHosts
import Testing

@Suite struct StandbyTests {
  @Test func aStandbyShowsWhatThePrimaryCommitsAlsoAfterRestarts() async throws {
    let primary = try await PostgresCluster.start()
    let database = try await primary.createDatabase()
    try await database.execute("CREATE TABLE t (n int); INSERT INTO t VALUES (1)")
    let standby = try await primary.startStandby()
    let copy = standby.database(database.name)
    #expect(try await copy.execute("SELECT pg_is_in_recovery(), n FROM t") == "t|1")
    try await primary.restart(.immediate)
    try await standby.restart(.fast)
    try await database.execute("INSERT INTO t VALUES (2)")
    #expect(try await eventually(within: .seconds(20)) { try await copy.execute("SELECT max(n) FROM t") == "2" })
    try await standby.stop()
    try await primary.stop()
  }
}
