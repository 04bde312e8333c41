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

// What a transaction or subtransaction has noted: whatever is done about it goes if that is rolled back, so that no inner one may take
// what was noted further out
struct Noted
{
	int level;
	MemoryContext context; // of all this, within that of the transaction
	List *touched;
};

// Of Noted, what is further out first
List *noted = NIL;

void
end_transaction(XactEvent event, void *)
{
	if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT || event == XACT_EVENT_PREPARE)
	{
		// The memory goes with the transaction
		noted = NIL;
	}
}

Noted *
last_noted()
{
	return noted == NIL ? nullptr : static_cast<Noted *>(llast(noted));
}

void
end_subtransaction(SubXactEvent event, SubTransactionId, SubTransactionId, void *)
{
	int level = GetCurrentTransactionNestLevel();

	while (event == SUBXACT_EVENT_ABORT_SUB && noted != NIL && last_noted()->level >= level)
	{
		MemoryContext context = last_noted()->context;
		noted = list_delete_last(noted);
		MemoryContextDelete(context);
	}
	for (int at = 0; at < list_length(noted) && event == SUBXACT_EVENT_COMMIT_SUB; at++)
	{
		auto *entry = static_cast<Noted *>(list_nth(noted, at));
		entry->level = Min(entry->level, level - 1);
	}
}

bool
same_start(const Touched *entry, const Path *path)
{
	return entry->kind == path->kind && strcmp(entry->record_type, path->record_type) == 0 &&
		   (path->source == nullptr || strcmp(entry->source, path->source) == 0);
}

// What is noted by the transaction or subtransaction at hand
Noted *
noted_here()
{
	int level = GetCurrentTransactionNestLevel();

	if (Noted *last = last_noted(); last != nullptr && last->level == level)
	{
		return last;
	}
	MemoryContext context = AllocSetContextCreate(TopTransactionContext, "lead_scoring touched", ALLOCSET_SMALL_SIZES);
	auto *here = static_cast<Noted *>(MemoryContextAlloc(context, sizeof(Noted)));
	*here = {level, context, NIL};
	MemoryContext before = MemoryContextSwitchTo(TopTransactionContext);
	noted = lappend(noted, here);
	MemoryContextSwitchTo(before);
	return here;
}

Touched *
touched_at(const PathStart &start)
{
	Noted *here = noted_here();

	for (int at = 0; at < list_length(here->touched); at++)
	{
		auto *entry = static_cast<Touched *>(list_nth(here->touched, at));
		if (same_start(entry, start.path))
		{
			return entry;
		}
	}
	MemoryContext before = MemoryContextSwitchTo(here->context);
	auto *entry = static_cast<Touched *>(palloc0(sizeof(Touched)));
	entry->kind = start.path->kind;
	entry->record_type = pstrdup(start.path->record_type);
	entry->source = start.path->source == nullptr ? nullptr : pstrdup(start.path->source);
	entry->links = make_key_set(here->context, key_kind_of_type(start.link_type));
	here->touched = lappend(here->touched, entry);
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
	int level = GetCurrentTransactionNestLevel();
	List *taken = NIL;

	*context = nullptr;
	while (noted != NIL && last_noted()->level >= level)
	{
		Noted *last = last_noted();
		noted = list_delete_last(noted);
		if (*context != nullptr)
		{
			MemoryContextSetParent(last->context, *context);
		}
		*context = *context != nullptr ? *context : last->context;
		MemoryContext before = MemoryContextSwitchTo(*context);
		taken = list_concat(taken, last->touched);
		MemoryContextSwitchTo(before);
	}
	return taken;
}

} // namespace lead_scoring::pg
