-- Where a score is used: what PostgreSQL knows to depend on its columns, and what of ours speaks of it or them.

-- The columns of a score, in its table, in the partitions and children of that, and under the same names in views that
-- read them, in views over those, and so on.
CREATE FUNCTION lead_scoring.score_columns(score text, OUT relation oid, OUT attnum smallint, OUT column_name name, OUT through text)
RETURNS SETOF record LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
  WITH RECURSIVE own AS (
    SELECT coalesce(s.target, t.relation)::oid AS relation, ARRAY[s.name, s.name || '_fit', s.name || '_engagement', s.name || '_label'] AS names
      FROM lead_scoring.score s JOIN lead_scoring.record_type t ON t.name = s.record_type
     WHERE s.name = score_columns.score AND s.status = 'active'
  ), tree AS (
    SELECT relation, NULL::text AS through FROM own
    UNION SELECT i.inhrelid, NULL FROM tree JOIN pg_inherits i ON i.inhparent = tree.relation
  ), found AS (
    SELECT a.attrelid, a.attnum, a.attname, tree.through
      FROM own CROSS JOIN tree JOIN pg_attribute a ON a.attrelid = tree.relation AND a.attname = ANY (own.names) AND NOT a.attisdropped
    UNION
    SELECT v.attrelid, v.attnum, v.attname, (pg_identify_object('pg_class'::regclass, v.attrelid, 0)).identity
      FROM found f
      JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = f.attrelid AND d.refobjsubid = f.attnum AND d.classid = 'pg_rewrite'::regclass
      JOIN pg_rewrite r ON r.oid = d.objid AND r.ev_class <> f.attrelid
      JOIN pg_attribute v ON v.attrelid = r.ev_class AND v.attname = f.attname AND v.attnum > 0 AND NOT v.attisdropped
      JOIN pg_class c ON c.oid = v.attrelid AND c.relkind IN ('v', 'm')
  )
  SELECT f.attrelid, f.attnum, f.attname, f.through FROM found f
$$;
COMMENT ON FUNCTION lead_scoring.score_columns(text) IS 'The columns of an active score, and those of views that show them by the same names';

-- What PostgreSQL knows. A view is a rewrite rule to it; a generated column is a default, or itself (from version 15 on).
CREATE FUNCTION lead_scoring.catalog_dependents(score text, OUT kind text, OUT object text, OUT column_name name, OUT detail text)
RETURNS SETOF record LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT DISTINCT CASE WHEN r.rulename = '_RETURN' THEN view.type
                       WHEN g.attname IS NOT NULL THEN 'generated column'
                       WHEN d.classid = 'pg_publication_rel'::regclass THEN 'publication'
                       WHEN o.type LIKE '%constraint' THEN 'constraint'
                       WHEN o.type = 'statistics object' THEN 'statistics'
                       ELSE o.type END,
         CASE WHEN r.rulename = '_RETURN' THEN view.identity
              WHEN g.attname IS NOT NULL THEN (pg_identify_object('pg_class'::regclass, g.attrelid, g.attnum)).identity
              ELSE o.identity END,
         c.column_name, 'through ' || c.through
    FROM lead_scoring.score_columns(catalog_dependents.score) c
    JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = c.relation AND d.refobjsubid = c.attnum
   CROSS JOIN LATERAL pg_identify_object(d.classid, d.objid, d.objsubid) o
    LEFT JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
    LEFT JOIN LATERAL pg_identify_object('pg_class'::regclass, r.ev_class, 0) view ON true
    LEFT JOIN pg_attrdef f ON d.classid = 'pg_attrdef'::regclass AND f.oid = d.objid
    LEFT JOIN pg_attribute g ON g.attgenerated <> '' AND (g.attrelid, g.attnum) IN ((f.adrelid, f.adnum), (
                CASE WHEN d.classid = 'pg_class'::regclass THEN d.objid END, d.objsubid))
   WHERE (f.oid IS NULL OR g.attname IS NOT NULL)
     AND NOT (d.classid = 'pg_trigger'::regclass AND EXISTS (
           SELECT FROM pg_trigger t WHERE t.oid = d.objid AND t.tgfoid = 'lead_scoring.guard()'::regprocedure))
$$;
COMMENT ON FUNCTION lead_scoring.catalog_dependents(text) IS 'What depends on the columns of a score, by the catalogue';

CREATE FUNCTION lead_scoring.mentioning_functions(score text, OUT kind text, OUT object text, OUT column_name name, OUT detail text)
RETURNS SETOF record LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT o.type || ' (mentions)', o.identity, c.column_name, format('text of language %s', l.lanname)
    FROM (SELECT DISTINCT s.column_name FROM lead_scoring.score_columns(mentioning_functions.score) s) c
   CROSS JOIN pg_proc p
    JOIN pg_language l ON l.oid = p.prolang
    JOIN pg_namespace n ON n.oid = p.pronamespace
   CROSS JOIN LATERAL pg_identify_object('pg_proc'::regclass, p.oid, 0) o
   WHERE l.lanname NOT IN ('internal', 'c') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'lead_scoring')
     -- As a word: a name that is a part of a longer one is another name
     AND strpos(lower(p.prosrc), lower(c.column_name)) > 0
     AND lower(p.prosrc) ~ ('(^|[^[:alnum:]_$])' || regexp_replace(lower(c.column_name), '([^[:alnum:]_])', '\\\1', 'g') || '($|[^[:alnum:]_$])')
$$;
COMMENT ON FUNCTION lead_scoring.mentioning_functions(text) IS 'Functions and procedures whose texts mention a column of a score';

CREATE FUNCTION lead_scoring.reads_column(resolved text, column_name name) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT EXISTS (SELECT FROM regexp_matches(resolved, $re$'(?:[^']|'')*'|\mthis\.(?:"(?:[^"]|"")*"|[[:alnum:]_$]+)|"(?:[^"]|"")*"|[[:alnum:]_$]+$re$, 'g') token
                  WHERE token[1] = 'this.' || quote_ident(column_name))
$$;
COMMENT ON FUNCTION lead_scoring.reads_column(text, name) IS 'Whether a resolved expression reads a column';

CREATE FUNCTION lead_scoring.defined_expressions(OUT kind text, OUT object text, OUT relation regclass, OUT field text, OUT resolved text)
RETURNS SETOF record LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  held record;
BEGIN
  RETURN QUERY
  SELECT 'record type', format('record type "%s"', t.name), t.relation, 'open_when', t.open_when_resolved FROM lead_scoring.record_type t
  UNION ALL
  SELECT 'source', format('source "%s" of record type "%s"', o.name, o.record_type), CASE v.field WHEN 'through_filter' THEN o.through ELSE o.relation END, v.field, v.resolved
    FROM lead_scoring.source o
   CROSS JOIN LATERAL (VALUES ('filter', o.filter_resolved), ('dedup_key', o.dedup_key_resolved), ('through_filter', o.through_filter_resolved)) v (field, resolved);
  RETURN QUERY
  SELECT 'model', format('model "%s"', m.name), m.criterion_relation, e.key, e.value
    FROM lead_scoring.model m CROSS JOIN LATERAL jsonb_each_text(lead_scoring.expressions_of(to_jsonb(m))) e
  UNION ALL
  SELECT 'feature', format('feature "%s" of model "%s"', f.name, f.model), f.criterion_relation, e.key, e.value
    FROM lead_scoring.feature f CROSS JOIN LATERAL jsonb_each_text(lead_scoring.expressions_of(to_jsonb(f))) e;
  FOR held IN SELECT p.part, p.kind FROM lead_scoring.definition_parts() p WHERE p.part NOT IN ('score_group', 'alert') LOOP
    RETURN QUERY EXECUTE format(
      'SELECT $1, format(''%%s "%%s" of score "%%s"'', $1, lead_scoring.document_item(to_jsonb(p)), p.score), p.criterion_relation, e.key, e.value
         FROM lead_scoring.%I p CROSS JOIN LATERAL jsonb_each_text(lead_scoring.expressions_of(to_jsonb(p))) e', held.part) USING held.kind;
  END LOOP;
END $$;
COMMENT ON FUNCTION lead_scoring.defined_expressions() IS 'All expressions of all definitions, resolved, and the relations that they look at';

CREATE FUNCTION lead_scoring.dependents(score text, OUT kind text, OUT object text, OUT part_of text, OUT column_name text, OUT detail text)
RETURNS SETOF record LANGUAGE plpgsql STABLE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM FROM lead_scoring.score s WHERE s.name = dependents.score;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'score "%" does not exist', coalesce(dependents.score, 'NULL') USING ERRCODE = 'undefined_object',
      HINT = 'The scores are the rows of lead_scoring.score.';
  END IF;
  RETURN QUERY
  SELECT x.kind, x.object, x.part_of, x.column_name::text, x.detail
    FROM (SELECT d.*, 'PostgreSQL' AS part_of FROM lead_scoring.catalog_dependents(dependents.score) d
          UNION ALL SELECT m.*, 'PostgreSQL' FROM lead_scoring.mentioning_functions(dependents.score) m
          UNION ALL
          SELECT e.kind, e.object, c.column_name, e.field || coalesce(' through ' || c.through, ''), 'lead_scoring'
            FROM lead_scoring.score_columns(dependents.score) c
            JOIN lead_scoring.defined_expressions() e ON e.relation = c.relation AND lead_scoring.reads_column(e.resolved, c.column_name)
          UNION ALL
          SELECT 'source', format('source "%s" of record type "%s"', o.name, o.record_type), c.column_name,
                 v.field || coalesce(' through ' || c.through, ''), 'lead_scoring'
            FROM lead_scoring.source o JOIN lead_scoring.record_type t ON t.name = o.record_type
           CROSS JOIN LATERAL (VALUES
             (o.relation, o.record_key, 'record_key'), (t.relation, o.record_column, 'record_column'), (o.relation, o.occurred_at, 'occurred_at'),
             (o.through, o.through_key, 'through_key'), (o.through, o.through_record, 'through_record')) v (relation, column_name, field)
            JOIN lead_scoring.score_columns(dependents.score) c ON c.relation = v.relation AND c.column_name = v.column_name
          UNION ALL
          SELECT 'experiment', format('experiment "%s"', e.name), NULL, CASE e.score_a WHEN dependents.score THEN 'score_a' ELSE 'score_b' END, 'lead_scoring'
            FROM lead_scoring.experiment e WHERE dependents.score IN (e.score_a, e.score_b)
          UNION ALL
          SELECT 'draft', format('score "%s"', s.name), NULL, 'draft_of', 'lead_scoring' FROM lead_scoring.score s WHERE s.draft_of = dependents.score
         ) x (kind, object, column_name, detail, part_of)
   ORDER BY x.part_of, x.kind, x.object COLLATE "C", x.column_name, x.detail;
END $$;
COMMENT ON FUNCTION lead_scoring.dependents(text) IS
  'Everything that uses a score: in PostgreSQL what depends on its columns (views, also over such views, materialized views, functions with SQL-standard bodies, generated columns, indexes, triggers with column lists or WHEN, policies, constraints, publications, statistics), and of ours the expressions and sources that read them, experiments and drafts. PostgreSQL does not track what the texts of functions use: those that mention a column''s name are listed as such, with what they say or not. Not seen: whole rows, views that give a column another name, code outside of the database';

-- What the active scores read: expressions, and columns as if they were some. Of a likelihood its champion says.
CREATE FUNCTION lead_scoring.active_expressions(OUT score text, OUT relation regclass, OUT resolved text)
RETURNS SETOF record LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  part name;
BEGIN
  FOR part IN SELECT p.part FROM lead_scoring.definition_parts() p WHERE p.part NOT IN ('score_group', 'alert') LOOP
    RETURN QUERY EXECUTE format(
      'SELECT s.name, p.criterion_relation, e.value FROM lead_scoring.score s JOIN lead_scoring.%I p ON p.score = s.name
        CROSS JOIN LATERAL jsonb_each_text(lead_scoring.expressions_of(to_jsonb(p))) e
        WHERE s.status = ''active'' AND coalesce((to_jsonb(p) ->> ''enabled'')::boolean, true)', part);
  END LOOP;
  RETURN QUERY
  WITH items AS MATERIALIZED (
    SELECT s.name, s.record_type, i.item ->> 'source' AS source, i.item
      FROM lead_scoring.score s JOIN lead_scoring.model_version v ON v.model = s.model AND v.status = 'champion'
     CROSS JOIN LATERAL (SELECT v.definition -> 'model' UNION ALL SELECT f FROM jsonb_array_elements(v.definition -> 'features') f) i (item)
     WHERE s.status = 'active'
  ), used AS (
    SELECT u.name AS score, o.*
      FROM (SELECT i.name, i.source FROM items i
            UNION SELECT r.score, r.source FROM lead_scoring.rule r WHERE r.enabled
            UNION SELECT c.score, c.source FROM lead_scoring.scope c
            UNION SELECT f.score, f.source FROM lead_scoring.event_factor f) u (name, source)
      JOIN lead_scoring.score s ON s.name = u.name AND s.status = 'active'
      JOIN lead_scoring.source o ON o.record_type = s.record_type AND o.name = u.source
  )
  SELECT s.name, t.relation, v.resolved
    FROM lead_scoring.score s JOIN lead_scoring.record_type t ON t.name = s.record_type
   CROSS JOIN LATERAL (VALUES (t.open_when_resolved), ('this.' || quote_ident(t.key_column))) v (resolved)
   WHERE s.status = 'active'
  UNION ALL
  SELECT u.score, v.relation, v.resolved
    FROM used u JOIN lead_scoring.record_type t ON t.name = u.record_type
   CROSS JOIN LATERAL (VALUES
     (u.relation, u.filter_resolved), (u.relation, u.dedup_key_resolved), (u.through, u.through_filter_resolved),
     (u.relation, 'this.' || quote_ident(u.record_key)), (t.relation, 'this.' || quote_ident(u.record_column)), (u.relation, 'this.' || quote_ident(u.occurred_at)),
     (u.through, 'this.' || quote_ident(u.through_key)), (u.through, 'this.' || quote_ident(u.through_record))) v (relation, resolved)
  UNION ALL
  SELECT i.name, coalesce(o.relation, t.relation), e.value
    FROM items i JOIN lead_scoring.record_type t ON t.name = i.record_type
    LEFT JOIN lead_scoring.source o ON o.record_type = i.record_type AND o.name = i.source
   CROSS JOIN LATERAL jsonb_each_text(lead_scoring.expressions_of(i.item)) e;
END $$;
COMMENT ON FUNCTION lead_scoring.active_expressions() IS
  'All expressions that the active scores read, resolved, with the relations that they look at; columns that sources and record types name are among them';

CREATE FUNCTION lead_scoring.require_unread(score text) RETURNS void LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  readers text;
BEGIN
  SELECT string_agg(DISTINCT format('Score "%s" reads "%s".', e.score, c.column_name), ' ') INTO readers
    FROM lead_scoring.score_columns(require_unread.score) c
    JOIN lead_scoring.active_expressions() e ON e.relation = c.relation AND e.score <> require_unread.score AND lead_scoring.reads_column(e.resolved, c.column_name);
  IF readers IS NOT NULL THEN
    RAISE EXCEPTION 'cannot deactivate score "%": other active scores read its columns', require_unread.score USING ERRCODE = 'dependent_objects_still_exist',
      DETAIL = readers, HINT = 'Disable what reads the columns, or deactivate those scores first.';
  END IF;
END $$;
COMMENT ON FUNCTION lead_scoring.require_unread(text) IS 'Raises if another active score reads a column of a score';
