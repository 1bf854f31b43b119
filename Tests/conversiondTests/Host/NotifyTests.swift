import Foundation
import PartnersSandbox
import TestHosts
import Testing

@testable import conversiond

/// The daemon as systemd hears of it (sd_notify(3)).
@Suite struct NotifyTests {
  @Test func itSaysThatItLivesAndHowItIs() async throws {
    try await DaemonFixture.with(["reporting.hold": "30d"]) { shop in
      let socket = try DatagramSocket(path: shop.folder.path("notify"))
      try await shop.sandbox.put([SandboxReferral("r1", email: "friend1@example.com")])
      try await shop.insert(ShopOrder(1, email: "friend1@example.com"))
      try await shop.start(environment: ["NOTIFY_SOCKET": socket.path, "WATCHDOG_USEC": "3000000"])
      var heard: [String] = []
      func hears(_ words: String) async -> Bool {
        await eventually(within: .seconds(40)) {
          while let message = socket.receive(milliseconds: 1) {
            heard += String(decoding: message, as: UTF8.self).split(separator: "\n").map(String.init)
          }
          return heard.contains { $0.hasPrefix(words) }
        }
      }
      #expect(await hears("READY=1"))
      #expect(await hears("WATCHDOG=1"))
      #expect(await hears("STATUS=1 report waits, 10.00 EUR"), "\(heard)")
      await shop.sandbox.setKeys(["oft_00000000000000000000000000000000": SandboxConfiguration.defaultPartner])
      #expect(await hears("STATUS=reading referrals fails since "), "\(heard)")
      #expect(try await shop.stop() == .exited(0))
      #expect(await hears("STOPPING=1"))
      #expect(heard.count { $0 == "WATCHDOG=1" } > 2)
    }
  }

  @Test func aLedgerThatIsSlowToOpenHasTimeAndNoneIsAskedForOnceItIsOpen() async throws {
    try await DaemonFixture.with { shop in
      let socket = try DatagramSocket(path: shop.folder.path("notify"))
      // Another process has the ledger for a moment.
      let descriptor = unsafe open(shop.ledgerFile + ".lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
      try #require(descriptor >= 0 && flock(descriptor, LOCK_EX | LOCK_NB) == 0)
      let daemon = try shop.launch(environment: ["NOTIFY_SOCKET": socket.path])
      let first = String(decoding: try #require(socket.receive(milliseconds: 20_000)), as: UTF8.self)
      #expect(first == "EXTEND_TIMEOUT_USEC=30000000\nSTATUS=opening the ledger")
      close(descriptor)
      var heard: [String] = []
      let isReady = await eventually(within: .seconds(20)) {
        while let message = socket.receive(milliseconds: 1) { heard.append(String(decoding: message, as: UTF8.self)) }
        return heard.contains("READY=1")
      }
      #expect(isReady, "\(heard) \(daemon.standardError)")
      // Longer than the time between two requests.
      try await Task.sleep(for: .seconds(11))
      while let message = socket.receive(milliseconds: 1) { heard.append(String(decoding: message, as: UTF8.self)) }
      let after = heard.drop { $0 != "READY=1" }
      #expect(after.count > 1 && !after.contains { $0.hasPrefix("EXTEND_TIMEOUT_USEC") }, "\(heard)")
    }
  }
}
