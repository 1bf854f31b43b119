import PartnersSandbox
import TestHosts
import Testing

@testable import conversiond

/// A pooler in transaction mode whose server sessions keep what other clients have set.
@Suite struct SharedPoolTests {
  @Test(.timeLimit(.minutes(5))) func aMinuteOfOrdersBesideClientsThatLeakTheirSettings() async throws {
    let (cluster, count) = (try await PostgresCluster.shared(), 60)
    try await DaemonFixture.with(["orders.poll_interval": "1s"], cluster: cluster) { shop in
      try await shop.database.execute(
        """
        CREATE SCHEMA tenant2;
        CREATE TABLE tenant2.orders (LIKE public.orders INCLUDING ALL);
        INSERT INTO tenant2.orders SELECT 1000 + i, 'tenant' || i || '@example.com', NULL, NULL, 1, 'EUR', 'paid', now()
          FROM generate_series(1, 60) i;
        """)
      try await shop.sandbox.put(
        (1...count).flatMap { number in
          ["friend", "tenant"].map { SandboxReferral("\($0)\(number)", email: "\($0)\(number)@example.com") }
        })
      let bouncer = try await PgBouncer(before: cluster)
      let name = shop.database.name
      try shop.configure(["orders.connection": DaemonConfiguration.quoted(bouncer.conninfo(database: name))])
      try await shop.start()
      #expect(await shop.catchesUp())
      let leaks = [
        "SET search_path = tenant2", "SET search_path = tenant2; SET datestyle = 'German'; SET timezone = 'Asia/Tokyo'",
        "SET standard_conforming_strings = off; SET extra_float_digits = -4", "SET statement_timeout = '1ms'",
        "SET default_transaction_isolation = 'read committed'; SET enable_indexscan = off",
        "SET bytea_output = 'escape'; SET row_security = off",
        "PREPARE p AS SELECT 1; DECLARE c CURSOR WITH HOLD FOR SELECT 1; LISTEN other; CREATE TEMP TABLE orders (id int)",
        "RESET ALL; DEALLOCATE ALL; CLOSE ALL; DROP TABLE IF EXISTS pg_temp.orders",
      ]
      var leaked = 0
      for number in 1...count {
        try await shop.insert(ShopOrder(number, email: "friend\(number)@example.com", daysAgo: 0))
        // A client may be cut off itself by the time limit that another one has left.
        if (try? await bouncer.execute(leaks[number % leaks.count], database: name)) != nil { leaked += 1 }
        try await Task.sleep(for: .seconds(1))
      }
      #expect(leaked > count / 2, "\(leaked) of \(count) left their settings")
      let reported = Dictionary(uniqueKeysWithValues: (1...count).map { (String($0), "reported") })
      #expect(await shop.reaches(reported, within: .seconds(60)))
      let paid = await shop.sandbox.state.converted.map(\.referralID)
      #expect(paid.count == count && paid.allSatisfy { $0.hasPrefix("friend") })
      let wrong = shop.log.split(separator: "\n").filter {
        $0.contains("event=cancelled") || $0.contains("event=review")
      }
      #expect(wrong.isEmpty, "\(wrong.prefix(5))")
      try await shop.stop()
      try await bouncer.stop()
    }
  }
}
