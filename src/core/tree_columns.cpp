#include "core/tree_columns.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <limits>
#include <utility>

#if defined(POSTGRES_H)
static_assert(false, "No Postgres header should be included in this file.");
#endif

namespace lead_scoring::core
{

namespace
{

// Return the conversion rate of each category among the rows, drawn towards that of all
TreeFeature
category_rates(const DataColumn &column, const Dataset &data, std::span<const uint32_t> rows, double smoothing)
{
	std::vector<double> seen(column.categories.size());
	std::vector<double> converted(column.categories.size());
	double all_seen = 0;
	double all_converted = 0;

	for (uint32_t row : rows)
	{
		double code = column.values[row];
		if (code >= 0 && code < static_cast<double>(seen.size()))
		{
			seen[static_cast<size_t>(code)]++;
			converted[static_cast<size_t>(code)] += data.outcome[row];
			all_seen++;
			all_converted += data.outcome[row];
		}
	}
	TreeFeature feature;
	feature.categorical = true;
	feature.unseen = all_seen > 0 ? all_converted / all_seen : 0;
	feature.values.reserve(seen.size());
	for (size_t code = 0; code < seen.size(); code++)
	{
		feature.values.push_back((converted[code] + smoothing * feature.unseen) / (seen[code] + smoothing));
	}
	return feature;
}

// Find where the bins of a column begin; return whether it varies at all, missing or not being a difference, too
bool
bin_column(const DataColumn &column, const TreeFeature &feature, std::span<const uint32_t> rows, uint32_t bins, TreeColumn &binned)
{
	std::vector<double> present;

	present.reserve(rows.size());
	for (uint32_t row : rows)
	{
		double value = feature.seen(column.values[row]);
		if (!std::isnan(value))
		{
			present.push_back(value);
		}
	}
	bool some_missing = !present.empty() && present.size() < rows.size();
	binned.cuts = find_cuts(std::move(present), bins);
	return some_missing || !binned.cuts.empty();
}

// Put the bins of a column into the matrix, whose rows are so long
void
fill_column(const DataColumn &column, const TreeFeature &feature, std::span<const uint32_t> rows, const TreeColumn &binned, float *bins, size_t length)
{
	for (uint32_t row : rows)
	{
		double value = feature.seen(column.values[row]);
		auto bin = std::upper_bound(binned.cuts.begin(), binned.cuts.end(), value) - binned.cuts.begin();
		*bins = std::isnan(value) ? std::numeric_limits<float>::quiet_NaN() : static_cast<float>(bin);
		bins += length;
	}
}

// Return a number at so many significant digits
double
rounded(double value, int digits)
{
	char text[32];
	auto written = std::to_chars(text, text + sizeof text, value, std::chars_format::scientific, digits - 1);

	std::from_chars(text, written.ptr, value);
	return value;
}

} // namespace

double
round_cut(double low, double high)
{
	for (int digits = 1; digits < std::numeric_limits<double>::max_digits10; digits++)
	{
		for (double wanted : {low / 2 + high / 2, high})
		{
			double cut = rounded(wanted, digits);
			if (cut > low && cut <= high)
			{
				return cut;
			}
		}
	}
	return high;
}

std::vector<double>
find_cuts(std::vector<double> values, uint32_t bins)
{
	std::vector<double> cuts;
	size_t distinct = 0;

	std::sort(values.begin(), values.end());
	for (size_t at = 0; at < values.size(); at++)
	{
		distinct += at == 0 || values[at] != values[at - 1] ? 1 : 0;
	}
	size_t left = values.size(); // in this bin and in those behind it
	size_t bins_left = bins;
	size_t first = 0;
	for (size_t at = 1; at < values.size(); at++)
	{
		if (values[at] == values[at - 1])
		{
			continue;
		}
		if (distinct <= bins || (at - first) * bins_left >= left)
		{
			cuts.push_back(round_cut(values[at - 1], values[at]));
			left -= at - first;
			bins_left--;
			first = at;
		}
	}
	return cuts;
}

double
tree_threshold(const TreeColumn &column, double bin) noexcept
{
	double first = std::max(1.0, std::ceil(bin));

	return first <= static_cast<double>(column.cuts.size()) ? column.cuts[static_cast<size_t>(first) - 1] : largest_tree_threshold;
}

TreeColumns
make_tree_columns(const Dataset &data, std::span<const uint32_t> rows, const TreeBinning &binning, Poll cancelled)
{
	TreeColumns made;

	for (const DataColumn &column : data.columns)
	{
		give_up_if(cancelled);
		TreeColumn binned{static_cast<uint32_t>(made.features.size()), {}};
		made.features.push_back(column.categorical ? category_rates(column, data, rows, binning.smoothing) : TreeFeature());
		if (bin_column(column, made.features.back(), rows, binning.bins, binned))
		{
			made.columns.push_back(std::move(binned));
		}
	}
	made.bins.resize(rows.size() * made.columns.size());
	for (size_t at = 0; at < made.columns.size(); at++)
	{
		give_up_if(cancelled);
		const TreeColumn &binned = made.columns[at];
		fill_column(data.columns[binned.feature], made.features[binned.feature], rows, binned, made.bins.data() + at, made.columns.size());
	}
	return made;
}

} // namespace lead_scoring::core
