-- Compares three witnesses of the demonstration: what the daemon says of each order (:entries, a file of JSON lines), what the
-- rules say (demo.expected), and what the sandbox was told (:state).
SET client_min_messages = warning;
CREATE TABLE demo.entry AS
SELECT line::json ->> 'key' AS id, line::json ->> 'state' AS state, line::json ->> 'reason' AS reason,
  line::json ->> 'referral' AS referral
FROM regexp_split_to_table(pg_read_file(:'entries'), E'\n') line WHERE line <> '';
CREATE TABLE demo.converted AS
SELECT r ->> 'referralId' AS referral, (r ->> 'conversionValue')::bigint AS cents, r ->> 'externalTransactionId' AS id
FROM json_array_elements(pg_read_file(:'state')::json -> 'referrals') r
WHERE r ->> 'status' = 'converted' AND r ->> 'referralId' NOT IN (SELECT id FROM demo.referral WHERE status = 'converted');
CREATE VIEW demo.disagreements AS
SELECT 'order ' || coalesce(x.id, e.id) || ': the daemon says ' || coalesce(e.state, 'nothing') || ' (' || coalesce(e.reason, '-')
  || '), the rules say ' || coalesce(x.outcome, 'nothing') AS disagreement
FROM demo.expected x FULL JOIN demo.entry e USING (id) WHERE e.state IS DISTINCT FROM x.outcome
UNION ALL
SELECT 'order ' || coalesce(x.id, c.id) || ': the rules want ' || coalesce(x.cents::text || ' cents for ' || x.referral, 'no report')
  || ', the sandbox has ' || coalesce(c.cents::text || ' cents for ' || c.referral, 'none')
FROM (SELECT * FROM demo.expected WHERE outcome = 'reported') x FULL JOIN demo.converted c USING (id)
WHERE (x.referral, x.cents) IS DISTINCT FROM (c.referral, c.cents);
SELECT outcome, sum(daemon) AS "daemon", sum(rules) AS "SQL", CASE WHEN outcome = 'reported' THEN (SELECT count(*) FROM demo.converted) END AS "sandbox"
FROM (
  SELECT state AS outcome, 1 AS daemon, 0 AS rules FROM demo.entry
  UNION ALL SELECT outcome, 0, 1 FROM demo.expected) counts
GROUP BY outcome ORDER BY outcome;
