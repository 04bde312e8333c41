#include "core/calibration.hpp"

#include "core/mean_loss.hpp"
#include "core/tiers.hpp"

#include <fmt/format.h>

#include <algorithm>
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

// Bins under way: predicted and observed are sums until all are finished
class Bins
{
public:
	// Add so many of the records of a run to a bin, which is the last one or a later one
	void
	add(int32_t number, const ScoreRun &run, int64_t records)
	{
		auto part = static_cast<double>(records);

		if (bins_.empty() || bins_.back().number != number)
		{
			bins_.push_back({number, 0, run.score, run.score, 0, 0});
		}
		CalibrationBin &bin = bins_.back();
		bin.records += records;
		bin.highest = run.score;
		bin.predicted += run.score * part;
		bin.observed += static_cast<double>(run.converted) * part / static_cast<double>(run.records);
	}

	std::vector<CalibrationBin>
	finish()
	{
		for (CalibrationBin &bin : bins_)
		{
			auto records = static_cast<double>(bin.records);
			bin.predicted = std::clamp(bin.predicted / records, bin.lowest, bin.highest);
			bin.observed = std::clamp(bin.observed / records, 0.0, 1.0);
		}
		return std::move(bins_);
	}

private:
	std::vector<CalibrationBin> bins_;
};

void
require_bins(int32_t bins)
{
	if (bins < 1 || bins > most_tiers)
	{
		throw ScoringError(Fault::invalid_parameter, fmt::format("number of bins out of range: {}", bins),
						   fmt::format("Use 1 to {} bins.", most_tiers));
	}
}

std::vector<CalibrationBin>
bins_of_equal_count(const ScoredOutcomes &sorted, int32_t bins)
{
	Bins result;
	int64_t position = 0;
	int32_t number = 1;

	bins = static_cast<int32_t>(std::min<int64_t>(bins, sorted.records()));
	sorted.for_each_rising_run(
		[&](const ScoreRun &run)
		{
			require_probability(run.score);
			int64_t run_end = position + run.records;
			while (position < run_end)
			{
				int64_t bin_end = tier_end(number, sorted.records(), bins);
				int64_t end = std::min(run_end, bin_end);
				result.add(number, run, end - position);
				position = end;
				number += position == bin_end;
			}
		});
	return result.finish();
}

std::vector<CalibrationBin>
bins_of_equal_width(const ScoredOutcomes &sorted, int32_t bins)
{
	Bins result;

	sorted.for_each_rising_run(
		[&result, bins](const ScoreRun &run)
		{
			require_probability(run.score);
			auto number = static_cast<int32_t>(std::floor(run.score * bins)) + 1;
			result.add(std::min(number, bins), run, run.records);
		});
	return result.finish();
}

} // namespace

Binning
binning_of(std::string_view name)
{
	if (name == "equal_count")
	{
		return Binning::equal_count;
	}
	if (name == "equal_width")
	{
		return Binning::equal_width;
	}
	throw ScoringError(Fault::invalid_parameter, fmt::format("unknown binning: \"{}\"", name),
					   "Use equal_count or equal_width.");
}

std::vector<CalibrationBin>
calibration(const ScoredOutcomes &sorted, int32_t bins, Binning binning)
{
	require_bins(bins);
	return binning == Binning::equal_count ? bins_of_equal_count(sorted, bins) : bins_of_equal_width(sorted, bins);
}

double
calibration_error(std::span<const CalibrationBin> bins) noexcept
{
	double records = 0;
	double error = 0;

	for (const CalibrationBin &bin : bins)
	{
		records += static_cast<double>(bin.records);
		error += static_cast<double>(bin.records) * std::abs(bin.predicted - bin.observed);
	}
	return records == 0 ? std::numeric_limits<double>::quiet_NaN() : error / records;
}

double
calibration_error(std::span<const double> probabilities, std::span<const uint8_t> outcomes, int32_t bins, Binning binning,
				  Poll cancelled)
{
	ScoredOutcomes scored(probabilities, outcomes);

	scored.sort(cancelled);
	return calibration_error(calibration(scored, bins, binning));
}

} // namespace lead_scoring::core
