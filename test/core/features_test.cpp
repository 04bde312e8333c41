// Features of models, as a record's rows give them, beside what a few lines of arithmetic say.
#include "core/dataset.hpp"
#include "core/scorer.hpp"

#include "feed.hpp"
#include "model.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

namespace lead_scoring::core::test
{

namespace
{

// Features of one source of events with a value, a text and an instant, and of a record
class FeatureModel
{
public:
	FeatureModel()
	{
		definition_.kind = ScoreKind::combined;
		definition_.key_kind = KeyKind::integer;
		definition_.unique_keys = true;
		definition_.sources = sources_;
		definition_.record_columns = record_columns_;
		groups_.push_back({"plain"});
	}

	RuleDefinition &
	add(Statistic statistic, int32_t column = no_column)
	{
		RuleDefinition rule;
		rule.name = "feature";
		rule.source = 0;
		rule.criterion = always_;
		rule.points = 1;
		rule.statistic = statistic;
		rule.value_column = column;
		return rules_.emplace_back(rule);
	}

	RuleDefinition &
	add_of_record(Statistic statistic, int32_t column)
	{
		RuleDefinition &rule = add(statistic, column);
		rule.source = record_itself;
		return rule;
	}

	uint32_t
	add_decay(const Decay &decay)
	{
		decays_.push_back(decay);
		fades_.push_back({nullptr, &decays_.back(), -1});
		groups_.push_back({"decayed", Part::engagement, unlimited, 1, {&fades_.back(), 1}});
		return static_cast<uint32_t>(groups_.size() - 1);
	}

	Definition &
	definition()
	{
		definition_.rules = rules_;
		definition_.groups = groups_;
		return definition_;
	}

	test::Forest forest;

private:
	ColumnKind event_columns_[3] = {ColumnKind::real, ColumnKind::text, ColumnKind::integer};
	ColumnKind record_columns_[3] = {ColumnKind::real, ColumnKind::text, ColumnKind::integer};
	SourceDefinition sources_[1] = {{true, event_columns_}};
	const PredicateTree *always_ = forest.always();
	std::deque<Decay> decays_;
	std::deque<FadeDefinition> fades_;
	std::vector<GroupDefinition> groups_;
	std::vector<RuleDefinition> rules_;
	Definition definition_{};
};

// An event as a test writes it
struct Event
{
	uint64_t record;
	int64_t time;
	double value = not_a_number; // NULL
	std::string text = {};
	int64_t known = infinitely_old;
};

struct Lead
{
	uint64_t record;
	double value = not_a_number; // NULL
	std::string text = {};       // NULL if empty
	int64_t instant = infinitely_old;
};

// A batch of three columns with its memory
struct Rows
{
	std::vector<Key> keys;
	std::vector<int64_t> times;
	std::vector<Cell> cells = std::vector<Cell>(3 * batch_rows);
	std::vector<std::string_view> texts = std::vector<std::string_view>(batch_rows);
	bool nulls[3 * batch_rows] = {};

	void
	add(uint64_t record, int64_t time, double value, const std::string &text, int64_t instant)
	{
		size_t row = keys.size();
		keys.push_back({record, 0, {}});
		times.push_back(time);
		texts[row] = text;
		cells[row].real = value;
		nulls[row] = std::isnan(value);
		cells[batch_rows + row].text = &texts[row];
		nulls[batch_rows + row] = text.empty();
		cells[2 * batch_rows + row].integer = instant;
		nulls[2 * batch_rows + row] = instant == infinitely_old;
	}

	Batch
	batch(bool timed)
	{
		return {keys.size(), keys.data(), timed ? times.data() : nullptr, cells.data(), nulls};
	}
};

std::vector<double>
features_of(Scorer &scorer, const std::vector<Event> &events, const std::vector<Lead> &leads)
{
	Rows rows;
	Rows records;

	for (const Event &event : events)
	{
		rows.add(event.record, event.time, event.value, event.text, event.known);
	}
	for (const Lead &lead : leads)
	{
		records.add(lead.record, 0, lead.value, lead.text, lead.instant);
	}
	scorer.add_rows(0, rows.batch(true));
	std::vector<double> values(batch_rows * scorer.program().rules.size());
	bool in_scope[batch_rows];
	scorer.read_features(records.batch(false), values, in_scope);
	for (size_t row = 0; row < leads.size(); row++)
	{
		EXPECT_TRUE(in_scope[row]);
	}
	values.resize(leads.size() * scorer.program().rules.size());
	return values;
}

std::vector<double>
features_of(FeatureModel &model, const std::vector<Event> &events, const std::vector<Lead> &leads)
{
	Scorer scorer(model.definition(), as_of, plain, nullptr);

	return features_of(scorer, events, leads);
}

TEST(Features, OfEvents)
{
	FeatureModel model;
	model.add(Statistic::count);
	model.add(Statistic::has_any);
	model.add(Statistic::sum, 0);
	model.add(Statistic::average, 0);
	model.add(Statistic::minimum, 0);
	model.add(Statistic::maximum, 0);
	model.add(Statistic::distinct, 1);
	model.add(Statistic::days_since_newest);
	model.add(Statistic::days_since_oldest);
	model.add(Statistic::value, 0);
	const std::vector<Event> events = {{1, as_of - day_us, 3, "a"},
									   {1, as_of - 10 * day_us, -5, "b"},
									   {1, as_of - 4 * day_us, 1.5, "a"},
									   {1, as_of + 1, 100, "later"},
									   {2, as_of - 2 * day_us},
									   {3, as_of + day_us, 7, "x"}};
	std::vector<double> values = features_of(model, events, {{1}, {2}, {3}, {4}});
	const std::vector<std::vector<double>> expected = {
		{3, 1, -0.5, -0.5 / 3, -5, 3, 2, 1, 10, 3},
		{1, 1, 0, not_a_number, not_a_number, not_a_number, 0, 2, 2, not_a_number},
		{0, 0, 0, not_a_number, not_a_number, not_a_number, 0, not_a_number, not_a_number, not_a_number},
		{0, 0, 0, not_a_number, not_a_number, not_a_number, 0, not_a_number, not_a_number, not_a_number}};
	for (size_t record = 0; record < expected.size(); record++)
	{
		for (size_t feature = 0; feature < expected[record].size(); feature++)
		{
			double value = values[record * expected[record].size() + feature];
			if (std::isnan(expected[record][feature]))
			{
				EXPECT_TRUE(std::isnan(value)) << record << ", " << feature << ": " << value;
			}
			else
			{
				EXPECT_NEAR(value, expected[record][feature], 1e-12) << record << ", " << feature;
			}
		}
	}
}

TEST(Features, WithinAndCriterion)
{
	FeatureModel model;
	model.add(Statistic::count).within_us = 5 * day_us;
	model.add(Statistic::count, 0).criterion = model.forest.compare(Check::greater, 0, {real_value(2)});
	model.add(Statistic::days_since_newest).criterion = model.forest.compare(Check::less, 0, {real_value(0)});
	std::vector<double> values = features_of(
		model, {{1, as_of - 5 * day_us, 1}, {1, as_of - 5 * day_us - 1, 3}, {1, as_of - 9 * day_us, -3}}, {{1}});
	EXPECT_EQ(values[0], 1);
	EXPECT_EQ(values[1], 1);
	EXPECT_DOUBLE_EQ(values[2], 9);
}

// The newest row counts, even if it has no value; of several at one time one that has
TEST(Features, ValueOfTheNewestRow)
{
	FeatureModel model;
	const std::string_view known[] = {"old", "new"};
	model.add(Statistic::value, 0);
	model.add(Statistic::value, 1).categories = known;
	model.add(Statistic::value, 0).within_us = 5 * day_us;
	std::vector<double> values = features_of(model,
											 {{1, as_of - 2 * day_us, 7, "old"},
											  {1, as_of - day_us},
											  {2, as_of - day_us},
											  {2, as_of - day_us, 7, "new"},
											  {2, as_of - day_us, 5, "old"},
											  {2, as_of - day_us},
											  {3, as_of - 9 * day_us, -1, "new"},
											  {3, as_of + 1},
											  {4, as_of - 2 * day_us, 3, "new"},
											  {4, as_of - day_us, infinity, "old"}},
											 {{1}, {2}, {3}, {4}});
	const std::vector<double> expected = {not_a_number, not_a_number, not_a_number, 7, 0, 7, -1, 1, not_a_number, not_a_number, 0, not_a_number};
	ASSERT_EQ(values.size(), expected.size());
	for (size_t at = 0; at < values.size(); at++)
	{
		EXPECT_TRUE(std::isnan(expected[at]) ? std::isnan(values[at]) : values[at] == expected[at]) << at << ": " << values[at];
	}
}

TEST(Features, Decayed)
{
	FeatureModel model;
	uint32_t group = model.add_decay(parse_decay("half-life 10 days"));
	model.add(Statistic::count).group = group;
	model.add(Statistic::sum, 0).group = group;
	std::vector<double> values =
		features_of(model, {{1, as_of, 4}, {1, as_of - 10 * day_us, 8}, {1, as_of - 20 * day_us, 16}}, {{1}});
	EXPECT_NEAR(values[0], 1.75, 1e-12);
	EXPECT_NEAR(values[1], 12, 1e-12);
}

TEST(Features, UntilNext)
{
	FeatureModel model;
	RuleDefinition &next = model.add(Statistic::days_until_next);
	next.known_column = 2;
	std::vector<double> values = features_of(model,
											 {{1, as_of + 6 * day_us, 1, "", as_of},
											  {1, as_of + 2 * day_us, 1, "", as_of + 1},
											  {1, as_of + 9 * day_us, 1, "", as_of - day_us},
											  {1, as_of, 1, "", as_of - day_us},
											  {2, as_of + day_us, 1}},
											 {{1}, {2}});
	EXPECT_DOUBLE_EQ(values[0], 6);
	EXPECT_TRUE(std::isnan(values[1]));
}

TEST(Features, OfRecords)
{
	FeatureModel model;
	const std::string_view known[] = {"east", "west"};
	model.add_of_record(Statistic::value, 0);
	model.add_of_record(Statistic::value, 1).categories = known;
	model.add_of_record(Statistic::has_value, 1);
	model.add_of_record(Statistic::days_since, 2);
	model.add_of_record(Statistic::days_until, 2);
	std::vector<double> values =
		features_of(model, {}, {{1, 2.5, "west", as_of - 3 * day_us}, {2, infinity, "north"}, {3}});
	EXPECT_EQ(values[0], 2.5);
	EXPECT_EQ(values[1], 1);
	EXPECT_EQ(values[2], 1);
	EXPECT_EQ(values[3], 3);
	EXPECT_EQ(values[4], -3);
	EXPECT_TRUE(std::isnan(values[5]));
	EXPECT_EQ(values[6], unseen_category);
	EXPECT_EQ(values[7], 1);
	EXPECT_TRUE(std::isnan(values[8]));
	EXPECT_TRUE(std::isnan(values[11]));
	EXPECT_EQ(values[12], 0);
}

TEST(Features, CategoriesAreLearned)
{
	FeatureModel model;
	model.add_of_record(Statistic::value, 1);
	model.definition().learns_categories = true;
	Scorer scorer(model.definition(), as_of, plain, nullptr);
	std::vector<double> values = features_of(scorer, {}, {{1, 0, "b"}, {2, 0, "a"}, {3, 0, "b"}, {4}});
	EXPECT_EQ(values[0], 0);
	EXPECT_EQ(values[1], 1);
	EXPECT_EQ(values[2], 0);
	EXPECT_TRUE(std::isnan(values[3]));
	EXPECT_EQ(scorer.categories(0), (std::vector<std::string>{"b", "a"}));
}

// A record that is looked at as of an instant of its own has the features that it would have as of then
TEST(Features, OwnInstants)
{
	Random random(1);

	for (int trial = 0; trial < 50; trial++)
	{
		FeatureModel model;
		uint32_t group = model.add_decay(parse_decay("half-life 3 days"));
		model.add(Statistic::count).within_us = 7 * day_us;
		model.add(Statistic::sum, 0).group = group;
		model.add(Statistic::days_since_newest);
		model.add(Statistic::days_since_oldest);
		model.add(Statistic::days_until_next).known_column = 2;
		model.add(Statistic::distinct, 1);
		model.add_of_record(Statistic::days_since, 2);
		std::vector<Event> events;
		for (int event = 0; event < 30; event++)
		{
			int64_t time = as_of - static_cast<int64_t>(random.below(static_cast<size_t>(20 * day_us)));
			events.push_back({1 + random.below(3), time, static_cast<double>(random.below(5)), std::string(1, static_cast<char>('a' + random.below(4))),
							  time - static_cast<int64_t>(random.below(static_cast<size_t>(9 * day_us)))});
		}
		int64_t instants[3];
		for (int64_t &instant : instants)
		{
			instant = as_of - static_cast<int64_t>(random.below(static_cast<size_t>(15 * day_us)));
		}
		model.definition().own_instants = true;
		model.definition().instant_column = 2;
		Scorer own(model.definition(), as_of, plain, nullptr);
		Rows given;
		for (uint64_t record = 1; record <= 3; record++)
		{
			given.add(record, instants[record - 1], 0, "", 0);
		}
		own.add_instants(given.batch(true));
		std::vector<double> values =
			features_of(own, events, {{1, 0, "", instants[0]}, {2, 0, "", instants[1]}, {3, 0, "", instants[2]}});
		model.definition().own_instants = false;
		for (uint64_t record = 1; record <= 3; record++)
		{
			Scorer then(model.definition(), instants[record - 1], plain, nullptr);
			std::vector<double> expected = features_of(then, events, {{record, 0, "", instants[record - 1]}});
			for (size_t feature = 0; feature < expected.size(); feature++)
			{
				double value = values[(record - 1) * expected.size() + feature];
				EXPECT_TRUE((std::isnan(value) && std::isnan(expected[feature])) || std::fabs(value - expected[feature]) < 1e-9)
					<< "trial " << trial << ", feature " << feature << ": " << value << ", not " << expected[feature];
			}
		}
	}
}

} // namespace

} // namespace lead_scoring::core::test
