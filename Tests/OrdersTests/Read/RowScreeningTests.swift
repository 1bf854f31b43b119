import Conversions
import Orders
import TestHosts
import Testing

/// Tells rows that are only counted from rows that are looked at closely.
@Suite(.serialized) struct RowScreeningTests {
  private static let old = Timestamp(utcYear: 2026, month: 7, day: 1)

  /// Old orders 1 to 8 and a new one, each with something of its own.
  private static let table = """
    CREATE TABLE orders (id text PRIMARY KEY, email text, lead text, status text, total numeric,
      created_at timestamptz DEFAULT '2026-01-01 12:00:00.123456+00');
    INSERT INTO orders VALUES ('1', 'a@example.com', NULL, 'paid', 1), ('2', 'b@example.com', '', 'open', 1),
      ('3', 'Known@Example.com ', NULL, 'paid', 1), ('4', NULL, 'lead-4', 'paid', 1),
      ('5', 'ü@example.com', NULL, 'paid', 1), ('6', 'held@example.com', NULL, 'paid', 1),
      (E'7\\nx', 'd@example.com', NULL, 'paid', 1), ('8', NULL, NULL, NULL, NULL),
      ('9', 'new@example.com', NULL, 'paid', 1), ('10', 'e@example.com', NULL, 'paid', 1);
    UPDATE orders SET created_at = '2026-10-01' WHERE id = '9';
    UPDATE orders SET created_at = NULL WHERE id = '10';
    """

  private func shop() async throws -> Shop {
    try await Shop.make(Self.table) { mapping in
      mapping.columns = .init(
        id: "id", email: "email", externalSourceID: "lead", total: "total", status: "status", placedAt: "created_at")
    }
  }

  private func screen(covered: UInt64?, from: Timestamp? = nil) -> OrderScreen {
    let known = KnownKeys()
    known.complete()
    known.insert(order: OrderKey("6"), transactionID: nil)
    known.insert(referral: EmailAddress("known@example.com"), ExternalSourceID("lead-4"))
    return OrderScreen(takesOrdersFrom: from, oldBefore: Self.old, coveredHorizon: covered, known: known)
  }

  @Test func oldOrdersThatMatchNothingAreCounted() async throws {
    var sweeping = try await Sweeping(try await shop().orders())
    let horizon = sweeping.survey.moment.end
    let keys = try await sweeping.rows(whole: true, screen: screen(covered: horizon)).map(\.key.text)
    // A referral's e-mail or reference, one that takes the long way to normal form, a held one, an ID that can't be
    // sent, a new order, one without a time.
    #expect(Set(keys) == ["3", "4", "5", "6", "7\nx", "9", "10"])
    #expect(sweeping.counted == [.noReferral: 1, .notQualifying: 2])
  }

  @Test func theLatestOfThoseBeforeTheStartIsTold() async throws {
    let orders = try await shop().orders()
    let survey = try await orders.survey()
    let start = Timestamp(utcYear: 2026, month: 9, day: 1)
    let piece = SweepPiece(range: SweepRange(number: 1), isWhole: true)
    let page = try await orders.sweep(piece, of: survey, screen: screen(covered: nil, from: start))
    #expect(page.passedOver?.earliest == Timestamp(microseconds: 1_767_268_800_123_456))
    #expect(page.orders.count == 2)
  }

  @Test func nothingIsCountedBeforeTheReferralsAreKnown() async throws {
    var sweeping = try await Sweeping(try await shop().orders())
    let found = try await sweeping.sweep(whole: true, screen: screen(covered: nil))
    #expect(found.count == 10 && found.allSatisfy { !$0.isCovered })
    #expect(sweeping.counted.isEmpty)
  }

  @Test func versionsThatCameAfterTheCoveredHorizonAreLookedAt() async throws {
    let shop = try await shop()
    var sweeping = try await Sweeping(shop.orders())
    let horizon = sweeping.survey.moment.horizon
    try await shop.database.execute("UPDATE orders SET total = 2 WHERE id = '1'")
    let found = try await sweeping.sweep(whole: true, screen: screen(covered: horizon))
    let covered = Dictionary(uniqueKeysWithValues: found.map { ($0.row.key.text, $0.isCovered) })
    #expect(covered["1"] == false)
    #expect(covered["9"] == true)
    #expect(sweeping.counted == [.notQualifying: 2])
  }

  @Test func ordersBeforeTheStartTakeNoPart() async throws {
    var sweeping = try await Sweeping(try await shop().orders())
    let horizon = sweeping.survey.moment.end
    let keys = try await sweeping.rows(whole: true, screen: screen(covered: horizon, from: Self.old)).map(\.key.text)
    #expect(keys == ["9", "10"])
    #expect(sweeping.counted.isEmpty)
  }

  /// The screen must never rule out what the long way would find: the end of the placing's granule counts.
  @Test(arguments: [
    ("timestamptz", "'2026-06-30 23:59:58.5+00'", false), ("timestamptz", "'2026-07-01 00:00:00+00'", true),
    ("timestamptz", "'2026-06-30 23:59:59+00'", true), ("date", "'2026-06-29'", false), ("date", "'2026-06-30'", true),
    ("timestamp", "'2026-06-30 23:59:58.9'", false), ("timestamptz", "'infinity'", true),
    ("timestamptz", "'-infinity'", true), ("date", "'infinity'", true), ("timestamptz", "NULL", true),
    ("timestamptz", "'294276-01-01'", true),
  ])
  func theEndOfAGranuleIsCompared(type: String, value: String, isClose: Bool) async throws {
    let shop = try await Shop.column(type, [value]) { $0.columns.placedAt = "v" }
    var sweeping = try await Sweeping(shop.orders())
    let screen = screen(covered: sweeping.survey.moment.end)
    let found = try await sweeping.sweep(whole: true, screen: screen)
    #expect(found.count == (isClose ? 1 : 0))
  }
}
