-- Records as they stood at instants of the past: what the functions that judge scores by outcomes are made of.

CREATE FUNCTION lead_scoring.predictions(
  model text, record_keys text[], instants timestamptz[],
  OUT record_key text, OUT instant timestamptz, OUT probability double precision)
RETURNS SETOF record
  AS 'MODULE_PATHNAME', 'lead_scoring_predictions' LANGUAGE C STABLE PARALLEL UNSAFE ROWS 10000;
COMMENT ON FUNCTION lead_scoring.predictions(text, text[], timestamptz[]) IS
  'Probability, 0 to 1, that the champion of a model gives record_keys[i] as of instants[i], whether or not the record has converted since; records that do not exist are left out. Keys with the same instant are predicted together if they stand together. Raises 22023 for lists of different lengths or with a NULL, 55000 for a model that has not been trained';

CREATE FUNCTION lead_scoring.outcome_instants(
  model text, as_of timestamptz DEFAULT now(), keys text[] DEFAULT NULL,
  OUT record_key text, OUT outcome timestamptz)
RETURNS SETOF record
  AS 'MODULE_PATHNAME', 'lead_scoring_outcome_instants' LANGUAGE C STABLE PARALLEL UNSAFE ROWS 10000;
COMMENT ON FUNCTION lead_scoring.outcome_instants(text, timestamptz, text[]) IS
  'When records converted, by the outcome of a model, for those that have; as_of is what the expression of the outcome sees. No rows for a model whose outcome is boolean';

CREATE FUNCTION lead_scoring.logistic_regression(
  outcomes boolean[], features double precision[], penalty double precision DEFAULT 0,
  OUT term integer, OUT coefficient double precision, OUT standard_error double precision)
RETURNS SETOF record
  AS 'MODULE_PATHNAME', 'lead_scoring_logistic_regression' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100000 ROWS 20;
COMMENT ON FUNCTION lead_scoring.logistic_regression(boolean[], double precision[], double precision) IS
  'Logistic regression: ln(p / (1 - p)) = coefficient of term 0 + sum of coefficient * feature, where features[i] is the list of the features of the record that outcomes[i] is about, and term n its n-th number. By Newton''s method (Hastie, Tibshirani, Friedman, The Elements of Statistical Learning, 2009, section 4.4.1); half the penalty times the sum of squares of the coefficients but that of term 0 is added to the negative log-likelihood. standard_error: root of the diagonal of the inverse information. Coefficients are NULL, with a WARNING, where no finite ones are best. Raises 22023 for lists that do not fit together, NULL, numbers that are not finite, a negative penalty, more than 1000 features';

CREATE FUNCTION lead_scoring.wilson_interval(converted bigint, samples bigint, z double precision DEFAULT 1.959963984540054,
  OUT lowest double precision, OUT highest double precision)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
  -- Where there is no answer nothing may fail, either: constants may be computed before the conditions are looked at
  SELECT greatest((p + z * z / (2 * n) - half) / (1 + z * z / n), 0), least((p + z * z / (2 * n) + half) / (1 + z * z / n), 1)
    FROM (SELECT nullif(samples, 0)::double precision AS n, converted / nullif(samples, 0)::double precision AS p) c,
         LATERAL (SELECT z * sqrt(abs(p * (1 - p) / n + z * z / (4 * n * n))) AS half WHERE samples > 0) h
   WHERE converted BETWEEN 0 AND samples AND abs(z) < 1e9
$$;
COMMENT ON FUNCTION lead_scoring.wilson_interval(bigint, bigint, double precision) IS
  'Confidence interval, 0..1, of a conversion rate of which converted of samples are known (Wilson, Journal of the American Statistical Association 22, 1927, pages 209 to 212); z = 1.96 for 95 %. NULL without samples, or if there are more converted than samples';

CREATE FUNCTION lead_scoring.rate_difference(
  converted_a bigint, samples_a bigint, converted_b bigint, samples_b bigint,
  OUT difference double precision, OUT standard_error double precision, OUT lowest double precision, OUT highest double precision)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT a.rate - b.rate, sqrt(abs(a.rate * (1 - a.rate) / samples_a + b.rate * (1 - b.rate) / samples_b)),
         a.rate - b.rate - sqrt((a.rate - i.lowest) ^ 2 + (j.highest - b.rate) ^ 2),
         a.rate - b.rate + sqrt((i.highest - a.rate) ^ 2 + (b.rate - j.lowest) ^ 2)
    FROM lead_scoring.wilson_interval(converted_a, samples_a) i, lead_scoring.wilson_interval(converted_b, samples_b) j,
         LATERAL (SELECT converted_a / nullif(samples_a, 0)::double precision AS rate) a,
         LATERAL (SELECT converted_b / nullif(samples_b, 0)::double precision AS rate) b
   WHERE converted_a BETWEEN 0 AND samples_a AND converted_b BETWEEN 0 AND samples_b
$$;
COMMENT ON FUNCTION lead_scoring.rate_difference(bigint, bigint, bigint, bigint) IS
  'How much more often records of a convert than those of b: difference of the rates, its standard error, and its 95 % confidence interval from the Wilson intervals of both (Newcombe, Statistics in Medicine 17, 1998, pages 873 to 890, method 10). NULL where one of them has no samples';
