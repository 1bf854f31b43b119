import ArgumentParser
import Configuration
import Conversions
import Foundation
import Ledger
import Orders
import Pipeline

/// `conversiond accept-mapping`: another mapping, database or API for a ledger that holds orders.
struct AcceptMappingCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "accept-mapping",
    abstract: "Take another mapping, database or API for a ledger that holds orders.",
    discussion: """
      With the daemon stopped, after a start that was refused because orders.from, orders.key, orders.columns.id, \
      api.base_url, the database or the type of keys or IDs is another than before. Says what follows, and takes it with \
      --yes.

      Orders are known by their order ID. Reported orders stay so, and are not reported again under the same ID; under \
      another ID it would be. So only orders placed after the newest known one are taken from then on, unless --since \
      says otherwise. Orders that were never sent lose their rows: they end as cancelled, unless --since reaches back to \
      them and their IDs come back. If --since reaches back to orders that were reported or discarded, or that an \
      operator holds, and their IDs do not come back, it is refused but for --as-new-orders, and so is an earlier orders.start at the next \
      start. Orders that were reported before are not compared with the shop any more. Another api.base_url alone \
      changes nothing of that.

      EXAMPLES
        systemctl stop conversiond
        conversiond accept-mapping
        conversiond accept-mapping --yes
        conversiond accept-mapping --yes --since 2026-11-01

      EXIT STATUS
        0 done, or said what would be, or nothing to accept, 4 there is no ledger, 64 usage, 74 disk, 75 a daemon has the \
      ledger, 77 permission, 78 configuration
      """)

  @OptionGroup var global: GlobalOptions

  @Flag(help: "Do it, instead of saying what would be done.")
  var yes = false

  @Option(help: ArgumentHelp("Take orders placed from this day or instant on.", valueName: "time"))
  var since: SinceTime?

  @Flag(help: "Take orders as new ones although they were reported or discarded, or an operator holds them.")
  var asNewOrders = false

  func run() async throws {
    let configuration = try global.readWithWarnings().0
    let path = configuration.ledgerPath
    try LedgerOwner.become(ofLedgerAt: path)
    try await DaemonAccess(configuration: configuration).refuseWhileRunning()
    guard FileManager.default.fileExists(atPath: path) else {
      throw CommandFailure(.noSuchEntry, "there is no ledger \(path)")
    }
    let orders = ShopOrders(configuration.orderMapping)
    let surveyed = await SourceCheck.source(of: orders)
    do {
      let ledger = try SQLiteLedger(path: path)
      let acceptance = try await ledger.acceptance(
        of: configuration.source, surveyed, reportedSince: SystemClock().now - ReportedRows.age,
        placedBefore: asNewOrders ? nil : since?.time)
      let accepts = yes && !acceptance.changes.isEmpty
      if !acceptance.changes.isEmpty, !asNewOrders { try await refuseStrangers(ledger, orders) }
      await orders.close()
      let report = AcceptMappingReport(acceptance, since: since?.time, accepted: accepts, asked: surveyed != nil)
      if accepts {
        let note = report.note(by: ActOptions.actor, at: SystemClock().now)
        try await ledger.accept(acceptance, configuration.source, surveyed, since: since?.time, note: note)
      }
      try ledger.close()
      try show(report)
    } catch let failure as LedgerFailure {
      throw CommandFailure(failure)
    }
  }

  /// Refuses a time from before orders that were decided for good under IDs that do not come back: as new orders they
  /// would be reported again, or against an operator's decision.
  private func refuseStrangers(_ ledger: SQLiteLedger, _ orders: ShopOrders) async throws {
    guard let since else { return }
    let spokenFor = try await ledger.spokenFor(placedSince: since.time, limit: StartCheck.looksMax)
    guard let newest = spokenFor.first, await !StartCheck.areShown(spokenFor, orders) else { return }
    let count = spokenFor.count == StartCheck.looksMax ? "\(spokenFor.count) or more" : "\(spokenFor.count)"
    throw CommandFailure(
      .configuration,
      "\(count) orders placed since then were reported or discarded, or an operator holds them, and the shop's table does "
        + "not show them under their order IDs: taken as new orders they would be reported, for referrals they match. "
        + "--since \(newest.placedAt + .seconds(1)) begins after the last of them; with --as-new-orders they are taken")
  }

  private func show(_ report: AcceptMappingReport) throws {
    StandardStreams.write(global.json ? try JSONEncoder.contractText(report) + "\n" : report.text)
  }
}

/// A day or an instant on a command line.
struct SinceTime: ExpressibleByArgument {
  let time: Timestamp

  init?(argument: String) {
    guard let start = StartText.parse(argument)?.time else { return nil }
    time = start
  }
}
