import PartnersSandbox
import TestHosts
import Testing

@testable import conversiond

/// A table that a nightly job empties and loads again: each row gets the serial key of another one.
@Suite struct ReloadedTableTests {
  private static let count = 30

  /// Deletes the first order, and loads the others anew under the keys from 1.
  private func reload(_ shop: DaemonFixture, order: String) async throws {
    try await shop.database.execute(
      """
      BEGIN;
      CREATE TEMP TABLE kept ON COMMIT DROP AS SELECT * FROM orders WHERE id <> 1;
      TRUNCATE orders RESTART IDENTITY;
      INSERT INTO orders (id, customer_email, total_cents, currency, status, created_at)
        SELECT id, customer_email, total_cents, currency, status, created_at FROM kept ORDER BY \(order);
      COMMIT
      """)
  }

  private func fill(_ shop: DaemonFixture) async throws {
    try await shop.sandbox.put((1...Self.count).map { SandboxReferral("r\($0)", email: "friend\($0)@example.com") })
    try await shop.sandbox.put((1...Self.count).map { SandboxReferral("s\($0)", email: "other\($0)@example.com") })
    try await shop.database.execute("ALTER TABLE orders DROP CONSTRAINT orders_pkey, ADD k bigserial PRIMARY KEY")
    for number in 1...Self.count {
      try await shop.database.execute(
        """
        INSERT INTO orders (id, customer_email, total_cents, currency, status, created_at)
        VALUES (\(number), 'friend\(number)@example.com', 1000, 'EUR', 'paid', now() - interval '1 day')
        """)
    }
  }

  /// The IDs and states of the first three rows' orders, in the order of their keys; nil where the daemon doesn't answer.
  private func standing(_ shop: DaemonFixture) async -> [String]? {
    guard let entries = await shop.peek() else { return nil }
    return ["1", "2", "3"].map { key in
      guard let entry = entries[key] else { return "-" }
      return entry.state == "held" ? "\(entry.order) held \(entry.reason ?? "-")" : "\(entry.order) \(entry.state)"
    }
  }

  private func states(_ shop: DaemonFixture) async -> [String: Int] {
    let entries = await shop.peek()?.values.map { "\($0.state) \($0.reason ?? "-")" } ?? []
    return entries.reduce(into: [:]) { $0[$1, default: 0] += 1 }
  }

  @Test(arguments: ["id", "id DESC", "md5(id::text)"])
  func whatWaitsForAnOperatorGoesOnWaiting(order: String) async throws {
    try await DaemonFixture.with(["reporting.hold": "30d", "orders.key": "k"]) { shop in
      try await fill(shop)
      try await shop.start()
      #expect(await eventually(within: .seconds(40)) { await states(shop) == ["held hold": Self.count] })
      try await shop.stop()
      try shop.configure(["reporting.hold": "0s"])
      try await shop.start()
      #expect(await eventually(within: .seconds(40)) { await states(shop) == ["held rules_changed": Self.count] })
      try await reload(shop, order: order)
      try await Task.sleep(for: .seconds(8))
      #expect(await states(shop)["held rules_changed"] == Self.count - 1)
      #expect(await shop.sandbox.state.reports.isEmpty)
    }
  }

  /// A draft gets the number of its invoice: the operator's word stands for it under that, too.
  @Test func anOperatorsWordStandsWhereTheShopNumbersAnOrderAnew() async throws {
    let settings = ["reporting.hold": "30d", "orders.key": "k", "orders.sweep_interval": "1s"]
    try await DaemonFixture.with(settings) { shop in
      try await fill(shop)
      try await shop.start()
      #expect(await eventually(within: .seconds(40)) { await states(shop) == ["held hold": Self.count] })
      #expect(try await shop.run("queue", "discard", "1", "--reason", "fraud", "--yes").end == .exited(0))
      #expect(try await shop.run("queue", "hold", "2", "--yes").end == .exited(0))
      try await shop.database.execute("UPDATE orders SET id = id + 1000")
      let kept = ["1001 discarded", "1002 held operator", "1003 held hold"]
      #expect(await eventually(within: .seconds(60)) { await standing(shop) == kept }, "\(shop.log)")
    }
  }

  /// A late order takes a number, and all behind it get the next one: each ID is another order's then.
  @Test func anOperatorsWordGoesAlongAChainOfNumbersWithItsOwnOrderAlone() async throws {
    let settings = ["reporting.hold": "30d", "orders.key": "k", "orders.sweep_interval": "1s"]
    try await DaemonFixture.with(settings) { shop in
      try await fill(shop)
      try await shop.start()
      #expect(await eventually(within: .seconds(40)) { await states(shop) == ["held hold": Self.count] })
      #expect(try await shop.run("queue", "discard", "1", "--reason", "fraud", "--yes").end == .exited(0))
      #expect(try await shop.run("queue", "hold", "2", "--yes").end == .exited(0))
      try await shop.database.execute("UPDATE orders SET id = id + 1")
      let kept = ["2 discarded", "3 held operator", "4 held hold"]
      #expect(await eventually(within: .seconds(60)) { await standing(shop) == kept }, "\(shop.log)")
      #expect(await eventually(within: .seconds(60)) { await states(shop)["held hold"] == Self.count - 2 })
      #expect(try await shop.run("queue", "release", "3", "--yes").end == .exited(0))
      #expect(await eventually(within: .seconds(60)) { await standing(shop)?[1] == "3 held hold" }, "\(shop.log)")
    }
  }

  @Test func aDiscardedDraftKeepsNoOtherOrderFromBeingReported() async throws {
    let settings = ["reporting.hold": "30d", "orders.key": "k", "orders.sweep_interval": "1s"]
    try await DaemonFixture.with(settings) { shop in
      try await fill(shop)
      try await shop.database.execute("UPDATE orders SET id = 999 WHERE k = 1")
      try await shop.start()
      #expect(await eventually(within: .seconds(40)) { await standing(shop)?.first == "999 held hold" })
      #expect(try await shop.run("queue", "discard", "999", "--reason", "fraud", "--yes").end == .exited(0))
      for (change, expected) in [
        ("id = 1 WHERE k = 1", ["1 discarded", "2 held hold"]),
        ("id = 999 WHERE k = 2", ["1 discarded", "999 held hold"]),
        ("id = 2 WHERE k = 2", ["1 discarded", "2 held hold"]),
      ] {
        try await shop.database.execute("UPDATE orders SET \(change)")
        #expect(
          await eventually(within: .seconds(60)) { await standing(shop)?.prefix(2) == expected[...] },
          "\(change) \(shop.log)")
      }
    }
  }

  @Test(arguments: [nil, "1s"], ["id", "id DESC"])
  func whatWasReportedStaysSoAndIsNeverPostedForAnother(retain: String?, order: String) async throws {
    try await DaemonFixture.with(["orders.key": "k", "ledger.retain": retain]) { shop in
      try await fill(shop)
      try await shop.start()
      #expect(await eventually(within: .seconds(60)) { await shop.sandbox.state.reports.count == Self.count })
      try await Task.sleep(for: .seconds(2))
      try await shop.stop()
      try await shop.start()
      #expect(await shop.catchesUp())
      // Each buyer has another address now, which another referral has.
      try await shop.database.execute("UPDATE orders SET customer_email = replace(customer_email, 'friend', 'other')")
      try await reload(shop, order: order)
      try await Task.sleep(for: .seconds(8))
      #expect(await shop.sandbox.state.reports.count == Self.count)
      let states = await states(shop)
      #expect(states.keys.allSatisfy { $0.hasPrefix("reported") }, "\(states)")
    }
  }
}
