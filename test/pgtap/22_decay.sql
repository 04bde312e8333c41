-- Decay of points: examples E18 to E25, by rules and decay text, linear and stepwise
BEGIN;
\ir include/crm.psql
SELECT plan(44);

-- One event of 10 points for each age; the score is made, judged and compared for each decay
CREATE TABLE expected (example text, decay text, points float8, age interval, value float8);
INSERT INTO expected VALUES
  ('E18', '50% per month', 10, '0 days', 10), ('E18', '50% per month', 10, '15 days', 7.5), ('E18', '50% per month', 10, '30 days', 5), ('E18', '50% per month', 10, '45 days', 2.5),
  ('E18', '50% per month', 10, '60 days', 0), ('E18', '50% per month', 10, '400 days', 0),
  ('E18', '50% per month stepwise', 10, '0 days', 10), ('E18', '50% per month stepwise', 10, '15 days', 10), ('E18', '50% per month stepwise', 10, '29 days 23:59:59.999999', 10), ('E18', '50% per month stepwise', 10, '30 days', 5),
  ('E18', '50% per month stepwise', 10, '45 days', 5), ('E18', '50% per month stepwise', 10, '59 days 23:59:59.999999', 5), ('E18', '50% per month stepwise', 10, '60 days', 0), ('E18', '50% per month stepwise', 10, '400 days', 0),
  ('E19', '100% per 3 months', 2, '45 days', 1), ('E19', '100% per 3 months', 2, '90 days', 0), ('E19', '100% per 3 months', 2, '120 days', 0),
  ('E19', '100% per 3 months stepwise', 2, '45 days', 2), ('E19', '100% per 3 months stepwise', 2, '90 days', 0), ('E19', '100% per 3 months stepwise', 2, '120 days', 0),
  ('E20', '50% per year', 10, '360 days', 5), ('E20', '50% per year', 10, '720 days', 0), ('E20', '50% per 6 months', 10, '180 days', 5), ('E20', '50% per 6 months', 10, '360 days', 0),
  ('E20', '50% per year stepwise', 10, '359 days', 10), ('E20', '50% per year stepwise', 10, '360 days', 5), ('E20', '50% per year stepwise', 10, '720 days', 0), ('E20', '50% per 6 months stepwise', 10, '180 days', 5),
  ('E21', '50% per month', -10, '0 days', -10), ('E21', '50% per month', -10, '30 days', -5), ('E21', '50% per month', -10, '60 days', 0), ('E21', '50% per month', -10, '90 days', 0),
  ('E21', '50% per month stepwise', -10, '30 days', -5), ('E21', '50% per month stepwise', -10, '60 days', 0),
  ('E23', '20% per 72 hours exponential', 100, '36 hours', 89.4427), ('E23', '20% per 72 hours exponential', 100, '72 hours', 80), ('E23', '20% per 72 hours exponential', 100, '144 hours', 64),
  ('E23', '20% per 72 hours exponential', 100, '216 hours', 51.2), ('E23', '20% per 72 hours exponential', 100, '288 hours', 40.96), ('E23', '20% per 72 hours exponential', 100, '720 hours', 10.7374),
  ('E23', '20% per 72 hours', 100, '72 hours', 80), ('E23', '20% per 72 hours', 100, '144 hours', 60), ('E23', '20% per 72 hours', 100, '216 hours', 40), ('E23', '20% per 72 hours', 100, '288 hours', 20), ('E23', '20% per 72 hours', 100, '360 hours', 0),
  ('E24', '20% per 21 days exponential', 100, '21 days', 80), ('E24', '20% per 21 days exponential', 100, '42 days', 64), ('E24', '20% per 21 days exponential', 100, '63 days', 51.2), ('E24', '20% per 21 days exponential', 100, '90 days', 38.4301),
  ('half-life', 'half-life 7 days', 10, '0 days', 10), ('half-life', 'half-life 7 days', 10, '7 days', 5), ('half-life', 'half-life 7 days', 10, '14 days', 2.5), ('half-life', 'half-life 7 days', 10, '35 days', 0.3125),
  ('half-life', 'half-life 7 days', 10, '70000 days', 0), ('half-life', 'half-life 1 second', 1e9, '100 years', 0), ('E23', '99% per 1 second exponential', -100, '1000 days', 0),
  ('after', '50% per 30 days after 3 days', 10, '3 days', 10), ('after', '50% per 30 days after 3 days', 10, '18 days', 7.5), ('after', '50% per 30 days after 3 days', 10, '33 days', 5), ('after', '50% per 30 days after 3 days', 10, '63 days', 0),
  ('after', '50% per 30 days stepwise after 3 days', 10, '32 days 23:59:59.999999', 10), ('after', '50% per 30 days stepwise after 3 days', 10, '33 days', 5),
  ('after', 'half-life 7 days after 12 hours', 10, '12 hours', 10), ('after', 'half-life 7 days after 12 hours', 10, '7 days 12 hours', 5), ('after', '20% per 72 hours exponential after 3 days', 100, '144 hours', 80);

INSERT INTO contacts (id) SELECT row_number() OVER () FROM expected;
ALTER TABLE expected ADD COLUMN id int GENERATED ALWAYS AS IDENTITY;
SELECT pg_temp.act(id, 'x' || points, 1, NULL, age) FROM expected;
SELECT pg_temp.simple(decay, 'engagement', decay) FROM (SELECT DISTINCT decay FROM expected) AS d;
INSERT INTO lead_scoring.rule (score, group_name, name, source, criterion, points)
SELECT DISTINCT decay, 'all', points, 'activity', format('type = %L', 'x' || points), points FROM expected;
SELECT is((SELECT string_agg(format('%s %s at %s: %s, not %s', points, decay, age, pg_temp.total(decay, id), value), '; ') FROM expected WHERE example = e AND pg_temp.total(decay, id) IS DISTINCT FROM value),
  NULL, e || ': evaluate gives ' || n || ' values exactly')
  FROM (SELECT example AS e, count(*) AS n FROM expected GROUP BY 1 ORDER BY 1) AS x;
SELECT is_empty(format($$SELECT * FROM pg_temp.disagreements(%L)$$, d), d || ': stored = evaluated = explained')
  FROM (SELECT DISTINCT decay AS d FROM expected ORDER BY 1) AS x;
SELECT is_empty($$SELECT d, e.* FROM (SELECT DISTINCT decay AS d FROM expected) AS x, lead_scoring.evaluate(d, pg_temp.day()) AS e WHERE '-0' IN (total::text, engagement::text)$$,
  'no value is -0');

-- E22, D25
TRUNCATE contacts, activities;
INSERT INTO contacts (id) SELECT generate_series(1, 6);
SELECT pg_temp.act(1, 'x', 1, NULL, '30 days'), pg_temp.act(1, 'x', 1, NULL, '60 days');
INSERT INTO activities (contact_id, type, occurred_at) VALUES (2, 'x', '-infinity'), (3, 'x', 'infinity'), (4, 'x', pg_temp.day() + interval '1 day'), (5, 'x', '4713-01-01 BC'), (6, 'x', pg_temp.day());
SELECT pg_temp.simple('e22', 'engagement', '50% per month');
SELECT pg_temp.simple('e22s', 'engagement', '50% per month stepwise');
SELECT pg_temp.simple('e22h', 'engagement', 'half-life 30 days');
INSERT INTO lead_scoring.rule (score, group_name, name, source, points) SELECT s, 'all', 'x', 'activity', 10 FROM unnest(ARRAY['e22', 'e22s', 'e22h']) AS s;
SELECT is(pg_temp.totals('e22'), '1=5 2=0 3=0 4=0 5=0 6=10', 'E22: each event decays on its own: 5 + 0; the infinitely old is worth nothing, the future does not count');
SELECT is(pg_temp.totals('e22s'), '1=5 2=0 3=0 4=0 5=0 6=10', 'E22: stepwise too');
SELECT is(pg_temp.totals('e22h'), '1=7.5 2=0 3=0 4=0 5=0 6=10', 'two half-lives: 5 + 2.5');
SELECT is_empty($$SELECT s, d.* FROM unnest(ARRAY['e22', 'e22s', 'e22h']) AS s, pg_temp.disagreements(s) AS d$$, 'E22: stored = evaluated = explained');
SELECT results_eq($$SELECT matched, raw, decayed FROM lead_scoring.explain('e22', '1', pg_temp.day()) WHERE level = 'rule'$$, $$VALUES (2::bigint, 20::float8, 5::float8)$$, 'E22: explain: two events, 20 points, 5 left');
SELECT results_eq($$SELECT matched, raw, decayed FROM lead_scoring.explain('e22', '2', pg_temp.day()) WHERE level = 'rule'$$, $$VALUES (1::bigint, 10::float8, 0::float8)$$, 'D25: an event at -infinity matches and is worth nothing');
SELECT is(pg_temp.total('e22', 2, '4700-01-01 BC'), 0::float8, 'as_of thousands of years ago');
SELECT is(pg_temp.total('e22h', 1, '200000-01-01 UTC'), 0::float8, 'as_of in the far future');

-- E25
TRUNCATE activities;
SELECT pg_temp.act(1, 'x', 1), pg_temp.act(2, 'x', 1, NULL, '60 days');
SELECT lead_scoring.refresh('e22', pg_temp.day());
SELECT is((SELECT e22 FROM contacts WHERE id = 1), 10::float8, 'E25: stored today');
SELECT is(lead_scoring.refresh('e22', pg_temp.day() + interval '30 days'), 1::bigint, 'E25: 30 idle days later refresh writes the one row that changed');
SELECT is((SELECT e22 FROM contacts WHERE id = 1), 5::float8, 'E25: stored 30 days later without a write to the record');
SELECT is_empty($$SELECT * FROM lead_scoring.verify('e22', pg_temp.day() + interval '30 days')$$, 'E25: verify is empty');
SELECT results_eq($$SELECT record_key, stored_total, total FROM lead_scoring.verify('e22', pg_temp.day())$$, $$VALUES ('1', 5::float8, 10::float8)$$, 'E25: verify as of another instant shows the difference');
SELECT is(lead_scoring.refresh('e22', pg_temp.day() + interval '60 days'), 1::bigint, 'E25: again');
SELECT is(lead_scoring.refresh('e22', pg_temp.day() + interval '90 days'), 0::bigint, 'E25: at 0 nothing changes any more');

-- the limit of a group applies to the decayed sum
SELECT pg_temp.simple('limited', 'engagement', '50% per month', max_points => 12, min_points => -4);
INSERT INTO lead_scoring.rule (score, group_name, name, source, criterion, points) VALUES ('limited', 'all', 'x', 'activity', $$type = 'x'$$, 10), ('limited', 'all', 'y', 'activity', $$type = 'y'$$, -10);
TRUNCATE activities;
SELECT pg_temp.act(1, 'x', 2), pg_temp.act(2, 'x', 2, NULL, '15 days'), pg_temp.act(3, 'x', 2, NULL, '30 days'), pg_temp.act(4, 'y', 1, NULL, '15 days'), pg_temp.act(5, 'y', 1, NULL, '45 days'), pg_temp.act(6, 'y', 1), pg_temp.act(6, 'x', 1);
SELECT is(pg_temp.totals('limited'), '1=12 2=12 3=10 4=-4 5=-2.5 6=0', 'limits hold after decay, upper and lower');
SELECT is_empty($$SELECT * FROM pg_temp.disagreements('limited')$$, 'limited: stored = evaluated = explained');

SELECT * FROM finish();
ROLLBACK;
