import ArgumentParser
import Conversions
import Foundation
import Systemd

/// `conversiond reload`: what `systemctl reload` runs.
struct ReloadCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reload",
    abstract: "Make the running daemon load its configuration again.",
    discussion: """
      The daemon reads its file, checks all of it, the mapping against the shop's database, too, and takes it at once; or it \
      refuses it, says every reason, and goes on with the configuration that it has. Changed rules reach the orders that were \
      never sent, as after a restart.

      Taken at a start only: ledger.location, api.base_url, api.key_file, metrics.listen, and the API key itself, which systemd \
      hands over when it starts the daemon: after a rotation, systemctl restart conversiond.

      EXAMPLES
        conversiond reload
        systemctl reload conversiond

      EXIT STATUS
        0 in force, 3 not running, 75 try again, 77 the file can't be read, 78 refused
      """)

  /// The seconds that a reload may take: every question to the shop's database, and the end of a send under way.
  private static let patience = 120

  @OptionGroup var global: GlobalOptions

  func run() async throws {
    guard let report = try ask() else {
      // A daemon may run all the same, with its socket beside a ledger that a file with mistakes does not name.
      _ = try global.read()
      throw CommandFailure(
        .notRunning,
        "no daemon with \(global.configurationFile) is running, so there is nothing to reload\nTry: systemctl start conversiond"
      )
    }
    // Prints nothing under `systemctl reload`: the daemon's own lines are in the journal already.
    if JournalStream.isStandardError { return try end(report) }
    if global.json {
      StandardStreams.write(try JSONEncoder.contractText(report) + "\n")
      return try end(report)
    }
    for warning in report.warnings { StandardStreams.writeError("\(Table.printable(warning))\n") }
    guard report.reasons.isEmpty else {
      for reason in report.reasons { StandardStreams.writeError("\(Table.printable(reason))\n") }
      throw CommandFailure(
        ExitStatus(rawValue: report.status) ?? .configuration,
        "\(global.configurationFile) was refused; the daemon goes on with the configuration that it has")
    }
    StandardStreams.write("\(global.configurationFile) is in force; \(report.changes)\n")
  }

  private func end(_ report: ReloadReport) throws {
    if report.status != ExitStatus.done.rawValue { throw ExitCode(report.status) }
  }

  private func ask() throws -> ReloadReport? {
    let body = try JSONEncoder.contractText(ReloadRequest(by: OperatorName.current))
    let daemon = DaemonOfFile(global)
    guard let answer = try daemon.ask({ try $0.post("/v1/reload", body: body) }, patience: Self.patience) else {
      return nil
    }
    guard answer.status == 200 else {
      throw CommandFailure(.internalError, "the daemon answered with status \(answer.status)")
    }
    return try JSONDecoder.contract.decode(ReloadReport.self, from: answer.body)
  }
}
