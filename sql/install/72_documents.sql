-- A score as one JSON document, and back.
--
-- {"format": 1,
--  "record_type": {...}, "sources": [{...}], "model": {...}, "features": [{...}],
--  "score": {...}, "groups": [{...}], "segment_decays": [...], "rules": [...], "event_factors": [...], "scopes": [...], "bands": [...],
--  "alerts": [...]}
--
-- Each object is a row of the table of that name, its keys the columns that authors write; relations are texts with their
-- schema. Values that are the column's default are left out, and so are sections without rows. What is not in it: the
-- status, draft_of, adjustments, resets, experiments and trained versions, which belong to this database or to its records.
--
-- Its dates and times mean the same wherever it is read: they are ISO, and those without a time zone are of UTC.

CREATE FUNCTION lead_scoring.column_defaults(part name) RETURNS jsonb LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET intervalstyle = postgres
AS $$
DECLARE
  defaults jsonb;
BEGIN
  EXECUTE (SELECT format('SELECT pg_catalog.to_jsonb(d) FROM (SELECT %s) d', string_agg(format('%s AS %I', coalesce(pg_get_expr(d.adbin, d.adrelid), 'NULL'), a.attname), ', '))
             FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
            WHERE a.attrelid = format('lead_scoring.%I', part)::regclass AND a.attname = ANY (lead_scoring.written_columns(part)))
    INTO defaults;
  RETURN defaults;
END $$;
COMMENT ON FUNCTION lead_scoring.column_defaults(name) IS 'Default values of the columns of a definition table that authors write';

-- Not by reading it again: that may call functions, with the rights of whoever exports.
CREATE FUNCTION lead_scoring.depends_on_reader(expression text, resolved text) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT EXISTS (SELECT FROM regexp_matches(resolved, $re$('(?:[^']|'')*')(::(?:timestamp|date|time|ts(?:tz)?(?:multi)?range))?$re$, 'g') token
                  WHERE token[2] IS NOT NULL AND NOT EXISTS (
                          SELECT FROM (VALUES ('''$'), ('\+00''$'), (' 00:00:00(\+00)?''$')) v (implied)
                           WHERE strpos(expression, regexp_replace(token[1], v.implied, '''')) > 0))
$$;
COMMENT ON FUNCTION lead_scoring.depends_on_reader(text, text) IS
  'Whether an expression has a date or time that is not written in ISO and in UTC: it may be another one to who has another DateStyle or time zone';

CREATE FUNCTION lead_scoring.document_row(definition jsonb) RETURNS jsonb LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT lead_scoring.written_out(definition, VARIADIC ARRAY(
    SELECT e.key FROM jsonb_each_text(lead_scoring.expressions_of(definition)) e
     WHERE lead_scoring.depends_on_reader(definition ->> e.key, e.value)))
$$;
COMMENT ON FUNCTION lead_scoring.document_row(jsonb) IS
  'A row of a definition table as documents have it: an expression whose dates and times might be others to who reads it is written out, with every name qualified';

CREATE FUNCTION lead_scoring.export_rows(part name, condition text, argument text, left_out name) RETURNS jsonb LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
SET intervalstyle = postgres
SET extra_float_digits = 1
AS $$
DECLARE
  defaults jsonb := lead_scoring.column_defaults(part);
  sort_key name[] := coalesce((SELECT p.sort_key FROM lead_scoring.definition_parts() p WHERE p.part = export_rows.part), '{name}');
  items jsonb;
BEGIN
  EXECUTE format(
    'SELECT jsonb_agg((SELECT jsonb_object_agg(e.key, e.value) FROM jsonb_each(lead_scoring.document_row(to_jsonb(p))) e
                        WHERE e.key = ANY ($2) AND e.key <> $3 AND e.value IS DISTINCT FROM $4 -> e.key) ORDER BY %s)
       FROM lead_scoring.%I p WHERE %s',
    (SELECT string_agg(format('p.%I COLLATE "C"', k), ', ') FROM unnest(sort_key) k), part, condition)
    INTO items USING argument, lead_scoring.written_columns(part)::text[], left_out::text, defaults;
  RETURN items;
END $$;
COMMENT ON FUNCTION lead_scoring.export_rows(name, text, text, name) IS
  'Rows of a definition table as an array of objects, in byte order, without default values and without one column; the condition speaks of p and $1. NULL if there are none';

CREATE FUNCTION lead_scoring.export_score(score text) RETURNS jsonb LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  records text := (SELECT s.record_type FROM lead_scoring.score s WHERE s.name = export_score.score);
  used_model text := (SELECT s.model FROM lead_scoring.score s WHERE s.name = export_score.score);
BEGIN
  IF records IS NULL THEN
    RAISE EXCEPTION 'score "%" does not exist', coalesce(export_score.score, 'NULL') USING ERRCODE = 'undefined_object',
      HINT = 'The scores are the rows of lead_scoring.score.';
  END IF;
  RETURN jsonb_build_object(
      'format', 1,
      'record_type', lead_scoring.export_rows('record_type', 'p.name = $1', records, '') -> 0,
      'score', lead_scoring.export_rows('score', 'p.name = $1', export_score.score, 'record_type') -> 0)
    || coalesce((
      SELECT jsonb_object_agg(x.section, x.items)
        FROM (SELECT 'sources' AS section, lead_scoring.export_rows('source', format(
                $q$p.record_type = $1 AND p.name IN (
                     SELECT r.source FROM lead_scoring.rule r WHERE r.score = %1$L UNION SELECT o.source FROM lead_scoring.scope o WHERE o.score = %1$L
                     UNION SELECT f.source FROM lead_scoring.event_factor f WHERE f.score = %1$L
                     UNION SELECT f.source FROM lead_scoring.feature f WHERE f.model = %2$L)$q$, export_score.score, used_model), records, 'record_type') AS items
              UNION ALL
              SELECT 'model', lead_scoring.export_rows('model', 'p.name = $1', used_model, 'record_type') -> 0
              UNION ALL
              SELECT 'features', lead_scoring.export_rows('feature', 'p.model = $1', used_model, 'model')
              UNION ALL
              SELECT d.section, lead_scoring.export_rows(d.part, 'p.score = $1', export_score.score, 'score') FROM lead_scoring.definition_parts() d) x
       WHERE x.items IS NOT NULL), '{}');
END $$;
COMMENT ON FUNCTION lead_scoring.export_score(text) IS
  'The whole definition of a score as one JSON document: record type, sources that it uses, of a likelihood its model and features, score, groups, segment decays, rules, event factors, scopes, bands, alerts. Not its adjustments and resets: those are facts. Its dates and times mean the same wherever it is read: an expression with dates and times that are not written in ISO and in UTC is written out with every name qualified';

CREATE FUNCTION lead_scoring.document_item(item jsonb) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT coalesce(item ->> 'name', item ->> 'label', nullif(concat_ws(', ', item ->> 'group_name', item ->> 'segment', item ->> 'mode', item ->> 'source', item ->> 'criterion'), ''))
$$;
COMMENT ON FUNCTION lead_scoring.document_item(jsonb) IS 'What an object of a document is called in reports';

CREATE FUNCTION lead_scoring.document_section(document jsonb, section text, is_list boolean) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  items jsonb := document -> section;
BEGIN
  IF NOT is_list AND jsonb_typeof(items) IS DISTINCT FROM 'object' THEN
    RAISE EXCEPTION '"%" of the document is not an object: %', section, coalesce(left(items::text, 100), 'missing') USING ERRCODE = 'invalid_parameter_value',
      HINT = 'lead_scoring.export_score shows what a document looks like.';
  ELSIF is_list AND (jsonb_typeof(items) <> 'array' OR EXISTS (SELECT FROM jsonb_array_elements(CASE jsonb_typeof(items) WHEN 'array' THEN items END) i WHERE jsonb_typeof(i) <> 'object')) THEN
    RAISE EXCEPTION '"%" of the document is not an array of objects: %', section, left(items::text, 100) USING ERRCODE = 'invalid_parameter_value',
      HINT = 'lead_scoring.export_score shows what a document looks like.';
  END IF;
  RETURN CASE WHEN is_list THEN coalesce(items, '[]') ELSE items END;
END $$;
COMMENT ON FUNCTION lead_scoring.document_section(jsonb, text, boolean) IS 'A section of a document; raises unless it is an object or a list of objects';

CREATE FUNCTION lead_scoring.document_places(document jsonb, OUT place text, OUT key text, OUT known text[])
RETURNS SETOF record LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
  WITH sections (section, part, parent) AS (
    VALUES ('record_type', 'record_type'::name, ''), ('score', 'score', 'record_type'), ('sources', 'source', 'record_type'),
           ('model', 'model', 'record_type'), ('features', 'feature', 'model')
    UNION ALL SELECT d.section, d.part, 'score' FROM lead_scoring.definition_parts() d
  ), objects (place, object, part, parent) AS (
    SELECT s.section, document -> s.section, s.part, s.parent FROM sections s WHERE s.section IN ('record_type', 'score', 'model') AND document ? s.section
    UNION ALL
    SELECT format('%s[%s]', s.section, i.at - 1), i.object, s.part, s.parent
      FROM (SELECT * FROM sections WHERE section NOT IN ('record_type', 'score', 'model')) s
     CROSS JOIN LATERAL jsonb_array_elements(lead_scoring.document_section(document, s.section, true)) WITH ORDINALITY i (object, at)
  )
  SELECT NULL, k, ARRAY(SELECT s.section FROM sections s) || 'format'::text FROM jsonb_object_keys(document) k
  UNION ALL
  SELECT o.place, k, array_remove(lead_scoring.written_columns(o.part)::text[], o.parent) FROM objects o CROSS JOIN LATERAL jsonb_object_keys(o.object) k
$$;
COMMENT ON FUNCTION lead_scoring.document_places(jsonb) IS 'Every key of a document, where it stands, and which keys are known there';

CREATE FUNCTION lead_scoring.replace_definition(part name, replaced text, definition jsonb, search_path text) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  columns text := (SELECT string_agg(quote_ident(c), ', ') FROM unnest(lead_scoring.written_columns(part)) c);
  statement text := format('UPDATE lead_scoring.%1$I p SET (%2$s) = (SELECT %2$s FROM pg_catalog.jsonb_populate_record(NULL::lead_scoring.%1$I, $1)) WHERE p.name OPERATOR(pg_catalog.=) $2',
                           part, columns);
  whole jsonb := lead_scoring.column_defaults(part) || definition;
BEGIN
  PERFORM set_config('search_path', replace_definition.search_path, true);
  EXECUTE statement USING whole, replaced;
END $$;
COMMENT ON FUNCTION lead_scoring.replace_definition(name, text, jsonb, text) IS
  'Overwrites the row of this name in a definition table, columns that are not given getting their defaults; names are looked up under this search path';

CREATE FUNCTION lead_scoring.import_item(part name, kind text, given jsonb, search_path text, replaced text DEFAULT NULL) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  advice text;
BEGIN
  IF replaced IS NULL THEN
    PERFORM lead_scoring.write_definition(part, given, import_item.search_path);
  ELSE
    PERFORM lead_scoring.replace_definition(part, replaced, given, import_item.search_path);
  END IF;
EXCEPTION WHEN invalid_text_representation OR invalid_datetime_format OR datetime_field_overflow OR interval_field_overflow THEN
  -- A value that its column cannot hold: nothing else says where it stands
  GET STACKED DIAGNOSTICS advice = PG_EXCEPTION_HINT;
  RAISE EXCEPTION '% "%" of the document: %', kind, lead_scoring.document_item(given), SQLERRM
    USING ERRCODE = SQLSTATE, HINT = coalesce(nullif(advice, ''), 'Each value has the type of the column of that name.');
END $$;
COMMENT ON FUNCTION lead_scoring.import_item(name, text, jsonb, text, text) IS 'Inserts a row of a document, or puts it in the place of the row of a name; errors about its values name it';

-- As the row that would be written reads, however a document writes it; what is not a value of its column stays as it is.
CREATE FUNCTION lead_scoring.item_as_row(part name, item jsonb, search_path text) RETURNS jsonb LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  whole jsonb := lead_scoring.column_defaults(part) || item;
  statement text := format('SELECT * FROM pg_catalog.jsonb_populate_record(NULL::lead_scoring.%I, $1)', part);
  held record;
BEGIN
  BEGIN
    PERFORM set_config('search_path', item_as_row.search_path, true);
    EXECUTE statement INTO held USING whole;
    PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
    whole := to_jsonb(held);
  EXCEPTION WHEN syntax_error_or_access_rule_violation OR data_exception OR invalid_schema_name THEN
    NULL;
  END;
  RETURN (SELECT jsonb_object_agg(c, whole -> c) FROM unnest(lead_scoring.written_columns(part)::text[]) c);
END $$;
COMMENT ON FUNCTION lead_scoring.item_as_row(name, jsonb, text) IS
  'The columns that authors write of a row of a document, with their defaults, so that the same in other words is the same; relations are looked up under this search path';

-- Where a document names a record type, a source or a model that exists, that one is used.
CREATE FUNCTION lead_scoring.import_shared(part name, what text, given jsonb, search_path text, OUT kind text, OUT item text, OUT action text, OUT note text)
RETURNS record LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  present jsonb;
  wanted jsonb;
BEGIN
  IF part IS NULL OR part NOT IN ('record_type', 'source', 'model') THEN
    RAISE EXCEPTION 'cannot import into %', coalesce(quote_literal(part), 'NULL') USING ERRCODE = 'invalid_parameter_value',
      HINT = 'Scores share record types, sources and models.';
  END IF;
  kind := what;
  item := lead_scoring.document_item(given);
  EXECUTE format('SELECT lead_scoring.document_row(to_jsonb(p)) FROM lead_scoring.%I p WHERE p.name = $1 %s', part, CASE part WHEN 'source' THEN 'AND p.record_type = $2' ELSE 'AND ($2 IS NULL OR $2 IS NOT NULL)' END)
    INTO present USING item, given ->> 'record_type';
  IF present IS NULL THEN
    PERFORM lead_scoring.import_item(part, what, given, import_shared.search_path);
    action := 'created';
    RETURN;
  END IF;
  wanted := lead_scoring.item_as_row(part, given, import_shared.search_path);
  SELECT 'differs in ' || string_agg(c, ', ' ORDER BY c) || '; the one that is here is used' INTO note
    FROM unnest(lead_scoring.written_columns(part)::text[]) c WHERE present -> c IS DISTINCT FROM wanted -> c;
  action := CASE WHEN note IS NULL THEN 'kept' ELSE 'differs' END;
END $$;
COMMENT ON FUNCTION lead_scoring.import_shared(name, text, jsonb, text) IS 'Creates a record type, source or model of a document, or says how it differs from the one that is there';

-- A model comes with its features, or stays as it is.
CREATE FUNCTION lead_scoring.import_model(document jsonb, records jsonb, search_path text, OUT kind text, OUT item text, OUT action text, OUT note text)
RETURNS SETOF record LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  given jsonb := lead_scoring.document_section(document, 'model', false) || jsonb_build_object('record_type', records -> 'name');
  features jsonb := lead_scoring.document_section(document, 'features', true);
  feature jsonb;
BEGIN
  SELECT s.* INTO kind, item, action, note FROM lead_scoring.import_shared('model', 'model', given, import_model.search_path) s;
  IF action <> 'created' THEN
    IF EXISTS (SELECT lead_scoring.item_as_row('feature', f.value || jsonb_build_object('model', given -> 'name'), import_model.search_path) FROM jsonb_array_elements(features) f
                EXCEPT ALL
               SELECT lead_scoring.item_as_row('feature', lead_scoring.document_row(to_jsonb(f)), import_model.search_path) FROM lead_scoring.feature f WHERE f.model = given ->> 'name')
       OR jsonb_array_length(features) <> (SELECT count(*) FROM lead_scoring.feature f WHERE f.model = given ->> 'name') THEN
      action := 'differs';
      note := coalesce(note, 'differs in its features; the one that is here is used');
    END IF;
    RETURN NEXT;
    RETURN;
  END IF;
  RETURN NEXT;
  FOR feature IN SELECT f.value FROM jsonb_array_elements(features) f LOOP
    PERFORM lead_scoring.import_item('feature', 'feature', feature || jsonb_build_object('model', given -> 'name'), import_model.search_path);
    kind := 'feature';
    item := lead_scoring.document_item(feature);
    RETURN NEXT;
  END LOOP;
END $$;
COMMENT ON FUNCTION lead_scoring.import_model(jsonb, jsonb, text) IS 'Creates the model of a document and its features, or says how they differ from those that are there';

CREATE FUNCTION lead_scoring.import_score(
  document jsonb, name text DEFAULT NULL, replace boolean DEFAULT false, search_path text DEFAULT current_setting('search_path'),
  OUT kind text, OUT item text, OUT action text, OUT note text)
RETURNS SETOF record LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
SET datestyle = 'ISO, YMD'
SET intervalstyle = postgres
SET standard_conforming_strings = on
SET transform_null_equals = off
SET lead_scoring.reason = rule_change
SET lead_scoring.cascading = on
AS $$
DECLARE
  records jsonb;
  given jsonb;
  parent jsonb;
  present lead_scoring.score;
  held record;
BEGIN
  IF jsonb_typeof(document) IS DISTINCT FROM 'object' OR document -> 'format' IS DISTINCT FROM '1' THEN
    RAISE EXCEPTION 'not a document of format 1: %', coalesce(left(document::text, 100), 'NULL') USING ERRCODE = 'invalid_parameter_value',
      HINT = 'Take what lead_scoring.export_score gives; lead_scoring.import_hubspot_score reads documents of HubSpot.';
  ELSIF import_score.replace IS NULL OR import_score.search_path IS NULL THEN
    RAISE EXCEPTION 'replace and search_path must not be NULL' USING ERRCODE = 'null_value_not_allowed', HINT = 'Leave them out for their defaults.';
  END IF;
  records := lead_scoring.document_section(document, 'record_type', false);
  parent := lead_scoring.document_section(document, 'score', false) || jsonb_build_object('record_type', records -> 'name');
  IF document ? 'model' THEN
    PERFORM lead_scoring.document_section(document, 'model', false);
  END IF;
  IF import_score.name IS NOT NULL THEN
    parent := parent || jsonb_build_object('name', import_score.name);
  END IF;

  -- What is not understood is said, wherever it stands
  RETURN QUERY
  SELECT 'key', concat_ws('.', x.place, x.key), 'skipped', 'unknown key' FROM lead_scoring.document_places(document) x
   WHERE x.key <> ALL (x.known);

  RETURN QUERY SELECT s.* FROM lead_scoring.import_shared('record_type', 'record type', records, import_score.search_path) s;
  FOR given IN SELECT s.value FROM jsonb_array_elements(lead_scoring.document_section(document, 'sources', true)) s LOOP
    RETURN QUERY SELECT s.* FROM lead_scoring.import_shared(
      'source', 'source', given || jsonb_build_object('record_type', records -> 'name'), import_score.search_path) s;
  END LOOP;
  IF document ? 'model' THEN
    RETURN QUERY SELECT s.* FROM lead_scoring.import_model(document, records, import_score.search_path) s;
  END IF;

  kind := 'score';
  item := parent ->> 'name';
  PERFORM lead_scoring.lock_to_replace(item);
  SELECT * INTO present FROM lead_scoring.score s WHERE s.name = item;
  IF NOT FOUND THEN
    PERFORM lead_scoring.import_item('score', 'score', parent, import_score.search_path);
    action := 'created';
  ELSIF NOT import_score.replace THEN
    RAISE EXCEPTION 'score "%" exists', item USING ERRCODE = 'duplicate_object', HINT = 'Give another name, or set replace to true.';
  ELSE
    PERFORM lead_scoring.clear_definition(item);
    PERFORM lead_scoring.import_item('score', 'score', parent, import_score.search_path, item);
    action := 'replaced';
  END IF;
  RETURN NEXT;

  FOR held IN SELECT p.part, p.kind, e.value FROM lead_scoring.definition_parts() WITH ORDINALITY p (part, kind, section, sort_key, at)
    CROSS JOIN LATERAL jsonb_array_elements(lead_scoring.document_section(document, p.section, true)) WITH ORDINALITY e (value, at) ORDER BY p.at, e.at
  LOOP
    PERFORM lead_scoring.import_item(held.part, held.kind, held.value || jsonb_build_object('score', parent -> 'name'), import_score.search_path);
    RETURN QUERY SELECT held.kind, lead_scoring.document_item(held.value), 'created', NULL::text;
  END LOOP;
  IF present.status = 'active' THEN
    action := 're-scored';
    note := format('rows written: %s', lead_scoring.refresh(present.name));
    RETURN NEXT;
  END IF;
END $$;
COMMENT ON FUNCTION lead_scoring.import_score(jsonb, text, boolean, text) IS
  'Creates a score from a document of export_score, as a draft, and with it the record type, the sources and the model that are missing; a model is to be trained afterwards. Times without a time zone are of UTC and dates are read as ISO, whatever the session has set. With replace the definition of an existing score is replaced and an active one re-scored. A row for everything that was done, and for everything in the document that was not understood';
