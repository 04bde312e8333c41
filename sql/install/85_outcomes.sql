-- Scores judged by outcomes: the score that each finished case had at its snapshot, beside what came of it.
--
-- The planner takes the sets of these functions for far larger than they are: compiling plans would take longer than
-- running them, hence jit = off.

CREATE FUNCTION lead_scoring.require_judged(score text, model text) RETURNS lead_scoring.score LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  judged lead_scoring.score;
  judge lead_scoring.model;
BEGIN
  SELECT * INTO judged FROM lead_scoring.score s WHERE s.name = require_judged.score;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'score "%" does not exist', coalesce(require_judged.score, 'NULL') USING ERRCODE = 'undefined_object',
      HINT = 'The scores are the rows of lead_scoring.score.';
  END IF;
  SELECT * INTO judge FROM lead_scoring.model m WHERE m.name = require_judged.model;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'model "%" does not exist', coalesce(require_judged.model, 'NULL') USING ERRCODE = 'undefined_object',
      HINT = 'The models are the rows of lead_scoring.model. One says which records have finished, and what came of them.';
  ELSIF judge.record_type <> judged.record_type THEN
    RAISE EXCEPTION 'score "%" is of record type "%", model "%" of "%"', judged.name, judged.record_type, judge.name, judge.record_type
      USING ERRCODE = 'invalid_parameter_value', HINT = 'Take a model of the same records.';
  END IF;
  RETURN judged;
END $$;
COMMENT ON FUNCTION lead_scoring.require_judged(text, text) IS 'The score of this name; raises unless it and the model exist and are of one record type';

CREATE FUNCTION lead_scoring.period_of(period text, at timestamptz) RETURNS timestamptz LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF period IS NULL OR period NOT IN ('week', 'month', 'quarter', 'year') THEN
    RAISE EXCEPTION 'period "%" is not known', coalesce(period, 'NULL') USING ERRCODE = 'invalid_parameter_value',
      HINT = 'Use week, month, quarter or year.';
  END IF;
  RETURN date_trunc(period, at, 'UTC');
END $$;
COMMENT ON FUNCTION lead_scoring.period_of(text, timestamptz) IS 'Beginning, in UTC, of the week (Monday), month, quarter or year in which an instant lies; raises 22023 for another period';

CREATE FUNCTION lead_scoring.auc_where_defined(scores double precision[], outcomes boolean[]) RETURNS double precision LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT CASE WHEN true = ANY (outcomes) AND false = ANY (outcomes)
              THEN (SELECT lead_scoring.auc(p.score, p.outcome) FROM unnest(scores, outcomes) p (score, outcome)) END
$$;
COMMENT ON FUNCTION lead_scoring.auc_where_defined(double precision[], boolean[]) IS 'auc(), NULL without a warning where all outcomes are the same';

CREATE FUNCTION lead_scoring.backtest_samples(
  score text, model text, as_of timestamptz DEFAULT now(),
  OUT record_key text, OUT snapshot timestamptz, OUT converted boolean, OUT total double precision, OUT label text, OUT band text)
RETURNS SETOF record LANGUAGE plpgsql STABLE PARALLEL UNSAFE ROWS 10000
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $$
#variable_conflict use_column
DECLARE
  judged lead_scoring.score := lead_scoring.require_judged(backtest_samples.score, backtest_samples.model);
  one text;
BEGIN
  -- A finished case of a boolean outcome is decided whenever one looks, and has no likelihood
  IF judged.kind = 'likelihood' THEN
    SELECT t.record_key INTO one FROM lead_scoring.training_set(backtest_samples.model, backtest_samples.as_of) t WHERE t.converted LIMIT 1;
    IF FOUND AND NOT EXISTS (SELECT FROM lead_scoring.outcome_instants(backtest_samples.model, backtest_samples.as_of, ARRAY[one])) THEN
      RAISE EXCEPTION 'score "%" is a likelihood, and the outcome of model "%" has no instant', judged.name, backtest_samples.model
        USING ERRCODE = 'feature_not_supported', HINT = 'A record that is decided has no likelihood. See model_versions and model_drift() for how well the model predicts.';
    END IF;
  END IF;
  RETURN QUERY
  WITH samples AS MATERIALIZED (
    SELECT t.record_key, t.snapshot, t.converted FROM lead_scoring.training_set(backtest_samples.model, backtest_samples.as_of) t
  ), scored AS MATERIALIZED (
    SELECT s.record_key, s.snapshot, s.converted, e.total, e.label
      FROM (SELECT a.snapshot, e.* FROM (SELECT s.snapshot, array_agg(s.record_key) AS keys FROM samples s GROUP BY s.snapshot) a
             CROSS JOIN LATERAL lead_scoring.evaluate(judged.name, a.snapshot, a.keys) e) e
      JOIN samples s ON s.record_key = e.record_key AND s.snapshot = e.snapshot
  )
  SELECT s.record_key, s.snapshot, s.converted, s.total, s.label,
         CASE WHEN s.total IS NULL THEN NULL
              WHEN (SELECT bool_or(x.label IS NOT NULL) FROM scored x WHERE x.total IS NOT NULL) THEN coalesce(s.label, '(no label)')
              ELSE 'decile ' || lead_scoring.tier(10, 'together') OVER (ORDER BY s.total DESC) END
    FROM scored s;
END $$;
COMMENT ON FUNCTION lead_scoring.backtest_samples(text, text, timestamptz) IS
  'The finished cases of a model, as training_set(model, as_of) gives them, each with the total and the label that the score gave it as of the snapshot, by the facts until then. total is NULL for those that were out of scope. band is the label; if there are no labels, the tenth of the samples that the total belongs to, decile 1 being the best (tier(10, ''together'')). The score is evaluated once for each snapshot that differs. Raises 42704 for a score or model that does not exist, 22023 if they are of different record types, 0A000 for a likelihood where the outcome of the model is boolean';

CREATE FUNCTION lead_scoring.outcomes_by_band(
  totals double precision[], bands text[], outcomes boolean[],
  OUT rank bigint, OUT band text, OUT samples bigint, OUT converted bigint, OUT conversion_rate double precision,
  OUT rate_lowest double precision, OUT rate_highest double precision, OUT lift double precision, OUT captured double precision,
  OUT cumulative_captured double precision, OUT lowest_total double precision, OUT highest_total double precision)
RETURNS SETOF record LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 10
SET search_path = pg_catalog, pg_temp
AS $$
  WITH counted AS (
    SELECT u.band, count(*) AS samples, count(*) FILTER (WHERE u.outcome) AS converted, avg(u.total) AS mean, min(u.total) AS lowest, max(u.total) AS highest
      FROM unnest(totals, bands, outcomes) u (total, band, outcome)
     WHERE u.total IS NOT NULL AND u.band IS NOT NULL AND u.outcome IS NOT NULL GROUP BY u.band
  ), ranked AS (
    SELECT c.*, row_number() OVER (ORDER BY c.mean DESC, c.band COLLATE "C") AS rank,
           (sum(c.samples) OVER ())::double precision AS all_samples, nullif(sum(c.converted) OVER (), 0)::double precision AS all_converted
      FROM counted c
  )
  SELECT r.rank, r.band, r.samples, r.converted, r.converted::double precision / r.samples, w.lowest, w.highest,
         r.converted / r.samples::double precision / (r.all_converted / r.all_samples), r.converted / r.all_converted,
         (sum(r.converted) OVER (ORDER BY r.rank))::double precision / r.all_converted, r.lowest, r.highest
    FROM ranked r CROSS JOIN LATERAL lead_scoring.wilson_interval(r.converted, r.samples) w
   ORDER BY r.rank
$$;
COMMENT ON FUNCTION lead_scoring.outcomes_by_band(double precision[], text[], boolean[]) IS
  'What became of the records of each band, the elements at one position belonging to one record. Bands are ranked by the mean of their totals, highest first. conversion_rate = converted / samples, with its 95 % interval (wilson_interval); lift = conversion_rate / that of all; captured = share of all that converted, cumulative_captured down to and with the band; all 0..1 but lift. captured and lift are NULL if none converted. Records with a NULL do not count';

CREATE FUNCTION lead_scoring.backtest(
  score text, model text, as_of timestamptz DEFAULT now(),
  OUT rank bigint, OUT band text, OUT samples bigint, OUT converted bigint, OUT conversion_rate double precision,
  OUT rate_lowest double precision, OUT rate_highest double precision, OUT lift double precision, OUT captured double precision,
  OUT cumulative_captured double precision, OUT lowest_total double precision, OUT highest_total double precision)
RETURNS SETOF record LANGUAGE sql STABLE PARALLEL UNSAFE ROWS 10
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $$
  SELECT b.* FROM (SELECT array_agg(s.total) AS totals, array_agg(s.band) AS bands, array_agg(s.converted) AS outcomes
                     FROM lead_scoring.backtest_samples(backtest.score, backtest.model, backtest.as_of) s) a
             CROSS JOIN LATERAL lead_scoring.outcomes_by_band(a.totals, a.bands, a.outcomes) b
$$;
COMMENT ON FUNCTION lead_scoring.backtest(text, text, timestamptz) IS
  'What became of the finished cases of a model, by the band in which the score had them at their snapshot: the rows of outcomes_by_band over backtest_samples';

CREATE FUNCTION lead_scoring.backtest_verdict(
  totals double precision[], bands text[], outcomes boolean[], lift_at_least double precision,
  OUT bands_found bigint, OUT monotone boolean, OUT top_band text, OUT top_rate double precision, OUT top_lift double precision, OUT verdict text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
  WITH b AS MATERIALIZED (
    SELECT o.*, lag(o.conversion_rate) OVER w AS rate_above, lag(o.band) OVER w AS band_above
      FROM lead_scoring.outcomes_by_band(totals, bands, outcomes) o WINDOW w AS (ORDER BY o.rank)
  ), v AS (
    SELECT count(*) AS found, sum(b.samples) AS samples, sum(b.converted) AS converted, coalesce(bool_and(b.conversion_rate <= b.rate_above), true) AS monotone,
           min(b.band) FILTER (WHERE b.rank = 1) AS top_band, min(b.conversion_rate) FILTER (WHERE b.rank = 1) AS top_rate, min(b.lift) FILTER (WHERE b.rank = 1) AS top_lift,
           (SELECT format('band %s converts more often than %s above it', r.band, r.band_above) FROM b r WHERE r.conversion_rate > r.rate_above ORDER BY r.rank LIMIT 1) AS rise
      FROM b
  )
  SELECT v.found, CASE WHEN v.found > 1 AND v.converted > 0 THEN v.monotone END, v.top_band, v.top_rate, v.top_lift,
         CASE WHEN v.found = 0 THEN 'unknown: there is no finished case'
              WHEN v.converted = 0 THEN 'unknown: nobody converted'
              WHEN v.converted = v.samples THEN 'unknown: everybody converted'
              WHEN v.found = 1 THEN 'unknown: all are in one band'
              ELSE CASE WHEN v.monotone AND v.top_lift >= lift_at_least THEN 'good: ' ELSE 'weak: ' END
                   || coalesce(v.rise, 'conversion falls from band to band')
                   || format(', the top band %s is at %s times the average', v.top_band, round(v.top_lift::numeric, 2))
                   || CASE WHEN v.top_lift >= lift_at_least THEN '' ELSE format(', not %s', lift_at_least) END END
    FROM v
$$;
COMMENT ON FUNCTION lead_scoring.backtest_verdict(double precision[], text[], boolean[], double precision) IS
  'Verdict on outcomes_by_band: whether no band converts more often than the one above it (monotone), how often the top band converts, and whether that is lift_at_least times the average';

CREATE FUNCTION lead_scoring.backtest_summary(
  score text, model text, as_of timestamptz DEFAULT now(), lift_at_least double precision DEFAULT 2,
  OUT samples bigint, OUT converted bigint, OUT conversion_rate double precision, OUT out_of_scope bigint, OUT auc double precision,
  OUT bands bigint, OUT monotone boolean, OUT top_band text, OUT top_rate double precision, OUT top_lift double precision, OUT verdict text)
LANGUAGE sql STABLE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $$
  SELECT a.samples, a.converted, a.converted / nullif(a.samples, 0)::double precision, a.out_of_scope, lead_scoring.auc_where_defined(a.totals, a.outcomes),
         v.bands_found, v.monotone, v.top_band, v.top_rate, v.top_lift, v.verdict
    FROM (SELECT count(*) FILTER (WHERE s.total IS NOT NULL) AS samples, count(*) FILTER (WHERE s.total IS NOT NULL AND s.converted) AS converted,
                 count(*) FILTER (WHERE s.total IS NULL) AS out_of_scope,
                 array_agg(s.total) FILTER (WHERE s.total IS NOT NULL) AS totals, array_agg(s.band) FILTER (WHERE s.total IS NOT NULL) AS bands,
                 array_agg(s.converted) FILTER (WHERE s.total IS NOT NULL) AS outcomes
            FROM lead_scoring.backtest_samples(backtest_summary.score, backtest_summary.model, backtest_summary.as_of) s) a
   CROSS JOIN LATERAL lead_scoring.backtest_verdict(a.totals, a.bands, a.outcomes, backtest_summary.lift_at_least) v
$$;
COMMENT ON FUNCTION lead_scoring.backtest_summary(text, text, timestamptz, double precision) IS
  'Whether a score tells who converts, in one row: finished cases that it scored and their conversion_rate, those out of its scope, auc (NULL unless there are both outcomes), and by backtest whether conversion falls from band to band (monotone) and the top band converts at least lift_at_least times as often as the average; verdict says it in words: good, weak or unknown';

CREATE FUNCTION lead_scoring.band_outcomes(
  score text, model text, as_of timestamptz DEFAULT now(),
  OUT rank bigint, OUT band text, OUT open_records bigint, OUT samples bigint, OUT converted bigint, OUT closing_probability double precision,
  OUT probability_lowest double precision, OUT probability_highest double precision,
  OUT cycle_days double precision, OUT cycle_days_lower_quartile double precision, OUT cycle_days_upper_quartile double precision)
RETURNS SETOF record LANGUAGE sql STABLE PARALLEL UNSAFE ROWS 10
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $$
  WITH samples AS MATERIALIZED (
    SELECT s.* FROM lead_scoring.backtest_samples(band_outcomes.score, band_outcomes.model, band_outcomes.as_of) s WHERE s.total IS NOT NULL
  ), cycles AS (
    SELECT s.band, percentile_cont('{0.25,0.5,0.75}'::double precision[]) WITHIN GROUP (ORDER BY extract(epoch FROM i.outcome - s.snapshot)::double precision / 86400) AS days
      FROM samples s
      JOIN lead_scoring.outcome_instants(band_outcomes.model, band_outcomes.as_of, (SELECT array_agg(DISTINCT c.record_key) FROM samples c WHERE c.converted)) i
        ON i.record_key = s.record_key
     WHERE s.converted GROUP BY s.band
  ), present AS (
    SELECT p.label, count(*) AS records FROM lead_scoring.standing(band_outcomes.score, band_outcomes.as_of) p
     WHERE p.is_open AND p.total IS NOT NULL AND p.label IS NOT NULL GROUP BY p.label
  ), labels AS (
    SELECT EXISTS (SELECT FROM samples s WHERE s.label IS NOT NULL) OR NOT EXISTS (SELECT FROM samples) AS used
  )
  SELECT b.rank, coalesce(b.band, p.label), CASE WHEN l.used THEN coalesce(p.records, 0) END, coalesce(b.samples, 0), coalesce(b.converted, 0), b.conversion_rate,
         b.rate_lowest, b.rate_highest, c.days[2], c.days[1], c.days[3]
    FROM (SELECT o.* FROM (SELECT array_agg(s.total) AS totals, array_agg(s.band) AS bands, array_agg(s.converted) AS outcomes FROM samples s) a
           CROSS JOIN LATERAL lead_scoring.outcomes_by_band(a.totals, a.bands, a.outcomes) o) b
    FULL JOIN (SELECT p.* FROM present p, labels l WHERE l.used) p ON p.label = b.band
   CROSS JOIN labels l
    LEFT JOIN cycles c ON c.band = b.band
   ORDER BY b.rank NULLS LAST, coalesce(b.band, p.label) COLLATE "C"
$$;
COMMENT ON FUNCTION lead_scoring.band_outcomes(text, text, timestamptz) IS
  'The funnel by band: open_records in it as of as_of (NULL where bands are deciles); of the finished cases of the model that were in it at their snapshot, how many there are, how many converted within the horizon, the closing probability (converted / samples, 0..1, with its 95 % interval) and, of those that converted, the days from the snapshot to the conversion: median and quartiles (NULL where the outcome of the model has no instant). A record counts once for each snapshot. rank is NULL for bands without finished cases';

CREATE FUNCTION lead_scoring.threshold_report(
  score text, model text, as_of timestamptz DEFAULT now(), thresholds double precision[] DEFAULT NULL,
  OUT threshold double precision, OUT origin text, OUT selected bigint, OUT share double precision,
  OUT true_positives bigint, OUT false_positives bigint, OUT true_negatives bigint, OUT false_negatives bigint,
  OUT "precision" double precision, OUT recall double precision, OUT f1 double precision,
  OUT false_positive_rate double precision, OUT false_negative_rate double precision, OUT lift double precision)
RETURNS SETOF record LANGUAGE sql STABLE PARALLEL UNSAFE ROWS 10
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $$
  WITH listed AS MATERIALIZED (
    SELECT array_agg(s.total) AS totals, array_agg(s.converted) AS outcomes
      FROM lead_scoring.backtest_samples(threshold_report.score, threshold_report.model, threshold_report.as_of) s WHERE s.total IS NOT NULL
  ), asked AS (
    SELECT t.threshold, 'asked for' AS origin FROM unnest(threshold_report.thresholds) t (threshold)
    UNION ALL
    SELECT b.lower_bound, 'band ' || b.label FROM lead_scoring.band b
     WHERE threshold_report.thresholds IS NULL AND b.score = threshold_report.score AND b.part = 'total' AND b.lower_bound IS NOT NULL
    UNION ALL
    SELECT r.threshold, 'recommended: ' || m.method
      FROM listed l CROSS JOIN (VALUES ('f1'), ('youden')) m (method) CROSS JOIN LATERAL lead_scoring.recommend_threshold(l.totals, l.outcomes, m.method) r
     WHERE threshold_report.thresholds IS NULL AND true = ANY (l.outcomes) AND false = ANY (l.outcomes)
  )
  SELECT a.threshold, string_agg(DISTINCT a.origin, ', '), c.true_positives + c.false_positives, c.share,
         c.true_positives, c.false_positives, c.true_negatives, c.false_negatives, c."precision", c.recall, c.f1, c.false_positive_rate, c.false_negative_rate,
         c."precision" / nullif(c.conversion_rate, 0)
    FROM asked a CROSS JOIN listed l CROSS JOIN LATERAL lead_scoring.confusion(l.totals, l.outcomes, a.threshold) c
   WHERE a.threshold IS NOT NULL
   GROUP BY a.threshold, c.true_positives, c.false_positives, c.true_negatives, c.false_negatives, c."precision", c.recall, c.f1, c.false_positive_rate, c.false_negative_rate,
            c.share, c.conversion_rate
   ORDER BY a.threshold DESC
$$;
COMMENT ON FUNCTION lead_scoring.threshold_report(text, text, timestamptz, double precision[]) IS
  'What thresholds of a score would have made of the finished cases of a model: selected (score at least the threshold) and share, and the numbers of confusion(), among them the shares of false positives (of those that did not convert) and of false negatives (of those that did), 0..1; lift = precision / conversion rate of all. thresholds: NULL takes the lower bounds of the score''s bands and what recommend_threshold says; origin tells where a threshold comes from';
