import PartnersSandbox
import TestHosts
import Testing

@testable import conversiond

/// Orders are named as shop and log show them, whatever numbers their entries have.
@Suite struct NamedOrdersTests {
  @Test func anOrderIsShownByItsIDAndAnIDThatSeveralShareShowsEach() async throws {
    try await DaemonFixture.with(["orders.columns.id": "no", "orders.key": "id"]) { shop in
      try await shop.database.execute(
        """
        ALTER TABLE orders ADD no text;
        INSERT INTO orders SELECT i, 'friend' || i || '@example.com', NULL, NULL, 1000, 'EUR', 'paid', now(),
          CASE WHEN i < 4 THEN (4 - i)::text ELSE '#1001' END
        FROM generate_series(1, 5) i
        """)
      try await shop.start()
      #expect(await shop.reaches(["1": "waiting", "2": "waiting", "3": "waiting", "4": "review: id_repeated"]))
      for _ in [true, false] {
        let one = try await shop.run("queue", "show", "1")
        #expect(one.end == .exited(0) && one.output.contains("order 1 (#"), "\(one)")
        #expect(one.output.contains(#/key +3\n/#), "by its ID, not by its entry's number: \(one)")
        let shared = try await shop.run("queue", "show", "#1001", "--json")
        #expect(shared.output.split(separator: "\n").count == 2, "\(shared)")
        #expect(shared.output.contains(#""key":"4""#) && shared.output.contains(#""key":"5""#))
        let held = try await shop.run("queue", "hold", "#1001")
        #expect(held.output.contains("2 of 2"), "hold takes the same names: \(held)")
        try await shop.stop()
      }
    }
  }
}
