import Conversions
import GRDB

extension SQLiteTransaction: ActRecords {
  func hasActs() throws -> Bool {
    try Int.fetchOne(db.cachedStatement(sql: "SELECT 1 FROM acts LIMIT 1")) != nil
  }

  func act(on transactionID: String) throws -> OperatorAct? {
    let row = try Row.fetchOne(
      db.cachedStatement(sql: "SELECT act, reason, actor, acted_at FROM acts WHERE transaction_id = ?"),
      arguments: [transactionID])
    guard let row else { return nil }
    // A word that can't be read still stands: taken for none, a discarded order would be reported.
    let kind = OperatorAct.Kind(rawValue: try row.decode(forColumn: "act")) ?? .hold
    return OperatorAct(
      kind: kind, reason: try row.decode(forColumn: "reason"), actor: try row.decode(forColumn: "actor"),
      actedAt: Timestamp(microseconds: try row.decode(forColumn: "acted_at")))
  }

  func setAct(_ act: OperatorAct?, on transactionID: String) throws {
    if let act {
      try execute(
        "INSERT OR REPLACE INTO acts (transaction_id, act, reason, actor, acted_at) VALUES (?, ?, ?, ?, ?)",
        [transactionID, act.kind.rawValue, act.reason, act.actor, act.actedAt.microseconds])
    } else {
      try execute("DELETE FROM acts WHERE transaction_id = ?", [transactionID])
    }
    // Most shops report an order by its key, and such an ID is found by the key's own index.
    for condition in ["key = ?1 AND transaction_id = ?1", "transaction_id = ?1 AND transaction_id <> key"] {
      try execute("UPDATE orders SET decide_at = 0 WHERE \(condition) AND \(Self.isNeverSent)", [transactionID])
    }
  }

  func releaseOpenedByRules(_ entries: [EntryID]?) throws -> Int {
    let isWanted =
      entries.map { "entry IN (\($0.map { String($0.number) }.joined(separator: ",")))" } ?? "opened_by_rules = 1"
    try execute(
      "UPDATE orders SET opened_by_rules = 0, decide_at = 0 WHERE opened_by_rules = 1 AND \(isWanted) AND \(Self.isNeverSent)"
    )
    return db.changesCount
  }

  /// The condition that an order was never sent, nor is reported for another reason: it may be decided anew.
  static let isNeverSent =
    "outcome <> 'reported' AND NOT EXISTS (SELECT 1 FROM reports r WHERE r.entry = orders.entry)"
}
