import Configuration
import Conversions
import Ledger
import Logging
import Orders
import PartnersAPI
import Pipeline
import ServiceLifecycle

/// The pipeline by one configuration: the shop's orders, the API's client, and the loops between them.
struct PipelineRun: Sendable {
  var configuration: Configuration
  let orders: ShopOrders
  let partners: PartnersClient
  let context: PipelineContext
  let isDryRun: Bool

  /// Makes ready what the loops rely on: to be called before they start.
  ///
  /// - Parameters:
  ///   - ledger: The ledger.
  ///   - isFirst: False for a run that follows another in this process: nothing was missed in between.
  /// - Throws: `LedgerFailure`, or `CancellationError`.
  func begin(_ ledger: SQLiteLedger, isFirst: Bool) async throws {
    // Ties the ledger to the shop at a start as it opens.
    if !isFirst { try await ledger.adopt(configuration.source, mapping: configuration.mappingIdentity) }
    try await noteStart(ledger)
    try await RulesUpdate.begin(
      ledger, rules: configuration.attributionRules, mapping: configuration.rowRules, now: context.clock.now)
    try await CatchUp.begin(ledger, at: isFirst ? context.clock.now : nil)
  }

  /// Says that another `orders.start` is carried out than before.
  private func noteStart(_ ledger: SQLiteLedger) async throws {
    if let count = try await ledger.takeUncompared() {
      context.log.notice("another mapping was accepted: \(AcceptMappingReport.uncompared(count))")
    }
    let start = configuration.startText
    guard let before = try await ledger.adopt(start: start, from: configuration.intakeStart.time) else { return }
    context.log.notice(
      "orders.start was \(before) and is \(start): every order is read again, those placed from then on take part, and those that are known already stay"
    )
  }

  /// The loops.
  var services: [any Service] {
    let rules = configuration.attributionRules
    let listening: [any Service] = configuration.orders.notifyChannel == nil ? [] : [ChangeListener(context)]
    // A dry run's copy is gone at its end.
    let upkeep: [any Service] =
      isDryRun ? [] : [Retention(context, retain: configuration.ledger.retain), ReportedRows(context, rules: rules)]
    let amounts: [any Service] =
      configuration.orders.columns.total == nil
      ? [] : [AmountsAtStart(context: context, orders: orders, rules: rules.amounts)]
    return listening + upkeep + amounts + [
      Intake(
        context, rules: rules,
        settings: Intake.Settings(
          start: configuration.intakeStart, pollInterval: configuration.orders.pollInterval,
          sweepInterval: configuration.orders.sweepInterval, ledgerSizeMax: configuration.ledger.sizeMax)),
      ReferralMirror(context, readsPerMinute: configuration.api.readsPerMinute),
      Matching(context, rules: rules),
      Delivery(
        context, rules: rules,
        settings: Delivery.Settings(giveUpAfter: configuration.reporting.giveUpAfter, isDryRun: isDryRun)),
    ]
  }
}

extension PipelineRun {
  /// Returns the run that follows this one in the same process: with the same clock, ledger, health and log.
  func following(_ configuration: Configuration, orders: ShopOrders, partners: PartnersClient) -> PipelineRun {
    PipelineRun(
      configuration: configuration, orders: orders, partners: partners,
      context: context.following(orders: orders, partners: partners), isDryRun: isDryRun)
  }
}
