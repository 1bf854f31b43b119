-- Makes the shop's database say when orders changed, so that conversiond reads them at once instead of at its next poll.
-- For the table named in orders.from; in conversiond.yaml: orders.notify_channel: conversiond
--
-- Once a statement, not once a row, and without a payload: PostgreSQL sends equal notifications of one transaction only
-- once, when it commits (PostgreSQL manual, NOTIFY). With no listener it costs next to nothing. Changes that it misses, as of a
-- bulk load with triggers off, the sweep finds all the same.
--
--   psql -d shop -v table=public.orders -f notify.sql
\if :{?table}
\else
  \set table public.orders
\endif

CREATE OR REPLACE FUNCTION conversiond_notify() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('conversiond', '');
  RETURN NULL;
END
$$;

DROP TRIGGER IF EXISTS conversiond_notify ON :table;
CREATE TRIGGER conversiond_notify AFTER INSERT OR UPDATE ON :table
  FOR EACH STATEMENT EXECUTE FUNCTION conversiond_notify();
