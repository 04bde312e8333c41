-- Models of their own for segments, beside models that are trained on those records alone.
BEGIN;
SET client_min_messages = error;
SET TIME ZONE 'UTC';
SELECT plan(35);

-- In the East visits are good, in the West they are bad; the North is small, the South is all the same, some live nowhere
CREATE TABLE leads (id int PRIMARY KEY, region text, visits int, won bool);
CREATE FUNCTION pg_temp.lot(n int) RETURNS float8 LANGUAGE sql IMMUTABLE AS $$SELECT (hashint4(n)::bigint + 2147483648) / 4294967296.0$$;
INSERT INTO leads SELECT g, 'East', g % 20, pg_temp.lot(g) < 0.1 + 0.04 * (g % 20) FROM generate_series(1, 1000) g;
INSERT INTO leads SELECT g, 'West', g % 20, pg_temp.lot(g) < 0.9 - 0.04 * (g % 20) FROM generate_series(1001, 2000) g;
INSERT INTO leads SELECT g, 'North', g % 20, pg_temp.lot(g) < 0.5 FROM generate_series(2001, 2040) g;
INSERT INTO leads SELECT g, 'South', g % 20, pg_temp.lot(g) < 0.5 FROM generate_series(2041, 3000) g;
INSERT INTO leads SELECT g, NULL, g % 20, pg_temp.lot(g) < 0.5 FROM generate_series(3001, 3100) g;
INSERT INTO leads SELECT g, (ARRAY['East', 'West', 'North', 'South', 'Antarctica', NULL])[1 + g % 6], g % 20, NULL FROM generate_series(4001, 4120) g;
CREATE VIEW east AS SELECT * FROM leads WHERE region = 'East';
CREATE VIEW west AS SELECT * FROM leads WHERE region = 'West';

INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('lead', 'leads', 'id'), ('east', 'east', 'id'), ('west', 'west', 'id');
INSERT INTO lead_scoring.model (name, record_type, outcome, segment, algorithm) VALUES
  ('m', 'lead', 'won', 'region', 'scorecard'), ('one', 'lead', 'won', NULL, 'scorecard'), ('east', 'east', 'won', NULL, 'scorecard'), ('west', 'west', 'won', NULL, 'scorecard');
INSERT INTO lead_scoring.feature (model, name, expression) SELECT n, 'visits', 'visits' FROM unnest(ARRAY['m', 'one', 'east', 'west']) n;
INSERT INTO lead_scoring.score (name, record_type, kind, model) VALUES ('m', 'lead', 'likelihood', 'm'), ('one', 'lead', 'likelihood', 'one'), ('east', 'east', 'likelihood', 'east'), ('west', 'west', 'likelihood', 'west');

SELECT is((SELECT string_agg(DISTINCT segment, ' ' ORDER BY segment) FROM lead_scoring.training_set('m')), 'East North South West', 'the training set tells the segment');
SELECT is((SELECT count(*) FROM lead_scoring.training_set('m') WHERE segment IS NULL), 100::bigint, 'also that there is none');
SELECT results_eq('SELECT record_key, features, fold FROM lead_scoring.training_set(''m'') ORDER BY 1', 'SELECT record_key, features, fold FROM lead_scoring.training_set(''one'') ORDER BY 1', 'and is the same otherwise');
SELECT is((SELECT sum(lead_scoring.train(n)) FROM unnest(ARRAY['m', 'one', 'east', 'west']) n), 4::bigint, 'all are trained');

SELECT results_eq($$SELECT segment, samples, converted FROM lead_scoring.model_segments WHERE model = 'm' ORDER BY segment$$,
  $$SELECT region, count(*), count(*) FILTER (WHERE won) FROM leads WHERE region <> 'North' AND won IS NOT NULL GROUP BY region ORDER BY region$$, 'the segments with enough of both');
SELECT is((SELECT string_agg(segment, ' ' ORDER BY segment) FROM lead_scoring.model_segments WHERE model = 'm' AND own_model AND segment <> 'South'), 'East West', 'those that differ have a model of their own');
SELECT is((SELECT auc FROM lead_scoring.model_segments WHERE model = 'm' AND segment = 'East'), (SELECT auc FROM lead_scoring.model_versions WHERE model = 'east'), 'of the quality of one that is trained on them alone');
SELECT is((SELECT bool_and(auc > 0.65 AND overall_auc < 0.6) FROM lead_scoring.model_segments WHERE model = 'm' AND segment IN ('East', 'West')), true, 'much better than that of all');
SELECT cmp_ok((SELECT auc FROM lead_scoring.model_versions WHERE model = 'm'), '>', (SELECT auc + 0.1 FROM lead_scoring.model_versions WHERE model = 'one'), 'the quality of the version is that with segments');

SELECT is_empty($$SELECT * FROM lead_scoring.model_segments WHERE own_model AND log_loss >= overall_log_loss$$, 'a model of their own is the better one');
SELECT is_empty($$SELECT * FROM lead_scoring.model_segments WHERE model = 'm' AND segment = 'South' AND own_model$$, 'where there is nothing to know, there is none');

-- Predictions
CREATE TEMP TABLE predicted AS SELECT l.id, l.region, e.total, o.total AS one, s.total AS alone
  FROM leads l JOIN lead_scoring.evaluate('m') e ON e.record_key = l.id::text JOIN lead_scoring.evaluate('one') o ON o.record_key = l.id::text
  LEFT JOIN (SELECT * FROM lead_scoring.evaluate('east') UNION ALL SELECT * FROM lead_scoring.evaluate('west')) s ON s.record_key = l.id::text
 WHERE l.won IS NULL;
SELECT is((SELECT count(*) FROM predicted WHERE total IS NOT NULL), 120::bigint, 'all that are open are predicted');
SELECT is_empty($$SELECT * FROM predicted WHERE region IN ('East', 'West') AND total IS DISTINCT FROM alone$$, 'as by models that know no other records');
SELECT is_empty($$SELECT * FROM predicted WHERE (region NOT IN ('East', 'West', 'South') OR region IS NULL) AND total IS DISTINCT FROM one$$, 'small, new and missing segments as by the model of all');
SELECT is((SELECT count(*) FROM predicted WHERE region = 'East' AND abs(total - one) > 5), (SELECT count(*) FROM predicted WHERE region = 'East' AND abs(alone - one) > 5), 'which makes a difference');
SELECT is_empty($$SELECT * FROM predicted p, LATERAL (SELECT 100 / (1 + exp(-sum(contribution))) AS likelihood FROM lead_scoring.explain_prediction('m', p.id::text)) x WHERE abs(x.likelihood - p.total) > 0.00006$$, 'explanations sum to them');
SELECT is((SELECT explanation FROM lead_scoring.explain_prediction('m', (SELECT min(id)::text FROM predicted WHERE region = 'East')) WHERE rank IS NULL) LIKE 'the average record of East: odds of %', true, 'and name the segment');
SELECT is((SELECT explanation FROM lead_scoring.explain_prediction('m', (SELECT min(id)::text FROM predicted WHERE region = 'North')) WHERE rank IS NULL) LIKE 'the average record: odds of %', true, 'if it has a model of its own');
SELECT is((SELECT string_agg(level || coalesce(' ' || rule, '') || coalesce(' ' || note, ''), ', ' ORDER BY step) FROM lead_scoring.explain('m', '4014') WHERE level <> 'feature'), 'base average record of East, total', 'explain() does so too')
  WHERE (SELECT region FROM leads WHERE id = 4014) = 'East';

-- Columns follow the segment
SELECT is(lead_scoring.activate('m') > 0, true, 'active');
SELECT is_empty($$SELECT * FROM lead_scoring.verify('m')$$, 'columns are as evaluated');
UPDATE leads SET region = 'West' WHERE region = 'East' AND won IS NULL;
SELECT is_empty($$SELECT l.id FROM leads l JOIN lead_scoring.evaluate('m') e ON e.record_key = l.id::text WHERE l.m IS DISTINCT FROM e.total$$, 'and follow the segment');
SELECT is((SELECT count(*) FROM leads l JOIN predicted p USING (id) WHERE p.region = 'East' AND l.m = p.total), 0::bigint, 'whose model is another');

-- The text of the model
SELECT is((SELECT jsonb_array_length(body::jsonb -> 'segments') FROM lead_scoring.model_version WHERE model = 'm'), (SELECT count(*)::int FROM lead_scoring.model_segments WHERE model = 'm' AND own_model), 'the models are in the text');
CREATE FUNCTION pg_temp.tamper(change jsonb) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO lead_scoring.model_version (model, algorithm, as_of, samples, converted, body)
    SELECT 'm', 'scorecard', now(), 1, 1, (body::jsonb || change)::text FROM lead_scoring.model_version WHERE model = 'm' AND version = 1;
  PERFORM lead_scoring.publish('m', (SELECT max(version) FROM lead_scoring.model_version WHERE model = 'm'));
  RETURN 'published';
EXCEPTION WHEN invalid_text_representation THEN
  RETURN SQLERRM;
END $$;
SELECT is(pg_temp.tamper('{"segments": []}'), 'published', 'no segments');
SELECT alike(pg_temp.tamper('{"segments": 1}'), 'invalid text of a model: %', 'segments that are no list');
SELECT alike(pg_temp.tamper('{"segments": [{"segment": "East"}]}'), 'invalid text of a model: %', 'a segment without a model');
SELECT alike(pg_temp.tamper('{"segments": [{"segment": 1}]}'), 'invalid text of a model: %', 'a segment without a name');
SELECT alike(pg_temp.tamper((SELECT jsonb_build_object('segments', jsonb_build_array(body::jsonb -> 'segments' -> 0, body::jsonb -> 'segments' -> 0)) FROM lead_scoring.model_version WHERE model = 'm' AND version = 1)),
  'invalid text of a model: two segments have one name', 'a segment twice');
SELECT lives_ok($$SELECT lead_scoring.publish('m', 1)$$, 'back');

-- A segment that fails, and one that is all
UPDATE lead_scoring.model SET segment = '(1 / (visits - 3))::text' WHERE name = 'm';
SELECT throws_ok($$SELECT lead_scoring.train('m')$$, '22012', NULL, 'a segment that cannot be computed');
SELECT throws_ok($$UPDATE lead_scoring.model SET segment = 'visits' WHERE name = 'm'$$, '42804', NULL, 'one that is no text');
UPDATE lead_scoring.model SET segment = $$'all'::text$$ WHERE name = 'm';
SELECT is(lead_scoring.train('m') > 1, true, 'one for all');
SELECT is((SELECT count(*) FROM lead_scoring.model_segments WHERE model = 'm' AND version = (SELECT max(version) FROM lead_scoring.model_versions WHERE model = 'm')), 0::bigint, 'is no segment');
SELECT lead_scoring.deactivate('m');
DELETE FROM lead_scoring.score;
DELETE FROM lead_scoring.model;
SELECT is_empty('SELECT * FROM lead_scoring.model_segment', 'segments go with their model');

SELECT * FROM finish();
ROLLBACK;
