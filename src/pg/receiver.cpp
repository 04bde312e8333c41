// Rows are never collected: each is taken apart into the columns of a batch, texts becoming codes or being copied, and a
// full batch goes to its sink. Of a row only what its rules need is looked at: first the time and the column that says
// which rules those are. Everything that a batch points to lives in one memory context, reset when the next batch begins.
#include "pg/postgres_api.hpp"

#include "pg/receiver.hpp"

#include "pg/cells.hpp"
#include "pg/progress.hpp"
#include "pg/site_context.hpp"

extern "C"
{
#include "executor/executor.h"
#include "optimizer/optimizer.h"
}

using lead_scoring::core::Batch;
using lead_scoring::core::batch_rows;
using lead_scoring::core::Key;
using lead_scoring::core::KeyKind;

namespace lead_scoring::pg
{

namespace
{

// Tell in an error which rule failed for which record
void
describe_evaluation(void *argument)
{
	auto *evaluating = static_cast<const Evaluating *>(argument);

	errcontext("%s of %s, record \"%s\"", evaluating->column->field, evaluating->column->what,
			   key_string(evaluating->key_kind, evaluating->key));
}

ExprState *
make_ready(const StreamColumn &column, ParamListInfo parameters)
{
	SiteContext site{column.what, column.field, {}};

	begin_site(&site);
	Expr *planned = expression_planner(static_cast<Expr *>(copyObjectImpl(column.expression)));
	ExprState *ready = ExecInitExprWithParams(planned, parameters);
	end_site(&site);
	return ready;
}

void
start_receiver(DestReceiver *base, int, TupleDesc descriptor)
{
	auto *receiver = reinterpret_cast<Receiver *>(base);
	const Stream *stream = receiver->stream;

	receiver->key_type = getBaseType(TupleDescAttr(descriptor, stream->key_position - 1)->atttypid);
	if (receiver->row_context != nullptr)
	{
		return;
	}
	MemoryContext before = MemoryContextSwitchTo(receiver->home);
	for (int at = 0; at < stream->column_count; at++)
	{
		if (stream->columns[at].expression != nullptr)
		{
			receiver->expressions[at] = make_ready(stream->columns[at], receiver->parameters);
			receiver->any_expression = true;
		}
	}
	receiver->row_context = receiver->any_expression ? CreateStandaloneExprContext() : nullptr;
	if (receiver->row_context != nullptr)
	{
		receiver->row_context->ecxt_param_list_info = receiver->parameters;
	}
	MemoryContextSwitchTo(before);
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

// Compute an expression over a row
Datum
evaluate_expression(Receiver *receiver, int at, TupleTableSlot *slot, bool *is_null)
{
	ErrorContextCallback *callback = &receiver->error_context;

	receiver->evaluating = {&receiver->stream->columns[at], receiver->stream->key_kind,
							receiver->batch.keys[receiver->batch.rows]};
	callback->callback = describe_evaluation;
	callback->arg = &receiver->evaluating;
	callback->previous = error_context_stack;
	error_context_stack = callback;
	receiver->row_context->ecxt_scantuple = slot;
	Datum value = ExecEvalExprSwitchContext(receiver->expressions[at], receiver->row_context, is_null);
	error_context_stack = callback->previous;
	return value;
}

// Read one column of the row at hand into the batch
void
read_column(Receiver *receiver, int at, TupleTableSlot *slot)
{
	const StreamColumn &column = receiver->stream->columns[at];
	size_t place = static_cast<size_t>(at) * batch_rows + receiver->batch.rows;
	bool *is_null = &receiver->batch.nulls[place];
	Datum value = column.position > 0 ? slot_getattr(slot, column.position, is_null)
									  : evaluate_expression(receiver, at, slot, is_null);

	if (!*is_null)
	{
		const core::CodeBook *book = receiver->stream->books == nullptr ? nullptr : &receiver->stream->books[at];
		receiver->batch.cells[place] = read_cell(column.kind, column.type, book, value, receiver->batch_context);
	}
}

// Read what the rules of a row need; false if it concerns none of them
bool
read_needed(Receiver *receiver, TupleTableSlot *slot)
{
	const core::SourceProgram &program = *receiver->stream->program;
	const core::Dispatch &dispatch = program.dispatch[0];
	size_t row = receiver->batch.rows;

	if (dispatch.column() != core::Dispatch::no_dispatch)
	{
		read_column(receiver, static_cast<int>(dispatch.column()), slot);
	}
	const core::RowNeeds &needs = program.needs[dispatch.code(receiver->batch, row)];
	if (receiver->batch.times != nullptr && !needs.window.contains(receiver->batch.times[row]))
	{
		return false;
	}
	for (uint16_t column : needs.columns)
	{
		read_column(receiver, column, slot);
	}
	return true;
}

// Read the time of an event; false for a row that belongs to nobody
bool
read_time(Receiver *receiver, TupleTableSlot *slot)
{
	bool is_null;
	Datum time = slot_getattr(slot, receiver->stream->time_position, &is_null);

	if (is_null)
	{
		Datum key = slot_getattr(slot, receiver->stream->key_position, &is_null);
		if (is_null)
		{
			return false;
		}
		raise_no_time(receiver, key);
	}
	receiver->batch.times[receiver->batch.rows] = DatumGetTimestampTz(time);
	return true;
}

// Read the key of a row; false for a row that belongs to nobody, or to another share of the records
bool
read_row_key(Receiver *receiver, TupleTableSlot *slot)
{
	const Stream *stream = receiver->stream;
	bool is_null;
	Datum datum = slot_getattr(slot, stream->key_position, &is_null);

	if (is_null)
	{
		if (stream->key_required)
		{
			ereport(ERROR, (errcode(ERRCODE_NOT_NULL_VIOLATION),
							errmsg("a record of type \"%s\" has no key", stream->name),
							errhint("Every record needs a key: declare the key column NOT NULL. A row that is not stored can have any.")));
		}
		return false;
	}
	Key &key = receiver->batch.keys[receiver->batch.rows];
	key = read_key(receiver->key_type, datum, receiver->batch_context);
	return stream->share.holds(stream->key_kind, key) && (stream->selection == nullptr || stream->selection->contains(key));
}

void
read_mark(Receiver *receiver, TupleTableSlot *slot)
{
	bool is_null;
	Datum mark = slot_getattr(slot, receiver->stream->mark_position, &is_null);

	receiver->batch.marks[receiver->batch.rows] =
		is_null ? std::string_view() : copy_text(mark, receiver->batch_context);
}

// Read what is stored of the score of a record
void
read_stored(Receiver *receiver, TupleTableSlot *slot)
{
	const Stream *stream = receiver->stream;
	StoredScore &stored = stream->stored[receiver->batch.rows];

	for (int at = 0; at < stored_values; at++)
	{
		Datum value = slot_getattr(slot, stream->stored_positions[at], &stored.nulls[at]);
		stored.values[at] = stored.nulls[at] ? 0 : DatumGetFloat8(value);
	}
	Datum label = slot_getattr(slot, stream->stored_positions[stored_values], &stored.nulls[stored_values]);
	stored.label = stored.nulls[stored_values] ? std::string_view() : copy_text(label, receiver->batch_context);
}

bool
read_columns(Receiver *receiver, TupleTableSlot *slot)
{
	if (receiver->stream->program != nullptr)
	{
		return read_needed(receiver, slot);
	}
	for (int at = 0; at < receiver->stream->column_count; at++)
	{
		read_column(receiver, at, slot);
	}
	return true;
}

// Read a row into the batch; false if it concerns nobody. Flat, as every row of a source comes through here
[[gnu::flatten]] bool
read_row(Receiver *receiver, TupleTableSlot *slot)
{
	bool is_chosen = receiver->stream->selection != nullptr;

	// Nothing may fail for a row that nobody asks for
	if (is_chosen && !read_row_key(receiver, slot))
	{
		return false;
	}
	if (receiver->stream->time_position > 0 && !read_time(receiver, slot))
	{
		return false;
	}
	if (!receiver->any_expression)
	{
		// Without expressions nothing here can fail for a reason that the key would explain: it is read last
		return read_columns(receiver, slot) && (is_chosen || read_row_key(receiver, slot));
	}
	if (!is_chosen && !read_row_key(receiver, slot))
	{
		return false;
	}
	bool needed = read_columns(receiver, slot);
	ResetExprContext(receiver->row_context);
	return needed;
}

bool
receive_row(TupleTableSlot *slot, DestReceiver *base)
{
	// What rows leave behind that concern nobody must not pile up
	constexpr int most_dropped = 4096;
	constexpr uint64 rows_between_reports = 1 << 15;
	auto *receiver = reinterpret_cast<Receiver *>(base);

	if (++receiver->received % rows_between_reports == 0 && receiver->stream->last_block == 0)
	{
		note_progress(static_cast<double>(receiver->received));
	}
	if (!read_row(receiver, slot))
	{
		return ++receiver->dropped < most_dropped || flush_receiver(receiver);
	}
	if (receiver->stream->mark_position > 0)
	{
		read_mark(receiver, slot);
	}
	if (receiver->stream->stored != nullptr)
	{
		read_stored(receiver, slot);
	}
	return ++receiver->batch.rows < batch_rows || flush_receiver(receiver);
}

void
stop_receiver(DestReceiver *base)
{
	auto *receiver = reinterpret_cast<Receiver *>(base);

	if (receiver->row_context != nullptr && !receiver->kept)
	{
		FreeExprContext(receiver->row_context, true);
		receiver->row_context = nullptr;
	}
}

void
destroy_receiver(DestReceiver *)
{
}

} // namespace

bool
flush_receiver(Receiver *receiver)
{
	if (receiver->batch.rows != 0 && !receiver->stopped)
	{
		receiver->stopped = !receiver->stream->sink(receiver->stream->argument, receiver->batch);
	}
	receiver->batch.rows = 0;
	receiver->dropped = 0;
	MemoryContextReset(receiver->batch_context);
	return !receiver->stopped;
}

void
reset_receiver(Receiver *receiver)
{
	receiver->batch.rows = 0;
	receiver->dropped = 0;
	receiver->stopped = false;
	MemoryContextReset(receiver->batch_context);
}

Receiver *
make_receiver(const Stream *stream, ParamListInfo parameters, bool kept)
{
	auto *receiver = static_cast<Receiver *>(palloc0(sizeof(Receiver)));
	Size columns = static_cast<Size>(Max(stream->column_count, 1));

	receiver->base.receiveSlot = receive_row;
	receiver->base.rStartup = start_receiver;
	receiver->base.rShutdown = stop_receiver;
	receiver->base.rDestroy = destroy_receiver;
	receiver->base.mydest = DestNone;
	receiver->stream = stream;
	receiver->parameters = parameters;
	receiver->kept = kept;
	receiver->home = CurrentMemoryContext;
	receiver->expressions = static_cast<ExprState **>(palloc0(columns * sizeof(ExprState *)));
	receiver->batch.keys = static_cast<Key *>(palloc0(batch_rows * sizeof(Key)));
	receiver->batch.times =
		stream->time_position > 0 ? static_cast<int64_t *>(palloc0(batch_rows * sizeof(int64_t))) : nullptr;
	receiver->batch.marks = stream->mark_position > 0
								? static_cast<std::string_view *>(palloc0(batch_rows * sizeof(std::string_view)))
								: nullptr;
	receiver->batch.cells = static_cast<core::Cell *>(
		MemoryContextAllocHuge(CurrentMemoryContext, columns * batch_rows * sizeof(core::Cell)));
	receiver->batch.nulls = static_cast<bool *>(palloc0(columns * batch_rows * sizeof(bool)));
	receiver->batch_context =
		AllocSetContextCreate(CurrentMemoryContext, "lead_scoring batch", ALLOCSET_DEFAULT_SIZES);
	return receiver;
}

} // namespace lead_scoring::pg
