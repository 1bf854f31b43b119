/// The next outcome of an order, decided from what the ledger knows. Pure: the same facts give the same decision.
public struct Decision: Hashable, Sendable {
  /// The state it goes to.
  public var outcome: Outcome
  /// The reason, in a code that can be searched for; nil where the outcome says it all.
  public var reason: String?
  /// The reason, in a sentence.
  public var detail: String?
  /// The referral it was matched to.
  public var referralID: ReferralID?
  /// True if it holds that referral against rivals.
  public var claims: Bool = false
  /// True if another order holds that referral, and loses it to this one.
  public var displaces: Bool = false
  /// The value to report, in cents.
  public var value: Int64?
  /// The time at which to decide again if nothing changes.
  public var lookAgainAt: Timestamp?
  /// Every candidate with its verdict.
  public var candidates: [Attribution.Candidate] = []

  /// Makes a decision without a referral.
  public init(_ outcome: Outcome, reason: String? = nil, detail: String? = nil, lookAgainAt: Timestamp? = nil) {
    self.outcome = outcome
    self.reason = reason
    self.detail = detail
    self.lookAgainAt = lookAgainAt
  }

  /// Makes a decision that a person must look, keeping hold of a referral or not.
  public init(review reason: ReviewReason, _ detail: String, referralID: ReferralID? = nil, claims: Bool = false) {
    outcome = .review
    self.reason = reason.rawValue
    self.detail = detail
    self.referralID = referralID
    self.claims = claims
  }
}

/// Reasons that are no review reasons. The spelling is shown to operators.
public enum DecisionReason {
  /// `reporting.hold` is not over, or the span that `placed_at` may mean.
  public static let hold = "hold"
  /// Nothing matches yet, and it is still early.
  public static let noReferralYet = "no_referral_yet"
  /// Nothing matches, and the mirror has not been complete since the order was seen.
  public static let mirrorIncomplete = "mirror_incomplete"
  /// A decision for good waits for a complete walk of the open referrals that began after the order was seen.
  public static let mirrorBehind = "mirror_behind"
  /// Nothing matches, and the wait is over only by a clock that is unconfirmed.
  public static let clockUnconfirmed = "clock_unconfirmed"
  /// Another order holds the referral.
  public static let behindOther = "behind_other_order"
  /// The referral was converted already.
  public static let alreadyConverted = "already_converted"
  /// The order does not qualify any more.
  public static let noLongerQualifies = "no_longer_qualifies"
  /// The row is gone, or no longer an order.
  public static let gone = "gone"
  /// The row is missing together with many.
  public static let rowMissing = "row_missing"
  /// An operator discards or holds the order.
  public static let byOperator = "operator"
  /// Changed rules made the order sendable, among more than a few, and an operator has to release them.
  public static let rulesChanged = "rules_changed"
  /// The API shows the conversion, and the ledger, restored or rebuilt, knows nothing of that time.
  public static let evidenceAPI = "evidence_api"
  /// Another row was seen with the same order ID, and the shop has yet to tell which of them are there.
  public static let idCheck = "id_check"

  /// Reasons of orders that wait for nothing but a complete walk which began after they were seen.
  public static let awaitingWalk = [mirrorIncomplete, mirrorBehind]

  /// Reasons of orders whose next decision is put off by the clock alone: one that was ahead put it off too long.
  public static let putOffByClock = [mirrorBehind, clockUnconfirmed]

  /// All of them.
  public static let all = [
    hold, noReferralYet, mirrorIncomplete, mirrorBehind, clockUnconfirmed, behindOther, alreadyConverted,
    noLongerQualifies, gone, rowMissing, byOperator, rulesChanged, evidenceAPI, idCheck,
  ]
}

/// The facts on which decisions rest beside the order itself; the same for all decisions of one transaction.
public struct DecisionContext: Hashable, Sendable {
  /// The order that holds the chosen referral now.
  public struct Holder: Hashable, Sendable {
    /// Its number.
    public var entry: EntryID
    /// Its key.
    public var key: OrderKey
    /// Its ID as people know it.
    public var orderID: String
    /// The time at which it was placed.
    public var placedAt: PlacedAt
    /// The outcome in which it stands.
    public var outcome: Outcome
    /// The reason, in a code.
    public var reason: String?
    /// True once its report is frozen: then nothing can outrank it.
    public var isFrozen: Bool

    /// The word by which a command takes it, as a shell reads it: its ID, or its entry's number where the ID would be
    /// taken for something else.
    public var nameInShell: String {
      if orderID.wholeMatch(of: /[A-Za-z0-9_][A-Za-z0-9_.:\/+-]*/) != nil, orderID != "ALL" { return orderID }
      let isQuotable = orderID.wholeMatch(of: /[!-&(-,.-~][ -&(-~]*/) != nil
      return isQuotable && orderID != "ALL" ? "'\(orderID)'" : "'#\(entry)'"
    }

    /// Describes the order that holds a referral.
    public init(
      entry: EntryID, key: OrderKey, orderID: String? = nil, placedAt: PlacedAt, outcome: Outcome,
      reason: String? = nil, isFrozen: Bool
    ) {
      self.entry = entry
      self.key = key
      self.orderID = orderID ?? key.text
      self.placedAt = placedAt
      self.outcome = outcome
      self.reason = reason
      self.isFrozen = isFrozen
    }
  }

  /// Wall-clock time.
  public var now: Timestamp
  /// The time at which the last complete and trusted walk of the open referrals, then of the newest conversions, began.
  public var openWalkBeganAt: Timestamp?
  /// The time at which the last complete and trusted sweep of the referrals began.
  public var mirrorCompleteSince: Timestamp?
  /// True while the first walk over the orders is under way.
  public var isCatchingUp: Bool
  /// A time of which the ledger knows nothing, as it was restored from a copy or built anew: what this program reported
  /// then, only the API shows.
  public var unknownTime: ClosedRange<Timestamp>?
  /// True if the host's clock is confirmed: else nothing ends by it.
  public var isTimeConfirmed: Bool

  /// Facts as the ledger knows them.
  public init(
    now: Timestamp, openWalkBeganAt: Timestamp?, mirrorCompleteSince: Timestamp?, isCatchingUp: Bool,
    unknownTime: ClosedRange<Timestamp>? = nil, isTimeConfirmed: Bool
  ) {
    self.now = now
    self.openWalkBeganAt = openWalkBeganAt
    self.mirrorCompleteSince = mirrorCompleteSince
    self.isCatchingUp = isCatchingUp
    self.unknownTime = unknownTime
    self.isTimeConfirmed = isTimeConfirmed
  }

  /// True if a walk that began after a time has shown every open referral: before that no decision without a send is
  /// final, as a referral may have gained the order's key a second before it was placed.
  public func knowsOpenReferrals(since time: Timestamp) -> Bool { openWalkBeganAt.map { $0 > time } ?? false }
}
