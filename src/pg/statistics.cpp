// What the evaluations cost and which workers run.
//
// PostgreSQL's own statistics cannot be extended before version 18, and a table would mean another write for each event.
// So the counters are in shared memory, which there is if the library is in shared_preload_libraries: one slot for each
// score of each database, found under a lock. A slot is given back when its score is switched off; one of a score that never came to
// be, or whose database is gone, goes to another once all are taken.
#include "pg/postgres_api.hpp"

#include "pg/statistics.hpp"

extern "C"
{
#include "access/xact.h"
#include "port/atomics.h"
#include "storage/ipc.h"
#include "storage/lwlock.h"
#include "storage/shmem.h"
}

LEAD_SCORING_FUNCTION(lead_scoring_counters);
LEAD_SCORING_FUNCTION(lead_scoring_worker_pid);

namespace lead_scoring::pg
{

namespace
{

constexpr int slot_count = 256;   // scores of all databases that are counted
constexpr int worker_count = 64;  // databases with a worker
constexpr int64 unused_us = 24 * USECS_PER_HOUR;
constexpr const char *memory_name = "lead_scoring";

// One score
struct Slot
{
	Oid database;               // invalid: free
	char score[NAMEDATALEN];
	pg_atomic_uint64 evaluations;
	pg_atomic_uint64 evaluated; // records
	pg_atomic_uint64 written;   // rows
	pg_atomic_uint64 spent_us;  // microseconds
	pg_atomic_uint64 used_at;   // when it was counted last
};

// The worker of a database
struct WorkerPlace
{
	Oid database; // invalid: free
	int pid;
};

struct SharedStatistics
{
	LWLock *lock; // over who has which slot and which place
	WorkerPlace workers[worker_count];
	Slot slots[slot_count];
};

SharedStatistics *shared = nullptr;
shmem_startup_hook_type next_startup = nullptr;
#if PG_VERSION_NUM >= 150000
shmem_request_hook_type next_request = nullptr;
#endif

void
request_memory()
{
#if PG_VERSION_NUM >= 150000
	if (next_request != nullptr)
	{
		next_request();
	}
#endif
	RequestAddinShmemSpace(MAXALIGN(sizeof(SharedStatistics)));
	RequestNamedLWLockTranche(memory_name, 1);
}

void
attach_memory()
{
	bool found;

	if (next_startup != nullptr)
	{
		next_startup();
	}
	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	shared = static_cast<SharedStatistics *>(ShmemInitStruct(memory_name, sizeof(SharedStatistics), &found));
	if (!found)
	{
		memset(static_cast<void *>(shared), 0, sizeof(SharedStatistics));
		shared->lock = &GetNamedLWLockTranche(memory_name)->lock;
		for (Slot &slot : shared->slots)
		{
			pg_atomic_init_u64(&slot.evaluations, 0);
			pg_atomic_init_u64(&slot.evaluated, 0);
			pg_atomic_init_u64(&slot.written, 0);
			pg_atomic_init_u64(&slot.spent_us, 0);
			pg_atomic_init_u64(&slot.used_at, 0);
		}
	}
	LWLockRelease(AddinShmemInitLock);
}

// Find the slot of a score of this database, or null; the lock is held
Slot *
find_slot(const char *score)
{
	for (Slot &slot : shared->slots)
	{
		if (slot.database == MyDatabaseId && strncmp(slot.score, score, NAMEDATALEN) == 0)
		{
			return &slot;
		}
	}
	return nullptr;
}

// Find a slot that nobody needs, or null; the lock is held by us alone
Slot *
find_free_slot()
{
	Slot *oldest = nullptr;

	for (Slot &slot : shared->slots)
	{
		if (!OidIsValid(slot.database))
		{
			return &slot;
		}
		if (oldest == nullptr || pg_atomic_read_u64(&slot.used_at) < pg_atomic_read_u64(&oldest->used_at))
		{
			oldest = &slot;
		}
	}
	auto used_at = static_cast<TimestampTz>(pg_atomic_read_u64(&oldest->used_at));
	return used_at < GetCurrentStatementStartTimestamp() - unused_us ? oldest : nullptr;
}

// Take a slot for a score, or null if there is none; the lock is held by us alone
Slot *
take_slot(const char *score)
{
	Slot *taken = find_slot(score);

	if (taken != nullptr || (taken = find_free_slot()) == nullptr)
	{
		return taken;
	}
	strlcpy(taken->score, score, NAMEDATALEN);
	pg_atomic_write_u64(&taken->evaluations, 0);
	pg_atomic_write_u64(&taken->evaluated, 0);
	pg_atomic_write_u64(&taken->written, 0);
	pg_atomic_write_u64(&taken->spent_us, 0);
	taken->database = MyDatabaseId;
	return taken;
}

void
count(Slot *slot, uint64 evaluated, uint64 written, double milliseconds)
{
	pg_atomic_fetch_add_u64(&slot->evaluations, 1);
	pg_atomic_fetch_add_u64(&slot->evaluated, static_cast<int64>(evaluated));
	pg_atomic_fetch_add_u64(&slot->written, static_cast<int64>(written));
	pg_atomic_fetch_add_u64(&slot->spent_us, static_cast<int64>(milliseconds * 1000));
	pg_atomic_write_u64(&slot->used_at, static_cast<uint64>(GetCurrentStatementStartTimestamp()));
}

void
give_back_database(int, Datum)
{
	LWLockAcquire(shared->lock, LW_EXCLUSIVE);
	for (WorkerPlace &place : shared->workers)
	{
		if (place.pid == MyProcPid)
		{
			place = {InvalidOid, 0};
		}
	}
	LWLockRelease(shared->lock);
}

} // namespace

void
request_statistics_memory()
{
#if PG_VERSION_NUM >= 150000
	next_request = shmem_request_hook;
	shmem_request_hook = request_memory;
#else
	request_memory();
#endif
	next_startup = shmem_startup_hook;
	shmem_startup_hook = attach_memory;
}

void
note_evaluation(const char *score, uint64 evaluated, uint64 written, double milliseconds)
{
	if (shared == nullptr)
	{
		return;
	}
	// Counted within the lock, lest the slot becomes another score's
	LWLockAcquire(shared->lock, LW_SHARED);
	Slot *slot = find_slot(score);
	if (slot == nullptr)
	{
		LWLockRelease(shared->lock);
		LWLockAcquire(shared->lock, LW_EXCLUSIVE);
		slot = take_slot(score);
	}
	if (slot != nullptr)
	{
		count(slot, evaluated, written, milliseconds);
	}
	LWLockRelease(shared->lock);
}

void
forget_evaluations(const char *score)
{
	if (shared == nullptr)
	{
		return;
	}
	LWLockAcquire(shared->lock, LW_EXCLUSIVE);
	Slot *slot = find_slot(score);
	if (slot != nullptr)
	{
		slot->database = InvalidOid;
	}
	LWLockRelease(shared->lock);
}

bool
claim_database()
{
	WorkerPlace *free_place = nullptr;
	bool taken = false;

	if (shared == nullptr)
	{
		return false;
	}
	LWLockAcquire(shared->lock, LW_EXCLUSIVE);
	for (WorkerPlace &place : shared->workers)
	{
		taken = taken || place.database == MyDatabaseId;
		free_place = free_place == nullptr && !OidIsValid(place.database) ? &place : free_place;
	}
	if (!taken && free_place != nullptr)
	{
		*free_place = {MyDatabaseId, MyProcPid};
	}
	LWLockRelease(shared->lock);
	if (taken || free_place == nullptr)
	{
		return false;
	}
	before_shmem_exit(give_back_database, 0);
	return true;
}

} // namespace lead_scoring::pg

// What was counted for a score: evaluations, records, rows, milliseconds; NULL where nothing is counted
Datum
lead_scoring_counters(PG_FUNCTION_ARGS)
{
	using namespace lead_scoring::pg;

	const char *score = text_to_cstring(PG_GETARG_TEXT_PP(0));
	TupleDesc descriptor;
	Datum values[4] = {};
	bool nulls[4] = {true, true, true, true};

	if (get_call_result_type(fcinfo, nullptr, &descriptor) != TYPEFUNC_COMPOSITE)
	{
		elog(ERROR, "return type must be a row type");
	}
	descriptor = BlessTupleDesc(descriptor);
	if (shared != nullptr)
	{
		LWLockAcquire(shared->lock, LW_SHARED);
		Slot *slot = find_slot(score);
		if (slot != nullptr)
		{
			values[0] = Int64GetDatum(static_cast<int64>(pg_atomic_read_u64(&slot->evaluations)));
			values[1] = Int64GetDatum(static_cast<int64>(pg_atomic_read_u64(&slot->evaluated)));
			values[2] = Int64GetDatum(static_cast<int64>(pg_atomic_read_u64(&slot->written)));
			values[3] = Float8GetDatum(static_cast<double>(pg_atomic_read_u64(&slot->spent_us)) / 1000);
			memset(nulls, 0, sizeof nulls);
		}
		LWLockRelease(shared->lock);
	}
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(descriptor, values, nulls)));
}

// The process that works for this database; 0 if none does, NULL if the library was not preloaded
Datum
lead_scoring_worker_pid(PG_FUNCTION_ARGS)
{
	using namespace lead_scoring::pg;

	if (shared == nullptr)
	{
		PG_RETURN_NULL();
	}
	int pid = 0;
	LWLockAcquire(shared->lock, LW_SHARED);
	for (const WorkerPlace &place : shared->workers)
	{
		pid = place.database == MyDatabaseId ? place.pid : pid;
	}
	LWLockRelease(shared->lock);
	PG_RETURN_INT32(pid);
}
