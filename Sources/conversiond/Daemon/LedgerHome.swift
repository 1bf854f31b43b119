import Configuration
import Conversions
import Foundation
import Ledger

/// Where the ledger is, or, for a dry run, where its copy is and goes again.
struct LedgerHome {
  let path: String
  private let configuration: Configuration
  private let scratch: String?

  init(configuration: Configuration, isDryRun: Bool) throws {
    self.configuration = configuration
    guard isDryRun else {
      (path, scratch) = (configuration.ledgerPath, nil)
      return
    }
    let folder = NSTemporaryDirectory() + "/conversiond-dry-run-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
    scratch = folder
    do {
      path = try SQLiteLedger.copy(path: configuration.ledgerPath, intoFolder: folder) ?? folder + "/ledger.sqlite"
    } catch {
      try? FileManager.default.removeItem(atPath: folder)
      throw CommandFailure(error)
    }
  }

  /// - Throws: `CommandFailure` with the status that the ledger's failure stands for.
  func open() async throws -> SQLiteLedger {
    do {
      let ledger = try SQLiteLedger(path: path)
      try await ledger.adopt(source: configuration.sourceIdentity, mapping: configuration.mappingIdentity)
      return ledger
    } catch let failure as LedgerFailure {
      remove()
      throw CommandFailure(failure)
    }
  }

  /// The folder of the control socket and the pacer's file. A dry run has neither's effects, and keeps to its own.
  func runtimeFolder() throws -> String {
    if let scratch { return scratch }
    guard let folder = ControlPaths(ledgerPath: path).daemonFolder else {
      throw CommandFailure(.permission, "no folder for the control socket: cannot write beside \(path)")
    }
    return folder
  }

  func remove() {
    if let scratch { try? FileManager.default.removeItem(atPath: scratch) }
  }
}
