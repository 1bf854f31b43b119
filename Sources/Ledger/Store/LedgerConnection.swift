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
    case open(DatabaseQueue)
    /// Not to be used any more, by the failure; nil once it is closed.
    case distrusted(LedgerFailure, DatabaseQueue?)
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
    state = Mutex(.open(queue))
    number = Self.number(of: path)
  }

  /// The connection to use now.
  ///
  /// - Throws: `LedgerFailure` where there is none that can be trusted.
  var queue: DatabaseQueue {
    get async throws {
      if case .open(let queue) = state.withLock({ $0 }) { return queue }
      return try await withCheckedThrowingContinuation { continuation in
        schedule.open { continuation.resume(with: Result { try self.current() }) }
      }
    }
  }

  /// Runs `work` on a connection after all that waits for it already.
  func schedule(_ work: @escaping @Sendable (Database) -> Void, on queue: DatabaseQueue) {
    schedule.commit(queue, work)
  }

  /// Checks that nothing has ended a connection since its work was scheduled.
  ///
  /// - Throws: The `LedgerFailure` that ended it.
  func check(_ queue: DatabaseQueue) throws {
    switch state.withLock({ $0 }) {
    case .open(let current) where current === queue: return
    case .distrusted(let failure, _), .damaged(let failure, _): throw failure
    // A connection that was opened since then is another one.
    case .open: throw LedgerFailure(.io, "\(path) was opened anew")
    case .closed: throw LedgerFailure(.other, "\(path) was closed")
    }
  }

  /// Takes in what a failure says of the connection that it was met on.
  func handle(_ failure: LedgerFailure) {
    let (isNews, former) = state.withLock { state -> (Bool, DatabaseQueue?) in
      switch (failure.kind, state) {
      case (.damaged, .open(let queue)):
        state = .damaged(failure, queue)
        return (true, queue)
      case (.damaged, .distrusted(_, let queue)):
        state = .damaged(failure, queue)
        return (true, queue)
      case (.io, .open(let queue)), (.permission, .open(let queue)): state = .distrusted(failure, queue)
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
    case .open(let queue), .distrusted(_, let queue?): try queue.close()
    case .distrusted(_, nil), .damaged, .closed: break
    }
  }

  /// Returns the connection to use now; runs one at a time.
  private func current() throws -> DatabaseQueue {
    switch state.withLock({ $0 }) {
    case .open(let queue): return queue
    case .damaged(let failure, _): throw failure
    case .closed: throw LedgerFailure(.other, "\(path) was closed")
    case .distrusted(let failure, let former):
      // Two connections of one process would be in each other's way, so one that can't be closed is waited for.
      do { try former?.close() } catch let error as DatabaseError { throw LedgerFailure(error) }
      state.withLock { if case .distrusted = $0 { $0 = .distrusted(failure, nil) } }
      let queue = try anew()
      return try state.withLock { state in
        guard case .distrusted = state else { throw LedgerFailure(.other, "\(path) was closed") }
        state = .open(queue)
        return queue
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
      if failure.kind == .damaged { handle(failure) }
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
    get async throws { try await connection.queue }
  }

  /// Takes in what a failed transaction says of the connection; to be called on the connection's own queue, so that
  /// nothing else runs on it before.
  ///
  /// - Returns: The error for the caller.
  func handle(_ error: any Error) -> any Error {
    var failure = (error as? LedgerFailure) ?? (error as? DatabaseError).map { LedgerFailure($0) }
    if error is RowDecodingError { failure = LedgerFailure(.damaged, "a value of another kind than a ledger holds") }
    if failure?.kind == .damaged, let words = failure?.description, !words.hasPrefix(path) {
      failure = LedgerFailure(.damaged, "\(path) is damaged: \(words)")
    }
    if let failure { connection.handle(failure) }
    return failure ?? error
  }

  /// Returns once the ledger turns out to be damaged while it is in use; nil where the task is cancelled before.
  public func damage() async -> LedgerFailure? { await connection.damaged() }
}

/// The schedule of a ledger's blocking work: on queues of its own, as soon as it can be, but in a simulation.
struct LedgerSchedule: Sendable {
  /// Runs a transaction on a connection, one after the other as they were given.
  var commit: @Sendable (DatabaseQueue, @escaping @Sendable (Database) -> Void) -> Void = { queue, work in
    queue.asyncWriteWithoutTransaction(work)
  }
  /// Runs work that waits for the disk, and for what is under way on a former connection; one at a time.
  var open: @Sendable (@escaping @Sendable () -> Void) -> Void = { work in opening.async(execute: work) }

  private static let opening = DispatchQueue(label: "ledger.opening")

  /// Runs a transaction on the caller's thread.
  static func commitNow(_ queue: DatabaseQueue, _ work: (Database) -> Void) { queue.writeWithoutTransaction(work) }
}
