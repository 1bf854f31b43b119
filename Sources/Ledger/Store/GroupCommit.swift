import Conversions
import GRDB
import Synchronization

/// Transactions that share a commit: what waits while one commit is being synced to the disk is run in the next one
/// together, so that sixteen sends at once cost a few syncs and not thirty-two.
///
/// Each is as it would be by itself: it sees what those before it did, it alone is undone when its body throws, and it
/// is told that it is done only once the commit that holds it is durable. Where that commit fails, all of them fail.
/// A body may run more than once, as if it had not run before.
final class GroupCommit: Sendable {
  /// The most transactions in one commit: a long commit holds up those after it.
  private static let groupMax = 256

  /// One transaction that waits for its turn.
  struct Job: Sendable {
    /// Runs the body; keeps its result, and throws what it threw.
    let run: @Sendable (Database, HotStatements) throws -> Void
    /// Takes in, on the connection's queue, what its failure says of the connection.
    let heed: @Sendable (any Error) -> Heeded
    /// Tells the result, or the failure of the commit.
    let end: @Sendable ((any Error)?) -> Void
  }

  /// The consequence of a failure.
  struct Heeded {
    /// The error that the callers get.
    let error: any Error
    /// True if nothing more may run on the connection.
    let isOver: Bool
  }

  private struct State {
    var waiting: [Job] = []
    var isScheduled = false
    /// The error after which nothing runs any more.
    var end: (any Error)?
  }

  let queue: DatabaseQueue
  private let state = Mutex(State())
  private let schedule: @Sendable (GroupCommit) -> Void

  /// Commits on a connection, each when `schedule` says.
  init(_ queue: DatabaseQueue, schedule: @escaping @Sendable (GroupCommit) -> Void) {
    (self.queue, self.schedule) = (queue, schedule)
  }

  /// Queues a transaction for the next commit.
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

  /// True while a transaction waits.
  var hasWaiting: Bool { state.withLock { !$0.waiting.isEmpty } }

  /// Commits the next group on the caller's thread.
  func commitNext() { queue.writeWithoutTransaction(commitNext) }

  /// Commits a group, and schedules the next one after all else that waits for the connection.
  func commitNext(_ db: Database) {
    // A caller that is told may close the ledger, or drop it: nothing of the group is kept by then.
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

  /// Runs a group in one transaction. Where the body of one throws, all of it is undone and the others run again
  /// without it: that is rare, and savepoints would have every page copied that each of them changes.
  ///
  /// - Returns: Closures that tell each its result or its failure.
  private func commit(_ group: [Job], _ db: Database) -> [() -> Void] {
    var (jobs, tells) = (group, [() -> Void]())
    while let first = jobs.first {
      let statements = HotStatements()
      var running: Int?
      do {
        try db.inTransaction(.immediate) {
          for (index, job) in jobs.enumerated() {
            running = index
            try job.run(db, statements)
          }
          running = nil
          return .commit
        }
        return tells + jobs.map { job in { [end = job.end] in end(nil) } }
      } catch {
        let failed = running.map { jobs.remove(at: $0) }
        let heeded = (failed ?? first).heed(error)
        if let failed { tells.append { [end = failed.end] in end(heeded.error) } }
        // The commit itself failed, or the connection is not to be used any more.
        guard failed != nil, !heeded.isOver else {
          if heeded.isOver { jobs += endAll(heeded.error) }
          return tells + jobs.map { job in { [end = job.end] in end(heeded.error) } }
        }
      }
    }
    return tells
  }

  /// Ends all runs, and fails the waiting transactions with `error`; to be called on the connection's queue.
  func end(_ error: any Error) {
    for job in endAll(error) { job.end(error) }
  }

  /// Ends all runs; returns the transactions that still wait.
  private func endAll(_ error: any Error) -> [Job] {
    state.withLock { state in
      defer { state.waiting = [] }
      state.end = error
      return state.waiting
    }
  }
}
