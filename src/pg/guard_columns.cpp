// Score columns are written by the extension only.
#include "pg/postgres_api.hpp"

#include "pg/session.hpp"
#include "pg/settings.hpp"
#include "pg/write_changes.hpp"

extern "C"
{
#include "commands/trigger.h"
}

LEAD_SCORING_FUNCTION(lead_scoring_guard);

namespace lead_scoring::pg
{

namespace
{

bool
may_write_scores()
{
	return is_writing_scores() || score_writes_allowed() || is_restoring();
}

} // namespace

} // namespace lead_scoring::pg

// Refuse to let a row be written whose scores differ from what is stored
Datum
lead_scoring_guard(PG_FUNCTION_ARGS)
{
	using namespace lead_scoring::pg;

	if (!CALLED_AS_TRIGGER(fcinfo))
	{
		ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED), errmsg("lead_scoring.guard() is a trigger function"),
						errhint("lead_scoring.activate() attaches it where it is needed.")));
	}
	auto *trigger = reinterpret_cast<const TriggerData *>(fcinfo->context);
	if (!TRIGGER_FIRED_BEFORE(trigger->tg_event) || !TRIGGER_FIRED_FOR_ROW(trigger->tg_event) ||
		TRIGGER_FIRED_BY_DELETE(trigger->tg_event))
	{
		ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
						errmsg("lead_scoring.guard() must be fired before INSERT or UPDATE, for each row"),
						errhint("lead_scoring.activate() attaches it where it is needed.")));
	}
	if (!may_write_scores())
	{
		ereport(ERROR, (errcode(ERRCODE_GENERATED_ALWAYS),
						errmsg("the score columns of \"%s\" are read-only", RelationGetRelationName(trigger->tg_relation)),
						errdetail("The extension computes them from the facts."),
						errhint("To add points by hand, insert a row into lead_scoring.adjustment. A superuser may set "
								"lead_scoring.allow_score_writes for repairs.")));
	}
	HeapTuple row = TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) ? trigger->tg_newtuple : trigger->tg_trigtuple;
	return PointerGetDatum(row);
}
