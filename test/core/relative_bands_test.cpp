// Bands of segments, and bands for the best records.
#include "core/bands.hpp"

#include "feed.hpp"
#include "model.hpp"
#include "support.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace lead_scoring::core::test
{

namespace
{

constexpr std::string_view none = "(none)";

BandDefinition
band_from(double lower_bound, std::string_view label)
{
	return {Part::total, label, lower_bound};
}

BandDefinition
best_of(uint32_t capacity, std::string_view label, double lower_bound = -infinity)
{
	return {Part::total, label, lower_bound, capacity};
}

BandDefinition
top_of(double share, std::string_view label, double lower_bound = -infinity)
{
	return {Part::total, label, lower_bound, 0, share};
}

BandDefinition
of_segment(BandDefinition band, std::string_view segment, const PredicateTree *criterion)
{
	band.segment_text = segment;
	band.segment = criterion;
	return band;
}

// What a band takes of so many ranked records
size_t
size_of(const RelativeBand &band, size_t ranked)
{
	size_t size = band.capacity != 0
					  ? band.capacity
					  : static_cast<size_t>(std::ceil(band.top_share * static_cast<double>(ranked) - 1e-9));

	return std::min(size, ranked);
}

// A record to be ranked
struct Ranked
{
	double value;
	Key key;
	bool is_open = true;
	uint16_t ladder = 0;
};

// Set the cuts as a ranking of these records would
void
set_cuts(BandTable &table, KeyKind kind, const std::vector<Ranked> &records)
{
	for (RelativeBand &band : table.relative())
	{
		std::vector<Ranked> ranked;
		for (const Ranked &record : records)
		{
			if (record.is_open && record.ladder == band.ladder)
			{
				ranked.push_back(record);
			}
		}
		std::sort(ranked.begin(), ranked.end(),
				  [&](const Ranked &left, const Ranked &right)
				  {
					  return left.value != right.value ? left.value > right.value
													   : key_before(kind, left.key, right.key);
				  });
		size_t size = size_of(band, ranked.size());
		band.cut = size == 0 ? Cut{} : Cut{true, ranked[size - 1].value, ranked[size - 1].key};
	}
}

std::string_view
label_of(const BandTable &table, const Ranked &record)
{
	const double values[] = {not_a_number, not_a_number, record.value};
	LadderChoice choice;
	choice.ladder[static_cast<size_t>(Part::total)] = record.ladder;
	uint16_t label = table.labels(values, choice, record.key, record.is_open).total;

	return label == no_label ? none : std::string_view(table.texts().at(label));
}

Key
integer_key(int64_t number)
{
	return {static_cast<uint64_t>(number), 0, {}};
}

BandTable
table_of(const std::vector<BandDefinition> &bands, KeyKind kind = KeyKind::integer)
{
	return BandTable(bands, std::vector<uint32_t>(bands.size(), always_segment), kind);
}

} // namespace

TEST(RelativeBands, TakeTheBestAndAtATieThoseWithTheLowerKeys)
{
	const std::vector<Ranked> records = {
		{90, integer_key(5)}, {80, integer_key(-7)}, {80, integer_key(3)},  {80, integer_key(4)},
		{70, integer_key(1)}, {10, integer_key(2)},  {99, integer_key(0), false},
	};
	const struct
	{
		const char *what;
		std::vector<BandDefinition> bands;
		std::string_view labels; // one letter for each record
	} cases[] = {
		{"the best one", {best_of(1, "A")}, "A------"},
		{"the best three: of the ties the lower keys", {best_of(3, "A")}, "AAA----"},
		{"all that there are", {best_of(100, "A")}, "AAAAAA-"},
		{"capacities, smallest first", {best_of(3, "B"), best_of(1, "A")}, "ABB----"},
		{"the rest", {best_of(1, "A"), band_from(-infinity, "C")}, "ACCCCCC"},
		{"a third", {top_of(1.0 / 3, "A")}, "AA-----"},
		{"a share is rounded up", {top_of(0.35, "A")}, "AAA----"},
		{"a hair of a share", {top_of(0.001, "A")}, "A------"},
		{"everybody", {top_of(1, "A")}, "AAAAAA-"},
		{"shares, smallest first", {top_of(1, "C"), top_of(0.5, "B"), top_of(0.2, "A")}, "AABCCC-"},
		{"capacity before share", {top_of(0.01, "B"), best_of(2, "A")}, "AA-----"},
		{"both a number and a bound", {best_of(5, "A", 80)}, "AAAA---"},
		{"both a share and a bound", {top_of(1, "A", 75), band_from(50, "B")}, "AAAAB-B"},
		{"relative before bounds", {band_from(95, "B"), best_of(1, "A")}, "A-----B"},
		{"bounds from the highest down",
		 {band_from(50, "B"), band_from(85, "A"), band_from(-infinity, "C")},
		 "ABBBBCA"},
	};

	for (const auto &test : cases)
	{
		BandTable table = table_of(test.bands);
		set_cuts(table, KeyKind::integer, records);
		std::string labels;
		for (const Ranked &record : records)
		{
			std::string_view label = label_of(table, record);
			labels += label == none ? '-' : label[0];
		}
		EXPECT_EQ(labels, test.labels) << test.what;
	}
}

TEST(RelativeBands, TakeNobodyUntilTheirCutIsSet)
{
	BandTable table = table_of({best_of(5, "A"), band_from(10, "B")});

	EXPECT_EQ(label_of(table, {50, integer_key(1)}), "B");
	set_cuts(table, KeyKind::integer, {});
	EXPECT_EQ(label_of(table, {50, integer_key(1)}), "B");
	set_cuts(table, KeyKind::integer, {{50, integer_key(1)}});
	EXPECT_EQ(label_of(table, {50, integer_key(1)}), "A");
}

TEST(RelativeBands, OrderKeysByValueOrByBytes)
{
	auto uuid = [](const char (&bytes)[17])
	{
		Key key{};
		std::copy(bytes, bytes + 8, reinterpret_cast<char *>(&key.low));
		std::copy(bytes + 8, bytes + 16, reinterpret_cast<char *>(&key.high));
		return key;
	};
	auto text = [](std::string_view bytes) { return Key{0, 0, bytes}; };
	const std::vector<std::pair<KeyKind, std::vector<Key>>> ordered = {
		{KeyKind::integer,
		 {integer_key(std::numeric_limits<int64_t>::min()), integer_key(-1), integer_key(0), integer_key(256),
		  integer_key(std::numeric_limits<int64_t>::max())}},
		{KeyKind::uuid,
		 {uuid("aaaaaaaaaaaaaaaa"), uuid("aaaaaaaaaaaaaaab"), uuid("aaaaaaaabaaaaaaa"), uuid("aaaaaaabaaaaaaaa"),
		  uuid("baaaaaaaaaaaaaaa"), uuid("\xff"
										 "aaaaaaaaaaaaaaa")}},
		{KeyKind::text, {text(""), text("10"), text("9"), text("Z"), text("a"), text("aa"), text("\xc3\xa4")}},
	};

	for (const auto &[kind, keys] : ordered)
	{
		for (size_t left = 0; left < keys.size(); left++)
		{
			for (size_t right = 0; right < keys.size(); right++)
			{
				EXPECT_EQ(key_before(kind, keys[left], keys[right]), left < right) << left << ' ' << right;
			}
		}
	}
}

TEST(RelativeBands, AgreeWithASortOfAllRecords)
{
	for (uint64_t seed = 1; seed <= 500; seed++)
	{
		Random random(seed);
		auto kind = static_cast<KeyKind>(random.below(3));
		Keys keys(kind, 200);
		std::vector<BandDefinition> bands;
		for (uint32_t capacity : {3u, 10u, 40u})
		{
			if (random.one_in(2))
			{
				bands.push_back(best_of(capacity, "best", random.one_in(3) ? 3 : -infinity));
			}
		}
		for (double share : {0.07, 0.25, 1.0})
		{
			if (random.one_in(3))
			{
				bands.push_back(top_of(share, "top", random.one_in(3) ? 2 : -infinity));
			}
		}
		bands.push_back(band_from(4, "high"));
		random.shuffle(bands);
		BandTable table = table_of(bands, kind);
		std::vector<Ranked> records;
		for (uint32_t record = 0; record < random.below(200); record++)
		{
			records.push_back({static_cast<double>(random.below(8)), keys.key(record), !random.one_in(5)});
		}
		set_cuts(table, kind, records);

		auto trial = [](const BandDefinition &band)
		{
			constexpr double last = infinity;
			return std::tuple(band.capacity == 0 ? last : band.capacity, band.top_share == 0 ? last : band.top_share,
							  -band.lower_bound);
		};
		std::sort(bands.begin(), bands.end(),
				  [&](const BandDefinition &left, const BandDefinition &right) { return trial(left) < trial(right); });
		auto open = static_cast<size_t>(
			std::count_if(records.begin(), records.end(), [](const Ranked &record) { return record.is_open; }));
		for (const Ranked &record : records)
		{
			auto better = static_cast<size_t>(std::count_if(
				records.begin(), records.end(),
				[&](const Ranked &other)
				{
					return other.is_open && (other.value > record.value ||
											 (other.value == record.value && key_before(kind, other.key, record.key)));
				}));
			std::string_view expected = none;
			for (const BandDefinition &band : bands)
			{
				bool relative = band.capacity != 0 || band.top_share != 0;
				size_t size = relative ? size_of({band.part, 0, band.capacity, band.top_share, {}}, open) : SIZE_MAX;
				if (expected == none && record.value >= band.lower_bound &&
					(!relative || (record.is_open && better < size)))
				{
					expected = band.label;
				}
			}
			ASSERT_EQ(label_of(table, record), expected) << "seed " << seed;
		}
	}
}

TEST(SegmentBands, AreThoseOfTheFirstSegmentInOrderOfItsText)
{
	Model model;
	Forest &forest = model.forest;
	model.record_columns = {ColumnKind::code, ColumnKind::real};
	model.add_value(model.add_group(Part::fit), record_itself, 1, Counting::each, Rollup::sum).value_column = 1;
	const PredicateTree *north = forest.text_is(0, "north");
	const PredicateTree *any_region = forest.column(Check::is_not_null, 0);
	model.bands = {
		of_segment(band_from(10, "north high"), "b: region = north", north),
		band_from(50, "high"),
		band_from(-infinity, "low"),
		of_segment(band_from(20, "some high"), "c: region is known", any_region),
		of_segment(band_from(-infinity, "some low"), "c: region is known", any_region),
		of_segment(band_from(5, "capital"), "B: capital", forest.text_is(0, "capital")),
	};
	const struct
	{
		const char *region;
		double value;
		std::string_view label;
	} cases[] = {
		{nullptr, 60, "high"},     {nullptr, 40, "low"},       {"south", 60, "some high"}, {"south", 19, "some low"},
		{"north", 10, "north high"},
		// The first segment that holds decides alone, even if it has no band for the value
		{"north", 9, none},
		{"capital", 5, "capital"}, {"capital", 4, none},
	};

	for (const auto &test : cases)
	{
		Facts facts{{},
					{},
					{{0,
					  {test.region == nullptr ? null_value() : text_value(test.region),
					   real_value(test.value)}}}};
		Fed fed(model, facts, plain);
		ScoreResult result = fed.finish()[0];
		EXPECT_EQ(text_of(fed.scorer(), result.labels.total), test.label) << test.value;
		EXPECT_EQ(result.labels.label, result.labels.total);
	}
}

TEST(SegmentBands, OfPartsMakePairsOfAnyLabels)
{
	Model model;
	Forest &forest = model.forest;
	model.record_columns = {ColumnKind::code};
	model.add_rule(model.add_group(Part::fit), record_itself, 50);
	model.add_rule(model.add_group(Part::engagement), record_itself, 50);
	auto part_band = [](Part part, double lower_bound, std::string_view label)
	{ return BandDefinition{part, label, lower_bound}; };
	model.bands = {
		part_band(Part::fit, 40, "A"),
		part_band(Part::fit, -infinity, "B"),
		of_segment(part_band(Part::fit, 60, "A"), "large", forest.text_is(0, "large")),
		of_segment(part_band(Part::fit, -infinity, "X"), "large", forest.text_is(0, "large")),
		part_band(Part::engagement, 40, "1"),
		of_segment(part_band(Part::engagement, 40, "2"), "small", forest.text_is(0, "small")),
		of_segment(part_band(Part::engagement, 60, "3"), "tiny", forest.text_is(0, "tiny")),
	};
	const struct
	{
		const char *size;
		std::string_view label;
	} cases[] = {{"medium", "A1"}, {"large", "X1"}, {"small", "A2"}, {"tiny", none}};

	for (const auto &test : cases)
	{
		Facts facts{{}, {}, {{0, {text_value(test.size)}}}};
		Fed fed(model, facts, plain);
		EXPECT_EQ(text_of(fed.scorer(), fed.finish()[0].labels.label), test.label) << test.size;
	}
}

TEST(SegmentBands, RankTheirRecordsAmongThemselves)
{
	Model model;
	model.record_columns = {ColumnKind::code, ColumnKind::real};
	model.add_value(model.add_group(Part::fit), record_itself, 1, Counting::each, Rollup::sum).value_column = 1;
	model.open_when = model.forest.compare(Check::less, 1, {real_value(100)});
	model.bands = {best_of(2, "A"), band_from(-infinity, "B"),
				   of_segment(best_of(1, "A"), "north", model.forest.text_is(0, "north")),
				   of_segment(band_from(0, "C"), "north", model.forest.text_is(0, "north"))};
	Facts facts{{},
				{},
				{{0, {text_value("north"), real_value(5)}},
				 {1, {text_value("south"), real_value(50)}},
				 {2, {text_value("north"), real_value(7)}},
				 {3, {text_value("south"), real_value(50)}},
				 {4, {text_value("south"), real_value(50)}},
				 {5, {text_value("south"), real_value(100)}}}};
	Fed fed(model, facts, plain);
	std::vector<Ranked> records;
	for (const ScoreResult &result : fed.finish())
	{
		Key key = fed.keys().key(facts.records[records.size()].number);
		records.push_back({result.total, key, result.is_open, result.ladders.ladder[static_cast<size_t>(Part::total)]});
	}
	set_cuts(fed.scorer().bands(), model.key_kind, records);
	std::string labels;
	for (const ScoreResult &result : fed.finish())
	{
		labels += text_of(fed.scorer(), result.labels.label);
	}

	EXPECT_EQ(labels, "CAAABB");
}

} // namespace lead_scoring::core::test
