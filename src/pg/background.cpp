#include "pg/postgres_api.hpp"

#include "pg/background.hpp"

#include "pg/own_extension.hpp"
#include "pg/query.hpp"
#include "pg/session.hpp"

extern "C"
{
#include "access/xact.h"
#include "commands/extension.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/interrupt.h"
#include "tcop/tcopprot.h"
#include "utils/backend_status.h"
#include "utils/snapmgr.h"
}

namespace lead_scoring::pg
{

namespace
{

void
set_for_session(const char *name, const char *value)
{
	SetConfigOption(name, value, PGC_SUSET, PGC_S_OVERRIDE);
}

// Say what to do about a database that is not there
void
hint_at_databases(void *)
{
	if (geterrcode() == ERRCODE_UNDEFINED_DATABASE)
	{
		errhint("Create it, or take it out of lead_scoring.databases. It is looked for ever more seldom, up to every five minutes, "
				"and at once when the configuration is reloaded.");
	}
}

// Connect this process to its database
void
connect_to_database()
{
	ErrorContextCallback callback{error_context_stack, hint_at_databases, nullptr};

	error_context_stack = &callback;
	BackgroundWorkerInitializeConnection(MyBgworkerEntry->bgw_extra, nullptr, 0);
	error_context_stack = callback.previous;
}

} // namespace

BackgroundWorker
describe_process(const char *function, const char *type)
{
	BackgroundWorker process = {};

	process.bgw_flags = BGWORKER_SHMEM_ACCESS;
	// Not on a standby, which cannot write
	process.bgw_start_time = BgWorkerStart_RecoveryFinished;
	strlcpy(process.bgw_library_name, "lead_scoring", sizeof process.bgw_library_name);
	strlcpy(process.bgw_function_name, function, sizeof process.bgw_function_name);
	strlcpy(process.bgw_type, type, BGW_MAXLEN);
	strlcpy(process.bgw_name, type, BGW_MAXLEN);
	return process;
}

BackgroundWorker
describe_database_process(const char *function, const char *type, const char *database)
{
	BackgroundWorker process = describe_process(function, type);

	process.bgw_flags |= BGWORKER_BACKEND_DATABASE_CONNECTION;
	process.bgw_restart_time = BGW_NEVER_RESTART;
	process.bgw_notify_pid = MyProcPid;
	snprintf(process.bgw_name, BGW_MAXLEN, "%s for %s", type, database);
	strlcpy(process.bgw_extra, database, BGW_EXTRALEN);
	return process;
}

void
enter_database(const char *application)
{
	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	pqsignal(SIGTERM, die);
	BackgroundWorkerUnblockSignals();
	connect_to_database();
	set_for_session("application_name", application);
	set_for_session("search_path", "pg_catalog, pg_temp");
	set_for_session("default_transaction_isolation", "read committed");
	set_for_session("default_transaction_read_only", "off");
	// What is set for people would end work half done, which would begin again and again
	set_for_session("statement_timeout", "0");
	set_for_session("lock_timeout", "0");
#if PG_VERSION_NUM >= 170000
	set_for_session("transaction_timeout", "0");
#endif
	set_for_session("check_function_bodies", "on");
}

void
begin_transaction(const char *activity)
{
	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	pgstat_report_activity(STATE_RUNNING, activity);
	hold_extension();
	PushActiveSnapshot(GetTransactionSnapshot());
}

void
commit_transaction()
{
	PopActiveSnapshot();
	CommitTransactionCommand();
	pgstat_report_stat(true);
	pgstat_report_activity(STATE_IDLE, nullptr);
}

void
abandon_transaction(MemoryContext context)
{
	HOLD_INTERRUPTS();
	EmitErrorReport();
	AbortCurrentTransaction();
	MemoryContextSwitchTo(context);
	FlushErrorState();
	pgstat_report_activity(STATE_IDLE, nullptr);
	RESUME_INTERRUPTS();
}

bool
extension_is_there()
{
	return OidIsValid(get_extension_oid("lead_scoring", true));
}

const char *
ask(const char *query)
{
	MemoryContext context = CurrentMemoryContext;

	SPI_connect();
	Session session = begin_safe_path();
	QueryRows rows = run_query(context, query, 0, nullptr);
	const char *answer = rows.count == 1 && !null_at(rows, 0, 1) ? text_at(rows, 0, 1) : nullptr;
	end_session(session);
	SPI_finish();
	return answer;
}

} // namespace lead_scoring::pg
