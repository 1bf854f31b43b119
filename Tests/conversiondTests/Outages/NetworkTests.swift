import Foundation
import Glibc
import PartnersSandbox
import TestHosts
import Testing

/// Networks and name servers that fail, or only fall silent.
@Suite struct NetworkTests {
  /// A name server on 127.99.0.1 that takes questions and answers none.
  private final class SilentNameServer {
    private let descriptor: Int32

    init?() {
      descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      address.sin_port = UInt16(53).bigEndian
      address.sin_addr.s_addr = unsafe inet_addr("127.99.0.1")
      let isBound = unsafe withUnsafePointer(to: &address) { pointer in
        unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
          unsafe bind(descriptor, pointer, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
        }
      }
      guard isBound else { return nil }
    }

    deinit { close(descriptor) }
  }

  /// A program that becomes another one, which asks that name server.
  private func asking(_ server: String, _ shop: DaemonFixture) throws -> [String] {
    let file = try shop.folder.write("nameserver \(server)\noptions timeout:20 attempts:2\n", to: "resolv.conf")
    return ["unshare", "--mount", "sh", "-c", #"mount --bind "$0" /etc/resolv.conf && exec "$@""#, file]
  }

  private static let isPossible = PrivateDisk.isPermitted && getuid() == 0

  @Test(.enabled(if: isPossible, "mounting is not permitted here"), arguments: ["127.99.0.1", "127.99.0.2"])
  func aDatabaseWhoseNameIsNotFoundHoldsUpNeitherTheAPINorTheEnd(server: String) async throws {
    let silent = server == "127.99.0.1" ? SilentNameServer() : nil
    defer { withExtendedLifetime(silent) {} }
    try await DaemonFixture.with(["orders.connection": "'host=db.shop.example dbname=shop user=shop sslmode=require'"])
    { shop in
      try await shop.sandbox.put([SandboxReferral("r", email: "ana@example.com")])
      let daemon = try await shop.start(prefix: try asking(server, shop))
      #expect(
        await eventually(within: .seconds(20)) { await shop.sandbox.state.counters.requests >= 4 }, "the API is read")
      let began = ContinuousClock.now
      _ = try await shop.status()
      #expect(ContinuousClock.now - began < .seconds(5))
      #expect(await eventually(within: .seconds(75)) { shop.log.contains("event=poll_failed") })
      #expect(daemon.end == nil)
      #expect(try await shop.stop() == .exited(0))
    }
  }

  @Test(.enabled(if: isPossible, "mounting is not permitted here"), arguments: ["127.99.0.1", "127.99.0.2"])
  func anAPIWhoseNameIsNotFoundHoldsUpNeitherIntakeNorTheEnd(server: String) async throws {
    let silent = server == "127.99.0.1" ? SilentNameServer() : nil
    defer { withExtendedLifetime(silent) {} }
    try await DaemonFixture.with { shop in
      try await shop.sandbox.put([SandboxReferral("r", email: "ana@example.com")])
      try await shop.insert(ShopOrder(1, email: "ana@example.com"))
      try await shop.start()
      #expect(await shop.reaches(["1": "reported"]))
      try await shop.stop()
      try shop.configure(["api.base_url": "'https://api.partners.example/api/v1/partners'"])
      try await shop.acceptMapping()
      try await shop.insert(ShopOrder(2, email: "nobody@example.com"))
      try await shop.start(prefix: try asking(server, shop))
      #expect(await shop.reaches(["2": "waiting"], within: .seconds(15)))
      // The host's own resolver would wait for 40 s.
      let isTold = { ["event=mirror_failed", "event=deferred"].contains { shop.log.contains($0) } }
      #expect(await eventually(within: .seconds(25), isTold), "needs libcurl 7.87")
      try await shop.insert(ShopOrder(3, email: "nobody@example.com"))
      #expect(await shop.reaches(["3": "waiting"], within: .seconds(15)))
      let began = ContinuousClock.now
      #expect(try await shop.stop() == .exited(0))
      #expect(ContinuousClock.now - began < .seconds(30))
    }
  }

  @Test(.enabled(if: PrivateNetwork.isPermitted && getuid() == 0, "networks are not permitted here"))
  func aCableThatIsPulledIsNoticedWithinAMinute() async throws {
    let network = try await PrivateNetwork()
    let cluster = try await PostgresCluster.start(
      settings: ["listen_addresses": network.address], listensOnLoopback: true)
    try await DaemonFixture.with(cluster: cluster) { shop in
      let rules = try String(contentsOfFile: cluster.data + "/pg_hba.conf", encoding: .utf8)
      try "host all all 10.213.0.0/16 trust\n\(rules)"
        .write(toFile: cluster.data + "/pg_hba.conf", atomically: false, encoding: .utf8)
      try await shop.database.execute("SELECT pg_reload_conf()")
      let service =
        "[shop]\nhost=\(network.address)\nport=\(cluster.port)\ndbname=\(shop.database.name)\nuser=postgres\n"
      let file = try shop.folder.write(service, to: "services")
      try shop.configure(["orders.connection": "'service=shop'"])
      try await shop.insert(ShopOrder(1, email: "ana@example.com"))
      try await shop.start(environment: ["PGSERVICEFILE": file])
      #expect(await shop.catchesUp())
      try await shop.stop()
      // The sandbox is out of reach from here on.
      try await shop.start(prefix: network.prefix, environment: ["PGSERVICEFILE": file])
      let ours = """
        SELECT count(*) FROM pg_stat_activity WHERE application_name = 'conversiond' AND client_addr IS NOT NULL
        """
      #expect(await eventually(within: .seconds(15)) { (try? await shop.database.execute(ours)) != "0" })
      try await Task.sleep(for: .seconds(2))
      #expect(!shop.log.contains("event=poll_failed"))
      try await network.cut()
      let began = ContinuousClock.now
      #expect(await eventually(within: .seconds(60)) { shop.log.contains("event=poll_failed") })
      print("a pulled cable was noticed after \(ContinuousClock.now - began)")
      try await network.mend()
      #expect(await eventually(within: .seconds(90)) { shop.log.contains("event=poll_recovered") })
      #expect(try await shop.stop() == .exited(0))
    }
    try await cluster.stop()
  }
}
