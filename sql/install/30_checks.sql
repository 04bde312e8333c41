-- Every write to a definition is checked at once, with an error that says what is wrong and how to mend it.
-- The triggers named a_check run first (triggers fire in the order of their names) and look at everything but
-- expressions; those named b_resolve have PostgreSQL parse the expressions; those named c_follow, afterwards, let other
-- rows follow. This file holds what the checks of several tables share.

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

CREATE FUNCTION lead_scoring.require_same_key(left_name text, left_type oid, right_name text, right_type oid) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF lead_scoring.key_family(left_type) IS DISTINCT FROM lead_scoring.key_family(right_type)
     OR lead_scoring.key_family(left_type) IS NULL THEN
    RAISE EXCEPTION '% has type %, % has type %', left_name, format_type(left_type, NULL), right_name,
      format_type(right_type, NULL) USING ERRCODE = 'datatype_mismatch',
      HINT = 'Both are integers of any size, both uuid, or both text.';
  END IF;
END $$;
COMMENT ON FUNCTION lead_scoring.require_same_key(text, oid, text, oid) IS 'Raises unless columns of two types can hold the same keys';

-- The form in which keys are kept: each key has only one. Raises for a text that is no key.
CREATE FUNCTION lead_scoring.canonical_key(record_type text, record_key text) RETURNS text LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  records lead_scoring.record_type := (SELECT t FROM lead_scoring.record_type t WHERE t.name = canonical_key.record_type);
  key_type oid := (SELECT atttypid FROM pg_attribute WHERE attrelid = records.relation AND attname = records.key_column);
BEGIN
  -- Statements, as the planner may try every cast of one expression
  CASE lead_scoring.key_family(key_type)
    WHEN 'integer' THEN RETURN canonical_key.record_key::bigint::text;
    WHEN 'uuid' THEN RETURN canonical_key.record_key::uuid::text;
    ELSE RETURN canonical_key.record_key;
  END CASE;
EXCEPTION WHEN invalid_text_representation OR numeric_value_out_of_range THEN
  RAISE EXCEPTION 'key of record type "%": %', records.name, SQLERRM USING ERRCODE = SQLSTATE,
    HINT = format('The keys are those in column "%s" of "%s".', records.key_column, records.relation);
END $$;
COMMENT ON FUNCTION lead_scoring.canonical_key(text, text) IS 'Key of a record in the form in which keys are kept';

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

-- What people write about single records is written by those who may change the record, not only by its owner.
CREATE FUNCTION lead_scoring.require_update_right(relation regclass, deed text) RETURNS void LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF require_update_right.relation::oid NOT IN (SELECT oid FROM pg_class) THEN
    RETURN;
  ELSIF NOT has_table_privilege(require_update_right.relation, 'UPDATE') THEN
    RAISE EXCEPTION 'permission denied to %', deed USING ERRCODE = 'insufficient_privilege',
      HINT = format('It takes the right to update "%s".', require_update_right.relation);
  ELSIF row_security_active(require_update_right.relation) THEN
    RAISE EXCEPTION 'permission denied to %', deed USING ERRCODE = 'insufficient_privilege',
      HINT = format('It takes the right to update every record, and row-level security of "%s" applies to you.', require_update_right.relation);
  END IF;
END $$;
COMMENT ON FUNCTION lead_scoring.require_update_right(regclass, text) IS 'Raises unless the current user may update every row of the relation';

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

CREATE FUNCTION lead_scoring.require_factor(factor double precision, name text, what text) RETURNS void LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF factor IS NULL THEN
    RAISE EXCEPTION '% of % must not be NULL', require_factor.name, what USING ERRCODE = 'null_value_not_allowed',
      HINT = 'Give the factor: 1.5 adds 50 %, 0 leaves nothing.';
  ELSIF NOT factor BETWEEN 0 AND 1e6 THEN
    RAISE EXCEPTION '% of % out of range: %', require_factor.name, what, factor USING ERRCODE = 'numeric_value_out_of_range',
      HINT = 'A factor is finite, between 0 and 1,000,000: 1.5 adds 50 %, 0.5 takes half away.';
  END IF;
END $$;
COMMENT ON FUNCTION lead_scoring.require_factor(double precision, text, text) IS 'Raises unless the factor is finite, not negative and in range';

CREATE FUNCTION lead_scoring.require_length(length interval, name text, what text) RETURNS void LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF length > interval '290000 years' THEN
    RAISE EXCEPTION '% of % is out of range', require_length.name, what USING ERRCODE = 'interval_field_overflow',
      HINT = 'It is longer than zero and at most 290,000 years.';
  ELSIF length <= interval '0' THEN
    RAISE EXCEPTION '% of % must be longer than zero: %', require_length.name, what, length
      USING ERRCODE = 'invalid_parameter_value', HINT = 'Give a length of time, such as ''30 days''.';
  END IF;
END $$;
COMMENT ON FUNCTION lead_scoring.require_length(interval, text, text) IS 'Raises unless the length of time is NULL, or above zero and in range';

CREATE FUNCTION lead_scoring.require_validity(valid_from timestamptz, valid_to timestamptz, what text) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF valid_from >= valid_to THEN
    RAISE EXCEPTION '% is never in force', what USING ERRCODE = 'invalid_parameter_value',
      HINT = 'valid_from is before valid_to.';
  END IF;
END $$;
COMMENT ON FUNCTION lead_scoring.require_validity(timestamptz, timestamptz, text) IS 'Raises if something ends before it begins to be in force';

CREATE FUNCTION lead_scoring.require_decay_after(decay lead_scoring.decay, decay_after interval, what text) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF decay_after IS NOT NULL AND decay IS NULL THEN
    RAISE EXCEPTION 'decay_after of % needs a decay', what USING ERRCODE = 'invalid_parameter_value',
      HINT = 'Give the decay that begins after so much quiet time.';
  ELSIF decay_after > interval '290000 years' THEN
    RAISE EXCEPTION 'decay_after of % is out of range', what USING ERRCODE = 'interval_field_overflow',
      HINT = 'It is at most 290,000 years.';
  ELSIF decay_after < interval '0' THEN
    RAISE EXCEPTION 'decay_after of % must not be negative: %', what, decay_after USING ERRCODE = 'invalid_parameter_value',
      HINT = 'Give the quiet time after which the decay begins, such as ''3 days''.';
  END IF;
END $$;
COMMENT ON FUNCTION lead_scoring.require_decay_after(lead_scoring.decay, interval, text) IS 'Raises unless the quiet time before a decay is NULL, or in range and there is a decay';

-- A segment is part of the key of its row, so that its length is limited; the one for all records is written in one way.
CREATE FUNCTION lead_scoring.require_segment(segment text, what text) RETURNS text LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF require_segment.segment IS NULL THEN
    RAISE EXCEPTION 'segment of % must not be NULL', what USING ERRCODE = 'null_value_not_allowed',
      HINT = 'Write a condition over the record, such as industry = ''Retail''.';
  ELSIF octet_length(require_segment.segment) > 2000 THEN
    RAISE EXCEPTION 'segment of % is longer than 2000 bytes', what USING ERRCODE = 'program_limit_exceeded',
      HINT = 'Put the condition into an immutable function, and call that.';
  END IF;
  RETURN CASE WHEN lower(btrim(require_segment.segment)) = 'true' THEN 'true' ELSE require_segment.segment END;
END $$;
COMMENT ON FUNCTION lead_scoring.require_segment(text, text) IS 'The segment as it is kept; raises if there is none or if it is too long';

CREATE FUNCTION lead_scoring.lock_definition(score text) RETURNS void
  AS 'MODULE_PATHNAME', 'lead_scoring_lock_definition' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION lead_scoring.lock_definition(text) IS 'Keeps others from changing, activating or refreshing a score until the end of the transaction: a score is never computed by one definition and stored beside another. Of a score that is switched on, the others of its table can meanwhile not be changed or refreshed as a whole, either';

CREATE FUNCTION lead_scoring.share_definition(score text) RETURNS void
  AS 'MODULE_PATHNAME', 'lead_scoring_share_definition' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION lead_scoring.share_definition(text) IS 'The same, but others may do so, too: as who writes facts holds it';

CREATE FUNCTION lead_scoring.await_source(score text, source text) RETURNS void
  AS 'MODULE_PATHNAME', 'lead_scoring_await_source' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION lead_scoring.await_source(text, text) IS 'Waits for those who write a source that an active score does not look at yet, and keeps others from doing so until the end of the transaction. Before the definition is held: those writers may want it, too';

CREATE FUNCTION lead_scoring.has_records(score text, record_keys text[]) RETURNS boolean
  AS 'MODULE_PATHNAME', 'lead_scoring_has_records' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION lead_scoring.has_records(text, text[]) IS 'Whether a score has a record for each of these keys, be it since the transaction began';

CREATE FUNCTION lead_scoring.is_active_now(score text) RETURNS boolean
  AS 'MODULE_PATHNAME', 'lead_scoring_is_active_now' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION lead_scoring.is_active_now(text) IS 'Whether a score is switched on, be it since the transaction began';

CREATE FUNCTION lead_scoring.waits_now(score text) RETURNS boolean
  AS 'MODULE_PATHNAME', 'lead_scoring_waits_now' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION lead_scoring.waits_now(text) IS 'Whether records wait for the evaluation of a score, be it since the transaction began';

CREATE FUNCTION lead_scoring.require_all_scores_seen() RETURNS void
  AS 'MODULE_PATHNAME', 'lead_scoring_require_all_scores_seen' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION lead_scoring.require_all_scores_seen() IS
  'Raises a serialization failure in a transaction that does not see which scores, sources and models there are now and which scores are switched on';

CREATE FUNCTION lead_scoring.require_parts_seen(score text) RETURNS void
  AS 'MODULE_PATHNAME', 'lead_scoring_require_parts_seen' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION lead_scoring.require_parts_seen(text) IS
  'Raises a serialization failure in a transaction that does not see the parts of a score as they are now. For who holds its definition and is going to take all of them along';

-- The record type itself first: no score is switched on that the statement does not know
CREATE FUNCTION lead_scoring.lock_definitions(record_type text) RETURNS void LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT pg_advisory_xact_lock('lead_scoring.record_type'::regclass::oid::integer, hashtext(lock_definitions.record_type));
  SELECT lead_scoring.lock_definition(s.name)
    FROM (SELECT name FROM lead_scoring.score WHERE record_type = lock_definitions.record_type ORDER BY name COLLATE "C") s;
  SELECT lead_scoring.require_all_scores_seen();
  SELECT lead_scoring.require_parts_seen(s.name) FROM lead_scoring.score s WHERE s.record_type = lock_definitions.record_type
$$;
COMMENT ON FUNCTION lead_scoring.lock_definitions(text) IS 'Keeps others from changing, activating or refreshing all scores of a record type, locked in the order of their names';

-- Not the locks of definitions: who refers to something need not wait for who edits it.
CREATE FUNCTION lead_scoring.keep_existing(what regclass, name text, alone boolean DEFAULT false) RETURNS void LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT CASE WHEN alone THEN pg_advisory_xact_lock(what::oid::integer, hashtext('kept ' || name))
              ELSE pg_advisory_xact_lock_shared(what::oid::integer, hashtext('kept ' || name)) END
$$;
COMMENT ON FUNCTION lead_scoring.keep_existing(regclass, text, boolean) IS
  'Keeps others from deleting or renaming a record type or a score, a row of this table, until the end of the transaction; alone, for who is going to do so, from referring to it. Before anything else of it is held';

-- A part of a score is written by the owner of the score's records, once the score exists.
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
      HINT = 'The scores are the rows of lead_scoring.score: insert it there first.';
  END IF;
  PERFORM lead_scoring.require_owner(lead_scoring.record_relation(require_score.score));
  RETURN found_score;
END $$;
COMMENT ON FUNCTION lead_scoring.require_score(text) IS 'The score of this name; raises if there is none or the current user may not change it';


-- What only scores by rules have.
CREATE FUNCTION lead_scoring.require_rules(score text, parts text) RETURNS void LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  used_model text := (SELECT s.model FROM lead_scoring.score s WHERE s.name = require_rules.score AND s.kind = 'likelihood');
BEGIN
  IF used_model IS NOT NULL THEN
    RAISE EXCEPTION 'score "%" is of kind likelihood and has no %', require_rules.score, parts USING ERRCODE = 'invalid_parameter_value',
      HINT = format('Its value comes from model "%s": write rows of lead_scoring.feature. It can have bands, alerts and scopes.', used_model);
  END IF;
END $$;
COMMENT ON FUNCTION lead_scoring.require_rules(text, text) IS 'Raises if the value of a score comes from a model and not from rules';
