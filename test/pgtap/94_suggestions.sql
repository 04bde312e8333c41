-- Rules suggested by a model: a draft that gives what the scorecard gives, rounded
BEGIN;
\ir include/outcomes.psql
SELECT plan(41);

CREATE TABLE firms (id int PRIMARY KEY, trade text, employees int);
INSERT INTO firms SELECT g, (ARRAY['Retail', 'O''Brien \ Sons', 'größe', 'Software'])[1 + g % 4], g * 3 % 100 FROM generate_series(1, 90) g;
ALTER TABLE leads ADD firm_id int;
UPDATE leads SET firm_id = id % 100;
INSERT INTO lead_scoring.source (name, record_type, relation, record_key, record_column) VALUES ('firm', 'lead', 'firms', 'id', 'firm_id');
INSERT INTO lead_scoring.feature (model, name, source, statistic, expression, criterion, within, decay) VALUES
  ('m', 'age', NULL, 'days_since', 'created_at', 'true', NULL, NULL),
  ('m', 'born', NULL, 'days_since', 'created_at::date', 'true', NULL, NULL),
  ('m', 'ahead', NULL, 'days_until', 'created_at + interval ''100 days''', 'true', NULL, NULL),
  ('m', 'known', NULL, 'has_value', 'size', 'true', NULL, NULL),
  ('m', 'shift', NULL, 'value', 'size - 25.5', 'true', NULL, NULL),
  ('m', 'newest', 'visit', 'days_since_newest', NULL, 'page <> ''blog''', '60 days', NULL),
  ('m', 'oldest', 'visit', 'days_since_oldest', NULL, $$page = 'blog'$$, NULL, NULL),
  ('m', 'any docs', 'visit', 'has_any', NULL, $$page = 'docs'$$, '30 days', NULL),
  ('m', 'least', 'visit', 'minimum', 'seconds', 'true', NULL, NULL),
  ('m', 'most', 'visit', 'maximum', 'seconds', 'page = ''blog''', NULL, NULL),
  ('m', 'mean', 'visit', 'average', 'seconds', 'true', NULL, NULL),
  ('m', 'sum', 'visit', 'sum', 'seconds', 'true', '90 days', NULL),
  ('m', 'trade', 'firm', 'value', 'trade', 'true', NULL, NULL),
  ('m', 'staff', 'firm', 'value', 'employees', 'true', NULL, NULL),
  ('m', 'firms', 'firm', 'count', NULL, 'employees > 10', NULL, NULL),
  ('m', 'last page', 'visit', 'value', 'page', 'true', NULL, NULL),
  ('m', 'pages', 'visit', 'distinct', 'page', 'true', NULL, NULL),
  ('m', 'faded', 'visit', 'count', NULL, 'true', NULL, 'half-life 30 days');
SELECT is(lead_scoring.train('m', '2026-10-01'), 1, 'a scorecard');
CREATE TEMP TABLE report AS SELECT * FROM lead_scoring.suggest_rules('m', 'suggested', '2026-10-01', 200);
SELECT is((SELECT status || ' ' || coalesce(draft_of, '-') FROM lead_scoring.score WHERE name = 'suggested'), 'draft -', 'a draft');
SELECT hasnt_column('public', 'leads', 'suggested', 'which nothing has switched on');
SELECT results_eq($$SELECT rule, group_name, points FROM report WHERE action = 'written' ORDER BY rule COLLATE "C"$$, $$SELECT name, group_name, points FROM lead_scoring.rule WHERE score = 'suggested' ORDER BY name COLLATE "C"$$, 'the report has all rules');
SELECT is((SELECT string_agg(feature || ': ' || note, ', ' ORDER BY feature) FROM report WHERE action = 'left out' AND note <> 'it matters too little'),
  'faded: a rule cannot bound a count that fades, last page: a rule cannot look at the newest event only, pages: a rule cannot look at distinct', 'and why what is left out is');
SELECT is((SELECT count(DISTINCT feature) FROM report), 23::bigint, 'no feature is passed over');
SELECT is((SELECT note FROM report WHERE rule = 'channel: fair'), $$channel = 'fair'$$, 'in the words of the author');
SELECT is((SELECT (samples, converted)::text FROM report WHERE rule = 'channel: fair'), (SELECT (count(*), count(*) FILTER (WHERE converted))::text FROM cases WHERE channel = 'fair'), 'with what became of such records');

-- Each feature gives the points of the scorecard, rounded: for every finished case at some snapshots
CREATE TEMP TABLE card AS SELECT f.name, f.at, s.card, (v.body::jsonb #>> '{calibration,slope}')::float8 AS slope
  FROM lead_scoring.model_versions v, jsonb_array_elements(v.body::jsonb -> 'features') WITH ORDINALITY fe (item, at), LATERAL (SELECT fe.item ->> 'name', fe.at) f (name, at),
       LATERAL (SELECT v.body::jsonb #> ARRAY['scorecard', 'features', (f.at - 1)::text]) s (card);
CREATE TEMP TABLE scale AS SELECT 200 / sum(spread) AS scale, sign(min(slope)) AS way FROM (
  SELECT name, slope, max(p::float8) - min(p::float8) AS spread FROM card, jsonb_array_elements_text(card -> 'points') WITH ORDINALITY u (p, b) WHERE (card -> 'rows' ->> (b::int - 1))::int > 0 GROUP BY name, slope) x;
CREATE TEMP TABLE chosen AS SELECT * FROM cases WHERE snapshot IN ('2026-08-02', '2026-06-03') AND key::int % 6 = 0;
CREATE TEMP TABLE given AS SELECT c.key, c.snapshot, split_part(p.rule, ':', 1) AS feature, sum(p.points) AS points
  FROM (SELECT snapshot, array_agg(key) AS keys FROM chosen GROUP BY snapshot) a, lead_scoring.rule_points('suggested', a.snapshot, a.keys) p JOIN chosen c ON c.key = p.record_key WHERE c.snapshot = a.snapshot GROUP BY 1, 2, 3;
CREATE TEMP TABLE due AS SELECT c.key, c.snapshot, p.feature, round((p.contribution / k.slope * s.way * s.scale)::numeric)::float8 AS points, p.contribution / k.slope * s.way * s.scale AS exact
  FROM chosen c, lead_scoring.prediction_parts('m', c.key, c.snapshot) p JOIN card k ON k.name = p.feature, scale s;
SELECT cmp_ok((SELECT count(*) FROM chosen), '>', 50::bigint, 'there are cases to compare');
SELECT is_empty(format($$SELECT d.key, d.snapshot, d.points FROM due d WHERE d.feature = %1$L AND d.points <> 0 AND abs(d.exact - trunc(d.exact)) NOT BETWEEN 0.499999 AND 0.500001
    EXCEPT SELECT g.key, g.snapshot, g.points FROM given g WHERE g.feature = %1$L$$, f), 'feature ' || f)
  FROM unnest('{channel,size,agreed,visits,pricing,age,born,ahead,shift,newest,oldest,any docs,least,most,trade,staff,firms}'::text[]) f;
SELECT is((SELECT count(*) FROM due d JOIN given g USING (key, snapshot, feature) WHERE d.points <> g.points), 0::bigint, 'and no feature gives anything else');
SELECT cmp_ok((SELECT corr(b.total, ln(p.probability / (1 - p.probability))) FROM (SELECT array_agg(key), array_agg(snapshot) FROM (SELECT * FROM cases ORDER BY snapshot) c) a (k, s), lead_scoring.predictions('m', k, s) p
    JOIN lead_scoring.backtest_samples('suggested', 'm', '2026-10-01') b ON b.record_key = p.record_key AND b.snapshot = p.instant), '>', 0.95::float8, 'the draft follows the log-odds of the model');

-- Under another search path: written out, and the same
CREATE SCHEMA elsewhere;
CREATE FUNCTION elsewhere.big(int) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT $1 > 30';
SET search_path = public, elsewhere;
INSERT INTO lead_scoring.feature (model, name, expression) VALUES ('m', 'big', 'big(size)');
SET search_path = public;
SELECT is(lead_scoring.train('m', '2026-10-01'), 2, 'with a function of another schema');
SELECT lead_scoring.publish('m', 2);
SELECT lives_ok($$CREATE TEMP TABLE other AS SELECT * FROM lead_scoring.suggest_rules('m', 'other', '2026-10-01', 500)$$, 'which is not in the search path');
SELECT is((SELECT string_agg(note, ', ' ORDER BY note) FROM other WHERE feature = 'big' AND rule ~ 'yes|no$'), '(elsewhere.big(leads.size)), NOT (elsewhere.big(leads.size))', 'is written out');

-- E38, and trees
CREATE TABLE small (id int PRIMARY KEY, x float8, won bool);
INSERT INTO small SELECT g, g % 10 + (g <= 24)::int * 7, g <= 24 FROM generate_series(1, 50) g;
INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('small', 'small', 'id');
INSERT INTO lead_scoring.model (name, record_type, outcome) VALUES ('e38', 'small', 'won');
INSERT INTO lead_scoring.feature (model, name, expression) VALUES ('e38', 'x', 'x');
SELECT throws_like($$SELECT * FROM lead_scoring.suggest_rules('e38', 'new')$$, '%24 converted and 26 unconverted%', 'E38: 24 and 26 are too few for a suggestion');
SELECT is((SELECT count(*) FROM lead_scoring.score WHERE name = 'new'), 0::bigint, 'E38: and nothing is written');
UPDATE small SET won = true WHERE id = 25;
SELECT cmp_ok((SELECT count(*) FROM lead_scoring.suggest_rules('e38', 'new') WHERE action = 'written'), '>', 0::bigint, 'E38: 25 and 25 are enough, without a champion');
SELECT is((SELECT algorithm || ' ' || (SELECT count(*) FROM lead_scoring.model_version v WHERE v.model = m.name) FROM lead_scoring.model m WHERE name = 'e38'), 'auto 0', 'of which nothing is kept');

-- E46: a score that takes the prediction of a model as one of its values
CREATE TABLE mapped (id int PRIMARY KEY, model_score float8, qualified bool);
INSERT INTO mapped VALUES (1, 50, true), (2, 50, false);
INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('mapped', 'mapped', 'id');
INSERT INTO lead_scoring.score (name, record_type, kind) VALUES ('mapped_score', 'mapped', 'fit');
INSERT INTO lead_scoring.score_group (score, name) VALUES ('mapped_score', 'all');
INSERT INTO lead_scoring.rule (score, group_name, name, value, counting, points) VALUES ('mapped_score', 'all', 'prediction', 'lead_scoring.rescale(model_score, qualified)', 'each', 1);
SELECT is((SELECT string_agg(total::text, ' ' ORDER BY record_key) FROM lead_scoring.evaluate('mapped_score')), '85 35', 'E46: 71 + 0.5 x 28 and 0.5 x 70');

-- Errors and rights
CREATE ROLE ls_test_other;
SELECT is(pg_temp.code('SELECT * FROM lead_scoring.' || c), e, c) FROM (VALUES ($$suggest_rules('m', 'suggested')$$, '42710'), ($$suggest_rules('m', 'x', now(), 0)$$, '22023'), ($$suggest_rules('nothing', 'x')$$, '42704'), ($$suggest_rules(NULL, 'x')$$, '42704')) v (c, e);
SET ROLE ls_test_other;
SELECT throws_ok($$SELECT * FROM lead_scoring.suggest_rules('m', 'x')$$, '42501', NULL, 'only the owner of the records');
RESET ROLE;

SELECT * FROM finish();
ROLLBACK;
