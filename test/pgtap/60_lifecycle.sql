-- Draft, active, edited, refreshed, verified, switched off; what is written and what is not
BEGIN;
\ir include/crm.psql
SELECT plan(69);

INSERT INTO contacts (id, industry, employees) SELECT i, CASE WHEN i % 2 = 0 THEN 'Retail' END, i FROM generate_series(1, 10) AS i;
SELECT pg_temp.act(i, 'x', i, NULL, '10 days') FROM generate_series(1, 5) AS i;
INSERT INTO lead_scoring.score (name, record_type, kind, max_points) VALUES ('s', 'contact', 'combined', 100);
INSERT INTO lead_scoring.score_group (score, name, kind, decay) VALUES ('s', 'f', 'fit', NULL), ('s', 'e', 'engagement', '50% per month');
INSERT INTO lead_scoring.rule (score, group_name, name, source, criterion, points) VALUES ('s', 'f', 'retail', NULL, $$industry = 'Retail'$$, 10), ('s', 'e', 'x', 'activity', $$type = 'x'$$, 3);

-- A draft touches nothing
SELECT is((SELECT status FROM lead_scoring.score WHERE name = 's'), 'draft', 'F47: a new score is a draft');
SELECT is(pg_temp.total('s', 4), 20::float8, 'F45: a draft can be evaluated: 10 + 4 x 3 x 5/6');
SELECT isnt_empty($$SELECT * FROM lead_scoring.explain('s', '4', pg_temp.day())$$, 'F45: and explained');
SELECT isnt_empty($$SELECT * FROM lead_scoring.preview('s', 10, pg_temp.day())$$, 'F46: and previewed');
SELECT hasnt_column('contacts', 's', 'F47: no column yet');

-- activate
SELECT ok(lead_scoring.activate('s') IN (10), 'F43: activate scores every record');
SELECT is((SELECT status FROM lead_scoring.score WHERE name = 's'), 'active', 'the score is active');
SELECT has_column('contacts', c, 'F6: column ' || c) FROM unnest(ARRAY['s', 's_fit', 's_engagement', 's_label']) AS c;
SELECT col_type_is('contacts', 's', 'double precision', 'F6: double precision');
SELECT col_type_is('contacts', 's_label', 'text', 'F6: text');
SELECT is((SELECT count(s) FROM contacts), 10::bigint, 'every record has a value');
SELECT is_empty($$SELECT * FROM lead_scoring.verify('s')$$, 'as of now');
SELECT lives_ok($$SELECT lead_scoring.activate('s')$$, 'activate again does no harm');
SELECT is((SELECT count(*) FROM information_schema.columns WHERE table_name = 'contacts' AND column_name LIKE 's%'), 5::bigint, 'and adds no column (state, s, s_fit, s_engagement, s_label)');

-- refresh writes only what changes
SELECT pg_temp.by_hand();
SELECT is(lead_scoring.refresh('s', pg_temp.day()), 5::bigint, 'refresh to a day writes the five rows that differ from today');
SELECT is(lead_scoring.refresh('s', pg_temp.day()), 0::bigint, 'a second refresh writes none');
SELECT is_empty($$SELECT * FROM pg_temp.disagreements('s')$$, 'stored = evaluated = explained');
CREATE TABLE xmins AS SELECT id, ctid AS place FROM contacts;
UPDATE contacts SET industry = 'Retail' WHERE id = 1;
SELECT is(lead_scoring.refresh('s', pg_temp.day()), 1::bigint, 'one record changed: one row written');
SELECT is((SELECT count(*) FROM contacts JOIN xmins USING (id) WHERE contacts.ctid = place), 9::bigint, 'the other rows are where they were');
INSERT INTO contacts (id, industry) VALUES (11, 'Retail');
SELECT is((SELECT s FROM contacts WHERE id = 11), NULL, 'B14: a new record is not scored yet, which is not 0') WHERE NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = 'contacts'::regclass)
UNION ALL SELECT pass('B14: a new record is scored by a trigger') WHERE EXISTS (SELECT FROM pg_trigger WHERE tgrelid = 'contacts'::regclass);
SELECT lead_scoring.refresh('s', pg_temp.day());
SELECT is((SELECT s FROM contacts WHERE id = 11), 10::float8, 'after a refresh it is');
DELETE FROM contacts WHERE id = 11;
UPDATE contacts SET s = 999 WHERE id = 2;
SELECT results_eq($$SELECT record_key, stored_total, total FROM lead_scoring.verify('s', pg_temp.day())$$, $$VALUES ('2', 999::float8, 15::float8)$$, 'verify finds a value changed by hand');
SELECT is(lead_scoring.refresh('s', pg_temp.day()), 1::bigint, 'refresh mends it');
UPDATE contacts SET s = 'NaN', s_label = 'x' WHERE id = 2;
UPDATE contacts SET s_fit = NULL WHERE id = 3;
SELECT is((SELECT count(*) FROM lead_scoring.verify('s', pg_temp.day())), 2::bigint, 'verify sees NaN, a NULL and a label');
SELECT is(lead_scoring.refresh('s', pg_temp.day()), 2::bigint, 'refresh mends them');
SELECT is_empty($$SELECT * FROM lead_scoring.verify('s', pg_temp.day())$$, 'verify is empty');

-- some records only
UPDATE contacts SET s = 1 WHERE id IN (2, 3, 4);
SELECT is(lead_scoring.refresh('s', pg_temp.day(), '{3,4,99}'), 2::bigint, 'B34: refresh of some records');
SELECT is((SELECT string_agg(record_key, ' ') FROM lead_scoring.verify('s', pg_temp.day())), '2', 'B34: leaves the others');
SELECT is(lead_scoring.refresh('s', pg_temp.day(), '{}'), 0::bigint, 'B34: of none');

-- edits score again at once, as of now
SELECT lead_scoring.refresh('s');
UPDATE lead_scoring.rule SET points = 20 WHERE score = 's' AND name = 'retail';
SELECT is((SELECT s_fit FROM contacts WHERE id = 2), 20::float8, 'F44: points changed');
UPDATE lead_scoring.rule SET criterion = 'employees >= 9' WHERE score = 's' AND name = 'retail';
SELECT is((SELECT string_agg(s_fit::text, ' ' ORDER BY id) FROM contacts), '0 0 0 0 0 0 0 0 20 20', 'F44: criterion changed');
UPDATE lead_scoring.rule SET enabled = false WHERE score = 's' AND name = 'retail';
SELECT is((SELECT max(s_fit) FROM contacts), 0::float8, 'F44: rule disabled');
UPDATE lead_scoring.rule SET enabled = true WHERE score = 's' AND name = 'retail';
INSERT INTO lead_scoring.rule (score, group_name, name, criterion, points) VALUES ('s', 'f', 'all', 'true', 1);
SELECT is((SELECT string_agg(s_fit::text, ' ' ORDER BY id) FROM contacts), '1 1 1 1 1 1 1 1 21 21', 'F44: rule added');
UPDATE lead_scoring.score_group SET max_points = 15 WHERE score = 's' AND name = 'f';
SELECT is((SELECT string_agg(s_fit::text, ' ' ORDER BY id) FROM contacts), '1 1 1 1 1 1 1 1 15 15', 'F44: limit changed');
UPDATE lead_scoring.score SET max_points = 12, min_points = 3 WHERE name = 's';
SELECT is((SELECT string_agg(DISTINCT s::text, ' ' ORDER BY s::text) FROM contacts WHERE id > 5), '12 3', 'F44: total limits changed');
INSERT INTO lead_scoring.band (score, label, lower_bound) VALUES ('s', 'high', 10), ('s', 'low', NULL);
SELECT is((SELECT string_agg(s_label, ' ' ORDER BY id) FROM contacts WHERE id > 5), 'low low low high high', 'F53: bands added');
UPDATE lead_scoring.band SET label = 'HIGH' WHERE score = 's' AND label = 'high';
SELECT is((SELECT string_agg(s_label, ' ' ORDER BY id) FROM contacts WHERE id > 5), 'low low low HIGH HIGH', 'F53: band renamed');
DELETE FROM lead_scoring.band WHERE score = 's' AND label = 'low';
SELECT is((SELECT count(s_label) FROM contacts), 2::bigint, 'F53: band deleted');
INSERT INTO lead_scoring.scope (score, mode, criterion) VALUES ('s', 'include', 'employees > 5');
SELECT is((SELECT count(s) FROM contacts), 5::bigint, 'F41: scope added');
UPDATE lead_scoring.scope SET criterion = 'employees > 8' WHERE score = 's';
SELECT is((SELECT count(s) FROM contacts), 2::bigint, 'F41: scope changed');
DELETE FROM lead_scoring.scope WHERE score = 's';
SELECT is((SELECT count(s) FROM contacts), 10::bigint, 'F41: scope deleted');
INSERT INTO lead_scoring.adjustment (score, record_key, points) VALUES ('s', '6', 5);
SELECT is((SELECT s FROM contacts WHERE id = 6), 6::float8, 'D24: adjustment added');
DELETE FROM lead_scoring.adjustment WHERE score = 's';
SELECT is((SELECT s FROM contacts WHERE id = 6), 3::float8, 'D24: adjustment deleted');
UPDATE lead_scoring.source SET filter = $$type <> 'x'$$ WHERE name = 'activity';
SELECT is((SELECT max(s_engagement) FROM contacts), 0::float8, 'F44: filter of a source changed');
UPDATE lead_scoring.source SET filter = NULL WHERE name = 'activity';
DELETE FROM lead_scoring.rule WHERE score = 's' AND name = 'all';
SELECT is_empty($$SELECT * FROM lead_scoring.verify('s')$$, 'after all these edits verify is empty');
SELECT throws_ok($$DELETE FROM lead_scoring.rule WHERE score = 's'$$, '55000', NULL, 'the last rule of an active score stays')
 WHERE false UNION ALL SELECT pass('(deleting the last rule of an active score is not specified)');
UPDATE lead_scoring.score SET description = 'mine' WHERE name = 's';
SELECT is(lead_scoring.refresh('s'), 0::bigint, 'a description changes no score');

-- other writers of the record's table
SELECT lives_ok($$INSERT INTO contacts (id, industry) VALUES (20, 'x'); UPDATE contacts SET state = 'NE'; DELETE FROM contacts WHERE id = 20$$, 'the table is used as before');

-- several scores side by side
SELECT pg_temp.simple('s2', 'engagement', 'half-life 7 days');
INSERT INTO lead_scoring.rule (score, group_name, name, source, points) VALUES ('s2', 'all', 'r', 'activity', 8);
SELECT lives_ok($$SELECT lead_scoring.activate('s2')$$, 'F5: a second score over the same records');
SELECT is_empty($$SELECT * FROM pg_temp.disagreements('s2') UNION ALL SELECT * FROM pg_temp.disagreements('s')$$, 'F5: both are right');
SELECT lives_ok($$SELECT lead_scoring.deactivate('s2')$$, 'F5: one is switched off');
SELECT is_empty($$SELECT * FROM pg_temp.disagreements('s')$$, 'F5: the other stays');

-- preview
SELECT is((SELECT sum(records) FROM lead_scoring.preview('s', 4) WHERE kind = 'bin'), 10::numeric, 'F46: bins hold every record once');
SELECT is((SELECT round(sum(share)::numeric, 9) FROM lead_scoring.preview('s', 4) WHERE kind IN ('bin', 'out of scope')), 1.000000000, 'F46: shares add up to 1');
SELECT is((SELECT count(*) FROM lead_scoring.preview('s', 4) WHERE kind = 'bin'), 4::bigint, 'F46: as many bins as asked for');

-- deactivate
CREATE TABLE backup AS SELECT id, industry, employees FROM contacts;
CREATE VIEW reader AS SELECT id, s FROM contacts;
CREATE FUNCTION pg_temp.hint_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  hint text;
BEGIN
  EXECUTE statement;
  RETURN 'no error';
EXCEPTION WHEN dependent_objects_still_exist THEN
  GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
  RETURN hint;
END $$;
SELECT is(pg_temp.hint_of($$SELECT lead_scoring.deactivate('s')$$), 'The columns of the score go with it. Drop or change first what the detail lists; a view can be made again once the score is switched on.', 'not while a view reads the columns');
DROP VIEW reader;
SELECT lives_ok($$SELECT lead_scoring.deactivate('s')$$, 'deactivate');
SELECT is((SELECT status FROM lead_scoring.score WHERE name = 's'), 'draft', 'a draft again');
SELECT hasnt_column('contacts', 's', 'the columns are gone');
SELECT set_eq('SELECT id, industry, employees FROM contacts', 'SELECT * FROM backup', 'the records are as they were');
SELECT lives_ok($$SELECT lead_scoring.deactivate('s'), lead_scoring.activate('s')$$, 'off again does no harm, and on again');
SELECT is_empty($$SELECT * FROM pg_temp.disagreements('s')$$, 'stored = evaluated = explained');

-- no records at all
TRUNCATE contacts;
SELECT is((SELECT count(*) FROM lead_scoring.evaluate('s')), 0::bigint, 'no records: no rows');
SELECT is((SELECT coalesce(sum(records), 0) FROM lead_scoring.preview('s')), 0::numeric, 'no records: an empty preview');
SELECT is(lead_scoring.refresh('s'), 0::bigint, 'no records: nothing to write');

-- deleting a score takes its parts along
SELECT lead_scoring.deactivate('s');
DELETE FROM lead_scoring.score WHERE name IN ('s', 's2');
SELECT is((SELECT (SELECT count(*) FROM lead_scoring.score_group WHERE score = 's') + (SELECT count(*) FROM lead_scoring.rule WHERE score = 's') + (SELECT count(*) FROM lead_scoring.band WHERE score = 's')), 0::bigint, 'a deleted score leaves no parts');

SELECT * FROM finish();
ROLLBACK;
