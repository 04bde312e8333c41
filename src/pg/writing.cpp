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

// The names of scores that have each other written again, in the memory of the transaction; null if there are none
const char *circle = nullptr;

// Where all scores are on their way to
TimestampTz following_to = DT_NOBEGIN;

int
trigger_depth()
{
	return DatumGetInt32(DirectFunctionCall1(pg_trigger_depth, 0));
}

// Whether a score is being written within a writing of it
bool
is_written_again(const Writing &writing)
{
	const Writing *outer = writing.around;

	while (outer != nullptr && strcmp(outer->score, writing.score) != 0)
	{
		outer = outer->around;
	}
	return outer != nullptr;
}

// Name the scores from a writing to the next one of the same score
const char *
name_circle(const Writing &writing)
{
	MemoryContext before = MemoryContextSwitchTo(TopTransactionContext);
	StringInfoData names;

	initStringInfo(&names);
	appendStringInfo(&names, "\"%s\"", writing.score);
	for (const Writing *outer = writing.around; strcmp(outer->score, writing.score) != 0; outer = outer->around)
	{
		appendStringInfo(&names, ", \"%s\"", outer->score);
	}
	MemoryContextSwitchTo(before);
	return names.data;
}

// Raise if a score is being written so often already, one within the other, that there is no end to be seen: each time may take
// long
void
require_end(const char *score)
{
	constexpr int most_rounds = 100;
	int rounds = 0;

	for (const Writing *outer = writing_now; outer != nullptr; outer = outer->around)
	{
		rounds += strcmp(outer->score, score) == 0;
	}
	if (rounds >= most_rounds)
	{
		ereport(ERROR, (errcode(ERRCODE_STATEMENT_TOO_COMPLEX), errmsg("score \"%s\" was written %d times over", score, rounds)));
	}
}

// Whether an error is what becomes of a circle in the end
bool
ends_circle(int sqlstate)
{
	return sqlstate == ERRCODE_STATEMENT_TOO_COMPLEX || sqlstate == ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE;
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
	require_end(score);
	*writing = {score, as_of, trigger_depth(), false, writing_now};
	writing_now = writing;
	if (writing->around == nullptr)
	{
		circle = nullptr;
	}
	else if (circle == nullptr && is_written_again(*writing))
	{
		writing->in_circle = true;
		circle = name_circle(*writing);
	}
}

void
end_writing_scores(const Writing &writing)
{
	writing_now = writing.around;
	circle = writing.in_circle ? nullptr : circle;
}

void
fail_writing_scores(const Writing &writing)
{
	writing_now = writing.around;
	if (writing.around != nullptr || circle == nullptr)
	{
		PG_RE_THROW();
	}
	MemoryContextSwitchTo(TopTransactionContext);
	ErrorData *error = CopyErrorData();
	if (!ends_circle(error->sqlerrcode))
	{
		PG_RE_THROW();
	}
	FlushErrorState();
	ereport(ERROR, (errcode(ERRCODE_STATEMENT_TOO_COMPLEX), errmsg("scores do not settle: %s", circle),
					errdetail("Each time one is written another changes. In the end: %s.", error->message),
					errhint("They read each other's columns, or a trigger writes what they read. Let one of them read facts "
							"instead, or limit what it takes from the other.")));
	pg_unreachable();
}

TimestampTz
begin_following(TimestampTz as_of)
{
	TimestampTz before = following_to;

	following_to = as_of;
	return before;
}

bool
is_following()
{
	return following_to != DT_NOBEGIN;
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
