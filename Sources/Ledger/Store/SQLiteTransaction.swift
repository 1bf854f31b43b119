import Conversions
import Foundation
import GRDB
import Synchronization

/// One transaction of a `SQLiteLedger`. The operations stand in the extensions, by their users.
struct SQLiteTransaction: LedgerTransaction {
  let db: Database
  /// The known keys: each is added before it is stored; one whose transaction fails stays in it, which does no harm.
  let known: KnownKeys
  let forgotten: ForgottenPeople
  private let decodedFacts: DecodedFacts

  init(
    _ db: Database, known: KnownKeys, decodedFacts: DecodedFacts = DecodedFacts(),
    forgotten: ForgottenPeople = ForgottenPeople()
  ) {
    self.db = db
    self.forgotten = forgotten
    self.known = known
    self.decodedFacts = decodedFacts
  }

  // Rows are read by `decode`, here and in the other files: where damage made a value of another kind, GRDB's
  // subscripts end the program.

  func fact(_ name: String) throws -> String? {
    try first("SELECT value FROM facts WHERE name = ?", [name]) { $0.text(0) ?? "" }
  }

  func setFact(_ name: String, _ value: String?) throws {
    guard let value else { return try execute("DELETE FROM facts WHERE name = ?", [name]) }
    try execute(
      "INSERT INTO facts (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
      [name, value])
  }

  /// Reads a fact kept as JSON; nil also for one that can't be read, as the loops make it anew.
  func fact<Value: Decodable & Sendable>(_ name: String, as type: Value.Type) throws -> Value? {
    guard let text = try fact(name) else { return nil }
    if let decoded = decodedFacts.value(name, text: text) as? Value { return decoded }
    guard let value = try? JSONDecoder().decode(Value.self, from: Data(text.utf8)) else { return nil }
    decodedFacts.keep(value, name, text: text)
    return value
  }

  func setFact<Value: Encodable>(_ name: String, json value: Value?) throws {
    guard let value else { return try setFact(name, nil) }
    try setFact(name, String(decoding: JSONEncoder().encode(value), as: UTF8.self))
  }

  func isEmpty() throws -> Bool {
    try Int.fetchOne(db, sql: "SELECT 1 FROM orders UNION ALL SELECT 1 FROM settled LIMIT 1") == nil
  }

  /// Adds every key there is to `known`.
  func learnKeys() throws {
    known.reserve(
      orders: try Int.fetchOne(
        db, sql: "SELECT (SELECT count(*) FROM orders) + (SELECT count(*) FROM settled)") ?? 0,
      referralKeys: try Int.fetchOne(db, sql: "SELECT count(email) + count(external_source_id) FROM referrals") ?? 0)
    let orders = try Row.fetchCursor(
      db, sql: "SELECT key, transaction_id FROM orders UNION ALL SELECT key, transaction_id FROM settled")
    while let row = try orders.next() {
      known.insert(order: OrderKey(try row.decode(atIndex: 0)), transactionID: try row.decode(atIndex: 1))
    }
    let claims = try String.fetchCursor(db, sql: "SELECT referral_id FROM orders WHERE claims = 1")
    while let referral = try claims.next() { known.insert(claimOf: ReferralID(referral)) }
    let referrals = try Row.fetchCursor(db, sql: "SELECT email, external_source_id FROM referrals")
    while let row = try referrals.next() {
      known.insert(
        referral: try row.decode(String?.self, atIndex: 0).map(EmailAddress.init(normalForm:)),
        try row.decode(String?.self, atIndex: 1).map(ExternalSourceID.init(normalForm:)))
    }
    known.complete()
  }
}

/// The decoded facts, by their text: most decisions rest on two that seldom change, and to decode them takes
/// longer than to decide.
final class DecodedFacts: Sendable {
  private let decoded = Mutex<[String: (text: String, value: any Sendable)]>([:])

  /// Returns a decoded fact, if it has still this text.
  func value(_ name: String, text: String) -> (any Sendable)? {
    decoded.withLock { decoded in
      guard let known = decoded[name], known.text == text else { return nil }
      return known.value
    }
  }

  func keep(_ value: any Sendable, _ name: String, text: String) {
    decoded.withLock { $0[name] = (text, value) }
  }
}
