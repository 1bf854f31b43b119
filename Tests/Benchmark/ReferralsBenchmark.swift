import ArgumentParser
import Conversions
import Ledger
import TestHosts

/// Measures the memory that a large mirror costs.
struct ReferralsBenchmark: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "referrals", abstract: "The memory that a large mirror of referrals takes.",
    discussion: "Fills a ledger with referrals, opens it anew in this process, and compares what is resident.")

  @Option(help: "Referrals that the ledger knows.") var referrals = 1_000_000
  @Option(help: "The ledger's folder.") var folder = "/var/tmp"
  @Option(help: .hidden) var ledger: String?

  func run() async throws {
    guard ledger == nil else { return try await measure() }
    let home = try TemporaryFolder("benchmark", in: folder)
    let path = home.path("ledger.sqlite")
    say("a ledger that knows \(referrals) referrals")
    try await BenchmarkShop.makeLedger(path, referrals: referrals, orders: referrals * 32)
    // In a process of its own: what filling it took is not what it costs.
    let result = try await ChildProcess.run(
      CommandLine.arguments[0], ["referrals", "--referrals", String(referrals), "--ledger", path],
      within: .seconds(300))
    guard result.end == .exited(0) else { throw ValidationError(result.errors) }
    say(result.output)
  }

  private func measure() async throws {
    let before = try ProcessUsage.ofThisProcess.residentKiB
    let store = try SQLiteLedger(path: ledger ?? "")
    let known = try await store.knownKeys()
    let after = try ProcessUsage.ofThisProcess.residentKiB
    let isKnown = known.mayHoldReferral(KeyHash.of("friend1@example.com"))
    say(
      "\(referrals) referrals: \(after - before) kB more resident, "
        + "\((Double((after - before) * 1024) / Double(referrals)).rounded3) bytes each\(isKnown ? "" : " (and none known)")"
    )
    try store.close()
  }
}
