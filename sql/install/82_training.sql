-- Training of models.

CREATE FUNCTION lead_scoring.training_set(
  model text, as_of timestamptz DEFAULT now(),
  OUT record_key text, OUT snapshot timestamptz, OUT converted boolean, OUT fold integer, OUT features jsonb, OUT segment text)
RETURNS SETOF record LANGUAGE c STABLE PARALLEL RESTRICTED ROWS 10000
AS 'MODULE_PATHNAME', 'lead_scoring_training_set';
COMMENT ON FUNCTION lead_scoring.training_set(text, timestamptz) IS
  'What a model would be trained on, of the facts known at as_of: each record as it was known at a snapshot, and whether it converted within the horizon after it. Left out are records that had converted by then, were not there yet, or have been observed for less than the horizon. More rows than fit into lead_scoring.work_mem are sampled, with a NOTICE';

CREATE FUNCTION lead_scoring.champion_training_set(
  model text, as_of timestamptz,
  OUT record_key text, OUT snapshot timestamptz, OUT converted boolean, OUT fold integer, OUT features jsonb, OUT segment text)
RETURNS SETOF record LANGUAGE c STABLE PARALLEL RESTRICTED ROWS 10000
AS 'MODULE_PATHNAME', 'lead_scoring_champion_training_set';
COMMENT ON FUNCTION lead_scoring.champion_training_set(text, timestamptz) IS 'The same by the definition that the champion of the model was trained with; at its as_of it is what that was trained on, as far as the tables still have it';

CREATE FUNCTION lead_scoring.train_model(
  model text, as_of timestamptz,
  OUT algorithm text, OUT samples bigint, OUT converted bigint, OUT auc double precision, OUT log_loss double precision, OUT brier double precision,
  OUT average_precision double precision, OUT calibration_error double precision, OUT threshold double precision, OUT accuracy double precision,
  OUT "precision" double precision, OUT recall double precision, OUT f1 double precision, OUT body text, OUT warnings text[],
  OUT feature_names text[], OUT importance double precision[], OUT likelihoods double precision[],
  OUT segments text[], OUT segment_samples bigint[], OUT segment_converted bigint[], OUT segment_auc double precision[],
  OUT segment_overall_auc double precision[], OUT segment_log_loss double precision[], OUT segment_overall_log_loss double precision[],
  OUT segment_own_model boolean[])
RETURNS SETOF record LANGUAGE c VOLATILE ROWS 1
AS 'MODULE_PATHNAME', 'lead_scoring_train_model';
COMMENT ON FUNCTION lead_scoring.train_model(text, timestamptz) IS 'Trains a model and returns what came of it; nothing is kept. Use train()';

CREATE FUNCTION lead_scoring.train(model text, as_of timestamptz DEFAULT now()) RETURNS integer LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  definition jsonb := lead_scoring.model_definition(train.model);
  trained record;
  new_version integer;
  warning text;
BEGIN
  IF current_setting('transaction_read_only')::boolean THEN
    RAISE EXCEPTION 'cannot train model "%" in a read-only transaction', train.model USING ERRCODE = 'read_only_sql_transaction',
      HINT = 'Its version could not be kept. train_model() trains without keeping it.';
  END IF;
  IF EXISTS (SELECT FROM lead_scoring.model m WHERE m.name = train.model) THEN
    PERFORM lead_scoring.require_owner(lead_scoring.model_records(train.model));
  END IF;
  IF train.as_of > clock_timestamp() THEN
    RAISE WARNING 'as_of is later than now: what has not happened yet counts as if it never will' USING HINT = 'Leave as_of out to train on all that is known.';
  END IF;
  SELECT * INTO trained FROM lead_scoring.train_model(train.model, train.as_of);
  PERFORM lead_scoring.require_model(train.model);
  IF lead_scoring.model_definition(train.model) IS DISTINCT FROM definition THEN
    RAISE EXCEPTION 'model "%" has been edited while it was trained', train.model USING ERRCODE = 'serialization_failure',
      HINT = 'Train it again.';
  END IF;
  BEGIN
    INSERT INTO lead_scoring.model_version (model, algorithm, as_of, samples, converted, auc, log_loss, brier, average_precision, calibration_error,
                                            threshold, accuracy, "precision", recall, f1, likelihoods, body, warnings)
      VALUES (train.model, trained.algorithm, train.as_of, trained.samples, trained.converted, trained.auc, trained.log_loss, trained.brier,
              trained.average_precision, trained.calibration_error, trained.threshold, trained.accuracy, trained."precision", trained.recall, trained.f1,
              trained.likelihoods, trained.body, trained.warnings)
      RETURNING version INTO new_version;
  EXCEPTION WHEN unique_violation THEN
    -- A transaction that sees what was there when it began does not see the number that is taken
    RAISE EXCEPTION 'model "%" has been trained by another transaction meanwhile', train.model USING ERRCODE = 'serialization_failure',
      HINT = 'Repeat the transaction.';
  END;
  INSERT INTO lead_scoring.model_importance (model, version, feature, importance)
    SELECT train.model, new_version, i.feature, i.importance FROM unnest(trained.feature_names, trained.importance) i (feature, importance);
  INSERT INTO lead_scoring.model_segment (model, version, segment, samples, converted, auc, overall_auc, log_loss, overall_log_loss, own_model)
    SELECT train.model, new_version, s.*
      FROM unnest(trained.segments, trained.segment_samples, trained.segment_converted, trained.segment_auc, trained.segment_overall_auc,
                  trained.segment_log_loss, trained.segment_overall_log_loss, trained.segment_own_model) s;
  FOREACH warning IN ARRAY trained.warnings LOOP
    RAISE WARNING 'model "%": %', train.model, warning;
  END LOOP;
  PERFORM FROM lead_scoring.model_version v WHERE v.model = train.model AND v.status = 'champion';
  IF NOT FOUND THEN
    PERFORM lead_scoring.publish(train.model, new_version);
  END IF;
  RETURN new_version;
END $$;
COMMENT ON FUNCTION lead_scoring.train(text, timestamptz) IS
  'Trains a model on the facts known at as_of and keeps the result as a new version, whose number it returns. The first version of a model becomes its champion; later ones are challengers until publish(). Raises if there are too few converted or unconverted records, naming both counts. What is odd about the features comes as a WARNING';

CREATE FUNCTION lead_scoring.predict(model text, record anyelement, as_of timestamptz DEFAULT now()) RETURNS double precision
LANGUAGE c STABLE PARALLEL UNSAFE COST 100
AS 'MODULE_PATHNAME', 'lead_scoring_predict';
COMMENT ON FUNCTION lead_scoring.predict(text, anyelement, timestamptz) IS
  'Likelihood of a row by the champion of a model, in per cent, 0.01 to 99.99: the probability that it converts within the horizon after as_of. The row is one of the table of the records, but need not be stored: what it says counts, with what the sources hold for its key. NULL if the row is NULL or the record is decided: a customer, converted or lost. Raises if the model is not trained, the row is of another table, or an expression cannot be computed from a row alone';

CREATE FUNCTION lead_scoring.prediction_parts(
  model text, record_key text, as_of timestamptz,
  OUT feature text, OUT value text, OUT contribution double precision, OUT odds_ratio double precision)
RETURNS SETOF record LANGUAGE c STABLE PARALLEL RESTRICTED ROWS 20
AS 'MODULE_PATHNAME', 'lead_scoring_explain_prediction';
COMMENT ON FUNCTION lead_scoring.prediction_parts(text, text, timestamptz) IS 'What each feature adds to the log-odds that the champion of a model gives a record; feature NULL: what the average record begins with. Use explain_prediction()';

CREATE FUNCTION lead_scoring.explain_prediction(
  model text, record_key text, as_of timestamptz DEFAULT now(),
  OUT rank bigint, OUT feature text, OUT value text, OUT contribution double precision, OUT odds_ratio double precision, OUT explanation text)
RETURNS SETOF record LANGUAGE sql STABLE PARALLEL RESTRICTED ROWS 20
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT CASE WHEN p.feature IS NOT NULL THEN row_number() OVER (ORDER BY (p.feature IS NULL), abs(p.contribution) DESC, p.feature COLLATE "C") END,
         coalesce(p.feature, '(average record)'), p.value, p.contribution, p.odds_ratio,
         CASE WHEN p.feature IS NULL THEN format('the average record%s: odds of %s to 1', ' of ' || p.value, round(p.odds_ratio::numeric, 4))
              WHEN abs(p.contribution) < 0.005 THEN format('%s %s makes no difference', p.feature, coalesce('= ' || p.value, 'unknown'))
              ELSE format('%s %s %s the odds by a factor of %s', p.feature, coalesce('= ' || p.value, 'unknown'),
                          CASE WHEN p.contribution > 0 THEN 'raises' ELSE 'lowers' END,
                          round(exp(abs(p.contribution))::numeric, 2)) END
    FROM lead_scoring.prediction_parts(explain_prediction.model, explain_prediction.record_key, explain_prediction.as_of) p
   ORDER BY p.feature IS NULL, abs(p.contribution) DESC, p.feature COLLATE "C"
$$;
COMMENT ON FUNCTION lead_scoring.explain_prediction(text, text, timestamptz) IS
  'Why the champion of a model gives a record its likelihood: one row for each feature, that which matters most first, with what it adds to the log-odds, the factor it multiplies the odds by, and the same in words; last the log-odds of the average record. The contributions sum to ln(p / (1 - p)) of the probability p before that is kept within 0.01 and 99.99 per cent; within these it is likelihood / 100';
