import PartnersSandbox
import TestHosts
import Testing

@testable import conversiond

/// Rows that are moved away while their orders are on hold.
@Suite struct MovedRowsTests {
  private func prepare(_ shop: DaemonFixture, _ count: Int) async throws {
    try await shop.sandbox.put((1...count).map { SandboxReferral("r\($0)", email: "friend\($0)@example.com") })
    // The hold ends in eight seconds.
    try await shop.insert(
      (1...count).map { ShopOrder($0, email: "friend\($0)@example.com", daysAgo: 1 - 8 / 86_400.0) })
    try await shop.start()
    #expect(await shop.reaches(["1": "held", String(count): "held"]))
  }

  @Test func manyAreHeldAndToldAndOneIsCancelled() async throws {
    try await DaemonFixture.with(["reporting.hold": "1d"]) { shop in
      try await prepare(shop, 12)
      try await shop.database.execute(
        "CREATE TABLE archive AS SELECT * FROM orders WHERE id <= 4; DELETE FROM orders WHERE id <= 4")
      let reported = Dictionary(uniqueKeysWithValues: (5...12).map { (String($0), "reported") })
      #expect(await shop.reaches(reported))
      #expect(
        await eventually(within: .seconds(20)) {
          let now = await shop.peek() ?? [:]
          return (1...4).allSatisfy { now[String($0)]?.reason == "row_missing" && now[String($0)]?.state == "held" }
        })
      #expect(await shop.logs("event=rows_missing"))
      #expect(shop.log.split(separator: "\n").count { $0.contains("event=rows_missing") } == 1)
      #expect(await shop.sandbox.state.reports.count == 8)
      let status = try await shop.run("status")
      #expect(
        status.end == .exited(1)
          && status.output.contains("NEEDS A PERSON: 4 orders are held as their rows are missing"))
      // Put back, they are looked for within the hour, or once an operator says so.
      try await shop.database.execute("INSERT INTO orders SELECT * FROM archive")
      let release = try await shop.run("queue", "release", "ALL", "--reason", "row_missing", "--yes")
      #expect(release.end == .exited(0), "\(release.output)")
      #expect(await shop.reaches(["1": "reported", "4": "reported"]))
    }
  }

  /// An archive job that keeps rows for less than the hold: the others' holds end days later.
  @Test func thoseThatAreMovedAwayOneByOneAreNotTakenForCancelled() async throws {
    try await DaemonFixture.with(["reporting.hold": "1d"]) { shop in
      try await shop.sandbox.put((1...10).map { SandboxReferral("r\($0)", email: "friend\($0)@example.com") })
      try await shop.insert(
        (1...10).map { number in
          ShopOrder(
            number, email: "friend\(number)@example.com",
            daysAgo: number == 1 ? 1 - 8 / 86_400.0 : 0.9 - Double(number) / 100)
        })
      try await shop.start()
      #expect(await shop.reaches(["1": "held", "10": "held"]))
      try await shop.database.execute(
        "CREATE TABLE archive AS SELECT * FROM orders WHERE id <= 6; DELETE FROM orders WHERE id <= 6")
      #expect(
        await eventually(within: .seconds(40)) { await shop.peek()?["1"]?.reason == "row_missing" })
      #expect(await shop.logs("6 orders that have a referral are missing from the shop's table"), "\(shop.log)")
      #expect(await shop.sandbox.state.reports.isEmpty)
    }
  }

  @Test func oneOfManyIsCancelled() async throws {
    try await DaemonFixture.with(["reporting.hold": "1d"]) { shop in
      try await prepare(shop, 5)
      try await shop.database.execute("DELETE FROM orders WHERE id = 1")
      #expect(await shop.reaches(["1": "cancelled: gone", "2": "reported", "5": "reported"]))
      #expect(!shop.log.contains("event=rows_missing"))
    }
  }

  @Test func ordersThatAreAnonymisedOnHoldAreTold() async throws {
    try await DaemonFixture.with(["reporting.hold": "1d"]) { shop in
      try await prepare(shop, 3)
      try await shop.database.execute(
        "UPDATE orders SET customer_email = 'deleted-' || id || '@shop.invalid' WHERE id < 3")
      #expect(await shop.reaches(["1": "waiting", "2": "waiting", "3": "reported"]))
      for number in 1...2 {
        #expect(await shop.logs("order \(number) has lost the e-mail by which its referral"), "\(shop.log)")
      }
    }
  }
}
