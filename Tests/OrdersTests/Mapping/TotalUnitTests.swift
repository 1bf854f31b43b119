import Conversions
import Orders
import TestHosts
import Testing

/// A total's unit is said where its type leaves it open, and amounts are shown before anything is reported.
@Suite(.serialized) struct TotalUnitTests {
  private static let rows = """
    INSERT INTO orders (id, email, total, currency, status, created_at) VALUES
      (1, 'ana@example.com', 5, 'EUR', 'paid', '2026-10-01 10:00:00+00'),
      (2, 'bob@example.com', 133.44, 'EUR', 'paid', '2026-10-03 10:00:00+00'),
      (3, 'eve@example.com', 2000, 'EUR', 'paid', '2026-10-02 10:00:00+00'),
      (4, 'joe@example.com', 9999, 'EUR', 'open', '2026-10-04 10:00:00+00');
    """

  private func report(_ shop: Shop) async throws -> ShopReport { try await ShopInspection(shop.mapping).report() }

  @Test(arguments: ["numeric(12,2)", "numeric", "text", "varchar(20)", "numeric(20,3)"])
  func aTypeWithDecimalsHasNoDefault(type: String) async throws {
    var shop = try await Shop.column(type, ["'12.5'"]) { ($0.columns.total, $0.totalUnit) = ("v", nil) }
    let failure = await failure { _ = try await shop.orders().survey() }
    #expect(failure?.kind == .mapping)
    #expect(failure?.message.contains("orders.total_unit") == true, "\(failure?.message ?? "read")")
    #expect(failure?.message.contains("total_unit: major") == true)
    let found = try await report(shop).findings.filter { $0.severity == .fail }
    #expect(found.count == 1 && found[0].message.contains("orders.total_unit"), "\(found)")
    shop.mapping.totalUnit = .major
    #expect(try await shop.orders().walk().count == 1)
  }

  @Test(arguments: ["smallint", "integer", "bigint", "numeric(12,0)"])
  func anIntegerCountsCents(type: String) async throws {
    let shop = try await Shop.column(type, ["1250"]) { ($0.columns.total, $0.totalUnit) = ("v", nil) }
    #expect(try await shop.orders().walk().first?.order?.total == .amount("1250", currency: nil))
    #expect(try await report(shop).severity != .fail)
  }

  @Test func aTypeThatIsNotExactIsToldBoth() async throws {
    let shop = try await Shop.column("real", ["1"]) { ($0.columns.total, $0.totalUnit) = ("v", nil) }
    let failure = await failure { _ = try await shop.orders().survey() }
    #expect(failure?.message.contains("never floating point") == true)
    #expect(failure?.message.contains("orders.total_unit") == true)
  }

  @Test func theAmountsOfTheNewestOrdersAreShownAsTheyWouldBeReported() async throws {
    let shop = try await Shop.make(Shop.table + Self.rows)
    let said = try await report(shop).findings.filter { $0.subject == "orders.columns.total" }.map(\.message)
    #expect(
      said.dropFirst() == [
        "the newest order would be reported as 133.44 EUR: order 2, placed 2026-10-03T10:00:00.000Z, b***@example.com",
        "the smallest order would be reported as 5.00 EUR: order 1, placed 2026-10-01T10:00:00.000Z, a***@example.com",
        "the median order would be reported as 133.44 EUR: order 2, placed 2026-10-03T10:00:00.000Z, b***@example.com",
        "the largest order would be reported as 2000.00 EUR: order 3, placed 2026-10-02T10:00:00.000Z, e***@example.com",
      ])
    let rules = AmountRules(unit: .major, rounding: .refuse, otherCurrency: .review)
    #expect(try await shop.orders().newest().amounts(rules) == Array(said.dropFirst()))
  }

  @Test(arguments: [
    ("integer", AmountRules.Unit.major, "100 is reported as 100.00 EUR"),
    ("bigint", .major, "100 is reported as 100.00 EUR"), ("numeric(12,2)", .cents, "50.00 is reported as 0.50 EUR"),
    ("numeric(20,3)", .cents, "50.00 is reported as 0.50 EUR"),
  ])
  func aUnitThatTheTypeSpeaksAgainstIsAQuestion(type: String, unit: AmountRules.Unit, words: String) async throws {
    let shop = try await Shop.column(type, ["100"]) { mapping in
      (mapping.columns.total, mapping.columns.currency, mapping.totalUnit) = ("v", "'EUR'", unit)
    }
    let found = try await report(shop).findings.filter { $0.subject == "orders.total_unit" }
    #expect(found.map(\.severity) == [.warn])
    #expect(found.first?.message.contains(words) == true, "\(found)")
  }

  @Test(arguments: ["'1.234'", "'1,50'", "'12.000'", "'1.234,50'"])
  func aTextThatMayBeTwoNumbersIsForAPerson(value: String) async throws {
    let shop = try await Shop.column("text", [value, "'5.00'"]) { mapping in
      (mapping.columns.total, mapping.columns.currency, mapping.totalUnit) = ("v", "'EUR'", .major)
    }
    let order = try #require(try await shop.rowsByKey()["1"]?.order)
    let rules = AmountRules(unit: .major, rounding: .halfUp, otherCurrency: .review)
    guard case .refused(.invalidAmount, _) = rules.judge(order.total) else {
      Issue.record("taken as \(rules.judge(order.total))")
      return
    }
    let found = try await report(shop).findings.filter { $0.subject == "orders.columns.total" && $0.severity == .warn }
    #expect(found.first?.message.contains("1 of the newest 2 orders need a person, such as of order 1") == true)
  }

  @Test func theSameDigitsAsANumberAreNoQuestion() async throws {
    let shop = try await Shop.column("numeric(20,3)", ["133.440"]) { mapping in
      (mapping.columns.total, mapping.columns.currency, mapping.totalUnit) = ("v", "'EUR'", .major)
    }
    let said = try await report(shop).findings.map(\.message)
    #expect(said.contains { $0.hasPrefix("the newest order would be reported as 133.44 EUR") })
  }
}

extension Shop {
  fileprivate func rowsByKey() async throws -> [String: OrderRow] { try await orders().rowsByKey() }
}
