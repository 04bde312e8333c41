#include "naive_matches.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

namespace lead_scoring::core::test
{

namespace
{

double
boost_of(const Model &model, int32_t source, const Row &row)
{
	double boost = 1;

	for (const FactorDefinition &factor : model.factors)
	{
		if (factor.source == source && factor.valid.contains(as_of) && factor.events.contains(row.time) &&
			holds(factor.criterion, model.columns(source), row.values))
		{
			boost *= factor.factor;
		}
	}
	return boost;
}

bool
in_window(const RuleDefinition &rule, int64_t time)
{
	bool recent = rule.within_us == 0 || rule.counting == Counting::quiet || age_of(time) <= rule.within_us;

	return recent && time >= rule.since && time < rule.until;
}

// Matches in order of time; among those of one time the most worth counts as the newest
NaiveMatches
sorted(NaiveMatches matches, bool pays_each)
{
	auto order = [&](const NaiveMatch &match)
	{ return std::tuple(match.time, pays_each ? match.value * match.boost : match.value); };

	std::sort(matches.begin(), matches.end(),
			  [&](const NaiveMatch &left, const NaiveMatch &right) { return order(left) < order(right); });
	return matches;
}

// Each closing event takes the newest open one, and with it all before are closed
NaiveMatches
pairs_of(const Model &model, const RuleDefinition &rule, const Rows &rows)
{
	struct Event
	{
		int64_t time;
		bool closes;
		bool opens;
		double boost;
	};
	std::vector<Event> events;
	std::vector<int64_t> open;
	NaiveMatches pairs;

	for (const Row &row : rows)
	{
		events.push_back({row.time, holds(rule.followed_by, model.columns(rule.source), row.values),
						  holds(rule.criterion, model.columns(rule.source), row.values),
						  boost_of(model, rule.source, row)});
	}
	// Of one time, what only opens comes first and what only closes last
	auto order = [](const Event &event)
	{ return std::tuple(event.time, int{event.closes} - int{event.opens}, event.boost); };
	std::sort(events.begin(), events.end(),
			  [&](const Event &left, const Event &right) { return order(left) < order(right); });
	for (const Event &event : events)
	{
		bool in_time = !open.empty() && (event.time == open.back() ||
										 age_of(open.back()) - age_of(event.time) <= rule.followed_within_us);
		if (event.closes && in_time)
		{
			open.clear();
			pairs.push_back({event.time, 1, event.boost});
		}
		else if (event.opens)
		{
			open.push_back(event.time);
		}
	}
	std::erase_if(pairs, [&](const NaiveMatch &pair) { return !in_window(rule, pair.time); });
	return pairs;
}

// The number of the interval that a time lies in, counted from Monday 2000-01-03
long double
interval_of(int64_t time, int64_t length)
{
	return time == infinitely_old ? -static_cast<long double>(infinity)
								  : std::floor((static_cast<long double>(time) - 2 * day_us) / length);
}

} // namespace

bool
holds(const PredicateTree *tree, std::span<const ColumnKind> kinds, const std::vector<Value> &values)
{
	return naive_truth(*tree, kinds, values) == true;
}

long double
age_of(int64_t time)
{
	return time == infinitely_old ? static_cast<long double>(infinity) : static_cast<long double>(as_of) - time;
}

Rows
existing(const Model &model, size_t source, Rows rows, int64_t reset)
{
	const SourceDefinition &definition = model.sources()[source];
	Rows kept;

	if (!definition.has_time)
	{
		return rows;
	}
	std::erase_if(rows, [&](const Row &row) { return row.time > as_of || row.time < reset; });
	if (!definition.cleaned)
	{
		return rows;
	}
	std::sort(rows.begin(), rows.end(), cleaned_before);
	for (const Row &row : rows)
	{
		auto repeats = [&](const Row &other)
		{
			bool same = !model.has_marks(source) || (row.mark.has_value() && row.mark == other.mark);
			bool forever = definition.dedup_us == infinitely_late;
			bool near = row.time == other.time || age_of(other.time) - age_of(row.time) < definition.dedup_us;
			return same && (forever || near);
		};
		if (std::none_of(kept.begin(), kept.end(), repeats))
		{
			kept.push_back(row);
		}
	}
	return kept;
}

NaiveMatches
matches_of(const Model &model, const RuleDefinition &rule, const Rows &rows)
{
	NaiveMatches matches;
	bool has_time = model.sources()[static_cast<size_t>(rule.source)].has_time;

	if (rule.followed_by != nullptr)
	{
		return sorted(pairs_of(model, rule, rows), rule.counting == Counting::each);
	}
	for (const Row &row : rows)
	{
		const Value *value = rule.value_column == no_column
								 ? nullptr
								 : &row.values[static_cast<size_t>(rule.value_column)];
		if (holds(rule.criterion, model.columns(rule.source), row.values) &&
			(!has_time || in_window(rule, row.time)) && (value == nullptr || !value->null))
		{
			matches.push_back({has_time ? row.time : as_of, value == nullptr ? 1 : value->real,
							   boost_of(model, rule.source, row)});
		}
	}
	return sorted(matches, rule.counting == Counting::each);
}

NaiveMatches
capped(const RuleDefinition &rule, const NaiveMatches &matches)
{
	NaiveMatches newest;
	NaiveMatches kept;
	std::map<long double, uint32_t> times;

	for (size_t at = matches.size(); at > 0; at--)
	{
		const NaiveMatch &match = matches[at - 1];
		long double interval = rule.max_times_per_us == 0 ? 0 : interval_of(match.time, rule.max_times_per_us);
		if (rule.max_times == 0 || times[interval]++ < rule.max_times)
		{
			newest.insert(newest.begin(), match);
		}
	}
	for (size_t at = 0; at < newest.size(); at++)
	{
		if (rule.every_n == 0 || (at + 1) % rule.every_n == 0)
		{
			kept.push_back(newest[at]);
		}
	}
	return kept;
}

} // namespace lead_scoring::core::test
