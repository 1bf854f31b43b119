import Conversions
import Ledger
import Pipeline
import ServiceLifecycle

/// Says several times a second that every referral was seen: those that a test has put into the ledger.
struct TrivialMirror: Service {
  let surroundings: Surroundings

  init(_ surroundings: Surroundings) { self.surroundings = surroundings }

  func run() async throws {
    let clock = surroundings.clock
    while !Task.isCancelled {
      let now = clock.now
      try await surroundings.ledger.transaction { transaction in
        var progress = try transaction.mirrorProgress()
        (progress.completeSweepBeganAt, progress.completeSweepEndedAt, progress.currentSince) = (now, now, now)
        try transaction.setMirrorProgress(progress)
      }
      surroundings.matchingBell.ring()
      try await surroundings.surveyBell.wait(until: clock.uptime + .milliseconds(200), clock: clock)
    }
  }
}

extension World {
  /// Puts an open referral into the ledger, as a mirror would.
  func mirror(_ id: String, email: String, madeAgo age: Duration = .seconds(86_400)) async throws {
    let now = SystemClock().now
    let referral = Referral(
      id: ReferralID(id), status: .pending, friendEmail: email, createdAt: now - age, referrerIdentifier: "cust_1")
    _ = try await ledger.transaction { try $0.record(referral, seenAt: now) }
  }
}
