public import Conversions
import Foundation
import GRDB
import Glibc

/// A new ledger in the place of a damaged one: the old one's files are kept aside, what can be read of them and must
/// not be forgotten is taken over, and all else comes from the shop and the API again.
///
/// No report is doubled by what can't be read, as the API shows which referrals are converted: an order whose referral
/// is converted is superseded. A request that may still be on its way is waited for: nothing that was never sent is
/// sent before a complete sweep of the referrals that began when the last request of the old ledger must have ended
/// (`IntakeProgress.quietUntil`).
///
/// Holds the ledger's lock for as long as it lives. All of the work is done on copies, in a folder beside the ledger,
/// until `replace`.
public final class LedgerRebuild {
  /// The time for which the API may still work on a request after we gave up on it: as for an order that stopped
  /// qualifying after a send that may have been done.
  private static let doubtLasts = Duration.seconds(900)

  /// The ledger's path.
  public let path: String
  /// The damage to it, in words; nil where it is whole.
  public let damage: String?
  private let lock: LedgerLock
  private let scratch: String
  private let marker: RebuildMarker
  /// The time of the last write to the old ledger: no send began later.
  private let writtenAt: Timestamp

  /// Takes the lock, copies the ledger and looks through the copy.
  ///
  /// - Parameters:
  ///   - path: The ledger.
  ///   - now: Wall-clock time.
  /// - Throws: `LedgerFailure`: `locked` while a daemon has it, `newer` where it is not damaged, `diskFull` where there
  ///   is no room for the copy, `other` where there is no ledger.
  public init(path: String, now: Timestamp) async throws(LedgerFailure) {
    self.path = path
    lock = try LedgerLock(ledgerPath: path)
    marker = RebuildMarker(ledgerPath: path)
    let aside = marker.exists ? marker.asidePath : nil
    // An interrupted rebuild may have moved a file already.
    func source(_ suffix: String) -> String {
      if let aside, unsafe access(aside + suffix, F_OK) == 0 { return aside + suffix }
      return path + suffix
    }
    writtenAt = ["", "-wal"].compactMap { Self.changed(source($0)) }.max().map { min($0, now) } ?? now
    scratch = try Self.makeFolder(beside: path)
    do throws(LedgerFailure) {
      guard try DurableFiles.copy(source(""), to: scratch + "/old.sqlite") else {
        throw LedgerFailure(.other, "there is no ledger \(path)")
      }
      _ = try DurableFiles.copy(source("-wal"), to: scratch + "/old.sqlite-wal")
      damage =
        marker.exists ? "a rebuild of it was interrupted" : try await Self.damage(of: scratch + "/old.sqlite", path)
    } catch {
      try? FileManager.default.removeItem(atPath: scratch)
      throw error
    }
  }

  /// Returns true if there is a ledger, or what an interrupted rebuild left of one.
  public static func isThere(_ path: String) -> Bool {
    unsafe access(path, F_OK) == 0 || RebuildMarker(ledgerPath: path).exists
  }

  deinit { try? FileManager.default.removeItem(atPath: scratch) }

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

  private static func damage(of copy: String, _ path: String) async throws(LedgerFailure) -> String? {
    do {
      let ledger = try SQLiteLedger(path: copy)
      let faults = try await ledger.integrityFaults()
      try? ledger.close()
      return faults.first
    } catch {
      let failure = LedgerFailure(opening: copy, error)
      let words = failure.description.replacing(copy, with: path)
      guard failure.kind == .damaged else { throw LedgerFailure(failure.kind, words) }
      let prefix = "\(path) is damaged: "
      return words.hasPrefix(prefix) ? String(words.dropFirst(prefix.count)) : words
    }
  }
}

extension LedgerRebuild {
  /// The new ledger, ready to be put in place.
  public struct Draft: Sendable {
    /// The account of what was taken over.
    public var salvage: Salvage
    /// The time before which nothing is sent that was never sent.
    public var quietUntil: Timestamp
    /// True if it is known from which time on orders take part, where `orders.start` doesn't say it.
    public var knowsStart: Bool
    fileprivate var file: String
  }

  /// Makes the new ledger, still in its own folder.
  ///
  /// - Parameter timeout: The longest time that a request of the daemon's may last.
  /// - Returns: The new ledger, not in place yet.
  /// - Throws: `LedgerFailure`.
  public func draft(timeout: Duration) throws(LedgerFailure) -> Draft {
    let (old, new) = (scratch + "/old.sqlite", scratch + "/new.sqlite")
    do {
      for suffix in ["", "-wal", "-shm", ".lock"] { unlinkIfThere(new + suffix) }
      do { try SQLiteLedger(path: new).close() }
      let queue = try SQLiteLedger.connect(path: new)
      var salvage = Salvage()
      var progress = IntakeProgress()
      progress.quietUntil = writtenAt + timeout + Self.doubtLasts
      if let reading = openOld(old) {
        salvage = try SalvageKeeper(reading, into: queue).keep()
        progress.takesOrdersFrom = reading.start
        progress.aliveAt = writtenAt
        reading.close()
      } else {
        salvage.tables = ["orders", "settled", "forgotten", "acts"]
      }
      // Orders that were lost may have been sent at any time.
      if !salvage.isComplete { progress.unknownFrom = Timestamp(microseconds: 0) }
      if !salvage.isComplete { progress.unknownTo = writtenAt }
      try queue.inDatabase { [progress] db in
        try db.inTransaction(.immediate) {
          try SQLiteTransaction(db, known: KnownKeys()).setIntakeProgress(progress)
          return .commit
        }
        try db.checkpoint(.truncate)
        db.keepLog(false)
      }
      try queue.close()
      return Draft(
        salvage: salvage, quietUntil: progress.quietUntil ?? writtenAt, knowsStart: progress.takesOrdersFrom != nil,
        file: new)
    } catch {
      throw LedgerFailure(opening: new, error)
    }
  }

  /// Opens the old one with its log if that can be, else without it, and with an empty ledger's schema where its own
  /// can't be read.
  private func openOld(_ old: String) -> SalvageReader? {
    if let reading = SalvageReader(copyPath: old) { return reading }
    unlinkIfThere(old + "-wal")
    if let reading = SalvageReader(copyPath: old) { return reading }
    for isVacuumed in [false, true] {
      let name = isVacuumed ? "vacuumed" : "fresh"
      let (grafted, empty) = (scratch + "/\(name)-graft.sqlite", scratch + "/\(name)-empty.sqlite")
      for path in [grafted, empty] { unlinkIfThere(path) }
      guard SchemaGraft.graft(old, to: grafted, empty: empty, isVacuumed: isVacuumed),
        let reading = SalvageReader(copyPath: grafted)
      else { continue }
      if reading.hasOrders { return reading }
      reading.close()
    }
    return nil
  }

  private func unlinkIfThere(_ path: String) { unsafe unlink(path) }

  /// Moves the old ledger's files aside, under a name that nothing has, and puts the new one in their place. If it is
  /// interrupted anywhere, a mark is left that keeps a daemon from starting, and from which the next rebuild goes on.
  ///
  /// - Parameters:
  ///   - draft: The new ledger.
  ///   - now: Wall-clock time, for the name.
  /// - Throws: `LedgerFailure`.
  public func replace(with draft: Draft, at now: Timestamp) throws(LedgerFailure) {
    let aside = marker.asidePath ?? freeName(now)
    try marker.write(asidePath: aside)
    for suffix in Self.suffixes where unsafe access(aside + suffix, F_OK) != 0 {
      // Once the old file is aside, a file in its place is from an earlier try.
      _ = try DurableFiles.move(path + suffix, to: aside + suffix)
    }
    try DurableFiles.syncFolder(of: path)
    try DurableFiles.replace(path, with: draft.file)
    try marker.remove()
  }

  /// The suffixes of a ledger's files, the file itself last: once it is aside, all are.
  private static let suffixes = ["-wal", "-shm", "-journal", ""]

  /// The name under which the old ledger will be kept.
  public func asideName(at now: Timestamp) -> String { marker.asidePath ?? freeName(now) }

  private func freeName(_ now: Timestamp) -> String {
    let digits = now.description.prefix(19).filter { $0.isNumber || $0 == "T" }
    let base = "\(path).damaged-\(digits)Z"
    let names = [base] + (2...1000).map { "\(base)-\($0)" }
    return names.first { name in Self.suffixes.allSatisfy { unsafe access(name + $0, F_OK) != 0 } } ?? base
  }
}

extension SalvageReader {
  /// The time from which on orders took part, as far as it was settled.
  var start: Timestamp? {
    let progress = fact("intake").flatMap { try? JSONDecoder().decode(IntakeProgress.self, from: Data($0.utf8)) }
    return progress?.takesOrdersFrom
  }
}
