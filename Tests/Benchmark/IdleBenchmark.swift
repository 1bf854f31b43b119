import ArgumentParser
import Foundation
import TestHosts

/// Measures the daemon's cost while nothing happens.
struct IdleBenchmark: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "idle", abstract: "The daemon's cost while nothing happens.",
    discussion: """
      A wake-up is when some thread of the daemon ran in a hundredth of a second after one in which none did. The acts
      of its threads then, waking each other and waiting for the database, are switches: voluntary context switches
      (proc(5)). One wake-up a second is libdispatch's own: it looks after its threads (its source, \
      _dispatch_workq_monitor_pools).
      """)

  @Option(help: "Orders that the shop has.") var orders = 1000
  @Option(help: "For how many seconds to look.") var seconds = 60
  @Option(help: "The daemon's program.") var conversiond = RunningDaemon.program

  func run() async throws {
    let running = try await RunningDaemon(program: conversiond, rows: orders, pollInterval: "5s", notifies: false)
    try await Task.sleep(for: .seconds(20))
    let before = try ProcessUsage(running.daemon.pid)
    var after = before
    var counts = ThreadCounts(before)
    let began = ContinuousClock.now
    while ContinuousClock.now - began < .seconds(seconds) {
      try await Task.sleep(for: .milliseconds(10))
      after = try ProcessUsage(running.daemon.pid)
      counts.take(after)
    }
    func perSecond(_ count: Int) -> Double { (Double(count) / Double(seconds)).rounded3 }
    say(
      "idle, \(orders) orders, polled every 5 s: \(perSecond(counts.wakeUps)) wake-ups and \(perSecond(counts.switches)) "
        + "switches a second, \(Double((after.cpuTicks - before.cpuTicks) * 10).rounded3) ms of CPU in \(seconds) s, "
        + "\(after.peakResidentKiB) kB resident at most")
    for (name, count) in counts.perThread.sorted(by: { $0.key < $1.key }) { say("  thread \(name): \(count)") }
    try await running.stop()
  }
}

/// Counts the switches away from each thread since the beginning, also of those that have ended meanwhile.
struct ThreadCounts {
  private let first: [String: Int]
  private(set) var perThread: [String: Int] = [:]
  private(set) var wakeUps = 0
  private var isAwake = false
  var switches: Int { perThread.values.reduce(0, +) }

  init(_ before: ProcessUsage) { first = before.switchesPerThread }

  mutating func take(_ usage: ProcessUsage) {
    let earlier = perThread
    for (name, count) in usage.switchesPerThread { perThread[name] = count - (first[name] ?? 0) }
    let ran = perThread != earlier
    if ran, !isAwake { wakeUps += 1 }
    isAwake = ran
  }
}
