/// Records of the shop whose orders the ledger holds.
public protocol SourceRecords {
  /// Returns what the shop's database said of itself when it was first surveyed; nil before.
  func surveyedSource() throws -> SurveyedSource?
  /// Takes in what the shop's database says of itself.
  ///
  /// - Throws: `OrderSourceFailure` of kind `mapping` where the ledger holds orders of another.
  func noteSurveyedSource(_ source: SurveyedSource) throws
}

/// Records of orders after their report.
public protocol ChangeRecords {
  /// Notes how a reported order's row differs from its report; nil where it doesn't.
  func noteChangedSince(_ entry: EntryID, _ change: ChangeAfterReport?) throws
  /// Counts the reported orders that differ in each way.
  func changesSinceReports() throws -> [ChangeAfterReport: Int]
  /// True if the last orders that were sent all had an ID that the API knew of another referral: three at least, and
  /// none reported since.
  func meetsConflictsOnly() throws -> Bool
}
