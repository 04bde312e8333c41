// Following time: lead_scoring.refresh_due().
//
// What time changes is found by when it will next change: the records with a due_at that has come, and, once they have
// become too old, those that change continuously. Only where that cannot be known is everybody evaluated. Keys are read
// without a lock, as their rows are written under the locks of the records: one look too many does no harm.
#include "pg/postgres_api.hpp"

#include "pg/upkeep.hpp"

#include "pg/announce_due.hpp"
#include "pg/chores.hpp"
#include "pg/due.hpp"
#include "pg/due_places.hpp"
#include "pg/gone_records.hpp"
#include "pg/held.hpp"
#include "pg/kept_score.hpp"
#include "pg/own_rows.hpp"
#include "pg/own_tables.hpp"
#include "pg/pipeline.hpp"
#include "pg/prove_score.hpp"
#include "pg/session.hpp"
#include "pg/upkeep_score.hpp"
#include "pg/writing.hpp"

extern "C"
{
#include "access/xact.h"
#include "nodes/parsenodes.h"
#include "utils/portal.h"
#include "utils/snapmgr.h"
}

LEAD_SCORING_FUNCTION(lead_scoring_refresh_due);

namespace lead_scoring::pg
{

namespace
{

// The definitions with which this session has seen, for a user, that his scores can be evaluated; 0 for none
uint64 proven_version = 0;
Oid proven_for = InvalidOid;

// Batches grow: where the rows of a record are not found by an index, each costs a scan
constexpr int64 first_batch = 4096;
constexpr int64 largest_batch = 32768;

constexpr const char *due_keys =
	"SELECT d.record_key, d.due_at FROM lead_scoring.due d WHERE d.score = $1 AND d.due_at <= $2 "
	"AND d.due_at > '-infinity' AND (d.due_at, d.record_key) >= ($3, $4) AND NOT EXISTS (SELECT FROM lead_scoring.parked p "
	"WHERE p.score = d.score AND p.record_key = d.record_key) ORDER BY d.due_at, d.record_key LIMIT $5";
constexpr const char *fading_keys =
	"SELECT d.record_key FROM lead_scoring.due d WHERE d.score = $1 AND d.due_at = '-infinity' AND d.record_key >= $4 "
	"AND NOT EXISTS (SELECT FROM lead_scoring.parked p WHERE p.score = d.score AND p.record_key = d.record_key) "
	"ORDER BY d.record_key LIMIT $5";
constexpr const char *parked_keys =
	"SELECT p.record_key FROM lead_scoring.parked p WHERE p.score = $1 AND p.record_key >= $4 COLLATE \"C\" "
	"AND p.retry_at <= pg_catalog.clock_timestamp() ORDER BY p.record_key COLLATE \"C\" LIMIT $5";

OwnCommand note_sweep = {
	"INSERT INTO lead_scoring.score_state AS s (score, refreshed_at, swept_at) VALUES ($1, $2, $3) ON CONFLICT (score) DO UPDATE "
	"SET refreshed_at = coalesce(excluded.refreshed_at, s.refreshed_at), swept_at = coalesce(excluded.swept_at, s.swept_at)",
	3, {TEXTOID, TIMESTAMPTZOID, TIMESTAMPTZOID}, nullptr};

// Remember how far time was followed: where all records are, and where those are that change continuously
void
keep_instant(const UpkeepScore &score, bool of_all, bool of_fading)
{
	// Whoever edits the score holds its definition and wants this row: who looks at the definition again, for labels that must stand, must
	// not hold the row alone
	if (has_rows_by_now(own::dwelling, score.name))
	{
		share_score(score.name);
	}
	Datum values[] = {CStringGetTextDatum(score.name), TimestampTzGetDatum(score.as_of), TimestampTzGetDatum(score.as_of)};
	const char nulls[] = {' ', of_all ? ' ' : 'n', of_fading ? ' ' : 'n', '\0'};

	run_own_command(&note_sweep, values, nulls);
}

// Let only one session at a time follow time for a score: another would do the same once more. A transaction that
// does other things must not wait, as it may be what the other one waits for
void
take_turns(const Upkeep &upkeep, const char *score)
{
	if (upkeep.next_transaction == nullptr)
	{
		return;
	}
	take_turn(score);
}

// The first text after another, by bytes
Datum
key_after(Datum key)
{
	return CStringGetTextDatum(psprintf("%s\x01", TextDatumGetCString(key)));
}

// Read a batch of keys that a query finds, after a place in its order
KeyList
read_batch(const char *query, const UpkeepScore &score, const DueRow &after, int64 size)
{
	if (query != due_keys || has_rows_by_now(own::parked, score.name))
	{
		return read_keys(query, score.name, score.as_of, after.due, after.key, size);
	}
	auto *rows = static_cast<DueRow *>(palloc(sizeof(DueRow) * static_cast<Size>(size)));
	size_t count = read_due(score.name, after, score.as_of, rows, static_cast<size_t>(size));
	KeyList list{static_cast<Datum *>(palloc(sizeof(Datum) * Max(count, 1))), count, count == 0 ? DT_NOBEGIN : rows[count - 1].due};
	for (size_t at = 0; at < count; at++)
	{
		list.keys[at] = rows[at].key;
	}
	pfree(rows);
	return list;
}

// Copy the texts of a failure into the current memory context
void
copy_texts(Failure *failure)
{
	for (const char **text : {&failure->message, &failure->detail, &failure->hint, &failure->context})
	{
		*text = *text == nullptr ? nullptr : pstrdup(*text);
	}
}

// Refresh the records that a query finds, batch by batch
bool
refresh_found(const Upkeep &upkeep, UpkeepScore *score, const char *query)
{
	MemoryContext batch = AllocSetContextCreate(upkeep.context, "lead_scoring batch", ALLOCSET_DEFAULT_SIZES);
	MemoryContext before = MemoryContextSwitchTo(batch);
	// Without those that change continuously
	DueRow after = first_due(DT_NOBEGIN + 1);
	bool going_well = true;

	for (int64 size = first_batch; going_well; size = Min(2 * size, largest_batch))
	{
		take_turns(upkeep, score->name);
		KeyList keys = read_batch(query, *score, after, size);
		if (keys.count == 0)
		{
			break;
		}
		going_well = refresh_or_park(score, keys);
		// Of those that were due none is any more, unless its record is gone
		if (going_well && (keys.last_due == DT_NOBEGIN || (!all_places_met() && has_due(score->name, after, keys.last_due))))
		{
			remove_gone_records(score->name, score->as_of, keys);
		}
		after.due = keys.last_due;
		MemoryContextSwitchTo(upkeep.context);
		after.key = key_after(keys.keys[keys.count - 1]);
		if (!going_well)
		{
			copy_texts(&score->failure);
		}
		MemoryContextReset(batch);
		MemoryContextSwitchTo(batch);
		if (going_well)
		{
			next_part(upkeep, score->name);
		}
	}
	MemoryContextSwitchTo(before);
	MemoryContextDelete(batch);
	return going_well;
}

// Refresh all records; if one of them spoils it, those that can be
bool
refresh_all(const Upkeep &upkeep, UpkeepScore *score)
{
	take_turns(upkeep, score->name);
	if (!refresh_everybody(score))
	{
		KeyList keys = record_keys(score->name);
		if (keys.count == 0 || !refresh_or_park(score, without_parked(score->name, keys)))
		{
			return false;
		}
	}
	remove_gone_records(score->name, score->as_of, KeyList{nullptr, 0, DT_NOBEGIN});
	keep_instant(*score, true, true);
	next_part(upkeep, score->name);
	return true;
}

// What is attempted
struct Search
{
	const UpkeepScore *score;
	Chores chores;
};

bool
search_chores(void *argument)
{
	auto *search = static_cast<Search *>(argument);

	search->chores = find_chores(search->score->name, search->score->as_of);
	return true;
}

// Nothing is due of a score: see whether it could be followed if something were
bool
stay_idle(UpkeepScore *score)
{
	if (!score->unproven && !score->failed_before)
	{
		return true;
	}
	if (has_just_failed(score->name))
	{
		// What was kept of entries of the queue stands
		score->failed_before = score->unproven = false;
		return true;
	}
	bool well = prove_score(score);
	// What was kept stands, too, as long as nobody knows
	score->failed_before = score->failed_before && !score->unproven;
	return well;
}

bool
do_chores(const Upkeep &upkeep, UpkeepScore *score)
{
	Search search{score, {}};
	const Chores &chores = search.chores;

	if (!attempt(search_chores, &search, &score->failure))
	{
		return false;
	}
	score->failed_before = chores.failed_before;
	if (!chores.everybody && !chores.due && !chores.parked && !chores.fading)
	{
		return stay_idle(score);
	}
	score->unproven = false;
	if (chores.everybody)
	{
		return refresh_all(upkeep, score) && (!chores.parked || refresh_found(upkeep, score, parked_keys));
	}
	if ((chores.due && !refresh_found(upkeep, score, due_keys)) ||
		(chores.parked && !refresh_found(upkeep, score, parked_keys)) ||
		(chores.fading && !refresh_found(upkeep, score, fading_keys)))
	{
		return false;
	}
	// Who comes back from the future has to bring everybody along, as what was due is due no more
	bool ahead = (chores.due || chores.fading) && score->as_of > GetCurrentTimestamp();
	if (ahead || chores.fading)
	{
		keep_instant(*score, ahead, chores.fading);
	}
	return true;
}

// Announce the labels of a score that need not wait any longer
bool
announce_labels(void *argument)
{
	auto *score = static_cast<UpkeepScore *>(argument);

	announce_dwelled(score->name, score->by_clock ? GetCurrentTimestamp() : score->as_of);
	return true;
}

// Follow time for one score. What was held back is told though it may not be evaluated any more
void
follow_time(const Upkeep &upkeep, UpkeepScore *score)
{
	bool resting = upkeep.patient && is_resting(score->name);
	bool well = resting || do_chores(upkeep, score);
	Failure of_telling{};

	if (!attempt(announce_labels, score, &of_telling) && well && !is_passing(of_telling))
	{
		score->failure = of_telling;
		well = false;
	}
	score->unproven = score->unproven && !resting;
	if (!well)
	{
		keep_failure(*score);
	}
	else if (score->failed_before)
	{
		forget_failure(score->name);
	}
	next_part(upkeep, score->name);
}

// Commit within CALL
void
commit_and_chain(const char *)
{
	PopActiveSnapshot();
	SPI_commit();
	SPI_start_transaction();
	PushActiveSnapshot(GetTransactionSnapshot());
}

} // namespace

int
longest_wait_ms(const Upkeep &upkeep)
{
	return upkeep.patient && upkeep.next_transaction != nullptr ? 1000 : 0;
}

uint64
refresh_what_is_due(const Upkeep &upkeep, TimestampTz as_of, bool is_now)
{
	List *names = scores_to_keep({upkeep.next_transaction, upkeep.context, false}, nullptr);
	ListCell *cell;
	uint64 written = 0;
	uint64 version = definitions_version();
	bool unproven = version != proven_version || GetUserId() != proven_for;
	bool all_proven = true;

	if (names == NIL && !upkeep.patient && is_any_active())
	{
		ereport(NOTICE, (errmsg("there is no active score that user \"%s\" may refresh", GetUserNameFromId(GetUserId(), false)),
						 errhint("It takes the right to update the table that has the columns of the score.")));
	}
	foreach (cell, names)
	{
		TimestampTz until = as_of == DT_NOBEGIN ? GetCurrentTimestamp() : as_of;
		UpkeepScore score{static_cast<const char *>(lfirst(cell)), until, 0, {}, "time", is_now, false, unproven, longest_wait_ms(upkeep)};
		MemoryContext before = MemoryContextSwitchTo(upkeep.context);
		follow_time(upkeep, &score);
		MemoryContextSwitchTo(before);
		written += score.written;
		all_proven = all_proven && !score.unproven;
	}
	if (all_proven)
	{
		proven_version = version;
		proven_for = GetUserId();
	}
	return written;
}

} // namespace lead_scoring::pg

// Bring what time changed there: CALL lead_scoring.refresh_due()
Datum
lead_scoring_refresh_due(PG_FUNCTION_ARGS)
{
	using namespace lead_scoring::pg;

	if (PG_ARGISNULL(0))
	{
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("as_of must not be NULL"),
						errhint("Name the instant to which to bring the scores, or leave it out: now.")));
	}
	TimestampTz as_of = PG_GETARG_TIMESTAMPTZ(0);
	require_finite_instant(as_of);
	PreventCommandIfReadOnly("lead_scoring.refresh_due()");
	bool atomic = fcinfo->context == nullptr || !IsA(fcinfo->context, CallContext) ||
				  reinterpret_cast<CallContext *>(fcinfo->context)->atomic;
	MemoryContext context = AllocSetContextCreate(atomic ? CurrentMemoryContext : PortalContext, "lead_scoring upkeep",
												  ALLOCSET_DEFAULT_SIZES);
	SPI_connect_ext(atomic ? 0 : SPI_OPT_NONATOMIC);
	MemoryContextSwitchTo(context);
	PushActiveSnapshot(GetTransactionSnapshot());
	Upkeep upkeep{atomic ? nullptr : commit_and_chain, context, false};
	// Entries of the queue may be about facts that are later than the beginning of the transaction
	TimestampTz begun = GetCurrentTransactionStartTimestamp();
	bool now = is_now(as_of);
	work_off_queue(upkeep, as_of < begun ? as_of : DT_NOBEGIN);
	TimestampTz before = begin_following(now ? DT_NOBEGIN : as_of);
	PG_TRY();
	{
		if (refresh_what_is_due(upkeep, now && !atomic ? DT_NOBEGIN : as_of, now) > 0)
		{
			// Scores that are kept later may look at what was written
			work_off_queue(upkeep, now ? DT_NOBEGIN : as_of);
		}
	}
	PG_FINALLY();
	{
		begin_following(before);
	}
	PG_END_TRY();
	PopActiveSnapshot();
	SPI_finish();
	MemoryContextDelete(context);
	PG_RETURN_VOID();
}
