-- Bad definitions: each is refused with the error's own SQLSTATE, nothing is half done, and the session lives
BEGIN;
\ir include/crm.psql

CREATE FUNCTION public.sets(bigint) RETURNS SETOF bool LANGUAGE sql IMMUTABLE AS $$ VALUES (true), (false) $$;
CREATE FUNCTION public.changing(bigint) RETURNS bool LANGUAGE plpgsql VOLATILE AS $$ BEGIN RETURN true; END $$;
CREATE FUNCTION pg_temp.large(bigint) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT $1 > 9';
CREATE DOMAIN pg_temp.small AS int;
CREATE TYPE pg_temp.mood AS ENUM ('a', 'b');
CREATE TABLE no_key (id int, x int);
CREATE TABLE late_key (id int PRIMARY KEY DEFERRABLE, x int);
CREATE TABLE partial_key (id int, x int);
CREATE UNIQUE INDEX ON partial_key (id) WHERE x > 0;
CREATE TABLE two_keys (a int, b int, UNIQUE (a, b));
CREATE TABLE odd_key (id point, f float8 PRIMARY KEY, j jsonb UNIQUE);
CREATE TABLE victim (id int);
CREATE TABLE no_time (contact_id int, day date, at timestamp, clock time, words text, uid uuid);
SELECT pg_temp.simple('s', 'engagement');
SELECT pg_temp.simple('f', 'fit');
INSERT INTO lead_scoring.score (name, record_type, kind) VALUES ('c', 'contact', 'combined');
INSERT INTO lead_scoring.score_group (score, name, kind) VALUES ('c', 'f', 'fit'), ('c', 'e', 'engagement');
INSERT INTO lead_scoring.rule (score, group_name, name, source, points) VALUES ('s', 'all', 'r', 'activity', 1);
INSERT INTO lead_scoring.rule (score, group_name, name, points) VALUES ('f', 'all', 'r', 1);
INSERT INTO lead_scoring.band (score, label, lower_bound) VALUES ('s', 'A', 10), ('s', 'Z', NULL);
INSERT INTO lead_scoring.scope (score, mode, criterion) VALUES ('s', 'exclude', 'id = 99');
INSERT INTO lead_scoring.adjustment (score, record_key, points) VALUES ('s', '1', 5);
INSERT INTO contacts (id) VALUES (1);
SELECT pg_temp.act(1, 'x', 3);

-- One line each: what, SQLSTATE, statement
CREATE TABLE bad (i int GENERATED ALWAYS AS IDENTITY, what text, code text, statement text);

INSERT INTO bad (what, code, statement) VALUES
  ('record type: unknown key column', '42703', $$INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('x', 'contacts', 'nope')$$),
  ('record type: upper case key column', '42703', $$INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('x', 'contacts', 'ID')$$),
  ('record type: dropped column', '42703', $$INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('x', 'contacts', '........pg.dropped.1........')$$),
  ('record type: system column', '42703', $$INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('x', 'contacts', 'ctid')$$),
  ('record type: unknown relation', '42P01', $$INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('x', 'nope', 'id')$$),
  ('record type: relation by OID that is none', '42P01', $$INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('x', 4294967295::regclass, 'id')$$),
  ('record type: relation NULL', '22004', $$INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('x', NULL, 'id')$$),
  ('record type: no unique index', '42830', $$INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('x', 'no_key', 'id')$$),
  ('record type: deferrable unique index', '42830', $$INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('x', 'late_key', 'id')$$),
  ('record type: partial unique index', '42830', $$INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('x', 'partial_key', 'id')$$),
  ('record type: unique only with another column', '42830', $$INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('x', 'two_keys', 'a')$$),
  ('record type: key of type point', '42804', $$INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('x', 'odd_key', 'id')$$),
  ('record type: key of type float8', '42804', $$INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('x', 'odd_key', 'f')$$),
  ('record type: key of type jsonb', '42804', $$INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('x', 'odd_key', 'j')$$),
  ('record type: empty name', '42602', $$INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('', 'contacts', 'id')$$),
  ('record type: name taken', '23505', $$INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('contact', 'contacts', 'id')$$),
  ('record type: deleted while used', '2BP01', $$DELETE FROM lead_scoring.record_type WHERE name = 'contact'$$),
  ('record type: renamed while used', '2BP01', $$UPDATE lead_scoring.record_type SET name = 'y' WHERE name = 'contact'$$),
  ('source: unknown record key', '42703', $$INSERT INTO lead_scoring.source (name, record_type, relation, record_key) VALUES ('x', 'contact', 'activities', 'nope')$$),
  ('source: unknown occurred_at', '42703', $$INSERT INTO lead_scoring.source (name, record_type, relation, record_key, occurred_at) VALUES ('x', 'contact', 'activities', 'contact_id', 'nope')$$),
  ('source: unknown record column', '42703', $$INSERT INTO lead_scoring.source (name, record_type, relation, record_key, record_column) VALUES ('x', 'contact', 'activities', 'contact_id', 'nope')$$),
  ('source: unknown relation', '42P01', $$INSERT INTO lead_scoring.source (name, record_type, relation, record_key) VALUES ('x', 'contact', 'nope', 'contact_id')$$),
  ('source: unknown record type', '42704', $$INSERT INTO lead_scoring.source (name, record_type, relation, record_key) VALUES ('x', 'nope', 'activities', 'contact_id')$$),
  ('source: key of another type', '42804', $$INSERT INTO lead_scoring.source (name, record_type, relation, record_key) VALUES ('x', 'contact', 'activities', 'type')$$),
  ('source: uuid for an integer key', '42804', $$INSERT INTO lead_scoring.source (name, record_type, relation, record_key) VALUES ('x', 'contact', 'no_time', 'uid')$$),
  ('source: time of type time', '42804', $$INSERT INTO lead_scoring.source (name, record_type, relation, record_key, occurred_at) VALUES ('x', 'contact', 'no_time', 'contact_id', 'clock')$$),
  ('source: time of type text', '42804', $$INSERT INTO lead_scoring.source (name, record_type, relation, record_key, occurred_at) VALUES ('x', 'contact', 'no_time', 'contact_id', 'words')$$),
  ('source: filter with a syntax error', '42601', $$INSERT INTO lead_scoring.source (name, record_type, relation, record_key, filter) VALUES ('x', 'contact', 'activities', 'contact_id', 'type =')$$),
  ('source: filter not boolean', '42804', $$INSERT INTO lead_scoring.source (name, record_type, relation, record_key, filter) VALUES ('x', 'contact', 'activities', 'contact_id', 'type')$$),
  ('source: deleted while used', '2BP01', $$DELETE FROM lead_scoring.source WHERE name = 'activity'$$),
  ('source: renamed while used', '2BP01', $$UPDATE lead_scoring.source SET name = 'y' WHERE name = 'activity'$$),
  ('source: name taken', '23505', $$INSERT INTO lead_scoring.source (name, record_type, relation, record_key, occurred_at) VALUES ('activity', 'contact', 'activities', 'contact_id', 'occurred_at')$$),
  ('score: unknown record type', '42704', $$INSERT INTO lead_scoring.score (name, record_type, kind) VALUES ('x', 'nope', 'fit')$$),
  ('score: unknown kind', '22023', $$INSERT INTO lead_scoring.score (name, record_type, kind) VALUES ('x', 'contact', 'both')$$),
  ('score: kind NULL', '22023', $$INSERT INTO lead_scoring.score (name, record_type, kind) VALUES ('x', 'contact', NULL)$$),
  ('score: name NULL', '42602', $$INSERT INTO lead_scoring.score (name, record_type, kind) VALUES (NULL, 'contact', 'fit')$$),
  ('score: name taken', '23505', $$INSERT INTO lead_scoring.score (name, record_type, kind) VALUES ('s', 'contact', 'engagement')$$),
  ('score: lower limit above upper', '22023', $$INSERT INTO lead_scoring.score (name, record_type, kind, min_points, max_points) VALUES ('x', 'contact', 'fit', 1, 0)$$),
  ('score: limit NaN', '22023', $$INSERT INTO lead_scoring.score (name, record_type, kind, min_points) VALUES ('x', 'contact', 'fit', 'NaN')$$),
  ('score: limit infinite', '22023', $$INSERT INTO lead_scoring.score (name, record_type, kind, max_points) VALUES ('x', 'contact', 'fit', 'infinity')$$),
  ('score: made active by hand', '55000', $$INSERT INTO lead_scoring.score (name, record_type, kind, status) VALUES ('x', 'contact', 'fit', 'active')$$),
  ('score: switched on by hand', '55000', $$UPDATE lead_scoring.score SET status = 'active' WHERE name = 's'$$),
  ('score: unknown status', '55000', $$UPDATE lead_scoring.score SET status = 'maybe' WHERE name = 's'$$),
  ('score: target without the key', '42703', $$INSERT INTO lead_scoring.score (name, record_type, kind, target) VALUES ('x', 'contact', 'fit', 'no_time')$$),
  ('score: kind without its groups', '55000', $$UPDATE lead_scoring.score SET kind = 'fit' WHERE name = 's'$$),
  ('group: unknown score', '42704', $$INSERT INTO lead_scoring.score_group (score, name, kind) VALUES ('nope', 'g', 'fit')$$),
  ('group: unknown kind', '22023', $$INSERT INTO lead_scoring.score_group (score, name, kind) VALUES ('c', 'g', 'x')$$),
  ('group: kind NULL in a combined score', '22023', $$INSERT INTO lead_scoring.score_group (score, name, kind) VALUES ('c', 'g', NULL)$$),
  ('group: fit in an engagement score', '22023', $$INSERT INTO lead_scoring.score_group (score, name, kind) VALUES ('s', 'g', 'fit')$$),
  ('group: engagement in a fit score', '22023', $$INSERT INTO lead_scoring.score_group (score, name, kind) VALUES ('f', 'g', 'engagement')$$),
  ('group: F30 fit does not decay', '22023', $$INSERT INTO lead_scoring.score_group (score, name, kind, decay) VALUES ('f', 'g', 'fit', '50% per month')$$),
  ('group: bad decay', '22P02', $$INSERT INTO lead_scoring.score_group (score, name, kind, decay) VALUES ('s', 'g', 'engagement', 'slowly')$$),
  ('group: decay of 0%', '22023', $$INSERT INTO lead_scoring.score_group (score, name, kind, decay) VALUES ('s', 'g', 'engagement', '0% per month')$$),
  ('group: lower limit above upper', '22023', $$INSERT INTO lead_scoring.score_group (score, name, kind, min_points, max_points) VALUES ('s', 'g', 'engagement', 0.1, 0)$$),
  ('group: limit NaN', '22023', $$INSERT INTO lead_scoring.score_group (score, name, kind, max_points) VALUES ('s', 'g', 'engagement', 'NaN')$$),
  ('group: limit infinite', '22023', $$INSERT INTO lead_scoring.score_group (score, name, kind, min_points) VALUES ('s', 'g', 'engagement', '-infinity')$$),
  ('group: name taken', '23505', $$INSERT INTO lead_scoring.score_group (score, name, kind) VALUES ('s', 'all', 'engagement')$$),
  ('group: name NULL', '42602', $$INSERT INTO lead_scoring.score_group (score, name, kind) VALUES ('s', NULL, 'engagement')$$),
  ('group: limits crossed by an update', '22023', $$UPDATE lead_scoring.score_group SET min_points = 5, max_points = 4 WHERE score = 's'$$),
  ('rule: unknown score', '42704', $$INSERT INTO lead_scoring.rule (score, group_name, name, points) VALUES ('nope', 'all', 'x', 1)$$),
  ('rule: unknown group', '42704', $$INSERT INTO lead_scoring.rule (score, group_name, name, source, points) VALUES ('s', 'nope', 'x', 'activity', 1)$$),
  ('rule: group NULL', '42704', $$INSERT INTO lead_scoring.rule (score, group_name, name, source, points) VALUES ('s', NULL, 'x', 'activity', 1)$$),
  ('rule: unknown source', '42704', $$INSERT INTO lead_scoring.rule (score, group_name, name, source, points) VALUES ('s', 'all', 'x', 'nope', 1)$$),
  ('rule: property rule in an engagement group', '22023', $$INSERT INTO lead_scoring.rule (score, group_name, name, points) VALUES ('s', 'all', 'x', 1)$$),
  ('rule: event rule in a fit group', '22023', $$INSERT INTO lead_scoring.rule (score, group_name, name, source, points) VALUES ('f', 'all', 'x', 'activity', 1)$$),
  ('rule: related rows in an engagement group', '22023', $$INSERT INTO lead_scoring.rule (score, group_name, name, source, points) VALUES ('s', 'all', 'x', 'company', 1)$$),
  ('rule: points NULL', '22004', $$INSERT INTO lead_scoring.rule (score, group_name, name, source, points) VALUES ('s', 'all', 'x', 'activity', NULL)$$),
  ('rule: points missing', '22004', $$INSERT INTO lead_scoring.rule (score, group_name, name, source) VALUES ('s', 'all', 'x', 'activity')$$),
  ('rule: points NaN', '22003', $$INSERT INTO lead_scoring.rule (score, group_name, name, source, points) VALUES ('s', 'all', 'x', 'activity', 'NaN')$$),
  ('rule: points infinite', '22003', $$INSERT INTO lead_scoring.rule (score, group_name, name, source, points) VALUES ('s', 'all', 'x', 'activity', 'infinity')$$),
  ('rule: points minus infinite', '22003', $$INSERT INTO lead_scoring.rule (score, group_name, name, source, points) VALUES ('s', 'all', 'x', 'activity', '-infinity')$$),
  ('rule: points too large', '22003', $$INSERT INTO lead_scoring.rule (score, group_name, name, source, points) VALUES ('s', 'all', 'x', 'activity', 1000000001)$$),
  ('rule: points made NaN by an update', '22003', $$UPDATE lead_scoring.rule SET points = 'NaN' WHERE score = 's'$$),
  ('rule: counting unknown', '22023', $$INSERT INTO lead_scoring.rule (score, group_name, name, source, points, counting) VALUES ('s', 'all', 'x', 'activity', 1, 'twice')$$),
  ('rule: a property cannot pay for each', '22023', $$INSERT INTO lead_scoring.rule (score, group_name, name, points, counting) VALUES ('f', 'all', 'x', 1, 'each')$$),
  ('rule: bounds with counting each', '22023', $$INSERT INTO lead_scoring.rule (score, group_name, name, source, points, at_least) VALUES ('s', 'all', 'x', 'activity', 1, 5)$$),
  ('rule: bounds of a property rule', '22023', $$INSERT INTO lead_scoring.rule (score, group_name, name, points, at_least) VALUES ('f', 'all', 'x', 1, 5)$$),
  ('rule: at_least above at_most', '22023', $$INSERT INTO lead_scoring.rule (score, group_name, name, source, points, counting, at_least, at_most) VALUES ('s', 'all', 'x', 'activity', 1, 'once', 5, 4)$$),
  ('rule: at_least NaN', '22023', $$INSERT INTO lead_scoring.rule (score, group_name, name, source, points, counting, at_least) VALUES ('s', 'all', 'x', 'activity', 1, 'once', 'NaN')$$),
  ('rule: at_most NaN', '22023', $$INSERT INTO lead_scoring.rule (score, group_name, name, source, points, counting, at_most) VALUES ('s', 'all', 'x', 'activity', 1, 'once', 'NaN')$$),
  ('rule: window of a property rule', '22023', $$INSERT INTO lead_scoring.rule (score, group_name, name, points, within) VALUES ('f', 'all', 'x', 1, '1 day')$$),
  ('rule: window of 0', '22023', $$INSERT INTO lead_scoring.rule (score, group_name, name, source, points, within) VALUES ('s', 'all', 'x', 'activity', 1, '0')$$),
  ('rule: negative window', '22023', $$INSERT INTO lead_scoring.rule (score, group_name, name, source, points, within) VALUES ('s', 'all', 'x', 'activity', 1, '-1 day')$$),
  ('rule: negative window of mixed signs', '22023', $$INSERT INTO lead_scoring.rule (score, group_name, name, source, points, within) VALUES ('s', 'all', 'x', 'activity', 1, '1 month -31 days')$$),
  ('rule: window longer than time', '22015', $$INSERT INTO lead_scoring.rule (score, group_name, name, source, points, within) VALUES ('s', 'all', 'x', 'activity', 1, '178000000 years')$$),
  ('rule: since after until', '22023', $$INSERT INTO lead_scoring.rule (score, group_name, name, source, points, since, until) VALUES ('s', 'all', 'x', 'activity', 1, '2026-02-01', '2026-01-01')$$),
  ('rule: since = until', '22023', $$INSERT INTO lead_scoring.rule (score, group_name, name, source, points, since, until) VALUES ('s', 'all', 'x', 'activity', 1, '2026-01-01', '2026-01-01')$$),
  ('rule: name taken', '23505', $$INSERT INTO lead_scoring.rule (score, group_name, name, source, points) VALUES ('s', 'all', 'r', 'activity', 1)$$),
  ('rule: name NULL', '42602', $$INSERT INTO lead_scoring.rule (score, group_name, name, source, points) VALUES ('s', 'all', NULL, 'activity', 1)$$),
  ('band: unknown score', '42704', $$INSERT INTO lead_scoring.band (score, label, lower_bound) VALUES ('nope', 'A', 1)$$),
  ('band: a bound twice', '23505', $$INSERT INTO lead_scoring.band (score, label, lower_bound) VALUES ('s', 'B', 10)$$),
  ('band: a bound twice in one statement', '23505', $$INSERT INTO lead_scoring.band (score, label, lower_bound) VALUES ('s', 'B', 20), ('s', 'C', 20)$$),
  ('band: two for the rest', '23505', $$INSERT INTO lead_scoring.band (score, label, lower_bound) VALUES ('s', 'B', NULL)$$),
  ('band: a label twice', '23505', $$INSERT INTO lead_scoring.band (score, label, lower_bound) VALUES ('s', 'A', 30)$$),
  ('band: a bound twice by an update', '23505', $$UPDATE lead_scoring.band SET lower_bound = 10 WHERE score = 's' AND label = 'Z'$$),
  ('band: unknown part', '22023', $$INSERT INTO lead_scoring.band (score, part, label, lower_bound) VALUES ('s', 'x', 'A', 1)$$),
  ('band: part that the score has not', '22023', $$INSERT INTO lead_scoring.band (score, part, label, lower_bound) VALUES ('s', 'fit', 'A', 1)$$),
  ('band: bound NaN', '22023', $$INSERT INTO lead_scoring.band (score, label, lower_bound) VALUES ('s', 'B', 'NaN')$$),
  ('band: bound infinite', '22023', $$INSERT INTO lead_scoring.band (score, label, lower_bound) VALUES ('s', 'B', '-infinity')$$),
  ('band: label NULL', '42602', $$INSERT INTO lead_scoring.band (score, label, lower_bound) VALUES ('s', NULL, 1)$$),
  ('scope: unknown score', '42704', $$INSERT INTO lead_scoring.scope (score, mode) VALUES ('nope', 'include')$$),
  ('scope: unknown mode', '22023', $$INSERT INTO lead_scoring.scope (score, mode) VALUES ('s', 'only')$$),
  ('scope: mode NULL', '22023', $$INSERT INTO lead_scoring.scope (score, mode) VALUES ('s', NULL)$$),
  ('scope: unknown source', '42704', $$INSERT INTO lead_scoring.scope (score, mode, source) VALUES ('s', 'include', 'nope')$$),
  ('scope: bad criterion', '42703', $$INSERT INTO lead_scoring.scope (score, mode, criterion) VALUES ('s', 'include', 'nope')$$),
  ('adjustment: unknown score', '42704', $$INSERT INTO lead_scoring.adjustment (score, record_key, points) VALUES ('nope', '1', 1)$$),
  ('adjustment: points NULL', '22004', $$INSERT INTO lead_scoring.adjustment (score, record_key, points) VALUES ('s', '1', NULL)$$),
  ('adjustment: points NaN', '22003', $$INSERT INTO lead_scoring.adjustment (score, record_key, points) VALUES ('s', '1', 'NaN')$$),
  ('adjustment: points infinite', '22003', $$INSERT INTO lead_scoring.adjustment (score, record_key, points) VALUES ('s', '1', 'infinity')$$),
  ('adjustment: key NULL', '22004', $$INSERT INTO lead_scoring.adjustment (score, record_key, points) VALUES ('s', NULL, 1)$$),
  ('adjustment: key that is no integer', '22P02', $$INSERT INTO lead_scoring.adjustment (score, record_key, points) VALUES ('s', 'x', 1)$$),
  ('adjustment: expires before it begins', '22023', $$INSERT INTO lead_scoring.adjustment (score, record_key, points, created_at, expires_at) VALUES ('s', '1', 1, '2026-01-02', '2026-01-01')$$);

-- Expressions, tried in a rule about the record, a rule about events, a scope and a filter
CREATE TABLE bad_expression (i int GENERATED ALWAYS AS IDENTITY, what text, code text, expression text);
INSERT INTO bad_expression (what, code, expression) VALUES
  ('empty', '42601', ''), ('blank', '42601', '   '), ('a comment only', '42601', '-- nothing'), ('not finished', '42601', 'id ='), ('two words', '42601', 'id 1'), ('unknown word', '42601', 'id === 1 1'), ('open text', '42601', $$'abc$$), ('open parenthesis', '42601', '(true'),
  ('two statements', '42601', 'true; DROP TABLE victim'), ('a statement', '42601', 'DROP TABLE victim'), ('SELECT', '42601', 'SELECT true'), ('escape from the parentheses', '42601', 'true) OR (true'), ('escape with a comment', '42601', 'true) --'), ('end of statement', '42601', 'true;'),
  ('a list', '42601', 'true, true'), ('alias', '42601', 'true AS x'), ('FROM', '42601', 'true FROM victim'), ('WHERE', '42601', 'true WHERE true'), ('ORDER BY', '42601', 'true ORDER BY 1'), ('LIMIT', '42601', 'true LIMIT 1'), ('UNION', '42601', 'true UNION SELECT true'), ('INTO', '42601', 'true INTO x'), ('FOR UPDATE', '42601', 'true FOR UPDATE'), ('GROUP BY', '42601', 'true GROUP BY 1'), ('HAVING', '42601', 'true HAVING true'), ('star', '42601', '*'),
  ('not boolean: integer', '42804', 'id'), ('not boolean: number', '42804', '1'), ('not boolean: row', '42804', '(1, 2)'), ('not boolean: as_of', '42804', 'as_of'), ('text that is no boolean', '22P02', $$'abc'$$),
  ('unknown column', '42703', 'nope = 1'), ('unknown table', '42P01', 'victim.id = 1'), ('unknown function', '42883', 'nope(id)'), ('unknown operator', '42883', 'id = as_of'), ('bad number', '22P02', $$id = 'abc'$$), ('unknown type', '42704', 'id::nope = 1'), ('unknown collation', '42704', $$id::text = 'x' COLLATE nope$$),
  ('subquery', '0A000', '(SELECT true)'), ('EXISTS', '0A000', 'EXISTS (SELECT FROM victim)'), ('IN subquery', '0A000', 'id IN (SELECT id FROM victim)'), ('ANY subquery', '0A000', 'id = ANY (SELECT id FROM victim)'), ('ARRAY subquery', '0A000', 'ARRAY(SELECT true) = ARRAY[true]'), ('hidden subquery', '0A000', 'CASE WHEN id > coalesce((SELECT 1), 2) THEN true END'), ('data-modifying subquery', '0A000', '(WITH d AS (DELETE FROM victim RETURNING id) SELECT count(*) FROM d) > 0'),
  ('aggregate', '42803', 'count(*) > 1'), ('aggregate with filter', '42803', 'bool_or(true) FILTER (WHERE true)'), ('GROUPING', '42803', 'grouping(id) = 0'), ('window function', '42P20', 'row_number() OVER () = 1'), ('window aggregate', '42P20', 'sum(id) OVER () > 1'),
  ('temporary function', '42P17', 'pg_temp.large(id)'), ('temporary domain', '42P17', 'id::pg_temp.small > 3'), ('temporary enum', '42P17', $$'b'::pg_temp.mood = 'b'$$), ('temporary array', '42P17', $$'a' = ANY (ARRAY['a']::pg_temp.mood[]::text[])$$), ('temporary type of a NULL', '42P17', 'NULL::pg_temp.mood IS NULL'), ('volatile function', '42P17', 'random() > 0.5'), ('volatile clock', '42P17', 'clock_timestamp() > as_of'), ('volatile function of mine', '42P17', 'public.changing(id)'), ('sequence', '42P17', $$nextval('activities_id_seq') > 0$$), ('volatile, hidden', '42P17', 'CASE WHEN id > 0 THEN random() < 2 END'),
  ('set-returning function', '0A000', 'public.sets(id)'), ('generate_series', '0A000', 'generate_series(1, 2) = 1'), ('unnest', '0A000', 'unnest(ARRAY[true, false])'), ('parameter', '42P02', '$2 = 1'), ('parameter 0', '42P02', '$0 = 1'), ('CURRENT OF', '0A000', 'CURRENT OF c'), ('DEFAULT', '42601', 'DEFAULT'), ('ambiguous type', '42725', 'id > ''1'' || ''2'' < 3 || 4'),
  ('a null character', '42601', E'id = 1 \x01');
DELETE FROM bad_expression WHERE what IN ('ambiguous type', 'CURRENT OF', 'parameter 0', 'a null character');
INSERT INTO bad (what, code, statement)
SELECT format('expression of a %s: %s', p.place, e.what), e.code, format(p.statement, e.expression)
  FROM bad_expression AS e, (VALUES
    (1, 'property rule', $$INSERT INTO lead_scoring.rule (score, group_name, name, criterion, points) VALUES ('f', 'all', 'x', %L, 1)$$),
    (2, 'event rule', $$INSERT INTO lead_scoring.rule (score, group_name, name, source, criterion, points) VALUES ('s', 'all', 'x', 'activity', %L, 1)$$),
    (3, 'scope', $$INSERT INTO lead_scoring.scope (score, mode, criterion) VALUES ('s', 'include', %L)$$),
    (4, 'source', $$INSERT INTO lead_scoring.source (name, record_type, relation, record_key, filter) VALUES ('x', 'contact', 'activities', 'contact_id', %L)$$)) AS p (i, place, statement)
 WHERE p.i = 1 OR e.i % 4 = p.i % 4 OR e.what IN ('two statements', 'subquery', 'aggregate', 'window function', 'volatile function', 'not boolean: integer')
 ORDER BY e.i, p.i;
INSERT INTO bad (what, code, statement) VALUES
  ('expression changed to a bad one', '42703', $$UPDATE lead_scoring.rule SET criterion = 'nope' WHERE score = 's'$$),
  ('filter changed to a bad one', '42601', $$UPDATE lead_scoring.source SET filter = 'true; true' WHERE name = 'activity'$$);

CREATE FUNCTION pg_temp.everything() RETURNS text LANGUAGE sql AS $$
  SELECT md5(string_agg(r, E'\n' ORDER BY r)) FROM (
    SELECT 'record_type ' || t::text FROM lead_scoring.record_type AS t UNION ALL SELECT 'source ' || t::text FROM lead_scoring.source AS t UNION ALL SELECT 'score ' || t::text FROM lead_scoring.score AS t
    UNION ALL SELECT 'scope ' || t::text FROM lead_scoring.scope AS t UNION ALL SELECT 'group ' || t::text FROM lead_scoring.score_group AS t UNION ALL SELECT 'rule ' || t::text FROM lead_scoring.rule AS t
    UNION ALL SELECT 'band ' || t::text FROM lead_scoring.band AS t UNION ALL SELECT 'adjustment ' || t::text FROM lead_scoring.adjustment AS t) AS q (r)
$$;
CREATE TABLE before AS SELECT pg_temp.everything() AS everything, pg_temp.total('s', 1, now()) AS total;

SELECT plan((SELECT count(*)::int FROM bad) + 8);
SELECT throws_ok(statement, code, NULL, what) FROM bad ORDER BY i;
SELECT is(pg_temp.everything(), (SELECT everything FROM before), 'no definition was changed by any of them');
SELECT is(pg_temp.total('s', 1, now()), (SELECT total FROM before), 'the session scores as before');
SELECT has_table('victim');

-- The message says what is wrong and where
CREATE FUNCTION pg_temp.complaint(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  m text;
  h text;
BEGIN
  EXECUTE statement;
  RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS m = MESSAGE_TEXT, h = PG_EXCEPTION_HINT;
  RETURN m || ' | ' || h;
END
$$;
SELECT is((SELECT string_agg(what || ': ' || pg_temp.complaint(statement), '; ') FROM bad WHERE code NOT IN ('23505', '42P01', '22P02', '23502') AND pg_temp.complaint(statement) LIKE '% | '), NULL, 'each has a hint');
SELECT is((SELECT string_agg(what || ': ' || pg_temp.complaint(statement), '; ') FROM bad WHERE pg_temp.complaint(statement) ~ '^[A-Z][a-z]|\. \|' AND code <> '42P01'), NULL, 'messages begin in lower case and end without a full stop');
SELECT is((SELECT string_agg(what, '; ') FROM bad WHERE what LIKE 'expression of a property rule%' AND position('"x"' IN pg_temp.complaint(statement)) = 0), NULL, 'messages about an expression name the rule');
SELECT is(pg_temp.complaint(format($$INSERT INTO lead_scoring.rule (score, group_name, name, source, criterion, points) VALUES ('s', 'all', 'n', 'activity', %L, 1)$$, criterion)),
          'criterion of rule "n" of score "s": function ' || complaint, 'an unknown function, ' || what)
  FROM (VALUES ('ours', $$keyword_hits(type, '{a}') > 0$$, 'keyword_hits(text, unknown) does not exist | Write it with its schema: lead_scoring.keyword_hits().'),
               ('not ours', $$nothing(type) AND lead_scoring.keyword_hits(type, '{a}') > 0$$, 'nothing(text) does not exist | No function matches the given name and argument types. You might need to add explicit type casts.')) AS v (what, criterion, complaint);

SELECT * FROM finish();
ROLLBACK;
