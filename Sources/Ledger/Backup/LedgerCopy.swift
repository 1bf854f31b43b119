public import Conversions
public import Foundation
import GRDB
import Glibc

/// Consistent copies of a ledger, for backups.
///
/// VACUUM INTO, on the ledger's own connection: it has the file for itself (EXCLUSIVE), so no other could read it. The
/// copy is one file without a log, and without free pages, in which deleted data would be copied, too. Transactions
/// wait meanwhile. SQLite's step-by-step backup would let them through, and leaves a file that opens with a log of its
/// own.
extension SQLiteLedger {
  /// Copies the ledger as it is after all that was committed before.
  ///
  /// - Returns: The copy, open for reading, of a file that has no name any more: however this process ends, nothing of
  ///   it stays on the disk.
  /// - Throws: `LedgerFailure`; `CancellationError` where the task is cancelled before the copy is complete.
  public func backup() async throws -> FileHandle {
    let draft = try CopyDraft(ledgerPath: path)
    do {
      try await queue.writeWithoutTransaction { [path = draft.path] db in try Self.copy(db, to: path) }
    } catch {
      let error = handle(error)
      throw (error as? LedgerFailure).map(draft.failure) ?? error
    }
    return draft.handle
  }

  /// Copies a ledger that no process has open, as it is: not brought to this version, and its log not folded in.
  ///
  /// - Returns: The copy, open for reading, of a file that has no name any more.
  /// - Throws: `LedgerFailure`: `locked` while a daemon has it, `newer` and `damaged` with nothing touched.
  public static func backup(ofStoppedLedger path: String) throws(LedgerFailure) -> FileHandle {
    let lock = try LedgerLock(ledgerPath: path)
    defer { withExtendedLifetime(lock) {} }
    guard !RebuildMarker(ledgerPath: path).exists else { throw RebuildMarker.failure(path) }
    removeUnfinishedCopies(of: path)
    let draft = try CopyDraft(ledgerPath: path)
    do {
      let queue = try connect(path: path)
      defer { try? queue.close() }
      try queue.writeWithoutTransaction { db in
        try refuseOthers(db, path: path)
        try copy(db, to: draft.path)
      }
    } catch {
      throw draft.failure(LedgerFailure(opening: path, as: path, error))
    }
    return draft.handle
  }

  private static func copy(_ db: Database, to path: String) throws {
    try db.execute(sql: "VACUUM INTO ?", arguments: [path])
  }

  /// Removes copies that a process which was killed left beside a ledger. The caller has the ledger's lock.
  public static func removeUnfinishedCopies(of path: String) {
    let (folder, prefix) = (
      (path as NSString).deletingLastPathComponent, (path as NSString).lastPathComponent + CopyDraft.infix
    )
    for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] where name.hasPrefix(prefix) {
      unsafe unlink(folder + "/" + name)
    }
  }

  /// Refuses a file that is no ledger, or that a newer version has written.
  static func refuseOthers(_ db: Database, path: String) throws {
    let id = try Int32.fetchOne(db, sql: "PRAGMA application_id")
    guard id == LedgerSchema.applicationID, try LedgerSchema.isReadable(db) else {
      throw LedgerFailure(.damaged, "\(path) is no ledger of conversiond")
    }
    if try LedgerSchema.migrator.hasBeenSuperseded(db) {
      throw LedgerFailure(.newer, "\(path) was written by a newer version of conversiond; install that version")
    }
  }
}

extension LedgerFailure {
  /// Makes the failure to open a copy, in words that name the file that it is of.
  init(opening copy: String, as path: String, _ error: any Error) {
    let failure = LedgerFailure(opening: copy, error)
    let words = failure.description.replacing(copy, with: path)
    let isNamed = failure.kind != .damaged || words.hasPrefix(path)
    self.init(failure.kind, isNamed ? words : "\(path) is damaged: \(words)")
  }
}

/// An empty file beside a ledger, which a copy is written to; its name goes when this does.
private final class CopyDraft {
  static let infix = ".backup-"

  let ledgerPath: String
  let path: String
  let handle: FileHandle

  init(ledgerPath: String) throws(LedgerFailure) {
    self.ledgerPath = ledgerPath
    var template = Array((ledgerPath + Self.infix + "XXXXXX").utf8CString)
    let descriptor = unsafe mkstemp(&template)
    guard descriptor >= 0 else { throw LedgerFailure(fileError: errno, doing: "make a copy beside", ledgerPath) }
    path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
  }

  deinit {
    // With its journal, which SQLite leaves where it was interrupted.
    for suffix in ["", "-journal"] { unsafe unlink(path + suffix) }
  }

  /// Says where there is no room.
  func failure(_ failure: LedgerFailure) -> LedgerFailure {
    guard failure.kind == .diskFull else { return failure }
    return LedgerFailure(.diskFull, "there is no room for a copy beside \(ledgerPath): it takes as much as the ledger")
  }
}
