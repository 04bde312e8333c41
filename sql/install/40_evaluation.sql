-- Evaluation: nothing is written.

CREATE FUNCTION lead_scoring.evaluate(
  score text, as_of timestamptz DEFAULT now(), keys text[] DEFAULT NULL,
  OUT record_key text, OUT total double precision, OUT fit double precision, OUT engagement double precision,
  OUT label text, OUT total_label text, OUT fit_label text, OUT engagement_label text)
RETURNS SETOF record
  AS 'MODULE_PATHNAME', 'lead_scoring_evaluate' LANGUAGE C STABLE PARALLEL UNSAFE ROWS 100000;
COMMENT ON FUNCTION lead_scoring.evaluate(text, timestamptz, text[]) IS
  'Scores of all records, or of those whose keys are given, as of an instant, computed now; NULL for records out of scope';

CREATE FUNCTION lead_scoring.explain(
  score text, record_key text, as_of timestamptz DEFAULT now(),
  OUT step integer, OUT level text, OUT part text, OUT group_name text, OUT rule text, OUT matched bigint,
  OUT raw double precision, OUT decayed double precision, OUT clamped double precision,
  OUT running_total double precision, OUT note text)
RETURNS SETOF record
  AS 'MODULE_PATHNAME', 'lead_scoring_explain' LANGUAGE C STABLE PARALLEL UNSAFE ROWS 50;
COMMENT ON FUNCTION lead_scoring.explain(text, text, timestamptz) IS
  'How the score of one record comes about: a row for each rule, group and part, and the total';

CREATE FUNCTION lead_scoring.preview(
  score text, bins integer DEFAULT 10, as_of timestamptz DEFAULT now(),
  OUT kind text, OUT bin integer, OUT lower_bound double precision, OUT upper_bound double precision,
  OUT label text, OUT records bigint, OUT share double precision)
RETURNS SETOF record LANGUAGE plpgsql STABLE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
  IF bins IS NULL OR bins NOT BETWEEN 1 AND 1000 THEN
    RAISE EXCEPTION 'number of bins out of range: %', coalesce(bins::text, 'NULL') USING ERRCODE = 'invalid_parameter_value',
      HINT = 'Use 1 to 1000 bins.';
  END IF;
  RETURN QUERY
  WITH scored AS MATERIALIZED (
    SELECT e.total, e.label FROM lead_scoring.evaluate(preview.score, preview.as_of) e
  ), bounds AS (
    SELECT count(*) AS all_records, min(total) AS low, max(total) AS high,
           CASE WHEN max(total) > min(total) THEN (max(total) - min(total)) / bins ELSE 1 END AS width
      FROM scored
  ), placed AS (
    SELECT least(floor((total - low) / width)::integer + 1, bins) AS bin, count(*) AS records
      FROM scored, bounds WHERE total IS NOT NULL GROUP BY 1
  )
  SELECT 'bin', g, round((low + (g - 1) * width)::numeric, 4)::double precision,
         round((low + g * width)::numeric, 4)::double precision, NULL::text, coalesce(p.records, 0),
         coalesce(p.records, 0)::double precision / all_records
    FROM bounds, generate_series(1, CASE WHEN high > low THEN bins ELSE 1 END) g LEFT JOIN placed p ON p.bin = g
   WHERE low IS NOT NULL
  UNION ALL
  (SELECT 'label', NULL, min(s.total), max(s.total), s.label, count(*), count(*)::double precision / all_records
     FROM scored s, bounds WHERE s.label IS NOT NULL GROUP BY s.label, all_records ORDER BY max(s.total) DESC, s.label)
  UNION ALL
  SELECT 'out of scope', NULL, NULL, NULL, NULL, count(*), count(*)::double precision / all_records
    FROM scored s, bounds WHERE s.total IS NULL GROUP BY all_records;
END $$;
COMMENT ON FUNCTION lead_scoring.preview(text, integer, timestamptz) IS
  'How records would be distributed over bins of equal width and over labels; share is of all records, 0..1';
