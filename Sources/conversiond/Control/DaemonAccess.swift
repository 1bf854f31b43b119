import Configuration
import Conversions
import Foundation
import Glibc
import Ledger

/// Gives commands access to a ledger: through the running daemon, which alone may have the file open, or, while none
/// runs, by opening the file.
final class DaemonAccess {
  let configuration: Configuration
  /// The ledger, kept once it is open: opened again beside itself, it would be found in use.
  private var opened: (ledger: SQLiteLedger, reports: LedgerReports)?

  init(configuration: Configuration) { self.configuration = configuration }

  var ledgerPath: String {
    switch configuration.ledger.location {
    case .sqlite(let path): path
    }
  }

  /// The sockets on which the daemon of our instance may listen.
  private var sockets: [String] { ControlPaths(ledgerPath: ledgerPath, instance: configuration.instance).sockets }

  /// The running daemon's status; nil where none runs.
  func runningStatus() async throws -> StatusReport? { try ask("/v1/status") }

  /// Refuses to go on while a daemon has the ledger.
  ///
  /// - Throws: `CommandFailure` 75 where one runs.
  func refuseWhileRunning() async throws {
    guard let running = try await runningStatus() else { return }
    throw CommandFailure(
      .tryAgain,
      "the daemon, process \(running.pid ?? 0), has \(ledgerPath) open; stop it first: systemctl stop conversiond")
  }

  /// The source that the running daemon's orders are of; nil where none runs.
  func runningSource() throws -> SourceReport? { try ask("/v1/source") }

  func status() async throws -> StatusReport {
    if let report = try await runningStatus() { return report }
    var report = StatusReport(
      state: "stopped", program: Version.text, ledger: ledgerPath, dryRun: false, now: SystemClock().now.description,
      database: .unknown, api: .unknown, delivery: .unknown, ledgerHealth: .unknown,
      mirror: StatusReport.Mirror(entries: [:]), outcomes: [],
      today: [:])
    if let reports = try openLedger() {
      try await reports.fill(
        &report, now: SystemClock().now, conversionsPerMinute: configuration.api.conversionRate)
    }
    return report
  }

  func entries(_ filter: EntryFilter) async throws -> EntryPage {
    if let page: EntryPage = try ask(QueueQuery.path(filter)) { return page }
    guard let reports = try openLedger() else { return EntryPage(entries: []) }
    return try await reports.entries(filter)
  }

  /// All that is known of the orders of a name: an order ID, or an entry's number as `#210`.
  func entries(named name: String) async throws -> [EntryReport] {
    let body = try JSONEncoder.contractText(OrderQuestion(order: name))
    for path in sockets where try isOurs(path) {
      guard let answer = try ControlClient(path: path).post("/v1/orders", body: body) else { continue }
      let page: EntryPage = try decode(answer)
      return page.entries
    }
    return try await openLedger()?.entries(named: name) ?? []
  }

  /// Erases a person, by the daemon or while it is stopped.
  ///
  /// - Throws: `CommandFailure` 4 where there is no ledger, 75 where the daemon isn't done in ten minutes.
  func forget(_ email: EmailAddress, apply: Bool) async throws -> ForgetReport {
    let body = try JSONEncoder.contractText(ForgetRequest(email: email.text, apply: apply))
    for path in sockets where try isOurs(path) {
      let deadline = ContinuousClock.now + .seconds(600)
      while let answer = try ControlClient(path: path).post("/v1/forget", body: body) {
        if answer.status != 202 { return try decode(answer) }
        guard ContinuousClock.now < deadline else {
          throw CommandFailure(.tryAgain, "the daemon is still at it; run this again to see what came of it")
        }
      }
    }
    guard try openLedger() != nil, let ledger = opened?.ledger else {
      throw CommandFailure(.noSuchEntry, "there is no ledger \(ledgerPath) yet")
    }
    let traces = try await ledger.forget(email, isTrial: !apply, at: SystemClock().now)
    return ForgetReport(traces, email: EmailDisplay(configuration.log.emails).shown(email))
  }

  /// Copies the ledger into a backup's file, by the daemon or while it is stopped.
  ///
  /// - Throws: `CommandFailure` 4 where there is no ledger, 75 where the daemon doesn't answer, or can't make copies;
  ///   `LedgerFailure`.
  func backup(into file: BackupFile) async throws {
    for path in sockets where try isOurs(path) {
      let client = ControlClient(path: path, patience: 900)
      guard let answer = try client.download("/v1/backup", { try file.append($0) }) else { continue }
      guard answer.status != 200 else { return }
      guard answer.status != 404 else {
        let program = (try? await runningStatus())?.program ?? "of another version"
        throw CommandFailure(
          .tryAgain, "the running daemon is conversiond \(program), which makes no backups; restart it first")
      }
      throw failure(answer)
    }
    try refuseWithoutLedger()
    // The file may be where only root can write, and the ledger's folder is its owner's.
    let copy = try LedgerOwner.acting(ofLedgerAt: ledgerPath) { try SQLiteLedger.backup(ofStoppedLedger: ledgerPath) }
    while let bytes = try copy.read(upToCount: 1 << 20), !bytes.isEmpty { try file.append(bytes) }
  }

  /// - Throws: `CommandFailure` 4 where there is no ledger, 77 where its folder may not be entered.
  private func refuseWithoutLedger() throws {
    // A mark tells of one that an interrupted rebuild has moved.
    guard try !isThere, !LedgerRebuild.isThere(ledgerPath) else { return }
    throw CommandFailure(.noSuchEntry, "there is no ledger \(ledgerPath)")
  }

  /// Takes an operator's act on orders to the daemon, or into the ledger while it is stopped.
  ///
  /// - Throws: `CommandFailure` 4 where there is no ledger, 75 where the daemon doesn't answer.
  func act(_ request: ActRequest) async throws -> ActReport {
    let body = try JSONEncoder.contractText(request)
    for path in sockets where try isOurs(path) {
      if let answer = try ControlClient(path: path).post("/v1/queue", body: body) { return try decode(answer) }
    }
    guard try openLedger() != nil, let ledger = opened?.ledger else {
      throw CommandFailure(.noSuchEntry, "there is no ledger \(ledgerPath) yet")
    }
    return try await QueueActs(ledger: ledger).answer(request, at: SystemClock().now)
  }

  /// Asks the running daemon to let something go on; nil where none runs.
  func resume(_ request: ResumeRequest) throws -> ResumeReport? {
    let body = try JSONEncoder.contractText(request)
    for path in sockets where try isOurs(path) {
      if let answer = try ControlClient(path: path).post("/v1/resume", body: body) { return try decode(answer) }
    }
    return nil
  }

  /// Asks the daemon that serves our ledger; nil where none does.
  private func ask<Value: Decodable>(_ target: String) throws -> Value? {
    for path in sockets {
      guard let answer = try ControlClient(path: path).get(target), try isOurs(path) else { continue }
      return try decode(answer)
    }
    return nil
  }

  /// True if a socket's daemon serves our ledger: a host may run several daemons, one for each shop.
  private func isOurs(_ socket: String) throws -> Bool {
    guard let answer = try ControlClient(path: socket).get("/v1/ledger") else { return false }
    return String(decoding: answer.body, as: UTF8.self) == ledgerPath
  }

  private func decode<Value: Decodable>(_ answer: ControlClient.Answer) throws -> Value {
    if answer.status == 200 {
      do {
        return try JSONDecoder.contract.decode(Value.self, from: answer.body)
      } catch {
        throw CommandFailure(.internalError, "the daemon answered in a way this version does not understand: \(error)")
      }
    }
    throw failure(answer)
  }

  private func failure(_ answer: ControlClient.Answer) -> CommandFailure {
    guard let failure = try? JSONDecoder.contract.decode(ControlError.self, from: answer.body) else {
      return CommandFailure(.internalError, "the daemon answered with status \(answer.status)")
    }
    return CommandFailure(ExitStatus(rawValue: failure.status) ?? .internalError, failure.error)
  }

  /// Opens the ledger while no daemon runs; nil where there is none yet: looking must not make one.
  private func openLedger() throws -> LedgerReports? {
    if let opened { return opened.reports }
    guard try isThere else { return nil }
    try LedgerOwner.become(ofLedgerAt: ledgerPath)
    do {
      let ledger = try SQLiteLedger(path: ledgerPath)
      let reports = LedgerReports(
        ledger: ledger, emails: EmailDisplay(configuration.log.emails), amounts: configuration.attributionRules.amounts)
      opened = (ledger, reports)
      return reports
    } catch {
      throw CommandFailure(error)
    }
  }
}

extension DaemonAccess {
  /// True if there is a ledger.
  ///
  /// - Throws: `CommandFailure` 77 where its folder may not be entered: a file that is missing there is no ledger yet.
  private var isThere: Bool {
    get throws {
      if FileManager.default.fileExists(atPath: ledgerPath) { return true }
      if unsafe access((ledgerPath as NSString).deletingLastPathComponent, X_OK) != 0, errno == EACCES {
        throw CommandFailure(.permission, "\(ledgerPath): permission denied; ask as root or as the daemon's user")
      }
      return false
    }
  }
}

extension StatusReport.Health {
  static var unknown: Self { Self(state: "unknown") }
}

extension Configuration.API {
  /// The rate at which conversions leave: the lower of both limits.
  var conversionRate: Int? {
    [writesPerMinute, conversionsPerMinute].compactMap(\.perMinute).min()
  }
}
