import Conversions
import Logging
import Orders
import Pipeline
import ServiceLifecycle

/// Logs once after a start the amounts of the newest orders as they would be reported: a wrong unit is seen there
/// before an operator finds it in the partner dashboard.
struct AmountsAtStart: Service {
  /// The wait after a database that did not answer.
  private static let patience = Duration.seconds(15)

  let context: PipelineContext
  let orders: ShopOrders
  let rules: AmountRules

  func run() async throws {
    await cancelWhenGracefulShutdown { await show() }
    // A service that returns ends its group.
    try? await gracefulShutdown()
  }

  private func show() async {
    while !Task.isCancelled {
      do {
        for line in try await orders.newest().amounts(rules) { context.log.notice("\(line)") }
        return
      } catch {
        // The loop that reads orders tells of the outage.
        try? await context.clock.sleep(for: Self.patience)
      }
    }
  }
}
