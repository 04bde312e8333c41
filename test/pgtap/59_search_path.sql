-- What is called while a record is evaluated and written finds its names in pg_catalog alone, whoever writes the event and whatever
-- the writer's search path leads to; also where neither takes a query
BEGIN;
\ir include/crm.psql
SELECT plan(16);

CREATE INDEX ON activities (contact_id, occurred_at);
INSERT INTO contacts (id, industry) SELECT i, 'Retail' FROM generate_series(1, 3) AS i;

-- Whether nobody else has a verdict on something
CREATE FUNCTION public.judge(it anyelement) RETURNS bool IMMUTABLE LANGUAGE plpgsql AS $$
BEGIN
  RETURN verdict();
EXCEPTION WHEN undefined_function THEN
  RETURN true;
END $$;
CREATE DOMAIN public.trade AS text CHECK (public.judge(VALUE));
CREATE SCHEMA trap;
CREATE FUNCTION trap.verdict() RETURNS bool IMMUTABLE LANGUAGE plpgsql AS $$BEGIN RAISE 'caught as %', current_user USING ERRCODE = 'P0666'; END$$;

-- Defines a score, with a rule about the record and one about events
CREATE FUNCTION pg_temp.define(score text, of_record text, of_event text, value text DEFAULT NULL) RETURNS bigint LANGUAGE sql AS $$
  INSERT INTO lead_scoring.score (name, record_type, kind, history) VALUES (score, 'contact', 'combined', 'none');
  INSERT INTO lead_scoring.score_group (score, name, kind, decay) VALUES (score, 'f', 'fit', NULL), (score, 'e', 'engagement', '100% per 100 days');
  INSERT INTO lead_scoring.rule (score, group_name, name, source, criterion, value, counting, points) VALUES
    (score, 'f', 'fit', NULL, of_record, NULL, NULL, 10), (score, 'e', 'event', 'activity', of_event, value, 'each', 1);
  SELECT lead_scoring.activate(score);
$$;
-- An event of each contact by somebody who looks into the trap first; one statement for each, and one for all
CREATE FUNCTION pg_temp.come() RETURNS text LANGUAGE plpgsql SET search_path = trap, public AS $$
BEGIN
  FOR i IN 1 .. 3 LOOP
    INSERT INTO activities (contact_id, type, occurred_at) VALUES (i, 'x', clock_timestamp());
  END LOOP;
  INSERT INTO activities (contact_id, type, occurred_at) SELECT i, 'x', clock_timestamp() FROM generate_series(1, 3) AS i;
  RETURN current_setting('search_path') || ' ' || current_setting('row_security');
END $$;
CREATE FUNCTION pg_temp.wrong(score text) RETURNS bigint LANGUAGE sql AS $$
  SELECT count(*) FROM lead_scoring.verify(score, clock_timestamp()) AS v WHERE abs(v.stored_total - v.total) > 0.001
$$;

SELECT pg_temp.define('plain', $$industry = 'Retail'$$, $$type = 'x'$$);
SELECT throws_ok($$SET LOCAL search_path = trap, public; SELECT judge(1)$$, 'P0666', NULL, 'the trap is one');
SET LOCAL search_path = public;
SELECT is(pg_temp.come(), 'trap, public on', 'a score of plain columns: the settings are what they were');
SELECT is((SELECT count(*) FROM contacts WHERE plain > 11.9), 3::bigint, '... and it is right');

SELECT pg_temp.define('of_record', $$public.judge(industry)$$, $$type = 'x'$$);
SELECT lives_ok('SELECT pg_temp.come()', 'a function about the record');
SELECT is(pg_temp.wrong('of_record'), 0::bigint, '... whose score is right');
SELECT lead_scoring.deactivate('of_record');
SELECT pg_temp.define('of_event', $$industry = 'Retail'$$, $$public.judge(type)$$);
SELECT lives_ok('SELECT pg_temp.come()', 'a function about the event');
SELECT is(pg_temp.wrong('of_event'), 0::bigint, '... whose score is right');
SELECT lead_scoring.deactivate('of_event');
SELECT pg_temp.define('of_value', $$industry = 'Retail'$$, $$type = 'x'$$, $$public.judge(amount)::int$$);
SELECT lives_ok('SELECT pg_temp.come()', 'a function that yields the value of an event');
SELECT lead_scoring.deactivate('of_value');
SELECT pg_temp.define('of_domain', $$industry::public.trade = 'Retail'$$, $$type::public.trade = 'x'$$);
SELECT lives_ok('SELECT pg_temp.come()', 'a function that checks a domain');
SELECT lead_scoring.deactivate('of_domain');

-- Operators of a type's own, which functions of PostgreSQL look up and call
CREATE TYPE grade AS (step int);
CREATE FUNCTION public.grade_compare(grade, grade) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$BEGIN RETURN public.judge($1.step)::int - 1 + $1.step - $2.step; END$$;
CREATE FUNCTION public.grade_less(grade, grade) RETURNS bool IMMUTABLE LANGUAGE sql AS 'SELECT public.grade_compare($1, $2) < 0';
CREATE FUNCTION public.grade_equal(grade, grade) RETURNS bool IMMUTABLE LANGUAGE sql AS 'SELECT public.grade_compare($1, $2) = 0';
CREATE OPERATOR <<< (leftarg = grade, rightarg = grade, function = grade_less);
CREATE OPERATOR === (leftarg = grade, rightarg = grade, function = grade_equal);
CREATE OPERATOR CLASS grade_order DEFAULT FOR TYPE grade USING btree AS OPERATOR 1 <<<, OPERATOR 3 ===, FUNCTION 1 grade_compare(grade, grade);
ALTER TABLE activities ADD one grade DEFAULT ROW(1), ADD two grade DEFAULT ROW(2);
SELECT pg_temp.define('of_greatest', $$industry = 'Retail'$$, 'GREATEST(one, two) IS NOT NULL');
SELECT pg_temp.come();
SELECT lives_ok('SELECT pg_temp.come()', 'a function behind GREATEST');
SELECT lead_scoring.deactivate('of_greatest');
SELECT pg_temp.define('of_arrays', $$industry = 'Retail'$$, 'ARRAY[one] < ARRAY[two]');
SELECT pg_temp.come();
SELECT lives_ok('SELECT pg_temp.come()', 'a function behind the comparison of arrays');
SELECT is(pg_temp.wrong('of_arrays'), 0::bigint, '... whose score is right');
SELECT lead_scoring.deactivate('of_arrays');

CREATE INDEX by_judgement ON contacts (public.judge(plain));
SELECT lives_ok('SELECT pg_temp.come()', 'a function in an index of the scores');
DROP INDEX by_judgement;
CREATE INDEX judged ON contacts (plain) WHERE public.judge(plain);
SELECT lives_ok('SELECT pg_temp.come()', 'a function in the condition of an index');
DROP INDEX judged;
SELECT lives_ok('SELECT pg_temp.come()', 'plain again');
SELECT is(pg_temp.wrong('plain'), 0::bigint, '... and right');

SELECT * FROM finish();
ROLLBACK;
