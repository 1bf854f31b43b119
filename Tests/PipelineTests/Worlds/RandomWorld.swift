import Conversions
import Ledger
import Logging
import LoopFixtures
import Synchronization
import TestHosts

@testable import Pipeline
@testable import WorldOracle

/// A plan come true: the real loops and a real ledger between a model of the shop and one of the API, whose every
/// payment an oracle judges that shares nothing with them.
final class RandomWorld: Sendable {
  /// A payment that is wrong, or one that was never made.
  struct Violation: Error, CustomStringConvertible {
    let description: String
  }

  let plan: WorldPlan
  let without: Mutation?
  let executor: SimulationExecutor
  let clock: VirtualClock
  let agenda: Agenda
  let shop: ModelShop
  let api: SimulatedAPI
  let disk: SimulatedDisk
  let lines = CapturedLog.Lines()
  let firstRows = FirstRows()
  private let activity = Activity()
  let state: Mutex<State>

  struct State {
    var rules: WorldRules
    var rows: [Int: WorldRow] = [:]
    var removed: [WorldRow] = []
    /// The time of each row's last change.
    var rowsChangedAt: [Int: Duration] = [:]
    /// The end of the time in which a search may be doubted.
    var doubtedUntil = Duration.zero
    var ghosts: [Referral] = []
    /// The time at which each referral was last given other keys.
    var changedAt: [ReferralID: Duration] = [:]
    var acts = WorldActs()
    var history = WorldHistory()
    var tableSeen = -1
    var violation: String?
    /// Wakes the matching of the life.
    var wake: (@Sendable () -> Void)?
    var life: SimulatedLife?
    var ledger: SQLiteLedger?
    var loops: Task<Void, Never>?
    var lives = 0
  }

  init(_ plan: WorldPlan, without mutation: Mutation? = nil) throws {
    (self.plan, without) = (plan, mutation)
    executor = SimulationExecutor(seed: plan.seed)
    clock = VirtualClock(activity)
    agenda = Agenda(clock)
    shop = ModelShop(activity, clock)
    shop.state.withLock { $0.pageSize = 100 }
    api = SimulatedAPI(ModelAPI(activity, clock), agenda, .slidingLog, seed: plan.seed)
    disk = try SimulatedDisk(seed: plan.seed)
    state = Mutex(State(rules: plan.rules))
  }

  /// The daemon's log lines with their times.
  var story: [String] {
    lines.all.map { "\($0.uptime ?? .zero) \($0.level) \($0.event ?? "-"): \($0.message)" }
  }

  // MARK: Time

  private static let before = Duration.seconds(2)
  private static let after = Duration.seconds(15)

  /// Runs it all; throws the first payment that is wrong, or those that are missing at the end.
  func play() throws {
    defer { end() }
    for happening in plan.happenings {
      agenda.add(at: VirtualClock().uptime + happening.at) { [self] in try happen(happening.event) }
    }
    // Does what happens at the beginning.
    while try agenda.doNext() { note() }
    try start()
    var steps = plan.happenings.map { VirtualClock().uptime + $0.at }
    let last = steps.max() ?? clock.uptime
    // Long enough for all walks, for what is asked again later, and for what is not believed for a while.
    steps += [.seconds(60), .seconds(1500), .seconds(9000), .seconds(50_000), .seconds(100_000)].map { last + $0 }
    try pass(steps)
    guard !missing().isEmpty else { return }
    try pass([.seconds(50_000), .seconds(100_000), .seconds(150_000)].map { clock.uptime + $0 })
    let missing = missing()
    if !missing.isEmpty { throw Violation(description: "never made: \(missing.map(describe))") }
  }

  /// Goes through the time around each step as it passes, and takes the time between them in a few strides.
  private func pass(_ steps: [Duration]) throws {
    for step in steps.sorted() {
      while clock.uptime < step - Self.before { try stride(to: step - Self.before) }
      try pass(until: step + Self.after)
    }
  }

  private func stride(to end: Duration) throws {
    try pass(until: clock.uptime)
    // Only from rest: a host that stands still in the middle of something is another test's.
    if let next = [agenda.nextAt, clock.nextDeadline].compactMap(\.self).min(), next < clock.uptime + .seconds(1) {
      return try pass(until: min(end, next))
    }
    let rest = end - clock.uptime
    clock.advance(to: rest < .seconds(1200) ? end : clock.uptime + rest * 3 / 4)
  }

  private func pass(until end: Duration) throws {
    while true {
      do { try executor.runAll() } catch is SimulationExecutor.HotLoop {
        throw Violation(description: "a loop spins at \(clock.uptime)")
      }
      if let violation = state.withLock(\.violation) { throw Violation(description: violation) }
      if try agenda.doNext() {
        note()
        continue
      }
      let next = [agenda.nextAt, clock.nextDeadline].compactMap(\.self).min()
      guard let next, next <= end else { return clock.advance(to: max(end, clock.uptime)) }
      clock.advance(to: next)
    }
  }

  // MARK: Judging

  func note() {
    let (uptime, now) = (clock.uptime, clock.trueTime)
    let table = api.model.state.withLock(\.table)
    state.withLock { state in
      state.history.note(state.rows, removed: state.removed, acts: state.acts, at: uptime)
      guard table.changes != state.tableSeen else { return }
      state.tableSeen = table.changes
      state.history.note(table, ghosts: state.ghosts, at: uptime, now: now)
    }
  }

  /// Returns the facts of this moment for the oracle, the newest first.
  private func facts(of order: String? = nil) -> [WorldFacts] {
    let (uptime, now) = (clock.uptime, clock.trueTime)
    let done = api.model.state.withLock { $0.done.map(Payment.init) }
    return state.withLock { state in
      let row = state.rows.values.first { $0.id == order }
      let since = uptime < state.doubtedUntil ? row.flatMap { state.sendableSince($0, now: now, at: uptime) } : nil
      return state.history.lately(state.rules, paid: done, at: uptime, now: now, apiSince: since)
    }
  }

  /// Asks the oracle about a report that is about to leave. One that may have been done is only sent again as it was.
  func check(_ report: ConversionReport) {
    if api.model.state.withLock({ $0.doubtful[report.transactionID.text] }) == report { return }
    // Passes a report that the API refuses: it is not paid.
    guard mayBeDone(report) else { return }
    let (moments, payment) = (facts(of: report.transactionID.text), Payment(report))
    let objections = moments.map { $0.objection(to: payment) }
    guard let first = objections.first, !objections.contains(nil), let first else { return }
    let isDoubted = state.withLock { clock.uptime < $0.doubtedUntil }
    if isDoubted, moments.contains(where: { $0.allows(payment, among: moments) }) { return }
    let words = "at \(clock.uptime) \(describe(Payment(report))): \(first)"
    state.withLock { $0.violation = $0.violation ?? words }
  }

  private func mayBeDone(_ report: ConversionReport) -> Bool {
    api.model.state.withLock { model in
      let isOpen = model.table.referrals[report.referralID]?.status.isOpen ?? false
      return isOpen && model.transactions[report.transactionID.text] == nil
    }
  }

  private func missing() -> [Payment] { facts().first?.due ?? [] }

  private func describe(_ payment: Payment) -> String {
    "\(payment.order) for \(payment.referral) with \(payment.cents.map(String.init) ?? "no value")"
  }
}

extension RandomWorld.State {
  /// Returns the time since which nothing about an order itself kept it from being sent: where the search is doubted, a
  /// complete walk that began after that stands for the question.
  fileprivate func sendableSince(_ row: WorldRow, now: Timestamp, at uptime: Duration) -> Duration? {
    rowsChangedAt[row.key].map { max($0, uptime - (now - (row.placed + rules.hold))) }
  }
}

extension WorldFacts {
  /// Returns true if a payment is right by what may have been known: where the search is doubted, a walk and the looks
  /// beside it show each referral at a moment of its own.
  fileprivate func allows(_ payment: Payment, among moments: [WorldFacts]) -> Bool {
    guard let paid = referrals.first(where: { $0.id == payment.referral }) else { return false }
    var facts = self
    facts.referrals = [paid]
    for id in Set(moments.flatMap { $0.referrals.map(\.id) }) where id != paid.id {
      let versions = moments.map { $0.referrals.first { $0.id == id } }
      guard let known = versions.first(where: { facts.adding($0).objection(to: payment) == nil }) else { return false }
      facts = facts.adding(known)
    }
    return facts.objection(to: payment) == nil
  }

  private func adding(_ referral: ReferralFact?) -> WorldFacts {
    var facts = self
    if let referral { facts.referrals.append(referral) }
    return facts
  }
}

extension Payment {
  init(_ report: ConversionReport) {
    self.init(order: report.transactionID.text, referral: report.referralID.text, cents: report.value)
  }
}
