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

// Train the model that has been due longest; false if none is
bool
train_one()
{
	begin_transaction("SELECT lead_scoring.retrain_due(1)");
	const char *trained = extension_is_there() ? ask("SELECT nullif(lead_scoring.retrain_due(1), 0)::text") : nullptr;
	bool any = trained != nullptr;
	commit_transaction();
	return any;
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
	if (!RegisterDynamicBackgroundWorker(&process, &trainer))
	{
		trainer = nullptr;
		ereport(LOG, (errmsg("no background worker slot to train the models of database \"%s\"", MyBgworkerEntry->bgw_extra),
					  errhint("Increase max_worker_processes.")));
	}
	MemoryContextSwitchTo(before);
}

} // namespace lead_scoring::pg

// Train what is due, model by model, each in a transaction of its own; an error ends the process, and the worker starts
// another one when it looks again
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
