// Tiers as window functions: tier and contact_priority.
//
// Rows that take no part (a NULL score, a closed record) do not count. Window functions are not told what the window is
// ordered by, so whether a row's score is NULL is read from the row itself, through the executor's state: the first two
// members of the window object, the same in PostgreSQL 14 to 18. Rows with a NULL score stand together at one end of the
// partition, so finding where they begin takes few looks.
#include "pg/postgres_api.hpp"

#include "core/tiers.hpp"

extern "C"
{
#include "executor/nodeWindowAgg.h"
#include "nodes/execnodes.h"
#include "windowapi.h"
}

namespace lead_scoring::pg
{

namespace
{

// How PostgreSQL's own WindowObjectData begins
struct WindowObjectHead
{
	NodeTag type;
	WindowAggState *state;
};

// What is known of a partition; zeroed when it begins
struct TierPartition
{
	bool begun;
	bool together;
	int32 tiers;
	int64 rows;        // that take part
	int64 first;       // position of the first row that has a score
	int64 end;         // position behind the last row that has one
	int64 seen;        // rows that took part before the current one
	int64 higher;      // of these, those strictly better
};

WindowAggState *
window_state(WindowObject window)
{
	WindowAggState *state = reinterpret_cast<WindowObjectHead *>(window)->state;

	if (state == nullptr || !IsA(state, WindowAggState) || !IsA(state->ss.ps.plan, WindowAgg))
	{
		elog(ERROR, "unexpected state of a window function");
	}
	return state;
}

// Whether the first ordering column of a row is NULL
bool
score_is_null(const WindowAggState *state, TupleTableSlot *slot)
{
	auto *plan = reinterpret_cast<WindowAgg *>(state->ss.ps.plan);
	bool is_null;

	slot_getattr(slot, plan->ordColIdx[0], &is_null);
	return is_null;
}

// Whether the row at a position of the partition has no score; its first argument is evaluated to get at the row
bool
score_is_null_at(WindowObject window, int64 position)
{
	WindowAggState *state = window_state(window);
	bool is_null;
	bool is_out;

	WinGetFuncArgInPartition(window, 0, static_cast<int>(position), WINDOW_SEEK_HEAD, false, &is_null, &is_out);
	return !is_out && score_is_null(state, state->ss.ps.ps_ExprContext->ecxt_outertuple);
}

// Find the first position in [low, high) at which the scores stop, or begin, to be NULL
int64
find_border(WindowObject window, int64 low, int64 high, bool null_before)
{
	while (low < high)
	{
		int64 middle = low + (high - low) / 2;
		if (score_is_null_at(window, middle) == null_before)
		{
			low = middle + 1;
		}
		else
		{
			high = middle;
		}
	}
	return low;
}

// Find the rows with a score: all but a run at one end
void
find_scored_rows(WindowObject window, TierPartition *partition)
{
	int64 total = WinGetPartitionRowCount(window);
	auto *plan = reinterpret_cast<WindowAgg *>(window_state(window)->ss.ps.plan);

	partition->first = 0;
	partition->end = total;
	if (total > PG_INT32_MAX)
	{
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("too many rows for tiers"),
						errhint("A partition has at most 2,147,483,647 rows: tier by cut-offs (tier_cutoffs, tier_for).")));
	}
	if (plan->ordNumCols == 0 || total == 0)
	{
		ereport(ERROR, (errcode(ERRCODE_WINDOWING_ERROR), errmsg("tiers need an order"),
						errhint("Write OVER (ORDER BY score DESC).")));
	}
	if (score_is_null_at(window, 0))
	{
		partition->first = find_border(window, 0, total, true);
	}
	else if (score_is_null_at(window, total - 1))
	{
		partition->end = find_border(window, 0, total, false);
	}
	partition->rows = partition->end - partition->first;
}

int32
require_tiers(WindowObject window)
{
	bool is_null;
	int32 tiers = DatumGetInt32(WinGetFuncArgCurrent(window, 0, &is_null));

	if (is_null)
	{
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("number of tiers must not be NULL"),
						errhint("Write tier(4) for quartiles.")));
	}
	if (tiers < 1 || tiers > core::most_tiers)
	{
		ereport(ERROR, (errcode(ERRCODE_INVALID_ARGUMENT_FOR_NTILE), errmsg("number of tiers out of range: %d", tiers),
						errhint("Use 1 to %d tiers.", core::most_tiers)));
	}
	return tiers;
}

// Whether ties share a tier
bool
require_mode(WindowObject window)
{
	bool is_null;
	Datum mode = WinGetFuncArgCurrent(window, 1, &is_null);
	const char *name = is_null ? "NULL" : text_to_cstring(DatumGetTextPP(mode));

	if (!is_null && strcmp(name, "together") == 0)
	{
		return true;
	}
	if (!is_null && strcmp(name, "ntile") == 0)
	{
		return false;
	}
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("unknown mode of tiers: \"%s\"", name),
					errhint("Use 'ntile' (equal sizes) or 'together' (ties share a tier).")));
	pg_unreachable();
}

// Check the labels and return how many there are
int32
require_labels(WindowObject window)
{
	bool is_null;
	Datum datum = WinGetFuncArgCurrent(window, 0, &is_null);

	if (is_null)
	{
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("labels must not be NULL"),
						errhint("Write tier(ARRAY['Hot', 'Warm', 'Cold']).")));
	}
	ArrayType *labels = DatumGetArrayTypeP(datum);
	Datum *texts;
	bool *nulls;
	int count = 0;
	if (ARR_NDIM(labels) == 1)
	{
		deconstruct_array(labels, TEXTOID, -1, false, TYPALIGN_INT, &texts, &nulls, &count);
	}
	if (count < 1 || count > core::most_tiers || ARR_LBOUND(labels)[0] != 1)
	{
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("labels must be a list of texts"),
						errhint("Write tier(ARRAY['Hot', 'Warm', 'Cold']).")));
	}
	for (int at = 0; at < count; at++)
	{
		if (nulls[at] || VARSIZE_ANY_EXHDR(DatumGetPointer(texts[at])) == 0)
		{
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("label %d is NULL or empty", at + 1),
							errhint("Give each tier a label.")));
		}
	}
	return count;
}

TierPartition *
partition_of(WindowObject window)
{
	if (!WindowObjectIsValid(window))
	{
		elog(ERROR, "a window function was not called as one");
	}
	return static_cast<TierPartition *>(WinGetPartitionLocalMemory(window, sizeof(TierPartition)));
}

// Whether the current row ties with the one before it
bool
ties_with_previous(WindowObject window, int64 position)
{
	return position > 0 && WinRowsArePeers(window, position - 1, position);
}

// Return the tier of the current row, 0 if it takes no part
int32
current_tier(WindowObject window, TierPartition *partition)
{
	int64 position = WinGetCurrentPosition(window);

	if (position < partition->first || position >= partition->end)
	{
		return 0;
	}
	int64 rank = position - partition->first;
	if (!partition->together)
	{
		WinSetMarkPosition(window, position);
		return core::ntile_tier(rank, partition->rows, partition->tiers);
	}
	if (rank == 0 || !ties_with_previous(window, position))
	{
		partition->higher = rank;
	}
	WinSetMarkPosition(window, position);
	return core::together_tier(partition->higher, partition->rows, partition->tiers);
}

// Count the rows of a partition that are open and have a score
void
count_open_rows(WindowObject window, TierPartition *partition)
{
	// What the argument's evaluation leaves behind must not pile up with the rows
	MemoryContext scratch = AllocSetContextCreate(CurrentMemoryContext, "lead_scoring rows", ALLOCSET_SMALL_SIZES);
	MemoryContext before = MemoryContextSwitchTo(scratch);

	partition->rows = 0;
	for (int64 position = partition->first; position < partition->end; position++)
	{
		bool is_null;
		bool is_out;
		bool closed = DatumGetBool(WinGetFuncArgInPartition(window, 0, static_cast<int>(position), WINDOW_SEEK_HEAD,
															false, &is_null, &is_out));
		partition->rows += is_null || !closed;
		if ((position & 1023) == 0)
		{
			CHECK_FOR_INTERRUPTS();
			MemoryContextReset(scratch);
		}
	}
	MemoryContextSwitchTo(before);
	MemoryContextDelete(scratch);
}

Datum
number_tier(FunctionCallInfo fcinfo, bool has_mode)
{
	WindowObject window = PG_WINDOW_OBJECT();
	TierPartition *partition = partition_of(window);

	if (!partition->begun)
	{
		partition->tiers = require_tiers(window);
		partition->together = has_mode && require_mode(window);
		find_scored_rows(window, partition);
		partition->begun = true;
	}
	int32 tier = current_tier(window, partition);
	if (tier == 0)
	{
		PG_RETURN_NULL();
	}
	PG_RETURN_INT32(tier);
}

} // namespace

} // namespace lead_scoring::pg

using namespace lead_scoring::pg;

LEAD_SCORING_FUNCTION(lead_scoring_tier);
LEAD_SCORING_FUNCTION(lead_scoring_tier_mode);
LEAD_SCORING_FUNCTION(lead_scoring_tier_label);
LEAD_SCORING_FUNCTION(lead_scoring_contact_priority);

// Number the tier of a row, from 1 for the best
Datum
lead_scoring_tier(PG_FUNCTION_ARGS)
{
	return number_tier(fcinfo, false);
}

// Number the tier of a row, ties sharing one or not
Datum
lead_scoring_tier_mode(PG_FUNCTION_ARGS)
{
	return number_tier(fcinfo, true);
}

// Label the tier of a row
Datum
lead_scoring_tier_label(PG_FUNCTION_ARGS)
{
	WindowObject window = PG_WINDOW_OBJECT();
	TierPartition *partition = partition_of(window);

	if (!partition->begun)
	{
		partition->tiers = require_labels(window);
		find_scored_rows(window, partition);
		partition->begun = true;
	}
	int tier = current_tier(window, partition);
	if (tier == 0)
	{
		PG_RETURN_NULL();
	}
	bool is_null;
	Datum labels = WinGetFuncArgCurrent(window, 0, &is_null);
	Datum label = 0;
	if (!is_null)
	{
		label = array_get_element(labels, 1, &tier, -1, -1, false, TYPALIGN_INT, &is_null);
	}
	if (is_null)
	{
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("labels must not vary between rows"),
						errhint("Give the same labels for all rows of a partition.")));
	}
	PG_RETURN_DATUM(label);
}

// Name the priority of a contact: a quarter of the open ones each, Closed Won for customers
Datum
lead_scoring_contact_priority(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"Very High", "High", "Medium", "Low"};
	WindowObject window = PG_WINDOW_OBJECT();
	TierPartition *partition = partition_of(window);
	bool is_null;

	if (!partition->begun)
	{
		find_scored_rows(window, partition);
		count_open_rows(window, partition);
		partition->begun = true;
	}
	bool closed = DatumGetBool(WinGetFuncArgCurrent(window, 0, &is_null));
	if (closed && !is_null)
	{
		PG_RETURN_TEXT_P(cstring_to_text("Closed Won"));
	}
	int64 position = WinGetCurrentPosition(window);
	if (position < partition->first || position >= partition->end)
	{
		PG_RETURN_NULL();
	}
	if (partition->seen >= partition->rows)
	{
		// A volatile argument: other rows were open when they were counted
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("is_customer must not vary between evaluations"),
						errhint("Compute it in a subquery first.")));
	}
	int32 tier = lead_scoring::core::ntile_tier(partition->seen++, partition->rows, 4);
	PG_RETURN_TEXT_P(cstring_to_text(names[tier - 1]));
}
