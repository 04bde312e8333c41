#include "core/forest.hpp"

#include "core/fault.hpp"
#include "random_forest.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <numeric>
#include <string>
#include <vector>

namespace lead_scoring::core::test
{

namespace
{

using Json = nlohmann::json;

core::Forest
built(const RandomForest &forest)
{
	return {forest.base, forest.features, forest.trees};
}

// A tree of one split over feature 0 at 10, which sends missing values right
Tree
stump()
{
	return {{0, false, 10, 0.25}, {no_feature, false, -1, 0}, {no_feature, false, 2, 0}};
}

void
expect_refused(const Json &json, size_t features, const std::string &why)
{
	try
	{
		forest_from_json(json, features);
		ADD_FAILURE() << json.dump() << " is taken";
	}
	catch (const ScoringError &error)
	{
		EXPECT_EQ(error.fault(), Fault::invalid_text) << json.dump();
		EXPECT_NE(std::string(error.what()).find(why), std::string::npos) << error.what();
	}
}

} // namespace

TEST(Forest, SaysZeroWithoutTrees)
{
	EXPECT_EQ(core::Forest().log_odds({}), 0);
	std::vector<double> out(1, not_a_number);
	core::Forest().contributions({}, out);
	EXPECT_EQ(out[0], 0);
	EXPECT_EQ(core::Forest(-1.5, {TreeFeature()}, {}).log_odds(std::vector<double>{3}), -1.5);
}

TEST(Forest, SendsLowerValuesLeftAndMissingOnesWhereTheSplitSays)
{
	Tree other = stump();
	other[0].missing_left = true;
	core::Forest right(0, {TreeFeature()}, {stump()});
	core::Forest left(0, {TreeFeature()}, {other});

	for (const core::Forest *forest : {&right, &left})
	{
		EXPECT_EQ(forest->log_odds(std::vector<double>{9.999}), -1);
		EXPECT_EQ(forest->log_odds(std::vector<double>{10}), 2);
		EXPECT_EQ(forest->log_odds(std::vector<double>{-infinity}), -1);
		EXPECT_EQ(forest->log_odds(std::vector<double>{infinity}), 2);
	}
	EXPECT_EQ(right.log_odds(std::vector<double>{not_a_number}), 2);
	EXPECT_EQ(left.log_odds(std::vector<double>{not_a_number}), -1);
}

TEST(Forest, OnlyMissingValuesGoBeyondTheLargestThreshold)
{
	Tree tree = stump();
	tree[0].value = largest_tree_threshold;
	core::Forest forest(0, {TreeFeature()}, {tree});

	EXPECT_EQ(forest.log_odds(std::vector<double>{infinity}), -1);
	EXPECT_EQ(forest.log_odds(std::vector<double>{not_a_number}), 2);
}

TEST(Forest, LooksCategoriesUp)
{
	core::Forest forest(0, {{true, {5, 20}, 7}}, {stump()});

	EXPECT_EQ(forest.log_odds(std::vector<double>{0}), -1);
	EXPECT_EQ(forest.log_odds(std::vector<double>{1}), 2);
	EXPECT_EQ(forest.log_odds(std::vector<double>{not_a_number}), 2);
	for (double unseen : {-1.0, 2.0, 1e18, -infinity, infinity})
	{
		EXPECT_EQ(forest.log_odds(std::vector<double>{unseen}), -1) << unseen;
	}
}

TEST(Forest, WalksAsTheDefinitionSays)
{
	Random random(1);

	for (size_t round = 0; round < 200; round++)
	{
		RandomForest plain = random_forest(random, random.below(40), 1 + random.below(8), static_cast<uint32_t>(random.below(9)));
		core::Forest forest = built(plain);
		for (size_t row = 0; row < 20; row++)
		{
			std::vector<double> values = random_row(random, plain.features);
			EXPECT_EQ(forest.log_odds(values), naive_log_odds(plain, values)) << "round " << round;
		}
	}
}

TEST(Forest, GivesItsTreesBack)
{
	Random random(2);
	RandomForest plain = random_forest(random, 20, 5, 6);
	core::Forest forest = built(plain);

	ASSERT_EQ(forest.tree_count(), plain.trees.size());
	for (size_t at = 0; at < plain.trees.size(); at++)
	{
		Tree tree = forest.tree(at);
		ASSERT_EQ(tree.size(), plain.trees[at].size());
		for (size_t node = 0; node < tree.size(); node++)
		{
			EXPECT_EQ(tree[node].feature, plain.trees[at][node].feature);
			EXPECT_EQ(tree[node].missing_left, plain.trees[at][node].missing_left);
			EXPECT_EQ(tree[node].value, plain.trees[at][node].value);
			EXPECT_EQ(tree[node].left_share, plain.trees[at][node].left_share);
		}
	}
}

// Worked out by hand: the average is 0.25 * -1 + 0.75 * 2 = 1.25
TEST(Contributions, OfOneSplitAreTheDistanceFromTheAverage)
{
	core::Forest forest(0.5, {TreeFeature(), TreeFeature()}, {stump()});
	std::vector<double> out(3, not_a_number);

	forest.contributions(std::vector<double>{3, 3}, out);
	EXPECT_DOUBLE_EQ(out[0], -2.25);
	EXPECT_EQ(out[1], 0);
	EXPECT_DOUBLE_EQ(out[2], 1.75);
}

TEST(Contributions, AreTheShapleyValuesOfAllSubsets)
{
	Random random(3);

	for (size_t round = 0; round < 100; round++)
	{
		RandomForest plain = random_forest(random, 1 + random.below(4), 1 + random.below(7), static_cast<uint32_t>(random.below(7)));
		core::Forest forest = built(plain);
		std::vector<double> values = random_row(random, plain.features);
		std::vector<double> expected = naive_contributions(plain, values);
		std::vector<double> out(values.size() + 1, not_a_number);
		forest.contributions(values, out);
		for (size_t feature = 0; feature < out.size(); feature++)
		{
			EXPECT_NEAR(out[feature], expected[feature], 1e-9) << "round " << round << " feature " << feature;
		}
	}
}

TEST(Contributions, SumToTheLogOddsHoweverDeepTheTrees)
{
	Random random(4);

	for (size_t features : {1, 5, 40})
	{
		RandomForest plain = random_forest(random, 3, features, most_tree_depth);
		core::Forest forest = built(plain);
		for (size_t row = 0; row < 5; row++)
		{
			std::vector<double> values = random_row(random, plain.features);
			std::vector<double> out(values.size() + 1);
			forest.contributions(values, out);
			EXPECT_NEAR(std::accumulate(out.begin(), out.end(), 0.0), forest.log_odds(values), 1e-9);
		}
	}
}

TEST(ForestJson, IsReadBackAsTheSame)
{
	Random random(5);

	for (size_t round = 0; round < 20; round++)
	{
		RandomForest plain = random_forest(random, random.below(10), 1 + random.below(8), 5);
		core::Forest forest = built(plain);
		std::string text = forest_json(forest).dump();
		core::Forest again = forest_from_json(Json::parse(text), plain.features.size());
		EXPECT_EQ(forest_json(again).dump(), text);
		std::vector<double> values = random_row(random, plain.features);
		EXPECT_EQ(again.log_odds(values), forest.log_odds(values));
	}
}

TEST(ForestJson, RefusesWhatIsNoForest)
{
	Json good = forest_json(core::Forest(0.5, {TreeFeature(), {true, {1, 2}, 1.5}}, {stump()}));
	EXPECT_NO_THROW(forest_from_json(good, 2));

	expect_refused(good, 3, "2 features instead of 3");
	expect_refused(Json(), 2, "features");
	expect_refused(Json::array(), 2, "features");
	for (const char *name : {"base", "features", "trees"})
	{
		Json bad = good;
		bad.erase(name);
		expect_refused(bad, 2, name);
		bad[name] = "text";
		expect_refused(bad, 2, "");
	}
	for (const char *name : {"feature", "missing_left", "value", "left_share"})
	{
		Json bad = good;
		bad["trees"][0][name].push_back(1u);
		expect_refused(bad, 2, "differ in length");
		bad["trees"][0].erase(name);
		expect_refused(bad, 2, name);
	}
}

TEST(ForestJson, RefusesTreesThatAreNone)
{
	Json good = forest_json(core::Forest(0.5, {TreeFeature(), {true, {1, 2}, 1.5}}, {stump()}));
	auto with = [&good](const char *path, const Json &value) {
		Json bad = good;
		bad[Json::json_pointer(path)] = value;
		return bad;
	};

	expect_refused(with("/trees/0/feature", {2, -1, -1}), 2, "feature 2 of 2");
	expect_refused(with("/trees/0/feature", {-2, -1, -1}), 2, "no feature");
	expect_refused(with("/trees/0/feature", {0.5, -1, -1}), 2, "no feature");
	expect_refused(with("/trees/0/feature", {1e10, -1, -1}), 2, "no feature");
	expect_refused(with("/trees/0/feature", {0, 0, -1}), 2, "");
	expect_refused(with("/trees/0/feature", {-1, -1, -1}), 2, "no child");
	expect_refused(with("/trees/0", {{"feature", Json::array()}, {"missing_left", Json::array()}, {"value", Json::array()}, {"left_share", Json::array()}}), 2, "without its children");
	expect_refused(with("/trees/0/missing_left", {2, 0, 0}), 2, "");
	expect_refused(with("/trees/0/value", {1e302, 0, 0}), 2, "threshold");
	expect_refused(with("/trees/0/value", {0, 1e7, 0}), 2, "leaf");
	expect_refused(with("/trees/0/value", {0, not_a_number, 0}), 2, "not finite");
	expect_refused(with("/trees/0/left_share", {0, 0, 0}), 2, "share");
	expect_refused(with("/trees/0/left_share", {1, 0, 0}), 2, "share");
	expect_refused(with("/base", infinity), 2, "not finite");
	expect_refused(with("/base", -1e7), 2, "base");
	expect_refused(with("/features/1/values/0", 1e301), 2, "category");
	expect_refused(with("/features/1/unseen", nullptr), 2, "");
}

TEST(ForestJson, RefusesTreesThatAreTooDeep)
{
	// Each left child splits again
	auto chain = [](uint32_t depth) {
		Tree tree{{0, false, 1, 0.5}};
		for (uint32_t level = 1; level < depth; level++)
		{
			tree.push_back({0, false, 1, 0.5});
			tree.push_back({});
		}
		tree.resize(tree.size() + 2);
		return tree;
	};

	EXPECT_EQ(core::Forest(0, {TreeFeature()}, {chain(1)}).tree_count(), 1u);
	EXPECT_EQ(core::Forest(0, {TreeFeature()}, {chain(most_tree_depth)}).tree_count(), 1u);
	EXPECT_THROW(core::Forest(0, {TreeFeature()}, {chain(most_tree_depth + 1)}), ScoringError);
}

TEST(ForestJson, RefusesTooMany)
{
	std::vector<TreeFeature> features(most_forest_features);
	EXPECT_EQ(core::Forest(1, features, {}).features().size(), most_forest_features);
	features.emplace_back();
	EXPECT_THROW(core::Forest(1, features, {}), ScoringError);
	std::vector<Tree> trees(most_trees, Tree{TreeNode()});
	EXPECT_EQ(core::Forest(1, {}, trees).tree_count(), most_trees);
	trees.emplace_back(Tree{TreeNode()});
	EXPECT_THROW(core::Forest(1, {}, trees), ScoringError);
}

} // namespace lead_scoring::core::test
