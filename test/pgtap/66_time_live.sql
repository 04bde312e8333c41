-- Time without events, with rules of every kind: after refresh_due() of any instant every stored value is that of an
-- evaluation from scratch
BEGIN;
\ir include/crm.psql
SELECT plan(24);

INSERT INTO contacts (id, industry, employees) SELECT i, CASE i % 2 WHEN 0 THEN 'Retail' END, i FROM generate_series(1, 40) i;
INSERT INTO activities (contact_id, type, amount, occurred_at)
  SELECT 1 + i * 7 % 40, (ARRAY['open', 'click', 'visit'])[1 + i % 3], i % 5, pg_temp.day() + (i * 37 % 200 - 100) * interval '17 hours'
    FROM generate_series(1, 300) i;
INSERT INTO lead_scoring.score (name, record_type) VALUES ('windows', 'contact'), ('fading', 'contact'), ('still', 'contact'), ('now', 'contact');
INSERT INTO lead_scoring.score_group (score, name, kind, decay, decay_after) VALUES
  ('windows', 'f', 'fit', NULL, NULL), ('windows', 'e', 'engagement', NULL, NULL), ('windows', 's', 'engagement', '50% per 3 days stepwise', NULL),
  ('fading', 'e', 'engagement', '50% per 5 days', NULL), ('fading', 'x', 'engagement', 'half-life 2 days', NULL), ('fading', 'q', 'engagement', '20% per 1 day', '2 days'),
  ('still', 'f', 'fit', NULL, NULL), ('now', 'f', 'fit', NULL, NULL);
INSERT INTO lead_scoring.rule (score, group_name, name, source, criterion, points, counting, within, at_least, at_most, max_times, valid_from, valid_to) VALUES
  ('windows', 'e', 'open',    'activity', $$type = 'open'$$,  1, 'each',  '9 days',  NULL, NULL, NULL, NULL, NULL),
  ('windows', 'e', 'clicks',  'activity', $$type = 'click'$$, 5, 'once',  '20 days', 2,    3,    NULL, NULL, NULL),
  ('windows', 'e', 'quiet',   'activity', 'true',            -3, 'quiet', '4 days',  NULL, NULL, 3,    NULL, NULL),
  ('windows', 'e', 'silent',  'activity', $$type = 'visit'$$, 7, 'once',  '6 days',  NULL, 0,    NULL, NULL, NULL),
  ('windows', 's', 'step',    'activity', $$type = 'visit'$$, 8, 'each',  NULL,      NULL, NULL, NULL, NULL, NULL),
  ('windows', 'f', 'season',  NULL,       $$industry = 'Retail'$$, 10, NULL, NULL,   NULL, NULL, NULL, pg_temp.day() + interval '2 days', pg_temp.day() + interval '5 days'),
  ('fading',  'e', 'all',     'activity', 'true',            10, 'each',  NULL,      NULL, NULL, NULL, NULL, NULL),
  ('fading',  'x', 'visit',   'activity', $$type = 'visit'$$, 6, 'each',  NULL,      NULL, NULL, NULL, NULL, NULL),
  ('fading',  'q', 'any',     'activity', 'true',             9, 'once',  NULL,      1,    NULL, NULL, NULL, NULL),
  ('still',   'f', 'retail',  NULL,       $$industry = 'Retail'$$, 10, NULL, NULL,   NULL, NULL, NULL, NULL, NULL),
  ('now',     'f', 'later',   NULL,       $$as_of > timestamptz '2026-01-31 00:00+00' + employees * interval '3 hours'$$, 2, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO lead_scoring.adjustment (score, record_key, points, created_at, expires_at) VALUES
  ('windows', '3', 50, pg_temp.day() - interval '1 day', pg_temp.day() + interval '3 days'), ('still', '4', 5, pg_temp.day() + interval '1 day', NULL);
SELECT lead_scoring.activate(name) FROM lead_scoring.score ORDER BY name;
SELECT lead_scoring.refresh(name, pg_temp.day()) FROM lead_scoring.score ORDER BY name;
SET lead_scoring.refresh_interval = 0;

CREATE FUNCTION pg_temp.wrong(at timestamptz) RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(s.name || ' ' || v.record_key || ': ' || v.stored_total || ' for ' || v.total, ', ') FROM lead_scoring.score s, lead_scoring.verify(s.name, $1) v WHERE s.status = 'active'
$$;
-- Brings the scores to one instant after the other; what is wrong at any of them
CREATE FUNCTION pg_temp.follow(step interval, times int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  wrong text;
BEGIN
  FOR i IN 1 .. times LOOP
    CALL lead_scoring.refresh_due(pg_temp.day() + i * step);
    wrong := pg_temp.wrong(pg_temp.day() + i * step);
    IF wrong IS NOT NULL THEN
      RETURN i || ' x ' || step || ': ' || wrong;
    END IF;
  END LOOP;
  RETURN NULL;
END $$;

SELECT is((SELECT count(*) FROM lead_scoring.due WHERE score = 'fading' AND due_at = '-infinity') > 0, true, 'what fades changes continuously');
SELECT is((SELECT count(*) FROM lead_scoring.due WHERE score = 'windows' AND due_at = '-infinity'), 0::bigint, '... windows do not');
SELECT results_eq($$SELECT record_key, due_at FROM lead_scoring.due WHERE score = 'still'$$, $$VALUES ('4' COLLATE "C", pg_temp.day() + interval '1 day')$$, 'points by hand have a beginning');
SELECT is(pg_temp.follow('1 hour', 30), NULL, 'hour by hour');
SELECT lead_scoring.refresh(name, pg_temp.day()) FROM lead_scoring.score ORDER BY name;
SELECT is(pg_temp.follow('17 hours', 30), NULL, 'in steps on the instants of events');
SELECT lead_scoring.refresh(name, pg_temp.day()) FROM lead_scoring.score ORDER BY name;
SELECT is(pg_temp.follow('5 days 1 microsecond', 20), NULL, 'in great steps');
CALL lead_scoring.refresh_due(pg_temp.day() + interval '10 years');
SELECT is(pg_temp.wrong(pg_temp.day() + interval '10 years'), NULL, 'in ten years');
SELECT is((SELECT count(*) FROM lead_scoring.due WHERE score IN ('windows', 'still')), 0::bigint, '... nothing is due any more');

-- Not more than is due
SELECT lead_scoring.refresh('windows', pg_temp.day());
CREATE TABLE places AS SELECT id, ctid AS place FROM contacts;
SELECT is((SELECT count(*) FROM lead_scoring.due WHERE score = 'windows' AND due_at <= pg_temp.day()), 0::bigint, 'after a refresh nothing is due');
SELECT lead_scoring.deactivate('fading'), lead_scoring.deactivate('now');
CALL lead_scoring.refresh_due(pg_temp.day());
SELECT min(due_at) AS next FROM lead_scoring.due WHERE score = 'windows' \gset
CALL lead_scoring.refresh_due(:'next');
SELECT cmp_ok((SELECT count(*) FROM contacts JOIN places USING (id) WHERE contacts.ctid = place), '>=', 30::bigint, 'only what is due is written');

-- Events and time together
CREATE FUNCTION pg_temp.stir(i int) RETURNS void LANGUAGE sql AS $$
  INSERT INTO activities (contact_id, type, amount, occurred_at) VALUES (1 + $1 * 11 % 40, (ARRAY['open', 'click', 'visit'])[1 + $1 % 3], 1, now() - ($1 * 13 % 40) * interval '1 day');
  UPDATE activities SET occurred_at = now() - interval '8 days' WHERE id = $1;
  DELETE FROM activities WHERE id = 300 - $1
$$;
CALL lead_scoring.refresh_due();
SELECT lead_scoring.activate('fading');
SELECT pg_temp.stir(i) FROM generate_series(1, 60) i;
CALL lead_scoring.refresh_due(clock_timestamp());
SELECT is((SELECT count(*) FROM lead_scoring.due d WHERE d.score = 'windows' AND d.due_at <= now()), 0::bigint, 'events and time: all that is due is done');
CALL lead_scoring.refresh_due(now() + interval '6 days');
SELECT is(pg_temp.wrong(now() + interval '6 days'), NULL, '... and what will be is known');
-- Not now(), which is the present of the moment when a record is looked at
CALL lead_scoring.refresh_due(now() - interval '1 second');
SELECT is(pg_temp.wrong(now() - interval '1 second'), NULL, '... from where there is a way back');
DELETE FROM contacts WHERE id = 7;
CALL lead_scoring.refresh_due(now() + interval '20 years');
SELECT is((SELECT count(*) FROM lead_scoring.due WHERE record_key = '7'), 0::bigint, 'a record that is deleted is due no more');

-- A score that another one reads, within the same rows, gets to any instant all the same
INSERT INTO lead_scoring.score (name, record_type, kind) VALUES ('reader', 'contact', 'fit');
INSERT INTO lead_scoring.score_group (score, name, kind) VALUES ('reader', 'f', 'fit');
INSERT INTO lead_scoring.rule (score, group_name, name, value, counting, points) VALUES ('reader', 'f', 'half', 'fading', 'each', 0.5);
SELECT lead_scoring.activate('reader');
SELECT is(pg_temp.follow('3 days', 8), NULL, 'a score that another one reads');
SELECT lead_scoring.refresh('fading', pg_temp.day());
SELECT is_empty($$SELECT * FROM lead_scoring.verify('fading', pg_temp.day())$$, '... goes back');
SELECT lead_scoring.refresh('fading', pg_temp.day() + interval '1 day', ARRAY(SELECT id::text FROM contacts));
SELECT is_empty($$SELECT * FROM lead_scoring.verify('fading', pg_temp.day() + interval '1 day')$$, '... or on, by keys');
SELECT is_empty($$SELECT * FROM lead_scoring.verify('reader', pg_temp.day() + interval '1 day')$$, '... and is followed');

-- Some that were brought to the future are brought back with what is due, whether they would change by themselves there or not
CALL lead_scoring.refresh_due();
CREATE TABLE present AS SELECT id, fading, windows, (SELECT count(*) FROM lead_scoring.due d WHERE d.record_key = id::text AND d.due_at = '-infinity') AS fades FROM contacts;
SELECT lead_scoring.refresh(score, now() + interval '20 years', ARRAY(SELECT id::text FROM contacts WHERE id > 5)) FROM unnest('{fading,windows}'::text[]) score;
SELECT cmp_ok((SELECT count(*) FROM contacts c JOIN present p USING (id) WHERE c.fading = 0 AND p.fading <> 0), '>', 10::bigint, 'some in the future');
CALL lead_scoring.refresh_due();
SELECT is_empty('SELECT * FROM contacts c JOIN present p USING (id) WHERE abs(c.fading - p.fading) > 0.01 OR c.windows <> p.windows', '... are back');
SELECT is((SELECT count(*) FROM lead_scoring.due WHERE due_at = '-infinity'), (SELECT sum(fades)::bigint FROM present), '... and fade from here');

-- now() of a transaction that has gone on for a while stands for the present: facts since then are not left out
SELECT lead_scoring.refresh('windows', now());
INSERT INTO activities (contact_id, type, occurred_at) SELECT 9, 'open', clock_timestamp() FROM generate_series(1, 3);
SELECT is(lead_scoring.refresh('windows', now(), '{9}'), 0::bigint, 'a refresh of a record does not fall behind');
SELECT is(lead_scoring.refresh('windows', now()), 0::bigint, '... nor one of all');
SELECT lead_scoring.deactivate('windows');
SELECT lead_scoring.activate('windows');
SELECT is_empty($$SELECT * FROM lead_scoring.verify('windows', clock_timestamp())$$, '... nor does it when it is switched on');

SELECT * FROM finish();
ROLLBACK;
