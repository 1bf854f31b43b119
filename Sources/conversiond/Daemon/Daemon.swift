import Configuration
import Conversions
import Foundation
import Glibc
import Ledger
import Logging
import Orders
import PartnersAPI
import Pipeline
import ServiceLifecycle
import Systemd
import UnixSignals

/// The daemon, put together: everything that runs, what it runs on, and how it begins and ends.
struct Daemon {
  /// The time within which everything is stopped after SIGTERM; systemd waits longer (TimeoutStopSec=).
  static let stopMax = Duration.seconds(25)

  let configuration: Configuration
  /// The warnings for the configuration's author: for the log, which may have no reader.
  let warnings: [Mistake]
  let isDryRun: Bool
  let noColor: Bool

  func run() async throws {
    // Makes every file for this user alone, the control socket and SQLite's files among them.
    umask(0o077)
    // Left to its default, a hangup of the terminal or of a careless `kill -HUP` would end the daemon.
    signal(SIGHUP, SIG_IGN)
    try await TimerDescriptors.make()
    let log = DaemonLog(configuration.log, noColor: noColor)
    defer { log.flush() }
    for warning in warnings { log.logger.warning("\(warning)") }
    let key = try KeyFile.read(configuration.api)
    if isDryRun { try LedgerOwner.become(ofLedgerAt: configuration.ledgerPath) }
    let home = try LedgerHome(configuration: configuration, isDryRun: isDryRun)
    defer { home.remove() }
    let ledger = try await home.open()
    if geteuid() == 0 {
      log.logger.warning("running as root; a user of its own is safer, as the packaged service has one")
    }
    for setting in configuration.unservedSettings { log.logger.warning("\(setting)") }
    try await run(ledger, key: key, home: home, log: log.logger)
    try? ledger.close()
  }

  private func run(_ ledger: SQLiteLedger, key: APIKey, home: LedgerHome, log: Logger) async throws {
    let folder = try home.runtimeFolder()
    let orders = ShopOrders(configuration.orderMapping)
    try await SourceCheck(ledger: ledger, orders: orders).run()
    try await StartCheck(configuration, try await ledger.leftBehind(limit: StartCheck.looksMax)).run(orders)
    for note in try await ledger.takeAcceptances() { log.event(.byOperator, .notice, note) }
    try await logStart(ledger, log: log)
    let context = PipelineContext(
      orders: orders, partners: try partners(key: key, home), ledger: ledger, clock: SystemClock(),
      jitter: Jitter(), health: ComponentHealth(), log: log)
    let dry = isDryRun ? ", dry run: nothing is sent" : ""
    let message = "conversiond \(Version.text) started with \(configuration.api.baseURL)\(dry)"
    var services: [any Service] = [Announcement(context: context, message: message)]
    services += pipeline(context)
    if configuration.orders.columns.total != nil {
      let rules = configuration.attributionRules.amounts
      services.append(AmountsAtStart(context: context, orders: orders, rules: rules))
    }
    services += [DamageWatch(ledger: ledger), WatchdogPing(context: context)]
    let status = StatusSource(
      configuration: configuration, ledgerPath: home.path, isDryRun: isDryRun, ledger: ledger,
      health: context.health, clock: context.clock, startedAt: context.clock.now,
      forgetting: ForgetJob(ledger: ledger, emails: EmailDisplay(configuration.log.emails)),
      acts: QueueActs(ledger: ledger, wake: { context.matchingWake.notify() }, log: log))
    services.append(StatusLine(source: status))
    if !isDryRun {
      services.append(
        ControlServer(path: home.socket(in: folder), ledgerPath: home.path, status: status, log: log))
    }
    try await context.clock.resume(from: ledger)
    try await RulesUpdate.begin(
      ledger, rules: configuration.attributionRules, mapping: configuration.rowRules, now: context.clock.now)
    try await CatchUp.begin(ledger, at: context.clock.now)
    try await logQuiet(ledger, log: log)
    var group = ServiceGroupConfiguration(
      services: services.map { .init(service: $0) }, gracefulShutdownSignals: [.sigterm, .sigint], logger: .silent)
    group.maximumGracefulShutdownDuration = Self.stopMax
    try await ServiceGroup(configuration: group).run()
    ServiceNotifier.stopping()
    await orders.close()
    log.event(.stopped, .notice, "conversiond stopped")
  }

  /// Says that another `orders.start` is carried out than before.
  private func logStart(_ ledger: SQLiteLedger, log: Logger) async throws {
    if let count = try await ledger.takeUncompared() {
      log.notice("another mapping was accepted: \(AcceptMappingReport.uncompared(count))")
    }
    let start = configuration.startText
    guard let before = try await ledger.adopt(start: start, from: configuration.intakeStart.time) else { return }
    log.notice(
      "orders.start was \(before) and is \(start): every order is read again, those placed from then on take part, and those that are known already stay"
    )
  }

  /// Says of a ledger that was built anew, or restored, why nothing is sent yet.
  private func logQuiet(_ ledger: SQLiteLedger, log: Logger) async throws {
    guard let quietUntil = try await ledger.transaction({ try QuietAfterRebuild($0).end() }) else { return }
    log.event(
      .ledgerReplaced, .notice, QuietAfterRebuild.words(until: quietUntil.description),
      ["next_try": quietUntil.description])
  }

  private func pipeline(_ context: PipelineContext) -> [any Service] {
    let rules = configuration.attributionRules
    let intake = Intake(
      context, rules: rules,
      settings: Intake.Settings(
        start: configuration.intakeStart, pollInterval: configuration.orders.pollInterval,
        sweepInterval: configuration.orders.sweepInterval, ledgerSizeMax: configuration.ledger.sizeMax))
    let listening: [any Service] = configuration.orders.notifyChannel == nil ? [] : [ChangeListener(context)]
    // A dry run's copy is gone at its end.
    let upkeep: [any Service] =
      isDryRun ? [] : [Retention(context, retain: configuration.ledger.retain), ReportedRows(context, rules: rules)]
    return listening + upkeep + [
      intake,
      ReferralMirror(context, readsPerMinute: configuration.api.readsPerMinute),
      Matching(context, rules: rules),
      Delivery(
        context, rules: rules,
        settings: Delivery.Settings(giveUpAfter: configuration.reporting.giveUpAfter, isDryRun: isDryRun)),
    ]
  }

  private func partners(key: APIKey, _ home: LedgerHome) throws -> PartnersClient {
    let limits = WriteLimits(
      writes: configuration.api.writesPerMinute,
      conversions: configuration.api.conversionsPerMinute)
    return PartnersClient(
      baseURL: configuration.api.baseURL, apiKey: key, version: Version.text, timeout: configuration.api.timeout,
      readsPerMinute: configuration.api.readsPerMinute,
      pacer: try home.pacer(configuration.api.baseURL, limits: limits))
  }
}
