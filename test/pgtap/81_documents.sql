-- Scores as JSON documents
BEGIN;
\ir include/crm.psql
\ir include/whole_definition.psql
SELECT plan(84);
CREATE FUNCTION pg_temp.renamed(document jsonb, name text) RETURNS jsonb LANGUAGE sql AS $$ SELECT jsonb_set($1, '{score,name}', to_jsonb($2)) $$;
CREATE FUNCTION pg_temp.shared() RETURNS TABLE (part text, item text) LANGUAGE sql AS $$
  SELECT 'record_type', to_jsonb(t)::text FROM lead_scoring.record_type t UNION ALL SELECT 'source', to_jsonb(s)::text FROM lead_scoring.source s WHERE s.name <> 'company'
$$;

-- There and back
CREATE TEMP TABLE kept AS SELECT lead_scoring.export_score('whole') AS document;
SELECT results_eq($$SELECT DISTINCT kind, action, note FROM kept, lead_scoring.import_score(document, 'copy') ORDER BY 1$$,
  $$VALUES ('alert', 'created', NULL), ('band', 'created', NULL), ('event factor', 'created', NULL), ('group', 'created', NULL), ('record type', 'kept', NULL), ('rule', 'created', NULL),
           ('scope', 'created', NULL), ('score', 'created', NULL), ('segment decay', 'created', NULL), ('source', 'kept', NULL)$$, 'a document of a definition that uses everything is read in without remarks');
SELECT set_eq($$SELECT * FROM pg_temp.everything_of('copy')$$, $$SELECT * FROM pg_temp.everything_of('whole')$$, 'what comes of it is equal in every column of every part');
SELECT is(pg_temp.renamed(lead_scoring.export_score('copy'), 'whole'), document, 'and has the same document') FROM kept;
SELECT is_empty($$SELECT * FROM pg_temp.everything_of('copy', '{adjustment,engagement_reset}')$$, 'adjustments and resets are facts, not definition');
SELECT results_eq($$SELECT status, draft_of FROM lead_scoring.score WHERE name = 'copy'$$, $$VALUES ('draft', NULL::text)$$, 'it is a draft, of nothing');
CREATE TEMP TABLE shared_before AS SELECT * FROM pg_temp.shared();
DELETE FROM lead_scoring.score;
DELETE FROM lead_scoring.source;
DELETE FROM lead_scoring.record_type;
SELECT results_eq($$SELECT kind, item, action FROM kept, lead_scoring.import_score(document) WHERE kind IN ('record type', 'source', 'score')$$,
  $$VALUES ('record type', 'contact', 'created'), ('source', 'activity', 'created'), ('source', 'attended', 'created'), ('source', 'cleaned', 'created'), ('source', 'member', 'created'), ('score', 'whole', 'created')$$,
  'record type and sources are made where they are missing');
SELECT set_eq($$SELECT * FROM pg_temp.shared()$$, $$SELECT * FROM shared_before$$, 'equal in every column');
SELECT is(lead_scoring.export_score('whole'), document, 'the document is the same again') FROM kept;

-- What it looks like
SELECT set_eq($$SELECT jsonb_object_keys(document) FROM kept$$, $$VALUES ('format'), ('record_type'), ('sources'), ('score'), ('groups'), ('segment_decays'), ('rules'), ('event_factors'), ('scopes'), ('bands'), ('alerts')$$, 'sections');
SELECT is(document -> 'record_type', '{"name": "contact", "relation": "public.contacts", "key_column": "id", "open_when": "NOT is_customer"}', 'relations have their schema') FROM kept;
SELECT is(document #> '{sources,1}', '{"name": "attended", "relation": "public.activities", "record_key": "id", "occurred_at": "occurred_at", "through": "public.attendances",
  "through_key": "event_id", "through_record": "contact_id", "through_filter": "role = ''guest''"}', 'a source') FROM kept;
SELECT is(document -> 'groups', '[{"name": "free", "kind": "engagement", "decay": "half-life 7 days after 1 day"},
  {"name": "habit", "kind": "engagement", "min_points": 0, "max_points": 60, "weight": 1.5, "decay": "50% per 30 days stepwise", "decay_after": "3 days"},
  {"name": "profile", "kind": "fit", "min_points": -5, "max_points": 40, "weight": 0.3}]', 'groups, in byte order, without NULLs') FROM kept;
SELECT is(jsonb_path_query_first(document, '$.rules[*] ? (@.name == "big")'), '{"name": "big", "group_name": "profile", "criterion": "is_big(employees)", "points": 10.25, "counting": "once",
  "valid_from": "2026-01-01T00:00:00+00:00", "valid_to": "2027-01-01T00:00:00+00:00", "description": "first"}', 'a rule, without defaults') FROM kept;
SELECT pg_temp.simple('small', 'fit');
UPDATE lead_scoring.score SET dormant_after = NULL WHERE name = 'small';
SELECT is(lead_scoring.export_score('small'), '{"format": 1, "record_type": {"name": "contact", "relation": "public.contacts", "key_column": "id", "open_when": "NOT is_customer"},
  "score": {"name": "small", "kind": "fit", "dormant_after": null}, "groups": [{"name": "all", "kind": "fit"}]}', 'a small score has a small document; NULL is said where it is not the default');
SELECT lead_scoring.import_score(lead_scoring.export_score('small'), 'small too');
SELECT is((SELECT dormant_after FROM lead_scoring.score WHERE name = 'small too'), NULL, 'and comes back as NULL');
SET LOCAL timezone = 'Asia/Tokyo';
SET LOCAL intervalstyle = iso_8601;
SET LOCAL datestyle = 'German';
SET LOCAL extra_float_digits = -10;
SET LOCAL search_path = pg_catalog;
CREATE TEMP TABLE elsewhere AS SELECT lead_scoring.export_score('whole') AS document;
RESET timezone; RESET intervalstyle; RESET datestyle; RESET extra_float_digits;
SET LOCAL timezone = 'UTC';
SET LOCAL search_path = public;
SELECT is(elsewhere.document, kept.document, 'the settings of the session change nothing') FROM elsewhere, kept;
CREATE SCHEMA "odd ""schema";
CREATE TABLE "odd ""schema"."Table x" ("the key" text PRIMARY KEY, "a column" text);
INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('odd "type', '"odd ""schema"."Table x"', 'the key');
INSERT INTO lead_scoring.score (name, record_type, kind) VALUES ('odd '' "score', 'odd "type', 'fit');
INSERT INTO lead_scoring.score_group (score, name) VALUES ('odd '' "score', 'g'' "');
INSERT INTO lead_scoring.rule (score, group_name, name, criterion, points) VALUES ('odd '' "score', 'g'' "', 'r'' " \ ä', $$"a column" = E'\\ '' "'$$, 1);
SELECT lives_ok($$SELECT lead_scoring.import_score(lead_scoring.export_score('odd '' "score'), 'odd too')$$, 'odd names');
SELECT set_eq($$SELECT * FROM pg_temp.everything_of('odd too')$$, $$SELECT * FROM pg_temp.everything_of('odd '' "score')$$, 'come back as they are');

-- What is not understood, or does not match
CREATE FUNCTION pg_temp.remarks(document jsonb, name text) RETURNS SETOF text LANGUAGE sql AS $$
  SELECT concat_ws('|', kind, item, action, note) FROM lead_scoring.import_score($1, $2) WHERE action NOT IN ('created', 'kept')
$$;
SELECT results_eq($$SELECT * FROM pg_temp.remarks((SELECT jsonb_set(jsonb_set(jsonb_set(jsonb_set(document, '{rules,0,colour}', '"red"'), '{score,status}', '"active"'), '{sources,1,record_type}', '"x"'), '{extra}', '1') FROM kept), 'unknown')$$,
  $$VALUES ('key|extra|skipped|unknown key'), ('key|score.status|skipped|unknown key'), ('key|sources[1].record_type|skipped|unknown key'), ('key|rules[0].colour|skipped|unknown key')$$, 'unknown keys are reported');
SELECT is((SELECT status FROM lead_scoring.score WHERE name = 'unknown'), 'draft', 'and have no effect');
SELECT results_eq($$SELECT * FROM pg_temp.remarks((SELECT jsonb_set(jsonb_set(document, '{record_type,open_when}', '"true"'), '{sources,2,dedup_within}', '"1 hour"') FROM kept), 'different')$$,
  $$VALUES ('record type|contact|differs|differs in open_when; the one that is here is used'), ('source|cleaned|differs|differs in dedup_within; the one that is here is used')$$, 'a record type or source that differs is reported');
SELECT is((SELECT dedup_within FROM lead_scoring.source WHERE name = 'cleaned'), interval '5 minutes', 'and stays');
SELECT results_eq($$SELECT * FROM pg_temp.remarks((SELECT jsonb_set(document, '{sources,0,relation}', '"nowhere.activities"') FROM kept), 'nowhere')$$,
  $$VALUES ('source|activity|differs|differs in relation; the one that is here is used')$$, 'also if its relation does not exist');
SELECT is_empty($$SELECT * FROM pg_temp.remarks((SELECT jsonb_set(document, '{sources,2,dedup_within}', '"300 s"') FROM kept), 'other words')$$, 'the same in other words is the same');
SELECT is_empty($$SELECT * FROM pg_temp.remarks((SELECT jsonb_set(jsonb_set(jsonb_set(document, '{record_type,relation}', '"contacts"'), '{sources,1,relation}', '"activities"'), '{sources,1,through}', '"attendances"') FROM kept), 'short names')$$, 'and so are relations without their schema');
SELECT results_eq($$SELECT * FROM (SELECT concat_ws('|', kind, item, action, note) FROM kept, lead_scoring.import_score(jsonb_set(document, '{sources,1,relation}', '"activities"'), 'elsewhere', search_path => 'public, "odd ""schema"') WHERE action NOT IN ('created', 'kept')
    UNION ALL SELECT concat_ws('|', kind, item, action, note) FROM kept, lead_scoring.import_score(jsonb_set(document, '{sources,1,relation}', '"contacts"'), 'other table') WHERE action NOT IN ('created', 'kept')) x$$,
  $$VALUES ('source|attended|differs|differs in relation; the one that is here is used')$$, 'but not other relations');
SELECT throws_ok(format('SELECT lead_scoring.import_score(%L, ''x'')', document), code, NULL, what) FROM (VALUES
  (1, NULL, '22023', 'NULL is no document'), (2, '[]', '22023', 'nor is an array'), (3, '{}', '22023', 'nor an empty object'), (4, '"text"', '22023', 'nor a text'),
  (5, '{"format": 2}', '22023', 'another format'), (6, '{"format": 1}', '22023', 'no record type'), (7, '{"format": 1, "record_type": {"name": "contact"}, "score": []}', '22023', 'a score that is an array'),
  (8, '{"format": 1, "record_type": {"name": "contact"}, "score": {}, "rules": {}}', '22023', 'rules that are an object'),
  (9, '{"format": 1, "record_type": {"name": "contact"}, "score": {}, "rules": [1]}', '22023', 'a rule that is a number'),
  (10, '{"format": 1, "record_type": {"name": "contact"}, "score": {"min_points": "a lot"}}', '22P02', 'a limit that is no number'),
  (11, '{"format": 1, "record_type": {"name": "contact"}, "score": {"max_points": 1e999}}', '22003', 'a number that is too large'),
  (12, '{"format": 1, "record_type": {"name": "new"}, "score": {}}', '22004', 'a record type that is new and has no relation'),
  (13, '{"format": 1, "record_type": {"name": "new", "relation": "pg_temp.none", "key_column": "id"}, "score": {}}', '42P01', 'or one that does not exist'),
  (14, '{"format": 1, "record_type": {"name": "contact"}, "score": {}, "groups": [{"name": "g", "kind": "fit"}], "rules": [{"name": "r", "group_name": "g", "points": 1, "criterion": "true; DROP TABLE contacts"}]}', '42601', 'a criterion that is two statements'),
  (15, '{"format": 1, "record_type": {"name": "contact"}, "score": {}, "groups": [{"name": "g", "kind": "fit"}], "rules": [{"name": "r", "group_name": "g", "points": 1, "criterion": "nonesuch = 1"}]}', '42703', 'a criterion over a column that does not exist'),
  (16, '{"format": 1, "record_type": {"name": "contact"}, "score": {}, "groups": [{"name": "g", "kind": "fit"}], "rules": [{"name": "r", "group_name": "g", "points": 1, "criterion": {"a": 1}}]}', '42601', 'a criterion that is an object'),
  (17, '{"format": 1, "record_type": {"name": "contact"}, "score": {"target": "(SELECT 1)"}}', '42602', 'a relation that is none')) v (i, document, code, what) ORDER BY i;
SELECT throws_ok(format('SELECT lead_scoring.import_score(jsonb_set(document, %L, %L), ''x'') FROM kept', place, value), '22P02', message, message) FROM (VALUES
  ('{score,min_points}', '"a lot"', 'score "x" of the document: invalid input syntax for type double precision: "a lot"'),
  ('{groups,0,decay}', '"50 per month"', (SELECT format('group "%s" of the document: invalid decay: "50 per month"', document #>> '{groups,0,name}') FROM kept)),
  ('{rules,1,points}', '"many"', (SELECT format('rule "%s" of the document: invalid input syntax for type double precision: "many"', document #>> '{rules,1,name}') FROM kept))) v (place, value, message);
SELECT is((SELECT count(*) FROM lead_scoring.score WHERE name = 'x'), 0::bigint, 'nothing is left of an import that fails');
-- Whether the score is new or there
CREATE FUNCTION pg_temp.told(document jsonb, replace boolean) RETURNS text LANGUAGE plpgsql AS $$
DECLARE advice text;
BEGIN
  PERFORM lead_scoring.import_score(document, CASE WHEN replace THEN 'whole' ELSE 'x' END, replace);
  RETURN 'imported';
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS advice = PG_EXCEPTION_HINT;
  RETURN concat_ws('|', SQLSTATE, SQLERRM, advice);
END $$;
SELECT is(pg_temp.told(jsonb_set(document, place, value), replace),
          format('%s|score "%s" of the document: %s|Each value has the type of the column of that name.', code, CASE WHEN replace THEN 'whole' ELSE 'x' END, message), format('%s %s, replace: %s', place, value, replace))
  FROM kept, (VALUES ('{score,keep_history}'::text[], '"random() > 0.5"'::jsonb, '22007', 'invalid input syntax for type interval: "random() > 0.5"'),
    ('{score,min_points}', '"as_of"', '22P02', 'invalid input syntax for type double precision: "as_of"'), ('{score,dormant_after}', '"soon"', '22007', 'invalid input syntax for type interval: "soon"'),
    ('{score,dormant_after}', '"1000000000000000 days"', '22015', 'interval field value out of range: "1000000000000000 days"')) v (place, value, code, message), unnest('{false,true}'::bool[]) replace;
SAVEPOINT as_it_was;
SELECT is(pg_temp.told(jsonb_set(document, '{score,target}', '"contacts"'), true), 'imported', 'relations of a score that is replaced are looked up under the search path, too') FROM kept;
ROLLBACK TO as_it_was;
SELECT throws_ok($$SELECT lead_scoring.import_score(document) FROM kept$$, '42710', 'score "whole" exists', 'an existing score is not replaced');
SELECT throws_ok($$SELECT lead_scoring.import_score(document, 'y', NULL) FROM kept$$, '22004', NULL, 'replace NULL');
SELECT throws_ok($$SELECT lead_scoring.import_score(document, '') FROM kept$$, '42602', NULL, 'an empty name');
SELECT throws_ok($$SELECT lead_scoring.export_score('none')$$, '42704', 'score "none" does not exist', 'export: unknown score');
SELECT throws_ok($$SELECT lead_scoring.export_score(NULL)$$, '42704', NULL, 'export: NULL');
SET LOCAL search_path = pg_catalog;
CREATE FUNCTION pg_temp.without_path() RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  PERFORM lead_scoring.import_score((SELECT document FROM pg_temp.kept), 'no path');
EXCEPTION WHEN undefined_function THEN
  PERFORM lead_scoring.import_score((SELECT document FROM pg_temp.kept), 'no path', search_path => 'public');
  RETURN 'with path';
END $$;
CREATE TEMP TABLE answers AS SELECT pg_temp.without_path() AS answer;
SET LOCAL search_path = public;
SELECT is((SELECT answer FROM answers), 'with path', 'expressions are read under the search path of who imports, or another');

-- Under other settings than its author's
SET LOCAL timezone = 'Europe/Berlin';
SET LOCAL datestyle = 'German, DMY';
CREATE SCHEMA kinds;
CREATE TYPE kinds.kind AS ENUM ('a', 'b');
SET LOCAL search_path = kinds, public;
INSERT INTO lead_scoring.score (name, record_type) VALUES ('abroad', 'contact');
INSERT INTO lead_scoring.score_group (score, name, kind) VALUES ('abroad', 'all', 'fit'), ('abroad', 'events', 'engagement');
INSERT INTO lead_scoring.rule (score, group_name, name, criterion, points, value) VALUES
  ('abroad', 'all', 'day', $$created_at >= '2026-02-01'$$, 1, NULL), ('abroad', 'all', 'german', $$created_at::date = '1.2.2026'$$, 2, NULL), ('abroad', 'all', 'plain', $$created_at > as_of - interval '30 days'$$, 4, NULL),
  ('abroad', 'all', 'kind', $$industry::kind = 'a'$$, 8, $$extract(month FROM timestamptz '1.2.2026 00:30')$$);
UPDATE lead_scoring.source SET filter = $$occurred_at > '1.2.2026'$$ WHERE name = 'attended';
UPDATE lead_scoring.source SET through_filter = $$role <> '1.2.2026'::timestamptz::text$$ WHERE name = 'attended';
INSERT INTO lead_scoring.rule (score, group_name, name, source, criterion, points) VALUES ('abroad', 'events', 'attended', 'attended', 'true', 16);
CREATE TEMP TABLE abroad AS SELECT lead_scoring.export_score('abroad') AS document;
SET LOCAL timezone = 'America/New_York';
SET LOCAL datestyle = 'ISO, MDY';
SET LOCAL intervalstyle = 'sql_standard';
SET LOCAL search_path = public;
SELECT results_eq($$SELECT r ->> 'criterion', r ->> 'value' FROM abroad, jsonb_array_elements(document -> 'rules') r ORDER BY r -> 'points'$$,
  $$VALUES ('(contacts.created_at >= ''2026-01-31 23:00:00+00''::timestamp with time zone)', NULL), ('((contacts.created_at)::date = ''2026-02-01''::date)', NULL), ('created_at > as_of - interval ''30 days''', NULL),
           ('industry::kind = ''a''', '(EXTRACT(month FROM ''2026-01-31 23:30:00+00''::timestamp with time zone))::double precision'), (NULL, NULL)$$, 'what would mean something else is written out, the rest is as it was written');
SELECT is(document, lead_scoring.export_score('abroad'), 'a document does not depend on who exports') FROM abroad;
SELECT is(lead_scoring.depends_on_reader(expression, resolved), answer, expression) FROM (VALUES
  ($$at >= '2026-01-01'$$, $$(this.at >= '2026-01-01 00:00:00+00'::timestamp with time zone)$$, false), ($$at >= '2026-01-01'$$, $$(this.at >= '2025-12-31 23:00:00+00'::timestamp with time zone)$$, true),
  ($$at >= '2026-01-01 08:00:00'$$, $$(this.at >= '2026-01-01 08:00:00+00'::timestamp with time zone)$$, false), ($$at >= '1/1/2026'$$, $$(this.at >= '2026-01-01'::date)$$, true),
  ($$x = 'it''s' AND y = 'a'::kind$$, $$((this.x = 'it''s'::text) AND (this.y = 'a'::public.kind))$$, false), ($$x::date IS NULL$$, $$((this.x)::date IS NULL)$$, false), ($$at <@ '[2026-01-01,)'::tstzrange$$, $$(this.at <@ '["2025-12-31 23:00:00+00",)'::tstzrange)$$, true), ($$t @@ 'a'::tsquery$$, $$(this.t @@ '''a'''::tsquery)$$, false)) v (expression, resolved, answer);
SELECT is_empty($$SELECT i.* FROM abroad, lead_scoring.import_score(document, 'home', search_path => 'kinds, public') i WHERE note IS NOT NULL$$, 'it is read in, and nothing differs');
SELECT set_eq($$SELECT name, criterion_resolved, value_resolved FROM lead_scoring.rule WHERE score = 'home'$$, $$SELECT name, criterion_resolved, value_resolved FROM lead_scoring.rule WHERE score = 'abroad'$$, 'and means the same');
SELECT is(pg_temp.renamed(lead_scoring.export_score('home'), 'abroad'), document, 'and has the same document') FROM abroad;
SET LOCAL timezone = 'UTC';
SET LOCAL intervalstyle = 'postgres';

-- Replacing
INSERT INTO contacts (id, industry) VALUES (1, 'Retail'), (2, 'Hospitality');
SELECT pg_temp.simple('live', 'fit');
INSERT INTO lead_scoring.rule (score, group_name, name, criterion, points) VALUES ('live', 'all', 'retail', $$industry = 'Retail'$$, 10), ('live', 'all', 'other', $$industry = 'Hospitality'$$, 1);
INSERT INTO lead_scoring.adjustment (score, record_key, points) VALUES ('live', '2', 100);
SELECT lead_scoring.activate('live');
CREATE TABLE refreshes (what text);
CREATE FUNCTION log_update() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.refreshes VALUES ('update'); RETURN NULL; END $$;
CREATE TRIGGER log AFTER UPDATE ON contacts FOR EACH STATEMENT EXECUTE FUNCTION log_update();
SELECT results_eq($$SELECT kind, item, action, note FROM lead_scoring.import_score(jsonb_set(lead_scoring.export_score('live') #- '{rules,0}', '{rules,0,points}', '20'), replace => true)$$,
  $$VALUES ('record type', 'contact', 'kept', NULL), ('score', 'live', 'replaced', NULL), ('group', 'all', 'created', NULL), ('rule', 'retail', 'created', NULL), ('score', 'live', 're-scored', 'rows written: 2')$$,
  'an active score is replaced');
SELECT results_eq($$SELECT id, live FROM contacts ORDER BY id$$, $$VALUES (1, 20::float8), (2, 100)$$, 'and re-scored, with its adjustments');
SELECT is((SELECT count(*) FROM refreshes), 1::bigint, 'once');
SELECT is_empty($$SELECT * FROM lead_scoring.verify('live')$$, 'stored = evaluated');
SELECT throws_ok($$SELECT lead_scoring.import_score(jsonb_set(lead_scoring.export_score('live'), '{rules,0,criterion}', '"nonesuch"'), replace => true)$$, '42703', NULL, 'a replacement that fails');
SELECT is((SELECT string_agg(name || points, ' ') FROM lead_scoring.rule WHERE score = 'live'), 'retail20', 'changes nothing');
SELECT throws_ok($$SELECT lead_scoring.import_score(jsonb_set(lead_scoring.export_score('live'), '{score,kind}', '"engagement"'), replace => true)$$, '55000', NULL, 'the kind of an active score cannot change');
SELECT lead_scoring.import_score(document, 'small', true) FROM kept;
SELECT set_eq($$SELECT * FROM pg_temp.everything_of('small')$$, $$SELECT * FROM pg_temp.everything_of('whole')$$, 'a draft is replaced by another definition');
SELECT lead_scoring.import_score(pg_temp.renamed(lead_scoring.export_score('small too'), 'small'), replace => true);
SELECT set_eq($$SELECT * FROM pg_temp.everything_of('small')$$, $$SELECT * FROM pg_temp.everything_of('small too')$$, 'of which nothing is left afterwards');

SELECT * FROM finish();
ROLLBACK;
