import Conversions
import Ledger

/// Erases people for commands, one at a time. A large ledger takes longer to be looked through than a command waits
/// for an answer: it asks again, and is told once it is done.
actor ForgetJob {
  /// The time that one question waits, which is less than a command waits for the answer.
  private static let patience = Duration.milliseconds(1200)
  /// The time that a result is kept for a command that asks again; after that the ledger may hold something else.
  private static let keeping = Duration.seconds(5)

  private let ledger: SQLiteLedger
  private let emails: @Sendable () -> EmailDisplay
  private var underWay: ForgetRequest?
  private var ended: (request: ForgetRequest, at: ContinuousClock.Instant, result: Result<ForgetReport, any Error>)?

  init(ledger: SQLiteLedger, emails: @escaping @Sendable () -> EmailDisplay) {
    (self.ledger, self.emails) = (ledger, emails)
  }

  /// - Returns: nil while it is not done.
  /// - Throws: `CommandFailure` for what is no address; `LedgerFailure`.
  func answer(_ request: ForgetRequest, at now: Timestamp) async throws -> ForgetReport? {
    guard let email = EmailAddress(request.email) else {
      throw CommandFailure(.usage, "that is no e-mail address")
    }
    if let known = ended, ContinuousClock.now - known.at > Self.keeping { ended = nil }
    if underWay == nil, ended?.request != request {
      underWay = request
      Task { await self.forget(email, request, at: now) }
    }
    let deadline = ContinuousClock.now + Self.patience
    while ContinuousClock.now < deadline {
      if let done = ended, done.request == request {
        ended = nil
        return try done.result.get()
      }
      try await Task.sleep(for: .milliseconds(10))
    }
    return nil
  }

  private func forget(_ email: EmailAddress, _ request: ForgetRequest, at now: Timestamp) async {
    let result: Result<ForgetReport, any Error>
    do {
      let traces = try await ledger.forget(email, isTrial: !request.apply, at: now)
      result = .success(ForgetReport(traces, email: emails().shown(email)))
    } catch {
      result = .failure(error)
    }
    (underWay, ended) = (nil, (request, .now, result))
  }
}
