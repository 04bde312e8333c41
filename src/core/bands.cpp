#include "core/bands.hpp"

#include "core/fault.hpp"

#include <algorithm>
#include <cstring>
#include <map>
#include <tuple>

#if defined(POSTGRES_H)
static_assert(false, "No Postgres header should be included in this file.");
#endif

namespace lead_scoring::core
{

namespace
{

// Relative bands first, the narrowest before all; then bounds from the highest down, the rest last
auto
trial_order(const BandDefinition &band)
{
	return std::tuple(band.capacity != 0    ? 0
					  : band.top_share != 0 ? 1
											: 2,
					  band.capacity, band.top_share, -band.lower_bound);
}

// Segments in the order of their texts, records of none last
bool
segment_before(const BandDefinition &left, const BandDefinition &right)
{
	bool left_all = left.segment == nullptr;
	bool right_all = right.segment == nullptr;

	return left_all != right_all ? right_all : left.segment_text < right.segment_text;
}

} // namespace

bool
key_before(KeyKind kind, const Key &left, const Key &right) noexcept
{
	if (kind == KeyKind::integer)
	{
		return static_cast<int64_t>(left.low) < static_cast<int64_t>(right.low);
	}
	if (kind == KeyKind::text)
	{
		return left.text < right.text;
	}
	const uint64_t left_bytes[] = {left.low, left.high};
	const uint64_t right_bytes[] = {right.low, right.high};
	return std::memcmp(left_bytes, right_bytes, sizeof left_bytes) < 0;
}

BandTable::BandTable(std::span<const BandDefinition> bands, std::span<const uint32_t> segments, KeyKind key_kind, bool has_closed)
	: key_kind_(key_kind)
{
	for (Part part : {Part::fit, Part::engagement, Part::total})
	{
		make_part(bands, segments, part);
	}
	const std::vector<uint16_t> &fit = places_[static_cast<size_t>(Part::fit)];
	const std::vector<uint16_t> &engagement = places_[static_cast<size_t>(Part::engagement)];
	if (texts_.size() + fit.size() * engagement.size() >= no_label)
	{
		throw ScoringError(Fault::limit_exceeded, "a score has too many bands");
	}
	first_pair_ = static_cast<uint16_t>(texts_.size());
	for (uint16_t letter : fit)
	{
		for (uint16_t digit : engagement)
		{
			texts_.push_back(texts_[letter] + texts_[digit]);
		}
	}
	if (has_closed)
	{
		closed_label_ = static_cast<uint16_t>(texts_.size());
		texts_.push_back("Closed Won");
	}
}

void
BandTable::make_part(std::span<const BandDefinition> bands, std::span<const uint32_t> segments, Part part)
{
	std::vector<size_t> order;
	std::map<std::string_view, uint16_t> known;
	std::vector<Ladder> &ladders = ladders_[static_cast<size_t>(part)];
	std::vector<uint16_t> &places = places_[static_cast<size_t>(part)];

	for (size_t at = 0; at < bands.size(); at++)
	{
		if (bands[at].part == part)
		{
			order.push_back(at);
		}
	}
	std::sort(order.begin(), order.end(),
			  [&](size_t left, size_t right)
			  {
				  const BandDefinition &one = bands[left];
				  const BandDefinition &other = bands[right];
				  return segment_before(one, other) ||
						 (!segment_before(other, one) && trial_order(one) < trial_order(other));
			  });
	for (size_t at = 0; at < order.size(); at++)
	{
		const BandDefinition &band = bands[order[at]];
		if (at == 0 || segment_before(bands[order[at - 1]], band))
		{
			ladders.push_back({segments[order[at]], {}});
		}
		auto [label, is_new] = known.try_emplace(band.label, static_cast<uint16_t>(places.size()));
		if (is_new)
		{
			places.push_back(static_cast<uint16_t>(texts_.size()));
			texts_.emplace_back(band.label);
		}
		bool relative = band.capacity != 0 || band.top_share != 0;
		uint16_t number = relative ? static_cast<uint16_t>(relative_.size()) : no_label;
		if (relative)
		{
			relative_.push_back({part, static_cast<uint16_t>(ladders.size() - 1), band.capacity, band.top_share, {}});
		}
		ladders.back().bands.push_back({band.lower_bound, number, label->second});
	}
}

bool
BandTable::reaches(const Band &band, double value, const Key &key, bool is_open) const noexcept
{
	if (!(value >= band.lower_bound))
	{
		return false;
	}
	if (band.relative == no_label)
	{
		return true;
	}
	const Cut &cut = relative_[band.relative].cut;
	return is_open && cut.any &&
		   (value > cut.value || (value == cut.value && !key_before(key_kind_, cut.key, key)));
}

uint16_t
BandTable::place(const Ladder &ladder, double value, const Key &key, bool is_open) const noexcept
{
	for (const Band &band : ladder.bands)
	{
		if (reaches(band, value, key, is_open))
		{
			return band.place;
		}
	}
	return no_label;
}

LabelSet
BandTable::labels(const double (&values)[3], const LadderChoice &choice, const Key &key, bool is_open) const noexcept
{
	uint16_t found[3];
	uint16_t labels[3];

	for (size_t part = 0; part < 3; part++)
	{
		uint16_t ladder = choice.ladder[part];
		found[part] = ladder == no_label ? no_label : place(ladders_[part][ladder], values[part], key, is_open);
		labels[part] = found[part] == no_label ? no_label : places_[part][found[part]];
	}
	LabelSet set{no_label, labels[2], labels[0], labels[1]};
	if (!ladders_[0].empty() && !ladders_[1].empty())
	{
		if (set.fit != no_label && set.engagement != no_label)
		{
			set.label = static_cast<uint16_t>(first_pair_ + found[0] * places_[1].size() + found[1]);
		}
	}
	else if (!ladders_[2].empty())
	{
		set.label = set.total;
	}
	else
	{
		set.label = ladders_[0].empty() ? set.engagement : set.fit;
	}
	return set;
}

} // namespace lead_scoring::core
