import TestHosts
import Testing

@testable import Orders

/// Transaction numbers as row versions tell them, modulo 2^32.
@Suite struct XIDRangeTests {
  @Test(arguments: [
    (UInt64(100), UInt64(200)), (4_294_967_290, 4_294_967_310), (4_294_967_296, 4_294_967_299),
    (8_589_934_590, 8_589_934_600), (3, 3), (5_000_000_000, 5_000_000_001),
  ])
  func everyNumberOfTheRangeIsInIt(from: UInt64, to: UInt64) {
    let range = XIDRange(from: from, to: to)
    for number in from..<to { #expect(range.contains(UInt32(truncatingIfNeeded: number))) }
    #expect(!range.contains(UInt32(truncatingIfNeeded: to)))
    #expect(!range.contains(UInt32(truncatingIfNeeded: from &- 1)))
  }

  @Test func anythingMayBeInARangeOfAllNumbers() {
    for range in [XIDRange(from: 7, to: 7 + (1 << 32)), XIDRange(from: 9, to: 8), XIDRange(from: 0, to: .max)] {
      for number: UInt32 in [0, 1, 2, 3, 7, 8, 9, .max, .max - 1] { #expect(range.contains(number)) }
      #expect(range.condition == nil)
    }
  }

  @Test func sqlAndSwiftAgree() async throws {
    let shop = try await Shop.make("")
    let numbers: [UInt64] = [0, 3, 100, 2_147_483_647, 2_147_483_648, 4_294_967_295, 4_294_967_296, 4_294_967_400]
    let versions: [UInt32] = [0, 1, 2, 3, 99, 100, 2_147_483_647, 2_147_483_648, 4_294_967_294, 4_294_967_295]
    var selects: [String] = []
    var expected: [String] = []
    for from in numbers {
      for span: UInt64 in [0, 1, 105, 1 << 31, (1 << 32) - 1] {
        let range = XIDRange(from: from, span: span)
        guard let condition = range.condition else { continue }
        for version in versions {
          selects.append("SELECT \(expected.count), (\(condition)) FROM (SELECT '\(version)'::xid AS xmin) AS t")
          expected.append(range.contains(version) ? "t" : "f")
        }
      }
    }
    let found = try await shop.database.execute(selects.joined(separator: " UNION ALL ") + " ORDER BY 1")
    #expect(found.split(separator: "\n").map { String($0.split(separator: "|")[1]) } == expected)
    #expect(expected.contains("t") && expected.contains("f"))
  }
}
