import Foundation
import PartnersSandbox
import TestHosts
import Testing

@testable import conversiond

@Suite struct CrashTests {
  private static let count = 50

  @Test(arguments: [SandboxConfiguration.ConversionReplay.idempotent, .alwaysConflict])
  func noReportIsLostOrDoubledByKills(replay: SandboxConfiguration.ConversionReplay) async throws {
    var sandbox = SandboxConfiguration.unlimited
    sandbox.conversionReplay = replay
    sandbox.latency = .milliseconds(2)...(.milliseconds(20))
    sandbox.seed = .random(in: 1...1_000_000)
    try await DaemonFixture.with(sandbox: sandbox) { shop in
      try await Self.fill(shop)
      let faults: [(SandboxFault, Double)] = [
        (.loseAnswer, 0.1), (.answer(SandboxAnswer(500)), 0.05), (.answer(SandboxAnswer(500), afterWork: true), 0.05),
        (.reset(afterWork: true), 0.05), (.reset(afterWork: false), 0.05),
      ]
      for (fault, probability) in faults {
        await shop.sandbox.order(SandboxFaultRule(fault, on: .conversions, times: nil, probability: probability))
      }
      // The first is killed anywhere in its start, the others in the middle of the drain.
      shop.isKilled(try shop.launch(), after: .milliseconds(.random(in: 20...400)))
      for _ in 0..<8 { try await Self.killDuringDrain(shop) }
      await shop.sandbox.removeFaults()
      try await shop.start()
      let all = Dictionary(uniqueKeysWithValues: (1...Self.count).map { (String($0), "reported") })
      #expect(await shop.reaches(all, within: .seconds(90)))
      for (key, state) in try await shop.states() where state != "reported" {
        Issue.record("order \(key) is \(state): \(String(describing: try await shop.entry(key)))")
      }
      try await Self.expectExactlyOnce(shop)
    }
  }

  private static func fill(_ shop: DaemonFixture) async throws {
    try await shop.sandbox.put((1...count).map { SandboxReferral("r\($0)", email: "friend\($0)@example.com") })
    try await shop.insert((1...count).map { ShopOrder($0, email: "friend\($0)@example.com", total: "\($0 * 100)") })
  }

  private static func killDuringDrain(_ shop: DaemonFixture) async throws {
    let daemon = try shop.launch()
    let before = await shop.sandbox.state.reports.count
    let more = Int.random(in: 1...5)
    // Where all that is left waits for its back-off, there is nothing to wait for.
    _ = await eventually(within: .seconds(4), every: .milliseconds(2)) {
      await shop.sandbox.state.reports.count >= before + more
    }
    try await Task.sleep(for: .microseconds(.random(in: 0...20_000)))
    daemon.signal(SIGKILL)
    #expect(try await daemon.wait() == .signalled(SIGKILL))
  }

  private static func expectExactlyOnce(_ shop: DaemonFixture) async throws {
    let state = await shop.sandbox.state
    #expect(state.counters.converted == count)
    for number in 1...count {
      let referral = try #require(state.referral("r\(number)"))
      #expect(referral.externalTransactionID == "\(number)")
      #expect(referral.conversionValue == Int64(number * 100))
      let sends = state.reports.filter { $0.path == "/api/v1/partners/referrals/r\(number)/convert" }
      #expect(Set(sends.map(\.body)).count == 1, "all sends of one report have the same bytes")
    }
    for (key, entry) in try await shop.entries() {
      #expect(entry.referral == "r\(key)")
      #expect(entry.valueCents == (Int64(key) ?? 0) * 100)
    }
  }
}

extension DaemonFixture {
  /// Kills a daemon that was just launched.
  fileprivate func isKilled(_ daemon: ChildProcess, after time: Duration) {
    let (seconds, attoseconds) = time.components
    usleep(UInt32(seconds * 1_000_000 + attoseconds / 1_000_000_000_000))
    daemon.signal(SIGKILL)
  }
}
