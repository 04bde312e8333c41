#include "core/training.hpp"

#include "core/finish.hpp"
#include "core/inspection.hpp"
#include "core/logistic.hpp"
#include "core/metrics.hpp"
#include "core/sorting.hpp"
#include "core/xgboost_library.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>
#include <utility>
#include <variant>

#if defined(POSTGRES_H)
static_assert(false, "No Postgres header should be included in this file.");
#endif

namespace lead_scoring::core
{

namespace
{

using Predictor = std::variant<Scorecard, Forest>;

// Rows predicted between two polls
constexpr size_t stretch = 256;

// Training time of a learner, roughly, in that of a scorecard
double
effort_of(Learner learner)
{
	return learner == Learner::scorecard ? 1 : 5;
}

// Tells how far the training is
class Reporter
{
public:
	Reporter(std::span<const Learner> learners, size_t folds, Progress progress) : progress_(progress)
	{
		double dearest = 0;
		for (Learner learner : learners)
		{
			all_ += effort_of(learner) * static_cast<double>(folds);
			dearest = std::max(dearest, effort_of(learner));
		}
		// For the last fit, of the learner that will be chosen
		all_ += dearest;
	}

	void
	report(const char *phase) const
	{
		if (progress_ != nullptr)
		{
			progress_(phase, done_ / all_);
		}
	}

	void
	finish_fit(Learner learner)
	{
		done_ += effort_of(learner);
	}

private:
	Progress progress_;
	double all_ = 0;
	double done_ = 0;
};

// Rows of one fold, and those of all the others
struct Fold
{
	std::vector<uint32_t> own;
	std::vector<uint32_t> others;
};

Fold
take_fold(const Dataset &data, uint32_t number)
{
	Fold fold;

	for (uint32_t row = 0; row < data.rows(); row++)
	{
		(data.fold[row] == number ? fold.own : fold.others).push_back(row);
	}
	return fold;
}

// Without any fold, the others must have both outcomes
void
check_fold(const Dataset &data, uint32_t number)
{
	uint64_t counts[2] = {0, 0};

	for (size_t row = 0; row < data.rows(); row++)
	{
		counts[data.outcome[row] != 0] += data.fold[row] != number;
	}
	if (counts[0] == 0 || counts[1] == 0)
	{
		throw ScoringError(Fault::invalid_parameter,
						   fmt::format("without fold {}, {} records are converted and {} are not: a model cannot learn from that",
									   number, counts[1], counts[0]),
						   "Spread both outcomes over the folds.");
	}
}

// Return the numbers of the folds
std::vector<uint32_t>
find_folds(const Dataset &data, Poll cancelled)
{
	std::vector<uint32_t> numbers(data.fold);

	sort_values(numbers, cancelled);
	numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
	if (numbers.size() < 2 || numbers.size() > most_folds)
	{
		throw ScoringError(Fault::invalid_parameter, fmt::format("the training records are in {} folds", numbers.size()),
						   fmt::format("A model is judged by 2 to {} folds; 5 are usual.", most_folds));
	}
	for (uint32_t number : numbers)
	{
		give_up_if(cancelled);
		check_fold(data, number);
	}
	return numbers;
}

Predictor
fit(Learner learner, const Dataset &data, std::span<const uint32_t> rows, const TrainingSettings &settings, Poll cancelled)
{
	give_up_if(cancelled);
	if (learner == Learner::scorecard)
	{
		return fit_scorecard(data, rows, settings.scorecard, cancelled);
	}
	return fit_forest(data, rows, settings.forest, cancelled);
}

// Put the log-odds of rows where they belong
void
predict(const Predictor &predictor, const Dataset &data, std::span<const uint32_t> rows, std::span<double> log_odds, Poll cancelled)
{
	std::vector<double> values(data.columns.size());

	for (size_t number = 0; number < rows.size(); number++)
	{
		if (number % stretch == 0)
		{
			give_up_if(cancelled);
		}
		take_row(data, rows[number], values);
		log_odds[rows[number]] = std::visit([&](const auto &model) { return model.log_odds(values); }, predictor);
	}
}

// Predict each row by a learner that has not seen its fold
std::vector<double>
predict_out_of_fold(Learner learner, const Dataset &data, std::span<const uint32_t> folds, const TrainingSettings &settings,
					Poll cancelled, Reporter &reporter)
{
	std::vector<double> log_odds(data.rows());

	for (uint32_t number : folds)
	{
		reporter.report(learner_name(learner));
		const Fold fold = take_fold(data, number);
		predict(fit(learner, data, fold.others, settings, cancelled), data, fold.own, log_odds, cancelled);
		reporter.finish_fit(learner);
	}
	return log_odds;
}

// Choose the best learner; boosted trees only if they are better by the margin
size_t
choose(std::span<const LearnerQuality> qualities, double margin)
{
	auto worth = [margin](const LearnerQuality &quality) {
		return quality.auc + (quality.learner == Learner::scorecard ? margin : 0);
	};
	size_t best = 0;

	for (size_t at = 1; at < qualities.size(); at++)
	{
		const double lead = worth(qualities[at]) - worth(qualities[best]);
		if (lead > 0 || (lead == 0 && qualities[at].learner == Learner::scorecard))
		{
			best = at;
		}
	}
	return best;
}

// Fit the calibration to predictions out of fold, with Platt's targets, which are a little less certain than 0 and 1
// (Platt 1999, equation 12). Predictions that are worse than none are not turned around: then all rows get the average
Calibration
calibrate(std::span<const double> log_odds, std::span<const uint8_t> outcomes, Poll cancelled, std::vector<std::string> &warnings)
{
	const auto converted = static_cast<double>(std::count_if(outcomes.begin(), outcomes.end(), [](uint8_t one) { return one != 0; }));
	const double unconverted = static_cast<double>(outcomes.size()) - converted;
	const auto [lowest, highest] = std::minmax_element(log_odds.begin(), log_odds.end());
	std::vector<double> targets;

	if (*highest - *lowest > 1e-9)
	{
		targets.reserve(outcomes.size());
		for (uint8_t outcome : outcomes)
		{
			targets.push_back(outcome != 0 ? (converted + 1) / (converted + 2) : 1 / (unconverted + 2));
		}
		const LogisticFit fit = fit_logistic(NumberDesign({log_odds}, log_odds.size()), targets, 0, cancelled);
		const Calibration calibration{fit.coefficients[1], fit.coefficients[0]};
		if (calibration.slope > 0 && calibration.slope < 1e6 && std::abs(calibration.offset) < 1e6)
		{
			return calibration;
		}
	}
	warnings.emplace_back("the features do not predict the outcome: every record gets the average probability");
	return {0, std::log(converted / unconverted)};
}

// Turn log-odds of the learner into calibrated probabilities
void
make_probabilities(std::span<double> log_odds, const Calibration &calibration)
{
	for (double &value : log_odds)
	{
		value = probability_of(calibration.slope * value + calibration.offset);
	}
}

std::vector<FeatureInfo>
describe_features(const Dataset &data)
{
	std::vector<FeatureInfo> features;

	for (const DataColumn &column : data.columns)
	{
		features.push_back({column.name, column.categorical, column.categories});
	}
	return features;
}

// Return the learners to try: without XGBoost those that do not need it, if there are any
std::vector<Learner>
find_learners(const TrainingSettings &settings, std::vector<std::string> &warnings)
{
	std::vector<Learner> learners = settings.learners;

	if (learners.empty())
	{
		throw ScoringError(Fault::invalid_parameter, "a training needs a learner");
	}
	const auto trees = std::find(learners.begin(), learners.end(), Learner::boosted_trees);
	if (trees != learners.end() && learners.size() > 1 && !has_xgboost())
	{
		learners.erase(trees);
		warnings.emplace_back("boosted trees were not tried, as XGBoost is not installed where the server runs");
	}
	return learners;
}

} // namespace

const char *
learner_name(Learner learner) noexcept
{
	return learner == Learner::scorecard ? "scorecard" : "boosted_trees";
}

void
check_outcomes(uint64_t converted, uint64_t unconverted, uint64_t min_converted, uint64_t min_unconverted)
{
	// Whatever the minimum, nothing is learned from one outcome alone
	if (converted >= std::max<uint64_t>(min_converted, 1) && unconverted >= std::max<uint64_t>(min_unconverted, 1))
	{
		return;
	}
	throw ScoringError(Fault::invalid_parameter,
					   fmt::format("too little to learn from: {} converted and {} unconverted records", converted, unconverted),
					   fmt::format("The model needs at least {} converted and {} unconverted ones: a longer past has more, and so has "
										   "a shorter horizon.",
								   std::max<uint64_t>(min_converted, 1), std::max<uint64_t>(min_unconverted, 1)));
}

void
check_sample(const SampleCounts &counts, uint64_t min_converted, uint64_t min_unconverted)
{
	const uint64_t needed[] = {std::max<uint64_t>(min_converted, 1), std::max<uint64_t>(min_unconverted, 1)};

	check_outcomes(counts.seen_converted, counts.seen_unconverted, min_converted, min_unconverted);
	if (counts.converted >= needed[0] && counts.unconverted >= needed[1])
	{
		return;
	}
	throw ScoringError(Fault::invalid_parameter,
					   fmt::format("too little to learn from: {} converted and {} unconverted records, drawn by lot of {} and {}",
								   counts.converted, counts.unconverted, counts.seen_converted, counts.seen_unconverted),
					   fmt::format("The model needs at least {} converted and {} unconverted ones: raise lead_scoring.work_mem, so that "
								   "more are drawn.",
								   needed[0], needed[1]));
}

std::vector<double>
sample_likelihoods(std::vector<double> probabilities, Poll cancelled)
{
	const size_t count = std::min(probabilities.size(), most_likelihoods);
	std::vector<double> likelihoods;

	sort_values(probabilities, cancelled);
	for (size_t number = 0; number < count; number++)
	{
		// The middle one of its share
		likelihoods.push_back(likelihood_of(probabilities[(2 * number + 1) * probabilities.size() / (2 * count)]));
	}
	return likelihoods;
}

Training
train(Dataset data, const TrainingSettings &settings, Poll cancelled, Progress progress)
{
	if (data.rows() > UINT32_MAX)
	{
		throw ScoringError(Fault::limit_exceeded, fmt::format("{} rows are too many", data.rows()));
	}
	const auto converted =
		static_cast<uint64_t>(std::count_if(data.outcome.begin(), data.outcome.end(), [](uint8_t one) { return one != 0; }));
	check_outcomes(converted, data.rows() - converted, settings.min_converted, settings.min_unconverted);
	std::vector<std::string> warnings = inspect(data, most_known_categories, settings.leakage_auc, cancelled);
	const std::vector<uint32_t> folds = find_folds(data, cancelled);
	const std::vector<Learner> learners = find_learners(settings, warnings);
	Reporter reporter(learners, folds.size(), progress);

	std::vector<LearnerQuality> qualities;
	std::vector<std::vector<double>> predictions;
	for (Learner learner : learners)
	{
		predictions.push_back(predict_out_of_fold(learner, data, folds, settings, cancelled, reporter));
		qualities.push_back({learner, auc(predictions.back(), data.outcome, cancelled)});
	}
	const size_t chosen = choose(qualities, settings.scorecard_margin);
	const Learner learner = qualities[chosen].learner;
	std::vector<double> &probabilities = predictions[chosen];
	const Calibration calibration = calibrate(probabilities, data.outcome, cancelled, warnings);
	make_probabilities(probabilities, calibration);

	reporter.report(learner_name(learner));
	std::vector<uint32_t> rows(data.rows());
	std::iota(rows.begin(), rows.end(), 0);
	Predictor predictor = fit(learner, data, rows, settings, cancelled);
	std::vector<double> fitted(data.rows());
	predict(predictor, data, rows, fitted, cancelled);
	make_probabilities(fitted, calibration);
	Model model(describe_features(data), std::move(predictor), calibration);
	reporter.finish_fit(learner);
	reporter.report("importance");
	std::vector<double> importance = feature_importance(model, data, cancelled);
	return {std::move(model),  learner,               std::move(qualities), std::move(probabilities),
			std::move(fitted), std::move(importance), std::move(warnings)};
}

} // namespace lead_scoring::core
