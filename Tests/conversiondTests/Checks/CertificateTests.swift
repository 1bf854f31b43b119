import Foundation
import PartnersSandbox
import TestHosts
import Testing

@testable import conversiond

/// An API whose certificate is not right, while the host trusts the authority that signed it.
@Suite struct CertificateTests {
  @Test(
    .enabled("needs mounts, and openssl") {
      let hasOpenSSL = await TLSServer.isAvailable()
      return PrivateDisk.isPermitted && hasOpenSSL
    }, arguments: [("expired", true), ("other", true), ("alone", true), ("good", false)])
  func aPersonIsToldAndNothingIsSentUntilItIsRight(_ name: String, isHalted: Bool) async throws {
    try await DaemonFixture.with { shop in
      try await shop.sandbox.put((1...2).map { SandboxReferral("r\($0)", email: "friend\($0)@example.com") })
      try await shop.insert(ShopOrder(1, email: "friend1@example.com"))
      try await shop.start()
      #expect(await shop.reaches(["1": "reported"]))
      try await shop.stop()
      let honest = await shop.sandbox.state.requests.count
      let folder = try TemporaryFolder("tls")
      try await TLSServer.makeCertificates(in: folder.path)
      let server = try await TLSServer(folder: folder.path, certificate: name)
      let address = try await shop.baseURL()
      try shop.configure(["api.base_url": "'https://127.0.0.1:\(server.port)/api/v1/partners'"])
      try await shop.acceptMapping()
      try await shop.insert(ShopOrder(2, email: "friend2@example.com"))
      let trusting = #"mount --bind "$0" /etc/ssl/certs/ca-certificates.crt && exec "$@""#
      try await shop.start(prefix: ["unshare", "--mount", "sh", "-c", trusting, folder.path("ca.pem")])
      // Nothing is tried that was never sent while the referrals can't be read; this is what says why, as an error.
      let halted = "error   reading referrals failed: SSL"
      if isHalted {
        #expect(await eventually(within: .seconds(40)) { shop.log.contains(halted) })
        #expect(try await shop.status().end == .exited(1))
        let lines = shop.log.split(separator: "\n").filter { $0.contains(halted) }
        #expect(lines.allSatisfy { $0.contains("event=api_halted") && $0.contains("reason=tls") })
      } else {
        // The page that it answers with is no list of referrals; but it was talked to.
        #expect(await eventually(within: .seconds(40)) { shop.log.contains("HTTP 200, text/html") })
        #expect(!shop.log.contains(halted))
      }
      #expect(await shop.reaches(["2": "queued"]))
      #expect(await shop.sandbox.state.requests.count == honest)
      try await shop.stop()
      await server.stop()
      try shop.configure(["api.base_url": address])
      try await shop.acceptMapping()
      try await shop.start()
      #expect(await shop.reaches(["2": "reported"]))
      #expect(await shop.sandbox.state.counters.converted == 2)
    }
  }
}

extension DaemonFixture {
  /// `api.base_url` as it is configured.
  fileprivate func baseURL() async throws -> String {
    let text = try String(contentsOfFile: configurationFile, encoding: .utf8)
    let line = try #require(text.split(separator: "\n").first { $0.contains("base_url:") })
    return String(line.drop { $0 != "'" })
  }
}
