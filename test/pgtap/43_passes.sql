-- The same scores whatever the memory and however many processes read: shares of the records in passes, parallel scans,
-- both at once; for each kind of key, against plain SQL.
BEGIN;
\ir include/crm.psql
SELECT plan(27);

CREATE TABLE people (id bigint PRIMARY KEY, number uuid NOT NULL UNIQUE, name text NOT NULL UNIQUE, size int);
INSERT INTO people
SELECT g::bigint * 1000003 % 100000007, md5(g::text)::uuid, 'person number ' || g * 31, g % 100 FROM generate_series(1, 40000) g;
CREATE TABLE visits (id bigint, number uuid, name text, type text, occurred_at timestamptz, amount float8);
INSERT INTO visits
SELECT p.id, p.number, p.name, (ARRAY['a', 'b', 'c'])[1 + (p.size + n) % 3], timestamptz '2026-01-31 00:00+00' - (p.size + n) * interval '13 hours', n
  FROM people p, generate_series(1, 2) n;
ANALYZE people;
ANALYZE visits;

-- A score over each kind of key, with rules that sum, count, roll up and log
CREATE FUNCTION pg_temp.define(key name) RETURNS void LANGUAGE sql AS $$
  INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('by ' || key, 'people', key);
  INSERT INTO lead_scoring.source (name, record_type, relation, record_key, occurred_at) VALUES ('visit', 'by ' || key, 'visits', key, 'occurred_at');
  INSERT INTO lead_scoring.score (name, record_type, kind) VALUES (key, 'by ' || key, 'combined');
  INSERT INTO lead_scoring.score_group (score, name, kind, decay) VALUES (key, 'who', 'fit', NULL), (key, 'plain', 'engagement', NULL), (key, 'fading', 'engagement', 'half-life 10 days');
  INSERT INTO lead_scoring.rule (score, group_name, name, source, criterion, points, counting, at_least, value, rollup, max_times) VALUES
    (key, 'who', 'large', NULL, 'size >= 50', 10, NULL, NULL, NULL, 'sum', NULL),
    (key, 'plain', 'both', 'visit', 'true', 5, 'once', 2, NULL, 'sum', NULL),
    (key, 'plain', 'greatest', 'visit', 'true', 1, 'each', NULL, 'amount', 'max', NULL),
    (key, 'fading', 'a', 'visit', $c$type = 'a'$c$, 3, 'each', NULL, NULL, 'sum', NULL),
    (key, 'fading', 'newest', 'visit', 'true', 7, 'each', NULL, NULL, 'sum', 1);
  INSERT INTO lead_scoring.adjustment (score, record_key, points, created_at)
  SELECT key, CASE key WHEN 'id' THEN id::text WHEN 'number' THEN number::text ELSE name END, 100, '2026-01-01' FROM people WHERE size = 7;
$$;
SELECT pg_temp.define('id'), pg_temp.define('number'), pg_temp.define('name');

CREATE TEMP TABLE expected AS
SELECT p.id::text, p.number::text, p.name, round((CASE WHEN p.size >= 50 THEN 10 ELSE 0 END + 5 + 2 + CASE WHEN p.size = 7 THEN 100 ELSE 0 END
         + coalesce(sum(3 * power(0.5::float8, (p.size + n) * 13 / 240.0)) FILTER (WHERE (p.size + n) % 3 = 0), 0)
         + 7 * power(0.5::float8, (p.size + 1) * 13 / 240.0))::numeric, 4)::float8 AS total
  FROM people p, generate_series(1, 2) n GROUP BY p.id;

-- How many records differ from plain SQL
CREATE FUNCTION pg_temp.differences(key name) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  differences bigint;
BEGIN
  EXECUTE format('SELECT count(*) FROM lead_scoring.evaluate(%L, ''2026-01-31 00:00+00'') e FULL JOIN expected x ON x.%I = e.record_key
                   WHERE e.total IS NULL OR x.total IS NULL OR abs(e.total - x.total) > 1.5e-4', key, key) INTO differences;
  RETURN differences;
END $$;

SELECT is(pg_temp.differences('id'), 0::bigint, 'integers: in one go');
SELECT is(pg_temp.differences('number'), 0::bigint, 'uuids: in one go');
SELECT is(pg_temp.differences('name'), 0::bigint, 'texts: in one go');
CREATE TEMP TABLE whole AS SELECT * FROM lead_scoring.evaluate('name', '2026-01-31 00:00+00');

SET LOCAL lead_scoring.work_mem = '4MB';
SELECT is(pg_temp.differences('id'), 0::bigint, 'integers: in passes');
SELECT is(pg_temp.differences('number'), 0::bigint, 'uuids: in passes');
SELECT is(pg_temp.differences('name'), 0::bigint, 'texts: in passes');
SELECT is_empty($$(TABLE whole EXCEPT ALL SELECT * FROM lead_scoring.evaluate('name', '2026-01-31 00:00+00'))
                  UNION ALL (SELECT * FROM lead_scoring.evaluate('name', '2026-01-31 00:00+00') EXCEPT ALL TABLE whole)$$,
                'texts: the same to the last digit in passes');

-- Half of them, chosen from what is read through: how many differ of how many, and whether the events were read more than once
CREATE FUNCTION pg_temp.half(key name) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  before bigint := pg_stat_get_xact_numscans('visits'::regclass);
  found text;
BEGIN
  EXECUTE format('SELECT count(*) FILTER (WHERE e.total IS NULL OR x.total IS NULL OR abs(e.total - x.total) > 1.5e-4) || '' of '' || count(*)
                    FROM lead_scoring.evaluate(%L, ''2026-01-31 00:00+00'', (SELECT array_agg(%I) FROM expected WHERE name < ''person number 7'')) e
                    FULL JOIN (SELECT * FROM expected WHERE name < ''person number 7'') x ON x.%I = e.record_key', key, key, key) INTO found;
  RETURN found || CASE WHEN pg_stat_get_xact_numscans('visits'::regclass) - before > 1 THEN ' in passes' ELSE ' at once' END;
END $$;
SELECT is(pg_temp.half(k), (SELECT '0 of ' || count(*) || ' in passes' FROM expected WHERE name < 'person number 7'), k || ': half of them, in passes') FROM unnest('{id,number,name}'::name[]) k;
RESET lead_scoring.work_mem;

SET LOCAL min_parallel_table_scan_size = 0;
SET LOCAL max_parallel_workers_per_gather = 2;
SELECT is(pg_temp.differences('id'), 0::bigint, 'integers: in parallel');
SELECT is(pg_temp.differences('number'), 0::bigint, 'uuids: in parallel');
SELECT is(pg_temp.differences('name'), 0::bigint, 'texts: in parallel');
SELECT is_empty($$(TABLE whole EXCEPT ALL SELECT * FROM lead_scoring.evaluate('name', '2026-01-31 00:00+00'))
                  UNION ALL (SELECT * FROM lead_scoring.evaluate('name', '2026-01-31 00:00+00') EXCEPT ALL TABLE whole)$$,
                'texts: the same to the last digit in parallel');

SET LOCAL lead_scoring.work_mem = '4MB';
SELECT is(pg_temp.differences('id'), 0::bigint, 'integers: in parallel passes');
SELECT is(pg_temp.differences('number'), 0::bigint, 'uuids: in parallel passes');
SELECT is(pg_temp.differences('name'), 0::bigint, 'texts: in parallel passes');
SELECT is((SELECT count(*) FROM lead_scoring.evaluate('id', '2026-01-31 00:00+00', ARRAY(SELECT id::text FROM people WHERE size = 3))), 400::bigint,
          'keys: some records, however many passes');

-- Where one record does not fit, it is said
CREATE TABLE clicks (id bigint, occurred_at timestamptz);
INSERT INTO clicks SELECT 1000003, timestamptz '2026-01-01 00:00+00' + g * interval '1 second' FROM generate_series(1, 300000) g;
INSERT INTO lead_scoring.source (name, record_type, relation, record_key, occurred_at) VALUES ('click', 'by id', 'clicks', 'id', 'occurred_at');
INSERT INTO lead_scoring.rule (score, group_name, name, source, points, max_times) VALUES ('id', 'fading', 'click', 'click', 1, 1000);
SELECT throws_ok($$SELECT * FROM lead_scoring.evaluate('id', '2026-01-31 00:00+00')$$, '53200',
                 'what a single record of score "id" needs does not fit into lead_scoring.work_mem', 'a record too large for the memory');
SET LOCAL lead_scoring.work_mem = '64MB';
SELECT is((SELECT matched FROM lead_scoring.explain('id', '1000003', '2026-01-31 00:00+00') WHERE rule = 'click'), 300000::bigint, 'and fits into more');
SELECT throws_ok($$SET LOCAL lead_scoring.work_mem = '1MB'$$, '22023', NULL, 'the least memory is 4 MB');
RESET lead_scoring.work_mem;

-- Functions that must not run in parallel keep a source from being read so
CREATE FUNCTION is_a(type text) RETURNS boolean IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN RETURN type = 'a'; END $$;
UPDATE lead_scoring.rule SET criterion = 'is_a(type)' WHERE name = 'a' AND score = 'number';
SELECT is(pg_temp.differences('number'), 0::bigint, 'a criterion that is not parallel safe');

-- What fails in another process is said as here, whichever of them comes upon it
CREATE FUNCTION pg_temp.failure() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  state text;
  context text;
BEGIN
  PERFORM FROM lead_scoring.evaluate('name', '2026-01-31 00:00+00');
  RETURN 'none';
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, context = PG_EXCEPTION_CONTEXT;
  RETURN state || ' ' || (regexp_match(context, '(criterion of rule .*?)(?:\n|$)'))[1];
END $$;
UPDATE lead_scoring.rule SET criterion = $$CASE WHEN name = 'person number 31000' THEN 1 / (amount - amount)::int ELSE 1 END = 1$$ WHERE name = 'a' AND score = 'name';
SELECT is(pg_temp.failure(), '22012 criterion of rule "a" of score "name", record "person number 31000"', 'an error of a helper names the rule and the record');
SELECT is(pg_temp.failure(), '22012 criterion of rule "a" of score "name", record "person number 31000"', '... again and again');
UPDATE lead_scoring.rule SET criterion = $$type = 'a'$$ WHERE name = 'a' AND score = 'name';
SELECT is(pg_temp.differences('name'), 0::bigint, '... and leaves nothing behind');

-- An evaluation within an evaluation
CREATE FUNCTION many() RETURNS bigint STABLE LANGUAGE sql AS $$ SELECT count(*) FROM lead_scoring.evaluate('id', '2026-01-31 00:00+00', ARRAY['1000003']) $$;
DELETE FROM lead_scoring.rule WHERE score = 'number' AND group_name <> 'who';
DELETE FROM people WHERE id <> 1000003;
UPDATE lead_scoring.rule SET criterion = 'many() = 1' WHERE score = 'number';
SET LOCAL lead_scoring.work_mem = '64MB';
SELECT is((SELECT fit FROM lead_scoring.evaluate('number', '2026-01-31 00:00+00')), 10::float8, 'a criterion that evaluates another score');
SELECT is((SELECT count(*) FROM lead_scoring.progress WHERE pid = pg_backend_pid()), 0::bigint, '... after which no report is left');

SELECT * FROM finish();
ROLLBACK;
