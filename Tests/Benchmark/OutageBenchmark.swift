import ArgumentParser
import Conversions
import Foundation
import PartnersSandbox
import TestHosts

/// What a long queue and an API that is away cost at a start.
struct OutageBenchmark: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "outage",
    abstract: "A start with a long queue while the API refuses connections, and the drain after.",
    discussion: """
      A ledger with a queue, the shop's table with its orders, and an address that nobody listens at. The daemon's program
      is started on them as systemd would; then the API comes, without limits, and the arrivals are held against the
      order of the queue.
      """)

  @Option(help: "How many orders are queued, half of them a backfill's.") var orders = 100_000
  @Option(help: "For how many seconds the API is away.") var seconds = 60
  @Option(help: "How many arrivals to wait for.") var drained = 5000
  @Option(help: "The ledger's folder, on the disk to be measured.") var folder = "/var/tmp"
  @Option(help: "The daemon's program.") var conversiond = RunningDaemon.program

  func run() async throws {
    let shop = try await QueuedShop(orders: orders, folder: folder)
    say("\(orders) orders queued, a ledger of \(shop.ledgerBytes >> 20) MiB")
    let manager = try NotifySocket(path: shop.folder.path("notify"))
    let began = ContinuousClock.now
    let daemon = try shop.start(conversiond, notifying: manager)
    guard await manager.hears("READY=1", within: .seconds(60)) else {
      throw TestHostError("the daemon was never ready: \(daemon.standardError)")
    }
    let ready = (ContinuousClock.now - began).inSeconds
    let status = try await firstStatus(shop)
    say(
      "exec to READY=1 \(ready.rounded3) s, to the first answer of status "
        + "\((status - began).inSeconds.rounded3) s after exec (\(try kilobytes(daemon)) kB resident at most by then)")
    try await watch(daemon)
    try await drain(shop, daemon)
    daemon.signal(SIGTERM)
    _ = try await daemon.wait()
    try await shop.stop()
  }

  private func firstStatus(_ shop: QueuedShop) async throws -> ContinuousClock.Instant {
    while true {
      let result = try await ChildProcess.run(
        conversiond, ["status", "--json", "--config", shop.configuration], environment: shop.environment)
      if result.output.contains("\"running\"") { return .now }
      guard result.end == .exited(75) || result.end == .exited(3) else { throw TestHostError(result.errors) }
    }
  }

  private func kilobytes(_ daemon: ChildProcess) throws -> Int { try ProcessUsage(daemon.pid).peakResidentKiB }

  /// What the outage costs while it lasts.
  private func watch(_ daemon: ChildProcess) async throws {
    let before = try ProcessUsage(daemon.pid)
    var (after, counts) = (before, ThreadCounts(before))
    let began = ContinuousClock.now
    while ContinuousClock.now - began < .seconds(seconds) {
      try await Task.sleep(for: .milliseconds(10))
      after = try ProcessUsage(daemon.pid)
      counts.take(after)
    }
    say(
      "\(seconds) s without the API: \((Double(counts.wakeUps) / Double(seconds)).rounded3) wake-ups a second, "
        + "\((after.cpuTicks - before.cpuTicks) * 10) ms of CPU, \(after.peakResidentKiB) kB resident at most, "
        + "\(daemon.errorLines.count) lines of log:")
    for line in daemon.errorLines { say("  \(line.prefix(200))") }
  }

  /// How fast, and in what order, the queue goes out once the API is there.
  private func drain(_ shop: QueuedShop, _ daemon: ChildProcess) async throws {
    let lines = daemon.errorLines.count
    _ = try await shop.sandbox.start()
    let began = ContinuousClock.now
    guard await eventually(within: .seconds(600), { !shop.arrived.isEmpty }) else {
      throw TestHostError("nothing arrived: \(daemon.standardError.suffix(2000))")
    }
    let first = ContinuousClock.now
    guard await eventually(within: .seconds(600), { shop.arrived.count >= min(drained, orders) }) else {
      throw TestHostError("only \(shop.arrived.count) arrived: \(daemon.standardError.suffix(2000))")
    }
    let seconds = (ContinuousClock.now - first).inSeconds
    let arrived = Array(shop.arrived.prefix(drained))
    let displaced = zip(arrived, 0...).map { abs((shop.place[$0] ?? orders) - $1) }
    say(
      "the API is there: first arrival after \((first - began).inSeconds.rounded3) s, \(drained) in "
        + "\(seconds.rounded3) s; \(displaced.count { $0 > 0 }) not at their place in the queue, by \(displaced.max() ?? 0) "
        + "at most; \(arrived.count - Set(arrived).count) twice; \(try kilobytes(daemon)) kB resident at most")
    for line in daemon.errorLines.dropFirst(lines) where !line.contains("event=reported") {
      say("  \(line.prefix(200))")
    }
  }
}
