-- Training sets that are odd or bad: clear errors or warnings, and the deployed version stays.
BEGIN;
SET client_min_messages = error;
SET TIME ZONE 'UTC';
SELECT plan(48);

CREATE TABLE cases (
  id int PRIMARY KEY, won bool, x float8, same int, nothing float8, leak int, nearly float8, many text, odd float8, short text, big numeric, strange text);
INSERT INTO cases
  SELECT g, hashint4(g) % 3 = 0, (hashint4(g) % 3 = 0)::int + hashint4(g + 1) / 2e9, 7, NULL, (hashint4(g) % 3 = 0)::int * 5,
         (hashint4(g) % 3 = 0)::int + CASE WHEN g % 500 = 0 THEN 3 ELSE 0 END, 'category ' || g,
         CASE g % 5 WHEN 0 THEN 'NaN'::float8 WHEN 1 THEN 'infinity' WHEN 2 THEN '-infinity' WHEN 3 THEN 1e308 ELSE -1e308 END,
         CASE g % 4 WHEN 0 THEN '' WHEN 1 THEN ' ' WHEN 2 THEN E'tab\there "quoted" \\ back' ELSE 'größe ☃' END, 1e20 * (g % 10), repeat('x', 1000 + g % 3)
    FROM generate_series(1, 3000) g;
INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('case', 'cases', 'id');
INSERT INTO lead_scoring.model (name, record_type, outcome) SELECT m, 'case', 'won' FROM unnest(ARRAY['scorecard', 'boosted_trees']) m;
UPDATE lead_scoring.model SET algorithm = name, parameters = CASE name WHEN 'boosted_trees' THEN '{"trees": 20, "depth": 3}' ELSE '{}' END::jsonb;
INSERT INTO lead_scoring.feature (model, name, expression) SELECT m, 'x', 'x' FROM unnest(ARRAY['scorecard', 'boosted_trees']) m;

-- Train with one more feature; what is warned of
CREATE FUNCTION pg_temp.train_with(algorithm text, expression text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  made integer;
BEGIN
  DELETE FROM lead_scoring.feature WHERE model = train_with.algorithm AND name <> 'x';
  INSERT INTO lead_scoring.feature (model, name, expression) VALUES (algorithm, train_with.expression, train_with.expression);
  made := lead_scoring.train(algorithm);
  RETURN coalesce((SELECT warnings FROM lead_scoring.model_versions WHERE model = train_with.algorithm AND version = made), '');
END $$;
SELECT is(lead_scoring.train(m), 1, m || ': a sound one') FROM unnest(ARRAY['scorecard', 'boosted_trees']) m;
SELECT alike(pg_temp.train_with(m, 'same'), '%"same" has the same value in all rows%', m || ': a constant is warned of') FROM unnest(ARRAY['scorecard', 'boosted_trees']) m;
SELECT alike(pg_temp.train_with(m, 'nothing'), '%"nothing" has no value in any row%', m || ': so is one that is missing everywhere') FROM unnest(ARRAY['scorecard', 'boosted_trees']) m;
SELECT alike(pg_temp.train_with(m, 'leak'), '%"leak"%', m || ': one that is the outcome is named') FROM unnest(ARRAY['scorecard', 'boosted_trees']) m;
SELECT alike(pg_temp.train_with(m, 'nearly'), '%"nearly"%', m || ': one that nearly is, too') FROM unnest(ARRAY['scorecard', 'boosted_trees']) m;
SELECT unalike(pg_temp.train_with(m, 'odd'), '%leak%', m || ': NaN and infinity are missing') FROM unnest(ARRAY['scorecard', 'boosted_trees']) m;
SELECT is(pg_temp.train_with(m, 'short'), '', m || ': texts of any kind') FROM unnest(ARRAY['scorecard', 'boosted_trees']) m;
SELECT is(pg_temp.train_with(m, 'big'), '', m || ': numbers of any size') FROM unnest(ARRAY['scorecard', 'boosted_trees']) m;
SELECT is(pg_temp.train_with(m, 'strange'), '', m || ': long texts') FROM unnest(ARRAY['scorecard', 'boosted_trees']) m;
SELECT alike(pg_temp.train_with(m, 'many'), '%"many" has 3000 categories%', m || ': a category for each record') FROM unnest(ARRAY['scorecard', 'boosted_trees']) m;
SELECT is((SELECT count(*) FROM lead_scoring.model_versions WHERE auc BETWEEN 0 AND 1 AND log_loss >= 0 AND brier BETWEEN 0 AND 1 AND calibration_error BETWEEN 0 AND 1), 20::bigint, 'all qualities are numbers');

-- What came of it predicts
INSERT INTO lead_scoring.score (name, record_type, kind, model) VALUES ('s', 'case', 'likelihood', 'scorecard'), ('b', 'case', 'likelihood', 'boosted_trees');
INSERT INTO cases VALUES (5001, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL), (5002, NULL, 'NaN', 1, 1, 1, 1, 'new', 'infinity', 'new', 'NaN', ''), (5003, NULL, 1e308, -1, 'infinity', 9, -1e308, '', 0, E'\u00e9', 1e300, 'x');
SELECT is((SELECT count(*) FROM lead_scoring.evaluate(s) WHERE record_key::int > 5000 AND total BETWEEN 0.01 AND 99.99), 3::bigint, s || ': whatever a record holds, it is predicted') FROM unnest(ARRAY['s', 'b']) s;
SELECT lead_scoring.publish(m, (SELECT max(version) FROM lead_scoring.model_version WHERE model = m)) FROM unnest(ARRAY['scorecard', 'boosted_trees']) m;
SELECT is((SELECT count(*) FROM lead_scoring.evaluate(s) WHERE record_key::int > 5000 AND total BETWEEN 0.01 AND 99.99), 3::bigint, s || ': of categories that nobody has seen, too') FROM unnest(ARRAY['s', 'b']) s;

-- What cannot be learned from
CREATE TABLE champions AS SELECT model, version FROM lead_scoring.model_versions WHERE status = 'champion';
UPDATE lead_scoring.model SET outcome = 'won IS NOT NULL' WHERE name = 'scorecard';
SELECT throws_like($$SELECT lead_scoring.train('scorecard')$$, '%3000 converted and 3 unconverted%', 'one outcome only');
UPDATE lead_scoring.model SET outcome = 'CASE WHEN won THEN NULL::bool END' WHERE name = 'scorecard';
SELECT throws_like($$SELECT lead_scoring.train('scorecard')$$, '%0 converted and 0 unconverted%', 'no finished case at all');
UPDATE lead_scoring.model SET outcome = 'won', fold = '1' WHERE name = 'scorecard';
SELECT throws_like($$SELECT lead_scoring.train('scorecard')$$, '%in 1 folds%', 'one fold');
UPDATE lead_scoring.model SET fold = 'won::int' WHERE name = 'scorecard';
SELECT throws_like($$SELECT lead_scoring.train('scorecard')$$, '%fold%', 'folds by the outcome');
UPDATE lead_scoring.model SET fold = '1 / (id - 7)' WHERE name = 'scorecard';
SELECT throws_ok($$SELECT lead_scoring.train('scorecard')$$, '22012', NULL, 'a fold that fails for one record');
SELECT results_eq('SELECT model, version FROM lead_scoring.model_versions WHERE status = ''champion'' ORDER BY 1', 'SELECT * FROM champions ORDER BY 1', 'the champions stay');

-- Where nothing can be kept, that is said before the work, not after it
SELECT throws_ok($$DO 'BEGIN SET LOCAL transaction_read_only = on; PERFORM lead_scoring.train(''scorecard''); END'$$, '25006', 'cannot train model "scorecard" in a read-only transaction', 'a transaction that only reads');
SELECT throws_ok($$DO 'BEGIN SET LOCAL transaction_read_only = on; PERFORM lead_scoring.retrain(''scorecard''); END'$$, '25006', 'cannot train model "scorecard" in a read-only transaction', '... nor does retrain()');

-- Snapshots before the beginning of time
INSERT INTO lead_scoring.model (name, record_type, outcome, horizon, snapshot_every, snapshots) VALUES ('old', 'case', 'CASE WHEN won THEN now() - interval ''1 day'' END', '5 days', '290000 years', 1000);
INSERT INTO lead_scoring.feature (model, name, expression) VALUES ('old', 'x', 'x');
SELECT is((SELECT (count(*), count(DISTINCT s.snapshot), min(s.snapshot))::text FROM lead_scoring.training_set('old') s), format('(%s,1,"%s")', (SELECT count(*) FROM cases), now() - interval '5 days'), 'there are none');
UPDATE lead_scoring.model SET horizon = '290000 years' WHERE name = 'old';
SELECT is_empty($$SELECT * FROM lead_scoring.training_set('old')$$, 'not even the first');
DELETE FROM lead_scoring.model WHERE name = 'old';

-- A category for each of 100,000 records
CREATE TABLE visitors (id int PRIMARY KEY, name text, won bool);
INSERT INTO visitors SELECT g, 'visitor ' || g, g % 3 = 0 FROM generate_series(1, 100000) g;
INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('visitor', 'visitors', 'id');
INSERT INTO lead_scoring.model (name, record_type, outcome, algorithm) VALUES ('visitors', 'visitor', 'won', 'scorecard');
INSERT INTO lead_scoring.feature (model, name, expression) VALUES ('visitors', 'name', 'name');
SELECT lives_ok($$SELECT lead_scoring.train('visitors')$$, '100,000 categories');
SELECT alike((SELECT warnings FROM lead_scoring.model_versions WHERE model = 'visitors'), '%"name" has 100000 categories%', 'which is warned of');
SELECT cmp_ok((SELECT length(body) FROM lead_scoring.model_version WHERE model = 'visitors'), '<', 100000, 'the model is small');

-- Whatever the bounds of a parameter of the scorecard allow, it trains
UPDATE lead_scoring.model SET outcome = 'won', fold = NULL WHERE name = 'scorecard';
CREATE FUNCTION pg_temp.code_with(model text, given jsonb) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  UPDATE lead_scoring.model SET parameters = given WHERE name = code_with.model;
  PERFORM lead_scoring.train(code_with.model);
  RETURN '00000';
EXCEPTION WHEN OTHERS THEN RETURN concat_ws(' ', SQLSTATE, SQLERRM);
END $$;
SELECT is(pg_temp.code_with('scorecard', jsonb_build_object(p.name, b)), '00000', format('%s = %s', p.name, b)) FROM lead_scoring.model_parameters() p, LATERAL unnest(ARRAY[p.lowest, p.highest]) b WHERE p.algorithm = 'scorecard' ORDER BY p.name, b;

-- What is rare, drawn by lot
CREATE TABLE rare (id int PRIMARY KEY, x float8, won bool);
INSERT INTO rare SELECT g, g, g % 250 = 0 FROM generate_series(1, 10000) g;
INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('rare', 'rare', 'id');
INSERT INTO lead_scoring.model (name, record_type, outcome, algorithm) VALUES ('rare', 'rare', 'won', 'scorecard');
INSERT INTO lead_scoring.feature (model, name, expression) SELECT 'rare', 'x' || g, 'x + ' || g FROM generate_series(1, 100) g;
CREATE FUNCTION pg_temp.told(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE h text;
BEGIN EXECUTE statement; RETURN 'it trains'; EXCEPTION WHEN OTHERS THEN GET STACKED DIAGNOSTICS h = PG_EXCEPTION_HINT; RETURN concat_ws(' ', SQLSTATE, SQLERRM, h); END $$;
SET LOCAL lead_scoring.work_mem = '4MB';
SELECT matches(pg_temp.told($$SELECT lead_scoring.train('rare')$$), '^22023 too little to learn from: \d+ converted and \d+ unconverted records, drawn by lot of 40 and 9960 .* raise lead_scoring.work_mem, so that more are drawn.$', 'too few are drawn: more memory is what helps');
CREATE FUNCTION pg_temp.nameless(lot bigint) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
  UPDATE lead_scoring.model SET seed = lot WHERE name = 'rare';
  RETURN (SELECT count(*) FROM lead_scoring.training_set('rare') t WHERE t.record_key = '');
END $$;
SELECT is((SELECT sum(pg_temp.nameless(g)) FROM generate_series(1, 6) g), 0::numeric, 'those that are drawn have their keys, whatever the lots');
UPDATE rare SET won = g.id <= 24 FROM rare g WHERE g.id = rare.id;
SELECT matches(pg_temp.told($$SELECT lead_scoring.train('rare')$$), '^22023 too little to learn from: 24 converted and 9976 unconverted records .* a longer past has more', 'there are too few: more memory is no help');
UPDATE rare SET won = g.id % 250 = 0 FROM rare g WHERE g.id = rare.id;
RESET lead_scoring.work_mem;
SELECT is(pg_temp.told($$SELECT lead_scoring.train('rare')$$), 'it trains', 'it does help');

SELECT * FROM finish();
ROLLBACK;
