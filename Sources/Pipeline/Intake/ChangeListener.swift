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
    var logged: String?
    var retrying = RetryingLoop(context, .listening)
    await retrying.run { retrying in
      try await LoopProgress.rest { try await context.orders.change() }
      retrying.succeed()
      logged = nil
      context.intakeWake.notify()
    } failure: { error in
      // Logs only that the shop sends no notices; intake logs that a database is down.
      guard (error as? OrderSourceFailure)?.kind == .silent else { return RetryingLoop.Failure(message: "\(error)") }
      if logged != "\(error)" {
        logged = "\(error)"
        context.log.event(
          .pollWarning, .notice, "orders.notify_channel is not listened to, orders are polled for: \(error)")
      }
      return RetryingLoop.Failure(message: "\(error)", waitMin: Self.silentInterval)
    }
  }
}
