import Conversions
import Orders
import TestHosts
import Testing

@Suite(.serialized) struct PlacedAtTests {
  /// The span of the one row, as RFC 3339 with microseconds.
  private func span(_ type: String, _ value: String, zone: String = "UTC") async throws -> [String] {
    let shop = try await Shop.column(type, [value]) { mapping in
      mapping.columns.placedAt = "v"
      mapping.timeZone = zone
    }
    let row = try #require(try await shop.orders().walk().first)
    guard let placed = row.order?.placedAt else { return [row.fault?.detail ?? "", ""] }
    return [placed.earliest, placed.latest].map { time in
      "\(time.description.dropLast(4))\(String(1_000_000 + time.microseconds % 1_000_000).dropFirst())"
    }
  }

  @Test(arguments: [
    ("timestamptz", "'2026-10-01 12:00:00.123456+02'", "UTC", "10-01T10:00:00.123456", "10-01T10:00:00.123456"),
    ("timestamptz", "'2026-10-01 12:00:00.123+02'", "UTC", "10-01T10:00:00.123000", "10-01T10:00:00.123999"),
    ("timestamptz", "'2026-10-01 12:00:00+02'", "UTC", "10-01T10:00:00.000000", "10-01T10:00:00.999999"),
    ("timestamptz(3)", "'2026-10-01 12:00:00.123+02'", "UTC", "10-01T10:00:00.123000", "10-01T10:00:00.123999"),
    ("timestamp(0)", "'2026-10-01 12:00:07'", "UTC", "10-01T12:00:07.000000", "10-01T12:00:07.999999"),
    ("timestamp(1)", "'2026-10-01 12:00:07.3'", "UTC", "10-01T12:00:07.300000", "10-01T12:00:07.399999"),
    ("timestamp", "'2026-10-01 12:00:00.000001'", "Europe/Berlin", "10-01T10:00:00.000001", "10-01T10:00:00.000001"),
    ("timestamp", "'2026-12-01 12:00:00.000001'", "Europe/Berlin", "12-01T11:00:00.000001", "12-01T11:00:00.000001"),
    ("timestamp", "'2026-10-01 12:00:00.000001'", "+05:30", "10-01T17:30:00.000001", "10-01T17:30:00.000001"),
    // The hour that occurs twice: 02:30 in summer time, and again an hour later.
    ("timestamp", "'2026-10-25 02:30:00.000001'", "Europe/Berlin", "10-25T00:30:00.000001", "10-25T01:30:00.000001"),
    ("timestamp", "'2026-10-25 02:00:00.000001'", "Europe/Berlin", "10-25T00:00:00.000001", "10-25T01:00:00.000001"),
    ("timestamp", "'2026-10-25 02:59:59.999999'", "Europe/Berlin", "10-25T00:59:59.999999", "10-25T01:59:59.999999"),
    ("timestamp", "'2026-10-25 03:00:00.000001'", "Europe/Berlin", "10-25T02:00:00.000001", "10-25T02:00:00.000001"),
    ("timestamp", "'2026-10-25 01:59:59.999999'", "Europe/Berlin", "10-24T23:59:59.999999", "10-24T23:59:59.999999"),
    // The hour that clocks skipped may have meant either side.
    ("timestamp", "'2026-03-29 02:30:00.000001'", "Europe/Berlin", "03-29T00:30:00.000001", "03-29T01:30:00.000001"),
    ("timestamp", "'2026-03-29 03:00:00.000001'", "Europe/Berlin", "03-29T01:00:00.000001", "03-29T01:00:00.000001"),
    ("timestamp", "'2026-11-01 01:30:00.000001'", "America/New_York", "11-01T05:30:00.000001", "11-01T06:30:00.000001"),
    // Half an hour, on Lord Howe Island.
    (
      "timestamp", "'2026-04-05 01:45:00.000001'", "Australia/Lord_Howe", "04-04T14:45:00.000001",
      "04-04T15:15:00.000001"
    ),
    ("date", "'2026-10-25'", "Europe/Berlin", "10-24T22:00:00.000000", "10-25T22:59:59.999999"),
    ("date", "'2026-10-01'", "UTC", "10-01T00:00:00.000000", "10-01T23:59:59.999999"),
  ])
  func aSpanIsWhatTheColumnTells(type: String, value: String, zone: String, from: String, to: String) async throws {
    #expect(try await span(type, value, zone: zone) == ["2026-\(from)", "2026-\(to)"])
  }

  @Test(arguments: [
    ("timestamptz", "'infinity'"), ("timestamptz", "'-infinity'"), ("timestamp", "'infinity'"), ("date", "'-infinity'"),
    ("timestamptz", "'20000-01-01 00:00+00'"), ("timestamp", "'20000-01-01'"), ("date", "'20000-01-01'"),
    ("timestamptz", "'0044-03-15 00:00+00 BC'"), ("timestamp", "'0044-03-15 BC'"), ("date", "'4713-01-01 BC'"),
    ("timestamp", "'294276-12-31 23:59:59'"), ("date", "'5874897-12-31'"), ("timestamp", "'4713-01-01 00:00:00 BC'"),
    ("timestamptz", "NULL"), ("timestamp", "NULL"), ("date", "NULL"),
  ])
  func whatNoOrderCanHaveIsUnreadableAndTheOthersGoOn(type: String, value: String) async throws {
    let shop = try await Shop.column(type, ["'2026-01-01'", value, "'2026-01-03'"]) { mapping in
      mapping.columns.placedAt = "v"
      mapping.timeZone = "Europe/Berlin"
    }
    let rows = try await shop.orders().walk()
    #expect(rows.count == 3)
    #expect(rows[0].order != nil && rows[2].order != nil)
    let fault = try #require(rows[1].fault)
    #expect(fault.reason == .unreadable)
    #expect(fault.transactionID == "2")
    #expect(fault.detail.contains("placed_at"), "\(fault.detail)")
  }
}
