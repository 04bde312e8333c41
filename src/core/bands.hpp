// Bands: labels for ranges of values, each defined by its lower bound; or for the best records, by number or by share.
//
// The bands of a part form ladders, one for each segment of the records and one for all others. Where records stand among
// the others is not known to one record: whoever has seen them all sets the cuts of the relative bands, each being the
// last record that still belongs.
#pragma once

#include "core/batch.hpp"
#include "core/definition.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace lead_scoring::core
{

inline constexpr uint16_t no_label = UINT16_MAX;
inline constexpr uint32_t always_segment = UINT32_MAX;

// The labels of one value of a score
struct LabelSet
{
	uint16_t label = no_label; // what the score as a whole is called: A1, High
	uint16_t total = no_label;
	uint16_t fit = no_label;
	uint16_t engagement = no_label;
};

// The ladders that a record's parts are measured with, by Part; no_label for none
struct LadderChoice
{
	uint16_t ladder[3] = {no_label, no_label, no_label};
};

// The worst record that still belongs to a relative band; ties go by key
struct Cut
{
	bool any = false; // whether anybody belongs
	double value = 0;
	Key key = {};     // its text, if it has one, is kept by whoever sets the cut
};

// A band of which the records are the best so many, or the best share
struct RelativeBand
{
	Part part;
	uint16_t ladder;
	uint32_t capacity;
	double top_share;
	Cut cut;
};

// Whether a key comes before another: numbers by value, others by their bytes
bool key_before(KeyKind kind, const Key &left, const Key &right) noexcept;

class BandTable
{
public:
	BandTable() = default;

	// Make the ladders; segments tells, by band, which criterion says who belongs to its segment, always_segment for all
	BandTable(std::span<const BandDefinition> bands, std::span<const uint32_t> segments, KeyKind key_kind, bool has_closed = false);

	// Choose the ladders of a record: those of the first segment that it belongs to; holds tells by criterion
	template <typename Holds>
	LadderChoice
	choose(const Holds &holds) const
	{
		LadderChoice choice;

		for (size_t part = 0; part < 3; part++)
		{
			for (uint16_t ladder = 0; ladder < ladders_[part].size(); ladder++)
			{
				if (ladders_[part][ladder].segment == always_segment || holds(ladders_[part][ladder].segment))
				{
					choice.ladder[part] = ladder;
					break;
				}
			}
		}
		return choice;
	}

	// Label the parts of a score as they are stored; NaN stands for a part the score does not have
	LabelSet labels(const double (&values)[3], const LadderChoice &choice, const Key &key, bool is_open) const noexcept;

	// The label of records that are customers already, where there are such
	uint16_t
	closed_label() const noexcept
	{
		return closed_label_;
	}

	// Whether a record has that label
	bool
	is_closed(const LabelSet &labels) const noexcept
	{
		return closed_label_ != no_label && labels.label == closed_label_;
	}

	// All labels that a record can have, by number
	const std::vector<std::string> &
	texts() const noexcept
	{
		return texts_;
	}

	// The bands whose cuts must be set before labels() means anything
	std::vector<RelativeBand> &
	relative() noexcept
	{
		return relative_;
	}

	const std::vector<RelativeBand> &
	relative() const noexcept
	{
		return relative_;
	}

private:
	struct Band
	{
		double lower_bound;
		uint16_t relative; // in relative_, or no_label
		uint16_t place;    // of the label in its part
	};

	struct Ladder
	{
		uint32_t segment;
		std::vector<Band> bands; // in the order in which they are tried
	};

	void make_part(std::span<const BandDefinition> bands, std::span<const uint32_t> segments, Part part);
	uint16_t place(const Ladder &ladder, double value, const Key &key, bool is_open) const noexcept;
	bool reaches(const Band &band, double value, const Key &key, bool is_open) const noexcept;

	KeyKind key_kind_ = KeyKind::integer;
	std::vector<std::string> texts_;
	std::vector<uint16_t> places_[3];  // by part: its labels, in texts_
	std::vector<Ladder> ladders_[3];   // by part
	std::vector<RelativeBand> relative_;
	uint16_t closed_label_ = no_label;
	uint16_t first_pair_ = 0;          // in texts_: fit label + engagement label, fit first
};

} // namespace lead_scoring::core
