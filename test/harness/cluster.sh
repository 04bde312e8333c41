# shellcheck shell=bash
# Sourced, after packages.sh. A throw-away PostgreSQL: the binaries are copied into a temporary directory
# and the library and share directories linked beside them, because PostgreSQL looks for those relative to
# the real path of its executable. So the extension is installed there and nowhere else, two runs never
# meet, and nothing but $LS_TMP is to be removed at the end.
#
#   LS_TMP     the temporary directory      LS_BUILD   where the sources are built, see with_build
#   KEEP=1     keep the directory           EXTRA_CONF more lines for postgresql.conf
#   SERVER_USER (postgres) runs the server when we are root, which PostgreSQL refuses

LS_TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

# run a command as the user of the server, in a directory that he can enter
as_server()
{
	if [ "$(id -u)" != 0 ]; then
		(cd / && "$@")
	elif command -v setpriv >/dev/null; then
		(cd / && setpriv --reuid="$SERVER_USER" --regid="$SERVER_GROUP" --init-groups -- "$@")
	else
		(cd / && runuser -u "$SERVER_USER" -- "$@")
	fi
}

# make the temporary directory; from here on cluster_end has something to do
cluster_begin()
{
	local base
	LS_TMP=
	SERVER_USER=${SERVER_USER:-postgres}
	SERVER_GROUP=$(id -gn "$SERVER_USER" 2>/dev/null) || SERVER_GROUP=
	# The server's user must be able to read what we install.
	umask 022
	trap cluster_end EXIT
	trap 'exit 129' HUP
	trap 'exit 130' INT
	trap 'exit 141' PIPE
	trap 'exit 143' TERM
	# A socket's path has at most 107 bytes.
	for base in "${TMPDIR:-/tmp}" /tmp; do
		[ ${#base} -le 60 ] && as_server test -x "$base" && break
	done
	LS_TMP=$(mktemp -d "$base/lead_scoring.XXXXXX")
	chmod 755 "$LS_TMP"
	export LS_TMP
}

# copy the sources into a build directory, with the time of the change as their time, and drop those
# that are gone: what is built is one state of the tree even while somebody edits it
sync_sources()
{
	local tree=$1 file
	mkdir -p "$tree"
	(
		cd "$LS_TOP" || exit 1
		find Makefile CMakeLists.txt lead_scoring.control src sql test/core test/data bench -type f \
			! -name '*.o' ! -name '*.d' ! -name '.*' 2>/dev/null
	) | sort >"$tree/.sources.new"
	if [ -e "$tree/.sources" ]; then
		comm -23 "$tree/.sources" "$tree/.sources.new" | while read -r file; do
			rm -f "$tree/$file" "$tree/${file%.cpp}.o" "$tree/${file%.cpp}.d"
		done
	fi
	while read -r file; do
		cmp -s "$LS_TOP/$file" "$tree/$file" && continue
		mkdir -p "$(dirname "$tree/$file")" && cp "$LS_TOP/$file" "$tree/$file" || return 1
	done <"$tree/.sources.new"
	mv "$tree/.sources.new" "$tree/.sources"
}

# run a function that uses $LS_BUILD, while no other run uses it
# That is below build/ of the checkout, so that the next run has less to do, or a temporary directory
# where the checkout is not ours to write. Each server, compiler and set of options has one of its own.
with_build()
{
	local status=0 top=$LS_TOP/build
	if ! { mkdir -p "$top" && [ -O "$top" ] && : >>"$top/lock"; } 2>/dev/null; then
		top=$LS_TMP/build
		mkdir -p "$top"
	fi
	LS_BUILD=$top/$(echo "$("$PG_CONFIG" --version) ${CXX:-} ${COPT:-}" | cksum | cut -d ' ' -f 1)
	(
		# Not to be held by anything that outlives us.
		flock 9
		"$@" 9>&-
	) 9>"$top/lock" || status=$?
	return "$status"
}

# build the module and install it into the private tree
build_module()
{
	local tree=$LS_BUILD/tree
	local -a arguments=(-s --no-print-directory -C "$tree" "PG_CONFIG=$PG_CONFIG" EXTRA_CXXFLAGS=-g0)
	sync_sources "$tree" || return 1
	[ -z "${CXX:-}" ] || arguments+=("CXX=$CXX")
	if ! make -j "$(nproc)" "${arguments[@]}" >"$LS_TMP/make.log" 2>&1 ||
		! make install DESTDIR="$LS_TMP/root" "${arguments[@]}" >>"$LS_TMP/make.log" 2>&1; then
		cat "$LS_TMP/make.log" >&2
		echo "the build failed" >&2
		return 1
	fi
	# That is, warnings.
	cat "$LS_TMP/make.log" >&2
}

# build the copy of PostgreSQL and install the extension into it
cluster_install()
{
	local bindir libdir sharedir
	bindir=$("$PG_CONFIG" --bindir)
	libdir=$("$PG_CONFIG" --pkglibdir)
	sharedir=$("$PG_CONFIG" --sharedir)
	LS_BIN=$LS_TMP/root$bindir
	mkdir -p "$LS_BIN" "$LS_TMP/root$libdir" "$LS_TMP/root$sharedir"
	# By name, because a PostgreSQL of somebody's own may live in /usr/local/bin with much else.
	find "$bindir/" -maxdepth 1 -type f \( -name 'pg_*' -o -name postgres -o -name psql -o -name initdb \
		-o -name pgbench -o -name '*db' -o -name '*user' \) -exec cp -t "$LS_BIN" {} +
	cp -rs "$libdir/." "$LS_TMP/root$libdir/"
	cp -rs "$sharedir/." "$LS_TMP/root$sharedir/"
	# A copy of ours that somebody has installed for real is not what is to be tested.
	rm -f "$LS_TMP/root$libdir"/lead_scoring* "$LS_TMP/root$sharedir"/extension/lead_scoring*
	with_build build_module
}

# initialise and start the server, and point the client programs to it
cluster_start()
{
	local home=$LS_TMP/pg log=$LS_TMP/pg/log
	mkdir "$home"
	[ "$(id -u)" != 0 ] || chown "$SERVER_USER" "$home"
	as_server "$LS_BIN/initdb" -D "$home/data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 --no-sync \
		>"$LS_TMP/initdb.log" 2>&1 || {
		cat "$LS_TMP/initdb.log" >&2
		return 1
	}
	as_server tee -a "$home/data/postgresql.conf" >/dev/null <<-CONF
		listen_addresses = ''
		unix_socket_directories = '$home'
		unix_socket_permissions = 0700
		fsync = off
		synchronous_commit = off
		full_page_writes = off
		max_pred_locks_per_transaction = 256
		${EXTRA_CONF:-}
	CONF
	as_server "$LS_BIN/pg_ctl" -D "$home/data" -l "$log" -w -t 120 -s start || {
		cat "$log" >&2
		return 1
	}
	unset PGSERVICE PGHOSTADDR PGPASSWORD PGOPTIONS
	export PG_CONFIG LS_BIN PGHOST=$home PGPORT=5432 PGUSER=postgres PGDATABASE=postgres PATH=$LS_BIN:$PATH
}

# end the command, stop the server and remove the directory, whatever happened
# shellcheck disable=SC2317 # called by the trap
cluster_end()
{
	local status=$?
	set +e
	trap '' HUP INT PIPE TERM
	trap - EXIT
	if [ -n "${LS_CHILD:-}" ]; then
		kill -TERM -- "-$LS_CHILD" 2>/dev/null && wait "$LS_CHILD" 2>/dev/null
	fi
	if [ -e "$LS_TMP/pg/data/postmaster.pid" ]; then
		as_server "$LS_BIN/pg_ctl" -D "$LS_TMP/pg/data" -s -w -t 30 -m fast stop >/dev/null 2>&1 ||
			as_server "$LS_BIN/pg_ctl" -D "$LS_TMP/pg/data" -s -w -t 30 -m immediate stop
	fi
	if [ -n "${KEEP:-}" ]; then
		echo "kept: $LS_TMP" >&2
	elif [ -n "$LS_TMP" ]; then
		rm -rf "$LS_TMP"
	fi
	exit "$status"
}

# run a command so that a signal ends it and us at once
run_child()
{
	local status=0
	if [ -t 0 ]; then
		# At a terminal the command may want the keyboard, and Ctrl-C reaches it by itself.
		"$@" || status=$?
	else
		# bash would put a trap off until a command in the foreground ends. Job control gives the
		# child a process group of its own, and with it signals that are not ignored.
		set -m
		"$@" <&0 &
		LS_CHILD=$!
		set +m
		wait "$LS_CHILD" || status=$?
		LS_CHILD=
	fi
	return "$status"
}
