// What was kept about a score goes when the score is switched off or deleted.
#include "pg/postgres_api.hpp"

#include "pg/own_tables.hpp"
#include "pg/statistics.hpp"

extern "C"
{
#include "commands/trigger.h"
}

LEAD_SCORING_FUNCTION(lead_scoring_clear_upkeep);

namespace lead_scoring::pg
{

namespace
{

OwnCommand commands[] = {
	{"DELETE FROM lead_scoring.due WHERE score = $1", 1, {TEXTOID}, nullptr},
	{"DELETE FROM lead_scoring.queue WHERE score = $1", 1, {TEXTOID}, nullptr},
	{"DELETE FROM lead_scoring.parked WHERE score = $1", 1, {TEXTOID}, nullptr},
	{"DELETE FROM lead_scoring.score_state WHERE score = $1", 1, {TEXTOID}, nullptr},
};

} // namespace

} // namespace lead_scoring::pg

// Trigger on lead_scoring.score, when a row is no longer active
Datum
lead_scoring_clear_upkeep(PG_FUNCTION_ARGS)
{
	using namespace lead_scoring::pg;

	if (!CALLED_AS_TRIGGER(fcinfo))
	{
		ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
						errmsg("lead_scoring.clear_upkeep() was not called by a trigger"),
						errhint("The extension calls it.")));
	}
	auto *trigger = reinterpret_cast<TriggerData *>(fcinfo->context);
	const char *name =
		SPI_getvalue(trigger->tg_trigtuple, RelationGetDescr(trigger->tg_relation),
					 SPI_fnumber(RelationGetDescr(trigger->tg_relation), "name"));
	Datum value = CStringGetTextDatum(name);
	for (OwnCommand &command : commands)
	{
		run_own_command(&command, &value);
	}
	forget_evaluations(name);
	PG_RETURN_POINTER(nullptr);
}
