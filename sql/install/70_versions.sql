-- Versions of a score: drafts of it, their values beside its own, publishing, and experiments with two of them.

-- Whatever copies, moves, writes out or reads in a definition goes by these functions and the catalogue: a column that
-- is added to a definition table is a part of all that.
CREATE FUNCTION lead_scoring.definition_parts(OUT part name, OUT kind text, OUT section text, OUT sort_key name[])
RETURNS SETOF record LANGUAGE sql STABLE PARALLEL SAFE ROWS 7
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT v.part::name, v.kind, v.section, v.sort_key::name[]
    FROM (VALUES
      (1, 'score_group',   'group',         'groups',         '{name}'),
      (2, 'segment_decay', 'segment decay', 'segment_decays', '{group_name,segment}'),
      (3, 'rule',          'rule',          'rules',          '{name}'),
      (4, 'event_factor',  'event factor',  'event_factors',  '{name}'),
      (5, 'scope',         'scope',         'scopes',         '{mode,source,criterion}'),
      (6, 'band',          'band',          'bands',          '{part,segment,label}'),
      (7, 'alert',         'alert',         'alerts',         '{name}')) v (at, part, kind, section, sort_key)
   ORDER BY v.at
$$;
COMMENT ON FUNCTION lead_scoring.definition_parts() IS 'The tables that hold the parts of a score, each after those that it refers to';

CREATE FUNCTION lead_scoring.written_columns(part name) RETURNS name[] LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT array_agg(a.attname ORDER BY a.attnum)
    FROM pg_attribute a
   WHERE a.attrelid = format('lead_scoring.%I', part)::regclass AND a.attnum > 0 AND NOT a.attisdropped
     AND a.attidentity = '' AND a.attname !~ '(_resolved|_owner)$' AND a.attname <> 'criterion_relation'
     AND NOT (part = 'score' AND a.attname IN ('status', 'draft_of'))
$$;
COMMENT ON FUNCTION lead_scoring.written_columns(name) IS 'Columns of a definition table that its author writes; the others are set by the extension';

CREATE FUNCTION lead_scoring.expressions_of(definition jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT coalesce(jsonb_object_agg(left(key, -9), value), '{}') FROM jsonb_each(definition) WHERE key LIKE '%\_resolved'
$$;
COMMENT ON FUNCTION lead_scoring.expressions_of(jsonb) IS 'The expressions of a row of a definition table, with all names resolved';

-- The names in a resolved expression are safe under any search path, but the row is called "this" and as_of $1, which
-- only the extension understands. Literals and quoted names are passed over.
CREATE FUNCTION lead_scoring.spelled_out(resolved text, relation name) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT string_agg(CASE token[1] WHEN 'this.' THEN quote_ident(relation) || '.' WHEN '$1' THEN 'as_of' ELSE token[1] END, '' ORDER BY at)
    FROM regexp_matches(resolved, $re$('(?:[^']|'')*'|"(?:[^"]|"")*"|\mthis\.|\$1\M|[[:alnum:]_$]+|.)$re$, 'g') WITH ORDINALITY t (token, at)
$$;
COMMENT ON FUNCTION lead_scoring.spelled_out(text, name) IS 'A resolved expression as an author would write it, every name qualified';

CREATE FUNCTION lead_scoring.written_out(definition jsonb, VARIADIC fields text[]) RETURNS jsonb LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT definition || coalesce(jsonb_object_agg(f.field, lead_scoring.spelled_out(f.resolved, c.relname)), '{}')
    FROM (SELECT field, definition ->> (field || '_resolved') AS resolved,
                 coalesce(definition ->> 'criterion_relation', definition ->> CASE field WHEN 'through_filter' THEN 'through' ELSE 'relation' END) AS relation
            FROM unnest(fields) field) f
    JOIN pg_class c ON c.oid = to_regclass(f.relation)
   WHERE f.resolved IS NOT NULL
$$;
COMMENT ON FUNCTION lead_scoring.written_out(jsonb, text[]) IS 'A row of a definition table, some of its expressions as they would be written under any settings';

-- The statement is put together before the search path changes, and under that of the caller nothing is looked up but
-- what his expressions name.
CREATE FUNCTION lead_scoring.write_definition(part name, definition jsonb, search_path text) RETURNS jsonb LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  columns text := (SELECT string_agg(quote_ident(c), ', ') FROM unnest(lead_scoring.written_columns(part)) c WHERE definition ? c::text);
  statement text := CASE WHEN columns <> '' THEN format(
    'INSERT INTO lead_scoring.%1$I AS written (%2$s) SELECT %2$s FROM pg_catalog.jsonb_populate_record(NULL::lead_scoring.%1$I, $1)
       RETURNING pg_catalog.to_jsonb(written)', part, columns) END;
  written jsonb;
BEGIN
  IF statement IS NULL OR write_definition.search_path IS NULL THEN
    RAISE EXCEPTION 'nothing to write into %', coalesce(part, 'NULL') USING ERRCODE = 'null_value_not_allowed',
      HINT = 'Give an object with columns of a definition table, and a search path.';
  END IF;
  PERFORM pg_catalog.set_config('search_path', write_definition.search_path, true);
  EXECUTE statement INTO written USING definition;
  RETURN written;
END $$;
COMMENT ON FUNCTION lead_scoring.write_definition(name, jsonb, text) IS
  'Inserts a row into a definition table, columns that are not given getting their defaults; expressions are read under this search path. Returns the row';

CREATE FUNCTION lead_scoring.write_written_out(part name, definition jsonb) RETURNS jsonb LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET standard_conforming_strings = on
AS $$
BEGIN
  RETURN lead_scoring.write_definition(part, definition, 'pg_catalog, pg_temp');
END $$;
COMMENT ON FUNCTION lead_scoring.write_written_out(name, jsonb) IS 'Inserts a row whose expressions are written out into a definition table';

CREATE FUNCTION lead_scoring.copy_definition(part name, original jsonb, changes jsonb, search_path text) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  meanings jsonb := lead_scoring.expressions_of(original);
  copy jsonb := original || changes;
  written jsonb;
BEGIN
  -- An expression means the same in the copy. That is mostly so when its text is read again; where it is not, under
  -- another search path or time zone than the author's, what it means is written out.
  BEGIN
    written := lead_scoring.write_definition(part, copy, copy_definition.search_path);
    IF lead_scoring.expressions_of(written) = meanings THEN
      RETURN;
    END IF;
    RAISE EXCEPTION 'meant something else' USING ERRCODE = 'data_exception', HINT = 'Caught below.';
  EXCEPTION WHEN syntax_error_or_access_rule_violation OR data_exception OR invalid_schema_name THEN
    copy := lead_scoring.written_out(original, VARIADIC ARRAY(SELECT jsonb_object_keys(meanings))) || changes;
  END;
  written := lead_scoring.write_written_out(part, copy);
  IF lead_scoring.expressions_of(written) <> meanings THEN
    RAISE EXCEPTION 'an expression of % would change its meaning when copied: %', replace(part, '_', ' '), meanings
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Write it again, under the search_path and the time zone of now, and then copy.';
  END IF;
END $$;
COMMENT ON FUNCTION lead_scoring.copy_definition(name, jsonb, jsonb, text) IS 'Inserts a copy of a row of a definition table with some columns changed; its expressions keep their meaning';

CREATE FUNCTION lead_scoring.lock_scores(VARIADIC names text[]) RETURNS void LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT lead_scoring.lock_definition(s.name) FROM (SELECT name FROM unnest(names) name GROUP BY name ORDER BY name COLLATE "C") s
$$;
COMMENT ON FUNCTION lead_scoring.lock_scores(text[]) IS 'Locks the definitions of scores as lock_definition does, in the order of their names';

-- Who edits a row of a definition has locked it when he comes for the definition: whoever is going to write rows that are
-- there keeps him away from the tables before that.
CREATE FUNCTION lead_scoring.lock_parts(alone boolean) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  held record;
BEGIN
  FOR held IN SELECT p.part FROM lead_scoring.definition_parts() p LOOP
    EXECUTE format('LOCK TABLE lead_scoring.%I IN %s MODE', held.part, CASE WHEN alone THEN 'SHARE ROW EXCLUSIVE' ELSE 'ROW EXCLUSIVE' END);
  END LOOP;
END $$;
COMMENT ON FUNCTION lead_scoring.lock_parts(boolean) IS 'Locks the tables that hold the parts of scores, before any definition: alone, or to write rows of one''s own';

CREATE FUNCTION lead_scoring.lock_to_replace(VARIADIC names text[]) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM FROM lead_scoring.score s WHERE s.name = ANY (names) ORDER BY s.name COLLATE "C" FOR UPDATE;
  PERFORM lead_scoring.lock_parts(true);
  PERFORM lead_scoring.lock_scores(VARIADIC names);
  PERFORM lead_scoring.require_parts_seen(name) FROM unnest(names) name;
END $$;
COMMENT ON FUNCTION lead_scoring.lock_to_replace(text[]) IS 'Locks definitions of scores as lock_scores does, to write the rows that are there: nobody edits a score meanwhile';

CREATE FUNCTION lead_scoring.clear_definition(score text) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET lead_scoring.cascading = on
AS $$
DECLARE
  held record;
BEGIN
  -- The last of them refer to the first
  FOR held IN SELECT p.part FROM lead_scoring.definition_parts() WITH ORDINALITY p (part, kind, section, sort_key, at) ORDER BY p.at DESC LOOP
    EXECUTE format('DELETE FROM lead_scoring.%I p WHERE p.score = $1', held.part) USING clear_definition.score;
  END LOOP;
END $$;
COMMENT ON FUNCTION lead_scoring.clear_definition(text) IS 'Deletes all parts of a score, but not the adjustments and resets, which are facts; re-scores nothing';

CREATE FUNCTION lead_scoring.draft(score text, name text, search_path text DEFAULT current_setting('search_path')) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  original lead_scoring.score;
  held record;
  item jsonb;
BEGIN
  IF draft.score IS NULL OR draft.name IS NULL OR draft.search_path IS NULL THEN
    RAISE EXCEPTION '% must not be NULL', CASE WHEN draft.score IS NULL THEN 'score' WHEN draft.name IS NULL THEN 'name' ELSE 'search_path' END
      USING ERRCODE = 'null_value_not_allowed', HINT = 'Name the score, and give its draft a name of its own.';
  END IF;
  PERFORM lead_scoring.keep_existing('lead_scoring.record_type', s.record_type) FROM lead_scoring.score s WHERE s.name = draft.score;
  PERFORM lead_scoring.lock_parts(false);
  PERFORM lead_scoring.lock_scores(draft.score, draft.name);
  original := lead_scoring.require_score(draft.score);
  IF EXISTS (SELECT FROM lead_scoring.score s WHERE s.name = draft.name) THEN
    RAISE EXCEPTION 'score "%" exists', draft.name USING ERRCODE = 'duplicate_object', HINT = 'Give the draft a name of its own.';
  END IF;
  PERFORM lead_scoring.write_definition('score', to_jsonb(original) || jsonb_build_object('name', draft.name), draft.search_path);
  UPDATE lead_scoring.score s SET draft_of = draft.score WHERE s.name = draft.name;
  FOR held IN SELECT p.part FROM lead_scoring.definition_parts() p LOOP
    FOR item IN EXECUTE format('SELECT to_jsonb(p) FROM lead_scoring.%I p WHERE p.score = $1', held.part) USING draft.score LOOP
      PERFORM lead_scoring.copy_definition(held.part, item, jsonb_build_object('score', draft.name), draft.search_path);
    END LOOP;
  END LOOP;
  -- The facts of today, so that the draft differs by its definition only
  INSERT INTO lead_scoring.adjustment (score, record_key, points, reason, author, created_at, expires_at)
    SELECT draft.name, a.record_key, a.points, a.reason, a.author, a.created_at, a.expires_at FROM lead_scoring.adjustment a WHERE a.score = draft.score;
  INSERT INTO lead_scoring.engagement_reset (score, record_key, at, reason, author, created_at)
    SELECT draft.name, r.record_key, r.at, r.reason, r.author, r.created_at FROM lead_scoring.engagement_reset r WHERE r.score = draft.score;
END $$;
COMMENT ON FUNCTION lead_scoring.draft(text, text, text) IS
  'Copies a score, with all parts, adjustments and resets, into a new score that is a draft of it. The copy means the same whatever the search path; expressions keep their texts if they can be read under search_path';

-- Two scores can only be compared record by record if they score the same records.
CREATE FUNCTION lead_scoring.require_same_records(score_a text, score_b text) RETURNS void LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  type_a text := (SELECT s.record_type FROM lead_scoring.score s WHERE s.name = score_a);
  type_b text := (SELECT s.record_type FROM lead_scoring.score s WHERE s.name = score_b);
BEGIN
  IF type_a IS NULL OR type_b IS NULL THEN
    RAISE EXCEPTION 'score "%" does not exist', CASE WHEN type_a IS NULL THEN coalesce(score_a, 'NULL') ELSE coalesce(score_b, 'NULL') END
      USING ERRCODE = 'undefined_object', HINT = 'The scores are the rows of lead_scoring.score.';
  ELSIF type_a <> type_b THEN
    RAISE EXCEPTION 'scores "%" and "%" are of different record types: "%" and "%"', score_a, score_b, type_a, type_b
      USING ERRCODE = 'invalid_parameter_value', HINT = 'Take two scores of the same records.';
  END IF;
END $$;
COMMENT ON FUNCTION lead_scoring.require_same_records(text, text) IS 'Raises unless both scores exist and are of one record type';

CREATE FUNCTION lead_scoring.compare(
  score_a text, score_b text, as_of timestamptz DEFAULT now(), keys text[] DEFAULT NULL,
  OUT record_key text, OUT total_a double precision, OUT total_b double precision, OUT difference double precision,
  OUT label_a text, OUT label_b text, OUT label_changed boolean)
RETURNS SETOF record LANGUAGE plpgsql STABLE PARALLEL UNSAFE ROWS 100000
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM lead_scoring.require_same_records(compare.score_a, compare.score_b);
  RETURN QUERY
  SELECT coalesce(a.record_key, b.record_key), a.total, b.total, round((b.total - a.total)::numeric, 4)::double precision,
         a.label, b.label, a.label IS DISTINCT FROM b.label
    FROM lead_scoring.evaluate(compare.score_a, compare.as_of, compare.keys) a
    FULL JOIN lead_scoring.evaluate(compare.score_b, compare.as_of, compare.keys) b ON b.record_key = a.record_key;
END $$;
COMMENT ON FUNCTION lead_scoring.compare(text, text, timestamptz, text[]) IS
  'Two scores side by side, record by record, as of an instant; nothing is written. difference is total_b - total_a';

CREATE FUNCTION lead_scoring.publish(draft text) RETURNS bigint LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET lead_scoring.reason = rule_change
SET lead_scoring.cascading = on
AS $$
DECLARE
  version lead_scoring.score;
  replaced lead_scoring.score;
  held record;
  columns text := (SELECT string_agg(quote_ident(c), ', ') FROM unnest(lead_scoring.written_columns('score')) c WHERE c <> 'name');
BEGIN
  SELECT * INTO version FROM lead_scoring.score s WHERE s.name = publish.draft;
  IF version.draft_of IS NOT NULL THEN
    -- It goes in the end
    PERFORM lead_scoring.keep_existing('lead_scoring.score', version.name, true);
    PERFORM lead_scoring.await_source(version.draft_of, o.name)
       FROM (SELECT name FROM lead_scoring.source WHERE record_type = version.record_type ORDER BY relation::oid) o
      WHERE lead_scoring.uses_source(version.name, o.name);
    PERFORM lead_scoring.lock_to_replace(VARIADIC ARRAY[version.name, version.draft_of]
      || ARRAY(SELECT s.name FROM lead_scoring.score s WHERE s.draft_of = version.name));
  END IF;
  IF version.name IS NULL AND EXISTS (SELECT FROM lead_scoring.model m WHERE m.name = publish.draft) THEN
    RAISE EXCEPTION '"%" is a model, not a draft of a score', publish.draft USING ERRCODE = 'wrong_object_type',
      HINT = format('Publish one of its versions: SELECT lead_scoring.publish(%L, 1). They are the rows of lead_scoring.model_versions.', publish.draft);
  END IF;
  version := lead_scoring.require_score(publish.draft);
  IF version.draft_of IS NULL THEN
    RAISE EXCEPTION 'score "%" is not a draft of another score', publish.draft USING ERRCODE = 'object_not_in_prerequisite_state',
      HINT = format('Set draft_of to the score that it replaces, or switch it on as a score of its own: SELECT lead_scoring.activate(%L).', publish.draft);
  ELSIF version.status = 'active' THEN
    RAISE EXCEPTION 'score "%" is active', publish.draft USING ERRCODE = 'object_not_in_prerequisite_state',
      HINT = format('It goes when it is published. Switch it off first: SELECT lead_scoring.deactivate(%L).', publish.draft);
  END IF;
  SELECT * INTO replaced FROM lead_scoring.score s WHERE s.name = version.draft_of AND s.name <> version.name;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'score "%", which score "%" is a draft of, does not exist', version.draft_of, publish.draft USING ERRCODE = 'undefined_object',
      HINT = 'Set draft_of to the score that it replaces.';
  ELSIF version.kind <> 'likelihood' AND NOT EXISTS (SELECT FROM lead_scoring.rule r WHERE r.score = version.name AND r.enabled)
        AND EXISTS (SELECT FROM lead_scoring.rule r WHERE r.score = replaced.name AND r.enabled) THEN
    RAISE EXCEPTION 'score "%" has no enabled rules to replace those of score "%"', version.name, replaced.name
      USING ERRCODE = 'object_not_in_prerequisite_state',
      HINT = format('Insert them into lead_scoring.rule first, or throw the draft away: DELETE FROM lead_scoring.score WHERE name = %L.', version.name);
  END IF;
  PERFORM lead_scoring.clear_definition(replaced.name);
  EXECUTE format('UPDATE lead_scoring.score s SET (%1$s) = (SELECT %1$s FROM lead_scoring.score v WHERE v.name = $1) WHERE s.name = $2', columns)
    USING version.name, replaced.name;
  -- Moved, not written again: expressions keep their meaning whoever publishes
  FOR held IN SELECT p.part FROM lead_scoring.definition_parts() p LOOP
    EXECUTE format('UPDATE lead_scoring.%I p SET score = $2 WHERE p.score = $1', held.part) USING version.name, replaced.name;
  END LOOP;
  UPDATE lead_scoring.score s SET draft_of = replaced.name WHERE s.draft_of = version.name AND s.name <> replaced.name;
  DELETE FROM lead_scoring.score s WHERE s.name = version.name;
  RETURN CASE replaced.status WHEN 'active' THEN lead_scoring.refresh(replaced.name, clock_timestamp()) ELSE 0 END;
END $$;
COMMENT ON FUNCTION lead_scoring.publish(text) IS
  'Replaces the definition of the score that this one is a draft of, re-scores once and removes the draft. Adjustments and resets are those of the score, not of the draft. Returns how many rows it wrote';

CREATE TABLE lead_scoring.experiment (
  name        text PRIMARY KEY,
  score_a     text NOT NULL,
  score_b     text NOT NULL,
  share       double precision NOT NULL DEFAULT 0.5,
  salt        text NOT NULL,
  description text
);
COMMENT ON TABLE lead_scoring.experiment IS 'A/B tests: each record belongs to one of two scores of the same record type';
COMMENT ON COLUMN lead_scoring.experiment.name IS 'Name of the experiment';
COMMENT ON COLUMN lead_scoring.experiment.score_a IS 'Score of variant a';
COMMENT ON COLUMN lead_scoring.experiment.score_b IS 'Score of variant b';
COMMENT ON COLUMN lead_scoring.experiment.share IS 'Share of the records that belong to b, 0 to 1; when it grows, records move from a to b only';
COMMENT ON COLUMN lead_scoring.experiment.salt IS 'Text that goes into the hash (NULL on insert: the name); experiments of one salt divide the records alike';
COMMENT ON COLUMN lead_scoring.experiment.description IS 'What the experiment is for';
SELECT pg_extension_config_dump('lead_scoring.experiment', '');

CREATE FUNCTION lead_scoring.check_experiment() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF TG_OP <> 'INSERT' THEN
    PERFORM lead_scoring.require_owner(lead_scoring.record_relation(OLD.score_a));
    IF TG_OP = 'DELETE' THEN
      RETURN OLD;
    END IF;
  END IF;
  IF lead_scoring.restoring() THEN
    RETURN NEW;
  END IF;
  PERFORM lead_scoring.require_name(NEW.name, 'an experiment');
  PERFORM lead_scoring.lock_scores(NEW.score_a, NEW.score_b);
  PERFORM lead_scoring.require_same_records(NEW.score_a, NEW.score_b);
  PERFORM lead_scoring.require_owner(lead_scoring.record_relation(NEW.score_a));
  IF NEW.score_a = NEW.score_b THEN
    RAISE EXCEPTION 'experiment "%" has score "%" twice', NEW.name, NEW.score_a USING ERRCODE = 'invalid_parameter_value',
      HINT = format('Compare two scores; SELECT lead_scoring.draft(%L, ...) copies one.', NEW.score_a);
  END IF;
  NEW.share := coalesce(NEW.share, 0.5);
  NEW.salt := coalesce(NEW.salt, NEW.name);
  IF NOT NEW.share BETWEEN 0 AND 1 THEN
    RAISE EXCEPTION 'share of experiment "%" out of range: %', NEW.name, NEW.share USING ERRCODE = 'numeric_value_out_of_range',
      HINT = 'It is the share of the records that belong to score_b, 0 to 1.';
  END IF;
  RETURN NEW;
END $$;
COMMENT ON FUNCTION lead_scoring.check_experiment() IS 'Checks an experiment as it is written';
CREATE TRIGGER a_check BEFORE INSERT OR UPDATE OR DELETE ON lead_scoring.experiment
  FOR EACH ROW EXECUTE FUNCTION lead_scoring.check_experiment();

-- An experiment belongs to two scores, so it does not go with one; it follows both to new names.
CREATE FUNCTION lead_scoring.check_experiment_score() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  used text;
BEGIN
  IF TG_OP = 'DELETE' OR NEW.record_type <> OLD.record_type THEN
    SELECT e.name INTO used FROM lead_scoring.experiment e WHERE OLD.name IN (e.score_a, e.score_b) LIMIT 1;
    IF FOUND AND NOT lead_scoring.restoring() THEN
      RAISE EXCEPTION 'score "%" is used by experiment "%"', OLD.name, used USING ERRCODE = 'dependent_objects_still_exist',
        HINT = 'Delete that first.';
    END IF;
  END IF;
  RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;
COMMENT ON FUNCTION lead_scoring.check_experiment_score() IS 'Keeps scores that experiments use';
CREATE TRIGGER a_check_experiment BEFORE UPDATE OR DELETE ON lead_scoring.score
  FOR EACH ROW EXECUTE FUNCTION lead_scoring.check_experiment_score();

CREATE FUNCTION lead_scoring.follow_experiment_score() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF NEW.name <> OLD.name AND NOT lead_scoring.restoring() THEN
    UPDATE lead_scoring.experiment SET score_a = NEW.name WHERE score_a = OLD.name;
    UPDATE lead_scoring.experiment SET score_b = NEW.name WHERE score_b = OLD.name;
  END IF;
  RETURN NULL;
END $$;
COMMENT ON FUNCTION lead_scoring.follow_experiment_score() IS 'Lets experiments follow a score to its new name';
CREATE TRIGGER c_follow_experiment AFTER UPDATE ON lead_scoring.score
  FOR EACH ROW EXECUTE FUNCTION lead_scoring.follow_experiment_score();

-- Written down in the manual, for it to be repeated anywhere: no hash function of PostgreSQL's own is promised to stay.
CREATE FUNCTION lead_scoring.variant_of(salt text, record_key text, share double precision) RETURNS text LANGUAGE sql STABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT CASE WHEN ('x' || left(md5(convert_to(salt || '/' || record_key, 'UTF8')), 13))::bit(52)::bigint / 2::double precision ^ 52 < share
              THEN 'b' ELSE 'a' END
$$;
COMMENT ON FUNCTION lead_scoring.variant_of(text, text, double precision) IS
  'b if the first 13 hexadecimal digits of md5(salt || ''/'' || record_key), in UTF-8, divided by 2 ^ 52 are below share, else a';

CREATE FUNCTION lead_scoring.require_experiment(experiment text) RETURNS lead_scoring.experiment LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  found_experiment lead_scoring.experiment;
BEGIN
  SELECT * INTO found_experiment FROM lead_scoring.experiment e WHERE e.name = require_experiment.experiment;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'experiment "%" does not exist', coalesce(require_experiment.experiment, 'NULL') USING ERRCODE = 'undefined_object',
      HINT = 'The experiments are the rows of lead_scoring.experiment.';
  END IF;
  RETURN found_experiment;
END $$;
COMMENT ON FUNCTION lead_scoring.require_experiment(text) IS 'The experiment of this name; raises if there is none';

CREATE FUNCTION lead_scoring.variant(experiment text, record_key text) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT lead_scoring.variant_of(e.salt, variant.record_key, e.share) FROM lead_scoring.require_experiment(variant.experiment) e
$$;
COMMENT ON FUNCTION lead_scoring.variant(text, text) IS
  'Which score of an experiment a record belongs to, a or b: always the same while salt and share are. The formula is that of variant_of';

CREATE FUNCTION lead_scoring.experiment_values(
  experiment text, as_of timestamptz DEFAULT now(), keys text[] DEFAULT NULL,
  OUT record_key text, OUT variant text, OUT total double precision, OUT label text,
  OUT total_a double precision, OUT total_b double precision, OUT label_a text, OUT label_b text)
RETURNS SETOF record LANGUAGE sql STABLE PARALLEL UNSAFE ROWS 100000
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT c.record_key, v.variant, CASE v.variant WHEN 'a' THEN c.total_a ELSE c.total_b END, CASE v.variant WHEN 'a' THEN c.label_a ELSE c.label_b END,
         c.total_a, c.total_b, c.label_a, c.label_b
    FROM lead_scoring.require_experiment(experiment_values.experiment) e
   CROSS JOIN LATERAL lead_scoring.compare(e.score_a, e.score_b, experiment_values.as_of, experiment_values.keys) c
   CROSS JOIN LATERAL lead_scoring.variant_of(e.salt, c.record_key, e.share) v (variant)
$$;
COMMENT ON FUNCTION lead_scoring.experiment_values(text, timestamptz, text[]) IS
  'The records of an experiment, each with its variant, the total and the label that this gives, and those of both scores';

-- Experiments are written by the owners of the records, as check_experiment sees to; trigger functions are not called.
GRANT SELECT, INSERT, UPDATE, DELETE ON lead_scoring.experiment TO PUBLIC;
REVOKE EXECUTE ON FUNCTION lead_scoring.check_experiment(), lead_scoring.check_experiment_score(), lead_scoring.follow_experiment_score() FROM PUBLIC;
