import Conversions
import Foundation
import GRDB

/// Facts of a former ledger that never go back in time: a person who was forgotten stays forgotten, and an order that an
/// operator discarded or holds is not sent.
extension SQLiteLedger {
  /// Takes over what the former ledger knows, and says all that happened since this one, which is a backup.
  ///
  /// - Parameters:
  ///   - former: The former ledger, which no other connection has open.
  ///   - now: Wall-clock time.
  /// - Returns: The difference between the two, and what of it was taken over.
  /// - Throws: `LedgerFailure`.
  func carryOver(from former: String, at now: Timestamp) async throws -> SinceBackup {
    let (difference, key, hashes) = try await queue.writeWithoutTransaction { db in
      try FormerLedger.attached(former, to: db) { former in
        let (key, hashes) = try former.forgotten()
        return (try former.difference(), key, hashes)
      }
    }
    var since = difference
    try await transaction { [acts = since.acts] transaction in
      for act in acts { try transaction.setAct(act.act, on: act.transactionID) }
    }
    guard let key, !hashes.isEmpty else {
      since.unknowable = hashes.count
      return since
    }
    let people = try await transaction { transaction -> [EmailAddress]? in
      guard let transaction = transaction as? SQLiteTransaction else { return nil }
      return try transaction.carryOver(hashes, key: key)
    }
    guard let people else {
      since.unknowable = hashes.count
      return since
    }
    since.forgotten = hashes.count
    for person in people {
      let traces = try await forget(person, isTrial: false, at: now)
      if !traces.isErased { since.keptBack += 1 }
    }
    return since
  }
}

extension SQLiteTransaction {
  /// Takes over hashes of people who were forgotten.
  ///
  /// - Returns: The addresses among this ledger's own that they are of; nil where its hashes have another key, so that
  ///   no address could be compared with these.
  fileprivate func carryOver(_ hashes: [[UInt8]: Int64], key: String) throws -> [EmailAddress]? {
    let known = try fact(Self.forgettingKey)
    guard known == nil || known == key else { return nil }
    try setFact(Self.forgettingKey, key)
    forgotten.mayHaveAny = true
    for (hash, time) in hashes {
      try execute("INSERT OR IGNORE INTO forgotten (hash, forgotten_at) VALUES (?, ?)", [Data(hash), time])
    }
    let texts = try String.fetchCursor(
      db,
      sql: """
        SELECT email FROM orders WHERE email IS NOT NULL UNION SELECT email FROM referrals WHERE email IS NOT NULL
        """)
    var people: [EmailAddress] = []
    while let text = try texts.next() {
      let email = EmailAddress(normalForm: text)
      if let hash = forgotten.hash(of: email, keyText: key), hashes[hash] != nil { people.append(email) }
    }
    return people
  }
}
