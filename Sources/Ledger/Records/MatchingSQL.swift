import Conversions
import GRDB

extension SQLiteTransaction: MatchingRecords {
  func undecided(at now: Timestamp, limit: Int) throws -> [LedgerOrder] {
    // In order of placing, so that a batch gives a referral to the earliest of its orders.
    try orders(
      " WHERE o.decide_at <= ? ORDER BY o.decide_at, o.placed_from, o.entry LIMIT ?", [now.microseconds, limit])
  }

  func nextDecisionAt() throws -> Timestamp? {
    OrderCoding.time(
      try Int64.fetchOne(
        db.cachedStatement(sql: "SELECT min(decide_at) FROM orders WHERE decide_at IS NOT NULL")))
  }

  func referrals(sharing email: EmailAddress?, _ externalSourceID: ExternalSourceID?) throws -> [MirroredReferral] {
    var found: [MirroredReferral] = []
    if let email, known.mayHoldReferral(KeyHash.of(email.text)) {
      found = try referrals("email", email.text)
    }
    if let externalSourceID, known.mayHoldReferral(KeyHash.of(externalSourceID.text)) {
      let byID = try referrals("external_source_id", externalSourceID.text)
      found += byID.filter { referral in !found.contains { $0.id == referral.id } }
    }
    return found
  }

  private func referrals(_ column: String, _ value: String) throws -> [MirroredReferral] {
    try rows(Self.selectReferral + " WHERE \(column) = ?", [value], mirrored)
  }

  func referral(holding key: MatchingKey) throws -> MirroredReferral? {
    let column = key == .email ? "email" : "external_source_id"
    let condition = " WHERE \(column) IS NOT NULL AND gone_at IS NULL ORDER BY seen_at DESC LIMIT 1"
    return try first(Self.selectReferral + condition, [], mirrored)
  }

  func holder(of referral: ReferralID, except entry: EntryID?) throws -> DecisionContext.Holder? {
    guard known.mayBeClaimed(referral) else { return nil }
    let sql = """
      SELECT entry, key, placed_from, placed_to, outcome,
        EXISTS (SELECT 1 FROM reports r WHERE r.entry = orders.entry) AS is_frozen, transaction_id, reason
      FROM orders WHERE referral_id = ? AND claims = 1 AND entry <> ?
      """
    return try first(sql, [referral.text, entry?.number ?? 0]) { row -> DecisionContext.Holder in
      guard let outcome = Outcome(rawValue: row.text(4) ?? "") else {
        throw LedgerFailure(.damaged, "ledger: entry \(row.integer(0) ?? 0) has no known outcome")
      }
      let zero = Timestamp(microseconds: 0)
      return DecisionContext.Holder(
        entry: EntryID(row.integer(0) ?? 0), key: OrderKey(row.text(1) ?? ""), orderID: row.text(6),
        placedAt: PlacedAt(earliest: row.time(2) ?? zero, latest: row.time(3) ?? zero), outcome: outcome,
        reason: row.text(7), isFrozen: row.integer(5) == 1)
    }
  }

  func decide(_ entry: EntryID, _ decision: Decision, at now: Timestamp) throws {
    let select = "SELECT referral_id, claims, outcome, reason, decided_at, send_at FROM orders WHERE entry = ?"
    guard let before = try Row.fetchOne(db.cachedStatement(sql: select), arguments: [entry.number]) else { return }
    let held: String? = try before.decode(forColumn: "claims") ? before.decode(forColumn: "referral_id") : nil
    let state = OrderState(
      outcome: Outcome(rawValue: try before.decode(forColumn: "outcome")),
      reason: try before.decode(forColumn: "reason"),
      decidedAt: OrderCoding.time(try before.decode(forColumn: "decided_at")),
      sendAt: OrderCoding.time(try before.decode(forColumn: "send_at")))
    if decision.claims, let referral = decision.referralID { try takeClaim(of: referral, for: entry) }
    try store(decision, state.after(decision, at: now), of: entry, at: now)
    if let held, !(decision.claims && decision.referralID?.text == held) { try wakeRivals(of: ReferralID(held)) }
  }

  /// Stores a decision, and the state that it makes. A time of first sight still to come is from a clock that was ahead,
  /// and is not waited for.
  private func store(_ decision: Decision, _ state: OrderState, of entry: EntryID, at now: Timestamp) throws {
    noteClaim(decision)
    try execute(
      """
      UPDATE orders SET outcome = ?1, reason = ?2, decided_at = ?3, send_at = ?4, detail = ?5, referral_id = ?6,
        claims = ?7, value = ?8, decide_at = ?9, candidates = ?10, opened_by_rules = opened_by_rules OR ?11,
        had_qualified = had_qualified OR qualifies, first_seen_at = min(first_seen_at, ?12)
      WHERE entry = ?13
      """,
      [
        decision.outcome.rawValue, decision.reason, state.decidedAt?.microseconds, state.sendAt?.microseconds,
        decision.detail, decision.referralID?.text, decision.claims, decision.value,
        decision.lookAgainAt?.microseconds, CandidateCoding.text(decision.candidates),
        decision.reason == DecisionReason.rulesChanged, now.microseconds, entry.number,
      ])
  }

  /// Notes a decision's claim on a referral; to be called before the decision is stored.
  func noteClaim(_ decision: Decision) {
    if decision.claims, let referral = decision.referralID { known.insert(claimOf: referral) }
  }

  /// Takes a referral from the order that holds it, which is decided again.
  func takeClaim(of referral: ReferralID, for entry: EntryID?) throws {
    try execute(
      "UPDATE orders SET claims = 0, decide_at = 0 WHERE referral_id = ? AND claims = 1 AND entry <> ?",
      [referral.text, entry?.number ?? 0])
  }

  func wakeRivals(of referral: ReferralID) throws {
    // Mostly there are none, and an UPDATE that may change many rows begins by making a table for their numbers.
    let condition = "referral_id = ? AND outcome = 'waiting' AND referral_id IS NOT NULL"
    // By outcome alone, every order that waits for a referral would be looked at.
    let select = "SELECT 1 FROM orders INDEXED BY orders_behind WHERE \(condition) LIMIT 1"
    guard try first(select, [referral.text], { _ in true }) ?? false else { return }
    try execute("UPDATE orders INDEXED BY orders_behind SET decide_at = 0 WHERE \(condition)", [referral.text])
  }

  func rulesInForce() throws -> RulesInForce { try fact("rules", as: RulesInForce.self) ?? RulesInForce() }

  func setRulesInForce(_ rules: RulesInForce) throws { try setFact("rules", json: rules) }

  func neverSent(after entry: EntryID, limit: Int) throws -> [LedgerOrder] {
    try orders(
      " WHERE o.entry > ? AND r.entry IS NULL AND o.outcome <> 'reported' ORDER BY o.entry LIMIT ?",
      [entry.number, limit])
  }

  func openedByRules() throws -> Int {
    try Int.fetchOne(
      db,
      sql: """
        SELECT count(*) FROM orders INDEXED BY orders_opened_by_rules
        WHERE opened_by_rules = 1 AND outcome = 'held' AND reason = ?
        """, arguments: [DecisionReason.rulesChanged]) ?? 0
  }
}
