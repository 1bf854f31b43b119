import Conversions
import Ledger
import Testing

/// Tests a referral's own GET against lists that lag behind it.
@Suite struct OwnReadsTests {
  private func list(
    _ ledger: SQLiteLedger, _ referral: Referral, after seconds: Int
  ) async throws -> (changed: Bool, known: MirroredReferral?) {
    let time = epoch + .seconds(seconds)
    return try await ledger.transaction { tx in
      let changed = try tx.record(referral, seenAt: time, askedAt: time, unlessSeenSince: epoch)
      return (changed, try tx.referral(referral.id))
    }
  }

  @Test(
    "A list that says pending where the GET says converted is not believed for a quarter of an hour",
    arguments: [ReferralStatus.converted, .expired], [false, true])
  func closed(status: ReferralStatus, isKnown: Bool) async throws {
    let ledger = try LedgerFixture().open()
    if isKnown { _ = try await list(ledger, makeReferral("r1"), after: -60) }
    _ = try await ledger.transaction { try $0.record(makeReferral("r1", status), seenAt: epoch) }
    for seconds in [1, 300, 899] {
      let (changed, known) = try await list(ledger, makeReferral("r1"), after: seconds)
      #expect(!changed && known?.status == status)
      #expect(known?.seenAt == epoch + .seconds(seconds), "it is shown, and so not absent")
    }
    #expect(try await list(ledger, makeReferral("r1"), after: 900).known?.status == .pending)
  }

  @Test("A list that shows the keys as they were before is not believed; another change is") func keys() async throws {
    let ledger = try LedgerFixture().open()
    let old = makeReferral("r1", external: "lead_7")
    _ = try await list(ledger, old, after: -60)
    _ = try await ledger.transaction { try $0.record(makeReferral("r1", external: "lead_8"), seenAt: epoch) }
    #expect(try await list(ledger, old, after: 10).known?.externalSourceID?.text == "lead_8")
    let none = try await list(ledger, makeReferral("r1"), after: 20)
    #expect(none.known?.externalSourceID?.text == "lead_8", "nor one without any")
    let newest = try await list(ledger, makeReferral("r1", external: "lead_9"), after: 30)
    #expect(newest.changed && newest.known?.externalSourceID?.text == "lead_9")
    let converted = try await list(ledger, makeReferral("r1", .converted, external: "lead_9"), after: 40)
    #expect(converted.changed && converted.known?.status == .converted)
  }

  @Test("lists may show otherwise what lists alone have shown") func lists() async throws {
    let ledger = try LedgerFixture().open()
    _ = try await list(ledger, makeReferral("r1", external: "lead_7"), after: 0)
    #expect(try await list(ledger, makeReferral("r1"), after: 10).changed)
    #expect(try await list(ledger, makeReferral("r1", .clicked), after: 20).changed)
  }

  @Test("A converted referral that vanishes goes on deciding", arguments: ReferralStatus.allCases)
  func vanished(status: ReferralStatus) async throws {
    let ledger = try LedgerFixture().open()
    _ = try await list(ledger, makeReferral("r1", status), after: 0)
    let known = try await ledger.transaction { tx in
      try tx.markGone(ReferralID("r1"), at: epoch + .seconds(60))
      return try tx.referral(ReferralID("r1"))
    }
    #expect((known?.goneAt == nil) == (status == .converted))
  }

  @Test("Orders that wait for a walk over the open referrals are woken by one, and not by its being forgotten")
  func woken() async throws {
    let ledger = try LedgerFixture().open()
    _ = try await ledger.take([.readable(makeOrder(1)), .readable(makeOrder(2))])
    let wait = { (walk: Timestamp?) async throws -> Int in
      try await ledger.transaction { tx in
        try tx.decide(EntryID(1), Decision(.waiting, reason: DecisionReason.mirrorBehind), at: epoch)
        try tx.decide(EntryID(2), Decision(.waiting, reason: DecisionReason.mirrorIncomplete), at: epoch)
        let before = try tx.mirrorProgress()
        var progress = before
        progress.openWalkBeganAt = walk
        try tx.setMirrorProgress(progress)
        if progress.hasWalked(since: before) { try tx.wakeOrdersBehindMirror() }
        return try tx.undecided(at: epoch, limit: 10).count
      }
    }
    #expect(try await wait(nil) == 0)
    #expect(try await wait(epoch) == 2)
    #expect(try await wait(epoch) == 0)
    #expect(try await wait(nil) == 0)
    #expect(try await wait(epoch + .seconds(1)) == 2)
  }
}
