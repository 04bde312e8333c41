#!/bin/bash
# Events that nobody can see any more are forgotten by the index as they are read: who comes next does not read them again.

. "$(dirname "$0")/lib/database.bash"

echo 1..2
begin_database dead_rows

# Events that follow each other lie on different pages
run_sql >/dev/null <<'SQL' || { echo "Bail out! cannot set up"; exit 1; }
CREATE EXTENSION lead_scoring;
CREATE TABLE contacts (id int PRIMARY KEY);
CREATE TABLE activities (contact_id int, type text, occurred_at timestamptz NOT NULL) WITH (autovacuum_enabled = off);
CREATE INDEX ON activities (contact_id, occurred_at);
INSERT INTO contacts VALUES (1);
INSERT INTO activities SELECT 1, 'mail', now() - g * 7919 % 2000 * interval '1 minute' FROM generate_series(1, 2000) g;
INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('contact', 'contacts', 'id');
INSERT INTO lead_scoring.source (name, record_type, relation, record_key, occurred_at) VALUES ('activity', 'contact', 'activities', 'contact_id', 'occurred_at');
INSERT INTO lead_scoring.score (name, record_type, kind) VALUES ('s', 'contact', 'engagement');
INSERT INTO lead_scoring.score_group (score, name, kind) VALUES ('s', 'e', 'engagement');
INSERT INTO lead_scoring.rule (score, group_name, name, source, criterion, points) VALUES ('s', 'e', 'mail', 'activity', $$type = 'mail'$$, 1);
SELECT lead_scoring.activate('s');
SQL

# The query that counts pages is run once, as it has the index forget, too
pages() {
	run_sql -c 'SET enable_seqscan = off; SET enable_bitmapscan = off' \
		-c "EXPLAIN (ANALYZE, BUFFERS, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT type FROM activities WHERE contact_id = 1" |
		sed -n '/Index Scan/,$s/.*shared hit=\([0-9]*\).*/\1/p' | head -n 1
}

run_sql -c 'DELETE FROM activities' -c "INSERT INTO activities VALUES (1, 'mail', now())"
found=$(pages)
report "$([ -n "$found" ] && [ "$found" -lt 100 ] && echo ok || echo 'not ok')" "dead events are not read again: ${found:-no} pages"
report "$([ "$(run_sql -c 'SELECT s = 1 FROM contacts')" = t ] && echo ok || echo 'not ok')" 'the score counts the one that is left'
