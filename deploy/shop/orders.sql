-- A shop for the demonstration: Saleor's order table with the columns that matter, and 620 orders of the last 110 days.
--   psql -d DB -f orders.sql      (a fresh database)
-- Every value follows from the order's number, so each run makes the same shop, but for the day it is made on.
\set ON_ERROR_STOP on
SET client_min_messages = warning;
SET TIME ZONE 'UTC';

CREATE TABLE account_user (
  id integer PRIMARY KEY,
  email varchar(254) NOT NULL UNIQUE);
CREATE TABLE order_order (
  id uuid PRIMARY KEY,                        -- random: later orders don't have larger keys
  number integer NOT NULL UNIQUE,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  status varchar(32) NOT NULL,                -- draft, unfulfilled, fulfilled, returned, canceled, ...
  charge_status varchar(32) NOT NULL,         -- none, partial, full, overcharged
  user_id integer REFERENCES account_user,
  user_email varchar(254) NOT NULL,           -- as typed at the checkout; '' when unknown, never NULL
  currency varchar(3) NOT NULL,
  total_gross_amount numeric(20,3) NOT NULL,
  total_charged_amount numeric(20,3) NOT NULL,
  metadata jsonb NOT NULL DEFAULT '{}');
CREATE INDEX order_order_updated_at ON order_order (updated_at);
CREATE INDEX order_order_created_at ON order_order (created_at);

-- A number between 0 and 1 that depends on (i, salt) alone.
CREATE FUNCTION pg_temp.chance(i int, salt text) RETURNS float8 LANGUAGE sql IMMUTABLE AS
$$ SELECT (('x' || substr(md5(salt || i), 1, 8))::bit(32)::bigint)::float8 / 4294967296 $$;
CREATE FUNCTION pg_temp.choice(i int, salt text, options text[]) RETURNS text LANGUAGE sql IMMUTABLE AS
$$ SELECT options[1 + floor(pg_temp.chance(i, salt) * array_length(options, 1))::int] $$;
CREATE FUNCTION pg_temp.address(person int) RETURNS text LANGUAGE sql IMMUTABLE AS
$$ SELECT pg_temp.choice(person, 'first', '{ana,bruno,chloe,dmitri,elif,farid,greta,hugo,ines,jonas}') || '.' || person
       || '@' || pg_temp.choice(person, 'domain', '{example.com,example.org,mail.example.net,shop.example.de}') $$;

INSERT INTO account_user SELECT person, pg_temp.address(person) FROM generate_series(1, 260) person;

INSERT INTO order_order
SELECT md5('order' || i)::uuid, i, placed, placed + interval '1 hour' * pg_temp.chance(i, 'changed'),
  CASE life WHEN 'cart' THEN 'draft' WHEN 'unpaid' THEN 'unfulfilled' WHEN 'paid' THEN 'unfulfilled'
            WHEN 'done' THEN 'fulfilled' WHEN 'refunded' THEN 'returned' ELSE 'canceled' END,
  CASE WHEN life IN ('paid', 'done', 'refunded') THEN 'full' ELSE 'none' END,
  CASE WHEN pg_temp.chance(i, 'guest') < 0.6 THEN person END,
  CASE WHEN life = 'cart' THEN '' WHEN pg_temp.chance(i, 'shout') < 0.1 THEN upper(pg_temp.address(person))
       WHEN pg_temp.chance(i, 'shout') < 0.2 THEN initcap(pg_temp.address(person)) ELSE pg_temp.address(person) END,
  CASE WHEN pg_temp.chance(i, 'currency') < 0.04 THEN 'USD' ELSE 'EUR' END, total,
  CASE WHEN life IN ('paid', 'done') THEN total ELSE 0 END,
  CASE WHEN pg_temp.chance(i, 'lead') < 0.1 THEN jsonb_build_object('referral_source', 'lead_' || i) ELSE '{}' END
FROM (
  SELECT i, 1 + floor(pg_temp.chance(i, 'person') * 260)::int AS person,
    date_trunc('second', now()) - interval '110 days' * (1 - i / 620.0) - interval '2 minutes' AS placed,
    round((5 + 300 * pg_temp.chance(i, 'total'))::numeric, 2) AS total,
    pg_temp.choice(i, 'life', '{cart,unpaid,paid,paid,paid,paid,done,done,done,done,refunded,cancelled}') AS life
  FROM generate_series(1, 620) i) orders;
ANALYZE;
