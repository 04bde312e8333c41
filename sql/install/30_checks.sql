-- Every write to a definition is checked at once, with an error that says what is wrong and how to mend it.
-- The triggers named a_check run first (triggers fire in the order of their names) and look at everything but
-- expressions; those named b_resolve have PostgreSQL parse the expressions.

-- pg_restore loads the definitions in any order, with check_function_bodies off: their checks then wait for first use.
-- Only for those who own the extension, as the tables must hold nothing whose author was not checked.
CREATE FUNCTION lead_scoring.restoring() RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT NOT current_setting('check_function_bodies')::boolean
         AND (SELECT pg_has_role(current_user, extowner, 'USAGE') FROM pg_extension WHERE extname = 'lead_scoring')
$$;
COMMENT ON FUNCTION lead_scoring.restoring() IS 'Whether definitions are being loaded by pg_restore, so that their checks wait for first use';

CREATE FUNCTION lead_scoring.key_family(type oid) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT CASE WHEN base IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype) THEN 'integer'
              WHEN base = 'uuid'::regtype THEN 'uuid'
              WHEN base IN ('text'::regtype, 'varchar'::regtype) THEN 'text' END
    FROM (SELECT CASE WHEN typtype = 'd' THEN typbasetype ELSE oid END AS base FROM pg_type WHERE oid = key_family.type) t
$$;
COMMENT ON FUNCTION lead_scoring.key_family(oid) IS 'Kind of key that a type makes: integer, uuid, text; NULL if it cannot be a key';

-- Who defines something over a relation owns it: what he writes will run with the owner's rights.
CREATE FUNCTION lead_scoring.require_owner(relation regclass) RETURNS void LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  owner oid := (SELECT relowner FROM pg_class WHERE oid = require_owner.relation);
BEGIN
  IF owner IS NOT NULL AND NOT pg_has_role(current_user, owner, 'USAGE') THEN
    RAISE EXCEPTION 'must be owner of relation "%"', require_owner.relation USING ERRCODE = 'insufficient_privilege',
      HINT = 'Definitions run with the rights of the relation''s owner, so only the owner may write them.';
  END IF;
END $$;
COMMENT ON FUNCTION lead_scoring.require_owner(regclass) IS 'Raises unless the current user owns the relation';

CREATE FUNCTION lead_scoring.require_column(relation regclass, column_name name, meaning text) RETURNS oid
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  type oid := (SELECT atttypid FROM pg_attribute
                WHERE attrelid = relation AND attname = column_name AND attnum > 0 AND NOT attisdropped);
BEGIN
  IF type IS NULL THEN
    RAISE EXCEPTION '% "%" is not a column of "%"', meaning, column_name, relation USING ERRCODE = 'undefined_column',
      HINT = (SELECT coalesce('Its columns are ' || string_agg(quote_ident(attname), ', ' ORDER BY attnum) || '.', 'It has no columns.')
                FROM pg_attribute WHERE attrelid = relation AND attnum > 0 AND NOT attisdropped);
  END IF;
  RETURN type;
END $$;
COMMENT ON FUNCTION lead_scoring.require_column(regclass, name, text) IS 'Type of a column; raises if there is no such column';

CREATE FUNCTION lead_scoring.require_relation(relation regclass) RETURNS "char" LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  kind "char" := (SELECT relkind FROM pg_class WHERE oid = require_relation.relation);
BEGIN
  IF require_relation.relation IS NULL THEN
    RAISE EXCEPTION 'relation must not be NULL' USING ERRCODE = 'null_value_not_allowed',
      HINT = 'Name the table, view or foreign table.';
  ELSIF kind IS NULL THEN
    RAISE EXCEPTION 'relation with OID % does not exist', require_relation.relation::oid USING ERRCODE = 'undefined_table',
      HINT = 'Name an existing table, view or foreign table.';
  ELSIF kind NOT IN ('r', 'p', 'v', 'm', 'f') THEN
    RAISE EXCEPTION '"%" is not a table, view or foreign table', require_relation.relation USING ERRCODE = 'wrong_object_type',
      HINT = 'Name a table, partitioned table, view, materialized view or foreign table.';
  END IF;
  RETURN kind;
END $$;
COMMENT ON FUNCTION lead_scoring.require_relation(regclass) IS 'Kind of a relation that can hold records or events; raises for any other';

-- The relation of a score's records; NULL if its record type is not known (yet).
CREATE FUNCTION lead_scoring.record_relation(score text) RETURNS regclass LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT t.relation FROM lead_scoring.score s JOIN lead_scoring.record_type t ON t.name = s.record_type
   WHERE s.name = record_relation.score
$$;
COMMENT ON FUNCTION lead_scoring.record_relation(text) IS 'Relation that holds the records of a score';

-- The relation that the expressions of a rule or a scope look at.
CREATE FUNCTION lead_scoring.expression_relation(score text, source text) RETURNS regclass LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT CASE WHEN expression_relation.source IS NULL THEN lead_scoring.record_relation(expression_relation.score)
         ELSE (SELECT o.relation FROM lead_scoring.source o JOIN lead_scoring.score s ON s.record_type = o.record_type
                WHERE s.name = expression_relation.score AND o.name = expression_relation.source) END
$$;
COMMENT ON FUNCTION lead_scoring.expression_relation(text, text) IS 'Relation whose rows a criterion of a score looks at';

CREATE FUNCTION lead_scoring.require_name(name text, what text) RETURNS void LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF require_name.name IS NULL OR require_name.name = '' THEN
    RAISE EXCEPTION 'name of % must not be NULL or empty', what USING ERRCODE = 'invalid_name',
      HINT = 'Give it a name.';
  END IF;
END $$;
COMMENT ON FUNCTION lead_scoring.require_name(text, text) IS 'Raises unless a name is given';

CREATE FUNCTION lead_scoring.require_limits(min_points double precision, max_points double precision, what text) RETURNS void
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF min_points IN ('NaN', 'infinity', '-infinity') OR max_points IN ('NaN', 'infinity', '-infinity') THEN
    RAISE EXCEPTION 'limits of % must be finite', what USING ERRCODE = 'invalid_parameter_value',
      HINT = 'Use NULL for no limit.';
  ELSIF min_points > max_points THEN
    RAISE EXCEPTION 'lower limit % of % is above its upper limit %', min_points, what, max_points
      USING ERRCODE = 'invalid_parameter_value', HINT = 'Exchange min_points and max_points, or use NULL for no limit.';
  END IF;
END $$;
COMMENT ON FUNCTION lead_scoring.require_limits(double precision, double precision, text) IS 'Raises unless the limits are finite and in order';

CREATE FUNCTION lead_scoring.require_points(points double precision, what text) RETURNS void LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF points IS NULL THEN
    RAISE EXCEPTION 'points of % must not be NULL', what USING ERRCODE = 'null_value_not_allowed',
      HINT = 'Give the points that it adds, or subtracts if negative.';
  ELSIF NOT points BETWEEN -1e9 AND 1e9 THEN
    RAISE EXCEPTION 'points of % out of range: %', what, points USING ERRCODE = 'numeric_value_out_of_range',
      HINT = 'Points are finite, between -1,000,000,000 and 1,000,000,000.';
  END IF;
END $$;
COMMENT ON FUNCTION lead_scoring.require_points(double precision, text) IS 'Raises unless the points are finite and in range';

-- A part of a score is written by the owner of the score's records, once the score exists.
CREATE FUNCTION lead_scoring.lock_definition(score text) RETURNS void LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT pg_advisory_xact_lock('lead_scoring.score'::regclass::oid::integer, hashtext(lock_definition.score))
$$;
COMMENT ON FUNCTION lead_scoring.lock_definition(text) IS 'Keeps others from changing, activating or refreshing a score until the end of the transaction: a score is never computed by one definition and stored beside another';

CREATE FUNCTION lead_scoring.lock_definitions(record_type text) RETURNS void LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT lead_scoring.lock_definition(s.name)
    FROM (SELECT name FROM lead_scoring.score WHERE record_type = lock_definitions.record_type ORDER BY name) s
$$;
COMMENT ON FUNCTION lead_scoring.lock_definitions(text) IS 'The same for all scores of a record type, in the order of their names';

CREATE FUNCTION lead_scoring.require_score(score text) RETURNS lead_scoring.score LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  found_score lead_scoring.score;
BEGIN
  PERFORM lead_scoring.lock_definition(require_score.score);
  SELECT * INTO found_score FROM lead_scoring.score s WHERE s.name = require_score.score;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'score "%" does not exist', require_score.score USING ERRCODE = 'undefined_object',
      HINT = 'Insert it into lead_scoring.score first.';
  END IF;
  PERFORM lead_scoring.require_owner(lead_scoring.record_relation(require_score.score));
  RETURN found_score;
END $$;
COMMENT ON FUNCTION lead_scoring.require_score(text) IS 'The score of this name; raises if there is none or the current user may not change it';

CREATE FUNCTION lead_scoring.check_record_type() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  kind "char";
  key_type oid;
BEGIN
  IF TG_OP <> 'INSERT' THEN
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
  RETURN NEW;
END $$;
COMMENT ON FUNCTION lead_scoring.check_record_type() IS 'Checks a record type as it is written';

CREATE FUNCTION lead_scoring.check_source() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  records lead_scoring.record_type;
  row_type oid;
  record_type oid;
  time_type oid;
BEGIN
  IF TG_OP <> 'INSERT' THEN
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
  PERFORM lead_scoring.require_name(NEW.name, 'a source');
  SELECT * INTO records FROM lead_scoring.record_type t WHERE t.name = NEW.record_type;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'record type "%" of source "%" does not exist', NEW.record_type, NEW.name USING ERRCODE = 'undefined_object',
      HINT = 'Insert it into lead_scoring.record_type first.';
  END IF;
  PERFORM lead_scoring.require_relation(NEW.relation);
  PERFORM lead_scoring.require_owner(NEW.relation);
  PERFORM lead_scoring.require_owner(records.relation);
  row_type := lead_scoring.require_column(NEW.relation, NEW.record_key, 'record key');
  record_type := lead_scoring.require_column(records.relation, coalesce(NEW.record_column, records.key_column), 'record column');
  IF lead_scoring.key_family(row_type) IS DISTINCT FROM lead_scoring.key_family(record_type) OR lead_scoring.key_family(row_type) IS NULL THEN
    RAISE EXCEPTION 'record key "%" of source "%" has type %, the record''s column has type %', NEW.record_key, NEW.name,
      format_type(row_type, NULL), format_type(record_type, NULL) USING ERRCODE = 'datatype_mismatch',
      HINT = 'Both are integers of any size, both uuid, or both text.';
  END IF;
  IF NEW.record_column IS NOT NULL AND NEW.record_column <> records.key_column AND NEW.relation_owner <> records.relation_owner THEN
    RAISE EXCEPTION 'relations of source "%" and of record type "%" have different owners', NEW.name, NEW.record_type
      USING ERRCODE = 'insufficient_privilege', HINT = 'With record_column both are read together, with the rights of one owner.';
  END IF;
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
  END IF;
  RETURN NEW;
END $$;
COMMENT ON FUNCTION lead_scoring.check_source() IS 'Checks a source as it is written';

CREATE FUNCTION lead_scoring.check_score() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  records lead_scoring.record_type;
BEGIN
  IF TG_OP <> 'INSERT' THEN
    PERFORM lead_scoring.lock_definition(OLD.name);
    PERFORM lead_scoring.require_owner(lead_scoring.record_relation(OLD.name));
    IF OLD.status = 'active' AND TG_OP = 'DELETE' THEN
      RAISE EXCEPTION 'score "%" is active', OLD.name USING ERRCODE = 'object_not_in_prerequisite_state',
        HINT = format('Switch it off first: SELECT lead_scoring.deactivate(%L).', OLD.name);
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
  IF TG_OP = 'UPDATE' AND NEW.record_type <> OLD.record_type
     AND (EXISTS (SELECT FROM lead_scoring.rule r WHERE r.score = OLD.name) OR EXISTS (SELECT FROM lead_scoring.scope o WHERE o.score = OLD.name)) THEN
    RAISE EXCEPTION 'record type of score "%" cannot change while it has rules or scopes', OLD.name
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'They were written for other records: delete them first.';
  END IF;
  SELECT * INTO records FROM lead_scoring.record_type t WHERE t.name = NEW.record_type;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'record type "%" of score "%" does not exist', NEW.record_type, NEW.name USING ERRCODE = 'undefined_object',
      HINT = 'Insert it into lead_scoring.record_type first.';
  END IF;
  PERFORM lead_scoring.require_owner(records.relation);
  PERFORM lead_scoring.require_limits(NEW.min_points, NEW.max_points, format('score "%s"', NEW.name));
  IF NEW.kind IS NULL OR NEW.kind NOT IN ('fit', 'engagement', 'combined') THEN
    RAISE EXCEPTION 'kind of score "%" must not be %', NEW.name, coalesce(quote_literal(NEW.kind), 'NULL')
      USING ERRCODE = 'invalid_parameter_value', HINT = 'A score is of kind fit, engagement or combined.';
  END IF;
  IF NEW.kind <> 'combined' AND EXISTS (SELECT FROM lead_scoring.score_group g WHERE g.score = NEW.name AND g.kind <> NEW.kind) THEN
    RAISE EXCEPTION 'score "%" has groups that are not of kind %', NEW.name, NEW.kind USING ERRCODE = 'object_not_in_prerequisite_state',
      HINT = 'Delete those groups, or make the score combined.';
  END IF;
  IF NEW.target IS NOT NULL THEN
    IF lead_scoring.require_relation(NEW.target) NOT IN ('r', 'p') THEN
      RAISE EXCEPTION 'target "%" of score "%" is not a table', NEW.target, NEW.name USING ERRCODE = 'wrong_object_type',
        HINT = 'The score columns need a table.';
    END IF;
    PERFORM lead_scoring.require_owner(NEW.target);
    IF lead_scoring.require_column(NEW.target, records.key_column, 'key column')
       <> lead_scoring.require_column(records.relation, records.key_column, 'key column') THEN
      RAISE EXCEPTION 'key column "%" of target "%" has another type than the records'' key', records.key_column, NEW.target
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
    IF TG_OP = 'DELETE' THEN
      RETURN OLD;
    END IF;
  END IF;
  IF lead_scoring.restoring() THEN
    RETURN NEW;
  END IF;
  PERFORM lead_scoring.require_name(NEW.name, 'a group');
  parent := lead_scoring.require_score(NEW.score);
  NEW.kind := coalesce(NEW.kind, nullif(parent.kind, 'combined'));
  IF NEW.kind IS NULL OR NEW.kind NOT IN ('fit', 'engagement') OR parent.kind NOT IN ('combined', NEW.kind) THEN
    RAISE EXCEPTION 'group "%" of score "%" cannot be of kind %', NEW.name, NEW.score, coalesce(quote_literal(NEW.kind), 'NULL')
      USING ERRCODE = 'invalid_parameter_value',
      HINT = format('The groups of a score of kind %s are of kind %s.', parent.kind,
                    CASE parent.kind WHEN 'combined' THEN 'fit or engagement' ELSE parent.kind END);
  END IF;
  PERFORM lead_scoring.require_limits(NEW.min_points, NEW.max_points, format('group "%s" of score "%s"', NEW.name, NEW.score));
  IF NEW.kind = 'fit' AND NEW.decay IS NOT NULL THEN
    RAISE EXCEPTION 'fit group "%" of score "%" cannot decay', NEW.name, NEW.score USING ERRCODE = 'invalid_parameter_value',
      HINT = 'Only events fade with time: use an engagement group, or no decay.';
  END IF;
  IF TG_OP = 'UPDATE' AND NEW.kind <> OLD.kind AND EXISTS (
       SELECT FROM lead_scoring.rule r WHERE r.score = OLD.score AND r.group_name = OLD.name) THEN
    RAISE EXCEPTION 'kind of group "%" of score "%" cannot change while it has rules', OLD.name, OLD.score
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Move or delete its rules first.';
  END IF;
  RETURN NEW;
END $$;
COMMENT ON FUNCTION lead_scoring.check_group() IS 'Checks a group of rules as it is written';

CREATE FUNCTION lead_scoring.check_rule() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  parent lead_scoring.score;
  origin lead_scoring.source;
  group_kind text;
  needed_kind text;
  what text;
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
  PERFORM lead_scoring.require_name(NEW.name, 'a rule');
  what := format('rule "%s" of score "%s"', NEW.name, NEW.score);
  parent := lead_scoring.require_score(NEW.score);
  PERFORM lead_scoring.require_points(NEW.points, what);
  SELECT g.kind INTO group_kind FROM lead_scoring.score_group g WHERE g.score = NEW.score AND g.name = NEW.group_name;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'group "%" of % does not exist', NEW.group_name, what USING ERRCODE = 'undefined_object',
      HINT = 'Insert it into lead_scoring.score_group first.';
  END IF;
  IF NEW.source IS NOT NULL THEN
    SELECT * INTO origin FROM lead_scoring.source o WHERE o.record_type = parent.record_type AND o.name = NEW.source;
    IF NOT FOUND THEN
      RAISE EXCEPTION 'source "%" of % does not exist', NEW.source, what USING ERRCODE = 'undefined_object',
        HINT = format('Insert it into lead_scoring.source first, for record type "%s".', parent.record_type);
    END IF;
    PERFORM lead_scoring.require_owner(origin.relation);
  END IF;
  needed_kind := CASE WHEN origin.occurred_at IS NULL THEN 'fit' ELSE 'engagement' END;
  IF group_kind <> needed_kind THEN
    RAISE EXCEPTION '% cannot be in % group "%"', what, group_kind, NEW.group_name USING ERRCODE = 'invalid_parameter_value',
      HINT = CASE needed_kind WHEN 'fit' THEN 'A rule about the record itself or about related rows belongs in a fit group; an event rule names its source.'
                              ELSE 'A rule about events belongs in an engagement group.' END;
  END IF;
  NEW.counting := coalesce(NEW.counting, CASE needed_kind WHEN 'engagement' THEN 'each' ELSE 'once' END);
  IF NEW.counting NOT IN ('each', 'once') OR NEW.counting = 'each' AND needed_kind = 'fit' THEN
    RAISE EXCEPTION 'counting of % cannot be %', what, quote_literal(NEW.counting) USING ERRCODE = 'invalid_parameter_value',
      HINT = 'An event rule counts each or once; a rule about the record or related rows pays once.';
  END IF;
  IF (NEW.at_least IS NOT NULL OR NEW.at_most IS NOT NULL) AND (NEW.counting = 'each' OR NEW.source IS NULL) THEN
    RAISE EXCEPTION 'at_least and at_most of % need counting ''once'' and a source', what USING ERRCODE = 'invalid_parameter_value',
      HINT = 'They bound the number of matching rows for a rule that pays once.';
  END IF;
  IF NEW.at_least < 0 OR NEW.at_most < 0 THEN
    RAISE EXCEPTION 'at_least and at_most of % must not be negative', what USING ERRCODE = 'invalid_parameter_value',
      HINT = 'They bound a number of rows; "none" is at_most 0.';
  END IF;
  IF NEW.at_least = 'NaN' OR NEW.at_most = 'NaN' OR NEW.at_least > NEW.at_most THEN
    RAISE EXCEPTION 'at_least % of % is above at_most %', NEW.at_least, what, NEW.at_most USING ERRCODE = 'invalid_parameter_value',
      HINT = 'For "exactly n" set both to n.';
  END IF;
  IF needed_kind = 'fit' AND (NEW.within IS NOT NULL OR NEW.since IS NOT NULL OR NEW.until IS NOT NULL) THEN
    RAISE EXCEPTION '% has no time to be within, since or until', what USING ERRCODE = 'invalid_parameter_value',
      HINT = 'Only events have a time. In a criterion use as_of, as in created_at > as_of - interval ''30 days''.';
  END IF;
  IF NEW.within > interval '290000 years' THEN
    RAISE EXCEPTION 'within of % is out of range', what USING ERRCODE = 'interval_field_overflow',
      HINT = 'It is longer than zero and at most 290,000 years.';
  END IF;
  IF NEW.within <= interval '0' OR NEW.since >= NEW.until THEN
    RAISE EXCEPTION 'time window of % is empty', what USING ERRCODE = 'invalid_parameter_value',
      HINT = 'within is longer than zero, and since is before until.';
  END IF;
  NEW.criterion := coalesce(NEW.criterion, 'true');
  NEW.enabled := coalesce(NEW.enabled, true);
  RETURN NEW;
END $$;
COMMENT ON FUNCTION lead_scoring.check_rule() IS 'Checks a rule as it is written';

CREATE FUNCTION lead_scoring.check_scope() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  parent lead_scoring.score;
  relation regclass;
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

CREATE FUNCTION lead_scoring.check_band() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  parent lead_scoring.score;
  rival text;
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
                    CASE parent.kind WHEN 'combined' THEN 'total, fit and engagement' ELSE 'total and ' || parent.kind END);
  END IF;
  IF NEW.lower_bound IN ('NaN', 'infinity', '-infinity') THEN
    RAISE EXCEPTION 'lower bound of band "%" of score "%" must be finite', NEW.label, NEW.score
      USING ERRCODE = 'invalid_parameter_value', HINT = 'Use NULL for the band of all that is below the others.';
  END IF;
  SELECT b.label INTO rival FROM lead_scoring.band b
   WHERE b.score = NEW.score AND b.part = NEW.part AND b.lower_bound IS NOT DISTINCT FROM NEW.lower_bound
     AND NOT (TG_OP = 'UPDATE' AND (b.score, b.part, b.label) = (OLD.score, OLD.part, OLD.label));
  IF FOUND THEN
    RAISE EXCEPTION 'band "%" of score "%" has the lower bound of band "%": %', NEW.label, NEW.score, rival,
      coalesce(NEW.lower_bound::text, 'NULL') USING ERRCODE = 'unique_violation',
      HINT = 'Give each band of a part a lower bound of its own.';
  END IF;
  RETURN NEW;
END $$;
COMMENT ON FUNCTION lead_scoring.check_band() IS 'Checks a band as it is written';

-- Points by hand are given by those who may change the record, not only by its relation's owner.
CREATE FUNCTION lead_scoring.check_adjustment() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  adjusted text := CASE TG_OP WHEN 'INSERT' THEN NEW.score ELSE OLD.score END;
  relation regclass := lead_scoring.record_relation(adjusted);
  key_type oid;
BEGIN
  IF TG_OP <> 'DELETE' AND lead_scoring.restoring() THEN
    RETURN NEW;
  END IF;
  IF relation IS NULL AND TG_OP = 'INSERT' THEN
    RAISE EXCEPTION 'score "%" does not exist', adjusted USING ERRCODE = 'undefined_object',
      HINT = 'Insert it into lead_scoring.score first.';
  ELSIF relation::oid IN (SELECT oid FROM pg_class) AND NOT has_table_privilege(relation, 'UPDATE') THEN
    RAISE EXCEPTION 'permission denied to adjust score "%"', adjusted USING ERRCODE = 'insufficient_privilege',
      HINT = format('It takes the right to update "%s".', relation);
  END IF;
  IF TG_OP = 'DELETE' THEN
    RETURN OLD;
  ELSIF TG_OP = 'UPDATE' AND NEW.score <> OLD.score THEN
    RAISE EXCEPTION 'an adjustment of score "%" cannot move to another score', OLD.score USING ERRCODE = 'invalid_parameter_value',
      HINT = 'Delete it and insert another.';
  END IF;
  PERFORM lead_scoring.require_points(NEW.points, format('an adjustment of score "%s"', NEW.score));
  IF NEW.record_key IS NULL THEN
    RAISE EXCEPTION 'record key of an adjustment of score "%" must not be NULL', NEW.score USING ERRCODE = 'null_value_not_allowed',
      HINT = 'Give the key of the record, as text.';
  END IF;
  SELECT a.atttypid INTO key_type FROM lead_scoring.record_type t JOIN lead_scoring.score s ON s.record_type = t.name
    JOIN pg_attribute a ON a.attrelid = t.relation AND a.attname = t.key_column WHERE s.name = NEW.score;
  IF key_type IS NOT NULL THEN
    -- Raises for a text that is no key, and stores each key in the one form that it has
    CASE lead_scoring.key_family(key_type)
      WHEN 'integer' THEN NEW.record_key := NEW.record_key::bigint::text;
      WHEN 'uuid' THEN NEW.record_key := NEW.record_key::uuid::text;
      ELSE NULL;
    END CASE;
  END IF;
  IF NEW.expires_at <= NEW.created_at THEN
    RAISE EXCEPTION 'adjustment of score "%" expires before it begins', NEW.score USING ERRCODE = 'invalid_parameter_value',
      HINT = 'expires_at is later than created_at, or NULL.';
  END IF;
  NEW.author := coalesce(NEW.author, current_user);
  NEW.created_at := coalesce(NEW.created_at, now());
  RETURN NEW;
END $$;
COMMENT ON FUNCTION lead_scoring.check_adjustment() IS 'Checks an adjustment as it is written';

-- Has PostgreSQL parse the expressions in the columns named as arguments, under the search path of who writes them,
-- and keeps each with all names resolved in the column <name>_resolved. No search_path is set, for that reason.
CREATE FUNCTION lead_scoring.resolve_expressions() RETURNS trigger
  AS 'MODULE_PATHNAME', 'lead_scoring_resolve_expressions' LANGUAGE C;
COMMENT ON FUNCTION lead_scoring.resolve_expressions() IS 'Parses and checks the expressions of a definition as it is written';

CREATE FUNCTION lead_scoring.status_may_change() RETURNS boolean
  AS 'MODULE_PATHNAME', 'lead_scoring_status_may_change' LANGUAGE C STABLE;
COMMENT ON FUNCTION lead_scoring.status_may_change() IS 'Whether activate() or deactivate() is at work';

-- Parts go with their score, rules with their group; both follow it to a new name.
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
    DELETE FROM lead_scoring.adjustment WHERE score = OLD.name;
  ELSIF NEW.name <> OLD.name AND NOT lead_scoring.restoring() THEN
    UPDATE lead_scoring.score_group SET score = NEW.name WHERE score = OLD.name;
    UPDATE lead_scoring.scope SET score = NEW.name WHERE score = OLD.name;
    UPDATE lead_scoring.band SET score = NEW.name WHERE score = OLD.name;
    INSERT INTO lead_scoring.adjustment (score, record_key, points, reason, author, created_at, expires_at)
      SELECT NEW.name, record_key, points, reason, author, created_at, expires_at FROM lead_scoring.adjustment WHERE score = OLD.name;
    DELETE FROM lead_scoring.adjustment WHERE score = OLD.name;
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
  ELSIF (NEW.score, NEW.name) <> (OLD.score, OLD.name) AND NOT lead_scoring.restoring() THEN
    UPDATE lead_scoring.rule SET score = NEW.score, group_name = NEW.name WHERE score = OLD.score AND group_name = OLD.name;
  END IF;
  RETURN NULL;
END $$;
COMMENT ON FUNCTION lead_scoring.follow_group() IS 'Lets the rules of a group follow it';

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
  RETURN NULL;
END $$;
COMMENT ON FUNCTION lead_scoring.follow_owner() IS 'Lets a relation''s new owner confirm the criteria written over it';

CREATE TRIGGER a_check BEFORE INSERT OR UPDATE OR DELETE ON lead_scoring.record_type
  FOR EACH ROW EXECUTE FUNCTION lead_scoring.check_record_type();
CREATE TRIGGER c_follow AFTER UPDATE ON lead_scoring.record_type
  FOR EACH ROW EXECUTE FUNCTION lead_scoring.follow_owner();
CREATE TRIGGER a_check BEFORE INSERT OR UPDATE OR DELETE ON lead_scoring.source
  FOR EACH ROW EXECUTE FUNCTION lead_scoring.check_source();
CREATE TRIGGER b_resolve BEFORE INSERT OR UPDATE ON lead_scoring.source
  FOR EACH ROW EXECUTE FUNCTION lead_scoring.resolve_expressions('filter');
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
CREATE TRIGGER a_check BEFORE INSERT OR UPDATE OR DELETE ON lead_scoring.rule
  FOR EACH ROW EXECUTE FUNCTION lead_scoring.check_rule();
CREATE TRIGGER b_resolve BEFORE INSERT OR UPDATE ON lead_scoring.rule
  FOR EACH ROW EXECUTE FUNCTION lead_scoring.resolve_expressions('criterion');
CREATE TRIGGER a_check BEFORE INSERT OR UPDATE OR DELETE ON lead_scoring.scope
  FOR EACH ROW EXECUTE FUNCTION lead_scoring.check_scope();
CREATE TRIGGER b_resolve BEFORE INSERT OR UPDATE ON lead_scoring.scope
  FOR EACH ROW EXECUTE FUNCTION lead_scoring.resolve_expressions('criterion');
CREATE TRIGGER a_check BEFORE INSERT OR UPDATE OR DELETE ON lead_scoring.band
  FOR EACH ROW EXECUTE FUNCTION lead_scoring.check_band();
CREATE TRIGGER a_check BEFORE INSERT OR UPDATE OR DELETE ON lead_scoring.adjustment
  FOR EACH ROW EXECUTE FUNCTION lead_scoring.check_adjustment();
