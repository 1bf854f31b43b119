import ArgumentParser
import Foundation

/// `conversiond run`: the daemon.
struct RunCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Run the daemon.",
    discussion: """
      Reads orders and referrals, matches them, and reports conversions until SIGTERM or SIGINT, which end it within 30 \
      seconds with status 0. An unreachable database or API never ends it.

      With --dry-run it reads and decides the same, on a copy of the ledger, and writes nothing to the API: each report \
      that would be sent is a line of the log.

      EXAMPLES
        conversiond run
        conversiond run --dry-run --config ./conversiond.yaml

      EXIT STATUS
        0 told to stop, 65 ledger damaged or newer, 74 disk, 75 a second daemon on one ledger, 77 permission, \
      78 configuration or key
      """)

  @OptionGroup var global: GlobalOptions

  @Flag(help: "Match and decide, on a copy of the ledger, but write nothing to the API.")
  var dryRun = false

  func run() async throws {
    try await FailedStart.logged {
      let (configuration, warnings) = try global.readWithWarnings()
      let file = URL(fileURLWithPath: global.configurationFile).standardizedFileURL.path
      let daemon = Daemon(
        configuration: configuration, file: file, warnings: warnings, isDryRun: dryRun, noColor: global.noColor)
      try await daemon.run()
    }
  }
}
