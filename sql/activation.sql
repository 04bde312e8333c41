-- From a definition to score columns and back: the example of the manual, and what goes wrong.
\set SHOW_CONTEXT never
SET timezone = 'UTC';
CREATE TABLE contacts (id bigint PRIMARY KEY, industry text, job_title text);
CREATE TABLE activities (contact_id bigint, type text, occurred_at timestamptz);
INSERT INTO contacts VALUES (1, 'Hospitality', 'CEO'), (2, 'Retail', 'Student'), (3, NULL, NULL), (42, 'Hospitality', 'Student');
INSERT INTO activities VALUES (1, 'meeting_booked', '2026-01-01'), (1, 'email_open', '2026-01-16'), (2, 'email_open', '2026-01-31'),
  (42, 'meeting_booked', '2026-01-16'), (42, 'meeting_booked', '2026-01-31'), (42, 'email_open', '2025-01-01'), (77, 'email_open', '2026-01-31');
INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('contact', 'contacts', 'id');
INSERT INTO lead_scoring.source (name, record_type, relation, record_key, occurred_at)
     VALUES ('activity', 'contact', 'activities', 'contact_id', 'occurred_at');
INSERT INTO lead_scoring.score (name, record_type, kind, min_points, max_points) VALUES ('lead_score', 'contact', 'combined', 0, 100);
SELECT lead_scoring.activate('lead_score');
INSERT INTO lead_scoring.score_group (score, name, kind, max_points, decay) VALUES
  ('lead_score', 'profile',   'fit',        40, NULL),
  ('lead_score', 'sales',     'engagement', 60, '50% per month'),
  ('lead_score', 'marketing', 'engagement', 40, '50% per month');
SELECT lead_scoring.activate('lead_score');
INSERT INTO lead_scoring.rule (score, group_name, name, source, criterion, points) VALUES
  ('lead_score', 'profile',   'hospitality',    NULL,       $$industry = 'Hospitality'$$, 10),
  ('lead_score', 'profile',   'student',        NULL,       $$job_title = 'Student'$$,   -20),
  ('lead_score', 'sales',     'meeting booked', 'activity', $$type = 'meeting_booked'$$,  10),
  ('lead_score', 'marketing', 'e-mail opened',  'activity', $$type = 'email_open'$$,       2);
INSERT INTO lead_scoring.band (score, part, label, lower_bound) VALUES
  ('lead_score', 'fit', 'A', 25), ('lead_score', 'fit', 'B', 10), ('lead_score', 'fit', 'C', NULL),
  ('lead_score', 'engagement', '1', 50), ('lead_score', 'engagement', '2', 10), ('lead_score', 'engagement', '3', NULL);

SELECT * FROM lead_scoring.explain('lead_score', '42', '2026-01-31');
SELECT * FROM lead_scoring.preview('lead_score', 3, '2026-01-31');
SELECT * FROM lead_scoring.evaluate('lead_score', '2026-01-31') ORDER BY record_key;

-- Not active yet
SELECT lead_scoring.refresh('lead_score', '2026-01-31');
SELECT * FROM lead_scoring.verify('lead_score', '2026-01-31');

-- A column that is in the way
ALTER TABLE contacts ADD COLUMN lead_score_fit integer;
SELECT lead_scoring.activate('lead_score');
SELECT status FROM lead_scoring.score;
ALTER TABLE contacts DROP COLUMN lead_score_fit;

SELECT lead_scoring.activate('lead_score');
SELECT lead_scoring.activate('lead_score');
SELECT lead_scoring.refresh('lead_score', '2026-01-31');
SELECT lead_scoring.refresh('lead_score', '2026-01-31');
SELECT * FROM contacts ORDER BY id;
\d contacts
SELECT col_description('contacts'::regclass, attnum) FROM pg_attribute WHERE attrelid = 'contacts'::regclass AND attname LIKE 'lead%' AND NOT attisdropped ORDER BY attnum;

-- Wrong values are found and mended
UPDATE contacts SET lead_score = 99, lead_score_label = 'Z9' WHERE id = 1;
SET lead_scoring.allow_score_writes = on;
UPDATE contacts SET lead_score = 99, lead_score_label = 'Z9' WHERE id = 1;
RESET lead_scoring.allow_score_writes;
SELECT * FROM lead_scoring.verify('lead_score', '2026-01-31');
SELECT lead_scoring.refresh('lead_score', '2026-01-31', '{2,42}');
SELECT lead_scoring.refresh('lead_score', '2026-01-31', '{1}');
SELECT * FROM lead_scoring.verify('lead_score', '2026-01-31');

-- What cannot change while the score is active
UPDATE lead_scoring.score SET name = 'other';
UPDATE lead_scoring.score SET kind = 'fit';
DELETE FROM lead_scoring.score;

-- Editing re-scores, as of now; an old event has no points left
UPDATE lead_scoring.rule SET points = 11 WHERE name = 'hospitality';
SELECT id, lead_score, lead_score_label FROM contacts ORDER BY id;
INSERT INTO lead_scoring.adjustment (score, record_key, points, reason) VALUES ('lead_score', '3', 4.5, 'kind on the phone');
SELECT id, lead_score, lead_score_label FROM contacts ORDER BY id;
DELETE FROM lead_scoring.adjustment;
INSERT INTO lead_scoring.scope (score, mode, criterion) VALUES ('lead_score', 'exclude', 'job_title IS NULL');
SELECT id, lead_score, lead_score_label FROM contacts ORDER BY id;
DELETE FROM lead_scoring.band WHERE part = 'fit';
SELECT id, lead_score, lead_score_label FROM contacts ORDER BY id;

-- Arguments
SELECT lead_scoring.activate('nothing');
SELECT lead_scoring.deactivate('nothing');
SELECT lead_scoring.refresh('nothing');
SELECT lead_scoring.refresh(NULL);
SELECT lead_scoring.refresh('lead_score', NULL);
SELECT lead_scoring.refresh('lead_score', 'infinity');
SELECT * FROM lead_scoring.evaluate('nothing');
SELECT * FROM lead_scoring.evaluate(NULL);
SELECT * FROM lead_scoring.evaluate('lead_score', '-infinity');
SELECT * FROM lead_scoring.evaluate('lead_score', '2026-01-31', '{1,one}');
SELECT * FROM lead_scoring.evaluate('lead_score', '2026-01-31', '{4711,NULL}');
SELECT * FROM lead_scoring.evaluate('lead_score', '2026-01-31', '{{1},{2}}');
SELECT * FROM lead_scoring.explain('lead_score', '4711');
SELECT * FROM lead_scoring.explain('lead_score', NULL);
SELECT * FROM lead_scoring.preview('lead_score', 0);
SELECT * FROM lead_scoring.verify('nothing');

-- Data and relations that changed under the definition
INSERT INTO activities VALUES (42, 'email_open', NULL);
ALTER TABLE activities DISABLE TRIGGER USER;
INSERT INTO activities VALUES (42, 'email_open', NULL);
SELECT * FROM lead_scoring.evaluate('lead_score', '2026-01-31');
UPDATE lead_scoring.source SET filter = 'occurred_at IS NOT NULL';
SELECT * FROM lead_scoring.evaluate('lead_score', '2026-01-31') ORDER BY record_key;
ALTER TABLE contacts RENAME COLUMN job_title TO position;
SELECT * FROM lead_scoring.evaluate('lead_score', '2026-01-31');
ALTER TABLE contacts RENAME COLUMN position TO job_title;
ALTER TABLE activities DROP COLUMN occurred_at;
SELECT * FROM lead_scoring.evaluate('lead_score', '2026-01-31');
ALTER TABLE activities ADD COLUMN occurred_at date;
SELECT * FROM lead_scoring.evaluate('lead_score', '2026-01-31');
ALTER TABLE contacts DROP COLUMN lead_score_label;
ALTER TABLE contacts DROP COLUMN lead_score_label CASCADE;
SELECT lead_scoring.refresh('lead_score', '2026-01-31');
DROP TABLE activities;
SELECT * FROM lead_scoring.evaluate('lead_score', '2026-01-31');

SELECT lead_scoring.deactivate('lead_score');
SELECT lead_scoring.deactivate('lead_score');
SELECT * FROM contacts ORDER BY id;
DROP TABLE contacts;
SELECT * FROM lead_scoring.evaluate('lead_score', '2026-01-31');
SELECT lead_scoring.activate('lead_score');
SELECT lead_scoring.deactivate('lead_score');
DELETE FROM lead_scoring.score;
DELETE FROM lead_scoring.source;
DELETE FROM lead_scoring.record_type;

-- Large tables without an index that leads to the rows of a record
CREATE TABLE people (id int PRIMARY KEY, email text);
CREATE TABLE visits (email text, at timestamptz, page text);
INSERT INTO people VALUES (1, 'a@b.c');
INSERT INTO visits SELECT 'a@b.c', '2026-01-01', repeat('x', 900) FROM generate_series(1, 10000);
INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('person', 'people', 'id');
INSERT INTO lead_scoring.source (name, record_type, relation, record_key, record_column, occurred_at)
     VALUES ('visit', 'person', 'visits', 'email', 'email', 'at');
INSERT INTO lead_scoring.score (name, record_type, kind) VALUES ('interest', 'person', 'engagement');
INSERT INTO lead_scoring.score_group (score, name, kind) VALUES ('interest', 'web', 'engagement');
INSERT INTO lead_scoring.rule (score, group_name, name, source, points) VALUES ('interest', 'web', 'visit', 'visit', 1);
SELECT lead_scoring.activate('interest');
SELECT lead_scoring.deactivate('interest');
CREATE INDEX ON visits (email, at) WHERE page IS NULL;
SELECT lead_scoring.activate('interest');
SELECT lead_scoring.deactivate('interest');
CREATE INDEX ON visits (email);
SELECT lead_scoring.activate('interest');
SELECT lead_scoring.deactivate('interest');

-- Rules that together come to more than the limits of their group (F10): factors, and points of which a value is part, have no sum
UPDATE lead_scoring.score_group SET min_points = -3, max_points = 5;
INSERT INTO lead_scoring.rule (score, group_name, name, source, points, effect) VALUES ('interest', 'web', 'factor', 'visit', 9, 'multiply');
INSERT INTO lead_scoring.rule (score, group_name, name, source, value, points) VALUES ('interest', 'web', 'length', 'visit', 'length(page)', 9);
INSERT INTO lead_scoring.rule (score, group_name, name, source, points) VALUES
  ('interest', 'web', 'four', 'visit', 3.7), ('interest', 'web', 'tenth', 'visit', 0.1), ('interest', 'web', 'fifth', 'visit', 0.2), ('interest', 'web', 'minus one', 'visit', -1), ('interest', 'web', 'minus two', 'visit', -2);
SELECT lead_scoring.activate('interest');
SELECT lead_scoring.deactivate('interest');
INSERT INTO lead_scoring.score_group (score, name, kind, max_points) VALUES ('interest', 'more', 'engagement', 0.5);
INSERT INTO lead_scoring.rule (score, group_name, name, source, points) VALUES
  ('interest', 'web', 'half', 'visit', 0.5), ('interest', 'web', 'minus half', 'visit', -0.5), ('interest', 'more', 'one', 'visit', 1);
SELECT lead_scoring.activate('interest');
SELECT lead_scoring.deactivate('interest');
DELETE FROM lead_scoring.score;
DELETE FROM lead_scoring.source;
DELETE FROM lead_scoring.record_type;
DROP TABLE visits, people;
