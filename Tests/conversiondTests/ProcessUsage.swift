import Foundation
import TestHosts

/// What a process has used so far (proc_pid_stat(5), proc_pid_status(5)).
struct ProcessUsage {
  /// User and system time, in hundredths of a second.
  let cpuTicks: Int
  /// Voluntary context switches of all its threads.
  let switches: Int
  let residentKiB: Int

  init(_ pid: Int32) throws {
    let stat = try String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)
    // The name, in parentheses, may hold anything; fields 14 and 15 are the times.
    let fields = stat.split(separator: ")").last?.split(separator: " ") ?? []
    guard fields.count > 12, let user = Int(fields[11]), let system = Int(fields[12]) else {
      throw TestHostError("/proc/\(pid)/stat is not understood: \(stat)")
    }
    cpuTicks = user + system
    residentKiB = Self.number("VmRSS", in: "/proc/\(pid)/status")
    let threads = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/task")
    switches = threads.reduce(0) { $0 + Self.number("voluntary_ctxt_switches", in: "/proc/\(pid)/task/\($1)/status") }
  }

  private static func number(_ name: String, in file: String) -> Int {
    // Of a thread that has ended meanwhile nothing is left.
    let text = (try? String(contentsOfFile: file, encoding: .utf8)) ?? ""
    let line = text.split(separator: "\n").first { $0.hasPrefix(name + ":") }
    return line.flatMap { $0.split(whereSeparator: \.isWhitespace).dropFirst().first }.flatMap { Int($0) } ?? 0
  }
}
