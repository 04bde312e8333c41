-- Score columns: made, kept and removed.

CREATE FUNCTION lead_scoring.activate(score text) RETURNS bigint
  AS 'MODULE_PATHNAME', 'lead_scoring_activate' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION lead_scoring.activate(text) IS
  'Adds the columns of a score (<score>, <score>_fit, <score>_engagement, <score>_label) and scores every record as of now; returns how many rows it wrote. Harmless when repeated';

CREATE FUNCTION lead_scoring.deactivate(score text) RETURNS void
  AS 'MODULE_PATHNAME', 'lead_scoring_deactivate' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION lead_scoring.deactivate(text) IS
  'Drops the columns of a score and makes it a draft again. Harmless when repeated';

CREATE FUNCTION lead_scoring.refresh(score text, as_of timestamptz DEFAULT now(), keys text[] DEFAULT NULL) RETURNS bigint
  AS 'MODULE_PATHNAME', 'lead_scoring_refresh' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION lead_scoring.refresh(text, timestamptz, text[]) IS
  'Brings the stored values of an active score to an instant, for all records or for those whose keys are given; writes only rows that change and returns how many. Any instant since the beginning of the transaction is the present';

CREATE FUNCTION lead_scoring.verify(
  score text, as_of timestamptz DEFAULT now(),
  OUT record_key text, OUT stored_total double precision, OUT total double precision,
  OUT stored_fit double precision, OUT fit double precision,
  OUT stored_engagement double precision, OUT engagement double precision, OUT stored_label text, OUT label text)
RETURNS SETOF record LANGUAGE plpgsql STABLE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  definition lead_scoring.score;
  stored regclass;
  key_column name;
  missing text;
BEGIN
  IF verify.score IS NULL OR verify.as_of IS NULL THEN
    RAISE EXCEPTION '% must not be NULL', CASE WHEN verify.score IS NULL THEN 'score' ELSE 'as_of' END
      USING ERRCODE = 'null_value_not_allowed', HINT = 'Name a score, and the instant to verify it at.';
  END IF;
  SELECT * INTO definition FROM lead_scoring.score s WHERE s.name = verify.score;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'score "%" does not exist', verify.score USING ERRCODE = 'undefined_object',
      HINT = 'The scores are the rows of lead_scoring.score.';
  ELSIF definition.status <> 'active' THEN
    RAISE EXCEPTION 'score "%" is not active', verify.score USING ERRCODE = 'object_not_in_prerequisite_state',
      HINT = format('Switch it on first: SELECT lead_scoring.activate(%L).', verify.score);
  END IF;
  SELECT coalesce(definition.target, t.relation), t.key_column INTO stored, key_column
    FROM lead_scoring.record_type t WHERE t.name = definition.record_type;
  PERFORM FROM pg_class WHERE oid = stored;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'the relation with the columns of score "%" no longer exists', verify.score USING ERRCODE = 'undefined_table',
      HINT = format('Switch the score off: SELECT lead_scoring.deactivate(%L).', verify.score);
  END IF;
  SELECT c.name INTO missing
    FROM unnest(ARRAY[key_column::text, definition.name, definition.name || '_fit', definition.name || '_engagement', definition.name || '_label'])
         WITH ORDINALITY c (name, place)
   WHERE NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = stored AND attname = c.name AND NOT attisdropped)
   ORDER BY c.place LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'column "%" of score "%" does not exist', missing, verify.score USING ERRCODE = 'undefined_column',
      HINT = CASE WHEN missing = key_column THEN format('The key column of record type "%s" is looked for in "%s": rename it in both, and update the record type.', definition.record_type, stored)
                  ELSE format('It was dropped or renamed while the score was active: SELECT lead_scoring.activate(%L); makes it again.', verify.score) END;
  END IF;
  -- Of what the score is computed from, evaluate says the same
  IF NOT has_schema_privilege((SELECT relnamespace FROM pg_class WHERE oid = stored), 'USAGE')
     OR NOT has_column_privilege(stored, key_column::text, 'SELECT') OR NOT has_column_privilege(stored, definition.name, 'SELECT')
     OR NOT has_column_privilege(stored, definition.name || '_fit', 'SELECT')
     OR NOT has_column_privilege(stored, definition.name || '_engagement', 'SELECT')
     OR NOT has_column_privilege(stored, definition.name || '_label', 'SELECT') THEN
    RAISE EXCEPTION 'permission denied for relation "%"', (SELECT relname FROM pg_class WHERE oid = stored)
      USING ERRCODE = 'insufficient_privilege',
            HINT = 'Verifying a score takes the right to read its columns, and all that it is computed from.';
  END IF;
  RETURN QUERY EXECUTE format(
    'SELECT coalesce(t.%2$I::text, e.record_key), t.%3$I, e.total, t.%4$I, e.fit, t.%5$I, e.engagement, t.%6$I, e.label
       FROM %1$s t FULL JOIN lead_scoring.evaluate($1, $2) e ON e.record_key = t.%2$I::text
      WHERE (t.%3$I, t.%4$I, t.%5$I, t.%6$I) IS DISTINCT FROM (e.total, e.fit, e.engagement, e.label)',
    stored, key_column, definition.name, definition.name || '_fit', definition.name || '_engagement', definition.name || '_label')
    USING verify.score, verify.as_of;
END $$;
COMMENT ON FUNCTION lead_scoring.verify(text, timestamptz) IS
  'Records whose stored values differ from an evaluation from scratch as of an instant; empty when all is well';
