import PartnersSandbox
import TestHosts
import Testing

@testable import conversiond

/// Mappings that make no error and match nothing, as the running daemon tells them.
@Suite struct MappingDoubtTests {
  @Test func namesAroundAddressesAreToldOnceAndShownUntilTheyEnd() async throws {
    try await DaemonFixture.with(["orders.sweep_interval": "1s"]) { shop in
      try await shop.start()
      #expect(await shop.catchesUp())
      for number in 1...9 {
        try await shop.insert(ShopOrder(number, email: "Ana \(number) <ana\(number)@example.com>"))
      }
      try await shop.insert(ShopOrder(10), ShopOrder(11, email: " "))
      #expect(await shop.reaches(["9": "waiting", "11": "waiting"]))
      #expect(!shop.log.contains("poll_warning"), "\(shop.log)")
      for number in 12...14 { try await shop.insert(ShopOrder(number, email: "Bob <bob\(number)@example.com>")) }
      #expect(await shop.logs("of the last 1"))
      let line = shop.log.split(separator: "\n").first { $0.contains("of the last 1") } ?? ""
      #expect(line.contains("poll_warning") && line.contains("substring(customer_email from '<([^<>]+)>')"), "\(line)")
      let status = try await shop.run("status")
      #expect(status.end == .exited(1) && status.output.contains("NEEDS A PERSON: orders.columns.email"), "\(status)")
      #expect(await shop.reaches(["14": "waiting"]))
      #expect(shop.log.split(separator: "\n").count { $0.contains("of the last 1") } == 1)
      for number in 21...80 { try await shop.insert(ShopOrder(number, email: "cy\(number)@example.com")) }
      #expect(try await eventually { try await shop.status().report.doubts == nil })
    }
  }

  @Test func aBatchOfLocalTimesIsDoubted() async throws {
    let changes = ["orders.start": "beginning", "orders.sweep_interval": "1s"]
    try await DaemonFixture.with(changes) { shop in
      try await shop.database.execute("ALTER TABLE orders ALTER created_at TYPE timestamp")
      func insert(_ numbers: ClosedRange<Int>) async throws {
        try await shop.database.execute(
          """
          INSERT INTO orders SELECT n, 'friend' || n || '@example.com', NULL, NULL, 1000, 'EUR', 'paid',
            timezone('America/New_York', clock_timestamp())
          FROM generate_series(\(numbers.lowerBound), \(numbers.upperBound)) n
          """)
      }
      try await insert(1...1)
      try await shop.start()
      #expect(await shop.catchesUp())
      try await insert(2...17)
      #expect(await shop.logs("orders that were just written are read as placed"), "\(shop.log)")
      let status = try await shop.run("status")
      #expect(status.end == .exited(1) && status.output.contains("NEEDS A PERSON: orders that were just"), "\(status)")
    }
  }

  @Test func checkWarnsOfConditionsOnTheTimeAndOfStatusesThatComeAfterPayment() async throws {
    try await DaemonFixture.with(["orders.where": #""created_at > now() - interval '30 days'""#]) { shop in
      try await shop.insert(
        ShopOrder(1, email: "ana@example.com"), ShopOrder(2, email: "bob@example.com", status: "Picked-Up"),
        ShopOrder(3, email: "cy@example.com", status: "unpaid"))
      let check = try await shop.run("check").output
      #expect(check.contains("orders.where") && check.contains("a condition depends on the time (now)"), "\(check)")
      #expect(check.contains("status Picked-Up (1 order) does not qualify"), "\(check)")
      #expect(!check.contains("status unpaid"))
      try await shop.database.execute(
        "CREATE VIEW young AS SELECT * FROM orders WHERE created_at > CURRENT_DATE - 30; "
          + "CREATE VIEW aged AS SELECT *, now() - created_at AS age FROM orders WHERE created_at > '2020-01-01'")
      try shop.configure(["orders.where": "\"status <> 'today'\"", "orders.from": "young", "orders.key": "id"])
      let young = try await shop.run("check").output
      #expect(young.contains("depends on the time (current_date)") && young.contains("read a view without"), "\(young)")
      try shop.configure(["orders.where": "\"status <> 'x'\"", "orders.from": "aged"])
      #expect(try await !shop.run("check").output.contains("depends on the time"))
    }
  }

  @Test func theStatusOfAnOrderThatIsCancelledIsNamed() async throws {
    try await DaemonFixture.with(["reporting.hold": "1h"]) { shop in
      try await shop.sandbox.put([
        SandboxReferral("r1", email: "ana@example.com"), SandboxReferral("r2", email: "bob@example.com"),
      ])
      try await shop.insert(
        ShopOrder(1, email: "ana@example.com"), ShopOrder(2, email: "bob@example.com", daysAgo: 0.001))
      try await shop.start()
      #expect(await shop.reaches(["1": "reported", "2": "held"]))
      try await shop.database.execute("UPDATE orders SET status = 'shipped'")
      #expect(await shop.reaches(["2": "cancelled: no_longer_qualifies"]))
      #expect(
        await shop.logs("order 2 is cancelled: it does not qualify any more: its status is shipped"), "\(shop.log)")
      #expect(await shop.logs("and does not qualify any more: its status is shipped: correct it"), "\(shop.log)")
    }
  }
}
