import Conversions
import Logging
public import ServiceLifecycle

/// The loop that keeps the ledger's copy of the API's referrals.
///
/// Sweeps go in the order of life (clicked, pending, converted, expired), so that a referral that moves on while they
/// are under way is met again further on, and never slips between two lists.
public struct ReferralMirror: Service {
  /// The shortest rest between two sweeps: a new referral's friend rarely buys within it, and orders wait for days.
  static let restMin = Duration.seconds(15)
  /// Open referrals that a sweep didn't show are asked for one by one, so many after each sweep.
  static let absentMax = 20

  private let surroundings: Surroundings

  /// A mirror of what the surroundings' API shows.
  public init(_ surroundings: Surroundings) {
    self.surroundings = surroundings
  }

  /// Sweeps until the task is cancelled or a graceful shutdown begins; a failure is waited out.
  public func run() async throws {
    await cancelWhenGracefulShutdown { await loop() }
  }

  private func loop() async {
    var outage = Outage(of: "reading referrals", failed: .mirrorFailed, recovered: .mirrorRecovered)
    while !Task.isCancelled {
      let began = surroundings.clock.uptime
      do {
        try await sweep()
        outage.succeed(at: surroundings.clock.uptime, log: surroundings.log)
        await surroundings.vitals.well(.referrals, at: surroundings.clock.now)
        // A long list is swept less often: a fifth of the read budget at most.
        let rest = max(Self.restMin, (surroundings.clock.uptime - began) * 4)
        try await surroundings.mirrorBell.wait(until: surroundings.clock.uptime + rest, clock: surroundings.clock)
      } catch is CancellationError where Task.isCancelled {
        return
      } catch {
        await report(error, &outage)
        let wait = await surroundings.chance.wait(.reconnect, afterFailures: outage.failures)
        try? await surroundings.clock.sleep(for: wait)
      }
    }
  }

  private func report(_ error: any Error, _ outage: inout Outage) async {
    let failure = error as? ReadFailure
    let needsPerson = failure?.status == 401 || failure?.status == 403 || failure?.isDistrust == true
    await surroundings.vitals.ill(failure == nil ? .ledger : .referrals, "\(error)", at: surroundings.clock.now)
    outage.fail(
      "\(error)", level: needsPerson ? .error : .warning, at: surroundings.clock.uptime, log: surroundings.log,
      fields: ["http_status": failure?.status.map(String.init)])
  }

  /// One sweep over all four lists.
  func sweep() async throws {
    let began = surroundings.clock.now
    var fault: String?
    for status in [ReferralStatus.clicked, .pending, .converted, .expired] {
      // A list that can't be trusted is no reason to leave the others unread: what they show is matched all the same.
      if let found = try await walk(status) { fault = fault ?? found }
    }
    if let fault { throw try await distrust(fault) }
    let ended = surroundings.clock.now
    try await surroundings.ledger.transaction { transaction in
      var progress = try transaction.mirrorProgress()
      (progress.completeSweepBeganAt, progress.completeSweepEndedAt) = (began, ended)
      progress.distrust = nil
      try transaction.setMirrorProgress(progress)
    }
    await surroundings.matchingBell.ring()
    try await askForAbsent(unseenSince: began)
  }

  /// Walks one list to its end, or to what is wrong with it.
  private func walk(_ status: ReferralStatus) async throws -> String? {
    var walk = ReferralWalk(status: status)
    var query = walk.first
    while true {
      try Task.checkCancellation()
      let page = try await read { await surroundings.partners.list(query) }
      try await store(page.referrals)
      switch walk.advance(page) {
      case .ask(let next): query = next
      case .done: return nil
      case .distrust(let fault): return fault
      }
    }
  }

  /// What was shown is taken as it is; what wasn't is not taken as absent.
  private func distrust(_ fault: String) async throws -> ReadFailure {
    let isNew = try await surroundings.ledger.transaction { transaction in
      var progress = try transaction.mirrorProgress()
      let isNew = progress.distrust != fault
      progress.distrust = fault
      try transaction.setMirrorProgress(progress)
      return isNew
    }
    if isNew { surroundings.log.event(.mirrorDistrusted, .error, "the API's list can't be trusted: \(fault)") }
    return ReadFailure(status: nil, message: fault, isDistrust: true)
  }

  private func store(_ referrals: [Referral]) async throws {
    let now = surroundings.clock.now
    let changed = try await surroundings.ledger.transaction { transaction in
      var progress = try transaction.mirrorProgress()
      progress.lastAnswerAt = now
      try transaction.setMirrorProgress(progress)
      return try referrals.reduce(false) { changed, referral in
        try transaction.record(referral, seenAt: now) || changed
      }
    }
    if changed { await surroundings.matchingBell.ring() }
  }

  private func askForAbsent(unseenSince time: Timestamp) async throws {
    let absent = try await surroundings.ledger.transaction {
      try $0.openReferrals(unseenSince: time, limit: Self.absentMax)
    }
    for id in absent {
      try Task.checkCancellation()
      guard case .success(let referral, _) = await surroundings.partners.referral(id) else { continue }
      try await store([referral])
    }
  }

  private func read<Value>(_ request: () async -> APIAnswer<Value>) async throws -> Value {
    switch await request() {
    case .success(let value, _): return value
    case .failure(let failure, let head):
      throw ReadFailure(status: head.status, message: failure.message, isDistrust: false)
    case .transport(let failure) where failure.kind == .cancelled: throw CancellationError()
    case .transport(let failure): throw ReadFailure(status: nil, message: failure.message, isDistrust: false)
    }
  }
}

/// Why referrals couldn't be read.
struct ReadFailure: Error, CustomStringConvertible {
  let status: Int?
  let message: String
  let isDistrust: Bool

  var description: String { status.map { "HTTP \($0): \(message)" } ?? message }
}
