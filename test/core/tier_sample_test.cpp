#include "core/tier_sample.hpp"

#include "core/tiers.hpp"
#include "support.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace lead_scoring::core::test
{

namespace
{

TierSample
sample_of(const std::vector<double> &scores, int32_t tiers, double accuracy)
{
	TierSample sample = make_tier_sample(tiers, accuracy);

	for (double score : scores)
	{
		add_score(sample, score);
	}
	return sample;
}

// The last score of each tier of the sorted scores
std::vector<double>
naive_cutoffs(std::vector<double> scores, int32_t tiers)
{
	std::vector<double> cutoffs;

	std::sort(scores.begin(), scores.end(), std::greater<>());
	for (int32_t tier = 1; tier < tiers; tier++)
	{
		cutoffs.push_back(scores[static_cast<size_t>(tier_end(tier, static_cast<int64_t>(scores.size()), tiers)) - 1]);
	}
	return cutoffs;
}

// How far the rank of a cut-off is from where it should be, as a share of all; a score that occurs often has many ranks
double
rank_error(const std::vector<double> &sorted, double cutoff, int64_t wanted)
{
	auto [low, high] = std::equal_range(sorted.begin(), sorted.end(), cutoff, std::greater<>());
	int64_t first = low - sorted.begin() + 1;
	int64_t last = high - sorted.begin();

	EXPECT_LT(low, high) << cutoff << " is no score";
	int64_t off = wanted < first ? first - wanted : wanted > last ? wanted - last : 0;
	return static_cast<double>(off) / static_cast<double>(sorted.size());
}

void
expect_accurate(const TierSample &sample, std::vector<double> scores, double accuracy, const char *what)
{
	std::sort(scores.begin(), scores.end(), std::greater<>());
	std::vector<double> cutoffs = find_cutoffs(sample);
	ASSERT_EQ(cutoffs.size(), static_cast<size_t>(sample.head.tiers - 1)) << what;
	EXPECT_TRUE(std::is_sorted(cutoffs.begin(), cutoffs.end(), std::greater<>())) << what;
	EXPECT_EQ(sample.head.count, static_cast<int64_t>(scores.size())) << what;
	for (int32_t tier = 1; tier < sample.head.tiers; tier++)
	{
		double cutoff = cutoffs[static_cast<size_t>(tier - 1)];
		EXPECT_LE(rank_error(scores, cutoff, tier_end(tier, sample.head.count, sample.head.tiers)), accuracy)
			<< what << ", tier " << tier << " of " << sample.head.tiers;
	}
}

size_t
kept(const TierSample &sample)
{
	size_t count = 0;

	for (const auto &level : sample.levels)
	{
		count += level.size();
	}
	return count;
}

std::vector<std::pair<const char *, std::vector<double>>>
score_lists(size_t count)
{
	Random random(count);
	std::vector<double> rising(count);
	std::vector<double> falling(count);
	std::vector<double> shuffled(count);
	std::vector<double> few(count);
	std::vector<double> skewed(count);
	std::vector<double> zigzag(count);

	for (size_t at = 0; at < count; at++)
	{
		rising[at] = static_cast<double>(at);
		falling[at] = static_cast<double>(count - at);
		shuffled[at] = static_cast<double>(at);
		few[at] = static_cast<double>(random.below(5));
		skewed[at] = std::pow(random.share(), 20) * 1e6;
		zigzag[at] = static_cast<double>(at % 2 == 0 ? at : 2 * count - at);
	}
	random.shuffle(shuffled);
	return {{"rising", rising}, {"falling", falling}, {"shuffled", shuffled},
			{"few", few},       {"skewed", skewed},   {"zigzag", zigzag}};
}

void
expect_same(const TierSample &left, const TierSample &right)
{
	EXPECT_EQ(tier_sample_bytes(left), tier_sample_bytes(right));
	EXPECT_EQ(tier_sample_text(left), tier_sample_text(right));
	EXPECT_EQ(find_cutoffs(left), find_cutoffs(right));
}

TierSample
from_bytes(const std::string &bytes)
{
	return parse_tier_sample_bytes({reinterpret_cast<const std::byte *>(bytes.data()), bytes.size()});
}

} // namespace

TEST(TierSample, IsExactByDefault)
{
	Random random(1);

	for (size_t count = 1; count <= 60; count++)
	{
		std::vector<double> scores;
		for (size_t at = 0; at < count; at++)
		{
			scores.push_back(static_cast<double>(random.between(-20, 20)) / 4);
		}
		for (int32_t tiers : {1, 2, 3, 4, 7, 10, 59, 60, 61, 100})
		{
			EXPECT_EQ(find_cutoffs(sample_of(scores, tiers, 0)), naive_cutoffs(scores, tiers)) << count << ", " << tiers;
			// Few enough to be kept all
			EXPECT_EQ(find_cutoffs(sample_of(scores, tiers, 0.1)), naive_cutoffs(scores, tiers));
		}
	}
}

TEST(TierSample, OfNothingHasNoCutoffs)
{
	EXPECT_TRUE(find_cutoffs(make_tier_sample(4, 0)).empty());
	EXPECT_TRUE(find_cutoffs(make_tier_sample(4, 0.01)).empty());
	EXPECT_TRUE(find_cutoffs(sample_of({1, 2, 3}, 1, 0)).empty());
}

TEST(TierSample, StaysWithinItsAccuracy)
{
	for (double accuracy : {0.5, 0.1, 0.01, 0.001})
	{
		for (size_t count : {size_t{1000}, size_t{300'000}})
		{
			for (const auto &[what, scores] : score_lists(count))
			{
				for (int32_t tiers : {2, 4, 10, 100})
				{
					TierSample sample = sample_of(scores, tiers, accuracy);
					expect_accurate(sample, scores, accuracy, what);
					size_t levels = 1 + static_cast<size_t>(std::ceil(std::log2(
											std::max(1.0, static_cast<double>(count) * accuracy / 20)) +
																	  1));
					EXPECT_LE(kept(sample), levels * static_cast<size_t>(std::ceil(20 / accuracy)))
						<< what << ", " << count << " scores";
				}
			}
		}
	}
}

TEST(TierSample, StaysWithinItsAccuracyWhenMergedFromParts)
{
	Random random(2);

	for (double accuracy : {0.1, 0.02})
	{
		for (size_t parts : {size_t{2}, size_t{7}, size_t{300}, size_t{5000}})
		{
			for (const auto &[what, scores] : score_lists(200'000))
			{
				// Contiguous parts and parts like the whole, of different sizes, merged as a list and as a tree
				bool contiguous = random.one_in(2);
				std::vector<TierSample> samples(parts, make_tier_sample(10, accuracy));
				for (size_t at = 0; at < scores.size(); at++)
				{
					size_t part = contiguous ? at * parts / scores.size() : std::min(random.below(parts), random.below(parts));
					add_score(samples[part], scores[at]);
				}
				bool tree = random.one_in(2);
				while (samples.size() > 1)
				{
					TierSample last = std::move(samples.back());
					samples.pop_back();
					add_sample(samples[tree ? random.below(samples.size()) : 0], last);
				}
				expect_accurate(samples[0], scores, accuracy, what);
				expect_same(from_bytes(tier_sample_bytes(samples[0])), samples[0]);
			}
		}
	}
}

TEST(TierSample, ExactInAnySplitIsTheWhole)
{
	Random random(3);

	for (int round = 0; round < 300; round++)
	{
		std::vector<double> scores;
		std::vector<TierSample> samples(1 + random.below(9), make_tier_sample(5, 0));
		for (size_t count = 1 + random.below(80); count > 0; count--)
		{
			scores.push_back(static_cast<double>(random.between(-9, 9)));
			add_score(samples[random.below(samples.size())], scores.back());
		}
		while (samples.size() > 1)
		{
			TierSample last = std::move(samples.back());
			samples.pop_back();
			add_sample(samples[random.below(samples.size())], last);
		}
		EXPECT_EQ(find_cutoffs(samples[0]), naive_cutoffs(scores, 5));
	}
}

TEST(TierSample, ComesBackFromItsTextAndItsBytes)
{
	Random random(4);

	for (double accuracy : {0.0, 0.5, 0.1})
	{
		for (size_t count : {size_t{0}, size_t{1}, size_t{39}, size_t{40}, size_t{41}, size_t{1000}, size_t{20'000}})
		{
			TierSample sample = make_tier_sample(4, accuracy);
			for (size_t at = 0; at < count; at++)
			{
				double score;
				do
				{
					uint64_t bits = random.bits();
					std::memcpy(&score, &bits, sizeof score);
				} while (!std::isfinite(score));
				add_score(sample, score);
			}
			expect_same(from_bytes(tier_sample_bytes(sample)), sample);
			expect_same(parse_tier_sample(tier_sample_text(sample)), sample);
		}
	}
	double edges[] = {0.0, -0.0, 5e-324, 1.7976931348623157e308, -1.7976931348623157e308};
	TierSample sample = sample_of({std::begin(edges), std::end(edges)}, 3, 0);
	expect_same(parse_tier_sample(tier_sample_text(sample)), sample);
}

TEST(TierSample, IsNotMadeFromOtherTexts)
{
	std::string many_levels = "v1;4;40;0;0;";
	for (int level = 0; level < 49; level++)
	{
		many_levels += ";";
	}
	const std::string texts[] = {
		"",
		"v1",
		"v1;",
		"v2;4;0;0;0;;",
		"v1;4;0;0;0",
		"v1;4;0;0;0;",
		"v1;4;0;0;1;1",
		"v1;4;0;0;1;1;",
		"v1;4;0;0;1;1 ",
		"v1;4;0;0;1;1  ;",
		"v1;4;0;0;1; 1 ;",
		"v1;4;0;0;1;x ;",
		"v1;4;0;0;2;1 ;",
		"v1;4;0;0;0;1 ;",
		"v1;4;0;0;-1;;",
		"v1;4;0;0;1;nan ;",
		"v1;4;0;0;1;inf ;",
		"v1;4;0;0;1;-inf ;",
		"v1;4;0;0;1;1e999 ;",
		"v1;0;0;0;0;;",
		"v1;-1;0;0;0;;",
		"v1;1000001;0;0;0;;",
		"v1;2147483648;0;0;0;;",
		"v1;4;-1;0;0;;",
		"v1;4;4294967296;0;0;;",
		"v1;4;0;-1;0;;",
		"v1;4;0;0;99999999999999999999;;",
		"v1;4;0;0;0;;;",
		"v1;4;40;0;1;;1 ;",
		" v1;4;0;0;0;;",
		"v1;4;0;0;0;; ",
		many_levels,
	};

	for (const std::string &text : texts)
	{
		EXPECT_EQ(fault_of([&text]() { parse_tier_sample(text); }), Fault::invalid_text) << text;
	}
	EXPECT_EQ(fault_of([]() { parse_tier_sample("v1;4;0;0;0;;"); }), std::nullopt);
	EXPECT_EQ(fault_of([]() { parse_tier_sample("v1;4;40;0;2;;1 ;"); }), std::nullopt);
}

TEST(TierSample, IsNotMadeFromOtherBytes)
{
	const std::string good = tier_sample_bytes(sample_of({1, 2, 3, 4, 5, 6, 7, 8, 9}, 4, 0.5));

	for (size_t length = 0; length < good.size(); length++)
	{
		EXPECT_EQ(fault_of([&]() { from_bytes(good.substr(0, length)); }), Fault::invalid_text) << length;
	}
	EXPECT_EQ(fault_of([&]() { from_bytes(good + '\0'); }), Fault::invalid_text);
	for (size_t at = 0; at < good.size(); at++)
	{
		for (int value = 0; value < 256; value++)
		{
			std::string changed = good;
			changed[at] = static_cast<char>(value);
			TierSample sample{};
			auto fault = fault_of([&]() { sample = from_bytes(changed); });
			if (fault.has_value())
			{
				EXPECT_EQ(fault, Fault::invalid_text);
				continue;
			}
			// Then it is one, and can be used
			EXPECT_EQ(tier_sample_bytes(sample), changed);
			expect_same(parse_tier_sample(tier_sample_text(sample)), sample);
			EXPECT_EQ(find_cutoffs(sample).size(), static_cast<size_t>(sample.head.tiers - 1));
			auto adding = fault_of([&]() {
				add_score(sample, 5);
				add_sample(sample, sample_of({1}, 4, 0.5));
			});
			EXPECT_TRUE(!adding.has_value() || adding == Fault::limit_exceeded || adding == Fault::invalid_parameter);
		}
	}
	// Lengths that would be more than all memory, and counts more than all numbers
	for (uint64_t length : {uint64_t{1} << 61, uint64_t{1} << 63, ~uint64_t{0}, uint64_t{10}})
	{
		std::string changed = good;
		std::memcpy(changed.data() + sizeof(TierSampleHead), &length, sizeof length);
		EXPECT_EQ(fault_of([&]() { from_bytes(changed); }), Fault::invalid_text) << length;
	}
	for (uint32_t levels : {0u, 2u, 48u, 49u, 0xffffffffu})
	{
		std::string changed = good;
		std::memcpy(changed.data() + offsetof(TierSampleHead, levels), &levels, sizeof levels);
		EXPECT_EQ(fault_of([&]() { from_bytes(changed); }), Fault::invalid_text) << levels;
	}
}

// A state that counts as many scores as there are numbers takes no more
TEST(TierSample, DoesNotCountTooFar)
{
	TierSample sample = make_tier_sample(4, 0.00001);
	sample.levels.resize(most_levels);
	sample.head.levels = most_levels;
	for (uint32_t level = 0; level + 1 < most_levels; level++)
	{
		sample.levels[level].push_back(level);
	}
	sample.levels.back().assign(65'535, 1.5);
	sample.head.count = std::numeric_limits<int64_t>::max();
	sample = from_bytes(tier_sample_bytes(sample));
	EXPECT_EQ(find_cutoffs(sample).size(), 3u);
	TierSample more = sample;
	EXPECT_EQ(fault_of([&]() { add_score(more, 5); }), Fault::limit_exceeded);
	more = sample;
	EXPECT_EQ(fault_of([&]() { add_sample(more, sample_of({5}, 4, 0.00001)); }), Fault::limit_exceeded);
}

TEST(TierSample, RefusesBadArguments)
{
	for (int32_t tiers : {0, -1, most_tiers + 1, std::numeric_limits<int32_t>::max(), std::numeric_limits<int32_t>::min()})
	{
		EXPECT_EQ(fault_of([tiers]() { make_tier_sample(tiers, 0); }), Fault::invalid_parameter) << tiers;
	}
	for (double accuracy : {-0.1, 0.51, 1.0, 9e-6, 5e-324, infinity, -infinity, not_a_number})
	{
		EXPECT_EQ(fault_of([accuracy]() { make_tier_sample(4, accuracy); }), Fault::invalid_parameter) << accuracy;
	}
	EXPECT_EQ(fault_of([]() { make_tier_sample(most_tiers, 0.00001); }), std::nullopt);
	TierSample sample = make_tier_sample(4, 0);
	for (double score : {infinity, -infinity, not_a_number})
	{
		EXPECT_EQ(fault_of([&]() { add_score(sample, score); }), Fault::out_of_range) << score;
	}
	EXPECT_EQ(sample.head.count, 0);
	EXPECT_EQ(fault_of([&]() { add_sample(sample, make_tier_sample(5, 0)); }), Fault::invalid_parameter);
	EXPECT_EQ(fault_of([&]() { add_sample(sample, make_tier_sample(4, 0.1)); }), Fault::invalid_parameter);
}

} // namespace lead_scoring::core::test
