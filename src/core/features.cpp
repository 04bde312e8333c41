#include "core/features.hpp"

#include "core/dataset.hpp"
#include "core/fault.hpp"
#include "core/fixed_sum.hpp"
#include "core/peaks.hpp"
#include "core/time.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

#include <fmt/format.h>

#if defined(POSTGRES_H)
static_assert(false, "No Postgres header should be included in this file.");
#endif

namespace lead_scoring::core
{

namespace
{

double
days(double microseconds) noexcept
{
	return microseconds / static_cast<double>(day_us);
}

// Return how long after an instant another is, in days; missing if one of them is infinite
double
days_between(int64_t from, int64_t to) noexcept
{
	if (from == infinitely_old || from == infinitely_late || to == infinitely_old || to == infinitely_late)
	{
		return missing_value;
	}
	return days(static_cast<double>(to) - static_cast<double>(from));
}

// Count the different values of matches, which are hashes
double
count_distinct(Matches &matches)
{
	auto bits = [](const Match &match) { return std::bit_cast<uint64_t>(match.value); };

	std::sort(matches.begin(), matches.end(),
			  [&](const Match &left, const Match &right) { return bits(left) < bits(right); });
	auto end = std::unique(matches.begin(), matches.end(),
						   [&](const Match &left, const Match &right) { return bits(left) == bits(right); });
	return static_cast<double>(end - matches.begin());
}

} // namespace

FeatureReader::FeatureReader(const Program &program, StateTable &states)
	: program_(program), states_(states), names_(program.categories), numbers_(program.categories.size())
{
	for (size_t feature = 0; feature < names_.size(); feature++)
	{
		for (uint32_t number = 0; number < names_[feature].size(); number++)
		{
			numbers_[feature].emplace(names_[feature][number], number);
		}
	}
}

void
FeatureReader::read(const Batch &records, size_t row, std::byte *state, std::vector<Matches> &matches, std::span<double> values)
{
	int64_t as_of = program_.as_of;

	if (program_.own_instants)
	{
		size_t column = static_cast<size_t>(program_.instant_column);
		as_of = records.is_null(column, row) ? infinitely_old : records.cell(column, row).integer;
	}
	for (size_t feature = 0; feature < program_.rules.size(); feature++)
	{
		const FinishRule &rule = program_.rules[feature];
		values[feature] = rule.criterion != no_slot ? read_record(rule, feature, records, row, as_of)
													: read_rows(rule, state, matches);
	}
}

double
FeatureReader::read_record(const FinishRule &rule, size_t feature, const Batch &records, size_t row, int64_t as_of)
{
	size_t column = static_cast<size_t>(rule.value_column);
	bool present = program_.record_criteria[rule.criterion].holds(records, row) && !records.is_null(column, row);

	if (rule.statistic == Statistic::has_value)
	{
		return present ? 1 : 0;
	}
	if (!present)
	{
		return missing_value;
	}
	Cell cell = records.cell(column, row);
	switch (rule.statistic)
	{
	case Statistic::category:
		return category_of(feature, *cell.text);
	case Statistic::days_since:
		return days_between(cell.integer, as_of);
	case Statistic::days_until:
		return days_between(as_of, cell.integer);
	default:
		return std::isfinite(cell.real) ? cell.real : missing_value;
	}
}

double
FeatureReader::category_of(size_t feature, std::string_view text)
{
	auto found = numbers_[feature].find(text);

	if (found != numbers_[feature].end())
	{
		return found->second;
	}
	if (!program_.learns_categories)
	{
		return unseen_category;
	}
	auto number = static_cast<uint32_t>(names_[feature].size());
	names_[feature].emplace_back(text);
	numbers_[feature].emplace(text, number);
	return number;
}

double
FeatureReader::read_rows(const FinishRule &rule, std::byte *state, std::vector<Matches> &matches) const
{
	bool counts_none = rule.statistic == Statistic::count || rule.statistic == Statistic::sum ||
					   rule.statistic == Statistic::has_any || rule.statistic == Statistic::distinct;

	if (state == nullptr)
	{
		return counts_none ? 0 : missing_value;
	}
	if (rule.slots.log != no_slot)
	{
		return count_distinct(matches[rule.slots.log]);
	}
	if (rule.slots.sum != no_slot)
	{
		return fixed_value(states_.sums(state)[rule.slots.sum]);
	}
	uint32_t count = states_.counts(state)[rule.slots.count];
	if (count == 0)
	{
		return counts_none ? 0 : missing_value;
	}
	const uint64_t *peaks = states_.peaks(state);
	switch (rule.statistic)
	{
	case Statistic::has_any:
		return 1;
	case Statistic::average:
		return fixed_value(states_.sums(state)[rule.slots.values]) / count;
	case Statistic::minimum:
		return -real_of_peak(peaks[rule.slots.extreme]);
	case Statistic::maximum:
		return real_of_peak(peaks[rule.slots.extreme]);
	case Statistic::days_since_newest:
		return days_between(time_of_peak(peaks[rule.slots.newest]), program_.as_of);
	case Statistic::days_since_oldest:
		return days_between(due_of_peak(peaks[rule.slots.oldest]), program_.as_of);
	case Statistic::days_until_next:
		return days_between(program_.as_of, due_of_peak(peaks[rule.slots.oldest]));
	default:
		return count;
	}
}

} // namespace lead_scoring::core
