public import Conversions
import Logging

/// Logs once that every order's ID is another order's to the API: two shops of one account number their orders alike.
public struct ConflictHint {
  /// The least number of conflicts without a report between them that tell of another program.
  private static let conflictsMin = 3

  private var isTold = false

  /// The remedy, for the log and for `status`.
  public static let words =
    "the API had used the last order IDs for other referrals, one after the other: another shop or program of this "
    + "account numbers its orders alike. Give this shop's a prefix: orders.columns.id: \"'shop2-' || id\", then "
    + "`conversiond accept-mapping`"

  /// Returns true if the last orders that were sent all had an ID that the API knew of another referral.
  public static func applies(to ledger: any ChangeRecords) throws -> Bool {
    try ledger.conflictsSinceReport(limit: conflictsMin) == conflictsMin
  }

  /// Takes in what came of a send.
  ///
  /// - Throws: `LedgerFailure`.
  mutating func note(_ ended: Attempt.Ended, _ context: PipelineContext) async throws {
    switch ended.verdict {
    case .reported: isTold = false
    case .review(.transactionConflict, _):
      guard !isTold, try await context.ledger.transaction({ try Self.applies(to: $0) }) else { return }
      isTold = true
      context.log.event(
        .review, .error, Self.words, ["reason": ReviewReason.transactionConflict.rawValue])
    default: break
    }
  }
}
