import ArgumentParser
import Conversions
import Foundation

/// `conversiond forget`: erases a person.
struct ForgetCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "forget",
    abstract: "Erase a person from the ledger, keeping what was reported by order ID.",
    discussion: """
      Says what it would erase, and erases it with --yes: the address, the customer ID and the metadata of their orders, \
      the metadata of reports that are decided, and the address in the copy of the referrals. Order ID, referral, value and \
      outcome stay. Erased bytes are overwritten on the disk. A keyed hash of the address stays behind, so that the next \
      sweep does not bring it back: later orders with that address are taken in without it, and match by external source ID \
      alone. Orders that still waited for a referral by that address are not reported any more.

      While one of their orders is still to be reported, or may have been, nothing is erased: run it again later.

      It erases nothing in the shop, in the API, in the log, in backups, and in ledgers that `rebuild` or `restore` has \
      moved aside.

      EXAMPLES
        conversiond forget ana@example.com
        conversiond forget ana@example.com --yes
        echo ana@example.com | conversiond forget - --yes      in no shell history, and in no list of processes

      EXIT STATUS
        0 done, or said what would be, 4 there is no ledger yet, 64 no e-mail address, 74 disk, 75 an order must come to its \
      end first, or the daemon is busy: try again
      """)

  @OptionGroup var global: GlobalOptions

  @Argument(help: ArgumentHelp("The person's e-mail address; - reads it from standard input.", valueName: "email"))
  var email: String

  @Flag(help: "Erase, instead of saying what would be erased.")
  var yes = false

  func validate() throws {
    // Standard input is read only once, and later.
    if email != "-" { _ = try address(email) }
  }

  func run() async throws {
    let address = try address(email == "-" ? readLine() ?? "" : email)
    let access = DaemonAccess(configuration: try global.readWithWarnings().0)
    var report = try await access.forget(address, apply: yes)
    report.asideLedgers = Self.asideLedgers(of: access.ledgerPath)
    StandardStreams.write(
      global.json ? try JSONEncoder.contractText(report) + "\n" : ForgetScreen(report: report, isTrial: !yes).text)
    let obstacles = report.orders.count { $0.obstacle != nil }
    guard obstacles == 0 else {
      throw CommandFailure(
        .tryAgain,
        "nothing is erased: \(obstacles) order\(obstacles == 1 ? "" : "s") must come to an end first; run this again then"
      )
    }
  }

  /// Reads an address, and does not repeat a wrong one: standard error is often a log.
  private func address(_ text: String) throws -> EmailAddress {
    guard let address = EmailAddress(text) else { throw ValidationError("that is no e-mail address") }
    return address
  }

  /// Lists ledgers that `rebuild` or `restore` moved aside, which still hold what they held.
  private static func asideLedgers(of path: String) -> [String] {
    let (folder, name) = ((path as NSString).deletingLastPathComponent, (path as NSString).lastPathComponent)
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    let isAside = { (found: String) in [".damaged-", ".replaced-"].contains { found.hasPrefix(name + $0) } }
    return names.filter(isAside).sorted().map { folder + "/" + $0 }
  }
}
