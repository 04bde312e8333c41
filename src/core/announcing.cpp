#include "core/announcing.hpp"

#include <algorithm>
#include <limits>

#if defined(POSTGRES_H)
static_assert(false, "No Postgres header should be included in this file.");
#endif

namespace lead_scoring::core
{

namespace
{

constexpr size_t nowhere = std::numeric_limits<size_t>::max();
constexpr size_t fit = 0;
constexpr size_t engagement = 1;
constexpr size_t total = 2;

// A band of a part: its ladder and where it stands there
struct Place
{
	const AnnouncedLadder *ladder = nullptr;
	size_t at = nowhere;
};

// The one or two parts that make the label of a score
struct Label
{
	Place places[2];
	bool found = false;
};

bool
has_pairs(const AnnouncedLadders &ladders)
{
	return !ladders.parts[fit].empty() && !ladders.parts[engagement].empty();
}

// Return the part that makes the label alone
size_t
single_part(const AnnouncedLadders &ladders)
{
	return !ladders.parts[total].empty() ? total : !ladders.parts[fit].empty() ? fit : engagement;
}

// Tell whether a value is in a band. Of a relative band that cannot be known; it comes before all others
bool
is_in(AnnouncedLadder ladder, size_t at, double value)
{
	if (ladder[at].relative)
	{
		return true;
	}
	for (size_t earlier = 0; earlier < at; earlier++)
	{
		if (!ladder[earlier].relative && value >= ladder[earlier].lower_bound)
		{
			return false;
		}
	}
	return value >= ladder[at].lower_bound;
}

// Find the band of a label, in the first ladder that gives it for the value (NaN: in any)
Place
find_band(std::span<const AnnouncedLadder> ladders, std::string_view label, double value)
{
	for (const AnnouncedLadder &ladder : ladders)
	{
		for (size_t at = 0; at < ladder.size(); at++)
		{
			if (ladder[at].label == label && (value != value || is_in(ladder, at, value)))
			{
				return {&ladder, at};
			}
		}
	}
	return {};
}

// Take the label of a value apart
Label
find_label(const AnnouncedLadders &ladders, std::string_view label, const double (&values)[3])
{
	Label result;

	if (!has_pairs(ladders))
	{
		size_t part = single_part(ladders);
		result.places[0] = find_band(ladders.parts[part], label, values[part]);
		result.found = result.places[0].at != nowhere;
		return result;
	}
	for (size_t length = 1; length < label.size() && !result.found; length++)
	{
		result.places[0] = find_band(ladders.parts[fit], label.substr(0, length), values[fit]);
		if (result.places[0].at != nowhere)
		{
			result.places[1] =
				find_band(ladders.parts[engagement], label.substr(length), values[engagement]);
			result.found = result.places[1].at != nowhere;
		}
	}
	return result;
}

// Find a label in ladders that are known
Label
find_in(const Label &known, std::string_view label)
{
	constexpr double anything = std::numeric_limits<double>::quiet_NaN();
	Label result;

	if (known.places[1].ladder == nullptr)
	{
		result.places[0] = find_band({known.places[0].ladder, 1}, label, anything);
		result.found = result.places[0].at != nowhere;
		return result;
	}
	const AnnouncedLadders pair{{{known.places[0].ladder, 1}, {known.places[1].ladder, 1}, {}}};
	return find_label(pair, label, {anything, anything, anything});
}

// Walk from the band announced last towards the one that the value is in, as far as the margins allow. Among the best,
// the value says nothing; those bands come before all others, so that none is on the way between two others
size_t
walk(AnnouncedLadder ladder, size_t from, size_t to, double value)
{
	if (ladder[from].relative || ladder[to].relative)
	{
		return to;
	}
	bool up = to < from;
	size_t at = up ? to : from;
	while (at < (up ? from : to) &&
		   value < ladder[at].lower_bound + (up ? ladder[at].margin : -ladder[at].margin))
	{
		at++;
	}
	return at;
}

int64_t
longest_dwell(std::span<const AnnouncedLadder> ladders, std::string_view label)
{
	int64_t longest = 0;

	for (const AnnouncedLadder &ladder : ladders)
	{
		for (const AnnouncedBand &band : ladder)
		{
			longest = band.label == label ? std::max(longest, band.dwell_us) : longest;
		}
	}
	return longest;
}

} // namespace

Announcement
choose_announcement(const AnnouncedLadders &ladders, std::string_view announced,
					std::string_view stored, const double (&values)[3]) noexcept
{
	Label to = find_label(ladders, stored, values);
	Label from = to.found ? find_in(to, announced) : Label{};
	if (!from.found)
	{
		return {};
	}
	bool pair = has_pairs(ladders);
	Announcement result;
	for (size_t half = 0; half < (pair ? 2 : 1); half++)
	{
		size_t part = pair ? half : single_part(ladders);
		AnnouncedLadder ladder = *to.places[half].ladder;
		size_t at = walk(ladder, from.places[half].at, to.places[half].at, values[part]);
		result.texts[half] = ladder[at].label;
		result.as_stored = result.as_stored && at == to.places[half].at;
	}
	return result;
}

int64_t
dwell_of(const AnnouncedLadders &ladders, std::string_view label) noexcept
{
	if (!has_pairs(ladders))
	{
		return longest_dwell(ladders.parts[single_part(ladders)], label);
	}
	int64_t longest = 0;
	for (size_t length = 1; length < label.size(); length++)
	{
		std::string_view letter = label.substr(0, length);
		std::string_view digit = label.substr(length);
		constexpr double anything = std::numeric_limits<double>::quiet_NaN();
		if (find_band(ladders.parts[fit], letter, anything).at != nowhere &&
			find_band(ladders.parts[engagement], digit, anything).at != nowhere)
		{
			longest = std::max({longest, longest_dwell(ladders.parts[fit], letter),
								longest_dwell(ladders.parts[engagement], digit)});
		}
	}
	return longest;
}

} // namespace lead_scoring::core
