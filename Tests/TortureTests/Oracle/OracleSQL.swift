/// The rules of matching once more, in SQL over everything that ever was to be seen, and independent of the daemon's.
///
/// Differences that depend on time, and no others, are allowed:
/// 1. An order is judged by a version that was to be seen right before its first send (`slack` for the way from the
///    look to the send, and for a standby's delay): it may have changed since.
/// 2. If a referral gained a key, the daemon may or may not have known at a send, if its last complete sweep of the
///    referrals began before. A key known before that sweep must have been heeded (`oracle.known`).
/// 3. Any of several orders of one referral may be the one that converts it: with no hold the first seen wins.
/// 4. An order that was reported, or superseded because its referral of that time was converted by another order, stays
///    so, although another referral that gained its key later would be its referral now.
/// 5. An order whose only send was cut off, and which stopped qualifying right then, is kept for 15 minutes.
enum OracleSQL {
  static let slack = "interval '5 seconds'"

  /// The facts. `referrals` is the API's final list, `keys` and `sweeps` are the test's own notes; JSON each.
  static func load(referrals: String, keys: String, sweeps: String, daemonStart: Double) -> String {
    """
    CREATE SCHEMA oracle;
    \(self.referrals(referrals))
    CREATE TABLE oracle.sweeps AS
      SELECT to_timestamp(began) AS began, ended
      FROM jsonb_to_recordset($json$\(sweeps)$json$) AS s(began float8, ended timestamptz);
    -- Nothing is sent before the first complete sweep, and that began after the daemon.
    INSERT INTO oracle.sweeps VALUES (to_timestamp(\(daemonStart)), '-infinity');
    CREATE FUNCTION oracle.known(at timestamptz) RETURNS timestamptz STABLE LANGUAGE sql AS
      'SELECT max(began) FROM oracle.sweeps WHERE ended <= at';

    -- The keys that each referral had from when until when. Only non-blank ones match anything.
    CREATE TABLE oracle.keys AS
      SELECT referral, nullif(lower(btrim(email)), '') AS email, lead, to_timestamp("sentAt") AS sent_at,
        to_timestamp("answeredAt") AS answered_at, lead(to_timestamp("sentAt")) OVER w AS gone_sent,
        lead(to_timestamp("answeredAt")) OVER w AS gone_answered
      FROM jsonb_to_recordset($json$\(keys)$json$)
        AS k(referral text, email text, lead text, "sentAt" float8, "answeredAt" float8)
      WINDOW w AS (PARTITION BY referral ORDER BY "sentAt");
    ANALYZE oracle.keys;
    CREATE TABLE oracle.in_doubt (order_id bigint);
    CREATE TABLE oracle.first_sends (order_id bigint, at timestamptz);
    """
  }

  static func referrals(_ json: String) -> String {
    """
    SET client_min_messages = warning;
    DROP TABLE IF EXISTS oracle.referrals;
    CREATE TABLE oracle.referrals AS
      SELECT "referralId" AS id, status = 'converted' AS is_converted, to_timestamp("createdAt" / 1000.0) AS created_at,
        -- Milliseconds, cut: the end of that millisecond.
        to_timestamp(("convertedAt" + 1) / 1000.0) AS converted_at, "conversionValue"::bigint AS cents,
        "externalTransactionId" AS transaction_id
      FROM jsonb_to_recordset($json$\(json)$json$) AS r("referralId" text, status text, "createdAt" bigint,
        "convertedAt" bigint, "conversionValue" text, "externalTransactionId" text);
    CREATE UNIQUE INDEX ON oracle.referrals (id);
    CREATE INDEX ON oracle.referrals (transaction_id);
    ANALYZE oracle.referrals;
    """
  }

  private static let columns = """
    v.number, v.order_id, v.cents, v.seen_from, v.seen_until, v.qualifies, v.placed_at, k.referral, k.sent_at, \
    k.answered_at, k.gone_sent, k.gone_answered
    """

  /// SQL that computes what was to be seen, and what matched what; to be run once nothing is written any more.
  static let judge = """
    CREATE TABLE oracle.versions AS
      WITH noted AS (
        SELECT *, pg_xact_commit_timestamp(xmin) AS seen_from FROM order_versions
      ), committed AS (
        SELECT DISTINCT ON (order_id, seen_from) * FROM noted ORDER BY order_id, seen_from, number DESC
      )
      SELECT number, order_id, is_gone, nullif(lower(btrim(email)), '') AS email, lead_id AS lead, total_cents AS cents,
        placed_at, status IN ('paid', 'completed') AND upper(currency) = 'EUR' AND NOT is_gone AS qualifies, seen_from,
        lead(seen_from) OVER (PARTITION BY order_id ORDER BY number) AS seen_until
      FROM committed;

    CREATE INDEX ON oracle.versions (order_id);
    ANALYZE oracle.versions;

    CREATE TABLE oracle.matches AS
      WITH shared AS (
        SELECT \(columns), 0 AS rank FROM oracle.versions v JOIN oracle.keys k ON v.lead = k.lead
        UNION ALL
        SELECT \(columns), 1 FROM oracle.versions v JOIN oracle.keys k ON v.email = k.email
        WHERE (v.lead = k.lead) IS NOT TRUE
      )
      SELECT s.number, s.order_id, s.cents, s.seen_from, s.seen_until, s.referral, s.rank, s.sent_at, s.answered_at,
        s.gone_sent, s.gone_answered, r.created_at
      FROM shared s JOIN oracle.referrals r ON r.id = s.referral
      WHERE s.qualifies AND s.placed_at >= r.created_at
        AND s.placed_at <= r.created_at + interval '\(ShopSchema.attributionWindowDays) days';
    CREATE INDEX ON oracle.matches (referral);
    CREATE INDEX ON oracle.matches (number);
    CREATE INDEX ON oracle.matches (order_id);
    ANALYZE oracle.matches;

    -- True if another referral than m's was to be preferred, and the daemon had to know by a time.
    CREATE FUNCTION oracle.has_better(m oracle.matches, at timestamptz) RETURNS boolean STABLE LANGUAGE sql AS $$
      SELECT EXISTS (
        SELECT FROM oracle.matches b
        WHERE b.number = m.number AND b.referral <> m.referral
          AND (b.rank, b.created_at, b.referral) < (m.rank, m.created_at, m.referral)
          AND b.answered_at <= oracle.known(at - \(slack)) AND (b.gone_sent IS NULL OR b.gone_sent > at))
    $$;

    -- Each order's referral as things are at the end.
    CREATE TABLE oracle.choices AS
      SELECT DISTINCT ON (order_id) * FROM oracle.matches WHERE seen_until IS NULL AND gone_sent IS NULL
      ORDER BY order_id, rank, created_at, referral;
    ANALYZE oracle.choices;
    """

  /// The orders that should have converted their referral, which nothing has.
  static let missed = """
    SELECT c.* FROM oracle.choices c
    JOIN oracle.referrals r ON r.id = c.referral AND NOT r.is_converted
    WHERE NOT EXISTS (SELECT FROM oracle.referrals x WHERE x.transaction_id = c.order_id::text)
      AND NOT EXISTS (SELECT FROM oracle.in_doubt d WHERE d.order_id = c.order_id)
      AND NOT EXISTS (
        SELECT FROM oracle.matches m
        JOIN oracle.referrals other ON other.id = m.referral AND other.is_converted
        WHERE m.order_id = c.order_id
          AND (m.seen_until IS NULL OR m.seen_until + \(slack) >= other.converted_at)
          AND NOT oracle.has_better(m, greatest(m.seen_from, m.sent_at, other.converted_at)))
    """

  /// The conversions that were not right when they were sent, and transaction IDs that were used twice.
  static let wrong = """
    SELECT r.id, r.transaction_id, r.cents, r.converted_at FROM oracle.referrals r
    LEFT JOIN oracle.first_sends f ON f.order_id::text = r.transaction_id
    CROSS JOIN LATERAL (SELECT coalesce(f.at, r.converted_at) AS at) sent
    WHERE r.is_converted AND NOT EXISTS (
      SELECT FROM oracle.matches m
      WHERE m.referral = r.id AND m.order_id::text = r.transaction_id AND m.cents = r.cents
        AND m.seen_from <= sent.at AND (m.seen_until IS NULL OR m.seen_until >= sent.at - \(slack))
        AND m.sent_at <= sent.at
        AND (m.gone_answered IS NULL OR m.gone_answered >= oracle.known(sent.at - \(slack)))
        AND NOT oracle.has_better(m, sent.at))
    UNION ALL
    SELECT min(id), transaction_id, count(*), NULL FROM oracle.referrals
    WHERE is_converted GROUP BY transaction_id HAVING count(*) > 1
    """

  /// SQL that counts everything, in the order in which it is printed.
  static let counts = """
    SELECT (SELECT count(*) FROM orders), (SELECT count(*) FROM oracle.versions),
      (SELECT count(*) FROM oracle.versions WHERE seen_until IS NULL AND qualifies),
      (SELECT count(*) FROM oracle.choices), (SELECT count(DISTINCT referral) FROM oracle.choices),
      (SELECT count(*) FROM oracle.referrals WHERE is_converted),
      (SELECT count(DISTINCT referral) FROM (\(missed)) AS m), (SELECT count(*) FROM (\(wrong)) AS w),
      (SELECT count(*) FROM oracle.in_doubt), (SELECT count(*) FROM oracle.versions WHERE seen_from IS NULL)
    """

  /// Each missed order with what helps to find out why: order ID, its last version's xmin, the rest for people.
  static let missedDetails = """
    SELECT m.order_id, format('xmin %s, written as %s, updated_at %s, seen from %s in %s versions; %s since %s',
      o.xmin, o.written_as, o.updated_at, m.seen_from,
      (SELECT count(*) FROM oracle.versions v WHERE v.order_id = m.order_id), m.referral, m.answered_at)
    FROM (\(missed)) m JOIN orders o ON o.id = m.order_id ORDER BY m.seen_from LIMIT 20
    """

  /// Each wrong conversion and all versions of its order.
  static let wrongDetails = """
    SELECT w.transaction_id, format('for %s, %s cents, converted %s; %s', w.id, w.cents, w.converted_at,
      (SELECT string_agg(format('[%s: %s %s, %s cents, placed %s, %s, seen %s to %s]', v.number, v.email, v.lead, v.cents,
        v.placed_at, v.qualifies, v.seen_from, v.seen_until), ' ' ORDER BY v.number)
      FROM oracle.versions v WHERE v.order_id::text = w.transaction_id))
    FROM (\(wrong)) w LIMIT 20
    """
}
