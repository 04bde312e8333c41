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

// Hold the definitions of the scores of some paths; false if any was not held before
bool
hold_scores(const PathStarts *starts)
{
	List *scores = scores_of(starts);
	bool all_held = true;

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
			all_held = false;
		}
	}
	list_free(scores);
	return all_held;
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
hold_paths_from(Relation relation)
{
	if (held_relation == RelationGetRelid(relation) && held_version == definitions_version())
	{
		return held_starts;
	}
	const PathStarts *starts;
	uint64 version;
	do
	{
		// Whoever held a definition may have changed it
		version = definitions_version();
		PushActiveSnapshot(GetLatestSnapshot());
		starts = paths_from(relation);
		PopActiveSnapshot();
	} while (!hold_scores(starts) || version != definitions_version());
	held_relation = RelationGetRelid(relation);
	held_version = definitions_version();
	held_starts = starts;
	return starts;
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
