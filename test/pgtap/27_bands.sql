-- Bands by segment (F59), by share and capacity (F60, F62), open records (F49), standing and the priority queue (E37, F37, D18)
BEGIN;
\ir include/crm.psql
SELECT plan(62);

-- Sets a value for each record: as many points as its revenue
CREATE FUNCTION pg_temp.valued(score text, kind text DEFAULT 'fit') RETURNS void LANGUAGE sql AS $$
  SELECT pg_temp.simple($1, $2);
  SELECT pg_temp.rule($1, 'revenue', NULL, 'true', 1, '{"counting": "each", "value": "revenue"}');
$$;
CREATE FUNCTION pg_temp.band(score text, label text, lower_bound float8 DEFAULT NULL, top_share float8 DEFAULT NULL, capacity int DEFAULT NULL, segment text DEFAULT 'true', part text DEFAULT 'total') RETURNS void LANGUAGE sql AS $$
  INSERT INTO lead_scoring.band (score, label, lower_bound, top_share, capacity, segment, part) VALUES ($1, $2, $3, $4, $5, $6, $7)
$$;
CREATE FUNCTION pg_temp.agree(VARIADIC names text[]) RETURNS text LANGUAGE sql AS $$
  SELECT is_empty(format('SELECT s, d.* FROM unnest(%L::text[]) AS s, pg_temp.disagreements(s) AS d', $1), $1[1] || ': stored = evaluated = explained')
$$;
-- The labels of all records, in the order of their keys
CREATE FUNCTION pg_temp.short(score text, as_of timestamptz DEFAULT pg_temp.day()) RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(coalesce(label, '-'), ' ' ORDER BY length(record_key), record_key COLLATE "C") FROM lead_scoring.evaluate($1, $2)
$$;

-- F59: bands by segment
INSERT INTO contacts (id, industry, revenue, employees) VALUES (1, 'Software', 80, 10), (2, 'Software', 79, 10), (3, 'Retail', 60, 10), (4, 'Retail', 40, 5000), (5, NULL, 70, 10), (6, 'Software', 60, 5000), (7, NULL, -5, 5000), (8, 'Retail', 10, NULL);
SELECT pg_temp.valued('segments');
SELECT pg_temp.band('segments', 'High', 70), pg_temp.band('segments', 'Low'), pg_temp.band('segments', 'High', 80, segment => $$industry = 'Software'$$), pg_temp.band('segments', 'Medium', 60, segment => $$industry = 'Software'$$),
  pg_temp.band('segments', 'Big', 50, segment => 'employees > 1000'), pg_temp.band('segments', 'Small', NULL, segment => 'employees > 1000');
SELECT is(pg_temp.short('segments'), 'High Medium Low Small High Big Small Low', 'F59: the bands of the first segment in byte order that holds, else those of all');
SELECT pg_temp.agree('segments');
DELETE FROM lead_scoring.band WHERE score = 'segments' AND label = 'Small';
SELECT is(pg_temp.short('segments'), 'High Medium Low - High Big - Low', 'F59: a segment has its own bands only: what reaches none of them has no label');
UPDATE contacts SET employees = 1 WHERE id = 4;
SELECT is(pg_temp.short('segments'), 'High Medium Low Low High Big - Low', 'F59: a record changes its segment');
SELECT pg_temp.band('segments', 'Soon', NULL, segment => $$as_of >= '2026-02-01 UTC'$$);
SELECT is(pg_temp.short('segments'), 'High Medium Low Low High Big - Low', 'F59: a segment that depends on as_of');
SELECT is(pg_temp.short('segments', '2026-02-01 UTC'), 'Soon Soon Soon Soon Soon Soon Soon Soon', 'F59: as of later');
SELECT pg_temp.agree('segments');

-- segments of the parts are chosen apart
INSERT INTO lead_scoring.score (name, record_type, kind) VALUES ('parts', 'contact', 'combined');
INSERT INTO lead_scoring.score_group (score, name, kind) VALUES ('parts', 'all', 'fit'), ('parts', 'e', 'engagement');
SELECT pg_temp.rule('parts', 'revenue', NULL, 'true', 1, '{"counting": "each", "value": "revenue"}'), pg_temp.rule('parts', 'x', 'activity', 'true', 1, '{"group_name": "e"}');
SELECT pg_temp.act(i, 'x', i) FROM generate_series(1, 8) AS i;
SELECT pg_temp.band('parts', 'A', 60, part => 'fit'), pg_temp.band('parts', 'B', NULL, part => 'fit'), pg_temp.band('parts', 'S', NULL, segment => $$industry = 'Software'$$, part => 'fit'), pg_temp.band('parts', '1', NULL, capacity => 2, part => 'engagement'), pg_temp.band('parts', '2', NULL, part => 'engagement'),
  pg_temp.band('parts', '9', NULL, segment => $$industry = 'Retail'$$, part => 'engagement');
SELECT is(pg_temp.short('parts'), 'S2 S2 A9 B9 A2 S1 B1 B9', 'F59: segments of each part by themselves; of engagement the two best outside retail');
SELECT pg_temp.agree('parts');

-- shares: the first ceil(share * number) of the open records in scope, best first, ties by key
DELETE FROM contacts;
INSERT INTO contacts (id, revenue) SELECT i, 10 * (11 - i) FROM generate_series(1, 10) AS i;
SELECT pg_temp.valued('tiers');
SELECT pg_temp.band('tiers', 'VH', NULL, 0.25), pg_temp.band('tiers', 'H', NULL, 0.5), pg_temp.band('tiers', 'M', NULL, 0.75), pg_temp.band('tiers', 'L', NULL, 1);
SELECT is(pg_temp.short('tiers'), 'VH VH VH H H M M M L L', 'F60: ten records: the first 2.5, 5, 7.5, rounded up: 3, 5, 8');
SELECT pg_temp.agree('tiers');
UPDATE contacts SET revenue = CASE WHEN id <= 6 THEN 90 ELSE 10 END;
SELECT is(pg_temp.short('tiers'), 'VH VH VH H H M M M L L', 'F60: ties by key; keys are compared as numbers');
UPDATE contacts SET revenue = CASE id WHEN 10 THEN 100 WHEN 1 THEN -1 ELSE 0 END;
SELECT is(pg_temp.short('tiers'), 'L VH VH H H M M M L VH', 'F60: values below 0 are ranked too');
SELECT is(pg_temp.label('tiers', 10), 'VH', 'F60: the rank of one record is that among all');
SELECT is((SELECT string_agg(record_key || label, ' ' ORDER BY record_key) FROM lead_scoring.evaluate('tiers', pg_temp.day(), ARRAY['9', '3', '77'])), '3VH 9L', 'F60: of some records too');
SELECT lead_scoring.refresh('tiers', pg_temp.day());
SELECT is((SELECT string_agg(tiers_label, ' ' ORDER BY id) FROM contacts), 'L VH VH H H M M M L VH', 'F60: stored');
SELECT pg_temp.by_hand();
UPDATE contacts SET revenue = 50 WHERE id = 9;
SELECT cmp_ok(lead_scoring.refresh('tiers', pg_temp.day(), ARRAY['9']), '>=', 4::bigint, 'F60: with relative bands a refresh of some records is one of all');
SELECT is((SELECT string_agg(tiers_label, ' ' ORDER BY id) FROM contacts), 'L VH H H M M M L VH VH', 'F60: one moves up, others move down');
SELECT pg_temp.agree('tiers');
DELETE FROM contacts WHERE id IN (9, 10);
SELECT pg_temp.agree('tiers');
SELECT is(pg_temp.short('tiers'), 'L VH VH H H M M L', 'F60: eight records: 2, 4, 6');
-- 0.07 * 100 is 7 although not in double precision
DELETE FROM contacts;
INSERT INTO contacts (id, revenue) SELECT i, -i FROM generate_series(1, 100) AS i;
SELECT pg_temp.valued('seven');
SELECT pg_temp.band('seven', '7', NULL, 0.07), pg_temp.band('seven', '29', NULL, 0.29), pg_temp.band('seven', '57', NULL, 0.57);
SELECT results_eq($$SELECT label, count(*), max(record_key::int) FROM lead_scoring.evaluate('seven', pg_temp.day()) GROUP BY label ORDER BY 3$$, $$VALUES ('7', 7::bigint, 7), ('29', 22, 29), ('57', 28, 57), (NULL, 43, 100)$$, 'F60: a share of 0.07 of 100 is 7, of 0.29 29');
SELECT pg_temp.agree('seven');

-- who is not open or not in scope takes no part
DELETE FROM contacts;
INSERT INTO contacts (id, revenue, is_customer) VALUES (1, 100, true), (2, 90, false), (3, 80, NULL), (4, 70, false), (5, 60, false), (6, 50, false), (7, 40, true);
UPDATE lead_scoring.record_type SET open_when = 'NOT is_customer' WHERE name = 'contact';
SELECT pg_temp.valued('open'), pg_temp.valued('shared');
SELECT pg_temp.band('open', 'best', NULL, capacity => 2), pg_temp.band('open', 'good', 60), pg_temp.band('open', 'rest'), pg_temp.band('shared', 'half', NULL, 0.5), pg_temp.band('shared', 'all', NULL, 1);
SELECT is(pg_temp.short('open'), 'good best good best good rest rest', 'F49: the two best of those that are open; NULL is not open; others may reach the bands without');
SELECT is(pg_temp.short('shared'), '- half - half all all -', 'F49: a share of those that are open');
INSERT INTO lead_scoring.scope (score, mode, criterion) SELECT s, 'exclude', 'id = 2' FROM unnest(ARRAY['open', 'shared']) AS s;
SELECT is(pg_temp.short('open'), 'good - good best best rest rest', 'F49: who is not in scope takes no part');
SELECT is(pg_temp.short('shared'), '- - - half half all -', 'F49: nor in a share: 2 of 3');
SELECT pg_temp.agree('open', 'shared');
UPDATE contacts SET is_customer = false WHERE id = 1;
SELECT lead_scoring.refresh('open', pg_temp.day());
SELECT is((SELECT string_agg(coalesce(open_label, '-'), ' ' ORDER BY id) FROM contacts), 'best - good best good rest rest', 'F49: one is open again');
UPDATE lead_scoring.record_type SET open_when = NULL WHERE name = 'contact';
SELECT is(pg_temp.short('open'), 'best - best good good rest rest', 'F49: without open_when all are open');
UPDATE lead_scoring.record_type SET open_when = $$as_of < '2026-02-01 UTC'$$ WHERE name = 'contact';
SELECT is(pg_temp.short('shared', '2026-02-01 UTC'), '- - - - - - -', 'F49: open_when may depend on as_of');
UPDATE lead_scoring.record_type SET open_when = NULL WHERE name = 'contact';

-- with a bound too; the order in which bands are tried
DELETE FROM lead_scoring.scope;
SELECT pg_temp.valued('tried');
SELECT pg_temp.band('tried', 'top 3 from 85', 85, capacity => 3), pg_temp.band('tried', 'top 5', NULL, capacity => 5), pg_temp.band('tried', 'half from 75', 75, 0.5), pg_temp.band('tried', '45', 45), pg_temp.band('tried', 'rest');
SELECT is(pg_temp.short('tried'), 'top 3 from 85 top 3 from 85 top 5 top 5 top 5 45 rest', 'bands: both a capacity and a bound; capacities first, narrowest first');
DELETE FROM lead_scoring.band WHERE score = 'tried' AND label = 'top 5';
SELECT is(pg_temp.short('tried'), 'top 3 from 85 top 3 from 85 half from 75 45 45 45 rest', 'bands: then shares, then bounds, then the rest');
UPDATE lead_scoring.band SET capacity = 1 WHERE score = 'tried' AND capacity = 3;
SELECT pg_temp.band('tried', '95', 95), pg_temp.band('tried', 'tenth', NULL, 0.1);
SELECT is(pg_temp.short('tried'), 'top 3 from 85 half from 75 half from 75 45 45 45 rest', 'bands: a smaller share comes first: its one record is taken already');
UPDATE lead_scoring.band SET lower_bound = 1000 WHERE score = 'tried' AND capacity = 1;
SELECT is(pg_temp.short('tried'), 'tenth half from 75 half from 75 45 45 45 rest', 'bands: a bound that nobody reaches');
SELECT pg_temp.agree('tried');
-- capacity by segment, greater than the number of records
SELECT pg_temp.valued('capacity');
SELECT pg_temp.band('capacity', 'one', NULL, capacity => 1, segment => 'id < 4'), pg_temp.band('capacity', 'all', NULL, capacity => 100), pg_temp.band('capacity', 'none', NULL, segment => 'id < 4');
SELECT is(pg_temp.short('capacity'), 'one none none all all all all', 'bands: capacity within a segment');
SELECT pg_temp.agree('capacity');
-- the value that is ranked is the stored one
UPDATE contacts SET revenue = 10 + id * 0.000001;
SELECT is(pg_temp.short('open'), 'best best rest rest rest rest rest', 'bands: values that are rounded to the same are a tie');
-- nobody at all, and one record
DELETE FROM contacts WHERE id > 1;
SELECT is(pg_temp.short('shared'), 'half', 'bands: one record is in any share');
DELETE FROM contacts;
SELECT is(pg_temp.short('shared'), NULL, 'bands: no records');
SELECT pg_temp.agree('shared', 'capacity', 'tried', 'open', 'tiers');

-- ranks of text keys go by their bytes
CREATE TABLE accounts (name text PRIMARY KEY, worth int);
INSERT INTO accounts VALUES ('b', 1), ('B', 1), ('a', 1), ('é', 1), ('10', 1), ('9', 1);
INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('account', 'accounts', 'name');
INSERT INTO lead_scoring.score (name, record_type, kind) VALUES ('named', 'account', 'fit');
INSERT INTO lead_scoring.score_group (score, name, kind) VALUES ('named', 'all', 'fit');
SELECT pg_temp.rule('named', 'r', NULL, 'true', 1, '{"counting": "each", "value": "worth"}');
SELECT pg_temp.band('named', 'in', NULL, 0.5);
SELECT is((SELECT string_agg(record_key, ' ' ORDER BY record_key COLLATE "C") FROM lead_scoring.evaluate('named', pg_temp.day()) WHERE label = 'in'), '10 9 B', 'bands: ties of text keys in the order of their bytes');
SELECT results_eq($$SELECT record_key, label FROM lead_scoring.evaluate('named', pg_temp.day(), ARRAY['é', 'nobody', 'B', NULL, '9', 'B']) ORDER BY record_key COLLATE "C"$$,
                  $$VALUES ('9', 'in'), ('B', 'in'), ('é', NULL)$$, 'bands: some records only, placed among all');
SELECT pg_temp.agree('named');
CREATE SCHEMA planted;
CREATE FUNCTION planted.is_greater(float8, float8) RETURNS boolean IMMUTABLE LANGUAGE sql AS 'SELECT false';
CREATE OPERATOR planted.> (LEFTARG = float8, RIGHTARG = float8, FUNCTION = planted.is_greater);
SET LOCAL search_path = planted, pg_catalog, public;
SELECT is((SELECT count(*) FROM lead_scoring.evaluate('named', pg_temp.day()) WHERE label = 'in'), 3::bigint, 'bands: ranked by no operator that the search path finds');
RESET search_path;

-- E37: standing
TRUNCATE activities;
INSERT INTO contacts (id, revenue, is_customer) SELECT i, 10 * i, i = 6 FROM generate_series(1, 9) AS i;
CREATE TABLE calls (contact int, at timestamptz);
INSERT INTO lead_scoring.source (name, record_type, relation, record_key, occurred_at, filter) VALUES ('call', 'contact', 'calls', 'contact', 'at', 'contact <> 5'), ('unused', 'contact', 'calls', 'contact', 'at', NULL);
SELECT pg_temp.act(1, 'x', 1, NULL, '90 days'), pg_temp.act(2, 'x', 1, NULL, '89 days 23 hours'), pg_temp.act(3, 'x', 1, NULL, '200 days'), pg_temp.act(5, 'x', 1, NULL, '200 days'), pg_temp.act(6, 'x'), pg_temp.act(7, 'x'), pg_temp.act(8, 'x', 1, NULL, '200 days'), pg_temp.act(8, 'x', 1, NULL, '-1 microsecond');
INSERT INTO activities (contact_id, type, occurred_at) VALUES (9, 'x', '-infinity');
INSERT INTO calls VALUES (3, pg_temp.day() - interval '1 day'), (5, pg_temp.day() - interval '1 day');
UPDATE lead_scoring.record_type SET open_when = 'is_customer IS NOT TRUE' WHERE name = 'contact';
INSERT INTO lead_scoring.score (name, record_type, kind) VALUES ('e37', 'contact', 'combined');
INSERT INTO lead_scoring.score_group (score, name, kind) VALUES ('e37', 'all', 'fit'), ('e37', 'e', 'engagement');
SELECT pg_temp.rule('e37', 'revenue', NULL, 'true', 1, '{"counting": "each", "value": "revenue"}'), pg_temp.rule('e37', 'never', 'activity', $$type = 'never'$$, 1, '{"group_name": "e"}'), pg_temp.rule('e37', 'call', 'call', 'true', 1000, '{"group_name": "e"}');
INSERT INTO lead_scoring.scope (score, mode, criterion) VALUES ('e37', 'exclude', 'id = 7');
SELECT pg_temp.band('e37', 'hot', 1000), pg_temp.band('e37', 'cold');
SELECT results_eq($$SELECT record_key, total, label, last_activity, dormant, is_open FROM lead_scoring.standing('e37', pg_temp.day()) WHERE record_key <> '7' ORDER BY 1$$,
  $$SELECT k, t, l, CASE WHEN a = 'ever' THEN '-infinity' ELSE pg_temp.day() - a::interval END, d, o FROM (VALUES ('1', 10::float8, 'cold', '90 days', true, true), ('2', 20, 'cold', '89 days 23 hours', false, true), ('3', 1030, 'hot', '1 day', false, true), ('4', 40, 'cold', NULL, false, true),
    ('5', 50, 'cold', '200 days', true, true), ('6', 60, 'cold', '0', false, false), ('8', 80, 'cold', '200 days', true, true), ('9', 90, 'cold', 'ever', true, true)) AS v (k, t, l, a, d, o)$$,
  'E37: exactly 90 days ago dormant, 89 d 23 h not; of any source that the score uses, as filtered, up to as_of; without events not dormant');
SELECT results_eq($$SELECT record_key, total, label FROM lead_scoring.standing('e37', pg_temp.day(), ARRAY['7'])$$, $$VALUES ('7', NULL::float8, NULL::text)$$, 'standing: out of scope, some keys');
SELECT is((SELECT dormant FROM lead_scoring.standing('e37', pg_temp.day() + interval '1 hour', ARRAY['2'])), true, 'E37: an hour later');
SELECT is((SELECT total FROM lead_scoring.standing('e37', pg_temp.day(), ARRAY['1'])), 10::float8, 'D18: dormancy leaves the points alone');
UPDATE lead_scoring.score SET dormant_after = '1 month' WHERE name = 'e37';
UPDATE activities SET occurred_at = pg_temp.day() - interval '30 days' + (2 - contact_id) * interval '1 microsecond' WHERE contact_id IN (1, 2);
SELECT is((SELECT string_agg(record_key || dormant, ' ' ORDER BY record_key) FROM lead_scoring.standing('e37', pg_temp.day(), ARRAY['1', '2'])), '1false 2true', 'standing: another dormant_after; a month is 30 days');
UPDATE lead_scoring.score SET dormant_after = NULL WHERE name = 'e37';
SELECT is((SELECT count(*) FROM lead_scoring.standing('e37', pg_temp.day()) WHERE dormant), 0::bigint, 'standing: dormant_after NULL: never');
UPDATE lead_scoring.score SET dormant_after = '90 days' WHERE name = 'e37';
SELECT results_eq($$SELECT record_key, total, fit, engagement, label, total_label, fit_label, engagement_label, machine, adjustment FROM lead_scoring.standing('e37', pg_temp.day()) ORDER BY 1$$,
  $$SELECT * FROM lead_scoring.evaluate('e37', pg_temp.day()) ORDER BY 1$$, 'standing has the columns of evaluate');

-- F37: the queue
SELECT results_eq($$SELECT rank::int, record_key, total, label, last_activity FROM lead_scoring.priority_queue('e37', pg_temp.day())$$,
  $$VALUES (1, '3', 1030::float8, 'hot', pg_temp.day() - interval '1 day'), (2, '4', 40, 'cold', NULL), (3, '2', 20, 'cold', pg_temp.day() - interval '30 days'), (4, '1', 10, 'cold', pg_temp.day() - interval '30 days' + interval '1 microsecond')$$,
  'F37: open, in scope, not dormant, best first');
SELECT is((SELECT string_agg(record_key, ' ' ORDER BY rank) FROM lead_scoring.priority_queue('e37', pg_temp.day(), 2)), '3 4', 'F37: the two best');
SELECT is((SELECT string_agg(record_key, ' ' ORDER BY rank) FROM lead_scoring.priority_queue('e37', pg_temp.day(), capacity => 100)), '3 4 2 1', 'F37: a capacity beyond their number');
SELECT is((SELECT string_agg(record_key, ' ' ORDER BY rank) FROM lead_scoring.priority_queue('e37', pg_temp.day() + interval '1 second')), '3 8 4 2 1', 'F37: a new event brings a record back');
SELECT is((SELECT count(*) FROM lead_scoring.priority_queue('e37', pg_temp.day() + interval '1000 days')), 1::bigint, 'F37: at last only the one without any event is left');
SELECT is((SELECT count(*) FROM lead_scoring.priority_queue WHERE score = 'e37'), 0::bigint, 'the view priority_queue: active scores only');
SELECT lead_scoring.activate('e37');
UPDATE activities SET occurred_at = now() - interval '1 day' WHERE contact_id IN (2, 5);
SELECT results_eq($$SELECT rank::int, record_key, total, label FROM lead_scoring.priority_queue WHERE score = 'e37' AND record_key IN ('2', '4', '5') ORDER BY rank$$,
  $$SELECT rank::int, record_key, total, label FROM lead_scoring.priority_queue('e37') WHERE record_key IN ('2', '4', '5') ORDER BY rank$$, 'the view priority_queue: the queue of each active score as of now');
SELECT is((SELECT string_agg(record_key, ' ' ORDER BY rank) FROM lead_scoring.priority_queue WHERE score = 'e37' AND record_key IN ('2', '4', '5', '6', '7')), '5 4 2', 'the view priority_queue: open, in scope, not dormant');
SELECT is((SELECT count(DISTINCT score) FROM lead_scoring.priority_queue) > 1, true, 'the view priority_queue: several scores');

SELECT * FROM finish();
ROLLBACK;
