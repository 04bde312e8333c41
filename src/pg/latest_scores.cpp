// What the definition tables hold now, for transactions that see only what was there when they began: a score may have been
// switched on since, a rule been added.
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
LEAD_SCORING_FUNCTION(lead_scoring_require_parts_seen);

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

// Raise if the answer to a question is not what it was when the transaction began to look
void
require_seen(const char *sql, int count, const char *const *parameters, const char *what)
{
	if (!IsolationUsesXactSnapshot())
	{
		return;
	}
	const char *seen = ask(GetActiveSnapshot(), sql, count, parameters);
	const char *there = ask(GetLatestSnapshot(), sql, count, parameters);
	if (strcmp(seen == nullptr ? "" : seen, there == nullptr ? "" : there) != 0)
	{
		ereport(ERROR, (errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
						errmsg("could not serialize access: %s changed concurrently", what),
						errhint("The transaction might succeed if retried.")));
	}
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

// Raise if scores, sources or models have come or gone, or scores been switched on or off since the transaction began to look
Datum
lead_scoring_require_all_scores_seen(FunctionCallInfo)
{
	constexpr const char *all =
		"SELECT string_agg(x.what, ', ' ORDER BY x.what) FROM ("
		"SELECT 'score ' || s.name || ' ' || s.record_type || ' ' || s.status FROM lead_scoring.score s "
		"UNION ALL SELECT 'source ' || o.name || ' ' || o.record_type FROM lead_scoring.source o "
		"UNION ALL SELECT 'model ' || m.name || ' ' || m.record_type FROM lead_scoring.model m) x (what)";

	lead_scoring::pg::require_seen(all, 0, nullptr, "scores were");
	PG_RETURN_VOID();
}

// Raise if a part of a score has been written since the transaction began to look
Datum
lead_scoring_require_parts_seen(PG_FUNCTION_ARGS)
{
	constexpr const char *parts =
		"SELECT string_agg(x.version, ' ' ORDER BY x.version) FROM ("
		"SELECT p.tableoid || '.' || p.ctid || p.xmin FROM lead_scoring.score_group p WHERE p.score = $1 "
		"UNION ALL SELECT p.tableoid || '.' || p.ctid || p.xmin FROM lead_scoring.segment_decay p WHERE p.score = $1 "
		"UNION ALL SELECT p.tableoid || '.' || p.ctid || p.xmin FROM lead_scoring.rule p WHERE p.score = $1 "
		"UNION ALL SELECT p.tableoid || '.' || p.ctid || p.xmin FROM lead_scoring.event_factor p WHERE p.score = $1 "
		"UNION ALL SELECT p.tableoid || '.' || p.ctid || p.xmin FROM lead_scoring.scope p WHERE p.score = $1 "
		"UNION ALL SELECT p.tableoid || '.' || p.ctid || p.xmin FROM lead_scoring.band p WHERE p.score = $1 "
		"UNION ALL SELECT p.tableoid || '.' || p.ctid || p.xmin FROM lead_scoring.alert p WHERE p.score = $1) x (version)";
	const char *score = text_to_cstring(PG_GETARG_TEXT_PP(0));

	lead_scoring::pg::require_seen(parts, 1, &score, psprintf("the definition of score \"%s\" was", score));
	PG_RETURN_VOID();
}
