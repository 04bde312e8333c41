#include "core/bands.hpp"

#include "core/fault.hpp"

#include <algorithm>

#if defined(POSTGRES_H)
static_assert(false, "No Postgres header should be included in this file.");
#endif

namespace lead_scoring::core
{

BandTable::BandTable(std::span<const BandDefinition> bands)
{
	for (Part part : {Part::fit, Part::engagement, Part::total})
	{
		ladders_[static_cast<size_t>(part)] = make_ladder(bands, part);
	}
	const Ladder &fit = ladders_[static_cast<size_t>(Part::fit)];
	const Ladder &engagement = ladders_[static_cast<size_t>(Part::engagement)];
	if (bands.size() + fit.size() * engagement.size() >= no_label)
	{
		throw ScoringError(Fault::limit_exceeded, "a score has too many bands");
	}
	first_pair_ = static_cast<uint16_t>(texts_.size());
	for (const Band &letter : fit)
	{
		for (const Band &digit : engagement)
		{
			texts_.push_back(texts_[letter.text] + texts_[digit.text]);
		}
	}
}

BandTable::Ladder
BandTable::make_ladder(std::span<const BandDefinition> bands, Part part)
{
	Ladder ladder;

	for (const BandDefinition &band : bands)
	{
		if (band.part == part)
		{
			ladder.push_back({band.lower_bound, static_cast<uint16_t>(texts_.size())});
			texts_.emplace_back(band.label);
		}
	}
	std::sort(ladder.begin(), ladder.end(),
			  [](const Band &left, const Band &right) { return left.lower_bound > right.lower_bound; });
	return ladder;
}

size_t
BandTable::place(const Ladder &ladder, double value) noexcept
{
	for (size_t at = 0; at < ladder.size(); at++)
	{
		if (value >= ladder[at].lower_bound)
		{
			return at;
		}
	}
	return ladder.size();
}

LabelSet
BandTable::labels(double total, double fit, double engagement) const noexcept
{
	const double values[] = {fit, engagement, total};
	size_t places[3];
	uint16_t labels[3];

	for (size_t part = 0; part < 3; part++)
	{
		places[part] = place(ladders_[part], values[part]);
		labels[part] =
			places[part] < ladders_[part].size() ? ladders_[part][places[part]].text : no_label;
	}
	LabelSet set{no_label, labels[2], labels[0], labels[1]};
	if (!ladders_[0].empty() && !ladders_[1].empty())
	{
		if (set.fit != no_label && set.engagement != no_label)
		{
			set.label = static_cast<uint16_t>(first_pair_ + places[0] * ladders_[1].size() + places[1]);
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
