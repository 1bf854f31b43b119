-- Referrals for the demonstration: about 40 that orders match, and some that none does. Kept in a schema of their own,
-- which the daemon never sees; the sandbox is seeded with them, and expected.sql compares with them.
\set ON_ERROR_STOP on
SET client_min_messages = warning;
SET TIME ZONE 'UTC';
CREATE SCHEMA demo;
CREATE TABLE demo.referral (
  id text PRIMARY KEY, status text NOT NULL, friend_email text, referrer text NOT NULL, external_source_id text,
  created_ms bigint NOT NULL, converted_ms bigint, conversion_value bigint);

-- A friend for each of the first people with a paid order that is old enough to have a history and young enough for
-- the window.
INSERT INTO demo.referral
SELECT 'ref' || lpad(n::text, 3, '0'), CASE WHEN n IN (7, 21) THEN 'converted' WHEN n = 33 THEN 'expired' ELSE 'pending' END,
  CASE WHEN n % 5 = 0 THEN upper(email) ELSE email END, CASE WHEN n = 11 THEN email ELSE 'cust_' || n END, NULL,
  floor(extract(epoch FROM first_placed - interval '1 day' * (1 + n % 20)) * 1000)::bigint,
  CASE WHEN n IN (7, 21) THEN floor(extract(epoch FROM first_placed) * 1000)::bigint END,
  CASE WHEN n IN (7, 21) THEN 4200 END
FROM (
  SELECT row_number() OVER (ORDER BY min(number)) AS n, lower(user_email) AS email, min(created_at) AS first_placed
  FROM order_order
  WHERE charge_status = 'full' AND total_charged_amount > 0 AND status NOT IN ('draft', 'canceled', 'returned')
    AND user_email <> '' AND created_at > now() - interval '60 days'
  GROUP BY lower(user_email)) friends
WHERE n <= 34;

-- Some by the partner's own reference only; one of them made after its order.
INSERT INTO demo.referral
SELECT 'lead' || lpad(n::text, 3, '0'), 'clicked', NULL, 'cust_lead_' || n, source,
  floor(extract(epoch FROM created_at + interval '1 day' * CASE WHEN n = 3 THEN 2 ELSE -3 END) * 1000)::bigint
FROM (
  SELECT row_number() OVER (ORDER BY number) AS n, metadata ->> 'referral_source' AS source, created_at
  FROM order_order
  WHERE metadata ? 'referral_source' AND charge_status = 'full' AND total_charged_amount > 0 AND currency = 'EUR'
    AND created_at > now() - interval '50 days') leads
WHERE n <= 8;

-- Friends who never bought, and clicks that never became anybody.
INSERT INTO demo.referral
SELECT 'nobody' || n, CASE WHEN n <= 6 THEN 'pending' ELSE 'clicked' END,
  CASE WHEN n <= 6 THEN 'friend' || n || '@nowhere.example' END, 'cust_nobody_' || n, NULL,
  floor(extract(epoch FROM now() - interval '1 day' * n) * 1000)::bigint
FROM generate_series(1, 10) n;
