import Dispatch
import Glibc

/// The descriptors behind every sleep: libdispatch makes one for each of its clocks (timerfd_create(2)) when that clock
/// is first needed, and keeps it. Where none is free at that moment it says nothing, and the sleep never ends.
enum TimerDescriptors {
  /// Makes them, before anything else can use up what there is.
  ///
  /// - Throws: `CommandFailure` where there are not enough.
  static func make() async throws {
    try makeSure(of: 6)
    await withCheckedContinuation { continuation in
      DispatchQueue.global().asyncAfter(wallDeadline: .now() + .milliseconds(1)) { continuation.resume() }
    }
    await withCheckedContinuation { continuation in
      DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(1)) { continuation.resume() }
    }
    try await Task.sleep(for: .milliseconds(1), clock: .continuous)
    try await Task.sleep(for: .milliseconds(1), clock: .suspending)
  }

  /// Without them the sleeps below would be the first that never end.
  private static func makeSure(of count: Int) throws {
    let descriptors = (0..<count).map { _ in unsafe open("/dev/null", O_RDONLY | O_CLOEXEC) }
    let reason = errno
    for descriptor in descriptors where descriptor >= 0 { close(descriptor) }
    guard descriptors.contains(where: { $0 < 0 }) else { return }
    let words = unsafe String(cString: strerror(reason))
    throw CommandFailure(.tryAgain, "no file descriptors are free: \(words); see LimitNOFILE= and ulimit -n")
  }
}
