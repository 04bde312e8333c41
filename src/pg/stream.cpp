// Rows out of PostgreSQL's executor, in batches of plain values.
//
// The query runs through SPI with a receiver of our own, so rows are never collected: each is taken apart into the
// columns of a batch, texts becoming codes or being copied, and a full batch goes to its sink. Everything that a batch
// points to lives in one memory context, reset when the next batch begins.
#include "pg/postgres_api.hpp"

#include "pg/stream.hpp"

#include "pg/session.hpp"

extern "C"
{
#include "access/detoast.h"
#include "catalog/pg_type_d.h"
#include "utils/date.h"
}

using lead_scoring::core::Batch;
using lead_scoring::core::batch_rows;
using lead_scoring::core::Cell;
using lead_scoring::core::ColumnKind;
using lead_scoring::core::Key;
using lead_scoring::core::KeyKind;

namespace lead_scoring::pg
{

namespace
{

struct Receiver
{
	DestReceiver base; // must be first: PostgreSQL knows only this
	const Stream *stream;
	Batch batch;
	Oid key_type;
	MemoryContext batch_context; // what the batch at hand points to
};

void
flush(Receiver *receiver)
{
	if (receiver->batch.rows == 0)
	{
		return;
	}
	receiver->stream->sink(receiver->stream->argument, receiver->batch);
	receiver->batch.rows = 0;
	MemoryContextReset(receiver->batch_context);
}

std::string_view
view_text(Datum datum)
{
	text *packed = DatumGetTextPP(datum);

	return {VARDATA_ANY(packed), static_cast<size_t>(VARSIZE_ANY_EXHDR(packed))};
}

// The value of a text, for the moment that the row is there
std::string_view
borrow_text(Receiver *receiver, Datum datum)
{
	// A pointer to a value out of line passes for a short one: ask for what must be fetched or unpacked
	if (!VARATT_IS_EXTERNAL(DatumGetPointer(datum)) && !VARATT_IS_COMPRESSED(DatumGetPointer(datum)))
	{
		return view_text(datum);
	}
	MemoryContext before = MemoryContextSwitchTo(receiver->batch_context);
	std::string_view text = view_text(datum);
	MemoryContextSwitchTo(before);
	return text;
}

Key
read_key(Receiver *receiver, Datum datum)
{
	Key key{};

	switch (receiver->key_type)
	{
	case INT2OID:
		key.low = static_cast<uint64>(static_cast<int64>(DatumGetInt16(datum)));
		return key;
	case INT4OID:
		key.low = static_cast<uint64>(static_cast<int64>(DatumGetInt32(datum)));
		return key;
	case INT8OID:
		key.low = static_cast<uint64>(DatumGetInt64(datum));
		return key;
	case UUIDOID:
		memcpy(&key.low, DatumGetUUIDP(datum)->data, sizeof key.low);
		memcpy(&key.high, DatumGetUUIDP(datum)->data + sizeof key.low, sizeof key.high);
		return key;
	default:
	{
		std::string_view text = borrow_text(receiver, datum);
		auto *copy = static_cast<char *>(MemoryContextAlloc(receiver->batch_context, Max(text.size(), 1)));
		memcpy(copy, text.data(), text.size());
		key.text = {copy, text.size()};
		return key;
	}
	}
}

Cell
read_cell(Receiver *receiver, int at, Datum datum)
{
	const InputColumn &column = receiver->stream->columns[at];
	Cell cell;

	cell.integer = 0;
	if (column.kind == ColumnKind::code)
	{
		const core::CodeBook &book = receiver->stream->books[at];
		bool unpacked = !VARATT_IS_EXTERNAL(DatumGetPointer(datum)) && !VARATT_IS_COMPRESSED(DatumGetPointer(datum));
		// A long value that no rule can speak of need not be fetched
		if (unpacked || toast_raw_datum_size(datum) - VARHDRSZ <= book.longest())
		{
			cell.integer = book.find(borrow_text(receiver, datum));
		}
		return cell;
	}
	if (column.kind == ColumnKind::presence)
	{
		return cell;
	}
	switch (column.type)
	{
	case BOOLOID:
		cell.integer = DatumGetBool(datum);
		return cell;
	case INT2OID:
		cell.integer = DatumGetInt16(datum);
		return cell;
	case INT4OID:
		cell.integer = DatumGetInt32(datum);
		return cell;
	case DATEOID:
		cell.integer = DatumGetDateADT(datum);
		return cell;
	case INT8OID:
	case TIMESTAMPOID:
	case TIMESTAMPTZOID:
		cell.integer = DatumGetInt64(datum);
		return cell;
	case FLOAT4OID:
		cell.real = static_cast<double>(DatumGetFloat4(datum));
		return cell;
	case FLOAT8OID:
		cell.real = DatumGetFloat8(datum);
		return cell;
	default:
		// An enum
		cell.integer = static_cast<int64>(DatumGetObjectId(datum));
		return cell;
	}
}

void
start_receiver(DestReceiver *base, int, TupleDesc descriptor)
{
	auto *receiver = reinterpret_cast<Receiver *>(base);

	receiver->key_type = getBaseType(TupleDescAttr(descriptor, 0)->atttypid);
}

// Say that an event has no time; the key helps to find it
[[noreturn]] void
raise_no_time(const Receiver *receiver, Datum key)
{
	Oid output;
	bool is_varlena;

	getTypeOutputInfo(receiver->key_type, &output, &is_varlena);
	ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					errmsg("an event of source \"%s\" has no time: its record is \"%s\"", receiver->stream->name,
						   OidOutputFunctionCall(output, key)),
					errhint("Give it a time, or leave such rows out with the source's filter.")));
	pg_unreachable();
}

bool
receive_row(TupleTableSlot *slot, DestReceiver *base)
{
	auto *receiver = reinterpret_cast<Receiver *>(base);
	Batch &batch = receiver->batch;
	size_t row = batch.rows;

	slot_getallattrs(slot);
	if (slot->tts_isnull[0])
	{
		if (receiver->stream->key_required)
		{
			ereport(ERROR, (errcode(ERRCODE_NOT_NULL_VIOLATION),
							errmsg("a record of type \"%s\" has no key", receiver->stream->name),
							errhint("Every record needs a key: declare the key column NOT NULL.")));
		}
		return true;
	}
	int next = 1;
	if (receiver->stream->has_time)
	{
		if (slot->tts_isnull[next])
		{
			raise_no_time(receiver, slot->tts_values[0]);
		}
		batch.times[row] = DatumGetTimestampTz(slot->tts_values[next++]);
	}
	batch.keys[row] = read_key(receiver, slot->tts_values[0]);
	for (int at = 0; at < receiver->stream->column_count; at++, next++)
	{
		size_t place = static_cast<size_t>(at) * batch_rows + row;
		batch.nulls[place] = slot->tts_isnull[next];
		if (!slot->tts_isnull[next])
		{
			batch.cells[place] = read_cell(receiver, at, slot->tts_values[next]);
		}
	}
	if (++batch.rows == batch_rows)
	{
		flush(receiver);
	}
	return true;
}

void
stop_receiver(DestReceiver *)
{
}

Receiver *
make_receiver(const Stream *stream)
{
	auto *receiver = static_cast<Receiver *>(palloc0(sizeof(Receiver)));
	Size columns = static_cast<Size>(stream->column_count);

	receiver->base.receiveSlot = receive_row;
	receiver->base.rStartup = start_receiver;
	receiver->base.rShutdown = stop_receiver;
	receiver->base.rDestroy = stop_receiver;
	receiver->base.mydest = DestNone;
	receiver->stream = stream;
	receiver->batch.keys = static_cast<Key *>(palloc0(batch_rows * sizeof(Key)));
	receiver->batch.times =
		stream->has_time ? static_cast<int64_t *>(palloc0(batch_rows * sizeof(int64_t))) : nullptr;
	receiver->batch.cells = static_cast<Cell *>(palloc0(Max(columns, 1) * batch_rows * sizeof(Cell)));
	receiver->batch.nulls = static_cast<bool *>(palloc0(Max(columns, 1) * batch_rows * sizeof(bool)));
	receiver->batch_context =
		AllocSetContextCreate(CurrentMemoryContext, "lead_scoring batch", ALLOCSET_DEFAULT_SIZES);
	return receiver;
}

} // namespace

void
run_stream(const Stream &stream, TimestampTz as_of, const Datum *keys)
{
	Receiver *receiver = make_receiver(&stream);

	SPI_connect();
	Session session = begin_as_owner(stream.owner);
	ParamListInfo parameters = makeParamList(2);
	parameters->params[0] = {TimestampTzGetDatum(as_of), false, PARAM_FLAG_CONST, TIMESTAMPTZOID};
	parameters->params[1] = {keys == nullptr ? 0 : *keys, keys == nullptr, PARAM_FLAG_CONST,
							 key_array_type(stream.key_kind)};
	SPIExecuteOptions options = {};
	options.params = parameters;
	// Under the caller's snapshot: all streams of an evaluation see the same state of the data
	options.read_only = true;
	options.dest = &receiver->base;
	int result = SPI_execute_extended(stream.sql, &options);
	if (result < 0)
	{
		elog(ERROR, "query of \"%s\" failed: %s", stream.name, SPI_result_code_string(result));
	}
	end_session(session);
	SPI_finish();
	flush(receiver);
	MemoryContextDelete(receiver->batch_context);
}

Oid
key_array_type(KeyKind kind)
{
	return kind == KeyKind::integer ? INT8ARRAYOID : kind == KeyKind::uuid ? UUIDARRAYOID : TEXTARRAYOID;
}

Datum
make_key_array(KeyKind kind, ArrayType *texts)
{
	Oid element = kind == KeyKind::integer ? INT8OID : kind == KeyKind::uuid ? UUIDOID : TEXTOID;
	Datum *datums;
	bool *nulls;
	int count;
	int kept = 0;
	Oid input;
	Oid parameter;
	int16 length;
	bool by_value;
	char alignment;

	if (ARR_NDIM(texts) > 1)
	{
		ereport(ERROR, (errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR), errmsg("keys must be a one-dimensional array"),
						errhint("Write ARRAY['1', '2'].")));
	}
	deconstruct_array(texts, TEXTOID, -1, false, TYPALIGN_INT, &datums, &nulls, &count);
	getTypeInputInfo(element, &input, &parameter);
	for (int at = 0; at < count; at++)
	{
		if (!nulls[at])
		{
			datums[kept++] = OidInputFunctionCall(input, TextDatumGetCString(datums[at]), parameter, -1);
		}
	}
	get_typlenbyvalalign(element, &length, &by_value, &alignment);
	return PointerGetDatum(construct_array(datums, kept, element, length, by_value, alignment));
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

} // namespace lead_scoring::pg
