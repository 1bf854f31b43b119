import Conversions
import Synchronization
import TestHosts

/// The parts of the API that all lives of a simulated daemon share: the server with its limiter, and the pacer's file.
final class SimulatedAPI: Sendable {
  struct State {
    var pacing = HostPacing()
    var limiter: Limiter
    var generator: SeededGenerator
    var permits: UInt64 = 0
    /// The probability of a fault.
    var faultChance = 0.0
    var outage: Outage?
    /// 429s that the server answered.
    var refused = 0
    /// Reports that are asked for while no time passes, or faster than any limit.
    var performed = 0
  }

  /// A time in which every report has the same fault, and in some of them every read, too.
  enum Outage: CaseIterable { case refused, internalError, keyRefused, hangs }

  let model: ModelAPI
  let agenda: Agenda
  let limits = WriteLimits()
  let state: Mutex<State>

  init(_ model: ModelAPI, _ agenda: Agenda, _ shape: LimiterShape, seed: UInt64) {
    (self.model, self.agenda) = (model, agenda)
    var generator = SeededGenerator(scenario: seed)
    let phase = Double(generator.int(0...59))
    state = Mutex(State(limiter: Limiter(shape, perMinute: 30, phase: phase), generator: generator))
  }

  var clock: VirtualClock { agenda.clock }

  /// Does at the server what a report asks for that has reached it.
  func perform(_ report: ConversionReport, _ fault: ConvertFault?) -> APIAnswer<ConversionReceipt> {
    let now = clock.trueTime
    let wait = state.withLock { state in
      state.performed += 1
      let wait = state.limiter.refusal(at: clock.uptime.inSeconds)
      if wait != nil { state.refused += 1 }
      return wait
    }
    if let wait {
      return .failure(
        APIFailure(code: "RATE_LIMITED", message: "slowly", retryAfter: .seconds(Int(wait))), AnswerHead(status: 429))
    }
    return model.state.withLock { $0.answer(report, fault: fault, now: now) }
  }

  /// The host has booted again: the pacer's file, which was not synced, is what it was, or torn.
  func losePower() {
    let now = clock.uptime
    state.withLock { state in
      if state.generator.chance(0.3) { state.pacing = .full(at: now) }
      state.pacing.rebase(from: now, to: now)
    }
  }
}

/// The API as one life of the daemon reaches it.
struct SimulatedPartners: PartnersService {
  static let timeout = Duration.seconds(30)

  let api: SimulatedAPI
  let life: SimulatedLife
  /// Asked before each report leaves.
  let check: @Sendable (ConversionReport) async -> Void
  /// True if a 409 is told apart by asking: the rule that a proof switches off.
  var verifiesConflicts = true

  private func latency() -> Duration { .milliseconds(api.state.withLock { $0.generator.int(10...1200) }) }

  func list(_ query: ReferralQuery) async -> APIAnswer<ReferralPage> {
    await read { await api.model.list(query) }
  }

  func referral(_ id: ReferralID) async -> APIAnswer<Referral> {
    await read { await api.model.referral(id) }
  }

  private func read<Value>(_ ask: () async -> APIAnswer<Value>) async -> APIAnswer<Value> {
    let outage = api.state.withLock { $0.outage }
    if life.isOver { return .transport(.cancelled) }
    do { try await api.clock.sleep(for: latency() / 4) } catch { return .transport(.cancelled) }
    switch outage {
    case .refused?: return .transport(.refused)
    case .keyRefused?: return .failure(APIFailure(code: "INVALID_API_KEY", message: "no"), AnswerHead(status: 401))
    case .internalError?, .hangs?, nil: break
    }
    let answer = await ask()
    return life.isOver ? .transport(.cancelled) : answer
  }

  func create(_ draft: ReferralDraft) async -> APIAnswer<ReferralReceipt> { .transport(.cancelled) }
  func update(_ id: ReferralID, _ change: ReferralChange) async -> APIAnswer<Void> { .transport(.cancelled) }

  func reserveConversion() async throws -> SendPermit {
    while true {
      try life.check()
      try Task.checkCancellation()
      let now = api.clock.uptime
      let (verdict, permit) = api.state.withLock { state in
        _ = state.pacing.expireOrphans(at: now, leaseMax: .seconds(600)) { $0.owner != life.number }
        let verdict = state.pacing.verdict(.conversion, api.limits, at: now)
        guard verdict == .now else { return (verdict, SendPermit(number: 0)) }
        state.permits += 1
        state.pacing.record(PacedSend(number: state.permits, owner: life.number, sentAt: now), .conversion)
        return (verdict, SendPermit(number: state.permits))
      }
      switch verdict {
      case .now: return permit
      case .at(let time): try await api.clock.sleep(until: time)
      case .afterAnswer: try await api.clock.sleep(for: .seconds(1))
      }
    }
  }

  func cancel(_ permit: SendPermit) async {
    guard !life.isOver else { return }
    api.state.withLock { $0.pacing.cancel(permit.number) }
  }

  func convert(_ report: ConversionReport, permit: SendPermit) async -> APIAnswer<ConversionReceipt> {
    await check(report)
    if life.isOver { return .transport(.cancelled) }
    let fate = api.state.withLock { $0.fate() }
    // Another program converts first, by less than the age of the question that was asked before the send.
    if api.state.withLock({ $0.generator.chance(0.01) }) { api.model.convertElsewhere(report.referralID.text) }
    let id = report.transactionID.text
    let doubt = api.model.state.withLock { model in
      model.checkBytes(report)
      model.sent.append(report)
      defer { if fate?.mayBeDone ?? false { model.doubtful[id] = report } }
      return model.doubtful[id]
    }
    var answer = await life.answer(atEnd: .transport(.cancelled)) { send(report, fate, $0) }
    api.model.state.withLock { model in
      switch answer {
      case .transport(let failure) where failure.mayHaveBeenDone: model.doubtful[id] = report
      // The limiter refused it first: the fault drawn for the report did not happen.
      case .failure(_, let head) where head.status == 429: model.doubtful[id] = doubt
      default: break
      }
    }
    if !verifiesConflicts, case .failure(_, let head) = answer, head.status == 409 {
      answer = .success(
        ConversionReceipt(
          referralID: report.referralID, status: .converted, convertedAt: nil, conversionValue: report.value,
          idempotent: true), AnswerHead(status: 200))
    }
    guard !life.isOver else { return .transport(.cancelled) }
    let now = api.clock.uptime
    api.state.withLock { [answer] in $0.pacing.record(answer.paced, to: permit.number, .conversion, at: now) }
    return answer
  }

  /// Carries the request, performs it, and carries the answer back; the sender gives up in time whatever happens.
  private func send(
    _ report: ConversionReport, _ fate: Fate?, _ tell: @escaping @Sendable (APIAnswer<ConversionReceipt>) -> Void
  ) {
    let (api, there, back) = (api, fate?.there ?? latency() / 2, latency() / 2)
    if case .fault(.refused)? = fate { return tell(.transport(.refused)) }
    api.agenda.add(after: Self.timeout) { tell(.transport(.timedOut)) }
    if case .lost? = fate { return }
    api.agenda.add(after: there) {
      let answer = api.perform(report, fate?.fault)
      api.agenda.add(after: back) { tell(answer) }
    }
  }
}

/// The fate of one report.
enum Fate: Sendable {
  case fault(ConvertFault)
  /// It never arrives, and no answer tells the sender.
  case lost
  /// It arrives when the sender has given up, or almost.
  case late(Duration)

  var fault: ConvertFault? { if case .fault(let fault) = self { fault } else { nil } }
  var there: Duration? { if case .late(let delay) = self { delay } else { nil } }

  /// True if the sender's answer leaves open whether it was done.
  var mayBeDone: Bool {
    switch self {
    case .fault(let fault): fault.isUnknown
    case .lost: true
    case .late: false
    }
  }
}

extension SimulatedAPI.State {
  fileprivate mutating func fate() -> Fate? {
    switch outage {
    case .refused?: return .fault(.refused)
    case .internalError?: return .fault(generator.chance(0.5) ? .internalError : .doneBut500)
    case .keyRefused?: return .fault(.keyRefused)
    case .hangs?: return generator.chance(0.5) ? .lost : .late(generator.seconds(20...200))
    case nil: break
    }
    guard generator.chance(faultChance) else { return nil }
    let fates: [Fate] = [
      .fault(.answerLost), .fault(.answerCut), .fault(.doneBut500), .fault(.internalError), .fault(.badGateway),
      .fault(.refused), .lost, .late(.seconds(15)), .late(.seconds(45)), .late(.seconds(400)),
    ]
    return fates.randomElement(using: &generator)
  }
}

extension APIAnswer {
  /// The answer as the pacer takes it.
  var paced: PacedAnswer {
    guard case .failure(let failure, let head) = self, head.status == 429 else { return .notRefused }
    return .refused(retryAfter: failure.retryAfter)
  }
}
