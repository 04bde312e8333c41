#include "pg/postgres_api.hpp"

#include "pg/writing.hpp"

extern "C"
{
#include "access/xact.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"
}

namespace lead_scoring::pg
{

namespace
{

// The innermost columns that are being written, or null
const Writing *writing_now = nullptr;

// Where all scores are on their way to
TimestampTz following_to = DT_NOBEGIN;

int
trigger_depth()
{
	return DatumGetInt32(DirectFunctionCall1(pg_trigger_depth, 0));
}

} // namespace

bool
is_now(TimestampTz instant)
{
	return instant >= GetCurrentTransactionStartTimestamp() && instant <= GetCurrentTimestamp();
}

void
begin_writing_scores(Writing *writing, const char *score, TimestampTz as_of)
{
	*writing = {score, as_of, trigger_depth(), writing_now};
	writing_now = writing;
}

void
end_writing_scores(const Writing &writing)
{
	writing_now = writing.around;
}

TimestampTz
begin_following(TimestampTz as_of)
{
	TimestampTz before = following_to;

	following_to = as_of;
	return before;
}

TimestampTz
instant_on_its_way(const char *score)
{
	for (const Writing *writing = writing_now; writing != nullptr; writing = writing->around)
	{
		if (strcmp(writing->score, score) == 0 && !is_now(writing->as_of))
		{
			return writing->as_of;
		}
	}
	return following_to;
}

bool
is_writing_scores()
{
	return writing_now != nullptr && trigger_depth() == writing_now->depth + 1;
}

bool
is_statement_of_scores()
{
	return writing_now != nullptr && trigger_depth() == writing_now->depth;
}

} // namespace lead_scoring::pg
