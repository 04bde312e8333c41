-- Who may define, evaluate and activate; row-level security; hostile objects
BEGIN;
\ir include/crm.psql
SELECT plan(74);

CREATE ROLE ls_test_owner;
CREATE ROLE ls_test_other;
CREATE ROLE ls_test_reader;
CREATE ROLE ls_test_member IN ROLE ls_test_owner;
GRANT USAGE, CREATE ON SCHEMA public TO ls_test_owner, ls_test_other, ls_test_reader;
GRANT USAGE ON SCHEMA lead_scoring TO ls_test_owner, ls_test_other;
DO $$ BEGIN EXECUTE format('GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA %I TO PUBLIC', (SELECT nspname FROM pg_namespace WHERE oid = pg_my_temp_schema())); EXECUTE format('GRANT USAGE ON SCHEMA %I TO PUBLIC', (SELECT nspname FROM pg_namespace WHERE oid = pg_my_temp_schema())); END $$;

SET ROLE ls_test_owner;
CREATE TABLE leads (id int PRIMARY KEY, industry text);
CREATE TABLE happenings (lead_id int, type text, at timestamptz);
INSERT INTO leads VALUES (1, 'Retail'), (2, 'Other');
INSERT INTO happenings SELECT 1, 'x', now() - interval '1 day' FROM generate_series(1, 3);
SELECT lives_ok($$INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('lead', 'leads', 'id')$$, 'owner: record type');
SELECT lives_ok($$INSERT INTO lead_scoring.source (name, record_type, relation, record_key, occurred_at) VALUES ('happening', 'lead', 'happenings', 'lead_id', 'at')$$, 'owner: source');
SELECT lives_ok($$INSERT INTO lead_scoring.score (name, record_type, kind) VALUES ('s', 'lead', 'combined')$$, 'owner: score');
SELECT lives_ok($$INSERT INTO lead_scoring.score_group (score, name, kind) VALUES ('s', 'f', 'fit'), ('s', 'e', 'engagement')$$, 'owner: groups');
SELECT lives_ok($$INSERT INTO lead_scoring.rule (score, group_name, name, source, criterion, points) VALUES ('s', 'f', 'r', NULL, $c$industry = 'Retail'$c$, 10), ('s', 'e', 'x', 'happening', $c$type = 'x'$c$, 1)$$, 'owner: rules');
SELECT lives_ok($$INSERT INTO lead_scoring.band (score, label, lower_bound) VALUES ('s', 'A', 5), ('s', 'B', NULL)$$, 'owner: bands');
SELECT lives_ok($$INSERT INTO lead_scoring.scope (score, mode, criterion) VALUES ('s', 'exclude', 'id = 99')$$, 'owner: scope');
SELECT lives_ok($$INSERT INTO lead_scoring.adjustment (score, record_key, points) VALUES ('s', '2', 1)$$, 'owner: adjustment');
SELECT is(pg_temp.totals('s', now()), '1=13 2=1', 'owner: evaluate');
SELECT is(lead_scoring.activate('s'), 2::bigint, 'owner: activate');
SELECT lives_ok($$SELECT * FROM lead_scoring.explain('s', '1')$$, 'owner: explain');
SELECT is_empty($$SELECT * FROM lead_scoring.verify('s')$$, 'owner: verify');
RESET ROLE;

-- Somebody else, with a table of his own
SET ROLE ls_test_other;
CREATE FUNCTION pg_temp.hint_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  hint text;
BEGIN
  EXECUTE statement;
  RETURN 'no error';
EXCEPTION WHEN insufficient_privilege THEN
  GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
  RETURN hint;
END $$;
SELECT is(pg_temp.hint_of($$SELECT * FROM lead_scoring.verify('s')$$), 'Verifying a score takes the right to read its columns, and all that it is computed from.', 'other: verify says what it takes');
RESET ROLE;
GRANT SELECT ON leads TO ls_test_other;
SET ROLE ls_test_other;
SELECT is(pg_temp.hint_of($$SELECT * FROM lead_scoring.verify('s')$$), 'Evaluating a score takes the right to read all that it is computed from.', '... of sources, too');
RESET ROLE;
REVOKE SELECT ON leads FROM ls_test_other;
SET ROLE ls_test_other;
CREATE TABLE mine (id int PRIMARY KEY, x int);
SELECT throws_ok(statement, '42501', NULL, 'other: ' || what) FROM (VALUES
  (1, 'record type over another''s table', $$INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('stolen', 'leads', 'id')$$),
  (3, 'source over another''s table', $$INSERT INTO lead_scoring.source (name, record_type, relation, record_key) VALUES ('stolen', 'lead', 'happenings', 'lead_id')$$),
  (4, 'score over another''s records', $$INSERT INTO lead_scoring.score (name, record_type, kind) VALUES ('stolen', 'lead', 'fit')$$),
  (5, 'group of another''s score', $$INSERT INTO lead_scoring.score_group (score, name, kind) VALUES ('s', 'g', 'fit')$$),
  (6, 'rule of another''s score', $$INSERT INTO lead_scoring.rule (score, group_name, name, points) VALUES ('s', 'f', 'mine', 1000)$$),
  (7, 'band of another''s score', $$INSERT INTO lead_scoring.band (score, label, lower_bound) VALUES ('s', 'X', 1)$$),
  (8, 'scope of another''s score', $$INSERT INTO lead_scoring.scope (score, mode) VALUES ('s', 'exclude')$$),
  (9, 'adjustment of another''s score', $$INSERT INTO lead_scoring.adjustment (score, record_key, points) VALUES ('s', '1', 1)$$),
  (10, 'update of another''s rule', $$UPDATE lead_scoring.rule SET points = 1000 WHERE score = 's'$$),
  (11, 'delete of another''s rule', $$DELETE FROM lead_scoring.rule WHERE score = 's'$$),
  (12, 'update of another''s record type', $$UPDATE lead_scoring.record_type SET relation = 'mine' WHERE name = 'lead'$$),
  (13, 'update of another''s source', $$UPDATE lead_scoring.source SET filter = 'false' WHERE name = 'happening'$$),
  (14, 'delete of another''s score', $$DELETE FROM lead_scoring.score WHERE name = 's'$$),
  (15, 'update of another''s band', $$UPDATE lead_scoring.band SET label = 'x' WHERE score = 's'$$),
  (16, 'delete of another''s scope', $$DELETE FROM lead_scoring.scope WHERE score = 's'$$),
  (18, 'update of another''s group', $$UPDATE lead_scoring.score_group SET max_points = 0 WHERE score = 's'$$),
  (19, 'evaluate without a right to read', $$SELECT * FROM lead_scoring.evaluate('s')$$),
  (20, 'explain without a right to read', $$SELECT * FROM lead_scoring.explain('s', '1')$$),
  (21, 'preview without a right to read', $$SELECT * FROM lead_scoring.preview('s')$$),
  (22, 'verify without a right to read', $$SELECT * FROM lead_scoring.verify('s')$$),
  (23, 'activate', $$SELECT lead_scoring.activate('s')$$),
  (24, 'deactivate', $$SELECT lead_scoring.deactivate('s')$$),
  (25, 'refresh', $$SELECT lead_scoring.refresh('s')$$),
  (26, 'trigger on a definition table', $$CREATE TRIGGER t BEFORE INSERT ON lead_scoring.rule FOR EACH ROW EXECUTE FUNCTION pg_catalog.suppress_redundant_updates_trigger()$$),
  (27, 'foreign key to a definition table', $$CREATE TABLE f (name text REFERENCES lead_scoring.score (name))$$),
  (28, 'truncate of a definition table', $$TRUNCATE lead_scoring.rule$$),
  (30, 'work on the queue', $$SELECT lead_scoring.work_queue('s')$$),
  (29, 'a function in the schema', $$CREATE FUNCTION lead_scoring.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'$$)) AS v (i, what, statement) ORDER BY i;
SELECT throws_ok($$DELETE FROM lead_scoring.adjustment WHERE score = 's'$$, '42501', NULL, 'other: delete of another''s adjustment');
SELECT throws_ok($$UPDATE lead_scoring.adjustment SET points = 1000$$, '42501', NULL, 'other: update of another''s adjustment');
SELECT lives_ok($$INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('mine', 'mine', 'id')$$, 'other: record type over a table of his own');
SELECT throws_ok($$INSERT INTO lead_scoring.source (name, record_type, relation, record_key) VALUES ('stolen', 'mine', 'happenings', 'lead_id')$$, '42501', NULL, 'other: another''s events as a source of his own records');
SELECT throws_ok($$UPDATE lead_scoring.record_type SET relation = 'leads' WHERE name = 'mine'$$, '42501', NULL, 'other: his record type moved to another''s table');
SELECT is_empty('SELECT * FROM lead_scoring.priority_queue', 'other: no queue that he may read');
RESET ROLE;
SELECT is((SELECT count(*) FROM lead_scoring.rule WHERE score = 's' AND points <= 10), 2::bigint, 'nothing of it was done');
SELECT is((SELECT string_agg(points::text, ' ') FROM lead_scoring.adjustment WHERE score = 's'), '1', 'nor to the adjustments');
SELECT is_empty($$SELECT * FROM lead_scoring.verify('s')$$, 'nor to the stored scores');

-- Readers of the table may look; members of the owner may define
GRANT SELECT ON leads, happenings TO ls_test_reader;
SET ROLE ls_test_reader;
SELECT is(pg_temp.totals('s', now()), '1=13 2=1', 'reader: evaluate');
SELECT is((SELECT string_agg(record_key, ' ' ORDER BY rank) FROM lead_scoring.priority_queue), '1 2', 'reader: the queue');
SELECT lives_ok($$SELECT * FROM lead_scoring.explain('s', '1')$$, 'reader: explain');
SELECT throws_ok($$SELECT lead_scoring.refresh('s')$$, '42501', NULL, 'reader: refresh is not for him');
SELECT results_eq($$SELECT record_key, points FROM lead_scoring.adjustment$$, $$VALUES ('2', 1::float8)$$, 'reader: sees the adjustments of the records that he reads');
SELECT throws_ok($$DELETE FROM lead_scoring.adjustment WHERE score = 's'$$, '42501', NULL, 'reader: may not delete them');
SELECT throws_ok($$INSERT INTO lead_scoring.adjustment (score, record_key, points) VALUES ('s', '1', 1)$$, '42501', NULL, 'reader: nor are adjustments');
RESET ROLE;
SET ROLE ls_test_member;
SELECT lives_ok($$UPDATE lead_scoring.rule SET points = 11 WHERE score = 's' AND name = 'r'$$, 'member of the owner: may edit');
RESET ROLE;
SELECT is((SELECT s FROM leads WHERE id = 1), 14::float8, 'and the score followed');

-- Row-level security of who asks cannot make a score wrong
ALTER TABLE happenings ENABLE ROW LEVEL SECURITY;
CREATE POLICY none ON happenings TO ls_test_reader USING (false);
SET ROLE ls_test_owner;
SELECT is(lead_scoring.refresh('s'), 0::bigint, 'row-level security for others does not concern the owner');
RESET ROLE;
SELECT is((SELECT s FROM leads WHERE id = 1), 14::float8, 'the stored score is true');

-- A function in a criterion runs as the owner of the relation, never as the superuser who refreshes
CREATE TABLE seen (who name, secure bool);
GRANT INSERT ON seen TO PUBLIC;
SET ROLE ls_test_owner;
CREATE FUNCTION public.spy(int) RETURNS bool LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN current_user = 'ls_test_owner'; END $$;
UPDATE lead_scoring.rule SET criterion = 'public.spy(id)' WHERE score = 's' AND name = 'r';
RESET ROLE;
SELECT lead_scoring.refresh('s');
SELECT is((SELECT string_agg(s_fit::text, ' ' ORDER BY id) FROM leads), '11 11', 'a criterion runs as the owner of the relation, whoever refreshes');
SELECT is((SELECT string_agg(fit::text, ' ' ORDER BY record_key) FROM lead_scoring.evaluate('s')), '11 11', 'and whoever evaluates');
SET ROLE ls_test_owner;
CREATE OR REPLACE FUNCTION public.spy(int) RETURNS bool LANGUAGE plpgsql STABLE AS $$ BEGIN PERFORM set_config('role', 'none', false); RETURN true; END $$;
RESET ROLE;
SELECT throws_ok($$SELECT lead_scoring.refresh('s')$$, '42501', NULL, 'it cannot change the role');
SET ROLE ls_test_owner;
CREATE OR REPLACE FUNCTION public.spy(int) RETURNS bool LANGUAGE plpgsql STABLE AS $$ BEGIN PERFORM set_config('search_path', 'hostile', false); RETURN true; END $$;
RESET ROLE;
SELECT lead_scoring.evaluate('s');
SELECT isnt(current_setting('search_path'), 'hostile', 'nor leave settings behind');
SELECT is(current_user, session_user, 'the role is as before');
SET ROLE ls_test_owner;
CREATE OR REPLACE FUNCTION public.spy(int) RETURNS bool LANGUAGE plpgsql STABLE AS $$ BEGIN RAISE EXCEPTION 'spy'; END $$;
RESET ROLE;
SELECT throws_ok($$SELECT lead_scoring.evaluate('s')$$, 'P0001', NULL, 'an error in the middle');
SELECT is(current_user, session_user, 'the role is as before after an error, too');
SELECT isnt(current_setting('search_path'), 'pg_catalog, pg_temp', 'and the search path');

-- A new owner of the relation: what the old one wrote does not run with his rights
SET ROLE ls_test_owner;
UPDATE lead_scoring.rule SET criterion = 'id = 1' WHERE score = 's' AND name = 'r';
RESET ROLE;
ALTER TABLE leads OWNER TO ls_test_other;
SELECT throws_ok($$SELECT * FROM lead_scoring.evaluate('s')$$, '42501', NULL, 'the relation has another owner: the definition must be confirmed');
SET ROLE ls_test_owner;
SELECT throws_ok($$UPDATE lead_scoring.record_type SET relation = relation WHERE name = 'lead'$$, '42501', NULL, 'not by the former owner');
RESET ROLE;
ALTER TABLE happenings OWNER TO ls_test_other;
SET ROLE ls_test_other;
CREATE FUNCTION pg_temp.confirmed() RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  UPDATE lead_scoring.record_type SET relation = relation WHERE name = 'lead';
  UPDATE lead_scoring.source SET relation = relation WHERE name = 'happening';
  RETURN (SELECT string_agg(DISTINCT criterion_owner, ' ') FROM lead_scoring.rule WHERE score = 's');
END $$;
SELECT is(pg_temp.confirmed(), 'ls_test_other', 'the new owner confirms everything while the score is active');
SELECT is_empty($$SELECT * FROM lead_scoring.verify('s')$$, 'which is then right');
RESET ROLE;

SELECT * FROM finish();
ROLLBACK;
