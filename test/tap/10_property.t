#!/bin/bash
# The one invariant on random definitions and data: after refresh(as_of) the stored value is the
# evaluation at as_of, is the sum of its explanation, and is what plain SQL says.
# SEEDS (100) and FIRST_SEED (1) choose the seeds; the connection comes from PGHOST, PGPORT, PGUSER.

seeds=${SEEDS:-100}
first=${FIRST_SEED:-1}
here=$(cd "$(dirname "$0")" && pwd)
database=lead_scoring_property_$$
chunk=25

run_sql() {
	PGOPTIONS='-c client_min_messages=warning -c synchronous_commit=off' psql -X -q -A -t -v ON_ERROR_STOP=1 -d "$database" "$@"
}

echo "1..$((seeds + 1))"
createdb -T template0 -E UTF8 "$database" || { echo "Bail out! createdb failed"; exit 1; }
trap 'dropdb --if-exists "$database"' EXIT
trap 'exit 1' INT TERM
if ! run_sql -c 'CREATE EXTENSION lead_scoring' -f "$here/../property/expected.sql" -f "$here/../property/generate.sql" -f "$here/../property/define.sql" -f "$here/../property/run.sql"; then
	echo "Bail out! cannot set up the property test"
	exit 1
fi

failed=0
for ((from = first; from < first + seeds; from += chunk)); do
	count=$((first + seeds - from < chunk ? first + seeds - from : chunk))
	run_sql -c "CALL property.run($from, $count)" || echo "# the session ended while running seeds $from to $((from + count - 1))"
	run_sql -F ' ' -c "
		SELECT CASE WHEN o.seed IS NOT NULL AND f.n IS NULL THEN 'ok ' ELSE 'not ok ' END || s - $first + 1 || ' - seed ' || s
		       || coalesce(format(': %s records, %s events, %s rules, %s values', o.records, o.events, o.rules, o.compared), '')
		       || coalesce(E'\n# ' || f.n || E' differences; again: SEEDS=1 FIRST_SEED=' || s || ' test/tap/10_property.t' || f.lines, '')
		       || CASE WHEN o.seed IS NULL AND f.n IS NULL THEN E'\n# not run' ELSE '' END
		  FROM generate_series($from, $from + $count - 1) AS s
		  LEFT JOIN property.outcome AS o ON o.seed = s
		  LEFT JOIN LATERAL (
		    SELECT max(total) AS n, string_agg(E'\n#   ' || stage || ': ' || comparison || ': ' || replace(left(detail, 1000), E'\n', E'\n#     '), '') AS lines
		      FROM (SELECT *, count(*) OVER () AS total, row_number() OVER (PARTITION BY stage, comparison) AS nth FROM property.failure WHERE seed = s) AS q
		     WHERE nth <= 2 AND total > 0) AS f ON f.n IS NOT NULL
		 ORDER BY s" || failed=1
done

run_sql -F ' ' -c "
	SELECT CASE WHEN coalesce(sum(tolerated), 0) <= coalesce(sum(compared), 0) / 10000 AND count(*) > 0 THEN 'ok ' ELSE 'not ok ' END || $seeds + 1
	       || format(' - equal to plain SQL to the last digit but for rounding ties: %s of %s values', coalesce(sum(tolerated), 0), coalesce(sum(compared), 0))
	  FROM property.outcome" || failed=1
exit $failed
