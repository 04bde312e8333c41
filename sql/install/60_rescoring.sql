-- Editing an active score re-scores it when the statement ends.

CREATE FUNCTION lead_scoring.rescore(scores text[]) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  -- In the order of their names, so that two statements that touch several scores do not wait for each other
  PERFORM lead_scoring.refresh(s.name) FROM (
    SELECT name FROM lead_scoring.score
     WHERE name = ANY (rescore.scores) AND status = 'active' AND NOT lead_scoring.restoring()
       AND current_setting('lead_scoring.cascading', true) IS DISTINCT FROM 'on'
     ORDER BY name) s;
END $$;
COMMENT ON FUNCTION lead_scoring.rescore(text[]) IS 'Refreshes those of these scores that are active';

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
COMMENT ON FUNCTION lead_scoring.rescore_after_part() IS 'Re-scores after groups, rules, scopes or bands changed';

CREATE FUNCTION lead_scoring.rescore_after_score() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM lead_scoring.rescore(ARRAY(
    SELECT n.name FROM new_rows n JOIN old_rows o ON o.name = n.name
     WHERE n.status = o.status AND (n.min_points, n.max_points) IS DISTINCT FROM (o.min_points, o.max_points)));
  RETURN NULL;
END $$;
COMMENT ON FUNCTION lead_scoring.rescore_after_score() IS 'Re-scores after the limits of scores changed';

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
       AND o.name IN (SELECT r.source FROM lead_scoring.rule r WHERE r.score = s.name AND r.enabled
                      UNION SELECT p.source FROM lead_scoring.scope p WHERE p.score = s.name))
$$;
COMMENT ON FUNCTION lead_scoring.is_confirmed(text) IS 'Whether the relations of a score have the owners that they had when it was defined';

CREATE FUNCTION lead_scoring.rescore_after_source() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM lead_scoring.rescore(ARRAY(
    SELECT s.name FROM lead_scoring.score s JOIN new_rows n ON n.record_type = s.record_type
     WHERE lead_scoring.is_confirmed(s.name)
       AND (EXISTS (SELECT FROM lead_scoring.rule r WHERE r.score = s.name AND r.source = n.name AND r.enabled)
            OR EXISTS (SELECT FROM lead_scoring.scope o WHERE o.score = s.name AND o.source = n.name))));
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
    SELECT s.name, array_agg(touched[i][2]) AS keys FROM generate_subscripts(touched, 1) i
      JOIN lead_scoring.score s ON s.name = touched[i][1] AND s.status = 'active' AND NOT lead_scoring.restoring()
     GROUP BY s.name
  LOOP
    PERFORM lead_scoring.refresh(adjusted.name, now(), adjusted.keys);
  END LOOP;
  RETURN NULL;
END $$;
COMMENT ON FUNCTION lead_scoring.rescore_after_adjustment() IS 'Re-scores the records whose adjustments changed';

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

CREATE TRIGGER d_rescore_update AFTER UPDATE ON lead_scoring.score
  REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION lead_scoring.rescore_after_score();
CREATE TRIGGER d_rescore_update AFTER UPDATE ON lead_scoring.source
  REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION lead_scoring.rescore_after_source();
CREATE TRIGGER d_rescore_update AFTER UPDATE ON lead_scoring.record_type
  REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION lead_scoring.rescore_after_record_type();
