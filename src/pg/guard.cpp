#include "pg/guard.hpp"

namespace lead_scoring::pg
{

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
	// Not InterruptPending alone: that is also how helpers, or views of the server's state, ask for a moment's attention
	return (QueryCancelPending != 0 || ProcDiePending != 0) && InterruptHoldoffCount == 0 &&
		   QueryCancelHoldoffCount == 0 && CritSectionCount == 0;
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
