-- What becomes of a model in use: its live predictions beside the outcomes, once these are known.

CREATE FUNCTION lead_scoring.psi(expected double precision[], actual double precision[], bins integer DEFAULT 10) RETURNS double precision
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  sorted double precision[];
  negative_bounds double precision[];
BEGIN
  IF psi.bins IS NULL OR psi.bins NOT BETWEEN 1 AND 1000 THEN
    RAISE EXCEPTION 'number of bins out of range: %', coalesce(psi.bins::text, 'NULL') USING ERRCODE = 'invalid_parameter_value',
      HINT = 'Use 1 to 1000 bins.';
  ELSIF 'NaN' = ANY (expected) OR 'NaN' = ANY (actual) THEN
    RAISE EXCEPTION 'a value must be a number: NaN' USING ERRCODE = 'invalid_parameter_value', HINT = 'Leave such values out, or make them NULL: NULLs do not count.';
  END IF;
  -- Bins of equally many expected values, but that equal ones are together: each ends with its upper bound, which is in it.
  -- width_bucket() puts a bound into the bin above it, hence the signs
  sorted := ARRAY(SELECT e.value FROM unnest(expected) e (value) WHERE e.value IS NOT NULL ORDER BY e.value);
  negative_bounds := ARRAY(
    SELECT DISTINCT -sorted[(i * cardinality(sorted)::bigint + psi.bins - 1) / psi.bins] AS bound FROM generate_series(1, psi.bins - 1) i WHERE cardinality(sorted) > 0 ORDER BY bound);
  RETURN (
    WITH placed AS (
      SELECT CASE cardinality(negative_bounds) WHEN 0 THEN 0 ELSE width_bucket(-v.value, negative_bounds) END AS bin, v.is_actual
        FROM (SELECT e.value, false FROM unnest(expected) e (value) UNION ALL SELECT a.value, true FROM unnest(actual) a (value)) v (value, is_actual)
       WHERE v.value IS NOT NULL
    ), counted AS (
      SELECT greatest(count(*) FILTER (WHERE p.is_actual), 0.5) AS actual, greatest(count(*) FILTER (WHERE NOT p.is_actual), 0.5) AS expected FROM placed p GROUP BY p.bin
    ), shares AS (
      SELECT c.actual::double precision / nullif(n.actual, 0) AS actual, c.expected::double precision / nullif(n.expected, 0) AS expected
        FROM counted c, (SELECT count(*) FILTER (WHERE p.is_actual) AS actual, count(*) FILTER (WHERE NOT p.is_actual) AS expected FROM placed p) n
    )
    SELECT sum((s.actual - s.expected) * ln(s.actual / s.expected)) FROM shares s);
END $$;
COMMENT ON FUNCTION lead_scoring.psi(double precision[], double precision[], integer) IS
  'Population stability index: sum over bins of (actual - expected) * ln(actual / expected), the shares of the values in them; the bins have equally many expected values, but that equal ones are together, and one without values counts as half a value. 0: distributed alike; below 0.1 there is no shift to speak of, from 0.25 on a large one (Siddiqi, Intelligent Credit Scoring, second edition, 2017, page 369). NULL if either has no values; NULLs do not count. A bin has the values above its lower bound up to its upper bound. Raises 22023 for bins out of 1 to 1000 and for NaN';

-- As the core makes it. What history has is rounded so, and equal ones must stay equal: psi compares ranks.
CREATE FUNCTION lead_scoring.as_likelihood(probability double precision) RETURNS double precision LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT round(least(greatest(100 * probability, 0.01), 99.99)::numeric, 4)::double precision
$$;
COMMENT ON FUNCTION lead_scoring.as_likelihood(double precision) IS 'A probability as a likelihood: in per cent, 0.01 to 99.99, with four decimals';

CREATE FUNCTION lead_scoring.model_drift(
  model text, as_of timestamptz DEFAULT now(), period text DEFAULT 'month',
  OUT begins timestamptz, OUT samples bigint, OUT live bigint, OUT trained_on bigint, OUT converted bigint, OUT conversion_rate double precision, OUT predicted double precision,
  OUT auc double precision, OUT auc_lowest double precision, OUT auc_highest double precision, OUT log_loss double precision, OUT brier double precision,
  OUT calibration_error double precision, OUT psi double precision, OUT verdict text)
RETURNS SETOF record LANGUAGE plpgsql STABLE PARALLEL UNSAFE ROWS 12
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $$
#variable_conflict use_column
DECLARE
  champion record;
  shown_by text;
  trained_keys text[];
  trained_snapshots timestamptz[];
BEGIN
  PERFORM lead_scoring.period_of(model_drift.period, now());
  SELECT v.version, v.as_of, v.auc, v.likelihoods, lead_scoring.seconds_of((v.definition #>> '{model,snapshot_every}')::interval) AS seconds INTO champion
    FROM lead_scoring.model m LEFT JOIN lead_scoring.model_version v ON v.model = m.name AND v.status = 'champion' WHERE m.name = model_drift.model;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'model "%" does not exist', coalesce(model_drift.model, 'NULL') USING ERRCODE = 'undefined_object',
      HINT = 'The models are the rows of lead_scoring.model.';
  ELSIF champion.version IS NULL THEN
    RAISE EXCEPTION 'model "%" has not been trained', model_drift.model USING ERRCODE = 'object_not_in_prerequisite_state',
      HINT = format('SELECT lead_scoring.train(%L);', model_drift.model);
  END IF;
  shown_by := (SELECT s.name FROM lead_scoring.score s JOIN lead_scoring.readable_score r ON r.score = s.name WHERE s.model = model_drift.model ORDER BY s.status, s.name LIMIT 1);
  SELECT array_agg(t.record_key ORDER BY t.snapshot), array_agg(t.snapshot ORDER BY t.snapshot) INTO trained_keys, trained_snapshots
    FROM lead_scoring.champion_training_set(model_drift.model, champion.as_of) t;
  RETURN QUERY
  WITH samples AS MATERIALIZED (
    SELECT t.record_key, t.snapshot, t.converted FROM lead_scoring.training_set(model_drift.model, model_drift.as_of) t
  ), trained AS MATERIALIZED (
    SELECT t.record_key, t.snapshot, max(t.snapshot) OVER () AS newest FROM unnest(trained_keys, trained_snapshots) t (record_key, snapshot)
  ), seen AS MATERIALIZED (
    -- The snapshots of today lie between those of the training. One of the training at its as_of had its outcome there and then
    SELECT DISTINCT s.record_key, s.snapshot
      FROM samples s JOIN trained t ON t.record_key = s.record_key
     WHERE t.snapshot = champion.as_of OR s.snapshot <= t.newest AND abs(extract(epoch FROM s.snapshot - t.snapshot)) < champion.seconds
  ), history AS MATERIALIZED (
    SELECT h.record_key, h.changed_at, h.total, lead(h.changed_at) OVER (PARTITION BY h.record_key ORDER BY h.changed_at, h.history_id) AS ends
      FROM lead_scoring.score_history h WHERE h.score = shown_by
  ), recalled AS MATERIALIZED (
    SELECT s.record_key, s.snapshot, h.total / 100 AS probability
      FROM samples s JOIN history h ON h.record_key = s.record_key AND h.changed_at <= s.snapshot AND (h.ends > s.snapshot OR h.ends IS NULL)
     WHERE h.total IS NOT NULL
  ), missing AS (
    SELECT s.* FROM samples s WHERE NOT EXISTS (SELECT FROM recalled r WHERE r.record_key = s.record_key AND r.snapshot = s.snapshot)
  ), predicted AS MATERIALIZED (
    SELECT r.record_key, r.snapshot, r.probability, true AS live FROM recalled r
    UNION ALL
    SELECT p.record_key, p.instant, p.probability, false
      FROM (SELECT array_agg(m.record_key ORDER BY m.snapshot) AS keys, array_agg(m.snapshot ORDER BY m.snapshot) AS snapshots FROM missing m) a
     CROSS JOIN LATERAL lead_scoring.predictions(model_drift.model, a.keys, a.snapshots) p WHERE a.keys IS NOT NULL
  ), periods AS (
    SELECT lead_scoring.period_of(model_drift.period, s.snapshot) AS begins, count(*) AS samples, count(*) FILTER (WHERE p.live) AS live,
           count(n.record_key) AS trained_on, count(*) FILTER (WHERE s.converted) AS converted,
           array_agg(p.probability) AS probabilities, array_agg(lead_scoring.as_likelihood(p.probability)) AS likelihoods, array_agg(s.converted) AS outcomes, avg(p.probability) AS predicted,
           lead_scoring.log_loss(p.probability, s.converted) AS log_loss, lead_scoring.brier(p.probability, s.converted) AS brier
      FROM samples s JOIN predicted p ON p.record_key = s.record_key AND p.snapshot = s.snapshot
      LEFT JOIN seen n ON n.record_key = s.record_key AND n.snapshot = s.snapshot
     GROUP BY 1
  ), measured AS (
    SELECT p.*, lead_scoring.auc_where_defined(p.probabilities, p.outcomes) AS auc, lead_scoring.calibration_error(p.probabilities, p.outcomes) AS calibration_error,
           lead_scoring.psi(champion.likelihoods, p.likelihoods) AS psi
      FROM periods p
  )
  SELECT m.begins, m.samples, m.live, m.trained_on, m.converted, m.converted / m.samples::double precision, m.predicted, m.auc, i.lowest, i.highest, m.log_loss, m.brier,
         m.calibration_error, m.psi,
         coalesce(nullif(concat_ws(', ', CASE WHEN m.psi >= 0.25 THEN 'predictions have shifted' WHEN m.psi >= 0.1 THEN 'predictions shift' END,
                                         CASE WHEN i.highest < champion.auc THEN 'ranks worse than at training' END,
                                         CASE WHEN m.predicted > w.highest THEN 'promises too much' WHEN m.predicted < w.lowest THEN 'promises too little' END), ''), 'as trained')
    FROM measured m CROSS JOIN LATERAL lead_scoring.auc_interval(m.auc, m.converted, m.samples - m.converted) i
   CROSS JOIN LATERAL lead_scoring.wilson_interval(m.converted, m.samples) w
   ORDER BY m.begins;
END $$;
COMMENT ON FUNCTION lead_scoring.model_drift(text, timestamptz, text) IS
  'How a model does in use, by period (week, month, quarter or year, in UTC) of the snapshots of its finished cases: what it predicted beside what came. A prediction is what score_history had of a likelihood of the model at the snapshot (live: how many), and, where there is none, what the champion predicts as of the snapshot; trained_on: how many of the cases the champion was trained on, by which it is flattered: those of records that were in its training, by the definition it was trained with, less than its snapshot_every before or after, and not later than its newest snapshot (of a boolean outcome without snapshot_at: whenever). conversion_rate and predicted (mean) are 0..1; auc with its 95 % interval, log_loss, brier and calibration_error as the functions of these names (auc NULL with outcomes of one kind); psi of the likelihoods against those that the champion gave the cases of its training, as its version keeps them (NULL: it keeps none). verdict: predictions shift (psi from 0.1 on) or have shifted (0.25), ranks worse than at training (interval of auc below the champion''s), promises too much or too little (predicted outside the 95 % interval of conversion_rate), else as trained. Raises 42704 for a model that does not exist, 55000 for one that is not trained, 22023 for another period';
