import ArgumentParser
import Configuration
import Conversions
import Foundation
import Ledger

/// `conversiond rebuild`: a new ledger in the place of a damaged one.
struct RebuildCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rebuild",
    abstract: "Move a damaged ledger aside and build a new one, without a double report.",
    discussion: """
      With the daemon stopped. Says what it would do, and does it with --yes: the old ledger and its -wal are moved aside, \
      beside their place, and never deleted. All that can still be read of them is taken over: orders that were \
      reported, discarded or in review, reports that may have been done, people who were forgotten; each \
      only where it is what its digest says. All else comes from the shop and the API again, at the daemon's next start.

      An order that could not be read is not reported a second time, as its referral is converted: it is superseded. \
      Nothing that was never sent is sent before the old ledger's last request must have ended, a quarter of an hour after \
      it was last written, and a complete sweep of the referrals that began later.

      An order whose row could not be read is not known any more as discarded, or in review: \
      look at `conversiond run --dry-run` before the start.

      EXAMPLES
        systemctl stop conversiond
        conversiond rebuild
        conversiond rebuild --yes

      EXIT STATUS
        0 done, or said what would be, 4 there is no ledger, 64 the ledger is whole, 65 written by a newer version, \
      74 disk, 75 a daemon has the ledger, 77 permission
      """)

  @OptionGroup var global: GlobalOptions

  @Flag(help: "Do it, instead of saying what would be done.")
  var yes = false

  @Flag(help: "Also where the ledger is whole.")
  var evenIfWhole = false

  func run() async throws {
    let configuration = try global.readWithWarnings().0
    let (path, now) = (configuration.ledgerPath, SystemClock().now)
    try LedgerOwner.become(ofLedgerAt: path)
    // Makes every file for its owner alone.
    umask(0o077)
    try await DaemonAccess(configuration: configuration).refuseWhileRunning()
    guard LedgerRebuild.isThere(path) else { throw CommandFailure(.noSuchEntry, "there is no ledger \(path)") }
    let rebuild: LedgerRebuild
    do { rebuild = try await LedgerRebuild(path: path, now: now) } catch { throw CommandFailure(error) }
    guard rebuild.damage != nil || evenIfWhole else {
      throw CommandFailure(.usage, "\(path) is whole; --even-if-whole has it built anew all the same")
    }
    do {
      let draft = try rebuild.draft(timeout: configuration.api.timeout)
      let keptAs = rebuild.asideName(at: now)
      if yes { try rebuild.replace(with: draft, at: now) }
      try show(RebuildReport(rebuild, draft, keptAs: keptAs, rebuilt: yes), draft, configuration)
    } catch let failure as LedgerFailure {
      throw CommandFailure(failure)
    }
  }

  private func show(_ report: RebuildReport, _ draft: LedgerRebuild.Draft, _ configuration: Configuration) throws {
    let hasLostStart = configuration.orders.start == .now && !draft.knowsStart
    StandardStreams.write(
      global.json
        ? try JSONEncoder.contractText(report) + "\n" : RebuildScreen(report: report, hasLostStart: hasLostStart).text)
  }
}
