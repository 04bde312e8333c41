-- Who sees history and changes, who takes them
BEGIN;
\ir include/crm.psql
SELECT plan(44);

CREATE ROLE ls_test_owner;
CREATE ROLE ls_test_reader;
CREATE ROLE ls_test_writer;
CREATE ROLE ls_test_other;
GRANT USAGE, CREATE ON SCHEMA public TO ls_test_owner;
GRANT USAGE ON SCHEMA public TO ls_test_reader, ls_test_writer, ls_test_other;
SET ROLE ls_test_owner;
CREATE TABLE leads (id int PRIMARY KEY, worth int);
CREATE TABLE happenings (lead_id int, type text, at timestamptz);
INSERT INTO leads VALUES (1, 1), (2, 2);
INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('lead', 'leads', 'id');
INSERT INTO lead_scoring.source (name, record_type, relation, record_key, occurred_at) VALUES ('happening', 'lead', 'happenings', 'lead_id', 'at');
INSERT INTO lead_scoring.score (name, record_type, kind, history) VALUES ('s', 'lead', 'combined', 'explained');
INSERT INTO lead_scoring.score_group (score, name, kind) VALUES ('s', 'f', 'fit'), ('s', 'e', 'engagement');
INSERT INTO lead_scoring.rule (score, group_name, name, source, value, counting, points) VALUES ('s', 'f', 'worth', NULL, 'worth', 'each', 1), ('s', 'e', 'all', 'happening', NULL, 'each', 1);
INSERT INTO lead_scoring.band (score, label, lower_bound, dwell) VALUES ('s', 'A', 5, '1 day'), ('s', 'B', NULL, NULL);
SELECT is(lead_scoring.activate('s'), 2::bigint, 'activated by who owns the records, not the extension');
ALTER TABLE leads DISABLE TRIGGER USER;
UPDATE leads SET worth = 10;
SELECT is(lead_scoring.refresh('s'), 2::bigint, 'refreshed by him');
RESET ROLE;
GRANT SELECT ON leads, happenings TO ls_test_reader, ls_test_writer;
GRANT UPDATE ON leads TO ls_test_writer;
CREATE FUNCTION pg_temp.seen() RETURNS text LANGUAGE sql AS $$
  SELECT concat_ws(' ', (SELECT count(*) FROM lead_scoring.score_history), (SELECT count(explanation) FROM lead_scoring.score_history), (SELECT count(*) FROM lead_scoring.score_change), (SELECT count(*) FROM lead_scoring.readable_score))
$$;
DO $$ BEGIN EXECUTE format('GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA %1$I TO PUBLIC; GRANT USAGE ON SCHEMA %1$I TO PUBLIC', (SELECT nspname FROM pg_namespace WHERE oid = pg_my_temp_schema())); END $$;

-- Reading
SELECT is(pg_temp.seen(), '4 4 2 1', 'a superuser sees everything');
SET ROLE ls_test_owner;
SELECT is(pg_temp.seen(), '4 4 2 1', 'so does the owner');
SET ROLE ls_test_reader;
SELECT is(pg_temp.seen(), '4 4 2 1', 'and who may read all tables');
SELECT is(lead_scoring.score_trend('s', '1', as_of => clock_timestamp()), 'improving', 'trend');
SET ROLE ls_test_other;
SELECT is(pg_temp.seen(), '0 0 0 0', 'others see nothing');
SELECT throws_ok($$SELECT lead_scoring.score_trend('s', '1')$$, '42501', NULL, 'nor a trend');
RESET ROLE;
REVOKE SELECT ON happenings FROM ls_test_reader;
SET ROLE ls_test_reader;
SELECT is(pg_temp.seen(), '4 0 2 1', 'explanations are for those who may read all that they are about');
RESET ROLE;
SAVEPOINT rules;
DELETE FROM lead_scoring.rule WHERE source = 'happening';
SET ROLE ls_test_reader;
SELECT is(pg_temp.seen(), '4 0 2 1', 'also once the rule that they are about is gone');
ROLLBACK TO rules;
ALTER TABLE leads ENABLE ROW LEVEL SECURITY;
CREATE POLICY one ON leads TO ls_test_reader, ls_test_writer USING (id = 1);
SET ROLE ls_test_reader;
SELECT is(pg_temp.seen(), '0 0 0 0', 'who sees some of the records only sees no history');
SET LOCAL row_security = off;
SELECT is(pg_temp.seen(), '0 0 0 0', 'also with row_security = off');
SET LOCAL row_security = on;
SET ROLE ls_test_owner;
SELECT is(pg_temp.seen(), '4 4 2 1', 'the owner does');
RESET ROLE;
SET ROLE ls_test_writer;
SELECT throws_ok($$SELECT lead_scoring.take_changes('s')$$, '42501', NULL, 'nor takes changes');
RESET ROLE;
ALTER TABLE leads DISABLE ROW LEVEL SECURITY;
DROP POLICY one ON leads;
CREATE FUNCTION pg_temp.spy(text) RETURNS bool LANGUAGE plpgsql COST 0.0001 AS $$ BEGIN RAISE WARNING 'seen: %', $1; RETURN true; END $$;
SET ROLE ls_test_other;
SELECT is_empty($$SELECT * FROM lead_scoring.score_history WHERE pg_temp.spy(record_key)$$, 'a function in a query over the view sees no more');
RESET ROLE;

-- The tables
SELECT throws_ok(format('SET LOCAL ROLE %s; %s', who, statement), '42501', NULL, who || ': ' || statement) FROM unnest('{ls_test_owner,ls_test_other}'::text[]) who, unnest(ARRAY[
  'SELECT * FROM lead_scoring.history', 'SELECT * FROM lead_scoring.history_default', 'SELECT * FROM lead_scoring.outbox', 'INSERT INTO lead_scoring.announced VALUES (''s'', ''1'')',
  'DELETE FROM lead_scoring.alerted', 'UPDATE lead_scoring.outbox SET delivered_at = now()', 'SELECT nextval(''lead_scoring.history_id'')', 'SELECT lead_scoring.maintain_history()']) statement;
RESET ROLE;

-- Taking, announcing, forgetting
SET ROLE ls_test_reader;
SELECT throws_ok($$SELECT lead_scoring.take_changes('s')$$, '42501', NULL, 'a reader takes nothing');
SELECT is((SELECT count(*) FROM lead_scoring.take_changes()), 0::bigint, 'nor of all scores');
SELECT is(lead_scoring.announce_due(now() + interval '2 days'), 0::bigint, 'announces nothing');
SELECT throws_ok($$SELECT lead_scoring.forget_changes('lead', '1')$$, '42501', NULL, 'and forgets nothing');
SET ROLE ls_test_owner;
UPDATE leads SET worth = 1 WHERE id = 1;
SELECT lead_scoring.refresh('s');
SET ROLE ls_test_writer;
SELECT is((SELECT count(*) FROM lead_scoring.take_changes('s')), 2::bigint, 'who updates the records takes changes');
SELECT is(lead_scoring.announce_due(now() + interval '2 days'), 1::bigint, 'announces');
SELECT is((SELECT count(*) FROM lead_scoring.take_changes()), 1::bigint, '... and takes that');
RESET ROLE;
ALTER TABLE leads ENABLE ROW LEVEL SECURITY;
SET ROLE ls_test_writer;
SELECT throws_ok($$SELECT lead_scoring.forget('lead', '1')$$, '42501', 'permission denied to forget records of type "lead"', 'not where row-level security applies');
SELECT throws_ok($$SELECT lead_scoring.forget_changes('lead', '1')$$, '42501', NULL, '... not by other ways');
RESET ROLE;
ALTER TABLE leads DISABLE ROW LEVEL SECURITY;
SET ROLE ls_test_writer;
SELECT is(lead_scoring.forget('lead', '1'), 5::bigint, 'and forgets');
SET ROLE ls_test_owner;
UPDATE lead_scoring.score SET history = 'values' WHERE name = 's';
SELECT lives_ok($$DELETE FROM lead_scoring.rule WHERE score = 's' AND name = 'worth'$$, 'the owner edits');
SELECT lives_ok($$SELECT lead_scoring.deactivate('s'); DELETE FROM lead_scoring.score WHERE name = 's'$$, 'and deletes');
RESET ROLE;
SELECT is((SELECT count(*) FROM lead_scoring.history), 0::bigint, '... the history with it');
SELECT * FROM finish();
ROLLBACK;
