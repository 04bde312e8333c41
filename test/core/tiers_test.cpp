#include "core/tiers.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

namespace lead_scoring::core::test
{

namespace
{

// The tiers as a dealer would hand them out: one row each in turn, until there are none left
std::vector<int64_t>
dealt_sizes(int64_t rows, int32_t tiers)
{
	std::vector<int64_t> sizes(static_cast<size_t>(tiers));

	for (int64_t row = 0; row < rows; row++)
	{
		sizes[static_cast<size_t>(row % tiers)]++;
	}
	return sizes;
}

} // namespace

TEST(Tiers, HaveTheSizesThatDealingGives)
{
	for (int64_t rows = 0; rows <= 60; rows++)
	{
		for (int32_t tiers = 1; tiers <= 70; tiers++)
		{
			int64_t position = 0;
			int32_t tier = 0;
			for (int64_t size : dealt_sizes(rows, tiers))
			{
				tier++;
				for (; size > 0; size--, position++)
				{
					EXPECT_EQ(ntile_tier(position, rows, tiers), tier) << rows << " rows, " << tiers << " tiers";
				}
				EXPECT_EQ(tier_end(tier, rows, tiers), position) << rows << " rows, " << tiers << " tiers";
			}
			EXPECT_EQ(position, rows);
		}
	}
}

// E28
TEST(Tiers, OfTenAreThreeThreeTwoTwo)
{
	std::vector<int32_t> tiers;

	for (int64_t position = 0; position < 10; position++)
	{
		tiers.push_back(ntile_tier(position, 10, 4));
	}
	EXPECT_EQ(tiers, (std::vector<int32_t>{1, 1, 1, 2, 2, 2, 3, 3, 4, 4}));
}

// E28: as many higher scores each, then their tier
TEST(Tiers, TogetherFollowTheShareOfHigherScores)
{
	EXPECT_EQ(together_tier(0, 8, 4), 1); // 90 x4
	EXPECT_EQ(together_tier(4, 8, 4), 3); // 10 x4
	EXPECT_EQ(together_tier(1, 8, 4), 1); // 9, 7 x3
	EXPECT_EQ(together_tier(4, 8, 4), 3); // 5
	EXPECT_EQ(together_tier(5, 8, 4), 3); // 3
	EXPECT_EQ(together_tier(6, 8, 4), 4); // 2
	EXPECT_EQ(together_tier(7, 8, 4), 4); // 1
}

TEST(Tiers, TogetherStayInRange)
{
	for (int64_t rows = 1; rows <= 40; rows++)
	{
		for (int32_t tiers = 1; tiers <= 50; tiers++)
		{
			int32_t previous = 1;
			for (int64_t higher = 0; higher < rows; higher++)
			{
				int32_t tier = together_tier(higher, rows, tiers);
				EXPECT_GE(tier, previous);
				EXPECT_LE(tier, tiers);
				// floor(tiers * higher / rows) without a division
				EXPECT_LE((tier - 1) * rows, tiers * higher);
				EXPECT_GT(tier * rows, tiers * higher);
				previous = tier;
			}
		}
	}
}

TEST(Tiers, HoldForAnyNumberOfRows)
{
	constexpr int64_t most = std::numeric_limits<int64_t>::max();

	EXPECT_EQ(ntile_tier(0, most, most_tiers), 1);
	EXPECT_EQ(ntile_tier(most - 1, most, most_tiers), most_tiers);
	EXPECT_EQ(ntile_tier(most - 1, most, 1), 1);
	EXPECT_EQ(together_tier(most - 1, most, most_tiers), most_tiers);
	EXPECT_EQ(together_tier(0, most, most_tiers), 1);
	EXPECT_EQ(tier_end(most_tiers, most, most_tiers), most);
	for (int32_t tier : {1, 2, 3, 775'807, most_tiers - 1})
	{
		int64_t end = tier_end(tier, most, most_tiers);
		EXPECT_EQ(ntile_tier(end - 1, most, most_tiers), tier);
		EXPECT_EQ(ntile_tier(end, most, most_tiers), tier + 1);
	}
}

} // namespace lead_scoring::core::test
