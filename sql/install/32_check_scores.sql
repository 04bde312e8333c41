-- Checks of scores and their parts, but for rules.

CREATE FUNCTION lead_scoring.require_original(draft lead_scoring.score) RETURNS void LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  original_type text := (SELECT s.record_type FROM lead_scoring.score s WHERE s.name = draft.draft_of);
BEGIN
  IF draft.draft_of = draft.name THEN
    RAISE EXCEPTION 'score "%" cannot be a draft of itself', draft.name USING ERRCODE = 'invalid_parameter_value',
      HINT = 'Name the score that it is meant to replace, or NULL.';
  ELSIF draft.draft_of IS NOT NULL AND original_type IS NULL THEN
    RAISE EXCEPTION 'score "%" of which score "%" is a draft does not exist', draft.draft_of, draft.name
      USING ERRCODE = 'undefined_object', HINT = 'Name the score that it is meant to replace, or NULL.';
  ELSIF original_type <> draft.record_type THEN
    RAISE EXCEPTION 'score "%" of which score "%" is a draft scores another record type: "%"', draft.draft_of, draft.name, original_type
      USING ERRCODE = 'invalid_parameter_value', HINT = 'A draft scores the same records.';
  END IF;
END $$;
COMMENT ON FUNCTION lead_scoring.require_original(lead_scoring.score) IS 'Raises unless the score that a score is a draft of can be replaced by it';

CREATE FUNCTION lead_scoring.require_upkeep(score lead_scoring.score) RETURNS void LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF score.mode IS NULL OR score.mode NOT IN ('sync', 'queued') THEN
    RAISE EXCEPTION 'mode of score "%" must not be %', score.name, coalesce(quote_literal(score.mode), 'NULL')
      USING ERRCODE = 'invalid_parameter_value', HINT = 'Use sync or queued.';
  ELSIF score.history IS NULL OR score.history NOT IN ('none', 'values', 'explained') THEN
    RAISE EXCEPTION 'history of score "%" must not be %', score.name, coalesce(quote_literal(score.history), 'NULL')
      USING ERRCODE = 'invalid_parameter_value', HINT = 'Use none, values or explained.';
  END IF;
  PERFORM lead_scoring.require_length(score.keep_history, 'keep_history', format('score "%s"', score.name));
END $$;
COMMENT ON FUNCTION lead_scoring.require_upkeep(lead_scoring.score) IS 'Raises unless the ways in which a score is kept and its history are possible';

-- A likelihood comes from a model, other scores from rules.
CREATE FUNCTION lead_scoring.require_prediction(score lead_scoring.score) RETURNS void LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  model_type text := (SELECT m.record_type FROM lead_scoring.model m WHERE m.name = score.model);
BEGIN
  IF score.kind <> 'likelihood' AND score.model IS NOT NULL THEN
    RAISE EXCEPTION 'score "%" of kind % cannot have a model: "%"', score.name, score.kind, score.model USING ERRCODE = 'invalid_parameter_value',
      HINT = 'A model gives a score of kind likelihood; for a score by rules leave it NULL.';
  ELSIF score.kind <> 'likelihood' THEN
    RETURN;
  ELSIF score.model IS NULL THEN
    RAISE EXCEPTION 'score "%" of kind likelihood has no model', score.name USING ERRCODE = 'null_value_not_allowed',
      HINT = 'Name the row of lead_scoring.model that it comes from.';
  ELSIF model_type IS NULL THEN
    RAISE EXCEPTION 'model "%" of score "%" does not exist', score.model, score.name USING ERRCODE = 'undefined_object',
      HINT = 'Insert it into lead_scoring.model first.';
  ELSIF model_type <> score.record_type THEN
    RAISE EXCEPTION 'model "%" of score "%" predicts another record type: "%"', score.model, score.name, model_type
      USING ERRCODE = 'invalid_parameter_value', HINT = format('Name a model of record type "%s".', score.record_type);
  ELSIF num_nonnulls(score.min_points, score.max_points, score.adjustment_share) > 0 THEN
    RAISE EXCEPTION 'score "%" of kind likelihood has no limits', score.name USING ERRCODE = 'invalid_parameter_value',
      HINT = 'It is a percentage from 0.01 to 99.99: leave min_points, max_points and adjustment_share NULL.';
  END IF;
END $$;
COMMENT ON FUNCTION lead_scoring.require_prediction(lead_scoring.score) IS 'Raises unless a score of kind likelihood has a model, and others have none';

CREATE FUNCTION lead_scoring.require_parts_of_kind(score lead_scoring.score) RETURNS void LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF score.kind = 'likelihood'
     AND (EXISTS (SELECT FROM lead_scoring.score_group g WHERE g.score = score.name) OR EXISTS (SELECT FROM lead_scoring.event_factor f WHERE f.score = score.name)
          OR EXISTS (SELECT FROM lead_scoring.adjustment a WHERE a.score = score.name) OR EXISTS (SELECT FROM lead_scoring.engagement_reset r WHERE r.score = score.name)
          OR EXISTS (SELECT FROM lead_scoring.band b WHERE b.score = score.name AND b.part <> 'total')
          OR EXISTS (SELECT FROM lead_scoring.alert w WHERE w.score = score.name AND w.part NOT IN ('total', 'label'))) THEN
    RAISE EXCEPTION 'score "%" has parts that a score of kind likelihood cannot have', score.name USING ERRCODE = 'object_not_in_prerequisite_state',
      HINT = 'Delete its groups, event factors, adjustments and engagement resets, and its bands and alerts for fit and engagement.';
  ELSIF score.kind <> 'combined' AND EXISTS (SELECT FROM lead_scoring.score_group g WHERE g.score = score.name AND g.kind <> score.kind) THEN
    RAISE EXCEPTION 'score "%" has groups that are not of kind %', score.name, score.kind USING ERRCODE = 'object_not_in_prerequisite_state',
      HINT = 'Delete those groups, or make the score combined.';
  ELSIF score.kind <> 'combined' AND EXISTS (
          SELECT FROM lead_scoring.rule r WHERE r.score = score.name AND r.multiplies IN ('fit', 'engagement') AND r.multiplies <> score.kind) THEN
    RAISE EXCEPTION 'score "%" has rules that multiply a part that is not of kind %', score.name, score.kind
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Delete those rules, or make the score combined.';
  END IF;
END $$;
COMMENT ON FUNCTION lead_scoring.require_parts_of_kind(lead_scoring.score) IS 'Raises unless what a score is made of goes with its kind';

CREATE FUNCTION lead_scoring.check_score() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  records lead_scoring.record_type;
BEGIN
  -- Nobody deletes or renames meanwhile what the score refers to, nor refers to one that goes
  IF TG_OP = 'INSERT' OR TG_OP = 'UPDATE' AND NEW.record_type IS DISTINCT FROM OLD.record_type THEN
    PERFORM lead_scoring.keep_existing('lead_scoring.record_type', NEW.record_type);
  END IF;
  IF TG_OP = 'DELETE' OR TG_OP = 'UPDATE' AND NEW.name IS DISTINCT FROM OLD.name THEN
    PERFORM lead_scoring.keep_existing('lead_scoring.score', OLD.name, true);
  END IF;
  IF TG_OP <> 'DELETE' AND NEW.model IS NOT NULL AND (TG_OP = 'INSERT' OR NEW.model IS DISTINCT FROM OLD.model) THEN
    PERFORM lead_scoring.lock_model(NEW.model);
  END IF;
  IF TG_OP <> 'INSERT' THEN
    PERFORM lead_scoring.lock_definition(OLD.name);
    PERFORM lead_scoring.require_owner(lead_scoring.record_relation(OLD.name));
    IF OLD.status = 'active' AND TG_OP = 'DELETE' THEN
      RAISE EXCEPTION 'score "%" is active', OLD.name USING ERRCODE = 'object_not_in_prerequisite_state',
        HINT = format('Switch it off first: SELECT lead_scoring.deactivate(%L).', OLD.name);
    END IF;
    IF TG_OP = 'DELETE' OR NEW.name <> OLD.name THEN
      PERFORM lead_scoring.require_parts_seen(OLD.name);
    END IF;
    IF TG_OP = 'DELETE' THEN
      RETURN OLD;
    END IF;
    IF OLD.status = 'active' AND (NEW.name, NEW.record_type, NEW.kind) <> (OLD.name, OLD.record_type, OLD.kind)
       OR OLD.status = 'active' AND NEW.target IS DISTINCT FROM OLD.target THEN
      RAISE EXCEPTION 'name, record type, kind and target of score "%" cannot change while it is active', OLD.name
        USING ERRCODE = 'object_not_in_prerequisite_state',
        HINT = format('Switch it off first: SELECT lead_scoring.deactivate(%L).', OLD.name);
    END IF;
  END IF;
  IF lead_scoring.restoring() THEN
    RETURN NEW;
  END IF;
  PERFORM lead_scoring.require_name(NEW.name, 'a score');
  IF octet_length(NEW.name) > 52 THEN
    RAISE EXCEPTION 'name of score "%" is longer than 52 bytes', NEW.name USING ERRCODE = 'name_too_long',
      HINT = 'The columns of the score are named after it, with endings such as _engagement.';
  END IF;
  IF NEW.status <> (CASE TG_OP WHEN 'INSERT' THEN 'draft' ELSE OLD.status END) AND NOT lead_scoring.status_may_change() THEN
    RAISE EXCEPTION 'status of score "%" cannot be set', NEW.name USING ERRCODE = 'object_not_in_prerequisite_state',
      HINT = format('Use lead_scoring.activate(%1$L) and lead_scoring.deactivate(%1$L).', NEW.name);
  END IF;
  IF TG_OP = 'UPDATE' AND lead_scoring.status_may_change() THEN
    -- Only the status changes: a score is switched off even if nothing else about it is right any more
    RETURN NEW;
  END IF;
  IF TG_OP = 'UPDATE' AND NEW.record_type <> OLD.record_type THEN
    IF EXISTS (SELECT FROM lead_scoring.rule r WHERE r.score = OLD.name) OR EXISTS (SELECT FROM lead_scoring.scope o WHERE o.score = OLD.name)
       OR EXISTS (SELECT FROM lead_scoring.event_factor f WHERE f.score = OLD.name)
       OR EXISTS (SELECT FROM lead_scoring.segment_decay d WHERE d.score = OLD.name)
       OR EXISTS (SELECT FROM lead_scoring.band b WHERE b.score = OLD.name AND b.segment <> 'true') THEN
      RAISE EXCEPTION 'record type of score "%" cannot change while it has rules, scopes, event factors or segments', OLD.name
        USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'They were written for other records: delete them first.';
    ELSIF EXISTS (SELECT FROM lead_scoring.score d WHERE d.draft_of = OLD.name) THEN
      RAISE EXCEPTION 'record type of score "%" cannot change while other scores are drafts of it', OLD.name
        USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Set their draft_of to NULL first.';
    END IF;
  END IF;
  SELECT * INTO records FROM lead_scoring.record_type t WHERE t.name = NEW.record_type;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'record type "%" of score "%" does not exist', NEW.record_type, NEW.name USING ERRCODE = 'undefined_object',
      HINT = 'Insert it into lead_scoring.record_type first.';
  END IF;
  PERFORM lead_scoring.require_owner(records.relation);
  PERFORM lead_scoring.require_limits(NEW.min_points, NEW.max_points, format('score "%s"', NEW.name));
  PERFORM lead_scoring.require_length(NEW.dormant_after, 'dormant_after', format('score "%s"', NEW.name));
  NEW.announce_rule_changes := coalesce(NEW.announce_rule_changes, false);
  PERFORM lead_scoring.require_upkeep(NEW);
  IF NOT NEW.adjustment_share BETWEEN 0 AND 1 THEN
    RAISE EXCEPTION 'adjustment_share of score "%" out of range: %', NEW.name, NEW.adjustment_share
      USING ERRCODE = 'invalid_parameter_value', HINT = 'It is a share from 0 to 1, such as 0.2, or NULL for no limit.';
  ELSIF NEW.adjustment_share IS NOT NULL AND (NEW.min_points IS NULL OR NEW.max_points IS NULL) THEN
    RAISE EXCEPTION 'adjustment_share of score "%" needs min_points and max_points', NEW.name
      USING ERRCODE = 'invalid_parameter_value', HINT = 'It is a share of the range between the two: give both.';
  END IF;
  IF TG_OP = 'INSERT' OR NEW.draft_of IS DISTINCT FROM OLD.draft_of THEN
    -- Nobody deletes or renames the original meanwhile
    PERFORM lead_scoring.lock_definition(NEW.draft_of);
  END IF;
  PERFORM lead_scoring.require_original(NEW);
  IF NEW.kind IS NULL OR NEW.kind NOT IN ('fit', 'engagement', 'combined', 'likelihood') THEN
    RAISE EXCEPTION 'kind of score "%" must not be %', NEW.name, coalesce(quote_literal(NEW.kind), 'NULL')
      USING ERRCODE = 'invalid_parameter_value', HINT = 'A score is of kind fit, engagement, combined or likelihood.';
  END IF;
  PERFORM lead_scoring.require_prediction(NEW);
  IF TG_OP = 'UPDATE' THEN
    PERFORM lead_scoring.require_parts_of_kind(NEW);
  END IF;
  IF NEW.target IS NOT NULL THEN
    IF lead_scoring.require_relation(NEW.target) NOT IN ('r', 'p') THEN
      RAISE EXCEPTION 'target "%" of score "%" is not a table', NEW.target, NEW.name USING ERRCODE = 'wrong_object_type',
        HINT = 'The score columns need a table.';
    END IF;
    PERFORM lead_scoring.require_owner(NEW.target);
    IF lead_scoring.require_column(NEW.target, records.key_column, 'key column')
       <> lead_scoring.require_column(records.relation, records.key_column, 'key column') THEN
      RAISE EXCEPTION 'key column "%" of target "%" has type %, the records'' key has type %', records.key_column, NEW.target,
        format_type(lead_scoring.require_column(NEW.target, records.key_column, 'key column'), NULL),
        format_type(lead_scoring.require_column(records.relation, records.key_column, 'key column'), NULL)
        USING ERRCODE = 'datatype_mismatch', HINT = 'Both must have the same type.';
    END IF;
  END IF;
  RETURN NEW;
END $$;
COMMENT ON FUNCTION lead_scoring.check_score() IS 'Checks a score as it is written';

CREATE FUNCTION lead_scoring.check_group() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  parent lead_scoring.score;
BEGIN
  IF TG_OP <> 'INSERT' THEN
    PERFORM lead_scoring.lock_definition(OLD.score);
    PERFORM lead_scoring.require_owner(lead_scoring.record_relation(OLD.score));
    IF TG_OP = 'DELETE' OR NEW.name <> OLD.name THEN
      PERFORM lead_scoring.require_parts_seen(OLD.score);
    END IF;
    IF TG_OP = 'DELETE' THEN
      RETURN OLD;
    END IF;
  END IF;
  IF lead_scoring.restoring() THEN
    RETURN NEW;
  END IF;
  PERFORM lead_scoring.require_name(NEW.name, 'a group');
  parent := lead_scoring.require_score(NEW.score);
  PERFORM lead_scoring.require_rules(NEW.score, 'groups');
  NEW.kind := coalesce(NEW.kind, nullif(parent.kind, 'combined'));
  IF NEW.kind IS NULL OR NEW.kind NOT IN ('fit', 'engagement') OR parent.kind NOT IN ('combined', NEW.kind) THEN
    RAISE EXCEPTION 'group "%" of score "%" cannot be of kind %', NEW.name, NEW.score, coalesce(quote_literal(NEW.kind), 'NULL')
      USING ERRCODE = 'invalid_parameter_value',
      HINT = format('The groups of a score of kind %s are of kind %s.', parent.kind,
                    CASE parent.kind WHEN 'combined' THEN 'fit or engagement' ELSE parent.kind END);
  END IF;
  PERFORM lead_scoring.require_limits(NEW.min_points, NEW.max_points, format('group "%s" of score "%s"', NEW.name, NEW.score));
  IF NEW.weight IS NOT NULL THEN
    PERFORM lead_scoring.require_factor(NEW.weight, 'weight', format('group "%s" of score "%s"', NEW.name, NEW.score));
  END IF;
  IF NEW.kind = 'fit' AND (NEW.decay IS NOT NULL OR NEW.decay_after IS NOT NULL) THEN
    RAISE EXCEPTION 'fit group "%" of score "%" cannot decay', NEW.name, NEW.score USING ERRCODE = 'invalid_parameter_value',
      HINT = 'Only events fade with time: use an engagement group, or no decay.';
  END IF;
  PERFORM lead_scoring.require_decay_after(NEW.decay, NEW.decay_after, format('group "%s" of score "%s"', NEW.name, NEW.score));
  IF TG_OP = 'UPDATE' AND NEW.kind <> OLD.kind AND EXISTS (
       SELECT FROM lead_scoring.rule r WHERE r.score = OLD.score AND r.group_name = OLD.name) THEN
    RAISE EXCEPTION 'kind of group "%" of score "%" cannot change while it has rules', OLD.name, OLD.score
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Move or delete its rules first.';
  ELSIF TG_OP = 'UPDATE' AND NEW.kind <> OLD.kind AND EXISTS (
       SELECT FROM lead_scoring.segment_decay d WHERE d.score = OLD.score AND d.group_name = OLD.name) THEN
    RAISE EXCEPTION 'kind of group "%" of score "%" cannot change while it has decays for segments', OLD.name, OLD.score
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Delete those first.';
  END IF;
  RETURN NEW;
END $$;
COMMENT ON FUNCTION lead_scoring.check_group() IS 'Checks a group of rules as it is written';

CREATE FUNCTION lead_scoring.check_segment_decay() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  what text;
  group_kind text;
BEGIN
  IF TG_OP <> 'INSERT' THEN
    PERFORM lead_scoring.lock_definition(OLD.score);
    PERFORM lead_scoring.require_owner(lead_scoring.record_relation(OLD.score));
    IF TG_OP = 'DELETE' THEN
      RETURN OLD;
    END IF;
  END IF;
  IF lead_scoring.restoring() THEN
    RETURN NEW;
  END IF;
  PERFORM lead_scoring.require_score(NEW.score);
  PERFORM lead_scoring.require_rules(NEW.score, 'groups');
  what := format('a decay of group "%s" of score "%s"', NEW.group_name, NEW.score);
  SELECT g.kind INTO group_kind FROM lead_scoring.score_group g WHERE g.score = NEW.score AND g.name = NEW.group_name;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'group "%" of score "%" does not exist', NEW.group_name, NEW.score USING ERRCODE = 'undefined_object',
      HINT = 'Insert it into lead_scoring.score_group first.';
  ELSIF group_kind = 'fit' THEN
    RAISE EXCEPTION 'fit group "%" of score "%" cannot decay', NEW.group_name, NEW.score USING ERRCODE = 'invalid_parameter_value',
      HINT = 'Only events fade with time: name an engagement group.';
  END IF;
  NEW.segment := lead_scoring.require_segment(NEW.segment, what);
  PERFORM lead_scoring.require_decay_after(NEW.decay, NEW.decay_after, what);
  RETURN NEW;
END $$;
COMMENT ON FUNCTION lead_scoring.check_segment_decay() IS 'Checks a decay for a segment as it is written';

CREATE FUNCTION lead_scoring.check_scope() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  parent lead_scoring.score;
  relation regclass;
BEGIN
  IF TG_OP <> 'DELETE' AND NOT lead_scoring.restoring() THEN
    PERFORM lead_scoring.await_source(NEW.score, NEW.source);
  END IF;
  IF TG_OP <> 'INSERT' THEN
    PERFORM lead_scoring.lock_definition(OLD.score);
    PERFORM lead_scoring.require_owner(lead_scoring.record_relation(OLD.score));
    IF TG_OP = 'DELETE' THEN
      RETURN OLD;
    END IF;
  END IF;
  IF lead_scoring.restoring() THEN
    RETURN NEW;
  END IF;
  parent := lead_scoring.require_score(NEW.score);
  IF NEW.mode IS NULL OR NEW.mode NOT IN ('include', 'exclude') THEN
    RAISE EXCEPTION 'mode of a scope of score "%" must not be %', NEW.score, coalesce(quote_literal(NEW.mode), 'NULL')
      USING ERRCODE = 'invalid_parameter_value', HINT = 'Use include or exclude.';
  END IF;
  relation := lead_scoring.expression_relation(NEW.score, NEW.source);
  IF relation IS NULL THEN
    RAISE EXCEPTION 'source "%" of a scope of score "%" does not exist', NEW.source, NEW.score USING ERRCODE = 'undefined_object',
      HINT = format('Insert it into lead_scoring.source first, for record type "%s".', parent.record_type);
  END IF;
  PERFORM lead_scoring.require_owner(relation);
  NEW.criterion := coalesce(NEW.criterion, 'true');
  RETURN NEW;
END $$;
COMMENT ON FUNCTION lead_scoring.check_scope() IS 'Checks a scope as it is written';

-- In a part and segment, no two bands may be tried at the same turn.
CREATE FUNCTION lead_scoring.require_band_alone(band lead_scoring.band, old_band lead_scoring.band) RETURNS void LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  limit_name text := CASE WHEN band.capacity IS NOT NULL THEN 'capacity'
                          WHEN band.top_share IS NOT NULL THEN 'top_share' ELSE 'lower bound' END;
  rival text;
BEGIN
  SELECT b.label INTO rival FROM lead_scoring.band b
   WHERE (b.score, b.part, b.segment) = (band.score, band.part, band.segment)
     AND b.capacity IS NOT DISTINCT FROM band.capacity AND b.top_share IS NOT DISTINCT FROM band.top_share
     AND (b.lower_bound IS NOT DISTINCT FROM band.lower_bound OR limit_name <> 'lower bound')
     AND (b.score, b.part, b.segment, b.label) IS DISTINCT FROM (old_band.score, old_band.part, old_band.segment, old_band.label);
  IF FOUND THEN
    RAISE EXCEPTION 'band "%" of score "%" has the % of band "%": %', band.label, band.score, limit_name, rival,
      coalesce(band.capacity::text, band.top_share::text, band.lower_bound::text, 'NULL') USING ERRCODE = 'unique_violation',
      HINT = format('Give each band of a part and segment a %s of its own.', limit_name);
  END IF;
END $$;
COMMENT ON FUNCTION lead_scoring.require_band_alone(lead_scoring.band, lead_scoring.band) IS 'Raises if another band has the same capacity, share or lower bound';

CREATE FUNCTION lead_scoring.require_margin(margin double precision, what text) RETURNS void LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF NOT require_margin.margin BETWEEN 0 AND 1e9 THEN
    RAISE EXCEPTION 'margin of % out of range: %', what, require_margin.margin USING ERRCODE = 'numeric_value_out_of_range',
      HINT = 'It is finite, 0 to 1,000,000,000 points.';
  END IF;
END $$;
COMMENT ON FUNCTION lead_scoring.require_margin(double precision, text) IS 'Raises unless the margin is NULL, or finite, not negative and in range';

CREATE FUNCTION lead_scoring.check_band() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  parent lead_scoring.score;
BEGIN
  IF TG_OP <> 'INSERT' THEN
    PERFORM lead_scoring.lock_definition(OLD.score);
    PERFORM lead_scoring.require_owner(lead_scoring.record_relation(OLD.score));
    IF TG_OP = 'DELETE' THEN
      RETURN OLD;
    END IF;
  END IF;
  IF lead_scoring.restoring() THEN
    RETURN NEW;
  END IF;
  PERFORM lead_scoring.require_name(NEW.label, 'a band');
  parent := lead_scoring.require_score(NEW.score);
  NEW.part := coalesce(NEW.part, 'total');
  IF NEW.part NOT IN ('total', 'fit', 'engagement') OR NEW.part <> 'total' AND parent.kind NOT IN ('combined', NEW.part) THEN
    RAISE EXCEPTION 'band "%" of score "%" cannot be for part %', NEW.label, NEW.score, quote_literal(NEW.part)
      USING ERRCODE = 'invalid_parameter_value',
      HINT = format('A score of kind %s has the parts %s.', parent.kind,
                    CASE parent.kind WHEN 'combined' THEN 'total, fit and engagement' WHEN 'likelihood' THEN 'total only' ELSE 'total and ' || parent.kind END);
  END IF;
  IF NEW.lower_bound IN ('NaN', 'infinity', '-infinity') THEN
    RAISE EXCEPTION 'lower bound of band "%" of score "%" must be finite', NEW.label, NEW.score
      USING ERRCODE = 'invalid_parameter_value', HINT = 'Use NULL for the band of all that is below the others.';
  END IF;
  NEW.segment := lead_scoring.require_segment(coalesce(NEW.segment, 'true'), format('band "%s" of score "%s"', NEW.label, NEW.score));
  IF NEW.capacity IS NOT NULL AND NEW.top_share IS NOT NULL THEN
    RAISE EXCEPTION 'band "%" of score "%" has a capacity and a top_share', NEW.label, NEW.score
      USING ERRCODE = 'invalid_parameter_value', HINT = 'Limit it to a number of records or to a share of them.';
  ELSIF NEW.capacity < 1 THEN
    RAISE EXCEPTION 'capacity of band "%" of score "%" must be at least 1: %', NEW.label, NEW.score, NEW.capacity
      USING ERRCODE = 'invalid_parameter_value', HINT = 'Use NULL for no limit.';
  ELSIF NOT (NEW.top_share > 0 AND NEW.top_share <= 1) THEN
    RAISE EXCEPTION 'top_share of band "%" of score "%" out of range: %', NEW.label, NEW.score, NEW.top_share
      USING ERRCODE = 'invalid_parameter_value', HINT = 'It is above 0 and at most 1, such as 0.25 for the best quarter, or NULL for no limit.';
  END IF;
  IF NEW.margin IS NOT NULL AND (NEW.lower_bound IS NULL OR NEW.capacity IS NOT NULL OR NEW.top_share IS NOT NULL) THEN
    RAISE EXCEPTION 'band "%" of score "%" has a margin, but no lower bound alone', NEW.label, NEW.score
      USING ERRCODE = 'invalid_parameter_value', HINT = 'A margin is about a bound that stays where it is: give lower_bound, without capacity and top_share, or use dwell.';
  END IF;
  PERFORM lead_scoring.require_margin(NEW.margin, format('band "%s" of score "%s"', NEW.label, NEW.score));
  PERFORM lead_scoring.require_length(NEW.dwell, 'dwell', format('band "%s" of score "%s"', NEW.label, NEW.score));
  PERFORM lead_scoring.require_band_alone(NEW, CASE TG_OP WHEN 'UPDATE' THEN OLD END);
  RETURN NEW;
END $$;
COMMENT ON FUNCTION lead_scoring.check_band() IS 'Checks a band as it is written';

