// Random scores over random facts, against the specification read plainly; and against themselves in other orders.
#include "reference.hpp"

#include "core/scorer.hpp"
#include "random_model.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace lead_scoring::core::test
{

namespace
{

double
hair(long double expected)
{
	return 1e-9 * std::max(1.0, static_cast<double>(std::fabs(expected)));
}

void
expect_close(double value, long double expected, const char *what)
{
	EXPECT_NEAR(value, static_cast<double>(expected), hair(expected)) << what;
}

void
expect_rounded(double value, long double expected, const char *what)
{
	EXPECT_NEAR(value, static_cast<double>(expected), 0.00005 + hair(expected)) << what;
	EXPECT_EQ(value, round_score(value)) << what;
}

void
expect_result(const Model &model, const Scorer &scorer, const ScoreResult &result, const NaiveScore &expected,
			  const Record &record)
{
	ASSERT_EQ(result.in_scope, expected.in_scope);
	if (!result.in_scope)
	{
		EXPECT_EQ(result.labels.label, no_label);
		EXPECT_EQ(result.labels.total, no_label);
		EXPECT_EQ(result.labels.fit, no_label);
		EXPECT_EQ(result.labels.engagement, no_label);
		return;
	}
	expect_rounded(result.total, expected.total, "total");
	expect_rounded(result.machine, expected.machine, "machine");
	expect_rounded(result.adjustment, expected.adjustment, "adjustment");
	EXPECT_EQ(result.is_open, expected.is_open);
	EXPECT_EQ(std::isnan(result.fit), model.kind == ScoreKind::engagement);
	EXPECT_EQ(std::isnan(result.engagement), model.kind == ScoreKind::fit);
	if (model.kind != ScoreKind::engagement)
	{
		expect_rounded(result.fit, expected.parts[0].value, "fit");
	}
	if (model.kind != ScoreKind::fit)
	{
		expect_rounded(result.engagement, expected.parts[1].value, "engagement");
	}
	EXPECT_EQ(text_of(scorer, result.labels.total), naive_label(model, Part::total, result.total, record));
	EXPECT_EQ(text_of(scorer, result.labels.fit), naive_label(model, Part::fit, result.fit, record));
	EXPECT_EQ(text_of(scorer, result.labels.engagement),
			  naive_label(model, Part::engagement, result.engagement, record));
}

void
expect_step(const StepOutcome &step, const NaiveStep &expected)
{
	expect_close(step.weighted, expected.weighted, "weighted");
	expect_close(step.value, expected.value, "value");
	double last = step.weighted;
	for (const MultiplierOutcome &multiplier : step.multipliers)
	{
		EXPECT_EQ(multiplier.before, last);
		last = multiplier.after;
	}
	EXPECT_EQ(step.value, last);
}

void
expect_account(const Account &account, const NaiveScore &expected)
{
	ASSERT_EQ(account.rules.size(), expected.rules.size());
	for (size_t rule = 0; rule < account.rules.size(); rule++)
	{
		SCOPED_TRACE(testing::Message() << "rule " << rule);
		EXPECT_EQ(static_cast<size_t>(account.rules[rule].matched), expected.rules[rule].matched);
		expect_close(account.rules[rule].raw, expected.rules[rule].raw, "raw");
		expect_close(account.rules[rule].decayed, expected.rules[rule].decayed, "decayed");
	}
	ASSERT_EQ(account.groups.size(), expected.groups.size());
	for (size_t group = 0; group < account.groups.size(); group++)
	{
		SCOPED_TRACE(testing::Message() << "group " << group);
		expect_close(account.groups[group].sum, expected.groups[group].sum, "sum");
		expect_close(account.groups[group].limited, expected.groups[group].limited, "limited");
		expect_step(account.groups[group], expected.groups[group]);
	}
	for (size_t part = 0; part < 3; part++)
	{
		SCOPED_TRACE(testing::Message() << "part " << part);
		expect_step(account.parts[part], expected.parts[part]);
	}
	expect_close(account.adjustment, expected.adjustment, "adjustment");
	expect_close(account.unlimited_total, expected.parts[2].value + expected.adjustment, "total before its limits");
}

} // namespace

TEST(Reference, AgreesWithTheScorerAndItsAccounts)
{
	size_t in_scope = 0;
	size_t nonzero = 0;
	size_t labelled = 0;
	size_t dormant = 0;

	for (uint64_t seed = 1; seed <= 400; seed++)
	{
		SCOPED_TRACE(testing::Message() << "seed " << seed);
		Random random(seed);
		Model model;
		make_random_model(random, model);
		Facts facts = make_random_facts(random, model);
		std::vector<RecordFacts> sorted = facts_by_record(model, facts);

		Fed lean(model, facts, with_activity);
		lean.feed();
		std::vector<ScoreResult> results = lean.finish();
		// Each record is explained by itself, among others that come again and again
		model.unique_keys = true;
		Fed detailed(model, facts, with_detail);
		detailed.feed(random);
		for (size_t record = 0; record < facts.records.size(); record++)
		{
			SCOPED_TRACE(testing::Message() << "record " << facts.records[record].number);
			NaiveScore expected = naive_score(model, sorted[record]);
			expect_result(model, lean.scorer(), results[record], expected, facts.records[record]);
			Account account;
			ScoreResult explained = detailed.explain(record, account);
			EXPECT_TRUE(same_bits(explained, results[record]));
			if (expected.in_scope)
			{
				expect_account(account, expected);
				EXPECT_EQ(results[record].has_activity, expected.has_activity);
				EXPECT_TRUE(!expected.has_activity || results[record].last_activity == expected.last_activity);
				EXPECT_EQ(results[record].dormant, expected.dormant);
			}
			in_scope += results[record].in_scope;
			nonzero += results[record].in_scope && results[record].total != 0;
			labelled += results[record].labels.label != no_label;
			dormant += results[record].dormant;
		}
		if (HasFailure())
		{
			return;
		}
	}
	// The agreement is about something
	EXPECT_GT(in_scope, 10'000u);
	EXPECT_GT(nonzero, 8'000u);
	EXPECT_GT(labelled, 3'000u);
	EXPECT_GT(dormant, 1'000u);
}

TEST(Scorer, GivesTheSameBitsInAnyOrderInAnyBatchesWithAndWithoutDetail)
{
	for (uint64_t seed = 1001; seed <= 1200; seed++)
	{
		SCOPED_TRACE(testing::Message() << "seed " << seed);
		Random random(seed);
		Model model;
		make_random_model(random, model);
		Facts facts = make_random_facts(random, model);
		Fed first(model, facts, plain);
		first.feed();
		std::vector<ScoreResult> expected = first.finish();

		for (size_t run = 0; run < 4; run++)
		{
			Fed other(model, facts, {run % 2 == 1, run >= 2, run % 3 == 0});
			other.feed(random);
			std::vector<ScoreResult> results = other.finish([&] { return 1 + random.below(batch_rows); });
			ASSERT_EQ(results.size(), expected.size());
			for (size_t record = 0; record < results.size(); record++)
			{
				ASSERT_TRUE(same_bits(results[record], expected[record]))
					<< "record " << facts.records[record].number << ": " << results[record].total << " and "
					<< expected[record].total;
			}
		}
	}
}

TEST(Scorer, MissesNothingInTheRowsAndColumnsThatItSaysItNeeds)
{
	size_t left_out = 0;

	for (uint64_t seed = 2001; seed <= 2300; seed++)
	{
		SCOPED_TRACE(testing::Message() << "seed " << seed);
		Random random(seed);
		Model model;
		make_random_model(random, model);
		Facts facts = make_random_facts(random, model);
		Fed all(model, facts, plain);
		all.feed();
		std::vector<ScoreResult> expected = all.finish();

		for (EvaluationNeeds needs : {plain, with_detail, with_activity, with_due})
		{
			model.unique_keys = true;
			Fed thrifty(model, facts, needs);
			thrifty.feed_needed(random);
			left_out += thrifty.left_out();
			std::vector<ScoreResult> results = thrifty.finish();
			for (size_t record = 0; record < results.size(); record++)
			{
				ASSERT_TRUE(same_bits(results[record], expected[record]))
					<< "record " << facts.records[record].number << ": " << results[record].total << " and "
					<< expected[record].total;
			}
		}
	}
	EXPECT_GT(left_out, 10'000u);
}

TEST(Scorer, BeginsAnewOnceCleared)
{
	for (uint64_t seed = 3001; seed <= 3040; seed++)
	{
		Random random(seed);
		Model model;
		make_random_model(random, model);
		Facts facts = make_random_facts(random, model);
		Fed fed(model, facts, with_activity);
		fed.feed();
		std::vector<ScoreResult> expected = fed.finish();

		fed.scorer().clear();
		fed.feed();
		std::vector<ScoreResult> again = fed.finish();
		for (size_t record = 0; record < again.size(); record++)
		{
			ASSERT_TRUE(same_bits(again[record], expected[record])) << "seed " << seed;
			ASSERT_EQ(again[record].has_activity, expected[record].has_activity) << "seed " << seed;
			ASSERT_EQ(again[record].last_activity, expected[record].last_activity) << "seed " << seed;
		}
	}
}

} // namespace lead_scoring::core::test
