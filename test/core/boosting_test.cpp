#include "core/boosting.hpp"

#include "core/booster.hpp"
#include "core/xgboost_trees.hpp"
#include "support.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <signal.h>

#include <atomic>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <numeric>
#include <string>
#include <vector>

namespace lead_scoring::core::test
{

namespace
{

std::vector<uint32_t>
all_rows(const Dataset &data)
{
	std::vector<uint32_t> rows(data.rows());

	std::iota(rows.begin(), rows.end(), 0);
	return rows;
}

// Records of all kinds of columns, whose conversion hangs on some of them
Dataset
random_dataset(Random &random, size_t rows)
{
	Dataset data;

	data.columns = {{"visits", false, {}, {}}, {"amount", false, {}, {}}, {"industry", true, {}, {}}, {"noise", false, {}, {}}, {"rare", false, {}, {}}};
	for (size_t code = 0; code < 4; code++)
	{
		data.columns[2].categories.push_back("industry " + std::to_string(code));
	}
	for (size_t row = 0; row < rows; row++)
	{
		auto visits = static_cast<double>(random.below(30));
		double amount = random.one_in(4) ? not_a_number : random.one_in(50) ? infinity : std::exp(random.share() * 20);
		double industry = random.one_in(10) ? not_a_number : static_cast<double>(random.below(4));
		double log_odds = visits / 10 - 2.5 + (std::isnan(amount) ? 1 : 0) + (industry == 1 || industry == 3 ? 2 : 0);
		data.columns[0].values.push_back(visits);
		data.columns[1].values.push_back(amount);
		data.columns[2].values.push_back(industry);
		data.columns[3].values.push_back(random.share());
		data.columns[4].values.push_back(random.one_in(9) ? 1 : not_a_number);
		data.outcome.push_back(random.share() < 1 / (1 + std::exp(-log_odds)) ? 1 : 0);
	}
	return data;
}

std::vector<double>
row_of(const Dataset &data, uint32_t row)
{
	std::vector<double> values;

	for (const DataColumn &column : data.columns)
	{
		values.push_back(column.values[row]);
	}
	return values;
}

ForestSettings
few_trees()
{
	ForestSettings settings;

	settings.trees = 30;
	return settings;
}

std::string
text_of(const core::Forest &forest)
{
	return forest_json(forest).dump();
}

} // namespace

TEST(Boosting, PredictsAndExplainsAsXgboostDoes)
{
	Random random(1);
	Dataset data = random_dataset(random, 3000); // with frequent categories, which look the same in training and afterwards
	std::vector<uint32_t> rows = all_rows(data);
	ForestSettings settings = few_trees();
	TreeColumns columns = make_tree_columns(data, rows, {settings.bins, settings.smoothing}, nullptr);
	ASSERT_EQ(columns.columns.size(), data.columns.size());
	std::vector<float> labels(data.outcome.begin(), data.outcome.end());
	double converted = std::accumulate(labels.begin(), labels.end(), 0.5);
	float base = static_cast<float>(std::log(converted / (static_cast<double>(rows.size()) + 1 - converted)));
	Booster booster(columns, labels, base, settings);
	for (uint32_t tree = 0; tree < settings.trees; tree++)
	{
		booster.add_tree();
	}
	std::vector<float> log_odds = booster.predict(1);
	std::vector<float> contributions = booster.predict(2);

	core::Forest forest = fit_forest(data, rows, settings, nullptr);
	EXPECT_EQ(forest.tree_count(), settings.trees);
	ASSERT_EQ(log_odds.size(), rows.size());
	ASSERT_EQ(contributions.size(), rows.size() * (data.columns.size() + 1));
	for (uint32_t row : rows)
	{
		std::vector<double> values = row_of(data, row);
		EXPECT_NEAR(forest.log_odds(values), log_odds[row], 1e-5);
		std::vector<double> out(values.size() + 1);
		forest.contributions(values, out);
		EXPECT_NEAR(std::accumulate(out.begin(), out.end(), 0.0), forest.log_odds(values), 1e-9);
		for (size_t feature = 0; feature < out.size(); feature++)
		{
			EXPECT_NEAR(out[feature], contributions[row * out.size() + feature], 1e-4) << feature;
		}
	}
}

TEST(Boosting, FindsWhatConversionHangsOn)
{
	Random random(2);
	Dataset data = random_dataset(random, 4000);
	std::vector<uint32_t> rows = all_rows(data);
	core::Forest forest = fit_forest(data, std::span(rows).first(3000), few_trees(), nullptr);

	std::vector<double> importance(data.columns.size() + 1);
	double wins = 0;
	double pairs = 0;
	for (uint32_t row = 3000; row < 4000; row++)
	{
		std::vector<double> out(importance.size());
		forest.contributions(row_of(data, row), out);
		for (size_t feature = 0; feature < out.size(); feature++)
		{
			importance[feature] += std::abs(out[feature]);
		}
		uint32_t other = 3000 + (row - 2999) % 1000;
		if (data.outcome[row] != data.outcome[other])
		{
			double converted = forest.log_odds(row_of(data, data.outcome[row] != 0 ? row : other));
			double not_converted = forest.log_odds(row_of(data, data.outcome[row] != 0 ? other : row));
			wins += converted > not_converted ? 1 : 0;
			pairs++;
		}
	}
	for (size_t feature : {0, 1, 2})
	{
		EXPECT_GT(importance[feature], 2 * importance[3]);
		EXPECT_GT(importance[feature], 2 * importance[4]);
	}
	EXPECT_GT(wins / pairs, 0.7);
}

TEST(Boosting, IsTheSameForTheSameSeed)
{
	Random random(3);
	Dataset data = random_dataset(random, 2000);
	std::vector<uint32_t> rows = all_rows(data);
	ForestSettings settings = few_trees();

	std::string text = text_of(fit_forest(data, rows, settings, nullptr));
	EXPECT_EQ(text_of(fit_forest(data, rows, settings, nullptr)), text);
	settings.seed = 2;
	EXPECT_NE(text_of(fit_forest(data, rows, settings, nullptr)), text);
}

TEST(Boosting, TrainsOnNothingButItsRows)
{
	Random random(4);
	Dataset data = random_dataset(random, 2000);
	std::vector<uint32_t> rows = all_rows(data);
	rows.resize(1000);
	std::string text = text_of(fit_forest(data, rows, few_trees(), nullptr));

	for (size_t row = 1000; row < 2000; row++)
	{
		data.outcome[row] = 1;
		data.columns[0].values[row] = 1e9;
		data.columns[2].values[row] = unseen_category;
	}
	EXPECT_EQ(text_of(fit_forest(data, rows, few_trees(), nullptr)), text);
}

TEST(Boosting, TakesDataThatSayNothing)
{
	Dataset data;
	data.outcome = {1, 0, 0, 0};
	std::vector<uint32_t> rows = all_rows(data);
	core::Forest forest = fit_forest(data, rows, few_trees(), nullptr);
	EXPECT_NEAR(forest.log_odds({}), std::log(1.5 / 3.5), 1e-6);

	data.columns = {{"constant", false, {}, {1, 1, 1, 1}}, {"missing", true, {}, {not_a_number, not_a_number, not_a_number, not_a_number}}};
	forest = fit_forest(data, rows, few_trees(), nullptr);
	EXPECT_NEAR(forest.log_odds(std::vector<double>{1, 0}), std::log(1.5 / 3.5), 1e-6);

	data.columns.push_back({"number", false, {}, {1, 2, 3, 4}});
	data.outcome = {1, 1, 1, 1};
	forest = fit_forest(data, rows, few_trees(), nullptr);
	std::vector<double> row{1, 0, 3};
	EXPECT_GT(forest.log_odds(row), std::log(4.5 / 0.5) - 1e-6);
	std::vector<double> out(4);
	forest.contributions(row, out);
	EXPECT_NEAR(std::accumulate(out.begin(), out.end(), 0.0), forest.log_odds(row), 1e-9);
}

TEST(Boosting, RefusesWhatMakesNoSense)
{
	Random random(5);
	Dataset data = random_dataset(random, 100);
	std::vector<uint32_t> rows = all_rows(data);
	auto fault_with = [&](auto change) {
		ForestSettings settings = few_trees();
		change(settings);
		return fault_of([&]() { fit_forest(data, rows, settings, nullptr); });
	};

	EXPECT_EQ(fault_of([&]() { fit_forest(data, {}, few_trees(), nullptr); }), Fault::invalid_parameter);
	EXPECT_EQ(fault_with([](ForestSettings &settings) { settings.trees = 0; }), Fault::invalid_parameter);
	EXPECT_EQ(fault_with([](ForestSettings &settings) { settings.trees = most_trees + 1; }), Fault::invalid_parameter);
	EXPECT_EQ(fault_with([](ForestSettings &settings) { settings.depth = most_tree_depth + 1; }), Fault::invalid_parameter);
	EXPECT_EQ(fault_with([](ForestSettings &settings) { settings.learning_rate = not_a_number; }), Fault::invalid_parameter);
	EXPECT_EQ(fault_with([](ForestSettings &settings) { settings.subsample = 1.1; }), Fault::invalid_parameter);
	EXPECT_EQ(fault_with([](ForestSettings &settings) { settings.penalty = -1; }), Fault::invalid_parameter);
	EXPECT_EQ(fault_with([](ForestSettings &settings) { settings.bins = 1; }), Fault::invalid_parameter);
	EXPECT_EQ(fault_with([](ForestSettings &settings) { settings.threads = 0; }), Fault::invalid_parameter);
	data.columns.resize(most_forest_features + 1);
	EXPECT_EQ(fault_with([](ForestSettings &) {}), Fault::limit_exceeded);
}

TEST(Boosting, TakesTheLimitsOfItsSettings)
{
	Random random(6);
	Dataset data = random_dataset(random, 300);
	std::vector<uint32_t> rows = all_rows(data);
	ForestSettings settings;
	settings.trees = 3;
	settings.depth = most_tree_depth;
	settings.learning_rate = 1;
	settings.subsample = 1;
	settings.column_share = 1;
	settings.min_child_weight = 0;
	settings.penalty = 0;
	settings.bins = 65536;
	settings.seed = UINT64_MAX;
	core::Forest forest = fit_forest(data, rows, settings, nullptr);
	EXPECT_EQ(forest.tree_count(), 3u);
	settings.bins = 2;
	settings.subsample = 0.01;
	settings.column_share = 0.01;
	settings.min_child_weight = 1e9;
	forest = fit_forest(data, rows, settings, nullptr);
	EXPECT_EQ(forest.tree_count(), 3u);
}

// Without anything that holds trees back, the error tells what to change
TEST(Boosting, TellsWhichSettingsDoNotSettle)
{
	Random random(7);
	Dataset data = random_dataset(random, 1000);
	std::vector<uint32_t> rows = all_rows(data);
	ForestSettings settings;
	settings.learning_rate = 1;
	settings.min_child_weight = 0;
	settings.penalty = 0;
	std::string message;
	try
	{
		fit_forest(data, rows, settings, nullptr);
	}
	catch (const ScoringError &error)
	{
		EXPECT_EQ(error.fault(), Fault::invalid_parameter);
		message = error.what();
	}
	// XGBoost 3 settles by itself; what it must not come to is a model that cannot be read
	EXPECT_TRUE(message.empty() ||
				message.starts_with("boosted trees do not settle with learning_rate 1, lambda 0 and min_child_weight 0: a leaf comes to "))
		<< message;
	settings.penalty = 1;
	EXPECT_EQ(fault_of([&]() { fit_forest(data, rows, settings, nullptr); }), std::nullopt);
}

TEST(Boosting, CanBeCancelledBetweenTrees)
{
	static int asked;
	Random random(7);
	Dataset data = random_dataset(random, 500);
	std::vector<uint32_t> rows = all_rows(data);

	for (int limit : {1, 8, 20})
	{
		asked = 0;
		static int most;
		most = limit;
		auto fault = fault_of([&]() { fit_forest(data, rows, few_trees(), []() noexcept { return ++asked >= most; }); });
		EXPECT_EQ(fault, Fault::cancelled);
		EXPECT_EQ(asked, limit);
	}
}

// A thread of a library would run the handlers of the program
TEST(Boosting, StartsNoThreadsAndPrintsNothing)
{
	const std::filesystem::path tasks = "/proc/self/task";
	if (!std::filesystem::exists(tasks))
	{
		GTEST_SKIP() << "no /proc";
	}
	auto threads = [&tasks]() { return std::distance(std::filesystem::directory_iterator(tasks), {}); };
	Random random(8);
	Dataset data = random_dataset(random, 20'000);
	std::vector<uint32_t> rows = all_rows(data);
	auto before = threads();

	::testing::internal::CaptureStderr();
	::testing::internal::CaptureStdout();
	fit_forest(data, rows, few_trees(), nullptr);
	EXPECT_EQ(::testing::internal::GetCapturedStdout(), "");
	EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
	EXPECT_EQ(threads(), before);
}

TEST(Boosting, LeavesSignalsAndFloatingPointAsTheyWere)
{
	static std::atomic<int> caught;
	static pthread_t self;
	Random random(9);
	Dataset data = random_dataset(random, 2000);
	std::vector<uint32_t> rows = all_rows(data);
	ForestSettings settings = few_trees();
	settings.trees = 5;
	settings.threads = 2;
	self = pthread_self();
	auto handler = signal(SIGUSR1, [](int) { caught += pthread_equal(pthread_self(), self) != 0 ? 1 : 1000; });

	// The poll runs between the trees, where signals have to arrive
	fit_forest(data, rows, settings, []() noexcept { return kill(getpid(), SIGUSR1) != 0; });
	EXPECT_GE(caught, 5);
	EXPECT_LT(caught, 1000);
	signal(SIGUSR1, handler);
	sigset_t blocked;
	pthread_sigmask(SIG_BLOCK, nullptr, &blocked);
	EXPECT_EQ(sigismember(&blocked, SIGUSR1), 0);
	volatile double smallest = 2.3e-308;
	EXPECT_GT(smallest / 2, 0) << "denormals are flushed to zero";
}

TEST(Boosting, WithMoreThreadsIsTheSameToRounding)
{
	Random random(10);
	Dataset data = random_dataset(random, 2000);
	std::vector<uint32_t> rows = all_rows(data);
	ForestSettings settings = few_trees();
	settings.trees = 5;
	core::Forest one = fit_forest(data, rows, settings, nullptr);
	settings.threads = 2;
	core::Forest two = fit_forest(data, rows, settings, nullptr);
	EXPECT_EQ(text_of(fit_forest(data, rows, settings, nullptr)), text_of(two));

	double distance = 0;
	for (uint32_t row : rows)
	{
		distance += std::abs(one.log_odds(row_of(data, row)) - two.log_odds(row_of(data, row)));
	}
	EXPECT_LT(distance / static_cast<double>(rows.size()), 0.05);
}

TEST(XgboostLibrary, SaysWhatIsMissing)
{
	const char *none[] = {"libxgboost_that_is_not_there.so", nullptr};
	const char *another[] = {"libm.so.6", nullptr};

	for (const char **names : {none, another})
	{
		try
		{
			open_xgboost(names);
			ADD_FAILURE();
		}
		catch (const ScoringError &error)
		{
			EXPECT_EQ(error.fault(), Fault::missing_library);
			EXPECT_NE(std::string(error.what()).find(names == none ? "libxgboost_that_is_not_there.so" : "no function XGBGetLastError"), std::string::npos)
				<< error.what();
			EXPECT_NE(std::string(error.hint()).find("libxgboost-dev"), std::string::npos);
		}
	}
}

TEST(Booster, ReportsWhatXgboostComplainsOf)
{
	Random random(11);
	Dataset data = random_dataset(random, 10);
	TreeColumns columns = make_tree_columns(data, all_rows(data), {}, nullptr);
	std::vector<float> labels(10, 5); // neither 0 nor 1
	Booster booster(columns, labels, 0, few_trees());

	try
	{
		booster.add_tree();
		ADD_FAILURE();
	}
	catch (const ScoringError &error)
	{
		EXPECT_EQ(error.fault(), Fault::library_failure);
		std::string message = error.what();
		EXPECT_EQ(message.find("XGBoost reports: "), 0u) << message;
		EXPECT_EQ(message.find("Stack trace"), std::string::npos) << message;
		EXPECT_EQ(message.find("regression_obj"), std::string::npos) << message;
		EXPECT_NE(message.find("label"), std::string::npos) << message;
	}
}

TEST(XgboostTrees, RefusesUnknownForms)
{
	std::vector<TreeColumn> columns{{3, {10, 20}}};
	auto model = [](const std::string &tree) {
		return R"({"learner": {"gradient_booster": {"model": {"trees": [)" + tree + "]}}}}";
	};
	const std::string good = R"({"left_children": [1, -1, -1], "right_children": [2, -1, -1], "split_indices": [0, 0, 0],
		"split_conditions": [2.0, 0.5, -0.5], "default_left": [true, false, false], "sum_hessian": [4.0, 3.0, 1.0]})";
	std::vector<Tree> trees = read_xgboost_trees(model(good), columns);
	ASSERT_EQ(trees.size(), 1u);
	ASSERT_EQ(trees[0].size(), 3u);
	EXPECT_EQ(trees[0][0].feature, 3u);
	EXPECT_EQ(trees[0][0].value, 20);
	EXPECT_TRUE(trees[0][0].missing_left);
	EXPECT_EQ(trees[0][0].left_share, 0.75);
	EXPECT_EQ(trees[0][1].feature, no_feature);
	EXPECT_EQ(trees[0][1].value, 0.5);

	auto changed = [&good, &model](const std::string &from, const std::string &to) {
		std::string tree = good;
		tree.replace(tree.find(from), from.size(), to);
		return model(tree);
	};
	for (const std::string &bad : {std::string(), std::string("{}"), std::string(R"({"learner": []})"), model("1"), model("{}"),
								   changed("[1, -1, -1]", "[]"), changed("[1, -1, -1]", "[3, -1, -1]"), changed("[1, -1, -1]", "[0, -1, -1]"),
								   changed("[2, -1, -1]", "[-5, -1, -1]"), changed("[0, 0, 0]", "[1, 0, 0]"), changed("[0, 0, 0]", "7"),
								   changed("2.0", "\"2.0\""), changed("sum_hessian", "sum")})
	{
		EXPECT_EQ(fault_of([&]() { read_xgboost_trees(bad, columns); }), Fault::library_failure) << bad;
	}
}

} // namespace lead_scoring::core::test
