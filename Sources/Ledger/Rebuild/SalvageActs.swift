import Conversions
import GRDB

extension SalvageKeeper {
  /// Takes over operators' acts: an order that was discarded would else be reported by the new ledger.
  func keepActs(_ salvage: inout Salvage) throws {
    var hasOther = false
    let hasAll = try rows(of: "acts", by: "transaction_id") { rows in
      try writing { db in
        for row in rows {
          guard let id = row.readable("transaction_id", as: String.self),
            let act = row.readable("act", as: String.self), OperatorAct.Kind(rawValue: act) != nil,
            let actor = row.readable("actor", as: String.self), let time = row.readable("acted_at", as: Int64.self)
          else {
            hasOther = true
            continue
          }
          try Self.insert(
            [
              id, act, row.readable("reason", as: String.self), actor, time, row.readable("key", as: String.self),
              row.readable("placed_from", as: Int64.self), row.readable("buyer", as: Int64.self),
            ], db)
        }
      }
    }
    if !hasAll || hasOther { salvage.tables.append("acts") }
  }

  /// Keeps orders on hold that changed rules made sendable: the new ledger knows of no change, and would send all of
  /// them.
  static func keepHolds(_ rows: [Row], _ db: Database) throws {
    for row in rows where row.readable("reason", as: String.self) == DecisionReason.rulesChanged {
      guard row.readable("outcome", as: String.self) == Outcome.held.rawValue,
        let id = row.readable("transaction_id", as: String.self), let time = row.readable("decided_at", as: Int64.self)
      else { continue }
      try insert(
        [id, OperatorAct.Kind.hold.rawValue, DecisionReason.rulesChanged, "ledger rebuild", time, nil, nil, nil], db)
    }
  }

  /// Inserts an act from its columns: order ID, kind, reason, actor, time; key, time and buyer of its order. One that is
  /// there stays.
  private static func insert(_ act: StatementArguments, _ db: Database) throws {
    try db.execute(
      sql: """
        INSERT OR IGNORE INTO acts (transaction_id, act, reason, actor, acted_at, key, placed_from, buyer)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?)
        """,
      arguments: act)
  }
}
