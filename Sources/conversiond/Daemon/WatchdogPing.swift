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
    var logged: Set<String> = []
    let interval = min(expected.map { $0 / 3 } ?? Self.intervalMax, Self.intervalMax)
    while !Task.isCancelled {
      let stuck = watch.look(context.progress.snapshot(), at: context.clock.uptime)
      if stuck.isEmpty { ServiceNotifier.watchdog() }
      for loop in stuck where !logged.contains(loop) {
        let follows = expected == nil ? "restart the daemon" : "systemd restarts the daemon"
        context.log.event(
          .loopStuck, .error, "\(loop) has been in one step for ten minutes: \(follows); nothing is lost",
          ["reason": "loop_stuck"])
      }
      logged = Set(stuck)
      try? await Task.sleep(for: interval)
    }
  }
}
