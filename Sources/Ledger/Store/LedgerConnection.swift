public import Conversions
import Dispatch
import Foundation
import GRDB
import Synchronization

/// The one connection to a ledger's file, and the one in its place after a failure of the file system.
///
/// After a failed fsync(2) Linux calls the pages clean that it could not write: to sync them again succeeds and means
/// nothing, and what is read comes from memory, not from the disk (PostgreSQL's "fsyncgate", 2018; SQLite, How To
/// Corrupt, 4.1). So a connection that met an I/O error is not used again. The file is opened anew, which recovers the
/// write-ahead log as it is; the log is folded into the ledger, which writes all of it to other pages, and syncs those;
/// and only when that and a write of the new connection's own have succeeded, and the ledger was looked through, does
/// anything else run on it. Until then every transaction fails, and its caller may try it again.
///
/// Damage is for ever: every transaction fails once it is met, as a write to a damaged file may damage it further.
final class LedgerConnection: Sendable {
  private enum State: Sendable {
    case open(GroupCommit)
    /// Not to be used any more; nil once it is closed.
    case distrusted(DatabaseQueue?)
    /// The connection is kept, as something may still run on it.
    case damaged(LedgerFailure, DatabaseQueue?)
    case closed
  }

  /// A file's identity: a ledger must not begin anew in an empty file that stands where it was.
  private struct FileNumber: Equatable {
    var device: UInt64
    var inode: UInt64
  }

  private let path: String
  private let state: Mutex<State>
  /// The file's identity; nil for a file that is no file of the kernel's.
  private let number: FileNumber?
  /// The schedule of blocking work: opening waits for the disk, and for what is under way on the old connection.
  private let schedule: LedgerSchedule
  private let damage = AsyncStream.makeStream(of: LedgerFailure.self, bufferingPolicy: .bufferingNewest(1))

  /// Opens a ledger's file.
  init(path: String, schedule: LedgerSchedule) throws(LedgerFailure) {
    (self.path, self.schedule) = (path, schedule)
    let queue = try SQLiteLedger.connect(path: path)
    try SQLiteLedger.migrate(queue, path: path)
    state = Mutex(.open(GroupCommit(queue, schedule: schedule.commit)))
    number = Self.number(of: path)
  }

  /// The connection to use now, by its commits.
  ///
  /// - Throws: `LedgerFailure` where there is none that can be trusted.
  var commits: GroupCommit {
    get async throws {
      if case .open(let commits) = state.withLock({ $0 }) { return commits }
      return try await withCheckedThrowingContinuation { continuation in
        schedule.open { continuation.resume(with: Result { try self.current() }) }
      }
    }
  }

  /// True while the current connection can be used.
  var isOpen: Bool {
    if case .open = state.withLock({ $0 }) { true } else { false }
  }

  /// Takes in what a failure says of the connection that it was met on.
  func heed(_ failure: LedgerFailure) {
    let (isNews, former) = state.withLock { state -> (Bool, DatabaseQueue?) in
      switch (failure.kind, state) {
      case (.damaged, .open(let commits)):
        state = .damaged(failure, commits.queue)
        return (true, commits.queue)
      case (.damaged, .distrusted(let queue)):
        state = .damaged(failure, queue)
        return (true, queue)
      case (.io, .open(let commits)), (.permission, .open(let commits)): state = .distrusted(commits.queue)
      default: break
      }
      return (false, nil)
    }
    guard isNews else { return }
    // Not at once, as this may be called in the middle of its work.
    former?.asyncWriteWithoutTransaction { $0.keepLog(true) }
    damage.continuation.yield(failure)
  }

  /// Returns once damage is met; nil where the task is cancelled before.
  func damaged() async -> LedgerFailure? {
    for await failure in damage.stream { return failure }
    return nil
  }

  /// Closes the file after what is under way.
  func close() throws {
    let state = state.withLock { state in
      defer { state = .closed }
      return state
    }
    switch state {
    case .open(let commits): try commits.queue.close()
    case .distrusted(let queue?): try queue.close()
    case .distrusted(nil), .damaged, .closed: break
    }
  }

  /// Returns the commits to use now; runs one at a time.
  private func current() throws -> GroupCommit {
    switch state.withLock({ $0 }) {
    case .open(let commits): return commits
    case .damaged(let failure, _): throw failure
    case .closed: throw LedgerFailure(.other, "\(path) was closed")
    case .distrusted(let former):
      // Two connections of one process would be in each other's way, so one that can't be closed is waited for.
      do { try former?.close() } catch let error as DatabaseError { throw LedgerFailure(error) }
      state.withLock { if case .distrusted = $0 { $0 = .distrusted(nil) } }
      let commits = GroupCommit(try anew(), schedule: schedule.commit)
      return try state.withLock { state in
        guard case .distrusted = state else { throw LedgerFailure(.other, "\(path) was closed") }
        state = .open(commits)
        return commits
      }
    }
  }

  private func anew() throws -> DatabaseQueue {
    if let number {
      guard let found = Self.number(of: path) else { throw LedgerFailure(fileError: errno, doing: "open", path) }
      guard found == number else { throw LedgerFailure(.other, "another file stands in the place of \(path)") }
    }
    do {
      let queue = try SQLiteLedger.connect(path: path)
      try queue.writeWithoutTransaction { db in
        try db.checkpoint(.truncate)
        // The smallest write there is: the value stays the same.
        let version = try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0
        try db.execute(sql: "PRAGMA user_version = \(version)")
      }
      try SQLiteLedger.migrate(queue, path: path)
      return queue
    } catch {
      let failure = LedgerFailure(opening: path, error)
      if failure.kind == .damaged { heed(failure) }
      throw failure
    }
  }

  private static func number(of path: String) -> FileNumber? {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else { return nil }
    return FileNumber(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
  }
}

extension SQLiteLedger {
  /// The connection to use now.
  var queue: DatabaseQueue {
    get async throws { try await connection.commits.queue }
  }

  /// Takes in what a failed transaction says of the connection; to be called on the connection's own queue, so that
  /// nothing else runs on it before.
  func heeded(_ error: any Error) -> GroupCommit.Heeded {
    var failure = (error as? LedgerFailure) ?? (error as? DatabaseError).map { LedgerFailure($0) }
    if error is RowDecodingError { failure = LedgerFailure(.damaged, "a value of another kind than a ledger holds") }
    if failure?.kind == .damaged, let words = failure?.description, !words.hasPrefix(path) {
      failure = LedgerFailure(.damaged, "\(path) is damaged: \(words)")
    }
    if let failure { connection.heed(failure) }
    return GroupCommit.Heeded(error: failure ?? error, isOver: !connection.isOpen)
  }

  /// Returns once the ledger turns out to be damaged while it is in use; nil where the task is cancelled before.
  public func damage() async -> LedgerFailure? { await connection.damaged() }
}

/// The schedule of a ledger's blocking work: on queues of its own, as soon as it can be, but in a simulation.
struct LedgerSchedule: Sendable {
  /// Schedules the next group of a connection: `commitNext` is called once for each call of this.
  var commit: @Sendable (GroupCommit) -> Void = { commits in
    commits.queue.asyncWriteWithoutTransaction { commits.commitNext($0) }
  }
  /// Runs work that waits for the disk, and for what is under way on a former connection; one at a time.
  var open: @Sendable (@escaping @Sendable () -> Void) -> Void = { work in opening.async(execute: work) }

  private static let opening = DispatchQueue(label: "ledger.opening")
}
