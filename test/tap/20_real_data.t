#!/bin/bash
# Real data: purchases of 23,570 customers scored by a decaying count, and 45,211 bank leads scored by
# properties. LEAD_SCORING_DATA names the directory (default: shared/data beside the checkout);
# without it everything is skipped. The data is not part of the project.

here=$(cd "$(dirname "$0")" && pwd)
data=${LEAD_SCORING_DATA:-$here/../../../shared/data}
purchases=$data/cdnow/cdnow_events.csv
leads=$data/bank_marketing/bank-full.csv

if [ ! -r "$purchases" ] && [ ! -r "$leads" ]; then
	echo "1..0 # SKIP no real data: set LEAD_SCORING_DATA to the directory that holds cdnow/ and bank_marketing/"
	exit 0
fi
echo "1..14"

database=lead_scoring_real_data_$$
createdb -T template0 -E UTF8 "$database" || { echo "Bail out! createdb failed"; exit 1; }
trap 'dropdb --if-exists "$database"' EXIT
trap 'exit 1' INT TERM

run_sql() {
	PGOPTIONS='-c client_min_messages=error -c timezone=UTC' psql -X -q -A -t -v ON_ERROR_STOP=1 -d "$database" "$@"
}

test_number=0
# check DESCRIPTION GOT EXPECTED
check() {
	test_number=$((test_number + 1))
	if [ "$2" = "$3" ]; then
		echo "ok $test_number - $1"
	else
		echo "not ok $test_number - $1"
		echo "#   got:      $2"
		echo "#   expected: $3"
	fi
}
# skip REASON COUNT
skip() {
	for ((left = $2; left > 0; left--)); do
		test_number=$((test_number + 1))
		echo "ok $test_number # SKIP $1"
	done
}

run_sql -c 'CREATE EXTENSION lead_scoring' || { echo "Bail out! CREATE EXTENSION failed"; exit 1; }

# Purchases: one point each, half-life 90 days, as of 1 April 1998, what was bought on that day being the future
if [ ! -r "$purchases" ]; then
	skip "no $purchases" 7
else
	run_sql <<-SQL || echo "# loading failed"
		CREATE TABLE purchase (user_id int NOT NULL, bought_at timestamptz NOT NULL, event_type text, units int, amount numeric);
		\copy purchase FROM '$purchases' WITH (FORMAT csv, HEADER)
		CREATE TABLE customer AS SELECT DISTINCT user_id FROM purchase;
		ALTER TABLE customer ADD PRIMARY KEY (user_id);
		ANALYZE;
		INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('customer', 'customer', 'user_id');
		INSERT INTO lead_scoring.source (name, record_type, relation, record_key, occurred_at) VALUES ('purchase', 'customer', 'purchase', 'user_id', 'bought_at');
		INSERT INTO lead_scoring.score (name, record_type, kind) VALUES ('habit', 'customer', 'engagement');
		INSERT INTO lead_scoring.score_group (score, name, kind, decay) VALUES ('habit', 'purchases', 'engagement', 'half-life 90 days');
		INSERT INTO lead_scoring.rule (score, group_name, name, source, points, until) VALUES ('habit', 'purchases', 'purchase', 'purchase', 1, '1998-04-01 00:00 UTC');
	SQL
	check 'purchases: 23,570 customers and 69,659 purchases' "$(run_sql -c 'SELECT (SELECT count(*) FROM customer), (SELECT count(*) FROM purchase)')" '23570|69659'
	check 'purchases: activate scores every customer' "$(run_sql -c "SELECT lead_scoring.activate('habit')")" 23570
	run_sql -c "SELECT lead_scoring.refresh('habit', '1998-04-01 00:00 UTC')" >/dev/null
	check 'purchases: a second refresh writes nothing' "$(run_sql -c "SELECT lead_scoring.refresh('habit', '1998-04-01 00:00 UTC')")" 0
	check 'purchases: verify is empty' "$(run_sql -c "SELECT count(*) FROM lead_scoring.verify('habit', '1998-04-01 00:00 UTC')")" 0
	plain="SELECT user_id, sum(CASE WHEN bought_at < '1998-04-01 00:00 UTC'
	           THEN power(0.5::float8, extract(epoch FROM timestamptz '1998-04-01 00:00 UTC' - bought_at)::float8 / (90 * 86400)) ELSE 0 END) AS value FROM purchase GROUP BY user_id"
	check 'purchases: stored values are those of plain SQL, rounded to 4 decimals' \
		"$(run_sql -c "SELECT count(*) FROM ($plain) AS p FULL JOIN customer AS c USING (user_id) WHERE p.user_id IS NULL OR c.habit IS NULL OR abs(c.habit - p.value) > 0.5000001e-4")" 0
	check 'purchases: stored values are the evaluation' \
		"$(run_sql -c "SELECT count(*) FROM lead_scoring.evaluate('habit', '1998-04-01 00:00 UTC') AS e FULL JOIN customer AS c ON c.user_id::text = e.record_key WHERE e.total IS DISTINCT FROM c.habit OR e.engagement IS DISTINCT FROM c.habit_engagement")" 0
	# AUC = (rank sum of the buyers - n (n + 1) / 2) / (n m), tied scores sharing their middle rank
	check 'purchases: AUC against a purchase within 90 days, 3,302 buyers' "$(run_sql -c "
		WITH outcome AS (
		  SELECT c.habit, EXISTS (SELECT FROM purchase AS p WHERE p.user_id = c.user_id
		                             AND p.bought_at >= '1998-04-01 00:00 UTC' AND p.bought_at < timestamptz '1998-04-01 00:00 UTC' + interval '90 days') AS bought
		    FROM customer AS c
		), ranked AS (SELECT bought, rank() OVER (ORDER BY habit) + (count(*) OVER (PARTITION BY habit) - 1) / 2.0 AS place FROM outcome)
		SELECT round((sum(place) FILTER (WHERE bought) - n * (n + 1) / 2.0) / (n * m), 3), n
		  FROM ranked, (SELECT count(*) FILTER (WHERE bought) AS n, count(*) FILTER (WHERE NOT bought) AS m FROM ranked) AS t GROUP BY n, m")" '0.840|3302'
fi

# Bank leads: ten properties
if [ ! -r "$leads" ]; then
	skip "no $leads" 7
else
	run_sql <<-SQL || echo "# loading failed"
		CREATE TABLE lead (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, age int, job text, marital text, education text, "default" text, balance int, housing text, loan text,
		  contact text, day int, month text, duration int, campaign int, pdays int, previous int, poutcome text, y text);
		\copy lead (age, job, marital, education, "default", balance, housing, loan, contact, day, month, duration, campaign, pdays, previous, poutcome, y) FROM '$leads' WITH (FORMAT csv, HEADER, DELIMITER ';')
		ANALYZE;
		INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('lead', 'lead', 'id');
		INSERT INTO lead_scoring.score (name, record_type, kind, min_points, max_points) VALUES ('lead_score', 'lead', 'fit', -20, 60);
		INSERT INTO lead_scoring.score_group (score, name, kind, min_points, max_points) VALUES
		  ('lead_score', 'person', 'fit', -5, 20), ('lead_score', 'money', 'fit', -15, 15), ('lead_score', 'history', 'fit', NULL, 40);
		INSERT INTO lead_scoring.rule (score, group_name, name, criterion, points) VALUES
		  ('lead_score', 'person',  'student or retired', \$\$job IN ('student', 'retired')\$\$, 12.5),
		  ('lead_score', 'person',  'manual work', \$\$job LIKE 'blue%' OR job = 'services'\$\$, -4),
		  ('lead_score', 'person',  'tertiary education', \$\$education = 'tertiary'\$\$, 5),
		  ('lead_score', 'person',  'single', \$\$marital = 'single' AND age < 40\$\$, 3.3),
		  ('lead_score', 'money',   'balance', 'balance >= 1500', 6),
		  ('lead_score', 'money',   'housing loan', \$\$housing = 'yes'\$\$, -8),
		  ('lead_score', 'money',   'other loan', \$\$loan = 'yes' OR "default" = 'yes'\$\$, -9.75),
		  ('lead_score', 'history', 'bought before', \$\$poutcome = 'success'\$\$, 35),
		  ('lead_score', 'history', 'known contact', \$\$contact <> 'unknown'\$\$, 7),
		  ('lead_score', 'history', 'called too often', 'campaign > 3', -2.5),
		  ('lead_score', 'history', 'recently contacted', 'pdays BETWEEN 0 AND 180', 4.1);
		INSERT INTO lead_scoring.band (score, label, lower_bound) VALUES ('lead_score', 'A', 25), ('lead_score', 'B', 10), ('lead_score', 'C', 0), ('lead_score', 'D', NULL);
	SQL
	run_sql <<-'SQL' || echo "# the comparison failed"
		CREATE VIEW by_hand AS
		SELECT id, round(least(greatest(least(greatest(person, -5), 20) + least(greatest(money, -15), 15) + least(history, 40), -20), 60), 4)::float8 AS value
		  FROM (SELECT id,
		          CASE WHEN job IN ('student', 'retired') THEN 12.5 ELSE 0 END + CASE WHEN job LIKE 'blue%' OR job = 'services' THEN -4 ELSE 0 END
		          + CASE WHEN education = 'tertiary' THEN 5 ELSE 0 END + CASE WHEN marital = 'single' AND age < 40 THEN 3.3 ELSE 0 END AS person,
		          CASE WHEN balance >= 1500 THEN 6 ELSE 0 END + CASE WHEN housing = 'yes' THEN -8 ELSE 0 END + CASE WHEN loan = 'yes' OR "default" = 'yes' THEN -9.75 ELSE 0 END AS money,
		          CASE WHEN poutcome = 'success' THEN 35 ELSE 0 END + CASE WHEN contact <> 'unknown' THEN 7 ELSE 0 END + CASE WHEN campaign > 3 THEN -2.5 ELSE 0 END
		          + CASE WHEN pdays BETWEEN 0 AND 180 THEN 4.1 ELSE 0 END AS history
		          FROM lead) AS parts;
	SQL
	check 'bank leads: 45,211' "$(run_sql -c 'SELECT count(*) FROM lead')" 45211
	check 'bank leads: evaluate is plain SQL exactly' \
		"$(run_sql -c "SELECT count(*) FROM lead_scoring.evaluate('lead_score') AS e FULL JOIN by_hand AS h ON h.id::text = e.record_key WHERE e.total IS DISTINCT FROM h.value")" 0
	check 'bank leads: activate scores every lead' "$(run_sql -c "SELECT lead_scoring.activate('lead_score')")" 45211
	check 'bank leads: stored values are plain SQL exactly' "$(run_sql -c "SELECT count(*) FROM lead AS l JOIN by_hand AS h USING (id) WHERE l.lead_score IS DISTINCT FROM h.value OR l.lead_score_fit IS NULL OR l.lead_score_engagement IS NOT NULL")" 0
	check 'bank leads: labels follow the stored value' \
		"$(run_sql -c "SELECT count(*) FROM lead WHERE lead_score_label IS DISTINCT FROM CASE WHEN lead_score >= 25 THEN 'A' WHEN lead_score >= 10 THEN 'B' WHEN lead_score >= 0 THEN 'C' ELSE 'D' END")" 0
	check 'bank leads: preview counts the labels' \
		"$(run_sql -c "SELECT count(*) FROM (SELECT label, records FROM lead_scoring.preview('lead_score') WHERE kind = 'label') AS p FULL JOIN (SELECT lead_score_label AS label, count(*) AS records FROM lead GROUP BY 1) AS l USING (label, records) WHERE p.label IS NULL OR l.label IS NULL OR p.records <> l.records")" 0
	check 'bank leads: better labels convert better' "$(run_sql -c "SELECT string_agg(lead_score_label, '' ORDER BY share DESC) FROM (SELECT lead_score_label, avg((y = 'yes')::int) AS share FROM lead GROUP BY 1) AS s")" ABCD
	run_sql -c "SELECT format('# label %s: %s leads, %s %%, of whom %s %% bought', lead_score_label, count(*), round(100.0 * count(*) / sum(count(*)) OVER (), 1), round(100.0 * avg((y = 'yes')::int), 1)) FROM lead GROUP BY lead_score_label ORDER BY lead_score_label"
fi
