import Conversions
import Foundation
import Testing

@Suite("Pacing: the state of a limit")
struct PacingStateTests {
  private let thirty = PacingRules(.perMinute(30))

  private func sent(_ numbers: ClosedRange<UInt64>, every spacing: Duration, from start: Duration) -> PacingState {
    var state = PacingState()
    for number in numbers {
      let time = start + spacing * Int(number - numbers.lowerBound)
      state.record(PacedSend(number: number, owner: 1, sentAt: time))
      state.record(.notRefused, to: number, at: time)
    }
    return state
  }

  @Test("a first send leaves at once, the next after 62.4 s / n")
  func spacing() {
    for (limit, milliseconds) in [(30, 2080), (60, 1040), (1, 62_400), (600, 104)] {
      let rules = PacingRules(.perMinute(limit))
      var state = PacingState()
      #expect(state.verdict(rules, at: .seconds(5)) == .now)
      state.record(PacedSend(number: 1, owner: 1, sentAt: .seconds(5)))
      state.record(.notRefused, to: 1, at: .milliseconds(5001))
      #expect(state.verdict(rules, at: .milliseconds(5001)) == .at(.milliseconds(5000 + milliseconds)))
      #expect(state.verdict(rules, at: .milliseconds(5000 + milliseconds)) == .now)
    }
  }

  @Test("at most two in flight at the API's own limit; more where a higher one needs them")
  func inFlight() {
    var state = PacingState()
    for number in 1...2 as ClosedRange<UInt64> {
      state.record(PacedSend(number: number, owner: 1, sentAt: .seconds(Int(number) * 10)))
    }
    #expect(state.verdict(thirty, at: .seconds(50)) == .afterAnswer)
    state.record(.notRefused, to: 1, at: .seconds(50))
    #expect(state.verdict(thirty, at: .seconds(50)) == .now)
    // Latencies of 40 s and a limit of 600 a minute: sixteen and no more.
    for number in 3...17 as ClosedRange<UInt64> {
      #expect(state.verdict(PacingRules(.perMinute(600)), at: .seconds(60 + Int(number))) == .now)
      state.record(PacedSend(number: number, owner: 1, sentAt: .seconds(60 + Int(number))))
    }
    #expect(state.verdict(PacingRules(.perMinute(600)), at: .seconds(100)) == .afterAnswer)
    #expect(state.verdict(PacingRules(.unlimited), at: .seconds(100)) == .afterAnswer)
  }

  @Test("a wait that the API asked for is told, whatever is in flight besides")
  func blockBehindAnswers() {
    var pacing = HostPacing()
    pacing.record(.refused(retryAfter: .seconds(40)), to: 1, .conversion, at: .seconds(10))
    for number in 2...40 as ClosedRange<UInt64> {
      pacing.record(PacedSend(number: number, owner: 1, sentAt: .seconds(10)), .referral)
    }
    for limits in [WriteLimits(), WriteLimits(writes: .unlimited, conversions: .unlimited)] {
      #expect(pacing.verdict(.conversion, limits, at: .seconds(11)) == .at(.seconds(51)))
      #expect(pacing.verdict(.referral, limits, at: .seconds(51)) == .afterAnswer)
    }
    #expect(pacing.blockedUntil(.conversion) == .seconds(51) && HostPacing().blockedUntil(.referral) == nil)
  }

  @Test("the send after n waits until a minute after the answer n back")
  func window() {
    // Thirty sends in 60.32 s; the first three were answered only from 105 s on, the first before the others.
    var state = PacingState()
    for number in 1...30 as ClosedRange<UInt64> {
      let time = Duration.seconds(100) + .milliseconds(2080) * Int(number - 1)
      state.record(PacedSend(number: number, owner: 1, sentAt: time))
      if number > 3 { state.record(.notRefused, to: number, at: time) }
      if number == 3 {
        for late in 1...3 as ClosedRange<UInt64> { state.record(.notRefused, to: late, at: .seconds(104 + Int(late))) }
      }
    }
    // The first of the thirty to leave the window is now 1, at 165 s.
    // Half a second later, as its slice ends.
    let leaves = Duration.milliseconds(165_500)
    #expect(state.verdict(thirty, at: .milliseconds(160_500)) == .at(leaves))
    #expect(state.verdict(thirty, at: .milliseconds(165_499)) == .at(leaves))
    #expect(state.verdict(thirty, at: leaves) == .now)
  }

  @Test("in a limit of one, nothing leaves before the one is answered and a minute has passed")
  func one() {
    let rules = PacingRules(.perMinute(1))
    var state = PacingState()
    state.record(PacedSend(number: 1, owner: 1, sentAt: .seconds(1)))
    #expect(state.verdict(rules, at: .seconds(100)) == .afterAnswer)
    state.record(.notRefused, to: 1, at: .seconds(100))
    let leaves = Duration.milliseconds(160_500)
    #expect(state.verdict(rules, at: .seconds(101)) == .at(leaves))
    #expect(state.verdict(rules, at: leaves) == .now)
  }

  @Test(
    "a 429 blocks for its wait and a second; for an hour where that is negative or longer than a day",
    arguments: [
      (Duration.seconds(12), 13), (.zero, 1), (.seconds(-5), 3601), (nil, 61),
      (.seconds(86_400), 86_401), (.seconds(86_401), 3601), (.seconds(1_000_000_000), 3601),
    ] as [(Duration?, Int)])
  func retryAfter(_ wait: Duration?, _ seconds: Int) {
    var state = PacingState()
    state.record(PacedSend(number: 1, owner: 1, sentAt: .seconds(1)))
    state.record(.refused(retryAfter: wait), to: 1, at: .seconds(2))
    #expect(state.blockedUntil == .seconds(2 + seconds))
    #expect(state.verdict(PacingRules(.unlimited), at: .seconds(2)) == .at(.seconds(2 + seconds)))
    #expect(state.verdict(PacingRules(.unlimited), at: .seconds(2 + seconds)) == .now)
    state.endWait()
    #expect(state.blockedUntil == nil && state.verdict(PacingRules(.unlimited), at: .seconds(2)) == .now)
  }

  @Test("a shorter wait does not end a longer one")
  func longerWait() {
    var state = PacingState()
    state.record(.refused(retryAfter: .seconds(50)), to: 1, at: .seconds(1))
    state.record(.refused(retryAfter: .seconds(5)), to: 2, at: .seconds(2))
    #expect(state.blockedUntil == .seconds(52))
  }

  @Test("the first 429 shifts, each further one widens, answers narrow slowly")
  func gears() {
    var state = PacingState()
    func refuse(_ number: UInt64, sent: Int, answered: Int) {
      state.record(PacedSend(number: number, owner: 1, sentAt: .seconds(sent)))
      state.record(.refused(retryAfter: .zero), to: number, at: .seconds(answered))
    }
    // Two are under way when the first refusal comes: the second's says nothing new.
    state.record(PacedSend(number: 2, owner: 1, sentAt: .seconds(10)))
    refuse(1, sent: 10, answered: 11)
    #expect(state.gear == .safe)
    state.record(.refused(retryAfter: .zero), to: 2, at: .seconds(12))
    #expect(state.widening == 1)
    #expect(state.verdict(thirty, at: .seconds(13)) == .at(.seconds(14)))
    refuse(3, sent: 20, answered: 21)
    #expect(state.widening == 1.25)
    #expect(state.verdict(thirty, at: .seconds(22)) == .at(.milliseconds(23_500)))
    // However many answers in a moment, they take nothing back; minutes do; a pause is worth one minute.
    for number in 100..<600 as Range<UInt64> { state.record(.notRefused, to: number, at: .seconds(21)) }
    #expect(state.widening == 1.25)
    state.record(.notRefused, to: 600, at: .seconds(21 + 60))
    #expect(state.widening == 1.25 * (1 - 60 * PacingRules.narrowingPerSecond))
    var paused = state
    paused.record(.notRefused, to: 601, at: .seconds(81 + 3600))
    #expect(paused.widening == state.widening * (1 - 60 * PacingRules.narrowingPerSecond))
    for minute in 2...60 { state.record(.notRefused, to: 602, at: .seconds(21 + minute * 60)) }
    #expect(state.widening == 1)
    for number in 4000..<4050 as Range<UInt64> { refuse(number, sent: Int(number), answered: Int(number)) }
    #expect(state.widening == PacingRules.wideningMax)
  }

  @Test("a send that was given back leaves no trace")
  func cancel() {
    var state = sent(1...1, every: .zero, from: .seconds(1))
    let before = state
    state.record(PacedSend(number: 2, owner: 1, sentAt: .seconds(4)))
    state.cancel(2)
    #expect(state == before)
  }

  @Test(
    "unanswered sends of processes that are gone count as answered now, a moment later; others wait for their lease")
  func orphans() {
    var state = PacingState()
    state.record(PacedSend(number: 1, owner: 1, sentAt: .seconds(10)))
    state.record(PacedSend(number: 2, owner: 2, sentAt: .seconds(20)))
    let lease = Duration.seconds(600)
    // Its request may be counted only now, and the next one must not be counted too soon after it.
    #expect(!state.expireOrphans(at: .seconds(15), leaseMax: lease) { $0.owner == 1 })
    #expect(state.inFlight == 2)
    #expect(state.expireOrphans(at: .seconds(30), leaseMax: lease) { $0.owner == 1 })
    #expect(state.inFlight == 1)
    let once = state
    #expect(!state.expireOrphans(at: .seconds(31), leaseMax: lease) { $0.owner == 1 })
    #expect(state == once, "once and for all")
    #expect(state.expireOrphans(at: .seconds(700), leaseMax: lease) { _ in false })
    #expect(state.inFlight == 0)
  }

  @Test("after another boot all counts as just now, and a wait goes on for what was left of it")
  func rebase() {
    var state = sent(1...30, every: .milliseconds(2080), from: .seconds(5000))
    state.record(.refused(retryAfter: .seconds(99)), to: 30, at: .seconds(5062))
    state.rebase(from: .seconds(5112), to: .seconds(20))
    #expect(state.blockedUntil == .seconds(70))
    #expect(state.verdict(thirty, at: .seconds(20)) == .at(.milliseconds(80_500)))
    #expect(state.gear == .safe)
  }

  @Test("no damaged time stops sending for longer than a day")
  func future() {
    var state = sent(1...3, every: .seconds(3), from: .seconds(1_000_000))
    state.record(.refused(retryAfter: .seconds(86_400)), to: 3, at: .seconds(1_000_000))
    state.limitToPast(of: .seconds(10))
    #expect(state.blockedUntil == .seconds(10 + 86_401))
    #expect(state.verdict(thirty, at: .seconds(10)) == .at(.seconds(10 + 86_401)))
  }

  @Test("a state is as large, and a permit looks at as much, at 3,000 a minute as at 30", arguments: [30, 600, 3000])
  func size(_ perMinute: Int) throws {
    let rules = PacingRules(.perMinute(perMinute))
    var (state, now, number) = (PacingState(), Duration.seconds(100_000), UInt64(0))
    let end = now + .seconds(180)
    while now < end {
      switch state.verdict(rules, at: now) {
      case .now:
        number += 1
        state.record(PacedSend(number: number, owner: 1, sentAt: now))
        state.record(.notRefused, to: number, at: now + .milliseconds(5))
      case .at(let time): now = time
      case .afterAnswer: Issue.record("nothing is in flight")
      }
    }
    #expect(Double(number) >= 0.95 * Double(perMinute * 3), "\(number) in three minutes")
    let bytes = try JSONEncoder().encode(state).count
    print("pacer: \(perMinute) a minute, \(number) in three minutes, a state of \(bytes) bytes")
    #expect(bytes < 700)
  }

  @Test("both limits count a conversion, the limit of writes alone everything else")
  func budgets() {
    let limits = WriteLimits(writes: .perMinute(600), conversions: .perMinute(60))
    var pacing = HostPacing()
    pacing.record(PacedSend(number: 1, owner: 1, sentAt: .seconds(1)), .conversion)
    pacing.record(.notRefused, to: 1, .conversion, at: .seconds(1))
    #expect(pacing.verdict(.referral, limits, at: .seconds(1)) == .at(.milliseconds(1104)))
    #expect(pacing.verdict(.conversion, limits, at: .seconds(1)) == .at(.milliseconds(2040)))
    pacing.record(PacedSend(number: 2, owner: 1, sentAt: .seconds(9)), .referral)
    pacing.record(.refused(retryAfter: .seconds(30)), to: 2, .referral, at: .seconds(9))
    #expect(pacing.conversions.blockedUntil == nil)
    #expect(pacing.verdict(.conversion, limits, at: .seconds(10)) == .at(.seconds(40)))
  }

  @Test("reads: a burst, then evenly, never more than the limit in a minute", arguments: [1, 5, 30, 120, 1000])
  func reads(_ limit: Int) {
    var pacing = ReadPacing(.perMinute(limit))
    var turns: [Duration] = []
    for _ in 0..<(limit * 4) { turns.append(pacing.take(at: .seconds(7))) }
    #expect(turns[0] == .seconds(7))
    #expect(turns == turns.sorted())
    for (index, turn) in turns.enumerated().dropFirst(limit) {
      #expect(turn - turns[index - limit] >= .seconds(60), "turn \(index)")
    }
    #expect(turns[limit * 4 - 1] < .seconds(7 + 4 * 66), "the limit is used")
  }

  @Test("reads wait for a Retry-After; without a limit for nothing else")
  func readRetryAfter() {
    var pacing = ReadPacing(.unlimited)
    #expect(pacing.take(at: .seconds(1)) == .seconds(1))
    pacing.refuse(retryAfter: .seconds(4), at: .seconds(2))
    #expect(pacing.take(at: .seconds(3)) == .seconds(7))
  }
}
