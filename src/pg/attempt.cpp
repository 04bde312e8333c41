// Work whose errors are survived.
#include "pg/postgres_api.hpp"

#include "pg/attempt.hpp"

extern "C"
{
#include "access/xact.h"
#include "utils/resowner.h"
}

namespace lead_scoring::pg
{

namespace
{

Failure
failure_of(const ErrorData *error)
{
	return {error->sqlerrcode, error->message == nullptr ? "missing error text" : error->message, error->detail, error->hint,
			error->context};
}

} // namespace

bool
attempt(Attempted work, void *argument, Failure *failure)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	volatile bool done = false;

	BeginInternalSubTransaction(nullptr);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		done = work(argument);
		if (done)
		{
			ReleaseCurrentSubTransaction();
		}
		else
		{
			RollbackAndReleaseCurrentSubTransaction();
		}
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		ErrorData *error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(context);
		CurrentResourceOwner = owner;
		if (error->sqlerrcode == ERRCODE_QUERY_CANCELED)
		{
			ReThrowError(error);
		}
		*failure = failure_of(error);
		done = false;
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	return done;
}

bool
is_passing(const Failure &failure)
{
	switch (failure.sqlstate)
	{
	case ERRCODE_T_R_DEADLOCK_DETECTED:
	case ERRCODE_T_R_SERIALIZATION_FAILURE:
	case ERRCODE_LOCK_NOT_AVAILABLE:
		return true;
	default:
		return false;
	}
}

} // namespace lead_scoring::pg
