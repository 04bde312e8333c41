-- Definition tables: what is refused, with which words.
\set SHOW_CONTEXT never
CREATE TABLE contacts (id bigint PRIMARY KEY, name text, score_date date, amount numeric, regions text[]);
CREATE TABLE activities (contact_id bigint, contact_name text, type text, occurred_at timestamptz, day date);
CREATE SEQUENCE numbers;

-- Record types
INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('contact', 'nowhere', 'id');
INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('contact', 'numbers', 'last_value');
INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('contact', 'contacts', 'uid');
INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('contact', 'contacts', 'amount');
INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('contact', 'contacts', 'name');
INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('', 'contacts', 'id');
INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('contact', 'contacts', 'id');

-- Sources
INSERT INTO lead_scoring.source (name, record_type, relation, record_key, occurred_at) VALUES ('activity', 'deal', 'activities', 'contact_id', 'occurred_at');
INSERT INTO lead_scoring.source (name, record_type, relation, record_key, occurred_at) VALUES ('activity', 'contact', 'activities', 'contact', 'occurred_at');
INSERT INTO lead_scoring.source (name, record_type, relation, record_key, occurred_at) VALUES ('activity', 'contact', 'activities', 'contact_name', 'occurred_at');
INSERT INTO lead_scoring.source (name, record_type, relation, record_key, occurred_at) VALUES ('activity', 'contact', 'activities', 'contact_id', 'day');
INSERT INTO lead_scoring.source (name, record_type, relation, record_key, occurred_at, filter) VALUES ('activity', 'contact', 'activities', 'contact_id', 'occurred_at', 'kind IS NOT NULL');
INSERT INTO lead_scoring.source (name, record_type, relation, record_key, occurred_at, filter) VALUES ('activity', 'contact', 'activities', 'contact_id', 'occurred_at', 'type IS NOT NULL');

-- Scores
INSERT INTO lead_scoring.score (name, record_type) VALUES ('s', 'deal');
INSERT INTO lead_scoring.score (name, record_type, kind) VALUES ('s', 'contact', 'predictive');
INSERT INTO lead_scoring.score (name, record_type, min_points, max_points) VALUES ('s', 'contact', 10, 0);
INSERT INTO lead_scoring.score (name, record_type, max_points) VALUES ('s', 'contact', 'infinity');
INSERT INTO lead_scoring.score (name, record_type, status) VALUES ('s', 'contact', 'active');
INSERT INTO lead_scoring.score (name, record_type) VALUES (repeat('s', 53), 'contact');
INSERT INTO lead_scoring.score (name, record_type, max_points) VALUES ('s', 'contact', 100);
UPDATE lead_scoring.score SET status = 'active';

-- Groups
INSERT INTO lead_scoring.score_group (score, name, kind) VALUES ('t', 'profile', 'fit');
INSERT INTO lead_scoring.score_group (score, name) VALUES ('s', 'profile');
INSERT INTO lead_scoring.score_group (score, name, kind, decay) VALUES ('s', 'profile', 'fit', '50% per month');
INSERT INTO lead_scoring.score_group (score, name, kind, min_points, max_points) VALUES ('s', 'profile', 'fit', 5, -5);
INSERT INTO lead_scoring.score_group (score, name, kind) VALUES ('s', 'profile', 'fit'), ('s', 'sales', 'engagement');

-- Rules: everything but the criterion
INSERT INTO lead_scoring.rule (score, group_name, name, points) VALUES ('s', 'other', 'r', 1);
INSERT INTO lead_scoring.rule (score, group_name, name, source, points) VALUES ('s', 'sales', 'r', 'visits', 1);
INSERT INTO lead_scoring.rule (score, group_name, name, points) VALUES ('s', 'profile', 'r', NULL);
INSERT INTO lead_scoring.rule (score, group_name, name, points) VALUES ('s', 'profile', 'r', 'infinity');
INSERT INTO lead_scoring.rule (score, group_name, name, points) VALUES ('s', 'profile', 'r', 'NaN');
INSERT INTO lead_scoring.rule (score, group_name, name, points) VALUES ('s', 'sales', 'r', 1);
INSERT INTO lead_scoring.rule (score, group_name, name, source, points) VALUES ('s', 'profile', 'r', 'activity', 1);
INSERT INTO lead_scoring.rule (score, group_name, name, points, counting) VALUES ('s', 'profile', 'r', 1, 'each');
INSERT INTO lead_scoring.rule (score, group_name, name, source, points, at_least) VALUES ('s', 'sales', 'r', 'activity', 1, 3);
INSERT INTO lead_scoring.rule (score, group_name, name, source, points, counting, at_least, at_most) VALUES ('s', 'sales', 'r', 'activity', 1, 'once', 3, 2);
INSERT INTO lead_scoring.rule (score, group_name, name, points, within) VALUES ('s', 'profile', 'r', 1, '3 days');
INSERT INTO lead_scoring.rule (score, group_name, name, source, points, within) VALUES ('s', 'sales', 'r', 'activity', 1, '-3 days');
INSERT INTO lead_scoring.rule (score, group_name, name, source, points, since, until) VALUES ('s', 'sales', 'r', 'activity', 1, '2026-02-01', '2026-01-01');

-- Rules: the criterion
CREATE FUNCTION fickle(text) RETURNS boolean LANGUAGE sql VOLATILE AS 'SELECT true';
CREATE FUNCTION try_criterion(criterion text) RETURNS void LANGUAGE sql AS
  $$INSERT INTO lead_scoring.rule (score, group_name, name, criterion, points) VALUES ('s', 'profile', 'r', criterion, 1)$$;
SELECT try_criterion('nam = ''x''');
SELECT try_criterion('name = ');
SELECT try_criterion('');
SELECT try_criterion('name');
SELECT try_criterion('amount > ''much''');
SELECT try_criterion('name > 5');
SELECT try_criterion('EXISTS (SELECT FROM activities)');
SELECT try_criterion('count(*) > 1');
SELECT try_criterion('row_number() OVER () > 1');
SELECT try_criterion('fickle(name)');
SELECT try_criterion('unnest(regions) = ''x''');
SELECT try_criterion('true; DROP TABLE contacts');
SELECT try_criterion('true) OR (true');
SELECT try_criterion('true FROM activities');
SELECT try_criterion('true AS x');
SELECT try_criterion('activities.type = ''x''');
SELECT try_criterion('$2 = 1');
SELECT try_criterion('no_such_function(name)');

-- Bands
INSERT INTO lead_scoring.band (score, label, lower_bound) VALUES ('s', 'High', 70), ('s', 'Hot', 70);
INSERT INTO lead_scoring.band (score, label, lower_bound) VALUES ('s', 'Low', NULL), ('s', 'Lower', NULL);
INSERT INTO lead_scoring.band (score, label, lower_bound) VALUES ('s', 'High', 'NaN');
INSERT INTO lead_scoring.band (score, part, label, lower_bound) VALUES ('s', 'all', 'High', 70);

-- Scopes and adjustments
INSERT INTO lead_scoring.scope (score, mode, criterion) VALUES ('s', 'only', 'true');
INSERT INTO lead_scoring.scope (score, mode, criterion) VALUES ('s', 'include', 'nam IS NULL');
INSERT INTO lead_scoring.scope (score, mode, source) VALUES ('s', 'include', 'list');
INSERT INTO lead_scoring.adjustment (score, record_key, points) VALUES ('s', 'x', 1);
INSERT INTO lead_scoring.adjustment (score, record_key, points) VALUES ('t', '1', 1);
INSERT INTO lead_scoring.adjustment (score, record_key, points, created_at, expires_at) VALUES ('s', '1', 1, '2026-02-01', '2026-01-01');

-- Nothing of that was kept; what is right is
SELECT count(*) FROM lead_scoring.rule;
INSERT INTO lead_scoring.rule (score, group_name, name, source, criterion, points) VALUES
  ('s', 'profile', 'known', NULL, 'name IS NOT NULL AND as_of > ''2020-01-01''', 1), ('s', 'sales', 'any', 'activity', 'type LIKE ''a%''', 1);
SELECT name, counting, criterion, criterion_resolved FROM lead_scoring.rule ORDER BY name;

-- What is in use stays, parts follow their score
DELETE FROM lead_scoring.record_type;
DELETE FROM lead_scoring.source;
UPDATE lead_scoring.score SET kind = 'fit';
UPDATE lead_scoring.score_group SET kind = 'fit' WHERE name = 'sales';
UPDATE lead_scoring.score SET name = 'renamed';
UPDATE lead_scoring.score_group SET name = 'selling' WHERE name = 'sales';
SELECT score, group_name, name, criterion_resolved FROM lead_scoring.rule ORDER BY name;
DELETE FROM lead_scoring.score_group WHERE name = 'selling';
SELECT score, group_name, name FROM lead_scoring.rule ORDER BY name;
DELETE FROM lead_scoring.score;
SELECT (SELECT count(*) FROM lead_scoring.score_group) AS groups, (SELECT count(*) FROM lead_scoring.rule) AS rules,
       (SELECT count(*) FROM lead_scoring.band) AS bands;
DELETE FROM lead_scoring.source;
DELETE FROM lead_scoring.record_type;
DROP FUNCTION try_criterion, fickle;
DROP TABLE contacts, activities;
DROP SEQUENCE numbers;
