import Conversions
import GRDB
import GRDBSQLite
import Testing

@testable import Ledger

/// SQLite's planner has no statistics, and left alone it would look for one order among all of its outcome: what is
/// done for each order, or each referral, must be no more work in a large ledger than in a small one.
@Suite struct WorkTests {
  private typealias Step = @Sendable (SQLiteTransaction) throws -> Void

  /// As many orders again in each of these states: waiting without a referral, waiting behind another one's, queued,
  /// reported, to be decided. Theirs are the keys from 1, 1001, 2001 ... in this order, whatever the size.
  private static let span = 10_000

  private static func ledger(_ size: Int, _ fixture: LedgerFixture) async throws -> SQLiteLedger {
    let ledger = try fixture.open()
    try await ledger.settleCatchUp()
    try await ledger.transaction { tx in
      for state in 0..<5 {
        for number in 1...size {
          let key = state * span + number
          let mail = "friend\(key)@example.com"
          if state > 0 { _ = try tx.record(makeReferral("r\(key)", email: mail, external: "x\(key)"), seenAt: epoch) }
          let order = makeOrder(key, email: mail, external: "x\(key)")
          var decision = Decision(.waiting, reason: DecisionReason.noReferralYet)
          switch state {
          case 1: decision.referralID = ReferralID("r\(2 * span + number)")
          case 2, 3: decision = .queued("r\(key)")
          case 4: decision.lookAgainAt = epoch
          default: break
          }
          let entry = try tx.insert(.readable(order), decision, seenAt: epoch, isBackfill: number % 2 == 0)
          guard state == 3 else { continue }
          try send(tx, entry, order, .reported)
        }
      }
    }
    return ledger
  }

  private static func send(
    _ tx: any LedgerTransaction, _ entry: EntryID, _ order: Order, _ next: SendResult.Next
  ) throws {
    let report = makeReport(order, "r\(order.key.text)")
    let number = try tx.beginSend(entry, report, at: epoch)
    let attempt = Attempt(
      number: number, startedAt: epoch, duration: .zero, httpStatus: 200, verdict: "reported", detail: nil)
    try tx.finishSend(
      entry, report, attempt: attempt, result: SendResult(next: next, isUnknown: false, counts: true), at: epoch)
  }

  private static func order(_ key: Int) -> Order {
    makeOrder(key, email: "friend\(key)@example.com", external: "x\(key)")
  }

  /// The first order of a state.
  private static func first(_ state: Int, _ tx: SQLiteTransaction) throws -> EntryID {
    let key = String(state * span + 1)
    return EntryID(try Int64.fetchOne(tx.db, sql: "SELECT entry FROM orders WHERE key = ?", arguments: [key]) ?? 0)
  }

  /// The steps that are taken for one order or referral, in the order in which they are tried.
  private static let steps: [(name: String, step: Step)] = [
    ("the head of the queue", { _ = try $0.nextToSend(at: epoch, seenUpTo: epoch, limit: 10) }),
    (
      "what follows in the queue",
      { tx in
        // Behind every live order.
        let place = QueuePlace(isBackfill: true, dueAt: epoch, entry: EntryID(0))
        _ = try tx.nextToSend(at: epoch, seenUpTo: epoch, after: place, limit: 10)
      }
    ),
    ("when the next is due", { _ = try $0.nextSendAt() }),
    ("what is to be decided", { _ = try $0.undecided(at: epoch, limit: 10) }),
    ("when that is due", { _ = try $0.nextDecisionAt() }),
    ("one order", { _ = try $0.entry(first(2, $0)) }),
    ("a row as it was", { _ = try $0.record(.readable(order(1)), seenAt: epoch, isBackfill: false) }),
    (
      "a row that changed",
      { tx in
        var changed = order(2)
        changed.status = "completed"
        _ = try tx.record(.readable(changed), seenAt: epoch, isBackfill: false)
      }
    ),
    ("a new row", { _ = try $0.record(.readable(order(9 * span)), seenAt: epoch, isBackfill: false) }),
    ("a referral as it was", { _ = try $0.record(makeReferral("r\(span + 1)"), seenAt: epoch) }),
    (
      "a new referral of one that waits",
      { _ = try $0.record(makeReferral("new", email: "friend3@example.com", external: "x3"), seenAt: epoch) }
    ),
    ("a referral that is gone", { try $0.markGone(ReferralID("r\(2 * span + 3)"), at: epoch) }),
    ("when a referral was seen", { _ = try $0.seenAt(of: ReferralID("r\(span + 1)")) }),
    ("who shares a key", { _ = try $0.referrals(sharing: order(span + 1).email, order(span + 1).externalSourceID) }),
    ("who holds a referral", { _ = try $0.holder(of: ReferralID("r\(2 * span + 1)"), except: nil) }),
    ("a decision", { try $0.decide(first(0, $0), .queued("r\(span + 1)"), at: epoch) }),
    ("a send that is put off", { try $0.postpone(first(2, $0), until: epoch, reason: "retry", detail: "") }),
    ("a send", { try send($0, first(2, $0), order(2 * span + 1), .reported) }),
    (
      "a refused one, whose rival moves up",
      { tx in
        let entry = EntryID(try first(2, tx).number + 1)
        try send(tx, entry, order(2 * span + 2), .review(.rejected))
      }
    ),
    ("sends that were interrupted", { _ = try $0.recoverInterruptedSends(at: epoch) }),
    ("the oldest referral", { _ = try $0.oldestOpenReferral() }),
    ("whether an ID is repeated", { _ = try $0.isRepeated(order(4)) }),
    ("conflicts since the last report", { _ = try $0.conflictsSinceReport(limit: 3) }),
    ("an order that leaves a count", { try $0.dismiss(first(4, $0), as: .noReferral) }),
  ]

  /// Counts the SQLite instructions that a step takes (SQLite, sqlite3_progress_handler).
  private static func work(_ step: @escaping Step, _ ledger: SQLiteLedger) async throws -> Int {
    try await ledger.transaction { transaction in
      let tx = try #require(transaction as? SQLiteTransaction)
      let counter = Counter()
      let context = unsafe Unmanaged.passUnretained(counter).toOpaque()
      let connection = try unsafe #require(tx.db.sqliteConnection)
      unsafe sqlite3_progress_handler(
        connection, 1,
        { context in
          if let context = unsafe context {
            unsafe Unmanaged<Counter>.fromOpaque(context).takeUnretainedValue().count += 1
          }
          return 0
        }, context)
      defer { unsafe sqlite3_progress_handler(connection, 0, nil, nil) }
      try step(tx)
      return counter.count
    }
  }

  private final class Counter { var count = 0 }

  @Test func nothingThatIsDoneForOneOrderGrowsWithTheLedger() async throws {
    let (small, large) = (try LedgerFixture(), try LedgerFixture())
    let (few, many) = (try await Self.ledger(20, small), try await Self.ledger(1000, large))
    for (name, step) in Self.steps {
      let (least, most) = (try await Self.work(step, few), try await Self.work(step, many))
      #expect(least > 0)
      #expect(most <= least + 100, "\(name): \(least) instructions, and \(most) with fifty times as many orders")
    }
  }
}
