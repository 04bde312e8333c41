#include "pg/postgres_api.hpp"

#include "pg/training_result.hpp"

#include "core/calibration.hpp"
#include "core/metrics.hpp"
#include "core/threshold.hpp"
#include "core/training.hpp"
#include "pg/owned.hpp"

extern "C"
{
#include "utils/jsonb.h"
#include "utils/numeric.h"
}

#include <cmath>
#include <optional>

namespace lead_scoring::pg
{

namespace
{

// The columns of train_model
constexpr int result_columns = 17;

// What is known of a trained model
struct Trained
{
	Trained(core::SampleCollector &samples, const core::TrainingSettings &settings);

	int64_t rows;
	int64_t converted = 0;
	const char *learner = nullptr;
	double auc = 0;
	double log_loss = 0;
	double brier = 0;
	double average_precision = 0;
	double calibration_error = 0;
	bool has_threshold = false;
	double threshold = 0;
	core::Confusion confusion = {};
	std::string body;
	std::vector<std::string> warnings;
	std::vector<std::string> features;
	std::vector<double> importance;
};

Trained::Trained(core::SampleCollector &samples, const core::TrainingSettings &settings) : rows(static_cast<int64_t>(samples.data.rows()))
{
	std::vector<uint8_t> outcomes = samples.data.outcome;
	core::Training training = core::train(std::move(samples.data), settings, stop_wanted, nullptr);
	core::ScoredOutcomes scored(training.probabilities, outcomes);

	for (uint8_t outcome : outcomes)
	{
		converted += outcome;
	}
	scored.sort(stop_wanted);
	learner = core::learner_name(training.learner);
	auc = core::auc(scored);
	average_precision = core::average_precision(scored);
	log_loss = core::log_loss(training.probabilities, outcomes);
	brier = core::brier(training.probabilities, outcomes);
	calibration_error = core::calibration_error(training.probabilities, outcomes);
	std::optional<double> best = core::recommend_threshold(scored, core::ThresholdMethod::f1, 0);
	has_threshold = best.has_value();
	threshold = best.value_or(0);
	confusion = core::confusion(scored, threshold);
	body = core::write_model(training.model);
	warnings = std::move(training.warnings);
	importance = std::move(training.importance);
	for (const core::FeatureInfo &feature : training.model.features())
	{
		features.push_back(feature.name);
	}
}

// Set a setting that a model says something of
template <typename Number>
void
set_if_given(Number *setting, double given)
{
	if (!std::isnan(given))
	{
		*setting = static_cast<Number>(given);
	}
}

core::TrainingSettings
settings_of(const LoadedModel &model)
{
	core::TrainingSettings settings;
	const LearnerParameters &given = model.parameters;

	if (strcmp(model.algorithm, "auto") != 0)
	{
		settings.learners = {strcmp(model.algorithm, "scorecard") == 0 ? core::Learner::scorecard : core::Learner::boosted_trees};
	}
	set_if_given(&settings.scorecard.bins, given.bins);
	set_if_given(&settings.scorecard.penalty, given.l2);
	set_if_given(&settings.scorecard.min_rows, given.min_category);
	set_if_given(&settings.forest.trees, given.trees);
	set_if_given(&settings.forest.depth, given.depth);
	set_if_given(&settings.forest.learning_rate, given.learning_rate);
	set_if_given(&settings.forest.subsample, given.subsample);
	set_if_given(&settings.forest.column_share, given.colsample);
	set_if_given(&settings.forest.min_child_weight, given.min_child_weight);
	set_if_given(&settings.forest.penalty, given.lambda);
	set_if_given(&settings.forest.threads, given.threads);
	set_if_given(&settings.scorecard_margin, given.margin);
	settings.forest.seed = static_cast<uint64_t>(model.seed);
	settings.min_converted = static_cast<uint64_t>(model.min_converted);
	settings.min_unconverted = static_cast<uint64_t>(model.min_unconverted);
	return settings;
}

// Constructed within the guard: the settings have a list
struct Run
{
	Run(core::SampleCollector *samples, const LoadedModel *model) : trained(*samples, settings_of(*model))
	{
	}

	Trained trained;
};

Datum
text_array(const std::vector<std::string> &texts)
{
	auto *datums = static_cast<Datum *>(palloc(sizeof(Datum) * Max(texts.size(), 1)));

	for (size_t at = 0; at < texts.size(); at++)
	{
		datums[at] = text_datum(texts[at].data(), texts[at].size());
	}
	return PointerGetDatum(construct_array(datums, static_cast<int>(texts.size()), TEXTOID, -1, false, TYPALIGN_INT));
}

Datum
real_array(const std::vector<double> &numbers)
{
	auto *datums = static_cast<Datum *>(palloc(sizeof(Datum) * Max(numbers.size(), 1)));

	for (size_t at = 0; at < numbers.size(); at++)
	{
		datums[at] = Float8GetDatum(numbers[at]);
	}
	return PointerGetDatum(construct_array(datums, static_cast<int>(numbers.size()), FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL,
										   TYPALIGN_DOUBLE));
}

void
put_key(JsonbParseState **state, const std::string &name)
{
	JsonbValue key;

	key.type = jbvString;
	key.val.string.val = const_cast<char *>(name.data());
	key.val.string.len = static_cast<int>(name.size());
	pushJsonbValue(state, WJB_KEY, &key);
}

void
put_value(JsonbParseState **state, const core::DataColumn &column, double number)
{
	JsonbValue value;

	if (std::isnan(number))
	{
		value.type = jbvNull;
	}
	else if (column.categorical)
	{
		const std::string &category = column.categories[static_cast<size_t>(number)];
		value.type = jbvString;
		value.val.string.val = const_cast<char *>(category.data());
		value.val.string.len = static_cast<int>(category.size());
	}
	else
	{
		value.type = jbvNumeric;
		value.val.numeric = DatumGetNumeric(DirectFunctionCall1(float8_numeric, Float8GetDatum(number)));
	}
	pushJsonbValue(state, WJB_VALUE, &value);
}

Datum
features_datum(const core::Dataset &data, size_t row)
{
	JsonbParseState *state = nullptr;

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, nullptr);
	for (const core::DataColumn &column : data.columns)
	{
		put_key(&state, column.name);
		put_value(&state, column, column.values[row]);
	}
	return JsonbPGetDatum(JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, nullptr)));
}

} // namespace

void
put_samples(const core::SampleCollector *collector, const RowSet &rows)
{
	MemoryContext scratch = AllocSetContextCreate(CurrentMemoryContext, "lead_scoring sample", ALLOCSET_DEFAULT_SIZES);
	MemoryContext before = MemoryContextSwitchTo(scratch);

	for (size_t row = 0; row < collector->data.rows(); row++)
	{
		CHECK_FOR_INTERRUPTS();
		const std::string &key = collector->keys[row];
		bool nulls[5] = {};
		Datum values[] = {text_datum(key.data(), key.size()), TimestampTzGetDatum(collector->samples[row].snapshot),
						  BoolGetDatum(collector->data.outcome[row] != 0), Int32GetDatum(static_cast<int32>(collector->data.fold[row])),
						  features_datum(collector->data, row)};
		tuplestore_putvalues(rows.store, rows.descriptor, values, nulls);
		MemoryContextReset(scratch);
	}
	MemoryContextSwitchTo(before);
	MemoryContextDelete(scratch);
}

void
train_on(const LoadedModel *model, core::SampleCollector *collector, const RowSet &rows)
{
	Run *run = make_owned<Run>(CurrentMemoryContext, collector, model);
	const Trained &trained = run->trained;
	const double measures[] = {trained.auc, trained.log_loss, trained.brier, trained.average_precision, trained.calibration_error,
							   trained.has_threshold ? trained.threshold : NAN, trained.confusion.accuracy(),
							   trained.confusion.precision(), trained.confusion.recall(), trained.confusion.f1()};
	Datum values[result_columns] = {text_datum(trained.learner), Int64GetDatum(trained.rows), Int64GetDatum(trained.converted)};
	bool nulls[result_columns] = {};
	int at = 3;

	for (double measure : measures)
	{
		nulls[at] = std::isnan(measure);
		values[at++] = Float8GetDatum(measure);
	}
	values[at++] = text_datum(trained.body.data(), trained.body.size());
	values[at++] = text_array(trained.warnings);
	// The importance of the features, as two lists
	values[at++] = text_array(trained.features);
	values[at++] = real_array(trained.importance);
	Assert(at == result_columns);
	tuplestore_putvalues(rows.store, rows.descriptor, values, nulls);
}

} // namespace lead_scoring::pg
