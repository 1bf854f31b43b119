import Foundation
import PartnersSandbox
import TestHosts
import Testing

@testable import conversiond

/// The daemon is killed again and again, at any instant of its start and of its work, while answers are lost:
///
///     KILLS=100 CONVERSIONS=3000 swift test --filter CrashTests
@Suite struct CrashTests {
  private static let kills = number("KILLS") ?? 8
  private static let count = number("CONVERSIONS") ?? 60
  /// The friend of each tenth order has a younger referral, too, which must not be converted.
  private static let decoys = 10

  private static func number(_ name: String) -> Int? {
    ProcessInfo.processInfo.environment[name].flatMap { Int($0) }
  }

  /// The faults of the reports, and the probability of each.
  private static let faults: [(SandboxFault, probability: Double)] = [
    (.loseAnswer, 0.05), (.answer(SandboxAnswer(500)), 0.03), (.answer(SandboxAnswer(500), afterWork: true), 0.03),
    (.reset(afterWork: true), 0.02), (.reset(afterWork: false), 0.02),
  ]

  @Test(.timeLimit(.minutes(60)), arguments: [SandboxConfiguration.ConversionReplay.idempotent, .alwaysConflict])
  func noReportIsLostOrDoubledByKills(replay: SandboxConfiguration.ConversionReplay) async throws {
    var sandbox = SandboxConfiguration.unlimited
    sandbox.conversionReplay = replay
    sandbox.latency = .milliseconds(2)...(.milliseconds(20))
    sandbox.seed = .random(in: 1...1_000_000)
    sandbox.requestLogMax = 50_000
    let began = ContinuousClock.now
    try await DaemonFixture.with(["log.level": "info"], sandbox: sandbox) { shop in
      try await Self.fill(shop)
      for (fault, probability) in Self.faults {
        await shop.sandbox.order(SandboxFaultRule(fault, on: .conversions, times: nil, probability: probability))
      }
      var early = 0
      for _ in 0..<Self.kills { early += try await Self.kill(shop) ? 1 : 0 }
      let drained = await shop.sandbox.state.counters.converted
      try await shop.start()
      let isDone = await eventually(within: .seconds(60 + Self.count / 2), every: .milliseconds(250)) {
        await shop.sandbox.state.counters.converted == Self.count
      }
      #expect(isDone)
      await shop.sandbox.removeFaults()
      let isOver = await eventually(within: .seconds(180), every: .milliseconds(500)) {
        let outcomes = try? await shop.status().report.outcomes
        return outcomes?.first { $0.outcome == "reported" }?.count == Self.count
      }
      #expect(isOver)
      for (key, state) in try await shop.states() where state != "reported" {
        Issue.record("order \(key) is \(state): \(String(describing: try await shop.entry(key)))")
      }
      let found = try await Self.judge(shop)
      try await shop.stop()
      let integrity = try await ChildProcess.run("sqlite3", [shop.ledgerFile, "PRAGMA integrity_check"]).output
      #expect(integrity == "ok\n")
      print(
        "kills \(Self.kills) (\(early) before the first send of their run), \(replay), conversions \(Self.count),",
        "converted between the kills \(drained), \(found), integrity \(integrity.dropLast()),",
        "seed \(sandbox.seed), \(ContinuousClock.now - began)")
    }
  }

  private static func fill(_ shop: DaemonFixture) async throws {
    try await shop.sandbox.put((1...count).map { SandboxReferral("r\($0)", email: "friend\($0)@example.com") })
    try await shop.sandbox.put(
      stride(from: decoys, through: count, by: decoys).map {
        SandboxReferral("x\($0)", email: "friend\($0)@example.com", daysAgo: 3)
      })
    try await shop.insert((1...count).map { ShopOrder($0, email: "friend\($0)@example.com", total: "\($0 * 100)") })
  }

  /// Starts a daemon and kills it: half of them anywhere in the first two seconds, the others so many sends and
  /// microseconds into their drain. Returns true if it had sent nothing.
  private static func kill(_ shop: DaemonFixture) async throws -> Bool {
    let before = await shop.sandbox.state.counters.writes
    let daemon = try shop.launch()
    if Bool.random() {
      usleep(.random(in: 10_000...2_000_000))
    } else {
      // On the average half of the kills so drain three quarters of all.
      let more = Int.random(in: 1...max(2, 3 * count / kills))
      // Waits six seconds at most: no sends come while all that is left waits for its back-off.
      _ = await eventually(within: .seconds(6), every: .milliseconds(5)) {
        await shop.sandbox.state.counters.writes >= before + more
      }
      usleep(.random(in: 0...30_000))
    }
    daemon.signal(SIGKILL)
    #expect(try await daemon.wait() == .signalled(SIGKILL))
    return await shop.sandbox.state.counters.writes == before
  }

  /// Judges by what the API has, and by every request that it ever saw; returns the figures.
  private static func judge(_ shop: DaemonFixture) async throws -> String {
    let state = await shop.sandbox.state
    let referrals = Dictionary(uniqueKeysWithValues: state.referrals.map { ($0.referralID, $0) })
    let sends = Dictionary(grouping: state.reports) { String($0.path.split(separator: "/").dropLast().last ?? "") }
    var (wrong, lost, doubled) = (0, 0, 0)
    for number in 1...count {
      let referral = try #require(referrals["r\(number)"])
      if referral.status != .converted { lost += 1 }
      if referral.status == .converted, referral.externalTransactionID != "\(number)" { wrong += 1 }
      #expect(referral.conversionValue == Int64(number * 100))
      if Set(sends["r\(number)"]?.map(\.body) ?? []).count != 1 { doubled += 1 }
    }
    wrong += sends.keys.count { $0.hasPrefix("x") }
    doubled += state.counters.converted - count
    #expect((wrong, lost, doubled) == (0, 0, 0))
    for (key, entry) in try await shop.entries() {
      #expect(entry.referral == "r\(key)")
      #expect(entry.valueCents == (Int64(key) ?? 0) * 100)
    }
    let many = sends.values.count { $0.count > 1 }
    func struck(_ fault: String) -> Int { state.reports.count { $0.fault == fault } }
    return
      "sends \(state.reports.count), answers lost \(struck("loseAnswer")), 500s \(struck("status")), "
      + "resets \(struck("reset")), conversions sent more than once \(many), "
      + "replayed \(state.counters.replayed), lost \(lost), converted twice \(doubled), wrong referral \(wrong)"
  }
}
