import TestHosts

@testable import conversiond

extension DaemonFixture {
  /// The settings by which orders are numbered apart from their keys.
  static let numbered: [String: String?] = ["orders.key": "id", "orders.columns.id": "no"]

  /// Gives the shop's orders numbers.
  func number() async throws { try await database.execute("ALTER TABLE orders ADD COLUMN no text") }

  /// SQL for a numbered order.
  static func insertion(_ order: ShopOrder, no: String) -> String {
    order.insertion + " UPDATE orders SET no = '\(no)' WHERE id = \(order.id);"
  }
}
