-- The outcome that each order must have, by the rules alone: the same rules as the daemon's, written a second time in SQL.
-- Attribution window 90 days, wait 14 days, the first referral made is chosen, no hold.
CREATE OR REPLACE VIEW demo.expected AS
WITH orders AS (
  SELECT id::text AS id, created_at AS placed_from, created_at + interval '999999 microseconds' AS placed_to,
    nullif(lower(btrim(user_email)), '') AS email, metadata ->> 'referral_source' AS source, currency,
    round(total_gross_amount * 100)::bigint AS cents,
    charge_status IN ('full', 'overcharged') AND total_charged_amount > 0
      AND status NOT IN ('draft', 'unconfirmed', 'canceled', 'expired', 'returned') AS qualifies
  FROM order_order),
referrals AS (
  SELECT *, to_timestamp(created_ms / 1000.0) AS created_at, lower(btrim(friend_email)) AS email FROM demo.referral),
candidates AS (
  SELECT o.id AS order_id, r.*, CASE WHEN r.external_source_id = o.source THEN 1 ELSE 2 END AS precedence,
    r.created_at <= o.placed_to AND o.placed_from <= r.created_at + interval '90 days' AS timely
  FROM orders o JOIN referrals r ON r.external_source_id = o.source OR r.email = o.email),
chosen AS (
  SELECT DISTINCT ON (order_id) * FROM candidates WHERE timely ORDER BY order_id, precedence, created_at, id),
judged AS (
  SELECT o.*, c.id AS referral,
    CASE
      WHEN NOT o.qualifies THEN 'not_qualifying'
      WHEN c.id IS NULL AND o.placed_to + interval '14 days' > now() THEN 'waiting'
      WHEN c.id IS NULL AND EXISTS (SELECT 1 FROM candidates x WHERE x.order_id = o.id) THEN 'outside_window'
      WHEN c.id IS NULL THEN 'no_referral'
      WHEN c.status = 'converted' THEN 'superseded'
      WHEN c.status = 'expired' OR c.referrer = o.email OR o.currency <> 'EUR' THEN 'review'
      ELSE 'reported' END AS outcome
  FROM orders o LEFT JOIN chosen c ON c.order_id = o.id),
ranked AS (
  SELECT *, first_value(outcome) OVER line AS first_outcome, row_number() OVER line AS place
  FROM judged WHERE outcome IN ('reported', 'review')
  WINDOW line AS (PARTITION BY referral ORDER BY placed_from, id ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING))
SELECT j.id, j.referral, j.cents,
  CASE WHEN r.place > 1 AND r.first_outcome = 'reported' THEN 'superseded'
       WHEN r.place > 1 THEN 'waiting' ELSE j.outcome END AS outcome
FROM judged j LEFT JOIN ranked r USING (id);
