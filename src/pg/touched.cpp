#include "pg/postgres_api.hpp"

#include "pg/touched.hpp"

#include "pg/keep_scores.hpp"
#include "pg/kept_score.hpp"

extern "C"
{
#include "access/xact.h"
#include "utils/snapmgr.h"
}

namespace lead_scoring::pg
{

namespace
{

// Of Touched, in a context within that of the transaction
List *touched = NIL;
MemoryContext touched_context = nullptr;

// Names of the scores whose definitions this transaction holds
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
		touched = NIL;
		touched_context = nullptr;
		forget_held();
	}
}

void
end_subtransaction(SubXactEvent event, SubTransactionId, SubTransactionId, void *)
{
	int level = GetCurrentTransactionNestLevel();

	if (event == SUBXACT_EVENT_ABORT_SUB)
	{
		// Locks of the subtransaction are gone
		forget_held();
		for (int at = list_length(touched) - 1; at >= 0; at--)
		{
			if (static_cast<Touched *>(list_nth(touched, at))->level >= level)
			{
				touched = list_delete_nth_cell(touched, at);
			}
		}
	}
	else if (event == SUBXACT_EVENT_COMMIT_SUB)
	{
		for (int at = 0; at < list_length(touched); at++)
		{
			auto *entry = static_cast<Touched *>(list_nth(touched, at));
			entry->level = Min(entry->level, level - 1);
		}
	}
}

int
compare_scores(const ListCell *left, const ListCell *right)
{
	return strcmp(static_cast<const ActiveScore *>(lfirst(left))->name, static_cast<const ActiveScore *>(lfirst(right))->name);
}

// The scores of some paths, in the order of their names: the same for all who hold several
List *
scores_of(const PathStarts *starts)
{
	List *scores = NIL;

	for (int at = 0; at < starts->count; at++)
	{
		scores = list_concat_unique_ptr(scores, starts->starts[at].path->scores);
	}
	list_sort(scores, compare_scores);
	return scores;
}

bool
is_held(const ActiveScore *score)
{
	for (int at = 0; at < list_length(held); at++)
	{
		if (strcmp(static_cast<const char *>(list_nth(held, at)), score->name) == 0)
		{
			return true;
		}
	}
	return false;
}

// Hold the definitions of the scores of some paths
void
hold_scores(const PathStarts *starts)
{
	List *scores = scores_of(starts);

	for (int at = 0; at < list_length(scores); at++)
	{
		auto *score = static_cast<const ActiveScore *>(list_nth(scores, at));
		if (!is_held(score))
		{
			MemoryContext before = MemoryContextSwitchTo(TopTransactionContext);
			// Labels by rank are decided for all records at once
			score->relative && !score->queued ? seize_definition(score->name) : share_definition(score->name);
			held = lappend(held, pstrdup(score->name));
			MemoryContextSwitchTo(before);
		}
	}
	list_free(scores);
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

bool
are_held(const PathStarts *starts)
{
	for (int at = 0; at < starts->count; at++)
	{
		const List *scores = starts->starts[at].path->scores;
		for (int number = 0; number < list_length(scores); number++)
		{
			if (!is_held(static_cast<const ActiveScore *>(list_nth(scores, number))))
			{
				return false;
			}
		}
	}
	return true;
}

const PathStarts *
remember_held(Oid relation, const PathStarts *starts)
{
	held_relation = relation;
	held_version = definitions_version();
	held_starts = starts;
	return starts;
}

bool
same_start(const Touched *entry, const Path *path)
{
	return entry->kind == path->kind && strcmp(entry->record_type, path->record_type) == 0 &&
		   (path->source == nullptr || strcmp(entry->source, path->source) == 0);
}

Touched *
touched_at(const PathStart &start)
{
	for (int at = 0; at < list_length(touched); at++)
	{
		auto *entry = static_cast<Touched *>(list_nth(touched, at));
		if (same_start(entry, start.path))
		{
			return entry;
		}
	}
	if (touched_context == nullptr)
	{
		touched_context = AllocSetContextCreate(TopTransactionContext, "lead_scoring touched", ALLOCSET_SMALL_SIZES);
	}
	MemoryContext before = MemoryContextSwitchTo(touched_context);
	auto *entry = static_cast<Touched *>(palloc0(sizeof(Touched)));
	entry->kind = start.path->kind;
	entry->record_type = pstrdup(start.path->record_type);
	entry->source = start.path->source == nullptr ? nullptr : pstrdup(start.path->source);
	entry->links = make_key_set(touched_context, key_kind_of_type(start.link_type));
	entry->level = GetCurrentTransactionNestLevel();
	touched = lappend(touched, entry);
	MemoryContextSwitchTo(before);
	return entry;
}

} // namespace

void
watch_transactions()
{
	RegisterXactCallback(end_transaction, nullptr);
	RegisterSubXactCallback(end_subtransaction, nullptr);
}

const PathStarts *
held_paths_from(Oid relation)
{
	if (held_relation == relation && held_version == definitions_version())
	{
		return held_starts;
	}
	const PathStarts *starts = known_paths_from(relation);
	return starts == nullptr || !are_held(starts) ? nullptr : remember_held(relation, starts);
}

const PathStarts *
hold_paths_from(Oid relation)
{
	const PathStarts *starts = held_paths_from(relation);
	uint64 version = definitions_version();

	while (starts == nullptr || version != definitions_version())
	{
		// Whoever held a definition may have changed it, and has said so before he let it go
		version = definitions_version();
		starts = current_paths_from(relation);
		hold_scores(starts);
	}
	return remember_held(relation, starts);
}

void
touch_link(const PathStart &start, Datum link)
{
	add_key(touched_at(start)->links, start.link_type, link);
}

void
touch_everybody(const PathStart &start)
{
	touched_at(start)->everybody = true;
}

List *
take_touched(MemoryContext *context)
{
	List *taken = touched;

	*context = touched_context;
	touched = NIL;
	touched_context = nullptr;
	return taken;
}

} // namespace lead_scoring::pg
