// Bands: labels for ranges of values, each defined by its lower bound only.
#pragma once

#include "core/definition.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace lead_scoring::core
{

inline constexpr uint16_t no_label = UINT16_MAX;

// The labels of one value of a score
struct LabelSet
{
	uint16_t label;      // what the score as a whole is called: A1, High
	uint16_t total;
	uint16_t fit;
	uint16_t engagement;
};

class BandTable
{
public:
	explicit BandTable(std::span<const BandDefinition> bands);

	// Label the parts of a score as they are stored; NaN stands for a part the score does not have
	LabelSet labels(double total, double fit, double engagement) const noexcept;

	// All labels that labels() can give, by number
	const std::vector<std::string> &
	texts() const noexcept
	{
		return texts_;
	}

private:
	struct Band
	{
		double lower_bound;
		uint16_t text;
	};

	// The bands of one part, highest first, as places in texts_
	using Ladder = std::vector<Band>;

	static size_t place(const Ladder &ladder, double value) noexcept;
	Ladder make_ladder(std::span<const BandDefinition> bands, Part part);

	std::vector<std::string> texts_;
	Ladder ladders_[3];       // by Part
	uint16_t first_pair_ = 0; // in texts_: fit label + engagement label, fit first
};

} // namespace lead_scoring::core
