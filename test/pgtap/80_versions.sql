-- Drafts, comparison, publishing, experiments
BEGIN;
\ir include/crm.psql
\ir include/whole_definition.psql
SELECT plan(86);

-- Nothing is left out of a definition
SELECT set_eq($$SELECT attrelid::regclass::text, attname::text FROM pg_attribute JOIN pg_class c ON c.oid = attrelid
                 WHERE relnamespace = 'lead_scoring'::regnamespace AND relname IN ('record_type', 'source', 'score', 'score_group', 'segment_decay', 'rule', 'event_factor', 'scope', 'band', 'alert')
                   AND attnum > 0 AND NOT attisdropped AND attname <> ALL (lead_scoring.written_columns(relname))$$,
  $$SELECT 'lead_scoring.' || c.t, c.a FROM (VALUES ('record_type', 'open_when_resolved'), ('record_type', 'relation_owner'),
      ('source', 'filter_resolved'), ('source', 'dedup_key_resolved'), ('source', 'through_filter_resolved'), ('source', 'relation_owner'), ('source', 'through_owner'),
      ('score', 'status'), ('score', 'draft_of'), ('scope', 'scope_id'), ('rule', 'value_resolved'), ('rule', 'followed_by_resolved')) c (t, a)
    UNION ALL SELECT 'lead_scoring.' || t, a FROM unnest('{segment_decay,band}'::text[]) t, unnest('{segment_resolved,criterion_relation,criterion_owner}'::text[]) a
    UNION ALL SELECT 'lead_scoring.' || t, a FROM unnest('{rule,event_factor,scope}'::text[]) t, unnest('{criterion_resolved,criterion_relation,criterion_owner}'::text[]) a$$,
  'columns of definitions that are not copied are those that the extension sets');
SELECT set_eq($$SELECT c.relname::text FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid WHERE c.relnamespace = 'lead_scoring'::regnamespace AND c.relkind = 'r' AND a.attname = 'score'$$,
  $$SELECT part::text FROM lead_scoring.definition_parts() UNION ALL VALUES ('adjustment'), ('engagement_reset'), ('history_default'), ('outbox'), ('announced'), ('alerted'), ('due'), ('queue'), ('parked'), ('score_state'), ('unsettled')$$, 'a table with a column "score" holds parts of definitions, facts, or what became of them');
SELECT is_empty($$SELECT p.part, c FROM lead_scoring.definition_parts() p CROSS JOIN LATERAL unnest(lead_scoring.written_columns(p.part)) c
                   WHERE c NOT IN ('score') AND NOT EXISTS (SELECT FROM pg_temp.everything_of('whole') e WHERE e.part = p.part::text AND e.item::jsonb -> c::text <> 'null')$$,
  'the definition of these tests uses every column');

-- Drafts
SELECT lives_ok($$SELECT lead_scoring.draft('whole', 'copy')$$, 'a draft of a definition that uses everything');
SELECT set_eq($$SELECT * FROM pg_temp.everything_of('copy')$$, $$SELECT * FROM pg_temp.everything_of('whole')$$, 'is equal to it in every column of every part');
SELECT set_eq($$SELECT * FROM pg_temp.everything_of('copy', '{adjustment,engagement_reset}')$$, $$SELECT * FROM pg_temp.everything_of('whole', '{adjustment,engagement_reset}')$$, 'and has the same facts');
SELECT results_eq($$SELECT status, draft_of FROM lead_scoring.score WHERE name = 'copy'$$, $$VALUES ('draft', 'whole')$$, 'it says what it is a draft of');
SELECT is((SELECT count(*) FROM pg_temp.everything_of('whole')), (SELECT 1 + 3 + 2 + 8 + 2 + 2 + 6 + 3)::bigint, 'all of this was compared');
SAVEPOINT quoting;
INSERT INTO lead_scoring.rule (score, group_name, name, criterion, points) VALUES ('whole', 'profile', 'backslash', $$industry = 'a\b' AND "state" ~ 'a\\b'$$, 1);
SET LOCAL quote_all_identifiers = on;
SELECT lives_ok($$SELECT lead_scoring.draft('whole', 'quoted')$$, 'a draft with all names quoted');
SET LOCAL standard_conforming_strings = off;
SET LOCAL client_min_messages = error;
SELECT lead_scoring.draft('whole', 'escaped');
SELECT is(current_setting('standard_conforming_strings'), 'off', 'the setting of the session stays');
SET LOCAL standard_conforming_strings = on;
SELECT set_eq($$SELECT name, criterion_resolved FROM lead_scoring.rule WHERE score = 'escaped'$$, $$SELECT name, criterion_resolved FROM lead_scoring.rule WHERE score = 'whole'$$, 'a draft where backslashes escape');
ROLLBACK TO quoting;
SET LOCAL search_path = pg_catalog;
SET LOCAL timezone = 'Asia/Tokyo';
SET LOCAL intervalstyle = sql_standard;
SET LOCAL extra_float_digits = -10;
SELECT lead_scoring.draft('whole', 'far');
SET LOCAL extra_float_digits = 1;
SET LOCAL intervalstyle = postgres;
SET LOCAL timezone = 'UTC';
SET LOCAL search_path = public;
SELECT set_eq($$SELECT part, (item::jsonb - '{criterion,segment,value,followed_by}'::text[])::text FROM pg_temp.everything_of('far')$$,
  $$SELECT part, (item::jsonb - '{criterion,segment,value,followed_by}'::text[])::text FROM pg_temp.everything_of('whole')$$, 'under another search path and time zone it means the same');
SELECT results_eq($$SELECT name, criterion FROM lead_scoring.rule WHERE score = 'far' AND name IN ('big', 'listed') ORDER BY name$$,
  $$VALUES ('big', 'public.is_big(contacts.employees)'), ('listed', $x$list IN ('a', 'this.$1')$x$)$$, 'a name that is not found there is written out, other texts stay');
SELECT set_eq($$SELECT segment FROM lead_scoring.segment_decay WHERE score = 'far'$$, $$VALUES ('public.is_big(contacts.employees)'), ($x$industry = 'Manufacturing'$x$)$$, 'also in a segment');
UPDATE lead_scoring.rule SET criterion = $$created_at > '2026-01-01' AND state = 'it''s $1 "this.x"' AND created_at < as_of$$ WHERE score = 'whole' AND name = 'big';
SET LOCAL timezone = 'Asia/Tokyo';
SELECT lead_scoring.draft('whole', 'tokyo');
SET LOCAL timezone = 'UTC';
SELECT is((SELECT criterion_resolved FROM lead_scoring.rule WHERE score = 'tokyo' AND name = 'big'), (SELECT criterion_resolved FROM lead_scoring.rule WHERE score = 'whole' AND name = 'big'),
  'a constant means the instant that it meant to the author');
SELECT is((SELECT criterion FROM lead_scoring.rule WHERE score = 'tokyo' AND name = 'big'),
  $$((contacts.created_at > '2026-01-01 00:00:00+00'::timestamp with time zone) AND (contacts.state = 'it''s $1 "this.x"'::text) AND (contacts.created_at < as_of))$$, 'which its text then says');
SELECT is(lead_scoring.spelled_out($$f(this."a ""b'") || 'this.' || athis.b || this.c || '$1' || ($1)::text || $12 || "this.$1"$$, 'My t'),
  $$f("My t"."a ""b'") || 'this.' || athis.b || "My t".c || '$1' || (as_of)::text || $12 || "this.$1"$$, 'spelling out passes literals and names over');
SELECT throws_ok($$SELECT lead_scoring.draft('whole', 'copy')$$, '42710', 'score "copy" exists', 'the name of a draft must be free');
SELECT throws_ok($$SELECT lead_scoring.draft('none', 'x')$$, '42704', 'score "none" does not exist', 'no draft of a score that does not exist');
SELECT throws_ok($$SELECT lead_scoring.draft(NULL, 'x')$$, '22004', NULL, 'draft: score NULL');
SELECT throws_ok($$SELECT lead_scoring.draft('whole', NULL)$$, '22004', NULL, 'draft: name NULL');
SELECT throws_ok($$SELECT lead_scoring.draft('whole', '')$$, '42602', NULL, 'draft: name empty');
SELECT throws_ok($$SELECT lead_scoring.draft('whole', 'x', NULL)$$, '22004', NULL, 'draft: search path NULL');

-- Comparison
INSERT INTO contacts (id, industry, state, employees) VALUES (1, 'Hospitality', 'x', 10), (2, 'Retail', 'x', 500), (3, 'Retail', 'y', NULL), (4, NULL, NULL, NULL);
SELECT pg_temp.simple('live', 'fit');
INSERT INTO lead_scoring.rule (score, group_name, name, criterion, points) VALUES ('live', 'all', 'retail', $$industry = 'Retail'$$, 10), ('live', 'all', 'big', 'is_big(employees)', 5);
INSERT INTO lead_scoring.band (score, label, lower_bound) VALUES ('live', 'High', 12), ('live', 'Low', NULL);
INSERT INTO lead_scoring.scope (score, mode, criterion) VALUES ('live', 'exclude', 'id = 4');
INSERT INTO lead_scoring.adjustment (score, record_key, points) VALUES ('live', '1', 1);
SELECT lead_scoring.activate('live');
SELECT lead_scoring.draft('live', 'next');
SELECT results_eq($$SELECT * FROM lead_scoring.compare('live', 'next') ORDER BY record_key$$,
  $$VALUES ('1', 1::float8, 1::float8, 0::float8, 'Low', 'Low', false), ('2', 15, 15, 0, 'High', 'High', false), ('3', 10, 10, 0, 'Low', 'Low', false), ('4', NULL, NULL, NULL, NULL, NULL, false)$$,
  'a fresh draft scores as its original, adjustments included');
UPDATE lead_scoring.rule SET points = 12.3 WHERE score = 'next' AND name = 'retail';
DELETE FROM lead_scoring.scope WHERE score = 'next';
SELECT results_eq($$SELECT * FROM lead_scoring.compare('live', 'next') ORDER BY record_key$$,
  $$VALUES ('1', 1::float8, 1::float8, 0::float8, 'Low', 'Low', false), ('2', 15, 17.3, 2.3, 'High', 'High', false), ('3', 10, 12.3, 2.3, 'Low', 'High', true), ('4', NULL, 0, NULL, NULL, 'Low', true)$$,
  'edited, it differs');
SELECT results_eq($$SELECT record_key, total_b FROM lead_scoring.compare('live', 'next', keys => '{3}')$$, $$VALUES ('3', 12.3::float8)$$, 'of some records only');
SELECT results_eq($$SELECT id, live FROM contacts ORDER BY id$$, $$VALUES (1, 1::float8), (2, 15), (3, 10), (4, NULL)$$, 'nothing is written');
INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('company', 'companies', 'id');
INSERT INTO lead_scoring.score (name, record_type) VALUES ('firm', 'company');
SELECT throws_ok($$SELECT * FROM lead_scoring.compare('live', 'firm')$$, '22023', NULL, 'not of two record types');
SELECT throws_ok($$SELECT * FROM lead_scoring.compare('live', 'none')$$, '42704', 'score "none" does not exist', 'nor with a score that does not exist');
SELECT throws_ok($$SELECT * FROM lead_scoring.compare(NULL, 'live')$$, '42704', NULL, 'nor with NULL');
SELECT throws_ok($$SELECT * FROM lead_scoring.compare('live', 'next', NULL)$$, '22004', NULL, 'nor at NULL');

-- Publishing
CREATE TABLE refreshes (at int GENERATED ALWAYS AS IDENTITY, what text);
CREATE FUNCTION log_update() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.refreshes (what) SELECT 'update'; RETURN NULL; END $$;
CREATE TRIGGER log AFTER UPDATE ON contacts FOR EACH STATEMENT EXECUTE FUNCTION log_update();
INSERT INTO lead_scoring.adjustment (score, record_key, points) VALUES ('live', '3', -1), ('next', '3', 50);
TRUNCATE refreshes;
SELECT lead_scoring.draft('next', 'after');
SET LOCAL search_path = pg_catalog;
CREATE TEMP TABLE published AS SELECT lead_scoring.publish('next') AS written;
SET LOCAL search_path = public;
SELECT is((SELECT written FROM published), 3::bigint, 'publishing writes the rows that change, whatever the search path');
SELECT results_eq($$SELECT id, live, live_label FROM contacts ORDER BY id$$, $$VALUES (1, 1::float8, 'Low'), (2, 17.3, 'High'), (3, 11.3, 'Low'), (4, 0, 'Low')$$,
  'the score is what the draft was, with its own adjustments');
SELECT is((SELECT count(*) FROM refreshes), 1::bigint, 'it was re-scored once');
SELECT is_empty($$SELECT * FROM lead_scoring.verify('live')$$, 'stored = evaluated');
SELECT is_empty($$SELECT 'score' FROM lead_scoring.score WHERE name = 'next' UNION ALL SELECT 'rule' FROM lead_scoring.rule WHERE score = 'next' UNION ALL SELECT 'adjustment' FROM lead_scoring.adjustment WHERE score = 'next'$$,
  'the draft is gone');
SELECT is((SELECT draft_of FROM lead_scoring.score WHERE name = 'after'), 'live', 'a draft of the draft is now one of the score');
SELECT results_eq($$SELECT name, criterion, criterion_resolved FROM lead_scoring.rule WHERE score = 'live' ORDER BY name$$,
  $$VALUES ('big', 'is_big(employees)', 'public.is_big(this.employees)'), ('retail', $x$industry = 'Retail'$x$, $x$(this.industry = 'Retail'::text)$x$)$$, 'expressions are as they were written');
UPDATE lead_scoring.score SET min_points = -7, description = 'limits too' WHERE name = 'after';
SELECT is(lead_scoring.publish('after'), 0::bigint, 'publishing what changes no value writes no row');
SELECT results_eq($$SELECT status, min_points, description FROM lead_scoring.score WHERE name = 'live'$$, $$VALUES ('active', -7::float8, 'limits too')$$, 'but replaces the score''s own columns');
SELECT is(lead_scoring.publish('far'), 0::bigint, 'a score that is not active can be replaced, too');
SELECT lead_scoring.publish('copy');
SELECT set_eq($$SELECT part, (item::jsonb - 'criterion_resolved' - 'criterion')::text FROM pg_temp.everything_of('whole')$$, $$SELECT part, (item::jsonb - 'criterion_resolved' - 'criterion')::text FROM pg_temp.everything_of('tokyo')$$,
  'everything is published');
SELECT throws_ok($$SELECT lead_scoring.publish('live')$$, '55000', 'score "live" is not a draft of another score', 'not what is no draft');
SELECT throws_ok($$SELECT lead_scoring.publish('none')$$, '42704', NULL, 'nor what does not exist');
SELECT throws_ok($$SELECT lead_scoring.publish(NULL)$$, '42704', NULL, 'nor NULL');
SELECT lead_scoring.draft('live', 'bare');
CREATE TEMP TABLE rules_of_live AS SELECT count(*) FROM lead_scoring.rule WHERE score = 'live';
UPDATE lead_scoring.rule SET enabled = false WHERE score = 'bare';
SELECT throws_ok($$SELECT lead_scoring.publish('bare')$$, '55000', 'score "bare" has no enabled rules to replace those of score "live"', 'nor a draft whose rules are all disabled');
DELETE FROM lead_scoring.rule WHERE score = 'bare';
SELECT throws_ok($$SELECT lead_scoring.publish('bare')$$, '55000', NULL, 'nor one without any');
SELECT is((SELECT count(*) FROM lead_scoring.rule WHERE score = 'live'), (SELECT count FROM rules_of_live), 'the score keeps its rules');
DELETE FROM lead_scoring.score WHERE name = 'bare';
SELECT lead_scoring.draft('live', 'changed');
SELECT lead_scoring.activate('changed');
SELECT throws_ok($$SELECT lead_scoring.publish('changed')$$, '55000', 'score "changed" is active', 'nor a draft that is itself switched on');
SELECT lead_scoring.deactivate('changed');
UPDATE lead_scoring.score SET target = 'scores' WHERE name = 'changed';
SELECT throws_ok($$SELECT lead_scoring.publish('changed')$$, '55000', NULL, 'an active score does not change its target');
SELECT is((SELECT count(*) FROM lead_scoring.rule WHERE score = 'live'), 2::bigint, 'a publication that fails changes nothing');
UPDATE lead_scoring.score SET target = NULL WHERE name = 'changed';

-- Experiments
INSERT INTO lead_scoring.experiment (name, score_a, score_b) VALUES ('test', 'live', 'changed');
SELECT results_eq($$SELECT share, salt FROM lead_scoring.experiment WHERE name = 'test'$$, $$VALUES (0.5::float8, 'test')$$, 'an experiment has a share of a half and its name for salt');
SELECT results_eq($$SELECT md5('test/1'), lead_scoring.variant('test', '1'), lead_scoring.variant('test', '2'), lead_scoring.variant('test', '3'), lead_scoring.variant('test', 'ä')$$,
  $$VALUES ('b0111fb7e79e29994e595b820e1ce691', 'a', 'b', 'a', 'a')$$, 'variants do not change');
SELECT is(lead_scoring.variant('test', k), CASE WHEN ('x' || left(md5('test/' || k), 13))::bit(52)::bigint / 4503599627370496.0 < 0.5 THEN 'b' ELSE 'a' END, 'by the formula: ' || k)
  FROM (VALUES ('1'), ('record 77'), ('')) v (k);
SELECT ok(abs(count(*) FILTER (WHERE lead_scoring.variant_of('s', k::text, 0.3) = 'b') - 3000) < 150, 'the share is that of the records') FROM generate_series(1, 10000) k;
SELECT is_empty($$SELECT k FROM generate_series(1, 2000) k WHERE lead_scoring.variant_of('s', k::text, 0.3) = 'b' AND lead_scoring.variant_of('s', k::text, 0.4) = 'a'$$, 'a larger share moves records from a to b only');
SELECT is_empty($$SELECT k FROM generate_series(1, 2000) k WHERE lead_scoring.variant_of('s', k::text, 0) = 'b' OR lead_scoring.variant_of('s', k::text, 1) = 'a'$$, 'shares 0 and 1 are nobody and everybody');
UPDATE lead_scoring.rule SET points = 20 WHERE score = 'changed' AND name = 'retail';
SELECT results_eq($$SELECT * FROM lead_scoring.experiment_values('test') ORDER BY record_key$$,
  $$VALUES ('1', 'a', 1::float8, 'Low', 1::float8, 1::float8, 'Low', 'Low'), ('2', 'b', 25, 'High', 17.3, 25, 'High', 'High'), ('3', 'a', 11.3, 'Low', 11.3, 19, 'Low', 'High'), ('4', 'a', 0, 'Low', 0, 0, 'Low', 'Low')$$,
  'each record has the value of its variant, beside both');
SELECT results_eq($$SELECT record_key, total FROM lead_scoring.experiment_values('test', now(), '{2}')$$, $$VALUES ('2', 25::float8)$$, 'of some records only');
SELECT throws_ok(statement, code, NULL, what) FROM (VALUES
  (1, $$INSERT INTO lead_scoring.experiment (name, score_a, score_b) VALUES ('x', 'live', 'none')$$, '42704', 'an experiment needs scores that exist'),
  (2, $$INSERT INTO lead_scoring.experiment (name, score_a, score_b) VALUES ('x', 'live', 'firm')$$, '22023', 'of one record type'),
  (3, $$INSERT INTO lead_scoring.experiment (name, score_a, score_b) VALUES ('x', 'live', 'live')$$, '22023', 'that are two'),
  (4, $$INSERT INTO lead_scoring.experiment (name, score_a, score_b) VALUES ('', 'live', 'changed')$$, '42602', 'a name'),
  (5, $$INSERT INTO lead_scoring.experiment (name, score_a, score_b, share) VALUES ('x', 'live', 'changed', 1.5)$$, '22003', 'a share'),
  (6, $$INSERT INTO lead_scoring.experiment (name, score_a, score_b, share) VALUES ('x', 'live', 'changed', 'NaN')$$, '22003', 'that is a number'),
  (7, $$INSERT INTO lead_scoring.experiment (name, score_a) VALUES ('x', 'live')$$, '42704', 'both scores'),
  (8, $$DELETE FROM lead_scoring.score WHERE name = 'changed'$$, '2BP01', 'a score of an experiment cannot be deleted'),
  (9, $$SELECT lead_scoring.publish('changed')$$, '2BP01', 'nor published'),
  (10, $$SELECT lead_scoring.variant('none', '1')$$, '42704', 'variant: unknown experiment'),
  (11, $$SELECT lead_scoring.variant(NULL, '1')$$, '42704', 'variant: NULL'),
  (12, $$SELECT * FROM lead_scoring.experiment_values('none')$$, '42704', 'experiment_values: unknown experiment')) v (i, statement, code, what) ORDER BY i;
SELECT is(lead_scoring.variant('test', NULL), NULL, 'NULL belongs to no variant');
UPDATE lead_scoring.score SET name = 'renamed' WHERE name = 'changed';
SELECT results_eq($$SELECT score_a, score_b, salt FROM lead_scoring.experiment WHERE name = 'test'$$, $$VALUES ('live', 'renamed', 'test')$$, 'an experiment follows its scores to new names');
UPDATE lead_scoring.experiment SET name = 'other', share = NULL, salt = NULL;
SELECT results_eq($$SELECT name, share, salt FROM lead_scoring.experiment$$, $$VALUES ('other', 0.5::float8, 'other')$$, 'NULL means the defaults');
DELETE FROM lead_scoring.experiment;
SELECT lives_ok($$DELETE FROM lead_scoring.score WHERE name = 'renamed'$$, 'afterwards scores can be deleted');

-- Only owners of the records
CREATE ROLE ls_test_versions_other;
GRANT USAGE ON SCHEMA public TO ls_test_versions_other;
GRANT SELECT ON contacts, activities TO ls_test_versions_other;
SELECT lead_scoring.draft('live', 'theirs');
SET LOCAL ROLE ls_test_versions_other;
SELECT throws_ok(statement, '42501', NULL, 'others cannot ' || what) FROM (VALUES
  (1, 'draft', $$SELECT lead_scoring.draft('live', 'mine')$$), (2, 'publish', $$SELECT lead_scoring.publish('theirs')$$),
  (3, 'make experiments', $$INSERT INTO lead_scoring.experiment (name, score_a, score_b) VALUES ('mine', 'live', 'theirs')$$),
  (4, 'call trigger functions', $$SELECT lead_scoring.check_experiment()$$)) v (i, what, statement) ORDER BY i;
SELECT lives_ok($$SELECT * FROM lead_scoring.compare('live', 'theirs')$$, 'who reads the records may compare');
RESET ROLE;
INSERT INTO lead_scoring.experiment (name, score_a, score_b) VALUES ('owned', 'live', 'theirs');
SET LOCAL ROLE ls_test_versions_other;
SELECT throws_ok($$UPDATE lead_scoring.experiment SET share = 1$$, '42501', NULL, 'others cannot change experiments');
SELECT throws_ok($$DELETE FROM lead_scoring.experiment$$, '42501', NULL, 'nor delete them');
RESET ROLE;

-- What somebody has put first on the search path is not run, and does not change what a score means
CREATE SCHEMA hostile;
CREATE FUNCTION hostile.never(text, text) RETURNS bool LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RAISE 'hostile' USING ERRCODE = 'H0571'; END $$;
CREATE FUNCTION hostile.never(text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RAISE 'hostile' USING ERRCODE = 'H0571'; END $$;
CREATE OPERATOR hostile.= (LEFTARG = text, RIGHTARG = text, FUNCTION = hostile.never);
CREATE OPERATOR hostile.<> (LEFTARG = text, RIGHTARG = text, FUNCTION = hostile.never);
ALTER FUNCTION hostile.never(text) RENAME TO quote_ident;
CREATE FUNCTION hostile.to_jsonb(text) RETURNS text LANGUAGE sql AS $$ SELECT hostile.quote_ident('') $$;
CREATE TABLE hostile.rule (score text);
SET LOCAL search_path = hostile, public, pg_catalog;
CREATE TEMP TABLE hostile_answers AS
  SELECT lead_scoring.draft('live', 'hostile')::text AS draft,
         (SELECT count(*) FROM lead_scoring.import_score(lead_scoring.export_score('live'), 'hostile import', search_path => 'pg_catalog, public')) AS imported,
         (SELECT count(*) FROM lead_scoring.import_hubspot_score('{"groupConfigs": [{"groupName": "g", "ruleConfigurations": [{"configuration": {"calculation": {"type": "MATCH", "property": "industry", "matchRules":
            [{"operation": {"operationType": "STRING", "operator": "IS_NOT_EQUAL_TO", "value": "x"}, "value": 1}]}}}]}]}', 'hostile hubspot', 'contact')) AS hubspot,
         (SELECT count(*) FROM lead_scoring.experiment_values('owned')) AS experiment, (SELECT count(*) FROM lead_scoring.dependents('live')) AS dependents;
CREATE TEMP TABLE hostile_published AS SELECT lead_scoring.publish('hostile') AS written;
SET LOCAL search_path = public;
SELECT results_eq($$SELECT draft, imported, hubspot, experiment, dependents, written FROM hostile_answers, hostile_published$$, $$VALUES ('', 7::bigint, 3::bigint, 4::bigint, 2::bigint, 0::bigint)$$, 'nothing hostile is run');
SELECT is_empty($$SELECT score, criterion_resolved FROM lead_scoring.rule WHERE criterion_resolved LIKE '%hostile%'$$, 'nor meant');

SELECT * FROM finish();
ROLLBACK;
