/// Records of the shop whose orders the ledger holds.
public protocol SourceRecords {
  /// Returns what the shop's database said of itself when it was first surveyed; nil before.
  func surveyedSource() throws -> SurveyedSource?
  /// Takes in what the shop's database says of itself (`SurveyedSource.learn`): all of it while the ledger is empty.
  ///
  /// - Throws: `OrderSourceFailure` of kind `mapping` where the ledger holds orders of another.
  func noteSurveyedSource(_ source: SurveyedSource) throws
}

/// Records of orders after their report.
public protocol ChangeRecords {
  /// Notes how a reported order's row differs from its report; nil where it doesn't.
  func noteChangedSince(_ entry: EntryID, _ change: ChangeAfterReport?) throws
  /// Returns orders that were reported after one of them, in the order of their reports, that have a row to look for.
  func reported(after place: ReportedPlace, limit: Int) throws -> [ReportedPlace]
  /// Counts the reported orders that differ in each way.
  func changesSinceReports() throws -> [ChangeAfterReport: Int]
  /// Counts the orders in review as the API knew their ID of another referral, up to a limit: those that came to it after
  /// the last one was reported.
  func conflictsSinceReport(limit: Int) throws -> Int
}

/// A reported order's place among all that were reported.
public struct ReportedPlace: Hashable, Sendable {
  /// The time at which it was reported.
  public var reportedAt: Timestamp
  /// Its number in the ledger.
  public var entry: EntryID
  /// Its row's key.
  public var key: OrderKey

  /// Makes a place from its values.
  public init(reportedAt: Timestamp, entry: EntryID, key: OrderKey) {
    self.reportedAt = reportedAt
    self.entry = entry
    self.key = key
  }

  /// The place before all that were reported from a time on.
  public init(before time: Timestamp) { self.init(reportedAt: time, entry: EntryID(0), key: OrderKey("")) }
}
