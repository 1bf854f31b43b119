import Foundation
import PartnersSandbox
import TestHosts
import Testing

@testable import conversiond

/// The host's wall clock is set while the daemon runs.
@Suite(.enabled(if: PreloadedLibrary.isPossible, "there is no C compiler")) struct ClockTests {
  private static let day = 86_400

  @Test(arguments: [day, -day]) func aClockThatIsSetByADayStopsNothingAndHurriesNothing(seconds: Int) async throws {
    try await DaemonFixture.with { shop in
      let clock = try await ShiftedClock()
      try await shop.sandbox.put((1...3).map { SandboxReferral("r\($0)", email: "friend\($0)@example.com") })
      try await shop.insert(ShopOrder(1, email: "friend1@example.com"))
      try await shop.start(environment: clock.environment)
      #expect(await shop.reaches(["1": "reported"]))
      #expect(!shop.log.contains("event=clock_jumped"))
      try clock.shift(by: seconds)
      #expect(await eventually(within: .seconds(60)) { shop.log.contains("event=clock_jumped") })
      try await shop.insert(ShopOrder(2, email: "friend2@example.com"))
      #expect(await shop.reaches(["2": "reported"], within: .seconds(60)))
      let before = await shop.sandbox.state.counters.requests
      try await Task.sleep(for: .seconds(5))
      let requests = await shop.sandbox.state.counters.requests - before
      #expect(requests <= 10, "\(requests) requests in 5 s: a burst")
      try clock.shift(by: 0)
      #expect(await eventually(within: .seconds(60)) { shop.log.contains("event=clock_agrees") })
      try await shop.insert(ShopOrder(3, email: "friend3@example.com"))
      #expect(await shop.reaches(["3": "reported"], within: .seconds(60)))
      let state = await shop.sandbox.state
      #expect(state.reports.count == 3 && state.converted.map(\.referralID).sorted() == ["r1", "r2", "r3"])
    }
  }

  @Test func noHoldEndsAsTheClockWasSet() async throws {
    try await DaemonFixture.with(["reporting.hold": "1h"]) { shop in
      let clock = try await ShiftedClock()
      try await shop.sandbox.put([SandboxReferral("r", email: "ana@example.com")])
      try await shop.insert(ShopOrder(1, email: "ana@example.com", daysAgo: 0))
      try await shop.start(environment: clock.environment)
      #expect(await shop.reaches(["1": "held"]))
      try clock.shift(by: Self.day)
      #expect(await eventually(within: .seconds(60)) { shop.log.contains("event=clock_jumped") })
      try await Task.sleep(for: .seconds(8))
      #expect(await shop.reaches(["1": "held"]))
      #expect(await shop.sandbox.state.reports.isEmpty)
    }
  }
}
