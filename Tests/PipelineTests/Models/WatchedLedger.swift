import Conversions
import Ledger
import Synchronization
import TestHosts

/// A real ledger whose transactions a test can count, fail, and look in between of.
final class WatchedLedger: LedgerStore {
  /// A way in which a transaction fails.
  enum Fault: Sendable {
    /// Nothing of it is kept.
    case before
    /// All of it is kept, and the caller is told that it failed.
    case after
  }

  struct State {
    var count = 0
    /// The faults of the next transactions, one each.
    var faults: [Fault?] = []
    /// The size that the ledger tells; nil for its real one.
    var size: Int64?
    /// Fails every transaction.
    var isFull = false
    /// As if the process were gone: nothing is read or written any more.
    var isDead = false
    var chance: (generator: SeededGenerator, probability: Double)?
    /// Called before each transaction with its number.
    var before: (@Sendable (Int) async -> Void)?
  }

  static let diskFull = LedgerFailure(.diskFull, "ledger: database or disk is full (SQLite 13)")

  private let opened: Mutex<SQLiteLedger?>
  let state = Mutex(State())
  private let activity: Activity

  init(_ base: SQLiteLedger, _ activity: Activity) {
    opened = Mutex(base)
    self.activity = activity
  }

  /// The ledger itself, for a test's own looks.
  var base: SQLiteLedger {
    get throws {
      guard let base = opened.withLock({ $0 }) else { throw LedgerFailure(.other, "closed by the test") }
      return base
    }
  }

  /// Closes the file and lets go of its lock.
  func close() throws {
    try base.close()
    opened.withLock { $0 = nil }
  }

  var changes: UInt64 { (try? base.changes) ?? 0 }

  func knownKeys() async throws -> KnownKeys {
    activity.begin()
    defer { activity.end() }
    return try await base.knownKeys()
  }

  func size(foldingAbove limit: Int64) async throws -> Int64 {
    activity.begin()
    defer { activity.end() }
    if let size = state.withLock({ $0.size }) { return size }
    return try await base.size(foldingAbove: limit)
  }

  func transaction<Value: Sendable>(
    _ body: @escaping @Sendable (any LedgerTransaction) throws -> Value
  ) async throws -> Value {
    activity.begin()
    defer { activity.end() }
    let (number, hook, fault, isDead) = state.withLock { state in
      state.count += 1
      return (state.count, state.before, state.nextFault(), state.isDead)
    }
    if isDead { throw CancellationError() }
    if let hook { await hook(number) }
    if fault == .before { throw Self.diskFull }
    let value = try await base.transaction(body)
    if fault == .after { throw Self.diskFull }
    return value
  }
}

extension WatchedLedger.State {
  fileprivate mutating func nextFault() -> WatchedLedger.Fault? {
    if isFull { return .before }
    if !faults.isEmpty { return faults.removeFirst() }
    guard var drawn = chance else { return nil }
    defer { chance = drawn }
    guard drawn.generator.chance(drawn.probability) else { return nil }
    return drawn.generator.chance(0.5) ? .before : .after
  }
}
