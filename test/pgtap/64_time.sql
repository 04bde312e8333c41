-- Time without events: what is due is brought along, and nothing else; what fails is parked
BEGIN;
\ir include/crm.psql
SELECT plan(45);

INSERT INTO contacts (id, employees) SELECT i, i FROM generate_series(1, 10) AS i;
INSERT INTO lead_scoring.score (name, record_type, kind) VALUES ('s', 'contact', 'fit'), ('t', 'contact', 'fit'), ('draft', 'contact', 'fit');
INSERT INTO lead_scoring.score_group (score, name) VALUES ('s', 'g'), ('t', 'g'), ('draft', 'g');
INSERT INTO lead_scoring.rule (score, group_name, name, value, counting, points) SELECT s, 'g', 'ratio', '60 / employees', 'each', 1 FROM unnest('{s,t,draft}'::text[]) s;
SELECT lead_scoring.activate('s'), lead_scoring.activate('t');

SET lead_scoring.allow_score_writes = on;
-- Changes facts as if there were no triggers on them
CREATE FUNCTION pg_temp.quietly(statement text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_temp.by_hand();
  EXECUTE statement;
  ALTER TABLE contacts ENABLE TRIGGER USER;
  ALTER TABLE activities ENABLE TRIGGER USER;
END $$;
-- Puts values back by hand, where only an evaluation will mend them
CREATE FUNCTION pg_temp.spoil(keys int[] DEFAULT NULL) RETURNS void LANGUAGE sql AS $$ UPDATE contacts SET s = -1, t = -1 WHERE $1 IS NULL OR id = ANY ($1) $$;
-- Who has a mended value
CREATE FUNCTION pg_temp.mended() RETURNS text LANGUAGE sql AS $$ SELECT string_agg(id::text, ' ' ORDER BY id) FROM contacts WHERE s <> -1 $$;
-- Only what the test says is due
CREATE FUNCTION pg_temp.due(score text, keys text[], at timestamptz) RETURNS void LANGUAGE sql AS $$
  DELETE FROM lead_scoring.due WHERE score = $1;
  INSERT INTO lead_scoring.due SELECT $1, k, $3 FROM unnest($2) k
$$;

-- The first time: everybody, as nothing is known
SELECT lives_ok('CALL lead_scoring.refresh_due()', 'refresh_due() within a transaction');
SELECT results_eq('SELECT score FROM lead_scoring.score_state ORDER BY score', ARRAY['s', 't'], 'how far time was followed is kept, for active scores');
SELECT is((SELECT refreshed_at FROM lead_scoring.score_state WHERE score = 's'), now(), '... until now');

-- Then what is due
SELECT pg_temp.spoil();
SELECT pg_temp.due('s', '{}', now());
CALL lead_scoring.refresh_due();
SELECT is(pg_temp.mended(), NULL, 'nothing is due: nothing is done');
SELECT pg_temp.due('s', '{2,3}', now());
INSERT INTO lead_scoring.due VALUES ('s', '4', now() + interval '1 microsecond');
CALL lead_scoring.refresh_due();
SELECT is(pg_temp.mended(), '2 3', 'the records that are due are evaluated, no other');
SELECT pg_temp.spoil();
CALL lead_scoring.refresh_due(now() + '1 second');
SELECT ok(pg_temp.mended() ~ '\m4\M' AND pg_temp.mended() !~ '\m5\M', '... as of the instant that is asked for');
SELECT is((SELECT count(*) FROM contacts WHERE t <> -1), 0::bigint, 'other scores have instants of their own');

-- Whether a record is open concerns nobody here
UPDATE lead_scoring.record_type SET open_when = $$as_of < '2100-01-01 UTC'$$ WHERE name = 'contact';
SELECT is((SELECT count(*) FROM lead_scoring.due WHERE due_at = '-infinity'), 0::bigint, 'open_when may depend on the instant without all records changing all the time');
UPDATE lead_scoring.record_type SET open_when = NULL WHERE name = 'contact';

-- Records that are gone
SELECT pg_temp.due('s', '{2,99}', now());
CALL lead_scoring.refresh_due();
SELECT is((SELECT count(*) FROM lead_scoring.due WHERE record_key = '99'), 0::bigint, 'a record that is gone is due no more');

-- What changes continuously
SELECT pg_temp.spoil();
SELECT pg_temp.due('s', '{5,6}', '-infinity');
SET lead_scoring.refresh_interval = '10 min';
UPDATE lead_scoring.score_state SET refreshed_at = now() - interval '9 min', swept_at = now() - interval '9 min';
CALL lead_scoring.refresh_due();
SELECT is(pg_temp.mended(), NULL, 'what fades is left alone until it is too old');
CALL lead_scoring.refresh_due(now() + interval '1 min');
SELECT is(pg_temp.mended(), '5 6', '... then it is brought along');
SELECT is((SELECT swept_at FROM lead_scoring.score_state WHERE score = 's'), now() + interval '1 min', '... which is kept');
SELECT is((SELECT count(*) FROM lead_scoring.due WHERE score = 's' AND due_at = '-infinity' AND record_key IN ('5', '6')) IN (0, 2), true, '... of all of them alike');
SELECT pg_temp.spoil();
SELECT pg_temp.due('s', '{5}', '-infinity');
SET lead_scoring.refresh_interval = 0;
CALL lead_scoring.refresh_due(now() + interval '1 min');
SELECT is(pg_temp.mended(), '5', 'with an interval of 0 every time');
RESET lead_scoring.refresh_interval;
SELECT is(current_setting('lead_scoring.refresh_interval'), '15min', 'a quarter of an hour by default');
SELECT throws_ok('SET lead_scoring.refresh_interval = -1', '22023', NULL, 'not less than 0');

-- What is about everybody
SELECT pg_temp.spoil();
SELECT pg_temp.due('s', '{6}', '-infinity');
UPDATE lead_scoring.score_state SET refreshed_at = now();
CALL lead_scoring.refresh_due(now());
SELECT is(pg_temp.mended(), '6', 'as of an earlier instant, what fades is brought back');
INSERT INTO lead_scoring.rule (score, group_name, name, points, valid_from, valid_to) VALUES ('s', 'g', 'campaign', 100, now() + interval '1 hour', now() + interval '2 hours');
UPDATE lead_scoring.score_state SET refreshed_at = now(), swept_at = now();
SELECT pg_temp.due('s', '{}', now()), pg_temp.spoil();
CALL lead_scoring.refresh_due(now() + interval '59 min');
SELECT pg_temp.due('s', '{}', now());
CALL lead_scoring.refresh_due(now() + interval '1 hour');
SELECT is((SELECT min(s) FROM contacts), 106::float8, 'a rule comes into force: everybody');
UPDATE lead_scoring.score_state SET refreshed_at = now() + interval '1 hour' WHERE score = 's';
SELECT pg_temp.due('s', '{}', now());
CALL lead_scoring.refresh_due(now() + interval '2 hours');
SELECT is((SELECT min(s) FROM contacts), 6::float8, 'it ends: everybody');
SELECT pg_temp.spoil();
CALL lead_scoring.refresh_due(now());
SELECT is(pg_temp.mended(), '1 2 3 4 5 6 7 8 9 10', 'back to an earlier instant: everybody');
CREATE VIEW seen AS SELECT * FROM activities;
INSERT INTO lead_scoring.source (name, record_type, relation, record_key) VALUES ('seen', 'contact', 'seen', 'contact_id');
SELECT is(lead_scoring.has_unwatched('s'), false, 'a view that no rule uses');
INSERT INTO lead_scoring.rule (score, group_name, name, source, points) VALUES ('s', 'g', 'seen', 'seen', 1000);
SELECT is(lead_scoring.has_unwatched('s'), true, 'a view has no triggers');
UPDATE lead_scoring.score_state SET refreshed_at = now(), swept_at = now();
SELECT pg_temp.quietly($$INSERT INTO activities (contact_id) VALUES (1)$$);
CALL lead_scoring.refresh_due(now() + interval '14 min');
SELECT is((SELECT s FROM contacts WHERE id = 1), 60::float8, 'so the score waits for the interval');
CALL lead_scoring.refresh_due(now() + interval '15 min');
SELECT is((SELECT s FROM contacts WHERE id = 1), 1060::float8, '... and is then brought along');
DELETE FROM lead_scoring.rule WHERE score = 's' AND name IN ('seen', 'campaign');
INSERT INTO lead_scoring.band (score, label, lower_bound, capacity) VALUES ('s', 'best', NULL, 2), ('s', 'rest', NULL, NULL);
UPDATE lead_scoring.score_state SET refreshed_at = now(), swept_at = now();
SELECT pg_temp.spoil();
SELECT pg_temp.due('s', '{2}', now());
CALL lead_scoring.refresh_due();
SELECT is(pg_temp.mended(), '1 2 3 4 5 6 7 8 9 10', 'with bands for the best, what is due concerns everybody');
DELETE FROM lead_scoring.band WHERE score = 's';

-- Errors of records
SELECT pg_temp.spoil();
SELECT pg_temp.quietly($$UPDATE contacts SET employees = 0 WHERE id IN (3, 8)$$);
UPDATE lead_scoring.score_state SET refreshed_at = now(), swept_at = now();
SELECT pg_temp.due('s', '{2,3,4,5,6,7,8,9}', now());
SET client_min_messages = error;
CALL lead_scoring.refresh_due();
SELECT is(pg_temp.mended(), '2 4 5 6 7 9', 'records that fail do not keep others');
SELECT results_eq($$SELECT record_key, sqlstate, message, attempts FROM lead_scoring.parked WHERE score = 's' ORDER BY record_key$$,
  $$VALUES ('3', '22012', 'division by zero', 1), ('8', '22012', 'division by zero', 1)$$, 'they are parked');
SELECT ok((SELECT bool_and(context LIKE 'value of rule "ratio" of score "s", record "_"%' AND retry_at = failed_at + interval '10 seconds') FROM lead_scoring.parked), '... with the place, and a time');
SELECT is((SELECT count(*) FROM lead_scoring.due WHERE record_key IN ('3', '8')), 2::bigint, '... and stay due');
SELECT pg_temp.spoil();
CALL lead_scoring.refresh_due();
SELECT is((SELECT string_agg(attempts::text, ' ') FROM lead_scoring.parked), '1 1', '... but are left in peace');
UPDATE lead_scoring.parked SET retry_at = now() WHERE record_key = '3';
CALL lead_scoring.refresh_due();
SELECT is((SELECT string_agg(attempts || ' ' || retry_at - failed_at, ', ' ORDER BY record_key) FROM lead_scoring.parked), '2 00:00:20, 1 00:00:10', '... until then; the delay grows');
UPDATE lead_scoring.parked SET retry_at = now(), attempts = 50 WHERE record_key = '3';
CALL lead_scoring.refresh_due();
SELECT is((SELECT retry_at - failed_at FROM lead_scoring.parked WHERE record_key = '3'), interval '1 hour', '... to an hour');
SELECT pg_temp.quietly($$UPDATE contacts SET employees = 60 WHERE id = 3$$);
SELECT pg_temp.quietly($$DELETE FROM contacts WHERE id = 8$$);
UPDATE lead_scoring.parked SET retry_at = now();
CALL lead_scoring.refresh_due();
SELECT is((SELECT count(*) FROM lead_scoring.parked), 0::bigint, 'who is mended or gone is parked no more');
SELECT is((SELECT s FROM contacts WHERE id = 3), 1::float8, '... and has a score');
SELECT pg_temp.quietly($$UPDATE contacts SET employees = 0 WHERE id = 3$$);
UPDATE lead_scoring.score_state SET refreshed_at = NULL WHERE score = 's';
SELECT pg_temp.spoil();
CALL lead_scoring.refresh_due();
SELECT is(pg_temp.mended(), '1 2 4 5 6 7 9 10', 'among all records, too, those that fail do not keep others');
SELECT is((SELECT refreshed_at FROM lead_scoring.score_state WHERE score = 's'), now(), '... and the score is where it should be');
SELECT pg_temp.quietly($$UPDATE contacts SET employees = 3 WHERE id = 3$$);

-- Errors of scores
SELECT pg_temp.quietly($$ALTER TABLE contacts RENAME employees TO staff$$);
SELECT pg_temp.due('s', '{2}', now()), pg_temp.due('t', '{}', now());
SELECT lives_ok('CALL lead_scoring.refresh_due()', 'a score that cannot be evaluated');
SELECT results_eq('SELECT score, sqlstate, attempts FROM lead_scoring.score_state WHERE failed_at IS NOT NULL ORDER BY score', $$VALUES ('s', '42703', 1), ('t', '42703', 1)$$, '... is said to fail as a whole, though nothing of it is due');
SELECT is((SELECT count(*) FROM lead_scoring.parked WHERE record_key = '2'), 0::bigint, '... and its records are not to blame');
SELECT is((SELECT last_error FROM lead_scoring.activity WHERE score = 's') LIKE 'value of rule "ratio" of score "s": column %', true, '... in the activity too');
SELECT pg_temp.quietly($$ALTER TABLE contacts RENAME staff TO employees$$);
CALL lead_scoring.refresh_due();
SELECT is((SELECT count(*) FROM lead_scoring.score_state WHERE failed_at IS NOT NULL), 0::bigint, 'it recovers');

-- Bad calls
SELECT throws_ok('CALL lead_scoring.refresh_due(NULL)', '22004', 'as_of must not be NULL', 'no instant');
SELECT throws_ok($$CALL lead_scoring.refresh_due('infinity')$$, '22023', NULL, 'an infinite instant');

-- The end
SELECT lead_scoring.deactivate('s');
SELECT is((SELECT count(*) FROM lead_scoring.score_state WHERE score = 's') + (SELECT count(*) FROM lead_scoring.due WHERE score = 's') + (SELECT count(*) FROM lead_scoring.parked WHERE score = 's'), 0::bigint, 'nothing is kept of a score that is switched off');
SELECT hasnt_column('contacts', 's', '... not even its column');

SELECT * FROM finish();
ROLLBACK;
