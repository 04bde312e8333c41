-- Records are locked, read and written without queries where their tables are plain; where they are not, nothing differs
BEGIN;
\ir include/crm.psql
SELECT plan(58);

CREATE INDEX ON activities (contact_id, occurred_at);
ALTER TABLE contacts ADD gone int, ADD note text;
ALTER TABLE contacts DROP gone;
INSERT INTO contacts (id, industry) SELECT i, 'Retail' FROM generate_series(1, 5) AS i;
INSERT INTO lead_scoring.score (name, record_type, kind, history) VALUES ('s', 'contact', 'combined', 'none');
INSERT INTO lead_scoring.score_group (score, name, kind, decay) VALUES ('s', 'f', 'fit', NULL), ('s', 'e', 'engagement', '100% per 100 days');
INSERT INTO lead_scoring.rule (score, group_name, name, source, criterion, points, within) VALUES
  ('s', 'f', 'retail', NULL, $$industry = 'Retail'$$, 10, NULL), ('s', 'e', 'x', 'activity', $$type = 'x'$$, 1, '30 days');
INSERT INTO lead_scoring.band (score, label, lower_bound) VALUES ('s', 'hot', 12.5), ('s', 'cold', NULL);
SELECT lead_scoring.activate('s');

-- Adds so many events of one contact, one per statement, and tells its score
CREATE FUNCTION pg_temp.come(contact int, events int DEFAULT 1) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  FOR i IN 1 .. events LOOP
    INSERT INTO activities (contact_id, type, occurred_at) VALUES (contact, 'x', clock_timestamp());
  END LOOP;
  RETURN (SELECT concat_ws(' ', round(s::numeric, 2), round(s_fit::numeric, 2), round(s_engagement::numeric, 2), s_label) FROM contacts WHERE id = contact);
END
$$;
CREATE FUNCTION pg_temp.wrong(score text DEFAULT 's') RETURNS bigint LANGUAGE sql AS $$
  SELECT count(*) FROM lead_scoring.verify(score, clock_timestamp()) AS v WHERE abs(v.stored_total - v.total) > 0.001 OR (v.stored_total IS NULL) <> (v.total IS NULL)
$$;

SELECT is(pg_temp.come(1), '11.00 10.00 1.00 cold', 'an event');
SELECT is(pg_temp.come(1, 3), '14.00 10.00 4.00 hot', 'some more');
SELECT is(pg_temp.come(2, 2), '12.00 10.00 2.00 cold', 'another record');
SELECT is(pg_temp.wrong(), 0::bigint, 'all are right');
INSERT INTO activities (contact_id, type, occurred_at) VALUES (2, 'x', clock_timestamp() - interval '31 days');
SELECT is(pg_temp.come(2), '13.00 10.00 3.00 hot', 'events that are too old count for nothing');
INSERT INTO activities (contact_id, type, occurred_at) VALUES (99, 'x', clock_timestamp());
SELECT is(pg_temp.wrong(), 0::bigint, 'events of nobody');
SELECT throws_ok($$INSERT INTO activities (contact_id, type) VALUES (2, 'x')$$, '22004', NULL, 'an event without a time is complained of');
SELECT throws_ok($$INSERT INTO activities (contact_id, type, occurred_at) SELECT i, 'x', CASE i WHEN 3 THEN NULL ELSE clock_timestamp() END FROM generate_series(1, 4) AS i$$,
  '22004', 'an event of source "activity" has no time: its record is "3"', 'one among those of several records is, too');
SELECT lives_ok($$INSERT INTO activities (type) VALUES ('x')$$, 'one that belongs to nobody is not');
SAVEPOINT otherwise;
DROP INDEX activities_contact_id_occurred_at_idx;
CREATE INDEX ON activities (contact_id, occurred_at NULLS FIRST);
SELECT is(pg_temp.come(2), '14.00 10.00 4.00 hot', 'an index that has what is NULL first');
SELECT throws_ok($$INSERT INTO activities (contact_id, type) VALUES (2, 'x')$$, '22004', NULL, '... which is complained of');
DROP INDEX activities_contact_id_occurred_at_idx;
CREATE INDEX ON activities (contact_id DESC, occurred_at DESC);
SELECT is(pg_temp.come(2), '15.00 10.00 5.00 hot', 'an index in the other order');
SELECT throws_ok($$INSERT INTO activities (contact_id, type) VALUES (2, 'x')$$, '22004', NULL, '... which has it first, too');
ROLLBACK TO otherwise;
UPDATE contacts SET industry = 'Energy' WHERE id = 2;
SELECT is(pg_temp.come(2), '4.00 0.00 4.00 cold', 'a row that an update has moved');
SAVEPOINT here;
SELECT is(pg_temp.come(2, 2), '6.00 0.00 6.00 cold', 'within a savepoint');
ROLLBACK TO here;
SELECT is(pg_temp.come(2), '5.00 0.00 5.00 cold', 'rolled back');
DELETE FROM contacts WHERE id = 5;
SELECT is(pg_temp.come(5), NULL, 'a record that is gone');

-- Indexes and generated columns over the score
CREATE INDEX score_index ON contacts (s);
CREATE INDEX label_index ON contacts (upper(s_label)) WHERE s > 0;
SELECT is(pg_temp.come(3, 4), '14.00 10.00 4.00 hot', 'with an index over the score');
SET LOCAL enable_seqscan = off;
SELECT is((SELECT string_agg(id::text, ' ' ORDER BY id) FROM contacts WHERE s > 13.9), '1 3', '... which finds it');
SELECT is((SELECT string_agg(id::text, ' ' ORDER BY id) FROM contacts WHERE upper(s_label) = 'HOT' AND s > 0), '1 3', '... and one over an expression');
SET LOCAL enable_seqscan = on;
ALTER TABLE contacts ADD rounded int GENERATED ALWAYS AS (round(s)) STORED;
SELECT is(pg_temp.come(4, 2), '12.00 10.00 2.00 cold', 'with a column that is generated from the score');
SELECT is((SELECT rounded FROM contacts WHERE id = 4), 12, '... which follows it');

-- Triggers, rules and constraints of others
CREATE TABLE noticed (trigger text, id int, s float8);
CREATE FUNCTION pg_temp.notice() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.noticed VALUES (TG_NAME, NEW.id, NEW.s); RETURN NEW; END $$;
CREATE TRIGGER before_row BEFORE UPDATE ON contacts FOR EACH ROW EXECUTE FUNCTION pg_temp.notice();
SELECT is(pg_temp.come(4), '13.00 10.00 3.00 hot', 'with a trigger before');
SELECT is((SELECT string_agg(concat_ws(' ', trigger, id, round(s::numeric, 2)), ', ') FROM noticed), 'before_row 4 13.00', '... which sees the score');
DROP TRIGGER before_row ON contacts;
CREATE TRIGGER after_row AFTER UPDATE OF s ON contacts FOR EACH ROW EXECUTE FUNCTION pg_temp.notice();
TRUNCATE noticed;
SELECT is(pg_temp.come(4), '14.00 10.00 4.00 hot', 'with a trigger after');
SELECT is((SELECT string_agg(concat_ws(' ', trigger, id, round(s::numeric, 2)), ', ') FROM noticed), 'after_row 4 14.00', '... which sees it, too');
DROP TRIGGER after_row ON contacts;
CREATE RULE also AS ON UPDATE TO contacts WHERE NEW.s IS DISTINCT FROM OLD.s DO ALSO INSERT INTO noticed VALUES ('rule', OLD.id, NEW.s);
TRUNCATE noticed;
SELECT is(pg_temp.come(4), '15.00 10.00 5.00 hot', 'with a rule');
SELECT is((SELECT count(*) FROM noticed), 1::bigint, '... which is applied');
DROP RULE also ON contacts;
ALTER TABLE contacts ADD CONSTRAINT small CHECK (s < 15.5);
SELECT throws_ok($$SELECT pg_temp.come(4)$$, '23514', NULL, 'with a constraint, which is checked');
ALTER TABLE contacts DROP CONSTRAINT small;
ALTER TABLE contacts DROP rounded;
CREATE TABLE places (id int PRIMARY KEY, contact_id int REFERENCES contacts);
INSERT INTO places VALUES (1, 4);
SELECT is(pg_temp.come(4), '16.00 10.00 6.00 hot', 'with a foreign key to the records');
ALTER TABLE contacts ADD CONSTRAINT notes UNIQUE (note) DEFERRABLE;
UPDATE contacts SET note = id::text;
SELECT is(pg_temp.come(4), '17.00 10.00 7.00 hot', 'with a constraint that may be checked later');
SELECT is(pg_temp.wrong(), 0::bigint, 'all are right');

-- A score that another reads comes later
INSERT INTO lead_scoring.score (name, record_type, kind, history) VALUES ('t', 'contact', 'combined', 'none');
INSERT INTO lead_scoring.score_group (score, name, kind) VALUES ('t', 'f', 'fit');
INSERT INTO lead_scoring.rule (score, group_name, name, criterion, points) VALUES ('t', 'f', 'hot', 's_engagement > 7.5', 1000);
SELECT lead_scoring.activate('t');
SELECT is(pg_temp.come(4), '18.00 10.00 8.00 hot', 'a score that another one reads');
SELECT is((SELECT t FROM contacts WHERE id = 4), 1000::float8, '... which follows');
SELECT lead_scoring.deactivate('t');
SELECT is(pg_temp.come(4), '19.00 10.00 9.00 hot', 'and when that is gone');

-- Rights and policies are those of the owner, as ever
CREATE ROLE ls_test_single;
GRANT ls_test_single TO CURRENT_USER;
GRANT CREATE ON SCHEMA public TO ls_test_single;
ALTER TABLE contacts OWNER TO ls_test_single;
ALTER TABLE activities OWNER TO ls_test_single;
ALTER TABLE companies OWNER TO ls_test_single;
UPDATE lead_scoring.record_type SET relation = relation;
UPDATE lead_scoring.source SET relation = relation;
SELECT is(pg_temp.come(4), '20.00 10.00 10.00 hot', 'another owner');
SET LOCAL ROLE ls_test_single;
REVOKE SELECT ON activities FROM ls_test_single;
RESET ROLE;
SELECT throws_ok($$SELECT pg_temp.come(4)$$, '42501', NULL, 'who has given up his right to read events');
GRANT SELECT ON activities TO ls_test_single;
REVOKE UPDATE ON contacts FROM ls_test_single;
SELECT throws_ok($$SELECT pg_temp.come(4)$$, '42501', NULL, '... or to write records');
GRANT UPDATE ON contacts TO ls_test_single;
CREATE POLICY hidden ON activities USING (type <> 'x');
ALTER TABLE activities ENABLE ROW LEVEL SECURITY;
SELECT is(pg_temp.come(4), '21.00 10.00 11.00 hot', 'policies are not for the owner');
ALTER TABLE activities FORCE ROW LEVEL SECURITY;
SELECT throws_ok($$SELECT pg_temp.come(4)$$, '42501', NULL, '... unless they are forced on him');
ALTER TABLE activities NO FORCE ROW LEVEL SECURITY;
SELECT is(pg_temp.wrong(), 0::bigint, 'all are right');
SELECT lead_scoring.deactivate('s');

-- Keys
CREATE TABLE few (id smallint PRIMARY KEY, name text);
CREATE TABLE many (few_id bigint, happened timestamptz NOT NULL);
CREATE INDEX ON many (few_id, happened);
INSERT INTO few VALUES (1, 'one'), (-1, 'minus');
INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('few', 'few', 'id');
INSERT INTO lead_scoring.source (name, record_type, relation, record_key, occurred_at) VALUES ('many', 'few', 'many', 'few_id', 'happened');
INSERT INTO lead_scoring.score (name, record_type, kind, history) VALUES ('k', 'few', 'combined', 'none');
INSERT INTO lead_scoring.score_group (score, name, kind) VALUES ('k', 'e', 'engagement');
INSERT INTO lead_scoring.rule (score, group_name, name, source, points) VALUES ('k', 'e', 'x', 'many', 1);
SELECT lead_scoring.activate('k');
INSERT INTO many VALUES (65537, now());
INSERT INTO many VALUES (65535, now());
SELECT is((SELECT string_agg(k::text, ' ' ORDER BY id) FROM few), '0 0', 'keys beyond the type of the records'' are nobody''s');
INSERT INTO many VALUES (1, now());
SELECT is((SELECT string_agg(k::text, ' ' ORDER BY id) FROM few), '0 1', 'a key of another width');
CREATE TABLE people (name text COLLATE "C" PRIMARY KEY, size int);
CREATE TABLE letters (person varchar(20), sent timestamptz);
CREATE INDEX ON letters (person varchar_pattern_ops, sent DESC);
INSERT INTO people VALUES ('Özge', 1), ('özge', 1), ('', 1);
INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('person', 'people', 'name');
INSERT INTO lead_scoring.source (name, record_type, relation, record_key, occurred_at) VALUES ('letter', 'person', 'letters', 'person', 'sent');
INSERT INTO lead_scoring.score (name, record_type, kind, history) VALUES ('w', 'person', 'combined', 'none');
INSERT INTO lead_scoring.score_group (score, name, kind) VALUES ('w', 'e', 'engagement');
INSERT INTO lead_scoring.rule (score, group_name, name, source, points, within) VALUES ('w', 'e', 'x', 'letter', 1, '9 days');
SELECT lead_scoring.activate('w');
INSERT INTO letters VALUES ('Özge', now());
INSERT INTO letters VALUES ('Özge', now() - interval '10 days');
INSERT INTO letters VALUES ('Özge', now() - interval '8 days');
INSERT INTO letters VALUES ('', now());
SELECT is((SELECT string_agg(w::text, ' ' ORDER BY name) FROM people), '1 2 0', 'texts, through an index of other operators, the newest first');
UPDATE letters SET person = 'özge' WHERE person = 'Özge' AND sent = now();
SELECT is((SELECT string_agg(w::text, ' ' ORDER BY name) FROM people), '1 1 1', 'an event that moves');
CREATE TABLE things (id uuid PRIMARY KEY);
CREATE TABLE uses (thing uuid REFERENCES things, used timestamptz);
CREATE INDEX ON uses (thing);
INSERT INTO things VALUES ('00000000-0000-0000-0000-000000000001'), ('10000000-0000-0000-0000-000000000000');
INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('thing', 'things', 'id');
INSERT INTO lead_scoring.source (name, record_type, relation, record_key, occurred_at) VALUES ('use', 'thing', 'uses', 'thing', 'used');
INSERT INTO lead_scoring.score (name, record_type, kind, history) VALUES ('u', 'thing', 'combined', 'none');
INSERT INTO lead_scoring.score_group (score, name, kind) VALUES ('u', 'e', 'engagement');
INSERT INTO lead_scoring.rule (score, group_name, name, source, points, within) VALUES ('u', 'e', 'x', 'use', 1, '9 days');
SELECT lead_scoring.activate('u');
INSERT INTO uses VALUES ('00000000-0000-0000-0000-000000000001', now());
INSERT INTO uses VALUES ('00000000-0000-0000-0000-000000000001', now() - interval '10 days');
SELECT is((SELECT string_agg(u::text, ' ' ORDER BY id) FROM things), '1 0', 'uuids, through an index without the time');
SELECT lead_scoring.deactivate('u'), lead_scoring.deactivate('w'), lead_scoring.deactivate('k');

-- The index goes, comes back, and another one comes
SELECT lead_scoring.activate('s'), lead_scoring.refresh('s', clock_timestamp());
DROP INDEX activities_contact_id_occurred_at_idx;
SELECT is(pg_temp.come(3), '15.00 10.00 5.00 hot', 'without an index over the events');
CREATE INDEX ON activities (contact_id) WHERE type <> 'x';
CREATE INDEX ON activities USING hash (contact_id);
SELECT is(pg_temp.come(3), '16.00 10.00 6.00 hot', 'with indexes that do not help');
ALTER TABLE contacts ALTER industry TYPE varchar(30);
SELECT is(pg_temp.come(3), '17.00 10.00 7.00 hot', 'a column of another type');
SELECT is(pg_temp.wrong(), 0::bigint, 'all are right');

-- Many records by one statement
CREATE INDEX ON activities (contact_id, occurred_at);
INSERT INTO contacts (id, industry) SELECT i, 'Retail' FROM generate_series(1001, 1400) AS i;
SELECT is((SELECT count(*) FROM contacts WHERE id > 1000 AND s = 10 AND s_label = 'cold'), 400::bigint, 'records that come together');
INSERT INTO activities (contact_id, type, occurred_at) SELECT i, 'x', clock_timestamp() FROM generate_series(1001, 1004) AS i, generate_series(1, 3);
SELECT is((SELECT string_agg(concat_ws(' ', round(s::numeric, 2), s_label), ', ') FROM contacts WHERE id BETWEEN 1001 AND 1004), '13.00 hot, 13.00 hot, 13.00 hot, 13.00 hot', 'events of a few');
INSERT INTO activities (contact_id, type, occurred_at) SELECT i, 'x', clock_timestamp() FROM generate_series(1001, 1500) AS i, generate_series(1, 3);
SELECT is((SELECT count(*) FROM contacts WHERE id > 1004 AND round(s::numeric, 2) = 13 AND s_label = 'hot'), 396::bigint, 'events of many, and of some that are not there');
SET LOCAL enable_seqscan = off;
SELECT is((SELECT count(*) FROM contacts WHERE s > 12.9 AND id > 1004), 396::bigint, '... which an index over the score finds');
SET LOCAL enable_seqscan = on;
CREATE TRIGGER after_row AFTER UPDATE OF s ON contacts FOR EACH ROW EXECUTE FUNCTION pg_temp.notice();
TRUNCATE noticed;
GRANT INSERT ON noticed TO ls_test_single;
INSERT INTO activities (contact_id, type, occurred_at) SELECT i, 'x', clock_timestamp() FROM generate_series(1001, 1400) AS i;
SELECT is((SELECT count(DISTINCT id) FROM noticed WHERE trigger = 'after_row' AND s > 13.9), 400::bigint, 'with a trigger, which sees each');
DROP TRIGGER after_row ON contacts;
DELETE FROM activities WHERE contact_id > 1000;
SELECT is((SELECT count(*) FROM contacts WHERE id > 1000 AND s = 10 AND s_label = 'cold'), 400::bigint, 'and all go');
SELECT is(pg_temp.wrong(), 0::bigint, 'all are right');

-- A query that is made ready when it is first needed means what was written, whatever the settings of the session are then
UPDATE lead_scoring.source SET filter = $$detail = 'a\b'$$ WHERE name = 'activity';
SET LOCAL standard_conforming_strings = off;
SET LOCAL escape_string_warning = off;
INSERT INTO activities (contact_id, type, detail, occurred_at) VALUES (1001, 'x', E'a\\b', clock_timestamp());
SET LOCAL standard_conforming_strings = on;
SELECT is((SELECT round(s::numeric, 2) FROM contacts WHERE id = 1001), 11.00, 'a text with a backslash');
SELECT * FROM finish();
ROLLBACK;
