import Conversions
import Logging
public import ServiceLifecycle

/// The loop that removes finished orders that are older than `ledger.retain`: at a start, and then every hour.
///
/// Live work goes first: a batch is one short transaction, and after each the loop rests nine times as long as it took.
/// The ledger keeps a removed order from being reported again (`RetentionRecords`).
public struct Retention: Service {
  /// The time between two looks for orders that are old enough.
  static let interval = Duration.seconds(3600)
  /// The wait between two looks at a clock that is unconfirmed.
  static let clockWait = Duration.seconds(10)
  /// Orders looked at in one transaction.
  static let batchMax = 500

  private let context: PipelineContext
  private let retain: Duration

  /// A retention that keeps finished orders for so long after they were decided.
  public init(_ context: PipelineContext, retain: Duration) {
    self.context = context
    self.retain = retain
  }

  /// Removes until the task is cancelled or a graceful shutdown begins; a failure is waited out.
  public func run() async throws {
    await cancelWhenGracefulShutdown { await loop() }
  }

  private func loop() async {
    var retrying = RetryingLoop(context, .removingEntries)
    await retrying.run { retrying in
      // Waits for a confirmed clock: what is removed by a wrong one is lost.
      guard context.clock.isConfirmed else { return try await context.clock.sleep(for: Self.clockWait) }
      let removed = try await removeAll()
      retrying.succeed()
      if removed > 0 { context.log.debug("removed \(removed) finished orders older than ledger.retain") }
      try await context.clock.sleep(for: Self.interval)
    } failure: {
      RetryingLoop.Failure(message: "\($0)")
    }
  }

  private func removeAll() async throws -> Int {
    let before = context.clock.now - retain
    var (removed, place): (Int, RetentionPlace?) = (0, nil)
    repeat {
      let (began, from) = (context.clock.uptime, place)
      let batch = try await context.ledger.transaction {
        try $0.removeFinished(decidedBefore: before, from: from, limit: Self.batchMax)
      }
      removed += batch.removed
      place = batch.next
      guard batch.removed > 0 else { continue }
      try await context.restFromUpkeep(since: began)
    } while place != nil
    return removed
  }
}
