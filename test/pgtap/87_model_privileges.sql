-- Who may define models and see what training made of them, what happens when relations change hands, and restoring
BEGIN;
SET client_min_messages = warning;
SET TIME ZONE 'UTC';
SELECT plan(62);

CREATE ROLE ls_test_owner;
CREATE ROLE ls_test_other;
CREATE ROLE ls_test_reader;
CREATE ROLE ls_test_events;
GRANT USAGE, CREATE ON SCHEMA public TO ls_test_owner, ls_test_other, ls_test_events;
DO $$ BEGIN EXECUTE format('GRANT USAGE ON SCHEMA %I TO PUBLIC', (SELECT nspname FROM pg_namespace WHERE oid = pg_my_temp_schema())); END $$;

SET ROLE ls_test_events;
CREATE TABLE clicks (lead_id int, at timestamptz);
SET ROLE ls_test_owner;
CREATE TABLE leads (id int PRIMARY KEY, industry text, won_at timestamptz);
CREATE TABLE visits (lead_id int, pages int, at timestamptz);
CREATE FUNCTION public.is_odd(int) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT $1 % 2 = 1';
INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('lead', 'leads', 'id');
INSERT INTO lead_scoring.source (name, record_type, relation, record_key, occurred_at) VALUES ('visit', 'lead', 'visits', 'lead_id', 'at');
SELECT lives_ok($$INSERT INTO lead_scoring.model (name, record_type, outcome, customer_when) VALUES ('m', 'lead', 'won_at', 'is_odd(id)')$$, 'owner: a model');
SELECT lives_ok($$INSERT INTO lead_scoring.feature (model, name, source, statistic, expression, criterion) VALUES ('m', 'industry', NULL, 'value', 'industry', DEFAULT), ('m', 'pages', 'visit', 'sum', 'pages', 'is_odd(pages)')$$, 'owner: features');
SELECT lives_ok($$INSERT INTO lead_scoring.model_version (model, algorithm, as_of, samples, converted, auc, body) SELECT 'm', 'scorecard', now(), 100, 40, 0.8, '{"secret": true}' FROM generate_series(1, 2)$$, 'owner: versions');
SELECT lives_ok($$INSERT INTO lead_scoring.model_importance (model, version, feature, importance) VALUES ('m', 1, 'pages', 1)$$, 'owner: importances');
SELECT is(lead_scoring.publish('m', 1), 0::bigint, 'owner: publishes');
SELECT is((SELECT string_agg(body, ' ') FROM lead_scoring.model_versions), '{"secret": true} {"secret": true}', 'owner: sees the trained model');
SELECT throws_ok('SELECT body FROM lead_scoring.model_version', '42501', NULL, 'owner: in the view, not in the table');
SELECT is((SELECT (criterion_relation::text, criterion_owner, customer_when_resolved)::text FROM lead_scoring.model), '(leads,ls_test_owner,"public.is_odd(this.id)")', 'the model is pinned to its records');
RESET ROLE;

-- A source of another owner: whoever writes the feature owns both
INSERT INTO lead_scoring.source (name, record_type, relation, record_key, occurred_at) VALUES ('click', 'lead', 'clicks', 'lead_id', 'at');
CREATE FUNCTION pg_temp.tries(who text, statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('SET LOCAL ROLE %I', who);
  EXECUTE statement;
  RESET ROLE;
  RETURN '00000';
EXCEPTION WHEN OTHERS THEN
  RESET ROLE;
  RETURN SQLSTATE;
END $$;
SELECT is(pg_temp.tries('ls_test_owner', $$INSERT INTO lead_scoring.feature (model, name, source, statistic) VALUES ('m', 'clicks', 'click', 'count')$$), '42501', 'a feature over events of another owner');
SELECT is(pg_temp.tries('ls_test_events', $$INSERT INTO lead_scoring.feature (model, name, source, statistic) VALUES ('m', 'clicks', 'click', 'count')$$), '42501', 'nor can that owner write it');
SELECT lives_ok($$INSERT INTO lead_scoring.feature (model, name, source, statistic) VALUES ('m', 'clicks', 'click', 'count')$$, 'who acts for both can');
SELECT is((SELECT criterion_owner::text FROM lead_scoring.feature WHERE name = 'clicks'), 'ls_test_events', 'it runs with the rights of the owner of the events');
DELETE FROM lead_scoring.feature WHERE name = 'clicks';

-- Others
SELECT is(pg_temp.tries(who, statement), '42501', who || ': ' || statement) FROM unnest('{ls_test_other,ls_test_reader}'::text[]) who, (VALUES
  ($$INSERT INTO lead_scoring.model (name, record_type, outcome) VALUES ('x', 'lead', 'won_at')$$), ($$UPDATE lead_scoring.model SET folds = 3$$), ($$DELETE FROM lead_scoring.model$$),
  ($$INSERT INTO lead_scoring.feature (model, name, expression) VALUES ('m', 'x', 'id')$$), ($$UPDATE lead_scoring.feature SET enabled = false$$), ($$DELETE FROM lead_scoring.feature$$),
  ($$INSERT INTO lead_scoring.model_version (model, algorithm, as_of, samples, converted, body) VALUES ('m', 'scorecard', now(), 1, 1, '{}')$$), ($$UPDATE lead_scoring.model_version SET status = status$$), ($$DELETE FROM lead_scoring.model_version$$),
  ($$INSERT INTO lead_scoring.model_importance (model, version, feature, importance) VALUES ('m', 1, 'x', 1)$$), ($$UPDATE lead_scoring.model_importance SET importance = 2$$), ($$DELETE FROM lead_scoring.model_importance$$),
  ($$SELECT lead_scoring.publish('m', 2)$$), ($$SELECT lead_scoring.prune_versions('m')$$), ($$INSERT INTO lead_scoring.score (name, record_type, kind, model) VALUES ('x', 'lead', 'likelihood', 'm')$$)) v (statement)
  WHERE who = 'ls_test_other' OR statement NOT LIKE 'INSERT INTO lead_scoring.model %' AND statement LIKE '%model_version%';
GRANT SELECT ON leads TO ls_test_reader;
SET ROLE ls_test_reader;
SELECT is((SELECT count(*) FROM lead_scoring.model_versions WHERE body IS NOT NULL), 0::bigint, 'who reads the records, but not the source, does not see the trained model, which holds categories of both');
RESET ROLE;
GRANT SELECT ON visits TO ls_test_reader;
SET ROLE ls_test_reader;
SELECT is((SELECT count(*) FROM lead_scoring.model_versions WHERE body IS NOT NULL), 2::bigint, 'who reads both sees it');
RESET ROLE;
ALTER TABLE visits ENABLE ROW LEVEL SECURITY;
SET ROLE ls_test_reader;
SELECT is((SELECT count(*) FROM lead_scoring.model_versions WHERE body IS NOT NULL), 0::bigint, 'who reads some rows of the source only does not');
RESET ROLE;
ALTER TABLE visits DISABLE ROW LEVEL SECURITY;
SET ROLE ls_test_other;
SELECT results_eq('SELECT auc, body FROM lead_scoring.model_versions', 'VALUES (0.8::float8, NULL::text), (0.8, NULL)', 'others see all but that');
SELECT results_eq('SELECT readiness, auc FROM lead_scoring.model_version', $$VALUES ('ready', 0.8::float8), ('ready', 0.8)$$, 'in the table too');
SELECT throws_ok('SELECT body FROM lead_scoring.model_version', '42501', NULL, 'where it has no reader');
RESET ROLE;
ALTER TABLE leads ENABLE ROW LEVEL SECURITY;
SET ROLE ls_test_reader;
SELECT is((SELECT count(*) FROM lead_scoring.model_versions WHERE body IS NOT NULL), 0::bigint, 'who reads some of the records only does not');
RESET ROLE;
ALTER TABLE leads DISABLE ROW LEVEL SECURITY;

-- What runs with an owner's rights cannot be forged, not even by the owner
SET ROLE ls_test_owner;
SET lead_scoring.cascading = on;
UPDATE lead_scoring.model_version SET definition = '{"model": {"criterion_owner": "postgres"}, "features": []}' WHERE version = 2;
RESET lead_scoring.cascading;
UPDATE lead_scoring.feature SET expression_resolved = 'random()', criterion_owner = 'ls_test_other' WHERE name = 'pages';
UPDATE lead_scoring.model SET outcome_resolved = 'random()', criterion_owner = 'ls_test_other', criterion_relation = 'visits';
SELECT is((SELECT count(*) FROM lead_scoring.model_version WHERE definition = (SELECT definition FROM lead_scoring.model_version WHERE version = 1)), 2::bigint, 'a definition in a version is not taken from anybody');
SELECT is((SELECT expression_resolved || ' ' || criterion_owner FROM lead_scoring.feature WHERE name = 'pages'), '(this.pages)::double precision ls_test_owner', 'nor what is resolved and pinned of a feature');
SELECT is((SELECT (outcome_resolved, criterion_owner, criterion_relation::text)::text FROM lead_scoring.model), '(this.won_at,ls_test_owner,leads)', 'or of a model');
RESET ROLE;

-- A relation that changes hands
ALTER TABLE leads OWNER TO ls_test_other;
ALTER TABLE visits OWNER TO ls_test_other;
SELECT is(pg_temp.tries('ls_test_owner', $$UPDATE lead_scoring.model SET folds = 3$$), '42501', 'the former owner no longer writes the model');
SELECT is((SELECT string_agg(DISTINCT o, ' ') FROM (SELECT criterion_owner::text AS o FROM lead_scoring.model UNION SELECT criterion_owner FROM lead_scoring.feature
            UNION SELECT f ->> 'criterion_owner' FROM lead_scoring.model_version v, jsonb_array_elements(v.definition -> 'features' || jsonb_build_array(v.definition -> 'model')) f) n), 'ls_test_owner', 'all is as it was written');
SELECT is(pg_temp.tries('ls_test_other', $$UPDATE lead_scoring.record_type SET relation = relation WHERE name = 'lead'$$), '00000', 'the new owner confirms the record type');
SELECT is((SELECT concat_ws(' ', (SELECT criterion_owner FROM lead_scoring.model), (SELECT string_agg(criterion_owner, ' ' ORDER BY name) FROM lead_scoring.feature))), 'ls_test_other ls_test_other ls_test_owner', 'the model and the features of the records follow');
SELECT is(pg_temp.tries('ls_test_other', $$UPDATE lead_scoring.source SET relation = relation WHERE name = 'visit'$$), '00000', 'and the source');
SELECT is((SELECT string_agg(DISTINCT o, ' ') FROM (SELECT criterion_owner::text AS o FROM lead_scoring.model UNION SELECT criterion_owner FROM lead_scoring.feature
            UNION SELECT f ->> 'criterion_owner' FROM lead_scoring.model_version v, jsonb_array_elements(v.definition -> 'features' || jsonb_build_array(v.definition -> 'model')) f) n), 'ls_test_other', 'all follows, also what versions were trained with');
SELECT is((SELECT criterion_resolved FROM lead_scoring.feature WHERE name = 'pages'), 'public.is_odd(this.pages)', 'and means what it meant');
SELECT is(pg_temp.tries('ls_test_other', $$SELECT lead_scoring.publish('m', 2)$$), '00000', 'the new owner publishes');

-- Restoring: checks wait
SET check_function_bodies = off;
SELECT lives_ok($$INSERT INTO lead_scoring.feature (model, name, source, statistic, expression) VALUES ('gone', 'f', 'gone', 'sum', 'nope(')$$, 'restoring: a feature before its model');
SELECT lives_ok($$INSERT INTO lead_scoring.model_version (model, version, status, algorithm, as_of, samples, converted, readiness, definition, body) VALUES ('gone', 7, 'champion', 'scorecard', now(), 1, 1, 'fair', '{}', 'nothing')$$, 'restoring: a champion before its model');
SELECT lives_ok($$INSERT INTO lead_scoring.model_importance (model, version, feature, importance) VALUES ('gone', 7, 'f', 1)$$, 'restoring: an importance');
SELECT lives_ok($$INSERT INTO lead_scoring.score (name, record_type, kind, model) VALUES ('s', 'gone', 'likelihood', 'gone')$$, 'restoring: a likelihood before its model');
SELECT throws_ok($$INSERT INTO lead_scoring.model_version (model, version, status, algorithm, as_of, samples, converted, readiness, definition, body) VALUES ('gone', 8, 'champion', 'scorecard', now(), 1, 1, 'fair', '{}', 'nothing')$$, '23505', NULL, 'one champion, even so');
SELECT lives_ok($$INSERT INTO lead_scoring.model (name, record_type, outcome) VALUES ('gone', 'gone', 'nope')$$, 'restoring: the model');
SELECT is(pg_temp.tries('ls_test_other', $$INSERT INTO lead_scoring.model_version (model, version, status, algorithm, as_of, samples, converted, readiness, definition, body) VALUES ('m', 8, 'retired', 'scorecard', now(), 1, 1, 'fair', '{"forged": 1}', '{}')$$), '55000', 'restoring is for the owner of the extension only');
RESET check_function_bodies;
SELECT lives_ok($$DELETE FROM lead_scoring.score WHERE name = 's'; DELETE FROM lead_scoring.model WHERE name = 'gone'$$, 'all of it can be deleted');
SELECT is((SELECT count(*) FROM lead_scoring.model_version) + (SELECT count(*) FROM lead_scoring.feature), 4::bigint, 'and goes');

-- What models look at goes
DROP TABLE visits;
SELECT throws_ok($$INSERT INTO lead_scoring.feature (model, name, source, statistic) VALUES ('m', 'visits', 'visit', 'count')$$, '42P01', NULL, 'a dropped relation');
SELECT lives_ok($$DELETE FROM lead_scoring.feature WHERE source = 'visit'$$, 'its features can be deleted');
SELECT throws_ok($$DELETE FROM lead_scoring.source WHERE name = 'visit'$$, '2BP01', NULL, 'the champion still looks at the source');
DROP TABLE leads;
SELECT is((SELECT count(*) FROM lead_scoring.model_versions), 2::bigint, 'versions are shown without their records');
SELECT lives_ok($$DELETE FROM lead_scoring.model; DELETE FROM lead_scoring.source; DELETE FROM lead_scoring.record_type$$, 'all can be deleted');

SELECT * FROM finish();
ROLLBACK;
