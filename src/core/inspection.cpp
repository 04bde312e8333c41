#include "core/inspection.hpp"

#include "core/sorting.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <unordered_set>
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

// A category that only a few rows have separates them by chance
constexpr uint64_t min_category_rows = 10;

// Call work(row) for each row, with polls between
template <typename Work>
void
for_rows(size_t rows, Poll cancelled, Work work)
{
	for (size_t row = 0; row < rows; row++)
	{
		if (row % stretch == 0)
		{
			give_up_if(cancelled);
		}
		work(row);
	}
}

// Count the pairs of two sorted lists in which the first is higher, ties as one half
double
count_wins(std::span<const double> winners, std::span<const double> losers)
{
	double wins = 0;
	size_t lower = 0;
	size_t not_higher = 0;

	for (double winner : winners)
	{
		while (lower < losers.size() && losers[lower] < winner)
		{
			lower++;
		}
		not_higher = std::max(not_higher, lower);
		while (not_higher < losers.size() && losers[not_higher] == winner)
		{
			not_higher++;
		}
		wins += static_cast<double>(lower) + static_cast<double>(not_higher - lower) / 2;
	}
	return wins;
}

// Rows of one category
struct Tally
{
	uint64_t rows = 0;
	uint64_t converted = 0;

	void
	add(const Tally &other)
	{
		rows += other.rows;
		converted += other.converted;
	}

	double
	rate() const
	{
		return static_cast<double>(converted) / static_cast<double>(rows);
	}
};

// AUC of the conversion rate of groups
double
separation_of(std::vector<Tally> groups)
{
	double wins = 0;
	Tally below;

	std::erase_if(groups, [](const Tally &group) { return group.rows == 0; });
	std::sort(groups.begin(), groups.end(), [](const Tally &left, const Tally &right) { return left.rate() < right.rate(); });
	for (const Tally &group : groups)
	{
		const auto unconverted = static_cast<double>(group.rows - group.converted);
		wins += static_cast<double>(group.converted) * (static_cast<double>(below.rows - below.converted) + unconverted / 2);
		below.add(group);
	}
	const double pairs = static_cast<double>(below.converted) * static_cast<double>(below.rows - below.converted);
	return pairs > 0 ? wins / pairs : 0.5;
}

// Names are how features are spoken of, and codes must have a category
void
check_column(const DataColumn &column, size_t rows, Poll cancelled)
{
	if (column.values.size() != rows)
	{
		throw ScoringError(Fault::invalid_parameter, fmt::format("feature \"{}\" has {} values for {} rows", column.name,
																 column.values.size(), rows));
	}
	if (!column.categorical)
	{
		return;
	}
	for_rows(rows, cancelled, [&](size_t row) {
		const double code = column.values[row];
		const bool known = code >= 0 && code < static_cast<double>(column.categories.size()) && code == std::floor(code);
		if (!known && !std::isnan(code) && code != unseen_category)
		{
			throw ScoringError(Fault::invalid_parameter,
							   fmt::format("feature \"{}\" has no category of the code {}", column.name, code));
		}
	});
}

void
check(const Dataset &data, Poll cancelled)
{
	std::unordered_set<std::string> names;

	if (data.columns.empty())
	{
		throw ScoringError(Fault::invalid_parameter, "a model needs a feature");
	}
	if (data.fold.size() != data.rows())
	{
		throw ScoringError(Fault::invalid_parameter, "each row must have a fold");
	}
	for (const DataColumn &column : data.columns)
	{
		if (!names.insert(column.name).second)
		{
			throw ScoringError(Fault::duplicate_key, fmt::format("two features are named \"{}\"", column.name));
		}
		check_column(column, data.rows(), cancelled);
	}
}

// What is in a column
struct Contents
{
	size_t present = 0;
	size_t infinite = 0;
	bool constant = true; // all that are present, and none is missing
};

Contents
look_into(const DataColumn &column, Poll cancelled)
{
	Contents contents;

	for_rows(column.values.size(), cancelled, [&](size_t row) {
		const double value = column.values[row];
		contents.present += !std::isnan(value);
		contents.infinite += std::isinf(value);
		contents.constant = contents.constant && value == column.values[0];
	});
	return contents;
}

// Say what is strange about a feature, if anything is
void
judge(const DataColumn &column, std::span<const uint8_t> outcomes, double leakage_auc, Poll cancelled,
	  std::vector<std::string> &warnings)
{
	const Contents contents = look_into(column, cancelled);

	if (contents.present == 0)
	{
		warnings.push_back(fmt::format("feature \"{}\" has no value in any row, so it says nothing", column.name));
		return;
	}
	if (contents.constant)
	{
		warnings.push_back(fmt::format("feature \"{}\" has the same value in all rows, so it says nothing", column.name));
		return;
	}
	if (contents.infinite > 0)
	{
		warnings.push_back(fmt::format("feature \"{}\" is infinite in {} rows, which count as larger or smaller than all others",
									   column.name, contents.infinite));
	}
	const double alone = column.categorical
							 ? category_separation(column.values, column.categories.size(), outcomes, min_category_rows, cancelled)
							 : separation(column.values, outcomes, cancelled);
	if (alone >= leakage_auc)
	{
		warnings.push_back(fmt::format("feature \"{}\" alone predicts the outcome with an AUC of {:.4f}: if it becomes known only "
									   "after the conversion, it leaks the outcome and must be left out",
									   column.name, alone));
	}
}

} // namespace

double
separation(std::span<const double> values, std::span<const uint8_t> outcomes, Poll cancelled)
{
	std::vector<double> lists[2];
	size_t missing[2] = {0, 0};

	for_rows(values.size(), cancelled, [&](size_t row) {
		const size_t outcome = outcomes[row] != 0;
		if (std::isnan(values[row]))
		{
			missing[outcome]++;
		}
		else
		{
			lists[outcome].push_back(values[row]);
		}
	});
	sort_values(lists[0], cancelled);
	sort_values(lists[1], cancelled);
	const auto pairs = static_cast<double>(lists[0].size() + missing[0]) * static_cast<double>(lists[1].size() + missing[1]);
	if (pairs == 0)
	{
		return 0.5;
	}
	double best = 0.5;
	const double wins = count_wins(lists[1], lists[0]);
	const double ties = static_cast<double>(missing[0]) * static_cast<double>(missing[1]) / 2;
	// Missing values below all others: those of the first outcome lose against all that are present, and the reverse
	const double below = wins + ties + static_cast<double>(missing[0]) * static_cast<double>(lists[1].size());
	const double above = wins + ties + static_cast<double>(missing[1]) * static_cast<double>(lists[0].size());
	for (double won : {below / pairs, above / pairs})
	{
		best = std::max({best, won, 1 - won});
	}
	return best;
}

double
category_separation(std::span<const double> codes, size_t categories, std::span<const uint8_t> outcomes, uint64_t min_rows,
					Poll cancelled)
{
	// Behind the categories: rare or unseen ones, then missing values
	std::vector<Tally> groups(categories + 2);

	for_rows(codes.size(), cancelled, [&](size_t row) {
		const bool known = codes[row] >= 0 && codes[row] < static_cast<double>(categories);
		const size_t group = known ? static_cast<size_t>(codes[row]) : categories + std::isnan(codes[row]);
		groups[group].add({1, uint64_t{outcomes[row] != 0}});
	});
	for (size_t group = 0; group < categories; group++)
	{
		if (groups[group].rows < min_rows)
		{
			groups[categories].add(groups[group]);
			groups[group] = {};
		}
	}
	return separation_of(std::move(groups));
}

size_t
keep_frequent_categories(DataColumn &column, size_t most, Poll cancelled)
{
	const size_t count = column.categories.size();

	if (count <= most)
	{
		return 0;
	}
	std::vector<uint64_t> rows(count);
	for_rows(column.values.size(), cancelled, [&](size_t row) {
		if (column.values[row] >= 0)
		{
			rows[static_cast<size_t>(column.values[row])]++;
		}
	});
	std::vector<size_t> codes(count);
	std::iota(codes.begin(), codes.end(), size_t{0});
	std::stable_sort(codes.begin(), codes.end(), [&](size_t left, size_t right) { return rows[left] > rows[right]; });
	std::vector<double> new_codes(count, unseen_category);
	std::vector<std::string> kept;
	for (size_t code = 0; code < most; code++)
	{
		new_codes[codes[code]] = static_cast<double>(code);
		kept.push_back(std::move(column.categories[codes[code]]));
	}
	column.categories = std::move(kept);
	for_rows(column.values.size(), cancelled, [&](size_t row) {
		double &code = column.values[row];
		code = code >= 0 ? new_codes[static_cast<size_t>(code)] : code;
	});
	return count;
}

std::vector<std::string>
inspect(Dataset &data, size_t most_categories, double leakage_auc, Poll cancelled)
{
	std::vector<std::string> warnings;

	check(data, cancelled);
	for (DataColumn &column : data.columns)
	{
		if (const size_t count = keep_frequent_categories(column, most_categories, cancelled))
		{
			warnings.push_back(fmt::format("feature \"{}\" has {} categories, of which the {} most frequent are kept and the others "
										   "merged",
										   column.name, count, most_categories));
		}
		judge(column, data.outcome, leakage_auc, cancelled, warnings);
	}
	return warnings;
}

} // namespace lead_scoring::core
