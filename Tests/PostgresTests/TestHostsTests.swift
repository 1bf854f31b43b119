import Foundation
import TestHosts
import Testing

/// Tests the helpers that the other suites rely on.
@Suite struct TestHostsTests {
  @Test func aClusterGivesEachTestADatabaseOfItsOwn() async throws {
    let cluster = try await PostgresCluster.shared()
    let (one, two) = (try await cluster.createDatabase(), try await cluster.createDatabase(encoding: "LATIN1"))
    try await one.execute("CREATE TABLE t AS SELECT 1 AS a")
    #expect(try await one.execute("SELECT a FROM t") == "1")
    #expect(try await two.execute("SHOW server_encoding") == "LATIN1")
    await #expect(throws: TestHostError.self) { try await two.execute("SELECT a FROM t") }
  }

  @Test(arguments: [PostgresCluster.StopMode.fast, .immediate])
  func aClusterRestarts(mode: PostgresCluster.StopMode) async throws {
    let cluster = try await PostgresCluster.start(listensOnLoopback: true)
    let before = cluster.serverPID
    try await cluster.restart(mode)
    #expect(cluster.serverPID != before)
    #expect(try await cluster.database("postgres").execute("SHOW listen_addresses") == "127.0.0.1")
    try await cluster.stop()
    #expect(cluster.serverPID == nil)
  }

  @Test func aChildProcessIsHeardSignalledAndWaitedFor() async throws {
    let child = try ChildProcess(
      "/bin/sh", ["-c", "trap 'echo got it; exit 7' TERM; echo ready >&2; while :; do sleep 0.05; done"])
    #expect(await eventually { child.errorLines == ["ready"] })
    #expect(child.end == nil)
    child.signal(SIGTERM)
    #expect(try await child.wait() == .exited(7))
    #expect(child.outputLines == ["got it"])
  }

  @Test func aChildProcessThatDoesNotEndIsKilledWithItsChildren() async throws {
    let child = try ChildProcess("/bin/sh", ["-c", "sleep 600 & echo $!; wait"])
    await #expect(throws: TestHostError.self) { try await child.wait(within: .milliseconds(200)) }
    let grandchild = try #require(Int32(child.outputLines[0]))
    #expect(await eventually { kill(grandchild, 0) != 0 })
  }
}
