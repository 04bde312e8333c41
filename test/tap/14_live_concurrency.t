#!/bin/bash
# Eight clients change the facts of a few records at once, in every isolation level: afterwards every stored score is the
# evaluation from scratch. In READ COMMITTED, where each transaction touches one record, nobody meets a deadlock.
# DURATION (10) is how many seconds each level gets.

duration=${DURATION:-10}
. "$(dirname "$0")/lib/database.bash"

echo 1..15
begin_database concurrency

run_sql >/dev/null <<'SQL' || { echo "Bail out! cannot set up"; exit 1; }
CREATE EXTENSION lead_scoring;
CREATE TABLE companies (id int PRIMARY KEY, size int);
CREATE TABLE contacts (id int PRIMARY KEY, industry text, company_id int, note text);
CREATE TABLE activities (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, contact_id int, type text, occurred_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE calls (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, contact_id int REFERENCES contacts ON DELETE CASCADE, minutes int, at timestamptz NOT NULL DEFAULT now());
CREATE INDEX ON activities (contact_id, occurred_at) INCLUDE (type);
CREATE INDEX ON calls (contact_id, at);
INSERT INTO companies SELECT g, 10 * g FROM generate_series(1, 4) g;
INSERT INTO contacts SELECT g, 'Retail', 1 + g % 4 FROM generate_series(1, 12) g;
INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('contact', 'contacts', 'id'), ('company', 'companies', 'id');
INSERT INTO lead_scoring.source (name, record_type, relation, record_key, record_column, occurred_at, through, through_key, through_record) VALUES
  ('activity', 'contact', 'activities', 'contact_id', NULL, 'occurred_at', NULL, NULL, NULL),
  ('call', 'contact', 'calls', 'contact_id', NULL, 'at', NULL, NULL, NULL),
  ('company', 'contact', 'companies', 'id', 'company_id', NULL, NULL, NULL, NULL),
  ('call', 'company', 'calls', 'contact_id', NULL, 'at', 'contacts', 'id', 'company_id'),
  ('colleague_call', 'contact', 'calls', 'contact_id', 'company_id', 'at', 'contacts', 'id', 'company_id');
INSERT INTO lead_scoring.score (name, record_type, kind, max_points) VALUES ('s', 'contact', 'combined', 40), ('c', 'contact', 'engagement', NULL), ('account', 'company', 'engagement', NULL), ('colleagues', 'contact', 'engagement', NULL);
INSERT INTO lead_scoring.score_group (score, name, kind) VALUES ('s', 'f', 'fit'), ('s', 'e', 'engagement'), ('c', 'e', 'engagement'), ('account', 'e', 'engagement'), ('colleagues', 'e', 'engagement');
INSERT INTO lead_scoring.rule (score, group_name, name, source, criterion, points, at_least, counting) VALUES
  ('s', 'f', 'retail', NULL, $$industry = 'Retail'$$, 3, NULL, NULL), ('s', 'f', 'big', 'company', 'size > 25', 5, NULL, NULL),
  ('s', 'e', 'mail', 'activity', $$type = 'mail'$$, 1, NULL, NULL), ('s', 'e', 'many', 'activity', 'true', 10, 5, 'once'), ('s', 'e', 'call', 'call', 'minutes > 5', 2, NULL, NULL),
  ('c', 'e', 'calls', 'call', 'true', 1, NULL, NULL), ('account', 'e', 'calls', 'call', 'true', 1, NULL, NULL), ('colleagues', 'e', 'calls', 'colleague_call', 'true', 1, NULL, NULL);
SELECT lead_scoring.activate(name) FROM lead_scoring.score WHERE name <> 'colleagues';
SQL

# What everybody sees is read from the index, which holds all that rules read: again and again that is so
vacuum_events() {
	while :; do
		run_sql -c 'VACUUM activities' >/dev/null 2>&1
		sleep 0.2
	done
}
vacuum_events &
vacuuming=$!
trap 'kill "$vacuuming"; dropdb --force --if-exists "$database"; rm -rf "$scratch"' EXIT

# One statement for one record in each transaction
cat >"$scratch/one.sql" <<'SQL'
\set id random(1, 12)
\set kind random(1, 12)
\if :kind <= 4
INSERT INTO activities (contact_id, type) VALUES (:id, 'mail');
\elif :kind <= 6
INSERT INTO calls (contact_id, minutes) SELECT :id, 9 WHERE EXISTS (SELECT FROM contacts WHERE id = :id);
\elif :kind = 7
DELETE FROM activities WHERE id = (SELECT id FROM activities WHERE contact_id = :id LIMIT 1);
\elif :kind = 8
UPDATE activities SET type = CASE type WHEN 'mail' THEN 'other' ELSE 'mail' END WHERE id = (SELECT id FROM activities WHERE contact_id = :id LIMIT 1);
\elif :kind = 9
UPDATE contacts SET industry = CASE industry WHEN 'Retail' THEN 'Software' ELSE 'Retail' END WHERE id = :id;
\elif :kind = 10
UPDATE contacts SET note = 'x' WHERE id = :id;
\elif :kind = 11
DELETE FROM calls WHERE id = (SELECT id FROM calls WHERE contact_id = :id LIMIT 1);
\else
BEGIN;
INSERT INTO activities (contact_id, type) VALUES (:id, 'mail');
INSERT INTO activities (contact_id, type) VALUES (:id, 'other');
COMMIT;
\endif
SQL
# Anything: many records, links, records that come and go
cat >"$scratch/any.sql" <<'SQL'
\set id random(1, 12)
\set other random(1, 12)
\set company random(1, 4)
\set kind random(1, 9)
BEGIN;
\if :kind <= 2
INSERT INTO activities (contact_id, type) SELECT g, 'mail' FROM generate_series(:id, :id + 3) g;
\elif :kind = 3
UPDATE contacts SET company_id = :company WHERE id = :id;
\elif :kind = 4
UPDATE companies SET size = 60 - size WHERE id = :company;
\elif :kind = 5
UPDATE activities SET contact_id = :other WHERE contact_id = :id AND id % 3 = 0;
\elif :kind = 6
DELETE FROM contacts WHERE id = :id;
\elif :kind = 7
INSERT INTO contacts VALUES (:id, 'Retail', :company) ON CONFLICT DO NOTHING;
\elif :kind = 8
INSERT INTO calls (contact_id, minutes) SELECT id, 9 FROM contacts WHERE id IN (:id, :other) FOR KEY SHARE;
\else
DELETE FROM activities WHERE contact_id = :id AND id % 2 = 0;
\endif
INSERT INTO activities (contact_id, type) VALUES (:other, 'other');
COMMIT;
SQL

# Run a script at an isolation level; the last argument says whether transactions may have to be tried again
run_clients() {
	local level=$1 script=$2 retries=$3
	PGOPTIONS="-c default_transaction_isolation=${level// /\\ } -c deadlock_timeout=$( [ -n "$retries" ] && echo 20 || echo 1000)ms -c synchronous_commit=on -c client_min_messages=error" \
		pgbench -n -c 8 -j 2 -T "$duration" -f "$scratch/$script.sql" ${retries:+--max-tries=1000} "$database" >"$scratch/out" 2>&1
	local status=$?
	local failed
	failed=$(sed -n 's/^number of failed transactions: \([0-9]*\).*/\1/p' "$scratch/out")
	# What fails when the time is over is not tried again: of each client one transaction at most
	if [ "$status" = 0 ] && [ "${failed:-0}" -le $([ -n "$retries" ] && echo 8 || echo 0) ] && ! grep -q 'deadlock\|aborted' "$scratch/out"; then
		report ok "$level, $script: $(sed -n 's/^number of transactions actually processed: //p' "$scratch/out") transactions"
	else
		report 'not ok' "$level, $script"
		sed 's/^/# /' "$scratch/out" | head -n 20
	fi
	local wrong
	wrong=$(run_sql -F ' ' -c "SELECT s.name, v.* FROM lead_scoring.score s, lead_scoring.verify(s.name, clock_timestamp()) v WHERE s.status = 'active' LIMIT 5" 2>&1)
	if [ -z "$wrong" ]; then
		report ok "$level, $script: verify is empty"
	else
		report 'not ok' "$level, $script: verify is empty"
		sed 's/^/# /' <<<"$wrong"
	fi
}

run_clients 'read committed' one ''
run_clients 'repeatable read' one retry
run_clients 'serializable' one retry
run_clients 'read committed' any retry
# From here on a call concerns everybody at the caller's company
run_sql -c "SELECT lead_scoring.activate('colleagues')" >"$scratch/out"
run_clients 'read committed' any retry
run_clients 'repeatable read' any retry
run_clients 'serializable' any retry
total=$(run_sql -c 'SELECT count(*) FROM activities')
[ "$total" -gt 100 ] && report ok "something has happened: $total activities" || report 'not ok' "something has happened: $total activities"
