// Until it is due, a score stays what it is: random scores over random facts, looked at again and again.
#include "feed.hpp"
#include "model.hpp"
#include "random_model.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <vector>

namespace lead_scoring::core::test
{

namespace
{

// What became of the claims, to see that they are about something
struct Claims
{
	size_t never = 0;
	size_t always = 0;
	size_t some_time = 0;
	size_t moments = 0;  // compared before that time
	size_t kept = 0;     // scores that did change when they were due
	size_t restless = 0; // scores that changed, of those that may at any time
};

// All durations that a score knows of
std::vector<int64_t>
durations_of(const Model &model)
{
	std::vector<int64_t> durations = {0, 1, day_us};

	for (const RuleDefinition &rule : model.rules)
	{
		for (int64_t duration : {rule.within_us, rule.followed_within_us, rule.max_times_per_us})
		{
			durations.push_back(duration);
			durations.push_back(duration * 2);
		}
	}
	for (const GroupDefinition &group : model.groups)
	{
		for (const FadeDefinition &fade : group.fades)
		{
			for (int64_t steps = 0; fade.decay != nullptr && steps < 4; steps++)
			{
				durations.push_back(std::max<int64_t>(fade.quiet_us, 0) + fade.decay->grace_us +
									steps * fade.decay->period_us);
			}
		}
	}
	return durations;
}

// Instants after one at which something may happen, and those just before and after them
std::set<int64_t>
moments_after(Random &random, const Model &model, const Facts &facts, int64_t instant)
{
	std::vector<int64_t> durations = durations_of(model);
	std::set<int64_t> moments = {instant + 1, instant + 1000 * day_us};
	auto add = [&](int64_t moment)
	{
		moment += random.between(-1, 1);
		if (moment > instant && moment < instant + 1000 * day_us)
		{
			moments.insert(moment);
		}
	};

	for (size_t tries = 0; tries < 40; tries++)
	{
		if (!facts.rows.empty())
		{
			const std::vector<Row> &rows = random.one_of(facts.rows);
			int64_t time = rows.empty() ? instant : random.one_of(rows).time;
			add(std::clamp(time, -year_us * 1000, year_us * 1000) + random.one_of(durations));
		}
		if (!facts.adjustments.empty())
		{
			const Row &adjustment = random.one_of(facts.adjustments);
			add(std::clamp(adjustment.time, instant, instant + year_us));
			add(std::clamp(adjustment.until, instant, instant + year_us));
		}
		add(instant + random.between(0, 30) * day_us);
	}
	while (moments.size() > 14)
	{
		moments.erase(std::next(moments.begin(), static_cast<std::ptrdiff_t>(random.below(moments.size()))));
	}
	return moments;
}

void
compare_at(const Model &model, const Facts &facts, const std::vector<ScoreResult> &before, int64_t instant,
		   Claims &claims)
{
	Fed fed(model, facts, plain, instant);

	fed.feed();
	std::vector<ScoreResult> after = fed.finish();
	for (size_t record = 0; record < after.size(); record++)
	{
		bool same = same_bits(before[record], after[record]);
		if (before[record].due == infinitely_old)
		{
			claims.restless += !same;
		}
		else if (before[record].due > instant)
		{
			ASSERT_TRUE(same) << "record " << facts.records[record].number << " as of " << instant << ", due "
							  << before[record].due << ": " << before[record].total << " and " << after[record].total;
			claims.moments++;
		}
		else if (before[record].due == instant)
		{
			claims.kept += !same;
		}
	}
}

void
count(const std::vector<ScoreResult> &results, int64_t instant, Claims &claims)
{
	for (const ScoreResult &result : results)
	{
		claims.never += result.due == infinitely_late;
		claims.always += result.due == infinitely_old;
		claims.some_time += result.due != infinitely_late && result.due != infinitely_old;
		ASSERT_TRUE(result.due == infinitely_old || result.due > instant);
	}
}

} // namespace

TEST(Due, IsNeverTooLate)
{
	Claims claims;

	for (uint64_t seed = 5001; seed <= 5200; seed++)
	{
		Random random(seed);
		Model model;
		make_random_model(random, model);
		Facts facts = make_random_facts(random, model);
		model.unique_keys = true;
		int64_t instant = as_of + random.between(-50, 2) * day_us + random.between(-1, 1);
		SCOPED_TRACE(testing::Message() << "seed " << seed << " as of " << instant);
		Fed fed(model, facts, {random.one_in(2), random.one_in(2), true}, instant);
		fed.feed_needed(random);
		std::vector<ScoreResult> results = fed.finish();
		count(results, instant, claims);

		std::set<int64_t> moments = moments_after(random, model, facts, instant);
		for (size_t tries = 0; tries < 6 && !results.empty(); tries++)
		{
			int64_t due = random.one_of(results).due;
			if (due != infinitely_late && due != infinitely_old)
			{
				moments.insert({due - 1 > instant ? due - 1 : due, due});
			}
		}
		for (int64_t moment : moments)
		{
			SCOPED_TRACE(testing::Message() << "at " << moment);
			compare_at(model, facts, results, moment, claims);
			if (HasFailure())
			{
				return;
			}
		}
	}
	// The claims are about something
	EXPECT_GT(claims.never, 1'000u);
	EXPECT_GT(claims.always, 300u);
	EXPECT_GT(claims.some_time, 1'000u);
	EXPECT_GT(claims.moments, 10'000u);
	EXPECT_GT(claims.kept, 500u);
	EXPECT_GT(claims.restless, 5'000u);
}

namespace
{

// Facts with the standing rows and some of the others
Facts
some_of(Random &random, const Facts &facts, uint64_t one_in)
{
	Facts some{{}, facts.adjustments, facts.records, facts.resets};

	for (const std::vector<Row> &rows : facts.rows)
	{
		std::vector<Row> &left = some.rows.emplace_back();
		std::copy_if(rows.begin(), rows.end(), std::back_inserter(left),
					 [&](const Row &row) { return *row.standing || random.one_in(one_in); });
	}
	return some;
}

} // namespace

// Whichever of the other rows have come, and whichever have gone
TEST(Due, StandsByRowsThatWereThere)
{
	size_t standing = 0;
	size_t always = 0;

	for (uint64_t seed = 5301; seed <= 8300; seed++)
	{
		Random random(seed);
		Model model;
		make_random_model(random, model);
		Facts facts = make_random_facts(random, model);
		model.unique_keys = true;
		for (std::vector<Row> &rows : facts.rows)
		{
			for (Row &row : rows)
			{
				row.standing = random.one_in(2);
			}
		}
		int64_t instant = as_of + random.between(-50, 2) * day_us;
		Facts now = some_of(random, facts, 2);
		Facts before = some_of(random, facts, 3);
		Fed fed(model, now, {random.one_in(2), random.one_in(2), true}, instant);
		fed.feed_needed(random);
		std::vector<ScoreResult> results = fed.finish();
		Fed fed_before(model, before, with_due, instant);
		fed_before.feed();
		std::vector<ScoreResult> results_before = fed_before.finish();
		for (size_t record = 0; record < results.size(); record++)
		{
			standing += results[record].due_stands;
			always += results[record].due == infinitely_old;
			ASSERT_TRUE(!results[record].due_stands || results[record].due == infinitely_old);
			ASSERT_TRUE(!results[record].due_stands || results_before[record].due == infinitely_old)
				<< "seed " << seed << ", record " << facts.records[record].number;
		}
	}
	EXPECT_GT(standing, 100u);
	EXPECT_GT(always, 2 * standing);
}

} // namespace lead_scoring::core::test
