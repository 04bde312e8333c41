#include "pg/postgres_api.hpp"

#include "pg/idle_update.hpp"

#include "pg/kept_score.hpp"

extern "C"
{
#include "access/sysattr.h"
#include "nodes/plannodes.h"
#include "tcop/pquery.h"
#include "utils/memutils.h"
#include "utils/portal.h"
}

namespace lead_scoring::pg
{

namespace
{

// The statement, by the memory of its execution, which ends with it; null if there is none
MemoryContext idle_statement = nullptr;
Oid idle_relation = InvalidOid;
uint64 idle_version = 0;

// Both a trigger before a statement and the condition of a trigger are called in memory that lasts for a row, within that of the
// execution
MemoryContext
current_statement()
{
	return MemoryContextGetParent(CurrentMemoryContext);
}

// Whether a statement is known to update each table in one place only: of several, WITH clauses among them, PostgreSQL fires the
// trigger before the statement for the first alone. Known is what the session was sent, not what functions run
bool
updates_in_one_place(MemoryContext statement)
{
	ListCell *cell;

	if (ActivePortal == nullptr || MemoryContextGetParent(statement) != ActivePortal->portalContext)
	{
		return false;
	}
	foreach (cell, ActivePortal->stmts)
	{
		auto *planned = lfirst_node(PlannedStmt, cell);
		if (planned->commandType == CMD_UTILITY || planned->hasModifyingCTE)
		{
			return false;
		}
	}
	return true;
}

void
forget_statement(void *statement)
{
	if (idle_statement == statement)
	{
		idle_statement = nullptr;
	}
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
assigns_any(const TriggerData *trigger, const Bitmapset *columns)
{
	for (int column = -1; (column = bms_next_member(columns, column)) >= 0;)
	{
		if (bms_is_member(column - FirstLowInvalidHeapAttributeNumber, trigger->tg_updatedcols))
		{
			return true;
		}
	}
	return false;
}

} // namespace

void
note_idle_update(const TriggerData *trigger, const PathStarts *starts)
{
	MemoryContext statement = current_statement();

	if (statement == nullptr || starts->all_matter || !updates_in_one_place(statement) ||
		!takes_rows_as_assigned(trigger->tg_relation) || assigns_any(trigger, starts->watched))
	{
		return;
	}
	if (idle_statement != statement)
	{
		auto *callback = static_cast<MemoryContextCallback *>(MemoryContextAlloc(statement, sizeof(MemoryContextCallback)));
		callback->func = forget_statement;
		callback->arg = statement;
		MemoryContextRegisterResetCallback(statement, callback);
		idle_statement = statement;
	}
	idle_relation = starts->relation;
	idle_version = definitions_version();
}

bool
is_idle_update(Oid relation)
{
	return idle_statement != nullptr && idle_statement == current_statement() && idle_relation == relation &&
		   idle_version == definitions_version();
}

} // namespace lead_scoring::pg
