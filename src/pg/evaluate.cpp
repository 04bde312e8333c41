// lead_scoring.evaluate: the scores of records, computed now.
#include "pg/postgres_api.hpp"

#include "pg/pipeline.hpp"
#include "pg/results.hpp"
#include "pg/row_set.hpp"
#include "pg/stream.hpp"

#include <charconv>
#include <cmath>

LEAD_SCORING_FUNCTION(lead_scoring_evaluate);
LEAD_SCORING_FUNCTION(lead_scoring_standing);

namespace lead_scoring::pg
{

namespace
{

// The columns of evaluate, and of standing, which has all of them
constexpr int evaluate_columns = 10;
constexpr int standing_columns = 13;

struct EvaluateSink
{
	RowSet rows;
	bool standing;
	core::KeyKind key_kind;
	LabelDatums labels;
	MemoryContext row_context;
};

// Write a key as text
Datum
key_text(core::KeyKind kind, const core::Key &key)
{
	if (kind == core::KeyKind::integer)
	{
		char digits[32];
		auto [end, code] = std::to_chars(digits, digits + sizeof digits, static_cast<int64>(key.low));
		return text_datum(digits, static_cast<size_t>(end - digits));
	}
	if (kind == core::KeyKind::uuid)
	{
		return text_datum(DatumGetCString(DirectFunctionCall1(uuid_out, make_key_datum(UUIDOID, key))));
	}
	return make_key_datum(TEXTOID, key);
}

void
put_standing(const core::ScoreResult &result, Datum *values, bool *nulls)
{
	nulls[0] = !result.has_activity;
	values[0] = TimestampTzGetDatum(result.last_activity);
	nulls[1] = nulls[2] = !result.in_scope;
	values[1] = BoolGetDatum(result.dormant);
	values[2] = BoolGetDatum(result.is_open);
}

void
put_rows(void *argument, const core::Batch &records, const core::ScoreResult *results)
{
	auto *sink = static_cast<EvaluateSink *>(argument);
	MemoryContext before = MemoryContextSwitchTo(sink->row_context);

	for (size_t row = 0; row < records.rows; row++)
	{
		const core::ScoreResult &result = results[row];
		Datum values[standing_columns];
		bool nulls[standing_columns] = {};
		values[0] = key_text(sink->key_kind, records.keys[row]);
		put_values(result, values + 1, nulls + 1);
		put_label(sink->labels, result.labels.label, &values[4], &nulls[4]);
		put_label(sink->labels, result.labels.total, &values[5], &nulls[5]);
		put_label(sink->labels, result.labels.fit, &values[6], &nulls[6]);
		put_label(sink->labels, result.labels.engagement, &values[7], &nulls[7]);
		nulls[8] = !result.in_scope || std::isnan(result.machine);
		nulls[9] = !result.in_scope;
		values[8] = Float8GetDatum(result.machine);
		values[9] = Float8GetDatum(result.adjustment);
		if (sink->standing)
		{
			put_standing(result, values + evaluate_columns, nulls + evaluate_columns);
		}
		tuplestore_putvalues(sink->rows.store, sink->rows.descriptor, values, nulls);
	}
	MemoryContextSwitchTo(before);
	MemoryContextReset(sink->row_context);
}

Datum
evaluate(FunctionCallInfo fcinfo, bool standing)
{
	RowSet rows = begin_row_set(fcinfo);
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
	{
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						errmsg("%s must not be NULL", PG_ARGISNULL(0) ? "score" : "as_of"),
						errhint("Name a score, and the instant at which to evaluate it.")));
	}
	require_finite_instant(PG_GETARG_TIMESTAMPTZ(1));
	LoadedScore *score = load_score(text_to_cstring(PG_GETARG_TEXT_PP(0)), Reader::anybody);
	ArrayType *keys = PG_ARGISNULL(2) ? nullptr : PG_GETARG_ARRAYTYPE_P(2);
	Evaluation *evaluation = begin_evaluation(score, PG_GETARG_TIMESTAMPTZ(1), keys, {false, standing});
	EvaluateSink sink{rows, standing, score->definition.key_kind, make_label_datums(evaluation->scorer->program()),
					  AllocSetContextCreate(CurrentMemoryContext, "lead_scoring rows", ALLOCSET_DEFAULT_SIZES)};
	run_evaluation(evaluation, put_rows, &sink);
	return static_cast<Datum>(0);
}

} // namespace

} // namespace lead_scoring::pg

// Compute the scores of all records, or of those whose keys are given
Datum
lead_scoring_evaluate(PG_FUNCTION_ARGS)
{
	return lead_scoring::pg::evaluate(fcinfo, false);
}

// The same, with what the priority queue asks for
Datum
lead_scoring_standing(PG_FUNCTION_ARGS)
{
	return lead_scoring::pg::evaluate(fcinfo, true);
}
