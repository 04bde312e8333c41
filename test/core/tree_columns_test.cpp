#include "core/tree_columns.hpp"

#include "support.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
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

} // namespace

TEST(RoundCut, IsTheRoundestNumberBetween)
{
	EXPECT_EQ(round_cut(30, 31), 31);
	EXPECT_EQ(round_cut(12, 87), 50);
	EXPECT_EQ(round_cut(0.123, 0.124), 0.124);
	EXPECT_EQ(round_cut(0.1, 0.3), 0.2);
	EXPECT_EQ(round_cut(-31, -30), -30);
	EXPECT_EQ(round_cut(-1, 1), 0);
	EXPECT_EQ(round_cut(-1e300, 1e300), 0);
}

TEST(RoundCut, LiesBetweenHoweverCloseTheValues)
{
	Random random(1);

	for (size_t round = 0; round < 20'000; round++)
	{
		double low = std::ldexp(random.share() - 0.5, static_cast<int>(random.between(-900, 900)));
		double high = random.one_in(2) ? std::nextafter(low, infinity) : low + std::abs(low) * random.share() + 1e-300;
		double cut = round_cut(low, high);
		EXPECT_LT(low, cut);
		EXPECT_LE(cut, high);
	}
}

TEST(FindCuts, PartsAllValuesIfTheyAreFew)
{
	EXPECT_EQ(find_cuts({}, 4), std::vector<double>{});
	EXPECT_EQ(find_cuts({7, 7, 7}, 4), std::vector<double>{});
	EXPECT_EQ(find_cuts({3, 1, 2, 1, 4, 4, 4, 4, 4, 4, 4, 4}, 4), (std::vector<double>{2, 3, 4}));
}

// No bin holds more than its share, but for the values that alone have more, and for a half bin's worth of what cannot be parted
TEST(FindCuts, FillsBinsEvenly)
{
	Random random(2);

	for (size_t round = 0; round < 100; round++)
	{
		std::vector<double> values(1 + random.below(3000));
		double spread = random.one_in(2) ? 50 : 1e6;
		std::generate(values.begin(), values.end(), [&]() { return std::floor(std::pow(random.share(), 3) * spread); });
		auto bins = static_cast<uint32_t>(2 + random.below(40));
		std::vector<double> cuts = find_cuts(values, bins);
		std::sort(values.begin(), values.end());
		ASSERT_LT(cuts.size(), bins);
		ASSERT_TRUE(std::is_sorted(cuts.begin(), cuts.end(), std::less_equal<>()));
		auto begin = values.begin();
		for (size_t bin = 0; bin <= cuts.size(); bin++)
		{
			auto end = bin < cuts.size() ? std::lower_bound(begin, values.end(), cuts[bin]) : values.end();
			ASSERT_LT(begin, end) << "an empty bin";
			// Without its last distinct value, the bin was not full yet
			auto last = std::lower_bound(begin, end, *(end - 1));
			auto left = static_cast<size_t>(values.end() - begin);
			EXPECT_TRUE(last == begin || static_cast<size_t>(last - begin) * (bins - bin) < left);
			begin = end;
		}
	}
}

TEST(TreeColumns, BinsAreThoseOfTheThresholds)
{
	Random random(3);
	Dataset data;
	data.columns = {{"number", false, {}, {}}, {"constant", false, {}, {}}, {"category", true, {"a", "b", "c", "d"}, {}}, {"some", false, {}, {}}, {"none", false, {}, {}}};
	for (size_t row = 0; row < 3000; row++)
	{
		data.outcome.push_back(random.one_in(3));
		data.columns[0].values.push_back(random.one_in(5) ? not_a_number : random.one_in(20) ? infinity : random.share());
		data.columns[1].values.push_back(5);
		data.columns[2].values.push_back(random.one_in(9) ? not_a_number : static_cast<double>(random.below(3))); // frequent ones
		data.columns[3].values.push_back(random.one_in(2) ? not_a_number : 5);
		data.columns[4].values.push_back(not_a_number);
	}
	std::vector<uint32_t> rows = all_rows(data);
	std::erase_if(rows, [](uint32_t row) { return row % 3 == 0; });
	TreeColumns made = make_tree_columns(data, rows, {16, 20}, nullptr);

	ASSERT_EQ(made.features.size(), 5u);
	ASSERT_EQ(made.columns.size(), 3u);
	EXPECT_EQ(made.columns[0].feature, 0u);
	EXPECT_EQ(made.columns[0].cuts.size(), 15u);
	EXPECT_EQ(made.columns[1].feature, 2u);
	EXPECT_EQ(made.columns[2].feature, 3u);
	EXPECT_EQ(made.columns[2].cuts.size(), 0u);
	ASSERT_EQ(made.bins.size(), rows.size() * 3);
	for (size_t at = 0; at < made.bins.size(); at++)
	{
		const TreeColumn &column = made.columns[at % 3];
		double value = made.features[column.feature].seen(data.columns[column.feature].values[rows[at / 3]]);
		float bin = made.bins[at];
		ASSERT_EQ(std::isnan(value), std::isnan(bin));
		for (double threshold = 0.5; threshold < 20; threshold++)
		{
			EXPECT_EQ(value < tree_threshold(column, threshold), std::isnan(bin) ? false : bin < threshold);
		}
	}
}

TEST(TreeColumns, CategoriesAreRatesDrawnToTheAverage)
{
	Dataset data;
	// a: 3 of 4, b: 0 of 1, c: none, missing: 1 of 1; of those known 3 of 5
	data.columns = {{"category", true, {"a", "b", "c"}, {0, 0, 0, 0, 1, not_a_number}}};
	data.outcome = {1, 1, 1, 0, 0, 1};
	std::vector<uint32_t> rows = all_rows(data);
	TreeFeature feature = make_tree_columns(data, rows, {16, 10}, nullptr).features[0];

	EXPECT_TRUE(feature.categorical);
	ASSERT_EQ(feature.values.size(), 3u);
	EXPECT_DOUBLE_EQ(feature.values[0], (3 + 6.0) / 14);
	EXPECT_DOUBLE_EQ(feature.values[1], 6.0 / 11);
	EXPECT_DOUBLE_EQ(feature.values[2], 0.6);
	EXPECT_DOUBLE_EQ(feature.unseen, 0.6);
}

// Rates of rare categories are no news about the very outcomes that they are made of, but about others
TEST(TreeColumns, RareCategoriesDoNotTellTheirOwnOutcomes)
{
	Random random(4);
	Dataset data;
	data.columns = {{"by chance", true, std::vector<std::string>(2000), {}}, {"telling", true, std::vector<std::string>(100), {}}};
	for (size_t row = 0; row < 6000; row++)
	{
		double telling = static_cast<double>(random.below(100));
		data.columns[0].values.push_back(static_cast<double>(random.below(2000)));
		data.columns[1].values.push_back(telling);
		data.outcome.push_back(random.share() < telling / 100 ? 1 : 0);
	}
	TreeColumns made = make_tree_columns(data, all_rows(data), {256, 5}, nullptr);
	ASSERT_EQ(made.columns.size(), 2u);
	auto correlation = [&data](auto value) {
		double n = 0, x = 0, y = 0, xx = 0, yy = 0, xy = 0;
		for (size_t row = 0; row < data.rows(); row++, n++)
		{
			double a = value(row);
			double b = data.outcome[row];
			x += a, y += b, xx += a * a, yy += b * b, xy += a * b;
		}
		return (n * xy - x * y) / std::sqrt((n * xx - x * x) * (n * yy - y * y));
	};

	EXPECT_GT(correlation([&](size_t row) { return made.features[0].seen(data.columns[0].values[row]); }), 0.4);
	EXPECT_LT(std::abs(correlation([&](size_t row) { return made.bins[2 * row]; })), 0.05);
	EXPECT_GT(correlation([&](size_t row) { return made.bins[2 * row + 1]; }), 0.5);
}

} // namespace lead_scoring::core::test
