internal import Foundation

/// One instant on the two clocks that the sandbox needs.
public struct SandboxTime: Sendable, Hashable {
  /// Milliseconds since 1970, as the API tells times.
  public var wallMilliseconds: Int64
  /// Nanoseconds of a clock that never jumps, as the limits count time.
  public var monotonicNanoseconds: Int64

  /// Creates an instant.
  public init(wallMilliseconds: Int64, monotonicNanoseconds: Int64) {
    self.wallMilliseconds = wallMilliseconds
    self.monotonicNanoseconds = monotonicNanoseconds
  }
}

/// The source of the time for the sandbox.
public struct SandboxClock: Sendable {
  private let read: @Sendable () -> SandboxTime

  /// Makes a clock that asks a closure, so that a test may stop the time.
  public init(_ read: @escaping @Sendable () -> SandboxTime) { self.read = read }

  /// The present instant.
  public var now: SandboxTime { read() }

  private static let origin = ContinuousClock.now

  /// The host's clocks.
  public static let system = SandboxClock {
    SandboxTime(
      wallMilliseconds: Int64((Date().timeIntervalSince1970 * 1000).rounded(.down)),
      monotonicNanoseconds: (ContinuousClock.now - origin).wholeNanoseconds)
  }
}
