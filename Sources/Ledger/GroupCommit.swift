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
    /// Tells the result, or the failure of the commit.
    let end: @Sendable ((any Error)?) -> Void
  }

  private struct State {
    var waiting: [Job] = []
    var isScheduled = false
  }

  private let state = Mutex(State())
  /// Has `commitNext` called, soon: once for each time that it is asked.
  typealias Schedule = @Sendable (GroupCommit) -> Void

  private let queue: DatabaseQueue
  private let schedule: Schedule

  /// Commits groups on a connection: as soon as it is free, but in a simulation, which has a `schedule` of its own.
  init(
    _ queue: DatabaseQueue,
    schedule: @escaping Schedule = { commits in commits.queue.asyncWriteWithoutTransaction(commits.commitNext) }
  ) {
    self.queue = queue
    self.schedule = schedule
  }

  /// Has a transaction run with the next commit.
  func add(_ job: Job) {
    let isFirst = state.withLock { state in
      state.waiting.append(job)
      defer { state.isScheduled = true }
      return !state.isScheduled
    }
    if isFirst { schedule(self) }
  }

  /// Whether anybody waits.
  var hasWaiting: Bool { state.withLock { !$0.waiting.isEmpty } }

  /// Commits the next group on the caller's thread.
  func commitNext() { queue.writeWithoutTransaction(commitNext) }

  /// Runs a group, and has the next one scheduled behind whatever else waits for the connection.
  private func commitNext(_ db: Database) {
    let group = state.withLock { state in
      let group = Array(state.waiting.prefix(Self.groupMax))
      state.waiting.removeFirst(group.count)
      return group
    }
    if !group.isEmpty { Self.commit(group, db) }
    let hasMore = state.withLock { state in
      state.isScheduled = !state.waiting.isEmpty
      return state.isScheduled
    }
    if hasMore { schedule(self) }
  }

  private static func commit(_ group: [Job], _ db: Database) {
    var (done, untried): ([Job], ArraySlice<Job>) = ([], group[...])
    do {
      try db.inTransaction(.immediate) {
        while let job = untried.first {
          if group.count == 1 {
            try job.run(db)
            done.append(job)
          } else if try runInSavepoint(job, db) {
            done.append(job)
          }
          untried.removeFirst()
        }
        return .commit
      }
      for job in done { job.end(nil) }
    } catch {
      for job in done + untried { job.end(error) }
    }
  }

  /// False for one that failed by itself, which is undone and told so.
  ///
  /// - Throws: What rolled back the whole transaction, as a full disk may (SQLite, Result Codes, SQLITE_FULL).
  private static func runInSavepoint(_ job: Job, _ db: Database) throws -> Bool {
    do {
      try db.inSavepoint {
        try job.run(db)
        return .commit
      }
      return true
    } catch {
      guard db.isInsideTransaction else { throw error }
      job.end(error)
      return false
    }
  }
}
