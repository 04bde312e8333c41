#include "pg/postgres_api.hpp"

#include "pg/held.hpp"
#include "pg/idle_update.hpp"
#include "pg/kept_score.hpp"
#include "pg/own_tables.hpp"
#include "pg/settings.hpp"
#include "pg/statistics.hpp"
#include "pg/touched.hpp"
#include "pg/worker.hpp"

LEAD_SCORING_EXPORT_BEGIN
PG_MODULE_MAGIC;
void _PG_init(void);
LEAD_SCORING_EXPORT_END

// Declare the settings, and ask to be told of changes; while the server starts, ask for shared memory and for the
// background worker
void
_PG_init(void)
{
	lead_scoring::pg::define_settings();
	lead_scoring::pg::watch_own_relations();
	lead_scoring::pg::watch_definitions();
	lead_scoring::pg::watch_transactions();
	lead_scoring::pg::watch_held_definitions();
	lead_scoring::pg::watch_statements();
	if (process_shared_preload_libraries_in_progress && !IsBinaryUpgrade)
	{
		lead_scoring::pg::request_statistics_memory();
		lead_scoring::pg::register_launcher();
	}
}
