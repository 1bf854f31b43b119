import Foundation
import PartnersSandbox
import TestHosts
import Testing

@testable import conversiond

/// The name of the API leads to another address, while the server at the old one stays up.
@Suite struct ChangedAddressTests {
  /// The longest that requests may go to the old address.
  private static let oldMax = Duration.seconds(300)

  @Test(.enabled("needs mounts") { PrivateDisk.isPermitted }, .timeLimit(.minutes(8)))
  func allRequestsGoToTheNewOneWithinFiveMinutes() async throws {
    try await DaemonFixture.with { shop in
      let referrals = (1...2).map { SandboxReferral("r\($0)", email: "friend\($0)@example.com") }
      try await shop.sandbox.put(referrals)
      let new = PartnersSandbox(.unlimited)
      let newPort = Int(try await new.start().port)
      try await new.put(referrals)
      let folder = try TemporaryFolder("address")
      try await TLSServer.makeCertificates(in: folder.path)
      let certificate = try ["other.pem", "good.key"].map {
        try String(contentsOfFile: folder.path($0), encoding: .utf8)
      }
      try folder.write(certificate.joined(), to: "both.pem", permissions: 0o600)
      let port = 7443
      let proxy = try await HAProxy(
        certificate: folder.path("both.pem"), on: port,
        before: [("127.0.0.1", try await shop.sandboxPort()), ("127.0.0.2", newPort)])
      try folder.write("127.0.0.1 a.example\n", to: "hosts", permissions: 0o644)
      try shop.configure(["api.base_url": "'https://a.example:\(port)/api/v1/partners'"])
      try await shop.insert(ShopOrder(1, email: "friend1@example.com"))
      let mounts =
        #"mount --bind "$0/ca.pem" /etc/ssl/certs/ca-certificates.crt && mount --bind "$0/hosts" /etc/hosts && exec "$@""#
      try await shop.start(prefix: ["unshare", "--mount", "sh", "-c", mounts, folder.path])
      #expect(await shop.reaches(["1": "reported"]))

      // Written in place: the mount shows the file that it was made of.
      let file = try FileHandle(forWritingTo: URL(filePath: folder.path("hosts")))
      try file.write(contentsOf: Data("127.0.0.2 a.example\n".utf8))
      try file.close()
      let changed = ContinuousClock.now
      var (old, last) = (await shop.sandbox.state.counters.requests, changed)
      let isGone = await eventually(within: Self.oldMax + .seconds(70), every: .seconds(1)) {
        let now = await shop.sandbox.state.counters.requests
        if now != old { (old, last) = (now, ContinuousClock.now) }
        return await new.state.counters.requests > 0 && ContinuousClock.now - last > .seconds(60)
      }
      print("address: the last request to the old one left \((last - changed).components.seconds) s after the change")
      #expect(isGone && last - changed <= Self.oldMax)
      try await shop.insert(ShopOrder(2, email: "friend2@example.com"))
      #expect(await shop.reaches(["2": "reported"]))
      #expect(await new.state.reports.count == 1)
      try await shop.stop()
      try await proxy.stop()
      await new.stop()
    }
  }
}

extension DaemonFixture {
  fileprivate func sandboxPort() async throws -> Int { Int(try await sandbox.waitUntilListening().port) }
}
