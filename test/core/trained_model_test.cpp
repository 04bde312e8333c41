#include "core/model.hpp"

#include "datasets.hpp"
#include "support.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace lead_scoring::core::test
{

namespace
{

// Other tests have models of another kind
using TrainedModel = core::Model;

std::vector<FeatureInfo>
infos_of(const Dataset &data)
{
	std::vector<FeatureInfo> infos;

	for (const DataColumn &column : data.columns)
	{
		infos.push_back({column.name, column.categorical, column.categories});
	}
	return infos;
}

TrainedModel
model_of(const Dataset &data)
{
	return {infos_of(data), fit_scorecard(data, all_rows(data), {}, nullptr), {1.0 / 3, -0.1}};
}

// Rows that a data set has, and rows that none has
std::vector<std::vector<double>>
rows_for(const Dataset &data, size_t width)
{
	std::vector<std::vector<double>> rows;

	for (size_t number = 0; number < std::min<size_t>(data.rows(), 200) && width == data.columns.size(); number++)
	{
		take_row(data, number, rows.emplace_back(width));
	}
	for (double value : {0.0, -0.0, -1.0, 0.5, 1.0, 2.0, 1e18, -1e308, 1e308, infinity, -infinity, not_a_number})
	{
		rows.emplace_back(width, value);
	}
	return rows;
}

// Whether a model says the same of all rows, to the last bit
bool
predicts_the_same(const TrainedModel &one, const TrainedModel &other, const Dataset &data)
{
	for (const std::vector<double> &row : rows_for(data, one.features().size()))
	{
		if (std::bit_cast<uint64_t>(one.log_odds(row)) != std::bit_cast<uint64_t>(other.log_odds(row)))
		{
			return false;
		}
	}
	return true;
}

// Whether all that a model can be asked has an answer
void
expect_usable(const TrainedModel &model, const Dataset &data, const std::string &text)
{
	const size_t width = model.features().size();
	std::vector<double> contributions(width + 1);

	for (const std::vector<double> &row : rows_for(data, width))
	{
		const double log_odds = model.log_odds(row);
		double sum = 0;
		double size = 1;
		model.contributions(row, contributions);
		for (double contribution : contributions)
		{
			sum += contribution;
			size += std::abs(contribution);
		}
		ASSERT_TRUE(std::isfinite(log_odds)) << text;
		ASSERT_TRUE(model.probability(row) >= 0 && model.probability(row) <= 1) << text;
		ASSERT_NEAR(sum, log_odds, 1e-9 * size) << text;
	}
	ASSERT_EQ(write_model(read_model(write_model(model))), write_model(model)) << text;
}

std::string
replaced(std::string text, const std::string &old, const std::string &by)
{
	const size_t at = text.find(old);

	EXPECT_NE(at, std::string::npos) << old;
	return text.replace(at, old.size(), by);
}

} // namespace

TEST(ModelText, ComesBackExactly)
{
	Random random(1);

	for (size_t rows : {60, 500, 3000})
	{
		const Dataset data = random_leads(random, rows);
		const TrainedModel model = model_of(data);
		const std::string text = write_model(model);
		const TrainedModel again = read_model(text);

		EXPECT_TRUE(predicts_the_same(model, again, data));
		EXPECT_EQ(write_model(again), text);
		ASSERT_EQ(again.features().size(), 4);
		EXPECT_EQ(again.features()[1].name, "days since last visit");
		EXPECT_TRUE(again.features()[2].categorical);
		EXPECT_EQ(again.features()[2].categories, data.columns[2].categories);
		const auto &feature = std::get<Scorecard>(again.learner()).features[0];
		const auto &given = std::get<Scorecard>(model.learner()).features[0];
		EXPECT_EQ(feature.bins[0].rows, given.bins[0].rows);
		EXPECT_EQ(feature.bins[0].converted, given.bins[0].converted);
		EXPECT_EQ(feature.lower_bounds, given.lower_bounds);
	}
}

TEST(ModelText, KeepsNamesInAnyEncoding)
{
	Random random(2);
	Dataset data = random_leads(random, 100);
	const std::vector<std::pair<std::string, std::string>> names = {
		{"plain", "caf\xc3\xa9"}, {"\xe6\x97\xa5\xe6\x9c\xac", "\xf0\x9f\x98\x80"}, {"latin 1: \xe9", "\xff\xfe\x80"},
		{"broken \xc3", "\xc3\xa9 and \xe9"}, {"quotes \" \\ ' \n\t\x01", ""}};

	for (const auto &[name, category] : names)
	{
		data.columns[0].name = name;
		data.columns[2].categories[3] = category;
		const std::string text = write_model(model_of(data));
		for (char byte : text)
		{
			ASSERT_TRUE(byte >= ' ' && byte < 127);
		}
		const TrainedModel again = read_model(text);
		EXPECT_EQ(again.features()[0].name, name);
		EXPECT_EQ(again.features()[2].categories[3], category);
	}
}

TEST(ModelText, ScalesContributions)
{
	Random random(3);
	const Dataset data = random_leads(random, 1000);
	const TrainedModel model = model_of(data);
	const auto &scorecard = std::get<Scorecard>(model.learner());

	for (const std::vector<double> &row : rows_for(data, 4))
	{
		std::vector<double> contributions(5);
		model.contributions(row, contributions);
		const double log_odds = scorecard.log_odds(row) / 3 - 0.1;
		EXPECT_NEAR(model.log_odds(row), log_odds, 1e-12);
		EXPECT_NEAR(model.probability(row), std::exp(log_odds) / (1 + std::exp(log_odds)), 1e-12);
		EXPECT_NEAR(contributions[0] + contributions[1] + contributions[2] + contributions[3] + contributions[4], log_odds, 1e-12);
		EXPECT_NEAR(contributions[2], scorecard.features[2].points_of(row[2]) / 3, 1e-12);
	}
}

TEST(ModelText, MeasuresImportance)
{
	Random random(4);
	const Dataset data = random_leads(random, 4000);
	const TrainedModel model = model_of(data);
	const std::vector<double> importance = feature_importance(model, data, nullptr);

	ASSERT_EQ(importance.size(), 4);
	double mean = 0;
	for (size_t row = 0; row < data.rows(); row++)
	{
		mean += std::abs(std::get<Scorecard>(model.learner()).features[0].points_of(data.columns[0].values[row])) / 3;
	}
	EXPECT_NEAR(importance[0], mean / static_cast<double>(data.rows()), 1e-12);
	// Noise is the least important
	EXPECT_LT(importance[3], importance[0]);
	EXPECT_LT(importance[3], importance[1]);
	EXPECT_LT(importance[3], importance[2]);
}

TEST(ModelText, SaysWhatIsWrong)
{
	Random random(5);
	const std::string good = write_model(model_of(random_leads(random, 300)));
	auto message = [](const std::string &text) {
		try
		{
			read_model(text);
		}
		catch (const ScoringError &error)
		{
			EXPECT_EQ(error.fault(), Fault::invalid_text);
			EXPECT_NE(std::string(error.hint()), "");
			return std::string(error.what());
		}
		return std::string("it is good");
	};

	EXPECT_EQ(message(good), "it is good");
	EXPECT_EQ(message(replaced(good, "\"format\":1", "\"format\":2")),
			  "the model has format 2, which is newer than this version of lead_scoring");
	EXPECT_EQ(message(""), "invalid text of a model: it is no JSON");
	EXPECT_EQ(message(good + "x"), "invalid text of a model: it is no JSON");
	EXPECT_EQ(message(std::string(100'000, '[')), "invalid text of a model: it is no JSON");
	EXPECT_EQ(message(std::string(100'000, '[') + std::string(100'000, ']')),
			  "invalid text of a model: an object with \"format\" is expected");
	EXPECT_EQ(message("{}"), "invalid text of a model: \"format\" is missing");
	for (const char *format : {"0", "-1", "1.5", "\"1\"", "null", "[1]", "1e400"})
	{
		EXPECT_NE(message(replaced(good, "\"format\":1", std::string("\"format\":") + format)), "it is good") << format;
	}
	for (const char *number : {"1e13", "-1e300", "null", "\"1\"", "[]", "true", "NaN", "Infinity"})
	{
		EXPECT_NE(message(replaced(good, "\"offset\":-0.1", std::string("\"offset\":") + number)), "it is good") << number;
	}
	EXPECT_NE(message(replaced(good, "\"visits\"", "\"noise\"")), "it is good");
	EXPECT_NE(message(replaced(good, "\"visits\"", "\"vi\\u0000sits\"")), "it is good");
	EXPECT_NE(message(replaced(good, "\"category 0\",", "")), "it is good");
	EXPECT_NE(message(replaced(good, "\"lower_bounds\":[", "\"lower_bounds\":[1e9,")), "it is good");
	EXPECT_NE(message(replaced(good, "\"bin_of_code\":[", "\"bin_of_code\":[7,")), "it is good");
	EXPECT_NE(message(replaced(good, "\"converted\":[", "\"converted\":[1,")), "it is good");
	EXPECT_NE(message(replaced(good, "\"converted\":[", "\"converted\":[9007199254740993,")), "it is good");
	EXPECT_NE(message(replaced(good, "\"scorecard\"", "\"neural\"")), "it is good");
	EXPECT_NE(message(replaced(good, "\"strings\":\"characters\"", "\"strings\":\"runes\"")), "it is good");
	EXPECT_NE(message(replaced(replaced(good, "visits", "\\u0100"), "characters", "bytes")), "it is good");
}

TEST(ModelText, SurvivesTruncation)
{
	Random random(6);
	const std::string good = write_model(model_of(random_leads(random, 200)));

	for (size_t length = 0; length < good.size(); length++)
	{
		EXPECT_EQ(fault_of([&]() { read_model(good.substr(0, length)); }), Fault::invalid_text) << length;
	}
}

TEST(ModelText, SurvivesChanges)
{
	Random random(7);
	const Dataset data = random_leads(random, 200);
	const std::string good = write_model(model_of(data));
	const std::string signs = "0123456789-+.eE,:[]{}\"\\ntfu";
	int usable = 0;

	for (int round = 0; round < 8'000; round++)
	{
		std::string text = good;
		for (size_t change = 1 + random.below(3); change > 0; change--)
		{
			const size_t at = random.below(text.size());
			switch (random.below(4))
			{
			case 0:
				text[at] = random.one_of(signs);
				break;
			case 1:
				text.erase(at, 1 + random.below(12));
				break;
			case 2:
				text.insert(at, 1, random.one_of(signs));
				break;
			default:
				text.insert(at, good.substr(random.below(good.size()), random.below(30)));
			}
			if (text.empty())
			{
				break;
			}
		}
		auto fault = fault_of([&]() {
			const TrainedModel model = read_model(text);
			usable++;
			expect_usable(model, data, text);
		});
		ASSERT_TRUE(!fault.has_value() || fault == Fault::invalid_text) << text;
		ASSERT_FALSE(HasFatalFailure());
	}
	EXPECT_GT(usable, 500);
}

} // namespace lead_scoring::core::test
