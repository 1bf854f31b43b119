import Synchronization

/// Keys that a ledger holds, for the question asked of each of millions of rows: could the ledger know this one?
///
/// "No" is certain; "yes" is wrong once in some thousands, and then costs a look into the ledger. About three bytes a
/// key are kept, and never a key itself.
public final class KnownKeys: Sendable {
  private struct Filters {
    var orders = GrowingKeyFilter()
    var transactions = GrowingKeyFilter()
    var referrals = GrowingKeyFilter()
    var claims = GrowingKeyFilter()
    /// False until everything was taken in that is there already: nothing can be ruled out before.
    var isComplete = false
  }

  private let filters = Mutex(Filters())

  /// Makes a set without keys.
  public init() {}

  /// Forgets every key, and makes room for those that are about to be taken in, as at the beginning: one large filter
  /// is quicker to ask than many that grew.
  public func reserve(orders: Int, referralKeys: Int) {
    let empty = Filters(
      orders: GrowingKeyFilter(room: orders), transactions: GrowingKeyFilter(room: orders),
      referrals: GrowingKeyFilter(room: referralKeys))
    filters.withLock { $0 = empty }
  }

  /// Takes in the key and the ID of an order that the ledger is about to hold.
  public func insert(order key: OrderKey, transactionID: String?) {
    let (hash, transaction) = (KeyHash.of(key.text), transactionID.map { KeyHash.of($0) })
    filters.withLock { filters in
      filters.orders.insert(hash)
      if let transaction { filters.transactions.insert(transaction) }
    }
  }

  /// Takes in the keys of a referral that the ledger is about to hold.
  public func insert(referral email: EmailAddress?, _ externalSourceID: ExternalSourceID?) {
    guard email != nil || externalSourceID != nil else { return }
    filters.withLock { filters in
      if let email { filters.referrals.insert(KeyHash.of(email.text)) }
      if let externalSourceID { filters.referrals.insert(KeyHash.of(externalSourceID.text)) }
    }
  }

  /// Takes in a referral that an order of the ledger is about to hold.
  public func insert(claimOf referral: ReferralID) {
    let hash = KeyHash.of(referral.text)
    filters.withLock { $0.claims.insert(hash) }
  }

  /// Says that every key was taken in that the ledger holds.
  public func complete() { filters.withLock { $0.isComplete = true } }

  /// True if the ledger may hold an order with a key of this hash.
  public func mayHoldOrder(_ hash: UInt64) -> Bool {
    filters.withLock { !$0.isComplete || $0.orders.mayContain(hash) }
  }

  /// True if the ledger may hold an order with a transaction ID of this hash.
  public func mayHoldTransaction(_ hash: UInt64) -> Bool {
    filters.withLock { !$0.isComplete || $0.transactions.mayContain(hash) }
  }

  /// True if an order of the ledger may hold a referral.
  public func mayBeClaimed(_ referral: ReferralID) -> Bool {
    let hash = KeyHash.of(referral.text)
    return filters.withLock { !$0.isComplete || $0.claims.mayContain(hash) }
  }

  /// True if the ledger may hold a referral with an e-mail or external source ID of this hash.
  public func mayHoldReferral(_ hash: UInt64) -> Bool {
    filters.withLock { !$0.isComplete || $0.referrals.mayContain(hash) }
  }
}

/// A Bloom filter that keeps its rate of false answers while it grows: filters of growing size, one after the other.
struct GrowingKeyFilter {
  private struct Part {
    /// Bits for each key that it is made for: with five probes, one wrong "yes" in two thousand.
    static let bitsPerKey = 16
    static let probes: UInt64 = 5

    let keys: Int
    var words: [UInt64]
    var room: Int

    init(keys: Int) {
      self.keys = keys
      words = [UInt64](repeating: 0, count: keys * Self.bitsPerKey / 64)
      room = keys
    }

    mutating func insert(_ hash: UInt64) {
      for probe in 0..<Self.probes {
        let bit = Self.bit(hash, probe, in: words.count)
        words[bit / 64] |= 1 << UInt64(bit % 64)
      }
      room -= 1
    }

    func mayContain(_ hash: UInt64) -> Bool {
      for probe in 0..<Self.probes {
        let bit = Self.bit(hash, probe, in: words.count)
        if words[bit / 64] & (1 << UInt64(bit % 64)) == 0 { return false }
      }
      return true
    }

    /// Finds a probe's bit by double hashing: the halves of one hash make as many probes as are wanted (Kirsch and
    /// Mitzenmacher, 2006).
    private static func bit(_ hash: UInt64, _ probe: UInt64, in words: Int) -> Int {
      let mixed = (hash & 0xffff_ffff) &+ probe &* ((hash >> 32) | 1)
      // `>>` binds tighter than `&*`.
      return Int(((mixed & 0xffff_ffff) &* UInt64(words * 64)) >> 32)
    }
  }

  private static let keysFirst = 16_384
  private var parts: [Part]

  /// Makes a filter with room for so many keys before it grows, and for some thousands in any case.
  init(room: Int = 0) { parts = [Part(keys: max(Self.keysFirst, (room + room / 4) / 64 * 64))] }

  mutating func insert(_ hash: UInt64) {
    guard !mayContain(hash) else { return }
    if parts[parts.count - 1].room == 0 { parts.append(Part(keys: parts[parts.count - 1].keys * 4)) }
    parts[parts.count - 1].insert(hash)
  }

  func mayContain(_ hash: UInt64) -> Bool { parts.contains { $0.mayContain(hash) } }
}
