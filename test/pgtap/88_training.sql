-- Training sets beside what hand-written SQL says of the same records, training, and likelihoods as scores.
BEGIN;
SET client_min_messages = warning;
SET TIME ZONE 'UTC';
SELECT plan(77);

CREATE TABLE leads (id int PRIMARY KEY, industry text, size int, agreed boolean, created_at timestamptz, won_at timestamptz, closed_on date, stage text);
CREATE TABLE visits (lead_id int, at timestamptz NOT NULL, page text, seconds float8);
CREATE TABLE meetings (lead_id int, at timestamptz NOT NULL, booked_at timestamptz);
CREATE INDEX ON visits (lead_id, at);
SELECT setseed(0.5);
INSERT INTO leads
  SELECT g, (ARRAY['Retail', 'Software', 'Health', NULL])[1 + g % 4], CASE WHEN g % 7 <> 0 THEN g % 50 END, CASE WHEN g % 5 <> 0 THEN g % 2 = 0 END,
         timestamptz '2026-01-01 00:00+00' + g % 200 * interval '1 day'
    FROM generate_series(1, 600) g;
INSERT INTO visits
  SELECT 1 + floor(random() * 600)::int, timestamptz '2026-01-01 00:00+00' + random() * interval '330 days',
         (ARRAY['pricing', 'blog', 'docs'])[1 + floor(random() * 3)::int], CASE WHEN random() < 0.9 THEN round((random() * 100)::numeric, 2) END
    FROM generate_series(1, 6000);
UPDATE visits SET page = NULL WHERE seconds > 97;
INSERT INTO meetings SELECT 1 + g * 7 % 600, timestamptz '2026-02-01 00:00+00' + g * interval '11 hours', timestamptz '2026-02-01 00:00+00' + g * interval '11 hours' - g % 30 * interval '1 day' FROM generate_series(1, 500) g;
-- Who looks at prices converts more often, retailers most
UPDATE leads l SET won_at = created_at + interval '40 days' + random() * interval '120 days'
 WHERE random() < 0.15 + 0.06 * (SELECT count(*) FROM visits v WHERE v.lead_id = l.id AND v.page = 'pricing') + CASE WHEN industry = 'Retail' THEN 0.2 ELSE 0 END;
UPDATE leads SET stage = CASE WHEN won_at IS NULL THEN 'open' ELSE 'customer' END;

INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('lead', 'leads', 'id');
INSERT INTO lead_scoring.source (name, record_type, relation, record_key, occurred_at) VALUES ('visit', 'lead', 'visits', 'lead_id', 'at'), ('meeting', 'lead', 'meetings', 'lead_id', 'at');
INSERT INTO lead_scoring.model (name, record_type, outcome, observed_from, horizon, snapshot_every, snapshots) VALUES
  ('m', 'lead', 'won_at', 'created_at', '60 days', '20 days', 6);
INSERT INTO lead_scoring.feature (model, name, source, statistic, expression, criterion, within, decay, known_at) VALUES
  ('m', 'industry', NULL, 'value', 'industry', 'true', NULL, NULL, NULL),
  ('m', 'size', NULL, 'value', 'size', 'true', NULL, NULL, NULL),
  ('m', 'agreed', NULL, 'value', 'agreed', 'true', NULL, NULL, NULL),
  ('m', 'has size', NULL, 'has_value', 'size', 'true', NULL, NULL, NULL),
  ('m', 'age', NULL, 'days_since', 'created_at', 'true', NULL, NULL, NULL),
  ('m', 'hours', NULL, 'value', 'extract(epoch FROM as_of - created_at) / 3600', 'true', NULL, NULL, NULL),
  ('m', 'visits', 'visit', 'count', NULL, 'true', NULL, NULL, NULL),
  ('m', 'visits 30', 'visit', 'count', NULL, 'true', '30 days', NULL, NULL),
  ('m', 'pricing', 'visit', 'count', NULL, $$page = 'pricing'$$, NULL, NULL, NULL),
  ('m', 'any docs', 'visit', 'has_any', NULL, $$page = 'docs'$$, NULL, NULL, NULL),
  ('m', 'seconds', 'visit', 'sum', 'seconds', 'true', NULL, NULL, NULL),
  ('m', 'average', 'visit', 'average', 'seconds', 'true', NULL, NULL, NULL),
  ('m', 'least', 'visit', 'minimum', 'seconds', 'true', NULL, NULL, NULL),
  ('m', 'most', 'visit', 'maximum', 'seconds', 'true', NULL, NULL, NULL),
  ('m', 'pages', 'visit', 'distinct', 'page', 'true', NULL, NULL, NULL),
  ('m', 'recency', 'visit', 'days_since_newest', NULL, 'true', NULL, NULL, NULL),
  ('m', 'tenure', 'visit', 'days_since_oldest', NULL, 'true', NULL, NULL, NULL),
  ('m', 'last page', 'visit', 'value', 'page', 'true', NULL, NULL, NULL),
  ('m', 'last seconds', 'visit', 'value', 'seconds', 'true', NULL, NULL, NULL),
  ('m', 'decayed', 'visit', 'count', NULL, 'true', NULL, 'half-life 30 days', NULL),
  ('m', 'decayed seconds', 'visit', 'sum', 'seconds', 'true', NULL, 'half-life 30 days', NULL),
  ('m', 'next meeting', 'meeting', 'days_until_next', NULL, 'true', NULL, NULL, 'booked_at');

-- The same by hand
CREATE FUNCTION pg_temp.by_hand(as_of timestamptz) RETURNS TABLE (record_key text, snapshot timestamptz, converted boolean, features jsonb) LANGUAGE sql AS $$
  SELECT l.id::text, s, coalesce(l.won_at > s AND l.won_at <= s + interval '60 days', false),
         jsonb_build_object(
           'industry', l.industry, 'size', l.size::float8, 'agreed', l.agreed::int::float8, 'has size', (l.size IS NOT NULL)::int::float8,
           'age', extract(epoch FROM s - l.created_at)::float8 / 86400, 'hours', extract(epoch FROM s - l.created_at)::float8 / 3600,
           'visits', count(v), 'visits 30', count(v) FILTER (WHERE v.at >= s - interval '30 days'),
           'pricing', count(v) FILTER (WHERE v.page = 'pricing'), 'any docs', (count(v) FILTER (WHERE v.page = 'docs') > 0)::int,
           'seconds', coalesce(sum(v.seconds), 0), 'average', avg(v.seconds), 'least', min(v.seconds), 'most', max(v.seconds),
           'pages', count(DISTINCT v.page), 'recency', extract(epoch FROM s - max(v.at))::float8 / 86400, 'tenure', extract(epoch FROM s - min(v.at))::float8 / 86400,
           'last page', (array_agg(v.page ORDER BY v.at DESC, v.page DESC NULLS LAST))[1],
           'last seconds', (array_agg(v.seconds ORDER BY v.at DESC, v.seconds DESC NULLS LAST))[1],
           'decayed', coalesce(sum(power(0.5, extract(epoch FROM s - v.at)::float8 / 86400 / 30)), 0),
           'decayed seconds', coalesce(sum(v.seconds * power(0.5, extract(epoch FROM s - v.at)::float8 / 86400 / 30)), 0),
           'next meeting', (SELECT extract(epoch FROM min(m.at) - s)::float8 / 86400 FROM meetings m WHERE m.lead_id = l.id AND m.at > s AND m.booked_at <= s))
    FROM generate_series(as_of - interval '60 days', as_of - interval '160 days', interval '-20 days') s
    JOIN leads l ON l.created_at <= s AND (l.won_at IS NULL OR l.won_at > s)
    LEFT JOIN visits v ON v.lead_id = l.id AND v.at <= s
   GROUP BY l.id, s
$$;
CREATE FUNCTION pg_temp.rounded(features jsonb) RETURNS jsonb LANGUAGE sql AS $$
  SELECT jsonb_object_agg(f.key, CASE jsonb_typeof(f.value) WHEN 'number' THEN to_jsonb(round((f.value)::text::numeric, 6)) ELSE f.value END) FROM jsonb_each(features) f
$$;
CREATE TEMP TABLE given AS SELECT t.record_key, t.snapshot, t.converted, pg_temp.rounded(t.features) AS features, t.fold FROM lead_scoring.training_set('m', '2026-10-01 00:00+00') t;
CREATE TEMP TABLE expected AS SELECT h.record_key, h.snapshot, h.converted, pg_temp.rounded(h.features) AS features FROM pg_temp.by_hand('2026-10-01 00:00+00') h;
SELECT cmp_ok((SELECT count(*) FROM expected), '>', 1000::bigint, 'there is something to compare');
SELECT is((SELECT count(*) FROM given), (SELECT count(*) FROM expected), 'as many samples');
SELECT is_empty('SELECT record_key, snapshot, converted FROM given EXCEPT ALL SELECT record_key, snapshot, converted FROM expected', 'the same samples and outcomes');
SELECT is_empty(format('SELECT record_key, snapshot, features -> %1$L FROM given EXCEPT ALL SELECT record_key, snapshot, features -> %1$L FROM expected', f.name), 'feature ' || f.name)
  FROM lead_scoring.feature f WHERE f.model = 'm' AND f.name IN ('industry', 'size', 'agreed', 'age', 'hours', 'visits 30', 'pricing', 'any docs', 'seconds', 'average', 'pages', 'recency', 'last page', 'last seconds', 'decayed seconds', 'next meeting')
 ORDER BY f.name;
SELECT is_empty('SELECT * FROM (SELECT record_key, snapshot, features FROM given EXCEPT ALL SELECT record_key, snapshot, features FROM expected) x', 'all features');
SELECT is_empty('SELECT record_key FROM given GROUP BY 1 HAVING count(DISTINCT fold) > 1', 'a record is in one fold with all its snapshots');
SELECT is((SELECT count(DISTINCT fold) FROM given), 5::bigint, 'there are five folds');

-- Each record as of an instant of its own
UPDATE lead_scoring.model SET snapshot_at = 'created_at + interval ''45 days''' WHERE name = 'm';
SELECT throws_ok($$SELECT count(*) FROM lead_scoring.training_set('m', '2026-10-01 00:00+00')$$, '0A000', NULL, 'as_of does not go with snapshots of their own');
DELETE FROM lead_scoring.feature WHERE model = 'm' AND name = 'hours';
CREATE TEMP TABLE own AS SELECT t.record_key, t.snapshot, t.converted, pg_temp.rounded(t.features) AS features FROM lead_scoring.training_set('m', '2026-10-01 00:00+00') t;
SELECT is((SELECT count(*) FROM own),
          (SELECT count(*) FROM leads, LATERAL (SELECT created_at + interval '45 days') s (at)
            WHERE at + interval '60 days' <= '2026-10-01 00:00+00' AND (won_at IS NULL OR won_at > at)), 'own snapshots: as many samples');
SELECT is((SELECT count(*) FROM leads, LATERAL (SELECT created_at + interval '45 days') s (at) WHERE won_at BETWEEN at AND '2026-10-01 00:00+00' AND at + interval '60 days' > '2026-10-01 00:00+00'), 9::bigint, '... without those that have converted, but were observed for less than the horizon');
SELECT is_empty($$SELECT o.record_key, o.features -> 'visits', o.features -> 'visits 30', o.features -> 'decayed seconds', o.features -> 'age', o.features -> 'next meeting' FROM own o
  EXCEPT SELECT l.id::text, to_jsonb(count(v)::numeric(20, 6)), to_jsonb((count(v) FILTER (WHERE v.at >= s.at - interval '30 days'))::numeric(20, 6)),
         to_jsonb(round(coalesce(sum(v.seconds * power(0.5, extract(epoch FROM s.at - v.at)::float8 / 86400 / 30)), 0)::numeric, 6)), to_jsonb(45.000000),
         coalesce(to_jsonb(round((SELECT extract(epoch FROM min(m.at) - s.at) / 86400 FROM meetings m WHERE m.lead_id = l.id AND m.at > s.at AND m.booked_at <= s.at), 6)), 'null')
    FROM leads l CROSS JOIN LATERAL (SELECT l.created_at + interval '45 days') s (at) LEFT JOIN visits v ON v.lead_id = l.id AND v.at <= s.at GROUP BY l.id, s.at$$,
  'own snapshots: the features as of then');
UPDATE lead_scoring.model SET snapshot_at = NULL WHERE name = 'm';

-- Training
UPDATE lead_scoring.model SET algorithm = 'scorecard' WHERE name = 'm';
SELECT throws_ok($$SELECT lead_scoring.train('nobody')$$, '42704', NULL, 'no such model');
INSERT INTO lead_scoring.score (name, record_type, kind, model) VALUES ('likelihood', 'lead', 'likelihood', 'm');
SELECT throws_ok($$SELECT * FROM lead_scoring.evaluate('likelihood')$$, '55000', NULL, 'nothing to predict with before training');
SELECT is(lead_scoring.train('m', '2026-10-01 00:00+00'), 1, 'the first version');
SELECT is((SELECT status FROM lead_scoring.model_versions WHERE model = 'm'), 'champion', 'becomes champion');
SELECT is((SELECT (samples, converted)::text FROM lead_scoring.model_versions WHERE model = 'm'), (SELECT (count(*), count(*) FILTER (WHERE converted))::text FROM given), 'of all samples');
SELECT cmp_ok((SELECT auc FROM lead_scoring.model_versions WHERE model = 'm'), '>', 0.55::float8, 'which knows something');
SELECT is(lead_scoring.train('m', '2026-10-01 00:00+00'), 2, 'another version');
SELECT is((SELECT string_agg(status, ' ' ORDER BY version) FROM lead_scoring.model_versions WHERE model = 'm'), 'champion challenger', 'waits to be published');
SELECT is((SELECT count(DISTINCT body) FROM lead_scoring.model_version WHERE model = 'm'), 1::bigint, 'and is the same, as the data are');

-- Likelihoods
SELECT is((SELECT count(*) FROM lead_scoring.evaluate('likelihood', '2026-12-01 00:00+00') WHERE total IS NULL), (SELECT count(*) FROM leads WHERE won_at <= '2026-12-01'), 'customers have no likelihood');
SELECT is((SELECT count(*) FROM lead_scoring.evaluate('likelihood', '2026-12-01 00:00+00') WHERE label = 'Closed Won'), (SELECT count(*) FROM leads WHERE won_at <= '2026-12-01'), 'but are Closed Won');
SELECT is_empty($$SELECT * FROM lead_scoring.evaluate('likelihood', '2026-12-01 00:00+00') WHERE total NOT BETWEEN 0.01 AND 99.99$$, 'E47: likelihoods are within 0.01 and 99.99');
CREATE TEMP TABLE parts AS SELECT e.record_key, e.total, p.* FROM (SELECT * FROM lead_scoring.evaluate('likelihood', '2026-12-01 00:00+00') WHERE total IS NOT NULL ORDER BY record_key LIMIT 20) e,
  LATERAL lead_scoring.explain_prediction('m', e.record_key, '2026-12-01 00:00+00') p;
SELECT is_empty($$SELECT record_key FROM parts GROUP BY record_key, total HAVING abs(round((100 / (1 + exp(-sum(contribution))))::numeric, 4) - total::numeric) > 0.0001$$, 'contributions sum to the log-odds of the likelihood');
SELECT is((SELECT count(*) FROM parts), 20::bigint * 22, 'one for each feature, and the average record');
CREATE TEMP TABLE steps AS SELECT e.record_key, e.total, x.* FROM (SELECT DISTINCT record_key, total FROM parts) e, LATERAL lead_scoring.explain('likelihood', e.record_key, '2026-12-01 00:00+00') x;
SELECT set_eq('SELECT record_key, rule, note, round(raw::numeric, 9) FROM steps WHERE level = ''feature''', 'SELECT record_key, feature, value, round(contribution::numeric, 9) FROM parts WHERE rank IS NOT NULL', 'explain() tells the same of each feature');
SELECT is_empty($$SELECT * FROM steps WHERE level = 'total' AND (running_total <> total OR clamped <> total OR abs(1 / (1 + exp(-raw)) - total / 100) > 0.0000006)$$, 'and ends with the likelihood');
SELECT is((SELECT string_agg(concat_ws(' ', step, level, part, raw, clamped, running_total, note), '; ') FROM lead_scoring.explain('likelihood', (SELECT min(id)::text FROM leads WHERE won_at < '2026-12-01'), '2026-12-01 00:00+00')), '1 total total Closed Won', 'of a customer it says no more than that');
SELECT throws_ok($$SELECT * FROM lead_scoring.explain_prediction('m', 'nobody')$$, '22P02', NULL, 'no such key');
SELECT throws_ok($$SELECT * FROM lead_scoring.explain_prediction('m', '9999')$$, 'P0002', NULL, 'no such record');

SELECT is((SELECT round(sum(share)::numeric, 12) FROM lead_scoring.preview('likelihood', 10, '2026-12-01 00:00+00') WHERE kind IN ('bin', 'out of scope') OR (kind = 'label' AND label = 'Closed Won')), 1.0, 'the preview counts each record once');
-- Rows that are given
CREATE TEMP TABLE given_rows AS SELECT l.id, e.total AS expected, lead_scoring.predict('m', l, '2026-12-01 00:00+00') AS predicted FROM leads l JOIN lead_scoring.evaluate('likelihood', '2026-12-01 00:00+00') e ON e.record_key = l.id::text;
SELECT is((SELECT count(*) FROM given_rows WHERE predicted IS NOT NULL), (SELECT count(*) FROM leads WHERE won_at IS NULL OR won_at > '2026-12-01'), 'predict() of each record that is open');
SELECT is_empty('SELECT * FROM given_rows WHERE predicted IS DISTINCT FROM expected', 'is its likelihood');
SELECT min(id) AS open_id FROM leads WHERE won_at IS NULL AND industry = 'Health' \gset
UPDATE leads SET industry = 'Retail' WHERE id = :open_id;
SELECT total AS as_retail FROM lead_scoring.evaluate('likelihood', '2026-12-01 00:00+00', ARRAY[:'open_id']) \gset
UPDATE leads SET industry = 'Health' WHERE id = :open_id;
SELECT is((SELECT lead_scoring.predict('m', jsonb_populate_record(l, '{"industry": "Retail"}'), '2026-12-01 00:00+00') FROM leads l WHERE id = :open_id), :as_retail::float8, 'what the row says counts');
SELECT isnt((SELECT lead_scoring.predict('m', l, '2026-12-01 00:00+00') FROM leads l WHERE id = :open_id), :as_retail::float8, '... not what is stored');
SELECT isnt(lead_scoring.predict('m', ROW(-1, 'Retail', 5, true, '2026-06-01', NULL, NULL, 'open')::leads, '2026-12-01 00:00+00'), NULL, 'nor need it be stored');
SELECT is(lead_scoring.predict('m', NULL::leads), NULL, 'no row');
SELECT throws_ok($$SELECT lead_scoring.predict('m', v) FROM visits v LIMIT 1$$, '42804', NULL, 'a row of another table');
SELECT throws_ok($$SELECT lead_scoring.predict('m', ROW(1, 2))$$, '42804', NULL, 'a row of no table');
SELECT throws_ok($$SELECT lead_scoring.predict('m', 1)$$, '42804', NULL, 'no row at all');
SELECT throws_ok($$SELECT lead_scoring.predict('nothing', l) FROM leads l LIMIT 1$$, '42704', NULL, 'no such model');
SELECT throws_ok($$SELECT lead_scoring.predict('m', l, 'infinity') FROM leads l LIMIT 1$$, '22023', NULL, 'no such instant');
ALTER TABLE leads ADD COLUMN dropped int DEFAULT 7, ADD COLUMN more text DEFAULT 'x';
ALTER TABLE leads DROP COLUMN dropped;
SELECT is((SELECT count(*) FROM leads l JOIN given_rows g USING (id) WHERE lead_scoring.predict('m', l, '2026-12-01 00:00+00') IS DISTINCT FROM g.expected), 0::bigint, 'a table that changed');
SELECT lead_scoring.publish('m', 2);
SELECT is((SELECT count(*) FROM leads l JOIN given_rows g USING (id) WHERE lead_scoring.predict('m', l, '2026-12-01 00:00+00') IS DISTINCT FROM g.expected), 0::bigint, 'another version, which is the same');
SELECT lead_scoring.publish('m', 1);

-- Columns that are kept current
UPDATE lead_scoring.score SET history = 'explained' WHERE name = 'likelihood';
SELECT lives_ok($$SELECT lead_scoring.activate('likelihood')$$, 'likelihoods become columns');
SELECT is_empty($$SELECT * FROM lead_scoring.verify('likelihood', clock_timestamp()) WHERE false$$, 'which verify() reads');
INSERT INTO visits SELECT 3, now() - interval '1 hour', 'pricing', 10 FROM generate_series(1, 5);
SELECT results_eq('SELECT likelihood, likelihood_label FROM leads WHERE id = 3', $$SELECT total, label FROM lead_scoring.evaluate('likelihood', now(), ARRAY['3'])$$, 'an event is in the column at once');
SELECT is((SELECT (explanation -> -1 ->> 'running_total')::float8 FROM lead_scoring.score_history WHERE score = 'likelihood' AND record_key = '3' ORDER BY changed_at DESC LIMIT 1), (SELECT likelihood FROM leads WHERE id = 3), 'with its reasons in the history');
UPDATE leads SET won_at = now() - interval '1 minute' WHERE id = 3;
SELECT results_eq('SELECT likelihood, likelihood_label FROM leads WHERE id = 3', $$VALUES (NULL::float8, 'Closed Won')$$, 'a customer is Closed Won');
-- Contact priority: quarters of the open ones
DELETE FROM lead_scoring.band WHERE score = 'likelihood';
INSERT INTO lead_scoring.band (score, label, top_share, lower_bound) VALUES ('likelihood', 'Very High', 0.25, NULL), ('likelihood', 'High', 0.5, NULL), ('likelihood', 'Medium', 0.75, NULL), ('likelihood', 'Low', NULL, NULL);
-- How many are open depends on the day; of 4n + 2 the first two quarters would be one more than half
UPDATE leads SET won_at = now() - interval '1 minute'
 WHERE id IN (SELECT id FROM leads WHERE likelihood IS NOT NULL ORDER BY id LIMIT (SELECT count(likelihood) % 4 FROM leads));
SELECT is((SELECT count(likelihood) % 4 FROM leads), 0::bigint, 'quarters of one size');
SELECT results_eq('SELECT l.id, l.likelihood_label FROM leads l ORDER BY l.id', $$SELECT id, lead_scoring.contact_priority(likelihood IS NULL) OVER (ORDER BY likelihood DESC NULLS LAST, id) FROM leads ORDER BY id$$, 'E28: the same as by the window function, customers are Closed Won');
SELECT is((SELECT count(*) FROM leads WHERE likelihood_label = 'Closed Won'), (SELECT count(*) FROM leads WHERE won_at <= now()), '... all of them');
SELECT is((SELECT string_agg(note, '; ') FROM lead_scoring.explain('likelihood', '3')), 'Closed Won', '... and explained so');
SELECT lives_ok($$SELECT lead_scoring.publish('m', 2)$$, 'another version is published');
SELECT is_empty($$SELECT l.id FROM leads l JOIN lead_scoring.evaluate('likelihood', now()) e ON e.record_key = l.id::text WHERE (l.likelihood, l.likelihood_label) IS DISTINCT FROM (e.total, e.label)$$, 'and all columns are what it predicts');

-- E38: too few to learn from
CREATE TABLE small (id int PRIMARY KEY, x float8, won bool);
INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('small', 'small', 'id');
INSERT INTO lead_scoring.model (name, record_type, outcome, algorithm) VALUES ('e38', 'small', 'won', 'scorecard');
INSERT INTO lead_scoring.feature (model, name, statistic, expression) VALUES ('e38', 'x', 'value', 'x');
INSERT INTO small SELECT g, g % 10 + (g <= 24)::int * 3, g <= 24 FROM generate_series(1, 50) g;
SELECT throws_like($$SELECT lead_scoring.train('e38')$$, '%24 converted and 26 unconverted%', 'E38: 24 and 26 are too few, and the error names both');
UPDATE small SET won = true WHERE id = 25;
SELECT lives_ok($$SELECT lead_scoring.train('e38')$$, 'E38: 25 and 25 are enough');
DELETE FROM small WHERE id = 50;
SELECT throws_like($$SELECT lead_scoring.train('e38')$$, '%25 converted and 24 unconverted%', 'E38: 25 and 24 are too few');
UPDATE lead_scoring.model SET min_unconverted = 24 WHERE name = 'e38';
SELECT lives_ok($$SELECT lead_scoring.train('e38')$$, 'E38: the minimum is configurable');

-- The newest row counts once it is there, even if it has no value
SET client_min_messages = error;
CREATE TABLE signals (small_id int, at timestamptz NOT NULL, strength float8);
INSERT INTO small VALUES (98, 1, NULL), (99, 1, NULL);
INSERT INTO signals SELECT id, now() - interval '2 days', id % 10 + coalesce(won, true)::int * 10 FROM small;
INSERT INTO signals VALUES (98, now() - interval '1 day', NULL), (99, now() + interval '1 day', NULL);
INSERT INTO lead_scoring.source (name, record_type, relation, record_key, occurred_at) VALUES ('signal', 'small', 'signals', 'small_id', 'at');
UPDATE lead_scoring.feature SET source = 'signal', expression = 'strength' WHERE model = 'e38';
SELECT lead_scoring.publish('e38', lead_scoring.train('e38'));
SELECT results_eq($$SELECT k, x.value FROM unnest('{98,99}'::text[]) k, LATERAL lead_scoring.explain_prediction('e38', k) x WHERE x.feature = 'x'$$, $$VALUES ('98', NULL), ('99', '19')$$, 'explain_prediction: the value of the newest row');
SELECT is((SELECT format('%s %s', lead_scoring.predict('e38', a, now() + interval '2 days') = lead_scoring.predict('e38', b), lead_scoring.predict('e38', a) = lead_scoring.predict('e38', b)) FROM small a, small b WHERE a.id = 99 AND b.id = 98), 't f', 'predict: the same, as of any instant');
INSERT INTO lead_scoring.score (name, record_type, kind, model) VALUES ('strong', 'small', 'likelihood', 'e38');
SELECT lead_scoring.activate('strong');
SELECT is((SELECT array_agg(record_key || ' ' || (due_at = now() + interval '1 day')) FROM lead_scoring.due WHERE score = 'strong'), '{99 true}', 'and is waited for');

SELECT * FROM finish();
ROLLBACK;
