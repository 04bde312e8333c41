-- Triggers of others beside those that keep scores current, and ours where they do not belong
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT plan(40);
CREATE ROLE ls_test_owner;
CREATE ROLE ls_test_writer;
GRANT USAGE, CREATE ON SCHEMA public TO ls_test_owner;
GRANT CREATE ON DATABASE :DBNAME TO ls_test_writer;

SET ROLE ls_test_owner;
CREATE TABLE leads (id int PRIMARY KEY, size int, note text);
CREATE TABLE events (lead_id int, type text, at timestamptz NOT NULL DEFAULT now());
CREATE TABLE audit (lead_id int, total float8, author text);
INSERT INTO leads SELECT g, g FROM generate_series(1, 2000) g;
INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('lead', 'leads', 'id');
INSERT INTO lead_scoring.source (name, record_type, relation, record_key, occurred_at) VALUES ('event', 'lead', 'events', 'lead_id', 'at');
INSERT INTO lead_scoring.score (name, record_type, kind) VALUES ('s', 'lead', 'combined'), ('sized', 'lead', 'fit');
INSERT INTO lead_scoring.score_group (score, name, kind) VALUES ('s', 'e', 'engagement'), ('sized', 'f', 'fit');
INSERT INTO lead_scoring.rule (score, group_name, name, source, value, counting, points) VALUES ('s', 'e', 'event', 'event', NULL, 'each', 1), ('sized', 'f', 'size', NULL, 'size', 'each', 1);
SELECT lead_scoring.activate(name) FROM lead_scoring.score;
SELECT is((SELECT string_agg(mode, ' ') FROM pg_locks WHERE locktype = 'object' AND classid = 'pg_extension'::regclass AND pid = pg_backend_pid()), 'AccessShareLock', 'who switches a score on, and who keeps scores current, do not wait for each other at the extension');
-- An owner who does not think of search paths: run as him, it must not find what belongs to whoever writes events
CREATE FUNCTION audited(id int, total float8) RETURNS text LANGUAGE sql AS $$SELECT 'owner'::text$$;
CREATE FUNCTION public.note_total() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  who text;
BEGIN
  BEGIN
    EXECUTE 'SELECT audited($1, $2)' INTO who USING NEW.id, NEW.s;
  EXCEPTION WHEN undefined_function THEN
    who := 'nobody';
  END;
  INSERT INTO public.audit VALUES (NEW.id, NEW.s, who);
  RETURN NULL;
END $$;
CREATE TRIGGER note_total AFTER UPDATE ON leads FOR EACH ROW WHEN (OLD.s IS DISTINCT FROM NEW.s) EXECUTE FUNCTION public.note_total();
GRANT INSERT ON events TO ls_test_writer;
RESET ROLE;

-- Somebody who may write events and nothing else
SET ROLE ls_test_writer;
CREATE SCHEMA trap;
CREATE FUNCTION trap.audited(id int, total float8) RETURNS text LANGUAGE sql AS $$SELECT 'trap, as ' || current_user$$;
GRANT ALL ON SCHEMA trap TO PUBLIC;
SET search_path = trap, public;
SELECT lives_ok('INSERT INTO public.events (lead_id) VALUES (1)', 'an event by somebody who may not read the records');
SELECT lives_ok('INSERT INTO public.events (lead_id) VALUES (2), (9999)', 'one of nobody, too');
SELECT lives_ok('INSERT INTO public.events (lead_id) SELECT g FROM generate_series(1, 1500) g', 'many events');
SELECT lives_ok('INSERT INTO public.events (lead_id) SELECT g FROM generate_series(901, 2600) g', 'many, some of nobody');
SELECT is(current_schemas(false)::text, '{trap,public}', 'the search path is what it was');
SELECT is(current_user, 'ls_test_writer', 'and so is the user');
RESET ROLE;
SET search_path = public;
SELECT is((SELECT count(*) FROM audit WHERE author LIKE 'trap%'), 0::bigint, 'a trigger of the owner never finds what the writer''s path leads to');
SELECT is((SELECT count(*) FROM audit), 1 + 1 + 1500 + 1100::bigint, 'and was fired by each write of a score');
SELECT is_empty($$SELECT * FROM lead_scoring.verify('s', clock_timestamp())$$, 'the scores are right');

-- Triggers that write score columns, or facts, while scores are written
CREATE FUNCTION public.meddle() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE public.leads SET s_label = 'mine' WHERE id = NEW.id;
  RETURN NULL;
END $$;
CREATE TRIGGER zz_meddle AFTER UPDATE ON leads FOR EACH ROW WHEN (OLD.s IS DISTINCT FROM NEW.s) EXECUTE FUNCTION public.meddle();
SELECT throws_ok('INSERT INTO events (lead_id) VALUES (5)', '428C9', NULL, 'a trigger cannot use the moment to write score columns');
DROP TRIGGER zz_meddle ON leads;
CREATE FUNCTION public.follow_up() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO public.events (lead_id) VALUES (NEW.id + 1);
  UPDATE public.leads SET size = size + 1000 WHERE id = NEW.id + 2;
  RETURN NULL;
END $$;
CREATE TRIGGER follow_up AFTER UPDATE ON leads FOR EACH ROW WHEN (OLD.s IS DISTINCT FROM NEW.s AND NEW.id < 20) EXECUTE FUNCTION public.follow_up();
SELECT lives_ok('INSERT INTO events (lead_id) VALUES (10)', 'a trigger that writes facts when a score changes, and so on');
SELECT is(ARRAY(SELECT sized FROM leads WHERE id IN (12, 21, 22) ORDER BY id), '{1012,1021,22}'::float8[], '... of records as well');
SELECT is_empty($$SELECT score.name, v.record_key FROM lead_scoring.score, lead_scoring.verify(score.name, clock_timestamp()) v$$, 'leaves right scores behind');
DROP TRIGGER follow_up ON leads;

-- Our trigger functions where they do not belong
SELECT throws_ok(statement, '39P01', NULL, what) FROM (VALUES
  ('fill() after a statement', $$CREATE TRIGGER t AFTER UPDATE ON leads FOR EACH STATEMENT EXECUTE FUNCTION lead_scoring.fill(); UPDATE leads SET size = 5 WHERE id = 1$$),
  ('guard() after a statement', $$CREATE TRIGGER t AFTER UPDATE ON leads FOR EACH STATEMENT EXECUTE FUNCTION lead_scoring.guard(); UPDATE leads SET size = 5 WHERE id = 1$$),
  ('touch() before rows', $$CREATE TRIGGER t BEFORE UPDATE ON leads FOR EACH ROW EXECUTE FUNCTION lead_scoring.touch(); UPDATE leads SET size = 5 WHERE id = 1$$),
  ('flush() for rows', $$CREATE TRIGGER t AFTER UPDATE ON leads FOR EACH ROW EXECUTE FUNCTION lead_scoring.flush(); UPDATE leads SET size = 5 WHERE id = 1$$),
  ('hold() after a statement', $$CREATE TRIGGER t AFTER UPDATE ON leads FOR EACH STATEMENT EXECUTE FUNCTION lead_scoring.hold(); UPDATE leads SET size = 5 WHERE id = 1$$)) v (what, statement);

-- Score columns are inherited, and as read-only there
RESET ROLE;
CREATE TABLE places (id int PRIMARY KEY, size int);
CREATE TABLE shops (PRIMARY KEY (id)) INHERITS (places);
INSERT INTO shops VALUES (1, 1);
INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('place', 'places', 'id');
INSERT INTO lead_scoring.score (name, record_type, kind) VALUES ('worth', 'place', 'fit');
INSERT INTO lead_scoring.score_group (score, name, kind) VALUES ('worth', 'g', 'fit');
INSERT INTO lead_scoring.rule (score, group_name, name, criterion, points) VALUES ('worth', 'g', 'r', 'size > 0', 5);
SELECT lead_scoring.activate('worth');
SELECT throws_ok(statement, '428C9', NULL, statement) FROM (VALUES ('UPDATE places SET worth = 9'), ('UPDATE shops SET worth = 9')) v (statement);

-- Scores that read each other
CREATE TABLE pairs (id int PRIMARY KEY, partner int, share float8, step float8 DEFAULT 1);
INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('pair', 'pairs', 'id');
INSERT INTO lead_scoring.source (name, record_type, relation, record_key, record_column) VALUES ('partner', 'pair', 'pairs', 'id', 'partner');
INSERT INTO lead_scoring.score (name, record_type, kind) VALUES ('push', 'pair', 'fit'), ('pull', 'pair', 'fit');
INSERT INTO lead_scoring.score_group (score, name, kind) VALUES ('push', 'g', 'fit'), ('pull', 'g', 'fit');
INSERT INTO lead_scoring.rule (score, group_name, name, points, counting, value) VALUES ('push', 'g', 'r', 1, 'each', 'step'), ('pull', 'g', 'r', 1, 'each', 'step');
SELECT lead_scoring.activate('push'), lead_scoring.activate('pull');
UPDATE lead_scoring.rule SET source = 'partner', value = 'step + share * coalesce(pull, 0)' WHERE score = 'push';
UPDATE lead_scoring.rule SET source = 'partner', value = 'step + share * coalesce(push, 0)' WHERE score = 'pull';
INSERT INTO pairs VALUES (1, 2, 0.5), (2, 1, 0.5);
SELECT is((SELECT array_agg(round(push) ORDER BY id) FROM pairs), '{2,2}', 'scores that read each other, until they settle');
CREATE FUNCTION pg_temp.context_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  context text;
BEGIN
  EXECUTE statement;
EXCEPTION WHEN statement_too_complex THEN
  GET STACKED DIAGNOSTICS context = PG_EXCEPTION_CONTEXT;
  RETURN context;
END $$;
SELECT throws_like(format('UPDATE pairs SET share = %s', share), 'scores do not settle: "p%", "p%"', format('each adds to %s times the other', share)) FROM unnest('{1,1000}'::float8[]) AS share;
CREATE FUNCTION pg_temp.rounds(share float8) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  detail text;
BEGIN
  UPDATE pairs SET share = rounds.share;
  RETURN 'settled';
EXCEPTION WHEN statement_too_complex THEN
  GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
  RETURN regexp_replace(detail, '.*In the end: ', '');
END $$;
SELECT is(pg_temp.rounds(0.88), 'settled', 'a hundred rounds are allowed');
SELECT alike(pg_temp.rounds(1), 'score "p%" was written 100 times over.', 'and no more');
SELECT unalike(pg_temp.context_of('UPDATE pairs SET share = 1'), '%UPDATE public.pairs%', 'without every round in the context');

-- Triggers that somebody has switched off
CREATE TABLE homes (id int PRIMARY KEY, size int);
CREATE TABLE visits (home_id int, at timestamptz NOT NULL DEFAULT now()) PARTITION BY RANGE (at);
CREATE TABLE visits_all PARTITION OF visits DEFAULT;
INSERT INTO homes VALUES (1, 1);
INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('home', 'homes', 'id');
INSERT INTO lead_scoring.source (name, record_type, relation, record_key, occurred_at) VALUES ('visit', 'home', 'visits', 'home_id', 'at');
INSERT INTO lead_scoring.score (name, record_type, kind) VALUES ('warmth', 'home', 'engagement'), ('space', 'home', 'fit');
INSERT INTO lead_scoring.score_group (score, name, kind) VALUES ('warmth', 'g', 'engagement'), ('space', 'g', 'fit');
INSERT INTO lead_scoring.rule (score, group_name, name, source, points) VALUES ('warmth', 'g', 'r', 'visit', 1), ('space', 'g', 'r', NULL, 1);
SELECT lead_scoring.activate('warmth'), lead_scoring.activate('space');
CREATE FUNCTION pg_temp.states() RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(format('%s.%s %s', tgrelid::regclass, tgname, tgenabled), ', ' ORDER BY tgrelid::regclass::text, tgname)
    FROM pg_trigger WHERE tgrelid IN ('homes'::regclass, 'visits'::regclass, 'visits_all'::regclass)
$$;
CREATE TEMP TABLE made AS SELECT pg_temp.states() AS states;
SELECT matches(states, 'homes.lead_scoring_touch A.*homes.zz_lead_scoring_fill O.*visits_all.lead_scoring_touch A', 'triggers as they are made') FROM made;
ALTER TABLE homes DISABLE TRIGGER USER;
ALTER TABLE visits DISABLE TRIGGER USER;
ALTER TABLE visits_all DISABLE TRIGGER lead_scoring_touch, DISABLE TRIGGER lead_scoring_hold;
INSERT INTO visits VALUES (1);
SELECT is((SELECT warmth FROM homes), 0::float8, 'switched off, they see nothing');
SELECT is((SELECT array_agg(disabled_triggers ORDER BY score) FROM lead_scoring.activity WHERE score IN ('s', 'space', 'warmth')),
          (SELECT ARRAY[0, count(*), count(*)] FROM pg_trigger WHERE tgenabled = 'D' AND tgfoid::regproc::text LIKE 'lead_scoring.%'), '... which activity tells');
SELECT lead_scoring.activate('warmth');
SELECT is((SELECT array_agg(DISTINCT disabled_triggers) FROM lead_scoring.activity), '{0}', '... until');
SELECT is(pg_temp.states(), states, 'activate switches them on') FROM made;
SELECT is((SELECT warmth FROM homes), 1::float8, '... and scores what was missed');
ALTER TABLE homes ENABLE TRIGGER USER;
ALTER TABLE visits_all ENABLE TRIGGER USER;
SELECT lead_scoring.activate('space'), lead_scoring.activate('warmth');
SELECT is(pg_temp.states(), states, '... and has them see replicated rows again') FROM made;
RESET ROLE;

-- An edit that no other trigger sees is known to who evaluates next
SET session_replication_role = replica;
UPDATE lead_scoring.rule SET points = 5 WHERE score = 'warmth';
RESET session_replication_role;
INSERT INTO visits VALUES (1);
SELECT is((SELECT warmth FROM homes), 10::float8, 'definitions that were edited as a replica are read anew');
UPDATE lead_scoring.rule SET points = 2 WHERE score = 'warmth';
SELECT is((SELECT warmth FROM homes), 4::float8, '... and followed when they are edited otherwise');

-- What a statement has written stays noted where a trigger of somebody tries to write more, in vain
INSERT INTO homes VALUES (2, 1);
CREATE FUNCTION try_more() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO public.visits VALUES (2);
  RAISE EXCEPTION 'no more';
EXCEPTION WHEN raise_exception THEN
  RETURN NULL;
END $$;
CREATE TRIGGER zzz AFTER INSERT ON visits FOR EACH ROW WHEN (NEW.home_id = 1) EXECUTE FUNCTION try_more();
INSERT INTO visits VALUES (1);
SELECT is((SELECT array_agg(warmth ORDER BY id) FROM homes), '{6,0}'::float8[], 'a statement is scored though a trigger was rolled back that had written rows, too');
SELECT is_empty($$SELECT * FROM lead_scoring.verify('warmth')$$, '... and nothing else');

-- Records are locked together and scored in parts: one that a trigger replaces in between is not where it was
INSERT INTO homes SELECT g, 1 FROM generate_series(3, 1000) g;
CREATE FUNCTION replace_others() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE public.homes SET id = 5000 WHERE id = 900;
  UPDATE public.homes SET id = 900 WHERE id = 901;
  DELETE FROM public.homes WHERE id = 902;
  RETURN NULL;
END $$;
CREATE TRIGGER zzz AFTER UPDATE OF warmth ON homes FOR EACH ROW WHEN (NEW.id = 3) EXECUTE FUNCTION replace_others();
INSERT INTO visits SELECT g FROM generate_series(3, 1000) g UNION ALL VALUES (901);
SELECT is((SELECT array_agg(warmth ORDER BY id) FROM homes WHERE id IN (3, 900, 901, 902, 903, 5000)), '{2,2,2,0}'::float8[],
          'records that a trigger has given other keys meanwhile have the points of these');
SELECT is_empty($$SELECT * FROM lead_scoring.verify('warmth')$$, '... and no others');
SELECT * FROM finish();
ROLLBACK;
