// The order of things is what makes it right, whatever other sessions do: the definition is held, the record is locked,
// only then are its facts read, in a snapshot taken after the lock; so of two transactions that touch one record the one
// that comes second sees what the first has committed. Nothing is ever added to a stored number.
#include "pg/postgres_api.hpp"

#include "pg/keep_scores.hpp"

#include "pg/batch_guard.hpp"
#include "pg/keep_many.hpp"
#include "pg/kept_score.hpp"
#include "pg/link_locks.hpp"
#include "pg/session.hpp"
#include "pg/statistics.hpp"
#include "pg/write_changes.hpp"

extern "C"
{
#include "access/xact.h"
#include "portability/instr_time.h"
#include "storage/lock.h"
#include "utils/inval.h"
#include "utils/snapmgr.h"
}

#include <algorithm>

namespace lead_scoring::pg
{

namespace
{

// A batch has room for one more, which shows that a key is there twice
constexpr int chunk_keys = static_cast<int>(core::batch_rows) - 1;

// Waiting longer for a lock than this, facts may have come that as_of is too old for
constexpr int64 long_wait_us = 1000;

void
lock_definition(const char *score, LOCKMODE mode)
{
	LOCKTAG tag;
	Oid definitions = get_relname_relid("score", get_namespace_oid("lead_scoring", false));
	Datum name = CStringGetTextDatum(score);
	auto hash = static_cast<uint32>(DatumGetInt32(DirectFunctionCall1Coll(hashtext, DEFAULT_COLLATION_OID, name)));

	// The lock that lead_scoring.lock_definition() takes
	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, definitions, hash, 2);
	LockAcquire(&tag, mode, false, false);
	AcceptInvalidationMessages();
}

// Run as the owner of a relation, in a security-restricted operation
void
become(Oid owner, const Session &session)
{
	SetUserIdAndSecContext(owner, session.security_context | SECURITY_RESTRICTED_OPERATION |
									  SECURITY_LOCAL_USERID_CHANGE);
}

// Lock the records of some keys and read them
const core::Batch &
lock_records(KeptScore *kept, Datum keys, TimestampTz *as_of, const Session &session)
{
	bool by_clock = *as_of == DT_NOBEGIN;
	core::Scorer *scorer = kept->scorer;

	become(kept->score->records->owner, session);
	for (;;)
	{
		TimestampTz instant = by_clock ? GetCurrentTimestamp() : *as_of;
		guarded([scorer, instant]() { scorer->move_to(static_cast<int64_t>(instant)); });
		const core::Batch &records = fetch_kept_stream(kept->records, instant, keys);
		if (!by_clock || GetCurrentTimestamp() - instant < long_wait_us || *as_of != DT_NOBEGIN)
		{
			*as_of = instant;
			return records;
		}
		// The wait was for somebody's facts. The records are locked now: once more, as of now
		*as_of = instant;
	}
}

void
read_facts(KeptScore *kept, Datum keys, TimestampTz as_of, const Session &session)
{
	const core::Definition &definition = kept->score->definition;

	if (kept->resets != nullptr)
	{
		become(kept->resets->stream.owner, session);
		run_kept_stream(kept->resets, as_of, keys, DT_NOBEGIN);
	}
	for (size_t number = 0; number < definition.sources.size(); number++)
	{
		become(kept->sources[number]->stream.owner, session);
		int64_t earliest = kept->scorer->program().earliest(number);
		run_kept_stream(kept->sources[number], as_of, keys, static_cast<TimestampTz>(earliest));
	}
	if (kept->adjustments != nullptr)
	{
		become(kept->adjustments->stream.owner, session);
		run_kept_stream(kept->adjustments, as_of, keys, DT_NOBEGIN);
	}
}

// Keep others from adding the records that were not found; false if there are none
bool
lock_missing(const KeptScore *kept, const core::Key *keys, int count, const core::Batch &found)
{
	core::KeyKind kind = kept->score->definition.key_kind;
	auto *missing = static_cast<core::Key *>(palloc(sizeof(core::Key) * static_cast<Size>(count)));
	int missing_count = 0;

	for (int at = 0; at < count; at++)
	{
		if (std::none_of(found.keys, found.keys + found.rows,
						 [&](const core::Key &record) { return same_key(kind, record, keys[at]); }))
		{
			missing[missing_count++] = keys[at];
		}
	}
	lock_record_keys(kept->score->records->name, kind, missing, missing_count);
	return missing_count > 0;
}

// Evaluate the records of some keys; returns what differs from what is stored
ColumnChanges
evaluate_chunk(KeptScore *kept, const core::Key *keys, int count, const Keeping &keeping, const Session &session)
{
	TimestampTz as_of = keeping.as_of;
	Datum array = key_array(kept->score->definition.key_kind, keys, count);
	core::Scorer *scorer = kept->scorer;
	auto *results = static_cast<core::ScoreResult *>(palloc(sizeof(core::ScoreResult) * core::batch_rows));
	const core::Batch &records = lock_records(kept, array, &as_of, session);

	if (keeping.awaits_records && lock_missing(kept, keys, count, records))
	{
		as_of = keeping.as_of;
		lock_records(kept, array, &as_of, session);
	}
	if (IsolationUsesXactSnapshot() && records.rows < static_cast<size_t>(count))
	{
		require_all_seen(kept, array, records.rows);
	}
	PushActiveSnapshot(GetLatestSnapshot());
	read_facts(kept, array, as_of, session);
	guarded_batch(scorer, kept->score->definition.key_kind, records,
				  [scorer, &records, results]() { scorer->finish_records(records, results); });
	if (kept->stored != nullptr)
	{
		become(kept->stored->stream.owner, session);
		fetch_kept_stream(kept->stored, as_of, array);
	}
	PopActiveSnapshot();
	SetUserIdAndSecContext(session.user, session.security_context);
	return find_changes(kept, records, results, as_of);
}

void
require_idle(const KeptScore *kept)
{
	if (kept->busy)
	{
		ereport(ERROR, (errcode(ERRCODE_OBJECT_IN_USE),
						errmsg("score \"%s\" is being evaluated already by this session", kept->score->name),
						errhint("An expression of its definition changes what it is computed from.")));
	}
}

// Evaluate the records of some keys and write what differs. Writing runs triggers, which may evaluate others
uint64
keep_chunk(KeptScore *kept, const core::Key *keys, int count, const Keeping &keeping)
{
	volatile uint64 written = 0;

	Session session = begin_for_owners(kept->score->settings_matter);

	require_idle(kept);
	kept->busy = true;
	PG_TRY();
	{
		ColumnChanges changes = evaluate_chunk(kept, keys, count, keeping, session);
		kept->busy = false;
		written = write_changes(kept, changes, keeping.reason);
	}
	PG_FINALLY();
	{
		kept->busy = false;
	}
	PG_END_TRY();
	end_session(session);
	return written;
}

// So many keys are worth a plan of their own
constexpr int many_keys = 1024;

// How many keys to keep at a time
int
chunk_size(const KeySet *keys)
{
	constexpr int most_keys = 65536;

	return keys->count > many_keys ? most_keys : chunk_keys;
}

uint64
keep_score(const char *name, const core::Key *keys, int count, const Keeping &keeping)
{
	uint64 written = 0;
	instr_time begun;
	INSTR_TIME_SET_CURRENT(begun);
	KeptScore *kept = kept_score(name, keeping.as_of == DT_NOBEGIN ? GetCurrentTimestamp() : keeping.as_of);

	if (count > chunk_keys && kept->score->own_target)
	{
		written = keep_many(kept, keys, count, keeping);
	}
	else
	{
		for (int first = 0; first < count; first += chunk_keys)
		{
			written += keep_chunk(kept, keys + first, Min(chunk_keys, count - first), keeping);
		}
	}
	instr_time spent;
	INSTR_TIME_SET_CURRENT(spent);
	INSTR_TIME_SUBTRACT(spent, begun);
	note_evaluation(name, static_cast<uint64>(count), written, INSTR_TIME_GET_MILLISEC(spent));
	return written;
}

} // namespace

void
share_definition(const char *score)
{
	lock_definition(score, ShareLock);
}

void
seize_definition(const char *score)
{
	lock_definition(score, ExclusiveLock);
}

uint64
keep_scores(const char *const *scores, int score_count, KeySet *keys, const Keeping &keeping)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "lead_scoring keeping", ALLOCSET_DEFAULT_SIZES);
	uint64 written = 0;

	settle_keys(keys);
	forget_changed_scores();
	SPI_connect();
	for (int first = 0; first < keys->count; first += chunk_size(keys))
	{
		MemoryContext before = MemoryContextSwitchTo(context);
		CHECK_FOR_INTERRUPTS();
		for (int at = 0; at < score_count; at++)
		{
			written += keep_score(scores[at], keys->keys + first, Min(chunk_size(keys), keys->count - first), keeping);
		}
		MemoryContextSwitchTo(before);
		MemoryContextReset(context);
	}
	SPI_finish();
	MemoryContextDelete(context);
	return written;
}

} // namespace lead_scoring::pg
