import Conversions
import Ledger
import Synchronization

@testable import Pipeline

extension World {
  /// The order with a number, as the ledger has it.
  func order(_ key: Int) async throws -> LedgerOrder? { try await order(keyText: String(key)) }

  func order(keyText key: String) async throws -> LedgerOrder? {
    try await ledger.base.transaction { transaction in
      try transaction.entries(EntryFilter(outcomes: Outcome.allCases, limit: 100_000))
        .first { $0.row.key == OrderKey(key) }
    }
  }

  func outcome(_ key: Int) async throws -> Outcome? { try await order(key)?.outcome }

  func outcomes(of keys: Int...) async throws -> [Outcome?] {
    var outcomes: [Outcome?] = []
    for key in keys { outcomes.append(try await outcome(key)) }
    return outcomes
  }

  func orders() async throws -> [LedgerOrder] {
    try await ledger.base.transaction { try $0.entries(EntryFilter(outcomes: Outcome.allCases, limit: 100_000)) }
  }

  func outcomes() async throws -> [Outcome: Int] {
    try await orders().reduce(into: [:]) { $0[$1.outcome, default: 0] += 1 }
  }

  /// Counts the orders in each outcome, those that left nothing but a count among them.
  func counts() async throws -> [Outcome: Int] {
    let counts = try await ledger.base.transaction { try $0.outcomeCounts() }
    return Dictionary(uniqueKeysWithValues: counts.map { ($0.outcome, $0.count) })
  }

  func attempts(_ key: Int) async throws -> [Attempt] {
    guard let order = try await order(key) else { return [] }
    return try await ledger.base.transaction { try $0.attempts(of: order.entry) }
  }

  /// Takes rows in as an intake would.
  func take(_ rows: [OrderRow], isBackfill: Bool = false) async throws {
    let now = clock.now
    try await ledger.base.transaction { transaction in
      for row in rows { _ = try transaction.record(row, seenAt: now, isBackfill: isBackfill) }
    }
  }

  /// Takes in what the shop has now.
  func takeShop() async throws {
    let rows = shop.state.withLock { state in state.sequence.compactMap { state.rows[$0] } }
    try await take(rows)
  }

  /// Mirrors what the API has now.
  func mirrorAPI() async throws {
    let (now, referrals) = (clock.now, api.state.withLock { Array($0.table.referrals.values) })
    try await ledger.base.transaction { transaction in
      for referral in referrals { _ = try transaction.record(referral, seenAt: now) }
    }
  }

  /// Records a complete sweep of the referrals that begins a moment from now, for intake to start upon.
  func haveMirror() async throws {
    let soon = clock.now + .milliseconds(1)
    try await ledger.base.transaction { transaction in
      var mirror = try transaction.mirrorProgress()
      (mirror.completeSweepBeganAt, mirror.completeSweepEndedAt, mirror.openWalkBeganAt) = (soon, soon, soon)
      try transaction.setMirrorProgress(mirror)
      try transaction.wakeOrdersBehindMirror()
    }
  }

  /// Ends the first catch-up, as if both walks were over.
  func endCatchUp() async throws {
    let now = clock.now
    try await ledger.base.transaction { transaction in
      var progress = try transaction.intakeProgress()
      progress.caughtUpAt = now
      try transaction.setIntakeProgress(progress)
      var mirror = try transaction.mirrorProgress()
      (mirror.completeSweepBeganAt, mirror.completeSweepEndedAt, mirror.currentSince) = (now, now, now)
      mirror.openWalkBeganAt = now + .milliseconds(1)
      let walk = MirrorWalk(beganAt: now, reads: 4, busy: .zero)
      mirror.walks[.full] = walk
      try transaction.setMirrorProgress(mirror)
      try transaction.wakeOrdersBehindMirror()
    }
  }

  /// Decides until nothing is left to be decided; tells in how many decisions.
  @discardableResult
  func decideAll(limit: Int = 100_000) async throws -> Int {
    var decisions = 0
    while true {
      let decided = try await matching.decideBatch()
      decisions += decided
      if decided == 0 || decisions > limit { return decisions }
    }
  }

  /// An order that waits for nothing but its send.
  func queue(_ keys: Int...) async throws {
    for key in keys {
      shop.put(makeOrder(key))
      api.put(makeReferral("r\(key)", email: "friend\(key)@example.com"))
    }
    try await takeShop()
    try await mirrorAPI()
    try await endCatchUp()
    try await decideAll()
  }

  /// A world of that many orders that wait for nothing but their sends, which meet these faults one after the other.
  static func queued(_ keys: Int = 1, _ faults: ConvertFault?...) async throws -> World {
    let world = try World()
    for key in 1...keys { try await world.queue(key) }
    world.checkSends()
    world.api.state.withLock { $0.convertFaults = faults }
    return world
  }
}
