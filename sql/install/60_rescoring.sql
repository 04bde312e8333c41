-- Editing an active score re-scores it when the statement ends; or when the transaction ends, where it takes several statements
-- until the definition fits its relations again, as after a column was renamed that rules and a scope use.

-- Its rows outlive no transaction. Unlogged, it is in no publication: a row without a key cannot be deleted from a table that is.
CREATE UNLOGGED TABLE lead_scoring.unsettled (score text NOT NULL);
COMMENT ON TABLE lead_scoring.unsettled IS 'Scores that are to be re-scored when this transaction ends, as their definitions do not fit their relations yet; nobody sees those of others';
COMMENT ON COLUMN lead_scoring.unsettled.score IS 'Active score';

CREATE FUNCTION lead_scoring.fits(score text) RETURNS boolean LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM lead_scoring.has_records(fits.score, '{}');
  RETURN true;
EXCEPTION WHEN syntax_error_or_access_rule_violation THEN
  RAISE NOTICE 'score "%" is re-scored at the end of this transaction: its definition does not fit yet', fits.score
    USING DETAIL = SQLERRM, HINT = 'Write what else of it uses what has changed, in this transaction.';
  RETURN false;
END $$;
COMMENT ON FUNCTION lead_scoring.fits(text) IS 'Whether the definition of a score fits its relations; tells if it does not';

CREATE FUNCTION lead_scoring.rescore(scores text[]) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET lead_scoring.reason = rule_change
AS $$
DECLARE
  touched text;
BEGIN
  -- In the order of their names, so that two statements that touch several scores do not wait for each other; as of now and
  -- not of the transaction's beginning, since which there may be new events
  FOR touched IN
    SELECT name FROM lead_scoring.score
     WHERE name = ANY (rescore.scores) AND NOT lead_scoring.restoring()
       AND current_setting('lead_scoring.cascading', true) IS DISTINCT FROM 'on'
     ORDER BY name COLLATE "C"
  LOOP
    CONTINUE WHEN NOT lead_scoring.is_active_now(touched);
    DELETE FROM lead_scoring.unsettled u WHERE u.score = touched;
    IF lead_scoring.fits(touched) THEN
      PERFORM lead_scoring.refresh(touched, clock_timestamp());
    ELSE
      INSERT INTO lead_scoring.unsettled (score) VALUES (touched);
    END IF;
  END LOOP;
END $$;
COMMENT ON FUNCTION lead_scoring.rescore(text[]) IS 'Refreshes those of these scores that are active';

CREATE FUNCTION lead_scoring.settle() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET lead_scoring.reason = rule_change
AS $$
BEGIN
  DELETE FROM lead_scoring.unsettled u WHERE u.score = NEW.score;
  IF FOUND AND lead_scoring.is_active_now(NEW.score) THEN
    PERFORM lead_scoring.refresh(NEW.score, clock_timestamp());
  END IF;
  RETURN NULL;
END $$;
COMMENT ON FUNCTION lead_scoring.settle() IS 'Re-scores what no statement of the transaction could; raises if the definition does not fit still';

CREATE CONSTRAINT TRIGGER settle AFTER INSERT ON lead_scoring.unsettled DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION lead_scoring.settle();

CREATE FUNCTION lead_scoring.rescore_after_part() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    PERFORM lead_scoring.rescore(ARRAY(SELECT DISTINCT score FROM new_rows));
  ELSIF TG_OP = 'DELETE' THEN
    PERFORM lead_scoring.rescore(ARRAY(SELECT DISTINCT score FROM old_rows));
  ELSE
    PERFORM lead_scoring.rescore(ARRAY(SELECT score FROM new_rows UNION SELECT score FROM old_rows));
  END IF;
  RETURN NULL;
END $$;
COMMENT ON FUNCTION lead_scoring.rescore_after_part() IS 'Re-scores after groups, decays, factors, rules, scopes or bands changed';

CREATE FUNCTION lead_scoring.rescore_after_score() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM lead_scoring.rescore(ARRAY(
    SELECT n.name FROM new_rows n JOIN old_rows o ON o.name = n.name
     WHERE n.status = o.status AND ((n.min_points, n.max_points, n.adjustment_share, n.model) IS DISTINCT FROM (o.min_points, o.max_points, o.adjustment_share, o.model)
            OR n.mode = 'sync' AND o.mode = 'queued' AND lead_scoring.waits_now(n.name))));
  RETURN NULL;
END $$;
COMMENT ON FUNCTION lead_scoring.rescore_after_score() IS 'Re-scores after the limits or models of scores changed, and scores that are not queued any more while records wait';

CREATE FUNCTION lead_scoring.uses_source(score text, source text) RETURNS boolean LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT EXISTS (SELECT FROM lead_scoring.rule r WHERE r.score = uses_source.score AND r.source = uses_source.source AND r.enabled)
      OR EXISTS (SELECT FROM lead_scoring.scope p WHERE p.score = uses_source.score AND p.source = uses_source.source)
      OR EXISTS (SELECT FROM lead_scoring.event_factor f WHERE f.score = uses_source.score AND f.source = uses_source.source)
      OR EXISTS (SELECT FROM lead_scoring.score s WHERE s.name = uses_source.score AND lead_scoring.model_uses_source(s.model, uses_source.source))
$$;
COMMENT ON FUNCTION lead_scoring.uses_source(text, text) IS 'Whether rules that are enabled, scopes, event factors or the model of a score look at a source';

-- Confirming what changed hands takes several statements (the record type, each source): a score is re-scored with the last.
CREATE FUNCTION lead_scoring.is_confirmed(score text) RETURNS boolean LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT NOT EXISTS (
    SELECT FROM lead_scoring.score s JOIN lead_scoring.record_type t ON t.name = s.record_type JOIN pg_class c ON c.oid = t.relation
     WHERE s.name = is_confirmed.score AND t.relation_owner <> pg_get_userbyid(c.relowner))
  AND NOT EXISTS (
    SELECT FROM lead_scoring.score s JOIN lead_scoring.source o ON o.record_type = s.record_type JOIN pg_class c ON c.oid = o.relation
     WHERE s.name = is_confirmed.score AND o.relation_owner <> pg_get_userbyid(c.relowner)
       AND lead_scoring.uses_source(s.name, o.name))
  AND NOT EXISTS (
    SELECT FROM lead_scoring.score s JOIN lead_scoring.source o ON o.record_type = s.record_type JOIN pg_class c ON c.oid = o.through
     WHERE s.name = is_confirmed.score AND o.through_owner <> pg_get_userbyid(c.relowner)
       AND lead_scoring.uses_source(s.name, o.name))
$$;
COMMENT ON FUNCTION lead_scoring.is_confirmed(text) IS 'Whether the relations of a score have the owners that they had when it was defined';

CREATE FUNCTION lead_scoring.rescore_after_source() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM lead_scoring.rescore(ARRAY(
    SELECT s.name FROM lead_scoring.score s JOIN new_rows n ON n.record_type = s.record_type
     WHERE lead_scoring.is_confirmed(s.name) AND lead_scoring.uses_source(s.name, n.name)));
  RETURN NULL;
END $$;
COMMENT ON FUNCTION lead_scoring.rescore_after_source() IS 'Re-scores after sources changed';

CREATE FUNCTION lead_scoring.rescore_after_record_type() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM lead_scoring.rescore(ARRAY(
    SELECT s.name FROM lead_scoring.score s JOIN new_rows n ON n.name = s.record_type WHERE lead_scoring.is_confirmed(s.name)));
  RETURN NULL;
END $$;
COMMENT ON FUNCTION lead_scoring.rescore_after_record_type() IS 'Re-scores after record types changed';

CREATE FUNCTION lead_scoring.rescore_after_adjustment() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET lead_scoring.reason = adjustment
AS $$
DECLARE
  touched text[];
  adjusted record;
BEGIN
  IF TG_OP = 'INSERT' THEN
    touched := ARRAY(SELECT DISTINCT ARRAY[score, record_key] FROM new_rows);
  ELSIF TG_OP = 'DELETE' THEN
    touched := ARRAY(SELECT DISTINCT ARRAY[score, record_key] FROM old_rows);
  ELSE
    touched := ARRAY(SELECT ARRAY[score, record_key] FROM new_rows UNION SELECT ARRAY[score, record_key] FROM old_rows);
  END IF;
  FOR adjusted IN
    SELECT touched[i][1] AS name, array_agg(touched[i][2]) AS keys FROM generate_subscripts(touched, 1) i
     WHERE NOT lead_scoring.restoring()
     GROUP BY touched[i][1] ORDER BY touched[i][1] COLLATE "C"
  LOOP
    -- Nobody switches the score on without having seen this; nor adds a record that it is about
    IF lead_scoring.is_active_now(adjusted.name) AND NOT lead_scoring.has_records(adjusted.name, adjusted.keys) THEN
      PERFORM lead_scoring.lock_definition(adjusted.name);
    ELSE
      PERFORM lead_scoring.share_definition(adjusted.name);
    END IF;
    IF lead_scoring.is_active_now(adjusted.name) THEN
      PERFORM lead_scoring.refresh(adjusted.name, clock_timestamp(), adjusted.keys);
    END IF;
  END LOOP;
  RETURN NULL;
END $$;
COMMENT ON FUNCTION lead_scoring.rescore_after_adjustment() IS 'Re-scores the records whose adjustments or engagement resets changed';

CREATE TRIGGER d_rescore_insert AFTER INSERT ON lead_scoring.rule
  REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION lead_scoring.rescore_after_part();
CREATE TRIGGER d_rescore_update AFTER UPDATE ON lead_scoring.rule
  REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION lead_scoring.rescore_after_part();
CREATE TRIGGER d_rescore_delete AFTER DELETE ON lead_scoring.rule
  REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION lead_scoring.rescore_after_part();

CREATE TRIGGER d_rescore_insert AFTER INSERT ON lead_scoring.score_group
  REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION lead_scoring.rescore_after_part();
CREATE TRIGGER d_rescore_update AFTER UPDATE ON lead_scoring.score_group
  REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION lead_scoring.rescore_after_part();
CREATE TRIGGER d_rescore_delete AFTER DELETE ON lead_scoring.score_group
  REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION lead_scoring.rescore_after_part();

CREATE TRIGGER d_rescore_insert AFTER INSERT ON lead_scoring.segment_decay
  REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION lead_scoring.rescore_after_part();
CREATE TRIGGER d_rescore_update AFTER UPDATE ON lead_scoring.segment_decay
  REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION lead_scoring.rescore_after_part();
CREATE TRIGGER d_rescore_delete AFTER DELETE ON lead_scoring.segment_decay
  REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION lead_scoring.rescore_after_part();

CREATE TRIGGER d_rescore_insert AFTER INSERT ON lead_scoring.event_factor
  REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION lead_scoring.rescore_after_part();
CREATE TRIGGER d_rescore_update AFTER UPDATE ON lead_scoring.event_factor
  REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION lead_scoring.rescore_after_part();
CREATE TRIGGER d_rescore_delete AFTER DELETE ON lead_scoring.event_factor
  REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION lead_scoring.rescore_after_part();

CREATE TRIGGER d_rescore_insert AFTER INSERT ON lead_scoring.scope
  REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION lead_scoring.rescore_after_part();
CREATE TRIGGER d_rescore_update AFTER UPDATE ON lead_scoring.scope
  REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION lead_scoring.rescore_after_part();
CREATE TRIGGER d_rescore_delete AFTER DELETE ON lead_scoring.scope
  REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION lead_scoring.rescore_after_part();

CREATE TRIGGER d_rescore_insert AFTER INSERT ON lead_scoring.band
  REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION lead_scoring.rescore_after_part();
CREATE TRIGGER d_rescore_update AFTER UPDATE ON lead_scoring.band
  REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION lead_scoring.rescore_after_part();
CREATE TRIGGER d_rescore_delete AFTER DELETE ON lead_scoring.band
  REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION lead_scoring.rescore_after_part();

CREATE TRIGGER d_rescore_insert AFTER INSERT ON lead_scoring.adjustment
  REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION lead_scoring.rescore_after_adjustment();
CREATE TRIGGER d_rescore_update AFTER UPDATE ON lead_scoring.adjustment
  REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION lead_scoring.rescore_after_adjustment();
CREATE TRIGGER d_rescore_delete AFTER DELETE ON lead_scoring.adjustment
  REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION lead_scoring.rescore_after_adjustment();

CREATE TRIGGER d_rescore_insert AFTER INSERT ON lead_scoring.engagement_reset
  REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION lead_scoring.rescore_after_adjustment();
CREATE TRIGGER d_rescore_update AFTER UPDATE ON lead_scoring.engagement_reset
  REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION lead_scoring.rescore_after_adjustment();
CREATE TRIGGER d_rescore_delete AFTER DELETE ON lead_scoring.engagement_reset
  REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION lead_scoring.rescore_after_adjustment();

CREATE TRIGGER d_rescore_update AFTER UPDATE ON lead_scoring.score
  REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION lead_scoring.rescore_after_score();
CREATE TRIGGER d_rescore_update AFTER UPDATE ON lead_scoring.source
  REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION lead_scoring.rescore_after_source();
CREATE TRIGGER d_rescore_update AFTER UPDATE ON lead_scoring.record_type
  REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION lead_scoring.rescore_after_record_type();

-- TRUNCATE tells no trigger which rows go, and asks none of the checks: scores would stand still, and columns be left behind.
CREATE FUNCTION lead_scoring.refuse_truncate() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RAISE EXCEPTION 'cannot truncate lead_scoring.%', quote_ident(TG_TABLE_NAME) USING ERRCODE = 'feature_not_supported',
    HINT = format('DELETE FROM lead_scoring.%I; does it, and has the scores follow.', TG_TABLE_NAME);
END $$;
COMMENT ON FUNCTION lead_scoring.refuse_truncate() IS 'Before a TRUNCATE of definitions: refuses';

CREATE TRIGGER a_truncate BEFORE TRUNCATE ON lead_scoring.record_type FOR EACH STATEMENT EXECUTE FUNCTION lead_scoring.refuse_truncate();
CREATE TRIGGER a_truncate BEFORE TRUNCATE ON lead_scoring.source FOR EACH STATEMENT EXECUTE FUNCTION lead_scoring.refuse_truncate();
CREATE TRIGGER a_truncate BEFORE TRUNCATE ON lead_scoring.score FOR EACH STATEMENT EXECUTE FUNCTION lead_scoring.refuse_truncate();
CREATE TRIGGER a_truncate BEFORE TRUNCATE ON lead_scoring.scope FOR EACH STATEMENT EXECUTE FUNCTION lead_scoring.refuse_truncate();
CREATE TRIGGER a_truncate BEFORE TRUNCATE ON lead_scoring.score_group FOR EACH STATEMENT EXECUTE FUNCTION lead_scoring.refuse_truncate();
CREATE TRIGGER a_truncate BEFORE TRUNCATE ON lead_scoring.segment_decay FOR EACH STATEMENT EXECUTE FUNCTION lead_scoring.refuse_truncate();
CREATE TRIGGER a_truncate BEFORE TRUNCATE ON lead_scoring.event_factor FOR EACH STATEMENT EXECUTE FUNCTION lead_scoring.refuse_truncate();
CREATE TRIGGER a_truncate BEFORE TRUNCATE ON lead_scoring.rule FOR EACH STATEMENT EXECUTE FUNCTION lead_scoring.refuse_truncate();
CREATE TRIGGER a_truncate BEFORE TRUNCATE ON lead_scoring.band FOR EACH STATEMENT EXECUTE FUNCTION lead_scoring.refuse_truncate();
CREATE TRIGGER a_truncate BEFORE TRUNCATE ON lead_scoring.alert FOR EACH STATEMENT EXECUTE FUNCTION lead_scoring.refuse_truncate();
CREATE TRIGGER a_truncate BEFORE TRUNCATE ON lead_scoring.adjustment FOR EACH STATEMENT EXECUTE FUNCTION lead_scoring.refuse_truncate();
CREATE TRIGGER a_truncate BEFORE TRUNCATE ON lead_scoring.engagement_reset FOR EACH STATEMENT EXECUTE FUNCTION lead_scoring.refuse_truncate();
CREATE TRIGGER a_truncate BEFORE TRUNCATE ON lead_scoring.model FOR EACH STATEMENT EXECUTE FUNCTION lead_scoring.refuse_truncate();
CREATE TRIGGER a_truncate BEFORE TRUNCATE ON lead_scoring.feature FOR EACH STATEMENT EXECUTE FUNCTION lead_scoring.refuse_truncate();
CREATE TRIGGER a_truncate BEFORE TRUNCATE ON lead_scoring.model_version FOR EACH STATEMENT EXECUTE FUNCTION lead_scoring.refuse_truncate();

-- New beginnings and oblivion, which re-score through the triggers above.

CREATE FUNCTION lead_scoring.reset_engagement(
  score text, record_key text, at timestamptz DEFAULT now(), reason text DEFAULT NULL) RETURNS bigint
LANGUAGE sql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
  INSERT INTO lead_scoring.engagement_reset (score, record_key, at, reason)
       VALUES (reset_engagement.score, reset_engagement.record_key, reset_engagement.at, reset_engagement.reason)
    RETURNING reset_id
$$;
COMMENT ON FUNCTION lead_scoring.reset_engagement(text, text, timestamptz, text) IS
  'Lets a record begin anew: its events before an instant do not count any more. Returns the number of the reset; deleting that row of engagement_reset undoes it';

CREATE FUNCTION lead_scoring.forget(record_type text, record_key text) RETURNS bigint LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  records lead_scoring.record_type;
  key text;
  adjustments bigint;
  resets bigint;
BEGIN
  IF forget.record_type IS NULL OR forget.record_key IS NULL THEN
    RAISE EXCEPTION '% must not be NULL', CASE WHEN forget.record_type IS NULL THEN 'record type' ELSE 'record key' END
      USING ERRCODE = 'null_value_not_allowed', HINT = 'Name a record type, and the key of the record as text.';
  END IF;
  SELECT * INTO records FROM lead_scoring.record_type t WHERE t.name = forget.record_type;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'record type "%" does not exist', forget.record_type USING ERRCODE = 'undefined_object',
      HINT = 'The record types are the rows of lead_scoring.record_type.';
  END IF;
  PERFORM lead_scoring.require_update_right(records.relation, format('forget records of type "%s"', records.name));
  key := lead_scoring.canonical_key(records.name, forget.record_key);
  DELETE FROM lead_scoring.adjustment a USING lead_scoring.score s
   WHERE s.name = a.score AND s.record_type = records.name AND a.record_key = key;
  GET DIAGNOSTICS adjustments = ROW_COUNT;
  DELETE FROM lead_scoring.engagement_reset r USING lead_scoring.score s
   WHERE s.name = r.score AND s.record_type = records.name AND r.record_key = key;
  GET DIAGNOSTICS resets = ROW_COUNT;
  RETURN adjustments + resets + lead_scoring.forget_changes(records.name, key);
END $$;
COMMENT ON FUNCTION lead_scoring.forget(text, text) IS
  'Deletes all that was written about a record beside the records themselves: adjustments, engagement resets, history and changes. Returns the number of rows';
