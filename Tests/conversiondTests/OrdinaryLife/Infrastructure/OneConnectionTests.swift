import PartnersSandbox
import TestHosts
import Testing

@testable import conversiond

@Suite struct OneConnectionTests {
  @Test(arguments: ["limit", "session", "clients"])
  func ordersAreReportedOnOneConnectionAndTheDaemonEndsInTime(kind: String) async throws {
    let cluster = try await PostgresCluster.shared()
    try await DaemonFixture.with { shop in
      let role = "single_\(shop.database.name)"
      try await shop.database.execute("CREATE ROLE \(role) LOGIN CONNECTION LIMIT 1; GRANT SELECT ON orders TO \(role)")
      let bouncer =
        switch kind {
        case "session": try await PgBouncer(before: cluster, users: [role], ["pool_mode": "session"])
        case "clients": try await PgBouncer(before: cluster, users: [role], ["max_client_conn": "1"])
        default: PgBouncer?.none
        }
      let name = shop.database.name
      try shop.configure([
        "orders.connection": DaemonConfiguration.quoted(
          bouncer?.conninfo(database: name, user: role) ?? shop.database.conninfo(user: role)),
        "orders.notify_channel": "orders",
      ])
      try await shop.sandbox.put((1...2).map { SandboxReferral("r\($0)", email: "friend\($0)@example.com") })
      try await shop.insert(ShopOrder(1, email: "friend1@example.com"))
      try await shop.start()
      #expect(await shop.reaches(["1": "reported"]))
      try await shop.insert(ShopOrder(2, email: "friend2@example.com"))
      #expect(await shop.reaches(["2": "reported"]))
      #expect(shop.log.split(separator: "\n").count { $0.contains("no second connection") } == 1)
      #expect(!shop.log.contains("event=ledger_failed"))
      #expect(try await shop.status().end == .exited(0))
      if kind == "limit" {
        let check = try await shop.run("check")
        #expect(check.end == .exited(0) && check.output.contains("no connection is left beside those"), "\(check)")
        try await shop.database.execute("ALTER ROLE \(role) CONNECTION LIMIT 2")
        #expect(
          try await eventually {
            try await shop.run("check").output.contains("it and this check share the limit, and on")
          })
      }
      #expect(try await shop.stop(within: .seconds(15)) == .exited(0))
      try await bouncer?.stop()
    }
  }
}
