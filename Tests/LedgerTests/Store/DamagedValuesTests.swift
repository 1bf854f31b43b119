import Conversions
import Foundation
import GRDB
import TestHosts
import Testing

@testable import Ledger

/// Values of another kind than a ledger holds, as damage makes them that comes while it is in use, or in a ledger that
/// is too large to be looked through at its start: they are told as damage, and never end the program.
@Suite(.timeLimit(.minutes(5))) struct DamagedValuesTests {
  /// One of everything: 1 is being sent, 2 reported, 3 waits, of 4 little is left.
  private func makeLedger(_ fixture: LedgerFixture) async throws -> SQLiteLedger {
    let ledger = try fixture.open()
    for number in 1...4 {
      let order = makeOrder(number, email: "friend\(number)@example.com", external: "x\(number)")
      let referral = makeReferral("r\(number)", email: "friend\(number)@example.com", external: "x\(number)")
      _ = try await ledger.transaction { try $0.record(referral, seenAt: epoch) }
      _ = try await ledger.take([.readable(order)])
      if number % 2 == 0 { try await ledger.report(order, entry: Int64(number), referral: "r\(number)") }
    }
    _ = try await ledger.forget(EmailAddress(normalForm: "nobody@example.com"), isTrial: false, at: epoch)
    try await ledger.transaction { tx in
      try tx.decide(EntryID(1), .queued("r1"), at: epoch)
      _ = try tx.beginSend(EntryID(1), makeReport(makeOrder(1), "r1"), at: epoch)
      try tx.setRange(SweepRange(number: 1, lower: nil, upper: nil, mark: "1"))
      try tx.tally(.outsideWindow, 3)
      try tx.setSendingHalt(SendingHalt(reason: .keyRefused, detail: "refused", since: epoch))
    }
    let queue = try await ledger.queue
    try await queue.write { db in
      try db.execute(sql: "UPDATE orders SET decided_at = decided_at - 10 WHERE entry = 4")
      let tx = SQLiteTransaction(db, known: KnownKeys())
      #expect(try tx.removeFinished(decidedBefore: epoch, from: nil, limit: 10).removed == 1)
    }
    return ledger
  }

  /// Takes from the tables what keeps such values out.
  private func loosen(_ queue: DatabaseQueue) async throws {
    try await queue.writeWithoutTransaction { db in
      try db.execute(
        sql: """
          PRAGMA foreign_keys = OFF;
          PRAGMA writable_schema = ON;
          DELETE FROM sqlite_master WHERE type = 'trigger';
          UPDATE sqlite_master SET sql = replace(replace(replace(sql, ') STRICT, WITHOUT', ') WITHOUT'), ') STRICT', ')'),
            ' NOT NULL', '') WHERE type = 'table' AND name NOT LIKE 'sqlite%';
          PRAGMA writable_schema = RESET;
          """)
      db.clearSchemaCache()
    }
  }

  private static let uses: [String: @Sendable (SQLiteTransaction) throws -> Void] = [
    "known keys": { try $0.learnKeys() },
    "counts": { tx in _ = (try tx.outcomeCounts(), try tx.outcomes(since: epoch), try tx.referralCounts()) },
    "ranges": { _ = try $0.ranges() },
    "progress": { _ = (try $0.intakeProgress(), try $0.mirrorProgress(), try $0.sendingHalt()) },
    "referrals": { tx in
      _ = try tx.knownReferrals(limit: 9, seenBefore: epoch + .seconds(1))
      _ = (try tx.oldestOpenReferral(), try tx.openReferrals(unseenSince: epoch + .seconds(1), limit: 9))
      for number in 1...4 {
        let id = ReferralID("r\(number)")
        _ = (try tx.referral(id), try tx.seenAt(of: id), try tx.absentSince(id), try tx.holder(of: id, except: nil))
        _ = try tx.referrals(
          sharing: EmailAddress(normalForm: "friend\(number)@example.com"), ExternalSourceID(normalForm: "x\(number)"))
      }
    },
    "absences": { _ = try $0.noteAbsences(from: epoch + .seconds(9), mournedUntil: epoch) },
    "another answer": { _ = try $0.record(makeReferral("r3", .expired), seenAt: epoch + .seconds(9)) },
    "queues": { tx in
      _ = (try tx.undecided(at: epoch, limit: 9), try tx.nextDecisionAt(), try tx.nextSendAt())
      _ = try tx.nextToSend(at: epoch, seenUpTo: epoch, after: nil, limit: 9)
    },
    "entries": { tx in
      _ = try tx.entries(EntryFilter(outcomes: Outcome.allCases))
      for number in Int64(1)...4 { _ = (try tx.attempts(of: EntryID(number)), try tx.candidates(of: EntryID(number))) }
    },
    "changed orders": { tx in
      for number in 1...4 {
        _ = try tx.record(.readable(makeOrder(number, total: "7")), seenAt: epoch, isBackfill: false)
      }
    },
    "decisions": { tx in
      for number in 1...3 { try tx.decide(EntryID(Int64(number)), Decision(.outsideWindow), at: epoch) }
    },
    "dismissal": { tx in for number in 1...3 { try tx.dismiss(EntryID(Int64(number)), as: .outsideWindow) } },
    "restart": { tx in
      _ = try tx.recoverInterruptedSends(at: epoch)
      _ = (try tx.clampSends(to: epoch, now: epoch), try tx.clampRematches(at: epoch), try tx.clampSightings(at: epoch))
    },
    "end of a send": { tx in
      let order = makeOrder(1)
      let attempt = Attempt(
        number: 1, startedAt: epoch, duration: .zero, httpStatus: 500, verdict: "unknown", detail: nil)
      try tx.finishSend(
        EntryID(1), makeReport(order, "r1"), attempt: attempt,
        result: SendResult(next: .again(epoch), isUnknown: true, counts: true), at: epoch)
    },
    "second send": { _ = try $0.beginSend(EntryID(2), makeReport(makeOrder(2), "r2"), at: epoch) },
    "removal": { tx in
      _ = try tx.removeFinished(decidedBefore: epoch + .seconds(1), from: nil, limit: 1)
    },
    "people": { tx in
      _ = try tx.erase(
        EmailAddress(normalForm: "friend2@example.com"), tx.traces(of: EmailAddress(normalForm: "friend2@example.com")),
        at: epoch)
    },
  ]

  private static let values = [
    "NULL", "'word'", "x'ff00fe'", "1.5e300", "9223372036854775807", "-9223372036854775808",
    #"'{"outside_window":9223372036854775807}'"#,
  ]

  @Test func eachIsToldAsDamageOrDoesNoHarm() async throws {
    let ledger = try await makeLedger(LedgerFixture())
    let queue = try await ledger.queue
    try await loosen(queue)
    let told = try await queue.writeWithoutTransaction { db in
      let columns = try Row.fetchAll(
        db,
        sql: """
          SELECT m.name AS "table", c.name AS "column" FROM sqlite_master m, pragma_table_info(m.name) c
          WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%' AND m.name NOT LIKE 'grdb%'
          """)
      #expect(columns.count > 80)
      var told: Set<String> = []
      for column in columns {
        for value in Self.values {
          let damage = "UPDATE \(column["table"] as String) SET \(column["column"] as String) = \(value)"
          for (name, use) in Self.uses where try Self.isTold(damage, use, db) { told.insert("\(name): \(damage)") }
        }
      }
      return told
    }
    print("values of another kind: \(told.count) times told as damage")
    // Expects these, as GRDB's own reading of the value would have ended the program there.
    for expected in [
      "counts: UPDATE orders SET decided_at = 'word'", "ranges: UPDATE ranges SET read_at = x'ff00fe'",
      "decisions: UPDATE orders SET claims = NULL", "changed orders: UPDATE settled SET decided_at = 1.5e300",
      "entries: UPDATE attempts SET http_status = 'word'", "known keys: UPDATE orders SET key = NULL",
      "counts: UPDATE tallies SET count = 9223372036854775807",
      "second send: UPDATE attempts SET number = 9223372036854775807",
      #"counts: UPDATE ranges SET counts = '{"outside_window":9223372036854775807}'"#,
    ] { #expect(told.contains(expected), "\(expected)") }
  }

  /// Returns true if a use of a damaged ledger was refused; undoes both.
  private static func isTold(
    _ damage: String, _ use: (SQLiteTransaction) throws -> Void, _ db: Database
  ) throws -> Bool {
    var isTold = false
    try db.inTransaction {
      do {
        // Leaves alone the rows that may not have the same value as another.
        try db.execute(sql: "UPDATE OR IGNORE" + damage.dropFirst("UPDATE".count))
        try use(SQLiteTransaction(db, known: KnownKeys()))
      } catch is RowDecodingError {
        isTold = true
      } catch let failure as LedgerFailure {
        isTold = failure.kind == .damaged
      } catch is DatabaseError {}
      return .rollback
    }
    return isTold
  }

  @Test(arguments: ["upper = x'ff'", #"counts = '{"outside_window":-1}'"#])
  func theTransactionFailsAndNothingIsCommittedAnyMore(change: String) async throws {
    let ledger = try await makeLedger(LedgerFixture())
    let queue = try await ledger.queue
    try await loosen(queue)
    try await queue.write { try $0.execute(sql: "UPDATE ranges SET \(change)") }
    let failure = await #expect(throws: LedgerFailure.self) { try await ledger.transaction { try $0.ranges() } }
    #expect(failure?.kind == .damaged)
    let later = await #expect(throws: LedgerFailure.self) { _ = try await ledger.take([.readable(makeOrder(9))]) }
    #expect(later?.kind == .damaged)
  }
}
