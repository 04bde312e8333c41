-- Definitions that do not fit their relations any more, and are written again: an active score is re-scored as soon as all of
-- it fits, at the latest when the transaction ends. Here SET CONSTRAINTS stands for that end.
BEGIN;
SET LOCAL client_min_messages = warning;
SELECT plan(40);

CREATE TABLE contacts (id int PRIMARY KEY, country text, open boolean DEFAULT true);
CREATE TABLE lists (list text, contact_id int);
CREATE TABLE activities (contact_id int, type text, occurred_at timestamptz);
CREATE INDEX ON activities (contact_id, occurred_at);
INSERT INTO contacts VALUES (1, 'AT'), (2, 'DE'), (3, 'test');
INSERT INTO lists VALUES ('vip', 2);
INSERT INTO activities VALUES (1, 'mail', now() - interval '1 hour');
INSERT INTO lead_scoring.record_type (name, relation, key_column, open_when) VALUES ('contact', 'contacts', 'id', 'open');
INSERT INTO lead_scoring.source (name, record_type, relation, record_key, occurred_at) VALUES
  ('list', 'contact', 'lists', 'contact_id', NULL), ('activity', 'contact', 'activities', 'contact_id', 'occurred_at');
INSERT INTO lead_scoring.score (name, record_type, kind, history) VALUES ('s', 'contact', 'combined', 'values'), ('other', 'contact', 'fit', 'none');
INSERT INTO lead_scoring.score_group (score, name, kind) VALUES ('s', 'f', 'fit'), ('s', 'e', 'engagement'), ('other', 'f', 'fit');
INSERT INTO lead_scoring.rule (score, group_name, name, source, criterion, points) VALUES
  ('s', 'f', 'country', NULL, $$country = 'AT'$$, 1), ('s', 'f', 'vip', 'list', $$list = 'vip'$$, 10), ('s', 'e', 'mail', 'activity', $$type = 'mail'$$, 100),
  ('other', 'f', 'open', NULL, 'open', 1);
INSERT INTO lead_scoring.scope (score, mode, criterion) VALUES ('s', 'exclude', $$country = 'test'$$);
INSERT INTO lead_scoring.band (score, segment, label, lower_bound) VALUES ('s', $$country = 'AT'$$, 'near', NULL), ('s', 'true', 'far', NULL);
SELECT lead_scoring.activate('s'), lead_scoring.activate('other');
CREATE FUNCTION pg_temp.scores() RETURNS text LANGUAGE sql AS $$SELECT string_agg(coalesce(s || ' ' || s_label, 'none'), ', ' ORDER BY id) FROM contacts$$;
SELECT is(pg_temp.scores(), '101 near, 10 far, none', 'as it begins');

-- A column that many use
ALTER TABLE contacts RENAME COLUMN country TO land;
SELECT throws_ok('INSERT INTO activities VALUES (1, $$mail$$, now())', '42703', NULL, 'facts cannot be written while a definition does not fit');
SELECT lives_ok($$UPDATE lead_scoring.rule SET criterion = $c$land = 'AT'$c$, points = 2 WHERE name = 'country'$$, 'a rule is written again, though a scope does not fit');
SELECT results_eq('TABLE lead_scoring.unsettled', ARRAY['s'], '... the score is yet to be evaluated');
SELECT is(pg_temp.scores(), '101 near, 10 far, none', '... and stands as it was');
SELECT throws_ok('SET CONSTRAINTS ALL IMMEDIATE', '42703', 'criterion of a scope of score "s": column country does not exist', '... so that the transaction must not end');
SELECT lives_ok($$UPDATE lead_scoring.scope SET criterion = $c$land = 'test'$c$ WHERE score = 's'$$, 'a scope');
SAVEPOINT a;
SELECT lives_ok($$UPDATE lead_scoring.band SET segment = $c$land = 'AT'$c$ WHERE label = 'near'$$, 'a band, with which all fits');
SELECT is(pg_temp.scores(), '102 near, 10 far, none', '... and is evaluated');
SELECT is_empty('TABLE lead_scoring.unsettled', '... once and for all');
ROLLBACK TO a;
RELEASE a;
SELECT results_eq('TABLE lead_scoring.unsettled', ARRAY['s'], 'what is rolled back does not fit again');
SELECT lives_ok($$UPDATE lead_scoring.band SET segment = $c$land = 'AT'$c$ WHERE label = 'near'$$, '... until it is written once more');
SET CONSTRAINTS ALL IMMEDIATE;
SET CONSTRAINTS ALL DEFERRED;
SELECT is(pg_temp.scores(), '102 near, 10 far, none', '... and is evaluated');
SELECT is((SELECT count(*) FROM lead_scoring.score_history WHERE reason = 'rule_change'), 1::bigint, '... with one row of history');
INSERT INTO activities VALUES (2, 'mail', now());
SELECT is(pg_temp.scores(), '102 near, 110 far, none', 'facts can be written again');

-- A publication of all tables has ours in it, too
CREATE PUBLICATION mending FOR ALL TABLES;
SELECT lives_ok($$UPDATE lead_scoring.rule SET points = 3 WHERE name = 'country'$$, 'a rule is edited where all tables are published');
ALTER TABLE contacts RENAME COLUMN land TO country;
SELECT lives_ok($$UPDATE lead_scoring.rule SET points = 2, criterion = $c$country = 'AT'$c$ WHERE name = 'country'$$, '... and one that is put off');
ALTER TABLE contacts RENAME COLUMN country TO land;
SELECT lives_ok($$UPDATE lead_scoring.rule SET criterion = $c$land = 'AT'$c$ WHERE name = 'country'$$, '... until all fits again');
DROP PUBLICATION mending;

-- A change that is taken back: nothing is written again, but what was edited meanwhile counts
ALTER TABLE contacts RENAME COLUMN land TO country;
UPDATE lead_scoring.rule SET points = 20 WHERE name = 'vip';
SELECT is(pg_temp.scores(), '102 near, 110 far, none', 'an edit while something else does not fit');
ALTER TABLE contacts RENAME COLUMN country TO land;
SET CONSTRAINTS ALL IMMEDIATE;
SET CONSTRAINTS ALL DEFERRED;
SELECT is(pg_temp.scores(), '102 near, 120 far, none', '... counts at the end, as all fits again');

-- Another table in the place of the old one
ALTER TABLE activities RENAME TO activities_old;
CREATE TABLE activities (LIKE activities_old INCLUDING ALL);
INSERT INTO activities VALUES (1, 'mail', now()), (1, 'mail', now());
SELECT lives_ok($$UPDATE lead_scoring.source SET relation = 'activities' WHERE name = 'activity'$$, 'a source is given another table');
SELECT lives_ok($$UPDATE lead_scoring.rule SET criterion = criterion WHERE source = 'activity'$$, '... and its rules are written again');
SELECT is(pg_temp.scores(), '202 near, 20 far, none', '... and its events are those of the other one');
INSERT INTO activities VALUES (2, 'mail', now());
INSERT INTO activities_old VALUES (2, 'mail', now()), (1, 'mail', now());
SELECT is(pg_temp.scores(), '202 near, 120 far, none', '... from then on');

-- A table that is gone
INSERT INTO lead_scoring.scope (score, mode, source, criterion) VALUES ('s', 'exclude', 'list', $$list = 'unwanted'$$);
UPDATE lead_scoring.score SET mode = 'queued' WHERE name = 's';
DROP TABLE lists;
SELECT lives_ok($$DELETE FROM lead_scoring.rule WHERE source = 'list'$$, 'the rules over a table that is gone');
SELECT is(pg_temp.scores(), '202 near, 120 far, none', '... while a scope looks at it still');
SELECT lives_ok($$DELETE FROM lead_scoring.scope WHERE source = 'list'$$, 'the scopes over it');
SELECT is(pg_temp.scores(), '202 near, 100 far, none', '... which was all');
SELECT lives_ok($$DELETE FROM lead_scoring.source WHERE name = 'list'$$, 'the source');
UPDATE lead_scoring.score SET mode = 'sync' WHERE name = 's';

-- What is not to be put off
SELECT throws_ok($$UPDATE lead_scoring.rule SET criterion = 'no_such_column' WHERE name = 'country'$$, '42703', NULL, 'what is written must fit');
SELECT throws_ok($$INSERT INTO lead_scoring.rule (score, group_name, name, value, points, counting) VALUES ('s', 'f', 'ratio', '1 / (id - 1)', 1, 'each')$$, '22012', NULL, '... and be computed');
ALTER TABLE contacts RENAME COLUMN land TO country;
UPDATE lead_scoring.record_type SET open_when = 'open';
SELECT is((SELECT array_agg(score) FROM lead_scoring.unsettled), ARRAY['s'], 'of two scores of the records only the one that does not fit is put off');
SELECT lives_ok($$SELECT lead_scoring.deactivate('s')$$, 'a score that does not fit can be switched off');
SELECT lives_ok('SET CONSTRAINTS ALL IMMEDIATE', '... and is not evaluated then');
SET CONSTRAINTS ALL DEFERRED;

-- What is put off by hand takes the right to do it at once
CREATE ROLE mending_nobody;
SET ROLE mending_nobody;
INSERT INTO lead_scoring.unsettled VALUES ('other');
SELECT throws_ok('SET CONSTRAINTS ALL IMMEDIATE', '42501', NULL, 'nobody re-scores by writing that a score is to be');
DELETE FROM lead_scoring.unsettled;
SET CONSTRAINTS ALL IMMEDIATE;
RESET ROLE;

-- Two tables that are read together change hands
CREATE ROLE mending_owner;
GRANT CREATE ON SCHEMA public TO mending_owner;
CREATE TABLE firms (id int PRIMARY KEY, size int);
CREATE TABLE people (id int PRIMARY KEY, firm_id int);
INSERT INTO firms VALUES (1, 10);
INSERT INTO people VALUES (1, 1);
INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('person', 'people', 'id');
INSERT INTO lead_scoring.source (name, record_type, relation, record_key, record_column) VALUES ('firm', 'person', 'firms', 'id', 'firm_id');
INSERT INTO lead_scoring.score (name, record_type, kind) VALUES ('p', 'person', 'fit');
INSERT INTO lead_scoring.score_group (score, name, kind) VALUES ('p', 'f', 'fit');
INSERT INTO lead_scoring.rule (score, group_name, name, source, criterion, points) VALUES ('p', 'f', 'big', 'firm', 'size > 5', 3);
SELECT lead_scoring.activate('p');
ALTER TABLE firms OWNER TO mending_owner;
SELECT throws_ok($$UPDATE lead_scoring.source SET relation = relation WHERE name = 'firm'$$, '42501', 'relations of source "firm" and of record type "person" have different owners', 'tables that are read together have one owner');
ALTER TABLE people OWNER TO mending_owner;
SET ROLE mending_owner;
SELECT lives_ok($$UPDATE lead_scoring.source SET relation = relation WHERE name = 'firm'$$, 'the new owner confirms the source first');
SELECT lives_ok($$UPDATE lead_scoring.record_type SET relation = relation WHERE name = 'person'$$, '... then the record type');
UPDATE firms SET size = 1;
SELECT is((SELECT p FROM people), 0::float8, '... and facts count again');
RESET ROLE;

SELECT throws_ok($$INSERT INTO lead_scoring.score (name, record_type, kind) VALUES ('s', 'contact', 'fit')$$, '23505', NULL, 'a score that is there already is not told to delete its groups');
SELECT * FROM finish();
ROLLBACK;
