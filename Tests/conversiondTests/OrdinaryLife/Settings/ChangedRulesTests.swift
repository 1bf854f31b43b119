import PartnersSandbox
import TestHosts
import Testing

@testable import conversiond

/// Settings that are put right, or changed by mistake, reach the orders that are open.
@Suite struct ChangedRulesTests {
  @Test func ordersInReviewForASettingGoOnOnceItIsPutRight() async throws {
    try await DaemonFixture.with(["orders.total_unit": "cents"]) { shop in
      try await shop.sandbox.put([
        SandboxReferral("half", email: "half@example.com"), SandboxReferral("usd", email: "usd@example.com"),
        SandboxReferral("self", email: "self@example.com", referrer: "self@example.com"),
        SandboxReferral("plain", email: "plain@example.com"),
      ])
      try await shop.insert(
        ShopOrder(1, email: "half@example.com", total: "10.5"),
        ShopOrder(2, email: "usd@example.com", currency: "USD"), ShopOrder(3, email: "self@example.com"))
      try await shop.start()
      #expect(
        await shop.reaches(["1": "review: invalid_amount", "2": "review: other_currency", "3": "review: self_referral"])
      )
      try await shop.stop()
      try shop.configure([
        "orders.rounding": "half_up", "reporting.other_currency": "omit_value", "matching.self_referral": "report",
      ])
      try await shop.start()
      #expect(await shop.reaches(["1": "reported", "2": "reported", "3": "reported"]))
      #expect(await shop.logs("the rules changed: 3 orders that were never sent were decided anew"), "\(shop.log)")
      let bodies = Set(await shop.sandbox.state.reportedBodies)
      #expect(
        bodies == [
          #"{"conversionValue":11,"currency":"EUR","externalTransactionId":"1"}"#, #"{"externalTransactionId":"2"}"#,
          #"{"conversionValue":1000,"currency":"EUR","externalTransactionId":"3"}"#,
        ])
    }
  }

  @Test func aShorterHoldAndAWiderWindowReachWhatWaits() async throws {
    try await DaemonFixture.with(["reporting.hold": "30d", "matching.attribution_window": "10d"]) { shop in
      try await shop.sandbox.put([
        SandboxReferral("held", email: "held@example.com"),
        SandboxReferral("old", email: "old@example.com", daysAgo: 20),
      ])
      try await shop.insert(ShopOrder(1, email: "held@example.com"), ShopOrder(2, email: "old@example.com"))
      try await shop.start()
      #expect(await shop.reaches(["1": "held", "2": "waiting"]))
      #expect(try await shop.entry("1")?.reason == "hold")
      try await shop.stop()
      try shop.configure(["reporting.hold": "0s", "matching.attribution_window": "90d"])
      try await shop.start()
      #expect(await shop.reaches(["1": "reported", "2": "reported"]))
      #expect(await shop.logs("2 became sendable"), "\(shop.log)")
    }
  }

  /// A unit that is changed by mistake makes amounts wrong by a hundredfold: a single one waits.
  @Test func whatChangedRulesGiveAnotherAmountWaitsForAnOperator() async throws {
    try await DaemonFixture.with(["reporting.hold": "30d", "orders.total_unit": "cents"]) { shop in
      try await shop.sandbox.put((1...3).map { SandboxReferral("r\($0)", email: "friend\($0)@example.com") })
      try await shop.insert((1...3).map { ShopOrder($0, email: "friend\($0)@example.com") })
      try await shop.start()
      #expect(await shop.reaches(["1": "held", "2": "held", "3": "held"]))
      try await shop.stop()
      try shop.configure(["reporting.hold": "0s", "orders.total_unit": "major"])
      try await shop.start()
      #expect(await shop.logs("3 with another amount"), "\(shop.log)")
      #expect(Set(try await shop.entries().values.compactMap(\.reason)) == ["rules_changed"])
      #expect(await shop.sandbox.state.reports.isEmpty)
      // Put right, they have their amounts again, and are still looked at once.
      try await shop.stop()
      try shop.configure(["reporting.hold": "0s", "orders.total_unit": "cents"])
      try await shop.start()
      #expect(await shop.catchesUp())
      #expect(try await shop.run("queue", "release", "ALL", "--reason", "rules_changed", "--yes").end == .exited(0))
      #expect(await shop.reaches(["1": "reported", "2": "reported", "3": "reported"]))
      let bodies = await shop.sandbox.state.reportedBodies
      #expect(bodies.allSatisfy { $0.contains(#""conversionValue":1000,"#) }, "\(bodies)")
    }
  }

  /// The end of a hold, days later, says nothing of an amount that a restart has changed.
  @Test func anotherAmountWaitsForAnOperatorAlsoWhileTheHoldLasts() async throws {
    try await DaemonFixture.with(["reporting.hold": "30d", "orders.total_unit": "cents"]) { shop in
      try await shop.sandbox.put((1...3).map { SandboxReferral("r\($0)", email: "friend\($0)@example.com") })
      try await shop.insert((1...3).map { ShopOrder($0, email: "friend\($0)@example.com") })
      try await shop.start()
      #expect(await shop.reaches(["1": "held", "2": "held", "3": "held"]))
      try await shop.stop()
      try shop.configure(["orders.total_unit": "major"])
      try await shop.start()
      #expect(await shop.logs("3 with another amount"), "\(shop.log)")
      #expect(Set(try await shop.entries().values.compactMap(\.reason)) == ["rules_changed"])
      try await shop.stop()
      try shop.configure(["reporting.hold": "0s"])
      try await shop.start()
      #expect(await shop.catchesUp())
      try await Task.sleep(for: .seconds(3))
      #expect(await shop.sandbox.state.reports.isEmpty)
    }
  }

  /// A shop moves paid orders on to a status that the configuration doesn't name.
  @Test func ordersThatAreCancelledTogetherAreToldOf() async throws {
    try await DaemonFixture.with(["reporting.hold": "30d"]) { shop in
      let numbers = 1...6
      try await shop.sandbox.put(numbers.map { SandboxReferral("r\($0)", email: "friend\($0)@example.com") })
      try await shop.insert(numbers.map { ShopOrder($0, email: "friend\($0)@example.com") })
      try await shop.start()
      #expect(await shop.reaches(Dictionary(uniqueKeysWithValues: numbers.map { ("\($0)", "held") })))
      try await shop.database.execute("UPDATE orders SET status = 'shipped' WHERE id <= 4")
      #expect(await eventually { shop.log.matches(of: #/event=cancelled/#).count == 4 })
      #expect(!shop.log.contains("were cancelled within the hour"))
      try await shop.database.execute("UPDATE orders SET status = 'shipped' WHERE id > 4")
      #expect(await shop.logs("were cancelled within the hour"), "\(shop.log)")
    }
  }

  /// A hold that is deleted by mistake does not send weeks of orders for good.
  @Test func moreThanAFewThatBecomeSendableWaitForAnOperator() async throws {
    try await DaemonFixture.with(["reporting.hold": "30d"]) { shop in
      let count = 25
      try await shop.sandbox.put((1...count).map { SandboxReferral("r\($0)", email: "friend\($0)@example.com") })
      try await shop.sandbox.put([SandboxReferral("today", email: "today@example.com")])
      try await shop.insert((1...count).map { ShopOrder($0, email: "friend\($0)@example.com") })
      try await shop.start()
      let keys = (1...count).map(String.init)
      #expect(await shop.reaches(Dictionary(uniqueKeysWithValues: keys.map { ($0, "held") })))
      try await shop.stop()
      try shop.configure(["reporting.hold": nil])
      try await shop.start()
      #expect(await eventually(within: .seconds(40)) { shop.log.contains("25 became sendable") })
      // An order of the day goes on; those wait, also over another start.
      try await shop.insert(ShopOrder(100, email: "today@example.com", daysAgo: 0))
      #expect(await shop.reaches(["100": "reported"]))
      try await shop.stop()
      try await shop.start()
      #expect(await shop.catchesUp())
      #expect(await shop.sandbox.state.reports.count == 1)
      #expect(Set(try await shop.entries().values.compactMap(\.reason)) == ["rules_changed"])
      let status = try await shop.run("status")
      #expect(status.end == .exited(1) && status.output.contains("NEEDS A PERSON: 25 orders became sendable"))
      let plan = try await shop.run("queue", "release", "ALL", "--reason", "rules_changed")
      #expect(plan.end == .exited(0) && plan.output.contains("25 of 25; nothing was changed"))
      let one = try await shop.run("queue", "release", "7", "--yes")
      #expect(one.output.contains("released"))
      #expect(await shop.reaches(["7": "reported", "8": "held"]))
      // Another change sends none of those that are left.
      try await shop.stop()
      try shop.configure(["reporting.hold": nil, "matching.attribution_window": "80d"])
      try await shop.start()
      #expect(await eventually(within: .seconds(40)) { shop.log.contains("24 became sendable") })
      #expect(await shop.reaches(["7": "reported", "8": "held"]))
      #expect(await shop.sandbox.state.reports.count == 2)
      let all = try await shop.run("queue", "release", "ALL", "--reason", "rules_changed", "--yes")
      #expect(all.end == .exited(0))
      #expect(await shop.reaches(Dictionary(uniqueKeysWithValues: keys.map { ($0, "reported") })))
      #expect(await shop.sandbox.state.reports.count == count + 1)
    }
  }

  /// Of orders that are too old to wait only a count is left: they are met again in the table.
  @Test func ordersThatWereCountedOnlyAreDecidedAnew() async throws {
    let wait = ["matching.wait_for_referral": "1d", "matching.attribution_window": "10d"]
    try await DaemonFixture.with(wait) { shop in
      let count = 25
      try await shop.sandbox.put(
        (1...count).map { SandboxReferral("r\($0)", email: "friend\($0)@example.com", daysAgo: 20) })
      try await shop.insert((1...count).map { ShopOrder($0, email: "friend\($0)@example.com", daysAgo: 5) })
      try await shop.start()
      #expect(await shop.catchesUp())
      let keys = (1...count).map(String.init)
      #expect(await eventually(within: .seconds(20)) { (try? await shop.entries().isEmpty) == true })
      try await shop.stop()
      try shop.configure(["matching.wait_for_referral": "1d", "matching.attribution_window": "90d"])
      try await shop.start()
      #expect(await shop.reaches(Dictionary(uniqueKeysWithValues: keys.map { ($0, "held") })))
      #expect(await eventually(within: .seconds(40)) { shop.log.contains("25 became sendable") })
      #expect(await shop.sandbox.state.reports.isEmpty)
    }
  }

  /// Statuses are rules, too: one that is added by mistake makes years of unpaid orders sendable.
  @Test func aStatusThatIsAddedIsAChangeOfTheRules() async throws {
    try await DaemonFixture.with { shop in
      let count = 25
      try await shop.sandbox.put((1...count).map { SandboxReferral("r\($0)", email: "friend\($0)@example.com") })
      try await shop.insert((1...count).map { ShopOrder($0, email: "friend\($0)@example.com", status: "pending") })
      try await shop.start()
      let keys = (1...count).map(String.init)
      #expect(await shop.reaches(Dictionary(uniqueKeysWithValues: keys.map { ($0, "not_qualifying") })))
      try await shop.stop()
      try shop.configure(["orders.qualifying_statuses": "[paid, pending]"])
      try await shop.start()
      #expect(await shop.reaches(Dictionary(uniqueKeysWithValues: keys.map { ($0, "held") })))
      #expect(await eventually(within: .seconds(40)) { shop.log.contains("25 became sendable") })
      #expect(await shop.sandbox.state.reports.isEmpty)
    }
  }

  @Test func operatorsWordsOutliveTheRulesAndTheRow() async throws {
    try await DaemonFixture.with(["reporting.hold": "30d"]) { shop in
      try await shop.sandbox.put((1...3).map { SandboxReferral("r\($0)", email: "friend\($0)@example.com") })
      try await shop.insert((1...3).map { ShopOrder($0, email: "friend\($0)@example.com") })
      try await shop.start()
      #expect(await shop.reaches(["1": "held", "2": "held", "3": "held"]))
      #expect(try await shop.run("queue", "discard", "1", "--reason", "fraud", "--yes").end == .exited(0))
      #expect(try await shop.run("queue", "hold", "2", "--reason", "asked", "--yes").end == .exited(0))
      #expect(await shop.reaches(["1": "discarded"]))
      let missing = try await shop.run("queue", "discard", "77", "--yes")
      #expect(missing.end == .exited(4) && missing.output.contains("no such order"))
      try await shop.stop()
      // Deletes the rows, and makes them again, while the daemon is stopped.
      try await shop.database.execute("DELETE FROM orders WHERE id IN (1, 2)")
      try await shop.insert(ShopOrder(1, email: "friend1@example.com"), ShopOrder(2, email: "friend2@example.com"))
      try shop.configure(["reporting.hold": "0s"])
      try await shop.start()
      #expect(await shop.reaches(["1": "discarded", "2": "held", "3": "reported"]))
      #expect(try await shop.entry("2")?.reason == "operator")
      #expect(try await shop.run("queue", "release", "2", "--yes").end == .exited(0))
      #expect(await shop.reaches(["1": "discarded", "2": "reported"]))
      #expect(await shop.sandbox.state.reports.count == 2)
      #expect(await shop.logs("discarded order 1: fraud"), "\(shop.log)")
    }
  }
}
