public import Conversions
import Foundation
import GRDB

extension SQLiteLedger {
  /// Erases a person: addresses, customer IDs, metadata and candidates of their orders, the metadata of bodies that are
  /// never sent again, their addresses in the mirror. A report stays by order ID, referral and value. A keyed
  /// hash stays behind, so that the next sweeps don't bring them back.
  ///
  /// All or nothing: while one of their orders is still to be sent, or may have been, its bytes must stay as they are,
  /// and nothing is erased. Erased bytes are overwritten in the file, and its log emptied, before this returns.
  ///
  /// - Parameters:
  ///   - email: The person's address.
  ///   - isTrial: True to tell only what would be erased.
  ///   - now: Wall-clock time.
  /// - Returns: The traces that the ledger held of them, and the obstacles.
  /// - Throws: `LedgerFailure`; `diskFull` where there is no room to build the file anew, and all else is done.
  public func forget(_ email: EmailAddress, isTrial: Bool, at now: Timestamp) async throws -> PersonTraces {
    if !isTrial { try await setSecureDelete("ON") }
    do {
      var traces = try await transaction { transaction -> PersonTraces in
        guard let transaction = transaction as? SQLiteTransaction else { return PersonTraces() }
        let found = try transaction.traces(of: email)
        guard !isTrial, found.obstacles.isEmpty else { return found }
        return try transaction.erase(email, found, at: now)
      }
      if traces.isErased {
        // The filters of known keys hold bits of the address's hash.
        _ = try await knownKeys()
        traces.remaining = try await overwrite(traceOf: email)
      }
      if !isTrial { try await setSecureDelete("FAST") }
      return traces
    } catch {
      if !isTrial { try? await setSecureDelete("FAST") }
      throw error
    }
  }

  private func setSecureDelete(_ mode: String) async throws {
    try await onConnection { db in try db.execute(sql: "PRAGMA secure_delete = \(mode)") }
  }

  /// Empties the log, and looks through the file for what earlier changes left in pages' free space; where there is
  /// any, the file is built anew.
  private func overwrite(traceOf email: EmailAddress) async throws -> Int {
    try await onConnection { db in
      try db.checkpoint(.truncate)
      let text = Array(email.text.utf8)
      guard try db.occurrences(of: text) > 0 else { return 0 }
      // Balancing the pages of a tree leaves copies of cells behind, which secure_delete doesn't see.
      try db.execute(sql: "VACUUM")
      try db.checkpoint(.truncate)
      return try db.occurrences(of: text)
    }
  }

  private func onConnection<Value: Sendable>(
    _ body: @escaping @Sendable (Database) throws -> Value
  ) async throws -> Value {
    do {
      return try await queue.writeWithoutTransaction(body)
    } catch {
      throw handle(error)
    }
  }
}

extension SQLiteTransaction {
  /// Orders and referrals that may name an address: SQLite lowers ASCII letters only, as it stands in the ledger.
  private static let mayName = """
    instr(lower(coalesce(o.metadata, '')), ?1) OR instr(lower(coalesce(o.customer_id, '')), ?1)
      OR instr(lower(coalesce(o.external_source_id, '')), ?1)
      OR instr(lower(CAST(coalesce(r.body, x'') AS TEXT)), ?1)
    """

  /// Finds the traces of a person.
  func traces(of email: EmailAddress) throws -> PersonTraces {
    var traces = PersonTraces()
    traces.wasForgotten = try isForgotten(email)
    let named = try orders(" WHERE o.email = ?1 OR \(Self.mayName) ORDER BY o.entry", [email.text])
    traces.orders = try named.filter { try names($0, email) }.map { order in
      PersonTraces.Trace(
        entry: order.entry, orderID: order.orderID, outcome: order.outcome, obstacle: order.obstacleToForgetting)
    }
    traces.referrals = try referrals(naming: email).count
    return traces
  }

  private func names(_ order: LedgerOrder, _ email: EmailAddress) throws -> Bool {
    if try redacted(order, email) != nil { return true }
    return order.frozen.map { Self.body($0.report, names: email) } ?? false
  }

  private func redacted(_ order: LedgerOrder, _ email: EmailAddress) throws -> Order? {
    guard let readable = order.order else { return nil }
    return try readable.without({ $0 == email }, isReferrer: { try isReferrer($0, of: readable.externalSourceID) })
  }

  private static func body(_ report: ConversionReport, names email: EmailAddress) -> Bool {
    MaskedText.addresses(in: String(decoding: report.body, as: UTF8.self)).contains(email)
  }

  private func referrals(naming email: EmailAddress) throws -> [MirroredReferral] {
    let sql = """
      \(Self.selectReferral) WHERE email = ?1 OR instr(lower(coalesce(external_source_id, '')), ?1)
        OR instr(lower(coalesce(referrer_identifier, '')), ?1)
      """
    return try rows(sql, [email.text], mirrored).filter { $0.without { $0 == email } != nil }
  }

  /// Erases what was found.
  func erase(_ email: EmailAddress, _ found: PersonTraces, at now: Timestamp) throws -> PersonTraces {
    for trace in found.orders {
      guard let order = try entry(trace.entry) else { continue }
      try erase(email, in: order)
    }
    for referral in try referrals(naming: email) {
      guard let redacted = referral.without({ $0 == email }) else { continue }
      try execute(
        "UPDATE referrals SET email = ?, email_written = ?, external_source_id = ?, referrer_identifier = ? WHERE id = ?",
        [
          redacted.email?.text, redacted.email?.written, redacted.externalSourceID?.text, redacted.referrerIdentifier,
          redacted.id.text,
        ])
    }
    try execute("UPDATE acts SET reason = NULL WHERE instr(lower(reason), ?1)", [email.text])
    try execute("UPDATE acts SET buyer = NULL WHERE buyer = ?", [ActedOrder.hash(email.text)])
    try noteForgotten(email, at: now)
    var erased = found
    erased.isErased = true
    return erased
  }

  private func erase(_ email: EmailAddress, in order: LedgerOrder) throws {
    let isTheirs = order.order?.email == email
    if let redacted = try redacted(order, email) {
      try execute(
        """
        UPDATE orders SET email = ?, external_source_id = ?, customer_id = ?, metadata = ?, digest = ?,
          candidates = CASE WHEN ? THEN NULL ELSE candidates END WHERE entry = ?
        """,
        [
          redacted.email?.text, redacted.externalSourceID?.text, redacted.customerID, redacted.metadata,
          redacted.digest.bits, isTheirs, order.entry.number,
        ])
    }
    // The API's words, which may be about the person, however masked.
    try execute("UPDATE orders SET detail = NULL WHERE entry = ? AND instr(detail, '@')", [order.entry.number])
    try execute("UPDATE attempts SET detail = NULL WHERE entry = ? AND instr(detail, '@')", [order.entry.number])
    if let frozen = order.frozen {
      if isTheirs || Self.body(frozen.report, names: email) { try replaceBody(of: order.entry, frozen) }
    } else {
      // Without an address another referral may be its own, or none.
      try execute(
        "UPDATE orders SET decide_at = 0 WHERE entry = ? AND outcome IN ('waiting', 'review')", [order.entry.number])
    }
  }

  /// Replaces a body that is never sent again by one without metadata, in a new row, as a frozen one never changes.
  func replaceBody(of entry: EntryID, _ frozen: FrozenReport) throws {
    let report = ConversionReport(
      referralID: frozen.report.referralID, transactionID: frozen.report.transactionID, value: frozen.report.value,
      metadata: nil)
    guard report.body != frozen.report.body else { return }
    try execute("DELETE FROM reports WHERE entry = ?", [entry.number])
    try execute(
      """
      INSERT INTO reports (entry, referral_id, transaction_id, value, body, frozen_at, first_sent_at, last_sent_at,
        is_unknown, attempts)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      """,
      [
        entry.number, report.referralID.text, report.transactionID.text, report.value, Data(report.body),
        frozen.frozenAt.microseconds, frozen.firstSentAt?.microseconds, frozen.lastSentAt?.microseconds,
        frozen.hasUnknownOutcome, frozen.attempts,
      ])
  }
}

extension LedgerOrder {
  /// The reason why the person of this order can't be forgotten yet; nil where there is none.
  fileprivate var obstacleToForgetting: String? {
    switch outcome {
    case .held: "is held, and to be reported then"
    case .queued where frozen?.hasUnknownOutcome == true:
      "may have been reported, and is sent again with the same bytes"
    case .queued: "is to be reported"
    case .sending: "is being reported"
    case .review where frozen?.hasUnknownOutcome == true: "may have been reported: a person must decide it first"
    default: nil
    }
  }
}
