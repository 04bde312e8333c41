-- What a rule counts: values and rollups, limits (E17), every_n (D17), sequences (F73), quiet time (D16, E36), validity (B31), E35
BEGIN;
\ir include/crm.psql
SELECT plan(125);

CREATE FUNCTION pg_temp.scores(kind text, decay text, VARIADIC names text[]) RETURNS void LANGUAGE sql AS $$ SELECT pg_temp.simple(n, $1, $2) FROM unnest($3) AS n $$;
-- Everything in which the scores of these names disagree with themselves
CREATE FUNCTION pg_temp.all_agree(VARIADIC names text[]) RETURNS text LANGUAGE sql AS $$
  SELECT is_empty(format('SELECT s, d.* FROM unnest(%L::text[]) AS s, pg_temp.disagreements(s) AS d', $1), $1[1] || ': stored = evaluated = explained')
$$;
CREATE FUNCTION pg_temp.row_of(score text, record_key text, as_of timestamptz DEFAULT pg_temp.day()) RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(format('%s %s %s', matched, round(raw::numeric, 6)::float8, round(decayed::numeric, 6)::float8), ', ' ORDER BY step) FROM lead_scoring.explain($1, $2, $3) WHERE level = 'rule'
$$;
CREATE FUNCTION pg_temp.worth(contact int, type text, amount numeric, age interval DEFAULT '0') RETURNS void LANGUAGE sql AS $$
  INSERT INTO activities (contact_id, type, amount, occurred_at) VALUES ($1, $2, $3, pg_temp.day() - $4)
$$;

-- What an error says: state, message, detail and context
CREATE FUNCTION pg_temp.error_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  message text;
  detail text;
  context text;
BEGIN
  EXECUTE statement;
  RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, context = PG_EXCEPTION_CONTEXT;
  RETURN concat_ws(' | ', SQLSTATE, message, detail, context);
END
$$;

-- values of events
INSERT INTO contacts (id) SELECT generate_series(1, 6);
SELECT pg_temp.worth(1, 'order', 100), pg_temp.worth(1, 'order', 50, '15 days'), pg_temp.worth(1, 'order', NULL), pg_temp.worth(1, 'visit', 7), pg_temp.worth(2, 'order', -20, '30 days'), pg_temp.worth(2, 'order', 0.5, '30 days'),
  pg_temp.worth(3, 'order', NULL), pg_temp.worth(4, 'order', 0), pg_temp.worth(5, 'order', 10, '-1 microsecond'), pg_temp.worth(5, 'order', 60, '60 days');
SELECT pg_temp.scores('engagement', NULL, 'sum', 'avg', 'min', 'max', 'minus'), pg_temp.scores('engagement', '50% per month', 'sum d', 'avg d', 'min d', 'max d');
SELECT pg_temp.rule(s, 'r', 'activity', $$type = 'order'$$, 0.1, jsonb_build_object('value', 'amount', 'rollup', left(s, 3))) FROM unnest(ARRAY['sum', 'avg', 'min', 'max', 'sum d', 'avg d', 'min d', 'max d']) AS s;
SELECT pg_temp.rule('minus', 'r', 'activity', $$type = 'order'$$, -2, '{"value": "amount * 2"}');
SELECT is(pg_temp.totals('sum'), '1=15 2=-1.95 3=0 4=0 5=6 6=0', 'value: points * value per match; NULL does not match, negative values subtract');
SELECT is(pg_temp.totals('avg'), '1=7.5 2=-0.975 3=0 4=0 5=6 6=0', 'rollup avg: points * mean, once');
SELECT is(pg_temp.totals('min'), '1=5 2=-2 3=0 4=0 5=6 6=0', 'rollup min');
SELECT is(pg_temp.totals('max'), '1=10 2=0.05 3=0 4=0 5=6 6=0', 'rollup max');
SELECT is(pg_temp.totals('minus'), '1=-600 2=78 3=0 4=0 5=-240 6=0', 'value: an expression, negative points');
SELECT is(pg_temp.totals('sum d'), '1=13.75 2=-0.975 3=0 4=0 5=0 6=0', 'value: each match fades by its own age: 10 + 5 * 0.75');
SELECT is(pg_temp.totals('avg d'), '1=7.5 2=-0.4875 3=0 4=0 5=0 6=0', 'rollup avg: the age is that of the newest match');
SELECT is(pg_temp.totals('min d'), '1=5 2=-1 3=0 4=0 5=0 6=0', 'rollup min: the age is that of the newest match, not of the least');
SELECT is(pg_temp.totals('max d'), '1=10 2=0.025 3=0 4=0 5=0 6=0', 'rollup max: likewise');
SELECT is(pg_temp.totals('max d', pg_temp.day() + interval '15 days'), '1=7.5 2=0.0125 3=0 4=0 5=4.5 6=0', 'rollup max: as of later, a newer match makes all of it younger');
SELECT is(pg_temp.totals('avg', pg_temp.day() - interval '1 day'), '1=5 2=-0.975 3=0 4=0 5=6 6=0', 'rollup avg: as of earlier');
SELECT is(pg_temp.row_of('sum', '1'), '2 15 15', 'value: explain counts the rows that have one');
SELECT is(pg_temp.row_of('avg d', '2'), '2 -0.975 -0.4875', 'rollup: explain before and after decay');
SELECT pg_temp.all_agree('sum', 'avg', 'min', 'max', 'minus', 'sum d', 'avg d', 'min d', 'max d');

-- values of every type of number, with as_of, within a window
ALTER TABLE activities ADD COLUMN s smallint, ADD COLUMN b bigint, ADD COLUMN r real, ADD COLUMN f float8;
UPDATE activities SET s = 3, b = 4000000000, r = 0.5, f = 0.125 WHERE contact_id = 1 AND type = 'order';
SELECT pg_temp.scores('engagement', NULL, 'types', 'age', 'recent', 'constant');
SELECT pg_temp.rule('types', v, 'activity', $$type = 'order'$$, p, jsonb_build_object('value', v)) FROM (VALUES ('s', 1), ('b', 0.000001), ('r', 2), ('f', 8), ('s + f', 10), ('length(type)', 100)) AS x (v, p);
SELECT pg_temp.rule('age', 'r', 'activity', $$type = 'order'$$, 1, '{"value": "extract(epoch FROM as_of - occurred_at) / 86400"}'), pg_temp.rule('recent', 'r', 'activity', 'true', 1, '{"value": "amount", "within": "15 days"}'), pg_temp.rule('constant', 'r', 'activity', 'true', 2, '{"value": "1.5"}');
SELECT is(pg_temp.total('types', 1), 13608.75::float8, 'value: smallint, bigint, real, double precision: 9 + 12000 + 3 + 3 + 93.75 + 1500');
SELECT is(pg_temp.totals('age'), '1=15 2=60 3=0 4=0 5=60 6=0', 'value: with as_of');
SELECT is(pg_temp.totals('recent'), '1=157 2=0 3=0 4=0 5=0 6=0', 'value: in a window');
SELECT is(pg_temp.totals('constant'), '1=12 2=6 3=3 4=3 5=3 6=0', 'value: a constant');
SELECT pg_temp.all_agree('types', 'age', 'recent', 'constant');

-- once with value: bounds of the rollup, inclusive; E35, E11
TRUNCATE activities;
SELECT pg_temp.worth(1, 'talk', 2), pg_temp.worth(1, 'talk', 1, '15 days'), pg_temp.worth(2, 'talk', 2), pg_temp.worth(3, 'talk', 3), pg_temp.worth(3, 'talk', 1), pg_temp.worth(4, 'talk', -5), pg_temp.worth(5, 'other', 3), pg_temp.worth(6, 'talk', 0.1), pg_temp.worth(6, 'talk', 0.2), pg_temp.worth(6, 'talk', 0.7);
SELECT pg_temp.scores('engagement', NULL, 'e35', 'any', 'exactly 3', 'at most 2', 'avg >= 2', 'avg <= 2', 'min <= 0.1', 'max >= 2', '>= -5', '>= 0', '>= 1', '-10 to -1');
SELECT pg_temp.rule(s, 'r', 'activity', $$type = 'talk'$$, 10, jsonb_build_object('value', 'amount', 'counting', 'once') || o) FROM (VALUES ('e35', '{"at_least": 3}'::jsonb), ('any', '{}'), ('exactly 3', '{"at_least": 3, "at_most": 3}'), ('at most 2', '{"at_most": 2}'),
  ('avg >= 2', '{"rollup": "avg", "at_least": 2}'), ('avg <= 2', '{"rollup": "avg", "at_most": 2}'), ('min <= 0.1', '{"rollup": "min", "at_most": 0.1}'), ('max >= 2', '{"rollup": "max", "at_least": 2}'), ('>= -5', '{"at_least": -5}'), ('>= 0', '{"at_least": 0}'), ('>= 1', '{"at_least": 1}'), ('-10 to -1', '{"at_least": -10, "at_most": -1}')) AS v (s, o);
SELECT is(pg_temp.totals('e35'), '1=10 2=0 3=10 4=0 5=0 6=0', 'E35: three mentions in total, over any number of conversations');
SELECT is(pg_temp.totals('e35', pg_temp.day() - interval '1 second'), '1=0 2=0 3=0 4=0 5=0 6=0', 'E35: as of earlier');
SELECT is(pg_temp.totals('any'), '1=10 2=10 3=10 4=10 5=0 6=10', 'once with value without bounds: at least one matching row');
SELECT is(pg_temp.totals('exactly 3'), '1=10 2=0 3=0 4=0 5=0 6=0', 'once with value: both bounds inclusive');
SELECT is(pg_temp.totals('at most 2'), '1=0 2=10 3=0 4=10 5=10 6=10', 'once with value: at most includes a negative sum, and no rows, whose sum is 0');
SELECT is(pg_temp.totals('avg >= 2'), '1=0 2=10 3=10 4=0 5=0 6=0', 'once with value: mean, inclusive');
SELECT is(pg_temp.totals('avg <= 2'), '1=10 2=10 3=10 4=10 5=0 6=10', 'once with value: no rows have no mean');
SELECT is(pg_temp.totals('min <= 0.1'), '1=0 2=0 3=0 4=10 5=0 6=10', 'once with value: nor a least');
SELECT is(pg_temp.totals('max >= 2'), '1=10 2=10 3=10 4=0 5=0 6=0', 'once with value: greatest, inclusive');
SELECT is(pg_temp.totals('>= -5'), '1=10 2=10 3=10 4=10 5=10 6=10', 'once with value: a negative bound; no rows reach it');
SELECT is(pg_temp.totals('>= 0'), '1=10 2=10 3=10 4=0 5=10 6=10', 'once with value: no rows reach 0');
SELECT is(pg_temp.totals('>= 1'), '1=10 2=10 3=10 4=0 5=0 6=10', 'once with value, E11: 0.1 + 0.2 + 0.7 reaches 1');
SELECT is(pg_temp.totals('-10 to -1'), '1=0 2=0 3=0 4=10 5=0 6=0', 'once with value: both bounds negative');
SELECT pg_temp.all_agree('e35', 'any', 'exactly 3', 'at most 2', 'avg >= 2', 'avg <= 2', 'min <= 0.1', 'max >= 2', '>= -5', '>= 0', '>= 1', '-10 to -1');
SELECT pg_temp.worth(1, 'talk', 1);
SELECT is(pg_temp.total('e35', 1), 10::float8, 'E35: the rule pays once: a fourth mention changes nothing');
SELECT is(pg_temp.total('exactly 3', 1), 0::float8, 'once with value: left when the sum moves on');
UPDATE lead_scoring.score_group SET decay = '50% per month' WHERE score IN ('e35', 'at most 2');
SELECT is(pg_temp.totals('e35', pg_temp.day() + interval '15 days'), '1=7.5 2=0 3=7.5 4=0 5=0 6=0', 'E35 with decay: the age is that of the newest match');
SELECT is(pg_temp.totals('at most 2', pg_temp.day() + interval '15 days'), '1=0 2=7.5 3=0 4=7.5 5=10 6=7.5', 'once with value: without a match nothing fades');
SELECT is_empty($$SELECT s, d.* FROM unnest(ARRAY['e35', 'at most 2']) AS s, pg_temp.disagreements(s, pg_temp.day() + interval '15 days') AS d$$, 'E35 with decay: stored = evaluated = explained');

-- values of the record
TRUNCATE activities;
UPDATE contacts SET employees = 100 * id, revenue = CASE id WHEN 3 THEN NULL ELSE 1000.5 * id END, industry = CASE WHEN id < 5 THEN 'Retail' END;
UPDATE contacts SET employees = -20 WHERE id = 4;
SELECT pg_temp.scores('fit', NULL, 'own', 'own once', 'own any', 'own max');
SELECT pg_temp.rule('own', 'employees', NULL, $$industry = 'Retail'$$, 0.01, '{"counting": "each", "value": "employees"}'), pg_temp.rule('own', 'revenue', NULL, 'true', -1, '{"counting": "each", "value": "revenue"}'),
  pg_temp.rule('own once', 'r', NULL, $$industry = 'Retail'$$, 5, '{"value": "employees", "at_least": 100, "at_most": 200}'), pg_temp.rule('own any', 'r', NULL, 'true', 5, '{"counting": "once", "value": "revenue"}'), pg_temp.rule('own max', 'r', NULL, $$industry = 'Retail'$$, 0.5, '{"counting": "each", "value": "employees", "rollup": "max"}');
SELECT is(pg_temp.totals('own'), '1=-999.5 2=-1999 3=3 4=-4002.2 5=-5002.5 6=-6003', 'value of the record: points * value; NULL, or a criterion that does not hold, pays nothing');
SELECT is(pg_temp.totals('own once'), '1=5 2=5 3=0 4=0 5=0 6=0', 'value of the record, once: bounds inclusive');
SELECT is(pg_temp.totals('own any'), '1=5 2=5 3=0 4=5 5=5 6=5', 'value of the record, once without bounds: it has one');
SELECT is(pg_temp.totals('own max'), '1=50 2=100 3=150 4=-10 5=0 6=0', 'value of the record: the greatest of one');
SELECT is(pg_temp.row_of('own', '1'), '1 1 1, 1 -1000.5 -1000.5', 'value of the record: explain');
SELECT pg_temp.all_agree('own', 'own once', 'own any', 'own max');

-- a value must be finite
SELECT pg_temp.by_hand();
UPDATE contacts SET revenue = 'NaN' WHERE id = 2;
SELECT throws_ok($$SELECT * FROM lead_scoring.evaluate('own', pg_temp.day())$$, '22003', NULL, 'value NaN: an error');
SELECT matches(pg_temp.error_of($$SELECT * FROM lead_scoring.evaluate('own', pg_temp.day())$$), '^22003 .*"revenue".*"2"', 'value NaN: the error names rule and record');
SELECT throws_ok($$SELECT lead_scoring.refresh('own', pg_temp.day())$$, '22003', NULL, 'value NaN: refresh too');
UPDATE contacts SET revenue = 1 WHERE id = 2;
INSERT INTO activities (contact_id, type, f, occurred_at) VALUES (1, 'x', 1, pg_temp.day()), (3, 'x', 'Infinity', pg_temp.day());
SELECT pg_temp.scores('engagement', NULL, 'infinite');
SELECT pg_temp.rule('infinite', 'endless', 'activity', 'true', 1, '{"value": "f"}');
SELECT throws_ok($$SELECT * FROM lead_scoring.evaluate('infinite', pg_temp.day())$$, '22003', NULL, 'value Infinity: an error');
SELECT matches(pg_temp.error_of($$SELECT * FROM lead_scoring.evaluate('infinite', pg_temp.day())$$), '^22003 .*"endless".*"3"', 'value Infinity: the error names rule and record');
SELECT is((SELECT total FROM lead_scoring.evaluate('infinite', pg_temp.day(), ARRAY['1'])), 1::float8, 'value Infinity: no error for another record');
DELETE FROM activities;

-- E17 and other limits: so many in each interval, the newest ones
INSERT INTO activities (contact_id, type, occurred_at) SELECT 1, 'v', timestamptz '2026-01-30 00:00 UTC' + i * interval '57 minutes' FROM generate_series(0, 24) AS i;
INSERT INTO activities (contact_id, type, occurred_at) SELECT 2, 'v', timestamptz '2026-01-29 12:00 UTC' + i * interval '57 minutes' FROM generate_series(0, 24) AS i;
INSERT INTO activities (contact_id, type, occurred_at) VALUES (3, 'v', '2026-01-29 23:59:59.999999 UTC'), (3, 'v', '2026-01-30 00:00 UTC'), (4, 'v', '2026-01-25 23:59:59.999999 UTC'), (4, 'v', '2026-01-26 00:00 UTC'), (4, 'v', '2026-01-31 00:00 UTC'), (4, 'v', '2026-02-01 23:59 UTC'),
  (5, 'v', '2000-01-02 23:59 UTC'), (5, 'v', '2000-01-03 00:00 UTC'), (5, 'v', '1999-12-31 23:00 UTC'), (5, 'v', '2000-01-01 00:00 UTC'), (5, 'v', '-infinity'), (5, 'v', '-infinity');
SELECT pg_temp.scores('engagement', NULL, 'e17', 'one', 'weekly', 'two days', 'ever', 'days', 'minus 3', 'hourly');
SELECT pg_temp.rule(s, 'r', 'activity', $$type = 'v'$$, p, o::jsonb) FROM (VALUES ('e17', 1, '{"max_times": 20, "max_times_per": "1 day"}'), ('one', 1, '{"max_times": 1, "max_times_per": "1 day"}'), ('weekly', 1, '{"max_times": 1, "max_times_per": "7 days"}'),
  ('two days', 1, '{"max_times": 1, "max_times_per": "2 days"}'), ('ever', 5, '{"max_times": 3}'), ('days', 10, '{"counting": "once", "max_times": 1, "max_times_per": "1 day", "at_least": 2}'), ('minus 3', -3, '{"max_times": 2}'), ('hourly', 1, '{"max_times": 1, "max_times_per": "01:00"}')) AS v (s, p, o);
SELECT is(pg_temp.total('e17', 1), 20::float8, 'E17: daily cap 20: 25 equal events in one day -> 20');
SELECT is(pg_temp.total('e17', 2), 25::float8, 'E17: 13 and 12 on two days -> 25');
SELECT is(pg_temp.totals('one'), '1=1 2=2 3=2 4=3 5=5 6=0', 'max_times_per: days in UTC; before 2000, and infinitely long ago, too');
SELECT is(pg_temp.totals('weekly'), '1=1 2=1 3=1 4=2 5=3 6=0', 'max_times_per: weeks from Monday');
SELECT is(pg_temp.totals('two days'), '1=1 2=2 3=2 4=3 5=4 6=0', 'max_times_per: intervals of two days, counted from Monday 2000-01-03');
SELECT is(pg_temp.totals('hourly'), '1=23 2=23 3=2 4=3 5=5 6=0', 'max_times_per: hours');
SELECT is(pg_temp.totals('ever'), '1=15 2=15 3=10 4=15 5=15 6=0', 'max_times without an interval: in all time');
SELECT is(pg_temp.totals('minus 3'), '1=-6 2=-6 3=-6 4=-6 5=-6 6=0', 'max_times: negative points');
SELECT is(pg_temp.totals('days'), '1=0 2=10 3=10 4=10 5=10 6=0', 'once: the count is of the matches kept, so of days');
SELECT is(pg_temp.totals('one', '2026-02-02 UTC'), '1=1 2=2 3=2 4=4 5=5 6=0', 'max_times_per: as of later');
SET LOCAL TIME ZONE 'Asia/Tokyo';
SELECT is(pg_temp.totals('one'), '1=1 2=2 3=2 4=3 5=5 6=0', 'max_times_per: no effect of the time zone');
SET LOCAL TIME ZONE 'UTC';
SELECT pg_temp.all_agree('e17', 'one', 'weekly', 'two days', 'hourly', 'ever', 'minus 3', 'days');
INSERT INTO activities (contact_id, type, occurred_at) SELECT 1, 'v', '2026-01-30 23:59:59 UTC' FROM generate_series(1, 30);
SELECT is(pg_temp.total('e17', 1), 20::float8, 'E17: 30 more on that day -> 20');
INSERT INTO activities (contact_id, type, occurred_at) VALUES (1, 'v', '2026-01-31 00:00 UTC');
SELECT is(pg_temp.total('e17', 1), 21::float8, 'E17: one on the next -> 21');
SELECT pg_temp.all_agree('e17');

-- the newest pay: by decay, by value, in a window
TRUNCATE activities;
SELECT pg_temp.worth(1, 'v', 1), pg_temp.worth(1, 'v', 10, '15 days'), pg_temp.worth(1, 'v', 100, '30 days'), pg_temp.worth(1, 'v', 1000, '45 days'), pg_temp.worth(1, 'v', 5000, '-1 hour'), pg_temp.worth(2, 'v', 1, '15 days'), pg_temp.worth(2, 'v', 3, '15 days 1 hour'), pg_temp.worth(2, 'v', 5, '16 days');
SELECT pg_temp.scores('engagement', '50% per month', 'two d', 'two daily'), pg_temp.scores('engagement', NULL, 'two v', 'two w');
SELECT pg_temp.rule('two d', 'r', 'activity', 'true', 10, '{"max_times": 2}'), pg_temp.rule('two daily', 'r', 'activity', 'true', 10, '{"max_times": 1, "max_times_per": "1 day", "value": "amount"}'),
  pg_temp.rule('two v', 'r', 'activity', 'true', 1, '{"max_times": 2, "value": "amount"}'), pg_temp.rule('two w', 'r', 'activity', 'true', 1, '{"max_times": 2, "value": "amount", "until": "2026-01-16 00:00 UTC"}');
SELECT is(pg_temp.total('two d', 1), 17.5::float8, 'max_times with decay: the two newest, 10 + 7.5');
SELECT is(pg_temp.total('two daily', 1), (10 + 75 + 500 + 2500)::float8, 'max_times_per with decay and value: every day one');
SELECT is(pg_temp.total('two daily', 2), round((7.5 + 3 * 10 * (1 - 0.5 * (15 + 1 / 24.0) / 30))::numeric, 4)::float8, 'max_times_per: of a day the newest: 15 days old, and 15 days 1 hour (the day before)');
SELECT is(pg_temp.totals('two v'), '1=11 2=4 3=0 4=0 5=0 6=0', 'max_times with value: the newest two');
SELECT is(pg_temp.totals('two v', pg_temp.day() + interval '1 hour'), '1=5001 2=4 3=0 4=0 5=0 6=0', 'max_times: as of later');
SELECT is(pg_temp.totals('two v', pg_temp.day() - interval '15 days'), '1=110 2=4 3=0 4=0 5=0 6=0', 'max_times: as of earlier');
SELECT is(pg_temp.totals('two w'), '1=1100 2=8 3=0 4=0 5=0 6=0', 'max_times: the newest in the window');
SELECT pg_temp.all_agree('two d', 'two daily', 'two v', 'two w');

-- D17: every n
TRUNCATE activities;
SELECT pg_temp.act(n, 'view', 1, NULL, i * interval '1 hour') FROM (VALUES (1, 4), (2, 5), (3, 9), (4, 10), (5, 12)) AS v (n, views), generate_series(1, views) AS i;
SELECT pg_temp.scores('engagement', NULL, 'every', 'every in', 'once 5'), pg_temp.scores('engagement', '50% per month', 'every d');
SELECT pg_temp.rule('every', 'r', 'activity', $$type = 'view'$$, 10, '{"every_n": 5}'), pg_temp.rule('once 5', 'r', 'activity', $$type = 'view'$$, 10, '{"counting": "once", "at_least": 5}'),
  pg_temp.rule('every in', 'r', 'activity', $$type = 'view'$$, 10, '{"every_n": 5, "within": "9 hours"}'), pg_temp.rule('every d', 'r', 'activity', 'true', 10, '{"every_n": 2}');
SELECT is(pg_temp.totals('every'), '1=0 2=10 3=10 4=20 5=20 6=0', 'D17: 10 per 5 views');
SELECT is(pg_temp.totals('once 5'), '1=0 2=10 3=10 4=10 5=10 6=0', 'D17: once at 5 views');
SELECT is(pg_temp.totals('every', pg_temp.day() - interval '8 hours'), '1=0 2=0 3=0 4=0 5=10 6=0', 'every_n: as of earlier');
SELECT is(pg_temp.totals('every in'), '1=0 2=10 3=10 4=10 5=10 6=0', 'every_n: counts what is in the window');
SELECT is(pg_temp.row_of('every', '4'), '10 20 20', 'every_n: explain counts the matches');
SELECT pg_temp.all_agree('every', 'once 5', 'every in');
TRUNCATE activities;
SELECT pg_temp.act(1, 'view', 1, NULL, a), pg_temp.act(2, 'view', 1, NULL, a) FROM unnest(ARRAY['60 days', '45 days', '30 days', '15 days']::interval[]) AS a;
SELECT pg_temp.act(2, 'view'), pg_temp.act(3, 'view', 2, NULL, '15 days');
SELECT is(pg_temp.totals('every d'), '1=10 2=10 3=7.5 4=0 5=0 6=0', 'every_n with decay: the ages of the 2nd and 4th in the order of time: 2.5 + 7.5; a fifth changes nothing');
SELECT pg_temp.act(2, 'view');
SELECT is(pg_temp.total('every d', 2), 20::float8, 'every_n with decay: a sixth does');
SELECT pg_temp.act(1, 'view', 1, NULL, '90 days');
SELECT is(pg_temp.total('every d', 1), 5::float8, 'every_n with decay: an older one moves the second and fourth to 60 and 30 days');
SELECT pg_temp.all_agree('every d');

-- F73: sequences
TRUNCATE activities;
CREATE FUNCTION pg_temp.seq(contact int, VARIADIC steps text[]) RETURNS void LANGUAGE sql AS $$
  INSERT INTO activities (contact_id, type, occurred_at) SELECT $1, split_part(s, ' ', 1), pg_temp.day() - interval '240 hours' + split_part(s, ' ', 2)::interval FROM unnest($2) AS s
$$;
DELETE FROM contacts;
INSERT INTO contacts (id) SELECT generate_series(1, 12);
SELECT pg_temp.seq(1, 'register 00:00', 'complete 24:00'), pg_temp.seq(2, 'register 00:00', 'complete 24:00:00.000001'), pg_temp.seq(3, 'complete 05:00', 'register 05:00'), pg_temp.seq(4, 'complete 04:00', 'register 05:00'),
  pg_temp.seq(5, 'register 00:00', 'register 01:00', 'complete 02:00', 'complete 03:00'), pg_temp.seq(6, 'register 00:00', 'complete 01:00', 'register 02:00', 'complete 03:00', 'register 04:00'), pg_temp.seq(7, 'register 00:00', 'register 23:00', 'complete 30:00', 'other 31:00'),
  pg_temp.seq(8, 'register 00:00', 'complete 25:00', 'complete 26:00', 'register 27:00', 'other 28:00', 'complete 29:00'), pg_temp.seq(9, 'register 230:00', 'complete 241:00'), pg_temp.seq(10, 'complete 01:00', 'complete 02:00'), pg_temp.seq(11, 'register 01:00', 'register 02:00');
INSERT INTO activities (contact_id, type, occurred_at) VALUES (12, 'register', '-infinity'), (12, 'complete', '2026-01-01 UTC');
SELECT pg_temp.scores('engagement', NULL, 'fast', 'twice', 'late', 'newest', 'any two'), pg_temp.scores('engagement', '50% per month', 'fast d', 'fast once');
SELECT pg_temp.rule(s, 'r', 'activity', $$type = 'register'$$, 10, jsonb_build_object('followed_by', $$type = 'complete'$$, 'followed_within', '1 day') || o::jsonb) FROM (VALUES ('fast', '{}'), ('twice', '{"counting": "once", "at_least": 2}'), ('late', '{"since": "2026-01-21 02:30 UTC"}'), ('newest', '{"max_times": 1}'), ('fast d', '{}'), ('fast once', '{"counting": "once"}')) AS v (s, o);
SELECT pg_temp.rule('any two', 'r', 'activity', $$type = 'register'$$, 1, $${"followed_by": "type IN ('register', 'other')", "followed_within": "30 hours"}$$);
SELECT is(pg_temp.totals('fast'), '1=10 2=0 3=10 4=0 5=10 6=20 7=10 8=10 9=0 10=0 11=0 12=0', 'F73: within 24 hours exactly, at the same time, not before; each event is used once, a closing one closes all that are open');
SELECT is(pg_temp.totals('fast', pg_temp.day() + interval '1 hour'), '1=10 2=0 3=10 4=0 5=10 6=20 7=10 8=10 9=10 10=0 11=0 12=0', 'F73: as of later');
SELECT is(pg_temp.totals('twice'), '1=0 2=0 3=0 4=0 5=0 6=10 7=0 8=0 9=0 10=0 11=0 12=0', 'sequence, once: at least two pairs');
SELECT is(pg_temp.totals('late'), '1=10 2=0 3=10 4=0 5=0 6=10 7=10 8=10 9=0 10=0 11=0 12=0', 'sequence: the window judges the closing event; what it opened may be older, what was closed stays closed');
SELECT is(pg_temp.totals('newest'), '1=10 2=0 3=10 4=0 5=10 6=10 7=10 8=10 9=0 10=0 11=0 12=0', 'sequence: max_times counts pairs');
SELECT is(pg_temp.totals('any two'), '1=0 2=0 3=0 4=0 5=1 6=1 7=1 8=1 9=0 10=0 11=1 12=0', 'sequence: an event that opens and closes is used once');
SELECT is(pg_temp.total('fast d', 1), 8.5::float8, 'sequence with decay: the time of the closing event, 9 days ago');
SELECT is(pg_temp.total('fast d', 6), round((20 - 10 * 0.5 * (239 + 237) / 720.0)::numeric, 4)::float8, 'sequence with decay: each pair by its own age');
SELECT is(pg_temp.total('fast once', 6), round((10 - 10 * 0.5 * 237 / 720.0)::numeric, 4)::float8, 'sequence, once, with decay: the newest pair');
SELECT is(pg_temp.row_of('fast', '6'), '2 20 20', 'sequence: explain counts the pairs');
SELECT pg_temp.all_agree('fast', 'twice', 'late', 'newest', 'any two', 'fast d', 'fast once');
DELETE FROM activities WHERE contact_id = 5 AND type = 'register' AND occurred_at = pg_temp.day() - interval '239 hours';
SELECT is(pg_temp.total('fast', 5), 10::float8, 'sequence: without the later opening the first is taken');
DELETE FROM activities WHERE contact_id = 6 AND occurred_at = pg_temp.day() - interval '239 hours';
SELECT is(pg_temp.total('fast', 6), 10::float8, 'sequence: without the closing event one pair is left');
SELECT pg_temp.all_agree('fast');
-- four visits make two pairs, and so do five
TRUNCATE activities;
SELECT pg_temp.seq(i, VARIADIC (ARRAY['visit 01:00', 'visit 02:00', 'visit 03:00', 'visit 04:00', 'visit 05:00'])[1:i]) FROM generate_series(1, 5) AS i;
SELECT pg_temp.seq(6, 'visit 01:00', 'visit 03:00', 'visit 04:00');
SELECT pg_temp.scores('engagement', NULL, 'pairs');
SELECT pg_temp.rule('pairs', 'r', 'activity', 'true', 1, '{"followed_by": "true", "followed_within": "01:00"}');
SELECT is(pg_temp.totals('pairs'), '1=0 2=1 3=1 4=2 5=2 6=1 7=0 8=0 9=0 10=0 11=0 12=0', 'sequence of equals: every event is used once; too late to close, it opens');
SELECT pg_temp.all_agree('pairs');

-- D16, E36: quiet time
TRUNCATE activities;
SELECT pg_temp.act(1, 'call', 1, NULL, '30 days'), pg_temp.act(2, 'call', 1, NULL, '29 days 23:59:59.999999'), pg_temp.act(3, 'call', 1, NULL, '60 days'), pg_temp.act(3, 'call', 1, NULL, '300 days'), pg_temp.act(4, 'call', 1, NULL, '100 days'), pg_temp.act(5, 'call', 1, NULL, '40 days'), pg_temp.act(5, 'form'),
  pg_temp.act(6, 'call', 1, NULL, '-1 microsecond'), pg_temp.act(8, 'call');
SELECT pg_temp.scores('engagement', NULL, 'penalty', 'repeated', 'thrice', 'calls'), pg_temp.scores('engagement', '50% per month', 'faded');
SELECT pg_temp.rule(s, 'r', 'activity', c, -5, '{"counting": "quiet", "within": "30 days"}'::jsonb || o::jsonb) FROM (VALUES ('penalty', 'true', '{"max_times": 1}'), ('repeated', 'true', '{}'), ('thrice', 'true', '{"max_times": 2}'), ('calls', $$type = 'call'$$, '{"max_times": 1}'), ('faded', 'true', '{"within": "1 month"}')) AS v (s, c, o);
SELECT is(pg_temp.totals('penalty'), '1=-5 2=0 3=-5 4=-5 5=0 6=-5 7=-5 8=0 9=-5 10=-5 11=-5 12=-5', 'D16: -5 after 30 days exactly, once; none without an event too, and the future does not count');
SELECT is(pg_temp.totals('repeated'), '1=-5 2=0 3=-10 4=-15 5=0 6=-5 7=-5 8=0 9=-5 10=-5 11=-5 12=-5', 'D16: per full 30 days; a record without any event counts as one period');
SELECT is(pg_temp.totals('thrice'), '1=-5 2=0 3=-10 4=-10 5=0 6=-5 7=-5 8=0 9=-5 10=-5 11=-5 12=-5', 'D16: at most max_times periods');
SELECT is(pg_temp.totals('calls'), '1=-5 2=0 3=-5 4=-5 5=-5 6=-5 7=-5 8=0 9=-5 10=-5 11=-5 12=-5', 'quiet: only matching events end it');
SELECT is(pg_temp.totals('faded'), pg_temp.totals('repeated'), 'quiet: never fades');
SELECT is(pg_temp.totals('repeated', pg_temp.day() + interval '30 days'), '1=-10 2=-5 3=-15 4=-20 5=-5 6=0 7=-5 8=-5 9=-5 10=-5 11=-5 12=-5', 'quiet: time passes');
SELECT pg_temp.all_agree('penalty', 'repeated', 'thrice', 'calls', 'faded');
SELECT pg_temp.act(4, 'visit');
SELECT is(pg_temp.total('repeated', 4), 0::float8, 'D16: an event ends it');
SELECT pg_temp.all_agree('repeated');
TRUNCATE activities;
SELECT pg_temp.act(1, 'product_page', 5, NULL, '31 days'), pg_temp.act(1, 'webinar', 1, NULL, '30 days');
SELECT pg_temp.scores('engagement', NULL, 'e36');
SELECT pg_temp.rule('e36', 'views', 'activity', $$type = 'product_page'$$, 10, '{"counting": "once", "at_least": 5}'), pg_temp.rule('e36', 'webinar', 'activity', $$type = 'webinar'$$, 15), pg_temp.rule('e36', 'silence', 'activity', 'true', -5, '{"counting": "quiet", "within": "30 days", "max_times": 1}');
SELECT is(pg_temp.total('e36', 1), 20::float8, 'E36: 5 views (+10), webinar (+15), then 30 quiet days (-5) -> 20');
SELECT is(pg_temp.total('e36', 1, pg_temp.day() - interval '1 second'), 25::float8, 'E36: a second before');
SELECT pg_temp.act(1, 'email_open', 1, NULL, '-1 day');
SELECT is(pg_temp.total('e36', 1, pg_temp.day() + interval '1 day'), 25::float8, 'E36: a new event on day 31 removes the -5');
SELECT is(pg_temp.total('e36', 1, pg_temp.day() + interval '30 days'), 25::float8, 'E36: for less than 30 days');
SELECT is(pg_temp.total('e36', 1, pg_temp.day() + interval '31 days'), 20::float8, 'E36: and then it is back');
SELECT pg_temp.all_agree('e36');

-- B31: validity, by as_of
TRUNCATE activities;
SELECT pg_temp.act(1, 'x', 1, NULL, '20 days');
SELECT pg_temp.scores('engagement', NULL, 'valid', 'quiet valid');
SELECT pg_temp.rule('valid', 'from', 'activity', 'true', 1, '{"valid_from": "2026-01-31 00:00 UTC"}'), pg_temp.rule('valid', 'to', 'activity', 'true', 10, '{"valid_to": "2026-01-31 00:00 UTC"}'), pg_temp.rule('valid', 'both', 'activity', 'true', 100, '{"valid_from": "2026-01-30 UTC", "valid_to": "2026-02-01 UTC"}'),
  pg_temp.rule('valid', 'ever', 'activity', 'true', 1000, '{"valid_from": "-infinity", "valid_to": "infinity"}'), pg_temp.rule('valid', 'off', 'activity', 'true', 10000, '{"enabled": false, "valid_from": "2026-01-01 UTC"}'),
  pg_temp.rule('quiet valid', 'r', 'activity', $$type = 'y'$$, -1, '{"counting": "quiet", "within": "1 day", "valid_to": "2026-01-31 00:00 UTC"}'), pg_temp.rule('quiet valid', 'none', 'activity', $$type = 'y'$$, 2, '{"counting": "once", "at_most": 0, "valid_from": "2026-02-01 UTC"}');
SELECT is(pg_temp.total('valid', 1), 1101::float8, 'B31: valid_from is inclusive, valid_to exclusive');
SELECT is(pg_temp.total('valid', 1, pg_temp.day() - interval '1 microsecond'), 1110::float8, 'B31: a microsecond before');
SELECT is(pg_temp.total('valid', 1, '2026-02-01 UTC'), 1001::float8, 'B31: later');
SELECT is(pg_temp.total('valid', 1, '2026-01-29 UTC'), 1010::float8, 'B31: earlier; events of any time count while the rule is in force');
SELECT is(pg_temp.total('quiet valid', 2), 0::float8, 'B31: out of force, quiet time and too few events pay nothing either');
SELECT is(pg_temp.total('quiet valid', 2, pg_temp.day() - interval '1 day'), -1::float8, 'B31: in force, quiet time does');
SELECT is(pg_temp.total('quiet valid', 2, '2026-02-01 UTC'), 2::float8, 'B31: and too few events');
SELECT pg_temp.all_agree('valid', 'quiet valid');
SELECT is_empty($$SELECT * FROM pg_temp.disagreements('valid', '2026-02-01 UTC')$$, 'B31, later: stored = evaluated = explained');

-- D12: one recency group, 100 = active now
TRUNCATE activities;
SELECT pg_temp.act(1, 'x'), pg_temp.act(1, 'x', 3, NULL, '10 days'), pg_temp.act(2, 'y', 2, NULL, '30 days'), pg_temp.act(3, 'x', 1, NULL, '60 days');
SELECT pg_temp.scores('engagement', '50% per month', 'recency');
SELECT pg_temp.rule('recency', 'r', 'activity', 'true', 100, '{"counting": "once"}');
SELECT is(pg_temp.totals('recency'), '1=100 2=50 3=0 4=0 5=0 6=0 7=0 8=0 9=0 10=0 11=0 12=0', 'D12: 100 points that fade with the age of the newest event');
SELECT pg_temp.all_agree('recency');

SELECT * FROM finish();
ROLLBACK;
