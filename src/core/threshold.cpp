#include "core/threshold.hpp"

#include "core/gains.hpp"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <utility>

#if defined(POSTGRES_H)
static_assert(false, "No Postgres header should be included in this file.");
#endif

namespace lead_scoring::core
{

namespace
{

constexpr int32_t lift_bins = 10;

double
ratio(int64_t part, int64_t whole) noexcept
{
	return whole == 0 ? std::numeric_limits<double>::quiet_NaN() : static_cast<double>(part) / static_cast<double>(whole);
}

// Call visit(score, confusion) for each score as a threshold, the highest first
template <typename Visit>
void
for_each_threshold(const ScoredOutcomes &sorted, Visit visit)
{
	Confusion counts;

	counts.true_negatives = sorted.unconverted();
	counts.false_negatives = sorted.converted();
	sorted.for_each_run(
		[&counts, &visit](const ScoreRun &run)
		{
			counts.true_positives += run.converted;
			counts.false_negatives -= run.converted;
			counts.false_positives += run.records - run.converted;
			counts.true_negatives -= run.records - run.converted;
			visit(run.score, counts);
		});
}

// Whether one selection has a higher F1 than another, compared exactly; at most 10^8 records
bool
has_higher_f1(const Confusion &left, const Confusion &right) noexcept
{
	return left.true_positives * (right.selected() + right.converted()) >
		   right.true_positives * (left.selected() + left.converted());
}

// Whether one selection has a higher Youden index than another of the same records, compared exactly
bool
has_higher_youden(const Confusion &left, const Confusion &right) noexcept
{
	int64_t converted = left.converted();
	int64_t unconverted = left.records() - converted;

	return left.true_positives * unconverted - left.false_positives * converted >
		   right.true_positives * unconverted - right.false_positives * converted;
}

std::optional<double>
best_threshold(const ScoredOutcomes &sorted, bool (*is_better)(const Confusion &, const Confusion &) noexcept)
{
	std::optional<double> best;
	Confusion of_best;

	for_each_threshold(sorted,
					   [&](double score, const Confusion &counts)
					   {
						   if (!best.has_value() || is_better(counts, of_best))
						   {
							   best = score;
							   of_best = counts;
						   }
					   });
	return best;
}

// Where the lift of the bins, from the best, first falls below 1
std::optional<double>
lift_threshold(const ScoredOutcomes &sorted)
{
	std::optional<double> threshold;

	for (const GainsBin &bin : gains(sorted, lift_bins))
	{
		// Fractions of ties may round a lift of 1 down
		if (bin.lift < 1 - 1e-9)
		{
			break;
		}
		threshold = bin.lowest_score;
	}
	return threshold;
}

std::optional<double>
capacity_threshold(const ScoredOutcomes &sorted, int64_t capacity)
{
	std::optional<double> threshold;

	if (capacity < 1)
	{
		throw ScoringError(Fault::invalid_parameter, fmt::format("capacity out of range: {}", capacity),
						   "It is the number of records that can be taken care of, at least 1.");
	}
	for_each_threshold(sorted,
					   [&threshold, capacity](double score, const Confusion &counts)
					   {
						   if (!threshold.has_value() || counts.selected() <= capacity)
						   {
							   threshold = score;
						   }
					   });
	return threshold;
}

} // namespace

int64_t
Confusion::records() const noexcept
{
	return true_positives + false_positives + true_negatives + false_negatives;
}

int64_t
Confusion::selected() const noexcept
{
	return true_positives + false_positives;
}

int64_t
Confusion::converted() const noexcept
{
	return true_positives + false_negatives;
}

double
Confusion::accuracy() const noexcept
{
	return ratio(true_positives + true_negatives, records());
}

double
Confusion::precision() const noexcept
{
	return ratio(true_positives, selected());
}

double
Confusion::recall() const noexcept
{
	return ratio(true_positives, converted());
}

double
Confusion::f1() const noexcept
{
	return ratio(2 * true_positives, selected() + converted());
}

double
Confusion::false_positive_rate() const noexcept
{
	return ratio(false_positives, false_positives + true_negatives);
}

double
Confusion::false_negative_rate() const noexcept
{
	return ratio(false_negatives, converted());
}

double
Confusion::conversion_rate() const noexcept
{
	return ratio(converted(), records());
}

double
Confusion::share() const noexcept
{
	return ratio(selected(), records());
}

double
Confusion::youden() const noexcept
{
	return recall() - false_positive_rate();
}

double
Confusion::lift() const noexcept
{
	return ratio(true_positives * records(), selected() * converted());
}

Confusion
confusion(const ScoredOutcomes &scored, double threshold)
{
	if (!std::isfinite(threshold))
	{
		throw ScoringError(Fault::invalid_parameter, fmt::format("a threshold must be finite: {}", threshold),
						   "Give the lowest score that is selected.");
	}
	auto [true_positives, false_positives] = scored.count_reaching(threshold);
	return {true_positives, false_positives, scored.unconverted() - false_positives, scored.converted() - true_positives};
}

ThresholdMethod
threshold_method(std::string_view name)
{
	constexpr std::pair<std::string_view, ThresholdMethod> methods[] = {{"f1", ThresholdMethod::f1},
																		{"youden", ThresholdMethod::youden},
																		{"lift", ThresholdMethod::lift},
																		{"capacity", ThresholdMethod::capacity}};

	for (auto [known, method] : methods)
	{
		if (name == known)
		{
			return method;
		}
	}
	throw ScoringError(Fault::invalid_parameter, fmt::format("unknown method of recommend_threshold: \"{}\"", name),
					   "Use f1, youden, lift or capacity.");
}

std::optional<double>
recommend_threshold(const ScoredOutcomes &sorted, ThresholdMethod method, int64_t capacity)
{
	if (method == ThresholdMethod::capacity)
	{
		return capacity_threshold(sorted, capacity);
	}
	if (sorted.converted() == 0 || (method == ThresholdMethod::youden && sorted.unconverted() == 0))
	{
		return std::nullopt;
	}
	return method == ThresholdMethod::lift ? lift_threshold(sorted)
										   : best_threshold(sorted, method == ThresholdMethod::f1 ? has_higher_f1
																								 : has_higher_youden);
}

} // namespace lead_scoring::core
