import Conversions
import LoopFixtures
import Synchronization
import TestHosts
import Testing

@testable import Pipeline

extension Loops {
  /// An hour of reports at the API's limits in virtual time: all loops, a mirror of 20,000 referrals, the reads of the
  /// reference and a server that refuses what comes too fast.
  @Suite(.timeLimit(.minutes(15))) struct PacedHourTests {
    private static let referrals = 20_000
    private static let orders = 1_800

    @Test(arguments: [LimiterShape.slidingLog, .fixedWindow])
    func atLeast28AMinuteAndNoneIsRefused(_ shape: LimiterShape) async throws {
      let world = try World()
      let partners = PacedPartners(world.api, world.clock, shape)
      for number in 1...Self.referrals {
        let created = start - day * 5 - .seconds(number)
        partners.put(makeReferral("r\(number)", email: "friend\(number)@example.com", created: created))
      }
      world.shop.state.withLock { $0.pageSize = 500 }
      for number in 1...Self.orders {
        world.shop.put(makeOrder(number, email: "friend\(number * 7)@example.com"))
      }
      var context = world.context
      context.partners = partners
      let intake = Intake(
        context, rules: world.rules,
        settings: Intake.Settings(start: .everything, pollInterval: .seconds(30), sweepInterval: .seconds(30)))
      let delivery = Delivery(
        context, rules: world.rules, settings: Delivery.Settings(giveUpAfter: day * 30))
      let matching = Matching(context, rules: world.rules)
      try await world.running([intake, ReferralMirror(context), matching, delivery]) {
        // The first minute fills the window.
        try await world.reaches(within: .seconds(3600)) { partners.done >= 30 }
        let (before, began) = (partners.done, world.clock.uptime)
        try await world.pass(.seconds(3600))
        let (sent, refused) = (partners.done - before, partners.refused)
        let busiest = partners.readsInTheBusiestMinute
        let reads = partners.reads(since: began)
        print(
          "paced hour, \(shape.rawValue): \(sent) reports in \((world.clock.uptime - began).components.seconds) s of virtual time, "
            + "\(refused) refused, \(reads) reads, \(busiest) in the busiest minute, \(Self.referrals) referrals")
        #expect(sent >= 28 * 60)
        #expect(refused == 0)
        #expect(busiest <= 120)
        #expect(reads > Self.referrals / 100, "the mirror went on beside the sends")
      }
      #expect(world.api.state.withLock { $0.violations } == [])
    }
  }
}

/// The API behind the pacing rules of a daemon at the limits of the reference, with a server that keeps its limit.
private final class PacedPartners: PartnersService {
  private struct State {
    var writes = HostPacing()
    var reads = ReadPacing(.perMinute(120))
    var limiter: Limiter
    var permits: UInt64 = 0
    var refused = 0
    var readAt: [Duration] = []
    /// Referrals by their friends' addresses: a search compares one referral in place of 20,000.
    var byEmail: [String: ReferralID] = [:]
  }

  private static let readLatency = Duration.milliseconds(200)
  private static let writeLatency = Duration.milliseconds(500)

  private let api: ModelAPI
  private let clock: VirtualClock
  private let limits = WriteLimits()
  private let state: Mutex<State>

  init(_ api: ModelAPI, _ clock: VirtualClock, _ shape: LimiterShape) {
    (self.api, self.clock) = (api, clock)
    state = Mutex(State(limiter: Limiter(shape, perMinute: 30, phase: 0)))
  }

  var done: Int { api.state.withLock { $0.done.count } }
  var refused: Int { state.withLock { $0.refused } }

  func reads(since time: Duration) -> Int { state.withLock { $0.readAt.count { $0 >= time } } }

  var readsInTheBusiestMinute: Int {
    state.withLock { state in
      var (first, most) = (0, 0)
      for (index, time) in state.readAt.enumerated() {
        while state.readAt[first] <= time - .seconds(60) { first += 1 }
        most = max(most, index - first + 1)
      }
      return most
    }
  }

  func put(_ referral: Referral) {
    api.put(referral)
    guard let email = referral.friendEmail else { return }
    state.withLock { $0.byEmail[email] = referral.id }
  }

  func list(_ query: ReferralQuery) async -> APIAnswer<ReferralPage> {
    await read {
      guard let search = query.search else { return await api.list(query) }
      let id = state.withLock { $0.byEmail[search] }
      var table = ReferralTable()
      if let found = id.flatMap({ id in api.state.withLock { $0.table.referrals[id] } }) { table.put(found) }
      return .success(table.page(query), AnswerHead(status: 200, date: clock.trueTime))
    }
  }

  func referral(_ id: ReferralID) async -> APIAnswer<Referral> { await read { await api.referral(id) } }

  private func read<Value>(_ ask: () async -> APIAnswer<Value>) async -> APIAnswer<Value> {
    let turn = state.withLock { $0.reads.take(at: clock.uptime) }
    do {
      try await clock.sleep(until: turn)
      state.withLock { $0.readAt.append(clock.uptime) }
      try await clock.sleep(for: Self.readLatency)
    } catch { return .transport(.cancelled) }
    return await ask()
  }

  func create(_ draft: ReferralDraft) async -> APIAnswer<ReferralReceipt> { .transport(.cancelled) }
  func update(_ id: ReferralID, _ change: ReferralChange) async -> APIAnswer<Void> { .transport(.cancelled) }

  func reserveConversion() async throws -> SendPermit {
    while true {
      try Task.checkCancellation()
      let now = clock.uptime
      let (verdict, number) = state.withLock { state in
        let verdict = state.writes.verdict(.conversion, limits, at: now)
        guard verdict == .now else { return (verdict, UInt64(0)) }
        state.permits += 1
        state.writes.record(PacedSend(number: state.permits, owner: 1, sentAt: now), .conversion)
        return (verdict, state.permits)
      }
      switch verdict {
      case .now: return SendPermit(number: number)
      case .at(let time): try await clock.sleep(until: time)
      case .afterAnswer: try await clock.sleep(for: .milliseconds(50))
      }
    }
  }

  func cancel(_ permit: SendPermit) async { state.withLock { $0.writes.cancel(permit.number) } }

  func convert(_ report: ConversionReport, permit: SendPermit) async -> APIAnswer<ConversionReceipt> {
    do { try await clock.sleep(for: Self.writeLatency / 2) } catch { return .transport(.cancelled) }
    let answer = perform(report)
    do { try await clock.sleep(for: Self.writeLatency / 2) } catch { return .transport(.cancelled) }
    state.withLock { $0.writes.record(answer.paced, to: permit.number, .conversion, at: clock.uptime) }
    return answer
  }

  /// The server counts a report when it comes, and takes it or refuses it.
  private func perform(_ report: ConversionReport) -> APIAnswer<ConversionReceipt> {
    let isRefused = state.withLock { state in
      let isRefused = state.limiter.refusal(at: clock.uptime.inSeconds) != nil
      if isRefused { state.refused += 1 }
      return isRefused
    }
    if isRefused {
      return .failure(APIFailure(code: "RATE_LIMITED", message: "slowly"), AnswerHead(status: 429))
    }
    return api.state.withLock { $0.answer(report, fault: nil, now: clock.trueTime) }
  }
}
