#include "core/scorecard.hpp"

#include "core/logistic.hpp"
#include "core/sorting.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#if defined(POSTGRES_H)
static_assert(false, "No Postgres header should be included in this file.");
#endif

namespace lead_scoring::core
{

namespace
{

// Rows between two polls
constexpr size_t stretch = 1 << 14;

// Infinity lies beyond, and bounds stay finite
constexpr double largest_bound = 1e300;

// Return a number of few decimals that is greater than one value and at most the next: people will read it
double
short_bound(double below, double value)
{
	for (double scale = 1; scale < 1e12; scale *= 10)
	{
		const double candidate = std::floor(value * scale) / scale;
		if (candidate > below && candidate <= value)
		{
			return candidate;
		}
	}
	return value;
}

// Find the bounds between bins of about equally many of the sorted values. A value that is in many rows has a bin for
// itself, and the other bins share the rest
std::vector<double>
find_bounds(std::span<const double> sorted, uint32_t bins, uint32_t min_rows)
{
	const size_t count = sorted.size();
	std::vector<double> bounds;
	size_t first = 0;

	for (uint32_t left = bins; left > 1; left--)
	{
		const size_t wanted = std::max<size_t>({(count - first) / left, min_rows, 1});
		if (count - first < wanted + std::max<size_t>(min_rows, 1))
		{
			break;
		}
		// Equal values stay together, on the side where the bin comes closer to its size
		const auto [low, high] = std::equal_range(sorted.begin() + first, sorted.end(), sorted[first + wanted]);
		const size_t before = low - sorted.begin();
		const size_t behind = high - sorted.begin();
		const size_t target = first + wanted;
		const bool take_before = before > first && before - first >= min_rows && target - before <= behind - target;
		const size_t cut = take_before ? before : behind;
		if (cut >= count || count - cut < min_rows)
		{
			break;
		}
		bounds.push_back(short_bound(sorted[cut - 1], sorted[cut]));
		first = cut;
	}
	return bounds;
}

// Make the bins of a number, which are empty
ScorecardFeature
bin_number(const DataColumn &column, std::span<const uint32_t> rows, const ScorecardSettings &settings, Poll cancelled)
{
	ScorecardFeature feature;
	std::vector<double> present;

	present.reserve(rows.size());
	for (uint32_t row : rows)
	{
		if (!std::isnan(column.values[row]))
		{
			present.push_back(std::clamp(column.values[row], -largest_bound, largest_bound));
		}
	}
	sort_values(present, cancelled);
	feature.lower_bounds = find_bounds(present, settings.bins, settings.min_rows);
	feature.bins.resize(feature.lower_bounds.size() + 2);
	return feature;
}

// Return how many of the rows have each category
std::vector<uint32_t>
count_codes(const DataColumn &column, std::span<const uint32_t> rows)
{
	std::vector<uint32_t> counts(column.categories.size());

	for (uint32_t row : rows)
	{
		const double code = column.values[row];
		if (code >= 0 && code < static_cast<double>(counts.size()))
		{
			counts[static_cast<size_t>(code)]++;
		}
	}
	return counts;
}

// Make the bins of a category, which are empty: the most frequent categories first, then that of the rare ones
ScorecardFeature
bin_category(const DataColumn &column, std::span<const uint32_t> rows, const ScorecardSettings &settings)
{
	ScorecardFeature feature;
	const std::vector<uint32_t> counts = count_codes(column, rows);
	std::vector<uint32_t> codes(counts.size());
	uint32_t own = 0;
	bool rare = false;

	feature.categorical = true;
	feature.bin_of_code.assign(counts.size(), ScorecardFeature::no_bin);
	std::iota(codes.begin(), codes.end(), 0);
	std::stable_sort(codes.begin(), codes.end(), [&](uint32_t left, uint32_t right) { return counts[left] > counts[right]; });
	for (uint32_t code : codes)
	{
		if (counts[code] == 0)
		{
			break;
		}
		rare = rare || counts[code] < settings.min_rows || own == settings.most_categories;
		feature.bin_of_code[code] = own;
		own += rare ? 0 : 1;
	}
	feature.bins.resize(own + rare + 1);
	return feature;
}

// Make the bins of all features, so few of each that the normal equations stay small
std::vector<ScorecardFeature>
make_bins(const Dataset &data, std::span<const uint32_t> rows, ScorecardSettings settings, Poll cancelled)
{
	std::vector<ScorecardFeature> features;
	// Two more: that of missing values and that of rare categories
	const size_t most = std::max<size_t>(settings.most_bins / std::max<size_t>(data.columns.size(), 1), 4) - 2;

	settings.bins = static_cast<uint32_t>(std::min<size_t>(settings.bins, most));
	settings.most_categories = static_cast<uint32_t>(std::min<size_t>(settings.most_categories, most));
	features.reserve(data.columns.size());
	for (const DataColumn &column : data.columns)
	{
		give_up_if(cancelled);
		features.push_back(column.categorical ? bin_category(column, rows, settings)
											  : bin_number(column, rows, settings, cancelled));
	}
	return features;
}

// Look up the bin of each row in each feature and count; returns the codes of a BinDesign
std::vector<uint16_t>
fill_bins(const Dataset &data, std::span<const uint32_t> rows, std::vector<ScorecardFeature> &features, Poll cancelled)
{
	const size_t width = features.size();
	std::vector<uint16_t> codes(rows.size() * width);
	size_t first_column = 1;

	for (size_t at = 0; at < width; at++)
	{
		ScorecardFeature &feature = features[at];
		const std::vector<double> &values = data.columns[at].values;
		for (size_t number = 0; number < rows.size(); number++)
		{
			if (number % stretch == 0)
			{
				give_up_if(cancelled);
			}
			const uint32_t bin = feature.bin_of(values[rows[number]]);
			if (bin == ScorecardFeature::no_bin)
			{
				continue; // no column
			}
			feature.bins[bin].rows++;
			feature.bins[bin].converted += data.outcome[rows[number]] != 0;
			codes[number * width + at] = static_cast<uint16_t>(first_column + bin);
		}
		first_column += feature.bins.size();
	}
	return codes;
}

// Move the average of a feature's points to the base
double
centre(ScorecardFeature &feature)
{
	double sum = 0;
	double rows = 0;

	for (const ScorecardBin &bin : feature.bins)
	{
		sum += bin.points * static_cast<double>(bin.rows);
		rows += static_cast<double>(bin.rows);
	}
	const double mean = rows > 0 ? sum / rows : 0;
	for (ScorecardBin &bin : feature.bins)
	{
		bin.points = bin.rows > 0 ? bin.points - mean : 0;
	}
	return mean;
}

void
check(const Dataset &data, const ScorecardSettings &settings)
{
	if (data.columns.size() > most_scorecard_features)
	{
		throw ScoringError(Fault::limit_exceeded,
						   fmt::format("a scorecard of {} features is too large", data.columns.size()),
						   fmt::format("It can have up to {}.", most_scorecard_features));
	}
	if (settings.bins < 2 || settings.bins > 100)
	{
		throw ScoringError(Fault::invalid_parameter, fmt::format("a scorecard cannot have {} bins", settings.bins),
						   "Use 2 to 100.");
	}
	if (settings.most_categories < 1 || settings.most_categories > 1000)
	{
		throw ScoringError(Fault::invalid_parameter,
						   fmt::format("a scorecard cannot keep {} categories apart", settings.most_categories),
						   "Use 1 to 1000.");
	}
	if (settings.most_bins > 10'000)
	{
		throw ScoringError(Fault::invalid_parameter, fmt::format("a scorecard cannot have {} bins in all", settings.most_bins),
						   "Use up to 10000.");
	}
	if (!(settings.penalty >= 1e-6 && settings.penalty <= 1e6))
	{
		throw ScoringError(Fault::invalid_parameter, fmt::format("penalty {} is out of range", settings.penalty),
						   "Use 0.000001 to 1e6.");
	}
}

} // namespace

uint32_t
ScorecardFeature::bin_of(double value) const noexcept
{
	if (std::isnan(value))
	{
		return static_cast<uint32_t>(bins.size() - 1);
	}
	if (!categorical)
	{
		return static_cast<uint32_t>(std::upper_bound(lower_bounds.begin(), lower_bounds.end(), value) - lower_bounds.begin());
	}
	return value >= 0 && value < static_cast<double>(bin_of_code.size()) ? bin_of_code[static_cast<size_t>(value)] : no_bin;
}

double
ScorecardFeature::points_of(double value) const noexcept
{
	const uint32_t bin = bin_of(value);

	return bin == no_bin ? 0 : bins[bin].points;
}

double
Scorecard::log_odds(std::span<const double> row) const noexcept
{
	double sum = base;

	for (size_t feature = 0; feature < features.size(); feature++)
	{
		sum += features[feature].points_of(row[feature]);
	}
	return sum;
}

void
Scorecard::contributions(std::span<const double> row, std::span<double> out) const noexcept
{
	for (size_t feature = 0; feature < features.size(); feature++)
	{
		out[feature] = features[feature].points_of(row[feature]);
	}
	out[features.size()] = base;
}

Scorecard
fit_scorecard(const Dataset &data, std::span<const uint32_t> rows, const ScorecardSettings &settings, Poll cancelled)
{
	Scorecard scorecard;
	std::vector<double> targets;
	size_t columns = 1;

	check(data, settings);
	scorecard.features = make_bins(data, rows, settings, cancelled);
	for (const ScorecardFeature &feature : scorecard.features)
	{
		columns += feature.bins.size();
	}
	targets.reserve(rows.size());
	for (uint32_t row : rows)
	{
		targets.push_back(data.outcome[row] != 0 ? 1 : 0);
	}
	const BinDesign design(fill_bins(data, rows, scorecard.features, cancelled), data.columns.size(), columns);
	const LogisticFit fit = fit_logistic(design, targets, settings.penalty, cancelled);

	scorecard.base = fit.coefficients[0];
	size_t column = 1;
	for (ScorecardFeature &feature : scorecard.features)
	{
		for (ScorecardBin &bin : feature.bins)
		{
			bin.points = fit.coefficients[column++];
		}
		scorecard.base += centre(feature);
	}
	return scorecard;
}

} // namespace lead_scoring::core
