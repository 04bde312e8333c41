// Trees as they are walked: the nodes of all of them in one array, each tree in breadth-first order, so that the children
// of a node are neighbours and a step needs no branch: next = left + (value >= threshold). A leaf is a split that always
// stays where it is.
//
// The values of a row are laid out in slots: slot 0 holds 0, and each feature has two slots that differ only where its
// value is missing: -infinity in the first, for the splits that send a missing value left, infinity in the second.
#pragma once

#include <cstdint>

namespace lead_scoring::core
{

struct FlatNode
{
	double threshold; // leaf: infinity
	uint32_t left;    // the right child is the next; leaf: itself
	uint32_t slot;    // leaf: 0
};

constexpr uint32_t
slot_of(uint32_t place, bool missing_left) noexcept
{
	return 1 + 2 * place + (missing_left ? 0 : 1);
}

constexpr uint32_t
place_of(uint32_t slot) noexcept
{
	return (slot - 1) / 2;
}

inline uint32_t
next_node(const FlatNode &node, const double *slots) noexcept
{
	return node.left + static_cast<uint32_t>(slots[node.slot] >= node.threshold);
}

} // namespace lead_scoring::core
