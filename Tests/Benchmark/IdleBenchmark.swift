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
    let before = Usage(running.daemon.pid)
    try await Task.sleep(for: .seconds(seconds))
    let after = Usage(running.daemon.pid)
    let perSecond = Double(after.switches - before.switches) / Double(seconds)
    say(
      "idle, \(orders) orders, polled every 5 s: \(perSecond.rounded3) wake-ups a second, "
        + "\(Double((after.ticks - before.ticks) * 10).rounded3) ms of CPU in \(seconds) s, "
        + "\(after.peak) kB resident at most")
    for (name, count) in after.perThread.sorted(by: { $0.key < $1.key }) {
      say("  thread \(name): \(count - (before.perThread[name] ?? 0))")
    }
    try await running.stop()
  }
}

/// What a process has used so far (proc_pid_stat(5), proc_pid_status(5)).
private struct Usage {
  let ticks: Int
  let peak: Int
  let perThread: [String: Int]
  var switches: Int { perThread.values.reduce(0, +) }

  init(_ pid: Int32) {
    func text(_ file: String) -> String { (try? String(contentsOfFile: file, encoding: .utf8)) ?? "" }
    func number(_ name: String, _ text: String) -> Int {
      let line = text.split(separator: "\n").first { $0.hasPrefix(name + ":") }
      return line.flatMap { $0.split(whereSeparator: \.isWhitespace).dropFirst().first }.flatMap { Int($0) } ?? 0
    }
    // The name, in parentheses, may hold anything; fields 14 and 15 are the times.
    let fields = text("/proc/\(pid)/stat").split(separator: ")").last?.split(separator: " ") ?? []
    ticks = fields.count > 12 ? (Int(fields[11]) ?? 0) + (Int(fields[12]) ?? 0) : 0
    peak = number("VmHWM", text("/proc/\(pid)/status"))
    let threads = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/task")) ?? []
    perThread = threads.reduce(into: [:]) { result, thread in
      let status = text("/proc/\(pid)/task/\(thread)/status")
      let name = status.split(separator: "\n").first?.split(separator: "\t").last.map(String.init) ?? "?"
      result["\(thread) \(name)"] = number("voluntary_ctxt_switches", status)
    }
  }
}
