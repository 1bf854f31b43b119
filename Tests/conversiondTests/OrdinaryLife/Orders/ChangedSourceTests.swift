import Conversions
import Foundation
import PartnersSandbox
import TestHosts
import Testing

@testable import conversiond

/// A ledger that holds orders keeps to the shop, the mapping and the API that they are of.
@Suite struct ChangedSourceTests {
  /// The last line of a daemon that is expected to refuse.
  private func refusal(_ shop: DaemonFixture) async throws -> String {
    let daemon = try shop.launch()
    #expect(try await daemon.wait(within: .seconds(20)) == .exited(78))
    return daemon.standardError.split(separator: "\n").last.map(String.init) ?? ""
  }

  @Test func keysOfAnotherTypeUnderTheSameNameEndNothingAndReportNothingTwice() async throws {
    try await DaemonFixture.with(["reporting.hold": "1h"]) { shop in
      try await shop.sandbox.put([
        SandboxReferral("r1", email: "ana.old@example.com"), SandboxReferral("r2", email: "ana.new@example.com"),
        SandboxReferral("r3", email: "bob@example.com"), SandboxReferral("r4", email: "eve@example.com"),
      ])
      try await shop.insert(
        ShopOrder(1, email: "ana.old@example.com"), ShopOrder(2, email: "bob@example.com", daysAgo: 0.001))
      try await shop.start()
      #expect(await shop.reaches(["1": "reported", "2": "held"]))
      try await shop.database.execute(
        """
        BEGIN; UPDATE orders SET customer_email = 'ana.new@example.com' WHERE id = 1;
        ALTER TABLE orders DROP CONSTRAINT orders_pkey; ALTER TABLE orders RENAME id TO old_id;
        ALTER TABLE orders ADD COLUMN id uuid PRIMARY KEY DEFAULT gen_random_uuid(); COMMIT;
        """)
      #expect(await eventually { shop.log.contains("the type of orders.key was integer and is uuid") })
      #expect(await shop.logs("conversiond accept-mapping"), "\(shop.log)")
      #expect(await shop.reaches(["1": "reported", "2": "held"]))
      #expect(try await shop.status().report.database.state == "failing")
      #expect(try await shop.run("accept-mapping", "--yes").end == .exited(75))
      try await shop.stop()
      let words = try await refusal(shop)
      #expect(words.contains("the type of orders.key was integer and is uuid") && words.contains("accept-mapping"))
      let plan = try await shop.run("accept-mapping")
      #expect(plan.end == .exited(0))
      #expect(plan.output.contains("the type of orders.columns.id") && plan.output.contains("nothing was changed"))
      #expect(plan.output.contains("1 orders that were never sent lose their rows"))
      #expect(try await refusal(shop).contains("uuid"))
      #expect(try await shop.run("accept-mapping", "--yes").output.contains("accepted"))
      try await shop.start()
      try await shop.database.execute(
        "ALTER TABLE orders ALTER old_id DROP NOT NULL; INSERT INTO orders (customer_email, total_cents, currency, status, "
          + "created_at) VALUES ('eve@example.com', 700, 'EUR', 'paid', now())")
      #expect(
        await eventually { await shop.peek()?.values.contains { $0.email != nil && $0.state == "held" } ?? false })
      #expect(await shop.reaches(["1 (gone, #1)": "reported", "2 (gone, #2)": "cancelled: gone"]))
      #expect(await shop.sandbox.state.converted.map(\.referralID) == ["r1"])
      #expect(try await shop.entries().count == 3)
      #expect(try await shop.run("accept-mapping", "--json").end == .exited(75))
    }
  }

  /// Superseded orders end with those that were still open.
  @Test func aMappingThatIsAcceptedIsInTheLogAndEndsAsManyOrdersAsItsPlanSaid() async throws {
    try await DaemonFixture.with { shop in
      try await shop.database.execute("ALTER TABLE orders ADD no text; ALTER TABLE orders ALTER no SET DEFAULT 'x'")
      try await shop.sandbox.put([SandboxReferral("r1", email: "ana@example.com")])
      try await shop.sandbox.change("r1") {
        ($0.status, $0.convertedAt) = (.converted, Int64(Date().timeIntervalSince1970 * 1000) - 3_600_000)
      }
      for (number, email) in [(1, "ana@example.com"), (2, "ana@example.com"), (3, "bob@example.com")] {
        try await shop.database.execute(
          """
          INSERT INTO orders (id, customer_email, total_cents, currency, status, created_at, no)
          VALUES (\(number), '\(email)', 1000, 'EUR', 'paid', now(), 'F-\(number)')
          """)
      }
      try await shop.start()
      #expect(await shop.reaches(["1": "superseded", "2": "superseded", "3": "waiting"]))
      try await shop.stop()
      try shop.configure(["orders.columns.id": "no", "orders.key": "id"])
      let plan = try await shop.run("accept-mapping", "--yes")
      #expect(plan.output.contains("3 orders that were never sent lose their rows and end as cancelled"), "\(plan)")
      try await shop.start()
      #expect(await shop.logs("accepted another mapping, database or API at 20"), "\(shop.log)")
      let line = shop.log.split(separator: "\n").first { $0.contains("accepted another mapping, ") }
      #expect(line?.contains("event=operator") == true && line?.contains("orders.columns.id was id and is no") == true)
      #expect(
        await eventually(within: .seconds(30)) {
          await shop.peek()?.values.count { $0.state == "cancelled" && $0.reason == "gone" } == 3
        })
      #expect(await shop.logs("3 of them otherwise, and then every row was read anew"), "\(shop.log)")
      try await shop.stop()
      try await shop.start()
      #expect(shop.log.split(separator: "\n").count { $0.contains("accepted another mapping, ") } == 1)
    }
  }

  @Test func anotherDatabaseOrAPIIsRefusedAndAnotherSpellingIsNot() async throws {
    try await DaemonFixture.with { shop in
      try await shop.insert(ShopOrder(1, email: "ana@example.com"))
      try await shop.start()
      #expect(await shop.reaches(["1": "waiting"]))
      try await shop.stop()
      let other = "other_\(UInt32.random(in: 1...UInt32.max))"
      try await shop.database.execute("CREATE DATABASE \(other)")
      let conninfo = shop.database.cluster.conninfo(database: other, user: "postgres")
      let psql = try await ChildProcess.run(
        "psql", ["-X", "-q", "-d", conninfo, "-c", ShopOrder.table], within: .seconds(20))
      #expect(psql.end == .exited(0))
      try shop.configure(["orders.connection": DaemonConfiguration.quoted(conninfo)])
      let words = try await refusal(shop)
      #expect(words.contains("the database of orders.connection was") && words.contains("is \(other)"))
      try shop.configure(["orders.connection": DaemonConfiguration.quoted(shop.database.conninfo)])
      let url = (try #require(try? String(contentsOfFile: shop.configurationFile, encoding: .utf8)))
        .split(separator: "\n").first { $0.contains("base_url") }?.split(separator: "'").dropFirst().first.map(
          String.init)
      let baseURL = try #require(url)
      try shop.configure(["api.base_url": "'http://127.0.0.1:9/v1'"])
      #expect(try await refusal(shop).contains("api.base_url was \(baseURL) and is http://127.0.0.1:9/v1"))
      // The same in other words.
      for from in ["public.orders", "ORDERS"] {
        try shop.configure(["orders.from": from, "api.base_url": "'\(baseURL)/'"])
        try await shop.start()
        #expect(await shop.reaches(["1": "waiting"]))
        try await shop.stop()
      }
      // Another schema's table of the same name.
      try await shop.database.execute("CREATE SCHEMA shop2; CREATE TABLE shop2.orders (LIKE orders INCLUDING ALL)")
      try shop.configure(["orders.from": "shop2.orders"])
      #expect(try await refusal(shop).contains("shop2.orders"))
      // One that can't be reached tells nothing: the check comes with the first connection.
      try shop.configure([
        "orders.from": "orders", "orders.connection": "'host=/nonexistent dbname=\(other)'",
      ])
      try await shop.start()
      #expect(try await shop.states() == ["1": "waiting"])
    }
  }

  @Test func anotherStartIsTakenAndSaid() async throws {
    try await DaemonFixture.with(["orders.start": "now"]) { shop in
      try await shop.sandbox.put([
        SandboxReferral("r1", email: "ana@example.com", daysAgo: 9), SandboxReferral("r2", email: "bob@example.com"),
      ])
      try await shop.insert(ShopOrder(1, email: "ana@example.com", daysAgo: 2))
      try await shop.start()
      #expect(await shop.catchesUp())
      #expect(try await shop.states() == [:])
      try await shop.stop()
      try shop.configure(["orders.start": "beginning"])
      try await shop.start()
      #expect(await shop.logs("orders.start was now and is beginning: every order is read again"), "\(shop.log)")
      #expect(await shop.reaches(["1": "reported"]))
      try await shop.stop()
      try shop.configure(["orders.start": "now"])
      try await shop.start()
      #expect(await shop.logs("orders.start was beginning and is now"), "\(shop.log)")
      try await shop.insert(ShopOrder(2, email: "bob@example.com", daysAgo: 1))
      try await shop.insert(ShopOrder(3, email: "bob@example.com", daysAgo: -0.00005))
      #expect(await shop.reaches(["1": "reported", "3": "reported"]))
      #expect(try await shop.entries()["2"] == nil)
    }
  }

  /// The prefix that tells two shops of one account apart, for orders that an operator spoke of; and a column's other
  /// name.
  @Test func ordersThatAnOperatorSpokeOfAreNotTakenAsNewOnesUnasked() async throws {
    try await DaemonFixture.with(["orders.columns.id": "no", "orders.key": "id"]) { shop in
      try await shop.database.execute("ALTER TABLE orders ADD no text; ALTER TABLE orders ALTER no SET DEFAULT 'x'")
      try await shop.sandbox.put((1...3).map { SandboxReferral("r\($0)", email: "friend\($0)@example.com") })
      try await shop.start()
      #expect(await shop.catchesUp())
      for number in 1...3 {
        try await shop.database.execute(
          """
          INSERT INTO orders (id, customer_email, total_cents, currency, status, created_at, no)
          VALUES (\(number), 'friend\(number)@example.com', 1000, 'EUR', 'pending', now(), 'F-\(number)')
          """)
      }
      #expect(await shop.reaches(["1": "not_qualifying", "3": "not_qualifying"]))
      #expect(try await shop.run("queue", "discard", "F-1", "--yes").end == .exited(0))
      #expect(try await shop.run("queue", "hold", "F-2", "--yes").end == .exited(0))
      try await shop.stop()
      try await shop.database.execute("UPDATE orders SET status = 'paid'")
      try shop.configure(["orders.columns.id": #""'s2-' || no""#])
      let refused = try await shop.run("accept-mapping", "--yes", "--since", "2020-01-01")
      #expect(refused.end == .exited(78) && refused.errors.contains("2 orders placed since then"), "\(refused)")
      // The same IDs under another name are the same orders.
      try await shop.database.execute("ALTER TABLE orders RENAME no TO num")
      try shop.configure(["orders.columns.id": "num"])
      #expect(try await shop.run("accept-mapping", "--yes", "--since", "2020-01-01").end == .exited(0))
      try await shop.start()
      #expect(await shop.reaches(["1": "discarded", "2": "held", "3": "reported"]))
      #expect(await shop.sandbox.state.reports.count == 1)
    }
  }

  @Test func noStartReachesBackToOrdersThatWereReportedUnderOtherIDs() async throws {
    let changes = [
      "orders.columns.id": "no", "orders.key": "id", "orders.start": "2026-01-01", "matching.choose": "last",
    ]
    try await DaemonFixture.with(changes) { shop in
      try await shop.database.execute("ALTER TABLE orders ADD no text; ALTER TABLE orders ALTER no SET DEFAULT 'x'")
      try await shop.sandbox.put([SandboxReferral("r1", email: "ana@example.com", daysAgo: 20)])
      let insert = { (number: Int, days: Int) in
        "INSERT INTO orders VALUES (\(number), 'ana@example.com', NULL, NULL, 1000, 'EUR', 'paid', "
          + "now() - \(days) * interval '1 day', 'F-\(number)')"
      }
      try await shop.database.execute(insert(1, 5))
      try await shop.start()
      #expect(await shop.reaches(["1": "reported"]))
      try await shop.stop()
      try await shop.sandbox.put([SandboxReferral("r2", email: "ana@example.com", daysAgo: 10)])
      try shop.configure(["orders.columns.id": #""'shop2-' || no""#])
      let plan = try await shop.run("accept-mapping", "--yes")
      #expect(plan.output.contains("are not compared with the shop any more: 1 of them in the last 60 days"), "\(plan)")
      let day = Timestamp(microseconds: SystemClock().now.microseconds - 4 * 86_400_000_000).utcDay
      for start in ["2026-01-02", "beginning"] {
        try shop.configure(["orders.start": start])
        let check = try await shop.run("check")
        let told = check.output.contains("FAIL  orders.start") || check.output.contains("FAIL orders.start")
        #expect(told && check.output.contains("F-1"), "\(check)")
        let words = try await refusal(shop)
        #expect(
          words.contains("orders.start reaches back to 1 orders") && words.contains("The newest is F-1"), "\(words)")
      }
      // A start without a date takes in nothing from before.
      try shop.configure(["orders.start": "auto"])
      try await shop.start()
      #expect(await shop.logs("another mapping was accepted: orders reported before are not compared"), "\(shop.log)")
      #expect(await shop.catchesUp())
      try await shop.stop()
      try shop.configure(["orders.start": day])
      try await shop.start()
      try await shop.database.execute(insert(2, 3))
      #expect(await shop.reaches(["1 (gone, #1)": "reported", "2": "reported"]))
      #expect(await shop.sandbox.state.reports.count == 2)
      #expect(try await shop.entries().count == 2)
      try await shop.stop()
      // A ledger that is built anew goes on refusing.
      #expect(try await shop.run("rebuild", "--yes", "--even-if-whole").end == .exited(0))
      try shop.configure(["orders.start": "2026-01-02"])
      #expect(try await refusal(shop).contains("orders.start reaches back"))
    }
  }
}
