-- As 59_search_path.sql, for features of a model: what makes texts of values that are told from each other
BEGIN;
\ir include/outcomes.psql
SELECT plan(2);

CREATE TYPE mood AS ENUM ('pricing', 'blog', 'docs');
ALTER TABLE visits ADD mood mood;
UPDATE visits SET mood = page::mood;
CREATE FUNCTION public.mood_text(it mood) RETURNS text IMMUTABLE LANGUAGE plpgsql AS $$
BEGIN
  RETURN verdict();
EXCEPTION WHEN undefined_function THEN
  RETURN enum_out(it)::text;
END $$;
CREATE CAST (mood AS text) WITH FUNCTION public.mood_text(mood);
INSERT INTO lead_scoring.feature (model, name, source, statistic, expression) VALUES ('m', 'moods', 'visit', 'distinct', 'mood');
SELECT lead_scoring.train('m', '2026-10-01 00:00+00');
SELECT lead_scoring.publish('m', 1);
INSERT INTO lead_scoring.score (name, record_type, kind, model, history) VALUES ('likely', 'lead', 'likelihood', 'm', 'none');
SELECT lead_scoring.activate('likely');

CREATE SCHEMA trap;
CREATE FUNCTION trap.verdict() RETURNS text IMMUTABLE LANGUAGE plpgsql AS $$BEGIN RAISE 'caught as %', current_user USING ERRCODE = 'P0666'; END$$;
SET LOCAL search_path = trap, public;
SELECT lives_ok($$INSERT INTO visits (lead_id, at, page, mood) VALUES (3, clock_timestamp(), 'blog', 'blog')$$, 'a first event');
SELECT lives_ok($$INSERT INTO visits (lead_id, at, page, mood) VALUES (3, clock_timestamp(), 'docs', 'docs')$$, 'another one, of which nothing is planned any more');

SELECT * FROM finish();
ROLLBACK;
