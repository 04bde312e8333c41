-- What others do to the tables that scores are kept in and computed from: triggers of their own, rights that are revoked, tables
-- that are dropped.
BEGIN;
SET LOCAL client_min_messages = error;
SELECT plan(23);

CREATE TABLE deals (id int PRIMARY KEY, stage text DEFAULT 'open', frozen bool DEFAULT false);
CREATE TABLE calls (deal_id int, at timestamptz NOT NULL DEFAULT now());
CREATE INDEX ON calls (deal_id, at);
INSERT INTO deals SELECT generate_series(1, 10);
INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('deal', 'deals', 'id');
INSERT INTO lead_scoring.source (name, record_type, relation, record_key, occurred_at) VALUES ('call', 'deal', 'calls', 'deal_id', 'at');
INSERT INTO lead_scoring.score (name, record_type, kind, history) VALUES ('fit', 'deal', 'fit', 'values'), ('warm', 'deal', 'engagement', 'values');
INSERT INTO lead_scoring.score_group (score, name, kind) VALUES ('fit', 'f', 'fit'), ('warm', 'e', 'engagement');
INSERT INTO lead_scoring.rule (score, group_name, name, source, criterion, points) VALUES ('fit', 'f', 'won', NULL, $$stage = 'won'$$, 1), ('warm', 'e', 'call', 'call', 'true', 1);
INSERT INTO lead_scoring.band (score, label, lower_bound) VALUES ('warm', 'hot', 1), ('warm', 'cold', NULL);
SELECT lead_scoring.activate(name) FROM lead_scoring.score;

-- A trigger that comes after the one that computes the score of a row on its way
CREATE FUNCTION keep_stage() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.stage := OLD.stage; RETURN NEW; END $$;
CREATE TRIGGER zzz_keep BEFORE UPDATE ON deals FOR EACH ROW EXECUTE FUNCTION keep_stage();
UPDATE deals SET stage = 'won' WHERE id = 1;
SELECT results_eq('SELECT stage, fit FROM deals WHERE id = 1', $$VALUES ('open', 0::float8)$$, 'a score of what a later trigger has changed back');
UPDATE deals SET stage = 'won';
SELECT is_empty($$SELECT * FROM lead_scoring.verify('fit')$$, '... of many rows');
SELECT is((SELECT total FROM lead_scoring.score_history WHERE score = 'fit' AND record_key = '1' ORDER BY history_id DESC LIMIT 1), 0::float8, '... and so ends the history');
DROP TRIGGER zzz_keep ON deals;
UPDATE deals SET stage = 'won' WHERE id = 2;
SELECT results_eq('SELECT stage, fit FROM deals WHERE id = 2', $$VALUES ('won', 1::float8)$$, 'without it the score is written');

-- A trigger that keeps rows as they are
CREATE FUNCTION freezing() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF OLD.frozen THEN RETURN NULL; END IF; RETURN NEW; END $$;
CREATE TRIGGER freezing BEFORE UPDATE ON deals FOR EACH ROW EXECUTE FUNCTION freezing();
UPDATE deals SET frozen = true WHERE id < 4;
INSERT INTO calls VALUES (1);
INSERT INTO calls VALUES (1);
SELECT is((SELECT warm FROM deals WHERE id = 1), 0::float8, 'a score that must not be written');
SELECT is((SELECT array_agg(total) FROM lead_scoring.score_history WHERE score = 'warm' AND record_key = '1'), '{0}', '... has no history');
SELECT is_empty($$SELECT * FROM lead_scoring.score_change WHERE score = 'warm'$$, '... nor changes its label');
SELECT results_eq($$SELECT record_key, stored_total, total FROM lead_scoring.verify('warm')$$, $$VALUES ('1', 0::float8, 2::float8)$$, '... but is seen');
INSERT INTO calls SELECT generate_series(2, 5);
SELECT is((SELECT array_agg(warm ORDER BY id) FROM deals WHERE id < 7), '{0,0,0,1,1,0}', 'of several records those are written that may be');
SELECT is((SELECT array_agg(record_key ORDER BY record_key) FROM lead_scoring.score_history WHERE score = 'warm' AND reason = 'facts'), '{4,5}', '... and are in the history');
SELECT is((SELECT array_agg(record_key ORDER BY record_key) FROM lead_scoring.score_change WHERE score = 'warm'), '{4,5}', '... and among the changes');
SELECT is(lead_scoring.refresh('warm'), 0::bigint, 'a refresh does not write them');
SELECT is((SELECT count(*) FROM lead_scoring.score_history WHERE score = 'warm' AND reason = 'time'), 0::bigint, '... nor say so');
DROP TRIGGER freezing ON deals;
SELECT is(lead_scoring.refresh('warm'), 3::bigint, '... until it may');
SELECT is((SELECT array_agg(record_key ORDER BY record_key) FROM lead_scoring.score_history WHERE score = 'warm' AND reason = 'time'), '{1,2,3}', '... which is in the history');

-- A trigger that lets no row in
CREATE TABLE scores (id int PRIMARY KEY);
INSERT INTO scores VALUES (1);
SELECT lead_scoring.deactivate('warm');
UPDATE lead_scoring.score SET target = 'scores' WHERE name = 'warm';
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN CASE WHEN NEW.id <> 12 THEN NEW END; END $$;
CREATE TRIGGER refuse BEFORE INSERT ON scores FOR EACH ROW EXECUTE FUNCTION refuse();
DELETE FROM deals WHERE id > 2;
SELECT lead_scoring.activate('warm');
INSERT INTO deals VALUES (11), (12);
SELECT results_eq('SELECT id, warm FROM scores ORDER BY id', $$VALUES (1, 2::float8), (2, 1), (11, 0)$$, 'a table apart from the records that does not want a row');
SELECT is((SELECT count(*) FROM lead_scoring.score_history WHERE score = 'warm' AND record_key = '12'), 0::bigint, '... of which there is no history');
DROP TRIGGER refuse ON scores;
INSERT INTO calls VALUES (12);
SELECT is((SELECT warm FROM scores WHERE id = 12), 1::float8, '... until it does');

-- Rights that the owner has taken from himself
CREATE ROLE others_owner;
ALTER TABLE deals OWNER TO others_owner;
ALTER TABLE calls OWNER TO others_owner;
ALTER TABLE scores OWNER TO others_owner;
UPDATE lead_scoring.source SET relation = relation;
UPDATE lead_scoring.record_type SET relation = relation;
REVOKE ALL ON calls FROM others_owner;
SELECT throws_ok('INSERT INTO calls VALUES (1)', '42501', 'permission denied for relation "calls" of source "call"', 'a right that was revoked');
GRANT SELECT (deal_id), SELECT (at) ON calls TO others_owner;
SELECT lives_ok('INSERT INTO calls VALUES (1)', '... column by column is enough');
SELECT is((SELECT warm FROM scores WHERE id = 1), 3::float8, '... to count');

-- Tables that are gone
DROP TABLE deals CASCADE;
CALL lead_scoring.refresh_due();
SELECT is((SELECT array_agg(last_error ORDER BY score) FROM lead_scoring.activity), '{"the relation of record type \"deal\" no longer exists","the relation of record type \"deal\" no longer exists"}', 'a table that is gone is told of, though nothing is due');
SELECT lives_ok($$SELECT lead_scoring.deactivate(name) FROM lead_scoring.score$$, '... and its scores can be switched off');
SELECT * FROM finish();
ROLLBACK;
