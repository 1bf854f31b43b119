import Conversions
import Synchronization

/// A clock on which every sleep is over at once.
final class PacerClock: HostClock {
  private let time: Mutex<Duration>

  init(uptime: Duration = .seconds(1000)) { time = Mutex(uptime) }

  var now: Timestamp { Timestamp(microseconds: uptime.wholeMicroseconds) }

  var uptime: Duration { time.withLock { $0 } }

  func sleep(until deadline: Duration) async throws {
    try Task.checkCancellation()
    time.withLock { $0 = max($0, deadline) }
    await Task.yield()
  }

  func advance(_ duration: Duration) { time.withLock { $0 += duration } }
}
