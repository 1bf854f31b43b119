import Conversions
import GRDB

extension SQLiteTransaction: ActRecords {
  private static let selectAct =
    "SELECT transaction_id, act, reason, actor, acted_at, key, placed_from, buyer FROM acts"

  func hasActs() throws -> Bool {
    try Int.fetchOne(db.cachedStatement(sql: "SELECT 1 FROM acts LIMIT 1")) != nil
  }

  func act(on transactionID: String) throws -> OperatorAct? {
    try Row.fetchOne(
      db.cachedStatement(sql: "\(Self.selectAct) WHERE transaction_id = ?"), arguments: [transactionID]
    ).map(OperatorAct.init)
  }

  func act(on row: OrderRow) throws -> OperatorAct? {
    guard let id = row.transactionID else { return nil }
    let shown = ActedOrder(row)
    if let act = try act(on: id) {
      let isElsewhere = try act.order.map { try hasOtherID(than: id, $0.key) } ?? false
      if act.binds(shown, isElsewhere: isElsewhere) { return act }
    }
    return try renumbered(shown)?.act
  }

  func removeActs(on row: OrderRow) throws {
    guard let id = row.transactionID else { return }
    if let other = try renumbered(ActedOrder(row))?.id { try setAct(nil, on: other) }
    try setAct(nil, on: id)
  }

  /// Finds the act that was made for an order under another ID.
  private func renumbered(_ shown: ActedOrder) throws -> (id: String, act: OperatorAct)? {
    let rows = try Row.fetchAll(
      db.cachedStatement(sql: "\(Self.selectAct) WHERE key = ?"), arguments: [shown.key.text])
    for row in rows {
      let act = try OperatorAct(row)
      if act.order?.isRenumbered(shown) == true { return (try row.decode(forColumn: "transaction_id"), act) }
    }
    return nil
  }

  /// Returns true if the order that has a key is known under another ID.
  private func hasOtherID(than id: String, _ key: OrderKey) throws -> Bool {
    let sql = "SELECT 1 FROM orders WHERE key = ?1 AND transaction_id IS NOT NULL AND transaction_id <> ?2"
    return try Int.fetchOne(db.cachedStatement(sql: sql), arguments: [key.text, id]) != nil
  }

  func setAct(_ act: OperatorAct?, on transactionID: String) throws {
    if let act {
      let order = try act.order ?? acted(transactionID)
      try execute(
        """
        INSERT OR REPLACE INTO acts (transaction_id, act, reason, actor, acted_at, key, placed_from, buyer)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?)
        """,
        [
          transactionID, act.kind.rawValue, act.reason, act.actor, act.actedAt.microseconds, order?.key.text,
          order?.placedFrom?.microseconds, order?.buyer,
        ])
    } else {
      try execute("DELETE FROM acts WHERE transaction_id = ?", [transactionID])
    }
    // Most shops report an order by its key, and such an ID is found by the key's own index.
    for condition in ["key = ?1 AND transaction_id = ?1", "transaction_id = ?1 AND transaction_id <> key"] {
      try execute("UPDATE orders SET decide_at = 0 WHERE \(condition) AND \(Self.isNeverSent)", [transactionID])
    }
  }

  /// Returns the order of an ID; nil where there is none, or more than one.
  private func acted(_ transactionID: String) throws -> ActedOrder? {
    let entries = try Int64.fetchAll(
      db.cachedStatement(sql: "SELECT entry FROM orders WHERE \(Self.sharing) LIMIT 2"), arguments: [transactionID])
    guard entries.count == 1, let order = try entry(EntryID(entries[0])) else { return nil }
    return ActedOrder(order.row)
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

extension OperatorAct {
  /// Reads a row of `acts`.
  init(_ row: Row) throws {
    // A word that can't be read still stands: taken for none, a discarded order would be reported.
    let kind = Kind(rawValue: try row.decode(forColumn: "act")) ?? .hold
    let key: String? = try row.decode(forColumn: "key")
    let placedFrom: Int64? = try row.decode(forColumn: "placed_from")
    let buyer: Int64? = try row.decode(forColumn: "buyer")
    self.init(
      kind: kind, reason: try row.decode(forColumn: "reason"), actor: try row.decode(forColumn: "actor"),
      actedAt: Timestamp(microseconds: try row.decode(forColumn: "acted_at")),
      order: key.map {
        ActedOrder(key: OrderKey($0), placedFrom: placedFrom.map(Timestamp.init(microseconds:)), buyer: buyer)
      })
  }
}
