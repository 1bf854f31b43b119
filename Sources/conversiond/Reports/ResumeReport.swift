import Conversions
import Ledger
import Pipeline

/// The request of `resume` to the daemon.
struct ResumeRequest: Codable, Sendable {
  /// True if the host's clock is accepted.
  var clock: Bool?
  var reason: String?
  /// The user who asks.
  var by: String?
}

/// An answer to `resume`. The shape is a contract, like `StatusReport`'s.
struct ResumeReport: Codable, Sendable {
  var version = 1
  /// Each thing that goes on, or that had no need to, in words.
  var released: [String]
}

extension StatusSource {
  /// Lets go on what is asked for.
  ///
  /// - Throws: `CommandFailure` 64 where nothing is asked for; `LedgerFailure`.
  func resume(_ request: ResumeRequest) async throws -> ResumeReport {
    guard request.clock == true else { throw CommandFailure(.usage, "say what to let go on: --clock") }
    return ResumeReport(released: [try await acceptClock(request)])
  }

  private func acceptClock(_ request: ResumeRequest) async throws -> String {
    let counts = try await ledger.transaction { try $0.outcomeCounts() }
    let by = [request.by, request.reason].compactMap(\.self).joined(separator: ": ")
    let isReleased = clock.confirmByOperator(by.isEmpty ? nil : by)
    guard isReleased else { return "the host's clock is confirmed already, \(clock.now): nothing waits for it" }
    // A restart in this boot goes on with it.
    let memory = clock.memory
    try await ledger.transaction { try $0.setClockMemory(memory) }
    func count(_ outcome: Outcome) -> Int { counts.filter { $0.outcome == outcome }.map(\.count).reduce(0, +) }
    return "the host's clock, \(clock.now), is accepted: \(count(.queued)) queued, \(count(.held)) held and "
      + "\(count(.waiting)) waiting orders go on by it"
  }
}
