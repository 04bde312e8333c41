// The order of things is what makes it right, whatever other sessions do: the definition is held, the record is locked,
// only then are its facts read, in a snapshot and as of an instant taken after the lock; so of two transactions that touch one
// record the one that comes second sees what the first has committed, and none of it is yet to come. Nothing is ever added to
// a stored number.
#include "pg/postgres_api.hpp"

#include "pg/keep_scores.hpp"

#include "pg/batch_guard.hpp"
#include "pg/keep_many.hpp"
#include "pg/kept_score.hpp"
#include "pg/link_locks.hpp"
#include "pg/pipeline.hpp"
#include "pg/record_locks.hpp"
#include "pg/row_index.hpp"
#include "pg/session.hpp"
#include "pg/statistics.hpp"
#include "pg/waiting.hpp"
#include "pg/write_changes.hpp"

extern "C"
{
#include "access/xact.h"
#include "optimizer/optimizer.h"
#include "portability/instr_time.h"
#include "utils/snapmgr.h"
}

#include <algorithm>

namespace lead_scoring::pg
{

namespace
{

// A batch has room for one more, which shows that a key is there twice
constexpr int chunk_keys = static_cast<int>(core::batch_rows) - 1;

std::span<const core::Key>
keys_of(const Records &asked)
{
	return {asked.keys, static_cast<size_t>(asked.count)};
}

// Records that are locked, as of an instant
struct Locked
{
	LockedRecords records;
	TimestampTz as_of;
	bool current; // else what is kept of the score is not what holds then
};

// Lock some records and read them, as of an instant; so many were locked before. Says whether to do so once more, as a record was
// replaced while it was waited for
LockedRecords
read_locked(KeptScore *kept, const Records &asked, TimestampTz as_of, size_t before, bool *again)
{
	const KeptLookup &lookup = kept->record;

	if (lookup.index != nullptr && lock_by_index(lookup.rows, lookup.index, as_of, keys_of(asked), asked.places, again))
	{
		return {&lookup.rows->receiver->batch, lookup.rows->stream.stored, lookup.rows->places};
	}
	prepare_for_queries(kept);
	const core::Batch &records = fetch_kept_stream(kept->records, as_of, asked.array, true);
	*again = records.rows < static_cast<size_t>(asked.count) && records.rows != before;
	return {&records, kept->records->stream.stored, nullptr};
}

// Lock some records and read them; now is after whatever those who had them locked have committed
Locked
lock_and_read(KeptScore *kept, const Records &asked, const Keeping &keeping, const Session &session)
{
	core::Scorer *scorer = kept->scorer;
	bool by_clock = keeping.as_of == DT_NOBEGIN;
	bool reads_clock = by_clock && kept->score->definition.reads_clock;
	Locked locked{{}, by_clock ? GetCurrentTimestamp() : keeping.as_of, true};
	size_t rows = SIZE_MAX;

	if (!kept->lockable)
	{
		lock_rowless_keys(kept->score->records->name, kept->score->definition.key_kind, asked.keys, asked.count);
	}
	become_owner(kept->score->records->owner, session);
	for (bool again = true; again;)
	{
		size_t before = rows;
		locked.records = read_locked(kept, asked, locked.as_of, before, &again);
		rows = locked.records.batch->rows;
		// What is read of a record may depend on the instant
		again = again || (reads_clock && rows != before);
		if (by_clock && (again || !reads_clock))
		{
			locked.as_of = GetCurrentTimestamp();
		}
	}
	auto instant = static_cast<int64_t>(locked.as_of);
	locked.current = scorer->program().valid.contains(instant);
	if (locked.current)
	{
		guarded([scorer, instant]() { scorer->move_to(instant); });
	}
	return locked;
}

void
read_source(KeptScore *kept, size_t number, const Records &asked, TimestampTz as_of)
{
	auto earliest = static_cast<TimestampTz>(kept->scorer->program().earliest(number));
	const KeptLookup &lookup = kept->lookups[number];

	if (lookup.index == nullptr || !read_by_index(lookup.rows, lookup.index, as_of, keys_of(asked), earliest))
	{
		prepare_for_queries(kept);
		run_kept_stream(kept->sources[number], as_of, asked.array, earliest);
	}
}

void
read_facts(KeptScore *kept, const Records &asked, TimestampTz as_of, const Session &session)
{
	const core::Definition &definition = kept->score->definition;

	if (kept->resets != nullptr)
	{
		become_owner(kept->resets->stream.owner, session);
		run_kept_stream(kept->resets, as_of, asked.array, DT_NOBEGIN);
	}
	for (size_t number = 0; number < definition.sources.size(); number++)
	{
		become_owner(kept->sources[number]->stream.owner, session);
		read_source(kept, number, asked, as_of);
	}
	if (kept->adjustments != nullptr)
	{
		become_owner(kept->adjustments->stream.owner, session);
		run_kept_stream(kept->adjustments, as_of, asked.array, DT_NOBEGIN);
	}
}

// Keep others from adding the records that were not found; false if there are none
bool
lock_missing(const KeptScore *kept, const Records &asked, const core::Batch &found)
{
	core::KeyKind kind = kept->score->definition.key_kind;
	auto *missing = static_cast<core::Key *>(palloc(sizeof(core::Key) * static_cast<Size>(asked.count)));
	int missing_count = 0;

	for (int at = 0; at < asked.count; at++)
	{
		if (std::none_of(found.keys, found.keys + found.rows,
						 [&](const core::Key &record) { return same_key(kind, record, asked.keys[at]); }))
		{
			missing[missing_count++] = asked.keys[at];
		}
	}
	lock_record_keys(LinkSide::names, kept->score->records->name, kind, missing, missing_count);
	return missing_count > 0;
}

// Lock some records, and those keys of which there is no record if others may be adding it
Locked
lock_chunk(KeptScore *kept, const Records &asked, const Keeping &keeping, const Session &session)
{
	Locked locked = lock_and_read(kept, asked, keeping, session);

	if (locked.current && keeping.awaits_records && kept->lockable && lock_missing(kept, asked, *locked.records.batch))
	{
		locked = lock_and_read(kept, asked, keeping, session);
	}
	if (locked.current && IsolationUsesXactSnapshot() && locked.records.batch->rows < static_cast<size_t>(asked.count))
	{
		require_all_seen(kept->score, asked.array, locked.records.batch->rows);
	}
	return locked;
}

// Evaluate records that are locked; returns what differs from what is stored
ColumnChanges
evaluate_chunk(KeptScore *kept, const Records &asked, const Locked &locked, bool only_rows, const Session &session)
{
	core::Scorer *scorer = kept->scorer;
	const core::Batch &records = *locked.records.batch;
	auto *results = static_cast<core::ScoreResult *>(palloc(sizeof(core::ScoreResult) * Max(records.rows, 1)));

	PushActiveSnapshot(GetLatestSnapshot());
	read_facts(kept, asked, locked.as_of, session);
	guarded_batch(scorer, kept->score->definition.key_kind, records,
				  [scorer, &records, results]() { scorer->finish_records(records, results); });
	if (kept->stored != nullptr)
	{
		become_owner(kept->stored->stream.owner, session);
		fetch_kept_stream(kept->stored, locked.as_of, asked.array, false);
	}
	PopActiveSnapshot();
	SetUserIdAndSecContext(session.user, session.security_context);
	return find_changes(kept, locked.records, results, locked.as_of, only_rows);
}

// Whether what was found out of rows about when records are due holds still, as nothing else can have changed what counts, and
// nobody has looked from a later instant
bool
has_lasting_dues(const LoadedScore *score)
{
	return !score->settings_matter && !score->calls_others && !score->was_ahead;
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

// Evaluate the records of some keys and write what differs; false if it takes to read the score anew, now that they are
// locked: the first points by hand of a score, say, come without the lock on its definition. Writing runs triggers, which may
// evaluate others
bool
keep_chunk(KeptScore *kept, const Records &asked, const Keeping &keeping, bool again, uint64 *written)
{
	volatile bool current = false;
	Session session = begin_bare();

	require_idle(kept);
	bool ready_before = kept->ready;
	kept->busy = true;
	kept->ready = false;
	kept->users++;
	PG_TRY();
	{
		if (!kept->bare)
		{
			prepare_for_queries(kept);
		}
		Locked locked = lock_chunk(kept, asked, keeping, session);
		current = locked.current && (again || scores_are_current());
		if (current)
		{
			bool only_rows = keeping.only_rows && has_lasting_dues(kept->score);
			ColumnChanges changes = evaluate_chunk(kept, asked, locked, only_rows, session);
			kept->busy = false;
			*written += write_changes(kept, changes, keeping.reason);
		}
	}
	PG_FINALLY();
	{
		kept->busy = false;
		kept->ready = ready_before;
		kept->users--;
	}
	PG_END_TRY();
	end_session(session);
	return current;
}

// Read a score as it is now
KeptScore *
settled_for(const char *name, const Keeping &keeping)
{
	return settled_score(name, keeping.as_of == DT_NOBEGIN ? GetCurrentTimestamp() : keeping.as_of);
}

// Keep a few records, once more if need be
uint64
keep_few(KeptScore *kept, const Records &asked, const Keeping &keeping)
{
	const char *name = pstrdup(kept->score->name);
	uint64 written = 0;

	for (bool again = false; !keep_chunk(kept, asked, keeping, again, &written); again = true)
	{
		kept = settled_for(name, keeping);
	}
	return written;
}

// Whether what is read in no order is expected to stay in memory, as the planner sees it
bool
fits_into_cache(const LoadedScore *score)
{
	size_t pages = count_pages(score->records->relation);

	for (size_t number = 0; number < score->definition.sources.size(); number++)
	{
		pages += count_pages(score->sources[number]->relation);
	}
	return pages <= static_cast<size_t>(effective_cache_size);
}

// Whether records are read quicker a chunk at a time, through indexes, than together: as long as they are a part of all, or
// not worth a plan of their own
bool
go_by_chunks(const KeptScore *kept, int count)
{
	constexpr int few_keys = 1024;
	constexpr double chunk_factor = 4;

	return count <= few_keys || !kept->score->own_target ||
		   (reads_directly(kept) && count * chunk_factor <= expected_rows(kept->score->records->relation) &&
			fits_into_cache(kept->score));
}

// Some of the records
Records
part_of(const Records &records, core::KeyKind kind, int first, int count)
{
	const core::Key *keys = records.keys + first;

	return {keys, count, key_array(kind, keys, count), records.places == nullptr ? nullptr : records.places + first};
}

// Keep records, some at a time
uint64
keep_by_chunks(KeptScore *kept, Records *records, Keeping keeping)
{
	const char *name = pstrdup(kept->score->name);
	core::KeyKind kind = kept->score->definition.key_kind;
	uint64 written = 0;

	lock_all_records(kept, records, keeping.awaits_records);
	keeping.awaits_records = false;
	for (int first = 0; first < records->count; first += chunk_keys)
	{
		// Locking or writing, which runs triggers, others may have come in between
		written += keep_few(settled_for(name, keeping), part_of(*records, kind, first, Min(chunk_keys, records->count - first)), keeping);
	}
	return written;
}

// Keep records, the quickest way
uint64
keep_records(KeptScore *kept, Records *records, const Keeping &keeping)
{
	return records->count <= chunk_keys			? keep_few(kept, *records, keeping)
		   : go_by_chunks(kept, records->count) ? keep_by_chunks(kept, records, keeping)
												: keep_many(kept, records, keeping);
}

uint64
keep_score(const char *name, const core::Key *keys, int count, Keeping keeping)
{
	bool parked = any_parked(name);
	instr_time begun;
	INSTR_TIME_SET_CURRENT(begun);
	KeptScore *kept = settled_for(name, keeping);
	core::KeyKind kind = kept->score->definition.key_kind;

	// Of a record that is parked nobody has found out yet when it is due
	keeping.only_rows = keeping.only_rows && !parked && keeping.as_of == DT_NOBEGIN;
	Records records{keys, count, key_array(kind, keys, count), nullptr};
	uint64 written = keep_records(kept, &records, keeping);
	if (parked)
	{
		end_parked(name, kind, {keys, static_cast<size_t>(count)});
	}
	instr_time spent;
	INSTR_TIME_SET_CURRENT(spent);
	INSTR_TIME_SUBTRACT(spent, begun);
	note_evaluation(name, static_cast<uint64>(count), written, INSTR_TIME_GET_MILLISEC(spent));
	return written;
}

} // namespace

uint64
keep_scores(const char *const *scores, int score_count, KeySet *keys, const Keeping &keeping)
{
	constexpr int most_keys = 65536;
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "lead_scoring keeping", ALLOCSET_DEFAULT_SIZES);
	uint64 written = 0;

	settle_keys(keys);
	SPI_connect();
	for (int first = 0; first < keys->count; first += most_keys)
	{
		MemoryContext before = MemoryContextSwitchTo(context);
		CHECK_FOR_INTERRUPTS();
		for (int at = 0; at < score_count; at++)
		{
			written += keep_score(scores[at], keys->keys + first, Min(most_keys, keys->count - first), keeping);
		}
		MemoryContextSwitchTo(before);
		MemoryContextReset(context);
	}
	SPI_finish();
	MemoryContextDelete(context);
	return written;
}

void
lock_records(const char *score, KeySet *keys)
{
	settle_keys(keys);
	if (keys->count == 0)
	{
		return;
	}
	SPI_connect();
	Records records{keys->keys, keys->count, key_array(keys->kind, keys->keys, keys->count), nullptr};
	lock_all_records(settled_score(score, GetCurrentTimestamp()), &records, false);
	SPI_finish();
}

} // namespace lead_scoring::pg
