-- What other rows do when models and features change, or what they look at, and their triggers.

-- Whether a model looks at a source: by a feature of today, or by one that its champion was trained with.
CREATE FUNCTION lead_scoring.model_uses_source(model text, source text) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT EXISTS (SELECT FROM lead_scoring.feature f WHERE f.model = model_uses_source.model AND f.source = model_uses_source.source)
      OR EXISTS (SELECT FROM lead_scoring.model_version v
                  WHERE v.model = model_uses_source.model AND v.status = 'champion'
                    AND v.definition @> jsonb_build_object('features', jsonb_build_array(jsonb_build_object('source', model_uses_source.source))))
$$;
COMMENT ON FUNCTION lead_scoring.model_uses_source(text, text) IS 'Whether features of a model, or of its champion, look at a source';

CREATE FUNCTION lead_scoring.check_model_source() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  used_by text;
  needy text;
BEGIN
  IF TG_OP = 'DELETE' OR (NEW.name, NEW.record_type) <> (OLD.name, OLD.record_type) THEN
    SELECT m.name INTO used_by FROM lead_scoring.model m
     WHERE m.record_type = OLD.record_type AND lead_scoring.model_uses_source(m.name, OLD.name) ORDER BY m.name LIMIT 1;
    IF FOUND THEN
      RAISE EXCEPTION 'source "%" is used by model "%"', OLD.name, used_by USING ERRCODE = 'dependent_objects_still_exist',
        HINT = 'Delete the features that look at it first; if the champion was trained with them, publish another version.';
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
  END IF;
  IF NEW.occurred_at IS NULL AND OLD.occurred_at IS NOT NULL AND NOT lead_scoring.restoring() THEN
    SELECT format('feature "%s" of model "%s"', f.name, f.model) INTO needy
      FROM lead_scoring.feature f JOIN lead_scoring.model m ON m.name = f.model
     WHERE m.record_type = OLD.record_type AND f.source = OLD.name
       AND (f.within IS NOT NULL OR f.decay IS NOT NULL OR f.statistic IN ('days_since_newest', 'days_since_oldest', 'days_until_next'))
     ORDER BY f.model, f.name LIMIT 1;
    IF FOUND THEN
      RAISE EXCEPTION 'source "%" is used by %', OLD.name, needy USING ERRCODE = 'object_not_in_prerequisite_state',
        HINT = 'It needs the time of the event.';
    END IF;
  END IF;
  RETURN NEW;
END $$;
COMMENT ON FUNCTION lead_scoring.check_model_source() IS 'Keeps sources as models need them';

CREATE FUNCTION lead_scoring.check_model_record_type() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF (TG_OP = 'DELETE' OR NEW.name <> OLD.name) AND EXISTS (SELECT FROM lead_scoring.model m WHERE m.record_type = OLD.name) THEN
    RAISE EXCEPTION 'record type "%" is used by models', OLD.name USING ERRCODE = 'dependent_objects_still_exist',
      HINT = 'Delete those first.';
  END IF;
  RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;
COMMENT ON FUNCTION lead_scoring.check_model_record_type() IS 'Keeps record types that models use';

-- Features and versions go with their model; they and scores follow it to a new name.
CREATE FUNCTION lead_scoring.follow_model() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET lead_scoring.cascading = on
AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    DELETE FROM lead_scoring.feature WHERE model = OLD.name;
    DELETE FROM lead_scoring.model_importance WHERE model = OLD.name;
    DELETE FROM lead_scoring.model_segment WHERE model = OLD.name;
    DELETE FROM lead_scoring.model_training WHERE model = OLD.name;
    DELETE FROM lead_scoring.model_version WHERE model = OLD.name;
  ELSIF NEW.name <> OLD.name AND NOT lead_scoring.restoring() THEN
    UPDATE lead_scoring.feature SET model = NEW.name WHERE model = OLD.name;
    UPDATE lead_scoring.model_version SET model = NEW.name WHERE model = OLD.name;
    UPDATE lead_scoring.model_importance SET model = NEW.name WHERE model = OLD.name;
    UPDATE lead_scoring.model_segment SET model = NEW.name WHERE model = OLD.name;
    UPDATE lead_scoring.model_training SET model = NEW.name WHERE model = OLD.name;
    UPDATE lead_scoring.score SET model = NEW.name WHERE model = OLD.name;
  END IF;
  RETURN NULL;
END $$;
COMMENT ON FUNCTION lead_scoring.follow_model() IS 'Lets features, versions and scores follow a model';

-- A relation's new owner confirms what its former owner wrote by writing the record type or the source again.
CREATE FUNCTION lead_scoring.follow_model_owner() RETURNS trigger LANGUAGE plpgsql
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
  IF TG_TABLE_NAME = 'record_type' THEN
    UPDATE lead_scoring.model m SET outcome = m.outcome
     WHERE m.record_type = used_type AND m.criterion_relation = NEW.relation AND m.criterion_owner <> NEW.relation_owner;
  END IF;
  UPDATE lead_scoring.feature f SET criterion = f.criterion FROM lead_scoring.model m
   WHERE m.name = f.model AND m.record_type = used_type AND f.source IS NOT DISTINCT FROM used_source
     AND f.criterion_relation = NEW.relation AND f.criterion_owner <> NEW.relation_owner;
  -- What versions were trained with is confirmed by writing them
  UPDATE lead_scoring.model_version v SET status = v.status FROM lead_scoring.model m
   WHERE m.name = v.model AND m.record_type = used_type AND NEW.relation_owner <> OLD.relation_owner;
  RETURN NULL;
END $$;
COMMENT ON FUNCTION lead_scoring.follow_model_owner() IS 'Lets a relation''s new owner confirm the models and features written over it';

CREATE TRIGGER a_check_models BEFORE UPDATE OR DELETE ON lead_scoring.record_type
  FOR EACH ROW EXECUTE FUNCTION lead_scoring.check_model_record_type();
CREATE TRIGGER c_follow_models AFTER UPDATE ON lead_scoring.record_type
  FOR EACH ROW EXECUTE FUNCTION lead_scoring.follow_model_owner();
CREATE TRIGGER a_check_models BEFORE UPDATE OR DELETE ON lead_scoring.source
  FOR EACH ROW EXECUTE FUNCTION lead_scoring.check_model_source();
CREATE TRIGGER c_follow_models AFTER UPDATE ON lead_scoring.source
  FOR EACH ROW EXECUTE FUNCTION lead_scoring.follow_model_owner();
CREATE TRIGGER a_check BEFORE INSERT OR UPDATE OR DELETE ON lead_scoring.model
  FOR EACH ROW EXECUTE FUNCTION lead_scoring.check_model();
CREATE TRIGGER b_resolve BEFORE INSERT OR UPDATE ON lead_scoring.model
  FOR EACH ROW EXECUTE FUNCTION lead_scoring.resolve_expressions(
    'outcome:outcome', 'snapshot_at:instant', 'observed_from:instant', 'customer_when', 'closed_at:instant', 'fold:integer', 'segment:text');
CREATE TRIGGER c_follow AFTER UPDATE OR DELETE ON lead_scoring.model
  FOR EACH ROW EXECUTE FUNCTION lead_scoring.follow_model();
CREATE TRIGGER a_check BEFORE INSERT OR UPDATE OR DELETE ON lead_scoring.feature
  FOR EACH ROW EXECUTE FUNCTION lead_scoring.check_feature();
CREATE TRIGGER b_resolve BEFORE INSERT OR UPDATE ON lead_scoring.feature
  FOR EACH ROW EXECUTE FUNCTION lead_scoring.resolve_expressions('criterion', 'expression:statistic', 'known_at:instant');

GRANT SELECT, INSERT, UPDATE, DELETE ON lead_scoring.model, lead_scoring.feature TO PUBLIC;
REVOKE EXECUTE ON FUNCTION
  lead_scoring.check_model(), lead_scoring.check_feature(), lead_scoring.check_model_source(), lead_scoring.check_model_record_type(),
  lead_scoring.follow_model(), lead_scoring.follow_model_owner()
  FROM PUBLIC;
