import Conversions
import GRDB

/// The transaction ID identifies the order; its key only says where its row is read.
///
/// - A row with another ID under a known key is another order: the one that had the key loses it (`OrderKey.lost`).
/// - An order that lost its key, or whose row turns out to be gone, gets the key of a row that brings its ID back:
///   never sent, it is decided anew; sent, it is the same order to the API and is not sent again.
/// - If two rows seem to have one ID, the shop is asked for both before anything is concluded (`id_check`).
extension SQLiteTransaction {
  /// Orders that have a row, as far as is known.
  static let hasRow = "substr(key, 1, 1) <> char(1)"

  /// Orders with an ID (`?1`) that have a row: in two ways, as `orders_transaction` leaves out those whose ID is their
  /// key.
  static let sharing = """
    entry IN (SELECT entry FROM orders WHERE transaction_id = ?1 AND transaction_id <> key AND \(hasRow)
      UNION ALL SELECT entry FROM orders WHERE key = ?1 AND transaction_id = ?1)
    """

  /// Orders that the API has, or may have, or that a person took out.
  private static let isOver = """
    (outcome IN \(Outcome.spokenFor.sql) OR EXISTS (SELECT 1 FROM reports r WHERE r.entry = orders.entry))
    """

  /// A time later than any other: the next decision replaces it by its own.
  private static let never = Timestamp(utcYear: 9999, month: 1, day: 1)

  /// Takes the key from an order whose row is gone, or has become another order's. If one other row has its ID, that
  /// is its row: a table that is loaded anew gives each order the key of the one before. Matching ends one that was
  /// never sent and has no row any more.
  ///
  /// - Parameters:
  ///   - entry: The order.
  ///   - findsRow: True if it may get the key of the one row that has its ID; else nothing is left of it where it was
  ///     never sent.
  /// - Throws: `LedgerFailure`.
  func loseKey(of entry: EntryID, findsRow: Bool = true) throws {
    let sql = "SELECT key, transaction_id, claims, referral_id, \(Self.isOver) AS is_over FROM orders WHERE entry = ?"
    let row = try Row.fetchOne(db.cachedStatement(sql: sql), arguments: [entry.number])
    guard let row else { return }
    let (key, id): (OrderKey, String?) = (
      OrderKey(try row.decode(forColumn: "key")), try row.decode(forColumn: "transaction_id")
    )
    guard !key.isLost else { return }
    if let id, findsRow, try moves(entry, toTheOtherRowOf: id) { return }
    if let id, try !row.decode(Bool.self, forColumn: "is_over"), try isRepeated(id, key: key) {
      try execute("DELETE FROM orders WHERE entry = ?", [entry.number])
      let claimed: String? = try row.decode(forColumn: "claims") ? row.decode(forColumn: "referral_id") : nil
      if let claimed { try wakeRivals(of: ReferralID(claimed)) }
      return try wakeNamesakes(withID: id, except: key)
    }
    let lost = key.lost(by: entry)
    known.insert(order: lost, transactionID: id)
    try execute(
      """
      UPDATE orders SET key = ?, id_check = 0, decide_at = CASE WHEN \(Self.isOver) THEN decide_at ELSE 0 END
      WHERE entry = ?
      """, [lost.text, entry.number])
    if let id { try wakeNamesakes(withID: id, except: lost) }
  }

  /// Moves an order to the one other row with its ID, unless a report of that row may have been done.
  private func moves(_ entry: EntryID, toTheOtherRowOf id: String) throws -> Bool {
    let sharers = try sharers(of: id)
    guard sharers.count == 2, let old = sharers.first(where: { $0.entry == entry }),
      let other = sharers.first(where: { $0.entry != entry }), !other.isOver, try !isSettled(id, except: old.key)
    else { return false }
    guard let known = try self.entry(other.entry) else { return false }
    _ = try unite(other, [old], id: id, row: known.row, at: known.firstSeenAt)
    return true
  }

  /// Takes the key from an order of which retention left little.
  func loseKeyOfSettled(_ key: OrderKey) throws {
    let left = try Row.fetchOne(
      db.cachedStatement(sql: "SELECT entry, transaction_id FROM settled WHERE key = ?"), arguments: [key.text])
    guard let left else { return }
    if let id = try left.decode(String?.self, forColumn: "transaction_id"), try isRepeated(id, key: key) {
      return try loseKey(of: bringBack(key))
    }
    let entry: Int64 = try left.decode(forColumn: "entry")
    let lost = key.lost(by: EntryID(entry))
    known.insert(order: lost, transactionID: nil)
    try execute("UPDATE settled SET key = ? WHERE key = ?", [lost.text, key.text])
  }

  /// Identifies a row under whose key no order is known: an order without a row may be this one, and gets the key.
  func identify(byIDOf row: OrderRow) throws -> RowStanding {
    guard let id = row.transactionID, known.mayHoldTransaction(KeyHash.of(id)), !row.key.isLost,
      try !isRepeated(id, key: row.key), let entry = try lostOrder(withID: id)
    else { return .unknown }
    try giveKey(row.key, to: entry)
    return .changed(entry)
  }

  /// Finds the order without a row that has an ID; of several the one that the API has or may have, then the latest.
  private func lostOrder(withID id: String) throws -> EntryID? {
    let sql = """
      SELECT entry FROM orders WHERE transaction_id = ? AND transaction_id <> key AND NOT (\(Self.hasRow))
      ORDER BY \(Self.isOver) DESC, entry DESC LIMIT 1
      """
    if let entry = try Int64.fetchOne(db.cachedStatement(sql: sql), arguments: [id]) { return EntryID(entry) }
    let settled = """
      SELECT key FROM settled WHERE transaction_id = ? AND transaction_id <> key AND NOT (\(Self.hasRow))
      ORDER BY outcome IN \(Outcome.spokenFor.sql) DESC, entry DESC LIMIT 1
      """
    let key = try String.fetchOne(db.cachedStatement(sql: settled), arguments: [id])
    return try key.map { try bringBack(OrderKey($0)) }
  }

  /// Gives an order another key to be read by; one that was never sent counts as seen only now, and is decided anew.
  private func giveKey(_ key: OrderKey, to entry: EntryID) throws {
    known.insert(order: key, transactionID: nil)
    try execute(
      """
      UPDATE orders SET key = ?, id_check = 0, decide_at = CASE WHEN \(Self.isOver) THEN decide_at ELSE 0 END,
        first_seen_at = CASE WHEN \(Self.isOver) THEN first_seen_at ELSE ? END
      WHERE entry = ?
      """, [key.text, Self.never.microseconds, entry.number])
  }

  /// Marks the orders with a row's ID to be asked about, if there are several; until the shop's answer, none is sent.
  func questionNamesakes(of row: OrderRow, at now: Timestamp) throws {
    guard let id = row.transactionID, try isRepeated(id, key: row.key) else { return }
    try execute(
      """
      UPDATE orders SET id_check = 1,
        decide_at = CASE WHEN outcome IN ('queued', 'held') AND NOT \(Self.isOver) THEN ?2 ELSE decide_at END
      WHERE \(Self.sharing)
      """, [id, (now + RepeatedID.checkMax).microseconds])
  }

  func questionRepeatedIDs() throws {
    try execute(
      """
      UPDATE orders SET id_check = 1
      WHERE outcome = 'review' AND reason = ? AND id_check = 0 AND transaction_id IS NOT NULL
        AND unreadable_reason IS NULL AND NOT EXISTS (SELECT 1 FROM reports r WHERE r.entry = orders.entry)
      """, [ReviewReason.idRepeated.rawValue])
  }

  func repeatedIDs(limit: Int) throws -> [RepeatedID] {
    let ids = try String.fetchAll(
      db.cachedStatement(
        sql: "SELECT DISTINCT transaction_id FROM orders WHERE id_check = 1 AND transaction_id IS NOT NULL LIMIT ?"),
      arguments: [limit])
    return try ids.map { RepeatedID(transactionID: $0, keys: try keys(sharing: $0)) }
  }

  private func keys(sharing id: String) throws -> [OrderKey] {
    try String.fetchAll(
      db.cachedStatement(
        sql: """
          SELECT key FROM orders WHERE \(Self.sharing)
          UNION ALL SELECT key FROM settled WHERE transaction_id = ?1 AND transaction_id <> key AND \(Self.hasRow)
          UNION ALL SELECT key FROM settled WHERE key = ?1 AND transaction_id = ?1
          """), arguments: [id]
    ).map(OrderKey.init)
  }

  func resolve(_ id: RepeatedID, shown: [OrderKey: OrderRow], at now: Timestamp) throws -> Bool {
    // One that came since is asked about with the others the next time.
    guard try Set(keys(sharing: id.transactionID)).isSubset(of: id.keys) else { return false }
    for key in id.keys where try isSettledKey(key) { _ = try bringBack(key) }
    let sharers = try sharers(of: id.transactionID)
    let isThere = { (sharer: Namesake) in shown[sharer.key]?.mayBe(id.transactionID) ?? false }
    let (living, gone) = (sharers.filter(isThere), sharers.filter { !isThere($0) })
    if living.count == 1 { return try unite(living[0], gone, id: id.transactionID, row: shown[living[0].key], at: now) }
    for sharer in gone { try loseKey(of: sharer.entry, findsRow: false) }
    for sharer in living { try endCheck(of: sharer, id: id.transactionID) }
    return false
  }

  private func sharers(of id: String) throws -> [Namesake] {
    try Row.fetchAll(
      db.cachedStatement(
        sql: "SELECT entry, key, \(Self.isOver) AS is_over FROM orders WHERE \(Self.sharing) ORDER BY entry"),
      arguments: [id]
    ).map {
      Namesake(
        entry: EntryID(try $0.decode(forColumn: "entry")), key: OrderKey(try $0.decode(forColumn: "key")),
        isOver: try $0.decode(forColumn: "is_over"))
    }
  }

  private func isSettledKey(_ key: OrderKey) throws -> Bool {
    try Int.fetchOne(db.cachedStatement(sql: "SELECT 1 FROM settled WHERE key = ?"), arguments: [key.text]) != nil
  }

  /// Makes one order of those with an ID of which a single row is left: its keeper gets the row. Returns true if a
  /// reported one came back as another order.
  private func unite(
    _ survivor: Namesake, _ gone: [Namesake], id: String, row: OrderRow?, at now: Timestamp
  ) throws -> Bool {
    let keeper = survivor.keeper(among: gone)
    for sharer in gone where sharer.entry != keeper.entry { try loseKey(of: sharer.entry, findsRow: false) }
    guard keeper.entry != survivor.entry else {
      try endCheck(of: survivor, id: id)
      return false
    }
    let left = try Row.fetchOne(
      db, sql: "SELECT is_backfill, claims, referral_id FROM orders WHERE entry = ?",
      arguments: [survivor.entry.number])
    try execute("DELETE FROM orders WHERE entry = ?", [survivor.entry.number])
    try giveKey(survivor.key, to: keeper.entry)
    if let left, try left.decode(forColumn: "claims"),
      let referral = try left.decode(String?.self, forColumn: "referral_id")
    {
      try wakeRivals(of: ReferralID(referral))
    }
    guard let row else { return false }
    return try record(row, seenAt: now, isBackfill: left?.decode(forColumn: "is_backfill") ?? false) == .reused
  }

  /// Ends the question about an order's ID: it is decided by the shop's answer, unless that was done already.
  private func endCheck(of sharer: Namesake, id: String) throws {
    let isAlone = try !isRepeated(id, key: sharer.key)
    try execute(
      """
      UPDATE orders SET id_check = 0,
        decide_at = CASE WHEN \(Self.isOver) OR (?2 = 0 AND outcome = 'review' AND reason = ?3) THEN decide_at ELSE 0 END
      WHERE entry = ?1
      """, [sharer.entry.number, isAlone, ReviewReason.idRepeated.rawValue])
  }
}
