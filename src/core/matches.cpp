#include "core/matches.hpp"

#include "core/fault.hpp"

#include <algorithm>
#include <cmath>
#include <tuple>

#if defined(POSTGRES_H)
static_assert(false, "No Postgres header should be included in this file.");
#endif

namespace lead_scoring::core
{

namespace
{

// Monday, 2000-01-03 00:00 UTC, in microseconds since 2000-01-01
constexpr int64_t first_monday = 2 * day_us;

// Return the number of the interval of a length that an instant lies in
int64_t
interval_of(int64_t time, int64_t length_us) noexcept
{
	if (time == infinitely_old || time < infinitely_old + first_monday)
	{
		return infinitely_old;
	}
	int64_t since = time - first_monday;
	return since >= 0 ? since / length_us : -((-(since + 1)) / length_us) - 1;
}

} // namespace

void
MatchLog::append(uint32_t &head, uint32_t rule, const Match &match)
{
	if (size_ == UINT32_MAX - 1)
	{
		throw ScoringError(Fault::limit_exceeded, "rules that look at single events match more than 4,294,967,293 of them",
						   "Lower lead_scoring.work_mem, so that the records are scored in several passes.");
	}
	if (size_ == chunks_.size() * chunk_entries)
	{
		chunks_.emplace_back(chunk_entries);
	}
	chunks_[size_ >> chunk_bits][size_ & (chunk_entries - 1)] = {match.time, match.value, head,
																   rule << 2 | static_cast<uint32_t>(match.role)};
	head = ++size_;
}

void
sort_matches(Matches &matches, Poll cancelled)
{
	constexpr uint32_t steps_between_polls = 1 << 16;
	uint32_t steps = 0;

	std::sort(matches.begin(), matches.end(),
			  [&](const Match &left, const Match &right)
			  {
				  if (++steps % steps_between_polls == 0)
				  {
					  give_up_if(cancelled);
				  }
				  return std::tuple(left.time, left.role, left.value) < std::tuple(right.time, right.role, right.value);
			  });
}

void
pair_matches(Matches &matches, int64_t within_us)
{
	size_t pairs = 0;
	bool is_open = false;
	int64_t opened = 0;

	for (const Match &match : matches)
	{
		bool in_time = is_open && (match.time == opened || (opened != infinitely_old &&
															  earlier(match.time, within_us) <= opened));
		if (match.role != Role::opening && in_time)
		{
			matches[pairs++] = {match.time, match.value, Role::alone};
			is_open = false;
		}
		else if (match.role != Role::closing)
		{
			is_open = true;
			opened = match.time;
		}
	}
	matches.resize(pairs);
}

void
keep_period(Matches &matches, const Period &period)
{
	std::erase_if(matches, [&](const Match &match) { return !period.contains(match.time); });
}

void
keep_newest(Matches &matches, uint32_t max_times, int64_t per_us)
{
	size_t kept = matches.size();
	uint32_t times = 0;
	int64_t interval = 0;

	// From the newest on; what stays gathers at the end
	for (size_t at = matches.size(); at > 0; at--)
	{
		const Match match = matches[at - 1];
		int64_t number = per_us == 0 ? 0 : interval_of(match.time, per_us);
		times = times != 0 && number == interval ? times + 1 : 1;
		interval = number;
		if (times <= max_times)
		{
			matches[--kept] = match;
		}
	}
	matches.erase(matches.begin(), matches.begin() + static_cast<std::ptrdiff_t>(kept));
}

void
keep_every(Matches &matches, uint32_t every_n)
{
	size_t kept = 0;

	for (size_t at = every_n; at <= matches.size(); at += every_n)
	{
		matches[kept++] = matches[at - 1];
	}
	matches.resize(kept);
}

} // namespace lead_scoring::core
