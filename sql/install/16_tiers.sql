-- Tiers: labels for shares of the records, best first.

CREATE FUNCTION lead_scoring.tier(tiers integer) RETURNS integer
  AS 'MODULE_PATHNAME', 'lead_scoring_tier' LANGUAGE C WINDOW IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION lead_scoring.tier(integer) IS
  'Tier of the row, 1 for the best, in OVER (ORDER BY score DESC): sizes as of ntile, ties dealt in the window''s order. Rows with a NULL score get NULL and do not count. Raises 22014 for fewer than 1 or more than 1,000,000 tiers';
CREATE FUNCTION lead_scoring.tier(tiers integer, mode text) RETURNS integer
  AS 'MODULE_PATHNAME', 'lead_scoring_tier_mode' LANGUAGE C WINDOW IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION lead_scoring.tier(integer, text) IS
  'The same; with mode ''together'' rows that the window''s order does not tell apart share the tier floor(tiers * share of strictly higher scores) + 1, with ''ntile'' they are dealt out';
CREATE FUNCTION lead_scoring.tier(labels text[]) RETURNS text
  AS 'MODULE_PATHNAME', 'lead_scoring_tier_label' LANGUAGE C WINDOW IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION lead_scoring.tier(text[]) IS
  'Label of the row''s tier, one tier for each label, best first. Raises 22023 for labels that are NULL or empty';
CREATE FUNCTION lead_scoring.contact_priority(is_customer boolean) RETURNS text
  AS 'MODULE_PATHNAME', 'lead_scoring_contact_priority' LANGUAGE C WINDOW IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION lead_scoring.contact_priority(boolean) IS
  'Priority of a contact in OVER (ORDER BY likelihood DESC): Very High, High, Medium and Low for a quarter of the open contacts each; Closed Won for customers, who do not count; NULL without a likelihood';

CREATE TYPE lead_scoring.tier_sample;

CREATE FUNCTION lead_scoring.tier_sample_in(cstring) RETURNS lead_scoring.tier_sample
  AS 'MODULE_PATHNAME', 'lead_scoring_tier_sample_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION lead_scoring.tier_sample_out(lead_scoring.tier_sample) RETURNS cstring
  AS 'MODULE_PATHNAME', 'lead_scoring_tier_sample_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION lead_scoring.tier_sample_recv(internal) RETURNS lead_scoring.tier_sample
  AS 'MODULE_PATHNAME', 'lead_scoring_tier_sample_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION lead_scoring.tier_sample_send(lead_scoring.tier_sample) RETURNS bytea
  AS 'MODULE_PATHNAME', 'lead_scoring_tier_sample_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE TYPE lead_scoring.tier_sample (
  INPUT = lead_scoring.tier_sample_in,
  OUTPUT = lead_scoring.tier_sample_out,
  RECEIVE = lead_scoring.tier_sample_recv,
  SEND = lead_scoring.tier_sample_send,
  INTERNALLENGTH = VARIABLE,
  ALIGNMENT = double,
  STORAGE = extended
);
COMMENT ON TYPE lead_scoring.tier_sample IS 'State of the aggregate tier_cutoffs: all scores, or a sample of them';

CREATE FUNCTION lead_scoring.tier_cutoffs_trans(lead_scoring.tier_sample, score double precision, tiers integer) RETURNS lead_scoring.tier_sample
  AS 'MODULE_PATHNAME', 'lead_scoring_tier_cutoffs_trans' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION lead_scoring.tier_cutoffs_trans(lead_scoring.tier_sample, double precision, integer) IS 'Transition of tier_cutoffs';
CREATE FUNCTION lead_scoring.tier_cutoffs_accuracy_trans(lead_scoring.tier_sample, score double precision, tiers integer, accuracy double precision)
RETURNS lead_scoring.tier_sample
  AS 'MODULE_PATHNAME', 'lead_scoring_tier_cutoffs_accuracy_trans' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION lead_scoring.tier_cutoffs_accuracy_trans(lead_scoring.tier_sample, double precision, integer, double precision) IS 'Transition of tier_cutoffs with an accuracy';
CREATE FUNCTION lead_scoring.tier_cutoffs_combine(lead_scoring.tier_sample, lead_scoring.tier_sample) RETURNS lead_scoring.tier_sample
  AS 'MODULE_PATHNAME', 'lead_scoring_tier_cutoffs_combine' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION lead_scoring.tier_cutoffs_combine(lead_scoring.tier_sample, lead_scoring.tier_sample) IS 'Merges two states of tier_cutoffs';
CREATE FUNCTION lead_scoring.tier_cutoffs_final(lead_scoring.tier_sample) RETURNS double precision[]
  AS 'MODULE_PATHNAME', 'lead_scoring_tier_cutoffs_final' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION lead_scoring.tier_cutoffs_final(lead_scoring.tier_sample) IS 'Result of tier_cutoffs';

CREATE AGGREGATE lead_scoring.tier_cutoffs(score double precision, tiers integer) (
  SFUNC = lead_scoring.tier_cutoffs_trans,
  STYPE = lead_scoring.tier_sample,
  SSPACE = 8192,
  COMBINEFUNC = lead_scoring.tier_cutoffs_combine,
  FINALFUNC = lead_scoring.tier_cutoffs_final,
  FINALFUNC_MODIFY = READ_ONLY,
  PARALLEL = SAFE
);
COMMENT ON AGGREGATE lead_scoring.tier_cutoffs(double precision, integer) IS
  'Lowest score of each tier but the last, best tier first, sizes as of ntile; exact, keeps all scores (8 bytes each, at most 100,000,000). NULL scores do not count';
CREATE AGGREGATE lead_scoring.tier_cutoffs(score double precision, tiers integer, accuracy double precision) (
  SFUNC = lead_scoring.tier_cutoffs_accuracy_trans,
  STYPE = lead_scoring.tier_sample,
  SSPACE = 8192,
  COMBINEFUNC = lead_scoring.tier_cutoffs_combine,
  FINALFUNC = lead_scoring.tier_cutoffs_final,
  FINALFUNC_MODIFY = READ_ONLY,
  PARALLEL = SAFE
);
COMMENT ON AGGREGATE lead_scoring.tier_cutoffs(double precision, integer, double precision) IS
  'The same from a sample: the rank of a cut-off is off by at most accuracy (0.00001 to 0.5) times the number of scores; keeps at most 20 / accuracy scores on each of log2(number * accuracy / 20) levels';

CREATE FUNCTION lead_scoring.tier_for(score double precision, cutoffs double precision[]) RETURNS integer
  AS 'MODULE_PATHNAME', 'lead_scoring_tier_for' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION lead_scoring.tier_for(double precision, double precision[]) IS
  'Tier of a score among cut-offs made by tier_cutoffs: the first whose lowest score it reaches, the last if none';

CREATE FUNCTION lead_scoring.rescale(score double precision, from_min double precision, from_max double precision, to_min double precision, to_max double precision)
RETURNS double precision
  AS 'MODULE_PATHNAME', 'lead_scoring_rescale' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION lead_scoring.rescale(double precision, double precision, double precision, double precision, double precision) IS
  'Maps a score from one range to another: to_min + (score - from_min) / (from_max - from_min) * (to_max - to_min); a score outside counts as the nearer end. Raises 22023 for an empty range, 22003 for numbers that are not finite';
CREATE FUNCTION lead_scoring.rescale(
  score double precision, is_qualified boolean,
  threshold double precision DEFAULT 71, best double precision DEFAULT 99, best_unqualified double precision DEFAULT 70)
RETURNS double precision LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT CASE WHEN is_qualified THEN lead_scoring.rescale(score, 0, 100, threshold, best)
              ELSE lead_scoring.rescale(score, 0, 100, 0, best_unqualified) END
$$;
COMMENT ON FUNCTION lead_scoring.rescale(double precision, boolean, double precision, double precision, double precision) IS
  'Maps a model score of 0..100 piecewise, so that every qualified record stands above every other: qualified ones to threshold..best (71..99), others to 0..best_unqualified (0..70)';
