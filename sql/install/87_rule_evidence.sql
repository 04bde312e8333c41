-- Rules judged by outcomes: what converts where a rule pays, whether that is what was promised, and what its points should be.

CREATE FUNCTION lead_scoring.require_rule_score(score text, model text) RETURNS lead_scoring.score LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  judged lead_scoring.score := lead_scoring.require_judged(require_rule_score.score, require_rule_score.model);
BEGIN
  IF judged.kind = 'likelihood' THEN
    RAISE EXCEPTION 'score "%" is a likelihood and has no rules', judged.name USING ERRCODE = 'wrong_object_type',
      HINT = 'Name a score with rules; explain_prediction() tells what a likelihood is made of.';
  END IF;
  RETURN judged;
END $$;
COMMENT ON FUNCTION lead_scoring.require_rule_score(text, text) IS 'The score of this name; raises as require_judged, and 42809 for a likelihood, which has no rules';

CREATE FUNCTION lead_scoring.rules_paying(
  score text, record_keys text[], snapshots timestamptz[],
  OUT record_key text, OUT snapshot timestamptz, OUT rule text, OUT points double precision)
RETURNS SETOF record LANGUAGE sql STABLE PARALLEL UNSAFE ROWS 10000
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $$
  SELECT p.record_key, a.snapshot, p.rule, p.points
    FROM (SELECT u.snapshot, array_agg(u.record_key) AS keys FROM unnest(record_keys, snapshots) u (record_key, snapshot) WHERE u.snapshot IS NOT NULL GROUP BY u.snapshot) a
   CROSS JOIN LATERAL lead_scoring.rule_points(rules_paying.score, a.snapshot, a.keys) p
   WHERE p.pays
$$;
COMMENT ON FUNCTION lead_scoring.rules_paying(text, text[], timestamptz[]) IS 'The rules that pay for record_keys[i] as of snapshots[i], with the points';

CREATE FUNCTION lead_scoring.rule_evidence(
  score text, model text, as_of timestamptz DEFAULT now(),
  OUT rule text, OUT group_name text, OUT points double precision, OUT mean_points double precision,
  OUT samples_with bigint, OUT converted_with bigint, OUT rate_with double precision,
  OUT samples_without bigint, OUT converted_without bigint, OUT rate_without double precision,
  OUT difference double precision, OUT standard_error double precision, OUT difference_lowest double precision, OUT difference_highest double precision,
  OUT lift double precision, OUT verdict text)
RETURNS SETOF record LANGUAGE plpgsql STABLE PARALLEL UNSAFE ROWS 50
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $$
#variable_conflict use_column
BEGIN
  PERFORM lead_scoring.require_rule_score(rule_evidence.score, rule_evidence.model);
  RETURN QUERY
  WITH samples AS MATERIALIZED (
    SELECT s.* FROM lead_scoring.backtest_samples(rule_evidence.score, rule_evidence.model, rule_evidence.as_of) s WHERE s.total IS NOT NULL
  ), base AS (
    SELECT count(*) AS samples, count(*) FILTER (WHERE s.converted) AS converted FROM samples s
  ), paying AS (
    SELECT p.rule, count(*) AS samples, count(*) FILTER (WHERE s.converted) AS converted, avg(p.points) AS mean
      FROM lead_scoring.rules_paying(rule_evidence.score, (SELECT array_agg(s.record_key) FROM samples s), (SELECT array_agg(s.snapshot) FROM samples s)) p
      JOIN samples s ON s.record_key = p.record_key AND s.snapshot = p.snapshot
     GROUP BY p.rule
  ), counted AS (
    SELECT r.name, r.group_name, r.points, p.mean, CASE r.effect WHEN 'multiply' THEN r.points - 1 ELSE r.points END AS direction,
           coalesce(p.samples, 0) AS samples, coalesce(p.converted, 0) AS converted, b.samples AS all_samples, b.converted AS all_converted
      FROM lead_scoring.rule r CROSS JOIN base b LEFT JOIN paying p ON p.rule = r.name
     WHERE r.score = rule_evidence.score AND r.enabled
  )
  SELECT c.name, c.group_name, c.points, c.mean, c.samples, c.converted, c.converted / nullif(c.samples, 0)::double precision,
         c.all_samples - c.samples, c.all_converted - c.converted, (c.all_converted - c.converted) / nullif(c.all_samples - c.samples, 0)::double precision,
         d.difference, d.standard_error, d.lowest, d.highest,
         c.converted / nullif(c.samples, 0)::double precision / nullif(c.all_converted / nullif(c.all_samples, 0)::double precision, 0),
         CASE WHEN c.all_samples = 0 THEN 'unknown' WHEN c.samples = 0 THEN 'never pays' WHEN c.samples = c.all_samples THEN 'always pays'
              WHEN c.direction = 0 THEN 'neutral'
              WHEN d.lowest > 0 THEN CASE WHEN c.direction > 0 THEN 'confirmed' ELSE 'contradicted' END
              WHEN d.highest < 0 THEN CASE WHEN c.direction < 0 THEN 'confirmed' ELSE 'contradicted' END
              ELSE 'not clear' END
    FROM counted c LEFT JOIN LATERAL lead_scoring.rate_difference(c.converted, c.samples, c.all_converted - c.converted, c.all_samples - c.samples) d ON true
   ORDER BY d.difference DESC NULLS LAST, c.name COLLATE "C";
END $$;
COMMENT ON FUNCTION lead_scoring.rule_evidence(text, text, timestamptz) IS
  'What the points of each enabled rule rest upon: the finished cases of a model for which the rule paid as of the snapshot (mean_points: so much on average) beside those for which it did not, with their conversion rates, the difference of these, its standard error and 95 % interval (rate_difference), and lift = rate_with / rate of all. verdict: confirmed if the interval leaves 0 out on the side of the points, contradicted on the other side, not clear; never pays, always pays; neutral for a multiplier of 1, which says nothing; unknown without any finished case. Each rule is looked at by itself: what rules say together is for weight_proposals(). Raises as backtest_samples, and 42809 for a likelihood';

CREATE FUNCTION lead_scoring.rule_health(
  score text, model text, as_of timestamptz DEFAULT now(), period text DEFAULT 'month', tolerance numeric DEFAULT 0.15, min_samples integer DEFAULT 30,
  consecutive integer DEFAULT 2, prediction text DEFAULT 'score',
  OUT rule text, OUT begins timestamptz, OUT samples bigint, OUT converted bigint, OUT predicted double precision, OUT actual double precision,
  OUT ratio double precision, OUT below boolean, OUT times_below bigint, OUT flagged boolean)
RETURNS SETOF record LANGUAGE plpgsql STABLE PARALLEL UNSAFE ROWS 200
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $$
#variable_conflict use_column
BEGIN
  PERFORM lead_scoring.require_rule_score(rule_health.score, rule_health.model);
  IF (rule_health.tolerance BETWEEN 0 AND 1 AND rule_health.min_samples >= 1 AND rule_health.consecutive BETWEEN 1 AND 1000 AND rule_health.prediction IN ('score', 'model')) IS NOT TRUE THEN
    RAISE EXCEPTION 'tolerance, min_samples, consecutive or prediction out of range: %, %, %, %', coalesce(rule_health.tolerance::text, 'NULL'),
      coalesce(rule_health.min_samples::text, 'NULL'), coalesce(rule_health.consecutive::text, 'NULL'), coalesce(rule_health.prediction, 'NULL')
      USING ERRCODE = 'invalid_parameter_value', HINT = 'tolerance is 0 to 1, min_samples at least 1, consecutive 1 to 1000, prediction is score or model.';
  END IF;
  RETURN QUERY
  WITH samples AS MATERIALIZED (
    SELECT s.record_key, s.snapshot, s.converted, s.band, lead_scoring.period_of(rule_health.period, s.snapshot) AS begins
      FROM lead_scoring.backtest_samples(rule_health.score, rule_health.model, rule_health.as_of) s WHERE s.total IS NOT NULL
  ), numbered AS (
    SELECT p.begins, row_number() OVER (ORDER BY p.begins) AS number FROM (SELECT DISTINCT s.begins FROM samples s) p
  ), promised AS (
    -- What each band converted at before the run of periods that is being judged
    SELECT b.begins, b.band, sum(b.converted) OVER before AS converted, sum(b.samples) OVER before AS samples
      FROM (SELECT s.begins, s.band, n.number, count(*) AS samples, count(*) FILTER (WHERE s.converted) AS converted
              FROM samples s JOIN numbered n ON n.begins = s.begins GROUP BY s.begins, s.band, n.number) b
    WINDOW before AS (PARTITION BY b.band ORDER BY b.number RANGE BETWEEN UNBOUNDED PRECEDING AND rule_health.consecutive PRECEDING)
  ), likely AS (
    SELECT p.record_key, p.instant, round((100 * p.probability)::numeric, 4) / 100 AS probability
      FROM (SELECT array_agg(s.record_key ORDER BY s.snapshot) AS keys, array_agg(s.snapshot ORDER BY s.snapshot) AS snapshots
              FROM samples s WHERE rule_health.prediction = 'model') a
     CROSS JOIN LATERAL lead_scoring.predictions(rule_health.model, a.keys, a.snapshots) p
     WHERE a.keys IS NOT NULL
  ), expected AS MATERIALIZED (
    SELECT s.record_key, s.snapshot, s.begins, s.converted, CASE rule_health.prediction WHEN 'model' THEN l.probability ELSE b.converted / nullif(b.samples, 0) END AS probability
      FROM samples s JOIN promised b ON b.begins = s.begins AND b.band = s.band
      LEFT JOIN likely l ON l.record_key = s.record_key AND l.instant = s.snapshot
  ), periods AS (
    SELECT p.rule, e.begins, count(*) AS samples, count(*) FILTER (WHERE e.converted) AS converted, sum(e.probability) AS expected
      FROM lead_scoring.rules_paying(rule_health.score, (SELECT array_agg(s.record_key) FROM samples s), (SELECT array_agg(s.snapshot) FROM samples s)) p
      JOIN expected e ON e.record_key = p.record_key AND e.snapshot = p.snapshot
     WHERE e.probability IS NOT NULL
     GROUP BY p.rule, e.begins
  ), judged AS (
    -- Exact: 34 of 200 that were promised 20 % are not more than 0.85 times that
    SELECT p.*, CASE WHEN p.samples >= rule_health.min_samples THEN p.converted <= round((1 - rule_health.tolerance) * p.expected, 12) END AS below FROM periods p
  ), runs AS (
    SELECT j.*, count(*) FILTER (WHERE NOT j.below) OVER (PARTITION BY j.rule ORDER BY j.begins) AS run FROM judged j
  ), counted AS (
    SELECT r.*, CASE WHEN r.below IS NOT NULL THEN count(*) FILTER (WHERE r.below) OVER (PARTITION BY r.rule, r.run ORDER BY r.begins) END AS times FROM runs r
  )
  SELECT c.rule, c.begins, c.samples, c.converted, (c.expected / c.samples)::double precision, c.converted::double precision / c.samples,
         (c.converted / nullif(c.expected, 0))::double precision, c.below, c.times, c.times >= rule_health.consecutive
    FROM counted c ORDER BY c.rule COLLATE "C", c.begins;
END $$;
COMMENT ON FUNCTION lead_scoring.rule_health(text, text, timestamptz, text, numeric, integer, integer, text) IS
  'Whether records for which a rule pays convert as often as the score promises, by period of the snapshots (week, month, quarter or year, in UTC). prediction score: each record is predicted to convert as often as its band did in earlier periods, all those but the last consecutive - 1 before the period, so that a run of bad periods is not a part of what it is compared with; prediction model: with the probability that the champion of the model gives it as of the snapshot. predicted and actual are 0..1, over the records that there is a prediction for; ratio = actual / predicted; below: actual <= (1 - tolerance) * predicted, compared exactly (NULL with fewer than min_samples records); times_below: in how many periods in a row, those with too few records passed over; flagged: in at least consecutive of them, the rule should be looked at. Raises 22023 for arguments out of range, else as rule_evidence';

CREATE FUNCTION lead_scoring.weight_proposals(
  score text, model text, as_of timestamptz DEFAULT now(), min_samples integer DEFAULT 30,
  OUT rule text, OUT group_name text, OUT samples bigint, OUT current_points double precision, OUT proposed_points double precision, OUT factor double precision,
  OUT coefficient double precision, OUT standard_error double precision, OUT odds_ratio double precision, OUT change text, OUT reason text)
RETURNS SETOF record LANGUAGE plpgsql STABLE PARALLEL UNSAFE ROWS 50
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $$
#variable_conflict use_column
BEGIN
  PERFORM lead_scoring.require_rule_score(weight_proposals.score, weight_proposals.model);
  IF (weight_proposals.min_samples >= 1) IS NOT TRUE THEN
    RAISE EXCEPTION 'min_samples out of range: %', coalesce(weight_proposals.min_samples::text, 'NULL') USING ERRCODE = 'invalid_parameter_value',
      HINT = 'It is how many finished cases a rule must pay for, and not pay for, at least 1.';
  END IF;
  RETURN QUERY
  WITH samples AS MATERIALIZED (
    SELECT s.record_key, s.snapshot, s.converted
      FROM lead_scoring.backtest_samples(weight_proposals.score, weight_proposals.model, weight_proposals.as_of) s WHERE s.total IS NOT NULL
  ), paying AS MATERIALIZED (
    SELECT p.record_key, p.snapshot, r.name, p.points / r.points AS times
      FROM lead_scoring.rules_paying(weight_proposals.score, (SELECT array_agg(s.record_key) FROM samples s), (SELECT array_agg(s.snapshot) FROM samples s)) p
      JOIN lead_scoring.rule r ON r.score = weight_proposals.score AND r.name = p.rule AND r.effect = 'add'
  ), base AS (
    SELECT count(*) AS samples, bool_or(s.converted) AND bool_or(NOT s.converted) AS mixed FROM samples s
  ), used AS MATERIALIZED (
    -- Over all samples, those for which the rule does not pay counting as 0
    SELECT p.name, count(*) AS samples, sqrt(greatest(sum(p.times ^ 2) / b.samples - (sum(p.times) / b.samples) ^ 2, 0)) AS deviation,
           count(*) >= weight_proposals.min_samples AND b.samples - count(*) >= weight_proposals.min_samples AND b.mixed AS enough
      FROM paying p CROSS JOIN base b
     GROUP BY p.name, b.samples, b.mixed
  ), terms AS MATERIALIZED (
    SELECT u.name, u.deviation, row_number() OVER (ORDER BY u.name COLLATE "C") AS term FROM used u WHERE u.enough AND u.deviation > 0
  ), lines AS (
    SELECT s.converted, array_agg(coalesce(p.times / t.deviation, 0) ORDER BY t.term) AS line
      FROM samples s CROSS JOIN terms t LEFT JOIN paying p ON p.record_key = s.record_key AND p.snapshot = s.snapshot AND p.name = t.name
     GROUP BY s.record_key, s.snapshot, s.converted
  ), fitted AS MATERIALIZED (
    SELECT t.name, l.coefficient / t.deviation AS coefficient, l.standard_error / t.deviation AS error, t.deviation
      FROM (SELECT array_agg(l.converted) AS outcomes, array_agg(l.line) AS features FROM lines l) a
     CROSS JOIN LATERAL lead_scoring.logistic_regression(a.outcomes, a.features, 1) l
      JOIN terms t ON t.term = l.term
  ), scaled AS (
    -- Points for a log-odds of 1, so that the points that rules make on average stay what they are
    SELECT sum(abs(r.points) * f.deviation) / nullif(sum(abs(f.coefficient) * f.deviation), 0) AS scale
      FROM fitted f JOIN lead_scoring.rule r ON r.score = weight_proposals.score AND r.name = f.name
  ), worth AS (
    SELECT r.name, r.group_name, r.effect, r.points, coalesce(u.samples, 0) AS samples, b.samples AS all_samples, b.mixed, f.coefficient, f.error, f.coefficient * s.scale AS points_worth,
           (f.coefficient - 1.959963984540054 * f.error) * s.scale AS lowest, (f.coefficient + 1.959963984540054 * f.error) * s.scale AS highest
      FROM lead_scoring.rule r CROSS JOIN scaled s CROSS JOIN base b LEFT JOIN used u ON u.name = r.name LEFT JOIN fitted f ON f.name = r.name
     WHERE r.score = weight_proposals.score AND r.enabled
  ), proposed AS (
    -- Nothing is turned round that may well be 0
    SELECT w.*, CASE WHEN (w.points < w.lowest OR w.points > w.highest) IS NOT TRUE THEN w.points WHEN w.lowest < 0 AND w.highest > 0 AND sign(w.points_worth) = -sign(w.points) THEN 0
                     ELSE round(w.points_worth::numeric, 1)::double precision END AS proposal FROM worth w
  )
  SELECT p.name, p.group_name, p.samples, p.points, p.proposal, CASE WHEN p.effect = 'add' THEN p.proposal / nullif(p.points, 0) END,
         p.coefficient, p.error, CASE WHEN p.coefficient IS NOT NULL THEN exp(least(p.coefficient, 700)) END,
         CASE WHEN p.proposal = p.points THEN 'keep' WHEN p.proposal <> 0 AND sign(p.proposal) = -sign(p.points) THEN 'turn round' WHEN abs(p.proposal) > abs(p.points) THEN 'raise' ELSE 'lower' END,
         CASE WHEN p.effect = 'multiply' THEN 'it multiplies; nothing is proposed for that'
              WHEN p.points = 0 THEN 'it pays nothing: give it some points to learn what it is worth'
              WHEN p.coefficient IS NULL AND p.samples = p.all_samples AND p.samples > 0 THEN format('it always pays: there is no finished case without it among %s', p.samples)
              WHEN p.coefficient IS NULL AND NOT p.mixed THEN 'all finished cases came out alike'
              WHEN p.coefficient IS NULL AND p.samples >= weight_proposals.min_samples THEN format('too few finished cases without it: it does not pay for %s', p.all_samples - p.samples)
              WHEN p.coefficient IS NULL THEN format('too few finished cases: it pays for %s', p.samples)
              ELSE format('each match multiplies the odds by %s, worth %s points (%s to %s)%s', round(exp(least(p.coefficient, 700))::numeric, 2), round(p.points_worth::numeric, 1),
                          round(p.lowest::numeric, 1), round(p.highest::numeric, 1), CASE WHEN p.proposal = p.points THEN ': no clear reason to change' ELSE '' END) END
    FROM proposed p ORDER BY abs(p.proposal - p.points) DESC, p.name COLLATE "C";
END $$;
COMMENT ON FUNCTION lead_scoring.weight_proposals(text, text, timestamptz, integer) IS
  'What the points of each enabled rule should be by the finished cases of a model: a logistic regression of the conversions on how often each rule pays (its points / the points of one match), all rules together, with a penalty of 1 (L2, features scaled to a standard deviation of 1). coefficient: what a match adds to the log-odds; odds_ratio = exp(coefficient); both are NULL where nothing is proposed. Points are the coefficient times a scale that leaves the points that rules make on average as they are. proposed_points are the current ones unless these lie outside the 95 % interval, and 0 where the coefficient has the other sign but its interval holds 0; factor = proposed / current; change: keep, raise, lower or turn round. Nothing is proposed for multipliers, rules of 0 points, and rules that pay, or do not pay, for fewer than min_samples cases. Nothing is written: make a draft() and update its rules. Raises as rule_evidence, and 22023 for min_samples below 1';

CREATE VIEW lead_scoring.band_outcomes AS
  SELECT s.name AS score, m.name AS model, b.rank, b.band, b.open_records, b.samples, b.converted, b.closing_probability, b.probability_lowest, b.probability_highest,
         b.cycle_days, b.cycle_days_lower_quartile, b.cycle_days_upper_quartile
    FROM lead_scoring.score s
    JOIN lead_scoring.readable_score r ON r.score = s.name
    JOIN lead_scoring.model m ON m.record_type = s.record_type AND EXISTS (SELECT FROM lead_scoring.feature f WHERE f.model = m.name AND f.enabled)
     AND NOT EXISTS (SELECT FROM lead_scoring.source o CROSS JOIN LATERAL (VALUES (o.relation), (o.through)) x (relation)
                      WHERE o.record_type = m.record_type AND x.relation IS NOT NULL
                        AND (lead_scoring.uses_source(s.name, o.name) OR lead_scoring.model_uses_source(m.name, o.name))
                        AND (has_table_privilege(x.relation, 'SELECT') IS NOT TRUE OR row_security_active(x.relation)))
   CROSS JOIN LATERAL lead_scoring.band_outcomes(s.name, m.name) b
   WHERE s.status = 'active' AND s.kind <> 'likelihood';
CREATE VIEW lead_scoring.rule_health AS
  SELECT s.name AS score, m.name AS model, h.rule, h.begins, h.samples, h.converted, h.predicted, h.actual, h.ratio, h.below, h.times_below, h.flagged
    FROM lead_scoring.score s
    JOIN lead_scoring.readable_score r ON r.score = s.name
    JOIN lead_scoring.model m ON m.record_type = s.record_type AND EXISTS (SELECT FROM lead_scoring.feature f WHERE f.model = m.name AND f.enabled)
     AND NOT EXISTS (SELECT FROM lead_scoring.source o CROSS JOIN LATERAL (VALUES (o.relation), (o.through)) x (relation)
                      WHERE o.record_type = m.record_type AND x.relation IS NOT NULL
                        AND (lead_scoring.uses_source(s.name, o.name) OR lead_scoring.model_uses_source(m.name, o.name))
                        AND (has_table_privilege(x.relation, 'SELECT') IS NOT TRUE OR row_security_active(x.relation)))
   CROSS JOIN LATERAL lead_scoring.rule_health(s.name, m.name) h
   WHERE s.status = 'active' AND s.kind <> 'likelihood';
DO $$
BEGIN
  -- Before 15 there is no such option; all that is read with the owner's rights is what everybody may read
  IF current_setting('server_version_num')::integer >= 150000 THEN
    ALTER VIEW lead_scoring.band_outcomes SET (security_invoker = true);
    ALTER VIEW lead_scoring.rule_health SET (security_invoker = true);
  END IF;
END $$;
COMMENT ON VIEW lead_scoring.band_outcomes IS 'The funnel by band as of now: band_outcomes() for each active score with rules of which the current user may read all, by each model of the same records of which he may read the sources. Ask for one score and model: each is computed when it is read';
COMMENT ON COLUMN lead_scoring.band_outcomes.score IS 'Score';
COMMENT ON COLUMN lead_scoring.band_outcomes.model IS 'Model whose finished cases are counted';
COMMENT ON COLUMN lead_scoring.band_outcomes.rank IS 'Place of the band by mean score, 1 for the best (NULL: without finished cases)';
COMMENT ON COLUMN lead_scoring.band_outcomes.band IS 'Band: a label, or a tenth of the finished cases';
COMMENT ON COLUMN lead_scoring.band_outcomes.open_records IS 'Open records in the band now (NULL: bands are tenths)';
COMMENT ON COLUMN lead_scoring.band_outcomes.samples IS 'Finished cases that were in the band at their snapshot';
COMMENT ON COLUMN lead_scoring.band_outcomes.converted IS 'How many of them converted within the horizon';
COMMENT ON COLUMN lead_scoring.band_outcomes.closing_probability IS 'converted / samples, 0..1';
COMMENT ON COLUMN lead_scoring.band_outcomes.probability_lowest IS 'Lower end of its 95 % interval, 0..1';
COMMENT ON COLUMN lead_scoring.band_outcomes.probability_highest IS 'Upper end of its 95 % interval, 0..1';
COMMENT ON COLUMN lead_scoring.band_outcomes.cycle_days IS 'Median days from the snapshot to the conversion, of those that converted';
COMMENT ON COLUMN lead_scoring.band_outcomes.cycle_days_lower_quartile IS 'A quarter of them took fewer days than this';
COMMENT ON COLUMN lead_scoring.band_outcomes.cycle_days_upper_quartile IS 'A quarter of them took more days than this';
COMMENT ON VIEW lead_scoring.rule_health IS 'Rules beside what the score promised: rule_health() with its defaults, as of now, for each active score with rules of which the current user may read all, by each model of the same records of which he may read the sources. Ask for one score and model: each is computed when it is read';
COMMENT ON COLUMN lead_scoring.rule_health.score IS 'Score';
COMMENT ON COLUMN lead_scoring.rule_health.model IS 'Model whose finished cases are counted';
COMMENT ON COLUMN lead_scoring.rule_health.rule IS 'Rule';
COMMENT ON COLUMN lead_scoring.rule_health.begins IS 'First instant of the month (UTC) of the snapshots';
COMMENT ON COLUMN lead_scoring.rule_health.samples IS 'Finished cases for which the rule paid and there is a prediction';
COMMENT ON COLUMN lead_scoring.rule_health.converted IS 'How many of them converted';
COMMENT ON COLUMN lead_scoring.rule_health.predicted IS 'Share that should have converted, by how their bands did in earlier months, 0..1';
COMMENT ON COLUMN lead_scoring.rule_health.actual IS 'converted / samples, 0..1';
COMMENT ON COLUMN lead_scoring.rule_health.ratio IS 'actual / predicted';
COMMENT ON COLUMN lead_scoring.rule_health.below IS 'Whether actual is 15 % or more below predicted (NULL: fewer than 30 samples)';
COMMENT ON COLUMN lead_scoring.rule_health.times_below IS 'In how many months in a row it was';
COMMENT ON COLUMN lead_scoring.rule_health.flagged IS 'Whether it was in at least two: the rule should be looked at';
GRANT SELECT ON lead_scoring.band_outcomes, lead_scoring.rule_health TO PUBLIC;
