import Foundation
import PartnersSandbox
import TestHosts
import Testing

@testable import conversiond

/// The host's wall clock is set while the daemon runs, or is wrong when it starts.
@Suite(.enabled(if: PreloadedLibrary.isPossible, "there is no C compiler")) struct ClockTests {
  private static let day = 86_400

  @Test(arguments: [day, -day]) func aClockThatIsSetByADayHurriesNothingAndWaitsUntilItIsRight(seconds: Int)
    async throws
  {
    try await DaemonFixture.with { shop in
      let clock = try await ShiftedClock()
      try await shop.sandbox.put((1...2).map { SandboxReferral("r\($0)", email: "friend\($0)@example.com") })
      try await shop.insert(ShopOrder(1, email: "friend1@example.com"))
      try await shop.start(environment: clock.environment)
      #expect(await shop.reaches(["1": "reported"]))
      #expect(!shop.log.contains("event=clock_"))
      try clock.shift(by: seconds)
      #expect(await eventually(within: .seconds(60)) { shop.log.contains("event=clock_unconfirmed") })
      try await shop.insert(ShopOrder(2, email: "friend2@example.com"))
      #expect(await shop.reaches(["1": "reported", "2": "queued"]))
      let before = await shop.sandbox.state.counters.requests
      try await Task.sleep(for: .seconds(8))
      let requests = await shop.sandbox.state.counters.requests - before
      #expect(requests <= 16, "\(requests) requests in 8 s: a burst")
      #expect(await shop.sandbox.state.reports.count == 1)
      let status = try await shop.status()
      #expect(status.end == .exited(1) && status.report.clock?.state == "unconfirmed")
      try clock.shift(by: 0)
      #expect(await eventually(within: .seconds(60)) { shop.log.contains("event=clock_confirmed") })
      #expect(await shop.reaches(["1": "reported", "2": "reported"], within: .seconds(60)))
      let state = await shop.sandbox.state
      #expect(state.reports.count == 2 && state.converted.map(\.referralID).sorted() == ["r1", "r2"])
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
      #expect(await eventually(within: .seconds(60)) { shop.log.contains("event=clock_unconfirmed") })
      try await Task.sleep(for: .seconds(8))
      #expect(await shop.reaches(["1": "held"]))
      #expect(await shop.sandbox.state.reports.isEmpty)
    }
  }

  @Test(arguments: [365 * day, -365 * day])
  func nothingFirstLeavesByAClockThatIsWrongFromTheStartUntilItIsAccepted(seconds: Int) async throws {
    try await DaemonFixture.with { shop in
      let stopped = try await shop.run("resume", "--clock")
      #expect(stopped.end == .exited(3) && stopped.errors.contains("nothing to release"))
      #expect(try await shop.run("resume").end == .exited(64))
      let clock = try await ShiftedClock()
      try clock.shift(by: seconds)
      try await shop.sandbox.put([SandboxReferral("r", email: "ana@example.com")])
      // Long past by either clock.
      try await shop.insert(ShopOrder(1, email: "ana@example.com"))
      try await shop.start(environment: clock.environment)
      #expect(await eventually(within: .seconds(60)) { shop.log.contains("event=clock_unconfirmed") })
      try await Task.sleep(for: .seconds(8))
      #expect(await shop.sandbox.state.reports.isEmpty)
      let screen = try await shop.run("status")
      #expect(screen.end == .exited(1) && screen.output.contains("resume --clock"))
      let released = try await shop.run("resume", "--clock", "--reason", "the API's clock is wrong")
      #expect(released.end == .exited(0) && released.output.contains("is accepted"), "\(released.errors)")
      #expect(await eventually(within: .seconds(10)) { shop.log.contains("the API's clock is wrong)") })
      let again = try await shop.run("resume", "--clock", "--json")
      #expect(again.output.contains("confirmed already"))
      // A clock that is behind has the order placed in the future.
      guard seconds > 0 else { return }
      #expect(await shop.reaches(["1": "reported"], within: .seconds(60)))
    }
  }
}
