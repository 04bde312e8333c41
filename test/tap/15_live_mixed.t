#!/bin/bash
# As 14_live_concurrency.t, with what that has not: columns in a table of their own, lists that say who is scored, bands by rank,
# queued scores, points by hand, records and companies that come, go and get other keys without foreign keys, a partitioned
# source, edits of rules, upkeep. Six clients do anything at once, in every isolation level; afterwards every stored score is the
# evaluation from scratch. DURATION (10) is how many seconds each level gets.

duration=${DURATION:-10}
. "$(dirname "$0")/lib/database.bash"

echo 1..9
begin_database mixed

run_sql >/dev/null <<'SQL' || { echo "Bail out! cannot set up"; exit 1; }
CREATE EXTENSION lead_scoring;
CREATE TABLE companies (id int PRIMARY KEY, size int);
CREATE TABLE contacts (id int PRIMARY KEY, email text, industry text, company_id int);
CREATE TABLE scores (id int PRIMARY KEY);
CREATE TABLE members (list text, email text, PRIMARY KEY (list, email));
CREATE TABLE staff (id int PRIMARY KEY, company_id int);
CREATE SEQUENCE activity_ids;
CREATE TABLE activities (id bigint DEFAULT nextval('activity_ids'), contact_id int, type text, occurred_at timestamptz NOT NULL DEFAULT clock_timestamp(), part int DEFAULT random() * 2) PARTITION BY LIST (part);
CREATE TABLE activities_0 PARTITION OF activities FOR VALUES IN (0, 1);
CREATE TABLE activities_2 PARTITION OF activities FOR VALUES IN (2);
CREATE INDEX ON activities (contact_id, occurred_at);
-- Somebody else may take the key meanwhile
CREATE FUNCTION give_key(relation regclass, present int, next int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('UPDATE %s SET id = $2 WHERE id = $1 AND NOT EXISTS (SELECT FROM %1$s WHERE id = $2)', relation) USING present, next;
EXCEPTION WHEN unique_violation THEN
  NULL;
END $$;
INSERT INTO companies SELECT g, 10 * g FROM generate_series(1, 4) g;
INSERT INTO contacts SELECT g, 'p' || g, 'Retail', 1 + g % 4 FROM generate_series(1, 12) g;
INSERT INTO staff SELECT g, 1 + g % 4 FROM generate_series(1, 12) g;
INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('contact', 'contacts', 'id'), ('company', 'companies', 'id');
INSERT INTO lead_scoring.source (name, record_type, relation, record_key, record_column, occurred_at, through, through_key, through_record) VALUES
  ('activity', 'contact', 'activities', 'contact_id', NULL, 'occurred_at', NULL, NULL, NULL),
  ('company', 'contact', 'companies', 'id', 'company_id', NULL, NULL, NULL, NULL),
  ('member', 'contact', 'members', 'email', 'email', NULL, NULL, NULL, NULL),
  ('activity', 'company', 'activities', 'contact_id', NULL, 'occurred_at', 'contacts', 'id', 'company_id'),
  ('colleague', 'contact', 'activities', 'contact_id', 'company_id', 'occurred_at', 'staff', 'id', 'company_id');
INSERT INTO lead_scoring.score (name, record_type, kind, target, mode) VALUES
  ('s', 'contact', 'combined', NULL, 'sync'), ('apart', 'contact', 'combined', 'scores', 'sync'), ('account', 'company', 'engagement', NULL, 'sync'),
  ('colleagues', 'contact', 'engagement', NULL, 'sync'), ('later', 'contact', 'combined', NULL, 'queued'), ('rank', 'contact', 'combined', NULL, 'sync');
INSERT INTO lead_scoring.scope (score, mode, source, criterion) VALUES ('s', 'exclude', 'member', $$list = 'out'$$), ('apart', 'include', 'member', $$list = 'in'$$);
INSERT INTO lead_scoring.score_group (score, name, kind) SELECT name, left(k, 1), k FROM lead_scoring.score, unnest('{fit,engagement}'::text[]) k WHERE kind = 'combined' OR k = 'engagement';
INSERT INTO lead_scoring.rule (score, group_name, name, source, criterion, points, within) VALUES
  ('s', 'f', 'retail', NULL, $$industry = 'Retail'$$, 3, NULL), ('s', 'f', 'big', 'company', 'size > 25', 5, NULL), ('s', 'f', 'vip', 'member', $$list = 'vip'$$, 7, NULL),
  ('s', 'e', 'mail', 'activity', $$type = 'mail'$$, 1, NULL), ('apart', 'f', 'big', 'company', 'size > 25', 5, NULL), ('apart', 'e', 'mail', 'activity', $$type = 'mail'$$, 1, NULL),
  ('account', 'e', 'all', 'activity', 'true', 1, NULL), ('colleagues', 'e', 'all', 'colleague', 'true', 1, NULL),
  ('later', 'f', 'retail', NULL, $$industry = 'Retail'$$, 3, NULL), ('later', 'e', 'mail', 'activity', $$type = 'mail'$$, 1, NULL),
  ('rank', 'f', 'retail', NULL, $$industry = 'Retail'$$, 3, NULL), ('rank', 'e', 'mail', 'activity', $$type = 'mail'$$, 1, NULL);
INSERT INTO lead_scoring.band (score, part, label, capacity, top_share) VALUES ('rank', 'total', 'best', 3, NULL), ('rank', 'total', 'rest', NULL, NULL), ('rank', 'fit', 'upper', NULL, 0.3), ('rank', 'fit', 'lower', NULL, NULL);
SELECT lead_scoring.activate(name) FROM lead_scoring.score WHERE name <> 'rank';
SQL

cat >"$scratch/any.sql" <<'SQL'
\set id random(1, 14)
\set other random(1, 14)
\set company random(1, 6)
\set kind random(1, 32)
BEGIN;
\if :kind <= 4
INSERT INTO activities (contact_id, type) SELECT g, 'mail' FROM generate_series(:id, :id + 2) g;
\elif :kind = 5
UPDATE contacts SET company_id = :company WHERE id = :id;
\elif :kind = 6
UPDATE companies SET size = 60 - size WHERE id = :company;
\elif :kind = 7
UPDATE activities SET contact_id = :other WHERE contact_id = :id AND id % 3 = 0;
\elif :kind <= 9
DELETE FROM contacts WHERE id = :id;
\elif :kind <= 12
INSERT INTO contacts VALUES (:id, 'p' || :other, 'Retail', :company) ON CONFLICT DO NOTHING;
\elif :kind = 13
SELECT give_key('contacts', :id, :other);
\elif :kind = 14
DELETE FROM companies WHERE id = :company;
\elif :kind <= 16
INSERT INTO companies VALUES (:company, 30) ON CONFLICT (id) DO UPDATE SET size = excluded.size;
\elif :kind = 17
INSERT INTO members VALUES ('out', 'p' || :id), ('in', 'p' || :id) ON CONFLICT DO NOTHING;
\elif :kind = 18
INSERT INTO members VALUES ('vip', 'p' || :id), ('in', 'p' || :other) ON CONFLICT DO NOTHING;
\elif :kind = 19
DELETE FROM members WHERE email = 'p' || :id;
\elif :kind = 20
UPDATE contacts SET email = 'p' || :other WHERE id = :id;
\elif :kind = 21
UPDATE staff SET company_id = :company WHERE id = :id;
\elif :kind = 22
INSERT INTO lead_scoring.adjustment (score, record_key, points) SELECT name, :id, 5 FROM lead_scoring.score WHERE name IN ('s', 'apart', 'later') ORDER BY random() LIMIT 1;
\elif :kind = 23
DELETE FROM lead_scoring.adjustment WHERE record_key = ':id';
\elif :kind = 24
SELECT lead_scoring.reset_engagement('apart', ':id', clock_timestamp());
DELETE FROM lead_scoring.engagement_reset WHERE record_key = ':other';
\elif :kind = 25
UPDATE lead_scoring.rule SET enabled = NOT enabled WHERE score = 's' AND name = 'mail';
\elif :kind = 26
UPDATE lead_scoring.rule SET points = 3 - points WHERE score = 'apart' AND name = 'mail';
\elif :kind = 27
SELECT lead_scoring.work_queue();
\elif :kind = 28
CALL lead_scoring.refresh_due();
\elif :kind = 29
SAVEPOINT here;
INSERT INTO activities (contact_id, type) VALUES (:id, 'mail');
DELETE FROM contacts WHERE id = :other;
ROLLBACK TO here;
INSERT INTO activities_2 (contact_id, type, part) VALUES (:other, 'mail', 2);
\elif :kind = 30
DELETE FROM scores WHERE id = :id;
\elif :kind = 31
SELECT give_key('scores', :id, :other);
\else
TRUNCATE members;
\endif
INSERT INTO activities (contact_id, type) VALUES (:other, 'other');
COMMIT;
SQL

# Run everything at an isolation level
run_clients() {
	local level=$1 what=$2 wrong status failed
	PGOPTIONS="-c default_transaction_isolation=${level// /\\ } -c deadlock_timeout=20ms -c synchronous_commit=off -c client_min_messages=error" \
		pgbench -n -c 6 -j 2 -T "$duration" -f "$scratch/any.sql" --max-tries=1000 "$database" >"$scratch/out" 2>&1
	status=$?
	failed=$(sed -n 's/^number of failed transactions: \([0-9]*\).*/\1/p' "$scratch/out")
	if [ "$status" = 0 ] && [ "${failed:-0}" = 0 ] && ! grep -q 'aborted' "$scratch/out"; then
		report ok "$level$what: $(sed -n 's/^number of transactions actually processed: //p' "$scratch/out") transactions"
	else
		report 'not ok' "$level$what"
		sed 's/^/# /' "$scratch/out" | head -n 20
	fi
	run_sql -c 'CALL lead_scoring.refresh_due()' >"$scratch/out" 2>&1
	wrong=$(run_sql -F ' ' -c "SELECT s.name, v.* FROM lead_scoring.score s, lead_scoring.verify(s.name, clock_timestamp()) v WHERE s.status = 'active' LIMIT 5" 2>&1)
	if [ -z "$wrong" ]; then
		report ok "$level$what: verify is empty"
	else
		report 'not ok' "$level$what: verify is empty"
		sed 's/^/# /' <<<"$wrong"
	fi
}

run_clients 'read committed' ''
run_clients 'repeatable read' ''
run_clients 'serializable' ''
# From here on everybody is ranked with every statement
run_sql -c "SELECT lead_scoring.activate('rank')" >"$scratch/out"
run_clients 'read committed' ', with ranks'
total=$(run_sql -c 'SELECT count(*) FROM activities')
[ "$total" -gt 20 ] && report ok "something has happened: $total activities" || report 'not ok' "something has happened: $total activities"
