-- Score columns follow every way in which rows change
BEGIN;
\ir include/crm.psql
SELECT plan(58);

ALTER TABLE contacts ADD note text;
INSERT INTO companies (id, name, employees) VALUES (1, 'small', 10), (2, 'big', 500);
INSERT INTO contacts (id, industry, employees, company_id) SELECT i, CASE WHEN i % 2 = 0 THEN 'Retail' END, i, 1 FROM generate_series(1, 10) AS i;
INSERT INTO lead_scoring.score (name, record_type, kind, history) VALUES ('s', 'contact', 'combined', 'none');
INSERT INTO lead_scoring.score_group (score, name, kind) VALUES ('s', 'f', 'fit'), ('s', 'e', 'engagement');
INSERT INTO lead_scoring.rule (score, group_name, name, source, criterion, points) VALUES
  ('s', 'f', 'retail', NULL, $$industry = 'Retail'$$, 10),
  ('s', 'f', 'big company', 'company', $$employees > 100$$, 100),
  ('s', 'e', 'x', 'activity', $$type = 'x'$$, 1);
SELECT lead_scoring.activate('s');

CREATE FUNCTION pg_temp.check_live(what text, VARIADIC scores float8[]) RETURNS SETOF text LANGUAGE sql AS $$
  SELECT is(ARRAY(SELECT s FROM contacts WHERE id <= cardinality(scores) ORDER BY id), scores, what)
  UNION ALL
  SELECT is((SELECT count(*) FROM lead_scoring.verify('s', clock_timestamp())), 0::bigint, what || ': verify is empty')
$$;

-- Events
INSERT INTO activities (contact_id, type, occurred_at) VALUES (1, 'x', now());
SELECT pg_temp.check_live('an event', 1, 10, 0);
INSERT INTO activities (contact_id, type, occurred_at) SELECT 1 + i % 3, 'x', now() - i * interval '1 day' FROM generate_series(1, 9) AS i;
SELECT pg_temp.check_live('many events in one statement', 4, 13, 3);
UPDATE activities SET contact_id = 2 WHERE contact_id = 1;
SELECT pg_temp.check_live('E48: events of another record', 0, 17, 3);
UPDATE activities SET type = 'y' WHERE contact_id = 3;
SELECT pg_temp.check_live('edited events', 0, 17, 0);
DELETE FROM activities WHERE contact_id = 2 AND occurred_at < now() - interval '4 days';
SELECT is((SELECT count(*) FROM lead_scoring.verify('s', clock_timestamp())), 0::bigint, 'deleted events');
INSERT INTO activities (contact_id, type, occurred_at) VALUES (3, 'x', now()), (99, 'x', now()), (NULL, 'x', now());
SELECT is((SELECT s FROM contacts WHERE id = 3), 1::float8, 'events of nobody harm nobody');

-- Records
INSERT INTO contacts (id, industry, company_id) VALUES (11, 'Retail', 2);
SELECT is((SELECT s FROM contacts WHERE id = 11), 110::float8, 'B14: a new record has a score at once');
UPDATE contacts SET industry = 'Retail' WHERE id = 1;
SELECT pg_temp.check_live('a column that a rule reads', 10);
UPDATE contacts SET company_id = 2 WHERE id = 1;
SELECT pg_temp.check_live('a column that links', 110);
INSERT INTO contacts (id) VALUES (99);
SELECT is((SELECT s FROM contacts WHERE id = 99), 1::float8, 'a record that comes after its events');
UPDATE contacts SET id = 98 WHERE id = 99;
SELECT is((SELECT s FROM contacts WHERE id = 98), 0::float8, 'a record with another key loses them');
UPDATE contacts SET id = 99 WHERE id = 98;
SELECT is((SELECT s FROM contacts WHERE id = 99), 1::float8, 'and gets them back');
CREATE TEMP TABLE places AS SELECT id, ctid AS place FROM contacts;
UPDATE companies SET name = 'other name';
SELECT is((SELECT count(*) FROM contacts JOIN places USING (id) WHERE contacts.ctid = place), 12::bigint, 'a column that no rule reads touches nobody');
UPDATE contacts SET note = 'x' WHERE id = 1;
SELECT is((SELECT count(*) FROM contacts JOIN places USING (id) WHERE contacts.ctid = place), 11::bigint, 'nor does one of the records');

-- Related rows
UPDATE companies SET employees = 600 WHERE id = 1;
SELECT is((SELECT count(*) FROM contacts WHERE s >= 100), 11::bigint, 'a related row touches all its records');
DELETE FROM companies WHERE id = 2;
SELECT is((SELECT s FROM contacts WHERE id = 11), 10::float8, 'a related row that goes');
INSERT INTO companies (id, employees) VALUES (2, 500);
SELECT is((SELECT s FROM contacts WHERE id = 11), 110::float8, 'and comes');

-- Other statements
INSERT INTO contacts (id, industry) VALUES (1, 'x'), (12, 'Retail') ON CONFLICT (id) DO UPDATE SET industry = excluded.industry;
SELECT is(ARRAY(SELECT s FROM contacts WHERE id IN (1, 12) ORDER BY id), '{100,10}'::float8[], 'ON CONFLICT');
WITH gone AS (DELETE FROM activities WHERE contact_id = 3 RETURNING contact_id), come AS (INSERT INTO activities (contact_id, type, occurred_at) VALUES (4, 'x', now()))
UPDATE contacts SET industry = NULL WHERE id = 12;
SELECT is(ARRAY(SELECT s FROM contacts WHERE id IN (3, 4, 12) ORDER BY id), '{100,111,0}'::float8[], 'three statements in one');
SAVEPOINT here;
INSERT INTO activities (contact_id, type, occurred_at) VALUES (5, 'x', now());
SELECT is((SELECT s FROM contacts WHERE id = 5), 101::float8, 'within a savepoint');
ROLLBACK TO here;
SELECT is((SELECT s FROM contacts WHERE id = 5), 100::float8, 'rolled back');
INSERT INTO activities (contact_id, type, occurred_at) VALUES (6, 'x', now());
SELECT pg_temp.check_live('after it', 100);
CREATE FUNCTION pg_temp.failing() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO activities (contact_id, type, occurred_at) VALUES (7, 'x', now());
  RAISE EXCEPTION 'no';
EXCEPTION WHEN raise_exception THEN
  INSERT INTO activities (contact_id, type, occurred_at) VALUES (8, 'x', now());
END $$;
SELECT pg_temp.failing();
SELECT is(ARRAY(SELECT s FROM contacts WHERE id IN (7, 8) ORDER BY id), '{100,111}'::float8[], 'a subtransaction that fails');
TRUNCATE activities;
SELECT is((SELECT sum(s_engagement) FROM contacts), 0::float8, 'TRUNCATE');

-- Foreign keys
CREATE TABLE calls (id int, contact_id int REFERENCES contacts ON UPDATE CASCADE ON DELETE SET NULL, occurred_at timestamptz NOT NULL DEFAULT now());
INSERT INTO lead_scoring.source (name, record_type, relation, record_key, occurred_at) VALUES ('call', 'contact', 'calls', 'contact_id', 'occurred_at');
INSERT INTO lead_scoring.rule (score, group_name, name, source, points) VALUES ('s', 'e', 'call', 'call', 3);
INSERT INTO calls (id, contact_id) VALUES (1, 1), (2, 2);
SELECT is(ARRAY(SELECT s_engagement FROM contacts WHERE id <= 2 ORDER BY id), '{3,3}'::float8[], 'a source that came later is watched, too');
UPDATE contacts SET id = 50 WHERE id = 1;
SELECT is((SELECT s_engagement FROM contacts WHERE id = 50), 3::float8, 'ON UPDATE CASCADE');
DELETE FROM contacts WHERE id = 50;
SELECT is((SELECT count(*) FROM lead_scoring.verify('s', clock_timestamp())), 0::bigint, 'ON DELETE SET NULL');

-- Definitions
UPDATE lead_scoring.rule SET points = 5 WHERE name = 'call';
INSERT INTO calls (id, contact_id) VALUES (3, 2);
SELECT is((SELECT s_engagement FROM contacts WHERE id = 2), 10::float8, 'an edited rule counts from then on');
DELETE FROM lead_scoring.rule WHERE name = 'call';
INSERT INTO calls (id, contact_id) VALUES (4, 2);
SELECT is((SELECT s_engagement FROM contacts WHERE id = 2), 0::float8, 'a rule that is gone does not');

-- Points by hand
INSERT INTO lead_scoring.adjustment (score, record_key, points, reason) VALUES ('s', '2', 7, 'known well');
SELECT is((SELECT s - s_fit FROM contacts WHERE id = 2), 7::float8, 'an adjustment');
INSERT INTO activities (contact_id, type, occurred_at) VALUES (2, 'x', now());
SELECT is((SELECT s - s_fit FROM contacts WHERE id = 2), 8::float8, 'stays when an event comes');

-- Read-only columns
SELECT throws_ok($$UPDATE contacts SET s = 1 WHERE id = 2$$, '428C9', 'the score columns of "contacts" are read-only', 'F50: others cannot write a score');
SELECT throws_ok($$UPDATE contacts SET s_label = 'x'$$, '428C9', NULL, 'F50: nor its label');
SELECT throws_ok($$INSERT INTO contacts (id, s_fit) VALUES (60, 1)$$, '428C9', NULL, 'F50: nor bring one along');
SELECT lives_ok($$UPDATE contacts SET s = s, note = 'y' WHERE id = 2$$, 'F50: writing what is there is no change');
SET lead_scoring.allow_score_writes = on;
UPDATE contacts SET s = 1 WHERE id = 2;
SELECT is((SELECT count(*) FROM lead_scoring.verify('s', clock_timestamp())), 1::bigint, 'a superuser may, for repairs');
RESET lead_scoring.allow_score_writes;
SELECT is(lead_scoring.refresh('s', clock_timestamp(), '{2}'), 1::bigint, 'which a refresh takes back');

-- What a publisher says of scores is not ours
CREATE TABLE elsewhere (id int PRIMARY KEY);
INSERT INTO lead_scoring.score (name, record_type, kind, target) VALUES ('own', 'contact', 'fit', NULL), ('apart', 'contact', 'fit', 'elsewhere');
INSERT INTO lead_scoring.score_group (score, name, kind) VALUES ('own', 'f', 'fit'), ('apart', 'f', 'fit');
INSERT INTO lead_scoring.rule (score, group_name, name, criterion, points)
  SELECT name, 'f', 'retail', $$industry = 'Retail'$$, 10 FROM lead_scoring.score WHERE name <> 's';
INSERT INTO lead_scoring.score (name, record_type, kind) VALUES ('told', 'contact', 'combined');
INSERT INTO lead_scoring.score_group (score, name, kind) VALUES ('told', 'f', 'fit'), ('told', 'e', 'engagement');
INSERT INTO lead_scoring.rule (score, group_name, name, source, criterion, points) VALUES ('told', 'f', 'retail', NULL, $$industry = 'Retail'$$, 10), ('told', 'e', 'x', 'activity', $$type = 'x'$$, 1);
INSERT INTO lead_scoring.band (score, part, label, lower_bound) VALUES ('told', 'total', 'hot', 50), ('told', 'total', 'warm', 10), ('told', 'total', 'cold', NULL);
SELECT lead_scoring.activate('own'), lead_scoring.activate('apart'), lead_scoring.activate('told');
CREATE FUNCTION pg_temp.told() RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(format('%s: %s -> %s', record_key, coalesce(from_label, 'none'), to_label), ', ' ORDER BY change_id) FROM lead_scoring.take_changes('told')
$$;
SELECT pg_temp.told();
SET session_replication_role = replica;
UPDATE contacts SET s = 1, own = 1 WHERE id = 2;
UPDATE contacts SET own = 1 WHERE id = 3;
UPDATE contacts SET s_label = 'x' WHERE id = 4;
UPDATE elsewhere SET apart = 1;
INSERT INTO contacts (id, industry, told, told_fit, told_engagement, told_label) VALUES (70, NULL, 99, 99, 0, 'hot'), (71, 'Retail', 10, 10, 0, 'warm'), (72, NULL, NULL, NULL, NULL, NULL);
SELECT is(pg_temp.told(), '70: none -> cold, 71: none -> warm, 72: none -> cold', 'what a publisher sends with a record is not what its score was before');
UPDATE contacts SET industry = 'Retail', told = 60, told_label = 'hot' WHERE id = 70;
UPDATE contacts SET told = 60, told_label = 'hot' WHERE id = 71;
UPDATE contacts SET industry = 'Retail', told = 10, told_fit = 10, told_label = 'warm' WHERE id = 72;
SELECT is(pg_temp.told(), '70: cold -> warm, 72: cold -> warm', '... nor what he makes of it');
SELECT is((SELECT array_agg(told ORDER BY id) FROM contacts WHERE id BETWEEN 70 AND 72), '{10,10,10}', '... and is replaced');
SELECT is((SELECT string_agg(concat_ws(' ', record_key, previous_total, total), ', ' ORDER BY history_id) FROM lead_scoring.score_history WHERE score = 'told' AND record_key IN ('70', '71', '72')), '70 0, 71 10, 72 0, 70 0 10, 72 0 10', '... with a history of our own');
DELETE FROM contacts WHERE id BETWEEN 70 AND 72;
RESET session_replication_role;
ALTER TABLE contacts DROP COLUMN told_label CASCADE;
SET session_replication_role = replica;
SELECT throws_ok('UPDATE contacts SET told = 5 WHERE id = 2', '42703', NULL, 'a score of which a column is gone');
RESET session_replication_role;
SELECT lead_scoring.activate('told');
SELECT is_empty($$SELECT * FROM unnest('{s,own,apart}'::text[]) n, lead_scoring.verify(n, clock_timestamp())$$, 'scores that a publisher sends are replaced');
SELECT is((SELECT own FROM contacts WHERE id = 2), 10::float8, '... by ours');
SELECT is((SELECT count(*) FROM lead_scoring.score_history WHERE score = 'own' AND total = 1), 0::bigint, '... and no history');
SELECT lead_scoring.deactivate('own'), lead_scoring.deactivate('apart'), lead_scoring.deactivate('told');

-- The view of this instant
SELECT is((SELECT s FROM s_now WHERE id = 2), (SELECT s FROM contacts WHERE id = 2), 'the view s_now shows the score as of now');
SELECT is((SELECT count(*) FROM s_now), (SELECT count(*) FROM contacts), 'of every record');
SELECT is((SELECT string_agg(attname || ' ' || atttypid::regtype, ', ' ORDER BY attnum) FROM pg_attribute WHERE attrelid = 's_now'::regclass AND attnum > 0),
  'id integer, s double precision, s_fit double precision, s_engagement double precision, s_label text', 'in columns of the same names and types');

-- Switched off
SELECT lead_scoring.deactivate('s');
SELECT is((SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'lead_scoring%' AND tgrelid IN ('contacts'::regclass, 'activities'::regclass, 'companies'::regclass, 'calls'::regclass)), 0::bigint, 'deactivate leaves no trigger behind');
SELECT is(to_regclass('s_now'), NULL, 'nor a view');
CREATE TABLE s_now (id int);
SELECT throws_ok($$SELECT lead_scoring.activate('s')$$, '42P07', 'relation "s_now" already exists', 'the name of the view is taken');
SELECT * FROM finish();
ROLLBACK;
