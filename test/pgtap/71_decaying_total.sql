-- decaying_total: values, merging, order, text and binary form, bad input
BEGIN;
SET client_min_messages = warning;
SET timezone = 'UTC';
SET search_path = public, lead_scoring;
SELECT plan(123);

CREATE FUNCTION pg_temp.code(statement text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN EXECUTE statement; RETURN '00000'; EXCEPTION WHEN OTHERS THEN RETURN SQLSTATE; END $$;
CREATE FUNCTION pg_temp.near(a float8, b float8, magnitude float8 DEFAULT 1) RETURNS boolean LANGUAGE sql AS $$ SELECT a IS NOT DISTINCT FROM b OR abs(a - b) <= 1e-9 * greatest(abs(a), abs(b), magnitude) $$;
CREATE FUNCTION pg_temp.plan_of(query text) RETURNS text LANGUAGE plpgsql AS $$ DECLARE l text; r text := ''; BEGIN FOR l IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP r := r || l || E'\n'; END LOOP; RETURN r; END $$;

-- Values
SELECT is(value_at(decaying_total(100, '2026-01-01', '7 days'), at::timestamptz), expected, 'one event, at ' || at) FROM (VALUES ('2026-01-01', 100::float8), ('2026-01-08', 50), ('2026-01-15', 25), ('2026-01-22', 12.5), ('2025-01-01', 100), ('4713-01-01 BC', 100), ('294276-01-01', 0)) AS v (at, expected) GROUP BY at, expected ORDER BY at;
SELECT ok(pg_temp.near(value_at(decaying_total(100, '2026-01-01', '7 days'), '2026-01-04 12:00'), 100 * sqrt(0.5)), 'half a half-life');
SELECT is((SELECT value_at(decaying_total(p, t, '30 days'), '2026-03-02') FROM (VALUES (10::float8, '2026-01-01'::timestamptz), (10, '2026-01-31'), (-4, '2026-03-02'), (NULL, '2026-01-01'), (3, NULL)) AS v (p, t)), 3.5::float8, 'several events, NULLs left out');
SELECT is(value_at(decaying_total(10, '2026-01-01', '1 month'), '2026-01-31'), 5::float8, 'a month is 30 days');
SELECT is(half_life(decaying_total(10, '2026-01-01', half_life)), expected, 'half_life of ' || half_life) FROM (VALUES (interval '7 days', interval '7 days'), ('36 hours', '36 hours'), ('1 month', '30 days'), ('1 year', '360 days'), ('0.001 seconds', '0.001 seconds'), ('1 mon 2 days 03:04:05.678', '32 days 03:04:05.678')) AS v (half_life, expected) GROUP BY half_life, expected ORDER BY half_life;
SELECT is((SELECT newest_event(decaying_total(1, t, '7 days')) FROM unnest('{2026-01-03,2026-01-05,2026-01-01}'::timestamptz[]) AS t), '2026-01-05'::timestamptz, 'newest_event');
SELECT is((SELECT event_count(decaying_total(1, t, '7 days')) FROM unnest('{2026-01-03,2026-01-05,NULL}'::timestamptz[]) AS t), 2::bigint, 'event_count');
SELECT is((SELECT decaying_total(p, t, '7 days')::text FROM (VALUES (NULL::float8, '2026-01-01'::timestamptz), (1, NULL)) AS v (p, t)), NULL, 'NULL without events');
SELECT ok((SELECT event_count(t) = 0 AND newest_event(t) IS NULL AND value_at(t, '2026-01-01') = 0 FROM (SELECT decaying_total(5, 'infinity', '7 days') AS t) AS x), 'an event at infinity does not count');
SELECT ok((SELECT event_count(t) = 1 AND newest_event(t) IS NULL AND value_at(t, '2026-01-01') = 0 FROM (SELECT decaying_total(5, '-infinity', '7 days') AS t) AS x), 'one at -infinity counts, without points');
SELECT ok((SELECT value_at(t, '2026-01-01') = 0 AND event_count(t) = 2 FROM (SELECT decaying_total(p, '2026-01-01', '7 days') AS t FROM unnest('{7,-7}'::float8[]) AS p) AS x), 'points cancel out');
SELECT is(value_at(decaying_total(1, '2000-01-01', '1 second'), '2026-01-01'), 0::float8, 'underflow is 0');
SELECT is(value_at(decaying_total(1, '4713-01-01 BC', '1 millisecond'), '294276-12-31'), 0::float8, 'underflow is 0, however far');
SELECT is((SELECT value_at(decaying_total(p, t::timestamptz, '1 millisecond' ORDER BY p * sign), '294276-12-31') FROM (VALUES (1::float8, '4713-01-01 BC'), (2, '294276-12-31')) AS v (p, t)), 2::float8, 'the first and the last day, ' || CASE sign WHEN 1 THEN 'in' ELSE 'out of' END || ' order') FROM unnest('{1,-1}'::int[]) AS sign;

-- Random data
SELECT setseed(0.5);
CREATE TABLE event AS SELECT i AS id, i % 41 AS key, round((random() * 100 - 30)::numeric, 2)::float8 AS points, '2025-06-01'::timestamptz + random() * interval '200 days' AS t FROM generate_series(1, 20000) AS i;
CREATE TABLE total AS SELECT key, decaying_total(points, t, '7 days') AS total FROM event GROUP BY key;
SELECT is((SELECT count(*) FROM total AS a, unnest('{2025-12-25,2026-01-01,2026-04-01}'::timestamptz[]) AS at, LATERAL (SELECT sum(points * power(0.5, extract(epoch FROM at - t)::float8 / (7 * 86400))) AS s, sum(abs(points) * power(0.5, extract(epoch FROM at - t)::float8 / (7 * 86400))) AS m FROM event AS e WHERE e.key = a.key) AS x WHERE abs(value_at(total, at) - s) > 1e-9 * m), 0::bigint, 'the formula, for each group');
SELECT is((SELECT count(*) FROM total AS a, LATERAL (SELECT decay_sum(points, t, 'half-life 7 days', '2026-01-01') AS s FROM event AS e WHERE e.key = a.key) AS x WHERE NOT pg_temp.near(value_at(total, '2026-01-01'), s, 100)), 0::bigint, 'decay_sum, for each group');
SELECT is((SELECT count(*) FROM total AS a, LATERAL (SELECT max(t) AS m, count(*) AS c FROM event AS e WHERE e.key = a.key) AS x WHERE m <> newest_event(total) OR c <> event_count(total)), 0::bigint, 'count and newest, for each group');
SELECT ok((SELECT pg_temp.near(value_at(decaying_total(points, t, '7 days') FILTER (WHERE points > 0), '2026-01-01'), decay_sum(points, t, 'half-life 7 days', '2026-01-01') FILTER (WHERE points > 0)) FROM event), 'FILTER');
SELECT is((SELECT value_at(decaying_total(DISTINCT p, '2026-01-01', '7 days'), '2026-01-01') FROM unnest('{5,5,3}'::float8[]) AS p), 8::float8, 'DISTINCT');
SELECT ok((SELECT pg_temp.near(value_at(decaying_total(points, t, '7 days' ORDER BY t), '2026-01-01'), value_at(decaying_total(points, t, '7 days' ORDER BY t DESC), '2026-01-01'), 100) FROM event), 'in any order');

-- Moving frames
CREATE TABLE moving AS SELECT id, points, t FROM event WHERE id <= 2000;
CREATE TABLE moved AS SELECT id, t, value_at(decaying_total(points, t, '7 days') OVER (ORDER BY t RANGE BETWEEN interval '30 days' PRECEDING AND CURRENT ROW), t) AS v FROM moving;
SELECT is((SELECT count(*) FROM moved AS a, LATERAL (SELECT sum(points * power(0.5, extract(epoch FROM a.t - b.t)::float8 / (7 * 86400))) AS s FROM moving AS b WHERE b.t BETWEEN a.t - interval '30 days' AND a.t) AS x WHERE abs(v - s) > 1e-9 * greatest(1, abs(s))), 0::bigint, 'a moving frame of 30 days is the self-join');
SELECT is((SELECT count(*) FROM (SELECT t, value_at(decaying_total(points, t, '7 days') OVER w, t) AS v, (array_agg(points) OVER w) AS p, (array_agg(t) OVER w) AS ts FROM moving WHERE id <= 300 WINDOW w AS (ORDER BY t ROWS BETWEEN 5 PRECEDING AND CURRENT ROW)) AS a, LATERAL (SELECT sum(p1 * power(0.5, extract(epoch FROM t - t1)::float8 / (7 * 86400))) AS s FROM unnest(p, ts) AS u (p1, t1)) AS x WHERE NOT pg_temp.near(v, s)), 0::bigint, 'a frame of rows');
SELECT is((SELECT count(*) FROM (SELECT key, id, decaying_total(points, t, '7 days') OVER (PARTITION BY key ORDER BY t, id) AS w, row_number() OVER (PARTITION BY key ORDER BY t, id) AS n FROM event WHERE id <= 3000) AS a WHERE event_count(w) <> n), 0::bigint, 'a growing frame: states are not shared between rows');
SELECT is((SELECT count(*) FROM (SELECT rollup(total) OVER (ORDER BY key) AS r, sum(event_count(total)) OVER (ORDER BY key) AS n FROM total) AS x WHERE event_count(r) <> n), 0::bigint, 'rollup in a window');

-- Merging
SELECT ok((SELECT pg_temp.near(value_at(rollup(total), '2026-01-01'), (SELECT decay_sum(points, t, 'half-life 7 days', '2026-01-01') FROM event), 100) AND event_count(rollup(total)) = 20000 FROM total), 'rollup');
SELECT is((SELECT rollup(total)::text FROM total WHERE false), NULL, 'rollup of nothing is NULL');
SELECT is((SELECT value_at(rollup(x), '2026-01-01') FROM (SELECT decaying_total(3, '2026-01-01', '7 days') UNION ALL SELECT NULL) AS v (x)), 3::float8, 'rollup leaves NULL out');
SELECT ok(pg_temp.near(value_at(decaying_total(8, '2026-01-01', '7 days') + decaying_total(3, '2026-01-08', '7 days'), '2026-01-08'), 7), '+');
SELECT is((decaying_total(8, '2026-01-01', '7 days') + NULL::decaying_total)::text, NULL, '+ NULL');
SELECT is((SELECT count(*) FROM total AS a, total AS b WHERE (a.total + b.total)::text <> (b.total + a.total)::text), 0::bigint, '+ commutes');
SELECT is((SELECT count(*) FROM total WHERE total::text <> (SELECT decaying_total(points, t, '7 days')::text FROM event AS e WHERE e.key = total.key)), 0::bigint, '... and leaves its operands alone');
SELECT is((SELECT count(*) FROM generate_series(1, 20) AS round, LATERAL (SELECT rollup(s::text::decaying_total ORDER BY md5(part::text || round)) AS r FROM (SELECT part, decaying_total(points, t, '7 days') AS s FROM (SELECT *, (hashint4(id * 100 + round) & 2147483647) % (round * round) AS part FROM event) AS e GROUP BY part) AS p) AS x
  WHERE NOT pg_temp.near(value_at(r, '2026-01-01'), (SELECT value_at(decaying_total(points, t, '7 days'), '2026-01-01') FROM event), 100) OR event_count(r) <> 20000 OR newest_event(r) <> (SELECT max(t) FROM event)), 0::bigint, 'parts, sent as text, combine to the whole');
SELECT ok(pg_temp.near(value_at(decaying_total_trans(decaying_total(8, '2026-01-01', '7 days'), 3, '2026-01-08', '7 days'), '2026-01-08'), 7), 'the transition adds to a stored total');
UPDATE total SET total = decaying_total_trans(total, 1000, '2026-02-01', '7 days') WHERE key = 5;
SELECT ok((SELECT value_at(total, '2026-02-01') BETWEEN 990 AND 1010 AND newest_event(total) = '2026-02-01' FROM total WHERE key = 5), '... in an UPDATE');
SELECT ok((SELECT max(event_count(total)) < 500 FROM total), '... of one row');
SELECT is((SELECT max(octet_length(total::text)) < 1000 FROM total), true, 'the text is short');

-- In parallel
ANALYZE event;
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
SET LOCAL max_parallel_workers_per_gather = 3;
SELECT matches(pg_temp.plan_of('SELECT key, decaying_total(points, t, ''7 days'') FROM event GROUP BY key'), 'Gather.*Partial (Hash|Group)Aggregate', 'the plan is parallel');
CREATE TABLE in_parallel AS SELECT key, decaying_total(points, t, '7 days') AS total FROM event GROUP BY key;
CREATE TABLE rolled_up AS SELECT rollup(total) AS total FROM total;
SET LOCAL max_parallel_workers_per_gather = 0;
SELECT is((SELECT count(*) FROM in_parallel AS a FULL JOIN (SELECT key, decaying_total(points, t, '7 days') AS total FROM event GROUP BY key) AS b USING (key) WHERE NOT coalesce(pg_temp.near(value_at(a.total, '2026-01-01'), value_at(b.total, '2026-01-01'), 10) AND event_count(a.total) = event_count(b.total) AND newest_event(a.total) = newest_event(b.total), false)), 0::bigint, 'and gives the same');

-- Order
CREATE TABLE ranked (id int, total decaying_total);
INSERT INTO ranked SELECT i, CASE i % 10 WHEN 0 THEN decaying_total(0, '2026-01-01', '7 days') WHEN 1 THEN decaying_total(-8 * (i % 7 + 1), '2026-01-01'::timestamptz - interval '7 days' * (i % 5), '7 days')
  WHEN 2 THEN decaying_total(8 * 2 ^ (i % 5), '2026-01-01'::timestamptz - interval '7 days' * (i % 5), '7 days') ELSE decaying_total(random() * 100 - 40, '2026-01-01'::timestamptz - random() * interval '90 days' * (i % 4), '7 days') END FROM generate_series(1, 400) AS i GROUP BY i;
SELECT is((SELECT count(*) FROM ranked AS a, ranked AS b, unnest('{2026-01-01,2026-01-02 03:04:05,2026-03-01,2030-01-01,2060-01-01}'::timestamptz[]) AS at, LATERAL (SELECT value_at(a.total, at) AS x, value_at(b.total, at) AS y) AS v
            WHERE (x < y AND NOT a.total < b.total) OR (a.total = b.total AND x <> y) OR (a.total < b.total AND x > y)), 0::bigint, 'the order is that of the values at any later instant');
SELECT ok((SELECT count(*) FILTER (WHERE a.total = b.total) > 400 AND count(*) FILTER (WHERE value_at(a.total, '2026-01-01') > 0 AND value_at(b.total, '2026-01-01') < 0 AND a.total > b.total) > 1000 FROM ranked AS a, ranked AS b), 'there are equal ones, and of both signs');
SELECT is((SELECT count(*) FROM ranked AS a, ranked AS b WHERE (a.total < b.total)::int + (a.total = b.total)::int + (a.total > b.total)::int <> 1 OR (a.total <= b.total) <> (a.total < b.total OR a.total = b.total) OR (a.total >= b.total) <> (a.total > b.total OR a.total = b.total) OR (a.total <> b.total) = (a.total = b.total) OR (a.total < b.total) <> (b.total > a.total) OR sign(decaying_total_cmp(a.total, b.total)) <> (a.total > b.total)::int - (a.total < b.total)::int), 0::bigint, 'exactly one of <, =, > holds');
SELECT is((SELECT array_agg(id ORDER BY total DESC, id) FROM ranked), (SELECT array_agg(id ORDER BY value_at(total, at) DESC, id) FROM ranked), 'ORDER BY as of ' || at) FROM unnest('{2026-01-01,2026-01-08,2027-01-06}'::timestamptz[]) AS at;
SELECT ok(decaying_total(1, '2026-01-01', '1 day') < decaying_total(-1, '2026-01-01', '2 days'), 'another half-life: ordered by it');
CREATE TABLE lead (id int, total decaying_total);
INSERT INTO lead SELECT i, decaying_total(random() * 100 - 20, '2026-01-01'::timestamptz - random() * interval '60 days', '7 days') FROM generate_series(1, 5000) AS i GROUP BY i;
CREATE INDEX lead_total ON lead (total);
ANALYZE lead;
SELECT matches(pg_temp.plan_of('SELECT id FROM lead ORDER BY total DESC LIMIT 10'), 'Index.*Scan Backward using lead_total', 'ORDER BY total DESC LIMIT is an index scan');
SELECT matches(pg_temp.plan_of('SELECT id FROM lead WHERE total = ''v1;604800000000;1;1;0;1'''), 'lead_total', '= uses the index');
CREATE TABLE top AS SELECT id FROM lead ORDER BY total DESC LIMIT 50;
SELECT is((SELECT array_agg(id ORDER BY id) FROM top), (SELECT array_agg(id ORDER BY id) FROM (SELECT id FROM lead ORDER BY value_at(total, at) DESC LIMIT 50) AS x), 'and gives the best as of ' || at) FROM unnest('{2026-01-01,2026-06-01}'::timestamptz[]) AS at;
UPDATE lead SET total = total + (SELECT decaying_total(1e6, '2026-02-01', '7 days')) WHERE id = 77;
SELECT is((SELECT id FROM lead ORDER BY total DESC LIMIT 1), 77, 'the index follows an update');

-- Text and binary form
SELECT is((SELECT count(*) FROM (SELECT total FROM total UNION ALL SELECT total FROM ranked UNION ALL SELECT total FROM lead) AS x WHERE total::text::decaying_total::text <> total::text OR decaying_total_send(total::text::decaying_total) <> decaying_total_send(total)), 0::bigint, 'text round trip');
SELECT is(pg_temp.code(format('SELECT decaying_total(%s, %L, %L)::text::lead_scoring.decaying_total', points, t, half_life)), '00000', format('text of %s points, %s, half-life %s', points, t, half_life))
  FROM unnest('{1,-1.7e308,5e-324}'::text[]) AS points, unnest('{4713-01-01 BC,200000-01-01,294276-12-31 23:59:59.999999}'::text[]) AS t, unnest('{1 millisecond,7 days,20000 years}'::text[]) AS half_life WHERE points = '1' OR half_life = '7 days';
CREATE TABLE received (LIKE ranked);
CREATE FUNCTION pg_temp.copy_binary() RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('COPY ranked TO %L (FORMAT binary)', current_setting('data_directory') || '/lead_scoring_total.bin');
  EXECUTE format('COPY received FROM %L (FORMAT binary)', current_setting('data_directory') || '/lead_scoring_total.bin');
  RETURN (SELECT count(*) FROM ranked AS a FULL JOIN received AS b USING (id) WHERE a.total::text IS DISTINCT FROM b.total::text);
END
$$;
SELECT is(pg_temp.copy_binary(), 0::bigint, 'binary round trip');
SELECT is((SELECT count(*) FROM received), 400::bigint, '... of all');
SELECT is(pg_column_size('v1;1000;1;0;0;1'::decaying_total), 48, '48 bytes');

-- Bad input
SELECT is(pg_temp.code('SELECT ' || call), state, format('%s: %s', state, call))
  FROM (VALUES ('decaying_total(1, now(), ''0'')', '22023'), ('decaying_total(1, now(), ''-7 days'')', '22023'), ('decaying_total(1, now(), ''1 day -24 hours'')', '22023'), ('decaying_total(1, now(), ''178000000 years'')', '22023'), ('decaying_total(1, now(), ''40000 years'')', '22023'),
    ('decaying_total(''NaN'', now(), ''7 days'')', '22003'), ('decaying_total(''inf'', now(), ''7 days'')', '22003'), ('decaying_total(''-inf'', now(), ''7 days'')', '22003'), ('decaying_total(''NaN'', ''infinity'', ''7 days'')', '22003'),
    ('decaying_total(1, now(), h) FROM unnest(''{7 days,8 days}''::interval[]) AS h', '22023'), ('decaying_total(1, now(), h) FROM unnest(''{7 days,168 hours,NULL}''::interval[]) AS h', '00000'),
    ('value_at(decaying_total(1, now(), ''7 days''), ''infinity'')', '22023'), ('value_at(decaying_total(1, now(), ''7 days''), ''-infinity'')', '22023'),
    ('decaying_total(1, now(), ''7 days'') + decaying_total(1, now(), ''8 days'')', '22023'), ('rollup(x) FROM (SELECT decaying_total(1, now(), ''7 days'') AS x UNION ALL SELECT decaying_total(1, now(), ''8 days'')) AS v', '22023'),
    ('decaying_total_trans(NULL, 1, now(), ''-7 days'')', '22023'), ('decaying_total_trans(NULL, NULL, NULL, NULL)', '00000'), ('decaying_total_combine(NULL, NULL)', '00000'), ('decaying_total_combine(NULL, decaying_total(1, now(), ''7 days''))', '00000'), ('decaying_total_combine(decaying_total(1, now(), ''7 days''), NULL)', '00000'),
    ('decaying_total_trans(''v1;604800000000;1;0;0;1'', 1, now(), ''8 days'')', '22023'), ('decaying_total_trans(''v1;604800000000;1;0;0;9223372036854775807'', 1, now(), ''7 days'')', '22003'), ('decaying_total_add(''v1;1000;1;0;0;9223372036854775807'', ''v1;1000;1;0;0;1'')', '22003'),
    ('decaying_total_cmp(NULL, NULL)', '00000')) AS v (call, state);
SELECT ok(pg_temp.code(format('SELECT %L::decaying_total', given)) IN ('22P02', '22023'), 'refused: ' || left(given, 40))
  FROM (VALUES (1, ''), (2, 'x'), (3, '0'), (4, 'v2;1;1;0;0;1'), (5, 'v1;0;1;0;0;1'), (6, 'v1;-1;1;0;0;1'), (7, 'v1;1000;nan;0;0;1'), (8, 'v1;1000;inf;0;0;1'), (9, 'v1;1;3;0;0;1'), (10, 'v1;1000;1;0;0;-1'), (11, 'v1;1000;1;0;0'), (12, 'v1;1000;1;0;0;1;'), (13, 'v1;1000;1;0;0;99999999999999999999'), (14, 'v1;1000;1;9223372036854775807;0;1'), (15, repeat('1', 100000)), (16, 'v1;1000;1;0;9223372036854775807;1')) AS v (i, given) ORDER BY i;
SELECT ok((SELECT pg_temp.code('SELECT ''v1;1000;1;1152921504606846976;0;1''::decaying_total + ''v1;1000;1;1152921504606846976;0;1''') = '22003' OR pg_temp.code('SELECT (''v1;1000;1;1152921504606846976;0;1''::decaying_total + ''v1;1000;1;1152921504606846976;0;1'')::text::decaying_total') = '00000'), 'a sum of hostile totals is a total or an error');
SELECT is((SELECT string_agg(p.oid::regprocedure::text, ', ') FROM pg_proc AS p WHERE p.pronamespace = 'lead_scoring'::regnamespace AND (p.proname ~ '^decaying_total_' OR p.proname IN ('value_at', 'half_life', 'newest_event', 'event_count')) AND (p.provolatile <> 'i' OR p.proparallel <> 's')), NULL, 'the functions are immutable and parallel safe');

SELECT * FROM finish();
ROLLBACK;
