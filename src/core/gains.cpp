#include "core/gains.hpp"

#include "core/tiers.hpp"

#include <fmt/format.h>

#include <algorithm>
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
ratio(double part, double whole) noexcept
{
	return whole == 0 ? undefined : part / whole;
}

// Return how many converted in the part of a run before a position, of a run that begins at another
double
converted_before(const ScoreRun &run, double first, double position) noexcept
{
	return static_cast<double>(run.converted) * (position - first) / static_cast<double>(run.records);
}

// What the bins before one hold
struct Before
{
	int64_t records = 0;
	double converted = 0;
};

GainsBin
make_bin(int32_t number, double score, const Before &before, const Before &with, const ScoredOutcomes &sorted)
{
	auto all = static_cast<double>(sorted.records());
	auto all_converted = static_cast<double>(sorted.converted());
	auto records = static_cast<double>(with.records - before.records);
	double converted = with.converted - before.converted;
	double share = static_cast<double>(with.records) / all;

	return {number,
			with.records - before.records,
			converted,
			converted / records,
			ratio(converted, all_converted),
			ratio(converted * all, all_converted * records),
			score,
			share,
			ratio(with.converted, all_converted),
			ratio(with.converted * all, all_converted * static_cast<double>(with.records))};
}

} // namespace

std::vector<GainsBin>
gains(const ScoredOutcomes &sorted, int32_t bins)
{
	std::vector<GainsBin> result;
	int64_t position = 0; // behind the runs seen
	int64_t converted = 0;
	Before before;

	if (bins < 1 || bins > most_tiers)
	{
		throw ScoringError(Fault::invalid_parameter, fmt::format("number of bins out of range: {}", bins),
						   fmt::format("Use 1 to {} bins.", most_tiers));
	}
	bins = static_cast<int32_t>(std::min<int64_t>(bins, sorted.records()));
	sorted.for_each_run(
		[&](const ScoreRun &run)
		{
			int64_t first = position;
			position += run.records;
			for (auto number = static_cast<int32_t>(result.size()) + 1; number <= bins; number++)
			{
				int64_t end = tier_end(number, sorted.records(), bins);
				if (end > position)
				{
					break;
				}
				double in_run = converted_before(run, static_cast<double>(first), static_cast<double>(end));
				Before with{end, static_cast<double>(converted) + in_run};
				result.push_back(make_bin(number, run.score, before, with, sorted));
				before = with;
			}
			converted += run.converted;
		});
	return result;
}

double
lift(const ScoredOutcomes &sorted, double share)
{
	if (!(share > 0 && share <= 1))
	{
		throw ScoringError(Fault::invalid_parameter, fmt::format("share out of range: {}", share),
						   "It is the share of the records that is looked at, above 0 and at most 1: 0.1 for the best tenth.");
	}
	double end = share * static_cast<double>(sorted.records());
	double position = 0;
	double converted = 0;
	sorted.for_each_run(
		[&position, &converted, end](const ScoreRun &run)
		{
			double first = position;
			position += static_cast<double>(run.records);
			if (first < end)
			{
				converted += converted_before(run, first, std::min(position, end));
			}
		});
	return ratio(converted, static_cast<double>(sorted.converted()) * share);
}

void
BandCapture::add(std::string_view label, bool outcome)
{
	auto place = counts_.find(label);

	if (place == counts_.end())
	{
		place = counts_.emplace(label, Count{}).first;
	}
	for (Count *count : {&place->second, &all_})
	{
		count->records++;
		count->converted += outcome;
	}
}

std::vector<BandOutcomes>
BandCapture::bands() const
{
	std::vector<BandOutcomes> bands;
	auto all = static_cast<double>(all_.records);
	auto all_converted = static_cast<double>(all_.converted);

	for (const auto &[label, count] : counts_)
	{
		auto records = static_cast<double>(count.records);
		auto converted = static_cast<double>(count.converted);
		bands.push_back({label, count.records, count.converted, converted / records, ratio(converted, all_converted),
						 ratio(converted * all, all_converted * records)});
	}
	std::sort(bands.begin(), bands.end(),
			  [](const BandOutcomes &left, const BandOutcomes &right)
			  {
				  return left.conversion_rate != right.conversion_rate ? left.conversion_rate > right.conversion_rate
																	   : left.label < right.label;
			  });
	return bands;
}

} // namespace lead_scoring::core
