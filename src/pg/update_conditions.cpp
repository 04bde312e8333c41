// What the trigger after an update asks about a row before PostgreSQL notes it for it.
//
// A statement may update many rows of which none matters to a score: each that is noted is read from the table again, later,
// before the trigger can say so. The condition of a trigger is asked while the rows are at hand. But it can hand them over
// only whole, copied and with long texts read in full, or column by column, and columns that a trigger names can neither be
// dropped nor change their type; and PostgreSQL reads a condition anew for each statement, which takes the longer the more
// it says. So the condition hands over where the rows are: the value of ctid is no copy, it lies in the slot that holds the
// row.
#include "pg/postgres_api.hpp"

#include "pg/fill.hpp"
#include "pg/guard_columns.hpp"
#include "pg/held.hpp"
#include "pg/row_change.hpp"
#include "pg/settings.hpp"
#include "pg/writing.hpp"

extern "C"
{
#include "access/sysattr.h"
}

LEAD_SCORING_FUNCTION(lead_scoring_matters);

namespace lead_scoring::pg
{

namespace
{

// Whether an argument of a call is the ctid of OLD or NEW in the condition of a trigger: nothing else that anybody can
// write becomes such a variable
bool
is_row_place(const Node *call, int number)
{
	if (call == nullptr || !IsA(call, FuncExpr))
	{
		return false;
	}
	auto *argument = static_cast<const Node *>(list_nth(reinterpret_cast<const FuncExpr *>(call)->args, number));
	auto *variable = reinterpret_cast<const Var *>(argument);
	return IsA(argument, Var) && variable->varattno == SelfItemPointerAttributeNumber &&
		   (variable->varno == INNER_VAR || variable->varno == OUTER_VAR);
}

// Whether the arguments of a call are where the rows of a trigger are
bool
are_row_places(FmgrInfo *function)
{
	static bool yes = true;
	static bool no = false;

	// Asked for each row, and always the same
	if (function->fn_extra == nullptr)
	{
		function->fn_extra = is_row_place(function->fn_expr, 0) && is_row_place(function->fn_expr, 1) ? &yes : &no;
	}
	return *static_cast<const bool *>(function->fn_extra);
}

// The slot that a place lies in, or null if it may lie elsewhere
TupleTableSlot *
slot_around(Datum argument)
{
	char *place = DatumGetPointer(argument) - offsetof(TupleTableSlot, tts_tid);
	auto *slot = reinterpret_cast<TupleTableSlot *>(place);

	return IsA(slot, TupleTableSlot) && !TTS_EMPTY(slot) && OidIsValid(slot->tts_tableOid) ? slot : nullptr;
}

Rows
rows_around(FunctionCallInfo fcinfo)
{
	if (!are_row_places(fcinfo->flinfo))
	{
		return {nullptr, nullptr};
	}
	return {slot_around(PG_GETARG_DATUM(0)), slot_around(PG_GETARG_DATUM(1))};
}

} // namespace

} // namespace lead_scoring::pg

// Tell whether an update changed a column that a score reads, or, unless the extension does, writes a score; yes wherever
// that cannot be told, as where the definitions are not held: rows are locked already, nobody must be waited for here
Datum
lead_scoring_matters(PG_FUNCTION_ARGS)
{
	using namespace lead_scoring::pg;

	Rows rows = rows_around(fcinfo);
	// A score that is written by hand is noted
	if (rows.before == nullptr || rows.after == nullptr || score_writes_allowed())
	{
		PG_RETURN_BOOL(true);
	}
	// Who writes scores has not been asked to hold anything by a trigger before the statement, but does
	bool is_ours = is_statement_of_scores();
	Oid relation = rows.before->tts_tableOid;
	const PathStarts *starts = is_ours ? find_held_paths_from(relation) : held_paths_from(relation);
	// Most of the time one look tells that there is nothing
	if (starts != nullptr && !starts->all_matter && !is_ours && left_alone(starts->watched, rows))
	{
		PG_RETURN_BOOL(false);
	}
	PG_RETURN_BOOL(starts == nullptr || !are_indifferent(starts, rows) || (!is_ours && (is_score_written(starts, rows) || writes_filled(starts, rows))));
}
