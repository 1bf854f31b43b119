import ArgumentParser
import Configuration
import Conversions
import Foundation
import Orders
import PartnersAPI
import Pipeline

/// `conversiond check`: as `nginx -t`.
struct CheckCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Test the configuration, the database, the API, the ledger and the unit; change nothing.",
    discussion: """
      Each line is ok, warn or FAIL; what to do stands below. Run it after each change, before a restart.

      CHECKS, in this order, by the names of --only and --skip
        configuration  the file, and what it leaves to a default that you should know
        owner          owner and mode of the ledger's folder, its files and the socket's folder: can the daemon use them?
        key            the API's key
        database       connection, grants, columns, time zone, index and plan, amounts, clock
        api            the API takes the key; its clock
        disk           room in the ledger's folder, and a test write there, also while the daemon runs
        ledger         the ledger is whole, and this shop's
        unit           the settings of the systemd unit that run the daemon: restarts, sandbox, limits, start at boot

      Run by root, it goes on as the daemon's user after the key: the User= of the unit that is loaded, else conversiond,
      else the owner of the ledger's folder.

      EXAMPLES
        conversiond check
        conversiond check --only unit --only owner
        conversiond check --offline --config ./conversiond.yaml
        conversiond check --json | jq 'select(.verdict == "FAIL")'

      EXIT STATUS
        0 nothing failed, 1 something failed, 77 permission, 78 the configuration or the key is wrong
      """)

  @OptionGroup var global: GlobalOptions

  @Flag(help: "Touch no network: no database, no API.")
  var offline = false

  @Option(help: ArgumentHelp("Make this check only; may be given several times.", valueName: "check"))
  var only: [CheckName] = []

  @Option(help: ArgumentHelp("Leave this check out; may be given several times.", valueName: "check"))
  var skip: [CheckName] = []

  func run() async throws {
    let reading = try global.read()
    let configuration = reading.configuration
    for warning in reading.warnings { StandardStreams.writeError("\(warning)\n") }
    let chosen = CheckName.chosen(only: only, skip: skip)
    var failed = false
    func show(_ check: CheckName, _ lines: @autoclosure () async throws -> [CheckLine]) async throws {
      guard chosen.contains(check) else { return }
      for line in try await lines() {
        try print(line)
        failed = failed || line.verdict == .fail
      }
    }
    try await show(.configuration, configurationLines(reading))
    let place = DaemonPlace(configuration, file: global.configurationFile)
    try await show(.owner, place.ownerLines())
    let (key, keyFailure) = readKey(place.keyConfiguration)
    try await show(.key, [keyLine(keyFailure)])
    // From here on as the daemon's user: what root may read or log in as says nothing about it.
    try place.user.become()
    let api = offline ? nil : key.map { APICheck(configuration: configuration.api, key: $0) }
    if !offline {
      try await show(.database, await databaseLines(configuration))
      if let api { try await show(.api, await api.lines()) }
    }
    try await show(.disk, DiskCheck(ledgerPath: configuration.ledgerPath).lines)
    try await show(.ledger, await LedgerCheck(configuration: configuration, api: api, asksShop: !offline).lines())
    try await show(.unit, place.unitLines(isOffline: offline))
    if let keyFailure, chosen.contains(.key) { throw ExitCode(keyFailure.status.rawValue) }
    if failed { throw ExitCode(ExitStatus.degraded.rawValue) }
  }

  private func configurationLines(_ reading: ConfigurationReader.Reading) -> [CheckLine] {
    [CheckLine(.ok, "configuration", "\(global.configurationFile) has no mistakes")]
      + reading.configuration.unservedSettings.map { CheckLine(.warn, "configuration", $0) }
      + holdLines(reading) + startLines(reading.configuration.intakeStart)
  }

  private func databaseLines(_ configuration: Configuration) async throws -> [CheckLine] {
    let daemon = try? await DaemonAccess(configuration: configuration).runningStatus()
    let report = try await ShopInspection(
      configuration.orderMapping, amounts: configuration.attributionRules.amounts, isBesideDaemon: daemon != nil
    ).report()
    let lines = connectionLines(report.findings, daemon)
    // The report has a line of its own for a small difference.
    guard let difference = report.clockDifference, ClockCheck.isFar(difference) else { return lines }
    return lines + [ClockCheck.line("the database's", difference: difference)]
  }

  /// Warns where no hold is in the file: the default reports at once, for good.
  private func holdLines(_ reading: ConfigurationReader.Reading) -> [CheckLine] {
    guard !reading.given.contains("reporting.hold") else { return [] }
    return [
      CheckLine(
        .warn, "reporting.hold", "is not in the file: orders are reported at once, and a report can't be taken back",
        advice: "write hold: 14d, or whatever your right of return is, below reporting:; or hold: 0s, to report at once"
      )
    ]
  }

  /// Warns of a start that is still to come, by intent or by mistake.
  private func startLines(_ start: Intake.Start) -> [CheckLine] {
    guard case .from(let begins) = start, begins > SystemClock().now else { return [] }
    return [CheckLine(.warn, "orders.start", "lies ahead: no order placed before \(begins) is ever reported")]
  }

  /// The daemon may have every connection that the role is allowed, so that none is left for this command.
  private func connectionLines(_ findings: [ShopFinding], _ daemon: StatusReport?) -> [CheckLine] {
    findings.map { finding in
      guard let daemon, finding.meansNoConnectionIsLeft else { return CheckLine(finding) }
      return CheckLine(
        .warn, finding.subject,
        "no connection is left beside those of the running daemon, process \(daemon.pid ?? 0): it and this check share the "
          + "limit, and only one below three hinders the daemon",
        advice: "`conversiond status` tells how the database is; to check it from here, stop the daemon, or allow four"
      )
    }
  }

  private func readKey(_ api: Configuration.API) -> (APIKey?, CommandFailure?) {
    do {
      return (try KeyFile.read(api), nil)
    } catch let failure as CommandFailure {
      return (nil, failure)
    } catch {
      return (nil, CommandFailure(.configuration, "\(error)"))
    }
  }

  private func keyLine(_ failure: CommandFailure?) -> CheckLine {
    guard let failure else { return CheckLine(.ok, "api.key_file", "holds a key that no other user can read") }
    return CheckLine(.fail, "api.key_file", failure.message)
  }

  private func print(_ line: CheckLine) throws {
    let text =
      global.json
      ? try JSONEncoder.contractText(line) + "\n"
      : line.text(color: StandardStreams.mayColor(noColor: global.noColor))
    StandardStreams.write(text)
  }
}
