#include "core/bands.hpp"

#include "support.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lead_scoring::core::test
{

namespace
{

constexpr std::string_view none = "(none)";

std::string_view
text_of(const BandTable &table, uint16_t label)
{
	return label == no_label ? none : std::string_view(table.texts().at(label));
}

// The table of bands without segments
BandTable
table_of(const std::vector<BandDefinition> &bands)
{
	return BandTable(bands, std::vector<uint32_t>(bands.size(), always_segment), KeyKind::integer);
}

// The labels of an open record
LabelSet
labels_of(const BandTable &table, double total, double fit, double engagement)
{
	const double values[] = {fit, engagement, total};

	return table.labels(values, table.choose([](uint32_t) { return false; }), {}, true);
}

const std::vector<BandDefinition> high_medium_low = {
	{Part::total, "High", 70}, {Part::total, "Medium", 40}, {Part::total, "Low", -infinity}};

const std::vector<BandDefinition> letters_and_digits = {
	{Part::fit, "A", 70},        {Part::fit, "B", 40},        {Part::fit, "C", -infinity},
	{Part::engagement, "1", 70}, {Part::engagement, "2", 40}, {Part::engagement, "3", -infinity}};

} // namespace

TEST(Bands, LabelTheExamplesOfTheSpecification)
{
	const std::vector<BandDefinition> thirds = {
		{Part::total, "A", 80}, {Part::total, "B", 60}, {Part::total, "C", -infinity}};
	const std::vector<BandDefinition> funnel = {
		{Part::total, "nurture", -infinity}, {Part::total, "SDR", 31}, {Part::total, "sales", 61}};
	const std::vector<BandDefinition> grades = {
		{Part::total, "A", 75}, {Part::total, "B", 50}, {Part::total, "C", 25}, {Part::total, "D", 1}};
	const struct
	{
		const char *example;
		const std::vector<BandDefinition> &bands;
		double value;
		std::string_view label;
	} cases[] = {
		{"E26", high_medium_low, 100, "High"},     {"E26", high_medium_low, 70, "High"},
		{"E26", high_medium_low, 69.9999, "Medium"}, {"E26", high_medium_low, 69.5, "Medium"},
		{"E26", high_medium_low, 40, "Medium"},    {"E26", high_medium_low, 39.99, "Low"},
		{"E26", high_medium_low, -5, "Low"},       {"E26", high_medium_low, -infinity, "Low"},
		{"E27", thirds, 80, "A"},                  {"E27", thirds, 79.99, "B"},
		{"E27", thirds, 60, "B"},                  {"E27", thirds, 59.99, "C"},
		{"E27", funnel, 30, "nurture"},            {"E27", funnel, 31, "SDR"},
		{"E27", funnel, 60, "SDR"},                {"E27", funnel, 61, "sales"},
		{"E27", funnel, 30.5, "nurture"},          {"E27", funnel, 60.5, "SDR"},
		{"E30", grades, 75, "A"},                  {"E30", grades, 74, "B"},
		{"E30", grades, 25, "C"},                  {"E30", grades, 24, "D"},
		{"E30", grades, 1, "D"},                   {"E30", grades, 0.9999, none},
		{"E30", grades, -infinity, none},
	};

	for (const auto &test : cases)
	{
		BandTable table = table_of(test.bands);
		LabelSet labels = labels_of(table, test.value, not_a_number, not_a_number);
		EXPECT_EQ(text_of(table, labels.label), test.label) << test.example << ": " << test.value;
		EXPECT_EQ(text_of(table, labels.total), test.label) << test.example << ": " << test.value;
		EXPECT_EQ(labels.fit, no_label);
		EXPECT_EQ(labels.engagement, no_label);
	}
}

TEST(Bands, OfTwoPartsMakePairsLetterFirst)
{
	BandTable table = table_of(letters_and_digits);
	const struct
	{
		double fit;
		double engagement;
		std::string_view label;
	} cases[] = {
		{10, 80, "C1"}, {80, 10, "A3"}, {50, 50, "B2"}, {70, 70, "A1"}, {69.9999, 40, "B2"}, {39.9999, 39.9999, "C3"},
	};

	for (const auto &test : cases)
	{
		LabelSet labels = labels_of(table, test.fit + test.engagement, test.fit, test.engagement);
		EXPECT_EQ(text_of(table, labels.label), test.label);
		EXPECT_EQ(text_of(table, labels.fit), test.label.substr(0, 1));
		EXPECT_EQ(text_of(table, labels.engagement), test.label.substr(1));
		EXPECT_EQ(labels.total, no_label);
	}
}

TEST(Bands, GiveTheLabelOfThePairThenOfTheTotalThenOfTheOnePart)
{
	const BandDefinition fit{Part::fit, "F", 0};
	const BandDefinition engagement{Part::engagement, "E", 0};
	const BandDefinition total{Part::total, "T", 0};
	const struct
	{
		std::vector<BandDefinition> bands;
		double total;
		double fit;
		double engagement;
		std::string_view label;
	} cases[] = {
		{{}, 1, 1, 1, none},
		{{fit}, 1, 1, 1, "F"},
		{{fit}, 1, -1, 1, none},
		{{engagement}, 1, 1, 1, "E"},
		{{engagement}, 1, 1, -1, none},
		{{total}, 1, 1, 1, "T"},
		{{total}, -1, 1, 1, none},
		{{fit, total}, 1, 1, 1, "T"},
		{{fit, total}, -1, 1, 1, none},
		{{engagement, total}, 1, 1, 1, "T"},
		{{total, engagement, fit}, 1, 1, 1, "FE"},
		{{total, engagement, fit}, -1, 1, 1, "FE"},
		// Half a pair is none, and the total does not step in
		{{total, engagement, fit}, 1, -1, 1, none},
		{{total, engagement, fit}, 1, 1, -1, none},
		{{engagement, fit}, 1, -1, -1, none},
	};

	for (size_t at = 0; at < std::size(cases); at++)
	{
		const auto &test = cases[at];
		BandTable table = table_of(test.bands);
		EXPECT_EQ(text_of(table, labels_of(table, test.total, test.fit, test.engagement).label), test.label) << at;
	}
}

TEST(Bands, DoNotLabelAPartThatTheScoreDoesNotHave)
{
	BandTable table = table_of(letters_and_digits);
	LabelSet labels = labels_of(table, 50, 50, not_a_number);

	EXPECT_EQ(text_of(table, labels.fit), "B");
	EXPECT_EQ(labels.engagement, no_label);
	EXPECT_EQ(labels.label, no_label);
	labels = labels_of(table, not_a_number, not_a_number, not_a_number);
	EXPECT_EQ(labels.fit, no_label);
	EXPECT_EQ(labels.total, no_label);
}

TEST(Bands, AgreeWithASearchForTheHighestBoundInAnyOrderOfDefinition)
{
	Random random(1);
	constexpr Part parts[] = {Part::fit, Part::engagement, Part::total};

	for (size_t round = 0; round < 500; round++)
	{
		std::vector<BandDefinition> bands;
		std::vector<std::string> texts;
		texts.reserve(100);
		for (Part part : parts)
		{
			std::vector<double> bounds = {-infinity, -50, -0.0001, 0.5, 1, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100,
										  101, 102, 103, 104, 105, 106, 107, 108};
			random.shuffle(bounds);
			for (size_t count = random.below(bounds.size() + 1); count > 0; count--)
			{
				bands.push_back({part, texts.emplace_back(std::to_string(texts.size()) + ';'), bounds[count - 1]});
			}
		}
		random.shuffle(bands);
		BandTable table = table_of(bands);
		auto naive = [&](Part part, double value)
		{
			const BandDefinition *best = nullptr;
			for (const BandDefinition &band : bands)
			{
				if (band.part == part && value >= band.lower_bound &&
					(best == nullptr || band.lower_bound > best->lower_bound))
				{
					best = &band;
				}
			}
			return best == nullptr ? none : best->label;
		};
		for (size_t probe = 0; probe < 50; probe++)
		{
			double values[3];
			for (double &value : values)
			{
				value = random.one_in(2) ? static_cast<double>(random.between(-6, 11) * 10)
										 : 200 * random.share() - 75;
			}
			LabelSet labels = labels_of(table, values[2], values[0], values[1]);
			ASSERT_EQ(text_of(table, labels.fit), naive(Part::fit, values[0]));
			ASSERT_EQ(text_of(table, labels.engagement), naive(Part::engagement, values[1]));
			ASSERT_EQ(text_of(table, labels.total), naive(Part::total, values[2]));
			if (labels.fit != no_label && labels.engagement != no_label)
			{
				ASSERT_EQ(text_of(table, labels.label),
						  std::string(naive(Part::fit, values[0])).append(naive(Part::engagement, values[1])));
			}
		}
	}
}

TEST(Bands, AreRefusedWhereTheirPairsCannotBeNumbered)
{
	std::vector<std::string> texts;
	for (size_t count = 0; count < 256; count++)
	{
		texts.push_back(std::to_string(count));
	}
	auto pairs_of = [&](size_t fit, size_t engagement)
	{
		std::vector<BandDefinition> bands;
		for (size_t count = 0; count < fit; count++)
		{
			bands.push_back({Part::fit, texts[count], static_cast<double>(count)});
		}
		for (size_t count = 0; count < engagement; count++)
		{
			bands.push_back({Part::engagement, texts[count], static_cast<double>(count)});
		}
		return table_of(bands);
	};

	EXPECT_EQ(fault_of([&] { pairs_of(256, 255); }), Fault::limit_exceeded);
	EXPECT_EQ(fault_of([&] { pairs_of(256, 256); }), Fault::limit_exceeded);
	// 254 + 255 + 254 * 255 = 65279
	BandTable table = pairs_of(254, 255);
	EXPECT_EQ(text_of(table, labels_of(table, 0, 253, 254).label), "253254");
	EXPECT_EQ(text_of(table, labels_of(table, 0, 0, 0).label), "00");
}

} // namespace lead_scoring::core::test
