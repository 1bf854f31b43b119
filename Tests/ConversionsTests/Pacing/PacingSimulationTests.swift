import Conversions
import TestHosts
import Testing

/// Simulated hours in seconds; the wait for a 429 is what the pacer exists to avoid.
@Suite("Pacing: simulated against five ways to count", .serialized)
struct PacingSimulationTests {
  @Test(
    "the first gear is never refused by windows, logs and full buckets",
    arguments: [LimiterShape.fixedWindow, .slidingLog, .fullBucket], [0.05, 0.14, 0.3, 0.9])
  func firstGear(_ shape: LimiterShape, _ latency: Double) {
    var simulation = PacingSimulation(shape, latencyMean: latency, seed: 1)
    // Two hours of the likeliest latency, half an hour of the others.
    let outcome = simulation.run(minutes: latency == 0.3 ? 120 : 30)
    #expect(outcome.refused == 0)
    #expect(outcome.inFlightMax <= 2)
    #expect(simulation.state.gear == .first)
    if latency <= 0.3 { #expect(outcome.perMinute > 28.4, "\(outcome.perMinute) a minute") }
  }

  @Test(
    "answers that take seconds slow the first gear down and still bring no refusal",
    arguments: [LimiterShape.fixedWindow, .slidingLog, .fullBucket])
  func slowAnswers(_ shape: LimiterShape) {
    var simulation = PacingSimulation(shape, latencyMean: 4, latencyMax: 30, seed: 7)
    #expect(simulation.run(minutes: 30).refused == 0)
  }

  @Test("the safe gear is refused by none", arguments: LimiterShape.allCases, [0.05, 0.14, 0.3, 0.9])
  func safeGear(_ shape: LimiterShape, _ latency: Double) {
    var simulation = PacingSimulation(shape, latencyMean: latency, seed: 2)
    simulation.state = Self.inSafeGear()
    let outcome = simulation.run(minutes: latency == 0.14 ? 120 : 30)
    #expect(outcome.refused == 0)
    #expect(outcome.inFlightMax == 1)
    #expect(outcome.perMinute > 60 / (2.05 + latency), "\(outcome.perMinute) a minute")
  }

  @Test(
    "one refusal is all it takes to find the safe gear",
    arguments: [LimiterShape.singleTokenBucket])
  func shift(_ shape: LimiterShape) {
    var simulation = PacingSimulation(shape, seed: 3)
    let outcome = simulation.run(minutes: 30)
    #expect(outcome.refused == 1, "\(outcome.refused) refused")
    #expect(outcome.perMinute > 24)
  }

  @Test("where neighbours take two thirds of the limit, refusals stay rare")
  func neighbours() {
    var simulation = PacingSimulation(.slidingLog, seed: 5, serverLimit: 10)
    let outcome = simulation.run(minutes: 120)
    #expect(outcome.refused < 20, "\(outcome.refused) refused")
    #expect(outcome.perMinute > 7.5, "\(outcome.perMinute) a minute")
  }

  @Test("higher limits are used as well", arguments: [60, 300, 600])
  func higherLimits(_ limit: Int) {
    var simulation = PacingSimulation(limit: limit, .slidingLog, latencyMean: 0.3, seed: 11)
    let outcome = simulation.run(minutes: 5)
    #expect(outcome.refused == 0)
    #expect(outcome.perMinute > Double(limit) * 0.92, "\(outcome.perMinute) of \(limit)")
    #expect(outcome.inFlightMax <= 16)
  }

  private static func inSafeGear() -> PacingState {
    var state = PacingState()
    state.record(PacedSend(number: 0, owner: 1, sentAt: .seconds(1)))
    state.record(.refused(retryAfter: .zero), to: 0, at: .seconds(1))
    return state
  }
}
