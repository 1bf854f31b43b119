import Conversions
import Logging

/// The looks at the API before an order's first send: at the referrals that were made before it and that the mirror
/// doesn't know yet, mostly the youngest, and at its own where the mirror's copy is old.
final class LooksBeforeSend: Sendable {
  /// How old the mirror's copy of a referral may be at the first send.
  static let referralAgeMax = Duration.seconds(600)
  /// How long an order waits whose referrals couldn't be read.
  static let wait = Duration.seconds(15)

  private let surroundings: Surroundings
  private let rules: AttributionRules

  init(_ surroundings: Surroundings, rules: AttributionRules) {
    (self.surroundings, self.rules) = (surroundings, rules)
  }

  /// What an order needs to have looked at.
  struct Needs: Sendable {
    /// Who was referred just before the order.
    var youngest = true
    /// Its own referral.
    var referral = true
  }

  /// What the looks at an order would be for: most need none.
  ///
  /// - Parameters:
  ///   - order: A queued one.
  ///   - known: Up to which time of their making all referrals are known; nil for none.
  ///   - transaction: Where its own is looked up.
  ///   - now: Wall-clock time.
  /// - Returns: What must be looked at.
  /// - Throws: `LedgerFailure`.
  static func needs(
    of order: LedgerOrder, referralsKnownTo known: Timestamp?, _ transaction: any LedgerTransaction, now: Timestamp
  ) throws -> Needs {
    // What was sent before is sent again with the same bytes, whatever the referrals are now.
    guard order.frozen == nil else { return Needs(youngest: false, referral: false) }
    let seenAt = try order.referralID.flatMap { try transaction.seenAt(of: $0) }
    return Needs(
      youngest: known.map { $0 < order.firstSeenAt } ?? true,
      referral: order.referralID != nil && (seenAt.map { !isFresh($0, now: now) } ?? true))
  }

  /// A time that lies ahead was taken before the clock was set back, and promises nothing.
  private static func isFresh(_ seenAt: Timestamp, now: Timestamp) -> Bool {
    seenAt <= now && now - seenAt <= referralAgeMax
  }

  /// Looks, where it is needed.
  ///
  /// - Returns: The order as it stands then; nil where it is not to be sent now.
  /// - Throws: `LaneRefusal`, `LookFailure`, `LedgerFailure`, or `CancellationError`.
  func look(_ needs: Needs, before order: LedgerOrder) async throws -> LedgerOrder? {
    var order = order
    if needs.youngest {
      guard let seen = try await seeYoungReferrals(before: order) else { return nil }
      order = seen
    }
    // Whom the youngest made it the order of may be another one.
    return needs.youngest || needs.referral ? try await refreshReferral(of: order) : order
  }

  /// A referral made seconds before its order may not be mirrored yet, and an older one be chosen in its stead: before
  /// anything is frozen, all that were made before the order was seen are known.
  private func seeYoungReferrals(before order: LedgerOrder) async throws -> LedgerOrder? {
    do {
      let seenAt = min(order.firstSeenAt, surroundings.clock.now)
      guard let changed = try await HorizonWalk(surroundings).ensure(upTo: seenAt) else {
        try await postpone(order, "the mirror has yet to read the referrals made before the order was seen")
        return nil
      }
      guard changed else { return order }
      // One that was made seconds before the order may be the order's now.
      return try await decidedAgain(order.entry)
    } catch let failure as ReadFailure {
      throw Self.error(failure, isOfList: true, before: order)
    } catch is CancellationError where !Task.isCancelled {
      try await postpone(order, "asked for the youngest referrals: cancelled")
    }
    return nil
  }

  /// Asks for the referral where the mirror's copy is old.
  private func refreshReferral(of order: LedgerOrder) async throws -> LedgerOrder? {
    guard let id = order.referralID else { return order }
    let known = try await surroundings.ledger.transaction { try $0.referral(id) }
    if let known, Self.isFresh(known.seenAt, now: surroundings.clock.now) { return order }
    switch await surroundings.partners.referral(id) {
    case .success(let referral, _):
      let now = surroundings.clock.now
      let changed = try await surroundings.ledger.transaction { try $0.record(referral, seenAt: now) }
      return changed ? try await decidedAgain(order.entry) : order
    // The send will meet the same 404, and its verdict has the rules for it.
    case .failure(_, let head) where head.status == 404: return order
    case .failure(let failure, let head):
      throw Self.error(ReadFailure(status: head.status, failure), isOfList: false, before: order)
    case .transport(let failure) where failure.kind == .cancelled:
      try await postpone(order, "asked for its referral: \(failure.message)")
      return nil
    case .transport(let failure): throw Self.error(ReadFailure(failure), isOfList: false, before: order)
    }
  }

  private static func error(_ failure: ReadFailure, isOfList: Bool, before order: LedgerOrder) -> any Error {
    if let reason = failure.haltReason { return LaneRefusal(reason: reason, detail: "\(failure)") }
    return LookFailure(order: order, isOfList: isOfList, cause: failure)
  }

  /// The order, decided by what the mirror knows now, if it is still to be sent.
  private func decidedAgain(_ entry: EntryID) async throws -> LedgerOrder? {
    let (rules, now, isConfirmed) = (rules, surroundings.clock.now, surroundings.clock.isConfirmed)
    return try await surroundings.ledger.transaction { transaction in
      guard let order = try transaction.entry(entry), order.outcome == .queued else { return nil }
      let facts = try DecidingFacts(transaction, isTimeConfirmed: isConfirmed)
      let decision = try Matching.decide(order, rules: rules, facts: facts, transaction: transaction, now: now)
      try transaction.decide(entry, decision, at: now)
      return decision.outcome == .queued ? try transaction.entry(entry) : nil
    }
  }

  /// Has an order wait a little.
  func postpone(_ order: LedgerOrder, _ detail: String) async throws {
    let until = surroundings.clock.now + Self.wait
    try await surroundings.ledger.transaction {
      try $0.postpone(order.entry, until: until, reason: LookFailure.reason, detail: detail)
    }
  }
}

/// The API refused a look before a send in a way that only a person can change: nothing is sent, to nobody.
struct LaneRefusal: Error {
  let reason: HaltReason
  let detail: String
}

/// A look before a send had no answer: nothing is known of the order but what was.
struct LookFailure: Error, CustomStringConvertible {
  static let reason = "referral_unread"

  let order: LedgerOrder
  /// Whether it was a look at the API's list, which is the same for every order.
  let isOfList: Bool
  let cause: ReadFailure

  var description: String { "asked for \(isOfList ? "the youngest referrals" : "its referral"): \(cause)" }
}
