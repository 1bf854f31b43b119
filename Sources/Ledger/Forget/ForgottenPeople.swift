import Conversions
import Crypto
import Foundation
import GRDB
import Synchronization

/// People who were forgotten, as the ledger still knows them: each by a keyed hash of the address, so that the next
/// sweep does not bring them back.
///
/// HMAC-SHA256 by a random key of the ledger's own: a person with the ledger can test an address that is known already,
/// and can't look any up in a table made beforehand. The functions are swift-crypto's, which are BoringSSL's.
final class ForgottenPeople: Sendable {
  private struct State {
    /// The first answer, nil before it; once true it stays so, which costs no more than a look-up.
    var mayHaveAny: Bool?
    var key: (text: String, key: SymmetricKey)?
  }

  private let state = Mutex(State())

  var mayHaveAny: Bool? {
    get { state.withLock { $0.mayHaveAny } }
    set { state.withLock { $0.mayHaveAny = newValue } }
  }

  /// Hashes an address by a key; nil where the text is no key.
  func hash(of email: EmailAddress, keyText: String) -> [UInt8]? {
    guard let key = key(keyText) else { return nil }
    return Array(HMAC<SHA256>.authenticationCode(for: Array(email.text.utf8), using: key))
  }

  private func key(_ text: String) -> SymmetricKey? {
    state.withLock { state in
      if let known = state.key, known.text == text { return known.key }
      guard let bytes = Data(base64Encoded: text), bytes.count == 32 else { return nil }
      let key = SymmetricKey(data: bytes)
      state.key = (text, key)
      return key
    }
  }

  /// Makes a new random key, as the ledger keeps it.
  static func makeKey() -> String {
    // Its bytes come from the kernel, through BoringSSL.
    unsafe SymmetricKey(size: .bits256).withUnsafeBytes { unsafe Data($0) }.base64EncodedString()
  }
}

extension SQLiteTransaction {
  static let forgettingKey = "forget.key"

  /// Returns a row as the ledger may keep it.
  func withoutForgotten(_ row: OrderRow) throws -> OrderRow {
    guard try hasForgotten(), case .readable(let order) = row else { return row }
    let redacted = try order.without(isForgotten) { customer in
      try isReferrer(customer, of: order.externalSourceID)
    }
    return redacted.map(OrderRow.readable) ?? row
  }

  /// Returns a referral as the mirror may keep it.
  func withoutForgotten(_ referral: MirroredReferral) throws -> MirroredReferral {
    guard try hasForgotten() else { return referral }
    return try referral.without(isForgotten) ?? referral
  }

  /// Returns true if a customer made a referral that an external source ID stands for.
  func isReferrer(_ customer: String, of reference: ExternalSourceID?) throws -> Bool {
    // Both in the normal form of a partner's own identifiers.
    guard let reference, let customer = ExternalSourceID(customer) else { return false }
    return try referrals(sharing: nil, reference).contains {
      $0.referrerIdentifier.flatMap(ExternalSourceID.init) == customer
    }
  }

  func isForgotten(_ email: EmailAddress) throws -> Bool {
    guard let key = try fact(Self.forgettingKey), let hash = forgotten.hash(of: email, keyText: key) else {
      return false
    }
    return try first("SELECT 1 FROM forgotten WHERE hash = ?", [Data(hash)]) { _ in true } ?? false
  }

  /// Stores an address's hash.
  func noteForgotten(_ email: EmailAddress, at now: Timestamp) throws {
    var key = try fact(Self.forgettingKey)
    if key.flatMap({ forgotten.hash(of: email, keyText: $0) }) == nil {
      key = ForgottenPeople.makeKey()
      try setFact(Self.forgettingKey, key)
    }
    guard let key, let hash = forgotten.hash(of: email, keyText: key) else {
      throw LedgerFailure(.other, "ledger: no key for the hashes of people who are forgotten")
    }
    forgotten.mayHaveAny = true
    try execute(
      "INSERT OR IGNORE INTO forgotten (hash, forgotten_at) VALUES (?, ?)", [Data(hash), now.microseconds])
  }

  private func hasForgotten() throws -> Bool {
    if let known = forgotten.mayHaveAny { return known }
    let hasAny = try Int.fetchOne(db, sql: "SELECT 1 FROM forgotten LIMIT 1") != nil
    forgotten.mayHaveAny = hasAny
    return hasAny
  }
}
