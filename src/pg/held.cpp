#include "pg/postgres_api.hpp"

#include "pg/held.hpp"

#include "pg/kept_score.hpp"
#include "pg/own_tables.hpp"
#include "pg/query.hpp"
#include "pg/session.hpp"
#include "pg/settings.hpp"

extern "C"
{
#include "access/xact.h"
#include "storage/lmgr.h"
#include "storage/lock.h"
#include "utils/inval.h"
#include "utils/snapmgr.h"
}

LEAD_SCORING_FUNCTION(lead_scoring_lock_definition);
LEAD_SCORING_FUNCTION(lead_scoring_share_definition);

namespace lead_scoring::pg
{

namespace
{

// A definition that this transaction holds
struct Held
{
	const char *name;
	bool alone;
	bool surrounded; // with its table, and the scores around it
	bool drafted;    // alone, and not switched on: nobody else can do so
};

List *held = NIL;
uint64 held_version = 0;
Oid held_relation = InvalidOid;
const PathStarts *held_starts = nullptr;

void
forget_held()
{
	held = NIL;
	held_relation = InvalidOid;
	held_starts = nullptr;
}

void
end_transaction(XactEvent event, void *)
{
	if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT || event == XACT_EVENT_PREPARE)
	{
		// The memory goes with the transaction
		forget_held();
	}
}

void
end_subtransaction(SubXactEvent event, SubTransactionId, SubTransactionId, void *)
{
	if (event == SUBXACT_EVENT_ABORT_SUB)
	{
		// Its locks are gone
		forget_held();
	}
}

Held *
find_held(const char *score)
{
	for (int at = 0; at < list_length(held); at++)
	{
		auto *entry = static_cast<Held *>(list_nth(held, at));
		if (strcmp(entry->name, score) == 0)
		{
			return entry;
		}
	}
	return nullptr;
}

Held *
remember(const char *score)
{
	if (Held *entry = find_held(score); entry != nullptr)
	{
		return entry;
	}
	MemoryContext before = MemoryContextSwitchTo(TopTransactionContext);
	auto *entry = static_cast<Held *>(palloc0(sizeof(Held)));
	entry->name = pstrdup(score);
	held = lappend(held, entry);
	MemoryContextSwitchTo(before);
	return entry;
}

// Take a lock that SQL takes by pg_advisory_xact_lock(relation, key)
void
lock_advisory(const char *relation, uint32 key, LOCKMODE mode)
{
	LOCKTAG tag;

	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, own_relation(relation), key, 2);
	LockAcquire(&tag, mode, false, false);
	AcceptInvalidationMessages();
}

// The key of a name, as hashtext() makes it
uint32
key_of(const char *name)
{
	return static_cast<uint32>(DatumGetInt32(DirectFunctionCall1Coll(hashtext, DEFAULT_COLLATION_OID, CStringGetTextDatum(name))));
}

void
lock_definition(const char *score, LOCKMODE mode)
{
	lock_advisory("score", key_of(score), mode);
}

void
share_definition(const char *score)
{
	lock_definition(score, ShareLock);
	remember(score);
}

// Let go of all but so many of the definitions that are held; nothing was read under the others yet
void
let_go(int count)
{
	while (list_length(held) > count)
	{
		auto *last = static_cast<const Held *>(llast(held));
		LOCKTAG tag;
		SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, own_relation("score"), key_of(last->name), 2);
		LockRelease(&tag, last->alone ? ExclusiveLock : ShareLock, false);
		held = list_delete_last(held);
	}
}

bool
is_written(const List *scores, Oid relation)
{
	for (int at = 0; at < list_length(scores); at++)
	{
		if (static_cast<const ActiveScore *>(list_nth(scores, at))->target == relation)
		{
			return true;
		}
	}
	return false;
}

// Lock relations as it takes to read them and to write scores into them: whoever alters or empties one, and wants a
// definition, too, would otherwise wait for those who hold that and want the relation
void
share_relations(const List *relations, const List *scores)
{
	for (int at = 0; at < list_length(relations); at++)
	{
		Oid relation = list_nth_oid(relations, at);
		LockRelationOid(relation, is_written(scores, relation) ? RowExclusiveLock : AccessShareLock);
	}
}

// Hold definitions, in the order that they are in; those of a table, if it is named, alone
void
hold_scores(const List *scores, Oid alone)
{
	for (int at = 0; at < list_length(scores); at++)
	{
		auto *score = static_cast<const ActiveScore *>(list_nth(scores, at));
		if (score->target == alone)
		{
			seize_definition(score->name);
			remember(score->name)->surrounded = true;
		}
		else if (find_held(score->name) == nullptr)
		{
			// Labels by rank are decided for all records at once
			score->relative && !score->queued ? seize_definition(score->name) : share_definition(score->name);
		}
	}
}

bool
are_held(const List *scores)
{
	for (int at = 0; at < list_length(scores); at++)
	{
		if (find_held(static_cast<const ActiveScore *>(list_nth(scores, at))->name) == nullptr)
		{
			return false;
		}
	}
	return true;
}

const Paths *
current_paths()
{
	PushActiveSnapshot(GetLatestSnapshot());
	const Paths *paths = all_paths();
	PopActiveSnapshot();
	return paths;
}

// The paths that begin at a relation, by the definitions as they are now
const PathStarts *
current_paths_from(Oid relation)
{
	const PathStarts *starts = known_paths_from(relation);

	if (starts == nullptr)
	{
		PushActiveSnapshot(GetLatestSnapshot());
		starts = paths_from(relation);
		PopActiveSnapshot();
	}
	return starts;
}

const PathStarts *
remember_starts(Oid relation, const PathStarts *starts)
{
	held_relation = relation;
	held_version = definitions_version();
	held_starts = starts;
	return starts;
}

// Hold the definitions of a table and those around it
void
hold_around(Oid target)
{
	const Paths *paths = current_paths();
	const List *around = scores_around(paths, target);

	if (!are_held(around))
	{
		share_relations(relations_of(paths, around), around);
		hold_scores(around, InvalidOid);
	}
}

// The table that has the columns of a score, or is going to; none if there is no such score
Oid
target_of(const char *score, Wanted wanted)
{
	PushActiveSnapshot(GetLatestSnapshot());
	SPI_connect();
	Session session = begin_as_table_owner(definitions_owner());
	QueryRows rows = run_query(CurrentMemoryContext,
							   "SELECT coalesce(s.target, t.relation)::oid, s.status = 'active' FROM lead_scoring.score s "
							   "JOIN lead_scoring.record_type t ON t.name = s.record_type WHERE s.name = $1",
							   1, &score);
	bool found = rows.count > 0 && (wanted == Wanted::always || DatumGetBool(datum_at(rows, 0, 2)));
	Oid target = found ? DatumGetObjectId(datum_at(rows, 0, 1)) : InvalidOid;
	end_session(session);
	SPI_finish();
	PopActiveSnapshot();
	return target;
}

// Keep what a score reads, or may come to read, from being altered: an author's expressions are parsed, and read them
void
share_relations_of(const char *score)
{
	PushActiveSnapshot(GetLatestSnapshot());
	SPI_connect();
	Session session = begin_as_table_owner(definitions_owner());
	const List *relations = relations_around(score);
	for (int at = 0; at < list_length(relations); at++)
	{
		LockRelationOid(list_nth_oid(relations, at), AccessShareLock);
	}
	end_session(session);
	SPI_finish();
	PopActiveSnapshot();
}

// Hold the definitions of a table alone, and those around it
void
seize_around(Oid target)
{
	const Paths *paths = current_paths();
	const List *around = scores_around(paths, target);

	share_relations(relations_of(paths, around), around);
	// One at a time scores all records of a table. No lock of the table itself: who writes single rows is not concerned
	lock_advisory("score_state", target, ExclusiveLock);
	hold_scores(scores_around(current_paths(), target), target);
}

} // namespace

void
watch_held_definitions()
{
	RegisterXactCallback(end_transaction, nullptr);
	RegisterSubXactCallback(end_subtransaction, nullptr);
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

List *
relations_near(Oid target)
{
	const Paths *paths = current_paths();

	return relations_of(paths, scores_around(paths, target));
}

void
share_record_type(const char *record_type)
{
	lock_advisory("record_type", key_of(record_type), ShareLock);
}

void
seize_definition(const char *score)
{
	lock_definition(score, ExclusiveLock);
	remember(score)->alone = true;
}

void
seize_score(const char *score, Wanted wanted)
{
	const Held *entry = find_held(score);

	if (entry != nullptr && (entry->surrounded || (entry->drafted && wanted == Wanted::if_active)))
	{
		return;
	}
	share_relations_of(score);
	Oid target = target_of(score, wanted);
	for (Oid before = InvalidOid; OidIsValid(target) && target != before; target = target_of(score, wanted))
	{
		before = target;
		seize_around(target);
	}
	seize_definition(score);
	remember(score)->surrounded = OidIsValid(target);
	remember(score)->drafted = !OidIsValid(target);
}

const ActiveScore *
find_active(const char *score)
{
	const List *scores = current_paths()->scores;

	for (int at = 0; at < list_length(scores); at++)
	{
		auto *active = static_cast<const ActiveScore *>(list_nth(scores, at));
		if (strcmp(active->name, score) == 0)
		{
			return active;
		}
	}
	return nullptr;
}

void
share_score(const char *score)
{
	uint64 version;
	int held_before = list_length(held);

	AcceptInvalidationMessages();
	do
	{
		// In the order of all that are to be held now
		let_go(held_before);
		version = definitions_version();
		const ActiveScore *active = find_active(score);
		if (active != nullptr && active->relative)
		{
			seize_score(score, Wanted::if_active);
			return;
		}
		if (active != nullptr)
		{
			hold_around(active->target);
		}
		if (find_held(score) == nullptr)
		{
			share_definition(score);
		}
		// Whoever was waited for may have switched it on, or changed what it looks at
	} while (version != definitions_version());
}

void
take_turn(const char *score)
{
	lock_advisory("due", key_of(score), ExclusiveLock);
}

const PathStarts *
held_paths_from(Oid relation)
{
	if (held_relation == relation && held_version == definitions_version())
	{
		return held_starts;
	}
	const PathStarts *starts = known_paths_from(relation);
	return starts == nullptr || !are_held(starts->concerned) ? nullptr : remember_starts(relation, starts);
}

const PathStarts *
find_held_paths_from(Oid relation)
{
	const PathStarts *starts = held_paths_from(relation);

	if (starts == nullptr)
	{
		starts = current_paths_from(relation);
		starts = are_held(starts->concerned) ? remember_starts(relation, starts) : nullptr;
	}
	return starts;
}

const PathStarts *
hold_paths_from(Oid relation)
{
	const PathStarts *starts = held_paths_from(relation);
	uint64 version = definitions_version();
	int held_before = list_length(held);

	while (starts == nullptr || version != definitions_version())
	{
		// Whoever held a definition may have changed it, and has said so before he let it go. Others may be among them by now, which
		// stand before those that we have: all are held in the same order
		let_go(held_before);
		version = definitions_version();
		starts = current_paths_from(relation);
		if (!are_held(starts->concerned))
		{
			share_relations(starts->relations, starts->concerned);
			hold_scores(starts->concerned, InvalidOid);
		}
	}
	return remember_starts(relation, starts);
}

} // namespace lead_scoring::pg

// Hold the definition of a score alone
Datum
lead_scoring_lock_definition(PG_FUNCTION_ARGS)
{
	lead_scoring::pg::seize_score(text_to_cstring(PG_GETARG_TEXT_PP(0)), lead_scoring::pg::Wanted::if_active);
	PG_RETURN_VOID();
}

// Hold the definition of a score as who writes facts does
Datum
lead_scoring_share_definition(PG_FUNCTION_ARGS)
{
	lead_scoring::pg::share_score(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	PG_RETURN_VOID();
}
