-- Models in use: psi and model_drift beside hand-written SQL
BEGIN;
\ir include/outcomes.psql
SELECT plan(36);

CREATE FUNCTION pg_temp.values(VARIADIC counts int[]) RETURNS float8[] LANGUAGE sql AS $$ SELECT array_agg(v::float8) FROM unnest(counts) WITH ORDINALITY u (n, v), generate_series(1, n) $$;
SELECT is(round(lead_scoring.psi(pg_temp.values(25, 25, 25, 25), pg_temp.values(10, 20, 30, 40))::numeric, 12), round(-0.15 * ln(0.4) - 0.05 * ln(0.8) + 0.05 * ln(1.2) + 0.15 * ln(1.6), 12), 'psi: the formula');
SELECT is(lead_scoring.psi(pg_temp.values(25, 25, 25, 25), pg_temp.values(5, 5, 5, 5)), 0::float8, 'psi: alike');
SELECT is(round(lead_scoring.psi(pg_temp.values(50, 50), pg_temp.values(0, 100))::numeric, 12), round((0.005 - 0.5) * ln(0.005 / 0.5) + 0.5 * ln(2.0), 12), 'psi: a bin without values');
SELECT is(round(lead_scoring.psi(array(SELECT generate_series(1, 1000)::float8), array(SELECT x FROM generate_series(1, 1000) x WHERE x > 500), 2)::numeric, 9),
  round((0.5 / 500 - 0.5) * ln((0.5 / 500) / 0.5) + (1 - 0.5) * ln(1 / 0.5), 9), 'psi: two bins');
SELECT is(round(lead_scoring.psi(array_fill(0.1::float8, '{90}') || array_fill(0.9::float8, '{10}'), array_fill(0.1::float8, '{10}') || array_fill(0.9::float8, '{90}'))::numeric, 12), round(1.6 * ln(9.0), 12), 'psi: two values that change places');
SELECT is(round(lead_scoring.psi('{1,2,3,4}', '{5,6,7,8}', 2)::numeric, 12), round(0.375 * ln(4.0) + 0.5 * ln(2.0), 12), 'psi: values above all that were expected');
SELECT is(round(lead_scoring.psi('{5,6,7,8}', '{1,2,3,4}', 2)::numeric, 12), round(0.375 * ln(4.0) + 0.5 * ln(2.0), 12), 'psi: and below');
-- As the definition says, without sorting: a value's bin is how many bounds lie below it, and the i-th bound is the least value that i of the bins' share of all do not exceed
SELECT is_empty($$WITH lists AS (SELECT n, bins, array(SELECT floor(pg_temp.lot(n, g, 1) * v)::float8 FROM generate_series(1, 20 * n) g) AS e, array(SELECT floor(pg_temp.lot(n, g, 2) * (v + 2))::float8 FROM generate_series(1, 15 * n) g) AS a FROM generate_series(1, 8) n, unnest('{2,5,10,100}'::int[]) bins, unnest('{3,20,1000}'::int[]) v),
    bounds AS (SELECT l.*, ARRAY(SELECT DISTINCT (SELECT min(x) FROM unnest(e) x WHERE (SELECT count(*) FROM unnest(e) y WHERE y <= x) * bins >= i * cardinality(e)) FROM generate_series(1, bins - 1) i) AS b FROM lists l),
    placed AS (SELECT row_number() OVER () AS id, b.* FROM bounds b),
    shares AS (SELECT id, greatest(sum(1 - is_actual), 0.5) / max(cardinality(e)) AS expected, greatest(sum(is_actual), 0.5) / max(cardinality(a)) AS actual
                 FROM placed, LATERAL (SELECT (SELECT count(*) FROM unnest(b) x WHERE x < value) AS bin, is_actual FROM (SELECT unnest(e), 0 UNION ALL SELECT unnest(a), 1) v (value, is_actual)) w GROUP BY id, bin)
  SELECT n, bins FROM placed JOIN (SELECT id, sum((actual - expected) * ln(actual / expected)) AS psi FROM shares GROUP BY id) s USING (id) WHERE NOT pg_temp.near(lead_scoring.psi(e, a, bins), s.psi::float8)$$, 'psi: the definition');
SELECT is(lead_scoring.psi('{1,2}', '{}'), NULL, 'psi: nothing to compare');
SELECT is(lead_scoring.psi('{NULL}', '{1}'), NULL, 'psi: nothing to compare with');
SELECT is(lead_scoring.psi('{1,2,3}', '{3,NULL,2,1}', 1), 0::float8, 'psi: one bin');
SELECT is(pg_temp.code($$SELECT lead_scoring.psi('{1}', '{1}', 0)$$), '22023', 'psi: no bins');
SELECT is(pg_temp.code($$SELECT lead_scoring.psi('{1,NaN}', '{1}')$$) || pg_temp.code($$SELECT lead_scoring.psi('{1}', '{NULL,NaN}')$$), '2202322023', 'psi: not a number');

SELECT is(pg_temp.code($$SELECT * FROM lead_scoring.model_drift('m')$$), '55000', 'nothing to judge before training');
SELECT is(lead_scoring.train('m', '2026-08-01'), 1, 'a champion of before');
CREATE TEMP TABLE predicted AS SELECT c.*, date_trunc('month', c.snapshot) AS month, p.probability AS p
  FROM (SELECT array_agg(key), array_agg(snapshot) FROM (SELECT * FROM cases ORDER BY snapshot) c) a (k, s), lead_scoring.predictions('m', k, s) p JOIN cases c ON c.key = p.record_key AND c.snapshot = p.instant;
SELECT is((SELECT count(*) FROM predicted), (SELECT count(*) FROM cases), 'there is a prediction for each');
SELECT is_empty($$SELECT p.key FROM predicted p CROSS JOIN LATERAL (SELECT 1 / (1 + exp(-sum(contribution))) AS p FROM lead_scoring.explain_prediction('m', p.key, p.snapshot)) e WHERE p.key IN ('1', '2', '99') AND abs(p.p - e.p) > 1e-9$$, 'which is that of explain_prediction');
CREATE FUNCTION pg_temp.likelihood(p float8) RETURNS float8 LANGUAGE sql AS $$ SELECT round(greatest(0.01, least(99.99, p::numeric * 100)), 4)::float8 $$;
-- What the version keeps: of its 1,139 likelihoods those in the middle of each 1.139
CREATE TEMP TABLE kept AS SELECT l FROM (SELECT pg_temp.likelihood(p.probability), row_number() OVER (ORDER BY p.probability) - 1, count(*) OVER () FROM (SELECT array_agg(key), array_agg(snapshot) FROM (SELECT * FROM pg_temp.cases('2026-08-01') ORDER BY snapshot) c) a (k, s), lead_scoring.predictions('m', k, s) p) l (l, rank, samples)
  WHERE rank IN (SELECT floor((i + 0.5) * samples / 1000) FROM generate_series(0, 999) i);
CREATE FUNCTION pg_temp.by_hand() RETURNS TABLE (month timestamptz, samples bigint, converted bigint, predicted numeric, auc numeric, log_loss numeric, brier numeric, psi numeric) LANGUAGE sql AS $$
  SELECT c.month, count(*), count(*) FILTER (WHERE converted), round(avg(p)::numeric, 9),
      (SELECT round(avg(CASE WHEN a.p > b.p THEN 1 WHEN a.p = b.p THEN 0.5 ELSE 0 END), 9) FROM predicted a, predicted b WHERE a.converted AND NOT b.converted AND a.month = c.month AND b.month = c.month),
      round(avg(-ln(CASE WHEN converted THEN p ELSE 1 - p END))::numeric, 9), round(avg((p - converted::int) ^ 2)::numeric, 9),
      (SELECT round(lead_scoring.psi(e, array_agg(pg_temp.likelihood(c.p)))::numeric, 9) FROM (SELECT array_agg(l) FROM kept) e (e))
    FROM predicted c GROUP BY c.month
$$;
SELECT results_eq($$SELECT begins, samples, converted, round(predicted::numeric, 9), round(auc::numeric, 9), round(log_loss::numeric, 9), round(brier::numeric, 9), round(psi::numeric, 9) FROM lead_scoring.model_drift('m', '2026-10-01')$$,
  $$SELECT * FROM pg_temp.by_hand() ORDER BY month$$, 'model_drift');
SELECT is((SELECT sum(trained_on) FROM lead_scoring.model_drift('m', '2026-10-01')), (SELECT count(*)::numeric FROM cases WHERE snapshot <= '2026-06-02'), 'what the champion has seen');
SELECT is((SELECT sum(live) FROM lead_scoring.model_drift('m', '2026-10-01')), 0::numeric, 'none of them has been shown');

-- The version keeps what it gave those that it was trained on: their properties may change
SELECT is((SELECT likelihoods FROM lead_scoring.model_version WHERE model = 'm'), (SELECT array_agg(l ORDER BY l) FROM kept), 'a version keeps its likelihoods');
SAVEPOINT kept;
CREATE TEMP TABLE before AS SELECT begins, psi FROM lead_scoring.model_drift('m', '2026-10-01');
UPDATE leads SET size = 50 - size, channel = 'fair';
SELECT cmp_ok((SELECT max(d.psi - b.psi) FROM lead_scoring.model_drift('m', '2026-10-01') d JOIN before b USING (begins)), '>', 0.5::float8, 'so that a shift of properties is seen');
ROLLBACK TO kept;
SAVEPOINT shown;
CREATE TEMP TABLE before AS SELECT begins, psi FROM lead_scoring.model_drift('m', '2026-10-01');
INSERT INTO lead_scoring.score (name, record_type, kind, model) VALUES ('likely', 'lead', 'likelihood', 'm');
INSERT INTO lead_scoring.history (history_id, score, record_key, changed_at, total, reason) SELECT row_number() OVER (), 'likely', key, snapshot, pg_temp.likelihood(p), 'time' FROM predicted;
SELECT is_empty($$SELECT begins, live, samples, d.psi, b.psi FROM lead_scoring.model_drift('m', '2026-10-01') d JOIN before b USING (begins) WHERE live <> samples OR d.psi <> b.psi$$, 'what was shown, rounded as it is, is no shift');
ROLLBACK TO shown;
SAVEPOINT few;
UPDATE lead_scoring.model SET snapshots = 1 WHERE name = 'm';
SELECT lead_scoring.publish('m', lead_scoring.train('m', '2026-08-01'));
SELECT is((SELECT likelihoods FROM lead_scoring.model_version WHERE status = 'champion'), (SELECT array_agg(l ORDER BY l) FROM (SELECT pg_temp.likelihood(p.probability) FROM (SELECT array_agg(record_key), array_agg(snapshot) FROM lead_scoring.training_set('m', '2026-08-01')) a (k, s), lead_scoring.predictions('m', k, s) p) l (l)), 'few are kept all');
ROLLBACK TO few;

-- It was trained by another definition than the model has now
SAVEPOINT edited;
CREATE FUNCTION pg_temp.seen(model text) RETURNS numeric LANGUAGE sql AS $$ SELECT sum(trained_on) FROM lead_scoring.model_drift(model, '2026-10-01 00:00Z') $$;
UPDATE lead_scoring.model SET horizon = '61 days', observed_from = NULL WHERE name = 'm';
SELECT set_eq($$SELECT record_key, snapshot, converted FROM lead_scoring.champion_training_set('m', '2026-08-01')$$, $$SELECT key, snapshot, converted FROM pg_temp.cases('2026-08-01')$$, 'what the champion was trained on, whatever the model has become');
SELECT is(pg_temp.seen('m'), (SELECT count(*)::numeric FROM lead_scoring.training_set('m', '2026-10-01') t JOIN pg_temp.cases('2026-08-01') c ON c.key = t.record_key AND c.snapshot = t.snapshot), 'and so many of these are there today');
UPDATE lead_scoring.model SET horizon = '2 months', observed_from = 'created_at', snapshots = 1 WHERE name = 'm';
SELECT lead_scoring.publish('m', lead_scoring.train('m', '2026-08-22'));
UPDATE lead_scoring.model SET snapshots = 6 WHERE name = 'm';
SELECT is(pg_temp.seen('m'), (SELECT count(*)::numeric FROM cases WHERE snapshot = '2026-06-23'), 'of one snapshot, a month being 30 days');
SET LOCAL timezone = 'America/New_York';
SELECT is(pg_temp.seen('m'), (SELECT count(*)::numeric FROM cases WHERE snapshot = timestamptz '2026-06-23 00:00Z'), 'in any time zone');
SET LOCAL timezone = 'UTC';
UPDATE leads SET created_at = '2026-09-01' WHERE id <= 7;
INSERT INTO lead_scoring.model (name, record_type, outcome, observed_from, min_converted) VALUES ('known', 'lead', 'won_at IS NOT NULL', 'created_at', 1);
SET LOCAL client_min_messages = error;
INSERT INTO lead_scoring.feature (model, name, expression) VALUES ('known', 'size', 'size');
SELECT lead_scoring.train('known', '2026-08-01');
SELECT is((SELECT format('%s of %s', trained_on, samples) FROM lead_scoring.model_drift('known', '2026-10-01')), '393 of 400', 'of an outcome that is known at once');
ROLLBACK TO edited;

-- Segments with models of their own
SAVEPOINT segments;
UPDATE lead_scoring.model SET segment = 'CASE WHEN channel = ''fair'' OR id % 3 = 0 THEN ''one'' ELSE ''other'' END', min_converted = 5, min_unconverted = 5 WHERE name = 'm';
UPDATE leads SET won_at = CASE WHEN (id % 3 = 0) = (size > 25) THEN created_at + interval '70 days' END WHERE channel IS DISTINCT FROM 'fair';
SELECT lead_scoring.publish('m', lead_scoring.train('m', '2026-10-01'));
SELECT cmp_ok((SELECT jsonb_array_length(body::jsonb -> 'segments') FROM lead_scoring.model_versions WHERE status = 'champion'), '>', 0, 'a champion with segments');
SELECT is_empty($$SELECT p.record_key FROM lead_scoring.predictions('m', '{1,3,6,8,9}', array_fill('2026-08-01'::timestamptz, '{5}')) p CROSS JOIN LATERAL (SELECT 1 / (1 + exp(-sum(contribution))) AS p FROM lead_scoring.explain_prediction('m', p.record_key, p.instant)) e WHERE abs(p.probability - e.p) > 1e-9$$, 'predicts each by its own');
ROLLBACK TO segments;

-- What was shown at the time counts
INSERT INTO lead_scoring.score (name, record_type, kind, model) VALUES ('likely', 'lead', 'likelihood', 'm');
INSERT INTO lead_scoring.history (history_id, score, record_key, changed_at, total, reason) VALUES
  (1, 'likely', '1', '2026-05-01', 90, 'time'), (2, 'likely', '1', '2026-06-30', 80, 'time'), (3, 'likely', '1', '2026-06-30', 70, 'time'), (4, 'likely', '1', '2026-07-14', 60, 'time'),
  (5, 'likely', '2', '2026-01-01', 50, 'time'), (6, 'likely', '2', '2026-07-20', NULL, 'time');
UPDATE predicted SET p = CASE WHEN key = '1' AND snapshot >= '2026-07-14' THEN 0.6 WHEN key = '1' AND snapshot >= '2026-06-30' THEN 0.7 WHEN key = '1' AND snapshot >= '2026-05-01' THEN 0.9 WHEN key = '2' AND snapshot < '2026-07-20' THEN 0.5 ELSE p END;
SELECT results_eq($$SELECT begins, samples, converted, round(predicted::numeric, 9), round(auc::numeric, 9), round(log_loss::numeric, 9), round(brier::numeric, 9), round(psi::numeric, 9) FROM lead_scoring.model_drift('m', '2026-10-01')$$,
  $$SELECT * FROM pg_temp.by_hand() ORDER BY month$$, 'model_drift: from the history');
SELECT is((SELECT sum(live) FROM lead_scoring.model_drift('m', '2026-10-01')), (SELECT count(*)::numeric FROM cases WHERE key = '1' AND snapshot >= '2026-05-01' OR key = '2' AND snapshot < '2026-07-20'), 'where there is one');

-- The world changes
UPDATE leads SET won_at = created_at + interval '50 days' + pg_temp.lot(id, 9) * interval '150 days' WHERE created_at > '2026-05-01' AND channel IS DISTINCT FROM 'fair';
UPDATE leads SET won_at = NULL WHERE created_at > '2026-05-01' AND channel = 'fair';
SELECT ok((SELECT bool_and(verdict ~ 'ranks worse than at training') FROM lead_scoring.model_drift('m', '2026-12-31', 'year')), 'model_drift: verdicts');
SELECT is(pg_temp.code($$SELECT * FROM lead_scoring.model_drift('nothing')$$), '42704', 'no such model');
SELECT is(pg_temp.code($$SELECT * FROM lead_scoring.model_drift('m', now(), 'day')$$), '22023', 'no such period');

SELECT * FROM finish();
ROLLBACK;
