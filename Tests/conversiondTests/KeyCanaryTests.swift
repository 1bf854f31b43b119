import Foundation
import PartnersSandbox
import TestHosts
import Testing

@Suite struct KeyCanaryTests {
  private static let email = "canary.of.the.mine@example.com"

  /// Every file of the fixture but the two that must hold the secret, with its bytes.
  private func files(_ shop: DaemonFixture) -> [(name: String, bytes: Data)] {
    let names = FileManager.default.enumerator(atPath: shop.folder.path)?.compactMap { $0 as? String } ?? []
    return names.filter { $0 != "api-key" }.compactMap { name in
      FileManager.default.contents(atPath: shop.folder.path(name)).map { (name, $0) }
    }
  }

  @Test func theKeyIsNowhereButInItsFile() async throws {
    try await DaemonFixture.with { shop in
      try await shop.sandbox.put((1...4).map { SandboxReferral("r\($0)", email: "friend\($0)@example.com") })
      try await shop.sandbox.put([SandboxReferral("canary", email: Self.email)])
      try await shop.insert((1...4).map { ShopOrder($0, email: "friend\($0)@example.com") })
      try await shop.insert(ShopOrder(5, email: Self.email, total: "-1"))
      // An API, or a proxy before it, that sends back what it was sent.
      let echo = SandboxAnswer(
        400, body: #"{"error":{"code":"VALIDATION_ERROR","message":"bad key \#(DaemonFixture.key)","fields":[]}}"#)
      await shop.sandbox.order(
        SandboxFaultRule(.answer(echo), on: .conversions),
        SandboxFaultRule(.answer(SandboxAnswer(500, body: "<html>\(DaemonFixture.key)</html>")), on: .conversions),
        SandboxFaultRule(.reset(afterWork: false), on: .conversions))
      let daemon = try await shop.start()
      let rest = ["2", "3", "4"].map { ($0, "reported") }
      let expected = Dictionary(uniqueKeysWithValues: rest).merging(["1": "review: rejected"]) { $1 }
      #expect(await shop.reaches(expected))
      for name in ["cmdline", "environ", "comm", "status"] {
        let bytes = FileManager.default.contents(atPath: "/proc/\(daemon.pid)/\(name)") ?? Data()
        #expect(!bytes.isEmpty)
        #expect(bytes.range(of: Data(DaemonFixture.key.utf8)) == nil, "/proc/\(daemon.pid)/\(name)")
      }
      await shop.sandbox.setKeys([:])
      try await shop.insert(ShopOrder(6, email: Self.email))
      var printed = ""
      for arguments in [["status"], ["queue", "list", "--state", "ALL"], ["queue", "show", "1", "2", "3", "5", "6"]] {
        for option in [[], ["--json"]] {
          let result = try await shop.run(arguments + option + ["--config", shop.configurationFile])
          printed += result.output + result.errors
        }
      }
      for isRunning in [true, false] {
        for (name, bytes) in files(shop) {
          #expect(bytes.range(of: Data(DaemonFixture.key.utf8)) == nil, "\(name), running: \(isRunning)")
        }
        if isRunning { try await shop.stop() }
      }
      for (what, text) in [("log", shop.log), ("standard output", shop.output), ("commands", printed)] {
        #expect(!text.contains(DaemonFixture.key), "the key in the \(what)")
        #expect(!text.contains(Self.email), "an e-mail in the \(what)")
      }
    }
  }
}
