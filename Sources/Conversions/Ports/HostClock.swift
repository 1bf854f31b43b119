/// The source of time: the wall clock for what is compared with the shop's and the API's times, a monotonic one for
/// everything that waits. A simulation has its own.
public protocol HostClock: Sendable {
  /// Wall-clock time. May jump; nothing that paces or times out may use it.
  var now: Timestamp { get }
  /// Time since the host booted, suspended time included (clock_gettime(2), CLOCK_BOOTTIME). Never goes back.
  var uptime: Duration { get }
  /// The ID of the boot that `uptime` counts from.
  var bootID: String { get }
  /// Returns once `uptime` has reached `deadline`; throws `CancellationError` when the task is cancelled.
  func sleep(until deadline: Duration) async throws
}

extension HostClock {
  /// The kernel's ID of this boot.
  public var bootID: String { SystemClock.bootID }

  /// Sleeps for a duration from now.
  public func sleep(for duration: Duration) async throws {
    try await sleep(until: uptime + duration)
  }
}
