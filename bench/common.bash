# shellcheck shell=bash disable=SC2034 # some variables are for the scripts that source this
# Shared by bench/run and bench/growth: the throw-away cluster, one timed statement at a time, totals that must agree.
# A number is the server's answer time as psql's \timing sees it over a Unix socket: client start and connecting are not in it.

bench=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd) || exit 1
peers=$bench/peers
as_of="timestamptz '2026-11-01 00:00+00'"
workers=0
failures=0
export LC_ALL=C

die()
{
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 2
}

# Print the comment at the head of the calling script
usage()
{
	sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0"
	exit "${1:-0}"
}

require_count()
{
	[[ $2 =~ ^[1-9][0-9]*$ ]] || die "$1 must be a positive whole number, not \"$2\""
}

# Is this name asked for (empty $only = everything)?
wanted()
{
	[[ -z $only || ,$only, == *,$1,* ]]
}

# Refuse names that --only does not know
require_known()
{
	local asked known=" $1 "
	for asked in ${only//,/ }; do
		[[ $known == *" $asked "* ]] || die "--only knows$known not \"$asked\""
	done
}

# Start over inside a throw-away cluster that is tuned for bulk work
enter_cluster()
{
	local harness=$bench/../test/harness/with_cluster
	[[ -x $harness ]] || die "test/harness/with_cluster is missing (or give --here and the usual PG* variables)"
	EXTRA_CONF="$(printf '%s\n' "${EXTRA_CONF:-}" \
		'jit = off' 'max_parallel_workers_per_gather = 0' 'shared_buffers = 4GB' 'work_mem = 256MB' \
		'maintenance_work_mem = 1GB' 'max_wal_size = 8GB' 'checkpoint_timeout = 1h' \
		'fsync = off' 'full_page_writes = off' 'autovacuum = off')" \
		exec "$harness" "$bench/${0##*/}" --here "$@"
}

# Print how many processes want a core, on average of the last minute
load()
{
	cut -d " " -f 1 /proc/loadavg 2>/dev/null || echo unknown
}

# Make the scratch directory; both it and the database go away however the script ends
open_bench()
{
	local settings="-c jit=off -c max_parallel_workers_per_gather=$workers -c work_mem=256MB -c client_min_messages=warning"
	export PGOPTIONS="${PGOPTIONS:-} $settings -c TimeZone=UTC -c DateStyle=ISO"
	export PGDATABASE=postgres
	database=lead_scoring_bench_$$
	scratch=$(mktemp -d) || exit 1
	mkdir "$scratch/seconds" "$scratch/cpu"
	trap close_bench EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
	psql -X -q -c 'SELECT 1' >/dev/null || die "no server answers"
	psql -X -q -A -t -c "SELECT split_part(version(), ' on ', 1) || ', shared_buffers ' || current_setting('shared_buffers')
		  || ', work_mem ' || current_setting('work_mem') || ', JIT ' || current_setting('jit')
		  || ', ' || current_setting('max_parallel_workers_per_gather') || ' parallel workers'"
	printf '%s, %s cores, load %s\n' "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo 2>/dev/null | head -n 1)" "$(nproc)" "$(load)"
	printf 'commit %s\n' "$(git -C "$bench" rev-parse --short HEAD 2>/dev/null || echo unknown)"
}

close_bench()
{
	psql -X -q -c "DROP DATABASE IF EXISTS $database WITH (FORCE)" >/dev/null 2>&1
	rm -rf "$scratch"
}

# Make the database empty; "with" the extension or "without"
fresh_database()
{
	psql -X -q -v ON_ERROR_STOP=1 -c "DROP DATABASE IF EXISTS $database WITH (FORCE)" -c "CREATE DATABASE $database" ||
		die "could not create the database"
	if [[ $1 == with ]]; then
		sql 'CREATE EXTENSION lead_scoring' || die "could not create the extension"
	fi
}

# Run statements (arguments or stdin) in the database and print bare rows
sql()
{
	if (($# > 0)); then
		printf '%s\n' "$@" | sql
		return
	fi
	psql -X -q -A -t -F ' | ' -v ON_ERROR_STOP=1 -v asof="$as_of" -d "$database" -f -
}

# Load the made-up CRM of a size
load_crm()
{
	psql -X -q -v ON_ERROR_STOP=1 -d "$database" -v contacts="$1" -v events="$2" -f "$peers/crm.sql" >/dev/null ||
		die "could not load the data"
}

# Touch the data once outside of the measurement, so that no peer pays for the page faults of a new backend
warm_up='SELECT count(*), count(type) FROM activities \g /dev/null
SELECT count(*), count(id) FROM contacts \g /dev/null'

# The CPU ticks that the backend has used so far, where it runs on this machine
print_cpu='SELECT pg_backend_pid() AS backend \gset
\setenv BACKEND :backend
\! t=$(cut -d " " -f 14,15 "/proc/$BACKEND/stat" 2>/dev/null) && echo "CPU: $t"'

# Time the one statement $2 in a session of its own, between the untimed $3 and $4;
# leaves $seconds and the printed rows in $value, and notes the seconds, and those of CPU, under the name $1
measure()
{
	local name=$1 statement=$2 before=${3:-} after=${4:-} printed cpu
	if ! printed=$(sql "$warm_up" "$before" "$print_cpu" '\timing on' "$statement" '\timing off' "$print_cpu" "$after"); then
		die "$name failed"
	fi
	seconds=$(sed -n 's/^Time: \([0-9.]*\) ms.*/\1/p' <<<"$printed" | awk '{ sum += $1 } END { printf "%.4f", sum / 1000 }')
	cpu=$(awk -v tick="$(getconf CLK_TCK)" '$1 == "CPU:" { n++; ticks = $2 + $3 - ticks } END { if (n == 2) print ticks / tick }' <<<"$printed")
	value=$(grep -v -e '^Time: ' -e '^CPU: ' -e '^$' <<<"$printed")
	note "$name" "$seconds"
	[[ -z $cpu ]] || printf '%s\n' "$cpu" >>"$scratch/cpu/$name"
	printf '  %-40s %10.3f s %10s CPU   %s\n' "$name" "$seconds" "${cpu:--}" "$(paste -s -d ' ' <<<"$value")"
}

# Note seconds measured under a name, in the order in which names first come
note()
{
	[[ -e $scratch/seconds/$1 ]] || printf '%s\n' "$1" >>"$scratch/names"
	printf '%s\n' "$2" >>"$scratch/seconds/$1"
}

# Complain, loudly and to the end, when two peers disagree
require_same()
{
	local what=$1 got=$2 expected=$3
	[[ $got == "$expected" ]] && return
	failures=$((failures + 1))
	printf '*** %s: "%s", expected "%s"\n' "$what" "$got" "$expected" | tee -a "$scratch/failures" >&2
}

# Print a statistic (median, min or max) of the seconds (or of the "cpu") noted under a name; nothing when there are none
statistic()
{
	local noted="$scratch/${3:-seconds}/$1"
	[[ -e $noted ]] || return 0
	sort -g "$noted" | awk -v which="$2" '
		{ second[NR] = $1 }
		END {
			if (which == "min") print second[1]
			else if (which == "max") print second[NR]
			else print (second[int((NR + 1) / 2)] + second[int(NR / 2) + 1]) / 2
		}'
}

# Print $1 / $2 with two decimals, or three below a tenth; nothing when one is missing
ratio()
{
	[[ -n $1 && -n $2 ]] || return 0
	awk -v a="$1" -v b="$2" 'BEGIN { if (b > 0) { form = (a < b / 10) ? "%.3f" : "%.2f"; printf form, a / b } }'
}

# Print met or missed; relation is "at least" or "at most"
verdict()
{
	awk -v ratio="$1" -v relation="$2" -v bound="$3" \
		'BEGIN { print (relation == "at least" ? ratio >= bound : ratio <= bound) ? "met" : "missed" }'
}

# Say how the totals did; the exit status of the bench
finish()
{
	if ((failures > 0)); then
		printf '\n*** totals disagree:\n'
		cat "$scratch/failures"
		exit 1
	fi
	printf '\nAll totals agree.\n'
	exit 0
}
