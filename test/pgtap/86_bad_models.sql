-- Bad models, features and versions: each is refused with the error's own SQLSTATE, and nothing is half done
BEGIN;
\ir include/market.psql

CREATE FUNCTION market.changing(bigint) RETURNS boolean LANGUAGE plpgsql VOLATILE AS 'BEGIN RETURN true; END';
INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('account', 'market.accounts', 'id');
INSERT INTO lead_scoring.model (name, record_type, outcome, algorithm) VALUES ('empty', 'lead', 'became_customer_at', 'scorecard'), ('free', 'lead', 'became_customer_at', 'boosted_trees'), ('of accounts', 'account', 'id > 1', 'auto');
INSERT INTO lead_scoring.model_version (model, algorithm, as_of, samples, converted, auc, body) SELECT m, 'scorecard', now(), 100, 40, 0.8, '{}' FROM unnest('{closing,closing,empty}'::text[]) m;
INSERT INTO lead_scoring.model_importance (model, version, feature, importance) VALUES ('closing', 1, 'visits', 1);
SELECT lead_scoring.publish('closing', 1);
INSERT INTO lead_scoring.score (name, record_type, kind, model) VALUES ('likelihood', 'lead', 'likelihood', 'closing');
INSERT INTO lead_scoring.band (score, label, lower_bound) VALUES ('likelihood', 'A', 10);
INSERT INTO lead_scoring.score (name, record_type, kind) VALUES ('points', 'lead', 'combined'), ('adjusted', 'lead', 'fit'), ('reset', 'lead', 'fit'), ('alerting', 'lead', 'fit'), ('banded', 'lead', 'fit');
INSERT INTO lead_scoring.score_group (score, name, kind) VALUES ('points', 'g', 'fit');
INSERT INTO lead_scoring.adjustment (score, record_key, points) VALUES ('adjusted', '1', 1);
INSERT INTO lead_scoring.engagement_reset (score, record_key) VALUES ('reset', '1');
INSERT INTO lead_scoring.alert (score, name, part, above) VALUES ('alerting', 'a', 'fit', 1);
INSERT INTO lead_scoring.band (score, part, label, lower_bound) VALUES ('banded', 'fit', 'A', 1);

-- One line each: what, SQLSTATE, statement
CREATE TABLE bad (i int GENERATED ALWAYS AS IDENTITY, what text, code text, statement text);
CREATE FUNCTION pg_temp.model(assignments text) RETURNS text LANGUAGE sql AS $$ SELECT format('UPDATE lead_scoring.model SET %s WHERE name = ''empty''', $1) $$;
CREATE FUNCTION pg_temp.feature(columns text, "values" text) RETURNS text LANGUAGE sql AS $$ SELECT format('INSERT INTO lead_scoring.feature (model, name, %s) VALUES (''empty'', ''x'', %s)', $1, $2) $$;
CREATE FUNCTION pg_temp.version(columns text, "values" text) RETURNS text LANGUAGE sql AS $$ SELECT format('INSERT INTO lead_scoring.model_version (model, algorithm, as_of, samples, converted, body, %s) VALUES (''empty'', ''scorecard'', now(), 10, 5, ''{}'', %s)', $1, $2) $$;

INSERT INTO bad (what, code, statement) VALUES
  ('model: name taken', '23505', $$INSERT INTO lead_scoring.model (name, record_type, outcome) VALUES ('empty', 'lead', 'lost_at')$$),
  ('model: no name', '42602', $$INSERT INTO lead_scoring.model (record_type, outcome) VALUES ('lead', 'lost_at')$$),
  ('model: empty name', '42602', $$INSERT INTO lead_scoring.model (name, record_type, outcome) VALUES ('', 'lead', 'lost_at')$$),
  ('model: unknown record type', '42704', $$INSERT INTO lead_scoring.model (name, record_type, outcome) VALUES ('x', 'nope', 'lost_at')$$),
  ('model: no record type', '42704', $$INSERT INTO lead_scoring.model (name, outcome) VALUES ('x', 'lost_at')$$),
  ('model: no outcome', '22004', $$INSERT INTO lead_scoring.model (name, record_type) VALUES ('x', 'lead')$$),
  ('model: outcome of another type', '42804', pg_temp.model($$outcome = 'id'$$)),
  ('model: outcome that is a text', '42804', pg_temp.model($$outcome = 'email'$$)),
  ('model: outcome that is a literal', '42804', pg_temp.model($$outcome = '''2026-01-01'''$$)),
  ('model: outcome that is NULL', '42804', pg_temp.model($$outcome = 'NULL'$$)),
  ('model: outcome over an unknown column', '42703', pg_temp.model($$outcome = 'nope'$$)),
  ('model: outcome with a syntax error', '42601', pg_temp.model($$outcome = 'lost_at IS'$$)),
  ('model: outcome that is two expressions', '42601', pg_temp.model($$outcome = 'lost_at, closed_on'$$)),
  ('model: outcome of several rows', '42803', pg_temp.model($$outcome = 'max(lost_at)'$$)),
  ('model: outcome by a subquery', '0A000', pg_temp.model($$outcome = '(SELECT max(at) FROM market.orders)'$$)),
  ('model: outcome by a volatile function', '42P17', pg_temp.model($$outcome = 'clock_timestamp()'$$)),
  ('model: snapshot_at that is a number', '42804', pg_temp.model($$snapshot_at = 'id'$$)),
  ('model: snapshot_at that is a condition', '42804', pg_temp.model($$snapshot_at = 'lost_at IS NULL'$$)),
  ('model: snapshot_at by a volatile function', '42P17', pg_temp.model($$snapshot_at = 'clock_timestamp()'$$)),
  ('model: observed_from that is a text', '42804', pg_temp.model($$observed_from = 'email'$$)),
  ('model: observed_from by a subquery', '0A000', pg_temp.model($$observed_from = '(SELECT now())'$$)),
  ('model: customer_when that is an instant', '42804', pg_temp.model($$customer_when = 'became_customer_at'$$)),
  ('model: closed_at that is an interval', '42804', pg_temp.model($$closed_at = 'as_of - created_at'$$)),
  ('model: fold that is not whole', '42804', pg_temp.model($$fold = 'id / 2.0'$$)),
  ('model: fold that is a text', '42804', pg_temp.model($$fold = 'city'$$)),
  ('model: segment that is a number', '42804', pg_temp.model($$segment = 'round'$$)),
  ('model: segment that is an array', '42804', pg_temp.model($$segment = 'ARRAY[city]'$$)),
  ('model: segment over several rows', '42P20', pg_temp.model($$segment = 'first_value(city) OVER ()'$$)),
  ('model: horizon of zero', '22023', pg_temp.model($$horizon = '0'$$)),
  ('model: negative horizon', '22023', pg_temp.model($$horizon = '-1 day'$$)),
  ('model: endless horizon', '22015', pg_temp.model($$horizon = '300000 years'$$)),
  ('model: negative snapshot_every', '22023', pg_temp.model($$snapshot_every = '-1 day'$$)),
  ('model: retrain_every of zero', '22023', pg_temp.model($$retrain_every = '0'$$)),
  ('model: negative replace_after', '22023', pg_temp.model($$replace_after = '-1 day'$$)),
  ('model: no snapshots', '22003', pg_temp.model($$snapshots = 0$$)),
  ('model: too many snapshots', '22003', pg_temp.model($$snapshots = 1001$$)),
  ('model: one fold', '22003', pg_temp.model($$folds = 1$$)),
  ('model: too many folds', '22003', pg_temp.model($$folds = 101$$)),
  ('model: min_converted of zero', '22003', pg_temp.model($$min_converted = 0$$)),
  ('model: negative min_unconverted', '22003', pg_temp.model($$min_unconverted = -1$$)),
  ('model: publish_at_least NaN', '22003', pg_temp.model($$publish_at_least = 'NaN'$$)),
  ('model: publish_at_least infinite', '22003', pg_temp.model($$publish_at_least = 'infinity'$$)),
  ('model: negative publish_at_least', '22003', pg_temp.model($$publish_at_least = -0.1$$)),
  ('model: negative keep_versions', '22003', pg_temp.model($$keep_versions = -1$$)),
  ('model: unknown algorithm', '22023', pg_temp.model($$algorithm = 'naive_bayes'$$)),
  ('model: parameters that are an array', '22023', pg_temp.model($$parameters = '[]'$$)),
  ('model: parameters that are null', '22023', pg_temp.model($$parameters = 'null'$$)),
  ('model: unknown parameter', '22023', pg_temp.model($$parameters = '{"bns": 10}'$$)),
  ('model: parameter of the other algorithm', '22023', pg_temp.model($$parameters = '{"trees": 10}'$$)),
  ('model: parameter of the other algorithm, the other way round', '22023', $$UPDATE lead_scoring.model SET parameters = '{"bins": 10}' WHERE name = 'free'$$),
  ('model: another algorithm without these parameters', '22023', $$UPDATE lead_scoring.model SET parameters = '{"depth": 3}', algorithm = 'scorecard' WHERE name = 'free'$$),
  ('model: parameter that is a text', '22023', pg_temp.model($$parameters = '{"bins": "10"}'$$)),
  ('model: parameter that is null', '22023', pg_temp.model($$parameters = '{"bins": null}'$$)),
  ('model: parameter that is an object', '22023', pg_temp.model($$parameters = '{"bins": {}}'$$)),
  ('model: one bin', '22003', pg_temp.model($$parameters = '{"bins": 1}'$$)),
  ('model: half a bin', '22003', pg_temp.model($$parameters = '{"bins": 10.5}'$$)),
  ('model: negative l2', '22003', pg_temp.model($$parameters = '{"l2": -1}'$$)),
  ('model: no l2', '22003', pg_temp.model($$parameters = '{"l2": 0}'$$)),
  ('model: huge l2', '22003', pg_temp.model($$parameters = '{"l2": 1e300}'$$)),
  ('model: min_category of zero', '22003', pg_temp.model($$parameters = '{"min_category": 0}'$$)),
  ('model: margin above 0.5', '22003', pg_temp.model($$parameters = '{"margin": 0.6}'$$)),
  ('model: record type while it has features', '55000', $$INSERT INTO lead_scoring.feature (model, name, expression) VALUES ('free', 'x', 'id'); UPDATE lead_scoring.model SET record_type = 'account', outcome = 'id > 1' WHERE name = 'free'$$),
  ('model: record type while a score uses it', '2BP01', $$UPDATE lead_scoring.model SET record_type = 'account', outcome = 'id > 1', observed_from = NULL WHERE name = 'closing'$$),
  ('model: record type while it has versions', '55000', pg_temp.model($$record_type = 'account', outcome = 'id > 1'$$)),
  ('model: deleted while used', '2BP01', $$DELETE FROM lead_scoring.model WHERE name = 'closing'$$),
  ('model: the record type is used', '2BP01', $$DELETE FROM lead_scoring.score; DELETE FROM lead_scoring.record_type WHERE name = 'account'$$),
  ('model: the record type is renamed', '2BP01', $$UPDATE lead_scoring.record_type SET name = 'x' WHERE name = 'account'$$);
INSERT INTO bad (what, code, statement)
SELECT format('model: %s %s', name, v), '22003', format('UPDATE lead_scoring.model SET parameters = %L WHERE name = %L', jsonb_build_object(name, v), CASE algorithm WHEN 'boosted_trees' THEN 'free' ELSE 'empty' END)
  FROM lead_scoring.model_parameters() p CROSS JOIN LATERAL (VALUES (p.lowest - 0.0001), (p.highest + 0.0001), (-1e30), (1e30)) b (v);

INSERT INTO bad (what, code, statement) VALUES
  ('feature: unknown model', '42704', $$INSERT INTO lead_scoring.feature (model, name, expression) VALUES ('nope', 'x', 'id')$$),
  ('feature: no model', '42704', $$INSERT INTO lead_scoring.feature (name, expression) VALUES ('x', 'id')$$),
  ('feature: no name', '42602', $$INSERT INTO lead_scoring.feature (model, expression) VALUES ('empty', 'id')$$),
  ('feature: name taken', '23505', $$INSERT INTO lead_scoring.feature (model, name, expression) VALUES ('closing', 'city', 'city')$$),
  ('feature: unknown source', '42704', pg_temp.feature('source, statistic', $$'nope', 'count'$$)),
  ('feature: source of another record type', '42704', $$INSERT INTO lead_scoring.feature (model, name, source, statistic) VALUES ('of accounts', 'x', 'visit', 'count')$$),
  ('feature: unknown statistic', '22023', pg_temp.feature('source, statistic', $$'visit', 'median'$$)),
  ('feature: count without a source', '22023', pg_temp.feature('statistic', $$'count'$$)),
  ('feature: days_since_newest without a source', '22023', pg_temp.feature('statistic', $$'days_since_newest'$$)),
  ('feature: days_since over rows', '22023', pg_temp.feature('source, statistic, expression', $$'visit', 'days_since', 'at'$$)),
  ('feature: has_value over rows', '22023', pg_temp.feature('source, statistic, expression', $$'account', 'has_value', 'industry'$$)),
  ('feature: days_since_newest of related rows', '22023', pg_temp.feature('source, statistic', $$'account', 'days_since_newest'$$)),
  ('feature: days_until_next of related rows', '22023', pg_temp.feature('source, statistic, known_at', $$'account', 'days_until_next', 'as_of'$$)),
  ('feature: value without an expression', '22023', pg_temp.feature('statistic', $$'value'$$)),
  ('feature: sum without an expression', '22023', pg_temp.feature('source, statistic', $$'order', 'sum'$$)),
  ('feature: count with an expression', '22023', pg_temp.feature('source, statistic, expression', $$'visit', 'count', 'pages'$$)),
  ('feature: criterion without a source', '22023', pg_temp.feature('expression, criterion', $$'id', 'id > 1'$$)),
  ('feature: within of the record', '22023', pg_temp.feature('expression, within', $$'id', '1 day'$$)),
  ('feature: within of related rows', '22023', pg_temp.feature('source, statistic, within', $$'account', 'count', '1 day'$$)),
  ('feature: within of zero', '22023', pg_temp.feature('source, statistic, within', $$'visit', 'count', '0'$$)),
  ('feature: negative within', '22023', pg_temp.feature('source, statistic, within', $$'visit', 'count', '-1 day'$$)),
  ('feature: endless within', '22015', pg_temp.feature('source, statistic, within', $$'visit', 'count', '300000 years'$$)),
  ('feature: within that looks ahead', '22023', pg_temp.feature('source, statistic, known_at, within', $$'meeting', 'days_until_next', 'booked_at', '1 day'$$)),
  ('feature: bad decay', '22P02', pg_temp.feature('source, statistic, decay', $$'visit', 'count', 'soon'$$)),
  ('feature: decay of an average', '22023', pg_temp.feature('source, statistic, expression, decay', $$'visit', 'average', 'pages', 'half-life 7 days'$$)),
  ('feature: decay of related rows', '22023', pg_temp.feature('source, statistic, decay', $$'account', 'count', 'half-life 7 days'$$)),
  ('feature: decay of the record', '22023', pg_temp.feature('expression, decay', $$'id', 'half-life 7 days'$$)),
  ('feature: days_until_next without known_at', '22023', pg_temp.feature('source, statistic', $$'meeting', 'days_until_next'$$)),
  ('feature: known_at of a count', '22023', pg_temp.feature('source, statistic, known_at', $$'meeting', 'count', 'booked_at'$$)),
  ('feature: known_at that is a number', '42804', pg_temp.feature('source, statistic, known_at', $$'meeting', 'days_until_next', 'lead_id'$$)),
  ('feature: known_at over an unknown column', '42703', pg_temp.feature('source, statistic, known_at', $$'meeting', 'days_until_next', 'nope'$$)),
  ('feature: value of an instant', '42804', pg_temp.feature('expression', $$'created_at'$$)),
  ('feature: value of a json', '42804', pg_temp.feature('expression', $$'note'$$)),
  ('feature: sum of texts', '42804', pg_temp.feature('source, statistic, expression', $$'visit', 'sum', 'network'$$)),
  ('feature: distinct points', '42804', pg_temp.feature('source, statistic, expression', $$'visit', 'distinct', 'point(pages, pages)'$$)),
  ('feature: days since a number', '42804', pg_temp.feature('statistic, expression', $$'days_since', 'id'$$)),
  ('feature: column of another relation', '42703', pg_temp.feature('source, statistic, expression', $$'visit', 'sum', 'amount'$$)),
  ('feature: column of the record over rows', '42703', pg_temp.feature('source, statistic, criterion', $$'visit', 'count', 'created_at < as_of'$$)),
  ('feature: criterion that is no condition', '42804', pg_temp.feature('source, statistic, criterion', $$'visit', 'count', 'pages'$$)),
  ('feature: criterion with a subquery', '0A000', pg_temp.feature('source, statistic, criterion', $$'visit', 'count', 'EXISTS (SELECT FROM market.leads)'$$)),
  ('feature: criterion with an aggregate', '42803', pg_temp.feature('source, statistic, criterion', $$'visit', 'count', 'count(*) > 1'$$)),
  ('feature: criterion by a volatile function', '42P17', pg_temp.feature('source, statistic, criterion', $$'visit', 'count', 'market.changing(lead_id)'$$)),
  ('feature: expression by a volatile function', '42P17', pg_temp.feature('expression', $$'market.changing(id)'$$)),
  ('feature: expression with a subquery', '0A000', pg_temp.feature('expression', $$'(SELECT count(*) FROM market.orders)'$$)),
  ('feature: expression with a window function', '42P20', pg_temp.feature('expression', $$'row_number() OVER ()'$$)),
  ('feature: expression of several rows', '0A000', pg_temp.feature('expression', $$'generate_series(1, 3)'$$)),
  ('feature: two statements', '42601', pg_temp.feature('expression', $$'id; DROP TABLE market.leads'$$)),
  ('feature: a statistic that no longer fits', '22023', $$UPDATE lead_scoring.feature SET statistic = 'sum' WHERE model = 'closing' AND name = 'visits'$$),
  ('feature: a statistic that no longer fits the type', '42804', $$UPDATE lead_scoring.feature SET statistic = 'average' WHERE model = 'closing' AND name = 'lifecycle stage'$$),
  ('feature: a source that no longer fits', '42703', $$UPDATE lead_scoring.feature SET source = 'visit' WHERE model = 'closing' AND name = 'amount of purchases'$$),
  ('feature: moved to another model of the same name', '23505', $$INSERT INTO lead_scoring.feature (model, name, expression) VALUES ('empty', 'city', 'city'); UPDATE lead_scoring.feature SET model = 'empty' WHERE model = 'closing' AND name = 'city'$$),
  ('source: deleted while features use it', '2BP01', $$DELETE FROM lead_scoring.source WHERE name = 'visit'$$),
  ('source: renamed while features use it', '2BP01', $$UPDATE lead_scoring.source SET name = 'x' WHERE name = 'visit'$$),
  ('source: deleted while the champion uses it', '2BP01', $$DELETE FROM lead_scoring.feature WHERE source = 'note'; DELETE FROM lead_scoring.source WHERE name = 'note'$$),
  ('source: loses the time that features need', '55000', $$UPDATE lead_scoring.source SET occurred_at = NULL WHERE name = 'booking'$$),
  ('source: loses the time that windows need', '55000', $$DELETE FROM lead_scoring.feature WHERE name IN ('days since purchase', 'days since the first'); UPDATE lead_scoring.source SET occurred_at = NULL WHERE name = 'order'$$);

INSERT INTO bad (what, code, statement) VALUES
  ('version: unknown model', '42704', $$INSERT INTO lead_scoring.model_version (model, algorithm, as_of, samples, converted, body) VALUES ('nope', 'scorecard', now(), 1, 1, '{}')$$),
  ('version: no body', '22004', $$INSERT INTO lead_scoring.model_version (model, algorithm, as_of, samples, converted) VALUES ('empty', 'scorecard', now(), 1, 1)$$),
  ('version: unknown algorithm', '23514', $$INSERT INTO lead_scoring.model_version (model, algorithm, as_of, samples, converted, body) VALUES ('empty', 'auto', now(), 1, 1, '{}')$$),
  ('version: more converted than there are', '23514', $$INSERT INTO lead_scoring.model_version (model, algorithm, as_of, samples, converted, body) VALUES ('empty', 'scorecard', now(), 1, 2, '{}')$$),
  ('version: number taken', '23505', pg_temp.version('version', '1')),
  ('version: number 0', '23514', pg_temp.version('version', '0')),
  ('version: champion from the start', '55000', pg_temp.version('status', $$'champion'$$)),
  ('version: retired from the start', '55000', pg_temp.version('status', $$'retired'$$)),
  ('version: AUC NaN', '23514', pg_temp.version('auc', $$'NaN'$$)),
  ('version: AUC above 1', '23514', pg_temp.version('auc', '1.1')),
  ('version: negative brier', '23514', pg_temp.version('brier', '-0.1')),
  ('version: infinite log_loss', '23514', pg_temp.version('log_loss', $$'infinity'$$)),
  ('version: precision above 1', '23514', pg_temp.version('"precision"', '2')),
  ('version: threshold NaN', '23514', pg_temp.version('threshold', $$'NaN'$$)),
  ('version: champion by hand', '55000', $$UPDATE lead_scoring.model_version SET status = 'champion' WHERE model = 'closing' AND version = 2$$),
  ('version: the champion retired by hand', '55000', $$UPDATE lead_scoring.model_version SET status = 'retired' WHERE model = 'closing' AND version = 1$$),
  ('version: published_at by hand', '55000', $$UPDATE lead_scoring.model_version SET published_at = NULL WHERE model = 'closing' AND version = 1$$),
  ('version: another body', '55000', $$UPDATE lead_scoring.model_version SET body = '[]' WHERE model = 'closing'$$),
  ('version: a better AUC', '55000', $$UPDATE lead_scoring.model_version SET auc = 0.99 WHERE model = 'closing'$$),
  ('version: another number', '55000', $$UPDATE lead_scoring.model_version SET version = 7 WHERE model = 'closing' AND version = 2$$),
  ('version: another model', '55000', $$UPDATE lead_scoring.model_version SET model = 'free' WHERE model = 'closing' AND version = 2$$),
  ('version: the champion deleted', '55000', $$DELETE FROM lead_scoring.model_version WHERE model = 'closing'$$),
  ('publish: unknown model', '42704', $$SELECT lead_scoring.publish('nope', 1)$$),
  ('publish: unknown version', '42704', $$SELECT lead_scoring.publish('closing', 9)$$),
  ('publish: no versions', '42704', $$SELECT lead_scoring.publish('free', 1)$$),
  ('publish: no model', '22004', $$SELECT lead_scoring.publish(NULL, 1)$$),
  ('publish: no version', '22004', $$SELECT lead_scoring.publish('closing', NULL)$$),
  ('prune_versions: unknown model', '42704', $$SELECT lead_scoring.prune_versions('nope')$$),
  ('prune_versions: NULL', '42704', $$SELECT lead_scoring.prune_versions(NULL)$$),
  ('importance: unknown version', '42704', $$INSERT INTO lead_scoring.model_importance (model, version, feature, importance) VALUES ('closing', 9, 'x', 1)$$),
  ('importance: negative', '23514', $$INSERT INTO lead_scoring.model_importance (model, version, feature, importance) VALUES ('closing', 1, 'x', -1)$$),
  ('importance: NaN', '23514', $$UPDATE lead_scoring.model_importance SET importance = 'NaN'$$);

INSERT INTO bad (what, code, statement) VALUES
  ('score: likelihood without a model', '22004', $$INSERT INTO lead_scoring.score (name, record_type, kind) VALUES ('x', 'lead', 'likelihood')$$),
  ('score: unknown model', '42704', $$INSERT INTO lead_scoring.score (name, record_type, kind, model) VALUES ('x', 'lead', 'likelihood', 'nope')$$),
  ('score: model of another record type', '22023', $$INSERT INTO lead_scoring.score (name, record_type, kind, model) VALUES ('x', 'lead', 'likelihood', 'of accounts')$$),
  ('score: fit with a model', '22023', $$INSERT INTO lead_scoring.score (name, record_type, kind, model) VALUES ('x', 'lead', 'fit', 'closing')$$),
  ('score: combined with a model', '22023', $$INSERT INTO lead_scoring.score (name, record_type, model) VALUES ('x', 'lead', 'closing')$$),
  ('score: likelihood with limits', '22023', $$INSERT INTO lead_scoring.score (name, record_type, kind, model, max_points) VALUES ('x', 'lead', 'likelihood', 'closing', 100)$$),
  ('score: likelihood with a share of adjustments', '22023', $$UPDATE lead_scoring.score SET min_points = 0, max_points = 100, adjustment_share = 0.1 WHERE name = 'likelihood'$$),
  ('score: likelihood becomes fit and keeps its model', '22023', $$UPDATE lead_scoring.score SET kind = 'fit' WHERE name = 'likelihood'$$),
  ('score: likelihood loses its model', '22004', $$UPDATE lead_scoring.score SET model = NULL WHERE name = 'likelihood'$$),
  ('score: becomes a likelihood with groups', '55000', $$UPDATE lead_scoring.score SET kind = 'likelihood', model = 'closing' WHERE name = 'points'$$),
  ('score: becomes a likelihood with adjustments', '55000', $$UPDATE lead_scoring.score SET kind = 'likelihood', model = 'closing' WHERE name = 'adjusted'$$),
  ('score: becomes a likelihood with resets', '55000', $$UPDATE lead_scoring.score SET kind = 'likelihood', model = 'closing' WHERE name = 'reset'$$),
  ('score: becomes a likelihood with alerts on a part', '55000', $$UPDATE lead_scoring.score SET kind = 'likelihood', model = 'closing' WHERE name = 'alerting'$$),
  ('score: becomes a likelihood with bands of a part', '55000', $$UPDATE lead_scoring.score SET kind = 'likelihood', model = 'closing' WHERE name = 'banded'$$),
  ('likelihood: group', '22023', $$INSERT INTO lead_scoring.score_group (score, name, kind) VALUES ('likelihood', 'g', 'fit')$$),
  ('likelihood: decay of a group', '22023', $$INSERT INTO lead_scoring.segment_decay (score, group_name, segment) VALUES ('likelihood', 'g', 'true')$$),
  ('likelihood: rule', '22023', $$INSERT INTO lead_scoring.rule (score, group_name, name, points) VALUES ('likelihood', 'g', 'r', 1)$$),
  ('likelihood: event factor', '22023', $$INSERT INTO lead_scoring.event_factor (score, name, source, factor) VALUES ('likelihood', 'f', 'visit', 2)$$),
  ('likelihood: adjustment', '22023', $$INSERT INTO lead_scoring.adjustment (score, record_key, points) VALUES ('likelihood', '1', 1)$$),
  ('likelihood: reset', '22023', $$SELECT lead_scoring.reset_engagement('likelihood', '1')$$),
  ('likelihood: band of a part', '22023', $$INSERT INTO lead_scoring.band (score, part, label, lower_bound) VALUES ('likelihood', 'fit', 'B', 1)$$),
  ('likelihood: alert on a part', '22023', $$INSERT INTO lead_scoring.alert (score, name, part, above) VALUES ('likelihood', 'a', 'engagement', 1)$$),
  ('likelihood: activate, of no model', '22P02', $$SELECT lead_scoring.activate('likelihood')$$),
  ('likelihood: evaluate, of no model', '22P02', $$SELECT * FROM lead_scoring.evaluate('likelihood')$$),
  ('likelihood: preview, of no model', '22P02', $$SELECT * FROM lead_scoring.preview('likelihood')$$),
  ('likelihood: explain, of no model', '22P02', $$SELECT * FROM lead_scoring.explain('likelihood', '1')$$);

CREATE FUNCTION pg_temp.everything() RETURNS text LANGUAGE sql AS $$
  SELECT md5(string_agg(r, E'\n' ORDER BY r)) FROM (
    SELECT to_jsonb(t)::text FROM lead_scoring.model t UNION ALL SELECT to_jsonb(t)::text FROM lead_scoring.feature t UNION ALL SELECT to_jsonb(t)::text FROM lead_scoring.model_version t
    UNION ALL SELECT to_jsonb(t)::text FROM lead_scoring.model_importance t UNION ALL SELECT to_jsonb(t)::text FROM lead_scoring.score t UNION ALL SELECT to_jsonb(t)::text FROM lead_scoring.source t
    UNION ALL SELECT to_jsonb(t)::text FROM lead_scoring.band t UNION ALL SELECT to_jsonb(t)::text FROM lead_scoring.record_type t) q (r)
$$;
CREATE TABLE before AS SELECT pg_temp.everything() AS everything;

SELECT plan((SELECT count(*)::int FROM bad) + 5);
SELECT throws_ok(statement, code, NULL, what) FROM bad ORDER BY i;
SELECT is(pg_temp.everything(), (SELECT everything FROM before), 'nothing was changed by any of them');

-- The message says what is wrong and where
CREATE FUNCTION pg_temp.complaint(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  m text;
  h text;
BEGIN
  EXECUTE statement;
  RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS m = MESSAGE_TEXT, h = PG_EXCEPTION_HINT;
  RETURN m || ' | ' || h;
END
$$;
SELECT is((SELECT string_agg(what || ': ' || pg_temp.complaint(statement), '; ') FROM bad WHERE code NOT IN ('23505', '23514', '22P02') AND pg_temp.complaint(statement) LIKE '% | '), NULL, 'each has a hint');
SELECT is((SELECT string_agg(what || ': ' || pg_temp.complaint(statement), '; ') FROM bad WHERE pg_temp.complaint(statement) ~ '^[A-Z][a-z]|\. \||<NULL>'), NULL, 'messages begin in lower case and end without a full stop');
SELECT is((SELECT string_agg(what, '; ') FROM bad WHERE what LIKE 'feature: %' AND statement LIKE '%''x''%' AND code NOT LIKE '22P02' AND position('"x"' IN pg_temp.complaint(statement)) = 0 AND what NOT LIKE '%model'), NULL, 'messages name the feature');
SELECT is((SELECT string_agg(what || ': ' || pg_temp.complaint(statement), '; ') FROM bad WHERE what LIKE 'model: %' AND statement LIKE 'UPDATE lead_scoring.model %' AND pg_temp.complaint(statement) !~ 'model "(empty|free|closing)"'), NULL, 'or the model');

SELECT * FROM finish();
ROLLBACK;
