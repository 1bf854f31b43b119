import ArgumentParser
import Conversions
import Foundation

/// `conversiond status`: one screen.
struct StatusCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status",
    abstract: "Show on one screen how the daemon and its orders are.",
    discussion: """
      EXAMPLES
        conversiond status
        conversiond status --watch
        conversiond status --json | jq .outcomes

      EXIT STATUS
        0 running and well, 1 something to look at: a part does not work, or orders need a person, 3 not running (what the \
      ledger says is shown), 75 try again
      """)

  @OptionGroup var global: GlobalOptions

  @Flag(help: "Show it again every two seconds, until interrupted.")
  var watch = false

  func run() async throws {
    let access: DaemonAccess
    do {
      access = DaemonAccess(configuration: try global.readWithWarnings().0)
    } catch let failure as CommandFailure where failure.status == .configuration {
      return try showInSpiteOf(failure)
    }
    while watch {
      let report = try await access.status()
      StandardStreams.write(StandardStreams.isTerminal ? "\u{1B}[H\u{1B}[2J" : "")
      try show(report)
      try await Task.sleep(for: .seconds(2))
    }
    let report = try await access.status()
    try show(report)
    if report.state == "stopped" { throw ExitCode(ExitStatus.notRunning.rawValue) }
    if !report.isWorking || report.needsPerson { throw ExitCode(ExitStatus.degraded.rawValue) }
  }

  /// Shows the running daemon's status although its file has mistakes: it goes on by what it read before.
  private func showInSpiteOf(_ failure: CommandFailure) throws {
    guard let answer = try DaemonOfFile(global).ask({ try $0.get("/v1/status") }), answer.status == 200 else {
      throw failure
    }
    try show(try JSONDecoder.contract.decode(StatusReport.self, from: answer.body))
    throw ExitCode(ExitStatus.degraded.rawValue)
  }

  private func show(_ report: StatusReport) throws {
    if global.json {
      StandardStreams.write(try JSONEncoder.contractText(report) + "\n")
    } else {
      StandardStreams.write(StatusScreen(report: report).text)
    }
  }
}
