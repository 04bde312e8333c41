-- Scores judged by outcomes: every figure beside hand-written SQL over the tables
BEGIN;
\ir include/outcomes.psql
SELECT plan(60);

-- The parts it is made of
SELECT is_empty($$SELECT c.key, c.pricing, 4.0 * c.pricing, c.pricing > 0 FROM cases c WHERE c.snapshot = '2026-08-02'
  EXCEPT SELECT p.record_key, p.matched, p.points, p.pays FROM lead_scoring.rule_points('s', '2026-08-02') p WHERE p.rule = 'pricing'$$, 'rule_points: an event rule');
SELECT results_eq($$SELECT rule, sum(points), count(*) FILTER (WHERE pays) FROM lead_scoring.rule_points('s', '2026-08-02', ARRAY(SELECT c.key FROM cases c WHERE c.snapshot = '2026-08-02')) GROUP BY rule ORDER BY rule$$,
  $$SELECT r.rule, sum(r.points)::float8, count(*) FILTER (WHERE r.points <> 0) FROM cases c, LATERAL (VALUES ('fair', CASE WHEN c.channel = 'fair' THEN 10 ELSE 0 END), ('large', CASE WHEN c.size >= 40 THEN 5 ELSE 0 END),
    ('pricing', 4 * c.pricing), ('recent', c.recent::int * 3)) r (rule, points) WHERE c.snapshot = '2026-08-02' GROUP BY r.rule ORDER BY r.rule$$, 'rule_points: all rules');
SELECT is_empty($$SELECT key FROM cases WHERE converted EXCEPT SELECT o.record_key FROM lead_scoring.outcome_instants('m', '2026-10-01') o JOIN leads l ON l.id::text = o.record_key AND l.won_at = o.outcome$$, 'outcome_instants');
SELECT results_eq($$SELECT round(lowest::numeric, 4), round(highest::numeric, 4) FROM lead_scoring.wilson_interval(81, 263)$$, $$VALUES (0.2553, 0.3662)$$, 'wilson_interval: Newcombe 1998, page 861: 81 of 263');
SELECT results_eq($$SELECT round(difference::numeric, 4), round(lowest::numeric, 4), round(highest::numeric, 4) FROM lead_scoring.rate_difference(56, 70, 48, 80)$$, $$VALUES (0.2, 0.0524, 0.3339)$$, 'rate_difference: Newcombe 1998, table II, (a) 10');
SELECT is((SELECT (lowest, highest)::text FROM lead_scoring.wilson_interval(0, 0)), '(,)', 'wilson_interval: nothing known');
SELECT is((SELECT (lowest, highest)::text FROM lead_scoring.wilson_interval(30, 3)), '(,)', 'wilson_interval: more converted than there are');
SELECT is((SELECT (difference, standard_error, lowest, highest)::text FROM lead_scoring.rate_difference(0, 0, 1, 2)), '(,,,)', 'rate_difference: nothing known of one');
SELECT is((SELECT (difference, standard_error, lowest, highest)::text FROM lead_scoring.rate_difference(1, 2, 90, 3)), '(,,,)', 'rate_difference: more converted than there are');
CREATE TEMP TABLE patients (attack int, treatment int, anxiety int);
INSERT INTO patients VALUES (1,1,70), (1,1,50), (1,0,40), (1,0,75), (1,0,70), (0,1,65), (0,1,45), (0,1,40), (0,0,55), (0,0,50), (1,1,80), (1,0,60), (1,0,65), (1,0,80), (1,0,60), (0,1,50), (0,1,35), (0,1,50), (0,0,45), (0,0,60);
SELECT results_eq($$SELECT term, round(coefficient::numeric, 6), round(standard_error::numeric, 5) FROM (SELECT array_agg(attack = 1), array_agg(ARRAY[treatment, anxiety]::float8[]) FROM patients) p (o, f), lead_scoring.logistic_regression(o, f)$$,
  $$VALUES (0, -6.363470, 3.21390), (1, -1.024106, 1.17108), (2, 0.119045, 0.05498)$$, 'E43: logistic_regression');

-- backtest
SELECT is_empty($$SELECT key, snapshot, converted, total, band, band FROM cases EXCEPT ALL SELECT record_key, snapshot, converted, total, label, band FROM lead_scoring.backtest_samples('s', 'm', '2026-10-01')$$, 'backtest_samples');
SELECT is((SELECT count(*) FROM lead_scoring.backtest_samples('s', 'm', '2026-10-01')), (SELECT count(*) FROM cases), 'backtest_samples: no more');
SELECT results_eq($$SELECT rank, band, samples, converted, round(conversion_rate::numeric, 9), round(lift::numeric, 9), round(captured::numeric, 9), lowest_total, highest_total FROM lead_scoring.backtest('s', 'm', '2026-10-01')$$,
  $$SELECT row_number() OVER (ORDER BY min(total) DESC), band, count(*), count(*) FILTER (WHERE converted), round(avg(converted::int), 9),
    round(avg(converted::int) / (SELECT avg(converted::int) FROM cases), 9), round(sum(converted::int)::numeric / (SELECT sum(converted::int) FROM cases), 9), min(total), max(total) FROM cases GROUP BY band ORDER BY 1$$, 'backtest');
SELECT ok((SELECT abs(cumulative_captured - 1) < 1e-12 FROM lead_scoring.backtest('s', 'm', '2026-10-01') WHERE rank = 3), 'backtest: all is captured in the end');
SELECT results_eq($$SELECT samples, converted, out_of_scope, round(auc::numeric, 9), bands, monotone, top_band, round(top_lift::numeric, 9), verdict FROM lead_scoring.backtest_summary('s', 'm', '2026-10-01', 1.2)$$,
  $$SELECT count(*), count(*) FILTER (WHERE converted), 0::bigint,
      (SELECT round(avg(CASE WHEN p.total > n.total THEN 1 WHEN p.total = n.total THEN 0.5 ELSE 0 END), 9) FROM cases p, cases n WHERE p.converted AND NOT n.converted), 3::bigint, true, 'High',
      round((avg(converted::int) FILTER (WHERE band = 'High')) / avg(converted::int), 9),
      format('good: conversion falls from band to band, the top band High is at %s times the average', round((avg(converted::int) FILTER (WHERE band = 'High')) / avg(converted::int), 2)) FROM cases$$, 'backtest_summary');
SELECT is((SELECT left(verdict, 6) || right(verdict, 8) FROM lead_scoring.backtest_summary('s', 'm', '2026-10-01', 20)), 'weak: , not 20', 'backtest_summary: a higher bar');
SELECT is((SELECT verdict FROM lead_scoring.backtest_summary('s', 'm', '2025-10-01')), 'unknown: there is no finished case', 'backtest_summary: no cases');
-- E41, E42 of what was published
SELECT results_eq($$SELECT band, round(100 * captured)::int, round(100 * cumulative_captured)::int FROM (SELECT array_agg(v.score::float8), array_agg(v.label), array_agg(n <= v.converted)
    FROM (VALUES ('cold', 10, 500, 4), ('hot', 90, 250, 84), ('warm', 60, 250, 12)) v (label, score, records, converted), generate_series(1, v.records) n) a (t, b, o), lead_scoring.outcomes_by_band(t, b, o)$$,
  $$VALUES ('hot', 84, 84), ('warm', 12, 96), ('cold', 4, 100)$$, 'E41: outcomes_by_band');
SELECT is((SELECT verdict FROM lead_scoring.backtest_verdict('{3,3,2,2,1,1}', '{A,A,B,B,C,C}', '{t,f,t,t,f,f}', 2)), 'weak: band B converts more often than A above it, the top band A is at 1.00 times the average, not 2', 'a band that is out of order');
SELECT is((SELECT verdict FROM lead_scoring.backtest_verdict('{3,2}', '{A,B}', '{f,f}', 2)), 'unknown: nobody converted', 'nobody converted');
SELECT is((SELECT verdict FROM lead_scoring.backtest_verdict('{3,2}', '{A,A}', '{f,t}', 2)), 'unknown: all are in one band', 'one band');

-- Without bands: tenths
UPDATE lead_scoring.band SET score = score WHERE false;
INSERT INTO lead_scoring.score (name, record_type, kind) VALUES ('plain', 'lead', 'combined');
INSERT INTO lead_scoring.score_group (score, name, kind) SELECT 'plain', name, kind FROM lead_scoring.score_group WHERE score = 's';
INSERT INTO lead_scoring.rule (score, group_name, name, source, criterion, points, counting, within) SELECT 'plain', group_name, name, source, criterion, points, counting, within FROM lead_scoring.rule WHERE score = 's';
SELECT is_empty($$SELECT key, snapshot, 'decile ' || floor(10 * (rank() OVER (ORDER BY total DESC) - 1) / count(*) OVER ()) + 1 FROM cases EXCEPT ALL SELECT record_key, snapshot, band FROM lead_scoring.backtest_samples('plain', 'm', '2026-10-01')$$, 'without bands: deciles, ties together');
INSERT INTO lead_scoring.scope (score, mode, criterion) VALUES ('plain', 'exclude', 'size < 25');
SELECT is((SELECT out_of_scope FROM lead_scoring.backtest_summary('plain', 'm', '2026-10-01')), (SELECT count(*) FROM cases WHERE size < 25), 'out of scope');
SELECT is((SELECT sum(samples) FROM lead_scoring.backtest('plain', 'm', '2026-10-01')), (SELECT count(*)::numeric FROM cases WHERE size IS NULL OR size >= 25), 'does not count');
DELETE FROM lead_scoring.scope;

-- band_outcomes
SELECT results_eq($$SELECT band, open_records, samples, converted, round(closing_probability::numeric, 9), round(cycle_days::numeric, 6), round(cycle_days_upper_quartile::numeric, 6) FROM lead_scoring.band_outcomes('s', 'm', '2026-10-01')$$,
  $$SELECT c.band, n.records, count(*), count(*) FILTER (WHERE converted), round(avg(converted::int), 9), round(percentile_cont(0.5) WITHIN GROUP (ORDER BY c.days) FILTER (WHERE converted)::numeric, 6),
      round(percentile_cont(0.75) WITHIN GROUP (ORDER BY c.days) FILTER (WHERE converted)::numeric, 6)
    FROM cases c JOIN (SELECT x.band, count(*) AS records FROM (SELECT CASE WHEN t >= 20 THEN 'High' WHEN t >= 8 THEN 'Medium' ELSE 'Low' END FROM leads l CROSS JOIN LATERAL (
        SELECT coalesce((channel = 'fair')::int, 0) * 10 + coalesce((size >= 40)::int, 0) * 5 + 4 * count(*) FILTER (WHERE page = 'pricing') + coalesce(max((at >= '2026-09-01')::int), 0) * 3 FROM visits v WHERE v.lead_id = l.id AND at <= '2026-10-01') x (t)
        WHERE won_at IS NULL OR won_at > '2026-10-01') x (band) GROUP BY x.band) n ON n.band = c.band
   GROUP BY c.band, n.records ORDER BY min(c.total) DESC$$, 'band_outcomes');

-- threshold_report
SELECT results_eq($$SELECT threshold, origin, selected, true_positives, false_positives, true_negatives, false_negatives, round(false_positive_rate::numeric, 9), round(false_negative_rate::numeric, 9), round(lift::numeric, 9)
    FROM lead_scoring.threshold_report('s', 'm', '2026-10-01', '{8,20,8}') $$,
  $$SELECT t, 'asked for', count(*) FILTER (WHERE total >= t), count(*) FILTER (WHERE total >= t AND converted), count(*) FILTER (WHERE total >= t AND NOT converted), count(*) FILTER (WHERE total < t AND NOT converted),
      count(*) FILTER (WHERE total < t AND converted), round(avg((total >= t)::int) FILTER (WHERE NOT converted), 9), round(avg((total < t)::int) FILTER (WHERE converted), 9),
      round(avg(converted::int) FILTER (WHERE total >= t) / avg(converted::int), 9) FROM cases, unnest('{20,8}'::float8[]) t GROUP BY t ORDER BY t DESC$$, 'threshold_report');
SELECT is((SELECT string_agg(origin, ', ' ORDER BY threshold) FROM lead_scoring.threshold_report('s', 'm', '2026-10-01') WHERE origin ~ 'band'), 'band Medium, band High', 'threshold_report: of the bands');
SELECT cmp_ok((SELECT max(f1) FROM lead_scoring.threshold_report('s', 'm', '2026-10-01')), '=', (SELECT f1 FROM lead_scoring.threshold_report('s', 'm', '2026-10-01') WHERE origin ~ 'f1'), 'threshold_report: the recommended one has the highest f1');

-- score_monitor, calibration_report
SELECT results_eq($$SELECT begins, samples, converted, round(conversion_rate::numeric, 9), round(mean_total::numeric, 9), round(auc::numeric, 9), round(top_rate::numeric, 9), round(bottom_rate::numeric, 9) FROM lead_scoring.score_monitor('s', 'm', '2026-10-01')$$,
  $$SELECT c.month, count(*), count(*) FILTER (WHERE converted), round(avg(converted::int), 9), round(avg(total)::numeric, 9),
      (SELECT round(avg(CASE WHEN p.total > n.total THEN 1 WHEN p.total = n.total THEN 0.5 ELSE 0 END), 9) FROM cases p, cases n WHERE p.converted AND NOT n.converted AND date_trunc('month', p.snapshot) = c.month AND date_trunc('month', n.snapshot) = c.month),
      round(avg(converted::int) FILTER (WHERE band = 'High'), 9), round(avg(converted::int) FILTER (WHERE band = 'Low'), 9) FROM (SELECT *, date_trunc('month', snapshot) AS month FROM cases) c GROUP BY c.month ORDER BY c.month$$, 'score_monitor');
SELECT is((SELECT (round(lowest::numeric, 4), round(highest::numeric, 4))::text FROM lead_scoring.auc_interval(0.8, 50, 100)), '(0.7192,0.8808)', 'auc_interval: Hanley and McNeil');
SELECT is((SELECT string_agg(DISTINCT relation, ' ') FROM lead_scoring.score_monitor('s', 'm', '2026-10-01', 'year')), 'positive', 'score_monitor: a clear relation');
SELECT results_eq($$SELECT begins, band, samples, converted, round(predicted::numeric, 9), round(actual::numeric, 9) FROM lead_scoring.calibration_report('s', 'm', '2026-10-01')$$,
  $$SELECT q, band, count(*), count(*) FILTER (WHERE converted), (SELECT round(avg(e.converted::int), 9) FROM cases e WHERE e.band = c.band AND date_trunc('quarter', e.snapshot) < c.q), round(avg(converted::int), 9)
      FROM (SELECT *, date_trunc('quarter', snapshot) AS q FROM cases) c GROUP BY q, band ORDER BY q, (SELECT min(total) FROM cases e WHERE e.band = c.band) DESC$$, 'calibration_report');
SELECT is(pg_temp.code($$SELECT * FROM lead_scoring.score_monitor('s', 'm', '2026-10-01', 'decade')$$), '22023', 'an unknown period');

-- By features
SELECT results_eq($$SELECT value, samples, converted, round(conversion_rate::numeric, 9), round(lift::numeric, 9) FROM lead_scoring.feature_conversion('m', '2026-10-01') WHERE feature = 'channel' ORDER BY value COLLATE "C"$$,
  $$SELECT coalesce(channel, '(missing)'), count(*), count(*) FILTER (WHERE converted), round(avg(converted::int), 9), round(avg(converted::int) / (SELECT avg(converted::int) FROM cases), 9) FROM cases GROUP BY channel ORDER BY coalesce(channel, '(missing)') COLLATE "C"$$, 'feature_conversion: categories');
SELECT results_eq($$SELECT value, samples, converted FROM lead_scoring.feature_conversion('m', '2026-10-01') WHERE feature = 'agreed'$$,
  $$SELECT coalesce(agreed::int::text, '(missing)'), count(*), count(*) FILTER (WHERE converted) FROM cases GROUP BY agreed ORDER BY agreed$$, 'feature_conversion: yes, no, missing');
SELECT results_eq($$SELECT lowest, highest, samples, converted FROM lead_scoring.feature_conversion('m', '2026-10-01', 4) WHERE feature = 'size' AND value <> '(missing)'$$,
  $$SELECT min(size)::float8, max(size)::float8, count(*), count(*) FILTER (WHERE converted) FROM (SELECT *, floor(4 * (rank() OVER (ORDER BY size) - 1) / count(*) OVER ()) AS bin FROM cases WHERE size IS NOT NULL) x GROUP BY bin ORDER BY bin$$, 'feature_conversion: numbers');
SELECT is((SELECT count(*) FROM lead_scoring.feature_conversion('m', '2026-10-01') GROUP BY feature ORDER BY 1 LIMIT 1), 3::bigint, 'feature_conversion: all features');
SELECT results_eq($$SELECT value, samples, converted, round(mean_total::numeric, 9), median_total, round(auc::numeric, 9) FROM lead_scoring.outcomes_by_feature('s', 'm', 'channel', '2026-10-01') ORDER BY value COLLATE "C"$$,
  $$SELECT coalesce(channel, '(missing)'), count(*), count(*) FILTER (WHERE converted), round(avg(total)::numeric, 9), percentile_cont(0.5) WITHIN GROUP (ORDER BY total),
      (SELECT round(avg(CASE WHEN p.total > n.total THEN 1 WHEN p.total = n.total THEN 0.5 ELSE 0 END), 9) FROM cases p, cases n WHERE p.converted AND NOT n.converted AND p.channel IS NOT DISTINCT FROM c.channel AND n.channel IS NOT DISTINCT FROM c.channel)
    FROM cases c GROUP BY channel ORDER BY coalesce(channel, '(missing)') COLLATE "C"$$, 'outcomes_by_feature');
SELECT is(pg_temp.code($$SELECT * FROM lead_scoring.outcomes_by_feature('s', 'm', 'nothing')$$), '42704', 'no such feature');

-- Experiments
INSERT INTO lead_scoring.experiment (name, score_a, score_b) VALUES ('x', 's', 'plain');
SELECT results_eq($$SELECT variant, score, samples, converted, round(conversion_rate::numeric, 9), round(difference::numeric, 9) FROM lead_scoring.experiment_outcomes('x', 'm', '2026-10-01')$$,
  $$SELECT v, CASE v WHEN 'a' THEN 's' ELSE 'plain' END, count(*), count(*) FILTER (WHERE converted), round(avg(converted::int), 9),
      round(avg(converted::int) - (SELECT avg(converted::int) FROM cases o WHERE lead_scoring.variant('x', o.key) <> v), 9) FROM cases, lead_scoring.variant('x', key) v GROUP BY v ORDER BY v$$, 'experiment_outcomes');

-- Snapshots of their own, boolean outcomes, likelihoods
UPDATE lead_scoring.model SET snapshot_at = 'created_at + interval ''45 days''' WHERE name = 'm';
SELECT is_empty($$SELECT l.id::text, created_at + interval '45 days', 10 * coalesce((channel = 'fair')::int, 0) + 5 * coalesce((size >= 40)::int, 0)
      + (SELECT 4 * count(*) FILTER (WHERE page = 'pricing') + 3 * coalesce(max((at >= l.created_at + interval '15 days')::int), 0) FROM visits v WHERE v.lead_id = l.id AND v.at <= l.created_at + interval '45 days')::float8
    FROM leads l WHERE (won_at IS NULL OR won_at > created_at + interval '45 days') EXCEPT SELECT record_key, snapshot, total FROM lead_scoring.backtest_samples('s', 'm', '2026-12-31')$$, 'each record at its own snapshot');
UPDATE lead_scoring.model SET snapshot_at = NULL WHERE name = 'm';
SELECT is(lead_scoring.train('m', '2026-10-01'), 1, 'training');
SELECT is((SELECT count(*) FROM lead_scoring.champion_importance WHERE model = 'm'), 5::bigint, 'champion_importance');
SELECT ok((SELECT abs(sum(share) - 1) < 1e-9 FROM lead_scoring.champion_importance WHERE model = 'm'), 'champion_importance: shares');
INSERT INTO lead_scoring.score (name, record_type, kind, model) VALUES ('likely', 'lead', 'likelihood', 'm');
SELECT is_empty($$SELECT b.record_key FROM lead_scoring.backtest_samples('likely', 'm', '2026-10-01') b JOIN (SELECT p.* FROM (SELECT array_agg(key), array_agg(snapshot) FROM (SELECT * FROM cases ORDER BY snapshot) c) a (k, s), lead_scoring.predictions('m', k, s) p) p
    ON p.record_key = b.record_key AND p.instant = b.snapshot WHERE b.total IS DISTINCT FROM round((100 * p.probability)::numeric, 4)::float8 $$, 'a likelihood is what was predicted then');
SELECT is((SELECT count(*) FROM lead_scoring.backtest('likely', 'm', '2026-10-01')), 10::bigint, 'a likelihood, by deciles');
SELECT throws_ok($$SELECT * FROM lead_scoring.rule_points('likely')$$, '42809', NULL, 'a likelihood has no rules');
SELECT throws_ok($$SELECT * FROM lead_scoring.subtotals('likely')$$, '42809', NULL, 'nor subtotals');
UPDATE lead_scoring.model SET outcome = 'CASE WHEN won_at <= ''2026-10-01'' THEN true WHEN id % 2 = 0 THEN false END', customer_when = NULL WHERE name = 'm';
SELECT is((SELECT samples || ' ' || converted FROM lead_scoring.backtest_summary('s', 'm', '2026-10-01')), (SELECT count(*) FILTER (WHERE won_at <= '2026-10-01' OR id % 2 = 0) || ' ' || count(*) FILTER (WHERE won_at <= '2026-10-01') FROM leads WHERE created_at <= '2026-10-01'), 'a boolean outcome');
SELECT throws_ok($$SELECT * FROM lead_scoring.backtest('likely', 'm', '2026-10-01')$$, '0A000', NULL, 'what is decided has no likelihood');
SELECT is((SELECT count(cycle_days) FROM lead_scoring.band_outcomes('s', 'm', '2026-10-01')), 0::bigint, 'and no cycle');

-- Errors
SELECT is(pg_temp.code(format('SELECT * FROM lead_scoring.%s', c)), e, c) FROM (VALUES ($$backtest('nothing', 'm')$$, '42704'), ($$backtest('s', 'nothing')$$, '42704'), ($$backtest_samples('s', 'm', 'infinity')$$, '22023'),
  ($$backtest(NULL, NULL)$$, '42704'), ($$feature_conversion('m', now(), 0)$$, '22023'), ($$logistic_regression('{t,f}', '{1,2}')$$, '22023'), ($$logistic_regression('{t,f}', '{{1},{NaN}}')$$, '22023'),
  ($$predictions('m', '{1}', '{}')$$, '22023'), ($$predictions('m', '{1}', '{infinity}')$$, '22023')) v (c, e);

SELECT * FROM finish();
ROLLBACK;
