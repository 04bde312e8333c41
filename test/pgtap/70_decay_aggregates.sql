-- decayed, decay_sum, decay_count: values, use in queries, parallel plans, bad input
BEGIN;
SET client_min_messages = warning;
SET timezone = 'UTC';
SET search_path = public, lead_scoring;
SELECT plan(116);

CREATE FUNCTION pg_temp.code(statement text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN EXECUTE statement; RETURN '00000'; EXCEPTION WHEN OTHERS THEN RETURN SQLSTATE; END $$;
-- Equal, but for what the order of additions does
CREATE FUNCTION pg_temp.near(a float8, b float8) RETURNS boolean LANGUAGE sql AS $$ SELECT a IS NOT DISTINCT FROM b OR abs(a - b) <= 1e-9 * greatest(abs(a), abs(b), 1) $$;

-- E18 to E24
SELECT is(round(decayed(points, '2026-01-31'::timestamptz - age, decay::decay, '2026-01-31')::numeric, 4)::float8, expected, format('%s: %s points, %s, %s old', example, points, decay, age))
  FROM (VALUES
    ('E18', 10, '50% per month', interval '0 days', 10::float8), ('E18', 10, '50% per month', '15 days', 7.5), ('E18', 10, '50% per month', '30 days', 5), ('E18', 10, '50% per month', '45 days', 2.5), ('E18', 10, '50% per month', '60 days', 0), ('E18', 10, '50% per month', '400 days', 0),
    ('E18', 10, '50% per month stepwise', '0 days', 10), ('E18', 10, '50% per month stepwise', '15 days', 10), ('E18', 10, '50% per month stepwise', '30 days', 5), ('E18', 10, '50% per month stepwise', '45 days', 5), ('E18', 10, '50% per month stepwise', '60 days', 0), ('E18', 10, '50% per month stepwise', '400 days', 0),
    ('E19', 2, '100% per 3 months', '45 days', 1), ('E19', 2, '100% per 3 months', '90 days', 0), ('E19', 2, '100% per 3 months', '120 days', 0), ('E19', 2, '100% per 3 months stepwise', '45 days', 2), ('E19', 2, '100% per 3 months stepwise', '90 days', 0),
    ('E20', 10, '50% per year', '360 days', 5), ('E20', 10, '50% per year', '720 days', 0), ('E20', 10, '50% per 6 months', '180 days', 5),
    ('E21', -10, '50% per month', '30 days', -5), ('E21', -10, '50% per month', '60 days', 0),
    ('E23', 100, '20% per 72 hours exponential', '36 hours', 89.4427), ('E23', 100, '20% per 72 hours exponential', '72 hours', 80), ('E23', 100, '20% per 72 hours exponential', '144 hours', 64), ('E23', 100, '20% per 72 hours exponential', '216 hours', 51.2),
    ('E23', 100, '20% per 72 hours exponential', '288 hours', 40.96), ('E23', 100, '20% per 72 hours exponential', '720 hours', 10.7374),
    ('E23', 100, '20% per 72 hours', '72 hours', 80), ('E23', 100, '20% per 72 hours', '144 hours', 60), ('E23', 100, '20% per 72 hours', '216 hours', 40), ('E23', 100, '20% per 72 hours', '288 hours', 20), ('E23', 100, '20% per 72 hours', '360 hours', 0),
    ('E24', 100, '20% per 21 days exponential', '21 days', 80), ('E24', 100, '20% per 21 days exponential', '42 days', 64), ('E24', 100, '20% per 21 days exponential', '63 days', 51.2), ('E24', 100, '20% per 21 days exponential', '90 days', 38.4301),
    ('D19', 10, '50% per month after 3 days', '3 days', 10), ('D19', 10, '50% per month after 3 days', '18 days', 7.5), ('D19', 10, 'half-life 7 days after 3 days', '10 days', 5)) AS v (example, points, decay, age, expected);
SELECT is(decay_sum(10, '2026-01-31'::timestamptz - age, '50% per month', '2026-01-31'), 5::float8, 'E22: two events, each on its own') FROM unnest('{30 days,60 days}'::interval[]) AS age;

-- Events at the ends
SELECT is(decayed(10, occurred_at::timestamptz, decay::decay, '2026-01-31'), expected, format('%s, %s', decay, occurred_at))
  FROM (VALUES ('50% per month', '2026-01-31 00:00:00.000001+00', 0::float8), ('50% per month', '2027-01-01', 0), ('50% per month', 'infinity', 0), ('50% per month', '-infinity', 0), ('50% per month stepwise', '-infinity', 0),
    ('half-life 7 days', '-infinity', 0), ('half-life 7 days', '4713-01-01 BC', 0), ('0.00001% per year exponential', '-infinity', 0), ('0.00000000000000001% per day exponential', '-infinity', 0), ('50% per month after 10000 years', '-infinity', 0), ('half-life 7 days after 10000 years', '4713-01-01 BC', 10)) AS v (decay, occurred_at, expected);
SELECT is(decayed(-10, 'infinity', '50% per month', '2026-01-31')::text, '0', 'nothing of negative points is 0, not -0');
SELECT is(decayed(-1e-300, '2000-01-01', 'half-life 1 day', '2026-01-31')::text, '0', 'underflow is 0');
SELECT is((SELECT decay_sum(points, 'infinity', '50% per month', '2026-01-31') FROM unnest('{1,2}'::float8[]) AS points), 0::float8, 'a sum of later events is 0, not NULL');

-- Random data against the formulas written in SQL
SELECT setseed(0.5);
CREATE TABLE form (id int, text text, kind text, rate float8, period float8, grace float8);
INSERT INTO form VALUES (1, '50% per month', 'linear', 0.5, 30 * 86400, 0), (2, '100% per 3 months', 'linear', 1, 90 * 86400, 0), (3, '7.5% per 36 hours stepwise', 'stepwise', 0.075, 36 * 3600, 0), (4, '20% per 72 hours exponential', 'exponential', 0.2, 72 * 3600, 0), (5, 'half-life 7 days', 'exponential', 0.5, 7 * 86400, 0),
  (6, '50% per month after 3 days', 'linear', 0.5, 30 * 86400, 3 * 86400), (7, '50% per month stepwise after 10 days', 'stepwise', 0.5, 30 * 86400, 10 * 86400), (8, '20% per 21 days exponential after 90 minutes', 'exponential', 0.2, 21 * 86400, 5400), (9, 'half-life 1 day 12 hours after 1 month', 'exponential', 0.5, 36 * 3600, 30 * 86400);
CREATE TABLE event (id int, key int, points float8, t timestamptz);
INSERT INTO event SELECT i, i % 37, round((random() * 100 - 30)::numeric, 2), CASE WHEN i % 50 = 0 THEN '2026-01-31'::timestamptz - interval '36 hours' * (i / 50) ELSE '2026-02-10'::timestamptz - random() * interval '200 days' END FROM generate_series(1, 20000) AS i;
INSERT INTO event VALUES (-1, 1, NULL, '2026-01-01'), (-2, 2, 5, NULL), (-3, 3, 5, '-infinity'), (-4, 3, 5, 'infinity'), (-5, 99, NULL, NULL);
CREATE FUNCTION pg_temp.formula(points float8, t timestamptz, kind text, rate float8, period float8, grace float8, as_of timestamptz) RETURNS float8 LANGUAGE sql AS $$
  SELECT CASE WHEN points IS NULL OR t IS NULL THEN NULL WHEN t > as_of THEN 0 WHEN t = '-infinity' THEN 0 ELSE points * CASE kind
    WHEN 'linear' THEN greatest(0, 1 - rate * age / period) WHEN 'stepwise' THEN greatest(0, 1 - rate * floor(age / period)) ELSE power(1 - rate, least(age / period, 900)) END END
  FROM (SELECT greatest(0, extract(epoch FROM as_of - CASE WHEN isfinite(t) THEN t ELSE as_of END)::float8 - grace)) AS a (age)
$$;
SELECT ok((SELECT pg_temp.near(decay_sum(points, t, text::decay, '2026-01-31'), sum(decayed(points, t, text::decay, '2026-01-31'))) FROM event), 'decay_sum is the sum of decayed: ' || text) FROM form ORDER BY id;
SELECT ok((SELECT pg_temp.near(decay_sum(points, t, text::decay, '2026-01-31'), sum(pg_temp.formula(points, t, kind, rate, period, grace, '2026-01-31'))) FROM event), 'decay_sum is the formula: ' || text) FROM form ORDER BY id;
SELECT is((SELECT count(*) FROM event WHERE NOT pg_temp.near(decayed(points, t, text::decay, '2026-01-31'), pg_temp.formula(points, t, kind, rate, period, grace, '2026-01-31'))), 0::bigint, 'decayed is the formula, row by row: ' || text) FROM form WHERE id IN (1, 3, 5, 7) ORDER BY id;
SELECT ok((SELECT pg_temp.near(decay_count(t, text::decay, '2026-01-31'), decay_sum(1, t, text::decay, '2026-01-31')) FROM event), 'decay_count is decay_sum with 1 point each: ' || text) FROM form WHERE id IN (1, 5, 7) ORDER BY id;

-- In queries of every kind
SELECT is((SELECT count(*) FROM (SELECT key, decay_sum(points, t, '50% per month', '2026-01-31') AS a, sum(decayed(points, t, '50% per month', '2026-01-31')) AS b FROM event GROUP BY key) AS g WHERE NOT pg_temp.near(a, b)), 0::bigint, 'grouped');
SELECT is((SELECT decay_sum(points, t, '50% per month', '2026-01-31') FROM event WHERE key = 99), NULL::float8, 'NULL of rows with a NULL only');
SELECT is((SELECT decay_sum(points, t, '50% per month', '2026-01-31') FROM event WHERE false), NULL::float8, 'NULL of no row');
SELECT is((SELECT decay_count(t, '50% per month', '2026-01-31') FROM event WHERE key = 99), NULL::float8, 'decay_count: NULL of rows with a NULL only');
SELECT ok((SELECT decay_sum(points, t, NULL, '2026-01-31') IS NULL AND decay_sum(points, t, '50% per month', NULL) IS NULL FROM event), 'a NULL decay or as_of: NULL');
SELECT ok((SELECT pg_temp.near(decay_sum(points, t, 'half-life 7 days', '2026-01-31') FILTER (WHERE points > 0), sum(decayed(points, t, 'half-life 7 days', '2026-01-31')) FILTER (WHERE points > 0)) FROM event), 'FILTER');
SELECT is((SELECT decay_sum(DISTINCT p, t, d::decay, '2026-01-31') FROM (VALUES (4::float8, '2026-01-31'::timestamptz, '50% per month'), (4, '2026-01-31', '50% per 30 days'), (4, '2026-01-16', '50% per month'), (4, '2026-01-16', '50% per month stepwise')) AS v (p, t, d)), 11::float8, 'DISTINCT');
SELECT ok((SELECT pg_temp.near(decay_sum(points, t, 'half-life 7 days', '2026-01-31' ORDER BY t), decay_sum(points, t, 'half-life 7 days', '2026-01-31' ORDER BY points)) FROM event), 'ORDER BY');
SELECT is((SELECT decay_sum(points, t, d::decay, a) FROM (VALUES (10::float8, '2026-01-01'::timestamptz, '50% per month', '2026-01-31'::timestamptz), (10, '2026-01-01', '50% per month', '2026-01-16'), (10, '2026-01-01', 'half-life 30 days', '2026-03-02'), (10, '2026-01-01', '50% per month', '2026-01-31')) AS v (points, t, d, a)), 20::float8, 'decay and as_of may vary from row to row');
SELECT is((SELECT count(*) FROM (SELECT decay_sum(points, t, '50% per month', '2026-01-31') OVER w AS a, sum(decayed(points, t, '50% per month', '2026-01-31')) OVER w AS b FROM event WHERE id <= 2000 WINDOW w AS (PARTITION BY key ORDER BY t)) AS s WHERE NOT pg_temp.near(a, b)), 0::bigint, 'windowed, growing frame');
SELECT is((SELECT count(*) FROM (SELECT decay_sum(points, t, 'half-life 7 days', '2026-01-31') OVER w AS a, sum(decayed(points, t, 'half-life 7 days', '2026-01-31')) OVER w AS b FROM event WHERE id BETWEEN 1 AND 2000 WINDOW w AS (ORDER BY t RANGE BETWEEN interval '3 days' PRECEDING AND CURRENT ROW)) AS s WHERE abs(a - b) > 1e-9), 0::bigint, 'windowed, moving frame');

-- In parallel
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
CREATE TABLE parallel_event AS SELECT id, key, points, t FROM event;
ANALYZE parallel_event;
CREATE FUNCTION pg_temp.plan_of(query text) RETURNS text LANGUAGE plpgsql AS $$ DECLARE l text; r text := ''; BEGIN FOR l IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP r := r || l || E'\n'; END LOOP; RETURN r; END $$;
SET LOCAL max_parallel_workers_per_gather = 3;
SELECT matches(pg_temp.plan_of('SELECT decay_sum(points, t, ''50% per month'', ''2026-01-31''), decay_count(t, ''50% per month'', ''2026-01-31'') FROM parallel_event'), 'Gather.*Partial Aggregate', 'the plan is parallel');
SELECT matches(pg_temp.plan_of('SELECT key, decay_sum(points, t, ''50% per month'', ''2026-01-31'') FROM parallel_event GROUP BY key'), 'Gather.*Partial (Hash|Group)Aggregate', 'so is the plan for groups');
CREATE TABLE in_parallel AS SELECT key, decay_sum(points, t, text::decay, '2026-01-31') AS s, decay_count(t, text::decay, '2026-01-31') AS c, text FROM parallel_event, form GROUP BY key, text;
CREATE TABLE in_parallel_whole AS SELECT decay_sum(points, t, '50% per month', '2026-01-31') AS s, decay_count(t, 'half-life 7 days', '2026-01-31') AS c FROM parallel_event;
SET LOCAL max_parallel_workers_per_gather = 0;
SELECT doesnt_match(pg_temp.plan_of('SELECT decay_sum(points, t, ''50% per month'', ''2026-01-31'') FROM parallel_event'), 'Gather', 'the other plan is not');
SELECT is((SELECT count(*) FROM in_parallel AS p FULL JOIN (SELECT key, decay_sum(points, t, text::decay, '2026-01-31') AS s, decay_count(t, text::decay, '2026-01-31') AS c, text FROM parallel_event, form GROUP BY key, text) AS q USING (key, text) WHERE NOT coalesce(pg_temp.near(p.s, q.s) AND pg_temp.near(p.c, q.c), false)), 0::bigint, 'and gives the same for each group');
SELECT ok((SELECT pg_temp.near(p.s, q.s) AND pg_temp.near(p.c, q.c) FROM in_parallel_whole AS p, (SELECT decay_sum(points, t, '50% per month', '2026-01-31') AS s, decay_count(t, 'half-life 7 days', '2026-01-31') AS c FROM parallel_event) AS q), 'and for all');
-- What a distributed engine does: parts of the rows, their states as text, combined in any order
SELECT is((SELECT count(*) FROM generate_series(1, 20) AS round, LATERAL (SELECT sum(s::text::float8 ORDER BY md5(part::text || round)) AS s FROM (SELECT part, decay_sum(points, t, 'half-life 7 days', '2026-01-31') AS s FROM (SELECT *, (hashint4(id * 100 + round) & 2147483647) % round AS part FROM event) AS e GROUP BY part) AS p) AS whole, (SELECT decay_sum(points, t, 'half-life 7 days', '2026-01-31') AS expected FROM event) AS x WHERE NOT pg_temp.near(whole.s, expected)), 0::bigint, 'parts combine to the whole');

-- For an engine that distributes them
SELECT is((SELECT string_agg(a.aggfnoid::regprocedure::text, ', ') FROM pg_aggregate AS a JOIN pg_proc AS p ON p.oid = a.aggfnoid WHERE p.pronamespace = 'lead_scoring'::regnamespace AND (a.aggtranstype = 'internal'::regtype OR a.aggcombinefn = 0 OR p.proparallel <> 's')), NULL, 'every aggregate has a state that can be sent, a combine function and is parallel safe');
SELECT is((SELECT string_agg(DISTINCT p.proname, ', ') FROM pg_proc AS p WHERE p.pronamespace = 'lead_scoring'::regnamespace AND p.prokind IN ('a', 'w') AND EXISTS (SELECT 1 FROM pg_proc AS b WHERE b.pronamespace = 'pg_catalog'::regnamespace AND b.proname = p.proname)), NULL, 'none is called as a built-in one');
SELECT is((SELECT string_agg(p.oid::regprocedure::text, ', ') FROM pg_proc AS p, unnest(p.proargtypes || p.prorettype) AS t JOIN pg_type ON pg_type.oid = t WHERE p.pronamespace = 'lead_scoring'::regnamespace AND p.prokind IN ('a', 'w') AND typtype = 'p'), NULL, 'none is polymorphic');
SELECT is((SELECT string_agg(p.oid::regprocedure::text, ', ') FROM pg_proc AS p WHERE p.pronamespace = 'lead_scoring'::regnamespace AND p.proname IN ('decayed', 'decay_sum_trans', 'decay_count_trans') AND (p.provolatile <> 'i' OR p.proparallel <> 's')), NULL, 'the functions are immutable and parallel safe');

-- Bad input
SELECT is(pg_temp.code(format('SELECT %s FROM (VALUES (1)) AS v', call)), state, format('%s: %s', state, call))
  FROM (VALUES ('decayed(''NaN'', now(), ''50% per month'', now())', '22003'), ('decayed(''inf'', now(), ''50% per month'', now())', '22003'), ('decayed(''-inf'', ''infinity'', ''50% per month'', now())', '22003'),
    ('decay_sum(''NaN'', now(), ''50% per month'', now())', '22003'), ('decay_sum(''-inf'', now(), ''50% per month'', now())', '22003'),
    ('decayed(1, now(), ''50% per month'', ''infinity'')', '22023'), ('decayed(1, now(), ''50% per month'', ''-infinity'')', '22023'), ('decay_sum(1, now(), ''50% per month'', ''infinity'')', '22023'), ('decay_count(now(), ''50% per month'', ''-infinity'')', '22023'),
    ('decay_sum_trans(NULL, NULL, NULL, NULL, NULL)', '00000'), ('decay_sum_trans(''NaN'', 1, now(), ''50% per month'', now())', '22003'), ('decay_sum_trans(1.7e308, 1.7e308, now(), ''50% per month'', now())', '22003'), ('decay_count_trans(''inf'', now(), ''50% per month'', now())', '22003')) AS v (call, state);
SELECT is(pg_temp.code('SELECT decay_sum(1.7e308, now(), ''50% per month'', now()) FROM generate_series(1, 2)'), '22003', 'a sum out of range');
SELECT is(decay_sum_trans(3, 10, '2026-01-01', '50% per month', '2026-01-31'), 8::float8, 'the transition by itself');

SELECT * FROM finish();
ROLLBACK;
