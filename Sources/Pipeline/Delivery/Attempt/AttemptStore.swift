import Conversions

/// Stores the results of sends.
struct AttemptStore: Sendable {
  let context: PipelineContext

  init(_ context: PipelineContext) { self.context = context }

  /// Stores a result durably. Runs in a task of its own, as the caller's may be cancelled meanwhile.
  ///
  /// - Throws: `LedgerFailure`.
  func store(_ record: Attempt.Record) async throws {
    let ledger = context.ledger
    try await Task(executorPreference: context.executor) {
      do {
        try await ledger.transaction { try record.store($0) }
      } catch {
        // Stores it once more: a commit that failed may have been kept all the same, and then nothing is left to do.
        try await ledger.transaction { try record.store($0) }
      }
    }.value
  }
}

extension Attempt.Record {
  fileprivate func store(_ ledger: any LedgerTransaction) throws {
    try ledger.finishSend(entry, report, attempt: attempt, result: result, at: at)
    // Records the referral: the rivals of an order that lost it to another program must not be sent after it.
    if let shown { _ = try ledger.record(shown, seenAt: at) }
    try halt?.begin(ledger)
  }
}
