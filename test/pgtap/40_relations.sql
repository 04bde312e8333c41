-- What records and sources may be: key types, partitioned tables, views, materialized views, foreign tables
BEGIN;
\ir include/crm.psql
SELECT plan(40);

-- The same 7 events under each type of key
CREATE FUNCTION pg_temp.by_key(key_type text, event_key_type text, keys text[]) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  result text;
BEGIN
  EXECUTE format('CREATE TABLE leads (key %s PRIMARY KEY, industry text)', key_type);
  EXECUTE format('CREATE TABLE happenings (lead %s, at timestamptz)', event_key_type);
  EXECUTE format('INSERT INTO leads SELECT k::%s, CASE i WHEN 1 THEN ''Retail'' END FROM unnest($1) WITH ORDINALITY AS u (k, i)', key_type) USING keys;
  EXECUTE format('INSERT INTO happenings SELECT k::%s, pg_temp.day() - i * interval ''1 day'' FROM unnest($1) WITH ORDINALITY AS u (k, i), generate_series(1, i)', event_key_type) USING keys;
  INSERT INTO happenings (lead, at) VALUES (NULL, pg_temp.day());
  INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('lead', 'leads', 'key');
  INSERT INTO lead_scoring.source (name, record_type, relation, record_key, occurred_at) VALUES ('happening', 'lead', 'happenings', 'lead', 'at');
  INSERT INTO lead_scoring.score (name, record_type, kind) VALUES ('k', 'lead', 'combined');
  INSERT INTO lead_scoring.score_group (score, name, kind) VALUES ('k', 'f', 'fit'), ('k', 'e', 'engagement');
  INSERT INTO lead_scoring.rule (score, group_name, name, source, criterion, points) VALUES ('k', 'f', 'f', NULL, $c$industry = 'Retail'$c$, 100), ('k', 'e', 'e', 'happening', 'true', 1);
  result := CASE
    WHEN EXISTS (SELECT FROM pg_temp.disagreements('k')) THEN 'stored, evaluated, explained differ'
    WHEN (SELECT array_agg(total ORDER BY array_position(keys, record_key)) FROM lead_scoring.evaluate('k', pg_temp.day())) IS DISTINCT FROM
         (SELECT array_agg(i::float8 + CASE i WHEN 1 THEN 100 ELSE 0 END ORDER BY i) FROM generate_subscripts(keys, 1) AS i) THEN (SELECT string_agg(e::text, ' ') FROM lead_scoring.evaluate('k', pg_temp.day()) AS e)
    WHEN (SELECT array_agg(total) FROM lead_scoring.evaluate('k', pg_temp.day(), keys[2:2])) IS DISTINCT FROM ARRAY[2::float8] THEN 'keys => is wrong'
    WHEN (SELECT count(*) FROM lead_scoring.evaluate('k', pg_temp.day(), '{}')) <> 0 THEN 'no keys is wrong'
    WHEN (SELECT count(*) FROM lead_scoring.evaluate('k', pg_temp.day(), keys[1:2] || keys[1:2] || NULL)) <> 2 THEN 'repeated keys is wrong'
    ELSE 'right' END;
  PERFORM lead_scoring.deactivate('k');
  DELETE FROM lead_scoring.score WHERE name = 'k';
  DELETE FROM lead_scoring.source WHERE record_type = 'lead';
  DELETE FROM lead_scoring.record_type WHERE name = 'lead';
  DROP TABLE leads, happenings;
  RETURN result;
END
$$;
SELECT is(pg_temp.by_key('int', 'int', '{0,-1,2147483647,-2147483648,7}'), 'right', 'key of type integer');
SELECT is(pg_temp.by_key('bigint', 'bigint', '{0,-1,9223372036854775807,-9223372036854775808,4294967296}'), 'right', 'key of type bigint');
SELECT is(pg_temp.by_key('smallint', 'smallint', '{0,-1,32767,-32768}'), 'right', 'key of type smallint');
SELECT is(pg_temp.by_key('int', 'bigint', '{0,-1,2147483647,-2147483648,7}'), 'right', 'integer key, bigint in the events');
SELECT is(pg_temp.by_key('bigint', 'int', '{0,-1,2147483647,-2147483648,7}'), 'right', 'bigint key, integer in the events');
SELECT is(pg_temp.by_key('smallint', 'bigint', '{0,-1,32767,-32768}'), 'right', 'smallint key, bigint in the events');
SELECT is(pg_temp.by_key('uuid', 'uuid', '{00000000-0000-0000-0000-000000000000,ffffffff-ffff-ffff-ffff-ffffffffffff,01234567-89ab-cdef-0123-456789abcdef,01234567-89ab-cdef-0123-456789abcdee}'), 'right', 'key of type uuid');
SELECT is(pg_temp.by_key('text', 'text', ARRAY['', ' ', 'a', 'A', 'a ', 'größe', 'NULL', 'O''Brien', 'x"y', '{1}', repeat('long', 500), E'tab\t', '1', '01', '日本']), 'right', 'key of type text');
SELECT is(pg_temp.by_key('varchar(20)', 'text', '{a,b,c}'), 'right', 'key of type varchar, text in the events');
SELECT is(pg_temp.by_key('text', 'varchar', '{a,b,c}'), 'right', 'text key, varchar in the events');
CREATE DOMAIN lead_key AS int CHECK (VALUE > 0);
SELECT is(pg_temp.by_key('lead_key', 'int', '{1,2,3}'), 'right', 'key of a domain over integer');

-- An event key that fits no record's key: nobody's
CREATE TABLE wide (contact_id bigint, occurred_at timestamptz);
INSERT INTO contacts (id) VALUES (1), (0), (-1);
INSERT INTO wide VALUES (4294967297, pg_temp.day()), (1, pg_temp.day()), (-4294967296, pg_temp.day()), (NULL, pg_temp.day()), (99, pg_temp.day());
INSERT INTO lead_scoring.source (name, record_type, relation, record_key, occurred_at) VALUES ('wide', 'contact', 'wide', 'contact_id', 'occurred_at');
SELECT pg_temp.simple('wide', 'engagement');
INSERT INTO lead_scoring.rule (score, group_name, name, source, points) VALUES ('wide', 'all', 'r', 'wide', 1);
SELECT is(pg_temp.totals('wide'), '0=0 1=1 -1=0', 'a bigint is not cut to an integer');

-- Partitioned events and records
CREATE TABLE p_contacts (id int NOT NULL, industry text, PRIMARY KEY (id)) PARTITION BY RANGE (id);
CREATE TABLE p_contacts_1 PARTITION OF p_contacts FOR VALUES FROM (1) TO (50);
CREATE TABLE p_contacts_2 (extra text, industry text, id int NOT NULL);
ALTER TABLE p_contacts_2 DROP COLUMN extra;
ALTER TABLE p_contacts ATTACH PARTITION p_contacts_2 FOR VALUES FROM (50) TO (100);
CREATE TABLE p_activities (contact_id int, type text, occurred_at timestamptz) PARTITION BY RANGE (occurred_at);
CREATE TABLE p_activities_1 PARTITION OF p_activities FOR VALUES FROM (MINVALUE) TO ('2026-01-15 UTC');
CREATE TABLE p_activities_2 (occurred_at timestamptz, dropped int, type text, contact_id int);
ALTER TABLE p_activities_2 DROP COLUMN dropped;
ALTER TABLE p_activities ATTACH PARTITION p_activities_2 DEFAULT;
INSERT INTO p_contacts SELECT i, CASE WHEN i % 3 = 0 THEN 'Retail' ELSE 'Other' END FROM generate_series(1, 99) AS i;
INSERT INTO p_activities SELECT i % 100, CASE WHEN i % 7 = 0 THEN 'form' ELSE 'visit' END, pg_temp.day() - i * interval '1 hour' FROM generate_series(0, 999) AS i;
INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('p', 'p_contacts', 'id');
INSERT INTO lead_scoring.source (name, record_type, relation, record_key, occurred_at) VALUES ('a', 'p', 'p_activities', 'contact_id', 'occurred_at');
INSERT INTO lead_scoring.score (name, record_type, kind) VALUES ('partitioned', 'p', 'combined');
INSERT INTO lead_scoring.score_group (score, name, kind) VALUES ('partitioned', 'f', 'fit'), ('partitioned', 'e', 'engagement');
INSERT INTO lead_scoring.rule (score, group_name, name, source, criterion, points, within) VALUES
  ('partitioned', 'f', 'r', NULL, $$industry = 'Retail'$$, 10, NULL), ('partitioned', 'e', 'form', 'a', $$type = 'form'$$, 3, NULL), ('partitioned', 'e', 'recent', 'a', 'true', 1, '7 days');
CREATE VIEW p_expected AS SELECT id::text AS record_key, (CASE industry WHEN 'Retail' THEN 10 ELSE 0 END + coalesce(s, 0))::float8 AS total
  FROM p_contacts LEFT JOIN (SELECT contact_id, sum(CASE type WHEN 'form' THEN 3 ELSE 0 END + CASE WHEN occurred_at >= pg_temp.day() - interval '7 days' THEN 1 ELSE 0 END) AS s FROM p_activities GROUP BY 1) AS e ON contact_id = id;
SELECT set_eq($$SELECT record_key, total FROM lead_scoring.evaluate('partitioned', pg_temp.day())$$, 'SELECT * FROM p_expected', 'partitioned records and events, partitions with other column orders');
SELECT is_empty($$SELECT * FROM pg_temp.disagreements('partitioned')$$, 'partitioned: stored = evaluated = explained');
SELECT set_eq('SELECT id::text, partitioned FROM p_contacts', 'SELECT * FROM p_expected', 'partitioned: the stored column in every partition');
CREATE TABLE p_contacts_3 PARTITION OF p_contacts FOR VALUES FROM (100) TO (200);
INSERT INTO p_contacts (id, industry) VALUES (150, 'Retail');
SELECT is_empty($$SELECT * FROM pg_temp.disagreements('partitioned')$$, 'partitioned: a new partition takes part');
SELECT is((SELECT partitioned FROM p_contacts WHERE id = 150), 10::float8, 'partitioned: and is stored');

-- Views: events by a view over two tables, records by a view with the columns in another table
CREATE VIEW v_activities AS SELECT contact_id AS who, type AS what, occurred_at AS "when", amount FROM activities UNION ALL SELECT contact_id, 'wide', occurred_at, NULL FROM wide WHERE contact_id BETWEEN -100 AND 100;
SELECT pg_temp.act(1, 'x', 3);
INSERT INTO lead_scoring.source (name, record_type, relation, record_key, occurred_at) VALUES ('view', 'contact', 'v_activities', 'who', 'when');
SELECT pg_temp.simple('viewed', 'engagement');
INSERT INTO lead_scoring.rule (score, group_name, name, source, criterion, points) VALUES ('viewed', 'all', 'x', 'view', $$what = 'x'$$, 1), ('viewed', 'all', 'wide', 'view', $$what = 'wide'$$, 10);
SELECT is(pg_temp.totals('viewed'), '0=0 1=13 -1=0', 'events in a view');
SELECT is_empty($$SELECT * FROM pg_temp.disagreements('viewed')$$, 'view: stored = evaluated = explained');
CREATE VIEW v_contacts AS SELECT id AS key, upper(industry) AS industry FROM p_contacts WHERE id <= 5;
CREATE TABLE v_scores (key int PRIMARY KEY, note text);
INSERT INTO v_scores SELECT key, 'mine' FROM v_contacts;
INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('v', 'v_contacts', 'key');
INSERT INTO lead_scoring.score (name, record_type, kind, target) VALUES ('elsewhere', 'v', 'fit', 'v_scores');
INSERT INTO lead_scoring.score_group (score, name, kind) VALUES ('elsewhere', 'f', 'fit');
INSERT INTO lead_scoring.rule (score, group_name, name, criterion, points) VALUES ('elsewhere', 'f', 'r', $$industry = 'RETAIL'$$, 10);
SELECT is(pg_temp.totals('elsewhere'), '1=0 2=0 3=10 4=0 5=0', 'records in a view');
SELECT lives_ok($$SELECT lead_scoring.activate('elsewhere')$$, 'target: another table takes the columns');
SELECT results_eq('SELECT key, elsewhere, note FROM v_scores ORDER BY key', $$VALUES (1, 0::float8, 'mine'), (2, 0, 'mine'), (3, 10, 'mine'), (4, 0, 'mine'), (5, 0, 'mine')$$, 'target: the stored values');
SELECT is_empty($$SELECT * FROM lead_scoring.verify('elsewhere')$$, 'target: verify is empty');
SELECT lives_ok($$SELECT lead_scoring.deactivate('elsewhere')$$, 'target: deactivate');
SELECT is((SELECT string_agg(column_name, ' ' ORDER BY ordinal_position) FROM information_schema.columns WHERE table_name = 'v_scores'), 'key note', 'target: the columns are gone');
INSERT INTO lead_scoring.score (name, record_type, kind) VALUES ('nowhere', 'v', 'fit');
INSERT INTO lead_scoring.score_group (score, name, kind) VALUES ('nowhere', 'f', 'fit');
INSERT INTO lead_scoring.rule (score, group_name, name, points) VALUES ('nowhere', 'f', 'r', 1);
SELECT throws_ok($$SELECT lead_scoring.activate('nowhere')$$, '42809', NULL, 'a view cannot take columns');
SELECT is((SELECT status FROM lead_scoring.score WHERE name = 'nowhere'), 'draft', 'and the score stays a draft');

-- Materialized views
CREATE MATERIALIZED VIEW m_activities AS SELECT contact_id, type, occurred_at FROM activities;
INSERT INTO lead_scoring.source (name, record_type, relation, record_key, occurred_at) VALUES ('materialized', 'contact', 'm_activities', 'contact_id', 'occurred_at');
SELECT pg_temp.simple('materialized', 'engagement');
INSERT INTO lead_scoring.rule (score, group_name, name, source, points) VALUES ('materialized', 'all', 'x', 'materialized', 1);
SELECT is(pg_temp.totals('materialized'), '0=0 1=3 -1=0', 'events in a materialized view');

-- Inheritance
CREATE TABLE child_activities (note text) INHERITS (activities);
INSERT INTO child_activities (id, contact_id, type, occurred_at) VALUES (1000, 1, 'x', pg_temp.day()), (1001, 0, 'x', pg_temp.day());
SELECT is(pg_temp.totals('viewed'), '0=1 1=14 -1=0', 'inheritance children count as in a query');

-- Foreign tables
CREATE FUNCTION pg_temp.has(extension text) RETURNS bool LANGUAGE sql AS $$ SELECT EXISTS (SELECT FROM pg_available_extensions WHERE name = $1) $$;
CREATE FUNCTION pg_temp.foreign_file() RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
  IF NOT pg_temp.has('file_fdw') THEN
    RETURN QUERY SELECT skip('no file_fdw', 3);
    RETURN;
  END IF;
  CREATE EXTENSION file_fdw;
  CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;
  EXECUTE format('CREATE FOREIGN TABLE f_activities (contact_id int, type text, occurred_at timestamptz) SERVER files OPTIONS (filename %L, format ''csv'')', current_setting('data_directory') || '/lead_scoring_test.csv');
  EXECUTE format('COPY (SELECT contact_id, type, occurred_at FROM ONLY activities) TO %L (FORMAT csv)', current_setting('data_directory') || '/lead_scoring_test.csv');
  INSERT INTO lead_scoring.source (name, record_type, relation, record_key, occurred_at) VALUES ('file', 'contact', 'f_activities', 'contact_id', 'occurred_at');
  PERFORM pg_temp.simple('from a file', 'engagement');
  INSERT INTO lead_scoring.rule (score, group_name, name, source, criterion, points) VALUES ('from a file', 'all', 'x', 'file', $c$type = 'x'$c$, 1);
  RETURN NEXT is(pg_temp.totals('from a file'), '0=0 1=3 -1=0', 'events in a foreign table (file_fdw)');
  RETURN NEXT is_empty($c$SELECT * FROM pg_temp.disagreements('from a file')$c$, 'file_fdw: stored = evaluated = explained');
  EXECUTE format('COPY (VALUES (''not a number'', ''x'', now())) TO %L (FORMAT csv)', current_setting('data_directory') || '/lead_scoring_test.csv');
  RETURN NEXT throws_ok($c$SELECT * FROM lead_scoring.evaluate('from a file')$c$, '22P02', NULL, 'an error of the foreign table comes through');
END
$$;
SELECT * FROM pg_temp.foreign_file();
CREATE FUNCTION pg_temp.foreign_server() RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
  IF NOT pg_temp.has('postgres_fdw') THEN
    RETURN QUERY SELECT skip('no postgres_fdw', 2);
    RETURN;
  END IF;
  CREATE EXTENSION postgres_fdw;
  EXECUTE format('CREATE SERVER loopback FOREIGN DATA WRAPPER postgres_fdw OPTIONS (dbname %L, host %L, port %L)', current_database(), split_part(current_setting('unix_socket_directories'), ',', 1), current_setting('port'));
  EXECUTE format('CREATE USER MAPPING FOR CURRENT_USER SERVER loopback OPTIONS (user %L, password_required ''false'')', current_user);
  -- what another session sees of this one is only what was committed: a catalog
  CREATE FOREIGN TABLE r_types (oid oid, typname name, typlen int2, at timestamptz OPTIONS (column_name 'typname')) SERVER loopback OPTIONS (schema_name 'pg_catalog', table_name 'pg_type');
  CREATE FOREIGN TABLE r_rows (id int OPTIONS (column_name 'typlen'), typname text) SERVER loopback OPTIONS (schema_name 'pg_catalog', table_name 'pg_type');
  INSERT INTO lead_scoring.source (name, record_type, relation, record_key) VALUES ('remote', 'contact', 'r_rows', 'id');
  PERFORM pg_temp.simple('remote', 'fit');
  INSERT INTO lead_scoring.rule (score, group_name, name, source, criterion, points) VALUES ('remote', 'all', 'bool', 'remote', $c$typname = 'bool'$c$, 1), ('remote', 'all', 'text', 'remote', $c$typname IN ('text', 'x')$c$, 10);
  RETURN NEXT is(pg_temp.totals('remote'), '0=0 1=1 -1=10', 'related rows in a foreign table (postgres_fdw)');
  RETURN NEXT is_empty($c$SELECT * FROM pg_temp.disagreements('remote')$c$, 'postgres_fdw: stored = evaluated = explained');
EXCEPTION WHEN sqlclient_unable_to_establish_sqlconnection OR insufficient_privilege THEN
  RETURN QUERY SELECT skip('no connection to this server: ' || SQLERRM, 2);
END
$$;
SELECT * FROM pg_temp.foreign_server();

-- Other kinds of relation are refused
CREATE SEQUENCE some_sequence;
CREATE TYPE some_type AS (id int);
CREATE INDEX some_index ON activities (contact_id);
SELECT throws_ok(format($$INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('bad', %L, 'id')$$, r), '42809', NULL, r || ' cannot hold records') FROM unnest(ARRAY['some_sequence', 'some_index']) AS r;
SELECT throws_ok($$INSERT INTO lead_scoring.source (name, record_type, relation, record_key) VALUES ('bad', 'contact', 'some_index', 'contact_id')$$, '42809', NULL, 'an index cannot be a source');

-- A table of its own per session
CREATE TEMP TABLE temporary_leads (id int PRIMARY KEY, x int);
INSERT INTO temporary_leads VALUES (1, 1);
SELECT lives_ok($$INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('temporary', 'temporary_leads', 'id')$$, 'a temporary table, in its session');
SELECT lives_ok($$INSERT INTO lead_scoring.score (name, record_type, kind) VALUES ('t', 'temporary', 'fit');
  INSERT INTO lead_scoring.score_group (score, name, kind) VALUES ('t', 'all', 'fit'); INSERT INTO lead_scoring.rule (score, group_name, name, criterion, points) VALUES ('t', 'all', 'r', 'x = 1', 1)$$, 'with a score');
SELECT is(pg_temp.totals('t'), '1=1', 'is evaluated');

SELECT * FROM finish();
ROLLBACK;
