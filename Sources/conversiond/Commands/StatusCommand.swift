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
    let access = DaemonAccess(configuration: try global.readWithWarnings().0)
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

  private func show(_ report: StatusReport) throws {
    if global.json {
      StandardStreams.write(try JSONEncoder.contractText(report) + "\n")
    } else {
      StandardStreams.write(StatusScreen(report: report).text)
    }
  }
}
