import PartnersSandbox
import TestHosts
import Testing

@testable import conversiond

/// A balancer before a primary and a standby: each connection may lead to either.
@Suite struct LaggingStandbyTests {
  @Test(arguments: [false, true])
  func eachOrderIsReportedOnceAndLateByTheLagAtMost(standbyFirst: Bool) async throws {
    let primary = try await PostgresCluster.start()
    try await DaemonFixture.with(cluster: primary) { shop in
      let standby = try await primary.startStandby()
      try await standby.database("postgres").execute("ALTER SYSTEM SET recovery_min_apply_delay = '4s'")
      try await standby.database("postgres").execute("SELECT pg_reload_conf()")
      let balancer = try ConnectionBalancer(standbyFirst ? [standby, primary] : [primary, standby])
      try shop.configure([
        "orders.connection": DaemonConfiguration.quoted(balancer.conninfo(database: shop.database.name))
      ])
      try await shop.sandbox.put((1...6).map { SandboxReferral("r\($0)", email: "friend\($0)@example.com") })
      try await shop.start()
      #expect(await shop.catchesUp())
      for number in 1...6 {
        try await shop.insert(ShopOrder(number, email: "friend\(number)@example.com"))
        try await Task.sleep(for: .milliseconds(300))
      }
      let reported = Dictionary(uniqueKeysWithValues: (1...6).map { (String($0), "reported") })
      #expect(await shop.reaches(reported, within: .seconds(100)))
      #expect(await shop.sandbox.state.reports.count == 6)
      #expect(!shop.log.contains("cancelled"))
      try await shop.stop()
      try await standby.stop()
    }
    try await primary.stop()
  }

  /// Real HAProxy, a lag of six seconds, and a minute of orders, one a second; each third is changed while it is new.
  @Test(.timeLimit(.minutes(5))) func aMinuteOfOrdersThroughHAProxy() async throws {
    let (primary, count) = (try await PostgresCluster.start(), 60)
    try await DaemonFixture.with(["orders.poll_interval": "1s"], cluster: primary) { shop in
      let standby = try await primary.startStandby()
      try await standby.database("postgres").execute("ALTER SYSTEM SET recovery_min_apply_delay = '6s'")
      try await standby.database("postgres").execute("SELECT pg_reload_conf()")
      let proxy = try await HAProxy(before: [primary, standby])
      try shop.configure([
        "orders.connection": DaemonConfiguration.quoted(proxy.conninfo(database: shop.database.name))
      ])
      try await shop.sandbox.put((1...count).map { SandboxReferral("r\($0)", email: "friend\($0)@example.com") })
      try await shop.start()
      #expect(await shop.catchesUp())
      for number in 1...count {
        try await shop.insert(ShopOrder(number, email: "friend\(number)@example.com", daysAgo: 0))
        if number % 3 == 0 {
          try await shop.database.execute("UPDATE orders SET customer_id = 'c' WHERE id = \(number)")
        }
        try await Task.sleep(for: .seconds(1))
      }
      let reported = Dictionary(uniqueKeysWithValues: (1...count).map { (String($0), "reported") })
      #expect(await shop.reaches(reported, within: .seconds(100)))
      #expect(await shop.sandbox.state.reports.count == count)
      #expect(!shop.log.contains("cancelled") && !shop.log.contains("event=review"))
      try await shop.stop()
      try await proxy.stop()
      try await standby.stop()
    }
    try await primary.stop()
  }
}
