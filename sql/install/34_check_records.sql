-- Checks of what people write about single records: points by hand, new beginnings. It takes the right to update the
-- records, not to own their relation.

CREATE FUNCTION lead_scoring.require_scored(score text, is_new boolean, deed text) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  relation regclass := lead_scoring.record_relation(require_scored.score);
BEGIN
  IF is_new AND relation IS NOT NULL THEN
    PERFORM lead_scoring.require_update_right(relation, format('%s score "%s"', deed, require_scored.score));
    -- Nobody deletes or renames the score from now on; somebody may have done so while he was waited for
    PERFORM lead_scoring.keep_existing('lead_scoring.score', require_scored.score);
    relation := lead_scoring.record_relation(require_scored.score);
  END IF;
  IF is_new AND relation IS NULL THEN
    RAISE EXCEPTION 'score "%" does not exist', require_scored.score USING ERRCODE = 'undefined_object',
      HINT = 'The scores are the rows of lead_scoring.score: insert it there first.';
  ELSIF NOT is_new THEN
    PERFORM lead_scoring.require_update_right(relation, format('%s score "%s"', deed, require_scored.score));
  END IF;
END $$;
COMMENT ON FUNCTION lead_scoring.require_scored(text, boolean, text) IS 'Raises unless the score exists and the current user may update its records';

CREATE FUNCTION lead_scoring.require_key(score text, record_key text, what text) RETURNS text LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF require_key.record_key IS NULL THEN
    RAISE EXCEPTION 'record key of % must not be NULL', what USING ERRCODE = 'null_value_not_allowed',
      HINT = 'Give the key of the record, as text.';
  END IF;
  RETURN lead_scoring.canonical_key((SELECT s.record_type FROM lead_scoring.score s WHERE s.name = require_key.score),
                                    require_key.record_key);
END $$;
COMMENT ON FUNCTION lead_scoring.require_key(text, text, text) IS 'Key of a record of a score in the form in which keys are kept; raises if it is none';

CREATE FUNCTION lead_scoring.check_adjustment() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  what text;
BEGIN
  IF TG_OP <> 'DELETE' AND lead_scoring.restoring() THEN
    RETURN NEW;
  END IF;
  PERFORM lead_scoring.require_scored(CASE TG_OP WHEN 'INSERT' THEN NEW.score ELSE OLD.score END, TG_OP = 'INSERT', 'adjust');
  IF TG_OP = 'DELETE' THEN
    RETURN OLD;
  ELSIF TG_OP = 'UPDATE' AND NEW.score IS DISTINCT FROM OLD.score THEN
    RAISE EXCEPTION 'an adjustment of score "%" cannot move to another score', OLD.score USING ERRCODE = 'invalid_parameter_value',
      HINT = 'Delete it and insert another.';
  END IF;
  PERFORM lead_scoring.require_rules(NEW.score, 'adjustments');
  what := format('an adjustment of score "%s"', NEW.score);
  PERFORM lead_scoring.require_points(NEW.points, what);
  NEW.record_key := lead_scoring.require_key(NEW.score, NEW.record_key, what);
  IF NEW.expires_at <= NEW.created_at THEN
    RAISE EXCEPTION 'adjustment of score "%" expires before it begins', NEW.score USING ERRCODE = 'invalid_parameter_value',
      HINT = 'expires_at is later than created_at, or NULL.';
  END IF;
  NEW.author := coalesce(NEW.author, current_user);
  NEW.created_at := coalesce(NEW.created_at, now());
  RETURN NEW;
END $$;
COMMENT ON FUNCTION lead_scoring.check_adjustment() IS 'Checks an adjustment as it is written';

CREATE FUNCTION lead_scoring.check_engagement_reset() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  what text;
BEGIN
  IF TG_OP <> 'DELETE' AND lead_scoring.restoring() THEN
    RETURN NEW;
  ELSIF TG_OP <> 'DELETE' AND NEW.score IS NULL THEN
    RAISE EXCEPTION 'score of an engagement reset must not be NULL' USING ERRCODE = 'null_value_not_allowed',
      HINT = 'Name the score for which the record begins anew.';
  END IF;
  PERFORM lead_scoring.require_scored(CASE TG_OP WHEN 'INSERT' THEN NEW.score ELSE OLD.score END, TG_OP = 'INSERT',
                                      'reset the engagement of');
  IF TG_OP = 'DELETE' THEN
    RETURN OLD;
  ELSIF TG_OP = 'UPDATE' AND NEW.score <> OLD.score THEN
    RAISE EXCEPTION 'an engagement reset of score "%" cannot move to another score', OLD.score USING ERRCODE = 'invalid_parameter_value',
      HINT = 'Delete it and insert another.';
  END IF;
  PERFORM lead_scoring.require_rules(NEW.score, 'engagement resets');
  what := format('an engagement reset of score "%s"', NEW.score);
  NEW.record_key := lead_scoring.require_key(NEW.score, NEW.record_key, what);
  IF NEW.at IS NULL THEN
    RAISE EXCEPTION 'instant of % must not be NULL', what USING ERRCODE = 'null_value_not_allowed',
      HINT = 'Give the instant before which events do not count any more.';
  ELSIF NOT isfinite(NEW.at) THEN
    RAISE EXCEPTION 'instant of % must be finite: %', what, NEW.at USING ERRCODE = 'invalid_parameter_value',
      HINT = 'Give the instant before which events do not count any more.';
  END IF;
  NEW.author := coalesce(NEW.author, current_user);
  NEW.created_at := coalesce(NEW.created_at, now());
  RETURN NEW;
END $$;
COMMENT ON FUNCTION lead_scoring.check_engagement_reset() IS 'Checks an engagement reset as it is written';
