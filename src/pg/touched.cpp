#include "pg/postgres_api.hpp"

#include "pg/touched.hpp"

extern "C"
{
#include "access/xact.h"
}

namespace lead_scoring::pg
{

namespace
{

// Of Touched, in a context within that of the transaction
List *touched = NIL;
MemoryContext touched_context = nullptr;

void
end_transaction(XactEvent event, void *)
{
	if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT || event == XACT_EVENT_PREPARE)
	{
		// The memory goes with the transaction
		touched = NIL;
		touched_context = nullptr;
	}
}

void
end_subtransaction(SubXactEvent event, SubTransactionId, SubTransactionId, void *)
{
	int level = GetCurrentTransactionNestLevel();

	if (event == SUBXACT_EVENT_ABORT_SUB)
	{
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
