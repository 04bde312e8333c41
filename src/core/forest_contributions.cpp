#include "core/forest_contributions.hpp"

#include <algorithm>

#if defined(POSTGRES_H)
static_assert(false, "No Postgres header should be included in this file.");
#endif

namespace lead_scoring::core
{

namespace
{

constexpr uint32_t no_place = UINT32_MAX;

// Add a feature to the sets, EXTEND of the paper; depth is the place that it takes
template <typename Met>
void
extend(Met *met, uint32_t depth, const Met &added)
{
	met[depth] = added;
	met[depth].weight = depth == 0 ? 1 : 0;
	double sizes = depth + 1;
	for (uint32_t size = depth; size-- > 0;)
	{
		met[size + 1].weight += added.taken * met[size].weight * (size + 1) / sizes;
		met[size].weight *= added.share * (depth - size) / sizes;
	}
}

// Take a feature out of the sets again, UNWIND of the paper; depth is the place of the last
template <typename Met>
void
unwind(Met *met, uint32_t depth, uint32_t which)
{
	double share = met[which].share;
	double sizes = depth + 1;
	double next = met[depth].weight;
	for (uint32_t size = depth; size-- > 0;)
	{
		if (met[which].taken != 0)
		{
			double weight = met[size].weight;
			met[size].weight = next * sizes / (size + 1);
			next = weight - met[size].weight * share * (depth - size) / sizes;
		}
		else
		{
			met[size].weight *= sizes / (share * (depth - size));
		}
	}
	for (uint32_t at = which; at < depth; at++)
	{
		met[at].place = met[at + 1].place;
		met[at].share = met[at + 1].share;
		met[at].taken = met[at + 1].taken;
	}
}

// Return the sum of the weights that would be left without a feature
template <typename Met>
double
unwound_sum(const Met *met, uint32_t depth, uint32_t which)
{
	double share = met[which].share;
	double sizes = depth + 1;
	double next = met[depth].weight;
	double sum = 0;
	for (uint32_t size = depth; size-- > 0;)
	{
		if (met[which].taken != 0)
		{
			double weight = next * sizes / (size + 1);
			sum += weight;
			next = met[size].weight - weight * share * (depth - size) / sizes;
		}
		else
		{
			sum += met[size].weight * sizes / (share * (depth - size));
		}
	}
	return sum;
}

} // namespace

TreeContributions::TreeContributions(const FlatNode *nodes, const double *values, const double *slots, uint32_t depth)
	: nodes_(nodes), values_(values), slots_(slots), met_((depth + 2) * (depth + 3) / 2)
{
}

double
TreeContributions::add_tree(uint32_t root, std::span<double> out)
{
	out_ = out;
	average_ = 0;
	descend(met_.data(), 0, {root, no_place, 1, 1, 1});
	return average_;
}

void
TreeContributions::descend(const Met *before, uint32_t depth, const Way &way)
{
	// The first list is that of the root, which has nothing before it
	Met *met = met_.data() + (before - met_.data()) + depth;
	std::copy(before, before + depth, met);
	extend(met, depth, {way.place, way.share, way.taken, 0});

	const FlatNode &node = nodes_[way.node];
	double value = values_[way.node];
	if (node.left == way.node)
	{
		average_ += way.reach * value;
		add_leaf(met, depth, value);
		return;
	}
	uint32_t place = place_of(node.slot);
	double share = 1;
	double taken = 1;
	Met *same = std::find_if(met + 1, met + depth + 1, [place](const Met &other) { return other.place == place; });
	if (same != met + depth + 1)
	{
		share = same->share;
		taken = same->taken;
		unwind(met, depth, static_cast<uint32_t>(same - met));
		depth--;
	}
	bool right = next_node(node, slots_) != node.left;
	descend(met, depth + 1, {node.left, place, share * value, right ? 0 : taken, way.reach * value});
	descend(met, depth + 1, {node.left + 1, place, share * (1 - value), right ? taken : 0, way.reach * (1 - value)});
}

void
TreeContributions::add_leaf(const Met *met, uint32_t depth, double value)
{
	for (uint32_t at = 1; at <= depth; at++)
	{
		out_[met[at].place] += unwound_sum(met, depth, at) * (met[at].taken - met[at].share) * value;
	}
}

} // namespace lead_scoring::core
