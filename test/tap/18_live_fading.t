#!/bin/bash
# Who writes an event for a record whose points fade already does not look up that it is due, while others delete events,
# close, remove and insert records, roll back, and refresh what is due: no record that fades is ever left out of due.

. "$(dirname "$0")/lib/database.bash"
rounds=${ROUNDS:-20}

echo "1..$((3 * rounds))"
begin_database fading
run_sql -c "ALTER DATABASE $database SET synchronous_commit = off" -c "ALTER DATABASE $database SET deadlock_timeout = '10ms'"

run_sql >/dev/null <<'SQL' || { echo "Bail out! cannot set up"; exit 1; }
CREATE EXTENSION lead_scoring;
CREATE TABLE contacts (id int PRIMARY KEY, state text DEFAULT 'open');
CREATE TABLE activities (contact_id int, type text, weight int DEFAULT 1, occurred_at timestamptz NOT NULL);
CREATE INDEX ON activities (contact_id, occurred_at);
INSERT INTO contacts (id) SELECT generate_series(1, 6);
INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('contact', 'contacts', 'id');
INSERT INTO lead_scoring.source (name, record_type, relation, record_key, occurred_at) VALUES ('activity', 'contact', 'activities', 'contact_id', 'occurred_at');
INSERT INTO lead_scoring.score (name, record_type, kind) VALUES ('s', 'contact', 'engagement');
INSERT INTO lead_scoring.scope (score, mode, source, criterion) VALUES ('s', 'exclude', NULL, $$state = 'closed'$$);
INSERT INTO lead_scoring.score_group (score, name, kind, decay) VALUES ('s', 'e', 'engagement', 'half-life 7 days');
INSERT INTO lead_scoring.rule (score, group_name, name, source, criterion, points, counting, at_least) VALUES
  ('s', 'e', 'any', 'activity', $$type <> 'none'$$, 10, 'each', NULL), ('s', 'e', 'two', 'activity', 'weight > 1', 10, 'once', 2);
SELECT lead_scoring.activate('s');

-- What the statement of a random number does with record k, in one of the transactions below
CREATE PROCEDURE change(which float, k int) LANGUAGE plpgsql AS $$
BEGIN
  CASE width_bucket(which, ARRAY[0, .35, .45, .55, .65, .72, .82, .86, .89, .94])
  WHEN 1 THEN INSERT INTO activities VALUES (k, CASE WHEN random() < .5 THEN 'mail' ELSE 'none' END, 1 + (random() < .5)::int, now() - random() * interval '3 days');
  WHEN 2 THEN DELETE FROM activities WHERE ctid = (SELECT min(ctid) FROM activities WHERE contact_id = k);
  WHEN 3 THEN DELETE FROM activities WHERE contact_id = k;
  WHEN 4 THEN UPDATE activities SET type = CASE type WHEN 'mail' THEN 'none' ELSE 'mail' END WHERE contact_id = k;
  WHEN 5 THEN UPDATE activities SET contact_id = k WHERE contact_id = 1 + k % 6;
  WHEN 6 THEN UPDATE contacts SET state = CASE state WHEN 'open' THEN 'closed' ELSE 'open' END WHERE id = k;
  WHEN 7 THEN WITH x AS (UPDATE contacts SET state = CASE state WHEN 'open' THEN 'closed' ELSE 'open' END WHERE id = k) INSERT INTO activities VALUES (k, 'mail', 1, now());
  WHEN 8 THEN DELETE FROM contacts WHERE id = k;
  WHEN 9 THEN INSERT INTO contacts (id) VALUES (k) ON CONFLICT DO NOTHING;
  ELSE
    INSERT INTO activities VALUES (k, 'mail', 2, now());
    RAISE 'undo';
  END CASE;
END $$;

-- Transactions of a few such statements each, every one in a subtransaction
CREATE PROCEDURE write(seed int, statements int) LANGUAGE plpgsql AS $$
BEGIN
  PERFORM setseed(seed / 1e6);
  FOR i IN 1..statements LOOP
    BEGIN
      CALL change(random(), 1 + floor(random() * 6)::int);
    EXCEPTION WHEN raise_exception OR deadlock_detected THEN NULL;
    END;
    IF random() < .4 THEN
      COMMIT;
    END IF;
  END LOOP;
END $$;
SQL

# Report whether a query found what it should
report_found() {
	local found
	found=$(run_sql -c "$1" 2>&1)
	report "$([ "$found" = "$2" ] && echo ok || echo 'not ok')" "$3"
	[ "$found" = "$2" ] || sed 's/^/# /' <<<"$found"
}

# Refresh what is due until the writers are done
refresh_meanwhile() {
	until [ -e "$scratch/done" ]; do
		run_sql -c 'SET lead_scoring.refresh_interval = 0' -c 'CALL lead_scoring.refresh_due()' || return
		sleep 0.1
	done
}

for round in $(seq "$rounds"); do
	rm -f "$scratch/done"
	writers=()
	for client in 1 2 3; do
		run_sql -c "CALL write($((round * 10 + client)), 150)" &
		writers+=($!)
	done
	refresh_meanwhile &
	refresher=$!
	failed=0
	for writer in "${writers[@]}"; do wait "$writer" || failed=1; done
	touch "$scratch/done"
	wait "$refresher" || failed=1
	report "$([ $failed = 0 ] && echo ok || echo 'not ok')" "round $round: three writers, and one who refreshes what is due"
	report_found "SELECT c.id FROM contacts c WHERE c.s IS NOT NULL AND c.state = 'open' AND EXISTS (SELECT FROM activities a WHERE a.contact_id = c.id AND a.type <> 'none')
		AND NOT EXISTS (SELECT FROM lead_scoring.due d WHERE d.score = 's' AND d.record_key = c.id::text AND d.due_at <= now())" '' '... leave no record that fades out of due'
	report_found "SELECT v.* FROM lead_scoring.verify('s') v WHERE abs(v.total - v.stored_total) > 0.05 OR (v.total IS NULL) <> (v.stored_total IS NULL)" '' '... and no score that is not its evaluation'
done
