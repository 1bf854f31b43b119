import Conversions
import Ledger

/// The shop that benchmarks read, and the referrals that its orders match.
enum BenchmarkShop {
  /// Two years of orders. Orders of the same friend and referral are one in 32.
  static func sql(orders: Int) -> String {
    """
    SET client_min_messages = warning;
    CREATE TABLE orders (id bigint PRIMARY KEY, customer_email text, lead_id text, status text NOT NULL,
      total_cents bigint, currency text, created_at timestamptz NOT NULL, updated_at timestamptz);
    INSERT INTO orders SELECT g,
      CASE WHEN g % 32 = 0 THEN 'friend' || g / 32 ELSE 'buyer' || g END || '@example.com',
      CASE WHEN g % 10 = 0 THEN 'lead_' || g END,
      (ARRAY['paid','pending','completed','cancelled','paid','completed','refunded','paid'])[1 + g % 8],
      1000 + g % 90000, 'EUR', t, t
    FROM (SELECT g, now() - interval '730 days' + g * (interval '730 days' / \(orders)) AS t
      FROM generate_series(1, \(orders)) g) AS s;
    CREATE INDEX ON orders (updated_at);
    VACUUM ANALYZE orders;
    """
  }

  static let copy = """
    \\copy (SELECT id, customer_email, lead_id, status, total_cents, currency, created_at, updated_at FROM orders) TO /dev/null
    """

  /// A ledger whose mirror is complete: each referral was made a day before the order of its friend.
  static func makeLedger(_ path: String, referrals: Int, orders: Int) async throws {
    let ledger = try SQLiteLedger(path: path)
    let (now, span) = (SystemClock().now, Duration.seconds(730 * 86_400))
    for start in stride(from: 1, through: referrals, by: 5000) {
      try await ledger.transaction { transaction in
        for number in start..<min(start + 5000, referrals + 1) {
          let placed = now - span + span * (Double(number * 32 % orders) / Double(orders))
          let referral = Referral(
            id: ReferralID("ref_\(number)"), status: .pending, friendEmail: "friend\(number)@example.com",
            createdAt: placed - .seconds(86_400))
          _ = try transaction.record(referral, seenAt: now)
        }
      }
    }
    try ledger.close()
  }
}
