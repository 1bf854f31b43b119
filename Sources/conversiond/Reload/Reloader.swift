import Configuration
import Conversions
import Foundation
import Ledger
import Logging
import Orders
import PartnersAPI
import Pipeline
import Systemd

/// Loads the configuration's file again: it is in force at once, or the daemon keeps all that it has and says why.
actor Reloader {
  /// A reload that was refused, until one is taken.
  struct Refusal: Sendable {
    let since: Timestamp
    let reasons: [String]
  }

  /// The absolute path of the file.
  let file: String
  private let runs: PipelineRuns
  private let ledger: SQLiteLedger
  private let home: LedgerHome
  private let key: APIKey
  private let log: Logger
  private let level: SharedLogLevel
  private(set) var refusal: Refusal?
  /// The reload under way: a second one waits for it, and looks at the file anew.
  private var underWay: Task<ReloadReport, Never>?

  init(
    file: String, runs: PipelineRuns, ledger: SQLiteLedger, home: LedgerHome, key: APIKey, log: Logger,
    level: SharedLogLevel
  ) {
    (self.file, self.runs, self.ledger, self.home, self.key) = (file, runs, ledger, home, key)
    (self.log, self.level) = (log, level)
  }

  /// Loads the file. Tells the service manager that it does so and, whatever comes of it, that it is done.
  func reload(asked by: String) async -> ReloadReport {
    while let task = underWay { _ = await task.value }
    let task = Task {
      // Ended here: who waits for it may go on before the one who asked.
      defer { underWay = nil }
      return await load(by)
    }
    underWay = task
    return await task.value
  }

  private func load(_ by: String) async -> ReloadReport {
    ServiceNotifier.reloading()
    defer { ServiceNotifier.ready() }
    do {
      let reading = try ConfigurationReader.read(file: file, instance: runs.configuration.instance)
        .mapError { CommandFailure($0, file: file) }.get()
      let changed = runs.configuration.sectionsThatDiffer(from: reading.configuration)
      let failing = runs.current.context.health.failing
      if changed.contains(where: { $0 != "log" }) {
        try await runs.replace(with: try await checked(reading.configuration))
      } else {
        // Lets the pipeline go on: to begin it anew would keep first sends back until all is read again.
        runs.note(reading.configuration)
      }
      level.set(DaemonLog.level(reading.configuration.log))
      refusal = nil
      let warnings = reading.warnings.map(\.description) + runs.configuration.unservedSettings + (await keyWarnings())
      return accepted(changed, failing: changed.isEmpty ? [] : failing, warnings, by)
    } catch is CancellationError {
      return refused(CommandFailure(.tryAgain, "the daemon is ending"), by)
    } catch {
      return refused(CommandFailure(ending: error), by)
    }
  }

  /// Returns the run by a configuration that passed every check; nothing is changed yet, and nothing written.
  private func checked(_ configuration: Configuration) async throws -> PipelineRun {
    let present = runs.current
    try ReloadChecks.keysThatNeedARestart(present.configuration, configuration)
    let isSameMapping = configuration.orderMapping == present.configuration.orderMapping
    let orders = isSameMapping ? present.orders : ShopOrders(configuration.orderMapping)
    do {
      if !isSameMapping {
        try await ReloadChecks.shop(configuration)
        try await SourceCheck(ledger: ledger, orders: orders).run()
      }
      try await StartCheck(configuration, try await ledger.leftBehind(limit: StartCheck.looksMax)).run(orders)
      let isSameAPI = configuration.api == present.configuration.api
      let partners = isSameAPI ? present.partners : try Daemon.partners(configuration, key: key, home)
      return present.following(configuration, orders: orders, partners: partners)
    } catch {
      if !isSameMapping { await orders.close() }
      throw error
    }
  }

  /// Says what a reload can't do for a key that was rotated: it is taken at a start, when systemd hands it over.
  private func keyWarnings() async -> [String] {
    if let found = try? KeyFile.read(runs.configuration.api), !found.isSame(as: key) {
      return ["another API key is in place than the one in use: systemctl restart conversiond takes it"]
    }
    let halt = try? await ledger.transaction { try $0.sendingHalt() }
    guard halt?.reason == .keyRefused else { return [] }
    return ["sending is halted, as the API refuses the key in use; a new one is taken by systemctl restart conversiond"]
  }

  private func accepted(_ changed: [String], failing: [String], _ warnings: [String], _ by: String) -> ReloadReport {
    for warning in warnings { log.warning("\(warning)") }
    let report = ReloadReport(status: ExitStatus.done.rawValue, changed: changed, warnings: warnings, reasons: [])
    let before = failing.isEmpty ? "" : "; what failed before is tried anew: \(failing.joined(separator: ", "))"
    log.event(.reloadOK, .notice, "\(file) is in force (\(by)); \(report.changes)\(before)")
    return report
  }

  private func refused(_ failure: CommandFailure, _ by: String) -> ReloadReport {
    let since = refusal?.since ?? runs.current.context.clock.now
    let reasons = failure.details.isEmpty ? [failure.message] : failure.details
    refusal = Refusal(since: since, reasons: reasons)
    log.event(
      .reloadRefused, .error,
      "\(file) was refused, and the daemon goes on with the configuration that it has (\(by)): "
        + reasons.joined(separator: "; "), ["reason": "reload_refused"])
    return ReloadReport(status: failure.status.rawValue, changed: [], warnings: [], reasons: reasons)
  }
}
