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
}
