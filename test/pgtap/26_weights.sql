-- Weights (E31), multipliers (E32 to E34, E37, D15), decay by segment (F33), grace (F34, D19), event factors
BEGIN;
\ir include/crm.psql
SELECT plan(84);

-- Makes a combined score with groups: name, kind, weight, decay
CREATE FUNCTION pg_temp.combined(score text, VARIADIC groups text[]) RETURNS void LANGUAGE sql AS $$
  INSERT INTO lead_scoring.score (name, record_type, kind) VALUES ($1, 'contact', 'combined');
  INSERT INTO lead_scoring.score_group (score, name, kind, weight) SELECT $1, split_part(g, ' ', 1), split_part(g, ' ', 2), nullif(split_part(g, ' ', 3), '')::float8 FROM unnest($2) AS g;
$$;
CREATE FUNCTION pg_temp.agrees(score text) RETURNS text LANGUAGE sql AS $$ SELECT is_empty(format('SELECT * FROM pg_temp.disagreements(%L)', $1), $1 || ': stored = evaluated = explained') $$;
-- total, fit and engagement of each record
CREATE FUNCTION pg_temp.all_parts(score text, as_of timestamptz DEFAULT pg_temp.day()) RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(format('%s=%s/%s/%s', record_key, total, fit, engagement), ' ' ORDER BY length(record_key), record_key) FROM lead_scoring.evaluate($1, $2)
$$;
-- The rows of explain that are not about one rule's points
CREATE FUNCTION pg_temp.chain(score text, record_key text) RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(format('%s%s %s: %s -> %s', level, ' ' || coalesce(rule, group_name), raw, decayed, clamped), '; ' ORDER BY step) FROM lead_scoring.explain($1, $2, pg_temp.day()) WHERE level <> 'rule'
$$;

-- E31
INSERT INTO contacts (id, employees, revenue, state) VALUES (1, 80, 60, '50'), (2, 100, 100, '100'), (3, -20, 0, '0');
ALTER TABLE contacts ADD COLUMN behaviour float8, ADD COLUMN capital numeric, ADD COLUMN dwell float8, ADD COLUMN mean_dwell float8;
SELECT pg_temp.simple('e31', 'fit');
DELETE FROM lead_scoring.score_group WHERE score = 'e31';
INSERT INTO lead_scoring.score_group (score, name, kind, weight) VALUES ('e31', 'attributes', 'fit', 0.3), ('e31', 'behaviour', 'fit', 0.5), ('e31', 'time', 'fit', 0.2), ('e31', 'one', 'fit', 1), ('e31', 'null', 'fit', NULL), ('e31', 'zero', 'fit', 0);
SELECT pg_temp.rule('e31', g, NULL, 'true', 1, jsonb_build_object('group_name', g, 'counting', 'each', 'value', v)) FROM (VALUES ('attributes', 'employees'), ('behaviour', 'revenue'), ('time', 'state::int'), ('zero', '1000')) AS x (g, v);
INSERT INTO lead_scoring.band (score, label, lower_bound) VALUES ('e31', 'A', 80), ('e31', 'B', 60), ('e31', 'C', NULL);
SELECT is(pg_temp.totals('e31'), '1=64 2=100 3=-6', 'E31: .30 * 80 + .50 * 60 + .20 * 50 = 64; a weight of 0 leaves nothing');
SELECT is(pg_temp.labels('e31'), '1=B 2=A 3=C', 'E31: grade B');
SELECT pg_temp.agrees('e31');
SELECT results_eq($$SELECT level, group_name, raw, decayed, clamped FROM lead_scoring.explain('e31', '1', pg_temp.day()) WHERE group_name = 'behaviour' ORDER BY step$$,
  $$VALUES ('rule', 'behaviour', 60::float8, 60::float8, 60::float8), ('group', 'behaviour', 60, 60, 60), ('weight', 'behaviour', 0.5, 60, 30)$$, 'E31: explain shows the weight after its group');
SELECT is_empty($$SELECT * FROM lead_scoring.explain('e31', '1', pg_temp.day()) WHERE level = 'weight' AND group_name = 'null'$$, 'weight NULL: no row of explain');
UPDATE lead_scoring.score_group SET max_points = 50, min_points = -10 WHERE score = 'e31' AND weight IS NOT NULL;
SELECT is(pg_temp.totals('e31'), '1=50 2=50 3=-3', 'the limits of a group come before its weight');
SELECT pg_temp.agrees('e31');

-- E32: long calls
DELETE FROM contacts;
INSERT INTO contacts (id) SELECT generate_series(1, 7);
CREATE FUNCTION pg_temp.call(contact int, outcome text, minutes numeric) RETURNS void LANGUAGE sql AS $$ INSERT INTO activities (contact_id, type, detail, amount, occurred_at) VALUES ($1, 'call', $2, $3, pg_temp.day() - interval '1 day') $$;
UPDATE contacts SET employees = CASE WHEN id = 7 THEN -60 ELSE 60 END;
SELECT pg_temp.call(1, 'connected', 9), pg_temp.call(2, 'connected', 9), pg_temp.call(2, 'missed', NULL), pg_temp.call(3, 'connected', 8.00), pg_temp.call(4, 'connected', 9), pg_temp.call(4, 'connected', 20), pg_temp.call(5, 'missed', 9), pg_temp.call(7, 'connected', 9);
SELECT pg_temp.combined('e32', 'base fit', 'calls engagement');
SELECT pg_temp.rule('e32', 'base', NULL, 'true', 1, '{"group_name": "base", "counting": "each", "value": "employees"}'), pg_temp.rule('e32', 'missed', 'activity', $$type = 'call' AND detail = 'missed'$$, -5, '{"group_name": "calls"}'),
  pg_temp.rule('e32', 'long call', 'activity', $$type = 'call' AND detail = 'connected' AND amount > 8$$, 1.5, '{"group_name": "calls", "effect": "multiply", "multiplies": "total"}');
SELECT is(pg_temp.totals('e32'), '1=90 2=82.5 3=60 4=90 5=55 6=60 7=-60', 'E32: one long call 90, and a missed one 82.5, exactly 8 minutes none, two long calls still x 1.5; a negative total is not lifted');
SELECT is(pg_temp.all_parts('e32'), '1=90/60/0 2=82.5/60/-5 3=60/60/0 4=90/60/0 5=55/60/-5 6=60/60/0 7=-60/-60/0', 'E32: the parts are before the multiplier of the total');
SELECT is((SELECT counting FROM lead_scoring.rule WHERE name = 'long call'), 'once', 'a multiplier counts once');
SELECT pg_temp.agrees('e32');
SELECT results_eq($$SELECT matched, raw, decayed, clamped, note FROM lead_scoring.explain('e32', '4', pg_temp.day()) WHERE level = 'rule' AND rule = 'long call'$$, $$VALUES (2::bigint, 0::float8, 0::float8, 0::float8, 'x 1.5 total')$$, 'E32: the rule itself has no points');
SELECT results_eq($$SELECT rule, raw, decayed, clamped, running_total FROM lead_scoring.explain('e32', '2', pg_temp.day()) WHERE level = 'multiplier'$$, $$VALUES ('long call', 1.5::float8, 55::float8, 82.5::float8, 82.5::float8)$$, 'E32: explain shows what the multiplier does');
SELECT is((SELECT running_total FROM lead_scoring.explain('e32', '2', pg_temp.day()) WHERE level = 'total'), 82.5::float8, 'E32: the running total ends at the total');

-- E33: attributes
SELECT pg_temp.by_hand();
DELETE FROM contacts;
INSERT INTO contacts (id, employees, capital, state) VALUES (1, 60, 10000001, NULL), (2, 60, 10000000, NULL), (3, 60, 10000001, 'Yangtze delta'), (4, 60, NULL, 'Yangtze delta'), (5, -60, 10000001, 'Yangtze delta'), (6, 0, 10000001, NULL);
TRUNCATE activities;
SELECT pg_temp.combined('e33', 'attributes fit', 'other engagement');
SELECT pg_temp.rule('e33', 'base', NULL, 'true', 1, '{"group_name": "attributes", "counting": "each", "value": "employees"}'), pg_temp.rule('e33', 'capital', NULL, 'capital > 10000000', 1.3, '{"group_name": "attributes", "effect": "multiply", "multiplies": "fit"}'),
  pg_temp.rule('e33', 'region', NULL, $$state = 'Yangtze delta'$$, 1.15, '{"group_name": "attributes", "effect": "multiply", "multiplies": "fit"}'), pg_temp.rule('e33', 'any', 'activity', 'true', 10, '{"group_name": "other"}');
SELECT pg_temp.act(1, 'x'), pg_temp.act(5, 'x');
SELECT is(pg_temp.all_parts('e33'), '1=88/78/10 2=60/60/0 3=89.7/89.7/0 4=69/69/0 5=-50/-60/10 6=0/0/0', 'E33: 10 000 001 -> 78, 10 000 000 -> 60, with region 60 x 1.3 x 1.15 = 89.7; the other part is not lifted');
SELECT pg_temp.agrees('e33');
SELECT is((SELECT count(*) FROM lead_scoring.explain('e33', '3', pg_temp.day()) WHERE level = 'multiplier'), 2::bigint, 'E33: explain shows both multipliers');
SELECT is(pg_temp.chain('e33', '1'), 'group attributes 60: 60 -> 60; fit : 60 -> 60; multiplier capital 1.3: 60 -> 78; group other 10: 10 -> 10; engagement : 10 -> 10; total : 88 -> 88', 'E33: explain adds up row by row');

-- E34: dwell time
DELETE FROM contacts;
INSERT INTO contacts (id, dwell, mean_dwell) VALUES (1, 30.1, 10), (2, 30, 10), (3, 30.1, NULL);
TRUNCATE activities;
SELECT pg_temp.act(i, 'view', 5) FROM generate_series(1, 3) AS i;
SELECT pg_temp.combined('e34', 'base fit', 'views engagement');
SELECT pg_temp.rule('e34', 'base', NULL, 'true', 7, '{"group_name": "base"}'), pg_temp.rule('e34', 'view', 'activity', 'true', 10, '{"group_name": "views"}'), pg_temp.rule('e34', 'dwell', NULL, 'dwell > 3 * mean_dwell', 1.4, '{"group_name": "base", "effect": "multiply", "multiplies": "engagement"}');
SELECT is(pg_temp.all_parts('e34'), '1=77/7/70 2=57/7/50 3=57/7/50', 'E34: 3.01 x the mean: 50 -> 70; 3.00 x: 50; a property lifts the behaviour');
SELECT pg_temp.agrees('e34');

-- E37: recency bonus
TRUNCATE activities;
SELECT pg_temp.act(1, 'x', 1, NULL, '30 days'), pg_temp.act(2, 'x', 1, NULL, '30 days 1 microsecond');
SELECT pg_temp.combined('e37', 'base fit', 'recent engagement');
SELECT pg_temp.rule('e37', 'base', NULL, 'true', 60, '{"group_name": "base"}'), pg_temp.rule('e37', 'recent', 'activity', 'true', 1.15, '{"group_name": "recent", "effect": "multiply", "multiplies": "total", "within": "30 days"}');
SELECT is(pg_temp.totals('e37'), '1=69 2=60 3=60', 'E37: score 60 with recency bonus -> 69');
SELECT is(pg_temp.total('e37', 1, pg_temp.day() + interval '1 microsecond'), 60::float8, 'E37: it ends with the window');
SELECT pg_temp.agrees('e37');

-- D15: the order of things. Groups of 40 limited to 30, weight 0.5, x 2; fit x 3; total x 1.5; + 10; at most 100
DELETE FROM contacts;
INSERT INTO contacts (id) VALUES (1);
INSERT INTO lead_scoring.score (name, record_type, kind, max_points) VALUES ('order', 'contact', 'combined', 100);
INSERT INTO lead_scoring.score_group (score, name, kind, max_points, weight) VALUES ('order', 'a', 'fit', 30, 0.5), ('order', 'b', 'fit', NULL, NULL), ('order', 'c', 'engagement', NULL, 2);
SELECT pg_temp.rule('order', n, NULL, 'true', p, jsonb_build_object('group_name', g, 'effect', CASE WHEN m IS NULL THEN 'add' ELSE 'multiply' END, 'multiplies', m))
  FROM (VALUES ('a', 40, 'a', NULL), ('a2', 2, 'a', 'group'), ('b', 5, 'b', NULL), ('b2', 0.2, 'b', 'group'), ('fit', 3, 'a', 'fit'), ('total', 1.5, 'b', 'total')) AS v (n, p, g, m);
SELECT is(pg_temp.all_parts('order'), '1=100/93/0', 'D15: ((30 * 0.5 * 2) + (5 * 0.2)) * 3 = 93; * 1.5, then the limit of the total');
SELECT is(pg_temp.part('order', 1, 'machine'), '100', 'D15: machine is limited');
INSERT INTO lead_scoring.adjustment (score, record_key, points, created_at) VALUES ('order', '1', -60, '2026-01-01 UTC');
SELECT is(pg_temp.all_parts('order'), '1=79.5/93/0', 'D15: adjustments after the multipliers, before the limit: 139.5 - 60');
SELECT pg_temp.agrees('order');
SELECT results_eq($$SELECT level, coalesce(rule, group_name), raw, decayed, clamped FROM lead_scoring.explain('order', '1', pg_temp.day()) WHERE level NOT IN ('rule', 'adjustment') AND part = 'fit' ORDER BY step$$,
  $$VALUES ('group', 'a', 40::float8, 40::float8, 30::float8), ('weight', 'a', 0.5, 30, 15), ('multiplier', 'a2', 2, 15, 30), ('group', 'b', 5, 5, 5), ('multiplier', 'b2', 0.2, 5, 1), ('fit', NULL, NULL, 31, 31), ('multiplier', 'fit', 3, 31, 93)$$, 'D15: explain, each row from where the last one ended');
SELECT is((SELECT group_name FROM lead_scoring.explain('order', '1', pg_temp.day()) WHERE rule = 'a2' AND level = 'multiplier'), 'a', 'explain: the multiplier of a group names it');

-- factors below and above 1, of positive and negative values and of 0
SELECT pg_temp.simple(s, 'fit') FROM unnest(ARRAY['up', 'down', 'none', 'both', 'same', 'default']) AS s;
DELETE FROM contacts;
INSERT INTO contacts (id, employees) VALUES (1, 10), (2, 0), (3, -10);
SELECT pg_temp.rule(s, 'r', NULL, 'true', 1, '{"counting": "each", "value": "employees"}') FROM unnest(ARRAY['up', 'down', 'none', 'both', 'same', 'default']) AS s;
SELECT pg_temp.rule(s, 'x' || f, NULL, 'true', f, '{"effect": "multiply", "multiplies": "total"}') FROM (VALUES ('up', 1.5), ('down', 0.5), ('none', 0), ('both', 2), ('both', 0.75), ('same', 1)) AS v (s, f);
SELECT pg_temp.rule('default', 'x', NULL, 'employees <> 0', 4, '{"effect": "multiply"}');
SELECT is(pg_temp.totals('up'), '1=15 2=0 3=-10', 'a factor above 1 lifts positive values only');
SELECT is(pg_temp.totals('down'), '1=5 2=0 3=-5', 'a factor below 1 brings any value nearer to 0');
SELECT is(pg_temp.totals('none'), '1=0 2=0 3=0', 'a factor of 0, and no -0');
SELECT is(pg_temp.totals('both'), '1=15 2=0 3=-7.5', 'two factors');
SELECT is(pg_temp.totals('same'), '1=10 2=0 3=-10', 'a factor of 1');
SELECT is(pg_temp.totals('default'), '1=40 2=0 3=-10', 'a multiplier multiplies its group, unless it says otherwise');
SELECT is((SELECT multiplies FROM lead_scoring.rule WHERE score = 'default' AND effect = 'multiply'), 'group', 'multiplies is group by default');
SELECT is_empty($$SELECT s, d.* FROM unnest(ARRAY['up', 'down', 'none', 'both', 'same', 'default']) AS s, pg_temp.disagreements(s) AS d$$, 'factors: stored = evaluated = explained');

-- when a multiplier applies: as a rule that pays once would
TRUNCATE activities;
SELECT pg_temp.act(1, 'x', 3), pg_temp.act(2, 'x', 1, NULL, '40 days'), pg_temp.act(3, 'y');
DELETE FROM contacts;
INSERT INTO contacts (id, company_id) VALUES (1, 1), (2, NULL), (3, 1);
INSERT INTO companies (id, country, employees) VALUES (1, 'US', 100);
INSERT INTO lead_scoring.score (name, record_type, kind) SELECT s, 'contact', 'combined' FROM unnest(ARRAY['at least 2', 'none of x', 'rolled', 'related', 'in force', 'disabled', 'fading']) AS s;
INSERT INTO lead_scoring.score_group (score, name, kind, decay) SELECT s, g, g, CASE WHEN g = 'engagement' THEN '50% per month' END::lead_scoring.decay FROM unnest(ARRAY['at least 2', 'none of x', 'rolled', 'related', 'in force', 'disabled', 'fading']) AS s, unnest(ARRAY['fit', 'engagement']) AS g;
SELECT pg_temp.rule(s, 'base', NULL, 'true', 10, '{"group_name": "fit"}') FROM unnest(ARRAY['at least 2', 'none of x', 'rolled', 'related', 'in force', 'disabled', 'fading']) AS s;
UPDATE activities SET amount = 4;
SELECT pg_temp.rule(s, 'm', src, c, 2, '{"effect": "multiply", "multiplies": "total"}'::jsonb || jsonb_build_object('group_name', CASE src WHEN 'activity' THEN 'engagement' ELSE 'fit' END) || o::jsonb)
  FROM (VALUES ('at least 2', 'activity', $$type = 'x'$$, '{"at_least": 2}'), ('none of x', 'activity', $$type = 'x'$$, '{"at_most": 0}'), ('rolled', 'activity', 'true', '{"value": "amount", "at_least": 4, "at_most": 4}'), ('related', 'company', $$country = 'US'$$, '{}'),
               ('in force', 'activity', 'true', '{"valid_to": "2026-01-31 00:00 UTC"}'), ('disabled', 'activity', 'true', '{"enabled": false}'), ('fading', 'activity', $$type = 'x'$$, '{}')) AS v (s, src, c, o);
SELECT is(pg_temp.totals('at least 2'), '1=20 2=10 3=10', 'multiplier: bounds of the number');
SELECT is(pg_temp.totals('none of x'), '1=10 2=10 3=20', 'multiplier: none');
SELECT is(pg_temp.totals('rolled'), '1=10 2=20 3=20', 'multiplier: bounds of a sum of values');
SELECT is(pg_temp.totals('related'), '1=20 2=10 3=20', 'multiplier: related rows');
SELECT is(pg_temp.totals('in force'), '1=10 2=10 3=10', 'multiplier: out of force');
SELECT is(pg_temp.totals('in force', pg_temp.day() - interval '1 microsecond'), '1=10 2=20 3=10', 'multiplier: in force');
SELECT is(pg_temp.totals('disabled'), '1=10 2=10 3=10', 'multiplier: disabled');
SELECT is(pg_temp.totals('fading'), '1=20 2=20 3=10', 'multiplier: does not fade');
SELECT is_empty($$SELECT s, d.* FROM unnest(ARRAY['at least 2', 'none of x', 'rolled', 'related', 'in force', 'disabled', 'fading']) AS s, pg_temp.disagreements(s) AS d$$, 'multipliers: stored = evaluated = explained');

-- F33: decay by segment
TRUNCATE activities;
DELETE FROM contacts;
INSERT INTO contacts (id, industry, employees) VALUES (1, 'Manufacturing', 10), (2, 'Retail', 10), (3, NULL, 10), (4, 'Manufacturing', 5000), (5, 'Retail', 5000), (6, 'Church', 10);
SELECT pg_temp.act(i, 'x', 1, NULL, '15 days') FROM generate_series(1, 6) AS i;
SELECT pg_temp.simple('segments', 'engagement', '50% per month');
SELECT pg_temp.rule('segments', 'r', 'activity', 'true', 100);
INSERT INTO lead_scoring.segment_decay (score, group_name, segment, decay) VALUES ('segments', 'all', $$industry = 'Manufacturing'$$, '10% per month'), ('segments', 'all', 'employees > 1000', 'half-life 15 days'), ('segments', 'all', $$industry = 'Church'$$, NULL);
SELECT is(pg_temp.totals('segments'), '1=95 2=75 3=75 4=50 5=50 6=100', 'F33: the first segment in byte order that holds, else the group''s own; NULL: no decay');
SELECT pg_temp.agrees('segments');
INSERT INTO lead_scoring.segment_decay (score, group_name, segment, decay) VALUES ('segments', 'all', 'as_of >= ''2026-02-01 UTC''', '100% per 30 days');
SELECT is(pg_temp.totals('segments', '2026-02-14 UTC'), '1=3.3333 2=3.3333 3=3.3333 4=3.3333 5=3.3333 6=3.3333', 'F33: a segment may depend on as_of');
SELECT is(pg_temp.totals('segments'), '1=95 2=75 3=75 4=50 5=50 6=100', 'F33: and does not hold before');
UPDATE lead_scoring.score_group SET decay = NULL WHERE score = 'segments';
SELECT is(pg_temp.totals('segments'), '1=95 2=100 3=100 4=50 5=50 6=100', 'F33: segments of a group that does not fade');
UPDATE contacts SET industry = 'Retail' WHERE id = 1;
SELECT is(pg_temp.total('segments', 1), 100::float8, 'F33: a record changes its segment');
SELECT pg_temp.agrees('segments');

-- F34, D19: full points while the record is active
TRUNCATE activities;
DELETE FROM contacts;
INSERT INTO contacts (id, industry) SELECT i, CASE i WHEN 6 THEN 'slow' WHEN 7 THEN 'own age' END FROM generate_series(1, 8) AS i;
CREATE TABLE calls (contact int, at timestamptz);
INSERT INTO lead_scoring.source (name, record_type, relation, record_key, occurred_at) VALUES ('call', 'contact', 'calls', 'contact', 'at'), ('unused', 'contact', 'calls', 'contact', 'at');
SELECT pg_temp.act(i, 'x', 1, NULL, '60 days') FROM generate_series(1, 7) AS i;
SELECT pg_temp.act(1, 'other', 1, NULL, '3 days'), pg_temp.act(2, 'other', 1, NULL, '3 days 1 microsecond'), pg_temp.act(3, 'x', 1, NULL, '18 days'), pg_temp.act(6, 'other', 1, NULL, '18 days'), pg_temp.act(7, 'x', 1, NULL, '15 days');
INSERT INTO calls VALUES (4, pg_temp.day() - interval '33 days'), (4, pg_temp.day() + interval '1 day');
SELECT pg_temp.simple('grace', 'engagement', '50% per month');
UPDATE lead_scoring.score_group SET decay_after = '3 days' WHERE score = 'grace';
SELECT pg_temp.rule('grace', 'x', 'activity', $$type = 'x'$$, 10);
SELECT is(pg_temp.totals('grace'), '1=10 2=10 3=15 4=0.5 5=0.5 6=7.5 7=16 8=0', 'F34: full points for 3 days after the newest event of any type; then all fade by the time since: 18 - 3 days, 15 - 3 days, 60 - 3 days');
SELECT is(pg_temp.total('grace', 1, pg_temp.day() + interval '15 days'), 7.5::float8, 'F34: time passes');
SELECT is(pg_temp.total('grace', 5, pg_temp.day() + interval '3 days'), 0::float8, 'F34: until nothing is left');
SELECT pg_temp.agrees('grace');
SELECT is((SELECT raw || ' ' || decayed FROM lead_scoring.explain('grace', '3', pg_temp.day()) WHERE level = 'rule'), '20 15', 'F34: explain before and after decay');
INSERT INTO lead_scoring.score_group (score, name, kind) VALUES ('grace', 'calls', 'engagement');
SELECT pg_temp.rule('grace', 'call', 'call', 'true', 1000, '{"group_name": "calls"}');
SELECT is(pg_temp.totals('grace'), '1=10 2=10 3=15 4=1005 5=0.5 6=7.5 7=16 8=0', 'F34: an event of any source that the score uses is an interaction');
UPDATE lead_scoring.score_group SET decay = '50% per month stepwise' WHERE score = 'grace' AND name = 'all';
SELECT is(pg_temp.totals('grace'), '1=10 2=10 3=20 4=1005 5=5 6=10 7=20 8=0', 'F34: stepwise');
UPDATE lead_scoring.score_group SET decay = 'half-life 15 days' WHERE score = 'grace' AND name = 'all';
SELECT is(pg_temp.total('grace', 3), 10::float8, 'F34: half-life');
INSERT INTO lead_scoring.segment_decay (score, group_name, segment, decay, decay_after) VALUES ('grace', 'all', $$industry = 'slow'$$, '50% per month', '18 days'), ('grace', 'all', $$industry = 'own age'$$, '50% per month', NULL);
SELECT is(pg_temp.total('grace', 6), 10::float8, 'F34: a longer grace for a segment');
SELECT is(pg_temp.total('grace', 7), 7.5::float8, 'F34: a segment without grace: each event by its own age, 0 + 7.5');
SELECT pg_temp.agrees('grace');
SELECT pg_temp.simple('quiet rules', 'engagement', '50% per month');
UPDATE lead_scoring.score_group SET decay_after = '1 month' WHERE score = 'quiet rules';
SELECT pg_temp.rule('quiet rules', 'none', 'activity', $$type = 'never'$$, 1, '{"counting": "once", "at_most": 0}'), pg_temp.rule('quiet rules', 'quiet', 'activity', 'true', -10, '{"counting": "quiet", "within": "30 days", "max_times": 1}'),
  pg_temp.rule('quiet rules', 'few', 'activity', $$type = 'x'$$, 100, '{"counting": "once", "at_most": 5, "at_least": 1}'), pg_temp.rule('quiet rules', 'every', 'activity', 'true', 1000, '{"every_n": 2}'), pg_temp.rule('quiet rules', 'best', 'activity', $$type = 'x'$$, 10000, '{"value": "2", "rollup": "max"}');
SELECT is(pg_temp.total('quiet rules', 5), 10041::float8, 'F34: what has no events does not fade, nor quiet time; what pays once does: 1 - 10 + 50 + 10000');
SELECT is(pg_temp.total('quiet rules', 8), -9::float8, 'F34: without any event');
SELECT is(pg_temp.total('quiet rules', 3, pg_temp.day() + interval '27 days'), (1 - 10 + 75 + 750 + 15000)::float8, 'F34: events counted in pairs, and rolled up, fade together too');
SELECT pg_temp.agrees('quiet rules');
UPDATE activities SET occurred_at = '-infinity' WHERE contact_id = 5;
SELECT is(pg_temp.total('grace', 5), 0::float8, 'F34: infinitely long quiet');
SELECT pg_temp.agrees('grace');

-- event factors
TRUNCATE activities;
DELETE FROM contacts;
INSERT INTO contacts (id) SELECT generate_series(1, 5);
INSERT INTO activities (contact_id, type, amount, occurred_at) VALUES (1, 'fair', 1, '2026-01-10 00:00 UTC'), (1, 'fair', 1, '2026-01-20 00:00 UTC'), (2, 'fair', 1, '2026-01-09 23:59:59.999999 UTC'), (2, 'fair', 1, '2026-01-19 23:59:59.999999 UTC'), (3, 'fair', 3, '2026-01-15 UTC'), (3, 'spam', 3, '2026-01-15 UTC'), (4, 'other', 1, '2026-01-15 UTC'), (5, 'bad', 5, '2026-01-31 UTC');
SELECT pg_temp.simple(s, 'engagement') FROM unnest(ARRAY['factors', 'values', 'once only', 'other score']) AS s;
SELECT pg_temp.simple('faded factors', 'engagement', '50% per month');
SELECT pg_temp.rule('factors', 'r', 'activity', $$type <> 'bad'$$, 10), pg_temp.rule('factors', 'bad', 'activity', $$type = 'bad'$$, -4), pg_temp.rule('values', 'r', 'activity', 'true', 1, '{"value": "amount"}'), pg_temp.rule('once only', 'r', 'activity', 'true', 10, '{"counting": "once"}'),
  pg_temp.rule('once only', 'sum', 'activity', 'true', 100, '{"counting": "once", "value": "amount", "at_least": 4}'), pg_temp.rule('other score', 'r', 'activity', 'true', 10), pg_temp.rule('faded factors', 'r', 'activity', 'true', 10);
INSERT INTO lead_scoring.event_factor (score, name, source, criterion, factor, since, until)
SELECT s, n, 'activity', c, f, since::timestamptz, until::timestamptz FROM unnest(ARRAY['factors', 'values', 'once only', 'faded factors']) AS s,
       (VALUES ('fair', $$type = 'fair'$$, 2, '2026-01-10 UTC', '2026-01-20 UTC'), ('big', 'amount >= 3', 1.5, NULL, NULL), ('spam', $$type = 'spam'$$, 0, NULL, NULL)) AS v (n, c, f, since, until);
SELECT is(pg_temp.totals('factors'), '1=30 2=30 3=30 4=10 5=-6', 'event factors: since inclusive, until exclusive; several multiply; 0; negative points too');
SELECT is(pg_temp.totals('values'), '1=3 2=3 3=9 4=1 5=7.5', 'event factors: values');
SELECT is(pg_temp.totals('once only'), '1=10 2=10 3=110 4=10 5=110', 'event factors: not for what pays once');
SELECT is(pg_temp.totals('other score'), '1=20 2=20 3=20 4=10 5=10', 'event factors: of their score only');
SELECT is(pg_temp.total('faded factors', 3), 22::float8, 'event factors: with decay: 30 * 22 / 30');
SELECT is_empty($$SELECT s, d.* FROM unnest(ARRAY['factors', 'values', 'once only', 'other score', 'faded factors']) AS s, pg_temp.disagreements(s) AS d$$, 'event factors: stored = evaluated = explained');
UPDATE lead_scoring.event_factor SET valid_from = '2026-01-31 00:00 UTC', valid_to = '2026-02-01 UTC' WHERE name = 'fair';
SELECT is(pg_temp.totals('factors'), '1=30 2=30 3=30 4=10 5=-6', 'event factors: valid_from is inclusive');
SELECT is(pg_temp.totals('factors', '2026-02-01 UTC'), '1=20 2=20 3=15 4=10 5=-6', 'event factors: valid_to is exclusive');
SELECT is(pg_temp.total('factors', 3, '2026-01-30 UTC'), 15::float8, 'event factors: and before it is in force');
INSERT INTO lead_scoring.event_factor (score, name, source, factor) VALUES ('factors', 'all', 'activity', 0.1);
SELECT is(pg_temp.totals('factors'), '1=3 2=3 3=3 4=1 5=-0.6', 'event factors: the criterion is true by default');
UPDATE lead_scoring.rule SET max_times = 1 WHERE score = 'factors' AND name = 'r';
SELECT is(pg_temp.total('factors', 1) || ' ' || pg_temp.total('factors', 2), '1 2', 'event factors: of the newest, with max_times');
SELECT pg_temp.agrees('factors');

-- No score is infinite, whatever multiplies it
INSERT INTO lead_scoring.score (name, record_type) VALUES ('huge', 'contact');
INSERT INTO lead_scoring.score_group (score, name, kind) VALUES ('huge', 'up', 'fit'), ('huge', 'down', 'fit');
INSERT INTO lead_scoring.rule (score, group_name, name, points) VALUES ('huge', 'up', 'base', 1e9), ('huge', 'down', 'base down', -1e9);
INSERT INTO lead_scoring.rule (score, group_name, name, points, effect, multiplies) SELECT 'huge', 'up', 'x' || g, 1e6, 'multiply', 'group' FROM generate_series(1, 60) g;
SELECT is(pg_temp.total('huge', 1), 1e300::float8, 'sixty multipliers of a million');
SELECT is((SELECT running_total FROM lead_scoring.explain('huge', '1') ORDER BY step DESC LIMIT 1), 1e300::float8, 'explained');

SELECT * FROM finish();
ROLLBACK;
