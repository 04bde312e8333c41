// Score columns are written by the extension only.
#include "pg/postgres_api.hpp"

#include "pg/guard_columns.hpp"

#include "pg/flush.hpp"
#include "pg/session.hpp"
#include "pg/settings.hpp"
#include "pg/writing.hpp"

extern "C"
{
#include "commands/trigger.h"
}

LEAD_SCORING_FUNCTION(lead_scoring_guard);

namespace lead_scoring::pg
{

namespace
{

// Whether a trigger computes scores in each row that is on its way into a relation; of those that a publisher sends none does
bool
fills(Oid id)
{
	Relation relation = relation_open(id, AccessShareLock);
	bool found = SessionReplicationRole != SESSION_REPLICATION_ROLE_REPLICA && has_enabled_trigger(relation, fill_trigger);

	relation_close(relation, NoLock);
	return found;
}

bool
is_rightly_timed(TriggerEvent event)
{
	return TRIGGER_FIRED_FOR_ROW(event) && TRIGGER_FIRED_BEFORE(event) && !TRIGGER_FIRED_BY_DELETE(event);
}

} // namespace

bool
is_score_written(const PathStarts *starts, const Rows &rows)
{
	for (int at = 0; at < list_length(starts->kept); at++)
	{
		auto *kept = static_cast<const KeptColumns *>(list_nth(starts->kept, at));
		if (!left_alone(kept->columns, rows) && !(kept->score->filled && fills(starts->relation)))
		{
			return true;
		}
	}
	return false;
}

bool
may_write_scores()
{
	return is_writing_scores() || score_writes_allowed() || is_restoring();
}

void
refuse_write(Relation relation)
{
	ereport(ERROR, (errcode(ERRCODE_GENERATED_ALWAYS),
					errmsg("the score columns of \"%s\" are read-only", RelationGetRelationName(relation)),
					errdetail("The extension computes them from the facts."),
					errhint("To add points by hand, insert a row into lead_scoring.adjustment. A superuser may set "
							"lead_scoring.allow_score_writes for repairs.")));
	pg_unreachable();
}

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
	if (!is_rightly_timed(trigger->tg_event))
	{
		ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
						errmsg("lead_scoring.guard() must be fired before INSERT or UPDATE, for each row"),
						errhint("lead_scoring.activate() attaches it where it is needed.")));
	}
	if (!may_write_scores())
	{
		refuse_write(trigger->tg_relation);
	}
	HeapTuple row = TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) ? trigger->tg_newtuple : trigger->tg_trigtuple;
	return PointerGetDatum(row);
}
