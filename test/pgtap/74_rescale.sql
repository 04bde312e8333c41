-- rescale: linear and piecewise
BEGIN;
SET client_min_messages = warning;
SET search_path = public, lead_scoring;
SELECT plan(48);

CREATE FUNCTION pg_temp.code(statement text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN EXECUTE statement; RETURN '00000'; EXCEPTION WHEN OTHERS THEN RETURN SQLSTATE; END $$;

-- E46
SELECT is(rescale(50, true), 85::float8, 'E46: qualified');
SELECT is(rescale(50, false), 35::float8, 'E46: not qualified');
SELECT is(rescale(score, qualified), expected, format('%s, qualified: %s', score, qualified)) FROM (VALUES (0::float8, true, 71::float8), (100, true, 99), (25, true, 78), (0, false, 0), (100, false, 70), (-5, true, 71), (105, true, 99), (1000, false, 70)) AS v (score, qualified, expected);
SELECT is((SELECT count(*) FROM generate_series(0, 100) AS a, generate_series(0, 100) AS b WHERE rescale(a, true) <= rescale(b, false)), 0::bigint, 'every qualified record stands above every other');
SELECT is(rescale(50, true, 60, 80), 70::float8, 'other bounds');
SELECT is(rescale(50, false, 60, 80, 40), 20::float8, 'all other bounds');
SELECT is(rescale(50, true, best => 91), 81::float8, 'bounds by name');
SELECT is(rescale(NULL, true), NULL::float8, 'NULL score');
SELECT is(rescale(50, NULL), NULL::float8, 'NULL flag');

SELECT is(rescale(score, from_min, from_max, to_min, to_max), expected, format('%s of %s .. %s to %s .. %s', score, from_min, from_max, to_min, to_max))
  FROM (VALUES (50::float8, 0::float8, 100::float8, 0::float8, 1::float8, 0.5::float8), (0, 0, 100, 300, 850, 300), (100, 0, 100, 300, 850, 850), (5, 0, 10, -1, 1, 0), (11, 0, 10, -1, 1, 1), (-1, 0, 10, -1, 1, -1), (25, 0, 100, 100, 0, 75), (3, 0, 10, 7, 7, 7), (-30, -40, -20, 0, 10, 5), (0.3, 0.1, 0.3, 0, 0.7, 0.7),
    (0, -1.7e308, 1.7e308, 0, 1, 0.5), (1e308, -1e308, 1e308, 0, 1, 1), (0.5, 0, 1, -1.7e308, 1.7e308, 0)) AS v (score, from_min, from_max, to_min, to_max, expected);
SELECT is(rescale(s1, s2, s3, s4, s5), NULL::float8, 'a NULL') FROM (VALUES (NULL::float8, 0::float8, 1::float8, 0::float8, 1::float8), (0, NULL, 1, 0, 1), (0, 0, NULL, 0, 1), (0, 0, 1, NULL, 1), (0, 0, 1, 0, NULL)) AS v (s1, s2, s3, s4, s5);
SELECT is(pg_temp.code('SELECT rescale(' || arguments || ')'), state, format('rescale(%s): %s', arguments, state))
  FROM (VALUES ('0, 1, 1, 0, 1', '22023'), ('0, 2, 1, 0, 1', '22023'), ('''NaN'', 0, 1, 0, 1', '22003'), ('''inf'', 0, 1, 0, 1', '22003'), ('0, ''-inf'', 1, 0, 1', '22003'), ('0, 0, ''inf'', 0, 1', '22003'), ('0, 0, 1, ''NaN'', 1', '22003'), ('0, 0, 1, 0, ''inf''', '22003'), ('''NaN'', true', '22003'), ('''-inf'', false', '22003'), ('50, true, ''inf''', '22003')) AS v (arguments, state);
CREATE TABLE scored (score float8);
INSERT INTO scored SELECT i * 10 FROM generate_series(0, 10) AS i;
CREATE INDEX ON scored (rescale(score, 0, 100, 0, 1));
SELECT pass('immutable: it can be indexed');
SELECT is((SELECT count(*) FROM scored WHERE rescale(score, 0, 100, 0, 1) NOT BETWEEN 0 AND 1), 0::bigint, 'over a table');
SET search_path = pg_temp;
SELECT lead_scoring.rescale(50, true) AS away \gset
SET search_path = public, lead_scoring;
SELECT is(:away, 85, 'whatever the search path');

SELECT * FROM finish();
ROLLBACK;
