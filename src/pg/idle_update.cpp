#include "pg/postgres_api.hpp"

#include "pg/idle_update.hpp"

#include "pg/flush.hpp"
#include "pg/held.hpp"
#include "pg/kept_score.hpp"
#include "pg/touched.hpp"

extern "C"
{
#include "access/sysattr.h"
#include "catalog/pg_trigger.h"
#include "executor/execdesc.h"
#include "executor/executor.h"
}

namespace lead_scoring::pg
{

namespace
{

// A statement that the executor runs, and the relation, if there is one, whose rows are not looked at
struct Running
{
	const QueryDesc *statement;
	ResultRelInfo *skipped;
	uint64 version; // of the definitions by which it is idle
	Running *around;
};

Running *running = nullptr;

ExecutorRun_hook_type run_before_us = nullptr;

// A relation as the running statement sees it, by a trigger of its own copy; null if it is not known
ResultRelInfo *
relation_of(const Trigger *trigger)
{
	ListCell *cell;

	if (running == nullptr)
	{
		return nullptr;
	}
	foreach (cell, running->statement->estate->es_opened_result_relations)
	{
		auto *relation = static_cast<ResultRelInfo *>(lfirst(cell));
		const TriggerDesc *triggers = relation->ri_TrigDesc;
		for (int at = 0; triggers != nullptr && at < triggers->numtriggers; at++)
		{
			if (&triggers->triggers[at] == trigger)
			{
				return relation;
			}
		}
	}
	return nullptr;
}

// Whether rows of the relation become what statements assign, nothing else
bool
takes_rows_as_assigned(Relation relation)
{
	const TupleConstr *constraints = RelationGetDescr(relation)->constr;
	const TriggerDesc *triggers = relation->trigdesc;

	bool has_generated = constraints != nullptr && constraints->has_generated_stored;
#if PG_VERSION_NUM >= 180000
	has_generated |= constraints != nullptr && constraints->has_generated_virtual;
#endif
	return relation->rd_rel->relkind == RELKIND_RELATION && !relation->rd_rel->relispartition && !relation->rd_rel->relhassubclass &&
		   !has_generated && triggers != nullptr && !triggers->trig_update_before_row;
}

bool
assigns_any(const Bitmapset *assigned, const Bitmapset *columns)
{
	for (int column = -1; (column = bms_next_member(columns, column)) >= 0;)
	{
		if (bms_is_member(column - FirstLowInvalidHeapAttributeNumber, assigned))
		{
			return true;
		}
	}
	return false;
}

bool
is_after_update(const Trigger &trigger)
{
	return trigger.tgenabled != TRIGGER_DISABLED &&
		   TRIGGER_TYPE_MATCHES(trigger.tgtype, TRIGGER_TYPE_ROW, TRIGGER_TYPE_AFTER, TRIGGER_TYPE_UPDATE);
}

// Switch our trigger after an updated row off, for one statement
void
switch_off(TriggerDesc *triggers)
{
	triggers->trig_update_after_row = false;
	for (int at = 0; at < triggers->numtriggers; at++)
	{
		Trigger &trigger = triggers->triggers[at];
		if (strcmp(trigger.tgname, touch_update_trigger) == 0)
		{
			trigger.tgenabled = TRIGGER_DISABLED;
		}
		triggers->trig_update_after_row |= is_after_update(trigger);
	}
}

// Touch all records if the definitions have changed while rows went by, and what was assigned matters by now
void
reconsider(const Running &statement)
{
	if (statement.skipped == nullptr || statement.version == definitions_version())
	{
		return;
	}
	const PathStarts *starts = hold_paths_from(RelationGetRelid(statement.skipped->ri_RelationDesc));
	if (!starts->all_matter &&
		!assigns_any(ExecGetAllUpdatedCols(statement.skipped, statement.statement->estate), starts->watched))
	{
		return;
	}
	for (int at = 0; at < starts->count; at++)
	{
		touch_everybody(starts->starts[at]);
	}
}

// Run a statement, with the further arguments that this PostgreSQL knows
template <class... Further>
void
run(QueryDesc *statement, ScanDirection direction, uint64 count, Further... further)
{
	Running frame{statement, nullptr, 0, running};

	running = &frame;
	PG_TRY();
	{
		(run_before_us == nullptr ? standard_ExecutorRun : run_before_us)(statement, direction, count, further...);
		reconsider(frame);
	}
	PG_FINALLY();
	{
		running = frame.around;
	}
	PG_END_TRY();
}

} // namespace

void
watch_statements()
{
	run_before_us = ExecutorRun_hook;
	ExecutorRun_hook = run;
}

void
skip_idle_update(const TriggerData *trigger, const PathStarts *starts)
{
	if (starts->all_matter || !takes_rows_as_assigned(trigger->tg_relation) ||
		assigns_any(trigger->tg_updatedcols, starts->watched))
	{
		return;
	}
	ResultRelInfo *relation = relation_of(trigger->tg_trigger);
	// One relation of a statement can be reconsidered
	if (relation == nullptr || running->statement->plannedstmt->hasModifyingCTE)
	{
		return;
	}
	switch_off(relation->ri_TrigDesc);
	running->skipped = relation;
	running->version = definitions_version();
}

} // namespace lead_scoring::pg
