-- Updates of what no rule reads cost nothing, and what rules read may change at any time
BEGIN;
\ir include/crm.psql
SELECT plan(74);

ALTER TABLE contacts ADD dropped int, ADD note text, ADD twice int GENERATED ALWAYS AS (employees * 2) STORED, ADD story text;
ALTER TABLE contacts DROP dropped;
ALTER TABLE contacts ALTER story SET STORAGE EXTERNAL;
INSERT INTO contacts (id, industry, employees, story) SELECT i, 'Retail', i, repeat('x', 100000) FROM generate_series(1, 3) AS i;
INSERT INTO activities (contact_id, type, detail, occurred_at) SELECT i, 'x', 'd', now() FROM generate_series(1, 3) AS i;
INSERT INTO lead_scoring.score (name, record_type, kind, history) VALUES ('s', 'contact', 'combined', 'none');
INSERT INTO lead_scoring.score_group (score, name, kind) VALUES ('s', 'f', 'fit'), ('s', 'e', 'engagement');
INSERT INTO lead_scoring.rule (score, group_name, name, source, criterion, points) VALUES
  ('s', 'f', 'retail', NULL, $$industry = 'Retail'$$, 10), ('s', 'e', 'x', 'activity', $$type = 'x'$$, 1);
SELECT lead_scoring.activate('s');

-- Write a wrong score, run a statement, see of which of the first three records it was noticed: their scores are right again
CREATE FUNCTION pg_temp.noticed(statement text, records text DEFAULT 'contacts', score text DEFAULT 's') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  noticed text;
BEGIN
  SET LOCAL lead_scoring.allow_score_writes = on;
  EXECUTE format('UPDATE %s SET %I = -1', records, score);
  SET LOCAL lead_scoring.allow_score_writes = off;
  EXECUTE statement;
  EXECUTE format('SELECT string_agg(id::text, '' '' ORDER BY id) FROM %s WHERE id <= 3 AND %I <> -1', records, score) INTO noticed;
  IF EXISTS (SELECT FROM lead_scoring.verify(score, clock_timestamp()) AS v WHERE v.stored_total <> -1) THEN
    RAISE 'a score is wrong';
  END IF;
  RETURN noticed;
END
$$;

-- Columns
SELECT is(pg_temp.noticed($$UPDATE contacts SET note = 'a'$$), NULL, 'a column that no rule reads');
SELECT is(pg_temp.noticed($$UPDATE contacts SET industry = 'Energy' WHERE id = 2$$), '2', 'one that a rule reads');
SELECT is(pg_temp.noticed($$UPDATE contacts SET industry = CASE id WHEN 1 THEN 'Energy' ELSE industry END, note = 'b'$$), '1', 'each row by itself');
SELECT is(pg_temp.noticed($$UPDATE contacts SET industry = industry$$), NULL, 'the value that was there');
SELECT is(pg_temp.noticed($$UPDATE contacts SET industry = NULL WHERE id = 3$$), '3', 'NULL instead of a value');
SELECT is(pg_temp.noticed($$UPDATE contacts SET industry = 'Retail' WHERE id = 3$$), '3', 'a value instead of NULL');
SELECT is(pg_temp.noticed($$UPDATE activities SET detail = 'e'$$), NULL, 'a column of an event that no rule reads');
SELECT is(pg_temp.noticed($$UPDATE activities SET type = 'y' WHERE contact_id = 2$$), '2', 'one that a rule reads');
SELECT is(pg_temp.noticed($$UPDATE activities SET contact_id = 3 WHERE contact_id = 1$$), '1 3', 'the column that links');
SELECT is(pg_temp.noticed($$INSERT INTO contacts (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET note = 'c'$$), NULL, 'ON CONFLICT: unused');
SELECT is(pg_temp.noticed($$INSERT INTO contacts (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET industry = 'Retail'$$), '1', 'ON CONFLICT: used');

-- Rules come and go: the very next update counts
INSERT INTO lead_scoring.rule (score, group_name, name, criterion, points) VALUES ('s', 'f', 'note', $$note = 'important'$$, 100);
SELECT is(pg_temp.noticed($$UPDATE contacts SET note = 'important' WHERE id = 1$$), '1', 'a rule has begun to read a column');
SELECT is((SELECT s_fit FROM contacts WHERE id = 1), 110::float8, '... and counts');
UPDATE lead_scoring.rule SET enabled = false WHERE name = 'note';
SELECT is(pg_temp.noticed($$UPDATE contacts SET note = 'no more'$$), NULL, 'it is switched off');
UPDATE lead_scoring.rule SET enabled = true WHERE name = 'note';
SELECT is(pg_temp.noticed($$UPDATE contacts SET note = 'important' WHERE id = 2$$), '2', 'and on');
INSERT INTO lead_scoring.rule (score, group_name, name, source, criterion, points) VALUES ('s', 'e', 'detail', 'activity', $$detail = 'long'$$, 7);
SELECT is(pg_temp.noticed($$UPDATE activities SET detail = 'long' WHERE contact_id = 2$$), '2', 'the same of events');

-- What was used may be dropped and changed, and what was not
DELETE FROM lead_scoring.rule WHERE name IN ('note', 'detail');
SELECT lives_ok('ALTER TABLE contacts DROP note', 'a column that a rule has used is dropped');
SELECT is(pg_temp.noticed($$UPDATE contacts SET state = 'x'$$), NULL, '... other columns');
SELECT is(pg_temp.noticed($$UPDATE contacts SET industry = 'Energy' WHERE id = 3$$), '3', '... and used ones are told apart');
SELECT lives_ok('ALTER TABLE activities DROP detail', 'of events, too');
SELECT is(pg_temp.noticed($$UPDATE activities SET amount = 1$$), NULL, '... other columns');
SELECT is(pg_temp.noticed($$UPDATE activities SET type = 'x' WHERE contact_id = 2$$), '2', '... and used ones');
SELECT lives_ok('ALTER TABLE contacts ALTER industry TYPE varchar(50), ALTER state TYPE varchar(9)', 'a column that is used gets another type');
SELECT is(pg_temp.noticed($$UPDATE contacts SET state = 'y'$$), NULL, '... other columns');
SELECT is(pg_temp.noticed($$UPDATE contacts SET industry = 'Retail' WHERE id = 3$$), '3', '... and that column');
ALTER TABLE contacts ADD rank int DEFAULT 1;
SELECT is(pg_temp.noticed($$UPDATE contacts SET rank = 2$$), NULL, 'a new column');
INSERT INTO lead_scoring.rule (score, group_name, name, criterion, points) VALUES ('s', 'f', 'rank', 'rank > 5', 100);
SELECT is(pg_temp.noticed($$UPDATE contacts SET rank = 10 WHERE id = 2$$), '2', '... that a rule reads');
ALTER TABLE contacts RENAME rank TO place;
UPDATE lead_scoring.rule SET criterion = 'place > 5' WHERE name = 'rank';
SELECT is(pg_temp.noticed($$UPDATE contacts SET place = 1 WHERE id = 2$$), '2', '... and that has another name now');

-- What statements do not name
INSERT INTO lead_scoring.rule (score, group_name, name, criterion, points) VALUES ('s', 'f', 'twice', 'twice > 100', 100);
SELECT is(pg_temp.noticed($$UPDATE contacts SET employees = 60 WHERE id = 1$$), '1', 'a generated column');
SELECT is(pg_temp.noticed($$UPDATE contacts SET employees = employees$$), NULL, '... that stays as it is');
CREATE FUNCTION pg_temp.change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.industry := NEW.state; RETURN NEW; END $$;
CREATE TRIGGER change BEFORE UPDATE OF state ON contacts FOR EACH ROW EXECUTE FUNCTION pg_temp.change();
SELECT is(pg_temp.noticed($$UPDATE contacts SET state = 'Retail' WHERE id = 2$$), '2', 'a column that somebody''s trigger writes');
DROP TRIGGER change ON contacts;
SELECT is(pg_temp.noticed($$UPDATE contacts SET regions = '{a}'$$), NULL, 'an array that nobody reads');
INSERT INTO lead_scoring.rule (score, group_name, name, criterion, points) VALUES ('s', 'f', 'story', $$story LIKE 'y%'$$, 100);
SELECT is(pg_temp.noticed($$UPDATE contacts SET regions = '{b}'$$), NULL, 'a long text that stays where it is');
SELECT is(pg_temp.noticed($$UPDATE contacts SET story = 'y' || substr(story, 2) WHERE id = 3$$), '3', '... that changes and is as long as before');
SELECT is(pg_temp.noticed($$UPDATE contacts SET story = 'y' || substr(story, 2) WHERE id = 3$$), NULL, '... that is written again');

-- Statements within statements: what one of them assigns says nothing of the others
CREATE FUNCTION pg_temp.aside(value text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  UPDATE contacts SET email = 'aside' WHERE id = 1001;
  RETURN value;
END
$$;
INSERT INTO contacts (id) VALUES (1001);
SELECT is(pg_temp.noticed($$UPDATE contacts SET industry = pg_temp.aside('Aside') WHERE id = 2$$), '2', 'a used column, while an update of an unused one runs');
SELECT is(pg_temp.noticed($$UPDATE contacts SET industry = pg_temp.aside(CASE id WHEN 3 THEN 'Other' ELSE industry END) WHERE id <= 3$$), '3', '... for each of several rows');
CREATE FUNCTION pg_temp.inside(value text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  UPDATE contacts SET industry = value WHERE id = 3;
  RETURN value;
END
$$;
SELECT is(pg_temp.noticed($$UPDATE contacts SET email = pg_temp.inside('Inside') WHERE id = 1$$), '3', 'an unused column, while an update of a used one runs');
SELECT is(pg_temp.noticed($$MERGE INTO contacts c USING (VALUES (1), (2)) n (id) ON c.id = n.id WHEN MATCHED AND n.id = 1 THEN UPDATE SET email = 'm' WHEN MATCHED THEN UPDATE SET industry = 'Merged'$$), '2', 'MERGE that does both');
SELECT is(pg_temp.noticed($$MERGE INTO contacts c USING (VALUES (1), (2)) n (id) ON c.id = n.id WHEN MATCHED THEN UPDATE SET email = 'n'$$), NULL, 'MERGE: unused');
CREATE FUNCTION pg_temp.rule_within(value text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO lead_scoring.rule (score, group_name, name, criterion, points) VALUES ('s', 'f', 'within', $c$email = 'rule'$c$, 100) ON CONFLICT DO NOTHING;
  RETURN value;
END
$$;
SELECT lead_scoring.refresh('s');
UPDATE contacts SET email = pg_temp.rule_within('rule') WHERE id = 2;
SELECT is((SELECT s_fit FROM contacts WHERE id = 2), 100::float8, 'a column that a rule begins to read while it is updated');
DELETE FROM lead_scoring.rule WHERE name = 'within';
DELETE FROM contacts WHERE id = 1001;
UPDATE contacts SET industry = 'Retail', email = NULL WHERE id = 1;
INSERT INTO lead_scoring.rule (score, group_name, name, criterion, points) VALUES ('s', 'f', 'all', $$to_jsonb(contacts) ->> 'email' = 'a'$$, 100);
UPDATE contacts SET email = 'a' WHERE id = 1;
SELECT is((SELECT s_fit FROM contacts WHERE id = 1), 210::float8, 'a rule that reads whole rows');
DELETE FROM lead_scoring.rule WHERE name IN ('all', 'twice', 'story');

-- A score that reads another score
INSERT INTO lead_scoring.score (name, record_type, kind, history) VALUES ('t', 'contact', 'combined', 'none');
INSERT INTO lead_scoring.score_group (score, name, kind) VALUES ('t', 'f', 'fit');
INSERT INTO lead_scoring.rule (score, group_name, name, criterion, points) VALUES ('t', 'f', 'hot', 's_engagement > 5', 1000);
SELECT lead_scoring.activate('t');
INSERT INTO activities (contact_id, type, occurred_at) SELECT 1, 'x', now() FROM generate_series(1, 10);
SELECT is((SELECT t FROM contacts WHERE id = 1), 1000::float8, 'a score that another score reads');
SELECT is(lead_scoring.refresh('s', clock_timestamp()), 0::bigint, 'all is as it must be');
SELECT lead_scoring.deactivate('t');

-- Nobody else writes scores, however it is tried
CREATE FUNCTION pg_temp.forge() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.s := 1000; RETURN NEW; END $$;
CREATE TRIGGER zzz_forge BEFORE UPDATE ON contacts FOR EACH ROW EXECUTE FUNCTION pg_temp.forge();
SELECT throws_ok($$UPDATE contacts SET state = 'z'$$, '428C9', 'the score columns of "contacts" are read-only', 'a trigger of somebody else');
DROP TRIGGER zzz_forge ON contacts;
SELECT throws_ok($$INSERT INTO contacts (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET s_label = 'x'$$, '428C9', NULL, 'ON CONFLICT');
SELECT throws_ok($$UPDATE contacts SET s = 5, industry = 'none' WHERE id = 1$$, '428C9', NULL, 'together with a column that is used');
SELECT lives_ok($$UPDATE contacts SET s = s, state = 'w'$$, 'the score that is there');
SELECT lead_scoring.deactivate('s');

-- A score that is computed on the way into the table, beside one that is not
INSERT INTO lead_scoring.score (name, record_type, kind) VALUES ('filled', 'contact', 'fit'), ('kept', 'contact', 'engagement');
INSERT INTO lead_scoring.score_group (score, name, kind) VALUES ('filled', 'f', 'fit'), ('kept', 'e', 'engagement');
INSERT INTO lead_scoring.rule (score, group_name, name, source, criterion, points) VALUES
  ('filled', 'f', 'retail', NULL, $$industry = 'Retail'$$, 10), ('kept', 'e', 'x', 'activity', $$type = 'x'$$, 1);
SELECT lead_scoring.activate('filled'), lead_scoring.activate('kept');
UPDATE contacts SET industry = CASE id WHEN 1 THEN 'Retail' END;
SELECT is((SELECT string_agg(filled::text, ' ' ORDER BY id) FROM contacts), '10 0 0', 'computed on the way');
SELECT is((SELECT count(*) FROM lead_scoring.verify('filled', clock_timestamp())), 0::bigint, '... and right');
SELECT throws_ok($$UPDATE contacts SET filled = 5, industry = 'Retail' WHERE id = 2$$, '428C9', NULL, 'nobody writes it, nor together with what it reads');
SELECT throws_ok($$UPDATE contacts SET filled = 5 WHERE id = 2$$, '428C9', NULL, '... nor alone');
SELECT throws_ok($$UPDATE contacts SET kept = 5, industry = 'Retail' WHERE id = 2$$, '428C9', NULL, 'nor the other one while it changes');
SET LOCAL lead_scoring.allow_score_writes = on;
UPDATE contacts SET filled = 7 WHERE id = 3;
SET LOCAL lead_scoring.allow_score_writes = off;
SELECT is((SELECT reason FROM lead_scoring.score_history WHERE score = 'filled' AND record_key = '3' AND total = 7), 'repair', 'a repair is noted');
SELECT lead_scoring.deactivate('filled'), lead_scoring.deactivate('kept');

-- Partitions and children number their columns otherwise
CREATE TABLE parts (id int PRIMARY KEY, industry text, note text) PARTITION BY RANGE (id);
CREATE TABLE parts_a PARTITION OF parts FOR VALUES FROM (1) TO (3);
CREATE TABLE parts_b (note text, gone int, industry text, id int NOT NULL);
ALTER TABLE parts_b DROP gone;
ALTER TABLE parts ATTACH PARTITION parts_b FOR VALUES FROM (3) TO (10);
INSERT INTO parts SELECT i, 'Retail' FROM generate_series(1, 3) AS i;
INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('part', 'parts', 'id');
INSERT INTO lead_scoring.score (name, record_type, kind, history) VALUES ('p', 'part', 'combined', 'none');
INSERT INTO lead_scoring.score_group (score, name, kind) VALUES ('p', 'f', 'fit');
INSERT INTO lead_scoring.rule (score, group_name, name, criterion, points) VALUES ('p', 'f', 'retail', $$industry = 'Retail'$$, 10);
SELECT lead_scoring.activate('p');
SELECT is(pg_temp.noticed($$UPDATE parts SET note = 'a'$$, 'parts', 'p'), NULL, 'partitions: a column that no rule reads');
SELECT is(pg_temp.noticed($$UPDATE parts SET industry = 'none' WHERE id >= 2$$, 'parts', 'p'), '2 3', 'one that a rule reads, in both');
SELECT is(pg_temp.noticed($$UPDATE parts_b SET industry = 'Retail'$$, 'parts', 'p'), '3', 'straight in a partition');
UPDATE parts SET id = 4, industry = 'Retail' WHERE id = 2;
SELECT is((SELECT p FROM parts_b WHERE id = 4), 10::float8, 'a row that moves to another partition');
SELECT throws_ok($$UPDATE parts SET p = 5$$, '428C9', NULL, 'nobody else writes the score');

CREATE TABLE kin (id int PRIMARY KEY, industry text, note text);
CREATE TABLE kid (extra text, PRIMARY KEY (id)) INHERITS (kin);
INSERT INTO kin VALUES (1, 'Retail');
INSERT INTO kid VALUES (2, 'Retail'), (3, 'Retail');
INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('kin', 'kin', 'id');
INSERT INTO lead_scoring.score (name, record_type, kind, history) VALUES ('k', 'kin', 'combined', 'none');
INSERT INTO lead_scoring.score_group (score, name, kind) VALUES ('k', 'f', 'fit');
INSERT INTO lead_scoring.rule (score, group_name, name, criterion, points) VALUES ('k', 'f', 'retail', $$industry = 'Retail'$$, 10);
SELECT lead_scoring.activate('k');
SELECT is(pg_temp.noticed($$UPDATE kin SET note = 'a'$$, 'kin', 'k'), NULL, 'children: a column that no rule reads');
CREATE FUNCTION pg_temp.of_kid() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.industry := 'none'; RETURN NEW; END $$;
CREATE TRIGGER of_kid BEFORE UPDATE OF note ON kid FOR EACH ROW EXECUTE FUNCTION pg_temp.of_kid();
SELECT is(pg_temp.noticed($$UPDATE kin SET note = 'b' WHERE id <> 3$$, 'kin', 'k'), '2', '... a trigger of a child writes one that a rule reads');
SELECT is(pg_temp.noticed($$UPDATE kid SET extra = 'c'$$, 'kin', 'k'), NULL, '... a column that only the child has');

-- Columns that are computed when they are read
SELECT current_setting('server_version_num')::int >= 180000 AS has_virtual \gset
\if :has_virtual
CREATE TABLE virtual (id int PRIMARY KEY, size int, doubled int GENERATED ALWAYS AS (size * 2) VIRTUAL);
INSERT INTO virtual VALUES (1, 1), (2, 2), (3, 3);
INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('virtual', 'virtual', 'id');
INSERT INTO lead_scoring.score (name, record_type, kind, history) VALUES ('v', 'virtual', 'combined', 'none');
INSERT INTO lead_scoring.score_group (score, name, kind) VALUES ('v', 'f', 'fit');
INSERT INTO lead_scoring.rule (score, group_name, name, criterion, points) VALUES ('v', 'f', 'large', 'doubled > 10', 10);
SELECT lead_scoring.activate('v');
SELECT matches(pg_temp.noticed($$UPDATE virtual SET size = 10 WHERE id = 2$$, 'virtual', 'v'), '2', 'a virtual generated column');
\else
SELECT skip('no virtual generated columns before PostgreSQL 18', 1);
\endif

-- Statements that the session itself sends, of a table whose rows become what they assign: what they leave alone is known before
-- the first row, but not of other statements within
CREATE TABLE bare (id int PRIMARY KEY, industry text, note text);
CREATE TABLE unruled (id int, industry text);
INSERT INTO unruled VALUES (1);
INSERT INTO bare SELECT i, 'none' FROM generate_series(1, 3) AS i;
INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('bare', 'bare', 'id');
INSERT INTO lead_scoring.source (name, record_type, relation, record_key, occurred_at) VALUES ('deed', 'bare', 'activities', 'contact_id', 'occurred_at');
INSERT INTO lead_scoring.score (name, record_type, kind, history) VALUES ('b', 'bare', 'combined', 'none');
INSERT INTO lead_scoring.score_group (score, name, kind) VALUES ('b', 'f', 'fit'), ('b', 'e', 'engagement');
INSERT INTO lead_scoring.rule (score, group_name, name, source, criterion, points) VALUES
  ('b', 'f', 'retail', NULL, $$industry = 'Retail'$$, 10), ('b', 'e', 'y', 'deed', $$type = 'y'$$, 1);
SELECT lead_scoring.activate('b');
CREATE FUNCTION pg_temp.scores() RETURNS text LANGUAGE sql AS $$ SELECT string_agg(b_fit::text, ' ' ORDER BY id) FROM bare $$;
CREATE FUNCTION pg_temp.other(record int, value text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  UPDATE bare SET industry = value WHERE id = record;
  RETURN value;
END
$$;
CREATE FUNCTION pg_temp.in_vain(record int, value text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  UPDATE bare SET note = value WHERE id = record;
  RAISE 'in vain';
EXCEPTION WHEN raise_exception THEN
  RETURN value;
END
$$;
SET LOCAL lead_scoring.allow_score_writes = on;
UPDATE bare SET b_fit = -1;
SET LOCAL lead_scoring.allow_score_writes = off;
UPDATE bare SET note = 'a';
SELECT is(pg_temp.scores(), '-1 -1 -1', 'a column that no rule reads');
UPDATE bare SET industry = 'Retail' WHERE id = 2;
SELECT is(pg_temp.scores(), '-1 10 -1', 'one that a rule reads');
WITH c AS (UPDATE bare SET industry = 'Retail' WHERE id = 1) UPDATE bare SET note = 'b' WHERE id = 3;
SELECT is(pg_temp.scores(), '10 10 -1', 'one that a rule reads, in the WITH clause of an update of another');
WITH c AS (UPDATE bare SET industry = 'none' WHERE id = 1 RETURNING note) UPDATE bare SET note = c.note FROM c WHERE id = 3;
SELECT is(pg_temp.scores(), '0 10 -1', '... which it is asked for');
UPDATE bare SET note = pg_temp.other(1, 'Retail') WHERE id = 3;
SELECT is(pg_temp.scores(), '10 10 -1', '... in a function');
UPDATE bare SET industry = pg_temp.in_vain(1, 'none') WHERE id = 2;
SELECT is(pg_temp.scores(), '10 0 -1', 'after an update of another was undone');
PREPARE note AS WITH c AS (UPDATE bare SET industry = 'none' WHERE id = $1) UPDATE bare SET note = 'c' WHERE id = 3;
EXECUTE note (1);
SELECT is(pg_temp.scores(), '0 0 -1', 'prepared');
CREATE RULE too AS ON UPDATE TO unruled DO ALSO UPDATE bare SET industry = NEW.industry WHERE id = NEW.id;
UPDATE unruled SET industry = 'Retail' WHERE id = 1;
SELECT is(pg_temp.scores(), '10 0 -1', 'by a rule');
SELECT lead_scoring.deactivate('b');

-- The function itself
CREATE TABLE unknown (id int);
INSERT INTO unknown VALUES (1);
CREATE FUNCTION pg_temp.fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'fired'; END $$;
CREATE TRIGGER t AFTER UPDATE ON unknown FOR EACH ROW WHEN (lead_scoring.matters(OLD.ctid, NEW.ctid)) EXECUTE FUNCTION pg_temp.fail();
SELECT throws_ok('UPDATE unknown SET id = 2', 'P0001', 'fired', 'all matters where nobody has held the definitions, as of a table that no score uses');
SELECT ok(bool_and(lead_scoring.matters(a.ctid, b.ctid)), 'anywhere else all matters') FROM contacts a JOIN contacts b USING (id);
SELECT lives_ok($$INSERT INTO contacts (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET state = 'v' WHERE lead_scoring.matters(contacts.ctid, contacts.ctid)$$, '... also in the condition of an update');
SELECT * FROM finish();
ROLLBACK;
