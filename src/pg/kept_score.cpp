#include "pg/postgres_api.hpp"

#include "pg/kept_score.hpp"

#include "pg/guard.hpp"
#include "pg/kept_sources.hpp"
#include "pg/own_tables.hpp"
#include "pg/owned.hpp"
#include "pg/query.hpp"
#include "pg/row_index.hpp"
#include "pg/score_columns.hpp"
#include "pg/session.hpp"
#include "pg/source_query.hpp"
#include "pg/table_locks.hpp"
#include "pg/write_in_place.hpp"

extern "C"
{
#include "storage/lmgr.h"
#include "utils/inval.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
}

#include <algorithm>

LEAD_SCORING_FUNCTION(lead_scoring_announce_change);

namespace lead_scoring::pg
{

namespace
{

// All scores that this session keeps; few, so that they need no index
List *kept_scores = NIL;

uint64 version = 1;

// The version that the kept scores are of
uint64 kept_version = 0;

OwnCommand note_adjusted = {
	"INSERT INTO lead_scoring.score_state AS s (score, is_adjusted) VALUES ($1, true) ON CONFLICT (score) DO UPDATE "
	"SET is_adjusted = true WHERE NOT s.is_adjusted",
	1, {TEXTOID}, nullptr};

OwnCommand note_ahead = {
	"INSERT INTO lead_scoring.score_state AS s (score, was_ahead) VALUES ($1, true) ON CONFLICT (score) DO UPDATE "
	"SET was_ahead = true WHERE NOT s.was_ahead",
	1, {TEXTOID}, nullptr};

// Relations that scores depend on; few, again
struct Watched
{
	Oid *relations;
	int count;
	int capacity;
};

Watched watched = {};

// Whether a server made for debugging pretends that everything has changed, whenever it may: who waits for definitions to settle
// would wait for ever
bool
is_pretended()
{
#ifdef DISCARD_CACHES_ENABLED
	return debug_discard_caches > 0;
#else
	return false;
#endif
}

void
note_relation_change(Datum, Oid relation)
{
	bool found = !OidIsValid(relation) && !is_pretended();

	for (int at = 0; at < watched.count && !found; at++)
	{
		found = watched.relations[at] == relation;
	}
	version += found;
}

void
note_catalog_change(Datum, int, uint32 hash)
{
	version += hash != 0 || !is_pretended();
}

// Records are fetched in parts that fill no batch, unless two have one key
bool
refuse_more(void *argument, const core::Batch &)
{
	ereport(ERROR, (errcode(ERRCODE_UNIQUE_VIOLATION),
					errmsg("two records of type \"%s\" have the same key", static_cast<const char *>(argument)),
					errhint("Every record needs a key of its own: choose another key column.")));
	return false;
}

bool
add_adjustment_rows(void *argument, const core::Batch &batch)
{
	auto *scorer = static_cast<core::Scorer *>(argument);

	guarded([scorer, &batch]() { scorer->add_adjustments(batch); });
	return true;
}

bool
add_reset_rows(void *argument, const core::Batch &batch)
{
	auto *scorer = static_cast<core::Scorer *>(argument);

	guarded([scorer, &batch]() { scorer->add_resets(batch); });
	return true;
}

KeptStream *
keep_records(const KeptScore *kept)
{
	Stream stream{};

	describe_records(kept->score, kept->lockable ? Reading::locked : Reading::compared, &stream);
	stream.books = kept->scorer->program().record_books.data();
	stream.sink = refuse_more;
	stream.argument = const_cast<char *>(kept->score->records->name);
	return keep_stream(stream);
}

KeptLookup
keep_record_lookup(const KeptScore *kept)
{
	Stream stream{};
	const RowIndex *index = find_row_index(kept->score->records, true);

	if (index == nullptr)
	{
		return {nullptr, nullptr};
	}
	describe_records(kept->score, Reading::in_place, &stream);
	stream.books = kept->records->stream.books;
	stream.sink = kept->records->stream.sink;
	stream.argument = kept->records->stream.argument;
	KeptStream *rows = keep_stream(stream);
	rows->places = static_cast<ItemPointerData *>(palloc(sizeof(ItemPointerData) * core::batch_rows));
	return {index, rows};
}

KeptLookup
keep_source_lookup(const KeptScore *kept, size_t number)
{
	Stream stream{};
	const RowIndex *index = find_row_index(kept->score->sources[number], false);

	if (index == nullptr)
	{
		return {nullptr, nullptr};
	}
	describe_source(kept->score, kept->score->sources[number], Reading::in_place, &stream);
	stream.program = kept->sources[number]->stream.program;
	stream.books = kept->sources[number]->stream.books;
	stream.sink = kept->sources[number]->stream.sink;
	stream.argument = kept->sources[number]->stream.argument;
	KeptStream *rows = keep_stream(stream);
	rows->receiver->batch.standing = static_cast<bool *>(palloc(sizeof(bool) * core::batch_rows));
	return {index, rows};
}

void
keep_streams(KeptScore *kept)
{
	const core::Definition &definition = kept->score->definition;

	kept->lockable = can_have_triggers(kept->score->records->relation);
	kept->records = keep_records(kept);
	kept->record = keep_record_lookup(kept);
	kept->lookups = static_cast<KeptLookup *>(palloc0(sizeof(KeptLookup) * Max(definition.sources.size(), 1)));
	kept->sources = keep_sources(kept->score, kept->scorer);
	for (size_t number = 0; number < definition.sources.size(); number++)
	{
		kept->lookups[number] = keep_source_lookup(kept, number);
	}
	if (definition.has_resets)
	{
		Stream stream{};
		describe_resets(kept->score, true, &stream);
		stream.sink = add_reset_rows;
		stream.argument = kept->scorer;
		kept->resets = keep_stream(stream);
	}
	if (definition.has_adjustments)
	{
		Stream stream{};
		describe_adjustments(kept->score, true, true, &stream);
		stream.sink = add_adjustment_rows;
		stream.argument = kept->scorer;
		kept->adjustments = keep_stream(stream);
	}
	if (!kept->score->own_target)
	{
		Stream stream{};
		describe_stored(kept->score, &stream);
		stream.sink = refuse_more;
		stream.argument = const_cast<char *>(kept->score->records->name);
		kept->stored = keep_stream(stream);
	}
}

// Whether no query is needed, unless something changes, and what is called for the rows at hand depends on no setting
bool
is_bare(const KeptScore *kept)
{
	const LoadedScore *score = kept->score;

	return !score->settings_matter && !score->calls_others && kept->in_place && reads_directly(kept) && kept->resets == nullptr &&
		   kept->adjustments == nullptr && kept->stored == nullptr && has_plain_indexes(score->target);
}

KeptScore *
make_kept_score(const char *name, TimestampTz as_of)
{
	// Not to be found by anyone before it is complete: an error leaves nothing but memory of the statement
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "lead_scoring kept score", ALLOCSET_DEFAULT_SIZES);
	MemoryContext before = MemoryContextSwitchTo(context);
	auto *kept = static_cast<KeptScore *>(palloc0(sizeof(KeptScore)));

	kept->context = context;
	kept->score = load_score(name, Reader::writer);
	require_columns(kept->score);
	watch_relations(kept->score);
	kept->scorer = make_owned<core::Scorer>(context, kept->score->definition, static_cast<int64_t>(as_of),
											core::EvaluationNeeds{false, false, true}, stop_wanted);
	kept->labels = make_label_datums(kept->scorer->program());
	Session session = begin_for_owners(true);
	keep_streams(kept);
	// After the index was found, which holds as of an earlier version
	kept->in_place = is_writable_in_place(kept->score, kept->columns);
	kept->bare = is_bare(kept);
	end_session(session);
	MemoryContextSwitchTo(CacheMemoryContext);
	MemoryContextSetParent(context, CacheMemoryContext);
	kept_scores = lcons(kept, kept_scores);
	MemoryContextSwitchTo(before);
	return kept;
}

KeptScore *
find_kept_score(const char *name)
{
	ListCell *cell;

	foreach (cell, kept_scores)
	{
		auto *kept = static_cast<KeptScore *>(lfirst(cell));
		if (strcmp(kept->score->name, name) == 0)
		{
			return kept;
		}
	}
	return nullptr;
}

void
forget(KeptScore *kept)
{
	kept_scores = list_delete_ptr(kept_scores, kept);
	if (kept->users > 0)
	{
		// Somebody further up may be writing its scores still
		MemoryContextSetParent(kept->context, TopTransactionContext);
		return;
	}
	MemoryContextDelete(kept->context);
}

ScoreMarks
latest_marks(const char *score)
{
	PushActiveSnapshot(GetLatestSnapshot());
	ScoreMarks marks = marks_of(score);
	PopActiveSnapshot();
	return marks;
}

// Mark a score, and tell all sessions
void
mark(const char *score, OwnCommand *command)
{
	Datum name = CStringGetTextDatum(score);

	if (run_own_command(command, &name) > 0)
	{
		CacheInvalidateRelcacheByRelid(own_relation("score"));
		CommandCounterIncrement();
	}
}

// Wait for those who alter what a score reads; no one does from here on
void
lock_relations(const LoadedScore *score)
{
	LockRelationOid(score->records->relation, AccessShareLock);
	LockRelationOid(score->target, AccessShareLock);
	for (size_t number = 0; number < score->definition.sources.size(); number++)
	{
		LockRelationOid(score->sources[number]->relation, AccessShareLock);
		if (OidIsValid(score->sources[number]->hop.relation))
		{
			LockRelationOid(score->sources[number]->hop.relation, AccessShareLock);
		}
	}
}

} // namespace

void
watch_definitions()
{
	CacheRegisterRelcacheCallback(note_relation_change, 0);
	CacheRegisterSyscacheCallback(PROCOID, note_catalog_change, 0);
	CacheRegisterSyscacheCallback(TYPEOID, note_catalog_change, 0);
	// Queries name relations with their schemas
	CacheRegisterSyscacheCallback(NAMESPACEOID, note_catalog_change, 0);
}

uint64
definitions_version()
{
	return version;
}

void
watch_relation(Oid relation)
{
	for (int at = 0; at < watched.count; at++)
	{
		if (watched.relations[at] == relation)
		{
			return;
		}
	}
	if (watched.count == watched.capacity)
	{
		int capacity = Max(watched.capacity * 2, 16);
		Size size = sizeof(Oid) * static_cast<Size>(capacity);
		watched.relations = static_cast<Oid *>(watched.relations == nullptr
												   ? MemoryContextAlloc(TopMemoryContext, size)
												   : repalloc(watched.relations, size));
		watched.capacity = capacity;
	}
	watched.relations[watched.count++] = relation;
}

void
forget_changed_scores()
{
	if (kept_version == version)
	{
		return;
	}
	while (kept_scores != NIL)
	{
		forget(static_cast<KeptScore *>(linitial(kept_scores)));
	}
	kept_version = version;
}

const LoadedScore *
definition_at_hand(const char *name)
{
	const KeptScore *kept = kept_version == version ? find_kept_score(name) : nullptr;

	return kept == nullptr ? nullptr : kept->score;
}

KeptScore *
kept_score(const char *name, TimestampTz as_of)
{
	KeptScore *kept = find_kept_score(name);

	if (kept != nullptr && kept->scorer->program().valid.contains(static_cast<int64_t>(as_of)))
	{
		return kept;
	}
	// Rules have come into force, or gone out of it
	if (kept != nullptr)
	{
		forget(kept);
	}
	return make_kept_score(name, as_of);
}

bool
reads_directly(const KeptScore *kept)
{
	return kept->record.index != nullptr &&
		   std::all_of(kept->lookups, kept->lookups + kept->score->definition.sources.size(),
					   [](const KeptLookup &lookup) { return lookup.index != nullptr; });
}

void
prepare_for_queries(KeptScore *kept)
{
	if (!kept->ready)
	{
		prepare_for_owners(kept->score->settings_matter);
		kept->ready = true;
	}
}

void
announce_adjustments(const char *score)
{
	if (!latest_marks(score).adjusted)
	{
		mark(score, &note_adjusted);
	}
}

void
announce_if_ahead(const char *score, TimestampTz as_of)
{
	if (as_of != DT_NOBEGIN && as_of > GetCurrentTimestamp() && !latest_marks(score).ahead)
	{
		mark(score, &note_ahead);
	}
}

bool
scores_are_current()
{
	AcceptInvalidationMessages();
	return kept_version == version;
}

KeptScore *
settled_score(const char *name, TimestampTz as_of)
{
	KeptScore *kept;

	do
	{
		CHECK_FOR_INTERRUPTS();
		forget_changed_scores();
		PushActiveSnapshot(GetLatestSnapshot());
		kept = kept_score(name, as_of);
		PopActiveSnapshot();
		lock_relations(kept->score);
	} while (!scores_are_current());
	return kept;
}

} // namespace lead_scoring::pg

// Tell all sessions, when this transaction commits, that definitions have changed
Datum
lead_scoring_announce_change(FunctionCallInfo)
{
	CacheInvalidateRelcacheByRelid(get_relname_relid("score", get_namespace_oid("lead_scoring", false)));
	return PointerGetDatum(nullptr);
}
