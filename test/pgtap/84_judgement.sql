-- auc, average_precision, log_loss, brier, gains, lift, calibration, confusion, recommend_threshold, capture_by_band:
-- examples E39 to E42, against hand-written SQL, in parallel, in parts, bad input
BEGIN;
SET client_min_messages = error;
SET search_path = public, lead_scoring;
SELECT plan(164);

CREATE FUNCTION pg_temp.code(statement text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN EXECUTE statement; RETURN '00000'; EXCEPTION WHEN OTHERS THEN RETURN SQLSTATE; END $$;
CREATE FUNCTION pg_temp.hint(statement text) RETURNS text LANGUAGE plpgsql AS $$ DECLARE h text; BEGIN EXECUTE statement; RETURN 'none'; EXCEPTION WHEN OTHERS THEN GET STACKED DIAGNOSTICS h = PG_EXCEPTION_HINT; RETURN h; END $$;
CREATE FUNCTION pg_temp.plan_of(query text) RETURNS text LANGUAGE plpgsql AS $$ DECLARE l text; r text := ''; BEGIN FOR l IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP r := r || l || E'\n'; END LOOP; RETURN r; END $$;
CREATE FUNCTION pg_temp.near(a float8, b float8) RETURNS boolean LANGUAGE sql AS $$ SELECT a IS NOT DISTINCT FROM b OR abs(a - b) <= 1e-9 $$;

-- E39
SELECT is((SELECT round(auc(s, o)::numeric, 6) FROM unnest('{.9,.8,.6,.7,.5,.4}'::float8[], '{t,t,t,f,f,f}'::boolean[]) AS u (s, o)), 0.888889, 'E39: 8/9');
SELECT is((SELECT auc(7, o) FROM unnest('{t,t,t,f,f,f}'::boolean[]) AS o), 0.5::float8, 'E39: all scores equal');
SELECT is((SELECT auc(s, o) FROM unnest('{.1,.2,.3,.7,.8,.9}'::float8[], '{t,t,t,f,f,f}'::boolean[]) AS u (s, o)), 0::float8, 'E39: perfectly inverted');
SELECT is((SELECT auc(s, true) FROM unnest('{.1,.2}'::float8[]) AS s), NULL, 'E39: only converted');
SELECT is((SELECT auc(s, false) FROM unnest('{.1,.2}'::float8[]) AS s), NULL, 'E39: only not converted');

-- E40: a thousand customers, a hundred of each tenth
CREATE TABLE gain AS SELECT (11 - decile)::float8 AS score, n <= buyers AS bought FROM unnest('{23,22,22,13,8,5,3,2,1,1}'::int[]) WITH ORDINALITY AS u (buyers, decile), generate_series(1, 100) AS n;
CREATE TABLE gain_list AS SELECT array_agg(score ORDER BY md5(n::text)) AS scores, array_agg(bought ORDER BY md5(n::text)) AS outcomes FROM (SELECT *, row_number() OVER () AS n FROM gain) AS g;
SELECT is((SELECT array_agg(round(100 * cumulative_captured) ORDER BY bin)::text FROM gain_list, gains(scores, outcomes)), '{23,45,67,80,88,93,96,98,99,100}', 'E40: cumulative gains');
SELECT is((SELECT array_agg(converted ORDER BY bin)::text FROM gain_list, gains(scores, outcomes)), '{23,22,22,13,8,5,3,2,1,1}', 'E40: per decile');
SELECT is((SELECT round(lift(scores, outcomes, 0.1)::numeric, 4)::text || ' ' || round(lift(scores, outcomes, 0.3)::numeric, 4) FROM gain_list), '2.3000 2.2333', 'E40: lift');
SELECT is((SELECT round(g.lift::numeric, 4) FROM gain_list, gains(scores, outcomes) AS g WHERE bin = 5), 0.8, 'E40: marginal lift of the fifth decile');
SELECT is((SELECT share FROM gain_list, recommend_threshold(scores, outcomes, 'lift')), 0.4::float8, 'E40: the top 40 %');
SELECT is((SELECT round(auc(score, bought)::numeric, 6) FROM gain), 0.765556, 'E40: AUC');

-- E41
CREATE TABLE band_list AS SELECT label, n <= converted AS converted FROM (VALUES ('cold', 500, 4), ('hot', 250, 84), ('warm', 250, 12)) AS v (label, records, converted), generate_series(1, records) AS n;
SELECT results_eq($$SELECT label, records, converted, round(100 * captured)::int FROM capture_by_band((SELECT array_agg(label) FROM band_list), (SELECT array_agg(converted) FROM band_list))$$,
  $$VALUES ('hot', 250::bigint, 84::bigint, 84), ('warm', 250, 12, 12), ('cold', 500, 4, 4)$$, 'E41: hot, warm, cold');
SELECT is((SELECT sum(captured) FROM capture_by_band((SELECT array_agg(label) FROM band_list), (SELECT array_agg(converted) FROM band_list))), 1::float8, 'E41: they add up to all');

-- E42
CREATE TABLE e42 AS SELECT array_agg(score) AS scores, array_agg(outcome) AS outcomes FROM (VALUES (80, true, 650), (80, false, 200), (20, false, 100), (20, true, 50)) AS v (score, outcome, n), LATERAL (SELECT v.score::float8, v.outcome FROM generate_series(1, n)) AS x (s, o);
SELECT results_eq($$SELECT true_positives, false_positives, true_negatives, false_negatives, accuracy, round(recall::numeric, 6), conversion_rate, round("precision"::numeric, 6), round(f1::numeric, 6), share FROM e42, confusion(scores, outcomes, 80)$$,
  $$VALUES (650::bigint, 200::bigint, 100::bigint, 50::bigint, 0.75::float8, 0.928571, 0.7::float8, 0.764706, 0.838710, 0.85::float8)$$, 'E42');

-- Against hand-written SQL. p is fine, s has many ties
CREATE TABLE judged AS SELECT i, i % 7 AS k, p, round(p::numeric, 2)::float8 AS s, (i::bigint * 104729 + 13) % 10007 < 10007 * (0.05 + 0.6 * p * p) AS o
  FROM (SELECT i, (i::bigint * 7919 % 10007) / 10007.0::float8 AS p FROM generate_series(1, 10000) AS i) AS x;
CREATE VIEW known AS SELECT * FROM judged;
CREATE FUNCTION pg_temp.auc_by_ranks() RETURNS TABLE (k int, fine float8, tied float8) LANGUAGE sql AS $$
  SELECT k, (sum(rp) FILTER (WHERE o) - yes * (yes + 1) / 2) / (yes * no), (sum(rs) FILTER (WHERE o) - yes * (yes + 1) / 2) / (yes * no)
    FROM (SELECT *, rank() OVER (PARTITION BY k ORDER BY p) + (count(*) OVER (PARTITION BY k, p) - 1) / 2.0::float8 AS rp,
                 rank() OVER (PARTITION BY k ORDER BY s) + (count(*) OVER (PARTITION BY k, s) - 1) / 2.0::float8 AS rs,
                 (count(*) FILTER (WHERE o) OVER (PARTITION BY k))::float8 AS yes, (count(*) FILTER (WHERE NOT o) OVER (PARTITION BY k))::float8 AS no FROM judged) AS x
   GROUP BY k, yes, no $$;
SELECT ok(bool_and(pg_temp.near(fine, a) AND pg_temp.near(tied, b)) AND count(*) = 7, 'auc equals Mann and Whitney by ranks')
  FROM pg_temp.auc_by_ranks() JOIN (SELECT k, auc(p, o) AS a, auc(s, o) AS b FROM judged GROUP BY k) AS x USING (k);
SELECT ok(pg_temp.near((SELECT auc(s, o) FROM judged WHERE i <= 2000), (SELECT avg(CASE WHEN a.s > b.s THEN 1 WHEN a.s = b.s THEN 0.5 ELSE 0 END) FROM judged AS a, judged AS b WHERE a.o AND NOT b.o AND a.i <= 2000 AND b.i <= 2000)), 'auc equals the share of pairs');
SELECT ok(bool_and(pg_temp.near(a, b) AND pg_temp.near(c, d)) AND count(*) = 7, 'average_precision')
  FROM (SELECT k, average_precision(p, o) AS a, average_precision(s, o) AS c FROM judged GROUP BY k) AS x
  JOIN (SELECT k, avg(fine) FILTER (WHERE o) AS b, avg(tied) FILTER (WHERE o) AS d
          FROM (SELECT k, o, (count(*) FILTER (WHERE o) OVER (PARTITION BY k ORDER BY p DESC))::float8 / count(*) OVER (PARTITION BY k ORDER BY p DESC) AS fine,
                       (count(*) FILTER (WHERE o) OVER (PARTITION BY k ORDER BY s DESC))::float8 / count(*) OVER (PARTITION BY k ORDER BY s DESC) AS tied FROM judged) AS z GROUP BY k) AS y USING (k);
SELECT ok(bool_and(pg_temp.near(log_loss, wanted_loss) AND pg_temp.near(brier, wanted_brier)) AND count(*) = 7, 'log_loss and brier')
  FROM (SELECT k, log_loss(s, o), brier(s, o), avg(-ln(greatest(CASE WHEN o THEN s ELSE 1 - s END, 1e-15))) AS wanted_loss, avg(power(s - o::int, 2)) AS wanted_brier FROM judged GROUP BY k) AS x;
SELECT ok(count(*) FILTER (WHERE s = 0 AND o) + count(*) FILTER (WHERE s = 1 AND NOT o) > 0, 'of which some need the clipping') FROM judged;
SELECT ok(pg_temp.near(log_loss(p, o), -ln(1e-15)), format('log_loss clips %s, %s', p, o)) FROM (VALUES (0::float8, true), (1, false), (1e-20, true)) AS v (p, o) GROUP BY p, o;
SELECT is((SELECT log_loss(p, o) FROM (VALUES (0::float8, false), (1, true)) AS v (p, o)), 0::float8, 'and costs nothing where it was right');

CREATE TABLE list AS SELECT k, array_agg(p ORDER BY i) AS ps, array_agg(s ORDER BY i) AS ss, array_agg(o ORDER BY i) AS os FROM judged GROUP BY k;
-- Each record of a score converted as much as all of that score on average: then ties matter to nobody
CREATE TABLE smooth AS SELECT *, avg(o::int) OVER (PARTITION BY k, s) AS even, (count(*) OVER (PARTITION BY k))::float8 AS n, (count(*) FILTER (WHERE o) OVER (PARTITION BY k))::float8 AS yes FROM judged;
CREATE FUNCTION pg_temp.expected_gains(bins int) RETURNS TABLE (k int, bin int, records bigint, converted float8, conversion_rate float8, captured float8, lift float8, lowest_score float8, cumulative_share float8, cumulative_captured float8, cumulative_lift float8) LANGUAGE sql AS $$
  SELECT k, bin, records, converted, converted / records, converted / yes, converted / records / (yes / n), lowest, sum(records) OVER w / n, sum(converted) OVER w / yes, sum(converted) OVER w / yes / (sum(records) OVER w / n)
    FROM (SELECT k, n, yes, bin, count(*) AS records, sum(even)::float8 AS converted, min(s) AS lowest FROM (SELECT *, ntile(bins) OVER (PARTITION BY k ORDER BY s DESC) AS bin FROM smooth) AS x GROUP BY k, n, yes, bin) AS y
  WINDOW w AS (PARTITION BY k ORDER BY bin) $$;
SELECT ok(count(*) = 7 * bins AND bool_and(e.records = g.records AND pg_temp.near(e.converted, g.converted) AND pg_temp.near(e.conversion_rate, g.conversion_rate) AND pg_temp.near(e.captured, g.captured) AND pg_temp.near(e.lift, g.lift) AND e.lowest_score = g.lowest_score AND pg_temp.near(e.cumulative_share, g.cumulative_share) AND pg_temp.near(e.cumulative_captured, g.cumulative_captured) AND pg_temp.near(e.cumulative_lift, g.cumulative_lift)), format('gains in %s bins', bins))
  FROM unnest('{1,2,7,10,100,1000}'::int[]) AS bins, LATERAL (SELECT k, x.* FROM list, gains(ss, os, bins) AS x) AS g FULL JOIN LATERAL pg_temp.expected_gains(bins) AS e ON e.k = g.k AND e.bin = g.bin GROUP BY bins ORDER BY bins;
SELECT ok(bool_and(pg_temp.near(lift(ss, os, cumulative_share), cumulative_lift)), 'lift is that of the gains table') FROM list, gains(ss, os, 37) AS g;
CREATE FUNCTION pg_temp.expected_calibration(bins int, binning text) RETURNS TABLE (k int, bin int, records bigint, lowest float8, highest float8, predicted float8, observed float8) LANGUAGE sql AS $$
  SELECT k, bin, count(*), min(s), max(s), avg(s), avg(even)::float8
    FROM (SELECT *, CASE binning WHEN 'equal_count' THEN ntile(bins) OVER (PARTITION BY k ORDER BY s) ELSE least(floor(s * bins)::int + 1, bins) END AS bin FROM smooth) AS x GROUP BY k, bin $$;
SELECT ok(count(*) >= 7 * least(bins, 30) AND bool_and(e.records = g.records AND e.lowest = g.lowest AND e.highest = g.highest AND pg_temp.near(e.predicted, g.predicted) AND pg_temp.near(e.observed, g.observed)), format('calibration in %s bins of %s', bins, binning))
  FROM unnest('{1,2,7,10,100}'::int[]) AS bins, unnest('{equal_count,equal_width}'::text[]) AS binning, LATERAL (SELECT k, x.* FROM list, calibration(ss, os, bins, binning) AS x) AS g FULL JOIN LATERAL pg_temp.expected_calibration(bins, binning) AS e ON e.k = g.k AND e.bin = g.bin GROUP BY bins, binning ORDER BY binning, bins;
SELECT ok(bool_and(pg_temp.near(calibration_error(ss, os, bins, binning), wanted)), format('calibration_error in %s bins of %s', bins, binning))
  FROM unnest('{1,10,50}'::int[]) AS bins, unnest('{equal_count,equal_width}'::text[]) AS binning, list, LATERAL (SELECT sum(records * abs(predicted - observed)) / sum(records) AS wanted FROM pg_temp.expected_calibration(bins, binning) AS e WHERE e.k = list.k) AS x GROUP BY bins, binning ORDER BY binning, bins;
SELECT ok(bool_and(c.true_positives = x.tp AND c.false_positives = x.fp AND c.true_negatives = x.tn AND c.false_negatives = x.fn AND pg_temp.near(c.accuracy, (tp + tn)::float8 / (tp + fp + tn + fn)) AND pg_temp.near(c."precision", tp::float8 / nullif(tp + fp, 0)) AND pg_temp.near(c.recall, tp::float8 / (tp + fn)) AND pg_temp.near(c.f1, 2 * tp::float8 / (2 * tp + fp + fn)) AND pg_temp.near(c.false_positive_rate, fp::float8 / (fp + tn)) AND pg_temp.near(c.false_negative_rate, fn::float8 / (fn + tp)) AND pg_temp.near(c.conversion_rate, (tp + fn)::float8 / (tp + fp + tn + fn)) AND pg_temp.near(c.share, (tp + fp)::float8 / (tp + fp + tn + fn))), format('confusion at %s', t))
  FROM unnest('{-1,0,0.3,0.5,1,2}'::float8[]) AS t, list, confusion(ss, os, t) AS c, LATERAL (SELECT count(*) FILTER (WHERE s >= t AND o) AS tp, count(*) FILTER (WHERE s >= t AND NOT o) AS fp, count(*) FILTER (WHERE s < t AND NOT o) AS tn, count(*) FILTER (WHERE s < t AND o) AS fn FROM judged WHERE judged.k = list.k) AS x GROUP BY t ORDER BY t;
-- Every score as a threshold, then the best
CREATE TABLE candidate AS SELECT k, t, tp, fp, p, n, tp / (tp + fp) AS "precision", tp / p AS recall, 2 * tp / (tp + fp + p) AS f1, tp / p - fp / n AS youden, tp + fp AS selected
  FROM (SELECT DISTINCT k, s AS t, (count(*) FILTER (WHERE o) OVER (PARTITION BY k ORDER BY s DESC))::float8 AS tp, (count(*) FILTER (WHERE NOT o) OVER (PARTITION BY k ORDER BY s DESC))::float8 AS fp, (count(*) FILTER (WHERE o) OVER (PARTITION BY k))::float8 AS p, (count(*) FILTER (WHERE NOT o) OVER (PARTITION BY k))::float8 AS n FROM judged) AS x;
SELECT ok(count(*) = 7 AND bool_and(r.threshold = e.t AND r.records = e.selected AND pg_temp.near(r.share, e.selected / (p + n)) AND r.converted = e.tp AND pg_temp.near(r.accuracy, (tp + n - fp) / (p + n)) AND pg_temp.near(r."precision", e."precision") AND pg_temp.near(r.recall, e.recall) AND pg_temp.near(r.f1, e.f1) AND pg_temp.near(r.youden, e.youden) AND pg_temp.near(r.lift, e."precision" / (p / (p + n)))), format('recommend_threshold by %s', method))
  FROM (VALUES ('f1', NULL::int), ('youden', NULL), ('capacity', 50), ('capacity', 1000), ('capacity', 1000000)) AS v (method, capacity), list, recommend_threshold(ss, os, method, capacity) AS r, LATERAL (SELECT * FROM candidate WHERE candidate.k = list.k AND (capacity IS NULL OR selected <= capacity) ORDER BY CASE method WHEN 'f1' THEN f1 WHEN 'youden' THEN youden ELSE selected END DESC, t DESC LIMIT 1) AS e GROUP BY method, capacity;
SELECT ok(count(*) = 7 AND bool_and(r.threshold = e.lowest_score), 'recommend_threshold by lift')
  FROM list, recommend_threshold(ss, os, 'lift') AS r, LATERAL (SELECT lowest_score FROM pg_temp.expected_gains(10) AS g WHERE g.k = list.k AND bin < (SELECT coalesce(min(bin), 11) FROM pg_temp.expected_gains(10) AS f WHERE f.k = list.k AND f.lift < 1) ORDER BY bin DESC LIMIT 1) AS e;
SELECT is((SELECT format('%s %s', threshold, records) FROM recommend_threshold('{5,5,5,1}', '{t,f,t,f}', 'capacity', 2)), '5 3', 'capacity: a tie of more at the top');
SELECT results_eq($$SELECT label, records, converted, conversion_rate, captured, lift FROM capture_by_band((SELECT array_agg('k' || k ORDER BY i) FROM judged), (SELECT array_agg(o ORDER BY i) FROM judged))$$,
  $$SELECT 'k' || k, count(*), count(*) FILTER (WHERE o), avg(o::int)::float8, count(*) FILTER (WHERE o)::float8 / (SELECT count(*) FROM judged WHERE o), count(*) FILTER (WHERE o)::float8 * (SELECT count(*) FROM judged) / ((SELECT count(*) FROM judged WHERE o)::float8 * count(*)) FROM judged GROUP BY k ORDER BY 4 DESC, 1$$, 'capture_by_band equals GROUP BY');

-- No order of the arrays and of the rows changes a digit
CREATE TABLE shuffled AS SELECT seed, array_agg(s ORDER BY md5(i::text || seed)) AS ss, array_agg(o ORDER BY md5(i::text || seed)) AS os, array_agg('k' || k ORDER BY md5(i::text || seed)) AS labels FROM judged, generate_series(1, 4) AS seed WHERE i <= 3000 GROUP BY seed;
SELECT is(count(DISTINCT result), 1::bigint, 'any order: ' || what) FROM shuffled, LATERAL (VALUES ('gains', (SELECT array_agg(g ORDER BY bin)::text FROM gains(ss, os, 13) AS g)), ('lift', lift(ss, os, 0.123)::text), ('calibration', (SELECT array_agg(c ORDER BY bin)::text FROM calibration(ss, os, 13) AS c)), ('calibration_error', calibration_error(ss, os)::text), ('confusion', confusion(ss, os, 0.5)::text), ('recommend_threshold', recommend_threshold(ss, os)::text), ('capture_by_band', (SELECT array_agg(c)::text FROM capture_by_band(labels, os) AS c)),
  ('auc', (SELECT auc(s, o)::text || average_precision(s, o) || log_loss(s, o) || brier(s, o) FROM unnest(ss, os) AS u (s, o)))) AS v (what, result) GROUP BY what ORDER BY what;

-- NULL does not count
SELECT is((SELECT format('%s %s %s %s', auc(s, o), average_precision(s, o), log_loss(s, o), brier(s, o)) FROM (SELECT s, o FROM judged UNION ALL SELECT NULL, i % 2 = 0 FROM judged UNION ALL SELECT s, NULL FROM judged) AS x), (SELECT format('%s %s %s %s', auc(s, o), average_precision(s, o), log_loss(s, o), brier(s, o)) FROM judged), 'aggregates: rows with a NULL do not count');
SELECT is((SELECT array_agg(x)::text FROM gains('{3,NULL,2,1,NULL}', '{t,t,NULL,f,NULL}', 2) AS x), (SELECT array_agg(x)::text FROM gains('{3,1}', '{t,f}', 2) AS x), 'gains: pairs with a NULL do not count');
SELECT is(confusion('{3,NULL,2,1,NULL}', '{t,t,NULL,f,NULL}', 2)::text, confusion('{3,1}', '{t,f}', 2)::text, 'confusion: nor here');
SELECT is((SELECT array_agg(x)::text FROM capture_by_band('{a,NULL,b,b,NULL}', '{t,t,NULL,f,NULL}') AS x), (SELECT array_agg(x)::text FROM capture_by_band('{a,b}', '{t,f}') AS x), 'capture_by_band: nor here');
SELECT is((SELECT array_agg(x)::text FROM calibration('{0.3,NULL,0.2,0.1,NULL}', '{t,t,NULL,f,NULL}', 2) AS x), (SELECT array_agg(x)::text FROM calibration('{0.3,0.1}', '{t,f}', 2) AS x), 'calibration: nor here');
SELECT is((SELECT count(*) FROM gains('[5:6]={3,1}', '[-1:0]={t,f}')), 2::bigint, 'whatever the bounds of the arrays');

-- Undefined is NULL
SELECT is(r, NULL, 'undefined: ' || what) FROM (SELECT auc(1, true), average_precision(1, false), lift('{1}', '{f}', 0.5), calibration_error('{}', '{}'), (recommend_threshold('{1}', '{f}')).threshold, (recommend_threshold('{1}', '{t}', 'youden')).threshold, (recommend_threshold('{1,2,3,4,5,6,7,8,9,10}', '{t,f,f,f,f,f,f,f,f,f}', 'lift')).threshold, (confusion('{1}', '{f}', 0)).recall, (confusion('{1}', '{t}', 0)).false_positive_rate, (confusion('{1}', '{t}', 5))."precision", (SELECT captured FROM gains('{1}', '{f}')), (SELECT lift FROM gains('{1}', '{f}')), (SELECT captured FROM capture_by_band('{a}', '{f}'))) AS x, LATERAL (SELECT key, value FROM json_each_text(row_to_json(x))) AS j (what, r);
SELECT is((SELECT format('%s %s %s %s', auc(s, o), average_precision(s, o), log_loss(s, o), brier(s, o)) FROM judged WHERE false), '   ', 'of nothing: NULL');
SELECT is((SELECT format('%s %s %s %s', auc(NULL, o), average_precision(s, NULL), log_loss(NULL, o), brier(s, NULL)) FROM judged), '   ', 'of NULLs: NULL');
SELECT is((SELECT count(*) FROM gains('{}', '{}')) + (SELECT count(*) FROM calibration('{}', '{}')) + (SELECT count(*) FROM capture_by_band('{}', '{}')) + (SELECT count(*) FROM gains(NULL, '{}')), 0::bigint, 'of nothing: no rows');
SELECT is((SELECT average_precision(i, true) FROM generate_series(1, 5) AS i), 1::float8, 'average_precision is defined if all converted');

-- Aggregates in windows, with FILTER, DISTINCT and ORDER BY
SELECT ok(bool_and(a IS NOT DISTINCT FROM b AND c IS NOT DISTINCT FROM d AND e IS NOT DISTINCT FROM f), 'in windows')
  FROM (SELECT auc(s, o) OVER w AS a, (SELECT auc(s, o) FROM judged AS j WHERE j.i BETWEEN judged.i - 30 AND judged.i) AS b, log_loss(s, o) OVER v AS c, (SELECT log_loss(s, o) FROM judged AS j WHERE j.i <= judged.i) AS d, average_precision(s, o) OVER v AS e, (SELECT average_precision(s, o) FROM judged AS j WHERE j.i <= judged.i) AS f
          FROM judged WHERE i <= 200 WINDOW w AS (ORDER BY i ROWS 30 PRECEDING), v AS (ORDER BY i)) AS x;
SELECT is((SELECT brier(s, o) FILTER (WHERE i <= 100) FROM judged), (SELECT brier(s, o) FROM judged WHERE i <= 100), 'FILTER');
SELECT is((SELECT auc(DISTINCT s, o) FROM judged), (SELECT auc(s, o) FROM (SELECT DISTINCT s, o FROM judged) AS x), 'DISTINCT');
SELECT is((SELECT log_loss(s, o ORDER BY s) FROM judged), (SELECT log_loss(s, o ORDER BY p DESC) FROM judged), 'ORDER BY');

-- In parts, as a distributed engine would: states as text, in any order
CREATE AGGREGATE pg_temp.scored(float8, boolean) (SFUNC = lead_scoring.auc_trans, STYPE = bytea);
CREATE AGGREGATE pg_temp.lost(float8, boolean) (SFUNC = lead_scoring.log_loss_trans, STYPE = bytea);
CREATE AGGREGATE pg_temp.auc_of(bytea) (SFUNC = lead_scoring.auc_combine, STYPE = bytea, FINALFUNC = lead_scoring.auc_final);
CREATE AGGREGATE pg_temp.precision_of(bytea) (SFUNC = lead_scoring.auc_combine, STYPE = bytea, FINALFUNC = lead_scoring.average_precision_final);
CREATE AGGREGATE pg_temp.loss_of(bytea) (SFUNC = lead_scoring.mean_loss_combine, STYPE = bytea, FINALFUNC = lead_scoring.mean_loss_final);
CREATE TABLE part AS SELECT parts, i % parts AS part, pg_temp.scored(s, o)::text AS scored, pg_temp.lost(s, o)::text AS lost FROM judged, unnest('{1,2,97,5000}'::int[]) AS parts GROUP BY 1, 2;
SELECT is(format('%s %s %s', pg_temp.auc_of(scored::bytea ORDER BY md5(part::text)), pg_temp.precision_of(scored::bytea ORDER BY md5(part::text)), pg_temp.loss_of(lost::bytea ORDER BY md5(part::text))), (SELECT format('%s %s %s', auc(s, o), average_precision(s, o), log_loss(s, o)) FROM judged), format('from %s parts', parts)) FROM part GROUP BY parts ORDER BY parts;
SELECT is(max(length(lost)), 2 + 2 * 556, 'the state of a loss stays small') FROM part;
SELECT is(auc_final(auc_combine(auc_trans(NULL, 1, true), auc_trans(NULL, 0, false))), 1::float8, 'support functions by themselves');
SELECT is((SELECT format('%s %s', auc_final(auc_combine(x, x)), average_precision_final(auc_combine(x, x))) FROM (SELECT scored::bytea AS x FROM part WHERE parts = 1 OFFSET 0) AS y), (SELECT format('%s %s', auc(s, o), average_precision(s, o)) FROM judged), 'a state with itself');
SELECT is(mean_loss_final(mean_loss_combine(brier_trans(NULL, 0.5, true), brier_trans(NULL, 1, false))), 0.625::float8, '... of losses');
SELECT is(format('%s %s %s %s', auc_final(NULL), auc_combine(NULL, NULL), mean_loss_combine(NULL, NULL), mean_loss_final(NULL)), '   ', '... of NULL');
SELECT is((SELECT count(*) FROM (SELECT auc_trans(scored::bytea, 1, true)::text AS t, scored FROM part WHERE parts = 97) AS x WHERE length(t) <> length(scored) + 16), 0::bigint, 'a state that is not the aggregate''s own is copied');

-- In parallel
INSERT INTO judged SELECT i + 10000 * n, k, p, s, o FROM judged, generate_series(1, 9) AS n;
ANALYZE judged;
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
SET LOCAL max_parallel_workers_per_gather = 3;
SELECT matches(pg_temp.plan_of('SELECT auc(p, o), average_precision(s, o), log_loss(p, o), brier(p, o) FROM judged'), 'Finalize Aggregate.*Gather.*Partial Aggregate', 'the plan is parallel');
CREATE TABLE in_parallel AS SELECT auc(p, o), average_precision(p, o), log_loss(p, o), brier(p, o) FROM judged;
CREATE TABLE grouped_in_parallel AS SELECT k, auc(s, o), average_precision(s, o), log_loss(s, o), brier(s, o) FROM judged GROUP BY k;
SET LOCAL max_parallel_workers_per_gather = 0;
SELECT results_eq('SELECT * FROM in_parallel', 'SELECT auc(p, o), average_precision(p, o), log_loss(p, o), brier(p, o) FROM judged', 'and gives the same, to the last digit');
SELECT set_eq('SELECT * FROM grouped_in_parallel', 'SELECT k, auc(s, o), average_precision(s, o), log_loss(s, o), brier(s, o) FROM judged GROUP BY k', 'for groups too');

-- Bad input
SELECT is(pg_temp.code('SELECT * FROM ' || call), state, format('%s: %s', state, left(call, 100)))
  FROM (VALUES ('(SELECT auc(''NaN'', true)) AS x', '22023'), ('(SELECT auc(''inf'', true)) AS x', '22023'), ('(SELECT average_precision(''-inf'', true)) AS x', '22023'), ('(SELECT log_loss(''NaN'', true)) AS x', '22023'), ('(SELECT log_loss(1.1, true)) AS x', '22023'), ('(SELECT log_loss(-0.1, false)) AS x', '22023'), ('(SELECT brier(22, true)) AS x', '22023'), ('(SELECT brier(''inf'', true)) AS x', '22023'),
    ('gains(''{1}'', ''{t,f}'')', '22023'), ('gains(''{{1,2}}'', ''{{t,f}}'')', '22023'), ('gains(''{NaN}'', ''{t}'')', '22023'), ('gains(''{1}'', ''{t}'', 0)', '22023'), ('gains(''{1}'', ''{t}'', -1)', '22023'), ('gains(''{1}'', ''{t}'', 1000001)', '22023'), ('gains(''{1}'', ''{t}'', 1000000)', '00000'),
    ('lift(''{1}'', ''{t}'', 0)', '22023'), ('lift(''{1}'', ''{t}'', 1.01)', '22023'), ('lift(''{1}'', ''{t}'', ''NaN'')', '22023'), ('lift(''{1}'', ''{t}'', 1)', '00000'), ('lift(''{1,2}'', ''{t}'', 1)', '22023'),
    ('calibration(''{22}'', ''{t}'')', '22023'), ('calibration(''{-0.01}'', ''{t}'')', '22023'), ('calibration(''{NaN}'', ''{t}'')', '22023'), ('calibration(''{1}'', ''{t}'', 0)', '22023'), ('calibration(''{1}'', ''{t}'', 10, ''x'')', '22023'), ('calibration_error(''{1,1}'', ''{t}'')', '22023'), ('calibration_error(''{22}'', ''{t}'', 10, ''equal_width'')', '22023'),
    ('confusion(''{1}'', ''{t}'', ''NaN'')', '22023'), ('confusion(''{1}'', ''{t}'', ''inf'')', '22023'), ('confusion(''{inf}'', ''{t}'', 1)', '22023'), ('confusion(''{}'', ''{t}'', 1)', '22023'),
    ('recommend_threshold(''{1}'', ''{t}'', ''x'')', '22023'), ('recommend_threshold(''{1}'', ''{t}'', ''capacity'')', '22004'), ('recommend_threshold(''{1}'', ''{t}'', ''capacity'', 0)', '22023'), ('recommend_threshold(''{1}'', ''{t}'', ''f1'', 5)', '22023'), ('recommend_threshold(''{1}'', ''{t,f}'')', '22023'), ('recommend_threshold(NULL, NULL)', '00000'),
    ('capture_by_band(''{a}'', ''{}'')', '22023'), ('capture_by_band(''{{a}}'', ''{t}'')', '22023'),
    ('auc_final('''')', '22P02'), ('auc_final(''x'')', '22P02'), ('auc_trans(''x'', 1, true)', '22P02'), ('auc_combine(NULL, ''x'')', '22P02'), ('mean_loss_final('''')', '22P02'), ('mean_loss_combine(NULL, ''x'')', '22P02'), ('log_loss_trans(''x'', 0.5, true)', '22P02'), ('mean_loss_final(decode(repeat(''ff'', 556), ''hex''))', '22P02'), ('mean_loss_final(decode(''01000000'' || repeat(''00'', 552), ''hex''))', '22P02'), ('mean_loss_combine(NULL, decode(''01000000'' || ''0100000000000000'' || repeat(''7f'', 544), ''hex''))', '22P02'),
    ('auc_final(decode(''0100000000000000ffffffffffffffff0000000000000000'', ''hex''))', '22P02'), ('auc_final(decode(''010000000000000001000000000000000000000000000000000000000000f87f'', ''hex''))', '22P02')) AS v (call, state);
SELECT matches(pg_temp.hint('SELECT ' || call), 'divided by 100', 'the hint of ' || call) FROM unnest(ARRAY['log_loss(22, true)', 'brier(22, true)', 'calibration_error(''{22}'', ''{t}'')']) AS call;
-- A state with a few bytes changed is refused, or it is a state
SELECT ok(bool_and(pg_temp.code(format('SELECT %s(set_byte(%L, %s, %s))', f, state, at % length(state), byte)) IN ('00000', '22P02', '54000')), 'damaged states of ' || f)
  FROM (SELECT 'auc_final' AS f, pg_temp.scored(s, o) AS state FROM known WHERE i <= 20 UNION ALL SELECT 'mean_loss_final', pg_temp.lost(s, o) FROM known WHERE i <= 20) AS x, generate_series(0, 555) AS at, unnest('{0,1,127,128,255}'::int[]) AS byte GROUP BY f;

SELECT * FROM finish();
ROLLBACK;
