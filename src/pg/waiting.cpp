#include "pg/postgres_api.hpp"

#include "pg/waiting.hpp"

#include "pg/attempt.hpp"
#include "pg/held.hpp"
#include "pg/own_rows.hpp"
#include "pg/own_tables.hpp"
#include "pg/stream.hpp"
#include "pg/writing.hpp"

extern "C"
{
#include "access/table.h"
#include "access/xact.h"
#include "storage/bufmgr.h"
#include "utils/builtins.h"
}

namespace lead_scoring::pg
{

namespace
{

// What another session is at work on is its own to end: waiting for it could be a deadlock
OwnCommand unpark = {
	"DELETE FROM lead_scoring.parked p WHERE p.score = $1 AND p.record_key = ANY (ARRAY(SELECT w.record_key "
	"FROM lead_scoring.parked w WHERE w.score = $1 AND w.record_key = ANY ($2) FOR UPDATE SKIP LOCKED))",
	2, {TEXTOID, TEXTARRAYOID}, nullptr};
OwnCommand unpark_all = {"DELETE FROM lead_scoring.parked WHERE score = $1", 1, {TEXTOID}, nullptr};
OwnCommand unqueue_all = {
	"DELETE FROM lead_scoring.queue q WHERE q.score = $1 AND q.queue_id = ANY (ARRAY(SELECT w.queue_id "
	"FROM lead_scoring.queue w WHERE w.score = $1 FOR UPDATE SKIP LOCKED))",
	1, {TEXTOID}, nullptr};

// Whether those who write facts evaluate a score themselves
bool
is_kept_by_writers(const char *score)
{
	const ActiveScore *active = find_active(score);

	return active != nullptr && !active->queued;
}

// A command about rows that others may have dealt with
struct Ending
{
	OwnCommand *command;
	const Datum *values;
};

bool
run_ending(void *argument)
{
	auto *ending = static_cast<const Ending *>(argument);

	run_own_command(ending->command, ending->values);
	return true;
}

// End what waits. A transaction that sees the past fails about rows that others have changed since: these wait a little longer,
// instead of failing whoever wrote the facts
void
end_rows(OwnCommand *command, const Datum *values)
{
	Ending ending{command, values};
	Failure failure{};

	if (!IsolationUsesXactSnapshot())
	{
		run_own_command(command, values);
	}
	else if (!attempt(run_ending, &ending, &failure) && !is_passing(failure))
	{
		ereport(ERROR, (errcode(failure.sqlstate), errmsg_internal("%s", failure.message)));
	}
}

} // namespace

bool
any_parked(const char *score)
{
	// Most databases never had any: the table has no pages, which takes no look at its index
	Relation parked = table_open(own_relation(own::parked.name), AccessShareLock);
	bool has_pages = RelationGetNumberOfBlocks(parked) > 0;

	table_close(parked, AccessShareLock);
	return has_pages && has_rows_by_now(own::parked, score);
}

void
end_parked(const char *score, core::KeyKind kind, std::span<const core::Key> keys)
{
	if (keys.empty() || !any_parked(score))
	{
		return;
	}
	auto *texts = static_cast<Datum *>(palloc(sizeof(Datum) * keys.size()));
	for (size_t at = 0; at < keys.size(); at++)
	{
		texts[at] = CStringGetTextDatum(key_string(kind, keys[at]));
	}
	Datum values[] = {CStringGetTextDatum(score), text_array(texts, keys.size())};
	end_rows(&unpark, values);
}

void
end_all_waiting(const char *score, TimestampTz as_of)
{
	Datum value = CStringGetTextDatum(score);

	if (has_rows_by_now(own::parked, score))
	{
		end_rows(&unpark_all, &value);
	}
	// Where the score is queued still, entries are worked on soon, and there may be a great many
	if (is_now(as_of) && is_kept_by_writers(score) && has_rows_by_now(own::queue, score))
	{
		end_rows(&unqueue_all, &value);
	}
}

} // namespace lead_scoring::pg
