#!/bin/bash
# Nobody meets a deadlock who writes one row per transaction, in READ COMMITTED, where locks of several tables and definitions come
# together: events of contacts that count for companies, whose score looks at that of the contacts, beside changes of these contacts,
# of their companies and of whom they belong to; and events while others switch scores of the same table on and off and edit them. Nor do
# those who add many records or events that have nothing to do with each other.
# DURATION (3) is how many seconds each pair gets.

duration=${DURATION:-3}
. "$(dirname "$0")/lib/database.bash"

echo 1..12
begin_database live_order

run_sql >/dev/null <<'SQL' || { echo "Bail out! cannot set up"; exit 1; }
CREATE EXTENSION lead_scoring;
CREATE TABLE companies (id int PRIMARY KEY);
CREATE TABLE contacts (id int PRIMARY KEY, industry text, company_id int, owner_ref text);
CREATE INDEX ON contacts (company_id);
CREATE INDEX ON contacts (owner_ref);
CREATE TABLE calls (owner text, at timestamptz NOT NULL DEFAULT now());
CREATE INDEX ON calls (owner, at);
CREATE TABLE activities (contact_id int, type text, at timestamptz NOT NULL DEFAULT now());
CREATE INDEX ON activities (contact_id, at);
INSERT INTO companies SELECT generate_series(1, 3);
INSERT INTO contacts SELECT g, 'x', 1 + g % 3, 'owner ' || g FROM generate_series(1, 30) g;
INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('contact', 'contacts', 'id'), ('company', 'companies', 'id');
INSERT INTO lead_scoring.source (name, record_type, relation, record_key, record_column, occurred_at) VALUES
  ('activity', 'contact', 'activities', 'contact_id', NULL, 'at'), ('call', 'contact', 'calls', 'owner', 'owner_ref', 'at');
INSERT INTO lead_scoring.score (name, record_type) VALUES ('other', 'contact'), ('person', 'contact'), ('account', 'company');
INSERT INTO lead_scoring.score_group (score, name, kind) SELECT s.name, k, k FROM lead_scoring.score s, unnest('{fit,engagement}'::text[]) k;
INSERT INTO lead_scoring.rule (score, group_name, name, source, criterion, points) VALUES
  ('other', 'fit', 'industry', NULL, $$industry = 'Hospitality'$$, 1),
  ('person', 'fit', 'industry', NULL, $$industry = 'Hospitality'$$, 3), ('person', 'engagement', 'mail', 'activity', $$type = 'mail'$$, 10),
  ('person', 'engagement', 'call', 'call', 'true', 2);
SELECT lead_scoring.activate('person');
INSERT INTO lead_scoring.source (name, record_type, relation, record_key) VALUES ('people', 'company', 'contacts', 'company_id');
INSERT INTO lead_scoring.source (name, record_type, relation, record_key, occurred_at, through, through_key, through_record)
  VALUES ('calls', 'company', 'activities', 'contact_id', 'at', 'contacts', 'id', 'company_id');
INSERT INTO lead_scoring.rule (score, group_name, name, source, value, rollup, counting, points) VALUES ('account', 'fit', 'best', 'people', 'person', 'max', 'each', 0.5);
INSERT INTO lead_scoring.rule (score, group_name, name, source, criterion, points) VALUES ('account', 'engagement', 'mail', 'calls', $$type = 'mail'$$, 1);
SELECT lead_scoring.activate('account');
SQL

cat >"$scratch/event.sql" <<'SQL'
\set contact random(1, 3)
INSERT INTO activities VALUES (:contact, 'mail');
SQL
cat >"$scratch/change.sql" <<'SQL'
\set contact random(1, 3)
UPDATE contacts SET industry = CASE industry WHEN 'Hospitality' THEN 'x' ELSE 'Hospitality' END WHERE id = :contact;
SQL
cat >"$scratch/move.sql" <<'SQL'
\set contact random(1, 3)
\set company random(1, 3)
UPDATE contacts SET company_id = :company WHERE id = :contact;
SQL
cat >"$scratch/call.sql" <<'SQL'
\set contact random(1, 3)
INSERT INTO calls VALUES ('owner ' || :contact);
SQL
# Nobody shares an owner
cat >"$scratch/own.sql" <<'SQL'
\set contact random(1, 3)
UPDATE contacts SET owner_ref = CASE WHEN owner_ref LIKE 'owner%' THEN 'other ' ELSE 'owner ' END || id WHERE id = :contact;
SQL
# One row, and then too many for locks one by one: records, and events whose records are not there yet
cat >"$scratch/records.sql" <<'SQL'
\set first 1000 + :client_id * 1000000 + random(1, 900000)
BEGIN;
INSERT INTO contacts VALUES (:first) ON CONFLICT DO NOTHING;
INSERT INTO contacts SELECT :first + g FROM generate_series(1, 100) g ON CONFLICT DO NOTHING;
COMMIT;
SQL
cat >"$scratch/early.sql" <<'SQL'
\set first 1000 + :client_id * 1000000 + random(1, 900000)
BEGIN;
INSERT INTO activities VALUES (-:first);
INSERT INTO activities SELECT -:first - g FROM generate_series(1, 100) g;
COMMIT;
SQL
# An event, and its record unless that is there
cat >"$scratch/first.sql" <<'SQL'
\set id random(5000001, 5000005)
BEGIN;
INSERT INTO activities VALUES (:id, 'mail');
INSERT INTO contacts VALUES (:id) ON CONFLICT DO NOTHING;
COMMIT;
DELETE FROM contacts WHERE id = :id;
SQL
cat >"$scratch/switch.sql" <<'SQL'
SELECT lead_scoring.activate('other');
SELECT lead_scoring.deactivate('other');
SQL
cat >"$scratch/edit.sql" <<'SQL'
UPDATE lead_scoring.score SET mode = 'queued' WHERE name = 'person';
UPDATE lead_scoring.score SET mode = 'sync' WHERE name = 'person';
SQL

# Run scripts side by side, a client each
run_together() {
	local name=$1 script failed='' clients=()
	shift
	rm -f "$scratch"/*.out
	for script in "$@"; do
		PGOPTIONS='-c deadlock_timeout=50ms -c client_min_messages=error -c synchronous_commit=off' \
			pgbench -n -T "$duration" -D client_id="${#clients[@]}" -f "$scratch/$script.sql" "$database" >"$scratch/$script.${#clients[@]}.out" 2>&1 &
		clients+=($!)
	done
	for script in "${clients[@]}"; do
		wait "$script" || failed=yes
	done
	grep -qE 'number of failed transactions: [1-9]|ERROR|aborted' "$scratch"/*.out && failed=yes
	if [ -z "$failed" ]; then
		report ok "$name"
	else
		report 'not ok' "$name"
		grep -hE '^transaction type|failed transactions|ERROR|aborted' "$scratch"/*.out | sed 's/^/# /' | head -n 20
	fi
}

require_right() {
	local wrong
	run_sql -c "SELECT lead_scoring.work_queue('person')" >"$scratch/work" 2>&1
	wrong=$(run_sql -F ' ' -c "SELECT s.name, v.* FROM lead_scoring.score s, lead_scoring.verify(s.name, clock_timestamp()) v WHERE s.status = 'active' LIMIT 5" 2>&1)
	if [ -z "$wrong" ]; then
		report ok "$1: verify is empty"
	else
		report 'not ok' "$1: verify is empty"
		sed 's/^/# /' <<<"$wrong"
	fi
}

run_together 'events of contacts beside changes of them' event event change
require_right 'events and changes'
run_together 'events and calls beside changes of companies and owners' event call move own
require_right 'companies and owners'
run_sql -c "UPDATE lead_scoring.score SET mode = 'queued' WHERE name = 'account'"
run_together '... where the score of companies is queued' event call move own
run_sql -c "UPDATE lead_scoring.score SET mode = 'sync' WHERE name = 'account'" >"$scratch/work" 2>&1
run_together 'imports of different records' records records
run_together 'imports of events without records' early early
run_together 'records that come with their first events' first first first
require_right 'imports'
run_together 'events, while scores of the table are switched and edited' event switch edit
run_sql -c "UPDATE lead_scoring.score SET mode = 'sync' WHERE name = 'person'" >"$scratch/work" 2>&1
require_right 'events, switches and edits'
if [ "$(run_sql -c "SELECT count(*) FROM lead_scoring.queue")" = 0 ]; then
	report ok 'nothing waits'
else
	report 'not ok' 'nothing waits'
fi
