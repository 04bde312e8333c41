// Matches of rules that must see them in order of time: pairs of events, caps, every n-th.
//
// While rows stream by, each match is appended to one log, chained to the earlier ones of its record. When a record is
// finished its matches are sorted, so that the order in which rows came never matters.
#pragma once

#include "core/definition.hpp"
#include "core/fault.hpp"
#include "core/large_memory.hpp"

#include <algorithm>
#include <cstdint>
#include <vector>

namespace lead_scoring::core
{

// What a logged row is to its rule
enum class Role : uint8_t
{
	opening, // of a pair
	both,    // opens a pair, or closes one
	closing,
	alone,   // a match by itself
};

struct Match
{
	int64_t time;
	double value; // worth of the match, in multiples of the rule's points
	Role role;
};

class MatchLog
{
public:
	struct Entry
	{
		int64_t time;
		double value;
		uint32_t previous; // of the same record, as head; 0 for none
		uint32_t rule;     // number in the log << 2 | role
	};

	// Add a match to the chain that begins at head
	void append(uint32_t &head, uint32_t rule, const Match &match);

	const Entry &
	entry(uint32_t head) const noexcept
	{
		return chunks_[(head - 1) >> chunk_bits][(head - 1) & (chunk_entries - 1)];
	}

	// Forget all matches; keeps the memory if it is little
	void
	clear() noexcept
	{
		chunks_.erase(chunks_.begin() + static_cast<std::ptrdiff_t>(std::min<size_t>(chunks_.size(), 1)), chunks_.end());
		size_ = 0;
	}

	size_t
	memory() const noexcept
	{
		return chunks_.size() * chunk_entries * sizeof(Entry);
	}

	static uint32_t
	rule_of(const Entry &entry) noexcept
	{
		return entry.rule >> 2;
	}

	static Match
	match_of(const Entry &entry) noexcept
	{
		return {entry.time, entry.value, static_cast<Role>(entry.rule & 3)};
	}

private:
	static constexpr unsigned chunk_bits = 12;
	static constexpr size_t chunk_entries = size_t{1} << chunk_bits;

	std::vector<std::vector<Entry>> chunks_;
	uint32_t size_ = 0;
};

using Matches = std::vector<Match>;

// Sort by time, ties by role and worth
void sort_matches(Matches &matches, Poll cancelled);

// Of sorted events leave the pairs: an event that opens, then one at most within_us later that closes. Each event is
// used once; a closing event takes the newest open one. Pairs have the time and the worth of the closing event
void pair_matches(Matches &matches, int64_t within_us);

// Drop sorted matches outside a period
void keep_period(Matches &matches, const Period &period);

// Of sorted matches keep the newest max_times; in each interval of per_us if that is not 0, counted from a Monday
void keep_newest(Matches &matches, uint32_t max_times, int64_t per_us);

// Of sorted matches keep each n-th
void keep_every(Matches &matches, uint32_t every_n);

} // namespace lead_scoring::core
