import Foundation
import PartnersSandbox
import TestHosts
import Testing

@testable import conversiond

/// The pace of reports under the API's own limits, beside a mirror of 20,000 referrals and at the reads of the
/// reference.
@Suite struct SendingPaceTests {
  private static let referrals = 20_000

  /// The minutes for which the pace is measured: `SENDING_MINUTES`, an hour say.
  private static var minutes: Int { Int(ProcessInfo.processInfo.environment["SENDING_MINUTES"] ?? "") ?? 3 }

  /// One per two seconds is what a window of 30 a minute allows; less the pacer's margin.
  private static let leastPerMinute = 28.0

  @Test(.timeLimit(.minutes(90))) func reportsLeaveAtTheAPIsLimitAndNoneIsRefused() async throws {
    let settings: [String: String?] = [
      "api.writes_per_minute": nil, "api.conversions_per_minute": nil, "api.reads_per_minute": nil, "log.level": "info",
    ]
    try await DaemonFixture.with(settings, sandbox: SandboxConfiguration()) { shop in
      let count = Self.minutes * 30 + 40
      try await shop.sandbox.put(
        (1...Self.referrals).map {
          SandboxReferral("r\($0)", email: "friend\($0)@example.com", daysAgo: 5 + Double($0) / 1000)
        })
      try await shop.insert((1...count).map { ShopOrder($0, email: "friend\($0 * 7)@example.com") })
      try await shop.start()
      #expect(await eventually(within: .seconds(900), every: .seconds(1)) { shop.log.contains("caught up") })
      // The first minute fills the window.
      #expect(await eventually(within: .seconds(120)) { await shop.sandbox.state.counters.converted >= 30 })
      let (before, began) = (await shop.sandbox.state.counters, ContinuousClock.now)
      try await Task.sleep(for: .seconds(60 * Self.minutes))
      let (after, took) = (await shop.sandbox.state.counters, ContinuousClock.now - began)
      let minutes = Double(took.components.seconds) / 60
      let sent = Double(after.converted - before.converted) / minutes
      let reads = Double(after.requests - before.requests - (after.writes - before.writes)) / minutes
      print(
        "pace: \(after.converted - before.converted) reports in \(took.components.seconds) s, \(sent) a minute, "
          + "\(after.rateLimited) refused, \(reads) reads a minute, \(Self.referrals) referrals")
      #expect(sent >= Self.leastPerMinute)
      #expect(reads <= 121)
      #expect(after.rateLimited == 0)
    }
  }
}
