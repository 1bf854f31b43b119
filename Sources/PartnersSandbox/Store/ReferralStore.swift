/// Every referral of every partner, with the indexes that the API's rules need.
struct ReferralStore: Sendable {
  /// One partner's transaction ID.
  private struct Transaction: Hashable {
    let partner: String
    let id: String
  }

  /// The values that make a creation idempotent: API reference, Create a referral.
  private struct Pair: Hashable {
    let partner: String
    let referrerIdentifier: String
    let friendEmail: String
  }

  /// The referrals that a list reads: those of one partner, all or of one status.
  private struct Shelf: Hashable {
    let partner: String
    let status: SandboxReferral.Status?
  }

  /// Every referral that was ever put, by number; removed ones stay, out of every index.
  private(set) var slots: [SandboxReferral] = []
  private var removed: Set<Int> = []
  private var numbers: [String: Int] = [:]
  private var pairs: [Pair: Int] = [:]
  private var transactions: [Transaction: Int] = [:]
  private var shelves: [Shelf: CreationIndex] = [:]
  private var codes: [Pair: String] = [:]
  private var identifiers: IdentifierSource

  init(seed: UInt64) { identifiers = IdentifierSource(seed: seed) }

  /// Every referral, in the order they were added.
  var referrals: [SandboxReferral] {
    removed.isEmpty ? slots : slots.indices.filter { !removed.contains($0) }.map { slots[$0] }
  }

  /// Returns the referral of that ID, of any partner.
  func referral(_ id: String) -> SandboxReferral? { numbers[id].map { slots[$0] } }

  /// Returns the referral of that ID if the partner owns it.
  func referral(_ id: String, of partner: String) -> SandboxReferral? {
    guard let referral = referral(id), referral.partner == partner else { return nil }
    return referral
  }

  /// Returns the referral that a creation of the same pair made.
  func referral(referrer: String, friend: String, of partner: String) -> SandboxReferral? {
    pairs[Pair(partner: partner, referrerIdentifier: referrer, friendEmail: friend)].map { slots[$0] }
  }

  /// Returns the referral that was converted under a transaction ID.
  func referral(transaction id: String, of partner: String) -> SandboxReferral? {
    transactions[Transaction(partner: partner, id: id)].map { slots[$0] }
  }

  /// Returns the field by which this referral clashes with another one under a rule of uniqueness; nil for none.
  func clash(of referral: SandboxReferral) -> String? {
    if let pair = pair(of: referral), let number = pairs[pair], slots[number].referralID != referral.referralID {
      return "friendEmail"
    }
    if let key = transaction(of: referral), let number = transactions[key],
      slots[number].referralID != referral.referralID
    {
      return "externalTransactionId"
    }
    return nil
  }

  /// Adds a referral, or replaces the one of its ID, and fills in what was left to choose.
  @discardableResult
  mutating func put(_ draft: SandboxReferral, now: Int64) -> SandboxReferral {
    var referral = draft
    if referral.referralID.isEmpty { referral.referralID = newID() }
    if referral.createdAt == 0 { referral.createdAt = now }
    if referral.status == .converted, referral.convertedAt == nil {
      referral.convertedAt = max(now, referral.createdAt)
    }
    if referral.referralCode.isEmpty { referral.referralCode = code(of: referral) }
    if let number = numbers[referral.referralID] {
      unindex(slots[number], number: number)
      slots[number] = referral
      index(referral, number: number)
    } else {
      let number = slots.count
      numbers[referral.referralID] = number
      slots.append(referral)
      index(referral, number: number)
    }
    return referral
  }

  /// Removes the referral of an ID; true if there was one.
  mutating func remove(_ id: String) -> Bool {
    guard let number = numbers.removeValue(forKey: id) else { return false }
    unindex(slots[number], number: number)
    removed.insert(number)
    return true
  }

  /// Returns the keys of one partner's referrals by creation, of one status or all.
  func index(of partner: String, status: SandboxReferral.Status?) -> CreationIndex {
    shelves[Shelf(partner: partner, status: status)] ?? CreationIndex()
  }
}

extension ReferralStore {
  private mutating func newID() -> String {
    var id = identifiers.referralID()
    while numbers[id] != nil { id = identifiers.referralID() }
    return id
  }

  /// Returns the referrer's code, so that a referrer's referrals share it (API reference, The referral object).
  private mutating func code(of referral: SandboxReferral) -> String {
    guard let referrer = referral.referrerIdentifier ?? referral.referrerEmail else {
      return identifiers.referralCode()
    }
    let owner = Pair(partner: referral.partner, referrerIdentifier: referrer, friendEmail: "")
    if let code = codes[owner] { return code }
    let code = identifiers.referralCode()
    codes[owner] = code
    return code
  }

  private func pair(of referral: SandboxReferral) -> Pair? {
    guard let referrer = referral.referrerIdentifier, let friend = referral.friendEmail else { return nil }
    return Pair(partner: referral.partner, referrerIdentifier: referrer, friendEmail: friend)
  }

  private func transaction(of referral: SandboxReferral) -> Transaction? {
    referral.externalTransactionID.map { Transaction(partner: referral.partner, id: $0) }
  }

  private mutating func index(_ referral: SandboxReferral, number: Int) {
    let key = CreationIndex.Key(createdAt: referral.createdAt, number: number)
    shelves[Shelf(partner: referral.partner, status: nil), default: CreationIndex()].insert(key)
    shelves[Shelf(partner: referral.partner, status: referral.status), default: CreationIndex()].insert(key)
    if let pair = pair(of: referral) { pairs[pair] = number }
    if let transaction = transaction(of: referral) { transactions[transaction] = number }
  }

  private mutating func unindex(_ referral: SandboxReferral, number: Int) {
    let key = CreationIndex.Key(createdAt: referral.createdAt, number: number)
    shelves[Shelf(partner: referral.partner, status: nil)]?.remove(key)
    shelves[Shelf(partner: referral.partner, status: referral.status)]?.remove(key)
    if let pair = pair(of: referral), pairs[pair] == number { pairs[pair] = nil }
    if let transaction = transaction(of: referral), transactions[transaction] == number {
      transactions[transaction] = nil
    }
  }
}
