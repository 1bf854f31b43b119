import ArgumentParser
import Conversions
import Foundation
import Ledger
import Logging
import LoopFixtures
import Orders
import Pipeline
import TestHosts

/// One run of the intake over a backlog, in a process of its own, for its memory to be its own.
struct TakeBacklog: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "take-backlog", abstract: "One run of the intake, as `backlog` starts it.", shouldDisplay: false)

  @Option var ledger: String
  @Option var connection: String

  func run() async throws {
    let store = try SQLiteLedger(path: ledger)
    let mapping = OrderMapping(
      connection: connection, from: "orders",
      columns: .init(
        id: "id", email: "customer_email", externalSourceID: "lead_id", total: "total_cents", currency: "currency",
        status: "status", placedAt: "created_at", updatedAt: ["updated_at"]),
      qualifyingStatuses: ["paid", "completed"])
    let orders = ShopOrders(mapping)
    let context = PipelineContext(
      orders: orders, partners: NoPartners(), ledger: store, clock: SystemClock(), jitter: Jitter(),
      health: ComponentHealth(),
      log: Logger(label: "benchmark") { _ in SwiftLogNoOpLogHandler() })
    // The mirror swept once the table had been surveyed.
    try await store.transaction { transaction in
      var mirror = try transaction.mirrorProgress()
      mirror.completeSweepBeganAt = SystemClock().now + .seconds(3600)
      try transaction.setMirrorProgress(mirror)
    }
    let rules = AttributionRules(
      keys: [.externalSourceID, .email], choose: .first, attributionWindow: .seconds(90 * 86_400),
      waitForReferral: .seconds(14 * 86_400), selfReferral: .review, hold: .zero,
      amounts: AmountRules(unit: .cents, rounding: .refuse, otherCurrency: .review))
    let intake = Intake(
      context, rules: rules,
      settings: Intake.Settings(
        start: .everything, pollInterval: .seconds(5), sweepInterval: .seconds(60), duty: 1))
    let before = try ProcessUsage.ofThisProcess.residentKiB
    let (_, seconds) = try await timed {
      let loop = Task { try await intake.run() }
      while try await store.transaction({ try $0.intakeProgress().lastWalkAt }) == nil {
        try await Task.sleep(for: .milliseconds(20))
      }
      loop.cancel()
      try await loop.value
    }
    let counts = try await store.transaction { try $0.outcomeCounts() }
    let words = counts.map { "\($0.count) \($0.outcome.rawValue)" }.sorted().joined(separator: ", ")
    let usage = try ProcessUsage.ofThisProcess
    let busy = (Double(usage.cpuTicks) / 100).rounded3
    print("\(seconds.rounded3) s, \(busy) s of CPU; \(usage.peakResidentKiB) kB at most, \(before) kB before; \(words)")
    await orders.close()
    try store.close()
  }
}
