import Conversions
import Logging
import LoopFixtures
import Testing

@testable import Pipeline

extension Loops {
  /// The lines that tell an order's story, and their limit.
  @Suite(.timeLimit(.minutes(5))) struct DecisionLinesTests {
    /// The lines about one order, as `journalctl CONVERSIOND_ORDER=` would show them.
    private func story(_ world: World, of order: String) -> [CapturedLog.Line] {
      world.lines.all.filter { $0.level >= .info && $0.fields["order"] == order }
    }

    @Test func anOrdersWholeStoryIsInItsLines() async throws {
      let world = try World(rules: makeRules(hold: .seconds(4 * 3600)))
      try await world.endCatchUp()
      try await world.running([world.intake, world.mirror, world.matching, world.delivery]) {
        try await world.pass(.seconds(300))
        world.shop.put(makeOrder(1, qualifies: false, placed: world.clock.now))
        try await world.reaches(within: .seconds(300)) { try await world.outcome(1) == .notQualifying }
        world.shop.change(makeOrder(1).key) { $0.qualifies = true }
        try await world.reaches(within: .seconds(300)) { try await world.outcome(1) == .waiting }
        world.api.put(makeReferral("r1", email: "friend1@example.com"))
        try await world.reaches(within: .seconds(3 * 3600)) { try await world.outcome(1) == .held }
        try await world.reaches(within: .seconds(5 * 3600)) { try await world.outcome(1) == .reported }
      }
      let lines = story(world, of: "order_1")
      var states: [String] = []
      for state in lines.compactMap({ $0.fields["outcome"] }) where state != states.last { states.append(state) }
      #expect(states == ["not_qualifying", "waiting", "held", "queued"], "\(lines.map(\.message))")
      let held = try #require(lines.first { $0.fields["outcome"] == "held" })
      #expect(held.event == "matched" && held.fields["referral"] == "r1" && held.fields["next_try"] != nil)
      #expect(held.reason == "hold" && held.message.contains("before: waiting"))
      let reported = try #require(lines.last)
      #expect(reported.event == "reported" && reported.level == .info)
      for line in [held, reported] {
        #expect(line.fields["currency"] == "EUR" && Int(line.fields["value"] ?? "") ?? 0 > 0, "\(line.fields)")
      }
      #expect(Set(lines.map(\.message)).count == lines.count, "no line twice")
    }

    @Test func aHundredAMinuteHaveALineAndTheOthersAreCounted() {
      let lines = CapturedLog.Lines()
      let log = Logger(label: "test") { _ in CapturedLog(lines: lines) }
      let limit = DecisionLines()
      func decide(_ count: Int, _ outcome: Outcome, at seconds: Int) -> Int {
        (0..<count).count { _ in limit.mayWrite(outcome, at: .seconds(seconds), log: log) }
      }
      #expect(decide(90, .queued, at: 5) == 90)
      #expect(decide(500, .waiting, at: 20) == 10 && decide(7, .held, at: 64) == 0)
      #expect(lines.all.isEmpty, "the minute is not over")
      limit.writeSummary(at: .seconds(64), log: log)
      #expect(lines.all.isEmpty)
      limit.writeSummary(at: .seconds(65), log: log)
      #expect(lines.of(.decisions).map(\.level) == [.info] && lines.all[0].fields["orders"] == "497")
      #expect(lines.all[0].message.contains("490 waiting, 7 held"))
      // The next minute begins with its own first line; one that needs a person makes the count an error.
      #expect(decide(150, .review, at: 130) == 100)
      limit.writeSummary(at: .seconds(131), isEnd: true, log: log)
      #expect(lines.of(.decisions).last?.level == .error)
      #expect(
        lines.all.last?.message.hasSuffix("50 review; 50 need a person: conversiond queue list --state review") == true)
      limit.writeSummary(at: .seconds(500), log: log)
      #expect(lines.all.count == 2 && lines.incomplete.isEmpty)
    }

    @Test func aCatchUpIsCountedEachMinute() async throws {
      let world = try World()
      for key in 1...1000 { world.shop.put(makeOrder(key)) }
      try await world.running([world.intake, world.mirror, world.matching, DecisionSummaries(world.context)]) {
        try await world.reaches(within: .seconds(3600)) { try await world.orders().count == 1000 }
        try await world.pass(.seconds(300))
      }
      let single = world.lines.all.count { $0.fields["order"] != nil && $0.level >= .info }
      let counted = world.lines.of(.decisions).compactMap { Int($0.fields["orders"] ?? "") }.reduce(0, +)
      #expect(single < 1000 && counted > 0 && single + counted >= 1000, "\(single) and \(counted)")
    }
  }
}
