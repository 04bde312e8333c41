#include "pg/postgres_api.hpp"

#include "pg/settings.hpp"

extern "C"
{
#include "utils/guc.h"
#include "utils/varlena.h"
}

namespace lead_scoring::pg
{

namespace
{

// Set by the triggers that change several definition tables in one statement, so that scores are not computed from a
// definition that is half changed; read in SQL
bool cascading = false;

// Set by the triggers that refresh scores, for the history
char *reason = nullptr;

// In kilobytes
int work_memory = 256 * 1024;

bool allow_score_writes = false;
// In milliseconds
int refresh_interval = 15 * 60 * 1000;
int naptime = 1000;

char *databases = nullptr;

// A list that cannot be read would stop all workers
bool
check_databases(char **value, void **, GucSource)
{
	List *names = NIL;
	char *copy = pstrdup(*value);
	bool valid = SplitIdentifierString(copy, ',', &names);

	if (!valid)
	{
		GUC_check_errdetail("List syntax is invalid.");
		GUC_check_errhint("Separate the names of databases by commas; names in upper case or with blanks stand in double quotes.");
	}
	list_free(names);
	pfree(copy);
	return valid;
}

} // namespace

void
define_settings()
{
	DefineCustomBoolVariable("lead_scoring.allow_score_writes", "Whether score columns can be written by hand.",
							 "For repairs; the next evaluation of a record writes them again.", &allow_score_writes, false,
							 PGC_SUSET, 0, nullptr, nullptr, nullptr);
	DefineCustomBoolVariable("lead_scoring.cascading", "Whether a change of definitions is under way.",
							 "Set by the extension itself.", &cascading, false, PGC_USERSET,
							 GUC_NO_SHOW_ALL | GUC_NOT_IN_SAMPLE | GUC_DISALLOW_IN_FILE, nullptr, nullptr, nullptr);
	DefineCustomStringVariable("lead_scoring.reason", "Why scores are refreshed.", "Set by the extension itself.", &reason,
							   "time", PGC_USERSET, GUC_NO_SHOW_ALL | GUC_NOT_IN_SAMPLE | GUC_DISALLOW_IN_FILE, nullptr,
							   nullptr, nullptr);
	DefineCustomIntVariable("lead_scoring.work_mem",
							"Memory that the evaluation of a score may use for what it knows of the records.",
							"In each process that takes part. Records that do not fit are scored in several passes.",
							&work_memory, 256 * 1024, 4 * 1024, MAX_KILOBYTES, PGC_USERSET, GUC_UNIT_KB, nullptr, nullptr,
							nullptr);
	DefineCustomIntVariable("lead_scoring.refresh_interval",
							"How old a stored score may become whose points fade continuously.",
							"lead_scoring.refresh_due() brings such scores along when they are older. 0: every time.",
							&refresh_interval, 15 * 60 * 1000, 0, INT_MAX, PGC_USERSET, GUC_UNIT_MS, nullptr, nullptr, nullptr);
	DefineCustomIntVariable("lead_scoring.naptime", "How long the background worker sleeps between two turns.", nullptr,
							&naptime, 1000, 10, INT_MAX / 2, PGC_SIGHUP, GUC_UNIT_MS, nullptr, nullptr, nullptr);
	DefineCustomStringVariable("lead_scoring.databases",
							   "Databases in which a background worker keeps scores current, separated by commas.",
							   "It takes shared_preload_libraries, too.", &databases, "", PGC_SIGHUP, GUC_LIST_INPUT,
							   check_databases, nullptr, nullptr);
	// What is misspelt is refused
	MarkGUCPrefixReserved("lead_scoring");
}

int64
refresh_interval_us()
{
	return static_cast<int64>(refresh_interval) * 1000;
}

int
naptime_ms()
{
	return naptime;
}

const char *
worker_databases()
{
	return databases;
}

Size
work_memory_bytes()
{
	return static_cast<Size>(work_memory) * 1024;
}

bool
score_writes_allowed()
{
	return allow_score_writes;
}

const char *
refresh_reason()
{
	return reason;
}

} // namespace lead_scoring::pg
