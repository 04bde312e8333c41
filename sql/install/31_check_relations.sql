-- Checks of record types and sources.

CREATE FUNCTION lead_scoring.check_record_type() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  kind "char";
  key_type oid;
  apart lead_scoring.score;
BEGIN
  IF TG_OP <> 'INSERT' THEN
    IF TG_OP = 'DELETE' OR NEW.name <> OLD.name THEN
      PERFORM lead_scoring.keep_existing('lead_scoring.record_type', OLD.name, true);
    END IF;
    PERFORM lead_scoring.lock_models(OLD.name);
    PERFORM lead_scoring.lock_definitions(OLD.name);
    PERFORM lead_scoring.require_owner(OLD.relation);
    IF (TG_OP = 'DELETE' OR NEW.name <> OLD.name)
       AND (EXISTS (SELECT FROM lead_scoring.score WHERE record_type = OLD.name)
            OR EXISTS (SELECT FROM lead_scoring.source WHERE record_type = OLD.name)) THEN
      RAISE EXCEPTION 'record type "%" is used by scores or sources', OLD.name USING ERRCODE = 'dependent_objects_still_exist',
        HINT = 'Delete those first.';
    END IF;
    IF TG_OP = 'DELETE' THEN
      RETURN OLD;
    END IF;
  END IF;
  IF lead_scoring.restoring() THEN
    RETURN NEW;
  END IF;
  NEW.relation_owner := (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = NEW.relation);
  PERFORM lead_scoring.require_name(NEW.name, 'a record type');
  kind := lead_scoring.require_relation(NEW.relation);
  PERFORM lead_scoring.require_owner(NEW.relation);
  key_type := lead_scoring.require_column(NEW.relation, NEW.key_column, 'key column');
  IF lead_scoring.key_family(key_type) IS NULL THEN
    RAISE EXCEPTION 'key column "%" of "%" has type %', NEW.key_column, NEW.relation, format_type(key_type, NULL)
      USING ERRCODE = 'datatype_mismatch', HINT = 'A key is a smallint, integer, bigint, uuid, text or varchar.';
  END IF;
  IF kind IN ('r', 'p', 'm') AND NOT EXISTS (
       SELECT FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
        WHERE i.indrelid = NEW.relation AND a.attname = NEW.key_column AND i.indnkeyatts = 1 AND i.indisunique
          AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL) THEN
    RAISE EXCEPTION 'key column "%" of "%" is not unique', NEW.key_column, NEW.relation USING ERRCODE = 'invalid_foreign_key',
      HINT = 'Make it the primary key, or give it a unique index of its own.';
  END IF;
  IF TG_OP = 'UPDATE' AND NEW.key_column <> OLD.key_column THEN
    SELECT * INTO apart FROM lead_scoring.score s
     WHERE s.record_type = NEW.name AND s.status = 'active' AND NOT EXISTS (
             SELECT FROM pg_attribute WHERE attrelid = coalesce(s.target, NEW.relation) AND attname = NEW.key_column AND NOT attisdropped)
     ORDER BY s.name LIMIT 1;
    IF FOUND THEN
      RAISE EXCEPTION 'key column "%" of record type "%" is not a column of "%", the target of score "%"',
        NEW.key_column, NEW.name, apart.target, apart.name USING ERRCODE = 'undefined_column',
        HINT = format('A target has the key in a column of the same name: ALTER TABLE %s RENAME COLUMN %I TO %I;', apart.target, OLD.key_column, NEW.key_column);
    END IF;
  END IF;
  RETURN NEW;
END $$;
COMMENT ON FUNCTION lead_scoring.check_record_type() IS 'Checks a record type as it is written';

-- The way from a row to its records: by equal keys, directly or through a third relation.
CREATE FUNCTION lead_scoring.require_link(source lead_scoring.source, records lead_scoring.record_type) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  what text := format('source "%s"', source.name);
  row_type oid := lead_scoring.require_column(source.relation, source.record_key, 'record key');
  record_type oid := lead_scoring.require_column(records.relation, coalesce(source.record_column, records.key_column), 'record column');
BEGIN
  IF num_nonnulls(source.through, source.through_key, source.through_record) NOT IN (0, 3) THEN
    RAISE EXCEPTION 'through, through_key and through_record of % belong together', what USING ERRCODE = 'invalid_parameter_value',
      HINT = 'Give all three, or none of them.';
  ELSIF source.through_filter IS NOT NULL AND source.through IS NULL THEN
    RAISE EXCEPTION 'through_filter of % needs through', what USING ERRCODE = 'invalid_parameter_value',
      HINT = 'To choose rows of the source itself, use filter.';
  END IF;
  IF source.through IS NULL THEN
    PERFORM lead_scoring.require_same_key(format('record key "%s" of %s', source.record_key, what), row_type,
                                          'the record''s column', record_type);
  ELSE
    PERFORM lead_scoring.require_relation(source.through);
    PERFORM lead_scoring.require_owner(source.through);
    PERFORM lead_scoring.require_same_key(format('record key "%s" of %s', source.record_key, what), row_type,
      format('through_key "%s"', source.through_key), lead_scoring.require_column(source.through, source.through_key, 'through_key'));
    PERFORM lead_scoring.require_same_key(format('through_record "%s" of %s', source.through_record, what),
      lead_scoring.require_column(source.through, source.through_record, 'through_record'), 'the record''s column', record_type);
    IF source.through_owner <> source.relation_owner THEN
      RAISE EXCEPTION 'relations "%" and "%" of % have different owners', source.relation, source.through, what
        USING ERRCODE = 'insufficient_privilege', HINT = 'They are read together, with the rights of one owner.';
    END IF;
  END IF;
  -- Whoever owns the records now: after a change of owner the sources are confirmed first
  IF (source.through IS NOT NULL OR source.record_column <> records.key_column)
     AND source.relation_owner <> (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = records.relation) THEN
    RAISE EXCEPTION 'relations of % and of record type "%" have different owners', what, source.record_type
      USING ERRCODE = 'insufficient_privilege',
      HINT = 'With record_column or through they are read together, with the rights of one owner.';
  END IF;
END $$;
COMMENT ON FUNCTION lead_scoring.require_link(lead_scoring.source, lead_scoring.record_type) IS 'Raises unless the rows of a source can be assigned to records';

CREATE FUNCTION lead_scoring.check_source() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  records lead_scoring.record_type;
  time_type oid;
BEGIN
  IF TG_OP = 'INSERT' OR TG_OP = 'UPDATE' AND NEW.record_type IS DISTINCT FROM OLD.record_type THEN
    PERFORM lead_scoring.keep_existing('lead_scoring.record_type', NEW.record_type);
  END IF;
  IF TG_OP <> 'INSERT' THEN
    PERFORM lead_scoring.lock_models(OLD.record_type);
    PERFORM lead_scoring.lock_definitions(OLD.record_type);
    SELECT * INTO records FROM lead_scoring.record_type t WHERE t.name = OLD.record_type;
    IF NOT coalesce(pg_has_role(current_user, (SELECT relowner FROM pg_class WHERE oid = records.relation), 'USAGE'), false) THEN
      PERFORM lead_scoring.require_owner(OLD.relation);
    END IF;
    IF (TG_OP = 'DELETE' OR (NEW.name, NEW.record_type) <> (OLD.name, OLD.record_type))
       AND (EXISTS (SELECT FROM lead_scoring.rule r JOIN lead_scoring.score s ON s.name = r.score
                     WHERE s.record_type = OLD.record_type AND r.source = OLD.name)
            OR EXISTS (SELECT FROM lead_scoring.scope o JOIN lead_scoring.score s ON s.name = o.score
                        WHERE s.record_type = OLD.record_type AND o.source = OLD.name)) THEN
      RAISE EXCEPTION 'source "%" is used by rules or scopes', OLD.name USING ERRCODE = 'dependent_objects_still_exist',
        HINT = format('Delete those first, of score %s.',
                      (SELECT string_agg(format('"%s"', s.name), ', ' ORDER BY s.name COLLATE "C") FROM lead_scoring.score s
                        WHERE s.record_type = OLD.record_type
                          AND (EXISTS (SELECT FROM lead_scoring.rule r WHERE r.score = s.name AND r.source = OLD.name)
                               OR EXISTS (SELECT FROM lead_scoring.scope o WHERE o.score = s.name AND o.source = OLD.name))));
    END IF;
    IF (TG_OP = 'DELETE' OR (NEW.name, NEW.record_type) <> (OLD.name, OLD.record_type))
       AND EXISTS (SELECT FROM lead_scoring.event_factor f JOIN lead_scoring.score s ON s.name = f.score
                    WHERE s.record_type = OLD.record_type AND f.source = OLD.name) THEN
      RAISE EXCEPTION 'source "%" is used by event factors', OLD.name USING ERRCODE = 'dependent_objects_still_exist',
        HINT = 'Delete those first.';
    END IF;
    IF TG_OP = 'DELETE' THEN
      RETURN OLD;
    END IF;
  END IF;
  IF lead_scoring.restoring() THEN
    RETURN NEW;
  END IF;
  NEW.relation_owner := (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = NEW.relation);
  NEW.through_owner := (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = NEW.through);
  PERFORM lead_scoring.require_name(NEW.name, 'a source');
  SELECT * INTO records FROM lead_scoring.record_type t WHERE t.name = NEW.record_type;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'record type "%" of source "%" does not exist', NEW.record_type, NEW.name USING ERRCODE = 'undefined_object',
      HINT = 'Insert it into lead_scoring.record_type first.';
  END IF;
  PERFORM lead_scoring.require_relation(NEW.relation);
  PERFORM lead_scoring.require_owner(NEW.relation);
  PERFORM lead_scoring.require_owner(records.relation);
  PERFORM lead_scoring.require_link(NEW, records);
  IF NEW.occurred_at IS NULL AND (NEW.dedup_key IS NOT NULL OR NEW.dedup_within IS NOT NULL) THEN
    RAISE EXCEPTION 'dedup_key and dedup_within of source "%" need occurred_at', NEW.name USING ERRCODE = 'invalid_parameter_value',
      HINT = 'Of two events the later is dropped: name the column with their time, or drop related rows by the filter.';
  END IF;
  PERFORM lead_scoring.require_length(NEW.dedup_within, 'dedup_within', format('source "%s"', NEW.name));
  IF NEW.occurred_at IS NOT NULL THEN
    time_type := lead_scoring.require_column(NEW.relation, NEW.occurred_at, 'time of the event');
    IF time_type <> 'timestamptz'::regtype THEN
      RAISE EXCEPTION 'time of the event "%" of source "%" has type %', NEW.occurred_at, NEW.name, format_type(time_type, NULL)
        USING ERRCODE = 'datatype_mismatch',
        HINT = 'It must be timestamp with time zone. For another type, use a view that says in which time zone it is: "at" AT TIME ZONE ''UTC''.';
    END IF;
    IF EXISTS (SELECT FROM lead_scoring.rule r JOIN lead_scoring.score s ON s.name = r.score
                 JOIN lead_scoring.score_group g ON g.score = r.score AND g.name = r.group_name
                WHERE s.record_type = NEW.record_type AND r.source = NEW.name AND g.kind = 'fit') THEN
      RAISE EXCEPTION 'source "%" is used by rules of fit groups', NEW.name USING ERRCODE = 'object_not_in_prerequisite_state',
        HINT = 'Events belong in engagement groups.';
    END IF;
  ELSIF EXISTS (SELECT FROM lead_scoring.rule r JOIN lead_scoring.score s ON s.name = r.score
                  JOIN lead_scoring.score_group g ON g.score = r.score AND g.name = r.group_name
                 WHERE s.record_type = NEW.record_type AND r.source = NEW.name AND g.kind = 'engagement') THEN
    RAISE EXCEPTION 'source "%" is used by event rules', NEW.name USING ERRCODE = 'object_not_in_prerequisite_state',
      HINT = 'Event rules need the time of the event.';
  ELSIF EXISTS (SELECT FROM lead_scoring.event_factor f JOIN lead_scoring.score s ON s.name = f.score
                 WHERE s.record_type = NEW.record_type AND f.source = NEW.name) THEN
    RAISE EXCEPTION 'source "%" is used by event factors', NEW.name USING ERRCODE = 'object_not_in_prerequisite_state',
      HINT = 'They need the time of the event.';
  END IF;
  RETURN NEW;
END $$;
COMMENT ON FUNCTION lead_scoring.check_source() IS 'Checks a source as it is written';

