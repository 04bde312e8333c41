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

TEST(Account, ExplainsARecordWithoutAnyRows)
{
	Model model;
	model.has_adjustments = true;
	int32_t events = model.add_source(true, {});
	uint32_t group = model.add_group(Part::engagement, {5, 8}, "half-life 7 days");
	model.add_rule(group, events, 3);
	model.add_frequency(group, events, 4, {-infinity, 2});
	Facts facts{{{{1}}}, {}, {{0}}};
	Fed fed(model, facts, with_detail);
	fed.feed();
	Account account;
	ScoreResult result = fed.explain(0, account);

	EXPECT_EQ(result.total, 5);
	ASSERT_EQ(account.rules.size(), 2u);
	EXPECT_EQ(account.rules[0].matched, 0);
	EXPECT_EQ(account.rules[0].raw, 0);
	EXPECT_EQ(account.rules[0].decayed, 0);
	EXPECT_EQ(account.rules[1].matched, 0);
	EXPECT_EQ(account.rules[1].raw, 4);
	EXPECT_EQ(account.rules[1].decayed, 4);
	ASSERT_EQ(account.groups.size(), 1u);
	EXPECT_EQ(account.groups[0].sum, 4);
	EXPECT_EQ(account.groups[0].limited, 5);
	EXPECT_EQ(account.groups[0].weighted, 5);
	EXPECT_EQ(account.groups[0].value, 5);
	EXPECT_EQ(account.adjustment, 0);
	EXPECT_EQ(account.unlimited_total, 5);
}

} // namespace lead_scoring::core::test
