import Dispatch
import Foundation
import Glibc

/// The descriptors behind every sleep: libdispatch makes one for each of its clocks (timerfd_create(2)) when that clock
/// is first needed, and keeps it. If none is free at that moment it says nothing, and the sleep never ends.
enum TimerDescriptors {
  /// The descriptors that a daemon opens at its start: timers, signals, the ledger, the control socket, the database
  /// and the API. One that began with fewer might not even get SIGTERM, whose descriptor is made by libdispatch, too.
  private static let leastFree = 40
  /// The number of libdispatch's clocks, and of the looks at whether each has its descriptor, one every 20 ms.
  private static let (clocks, looks) = (3, 250)

  /// Makes them, before anything else can use up what there is.
  ///
  /// - Throws: `CommandFailure` where there are not enough.
  static func make() async throws {
    try makeSure(of: leastFree)
    // Makes timers due in 30 years: one that is over before libdispatch comes to it makes no descriptor.
    // Stays below the year 2116: a later wall-clock time counts as never, and gets no timer (libdispatch,
    // DISPATCH_TIME_MAX_VALUE).
    let never = 30 * 365 * 86_400
    DispatchQueue.global().asyncAfter(deadline: .now() + .seconds(never)) {}
    DispatchQueue.global().asyncAfter(wallDeadline: .now() + .seconds(never)) {}
    Task.detached { try await Task.sleep(for: .seconds(never), clock: .continuous) }
    // Waits behind them in each clock's queue.
    await withCheckedContinuation { continuation in
      DispatchQueue.global().asyncAfter(wallDeadline: .now() + .milliseconds(20)) { continuation.resume() }
    }
    try await Task.sleep(for: .milliseconds(20), clock: .continuous)
    try await Task.sleep(for: .milliseconds(20), clock: .suspending)
    // A busy host may let libdispatch come to the last of them only later.
    for _ in 0..<looks where made() < clocks { try await Task.sleep(for: .milliseconds(20), clock: .suspending) }
  }

  /// Counts those that are made; returns `clocks` where that can't be told.
  private static func made() -> Int {
    let folder = "/proc/self/fd"
    guard let names = try? FileManager.default.contentsOfDirectory(atPath: folder) else { return clocks }
    return names.count { name in
      (try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\(name)"))?.contains("timerfd") == true
    }
  }

  /// Makes sure that descriptors are free: without them the sleeps in `make` would be the first that never end.
  private static func makeSure(of count: Int) throws {
    let descriptors = (0..<count).map { _ in unsafe open("/dev/null", O_RDONLY | O_CLOEXEC) }
    let reason = errno
    for descriptor in descriptors where descriptor >= 0 { close(descriptor) }
    guard descriptors.contains(where: { $0 < 0 }) else { return }
    let words = unsafe String(cString: strerror(reason))
    throw CommandFailure(.tryAgain, "no file descriptors are free: \(words); see LimitNOFILE= and ulimit -n")
  }
}
