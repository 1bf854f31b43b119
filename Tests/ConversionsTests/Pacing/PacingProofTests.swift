import Conversions
import TestHosts
import Testing

/// Four simulated hours with a backlog, in which the process is killed every seven minutes and the host reboots once.
@Suite("Pacing: four hours with restarts, for both limits")
struct PacingProofTests {
  static let seeds: [UInt64] = [1, 2, 3, 4, 5]

  @Test(
    "windows, logs and full buckets: at least 28 a minute, and never a 429",
    arguments: [LimiterShape.fixedWindow, .slidingLog, .fullBucket], seeds)
  func firstGear(_ shape: LimiterShape, _ seed: UInt64) throws {
    var simulation = PacingHostSimulation(shape, seed: seed)
    let outcome = try simulation.run()
    report("\(shape.rawValue), seed \(seed)", outcome)
    #expect(outcome.perMinute >= 28, "\(outcome.perMinute) a minute")
    #expect(outcome.refusedAt.isEmpty)
    #expect(outcome.inFlightMax <= 2)
    #expect(outcome.unanswered > 0, "some were in flight when the process was killed")
    #expect(simulation.pacing.writes.gear == .first)
  }

  @Test(
    "sliding counters and buckets of one: at most three 429s until the safe gear holds, and none after",
    arguments: [LimiterShape.slidingCounter, .singleTokenBucket], seeds)
  func safeGear(_ shape: LimiterShape, _ seed: UInt64) throws {
    var simulation = PacingHostSimulation(shape, seed: seed)
    let outcome = try simulation.run()
    report("\(shape.rawValue), seed \(seed)", outcome)
    #expect(outcome.refusedAt.count <= 3)
    if let first = outcome.refusedAt.first, let last = outcome.refusedAt.last { #expect(last - first < 120) }
    #expect(outcome.perMinute > 25, "\(outcome.perMinute) a minute")
  }

  @Test(
    "a neighbour who takes a third: at most ten 429s an hour, and neither starves",
    arguments: [LimiterShape.fixedWindow, .slidingLog, .fullBucket, .slidingCounter], seeds)
  func neighbour(_ shape: LimiterShape, _ seed: UInt64) throws {
    var course = PacingHostSimulation.Course()
    course.neighbour = 10
    var simulation = PacingHostSimulation(shape, seed: seed, course)
    let outcome = try simulation.run()
    report("\(shape.rawValue) with a neighbour, seed \(seed)", outcome, hoursFrom: 30)
    for count in outcome.refused(byHourFrom: 30) { #expect(count <= 10) }
    #expect(outcome.perMinute > 12, "of the 20 that are left: \(outcome.perMinute)")
    #expect(outcome.neighbourPerMinute > 9, "of 10: \(outcome.neighbourPerMinute)")
  }

  /// A bucket of one refuses every write within two seconds of another, however rare they are: a fifth to a quarter of
  /// what comes here. Ten 429s an hour are some forty sends; nothing but the widest spacing helps against more.
  @Test("a neighbour at a bucket of one: at most ten 429s an hour, and neither starves", arguments: seeds)
  func neighbourAtBucketOfOne(_ seed: UInt64) throws {
    var course = PacingHostSimulation.Course()
    course.neighbour = 10
    var simulation = PacingHostSimulation(.singleTokenBucket, seed: seed, course)
    let outcome = try simulation.run()
    report("singleTokenBucket with a neighbour, seed \(seed)", outcome, hoursFrom: 30)
    for count in outcome.refused(byHourFrom: 30) { #expect(count <= 10) }
    #expect(outcome.perMinute > 0.4)
    #expect(outcome.acceptedByHour.allSatisfy { $0 >= 12 }, "one every five minutes: \(outcome.acceptedByHour)")
    #expect(outcome.neighbourPerMinute > 6.5, "some 7.5 of its 10 where it is alone")
  }

  @Test("a neighbour who left is forgotten within the hour", arguments: [LimiterShape.slidingLog, .fixedWindow], seeds)
  func neighbourLeaves(_ shape: LimiterShape, _ seed: UInt64) throws {
    var course = PacingHostSimulation.Course()
    (course.neighbour, course.neighbourUntil) = (10, 90)
    var simulation = PacingHostSimulation(shape, seed: seed, course)
    let outcome = try simulation.run()
    report("\(shape.rawValue) with a neighbour for 90 minutes, seed \(seed)", outcome)
    // 26 a minute is what the safe gear has; the fourth hour begins 90 minutes after the neighbour left.
    #expect(outcome.acceptedByHour[3] > 25 * 60, "\(outcome.acceptedByHour)")
    #expect(outcome.refused(byHourFrom: 90).allSatisfy { $0 <= 1 })
  }

  @Test(
    "higher limits: as many in flight as it takes, sixteen at most, and never a 429", arguments: [300, 600],
    [1, 2] as [UInt64])
  func higherLimits(_ limit: Int, _ seed: UInt64) throws {
    var course = PacingHostSimulation.Course()
    course.limits = WriteLimits(writes: .perMinute(limit), conversions: .perMinute(limit))
    (course.minutes, course.restartEvery, course.reboots) = (4, 210, false)
    (course.latencyMean, course.latencyMax) = (1, 3)
    var simulation = PacingHostSimulation(.slidingLog, seed: seed, course)
    let outcome = try simulation.run()
    report("limit of \(limit), answers after a second, seed \(seed)", outcome)
    #expect(outcome.refusedAt.isEmpty)
    // With answers of three seconds now and then, the mean number of sends under way is a little less than it takes.
    #expect(outcome.perMinute > Double(limit) * 0.8)
    #expect(outcome.inFlightMax > limit / 60, "a second's worth")
    #expect(outcome.inFlightMax <= 16)
  }

  private func report(_ what: String, _ outcome: PacingHostSimulation.Outcome, hoursFrom start: Double = 0) {
    let rate = { (value: Double) in "\((value * 100).rounded() / 100)" }
    var line = "pacing \(what): \(rate(outcome.perMinute)) sends a minute, \(outcome.refusedAt.count) 429s, "
    line += "by hour\(start > 0 ? " from minute \(Int(start))" : "") \(outcome.refused(byHourFrom: start))"
    line += ", \(outcome.inFlightMax) in flight at most"
    if outcome.neighbourSent > 0 {
      line += "; the neighbour \(rate(outcome.neighbourPerMinute)) a minute, "
      line += "refused \(outcome.neighbourRefused) of \(outcome.neighbourSent)"
    }
    print(line)
  }
}
