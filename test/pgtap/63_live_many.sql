-- Statements and instants that touch many records: these are taken chunk by chunk, each record by way of the indexes, while they
-- are a part of all, and together where they are more: the same scores, for each kind of key.
BEGIN;
SET LOCAL client_min_messages = warning;
SELECT plan(36);

CREATE TABLE people (id bigint PRIMARY KEY, number uuid NOT NULL UNIQUE, name text NOT NULL UNIQUE);
INSERT INTO people SELECT g, md5(g::text)::uuid, 'person ' || g FROM generate_series(1, 6000) g;
CREATE TABLE visits (id bigint, number uuid, name text, type text, occurred_at timestamptz NOT NULL);
INSERT INTO visits SELECT g, md5(g::text)::uuid, 'person ' || g, 'a', now() - interval '20 days' - g * interval '1 second' FROM generate_series(1, 6100) g;
CREATE INDEX by_id ON visits (id, occurred_at);
CREATE INDEX by_number ON visits (number, occurred_at);
CREATE INDEX by_name ON visits (name, occurred_at);

CREATE FUNCTION pg_temp.define(key name) RETURNS void LANGUAGE sql AS $$
  INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES (key, 'people', key);
  INSERT INTO lead_scoring.source (name, record_type, relation, record_key, occurred_at) VALUES ('visit', key, 'visits', key, 'occurred_at');
  INSERT INTO lead_scoring.score (name, record_type, kind, history) VALUES ('s_' || key, key, 'engagement', 'values');
  INSERT INTO lead_scoring.score_group (score, name, kind) VALUES ('s_' || key, 'plain', 'engagement');
  INSERT INTO lead_scoring.rule (score, group_name, name, source, criterion, points, counting, within) VALUES
    ('s_' || key, 'plain', 'a', 'visit', $c$type = 'a'$c$, 1, 'each', '30 days'), ('s_' || key, 'plain', 'b', 'visit', $c$type = 'b'$c$, 10, 'each', NULL);
  SELECT lead_scoring.activate('s_' || key);
$$;
SELECT pg_temp.define(key) FROM unnest('{id,number,name}'::name[]) key;

-- How many records hold another score than what is computed by hand
CREATE FUNCTION pg_temp.wrong(score name) RETURNS bigint LANGUAGE sql AS $$
  SELECT count(*) FROM people p
    LEFT JOIN (SELECT id, sum(CASE WHEN type = 'b' THEN 10 WHEN occurred_at > clock_timestamp() - interval '30 days' THEN 1 ELSE 0 END) AS points FROM visits GROUP BY id) v USING (id)
   WHERE (to_jsonb(p) ->> score)::float8 IS DISTINCT FROM coalesce(v.points, 0)::float8
$$;
-- How many rows an index has led to, one by one, since it was asked last
CREATE TEMP TABLE led_before AS SELECT index, 0::bigint AS rows FROM unnest('{by_id,by_number,by_name}'::regclass[]) index;
CREATE FUNCTION pg_temp.led_to(asked regclass) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  now_rows bigint := pg_stat_get_xact_tuples_fetched(asked);
  before bigint := (SELECT rows FROM led_before WHERE index = asked);
BEGIN
  UPDATE led_before SET rows = now_rows WHERE index = asked;
  RETURN now_rows - before;
END $$;
SELECT pg_temp.led_to(index) FROM led_before;

INSERT INTO visits SELECT g, md5(g::text)::uuid, 'person ' || g, 'c', now() FROM generate_series(5, 6000, 5) g;
SELECT is(pg_temp.led_to(index), 2400::bigint, index || ' leads to the events of some, though nobody has counted all yet') FROM led_before;
DELETE FROM visits WHERE type = 'c';
ANALYZE people;
SELECT pg_temp.led_to(index) FROM led_before;

INSERT INTO visits SELECT g, md5(g::text)::uuid, 'person ' || g, 'b', now() - interval '1 day' FROM generate_series(4, 6000, 4) g;
SELECT is(pg_temp.wrong('s_' || key), 0::bigint, key || ': events of a quarter of all') FROM unnest('{id,number,name}'::name[]) key;
SELECT is(pg_temp.led_to(index), 3000::bigint, index || ' leads to the events of each') FROM led_before;
INSERT INTO visits SELECT g, md5(g::text)::uuid, 'person ' || g, 'b', now() - interval '1 day' FROM generate_series(2, 6100, 2) g;
SELECT is(pg_temp.wrong('s_' || key), 0::bigint, key || ': events of every second one, and of some who are not there') FROM unnest('{id,number,name}'::name[]) key;
SELECT is(pg_temp.led_to(index), 0::bigint, index || ' is not asked for each of them') FROM led_before;
SELECT is((SELECT count(*) FROM lead_scoring.score_history WHERE score = 's_' || key AND reason = 'facts'), 4500::bigint, key || ': each change is in the history') FROM unnest('{id,number,name}'::name[]) key;

UPDATE visits SET type = 'a' WHERE id % 4 = 0 AND type = 'b';
SELECT is(pg_temp.wrong('s_' || key), 0::bigint, key || ': events that change') FROM unnest('{id,number,name}'::name[]) key;
UPDATE visits SET id = id + 1, number = md5((id + 1)::text)::uuid, name = 'person ' || id + 1 WHERE id BETWEEN 1000 AND 1700;
SELECT is(pg_temp.wrong('s_' || key), 0::bigint, key || ': events that go over to others') FROM unnest('{id,number,name}'::name[]) key;
DELETE FROM visits WHERE id <= 1400;
SELECT is(pg_temp.wrong('s_' || key), 0::bigint, key || ': events that go') FROM unnest('{id,number,name}'::name[]) key;

-- Time: of the events of twenty days ago those of the last 1,400 leave the window
CREATE FUNCTION pg_temp.later() RETURNS timestamptz LANGUAGE sql AS $$SELECT now() + interval '10 days' - interval '4600 seconds'$$;
SELECT is((SELECT count(*) FROM lead_scoring.verify('s_' || key, pg_temp.later())), 1400::bigint, key || ': so many change by time alone') FROM unnest('{id,number,name}'::name[]) key;
SELECT pg_temp.led_to(index) FROM led_before;
CALL lead_scoring.refresh_due(pg_temp.later());
SELECT is(pg_temp.led_to(index), (SELECT count(*) FROM visits WHERE id BETWEEN 4601 AND 6000), index || ' leads to the events of each') FROM led_before;
SELECT is((SELECT count(*) FROM lead_scoring.verify('s_' || key, pg_temp.later())), 0::bigint, key || ': all are right') FROM unnest('{id,number,name}'::name[]) key;
SELECT * FROM finish();
ROLLBACK;
