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
    abstract: "Test the configuration, the database, the API and the ledger; change nothing.",
    discussion: """
      Each line is ok, warn or FAIL; what to do stands below. Run it after each change, before a restart.

      EXAMPLES
        conversiond check
        conversiond check --offline --config ./conversiond.yaml
        conversiond check --json | jq 'select(.verdict == "FAIL")'

      EXIT STATUS
        0 nothing failed, 1 something failed, 77 permission, 78 the configuration or the key is wrong
      """)

  @OptionGroup var global: GlobalOptions

  @Flag(help: "Touch no network: the configuration, the key's file and the ledger only.")
  var offline = false

  func run() async throws {
    let reading = try global.read()
    let configuration = reading.configuration
    for warning in reading.warnings { StandardStreams.writeError("\(warning)\n") }
    var failed = false
    func show(_ lines: [CheckLine]) throws {
      for line in lines { try print(line) }
      failed = failed || lines.contains { $0.verdict == .fail }
    }
    try show([CheckLine(.ok, "configuration", "\(global.configurationFile) has no mistakes")])
    try show(configuration.unservedSettings.map { CheckLine(.warn, "configuration", $0) })
    try show(holdLines(reading) + startLines(configuration.intakeStart))
    let (key, keyFailure) = readKey(configuration.api)
    try show([keyLine(keyFailure)])
    let api = offline ? nil : key.map { APICheck(configuration: configuration.api, key: $0) }
    // From here on as the daemon's user: what root may read or log in as says nothing about it.
    try LedgerOwner.become(ofLedgerAt: configuration.ledgerPath)
    if !offline {
      let daemon = try? await DaemonAccess(configuration: configuration).runningStatus()
      let report = try await ShopInspection(
        configuration.orderMapping, amounts: configuration.attributionRules.amounts, isBesideDaemon: daemon != nil
      ).report()
      try show(connectionLines(report.findings.map(CheckLine.init), daemon))
      // The report has a line of its own for a small difference.
      if let difference = report.clockDifference, ClockCheck.isFar(difference) {
        try show([ClockCheck.line("the database's", difference: difference)])
      }
      if let api { try show(await api.lines()) }
    }
    try show(DiskCheck(ledgerPath: configuration.ledgerPath).lines)
    try show(await LedgerCheck(configuration: configuration, api: api, asksShop: !offline).lines())
    if let keyFailure { throw ExitCode(keyFailure.status.rawValue) }
    if failed { throw ExitCode(ExitStatus.degraded.rawValue) }
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
  private func connectionLines(_ lines: [CheckLine], _ daemon: StatusReport?) -> [CheckLine] {
    guard let daemon else { return lines }
    return lines.map { line in
      guard line.verdict == .fail, line.message.contains("too many connections") else { return line }
      return CheckLine(
        .warn, line.subject,
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
