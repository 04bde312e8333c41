-- Where many of the records are asked for, their sources are read through, or by a bitmap, and not looked up record by record: the same
-- scores, for each kind of key, and nothing of other records matters.
BEGIN;
\ir include/crm.psql
SELECT plan(19);

CREATE TABLE people (id bigint PRIMARY KEY, number uuid NOT NULL UNIQUE, name text NOT NULL UNIQUE);
INSERT INTO people SELECT g, md5(g::text)::uuid, 'person ' || g FROM generate_series(1, 4000) g;
CREATE TABLE visits (id bigint, number uuid, name text, type text, occurred_at timestamptz, amount float8);
-- Of people who are not there, too, and of nobody
INSERT INTO visits
SELECT g, md5(g::text)::uuid, 'person ' || g, (ARRAY['a', 'b', 'c'])[1 + (g + n) % 3], timestamptz '2026-01-31 00:00+00' - (g % 90 + n) * interval '13 hours', n
  FROM generate_series(1, 4100) g, generate_series(1, 3) n;
INSERT INTO visits (type, occurred_at, amount) VALUES ('a', '2026-01-01', 1), ('a', NULL, 1);
CREATE INDEX ON visits (id);
CREATE INDEX ON visits (number);
CREATE INDEX ON visits (name);
ANALYZE people;
ANALYZE visits;

CREATE FUNCTION pg_temp.define(key name) RETURNS void LANGUAGE sql AS $$
  INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('by ' || key, 'people', key);
  INSERT INTO lead_scoring.source (name, record_type, relation, record_key, occurred_at) VALUES ('visit', 'by ' || key, 'visits', key, 'occurred_at');
  INSERT INTO lead_scoring.score (name, record_type, kind) VALUES (key, 'by ' || key, 'engagement');
  INSERT INTO lead_scoring.score_group (score, name, kind, decay) VALUES (key, 'fading', 'engagement', 'half-life 10 days'), (key, 'plain', 'engagement', NULL);
  INSERT INTO lead_scoring.rule (score, group_name, name, source, criterion, points, counting, value, rollup) VALUES
    (key, 'fading', 'a', 'visit', $c$type = 'a'$c$, 3, 'each', NULL, 'sum'), (key, 'plain', 'greatest', 'visit', 'true', 1, 'each', 'amount', 'max');
$$;
SELECT pg_temp.define('id'), pg_temp.define('number'), pg_temp.define('name');

-- By hand: what the events of a person come to
CREATE TEMP TABLE expected AS
SELECT p.id, p.id::text AS "by id", p.number::text AS "by number", p.name AS "by name",
       round((3 + coalesce(sum(3 * power(0.5::float8, (p.id % 90 + n) * 13 / 240.0)) FILTER (WHERE (p.id + n) % 3 = 0), 0))::numeric, 4)::float8 AS total
  FROM people p, generate_series(1, 3) n GROUP BY p.id;

-- Keys of so many people, every second one
CREATE FUNCTION pg_temp.keys(score text, count int) RETURNS text[] LANGUAGE sql AS $$
  SELECT array_agg(to_jsonb(e) ->> ('by ' || $1)) FROM expected e WHERE id % 2 = 0 AND id <= 2 * $2
$$;
-- How many of them differ from what is computed by hand, and how many there are
CREATE FUNCTION pg_temp.compared(score text, count int) RETURNS text LANGUAGE sql AS $$
  SELECT count(*) FILTER (WHERE s.total IS DISTINCT FROM e.total) || ' of ' || count(*)
    FROM lead_scoring.evaluate($1, pg_temp.day(), pg_temp.keys($1, $2)) s LEFT JOIN expected e ON to_jsonb(e) ->> ('by ' || $1) = s.record_key
$$;
-- The same, and how often the events were read through meanwhile
CREATE FUNCTION pg_temp.read_through(score text, count int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  before bigint := pg_stat_get_xact_numscans('visits'::regclass);
  found text := pg_temp.compared(score, count);
BEGIN
  RETURN found || ', read through: ' || pg_stat_get_xact_numscans('visits'::regclass) - before;
END $$;
-- Nobody else reads all that he can look up
SET LOCAL enable_seqscan = off;

SELECT is(pg_temp.read_through(k, 1500), '0 of 1500, read through: 1', k || ': many') FROM unnest('{id,number,name}'::text[]) k;
SELECT is(pg_temp.read_through(k, 300), '0 of 300, read through: 0', k || ': few') FROM unnest('{id,number,name}'::text[]) k;

SELECT is(pg_temp.read_through(k, 1200), '0 of 1200, read through: 0', k || ': so many that an index finds them in the order of the table') FROM unnest('{id,number,name}'::text[]) k;

-- Rows of others: an event without a time is complained of by whoever asks for its record only
INSERT INTO visits VALUES (1, md5('1')::uuid, 'person 1', 'a', NULL, 1), (4050, md5('4050')::uuid, 'person 4050', 'a', NULL, 1);
SELECT is(pg_temp.read_through(k, 1500), '0 of 1500, read through: 1', k || ': nothing of others can fail') FROM unnest('{id,number,name}'::text[]) k;
SELECT throws_ok(format($$SELECT * FROM lead_scoring.evaluate(%L, pg_temp.day(), pg_temp.keys(%L, 1500) || %L::text)$$, k, k, (SELECT to_jsonb(e) ->> ('by ' || k) FROM expected e WHERE id = 1)),
  '22004', 'an event of source "visit" has no time: its record is "' || (SELECT to_jsonb(e) ->> ('by ' || k) FROM expected e WHERE id = 1) || '"', k || ': what is asked for can') FROM unnest('{id,number,name}'::text[]) k;
DELETE FROM visits WHERE occurred_at IS NULL AND id IS NOT NULL;

-- A key that is asked for twice, or is nobody's
SELECT is((SELECT count(*) FROM lead_scoring.evaluate('id', pg_temp.day(), pg_temp.keys('id', 1500) || pg_temp.keys('id', 1500) || '4050'::text || NULL)), 1500::bigint, 'each record once');

-- Sources whose rows a query has to look into are asked for their rows
UPDATE lead_scoring.source SET filter = 'amount < 3' WHERE record_type = 'by id';
SELECT is((SELECT split_part(pg_temp.read_through('id', 1500), 'read', 2)), ' through: 0', 'with a filter');
UPDATE lead_scoring.source SET filter = NULL WHERE record_type = 'by id';

-- What triggers keep: a statement that touches many records
UPDATE lead_scoring.score SET name = 'score_by_id' WHERE name = 'id';
SELECT lead_scoring.activate('score_by_id');
INSERT INTO visits (id, type, occurred_at, amount) SELECT g, 'a', clock_timestamp(), 10 FROM generate_series(1, 3000) g;
SELECT is((SELECT count(*) || ' to ' || max(id) FROM people WHERE score_by_id_engagement >= 10), '3000 to 3000', 'those have the new events, and only those');
SELECT is((SELECT count(*) FROM lead_scoring.verify('score_by_id', clock_timestamp()) v WHERE abs(v.stored_total - v.total) > 0.01), 0::bigint, 'all are right');

SELECT * FROM finish();
ROLLBACK;
