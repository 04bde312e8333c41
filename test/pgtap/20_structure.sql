-- Groups, limits, rules: examples E1 to E12
BEGIN;
\ir include/crm.psql
SELECT plan(46);

-- E1, E2
INSERT INTO contacts (id) VALUES (1), (2);
INSERT INTO lead_scoring.score (name, record_type, kind, max_points) VALUES ('e1', 'contact', 'engagement', 100);
INSERT INTO lead_scoring.score_group (score, name, kind, max_points) VALUES ('e1', 'sales', 'engagement', 60), ('e1', 'marketing', 'engagement', 40);
INSERT INTO lead_scoring.rule (score, group_name, name, source, criterion, points) VALUES
  ('e1', 'sales', 'call started', 'activity', $$type = 'call_started'$$, 15),
  ('e1', 'sales', 'meeting booked', 'activity', $$type = 'meeting_booked'$$, 10),
  ('e1', 'sales', 'meeting completed', 'activity', $$type = 'meeting_completed'$$, 20),
  ('e1', 'marketing', 'CTA click', 'activity', $$type = 'cta_click'$$, 6),
  ('e1', 'marketing', 'e-mail opened', 'activity', $$type = 'email_open'$$, 2),
  ('e1', 'marketing', 'e-mail link click', 'activity', $$type = 'email_click'$$, 5);
SELECT pg_temp.act(1, 'meeting_booked'), pg_temp.act(1, 'email_open', 2), pg_temp.act(1, 'email_click', 3);
SELECT pg_temp.act(2, 'meeting_completed', 5), pg_temp.act(2, 'email_open', 30);
SELECT is(pg_temp.total('e1', 1), 29::float8, 'E1: 10 + 19 = 29');
SELECT results_eq($$SELECT group_name, clamped FROM lead_scoring.explain('e1', '1', pg_temp.day()) WHERE level = 'group' ORDER BY group_name COLLATE "C"$$,
  $$VALUES ('marketing', 19::float8), ('sales', 10)$$, 'E1: explain gives sales 10 and marketing 19');
SELECT results_eq($$SELECT rule, matched, raw, decayed FROM lead_scoring.explain('e1', '1', pg_temp.day()) WHERE level = 'rule' AND matched > 0 ORDER BY rule COLLATE "C"$$,
  $$VALUES ('e-mail link click', 3::bigint, 15::float8, 15::float8), ('e-mail opened', 2, 4, 4), ('meeting booked', 1, 10, 10)$$, 'E1: explain gives each rule its part');
SELECT is(pg_temp.total('e1', 2), 100::float8, 'E2: 100 and 60 are limited to 60 + 40 = 100');
SELECT results_eq($$SELECT group_name, raw, clamped FROM lead_scoring.explain('e1', '2', pg_temp.day()) WHERE level = 'group' ORDER BY group_name COLLATE "C"$$,
  $$VALUES ('marketing', 60::float8, 40::float8), ('sales', 100, 60)$$, 'E2: explain gives the sums before and after the limits');
SELECT is_empty($$SELECT * FROM pg_temp.disagreements('e1')$$, 'E1, E2: stored = evaluated = explained');
SELECT is((SELECT e1 FROM contacts WHERE id = 1), 29::float8, 'E1: the stored column');
SELECT pg_temp.act(2, 'cta_click');
SELECT is(pg_temp.total('e1', 2), 100::float8, 'E2: one click more changes nothing');
SELECT is_empty($$SELECT * FROM pg_temp.disagreements('e1')$$, 'E2: nor the stored column');

-- E3, in all six orders of the events and of the rules
TRUNCATE activities, contacts;
INSERT INTO contacts (id) SELECT generate_series(1, 6);
SELECT pg_temp.simple('e3', 'engagement', max_points => 40);
INSERT INTO lead_scoring.rule (score, group_name, name, source, criterion, points) VALUES
  ('e3', 'all', 'a', 'activity', $$type = 'a'$$, 30), ('e3', 'all', 'b', 'activity', $$type = 'b'$$, 30), ('e3', 'all', 'c', 'activity', $$type = 'c'$$, -25);
INSERT INTO activities (contact_id, type, occurred_at)
SELECT n, t, pg_temp.day() - interval '1 day' * (4 - i)
  FROM (VALUES (1, 'abc'), (2, 'acb'), (3, 'bac'), (4, 'bca'), (5, 'cab'), (6, 'cba')) AS v (n, word), unnest(string_to_array(word, NULL)) WITH ORDINALITY AS u (t, i)
 ORDER BY n, i;
SELECT is(pg_temp.totals('e3'), '1=35 2=35 3=35 4=35 5=35 6=35', 'E3: clamp(30 + 30 - 25) = 35 in any order');
SELECT is_empty($$SELECT * FROM pg_temp.disagreements('e3')$$, 'E3: stored = evaluated = explained');

-- E4
TRUNCATE activities, contacts;
INSERT INTO contacts (id, industry, state) VALUES (1, 'Hospitality', 'Texas'), (2, 'Retail', 'Northeast'), (3, 'Hospitality', 'Northeast'), (4, 'Retail', 'Texas'), (5, NULL, NULL);
SELECT pg_temp.simple('e4', 'fit');
INSERT INTO lead_scoring.rule (score, group_name, name, criterion, points) VALUES
  ('e4', 'all', 'hospitality', $$industry = 'Hospitality'$$, 10), ('e4', 'all', 'northeast', $$state = 'Northeast'$$, 15);
SELECT is(pg_temp.totals('e4'), '1=10 2=15 3=25 4=0 5=0', 'E4: rules are independent');
SELECT is_empty($$SELECT * FROM pg_temp.disagreements('e4')$$, 'E4: stored = evaluated = explained');

-- E5, E7
TRUNCATE contacts;
INSERT INTO contacts (id, regions) VALUES (1, '{Northeast,Southwest}'), (2, '{Southwest}'), (3, '{West}'), (4, '{}'), (5, NULL), (6, '{Northeast,NULL}'), (7, '{NE}'), (8, '{NE,MW}'), (9, '{NE,MW,SE}');
SELECT pg_temp.simple('e5', 'fit');
INSERT INTO lead_scoring.rule (score, group_name, name, criterion, points) VALUES ('e5', 'all', 'east', $$regions && ARRAY['Northeast', 'Southwest']$$, 15);
SELECT is(pg_temp.totals('e5'), '1=15 2=15 3=0 4=0 5=0 6=15 7=0 8=0 9=0', 'E5: one or many matching regions give the points once');
SELECT is_empty($$SELECT * FROM pg_temp.disagreements('e5')$$, 'E5: stored = evaluated = explained');
SELECT pg_temp.simple('e7', 'fit');
INSERT INTO lead_scoring.rule (score, group_name, name, criterion, points) VALUES ('e7', 'all', 'together', $$'NE' = ANY (regions) OR 'MW' = ANY (regions) OR 'SE' = ANY (regions)$$, 15);
SELECT is(pg_temp.total('e7', 7), 15::float8, 'E7: together: NE -> 15');
SELECT is(pg_temp.total('e7', 8), 15::float8, 'E7: together: NE + MW -> 15');
SELECT is_empty($$SELECT * FROM pg_temp.disagreements('e7')$$, 'E7: stored = evaluated = explained');

-- E8
SELECT pg_temp.simple('e8', 'fit');
INSERT INTO lead_scoring.rule (score, group_name, name, criterion, points) VALUES
  ('e8', 'all', 'NE', $$'NE' = ANY (regions)$$, 15), ('e8', 'all', 'MW', $$regions && '{MW}'$$, 10), ('e8', 'all', 'SE', $$regions @> ARRAY['SE']$$, 8);
SELECT is(pg_temp.total('e8', 7), 15::float8, 'E8: individually: NE -> 15');
SELECT is(pg_temp.total('e8', 8), 25::float8, 'E8: individually: NE + MW -> 25');
SELECT is(pg_temp.total('e8', 9), 33::float8, 'E8: individually: all -> 33');
SELECT is_empty($$SELECT * FROM pg_temp.disagreements('e8')$$, 'E8: stored = evaluated = explained');

-- E6, E9
TRUNCATE contacts;
INSERT INTO contacts (id) SELECT generate_series(1, 4);
SELECT pg_temp.act(1, 'form', 1, 'Sales inquiry'), pg_temp.act(1, 'form', 1, 'Product demo'), pg_temp.act(2, 'form', 2, 'Sales inquiry'),
  pg_temp.act(3, 'form', 1, 'Product demo'), pg_temp.act(4, 'form', 5, 'Other'), pg_temp.act(4, 'page_view', 5, 'Sales inquiry');
SELECT pg_temp.simple('e6', 'engagement');
INSERT INTO lead_scoring.rule (score, group_name, name, source, criterion, points) VALUES ('e6', 'all', 'form', 'activity', $$type = 'form' AND detail IN ('Sales inquiry', 'Product demo')$$, 5);
SELECT is(pg_temp.total('e6', 1), 10::float8, 'E6: both forms -> 10');
SELECT is(pg_temp.total('e6', 2), 10::float8, 'E6: the same form twice -> 10');
SELECT is(pg_temp.total('e6', 3), 5::float8, 'E9: together: one form -> 5');
SELECT is(pg_temp.total('e6', 1), 10::float8, 'E9: together: both -> 10');
SELECT is(pg_temp.total('e6', 4), 0::float8, 'E6: other forms and other types do not count');
SELECT is_empty($$SELECT * FROM pg_temp.disagreements('e6')$$, 'E6: stored = evaluated = explained');
SELECT pg_temp.simple('e9', 'engagement');
INSERT INTO lead_scoring.rule (score, group_name, name, source, criterion, points) VALUES
  ('e9', 'all', 'sales', 'activity', $$type = 'form' AND detail = 'Sales inquiry'$$, 5), ('e9', 'all', 'demo', 'activity', $$type = 'form' AND detail = 'Product demo'$$, 2);
SELECT is(pg_temp.total('e9', 3), 2::float8, 'E9: individually: one -> 2');
SELECT is(pg_temp.total('e9', 2), 10::float8, 'E9: individually: the other twice -> 10');
SELECT is(pg_temp.total('e9', 1), 7::float8, 'E9: individually: both -> 7');
SELECT is_empty($$SELECT * FROM pg_temp.disagreements('e9')$$, 'E9: stored = evaluated = explained');

-- E10
TRUNCATE contacts, activities;
INSERT INTO contacts (id, job_title) VALUES (1, 'Student'), (2, 'Boss'), (3, 'Student');
INSERT INTO lead_scoring.score (name, record_type, kind, min_points, max_points) VALUES ('e10', 'contact', 'combined', -100, 100);
INSERT INTO lead_scoring.score_group (score, name, kind) VALUES ('e10', 'profile', 'fit'), ('e10', 'activity', 'engagement');
INSERT INTO lead_scoring.rule (score, group_name, name, source, criterion, points) VALUES
  ('e10', 'profile', 'student', NULL, $$job_title = 'Student'$$, -30), ('e10', 'activity', 'demo', 'activity', $$type = 'demo'$$, 70);
SELECT pg_temp.act(1, 'demo'), pg_temp.act(2, 'demo', 3);
SELECT results_eq($$SELECT record_key, total, fit, engagement FROM lead_scoring.evaluate('e10', pg_temp.day()) ORDER BY 1$$,
  $$VALUES ('1', 40::float8, -30::float8, 70::float8), ('2', 100, 0, 210), ('3', -30, -30, 0)$$, 'E10: fit -30, engagement 70 -> total 40');
SELECT is_empty($$SELECT * FROM pg_temp.disagreements('e10')$$, 'E10: stored = evaluated = explained');
SELECT results_eq($$SELECT e10, e10_fit, e10_engagement FROM contacts WHERE id = 1$$, $$VALUES (40::float8, -30::float8, 70::float8)$$, 'E10: the stored columns');

-- E11
TRUNCATE contacts, activities;
INSERT INTO contacts (id, industry, state, job_title) VALUES (1, 'a', 'b', 'c'), (2, 'a', 'b', NULL);
SELECT pg_temp.simple('e11', 'fit');
INSERT INTO lead_scoring.rule (score, group_name, name, criterion, points) VALUES
  ('e11', 'all', 'x', $$industry = 'a'$$, 0.1), ('e11', 'all', 'y', $$state = 'b'$$, 0.2), ('e11', 'all', 'z', $$job_title = 'c'$$, 0.7);
INSERT INTO lead_scoring.band (score, label, lower_bound) VALUES ('e11', 'one', 1), ('e11', 'less', NULL);
SELECT is(pg_temp.total('e11', 1), 1.0::float8, 'E11: 0.1 + 0.2 + 0.7 is exactly 1.0');
SELECT is(pg_temp.total('e11', 2), 0.3::float8, 'E11: 0.1 + 0.2 is exactly 0.3');
SELECT is(pg_temp.labels('e11'), '1=one 2=less', 'E11: 1.0 reaches a band that starts at 1');
SELECT is_empty($$SELECT * FROM pg_temp.disagreements('e11')$$, 'E11: stored = evaluated = explained');
SELECT pg_temp.simple('e11b', 'engagement');
INSERT INTO lead_scoring.rule (score, group_name, name, source, criterion, points) VALUES ('e11b', 'all', 'x', 'activity', $$type = 'x'$$, 0.1);
SELECT pg_temp.act(1, 'x', 1000);
SELECT is(pg_temp.total('e11b', 1), 100::float8, 'E11: a thousand times 0.1 is exactly 100');

-- E12
TRUNCATE contacts, activities;
INSERT INTO contacts (id, industry) VALUES (1, 'Competitor'), (2, 'Retail'), (3, NULL);
SELECT pg_temp.simple('e12', 'fit');
INSERT INTO lead_scoring.rule (score, group_name, name, criterion, points) VALUES ('e12', 'all', 'x', $$industry = 'Competitor'$$, 5);
INSERT INTO lead_scoring.scope (score, mode, criterion) VALUES ('e12', 'exclude', $$industry = 'Competitor'$$);
INSERT INTO lead_scoring.band (score, label, lower_bound) VALUES ('e12', 'rest', NULL);
SELECT is(pg_temp.totals('e12'), '1=NULL 2=0 3=0', 'E12: an excluded record is NULL; in scope without a match is 0');
SELECT is(pg_temp.labels('e12'), '1=NULL 2=rest 3=rest', 'E12: an excluded record has no label');
SELECT is_empty($$SELECT * FROM pg_temp.disagreements('e12')$$, 'E12: stored = evaluated = explained');
SELECT results_eq($$SELECT e12, e12_fit, e12_engagement, e12_label FROM contacts WHERE id = 1$$,
  $$VALUES (NULL::float8, NULL::float8, NULL::float8, NULL::text)$$, 'E12: all stored columns of an excluded record are NULL');
SELECT results_eq($$SELECT e12, e12_fit, e12_engagement, e12_label FROM contacts WHERE id = 2$$,
  $$VALUES (0::float8, 0::float8, NULL::float8, 'rest')$$, 'E12: a fit score has no engagement part');

-- E29: five rules of one property each, of which all match
SELECT pg_temp.simple('e29', 'fit', max_points => 70);
TRUNCATE contacts;
INSERT INTO contacts (id, employees, revenue, job_title, state, industry) VALUES (1, 500, 50e6, 'software engineer', 'USA', 'engineering'), (2, 5000, 50e6, 'software engineer', 'USA', 'engineering');
INSERT INTO lead_scoring.rule (score, group_name, name, criterion, points) VALUES
  ('e29', 'all', 'size', $$employees BETWEEN 100 AND 999$$, 10), ('e29', 'all', 'large', $$employees >= 1000$$, 20), ('e29', 'all', 'revenue', $$revenue >= 50e6$$, 10),
  ('e29', 'all', 'role', $$industry = 'engineering'$$, 10), ('e29', 'all', 'sub-role', $$job_title LIKE 'software%'$$, 10), ('e29', 'all', 'USA', $$state = 'USA'$$, 10);
SELECT is(pg_temp.totals('e29'), '1=50 2=60', 'E29: five properties of 10 -> 50');

SELECT * FROM finish();
ROLLBACK;
