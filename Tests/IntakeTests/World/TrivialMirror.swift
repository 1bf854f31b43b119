import Conversions
import Ledger
import Pipeline
import ServiceLifecycle

/// Says several times a second that every referral was seen: those that a test has put into the ledger.
struct TrivialMirror: Service {
  let context: PipelineContext

  init(_ context: PipelineContext) { self.context = context }

  func run() async throws {
    let clock = context.clock
    while !Task.isCancelled {
      let now = clock.now
      try await context.ledger.transaction { transaction in
        var progress = try transaction.mirrorProgress()
        (progress.completeSweepBeganAt, progress.completeSweepEndedAt, progress.currentSince) = (now, now, now)
        try transaction.setMirrorProgress(progress)
        try transaction.wakeOrdersBehindMirror()
      }
      context.matchingWake.notify()
      try await context.surveyWake.wait(until: clock.uptime + .milliseconds(200), clock: clock)
    }
  }
}

extension IntakeWorld {
  /// Puts an open referral into the ledger, as a mirror would.
  func mirror(_ id: String, email: String, madeAgo age: Duration = .seconds(86_400)) async throws {
    let now = SystemClock().now
    let referral = Referral(
      id: ReferralID(id), status: .pending, friendEmail: email, createdAt: now - age, referrerIdentifier: "cust_1")
    _ = try await ledger.transaction { try $0.record(referral, seenAt: now) }
  }
}
