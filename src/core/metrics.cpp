#include "core/metrics.hpp"

#include "core/mean_loss.hpp"

#include <fmt/format.h>

#include <limits>

#if defined(POSTGRES_H)
static_assert(false, "No Postgres header should be included in this file.");
#endif

namespace lead_scoring::core
{

namespace
{

constexpr double undefined = std::numeric_limits<double>::quiet_NaN();

double
mean_loss(std::span<const double> probabilities, std::span<const uint8_t> outcomes, double (*loss_of)(double, bool))
{
	MeanLoss loss;

	if (probabilities.size() != outcomes.size())
	{
		throw ScoringError(Fault::invalid_parameter,
						   fmt::format("{} probabilities, but {} outcomes", probabilities.size(), outcomes.size()),
						   "Give each probability the outcome of the same record.");
	}
	for (size_t row = 0; row < probabilities.size(); row++)
	{
		loss.add(loss_of(probabilities[row], outcomes[row] != 0));
	}
	return loss.mean();
}

} // namespace

double
auc(const ScoredOutcomes &sorted)
{
	int64_t below = sorted.unconverted(); // records that did not convert, of scores up to the run's
	int64_t half_wins = 0;

	if (sorted.converted() == 0 || sorted.unconverted() == 0)
	{
		return undefined;
	}
	// In halves, so that all is exact up to the division: 10^8 records make at most 5 * 10^15 halves
	sorted.for_each_run(
		[&below, &half_wins](const ScoreRun &run)
		{
			int64_t ties = run.records - run.converted;
			below -= ties;
			half_wins += run.converted * (2 * below + ties);
		});
	return static_cast<double>(half_wins) / static_cast<double>(2 * sorted.converted() * sorted.unconverted());
}

double
auc(std::span<const double> scores, std::span<const uint8_t> outcomes, Poll cancelled)
{
	ScoredOutcomes scored(scores, outcomes);

	scored.sort(cancelled);
	return auc(scored);
}

double
average_precision(const ScoredOutcomes &sorted)
{
	int64_t records = 0;
	int64_t converted = 0;
	MeanLoss precision; // over the records that converted

	sorted.for_each_run(
		[&](const ScoreRun &run)
		{
			records += run.records;
			converted += run.converted;
			precision.sum.add(static_cast<double>(run.converted) * static_cast<double>(converted) /
							  static_cast<double>(records));
		});
	precision.count = converted;
	return precision.mean();
}

double
average_precision(std::span<const double> scores, std::span<const uint8_t> outcomes, Poll cancelled)
{
	ScoredOutcomes scored(scores, outcomes);

	scored.sort(cancelled);
	return average_precision(scored);
}

double
log_loss(std::span<const double> probabilities, std::span<const uint8_t> outcomes)
{
	return mean_loss(probabilities, outcomes, log_loss_of);
}

double
brier(std::span<const double> probabilities, std::span<const uint8_t> outcomes)
{
	return mean_loss(probabilities, outcomes, brier_of);
}

} // namespace lead_scoring::core
