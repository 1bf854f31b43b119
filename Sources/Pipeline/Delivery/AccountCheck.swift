import Conversions

/// Checks that the API is that of the account whose referrals the ledger holds: another account's would answer 404 for
/// every one of them.
struct AccountCheck: Sendable {
  /// The result of the check.
  enum Verdict: Sendable {
    /// It knows a referral that it showed before, or none was ever shown.
    case ours
    /// It answers 404 for each of a few; one alone may have been deleted.
    case another
    /// No answer from which it could be told.
    case undecided(ReadFailure)
  }

  let context: PipelineContext
  /// The time before the lists were read of what may be another account.
  let seenBefore: Timestamp
  /// The number of checks without an answer from which it could be told: another referral is asked for first each time,
  /// as the API may always fail on one.
  let turn: Int

  /// Asks the API for a few referrals that it must know.
  ///
  /// - Throws: `LedgerFailure`, or `CancellationError`.
  func verdict() async throws -> Verdict {
    let known = try await context.ledger.transaction { [seenBefore] in
      try $0.knownReferrals(limit: 3, seenBefore: seenBefore)
    }
    var unreadable: ReadFailure?
    for id in known.indices.map({ known[($0 + turn) % known.count] }) {
      let answer = await context.partners.referral(id)
      switch answer {
      case .success(_, let head), .failure(_, let head): context.clock.heard(head)
      case .transport: break
      }
      switch answer {
      case .success: return .ours
      case .failure where answer.saysNotFound: continue
      // Asks for another one: it is this referral that can't be read.
      case .failure(let failure, let head) where head.status == 200: unreadable = ReadFailure(status: 200, failure)
      case .failure(let failure, let head): return .undecided(ReadFailure(status: head.status, failure))
      case .transport(let failure):
        try Task.checkCancellation()
        return .undecided(ReadFailure(failure))
      }
    }
    if let unreadable { return .undecided(unreadable) }
    return known.isEmpty ? .ours : .another
  }
}
