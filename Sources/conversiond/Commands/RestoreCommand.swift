import ArgumentParser
import Configuration
import Conversions
import Foundation
import Ledger

/// `conversiond restore`: a backup in the ledger's place.
struct RestoreCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "restore",
    abstract: "Put a backup in the ledger's place, without a double report.",
    discussion: """
      With the daemon stopped. Says what the backup is, and what was sent and decided since as the present ledger tells it, \
      and takes it with --yes: the present ledger and its -wal are moved aside, beside their place, and never deleted.

      An order that was reported since is not sent again: the API has it, and shows it when the daemon asks. \
      Nothing that was never sent is sent before the present ledger's last request must have ended, a quarter of an \
      hour after it was last written, and a complete sweep of the referrals that began later.

      All that only the present ledger knows is taken over: orders that operators discarded or hold, and people who \
      were forgotten. If it can't be read, or there is none, that is lost: say it again before the start.

      EXAMPLES
        systemctl stop conversiond
        conversiond restore /var/backups/conversiond.sqlite
        conversiond restore /var/backups/conversiond.sqlite --yes

      EXIT STATUS
        0 done, or said what would be, 4 there is no FILE, 64 FILE is the ledger itself, 65 FILE is no ledger, damaged, or \
      of a newer version, 74 disk, 75 a daemon has the ledger, 77 permission, 78 FILE is of other orders
      """)

  @OptionGroup var global: GlobalOptions

  @Argument(help: ArgumentHelp("The backup.", valueName: "file"))
  var file: BackupPath

  @Flag(help: "Do it, instead of saying what would be done.")
  var yes = false

  func run() async throws {
    let configuration = try global.readWithWarnings().0
    let (path, now) = (configuration.ledgerPath, SystemClock().now)
    let access = DaemonAccess(configuration: configuration)
    try file.refuseLedger(at: path)
    let source = try open()
    try LedgerOwner.become(ofLedgerAt: path)
    // Makes every file for its owner alone.
    umask(0o077)
    try await access.refuseWhileRunning()
    do {
      let restore = try await LedgerRestore(path: path, source: source, now: now)
      let draft = try await restore.draft(timeout: configuration.api.timeout, at: now)
      let keptAs = restore.asideName(at: now)
      if yes { try restore.replace(with: draft, at: now) }
      let report = RestoreReport(restore, draft, backup: file.path, keptAs: keptAs, restored: yes)
      StandardStreams.write(
        global.json ? try JSONEncoder.contractText(report) + "\n" : RestoreScreen(report: report).text)
    } catch let failure as LedgerFailure {
      throw refusal(failure)
    }
  }

  private func open() throws -> BackupSource {
    do {
      return try BackupSource(path: file.path)
    } catch {
      guard error.kind == .noFolder else { throw refusal(error) }
      throw CommandFailure(.noSuchEntry, error.description)
    }
  }

  private func refusal(_ failure: LedgerFailure) -> CommandFailure {
    switch failure.kind {
    case .locked: CommandFailure(.tryAgain, "\(failure); stop it first: systemctl stop conversiond")
    // The advice for a damaged ledger is to restore another backup, or none.
    case .damaged: CommandFailure(.ledgerDamaged, "\(failure); nothing was changed")
    default: CommandFailure(failure)
    }
  }
}
