-- Facts and time that come before an edit are announced, though the edit announces nothing (F82, B22, B23)
BEGIN;
\ir include/crm.psql
SELECT plan(20);

INSERT INTO contacts (id, employees) SELECT i, 1 FROM generate_series(1, 6) i;
INSERT INTO lead_scoring.score (name, record_type, kind, mode) VALUES ('q', 'contact', 'combined', 'queued');
INSERT INTO lead_scoring.score_group (score, name, kind) VALUES ('q', 'f', 'fit'), ('q', 'e', 'engagement');
INSERT INTO lead_scoring.rule (score, group_name, name, source, criterion, points) VALUES ('q', 'e', 'mail', 'activity', $$type = 'mail'$$, 10);
INSERT INTO lead_scoring.rule (score, group_name, name, value, counting, points) VALUES ('q', 'f', 'size', '0 / employees', 'each', 1);
INSERT INTO lead_scoring.band (score, label, lower_bound) VALUES ('q', 'hot', 20), ('q', 'cold', NULL);
INSERT INTO lead_scoring.alert (score, name, above) VALUES ('q', 'call', 15);
SELECT lead_scoring.activate('q');
SELECT count(*) FROM lead_scoring.take_changes('q', 1000);
-- What was announced since
CREATE FUNCTION pg_temp.announced() RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(concat_ws(' ', record_key, coalesce(alert, from_label || '->' || to_label), reason), ', ' ORDER BY record_key, kind DESC) FROM lead_scoring.take_changes('q', 1000)
$$;
CREATE FUNCTION pg_temp.mail(contact int, n int DEFAULT 3, at timestamptz DEFAULT clock_timestamp() - interval '1 second') RETURNS void LANGUAGE sql AS $$
  INSERT INTO activities (contact_id, type, occurred_at) SELECT contact, 'mail', at FROM generate_series(1, n)
$$;
CREATE FUNCTION pg_temp.reasons(contact text) RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(reason || ' ' || total, ', ' ORDER BY history_id) FROM lead_scoring.score_history WHERE score = 'q' AND record_key = contact AND reason <> 'activation'
$$;

SELECT pg_temp.mail(1);
SELECT is((SELECT q FROM contacts WHERE id = 1), 0::float8, 'a record waits in the queue');
UPDATE lead_scoring.rule SET points = 11 WHERE score = 'q' AND name = 'mail';
SELECT is(pg_temp.announced(), '1 cold->hot facts, 1 call facts', 'an edit of a rule: what waits is announced');
SELECT is(pg_temp.reasons('1'), 'facts 33', '... for its reason');
UPDATE lead_scoring.rule SET points = 25 WHERE score = 'q' AND name = 'mail';
SELECT is(pg_temp.announced(), NULL, '... and no more than that');
UPDATE lead_scoring.rule SET points = 10 WHERE score = 'q' AND name = 'mail';
SELECT is(pg_temp.reasons('1'), 'facts 33, rule_change 75, rule_change 30', '... later edits are what they are');
SELECT pg_temp.mail(2);
UPDATE lead_scoring.score SET mode = 'sync' WHERE name = 'q';
SELECT is(pg_temp.announced(), '2 cold->hot facts, 2 call facts', 'a score that is not queued any more');
UPDATE lead_scoring.score SET mode = 'queued' WHERE name = 'q';
DELETE FROM lead_scoring.queue;

-- Records that failed
SET LOCAL client_min_messages = error;
SELECT pg_temp.mail(3);
UPDATE contacts SET employees = 0 WHERE id = 3;
SELECT lead_scoring.work_queue('q');
SELECT is((SELECT count(*) FROM lead_scoring.parked WHERE score = 'q'), 1::bigint, 'a record is parked');
UPDATE lead_scoring.rule SET value = '0 / nullif(employees, 0)' WHERE score = 'q' AND name = 'size';
SELECT is(pg_temp.announced(), '3 cold->hot facts, 3 call facts', '... and announced when the rule is mended');
SELECT is((SELECT count(*) FROM lead_scoring.parked WHERE score = 'q'), 0::bigint, '... parked no more');
DELETE FROM lead_scoring.queue;

-- Everybody waits
SELECT pg_temp.mail(4);
DELETE FROM lead_scoring.queue;
INSERT INTO lead_scoring.queue (score) VALUES ('q');
UPDATE lead_scoring.score SET max_points = 90 WHERE name = 'q';
SELECT is(pg_temp.announced(), '4 cold->hot facts, 4 call facts', 'an entry for all records');
DELETE FROM lead_scoring.queue;

-- Time
UPDATE lead_scoring.score SET mode = 'sync' WHERE name = 'q';
UPDATE lead_scoring.rule SET within = '1 day' WHERE score = 'q' AND name = 'mail';
SELECT pg_temp.mail(5, 3, clock_timestamp() - interval '1 day' + interval '1 second');
SELECT is(pg_temp.announced(), '5 cold->hot facts, 5 call facts', 'events that are about to leave their window');
SELECT is((SELECT count(*) FROM lead_scoring.due WHERE score = 'q' AND record_key = '5'), 1::bigint, '... are due');
SELECT pg_sleep(1.1);
UPDATE lead_scoring.rule SET points = 9 WHERE score = 'q' AND name = 'mail';
SELECT is(pg_temp.announced(), '5 hot->cold time', '... and announced when an edit comes first');
SELECT is_empty($$SELECT * FROM lead_scoring.verify('q', clock_timestamp())$$, 'verify is empty');
SELECT is((SELECT count(*) FROM lead_scoring.queue) + (SELECT count(*) FROM lead_scoring.parked), 0::bigint, 'nothing waits');

-- Drafts and documents take a score's place
UPDATE lead_scoring.score SET mode = 'queued' WHERE name = 'q';
SELECT lead_scoring.draft('q', 'next');
UPDATE lead_scoring.rule SET within = NULL, points = 11 WHERE score = 'next' AND name = 'mail';
SELECT pg_temp.mail(6);
SELECT lead_scoring.publish('next');
SELECT is((SELECT string_agg(x, ', ') FROM regexp_split_to_table(pg_temp.announced(), ', ') x WHERE x ~ '^6'), '6 cold->hot facts, 6 call facts', 'a draft is published');
SELECT count(*) FROM lead_scoring.take_changes('q', 1000);
DELETE FROM activities WHERE contact_id = 6;
SELECT lead_scoring.import_score(lead_scoring.export_score('q'), replace => true);
SELECT is((SELECT string_agg(x, ', ') FROM regexp_split_to_table(pg_temp.announced(), ', ') x WHERE x ~ '^6'), '6 hot->cold facts', 'a document is read');
SELECT is((SELECT count(*) FROM lead_scoring.queue WHERE score = 'q'), 0::bigint, 'nothing waits');

-- Whoever owns the records may do so, too
CREATE ROLE ls_test_owner;
GRANT USAGE, CREATE ON SCHEMA public TO ls_test_owner;
SET ROLE ls_test_owner;
CREATE TABLE leads (id int PRIMARY KEY, worth int);
INSERT INTO leads VALUES (1, 0), (2, 0);
INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('lead', 'leads', 'id');
INSERT INTO lead_scoring.score (name, record_type, kind, mode) VALUES ('own', 'lead', 'fit', 'queued');
INSERT INTO lead_scoring.score_group (score, name) VALUES ('own', 'g');
INSERT INTO lead_scoring.rule (score, group_name, name, value, counting, points) VALUES ('own', 'g', 'worth', 'worth', 'each', 1);
INSERT INTO lead_scoring.alert (score, name, above) VALUES ('own', 'rich', 5);
SELECT lead_scoring.activate('own');
UPDATE leads SET worth = 10 WHERE id = 2;
UPDATE lead_scoring.rule SET points = 2 WHERE score = 'own';
SELECT is((SELECT string_agg(concat_ws(' ', record_key, alert, reason, total_after), ', ') FROM lead_scoring.take_changes('own')), '2 rich facts 20', 'an edit by the owner of the records');
RESET ROLE;
SELECT is((SELECT count(*) FROM lead_scoring.queue WHERE score = 'own'), 0::bigint, '... nothing waits');

SELECT * FROM finish();
ROLLBACK;
