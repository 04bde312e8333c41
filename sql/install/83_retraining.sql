-- Training by itself: when, and what becomes of it.

CREATE TABLE lead_scoring.model_training (
  model     text PRIMARY KEY,
  tried_at  timestamptz NOT NULL,
  version   integer,
  published boolean NOT NULL,
  outcome   text NOT NULL
);
COMMENT ON TABLE lead_scoring.model_training IS 'What became of the last training by itself of each model';
COMMENT ON COLUMN lead_scoring.model_training.model IS 'Model';
COMMENT ON COLUMN lead_scoring.model_training.tried_at IS 'When it was tried';
COMMENT ON COLUMN lead_scoring.model_training.version IS 'Version that came of it (NULL: none, it failed)';
COMMENT ON COLUMN lead_scoring.model_training.published IS 'Whether that became champion';
COMMENT ON COLUMN lead_scoring.model_training.outcome IS 'Why, or the error, in words';
SELECT pg_extension_config_dump('lead_scoring.model_training', '');

CREATE FUNCTION lead_scoring.check_model_training() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF TG_OP <> 'INSERT' THEN
    PERFORM lead_scoring.require_owner(lead_scoring.model_records(OLD.model));
    IF TG_OP = 'DELETE' THEN
      RETURN OLD;
    END IF;
  END IF;
  IF NOT lead_scoring.restoring() THEN
    PERFORM lead_scoring.require_model(NEW.model);
  END IF;
  RETURN NEW;
END $$;
COMMENT ON FUNCTION lead_scoring.check_model_training() IS 'Lets only the owner of its records write what became of a model''s training';
CREATE TRIGGER a_check BEFORE INSERT OR UPDATE OR DELETE ON lead_scoring.model_training
  FOR EACH ROW EXECUTE FUNCTION lead_scoring.check_model_training();

-- Why a version that was trained by itself is not published; NULL if it is to be.
CREATE FUNCTION lead_scoring.reason_to_wait(challenger lead_scoring.model_versions, champion lead_scoring.model_versions, model lead_scoring.model)
RETURNS text LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT CASE
    WHEN challenger.auc IS NULL OR challenger.accuracy IS NULL THEN 'its quality is not known'
    WHEN champion.auc IS NULL OR champion.accuracy IS NULL OR champion.trained_at < lead_scoring.instant_before(clock_timestamp(), model.replace_after) THEN NULL
    WHEN challenger.accuracy < model.publish_at_least * champion.accuracy
      THEN format('its accuracy, %s, is less than %s of the champion''s, %s', challenger.accuracy, model.publish_at_least, champion.accuracy)
    WHEN challenger.auc < model.publish_at_least * champion.auc
      THEN format('its AUC, %s, is less than %s of the champion''s, %s', challenger.auc, model.publish_at_least, champion.auc) END
$$;
COMMENT ON FUNCTION lead_scoring.reason_to_wait(lead_scoring.model_versions, lead_scoring.model_versions, lead_scoring.model) IS
  'Why a version that was trained by itself is not published, in words; NULL if it is to be';

CREATE FUNCTION lead_scoring.note_training(model text, version integer, published boolean, outcome text) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  -- Not ON CONFLICT, which would have to read what not everybody may
  UPDATE lead_scoring.model_training t
     SET tried_at = clock_timestamp(), version = note_training.version, published = note_training.published, outcome = note_training.outcome
   WHERE t.model = note_training.model;
  IF NOT FOUND THEN
    INSERT INTO lead_scoring.model_training (model, tried_at, version, published, outcome)
      VALUES (note_training.model, clock_timestamp(), note_training.version, note_training.published, note_training.outcome);
  END IF;
END $$;
COMMENT ON FUNCTION lead_scoring.note_training(text, integer, boolean, text) IS 'Keeps what became of a training';

CREATE FUNCTION lead_scoring.retrain(model text, as_of timestamptz DEFAULT now(), OUT version integer, OUT published boolean, OUT outcome text)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  parent lead_scoring.model;
  champion lead_scoring.model_versions;
  challenger lead_scoring.model_versions;
BEGIN
  version := lead_scoring.train(retrain.model, retrain.as_of);
  parent := lead_scoring.require_model(retrain.model);
  SELECT v.* INTO challenger FROM lead_scoring.model_versions v WHERE v.model = retrain.model AND v.version = retrain.version;
  SELECT v.* INTO champion FROM lead_scoring.model_versions v WHERE v.model = retrain.model AND v.status = 'champion';
  published := champion.version = retrain.version;
  IF published THEN
    outcome := 'the first version';
  ELSE
    outcome := lead_scoring.reason_to_wait(challenger, champion, parent);
    published := outcome IS NULL;
    IF published THEN
      PERFORM lead_scoring.publish(retrain.model, retrain.version);
      outcome := format('takes the place of version %s', champion.version);
    END IF;
  END IF;
  PERFORM lead_scoring.prune_versions(retrain.model);
  PERFORM lead_scoring.note_training(retrain.model, retrain.version, retrain.published, retrain.outcome);
END $$;
COMMENT ON FUNCTION lead_scoring.retrain(text, timestamptz) IS
  'Trains a model as train() does, and publishes the version if its accuracy and its AUC are at least publish_at_least times those of the champion, or if the champion was trained longer ago than replace_after or its quality is not known; never if the quality of the new version is not known. Then prunes the versions. Returns the version, whether it is champion now, and why';

-- By the relation itself: the name that its owner had may be that of nobody by now.
CREATE FUNCTION lead_scoring.is_owner(relation regclass) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT coalesce(pg_has_role(current_user, (SELECT c.relowner FROM pg_class c WHERE c.oid = is_owner.relation), 'USAGE'),
                  (SELECT r.rolsuper FROM pg_roles r WHERE r.rolname = current_user))
$$;
COMMENT ON FUNCTION lead_scoring.is_owner(regclass) IS 'Whether the current user may act for the owner of a relation; for one that is gone, superusers may';

CREATE VIEW lead_scoring.model_upkeep WITH (security_barrier) AS
  SELECT m.name AS model, v.version, v.trained_at,
         CASE WHEN m.retrain_every IS NOT NULL
              THEN greatest(lead_scoring.instant_after(v.trained_at, m.retrain_every),
                            CASE WHEN v.version IS NULL THEN NULL
                                 WHEN t.version IS NULL
                                 THEN least(lead_scoring.instant_after(t.tried_at, m.retrain_every), lead_scoring.instant_after(t.tried_at, '1 day'))
                                 -- What came of it has been pruned: that is no reason to do it again at once
                                 WHEN t.version > v.version THEN lead_scoring.instant_after(t.tried_at, m.retrain_every) END)
              END AS next_training,
         t.tried_at, t.published,
         CASE WHEN t.version IS NOT NULL OR lead_scoring.is_owner(r.relation) THEN t.outcome END AS outcome
    FROM lead_scoring.model m
    LEFT JOIN lead_scoring.record_type r ON r.name = m.record_type
    LEFT JOIN LATERAL (SELECT o.version, o.trained_at FROM lead_scoring.model_version o WHERE o.model = m.name ORDER BY o.trained_at DESC, o.version DESC LIMIT 1) v ON true
    LEFT JOIN lead_scoring.model_training t ON t.model = m.name;
COMMENT ON VIEW lead_scoring.model_upkeep IS 'When each model will be trained again by itself, and what became of the last time';
COMMENT ON COLUMN lead_scoring.model_upkeep.model IS 'Model';
COMMENT ON COLUMN lead_scoring.model_upkeep.version IS 'Its newest version (NULL: not trained yet)';
COMMENT ON COLUMN lead_scoring.model_upkeep.trained_at IS 'When that was trained';
COMMENT ON COLUMN lead_scoring.model_upkeep.next_training IS 'When retrain_due() will train it again: retrain_every after the newest version, or after the last time if what came of that is not kept; after an error, a day later at most (NULL: never, as it has not been trained yet or retrain_every is NULL)';
COMMENT ON COLUMN lead_scoring.model_upkeep.tried_at IS 'When it was last trained by itself (NULL: never)';
COMMENT ON COLUMN lead_scoring.model_upkeep.published IS 'Whether the version that came of it became champion';
COMMENT ON COLUMN lead_scoring.model_upkeep.outcome IS 'Why, or the error, in words; errors are for the owner of the records';

CREATE FUNCTION lead_scoring.models_due() RETURNS SETOF text LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT u.model FROM lead_scoring.model_upkeep u JOIN lead_scoring.model m ON m.name = u.model JOIN lead_scoring.record_type r ON r.name = m.record_type
   WHERE u.next_training <= clock_timestamp() AND lead_scoring.is_owner(r.relation) ORDER BY u.next_training, u.model
$$;
COMMENT ON FUNCTION lead_scoring.models_due() IS 'Models to be trained again, of those whose records the current user owns, those due longest first';

CREATE FUNCTION lead_scoring.claim_training(model text) RETURNS boolean LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  -- What another session is training is not due, nor what it has just trained
  IF NOT pg_try_advisory_xact_lock('lead_scoring.model_training'::regclass::oid::integer, hashtext(claim_training.model)) THEN
    RETURN false;
  END IF;
  RETURN EXISTS (SELECT FROM lead_scoring.models_due() due WHERE due = claim_training.model);
END $$;
COMMENT ON FUNCTION lead_scoring.claim_training(text) IS 'Whether a model is still due; if so, other sessions leave it alone until the end of the transaction';

CREATE FUNCTION lead_scoring.try_training(model text) RETURNS boolean LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM lead_scoring.retrain(try_training.model, clock_timestamp());
  RETURN true;
EXCEPTION WHEN OTHERS THEN
  RAISE WARNING 'model "%" could not be trained: %', try_training.model, SQLERRM USING ERRCODE = SQLSTATE;
  PERFORM lead_scoring.note_training(try_training.model, NULL, false, SQLERRM);
  RETURN false;
END $$;
COMMENT ON FUNCTION lead_scoring.try_training(text) IS 'Trains a model again as retrain() does; an error is a WARNING, and kept in model_upkeep. Whether it was trained';

-- Noted before it begins: if the process or the server does not survive it, it is not begun again at once.
CREATE FUNCTION lead_scoring.begin_training() RETURNS text LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  candidate text;
BEGIN
  FOR candidate IN SELECT due FROM lead_scoring.models_due() due LOOP
    IF lead_scoring.claim_training(candidate) THEN
      PERFORM lead_scoring.note_training(candidate, NULL, false, 'begun, but not ended');
      RETURN candidate;
    END IF;
  END LOOP;
  RETURN NULL;
END $$;
COMMENT ON FUNCTION lead_scoring.begin_training() IS 'For the background worker: the model that has been due longest, which is noted as begun, to be trained in the next transaction (NULL: none)';

CREATE FUNCTION lead_scoring.retrain_due(max_models integer DEFAULT NULL) RETURNS integer LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  candidate text;
  trained integer := 0;
BEGIN
  IF max_models < 1 THEN
    RAISE EXCEPTION 'max_models must not be less than 1: %', max_models USING ERRCODE = 'invalid_parameter_value',
      HINT = 'NULL stands for all that are due.';
  END IF;
  FOR candidate IN SELECT due FROM lead_scoring.models_due() due LOOP
    EXIT WHEN trained >= max_models;
    CONTINUE WHEN NOT lead_scoring.claim_training(candidate);
    trained := trained + 1;
    PERFORM lead_scoring.try_training(candidate);
  END LOOP;
  RETURN trained;
END $$;
COMMENT ON FUNCTION lead_scoring.retrain_due(integer) IS
  'Trains the models again whose newest version is older than retrain_every, those due longest first, as retrain() does; of those whose records the current user owns. An error of one is a WARNING, kept in model_upkeep, and does not stop the others. Returns how many it tried, at most max_models (NULL: all). All is one transaction: records whose columns it has written wait for its end, so for many models call retrain_due(1) again and again';

GRANT SELECT (model, tried_at, version, published) ON lead_scoring.model_training TO PUBLIC;
GRANT INSERT, UPDATE, DELETE ON lead_scoring.model_training TO PUBLIC;
GRANT SELECT ON lead_scoring.model_upkeep TO PUBLIC;
REVOKE EXECUTE ON FUNCTION lead_scoring.check_model_training(), lead_scoring.begin_training() FROM PUBLIC;
