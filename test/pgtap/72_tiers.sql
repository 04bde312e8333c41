-- tier and contact_priority
BEGIN;
SET client_min_messages = warning;
SET search_path = public, lead_scoring;
SELECT plan(90);

CREATE FUNCTION pg_temp.code(statement text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN EXECUTE statement; RETURN '00000'; EXCEPTION WHEN OTHERS THEN RETURN SQLSTATE; END $$;
-- The tiers of a list of scores, in its order
CREATE FUNCTION pg_temp.tiers(scores float8[], tiers int, mode text DEFAULT 'ntile') RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(coalesce(t::text, '-'), ' ' ORDER BY n) FROM (SELECT n, tier(tiers, mode) OVER (ORDER BY s DESC NULLS LAST) AS t FROM unnest(scores) WITH ORDINALITY AS u (s, n)) AS x $$;
CREATE FUNCTION pg_temp.labels(scores float8[], labels text[]) RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(coalesce(t, '-'), ' ' ORDER BY n) FROM (SELECT n, tier(labels) OVER (ORDER BY s DESC NULLS LAST, n) AS t FROM unnest(scores) WITH ORDINALITY AS u (s, n)) AS x $$;

-- E28
SELECT is(pg_temp.labels('{80,70,60,50,40,30,20,10}', '{VH,H,M,L}'), 'VH VH H H M M L L', 'E28: eight contacts');
SELECT is(pg_temp.tiers('{100,90,80,70,60,50,40,30,20,10}', 4), '1 1 1 2 2 2 3 3 4 4', 'E28: ten contacts');
SELECT is(pg_temp.labels('{90,90,90,90,10,10,10,10}', '{VH,H,M,L}'), 'VH VH H H M M L L', 'E28: ties, dealt');
SELECT is(pg_temp.tiers('{90,90,90,90,10,10,10,10}', 4, 'together'), '1 1 1 1 3 3 3 3', 'E28: ties, together');
SELECT is(pg_temp.labels('{9,7,7,7,5,3,2,1}', '{VH,H,M,L}'), 'VH VH H H M M L L', 'E28: more ties, dealt');
SELECT is(pg_temp.tiers('{9,7,7,7,5,3,2,1}', 4, 'together'), '1 1 1 1 3 3 4 4', 'E28: more ties, together');
CREATE TABLE contact (id int, likelihood float8, customer boolean);
INSERT INTO contact SELECT i, 90 - 10 * i, false FROM generate_series(1, 8) AS i;
INSERT INTO contact VALUES (9, 99, true), (10, 45, true), (11, 1, true), (12, NULL, true), (13, NULL, false), (14, NULL, NULL);
SELECT is((SELECT string_agg(coalesce(p, '-'), ', ' ORDER BY id) FROM (SELECT id, contact_priority(customer) OVER (ORDER BY likelihood DESC NULLS LAST, id) AS p FROM contact) AS x), 'Very High, Very High, High, High, Medium, Medium, Low, Low, Closed Won, Closed Won, Closed Won, Closed Won, -, -', 'E28: customers are Closed Won and do not count');
SELECT is((SELECT string_agg(coalesce(p, '-'), ', ' ORDER BY id) FROM (SELECT id, contact_priority(customer) OVER (ORDER BY likelihood DESC, id) AS p FROM contact) AS x), 'Very High, Very High, High, High, Medium, Medium, Low, Low, Closed Won, Closed Won, Closed Won, Closed Won, -, -', '... with NULLs first too');
UPDATE contact SET customer = NULL WHERE NOT customer;
SELECT is((SELECT string_agg(coalesce(p, '-'), ', ' ORDER BY id) FROM (SELECT id, contact_priority(customer) OVER (ORDER BY likelihood DESC, id) AS p FROM contact) AS x), 'Very High, Very High, High, High, Medium, Medium, Low, Low, Closed Won, Closed Won, Closed Won, Closed Won, -, -', 'who is not known to be a customer is none');
SELECT is((SELECT string_agg(DISTINCT p, ', ') FROM (SELECT contact_priority(true) OVER (ORDER BY likelihood DESC) AS p FROM contact) AS x), 'Closed Won', 'customers only');
SELECT is((SELECT string_agg(p, ', ' ORDER BY id) FROM (SELECT id, contact_priority(false) OVER (ORDER BY likelihood DESC) AS p FROM contact WHERE likelihood IS NOT NULL) AS x), (SELECT string_agg((ARRAY['Very High', 'High', 'Medium', 'Low'])[n], ', ' ORDER BY id) FROM (SELECT id, ntile(4) OVER (ORDER BY likelihood DESC) AS n FROM contact WHERE likelihood IS NOT NULL) AS x), 'no customer: the quartiles');
SELECT is((SELECT p FROM (SELECT contact_priority(false) OVER (ORDER BY likelihood DESC) AS p FROM contact WHERE id = 8) AS x), 'Very High', 'one contact');
SELECT is((SELECT p FROM (SELECT contact_priority(NULL) OVER (ORDER BY likelihood DESC) AS p FROM contact WHERE id = 13) AS x), NULL, 'one without a likelihood');
SELECT is((SELECT count(*) FROM generate_series(1, 12) AS parts, LATERAL (SELECT contact_priority(c) OVER w AS got, (SELECT CASE WHEN c THEN 'Closed Won' WHEN l IS NULL THEN NULL ELSE (ARRAY['Very High', 'High', 'Medium', 'Low'])[n] END) AS expected
            FROM (SELECT i, part, l, c, ntile(4) OVER (PARTITION BY part, l IS NULL OR c ORDER BY l DESC, i) AS n FROM (SELECT i, i * 7919 % parts AS part, CASE WHEN i % 6 = 0 THEN NULL ELSE i * 104729 % 50 END AS l, i * 31 % 5 = 1 AS c FROM generate_series(1, 200) AS i) AS a) AS b
            WINDOW w AS (PARTITION BY part ORDER BY l DESC NULLS LAST, i)) AS x WHERE got IS DISTINCT FROM expected), 0::bigint, 'PARTITION BY with customers and NULLs anywhere');

-- Sizes as of ntile, for all small cases
CREATE TABLE small AS SELECT rows, i, i * 7919 % 101 AS score FROM generate_series(0, 40) AS rows, generate_series(1, rows) AS i;
SELECT is((SELECT count(*) FROM generate_series(1, 45) AS n, LATERAL (SELECT tier(n) OVER w AS a, ntile(n) OVER w AS b, tier(n, 'ntile') OVER w AS c FROM small WINDOW w AS (PARTITION BY rows ORDER BY score DESC, i)) AS x WHERE a <> b OR a <> c), 0::bigint, 'tier is ntile for 1 to 45 tiers of 0 to 40 rows');
SELECT is((SELECT count(*) FROM generate_series(1, 45) AS n, LATERAL (SELECT tier(n) OVER w AS a, ntile(n) OVER w AS b FROM small WINDOW w AS (PARTITION BY rows ORDER BY score, i DESC)) AS x WHERE a <> b), 0::bigint, '... in the window''s order, ASC');
SELECT is((SELECT count(*) FROM generate_series(1, 45) AS n, LATERAL (SELECT tier(n, 'together') OVER w AS a, floor(n * (rank() OVER w - 1)::numeric / count(*) OVER (PARTITION BY rows)) + 1 AS b FROM small WINDOW w AS (PARTITION BY rows ORDER BY score % 7 DESC)) AS x WHERE a <> b), 0::bigint, 'together is the share of higher scores');
SELECT is((SELECT count(*) FROM unnest('{1,2,3,4,7,40,1000}'::int[]) AS n, LATERAL (SELECT tier(n) OVER w AS a, CASE WHEN s IS NOT NULL THEN ntile(n) OVER (PARTITION BY rows, s IS NULL ORDER BY s DESC, i) END AS b FROM (SELECT rows, i, CASE WHEN (i * 31 + rows) % (rows % 5 + 1) = 0 THEN NULL ELSE score END AS s FROM small) AS d WINDOW w AS (PARTITION BY rows ORDER BY s DESC NULLS FIRST, i)) AS x WHERE a IS DISTINCT FROM b), 0::bigint, 'NULLs first do not count');
SELECT is((SELECT count(*) FROM unnest('{1,2,3,4,7,40,1000}'::int[]) AS n, LATERAL (SELECT tier(n) OVER w AS a, CASE WHEN s IS NOT NULL THEN ntile(n) OVER (PARTITION BY rows, s IS NULL ORDER BY s DESC, i) END AS b FROM (SELECT rows, i, CASE WHEN (i * 31 + rows) % (rows % 5 + 1) = 0 THEN NULL ELSE score END AS s FROM small) AS d WINDOW w AS (PARTITION BY rows ORDER BY s DESC NULLS LAST, i)) AS x WHERE a IS DISTINCT FROM b), 0::bigint, 'NULLs last do not count');
SELECT is((SELECT count(*) FROM unnest('{1,2,3,4,7,40,1000}'::int[]) AS n, LATERAL (SELECT tier(n, 'together') OVER w AS a, CASE WHEN s IS NOT NULL THEN floor(n * (rank() OVER (PARTITION BY rows, s IS NULL ORDER BY s DESC) - 1)::numeric / count(s) OVER (PARTITION BY rows)) + 1 END AS b FROM (SELECT rows, i, CASE WHEN (i * 31 + rows) % (rows % 5 + 1) = 0 THEN NULL ELSE score % 5 END AS s FROM small) AS d WINDOW w AS (PARTITION BY rows ORDER BY s DESC)) AS x WHERE a IS DISTINCT FROM b), 0::bigint, 'nor do they together');

SELECT is(pg_temp.tiers(scores::float8[], tiers, mode), expected, format('%s in %s tiers, %s', scores, tiers, mode))
  FROM (VALUES ('{5}', 4, 'ntile', '1'), ('{5}', 4, 'together', '1'), ('{5}', 1, 'ntile', '1'), ('{3,2,1}', 5, 'ntile', '1 2 3'), ('{3,2,1}', 6, 'together', '1 3 5'), ('{3,2,1}', 1000000, 'ntile', '1 2 3'), ('{NULL}', 4, 'ntile', '-'), ('{NULL,NULL,NULL}', 4, 'together', '- - -'),
    ('{NULL,1,NULL,2}', 2, 'ntile', '- 2 - 1'), ('{NULL,1}', 1, 'together', '- 1'), ('{Infinity,1,-Infinity}', 3, 'ntile', '1 2 3'), ('{NaN,1}', 2, 'ntile', '1 2'), ('{0,-0,0,-0}', 4, 'together', '1 1 1 1'), ('{7,7,7,7}', 4, 'ntile', '1 2 3 4'), ('{1,1,1,2}', 4, 'together', '2 2 2 1')) AS v (scores, tiers, mode, expected);

-- Labels
SELECT is(pg_temp.labels('{3,2,1}', '{Hot,Warm,Cold}'), 'Hot Warm Cold', 'labels');
SELECT is(pg_temp.labels('{1,2,NULL,3}', '{only}'), 'only only - only', 'one label');
SELECT is(pg_temp.labels('{2,1}', '{a,b,c}'), 'a b', 'more labels than rows');
SELECT is(pg_temp.labels('{3,2,1}', '{same,same,größe}'), 'same same größe', 'labels may repeat');
SELECT is(pg_temp.labels('{NULL}', '{a}'), '-', 'no score, no label');
SELECT is((SELECT count(*) FROM (SELECT tier((SELECT array_agg(repeat('x', 3000) || i) FROM generate_series(1, 50) AS i)) OVER w AS a, ntile(50) OVER w AS b FROM generate_series(1, 500) AS s WINDOW w AS (ORDER BY s DESC)) AS x WHERE a <> repeat('x', 3000) || b), 0::bigint, 'long labels');

-- In queries
CREATE TABLE big AS SELECT i, CASE WHEN i % 1000 = 0 THEN NULL ELSE (i * 7919::bigint) % 50021 END AS score FROM generate_series(1, 100000) AS i;
SELECT is((SELECT count(*) FROM (SELECT tier(4) OVER w AS a, CASE WHEN score IS NOT NULL THEN ntile(4) OVER (PARTITION BY score IS NULL ORDER BY score DESC, i) END AS b FROM big WINDOW w AS (ORDER BY score DESC NULLS LAST, i)) AS x WHERE a IS DISTINCT FROM b), 0::bigint, '100,000 rows');
SELECT is((SELECT count(*) FROM (SELECT tier(10, 'together') OVER w AS a, floor(10 * (rank() OVER w - 1 - 100)::numeric / 99900) + 1 AS b, score FROM big WINDOW w AS (ORDER BY score DESC NULLS FIRST)) AS x WHERE a IS DISTINCT FROM CASE WHEN score IS NOT NULL THEN b END), 0::bigint, '100,000 rows, together');
SELECT is((SELECT string_agg(format('%s %s', p, n), ', ' ORDER BY p) FROM (SELECT p, count(*) AS n FROM (SELECT contact_priority(i % 10 = 1) OVER (ORDER BY score DESC, i) AS p FROM big) AS x GROUP BY p) AS y), 'Closed Won 10000, High 22475, Low 22475, Medium 22475, Very High 22475,  100', '100,000 contacts');
SET LOCAL work_mem = '64kB';
SELECT is((SELECT count(*) FROM (SELECT tier(4) OVER w AS a, tier(4, 'together') OVER w AS c, tier('{a,b,c,d}'::text[]) OVER w AS l, contact_priority(false) OVER w AS p, ntile(4) OVER (PARTITION BY score IS NULL, i % 3 ORDER BY score DESC, i) AS b, score FROM big WINDOW w AS (PARTITION BY i % 3 ORDER BY score DESC NULLS LAST, i)) AS x
           WHERE a IS DISTINCT FROM CASE WHEN score IS NOT NULL THEN b END OR l IS DISTINCT FROM CASE WHEN score IS NOT NULL THEN chr(96 + b) END OR (p = 'Low') IS DISTINCT FROM CASE WHEN score IS NOT NULL THEN b = 4 END OR abs(c - b) > 1), 0::bigint, 'several in one window, spilled to disk');
RESET work_mem;
SELECT is((SELECT string_agg(t::text, ' ' ORDER BY t) FROM (SELECT tier(3) OVER (ORDER BY sum(score) DESC) AS t FROM (VALUES ('a', 1), ('b', 2), ('a', 3), ('c', 9)) AS v (k, score) GROUP BY k) AS x), '1 2 3', 'over aggregates');
SELECT is((SELECT array_agg(t ORDER BY i) FROM (SELECT i, tier(2) OVER (ORDER BY CASE WHEN i <> 3 THEN i END DESC) AS t FROM generate_series(1, 5) AS i) AS x), '{2,2,NULL,1,1}', 'a closed record: a score that is NULL');
SELECT is((SELECT array_agg(t ORDER BY i) FROM (SELECT i, tier(2) OVER (PARTITION BY i % 2 ORDER BY i % 2 DESC, i) AS t FROM generate_series(1, 4) AS i) AS x), '{1,1,2,2}', 'ordered by a column of the partition');
SELECT is((SELECT array_agg(t ORDER BY i) FROM (SELECT i, tier(2) OVER (ORDER BY i DESC ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS t FROM generate_series(1, 4) AS i) AS x), '{2,2,1,1}', 'a frame does not matter');
SELECT is((SELECT array_agg(t ORDER BY k, i) FROM generate_series(1, 3) AS k, LATERAL (SELECT i, tier(2) OVER (ORDER BY i DESC) AS t FROM generate_series(1, k + 1) AS i) AS x), '{2,1,2,1,1,2,2,1,1}', 'in a LATERAL, again and again');
SELECT is((SELECT array_agg(t ORDER BY i) FROM (SELECT i, tier(2) OVER w AS t, row_number() OVER w AS r FROM generate_series(1, 6) AS i WINDOW w AS (ORDER BY i DESC)) AS x WHERE r <= 4), '{2,1,1,1}', 'with the best rows only');
SELECT is((SELECT array_agg(t ORDER BY i) FROM (SELECT i, tier(4) OVER w AS t FROM generate_series(1, 6) AS i WINDOW w AS (ORDER BY i DESC) LIMIT 2) AS x), '{1,1}', 'with LIMIT');
SELECT is((SELECT count(*) FROM (SELECT tier(4) OVER (ORDER BY i) FROM generate_series(1, 5) AS i WHERE false) AS x), 0::bigint, 'no row');
SELECT is((SELECT array_agg(t ORDER BY i) FROM (SELECT i, tier(k) OVER (PARTITION BY k ORDER BY i) AS t FROM unnest('{1,2,3,4}'::int[], '{2,2,1,1}'::int[]) AS v (i, k)) AS x), '{1,2,1,1}', 'another number of tiers in each partition');
PREPARE tiers (int) AS SELECT array_agg(t ORDER BY i) FROM (SELECT i, tier($1) OVER (ORDER BY i DESC) AS t FROM generate_series(1, 4) AS i) AS x;
SELECT is(pg_temp.code('EXECUTE tiers (2)'), '00000', 'the number as a parameter');
SELECT is(pg_temp.code('EXECUTE tiers (0)'), '22014', '... checked');

-- Bad input
SELECT is(pg_temp.code(format('SELECT %s FROM generate_series(1, 3) AS i', call)), state, format('%s: %s', state, call))
  FROM (VALUES ('tier(0) OVER (ORDER BY i)', '22014'), ('tier(-1) OVER (ORDER BY i)', '22014'), ('tier(1000001) OVER (ORDER BY i)', '22014'), ('tier(2147483647) OVER (ORDER BY i)', '22014'), ('tier(-2147483648) OVER (ORDER BY i)', '22014'), ('tier(NULL::int) OVER (ORDER BY i)', '22004'), ('tier(2147483648) OVER (ORDER BY i)', '42883'),
    ('tier(0, ''together'') OVER (ORDER BY i)', '22014'), ('tier(4, ''Together'') OVER (ORDER BY i)', '22023'), ('tier(4, '''') OVER (ORDER BY i)', '22023'), ('tier(4, NULL) OVER (ORDER BY i)', '22023'), ('tier(NULL::int, ''ntile'') OVER (ORDER BY i)', '22004'),
    ('tier(''{}''::text[]) OVER (ORDER BY i)', '22023'), ('tier(ARRAY[NULL::text]) OVER (ORDER BY i)', '22023'), ('tier(''{a,NULL}''::text[]) OVER (ORDER BY i)', '22023'), ('tier(ARRAY[''a'', '''']) OVER (ORDER BY i)', '22023'), ('tier(NULL::text[]) OVER (ORDER BY i)', '22004'), ('tier(ARRAY[ARRAY[''a'', ''b''], ARRAY[''c'', ''d'']]) OVER (ORDER BY i)', '22023'), ('tier(''[2:3]={a,b}''::text[]) OVER (ORDER BY i)', '22023'), ('tier(''[-2147483648:-2147483647]={a,b}''::text[]) OVER (ORDER BY i)', '22023'),
    ('tier(4) OVER ()', '42P20'), ('tier(4, ''together'') OVER (PARTITION BY i)', '42P20'), ('tier(''{a}''::text[]) OVER ()', '42P20'), ('contact_priority(false) OVER ()', '42P20'), ('tier(4)', '42809'), ('contact_priority(true)', '42809'),
    ('tier(CASE WHEN i = 1 THEN ARRAY[''a'', ''b'', ''c''] ELSE ARRAY[''a''] END) OVER (ORDER BY i)', '22023'), ('tier(CASE WHEN i = 1 THEN ARRAY[''a'', ''b'', ''c''] END) OVER (ORDER BY i)', '22023')) AS v (call, state);
-- An operator is a way to call a window function outside of a window
CREATE OPERATOR public.#### (FUNCTION = lead_scoring.tier, RIGHTARG = integer);
CREATE OPERATOR public.#### (FUNCTION = lead_scoring.tier, LEFTARG = integer, RIGHTARG = text);
CREATE OPERATOR public.#### (FUNCTION = lead_scoring.tier, RIGHTARG = text[]);
CREATE OPERATOR public.#### (FUNCTION = lead_scoring.contact_priority, RIGHTARG = boolean);
SELECT isnt(pg_temp.code('SELECT ' || call), '00000', 'refused: ' || call) FROM (VALUES ('#### 4'), ('4 #### ''together'''), ('#### ''{a}''::text[]'), ('#### true'), ('#### NULL::boolean')) AS v (call);
SELECT is((SELECT string_agg(p.oid::regprocedure::text, ', ') FROM pg_proc AS p WHERE p.pronamespace = 'lead_scoring'::regnamespace AND p.proname IN ('tier', 'contact_priority') AND p.prokind <> 'w'), NULL, 'window functions');

SELECT * FROM finish();
ROLLBACK;
