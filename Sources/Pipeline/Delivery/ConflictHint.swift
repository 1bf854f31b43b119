import Conversions
import Logging

/// Logs once that every order's ID is another order's to the API: two shops of one account number their orders alike.
public struct ConflictHint {
  private var isTold = false

  /// The remedy, for the log and for `status`.
  public static let words =
    "the API had used the last order IDs for other referrals, one after the other: another shop or program of this "
    + "account numbers its orders alike. Give this shop's a prefix: orders.columns.id: \"'shop2-' || id\", then "
    + "`conversiond accept-mapping`"

  /// Takes in what came of a send.
  ///
  /// - Throws: `LedgerFailure`.
  mutating func note(_ ended: Attempt.Ended, _ context: PipelineContext) async throws {
    switch ended.verdict {
    case .reported: isTold = false
    case .review(.transactionConflict, _):
      guard !isTold, try await context.ledger.transaction({ try $0.meetsConflictsOnly() }) else { return }
      isTold = true
      context.log.event(
        .review, .error, Self.words, ["reason": ReviewReason.transactionConflict.rawValue])
    default: break
    }
  }
}
