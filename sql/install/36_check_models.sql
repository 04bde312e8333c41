-- Checks of models and features.

CREATE FUNCTION lead_scoring.lock_model(model text) RETURNS void LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT pg_advisory_xact_lock('lead_scoring.model'::regclass::oid::integer, hashtext(lock_model.model))
$$;
COMMENT ON FUNCTION lead_scoring.lock_model(text) IS 'Keeps others from changing a model, its features and its versions until the end of the transaction. Whoever needs the lock of a score, too, takes that afterwards';

CREATE FUNCTION lead_scoring.lock_models(record_type text) RETURNS void LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT lead_scoring.lock_model(m.name)
    FROM (SELECT name FROM lead_scoring.model WHERE record_type = lock_models.record_type ORDER BY name) m
$$;
COMMENT ON FUNCTION lead_scoring.lock_models(text) IS 'The same for all models of a record type, in the order of their names';

-- The relation of a model's records; NULL if its record type is not known (yet).
CREATE FUNCTION lead_scoring.model_records(model text) RETURNS regclass LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT t.relation FROM lead_scoring.model m JOIN lead_scoring.record_type t ON t.name = m.record_type WHERE m.name = model_records.model
$$;
COMMENT ON FUNCTION lead_scoring.model_records(text) IS 'Relation that holds the records of a model';

-- The relation that the expressions of a feature look at.
CREATE FUNCTION lead_scoring.feature_relation(model text, source text) RETURNS regclass LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT CASE WHEN feature_relation.source IS NULL THEN lead_scoring.model_records(feature_relation.model)
         ELSE (SELECT o.relation FROM lead_scoring.source o JOIN lead_scoring.model m ON m.record_type = o.record_type
                WHERE m.name = feature_relation.model AND o.name = feature_relation.source) END
$$;
COMMENT ON FUNCTION lead_scoring.feature_relation(text, text) IS 'Relation whose rows a feature of a model looks at';

CREATE FUNCTION lead_scoring.require_model(model text) RETURNS lead_scoring.model LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  found_model lead_scoring.model;
BEGIN
  PERFORM lead_scoring.lock_model(require_model.model);
  SELECT * INTO found_model FROM lead_scoring.model m WHERE m.name = require_model.model;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'model "%" does not exist', coalesce(require_model.model, 'NULL') USING ERRCODE = 'undefined_object',
      HINT = 'The models are the rows of lead_scoring.model: insert it there first.';
  END IF;
  PERFORM lead_scoring.require_owner(lead_scoring.model_records(require_model.model));
  RETURN found_model;
END $$;
COMMENT ON FUNCTION lead_scoring.require_model(text) IS 'The model of this name, locked; raises if there is none or the current user may not change it';

CREATE FUNCTION lead_scoring.require_between(value double precision, lowest double precision, highest double precision, name text, what text)
RETURNS void LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF NOT require_between.value BETWEEN lowest AND highest THEN
    RAISE EXCEPTION '% of % out of range: %', require_between.name, what, require_between.value USING ERRCODE = 'numeric_value_out_of_range',
      HINT = CASE WHEN highest >= 1e9 THEN format('It is at least %s.', lowest) ELSE format('It is %s to %s.', lowest, highest) END;
  END IF;
END $$;
COMMENT ON FUNCTION lead_scoring.require_between(double precision, double precision, double precision, text, text) IS 'Raises unless a number is NULL or within its range';

CREATE FUNCTION lead_scoring.model_parameters(
  OUT name text, OUT algorithm text, OUT whole boolean, OUT lowest numeric, OUT highest numeric, OUT meaning text)
RETURNS SETOF record LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 12
SET search_path = pg_catalog, pg_temp
AS $$
  VALUES ('bins',             'scorecard',     true,  2,     100,     'bins of a number, of about equally many records each'),
         ('l2',               'scorecard',     false, 1e-6,  1e6,     'penalty on the squares of the coefficients; more makes a scorecard more cautious'),
         ('min_category',     'scorecard',     true,  1,     1e9,     'records that a category needs for a bin of its own; rarer ones share one'),
         ('trees',            'boosted_trees', true,  1,     10000,   'number of trees'),
         ('depth',            'boosted_trees', true,  1,     16,      'questions that a tree asks one after the other'),
         ('learning_rate',    'boosted_trees', false, 0.001, 1,       'share of what a tree has learned that counts'),
         ('subsample',        'boosted_trees', false, 0.01,  1,       'share of the records that each tree sees'),
         ('colsample',        'boosted_trees', false, 0.01,  1,       'share of the features that each tree sees'),
         ('min_child_weight', 'boosted_trees', false, 0,     1e9,     'least weight of the records at either side of a question'),
         ('lambda',           'boosted_trees', false, 0,     1e6,     'penalty on the squares of what leaves say'),
         ('threads',          'boosted_trees', true,  1,     256,     'threads that training may use'),
         ('margin',           NULL,            false, 0,     0.5,     'by how much the AUC of the boosted trees must be higher for auto to take them')
$$;
COMMENT ON FUNCTION lead_scoring.model_parameters() IS
  'Keys that a model''s parameters may have: for which algorithm (NULL: any), whether whole numbers, least and greatest value, meaning';

CREATE FUNCTION lead_scoring.require_parameters(parameters jsonb, algorithm text, what text) RETURNS void LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  given record;
  known record;
  given_value numeric;
BEGIN
  IF jsonb_typeof(parameters) <> 'object' THEN
    RAISE EXCEPTION 'parameters of % are not an object: %', what, left(parameters::text, 100) USING ERRCODE = 'invalid_parameter_value',
      HINT = 'Write an object with numbers, such as {"trees": 300}, or {}.';
  END IF;
  FOR given IN SELECT e.key, e.value FROM jsonb_each(CASE jsonb_typeof(parameters) WHEN 'object' THEN parameters ELSE '{}' END) e ORDER BY e.key COLLATE "C" LOOP
    SELECT * INTO known FROM lead_scoring.model_parameters() p WHERE p.name = given.key;
    IF NOT FOUND OR known.algorithm <> require_parameters.algorithm AND require_parameters.algorithm <> 'auto' THEN
      RAISE EXCEPTION 'parameter "%" of % is unknown%', given.key, what, CASE WHEN FOUND THEN format(' to algorithm %s', require_parameters.algorithm) ELSE '' END
        USING ERRCODE = 'invalid_parameter_value',
        HINT = format('Algorithm %s has %s.', require_parameters.algorithm,
                      (SELECT string_agg(p.name, ', ') FROM lead_scoring.model_parameters() p
                        WHERE require_parameters.algorithm = 'auto' OR p.algorithm IS NULL OR p.algorithm = require_parameters.algorithm));
    ELSIF jsonb_typeof(given.value) <> 'number' THEN
      RAISE EXCEPTION 'parameter "%" of % is not a number: %', given.key, what, left(given.value::text, 100) USING ERRCODE = 'invalid_parameter_value',
        HINT = format('Write a number, without quotes: %s.', known.meaning);
    END IF;
    given_value := (given.value #>> '{}')::numeric;
    IF NOT given_value BETWEEN known.lowest AND known.highest OR known.whole AND given_value <> trunc(given_value) THEN
      RAISE EXCEPTION 'parameter "%" of % out of range: %', given.key, what, given.value USING ERRCODE = 'numeric_value_out_of_range',
        HINT = format('It is a %s from %s to %s: %s.', CASE WHEN known.whole THEN 'whole number' ELSE 'number' END, known.lowest, known.highest, known.meaning);
    END IF;
  END LOOP;
END $$;
COMMENT ON FUNCTION lead_scoring.require_parameters(jsonb, text, text) IS 'Raises unless the parameters of a model are known to its algorithm and within their ranges';

-- What is used is not renamed or taken away.
CREATE FUNCTION lead_scoring.require_unused(model text) RETURNS void LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  user_of_it text := (SELECT s.name FROM lead_scoring.score s WHERE s.model = require_unused.model ORDER BY s.name LIMIT 1);
BEGIN
  IF user_of_it IS NOT NULL THEN
    RAISE EXCEPTION 'model "%" is used by score "%"', require_unused.model, user_of_it USING ERRCODE = 'dependent_objects_still_exist',
      HINT = 'Delete the score first, or give it another model.';
  END IF;
END $$;
COMMENT ON FUNCTION lead_scoring.require_unused(text) IS 'Raises if a score uses the model';

-- With all columns that have a default set: NULL stands for it.
CREATE FUNCTION lead_scoring.with_defaults(model lead_scoring.model) RETURNS lead_scoring.model LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  model.horizon := coalesce(model.horizon, '90 days');
  model.snapshot_every := coalesce(model.snapshot_every, '30 days');
  model.snapshots := coalesce(model.snapshots, 12);
  model.algorithm := coalesce(model.algorithm, 'auto');
  model.parameters := coalesce(model.parameters, '{}');
  model.min_converted := coalesce(model.min_converted, 25);
  model.min_unconverted := coalesce(model.min_unconverted, 25);
  model.folds := coalesce(model.folds, 5);
  model.seed := coalesce(model.seed, 1);
  model.publish_at_least := coalesce(model.publish_at_least, 0.95);
  RETURN model;
END $$;
COMMENT ON FUNCTION lead_scoring.with_defaults(lead_scoring.model) IS 'A model in which NULL is replaced by the default where NULL has no meaning of its own';

CREATE FUNCTION lead_scoring.require_settings(model lead_scoring.model) RETURNS void LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  what text := format('model "%s"', model.name);
BEGIN
  IF model.outcome IS NULL THEN
    RAISE EXCEPTION 'outcome of % must not be NULL', what USING ERRCODE = 'null_value_not_allowed',
      HINT = 'Write an expression over the record that says when it converted, such as became_customer_at, or whether it did, such as stage = ''won''.';
  ELSIF model.algorithm NOT IN ('auto', 'scorecard', 'boosted_trees') THEN
    RAISE EXCEPTION 'algorithm of % must not be %', what, quote_literal(model.algorithm) USING ERRCODE = 'invalid_parameter_value',
      HINT = 'Use auto, scorecard or boosted_trees.';
  END IF;
  PERFORM lead_scoring.require_length(model.horizon, 'horizon', what);
  PERFORM lead_scoring.require_length(model.snapshot_every, 'snapshot_every', what);
  PERFORM lead_scoring.require_length(model.retrain_every, 'retrain_every', what);
  PERFORM lead_scoring.require_length(model.replace_after, 'replace_after', what);
  PERFORM lead_scoring.require_between(model.snapshots, 1, 1000, 'snapshots', what);
  PERFORM lead_scoring.require_between(model.min_converted, 1, 2147483647, 'min_converted', what);
  PERFORM lead_scoring.require_between(model.min_unconverted, 1, 2147483647, 'min_unconverted', what);
  PERFORM lead_scoring.require_between(model.folds, 2, 100, 'folds', what);
  PERFORM lead_scoring.require_between(model.publish_at_least, 0, 10, 'publish_at_least', what);
  PERFORM lead_scoring.require_between(model.keep_versions, 0, 2147483647, 'keep_versions', what);
  PERFORM lead_scoring.require_parameters(model.parameters, model.algorithm, what);
END $$;
COMMENT ON FUNCTION lead_scoring.require_settings(lead_scoring.model) IS 'Raises unless all about a model but its expressions is possible';

CREATE FUNCTION lead_scoring.check_model() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  records lead_scoring.record_type;
BEGIN
  IF TG_OP = 'INSERT' OR TG_OP = 'UPDATE' AND NEW.record_type IS DISTINCT FROM OLD.record_type THEN
    PERFORM lead_scoring.keep_existing('lead_scoring.record_type', NEW.record_type);
  END IF;
  IF TG_OP <> 'INSERT' THEN
    PERFORM lead_scoring.lock_model(OLD.name);
    PERFORM lead_scoring.require_owner(lead_scoring.model_records(OLD.name));
    IF TG_OP = 'DELETE' THEN
      PERFORM lead_scoring.require_unused(OLD.name);
      RETURN OLD;
    END IF;
  END IF;
  IF lead_scoring.restoring() THEN
    RETURN NEW;
  END IF;
  PERFORM lead_scoring.require_name(NEW.name, 'a model');
  IF TG_OP = 'UPDATE' AND NEW.record_type <> OLD.record_type THEN
    PERFORM lead_scoring.require_unused(OLD.name);
    IF EXISTS (SELECT FROM lead_scoring.feature f WHERE f.model = OLD.name) OR EXISTS (SELECT FROM lead_scoring.model_version v WHERE v.model = OLD.name) THEN
      RAISE EXCEPTION 'record type of model "%" cannot change while it has features or versions', OLD.name
        USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'They were made for other records: delete them first.';
    END IF;
  END IF;
  SELECT * INTO records FROM lead_scoring.record_type t WHERE t.name = NEW.record_type;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'record type "%" of model "%" does not exist', coalesce(NEW.record_type, 'NULL'), NEW.name USING ERRCODE = 'undefined_object',
      HINT = 'Insert it into lead_scoring.record_type first.';
  END IF;
  PERFORM lead_scoring.require_owner(records.relation);
  NEW := lead_scoring.with_defaults(NEW);
  PERFORM lead_scoring.require_settings(NEW);
  RETURN NEW;
END $$;
COMMENT ON FUNCTION lead_scoring.check_model() IS 'Checks a model as it is written';

-- Which columns a statistic needs, and which it has no use for.
CREATE FUNCTION lead_scoring.require_statistic(feature lead_scoring.feature, is_event boolean) RETURNS void LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  what text := format('feature "%s" of model "%s"', feature.name, feature.model);
  of_record text[] := '{value,has_value,days_since,days_until}';
  of_rows text[] := '{value,count,has_any,sum,average,minimum,maximum,distinct,days_since_newest,days_since_oldest,days_until_next}';
  of_events text[] := '{days_since_newest,days_since_oldest,days_until_next}';
  needs_expression boolean := feature.statistic NOT IN ('count', 'has_any') AND feature.statistic <> ALL (of_events);
BEGIN
  IF feature.statistic <> ALL (of_record || of_rows) THEN
    RAISE EXCEPTION 'statistic of % must not be %', what, quote_literal(feature.statistic) USING ERRCODE = 'invalid_parameter_value',
      HINT = format('Of the record use %s; of the rows of a source %s.', array_to_string(of_record, ', '), array_to_string(of_rows, ', '));
  ELSIF feature.source IS NULL AND feature.statistic <> ALL (of_record) THEN
    RAISE EXCEPTION 'statistic % of % needs a source', feature.statistic, what USING ERRCODE = 'invalid_parameter_value',
      HINT = format('Name the source whose rows are meant; of the record itself there are %s.', array_to_string(of_record, ', '));
  ELSIF feature.source IS NOT NULL AND feature.statistic <> ALL (of_rows) THEN
    RAISE EXCEPTION 'statistic % of % is about the record, not about rows of a source', feature.statistic, what USING ERRCODE = 'invalid_parameter_value',
      HINT = format('Of the rows of a source there are %s.', array_to_string(of_rows, ', '));
  ELSIF feature.statistic = ANY (of_events) AND NOT is_event THEN
    RAISE EXCEPTION 'statistic % of % needs events, and source "%" has no time', feature.statistic, what, feature.source
      USING ERRCODE = 'invalid_parameter_value', HINT = 'Give the source its occurred_at, or take another source.';
  ELSIF needs_expression AND feature.expression IS NULL THEN
    RAISE EXCEPTION 'statistic % of % needs an expression', feature.statistic, what USING ERRCODE = 'invalid_parameter_value',
      HINT = 'Say in expression which value is meant.';
  ELSIF NOT needs_expression AND feature.expression IS NOT NULL THEN
    RAISE EXCEPTION 'statistic % of % has no use for an expression: %', feature.statistic, what, feature.expression
      USING ERRCODE = 'invalid_parameter_value', HINT = 'To choose rows use criterion; for values take sum, average, minimum, maximum, distinct or value.';
  ELSIF feature.source IS NULL AND lower(btrim(feature.criterion)) <> 'true' THEN
    RAISE EXCEPTION '% has a criterion, but no source: %', what, feature.criterion USING ERRCODE = 'invalid_parameter_value',
      HINT = 'A criterion chooses rows of a source. Of the record write CASE WHEN criterion THEN expression END.';
  END IF;
END $$;
COMMENT ON FUNCTION lead_scoring.require_statistic(lead_scoring.feature, boolean) IS 'Raises unless a feature has what its statistic needs';

CREATE FUNCTION lead_scoring.require_feature_times(feature lead_scoring.feature, is_event boolean) RETURNS void LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  what text := format('feature "%s" of model "%s"', feature.name, feature.model);
BEGIN
  PERFORM lead_scoring.require_length(feature.within, 'within', what);
  IF feature.within IS NOT NULL AND NOT is_event THEN
    RAISE EXCEPTION '% has no time to be within', what USING ERRCODE = 'invalid_parameter_value',
      HINT = 'Only events have a time: name a source with occurred_at, or use as_of in the expression.';
  ELSIF feature.within IS NOT NULL AND feature.statistic = 'days_until_next' THEN
    RAISE EXCEPTION 'statistic days_until_next of % has no use for within: %', what, feature.within USING ERRCODE = 'invalid_parameter_value',
      HINT = 'within looks back, days_until_next ahead: leave it NULL.';
  ELSIF feature.decay IS NOT NULL AND (NOT is_event OR feature.statistic NOT IN ('count', 'sum')) THEN
    RAISE EXCEPTION '% cannot decay: %', what, feature.decay USING ERRCODE = 'invalid_parameter_value',
      HINT = 'Only counts and sums of events fade with their age: take count or sum over a source with occurred_at, or no decay.';
  ELSIF feature.known_at IS NULL AND feature.statistic = 'days_until_next' THEN
    RAISE EXCEPTION 'statistic days_until_next of % needs known_at', what USING ERRCODE = 'invalid_parameter_value',
      HINT = 'Say since when an event was known, such as created_at: what came into the calendar after the snapshot must not count.';
  ELSIF feature.known_at IS NOT NULL AND feature.statistic <> 'days_until_next' THEN
    RAISE EXCEPTION 'statistic % of % has no use for known_at: %', feature.statistic, what, feature.known_at USING ERRCODE = 'invalid_parameter_value',
      HINT = 'An event counts from its own time on. To leave out what became known later, write it into the criterion, as in created_at <= as_of.';
  END IF;
END $$;
COMMENT ON FUNCTION lead_scoring.require_feature_times(lead_scoring.feature, boolean) IS 'Raises unless the options of a feature that are about time have a meaning';

CREATE FUNCTION lead_scoring.check_feature() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  parent lead_scoring.model;
  origin lead_scoring.source;
  what text;
BEGIN
  IF TG_OP <> 'INSERT' THEN
    PERFORM lead_scoring.lock_model(OLD.model);
    PERFORM lead_scoring.require_owner(lead_scoring.model_records(OLD.model));
    IF TG_OP = 'DELETE' THEN
      RETURN OLD;
    END IF;
  END IF;
  IF lead_scoring.restoring() THEN
    RETURN NEW;
  END IF;
  PERFORM lead_scoring.require_name(NEW.name, 'a feature');
  parent := lead_scoring.require_model(NEW.model);
  what := format('feature "%s" of model "%s"', NEW.name, NEW.model);
  IF NEW.source IS NOT NULL THEN
    SELECT * INTO origin FROM lead_scoring.source o WHERE o.record_type = parent.record_type AND o.name = NEW.source;
    IF NOT FOUND THEN
      RAISE EXCEPTION 'source "%" of % does not exist', NEW.source, what USING ERRCODE = 'undefined_object',
        HINT = format('Insert it into lead_scoring.source first, for record type "%s".', parent.record_type);
    END IF;
    PERFORM lead_scoring.require_owner(origin.relation);
  END IF;
  NEW.statistic := coalesce(NEW.statistic, 'value');
  NEW.criterion := coalesce(NEW.criterion, 'true');
  NEW.enabled := coalesce(NEW.enabled, true);
  PERFORM lead_scoring.require_statistic(NEW, origin.occurred_at IS NOT NULL);
  PERFORM lead_scoring.require_feature_times(NEW, origin.occurred_at IS NOT NULL);
  RETURN NEW;
END $$;
COMMENT ON FUNCTION lead_scoring.check_feature() IS 'Checks a feature as it is written';
