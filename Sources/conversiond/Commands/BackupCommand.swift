import ArgumentParser
import Conversions
import Foundation
import Ledger

/// `conversiond backup`: a consistent copy of the ledger.
struct BackupCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "backup",
    abstract: "Write a consistent copy of the ledger, while the daemon runs or is stopped.",
    discussion: """
      The daemon makes the copy, beside its ledger, which takes as much room again for a moment; this command writes it to \
      FILE, for its owner alone, looks through it with SQLite's own check, and only then puts it in its place. A file that \
      is there is replaced by a whole backup, or stays.

      It holds addresses, and is to be kept like the ledger: `forget` does not reach it.

      EXAMPLES
        conversiond backup /var/backups/conversiond.sqlite
        conversiond backup /var/backups/conversiond-$(date +%F).sqlite --json

      EXIT STATUS
        0 done, 4 there is no ledger yet, 64 FILE can't be one, 65 the ledger is damaged or of a newer version, 74 disk, \
      75 try again, 77 permission
      """)

  @OptionGroup var global: GlobalOptions

  @Argument(help: ArgumentHelp("The file to write.", valueName: "file"))
  var file: BackupPath

  func run() async throws {
    let access = DaemonAccess(configuration: try global.readWithWarnings().0)
    try file.refuseLedger(at: access.ledgerPath)
    try file.refuseUnfitPlace()
    // All that is committed before is in it.
    let asOf = SystemClock().now
    do {
      let backup = try makeFile()
      try await access.backup(into: backup)
      let (content, bytes) = try backup.finish()
      let report = BackupReport(
        file: file.path, ledger: access.ledgerPath, bytes: bytes, orders: content.orders, reports: content.reports,
        asOf: asOf.description)
      StandardStreams.write(global.json ? try JSONEncoder.contractText(report) + "\n" : report.text)
    } catch let failure as LedgerFailure {
      throw CommandFailure(failure)
    }
  }

  private func makeFile() throws -> BackupFile {
    do {
      return try BackupFile(path: file.path)
    } catch {
      guard error.kind == .noFolder else { throw error }
      throw CommandFailure(.usage, error.description)
    }
  }
}
