import Conversions
import Orders
import TestHosts
import Testing

/// Rows that don't qualify: faults in their other columns are not told.
@Suite(.serialized) struct CartTests {
  private static let table = """
    CREATE TABLE orders (id int PRIMARY KEY, no text, total text, note text, status text, created_at timestamptz);
    INSERT INTO orders VALUES (1, 'A1', '5', 'x', 'paid', '2026-10-01'), (2, 'A2', '5', 'x', 'cart', NULL),
      (3, NULL, '5', 'x', 'cart', '2026-10-01'), (4, 'A4', 'a lot', 'x', 'cart', '2026-10-01'),
      (5, '', '5', 'x', NULL, 'infinity'), (6, 'A6', '5', repeat('x', 5000), 'cart', '2026-10-01');
    CREATE VIEW v AS SELECT * FROM orders;
    """

  @Test(arguments: ["orders", "v"], [true, false])
  func cartsAreCountedUntilTheyArePaid(from: String, byCondition: Bool) async throws {
    let shop = try await Shop.make(Self.table) { mapping in
      mapping.from = from
      mapping.key = "id"
      mapping.columns = .init(id: "no", total: "total::numeric", status: "status", placedAt: "created_at")
      mapping.metadata = [.init(name: "note", expression: "note")]
      if byCondition { mapping.qualifies = "status = 'paid'" }
    }
    let orders = shop.orders()
    var sweeping = try await Sweeping(orders)
    let found = try await sweeping.rows(whole: true)
    #expect(found.allSatisfy { $0.fault == nil }, "\(found)")
    #expect(found.compactMap(\.order?.transactionID.text) == ["A1", "A6"])
    #expect(found.map { $0.order?.qualifies } == [true, false])
    // Once they are paid, what is wrong is.
    try await shop.database.execute("UPDATE orders SET status = 'paid' WHERE id > 1")
    let paid = try await sweeping.rows()
    #expect(paid.filter { $0.fault != nil }.map(\.key.text) == ["2", "3", "4", "5", "6"])
    try await shop.database.execute(
      "UPDATE orders SET no = 'B' || id, total = '6', note = 'y', created_at = '2026-10-02' WHERE id > 1")
    #expect(try await sweeping.rows().filter { $0.order?.qualifies == true && $0.key.text != "1" }.count == 5)
    let looked = try await orders.rows(withKeys: (1...6).map { OrderKey(String($0)) })
    #expect(looked.count == 6)
  }
}
