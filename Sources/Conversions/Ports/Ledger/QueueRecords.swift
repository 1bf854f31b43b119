/// Records that operators ask for.
public protocol QueueRecords {
  /// Counts the orders in each outcome, with the time of the oldest of each.
  func outcomeCounts() throws -> [OutcomeCount]
  /// Counts the orders in an outcome for a reason.
  func count(of outcome: Outcome, reason: String) throws -> Int
  /// Counts the orders that came to each outcome since a time.
  func outcomes(since time: Timestamp) throws -> [Outcome: Int]
  /// Counts the orders that left nothing but a count, as they were too old to wait for a referral when they were decided.
  func dismissedCounts() throws -> [Outcome: Int]
  /// Counts the orders of which no more than a line is kept, as they were decided longer than `ledger.retain` ago.
  func settledCounts() throws -> [Outcome: Int]
  /// Returns entries that match, in order of their numbers.
  func entries(_ filter: EntryFilter) throws -> [LedgerOrder]
  /// Returns how many orders are matched and wait for their report, with the sum of their values in cents, and when the
  /// first of those that nothing holds is due.
  func waitingReports() throws -> (count: Int, cents: Int64, nextAt: Timestamp?)
  /// Returns one entry.
  func entry(_ id: EntryID) throws -> LedgerOrder?
  /// Returns entries of an order, by its ID as people know it.
  func entries(ofOrder id: String) throws -> [LedgerOrder]
  /// Returns true if the ID of any order begins with a letter of ASCII or a mark.
  func hasOrder(withIDFrom mark: Unicode.Scalar) throws -> Bool
  /// Returns an entry's sends.
  func attempts(of entry: EntryID) throws -> [Attempt]
  /// Returns an entry's candidates as they were last judged.
  func candidates(of entry: EntryID) throws -> [CandidateRecord]
}

/// The number of orders in an outcome.
public struct OutcomeCount: Hashable, Sendable {
  /// The outcome.
  public var outcome: Outcome
  /// The number of orders.
  public var count: Int
  /// The time at which the oldest of them was decided.
  public var oldest: Timestamp?

  /// Makes a count from its values.
  public init(outcome: Outcome, count: Int, oldest: Timestamp?) {
    self.outcome = outcome
    self.count = count
    self.oldest = oldest
  }
}

/// The filter for the entries that `queue list` shows.
public struct EntryFilter: Hashable, Sendable {
  /// The outcomes of the entries.
  public var outcomes: [Outcome]
  /// The reason of the entries, or the way in which they changed after their report.
  public var reason: String?
  /// The time before which they were decided.
  public var decidedBefore: Timestamp?
  /// The number above which theirs are: the last one of the page before.
  public var after: EntryID
  /// The most entries to show.
  public var limit: Int

  /// Makes a filter from its values.
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
  /// The verdict on it.
  public var verdict: Attribution.Verdict

  /// Makes a candidate from its values.
  public init(referralID: ReferralID, matchedBy: MatchingKey, verdict: Attribution.Verdict) {
    self.referralID = referralID
    self.matchedBy = matchedBy
    self.verdict = verdict
  }
}
