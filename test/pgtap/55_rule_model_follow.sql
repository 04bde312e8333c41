-- Definitions of the whole rule model as they are written, renamed, deleted, edited while active, and as they change
-- hands; and what people write about single records
BEGIN;
\ir include/crm.psql
SELECT plan(75);

CREATE ROLE ls_test_old;
CREATE ROLE ls_test_new;
CREATE ROLE ls_test_sales;
CREATE ROLE ls_test_reader;
GRANT USAGE, CREATE ON SCHEMA public TO ls_test_old, ls_test_new;
DO $$ BEGIN EXECUTE format('GRANT USAGE ON SCHEMA %I TO PUBLIC', (SELECT nspname FROM pg_namespace WHERE oid = pg_my_temp_schema())); END $$;

SET ROLE ls_test_old;
CREATE TABLE leads (id int PRIMARY KEY, industry text, size int);
CREATE TABLE people (id int PRIMARY KEY, lead int, active bool);
CREATE TABLE happenings (person int, lead int, type text, amount numeric, at timestamptz);
INSERT INTO leads VALUES (1, 'Retail', 10), (2, 'Other', 20);
INSERT INTO people VALUES (11, 1, true), (12, 2, true);
INSERT INTO happenings SELECT 11, 1, 'x', 5, now() - interval '1 day' FROM generate_series(1, 3);
CREATE FUNCTION public.big(numeric) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT $1 > 3';
INSERT INTO lead_scoring.record_type (name, relation, key_column, open_when) VALUES ('lead', 'leads', 'id', $$industry <> 'Closed' AND big(size)$$);
INSERT INTO lead_scoring.source (name, record_type, relation, record_key, occurred_at, dedup_key, dedup_within, through, through_key, through_record, through_filter) VALUES
  ('happening', 'lead', 'happenings', 'lead', 'at', NULL, NULL, NULL, NULL, NULL, NULL),
  ('linked', 'lead', 'happenings', 'person', 'at', $$type || 'x'$$, '1 microsecond', 'people', 'id', 'lead', 'active AND big(id)');
INSERT INTO lead_scoring.score (name, record_type, min_points, max_points) VALUES ('s', 'lead', -1000, 1000);
INSERT INTO lead_scoring.score (name, record_type, draft_of) VALUES ('next', 'lead', 's');
INSERT INTO lead_scoring.score_group (score, name, kind, weight, decay) VALUES ('s', 'f', 'fit', 1, NULL), ('s', 'e', 'engagement', NULL, 'half-life 7 days');
INSERT INTO lead_scoring.segment_decay (score, group_name, segment, decay) VALUES ('s', 'e', $$industry = 'None' AND big(size)$$, 'half-life 30 days');
INSERT INTO lead_scoring.event_factor (score, name, source, criterion, factor) VALUES ('s', 'fair', 'linked', $$type = 'fair' AND big(amount)$$, 2);
INSERT INTO lead_scoring.rule (score, group_name, name, source, criterion, points, value, effect) VALUES
  ('s', 'f', 'size', NULL, 'size > 5', 10, NULL, 'add'), ('s', 'f', 'lift', NULL, 'size > 1000', 2, NULL, 'multiply'),
  ('s', 'e', 'x', 'happening', $$type = 'x'$$, 1, 'CASE WHEN big(amount) THEN amount END', 'add');
INSERT INTO lead_scoring.rule (score, group_name, name, source, criterion, points, followed_by, followed_within) VALUES
  ('s', 'e', 'pair', 'happening', $$type = 'y'$$, 1, $$type = 'z' AND big(amount)$$, '1 day');
INSERT INTO lead_scoring.band (score, label, lower_bound, segment) VALUES ('s', 'A', 5, DEFAULT), ('s', 'Z', NULL, DEFAULT), ('s', 'retail', NULL, $$industry = 'None' AND big(size)$$);
INSERT INTO lead_scoring.adjustment (score, record_key, points) VALUES ('s', '02', 1);
INSERT INTO lead_scoring.engagement_reset (score, record_key, at) VALUES ('s', '02', '2020-01-01');
RESET ROLE;

-- What is kept: resolved expressions, what they were written for, defaults
SELECT is((SELECT open_when_resolved FROM lead_scoring.record_type WHERE name = 'lead'), $$((this.industry <> 'Closed'::text) AND public.big((this.size)::numeric))$$, 'open_when is resolved');
SELECT results_eq($$SELECT dedup_key_resolved, through_filter_resolved, relation_owner::text COLLATE "default", through_owner::text COLLATE "default" FROM lead_scoring.source WHERE record_type = 'lead' ORDER BY name$$,
  $$VALUES (NULL, NULL, 'ls_test_old', NULL), ('(this.type || ''x''::text)', '(this.active AND public.big((this.id)::numeric))', 'ls_test_old', 'ls_test_old')$$, 'the expressions of sources are resolved, each over its relation');
SELECT is((SELECT value_resolved FROM lead_scoring.rule WHERE score = 's' AND name = 'x'), '(CASE WHEN public.big(this.amount) THEN this.amount ELSE NULL::numeric END)::double precision', 'a value is resolved to double precision');
SELECT is((SELECT followed_by_resolved FROM lead_scoring.rule WHERE score = 's' AND name = 'pair'), $$((this.type = 'z'::text) AND public.big(this.amount))$$, 'followed_by is resolved');
SELECT results_eq($$SELECT counting, effect, multiplies, rollup FROM lead_scoring.rule WHERE score = 's' ORDER BY name$$,
  $$VALUES ('once', 'multiply', 'group', 'sum'), ('each', 'add', NULL, 'sum'), ('once', 'add', NULL, 'sum'), ('each', 'add', NULL, 'sum')$$, 'defaults of rules: a multiplier counts once and multiplies its group');
SELECT results_eq($$SELECT segment_resolved, criterion_relation::text, criterion_owner::text COLLATE "default" FROM lead_scoring.segment_decay WHERE score = 's'$$,
  $$VALUES ('((this.industry = ''None''::text) AND public.big((this.size)::numeric))', 'leads', 'ls_test_old')$$, 'the segment of a decay is resolved and pinned to the records');
SELECT results_eq($$SELECT segment, segment_resolved, criterion_relation::text, criterion_owner::text COLLATE "default" FROM lead_scoring.band WHERE score = 's' AND label IN ('A', 'retail') ORDER BY label$$,
  $$VALUES ('true', 'true', 'leads', 'ls_test_old'), ('industry = ''None'' AND big(size)', '((this.industry = ''None''::text) AND public.big((this.size)::numeric))', 'leads', 'ls_test_old')$$, 'the segments of bands too, also the one for all records');
SELECT results_eq($$SELECT criterion_resolved, criterion_relation::text, criterion_owner::text COLLATE "default" FROM lead_scoring.event_factor WHERE score = 's'$$,
  $$VALUES ('((this.type = ''fair''::text) AND public.big(this.amount))', 'happenings', 'ls_test_old')$$, 'the criterion of an event factor is resolved and pinned to its source');
SELECT is((SELECT dormant_after FROM lead_scoring.score WHERE name = 's'), '90 days', 'dormant after 90 days, by default');
SELECT is((SELECT string_agg(record_key, ' ') FROM lead_scoring.engagement_reset), '2', 'keys of resets are kept in their one form');
SELECT is((SELECT author::text FROM lead_scoring.engagement_reset), 'ls_test_old', 'with their author');

-- Renaming
CREATE FUNCTION pg_temp.parts(name text) RETURNS text LANGUAGE sql AS $$
  SELECT concat_ws(' ', (SELECT count(*) FROM lead_scoring.score_group WHERE score = $1), (SELECT count(*) FROM lead_scoring.segment_decay WHERE score = $1), (SELECT count(*) FROM lead_scoring.event_factor WHERE score = $1),
    (SELECT count(*) FROM lead_scoring.rule WHERE score = $1), (SELECT count(*) FROM lead_scoring.band WHERE score = $1), (SELECT count(*) FROM lead_scoring.adjustment WHERE score = $1), (SELECT count(*) FROM lead_scoring.engagement_reset WHERE score = $1),
    (SELECT count(*) FROM lead_scoring.score WHERE draft_of = $1))
$$;
SET ROLE ls_test_old;
SELECT is(pg_temp.parts('s'), '2 1 1 4 3 1 1 1', 'the parts of the score');
SELECT lives_ok($$UPDATE lead_scoring.score SET name = 'renamed' WHERE name = 's'$$, 'a score is renamed');
SELECT is(pg_temp.parts('s') || ', ' || pg_temp.parts('renamed'), '0 0 0 0 0 0 0 0, 2 1 1 4 3 1 1 1', 'its parts follow it');
SELECT lives_ok($$UPDATE lead_scoring.score SET name = 's' WHERE name = 'renamed'$$, 'and renamed again');
SELECT is(pg_temp.parts('s'), '2 1 1 4 3 1 1 1', 'its parts follow it back');
SELECT lives_ok($$UPDATE lead_scoring.score_group SET name = 'moved' WHERE score = 's' AND name = 'e'$$, 'a group is renamed');
SELECT is((SELECT string_agg(group_name, ' ') FROM lead_scoring.segment_decay WHERE score = 's'), 'moved', 'its decays for segments follow it');
UPDATE lead_scoring.score_group SET name = 'e' WHERE score = 's' AND name = 'moved';
SELECT lives_ok($$SET LOCAL search_path = pg_catalog; UPDATE lead_scoring.score SET name = 'renamed' WHERE name = 's'; UPDATE lead_scoring.score SET name = 's' WHERE name = 'renamed'; SET LOCAL search_path = public$$, 'renamed under another search path: the expressions keep their meaning');

-- Deleting, each taken back
SAVEPOINT whole;
DELETE FROM lead_scoring.score_group WHERE score = 's' AND name = 'e';
SELECT is(pg_temp.parts('s'), '1 0 1 2 3 1 1 1', 'a deleted group takes its rules and its decays for segments along');
DELETE FROM lead_scoring.score WHERE name = 's';
SELECT is(pg_temp.parts('s'), '0 0 0 0 0 0 0 0', 'a deleted score takes everything along');
SELECT results_eq($$SELECT name, draft_of FROM lead_scoring.score WHERE record_type = 'lead'$$, $$VALUES ('next', NULL::text)$$, 'but not its draft');
ROLLBACK TO whole;
SELECT throws_ok($$UPDATE lead_scoring.score_group SET kind = 'fit', decay = NULL WHERE score = 's' AND name = 'e'$$, '55000', NULL, 'the kind of a group in use stays');
DELETE FROM lead_scoring.rule WHERE score = 's' AND group_name = 'e';
SELECT throws_ok($$UPDATE lead_scoring.score_group SET kind = 'fit', decay = NULL WHERE score = 's' AND name = 'e'$$, '55000', 'kind of group "e" of score "s" cannot change while it has decays for segments', 'also when only decays for segments use it');
ROLLBACK TO whole;
SELECT throws_ok($$UPDATE lead_scoring.score SET record_type = 'lead' WHERE name = 's'; UPDATE lead_scoring.record_type SET name = 'x' WHERE name = 'lead'$$, '2BP01', NULL, 'a record type in use stays');
ROLLBACK TO whole;

-- Other records
CREATE TABLE accounts (id int PRIMARY KEY, industry text, size int);
INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('account', 'accounts', 'id');
INSERT INTO lead_scoring.band (score, label, lower_bound) VALUES ('next', 'A', 5), ('next', 'Z', NULL);
SELECT throws_ok($$UPDATE lead_scoring.score SET record_type = 'account', draft_of = NULL WHERE name = 's'$$, '55000', 'record type of score "s" cannot change while it has rules, scopes, event factors or segments', 'what was written for some records stays with them');
SELECT throws_ok($$UPDATE lead_scoring.score SET record_type = 'account' WHERE name = 'next'$$, '22023', NULL, 'a draft scores the records of its original');
DELETE FROM lead_scoring.rule WHERE score = 's';
DELETE FROM lead_scoring.event_factor WHERE score = 's';
DELETE FROM lead_scoring.segment_decay WHERE score = 's';
SELECT throws_ok($$UPDATE lead_scoring.score SET record_type = 'account' WHERE name = 's'$$, '55000', NULL, 'a band with a segment holds it, too');
DELETE FROM lead_scoring.band WHERE score = 's' AND segment <> 'true';
SELECT throws_ok($$UPDATE lead_scoring.score SET record_type = 'account' WHERE name = 's'$$, '55000', 'record type of score "s" cannot change while other scores are drafts of it', 'and so do drafts');
UPDATE lead_scoring.score SET draft_of = NULL WHERE name = 'next';
SELECT lives_ok($$UPDATE lead_scoring.score SET record_type = 'account' WHERE name = 's'$$, 'without them it can change');
SELECT is((SELECT string_agg(DISTINCT criterion_relation::text, ' ') FROM lead_scoring.band WHERE score = 's'), 'accounts', 'bands for all records are for the new ones');
ROLLBACK TO whole;
CREATE TABLE accounts (id int PRIMARY KEY, industry text, size int);
UPDATE lead_scoring.record_type SET relation = 'accounts' WHERE name = 'lead';
SELECT is((SELECT string_agg(criterion_relation::text, ' ' ORDER BY label) FROM lead_scoring.band WHERE score = 's'), 'accounts accounts leads', 'the records move to another relation: bands for all go along, those with a segment are to be written again');
ROLLBACK TO whole;

-- Changing hands: every relation first, then the confirmation
RESET ROLE;
CREATE FUNCTION pg_temp.pins() RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(DISTINCT owner, ' ' ORDER BY owner) FROM (
    SELECT criterion_owner FROM lead_scoring.rule WHERE score = 's' UNION ALL SELECT criterion_owner FROM lead_scoring.segment_decay WHERE score = 's'
    UNION ALL SELECT criterion_owner FROM lead_scoring.event_factor WHERE score = 's' UNION ALL SELECT criterion_owner FROM lead_scoring.band WHERE score = 's'
    UNION ALL SELECT relation_owner FROM lead_scoring.record_type WHERE name = 'lead' UNION ALL SELECT unnest(ARRAY[relation_owner, coalesce(through_owner, relation_owner)]) FROM lead_scoring.source WHERE record_type = 'lead') AS o (owner)
$$;
SELECT ok(lead_scoring.is_confirmed('s'), 'all is confirmed');
ALTER TABLE people OWNER TO ls_test_new;
SELECT ok(NOT lead_scoring.is_confirmed('s'), 'the relation between has another owner: no longer');
SET ROLE ls_test_old;
SELECT throws_ok($$UPDATE lead_scoring.source SET relation = relation WHERE name = 'linked'$$, '42501', NULL, 'not for the owner of one of them to confirm');
RESET ROLE;
SELECT throws_ok($$UPDATE lead_scoring.source SET relation = relation WHERE name = 'linked'$$, '42501', 'relations "public.happenings" and "public.people" of source "linked" have different owners', 'relations of two owners are not read together');
ALTER TABLE happenings OWNER TO ls_test_new;
SELECT throws_ok($$UPDATE lead_scoring.source SET relation = relation WHERE name = 'linked'$$, '42501', 'relations of source "linked" and of record type "lead" have different owners', 'nor are these and the records');
ALTER TABLE leads OWNER TO ls_test_new;
SET ROLE ls_test_old;
SELECT throws_ok($$UPDATE lead_scoring.record_type SET relation = relation WHERE name = 'lead'$$, '42501', NULL, 'the former owner confirms nothing');
SELECT throws_ok($$UPDATE lead_scoring.event_factor SET factor = 3$$, '42501', NULL, 'nor writes factors');
SELECT throws_ok($$UPDATE lead_scoring.segment_decay SET decay = NULL$$, '42501', NULL, 'nor decays');
SET ROLE ls_test_new;
SET LOCAL search_path = pg_catalog;
UPDATE lead_scoring.record_type SET relation = relation WHERE name = 'lead';
SET LOCAL search_path = public;
SELECT ok(NOT lead_scoring.is_confirmed('s'), 'the new owner confirms the records: not yet all');
UPDATE lead_scoring.source SET relation = relation WHERE record_type = 'lead';
SELECT ok(lead_scoring.is_confirmed('s'), 'and the sources: all is confirmed');
SELECT is(pg_temp.pins(), 'ls_test_new', 'everything is pinned to the new owner');
RESET ROLE;
SELECT is((SELECT string_agg(DISTINCT substring(segment_resolved FROM 'public.big'), ' ') FROM lead_scoring.segment_decay), 'public.big', 'with the meaning it had');

-- Editing an active score: each edit scores every record again
ALTER TABLE leads OWNER TO ls_test_old;
ALTER TABLE people OWNER TO ls_test_old;
ALTER TABLE happenings OWNER TO ls_test_old;
SET ROLE ls_test_old;
UPDATE lead_scoring.record_type SET relation = relation WHERE name = 'lead';
UPDATE lead_scoring.source SET relation = relation WHERE record_type = 'lead';
SELECT is(lead_scoring.activate('s'), 2::bigint, 'activated');
CREATE FUNCTION pg_temp.rescored(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  ALTER TABLE leads DISABLE TRIGGER lead_scoring_touch_update;
  UPDATE leads SET s_label = 'stale';
  EXECUTE statement;
  RETURN (SELECT string_agg(id::text, ' ' ORDER BY id) FROM leads WHERE s_label IS DISTINCT FROM 'stale');
END
$$;
SELECT is(pg_temp.rescored(statement), result, 'active: ' || what) FROM (VALUES
  (1, 'a decay for a segment added', '1 2', $$INSERT INTO lead_scoring.segment_decay (score, group_name, segment, decay) VALUES ('s', 'e', 'size > 1000', NULL)$$),
  (2, 'changed', '1 2', $$UPDATE lead_scoring.segment_decay SET decay = '50% per month' WHERE segment = 'size > 1000'$$),
  (3, 'deleted', '1 2', $$DELETE FROM lead_scoring.segment_decay WHERE segment = 'size > 1000'$$),
  (4, 'an event factor added', '1 2', $$INSERT INTO lead_scoring.event_factor (score, name, source, factor, criterion) VALUES ('s', 'new', 'happening', 2, $c$type = 'none'$c$)$$),
  (5, 'changed', '1 2', $$UPDATE lead_scoring.event_factor SET factor = 3 WHERE name = 'new'$$),
  (6, 'deleted', '1 2', $$DELETE FROM lead_scoring.event_factor WHERE name = 'new'$$),
  (7, 'the weight of a group changed', '1 2', $$UPDATE lead_scoring.score_group SET weight = 2 WHERE score = 's' AND name = 'f'$$),
  (8, 'the share of points by hand changed', '1 2', $$UPDATE lead_scoring.score SET adjustment_share = 0.5 WHERE name = 's'$$),
  (9, 'dormant_after changed: no score depends on it', NULL, $$UPDATE lead_scoring.score SET dormant_after = '30 days' WHERE name = 's'$$),
  (10, 'open_when changed', '1 2', $$UPDATE lead_scoring.record_type SET open_when = NULL WHERE name = 'lead'$$),
  (11, 'the filter of a link changed', '1 2', $$UPDATE lead_scoring.source SET through_filter = NULL WHERE name = 'linked'$$),
  (12, 'a reset', '1', $$SELECT lead_scoring.reset_engagement('s', '1', '2019-01-01', 'a test')$$),
  (13, 'a reset moved', '1', $$UPDATE lead_scoring.engagement_reset SET at = '2019-02-01' WHERE record_key = '1'$$),
  (14, 'a reset undone', '1', $$DELETE FROM lead_scoring.engagement_reset WHERE record_key = '1'$$),
  (15, 'a record forgotten', '2', $$SELECT lead_scoring.forget('lead', '2')$$)) AS v (i, what, result, statement) ORDER BY i;
SELECT throws_ok($$UPDATE lead_scoring.score SET name = 'other' WHERE name = 's'$$, '55000', NULL, 'an active score keeps its name');
RESET ROLE;

-- What people write about single records
GRANT SELECT, UPDATE ON leads TO ls_test_sales;
GRANT SELECT ON leads, happenings, people TO ls_test_reader;
SET ROLE ls_test_sales;
SELECT ok(lead_scoring.reset_engagement('s', ' 1', reason => 'closed lost') > 0, 'who may update a record may let it begin anew');
SELECT results_eq($$SELECT score, record_key, at = now(), reason, author::text COLLATE "default", created_at = now() FROM lead_scoring.engagement_reset$$, $$VALUES ('s', '1', true, 'closed lost', 'ls_test_sales', true)$$, 'as of now, by default');
SELECT throws_ok($$UPDATE lead_scoring.rule SET points = 0$$, '42501', NULL, 'but he may not define');
INSERT INTO lead_scoring.adjustment (score, record_key, points) VALUES ('s', '1', 5), ('next', '01', 5), ('s', '2', 5);
RESET ROLE;
SET ROLE ls_test_reader;
SELECT throws_ok($$SELECT lead_scoring.reset_engagement('s', '1')$$, '42501', 'permission denied to reset the engagement of score "s"', 'who may only read may not');
SELECT throws_ok($$DELETE FROM lead_scoring.engagement_reset$$, '42501', NULL, 'nor undo it');
SELECT throws_ok($$UPDATE lead_scoring.engagement_reset SET at = now()$$, '42501', NULL, 'nor move it');
SELECT throws_ok($$SELECT lead_scoring.forget('lead', '1')$$, '42501', 'permission denied to forget records of type "lead"', 'nor forget');
SELECT throws_ok($$SELECT lead_scoring.forget('lead', '3')$$, '42501', NULL, 'not even what there is not');
RESET ROLE;
INSERT INTO lead_scoring.score (name, record_type) VALUES ('contact_score', 'contact');
INSERT INTO lead_scoring.adjustment (score, record_key, points) VALUES ('contact_score', '1', 5);
SET ROLE ls_test_sales;
SELECT ok(lead_scoring.forget('lead', '+1') >= 3, 'a record is forgotten: its adjustments and resets in all scores of its type');
SELECT is((SELECT string_agg(score || ' ' || record_key, ', ' ORDER BY score) FROM lead_scoring.adjustment), 'contact_score 1, s 2', 'others stay');
SELECT is(lead_scoring.forget('lead', '1'), 0::bigint, 'nothing is left to forget');
RESET ROLE;

-- Text and uuid keys
CREATE TABLE uid_keyed (id uuid PRIMARY KEY);
CREATE TABLE text_keyed (id text PRIMARY KEY);
INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('uid', 'uid_keyed', 'id'), ('text', 'text_keyed', 'id');
INSERT INTO lead_scoring.score (name, record_type) VALUES ('uid_score', 'uid'), ('text_score', 'text');
SELECT lead_scoring.reset_engagement('uid_score', 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'), lead_scoring.reset_engagement('text_score', ' 01');
SELECT results_eq($$SELECT score, record_key FROM lead_scoring.engagement_reset ORDER BY score$$, $$VALUES ('text_score', ' 01'), ('uid_score', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11')$$, 'uuid keys have one form, text keys are as they are');
SELECT is(lead_scoring.forget('uid', '{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}') + lead_scoring.forget('text', '01'), 1::bigint, 'forgotten in any form of a uuid, and only as written of a text');
DROP TABLE text_keyed;
SELECT is(lead_scoring.forget('text', ' 01'), 1::bigint, 'also when the relation is gone');

SELECT * FROM finish();
ROLLBACK;
