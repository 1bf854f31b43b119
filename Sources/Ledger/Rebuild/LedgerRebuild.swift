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
/// Holds the ledger's lock for as long as it lives. All of the work is done on copies until `replace`.
public final class LedgerRebuild {
  /// The ledger's path.
  public var path: String { replacement.path }
  /// The damage to it, in words; nil where it is whole.
  public let damage: String?
  private let replacement: LedgerReplacement

  /// Takes the lock, copies the ledger and looks through the copy.
  ///
  /// - Parameters:
  ///   - path: The ledger.
  ///   - now: Wall-clock time.
  /// - Throws: `LedgerFailure`: `locked` while a daemon has it, `newer` where it is not damaged, `diskFull` where there
  ///   is no room for the copy, `other` where there is no ledger.
  public init(path: String, now: Timestamp) async throws(LedgerFailure) {
    replacement = try LedgerReplacement(path: path, label: "damaged", now: now)
    let copy = replacement.scratch + "/old.sqlite"
    guard try replacement.copyFormer(to: copy) else { throw LedgerFailure(.other, "there is no ledger \(path)") }
    damage =
      replacement.wasInterrupted
      ? "a rebuild, or a restore, of it was interrupted" : try await Self.damage(of: copy, path)
  }

  /// Returns true if there is a ledger, or what an interrupted rebuild left of one.
  public static func isThere(_ path: String) -> Bool {
    unsafe access(path, F_OK) == 0 || RebuildMarker(ledgerPath: path).exists
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
    let (old, new) = (replacement.scratch + "/old.sqlite", replacement.scratch + "/new.sqlite")
    do {
      for suffix in ["", "-wal", "-shm", ".lock"] { unlinkIfThere(new + suffix) }
      do { try SQLiteLedger(path: new).close() }
      let queue = try SQLiteLedger.connect(path: new)
      var salvage = Salvage()
      var progress = IntakeProgress()
      let quietUntil = progress.keepQuiet(after: replacement.writtenAt, timeout: timeout)
      if let reading = openOld(old) {
        salvage = try SalvageKeeper(reading, into: queue).keep()
        (progress.takesOrdersFrom, progress.acceptedFrom) = (
          reading.intake?.takesOrdersFrom, reading.intake?.acceptedFrom
        )
        progress.aliveAt = replacement.writtenAt
        reading.close()
      } else {
        salvage.tables = ["orders", "settled", "forgotten", "acts"]
      }
      // Orders that were lost may have been sent at any time.
      if !salvage.isComplete { progress.unknownFrom = Timestamp(microseconds: 0) }
      if !salvage.isComplete { progress.unknownTo = replacement.writtenAt }
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
        salvage: salvage, quietUntil: quietUntil, knowsStart: progress.takesOrdersFrom != nil, file: new)
    } catch {
      throw LedgerFailure(opening: new, error)
    }
  }

  /// Opens the old one with its log if that can be, else without it.
  private func openOld(_ old: String) -> SalvageReader? {
    if let reading = SalvageReader(copyPath: old) { return reading }
    unlinkIfThere(old + "-wal")
    return SalvageReader(copyPath: old)
  }

  private func unlinkIfThere(_ path: String) { unsafe unlink(path) }

  /// Puts the new ledger in the old one's place, whose files are kept aside. If it is interrupted anywhere, a mark is
  /// left that keeps a daemon from starting, and from which the next rebuild goes on.
  ///
  /// - Parameters:
  ///   - draft: The new ledger.
  ///   - now: Wall-clock time, for the name.
  /// - Throws: `LedgerFailure`.
  public func replace(with draft: Draft, at now: Timestamp) throws(LedgerFailure) {
    try replacement.replace(with: draft.file, at: now)
  }

  /// The name under which the old ledger will be kept.
  public func asideName(at now: Timestamp) -> String { replacement.asideName(at: now) }
}

extension SalvageReader {
  /// The state of the intake.
  var intake: IntakeProgress? {
    fact("intake").flatMap { try? JSONDecoder().decode(IntakeProgress.self, from: Data($0.utf8)) }
  }
}
