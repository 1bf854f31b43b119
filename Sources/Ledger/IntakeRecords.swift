import Conversions
import GRDB

extension SQLiteTransaction: IntakeRecords {
  func position(of lane: IntakeLane) throws -> IntakePosition? {
    try fact("position.\(lane.rawValue)").map(IntakePosition.init)
  }

  func setPosition(_ position: IntakePosition, of lane: IntakeLane) throws {
    try setFact("position.\(lane.rawValue)", position.text)
  }

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
    for lane in IntakeLane.allCases { try setFact("position.\(lane.rawValue)", nil) }
  }

  func record(_ row: OrderRow, seenAt: Timestamp, isBackfill: Bool) throws -> RowChange {
    let digest = row.digest.bits
    let known = try Row.fetchOne(
      db.cachedStatement(sql: "SELECT entry, digest, outcome, placed_from FROM orders WHERE key = ?"),
      arguments: [row.key.text])
    guard let known else {
      try insert(row, seenAt: seenAt, isBackfill: isBackfill)
      try wakeNamesakes(of: row)
      return .new
    }
    guard known["digest"] != digest else { return .unchanged }
    let entry: Int64 = known["entry"]
    let wasReported = known["outcome"] == Outcome.reported.rawValue
    let placedBefore: Int64? = known["placed_from"]
    try update(entry, row)
    try wakeNamesakes(of: row)
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

  private func insert(_ row: OrderRow, seenAt: Timestamp, isBackfill: Bool) throws {
    try execute(
      """
      INSERT INTO orders (digest, transaction_id, email, external_source_id, customer_id, total_mapped, total,
        currency, status, qualifies, placed_from, placed_to, metadata, unreadable_reason, unreadable_detail,
        key, is_backfill, first_seen_at, outcome, decide_at)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'waiting', 0)
      """, contents(row) + [row.key.text, isBackfill, seenAt.microseconds])
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
    try execute(
      """
      UPDATE orders SET decide_at = 0 WHERE transaction_id = ? AND key <> ?
        AND outcome NOT IN ('reported', 'superseded', 'discarded', 'sending')
        AND NOT EXISTS (SELECT 1 FROM reports r WHERE r.entry = orders.entry)
      """, [order.transactionID.text, order.key.text])
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
  var digest: ContentDigest {
    switch self {
    case .readable(let order): order.digest
    case .unreadable(let order): order.digest
    }
  }
}
