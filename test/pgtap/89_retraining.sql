-- Models that are trained again by themselves: when, and whether what comes of it is published.
BEGIN;
SET client_min_messages = error;
SET TIME ZONE 'UTC';
SELECT plan(51);

CREATE ROLE ls_test_owner;
CREATE ROLE ls_test_other;
GRANT USAGE, CREATE ON SCHEMA public TO ls_test_owner;
DO $$ BEGIN EXECUTE format('GRANT USAGE ON SCHEMA %I TO PUBLIC', (SELECT nspname FROM pg_namespace WHERE oid = pg_my_temp_schema())); END $$;

SET ROLE ls_test_owner;
CREATE TABLE leads (id int PRIMARY KEY, visits int, won bool);
INSERT INTO leads SELECT g, g % 10, g % 10 + g % 7 > 8 FROM generate_series(1, 400) g;
INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('lead', 'leads', 'id');
INSERT INTO lead_scoring.model (name, record_type, outcome, algorithm) VALUES ('m', 'lead', 'won', 'scorecard');
INSERT INTO lead_scoring.feature (model, name, expression) VALUES ('m', 'visits', 'visits');

-- When
SELECT is((SELECT (version IS NULL, next_training)::text FROM lead_scoring.model_upkeep WHERE model = 'm'), '(t,)', 'the first training is up to people');
SELECT is(lead_scoring.retrain_due(), 0, 'nothing is due');
SELECT is(lead_scoring.train('m'), 1, 'trained');
SELECT is((SELECT next_training - trained_at FROM lead_scoring.model_upkeep WHERE model = 'm'), interval '15 days', 'the next training is 15 days later');
SELECT is(lead_scoring.retrain_due(), 0, 'nothing is due yet');
UPDATE lead_scoring.model SET retrain_every = '1 month 1 day' WHERE name = 'm';
SELECT is((SELECT next_training - trained_at FROM lead_scoring.model_upkeep WHERE model = 'm'), interval '31 days', 'a month is 30 days');
UPDATE lead_scoring.model SET retrain_every = '290000 years' WHERE name = 'm';
SELECT is((SELECT next_training FROM lead_scoring.model_upkeep WHERE model = 'm') > '280000-01-01', true, 'hardly ever');
UPDATE lead_scoring.model SET retrain_every = NULL WHERE name = 'm';
SELECT is((SELECT next_training FROM lead_scoring.model_upkeep WHERE model = 'm'), NULL, 'never');
UPDATE lead_scoring.model SET retrain_every = '15 days' WHERE name = 'm';

-- A champion as old and as good as is said
RESET ROLE;
CREATE FUNCTION pg_temp.put_champion(age interval, accuracy float8, auc float8) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
  made integer;
BEGIN
  DELETE FROM lead_scoring.model_version v WHERE v.model = 'm' AND v.status <> 'champion';
  INSERT INTO lead_scoring.model_version (model, algorithm, trained_at, as_of, samples, converted, accuracy, auc, body)
    SELECT 'm', 'scorecard', clock_timestamp() - age, now(), 400, 200, put_champion.accuracy, put_champion.auc, v.body FROM lead_scoring.model_version v WHERE v.status = 'champion'
    RETURNING version INTO made;
  PERFORM lead_scoring.publish('m', made);
  DELETE FROM lead_scoring.model_version v WHERE v.model = 'm' AND v.status <> 'champion';
  RETURN made;
END $$;
CREATE TEMP TABLE truth AS SELECT accuracy, auc FROM lead_scoring.model_version WHERE model = 'm';
CREATE FUNCTION pg_temp.try(age interval, accuracy float8, auc float8) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  old integer := pg_temp.put_champion(age, accuracy, auc);
  tried integer;
BEGIN
  SET LOCAL ROLE ls_test_owner;
  tried := lead_scoring.retrain_due();
  RETURN (SELECT format('%s: %s, %s', tried, CASE WHEN u.published THEN 'published' ELSE 'waits' END, regexp_replace(u.outcome, '[0-9.]+', 'N', 'g')) FROM lead_scoring.model_upkeep u WHERE u.model = 'm')
      || CASE WHEN (SELECT v.version FROM lead_scoring.model_versions v WHERE v.model = 'm' AND v.status = 'champion') = old THEN '' ELSE '; a new champion' END;
END $$;
SELECT is(pg_temp.try('16 days', (SELECT accuracy FROM truth), (SELECT auc FROM truth)), '1: published, takes the place of version N; a new champion', 'as good as the champion');
RESET ROLE;
SELECT is(pg_temp.try('16 days', (SELECT accuracy / 0.951 FROM truth), (SELECT auc FROM truth)), '1: published, takes the place of version N; a new champion', 'accuracy of just above 95 % of the champion''s');
RESET ROLE;
SELECT is(pg_temp.try('16 days', (SELECT accuracy / 0.949 FROM truth), (SELECT auc FROM truth)), '1: waits, its accuracy, N, is less than N of the champion''s, N', 'of just below 95 %');
RESET ROLE;
SELECT is(pg_temp.try('16 days', (SELECT accuracy FROM truth), (SELECT auc / 0.949 FROM truth)), '1: waits, its AUC, N, is less than N of the champion''s, N', 'the AUC is just below 95 %');
RESET ROLE;
SELECT is(pg_temp.try('91 days', 1, 1), '1: published, takes the place of version N; a new champion', 'a champion older than 90 days is replaced');
RESET ROLE;
SELECT is(pg_temp.try('89 days', 1, 1), '1: waits, its accuracy, N, is less than N of the champion''s, N', 'one of 89 days is not');
RESET ROLE;
SELECT is(pg_temp.try('16 days', NULL, NULL), '1: published, takes the place of version N; a new champion', 'so is one of unknown quality');
RESET ROLE;
SELECT is(lead_scoring.reason_to_wait(row(c.*)::lead_scoring.model_versions, row(c.*)::lead_scoring.model_versions, row(m.*)::lead_scoring.model), NULL, 'no reason to wait')
  FROM lead_scoring.model_versions c, lead_scoring.model m WHERE c.model = 'm' AND c.status = 'champion' AND m.name = 'm';
SELECT is(lead_scoring.reason_to_wait(jsonb_populate_record(c, '{"auc": null}'), c, m), 'its quality is not known', 'what is of unknown quality waits')
  FROM lead_scoring.model_versions c, lead_scoring.model m WHERE c.model = 'm' AND c.status = 'champion' AND m.name = 'm';
SELECT is(lead_scoring.reason_to_wait(jsonb_populate_record(c, '{"auc": null}'), jsonb_populate_record(c, '{"trained_at": "2000-01-01"}'), m), 'its quality is not known', '... however old the champion')
  FROM lead_scoring.model_versions c, lead_scoring.model m WHERE c.model = 'm' AND c.status = 'champion' AND m.name = 'm';

-- Scores follow
RESET ROLE;
SELECT isnt(pg_temp.put_champion('16 days', 0.1, 0.1), NULL, 'a poor champion');
SET ROLE ls_test_owner;
INSERT INTO leads SELECT g, g % 10, NULL FROM generate_series(401, 420) g;
INSERT INTO lead_scoring.score (name, record_type, kind, model) VALUES ('likelihood', 'lead', 'likelihood', 'm');
SELECT count(*) AS shown FROM leads WHERE won IS NOT FALSE \gset
SELECT is(lead_scoring.activate('likelihood'), :shown::bigint, 'an active score: of the open records, and of customers');
CREATE TABLE before AS SELECT id, likelihood FROM leads;
INSERT INTO leads SELECT g, g % 10, g % 10 < 5 FROM generate_series(1001, 2000) g;
SELECT is((SELECT count(*) FROM lead_scoring.retrain('m') WHERE published), 1::bigint, 'retrain() publishes what is good enough');
SELECT cmp_ok((SELECT count(*) FROM leads l JOIN before b USING (id) WHERE l.id BETWEEN 401 AND 420 AND l.likelihood <> b.likelihood), '>', 10::bigint, 'and the columns follow');
SELECT is_empty($$SELECT * FROM lead_scoring.verify('likelihood')$$, 'all of them');
SELECT is((SELECT DISTINCT reason FROM lead_scoring.score_history WHERE score = 'likelihood' AND record_key = '405' AND changed_at = (SELECT max(changed_at) FROM lead_scoring.score_history WHERE record_key = '405')), 'rule_change', 'as a change of rules, without alerts');

-- How many versions are left
UPDATE lead_scoring.model SET keep_versions = 1 WHERE name = 'm';
SELECT lives_ok($$SELECT lead_scoring.retrain('m')$$, 'trained again');
SELECT is((SELECT count(*) FROM lead_scoring.model_versions WHERE model = 'm'), 2::bigint, 'older versions are pruned');

-- What is not kept is not trained again and again
UPDATE lead_scoring.model SET keep_versions = 0 WHERE name = 'm';
RESET ROLE;
SELECT isnt(pg_temp.put_champion('16 days', 1, 1), NULL, 'a champion that is hard to beat');
SET ROLE ls_test_owner;
SELECT is(lead_scoring.retrain_due(), 1, 'it is tried');
SELECT is((SELECT count(*) FROM lead_scoring.model_versions WHERE model = 'm'), 1::bigint, 'the new version is not published, and not kept');
SELECT is(lead_scoring.retrain_due(), 0, 'it is not tried again at once');
SELECT is((SELECT next_training - tried_at FROM lead_scoring.model_upkeep WHERE model = 'm'), interval '15 days', 'but when it is time again');
UPDATE lead_scoring.model SET keep_versions = 1 WHERE name = 'm';

-- A role of another name
RESET ROLE;
SELECT isnt(pg_temp.put_champion('16 days', 0.1, 0.1), NULL, 'a champion');
ALTER ROLE ls_test_owner RENAME TO ls_test_renamed;
SELECT is(lead_scoring.retrain_due(), 1, 'what is due is found though the owner has another name');
ALTER ROLE ls_test_renamed RENAME TO ls_test_owner;
DELETE FROM lead_scoring.model_training;

-- An error
RESET ROLE;
SELECT isnt(pg_temp.put_champion('16 days', 0.1, 0.1), NULL, 'a champion');
SET ROLE ls_test_owner;
CREATE TABLE kept AS SELECT version, status FROM lead_scoring.model_versions WHERE model = 'm';
UPDATE leads SET won = true WHERE won IS NOT NULL;
SELECT is(lead_scoring.retrain_due(), 1, 'one is tried');
SELECT is((SELECT (published, outcome)::text FROM lead_scoring.model_upkeep WHERE model = 'm'), (SELECT format('(f,"%s")', outcome) FROM lead_scoring.model_upkeep WHERE model = 'm' AND outcome ~ '1400 converted and 0 unconverted'), 'and fails');
SELECT results_eq('SELECT version, status FROM lead_scoring.model_versions WHERE model = ''m''', 'SELECT version, status FROM kept', 'the champion stays');
SELECT is(lead_scoring.retrain_due(), 0, 'it is not tried again at once');
SELECT is((SELECT next_training - tried_at FROM lead_scoring.model_upkeep WHERE model = 'm'), interval '1 day', 'but a day later');
UPDATE lead_scoring.model SET retrain_every = '1 hour' WHERE name = 'm';
SELECT is((SELECT next_training - tried_at FROM lead_scoring.model_upkeep WHERE model = 'm'), interval '1 hour', 'or as soon as it would be otherwise');
SELECT throws_like($$SELECT lead_scoring.retrain('m')$$, '%1400 converted and 0 unconverted%', 'retrain() itself raises');
SELECT throws_ok($$SELECT lead_scoring.retrain('nothing')$$, '42704', NULL, 'a model that is not there');
SELECT throws_ok($$SELECT lead_scoring.retrain_due(0)$$, '22023', NULL, 'no models at all');

-- Who may
SET ROLE ls_test_other;
SELECT is((SELECT (model, outcome)::text FROM lead_scoring.model_upkeep WHERE model = 'm'), '(m,)', 'others do not see the error');
SELECT throws_ok($$SELECT outcome FROM lead_scoring.model_training$$, '42501', NULL, 'nor in the table');
SELECT throws_ok($$SELECT lead_scoring.retrain('m')$$, '42501', NULL, 'nor may they train');
SELECT throws_ok($$INSERT INTO lead_scoring.model_training VALUES ('m', now(), NULL, false, 'x')$$, '42501', NULL, 'nor write what became of it');
RESET ROLE;
UPDATE lead_scoring.model_training SET tried_at = now() - interval '2 days';
SET ROLE ls_test_other;
SELECT is((SELECT next_training < now() FROM lead_scoring.model_upkeep WHERE model = 'm'), true, 'what is due for its owner');
SELECT is(lead_scoring.retrain_due(), 0, 'is not due for others');

-- Models that go and are renamed
SET ROLE ls_test_owner;
UPDATE lead_scoring.model SET name = 'n' WHERE name = 'm';
SELECT is((SELECT model FROM lead_scoring.model_upkeep WHERE tried_at IS NOT NULL), 'n', 'it follows to another name');
SELECT lead_scoring.deactivate('likelihood');
DELETE FROM lead_scoring.score WHERE name = 'likelihood';
DELETE FROM lead_scoring.model WHERE name = 'n';
RESET ROLE;
SELECT is_empty('SELECT * FROM lead_scoring.model_training', 'and goes with the model');

SELECT * FROM finish();
ROLLBACK;
