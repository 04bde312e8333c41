#include "pg/postgres_api.hpp"

LEAD_SCORING_EXPORT_BEGIN
PG_MODULE_MAGIC;
void _PG_init(void);
LEAD_SCORING_EXPORT_END

namespace
{

// Set by the triggers that change several definition tables in one statement, so that scores are not computed from a
// definition that is half changed; read in SQL
bool cascading = false;

} // namespace

// Declare the settings
void
_PG_init(void)
{
	DefineCustomBoolVariable("lead_scoring.cascading", "Whether a change of definitions is under way.",
							 "Set by the extension itself.", &cascading, false, PGC_USERSET,
							 GUC_NO_SHOW_ALL | GUC_NOT_IN_SAMPLE | GUC_DISALLOW_IN_FILE, nullptr, nullptr, nullptr);
}
