#include "pg/postgres_api.hpp"

#include "pg/settings.hpp"

namespace lead_scoring::pg
{

namespace
{

// Set by the triggers that change several definition tables in one statement, so that scores are not computed from a
// definition that is half changed; read in SQL
bool cascading = false;

// In kilobytes
int work_memory = 256 * 1024;

bool allow_score_writes = false;

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
	DefineCustomIntVariable("lead_scoring.work_mem",
							"Memory that the evaluation of a score may use for what it knows of the records.",
							"In each process that takes part. Records that do not fit are scored in several passes.",
							&work_memory, 256 * 1024, 4 * 1024, MAX_KILOBYTES, PGC_USERSET, GUC_UNIT_KB, nullptr, nullptr,
							nullptr);
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

} // namespace lead_scoring::pg
