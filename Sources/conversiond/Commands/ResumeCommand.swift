import ArgumentParser
import Conversions
import Foundation

/// `conversiond resume`: lets go on what waits for a person.
struct ResumeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "resume",
    abstract: "Let go on what the daemon has waiting for you; print what that releases.",
    discussion: """
      --clock accepts the host's clock as right. Time is unconfirmed from each boot, and from each jump of the clock by more \
      than a minute, until the API's clock agrees within two minutes (or a database's on another host, where the API sends no \
      Date). Until then no hold ends, no order becomes no_referral or is given up, nothing is removed, and nothing is sent for \
      the first time. Look at the time that `conversiond status` shows first: what is sent can't be taken back.

      EXAMPLES
        conversiond resume --clock
        conversiond resume --clock --reason "set by hand, the API's clock is wrong"

      EXIT STATUS
        0 released, or nothing waited, 3 not running: a daemon confirms its time anew when it starts, 64 usage, 75 try again
      """)

  @OptionGroup var global: GlobalOptions

  @Flag(help: "Accept the host's clock.")
  var clock = false

  @Option(help: ArgumentHelp("Why, for the journal.", valueName: "text"))
  var reason: String?

  func validate() throws {
    guard clock else { throw ValidationError("say what to let go on: --clock") }
  }

  func run() async throws {
    let access = DaemonAccess(configuration: try global.readWithWarnings().0)
    let request = ResumeRequest(clock: clock, reason: reason, by: OperatorName.current)
    guard let report = try access.resume(request) else {
      throw CommandFailure(
        .notRunning, "conversiond is not running, so there is nothing to release\nTry: systemctl start conversiond")
    }
    StandardStreams.write(
      global.json
        ? try JSONEncoder.contractText(report) + "\n"
        : report.released.map { Table.printable($0) + "\n" }.joined())
  }
}
