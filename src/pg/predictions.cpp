// lead_scoring.predictions and lead_scoring.outcome_instants: what the champion of a model would have predicted for records
// as of instants of the past, and when they converted. Both look at records that have converted since as at any others.
#include "pg/postgres_api.hpp"

#include "core/model.hpp"
#include "pg/guard.hpp"
#include "pg/loaded_model.hpp"
#include "pg/pipeline.hpp"
#include "pg/row_set.hpp"

LEAD_SCORING_FUNCTION(lead_scoring_predictions);
LEAD_SCORING_FUNCTION(lead_scoring_outcome_instants);

namespace lead_scoring::pg
{

namespace
{

struct PredictionSink
{
	RowSet rows;
	const core::Model *model;
	size_t features;
	core::KeyKind key_kind;
	TimestampTz as_of;
	double probabilities[core::batch_rows];
};

void
put_predictions(void *argument, const core::Batch &records, const double *values, const bool *)
{
	auto *sink = static_cast<PredictionSink *>(argument);

	guarded([sink, &records, values]() {
		for (size_t row = 0; row < records.rows; row++)
		{
			sink->probabilities[row] = sink->model->probability({values + row * sink->features, sink->features});
		}
	});
	for (size_t row = 0; row < records.rows; row++)
	{
		bool nulls[3] = {};
		Datum row_values[] = {CStringGetTextDatum(key_string(sink->key_kind, records.keys[row])), TimestampTzGetDatum(sink->as_of),
							  Float8GetDatum(sink->probabilities[row])};
		tuplestore_putvalues(sink->rows.store, sink->rows.descriptor, row_values, nulls);
	}
}

// Records that are asked for, each as of an instant
struct Asked
{
	Datum *keys;
	Datum *instants;
	int count;
};

// Read a list without NULLs
Datum *
elements_of(ArrayType *array, Oid type, int *count)
{
	Datum *elements;
	bool *nulls;

	if (ARR_NDIM(array) > 1 || array_contains_nulls(array))
	{
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("record_keys and instants must be plain lists without NULL"),
						errhint("Collect them by array_agg, one instant for each key.")));
	}
	deconstruct_array(array, type, type == TEXTOID ? -1 : sizeof(TimestampTz), type != TEXTOID && FLOAT8PASSBYVAL,
					  type == TEXTOID ? TYPALIGN_INT : TYPALIGN_DOUBLE, &elements, &nulls, count);
	return elements;
}

Asked
asked_of(FunctionCallInfo fcinfo)
{
	for (int argument = 0; argument < 3; argument++)
	{
		if (PG_ARGISNULL(argument))
		{
			static const char *const names[] = {"model", "record_keys", "instants"};
			ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("%s must not be NULL", names[argument]),
							errhint("Name a model, keys of records, and for each of them the instant at which to predict.")));
		}
	}
	int instants;
	Asked asked;
	asked.keys = elements_of(PG_GETARG_ARRAYTYPE_P(1), TEXTOID, &asked.count);
	asked.instants = elements_of(PG_GETARG_ARRAYTYPE_P(2), TIMESTAMPTZOID, &instants);
	if (instants != asked.count)
	{
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("%d record_keys, but %d instants", asked.count, instants),
						errhint("Collect both from the same rows in one order.")));
	}
	return asked;
}

// Predict for keys that stand together with one instant
void
predict_at(LoadedScore *score, PredictionSink *sink, Datum *keys, int count)
{
	ArrayType *array = construct_array(keys, count, TEXTOID, -1, false, TYPALIGN_INT);

	require_finite_instant(sink->as_of);
	run_features(begin_evaluation(score, sink->as_of, array, {}), sink->as_of, put_predictions, sink);
}

struct InstantSink
{
	RowSet rows;
	size_t column;
	core::KeyKind key_kind;
};

void
put_instants(void *argument, const core::Batch &records, const double *, const bool *)
{
	auto *sink = static_cast<InstantSink *>(argument);

	for (size_t row = 0; row < records.rows; row++)
	{
		if (!records.is_null(sink->column, row))
		{
			bool nulls[2] = {};
			Datum values[] = {CStringGetTextDatum(key_string(sink->key_kind, records.keys[row])),
							  TimestampTzGetDatum(records.cell(sink->column, row).integer)};
			tuplestore_putvalues(sink->rows.store, sink->rows.descriptor, values, nulls);
		}
	}
}

} // namespace

} // namespace lead_scoring::pg

// Predict records, each as of an instant of its own
Datum
lead_scoring_predictions(PG_FUNCTION_ARGS)
{
	using namespace lead_scoring::pg;

	RowSet rows = begin_row_set(fcinfo);
	Asked asked = asked_of(fcinfo);
	LoadedScore *score = load_predictor(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	auto *sink = static_cast<PredictionSink *>(palloc(sizeof(PredictionSink)));
	*sink = {rows, score->definition.prediction.model, score->definition.rules.size(), score->definition.key_kind, 0, {}};
	MemoryContext scratch = AllocSetContextCreate(CurrentMemoryContext, "lead_scoring predictions", ALLOCSET_DEFAULT_SIZES);
	for (int first = 0, next; first < asked.count; first = next)
	{
		for (next = first + 1; next < asked.count && asked.instants[next] == asked.instants[first];)
		{
			next++;
		}
		MemoryContext before = MemoryContextSwitchTo(scratch);
		sink->as_of = DatumGetTimestampTz(asked.instants[first]);
		predict_at(score, sink, asked.keys + first, next - first);
		MemoryContextSwitchTo(before);
		MemoryContextReset(scratch);
	}
	return static_cast<Datum>(0);
}

// Return when records converted, as is known now
Datum
lead_scoring_outcome_instants(PG_FUNCTION_ARGS)
{
	using namespace lead_scoring::pg;

	RowSet rows = begin_row_set(fcinfo);
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
	{
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("%s must not be NULL", PG_ARGISNULL(0) ? "model" : "as_of"),
						errhint("Name a model, and the instant up to which facts are known.")));
	}
	require_finite_instant(PG_GETARG_TIMESTAMPTZ(1));
	LoadedModel *model = load_model(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	ArrayType *keys = PG_ARGISNULL(2) ? nullptr : PG_GETARG_ARRAYTYPE_P(2);
	InstantSink sink{rows, static_cast<size_t>(model->outcome), model->score->definition.key_kind};
	if (model->instant_outcome)
	{
		run_features(begin_evaluation(model->score, PG_GETARG_TIMESTAMPTZ(1), keys, {}), PG_GETARG_TIMESTAMPTZ(1), put_instants, &sink);
	}
	return static_cast<Datum>(0);
}
