// What takes the rows of a stream's query out of the executor and makes batches of them.
#pragma once

#include "pg/postgres_api.hpp"

#include "pg/stream.hpp"

namespace lead_scoring::pg
{

// An expression at work, for errors
struct Evaluating
{
	const StreamColumn *column;
	core::KeyKind key_kind;
	core::Key key;
};

struct Receiver
{
	DestReceiver base; // must be first: PostgreSQL knows only this
	const Stream *stream;
	core::Batch batch;
	Oid key_type;
	ParamListInfo parameters;
	ExprState **expressions;     // by column, null for those that the rows carry
	ExprContext *row_context;    // of the expressions
	bool any_expression;
	bool kept;                   // runs again and again: expressions are made ready once
	bool stopped;                // the sink wants no more
	uint64 received;             // rows that the query has given
	int dropped;                 // rows since the last flush that concern nobody
	Evaluating evaluating;
	ErrorContextCallback error_context;
	MemoryContext home;          // the receiver itself
	MemoryContext batch_context; // what the batch at hand points to
};

// Make a receiver in the current memory context
Receiver *make_receiver(const Stream *stream, ParamListInfo parameters, bool kept);

// Forget whatever an earlier run has left behind
void reset_receiver(Receiver *receiver);

// Hand the batch at hand to the sink; false if it wants no more
bool flush_receiver(Receiver *receiver);

} // namespace lead_scoring::pg
