-- Frequency rules and windows: examples E13 to E16, D6, D28, D29
BEGIN;
\ir include/crm.psql
SELECT plan(43);

-- contact n has n events, of which the newest is the oldest of the next
INSERT INTO contacts (id) SELECT generate_series(0, 12);
SELECT pg_temp.act(n, 'product_page', 1, NULL, i * interval '1 hour') FROM generate_series(1, 12) AS n, generate_series(1, n) AS i;

SELECT pg_temp.simple('e13', 'engagement');
INSERT INTO lead_scoring.rule (score, group_name, name, source, criterion, points, counting, at_least) VALUES ('e13', 'all', 'five views', 'activity', $$type = 'product_page'$$, 10, 'once', 5);
SELECT is(pg_temp.total('e13', 4), 0::float8, 'E13: 4 views -> 0');
SELECT is(pg_temp.total('e13', 5), 10::float8, 'E13: 5 views -> 10');
SELECT is(pg_temp.total('e13', 12), 10::float8, 'E13: 12 views -> 10');
SELECT is_empty($$SELECT * FROM pg_temp.disagreements('e13')$$, 'E13: stored = evaluated = explained');
SELECT results_eq($$SELECT matched, raw, decayed FROM lead_scoring.explain('e13', '12', pg_temp.day()) WHERE level = 'rule'$$,
  $$VALUES (12::bigint, 10::float8, 10::float8)$$, 'E13: explain counts all 12 and pays once');
SELECT results_eq($$SELECT matched, raw, decayed FROM lead_scoring.explain('e13', '4', pg_temp.day()) WHERE level = 'rule'$$,
  $$VALUES (4::bigint, 0::float8, 0::float8)$$, 'E13: explain counts 4 and pays nothing');

SELECT pg_temp.simple(name, 'engagement') FROM (VALUES ('exactly 3'), ('2 to 4'), ('at most 2'), ('1 to 2'), ('at most 0'), ('any')) AS v (name);
INSERT INTO lead_scoring.rule (score, group_name, name, source, criterion, points, counting, at_least, at_most) VALUES
  ('exactly 3', 'all', 'r', 'activity', $$type = 'product_page'$$, 1, 'once', 3, 3),
  ('2 to 4', 'all', 'r', 'activity', $$type = 'product_page'$$, 1, 'once', 2, 4),
  ('at most 2', 'all', 'r', 'activity', $$type = 'product_page'$$, 1, 'once', NULL, 2),
  ('1 to 2', 'all', 'r', 'activity', $$type = 'product_page'$$, 1, 'once', 1, 2),
  ('at most 0', 'all', 'r', 'activity', $$type = 'product_page'$$, 1, 'once', NULL, 0),
  ('any', 'all', 'r', 'activity', $$type = 'product_page'$$, 1, 'once', NULL, NULL);
SELECT is(pg_temp.totals('exactly 3'), '0=0 1=0 2=0 3=1 4=0 5=0 6=0 7=0 8=0 9=0 10=0 11=0 12=0', 'E14: exactly 3: 2 no, 3 yes, 4 no');
SELECT is(pg_temp.totals('2 to 4'), '0=0 1=0 2=1 3=1 4=1 5=0 6=0 7=0 8=0 9=0 10=0 11=0 12=0', 'E14: between 2 and 4: 1 no, 2 yes, 4 yes, 5 no');
SELECT is(pg_temp.totals('at most 2'), '0=1 1=1 2=1 3=0 4=0 5=0 6=0 7=0 8=0 9=0 10=0 11=0 12=0', 'E14: at most 2: 0 yes, 2 yes, 3 no');
SELECT is(pg_temp.totals('1 to 2'), '0=0 1=1 2=1 3=0 4=0 5=0 6=0 7=0 8=0 9=0 10=0 11=0 12=0', 'D6: a lower bound excludes zero events');
SELECT is(pg_temp.totals('at most 0'), '0=1 1=0 2=0 3=0 4=0 5=0 6=0 7=0 8=0 9=0 10=0 11=0 12=0', 'D6: at most 0 is none');
SELECT is(pg_temp.totals('any'), '0=0 1=1 2=1 3=1 4=1 5=1 6=1 7=1 8=1 9=1 10=1 11=1 12=1', 'once without bounds: at least one');
SELECT is_empty($$SELECT s, d.* FROM unnest(ARRAY['exactly 3', '2 to 4', 'at most 2', '1 to 2', 'at most 0', 'any']) AS s, pg_temp.disagreements(s) AS d$$, 'E14: stored = evaluated = explained');

-- E14: left when the count moves on, in the stored columns too
SELECT results_eq($$SELECT id, "exactly 3", "2 to 4", "at most 2" FROM contacts WHERE id IN (2, 3, 4) ORDER BY id$$,
  $$VALUES (2, 0::float8, 1::float8, 1::float8), (3, 1, 1, 0), (4, 0, 1, 0)$$, 'E14: stored before');
SELECT pg_temp.act(n, 'product_page') FROM unnest(ARRAY[2, 3, 4]) AS n;
SELECT lead_scoring.refresh(s, pg_temp.day()) FROM unnest(ARRAY['exactly 3', '2 to 4', 'at most 2']) AS s;
SELECT results_eq($$SELECT id, "exactly 3", "2 to 4", "at most 2" FROM contacts WHERE id IN (2, 3, 4) ORDER BY id$$,
  $$VALUES (2, 1::float8, 1::float8, 0::float8), (3, 0, 1, 0), (4, 0, 0, 0)$$, 'E14: one event more: exactly 3 is entered and left, 2 to 4 and at most 2 are left');
DELETE FROM activities WHERE contact_id IN (2, 3, 4) AND occurred_at = pg_temp.day();
SELECT lead_scoring.refresh(s, pg_temp.day()) FROM unnest(ARRAY['exactly 3', '2 to 4', 'at most 2']) AS s;
SELECT results_eq($$SELECT id, "exactly 3", "2 to 4", "at most 2" FROM contacts WHERE id IN (2, 3, 4) ORDER BY id$$,
  $$VALUES (2, 0::float8, 1::float8, 1::float8), (3, 1, 1, 0), (4, 0, 1, 0)$$, 'E14: and back again when the event is deleted');
SELECT is(pg_temp.totals('exactly 3', pg_temp.day() - interval '2 hours'), '0=0 1=0 2=0 3=0 4=1 5=0 6=0 7=0 8=0 9=0 10=0 11=0 12=0', 'E14: counts are as of the instant');

-- E15
TRUNCATE contacts, activities;
INSERT INTO contacts (id) SELECT generate_series(1, 9);
INSERT INTO activities (contact_id, type, occurred_at) VALUES
  (1, 'visit', '2026-01-01 00:00:00 UTC'), (2, 'visit', '2025-12-31 23:59:59 UTC'), (3, 'visit', '2025-12-31 23:59:59.999999 UTC'), (4, 'visit', '2026-01-01 00:00:00.000001 UTC'),
  (5, 'visit', '2026-01-31 00:00:00 UTC'), (6, 'visit', '2026-01-31 00:00:00.000001 UTC'), (7, 'visit', '2027-01-01 00:00:00 UTC'), (8, 'visit', 'infinity'), (9, 'visit', '-infinity');
SELECT pg_temp.simple(s, 'engagement') FROM unnest(ARRAY['e15', 'month', 'all time', 'minute', 'year']) AS s;
INSERT INTO lead_scoring.rule (score, group_name, name, source, points, within) VALUES
  ('e15', 'all', 'r', 'activity', 1, '30 days'), ('month', 'all', 'r', 'activity', 1, '1 month'), ('all time', 'all', 'r', 'activity', 1, NULL), ('minute', 'all', 'r', 'activity', 1, '720:00'), ('year', 'all', 'r', 'activity', 1, '1 year');
SELECT is(pg_temp.totals('e15'), '1=1 2=0 3=0 4=1 5=1 6=0 7=0 8=0 9=0', 'E15: exactly 30 days counts, one second or microsecond earlier does not, nor the future');
SELECT is(pg_temp.totals('month'), pg_temp.totals('e15'), 'D4: a month is 30 days');
SELECT is(pg_temp.totals('minute'), pg_temp.totals('e15'), 'D4: 720 hours are 30 days');
SELECT is(pg_temp.totals('all time'), '1=1 2=1 3=1 4=1 5=1 6=0 7=0 8=0 9=1', 'D25: -infinity is infinitely old, +infinity and the future never count');
SELECT is_empty($$SELECT s, d.* FROM unnest(ARRAY['e15', 'month', 'all time', 'minute', 'year']) AS s, pg_temp.disagreements(s) AS d$$, 'E15: stored = evaluated = explained');
SELECT is(pg_temp.totals('e15', '2026-01-31 00:00:00.000001 UTC'), '1=0 2=0 3=0 4=1 5=1 6=1 7=0 8=0 9=0', 'E15: one microsecond later the oldest has left and the newest come in');
TRUNCATE activities;
INSERT INTO activities (contact_id, type, occurred_at) VALUES (1, 'visit', pg_temp.day() - interval '360 days'), (2, 'visit', pg_temp.day() - interval '360 days 0.000001 seconds');
SELECT is(pg_temp.totals('year'), '1=1 2=0 3=0 4=0 5=0 6=0 7=0 8=0 9=0', 'D4: a year is 360 days');
SET LOCAL TIME ZONE 'America/New_York';
UPDATE lead_scoring.rule SET within = '200 days' WHERE score = 'year';
UPDATE activities SET occurred_at = pg_temp.day() - interval '4800 hours' - CASE contact_id WHEN 2 THEN interval '1 microsecond' ELSE '0' END;
SELECT is(pg_temp.totals('year'), '1=1 2=0 3=0 4=0 5=0 6=0 7=0 8=0 9=0', 'D4: no effect of the time zone: a change to daylight saving time lies between');
SET LOCAL TIME ZONE 'UTC';

-- since and until: half open
TRUNCATE activities;
INSERT INTO activities (contact_id, type, occurred_at) VALUES
  (1, 'visit', '2026-01-10 00:00 UTC'), (2, 'visit', '2026-01-09 23:59:59.999999 UTC'), (3, 'visit', '2026-01-20 00:00 UTC'), (4, 'visit', '2026-01-19 23:59:59.999999 UTC'), (5, 'visit', '2026-01-15 UTC'), (6, 'visit', '-infinity');
SELECT pg_temp.simple(s, 'engagement') FROM unnest(ARRAY['since', 'until', 'between', 'from the beginning', 'once', 'empty']) AS s;
INSERT INTO lead_scoring.rule (score, group_name, name, source, points, since, until, within, counting) VALUES
  ('since', 'all', 'r', 'activity', 1, '2026-01-10 00:00 UTC', NULL, NULL, 'each'), ('until', 'all', 'r', 'activity', 1, NULL, '2026-01-20 00:00 UTC', NULL, 'each'),
  ('between', 'all', 'r', 'activity', 1, '2026-01-10 00:00 UTC', '2026-01-20 00:00 UTC', NULL, 'each'), ('from the beginning', 'all', 'r', 'activity', 1, '-infinity', 'infinity', NULL, 'each'),
  ('once', 'all', 'r', 'activity', 1, '2026-01-10 00:00 UTC', '2026-01-20 00:00 UTC', '17 days', 'once');
SELECT is(pg_temp.totals('since'), '1=1 2=0 3=1 4=1 5=1 6=0 7=0 8=0 9=0', 'since is inclusive');
SELECT is(pg_temp.totals('until'), '1=1 2=1 3=0 4=1 5=1 6=1 7=0 8=0 9=0', 'until is exclusive');
SELECT is(pg_temp.totals('between'), '1=1 2=0 3=0 4=1 5=1 6=0 7=0 8=0 9=0', 'since and until together');
SELECT is(pg_temp.totals('from the beginning'), '1=1 2=1 3=1 4=1 5=1 6=1 7=0 8=0 9=0', 'since -infinity and until infinity are no bounds');
SELECT is(pg_temp.totals('once'), '1=0 2=0 3=0 4=1 5=1 6=0 7=0 8=0 9=0', 'all three bounds with a rule that pays once');
SELECT is(pg_temp.totals('between', '2026-01-15 UTC'), '1=1 2=0 3=0 4=0 5=1 6=0 7=0 8=0 9=0', 'and never later than as_of');
SELECT is_empty($$SELECT s, d.* FROM unnest(ARRAY['since', 'until', 'between', 'from the beginning', 'once']) AS s, pg_temp.disagreements(s) AS d$$, 'windows: stored = evaluated = explained');

-- E16
TRUNCATE activities;
SELECT pg_temp.act(1, 'visit', 3), pg_temp.act(2, 'visit', 2), pg_temp.act(3, 'visit', 1);
SELECT pg_temp.simple('e16', 'engagement');
INSERT INTO lead_scoring.rule (score, group_name, name, source, criterion, points, counting, at_least) VALUES
  ('e16', 'all', 'visit', 'activity', $$type = 'visit'$$, 1, 'once', NULL), ('e16', 'all', 'three visits', 'activity', $$type = 'visit'$$, 5, 'once', 3);
SELECT is(pg_temp.totals('e16'), '1=6 2=1 3=1 4=0 5=0 6=0 7=0 8=0 9=0', 'E16: 3 visits -> 6');
SELECT is_empty($$SELECT * FROM pg_temp.disagreements('e16')$$, 'E16: stored = evaluated = explained');

-- D6: with decay the age is that of the newest qualifying event; without an event nothing fades
TRUNCATE activities;
SELECT pg_temp.act(1, 'visit', 1, NULL, '15 days'), pg_temp.act(1, 'visit', 1, NULL, '30 days'), pg_temp.act(1, 'other'), pg_temp.act(2, 'visit', 2, NULL, '30 days'),
  pg_temp.act(3, 'visit', 1, NULL, '15 days'), pg_temp.act(4, 'visit', 2, NULL, '60 days'), pg_temp.act(5, 'visit', 3, NULL, '60 days');
INSERT INTO activities (contact_id, type, occurred_at) VALUES (6, 'visit', '-infinity'), (6, 'visit', '-infinity'), (7, 'visit', 'infinity'), (8, 'visit', '-infinity'), (8, 'visit', pg_temp.day() - interval '30 days');
SELECT pg_temp.simple('freq', 'engagement', '50% per month');
SELECT pg_temp.simple('few', 'engagement', '50% per month');
SELECT pg_temp.simple('recent', 'engagement', '50% per month');
INSERT INTO lead_scoring.rule (score, group_name, name, source, criterion, points, counting, at_least, at_most, within) VALUES
  ('freq', 'all', 'r', 'activity', $$type = 'visit'$$, 10, 'once', 2, NULL, NULL),
  ('few', 'all', 'r', 'activity', $$type = 'visit'$$, 10, 'once', NULL, 1, NULL),
  ('recent', 'all', 'r', 'activity', $$type = 'visit'$$, 10, 'once', 1, NULL, '20 days');
SELECT is(pg_temp.totals('freq'), '1=7.5 2=5 3=0 4=0 5=0 6=0 7=0 8=5 9=0', 'D6: the age is that of the newest event that counts');
SELECT is(pg_temp.totals('few'), '1=0 2=0 3=7.5 4=0 5=0 6=0 7=10 8=0 9=10', 'D6: at most 1 with no event does not fade');
SELECT is(pg_temp.totals('recent'), '1=7.5 2=0 3=7.5 4=0 5=0 6=0 7=0 8=0 9=0', 'D29: window first, decay second');
SELECT results_eq($$SELECT matched, raw, decayed FROM lead_scoring.explain('freq', '1', pg_temp.day()) WHERE level = 'rule'$$,
  $$VALUES (2::bigint, 10::float8, 7.5::float8)$$, 'D6: explain gives the points before and after decay');
SELECT is_empty($$SELECT s, d.* FROM unnest(ARRAY['freq', 'few', 'recent']) AS s, pg_temp.disagreements(s) AS d$$, 'D6: stored = evaluated = explained');

-- D29 with every event of its own
TRUNCATE activities;
SELECT pg_temp.act(1, 'visit', 1, NULL, '15 days'), pg_temp.act(1, 'visit', 1, NULL, '30 days'), pg_temp.act(1, 'visit', 1, NULL, '30 days 1 microsecond');
SELECT pg_temp.simple('windowed', 'engagement', '50% per month');
INSERT INTO lead_scoring.rule (score, group_name, name, source, points, within) VALUES ('windowed', 'all', 'r', 'activity', 10, '30 days');
SELECT is(pg_temp.total('windowed', 1), 12.5::float8, 'D29: 7.5 + 5, the third is outside');
SELECT is((SELECT matched FROM lead_scoring.explain('windowed', '1', pg_temp.day()) WHERE level = 'rule'), 2::bigint, 'D29: explain counts what is inside');

-- fractional bounds
SELECT pg_temp.simple('fraction', 'engagement');
INSERT INTO lead_scoring.rule (score, group_name, name, source, points, counting, at_least, at_most) VALUES ('fraction', 'all', 'r', 'activity', 1, 'once', 2.5, 3.5);
SELECT is(pg_temp.total('fraction', 1), 1::float8, 'a count of 3 lies between 2.5 and 3.5');
SELECT is(pg_temp.total('fraction', 2), 0::float8, 'a count of 0 does not');

SELECT * FROM finish();
ROLLBACK;
