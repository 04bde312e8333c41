#!/bin/bash
# Whoever writes an event for a record whose points fade already need not look up that it is due; whoever makes them fade
# must say so, however that comes about. Each statement here is a transaction of its own, if nothing else is said.

. "$(dirname "$0")/lib/database.bash"

echo 1..17
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
		-c "SELECT count(*) FROM lead_scoring.verify('$1') v WHERE abs(v.total - v.stored_total) > 0.01" | tr '\n' ' ')
	report "$([ "$found" = '1 0 ' ] && echo ok || echo 'not ok')" "$3"
}

lookups() {
	run_sql -c "SELECT idx_scan FROM pg_stat_all_indexes WHERE indexrelid = 'lead_scoring.due_pkey'::regclass"
}

event() {
	run_sql -c "INSERT INTO activities VALUES ($1, 'mail', now())"
}

run_sql -c 'UPDATE lead_scoring.score SET mode = $$queued$$ WHERE name <> $$s$$' >/dev/null
event 1
before=$(lookups)
event 1
report "$([ "$(lookups)" = "$before" ] && echo ok || echo 'not ok')" 'of a record whose points fade already nobody looks up when it is due'
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
is_fading by_events 11 '... is so still when another record has events'
event 12
is_fading frequent 12 'events that pay together'
run_sql -c "DELETE FROM activities WHERE contact_id = 12 AND ctid = (SELECT min(ctid) FROM activities WHERE contact_id = 12)" -c 'CALL lead_scoring.refresh_due()'
event 12
is_fading frequent 12 '... and do so again'
