// Sources whose duplicates are dropped.
#include "core/scorer.hpp"

#include "feed.hpp"
#include "model.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

namespace lead_scoring::core::test
{

namespace
{

constexpr int64_t hour = hour_us;

struct Event
{
	int64_t age_us;
	std::optional<std::string> mark = "a";
	uint32_t record = 0;
};

std::vector<Row>
rows_of(const std::vector<Event> &events)
{
	std::vector<Row> rows;

	for (const Event &event : events)
	{
		int64_t time = event.age_us == infinitely_late ? infinitely_old : as_of - event.age_us;
		rows.push_back({event.record, time, {}, event.mark});
	}
	return rows;
}

constexpr int64_t for_ever = infinitely_late;

} // namespace

TEST(Cleaning, DropsWhatRepeatsAnEventThatWasKept)
{
	const struct
	{
		const char *what;
		int64_t dedup_us;
		std::vector<Event> events;
		double kept; // of record 0
	} cases[] = {
		{"one", hour, {{5}}, 1},
		{"two at once", hour, {{5}, {5}}, 1},
		{"within the hour", hour, {{hour}, {1}}, 1},
		{"an hour apart", hour, {{hour}, {0}}, 2},
		{"given in the other order", hour, {{0}, {hour - 1}, {hour}}, 2},
		{"a chain: each is near the one before, which was dropped", hour, {{hour + 40}, {hour / 2}, {0}}, 2},
		{"a longer chain", hour, {{90 * minute_us}, {60 * minute_us}, {30 * minute_us}, {0}}, 2},
		{"different marks", hour, {{5, "a"}, {5, "b"}}, 2},
		{"an empty mark is a mark", hour, {{5, ""}, {5, ""}, {5, "a"}}, 2},
		{"without a mark none repeats another", hour, {{5, std::nullopt}, {5, std::nullopt}}, 2},
		{"nor do those with marks", hour, {{5, std::nullopt}, {5, "a"}, {5, std::nullopt}, {5, "a"}}, 3},
		{"of other records", hour, {{5, "a", 0}, {5, "a", 1}, {5, "a", 2}}, 1},
		{"marks that begin alike", hour, {{5, "a very long mark, indeed 1"}, {5, "a very long mark, indeed 2"}}, 2},
		{"for ever", for_ever, {{900 * day_us}, {0}}, 1},
		{"for ever, by mark", for_ever, {{900 * day_us}, {0}, {0, "b"}}, 2},
		{"infinitely old", hour, {{infinitely_late}, {infinitely_late}}, 1},
		{"infinitely old, and not", hour, {{infinitely_late}, {0}}, 2},
		{"infinitely old, for ever", for_ever, {{infinitely_late}, {0}}, 1},
		{"later than now does not exist", hour, {{-1}, {0}}, 1},
		{"and hides nothing", for_ever, {{-1}}, 0},
	};

	for (const auto &test : cases)
	{
		Model model;
		int32_t events = model.add_source(true, {});
		model.clean(events, test.dedup_us, true);
		model.add_rule(model.add_group(Part::engagement), events, 1);
		EXPECT_EQ(score_of(model, rows_of(test.events)).total, test.kept) << test.what;
	}
}

TEST(Cleaning, WithoutAMarkSpacesAllEventsOfARecord)
{
	const struct
	{
		std::vector<Event> events;
		double kept;
	} cases[] = {
		{{{0}, {1}, {2}}, 1},
		{{{0}, {hour}, {2 * hour}}, 3},
		{{{0}, {hour - 1}, {2 * hour - 1}}, 2},
		{{{0}, {0, "", 1}}, 1},
	};

	for (const auto &test : cases)
	{
		Model model;
		int32_t events = model.add_source(true, {});
		model.clean(events, hour, false);
		model.add_rule(model.add_group(Part::engagement), events, 1);
		EXPECT_EQ(score_of(model, rows_of(test.events)).total, test.kept) << test.events.size();
	}
}

TEST(Cleaning, ComesAfterResets)
{
	// What a reset has undone cannot hide what came after
	Model model;
	model.has_resets = true;
	int32_t events = model.add_source(true, {});
	model.clean(events, for_ever, true);
	model.add_rule(model.add_group(Part::engagement), events, 1);
	Facts facts{{rows_of({{5 * day_us}, {0}})}, {}, {{0}}};

	facts.resets = {{0, as_of - day_us}};
	Fed reset(model, facts, plain);
	reset.feed();
	EXPECT_EQ(reset.finish()[0].total, 1);
	facts.rows[0][1].time = as_of + 1;
	Fed none(model, facts, plain);
	none.feed();
	EXPECT_EQ(none.finish()[0].total, 0);
}

TEST(Cleaning, DropsForAllRulesAndTheScopeAtOnce)
{
	Model model;
	int32_t events = model.add_source(true, {ColumnKind::code});
	model.clean(events, hour, true);
	uint32_t group = model.add_group(Part::engagement);
	// The first event of its mark is no visit, so the visit is a duplicate even for rules about visits
	model.add_rule(group, events, 1, model.forest.text_is(0, "visit"));
	model.add_frequency(group, events, 10, {0, 0}, model.forest.text_is(0, "visit"));
	const std::vector<Row> rows = {{0, as_of - 10, {text_value("mail")}, "a"}, {0, as_of, {text_value("visit")}, "a"}};

	EXPECT_EQ(score_of(model, rows).total, 10);
	model.add_scope(true, events, model.forest.text_is(0, "visit"));
	EXPECT_FALSE(score_of(model, rows).in_scope);
}

TEST(Cleaning, IsNoMatterOfBatches)
{
	// The last event of a batch and the first of the next
	Model model;
	int32_t events = model.add_source(true, {});
	model.clean(events, hour, true);
	model.add_rule(model.add_group(Part::engagement), events, 1);
	std::vector<Row> rows;
	for (size_t at = 0; at < 3 * batch_rows; at++)
	{
		rows.push_back({static_cast<uint32_t>(at / 100),
						as_of - static_cast<int64_t>(at % 100) * 40 * minute_us,
						{},
						"a"});
	}
	Facts facts{{rows}, {}, {{0}, {1}, {2}, {3}, {4}, {5}, {6}}};
	Random random(1);

	for (size_t round = 0; round < 20; round++)
	{
		Fed fed(model, facts, plain);
		fed.feed(random);
		for (const ScoreResult &result : fed.finish())
		{
			EXPECT_EQ(result.total, 50);
		}
	}
}

TEST(Cleaning, KeepsSourcesApart)
{
	// A record, or the only one asked for, may be the last of one source and the first of the next
	for (bool marks : {false, true})
	{
		for (int64_t dedup_us : {hour, for_ever})
		{
			Model model;
			uint32_t group = model.add_group(Part::engagement);
			for (double points : {1, 10})
			{
				int32_t events = model.add_source(true, {});
				model.clean(events, dedup_us, marks);
				model.add_rule(group, events, points);
			}
			Facts facts{{rows_of({{0}}), rows_of({{10}})}, {}, {{0}}};
			Fed fed(model, facts, plain);
			fed.feed();
			EXPECT_EQ(fed.finish()[0].total, 11) << (marks ? "by mark" : "all");
		}
	}
}

TEST(Cleaning, BeginsAnewOnceCleared)
{
	Model model;
	int32_t events = model.add_source(true, {});
	model.clean(events, for_ever, true);
	model.add_rule(model.add_group(Part::engagement), events, 1);
	Facts facts{{rows_of({{0}})}, {}, {{0}}};
	Fed fed(model, facts, plain);

	for (size_t pass = 0; pass < 3; pass++)
	{
		fed.feed();
		EXPECT_EQ(fed.finish()[0].total, 1) << pass;
		fed.scorer().clear();
	}
}

TEST(Cleaning, DropsDuplicatesFromActivityToo)
{
	Model model;
	int32_t events = model.add_source(true, {});
	model.clean(events, for_ever, true);
	Facts facts{{rows_of({{10 * day_us}, {0}})}, {}, {{0}}};
	Fed fed(model, facts, with_activity);
	fed.feed();

	EXPECT_EQ(fed.finish()[0].last_activity, as_of - 10 * day_us);
}

} // namespace lead_scoring::core::test
