-- The decay type: text and binary form, meaning, bad input
BEGIN;
SET client_min_messages = warning;
SELECT plan(107);

SELECT is(given::lead_scoring.decay::text, canonical, format('%s is written as %s', quote_literal(given), canonical))
  FROM (VALUES
    ('50% per month', '50% per 30 days'), ('50% per 30 days', '50% per 30 days'), ('50 % per month', '50% per 30 days'), ('  50%  per  month  ', '50% per 30 days'),
    ('50% PER Month', '50% per 30 days'), ('50% per 1 month', '50% per 30 days'), ('100% per 3 months', '100% per 90 days'), ('50% per 6 months', '50% per 180 days'), ('50% per year', '50% per 360 days'),
    ('50% per 2 weeks', '50% per 14 days'), ('50% per week', '50% per 7 days'), ('50% per day', '50% per 1 day'), ('50% per 1 day', '50% per 1 day'),
    ('20% per 72 hours exponential', '20% per 3 days exponential'), ('20% per 3 days exponential', '20% per 3 days exponential'), ('20% per 21 days exponential', '20% per 21 days exponential'),
    ('half-life 7 days', 'half-life 7 days'), ('half-life 1 week', 'half-life 7 days'), ('Half-Life 36 hours', 'half-life 1 day 12 hours'), ('50% per 7 days exponential', 'half-life 7 days'),
    ('50% per 30 days stepwise', '50% per 30 days stepwise'), ('50% per month stepwise after 3 days', '50% per 30 days stepwise after 3 days'), ('50% per month after 72 hours', '50% per 30 days after 3 days'),
    ('half-life 7 days after 3 days', 'half-life 7 days after 3 days'),
    ('12.5% per 5 days', '12.5% per 5 days'), ('0.1% per 1 second', '0.1% per 1 second'), ('33.3% per 10 days', '33.3% per 10 days'), ('50.0% per 30 days', '50% per 30 days'), ('50% per 90 minutes', '50% per 1 hour 30 minutes')) AS v (given, canonical);

-- Texts that mean the same are equal, of others none are
CREATE TABLE meaning (id int, text text);
INSERT INTO meaning VALUES
  (1, '50% per month'), (1, '50% per 30 days'), (1, '50.00% per 720 hours'), (1, '50% per 43200 minutes'), (2, '50% per month stepwise'), (3, '50% per month exponential'), (3, 'half-life 30 days'), (3, 'half-life 1 month'),
  (4, '50% per 31 days'), (5, '51% per 30 days'), (6, '50% per month after 1 day'), (6, '50% per month after 24 hours'), (7, '50% per month after 1 second'), (8, 'half-life 30 days after 1 day'), (9, '50% per month stepwise after 1 day'), (10, '5% per 3 days');
SELECT is((SELECT count(*) FROM meaning AS a, meaning AS b WHERE (a.id = b.id) IS DISTINCT FROM (a.text::lead_scoring.decay OPERATOR(lead_scoring.=) b.text::lead_scoring.decay)), 0::bigint, '= holds where the meaning is the same');
SELECT is((SELECT count(*) FROM meaning AS a, meaning AS b WHERE (a.id = b.id) IS DISTINCT FROM (a.text::lead_scoring.decay::text = b.text::lead_scoring.decay::text)), 0::bigint, 'equal decays have equal texts');
SELECT is((SELECT count(*) FROM meaning AS a, meaning AS b WHERE (a.id <> b.id) IS DISTINCT FROM (a.text::lead_scoring.decay OPERATOR(lead_scoring.<>) b.text::lead_scoring.decay)), 0::bigint, '<> is not =');
SELECT is((SELECT count(*) FROM meaning AS a, meaning AS b, LATERAL (SELECT a.text::lead_scoring.decay AS x, b.text::lead_scoring.decay AS y) AS d
            WHERE (x OPERATOR(lead_scoring.<) y)::int + (x OPERATOR(lead_scoring.=) y)::int + (x OPERATOR(lead_scoring.>) y)::int <> 1
               OR (x OPERATOR(lead_scoring.<=) y) <> ((x OPERATOR(lead_scoring.<) y) OR (x OPERATOR(lead_scoring.=) y))
               OR (x OPERATOR(lead_scoring.>=) y) <> ((x OPERATOR(lead_scoring.>) y) OR (x OPERATOR(lead_scoring.=) y))
               OR (x OPERATOR(lead_scoring.<) y) <> (y OPERATOR(lead_scoring.>) x)), 0::bigint, 'exactly one of <, =, > holds');
SELECT is((SELECT count(*) FROM meaning AS a, meaning AS b, meaning AS c, LATERAL (SELECT a.text::lead_scoring.decay AS x, b.text::lead_scoring.decay AS y, c.text::lead_scoring.decay AS z) AS d
            WHERE (x OPERATOR(lead_scoring.<=) y) AND (y OPERATOR(lead_scoring.<=) z) AND NOT (x OPERATOR(lead_scoring.<=) z)), 0::bigint, '<= is transitive');
SELECT is((SELECT count(DISTINCT text::lead_scoring.decay) FROM meaning), 10::bigint, 'DISTINCT');
SELECT is((SELECT count(*) FROM (SELECT text::lead_scoring.decay FROM meaning GROUP BY 1) AS g), 10::bigint, 'GROUP BY');
SELECT is((SELECT count(*) FROM (SELECT text::lead_scoring.decay AS d FROM meaning ORDER BY d) AS o), 16::bigint, 'ORDER BY');

-- The text of a value is itself input for the same value
SELECT is((SELECT count(*) FROM meaning WHERE text::lead_scoring.decay::text::lead_scoring.decay OPERATOR(lead_scoring.<>) text::lead_scoring.decay), 0::bigint, 'text round trip');
CREATE FUNCTION pg_temp.comes_back(text) RETURNS bool LANGUAGE plpgsql AS $$
BEGIN
  RETURN $1::lead_scoring.decay::text::lead_scoring.decay OPERATOR(lead_scoring.=) $1::lead_scoring.decay;
EXCEPTION WHEN OTHERS THEN
  RETURN false;
END
$$;
SELECT is((SELECT string_agg(t, '; ') FROM (SELECT format('%s%% per %s seconds%s', p, s, f) AS t
      FROM unnest(ARRAY['0.00001', '0.001', '0.1', '1', '33.333333333333336', '99.99999', '15.25']) AS p, unnest(ARRAY['1', '59', '60', '61', '3599', '86399', '86400', '90061', '0.000001', '1.5', '31104000', '1000000000']) AS s,
           unnest(ARRAY['', ' stepwise', ' exponential', ' after 1 second', ' exponential after 90061 seconds']) AS f) AS x WHERE NOT pg_temp.comes_back(t)), NULL, 'text round trip of odd numbers');

-- Binary form
CREATE TABLE sent (id int, d lead_scoring.decay);
INSERT INTO sent SELECT id, text::lead_scoring.decay FROM meaning;
SELECT is((SELECT count(*) FROM sent WHERE octet_length(lead_scoring.decay_send(d)) <> octet_length(lead_scoring.decay_send('50% per month'))), 0::bigint, 'the binary form has one length');
SELECT is((SELECT count(DISTINCT lead_scoring.decay_send(d)) FROM sent), 10::bigint, 'equal decays have equal binary forms');
CREATE TABLE received (LIKE sent);
\copy sent TO PROGRAM 'cat >/dev/null' WITH (FORMAT binary)
SELECT pass('COPY BINARY out');
CREATE FUNCTION pg_temp.copy_binary() RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  -- the server's own files: superusers only, which tests are
  EXECUTE format('COPY sent TO %L (FORMAT binary)', current_setting('data_directory') || '/lead_scoring_decay.bin');
  EXECUTE format('COPY received FROM %L (FORMAT binary)', current_setting('data_directory') || '/lead_scoring_decay.bin');
  RETURN (SELECT string_agg(s.d::text, '; ') FROM sent AS s FULL JOIN received AS r ON r.id = s.id AND r.d OPERATOR(lead_scoring.=) s.d WHERE s.id IS NULL OR r.id IS NULL);
END
$$;
SELECT is(pg_temp.copy_binary(), NULL, 'COPY BINARY out and in again gives the same values');
SELECT is((SELECT count(*) FROM received), 16::bigint, 'all of them');

-- Hostile binary input: each byte of a good value replaced, and each prefix. It is a decay or an error, never anything else.
CREATE FUNCTION pg_temp.receive(bytes bytea) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  d lead_scoring.decay;
BEGIN
  PERFORM pg_temp.write_binary(bytes);
  DELETE FROM received;
  EXECUTE format('COPY received (d) FROM %L (FORMAT binary)', current_setting('data_directory') || '/lead_scoring_hostile.bin');
  SELECT r.d INTO d FROM received AS r;
  RETURN CASE WHEN d::text::lead_scoring.decay OPERATOR(lead_scoring.=) d THEN 'a decay' ELSE 'not a decay: ' || d::text END;
EXCEPTION WHEN OTHERS THEN
  RETURN CASE WHEN SQLSTATE IN ('22P02', '22023', '22P03', '08P01', '22003') THEN 'refused' ELSE SQLSTATE || ' ' || SQLERRM END;
END
$$;
-- A COPY BINARY file of one row with one field
CREATE FUNCTION pg_temp.write_binary(bytes bytea) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  content bytea := '\x5047434f50590aff0d0a0000000000000000000001'::bytea || int4send(octet_length(bytes)) || bytes || '\xffff'::bytea;
  object oid;
BEGIN
  object := lo_from_bytea(0, content);
  PERFORM lo_export(object, current_setting('data_directory') || '/lead_scoring_hostile.bin');
  PERFORM lo_unlink(object);
END
$$;
SELECT is(pg_temp.receive(lead_scoring.decay_send(d)), 'a decay', 'a good value is received: ' || d::text) FROM (SELECT DISTINCT d FROM sent) AS s ORDER BY d::text LIMIT 3;
SELECT is((SELECT string_agg(DISTINCT r, '; ') FROM (SELECT pg_temp.receive(set_byte(b, i, v)) AS r FROM (SELECT lead_scoring.decay_send('50% per month after 1 day') AS b) AS s, generate_series(0, octet_length(b) - 1) AS i, unnest(ARRAY[0, 1, 127, 128, 255]) AS v) AS x
           WHERE r NOT IN ('a decay', 'refused')), NULL, 'any byte replaced: a decay or refused');
SELECT is((SELECT string_agg(DISTINCT r, '; ') FROM (SELECT pg_temp.receive(substr(b, 1, i)) AS r FROM (SELECT lead_scoring.decay_send('50% per month after 1 day') AS b) AS s, generate_series(0, octet_length(b) - 1) AS i) AS x
           WHERE r <> 'refused'), NULL, 'any prefix: refused');
SELECT is(pg_temp.receive(lead_scoring.decay_send('50% per month') || '\x00'), 'refused', 'a byte too many: refused');

-- Bad text
SELECT throws_ok(format('SELECT %L::lead_scoring.decay', given), '22P02', NULL, format('%s is refused: not a decay', quote_literal(left(given, 40))))
  FROM (VALUES (1, ''), (2, ' '), (3, '50%'), (4, '50'), (5, 'per month'), (6, '50% month'), (7, '50 per month'), (8, '50% per'), (9, '50% per fortnight'), (10, '50% per month month'), (11, '50% per month stepwise exponential'),
    (12, 'x% per month'), (13, '50% per month after'), (14, 'after 3 days'), (15, 'half-life'), (16, 'half-life 50%'), (17, 'halflife 7 days'), (18, '50% per month; DROP TABLE x'), (19, '50% per month after 3 days after 3 days'),
    (20, '50%% per month'), (21, '5 0% per month'), (22, '0x10% per month'), (23, '50% per 30'), (24, '50% per days 30'), (25, repeat('x', 100000)), (26, 'größe'), (27, '50% per month '' '), (28, 'half-life 7 days stepwise'), (29, '--50% per month'), (30, '50% per month stepwise stepwise')) AS v (i, given) ORDER BY i;
SELECT throws_matching(format('SELECT %L::lead_scoring.decay', given), '.', format('%s is refused', quote_literal(given)))
  FROM (VALUES (1, 'NaN% per month'), (2, 'inf% per month'), (3, '1e999% per month'), (4, '50% per 1e400 days'), (5, '50% per infinity'), (6, '50% per NaN days'), (7, '50% per inf days')) AS v (i, given) ORDER BY i;
CREATE FUNCTION pg_temp.code(statement text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN EXECUTE statement; RETURN '00000'; EXCEPTION WHEN OTHERS THEN RETURN SQLSTATE; END $$;
SELECT ok(pg_temp.code(format('SELECT %L::lead_scoring.decay', given)) IN ('22023', '22P02', '22003', '22008'), format('%s is refused: out of range (%s)', quote_literal(given), pg_temp.code(format('SELECT %L::lead_scoring.decay', given))))
  FROM (VALUES (1, '0% per month'), (2, '-50% per month'), (3, '100.0001% per month'), (4, '150% per month stepwise'), (5, '100% per month exponential'), (6, '101% per month exponential'), (7, '50% per 0 days'), (8, '50% per -1 days'), (9, 'half-life 0 days'), (10, 'half-life -7 days'),
    (11, '50% per month after -1 days'), (12, '50% per 1e18 days'), (13, '50% per 999999999999999999999 years'), (14, 'half-life 100000 years'), (15, '50% per month after 1e17 years'), (16, '50% per 0.0000001 seconds'), (17, '50% per month after 0 days')) AS v (i, given) ORDER BY i;

SELECT ok((SELECT NULL::text::lead_scoring.decay IS NULL), 'NULL is NULL');
SELECT is((SELECT string_agg(p.proname, ', ') FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace WHERE n.nspname = 'lead_scoring' AND p.proname LIKE 'decay\_%'
             AND p.proname NOT IN ('decay_sum', 'decay_sum_trans', 'decay_count', 'decay_count_trans') AND (p.provolatile <> 'i' OR NOT p.proisstrict OR p.proparallel <> 's')),
  NULL, 'all functions of the type are immutable, strict and parallel safe');
SELECT is((SELECT string_agg(p.proname, ', ' ORDER BY p.proname) FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace WHERE n.nspname = 'lead_scoring'
             AND p.proname IN ('decay_sum', 'decay_sum_trans', 'decay_count', 'decay_count_trans') AND p.provolatile = 'i' AND NOT p.proisstrict AND p.proparallel = 's'),
  'decay_count, decay_count_trans, decay_sum, decay_sum_trans', 'the aggregates and their transitions are immutable and parallel safe, and take rows with a NULL');

SELECT * FROM finish();
ROLLBACK;
