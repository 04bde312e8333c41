#include "pg/postgres_api.hpp"

#include "pg/kept_stream.hpp"

#include "pg/session.hpp"

extern "C"
{
#include "utils/plancache.h"
#include "utils/resowner.h"
}

namespace lead_scoring::pg
{

namespace
{

void
plan_lookups(SPIPlanPtr plan)
{
	Session session = begin_safe_path();

	prefer_single_lookups();
	ReleaseCachedPlan(SPI_plan_get_cached_plan(plan), CurrentResourceOwner);
	end_session(session);
}

// Plan the query, where rows are not always brought without it
void
plan_stream(KeptStream *kept)
{
	Oid types[] = {TIMESTAMPTZOID, key_array_type(kept->stream.key_kind), TIMESTAMPTZOID};
	// What a constant in it means must not depend on who asks first
	Session session = begin_neutral();

	kept->plan = prepare_lookups(kept->home, kept->stream.sql, lengthof(types), types);
	end_session(session);
}

void
execute(KeptStream *kept, bool read_only)
{
	SPIExecuteOptions options = {};

	options.params = kept->parameters;
	options.read_only = read_only;
	options.dest = &kept->receiver->base;
	if (kept->plan == nullptr)
	{
		plan_stream(kept);
	}
	// SPI leaves its own memory context behind
	MemoryContext before = CurrentMemoryContext;
	int result = SPI_execute_plan_extended(kept->plan, &options);
	MemoryContextSwitchTo(before);
	if (result < 0)
	{
		elog(ERROR, "query of \"%s\" failed: %s", kept->stream.name, SPI_result_code_string(result));
	}
}

void
set_parameters(KeptStream *kept, TimestampTz as_of, Datum keys, TimestampTz earliest)
{
	kept->parameters->params[0].value = TimestampTzGetDatum(as_of);
	kept->parameters->params[1].value = keys;
	kept->parameters->params[2].value = TimestampTzGetDatum(earliest);
}

void
free_plan(void *plan)
{
	SPI_freeplan(static_cast<SPIPlanPtr>(plan));
}

} // namespace

SPIPlanPtr
prepare_kept(MemoryContext context, const char *sql, int count, Oid *types)
{
	auto *callback = static_cast<MemoryContextCallback *>(MemoryContextAlloc(context, sizeof(MemoryContextCallback)));
	MemoryContext before = CurrentMemoryContext;
	// What is asked for differs only in the values: one plan does for all
	SPIPlanPtr plan = SPI_prepare_cursor(sql, count, types, CURSOR_OPT_GENERIC_PLAN);

	if (plan == nullptr || SPI_keepplan(plan) != 0)
	{
		elog(ERROR, "could not prepare: %s", sql);
	}
	// SPI leaves its own memory context behind
	MemoryContextSwitchTo(before);
	callback->func = free_plan;
	callback->arg = plan;
	MemoryContextRegisterResetCallback(context, callback);
	return plan;
}

SPIPlanPtr
prepare_lookups(MemoryContext context, const char *sql, int count, Oid *types)
{
	SPIPlanPtr plan = prepare_kept(context, sql, count, types);

	plan_lookups(plan);
	return plan;
}

KeptStream *
keep_stream(const Stream &stream)
{
	auto *kept = static_cast<KeptStream *>(palloc0(sizeof(KeptStream)));
	Oid types[] = {TIMESTAMPTZOID, key_array_type(stream.key_kind), TIMESTAMPTZOID};

	kept->stream = stream;
	kept->home = CurrentMemoryContext;
	kept->parameters = makeParamList(lengthof(types));
	for (size_t at = 0; at < lengthof(types); at++)
	{
		kept->parameters->params[at] = {0, false, PARAM_FLAG_CONST, types[at]};
	}
	kept->receiver = make_receiver(&kept->stream, kept->parameters, true);
	return kept;
}

void
run_kept_stream(KeptStream *kept, TimestampTz as_of, Datum keys, TimestampTz earliest)
{
	set_parameters(kept, as_of, keys, earliest);
	reset_receiver(kept->receiver);
	execute(kept, true);
	flush_receiver(kept->receiver);
}

const core::Batch &
fetch_kept_stream(KeptStream *kept, TimestampTz as_of, Datum keys, bool locks)
{
	set_parameters(kept, as_of, keys, DT_NOBEGIN);
	reset_receiver(kept->receiver);
	execute(kept, !locks);
	return kept->receiver->batch;
}

} // namespace lead_scoring::pg
