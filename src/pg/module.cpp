#include "pg/postgres_api.hpp"

#include "pg/settings.hpp"

LEAD_SCORING_EXPORT_BEGIN
PG_MODULE_MAGIC;
void _PG_init(void);
LEAD_SCORING_EXPORT_END

// Declare the settings
void
_PG_init(void)
{
	lead_scoring::pg::define_settings();
}
