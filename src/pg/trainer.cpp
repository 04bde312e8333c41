#include "pg/postgres_api.hpp"

#include "pg/trainer.hpp"

#include "pg/background.hpp"

extern "C"
{
#include "miscadmin.h"
#include "storage/ipc.h"
}

LEAD_SCORING_EXPORT_BEGIN
[[noreturn]] void lead_scoring_trainer_main(Datum argument);
LEAD_SCORING_EXPORT_END

namespace lead_scoring::pg
{

namespace
{

// The trainer that this worker started last, or null
BackgroundWorkerHandle *trainer;

bool
is_at_work()
{
	pid_t pid;

	if (trainer != nullptr && GetBackgroundWorkerPid(trainer, &pid) == BGWH_STOPPED)
	{
		pfree(trainer);
		trainer = nullptr;
	}
	return trainer != nullptr;
}

// Find the model that has been due longest, and note that its training begins; null if none is
char *
begin_one()
{
	begin_transaction("lead_scoring: looking for models to train");
	const char *model = extension_is_there() ? ask("SELECT lead_scoring.begin_training()") : nullptr;
	char *kept = model == nullptr ? nullptr : MemoryContextStrdup(TopMemoryContext, model);
	commit_transaction();
	return kept;
}

// Train the model that has been due longest; false if none is
bool
train_one()
{
	char *model = begin_one();

	if (model == nullptr)
	{
		return false;
	}
	begin_transaction("lead_scoring.try_training()");
	ask(psprintf("SELECT lead_scoring.try_training(%s)", quote_literal_cstr(model)));
	commit_transaction();
	pfree(model);
	return true;
}

// Without this worker nobody wants it any more: the database may be about to go
void
stop_trainer(int, Datum)
{
	if (trainer != nullptr)
	{
		TerminateBackgroundWorker(trainer);
	}
}

} // namespace

void
start_trainer_if_due()
{
	if (is_at_work() || ask("SELECT 'due' FROM lead_scoring.model_upkeep WHERE next_training <= now() LIMIT 1") == nullptr)
	{
		return;
	}
	BackgroundWorker process =
		describe_database_process("lead_scoring_trainer_main", "lead_scoring trainer", MyBgworkerEntry->bgw_extra);
	MemoryContext before = MemoryContextSwitchTo(TopMemoryContext);
	static bool stops;
	if (!stops)
	{
		before_shmem_exit(stop_trainer, 0);
		stops = true;
	}
	if (!RegisterDynamicBackgroundWorker(&process, &trainer))
	{
		trainer = nullptr;
		ereport(LOG, (errmsg("no background worker slot to train the models of database \"%s\"", MyBgworkerEntry->bgw_extra),
					  errhint("Increase max_worker_processes.")));
	}
	MemoryContextSwitchTo(before);
}

} // namespace lead_scoring::pg

// Train what is due, model by model, each in transactions of its own; an error ends the process, and the worker starts
// another one when it looks again, to which that model is not due for a while
void
lead_scoring_trainer_main(Datum)
{
	using namespace lead_scoring::pg;

	enter_database("lead_scoring trainer");
	while (train_one())
	{
		CHECK_FOR_INTERRUPTS();
	}
	proc_exit(0);
}
