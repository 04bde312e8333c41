#include "pg/postgres_api.hpp"

#include "pg/table_locks.hpp"

#include "pg/attempt.hpp"
#include "pg/confirm_triggers.hpp"
#include "pg/held.hpp"
#include "pg/own_extension.hpp"
#include "pg/query.hpp"
#include "pg/session.hpp"

extern "C"
{
#include "catalog/pg_inherits.h"
#include "storage/lmgr.h"
#include "utils/snapmgr.h"
}

LEAD_SCORING_FUNCTION(lead_scoring_await_source);

namespace lead_scoring::pg
{

namespace
{

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

// Whether our triggers on a table and its parts fire when they should
bool
all_triggers_fire(Oid relation)
{
	ListCell *cell;

	foreach (cell, find_all_inheritors(relation, NoLock, nullptr))
	{
		if (!triggers_fire(lfirst_oid(cell)))
		{
			return false;
		}
	}
	return true;
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
		LockRelationOid(together->first->relation, together->first->mode);
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
		LockRelationOid(wish->relation, wish->mode);
	}
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
		if (can_have_triggers(relation) && (!is_held_by_writers(score, relation) || !all_triggers_fire(relation)))
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

// Lock the tables whose triggers come or go with a score, before the definitions: who is at a table may want these
void
lock_tables(void (*seize)(const char *, Oid), const char *name, Oid target)
{
	PushActiveSnapshot(GetLatestSnapshot());
	SPI_connect();
	Session session = begin_safe_path();
	seize(name, target);
	end_session(session);
	SPI_finish();
	PopActiveSnapshot();
}

} // namespace

bool
can_have_triggers(Oid relation)
{
	char kind = get_rel_relkind(relation);

	return kind == RELKIND_RELATION || kind == RELKIND_PARTITIONED_TABLE;
}

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

void
await_writers(const char *score, Oid relation)
{
	if (!is_held_by_writers(score, relation))
	{
		LockRelationOid(relation, ShareRowExclusiveLock);
		find_all_inheritors(relation, ShareRowExclusiveLock, nullptr);
	}
}

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
lock_status(const char *name)
{
	hold_extension();
	SPI_connect();
	Session session = begin_safe_path();
	execute_command(psprintf("SELECT FROM lead_scoring.score WHERE name = %s FOR UPDATE", quote_literal_cstr(name)));
	end_session(session);
	SPI_finish();
}

void
lock_to_attach(const char *score, Oid target)
{
	lock_tables(seize_to_attach, score, target);
}

void
lock_to_detach(const char *score, Oid target)
{
	lock_tables(seize_to_detach, score, target);
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
