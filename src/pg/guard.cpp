#include "pg/guard.hpp"

extern "C"
{
#include "storage/procsignal.h"
}

namespace lead_scoring::pg
{

namespace
{

// Do what other sessions wait for: DROP DATABASE, say, goes on only when every process has let go of its files. An error
// ends here, as it must not jump over frames of the core; the server asks again
void
answer_others() noexcept
{
	MemoryContext context = CurrentMemoryContext;

	PG_TRY();
	{
		ProcessProcSignalBarrier();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		FlushErrorState();
	}
	PG_END_TRY();
}

} // namespace

int
sqlstate_of(core::Fault fault) noexcept
{
	switch (fault)
	{
	case core::Fault::invalid_text:
		return ERRCODE_INVALID_TEXT_REPRESENTATION;
	case core::Fault::invalid_parameter:
		return ERRCODE_INVALID_PARAMETER_VALUE;
	case core::Fault::out_of_range:
		return ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE;
	case core::Fault::limit_exceeded:
		return ERRCODE_PROGRAM_LIMIT_EXCEEDED;
	case core::Fault::duplicate_key:
		return ERRCODE_CARDINALITY_VIOLATION;
	case core::Fault::missing_library:
		return ERRCODE_UNDEFINED_FILE;
	case core::Fault::library_failure:
		return ERRCODE_EXTERNAL_ROUTINE_EXCEPTION;
	case core::Fault::cancelled:
		return ERRCODE_QUERY_CANCELED;
	}
	return ERRCODE_INTERNAL_ERROR;
}

void
keep_fault(CaughtFault &kept, int sqlstate, const char *message, const char *hint) noexcept
{
	kept.caught = true;
	kept.sqlstate = sqlstate;
	strlcpy(kept.message, message, sizeof kept.message);
	strlcpy(kept.hint, hint, sizeof kept.hint);
}

bool
stop_wanted() noexcept
{
	if (InterruptHoldoffCount != 0 || QueryCancelHoldoffCount != 0 || CritSectionCount != 0)
	{
		return false;
	}
	if (ProcSignalBarrierPending != 0)
	{
		answer_others();
	}
	// Not InterruptPending alone: that is also how helpers, or views of the server's state, ask for a moment's attention
	return QueryCancelPending != 0 || ProcDiePending != 0;
}

void
raise_fault(const CaughtFault &caught)
{
	if (caught.cancelled)
	{
		// The server's own message says who asked and why
		CHECK_FOR_INTERRUPTS();
	}
	ereport(ERROR, (errcode(caught.sqlstate), errmsg_internal("%s", caught.message),
					caught.hint[0] == '\0' ? 0 : errhint("%s", caught.hint)));
	pg_unreachable();
}

} // namespace lead_scoring::pg
