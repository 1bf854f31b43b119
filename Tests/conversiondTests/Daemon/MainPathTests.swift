import PartnersSandbox
import TestHosts
import Testing

@testable import conversiond

@Suite struct MainPathTests {
  @Test func ordersMatchedByExternalIDAndByEmailAreReportedOnceWithExactBytes() async throws {
    try await DaemonFixture.with { shop in
      try await shop.sandbox.put([
        SandboxReferral("by-mail", email: "Ana@Example.com"),
        SandboxReferral("by-lead", email: nil, lead: "lead_7", status: .clicked),
      ])
      try await shop.insert(
        ShopOrder(1, email: " ana@EXAMPLE.com ", total: "12999"),
        ShopOrder(2, email: "somebody@example.net", lead: "lead_7", total: "0"))
      try await shop.start()
      #expect(await shop.reaches(["1": "reported", "2": "reported"]))
      // Some more walks over the same orders.
      try await Task.sleep(for: .seconds(1))
      let state = await shop.sandbox.state
      let sent = Set(state.reports.map { "\($0.path) \(String(decoding: $0.body, as: UTF8.self))" })
      #expect(
        sent == [
          "/api/v1/partners/referrals/by-mail/convert "
            + #"{"conversionValue":12999,"currency":"EUR","externalTransactionId":"1"}"#,
          "/api/v1/partners/referrals/by-lead/convert "
            + #"{"conversionValue":0,"currency":"EUR","externalTransactionId":"2"}"#,
        ])
      #expect(state.reports.count == 2)
      #expect(state.referral("by-mail")?.conversionValue == 12999)
      #expect(state.referral("by-lead")?.externalTransactionID == "2")
      let (end, report) = try await shop.status()
      #expect(end == .exited(0))
      #expect(report.outcomes.map { "\($0.outcome) \($0.count)" } == ["reported 2"])
      #expect(report.today == ["reported": 2])
    }
  }

  @Test func everyOrderEndsInItsNamedOutcome() async throws {
    try await DaemonFixture.with { shop in
      try await shop.sandbox.put([
        SandboxReferral("rivals", email: "rivals@example.com"),
        SandboxReferral("self-mail", email: "me@example.com", referrer: "ME@example.com"),
        SandboxReferral("self-id", email: "customer@example.com", referrer: "c-77"),
        SandboxReferral("negative", email: "negative@example.com"),
        SandboxReferral("half", email: "half@example.com"), SandboxReferral("null", email: "null@example.com"),
        SandboxReferral("nan", email: "nan@example.com"), SandboxReferral("huge", email: "huge@example.com"),
        SandboxReferral("dollars", email: "dollars@example.com"),
        SandboxReferral("unpaid", email: "unpaid@example.com"),
        SandboxReferral("old", email: "old@example.com", daysAgo: 120),
        SandboxReferral("taken", email: "taken@example.com", status: .converted),
        SandboxReferral("expired", email: "expired@example.com", status: .expired),
      ])
      try await shop.insert(
        ShopOrder(1, email: "rivals@example.com", daysAgo: 1), ShopOrder(2, email: "rivals@example.com", daysAgo: 2),
        ShopOrder(3, email: "me@example.com"), ShopOrder(4, email: "customer@example.com", customer: "c-77"),
        ShopOrder(5, email: "negative@example.com", total: "-1"), ShopOrder(6, email: "half@example.com", total: "0.5"),
        ShopOrder(7, email: "null@example.com", total: "NULL"), ShopOrder(8, email: "nan@example.com", total: "'NaN'"),
        ShopOrder(9, email: "huge@example.com", total: "1e40"),
        ShopOrder(10, email: "dollars@example.com", currency: "USD"),
        ShopOrder(11, email: "unpaid@example.com", status: "pending"), ShopOrder(12, email: "new@example.com"),
        ShopOrder(13, email: "nobody@example.com", daysAgo: 30), ShopOrder(14, email: "old@example.com", daysAgo: 20),
        ShopOrder(15, email: "taken@example.com"), ShopOrder(16, email: "expired@example.com"), ShopOrder(17))
      let expected = [
        "1": "superseded", "2": "reported", "3": "review: self_referral", "4": "review: self_referral",
        "5": "review: invalid_amount", "6": "review: invalid_amount", "7": "review: invalid_amount",
        "8": "review: invalid_amount", "9": "review: invalid_amount", "10": "review: other_currency",
        "11": "not_qualifying", "12": "waiting", "15": "superseded",
        "16": "review: referral_expired", "17": "waiting",
      ]
      try await shop.start()
      #expect(await shop.reaches(expected))
      // Two are too old to match anything any more, and once a sweep has said so they leave nothing behind but a count.
      let counted: Set = [
        "not_qualifying 1", "waiting 2", "reported 1", "superseded 2", "no_referral 1", "outside_window 1", "review 9",
      ]
      var counts: Set<String> = []
      _ = await eventually(within: .seconds(60)) {
        let outcomes = try? await shop.status().report.outcomes
        counts = Set((outcomes ?? []).map { "\($0.outcome) \($0.count)" })
        return counts == counted
      }
      #expect(counts == counted)
      #expect(try await shop.states() == expected)
      let status = try await shop.run("status").output
      #expect(status.contains(#/no_referral +1 /#) && status.contains(#/outside_window +1 /#))
      let state = await shop.sandbox.state
      #expect(state.reportedBodies == [#"{"conversionValue":1000,"currency":"EUR","externalTransactionId":"2"}"#])
    }
  }

  @Test func anOrderIDThatWasUsedForAnotherReferralIsForAPersonAndChangesNeither() async throws {
    try await DaemonFixture.with { shop in
      // By another program of the partner's, say, that numbers its orders the same.
      var used = SandboxReferral("used", email: "somebody@example.com", status: .converted)
      used.externalTransactionID = "1"
      try await shop.sandbox.put([
        used, SandboxReferral("r1", email: "ana@example.com"), SandboxReferral("r2", email: "bob@example.com"),
      ])
      try await shop.insert(ShopOrder(1, email: "ana@example.com"), ShopOrder(2, email: "bob@example.com"))
      try await shop.start()
      #expect(await shop.reaches(["1": "review: transaction_conflict", "2": "reported"]))
      // Another order of the same friend waits for the person, as the API may have booked either.
      try await shop.insert(ShopOrder(3, email: "ana@example.com"))
      #expect(await shop.reaches(["3": "waiting"]))
      #expect(try await shop.entry("1")?.sends?.map(\.verdict) == ["review"])
      #expect(try await shop.run("queue", "list", "--state", "review").output.contains("transaction_conflict"))
      try await shop.stop()
      try await shop.start()
      #expect(await shop.reaches(["1": "review: transaction_conflict", "3": "waiting"]))
      let state = await shop.sandbox.state
      #expect(state.reports.map(\.path).filter { !$0.contains("/r2/") } == ["/api/v1/partners/referrals/r1/convert"])
      #expect(state.referral("r1")?.status == .pending)
      #expect(state.referral("used")?.conversionValue == 4200)
    }
  }

  @Test func anAddressThatOnlyLooksTheSameMatchesNobody() async throws {
    try await DaemonFixture.with { shop in
      // Cyrillic а, о and е; each in the order or in the referral, in the name or in the domain.
      try await shop.sandbox.put([
        SandboxReferral("r1", email: "ana@example.com"), SandboxReferral("r2", email: "b\u{43E}b@example.com"),
        SandboxReferral("r3", email: "eve@example.com"), SandboxReferral("r4", email: "Zo\u{EB}@example.com"),
      ])
      try await shop.insert(
        ShopOrder(1, email: "\u{430}na@example.com"), ShopOrder(2, email: "bob@example.com"),
        ShopOrder(3, email: "eve@\u{435}xample.com"), ShopOrder(4, email: " zoe\u{308}@EXAMPLE.com "))
      try await shop.start()
      #expect(await shop.reaches(["1": "waiting", "2": "waiting", "3": "waiting", "4": "reported"]))
      let state = await shop.sandbox.state
      #expect(state.converted.map(\.referralID) == ["r4"])
      #expect(state.reports.count == 1)
    }
  }

  @Test func aReferralThatComesLateIsReportedForTheOrderThatWaits() async throws {
    try await DaemonFixture.with { shop in
      try await shop.insert(ShopOrder(1, email: "late@example.com", daysAgo: 0.001))
      try await shop.start()
      #expect(await shop.catchesUp())
      #expect(await shop.reaches(["1": "waiting"]))
      try await shop.sandbox.put([SandboxReferral("late", email: "late@example.com", daysAgo: 0.002)])
      #expect(await shop.reaches(["1": "reported"]))
      #expect(await shop.sandbox.state.referral("late")?.externalTransactionID == "1")
    }
  }

  @Test func aClickThatGainsItsEmailLaterIsReported() async throws {
    try await DaemonFixture.with { shop in
      try await shop.sandbox.put([SandboxReferral("click", email: nil, status: .clicked, daysAgo: 0.002)])
      try await shop.insert(ShopOrder(1, email: "clicker@example.com", daysAgo: 0.001))
      try await shop.start()
      #expect(await shop.catchesUp())
      try await shop.sandbox.change("click") { ($0.status, $0.friendEmail) = (.pending, "clicker@example.com") }
      #expect(await shop.reaches(["1": "reported"]))
    }
  }

  @Test func anOrderThatQualifiesLaterIsReportedThen() async throws {
    try await DaemonFixture.with { shop in
      try await shop.sandbox.put([SandboxReferral("r", email: "ana@example.com")])
      try await shop.insert(ShopOrder(1, email: "ana@example.com", total: "500", status: "pending"))
      try await shop.start()
      #expect(await shop.catchesUp())
      #expect(await shop.reaches(["1": "not_qualifying"]))
      #expect(await shop.sandbox.state.reports.isEmpty)
      try await shop.database.execute("UPDATE orders SET status = 'paid', total_cents = 700")
      #expect(await shop.reaches(["1": "reported"]))
      #expect(await shop.sandbox.state.referral("r")?.conversionValue == 700)
    }
  }

  @Test func theRivalMovesUpWhenTheFirstOrderIsCancelled() async throws {
    try await DaemonFixture.with(["reporting.hold": "3d"]) { shop in
      try await shop.sandbox.put([SandboxReferral("r", email: "ana@example.com", daysAgo: 9)])
      try await shop.insert(
        ShopOrder(1, email: "ana@example.com", total: "100", daysAgo: 2),
        ShopOrder(2, email: "ana@example.com", total: "200", daysAgo: 1))
      try await shop.start()
      #expect(await shop.reaches(["1": "held", "2": "waiting"]))
      try await shop.database.execute("UPDATE orders SET status = 'refunded' WHERE id = 1")
      #expect(await shop.reaches(["1": "cancelled: no_longer_qualifies", "2": "held"]))
      try await shop.database.execute("UPDATE orders SET created_at = now() - interval '4 days' WHERE id = 2")
      #expect(await shop.reaches(["2": "reported"]))
      #expect(await shop.sandbox.state.referral("r")?.conversionValue == 200)
    }
  }

  @Test func anOrderCommittedLateWithALowerKeyIsSeen() async throws {
    try await DaemonFixture.with { shop in
      try await shop.sandbox.put([
        SandboxReferral("early", email: "early@example.com"), SandboxReferral("late", email: "late@example.com"),
      ])
      try await shop.start()
      async let slow = shop.database.execute(
        "BEGIN; \(ShopOrder(1, email: "early@example.com").insertion) SELECT pg_sleep(2); COMMIT;")
      try await shop.insert(ShopOrder(2, email: "late@example.com"))
      #expect(await shop.reaches(["2": "reported"]))
      _ = try await slow
      #expect(await shop.reaches(["1": "reported"]))
    }
  }
}
