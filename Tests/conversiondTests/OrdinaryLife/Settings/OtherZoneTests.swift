import PartnersSandbox
import TestHosts
import Testing

@testable import conversiond

/// Orders whose times are those of another zone's clocks.
@Suite struct OtherZoneTests {
  @Test(arguments: [
    ("timestamp", "America/New_York", "now", "in the past", "orders.time_zone is "),
    ("timestamptz", "America/New_York", "now", "in the past", "AT TIME ZONE 'UTC'"),
    ("timestamptz", "Asia/Kolkata", "beginning", "5 h 30 min in the future", "AT TIME ZONE 'UTC'"),
  ])
  func ordersThatWereJustWrittenAreTold(
    type: String, zone: String, start: String, place: String, advice: String
  ) async throws {
    try await DaemonFixture.with(["orders.start": start, "orders.sweep_interval": "1s"]) { shop in
      try await shop.database.execute("ALTER TABLE orders ALTER created_at TYPE \(type)")
      func insert(_ number: Int) async throws {
        try await shop.database.execute(
          """
          SET timezone = 'UTC';
          INSERT INTO orders VALUES (\(number), 'friend\(number)@example.com', NULL, NULL, 1000, 'EUR', 'paid',
            timezone('\(zone)', now())::\(type));
          """)
      }
      try await insert(1)
      try await shop.start()
      #expect(await shop.catchesUp())
      var number = 1
      let isTold = try await eventually(within: .seconds(40), every: .milliseconds(1500)) {
        number += 1
        try await insert(number)
        return shop.log.contains("orders that were just written")
      }
      #expect(isTold, "\(shop.log)")
      let line = shop.log.split(separator: "\n").first { $0.contains("orders that were just written") } ?? ""
      #expect(line.contains(place) && line.contains(advice), "\(line)")
      #expect(line.contains("before orders.start: none takes part") == (start == "now"), "\(line)")
    }
  }
}
