#include "pg/session.hpp"

extern "C"
{
#include "storage/proc.h"
#include "utils/syscache.h"
}

namespace lead_scoring::pg
{

namespace
{

void
set_option(const char *name, const char *value)
{
	set_config_option(name, value, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
}

void
set_safe_path()
{
	set_option("search_path", "pg_catalog, pg_temp");
	// Many small queries, and large ones without expressions: compiling them would only cost
	set_option("jit", "off");
}

void
set_neutral()
{
	// What a constant looks like and what a date is must not depend on who asks: a score is a function of the facts,
	// the definition and as_of alone
	static const char *const settings[][2] = {
		{"TimeZone", "UTC"},          {"DateStyle", "ISO, YMD"},  {"IntervalStyle", "postgres"},
		{"extra_float_digits", "1"},  {"bytea_output", "hex"},    {"standard_conforming_strings", "on"},
		{"transform_null_equals", "off"}, {"array_nulls", "on"},      {"quote_all_identifiers", "off"},
		{"xmloption", "content"},     {"xmlbinary", "base64"},    {"lc_monetary", "C"},
		{"lc_numeric", "C"},          {"lc_time", "C"},           {"default_text_search_config", "pg_catalog.simple"},
	};

	set_safe_path();
	for (const auto &setting : settings)
	{
		set_option(setting[0], setting[1]);
	}
}

} // namespace

Session
begin_bare()
{
	Session session;

	GetUserIdAndSecContext(&session.user, &session.security_context);
	session.guc_level = NewGUCNestLevel();
	return session;
}

Session
begin_safe_path()
{
	Session session = begin_bare();

	set_safe_path();
	return session;
}

Session
begin_neutral()
{
	Session session = begin_bare();

	set_neutral();
	return session;
}

Session
begin_as_owner(Oid owner)
{
	Session session = begin_neutral();

	set_option("row_security", "off");
	become_owner(owner, session);
	return session;
}

Session
begin_as_table_owner(Oid owner)
{
	Session session = begin_safe_path();

	set_option("row_security", "off");
	SetUserIdAndSecContext(owner, session.security_context | SECURITY_LOCAL_USERID_CHANGE);
	return session;
}

Session
begin_for_owners(bool settings_matter)
{
	Session session = begin_bare();

	prepare_for_owners(settings_matter);
	return session;
}

void
prepare_for_owners(bool settings_matter)
{
	if (settings_matter)
	{
		set_neutral();
	}
	else
	{
		set_safe_path();
	}
	set_option("row_security", "off");
}

void
become_owner(Oid owner, const Session &session)
{
	SetUserIdAndSecContext(owner, session.security_context | SECURITY_RESTRICTED_OPERATION | SECURITY_LOCAL_USERID_CHANGE);
}

void
give_reason(const char *reason)
{
	set_option("lead_scoring.reason", reason);
}

void
prefer_single_lookups()
{
	set_option("enable_seqscan", "off");
	set_option("enable_bitmapscan", "off");
}

void
forbid_whole_scans()
{
	set_option("enable_seqscan", "off");
	set_option("max_parallel_workers_per_gather", "0");
}

void
do_not_wait()
{
	set_option("lock_timeout", "1ms");
}

void
wait_at_most(int milliseconds)
{
	if (LockTimeout == 0)
	{
		set_option("lock_timeout", psprintf("%dms", milliseconds));
	}
}

void
prefer_bitmaps(size_t bytes)
{
	forbid_whole_scans();
	set_option("enable_indexscan", "off");
	set_option("enable_bitmapscan", "on");
	set_option("work_mem", psprintf("%zu", Min(bytes / 1024, static_cast<size_t>(MAX_KILOBYTES))));
}

void
end_session(const Session &session)
{
	AtEOXact_GUC(false, session.guc_level);
	SetUserIdAndSecContext(session.user, session.security_context);
}

Oid
owner_of(Oid relation)
{
	HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relation));

	if (!HeapTupleIsValid(tuple))
	{
		return InvalidOid;
	}
	Oid owner = reinterpret_cast<Form_pg_class>(GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);
	return owner;
}


Oid
definitions_owner()
{
	return owner_of(get_relname_relid("score", get_namespace_oid("lead_scoring", false)));
}

bool
is_restoring()
{
	return !check_function_bodies && has_privs_of_role(GetUserId(), definitions_owner());
}

} // namespace lead_scoring::pg
