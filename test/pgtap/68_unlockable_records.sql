-- Records of views whose rows cannot be locked, relations that nobody watches, and temporary ones
BEGIN;
\ir include/crm.psql
SELECT plan(25);

CREATE TABLE base (id int PRIMARY KEY, x int, firm int);
CREATE TABLE firms (id int PRIMARY KEY, size int);
CREATE TABLE visits (record int, at timestamptz);
INSERT INTO base SELECT g, g, g % 2 FROM generate_series(1, 5) g;
INSERT INTO firms VALUES (1, 100);
-- What becomes of everything that happens to records of such a view, as the stored totals and whether they are what is evaluated
CREATE FUNCTION pg_temp.lives(view text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  result text;
BEGIN
  BEGIN
    EXECUTE view;
    CREATE TABLE target (id int PRIMARY KEY);
    INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('seen', 'seen', 'id');
    INSERT INTO lead_scoring.source (name, record_type, relation, record_key, occurred_at) VALUES ('visit', 'seen', 'visits', 'record', 'at');
    INSERT INTO lead_scoring.score (name, record_type, target) VALUES ('v', 'seen', 'target');
    INSERT INTO lead_scoring.score_group (score, name, kind) VALUES ('v', 'f', 'fit'), ('v', 'e', 'engagement');
    INSERT INTO lead_scoring.rule (score, group_name, name, source, criterion, points) VALUES ('v', 'f', 'x', NULL, 'x > 2', 1), ('v', 'e', 'visit', 'visit', 'true', 10);
    SET LOCAL client_min_messages = error;
    PERFORM lead_scoring.activate('v');
    INSERT INTO visits VALUES (1, now()), (2, now());
    INSERT INTO visits SELECT g % 5 + 1, now() FROM generate_series(1, 500) g;
    DELETE FROM visits WHERE ctid IN (SELECT max(ctid) FROM visits WHERE record = 1);
    UPDATE visits SET record = 4 WHERE ctid IN (SELECT max(ctid) FROM visits WHERE record = 2);
    INSERT INTO lead_scoring.adjustment (score, record_key, points) VALUES ('v', '2', 5);
    PERFORM lead_scoring.reset_engagement('v', '3', now() - interval '1 day');
    PERFORM lead_scoring.refresh('v', keys => '{4}');
    DELETE FROM target WHERE id = 5;
    UPDATE lead_scoring.score SET mode = 'queued' WHERE name = 'v';
    INSERT INTO visits VALUES (1, now());
    PERFORM lead_scoring.work_queue();
    SELECT string_agg(v::text, ' ' ORDER BY id) || coalesce(' differ: ' || (SELECT count(*) FROM lead_scoring.verify('v') HAVING count(*) > 0), '') || coalesce(' parked: ' || (SELECT count(*) FROM lead_scoring.parked HAVING count(*) > 0), '')
      INTO result FROM target;
    RAISE EXCEPTION 'undo' USING ERRCODE = 'ZZ999';
  EXCEPTION WHEN SQLSTATE 'ZZ999' THEN
    RETURN result;
  END;
END $$;
SELECT is(pg_temp.lives('CREATE VIEW seen AS ' || definition), '1010 1005 1001 1011 1001', what) FROM (VALUES
  ('a plain view', 'SELECT * FROM base'), ('an inner join', 'SELECT b.* FROM base b JOIN base c USING (id)'), ('an outer join', 'SELECT b.*, f.size FROM base b LEFT JOIN firms f ON f.id = b.firm'),
  ('the other way around', 'SELECT b.*, f.size FROM firms f RIGHT JOIN base b ON f.id = b.firm'), ('a full join', 'SELECT coalesce(b.id, c.id) AS id, b.x FROM base b FULL JOIN base c USING (id)'),
  ('groups', 'SELECT id, max(x) AS x FROM base GROUP BY id'), ('DISTINCT', 'SELECT DISTINCT id, x FROM base'), ('a window', 'SELECT id, x, lead_scoring.peer_ratio(x) OVER (PARTITION BY firm) FROM base'),
  ('UNION', 'SELECT id, x FROM base UNION SELECT id, x FROM base'), ('UNION ALL', 'SELECT id, x FROM base WHERE id < 3 UNION ALL SELECT id, x FROM base WHERE id >= 3'),
  ('LIMIT', 'SELECT id, x FROM base ORDER BY id LIMIT 100'), ('values', 'SELECT * FROM (VALUES (1, 1), (2, 2), (3, 3), (4, 4), (5, 5)) v (id, x)'),
  ('a set-returning function', 'SELECT g AS id, g AS x FROM generate_series(1, 5) g'), ('WITH', 'WITH b AS MATERIALIZED (SELECT * FROM base) SELECT * FROM b'),
  ('an aggregate besides', 'SELECT b.*, (SELECT count(*) FROM visits v WHERE v.record = b.id) AS visits FROM base b')) v (what, definition);
SELECT is(pg_temp.lives('CREATE MATERIALIZED VIEW seen AS SELECT * FROM base; CREATE UNIQUE INDEX ON seen (id)'), '1010 1005 1001 1011 1001', 'a materialized view');

-- What cannot have triggers is followed by time, a partition, too
CREATE FUNCTION pg_temp.partition() RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
  file text := current_setting('data_directory') || '/lead_scoring_partition.csv';
BEGIN
  IF NOT EXISTS (SELECT FROM pg_available_extensions WHERE name = 'file_fdw') THEN
    RETURN QUERY SELECT skip('no file_fdw', 3);
    RETURN;
  END IF;
  CREATE EXTENSION file_fdw;
  CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;
  CREATE TABLE parted (contact_id int, at timestamptz, k int) PARTITION BY LIST (k);
  CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1);
  EXECUTE format('COPY (SELECT 1, now(), 2) TO %L (FORMAT csv)', file);
  EXECUTE format('CREATE FOREIGN TABLE parted_2 PARTITION OF parted FOR VALUES IN (2) SERVER files OPTIONS (filename %L, format ''csv'')', file);
  INSERT INTO contacts (id) VALUES (1), (2);
  INSERT INTO lead_scoring.source (name, record_type, relation, record_key, occurred_at) VALUES ('parted', 'contact', 'parted', 'contact_id', 'at');
  PERFORM pg_temp.simple('of parts', 'engagement');
  INSERT INTO lead_scoring.rule (score, group_name, name, source, points) VALUES ('of parts', 'all', 'x', 'parted', 1);
  PERFORM lead_scoring.activate('of parts');
  INSERT INTO parted VALUES (2, now(), 1);
  RETURN NEXT results_eq($c$SELECT id, "of parts" FROM contacts ORDER BY id$c$, $c$VALUES (1, 1::float8), (2, 1)$c$, 'a partition with triggers');
  EXECUTE format('COPY (SELECT 2, now(), 2) TO %L (FORMAT csv)', file);
  RETURN NEXT is(lead_scoring.has_unwatched('of parts'), true, 'one without is noticed');
  SET LOCAL lead_scoring.refresh_interval = 0;
  CALL lead_scoring.refresh_due();
  RETURN NEXT results_eq($c$SELECT id, "of parts" FROM contacts ORDER BY id$c$, $c$VALUES (1, 0::float8), (2, 2)$c$, 'and followed by time');
END $$;
SET LOCAL client_min_messages = error;
SELECT * FROM pg_temp.partition();

-- What others cannot read
CREATE TEMP TABLE mine (contact_id int, at timestamptz);
CREATE TEMP VIEW view_of_mine AS SELECT * FROM mine;
INSERT INTO lead_scoring.source (name, record_type, relation, record_key, occurred_at) VALUES ('mine', 'contact', 'mine', 'contact_id', 'at'), ('view of mine', 'contact', 'view_of_mine', 'contact_id', 'at');
SELECT pg_temp.simple('t', 'engagement');
INSERT INTO lead_scoring.rule (score, group_name, name, source, points) VALUES ('t', 'all', 'x', 'mine', 1);
INSERT INTO contacts (id) VALUES (7);
INSERT INTO mine VALUES (7, now());
SELECT is((SELECT total FROM lead_scoring.evaluate('t', keys => '{7}')), 1::float8, 'a temporary table can be evaluated');
SELECT throws_ok($$SELECT lead_scoring.activate('t')$$, '42809', '"mine" is temporary: score "t" cannot be kept current from it', 'but nothing be kept from it');
UPDATE lead_scoring.rule SET source = 'view of mine' WHERE score = 't';
SELECT throws_ok($$SELECT lead_scoring.activate('t')$$, '42809', NULL, 'nor from a temporary view');
UPDATE lead_scoring.rule SET source = 'activity' WHERE score = 't';
SELECT lives_ok($$SELECT lead_scoring.activate('t')$$, 'a source that is not used does no harm');
SELECT throws_ok($$INSERT INTO lead_scoring.rule (score, group_name, name, source, points) VALUES ('t', 'all', 'y', 'mine', 1)$$, '42809', NULL, 'until an active score is to use it');
SELECT is((SELECT count(*) FROM lead_scoring.rule WHERE score = 't'), 1::bigint, 'which it does not');

SELECT * FROM finish();
ROLLBACK;
