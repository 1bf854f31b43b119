/// What must be remembered, whatever happens to the process or the host.
public protocol LedgerStore: Sendable {
  /// How many transactions have changed anything: what one read still holds while this is what it was before it.
  var changes: UInt64 { get }
  /// Runs `body` in one transaction: all it did is durable when this returns, and nothing of it when it throws.
  ///
  /// The transaction must not leave `body`. Never waits for anything but the store itself.
  func transaction<Value: Sendable>(
    _ body: @escaping @Sendable (any LedgerTransaction) throws -> Value
  ) async throws -> Value

  /// The keys of all orders and referrals that are remembered, kept up to date from now on.
  func knownKeys() async throws -> KnownKeys

  /// How much of the disk is in use, in bytes; where it would be more than `limit`, what waits to be folded in is folded
  /// in first.
  func size(foldingAbove limit: Int64) async throws -> Int64
}

/// Everything that can be done to a ledger, grouped by who does it.
public protocol LedgerTransaction: IntakeRecords, ReferralRecords, MatchingRecords, ActRecords, DeliveryRecords,
  QueueRecords, RetentionRecords, ClockRecords, SourceRecords, ChangeRecords, MissingRowRecords
{}

extension LedgerTransaction {
  /// Whether anything may be sent for the first time: every order and referral that there was at the start is known.
  public var mayFreeze: Bool {
    get throws { try intakeProgress().caughtUpAt != nil && mirrorProgress().completeSweepBeganAt != nil }
  }
}

/// What is remembered of orders after their report.
public protocol ChangeRecords {
  /// Notes how a reported order's row differs from its report; nil where it doesn't.
  func noteChangedSince(_ entry: EntryID, _ change: ChangeAfterReport?) throws
  /// How many reported orders differ in each way.
  func changesSinceReports() throws -> [ChangeAfterReport: Int]
  /// Whether the last orders that were sent all had an ID that the API knew of another referral: three at least, and
  /// none reported since.
  func meetsConflictsOnly() throws -> Bool
}

/// What is remembered of the shop whose orders the ledger holds.
public protocol SourceRecords {
  /// What the shop's database said of itself when it was first surveyed; nil before.
  func surveyedSource() throws -> SurveyedSource?
  /// Takes in what the shop's database says of itself.
  ///
  /// - Throws: `OrderSourceFailure` of kind `mapping` where the ledger holds orders of another.
  func noteSurveyedSource(_ source: SurveyedSource) throws
}

/// What intake remembers: how far each range was read, and the rows that brought.
public protocol IntakeRecords {
  /// The table's ranges in the order of their numbers.
  func ranges() throws -> [SweepRange]
  /// Stores a range; in the same transaction as the rows that its reading brought.
  func setRange(_ range: SweepRange) throws
  /// Forgets every range: the table is another one.
  func removeRanges() throws
  /// Adds to the counts of orders that left nothing behind and belong to no range's count yet.
  func tally(_ outcome: Outcome, _ count: Int) throws
  /// Forgets those counts, as each range has counted anew since.
  func clearTallies() throws
  /// What is known of a row's order.
  func standing(of row: OrderRow) throws -> RowStanding
  /// Takes in an order that was never seen, as it was decided.
  func insert(_ row: OrderRow, _ decision: Decision, seenAt: Timestamp, isBackfill: Bool) throws -> EntryID
  /// Takes in a row as it was seen, and has it decided if it is new or changed.
  func record(_ row: OrderRow, seenAt: Timestamp, isBackfill: Bool) throws -> RowChange
  /// Leaves nothing of an order that was never sent but a count of what became of it.
  func dismiss(_ entry: EntryID, as outcome: Outcome) throws
  /// Whether another row is known with this order's transaction ID.
  func isRepeated(_ order: Order) throws -> Bool
  /// IDs that several orders have, of which the shop is to be asked which of their rows are there.
  func repeatedIDs(limit: Int) throws -> [RepeatedID]
  /// Has the shop asked again about IDs that several orders have and that a person must look at.
  func questionRepeatedIDs() throws
  /// Concludes what the shop showed of the rows with an ID, by their keys: of several each is for a person, a single one
  /// is the order. Tells whether a reported order came back as another.
  func resolve(_ id: RepeatedID, shown: [OrderKey: OrderRow], at now: Timestamp) throws -> Bool
  /// How the intake as a whole stands.
  func intakeProgress() throws -> IntakeProgress
  /// Stores how the intake as a whole stands.
  func setIntakeProgress(_ progress: IntakeProgress) throws
}

/// What is known of a row's order before the row is taken in.
public enum RowStanding: Hashable, Sendable {
  /// Never seen.
  case unknown
  /// Seen, with this very content.
  case unchanged
  /// Seen, with another content.
  case changed(EntryID)
}

/// What `record` found.
public enum RowChange: Hashable, Sendable {
  /// Never seen before.
  case new
  /// Seen before with another content.
  case changed
  /// Reported before, and now another order by its time of placing: it is in review.
  case reused
  /// As it was.
  case unchanged
}

/// How the intake as a whole stands.
public struct IntakeProgress: Hashable, Sendable, Codable {
  /// A transaction number of the shop's database, and when it was the oldest unfinished one.
  public struct HorizonNote: Hashable, Sendable, Codable {
    /// Every version with a lower number was visible then.
    public var horizon: UInt64
    /// When it was taken, by the host's clock.
    public var takenAt: Timestamp

    /// A note from its values.
    public init(horizon: UInt64, takenAt: Timestamp) {
      self.horizon = horizon
      self.takenAt = takenAt
    }
  }

  /// What `orders.start` came to when this ledger first met the shop: orders placed before it take no part.
  public var takesOrdersFrom: Timestamp?
  /// Whether `takesOrdersFrom` was settled.
  public var isStartSettled: Bool
  /// When this run of the daemon had read all that may have changed, and every referral was known: until then nothing is
  /// frozen.
  public var caughtUpAt: Timestamp?
  /// When that first happened: orders seen before it are the backfill.
  public var firstCaughtUpAt: Timestamp?
  /// When every range was last read in this run.
  public var lastWalkAt: Timestamp?
  /// `ShopSurvey.identity` of the table that the ranges' marks belong to.
  public var identity: String?
  /// The highest transaction number seen: a server that is behind it was set back.
  public var endSeen: UInt64?
  /// What the last look for recent changes left, in the source's words.
  public var recentPosition: String?
  /// A horizon that waits for a complete sweep of the referrals.
  public var noted: HorizonNote?
  /// The last horizon after which a complete sweep of the referrals began: what was visible by then, and matches none of
  /// them, has no referral.
  public var settled: HorizonNote?
  /// How far the shop's clock is ahead of the host's, smoothed; negative where it is behind.
  public var clockAhead: Duration?
  /// Of a ledger that was built anew: what the one before it had sent may still be under way until then. Nothing is frozen
  /// before a complete sweep of the referrals that began after it.
  public var quietUntil: Timestamp?
  /// When something was last stored: what this file can't know of happened after it, if it is a copy that was put back.
  public var aliveAt: Timestamp?
  /// The beginning of the time of which this ledger may know less than the API does: it was restored or built anew.
  public var unknownFrom: Timestamp?
  /// The end of that time.
  public var unknownTo: Timestamp?

  /// A time of which the ledger knows nothing, as it was restored from a copy or built anew.
  public var unknownTime: ClosedRange<Timestamp>? {
    guard let unknownFrom, let unknownTo, unknownFrom <= unknownTo else { return nil }
    return unknownFrom...unknownTo
  }

  /// Nothing yet.
  public init() { isStartSettled = false }

  /// Takes in that a run begins, of which all that is known is that the last one stored something at a time.
  public mutating func noteGap(since alive: Timestamp, until now: Timestamp) {
    guard alive < now else { return }
    unknownFrom = min(unknownFrom ?? alive, alive)
    unknownTo = max(unknownTo ?? now, now)
  }

  /// A difference that changes by more was not drift: somebody set a clock.
  private static let clockJump = Duration.seconds(30)

  /// Takes in how far the shop's clock was found to be ahead.
  public mutating func noteClock(_ ahead: Duration) {
    guard let known = clockAhead, abs((ahead - known).inSeconds) <= Self.clockJump.inSeconds else {
      return clockAhead = ahead
    }
    clockAhead = known + (ahead - known) / 8
  }
}

/// What the mirror remembers.
public protocol ReferralRecords {
  /// A referral as it was last seen.
  func referral(_ id: ReferralID) throws -> MirroredReferral?
  /// When a referral was last seen.
  func seenAt(of id: ReferralID) throws -> Timestamp?
  /// Stores a referral as an answer showed it, and has every order decided again that it matters to; tells whether it
  /// changed.
  ///
  /// An unchanged one is not written where it was seen at or after `unlessSeenSince`. One that an answer shows open
  /// stays closed where another answer that was given after this one was asked for (`askedAt`) showed it so.
  ///
  /// A referral's own GET (`isByItself`) outranks lists for a quarter of an hour: what they show as it was before changes
  /// nothing then.
  func record(
    _ referral: Referral, seenAt: Timestamp, askedAt: Timestamp, unlessSeenSince: Timestamp, isByItself: Bool
  ) throws -> Bool
  /// How the mirror as a whole stands.
  func mirrorProgress() throws -> MirrorProgress
  /// Stores how the mirror as a whole stands.
  func setMirrorProgress(_ progress: MirrorProgress) throws
  /// Open referrals that were last seen before a time, those first that were longest not asked for one by one.
  func openReferrals(unseenSince time: Timestamp, limit: Int) throws -> [ReferralID]
  /// Notes the open referrals that a complete sweep which began at a time has not shown; counts those of them that were
  /// shown after `mournedUntil`, and all open ones.
  func noteAbsences(from sweep: Timestamp, mournedUntil: Timestamp) throws -> AbsenceCount
  /// Notes that a referral was asked for by its ID.
  func noteAsked(_ id: ReferralID, at now: Timestamp) throws
  /// Since when a referral has not been shown by the sweeps; nil where the last one showed it.
  func absentSince(_ id: ReferralID) throws -> Timestamp?
  /// Marks a referral that the API doesn't know any more: it stays known and takes no part any more. Any answer that
  /// shows it takes the mark back. A converted one goes on deciding: absence reopens nothing.
  func markGone(_ id: ReferralID, at now: Timestamp) throws
  /// Referrals that the API surely knows if it is the account this ledger belongs to: those of the last reports, and at
  /// least one of those that orders are queued for, as reported ones may have been deleted; then open ones that were last
  /// seen before a time, as another account's lists may have been read since.
  func knownReferrals(limit: Int, seenBefore time: Timestamp) throws -> [ReferralID]
  /// When the oldest referral was made that a conversion can still be reported for.
  func oldestOpenReferral() throws -> Timestamp?
  /// How many there are of each status.
  func referralCounts() throws -> [ReferralStatus: Int]
}

extension ReferralRecords {
  /// Stores a referral as its own GET has just shown it.
  public func record(_ referral: Referral, seenAt: Timestamp) throws -> Bool {
    try record(
      referral, seenAt: seenAt, askedAt: seenAt, unlessSeenSince: Timestamp(microseconds: .max), isByItself: true)
  }

  /// Stores a referral as a list showed it.
  public func record(
    _ referral: Referral, seenAt: Timestamp, askedAt: Timestamp, unlessSeenSince: Timestamp
  ) throws -> Bool {
    try record(
      referral, seenAt: seenAt, askedAt: askedAt, unlessSeenSince: unlessSeenSince, isByItself: false)
  }
}

/// What matching reads and writes.
public protocol MatchingRecords {
  /// Orders to be decided now: new ones, changed ones, those whose time has come, those a referral woke.
  func undecided(at now: Timestamp, limit: Int) throws -> [LedgerOrder]
  /// When the next order is due to be decided.
  func nextDecisionAt() throws -> Timestamp?
  /// Every mirrored referral that shares a key with an order.
  func referrals(sharing email: EmailAddress?, _ externalSourceID: ExternalSourceID?) throws -> [MirroredReferral]
  /// A referral that is known to hold a key of a kind, of those last seen.
  func referral(holding key: MatchingKey) throws -> MirroredReferral?
  /// The order that holds a referral, other than `entry`.
  func holder(of referral: ReferralID, except entry: EntryID?) throws -> DecisionContext.Holder?
  /// Stores a decision; a claim is taken from any unfrozen holder, which is decided again.
  func decide(_ entry: EntryID, _ decision: Decision, at now: Timestamp) throws
  /// Has the orders behind a referral decided again.
  func wakeRivals(of referral: ReferralID) throws
  /// The rules by which orders were decided, and the change of them that is being carried out.
  func rulesInForce() throws -> RulesInForce
  /// Stores the rules by which orders are decided.
  func setRulesInForce(_ rules: RulesInForce) throws
  /// Orders that were never sent and are not reported, in the order of their numbers.
  func neverSent(after entry: EntryID, limit: Int) throws -> [LedgerOrder]
  /// How many orders changed rules have made sendable that are held for it.
  func openedByRules() throws -> Int
}

/// What operators say of orders.
public protocol ActRecords {
  /// Whether any operator's word stands.
  func hasActs() throws -> Bool
  /// The operator's word on an order, by its transaction ID.
  func act(on transactionID: String) throws -> OperatorAct?
  /// Stores an operator's word, or takes it back with nil, and has the order decided anew.
  func setAct(_ act: OperatorAct?, on transactionID: String) throws
  /// Releases orders that changed rules have made sendable, all of them or those named, and has them decided anew; tells
  /// how many there were.
  func releaseOpenedByRules(_ entries: [EntryID]?) throws -> Int
}

/// What delivery reads and writes.
public protocol DeliveryRecords {
  /// The next orders to send: live ones first, then the earliest due. Only frozen ones while nothing may be frozen yet;
  /// of the others only those first seen up to a time. From the queue's head, or behind a place in it.
  func nextToSend(
    at now: Timestamp, seenUpTo: Timestamp, after place: QueuePlace?, limit: Int
  ) throws -> [LedgerOrder]
  /// When the next queued order is due.
  func nextSendAt() throws -> Timestamp?
  /// Freezes a report and marks its send as begun, before a byte leaves: returns the attempt's number.
  func beginSend(_ entry: EntryID, _ report: ConversionReport, at now: Timestamp) throws -> Int
  /// Stores what came of a send of a report.
  func finishSend(
    _ entry: EntryID, _ report: ConversionReport, attempt: Attempt, result: SendResult, at now: Timestamp
  ) throws
  /// Puts off an order that was not sent.
  func postpone(_ entry: EntryID, until time: Timestamp, reason: String, detail: String) throws
  /// Takes a frozen report back, unless a send of it may have been done.
  func unfreeze(_ entry: EntryID) throws
  /// Takes a frozen report back of which it is sure that no send of it was done, whatever its sends came to.
  func unfreezeUndone(_ entry: EntryID) throws
  /// Marks sends that a crash interrupted as unknown outcomes, to be sent again; tells how many there were.
  func recoverInterruptedSends(at now: Timestamp) throws -> Int
  /// Brings forward to a time the sends that are due later: a clock put them off that was ahead.
  func clampSends(to latest: Timestamp) throws
  /// Brings forward to a time the sighting and the decision of queued orders that lie after it: a clock that was ahead
  /// stamped them, and each order would wait for a walk of the referrals that begins after its stamp.
  func clampSightings(at now: Timestamp) throws
  /// Has orders decided at once whose next decision the clock put off: those that are held, that 404 took back to matching,
  /// that wait for the mirror or for the clock.
  func clampRematches(at now: Timestamp) throws
  /// The lane's halt, which outlasts a restart.
  func laneHalt() throws -> LaneHalt?
  /// Stores or clears the lane's halt.
  func setLaneHalt(_ halt: LaneHalt?) throws
}

/// Where a send leaves its order.
public struct SendResult: Hashable, Sendable {
  /// What the order goes to.
  public enum Next: Hashable, Sendable {
    /// Reported.
    case reported
    /// Superseded.
    case superseded
    /// With a person.
    case review(ReviewReason)
    /// Queued until a time.
    case again(Timestamp)
    /// Unfrozen and matched again.
    case rematch
  }

  /// What the order goes to.
  public var next: Next
  /// Whether the send may have been done without our knowing.
  public var isUnknown: Bool
  /// Whether it counts as an attempt.
  public var counts: Bool

  /// A result from its values.
  public init(next: Next, isUnknown: Bool, counts: Bool) {
    self.next = next
    self.isUnknown = isUnknown
    self.counts = counts
  }
}

/// Why nothing is sent, and since when.
public struct LaneHalt: Hashable, Sendable, Codable {
  /// Why.
  public var reason: HaltReason
  /// Why, in a sentence.
  public var detail: String
  /// Since when.
  public var since: Timestamp

  /// A halt from its values.
  public init(reason: HaltReason, detail: String, since: Timestamp) {
    self.reason = reason
    self.detail = detail
    self.since = since
  }
}

/// What operators ask.
public protocol QueueRecords {
  /// How many orders stand in each outcome, and the oldest of each.
  func outcomeCounts() throws -> [OutcomeCount]
  /// How many orders came to each outcome since a time.
  func outcomes(since time: Timestamp) throws -> [Outcome: Int]
  /// Entries that match, in order of their numbers.
  func entries(_ filter: EntryFilter) throws -> [LedgerOrder]
  /// One entry.
  func entry(_ id: EntryID) throws -> LedgerOrder?
  /// Entries of an order, by its ID as people know it.
  func entries(ofOrder id: String) throws -> [LedgerOrder]
  /// An entry's sends.
  func attempts(of entry: EntryID) throws -> [Attempt]
  /// An entry's candidates as they were last judged.
  func candidates(of entry: EntryID) throws -> [CandidateRecord]
}

/// How many orders stand in an outcome.
public struct OutcomeCount: Hashable, Sendable {
  /// The outcome.
  public var outcome: Outcome
  /// How many.
  public var count: Int
  /// When the oldest of them was decided.
  public var oldest: Timestamp?

  /// A count from its values.
  public init(outcome: Outcome, count: Int, oldest: Timestamp?) {
    self.outcome = outcome
    self.count = count
    self.oldest = oldest
  }
}

/// Which entries `queue list` shows.
public struct EntryFilter: Hashable, Sendable {
  /// In these outcomes.
  public var outcomes: [Outcome]
  /// For this reason.
  public var reason: String?
  /// Decided before this time.
  public var decidedBefore: Timestamp?
  /// With numbers above this one: where the page before ended.
  public var after: EntryID
  /// At most so many.
  public var limit: Int

  /// A filter from its values.
  public init(
    outcomes: [Outcome], reason: String? = nil, decidedBefore: Timestamp? = nil, after: EntryID = EntryID(0),
    limit: Int = 1000
  ) {
    self.outcomes = outcomes
    self.reason = reason
    self.decidedBefore = decidedBefore
    self.after = after
    self.limit = limit
  }
}

/// A candidate as the ledger remembers it.
public struct CandidateRecord: Hashable, Sendable {
  /// The referral.
  public var referralID: ReferralID
  /// The key by which it matched.
  public var matchedBy: MatchingKey
  /// What became of it.
  public var verdict: Attribution.Verdict

  /// A candidate from its values.
  public init(referralID: ReferralID, matchedBy: MatchingKey, verdict: Attribution.Verdict) {
    self.referralID = referralID
    self.matchedBy = matchedBy
    self.verdict = verdict
  }
}

extension DeliveryRecords {
  /// The next orders to send, from the queue's head.
  public func nextToSend(at now: Timestamp, seenUpTo: Timestamp, limit: Int) throws -> [LedgerOrder] {
    try nextToSend(at: now, seenUpTo: seenUpTo, after: nil, limit: limit)
  }
}
