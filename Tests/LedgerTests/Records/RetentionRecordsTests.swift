import Conversions
import Foundation
import Ledger
import Testing

/// Records that leave the ledger, those that stay, and the memory of those that left, which is kept for ever.
@Suite struct RetentionRecordsTests {
  private static let later = epoch + .seconds(1)

  /// Orders 1 to `count`, each reported for a referral of its own that the mirror knows.
  private func reported(_ count: Int, in fixture: LedgerFixture) async throws -> SQLiteLedger {
    let ledger = try fixture.open()
    for number in 1...count {
      let email = "friend\(number)@example.com"
      let order = makeOrder(number, email: email)
      _ = try await ledger.transaction { try $0.record(makeReferral("r\(number)", email: email), seenAt: epoch) }
      _ = try await ledger.take([.readable(order)])
      try await ledger.report(order, entry: Int64(number), referral: "r\(number)")
    }
    return ledger
  }

  /// Removes all that can be; returns how many were, in how many batches.
  private func removeAll(
    _ ledger: SQLiteLedger, before: Timestamp = later, limit: Int = 500
  ) async throws -> (removed: Int, batches: Int) {
    var (removed, batches, place): (Int, Int, RetentionPlace?) = (0, 0, nil)
    repeat {
      let from = place
      let batch = try await ledger.transaction {
        try $0.removeFinished(decidedBefore: before, from: from, limit: limit)
      }
      #expect(batch.removed <= limit)
      (removed, batches, place) = (removed + batch.removed, batches + 1, batch.next)
    } while place != nil
    return (removed, batches)
  }

  private func counts(_ ledger: SQLiteLedger) async throws -> [Outcome: Int] {
    let counts = try await ledger.transaction { try $0.outcomeCounts() }
    return Dictionary(uniqueKeysWithValues: counts.map { ($0.outcome, $0.count) })
  }

  @Test func reportedOrdersAreGivenPieceByPiece() async throws {
    let ledger = try await reported(25, in: try LedgerFixture())
    var (place, keys): (ReportedPlace, [OrderKey]) = (ReportedPlace(before: epoch), [])
    while true {
      let from = place
      let piece = try await ledger.transaction { try $0.reported(after: from, limit: 10) }
      guard let last = piece.last else { break }
      (place, keys) = (last, keys + piece.map(\.key))
    }
    #expect(Set(keys) == Set((1...25).map { makeOrder($0).key }) && keys.count == 25)
    #expect(try await ledger.transaction { try $0.reported(after: ReportedPlace(before: Self.later), limit: 10) } == [])
  }

  @Test func whatLeftIsCountedAndKnownAlsoAfterARestart() async throws {
    let fixture = try LedgerFixture()
    do {
      let ledger = try await reported(25, in: fixture)
      #expect(try await removeAll(ledger, before: epoch).removed == 0, "not older than that")
      let (removed, batches) = try await removeAll(ledger, limit: 10)
      #expect(removed == 25 && batches >= 3)
      #expect(try await ledger.entry(7) == nil)
      #expect(try await counts(ledger) == [.reported: 25])
      #expect(try await ledger.transaction { try $0.outcomes(since: epoch) } == [.reported: 25])
      try ledger.close()
    }
    let again = try fixture.open()
    let known = try await again.knownKeys()
    #expect(known.mayHoldOrder(KeyHash.of("7")) && known.mayHoldTransaction(KeyHash.of("order_7")))
    let rows = (1...25).map { OrderRow.readable(makeOrder($0, email: "friend\($0)@example.com")) }
    let standings = try await again.transaction { tx in try rows.map { try tx.identify($0) } }
    #expect(standings == Array(repeating: .unchanged, count: 25))
    #expect(try await again.take(rows) == Array(repeating: .unchanged, count: 25))
    #expect(try await again.undecided().isEmpty)
    #expect(try await again.entry(7) == nil)
    let failure = await #expect(throws: LedgerFailure.self) {
      try await again.adopt(source: "a")
      try await again.adopt(source: "b")
    }
    #expect(failure?.kind == .otherSource, "it is not empty")
  }

  @Test func oneWhoseRowChangesComesBackAsItWasAndLeavesAgain() async throws {
    let ledger = try await reported(1, in: LedgerFixture())
    #expect(try await removeAll(ledger).removed == 1)
    let changed = makeOrder(1, email: "friend1@example.com", total: "900")
    #expect(try await ledger.take([.readable(changed)]) == [.changed])
    let entry = try #require(try await ledger.entry(1))
    #expect(entry.outcome == .reported && entry.claims && entry.referralID == ReferralID("r1"))
    #expect(entry.row == .readable(changed))
    #expect(entry.frozen?.report.value == 500 && entry.frozen?.report.transactionID.text == "order_1")
    #expect(entry.frozen?.hasUnknownOutcome == false)
    #expect(try await ledger.undecided().isEmpty)
    #expect(try await counts(ledger) == [.reported: 1])
    #expect(try await removeAll(ledger).removed == 1)
    #expect(try await ledger.take([.readable(changed)]) == [.unchanged])
  }

  @Test func anIDThatComesBackAsAnotherOrderIsReviewedAndNothingDecidesItAnew() async throws {
    let ledger = try await reported(1, in: LedgerFixture())
    #expect(try await removeAll(ledger).removed == 1)
    let other = makeOrder(1, email: "friend1@example.com", placed: epoch + .seconds(200_000))
    #expect(try await ledger.take([.readable(other)]) == [.reused])
    #expect(try await ledger.entry(1)?.reason == "id_reused")
    // Records a referral that would wake any order that was never sent.
    _ = try await ledger.transaction { try $0.record(makeReferral("r2", email: "friend1@example.com"), seenAt: epoch) }
    _ = try await ledger.take([.readable(makeOrder(1, email: "friend1@example.com", placed: epoch + .seconds(19)))])
    #expect(try await ledger.undecided().isEmpty)
    #expect(try await removeAll(ledger).removed == 0, "a person must look")
  }

  @Test func anotherRowWithTheIDOfOneThatLeftIsStillRepeated() async throws {
    let ledger = try await reported(1, in: LedgerFixture())
    #expect(try await removeAll(ledger).removed == 1)
    #expect(try await !ledger.transaction { try $0.isRepeated(makeOrder(1)) }, "it is no namesake of its own")
    _ = try await ledger.take([.readable(makeOrder(2, id: "order_1"))])
    #expect(try await ledger.undecided().map(\.idIsRepeated) == [true])
    #expect(try await ledger.transaction { try $0.isRepeated(makeOrder(3, id: "order_1")) })
  }

  @Test func whatMayStillMatterStays() async throws {
    let fixture = try LedgerFixture()
    try await fill(reported(1, in: fixture))
    try sqlite(fixture.path, "UPDATE referrals SET status = 'pending' WHERE id = 'r4'")
    let again = try fixture.open()
    _ = try await again.knownKeys()
    #expect(try await removeAll(again).removed == 2)
    let left = try await again.transaction { try $0.entries(EntryFilter(outcomes: Outcome.allCases)) }
    #expect(left.map(\.entry.number) == [2, 3, 4, 5, 7])
    #expect(try await counts(again) == [.reported: 2, .review: 1, .waiting: 1, .cancelled: 3])
    // A cancelled one that qualifies again is decided again, as if it had never left.
    _ = try await again.take([.readable(makeOrder(6, email: "friend6@example.com", total: "7"))])
    #expect(try await again.undecided().map(\.entry.number).contains(6))
  }

  /// Orders 2 to 7, each of which but the sixth may still matter, and closes the ledger.
  private func fill(_ ledger: SQLiteLedger) async throws {
    _ = try await ledger.take((2...7).map { .readable(makeOrder($0, email: "friend\($0)@example.com")) })
    try await ledger.transaction { tx in
      try tx.decide(EntryID(2), Decision(review: .invalidAmount, "NaN"), at: epoch)
      try tx.decide(EntryID(3), Decision(.waiting), at: epoch)
      // Holds a referral that the mirror shows open.
      _ = try tx.record(makeReferral("r4", email: "friend4@example.com"), seenAt: epoch)
      try tx.decide(EntryID(5), .queued("r5"), at: epoch)
      let number = try tx.beginSend(EntryID(5), makeReport(makeOrder(5), "r5"), at: epoch)
      let attempt = Attempt(
        number: number, startedAt: epoch, duration: nil, httpStatus: nil, verdict: "unknown", detail: nil)
      try tx.finishSend(
        EntryID(5), makeReport(makeOrder(5), "r5"), attempt: attempt,
        result: SendResult(next: .again(epoch), isUnknown: true, counts: true),
        at: epoch)
      // Its sends were not done, for all we know.
      try tx.decide(EntryID(5), Decision(.cancelled, reason: DecisionReason.noLongerQualifies), at: epoch)
      try tx.decide(EntryID(6), Decision(.cancelled, reason: DecisionReason.noLongerQualifies), at: epoch)
      try tx.decide(EntryID(7), Decision(.cancelled, lookAgainAt: Timestamp(microseconds: 0)), at: epoch)
    }
    try await ledger.report(makeOrder(4), entry: 4, referral: "r4")
    try ledger.close()
  }
}
