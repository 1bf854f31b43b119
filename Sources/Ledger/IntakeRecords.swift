import Conversions
import GRDB

extension SQLiteTransaction: IntakeRecords {
  func intakeProgress() throws -> IntakeProgress {
    try fact("intake", as: IntakeProgress.self) ?? IntakeProgress()
  }

  func setIntakeProgress(_ progress: IntakeProgress) throws {
    if try progress.lastWalkAt != nil && progress.lastWalkAt != intakeProgress().lastWalkAt {
      try setFact("mapping.changed", nil)
    }
    try setFact("intake", json: progress)
  }

  /// After a change of the mapping everything is read again from the beginning, and until that is done another time of
  /// placing is no sign of another order.
  func noteMapping(_ mapping: String) throws {
    let known = try fact("mapping")
    guard known != mapping else { return }
    try setFact("mapping", mapping)
    guard known != nil else { return }
    try setFact("mapping.changed", "1")
    try removeRanges()
  }

  func standing(of row: OrderRow) throws -> RowStanding {
    let row = try withoutForgotten(row)
    guard known.mayHoldOrder(KeyHash.of(row.key.text)) else { return .unknown }
    let known = try hot(.standing, "SELECT entry, digest FROM orders WHERE key = ?").first({ $0.add(row.key.text) }) {
      (entry: $0.integer(0) ?? 0, digest: $0.integer(1))
    }
    guard let known else { return try standingOfSettled(row) }
    return known.digest == row.digest.bits ? .unchanged : .changed(EntryID(known.entry))
  }

  func record(_ row: OrderRow, seenAt: Timestamp, isBackfill: Bool) throws -> RowChange {
    let row = try withoutForgotten(row)
    // One of which little is left comes back before it is changed.
    if try standing(of: row) == .unchanged { return .unchanged }
    let digest = row.digest.bits
    let known = try Row.fetchOne(
      db.cachedStatement(sql: "SELECT entry, digest, outcome, placed_from, transaction_id FROM orders WHERE key = ?"),
      arguments: [row.key.text])
    guard let known else {
      _ = try insert(
        row, Decision(.waiting, lookAgainAt: Timestamp(microseconds: 0)), seenAt: seenAt, isBackfill: isBackfill)
      return .new
    }
    guard try known.decode(forColumn: "digest") != digest else { return .unchanged }
    let entry: Int64 = try known.decode(forColumn: "entry")
    let wasReported = try known.decode(forColumn: "outcome") == Outcome.reported.rawValue
    let placedBefore: Int64? = try known.decode(forColumn: "placed_from")
    let idBefore: String? = try known.decode(forColumn: "transaction_id")
    // The key is known; the ID may be a new one.
    self.known.insert(order: row.key, transactionID: row.transactionID)
    try update(entry, row)
    try wakeNamesakes(of: row)
    // Whose ID this was, too, may now be alone with it.
    if let idBefore { try wakeNamesakes(withID: idBefore, except: row.key) }
    if wasReported, case .readable(let order) = row, order.placedAt.earliest.microseconds != placedBefore {
      guard try fact("mapping.changed") == nil else { return .changed }
      try flagReuse(entry, at: seenAt)
      return .reused
    }
    return .changed
  }

  /// An order that was never sent is decided again when it changes, whatever was decided of it before. A frozen one is
  /// delivery's, which reads it again itself before each send; a reported one stays what it is.
  private func update(_ entry: Int64, _ row: OrderRow) throws {
    let sql = """
      UPDATE orders SET digest = ?, transaction_id = ?, email = ?, external_source_id = ?, customer_id = ?,
        total_mapped = ?, total = ?, currency = ?, status = ?, qualifies = ?, placed_from = ?, placed_to = ?,
        metadata = ?, unreadable_reason = ?, unreadable_detail = ?, had_qualified = had_qualified OR qualifies,
        decide_at = CASE WHEN \(Self.isNeverSent) THEN 0 ELSE decide_at END
      WHERE entry = ?
      """
    try hot(.update, sql).run { values in
      values.add(contentsOf: row)
      values.add(entry)
    }
  }

  func insert(_ row: OrderRow, _ decision: Decision, seenAt: Timestamp, isBackfill: Bool) throws -> EntryID {
    let row = try withoutForgotten(row)
    let mayBeRepeated = row.transactionID.map { known.mayHoldTransaction(KeyHash.of($0)) } ?? false
    known.insert(order: row.key, transactionID: row.transactionID)
    noteClaim(decision)
    let isDecided = decision.lookAgainAt?.microseconds != 0
    if decision.displaces, let referral = decision.referralID { try takeClaim(of: referral, for: nil) }
    let sql = """
      INSERT INTO orders (digest, transaction_id, email, external_source_id, customer_id, total_mapped, total,
        currency, status, qualifies, placed_from, placed_to, metadata, unreadable_reason, unreadable_detail,
        key, is_backfill, first_seen_at, outcome, reason, detail, referral_id, claims, value, decided_at, decide_at,
        send_at, had_qualified, candidates, opened_by_rules)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      """
    try hot(.insert, sql).run { values in
      values.add(contentsOf: row)
      values.add(row.key.text)
      values.add(isBackfill)
      values.add(seenAt)
      values.add(decision.outcome.rawValue)
      values.add(decision.reason)
      values.add(decision.detail)
      values.add(decision.referralID?.text)
      values.add(decision.claims)
      values.add(decision.value)
      values.add(isDecided ? seenAt : nil)
      values.add(decision.lookAgainAt)
      values.add(decision.outcome == .queued ? seenAt : nil)
      values.add(isDecided && row.qualifies)
      values.add(CandidateCoding.text(decision.candidates))
      values.add(decision.reason == DecisionReason.rulesChanged)
    }
    let entry = EntryID(db.lastInsertedRowID)
    if mayBeRepeated { try wakeNamesakes(of: row) }
    return entry
  }

  func dismiss(_ entry: EntryID, as outcome: Outcome) throws {
    let left = try Row.fetchOne(
      db.cachedStatement(sql: "SELECT key, transaction_id, referral_id, claims FROM orders WHERE entry = ?"),
      arguments: [entry.number])
    try execute(
      "DELETE FROM orders WHERE entry = ? AND NOT EXISTS (SELECT 1 FROM reports r WHERE r.entry = orders.entry)",
      [entry.number])
    guard db.changesCount > 0, let left else { return }
    try tally(outcome, 1)
    // Whoever waited behind it, or shared its ID, may now be alone.
    let claimed: String? = try left.decode(forColumn: "claims") ? left.decode(forColumn: "referral_id") : nil
    if let claimed { try wakeRivals(of: ReferralID(claimed)) }
    let id: String? = try left.decode(forColumn: "transaction_id")
    if let id { try wakeNamesakes(withID: id, except: OrderKey(left.decode(forColumn: "key"))) }
  }

  func isRepeated(_ order: Order) throws -> Bool { try isRepeated(order.transactionID.text, key: order.key) }

  /// Orders with an ID but another key, in two ways, as `orders_transaction` leaves out those whose ID is their key.
  private static let namesakes = """
    entry IN (SELECT entry FROM orders WHERE transaction_id = ?1 AND transaction_id <> key AND key <> ?2
      UNION ALL SELECT entry FROM orders WHERE key = ?1 AND transaction_id = ?1 AND key <> ?2)
    """

  private func isRepeated(_ transactionID: String, key: OrderKey) throws -> Bool {
    guard known.mayHoldTransaction(KeyHash.of(transactionID)) else { return false }
    return try Int.fetchOne(
      db.cachedStatement(sql: "SELECT 1 FROM orders WHERE \(Self.namesakes) LIMIT 1"),
      arguments: [transactionID, key.text]) != nil || isSettled(transactionID, except: key)
  }

  /// Two rows with one order ID must both be looked at by a person, the earlier one too.
  private func wakeNamesakes(of row: OrderRow) throws {
    if let id = row.transactionID { try wakeNamesakes(withID: id, except: row.key) }
  }

  private func wakeNamesakes(withID id: String, except key: OrderKey) throws {
    try execute(
      """
      UPDATE orders SET decide_at = 0 WHERE \(Self.namesakes)
        AND \(Self.isNeverSent)
      """, [id, key.text])
  }

  private func flagReuse(_ entry: Int64, at time: Timestamp) throws {
    try execute(
      "UPDATE orders SET outcome = 'review', reason = ?, detail = ?, decided_at = ? WHERE entry = ?",
      [
        ReviewReason.idReused.rawValue, "this order was reported, and has come back with another time of placing",
        time.microseconds, entry,
      ])
  }
}

extension HotStatement.Values {
  /// The columns that come from the shop, in the order in which both statements name them.
  fileprivate mutating func add(contentsOf row: OrderRow) {
    let order: Order? = if case .readable(let order) = row { order } else { nil }
    let fault: UnreadableOrder? = if case .unreadable(let fault) = row { fault } else { nil }
    add(row.digest.bits)
    add(row.transactionID)
    add(order?.email?.text)
    add(order?.externalSourceID?.text)
    add(order?.customerID)
    add(order.map { $0.total != .unmapped } ?? false)
    add(order?.total.amountText)
    add(order?.total.currencyText)
    add(order?.status)
    add(row.qualifies)
    add(order?.placedAt.earliest)
    add(order?.placedAt.latest)
    add(order?.metadata)
    add(fault?.reason.rawValue)
    add(fault?.detail)
  }
}

extension OrderRow {
  var qualifies: Bool {
    if case .readable(let order) = self { order.qualifies } else { false }
  }

  var digest: ContentDigest {
    switch self {
    case .readable(let order): order.digest
    case .unreadable(let order): order.digest
    }
  }
}
