-- What other rows do when a definition changes, and the triggers of all tables.

-- Has PostgreSQL parse the expressions in the columns named as arguments, under the search path of who writes them,
-- and keeps each with all names resolved in the column <name>_resolved. No search_path is set, for that reason.
-- They are conditions, or what is written after a colon: number, integer, text, instant, outcome (condition or instant),
-- any; name:statistic is what the statistic of the row needs. They look at the row's own relation, or at the one that is
-- named by the column after an @.
CREATE FUNCTION lead_scoring.resolve_expressions() RETURNS trigger
  AS 'MODULE_PATHNAME', 'lead_scoring_resolve_expressions' LANGUAGE C;
COMMENT ON FUNCTION lead_scoring.resolve_expressions() IS 'Parses and checks the expressions of a definition as it is written';

CREATE FUNCTION lead_scoring.status_may_change() RETURNS boolean
  AS 'MODULE_PATHNAME', 'lead_scoring_status_may_change' LANGUAGE C STABLE;
COMMENT ON FUNCTION lead_scoring.status_may_change() IS 'Whether activate() or deactivate() is at work';

-- Parts go with their score, rules and decays for segments with their group; all follow it to a new name.
-- While they do, nothing is re-scored: the statement that they belong to does that at its end.
CREATE FUNCTION lead_scoring.follow_score() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET lead_scoring.cascading = on
AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    DELETE FROM lead_scoring.rule WHERE score = OLD.name;
    DELETE FROM lead_scoring.score_group WHERE score = OLD.name;
    DELETE FROM lead_scoring.scope WHERE score = OLD.name;
    DELETE FROM lead_scoring.band WHERE score = OLD.name;
    DELETE FROM lead_scoring.alert WHERE score = OLD.name;
    DELETE FROM lead_scoring.adjustment WHERE score = OLD.name;
    DELETE FROM lead_scoring.segment_decay WHERE score = OLD.name;
    DELETE FROM lead_scoring.event_factor WHERE score = OLD.name;
    DELETE FROM lead_scoring.engagement_reset WHERE score = OLD.name;
    UPDATE lead_scoring.score SET draft_of = NULL WHERE draft_of = OLD.name;
  ELSIF NEW.name <> OLD.name AND NOT lead_scoring.restoring() THEN
    UPDATE lead_scoring.score_group SET score = NEW.name WHERE score = OLD.name;
    UPDATE lead_scoring.scope SET score = NEW.name WHERE score = OLD.name;
    UPDATE lead_scoring.band SET score = NEW.name WHERE score = OLD.name;
    UPDATE lead_scoring.alert SET score = NEW.name WHERE score = OLD.name;
    UPDATE lead_scoring.event_factor SET score = NEW.name WHERE score = OLD.name;
    UPDATE lead_scoring.score SET draft_of = NEW.name WHERE draft_of = OLD.name;
    INSERT INTO lead_scoring.adjustment (score, record_key, points, reason, author, created_at, expires_at)
      SELECT NEW.name, record_key, points, reason, author, created_at, expires_at FROM lead_scoring.adjustment WHERE score = OLD.name;
    DELETE FROM lead_scoring.adjustment WHERE score = OLD.name;
    INSERT INTO lead_scoring.engagement_reset (score, record_key, at, reason, author, created_at)
      SELECT NEW.name, record_key, at, reason, author, created_at FROM lead_scoring.engagement_reset WHERE score = OLD.name;
    DELETE FROM lead_scoring.engagement_reset WHERE score = OLD.name;
  END IF;
  IF TG_OP = 'UPDATE' AND NEW.record_type <> OLD.record_type AND NOT lead_scoring.restoring() THEN
    -- Bands for all records (it has no others now) are for the new ones
    UPDATE lead_scoring.band SET segment = segment WHERE score = NEW.name;
  END IF;
  RETURN NULL;
END $$;
COMMENT ON FUNCTION lead_scoring.follow_score() IS 'Lets the parts of a score follow it';

CREATE FUNCTION lead_scoring.follow_group() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET lead_scoring.cascading = on
AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    DELETE FROM lead_scoring.rule WHERE score = OLD.score AND group_name = OLD.name;
    DELETE FROM lead_scoring.segment_decay WHERE score = OLD.score AND group_name = OLD.name;
  ELSIF (NEW.score, NEW.name) <> (OLD.score, OLD.name) AND NOT lead_scoring.restoring() THEN
    UPDATE lead_scoring.rule SET score = NEW.score, group_name = NEW.name WHERE score = OLD.score AND group_name = OLD.name;
    UPDATE lead_scoring.segment_decay SET score = NEW.score, group_name = NEW.name WHERE score = OLD.score AND group_name = OLD.name;
  END IF;
  RETURN NULL;
END $$;
COMMENT ON FUNCTION lead_scoring.follow_group() IS 'Lets the rules of a group and its decays for segments follow it';

-- A relation's new owner confirms what its former owner wrote by writing the record type or the source again.
CREATE FUNCTION lead_scoring.follow_owner() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET lead_scoring.cascading = on
AS $$
DECLARE
  used_type text := CASE TG_TABLE_NAME WHEN 'source' THEN to_jsonb(NEW) ->> 'record_type' ELSE NEW.name END;
  used_source text := CASE TG_TABLE_NAME WHEN 'source' THEN NEW.name END;
BEGIN
  IF lead_scoring.restoring() THEN
    RETURN NULL;
  END IF;
  UPDATE lead_scoring.rule r SET criterion = r.criterion FROM lead_scoring.score s
   WHERE s.name = r.score AND s.record_type = used_type AND r.source IS NOT DISTINCT FROM used_source
     AND r.criterion_relation = NEW.relation AND r.criterion_owner <> NEW.relation_owner;
  UPDATE lead_scoring.scope o SET criterion = o.criterion FROM lead_scoring.score s
   WHERE s.name = o.score AND s.record_type = used_type AND o.source IS NOT DISTINCT FROM used_source
     AND o.criterion_relation = NEW.relation AND o.criterion_owner <> NEW.relation_owner;
  UPDATE lead_scoring.event_factor f SET criterion = f.criterion FROM lead_scoring.score s
   WHERE s.name = f.score AND s.record_type = used_type AND f.source = used_source
     AND f.criterion_relation = NEW.relation AND f.criterion_owner <> NEW.relation_owner;
  IF TG_TABLE_NAME = 'record_type' THEN
    UPDATE lead_scoring.segment_decay d SET segment = d.segment FROM lead_scoring.score s
     WHERE s.name = d.score AND s.record_type = used_type
       AND d.criterion_relation = NEW.relation AND d.criterion_owner <> NEW.relation_owner;
    -- Bands for all records hold for the records of any relation
    UPDATE lead_scoring.band b SET segment = b.segment FROM lead_scoring.score s
     WHERE s.name = b.score AND s.record_type = used_type
       AND (b.segment = 'true' AND b.criterion_relation <> NEW.relation
            OR b.criterion_relation = NEW.relation AND b.criterion_owner <> NEW.relation_owner);
  END IF;
  RETURN NULL;
END $$;
COMMENT ON FUNCTION lead_scoring.follow_owner() IS 'Lets a relation''s new owner confirm the expressions written over it';

CREATE TRIGGER a_check BEFORE INSERT OR UPDATE OR DELETE ON lead_scoring.record_type
  FOR EACH ROW EXECUTE FUNCTION lead_scoring.check_record_type();
CREATE TRIGGER b_resolve BEFORE INSERT OR UPDATE ON lead_scoring.record_type
  FOR EACH ROW EXECUTE FUNCTION lead_scoring.resolve_expressions('open_when');
CREATE TRIGGER c_follow AFTER UPDATE ON lead_scoring.record_type
  FOR EACH ROW EXECUTE FUNCTION lead_scoring.follow_owner();
CREATE TRIGGER a_check BEFORE INSERT OR UPDATE OR DELETE ON lead_scoring.source
  FOR EACH ROW EXECUTE FUNCTION lead_scoring.check_source();
CREATE TRIGGER b_resolve BEFORE INSERT OR UPDATE ON lead_scoring.source
  FOR EACH ROW EXECUTE FUNCTION lead_scoring.resolve_expressions('filter', 'dedup_key:any', 'through_filter@through');
CREATE TRIGGER c_follow AFTER UPDATE ON lead_scoring.source
  FOR EACH ROW EXECUTE FUNCTION lead_scoring.follow_owner();
CREATE TRIGGER a_check BEFORE INSERT OR UPDATE OR DELETE ON lead_scoring.score
  FOR EACH ROW EXECUTE FUNCTION lead_scoring.check_score();
CREATE TRIGGER c_follow AFTER UPDATE OR DELETE ON lead_scoring.score
  FOR EACH ROW EXECUTE FUNCTION lead_scoring.follow_score();
CREATE TRIGGER a_check BEFORE INSERT OR UPDATE OR DELETE ON lead_scoring.score_group
  FOR EACH ROW EXECUTE FUNCTION lead_scoring.check_group();
CREATE TRIGGER c_follow AFTER UPDATE OR DELETE ON lead_scoring.score_group
  FOR EACH ROW EXECUTE FUNCTION lead_scoring.follow_group();
CREATE TRIGGER a_check BEFORE INSERT OR UPDATE OR DELETE ON lead_scoring.segment_decay
  FOR EACH ROW EXECUTE FUNCTION lead_scoring.check_segment_decay();
CREATE TRIGGER b_resolve BEFORE INSERT OR UPDATE ON lead_scoring.segment_decay
  FOR EACH ROW EXECUTE FUNCTION lead_scoring.resolve_expressions('segment');
CREATE TRIGGER a_check BEFORE INSERT OR UPDATE OR DELETE ON lead_scoring.event_factor
  FOR EACH ROW EXECUTE FUNCTION lead_scoring.check_event_factor();
CREATE TRIGGER b_resolve BEFORE INSERT OR UPDATE ON lead_scoring.event_factor
  FOR EACH ROW EXECUTE FUNCTION lead_scoring.resolve_expressions('criterion');
CREATE TRIGGER a_check BEFORE INSERT OR UPDATE OR DELETE ON lead_scoring.rule
  FOR EACH ROW EXECUTE FUNCTION lead_scoring.check_rule();
CREATE TRIGGER b_resolve BEFORE INSERT OR UPDATE ON lead_scoring.rule
  FOR EACH ROW EXECUTE FUNCTION lead_scoring.resolve_expressions('criterion', 'value:number', 'followed_by');
CREATE TRIGGER a_check BEFORE INSERT OR UPDATE OR DELETE ON lead_scoring.scope
  FOR EACH ROW EXECUTE FUNCTION lead_scoring.check_scope();
CREATE TRIGGER b_resolve BEFORE INSERT OR UPDATE ON lead_scoring.scope
  FOR EACH ROW EXECUTE FUNCTION lead_scoring.resolve_expressions('criterion');
CREATE TRIGGER a_check BEFORE INSERT OR UPDATE OR DELETE ON lead_scoring.band
  FOR EACH ROW EXECUTE FUNCTION lead_scoring.check_band();
CREATE TRIGGER b_resolve BEFORE INSERT OR UPDATE ON lead_scoring.band
  FOR EACH ROW EXECUTE FUNCTION lead_scoring.resolve_expressions('segment');
CREATE TRIGGER a_check BEFORE INSERT OR UPDATE OR DELETE ON lead_scoring.adjustment
  FOR EACH ROW EXECUTE FUNCTION lead_scoring.check_adjustment();
CREATE TRIGGER a_check BEFORE INSERT OR UPDATE OR DELETE ON lead_scoring.engagement_reset
  FOR EACH ROW EXECUTE FUNCTION lead_scoring.check_engagement_reset();
