-- email_domain, is_free_email, keyword_hits, completeness, in_business_hours, peer_ratio
BEGIN;
\ir include/crm.psql
SET search_path = public, lead_scoring;
SELECT plan(311);

CREATE FUNCTION pg_temp.code(statement text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN EXECUTE statement; RETURN '00000'; EXCEPTION WHEN OTHERS THEN RETURN SQLSTATE; END $$;
-- The state and the hint of an error
CREATE FUNCTION pg_temp.failure(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE hint text;
BEGIN EXECUTE statement; RETURN '00000';
EXCEPTION WHEN OTHERS THEN GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT; RETURN SQLSTATE || CASE WHEN hint = '' THEN ' without a hint' ELSE '' END; END $$;

-- A text as part of the name of a test
CREATE FUNCTION pg_temp.short(given text) RETURNS text LANGUAGE sql AS $$ SELECT coalesce(quote_literal(left(regexp_replace(given, '\s+', ' ', 'g'), 60)), 'NULL') $$;

SELECT is((SELECT string_agg(format('%s %s%s%s', proname, provolatile, proparallel, proisstrict), ', ' ORDER BY proname) FROM pg_proc WHERE pronamespace = 'lead_scoring'::regnamespace AND proname IN ('email_domain', 'is_free_email', 'keyword_hits', 'completeness', 'in_business_hours', 'peer_ratio')),
  'completeness isf, email_domain ist, in_business_hours ist, is_free_email sst, keyword_hits ist, peer_ratio isf', 'volatility, parallel safety, strictness');

-- email_domain
SELECT is(email_domain(email), expected, 'domain of ' || pg_temp.short(email))
  FROM (VALUES ('ada@x.example', 'x.example'), ('Ada@X.Example', 'x.example'), (E' \t\nada@x.example \r', 'x.example'), ('Ada <ada@x.example>', 'x.example'), ('"Lovelace, Ada" <ADA@X.EXAMPLE> ', 'x.example'), ('a@x.example.', 'x.example'), ('"a b@c"@x.example', 'x.example'), ('a@localhost', 'localhost'),
    ('a@MÜNCHEN.example', 'mÜnchen.example'), ('a@xn--mnchen-3ya.example', 'xn--mnchen-3ya.example'), ('a@' || repeat('x', 253), repeat('x', 253)), ('a@' || repeat('x', 254), NULL),
    ('', NULL), (' ', NULL), ('ada', NULL), ('@x.example', NULL), ('ada@', NULL), ('a b@x.example', NULL), ('a@b@x.example', NULL), ('a@x..y', NULL), ('a@.x', NULL), ('a@x y', NULL), ('a@x.example, b@y.example', NULL), ('mailto:a@x.example', NULL), ('a@[10.0.0.1]', NULL), ('<a@x.example', NULL), ('a@x.example>', NULL), ('<>', NULL), (NULL, NULL)) AS v (email, expected);
SELECT is(email_domain(repeat('x', 10000000) || '@x.example'), 'x.example', 'of ten million bytes');
CREATE TABLE indexed (email text);
CREATE INDEX ON indexed (email_domain(email));
SELECT pass('immutable: it can be indexed');

-- is_free_email: the lists
SELECT is((SELECT count(*) FROM shipped_free_email_domain WHERE email_domain('x@' || domain) IS DISTINCT FROM domain), 0::bigint, 'what is shipped is written as it is compared');
SELECT ok(count(*) BETWEEN 60 AND 100, 'a shipped list of well-known services') FROM shipped_free_email_domain;
SELECT is((SELECT count(*) FROM free_email_domain), 0::bigint, 'nothing in the list of this database');
SELECT is(is_free_email(email), expected, 'free: ' || pg_temp.short(email))
  FROM (VALUES ('a@gmail.com', true), ('A.B@GMail.COM', true), (' a@gmail.com ', true), ('A <a@gmail.com>', true), ('a@gmail.com.', true), ('a@mail.gmail.com', false), ('a@gmail.com.example', false), ('a@xgmail.com', false), ('a@com', false), ('a@company.example', false), ('a@gmail', false),
    ('a@' || repeat('x', 253), false), ('gmail.com', NULL), ('@gmail.com', NULL), ('', NULL), ('a@gmail.com b@gmail.com', NULL), (NULL, NULL)) AS v (email, expected);
INSERT INTO free_email_domain (domain) VALUES (E' Campus.Example\n'), ('uni.example'), (E'vv\x0b');
INSERT INTO free_email_domain (domain, is_free) VALUES ('gmail.com', false), ('other.example', false);
SELECT is(is_free_email(email), expected, format('with a list of our own: %L', email))
  FROM (VALUES ('a@campus.example', true), ('a@CAMPUS.EXAMPLE', true), ('a@uni.example', true), ('a@gmail.com', false), ('a@other.example', false), ('a@gmx.net', true), ('a@company.example', false)) AS v (email, expected);
SELECT is((SELECT string_agg(domain, ' ' ORDER BY domain) FROM free_email_domain), 'campus.example gmail.com other.example uni.example vv', 'stored in lower case, without the space around it');
SELECT is(pg_temp.failure(statement), state, format('%s: %s', state, statement))
  FROM (VALUES ('INSERT INTO free_email_domain (domain) VALUES (NULL)', '22023'), ('INSERT INTO free_email_domain (domain) VALUES ('''')', '22023'), ('INSERT INTO free_email_domain (domain) VALUES (''a@x.example'')', '22023'), ('INSERT INTO free_email_domain (domain) VALUES (''@x.example'')', '22023'), ('INSERT INTO free_email_domain (domain) VALUES (''<x.example>'')', '22023'), ('INSERT INTO free_email_domain (domain) VALUES (''x y'')', '22023'),
    ('UPDATE free_email_domain SET domain = domain || ''.''', '00000'), ('UPDATE free_email_domain SET domain = ''*.example''', '22023')) AS v (statement, state);
SELECT is(pg_temp.code($$INSERT INTO free_email_domain (domain) VALUES ('Uni.example.')$$), '23505', 'the same domain in other letters');
SELECT is(pg_temp.code($$INSERT INTO free_email_domain (domain, is_free) VALUES ('x.example', NULL)$$), '23502', 'is_free is known');

-- Many calls read the list once; the answers are those of a plain join
CREATE TABLE address AS SELECT i, CASE i % 4 WHEN 0 THEN 'a@' || (SELECT array_agg(domain) FROM shipped_free_email_domain)[1 + i % 97] WHEN 1 THEN 'a@company' || i % 300 || '.example' WHEN 2 THEN 'a@UNI.example' ELSE CASE i % 5 WHEN 0 THEN NULL WHEN 1 THEN 'nobody' WHEN 2 THEN 'a@gmail.com' ELSE 'a@other.example' END END AS email FROM generate_series(1, 5000) AS i;
CREATE VIEW judged AS SELECT email, is_free_email(email) AS got, CASE WHEN email LIKE '%@%' THEN coalesce((SELECT is_free FROM free_email_domain WHERE domain = split_part(lower(email), '@', 2)), EXISTS (SELECT FROM shipped_free_email_domain WHERE domain = split_part(lower(email), '@', 2))) END AS expected FROM address;
SELECT is((SELECT count(*) FROM judged WHERE got IS DISTINCT FROM expected), 0::bigint, '5,000 addresses');
INSERT INTO free_email_domain SELECT 'company' || i || '.example', i % 3 = 0 FROM generate_series(0, 250) AS i;
INSERT INTO free_email_domain SELECT 'more' || i || '.example' FROM generate_series(1, 20000) AS i;
SELECT is((SELECT count(*) FROM judged WHERE got IS DISTINCT FROM expected), 0::bigint, '... with a long list');
SET LOCAL parallel_setup_cost = 0; SET LOCAL parallel_tuple_cost = 0; SET LOCAL min_parallel_table_scan_size = 0; SET LOCAL max_parallel_workers_per_gather = 2;
SELECT is((SELECT count(*) FROM address WHERE is_free_email(email)), (SELECT count(*) FROM judged WHERE expected), '... in parallel');
RESET parallel_setup_cost; RESET parallel_tuple_cost; RESET min_parallel_table_scan_size; RESET max_parallel_workers_per_gather;
DELETE FROM free_email_domain;

-- What was read is never older than the statement that asks, whatever keeps the call site alive
CREATE FUNCTION pg_temp.free(email text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RETURN lead_scoring.is_free_email(email); END $$;
CREATE FUNCTION pg_temp.follow(calls int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  seen text := '';
  ignored boolean;
BEGIN
  FOR i IN 1 .. calls LOOP ignored := pg_temp.free('a@x.example'); END LOOP;
  seen := seen || pg_temp.free('a@x.example');
  INSERT INTO lead_scoring.free_email_domain VALUES ('x.example');
  FOR i IN 1 .. calls LOOP ignored := pg_temp.free('a@x.example'); END LOOP;
  seen := seen || ' ' || pg_temp.free('a@x.example');
  BEGIN
    UPDATE lead_scoring.free_email_domain SET is_free = false;
    FOR i IN 1 .. calls LOOP ignored := pg_temp.free('a@x.example'); END LOOP;
    seen := seen || ' ' || pg_temp.free('a@x.example');
    RAISE EXCEPTION 'undone' USING ERRCODE = 'LS001';
  EXCEPTION WHEN SQLSTATE 'LS001' THEN
    seen := seen || ' ' || pg_temp.free('a@x.example');
  END;
  DELETE FROM lead_scoring.free_email_domain;
  RETURN seen || ' ' || pg_temp.free('a@x.example');
END $$;
SELECT is(pg_temp.follow(calls), 'false true false true false', format('after %s calls', calls)) FROM unnest('{0,1,15,16,17,100}'::int[]) AS calls;
PREPARE free (text) AS SELECT is_free_email($1);
INSERT INTO free_email_domain VALUES ('x.example');
SELECT is((SELECT string_agg(is_free_email('a@x.example')::text, ' ') FROM generate_series(1, 3)), 'true true true', 'at once');
SELECT is(pg_temp.code($$EXECUTE free ('a@x.example')$$), '00000', 'prepared');
DELETE FROM free_email_domain;
SELECT is(is_free_email('a@x.example'), false, 'gone at once');
WITH added AS (INSERT INTO free_email_domain VALUES ('x.example') RETURNING is_free_email('a@x.example') AS free) SELECT is(free, false, 'a statement does not see what it writes') FROM added;
DELETE FROM free_email_domain;

-- Who may do what
CREATE ROLE ls_helpers_user;
GRANT USAGE, CREATE ON SCHEMA public TO ls_helpers_user;
DO $$ BEGIN EXECUTE format('GRANT USAGE ON SCHEMA %I TO ls_helpers_user', (SELECT nspname FROM pg_namespace WHERE oid = pg_my_temp_schema())); END $$;
SET LOCAL ROLE ls_helpers_user;
SELECT is(is_free_email('a@gmail.com'), true, 'everybody may ask');
SELECT is(pg_temp.code(statement), state, format('anybody: %s: %s', state, statement))
  FROM (VALUES ('SELECT count(*) FROM free_email_domain', '00000'), ('SELECT count(*) FROM shipped_free_email_domain', '00000'), ('INSERT INTO free_email_domain (domain) VALUES (''x.example'')', '42501'), ('DELETE FROM free_email_domain', '42501'), ('UPDATE shipped_free_email_domain SET domain = ''x''', '42501'), ('INSERT INTO shipped_free_email_domain VALUES (''x'')', '42501'), ('SELECT check_free_email_domain()', '42501')) AS v (statement, state);
RESET ROLE;
GRANT INSERT ON free_email_domain TO ls_helpers_user;
SET LOCAL ROLE ls_helpers_user;
SELECT is(pg_temp.code($$INSERT INTO free_email_domain (domain) VALUES ('X.example')$$), '00000', 'who is granted it may write');
CREATE TABLE shipped_free_email_domain (domain text);
CREATE FUNCTION public.equal(text, text) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true';
CREATE OPERATOR public.= (LEFTARG = text, RIGHTARG = text, FUNCTION = public.equal);
SET LOCAL search_path = public, pg_catalog;
SELECT lead_scoring.is_free_email('a@company.example') AS planted, (SELECT string_agg(lead_scoring.is_free_email('a@company.example')::text, '') FROM pg_catalog.generate_series(1, 17)) AS planted_list \gset
RESET ROLE;
DROP OPERATOR public.= (text, text);
SET LOCAL search_path = public, lead_scoring;
SELECT is(:'planted' || :'planted_list', 'f' || repeat('false', 17), 'planted objects are not found');
DROP TABLE public.shipped_free_email_domain;
DELETE FROM free_email_domain;

-- keyword_hits
SELECT is(keyword_hits(body, keywords::text[]), expected, format('%s in %s', pg_temp.short(keywords), pg_temp.short(body)))
  FROM (VALUES ('What is the price? The PRICE, please.', '{price}', 2), ('prices, priceless, _price, price_, price1, 1price, pre-price', '{price}', 1), ('Price and contract: price', '{price,contract}', 3), ('price', '{price,price,PRICE}', 1), ('price', '{}', 0), ('', '{price}', 0), ('', '{}', 0), ('price', '{NULL}', 0), ('price price', '{"","  ",NULL,price}', 2),
    (E'a free\n \ttrial, free-trial, freetrial, Free Trial', '{"free trial"}', 2), ('free trial', E'{"  free \n trial "}', 1), ('the price list', '{price,"price list"}', 1), ('the price lists', '{price,"price list"}', 1), ('price list price', '{"price list","list price"}', 1), ('C++ c++11 c+++ (c++)', '{c++}', 3), ('$5 $$', '{$}', 2), ('a.b axb', '{a.b}', 1), ('(x) [y] \d *', '{"(x)","[y]","\\d",*}', 4),
    ('e-mail e-mails', '{e-mail}', 1), ('a a a a', '{"a a"}', 2), ('aaa', '{a}', 0), ('price', '{{price,list},{x,NULL}}', 1), ('[1:1] price', '[3:4]={price,x}', 1), ('price' || repeat(' ', 100000) || 'list', '{"price list"}', 1), (repeat('price ', 10000), '{price}', 10000)) AS v (body, keywords, expected);
SELECT is(keyword_hits(body, keywords::text[]), NULL, 'a NULL gives NULL') FROM (VALUES (NULL, '{a}'), ('a', NULL), (NULL, NULL)) AS v (body, keywords);
-- Letters of other alphabets, in the encoding of the database
SELECT is(keyword_hits(body, keywords::text[]), expected, format('%s in %s', pg_temp.short(keywords), pg_temp.short(body)))
  FROM (VALUES ('Die Größe, GRÖßE; größer, Übergröße', '{größe}', 2), ('ЦЕНА и цена, цены', '{Цена}', 2), ('ΛΌΓΟΣ λόγος λόγοι', '{λόγος}', 2), ('價格 合同,价格。价格表', '{价格,合同}', 2), (U&'price\00A0list price\3000list price\200Blist', '{"price list"}', 2), (U&'price\2026 \00ABprice\00BB priceé éprice', '{price}', 2), ('naïve', '{na}', 0), ('😀price😀 😀', '{price,😀}', 2), (U&'x\FFFDy', U&'{"\FFFD"}', 0), ('µ μ', '{Μ}', 2)) AS v (body, keywords, expected);
SELECT is(keyword_hits('GRÖSSE größe' COLLATE "C", '{größe}'), 1, 'COLLATE "C": as they are written');
SELECT is(keyword_hits('größe größen' COLLATE "C", '{gr}'), 2, '... where letters beyond ASCII are none');
SELECT is(keyword_hits(body COLLATE "C", '{price}'), keyword_hits(body, '{price}'), 'ASCII is the same in all collations') FROM (VALUES ('Price PRICE _price'), ('price.')) AS v (body);
-- Against regular expressions: words without spaces and signs, where both must agree
CREATE TABLE message AS SELECT i, (SELECT string_agg((ARRAY['price', 'Contract', 'prices', 'PRICE', 'ÄRGER', 'ärgern', 'ärger', 'x'])[1 + (i * 7919 + w * 104729) % 8], (ARRAY[' ', '  ', ', ', '-', '_', '.', E'\n', ''])[1 + (i * 31 + w * 17) % 8]) FROM generate_series(1, i % 40) AS w) AS body FROM generate_series(1, 2000) AS i;
SELECT is((SELECT count(*) FROM message WHERE keyword_hits(body, '{contract,ärger,price}') <> (SELECT count(*) FROM regexp_matches(body, '(?<!\w)(?:contract|ärger|price)(?!\w)', 'gi'))), 0::bigint, '2,000 messages as regular expressions find them');
SELECT ok((SELECT sum(keyword_hits(body, '{contract,ärger,price}')) FROM message) > 1000, '... many hits');
SELECT is((SELECT count(*) FROM message WHERE keyword_hits(body, ARRAY[(ARRAY['price', 'ärger', NULL, 'x'])[1 + i % 4]]) IS DISTINCT FROM CASE i % 4 WHEN 0 THEN keyword_hits(body, '{price}') WHEN 1 THEN keyword_hits(body, '{ärger}') WHEN 2 THEN 0 + keyword_hits(body, '{}') ELSE keyword_hits(body, '{x}') END), 0::bigint, 'keywords that differ from row to row');
SELECT is((SELECT count(*) FROM message WHERE keyword_hits(body, '{price}') <> keyword_hits(repeat(' ', i * 37) || body, '{price}')), 0::bigint, 'wherever a text is cut into stretches');
SELECT is((SELECT count(*) FROM generate_series(8150, 8250) AS n WHERE keyword_hits(repeat('x', n) || ' price list', '{"price list",price}') <> 1 OR keyword_hits(repeat('-', n) || 'price listx', '{"price list",price}') <> 1 OR keyword_hits(repeat('x', n) || 'price', '{price}') <> 0), 0::bigint, '... around the length of one');
SELECT is((SELECT keyword_hits(string_agg(chr(c), ''), '{price}') FROM generate_series(1, 200000) AS c WHERE c NOT BETWEEN 55296 AND 57343), 0, 'every character there is');
SELECT is((SELECT count(*) FROM generate_series(1, 65535) AS c WHERE c NOT BETWEEN 55296 AND 57343 AND (keyword_hits('price' || chr(c), '{price}') = 0) <> (chr(c) ~ '\w')), 0::bigint, 'every character beside a keyword, as \w says');
SELECT is(keyword_hits(repeat('x', 1000), ARRAY[repeat('x', 1000)]), 1, 'a keyword of 1,000 characters');
SELECT is(pg_temp.failure(format('SELECT keyword_hits(''x'', ARRAY[''a'', %L])', repeat(character, 1001))), '54000', '... and of one more') FROM unnest('{x," ",ä}'::text[]) AS character;
SELECT is(keyword_hits((SELECT string_agg('k' || i, ' ') FROM generate_series(1, 20000) AS i), (SELECT array_agg('k' || i * 2) FROM generate_series(1, 20000) AS i)), 10000, '20,000 keywords');
CREATE TABLE mails (id int, body text, subject text COLLATE "C");
INSERT INTO mails VALUES (1, repeat('no news. ', 300000) || 'price', 'price'), (2, NULL, NULL);
SELECT is((SELECT string_agg(coalesce(keyword_hits(body, '{price}')::text, '-'), ' ' ORDER BY id) FROM mails), '1 -', 'of a long text out of line');
CREATE INDEX ON mails (keyword_hits(subject, '{price}'));
SELECT pass('immutable: it can be indexed');
SELECT is(pg_temp.failure('SELECT keyword_hits(CASE WHEN id = 1 THEN body ELSE subject END, ''{price}'') FROM (SELECT id, body COLLATE "POSIX" AS body, subject FROM mails) AS m'), '42P22', 'two collations at once');
-- Collations of ICU, where the server has it
CREATE FUNCTION pg_temp.collated(expression text) RETURNS int LANGUAGE plpgsql AS $$
DECLARE hits int;
BEGIN
  IF EXISTS (SELECT FROM pg_collation WHERE collname = 'tr-x-icu') THEN EXECUTE 'SELECT ' || expression INTO hits; END IF;
  RETURN hits;
END $$;
DO $$ BEGIN IF EXISTS (SELECT FROM pg_collation WHERE collname = 'tr-x-icu') THEN CREATE COLLATION ls_no_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false); END IF; END $$;
SELECT is(pg_temp.collated(expression), CASE WHEN EXISTS (SELECT FROM pg_collation WHERE collname = 'tr-x-icu') THEN expected END, 'ICU: ' || expression)
  FROM (VALUES ($$keyword_hits('FIYAT fıyat fiyat' COLLATE "tr-x-icu", '{fıyat}')$$, 2), ($$keyword_hits('FIYAT fiyat' COLLATE "en-x-icu", '{fiyat}')$$, 2), ($$keyword_hits('STRASSE Straße' COLLATE "de-x-icu", '{straße}')$$, 1), ($$keyword_hits('Price PRICE prices' COLLATE ls_no_case, '{price}')$$, 2)) AS v (expression, expected);

-- completeness
CREATE TYPE colour AS ENUM ('', 'red');
CREATE DOMAIN filled AS text;
CREATE TYPE pair AS (a int, b text);
CREATE FUNCTION pg_temp.complete(arguments text) RETURNS float8 LANGUAGE plpgsql AS $$ DECLARE share float8; BEGIN EXECUTE format('SELECT lead_scoring.completeness(%s)', arguments) INTO share; RETURN share; END $$;
SELECT is(pg_temp.complete(value), expected::float8, format('%s: %s', expected, value))
  FROM (VALUES ('1', 1), ('NULL', 0), ('0', 1), ('false', 1), ('''''', 0), (''' ''', 0), (E'E'' \\t\\n\\x0b\\f\\r''', 0), ('''x''', 1), ('''''::text', 0), ('''  ''::varchar(5)', 0), ('''''::char(5)', 0), ('''a''::char(5)', 1), ('''''::name', 0), ('''n''::name', 1), ('''''::filled', 0), ('''x''::filled', 1), ('''''::bytea', 1), ('''''::colour', 1), ('''NaN''::float8', 1), ('''empty''::int4range', 1), ('ROW(NULL, NULL)::pair', 1), ('''infinity''::timestamptz', 1), ('U&''\00A0\3000\2003''', 0), ('U&''\200B''', 1),
    ('''{}''::text[]', 0), ('''{""}''::text[]', 1), ('''{NULL}''::int[]', 1), ('ARRAY[]::pair[]', 0), ('''1 2''::int2vector', 1), ('''''::int2vector', 0), ('NULL::text[]', 0), ('''{1}''::int[]', 1),
    ('''null''::json', 0), ('''{}''::json', 0), ('''[]''::json', 0), (''' { } ''::json', 0), ('''""''::json', 0), ('''" \u0020\n"''::json', 0), ('''[null]''::json', 1), ('''{"a": null}''::json', 1), ('''0''::json', 1), ('''false''::json', 1), ('''"x"''::json', 1),
    ('''null''::jsonb', 0), ('''{}''::jsonb', 0), ('''[]''::jsonb', 0), ('''""''::jsonb', 0), ('''" \t\u3000"''::jsonb', 0), ('''[null]''::jsonb', 1), ('''{"a": null}''::jsonb', 1), ('''0''::jsonb', 1), ('''false''::jsonb', 1), ('''"x"''::jsonb', 1), ('''[[]]''::jsonb', 1),
    ('1, NULL', 0.5), ('''a'', '''', NULL, 4', 0.5), ('NULL, NULL, NULL', 0), ('NULL::int, ''x'', now(), ''[]''::jsonb, ''{}''::int[], ''{1}''::int[], '' '', true', 0.5),
    ('VARIADIC ARRAY[''a'', NULL, '' '', ''b'']', 0.5), ('VARIADIC ''{1,NULL,3,4}''::int[]', 0.75), ('VARIADIC ARRAY[''{}'', ''{"a":1}'']::jsonb[]', 0.5), ('VARIADIC ''{{a,""},{b,c}}''::text[]', 0.75), ('VARIADIC ARRAY['''']::filled[]', 0)) AS v (value, expected);
SELECT is(completeness(VARIADIC values_given), NULL, 'no values') FROM (VALUES (NULL::text[]), ('{}')) AS v (values_given);
SELECT is(pg_temp.code('SELECT completeness()'), '42883', 'no argument at all');
SELECT is(completeness(VARIADIC ARRAY(SELECT NULLIF(i % 3, 0) FROM generate_series(1, 3000) AS i)), 2 / 3::float8, 'of 3,000 values');
CREATE TABLE long (id int, t text, j json, b jsonb, a int[]);
INSERT INTO long SELECT 1, repeat(' ', n), ('[' || repeat(' ', n) || ']')::json, to_jsonb(repeat(' ', n)), ARRAY(SELECT generate_series(1, n)) FROM (VALUES (100000)) AS v (n);
INSERT INTO long SELECT 2, t || 'x', ('[' || repeat(' ', 100000) || '1]')::json, to_jsonb(t || 'x'), a FROM long;
INSERT INTO long SELECT i, repeat(U&'\3000', n), '{}', '{}', '{}' FROM (VALUES (3, 100), (4, 5000)) AS v (i, n);
ALTER TABLE long ALTER t SET STORAGE EXTERNAL;
INSERT INTO long SELECT id + 4, repeat(t, 1), j, b, a FROM long;
SELECT is((SELECT array_agg(completeness(t, j, b, a) ORDER BY id) FROM long), '{0.25,1,0,0,0.25,1,0,0}', 'of values out of line');
CREATE INDEX ON long (completeness(id, t));
SELECT pass('immutable: it can be indexed');

-- in_business_hours
SELECT is(in_business_hours(at::timestamptz), expected, format('by default, %s', at)) FROM (VALUES ('2026-01-05 08:59:59.999999+00', false), ('2026-01-05 09:00+00', true), ('2026-01-05 16:59:59.999999+00', true), ('2026-01-05 17:00+00', false), ('2026-01-03 12:00+00', false), ('2026-01-04 12:00+00', false), ('2026-01-09 12:00+00', true), ('4714-11-24 10:00+00 BC', true), ('294276-12-29 10:00+00', true), ('infinity', false), ('-infinity', false), (NULL, NULL)) AS v (at, expected);
SELECT is(in_business_hours(at::timestamptz, zone, opens::time, closes::time, days::int[]), expected, format('%s in %s, %s to %s on %s', at, zone, opens, closes, days))
  FROM (VALUES ('2026-01-05 08:00+00', 'Europe/Berlin', '09:00', '17:00', '{1}', true), ('2026-07-06 07:00+00', 'Europe/Berlin', '09:00', '17:00', '{1}', true), ('2026-07-06 06:59+00', 'europe/berlin', '09:00', '17:00', '{1}', false), ('2026-01-05 23:00+00', 'Asia/Tokyo', '08:00', '09:00', '{2}', true), ('2026-01-05 23:00+00', 'Asia/Tokyo', '08:00', '09:00', '{1}', false), ('2026-01-05 03:15+00', 'Asia/Kathmandu', '09:00', '17:00', '{1}', true), ('2026-01-05 12:00+00', 'EST', '07:00', '07:01', '{1}', true), ('2026-01-05 12:00+00', '+03', '09:00', '09:01', '{1}', true),
    ('2026-01-05 22:00+00', 'UTC', '22:00', '06:00', '{1}', true), ('2026-01-06 05:59+00', 'UTC', '22:00', '06:00', '{1}', true), ('2026-01-06 06:00+00', 'UTC', '22:00', '06:00', '{1}', false), ('2026-01-05 05:59+00', 'UTC', '22:00', '06:00', '{1}', false), ('2026-01-05 05:59+00', 'UTC', '22:00', '06:00', '{7}', true), ('2026-01-05 00:00+00', 'UTC', '09:00', '09:00', '{1}', true), ('2026-01-05 23:59+00', 'UTC', '09:00', '09:00', '{1}', true), ('2026-01-06 08:00+00', 'UTC', '09:00', '09:00', '{1}', false),
    ('2026-01-05 23:59+00', 'UTC', '09:00', '24:00', '{1}', true), ('2026-01-05 23:59+00', 'UTC', '09:00', '00:00', '{1}', true), ('2026-01-06 00:00+00', 'UTC', '09:00', '24:00', '{1}', false), ('2026-01-05 12:00+00', 'UTC', '00:00', '24:00', '{}', false), ('2026-01-05 12:00+00', 'UTC', '00:00', '24:00', '{1,1,1}', true), ('2026-01-05 12:00+00', 'UTC', '00:00', '24:00', '{{2,1},{3,4}}', true),
    (NULL, 'UTC', '09:00', '17:00', '{1}', NULL), ('2026-01-05 12:00+00', NULL, '09:00', '17:00', '{1}', NULL), ('2026-01-05 12:00+00', 'UTC', NULL, '17:00', '{1}', NULL), ('2026-01-05 12:00+00', 'UTC', '09:00', NULL, '{1}', NULL), ('2026-01-05 12:00+00', 'UTC', '09:00', '17:00', NULL, NULL)) AS v (at, zone, opens, closes, days, expected);
SELECT is(in_business_hours('2026-01-10 12:00+00', days => '{6,7}'), true, 'days by name');
SELECT is(pg_temp.failure('SELECT in_business_hours(' || arguments || ')'), state, format('%s: %s', state, arguments))
  FROM (VALUES ('now(), ''Mars/Olympus''', '22023'), ('now(), ''''', '22023'), ('''infinity'', ''Mars/Olympus''', '22023'), ('now(), repeat(''x'', 1000)', '22023'), ('now(), ''../../etc/passwd''', '22023'), ('now(), ''UTC'', ''09:00'', ''17:00'', ''{0}''', '22023'), ('now(), days => ''{8}''', '22023'), ('now(), days => ''{1,-2147483648}''', '22023'), ('now(), days => ''{1,NULL}''', '22023'), ('''infinity'', days => ''{8}''', '22023'), ('now(), opens => ''25:00''', '22008 without a hint')) AS v (arguments, state);
SELECT is((SELECT count(*) FROM generate_series('2025-10-20 00:00+00'::timestamptz, '2026-04-10 00:00+00', '37 minutes') AS at, (VALUES ('Europe/Berlin'), ('America/New_York'), ('Asia/Kathmandu'), ('Australia/Lord_Howe')) AS z (zone), (VALUES (time '09:00', time '17:30', '{1,2,3,4,5}'::int[]), ('22:00', '06:00', '{5,6}'), ('00:00', '00:00', '{7}')) AS h (opens, closes, days)
           WHERE in_business_hours(at, zone, opens, closes, days) IS DISTINCT FROM (SELECT CASE WHEN opens = closes THEN today WHEN opens < closes THEN today AND local::time >= opens AND local::time < closes ELSE (today AND local::time >= opens) OR (yesterday AND local::time < closes) END
             FROM (SELECT at AT TIME ZONE zone AS local, extract(isodow FROM at AT TIME ZONE zone)::int = ANY (days) AS today, extract(isodow FROM (at AT TIME ZONE zone) - interval '1 day')::int = ANY (days) AS yesterday) AS l)), 0::bigint, 'half a year with changes of the clocks, in four zones');
CREATE TABLE asked (at timestamptz);
CREATE INDEX ON asked (in_business_hours(at, 'Europe/Berlin'));
SELECT pass('immutable: it can be indexed');

-- peer_ratio
CREATE FUNCTION pg_temp.ratios(given float8[]) RETURNS text LANGUAGE sql AS $$ SELECT string_agg(coalesce(r::text, '-'), ' ' ORDER BY n) FROM (SELECT n, peer_ratio(v) OVER () AS r FROM unnest(given) WITH ORDINALITY AS u (v, n)) AS x $$;
SELECT is(pg_temp.ratios(given::float8[]), expected, format('among %s', given))
  FROM (VALUES ('{1,2,3}', '0.5 1 1.5'), ('{10,20,60,NULL}', '0.3333333333333333 0.6666666666666666 2 -'), ('{NULL}', '-'), ('{NULL,NULL,5}', '- - 1'), ('{0,0}', '- -'), ('{1,-1}', '- -'), ('{1,2,-3}', '- - -'), ('{0,4}', '0 2'), ('{-1,-3}', '0.5 1.5'), ('{-1,0}', '2 0'), ('{1,3,Infinity,-Infinity,NaN}', '0.5 1.5 - - -'), ('{Infinity,NaN}', '- -'), ('{1e308,1e308,1e308}', '1 1 1'), ('{1.7e308,1.7e308,0}', '1.5 1.5 0'), ('{1e-320,3e-320}', '0.5 1.5'), ('{1e308,-1e308,1}', '3e+308 -3e+308 3'), ('{1e300,1e-300}', '2 0'), ('{0.1,0.1,0.1,0.1,0.1,0.1,0.1}', '1 1 1 1 1 1 1'), ('{4.2}', '1')) AS v (given, expected)
 WHERE given <> '{1e308,-1e308,1}';
SELECT is(pg_temp.failure('SELECT pg_temp.ratios(''{1e308,-1e308,1}'')'), '22003', 'too large a ratio');
CREATE TABLE stays AS SELECT i, i % 7 AS industry, CASE WHEN i % 11 = 0 THEN NULL WHEN i % 500 = 0 THEN 'NaN' ELSE (i * 7919::bigint % 10007) / 7.0 * power(10.0, i % 13 - 6) END::float8 AS dwell FROM generate_series(1, 20000) AS i;
SELECT is((SELECT count(*) FROM (SELECT peer_ratio(dwell) OVER (PARTITION BY industry) AS r, CASE WHEN dwell <> 'NaN' THEN dwell / (avg(dwell::numeric) FILTER (WHERE dwell <> 'NaN') OVER (PARTITION BY industry))::float8 END AS e FROM stays) AS x WHERE (r IS NULL) <> (e IS NULL) OR abs(r - e) > 1e-15 * abs(e)), 0::bigint, 'as exact arithmetic has it');
SELECT is((SELECT count(*) FROM (SELECT peer_ratio(dwell) OVER (PARTITION BY industry) AS a, peer_ratio(dwell) OVER (PARTITION BY industry ORDER BY i) AS b, peer_ratio(dwell) OVER (PARTITION BY industry ORDER BY i * 7919::bigint % 20011 DESC) AS c, peer_ratio(dwell) OVER (PARTITION BY industry ORDER BY dwell ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS d, peer_ratio(dwell) OVER (PARTITION BY industry ORDER BY i GROUPS BETWEEN CURRENT ROW AND CURRENT ROW EXCLUDE CURRENT ROW) AS e FROM stays) AS x
           WHERE a IS DISTINCT FROM b OR a IS DISTINCT FROM c OR a IS DISTINCT FROM d OR a IS DISTINCT FROM e), 0::bigint, 'no order and no frame changes a digit');
SET LOCAL work_mem = '64kB';
SELECT is((SELECT md5(string_agg(r::text, ',' ORDER BY i)) FROM (SELECT i, peer_ratio(dwell) OVER (PARTITION BY industry) AS r, row_number() OVER (PARTITION BY industry) FROM stays) AS x), (SELECT md5(string_agg(r::text, ',' ORDER BY i)) FROM (SELECT i, peer_ratio(dwell) OVER (PARTITION BY industry ORDER BY i DESC) AS r FROM stays) AS x), 'spilled to disk');
RESET work_mem;
SELECT is((SELECT array_agg(r ORDER BY k, v) FROM generate_series(1, 2) AS k, LATERAL (SELECT v, peer_ratio(v * k) OVER () AS r FROM generate_series(1, 3) AS v) AS x), '{0.5,1,1.5,0.5,1,1.5}', 'in a LATERAL, again and again');
SELECT is((SELECT count(*) FROM (SELECT peer_ratio(i) OVER () FROM generate_series(1, 5) AS i WHERE false) AS x), 0::bigint, 'no row');
SELECT is((SELECT array_agg(r) FROM (SELECT peer_ratio(sum(v)) OVER () AS r FROM (VALUES ('a', 1), ('b', 2), ('a', 2)) AS t (k, v) GROUP BY k) AS x WHERE r > 1), '{1.2}', 'over aggregates');
SELECT is((SELECT count(*) FROM (SELECT peer_ratio(random()) OVER () AS r FROM generate_series(1, 100)) AS x WHERE r < 0), 0::bigint, 'of values that vary');
SELECT is(pg_temp.code('SELECT peer_ratio(1)'), '42809', 'without a window');
CREATE OPERATOR public.#### (FUNCTION = lead_scoring.peer_ratio, RIGHTARG = float8);
SELECT isnt(pg_temp.code('SELECT #### 4::float8'), '00000', 'called as an operator');

-- In rules
INSERT INTO contacts (id, industry, job_title, email) VALUES (1, 'Retail', 'CEO', 'a@gmail.com'), (2, NULL, ' ', 'b@company.example'), (3, 'Energy', 'CTO', 'nothing'), (4, 'Energy', NULL, NULL);
INSERT INTO activities (contact_id, type, detail, amount, occurred_at) VALUES (1, 'mail', 'Please send the price list and a contract.', 10, '2026-01-30 10:00+00'), (1, 'mail', 'price, PRICE', 20, '2026-01-25 10:00+00'), (2, 'mail', 'no', 90, '2026-01-30 20:00+00'), (2, 'visit', NULL, 40, '2026-01-29 03:00+00');
CREATE VIEW compared AS SELECT contact_id, type, occurred_at, peer_ratio(amount::float8) OVER (PARTITION BY type) AS ratio FROM activities;
INSERT INTO lead_scoring.source (name, record_type, relation, record_key, occurred_at) VALUES ('compared', 'contact', 'compared', 'contact_id', 'occurred_at');
SELECT pg_temp.simple('helped', 'fit');
SELECT pg_temp.simple('helped too', 'engagement');
INSERT INTO lead_scoring.rule (score, group_name, name, criterion, points) VALUES ('helped', 'all', 'free', 'is_free_email(email)', -5), ('helped', 'all', 'company', 'NOT is_free_email(email)', 10), ('helped', 'all', 'complete', 'completeness(industry, job_title, email, regions) >= 0.5', 1);
INSERT INTO lead_scoring.rule (score, group_name, name, source, criterion, points) VALUES ('helped too', 'all', 'asks', 'activity', $$keyword_hits(detail, '{price,contract}') >= 2$$, 3), ('helped too', 'all', 'late', 'activity', $$NOT in_business_hours(occurred_at, 'Europe/Berlin')$$, 100), ('helped too', 'all', 'long', 'compared', 'ratio > 2', 1000);
SELECT is(pg_temp.totals('helped'), '1=-4 2=10 3=1 4=0', 'criteria over the record');
SELECT is(pg_temp.totals('helped too'), '1=106 2=1200 3=0 4=0', 'criteria over events');
SELECT is_empty($$SELECT * FROM pg_temp.disagreements('helped')$$, 'stored = evaluated = explained');
SELECT is_empty($$SELECT * FROM pg_temp.disagreements('helped too')$$, '... for events');
INSERT INTO free_email_domain VALUES ('company.example');
SELECT is(pg_temp.totals('helped'), '1=-4 2=-5 3=1 4=0', 'the list has changed');
SELECT isnt_empty($$SELECT * FROM lead_scoring.verify('helped', pg_temp.day())$$, '... what is stored has not');
SELECT lead_scoring.refresh('helped', pg_temp.day());
SELECT is_empty($$SELECT * FROM lead_scoring.verify('helped', pg_temp.day())$$, '... until it is refreshed');

SELECT * FROM finish();
ROLLBACK;
