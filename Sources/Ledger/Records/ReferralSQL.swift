import Conversions
import GRDB

extension SQLiteTransaction: ReferralRecords {
  /// The referrals that may be open, by an index that the planner alone wouldn't choose; with `isOpen` as a condition.
  static let openReferrals = "referrals INDEXED BY referrals_open"
  static let isOpen = "status IN ('clicked', 'pending')"

  func referral(_ id: ReferralID) throws -> MirroredReferral? {
    try first(Self.selectReferral + " WHERE id = ?", [id.text], mirrored)
  }

  func seenAt(of id: ReferralID) throws -> Timestamp? {
    try first("SELECT seen_at FROM referrals WHERE id = ?", [id.text]) { $0.time(0) } ?? nil
  }

  func record(
    _ referral: Referral, seenAt: Timestamp, askedAt: Timestamp, unlessSeenSince: Timestamp, isByItself: Bool
  ) throws -> Bool {
    let earlier = try self.referral(referral.id)
    let mirrored = try withoutForgotten(MirroredReferral(referral, seenAt: seenAt, earlier: earlier))
    known.insert(referral: mirrored.email, mirrored.externalSourceID)
    if let earlier, earlier.isReopened(by: referral, askedAt: askedAt) { return false }
    guard mirrored.matters(comparedWith: earlier) else {
      if let earlier, earlier.seenAt >= unlessSeenSince { return false }
      try store(mirrored)
      if isByItself { try noteRead(mirrored, over: nil) }
      return false
    }
    if let earlier, !isByItself, let read = try ownRead(of: earlier.id), read.outranks(mirrored, known: earlier) {
      try noteShown(mirrored)
      return false
    }
    try store(mirrored)
    if isByItself { try noteRead(mirrored, over: earlier) }
    try wakeOrders(sharing: mirrored.email, mirrored.externalSourceID)
    if let earlier { try wakeOrders(sharing: earlier.email, earlier.externalSourceID) }
    try wakeRivals(of: referral.id)
    return true
  }

  func mirrorProgress() throws -> MirrorProgress {
    try fact("mirror", as: MirrorProgress.self) ?? MirrorProgress()
  }

  func setMirrorProgress(_ progress: MirrorProgress) throws { try setFact("mirror", json: progress) }

  func wakeOrdersBehindMirror() throws {
    let reasons = DecisionReason.awaitingWalk
    try execute(
      """
      UPDATE orders SET decide_at = 0
      WHERE outcome = 'waiting' AND reason IN (\(databaseQuestionMarks(count: reasons.count))) AND decide_at IS NULL
      """, StatementArguments(reasons))
  }

  func knownReferrals(limit: Int, seenBefore time: Timestamp) throws -> [ReferralID] {
    func orders(_ outcome: Outcome) throws -> [String] {
      try String.fetchAll(
        db,
        sql: """
          SELECT referral_id FROM orders WHERE outcome = ? AND claims = 1 AND referral_id IS NOT NULL
          ORDER BY decided_at DESC LIMIT ?
          """, arguments: [outcome.rawValue, limit])
    }
    // Referrals that were only clicked come last: of a registered one it is surer that the API keeps it.
    func open(before time: Timestamp) throws -> [String] {
      try ["pending", "clicked"].flatMap { status in
        try String.fetchAll(
          db,
          sql: """
            SELECT id FROM \(Self.openReferrals)
            WHERE \(Self.isOpen) AND status = ? AND gone_at IS NULL AND seen_at <= ?
            ORDER BY created_at DESC LIMIT ?
            """, arguments: [status, time.microseconds, limit])
      }
    }
    let (reported, queued) = (try orders(.reported), try orders(.queued))
    let others = try queued + open(before: time).filter { !queued.contains($0) }
    let known = reported.prefix(others.isEmpty ? limit : limit - 1) + others
    let whatever = try known.isEmpty ? open(before: Timestamp(microseconds: .max)) : []
    return (known + whatever).prefix(limit).map(ReferralID.init)
  }

  func oldestOpenReferral() throws -> Timestamp? {
    // Asked at each step of intake: the planner alone would count through all that are pending.
    let sql = """
      SELECT created_at FROM \(Self.openReferrals) WHERE \(Self.isOpen)
      ORDER BY created_at LIMIT 1
      """
    return OrderCoding.time(try Int64.fetchOne(db.cachedStatement(sql: sql)))
  }

  func referralCounts() throws -> [ReferralStatus: Int] {
    // The indexes alone, of which neither holds them all.
    let rows = try Row.fetchAll(
      db,
      sql: """
        SELECT status, count(*) AS n FROM \(Self.openReferrals)
        WHERE \(Self.isOpen) GROUP BY status
        UNION ALL SELECT status, count(*) FROM referrals INDEXED BY referrals_closed
        WHERE status NOT IN ('clicked', 'pending') GROUP BY status
        """)
    return try rows.reduce(into: [:]) { counts, row in
      guard let status = ReferralStatus(rawValue: try row.decode(forColumn: "status")) else { return }
      counts[status] = try row.decode(forColumn: "n")
    }
  }

  private func store(_ referral: MirroredReferral) throws {
    try execute(
      """
      INSERT INTO referrals (id, status, email, external_source_id, referrer_identifier, created_at, converted_at,
        conversion_value, seen_at, open_seen_at, expired_seen_at, email_written)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      ON CONFLICT (id) DO UPDATE SET status = excluded.status, email = excluded.email,
        external_source_id = excluded.external_source_id, referrer_identifier = excluded.referrer_identifier,
        created_at = excluded.created_at, converted_at = excluded.converted_at,
        conversion_value = excluded.conversion_value, seen_at = excluded.seen_at,
        open_seen_at = excluded.open_seen_at, expired_seen_at = excluded.expired_seen_at,
        email_written = excluded.email_written, absent_since = NULL,
        gone_at = NULL
      """,
      [
        referral.id.text, referral.status.rawValue, referral.email?.text, referral.externalSourceID?.text,
        referral.referrerIdentifier, referral.createdAt.microseconds, referral.convertedAt?.microseconds,
        referral.conversionValue, referral.seenAt.microseconds, referral.openSeenAt?.microseconds,
        referral.expiredSeenAt?.microseconds, referral.email?.written,
      ])
  }

  /// Sets every order to be decided again that shares a key with a referral and was never sent, one that was decided
  /// for good among them: a referral that ranks before the chosen one may have appeared. Two statements, as one with OR
  /// would use neither index.
  func wakeOrders(sharing email: EmailAddress?, _ externalSourceID: ExternalSourceID?) throws {
    let open = "outcome NOT IN \(Outcome.withoutReferral.sql) AND \(Self.isNeverSent)"
    if let email { try execute("UPDATE orders SET decide_at = 0 WHERE email = ? AND \(open)", [email.text]) }
    if let externalSourceID {
      try execute("UPDATE orders SET decide_at = 0 WHERE external_source_id = ? AND \(open)", [externalSourceID.text])
    }
  }

  /// The columns in the order in which `mirrored` reads them.
  static let selectReferral = """
    SELECT id, status, email, external_source_id, referrer_identifier, created_at, converted_at, conversion_value,
      seen_at, open_seen_at, expired_seen_at, gone_at, email_written FROM referrals
    """

  func mirrored(_ row: SQLRow) -> MirroredReferral {
    let zero = Timestamp(microseconds: 0)
    return MirroredReferral(
      id: ReferralID(row.text(0) ?? ""), status: row.text(1).flatMap(ReferralStatus.init) ?? .expired,
      email: row.text(2).map { EmailAddress(normalForm: $0, written: row.text(12)) },
      externalSourceID: row.text(3).map(ExternalSourceID.init(normalForm:)), referrerIdentifier: row.text(4),
      createdAt: row.time(5) ?? zero, convertedAt: row.time(6), conversionValue: row.integer(7),
      seenAt: row.time(8) ?? zero, openSeenAt: row.time(9), expiredSeenAt: row.time(10), goneAt: row.time(11))
  }
}
