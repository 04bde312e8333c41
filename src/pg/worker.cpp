// The background worker.
//
// One launcher for the server, started by it, looks after one worker for each database of lead_scoring.databases: it
// starts them, starts them again when they are gone, ever more slowly if they do not last, and stops those that are no
// longer wanted. A worker takes turns: it does what is to be done, each part in transactions of its own, and sleeps.
// Whatever it does is an SQL function too, so that nobody needs it.
//
// All that must survive is in tables. Shared memory only says who is there.
#include "pg/postgres_api.hpp"

#include "pg/worker.hpp"

#include "pg/background.hpp"
#include "pg/query.hpp"
#include "pg/session.hpp"
#include "pg/settings.hpp"
#include "pg/statistics.hpp"
#include "pg/trainer.hpp"
#include "pg/upkeep.hpp"

extern "C"
{
#include "access/xact.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/procsignal.h"
#include "tcop/tcopprot.h"
#include "utils/ps_status.h"
#include "utils/varlena.h"
#include "utils/wait_event.h"
}

LEAD_SCORING_EXPORT_BEGIN
[[noreturn]] void lead_scoring_launcher_main(Datum argument);
[[noreturn]] void lead_scoring_worker_main(Datum argument);
LEAD_SCORING_EXPORT_END

namespace lead_scoring::pg
{

namespace
{

constexpr int launcher_nap_ms = 10 * 1000;
constexpr int longest_delay_ms = 60 * 1000;
constexpr int longest_absence_ms = 5 * 60 * 1000;
constexpr int lasting_ms = 1000;
constexpr int most_databases = 64;

// How often to look for models that are due, and after the history, whose partitions are made a month ahead
constexpr int training_interval_ms = 60 * 1000;
constexpr int history_interval_ms = 60 * 60 * 1000;
constexpr int longest_wait_ms = 2 * 1000;

// A database that is to have a worker
struct Charge
{
	char database[NAMEDATALEN]; // empty: free
	BackgroundWorkerHandle *handle;
	bool wanted;
	int failures;         // starts in a row that did not last
	TimestampTz started;
};

Charge charges[most_databases];
MemoryContext launcher_context;

// How long to wait after so many failures: one second, doubled by each, up to the longest
int
delay_after(int failures, int longest)
{
	return failures > 10 ? longest : Min(longest, 1000 << failures);
}

// Sleep until somebody wants something or the time is over; whether the configuration was read anew
bool
sleep_for(long milliseconds)
{
	(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, milliseconds, PG_WAIT_EXTENSION);
	ResetLatch(MyLatch);
	CHECK_FOR_INTERRUPTS();
	if (!ConfigReloadPending)
	{
		return false;
	}
	ConfigReloadPending = false;
	ProcessConfigFile(PGC_SIGHUP);
	return true;
}

// Find the charge of a database, or a free one, or null
Charge *
charge_of(const char *database)
{
	Charge *unused = nullptr;

	for (Charge &charge : charges)
	{
		if (strcmp(charge.database, database) == 0)
		{
			return &charge;
		}
		unused = unused == nullptr && charge.database[0] == '\0' ? &charge : unused;
	}
	return unused;
}

// Take over what lead_scoring.databases says
void
read_databases()
{
	List *names = NIL;
	ListCell *cell;

	// The setting was checked
	if (!SplitIdentifierString(pstrdup(worker_databases()), ',', &names))
	{
		elog(ERROR, "invalid list of databases in lead_scoring.databases: \"%s\"", worker_databases());
	}
	for (Charge &charge : charges)
	{
		charge.wanted = false;
	}
	foreach (cell, names)
	{
		auto *name = static_cast<const char *>(lfirst(cell));
		Charge *charge = charge_of(name);
		if (charge == nullptr)
		{
			ereport(LOG, (errmsg("no background worker for database \"%s\": lead_scoring.databases has more than %d", name,
								 most_databases)));
			continue;
		}
		if (charge->database[0] == '\0')
		{
			*charge = Charge{};
			strlcpy(charge->database, name, NAMEDATALEN);
		}
		charge->wanted = true;
	}
}

void
start_worker(Charge *charge)
{
	BackgroundWorker process =
		describe_database_process("lead_scoring_worker_main", "lead_scoring worker", charge->database);

	charge->started = GetCurrentTimestamp();
	MemoryContext before = MemoryContextSwitchTo(launcher_context);
	if (!RegisterDynamicBackgroundWorker(&process, &charge->handle))
	{
		charge->handle = nullptr;
		// Slots come back sooner than databases
		charge->failures = Min(charge->failures + 1, 5);
		ereport(LOG, (errmsg("no background worker slot for database \"%s\"", charge->database),
					  errhint("Increase max_worker_processes.")));
	}
	MemoryContextSwitchTo(before);
}

// Look after one database; returns after how many milliseconds to look again
long
look_after(Charge *charge)
{
	pid_t pid;
	TimestampTz now = GetCurrentTimestamp();

	if (charge->handle != nullptr && GetBackgroundWorkerPid(charge->handle, &pid) == BGWH_STOPPED)
	{
		// A worker that was ended by hand has lasted
		bool lasted = TimestampDifferenceExceeds(charge->started, now, lasting_ms);
		pfree(charge->handle);
		charge->handle = nullptr;
		charge->failures = lasted ? 0 : charge->failures + 1;
	}
	if (!charge->wanted)
	{
		if (charge->handle == nullptr)
		{
			*charge = Charge{};
			return launcher_nap_ms;
		}
		TerminateBackgroundWorker(charge->handle);
		return launcher_nap_ms;
	}
	if (charge->handle != nullptr)
	{
		return launcher_nap_ms;
	}
	long left = charge->started == 0 ? 0
									 : TimestampDifferenceMilliseconds(
										   now, TimestampTzPlusMilliseconds(charge->started, delay_after(charge->failures, longest_absence_ms)));
	if (left > 0)
	{
		return left;
	}
	start_worker(charge);
	return charge->handle == nullptr ? delay_after(charge->failures, longest_absence_ms) : launcher_nap_ms;
}

// Look for databases that were not there at once: whoever has the configuration read anew may have made them
void
forget_delays()
{
	for (Charge &charge : charges)
	{
		charge.failures = 0;
	}
}

// Without the launcher nobody would look after the workers, and the next one would start others
void
stop_workers(int, Datum)
{
	for (Charge &charge : charges)
	{
		if (charge.handle != nullptr)
		{
			TerminateBackgroundWorker(charge.handle);
		}
	}
}

// Call a function without arguments if it is there: other parts of the extension have upkeep of their own
void
call_if_there(const char *name)
{
	SPI_connect();
	Session session = begin_safe_path();
	QueryRows rows = run_query(CurrentMemoryContext,
							   "SELECT CASE p.prokind WHEN 'p' THEN 'CALL' ELSE 'SELECT' END || ' ' || p.oid::pg_catalog.regproc || '()' "
							   "FROM pg_catalog.pg_proc p WHERE p.proname = $1 AND p.pronargs = p.pronargdefaults "
							   "AND p.pronamespace = 'lead_scoring'::pg_catalog.regnamespace",
							   1, &name);
	if (rows.count == 1)
	{
		// Scores wait for us: another time will do
		wait_at_most(longest_wait_ms);
		execute_command(text_at(rows, 0, 1));
	}
	end_session(session);
	SPI_finish();
}

// Go on in another transaction, as whoever is at work asks
void
next_transaction(const char *activity)
{
	CHECK_FOR_INTERRUPTS();
	commit_transaction();
	begin_transaction(activity);
}

// What a turn does beside following time, if it comes to that
struct Seldom
{
	TimestampTz now;
	TimestampTz last_training; // when it was begun
	TimestampTz last_history;
};

bool
is_time(TimestampTz *last, TimestampTz now, int interval_ms)
{
	bool is_time = TimestampDifferenceExceeds(*last, now, interval_ms);

	*last = is_time ? now : *last;
	return is_time;
}

// Do what is to be done now, each part in transactions of its own. What the whole takes lives in the context
void
take_turn(MemoryContext context, Seldom *seldom)
{
	begin_transaction("lead_scoring: looking for work");
	bool there = extension_is_there();
	if (there)
	{
		Upkeep upkeep{next_transaction, context, true};
		MemoryContextSwitchTo(context);
		work_off_queue(upkeep, DT_NOBEGIN);
		refresh_what_is_due(upkeep, DT_NOBEGIN, true);
		if (is_time(&seldom->last_history, seldom->now, history_interval_ms))
		{
			next_transaction("lead_scoring.maintain_history()");
			call_if_there("maintain_history");
		}
		if (is_time(&seldom->last_training, seldom->now, training_interval_ms))
		{
			next_transaction("lead_scoring: looking for models to train");
			start_trainer_if_due();
		}
	}
	commit_transaction();
}

// Take a turn; an error ends it, not the worker
bool
take_turn_safely(MemoryContext context, Seldom *seldom)
{
	volatile bool done = false;

	PG_TRY();
	{
		take_turn(context, seldom);
		done = true;
	}
	PG_CATCH();
	{
		abandon_transaction(context);
	}
	PG_END_TRY();
	MemoryContextReset(context);
	return done;
}

} // namespace

void
register_launcher()
{
	BackgroundWorker process = describe_process("lead_scoring_launcher_main", "lead_scoring launcher");

	// Users who end all sessions do not mean to switch the scores off
	process.bgw_restart_time = 5;
	RegisterBackgroundWorker(&process);
}

} // namespace lead_scoring::pg

// Look after the workers
void
lead_scoring_launcher_main(Datum)
{
	using namespace lead_scoring::pg;

	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	pqsignal(SIGTERM, die);
	// The server tells so that a worker has come or gone; it is to wake us
	pqsignal(SIGUSR1, procsignal_sigusr1_handler);
	BackgroundWorkerUnblockSignals();
	launcher_context = AllocSetContextCreate(TopMemoryContext, "lead_scoring launcher", ALLOCSET_DEFAULT_SIZES);
	MemoryContext scratch = AllocSetContextCreate(TopMemoryContext, "lead_scoring launcher turn", ALLOCSET_DEFAULT_SIZES);
	before_shmem_exit(stop_workers, 0);
	for (;;)
	{
		long nap = launcher_nap_ms;
		MemoryContextSwitchTo(scratch);
		read_databases();
		for (Charge &charge : charges)
		{
			if (charge.database[0] != '\0')
			{
				nap = Min(nap, look_after(&charge));
			}
		}
		MemoryContextReset(scratch);
		if (sleep_for(nap))
		{
			forget_delays();
		}
	}
}

// Keep the scores of one database current
void
lead_scoring_worker_main(Datum)
{
	using namespace lead_scoring::pg;

	enter_database("lead_scoring worker");
	if (!claim_database())
	{
		ereport(LOG, (errmsg("database \"%s\" has a lead_scoring worker already", MyBgworkerEntry->bgw_extra)));
		proc_exit(0);
	}
	MemoryContext context = AllocSetContextCreate(TopMemoryContext, "lead_scoring worker turn", ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(context);
	pgstat_report_activity(STATE_IDLE, nullptr);
	int failures = 0;
	Seldom seldom = {};
	for (;;)
	{
		seldom.now = GetCurrentTimestamp();
		failures = take_turn_safely(context, &seldom) ? 0 : failures + 1;
		(void) sleep_for(failures == 0 ? naptime_ms() : Max(naptime_ms(), delay_after(failures, longest_delay_ms)));
	}
}
