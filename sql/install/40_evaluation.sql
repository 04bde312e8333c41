-- Evaluation: nothing is written.

CREATE FUNCTION lead_scoring.evaluate(
  score text, as_of timestamptz DEFAULT now(), keys text[] DEFAULT NULL,
  OUT record_key text, OUT total double precision, OUT fit double precision, OUT engagement double precision,
  OUT label text, OUT total_label text, OUT fit_label text, OUT engagement_label text,
  OUT machine double precision, OUT adjustment double precision)
RETURNS SETOF record
  AS 'MODULE_PATHNAME', 'lead_scoring_evaluate' LANGUAGE C STABLE PARALLEL UNSAFE ROWS 100000;
COMMENT ON FUNCTION lead_scoring.evaluate(text, timestamptz, text[]) IS
  'Scores of all records, or of those whose keys are given, as of an instant, computed now; machine is the total without points by hand, adjustment what these come to; NULL for records out of scope';

CREATE FUNCTION lead_scoring.standing(
  score text, as_of timestamptz DEFAULT now(), keys text[] DEFAULT NULL,
  OUT record_key text, OUT total double precision, OUT fit double precision, OUT engagement double precision,
  OUT label text, OUT total_label text, OUT fit_label text, OUT engagement_label text,
  OUT machine double precision, OUT adjustment double precision,
  OUT last_activity timestamptz, OUT dormant boolean, OUT is_open boolean)
RETURNS SETOF record
  AS 'MODULE_PATHNAME', 'lead_scoring_standing' LANGUAGE C STABLE PARALLEL UNSAFE ROWS 100000;
COMMENT ON FUNCTION lead_scoring.standing(text, timestamptz, text[]) IS
  'The same as evaluate, with the time of the newest event in the event sources of the score, whether that is at least dormant_after ago, and whether the record is open';

CREATE FUNCTION lead_scoring.priority_queue(
  score text, as_of timestamptz DEFAULT now(), capacity integer DEFAULT NULL,
  OUT rank bigint, OUT record_key text, OUT total double precision, OUT label text, OUT last_activity timestamptz)
RETURNS SETOF record LANGUAGE plpgsql STABLE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF priority_queue.capacity < 0 THEN
    RAISE EXCEPTION 'capacity must not be negative: %', priority_queue.capacity USING ERRCODE = 'invalid_parameter_value',
      HINT = 'Give the number of records that can be worked on, or NULL for all.';
  END IF;
  RETURN QUERY
  SELECT row_number() OVER (ORDER BY s.total DESC, s.last_activity DESC NULLS LAST, s.record_key COLLATE "C"),
         s.record_key, s.total, s.label, s.last_activity
    FROM lead_scoring.standing(priority_queue.score, priority_queue.as_of) s
   WHERE s.total IS NOT NULL AND s.is_open AND NOT s.dormant
   ORDER BY 1 LIMIT priority_queue.capacity;
END $$;
COMMENT ON FUNCTION lead_scoring.priority_queue(text, timestamptz, integer) IS
  'Whom to call first: open records in scope that are not dormant, the best first, computed now; of two with the same score the one that was active last comes first';

CREATE FUNCTION lead_scoring.explain(
  score text, record_key text, as_of timestamptz DEFAULT now(),
  OUT step integer, OUT level text, OUT part text, OUT group_name text, OUT rule text, OUT matched bigint,
  OUT raw double precision, OUT decayed double precision, OUT clamped double precision,
  OUT running_total double precision, OUT note text)
RETURNS SETOF record
  AS 'MODULE_PATHNAME', 'lead_scoring_explain' LANGUAGE C STABLE PARALLEL UNSAFE ROWS 50;
COMMENT ON FUNCTION lead_scoring.explain(text, text, timestamptz) IS
  'How the score of one record comes about: a row for each rule, group and part, and the total. Of a likelihood: the log-odds of the average record, in raw what each feature adds to them, that which matters most first, with its value in note; then the total, with the likelihood in per cent. explain_prediction() says the same in words';

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
     FROM scored s, bounds WHERE s.label IS NOT NULL GROUP BY s.label, all_records ORDER BY max(s.total) DESC NULLS LAST, s.label)
  UNION ALL
  SELECT 'out of scope', NULL, NULL, NULL, NULL, count(*), count(*)::double precision / all_records
    FROM scored s, bounds WHERE s.total IS NULL AND s.label IS NULL GROUP BY all_records;
END $$;
COMMENT ON FUNCTION lead_scoring.preview(text, integer, timestamptz) IS
  'How records would be distributed over bins of equal width and over labels; share is of all records, 0..1';

CREATE FUNCTION lead_scoring.evaluations_under_way(
  OUT pid integer, OUT score_hash integer, OUT relation regclass, OUT phase integer, OUT done bigint, OUT expected bigint)
RETURNS SETOF record
  AS 'MODULE_PATHNAME', 'lead_scoring_progress' LANGUAGE C STABLE PARALLEL RESTRICTED ROWS 10;
COMMENT ON FUNCTION lead_scoring.evaluations_under_way() IS
  'Evaluations of scores in sessions whose activity the current user may see; the view lead_scoring.progress names them';

CREATE VIEW lead_scoring.progress AS
  SELECT u.pid, s.name AS score, m.name AS model,
         CASE u.phase WHEN 1 THEN 'reading sources' WHEN 2 THEN 'scoring records' WHEN 3 THEN 'writing columns'
                      WHEN 4 THEN 'collecting samples' WHEN 5 THEN 'training' END AS phase,
         u.done, nullif(u.expected, 0) AS expected,
         CASE WHEN u.expected > 0 THEN least(u.done::double precision / u.expected, 1) END AS share
    FROM lead_scoring.evaluations_under_way() u
    LEFT JOIN lead_scoring.score s ON hashtext(s.name) = u.score_hash AND u.phase < 4
    LEFT JOIN lead_scoring.model m ON hashtext('model ' || m.name) = u.score_hash AND u.phase >= 4;
DO $$
BEGIN
  IF current_setting('server_version_num')::integer >= 150000 THEN
    ALTER VIEW lead_scoring.progress SET (security_invoker = true);
  END IF;
END $$;
COMMENT ON VIEW lead_scoring.progress IS 'How far evaluations, activations, refreshes and trainings have come that are under way in sessions whose activity the current user may see';
COMMENT ON COLUMN lead_scoring.progress.pid IS 'Process of the session';
COMMENT ON COLUMN lead_scoring.progress.score IS 'Score (NULL if its definition is not committed yet, and for trainings)';
COMMENT ON COLUMN lead_scoring.progress.model IS 'Model that is being trained (NULL otherwise)';
COMMENT ON COLUMN lead_scoring.progress.phase IS 'reading sources, scoring records or writing columns; of a training, collecting samples or training';
COMMENT ON COLUMN lead_scoring.progress.done IS 'Rows of the phase that are done; snapshots of collecting samples, thousandths of training';
COMMENT ON COLUMN lead_scoring.progress.expected IS 'Rows of the relation, as last estimated by ANALYZE (NULL: unknown); snapshots in all, or 1000';
COMMENT ON COLUMN lead_scoring.progress.share IS 'done as a share of expected, 0..1';
