-- Where a score is used
BEGIN;
\ir include/crm.psql
SELECT plan(38);
CREATE TABLE parted (id int PRIMARY KEY, x int) PARTITION BY RANGE (id);
CREATE TABLE part_1 PARTITION OF parted FOR VALUES FROM (0) TO (100);
CREATE TABLE apart (id int PRIMARY KEY);
INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('parted', 'parted', 'id');
INSERT INTO contacts (id, industry) VALUES (1, 'Hospitality');
INSERT INTO lead_scoring.score (name, record_type, kind, target) VALUES ('My score', 'contact', 'fit', NULL), ('other', 'contact', 'fit', NULL), ('in parts', 'parted', 'fit', NULL), ('aside', 'contact', 'fit', 'apart');
INSERT INTO lead_scoring.score_group (score, name) VALUES ('My score', 'g'), ('other', 'g'), ('in parts', 'g'), ('aside', 'g');
INSERT INTO lead_scoring.rule (score, group_name, name, points) VALUES ('My score', 'g', 'r', 1), ('in parts', 'g', 'r', 1), ('aside', 'g', 'r', 1);
CREATE FUNCTION pg_temp.uses(score text, wanted text DEFAULT '%') RETURNS SETOF text LANGUAGE sql AS $$
  SELECT concat_ws('|', kind, object, column_name, detail) FROM lead_scoring.dependents($1) WHERE kind LIKE $2
$$;
SELECT is_empty($$SELECT * FROM lead_scoring.dependents('My score')$$, 'a draft that nothing uses');
SELECT lead_scoring.activate('My score'), lead_scoring.activate('in parts'), lead_scoring.activate('aside');
SELECT is_empty($$SELECT * FROM lead_scoring.dependents('My score')$$, 'an active score that nothing uses');

-- What PostgreSQL knows
CREATE VIEW hot AS SELECT id, "My score", "My score_label" AS label FROM contacts WHERE "My score" > 5;
CREATE VIEW hotter AS SELECT * FROM hot WHERE "My score" > 50;
CREATE MATERIALIZED VIEW hottest AS SELECT max("My score") AS "My score" FROM hotter;
SELECT results_eq($$SELECT pg_temp.uses('My score')$$, $$VALUES ('materialized view|public.hottest|My score|through public.hotter'), ('view|public.hot|My score'), ('view|public.hot|My score_label'), ('view|public.hotter|My score|through public.hot')$$,
  'views, and views over those');
DROP VIEW hotter CASCADE;
CREATE INDEX by_score ON contacts ("My score" DESC) WHERE "My score_label" = 'A';
CREATE INDEX by_expression ON contacts ((round("My score_fit")));
SELECT results_eq($$SELECT pg_temp.uses('My score', 'index')$$, $$VALUES ('index|public.by_expression|My score_fit'), ('index|public.by_score|My score'), ('index|public.by_score|My score_label')$$, 'indexes');
CREATE STATISTICS both_values ON "My score", industry FROM contacts;
SELECT results_eq($$SELECT pg_temp.uses('My score', 'statistics')$$, $$VALUES ('statistics|public.both_values|My score')$$, 'statistics objects');
CREATE FUNCTION standard_body() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count("My score_label") FROM contacts; END;
SELECT results_eq($$SELECT pg_temp.uses('My score', 'function')$$, $$VALUES ('function|public.standard_body()|My score_label')$$, 'functions with SQL-standard bodies');
CREATE FUNCTION react() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE TRIGGER of_column AFTER UPDATE OF "My score" ON contacts FOR EACH ROW EXECUTE FUNCTION react();
CREATE TRIGGER of_condition AFTER UPDATE ON contacts FOR EACH ROW WHEN (NEW."My score_fit" > 3) EXECUTE FUNCTION react();
SELECT results_eq($$SELECT pg_temp.uses('My score', 'trigger')$$, $$VALUES ('trigger|of_column on public.contacts|My score'), ('trigger|of_condition on public.contacts|My score_fit')$$, 'triggers');
CREATE POLICY good_ones ON contacts USING ("My score" > 4);
SELECT results_eq($$SELECT pg_temp.uses('My score', 'policy')$$, $$VALUES ('policy|good_ones on public.contacts|My score')$$, 'policies');
ALTER TABLE contacts ADD CONSTRAINT sane CHECK ("My score_engagement" < 1e6);
SELECT results_eq($$SELECT pg_temp.uses('My score', 'constraint')$$, $$VALUES ('constraint|sane on public.contacts|My score_engagement')$$, 'constraints');
ALTER TABLE contacts ADD COLUMN twice double precision GENERATED ALWAYS AS ("My score" * 2) STORED;
SELECT results_eq($$SELECT pg_temp.uses('My score', 'generated%')$$, $$VALUES ('generated column|public.contacts.twice|My score')$$, 'generated columns');
CREATE RULE tell AS ON UPDATE TO companies DO ALSO SELECT "My score" FROM contacts;
SELECT results_eq($$SELECT pg_temp.uses('My score', 'rule')$$, $$VALUES ('rule|tell on public.companies|My score')$$, 'rules of tables');
SET LOCAL client_min_messages = error; -- wal_level
SELECT CASE WHEN current_setting('server_version_num')::int >= 150000 THEN 'CREATE PUBLICATION some_columns FOR TABLE contacts (id, "My score")' ELSE 'SELECT 1' END AS publish \gset
:publish;
SELECT results_eq($$SELECT pg_temp.uses('My score', 'publication')$$, CASE WHEN current_setting('server_version_num')::int >= 150000 THEN $$VALUES ('publication|public.contacts in publication some_columns|My score')$$ ELSE $$SELECT ''::text WHERE false$$ END,
  'publications of columns');

-- Texts of functions
CREATE FUNCTION mentions() RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN RETURN (SELECT count("my SCORE") FROM contacts); END $$;
CREATE PROCEDURE mentions_label() LANGUAGE sql AS $$ UPDATE contacts SET industry = "My score_label" $$;
CREATE FUNCTION mentions_another() RETURNS int LANGUAGE sql AS $$ SELECT "xMy score" + "My scores" FROM (VALUES (1, 2)) v ("xMy score", "My scores") $$;
SELECT results_eq($$SELECT pg_temp.uses('My score', '%mentions%')$$, $$VALUES ('function (mentions)|public.mentions()|My score|text of language plpgsql'), ('procedure (mentions)|public.mentions_label()|My score_label|text of language sql')$$,
  'functions whose texts mention a column, as a word');

-- Ours
INSERT INTO lead_scoring.rule (score, group_name, name, criterion, points, value, counting) VALUES
  ('other', 'g', 'good', $$"My score" > 3$$, 1, NULL, NULL), ('other', 'g', 'much', 'true', 1, '"My score_fit"', 'each'), ('other', 'g', 'not', $$industry = 'this."My score"' OR state = '"My score"'$$, 1, NULL, NULL);
INSERT INTO lead_scoring.band (score, label, segment, lower_bound) VALUES ('other', 'x', '"My score_label" IS NULL', 1);
INSERT INTO lead_scoring.scope (score, mode, criterion) VALUES ('other', 'exclude', '"My score" IS NULL');
INSERT INTO lead_scoring.source (name, record_type, relation, record_key, record_column, filter) VALUES ('seen', 'contact', 'hot', 'id', NULL, '"My score" > 1'), ('by label', 'contact', 'companies', 'name', 'My score_label', NULL);
INSERT INTO lead_scoring.record_type (name, relation, key_column, open_when) VALUES ('person', 'contacts', 'id', '"My score" > 0');
SELECT lead_scoring.draft('My score', 'next');
INSERT INTO lead_scoring.experiment (name, score_a, score_b) VALUES ('test', 'My score', 'next');
SELECT results_eq($$SELECT concat_ws('|', kind, object, column_name, detail) FROM lead_scoring.dependents('My score') WHERE part_of = 'lead_scoring'$$,
  $$VALUES ('band|band "x" of score "other"|My score_label|segment'), ('draft|score "next"|draft_of'), ('experiment|experiment "test"|score_a'), ('record type|record type "person"|My score|open_when'),
           ('rule|rule "good" of score "other"|My score|criterion'), ('rule|rule "much" of score "other"|My score_fit|value'), ('scope|scope "exclude, "My score" IS NULL" of score "other"|My score|criterion'),
           ('source|source "by label" of record type "contact"|My score_label|record_column'), ('source|source "seen" of record type "contact"|My score|filter through public.hot')$$,
  'expressions, sources, drafts, experiments');
SELECT set_eq($$SELECT DISTINCT part_of FROM lead_scoring.dependents('My score')$$, $$VALUES ('PostgreSQL'), ('lead_scoring')$$, 'part_of says whose it is');
SELECT results_eq($$SELECT pg_temp.uses('next')$$, $$VALUES ('experiment|experiment "test"|score_b')$$, 'a draft has no columns, but may be used');
SELECT is_empty($$SELECT * FROM lead_scoring.dependents('aside')$$, 'nothing uses the other scores');
CREATE VIEW aside_view AS SELECT aside FROM apart;
SELECT results_eq($$SELECT pg_temp.uses('aside')$$, $$VALUES ('view|public.aside_view|aside')$$, 'the columns of a separate target');
CREATE VIEW of_partition AS SELECT "in parts" FROM part_1;
CREATE INDEX of_parent ON parted ("in parts_fit");
SELECT set_eq($$SELECT kind, object FROM lead_scoring.dependents('in parts')$$, $$VALUES ('view', 'public.of_partition'), ('index', 'public.of_parent'), ('index', 'public."part_1_in parts_fit_idx"')$$, 'columns of partitions');
DELETE FROM lead_scoring.experiment;
DELETE FROM lead_scoring.source WHERE name = 'by label';
SELECT throws_ok($$SELECT lead_scoring.deactivate('My score')$$, '2BP01', NULL, 'columns that are used cannot be dropped: this list says why');
SELECT throws_ok($$SELECT * FROM lead_scoring.dependents('none')$$, '42704', 'score "none" does not exist', 'unknown score');
SELECT throws_ok($$SELECT * FROM lead_scoring.dependents(NULL)$$, '42704', NULL, 'NULL');
SELECT is(lead_scoring.reads_column(resolved, name), answer, resolved) FROM (VALUES
  ($$(this.a > 1)$$, 'a', true), ($$(this.ab > 1)$$, 'a', false), ($$('this.a' = 'it''s this.a')$$, 'a', false), ($$("this.a" = f(this."A b"))$$, 'A b', true)) v (resolved, name, answer);

-- What other active scores read stays, however they read it
CREATE TABLE firms (id int PRIMARY KEY, won boolean);
CREATE TABLE people (id int PRIMARY KEY, firm_id int, x int);
INSERT INTO firms SELECT g, g % 2 = 0 FROM generate_series(1, 100) g;
INSERT INTO people SELECT g, g, g % 10 + g % 3 FROM generate_series(1, 100) g;
INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('firm', 'firms', 'id'), ('human', 'people', 'id');
INSERT INTO lead_scoring.source (name, record_type, relation, record_key) VALUES ('person', 'firm', 'people', 'firm_id'), ('filtered', 'firm', 'people', 'firm_id');
INSERT INTO lead_scoring.score (name, record_type, kind) VALUES ('h', 'human', 'fit'), ('h2', 'human', 'fit'), ('f', 'firm', 'fit');
INSERT INTO lead_scoring.score_group (score, name) VALUES ('h', 'g'), ('h2', 'g'), ('f', 'g');
INSERT INTO lead_scoring.rule (score, group_name, name, source, points) VALUES ('h', 'g', 'r', NULL, 1), ('h2', 'g', 'r', NULL, 1), ('f', 'g', 'r', NULL, 1);
SELECT lead_scoring.activate('h'), lead_scoring.activate('h2'), lead_scoring.activate('f');
CREATE FUNCTION pg_temp.off(change text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE what text;
BEGIN
  BEGIN
    EXECUTE change;
    PERFORM lead_scoring.deactivate('h');
    PERFORM FROM people WHERE id = 1;
    what := 'off';
  EXCEPTION WHEN dependent_objects_still_exist THEN
    GET STACKED DIAGNOSTICS what = PG_EXCEPTION_DETAIL;
  END;
  RAISE EXCEPTION 'undo' USING ERRCODE = 'ZZ999';
EXCEPTION WHEN SQLSTATE 'ZZ999' THEN
  RETURN what;
END $$;
SELECT is(pg_temp.off('SELECT 1'), 'off', 'nobody reads it');
SELECT is(pg_temp.off($$INSERT INTO lead_scoring.rule (score, group_name, name, source, points, value, rollup, counting) VALUES ('f', 'g', 'best', 'person', 1, 'h + h_fit', 'max', 'each')$$), 'Score "f" reads "h". Score "f" reads "h_fit".', 'a rule over related rows does');
SELECT is(pg_temp.off($$INSERT INTO lead_scoring.rule (score, group_name, name, criterion, points, enabled) VALUES ('h2', 'g', 'x', 'h > 1', 1, false)$$), 'off', 'a rule that is not enabled does not');
SELECT is(pg_temp.off($$INSERT INTO lead_scoring.scope (score, mode, criterion) VALUES ('h2', 'exclude', 'h_label IS NULL')$$), 'Score "h2" reads "h_label".', 'a scope');
SELECT is(pg_temp.off($$INSERT INTO lead_scoring.band (score, segment, label, lower_bound) VALUES ('h2', 'h > 1', 'x', 1)$$), 'Score "h2" reads "h".', 'a band for a segment');
SELECT is(pg_temp.off($$UPDATE lead_scoring.source SET filter = 'h > 1' WHERE name = 'filtered'; INSERT INTO lead_scoring.rule (score, group_name, name, source, points) VALUES ('f', 'g', 'any', 'filtered', 1)$$), 'Score "f" reads "h".', 'the filter of a source that is used');
SELECT is(pg_temp.off($$UPDATE lead_scoring.source SET filter = 'h > 1' WHERE name = 'filtered'$$), 'off', 'of one that is not');
SELECT is(pg_temp.off($$SELECT lead_scoring.draft('h2', 'h3'); INSERT INTO lead_scoring.rule (score, group_name, name, criterion, points) VALUES ('h3', 'g', 'x', 'h > 1', 1)$$), 'off', 'drafts do not keep it');
SET LOCAL client_min_messages = error;
INSERT INTO lead_scoring.model (name, record_type, outcome, algorithm) VALUES ('m', 'firm', 'won', 'scorecard');
INSERT INTO lead_scoring.feature (model, name, source, statistic, expression) VALUES ('m', 'best', 'person', 'maximum', 'h');
INSERT INTO lead_scoring.score (name, record_type, kind, model) VALUES ('p', 'firm', 'likelihood', 'm');
SELECT lead_scoring.train('m');
SELECT is(pg_temp.off('SELECT 1'), 'off', 'nor does a model alone');
SELECT lead_scoring.activate('p');
UPDATE lead_scoring.feature SET expression = 'x' WHERE model = 'm';
SELECT is(pg_temp.off('SELECT 1'), 'Score "p" reads "h".', 'but the champion of an active likelihood, whatever the model has become');
SELECT throws_ok($$SELECT lead_scoring.deactivate('h')$$, '2BP01', 'cannot deactivate score "h": other active scores read its columns', 'the error');
SELECT lead_scoring.deactivate('p');
SELECT lives_ok($$SELECT lead_scoring.deactivate('h')$$, 'as soon as that is switched off');

SELECT * FROM finish();
ROLLBACK;
