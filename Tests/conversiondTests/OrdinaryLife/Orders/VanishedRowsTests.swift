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

  /// Of those that were missing before some were discarded, some were put back.
  @Test func onlyThoseThatAreMissingAndStillToBeSentAreCounted() async throws {
    try await DaemonFixture.with(["reporting.hold": "1d"]) { shop in
      // 5 and 6 are on hold for long, and away only for a while.
      try await shop.sandbox.put((5...13).map { SandboxReferral("r\($0)", email: "friend\($0)@example.com") })
      try await shop.insert((5...6).map { ShopOrder($0, email: "friend\($0)@example.com", daysAgo: 0.5) })
      try await prepare(shop, 4)
      #expect(await shop.reaches(["5": "held", "6": "held"]))
      try await shop.database.execute(
        "CREATE TABLE archive AS SELECT * FROM orders WHERE id >= 3; DELETE FROM orders")
      #expect(
        await eventually(within: .seconds(40)) {
          let now = await shop.peek() ?? [:]
          return (1...4).allSatisfy { now[String($0)]?.reason == "row_missing" && now[String($0)]?.state == "held" }
        })
      #expect(await shop.logs("6 orders that have a referral are missing"), "\(shop.log)")
      #expect(shop.log.contains("conversiond queue discard ORDER --yes"))
      #expect(try await shop.run("queue", "discard", "1", "2", "--yes").end == .exited(0))
      try await shop.database.execute("INSERT INTO orders SELECT * FROM archive")
      #expect(try await shop.run("queue", "release", "3", "4", "--yes").end == .exited(0))
      #expect(await shop.reaches(["1": "discarded", "2": "discarded", "3": "reported", "4": "reported"]))

      try await shop.stop()
      try await shop.insert(
        (11...13).map { ShopOrder($0, email: "friend\($0)@example.com", daysAgo: 1 - 20 / 86_400.0) })
      try await shop.start()
      #expect(await shop.reaches(["11": "held", "13": "held"]))
      try await shop.database.execute("DELETE FROM orders WHERE id > 10")
      #expect(
        await eventually(within: .seconds(40)) { shop.log.contains(" 3 orders that have a referral are missing") },
        "\(shop.log)")
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

  /// Orders deleted by a mark that `orders.where` leaves out, and a condition that was made stricter.
  @Test(arguments: [true, false])
  func rowsThatAreThereAndNoOrdersAnyMoreAreCancelledAndTheirRivalsMoveUp(byWhere: Bool) async throws {
    let settings = ["reporting.hold": "1d", "orders.where": byWhere ? nil : "deleted_at IS NULL"]
    try await DaemonFixture.with(settings) { shop in
      try await shop.database.execute("ALTER TABLE orders ADD deleted_at timestamptz")
      let hold = byWhere ? 20.0 : 10.0
      try await shop.sandbox.put((1...6).map { SandboxReferral("r\($0)", email: "friend\($0)@example.com") })
      try await shop.insert(
        (1...6).map { ShopOrder($0, email: "friend\($0)@example.com", daysAgo: 1 - hold / 86_400.0) })
      try await shop.insert(ShopOrder(7, email: "friend1@example.com", daysAgo: 1 - (hold + 1) / 86_400.0))
      try await shop.start()
      #expect(await shop.reaches(["1": "held", "6": "held", "7": "waiting"]))
      if byWhere {
        try await shop.stop()
        try shop.configure(["orders.where": "id > 4"])
        try await shop.start()
      } else {
        try await shop.database.execute("UPDATE orders SET deleted_at = now() WHERE id <= 4")
      }
      let gone = "cancelled: no_longer_qualifies"
      #expect(
        await shop.reaches(
          [
            "1": gone, "2": gone, "3": gone, "4": gone, "5": "reported", "6": "reported", "7": "reported",
          ], within: .seconds(60)), "\(shop.log)")
      #expect(!shop.log.contains("event=rows_missing"))
      let number = try await shop.entries()["2"]?.id ?? 0
      #expect(try await shop.run("queue", "show", String(number)).output.contains("orders.where leaves it out"))
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
