#!/bin/bash
# Whoever writes an event for a record whose points fade already need not look up that it is due; whoever makes them fade
# must say so, however that comes about. Each statement here is a transaction of its own, if nothing else is said.

. "$(dirname "$0")/lib/database.bash"

echo 1..25
begin_database standing

run_sql >/dev/null <<'SQL' || { echo "Bail out! cannot set up"; exit 1; }
CREATE EXTENSION lead_scoring;
CREATE TABLE contacts (id int PRIMARY KEY, state text DEFAULT 'open', size int DEFAULT 1);
CREATE TABLE activities (contact_id int, type text, occurred_at timestamptz NOT NULL);
CREATE INDEX ON activities (contact_id, occurred_at);
CREATE TABLE meetings (meeting_id int, occurred_at timestamptz NOT NULL);
CREATE INDEX ON meetings (meeting_id, occurred_at);
CREATE TABLE guests (contact_id int, meeting_id int, PRIMARY KEY (contact_id, meeting_id));
INSERT INTO contacts (id) SELECT generate_series(1, 20);
UPDATE contacts SET state = 'closed' WHERE id IN (2, 3);
INSERT INTO activities SELECT id, 'mail', now() - interval '1 day' FROM contacts WHERE id IN (1, 2, 3);
INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('contact', 'contacts', 'id');
INSERT INTO lead_scoring.source (name, record_type, relation, record_key, occurred_at, through, through_key, through_record) VALUES
  ('activity', 'contact', 'activities', 'contact_id', 'occurred_at', NULL, NULL, NULL),
  ('meeting', 'contact', 'meetings', 'meeting_id', 'occurred_at', 'guests', 'meeting_id', 'contact_id');
INSERT INTO lead_scoring.score (name, record_type, kind) VALUES ('s', 'contact', 'combined'), ('by_events', 'contact', 'engagement'), ('frequent', 'contact', 'engagement');
INSERT INTO lead_scoring.scope (score, mode, source, criterion) VALUES ('s', 'exclude', NULL, $$state = 'closed'$$), ('by_events', 'include', 'activity', $$type = 'demo'$$);
INSERT INTO lead_scoring.score_group (score, name, kind, decay) VALUES ('s', 'f', 'fit', NULL), ('s', 'e', 'engagement', 'half-life 7 days'), ('by_events', 'e', 'engagement', 'half-life 7 days'),
  ('frequent', 'e', 'engagement', 'half-life 7 days');
INSERT INTO lead_scoring.rule (score, group_name, name, source, criterion, value, points, counting, at_least) VALUES
  ('s', 'f', 'ratio', NULL, NULL, '60 / size', 1, 'each', NULL), ('s', 'e', 'any', 'activity', 'true', NULL, 10, 'each', NULL), ('s', 'e', 'met', 'meeting', 'true', NULL, 10, 'each', NULL),
  ('by_events', 'e', 'any', 'activity', 'true', NULL, 10, 'each', NULL), ('frequent', 'e', 'two', 'activity', 'true', NULL, 10, 'once', 2);
SELECT lead_scoring.activate(name) FROM lead_scoring.score;
SQL

# Whether a record of a score is due at any instant, and its score what it must be
is_fading() {
	local found
	found=$(run_sql -c "SELECT count(*) FROM lead_scoring.due WHERE score = '$1' AND record_key = '$2' AND due_at = '-infinity'" \
		-c "SELECT count(*) FROM lead_scoring.verify('$1') v WHERE v.record_key = '$2' AND abs(v.total - v.stored_total) > 4" | tr '\n' ' ')
	report "$([ "$found" = '1 0 ' ] && echo ok || echo 'not ok')" "$3"
}

# How often a transaction with another event of a record looks into the table of what is due
lookups() {
	run_sql -c BEGIN -c "INSERT INTO activities VALUES ($1, 'mail', now())" \
		-c "SELECT idx_scan FROM pg_stat_xact_all_tables WHERE relid = 'lead_scoring.due'::regclass" -c COMMIT
}

event() {
	run_sql -c "INSERT INTO activities VALUES ($1, 'mail', now())"
}

run_sql -c 'UPDATE lead_scoring.score SET mode = $$queued$$ WHERE name <> $$s$$' >/dev/null
report "$([ "$(lookups 13)" -ge 1 ] && echo ok || echo 'not ok')" 'for the first event it is looked up when a record is due'
event 1
report "$([ "$(lookups 1)" = 0 ] && echo ok || echo 'not ok')" '... but not where points fade already'
is_fading s 1 '... and it is due'
run_sql -c 'UPDATE lead_scoring.score SET mode = $$sync$$ WHERE name <> $$s$$' >/dev/null

run_sql -c "UPDATE contacts SET state = 'open' WHERE id = 2"
is_fading s 2 'a record that comes into scope'
run_sql -c "WITH opened AS (UPDATE contacts SET state = 'open' WHERE id = 3) INSERT INTO activities VALUES (3, 'mail', now())"
is_fading s 3 'a record that comes into scope by a statement that adds an event, too'
event 4
is_fading s 4 'the first event'
run_sql -c "BEGIN" -c "SAVEPOINT a" -c "INSERT INTO activities VALUES (5, 'mail', now())" -c "ROLLBACK TO a" -c "INSERT INTO activities VALUES (5, 'mail', now()), (5, 'mail', now())" -c "COMMIT"
is_fading s 5 'the first events, after others were rolled back'
run_sql -c "BEGIN" -c "SAVEPOINT a" -c "INSERT INTO activities VALUES (6, 'mail', now())" -c "RELEASE a" -c "INSERT INTO activities VALUES (6, 'mail', now())" -c "COMMIT"
is_fading s 6 'the first events, one of them in a subtransaction'
run_sql -c "UPDATE activities SET contact_id = 7 WHERE contact_id = 6"
is_fading s 7 'events that were those of another record'

# Its name comes before those of our triggers
run_sql >/dev/null <<'SQL'
CREATE FUNCTION follow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO activities VALUES (NEW.contact_id, 'followed', now()); RETURN NULL; END $$;
CREATE TRIGGER a_first AFTER INSERT ON activities FOR EACH ROW WHEN (NEW.type = 'mail') EXECUTE FUNCTION follow();
SQL
event 8
is_fading s 8 'a first event that a trigger follows with a second one'
run_sql -c 'DROP TRIGGER a_first ON activities'

event 21
run_sql -c 'INSERT INTO contacts (id) VALUES (21)'
is_fading s 21 'a record that comes after its events'
event 22
run_sql -c 'UPDATE contacts SET id = 22 WHERE id = 20'
is_fading s 22 'a record that takes the key that events have'
run_sql -c 'INSERT INTO meetings VALUES (1, now())' -c 'INSERT INTO guests VALUES (9, 1)'
is_fading s 9 'an event that comes to a record through another table'
run_sql -c 'ALTER TABLE activities DISABLE TRIGGER USER'
event 10
run_sql -c 'ALTER TABLE activities ENABLE TRIGGER USER' -c "INSERT INTO lead_scoring.parked (score, record_key, sqlstate, message, failed_at, retry_at) VALUES ('s', '10', '22012', 'division by zero', now(), now())"
event 10
is_fading s 10 'an event that was not evaluated, as its record was parked'

event 11
run_sql -c "INSERT INTO activities VALUES (11, 'demo', now())"
is_fading by_events 11 'a record that an event brings into scope'
event 12
event 12
is_fading frequent 12 'events that pay together'
run_sql -c "DELETE FROM activities WHERE contact_id = 12 AND ctid = (SELECT min(ctid) FROM activities WHERE contact_id = 12)" -c 'CALL lead_scoring.refresh_due()'
event 12
is_fading frequent 12 '... and do so again'

# What may have looked otherwise before than it does now
run_sql >/dev/null <<'SQL'
CREATE TABLE verdicts (type text PRIMARY KEY);
CREATE FUNCTION counts(type text) RETURNS bool STABLE LANGUAGE sql AS $$ SELECT EXISTS (SELECT FROM public.verdicts v WHERE v.type = $1) $$;
CREATE FUNCTION always_counts(type text) RETURNS bool IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN RETURN false; END $$;
INSERT INTO lead_scoring.score (name, record_type, kind) VALUES ('by_table', 'contact', 'engagement'), ('by_function', 'contact', 'engagement');
INSERT INTO lead_scoring.score_group (score, name, kind, decay) VALUES ('by_table', 'e', 'engagement', 'half-life 7 days'), ('by_function', 'e', 'engagement', 'half-life 7 days');
INSERT INTO lead_scoring.rule (score, group_name, name, source, criterion, points, counting) VALUES
  ('by_table', 'e', 'any', 'activity', 'public.counts(type)', 10, 'each'), ('by_function', 'e', 'any', 'activity', 'public.always_counts(type)', 10, 'each');
SELECT lead_scoring.activate(name) FROM lead_scoring.score WHERE name IN ('by_table', 'by_function');
SQL
event 14
run_sql -c "INSERT INTO verdicts VALUES ('mail')" -c "CREATE OR REPLACE FUNCTION always_counts(type text) RETURNS bool IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN true; END'"
event 14
is_fading by_table 14 'events that count since a table has changed'
is_fading by_function 14 'events that count since a function has changed'
run_sql -c "SELECT lead_scoring.deactivate(name) FROM lead_scoring.score WHERE name IN ('by_table', 'by_function')" >/dev/null

# Ahead of the clock records are due as of then: where points have faded they are not, but fade still at present
run_sql >/dev/null <<'SQL'
INSERT INTO lead_scoring.score (name, record_type, kind) VALUES ('brief', 'contact', 'engagement');
INSERT INTO lead_scoring.score_group (score, name, kind, decay) VALUES ('brief', 'e', 'engagement', '100% per 2 hours');
INSERT INTO lead_scoring.rule (score, group_name, name, source, criterion, points, counting) VALUES ('brief', 'e', 'any', 'activity', 'true', 10, 'each');
SELECT lead_scoring.activate('brief');
SQL
event 15
run_sql -c "SELECT lead_scoring.refresh('brief', now() + interval '3 hours')" >/dev/null
event 15
is_fading brief 15 'after a refresh ahead of the clock'
run_sql -c "SELECT lead_scoring.deactivate('brief'); SELECT lead_scoring.activate('brief')" >/dev/null
event 16
run_sql -c 'SET lead_scoring.refresh_interval = 0' -c "CALL lead_scoring.refresh_due(now() + interval '3 hours')"
event 16
is_fading brief 16 'after refresh_due ahead of the clock'
report "$([ "$(run_sql -c "SELECT string_agg(score, ' ') FROM lead_scoring.score_state WHERE was_ahead AND score = 'brief'")" = brief ] && echo ok || echo 'not ok')" '... which is kept in mind'
run_sql -c 'CALL lead_scoring.refresh_due()'

# A trigger on one score writes events that another counts, on the way there
run_sql >/dev/null <<'SQL'
CREATE TABLE echoes (contact_id int, occurred_at timestamptz NOT NULL);
CREATE INDEX ON echoes (contact_id, occurred_at);
CREATE FUNCTION echo() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.echoes VALUES (NEW.id, now()); RETURN NULL; END $$;
CREATE TRIGGER echo AFTER UPDATE ON contacts FOR EACH ROW WHEN (NEW.id = 17 AND OLD.brief IS DISTINCT FROM NEW.brief) EXECUTE FUNCTION echo();
INSERT INTO lead_scoring.source (name, record_type, relation, record_key, occurred_at) VALUES ('echo', 'contact', 'echoes', 'contact_id', 'occurred_at');
INSERT INTO lead_scoring.score (name, record_type, kind) VALUES ('echoed', 'contact', 'engagement');
INSERT INTO lead_scoring.score_group (score, name, kind, decay) VALUES ('echoed', 'e', 'engagement', '100% per 7 days');
INSERT INTO lead_scoring.rule (score, group_name, name, source, criterion, points, counting) VALUES ('echoed', 'e', 'any', 'echo', 'true', 10, 'each');
SELECT lead_scoring.activate('echoed');
SQL
event 17
run_sql -c 'DELETE FROM echoes' -c "CALL lead_scoring.refresh_due(now() + interval '20 days')" -c 'DROP TRIGGER echo ON contacts' -c 'CALL lead_scoring.refresh_due()'
is_fading echoed 17 'events of the way ahead, once it has been gone back'
run_sql -c "SELECT lead_scoring.deactivate('echoed')" -c "SELECT lead_scoring.deactivate('brief')" >/dev/null

# A source that is a partition of a table which nobody scores
run_sql >/dev/null <<'SQL'
CREATE TABLE everything (contact_id int, type text, occurred_at timestamptz NOT NULL) PARTITION BY LIST (type);
CREATE TABLE calls PARTITION OF everything FOR VALUES IN ('call');
CREATE TABLE others PARTITION OF everything DEFAULT;
CREATE INDEX ON calls (contact_id, occurred_at);
INSERT INTO lead_scoring.source (name, record_type, relation, record_key, occurred_at) VALUES ('call', 'contact', 'calls', 'contact_id', 'occurred_at');
INSERT INTO lead_scoring.score (name, record_type, kind) VALUES ('called', 'contact', 'engagement');
INSERT INTO lead_scoring.score_group (score, name, kind, decay) VALUES ('called', 'e', 'engagement', 'half-life 7 days');
INSERT INTO lead_scoring.rule (score, group_name, name, source, criterion, points, counting) VALUES ('called', 'e', 'any', 'call', 'true', 10, 'each');
SELECT lead_scoring.activate('called');
INSERT INTO everything VALUES (18, 'call', now()), (18, 'mail', now());
SQL
is_fading called 18 'an event that comes by the whole of which its source is a part'
run_sql -c 'COPY everything FROM STDIN' <<<$'18\tcall\t2026-01-01\n19\tcall\t2026-01-02'
run_sql -c "UPDATE everything SET type = 'call' WHERE type = 'mail'" -c 'DELETE FROM everything WHERE contact_id = 19'
is_fading called 18 '... or moves there'
