-- What the core compares itself and what PostgreSQL's executor computes give the same: every operator of every type that the
-- core knows, constants and lists, NULLs, NaN and the infinities, collations. Each condition is judged three times: as it
-- is (compiled), wrapped in IS TRUE (which the core leaves to the executor), and by plain SQL. Points are powers of two, so
-- that a total tells which conditions held.
BEGIN;
\ir include/crm.psql
SELECT plan(8);

CREATE TYPE stage AS ENUM ('lead', 'mql', 'sql', 'won');
CREATE DOMAIN small AS int CHECK (VALUE < 1000);
CREATE COLLATION blind (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE TABLE samples (
  id int PRIMARY KEY, t text, v varchar(20), c text COLLATE "C", b text COLLATE blind, i2 smallint, i4 int, i8 bigint, f4 real, f8 float8,
  o boolean, e stage, d date, ts timestamp, tz timestamptz, s small, n numeric);
INSERT INTO samples VALUES
  (1, '', '', '', '', 0, 0, 0, 0, 0, false, 'lead', '2026-01-01', '2026-01-01', '2026-01-01 00:00+00', 0, 0),
  (2, 'a', 'a', 'a', 'a', 1, 1, 1, 1.5, 1.5, true, 'mql', '2026-01-02', '2026-01-02 12:00', '2026-01-02 12:00+00', 1, 1.5),
  (3, 'B', 'B', 'B', 'B', -1, -1, -1, -1.5, -1.5, true, 'sql', '1999-12-31', '1999-12-31', '1999-12-31 00:00+00', -1, -1.5),
  (4, 'A', 'A', 'A', 'A', 32767, 2147483647, 9223372036854775807, 'infinity', 'infinity', false, 'won', 'infinity', 'infinity', 'infinity', 999, 1e20),
  (5, 'é', 'é', 'é', 'é', -32768, -2147483648, -9223372036854775808, '-infinity', '-infinity', true, 'won', '-infinity', '-infinity', '-infinity', -999, -1e20),
  (6, 'a longer text, of more than sixteen bytes', 'sixteen bytes ok', 'sixteen bytes ok!', 'É', 7, 7, 7, 'NaN', 'NaN', NULL, NULL, '2026-01-01', '2026-01-01 00:00:00.000001', '2026-01-01 00:00:00.000001+00', 7, 'NaN'),
  (7, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
  (8, 'a ', 'a ', 'a ', 'a ', 2, 2, 2, 0.1, 0.1, true, 'lead', '2026-01-03', '2026-01-03', '2026-01-03 00:00+00', 2, 0.1);

-- Columns, and for each the constants to compare with, as SQL; o: whether its order is compared too
CREATE TEMP TABLE operands (name text, constants text[]);
INSERT INTO operands VALUES
  ('t', ARRAY['''a''', '''''', '''A''', '''a longer text, of more than sixteen bytes''', '''é''::varchar']),
  ('v', ARRAY['''a''', '''sixteen bytes ok''::text', '''B''']), ('c', ARRAY['''a''', '''B''', '''sixteen bytes ok!''']), ('b', ARRAY['''a''', '''É''']),
  ('i2', ARRAY['0', '1', '-32768', '32767', '100000', '5000000000']), ('i4', ARRAY['0', '1::smallint', '-1', '2147483647', '5000000000', '1.5']),
  ('i8', ARRAY['0', '1', '9223372036854775807', '-9223372036854775808', '7::smallint', '1.5::float8']),
  ('f4', ARRAY['1.5', '0.1', '0.1::real', '''NaN''::real', '''infinity''::float8', '0::float8']),
  ('f8', ARRAY['1.5', '0.1::real', '0.1', '''NaN''', '''-infinity''', '-0.0::float8']),
  ('o', ARRAY['true', 'false']), ('e', ARRAY['''mql''', '''won''']),
  ('d', ARRAY['''2026-01-01''', '''infinity''', '''-infinity''', 'timestamp ''2026-01-01 12:00''', 'timestamptz ''2026-01-01 00:00+00''']),
  ('ts', ARRAY['''2026-01-01''', '''infinity''', 'date ''2026-01-02''', 'timestamptz ''2026-01-01 00:00+00''']),
  ('tz', ARRAY['timestamptz ''2026-01-01 00:00+00''', '''-infinity''', 'date ''2026-01-02''', 'timestamp ''2026-01-01''']),
  ('s', ARRAY['0', '1::small', '999']), ('n', ARRAY['0', '1.5', '''NaN''']), ('lower(t)', ARRAY['''a''']), ('i2 + 1', ARRAY['2', '8']), ('coalesce(i4, 7)', ARRAY['7']);

CREATE TEMP TABLE conditions AS
SELECT row_number() OVER (ORDER BY condition) - 1 AS number, condition FROM (
  SELECT DISTINCT condition FROM (
    SELECT format('%s %s %s', name, op, k) FROM operands, unnest(constants) AS k, unnest(ARRAY['=', '<>', '<', '<=', '>', '>=']) AS op
    UNION ALL SELECT format('%3$s %2$s %1$s', name, op, constants[1]) FROM operands, unnest(ARRAY['=', '<>', '<', '>=']) AS op
    UNION ALL SELECT format('%s %s (%s)', name, op, array_to_string(constants[1:2], ', ')) FROM operands, unnest(ARRAY['IN', 'NOT IN']) AS op
    UNION ALL SELECT format('%s %s (%s, NULL)', name, op, constants[1]) FROM operands, unnest(ARRAY['IN', 'NOT IN']) AS op
    UNION ALL SELECT format('%s %s', name, op) FROM operands, unnest(ARRAY['IS NULL', 'IS NOT NULL']) AS op
    UNION ALL SELECT format('NOT (%1$s = %2$s OR %1$s IS NULL)', name, constants[1]) FROM operands
    UNION ALL SELECT format('%s = %s AND NOT (%s = %s)', a.name, a.constants[1], b.name, b.constants[1]) FROM operands a, operands b WHERE b.name IN ('t', 'i4', 'f8', 'o')
    UNION ALL SELECT format('%s = %s OR %s <> %s', a.name, a.constants[1], b.name, b.constants[1]) FROM operands a, operands b WHERE b.name IN ('v', 'i8', 'tz', 'e')
    UNION ALL VALUES ('o'), ('NOT o'), ('o IS NULL'), ('o AND i4 > 0'), ('o OR NULL'), ('true'), ('false'), ('NULL::boolean'), ('t = ANY (''{}'')'), ('t <> ALL (''{}'')'),
                     ('t = ANY (''{a,B}'')'), ('i4 = ANY (''{1,7}'')'), ('i4 <> ALL (''{1,7}'')'), ('i4 BETWEEN 0 AND 7'), ('f8 BETWEEN SYMMETRIC 2 AND -2'), ('t IS DISTINCT FROM ''a''')
  ) AS all_conditions (condition)) AS q;

CREATE FUNCTION pg_temp.define(name text, form text, part int) RETURNS void LANGUAGE sql AS $$
  INSERT INTO lead_scoring.score (name, record_type, kind) VALUES (name, 'sample', 'fit');
  INSERT INTO lead_scoring.score_group (score, name, kind) VALUES (name, 'g', 'fit');
  INSERT INTO lead_scoring.rule (score, group_name, name, criterion, points)
  SELECT name, 'g', number, format(form, condition), 2 ^ (number % 25) FROM conditions WHERE number / 25 = part;
$$;
SET LOCAL TimeZone = 'UTC';
INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('sample', 'samples', 'id');
SELECT pg_temp.define('compiled ' || part, '%s', part), pg_temp.define('executed ' || part, '(%s) IS TRUE', part)
  FROM generate_series(0, (SELECT max(number) / 25 FROM conditions)::int) AS part;

CREATE TEMP TABLE compiled AS SELECT part, e.record_key::int AS id, e.total FROM generate_series(0, (SELECT max(number) / 25 FROM conditions)::int) AS part, lead_scoring.evaluate('compiled ' || part) AS e;
CREATE TEMP TABLE executed AS SELECT part, e.record_key::int AS id, e.total FROM generate_series(0, (SELECT max(number) / 25 FROM conditions)::int) AS part, lead_scoring.evaluate('executed ' || part) AS e;
CREATE TEMP TABLE plain (part int, id int, total float8);
DO $$
DECLARE
  condition record;
BEGIN
  FOR condition IN SELECT * FROM conditions LOOP
    EXECUTE format('INSERT INTO plain SELECT %s, id, CASE WHEN %s THEN %s ELSE 0 END FROM samples', condition.number / 25, condition.condition, 2 ^ (condition.number % 25));
  END LOOP;
END $$;
CREATE TEMP TABLE expected AS SELECT part, id, sum(total) AS total FROM plain GROUP BY part, id;

SELECT cmp_ok((SELECT count(*) FROM conditions), '>', 500::bigint, 'many conditions');
SELECT is_empty('(TABLE compiled EXCEPT TABLE expected) UNION ALL (TABLE expected EXCEPT TABLE compiled)', 'compiled = plain SQL');
SELECT is_empty('(TABLE executed EXCEPT TABLE expected) UNION ALL (TABLE expected EXCEPT TABLE executed)', 'executed = plain SQL');

-- The same over events, where rules are dispatched
CREATE TABLE happenings AS SELECT id AS sample, timestamptz '2026-01-01 00:00+00' AS at, x.* FROM samples, LATERAL (SELECT t, v, c, b, i2, i4, i8, f4, f8, o, e, d, ts, tz, s, n) AS x;
INSERT INTO lead_scoring.source (name, record_type, relation, record_key, occurred_at) VALUES ('happening', 'sample', 'happenings', 'sample', 'at');
CREATE FUNCTION pg_temp.define_events(name text, form text, part int) RETURNS void LANGUAGE sql AS $$
  INSERT INTO lead_scoring.score (name, record_type, kind) VALUES (name, 'sample', 'engagement');
  INSERT INTO lead_scoring.score_group (score, name, kind) VALUES (name, 'g', 'engagement');
  INSERT INTO lead_scoring.rule (score, group_name, name, source, criterion, points)
  SELECT name, 'g', number, 'happening', format(form, condition), 2 ^ (number % 25) FROM conditions WHERE number / 25 = part;
$$;
SELECT pg_temp.define_events('dispatched ' || part, '%s', part), pg_temp.define_events('together ' || part, 't = ''a'' AND (%s)', part)
  FROM generate_series(0, (SELECT max(number) / 25 FROM conditions)::int) AS part;
CREATE TEMP TABLE dispatched AS SELECT part, e.record_key::int AS id, e.total FROM generate_series(0, (SELECT max(number) / 25 FROM conditions)::int) AS part, lead_scoring.evaluate('dispatched ' || part) AS e;
CREATE TEMP TABLE together AS SELECT part, e.record_key::int AS id, e.total FROM generate_series(0, (SELECT max(number) / 25 FROM conditions)::int) AS part, lead_scoring.evaluate('together ' || part) AS e;
SELECT is_empty('(TABLE dispatched EXCEPT TABLE expected) UNION ALL (TABLE expected EXCEPT TABLE dispatched)', 'over events = plain SQL');
SELECT is_empty('(TABLE together EXCEPT SELECT part, id, CASE id WHEN 2 THEN total ELSE 0 END FROM expected)', 'beside another condition = plain SQL');

-- What may fail is computed only where the executor alone would compute it
CREATE TABLE ratios (sample int, at timestamptz, type text, a int, b int);
INSERT INTO ratios VALUES (1, '2026-01-01', 'ratio', 4, 2), (1, '2026-01-01', 'other', 4, 0), (2, '2026-01-01', 'ratio', 1, 2);
INSERT INTO lead_scoring.source (name, record_type, relation, record_key, occurred_at) VALUES ('ratio', 'sample', 'ratios', 'sample', 'at');
INSERT INTO lead_scoring.score (name, record_type, kind) VALUES ('ratio', 'sample', 'engagement');
INSERT INTO lead_scoring.score_group (score, name, kind) VALUES ('ratio', 'g', 'engagement');
INSERT INTO lead_scoring.rule (score, group_name, name, source, criterion, points) VALUES ('ratio', 'g', 'r', 'ratio', $$type = 'ratio' AND a / b = 2$$, 1);
SELECT is((SELECT sum(total) FROM lead_scoring.evaluate('ratio')), 1::float8, 'a condition behind another');
UPDATE lead_scoring.rule SET criterion = $$b <> 0 AND a / b = 2$$ WHERE score = 'ratio';
SELECT is((SELECT sum(total) FROM lead_scoring.evaluate('ratio')), 1::float8, 'a division behind its guard');
UPDATE lead_scoring.rule SET criterion = $$a / b = 2$$ WHERE score = 'ratio';
SELECT throws_ok($$SELECT * FROM lead_scoring.evaluate('ratio')$$, '22012', 'division by zero', 'and without it');

SELECT * FROM finish();
ROLLBACK;
