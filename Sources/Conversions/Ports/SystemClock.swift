import Glibc

/// The host's own clocks.
public struct SystemClock: HostClock {
  /// Makes the host's own clocks.
  public init() {}

  /// CLOCK_REALTIME.
  public var now: Timestamp { Timestamp(microseconds: read(CLOCK_REALTIME).wholeMicroseconds) }

  /// CLOCK_BOOTTIME.
  public var uptime: Duration { read(CLOCK_BOOTTIME) }

  /// Sleeps on the runtime's continuous clock, which counts suspended time, too.
  public func sleep(until deadline: Duration) async throws {
    let remaining = deadline - uptime
    guard remaining > .zero else { return try Task.checkCancellation() }
    try await Task.sleep(for: remaining, clock: .continuous)
  }

  /// The kernel's ID of this boot (random(4)); where it can't be read, another text for each process.
  public static let bootID: String = {
    let descriptor = unsafe open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC)
    let unknown = "unknown-\(UInt64.random(in: .min ... .max))"
    guard descriptor >= 0 else { return unknown }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: 36)
    let count = unsafe Glibc.read(descriptor, &bytes, bytes.count)
    return count == 36 ? String(decoding: bytes, as: UTF8.self) : unknown
  }()

  private func read(_ clock: clockid_t) -> Duration {
    var time = timespec()
    // Fails only for a clock that doesn't exist; both exist since Linux 2.6.39.
    unsafe clock_gettime(clock, &time)
    return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
  }
}
