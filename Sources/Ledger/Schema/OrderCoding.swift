import Conversions
import GRDB

extension [Outcome] {
  /// The outcomes as a list of SQL: in place of parameters, which no partial index is found by.
  var sql: String { "(" + map { "'\($0.rawValue)'" }.joined(separator: ", ") + ")" }
}

/// Reads an order's row of the ledger.
enum OrderCoding {
  /// Everything that `order(from:)` needs, in the order of `Column`.
  static let select = select()

  /// The same, by an index that the planner wouldn't choose.
  static let selectToSend = select(hint: "INDEXED BY orders_to_send ")

  private static func select(hint: String = "") -> String {
    """
    SELECT o.entry, o.key, o.transaction_id, o.email, o.external_source_id, o.customer_id, o.total_mapped, o.total,
      o.currency, o.status, o.qualifies, o.placed_from, o.placed_to, o.metadata, o.unreadable_reason,
      o.unreadable_detail, o.outcome, o.reason, o.detail, o.referral_id, o.claims, o.value, o.first_seen_at,
      o.decided_at, o.decide_at, o.send_at, o.is_backfill, o.had_qualified, o.rematches, o.id_check, o.changed_since,
      EXISTS (SELECT 1 FROM orders t WHERE t.transaction_id = o.transaction_id AND t.transaction_id <> t.key
          AND t.entry <> o.entry AND substr(t.key, 1, 1) <> char(1))
        OR o.transaction_id <> o.key AND EXISTS (SELECT 1 FROM orders t
          WHERE t.key = o.transaction_id AND t.transaction_id = o.transaction_id)
        OR EXISTS (SELECT 1 FROM settled t WHERE t.transaction_id = o.transaction_id AND t.transaction_id <> t.key
          AND t.key <> o.key AND substr(t.key, 1, 1) <> char(1))
        OR o.transaction_id <> o.key AND EXISTS (SELECT 1 FROM settled t
          WHERE t.key = o.transaction_id AND t.transaction_id = o.transaction_id),
      r.referral_id, r.transaction_id, r.value, r.body, r.frozen_at, r.first_sent_at, r.last_sent_at, r.is_unknown,
      r.attempts, r.is_sending, o.opened_by_rules
    FROM orders o \(hint)LEFT JOIN reports r ON r.entry = o.entry
    """
  }

  private enum Column: Int {
    case entry, key, transactionID, email, externalSourceID, customerID, isTotalMapped, total
    case currency, status, qualifies, placedFrom, placedTo, metadata, unreadableReason
    case unreadableDetail, outcome, reason, detail, referralID, claims, value, firstSeenAt
    case decidedAt, decideAt, sendAt, isBackfill, hadQualified, rematches, idCheck, changedSince
    case idIsRepeated
    case reportReferralID, reportTransactionID, reportValue, body, frozenAt, firstSentAt, lastSentAt, isUnknown
    case attempts, isSending, isOpenedByRules
  }

  /// The columns of one row by their names.
  private struct Fields {
    let row: SQLRow

    func text(_ column: Column) -> String? { row.text(column.rawValue) }
    func integer(_ column: Column) -> Int64? { row.integer(column.rawValue) }
    func time(_ column: Column) -> Timestamp? { row.time(column.rawValue) }
    func flag(_ column: Column) -> Bool { row.integer(column.rawValue) == 1 }
  }

  /// - Throws: `LedgerFailure.damaged` for an outcome that no version had, and for a count that is none.
  static func order(from row: SQLRow) throws -> LedgerOrder {
    let fields = Fields(row: row)
    guard let stored = fields.text(.outcome).flatMap(Outcome.init) else {
      throw LedgerFailure(.damaged, "ledger: entry \(fields.integer(.entry) ?? 0) has no known outcome")
    }
    let isSending = stored == .queued && fields.flag(.isSending)
    return LedgerOrder(
      entry: EntryID(fields.integer(.entry) ?? 0), row: shopRow(from: fields), outcome: isSending ? .sending : stored,
      reason: isSending ? nil : fields.text(.reason), detail: isSending ? nil : fields.text(.detail),
      referralID: fields.text(.referralID).map(ReferralID.init), claims: fields.flag(.claims),
      value: fields.integer(.value), firstSeenAt: fields.time(.firstSeenAt) ?? zero,
      decidedAt: fields.time(isSending ? .lastSentAt : .decidedAt),
      dueAt: isSending ? nil : fields.time(stored == .queued ? .sendAt : .decideAt),
      isBackfill: fields.flag(.isBackfill), hadQualified: fields.flag(.hadQualified),
      rematches: try count(fields.integer(.rematches) ?? 0), idIsRepeated: fields.flag(.idIsRepeated),
      idIsUnproven: fields.flag(.idCheck), isOpenedByRules: fields.flag(.isOpenedByRules),
      changedSince: fields.text(.changedSince).flatMap(ChangeAfterReport.init), frozen: try frozen(from: fields))
  }

  private static let zero = Timestamp(microseconds: 0)

  private static func shopRow(from fields: Fields) -> OrderRow {
    let key = OrderKey(fields.text(.key) ?? "")
    let (transactionText, reason) = (fields.text(.transactionID), fields.text(.unreadableReason))
    if reason == nil, let transactionID = transactionText.flatMap(TransactionID.init) {
      return .readable(readable(from: fields, key: key, transactionID: transactionID))
    }
    return .unreadable(
      UnreadableOrder(
        key: key, transactionID: transactionText, reason: reason.map(ReviewReason.init) ?? .unreadable,
        detail: fields.text(.unreadableDetail) ?? ""))
  }

  private static func readable(from fields: Fields, key: OrderKey, transactionID: TransactionID) -> Order {
    let total = fields.text(.total).map { OrderTotal.amount($0, currency: fields.text(.currency)) } ?? .null
    return Order(
      key: key, transactionID: transactionID, email: fields.text(.email).map(EmailAddress.init(normalForm:)),
      externalSourceID: fields.text(.externalSourceID).map(ExternalSourceID.init(normalForm:)),
      customerID: fields.text(.customerID), total: fields.flag(.isTotalMapped) ? total : .unmapped,
      status: fields.text(.status), qualifies: fields.flag(.qualifies),
      placedAt: PlacedAt(earliest: fields.time(.placedFrom) ?? zero, latest: fields.time(.placedTo) ?? zero),
      metadata: fields.text(.metadata))
  }

  private static func frozen(from fields: Fields) throws -> FrozenReport? {
    guard let referral = fields.text(.reportReferralID),
      let transactionID = fields.text(.reportTransactionID).flatMap(TransactionID.init)
    else { return nil }
    let report = ConversionReport(
      referralID: ReferralID(referral), transactionID: transactionID, value: fields.integer(.reportValue),
      body: fields.row.bytes(Column.body.rawValue))
    return FrozenReport(
      report: report, frozenAt: fields.time(.frozenAt) ?? zero, firstSentAt: fields.time(.firstSentAt),
      lastSentAt: fields.time(.lastSentAt), hasUnknownOutcome: fields.flag(.isUnknown),
      attempts: try count(fields.integer(.attempts) ?? 0))
  }

  /// Converts a stored count.
  ///
  /// - Throws: `LedgerFailure.damaged` for a number that no count reaches: to add to it could end the program.
  static func count(_ number: Int64) throws -> Int {
    guard (0...1 << 48).contains(number) else { throw LedgerFailure(.damaged, "ledger: there is a count of \(number)") }
    return Int(number)
  }

  static func time(_ microseconds: Int64?) -> Timestamp? {
    microseconds.map(Timestamp.init(microseconds:))
  }
}

extension SQLiteTransaction {
  /// Reads the orders for which a condition holds, with the ORDER BY and LIMIT behind it.
  func orders(
    _ condition: String, select: String = OrderCoding.select, _ arguments: StatementArguments
  ) throws -> [LedgerOrder] {
    try rows(select + condition, arguments, OrderCoding.order)
  }
}
