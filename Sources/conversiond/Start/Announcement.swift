import Logging
import Pipeline
import ServiceLifecycle
import Systemd

/// Says that the daemon is ready: to the log and to systemd. A service, as services begin when the group already
/// listens to signals: a program that is told may stop the daemon at once, and it must end in 0.
struct Announcement: Service {
  let context: PipelineContext
  let message: String

  func run() async throws {
    context.log.event(.started, .notice, message)
    ServiceNotifier.ready()
    // A service that returns ends its group.
    try? await gracefulShutdown()
  }
}
