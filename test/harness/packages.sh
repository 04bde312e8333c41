# shellcheck shell=bash
# Sourced. require_packages build|check finds a PostgreSQL to build with, installs by apt what is
# missing, and exports PG_CONFIG. Each package is asked for by something it brings, not by its name, so
# that what was installed another way counts, and so that this works, as a check, where apt does not exist.

# print the pg_config of a complete PostgreSQL (server, client, PGXS) or fail
complete_pg_config()
{
	local candidate=$1
	candidate=$(command -v "$candidate") || return 1
	[ -e "$("$candidate" --pgxs)" ] && [ -x "$("$candidate" --bindir)/initdb" ] || return 1
	# Debian's /usr/bin/pg_config is a wrapper for the newest installed version.
	echo "$("$candidate" --bindir)/pg_config"
}

# print the major version of PostgreSQL that the distribution calls its own, or nothing
distribution_major()
{
	apt-cache show --no-all-versions postgresql 2>/dev/null |
		sed -n 's/^Depends:.*postgresql-\([0-9][0-9]*\).*/\1/p' | head -n 1 || true
}

as_root()
{
	if [ "$(id -u)" = 0 ]; then
		"$@"
	else
		sudo "$@"
	fi
}

# run apt-get with the options that make it work without a person and beside other runs, and show what it
# says only if it fails
apt_get()
{
	local log status=0
	log=$(mktemp)
	# One at a time: apt waits for dpkg's lock by itself but not for that of its lists.
	as_root flock /var/lib/apt env DEBIAN_FRONTEND=noninteractive \
		apt-get -q -o DPkg::Lock::Timeout=600 "$@" >"$log" 2>&1 || status=$?
	[ "$status" = 0 ] || cat "$log" >&2
	rm -f "$log"
	return "$status"
}

# install packages, without the cluster "main" that Debian would create and start for a new server
apt_install()
{
	local drop_in=/etc/postgresql-common/createcluster.d/lead_scoring.conf status=0
	as_root mkdir -p "${drop_in%/*}"
	echo 'create_main_cluster = false' | as_root tee "$drop_in" >/dev/null
	apt_get install -y --no-install-recommends "$@" || status=$?
	as_root rm -f "$drop_in"
	as_root rmdir --ignore-fail-on-non-empty "${drop_in%/*}"
	return "$status"
}

# print the packages, for level $1 and PostgreSQL $2, whose contents are not there
missing_packages()
{
	local level=$1 major=$2 compiler=${CXX:-g++} bindir share
	if [ -n "$PG_CONFIG" ]; then
		bindir=$("$PG_CONFIG" --bindir)
		share=$("$PG_CONFIG" --sharedir)
	else
		bindir=/usr/lib/postgresql/$major/bin
		share=/usr/share/postgresql/$major
	fi
	command -v make >/dev/null || echo make
	command -v "${compiler%% *}" >/dev/null || case ${CXX:-g++} in
		clang++) echo clang ;;
		*) echo "${CXX:-g++}" ;;
	esac
	[ -e /usr/include/fmt/core.h ] || [ -e /usr/local/include/fmt/core.h ] || echo libfmt-dev
	[ -e /usr/include/eigen3/Eigen/Core ] || [ -e /usr/local/include/eigen3/Eigen/Core ] || echo libeigen3-dev
	[ -e /usr/include/nlohmann/json.hpp ] || [ -e /usr/local/include/nlohmann/json.hpp ] || echo nlohmann-json3-dev
	[ -e /usr/include/xgboost/c_api.h ] || [ -e /usr/local/include/xgboost/c_api.h ] || echo libxgboost-dev
	[ -x "$bindir/initdb" ] || echo "postgresql${major:+-$major}"
	[ -x "$bindir/psql" ] || echo "postgresql-client${major:+-$major}"
	[ -n "$PG_CONFIG" ] || [ -e "/usr/lib/postgresql/$major/lib/pgxs/src/makefiles/pgxs.mk" ] ||
		echo "postgresql-server-dev-$major"
	[ "$level" = check ] || return 0
	command -v cmake >/dev/null || echo cmake
	[ -e /usr/include/gtest/gtest.h ] || [ -e /usr/local/include/gtest/gtest.h ] || echo libgtest-dev
	[ -e "$share/extension/pgtap.control" ] || echo "postgresql-$major-pgtap"
	{ command -v prove && perl -MTest::More -e 1; } >/dev/null 2>&1 || echo perl
}

# require_packages LEVEL, LEVEL being build (a server and the module) or check (all the tests, too)
require_packages()
{
	local level=$1 major='' updated='' given=${PG_CONFIG:-}
	local -a missing
	if [ -n "$given" ]; then
		PG_CONFIG=$(complete_pg_config "$given") || {
			echo "PG_CONFIG=$given is not that of a PostgreSQL with server, client and PGXS" >&2
			return 1
		}
	else
		PG_CONFIG=$(complete_pg_config pg_config) || PG_CONFIG=
	fi

	if [ -n "$PG_CONFIG" ]; then
		major=$("$PG_CONFIG" --version | sed 's/^[^0-9]*\([0-9]*\).*/\1/')
	elif command -v apt-cache >/dev/null; then
		major=$(distribution_major)
		# A fresh image has no package lists.
		[ -n "$major" ] || { apt_get update && updated=yes && major=$(distribution_major); }
	fi

	mapfile -t missing < <(missing_packages "$level" "$major")
	if [ ${#missing[@]} -gt 0 ]; then
		if ! command -v apt-get >/dev/null || { [ "$(id -u)" != 0 ] && ! command -v sudo >/dev/null; }; then
			echo "missing, and neither root nor sudo with apt here to install: ${missing[*]}" >&2
			return 1
		fi
		echo "installing: ${missing[*]}" >&2
		[ -n "$updated" ] || apt_get update || return 1
		apt_install "${missing[@]}" || return 1
	fi
	[ -n "$PG_CONFIG" ] || PG_CONFIG=/usr/lib/postgresql/$major/bin/pg_config
	export PG_CONFIG
}
