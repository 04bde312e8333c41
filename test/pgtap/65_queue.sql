-- Scores that are kept a moment later: the queue, whose entries are never lost
BEGIN;
\ir include/crm.psql
SELECT plan(56);

INSERT INTO contacts (id, employees) SELECT i, i FROM generate_series(1, 10) AS i;
INSERT INTO lead_scoring.score (name, record_type, kind) VALUES ('s', 'contact', 'fit'), ('t', 'contact', 'fit'), ('draft', 'contact', 'fit');
INSERT INTO lead_scoring.score_group (score, name) VALUES ('s', 'g'), ('t', 'g'), ('draft', 'g');
INSERT INTO lead_scoring.rule (score, group_name, name, value, counting, points) SELECT s, 'g', 'ratio', '60 / employees', 'each', 1 FROM unnest('{s,t,draft}'::text[]) s;
SELECT lead_scoring.activate('s'), lead_scoring.activate('t');
SET lead_scoring.allow_score_writes = on;
CREATE FUNCTION pg_temp.quietly(statement text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_temp.by_hand();
  EXECUTE statement;
  ALTER TABLE contacts ENABLE TRIGGER USER;
  ALTER TABLE activities ENABLE TRIGGER USER;
END $$;
CREATE FUNCTION pg_temp.spoil() RETURNS void LANGUAGE sql AS $$ UPDATE contacts SET s = -1, t = -1 $$;
CREATE FUNCTION pg_temp.mended() RETURNS text LANGUAGE sql AS $$ SELECT string_agg(id::text, ' ' ORDER BY id) FROM contacts WHERE s <> -1 $$;
CREATE FUNCTION pg_temp.queue(score text, VARIADIC keys text[]) RETURNS void LANGUAGE sql AS $$
  INSERT INTO lead_scoring.queue (score, record_key) SELECT $1, k FROM unnest($2) WITH ORDINALITY u (k, place) ORDER BY place
$$;

SELECT is(lead_scoring.work_queue(), 0::bigint, 'nothing waits');
SELECT pg_temp.spoil(), pg_temp.queue('s', '1', '2', '2', '99');
SELECT is((SELECT queued || ' ' || (queue_lag >= 0) FROM lead_scoring.activity WHERE score = 's'), '4 true', 'what waits is seen');
SELECT is(lead_scoring.work_queue(), 4::bigint, 'all entries are done');
SELECT is(pg_temp.mended(), '1 2', '... of their records, and no others');
SELECT is((SELECT count(*) FROM lead_scoring.queue), 0::bigint, '... and gone');
SELECT pg_temp.spoil(), pg_temp.queue('s', '1', '2', '3', '4', '5');
SELECT is(lead_scoring.work_queue('s', 2), 2::bigint, 'a batch');
SELECT is(pg_temp.mended(), '1 2', '... is of the oldest');
SELECT is(lead_scoring.work_queue('t'), 0::bigint, 'another score');
SELECT is(pg_temp.mended(), '1 2', '... leaves them alone');
SELECT pg_temp.queue('t', '7');
SELECT is(lead_scoring.work_queue(batch => 4), 4::bigint, 'all scores');
SELECT pg_temp.spoil(), pg_temp.queue('s', '1', NULL, '2');
SELECT is(lead_scoring.work_queue(), 3::bigint, 'an entry for everybody');
SELECT is(pg_temp.mended(), '1 2 3 4 5 6 7 8 9 10', '... is for everybody');
SELECT pg_temp.spoil(), pg_temp.queue('s', VARIADIC ARRAY(SELECT (1 + g % 10)::text FROM generate_series(1, 2500) g));
CALL lead_scoring.refresh_due();
SELECT is((SELECT count(*) FROM lead_scoring.queue) || ' ' || pg_temp.mended(), '0 1 2 3 4 5 6 7 8 9 10', 'refresh_due() works on the queue until it is empty');

-- Errors
SELECT pg_temp.spoil(), pg_temp.queue('s', '1', '2', '3', '3', '4');
SELECT pg_temp.quietly($$UPDATE contacts SET employees = 0 WHERE id = 3$$);
SELECT is(lead_scoring.work_queue(), 5::bigint, 'an entry whose record fails');
SELECT is(pg_temp.mended(), '1 2 4', '... does not keep the others');
SELECT is((SELECT record_key || ' ' || attempts FROM lead_scoring.parked), '3 1', '... and its record is parked');
SELECT pg_temp.quietly($$UPDATE contacts SET employees = 3 WHERE id = 3$$);
SELECT pg_temp.queue('s', '3');
SELECT lead_scoring.work_queue();
SELECT is((SELECT count(*) FROM lead_scoring.parked), 0::bigint, 'the next entry for it that succeeds ends that');
SELECT pg_temp.quietly($$UPDATE contacts SET employees = 0 WHERE id = 3$$), pg_temp.queue('s', '3');
SELECT lead_scoring.work_queue();
SELECT pg_temp.quietly($$UPDATE contacts SET employees = 3 WHERE id = 3$$);
SELECT is((SELECT count(*) FROM lead_scoring.parked), 1::bigint, 'it is parked once more');
SELECT lead_scoring.refresh('s', clock_timestamp());
SELECT is((SELECT count(*) FROM lead_scoring.parked), 0::bigint, '... which a refresh of all records ends, too');
SELECT pg_temp.quietly($$ALTER TABLE contacts RENAME employees TO staff$$);
SELECT pg_temp.queue('s', '1', '2');
SET client_min_messages = error;
SELECT is(lead_scoring.work_queue(), 0::bigint, 'a score that cannot be evaluated at all');
SELECT is((SELECT count(*) FROM lead_scoring.queue) || ' ' || (SELECT count(*) FROM lead_scoring.parked), '2 0', '... keeps its entries');
SELECT pg_temp.quietly($$ALTER TABLE contacts RENAME staff TO employees$$);
SELECT is(lead_scoring.work_queue('s'), 2::bigint, '... until it can');

-- However many records fail, the others are done
SELECT pg_temp.quietly($$INSERT INTO contacts (id, employees) SELECT i, i % 2 * (i > 500)::int FROM generate_series(101, 900) i$$);
SELECT pg_temp.spoil(), pg_temp.queue('s', VARIADIC ARRAY(SELECT i::text FROM generate_series(101, 900) i));
SELECT is(lead_scoring.work_queue('s'), 800::bigint, '600 records that fail');
SELECT is((SELECT count(*) FROM contacts WHERE s = 60) || ' ' || (SELECT count(*) FROM lead_scoring.parked WHERE score = 's') || ' ' || (SELECT count(*) FROM lead_scoring.queue), '200 600 0', '... are parked, and no others');
DELETE FROM lead_scoring.parked;
SELECT pg_temp.quietly($$UPDATE contacts SET employees = 0 WHERE id > 100$$);
SELECT pg_temp.queue('s', VARIADIC ARRAY(SELECT i::text FROM generate_series(101, 900) i));
SELECT is(lead_scoring.work_queue('s'), 0::bigint, 'where none can be done');
SELECT is((SELECT last_error FROM lead_scoring.activity WHERE score = 's') || ', ' || (SELECT count(*) FROM lead_scoring.parked) || ' ' || (SELECT count(*) FROM lead_scoring.queue), 'division by zero, 0 800', '... it is the score that fails');
DELETE FROM lead_scoring.queue;
SELECT pg_temp.quietly($$DELETE FROM contacts WHERE id > 100$$);
SELECT throws_ok($$SELECT lead_scoring.work_queue('draft')$$, '55000', NULL, 'a draft has no queue');
SELECT throws_ok($$SELECT lead_scoring.work_queue('nothing')$$, '42704', 'score "nothing" does not exist', 'nor has what is not there');
SELECT throws_ok($$TRUNCATE lead_scoring.rule$$, '0A000', 'cannot truncate lead_scoring.rule', 'rules are not truncated');
SELECT throws_ok($$TRUNCATE lead_scoring.score CASCADE$$, '0A000', NULL, '... nor are scores');
SELECT throws_ok($$SELECT lead_scoring.work_queue(batch => 0)$$, '22023', NULL, 'no batch is empty');
SELECT pg_temp.queue('s', '1');
SELECT lead_scoring.deactivate('s');
SELECT is((SELECT count(*) FROM lead_scoring.queue), 0::bigint, 'nothing waits for a score that is switched off');

-- A score that fails as a whole: seen until it is mended, and then not waited for
DELETE FROM lead_scoring.queue;
CALL lead_scoring.refresh_due();
SELECT is((SELECT last_error FROM lead_scoring.activity WHERE score = 't'), NULL, 'nothing fails');
SET LOCAL client_min_messages = error;
SELECT pg_temp.queue('t', '1');
ALTER TABLE contacts RENAME COLUMN employees TO staff;
CALL lead_scoring.refresh_due();
SELECT matches((SELECT last_error FROM lead_scoring.activity WHERE score = 't'), 'employees', 'an error of the definition is seen after refresh_due');
CALL lead_scoring.refresh_due();
SELECT is((SELECT attempts FROM lead_scoring.score_state WHERE score = 't'), 2, '... which counts how often');
SELECT is((SELECT queued FROM lead_scoring.activity WHERE score = 't'), 1::bigint, '... and the entry waits');
UPDATE lead_scoring.rule SET value = '60 / staff' WHERE score = 't';
SELECT is((SELECT (failed_at, retry_at) IS NOT DISTINCT FROM (NULL::timestamptz, NULL::timestamptz) FROM lead_scoring.score_state WHERE score = 't'), true, 'mended: nobody waits');
CALL lead_scoring.refresh_due();
SELECT is((SELECT queued || coalesce(last_error, '') FROM lead_scoring.activity WHERE score = 't'), '0', '... and the entry is done');
SET LOCAL client_min_messages = warning;

-- Scores that look at others, in whatever order
RESET lead_scoring.allow_score_writes;
INSERT INTO lead_scoring.score (name, record_type, kind, mode) VALUES ('c', 'contact', 'fit', 'queued'), ('b', 'contact', 'fit', 'queued'), ('z', 'contact', 'fit', 'queued'), ('y', 'contact', 'fit', 'sync');
INSERT INTO lead_scoring.score_group (score, name) SELECT s, 'g' FROM unnest('{b,c,z,y}'::text[]) s;
INSERT INTO lead_scoring.rule (score, group_name, name, value, counting, points) VALUES ('z', 'g', 'own', 'staff', 'each', 1);
INSERT INTO lead_scoring.rule (score, group_name, name, criterion, points, valid_from) VALUES ('y', 'g', 'later', 'true', 5, now() + interval '1 day');
SELECT lead_scoring.activate('z'), lead_scoring.activate('y');
INSERT INTO lead_scoring.rule (score, group_name, name, value, counting, points) VALUES ('c', 'g', 'z', 'z', 'each', 2);
SELECT lead_scoring.activate('c');
INSERT INTO lead_scoring.rule (score, group_name, name, value, counting, points) VALUES ('b', 'g', 'c', 'c', 'each', 3), ('b', 'g', 'y', 'y', 'each', 1);
SELECT lead_scoring.activate('b');
UPDATE contacts SET staff = 7 WHERE id = 2;
CALL lead_scoring.refresh_due();
SELECT results_eq('SELECT z, c, b FROM contacts WHERE id = 2', 'VALUES (7::float8, 14::float8, 42::float8)', 'one after the other');
CALL lead_scoring.refresh_due(now() + interval '2 days');
SELECT results_eq('SELECT y, b FROM contacts WHERE id = 2', 'VALUES (5::float8, 47::float8)', '... and what time has changed is looked at');
SELECT is((SELECT count(*) FROM lead_scoring.queue), 0::bigint, '... nothing is left');

-- What does not wait any more
UPDATE lead_scoring.rule SET value = '60 / staff' WHERE score = 'z';
INSERT INTO lead_scoring.score (name, record_type, kind) VALUES ('e', 'contact', 'combined');
INSERT INTO lead_scoring.score_group (score, name, kind) VALUES ('e', 'g', 'fit'), ('e', 'h', 'engagement');
INSERT INTO lead_scoring.rule (score, group_name, name, source, value, counting, points) VALUES ('e', 'g', 'ratio', NULL, '60 / staff', 'each', 1), ('e', 'h', 'any', 'activity', NULL, 'each', 1);
SELECT lead_scoring.activate('e');
CALL lead_scoring.refresh_due();
CREATE FUNCTION pg_temp.parked() RETURNS text LANGUAGE sql AS $$ SELECT string_agg(score || record_key, ' ' ORDER BY score, record_key) FROM lead_scoring.parked $$;
SELECT pg_temp.quietly($$UPDATE contacts SET staff = 0 WHERE id IN (3, 4, 5)$$), pg_temp.queue('e', '3', '4', '5'), pg_temp.queue('z', '3', '4', '5');
SELECT lead_scoring.work_queue('e'), lead_scoring.work_queue('z');
SELECT is(pg_temp.parked(), 'e3 e4 e5 z3 z4 z5', 'records that fail');
UPDATE contacts SET staff = 3 WHERE id = 3;
SELECT is(pg_temp.parked(), 'e4 e5 z3 z4 z5', '... until whoever mends them scores them');
SELECT pg_temp.quietly($$UPDATE contacts SET staff = 4 WHERE id = 4$$);
SELECT lead_scoring.refresh('e', clock_timestamp(), '{04}');
SELECT is(pg_temp.parked(), 'e5 z3 z4 z5', '... or a refresh of them');
SELECT pg_temp.quietly($$UPDATE contacts SET staff = 5 WHERE id = 5$$);
UPDATE contacts SET staff = 6 WHERE id = 2;
SELECT is((SELECT count(*) FROM lead_scoring.queue WHERE score = 'z'), 2::bigint, 'records wait');
UPDATE lead_scoring.score SET mode = 'sync' WHERE name = 'z';
SELECT is((SELECT count(*) FROM lead_scoring.queue WHERE score = 'z') || ' ' || pg_temp.parked(), '0 e5', '... and do not when the score is not queued any more');
SELECT is((SELECT string_agg(z::text, ' ' ORDER BY id) FROM contacts WHERE id < 6), '60 10 20 15 12', '... which has scored them');
SELECT pg_temp.quietly($$UPDATE contacts SET staff = 0 WHERE id = 6$$), pg_temp.queue('z', '6');
SELECT lead_scoring.work_queue('z');
UPDATE contacts SET staff = 6 WHERE id = 6;
SELECT is(pg_temp.parked(), 'e5', 'a record that is scored on its way into the table');

-- A definition that is broken while nothing is due
CREATE ROLE ls_test_owner;
CREATE TABLE leads (id int PRIMARY KEY, size int);
CREATE TABLE visits (lead_id int, at timestamptz NOT NULL);
INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('lead', 'leads', 'id');
INSERT INTO lead_scoring.source (name, record_type, relation, record_key, occurred_at) VALUES ('visit', 'lead', 'visits', 'lead_id', 'at');
ALTER TABLE visits OWNER TO ls_test_owner;
UPDATE lead_scoring.source SET name = name WHERE name = 'visit';
INSERT INTO lead_scoring.score (name, record_type, kind) VALUES ('q', 'lead', 'combined');
INSERT INTO lead_scoring.score_group (score, name, kind) VALUES ('q', 'g', 'fit'), ('q', 'h', 'engagement');
INSERT INTO lead_scoring.rule (score, group_name, name, source, value, counting, points) VALUES ('q', 'g', 'size', NULL, 'size', 'each', 1), ('q', 'h', 'visit', 'visit', NULL, 'each', 1);
SELECT lead_scoring.activate('q');
CREATE FUNCTION pg_temp.last_error() RETURNS text LANGUAGE sql AS $$ SELECT last_error FROM lead_scoring.activity WHERE score = 'q' $$;
SET LOCAL client_min_messages = error;
CALL lead_scoring.refresh_due();
SELECT is(pg_temp.last_error(), NULL, 'a score of which nothing is due');
REVOKE SELECT ON visits FROM ls_test_owner;
CALL lead_scoring.refresh_due();
SELECT matches(pg_temp.last_error(), 'permission denied', '... whose queries may not be run any more');
CALL lead_scoring.refresh_due();
SELECT is((SELECT attempts || ' ' || (message IS NOT NULL) FROM lead_scoring.score_state WHERE score = 'q'), '2 true', '... is tried again');
GRANT SELECT ON visits TO ls_test_owner;
CALL lead_scoring.refresh_due();
SELECT is(pg_temp.last_error(), NULL, '... until they may');
ALTER TABLE leads DROP COLUMN size CASCADE;
CALL lead_scoring.refresh_due();
SELECT matches(pg_temp.last_error(), 'column .*size does not exist', 'a column that is gone is noted');
UPDATE lead_scoring.rule SET value = 'id' WHERE name = 'size';
CALL lead_scoring.refresh_due();
SELECT is(pg_temp.last_error(), NULL, '... until the rule reads another');

-- The same of records that are found by looking at everybody, as the rows of a view come without triggers
TRUNCATE leads CASCADE;
INSERT INTO leads (id) SELECT generate_series(1, 500);
CREATE TABLE facts (id int PRIMARY KEY, n int);
CREATE VIEW seen AS SELECT * FROM facts;
ALTER TABLE facts OWNER TO ls_test_owner;
ALTER VIEW seen OWNER TO ls_test_owner;
INSERT INTO facts SELECT i, 1 FROM generate_series(1, 500) i;
INSERT INTO lead_scoring.source (name, record_type, relation, record_key) VALUES ('seen', 'lead', 'seen', 'id');
INSERT INTO lead_scoring.score (name, record_type, kind) VALUES ('v', 'lead', 'fit');
INSERT INTO lead_scoring.score_group (score, name) VALUES ('v', 'g');
INSERT INTO lead_scoring.rule (score, group_name, name, source, value, counting, points) VALUES ('v', 'g', 'share', 'seen', '60 / n', 'each', 1);
SELECT lead_scoring.activate('v');
UPDATE facts SET n = 2 * (id > 200)::int;
SET lead_scoring.refresh_interval = 0;
CALL lead_scoring.refresh_due();
SELECT is((SELECT count(*) FROM leads WHERE v = 30) || ' ' || (SELECT count(*) FROM lead_scoring.parked WHERE score = 'v' AND attempts = 1), '300 200', 'records that fail among all');
UPDATE facts SET n = 3 * (id > 200)::int;
CALL lead_scoring.refresh_due();
SELECT is((SELECT count(*) FROM leads WHERE v = 20) || ' ' || (SELECT count(*) FROM lead_scoring.parked WHERE score = 'v' AND attempts = 1), '300 200', '... are not tried again at once');
SET LOCAL client_min_messages = warning;

SELECT * FROM finish();
ROLLBACK;
