-- Bands and labels: examples E26, E27, E30, D8, D9, D26
BEGIN;
\ir include/crm.psql
SELECT plan(31);

CREATE FUNCTION pg_temp.points(score text, column_name text) RETURNS void LANGUAGE sql AS $$
  INSERT INTO lead_scoring.rule (score, group_name, name, criterion, points)
  SELECT $1, 'fit', column_name || ' ' || v, format('%I = %L', column_name, v), v::float8
    FROM unnest(ARRAY['100', '70', '69.5', '40', '39.99', '-5', '80', '79.99', '60', '59.99', '30', '31', '61', '30.5', '60.5', '75', '74', '25', '24', '50', '49', '69.99994', '69.99995', '69.99996', '39.99995']) AS v;
$$;
INSERT INTO contacts (id, industry)
SELECT row_number() OVER (), v FROM unnest(ARRAY['100', '70', '69.5', '40', '39.99', '-5', '80', '79.99', '60', '59.99', '30', '31', '61', '30.5', '60.5', '75', '74', '25', '24', '50', '49']) AS v;
INSERT INTO lead_scoring.score (name, record_type, kind) SELECT s, 'contact', 'fit' FROM unnest(ARRAY['level', 'grade', 'funnel', 'four', 'open']) AS s;
INSERT INTO lead_scoring.score_group (score, name, kind) SELECT s, 'fit', 'fit' FROM unnest(ARRAY['level', 'grade', 'funnel', 'four', 'open']) AS s;
SELECT pg_temp.points(s, 'industry') FROM unnest(ARRAY['level', 'grade', 'funnel', 'four', 'open']) AS s;
INSERT INTO lead_scoring.band (score, label, lower_bound) VALUES
  ('level', 'High', 70), ('level', 'Medium', 40), ('level', 'Low', NULL), ('grade', 'A', 80), ('grade', 'B', 60), ('grade', 'C', NULL),
  ('funnel', 'sales', 61), ('funnel', 'nurture', NULL), ('funnel', 'SDR', 31), ('four', 'A', 75), ('four', 'B', 50), ('four', 'C', 25), ('four', 'D', 1), ('open', 'reached', 40);
CREATE FUNCTION pg_temp.label_of(score text, value text) RETURNS text LANGUAGE sql AS $$ SELECT pg_temp.label($1, (SELECT id FROM contacts WHERE industry = $2)) $$;
SELECT is(pg_temp.label_of('level', v), l, format('E26: %s is %s', v, l)) FROM (VALUES ('100', 'High'), ('70', 'High'), ('69.5', 'Medium'), ('40', 'Medium'), ('39.99', 'Low'), ('-5', 'Low')) AS x (v, l);
SELECT is(pg_temp.label_of('grade', v), l, format('E27: %s is %s', v, l)) FROM (VALUES ('80', 'A'), ('79.99', 'B'), ('60', 'B'), ('59.99', 'C')) AS x (v, l);
SELECT is(pg_temp.label_of('funnel', v), l, format('E27: %s is %s', v, l)) FROM (VALUES ('30', 'nurture'), ('31', 'SDR'), ('60', 'SDR'), ('61', 'sales'), ('30.5', 'nurture'), ('60.5', 'SDR')) AS x (v, l);
SELECT is((SELECT string_agg(pg_temp.label_of('four', v), '' ORDER BY i) FROM unnest(ARRAY['75', '74', '25', '24']) WITH ORDINALITY AS x (v, i)), 'ABCD', 'E30: 75 A, 74 B, 25 C, 24 D');
SELECT is(pg_temp.label_of('four', '-5'), NULL, 'below all bands and without a rest: no label');
SELECT is(pg_temp.label_of('open', '40'), 'reached', 'one band, reached');
SELECT is(pg_temp.label_of('open', '39.99'), NULL, 'one band, not reached');
SELECT is_empty($$SELECT s, d.* FROM unnest(ARRAY['level', 'grade', 'funnel', 'four', 'open']) AS s, pg_temp.disagreements(s) AS d$$, 'E26, E27, E30: stored = evaluated');
SELECT is((SELECT level_label FROM contacts WHERE industry = '69.5'), 'Medium', 'E26: the stored label');

-- E26: combined
TRUNCATE contacts;
INSERT INTO contacts (id, industry, state) SELECT 1 + row_number() OVER (), f, e FROM unnest(ARRAY['75', '50', '24']) AS f, unnest(ARRAY['75', '50', '24']) AS e;
SELECT pg_temp.act(id, 'e' || state) FROM contacts;
INSERT INTO lead_scoring.score (name, record_type, kind) VALUES ('both', 'contact', 'combined');
INSERT INTO lead_scoring.score_group (score, name, kind) VALUES ('both', 'fit', 'fit'), ('both', 'engagement', 'engagement');
SELECT pg_temp.points('both', 'industry');
INSERT INTO lead_scoring.rule (score, group_name, name, source, criterion, points) SELECT 'both', 'engagement', 'e' || v, 'activity', format('type = %L', 'e' || v), v FROM unnest(ARRAY[75, 50, 24]) AS v;
INSERT INTO lead_scoring.band (score, part, label, lower_bound) VALUES
  ('both', 'fit', 'A', 70), ('both', 'fit', 'B', 40), ('both', 'fit', 'C', NULL), ('both', 'engagement', '1', 70), ('both', 'engagement', '2', 40), ('both', 'engagement', '3', NULL);
SELECT results_eq($$SELECT industry, state, label FROM contacts JOIN lead_scoring.evaluate('both', pg_temp.day()) ON record_key = id::text ORDER BY label COLLATE "C"$$,
  $$VALUES ('75', '75', 'A1'), ('75', '50', 'A2'), ('75', '24', 'A3'), ('50', '75', 'B1'), ('50', '50', 'B2'), ('50', '24', 'B3'), ('24', '75', 'C1'), ('24', '50', 'C2'), ('24', '24', 'C3')$$,
  'E26: low fit and high engagement C1, high fit and low engagement A3, medium both B2');
SELECT results_eq($$SELECT DISTINCT fit_label, engagement_label, total_label FROM lead_scoring.evaluate('both', pg_temp.day()) WHERE label = 'C1'$$, $$VALUES ('C', '1', NULL::text)$$, 'E26: the parts of the label');
SELECT is_empty($$SELECT * FROM pg_temp.disagreements('both')$$, 'E26: stored = evaluated');
INSERT INTO lead_scoring.band (score, part, label, lower_bound) VALUES ('both', 'total', 'hot', 100), ('both', 'total', 'cold', NULL);
SELECT results_eq($$SELECT DISTINCT label, total_label FROM lead_scoring.evaluate('both', pg_temp.day()) WHERE fit = 75 AND engagement = 24$$, $$VALUES ('A3', 'cold')$$, 'letter and digit go before a band of the total');
DELETE FROM lead_scoring.band WHERE score = 'both' AND part = 'fit';
SELECT results_eq($$SELECT DISTINCT label, total_label, fit_label, engagement_label FROM lead_scoring.evaluate('both', pg_temp.day()) WHERE fit = 75 AND engagement = 75$$, $$VALUES ('hot', 'hot', NULL, '1')$$, 'else the total');
DELETE FROM lead_scoring.band WHERE score = 'both' AND part = 'total';
SELECT results_eq($$SELECT DISTINCT label FROM lead_scoring.evaluate('both', pg_temp.day()) WHERE fit = 75 AND engagement = 75$$, $$VALUES ('1')$$, 'else the one part');
DELETE FROM lead_scoring.band WHERE score = 'both';
SELECT is((SELECT count(label) FROM lead_scoring.evaluate('both', pg_temp.day())), 0::bigint, 'without bands there is no label');

-- D26: bands see what is stored
TRUNCATE contacts, activities;
INSERT INTO contacts (id, industry) VALUES (1, '69.99994'), (2, '69.99995'), (3, '69.99996'), (4, '39.99995');
SELECT is(pg_temp.totals('level'), '1=69.9999 2=70 3=70 4=40', 'D26: rounded to 4 decimals, half away from zero');
SELECT is(pg_temp.labels('level'), '1=Medium 2=High 3=High 4=Medium', 'D26: bands compare with the stored value');

SELECT * FROM finish();
ROLLBACK;
