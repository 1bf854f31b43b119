import Foundation

/// The time, switches and memory that a process has used so far (proc_pid_stat(5), proc_pid_status(5)).
public struct ProcessUsage: Sendable {
  /// User and system time, in hundredths of a second.
  public let cpuTicks: Int
  /// Voluntary context switches of each thread, by its number and name.
  public let switchesPerThread: [String: Int]
  /// The memory that is resident now.
  public let residentKiB: Int
  /// The most that was ever resident.
  public let peakResidentKiB: Int

  /// Voluntary context switches of all its threads.
  public var switches: Int { switchesPerThread.values.reduce(0, +) }

  /// This process's use.
  public static var ofThisProcess: ProcessUsage {
    get throws { try ProcessUsage(getpid()) }
  }

  /// Reads a process's use.
  public init(_ pid: Int32) throws {
    let stat = try String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)
    // The name, in parentheses, may hold anything; fields 14 and 15 are the times.
    let fields = stat.split(separator: ")").last?.split(separator: " ") ?? []
    guard fields.count > 12, let user = Int(fields[11]), let system = Int(fields[12]) else {
      throw TestHostError("/proc/\(pid)/stat is not understood: \(stat)")
    }
    cpuTicks = user + system
    let status = Self.fields(ofFile: "/proc/\(pid)/status")
    residentKiB = Self.number(status["VmRSS"])
    peakResidentKiB = Self.number(status["VmHWM"])
    let threads = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/task")
    switchesPerThread = threads.reduce(into: [:]) { result, thread in
      // Of a thread that has ended meanwhile nothing is left.
      let status = Self.fields(ofFile: "/proc/\(pid)/task/\(thread)/status")
      result["\(thread) \(status["Name"] ?? "?")"] = Self.number(status["voluntary_ctxt_switches"])
    }
  }

  private static func fields(ofFile path: String) -> [String: String] {
    let lines = ((try? String(contentsOfFile: path, encoding: .utf8)) ?? "").split(separator: "\n")
    return lines.reduce(into: [:]) { fields, line in
      guard let colon = line.firstIndex(of: ":") else { return }
      fields[String(line[..<colon])] = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
    }
  }

  private static func number(_ value: String?) -> Int {
    value.flatMap { $0.split(separator: " ").first }.flatMap { Int($0) } ?? 0
  }
}
