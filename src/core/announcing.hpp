// Which label is announced: bands with a margin hold a change back until the value has moved far enough beyond the bound.
//
// The label that is stored is always that of the value. What others are told follows it with some reluctance, so that a
// value that wavers about a bound is not a stream of news.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace lead_scoring::core
{

// A band as far as announcing it goes
struct AnnouncedBand
{
	std::string_view label;
	double lower_bound; // minus infinity for the rest
	double margin;      // points beyond the bound that a value must move
	int64_t dwell_us;   // how long the label stands at least once announced
	bool relative;      // for the best records: its bound moves, so it has no margin
};

// The bands of a part and segment, in the order in which they are tried
using AnnouncedLadder = std::span<const AnnouncedBand>;

// The ladders of a score, by Part
struct AnnouncedLadders
{
	std::span<const AnnouncedLadder> parts[3];
};

// What to announce: the label as it is stored, or two texts that make it together, the second maybe empty
struct Announcement
{
	bool as_stored = true;
	std::string_view texts[2] = {};
};

// Choose the label to announce for values by Part, where one label was announced last and another is stored
Announcement choose_announcement(const AnnouncedLadders &ladders, std::string_view announced,
								 std::string_view stored, const double (&values)[3]) noexcept;

// Return how long an announced label stands at least; where segments differ, the longest time
int64_t dwell_of(const AnnouncedLadders &ladders, std::string_view label) noexcept;

} // namespace lead_scoring::core
