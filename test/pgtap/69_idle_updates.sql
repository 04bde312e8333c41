-- Statements that update only what no score reads are not looked at row by row, whatever else they do, call or set off is
BEGIN;
\ir include/crm.psql
SELECT plan(30);

INSERT INTO contacts (id, industry, company_id) SELECT i, 'Retail', i FROM generate_series(1, 3) AS i;
INSERT INTO companies (id, name) SELECT i, 'c' FROM generate_series(1, 3) AS i;
INSERT INTO activities (contact_id, type, occurred_at) SELECT i, 'x', now() FROM generate_series(1, 3) AS i;
INSERT INTO lead_scoring.score (name, record_type, history) VALUES ('s', 'contact', 'none');
INSERT INTO lead_scoring.score_group (score, name, kind) VALUES ('s', 'f', 'fit'), ('s', 'e', 'engagement');
INSERT INTO lead_scoring.rule (score, group_name, name, source, criterion, points) VALUES
  ('s', 'f', 'retail', NULL, $$industry = 'Retail'$$, 10), ('s', 'e', 'x', 'activity', $$type = 'x'$$, 1);
SELECT lead_scoring.activate('s');

-- The fit of the first three records after a statement; every score has to be right
CREATE FUNCTION pg_temp.fits(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE statement;
  IF EXISTS (SELECT FROM lead_scoring.verify('s', clock_timestamp())) THEN
    RETURN 'a score is wrong';
  END IF;
  RETURN (SELECT string_agg(s_fit::text, ' ' ORDER BY id) FROM contacts WHERE id <= 3);
END
$$;

-- What a statement calls
CREATE FUNCTION pg_temp.industry(contact int, value text) RETURNS text LANGUAGE sql AS $$ UPDATE contacts SET industry = value WHERE id = contact RETURNING value $$;
SELECT is(pg_temp.fits($$UPDATE contacts SET email = pg_temp.industry(3, 'Energy') WHERE id = 1$$), '10 10 0', 'a function updates what is read');
SELECT is(pg_temp.fits($$UPDATE contacts SET email = (SELECT pg_temp.industry(3, 'Retail')) WHERE id < 3 RETURNING email$$), '10 10 10', '... and again, while others are updated');
SELECT is(pg_temp.fits($$UPDATE contacts SET email = 'a' FROM (SELECT pg_temp.industry(2, 'Energy') AS done OFFSET 0) f WHERE done IS NOT NULL AND id = 3$$), '10 0 10', '... before them');
CREATE FUNCTION pg_temp.idle(value text) RETURNS text LANGUAGE sql AS $$ UPDATE contacts SET email = 'idle' WHERE id = 3; SELECT value $$;
SELECT is(pg_temp.fits($$UPDATE contacts SET industry = pg_temp.idle('Retail') WHERE id = 2$$), '10 10 10', 'an update of what is read calls one that is idle');

-- Several updates in one statement
SELECT is(pg_temp.fits($$WITH other AS (UPDATE contacts SET industry = 'Energy' WHERE id = 1) UPDATE contacts SET email = 'b' WHERE id = 2$$), '0 10 10', 'WITH: read, then idle');
SELECT is(pg_temp.fits($$WITH other AS (UPDATE contacts SET email = 'c' WHERE id = 2) UPDATE contacts SET industry = 'Retail' WHERE id = 1$$), '10 10 10', '... idle, then read');
SELECT is(pg_temp.fits($$WITH other AS (UPDATE contacts SET email = 'c' WHERE id = 2 RETURNING id), another AS (UPDATE contacts SET industry = 'Energy' WHERE id = 1) SELECT * FROM other$$), '0 10 10', '... in a query');
CREATE RULE also AS ON UPDATE TO companies DO ALSO UPDATE contacts SET industry = 'Retail' WHERE company_id = NEW.id;
SELECT is(pg_temp.fits($$UPDATE companies SET name = 'd' WHERE id = 1$$), '10 10 10', 'a rule of the table adds one');
SELECT is(pg_temp.fits($$MERGE INTO contacts c USING (VALUES (1), (4)) n (id) ON c.id = n.id WHEN MATCHED THEN UPDATE SET email = 'e' WHEN NOT MATCHED THEN INSERT (id, industry) VALUES (4, 'Retail')$$), '10 10 10', 'MERGE: an idle update and an insert');
SELECT is((SELECT s_fit FROM contacts WHERE id = 4), 10::float8, '... which is scored');
SELECT is(pg_temp.fits($$INSERT INTO contacts (id, industry) VALUES (3, 'Energy'), (5, 'Retail') ON CONFLICT (id) DO UPDATE SET email = 'f'$$), '10 10 10', 'ON CONFLICT: the same');
SELECT is((SELECT s_fit FROM contacts WHERE id = 5), 10::float8, '... which is scored');
SELECT is(pg_temp.fits($$MERGE INTO contacts c USING (VALUES (1), (3)) n (id) ON c.id = n.id WHEN MATCHED AND n.id = 1 THEN UPDATE SET email = 'e' WHEN MATCHED THEN UPDATE SET industry = 'Energy'$$), '10 10 0', 'MERGE: an idle update and one of what is read');
SELECT is(pg_temp.fits($$INSERT INTO contacts (id, industry) VALUES (3, 'Retail') ON CONFLICT (id) DO UPDATE SET email = 'f', industry = excluded.industry$$), '10 10 10', 'ON CONFLICT: both');
CREATE VIEW people AS SELECT id, email AS address, industry AS branch FROM contacts;
SELECT is(pg_temp.fits($$UPDATE people SET address = 'g'$$), '10 10 10', 'a view: idle');
SELECT is(pg_temp.fits($$UPDATE people SET branch = 'Energy' WHERE id = 2$$), '10 0 10', '... and read');

-- Ways to run a statement
SELECT is(pg_temp.fits($$EXPLAIN (ANALYZE, COSTS OFF) UPDATE contacts SET industry = 'Retail' WHERE id = 2$$), '10 10 10', 'EXPLAIN ANALYZE: read');
SELECT is(pg_temp.fits($$EXPLAIN (ANALYZE, COSTS OFF) UPDATE contacts SET email = 'h'$$), '10 10 10', '... and idle');
SELECT is(pg_temp.fits($$DO 'DECLARE r record; BEGIN FOR r IN UPDATE contacts SET email = ''i'' RETURNING id LOOP UPDATE contacts SET industry = ''Energy'' WHERE id = r.id AND id = 2; END LOOP; END'$$), '10 0 10', 'updates of what is read while rows of an idle one are fetched');
SELECT throws_ok($$UPDATE contacts SET email = (1 / (id - 2))::text$$, '22012', NULL, 'an idle update fails half-way');
SELECT is(pg_temp.fits($$UPDATE contacts SET industry = 'Retail' WHERE id = 2$$), '10 10 10', '... which the next one does not notice');
PREPARE idle AS UPDATE contacts SET email = 'important' WHERE id = 1;
EXECUTE idle;
EXECUTE idle;
UPDATE contacts SET email = NULL;
INSERT INTO lead_scoring.rule (score, group_name, name, criterion, points) VALUES ('s', 'f', 'important', $$email = 'important'$$, 100);
SELECT is(pg_temp.fits($$EXECUTE idle$$), '110 10 10', 'a prepared statement, after a rule has begun to read its column');
UPDATE lead_scoring.rule SET enabled = false WHERE name = 'important';
SELECT is(pg_temp.fits($$EXECUTE idle$$), '10 10 10', '... and has ended');

-- The definitions change under a statement
UPDATE contacts SET email = NULL;
CREATE FUNCTION pg_temp.enable(value text) RETURNS text LANGUAGE sql AS $$ UPDATE lead_scoring.rule SET enabled = true WHERE name = 'important' AND NOT enabled; SELECT value $$;
SELECT is(pg_temp.fits($$UPDATE contacts SET email = pg_temp.enable('important') WHERE id <= 3$$), '110 110 110', 'a rule begins to read the column while rows go by');
UPDATE lead_scoring.rule SET enabled = false WHERE name = 'important';

-- Triggers of others
CREATE FUNCTION pg_temp.follow() RETURNS trigger LANGUAGE plpgsql SET search_path = public AS $$ BEGIN UPDATE contacts SET industry = NEW.email WHERE id = NEW.id AND industry <> NEW.email; RETURN NULL; END $$;
CREATE TRIGGER follow AFTER UPDATE ON contacts FOR EACH ROW EXECUTE FUNCTION pg_temp.follow();
SELECT is(pg_temp.fits($$UPDATE contacts SET email = 'Energy' WHERE id = 2$$), '10 0 10', 'somebody''s trigger after the row is fired, and what it updates is scored');
DROP TRIGGER follow ON contacts;
UPDATE contacts SET email = NULL WHERE id <> 2;
ALTER TABLE contacts ADD UNIQUE (email), ADD boss text REFERENCES contacts (email) ON UPDATE CASCADE;
UPDATE contacts SET boss = 'Energy' WHERE id <> 2;
INSERT INTO lead_scoring.rule (score, group_name, name, criterion, points) VALUES ('s', 'f', 'boss', $$boss = 'new'$$, 5);
SELECT is(pg_temp.fits($$UPDATE contacts SET email = 'new' WHERE id = 2$$), '15 0 15', 'a foreign key carries it to a column that is read');
CREATE FUNCTION pg_temp.before() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.industry := 'Retail'; RETURN NEW; END $$;
CREATE TRIGGER before BEFORE UPDATE ON contacts FOR EACH ROW EXECUTE FUNCTION pg_temp.before();
SELECT is(pg_temp.fits($$UPDATE contacts SET state = 'x' WHERE id = 2$$), '15 10 15', 'a trigger before the row writes what is read');
DROP TRIGGER before ON contacts;

-- A subscriber, which has no triggers before a statement
SET session_replication_role = replica;
SELECT is(pg_temp.fits($$UPDATE contacts SET state = 'r', industry = CASE id WHEN 3 THEN 'Energy' ELSE industry END$$), '15 10 5', 'rows that a publisher sends');
UPDATE contacts SET state = 's';
RESET session_replication_role;

-- Nobody writes scores on the way
SELECT throws_ok($$UPDATE contacts SET state = 'y', s = 5 WHERE id = 1$$, '428C9', NULL, 'score columns are none that nobody reads');
SELECT lives_ok($$UPDATE contacts SET state = 'z', s = s$$, '... though they may stay what they are');

SELECT * FROM finish();
ROLLBACK;
