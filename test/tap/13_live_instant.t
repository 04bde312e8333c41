#!/bin/bash
# What another session commits in the moment between the beginning of a statement and its lock on a record is not of the
# future: a record whose only event moves on to the present, over and over, never loses its points.

. "$(dirname "$0")/lib/database.bash"
export PGOPTIONS='-c synchronous_commit=off'

echo 1..3
begin_database instant

run_sql >/dev/null <<'SQL' || { echo "Bail out! cannot set up"; exit 1; }
CREATE EXTENSION lead_scoring;
-- Holds up who has locked contact 1 and is on the way to contact 2
CREATE FUNCTION linger(id int) RETURNS bool LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
  until timestamptz := clock_timestamp() + interval '500 microseconds';
BEGIN
  WHILE id = 1 AND clock_timestamp() < until LOOP END LOOP;
  RETURN true;
END $$;
CREATE TABLE contacts (id int PRIMARY KEY);
CREATE TABLE activities (id int PRIMARY KEY, contact_id int NOT NULL, type text, occurred_at timestamptz NOT NULL);
CREATE INDEX ON activities (contact_id, occurred_at);
INSERT INTO contacts VALUES (1), (2);
INSERT INTO activities VALUES (1, 1, 'other', now()), (2, 2, 'other', now()), (3, 2, 'mail', now());
INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('contact', 'contacts', 'id');
INSERT INTO lead_scoring.source (name, record_type, relation, record_key, occurred_at) VALUES ('activity', 'contact', 'activities', 'contact_id', 'occurred_at');
INSERT INTO lead_scoring.score (name, record_type, kind, history) VALUES ('s', 'contact', 'combined', 'values');
INSERT INTO lead_scoring.score_group (score, name, kind) VALUES ('s', 'f', 'fit'), ('s', 'e', 'engagement');
INSERT INTO lead_scoring.rule (score, group_name, name, source, criterion, points) VALUES
  ('s', 'f', 'linger', NULL, 'linger(id)', 1), ('s', 'e', 'mail', 'activity', $$type = 'mail'$$, 1);
SELECT lead_scoring.activate('s');
SQL
cat >"$scratch/both.sql" <<'SQL'
UPDATE activities SET type = CASE type WHEN 'other' THEN 'another' ELSE 'other' END WHERE id IN (1, 2);
SQL
cat >"$scratch/second.sql" <<'SQL'
UPDATE activities SET occurred_at = clock_timestamp() WHERE id = 3;
SQL

# Run a script by one client
run_client() {
	if pgbench -n -c 1 -T 3 -f "$scratch/$1.sql" "$database" >"$scratch/$1.out" 2>&1; then
		report ok "$1: $(sed -n 's/^number of transactions actually processed: //p' "$scratch/$1.out") transactions"
	else
		report 'not ok' "$1"
		sed 's/^/# /' "$scratch/$1.out" | head -n 20
	fi
}

run_client both >"$scratch/both.report" &
run_client second >"$scratch/second.report"
wait
cat "$scratch/both.report"
sed 's/ 1 - / 2 - /' "$scratch/second.report"
number=2
changes=$(run_sql -c "SELECT reason, total, count(*) FROM lead_scoring.score_history WHERE record_key = '2' GROUP BY 1, 2")
if [ "$changes" = 'activation|2|1' ]; then
	report ok 'the score has never changed'
else
	report 'not ok' 'the score has never changed'
	sed 's/^/# /' <<<"$changes"
fi
