// Records of one score under upkeep.
//
// A batch is evaluated in a subtransaction. If that fails, and not because the score as a whole cannot be evaluated, it
// is divided until the records that fail stand alone: these are parked, all others are done.
#include "pg/postgres_api.hpp"

#include "pg/own_tables.hpp"
#include "pg/session.hpp"
#include "pg/upkeep_score.hpp"

extern "C"
{
#include "access/xact.h"
}

namespace lead_scoring::pg
{

namespace
{

// After so many failures without one record that could be done it is asked whether any can: else it is a failure of the score
constexpr int most_failures = 100;
constexpr size_t most_samples = 64;

// Deadlocks and the like
constexpr int most_retries = 3;

OwnCommand park_record = {
	"INSERT INTO lead_scoring.parked AS p (score, record_key, sqlstate, message, detail, hint, context, failed_at, retry_at) "
	"SELECT $1, $2, $3[1], $3[2], $3[3], $3[4], $3[5], c.now, c.now + '10 seconds' FROM (SELECT pg_catalog.clock_timestamp()) c (now) "
	"ON CONFLICT (score, record_key) DO UPDATE SET sqlstate = excluded.sqlstate, message = excluded.message, "
	"detail = excluded.detail, hint = excluded.hint, context = excluded.context, failed_at = excluded.failed_at, "
	"attempts = p.attempts + 1, retry_at = excluded.failed_at + "
	"LEAST(pg_catalog.power(2, LEAST(p.attempts, 20)) * interval '10 seconds', "
	// Who was in the way may be gone at any time
	"CASE WHEN excluded.sqlstate IN ('55P03', '40P01', '40001') THEN interval '1 minute' ELSE interval '1 hour' END)",
	3, {TEXTOID, TEXTOID, TEXTARRAYOID}, nullptr};

// Records at work
struct Portion
{
	UpkeepScore *score;
	const Datum *keys; // null: all records
	size_t count;
};

// A batch that is divided
struct Division
{
	const KeyList &keys;
	int failures;
	bool any_done;
};

// Call lead_scoring.refresh with the rights of the caller
bool
refresh_portion(void *argument)
{
	auto *portion = static_cast<Portion *>(argument);
	bool everybody = portion->keys == nullptr;
	Oid types[] = {TEXTOID, TIMESTAMPTZOID, TEXTARRAYOID};
	// Facts may have come since the work began
	TimestampTz as_of = portion->score->by_clock ? GetCurrentTimestamp() : portion->score->as_of;
	Datum values[] = {CStringGetTextDatum(portion->score->name), TimestampTzGetDatum(as_of),
					  everybody ? 0 : text_array(portion->keys, portion->count)};
	const char nulls[] = {' ', ' ', everybody ? 'n' : ' '};

	SPI_connect();
	Session session = begin_safe_path();
	give_reason(portion->score->reason);
	if (portion->score->longest_wait_ms > 0)
	{
		wait_at_most(portion->score->longest_wait_ms);
	}
	if (SPI_execute_with_args("SELECT lead_scoring.refresh($1, $2, $3)", 3, types, values, nulls, false, 0) != SPI_OK_SELECT)
	{
		elog(ERROR, "could not refresh score \"%s\"", portion->score->name);
	}
	bool is_null;
	uint64 written = static_cast<uint64>(
		DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &is_null)));
	end_session(session);
	SPI_finish();
	portion->score->written += written;
	return true;
}

// Attempt to refresh records, again if somebody was in the way
bool
try_portion(Portion *portion, Failure *failure)
{
	for (int left = most_retries; !attempt(refresh_portion, portion, failure); left--)
	{
		// Who has waited for a lock in vain has waited long enough
		if (left == 0 || !is_passing(*failure) || failure->sqlstate == ERRCODE_LOCK_NOT_AVAILABLE)
		{
			return false;
		}
	}
	return true;
}

void
park(const Portion &portion, const Failure &failure)
{
	Datum values[] = {CStringGetTextDatum(portion.score->name), portion.keys[0], failure_texts(failure)};

	run_own_command(&park_record, values);
}

// Whether any of some records spread over a batch can be refreshed
bool
can_do_any(UpkeepScore *score, const KeyList &keys)
{
	size_t step = Max(keys.count / most_samples, 1);

	for (size_t at = step / 2; at < keys.count; at += step)
	{
		CHECK_FOR_INTERRUPTS();
		Portion sample{score, keys.keys + at, 1};
		Failure failure{};
		if (try_portion(&sample, &failure))
		{
			return true;
		}
	}
	return false;
}

// Park a record that failed; false if it seems that all do
bool
park_failed(Division *division, const Portion &portion, const Failure &failure)
{
	if (!division->any_done && ++division->failures > most_failures)
	{
		division->any_done = can_do_any(portion.score, division->keys);
		if (!division->any_done)
		{
			portion.score->failure = failure;
			return false;
		}
	}
	park(portion, failure);
	return true;
}

// Refresh what can be refreshed of a portion that failed, and park the rest; false if it seems that none can be
bool
divide(Division *division, const Portion &portion, const Failure &failure)
{
	CHECK_FOR_INTERRUPTS();
	if (portion.count == 1)
	{
		return park_failed(division, portion, failure);
	}
	Portion halves[] = {portion, portion};
	halves[0].count = portion.count / 2;
	halves[1].keys = portion.keys + halves[0].count;
	halves[1].count = portion.count - halves[0].count;
	for (Portion &half : halves)
	{
		Failure of_half{};
		if (try_portion(&half, &of_half))
		{
			division->any_done = true;
		}
		else if (!divide(division, half, of_half))
		{
			return false;
		}
	}
	return true;
}

} // namespace

bool
refresh_everybody(UpkeepScore *score)
{
	Portion portion{score, nullptr, 0};

	return try_portion(&portion, &score->failure);
}

bool
refresh_or_park(UpkeepScore *score, const KeyList &keys)
{
	Portion portion{score, keys.keys, keys.count};
	Portion nobody{score, keys.keys, 0};
	Division division{keys, 0, false};
	Failure failure{};

	if (try_portion(&portion, &failure))
	{
		return true;
	}
	if (is_passing(failure) && IsolationUsesXactSnapshot())
	{
		// All that others have changed since the transaction began would fail so
		score->failure = failure;
		return false;
	}
	// What fails for no record at all is not the records' fault
	if (!try_portion(&nobody, &score->failure))
	{
		return false;
	}
	// Somebody may be at thousands of records: he was waited for
	int longest_wait = score->longest_wait_ms;
	score->longest_wait_ms = Min(longest_wait, 1);
	bool well = divide(&division, portion, failure);
	score->longest_wait_ms = longest_wait;
	return well;
}

} // namespace lead_scoring::pg
