#include "pg/postgres_api.hpp"

#include "pg/attach.hpp"

#include "pg/confirm_triggers.hpp"
#include "pg/fill.hpp"
#include "pg/flush.hpp"
#include "pg/own_extension.hpp"
#include "pg/query.hpp"
#include "pg/score_columns.hpp"
#include "pg/session.hpp"
#include "pg/table_locks.hpp"

extern "C"
{
#include "catalog/pg_inherits.h"
#include "catalog/pg_trigger.h"
#include "commands/trigger.h"
#include "lib/stringinfo.h"
#include "storage/lmgr.h"
#include "utils/snapmgr.h"
}

namespace lead_scoring::pg
{

namespace
{

constexpr const char *guard_update = "lead_scoring_guard_update";
constexpr const char *guard_insert = "lead_scoring_guard_insert";

bool
has_trigger(Oid relation, const char *name)
{
	return OidIsValid(get_trigger_oid(relation, name, true));
}

// Run commands about a table as its owner
void
run_as_owner(Oid relation, const char *sql)
{
	Session session = begin_as_table_owner(owner_of(relation));

	execute_command(sql);
	end_session(session);
}

// Make a trigger, which goes with the extension
void
make_trigger(Oid relation, const char *trigger, const char *event, const char *function)
{
	run_as_owner(relation, psprintf("CREATE TRIGGER %s %s ON %s FOR EACH %s", trigger, event, relation_sql(relation), function));
	tie_to_extension(TriggerRelationId, get_trigger_oid(relation, trigger, false));
}

// Make a trigger that fires whatever the role of the session in replication
void
make_always(Oid relation, const char *trigger, const char *event, const char *function)
{
	make_trigger(relation, trigger, event, function);
	run_as_owner(relation, psprintf("ALTER TABLE %s ENABLE ALWAYS TRIGGER %s", relation_sql(relation), trigger));
}

void
attach_to(Oid relation, bool is_part)
{
	if (!has_trigger(relation, hold_trigger))
	{
		// Whoever is going to lock rows waits before he does, and knows then which updates matter
		make_trigger(relation, hold_trigger, "BEFORE INSERT OR UPDATE OR DELETE", "STATEMENT EXECUTE FUNCTION lead_scoring.hold()");
	}
	// Partitions get the triggers for rows from above
	bool has_own = !(is_part && get_rel_relispartition(relation));

	if (has_own && !has_trigger(relation, touch_trigger))
	{
		make_always(relation, touch_trigger, "AFTER INSERT OR DELETE", "ROW EXECUTE FUNCTION lead_scoring.touch()");
	}
	if (has_own && !has_trigger(relation, touch_update_trigger))
	{
		// Not the columns by their names: they could not be dropped any more, and rules come and go
		make_always(relation, touch_update_trigger, "AFTER UPDATE",
					"ROW WHEN (lead_scoring.matters(OLD.ctid, NEW.ctid)) EXECUTE FUNCTION lead_scoring.touch()");
	}
	if (!has_trigger(relation, flush_trigger))
	{
		make_always(relation, flush_trigger, "AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE",
					"STATEMENT EXECUTE FUNCTION lead_scoring.flush()");
	}
}

// What others cannot read keeps no columns current that they read, or write
void
refuse_temporary(const char *score, Oid relation)
{
	if (get_rel_persistence(relation) == RELPERSISTENCE_TEMP)
	{
		ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE),
						errmsg("\"%s\" is temporary: score \"%s\" cannot be kept current from it", get_rel_name(relation), score),
						errhint("Other sessions cannot read it. Use a permanent table; lead_scoring.evaluate() reads temporary ones.")));
	}
}

void
tell_of_unwatched(const char *score, Oid relation)
{
	ereport(NOTICE, (errmsg("\"%s\" is not a table: its changes reach score \"%s\" with the next refresh", get_rel_name(relation), score),
					 errhint("lead_scoring.refresh_due() brings such scores up to date every "
							 "lead_scoring.refresh_interval.")));
}

void
attach_to_all(const char *score, Oid relation, bool activating)
{
	ListCell *cell;

	refuse_temporary(score, relation);
	if (!can_have_triggers(relation) && !activating)
	{
		return;
	}
	if (!can_have_triggers(relation))
	{
		tell_of_unwatched(score, relation);
		return;
	}
	await_writers(score, relation);
	foreach (cell, find_all_inheritors(relation, AccessShareLock, nullptr))
	{
		if (can_have_triggers(lfirst_oid(cell)))
		{
			attach_to(lfirst_oid(cell), lfirst_oid(cell) != relation);
			if (activating)
			{
				confirm_triggers(lfirst_oid(cell));
			}
		}
		else if (activating)
		{
			tell_of_unwatched(score, lfirst_oid(cell));
		}
	}
}

void
drop_trigger(Oid relation, const char *name)
{
	if (has_trigger(relation, name))
	{
		run_as_owner(relation, psprintf("DROP TRIGGER %s ON %s", name, relation_sql(relation)));
	}
}

// Write the conditions under which somebody touches guarded columns
void
append_conditions(const char *score, StringInfo update, StringInfo insert)
{
	ScoreColumns columns = score_columns(score);

	for (const char *column : {columns.total, columns.fit, columns.engagement, columns.label})
	{
		const char *name = quote_identifier(column);
		appendStringInfo(update, "%sOLD.%s IS DISTINCT FROM NEW.%s", update->len == 0 ? "" : " OR ", name, name);
		appendStringInfo(insert, "%sNEW.%s IS NOT NULL", insert->len == 0 ? "" : " OR ", name);
	}
}

void
make_guard(Oid target, const char *trigger, const char *event, const char *condition)
{
	make_trigger(target, trigger, event, psprintf("ROW WHEN (%s) EXECUTE FUNCTION lead_scoring.guard()", condition));
}

} // namespace

void
attach_triggers(const LoadedScore *score, bool activating)
{
	if (decided_by_row(score) && !has_trigger(score->target, fill_trigger))
	{
		make_trigger(score->target, fill_trigger, "BEFORE INSERT OR UPDATE", "ROW EXECUTE FUNCTION lead_scoring.fill()");
	}
	attach_to_all(score->name, score->records->relation, activating);
	if (!score->own_target)
	{
		attach_to_all(score->name, score->target, activating);
	}
	for (size_t at = 0; at < score->definition.sources.size(); at++)
	{
		attach_to_all(score->name, score->sources[at]->relation, activating);
		if (OidIsValid(score->sources[at]->hop.relation))
		{
			attach_to_all(score->name, score->sources[at]->hop.relation, activating);
		}
	}
}

void
detach_triggers(Oid relation)
{
	ListCell *cell;

	if (!OidIsValid(owner_of(relation)) || !can_have_triggers(relation) || is_used(relation, nullptr))
	{
		return;
	}
	if (!lock_at_once(relation))
	{
		ereport(NOTICE, (errmsg("the triggers of lead_scoring on \"%s\" stay, as others are at it all the time", get_rel_name(relation)),
						 errhint("They do nothing any more, and go when a score that uses the table is switched off the next time.")));
		return;
	}
	foreach (cell, find_all_inheritors(relation, ShareRowExclusiveLock, nullptr))
	{
		drop_trigger(lfirst_oid(cell), hold_trigger);
		drop_trigger(lfirst_oid(cell), flush_trigger);
		drop_trigger(lfirst_oid(cell), fill_trigger);
		if (!get_rel_relispartition(lfirst_oid(cell)) || lfirst_oid(cell) == relation)
		{
			drop_trigger(lfirst_oid(cell), touch_trigger);
			drop_trigger(lfirst_oid(cell), touch_update_trigger);
		}
	}
}

void
guard_columns(Oid target, const char *but)
{
	StringInfoData update;
	StringInfoData insert;
	const char *const parameters[] = {psprintf("%u", target), but};

	initStringInfo(&update);
	initStringInfo(&insert);
	Session session = begin_as_table_owner(definitions_owner());
	QueryRows rows = run_query(CurrentMemoryContext,
							   "SELECT s.name FROM lead_scoring.score s JOIN lead_scoring.record_type t "
							   "ON t.name = s.record_type WHERE s.status = 'active' AND coalesce(s.target, t.relation) = $1::oid "
							   "AND s.name IS DISTINCT FROM $2 ORDER BY s.name",
							   2, parameters);
	for (uint64 row = 0; row < rows.count; row++)
	{
		append_conditions(text_at(rows, row, 1), &update, &insert);
	}
	end_session(session);
	drop_trigger(target, guard_update);
	drop_trigger(target, guard_insert);
	if (update.len == 0)
	{
		return;
	}
	if (get_rel_relkind(target) == RELKIND_PARTITIONED_TABLE)
	{
		// A row that moves to another partition is updated for triggers before, not for those afterwards, and inserted
		// there as it is; whatever comes along is computed anew anyway
		make_guard(target, guard_update, "BEFORE UPDATE", update.data);
		return;
	}
	// Updates are seen to by lead_scoring.touch(): a trigger before them would lock each row once more, at a price
	make_guard(target, guard_insert, "BEFORE INSERT", insert.data);
}

} // namespace lead_scoring::pg
