#include "core/features.hpp"

#include "core/dataset.hpp"
#include "core/fault.hpp"
#include "core/fixed_sum.hpp"
#include "core/peaks.hpp"
#include "core/time.hpp"

#include <algorithm>
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
	std::sort(matches.begin(), matches.end(),
			  [](const Match &left, const Match &right) { return left.value < right.value; });
	auto end = std::unique(matches.begin(), matches.end(),
						   [](const Match &left, const Match &right) { return left.value == right.value; });
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
													: read_rows(rule, feature, state, matches);
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
	case Statistic::days_since:
		return days_between(cell.integer, as_of);
	case Statistic::days_until:
		return days_between(as_of, cell.integer);
	default:
		break;
	}
	if (rule.value_kind == ColumnKind::text)
	{
		return category_of(feature, *cell.text);
	}
	if (rule.value_kind == ColumnKind::truth)
	{
		return static_cast<double>(cell.integer);
	}
	return std::isfinite(cell.real) ? cell.real : missing_value;
}

uint32_t
FeatureReader::intern(std::string_view text)
{
	auto found = interned_.find(text);

	if (found != interned_.end())
	{
		return found->second;
	}
	auto number = static_cast<uint32_t>(texts_.size());
	texts_.emplace_back(text);
	interned_.emplace(text, number);
	return number;
}

void
FeatureReader::clear()
{
	texts_.clear();
	interned_.clear();
}

// Whether the first of two rows is the newer one; of one time, the greater one
bool
FeatureReader::is_newer(ColumnKind kind, const Match &left, const Match &right) const
{
	if (left.time != right.time)
	{
		return left.time > right.time;
	}
	return kind == ColumnKind::text && left.value != no_value && right.value != no_value
			   ? texts_[static_cast<size_t>(left.value)] > texts_[static_cast<size_t>(right.value)]
			   : left.value > right.value;
}

double
FeatureReader::read_logged(const FinishRule &rule, size_t feature, Matches &matches)
{
	if (rule.statistic == Statistic::distinct)
	{
		return count_distinct(matches);
	}
	if (matches.empty())
	{
		return missing_value;
	}
	const Match *newest = &matches.front();
	for (const Match &match : matches)
	{
		newest = is_newer(rule.value_kind, match, *newest) ? &match : newest;
	}
	if (newest->value == no_value)
	{
		return missing_value;
	}
	return rule.value_kind == ColumnKind::text ? category_of(feature, texts_[static_cast<size_t>(newest->value)]) : newest->value;
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
FeatureReader::read_rows(const FinishRule &rule, size_t feature, std::byte *state, std::vector<Matches> &matches)
{
	bool counts_none = rule.statistic == Statistic::count || rule.statistic == Statistic::sum ||
					   rule.statistic == Statistic::has_any || rule.statistic == Statistic::distinct;

	if (state == nullptr)
	{
		return counts_none ? 0 : missing_value;
	}
	if (rule.slots.log != no_slot)
	{
		return read_logged(rule, feature, matches[rule.slots.log]);
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
