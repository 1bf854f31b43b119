import Foundation
import TestHosts
import Testing

/// The oracle itself, on a handful of orders of which it is known what is right: one that finds nothing proves nothing.
@Suite struct OracleTests {
  private static let cluster = Task { try await PostgresCluster.start(settings: ["track_commit_timestamp": "on"]) }
  /// A referral by e-mail that the API knew an hour ago.
  private static let made = Date().timeIntervalSince1970 - 3600

  /// Returns the oracle's judgement of a conversion of `referral` in the API by `order`, and of what is left.
  private func judge(
    _ sql: [String], order: Int?, cents: Int = 100, referral: String = "first", laterKey: Double? = nil
  ) async throws -> (missed: String, wrong: String) {
    let database = try await Self.cluster.value.createDatabase()
    try await database.execute(ShopSchema.sql)
    // One statement, one transaction.
    for statement in sql { try await database.execute(statement) }
    let now = Date().timeIntervalSince1970
    let referrals = ["first", "second"].enumerated().map { index, id in
      let converted =
        order.map {
          id != referral
            ? "" : #","convertedAt":\#(Int(now * 1000)),"conversionValue":"\#(cents)","externalTransactionId":"\#($0)""#
        }
        ?? ""
      let status = converted.isEmpty ? "pending" : "converted"
      return
        #"{"referralId":"\#(id)","status":"\#(status)","createdAt":\#(Int(Self.made * 1000) + index)\#(converted)}"#
    }
    let keys = [("first", laterKey ?? Self.made), ("second", Self.made)].map { id, at in
      #"{"referral":"\#(id)","email":"Ana@Example.com","sentAt":\#(at),"answeredAt":\#(at)}"#
    }
    let facts = OracleSQL.load(
      referrals: "[\(referrals.joined(separator: ","))]", keys: "[\(keys.joined(separator: ","))]", sweeps: "[]",
      daemonStart: Self.made + 1)
    try await database.execute(facts + OracleSQL.judge)
    return (
      try await database.execute("SELECT order_id, referral FROM (\(OracleSQL.missed)) AS m"),
      try await database.execute("SELECT id, transaction_id FROM (\(OracleSQL.wrong)) AS w")
    )
  }

  private static func insert(_ id: Int, email: String = " ana@EXAMPLE.com", placed: String = "now()") -> String {
    """
    INSERT INTO orders (id, customer_email, status, total_cents, currency, placed_at, written_as)
    VALUES (\(id), '\(email)', 'paid', 100, 'EUR', \(placed), 'a test');
    """
  }

  @Test func anOrderWithoutItsConversionIsMissed() async throws {
    let found = try await judge([Self.insert(1)], order: nil)
    #expect(found.missed == "1|first")
    #expect(found.wrong == "")
  }

  @Test func aConversionByTheRightOrderIsRightAlsoWhenTheOrderIsGoneRightAfter() async throws {
    for later in ["", "UPDATE orders SET status = 'refunded'", "DELETE FROM orders"] {
      let found = try await judge([Self.insert(1), later], order: 1)
      #expect(found.missed == "")
      #expect(found.wrong == "")
    }
  }

  @Test func anotherValueAnotherReferralAndAnotherOrderAreWrong() async throws {
    #expect(try await judge([Self.insert(1)], order: 1, cents: 99).wrong == "first|1")
    #expect(try await judge([Self.insert(1)], order: 1, referral: "second").wrong == "second|1")
    #expect(try await judge([Self.insert(1), Self.insert(2, email: "eve@example.com")], order: 2).wrong == "first|2")
    #expect(try await judge([Self.insert(1, placed: "now() - interval '2 hours'")], order: 1).wrong == "first|1")
    #expect(try await judge([Self.insert(1, placed: "now() + interval '31 days'")], order: 1).wrong == "first|1")
  }

  @Test func whatWasRolledBackCannotConvertAnything() async throws {
    let rolledBack = "BEGIN; SAVEPOINT s; \(Self.insert(1)) ROLLBACK TO s; \(Self.insert(2)) COMMIT;"
    #expect(try await judge([rolledBack], order: 1).wrong == "first|1")
    #expect(try await judge([rolledBack], order: 2).wrong == "")
    // Within one transaction only its last version is ever to be seen.
    let changed = "BEGIN; \(Self.insert(1)) UPDATE orders SET total_cents = 200; COMMIT;"
    #expect(try await judge([changed], order: 1, cents: 100).wrong == "first|1")
    #expect(try await judge([changed], order: 1, cents: 200).wrong == "")
  }

  @Test func aReferralThatGainedItsKeyLateMayBePassedOverAndOneThatHadItMayNot() async throws {
    let late = Date().timeIntervalSince1970
    #expect(try await judge([Self.insert(1)], order: 1, referral: "second", laterKey: late).wrong == "")
    // Superseded when its referral was converted: the late one is none of its.
    #expect(
      try await judge([Self.insert(1), Self.insert(2)], order: 1, referral: "second", laterKey: late).missed == "")
    #expect(try await judge([Self.insert(1), Self.insert(2)], order: 1, referral: "second").missed == "2|first")
  }
}
