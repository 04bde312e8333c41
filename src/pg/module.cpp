#include "pg/postgres_api.hpp"

#include "pg/kept_score.hpp"
#include "pg/settings.hpp"
#include "pg/touched.hpp"

LEAD_SCORING_EXPORT_BEGIN
PG_MODULE_MAGIC;
void _PG_init(void);
LEAD_SCORING_EXPORT_END

// Declare the settings, and ask to be told of changes
void
_PG_init(void)
{
	lead_scoring::pg::define_settings();
	lead_scoring::pg::watch_definitions();
	lead_scoring::pg::watch_transactions();
}
