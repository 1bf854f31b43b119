import Conversions
import GRDB
import Synchronization

/// Transactions that share a commit: what waits while one commit is being synced to the disk is run in the next one
/// together, each in a savepoint of its own, so that sixteen sends at once cost a few syncs and not thirty-two.
///
/// Each is as it would be by itself: it sees what those before it did, it alone is undone when its body throws, and it
/// is told that it is done only once the commit that holds it is durable. Where that commit fails, all of them fail.
final class GroupCommit: Sendable {
  /// The most that share a commit: a long one holds up whoever comes next.
  private static let groupMax = 64

  /// One transaction that waits for its turn.
  struct Job: Sendable {
    /// Runs the body in a transaction or a savepoint; keeps its result, and throws what it threw.
    let run: @Sendable (Database) throws -> Void
    /// Takes in, on the connection's queue, what its failure says of the connection.
    let heed: @Sendable (any Error) -> Heeded
    /// Tells the result, or the failure of the commit.
    let end: @Sendable ((any Error)?) -> Void
  }

  /// What a failure comes to.
  struct Heeded {
    /// What is told of it.
    let error: any Error
    /// Whether nothing more may run on the connection.
    let isOver: Bool
  }

  private struct State {
    var waiting: [Job] = []
    var isScheduled = false
    /// Why nothing runs any more.
    var end: (any Error)?
  }

  let queue: DatabaseQueue
  private let state = Mutex(State())
  private let schedule: @Sendable (GroupCommit) -> Void

  /// Commits on a connection, each when `schedule` says.
  init(_ queue: DatabaseQueue, schedule: @escaping @Sendable (GroupCommit) -> Void) {
    (self.queue, self.schedule) = (queue, schedule)
  }

  /// Has a transaction run with the next commit.
  func add(_ job: Job) {
    let (isFirst, end) = state.withLock { state -> (Bool, (any Error)?) in
      if let end = state.end { return (false, end) }
      state.waiting.append(job)
      defer { state.isScheduled = true }
      return (!state.isScheduled, nil)
    }
    if let end { return job.end(end) }
    if isFirst { schedule(self) }
  }

  /// Whether anybody waits.
  var hasWaiting: Bool { state.withLock { !$0.waiting.isEmpty } }

  /// Commits the next group on the caller's thread.
  func commitNext() { queue.writeWithoutTransaction(commitNext) }

  /// Commits a group, and has the next one scheduled behind whatever else waits for the connection.
  func commitNext(_ db: Database) {
    // Whoever is told may close the ledger, or drop it: nothing of the group is kept by then.
    for tell in commit(takeGroup(), db) { tell() }
    let hasMore = state.withLock { state in
      state.isScheduled = !state.waiting.isEmpty
      return state.isScheduled
    }
    if hasMore { schedule(self) }
  }

  private func takeGroup() -> [Job] {
    state.withLock { state in
      let group = Array(state.waiting.prefix(Self.groupMax))
      state.waiting.removeFirst(group.count)
      return group
    }
  }

  /// Runs a group in one transaction.
  ///
  /// - Returns: What tells each how it went.
  private func commit(_ group: [Job], _ db: Database) -> [() -> Void] {
    guard let first = group.first else { return [] }
    var tells: [() -> Void] = []
    var (done, untried): ([Job], ArraySlice<Job>) = ([], group[...])
    do {
      try db.inTransaction(.immediate) {
        while let job = untried.first {
          if group.count == 1 {
            try job.run(db)
            done.append(job)
          } else if let error = try runInSavepoint(job, db) {
            tells.append { [end = job.end] in end(error) }
          } else {
            done.append(job)
          }
          untried.removeFirst()
        }
        return .commit
      }
      return tells + done.map { job in { [end = job.end] in end(nil) } }
    } catch {
      let heeded = first.heed(error)
      if heeded.isOver { untried += endAll(heeded.error) }
      return tells + (done + untried).map { job in { [end = job.end] in end(heeded.error) } }
    }
  }

  /// Runs one of several, which is undone by itself where it fails.
  ///
  /// - Returns: What it failed with.
  /// - Throws: What the whole group fails with: it rolled all of it back, as a full disk may (SQLite, Result Codes,
  ///   SQLITE_FULL), or the connection is not to be used any more.
  private func runInSavepoint(_ job: Job, _ db: Database) throws -> (any Error)? {
    do {
      try db.inSavepoint {
        try job.run(db)
        return .commit
      }
      return nil
    } catch {
      let heeded = job.heed(error)
      guard db.isInsideTransaction, !heeded.isOver else { throw error }
      return heeded.error
    }
  }

  /// Nothing runs any more; returns who still waits.
  private func endAll(_ error: any Error) -> [Job] {
    state.withLock { state in
      defer { state.waiting = [] }
      state.end = error
      return state.waiting
    }
  }
}
