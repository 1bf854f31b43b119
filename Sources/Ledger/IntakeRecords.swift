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
    guard known.mayHoldOrder(KeyHash.of(row.key.text)) else { return .unknown }
    let known = try Row.fetchOne(
      db.cachedStatement(sql: "SELECT entry, digest FROM orders WHERE key = ?"), arguments: [row.key.text])
    guard let known else { return .unknown }
    return known["digest"] == row.digest.bits ? .unchanged : .changed(EntryID(known["entry"]))
  }

  func record(_ row: OrderRow, seenAt: Timestamp, isBackfill: Bool) throws -> RowChange {
    let digest = row.digest.bits
    let known = try Row.fetchOne(
      db.cachedStatement(sql: "SELECT entry, digest, outcome, placed_from, transaction_id FROM orders WHERE key = ?"),
      arguments: [row.key.text])
    guard let known else {
      _ = try insert(
        row, Decision(.waiting, lookAgainAt: Timestamp(microseconds: 0)), seenAt: seenAt, isBackfill: isBackfill)
      return .new
    }
    guard known["digest"] != digest else { return .unchanged }
    let entry: Int64 = known["entry"]
    let wasReported = known["outcome"] == Outcome.reported.rawValue
    let placedBefore: Int64? = known["placed_from"]
    let idBefore: String? = known["transaction_id"]
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

  /// An order that was never sent is decided again when it changes. A frozen one is delivery's, which reads it again
  /// itself before each send; a reported, superseded or discarded one stays what it is.
  private func update(_ entry: Int64, _ row: OrderRow) throws {
    try execute(
      """
      UPDATE orders SET digest = ?, transaction_id = ?, email = ?, external_source_id = ?, customer_id = ?,
        total_mapped = ?, total = ?, currency = ?, status = ?, had_qualified = had_qualified OR qualifies,
        qualifies = ?, placed_from = ?, placed_to = ?, metadata = ?, unreadable_reason = ?, unreadable_detail = ?,
        decide_at = CASE WHEN outcome IN ('reported', 'superseded', 'discarded', 'sending')
          OR EXISTS (SELECT 1 FROM reports r WHERE r.entry = orders.entry) THEN decide_at ELSE 0 END
      WHERE entry = ?
      """, contents(row) + [entry])
  }

  func insert(_ row: OrderRow, _ decision: Decision, seenAt: Timestamp, isBackfill: Bool) throws -> EntryID {
    let isRepeated = try row.transactionID.map { try self.isRepeated($0, key: row.key) } ?? false
    known.insert(order: row.key, transactionID: row.transactionID)
    let isDecided = decision.lookAgainAt?.microseconds != 0
    if decision.displaces, let referral = decision.referralID { try takeClaim(of: referral, for: nil) }
    try execute(
      """
      INSERT INTO orders (digest, transaction_id, email, external_source_id, customer_id, total_mapped, total,
        currency, status, qualifies, placed_from, placed_to, metadata, unreadable_reason, unreadable_detail,
        key, is_backfill, first_seen_at, outcome, reason, detail, referral_id, claims, value, decided_at, decide_at,
        send_at, had_qualified)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      """,
      contents(row) + [
        row.key.text, isBackfill, seenAt.microseconds, decision.outcome.rawValue, decision.reason, decision.detail,
        decision.referralID?.text, decision.claims, decision.value, isDecided ? seenAt.microseconds : nil,
        decision.lookAgainAt?.microseconds, decision.outcome == .queued ? seenAt.microseconds : nil,
        isDecided && row.qualifies,
      ])
    let entry = EntryID(db.lastInsertedRowID)
    try storeCandidates(decision.candidates, of: entry, isNew: true)
    if isRepeated { try wakeNamesakes(of: row) }
    return entry
  }

  func dismiss(_ entry: EntryID, as outcome: Outcome) throws {
    try execute(
      "DELETE FROM orders WHERE entry = ? AND NOT EXISTS (SELECT 1 FROM reports r WHERE r.entry = orders.entry)",
      [entry.number])
    if db.changesCount > 0 { try tally(outcome, 1) }
  }

  func isRepeated(_ order: Order) throws -> Bool { try isRepeated(order.transactionID.text, key: order.key) }

  private func isRepeated(_ transactionID: String, key: OrderKey) throws -> Bool {
    guard known.mayHoldTransaction(KeyHash.of(transactionID)) else { return false }
    return try Int.fetchOne(
      db.cachedStatement(sql: "SELECT 1 FROM orders WHERE transaction_id = ? AND key <> ? LIMIT 1"),
      arguments: [transactionID, key.text]) != nil
  }

  /// The values of the columns that come from the shop, in the order in which both statements name them.
  private func contents(_ row: OrderRow) -> StatementArguments {
    switch row {
    case .readable(let order):
      [
        row.digest.bits, order.transactionID.text, order.email?.text, order.externalSourceID?.text, order.customerID,
        order.total != .unmapped, order.total.amountText, order.total.currencyText, order.status, order.qualifies,
        order.placedAt.earliest.microseconds, order.placedAt.latest.microseconds, order.metadata, nil, nil,
      ]
    case .unreadable(let order):
      [
        row.digest.bits, order.transactionID, nil, nil, nil, false, nil, nil, nil, false, nil, nil, nil,
        order.reason.rawValue, order.detail,
      ]
    }
  }

  /// Two rows with one order ID must both be looked at by a person, the earlier one too.
  private func wakeNamesakes(of row: OrderRow) throws {
    guard case .readable(let order) = row else { return }
    try wakeNamesakes(withID: order.transactionID.text, except: order.key)
  }

  private func wakeNamesakes(withID id: String, except key: OrderKey) throws {
    try execute(
      """
      UPDATE orders SET decide_at = 0 WHERE transaction_id = ? AND key <> ?
        AND outcome NOT IN ('reported', 'superseded', 'discarded', 'sending')
        AND NOT EXISTS (SELECT 1 FROM reports r WHERE r.entry = orders.entry)
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
