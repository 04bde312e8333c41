// lead_scoring.predict: the likelihood of a row, which need not be stored, by the champion of a model.
//
// What it takes is kept by the session, until definitions or relations change: most of the time only the row is new.
#include "pg/postgres_api.hpp"

#include "pg/batch_guard.hpp"
#include "pg/key_set.hpp"
#include "pg/kept_score.hpp"
#include "pg/kept_sources.hpp"
#include "pg/loaded_model.hpp"
#include "pg/own_tables.hpp"
#include "pg/owned.hpp"
#include "pg/pipeline.hpp"
#include "pg/session.hpp"
#include "pg/source_query.hpp"

extern "C"
{
#include "executor/executor.h"
#include "utils/lsyscache.h"
}

LEAD_SCORING_FUNCTION(lead_scoring_predict);

namespace lead_scoring::pg
{

namespace
{

struct KeptPredictor
{
	MemoryContext context; // of all that belongs to it
	const char *name;
	uint64 version;        // of the definitions that it was made by
	LoadedScore *score;
	core::Scorer *scorer;
	Stream records;        // never run: how a row becomes a batch
	ParamListInfo parameters;
	Receiver *receiver;
	TupleTableSlot *row;
	KeptStream **sources;
	core::ScoreResult *results;
	bool busy;             // predicting: a prediction inside a prediction must not use it
};

// All that this session keeps; few, so that they need no index
List *kept_predictors = NIL;

// Raise if the row alone does not tell what the expressions of the model yield
void
require_plain(const KeptPredictor *predictor)
{
	const InputColumns *inputs = predictor->score->records->inputs;

	for (int at = 0; at < inputs->count; at++)
	{
		if (inputs->columns[at].computed != nullptr)
		{
			ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
							errmsg("%s of %s can be computed for stored records only", inputs->columns[at].field, inputs->columns[at].what),
							errhint("Use a score of kind likelihood, and evaluate().")));
		}
	}
}

void
keep_row(KeptPredictor *predictor)
{
	const LoadedStream *records = predictor->score->records;
	Relation relation = relation_open(records->relation, AccessShareLock);

	describe_records(predictor->score, Reading::in_place, &predictor->records);
	predictor->records.books = predictor->scorer->program().record_books.data();
	predictor->parameters = makeParamList(1);
	predictor->parameters->params[0] = {0, false, PARAM_FLAG_CONST, TIMESTAMPTZOID};
	predictor->receiver = make_receiver(&predictor->records, predictor->parameters, true);
	predictor->row = MakeSingleTupleTableSlot(CreateTupleDescCopyConstr(RelationGetDescr(relation)), &TTSOpsHeapTuple);
	predictor->results = static_cast<core::ScoreResult *>(palloc(sizeof(core::ScoreResult) * core::batch_rows));
	relation_close(relation, NoLock);
}

KeptPredictor *
make_predictor(const char *name)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "lead_scoring predictor", ALLOCSET_DEFAULT_SIZES);
	MemoryContext before = MemoryContextSwitchTo(context);
	auto *predictor = static_cast<KeptPredictor *>(palloc0(sizeof(KeptPredictor)));

	predictor->context = context;
	predictor->name = pstrdup(name);
	predictor->version = definitions_version();
	predictor->score = load_predictor(name);
	watch_relation(own_relation("score"));
	watch_relations(predictor->score);
	require_plain(predictor);
	predictor->scorer = make_owned<core::Scorer>(context, predictor->score->definition, static_cast<int64_t>(GetCurrentTimestamp()),
												 core::EvaluationNeeds{}, stop_wanted);
	keep_row(predictor);
	predictor->sources = keep_sources(predictor->score, predictor->scorer);
	MemoryContextSwitchTo(before);
	return predictor;
}

// Find what is kept of a model, and forget what no longer holds
KeptPredictor *
find_predictor(const char *name)
{
	ListCell *cell;

	foreach (cell, kept_predictors)
	{
		auto *predictor = static_cast<KeptPredictor *>(lfirst(cell));
		if (strcmp(predictor->name, name) != 0)
		{
			continue;
		}
		if (predictor->version == definitions_version() || predictor->busy)
		{
			return predictor;
		}
		kept_predictors = foreach_delete_current(kept_predictors, cell);
		MemoryContextDelete(predictor->context);
		return nullptr;
	}
	return nullptr;
}

KeptPredictor *
predictor_of(const char *name)
{
	KeptPredictor *predictor = find_predictor(name);

	if (predictor != nullptr && predictor->busy)
	{
		return make_predictor(name);
	}
	if (predictor == nullptr)
	{
		predictor = make_predictor(name);
		MemoryContext before = MemoryContextSwitchTo(CacheMemoryContext);
		MemoryContextSetParent(predictor->context, CacheMemoryContext);
		kept_predictors = lcons(predictor, kept_predictors);
		MemoryContextSwitchTo(before);
	}
	// Rights come and go without anything else changing
	require_stream_readable(predictor->score->records);
	for (size_t number = 0; number < predictor->score->definition.sources.size(); number++)
	{
		require_stream_readable(predictor->score->sources[number]);
	}
	return predictor;
}

// Put the row that the function was given into the slot of the predictor of a model
KeptPredictor *
take_row(const char *name, HeapTupleHeader header)
{
	auto *row = static_cast<HeapTuple>(palloc0(sizeof(HeapTupleData)));
	KeptPredictor *predictor = predictor_of(name);

	// The relation may have got other columns this very moment: slot and row must be of one form
	while (predictor->version != definitions_version())
	{
		CHECK_FOR_INTERRUPTS();
		predictor = predictor_of(name);
	}
	if (get_typ_typrelid(HeapTupleHeaderGetTypeId(header)) != predictor->score->records->relation)
	{
		const char *relation = relation_sql(predictor->score->records->relation);
		ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
						errmsg("the row must be one of %s, not of type %s", relation, format_type_be(HeapTupleHeaderGetTypeId(header))),
						errhint("Select it from there, or make one with jsonb_populate_record(NULL::%s, ...).", relation)));
	}
	row->t_len = HeapTupleHeaderGetDatumLength(header);
	row->t_data = header;
	ExecStoreHeapTuple(row, predictor->row, false);
	return predictor;
}

// Read what the sources hold of the record
void
read_sources(KeptPredictor *predictor, const core::Key &key, TimestampTz as_of, const Session &session)
{
	const core::Definition &definition = predictor->score->definition;
	Datum text = CStringGetTextDatum(key_string(definition.key_kind, key));
	Datum keys = make_key_array(predictor->score->records, construct_array(&text, 1, TEXTOID, -1, false, TYPALIGN_INT));

	SPI_connect();
	for (size_t number = 0; number < definition.sources.size(); number++)
	{
		become_owner(predictor->sources[number]->stream.owner, session);
		run_kept_stream(predictor->sources[number], as_of, keys, DT_NOBEGIN);
	}
	become_owner(predictor->score->records->owner, session);
	SPI_finish();
}

core::ScoreResult
predict_row(KeptPredictor *predictor, TimestampTz as_of, const Session &session)
{
	Receiver *receiver = predictor->receiver;
	core::Scorer *scorer = predictor->scorer;
	core::ScoreResult *results = predictor->results;

	predictor->parameters->params[0].value = TimestampTzGetDatum(as_of);
	guarded([scorer, as_of]() { scorer->move_to(static_cast<int64_t>(as_of)); });
	become_owner(predictor->score->records->owner, session);
	reset_receiver(receiver);
	receiver->base.rStartup(&receiver->base, CMD_SELECT, predictor->row->tts_tupleDescriptor);
	receiver->base.receiveSlot(predictor->row, &receiver->base);
	const core::Batch &batch = receiver->batch;
	if (!predictor->score->definition.sources.empty())
	{
		read_sources(predictor, batch.keys[0], as_of, session);
	}
	guarded_batch(scorer, predictor->score->definition.key_kind, batch,
				  [scorer, &batch, results]() { scorer->finish_records(batch, results); });
	return results[0];
}

// Predict as the owners of the relations, in whose name the expressions were written
core::ScoreResult
predict(KeptPredictor *predictor, TimestampTz as_of)
{
	core::ScoreResult result{};
	Session session = begin_for_owners(predictor->score->settings_matter);

	predictor->busy = true;
	PG_TRY();
	{
		result = predict_row(predictor, as_of, session);
	}
	PG_FINALLY();
	{
		predictor->busy = false;
	}
	PG_END_TRY();
	end_session(session);
	return result;
}

} // namespace

} // namespace lead_scoring::pg

// Return the likelihood of a row, NULL if it is a customer's
Datum
lead_scoring_predict(PG_FUNCTION_ARGS)
{
	using namespace lead_scoring::pg;

	if (PG_ARGISNULL(1))
	{
		PG_RETURN_NULL();
	}
	if (PG_ARGISNULL(0) || PG_ARGISNULL(2))
	{
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("%s must not be NULL", PG_ARGISNULL(0) ? "model" : "as_of"),
						errhint("Name a model, and the instant at which to predict.")));
	}
	require_finite_instant(PG_GETARG_TIMESTAMPTZ(2));
	if (!type_is_rowtype(get_fn_expr_argtype(fcinfo->flinfo, 1)))
	{
		ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH), errmsg("record must be a row, not %s", format_type_be(get_fn_expr_argtype(fcinfo->flinfo, 1))),
						errhint("Give a row of the table of the records, as in SELECT lead_scoring.predict('closing', l) FROM leads l.")));
	}
	KeptPredictor *predictor = take_row(text_to_cstring(PG_GETARG_TEXT_PP(0)), PG_GETARG_HEAPTUPLEHEADER(1));
	lead_scoring::core::ScoreResult result = predict(predictor, PG_GETARG_TIMESTAMPTZ(2));
	if (!result.is_open)
	{
		PG_RETURN_NULL();
	}
	PG_RETURN_FLOAT8(result.total);
}
