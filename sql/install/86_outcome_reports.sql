-- Outcomes over time, by properties of the records, and of experiments.

CREATE FUNCTION lead_scoring.auc_interval(auc double precision, converted bigint, unconverted bigint, z double precision DEFAULT 1.959963984540054,
  OUT lowest double precision, OUT highest double precision)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT greatest(auc - z * error, 0), least(auc + z * error, 1)
    FROM (SELECT sqrt((auc * (1 - auc) + (converted - 1) * (auc / (2 - auc) - auc * auc) + (unconverted - 1) * (2 * auc * auc / (1 + auc) - auc * auc))
                      / (converted::double precision * unconverted)) AS error
           WHERE auc BETWEEN 0 AND 1 AND converted > 0 AND unconverted > 0 AND abs(z) < 1e9) e
$$;
COMMENT ON FUNCTION lead_scoring.auc_interval(double precision, bigint, bigint, double precision) IS
  'Confidence interval of an AUC, 0..1, by the numbers of records that did and did not convert (Hanley, McNeil, Radiology 143, 1982, pages 29 to 36); z = 1.96 for 95 %. NULL without records of both kinds';

CREATE FUNCTION lead_scoring.score_monitor(
  score text, model text, as_of timestamptz DEFAULT now(), period text DEFAULT 'month',
  OUT begins timestamptz, OUT samples bigint, OUT converted bigint, OUT conversion_rate double precision, OUT mean_total double precision,
  OUT auc double precision, OUT auc_lowest double precision, OUT auc_highest double precision,
  OUT top_rate double precision, OUT bottom_rate double precision, OUT relation text)
RETURNS SETOF record LANGUAGE sql STABLE PARALLEL UNSAFE ROWS 12
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $$
  WITH samples AS MATERIALIZED (
    SELECT lead_scoring.period_of(score_monitor.period, s.snapshot) AS begins, s.total, s.band, s.converted
      FROM lead_scoring.backtest_samples(score_monitor.score, score_monitor.model, score_monitor.as_of) s WHERE s.total IS NOT NULL
  ), bands AS (
    SELECT b.band, row_number() OVER (ORDER BY avg(b.total) DESC, b.band COLLATE "C") AS best, row_number() OVER (ORDER BY avg(b.total), b.band COLLATE "C" DESC) AS worst
      FROM samples b GROUP BY b.band
  ), periods AS (
    SELECT s.begins, count(*) AS samples, count(*) FILTER (WHERE s.converted) AS converted, avg(s.total) AS mean_total,
           lead_scoring.auc_where_defined(array_agg(s.total), array_agg(s.converted)) AS auc,
           avg(s.converted::integer) FILTER (WHERE b.best = 1)::double precision AS top_rate,
           avg(s.converted::integer) FILTER (WHERE b.worst = 1)::double precision AS bottom_rate
      FROM samples s JOIN bands b ON b.band = s.band GROUP BY s.begins
  )
  SELECT p.begins, p.samples, p.converted, p.converted / p.samples::double precision, p.mean_total, p.auc, i.lowest, i.highest, p.top_rate, p.bottom_rate,
         CASE WHEN i.lowest > 0.5 THEN 'positive' WHEN i.highest < 0.5 THEN 'negative' WHEN p.auc IS NULL THEN 'unknown' ELSE 'not clear' END
    FROM periods p CROSS JOIN LATERAL lead_scoring.auc_interval(p.auc, p.converted, p.samples - p.converted) i
   ORDER BY p.begins
$$;
COMMENT ON FUNCTION lead_scoring.score_monitor(text, text, timestamptz, text) IS
  'Whether a higher score goes with more conversions, over time: for each period (week, month, quarter or year, in UTC) in which finished cases of the model have their snapshots, their number and conversion_rate, the mean score, the AUC with its 95 % interval, and the conversion rates of the best and of the worst band. relation: positive if the whole interval of the AUC lies above 0.5, negative if below, else not clear; unknown with outcomes of one kind';

CREATE FUNCTION lead_scoring.calibration_report(
  score text, model text, as_of timestamptz DEFAULT now(), period text DEFAULT 'quarter',
  OUT begins timestamptz, OUT rank bigint, OUT band text, OUT samples bigint, OUT converted bigint,
  OUT predicted double precision, OUT actual double precision, OUT actual_lowest double precision, OUT actual_highest double precision,
  OUT ratio double precision, OUT verdict text)
RETURNS SETOF record LANGUAGE sql STABLE PARALLEL UNSAFE ROWS 40
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $$
  WITH samples AS MATERIALIZED (
    SELECT lead_scoring.period_of(calibration_report.period, s.snapshot) AS begins, s.total, s.band, s.converted
      FROM lead_scoring.backtest_samples(calibration_report.score, calibration_report.model, calibration_report.as_of) s WHERE s.total IS NOT NULL
  ), bands AS (
    SELECT b.band, row_number() OVER (ORDER BY avg(b.total) DESC, b.band COLLATE "C") AS rank FROM samples b GROUP BY b.band
  ), counted AS (
    SELECT s.begins, b.rank, s.band, count(*) AS samples, count(*) FILTER (WHERE s.converted) AS converted, avg(s.total) AS mean
      FROM samples s JOIN bands b ON b.band = s.band GROUP BY s.begins, b.rank, s.band
  ), compared AS (
    SELECT c.*, c.converted / c.samples::double precision AS actual,
           CASE WHEN x.kind = 'likelihood' THEN c.mean / 100
                ELSE (sum(c.converted) OVER earlier)::double precision / (sum(c.samples) OVER earlier)::double precision END AS predicted
      FROM counted c, lead_scoring.score x WHERE x.name = calibration_report.score
    WINDOW earlier AS (PARTITION BY c.band ORDER BY c.begins ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
  )
  SELECT c.begins, c.rank, c.band, c.samples, c.converted, c.predicted, c.actual, w.lowest, w.highest, c.actual / nullif(c.predicted, 0),
         CASE WHEN c.predicted IS NULL THEN NULL WHEN c.predicted > w.highest THEN 'below' WHEN c.predicted < w.lowest THEN 'above' ELSE 'as predicted' END
    FROM compared c CROSS JOIN LATERAL lead_scoring.wilson_interval(c.converted, c.samples) w
   ORDER BY c.begins, c.rank
$$;
COMMENT ON FUNCTION lead_scoring.calibration_report(text, text, timestamptz, text) IS
  'A look back at what the bands of a score promised and what came of it, by period of the snapshots (week, month, quarter or year, in UTC). predicted: of a likelihood its mean, of another score the conversion rate of the band in all earlier periods (NULL in the first); actual: the conversion rate in the period, with its 95 % interval; all 0..1; ratio = actual / predicted. verdict: below or above if predicted lies outside the interval, else as predicted';

CREATE FUNCTION lead_scoring.binned_features(
  model text, as_of timestamptz, bins integer, feature text,
  OUT record_key text, OUT snapshot timestamptz, OUT converted boolean, OUT feature_name text, OUT place bigint, OUT value text,
  OUT lowest double precision, OUT highest double precision)
RETURNS SETOF record LANGUAGE plpgsql STABLE PARALLEL UNSAFE ROWS 100000
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $$
#variable_conflict use_column
BEGIN
  IF binned_features.bins IS NULL OR binned_features.bins NOT BETWEEN 1 AND 1000 THEN
    RAISE EXCEPTION 'number of bins out of range: %', coalesce(binned_features.bins::text, 'NULL') USING ERRCODE = 'invalid_parameter_value',
      HINT = 'Use 1 to 1000 bins.';
  END IF;
  RETURN QUERY
  WITH items AS (
    SELECT t.record_key, t.snapshot, t.converted, i.key AS feature, i.value #>> '{}' AS item,
           CASE jsonb_typeof(i.value) WHEN 'number' THEN (i.value #>> '{}')::double precision END AS number
      FROM lead_scoring.training_set(binned_features.model, binned_features.as_of) t CROSS JOIN LATERAL jsonb_each(t.features) i
     WHERE binned_features.feature IS NULL OR i.key = binned_features.feature
  ), common AS (
    SELECT c.feature, c.item, row_number() OVER (PARTITION BY c.feature ORDER BY count(*) DESC, c.item COLLATE "C") AS place
      FROM items c WHERE c.number IS NULL AND c.item IS NOT NULL GROUP BY c.feature, c.item
  ), placed AS (
    SELECT i.*, CASE WHEN i.item IS NULL THEN 10000 WHEN i.number IS NULL THEN least(c.place, 51)
                     ELSE lead_scoring.tier(binned_features.bins, 'together') OVER (PARTITION BY i.feature, i.number IS NULL ORDER BY i.number) END AS place
      FROM items i LEFT JOIN common c ON i.number IS NULL AND c.feature = i.feature AND c.item = i.item
  ), bounded AS (
    SELECT p.*, min(p.number) OVER w AS low, max(p.number) OVER w AS high FROM placed p WINDOW w AS (PARTITION BY p.feature, p.place)
  )
  SELECT b.record_key, b.snapshot, b.converted, b.feature, b.place,
         CASE WHEN b.item IS NULL THEN '(missing)' WHEN b.number IS NULL THEN CASE WHEN b.place > 50 THEN '(other)' ELSE b.item END
              WHEN b.low = b.high THEN s.low::text ELSE s.low || ' to ' || s.high END, b.low, b.high
    FROM bounded b, LATERAL (SELECT CASE WHEN abs(b.low) < 0.001 THEN b.low ELSE round(b.low::numeric, 4)::double precision END AS low,
                                    CASE WHEN abs(b.high) < 0.001 THEN b.high ELSE round(b.high::numeric, 4)::double precision END AS high) s;
END $$;
COMMENT ON FUNCTION lead_scoring.binned_features(text, timestamptz, integer, text) IS
  'The values of features (NULL: of all) of the finished cases of a model, put into bins of about equally many samples where they are numbers, those of one value together; of categories the 50 most frequent, the others as (other); (missing) for NULL';

CREATE FUNCTION lead_scoring.feature_conversion(
  model text, as_of timestamptz DEFAULT now(), bins integer DEFAULT 10,
  OUT feature text, OUT place bigint, OUT value text, OUT lowest double precision, OUT highest double precision, OUT samples bigint, OUT converted bigint,
  OUT conversion_rate double precision, OUT rate_lowest double precision, OUT rate_highest double precision, OUT lift double precision)
RETURNS SETOF record LANGUAGE sql STABLE PARALLEL UNSAFE ROWS 100
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $$
  WITH counted AS (
    SELECT b.feature_name, b.place, b.value, b.lowest, b.highest, count(*) AS samples, count(*) FILTER (WHERE b.converted) AS converted
      FROM lead_scoring.binned_features(feature_conversion.model, feature_conversion.as_of, feature_conversion.bins, NULL) b
     GROUP BY b.feature_name, b.place, b.value, b.lowest, b.highest
  )
  SELECT c.feature_name, row_number() OVER f, c.value, c.lowest, c.highest, c.samples, c.converted, c.converted / c.samples::double precision, w.lowest, w.highest,
         c.converted / c.samples::double precision / nullif((sum(c.converted) OVER a)::double precision / (sum(c.samples) OVER a)::double precision, 0)
    FROM counted c CROSS JOIN LATERAL lead_scoring.wilson_interval(c.converted, c.samples) w
  WINDOW f AS (PARTITION BY c.feature_name ORDER BY c.place), a AS (PARTITION BY c.feature_name)
   ORDER BY c.feature_name COLLATE "C", c.place
$$;
COMMENT ON FUNCTION lead_scoring.feature_conversion(text, timestamptz, integer) IS
  'How often records convert by the value of each feature of a model, over its finished cases: bins of about equally many samples of numbers (lowest to highest), the 50 most frequent categories and (other), and (missing). conversion_rate = converted / samples, 0..1, with its 95 % interval; lift = conversion_rate / that of all. What goes with conversion need not be its cause';

CREATE FUNCTION lead_scoring.outcomes_by_feature(
  score text, model text, feature text, as_of timestamptz DEFAULT now(), bins integer DEFAULT 10,
  OUT place bigint, OUT value text, OUT samples bigint, OUT converted bigint, OUT conversion_rate double precision, OUT lift double precision,
  OUT mean_total double precision, OUT median_total double precision, OUT auc double precision)
RETURNS SETOF record LANGUAGE plpgsql STABLE PARALLEL UNSAFE ROWS 10
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $$
#variable_conflict use_column
BEGIN
  PERFORM lead_scoring.require_judged(outcomes_by_feature.score, outcomes_by_feature.model);
  PERFORM FROM lead_scoring.feature f WHERE f.model = outcomes_by_feature.model AND f.name = outcomes_by_feature.feature AND f.enabled;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'model "%" has no enabled feature "%"', outcomes_by_feature.model, coalesce(outcomes_by_feature.feature, 'NULL') USING ERRCODE = 'undefined_object',
      HINT = 'The features are the rows of lead_scoring.feature.';
  END IF;
  RETURN QUERY
  WITH parts AS (
    SELECT b.place, b.value, s.total, s.converted
      FROM lead_scoring.binned_features(outcomes_by_feature.model, outcomes_by_feature.as_of, outcomes_by_feature.bins, outcomes_by_feature.feature) b
      JOIN lead_scoring.backtest_samples(outcomes_by_feature.score, outcomes_by_feature.model, outcomes_by_feature.as_of) s
        ON s.record_key = b.record_key AND s.snapshot = b.snapshot
     WHERE s.total IS NOT NULL
  ), counted AS (
    SELECT p.place, p.value, count(*) AS samples, count(*) FILTER (WHERE p.converted) AS converted, avg(p.total) AS mean,
           percentile_cont(0.5) WITHIN GROUP (ORDER BY p.total) AS median, lead_scoring.auc_where_defined(array_agg(p.total), array_agg(p.converted)) AS auc
      FROM parts p GROUP BY p.place, p.value
  )
  SELECT row_number() OVER (ORDER BY c.place), c.value, c.samples, c.converted, c.converted / c.samples::double precision,
         c.converted / c.samples::double precision / nullif((sum(c.converted) OVER ())::double precision / (sum(c.samples) OVER ())::double precision, 0), c.mean, c.median, c.auc
    FROM counted c ORDER BY c.place;
END $$;
COMMENT ON FUNCTION lead_scoring.outcomes_by_feature(text, text, text, timestamptz, integer) IS
  'The finished cases of a model that a score scored, by the value that a feature of the model had at the snapshot, such as the first channel: how often they converted (conversion_rate, 0..1, and lift over all), the mean and the median of the score, and how well it ranks them (auc). Values are put together as in feature_conversion. Raises 42704 for a feature that the model does not have';

CREATE FUNCTION lead_scoring.experiment_outcomes(
  experiment text, model text, as_of timestamptz DEFAULT now(),
  OUT variant text, OUT score text, OUT samples bigint, OUT converted bigint, OUT conversion_rate double precision, OUT rate_lowest double precision, OUT rate_highest double precision,
  OUT auc double precision, OUT difference double precision, OUT difference_lowest double precision, OUT difference_highest double precision, OUT verdict text)
RETURNS SETOF record LANGUAGE sql STABLE PARALLEL UNSAFE ROWS 2
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $$
  WITH parts AS (
    SELECT v.variant, v.score, s.total, s.converted
      FROM lead_scoring.require_experiment(experiment_outcomes.experiment) e
     CROSS JOIN LATERAL (VALUES ('a', e.score_a), ('b', e.score_b)) v (variant, score)
     CROSS JOIN LATERAL lead_scoring.backtest_samples(v.score, experiment_outcomes.model, experiment_outcomes.as_of) s
     WHERE s.total IS NOT NULL AND lead_scoring.variant_of(e.salt, s.record_key, e.share) = v.variant
  ), counted AS MATERIALIZED (
    SELECT p.variant, p.score, count(*) AS samples, count(*) FILTER (WHERE p.converted) AS converted,
           lead_scoring.auc_where_defined(array_agg(p.total), array_agg(p.converted)) AS auc
      FROM parts p GROUP BY p.variant, p.score
  )
  SELECT c.variant, c.score, c.samples, c.converted, c.converted / c.samples::double precision, w.lowest, w.highest, c.auc, d.difference, d.lowest, d.highest,
         CASE WHEN d.lowest > 0 THEN 'converts more often' WHEN d.highest < 0 THEN 'converts less often' WHEN d.difference IS NOT NULL THEN 'not clear' END
    FROM counted c CROSS JOIN LATERAL lead_scoring.wilson_interval(c.converted, c.samples) w
    LEFT JOIN counted o ON o.variant <> c.variant
    LEFT JOIN LATERAL lead_scoring.rate_difference(c.converted, c.samples, o.converted, o.samples) d ON true
   ORDER BY c.variant
$$;
COMMENT ON FUNCTION lead_scoring.experiment_outcomes(text, text, timestamptz) IS
  'What came of an experiment: of the finished cases of a model that belong to a variant and that its score scored, how often they converted (0..1, with the 95 % interval), how well the score ranked them (auc), and the difference of the conversion rate from that of the other variant, with its 95 % interval (rate_difference); verdict: converts more often or less often if that interval leaves 0 out, else not clear. A record counts once for each snapshot: take a model with snapshot_at to count it once, with an instant at which the experiment was under way';

CREATE VIEW lead_scoring.champion_importance AS
  SELECT v.model, v.version, i.feature, i.importance, i.importance / nullif(sum(i.importance) OVER w, 0) AS share,
         row_number() OVER (PARTITION BY v.model ORDER BY i.importance DESC, i.feature COLLATE "C") AS rank, f.source, f.statistic
    FROM lead_scoring.model_version v
    JOIN lead_scoring.model_importance i ON i.model = v.model AND i.version = v.version
    LEFT JOIN lead_scoring.feature f ON f.model = i.model AND f.name = i.feature
   WHERE v.status = 'champion'
  WINDOW w AS (PARTITION BY v.model);
DO $$
BEGIN
  -- Before 15 there is no such option; all that is read with the owner's rights is what everybody may read
  IF current_setting('server_version_num')::integer >= 150000 THEN
    ALTER VIEW lead_scoring.champion_importance SET (security_invoker = true);
  END IF;
END $$;
COMMENT ON VIEW lead_scoring.champion_importance IS 'How much each feature matters to the champion of each model';
COMMENT ON COLUMN lead_scoring.champion_importance.model IS 'Model';
COMMENT ON COLUMN lead_scoring.champion_importance.version IS 'Version that is its champion';
COMMENT ON COLUMN lead_scoring.champion_importance.feature IS 'Feature';
COMMENT ON COLUMN lead_scoring.champion_importance.importance IS 'Mean size of what the feature adds to or takes from the log-odds of a record';
COMMENT ON COLUMN lead_scoring.champion_importance.share IS 'The importance as a share of that of all features, 0..1 (NULL if none matters)';
COMMENT ON COLUMN lead_scoring.champion_importance.rank IS 'Place by importance, 1 for the feature that matters most';
COMMENT ON COLUMN lead_scoring.champion_importance.source IS 'Source of the feature as it is defined now (NULL: the record itself, or the feature is no longer defined)';
COMMENT ON COLUMN lead_scoring.champion_importance.statistic IS 'Statistic of the feature as it is defined now (NULL: it is no longer defined)';
GRANT SELECT ON lead_scoring.champion_importance TO PUBLIC;
