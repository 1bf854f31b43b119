import Conversions
import Logging
public import ServiceLifecycle

/// The loop that listens to the shop and notifies intake's signal when orders changed. Without anything to listen to,
/// orders are found by polling all the same.
public struct ChangeListener: Service {
  /// The time for which a shop that can't be listened to is left alone.
  static let silentInterval = Duration.seconds(600)

  private let context: PipelineContext

  /// Listens to the context's shop.
  public init(_ context: PipelineContext) {
    self.context = context
  }

  /// Listens until the task is cancelled or a graceful shutdown begins.
  public func run() async throws {
    await cancelWhenGracefulShutdown { await loop() }
  }

  private func loop() async {
    var failures = 0
    var told: String?
    while !Task.isCancelled {
      do {
        try await context.orders.change()
        (failures, told) = (0, nil)
        context.intakeWake.notify()
      } catch is CancellationError where Task.isCancelled {
        return
      } catch {
        // Logs only that the shop sends no notices; intake logs that a database is down.
        let isSilent = (error as? OrderSourceFailure)?.kind == .silent
        if isSilent, told != "\(error)" {
          told = "\(error)"
          context.log.event(
            .pollWarning, .notice, "orders.notify_channel is not listened to, orders are polled for: \(error)")
        }
        failures += 1
        let wait = await context.jitter.wait(.reconnect, afterFailures: failures)
        try? await context.clock.sleep(for: isSilent ? Self.silentInterval : wait)
      }
    }
  }
}
