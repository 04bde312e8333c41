-- Models, features, versions and scores of kind likelihood: what is accepted, what is kept, what follows
BEGIN;
\ir include/market.psql
SELECT plan(104);

-- F85 to F88, F91: every input in one line
SELECT is((SELECT count(*) FROM lead_scoring.feature), 61::bigint, 'every input that the specification names is a feature of one line');
SELECT is_empty($$SELECT name FROM lead_scoring.feature WHERE expression IS NOT NULL AND expression_resolved IS NULL OR criterion_resolved IS NULL OR criterion_owner IS NULL OR (known_at IS NULL) <> (known_at_resolved IS NULL)$$, 'all expressions are resolved, and pinned to their owner');
SELECT is_empty($$SELECT f.name FROM lead_scoring.feature f LEFT JOIN lead_scoring.source s ON s.name = f.source WHERE f.criterion_relation IS DISTINCT FROM coalesce(s.relation, 'leads')$$, 'each to its relation');
SELECT results_eq($$SELECT name, expression_resolved FROM lead_scoring.feature WHERE name IN ('account revenue', 'account employees', 'free mail address', 'lifecycle stage', 'city', 'age in days', 'days since created', 'has a telephone', 'unique conversions', 'click-through', 'amount of purchases') ORDER BY name COLLATE "C"$$,
  $$VALUES ('account employees', '(this.employees)::double precision'), ('account revenue', '(this.annual_revenue)::double precision'), ('age in days', '(this.born_on)::timestamp with time zone'), ('amount of purchases', '(this.amount)::double precision'),
    ('city', 'this.city'), ('click-through', '(((this.type = ''clicked''::text))::integer)::double precision'), ('days since created', 'this.created_at'), ('free mail address', 'lead_scoring.is_free_email(this.email)'),
    ('has a telephone', 'COALESCE(this.phone, this.mobile)'), ('lifecycle stage', '(this.stage)::text'), ('unique conversions', 'this.form')$$, 'to what the statistic needs: numbers, texts, instants, or as it is');
SELECT is((SELECT known_at_resolved FROM lead_scoring.feature WHERE name = 'days until next activity'), 'this.booked_at', 'known_at too');

-- Every statistic over the record, related rows and events, with and without an expression: against the table written here
CREATE TABLE allowed (statistic text, record bool, related bool, events bool, expression bool, decays bool, within bool);
INSERT INTO allowed VALUES
  ('value', true, true, true, true, false, true), ('has_value', true, false, false, true, false, false), ('days_since', true, false, false, true, false, false), ('days_until', true, false, false, true, false, false),
  ('count', false, true, true, false, true, true), ('has_any', false, true, true, false, false, true), ('sum', false, true, true, true, true, true), ('average', false, true, true, true, false, true),
  ('minimum', false, true, true, true, false, true), ('maximum', false, true, true, true, false, true), ('distinct', false, true, true, true, false, true),
  ('days_since_newest', false, false, true, false, false, true), ('days_since_oldest', false, false, true, false, false, true), ('days_until_next', false, false, true, false, false, false);
CREATE FUNCTION pg_temp.try(statistic text, source text, expression text, decay lead_scoring.decay, age interval) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO lead_scoring.feature (model, name, source, statistic, expression, decay, "within", known_at)
       VALUES ('closing', 'tried', source, statistic, expression, decay, age, CASE statistic WHEN 'days_until_next' THEN 'as_of' END);
  DELETE FROM lead_scoring.feature WHERE name = 'tried';
  RETURN '00000';
EXCEPTION WHEN OTHERS THEN
  RETURN SQLSTATE;
END $$;
SELECT is_empty($$
  SELECT a.statistic, s.source, x.expression, d.decay, w.age, pg_temp.try(a.statistic, s.source, x.expression, d.decay, w.age)
    FROM allowed a CROSS JOIN (VALUES (NULL), ('account'), ('order')) s (source)
   CROSS JOIN LATERAL (VALUES (NULL), (CASE WHEN a.statistic LIKE 'days_%' THEN 'as_of' ELSE '1' END)) x (expression)
   CROSS JOIN (VALUES (NULL), ('half-life 7 days'::lead_scoring.decay)) d (decay) CROSS JOIN (VALUES (NULL), (interval '30 days')) w (age)
   WHERE pg_temp.try(a.statistic, s.source, x.expression, d.decay, w.age)
         <> CASE WHEN CASE WHEN s.source IS NULL THEN a.record WHEN s.source = 'account' THEN a.related ELSE a.events END
                      AND a.expression = (x.expression IS NOT NULL) AND (d.decay IS NULL OR a.decays AND s.source = 'order') AND (w.age IS NULL OR a.within AND s.source = 'order')
                 THEN '00000' ELSE '22023' END$$, 'each statistic takes what it needs, and refuses all else (336 cases)');

-- Types of expressions
CREATE TABLE typed (statistic text, expression text, code text);
INSERT INTO typed VALUES
  ('value', 'id', '00000'), ('value', 'phone', '00000'), ('value', 'stage', '00000'), ('value', 'email IS NULL', '00000'), ('value', '''x''', '00000'), ('value', 'phone::varchar(3)', '00000'), ('value', '''a''::char(3)', '00000'), ('value', 'NULL', '00000'),
  ('value', 'created_at', '42804'), ('value', 'born_on', '42804'), ('value', 'note', '42804'), ('value', 'place', '42804'), ('value', 'ARRAY[1]', '42804'), ('value', 'created_at - updated_at', '42804'), ('value', 'leads', '42804'),
  ('has_value', 'note', '00000'), ('has_value', 'place', '00000'), ('has_value', 'created_at', '00000'), ('has_value', 'leads', '00000'),
  ('days_since', 'created_at', '00000'), ('days_since', 'born_on', '00000'), ('days_since', 'created_at::timestamp', '00000'), ('days_since', '''2026-01-01''', '00000'), ('days_until', 'as_of', '00000'), ('days_until', 'id', '42804'), ('days_since', 'phone', '42804'), ('days_since', 'as_of - created_at', '42804'),
  ('days_since', '''soon''', '22007');
SELECT is(pg_temp.try(statistic, NULL, expression, NULL, NULL), code, format('%s of %s', statistic, expression)) FROM typed;
SELECT is(pg_temp.try(statistic, 'order', expression, NULL, NULL), code, format('%s of %s over rows', statistic, expression)) FROM (VALUES
  (1, 'sum', 'amount', '00000'), (2, 'sum', '''1.5''', '00000'), (3, 'sum', 'at', '42804'), (4, 'average', 'rating > 1', '42804'), (5, 'maximum', 'at::date', '42804'),
  (6, 'distinct', 'amount', '00000'), (7, 'distinct', 'at', '00000'), (8, 'distinct', 'ARRAY[rating]', '00000'), (9, 'distinct', '''{}''::json', '42804'), (10, 'distinct', '''(1,1)''::point', '42804'), (11, 'value', 'at', '42804')) v (i, statistic, expression, code) ORDER BY i;

-- Models: defaults, expressions of every kind
SELECT is(to_jsonb(m) - '{name,record_type,outcome,outcome_resolved,observed_from,observed_from_resolved,criterion_owner}'::text[], '{"horizon": "90 days", "snapshot_at": null, "snapshot_every": "30 days", "snapshots": 12, "customer_when": null, "closed_at": null, "fold": null,
  "algorithm": "auto", "parameters": {}, "segment": null, "min_converted": 25, "min_unconverted": 25, "folds": 5, "seed": 1, "retrain_every": "15 days", "publish_at_least": 0.95, "replace_after": "90 days", "keep_versions": 10, "description": null,
  "snapshot_at_resolved": null, "customer_when_resolved": null, "closed_at_resolved": null, "fold_resolved": null, "segment_resolved": null, "criterion_relation": "leads"}', 'defaults') FROM lead_scoring.model m;
SELECT lives_ok($$INSERT INTO lead_scoring.model VALUES ('whole', 'lead', 'closed_on', NULL, 'created_at', NULL, NULL, 'created_at::timestamp', $x$stage = 'customer'$x$, 'closed_on', 'round', NULL,
  '{"bins": 5, "l2": 0.5, "min_category": 1, "trees": 10, "depth": 3, "learning_rate": 0.3, "subsample": 1, "colsample": 0.5, "min_child_weight": 1e3, "lambda": 0, "threads": 2, "margin": 0.01}', 'stage', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'it''s "all" of it')$$,
  'a model with everything; NULL stands for the default');
SELECT is((SELECT concat_ws('|', outcome_resolved, snapshot_at_resolved, observed_from_resolved, customer_when_resolved, closed_at_resolved, fold_resolved, segment_resolved) FROM lead_scoring.model WHERE name = 'whole'),
  '(this.closed_on)::timestamp with time zone|this.created_at|((this.created_at)::timestamp without time zone)::timestamp with time zone|(this.stage = ''customer''::market.stage)|(this.closed_on)::timestamp with time zone|(this.round)::bigint|(this.stage)::text', 'its expressions, each made what it must be');
SELECT is((SELECT (horizon, snapshot_every, snapshots, algorithm, min_converted, min_unconverted, folds, seed, retrain_every, publish_at_least, replace_after, keep_versions)::text FROM lead_scoring.model WHERE name = 'whole'),
  '("90 days","30 days",12,auto,25,25,5,1,,0.95,,)', 'never and for ever stay NULL');
SELECT lives_ok($$INSERT INTO lead_scoring.model (name, record_type, outcome, customer_when, algorithm, parameters) VALUES ('finished', 'lead', $x$CASE WHEN lost_at IS NOT NULL THEN false ELSE became_customer_at IS NOT NULL OR NULL END$x$, 'as_of > became_customer_at', 'boosted_trees', '{"trees": 1}')$$, 'an outcome of finished cases; as_of');
SELECT is((SELECT customer_when_resolved FROM lead_scoring.model WHERE name = 'finished'), '($1 > this.became_customer_at)', 'as_of in an expression');

-- Versions
CREATE FUNCTION pg_temp.train(model text, auc float8, body text DEFAULT '{}') RETURNS int LANGUAGE sql AS $$
  INSERT INTO lead_scoring.model_version (model, algorithm, as_of, samples, converted, auc, body, trained_at, definition, readiness, status, published_at)
       VALUES ($1, 'scorecard', now(), 100, 40, $2, $3, clock_timestamp(), '{"forged": true}', 'forged', NULL, now()) RETURNING version
$$;
CREATE FUNCTION pg_temp.states(model text) RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(version || ' ' || status || ' ' || (published_at IS NOT NULL)::int || (retired_at IS NOT NULL)::int, ', ' ORDER BY version) FROM lead_scoring.model_version v WHERE v.model = $1
$$;
SELECT is(ARRAY[pg_temp.train('closing', 0.7), pg_temp.train('closing', 0.6999), pg_temp.train('closing', NULL), pg_temp.train('whole', 0.5)], '{1,2,3,1}', 'versions are numbered by model');
SELECT is(pg_temp.states('closing'), '1 challenger 00, 2 challenger 00, 3 challenger 00', 'and begin as challengers');
SELECT is((SELECT string_agg(readiness, ', ' ORDER BY version) FROM lead_scoring.model_version WHERE model = 'closing'), 'ready, fair, not ready', 'readiness by AUC');
SELECT is(ARRAY(SELECT lead_scoring.readiness(a) FROM unnest('{0, 0.5999, 0.6, 0.6999, 0.7, 1, NULL, NaN}'::float8[]) WITH ORDINALITY u (a, i) ORDER BY i), '{not ready,not ready,fair,fair,ready,ready,not ready,not ready}', 'its bounds');
SELECT is((SELECT definition FROM lead_scoring.model_version WHERE model = 'closing' AND version = 1), lead_scoring.model_definition('closing'), 'a version keeps the definition that it was trained by, not what somebody says');
SELECT is((SELECT count(*) FROM lead_scoring.model_version v, jsonb_array_elements(v.definition -> 'features') f, lead_scoring.feature g
            WHERE v.model = 'closing' AND v.version = 1 AND g.name = f ->> 'name' AND to_jsonb(g) - 'model' || jsonb_build_object('criterion_relation', 'market.' || g.criterion_relation) = f), 61::bigint, 'every feature is in it, whole');
SELECT is((SELECT count(*) FROM lead_scoring.model_version v, jsonb_populate_recordset(NULL::lead_scoring.feature, v.definition -> 'features') f JOIN lead_scoring.feature g USING (name)
            WHERE v.model = 'closing' AND v.version = 1 AND (f.source, f.statistic, f.expression_resolved, f.criterion_resolved, f.within, f.known_at_resolved, f.criterion_owner, f.decay::text) IS NOT DISTINCT FROM (g.source, g.statistic, g.expression_resolved, g.criterion_resolved, g.within, g.known_at_resolved, g.criterion_owner, g.decay::text)), 61::bigint, 'and can be read as rows of feature');
SELECT throws_ok($$SELECT lead_scoring.publish('closing')$$, '42809', '"closing" is a model, not a draft of a score', 'a model is published by version');
SELECT is(lead_scoring.publish('closing', 2), 0::bigint, 'published');
SELECT is(lead_scoring.publish('closing', 2), 0::bigint, 'and again');
SELECT is(pg_temp.states('closing'), '1 challenger 00, 2 champion 10, 3 challenger 00', 'it is the champion');
SELECT is(lead_scoring.publish('closing', 3), 0::bigint, 'another');
SELECT is(pg_temp.states('closing'), '1 challenger 00, 2 retired 11, 3 champion 10', 'takes its place');
SELECT is(lead_scoring.publish('closing', 2), 0::bigint, 'back again');
SELECT is(pg_temp.states('closing'), '1 challenger 00, 2 champion 10, 3 retired 11', 'the former is champion once more');
INSERT INTO lead_scoring.model_importance (model, version, feature, importance) SELECT 'closing', v, f, v * length(f) FROM generate_series(1, 3) v, unnest('{visits,notes}'::text[]) f;
SELECT results_eq($$SELECT version, status, readiness, record_type, conversion_rate, scores, body FROM lead_scoring.model_versions WHERE model = 'closing' ORDER BY version$$,
  $$VALUES (1, 'challenger', 'ready', 'lead', 0.4::float8, NULL, '{}'), (2, 'champion', 'fair', 'lead', 0.4, NULL, '{}'), (3, 'retired', 'not ready', 'lead', 0.4, NULL, '{}')$$, 'the view of versions');

-- Editing
SELECT lives_ok($$UPDATE lead_scoring.feature SET expression = 'rating', criterion = 'amount > 10' WHERE model = 'closing' AND name = 'amount of purchases'; UPDATE lead_scoring.model SET outcome = 'closed_on', horizon = '30 days' WHERE name = 'closing'; DELETE FROM lead_scoring.feature WHERE name = 'visits'$$, 'a model that has versions can be edited');
SELECT is((SELECT definition -> 'model' ->> 'outcome' || jsonb_array_length(definition -> 'features') FROM lead_scoring.model_version WHERE model = 'closing' AND version = 2), 'became_customer_at61', 'versions stay as they were trained');
SELECT lives_ok($$SET LOCAL search_path = pg_catalog; UPDATE lead_scoring.model SET name = 'renamed' WHERE name = 'closing'; SET LOCAL search_path = market, public$$, 'a model is renamed, under another search path');
SELECT is((SELECT concat_ws(' ', (SELECT count(*) FROM lead_scoring.feature WHERE model = 'renamed'), (SELECT count(*) FROM lead_scoring.model_version WHERE model = 'renamed'), (SELECT count(*) FROM lead_scoring.model_importance WHERE model = 'renamed'))), '60 3 6', 'features, versions and importances follow it');
SELECT lives_ok($$UPDATE lead_scoring.feature SET statistic = 'distinct' WHERE model = 'renamed' AND name = 'amount of purchases'$$, 'another statistic');
SELECT is((SELECT expression_resolved FROM lead_scoring.feature WHERE model = 'renamed' AND name = 'amount of purchases'), 'this.rating', 'has its expression resolved anew');
UPDATE lead_scoring.model SET name = 'closing', keep_versions = 1 WHERE name = 'renamed';
SELECT is(lead_scoring.prune_versions('closing'), 1::bigint, 'old versions are pruned');
SELECT is(pg_temp.states('closing') || (SELECT count(*) FROM lead_scoring.model_importance), '2 champion 10, 3 retired 114', 'the champion stays, and what was champion last; importances go with their version');
SELECT is(lead_scoring.prune_versions('whole'), 0::bigint, 'none where all are kept');

-- Scores of kind likelihood
SELECT lives_ok($$INSERT INTO lead_scoring.score (name, record_type, kind, model) VALUES ('likelihood', 'lead', 'likelihood', 'closing')$$, 'a score of kind likelihood');
SELECT lives_ok($$INSERT INTO lead_scoring.band (score, label, lower_bound) VALUES ('likelihood', 'Hot', 75), ('likelihood', 'Cold', NULL)$$, 'has bands');
SELECT lives_ok($$INSERT INTO lead_scoring.scope (score, mode, source, criterion) VALUES ('likelihood', 'exclude', 'action', $x$type = 'unsubscribed'$x$)$$, 'and scopes');
SELECT lives_ok($$INSERT INTO lead_scoring.alert (score, name, above) VALUES ('likelihood', 'hot', 75)$$, 'and alerts');
SELECT is((SELECT string_agg(DISTINCT scores, ' ') FROM lead_scoring.model_versions WHERE model = 'closing'), 'likelihood', 'the versions of its model say so');
SELECT throws_ok($$SELECT lead_scoring.activate('likelihood')$$, '22P02', NULL, 'it cannot be activated with a body that is no model');
SELECT throws_ok($$SELECT * FROM lead_scoring.evaluate('likelihood')$$, '22P02', NULL, 'nor evaluated');
SELECT lives_ok($$SELECT lead_scoring.draft('likelihood', 'next')$$, 'it is drafted');
SELECT is((SELECT model || kind FROM lead_scoring.score WHERE name = 'next'), 'closinglikelihood', 'with its model');
UPDATE lead_scoring.score SET model = 'finished' WHERE name = 'next';
SELECT is(lead_scoring.publish('next'), 0::bigint, 'the draft is published');
SELECT is((SELECT model FROM lead_scoring.score WHERE name = 'likelihood'), 'finished', 'with its model');
UPDATE lead_scoring.score SET model = 'closing' WHERE name = 'likelihood';
SELECT lives_ok($$UPDATE lead_scoring.model SET name = 'renamed' WHERE name = 'closing'$$, 'a model in use is renamed');
SELECT is((SELECT model FROM lead_scoring.score WHERE name = 'likelihood'), 'renamed', 'its scores follow it');
UPDATE lead_scoring.model SET name = 'closing' WHERE name = 'renamed';

-- Documents
CREATE TEMP TABLE kept AS SELECT lead_scoring.export_score('likelihood') AS document;
SELECT is((SELECT (document -> 'score')::text || jsonb_array_length(document -> 'features') || jsonb_array_length(document -> 'sources') || (document -> 'model')::text FROM kept),
  '{"kind": "likelihood", "name": "likelihood", "model": "closing"}6012{"name": "closing", "horizon": "30 days", "outcome": "closed_on", "keep_versions": 1, "observed_from": "created_at"}', 'the document of a likelihood has its model and its features');
SELECT is_empty($$SELECT kind, item, action, note FROM kept, lead_scoring.import_score(document, 'copy') WHERE action NOT IN ('created', 'kept')$$, 'it is read in without remarks');
SELECT results_eq($$SELECT kind, item, action, note FROM lead_scoring.import_score((SELECT document #- '{features,3}' FROM kept), 'copy 2') WHERE kind = 'model'$$, $$VALUES ('model', 'closing', 'differs', 'differs in its features; the one that is here is used')$$, 'a model that differs is reported');
SELECT is((SELECT action FROM lead_scoring.import_score((SELECT jsonb_set(document, '{features}', jsonb_path_query_array(document, '$.features[1 to 59]') || (document #> '{features,0}')) FROM kept), 'copy 5') WHERE kind = 'model'), 'kept', 'features in another order are the same');
SELECT is((SELECT action FROM lead_scoring.import_score((SELECT jsonb_set(document, '{features}', (SELECT jsonb_agg('{"statistic": "value", "criterion": "true", "within": null, "enabled": true}' || f) FROM jsonb_array_elements(document -> 'features') f)) FROM kept), 'copy 6') WHERE kind = 'model'), 'kept', 'and so are those with their defaults');
SELECT is((SELECT string_agg(action, ' ') FROM unnest(ARRAY['{"criterion": "false"}', '{"within": "7 days"}', '{"enabled": false}', '{"name": "other"}', '{"within": "not long"}']::jsonb[]) WITH ORDINALITY u (change, i),
  LATERAL (SELECT document || jsonb_build_object('features', jsonb_set(document -> 'features', '{2}', (document #> '{features,2}') || change)) FROM kept) d (document), LATERAL lead_scoring.import_score(document, 'changed ' || i) r WHERE r.kind = 'model'), 'differs differs differs differs differs', 'others differ');
SELECT is((SELECT action FROM lead_scoring.import_score((SELECT jsonb_set(document, '{features}', (document -> 'features') || (document #> '{features,0}')) FROM kept), 'copy 7') WHERE kind = 'model'), 'differs', 'one more, too');
SELECT results_eq($$SELECT kind, item, action, note FROM lead_scoring.import_score((SELECT jsonb_set(document, '{model,folds}', '7') FROM kept), 'copy 3') WHERE kind = 'model'$$, $$VALUES ('model', 'closing', 'differs', 'differs in folds; the one that is here is used')$$, 'and in what');
SELECT results_eq($$SELECT item FROM lead_scoring.import_score((SELECT jsonb_set(document, '{model,resolved}', '7') FROM kept), 'copy 4') WHERE action = 'skipped'$$, $$VALUES ('model.resolved')$$, 'unknown keys of a model are reported');
CREATE TEMP TABLE features_before AS SELECT to_jsonb(f) AS f FROM lead_scoring.feature f;
CREATE TEMP TABLE model_before AS SELECT to_jsonb(m) AS m FROM lead_scoring.model m WHERE name = 'closing';
DELETE FROM lead_scoring.score;
DELETE FROM lead_scoring.model WHERE name = 'closing';
SELECT is((SELECT (SELECT count(*) FROM lead_scoring.feature) + (SELECT count(*) FROM lead_scoring.model_importance) + (SELECT count(*) FROM lead_scoring.model_version WHERE model = 'closing')), 0::bigint, 'a deleted model takes all along');
SELECT results_eq($$SELECT kind, action, count(*) FROM kept, lead_scoring.import_score(document) WHERE kind IN ('model', 'feature', 'score') GROUP BY 1, 2 ORDER BY 1$$, $$VALUES ('feature', 'created', 60::bigint), ('model', 'created', 1), ('score', 'created', 1)$$, 'a document brings its model along');
SELECT set_eq($$SELECT to_jsonb(f) FROM lead_scoring.feature f$$, $$SELECT f FROM features_before$$, 'features are the same again');
SELECT is((SELECT to_jsonb(m) FROM lead_scoring.model m WHERE name = 'closing'), (SELECT m FROM model_before), 'and so is the model');
SELECT is(lead_scoring.export_score('likelihood'), document, 'and the document') FROM kept;

-- Who uses what
INSERT INTO lead_scoring.score (name, record_type, kind) VALUES ('other', 'lead', 'fit');
INSERT INTO lead_scoring.score_group (score, name) VALUES ('other', 'g');
INSERT INTO lead_scoring.rule (score, group_name, name, points) VALUES ('other', 'g', 'r', 1);
SELECT lead_scoring.activate('other');
INSERT INTO lead_scoring.feature (model, name, expression) VALUES ('closing', 'by rules', 'other');
UPDATE lead_scoring.model SET segment = 'other_label' WHERE name = 'closing';
SELECT results_eq($$SELECT kind, object, column_name, detail FROM lead_scoring.dependents('other') WHERE part_of = 'lead_scoring'$$,
  $$VALUES ('feature', 'feature "by rules" of model "closing"', 'other', 'expression'), ('model', 'model "closing"', 'other_label', 'segment')$$, 'dependents names features and models that read the columns of a score');

SELECT * FROM finish();
ROLLBACK;
