import Conversions
import Ledger
import Testing

/// Claims, frozen reports, sends, and what a crash leaves.
@Suite struct DeliveryRecordsTests {
  private func ledger(orders: Int) async throws -> SQLiteLedger {
    let ledger = try LedgerFixture().open()
    _ = try await ledger.take((1...orders).map { .readable(makeOrder($0)) })
    return ledger
  }

  private func next(_ ledger: SQLiteLedger, at now: Timestamp = epoch) async throws -> Int64? {
    try await ledger.transaction { try $0.nextToSend(at: now, seenUpTo: now, limit: 1).first?.entry.number }
  }

  @Test func whatWasSeenLaterThanAllReferralsAreKnownIsNotSentForTheFirstTime() async throws {
    let ledger = try await ledger(orders: 2)
    try await ledger.settleCatchUp()
    try await ledger.transaction { tx in
      for number in Int64(1)...2 { try tx.decide(EntryID(number), .queued("r\(number)"), at: epoch) }
      _ = try tx.beginSend(EntryID(2), makeReport(makeOrder(2)), at: epoch)
      _ = try tx.recoverInterruptedSends(at: epoch)
      func next(_ known: Timestamp) throws -> [Int64] {
        try tx.nextToSend(at: epoch, seenUpTo: known, limit: 9).map(\.entry.number)
      }
      #expect(try next(epoch - .milliseconds(1)) == [2] && next(Timestamp(microseconds: .min)) == [2])
      #expect(try next(epoch) == [1, 2] && next(Timestamp(microseconds: .max)) == [1, 2])
    }
  }

  @Test(arguments: 1...4) func theQueueIsReadOnFromAPlace(limit: Int) async throws {
    let ledger = try await ledger(orders: 6)
    _ = try await ledger.take((7...9).map { .readable(makeOrder($0)) }, isBackfill: true)
    try await ledger.settleCatchUp()
    try await ledger.transaction { tx in
      // Some are due at the same time, and a later one before an earlier one.
      for (number, time) in zip(Int64(1)...9, [3, 1, 1, 2, 1, 3, 1, 1, 0]) {
        try tx.decide(EntryID(number), .queued("r\(number)"), at: epoch + .seconds(time))
      }
      let later = epoch + .seconds(9)
      let all = try tx.nextToSend(at: later, seenUpTo: later, limit: 99)
      #expect(all.map(\.entry.number) == [2, 3, 5, 4, 1, 6, 9, 7, 8])
      var found: [LedgerOrder] = []
      while true {
        let place = found.last.flatMap(QueuePlace.init)
        let next = try tx.nextToSend(at: later, seenUpTo: later, after: place, limit: limit)
        if next.isEmpty { break }
        found += next
      }
      #expect(found == all)
    }
  }

  @Test func aFrozenReportNeverChanges() async throws {
    let ledger = try await ledger(orders: 1)
    try await ledger.settleCatchUp()
    let first = makeReport(makeOrder(1))
    try await ledger.transaction { tx in
      try tx.decide(EntryID(1), .queued("r1"), at: epoch)
      _ = try tx.beginSend(EntryID(1), first, at: epoch)
    }
    let other = ConversionReport(
      referralID: ReferralID("r2"), transactionID: first.transactionID, value: 999, metadata: nil)
    try await ledger.transaction { tx in
      _ = try tx.recoverInterruptedSends(at: epoch)
      _ = try tx.beginSend(EntryID(1), other, at: epoch)
    }
    #expect(try await ledger.entry(1)?.frozen?.report == first)
  }

  @Test func whatAnotherClockPutOffIsBroughtForward() async throws {
    let ledger = try await ledger(orders: 3)
    try await ledger.settleCatchUp()
    let (soon, late) = (epoch + .seconds(60), epoch + .seconds(86_400))
    try await ledger.transaction { tx in
      for number in Int64(1)...3 { try tx.decide(EntryID(number), .queued("r\(number)"), at: epoch) }
      try tx.postpone(EntryID(1), until: late, reason: "retry", detail: "")
      try tx.postpone(EntryID(2), until: soon, reason: "retry", detail: "")
      // 404 took it back to matching.
      _ = try tx.beginSend(EntryID(3), makeReport(makeOrder(3)), at: late)
      let attempt = Attempt(
        number: 1, startedAt: late, duration: .zero, httpStatus: 404, verdict: "rematch", detail: nil)
      let result = SendResult(next: .rematch, isUnknown: false, counts: false)
      try tx.finishSend(EntryID(3), makeReport(makeOrder(3)), attempt: attempt, result: result, at: late)
      #expect(try tx.undecided(at: epoch + .seconds(60), limit: 9).isEmpty)
      try tx.clampSends(to: epoch + .seconds(900), now: epoch)
      try tx.clampRematches(at: epoch)
      #expect(try tx.entry(EntryID(1))?.decidedAt == epoch)
      try tx.clampSightings(at: epoch - .seconds(30))
    }
    let seen = try #require(try await ledger.entry(1))
    #expect(seen.firstSeenAt == epoch - .seconds(30) && seen.decidedAt == epoch - .seconds(30))
    #expect(try await ledger.entry(1)?.dueAt == epoch + .seconds(900))
    #expect(try await ledger.entry(2)?.dueAt == soon, "what is sooner stays")
    #expect(try await ledger.transaction { try $0.undecided(at: epoch, limit: 9).map(\.entry) } == [EntryID(3)])
  }

  /// Nothing put it off, so that its time can only be another clock's.
  @Test func whatWasQueuedByAClockAheadIsDueAtOnce() async throws {
    let ledger = try await ledger(orders: 1)
    try await ledger.settleCatchUp()
    try await ledger.transaction { tx in
      try tx.decide(EntryID(1), .queued("r1"), at: epoch + .seconds(400_000))
      try tx.clampSends(to: epoch + .seconds(86_400), now: epoch)
    }
    #expect(try await ledger.entry(1)?.dueAt == epoch)
  }

  @Test func aCrashInTheMiddleIsAnUnknownOutcome() async throws {
    let fixture = try LedgerFixture()
    do {
      let ledger = try fixture.open()
      _ = try await ledger.take([.readable(makeOrder(1))])
      try await ledger.transaction { tx in
        try tx.decide(EntryID(1), .queued("r1"), at: epoch)
        _ = try tx.beginSend(EntryID(1), makeReport(makeOrder(1)), at: epoch)
      }
      try ledger.close()
    }
    let again = try fixture.open()
    #expect(try await again.entry(1)?.outcome == .sending)
    #expect(try await again.transaction { try $0.recoverInterruptedSends(at: epoch) } == 1)
    let entry = try #require(try await again.entry(1))
    #expect(entry.outcome == .queued && entry.frozen?.hasUnknownOutcome == true && entry.reason == "interrupted")
    #expect(try await next(again) == 1, "frozen ones are sent whatever the catch-up does")
    try await again.transaction { try $0.unfreeze(EntryID(1)) }
    #expect(try await again.entry(1)?.frozen != nil, "what may have been done stays frozen")
  }

  @Test func oneOrderHoldsAReferralAndTheNextMovesUp() async throws {
    let ledger = try await ledger(orders: 3)
    try await ledger.transaction { tx in
      try tx.decide(EntryID(1), .queued("r1"), at: epoch)
      try tx.decide(EntryID(2), .queued("r1"), at: epoch)
      var behind = Decision(.waiting, reason: DecisionReason.behindOther)
      behind.referralID = ReferralID("r1")
      try tx.decide(EntryID(3), behind, at: epoch)
    }
    // The second took the claim, so the first is decided again.
    #expect(try await ledger.undecided().map(\.entry.number) == [1])
    #expect(try await ledger.transaction { try $0.holder(of: ReferralID("r1"), except: EntryID(1))?.entry.number } == 2)
    try await ledger.transaction { try $0.decide(EntryID(1), Decision(.waiting), at: epoch) }
    try await ledger.transaction { try $0.decide(EntryID(2), Decision(.cancelled), at: epoch) }
    #expect(try await ledger.undecided().map(\.entry.number) == [3])
  }

  @Test func aReportedOrderSupersedesItsRivalsThroughTheMirror() async throws {
    let ledger = try await ledger(orders: 2)
    try await ledger.transaction { tx in
      _ = try tx.record(makeReferral("r1"), seenAt: epoch)
      var behind = Decision(.waiting, reason: DecisionReason.behindOther)
      behind.referralID = ReferralID("r1")
      try tx.decide(EntryID(2), behind, at: epoch)
    }
    try await ledger.report(makeOrder(1))
    #expect(try await ledger.undecided().map(\.entry.number) == [2])
    let mirrored = try await ledger.transaction { try $0.referral(ReferralID("r1")) }
    #expect(mirrored?.status == .converted && mirrored?.conversionValue == 500)
    #expect(try await ledger.entry(1)?.outcome == .reported)
  }

  @Test(arguments: [(ReviewReason.rejected, false), (.referralMissing, false), (.answerMismatch, true)])
  func aRefusedOrderLetsGoOfItsReferral(reason: ReviewReason, keeps: Bool) async throws {
    let ledger = try await ledger(orders: 1)
    try await ledger.transaction { tx in
      try tx.decide(EntryID(1), .queued("r1"), at: epoch)
      let number = try tx.beginSend(EntryID(1), makeReport(makeOrder(1)), at: epoch)
      let attempt = Attempt(
        number: number, startedAt: epoch, duration: nil, httpStatus: 400, verdict: "review", detail: "d")
      try tx.finishSend(
        EntryID(1), makeReport(makeOrder(1)), attempt: attempt,
        result: SendResult(next: .review(reason), isUnknown: false, counts: true),
        at: epoch)
    }
    #expect(try await ledger.entry(1)?.claims == keeps)
  }

  @Test func a404IsMatchedAgainLater() async throws {
    let ledger = try await ledger(orders: 1)
    try await ledger.transaction { tx in
      _ = try tx.record(makeReferral("r1"), seenAt: epoch)
      try tx.decide(EntryID(1), .queued("r1"), at: epoch)
      let number = try tx.beginSend(EntryID(1), makeReport(makeOrder(1)), at: epoch)
      let attempt = Attempt(
        number: number, startedAt: epoch, duration: nil, httpStatus: 404, verdict: "rematch", detail: "gone")
      try tx.finishSend(
        EntryID(1), makeReport(makeOrder(1)), attempt: attempt,
        result: SendResult(next: .rematch, isUnknown: false, counts: false), at: epoch)
    }
    let entry = try #require(try await ledger.entry(1))
    #expect(entry.frozen == nil && entry.outcome == .waiting && !entry.claims)
    #expect(try await ledger.undecided().isEmpty)
    let later = epoch + .seconds(60)
    #expect(try await ledger.transaction { try $0.undecided(at: later, limit: 10).count } == 1)
    #expect(try await ledger.transaction { try $0.referral(ReferralID("r1")) } != nil, "one 404 is one witness")
    #expect(try await ledger.transaction { try $0.entry(EntryID(1))?.rematches } == 1)
  }

  @Test func liveOrdersGoBeforeABackfill() async throws {
    let ledger = try LedgerFixture().open()
    try await ledger.transaction { tx in
      _ = try tx.record(.readable(makeOrder(1, email: "a@example.com")), seenAt: epoch, isBackfill: true)
      _ = try tx.record(.readable(makeOrder(2, email: "b@example.com")), seenAt: epoch, isBackfill: false)
      try tx.decide(EntryID(1), .queued("r1"), at: epoch)
      try tx.decide(EntryID(2), .queued("r2"), at: epoch + .seconds(1))
    }
    try await ledger.settleCatchUp()
    #expect(try await next(ledger) == 1, "the live one isn't due yet")
    #expect(try await next(ledger, at: epoch + .seconds(1)) == 2)
  }

  @Test func conflictsCountFromTheLastReport() async throws {
    let ledger = try await ledger(orders: 5)
    let conflict = Decision(review: .transactionConflict, "another referral's")
    let decide = { (number: Int64, decision: Decision, seconds: Int) async throws -> Int in
      try await ledger.transaction { tx in
        try tx.decide(EntryID(number), decision, at: epoch + .seconds(seconds))
        return try tx.conflictsSinceReport(limit: 3)
      }
    }
    #expect(try await decide(1, conflict, 1) == 1)
    #expect(try await decide(2, conflict, 2) == 2)
    #expect(try await decide(3, Decision(review: .invalidAmount, "x"), 3) == 2)
    #expect(try await decide(3, conflict, 4) == 3)
    #expect(try await decide(4, conflict, 5) == 3, "no more than asked for")
    #expect(try await decide(5, Decision(.reported), 2) == 2, "one of the same time is not after it")
    #expect(try await decide(1, Decision(.waiting), 6) == 2)
    #expect(try await decide(3, Decision(.reported), 7) == 0)
  }

  @Test func listsAreFilteredAndCounted() async throws {
    let ledger = try await ledger(orders: 4)
    try await ledger.transaction { tx in
      try tx.decide(EntryID(1), .queued("r1"), at: epoch)
      try tx.decide(EntryID(2), Decision(review: .invalidAmount, "x"), at: epoch + .seconds(1))
      try tx.decide(EntryID(3), Decision(review: .selfReferral, "y"), at: epoch + .seconds(2))
      try tx.decide(EntryID(4), Decision(.noReferral), at: epoch)
    }
    let reviews = try await ledger.transaction { try $0.entries(EntryFilter(outcomes: [.review])) }
    #expect(reviews.map(\.entry.number) == [2, 3])
    let reasoned = try await ledger.transaction {
      try $0.entries(EntryFilter(outcomes: [.review], reason: "self_referral"))
    }
    #expect(reasoned.map(\.entry.number) == [3])
    let older = try await ledger.transaction {
      try $0.entries(EntryFilter(outcomes: Outcome.allCases, decidedBefore: epoch + .seconds(1), limit: 1))
    }
    #expect(older.map(\.entry.number) == [1])
    let counts = try await ledger.transaction { try $0.outcomeCounts() }
    #expect(counts.first { $0.outcome == .review }?.count == 2)
    #expect(counts.first { $0.outcome == .review }?.oldest == epoch + .seconds(1))
    #expect(try await ledger.transaction { try $0.outcomes(since: epoch + .seconds(1)) } == [.review: 2])
  }
}
