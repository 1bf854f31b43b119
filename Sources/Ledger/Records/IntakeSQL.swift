import Conversions
import GRDB

extension SQLiteTransaction: IntakeRecords {
  func intakeProgress() throws -> IntakeProgress {
    try fact("intake", as: IntakeProgress.self) ?? IntakeProgress()
  }

  func setIntakeProgress(_ progress: IntakeProgress) throws { try setFact("intake", json: progress) }

  func endMappingChange() throws { try setFact("mapping.changed", nil) }

  /// Notes the mapping. After a change everything is read again from the beginning, and until that is done another time
  /// of placing is no sign of another order.
  func noteMapping(_ mapping: String) throws {
    let known = try fact("mapping")
    guard known != mapping else { return }
    try setFact("mapping", mapping)
    guard known != nil else { return }
    try setFact("mapping.changed", "1")
    try removeRanges()
  }

  func identify(_ row: OrderRow) throws -> RowStanding {
    let row = try withoutForgotten(row)
    guard known.mayHoldOrder(KeyHash.of(row.key.text)) else { return try identify(byIDOf: row) }
    let sql = """
      SELECT entry, digest, coalesce(transaction_id, (SELECT transaction_id FROM reports r WHERE r.entry = orders.entry))
      FROM orders WHERE key = ?
      """
    let found = try first(sql, [row.key.text]) {
      (entry: EntryID($0.integer(0) ?? 0), digest: $0.integer(1), id: $0.text(2))
    }
    guard let found else { return try identifySettled(row) }
    if found.digest == row.digest.bits { return .unchanged }
    if row.mayBe(found.id) { return .changed(found.entry) }
    // The shop gave the key to another order, or the order another number.
    try loseKey(of: found.entry)
    return try identify(byIDOf: row)
  }

  func record(_ row: OrderRow, seenAt: Timestamp, isBackfill: Bool) throws -> RowChange {
    let row = try withoutForgotten(row)
    // An order of which retention left little comes back before it is changed.
    if try identify(row) == .unchanged { return .unchanged }
    guard let known = try KnownOrder(row.key, db) else {
      _ = try insert(
        row, Decision(.waiting, lookAgainAt: Timestamp(microseconds: 0)), seenAt: seenAt, isBackfill: isBackfill)
      return .new
    }
    guard known.digest != row.digest.bits else { return .unchanged }
    // The key is known; the ID may be a new one.
    self.known.insert(order: row.key, transactionID: row.transactionID)
    try update(known.entry, row, at: seenAt)
    if known.transactionID == nil { try questionNamesakes(of: row, at: seenAt) }
    // An ID that can't be read any more may be another order's alone now.
    if let id = known.transactionID, row.transactionID == nil { try wakeNamesakes(withID: id, except: row.key) }
    if known.outcome == .reported, case .readable(let order) = row, known.reuse.isOther(order) {
      guard try fact("mapping.changed") == nil else { return .changed }
      try flagReuse(known.entry, at: seenAt)
      return .reused
    }
    return .changed
  }

  /// Stores a changed row. An order that was never sent is decided again, whatever was decided of it before. A frozen
  /// one is delivery's, which reads it again itself before each send; a reported one stays what it is. A queued one
  /// that has other keys counts as queued only now: no walk of the referrals from before was for those.
  private func update(_ entry: Int64, _ row: OrderRow, at now: Timestamp) throws {
    let sql = """
      UPDATE orders SET digest = ?, transaction_id = ?, email = ?, external_source_id = ?, customer_id = ?,
        total_mapped = ?, total = ?, currency = ?, status = ?, qualifies = ?, placed_from = ?, placed_to = ?,
        metadata = ?, unreadable_reason = ?, unreadable_detail = ?, had_qualified = had_qualified OR qualifies,
        decide_at = CASE WHEN \(Self.isNeverSent) THEN 0 ELSE decide_at END,
        decided_at = CASE WHEN outcome = 'queued' AND (email IS NOT ?3 OR external_source_id IS NOT ?4) THEN ?
          ELSE decided_at END
      WHERE entry = ?
      """
    try execute(sql, row.shopColumns + [now.microseconds, entry])
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
    let now = seenAt.microseconds
    let decided: StatementArguments = [
      row.key.text, isBackfill, now, decision.outcome.rawValue, decision.reason, decision.detail,
      decision.referralID?.text, decision.claims, decision.value, isDecided ? now : nil,
      decision.lookAgainAt?.microseconds, decision.outcome == .queued ? now : nil, isDecided && row.qualifies,
      CandidateCoding.text(decision.candidates), decision.reason == DecisionReason.rulesChanged,
    ]
    try execute(sql, row.shopColumns + decided)
    let entry = EntryID(db.lastInsertedRowID)
    if mayBeRepeated { try questionNamesakes(of: row, at: seenAt) }
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
    // Orders that waited behind it, or shared its ID, may now be alone.
    let claimed: String? = try left.decode(forColumn: "claims") ? left.decode(forColumn: "referral_id") : nil
    if let claimed { try wakeRivals(of: ReferralID(claimed)) }
    let id: String? = try left.decode(forColumn: "transaction_id")
    if let id { try wakeNamesakes(withID: id, except: OrderKey(left.decode(forColumn: "key"))) }
  }

  func isRepeated(_ order: Order) throws -> Bool { try isRepeated(order.transactionID.text, key: order.key) }

  func isRepeated(_ transactionID: String, key: OrderKey) throws -> Bool {
    guard known.mayHoldTransaction(KeyHash.of(transactionID)) else { return false }
    return try Int.fetchOne(
      db.cachedStatement(sql: "SELECT 1 FROM orders WHERE \(Self.sharing) AND key <> ?2 LIMIT 1"),
      arguments: [transactionID, key.text]) != nil || isSettled(transactionID, except: key)
  }

  /// Sets the orders with an ID to be decided again, of which one has left: the others may be alone now.
  func wakeNamesakes(withID id: String, except key: OrderKey) throws {
    try execute(
      """
      UPDATE orders SET decide_at = 0 WHERE \(Self.sharing) AND key <> ?2 AND \(Self.isNeverSent)
      """, [id, key.text])
  }

  private func flagReuse(_ entry: Int64, at time: Timestamp) throws {
    let review = ReuseCheck.review
    try execute(
      "UPDATE orders SET outcome = ?, reason = ?, detail = ?, decided_at = ? WHERE entry = ?",
      [review.outcome.rawValue, review.reason, review.detail, time.microseconds, entry])
  }
}

/// The stored values of the order that has a row's key.
private struct KnownOrder {
  let entry: Int64
  let digest: Int64
  let outcome: Outcome?
  let transactionID: String?
  let reuse: ReuseCheck

  /// Reads it; nil where no order has the key.
  init?(_ key: OrderKey, _ db: Database) throws {
    let sql = """
      SELECT entry, digest, outcome, transaction_id, placed_from, email, external_source_id, customer_id
      FROM orders WHERE key = ?
      """
    guard let row = try Row.fetchOne(db.cachedStatement(sql: sql), arguments: [key.text]) else { return nil }
    entry = try row.decode(forColumn: "entry")
    digest = try row.decode(forColumn: "digest")
    outcome = Outcome(rawValue: try row.decode(forColumn: "outcome"))
    transactionID = try row.decode(forColumn: "transaction_id")
    reuse = ReuseCheck(
      placedFrom: OrderCoding.time(try row.decode(forColumn: "placed_from")), email: try row.decode(forColumn: "email"),
      externalSourceID: try row.decode(forColumn: "external_source_id"),
      customerID: try row.decode(forColumn: "customer_id"))
  }
}

extension OrderRow {
  /// The columns that come from the shop, in the order in which both statements name them.
  fileprivate var shopColumns: StatementArguments {
    let order: Order? = if case .readable(let order) = self { order } else { nil }
    let fault: UnreadableOrder? = if case .unreadable(let fault) = self { fault } else { nil }
    return [
      digest.bits, transactionID, order?.email?.text, order?.externalSourceID?.text, order?.customerID,
      order.map { $0.total != .unmapped } ?? false, order?.total.amountText, order?.total.currencyText, order?.status,
      qualifies, order?.placedAt.earliest.microseconds, order?.placedAt.latest.microseconds, order?.metadata,
      fault?.reason.rawValue, fault?.detail,
    ]
  }

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
