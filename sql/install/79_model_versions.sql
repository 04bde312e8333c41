-- Versions of models: what training made, which of them predicts, and which are kept.

-- From 0.7 on "acceptable discrimination", 0.5 "none": Hosmer, Lemeshow and Sturdivant, Applied Logistic Regression, third
-- edition (2013), page 177. Between the two, 0.6 is our own line.
CREATE FUNCTION lead_scoring.readiness(auc double precision) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT CASE WHEN auc >= 0.7 AND auc <= 1 THEN 'ready' WHEN auc >= 0.6 AND auc <= 1 THEN 'fair' ELSE 'not ready' END
$$;
COMMENT ON FUNCTION lead_scoring.readiness(double precision) IS
  'Whether a model is fit for use by its AUC on records held out: ready from 0.7 on (acceptable discrimination: Hosmer, Lemeshow and Sturdivant, Applied Logistic Regression, 2013, page 177), fair from 0.6 on, not ready below and where the AUC is not known';

CREATE FUNCTION lead_scoring.model_definition(model text) RETURNS jsonb LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
SET intervalstyle = postgres
SET extra_float_digits = 1
AS $$
  SELECT jsonb_build_object('model', to_jsonb(m), 'features', coalesce((
           SELECT jsonb_agg(to_jsonb(f) - 'model' ORDER BY f.name COLLATE "C") FROM lead_scoring.feature f WHERE f.model = m.name AND f.enabled), '[]'))
    FROM lead_scoring.model m WHERE m.name = model_definition.model
$$;
COMMENT ON FUNCTION lead_scoring.model_definition(text) IS
  'A model and its enabled features, in the order of their names, with all names in their expressions resolved: {"model": {...}, "features": [{...}]}, the keys being the columns of their tables. NULL if there is no such model';

-- The owner of a relation confirms expressions that were written over it by its former owner.
CREATE FUNCTION lead_scoring.confirmed_item(item jsonb, relation regclass) RETURNS jsonb LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT coalesce((
    SELECT item || jsonb_build_object('criterion_owner', pg_get_userbyid(c.relowner)) FROM pg_class c
     WHERE c.oid = relation AND item ->> 'criterion_relation' = relation::text AND pg_has_role(current_user, c.relowner, 'USAGE')), item)
$$;
COMMENT ON FUNCTION lead_scoring.confirmed_item(jsonb, regclass) IS 'A model or feature of a definition, its owner being that of the relation if it was written over that and the current user is he';

CREATE FUNCTION lead_scoring.confirmed_definition(definition jsonb, model text) RETURNS jsonb LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT coalesce((
    SELECT jsonb_build_object('model', lead_scoring.confirmed_item(definition -> 'model', t.relation), 'features', coalesce((
             SELECT jsonb_agg(lead_scoring.confirmed_item(i.feature, CASE WHEN i.feature ->> 'source' IS NULL THEN t.relation ELSE o.relation END) ORDER BY i.at)
               FROM jsonb_array_elements(definition -> 'features') WITH ORDINALITY i (feature, at)
               LEFT JOIN lead_scoring.source o ON o.record_type = t.name AND o.name = i.feature ->> 'source'), '[]'))
      FROM lead_scoring.model m JOIN lead_scoring.record_type t ON t.name = m.record_type
     WHERE m.name = confirmed_definition.model AND jsonb_typeof(definition -> 'features') = 'array'), definition)
$$;
COMMENT ON FUNCTION lead_scoring.confirmed_definition(jsonb, text) IS 'The definition of a version, confirmed where the current user owns what it looks at';

CREATE FUNCTION lead_scoring.require_as_trained(before lead_scoring.model_version, version lead_scoring.model_version) RETURNS void LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF version.status <> before.status OR (version.model, version.published_at, version.retired_at) IS DISTINCT FROM (before.model, before.published_at, before.retired_at) THEN
    IF current_setting('lead_scoring.cascading', true) IS DISTINCT FROM 'on' THEN
      RAISE EXCEPTION 'status of version % of model "%" cannot be set', before.version, before.model USING ERRCODE = 'object_not_in_prerequisite_state',
        HINT = format('Use lead_scoring.publish(%L, %s).', before.model, before.version);
    END IF;
  END IF;
  IF (version.version, version.algorithm, version.trained_at, version.as_of, version.samples, version.converted, version.auc, version.log_loss, version.brier,
      version.average_precision, version.calibration_error, version.threshold, version.accuracy, version."precision", version.recall, version.f1,
      version.likelihoods, version.body, version.warnings)
     IS DISTINCT FROM
     (before.version, before.algorithm, before.trained_at, before.as_of, before.samples, before.converted, before.auc, before.log_loss, before.brier,
      before.average_precision, before.calibration_error, before.threshold, before.accuracy, before."precision", before.recall, before.f1,
      before.likelihoods, before.body, before.warnings) THEN
    RAISE EXCEPTION 'version % of model "%" stays as it was trained', before.version, before.model USING ERRCODE = 'object_not_in_prerequisite_state',
      HINT = 'Train the model again, or delete the version.';
  END IF;
END $$;
COMMENT ON FUNCTION lead_scoring.require_as_trained(lead_scoring.model_version, lead_scoring.model_version) IS 'Raises if anything about a version changes but what publish() changes';

CREATE FUNCTION lead_scoring.check_model_version() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF TG_OP <> 'INSERT' THEN
    PERFORM lead_scoring.lock_model(OLD.model);
    PERFORM lead_scoring.require_owner(lead_scoring.model_records(OLD.model));
    IF TG_OP = 'DELETE' THEN
      IF OLD.status = 'champion' AND EXISTS (SELECT FROM lead_scoring.model m WHERE m.name = OLD.model) THEN
        RAISE EXCEPTION 'version % of model "%" is its champion', OLD.version, OLD.model USING ERRCODE = 'object_not_in_prerequisite_state',
          HINT = 'Publish another version first.';
      END IF;
      RETURN OLD;
    END IF;
  END IF;
  IF lead_scoring.restoring() THEN
    RETURN NEW;
  END IF;
  PERFORM lead_scoring.require_model(NEW.model);
  IF TG_OP = 'UPDATE' THEN
    PERFORM lead_scoring.require_as_trained(OLD, NEW);
    NEW.definition := lead_scoring.confirmed_definition(OLD.definition, NEW.model);
    NEW.readiness := OLD.readiness;
    RETURN NEW;
  END IF;
  NEW.version := coalesce(NEW.version, (SELECT coalesce(max(v.version), 0) + 1 FROM lead_scoring.model_version v WHERE v.model = NEW.model));
  NEW.status := coalesce(NEW.status, 'challenger');
  IF NEW.status <> 'challenger' THEN
    RAISE EXCEPTION 'status of version % of model "%" cannot be set', NEW.version, NEW.model USING ERRCODE = 'object_not_in_prerequisite_state',
      HINT = format('It begins as a challenger; then use lead_scoring.publish(%L, %s).', NEW.model, NEW.version);
  ELSIF NEW.body IS NULL THEN
    RAISE EXCEPTION 'body of version % of model "%" must not be NULL', NEW.version, NEW.model USING ERRCODE = 'null_value_not_allowed',
      HINT = 'It is what training made, as JSON.';
  END IF;
  NEW.trained_at := coalesce(NEW.trained_at, now());
  NEW.warnings := coalesce(NEW.warnings, '{}');
  NEW.published_at := NULL;
  NEW.retired_at := NULL;
  NEW.readiness := lead_scoring.readiness(NEW.auc);
  -- Never what somebody says: it will run with the rights of the owners named in it
  NEW.definition := lead_scoring.model_definition(NEW.model);
  RETURN NEW;
END $$;
COMMENT ON FUNCTION lead_scoring.check_model_version() IS 'Checks a version of a model as it is written';
CREATE TRIGGER a_check BEFORE INSERT OR UPDATE OR DELETE ON lead_scoring.model_version
  FOR EACH ROW EXECUTE FUNCTION lead_scoring.check_model_version();

CREATE FUNCTION lead_scoring.check_model_importance() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF TG_OP <> 'INSERT' THEN
    PERFORM lead_scoring.lock_model(OLD.model);
    PERFORM lead_scoring.require_owner(lead_scoring.model_records(OLD.model));
    IF TG_OP = 'DELETE' THEN
      RETURN OLD;
    END IF;
  END IF;
  IF lead_scoring.restoring() THEN
    RETURN NEW;
  END IF;
  PERFORM lead_scoring.require_model(NEW.model);
  PERFORM FROM lead_scoring.model_version v WHERE v.model = NEW.model AND v.version = NEW.version;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'version % of model "%" does not exist', NEW.version, NEW.model USING ERRCODE = 'undefined_object',
      HINT = 'The versions are the rows of lead_scoring.model_versions.';
  END IF;
  RETURN NEW;
END $$;
COMMENT ON FUNCTION lead_scoring.check_model_importance() IS 'Checks what is known of a version besides, the importance of a feature or a segment, as it is written';
CREATE TRIGGER a_check BEFORE INSERT OR UPDATE OR DELETE ON lead_scoring.model_importance
  FOR EACH ROW EXECUTE FUNCTION lead_scoring.check_model_importance();
CREATE TRIGGER a_check BEFORE INSERT OR UPDATE OR DELETE ON lead_scoring.model_segment
  FOR EACH ROW EXECUTE FUNCTION lead_scoring.check_model_importance();

CREATE FUNCTION lead_scoring.follow_model_version() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  DELETE FROM lead_scoring.model_importance i WHERE i.model = OLD.model AND i.version = OLD.version;
  DELETE FROM lead_scoring.model_segment s WHERE s.model = OLD.model AND s.version = OLD.version;
  RETURN NULL;
END $$;
COMMENT ON FUNCTION lead_scoring.follow_model_version() IS 'Lets the importance of its features go with a version';
CREATE TRIGGER c_follow AFTER DELETE ON lead_scoring.model_version
  FOR EACH ROW EXECUTE FUNCTION lead_scoring.follow_model_version();

CREATE FUNCTION lead_scoring.publish(model text, version integer) RETURNS bigint LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET lead_scoring.reason = rule_change
SET lead_scoring.cascading = on
AS $$
DECLARE
  present text;
BEGIN
  IF publish.model IS NULL OR publish.version IS NULL THEN
    RAISE EXCEPTION '% must not be NULL', CASE WHEN publish.model IS NULL THEN 'model' ELSE 'version' END
      USING ERRCODE = 'null_value_not_allowed', HINT = 'Name a model, and the number of one of its versions.';
  END IF;
  PERFORM lead_scoring.require_model(publish.model);
  SELECT v.status INTO present FROM lead_scoring.model_version v WHERE v.model = publish.model AND v.version = publish.version;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'version % of model "%" does not exist', publish.version, publish.model USING ERRCODE = 'undefined_object',
      HINT = coalesce((SELECT 'It has the versions ' || string_agg(v.version::text, ', ' ORDER BY v.version) || '.'
                         FROM lead_scoring.model_version v WHERE v.model = publish.model), 'It has no versions yet: train it first.');
  ELSIF present = 'champion' THEN
    RETURN 0;
  END IF;
  UPDATE lead_scoring.model_version v SET status = 'retired', retired_at = now() WHERE v.model = publish.model AND v.status = 'champion';
  UPDATE lead_scoring.model_version v SET status = 'champion', published_at = now(), retired_at = NULL
   WHERE v.model = publish.model AND v.version = publish.version;
  RETURN coalesce((SELECT sum(lead_scoring.refresh(s.name, clock_timestamp()))
                     FROM (SELECT s.name FROM lead_scoring.score s WHERE s.model = publish.model AND s.status = 'active' ORDER BY s.name COLLATE "C") s), 0);
END $$;
COMMENT ON FUNCTION lead_scoring.publish(text, integer) IS
  'Makes a version the champion of its model, whether a new one or one that was champion before; the former champion is retired. Re-scores the active scores that use the model and returns how many rows it wrote; 0 if it is champion already';

CREATE FUNCTION lead_scoring.prune_versions(model text) RETURNS bigint LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  parent lead_scoring.model := lead_scoring.require_model(prune_versions.model);
  pruned bigint;
BEGIN
  -- What was champion lately is what one goes back to, however long ago it was trained
  DELETE FROM lead_scoring.model_version v USING (
    SELECT o.version, row_number() OVER (ORDER BY greatest(o.trained_at, o.retired_at) DESC, o.version DESC) AS place
      FROM lead_scoring.model_version o WHERE o.model = parent.name AND o.status <> 'champion') old
   WHERE v.model = parent.name AND v.version = old.version AND old.place > parent.keep_versions;
  GET DIAGNOSTICS pruned = ROW_COUNT;
  RETURN pruned;
END $$;
COMMENT ON FUNCTION lead_scoring.prune_versions(text) IS
  'Deletes the versions of a model but the champion and as many others as keep_versions says, those trained or retired last; returns how many it deleted';

-- With its owner's rights: a trained model holds categories of the records and of the rows of sources, so it is for those
-- who may read all of them.
CREATE VIEW lead_scoring.model_versions WITH (security_barrier) AS
  SELECT v.model, m.record_type, v.version, v.status, v.readiness, v.algorithm, v.trained_at, v.as_of, v.samples, v.converted,
         v.converted::double precision / nullif(v.samples, 0) AS conversion_rate,
         v.auc, v.log_loss, v.brier, v.average_precision, v.calibration_error, v.threshold, v.accuracy, v."precision", v.recall, v.f1,
         array_to_string(v.warnings, E'\n') AS warnings, v.published_at, v.retired_at,
         (SELECT string_agg(s.name, ', ' ORDER BY s.name) FROM lead_scoring.score s WHERE s.model = v.model) AS scores,
         v.definition,
         CASE WHEN has_table_privilege(t.relation, 'SELECT') AND NOT row_security_active(t.relation) AND NOT EXISTS (
                     SELECT FROM jsonb_array_elements(v.definition -> 'features') f (item)
                       LEFT JOIN lead_scoring.source o ON o.record_type = m.record_type AND o.name = f.item ->> 'source'
                      WHERE f.item ->> 'source' IS NOT NULL
                        -- Who may read a source that is gone? The owner of the records
                        AND NOT coalesce(has_table_privilege(o.relation, 'SELECT') AND NOT row_security_active(o.relation),
                                         pg_has_role((SELECT c.relowner FROM pg_class c WHERE c.oid = t.relation), 'USAGE')))
              THEN v.body END AS body
    FROM lead_scoring.model_version v
    LEFT JOIN lead_scoring.model m ON m.name = v.model
    LEFT JOIN lead_scoring.record_type t ON t.name = m.record_type;
COMMENT ON VIEW lead_scoring.model_versions IS 'Versions of models, with what is known of their quality';
COMMENT ON COLUMN lead_scoring.model_versions.model IS 'Model';
COMMENT ON COLUMN lead_scoring.model_versions.record_type IS 'Record type that it predicts';
COMMENT ON COLUMN lead_scoring.model_versions.version IS 'Number of the version';
COMMENT ON COLUMN lead_scoring.model_versions.status IS 'champion (it predicts), challenger (not published yet) or retired (it was champion)';
COMMENT ON COLUMN lead_scoring.model_versions.readiness IS 'ready, fair or not ready, by the AUC as readiness() says';
COMMENT ON COLUMN lead_scoring.model_versions.algorithm IS 'scorecard or boosted_trees';
COMMENT ON COLUMN lead_scoring.model_versions.trained_at IS 'When it was trained';
COMMENT ON COLUMN lead_scoring.model_versions.as_of IS 'Instant up to which it knows the facts';
COMMENT ON COLUMN lead_scoring.model_versions.samples IS 'Records it was trained on, once for each snapshot';
COMMENT ON COLUMN lead_scoring.model_versions.converted IS 'How many of them converted';
COMMENT ON COLUMN lead_scoring.model_versions.conversion_rate IS 'converted / samples, 0 to 1';
COMMENT ON COLUMN lead_scoring.model_versions.auc IS 'Area under the ROC curve of predictions for records held out, 0 to 1 (NULL: unknown)';
COMMENT ON COLUMN lead_scoring.model_versions.log_loss IS 'Mean of -ln(probability given to what happened) of records held out (NULL: unknown)';
COMMENT ON COLUMN lead_scoring.model_versions.brier IS 'Mean square of (probability - outcome) of records held out, 0 to 1 (NULL: unknown)';
COMMENT ON COLUMN lead_scoring.model_versions.average_precision IS 'Area under the curve of precision by recall of records held out, 0 to 1 (NULL: unknown)';
COMMENT ON COLUMN lead_scoring.model_versions.calibration_error IS 'Mean difference between predicted and actual share of conversions over ten bins of records held out, 0 to 1 (NULL: unknown)';
COMMENT ON COLUMN lead_scoring.model_versions.threshold IS 'Probability, 0 to 1, from which on predicting a conversion gives the highest f1 (NULL: unknown)';
COMMENT ON COLUMN lead_scoring.model_versions.accuracy IS 'Share of records held out that were predicted right at that threshold, 0 to 1 (NULL: unknown)';
COMMENT ON COLUMN lead_scoring.model_versions."precision" IS 'Share of predicted conversions that happened, 0 to 1 (NULL: unknown)';
COMMENT ON COLUMN lead_scoring.model_versions.recall IS 'Share of conversions that were predicted, 0 to 1 (NULL: unknown)';
COMMENT ON COLUMN lead_scoring.model_versions.f1 IS 'Harmonic mean of precision and recall, 0 to 1 (NULL: unknown)';
COMMENT ON COLUMN lead_scoring.model_versions.warnings IS 'What training found odd, one a line';
COMMENT ON COLUMN lead_scoring.model_versions.published_at IS 'When it last became champion (NULL: never)';
COMMENT ON COLUMN lead_scoring.model_versions.retired_at IS 'When another version took its place (NULL: none has)';
COMMENT ON COLUMN lead_scoring.model_versions.scores IS 'Scores that use the model, separated by commas (NULL: none)';
COMMENT ON COLUMN lead_scoring.model_versions.definition IS 'The model and its features as they were when it was trained';
COMMENT ON COLUMN lead_scoring.model_versions.body IS 'The trained model, JSON; NULL for those who may not read all that it was trained on, records and sources';

CREATE VIEW lead_scoring.model_segments WITH (security_barrier) AS
  SELECT s.model, s.version, v.status, s.segment, s.samples, s.converted, s.converted::double precision / nullif(s.samples, 0) AS conversion_rate,
         s.auc, s.overall_auc, s.log_loss, s.overall_log_loss, s.own_model
    FROM lead_scoring.model_segment s
    JOIN lead_scoring.model_version v ON v.model = s.model AND v.version = s.version
    JOIN lead_scoring.model m ON m.name = s.model
    JOIN lead_scoring.record_type t ON t.name = m.record_type
   WHERE has_table_privilege(t.relation, 'SELECT') AND NOT row_security_active(t.relation);
COMMENT ON VIEW lead_scoring.model_segments IS 'Segments of the versions of models that have enough records for a model of their own, and whether they are predicted by it; for those who may read all the records';
COMMENT ON COLUMN lead_scoring.model_segments.model IS 'Model';
COMMENT ON COLUMN lead_scoring.model_segments.version IS 'Version of the model';
COMMENT ON COLUMN lead_scoring.model_segments.status IS 'champion, challenger or retired, of the version';
COMMENT ON COLUMN lead_scoring.model_segments.segment IS 'Value of the segment';
COMMENT ON COLUMN lead_scoring.model_segments.samples IS 'Records of it, once for each snapshot';
COMMENT ON COLUMN lead_scoring.model_segments.converted IS 'How many of them converted';
COMMENT ON COLUMN lead_scoring.model_segments.conversion_rate IS 'converted / samples, 0 to 1';
COMMENT ON COLUMN lead_scoring.model_segments.auc IS 'AUC of a model of their own, for records held out, 0 to 1';
COMMENT ON COLUMN lead_scoring.model_segments.overall_auc IS 'AUC of the model of all for the same records, held out, 0 to 1';
COMMENT ON COLUMN lead_scoring.model_segments.log_loss IS 'Mean of -ln(probability given to what happened) by a model of their own, for records held out';
COMMENT ON COLUMN lead_scoring.model_segments.overall_log_loss IS 'The same by the model of all';
COMMENT ON COLUMN lead_scoring.model_segments.own_model IS 'Whether they are predicted by a model of their own: if the mean of log_loss is lower by more than 1.645 of its standard errors, a one-sided paired z test at 5 %';

-- Versions are written by the owners of the records, as check_model_version sees to. What everybody may see of them is all
-- but the trained model itself.
GRANT INSERT, UPDATE, DELETE ON lead_scoring.model_version TO PUBLIC;
GRANT SELECT (model, version, status, algorithm, trained_at, as_of, samples, converted, auc, log_loss, brier, average_precision, calibration_error,
              threshold, accuracy, "precision", recall, f1, likelihoods, readiness, definition, warnings, published_at, retired_at)
  ON lead_scoring.model_version TO PUBLIC;
GRANT SELECT, INSERT, UPDATE, DELETE ON lead_scoring.model_importance TO PUBLIC;
GRANT INSERT, UPDATE, DELETE ON lead_scoring.model_segment TO PUBLIC;
GRANT SELECT (model, version) ON lead_scoring.model_segment TO PUBLIC;
GRANT SELECT ON lead_scoring.model_versions, lead_scoring.model_segments TO PUBLIC;
REVOKE EXECUTE ON FUNCTION lead_scoring.check_model_version(), lead_scoring.check_model_importance(), lead_scoring.follow_model_version() FROM PUBLIC;
