// What the table of scores holds now, for transactions that see only what was there when they began: a score may have been
// switched on since.
#include "pg/postgres_api.hpp"

#include "pg/query.hpp"
#include "pg/session.hpp"

extern "C"
{
#include "access/xact.h"
#include "utils/snapmgr.h"
}

LEAD_SCORING_FUNCTION(lead_scoring_is_active_now);
LEAD_SCORING_FUNCTION(lead_scoring_waits_now);
LEAD_SCORING_FUNCTION(lead_scoring_require_all_scores_seen);

namespace lead_scoring::pg
{

namespace
{

// Ask a question about the scores under a snapshot; the answer is a text
char *
ask(Snapshot snapshot, const char *sql, int count, const char *const *parameters)
{
	MemoryContext context = CurrentMemoryContext;

	PushActiveSnapshot(snapshot);
	SPI_connect();
	Session session = begin_as_table_owner(definitions_owner());
	QueryRows rows = run_query(context, sql, count, parameters);
	char *answer = rows.count == 0 ? nullptr : text_at(rows, 0, 1);
	end_session(session);
	SPI_finish();
	PopActiveSnapshot();
	return answer;
}

} // namespace

} // namespace lead_scoring::pg

// Whether a score is switched on
Datum
lead_scoring_is_active_now(PG_FUNCTION_ARGS)
{
	using namespace lead_scoring::pg;

	const char *score = text_to_cstring(PG_GETARG_TEXT_PP(0));
	const char *status = ask(GetLatestSnapshot(), "SELECT s.status FROM lead_scoring.score s WHERE s.name = $1", 1, &score);

	PG_RETURN_BOOL(status != nullptr && strcmp(status, "active") == 0);
}

// Whether records wait for the evaluation of a score
Datum
lead_scoring_waits_now(PG_FUNCTION_ARGS)
{
	using namespace lead_scoring::pg;

	const char *score = text_to_cstring(PG_GETARG_TEXT_PP(0));
	const char *queued = ask(GetLatestSnapshot(), "SELECT 'queued' FROM lead_scoring.queue q WHERE q.score = $1 LIMIT 1", 1, &score);

	PG_RETURN_BOOL(queued != nullptr);
}

// Raise if scores have come, gone, or been switched on or off since the transaction began to look
Datum
lead_scoring_require_all_scores_seen(FunctionCallInfo)
{
	using namespace lead_scoring::pg;

	constexpr const char *all = "SELECT string_agg(s.name || ' ' || s.record_type || ' ' || s.status, ', ' ORDER BY s.name) "
								"FROM lead_scoring.score s";

	if (IsolationUsesXactSnapshot())
	{
		const char *seen = ask(GetActiveSnapshot(), all, 0, nullptr);
		const char *there = ask(GetLatestSnapshot(), all, 0, nullptr);
		if (strcmp(seen == nullptr ? "" : seen, there == nullptr ? "" : there) != 0)
		{
			ereport(ERROR, (errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
							errmsg("could not serialize access: scores were changed concurrently"),
							errhint("The transaction might succeed if retried.")));
		}
	}
	PG_RETURN_VOID();
}
