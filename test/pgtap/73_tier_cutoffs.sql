-- tier_cutoffs and tier_for: exact, from a sample, in parallel, in parts, bad input
BEGIN;
SET client_min_messages = warning;
SET search_path = public, lead_scoring;
SELECT plan(131);

CREATE FUNCTION pg_temp.code(statement text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN EXECUTE statement; RETURN '00000'; EXCEPTION WHEN OTHERS THEN RETURN SQLSTATE; END $$;
CREATE FUNCTION pg_temp.plan_of(query text) RETURNS text LANGUAGE plpgsql AS $$ DECLARE l text; r text := ''; BEGIN FOR l IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP r := r || l || E'\n'; END LOOP; RETURN r; END $$;

SELECT is((SELECT tier_cutoffs(s, tiers) FROM unnest(scores::float8[]) AS s)::text, expected, format('%s in %s', scores, tiers))
  FROM (VALUES ('{80,70,60,50,40,30,20,10}', 4, '{70,50,30}'), ('{10,20,30,40,50,60,70,80,90,100}', 4, '{80,50,30}'), ('{5}', 4, '{5,5,5}'), ('{3,2,1}', 5, '{3,2,1,1}'), ('{1,2,3}', 1, '{}'), ('{NULL,2,NULL,1}', 2, '{2}'), ('{}', 4, NULL), ('{NULL,NULL}', 4, NULL), ('{90,90,90,90,10,10,10,10}', 4, '{90,90,10}'), ('{1.5,-0.25,1e300}', 3, '{1e+300,1.5}')) AS v (scores, tiers, expected);
SELECT is(tier_for(score::float8, cutoffs::float8[]), expected, format('%s among %s', score, cutoffs))
  FROM (VALUES ('80', '{70,50,30}', 1), ('70', '{70,50,30}', 1), ('69.9', '{70,50,30}', 2), ('50', '{70,50,30}', 2), ('30', '{70,50,30}', 3), ('29', '{70,50,30}', 4), ('-Infinity', '{70,50,30}', 4), ('Infinity', '{70,50,30}', 1), ('5', '{}', 1), ('4', '{5,5,5}', 4), ('5', '{5,5,5}', 1), ('90', '{90,90,10}', 1), ('50', '{90,90,10}', 3), ('5', NULL, NULL), (NULL, '{1}', NULL)) AS v (score, cutoffs, expected);

-- Where there are no ties, the tiers are those of tier and ntile
CREATE TABLE small AS SELECT rows, i, (i * 7919 % 101)::float8 AS score FROM generate_series(1, 40) AS rows, generate_series(1, rows) AS i;
SELECT is((SELECT count(*) FROM generate_series(1, 45) AS n, LATERAL (SELECT rows, score, tier(n) OVER (PARTITION BY rows ORDER BY score DESC) AS t FROM small) AS a JOIN LATERAL (SELECT rows, tier_cutoffs(score, n) AS c FROM small GROUP BY rows) AS b USING (rows) WHERE t <> tier_for(score, c)), 0::bigint, 'tier_for is tier, for 1 to 45 tiers of 1 to 40 rows');
SELECT is((SELECT count(*) FROM generate_series(1, 45) AS n, LATERAL (SELECT rows, tier_cutoffs(score, n) AS a, tier_cutoffs(score, n, 0.1) AS b, tier_cutoffs(score, n, 0) AS c FROM small GROUP BY rows) AS x WHERE a <> b OR a <> c), 0::bigint, 'a sample of few is exact, and so is accuracy 0');
CREATE TABLE big AS SELECT i, ((i * 7919::bigint) % 100003)::float8 AS random, i::float8 AS rising, -i::float8 AS falling, (i * 31 % 7)::float8 AS few, CASE WHEN i % 10 = 0 THEN i ELSE 0 END::float8 AS mostly_zero, power(i % 997, 5)::float8 AS skewed FROM generate_series(1, 100000) AS i;
SELECT is((SELECT count(*) FROM (SELECT random, tier(10) OVER (ORDER BY random DESC) AS t FROM big) AS x, (SELECT tier_cutoffs(random, 10) AS c FROM big) AS y WHERE t <> tier_for(random, c)), 0::bigint, 'for 100,000 rows');
SELECT is((SELECT tier_cutoffs(random, 4) FILTER (WHERE i <= 1000) FROM big)::text, (SELECT tier_cutoffs(random, 4) FROM big WHERE i <= 1000)::text, 'FILTER');
SELECT is((SELECT tier_cutoffs(DISTINCT few, 7) FROM big)::text, '{6,5,4,3,2,1}', 'DISTINCT');
SELECT is((SELECT tier_cutoffs(few, 2 ORDER BY few) FROM big)::text, (SELECT tier_cutoffs(few, 2 ORDER BY few DESC) FROM big)::text, 'ORDER BY');
SELECT is((SELECT array_agg(c::text ORDER BY i) FROM (SELECT i, tier_cutoffs(random, 2) OVER (ORDER BY i) AS c FROM big WHERE i <= 4) AS x), '{"{7919}","{15838}","{15838}","{23757}"}', 'in a window');
SELECT is((SELECT count(*) FROM (SELECT tier_cutoffs(random, 3) OVER w AS c, array_agg(random) OVER w AS a FROM big WHERE i <= 300 WINDOW w AS (ORDER BY i ROWS BETWEEN 5 PRECEDING AND CURRENT ROW)) AS x WHERE c <> (SELECT tier_cutoffs(s, 3) FROM unnest(a) AS s)), 0::bigint, 'in a moving frame');

-- The error of rank of cut-offs, as a share of all: how far the wanted rank is from the ranks that the score has
CREATE FUNCTION pg_temp.worst(cutoffs float8[], scores float8[]) RETURNS float8 LANGUAGE sql AS $$
  SELECT max(greatest(0, first - wanted, wanted - last))::float8 / cardinality(scores)
    FROM (SELECT n, cardinality(scores) / (cardinality(cutoffs) + 1) * n + least(n, cardinality(scores) % (cardinality(cutoffs) + 1)) AS wanted, c FROM unnest(cutoffs) WITH ORDINALITY AS u (c, n)) AS a,
         LATERAL (SELECT count(*) FILTER (WHERE s > c) + 1 AS first, count(*) FILTER (WHERE s >= c) AS last FROM unnest(scores) AS s) AS b $$;
CREATE TABLE list AS SELECT name, scores FROM (SELECT array_agg(random ORDER BY i) AS random, array_agg(rising ORDER BY i) AS rising, array_agg(falling ORDER BY i) AS falling, array_agg(few ORDER BY i) AS few, array_agg(mostly_zero ORDER BY i) AS mostly_zero, array_agg(skewed ORDER BY i) AS skewed FROM big) AS a,
  LATERAL (VALUES ('random', random), ('rising', rising), ('falling', falling), ('few', few), ('mostly_zero', mostly_zero), ('skewed', skewed)) AS v (name, scores);
SELECT cmp_ok(pg_temp.worst((SELECT tier_cutoffs(s, 10, accuracy) FROM unnest(scores) AS s), scores), '<=', accuracy, format('%s within %s', name, accuracy)) FROM list, unnest('{0.5,0.1,0.01,0.001}'::float8[]) AS accuracy ORDER BY name, accuracy;
SELECT cmp_ok(pg_temp.worst((SELECT tier_cutoffs(s, 10) FROM unnest(scores) AS s), scores), '=', 0::float8, name || ' exactly') FROM list ORDER BY name;
-- Combined from parts, as a distributed engine would: states as text, and in any order
CREATE AGGREGATE pg_temp.parts(score float8, tiers int, accuracy float8) (SFUNC = lead_scoring.tier_cutoffs_accuracy_trans, STYPE = lead_scoring.tier_sample);
CREATE AGGREGATE pg_temp.exact_parts(score float8, tiers int) (SFUNC = lead_scoring.tier_cutoffs_trans, STYPE = lead_scoring.tier_sample);
CREATE AGGREGATE pg_temp.merged(lead_scoring.tier_sample) (SFUNC = lead_scoring.tier_cutoffs_combine, STYPE = lead_scoring.tier_sample, FINALFUNC = lead_scoring.tier_cutoffs_final);
SELECT cmp_ok(pg_temp.worst((SELECT pg_temp.merged(p::text::tier_sample ORDER BY md5(part::text)) FROM (SELECT part, pg_temp.parts(s, 10, accuracy) AS p FROM unnest(scores) WITH ORDINALITY AS u (s, n), LATERAL (SELECT CASE WHEN accuracy = 0.1 THEN n * parts / 100001 ELSE (n * n) % parts END AS part) AS d GROUP BY part) AS x), scores), '<=', accuracy, format('%s within %s, of %s parts', name, accuracy, parts))
  FROM list, (VALUES (0.1::float8, 3), (0.1, 1000), (0.02, 50)) AS v (accuracy, parts) ORDER BY name, accuracy, parts;
SELECT is((SELECT pg_temp.merged(p::text::tier_sample ORDER BY md5(part::text)) FROM (SELECT part, pg_temp.exact_parts(s, 10) AS p FROM unnest(scores) WITH ORDINALITY AS u (s, n), LATERAL (SELECT (n * n) % 97 AS part) AS d GROUP BY part) AS x), (SELECT tier_cutoffs(s, 10) FROM unnest(scores) AS s), name || ' exactly, of parts') FROM list WHERE name IN ('random', 'few') ORDER BY name;
SELECT cmp_ok((SELECT pg_column_size(pg_temp.parts(random, 10, 0.01)) FROM big), '<', 2000 * 8 * 8, 'a sample stays small');

-- In parallel
ANALYZE big;
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
SET LOCAL max_parallel_workers_per_gather = 3;
SELECT matches(pg_temp.plan_of('SELECT tier_cutoffs(random, 10), tier_cutoffs(random, 10, 0.01) FROM big'), 'Gather.*Partial Aggregate', 'the plan is parallel');
CREATE TABLE in_parallel AS SELECT tier_cutoffs(random, 10) AS exact, tier_cutoffs(random, 10, 0.01) AS sampled FROM big;
CREATE TABLE grouped_in_parallel AS SELECT i % 11 AS k, tier_cutoffs(random, 10) AS exact FROM big GROUP BY 1;
SET LOCAL max_parallel_workers_per_gather = 0;
SELECT is((SELECT exact::text FROM in_parallel), (SELECT tier_cutoffs(random, 10)::text FROM big), 'and gives the same');
SELECT cmp_ok((SELECT pg_temp.worst(sampled, scores) FROM in_parallel, list WHERE name = 'random'), '<=', 0.01::float8, 'within the accuracy');
SELECT is((SELECT count(*) FROM grouped_in_parallel AS a FULL JOIN (SELECT i % 11 AS k, tier_cutoffs(random, 10) AS exact FROM big GROUP BY 1) AS b USING (k) WHERE a.exact IS DISTINCT FROM b.exact), 0::bigint, 'for groups too');

-- Text and binary form
CREATE TABLE state (id int, sample tier_sample);
INSERT INTO state SELECT k, pg_temp.exact_parts(random / 7, 4) FROM big, generate_series(1, 20) AS k WHERE i <= k * k GROUP BY k;
INSERT INTO state SELECT 100 + k, pg_temp.parts(random / 7, 4, 0.5) FROM big, generate_series(1, 20) AS k WHERE i <= k * k * 10 GROUP BY k;
SELECT is((SELECT count(*) FROM state WHERE sample::text::tier_sample::text <> sample::text OR tier_sample_send(sample::text::tier_sample) <> tier_sample_send(sample)), 0::bigint, 'text round trip');
CREATE TABLE received (LIKE state);
CREATE FUNCTION pg_temp.copy_binary() RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('COPY state TO %L (FORMAT binary)', current_setting('data_directory') || '/lead_scoring_sample.bin');
  EXECUTE format('COPY received FROM %L (FORMAT binary)', current_setting('data_directory') || '/lead_scoring_sample.bin');
  RETURN (SELECT count(*) FROM state AS a FULL JOIN received AS b USING (id) WHERE a.sample::text IS DISTINCT FROM b.sample::text);
END
$$;
SELECT is(pg_temp.copy_binary(), 0::bigint, 'binary round trip');
SELECT is((SELECT count(*) FROM received), 40::bigint, '... of all');

-- The support functions by themselves
SELECT is(tier_cutoffs_final(tier_cutoffs_trans(tier_cutoffs_trans(NULL, 5, 2), 7, 2))::text, '{7}', 'transitions and the final function');
SELECT is(tier_cutoffs_final(tier_cutoffs_combine('v1;2;0;0;1;5 ;', 'v1;2;0;0;1;7 ;'))::text, '{7}', 'combine');
SELECT is((SELECT tier_cutoffs_combine(s, s)::text FROM (SELECT tier_cutoffs_combine('v1;2;0;0;1;5 ;', 'v1;2;0;0;1;7 ;') AS s OFFSET 0) AS x), 'v1;2;0;0;4;5 7 5 7 ;', 'a state with itself');
SELECT is((SELECT count(*) FROM (SELECT tier_cutoffs_trans(sample, 1, 4) AS s, sample FROM state WHERE id < 100) AS x WHERE s::text = sample::text), 0::bigint, 'a stored state is copied');
SELECT is((SELECT count(*) FROM state AS a JOIN received AS b USING (id) WHERE a.sample::text <> b.sample::text), 0::bigint, '... and not changed');

-- Bad input
SELECT is(pg_temp.code('SELECT ' || call), state, format('%s: %s', state, call))
  FROM (VALUES ('tier_cutoffs(1, 0)', '22023'), ('tier_cutoffs(1, -1)', '22023'), ('tier_cutoffs(1, 1000001)', '22023'), ('tier_cutoffs(1, 2147483647)', '22023'), ('tier_cutoffs(1, NULL)', '22004'), ('tier_cutoffs(1, 4, NULL)', '22004'), ('tier_cutoffs(1, 4, -0.1)', '22023'), ('tier_cutoffs(1, 4, 0.6)', '22023'), ('tier_cutoffs(1, 4, 1e-6)', '22023'), ('tier_cutoffs(1, 4, ''NaN'')', '22023'), ('tier_cutoffs(1, 4, ''inf'')', '22023'),
    ('tier_cutoffs(''NaN'', 4)', '22003'), ('tier_cutoffs(''inf'', 4)', '22003'), ('tier_cutoffs(''-inf'', 4, 0.1)', '22003'), ('tier_cutoffs(1, n) FROM generate_series(4, 5) AS n', '22023'), ('tier_cutoffs(1, 4, a) FROM unnest(''{0.1,0.2}''::float8[]) AS a', '22023'),
    ('tier_for(''NaN'', ''{1}'')', '22003'), ('tier_for(1, ''{{1,2},{3,4}}'')', '22023'), ('tier_for(1, ''{1,NULL}'')', '22023'),
    ('tier_cutoffs_final(NULL)', '00000'), ('tier_cutoffs_combine(NULL, NULL)', '00000'), ('tier_cutoffs_trans(NULL, NULL, NULL)', '00000'), ('tier_cutoffs_combine(''v1;2;0;0;1;5 ;'', ''v1;3;0;0;1;7 ;'')', '22023'), ('tier_cutoffs_combine(''v1;2;0;0;1;5 ;'', ''v1;2;40;0;1;7 ;'')', '22023'), ('tier_cutoffs_trans(''v1;2;0;0;1;5 ;'', 1, 3)', '22023')) AS v (call, state);
SELECT is(pg_temp.code(format('SELECT %L::tier_sample', given)), '22P02', 'refused: ' || left(given, 40))
  FROM (VALUES (1, ''), (2, 'x'), (3, 'v2;4;0;0;0;;'), (4, 'v1;4;0;0;0;'), (5, 'v1;4;0;0;1;1'), (6, 'v1;4;0;0;1;nan ;'), (7, 'v1;4;0;0;2;1 ;'), (8, 'v1;0;0;0;0;;'), (9, 'v1;4;0;0;99999999999999999999;;'), (10, repeat('1', 100000))) AS v (i, given) ORDER BY i;

SELECT * FROM finish();
ROLLBACK;
