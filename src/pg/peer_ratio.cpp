// lead_scoring.peer_ratio: a value beside the mean of its peers, which are the rows of its partition.
//
// The first row reads the values of all and keeps their exact sum; the others divide.
#include "pg/postgres_api.hpp"

#include "core/exact_sum.hpp"
#include "pg/guard.hpp"

extern "C"
{
#include "windowapi.h"
}

#include <cmath>
#include <type_traits>

using lead_scoring::core::ExactSum;
using lead_scoring::core::ScaledNumber;

namespace lead_scoring::pg
{

namespace
{

// What is known of a partition; zeroed when it begins
struct Peers
{
	bool begun;
	int64 count; // of the values that are numbers
	ScaledNumber sum;
};

void
sum_up(WindowObject window, Peers *peers)
{
	static_assert(std::is_trivially_destructible_v<ExactSum>, "the sum would be skipped by a jump");
	int64 rows = WinGetPartitionRowCount(window);
	ExactSum sum;

	if (rows > PG_INT32_MAX)
	{
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("too many rows for peer_ratio"),
						errhint("A partition has at most 2,147,483,647 rows: divide by avg(value) OVER (...) instead.")));
	}
	// What the argument's evaluation leaves behind must not pile up with the rows
	MemoryContext scratch = AllocSetContextCreate(CurrentMemoryContext, "lead_scoring rows", ALLOCSET_SMALL_SIZES);
	MemoryContext before = MemoryContextSwitchTo(scratch);
	for (int64 position = 0; position < rows; position++)
	{
		bool is_null;
		bool is_out;
		double value = DatumGetFloat8(WinGetFuncArgInPartition(window, 0, static_cast<int>(position), WINDOW_SEEK_HEAD,
															   false, &is_null, &is_out));
		if (!is_null && std::isfinite(value))
		{
			sum.add(value);
			peers->count++;
		}
		if ((position & 1023) == 0)
		{
			CHECK_FOR_INTERRUPTS();
			MemoryContextReset(scratch);
		}
	}
	MemoryContextSwitchTo(before);
	MemoryContextDelete(scratch);
	peers->sum = sum.value();
}

} // namespace

} // namespace lead_scoring::pg

using namespace lead_scoring::pg;

LEAD_SCORING_FUNCTION(lead_scoring_peer_ratio);

// Divide a value by the mean of its partition
Datum
lead_scoring_peer_ratio(PG_FUNCTION_ARGS)
{
	WindowObject window = PG_WINDOW_OBJECT();
	bool is_null;

	if (!WindowObjectIsValid(window))
	{
		elog(ERROR, "a window function was not called as one");
	}
	auto *peers = static_cast<Peers *>(WinGetPartitionLocalMemory(window, sizeof(Peers)));
	if (!peers->begun)
	{
		peers->count = 0;
		sum_up(window, peers);
		peers->begun = true;
	}
	double value = DatumGetFloat8(WinGetFuncArgCurrent(window, 0, &is_null));
	WinSetMarkPosition(window, WinGetCurrentPosition(window));
	if (is_null || !std::isfinite(value) || peers->sum.significand == 0)
	{
		PG_RETURN_NULL();
	}
	PG_RETURN_FLOAT8(
		guarded([value, peers]() { return lead_scoring::core::ratio_to_mean(value, peers->sum, peers->count); }));
}
