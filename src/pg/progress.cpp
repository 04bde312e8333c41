// How far an evaluation has come.
//
// PostgreSQL's own place for this, in the shared status of each backend, is for commands of its own, told apart by a
// number. We use a number that none of them has, which its views pass over, and read it with a function of ours: no shared
// memory of our own, hence no need to be preloaded.
#include "pg/postgres_api.hpp"

#include "pg/progress.hpp"

#include "pg/row_set.hpp"

extern "C"
{
#include "catalog/pg_authid.h"
#include "common/hashfn.h"
#include "pgstat.h"
#include "utils/backend_progress.h"
#include "utils/backend_status.h"
}

LEAD_SCORING_FUNCTION(lead_scoring_progress);

namespace lead_scoring::pg
{

namespace
{

constexpr int our_command = 0x4C53;

enum Parameter
{
	score_parameter, // hash of its name
	phase_parameter,
	done_parameter,
	expected_parameter,
};

constexpr int64 first_notice_us = 10 * USECS_PER_SEC;
constexpr int64 notice_interval_us = 10 * USECS_PER_SEC;

// The report of this process
struct Report
{
	char score[NAMEDATALEN]; // empty if there is nothing to report
	char name[NAMEDATALEN];  // of what is being read or written
	bool of_model;
	Phase phase;
	double expected;
	TimestampTz next_notice;
	int nested;       // reports begun within it, by a condition that evaluates a score: they are passed over
	bool shared;      // whether other sessions can see it
};

Report report;

bool
is_ours(const PgBackendStatus *status)
{
	return static_cast<int>(status->st_progress_command) == our_command;
}

// Whether a report is under way. One that an error has ended is not: PostgreSQL ends the command, of subtransactions too
bool
is_reporting()
{
	return report.score[0] != '\0' && report.shared && MyBEEntry != nullptr && is_ours(MyBEEntry);
}

void
give_notice(double done)
{
	static const char *const verbs[] = {"", "read", "scored", "written"};
	int percent = report.expected > 0 ? static_cast<int>(Min(100 * done / report.expected, 99)) : 0;

	if (report.of_model)
	{
		ereport(NOTICE, (errmsg("model \"%s\": %.0f of %.0f snapshots collected", report.score, done, report.expected)));
		return;
	}
	ereport(NOTICE, (errmsg("score \"%s\": %.0f rows of \"%s\" %s%s", report.score, done, report.name,
							verbs[static_cast<int>(report.phase)],
							report.expected > 0 ? psprintf(", about %d %%", percent) : "")));
}

// Begin to report on a score or a model; others know it by the hash of a text
void
begin_report(const char *name, const char *hashed, Oid records)
{
	if (is_reporting())
	{
		report.nested++;
		return;
	}
	report = Report{};
	strlcpy(report.score, name, sizeof report.score);
	report.next_notice = GetCurrentTimestamp() + first_notice_us;
	report.shared = MyBEEntry != nullptr && MyBEEntry->st_progress_command == PROGRESS_COMMAND_INVALID;
	if (report.shared)
	{
		pgstat_progress_start_command(static_cast<ProgressCommandType>(our_command), records);
		pgstat_progress_update_param(score_parameter,
									 DatumGetInt32(hash_any(reinterpret_cast<const unsigned char *>(hashed),
															static_cast<int>(strlen(hashed)))));
	}
}

} // namespace

void
begin_progress(const char *score, Oid records)
{
	begin_report(score, score, records);
}

void
begin_training_progress(const char *model, Oid records)
{
	begin_report(model, psprintf("model %s", model), records);
	report.of_model = report.nested == 0 || report.of_model;
}

void
begin_phase(Phase phase, const char *name, double expected)
{
	if (report.nested > 0)
	{
		return;
	}
	report.phase = phase;
	strlcpy(report.name, name, sizeof report.name);
	report.expected = expected;
	if (report.shared)
	{
		pgstat_progress_update_param(phase_parameter, static_cast<int>(phase));
		pgstat_progress_update_param(done_parameter, 0);
		pgstat_progress_update_param(expected_parameter, static_cast<int64>(Max(expected, 0)));
	}
}

void
note_progress(double done)
{
	if (report.score[0] == '\0' || report.nested > 0)
	{
		return;
	}
	if (report.shared)
	{
		pgstat_progress_update_param(done_parameter, static_cast<int64>(done));
	}
	TimestampTz now = GetCurrentTimestamp();
	if (now >= report.next_notice)
	{
		report.next_notice = now + notice_interval_us;
		give_notice(done);
	}
}

void
note_training(const char *, double share) noexcept
{
	// No NOTICE: that could raise
	if (report.shared && report.of_model && report.nested == 0)
	{
		pgstat_progress_update_param(done_parameter, static_cast<int64>(1000 * share));
	}
}

void
end_progress()
{
	if (report.nested > 0)
	{
		report.nested--;
		return;
	}
	if (report.shared)
	{
		pgstat_progress_end_command();
	}
	report = Report{};
}

} // namespace lead_scoring::pg

// Give a row for each backend that evaluates a score
Datum
lead_scoring_progress(PG_FUNCTION_ARGS)
{
	using namespace lead_scoring::pg;

	RowSet rows = begin_row_set(fcinfo);
	for (int at = 1; at <= pgstat_fetch_stat_numbackends(); at++)
	{
#if PG_VERSION_NUM >= 160000
		LocalPgBackendStatus *local = pgstat_get_local_beentry_by_index(at);
#else
		LocalPgBackendStatus *local = pgstat_fetch_stat_local_beentry(at);
#endif
		if (local == nullptr || !is_ours(&local->backendStatus) ||
			local->backendStatus.st_databaseid != MyDatabaseId ||
			!(has_privs_of_role(GetUserId(), local->backendStatus.st_userid) ||
			  has_privs_of_role(GetUserId(), ROLE_PG_READ_ALL_STATS)))
		{
			continue;
		}
		const int64 *parameters = local->backendStatus.st_progress_param;
		Datum values[] = {Int32GetDatum(local->backendStatus.st_procpid),
						  Int32GetDatum(static_cast<int32>(parameters[score_parameter])),
						  ObjectIdGetDatum(local->backendStatus.st_progress_command_target),
						  Int32GetDatum(static_cast<int32>(parameters[phase_parameter])),
						  Int64GetDatum(parameters[done_parameter]), Int64GetDatum(parameters[expected_parameter])};
		bool nulls[lengthof(values)] = {};
		tuplestore_putvalues(rows.store, rows.descriptor, values, nulls);
	}
	return static_cast<Datum>(0);
}
