#include "pg/postgres_api.hpp"

#include "pg/attach.hpp"

#include "pg/attempt.hpp"
#include "pg/fill.hpp"
#include "pg/flush.hpp"
#include "pg/held.hpp"
#include "pg/query.hpp"
#include "pg/score_columns.hpp"
#include "pg/session.hpp"

extern "C"
{
#include "catalog/pg_inherits.h"
#include "commands/trigger.h"
#include "lib/stringinfo.h"
#include "storage/lmgr.h"
#include "utils/snapmgr.h"
}

LEAD_SCORING_FUNCTION(lead_scoring_await_source);

namespace lead_scoring::pg
{

namespace
{

constexpr const char *guard_update = "lead_scoring_guard_update";
constexpr const char *guard_insert = "lead_scoring_guard_insert";

bool
can_have_triggers(Oid relation)
{
	char kind = get_rel_relkind(relation);

	return kind == RELKIND_RELATION || kind == RELKIND_PARTITIONED_TABLE;
}

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

// Make a trigger
void
make_trigger(Oid relation, const char *trigger, const char *event, const char *function)
{
	run_as_owner(relation, psprintf("CREATE TRIGGER %1$s %3$s ON %2$s FOR EACH %4$s; ALTER TRIGGER %1$s ON %2$s DEPENDS ON EXTENSION "
									"lead_scoring",
									trigger, relation_sql(relation), event, function));
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

// Whether who writes a relation holds the definition of a score already, by what others see: without what this
// transaction has changed
bool
is_held_by_writers(const char *score, Oid relation)
{
	const char *const parameters[] = {score, psprintf("%u", relation)};

	PushCopiedSnapshot(GetLatestSnapshot());
	GetActiveSnapshot()->curcid = FirstCommandId;
	Session session = begin_as_table_owner(definitions_owner());
	QueryRows rows = run_query(CurrentMemoryContext,
							   "SELECT FROM lead_scoring.score s JOIN lead_scoring.record_type t ON t.name = s.record_type "
							   "WHERE s.name = $1 AND s.status = 'active' AND ($2::oid IN (t.relation, s.target) OR EXISTS "
							   "(SELECT FROM lead_scoring.source o WHERE o.record_type = t.name AND "
							   "$2::oid IN (o.relation, o.through) AND lead_scoring.uses_source(s.name, o.name)))",
							   2, parameters);
	end_session(session);
	PopActiveSnapshot();
	return rows.count > 0;
}

// Wait for those who have written a relation without holding the definition of a score, as it did not concern them, and
// keep others from doing so
void
await_writers(const char *score, Oid relation)
{
	if (!is_held_by_writers(score, relation))
	{
		lock_table(relation, ShareRowExclusiveLock);
		find_all_inheritors(relation, ShareRowExclusiveLock, nullptr);
	}
}

void
attach_to_all(const char *score, Oid relation, bool tell)
{
	ListCell *cell;

	if (!can_have_triggers(relation) && !tell)
	{
		return;
	}
	if (!can_have_triggers(relation))
	{
		ereport(NOTICE, (errmsg("\"%s\" is not a table: its changes reach score \"%s\" with the next refresh",
								get_rel_name(relation), score),
						 errhint("lead_scoring.refresh_due() brings such scores up to date every "
								 "lead_scoring.refresh_interval.")));
		return;
	}
	await_writers(score, relation);
	foreach (cell, find_all_inheritors(relation, AccessShareLock, nullptr))
	{
		if (can_have_triggers(lfirst_oid(cell)))
		{
			attach_to(lfirst_oid(cell), lfirst_oid(cell) != relation);
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

// Whether an active score still uses a relation; one of them may be left out
bool
is_used(Oid relation, const char *but)
{
	Session session = begin_as_table_owner(definitions_owner());
	const char *const parameters[] = {psprintf("%u", relation), but};
	QueryRows rows = run_query(CurrentMemoryContext,
							   "SELECT FROM lead_scoring.score s JOIN lead_scoring.record_type t ON t.name = s.record_type "
							   "WHERE s.status = 'active' AND s.name IS DISTINCT FROM $2 AND ($1::oid IN (t.relation, s.target) OR EXISTS "
							   "(SELECT FROM lead_scoring.source o WHERE o.record_type = t.name AND "
							   "$1::oid IN (o.relation, o.through) AND lead_scoring.uses_source(s.name, o.name)))",
							   2, parameters);
	end_session(session);
	return rows.count > 0;
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

// A table that is to be locked
struct Wish
{
	Oid relation;
	LOCKMODE mode;
};

// Tables that are to be locked together
struct Together
{
	List *wishes;      // of Wish
	const Wish *first; // to be waited for, or null
};

// Tables are seldom free at one moment if somebody is at each of them all the time
constexpr int most_attempts = 100;

void
add_wish(Together *together, Oid relation, LOCKMODE mode)
{
	auto *wish = static_cast<Wish *>(palloc(sizeof(Wish)));

	*wish = {relation, mode};
	together->wishes = lappend(together->wishes, wish);
}

// Add a table and its parts
void
add_wishes(Together *together, Oid relation, LOCKMODE mode)
{
	ListCell *cell;

	foreach (cell, find_all_inheritors(relation, NoLock, nullptr))
	{
		add_wish(together, lfirst_oid(cell), mode);
	}
}

// Those that are locked with the definitions
void
add_shared(Together *together, const char *score, Oid target)
{
	const List *relations = list_concat_unique_oid(relations_around(score), relations_near(target));

	for (int at = 0; at < list_length(relations); at++)
	{
		if (list_nth_oid(relations, at) != target)
		{
			add_wish(together, list_nth_oid(relations, at), AccessShareLock);
		}
	}
}

// Wait for one table while no other is locked: who has one of the others may be waiting for this one
bool
lock_together(void *argument)
{
	auto *together = static_cast<Together *>(argument);

	if (together->first != nullptr)
	{
		lock_table(together->first->relation, together->first->mode);
	}
	for (int at = 0; at < list_length(together->wishes); at++)
	{
		auto *wish = static_cast<const Wish *>(list_nth(together->wishes, at));
		if (!ConditionalLockRelationOid(wish->relation, wish->mode))
		{
			together->first = wish;
			return false;
		}
	}
	return true;
}

// Lock tables at one moment; false if that could not be
bool
try_together(Together *together)
{
	Failure failure{};

	for (int left = most_attempts; left > 0 && failure.sqlstate != ERRCODE_LOCK_NOT_AVAILABLE; left--)
	{
		CHECK_FOR_INTERRUPTS();
		if (attempt(lock_together, together, &failure))
		{
			return true;
		}
	}
	return false;
}

void
lock_in_turn(const Together &together)
{
	for (int at = 0; at < list_length(together.wishes); at++)
	{
		auto *wish = static_cast<const Wish *>(list_nth(together.wishes, at));
		lock_table(wish->relation, wish->mode);
	}
}

// Lock a table, with its parts, unless that takes to wait
bool
lock_at_once(Oid relation)
{
	ListCell *cell;

	foreach (cell, find_all_inheritors(relation, NoLock, nullptr))
	{
		if (!ConditionalLockRelationOid(lfirst_oid(cell), AccessExclusiveLock))
		{
			return false;
		}
	}
	return true;
}

void
make_guard(Oid target, const char *trigger, const char *event, const char *condition)
{
	make_trigger(target, trigger, event, psprintf("ROW WHEN (%s) EXECUTE FUNCTION lead_scoring.guard()", condition));
}

} // namespace

void
attach_triggers(const LoadedScore *score, bool tell)
{
	if (decided_by_row(score) && !has_trigger(score->target, fill_trigger))
	{
		run_as_owner(score->target,
					 psprintf("CREATE TRIGGER %1$s BEFORE INSERT OR UPDATE ON %2$s FOR EACH ROW EXECUTE FUNCTION "
							  "lead_scoring.fill(); ALTER TRIGGER %1$s ON %2$s DEPENDS ON EXTENSION lead_scoring",
							  fill_trigger, relation_sql(score->target)));
	}
	attach_to_all(score->name, score->records->relation, tell);
	if (!score->own_target)
	{
		attach_to_all(score->name, score->target, tell);
	}
	for (size_t at = 0; at < score->definition.sources.size(); at++)
	{
		attach_to_all(score->name, score->sources[at]->relation, tell);
		if (OidIsValid(score->sources[at]->hop.relation))
		{
			attach_to_all(score->name, score->sources[at]->hop.relation, tell);
		}
	}
}

List *
relations_around(const char *score)
{
	QueryRows rows = run_query(CurrentMemoryContext,
							   "SELECT DISTINCT r.relation FROM lead_scoring.score s JOIN lead_scoring.record_type t "
							   "ON t.name = s.record_type LEFT JOIN lead_scoring.source o ON o.record_type = t.name "
							   "CROSS JOIN LATERAL (VALUES (t.relation::oid), (s.target::oid), (o.relation::oid), (o.through::oid)) r (relation) "
							   "WHERE s.name = $1 AND r.relation IS NOT NULL ORDER BY 1",
							   1, &score);
	List *relations = NIL;

	for (uint64 row = 0; row < rows.count; row++)
	{
		relations = lappend_oid(relations, DatumGetObjectId(datum_at(rows, row, 1)));
	}
	return relations;
}

void
seize_to_attach(const char *score, Oid target)
{
	// Those that scores are written into come last: who writes another one may be about to write them
	QueryRows rows = run_query(CurrentMemoryContext,
							   "SELECT r.relation FROM lead_scoring.score s JOIN lead_scoring.record_type t ON t.name = s.record_type "
							   "LEFT JOIN lead_scoring.source o ON o.record_type = t.name AND lead_scoring.uses_source(s.name, o.name) "
							   "CROSS JOIN LATERAL (VALUES (t.relation::oid), (o.relation::oid), (o.through::oid)) r (relation) "
							   "WHERE s.name = $1 AND r.relation <> coalesce(s.target, t.relation) GROUP BY r.relation "
							   "ORDER BY EXISTS (SELECT FROM lead_scoring.score x JOIN lead_scoring.record_type y ON y.name = x.record_type "
							   "WHERE x.status = 'active' AND coalesce(x.target, y.relation) = r.relation), r.relation",
							   1, &score);
	Together together{};

	for (uint64 row = 0; row < rows.count; row++)
	{
		Oid relation = DatumGetObjectId(datum_at(rows, row, 1));
		if (can_have_triggers(relation) && !is_held_by_writers(score, relation))
		{
			add_wishes(&together, relation, ShareRowExclusiveLock);
		}
	}
	add_shared(&together, score, target);
	if (OidIsValid(target))
	{
		// The strongest lock that is needed, at once: to upgrade a weaker one could deadlock
		add_wishes(&together, target, AccessExclusiveLock);
	}
	if (!try_together(&together))
	{
		lock_in_turn(together);
	}
}

void
seize_to_detach(const char *score, Oid target)
{
	const List *relations = relations_around(score);
	Together together{};
	Together least{};

	add_shared(&least, score, target);
	if (OidIsValid(target))
	{
		add_wishes(&least, target, AccessExclusiveLock);
	}
	together.wishes = list_copy(least.wishes);
	for (int at = 0; at < list_length(relations); at++)
	{
		Oid relation = list_nth_oid(relations, at);
		if (relation != target && can_have_triggers(relation) && !is_used(relation, score))
		{
			add_wishes(&together, relation, AccessExclusiveLock);
		}
	}
	if (!try_together(&together))
	{
		// The triggers of the others may have to stay
		lock_in_turn(least);
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

// Wait for those who write a source that an active score is going to look at, before its definition is held: they may want
// that, too
Datum
lead_scoring_await_source(PG_FUNCTION_ARGS)
{
	using namespace lead_scoring::pg;

	const char *const parameters[] = {text_to_cstring(PG_GETARG_TEXT_PP(0)), text_to_cstring(PG_GETARG_TEXT_PP(1))};
	Oid user = GetUserId();

	PushActiveSnapshot(GetLatestSnapshot());
	SPI_connect();
	Session session = begin_as_table_owner(definitions_owner());
	QueryRows rows = run_query(CurrentMemoryContext,
							   "SELECT r.relation FROM lead_scoring.score s JOIN lead_scoring.record_type t ON t.name = s.record_type "
							   "JOIN lead_scoring.source o ON o.record_type = t.name AND o.name = $2 "
							   "CROSS JOIN LATERAL (VALUES (o.relation::oid), (o.through::oid)) r (relation) "
							   "WHERE s.name = $1 AND s.status = 'active' AND r.relation IS NOT NULL ORDER BY 1",
							   2, parameters);
	for (uint64 row = 0; row < rows.count; row++)
	{
		Oid relation = DatumGetObjectId(datum_at(rows, row, 1));
		if (can_have_triggers(relation) && has_privs_of_role(user, owner_of(relation)))
		{
			await_writers(parameters[0], relation);
		}
	}
	end_session(session);
	SPI_finish();
	PopActiveSnapshot();
	PG_RETURN_VOID();
}
