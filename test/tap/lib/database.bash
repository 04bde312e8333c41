# What tests in bash share: a database of their own, which goes when they end, as does $scratch; and numbered reports.

run_sql() {
	PGOPTIONS='-c client_min_messages=error' psql -X -q -A -t -v ON_ERROR_STOP=1 -d "$database" "$@"
}

begin_database() {
	database=lead_scoring_$1_$$
	scratch=$(mktemp -d)
	createdb -T template0 -E UTF8 "$database" || { echo "Bail out! createdb failed"; exit 1; }
	trap 'dropdb --if-exists "$database"; rm -rf "$scratch"' EXIT
	trap 'exit 1' INT TERM
}

number=0
report() {
	number=$((number + 1))
	echo "$1 $number - $2"
}
