#include "core/inspection.hpp"

#include "datasets.hpp"
#include "support.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

namespace lead_scoring::core::test
{

namespace
{

// Share of the pairs of a converted row and another in which the first has the higher value
double
naive_auc(const std::vector<double> &values, const std::vector<uint8_t> &outcomes)
{
	double wins = 0;
	double pairs = 0;

	for (size_t one = 0; one < values.size(); one++)
	{
		for (size_t other = 0; other < values.size(); other++)
		{
			if (outcomes[one] && !outcomes[other])
			{
				pairs++;
				wins += values[one] > values[other] ? 1 : values[one] == values[other] ? 0.5 : 0;
			}
		}
	}
	return pairs > 0 ? wins / pairs : 0.5;
}

// The warnings that name a feature
size_t
count_warnings(const std::vector<std::string> &warnings, const std::string &name, const std::string &word)
{
	return std::count_if(warnings.begin(), warnings.end(), [&](const std::string &warning) {
		return warning.find('"' + name + '"') != std::string::npos && warning.find(word) != std::string::npos;
	});
}

} // namespace

TEST(Inspection, SeparatesByNumbers)
{
	Random random(1);

	for (int round = 0; round < 200; round++)
	{
		std::vector<double> values;
		std::vector<uint8_t> outcomes;
		const size_t distinct = 1 + random.below(20);
		for (size_t row = random.below(80); row > 0; row--)
		{
			values.push_back(random.one_in(6) ? not_a_number : static_cast<double>(random.below(distinct)));
			outcomes.push_back(random.one_in(3));
		}
		double best = 0.5;
		for (double missing : {-1.0, 1e9})
		{
			std::vector<double> filled = values;
			std::replace_if(filled.begin(), filled.end(), [](double value) { return std::isnan(value); }, missing);
			const double area = naive_auc(filled, outcomes);
			best = std::max({best, area, 1 - area});
		}
		EXPECT_NEAR(separation(values, outcomes, nullptr), best, 1e-12);
	}
}

TEST(Inspection, SeparatesByCategories)
{
	Random random(2);

	for (int round = 0; round < 200; round++)
	{
		std::vector<double> codes;
		std::vector<uint8_t> outcomes;
		const size_t categories = random.below(12);
		for (size_t row = random.below(80); row > 0; row--)
		{
			const bool missing = random.one_in(6);
			codes.push_back(missing ? not_a_number : static_cast<double>(random.between(-1, static_cast<int64_t>(categories) - 1)));
			outcomes.push_back(random.one_in(3));
		}
		// The same groups by their names
		auto group_of = [&](double code) {
			const auto rows = std::count(codes.begin(), codes.end(), code);
			return std::isnan(code) ? -3 : code < 0 || rows < 4 ? -2 : code;
		};
		std::vector<double> rates;
		for (double code : codes)
		{
			double rows = 0;
			double converted = 0;
			for (size_t row = 0; row < codes.size(); row++)
			{
				rows += group_of(codes[row]) == group_of(code);
				converted += group_of(codes[row]) == group_of(code) && outcomes[row];
			}
			rates.push_back(converted / rows);
		}
		EXPECT_NEAR(category_separation(codes, categories, outcomes, 4, nullptr), naive_auc(rates, outcomes), 1e-12);
	}
}

TEST(Inspection, KeepsFrequentCategories)
{
	DataColumn column = category_column("city", 4, {3, 1, 1, not_a_number, 2, 2, 2, 0, unseen_category, 3});

	EXPECT_EQ(keep_frequent_categories(column, 4, nullptr), 0);
	EXPECT_EQ(keep_frequent_categories(column, 2, nullptr), 4);
	EXPECT_EQ(column.categories, (std::vector<std::string>{"category 2", "category 1"}));
	const double expected[] = {-1, 1, 1, not_a_number, 0, 0, 0, -1, -1, -1};
	for (size_t row = 0; row < 10; row++)
	{
		EXPECT_TRUE(column.values[row] == expected[row] || (row == 3 && std::isnan(column.values[row]))) << row;
	}
}

TEST(Inspection, WarnsByName)
{
	Random random(3);
	Dataset data = random_leads(random, 2000);
	const size_t rows = data.rows();
	std::vector<double> constant(rows, 4.5);
	std::vector<double> nothing(rows, not_a_number);
	std::vector<double> infinite = data.columns[3].values;
	std::vector<double> leak;
	std::vector<double> near_leak;
	std::vector<double> leak_by_absence;
	std::vector<double> leaking_category;
	std::vector<double> key;

	infinite[7] = infinity;
	infinite[9] = -infinity;
	for (size_t row = 0; row < rows; row++)
	{
		leak.push_back(1 - data.outcome[row]);
		near_leak.push_back(random.share() + (data.outcome[row] ? 0.95 : 0));
		leak_by_absence.push_back(data.outcome[row] ? random.share() : not_a_number);
		leaking_category.push_back(data.outcome[row] ? 2 + random.below(2) : random.below(2));
		key.push_back(static_cast<double>(row));
	}
	for (auto &&[name, values] : std::vector<std::pair<std::string, std::vector<double>>>{{"constant", constant},
																							 {"nothing", nothing},
																							 {"infinite", infinite},
																							 {"leak", leak},
																							 {"near leak", near_leak},
																							 {"leak by absence", leak_by_absence}})
	{
		data.columns.push_back(number_column(name, values));
	}
	data.columns.push_back(category_column("leaking category", 4, leaking_category));
	data.columns.push_back(category_column("key", rows, key));

	const std::vector<std::string> warnings = inspect(data, 1000, 0.99, nullptr);
	EXPECT_EQ(warnings.size(), 8);
	EXPECT_EQ(count_warnings(warnings, "constant", "the same value"), 1);
	EXPECT_EQ(count_warnings(warnings, "nothing", "no value"), 1);
	EXPECT_EQ(count_warnings(warnings, "infinite", "infinite in 2 rows"), 1);
	EXPECT_EQ(count_warnings(warnings, "leak", "leaks"), 1);
	EXPECT_EQ(count_warnings(warnings, "near leak", "leaks"), 1);
	EXPECT_EQ(count_warnings(warnings, "leak by absence", "leaks"), 1);
	EXPECT_EQ(count_warnings(warnings, "leaking category", "leaks"), 1);
	EXPECT_EQ(count_warnings(warnings, "key", "2000 categories"), 1);
}

TEST(Inspection, RefusesWhatIsNoDataSet)
{
	Random random(4);
	const Dataset good = random_leads(random, 50);
	auto fault = [&](auto spoil) {
		Dataset data = good;
		spoil(data);
		return fault_of([&]() { inspect(data, 1000, 0.99, nullptr); });
	};

	EXPECT_EQ(fault([](Dataset &) {}), std::nullopt);
	EXPECT_EQ(fault([](Dataset &data) { data.columns.clear(); }), Fault::invalid_parameter);
	EXPECT_EQ(fault([](Dataset &data) { data.fold.pop_back(); }), Fault::invalid_parameter);
	EXPECT_EQ(fault([](Dataset &data) { data.columns[1].values.pop_back(); }), Fault::invalid_parameter);
	EXPECT_EQ(fault([](Dataset &data) { data.columns[1].name = "visits"; }), Fault::duplicate_key);
	for (double code : {5.0, -2.0, 0.5, infinity, -infinity})
	{
		EXPECT_EQ(fault([code](Dataset &data) { data.columns[2].values[3] = code; }), Fault::invalid_parameter) << code;
	}
}

} // namespace lead_scoring::core::test
