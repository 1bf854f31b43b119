import Conversions
import Logging
import Pipeline
import ServiceLifecycle
import Systemd

/// Tells systemd that the daemon is alive, as long as no loop is stuck; names one that is in the log first.
///
/// Waits for nothing but its own sleep: what a loop is stuck in must not keep the line about it back.
struct WatchdogPing: Service {
  /// The time between two pings at most, and so between two looks at the loops.
  private static let intervalMax = Duration.seconds(5)

  let context: PipelineContext
  /// The time within which systemd expects a ping; nil where it expects none.
  var expected = ServiceNotifier.watchdogInterval()

  func run() async throws {
    await cancelWhenGracefulShutdown { await loop() }
  }

  private func loop() async {
    var watch = StallWatch()
    var logged: Set<WatchedLoop> = []
    let interval = min(expected.map { $0 / 3 } ?? Self.intervalMax, Self.intervalMax)
    while !Task.isCancelled {
      let stuck = watch.look(context.progress.snapshot(), at: context.clock.uptime)
      for loop in stuck where !logged.contains(loop) {
        let follows = expected == nil ? "restart the daemon" : "systemd restarts the daemon"
        let minutes = loop.deadline.components.seconds / 60
        context.log.event(
          .loopStuck, .error,
          "\(loop.rawValue) has been in one step for \(minutes) minutes: \(follows); nothing is lost",
          ["loop": loop.rawValue, "reason": "loop_stuck"])
      }
      // Ends the pings only after the line that says why.
      if stuck.isEmpty { ServiceNotifier.watchdog() }
      logged = Set(stuck)
      try? await Task.sleep(for: interval)
    }
  }
}
