#include "core/scorer.hpp"

#include "feed.hpp"
#include "model.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

namespace lead_scoring::core::test
{

TEST(Scorer, PaysPropertyRulesForTheRecordItself)
{
	// E4 with an unknown state: a NULL matches nothing but "is unknown"
	Model model;
	model.kind = ScoreKind::fit;
	model.record_columns = {ColumnKind::code, ColumnKind::code};
	uint32_t group = model.add_group(Part::fit);
	model.add_rule(group, record_itself, 10, model.forest.text_is(0, "hospitality"));
	model.add_rule(group, record_itself, 15, model.forest.text_is(1, "Northeast"));
	model.add_rule(group, record_itself, 1, model.forest.negation(model.forest.text_is(1, "Northeast")));
	model.add_rule(group, record_itself, 100, model.forest.column(Check::is_null, 1));
	const struct
	{
		Value industry;
		Value state;
		double total;
	} cases[] = {
		{text_value("hospitality"), text_value("West"), 11},
		{text_value("retail"), text_value("Northeast"), 15},
		{text_value("hospitality"), text_value("Northeast"), 25},
		{text_value("retail"), text_value("West"), 1},
		{null_value(), null_value(), 100},
	};

	for (const auto &test : cases)
	{
		ScoreResult result = score_of(model, {}, {test.industry, test.state});
		EXPECT_EQ(result.total, test.total);
		EXPECT_EQ(result.fit, test.total);
		EXPECT_TRUE(std::isnan(result.engagement));
	}
}

TEST(Scorer, RefusesASecondRecordWithTheSameKey)
{
	const struct
	{
		const char *what;
		std::vector<uint32_t> records;
		size_t batch;
		bool duplicate;
	} cases[] = {
		{"all different", {0, 1, 2, 3, 4}, 5, false},
		{"in one batch", {0, 1, 2, 1}, 4, true},
		{"side by side", {0, 0}, 2, true},
		{"in the next batch", {0, 1, 2, 0}, 3, true},
		{"in a later batch", {0, 1, 2, 3, 4, 1}, 1, true},
	};

	for (const auto &test : cases)
	{
		for (KeyKind kind : {KeyKind::integer, KeyKind::uuid, KeyKind::text})
		{
			for (bool unique : {false, true})
			{
				Model model;
				model.key_kind = kind;
				model.unique_keys = unique;
				int32_t events = model.add_source(true, {});
				model.add_rule(model.add_group(Part::engagement), events, 1);
				// Rows of sources may repeat a key, and come in another order than the records
				Facts facts{{{{3}, {1}, {1}, {0}}}, {}, {}};
				for (uint32_t record : test.records)
				{
					facts.records.push_back({record});
				}
				Fed fed(model, facts, plain);
				fed.feed();
				std::optional<Fault> fault = fault_of([&] { fed.finish([&] { return test.batch; }); });
				// A relation that guarantees unique keys is believed
				EXPECT_EQ(fault, test.duplicate && !unique ? std::optional<Fault>(Fault::duplicate_key) : std::nullopt)
					<< test.what;
			}
		}
	}
}

TEST(Scorer, ExplainsNoRecordWhoseKeyIsNotItsOwn)
{
	for (bool unique : {false, true})
	{
		Model model;
		model.unique_keys = unique;
		model.add_rule(model.add_group(Part::fit), record_itself, 7);
		Facts facts{{}, {}, {{5}, {5}}};
		Fed fed(model, facts, with_detail);
		Account account;
		std::optional<Fault> fault = fault_of([&] { EXPECT_EQ(fed.explain(0, account).total, 7); });
		EXPECT_EQ(fault, unique ? std::nullopt : std::optional<Fault>(Fault::duplicate_key));
	}
}

TEST(Scorer, FindsNoDuplicateAmongManyRecords)
{
	Model model;
	model.unique_keys = false;
	int32_t events = model.add_source(true, {});
	model.add_rule(model.add_group(Part::engagement), events, 1);
	Facts facts{{{}}, {}, {}};
	for (uint32_t record = 0; record < 20'000; record++)
	{
		facts.records.push_back({record});
	}
	Fed fed(model, facts, plain);

	EXPECT_EQ(fed.finish().size(), 20'000u);
	facts.records = {{19'999}};
	EXPECT_EQ(fault_of([&] { fed.finish(); }), Fault::duplicate_key);
}

TEST(Scorer, KeepsTheStatesOfManyRecordsApart)
{
	constexpr uint32_t records = 50'000;

	for (KeyKind kind : {KeyKind::integer, KeyKind::uuid, KeyKind::text})
	{
		Random random(7);
		Model model;
		model.key_kind = kind;
		int32_t events = model.add_source(true, {ColumnKind::integer});
		uint32_t group = model.add_group(Part::engagement);
		model.add_rule(group, events, 1);
		model.add_frequency(group, events, 1000, {2, infinity});
		Facts facts{{{}}, {}, {}};
		std::vector<uint32_t> counts(records);
		for (uint32_t row = 0; row < records; row++)
		{
			uint32_t record = static_cast<uint32_t>(random.below(records));
			counts[record]++;
			facts.rows[0].push_back({record, as_of, {integer_value(0)}});
		}
		for (uint32_t record = 0; record < records; record++)
		{
			facts.records.push_back({record});
		}
		Fed fed(model, facts, plain);
		fed.feed();
		std::vector<ScoreResult> results = fed.finish();
		for (uint32_t record = 0; record < records; record++)
		{
			ASSERT_EQ(results[record].total, counts[record] + (counts[record] >= 2 ? 1000 : 0)) << record;
		}
	}
}

} // namespace lead_scoring::core::test
