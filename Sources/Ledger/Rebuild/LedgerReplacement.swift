import Conversions
import Foundation
import Glibc

/// The replacing of a ledger by another one: by what is left of it, where it is damaged, or by a backup.
///
/// Holds the ledger's lock for as long as it lives. All of the work is done on copies, in a folder beside the ledger,
/// until `replace`, which moves the former ledger's files aside and deletes nothing.
final class LedgerReplacement {
  /// The suffixes of a ledger's files, the file itself last: once it is aside, all are.
  private static let suffixes = ["-wal", "-shm", "-journal", ""]

  /// The ledger's path.
  let path: String
  /// The folder for copies, which goes when this does.
  let scratch: String
  /// The time of the last write to the former ledger, so that no send of it began later; now where there is none.
  let writtenAt: Timestamp
  private let label: String
  private let lock: LedgerLock
  private let marker: RebuildMarker

  /// Takes the lock, and makes the folder.
  ///
  /// - Parameters:
  ///   - path: The ledger.
  ///   - label: The word that tells why a former ledger was moved aside, in the name that it gets.
  ///   - now: Wall-clock time.
  /// - Throws: `LedgerFailure`: `locked` while a daemon has it.
  init(path: String, label: String, now: Timestamp) throws(LedgerFailure) {
    (self.path, self.label) = (path, label)
    lock = try LedgerLock(ledgerPath: path)
    let marker = RebuildMarker(ledgerPath: path)
    self.marker = marker
    let changes = ["", "-wal"].compactMap { Self.changed(Self.former($0, path, marker)) }
    writtenAt = changes.max().map { min($0, now) } ?? now
    scratch = try Self.makeFolder(beside: path)
  }

  deinit { try? FileManager.default.removeItem(atPath: scratch) }

  /// True if a rebuild or a restore was interrupted between the moves of its files.
  var wasInterrupted: Bool { marker.exists }

  /// Copies the former ledger, with its log.
  ///
  /// - Returns: False where there is none.
  func copyFormer(to target: String) throws(LedgerFailure) -> Bool {
    guard try DurableFiles.copy(Self.former("", path, marker), to: target) else { return false }
    _ = try DurableFiles.copy(Self.former("-wal", path, marker), to: target + "-wal")
    return true
  }

  /// The path of one of the former ledger's files: an interrupted run may have moved it already.
  private static func former(_ suffix: String, _ path: String, _ marker: RebuildMarker) -> String {
    let aside = marker.exists ? marker.asidePath : nil
    if let aside, unsafe access(aside + suffix, F_OK) == 0 { return aside + suffix }
    return path + suffix
  }

  private static func changed(_ path: String) -> Timestamp? {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else { return nil }
    return Timestamp(
      microseconds: Int64(status.st_mtim.tv_sec) * 1_000_000 + Int64(status.st_mtim.tv_nsec) / 1000)
  }

  private static func makeFolder(beside path: String) throws(LedgerFailure) -> String {
    var template = Array("\(path).rebuild-XXXXXX".utf8CString)
    guard unsafe mkdtemp(&template) != nil else {
      throw LedgerFailure(fileError: errno, doing: "make a folder beside", path)
    }
    return String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  /// Moves the former ledger's files aside, under a name that nothing has, and puts the new one in their place. If it is
  /// interrupted anywhere, a mark is left that keeps a daemon from starting, and from which the next run goes on.
  func replace(with file: String, at now: Timestamp) throws(LedgerFailure) {
    let aside = asideName(at: now)
    try marker.write(asidePath: aside)
    for suffix in Self.suffixes where unsafe access(aside + suffix, F_OK) != 0 {
      // Once the old file is aside, a file in its place is from an earlier try.
      _ = try DurableFiles.move(path + suffix, to: aside + suffix)
    }
    try DurableFiles.syncFolder(of: path)
    try DurableFiles.replace(path, with: file)
    try marker.remove()
  }

  /// The name under which the former ledger will be kept.
  func asideName(at now: Timestamp) -> String {
    if let chosen = marker.asidePath { return chosen }
    let digits = now.description.prefix(19).filter { $0.isNumber || $0 == "T" }
    let base = "\(path).\(label)-\(digits)Z"
    let names = [base] + (2...1000).map { "\(base)-\($0)" }
    return names.first { name in Self.suffixes.allSatisfy { unsafe access(name + $0, F_OK) != 0 } } ?? base
  }
}
