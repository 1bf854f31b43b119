public import Conversions
import Foundation
import GRDB

/// A backup in the place of a ledger, or of none: the former one's files are kept aside.
///
/// A backup doesn't know what was sent since. The API does, and shows it: an order whose referral is converted is not
/// sent again. The former ledger's last request may still be on its way, so nothing that was never sent is sent before
/// a complete sweep of the referrals that began when that must have ended (`IntakeProgress.quietUntil`). All that the
/// API can't tell, and the former ledger can, is carried over: people who were forgotten, and operators' acts.
///
/// Holds the ledger's lock for as long as it lives. All of the work is done on copies until `replace`.
public final class LedgerRestore {
  /// The time by which a file's time may be behind the clock that its content tells.
  private static let clockGrain = Duration.seconds(1)

  /// The ledger's path.
  public var path: String { replacement.path }
  /// The reason why the former ledger can't be read; nil where it can, or where there is none.
  public private(set) var formerFailure: String?
  /// True if there is a former ledger.
  public let hasFormer: Bool
  private let backup: SQLiteLedger
  private let replacement: LedgerReplacement
  private let files: (former: String, restored: String)

  /// Takes the lock, copies the ledger and the backup, and looks through both.
  ///
  /// - Parameters:
  ///   - path: The ledger.
  ///   - source: The backup.
  ///   - now: Wall-clock time.
  /// - Throws: `LedgerFailure`: `locked` while a daemon has the ledger; `damaged`, `newer` or `otherSource`, with the
  ///   backup's path, for one that can't be taken.
  public init(path: String, source: BackupSource, now: Timestamp) async throws(LedgerFailure) {
    let replacement = try LedgerReplacement(path: path, label: "replaced", now: now)
    self.replacement = replacement
    files = (replacement.scratch + "/old.sqlite", replacement.scratch + "/new.sqlite")
    hasFormer = try replacement.copyFormer(to: files.former)
    try source.copy(to: files.restored)
    backup = try await Self.open(files.restored, as: source.path)
    guard hasFormer else { return }
    do throws(LedgerFailure) {
      let former = try await Self.open(files.former, as: path)
      let (mine, theirs) = (try await Self.source(of: former, path), try await Self.source(of: backup, path))
      try? former.close()
      try Self.refuseOther(mine, theirs, source.path)
    } catch {
      guard [.damaged, .newer].contains(error.kind) else { throw error }
      formerFailure = error.description
    }
  }

  /// Opens a copy, and looks through it.
  private static func open(_ copy: String, as path: String) async throws(LedgerFailure) -> SQLiteLedger {
    do {
      let queue = try SQLiteLedger.connect(path: copy)
      // An empty file would be made a ledger.
      try await queue.read { db in try SQLiteLedger.refuseOthers(db, path: path) }
      try queue.close()
      let ledger = try SQLiteLedger(path: copy)
      if let fault = try await ledger.integrityFaults().first {
        throw LedgerFailure(.damaged, "\(path) is damaged: \(fault)")
      }
      return ledger
    } catch {
      throw LedgerFailure(opening: copy, as: path, error)
    }
  }

  private typealias Source = (configured: ConfiguredSource?, surveyed: SurveyedSource?)

  private static func source(of ledger: SQLiteLedger, _ path: String) async throws(LedgerFailure) -> Source? {
    do { return try await ledger.knownSource() } catch { throw LedgerFailure(opening: path, error) }
  }

  /// Refuses a backup of another shop's orders.
  private static func refuseOther(_ mine: Source?, _ theirs: Source?, _ path: String) throws(LedgerFailure) {
    guard let mine, let theirs else { return }
    var changes: [SourceChange] = []
    if let known = mine.configured, let found = theirs.configured { changes = known.changes(to: found) }
    if let known = mine.surveyed, let found = theirs.surveyed { changes += known.changes(to: found) }
    guard !changes.isEmpty else { return }
    let words = changes.map { "\($0.setting) is \($0.old) in the ledger and \($0.new) in the backup" }
    throw LedgerFailure(
      .otherSource,
      "\(path) is of other orders than the ledger: \(words.joined(separator: "; ")); move the ledger's files away "
        + "yourself if it is to be restored all the same")
  }
}

extension LedgerRestore {
  /// The restored ledger, ready to be put in place.
  public struct Draft: Sendable {
    /// The content of the backup.
    public var content: LedgerSummary
    /// All that happened since, and what of it goes with the restored ledger; nil where the former ledger can't tell.
    public var since: SinceBackup?
    /// The time of which the restored ledger knows nothing.
    public var unknown: ClosedRange<Timestamp>
    /// The time before which nothing is sent that was never sent.
    public var quietUntil: Timestamp
    fileprivate var file: String
  }

  /// Makes the restored ledger, still in its own folder. To be called once.
  ///
  /// - Parameters:
  ///   - timeout: The longest time that a request of the daemon's may last.
  ///   - now: Wall-clock time.
  /// - Returns: The restored ledger, not in place yet.
  /// - Throws: `LedgerFailure`.
  public func draft(timeout: Duration, at now: Timestamp) async throws(LedgerFailure) -> Draft {
    do {
      let content = try await backup.queue.read(LedgerSummary.init)
      let isReadable = hasFormer && formerFailure == nil
      let since = isReadable ? try await backup.carryOver(from: files.former, at: now) : nil
      let begin = min(content.lastWrite ?? now, now)
      // One that was last written before the backup is not what the backup's daemon went on with.
      let isSuccessor = hasFormer && replacement.writtenAt + Self.clockGrain >= begin
      let unknown = begin...(isSuccessor ? max(begin, replacement.writtenAt) : now)
      let quietUntil = try await keepQuiet(unknown, timeout: timeout)
      _ = try await backup.queue.writeWithoutTransaction { db in try db.checkpoint(.truncate) }
      try backup.close()
      return Draft(content: content, since: since, unknown: unknown, quietUntil: quietUntil, file: files.restored)
    } catch {
      throw LedgerFailure(opening: path, error)
    }
  }

  /// Notes the time of which the restored ledger knows nothing, and the wait that follows from it.
  private func keepQuiet(_ unknown: ClosedRange<Timestamp>, timeout: Duration) async throws -> Timestamp {
    var progress = try await backup.transaction { try $0.intakeProgress() }
    let quietUntil = progress.keepQuiet(after: unknown.upperBound, timeout: timeout)
    progress.noteGap(since: unknown.lowerBound, until: unknown.upperBound)
    // An end of the wait that the backup had seen is of an earlier one.
    progress.caughtUpAt = nil
    try await backup.transaction { [progress] in try $0.setIntakeProgress(progress) }
    return quietUntil
  }

  /// Puts the restored ledger in place of the former one, whose files are kept aside. If it is interrupted anywhere, a
  /// mark is left that keeps a daemon from starting, and from which the next restore, or rebuild, goes on.
  ///
  /// - Parameters:
  ///   - draft: The restored ledger.
  ///   - now: Wall-clock time, for the name.
  /// - Throws: `LedgerFailure`.
  public func replace(with draft: Draft, at now: Timestamp) throws(LedgerFailure) {
    try replacement.replace(with: draft.file, at: now)
  }

  /// The name under which the former ledger will be kept; nil where there is none.
  public func asideName(at now: Timestamp) -> String? { hasFormer ? replacement.asideName(at: now) : nil }
}
