// Rows out of PostgreSQL's executor, in batches of plain values.
//
// The query runs through SPI with a receiver of our own (receiver.cpp).
#include "pg/postgres_api.hpp"

#include "pg/stream.hpp"

#include "pg/receiver.hpp"
#include "pg/session.hpp"
#include "pg/settings.hpp"

extern "C"
{
#include "nodes/parsenodes.h"
}

using lead_scoring::core::Key;
using lead_scoring::core::KeyKind;

namespace lead_scoring::pg
{

namespace
{

// as_of, the keys that were asked for, and the bounds of a part of a table
ParamListInfo
make_parameters(const Stream &stream, TimestampTz as_of, const Datum *keys)
{
	bool has_blocks = stream.last_block != 0;
	ParamListInfo parameters = makeParamList(has_blocks ? 4 : 2);

	parameters->params[0] = {TimestampTzGetDatum(as_of), false, PARAM_FLAG_CONST, TIMESTAMPTZOID};
	parameters->params[1] = {keys == nullptr ? 0 : *keys, keys == nullptr, PARAM_FLAG_CONST,
							 key_array_type(stream.key_kind)};
	for (int at = 0; has_blocks && at < 2; at++)
	{
		auto *bound = static_cast<ItemPointer>(palloc(sizeof(ItemPointerData)));
		ItemPointerSet(bound, at == 0 ? stream.first_block : stream.last_block, 0);
		parameters->params[2 + at] = {PointerGetDatum(bound), false, PARAM_FLAG_CONST, TIDOID};
	}
	return parameters;
}

// Run a query for many keys. The plan is for any: to estimate how many rows each of these has may take as long as to read them
int
execute_for_any(const char *sql, const SPIExecuteOptions &options)
{
	Oid types[] = {options.params->params[0].ptype, options.params->params[1].ptype};

	prefer_bitmaps(work_memory_bytes());
	SPIPlanPtr plan = SPI_prepare_cursor(sql, lengthof(types), types, CURSOR_OPT_GENERIC_PLAN);
	return plan == nullptr ? SPI_result : SPI_execute_plan_extended(plan, &options);
}

} // namespace

void
run_stream(const Stream &stream, TimestampTz as_of, const Datum *keys)
{
	// A large table is read in many streams, one after the other
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "lead_scoring stream", ALLOCSET_DEFAULT_SIZES);
	MemoryContext before = MemoryContextSwitchTo(context);
	ParamListInfo parameters = make_parameters(stream, as_of, keys);
	Receiver *receiver = make_receiver(&stream, parameters, false);

	SPI_connect();
	Session session = begin_as_owner(stream.owner);
	if (stream.last_block != 0)
	{
		// Whatever the planner thinks of it: a range of blocks is read by itself
		forbid_whole_scans();
	}
	SPIExecuteOptions options = {};
	options.params = parameters;
	// Under the caller's snapshot: all streams of an evaluation see the same state of the data
	options.read_only = true;
	options.dest = &receiver->base;
	int result = stream.by_bitmap ? execute_for_any(stream.sql, options) : SPI_execute_extended(stream.sql, &options);
	if (result < 0)
	{
		elog(ERROR, "query of \"%s\" failed: %s", stream.name, SPI_result_code_string(result));
	}
	end_session(session);
	SPI_finish();
	MemoryContextSwitchTo(before);
	flush_receiver(receiver);
	MemoryContextDelete(context);
}

Oid
key_array_type(KeyKind kind)
{
	return kind == KeyKind::integer ? INT8ARRAYOID : kind == KeyKind::uuid ? UUIDARRAYOID : TEXTARRAYOID;
}

Datum
make_key_datum(Oid type, const Key &key)
{
	switch (type)
	{
	case INT2OID:
		return Int16GetDatum(static_cast<int16>(key.low));
	case INT4OID:
		return Int32GetDatum(static_cast<int32>(key.low));
	case INT8OID:
		return Int64GetDatum(static_cast<int64>(key.low));
	case UUIDOID:
	{
		auto *uuid = static_cast<pg_uuid_t *>(palloc(sizeof(pg_uuid_t)));
		memcpy(uuid->data, &key.low, sizeof key.low);
		memcpy(uuid->data + sizeof key.low, &key.high, sizeof key.high);
		return UUIDPGetDatum(uuid);
	}
	default:
		return PointerGetDatum(cstring_to_text_with_len(key.text.data(), static_cast<int>(key.text.size())));
	}
}

const char *
key_string(KeyKind kind, const Key &key)
{
	if (kind == KeyKind::integer)
	{
		auto *digits = static_cast<char *>(palloc(MAXINT8LEN + 1));
		pg_lltoa(static_cast<int64>(key.low), digits);
		return digits;
	}
	if (kind == KeyKind::uuid)
	{
		return DatumGetCString(DirectFunctionCall1(uuid_out, make_key_datum(UUIDOID, key)));
	}
	return pnstrdup(key.text.data(), key.text.size());
}

} // namespace lead_scoring::pg
