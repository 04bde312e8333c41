#include "pg/postgres_api.hpp"

#include "pg/row_index.hpp"

#include "pg/index_rows.hpp"
#include "pg/kept_score.hpp"
#include "pg/look_ahead.hpp"
#include "pg/recent_pages.hpp"

extern "C"
{
#include "access/genam.h"
#include "access/skey.h"
#include "access/sysattr.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "executor/executor.h"
#include "pgstat.h"
#include "utils/acl.h"
#include "utils/inval.h"
#include "utils/snapmgr.h"
}

namespace lead_scoring::pg
{

namespace
{

// Whether a query of the current user would be let through; to lock rows takes the right to update them
bool
is_allowed(Oid relation, LOCKMODE mode)
{
	AclMode needed = mode == AccessShareLock ? ACL_SELECT : ACL_SELECT | ACL_UPDATE;

	return ExecutorCheckPerms_hook == nullptr &&
		   pg_class_aclmask(relation, GetUserId(), needed, ACLMASK_ALL) == needed;
}

// Whether keys of the index's type go so far; a key beyond them has no row
bool
is_in_range(Oid type, const core::Key &key)
{
	auto number = static_cast<int64>(key.low);

	return (type != INT2OID || (number >= PG_INT16_MIN && number <= PG_INT16_MAX)) &&
		   (type != INT4OID || (number >= PG_INT32_MIN && number <= PG_INT32_MAX));
}

// Look for the rows of a key, under the snapshot of the first; with their entries in the index, if those are wanted
void
find_rows(RowLookup *lookup, const RowIndex *index, Snapshot snapshot, const core::Key &key, bool with_entries)
{
	ScanKeyData condition;

	ScanKeyEntryInitialize(&condition, 0, 1, BTEqualStrategyNumber, index->key_type, index->collation, index->is_key,
						   make_key_datum(index->key_type, key));
	if (lookup->scan == nullptr)
	{
#if PG_VERSION_NUM >= 180000
		lookup->scan = index_beginscan(lookup->table, lookup->index, snapshot, nullptr, 1, 0);
#else
		lookup->scan = index_beginscan(lookup->table, lookup->index, snapshot, 1, 0);
#endif
		lookup->scan->xs_want_itup = with_entries;
	}
	index_rescan(lookup->scan, &condition, 1, nullptr, 0);
}

[[noreturn]] void
raise_concurrent_update()
{
	ereport(ERROR, (errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
					errmsg("could not serialize access due to concurrent update")));
	pg_unreachable();
}

// Whether a row that somebody has changed meanwhile still has the key
bool
still_has(const RowLookup &lookup, const RowIndex *index, const core::Key &key)
{
	bool is_null;
	Datum value = slot_getattr(lookup.slot, lookup.index->rd_index->indkey.values[0], &is_null);

	return !is_null && DatumGetBool(OidFunctionCall2Coll(index->is_key, index->collation, value,
														 make_key_datum(index->key_type, key)));
}

// Find the row of a key where it was locked before, or else by the index: what the evaluation has called may have written it
bool
find_locked_row(RowLookup *lookup, const RowIndex *index, Snapshot snapshot, const core::Key &key, const ItemPointerData *place)
{
	ItemPointerData copy;

	if (place != nullptr && ItemPointerIsValid(place))
	{
		copy = *place;
		if (table_tuple_fetch_row_version(lookup->table, &copy, snapshot, lookup->slot) && still_has(*lookup, index, key))
		{
			return true;
		}
	}
	return find_row(lookup, index, snapshot, key);
}

// Lock the row at hand as SELECT ... FOR NO KEY UPDATE does; false if it is gone or has another key now, which is noted
bool
lock_row(const RowLookup &lookup, const RowIndex *index, Snapshot snapshot, const core::Key &key, bool *gone)
{
	TM_FailureData failure;
	ItemPointerData place = lookup.slot->tts_tid;
	uint8 flags = TUPLE_LOCK_FLAG_LOCK_UPDATE_IN_PROGRESS | (IsolationUsesXactSnapshot() ? 0 : TUPLE_LOCK_FLAG_FIND_LAST_VERSION);

	switch (table_tuple_lock(lookup.table, &place, snapshot, lookup.slot, GetCurrentCommandId(true), LockTupleNoKeyExclusive,
							 LockWaitBlock, flags, &failure))
	{
	case TM_Ok:
		if (!failure.traversed || still_has(lookup, index, key))
		{
			return true;
		}
		*gone = true;
		return false;
	case TM_SelfModified:
		return false;
	case TM_Updated:
	case TM_Deleted:
		if (IsolationUsesXactSnapshot())
		{
			raise_concurrent_update();
		}
		*gone = true;
		return false;
	default:
		elog(ERROR, "could not lock a row of \"%s\"", RelationGetRelationName(lookup.table));
	}
	pg_unreachable();
}

void
begin_receiving(KeptStream *kept, const RowLookup &lookup, TimestampTz as_of)
{
	kept->parameters->params[0].value = TimestampTzGetDatum(as_of);
	reset_receiver(kept->receiver);
	kept->receiver->base.rStartup(&kept->receiver->base, CMD_SELECT, lookup.slot->tts_tupleDescriptor);
}

// Whether the entry at hand, and all that come after it from the latest one back, are too old to matter
bool
is_too_old(IndexScanDesc scan, TimestampTz earliest)
{
	bool is_null;
	Datum time = index_getattr(scan->xs_itup, 2, scan->xs_itupdesc, &is_null);

	// A row without a time must be read, to be complained of
	return !is_null && DatumGetTimestampTz(time) < earliest;
}

// Rows of keys on their way to a receiver
struct Reading
{
	KeptStream *kept;
	RowLookup *lookup;
	const RowIndex *index;
	TimestampTz earliest;
	IndexRows entries;
	LookAhead ahead;
	const core::Key *keys[most_ahead]; // of the rows that wait
	List *dead;                        // keys of rows that nobody can see any more
};

// Whether the entries of rows tell more than where these are
bool
needs_entries(const Reading &reading)
{
	return reading.earliest != DT_NOBEGIN || are_from_index(reading.entries);
}

// Go on to the next row of a key, where its times are known from the latest one back; false if there are none, or it is too old,
// as its entry tells, which lies beside the others
bool
next_place(const Reading &reading)
{
	IndexScanDesc scan = reading.lookup->scan;

	if (reading.earliest == DT_NOBEGIN)
	{
		return index_getnext_tid(scan, ForwardScanDirection) != nullptr;
	}
	return index_getnext_tid(scan, reading.index->latest_first) != nullptr && !is_too_old(scan, reading.earliest);
}

void
note_dead(Reading *reading, const core::Key *key)
{
	// Rows of a key come together
	if (reading->dead == NIL || llast(reading->dead) != key)
	{
		reading->dead = lappend(reading->dead, const_cast<core::Key *>(key));
	}
}

// Whether the row at hand was written by another transaction: who did has evaluated what it is about
bool
is_standing(TupleTableSlot *slot)
{
	bool is_null;
	Datum writer = slot_getsysattr(slot, MinTransactionIdAttributeNumber, &is_null);

	return !TransactionIdIsCurrentTransactionId(DatumGetTransactionId(writer));
}

// Receive the row at hand; false if no more are wanted
bool
receive(Receiver *receiver, TupleTableSlot *slot, bool standing)
{
	core::Batch &batch = receiver->batch;

	batch.standing[batch.rows] = standing;
	return receiver->base.receiveSlot(slot, &receiver->base);
}

// Receive the rows that wait; false if no more are wanted
bool
receive_waiting(Reading *reading)
{
	TupleTableSlot *slot = reading->lookup->slot;

	approach_rows(&reading->ahead);
	for (int at = 0;; at++)
	{
		CHECK_FOR_INTERRUPTS();
		switch (fetch_next(&reading->ahead, GetActiveSnapshot(), slot))
		{
		case Fetched::none:
			return true;
		case Fetched::dead:
			note_dead(reading, reading->keys[at]);
			break;
		case Fetched::seen:
			pgstat_count_heap_fetch(reading->lookup->index);
			if (!receive(reading->kept->receiver, slot, is_standing(slot)))
			{
				return false;
			}
			break;
		case Fetched::unseen:
			break;
		}
	}
}

// Receive the row of the entry at hand, now if the entry tells all of it; false if no more are wanted
bool
receive_entry(Reading *reading, const core::Key &key)
{
	IndexScanDesc scan = reading->lookup->scan;
	TupleTableSlot *row = are_from_index(reading->entries) ? index_row(&reading->entries, scan) : nullptr;

	if (row != nullptr)
	{
		CHECK_FOR_INTERRUPTS();
		// Everybody sees it, so it is not of this transaction
		return receive(reading->kept->receiver, row, true);
	}
	reading->keys[reading->ahead.count] = &key;
	add_place(&reading->ahead, scan->xs_heaptid);
	return reading->ahead.count < most_ahead || receive_waiting(reading);
}

// Receive the rows of a key, but those that will be received with those of the next; false if no more are wanted
bool
receive_rows(Reading *reading, const core::Key &key)
{
	if (!is_in_range(reading->index->key_type, key))
	{
		return true;
	}
	find_rows(reading->lookup, reading->index, GetActiveSnapshot(), key, needs_entries(*reading));
	while (next_place(*reading))
	{
		if (!receive_entry(reading, key))
		{
			return false;
		}
	}
	return true;
}

// Have the index forget rows that nobody can see any more, as it does when it goes on from a row that it has fetched itself;
// among those that were read, as there may be many more
void
forget_dead(const Reading &reading)
{
	ListCell *cell;

	foreach (cell, reading.dead)
	{
		find_rows(reading.lookup, reading.index, GetActiveSnapshot(), *static_cast<const core::Key *>(lfirst(cell)),
				  needs_entries(reading));
		while (next_place(reading))
		{
			CHECK_FOR_INTERRUPTS();
			index_fetch_heap(reading.lookup->scan, reading.lookup->slot);
		}
	}
}

} // namespace

bool
begin_lookup(RowLookup *lookup, const RowIndex *index, LOCKMODE mode)
{
	lookup->table = try_relation_open(index->relation, mode);
	if (lookup->table == nullptr)
	{
		return false;
	}
	AcceptInvalidationMessages();
	if (index->version != definitions_version() || !is_allowed(index->relation, mode))
	{
		table_close(lookup->table, NoLock);
		return false;
	}
	lookup->index = index_open(index->index, AccessShareLock);
	lookup->scan = nullptr;
	lookup->slot = table_slot_create(lookup->table, nullptr);
	return true;
}

bool
find_row(RowLookup *lookup, const RowIndex *index, Snapshot snapshot, const core::Key &key)
{
	if (!is_in_range(index->key_type, key))
	{
		return false;
	}
	find_rows(lookup, index, snapshot, key, false);
	return next_row(lookup->scan, lookup->slot);
}

void
end_lookup(const RowLookup &lookup)
{
	ExecDropSingleTupleTableSlot(lookup.slot);
	if (lookup.scan != nullptr)
	{
		index_endscan(lookup.scan);
	}
	index_close(lookup.index, AccessShareLock);
	// The lock stays until the end of the transaction, as that of a query
	table_close(lookup.table, NoLock);
}

bool
lock_by_index(KeptStream *kept, const RowIndex *index, TimestampTz as_of, std::span<const core::Key> keys,
			  const ItemPointerData *places, bool *gone)
{
	RowLookup lookup;

	if (!begin_lookup(&lookup, index, RowShareLock))
	{
		return false;
	}
	*gone = false;
	// A command of its own, as a query would be
	CommandCounterIncrement();
	PushActiveSnapshot(GetTransactionSnapshot());
	begin_receiving(kept, lookup, as_of);
	for (const core::Key &key : keys)
	{
		CHECK_FOR_INTERRUPTS();
		const ItemPointerData *place = places == nullptr ? nullptr : places++;
		if (find_locked_row(&lookup, index, GetActiveSnapshot(), key, place) && lock_row(lookup, index, GetActiveSnapshot(), key, gone))
		{
			kept->places[kept->receiver->batch.rows] = lookup.slot->tts_tid;
			kept->receiver->base.receiveSlot(lookup.slot, &kept->receiver->base);
		}
	}
	end_lookup(lookup);
	PopActiveSnapshot();
	return true;
}

bool
lock_places(const RowIndex *index, std::span<const core::Key> keys, ItemPointerData *places, uint64 *locked, bool *gone)
{
	RowLookup lookup;

	if (!begin_lookup(&lookup, index, RowShareLock))
	{
		return false;
	}
	*locked = 0;
	*gone = false;
	CommandCounterIncrement();
	PushActiveSnapshot(GetTransactionSnapshot());
	for (const core::Key &key : keys)
	{
		CHECK_FOR_INTERRUPTS();
		ItemPointerSetInvalid(places);
		if (find_row(&lookup, index, GetActiveSnapshot(), key) && lock_row(lookup, index, GetActiveSnapshot(), key, gone))
		{
			*places = lookup.slot->tts_tid;
			(*locked)++;
		}
		places++;
	}
	end_lookup(lookup);
	PopActiveSnapshot();
	return true;
}

bool
read_by_index(KeptStream *kept, const RowIndex *index, TimestampTz as_of, std::span<const core::Key> keys, TimestampTz earliest)
{
	RowLookup lookup;

	// Older rows are not worth reading, if the index can tell
	if ((index->timed && earliest != DT_NOBEGIN && !is_by_time(*index)) || !begin_lookup(&lookup, index, AccessShareLock))
	{
		return false;
	}
	begin_receiving(kept, lookup, as_of);
	Reading reading{kept, &lookup, index, earliest, {}, {}, {}, NIL};
	begin_index_rows(&reading.entries, lookup.table, lookup.index, index->holds_all);
	begin_look_ahead(&reading.ahead, lookup.table);
	bool wanted = true;
	for (const core::Key &key : keys)
	{
		wanted = wanted && receive_rows(&reading, key);
	}
	if (wanted && receive_waiting(&reading))
	{
		forget_dead(reading);
	}
	end_look_ahead(&reading.ahead);
	end_index_rows(&reading.entries);
	end_lookup(lookup);
	flush_receiver(kept->receiver);
	return true;
}

} // namespace lead_scoring::pg
