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
  /// The absolute path of the configuration's file, which is read again at a reload.
  let file: String
  /// The warnings for the configuration's author: for the log, which may have no reader.
  let warnings: [Mistake]
  let isDryRun: Bool
  let noColor: Bool

  func run() async throws {
    // Makes every file for this user alone, the control socket and SQLite's files among them.
    umask(0o077)
    // Left to its default, a hangup would end a dry run, or a daemon that is not ready to load its configuration again.
    signal(SIGHUP, SIG_IGN)
    try await TimerDescriptors.make()
    let log = DaemonLog(configuration.log, noColor: noColor)
    defer { log.flush() }
    for warning in warnings { log.logger.warning("\(warning)") }
    let key = try KeyFile.read(configuration.api)
    if isDryRun { try LedgerOwner.become(ofLedgerAt: configuration.ledgerPath) }
    let home = try LedgerHome(configuration: configuration, isDryRun: isDryRun)
    defer { home.remove() }
    let ledger = try await StartTimeout(status: "opening the ledger").extended { try await home.open() }
    if geteuid() == 0 {
      log.logger.warning("running as root; a user of its own is safer, as the packaged service has one")
    }
    for setting in configuration.unservedSettings { log.logger.warning("\(setting)") }
    try await run(ledger, key: key, home: home, log: log)
    try? ledger.close()
  }

  private func run(_ ledger: SQLiteLedger, key: APIKey, home: LedgerHome, log daemonLog: DaemonLog) async throws {
    let log = daemonLog.logger
    let folder = try home.runtimeFolder()
    let orders = ShopOrders(configuration.orderMapping)
    try await SourceCheck(ledger: ledger, orders: orders).run()
    try await StartCheck(configuration, try await ledger.leftBehind(limit: StartCheck.looksMax)).run(orders)
    for note in try await ledger.takeAcceptances() { log.event(.byOperator, .notice, note) }
    let partners = try Self.partners(configuration, key: key, home)
    let context = PipelineContext(
      orders: orders, partners: partners, ledger: ledger, clock: SystemClock(), jitter: Jitter(),
      health: ComponentHealth(), log: log)
    try await context.clock.resume(from: ledger)
    let first = PipelineRun(
      configuration: configuration, orders: orders, partners: partners, context: context, isDryRun: isDryRun)
    try await first.begin(ledger, isFirst: true)
    try await logQuiet(ledger, log: log)
    let runs = PipelineRuns(first, ledger: ledger)
    var group = ServiceGroupConfiguration(
      services: services(runs, ledger, key: key, home, level: daemonLog.level, socketIn: folder).map {
        .init(service: $0)
      },
      gracefulShutdownSignals: [.sigterm, .sigint], logger: .silent)
    group.maximumGracefulShutdownDuration = Self.stopMax
    try await ServiceGroup(configuration: group).run()
    ServiceNotifier.stopping()
    await runs.current.orders.close()
    log.event(.stopped, .notice, "conversiond stopped")
  }

  /// All that runs until the daemon ends: the pipeline, and what tells and asks about it.
  private func services(
    _ runs: PipelineRuns, _ ledger: SQLiteLedger, key: APIKey, _ home: LedgerHome, level: SharedLogLevel,
    socketIn folder: String
  ) -> [any Service] {
    let context = runs.current.context
    let dry = isDryRun ? ", dry run: nothing is sent" : ""
    let message = "conversiond \(Version.text) started with \(configuration.api.baseURL)\(dry)"
    let reloader = Reloader(
      file: file, runs: runs, ledger: ledger, home: home, key: key, log: context.log, level: level)
    let status = StatusSource(
      runs: runs, reloader: reloader, ledgerPath: home.path, isDryRun: isDryRun, ledger: ledger,
      health: context.health, clock: context.clock, startedAt: context.clock.now,
      forgetting: ForgetJob(ledger: ledger) { EmailDisplay(runs.configuration.log.emails) },
      acts: QueueActs(ledger: ledger, wake: { context.matchingWake.notify() }, log: context.log))
    let always: [any Service] = [
      Announcement(context: context, message: message), DecisionSummaries(context), runs, DamageWatch(ledger: ledger),
      WatchdogPing(context: context), StatusLine(source: status),
    ]
    guard !isDryRun else { return always }
    let socket = home.socket(in: folder)
    return always + [
      ControlServer(path: socket, ledgerPath: home.path, status: status, reloader: reloader, log: context.log),
      HangupReload(reloader: reloader),
    ]
  }

  /// Says of a ledger that was built anew, or restored, why nothing is sent yet.
  private func logQuiet(_ ledger: SQLiteLedger, log: Logger) async throws {
    guard let quietUntil = try await ledger.transaction({ try QuietAfterRebuild($0).end() }) else { return }
    log.event(
      .ledgerReplaced, .notice, QuietAfterRebuild.words(until: quietUntil.description),
      ["next_try": quietUntil.description])
  }

  /// The API's client, whose pacer this host's daemons share.
  static func partners(_ configuration: Configuration, key: APIKey, _ home: LedgerHome) throws -> PartnersClient {
    let limits = WriteLimits(
      writes: configuration.api.writesPerMinute,
      conversions: configuration.api.conversionsPerMinute)
    return PartnersClient(
      baseURL: configuration.api.baseURL, apiKey: key, version: Version.text, timeout: configuration.api.timeout,
      readsPerMinute: configuration.api.readsPerMinute,
      pacer: try home.pacer(configuration.api.baseURL, limits: limits))
  }
}
