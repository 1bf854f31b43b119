import Conversions
import Foundation
import GRDB

/// One transaction of a `SQLiteLedger`. The operations stand in the extensions, by who uses them.
struct SQLiteTransaction: LedgerTransaction {
  let db: Database
  /// Learns of each key before it is stored; one whose transaction fails is known too many, which does no harm.
  let known: KnownKeys
  let hotStatements = HotStatements()

  init(_ db: Database, known: KnownKeys) {
    self.db = db
    self.known = known
  }

  func execute(_ sql: String, _ arguments: StatementArguments = StatementArguments()) throws {
    try db.cachedStatement(sql: sql).execute(arguments: arguments)
  }

  func fact(_ name: String) throws -> String? {
    try String.fetchOne(db.cachedStatement(sql: "SELECT value FROM facts WHERE name = ?"), arguments: [name])
  }

  func setFact(_ name: String, _ value: String?) throws {
    guard let value else { return try execute("DELETE FROM facts WHERE name = ?", [name]) }
    try execute(
      "INSERT INTO facts (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
      [name, value])
  }

  /// A fact kept as JSON; one that can't be read is as good as none, as the loops make it anew.
  func fact<Value: Decodable>(_ name: String, as type: Value.Type) throws -> Value? {
    try fact(name).flatMap { try? JSONDecoder().decode(Value.self, from: Data($0.utf8)) }
  }

  func setFact<Value: Encodable>(_ name: String, json value: Value?) throws {
    guard let value else { return try setFact(name, nil) }
    try setFact(name, String(decoding: JSONEncoder().encode(value), as: UTF8.self))
  }

  func isEmpty() throws -> Bool {
    try Int.fetchOne(db, sql: "SELECT 1 FROM orders UNION ALL SELECT 1 FROM settled LIMIT 1") == nil
  }
}
