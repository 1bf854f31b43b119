import ArgumentParser
import Foundation
import TestHosts

/// What the daemon costs while nothing happens.
struct IdleBenchmark: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "idle", abstract: "What the daemon costs while nothing happens.",
    discussion: "Wake-ups are voluntary context switches of all its threads (proc(5)).")

  @Option(help: "How many orders the shop has.") var orders = 1000
  @Option(help: "For how many seconds to look.") var seconds = 60
  @Option(help: "The daemon's program.") var conversiond = RunningDaemon.program

  func run() async throws {
    let running = try await RunningDaemon(program: conversiond, rows: orders, pollInterval: "5s", notifies: false)
    try await Task.sleep(for: .seconds(20))
    let before = try ProcessUsage(running.daemon.pid)
    try await Task.sleep(for: .seconds(seconds))
    let after = try ProcessUsage(running.daemon.pid)
    // Threads that ended meanwhile are left out on either side.
    let woken = after.switchesPerThread.map { (name: $0, count: $1 - (before.switchesPerThread[$0] ?? 0)) }
    let perSecond = Double(woken.map(\.count).reduce(0, +)) / Double(seconds)
    say(
      "idle, \(orders) orders, polled every 5 s: \(perSecond.rounded3) wake-ups a second, "
        + "\(Double((after.cpuTicks - before.cpuTicks) * 10).rounded3) ms of CPU in \(seconds) s, "
        + "\(after.peakResidentKiB) kB resident at most")
    for (name, count) in woken.sorted(by: { $0.name < $1.name }) { say("  thread \(name): \(count)") }
    try await running.stop()
  }
}
