-- Relations and columns that are dropped, renamed or changed after they were used in a definition
BEGIN;
\ir include/crm.psql
SELECT plan(87);

CREATE FUNCTION pg_temp.setup() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  CREATE TABLE leads (id int PRIMARY KEY, industry text, size int, note text);
  CREATE TABLE happenings (lead_id int, type text, amount int, at timestamptz);
  INSERT INTO leads VALUES (1, 'Retail', 10), (2, 'Other', 20);
  INSERT INTO happenings SELECT 1, 'x', 5, pg_temp.day() FROM generate_series(1, 3);
  INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('lead', 'leads', 'id');
  INSERT INTO lead_scoring.source (name, record_type, relation, record_key, occurred_at) VALUES ('happening', 'lead', 'happenings', 'lead_id', 'at');
  INSERT INTO lead_scoring.score (name, record_type, kind) VALUES ('s', 'lead', 'combined');
  INSERT INTO lead_scoring.score_group (score, name, kind) VALUES ('s', 'f', 'fit'), ('s', 'e', 'engagement');
  INSERT INTO lead_scoring.rule (score, group_name, name, source, criterion, points) VALUES
    ('s', 'f', 'r', NULL, $c$industry = 'Retail' AND size < 50$c$, 10), ('s', 'e', 'x', 'happening', $c$type = 'x' AND amount > 1$c$, 1);
END
$$;
-- What happens after a change, as SQLSTATE or result; then everything is undone
CREATE FUNCTION pg_temp.after(change text, call text DEFAULT $$SELECT string_agg(record_key || '=' || total, ' ' ORDER BY record_key) FROM lead_scoring.evaluate('s', pg_temp.day())$$) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  result text;
BEGIN
  BEGIN
    PERFORM pg_temp.setup();
    BEGIN
      EXECUTE change;
      EXECUTE call INTO result;
    EXCEPTION WHEN raise_exception THEN RAISE; WHEN OTHERS THEN
      result := SQLSTATE;
    END;
    RAISE EXCEPTION 'undo' USING ERRCODE = 'ZZ999';
  EXCEPTION WHEN SQLSTATE 'ZZ999' THEN
    RETURN result;
  END;
END
$$;
SELECT is(pg_temp.after('SELECT 1'), '1=13 2=0', 'unchanged');

-- Renaming changes nothing: relations are kept by OID, expressions follow
SELECT is(pg_temp.after('ALTER TABLE happenings RENAME TO occasions'), '1=13 2=0', 'event table renamed');
SELECT is(pg_temp.after('ALTER TABLE leads RENAME TO "Leads"'), '1=13 2=0', 'record table renamed');
SELECT is(pg_temp.after('CREATE SCHEMA elsewhere; ALTER TABLE happenings SET SCHEMA elsewhere; ALTER TABLE leads SET SCHEMA elsewhere'), '1=13 2=0', 'both in another schema');
SELECT is(pg_temp.after('ALTER TABLE happenings ADD COLUMN more int; ALTER TABLE leads ADD COLUMN as_of timestamptz'), '1=13 2=0', 'columns added');
SELECT is(pg_temp.after('ALTER TABLE leads DROP COLUMN note'), '1=13 2=0', 'a column dropped that nobody uses');
SELECT is(pg_temp.after('CREATE TABLE pg_temp.leads (id int PRIMARY KEY); CREATE TABLE pg_temp.happenings (x int)'), '1=13 2=0', 'temporary tables of the same names');
SELECT is(pg_temp.after('CREATE SCHEMA hostile; CREATE FUNCTION hostile.never(text, text) RETURNS bool LANGUAGE sql IMMUTABLE AS ''SELECT false''; CREATE OPERATOR hostile.= (LEFTARG = text, RIGHTARG = text, FUNCTION = hostile.never); SET LOCAL search_path = hostile, pg_catalog, public'),
  '1=13 2=0', 'an operator of another schema, first in the search path when the score is evaluated');
SELECT is(pg_temp.after('SET LOCAL search_path = pg_temp'), '1=13 2=0', 'an empty search path');

-- Types changed
SELECT is(pg_temp.after('ALTER TABLE happenings ALTER amount TYPE numeric'), '1=13 2=0', 'integer column becomes numeric');
SELECT is(pg_temp.after('ALTER TABLE happenings ALTER amount TYPE bigint'), '1=13 2=0', 'integer column becomes bigint');
SELECT is(pg_temp.after('ALTER TABLE leads ALTER size TYPE smallint'), '1=13 2=0', 'integer column becomes smallint');
SELECT is(pg_temp.after('ALTER TABLE leads ALTER industry TYPE varchar(20)'), '1=13 2=0', 'text column becomes varchar');
SELECT is(pg_temp.after('ALTER TABLE leads ALTER id TYPE bigint'), '1=13 2=0', 'integer key becomes bigint');
SELECT is(pg_temp.after('ALTER TABLE happenings ALTER lead_id TYPE bigint'), '1=13 2=0', 'integer event key becomes bigint');
SELECT ok(pg_temp.after('ALTER TABLE happenings ALTER amount TYPE text') IN ('42883', '42804'), 'integer column becomes text: the criterion no longer holds: ' || pg_temp.after('ALTER TABLE happenings ALTER amount TYPE text'));
SELECT ok(pg_temp.after('ALTER TABLE leads ALTER size TYPE date USING now()') IN ('42883', '42804'), 'integer column becomes date: ' || pg_temp.after('ALTER TABLE leads ALTER size TYPE date USING now()'));
SELECT ok(pg_temp.after('ALTER TABLE happenings ALTER lead_id TYPE text') IN ('42804'), 'integer event key becomes text: ' || pg_temp.after('ALTER TABLE happenings ALTER lead_id TYPE text'));
SELECT ok(pg_temp.after('ALTER TABLE happenings ALTER at TYPE text') IN ('42804'), 'time becomes text: ' || pg_temp.after('ALTER TABLE happenings ALTER at TYPE text'));
SELECT ok(pg_temp.after('ALTER TABLE leads ALTER id TYPE float8') IN ('42804'), 'key becomes float8: ' || pg_temp.after('ALTER TABLE leads ALTER id TYPE float8'));

-- Columns dropped or renamed
SELECT is(pg_temp.after('ALTER TABLE happenings DROP COLUMN amount'), '42703', 'a column of a criterion dropped');
SELECT is(pg_temp.after('ALTER TABLE leads DROP COLUMN size'), '42703', 'a column of a property rule dropped');
SELECT is(pg_temp.after('ALTER TABLE leads DROP COLUMN id'), '42703', 'the key dropped');
SELECT is(pg_temp.after('ALTER TABLE happenings DROP COLUMN at'), '42703', 'the time dropped');
SELECT is(pg_temp.after('ALTER TABLE happenings DROP COLUMN lead_id'), '42703', 'the event key dropped');
SELECT ok(pg_temp.after('ALTER TABLE happenings RENAME COLUMN amount TO value') IN ('42703', '1=13 2=0'), 'a column of a criterion renamed: an error or followed, never wrong');
SELECT ok(pg_temp.after('ALTER TABLE leads RENAME COLUMN id TO key') IN ('42703', '1=13 2=0'), 'the key renamed: an error or followed, never wrong');
SELECT is(pg_temp.after('ALTER TABLE happenings RENAME COLUMN amount TO a; ALTER TABLE happenings RENAME COLUMN type TO amount; ALTER TABLE happenings RENAME COLUMN a TO type') IN ('1=13 2=0', '42703', '42883', '42804', '22P02'), true, 'two columns exchanged: never a wrong score');

-- What a criterion names is called otherwise: it is read again as soon as somebody writes it again
CREATE FUNCTION pg_temp.named(change text, afterwards text DEFAULT 'SELECT 1') RETURNS text LANGUAGE sql AS $f$
  SELECT pg_temp.after($$CREATE SCHEMA here; CREATE SCHEMA there; SET LOCAL search_path = here, there, public; CREATE TYPE here.kind AS ENUM ('Retail', 'Other'); CREATE FUNCTION here.big(int) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT $1 > 1';
    ALTER TABLE leads ALTER industry TYPE here.kind USING industry::here.kind;
    UPDATE lead_scoring.rule SET criterion = 'industry = ''Retail'' AND big(size)' WHERE name = 'r';$$ || change || ';' || afterwards)
$f$;
SELECT is(pg_temp.named('SELECT 1'), '1=13 2=0', 'a type and a function');
SELECT is(pg_temp.named('ALTER TYPE here.kind RENAME TO sort'), '42704', 'the type renamed');
SELECT is(pg_temp.named('ALTER TYPE here.kind RENAME TO sort', 'UPDATE lead_scoring.rule SET criterion = criterion'), '1=13 2=0', 'and the rule written again');
SELECT is(pg_temp.named('ALTER FUNCTION here.big SET SCHEMA there', 'UPDATE lead_scoring.rule SET points = points'), '42883', 'the function moved, and something else of the rule written');
SELECT is(pg_temp.named('ALTER FUNCTION here.big SET SCHEMA there', 'UPDATE lead_scoring.rule SET (criterion, points) = (criterion, points)'), '1=13 2=0', 'and the rule written again');
SELECT is(pg_temp.named('CREATE SCHEMA first; CREATE FUNCTION first.big(int) RETURNS bool LANGUAGE sql IMMUTABLE AS ''SELECT false''; SET LOCAL search_path = first, here, public', 'UPDATE lead_scoring.rule SET criterion = criterion'), '1=13 2=0', 'what can still be read means what it meant');
SELECT is(pg_temp.named('DROP FUNCTION here.big', 'UPDATE lead_scoring.rule SET criterion = criterion'), '42883', 'what cannot be read is told');

-- Relations dropped
SELECT is(pg_temp.after('DROP TABLE happenings'), '42P01', 'the event table dropped');
SELECT is(pg_temp.after('DROP TABLE leads'), '42P01', 'the record table dropped');
SELECT is(pg_temp.after('DROP TABLE leads', $$SELECT * FROM lead_scoring.explain('s', '1')$$), '42P01', 'the record table dropped: explain');
SELECT is(pg_temp.after('DROP TABLE leads', $$SELECT lead_scoring.activate('s')$$), '42P01', 'the record table dropped: activate');
SELECT is(pg_temp.after($$DROP TABLE happenings; UPDATE lead_scoring.rule SET points = 2$$), '42P01', 'the event table dropped, then a rule edited');
SELECT is(pg_temp.after('DROP TABLE happenings; DROP TABLE leads', $$WITH a AS (DELETE FROM lead_scoring.score WHERE name = 's') SELECT 'deleted'$$), 'deleted', 'a score over dropped tables can be deleted');
SELECT is(pg_temp.after($$DROP TABLE happenings; DELETE FROM lead_scoring.rule WHERE score = 's' AND name = 'x'; DELETE FROM lead_scoring.source WHERE record_type = 'lead'$$), '1=10 2=0', 'a source over a dropped table can be deleted, and the rest works');
SELECT is(pg_temp.after($$DROP TABLE happenings; DROP TABLE leads; DELETE FROM lead_scoring.score WHERE name = 's'; DELETE FROM lead_scoring.source WHERE record_type = 'lead'; DELETE FROM lead_scoring.record_type WHERE name = 'lead'$$, 'SELECT count(*) FROM lead_scoring.record_type WHERE name = ''lead'''), '0', 'all definitions over dropped tables can be deleted');

-- Active scores
SELECT is(pg_temp.after($$SELECT lead_scoring.activate('s'); DROP TABLE leads$$, $$SELECT lead_scoring.deactivate('s')$$) IN ('', '42P01'), true, 'deactivate after the record table is gone: done, or an error that says so');
SELECT is(pg_temp.after($$SELECT lead_scoring.activate('s'); ALTER TABLE leads DROP COLUMN s_label CASCADE$$, $$SELECT lead_scoring.refresh('s')$$) IN ('42703', '55000', '0', '1', '2'), true, 'a score column dropped by hand: an error or mended');
SELECT is(pg_temp.after($$SELECT lead_scoring.activate('s'); ALTER TABLE leads DROP COLUMN s CASCADE, DROP COLUMN s_fit CASCADE, DROP COLUMN s_engagement CASCADE, DROP COLUMN s_label CASCADE; SELECT lead_scoring.deactivate('s'); SELECT lead_scoring.activate('s')$$, $$SELECT string_agg(id || '=' || s, ' ' ORDER BY id) FROM leads$$) IN ('1=13 2=0', '1=10 2=0', '42703'), true, 'all score columns dropped by hand: deactivate and activate again');
SELECT is(pg_temp.after($$SELECT lead_scoring.activate('s'); ALTER TABLE leads RENAME TO people; SELECT lead_scoring.refresh('s', pg_temp.day())$$, $$SELECT string_agg(id || '=' || s, ' ' ORDER BY id) FROM people$$), '1=13 2=0', 'the record table renamed while active');
SELECT is(pg_temp.after($$CREATE SCHEMA elsewhere; ALTER TABLE happenings SET SCHEMA elsewhere; ALTER TABLE leads SET SCHEMA elsewhere; SELECT lead_scoring.activate('s');
  INSERT INTO elsewhere.happenings VALUES (1, 'x', 5, now()); ALTER SCHEMA elsewhere RENAME TO beyond; INSERT INTO beyond.happenings VALUES (2, 'x', 5, now())$$, $$SELECT string_agg(id || '=' || s, ' ' ORDER BY id) FROM beyond.leads$$), '1=14 2=1', 'the schema of both renamed while active');
SELECT is(pg_temp.after($$SELECT lead_scoring.activate('s'); DELETE FROM leads WHERE id = 1; SELECT lead_scoring.refresh('s', pg_temp.day())$$, $$SELECT string_agg(id || '=' || s, ' ' ORDER BY id) FROM leads$$), '2=0', 'a record deleted');
SELECT is(pg_temp.after($$SELECT lead_scoring.activate('s'); TRUNCATE happenings; SELECT lead_scoring.refresh('s', pg_temp.day())$$, $$SELECT string_agg(id || '=' || s, ' ' ORDER BY id) FROM leads$$), '1=10 2=0', 'D27: all events deleted');
SELECT is(pg_temp.after($$SELECT lead_scoring.activate('s'); ALTER TABLE leads DROP CONSTRAINT leads_pkey; INSERT INTO leads (id, industry, size) VALUES (1, 'Other', 1)$$, $$SELECT lead_scoring.refresh('s', pg_temp.day())$$) IN ('42830', '55000', '21000'), true, 'the key no longer unique, and a key twice: ' || coalesce(pg_temp.after($$SELECT lead_scoring.activate('s'); ALTER TABLE leads DROP CONSTRAINT leads_pkey; INSERT INTO leads (id, industry, size) VALUES (1, 'Other', 1)$$, $$SELECT lead_scoring.refresh('s', pg_temp.day())$$), 'NULL'));

-- Who writes facts is told, and the definition can be mended
SELECT is(pg_temp.after($$SELECT lead_scoring.activate('s'); ALTER TABLE leads RENAME COLUMN id TO key$$, $$INSERT INTO happenings VALUES (1, 'x', 5, now()) RETURNING type$$), '42703', 'the key renamed, then an event');
SELECT is(pg_temp.after($$SELECT lead_scoring.activate('s'); ALTER TABLE leads RENAME COLUMN id TO key$$, $$INSERT INTO leads VALUES (3, 'Retail', 1) RETURNING key$$), '42703', '... then a record');
SELECT is(pg_temp.after($$SELECT lead_scoring.activate('s'); ALTER TABLE happenings RENAME COLUMN lead_id TO who$$, $$INSERT INTO happenings VALUES (1, 'x', 5, now()) RETURNING type$$), '42703', 'the column of an event that names its record renamed, then an event');
SELECT is(pg_temp.after($$SELECT lead_scoring.activate('s'); ALTER TABLE leads RENAME COLUMN id TO key; UPDATE lead_scoring.record_type SET key_column = 'key' WHERE name = 'lead'; INSERT INTO happenings VALUES (2, 'x', 5, now())$$, $$SELECT s_engagement FROM leads WHERE key = 2$$), '1', 'the same in the definition: scores follow');
SELECT is(pg_temp.after($$CREATE TABLE contacts_too (id int PRIMARY KEY); INSERT INTO contacts_too VALUES (7);
  INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('other', 'contacts_too', 'id');
  INSERT INTO lead_scoring.score (name, record_type, kind) VALUES ('t', 'other', 'fit'); INSERT INTO lead_scoring.score_group (score, name, kind) VALUES ('t', 'f', 'fit');
  INSERT INTO lead_scoring.rule (score, group_name, name, points) VALUES ('t', 'f', 'all', 3);
  SELECT lead_scoring.activate('s'), lead_scoring.activate('t'); ALTER TABLE leads RENAME COLUMN id TO key; INSERT INTO contacts_too VALUES (8)$$,
  $$SELECT string_agg(id || '=' || t, ' ' ORDER BY id) FROM contacts_too$$), '7=3 8=3', 'scores of other records go on');
SELECT is(pg_temp.after($$CREATE TABLE contacts_too (id int PRIMARY KEY);
  INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('other', 'contacts_too', 'id');
  INSERT INTO lead_scoring.score (name, record_type, kind) VALUES ('t', 'other', 'fit'); INSERT INTO lead_scoring.score_group (score, name, kind) VALUES ('t', 'f', 'fit');
  INSERT INTO lead_scoring.rule (score, group_name, name, points) VALUES ('t', 'f', 'all', 3);
  SELECT lead_scoring.activate('s'), lead_scoring.activate('t'); ALTER TABLE leads ALTER id TYPE numeric; INSERT INTO contacts_too VALUES (8)$$,
  $$SELECT string_agg(id || '=' || t, ' ' ORDER BY id) FROM contacts_too$$), '8=3', '... if the key becomes numeric, too');
SELECT is(pg_temp.after($$SELECT lead_scoring.activate('s'); ALTER TABLE leads ALTER id TYPE numeric$$, $$INSERT INTO happenings VALUES (1, 'x', 5, now()) RETURNING type$$) IN ('42804', '0A000'), true, '... and is complained of');
SELECT is(pg_temp.after($$SELECT lead_scoring.activate('s'); ALTER TABLE leads ALTER id TYPE numeric; SELECT lead_scoring.deactivate('s'); INSERT INTO leads VALUES (9)$$, 'SELECT count(*) FROM leads'), '3', '... until the score is switched off');
SELECT is(pg_temp.after($$SELECT lead_scoring.activate('s'); DROP TABLE happenings$$, $$INSERT INTO leads VALUES (3) RETURNING id$$), '42P01', 'the event table dropped, then a record');
SELECT is(pg_temp.after($$SELECT lead_scoring.activate('s'); DROP TABLE happenings; DELETE FROM lead_scoring.rule WHERE source = 'happening'; DELETE FROM lead_scoring.source WHERE name = 'happening'; INSERT INTO leads VALUES (3, 'Retail', 1)$$, $$SELECT s FROM leads WHERE id = 3$$), '10', 'its rules and the source deleted: scores follow');

-- The relation in "through" is dropped while it is used, with and without a column of the records
CREATE FUNCTION pg_temp.without_hop(change text, call text, record_column text DEFAULT NULL) RETURNS text LANGUAGE sql AS $f$
  SELECT pg_temp.after(format($$CREATE TABLE links (who int, lead int);
    INSERT INTO lead_scoring.source (name, record_type, relation, record_key, record_column, occurred_at, through, through_key, through_record)
      VALUES ('linked', 'lead', 'happenings', 'lead_id', %L, 'at', 'links', 'who', 'lead');
    INSERT INTO lead_scoring.rule (score, group_name, name, source, points) VALUES ('s', 'e', 'linked', 'linked', 100);
    SELECT lead_scoring.activate('s'); INSERT INTO links VALUES (1, 1), (1, 10); %s$$, record_column, change), call)
$f$;
SELECT is(pg_temp.without_hop('SELECT 1', 'SELECT s FROM leads WHERE id = 1', c), '313', 'an event by a third relation')
  FROM unnest('{NULL,size}'::text[]) c;
SELECT is(pg_temp.without_hop('DROP TABLE links', call, c), '42P01', 'the third relation dropped, then: ' || call)
  FROM unnest('{NULL,size}'::text[]) c,
       unnest(ARRAY[$$INSERT INTO happenings VALUES (1, 'x', 5, now()) RETURNING type$$, $$INSERT INTO leads VALUES (3) RETURNING id$$, $$SELECT lead_scoring.refresh('s')$$]) call;
SELECT is(pg_temp.without_hop('DROP TABLE links', $$SELECT lead_scoring.deactivate('s')$$, c), '', 'the third relation dropped: deactivate') FROM unnest('{NULL,size}'::text[]) c;
SELECT is(pg_temp.without_hop($$DROP TABLE links; DELETE FROM lead_scoring.rule WHERE source = 'linked'; DELETE FROM lead_scoring.source WHERE name = 'linked'; INSERT INTO happenings VALUES (1, 'x', 5, now())$$,
  'SELECT s FROM leads WHERE id = 1', c), '14', 'its rules and the source deleted: scores follow') FROM unnest('{NULL,size}'::text[]) c;

-- A part of one table is written while another table is gone
SELECT is(pg_temp.after($$CREATE TABLE parts (lead_id int, at timestamptz NOT NULL) PARTITION BY RANGE (at); CREATE TABLE part PARTITION OF parts DEFAULT;
  INSERT INTO lead_scoring.source (name, record_type, relation, record_key, occurred_at) VALUES ('part', 'lead', 'parts', 'lead_id', 'at');
  INSERT INTO lead_scoring.rule (score, group_name, name, source, points) VALUES ('s', 'e', 'part', 'part', 1);
  SELECT lead_scoring.activate('s'); DROP TABLE happenings$$, $$INSERT INTO part VALUES (1, now()) RETURNING lead_id$$), '42P01', 'the event table dropped, then a row of a part of another');

-- Functions and types used by a criterion
SELECT is(pg_temp.after($$CREATE FUNCTION public.big(int) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT $1 > 15'; UPDATE lead_scoring.rule SET criterion = 'big(size)' WHERE name = 'r'$$), '1=3 2=10', 'a function of mine');
SELECT is(pg_temp.after($$CREATE FUNCTION public.big(int) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT $1 > 15'; UPDATE lead_scoring.rule SET criterion = 'big(size)' WHERE name = 'r'; SET LOCAL search_path = pg_catalog$$), '1=3 2=10', 'a function of mine, under another search path');
SELECT is(pg_temp.after($$CREATE FUNCTION public.big(int) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT $1 > 15'; UPDATE lead_scoring.rule SET criterion = 'big(size)' WHERE name = 'r'; DROP FUNCTION public.big(int)$$), '42883', 'a function of mine, dropped');
SELECT is(pg_temp.after($$CREATE FUNCTION public.big(int) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT $1 > 15'; UPDATE lead_scoring.rule SET criterion = 'big(size)' WHERE name = 'r'; CREATE OR REPLACE FUNCTION public.big(int) RETURNS bool LANGUAGE sql VOLATILE AS 'SELECT random() < 2'$$), '42P17', 'a function of mine, made volatile');

-- Messages
SELECT pg_temp.setup();
CREATE TABLE stored (id int PRIMARY KEY);
CREATE TABLE stored_big (id bigint PRIMARY KEY);
SELECT throws_ok($$UPDATE lead_scoring.score SET target = 'stored_big' WHERE name = 's'$$, '42804', 'key column "id" of target "public.stored_big" has type bigint, the records'' key has type integer', 'a target with another type of key');
UPDATE lead_scoring.score SET target = 'stored' WHERE name = 's';
SELECT lead_scoring.activate('s');
ALTER TABLE stored DROP COLUMN s_label CASCADE;
SELECT throws_ok($$SELECT * FROM lead_scoring.verify('s')$$, '42703', 'column "s_label" of score "s" does not exist', 'verify: a score column dropped');
SELECT lead_scoring.activate('s');
SELECT is_empty($$SELECT * FROM lead_scoring.verify('s')$$, 'activate makes it again');
ALTER TABLE stored RENAME COLUMN id TO key;
SELECT throws_ok($$INSERT INTO happenings VALUES (1, 'x', 5, now())$$, '42703', 'key column "id" of record type "lead" is not a column of "stored", the target of score "s"', 'the key of the target renamed, then an event');
ALTER TABLE stored RENAME COLUMN key TO id;
ALTER TABLE leads RENAME COLUMN id TO key;
SELECT throws_ok($$UPDATE lead_scoring.record_type SET key_column = 'key' WHERE name = 'lead'$$, '42703', 'key column "key" of record type "lead" is not a column of "public.stored", the target of score "s"', 'a key renamed in the records, not in the target');
ALTER TABLE stored RENAME COLUMN id TO key;
SELECT throws_ok($$SELECT * FROM lead_scoring.verify('s')$$, '42703', 'column "id" of score "s" does not exist', 'verify: the key renamed');
SELECT lives_ok($$UPDATE lead_scoring.record_type SET key_column = 'key' WHERE name = 'lead'$$, 'a key renamed in both');
DROP TABLE stored;
SELECT throws_ok($$UPDATE leads SET industry = 'Retail'$$, '42P01', 'the relation with the columns of score "s" no longer exists', 'the target dropped');
SELECT lead_scoring.deactivate('s');

-- Columns that a definition table gets after its rows, as from an update of the extension, have their defaults in them
INSERT INTO contacts (id) VALUES (1);
SELECT pg_temp.simple('late', 'fit'), pg_temp.rule('late', 'all', NULL);
ALTER TABLE lead_scoring.rule RENAME enabled TO enabled_before;
ALTER TABLE lead_scoring.rule ADD enabled boolean NOT NULL DEFAULT true;
SELECT is(pg_temp.total('late', 1), 1::float8, 'a column of a definition table that came later');

SELECT * FROM finish();
ROLLBACK;
