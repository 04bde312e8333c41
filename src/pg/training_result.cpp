#include "pg/postgres_api.hpp"

#include "pg/training_result.hpp"

#include "core/calibration.hpp"
#include "core/metrics.hpp"
#include "core/threshold.hpp"
#include "core/segment_training.hpp"
#include "pg/owned.hpp"
#include "pg/progress.hpp"

extern "C"
{
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"
}

#include <cmath>
#include <optional>

namespace lead_scoring::pg
{

namespace
{

// The columns of train_model
constexpr int result_columns = 26;

// What is known of a trained model
struct Trained
{
	Trained(core::SampleCollector &samples, bool has_segment, const core::TrainingSettings &settings);

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
	std::vector<double> likelihoods;
	std::vector<core::SegmentQuality> segments;
};

core::SegmentedTraining
run_training(core::Dataset data, bool has_segment, const core::TrainingSettings &settings)
{
	if (has_segment)
	{
		return core::train_segmented(std::move(data), settings, stop_wanted, note_training);
	}
	return {core::train(std::move(data), settings, stop_wanted, note_training), {}};
}

Trained::Trained(core::SampleCollector &samples, bool has_segment, const core::TrainingSettings &settings)
	: rows(static_cast<int64_t>(samples.data.rows()))
{
	std::vector<uint8_t> outcomes = samples.data.outcome;

	for (uint8_t outcome : outcomes)
	{
		converted += outcome;
	}
	core::check_sample({static_cast<uint64_t>(converted), static_cast<uint64_t>(rows - converted), samples.seen_converted(),
						samples.seen() - samples.seen_converted()},
					   settings.min_converted, settings.min_unconverted);
	core::SegmentedTraining all = run_training(std::move(samples.data), has_segment, settings);
	core::Training &training = all.training;
	core::ScoredOutcomes scored(training.probabilities, outcomes);

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
	segments = std::move(all.segments);
	importance = std::move(training.importance);
	likelihoods = core::sample_likelihoods(std::move(training.fitted), stop_wanted);
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
	Run(core::SampleCollector *samples, const LoadedModel *model) : trained(*samples, model->has_segment, settings_of(*model))
	{
	}

	Trained trained;
};

// Make an array of one datum for each element of a list
template <typename Element, typename Convert>
Datum
make_datum_array(const std::vector<Element> &list, Oid type, Convert convert)
{
	auto *datums = static_cast<Datum *>(palloc(sizeof(Datum) * Max(list.size(), 1)));
	int16 length;
	bool by_value;
	char alignment;

	for (size_t at = 0; at < list.size(); at++)
	{
		datums[at] = convert(list[at]);
	}
	get_typlenbyvalalign(type, &length, &by_value, &alignment);
	return PointerGetDatum(construct_array(datums, static_cast<int>(list.size()), type, length, by_value, alignment));
}

Datum
text_array(const std::vector<std::string> &texts)
{
	return make_datum_array(texts, TEXTOID, [](const std::string &text) { return text_datum(text.data(), text.size()); });
}

Datum
number_array(const std::vector<double> &numbers)
{
	return make_datum_array(numbers, FLOAT8OID, [](double number) { return Float8GetDatum(number); });
}

// Return the qualities of the segments, as eight lists
void
put_segments(const std::vector<core::SegmentQuality> &segments, Datum *values)
{
	using Quality = core::SegmentQuality;

	values[0] = make_datum_array(segments, TEXTOID, [](const Quality &one) { return text_datum(one.segment.data(), one.segment.size()); });
	values[1] = make_datum_array(segments, INT8OID, [](const Quality &one) { return Int64GetDatum(static_cast<int64>(one.samples)); });
	values[2] = make_datum_array(segments, INT8OID, [](const Quality &one) { return Int64GetDatum(static_cast<int64>(one.converted)); });
	values[3] = make_datum_array(segments, FLOAT8OID, [](const Quality &one) { return Float8GetDatum(one.auc); });
	values[4] = make_datum_array(segments, FLOAT8OID, [](const Quality &one) { return Float8GetDatum(one.overall_auc); });
	values[5] = make_datum_array(segments, FLOAT8OID, [](const Quality &one) { return Float8GetDatum(one.log_loss); });
	values[6] = make_datum_array(segments, FLOAT8OID, [](const Quality &one) { return Float8GetDatum(one.overall_log_loss); });
	values[7] = make_datum_array(segments, BOOLOID, [](const Quality &one) { return BoolGetDatum(one.own_model); });
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
features_datum(const core::Dataset &data, size_t features, size_t row)
{
	JsonbParseState *state = nullptr;

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, nullptr);
	for (const core::DataColumn &column : std::span(data.columns).first(features))
	{
		put_key(&state, column.name);
		put_value(&state, column, column.values[row]);
	}
	return JsonbPGetDatum(JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, nullptr)));
}

} // namespace

void
put_samples(const LoadedModel *model, const core::SampleCollector *collector, const RowSet &rows)
{
	MemoryContext scratch = AllocSetContextCreate(CurrentMemoryContext, "lead_scoring sample", ALLOCSET_DEFAULT_SIZES);
	MemoryContext before = MemoryContextSwitchTo(scratch);
	const core::Dataset &data = collector->data;
	size_t features = data.columns.size() - model->has_segment;

	for (size_t row = 0; row < data.rows(); row++)
	{
		CHECK_FOR_INTERRUPTS();
		const std::string &key = collector->keys[row];
		double segment = model->has_segment ? data.columns.back().values[row] : NAN;
		bool nulls[6] = {false, false, false, false, false, std::isnan(segment)};
		Datum values[6] = {text_datum(key.data(), key.size()), TimestampTzGetDatum(collector->samples[row].snapshot),
						   BoolGetDatum(data.outcome[row] != 0), Int32GetDatum(static_cast<int32>(data.fold[row])),
						   features_datum(data, features, row), 0};
		if (!std::isnan(segment))
		{
			const std::string &name = data.columns.back().categories[static_cast<size_t>(segment)];
			values[5] = text_datum(name.data(), name.size());
		}
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
	values[at++] = number_array(trained.importance);
	values[at++] = number_array(trained.likelihoods);
	put_segments(trained.segments, values + at);
	at += 8;
	Assert(at == result_columns);
	tuplestore_putvalues(rows.store, rows.descriptor, values, nulls);
}

} // namespace lead_scoring::pg
