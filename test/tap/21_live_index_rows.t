#!/bin/bash
# Where an index holds all that rules read of an event, and everybody sees it, the table is not looked at; where one of the two is
# not so, it is.

. "$(dirname "$0")/lib/database.bash"

echo 1..17
begin_database index_rows
# VACUUM finds visible what was committed in earnest
psql -X -q -d postgres -c "ALTER DATABASE \"$database\" SET synchronous_commit = on"

# Two events to a page, so that few share one with what is written later
run_sql >/dev/null <<'SQL' || { echo "Bail out! cannot set up"; exit 1; }
CREATE EXTENSION lead_scoring;
CREATE TABLE contacts (id int PRIMARY KEY);
CREATE TABLE activities (contact_id int, type text, kind name, amount int, occurred_at timestamptz NOT NULL, filler text DEFAULT repeat('x', 1900))
  WITH (autovacuum_enabled = off, fillfactor = 50);
ALTER TABLE activities ALTER filler SET STORAGE PLAIN;
CREATE INDEX by_time ON activities (contact_id, occurred_at);
CREATE INDEX held ON activities (contact_id, occurred_at) INCLUDE (type, amount, type);
INSERT INTO contacts VALUES (1), (2);
INSERT INTO activities SELECT 1, (ARRAY['mail', 'call'])[1 + g % 2], 'plain', g, now() - g * interval '1 minute' FROM generate_series(1, 200) g;
INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('contact', 'contacts', 'id');
INSERT INTO lead_scoring.source (name, record_type, relation, record_key, occurred_at) VALUES ('activity', 'contact', 'activities', 'contact_id', 'occurred_at');
INSERT INTO lead_scoring.score (name, record_type, kind) VALUES ('s', 'contact', 'engagement');
INSERT INTO lead_scoring.score_group (score, name, kind) VALUES ('s', 'e', 'engagement');
INSERT INTO lead_scoring.rule (score, group_name, name, source, criterion, points) VALUES ('s', 'e', 'mail', 'activity', $$type = 'mail' AND amount > 0$$, 1);
SELECT lead_scoring.activate('s');
VACUUM activities;
SQL

# One event more; says how many rows of the table were fetched for it
fetched() {
	run_sql -c BEGIN -c "INSERT INTO activities VALUES (1, 'mail', 'plain', 7, now())" \
		-c "SELECT idx_tup_fetch FROM pg_stat_xact_all_tables WHERE relid = 'activities'::regclass" -c COMMIT
}

expect() {
	report "$([ "$1" "$2" "$3" ] && echo ok || echo 'not ok')" "$4: $1"
}

expect_score() {
	local found
	found=$(run_sql -c "SELECT s FROM contacts WHERE id = 1" -c "SELECT 'but ' || v FROM lead_scoring.verify('s') v" | tr '\n' ' ')
	expect "$found" = "$1 " "$2"
}

expect "$(fetched)" -le 4 'what everybody sees is read from the index that holds all'
expect_score 101 '... and counts'

run_sql -c 'VACUUM activities' -c "UPDATE activities SET type = 'call' WHERE amount IN (1, 3, 5)" \
	-c "UPDATE activities SET type = 'mail' WHERE amount IN (1, 3)" -c "DELETE FROM activities WHERE amount IN (2, 4)"
expect_score 101 'what was changed or deleted since is read from the table'

run_sql -c 'VACUUM activities' -c BEGIN -c "DELETE FROM activities WHERE amount = 6" -c 'SAVEPOINT a' -c "DELETE FROM activities WHERE amount = 8" \
	-c 'ROLLBACK TO a' -c "UPDATE activities SET amount = -10 WHERE amount = 10" -c COMMIT
expect_score 99 '... by the transaction itself, too'

run_sql -c 'VACUUM activities' -c "BEGIN ISOLATION LEVEL SERIALIZABLE" -c "INSERT INTO activities VALUES (1, 'mail', 'plain', 7, now())" \
	-c "SELECT count(DISTINCT page) + 1000 * count(*) FILTER (WHERE locktype = 'relation') FROM pg_locks WHERE mode = 'SIReadLock' AND relation = 'activities'::regclass" -c COMMIT >"$scratch/locks"
# Of many pages it becomes the table
expect "$(cat "$scratch/locks")" -ge 50 'a serializable transaction locks the pages that it did not look at'
expect_score 100 '... and counts'

# What a transaction itself has written may be seen by everybody at once
run_sql -c "COPY (SELECT 1, 'mail', 'plain', g, now() FROM generate_series(1, 50) g) TO STDOUT" >"$scratch/frozen"
run_sql -c BEGIN -c 'TRUNCATE activities' -c "\\copy activities (contact_id, type, kind, amount, occurred_at) FROM '$scratch/frozen' (FREEZE)" \
	-c "INSERT INTO activities VALUES (1, 'mail', 'plain', 7, now())" -c COMMIT
expect_score 51 'COPY FREEZE after TRUNCATE'
expect "$(fetched)" -le 4 '... is read from the index afterwards'
expect_score 52 '... and counts'

run_sql -c "UPDATE lead_scoring.rule SET criterion = \$\$type = 'mail' AND kind = 'plain'\$\$ WHERE score = 's'"
expect "$(run_sql -c 'VACUUM activities'; fetched)" -ge 53 'a column that the index does not hold is read from the table'
expect_score 53 '... and counts'

run_sql -c "CREATE INDEX everything ON activities (contact_id, occurred_at) INCLUDE (type, amount, kind)"
expect "$(fetched)" -le 4 '... until another index does'
expect_score 54 '... and counts'

run_sql -c "UPDATE lead_scoring.rule SET criterion = \$\$activities::text LIKE '%,mail,%'\$\$ WHERE score = 's'"
expect "$(run_sql -c 'VACUUM activities'; fetched)" -ge 55 'whole rows are in no index'
expect_score 55 '... and count'

# The operator class keeps another type than that of the column
run_sql -c "DROP INDEX held, everything" -c "CREATE INDEX held ON activities (contact_id, occurred_at, kind)" \
	-c "UPDATE lead_scoring.rule SET criterion = \$\$kind = 'plain'\$\$ WHERE score = 's'"
expect "$(run_sql -c 'VACUUM activities'; fetched)" -ge 56 'names are kept by their index in another form'
expect_score 56 '... and count'
