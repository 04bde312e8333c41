-- Rules judged by outcomes: evidence, health (E45), proposals; every figure beside hand-written SQL
BEGIN;
\ir include/outcomes.psql
SELECT plan(46);

CREATE TEMP TABLE pays AS SELECT c.*, date_trunc('month', c.snapshot) AS month, r.rule, r.points, r.points <> 0 AS pays
  FROM cases c CROSS JOIN LATERAL (VALUES ('fair', CASE WHEN c.channel = 'fair' THEN 10 ELSE 0 END), ('large', CASE WHEN c.size >= 40 THEN 5 ELSE 0 END), ('pricing', 4 * c.pricing), ('recent', c.recent::int * 3)) r (rule, points);

-- rule_evidence
SELECT results_eq($$SELECT rule, round(mean_points::numeric, 9), samples_with, converted_with, samples_without, converted_without, round(difference::numeric, 9), round(standard_error::numeric, 9), round(lift::numeric, 9) FROM lead_scoring.rule_evidence('s', 'm', '2026-10-01') ORDER BY rule$$,
  $$SELECT rule, round(avg(points) FILTER (WHERE pays), 9), count(*) FILTER (WHERE pays), count(*) FILTER (WHERE pays AND converted), count(*) FILTER (WHERE NOT pays), count(*) FILTER (WHERE NOT pays AND converted),
      round(avg(converted::int) FILTER (WHERE pays) - avg(converted::int) FILTER (WHERE NOT pays), 9),
      round(sqrt(var_pop(converted::int) FILTER (WHERE pays) / count(*) FILTER (WHERE pays) + var_pop(converted::int) FILTER (WHERE NOT pays) / count(*) FILTER (WHERE NOT pays)), 9),
      round(avg(converted::int) FILTER (WHERE pays) / avg(converted::int), 9) FROM pays GROUP BY rule ORDER BY rule$$, 'rule_evidence');
SELECT is((SELECT verdict FROM lead_scoring.rule_evidence('s', 'm', '2026-10-01') WHERE rule = 'fair'), 'confirmed', 'rule_evidence: what speaks for a rule');
UPDATE lead_scoring.rule SET points = -10 WHERE score = 's' AND name = 'fair';
INSERT INTO lead_scoring.rule (score, group_name, name, criterion, points, effect, multiplies) VALUES ('s', 'who', 'doubled', $$channel = 'fair'$$, 2, 'multiply', 'total'), ('s', 'who', 'halved', $$channel = 'fair'$$, 0.5, 'multiply', 'total');
INSERT INTO lead_scoring.rule (score, group_name, name, criterion, points) VALUES ('s', 'who', 'nobody', 'false', 1), ('s', 'who', 'everybody', 'true', 1), ('s', 'who', 'nothing', 'true', 0);
INSERT INTO lead_scoring.rule (score, group_name, name, criterion, points, effect, multiplies) VALUES ('s', 'who', 'as it is', $$channel = 'fair'$$, 1, 'multiply', 'total');
INSERT INTO lead_scoring.rule (score, group_name, name, criterion, points, enabled) VALUES ('s', 'who', 'asleep', 'true', 1, false);
SELECT is((SELECT string_agg(rule || ': ' || verdict, ', ' ORDER BY rule COLLATE "C") FROM lead_scoring.rule_evidence('s', 'm', '2026-10-01') WHERE rule NOT IN ('large', 'pricing', 'recent')),
  'as it is: neutral, doubled: confirmed, everybody: always pays, fair: contradicted, halved: contradicted, nobody: never pays, nothing: never pays', 'rule_evidence: verdicts');
SELECT is((SELECT string_agg(DISTINCT verdict || samples_with || samples_without, ', ') FROM lead_scoring.rule_evidence('s', 'm', '2026-02-01')), 'unknown00', 'rule_evidence: without any finished case nothing is known');
SELECT is((SELECT samples_with FROM lead_scoring.rule_evidence('s', 'm', '2026-10-01') WHERE rule = 'doubled'), (SELECT count(*) FROM cases WHERE channel = 'fair'), 'rule_evidence: multipliers pay where they are at work');
SELECT is((SELECT string_agg(change || ' ' || coalesce(factor::text, '-') || ' ' || reason, ', ' ORDER BY rule) FROM lead_scoring.weight_proposals('s', 'm', '2026-10-01') WHERE rule IN ('doubled', 'nobody', 'nothing')),
  'keep - it multiplies; nothing is proposed for that, keep 1 too few finished cases: it pays for 0, keep - it pays nothing: give it some points to learn what it is worth', 'weight_proposals: nothing to propose');
SELECT is((SELECT change || ' ' || reason FROM lead_scoring.weight_proposals('s', 'm', '2026-10-01') WHERE rule = 'everybody'), 'keep it always pays: there is no finished case without it among ' || (SELECT count(*) FROM cases), 'weight_proposals: of a rule that always pays');
SELECT is((SELECT reason FROM lead_scoring.weight_proposals('s', 'm', '2026-10-01', (SELECT count(*)::int FROM cases WHERE channel = 'fair')) WHERE rule = 'fair') ~ '^each match multiplies the odds', true, 'weight_proposals: just enough cases');
SELECT is((SELECT reason FROM lead_scoring.weight_proposals('s', 'm', '2026-10-01', (SELECT count(*)::int + 1 FROM cases WHERE channel = 'fair')) WHERE rule = 'fair'), 'too few finished cases: it pays for ' || (SELECT count(*) FROM cases WHERE channel = 'fair'), 'weight_proposals: one too few');
SELECT results_eq($$SELECT rule, odds_ratio IS NULL, coefficient IS NULL FROM lead_scoring.weight_proposals('s', 'm', '2026-10-01') ORDER BY rule$$,
  $$VALUES ('as it is', true, true), ('doubled', true, true), ('everybody', true, true), ('fair', false, false), ('halved', true, true), ('large', false, false), ('nobody', true, true), ('nothing', true, true), ('pricing', false, false), ('recent', false, false)$$,
  'weight_proposals: what is not known is NULL');
SELECT is((SELECT change FROM lead_scoring.weight_proposals('s', 'm', '2026-10-01') WHERE rule = 'fair'), 'turn round', 'weight_proposals: a rule of the wrong sign');
UPDATE lead_scoring.rule SET criterion = $$channel IS DISTINCT FROM 'fair'$$ WHERE score = 's' AND name = 'everybody';
SELECT is((SELECT reason FROM lead_scoring.weight_proposals('s', 'm', '2026-10-01', (SELECT count(*)::int + 1 FROM cases WHERE channel = 'fair')) WHERE rule = 'everybody'), 'too few finished cases without it: it does not pay for ' || (SELECT count(*) FROM cases WHERE channel = 'fair'), 'weight_proposals: of one that hardly ever does not');
DELETE FROM lead_scoring.rule WHERE score = 's' AND name NOT IN ('fair', 'large', 'pricing', 'recent');
UPDATE lead_scoring.rule SET points = 10 WHERE score = 's' AND name = 'fair';

-- rule_health
SELECT results_eq($$SELECT rule, begins, samples, converted, round(predicted::numeric, 9), below FROM lead_scoring.rule_health('s', 'm', '2026-10-01', min_samples => 60)$$,
  $$WITH p AS (SELECT DISTINCT month, dense_rank() OVER (ORDER BY month) AS n FROM cases c, LATERAL (SELECT date_trunc('month', c.snapshot)) m (month)),
    e AS (SELECT y.rule, y.month, y.converted, (SELECT avg(c.converted::int) FROM cases c JOIN p q ON q.month = date_trunc('month', c.snapshot) WHERE c.band = y.band AND q.n <= p.n - 2) AS promise
            FROM pays y JOIN p ON p.month = y.month WHERE y.pays)
    SELECT rule, month, count(*), count(*) FILTER (WHERE converted), round(avg(promise), 9), CASE WHEN count(*) >= 60 THEN avg(converted::int) <= 0.85 * avg(promise) END FROM e WHERE promise IS NOT NULL GROUP BY rule, month ORDER BY rule, month$$, 'rule_health: by what bands promised');
SELECT ok((SELECT bool_and((times_below >= 2) = flagged) FROM lead_scoring.rule_health('s', 'm', '2026-10-01')), 'rule_health: flagged after two');
SELECT is(lead_scoring.train('m', '2026-10-01'), 1, 'a champion');
INSERT INTO lead_scoring.score (name, record_type, kind, model) VALUES ('likely', 'lead', 'likelihood', 'm');
SELECT results_eq($$SELECT rule, begins, samples, converted, round(predicted::numeric, 9) FROM lead_scoring.rule_health('s', 'm', '2026-10-01', prediction => 'model')$$,
  $$SELECT rule, month, count(*), count(*) FILTER (WHERE y.converted), round(avg(e.total::numeric) / 100, 9)
      FROM pays y JOIN lead_scoring.backtest_samples('likely', 'm', '2026-10-01') e ON e.record_key = y.key AND e.snapshot = y.snapshot WHERE pays GROUP BY rule, month ORDER BY rule, month$$, 'rule_health: by what the champion predicted');

-- weight_proposals: the same regression from what rules pay, by hand
SELECT is_empty($$WITH sd AS (SELECT rule, stddev_pop(x) AS sd FROM (SELECT rule, points / CASE rule WHEN 'fair' THEN 10 WHEN 'large' THEN 5 WHEN 'pricing' THEN 4 ELSE 3 END::float8 AS x FROM pays) p GROUP BY rule),
    fit AS (SELECT l.* FROM (SELECT array_agg(converted), array_agg(ARRAY[(channel IS NOT DISTINCT FROM 'fair')::int / (SELECT sd FROM sd WHERE rule = 'fair'), coalesce((size >= 40)::int, 0) / (SELECT sd FROM sd WHERE rule = 'large'),
      pricing / (SELECT sd FROM sd WHERE rule = 'pricing'), recent::int / (SELECT sd FROM sd WHERE rule = 'recent')]) FROM cases) a (o, f), lead_scoring.logistic_regression(o, f, 1) l),
    by_hand AS (SELECT sd.rule, fit.coefficient / sd AS b, fit.standard_error / sd AS e, sd, v.points FROM (VALUES (1, 'fair', 10), (2, 'large', 5), (3, 'pricing', 4), (4, 'recent', 3)) v (term, rule, points) JOIN fit USING (term) JOIN sd USING (rule)),
    scale AS (SELECT sum(points * sd) / sum(abs(b) * sd) AS scale FROM by_hand)
  SELECT rule, round(b::numeric, 8), round(e::numeric, 8), CASE WHEN points BETWEEN (b - 1.959963984540054 * e) * scale AND (b + 1.959963984540054 * e) * scale THEN points ELSE round((b * scale)::numeric, 1) END FROM by_hand, scale
  EXCEPT SELECT rule, round(coefficient::numeric, 8), round(standard_error::numeric, 8), proposed_points::numeric FROM lead_scoring.weight_proposals('s', 'm', '2026-10-01')$$, 'weight_proposals');
SELECT is((SELECT change || ' ' || (factor > 1) FROM lead_scoring.weight_proposals('s', 'm', '2026-10-01') WHERE rule = 'fair'), 'raise true', 'weight_proposals: what goes with conversion is raised');
SELECT ok((SELECT bool_and(change = 'keep' AND proposed_points = current_points) FROM lead_scoring.weight_proposals('s', 'm', '2026-10-01', 1000000)), 'weight_proposals: not on a few cases');
SELECT lead_scoring.draft('s', 'tuned');
UPDATE lead_scoring.rule r SET points = p.proposed_points FROM lead_scoring.weight_proposals('s', 'm', '2026-10-01') p WHERE r.score = 'tuned' AND r.name = p.rule;
SELECT cmp_ok((SELECT auc FROM lead_scoring.backtest_summary('tuned', 'm', '2026-10-01')), '>', (SELECT auc FROM lead_scoring.backtest_summary('s', 'm', '2026-10-01')), 'weight_proposals: a draft with them ranks better');
UPDATE leads SET won_at = NULL;
SELECT is((SELECT DISTINCT change || ': ' || reason FROM lead_scoring.weight_proposals('s', 'm', '2026-10-01')), 'keep: all finished cases came out alike', 'weight_proposals: nobody converted');
SELECT is((SELECT DISTINCT verdict FROM lead_scoring.rule_evidence('s', 'm', '2026-10-01')), 'not clear', 'rule_evidence: nobody converted');

-- E45: 200 leads a month, 20 % in the first months, then fewer
CREATE TABLE deals (id serial PRIMARY KEY, month int, n int, at timestamptz, won bool);
INSERT INTO deals (month, n, at, won) SELECT m, n, make_timestamptz(2026, m, 10, 0, 0, 0, 'UTC'), n <= 40 FROM generate_series(1, 4) m, generate_series(1, 200) n;
INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('deal', 'deals', 'id');
INSERT INTO lead_scoring.model (name, record_type, outcome, snapshot_at, min_converted) VALUES ('won', 'deal', 'won', 'at', 1);
INSERT INTO lead_scoring.feature (model, name, expression) VALUES ('won', 'n', 'n');
INSERT INTO lead_scoring.score (name, record_type, kind) VALUES ('deal_score', 'deal', 'fit');
INSERT INTO lead_scoring.score_group (score, name) VALUES ('deal_score', 'all');
INSERT INTO lead_scoring.rule (score, group_name, name, criterion, points) VALUES ('deal_score', 'all', 'class', 'n > 0', 5);
INSERT INTO lead_scoring.band (score, label, lower_bound) VALUES ('deal_score', 'all', NULL);
CREATE FUNCTION pg_temp.health(wins int, arguments text DEFAULT '') RETURNS text LANGUAGE plpgsql AS $$
DECLARE r text;
BEGIN
  UPDATE deals SET won = n <= wins WHERE month IN (3, 4);
  EXECUTE format($q$SELECT string_agg(concat_ws(' ', to_char(begins, 'MM'), converted, samples, predicted, below, flagged), ', ' ORDER BY begins) FROM lead_scoring.rule_health('deal_score', 'won', '2026-12-01'%s)$q$, arguments) INTO r;
  RETURN r;
END $$;
SELECT is(pg_temp.health(33), '03 33 200 0.2 t f, 04 33 200 0.2 t t', 'E45: 33 of 200 that were predicted 20 % are flagged, in the second month');
SELECT is(pg_temp.health(34), '03 34 200 0.2 t f, 04 34 200 0.2 t t', 'E45: 34 are exactly 15 % below, and flagged');
SELECT is(pg_temp.health(35), '03 35 200 0.2 f f, 04 35 200 0.2 f f', 'E45: 35 are not');
SELECT is(pg_temp.health(34, ', consecutive => 1'), '02 40 200 0.2 f f, 03 34 200 0.2 t t, 04 34 200 0.19 f f', 'after one period, by the one before');
SELECT is(pg_temp.health(34, ', tolerance => 0.16'), '03 34 200 0.2 f f, 04 34 200 0.2 f f', 'another tolerance');
SELECT is(pg_temp.health(33, ', min_samples => 201'), '03 33 200 0.2, 04 33 200 0.2', 'another minimum');
SELECT is(pg_temp.health(33, ', period => ''quarter'', consecutive => 1'), '04 33 200 0.18833333333333332 f f', 'another period');
-- A promise of a third: of 60 that promise 20 exactly 17 are not more than 17
UPDATE deals SET won = n <= 20 WHERE month IN (1, 2);
DELETE FROM deals WHERE n > 60;
SELECT is(pg_temp.health(17), '03 17 60 0.3333333333333333 t f, 04 17 60 0.3333333333333333 t t', '17 of 60 are 85 % of a third');
DELETE FROM deals WHERE n > 29 AND month = 3;
SELECT is(pg_temp.health(4), '03 4 29 0.3333333333333333, 04 4 60 0.3333333333333333 t f', '29 are too few');
SELECT is((SELECT count(*) FROM lead_scoring.rule_health WHERE score = 's'), 0::bigint, 'the view has active scores');
SELECT lead_scoring.activate('deal_score');
SELECT results_eq($$SELECT rule, begins, samples, below FROM lead_scoring.rule_health WHERE score = 'deal_score' AND model = 'won'$$, $$SELECT rule, begins, samples, below FROM lead_scoring.rule_health('deal_score', 'won')$$, 'and shows the same');
SELECT results_eq($$SELECT band, open_records, samples, converted FROM lead_scoring.band_outcomes WHERE score = 'deal_score'$$, $$SELECT 'all', count(*), count(*), count(*) FILTER (WHERE won) FROM deals$$, 'so does band_outcomes');

-- Who may read
CREATE ROLE ls_test_reader;
DO $$ BEGIN EXECUTE format('GRANT USAGE ON SCHEMA %I TO PUBLIC', (SELECT nspname FROM pg_namespace WHERE oid = pg_my_temp_schema())); END $$;
SET ROLE ls_test_reader;
SELECT throws_ok($$SELECT * FROM lead_scoring.rule_evidence('deal_score', 'won')$$, '42501', NULL, 'rule_evidence reads the records');
SELECT throws_ok($$SELECT * FROM lead_scoring.backtest('deal_score', 'won')$$, '42501', NULL, 'so does backtest');
SELECT throws_ok($$SELECT * FROM lead_scoring.model_drift('m')$$, '42501', NULL, 'and model_drift');
SELECT is((SELECT count(*) FROM lead_scoring.rule_health) + (SELECT count(*) FROM lead_scoring.band_outcomes), 0::bigint, 'the views show what one may read');
RESET ROLE;
GRANT SELECT ON deals TO ls_test_reader;
SET ROLE ls_test_reader;
SELECT cmp_ok((SELECT count(*) FROM lead_scoring.rule_health), '>', 0::bigint, 'with the right to read the records');
RESET ROLE;
CREATE TABLE salaries (deal_id int, amount numeric);
INSERT INTO lead_scoring.source (name, record_type, relation, record_key)
  SELECT 'salary', m.record_type, 'salaries', 'deal_id' FROM lead_scoring.model m WHERE m.name = 'won';
INSERT INTO lead_scoring.model (name, record_type, outcome) SELECT 'secret', m.record_type, m.outcome FROM lead_scoring.model m WHERE m.name = 'won';
INSERT INTO lead_scoring.feature (model, name, source, statistic, expression) VALUES ('secret', 'salary', 'salary', 'sum', 'amount');
SET ROLE ls_test_reader;
SELECT is((SELECT string_agg(DISTINCT model, ' ') FROM lead_scoring.band_outcomes WHERE score = 'deal_score'), 'won', '... without models of what he may not read');
SELECT lives_ok($$SELECT * FROM lead_scoring.rule_evidence('deal_score', 'won')$$, 'the functions, too');
RESET ROLE;
INSERT INTO lead_scoring.scope (score, mode, source, criterion) VALUES ('deal_score', 'exclude', 'salary', 'amount > 1e9');
SET ROLE ls_test_reader;
SELECT is((SELECT count(*) FROM lead_scoring.rule_health WHERE score = 'deal_score') + (SELECT count(*) FROM lead_scoring.band_outcomes WHERE score = 'deal_score'), 0::bigint, 'nor scores of which he may not read a scope''s source');
RESET ROLE;

-- Errors
SELECT is(pg_temp.code('SELECT * FROM lead_scoring.' || c), e, c) FROM (VALUES ($$rule_health('s', 'm', tolerance => 1.5)$$, '22023'), ($$rule_health('s', 'm', prediction => 'oracle')$$, '22023'),
  ($$rule_evidence('likely', 'm')$$, '42809'), ($$weight_proposals('s', 'm', min_samples => 0)$$, '22023')) v (c, e);

SELECT * FROM finish();
ROLLBACK;
