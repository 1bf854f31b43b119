import Conversions
import Ledger
import Orders

/// Asks the shop's database, before anything begins, whether it is the one that the ledger's orders were read from.
struct SourceCheck {
  /// The time that a start waits for it. A database that doesn't answer is asked again by intake, which then reads
  /// nothing of another.
  static let patience = Duration.seconds(3)

  let ledger: SQLiteLedger
  let orders: ShopOrders

  /// - Throws: `CommandFailure` 78 where it is another database or table, or has keys or IDs of another kind.
  func run() async throws {
    guard let known = try await ledger.knownSource()?.surveyed else { return }
    await orders.keepTo(known)
    guard let found = await Self.source(of: orders) else { return }
    let changes = known.changes(to: found)
    guard changes.isEmpty else { throw CommandFailure(.configuration, changes.refusal) }
  }

  /// Asks the database which one it is; nil where it doesn't answer in time, or can't.
  static func source(of orders: ShopOrders) async -> SurveyedSource? {
    await withTaskGroup(of: SurveyedSource?.self) { group in
      group.addTask { try? await orders.source() }
      group.addTask {
        try? await Task.sleep(for: patience)
        return nil
      }
      defer { group.cancelAll() }
      return await group.next() ?? nil
    }
  }
}
