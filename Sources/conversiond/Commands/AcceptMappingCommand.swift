import ArgumentParser
import Configuration
import Conversions
import Foundation
import Ledger
import Orders

/// `conversiond accept-mapping`: another mapping, database or API for a ledger that holds orders.
struct AcceptMappingCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "accept-mapping",
    abstract: "Take another mapping, database or API for a ledger that holds orders.",
    discussion: """
      With the daemon stopped, after a start that was refused because orders.from, orders.key, orders.columns.id, \
      api.base_url, the database or the type of keys or IDs is another than before. Says what follows, and takes it with \
      --yes.

      Orders are known by their order ID. What was reported stays so, and is not reported again under the same ID; under \
      another ID it would be. So only orders placed after the newest known one are taken from then on, unless --since \
      says otherwise. Orders that were never sent lose their rows: they end as cancelled, unless --since reaches back to \
      them and their IDs come back. Another api.base_url alone changes nothing of that.

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

  func run() async throws {
    let configuration = try global.readWithWarnings().0
    let path = configuration.ledgerPath
    try LedgerOwner.become(ofLedgerAt: path)
    if let running = try await DaemonAccess(configuration: configuration).runningStatus() {
      throw CommandFailure(
        .tryAgain,
        "the daemon, process \(running.pid ?? 0), has \(path) open; stop it first: systemctl stop conversiond")
    }
    guard FileManager.default.fileExists(atPath: path) else {
      throw CommandFailure(.noSuchEntry, "there is no ledger \(path)")
    }
    let orders = ShopOrders(configuration.orderMapping)
    let surveyed = await SourceCheck.source(of: orders)
    await orders.close()
    do {
      let ledger = try SQLiteLedger(path: path)
      let acceptance = try await ledger.acceptance(of: configuration.source, surveyed)
      let accepts = yes && !acceptance.changes.isEmpty
      if accepts { try await ledger.accept(configuration.source, surveyed, since: since?.time) }
      try ledger.close()
      try show(AcceptMappingReport(acceptance, since: since?.time, accepted: accepts, asked: surveyed != nil))
    } catch let failure as LedgerFailure {
      throw CommandFailure(failure)
    }
  }

  private func show(_ report: AcceptMappingReport) throws {
    StandardStreams.write(global.json ? try JSONEncoder.contractText(report) + "\n" : report.text)
  }
}

/// A day or an instant on a command line.
struct SinceTime: ExpressibleByArgument {
  let time: Timestamp

  init?(argument: String) {
    let text = argument.count == 10 ? argument + "T00:00:00Z" : argument
    guard let date = try? Date(text, strategy: .iso8601) else { return nil }
    time = Timestamp(milliseconds: Int64(date.timeIntervalSince1970 * 1000))
  }
}
