// lead_scoring.explain_prediction: what each feature of a record adds to the log-odds of its conversion.
#include "pg/postgres_api.hpp"

#include "core/model.hpp"
#include "pg/feature.hpp"
#include "pg/loaded_model.hpp"
#include "pg/owned.hpp"
#include "pg/pipeline.hpp"
#include "pg/row_set.hpp"

#include <cmath>

LEAD_SCORING_FUNCTION(lead_scoring_explain_prediction);

namespace lead_scoring::pg
{

namespace
{

// The features of one record, and its segment if the model has segments
struct OneRecord
{
	size_t features;
	double *values;
	bool found;
};

void
keep_first(void *argument, const core::Batch &records, const double *values, const bool *)
{
	auto *record = static_cast<OneRecord *>(argument);

	if (records.rows > 0 && !record->found)
	{
		memcpy(record->values, values, sizeof(double) * record->features);
		record->found = true;
	}
}

void
put_contribution(const RowSet &rows, const char *feature, const char *value, double contribution)
{
	bool nulls[] = {feature == nullptr, value == nullptr, false, false};
	Datum values[] = {feature == nullptr ? 0 : text_datum(feature), value == nullptr ? 0 : text_datum(value),
					  Float8GetDatum(contribution), Float8GetDatum(std::exp(std::fmin(contribution, 700)))};

	tuplestore_putvalues(rows.store, rows.descriptor, values, nulls);
}

void
put_contributions(const core::Model *model, const OneRecord &record, const RowSet &rows)
{
	size_t features = model->features().size();
	auto *contributions = static_cast<double *>(palloc(sizeof(double) * (features + 1)));
	std::span<const double> values{record.values, record.features};
	std::span<double> out{contributions, features + 1};
	const core::Segment *segment = model->segment_of(values);

	guarded([model, values, out]() { model->contributions(values, out); });
	for (size_t at = 0; at < features; at++)
	{
		const core::FeatureInfo &feature = model->features()[at];
		put_contribution(rows, feature.name.c_str(), feature_text(feature, record.values[at]), contributions[at]);
	}
	put_contribution(rows, nullptr, segment == nullptr ? nullptr : segment->name.c_str(), contributions[features]);
}

} // namespace

} // namespace lead_scoring::pg

// Explain what the champion of a model predicts for a record
Datum
lead_scoring_explain_prediction(PG_FUNCTION_ARGS)
{
	using namespace lead_scoring::pg;

	RowSet rows = begin_row_set(fcinfo);
	for (int argument = 0; argument < 3; argument++)
	{
		if (PG_ARGISNULL(argument))
		{
			static const char *const names[] = {"model", "record_key", "as_of"};
			ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("%s must not be NULL", names[argument]),
							errhint("Name a model, the key of a record, and the instant at which to predict.")));
		}
	}
	require_finite_instant(PG_GETARG_TIMESTAMPTZ(2));
	LoadedScore *score = load_predictor(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	Datum key = PG_GETARG_DATUM(1);
	ArrayType *keys = construct_array(&key, 1, TEXTOID, -1, false, TYPALIGN_INT);
	OneRecord record{score->definition.rules.size(), nullptr, false};
	record.values = static_cast<double *>(palloc(sizeof(double) * Max(record.features, 1)));
	run_features(begin_evaluation(score, PG_GETARG_TIMESTAMPTZ(2), keys, {}), PG_GETARG_TIMESTAMPTZ(2), keep_first, &record);
	if (!record.found)
	{
		ereport(ERROR, (errcode(ERRCODE_NO_DATA_FOUND),
						errmsg("record \"%s\" does not exist", text_to_cstring(PG_GETARG_TEXT_PP(1))),
						errhint("The keys are those in column \"%s\" of \"%s\".", score->records->key_column,
								get_rel_name(score->records->relation))));
	}
	put_contributions(score->definition.prediction.model, record, rows);
	return static_cast<Datum>(0);
}
