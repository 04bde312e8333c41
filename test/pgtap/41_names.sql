-- Names that need quotes: schemas, tables, columns, scores, groups, rules, labels, sources
BEGIN;
SET client_min_messages = warning;
SET TIME ZONE 'UTC';
SELECT plan(37);

CREATE FUNCTION pg_temp.try(schema_name text, table_name text, key_name text, column_name text, score_name text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  result text;
  label text;
BEGIN
  EXECUTE format('CREATE SCHEMA %I', schema_name);
  EXECUTE format('CREATE TABLE %I.%I (%I int PRIMARY KEY, %I text)', schema_name, table_name, key_name, column_name);
  EXECUTE format('CREATE TABLE %I.%I (%I int, %I text, %I timestamptz)', schema_name, left(table_name, 25) || ' events', key_name, column_name, left(column_name, 25) || ' at');
  EXECUTE format('INSERT INTO %I.%I VALUES (1, ''x''), (2, ''y'')', schema_name, table_name);
  EXECUTE format('INSERT INTO %I.%I VALUES (1, ''x'', now()), (1, ''z'', now()), (2, ''y'', now())', schema_name, left(table_name, 25) || ' events');
  INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES (table_name, format('%I.%I', schema_name, table_name)::regclass, key_name);
  INSERT INTO lead_scoring.source (name, record_type, relation, record_key, record_column, occurred_at, filter) VALUES (column_name, table_name, format('%I.%I', schema_name, left(table_name, 25) || ' events')::regclass, key_name, key_name, left(column_name, 25) || ' at', format('%I <> ''z''', column_name));
  INSERT INTO lead_scoring.score (name, record_type, kind) VALUES (score_name, table_name, 'combined');
  INSERT INTO lead_scoring.score_group (score, name, kind) VALUES (score_name, column_name, 'fit'), (score_name, table_name || ' 2', 'engagement');
  INSERT INTO lead_scoring.rule (score, group_name, name, source, criterion, points) VALUES
    (score_name, column_name, score_name, NULL, format('%I = ''x''', column_name), 1), (score_name, table_name || ' 2', table_name || ' 3', column_name, format('%I IN (''x'', ''q'') OR %I = 2', column_name, key_name), 10);
  INSERT INTO lead_scoring.band (score, part, label, lower_bound) VALUES (score_name, 'total', column_name, NULL);
  INSERT INTO lead_scoring.scope (score, mode, source, criterion) VALUES (score_name, 'exclude', column_name, format('%I = ''none''', column_name));
  INSERT INTO lead_scoring.adjustment (score, record_key, points, reason) VALUES (score_name, '2', 100, table_name);
  PERFORM lead_scoring.activate(score_name);
  EXECUTE format('SELECT string_agg(format(''%%s:%%s:%%s:%%s'', %1$I, %2$I, %3$I, %4$I), '' '' ORDER BY %1$I), max(%5$I) FROM %6$I.%7$I',
    key_name, score_name, score_name || '_fit', score_name || '_engagement', score_name || '_label', schema_name, table_name) INTO result, label;
  result := result || CASE WHEN label = column_name THEN '' ELSE ' label ' || label END
    || CASE WHEN EXISTS (SELECT FROM lead_scoring.verify(score_name)) THEN ' verify' ELSE '' END
    || CASE WHEN (SELECT string_agg(rule, '|' ORDER BY step) FROM lead_scoring.explain(score_name, '1') WHERE level = 'rule') = score_name || '|' || table_name || ' 3' THEN '' ELSE ' explain' END
    || CASE WHEN (SELECT count(*) FROM lead_scoring.preview(score_name) AS p WHERE p.label = column_name) = 1 THEN '' ELSE ' preview' END;
  PERFORM lead_scoring.deactivate(score_name);
  DELETE FROM lead_scoring.score WHERE name = score_name;
  DELETE FROM lead_scoring.source WHERE record_type = table_name;
  DELETE FROM lead_scoring.record_type WHERE name = table_name;
  EXECUTE format('SELECT string_agg(attname, '','' ORDER BY attnum) FROM pg_attribute WHERE attrelid = %L::regclass AND attnum > 0 AND NOT attisdropped', format('%I.%I', schema_name, table_name)) INTO label;
  RETURN result || CASE WHEN label = key_name || ',' || column_name THEN '' ELSE ' columns ' || label END;
END
$$;
SELECT is(pg_temp.try(n || ' s', n, left(n, 58) || ' key', left(n, 58) || ' col', left(n, 30)), '1:11:1:10 2:110:0:10', 'names: ' || to_json(n))
  FROM unnest(ARRAY['plain', 'With Space', 'UPPER', 'select', 'user', 'a"b', 'a''b', 'a"; DROP TABLE x; --', 'größe', '日本語', 'a.b', 'a\b', '$1', '%s %I', '%%', '{a,b}', '(a)', E'tab\there', E'line\nbreak', '1st', '-', ' ', 'as_of', 'xmin_', 'a/*b', 'a--b', '"', '""', ':x', 'oid', 'NULL', 'true']) AS n;

-- 63 bytes for relations and columns, 52 for a score (its columns have endings)
SELECT is(pg_temp.try(repeat('s', 63), repeat('t', 63), repeat('k', 63), repeat('c', 63), repeat('x', 52)), '1:11:1:10 2:110:0:10', 'names of 63 bytes, a score of 52');
SELECT is(pg_temp.try(repeat('ü', 31) || 's', repeat('ü', 31) || 't', repeat('ü', 31) || 'k', repeat('ü', 31) || 'c', repeat('ü', 26)), '1:11:1:10 2:110:0:10', 'the same in two-byte letters');
CREATE TABLE plain_table (id int PRIMARY KEY);
INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('r', 'plain_table', 'id');
SELECT throws_ok(format($$INSERT INTO lead_scoring.score (name, record_type, kind) VALUES (%L, 'r', 'fit')$$, repeat('x', 53)), '42622', NULL, 'a score of 53 bytes is refused');
SELECT throws_ok(format($$INSERT INTO lead_scoring.score (name, record_type, kind) VALUES (%L, 'r', 'fit')$$, repeat('ü', 27)), '42622', NULL, 'a score of 54 bytes in 27 letters is refused');
SELECT throws_ok($$INSERT INTO lead_scoring.score (name, record_type, kind) VALUES ('', 'r', 'fit')$$, '42602', NULL, 'a score without a name is refused');

SELECT * FROM finish();
ROLLBACK;
