import Foundation
import PartnersSandbox
import TestHosts
import Testing

@testable import conversiond

/// `conversiond rebuild` between two lives of the daemon: nothing is reported twice, or for another referral, and what
/// was not reported yet still is.
@Suite struct RebuildTests {
  private static let count = 40
  /// So many are reported before the damage.
  private static let early = 30
  private static let discarded = 7

  enum Damage: String, CaseIterable, Sendable {
    case middle, truncated, noise, firstPage, log
  }

  /// Orders 1 to 30 reported, 30 with a lost answer; then 31 to 40 behind an API that answers 503, 31 perhaps done; one
  /// of the reported ones' friends ordered again (its referral is converted), and one has a second, open referral.
  private func firstLife(_ shop: DaemonFixture) async throws {
    try await shop.sandbox.put((1...Self.count).map { SandboxReferral("r\($0)", email: "friend\($0)@example.com") })
    try await shop.sandbox.put([SandboxReferral("x2", email: "friend2@example.com", daysAgo: 3)])
    try await shop.insert((1...Self.early).map { ShopOrder($0, email: "friend\($0)@example.com", total: "\($0)") })
    await shop.sandbox.order(
      SandboxFaultRule(.loseAnswer, on: .init(method: "POST", referralID: "r\(Self.early)"), times: 1))
    try await shop.start()
    let reported = Dictionary(uniqueKeysWithValues: (1...Self.early).map { (String($0), "reported") })
    #expect(await shop.reaches(reported, within: .seconds(60)))
    await shop.sandbox.order(
      SandboxFaultRule(.loseAnswer, on: .init(method: "POST", referralID: "r31"), times: 1))
    await shop.sandbox.order(SandboxFaultRule(.answer(SandboxAnswer(503)), on: .conversions, times: nil))
    try await shop.insert(
      (Self.early + 1...Self.count).map { ShopOrder($0, email: "friend\($0)@example.com", total: "\($0)") })
    #expect(await eventually(within: .seconds(30)) { await shop.peek()?.count == Self.count })
    #expect(await eventually(within: .seconds(30)) { await shop.sandbox.state.reports.count > Self.early + 1 })
    try await shop.stop()
    // As an operator's command will.
    let discarding = "UPDATE orders SET outcome = 'discarded', claims = 0 WHERE key = '\(Self.count)'"
    #expect(try await ChildProcess.run("sqlite3", [shop.ledgerFile, discarding]).end == .exited(0))
  }

  private func strike(_ damage: Damage, _ shop: DaemonFixture) throws {
    let url = URL(fileURLWithPath: shop.ledgerFile)
    var bytes = try Data(contentsOf: url)
    switch damage {
    case .middle:
      let start = bytes.count / 8192 * 4096
      bytes.replaceSubrange(start..<start + 12_288, with: Data(repeating: 0x5a, count: 12_288))
    case .truncated: bytes = bytes.prefix(bytes.count * 2 / 3)
    case .noise:
      for start in stride(from: 40_960, to: bytes.count - 4096, by: 40_960) {
        bytes.replaceSubrange(start..<start + 64, with: (0..<64).map { _ in UInt8.random(in: 0...255) })
      }
    case .firstPage: bytes.replaceSubrange(0..<4096, with: Data(count: 4096))
    case .log:
      try Data((0..<50_000).map { _ in UInt8.random(in: 0...255) }).write(
        to: URL(fileURLWithPath: shop.ledgerFile + "-wal"))
      bytes.replaceSubrange(8192..<12_288, with: Data(count: 4096))
    }
    try bytes.write(to: url)
  }

  /// As if it had last been written an hour ago, so that no request can be under way any more.
  private func age(_ shop: DaemonFixture) throws {
    for suffix in ["", "-wal"] where FileManager.default.fileExists(atPath: shop.ledgerFile + suffix) {
      try FileManager.default.setAttributes(
        [.modificationDate: Date(timeIntervalSinceNow: -3600)], ofItemAtPath: shop.ledgerFile + suffix)
    }
  }

  private func judge(_ shop: DaemonFixture, _ what: String) async throws {
    let state = await shop.sandbox.state
    for number in 1...Self.count {
      let referral = try #require(state.referral("r\(number)"))
      if referral.status == .converted {
        #expect(
          referral.externalTransactionID == String(number) && referral.conversionValue == Int64(number), "\(what)")
      }
      #expect(referral.status == .converted || number == Self.count, "\(what): order \(number) was not reported")
    }
    #expect(state.referral("x2")?.status == .pending, "\(what): a second referrer is not paid")
    for send in state.reports {
      let number = send.path.split(separator: "/").dropLast().last.map { String($0.dropFirst()) } ?? "?"
      #expect(String(decoding: send.body, as: UTF8.self).contains("\"externalTransactionId\":\"\(number)\""), "\(what)")
    }
  }

  @Test(arguments: Damage.allCases)
  func nothingIsReportedTwiceAndTheRestStillIs(damage: Damage) async throws {
    try await DaemonFixture.with(["log.level": "info"]) { shop in
      try await firstLife(shop)
      try strike(damage, shop)
      let damaged = try Data(contentsOf: URL(fileURLWithPath: shop.ledgerFile))
      let refused = try shop.launch()
      #expect(try await refused.wait() == .exited(65))
      #expect(refused.errorLines.last?.contains("`conversiond rebuild`") == true, "\(refused.errorLines)")
      try age(shop)
      let before = try FileManager.default.contentsOfDirectory(atPath: shop.folder.path("state")).sorted()
      let trial = try await shop.run("rebuild")
      #expect(trial.end == .exited(0), "\(trial.errors)")
      #expect(trial.output.contains("is damaged: ") && trial.output.contains("nothing was changed; --yes does it"))
      #expect(try FileManager.default.contentsOfDirectory(atPath: shop.folder.path("state")).sorted() == before)
      #expect(try Data(contentsOf: URL(fileURLWithPath: shop.ledgerFile)) == damaged)
      let done = try await shop.run("rebuild", "--yes", "--json")
      #expect(done.end == .exited(0), "\(done.errors)")
      let report = try JSONDecoder.contract.decode(RebuildReport.self, from: Data(done.output.utf8))
      #expect(report.rebuilt && FileManager.default.contents(atPath: report.keptAs) == damaged)
      print("rebuilt after \(damage): \(done.output)", terminator: "")
      let sent = await shop.sandbox.state.reports.count
      await shop.sandbox.removeFaults()
      try await shop.start()
      let isDone = await eventually(within: .seconds(60)) {
        let converted = await shop.sandbox.state.counters.converted
        let entries = await shop.peek()
        return converted >= Self.count - 1
          && entries?.values.allSatisfy { !["queued", "sending", "waiting"].contains($0.state) } == true
      }
      #expect(isDone, "\(damage)")
      try await judge(shop, "\(damage)")
      let states = try await shop.states()
      for number in 1...Self.early {
        #expect(["reported", "superseded"].contains(states[String(number)]), "\(number): \(states)")
      }
      #expect(states["31"] == "reported" || states["31"] == "superseded")
      if report.salvaged.discarded == 1 {
        #expect(states[String(Self.count)] == "discarded")
        #expect(await shop.sandbox.state.referral("r\(Self.count)")?.status == .pending)
      }
      // Expects none of those that were reported even to be sent again.
      let again = await shop.sandbox.state.reports.dropFirst(sent).compactMap { send in
        send.path.split(separator: "/").dropLast().last.flatMap { Int($0.dropFirst()) }
      }
      #expect(again.allSatisfy { $0 > Self.early }, "\(again)")
    }
  }

  @Test func itWaitsForWhatMayBeUnderWayAndRefusesWhatIsWholeOrInUse() async throws {
    try await DaemonFixture.with { shop in
      #expect(try await shop.run("rebuild", "--yes").end == .exited(4))
      try await shop.sandbox.put([SandboxReferral("r1", email: "ana@example.com")])
      try await shop.start()
      #expect(await shop.catchesUp())
      let used = try await shop.run("rebuild", "--yes")
      #expect(used.end == .exited(75) && used.errors.contains("stop it first"))
      try await shop.stop()
      let whole = try await shop.run("rebuild", "--yes")
      #expect(whole.end == .exited(64) && whole.errors.contains("is whole; --even-if-whole"))
      let done = try await shop.run("rebuild", "--yes", "--even-if-whole")
      #expect(done.end == .exited(0) && done.output.contains("start the daemon when you are content"))
      try await shop.insert(ShopOrder(1, email: "ana@example.com"))
      try await shop.start()
      #expect(await shop.logs("nothing that was never sent is sent before"), "\(shop.log)")
      #expect(await shop.reaches(["1": "queued"]))
      try await Task.sleep(for: .seconds(4))
      #expect(await shop.sandbox.state.reports.isEmpty, "a quarter of an hour is not over")
    }
  }
}
