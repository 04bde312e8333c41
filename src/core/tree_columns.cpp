#include "core/tree_columns.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <iterator>
#include <limits>
#include <utility>

#if defined(POSTGRES_H)
static_assert(false, "No Postgres header should be included in this file.");
#endif

namespace lead_scoring::core
{

namespace
{

// In how many parts rows are judged by the rates of the others
constexpr uint32_t category_parts = 5;

// Return the part, below category_parts, that a row belongs to
uint32_t
part_of(uint32_t row) noexcept
{
	// Multiplicative hashing (Knuth, The Art of Computer Programming 3, 6.4), so that no order of the rows matters
	return static_cast<uint32_t>((row * UINT64_C(0x9E3779B97F4A7C15) >> 32) * category_parts >> 32);
}

// Rows and conversions by category, and by part of the rows
class CategoryCounts
{
public:
	CategoryCounts(const DataColumn &column, const Dataset &data, std::span<const uint32_t> rows, double smoothing)
		: smoothing_(smoothing), all_(column.categories.size()), parts_(category_parts * column.categories.size())
	{
		Count total;
		for (uint32_t row : rows)
		{
			double code = column.values[row];
			if (known(code))
			{
				bool converted = data.outcome[row] != 0;
				total.add(converted);
				all_[static_cast<size_t>(code)].add(converted);
				parts_[part_of(row) * all_.size() + static_cast<size_t>(code)].add(converted);
			}
		}
		average_ = total.rows > 0 ? total.converted / total.rows : 0;
	}

	// Return what the trees see of the categories
	TreeFeature
	rates() const
	{
		TreeFeature feature{true, {}, average_};

		feature.values.reserve(all_.size());
		for (const Count &count : all_)
		{
			feature.values.push_back(rate(count.rows, count.converted));
		}
		return feature;
	}

	// Return what they see of the category of a row in training
	double
	rate_in_training(uint32_t row, double code) const
	{
		if (!known(code))
		{
			return std::isnan(code) ? code : average_;
		}
		const Count &all = all_[static_cast<size_t>(code)];
		if (all.rows >= frequent_category_rows)
		{
			return rate(all.rows, all.converted);
		}
		const Count &own = parts_[part_of(row) * all_.size() + static_cast<size_t>(code)];
		return rate(all.rows - own.rows, all.converted - own.converted);
	}

private:
	struct Count
	{
		double rows = 0;
		double converted = 0;

		void
		add(bool conversion) noexcept
		{
			rows++;
			converted += conversion ? 1 : 0;
		}
	};

	bool
	known(double code) const noexcept
	{
		return code >= 0 && code < static_cast<double>(all_.size());
	}

	double
	rate(double rows, double converted) const noexcept
	{
		return (converted + smoothing_ * average_) / (rows + smoothing_);
	}

	double smoothing_;
	double average_ = 0;
	std::vector<Count> all_;   // by code
	std::vector<Count> parts_; // by part and code
};

// Return what the trees see of a column in training, by row, and in feature what they will see afterwards
std::vector<double>
training_values(const DataColumn &column, const Dataset &data, std::span<const uint32_t> rows, double smoothing, TreeFeature &feature)
{
	std::vector<double> values;

	values.reserve(rows.size());
	if (!column.categorical)
	{
		for (uint32_t row : rows)
		{
			values.push_back(feature.seen(column.values[row]));
		}
		return values;
	}
	CategoryCounts counts(column, data, rows, smoothing);
	feature = counts.rates();
	for (uint32_t row : rows)
	{
		values.push_back(counts.rate_in_training(row, column.values[row]));
	}
	return values;
}

// Return the bins of values, NaN for what is missing
std::vector<float>
bins_of(std::span<const double> values, const std::vector<double> &cuts)
{
	std::vector<float> bins;

	bins.reserve(values.size());
	for (double value : values)
	{
		auto bin = std::upper_bound(cuts.begin(), cuts.end(), value) - cuts.begin();
		bins.push_back(std::isnan(value) ? std::numeric_limits<float>::quiet_NaN() : static_cast<float>(bin));
	}
	return bins;
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
	std::vector<std::vector<float>> bins;

	for (const DataColumn &column : data.columns)
	{
		give_up_if(cancelled);
		TreeFeature &feature = made.features.emplace_back();
		std::vector<double> values = training_values(column, data, rows, binning.smoothing, feature);
		std::vector<double> present;
		std::copy_if(values.begin(), values.end(), std::back_inserter(present), [](double value) { return !std::isnan(value); });
		bool some_missing = !present.empty() && present.size() < values.size();
		std::vector<double> cuts = find_cuts(std::move(present), binning.bins);
		if (some_missing || !cuts.empty())
		{
			bins.push_back(bins_of(values, cuts));
			made.columns.push_back({static_cast<uint32_t>(made.features.size() - 1), std::move(cuts)});
		}
	}
	made.bins.reserve(rows.size() * bins.size());
	for (size_t row = 0; row < rows.size(); row++)
	{
		for (const std::vector<float> &column : bins)
		{
			made.bins.push_back(column[row]);
		}
	}
	return made;
}

} // namespace lead_scoring::core
