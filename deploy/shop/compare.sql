-- Compares three witnesses of the demonstration: what the daemon says of each order it holds (:entries, a file of JSON lines)
-- and of all together (:status), what the rules say (demo.expected), and what the sandbox was told (:state). An order that can
-- matter no more leaves nothing behind but a count, so the counts must agree, too.
SET client_min_messages = warning;
CREATE TABLE demo.entry AS
SELECT line::json ->> 'key' AS id, line::json ->> 'state' AS state, line::json ->> 'reason' AS reason,
  line::json ->> 'referral' AS referral
FROM regexp_split_to_table(pg_read_file(:'entries'), E'\n') line WHERE line <> '';
CREATE TABLE demo.converted AS
SELECT r ->> 'referralId' AS referral, (r ->> 'conversionValue')::bigint AS cents, r ->> 'externalTransactionId' AS id
FROM json_array_elements(pg_read_file(:'state')::json -> 'referrals') r
WHERE r ->> 'status' = 'converted' AND r ->> 'referralId' NOT IN (SELECT id FROM demo.referral WHERE status = 'converted');
CREATE TABLE demo.counted AS
SELECT o ->> 'outcome' AS outcome, (o ->> 'count')::bigint AS count
FROM json_array_elements(pg_read_file(:'status')::json -> 'outcomes') o;
CREATE VIEW demo.agreement AS
SELECT outcome, coalesce(max(daemon), 0) AS daemon, coalesce(max(rules), 0) AS rules
FROM (
  SELECT outcome, count AS daemon, NULL AS rules FROM demo.counted
  UNION ALL SELECT outcome, NULL, count(*) FROM demo.expected GROUP BY outcome) counts
GROUP BY outcome;
CREATE VIEW demo.disagreements AS
SELECT 'order ' || coalesce(x.id, e.id) || ': the daemon says ' || coalesce(e.state, 'nothing') || ' (' || coalesce(e.reason, '-')
  || '), the rules say ' || coalesce(x.outcome, 'nothing') AS disagreement
FROM demo.expected x FULL JOIN demo.entry e USING (id)
WHERE e.state IS DISTINCT FROM x.outcome
  AND NOT (e.id IS NULL AND x.outcome IN ('not_qualifying', 'no_referral', 'outside_window'))
UNION ALL
SELECT outcome || ': the daemon counts ' || daemon || ', the rules ' || rules FROM demo.agreement WHERE daemon <> rules
UNION ALL
SELECT 'order ' || coalesce(x.id, c.id) || ': the rules want ' || coalesce(x.cents::text || ' cents for ' || x.referral, 'no report')
  || ', the sandbox has ' || coalesce(c.cents::text || ' cents for ' || c.referral, 'none')
FROM (SELECT * FROM demo.expected WHERE outcome = 'reported') x FULL JOIN demo.converted c USING (id)
WHERE (x.referral, x.cents) IS DISTINCT FROM (c.referral, c.cents);
SELECT outcome, daemon, rules AS "SQL", CASE WHEN outcome = 'reported' THEN (SELECT count(*) FROM demo.converted) END AS "sandbox"
FROM demo.agreement WHERE daemon + rules > 0 ORDER BY outcome;
