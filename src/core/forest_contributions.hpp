// What the features of a row add to what a tree says: Shapley values, where a feature that is left out follows both ways of
// a split, by the shares of the training rows that went there. They and the average of the tree sum to the leaf.
// Literature: Lundberg, Erion, Lee, "Consistent Individualized Feature Attribution for Tree Ensembles", 2018, algorithm 2.
#pragma once

#include "core/flat_tree.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace lead_scoring::core
{

class TreeContributions
{
public:
	// values: of a node, the log-odds of a leaf or the share that goes left; depth: of the deepest tree
	TreeContributions(const FlatNode *nodes, const double *values, const double *slots, uint32_t depth);

	// Add those of a tree to out, by place of the feature; return the average of the tree over the training rows
	double add_tree(uint32_t root, std::span<double> out);

private:
	// A feature that was met on the way down, once each
	struct Met
	{
		uint32_t place;
		double share;  // of the training rows that go this way, if the feature is left out
		double taken;  // 1 if the row goes this way, else 0
		double weight; // of the sets of features of this size, of which the feature itself is no part
	};

	// A way down from a node
	struct Way
	{
		uint32_t node;
		uint32_t place;
		double share;
		double taken;
		double reach; // share of the training rows that come to the node
	};

	void descend(const Met *before, uint32_t depth, const Way &way);
	void add_leaf(const Met *met, uint32_t depth, double value);

	const FlatNode *nodes_;
	const double *values_;
	const double *slots_;
	std::vector<Met> met_; // one list for each depth, one after the other
	std::span<double> out_;
	double average_ = 0;
};

} // namespace lead_scoring::core
