import ArgumentParser
import Conversions
import Foundation
import PartnersSandbox
import TestHosts

/// Measures the cost of a start with a long queue while the API is away, and compares it with what is promised.
struct OutageBenchmark: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "outage",
    abstract: "A start with a long queue while the API refuses connections, and the drain after.",
    discussion: """
      A ledger of a week ago with a queue, the shop's table with its orders, and an address that nobody listens at. The
      daemon's program is started on them as systemd would; then the API comes, without limits, and the arrivals are held
      against the order of the queue. Fails where a promise isn't kept.
      """)

  @Option(help: "Orders that are queued.") var orders = 100_000
  @Option(help: "Those of them that are no backfill's.") var live = 2500
  @Option(help: "For how many seconds the API is away.") var seconds = 60
  @Option(help: "Arrivals to wait for.") var drained = 5000
  @Option(help: "The ledger's folder, on the disk to be measured.") var folder = "/var/tmp"
  @Option(help: "The daemon's program.") var conversiond = RunningDaemon.program

  func run() async throws {
    let shop = try await QueuedShop(orders: orders, live: live, folder: folder)
    say("\(orders) orders queued a week ago, \(live) of them live, a ledger of \(shop.ledgerBytes >> 20) MiB")
    var promises = Promises()
    let manager = try NotifySocket(path: shop.folder.path("notify"))
    let began = ContinuousClock.now
    let daemon = try shop.start(conversiond, notifying: manager)
    do {
      guard await manager.hears("READY=1", within: .seconds(60)) else { throw TestHostError("never ready") }
      let ready = (ContinuousClock.now - began).inSeconds
      let status = try await firstStatus(shop)
      say(
        "exec to READY=1 \(ready.rounded3) s, to the first answer of status \((status - began).inSeconds.rounded3) s "
          + "after exec (\(try kilobytes(daemon)) kB resident at most by then)")
      promises.note(ready < 2, "from start to ready \(ready.rounded3) s, promised: under 2 s")
      try await watch(daemon, &promises)
      try await drain(shop, daemon, &promises)
      let kilobytes = try kilobytes(daemon)
      promises.note(kilobytes < 64 << 10, "\(kilobytes) kB resident at most in all, promised: under 65536 kB")
    } catch {
      say(daemon.standardError)
      daemon.signal(SIGKILL)
      _ = try await daemon.wait()
      try await shop.stop()
      throw error
    }
    daemon.signal(SIGTERM)
    _ = try await daemon.wait()
    try await shop.stop()
    if promises.areBroken { throw ExitCode.failure }
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

  /// Measures the cost of the outage while it lasts.
  private func watch(_ daemon: ChildProcess, _ promises: inout Promises) async throws {
    let before = try ProcessUsage(daemon.pid)
    var (after, counts) = (before, ThreadCounts(before))
    let began = ContinuousClock.now
    while ContinuousClock.now - began < .seconds(seconds) {
      try await Task.sleep(for: .milliseconds(10))
      after = try ProcessUsage(daemon.pid)
      counts.take(after)
    }
    let lines = daemon.errorLines
    say(
      "\(seconds) s without the API: \((Double(counts.wakeUps) / Double(seconds)).rounded3) wake-ups a second, "
        + "\((after.cpuTicks - before.cpuTicks) * 10) ms of CPU, \(after.peakResidentKiB) kB resident at most, "
        + "\(lines.count) lines of log:")
    for line in lines { say("  \(line.prefix(200))") }
    let told = lines.count(where: Self.tellsOfOutage)
    let expected = 1 + seconds / 900
    promises.note(
      told == expected, "\(told) lines about the outage, promised: one when it begins and one every 15 minutes")
  }

  /// Measures the pace, and checks the order, in which the queue is sent once the API is there.
  private func drain(_ shop: QueuedShop, _ daemon: ChildProcess, _ promises: inout Promises) async throws {
    let lines = daemon.errorLines.count
    let count = min(drained, orders)
    _ = try await shop.sandbox.start()
    let began = ContinuousClock.now
    // Sending is tried again within 15 minutes after a long outage.
    guard await eventually(within: .seconds(1000), { !shop.arrived.isEmpty }) else {
      throw TestHostError("nothing arrived")
    }
    let first = ContinuousClock.now
    guard await eventually(within: .seconds(240), { shop.arrived.count >= count }) else {
      throw TestHostError("only \(shop.arrived.count) arrived")
    }
    let seconds = (ContinuousClock.now - first).inSeconds
    say(
      "the API is there: first arrival after \((first - began).inSeconds.rounded3) s, \(count) in \(seconds.rounded3) s"
    )
    judge(Array(shop.arrived.prefix(count)), shop, &promises)
    let told = daemon.errorLines.dropFirst(lines).filter { !$0.contains("event=reported") }
    for line in told { say("  \(line.prefix(200))") }
    let (more, ends) = (
      told.count(where: Self.tellsOfOutage), told.count { $0.contains("_recovered") && $0.contains("works again") }
    )
    promises.note(
      more == 0 && ends == 1, "\(more) more lines about the outage and \(ends) about its end, promised: none and one")
  }

  /// Holds the arrivals against the queue.
  private func judge(_ arrived: [String], _ shop: QueuedShop, _ promises: inout Promises) {
    let displaced = zip(arrived, 0...).map { abs((shop.place[$0] ?? orders) - $1) }
    let most = displaced.max() ?? 0
    promises.note(
      most < PacingRules.inFlightMax,
      "\(displaced.count { $0 > 0 }) of \(arrived.count) not at their place in the queue, by \(most) at most, promised: "
        + "in order, but for the up to \(PacingRules.inFlightMax) that are under way together")
    let numbers = arrived.compactMap { Int($0) }
    let ofBackfill = numbers.firstIndex { !shop.isLive($0) } ?? numbers.count
    let stragglers = numbers[ofBackfill...].dropFirst(PacingRules.inFlightMax).count(where: shop.isLive)
    promises.note(
      stragglers == 0,
      "\(ofBackfill) live orders before the first of the backfill, \(numbers.count { !shop.isLive($0) }) of which "
        + "arrived; promised: live before backfill, within those under way together")
    let twice = arrived.count - Set(arrived).count
    promises.note(twice == 0, "\(twice) arrived twice, promised: none")
  }

  private static func tellsOfOutage(_ line: String) -> Bool {
    ["event=mirror_failed", "event=deferred", "event=api_halted"].contains { line.contains($0) }
  }
}

/// Promises, and whether they were kept.
private struct Promises {
  private(set) var areBroken = false

  /// Tells of one.
  mutating func note(_ isKept: Bool, _ words: String) {
    say("\(isKept ? "kept:  " : "BROKEN:") \(words)")
    if !isKept { areBroken = true }
  }
}
