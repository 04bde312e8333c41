-- Models, features, versions: what is refused, with which words.
\set SHOW_CONTEXT never
CREATE TABLE leads (id bigint PRIMARY KEY, email text, created_at timestamptz, won_at timestamptz, stage text, firm bigint, note jsonb);
CREATE TABLE firms (id bigint PRIMARY KEY, industry text, employees integer);
CREATE TABLE visits (lead_id bigint, pages integer, site text, at timestamptz, booked_at timestamptz);
INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('lead', 'leads', 'id');
INSERT INTO lead_scoring.source (name, record_type, relation, record_key, record_column, occurred_at) VALUES
  ('visit', 'lead', 'visits', 'lead_id', NULL, 'at'), ('firm', 'lead', 'firms', 'id', 'firm', NULL);

-- Models
INSERT INTO lead_scoring.model (name, record_type, outcome) VALUES ('m', 'contact', 'won_at');
INSERT INTO lead_scoring.model (name, record_type) VALUES ('m', 'lead');
INSERT INTO lead_scoring.model (name, record_type, outcome) VALUES ('m', 'lead', 'won');
INSERT INTO lead_scoring.model (name, record_type, outcome) VALUES ('m', 'lead', 'stage');
INSERT INTO lead_scoring.model (name, record_type, outcome, snapshot_at) VALUES ('m', 'lead', 'won_at', 'id');
INSERT INTO lead_scoring.model (name, record_type, outcome, customer_when) VALUES ('m', 'lead', 'won_at', 'won_at');
INSERT INTO lead_scoring.model (name, record_type, outcome, fold) VALUES ('m', 'lead', 'won_at', 'stage');
INSERT INTO lead_scoring.model (name, record_type, outcome, segment) VALUES ('m', 'lead', 'won_at', 'id');
INSERT INTO lead_scoring.model (name, record_type, outcome, horizon) VALUES ('m', 'lead', 'won_at', '-90 days');
INSERT INTO lead_scoring.model (name, record_type, outcome, folds) VALUES ('m', 'lead', 'won_at', 1);
INSERT INTO lead_scoring.model (name, record_type, outcome, min_converted) VALUES ('m', 'lead', 'won_at', 0);
INSERT INTO lead_scoring.model (name, record_type, outcome, algorithm) VALUES ('m', 'lead', 'won_at', 'bayes');
INSERT INTO lead_scoring.model (name, record_type, outcome, parameters) VALUES ('m', 'lead', 'won_at', '[1]');
INSERT INTO lead_scoring.model (name, record_type, outcome, parameters) VALUES ('m', 'lead', 'won_at', '{"tress": 100}');
INSERT INTO lead_scoring.model (name, record_type, outcome, algorithm, parameters) VALUES ('m', 'lead', 'won_at', 'scorecard', '{"trees": 100}');
INSERT INTO lead_scoring.model (name, record_type, outcome, parameters) VALUES ('m', 'lead', 'won_at', '{"trees": "many"}');
INSERT INTO lead_scoring.model (name, record_type, outcome, parameters) VALUES ('m', 'lead', 'won_at', '{"depth": 2.5}');
INSERT INTO lead_scoring.model (name, record_type, outcome) VALUES ('m', 'lead', 'won_at');
SELECT * FROM lead_scoring.model_parameters();

-- Features
CREATE FUNCTION try_feature(source text, statistic text, expression text, criterion text DEFAULT NULL, age interval DEFAULT NULL, decay lead_scoring.decay DEFAULT NULL, known_at text DEFAULT NULL) RETURNS void LANGUAGE sql AS
  $$INSERT INTO lead_scoring.feature (model, name, source, statistic, expression, criterion, "within", decay, known_at) VALUES ('m', 'f', source, statistic, expression, criterion, age, decay, known_at)$$;
SELECT try_feature('call', 'count', NULL);
SELECT try_feature('visit', 'median', 'pages');
SELECT try_feature(NULL, 'count', NULL);
SELECT try_feature('visit', 'days_since', 'at');
SELECT try_feature('firm', 'days_since_newest', NULL);
SELECT try_feature('visit', 'sum', NULL);
SELECT try_feature('visit', 'count', 'pages');
SELECT try_feature(NULL, 'value', 'stage', 'id > 3');
SELECT try_feature(NULL, 'value', 'stage', age => '30 days');
SELECT try_feature('visit', 'count', NULL, age => '-30 days');
SELECT try_feature('visit', 'days_until_next', NULL);
SELECT try_feature('visit', 'days_until_next', NULL, known_at => 'booked_at', age => '30 days');
SELECT try_feature('visit', 'days_until_next', NULL, known_at => 'pages');
SELECT try_feature('visit', 'count', NULL, known_at => 'booked_at');
SELECT try_feature('visit', 'maximum', 'pages', decay => 'half-life 7 days');
SELECT try_feature('firm', 'count', NULL, decay => 'half-life 7 days');
SELECT try_feature(NULL, 'value', 'created_at');
SELECT try_feature(NULL, 'value', 'note');
SELECT try_feature(NULL, 'days_since', 'email');
SELECT try_feature('visit', 'sum', 'site');
SELECT try_feature('visit', 'sum', 'sum(pages)');
SELECT try_feature('visit', 'count', NULL, 'count(*) > 1');
SELECT try_feature('visit', 'distinct', 'point(pages, pages)');
SELECT try_feature('visit', 'count', NULL, 'email IS NULL');
SELECT try_feature('visit', 'count', NULL, 'EXISTS (SELECT FROM leads)');
SELECT try_feature(NULL, 'value', 'random()');
SELECT try_feature(NULL, 'value', 'now() > won_at');
DELETE FROM lead_scoring.feature;

-- What is right is kept
INSERT INTO lead_scoring.feature (model, name, source, statistic, expression, criterion, within, known_at) VALUES
  ('m', 'stage', NULL, DEFAULT, 'stage', DEFAULT, NULL, NULL), ('m', 'age', NULL, 'days_since', 'created_at::date', DEFAULT, NULL, NULL), ('m', 'industry', 'firm', 'value', 'industry', DEFAULT, NULL, NULL),
  ('m', 'recent pages', 'visit', 'sum', 'pages', 'site = ''www''', '30 days', NULL), ('m', 'next visit', 'visit', 'days_until_next', NULL, DEFAULT, NULL, 'booked_at');
SELECT name, statistic, criterion_resolved, expression_resolved, known_at_resolved FROM lead_scoring.feature ORDER BY name;

-- Versions
INSERT INTO lead_scoring.model_version (model, algorithm, as_of, samples, converted, auc, body) VALUES ('n', 'scorecard', '2026-01-31', 200, 50, 0.72, '{}');
INSERT INTO lead_scoring.model_version (model, algorithm, as_of, samples, converted, auc, body, status) VALUES ('m', 'scorecard', '2026-01-31', 200, 50, 0.72, '{}', 'champion');
INSERT INTO lead_scoring.model_version (model, algorithm, as_of, samples, converted, auc, body) VALUES ('m', 'scorecard', '2026-01-31', 200, 50, 0.72, '{}'), ('m', 'boosted_trees', '2026-01-31', 200, 50, 0.65, '{}');
SELECT lead_scoring.publish('m', 1);
SELECT lead_scoring.publish('m', 3);
SELECT lead_scoring.publish('n', 1);
UPDATE lead_scoring.model_version SET status = 'champion' WHERE version = 2;
UPDATE lead_scoring.model_version SET auc = 1 WHERE version = 2;
DELETE FROM lead_scoring.model_version WHERE version = 1;
SELECT model, record_type, version, status, readiness, algorithm, samples, converted, conversion_rate, auc, scores FROM lead_scoring.model_versions ORDER BY version;

-- Scores of kind likelihood
INSERT INTO lead_scoring.score (name, record_type, kind) VALUES ('s', 'lead', 'likelihood');
INSERT INTO lead_scoring.score (name, record_type, kind, model) VALUES ('s', 'lead', 'likelihood', 'n');
INSERT INTO lead_scoring.score (name, record_type, kind, model) VALUES ('s', 'lead', 'fit', 'm');
INSERT INTO lead_scoring.score (name, record_type, kind, model, min_points, max_points) VALUES ('s', 'lead', 'likelihood', 'm', 0, 100);
INSERT INTO lead_scoring.score (name, record_type, kind, model) VALUES ('s', 'lead', 'likelihood', 'm');
INSERT INTO lead_scoring.score_group (score, name, kind) VALUES ('s', 'g', 'fit');
INSERT INTO lead_scoring.adjustment (score, record_key, points) VALUES ('s', '1', 10);
INSERT INTO lead_scoring.band (score, part, label, lower_bound) VALUES ('s', 'fit', 'A', 50);
INSERT INTO lead_scoring.band (score, label, lower_bound) VALUES ('s', 'hot', 75);
SELECT lead_scoring.activate('s');

-- What is in use stays, parts follow their model
DELETE FROM lead_scoring.model;
DELETE FROM lead_scoring.source WHERE name = 'visit';
UPDATE lead_scoring.source SET occurred_at = NULL WHERE name = 'visit';
DELETE FROM lead_scoring.record_type;
UPDATE lead_scoring.model SET name = 'renamed';
SELECT name, model FROM lead_scoring.score;
SELECT model, count(*) FROM lead_scoring.feature GROUP BY 1 UNION ALL SELECT model, count(*) FROM lead_scoring.model_version GROUP BY 1;
DELETE FROM lead_scoring.score;
DELETE FROM lead_scoring.model;
SELECT (SELECT count(*) FROM lead_scoring.feature) AS features, (SELECT count(*) FROM lead_scoring.model_version) AS versions;
DELETE FROM lead_scoring.source;
DELETE FROM lead_scoring.record_type;
DROP FUNCTION try_feature;
DROP TABLE leads, firms, visits;
