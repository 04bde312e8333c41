-- Limits, adjustments, scope, rounding, NULL, as_of: decisions D1 to D29 beyond the examples
BEGIN;
\ir include/crm.psql
SELECT plan(65);

-- D1: limits, negative and on one side only
INSERT INTO contacts (id, employees) SELECT i, 10 * i FROM generate_series(1, 5) AS i;
INSERT INTO lead_scoring.score (name, record_type, kind, min_points, max_points) VALUES ('limits', 'contact', 'fit', -15, 30);
INSERT INTO lead_scoring.score_group (score, name, kind, min_points, max_points) VALUES ('limits', 'a', 'fit', -10, -5), ('limits', 'b', 'fit', NULL, 20), ('limits', 'c', 'fit', 0, NULL), ('limits', 'd', 'fit', 3, 4);
INSERT INTO lead_scoring.rule (score, group_name, name, criterion, points) VALUES
  ('limits', 'a', 'a1', 'employees = 10', -100), ('limits', 'a', 'a2', 'employees = 20', -7), ('limits', 'b', 'b3', 'employees = 30', 50), ('limits', 'b', 'b4', 'employees = 40', -50), ('limits', 'c', 'c5', 'employees = 50', 100), ('limits', 'c', 'c1', 'employees = 10', -100);
SELECT results_eq($$SELECT record_key, fit, total FROM lead_scoring.evaluate('limits', pg_temp.day()) ORDER BY 1$$,
  $$VALUES ('1', -7::float8, -7::float8), ('2', -4, -4), ('3', 18, 18), ('4', -52, -15), ('5', 98, 30)$$, 'D1: group limits, negative and on one side, then the total''s');
SELECT is_empty($$SELECT * FROM pg_temp.disagreements('limits')$$, 'limits: stored = evaluated = explained');
SELECT results_eq($$SELECT level, group_name, rule, matched, raw, decayed, CASE level WHEN 'group' THEN clamped END FROM lead_scoring.explain('limits', '1', pg_temp.day()) WHERE matched > 0 OR level = 'group' ORDER BY step$$,
  $$SELECT * FROM (VALUES ('rule', 'a', 'a1', 1::bigint, -100::float8, -100::float8, NULL::float8), ('group', 'a', NULL, NULL, -100, -100, -10), ('group', 'b', NULL, NULL, 0, 0, 0), ('rule', 'c', 'c1', 1, -100, -100, NULL), ('group', 'c', NULL, NULL, -100, -100, 0),
     ('group', 'd', NULL, NULL, 0, 0, 3)) AS v$$, 'D1: explain shows each sum before and after its limits');

-- adjustments
SELECT pg_temp.simple('adjusted', 'fit');
UPDATE lead_scoring.score SET max_points = 100, min_points = -50 WHERE name = 'adjusted';
INSERT INTO lead_scoring.rule (score, group_name, name, criterion, points) VALUES ('adjusted', 'all', 'r', 'employees >= 20', 40);
INSERT INTO lead_scoring.adjustment (score, record_key, points, reason, author, created_at, expires_at) VALUES
  ('adjusted', '1', 5, 'known', 'alice', '2026-01-01 UTC', NULL), ('adjusted', '2', 25, 'called', 'bob', '2026-01-01 UTC', '2026-02-01 UTC'), ('adjusted', '2', -10, NULL, 'bob', '2026-01-15 UTC', NULL),
  ('adjusted', '3', 500, NULL, 'bob', '2026-01-01 UTC', '2026-01-31 00:00 UTC'), ('adjusted', '4', 500, NULL, 'bob', '2026-01-31 00:00 UTC', NULL), ('adjusted', '5', -500, NULL, 'bob', '2026-01-01 UTC', '2026-01-31 00:00:00.000001 UTC');
SELECT is(pg_temp.totals('adjusted'), '1=5 2=55 3=40 4=100 5=-50', 'D24: adjustments in force from created_at up to expires_at, then the total limit');
SELECT is(pg_temp.totals('adjusted', '2025-12-31 UTC'), '1=0 2=40 3=40 4=40 5=40', 'D24: none before they were made');
SELECT is(pg_temp.totals('adjusted', '2026-01-31 00:00:00.000001 UTC'), '1=5 2=55 3=40 4=100 5=40', 'D24: one has expired');
SELECT is(pg_temp.totals('adjusted', '2026-02-01 UTC'), '1=5 2=30 3=40 4=100 5=40', 'D24: and another');
SELECT is((SELECT fit FROM lead_scoring.evaluate('adjusted', pg_temp.day(), ARRAY['2'])), 40::float8, 'D24: the part is without adjustment');
SELECT results_eq($$SELECT sum(clamped), count(*) > 0 FROM lead_scoring.explain('adjusted', '2', pg_temp.day()) WHERE level = 'adjustment'$$, $$VALUES (15::float8, true)$$, 'D24: explain shows them');
SELECT is_empty($$SELECT * FROM pg_temp.disagreements('adjusted')$$, 'adjusted: stored = evaluated = explained');
INSERT INTO lead_scoring.adjustment (score, record_key, points) VALUES ('adjusted', '99', 7);
SELECT is((SELECT count(*) FROM lead_scoring.evaluate('adjusted', pg_temp.day())), 5::bigint, 'an adjustment of a record that does not exist makes no record');
INSERT INTO lead_scoring.adjustment (score, record_key, points, created_at) VALUES ('adjusted', ' 01 ', 7, '2026-01-01 UTC');
SELECT is(pg_temp.total('adjusted', 1), 12::float8, 'a key is written in any form of its type');
SELECT lead_scoring.refresh('adjusted', now());
UPDATE lead_scoring.adjustment SET points = 8 WHERE points = 7 AND score = 'adjusted' AND record_key = '1';
SELECT is((SELECT adjusted FROM contacts WHERE id = 1), 13::float8, 'an active score follows its adjustments at once');
SELECT is_empty($$SELECT * FROM lead_scoring.verify('adjusted')$$, 'an active score follows its adjustments everywhere');

-- scope
TRUNCATE contacts;
INSERT INTO companies (id, name, country) VALUES (1, 'A', 'US'), (2, 'B', 'DE'), (3, 'C', NULL);
INSERT INTO contacts (id, industry, is_customer, company_id) VALUES (1, 'Retail', false, 1), (2, 'Retail', true, 1), (3, 'Software', false, 2), (4, NULL, NULL, 3), (5, 'Retail', NULL, NULL);
SELECT pg_temp.act(1, 'unsubscribed'), pg_temp.act(3, 'form', 2), pg_temp.act(4, 'form');
INSERT INTO activities (contact_id, type, occurred_at) VALUES (5, 'form', pg_temp.day() + interval '1 microsecond');
SELECT pg_temp.simple('scoped', 'fit');
INSERT INTO lead_scoring.rule (score, group_name, name, points) VALUES ('scoped', 'all', 'everybody', 1);
SELECT is(pg_temp.totals('scoped'), '1=1 2=1 3=1 4=1 5=1', 'no scope: everybody');
INSERT INTO lead_scoring.scope (score, mode, criterion) VALUES ('scoped', 'exclude', 'is_customer');
SELECT is(pg_temp.totals('scoped'), '1=1 2=NULL 3=1 4=1 5=1', 'excluded; NULL does not exclude');
INSERT INTO lead_scoring.scope (score, mode, criterion) VALUES ('scoped', 'include', $$industry = 'Retail'$$);
SELECT is(pg_temp.totals('scoped'), '1=1 2=NULL 3=NULL 4=NULL 5=1', 'D7: exclusion beats inclusion; who is not included is out');
INSERT INTO lead_scoring.scope (score, mode, source, criterion) VALUES ('scoped', 'include', 'company', $$country = 'DE'$$);
SELECT is(pg_temp.totals('scoped'), '1=1 2=NULL 3=1 4=NULL 5=1', 'one of several inclusions is enough');
INSERT INTO lead_scoring.scope (score, mode, source, criterion) VALUES ('scoped', 'include', 'activity', $$type = 'form'$$), ('scoped', 'exclude', 'activity', $$type = 'unsubscribed'$$);
SELECT is(pg_temp.totals('scoped'), '1=NULL 2=NULL 3=1 4=1 5=1', 'by events');
DELETE FROM lead_scoring.scope WHERE score = 'scoped' AND mode = 'include' AND source IS NULL;
SELECT is(pg_temp.totals('scoped'), '1=NULL 2=NULL 3=1 4=1 5=NULL', 'an event of the future includes nobody');
SELECT is(pg_temp.totals('scoped', pg_temp.day() + interval '1 second'), '1=NULL 2=NULL 3=1 4=1 5=1', 'until it has happened');
SELECT is(pg_temp.totals('scoped', pg_temp.day() - interval '1 second'), '1=NULL 2=NULL 3=1 4=NULL 5=NULL', 'and before any of them');
SELECT is_empty($$SELECT * FROM pg_temp.disagreements('scoped')$$, 'scoped: stored = evaluated = explained');
SELECT is((SELECT count(*) FROM lead_scoring.explain('scoped', '2', pg_temp.day()) WHERE level = 'total' AND clamped IS NULL), 1::bigint, 'explain of a record out of scope: the total is NULL');
DELETE FROM lead_scoring.scope WHERE score = 'scoped';
SELECT is_empty($$SELECT * FROM pg_temp.disagreements('scoped')$$, 'scope taken away: stored = evaluated = explained');
SELECT is((SELECT count(scoped) FROM contacts), 5::bigint, 'everybody is back');
INSERT INTO lead_scoring.scope (score, mode) VALUES ('scoped', 'exclude');
SELECT is((SELECT count(scoped) FROM contacts), 0::bigint, 'exclude everybody: at once, as the score is active');

-- D26: half away from zero, to 4 decimals
TRUNCATE contacts, activities;
INSERT INTO contacts (id, job_title) SELECT row_number() OVER (), v FROM unnest(ARRAY['0.00005', '-0.00005', '0.000049999', '1.00005', '-1.00005', '2.5', '0.00015', '0.00025', '123456.78905', '-0.00001']) AS v;
SELECT pg_temp.simple('rounded', 'fit');
INSERT INTO lead_scoring.rule (score, group_name, name, criterion, points) SELECT 'rounded', 'all', job_title, format('job_title = %L', job_title), job_title::float8 FROM contacts;
SELECT is(pg_temp.totals('rounded'), '1=0.0001 2=-0.0001 3=0 4=1.0001 5=-1.0001 6=2.5 7=0.0002 8=0.0003 9=123456.7891 10=0', 'D26: rounded half away from zero, never -0');
SELECT is_empty($$SELECT * FROM pg_temp.disagreements('rounded')$$, 'rounded: stored = evaluated = explained');

-- large and small points
SELECT pg_temp.simple('large', 'engagement');
TRUNCATE contacts;
INSERT INTO contacts (id) VALUES (1), (2), (3);
SELECT pg_temp.act(1, 'big', 1000), pg_temp.act(2, 'small', 1000), pg_temp.act(3, 'big', 3), pg_temp.act(3, 'small', 3);
INSERT INTO lead_scoring.rule (score, group_name, name, source, criterion, points) VALUES ('large', 'all', 'big', 'activity', $$type = 'big'$$, 1e9), ('large', 'all', 'small', 'activity', $$type = 'small'$$, 0.0001);
SELECT is(pg_temp.totals('large'), '1=1000000000000 2=0.1 3=3000000000.0003', 'large and small points keep four decimals');

-- D25: NULL and three-valued logic
TRUNCATE contacts, activities;
INSERT INTO contacts (id, industry, employees) VALUES (1, NULL, NULL), (2, 'Retail', 10), (3, '', 0);
SELECT pg_temp.simple(s, 'fit') FROM unnest(ARRAY['n1', 'n2', 'n3', 'n4', 'n5', 'n6', 'n7']) AS s;
INSERT INTO lead_scoring.rule (score, group_name, name, criterion, points) VALUES
  ('n1', 'all', 'r', $$industry <> 'Retail'$$, 1), ('n2', 'all', 'r', $$NOT (industry = 'Retail')$$, 1), ('n3', 'all', 'r', 'industry IS NULL', 1), ('n4', 'all', 'r', 'employees > 5 OR industry IS NULL', 1),
  ('n5', 'all', 'r', 'employees NOT IN (10, NULL)', 1), ('n6', 'all', 'r', 'NOT (employees > 5 AND industry IS NULL)', 1), ('n7', 'all', 'r', '(employees > 5) IS NOT TRUE', 1);
SELECT is(pg_temp.totals('n1'), '1=0 2=0 3=1', 'D25: a NULL property matches nothing: <>');
SELECT is(pg_temp.totals('n2'), '1=0 2=0 3=1', 'D25: nor under NOT');
SELECT is(pg_temp.totals('n3'), '1=1 2=0 3=0', 'D25: but "is unknown"; an empty text is known');
SELECT is(pg_temp.totals('n4'), '1=1 2=1 3=0', 'D25: NULL OR true is true');
SELECT is(pg_temp.totals('n5'), '1=0 2=0 3=0', 'D25: NOT IN with a NULL is never true');
SELECT is(pg_temp.totals('n6'), '1=0 2=1 3=1', 'D25: NOT (NULL AND true) is unknown');
SELECT is(pg_temp.totals('n7'), '1=1 2=0 3=1', 'D25: IS NOT TRUE asks for it');

-- types whose comparison is not that of their bytes
CREATE TABLE people (id int PRIMARY KEY, code char(5), mood text COLLATE "C", ratio real, amount numeric, tiny smallint, day date, at timestamp, ip inet, flag bool, words varchar(10), big bigint);
INSERT INTO people VALUES (1, 'ab', 'b', 0.1, 1.10, 3, '2026-01-01', '2026-01-01 10:00', '10.0.0.1', true, 'x ', 9007199254740993), (2, 'ab ', 'B', 0.5, 1.1, -3, 'infinity', NULL, '10.0.0.2', false, 'x', 9007199254740992), (3, NULL, NULL, 'NaN', 'NaN', NULL, NULL, '-infinity', NULL, NULL, NULL, NULL);
INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('person', 'people', 'id');
CREATE FUNCTION pg_temp.who(criterion text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  result text;
  plain text;
BEGIN
  INSERT INTO lead_scoring.score (name, record_type, kind) VALUES ('who', 'person', 'fit');
  INSERT INTO lead_scoring.score_group (score, name, kind) VALUES ('who', 'all', 'fit');
  INSERT INTO lead_scoring.rule (score, group_name, name, criterion, points) VALUES ('who', 'all', 'r', criterion, 1);
  result := (SELECT coalesce(string_agg(record_key, '' ORDER BY record_key), '') FROM lead_scoring.evaluate('who', pg_temp.day()) WHERE total = 1);
  EXECUTE format('SELECT coalesce(string_agg(id::text, '''' ORDER BY id), '''') FROM people WHERE (%s)', criterion) INTO plain;
  DELETE FROM lead_scoring.score WHERE name = 'who';
  RETURN CASE WHEN result = plain THEN 'as WHERE' ELSE format('%s, not %s', result, plain) END;
END
$$;
SELECT is((SELECT string_agg(c || ': ' || pg_temp.who(c), '; ') FROM unnest(ARRAY[
  $$code = 'ab'$$, $$code = 'ab   '$$, $$code <> 'ab'$$, $$code IN ('ab', 'cd')$$, $$code > 'a'$$, $$code::text = 'ab'$$, $$mood = 'b'$$, $$mood > 'a'$$, $$mood < 'a'$$, $$mood IN ('B')$$,
  'ratio = 0.1', 'ratio = 0.1::real', 'ratio > 0.1', $$ratio = 'NaN'$$, 'ratio > 1000', 'ratio <= 0.5', 'ratio IN (0.5, 0.1)', 'ratio BETWEEN 0.4 AND 0.6',
  'amount = 1.1', 'amount = 1.100', 'amount IN (1.10)', 'amount > 1', $$amount = 'NaN'$$, 'amount = 1.1::float8', 'amount < 1.2', 'tiny = 3', 'tiny = 3.0', 'tiny > -3', 'tiny = 65539', 'tiny IN (3, -3)', 'tiny::int = 3', 'tiny > 2.5', 'tiny = 3::bigint',
  $$day = '2026-01-01'$$, $$day > '2026-01-01'$$, $$day = 'infinity'$$, $$day = timestamp '2026-01-01'$$, $$at = '2026-01-01 10:00'$$, $$at < '2026-01-01'$$, $$at = '-infinity'$$, $$at > as_of - interval '60 days'$$, $$day = as_of::date$$,
  $$ip = '10.0.0.1'$$, $$ip << '10.0.0.0/24'$$, 'flag', 'NOT flag', 'flag = true', 'flag <> true', 'flag IS NOT FALSE', 'flag IS NULL', $$words = 'x'$$, $$words = 'x '$$, $$words LIKE 'x_'$$,
  'big = 9007199254740993', 'big = 9007199254740992', 'big > 9007199254740992', 'big IN (9007199254740993, 5)', 'big = 9007199254740993::float8', 'big = 9007199254740993.0', 'big > 9007199254740992.5', 'big BETWEEN 9007199254740993 AND 9007199254740993',
  'id = ANY (ARRAY[1, 3])', 'id <> ALL (ARRAY[1, 3])', $$id = ANY ('{1,3,NULL}')$$, 'id <> ALL (ARRAY[1, NULL])', 'id = 1 OR id = 2 AND flag', 'NOT (id = 1 OR id = 2)', 'id IN (1) IS TRUE', $$coalesce(mood, '') = ''$$, 'id BETWEEN 3 AND 1', '2 = id', '2 < id', '(id = 1) = flag', '(id = 1) <> flag', 'NULL', 'NOT NULL', 'true', '1 = 1', 'id::text = 1::text', '-id = -1']) AS c
  WHERE c NOT LIKE '%as_of%' AND pg_temp.who(c) <> 'as WHERE'), NULL, 'a criterion is true where WHERE is');
DO $$ BEGIN CREATE COLLATION pg_temp.ignore_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false); EXCEPTION WHEN OTHERS THEN NULL; END $$;
SELECT CASE WHEN EXISTS (SELECT FROM pg_collation WHERE collname = 'ignore_case')
  THEN collect_tap(lives_ok($$ALTER TABLE people ADD COLUMN folded text COLLATE pg_temp.ignore_case$$), lives_ok($$UPDATE people SET folded = mood$$), is(pg_temp.who($$folded = 'b'$$), 'as WHERE', 'a collation that ignores case'), is(pg_temp.who($$folded IN ('B', 'c')$$), 'as WHERE', 'and in a list'))
  ELSE skip('no ICU', 4) END;

-- a reference to the whole row, and a column that is called as_of
CREATE FUNCTION pg_temp.who_or_refused(criterion text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  BEGIN
    PERFORM pg_temp.simple('try', 'fit');
    UPDATE lead_scoring.score SET record_type = 'person' WHERE name = 'try';
    INSERT INTO lead_scoring.rule (score, group_name, name, criterion, points) VALUES ('try', 'all', 'r', criterion, 1);
    DELETE FROM lead_scoring.score WHERE name = 'try';
  EXCEPTION WHEN OTHERS THEN
    RETURN 'refused';
  END;
  RETURN pg_temp.who(criterion);
EXCEPTION WHEN OTHERS THEN
  RETURN SQLSTATE || ' ' || SQLERRM;
END
$$;
SELECT ok(pg_temp.who_or_refused(c) IN ('refused', 'as WHERE'), format('%s: works or is refused when it is written: %s', c, pg_temp.who_or_refused(c)))
  FROM unnest(ARRAY['people.id = 1', 'people IS NOT NULL', 'people.* IS NULL', '(people).id = 1', 'row_to_json(people) IS NOT NULL', 'public.people.id = 2', 'people.ctid IS NOT NULL', 'ctid IS NOT NULL', $$tableoid = 'people'::regclass$$]) AS c;
CREATE TABLE dated (id int PRIMARY KEY, as_of timestamptz);
INSERT INTO dated VALUES (1, '2026-01-01 UTC'), (2, '2026-03-01 UTC');
INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('dated', 'dated', 'id');
INSERT INTO lead_scoring.score (name, record_type, kind) VALUES ('dated', 'dated', 'fit');
INSERT INTO lead_scoring.score_group (score, name, kind) VALUES ('dated', 'all', 'fit');
INSERT INTO lead_scoring.rule (score, group_name, name, criterion, points) VALUES ('dated', 'all', 'past', 'dated.as_of <= as_of', 1), ('dated', 'all', 'pseudo-column', $c$as_of = '2026-01-31 00:00 UTC'$c$, 10);
SELECT is(pg_temp.totals('dated'), '1=11 2=10', 'a column called as_of is reached through its table, as_of alone is the instant');

-- as_of in a criterion
TRUNCATE contacts, activities;
ALTER TABLE contacts ADD COLUMN created_at timestamptz;
INSERT INTO contacts (id, created_at) VALUES (1, '2026-01-01 UTC'), (2, '2026-01-30 UTC'), (3, NULL);
INSERT INTO activities (contact_id, type, amount, occurred_at) VALUES (1, 'x', 1, '2026-01-29 UTC'), (1, 'x', 1, '2026-01-01 UTC'), (2, 'x', 1, '2026-01-31 UTC');
INSERT INTO lead_scoring.score (name, record_type, kind) VALUES ('aged', 'contact', 'combined');
INSERT INTO lead_scoring.score_group (score, name, kind) VALUES ('aged', 'f', 'fit'), ('aged', 'e', 'engagement');
INSERT INTO lead_scoring.rule (score, group_name, name, source, criterion, points) VALUES
  ('aged', 'f', 'new', NULL, $$created_at > as_of - interval '7 days'$$, 10), ('aged', 'e', 'fresh', 'activity', $$occurred_at >= as_of - interval '3 days'$$, 1), ('aged', 'f', 'after', NULL, $$as_of >= '2026-02-01 UTC'$$, 100);
SELECT is(pg_temp.totals('aged'), '1=1 2=11 3=0', 'as_of in criteria of records and events');
SELECT is(pg_temp.totals('aged', '2026-02-01 UTC'), '1=101 2=111 3=100', 'another as_of');
SELECT is(pg_temp.totals('aged', '2026-01-02 UTC'), '1=11 2=10 3=0', 'an earlier one');
SELECT is_empty($$SELECT * FROM pg_temp.disagreements('aged')$$, 'aged: stored = evaluated = explained');

-- related rows pay once, whatever their number
TRUNCATE contacts, activities;
CREATE TABLE members (contact_id int, list text);
INSERT INTO lead_scoring.source (name, record_type, relation, record_key) VALUES ('member', 'contact', 'members', 'contact_id');
INSERT INTO contacts (id, company_id) VALUES (1, 1), (2, 2), (3, NULL), (4, 99);
INSERT INTO members VALUES (1, 'vip'), (1, 'vip'), (1, 'news'), (2, 'news'), (NULL, 'vip'), (77, 'vip');
SELECT pg_temp.simple('related', 'fit');
INSERT INTO lead_scoring.rule (score, group_name, name, source, criterion, points) VALUES ('related', 'all', 'vip', 'member', $$list = 'vip'$$, 10), ('related', 'all', 'US', 'company', $$country = 'US'$$, 3), ('related', 'all', 'any company', 'company', 'true', 0.5);
SELECT is(pg_temp.totals('related'), '1=13.5 2=0.5 3=0 4=0', 'F15: related rows pay once');
INSERT INTO lead_scoring.rule (score, group_name, name, source, criterion, points, at_least, at_most) VALUES ('related', 'all', 'two lists', 'member', 'true', 100, 2, NULL), ('related', 'all', 'no list', 'member', 'true', 1000, NULL, 0);
SELECT is(pg_temp.totals('related'), '1=113.5 2=0.5 3=1000 4=1000', 'bounds on the number of related rows');
SELECT is_empty($$SELECT * FROM pg_temp.disagreements('related')$$, 'related: stored = evaluated = explained');

-- the filter of a source
UPDATE lead_scoring.source SET filter = $$list <> 'news'$$ WHERE name = 'member';
SELECT is(pg_temp.totals('related'), '1=113.5 2=1000.5 3=1000 4=1000', 'rows that the filter leaves out do not exist');
SELECT is((SELECT string_agg(related::text, ' ' ORDER BY id) FROM contacts), '113.5 1000.5 1000 1000', 'and the active score followed at once');
SELECT pg_temp.act(1, 'x'), pg_temp.act(1, 'spam', 5);
SELECT pg_temp.by_hand();
INSERT INTO activities (contact_id, type, occurred_at) VALUES (1, 'x', NULL);
UPDATE lead_scoring.source SET filter = $$occurred_at IS NOT NULL AND type <> 'spam'$$ WHERE name = 'activity';
SELECT pg_temp.simple('filtered', 'engagement');
INSERT INTO lead_scoring.rule (score, group_name, name, source, points) VALUES ('filtered', 'all', 'r', 'activity', 1);
SELECT is(pg_temp.totals('filtered'), '1=1 2=0 3=0 4=0', 'D25: a NULL time that the filter leaves out is no error');

-- disabled rules, groups without rules
UPDATE lead_scoring.rule SET enabled = false WHERE score = 'related' AND name = 'vip';
SELECT is(pg_temp.total('related', 1), 103.5::float8, 'a disabled rule pays nothing');
UPDATE lead_scoring.rule SET enabled = true, points = 1 WHERE score = 'related' AND name = 'vip';
SELECT is((SELECT related FROM contacts WHERE id = 1), 104.5::float8, 'F44: an edit scores again at once');
INSERT INTO lead_scoring.score_group (score, name, kind, min_points) VALUES ('related', 'empty', 'fit', NULL);
SELECT is(pg_temp.total('related', 1), 104.5::float8, 'a group without rules gives nothing');

SELECT * FROM finish();
ROLLBACK;
