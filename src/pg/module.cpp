#include "pg/postgres_api.hpp"

#include "pg/settings.hpp"
#include "pg/statistics.hpp"
#include "pg/worker.hpp"

LEAD_SCORING_EXPORT_BEGIN
PG_MODULE_MAGIC;
void _PG_init(void);
LEAD_SCORING_EXPORT_END

// Declare the settings; while the server starts, ask for shared memory and for the background worker
void
_PG_init(void)
{
	lead_scoring::pg::define_settings();
	if (process_shared_preload_libraries_in_progress && !IsBinaryUpgrade)
	{
		lead_scoring::pg::request_statistics_memory();
		lead_scoring::pg::register_launcher();
	}
}
