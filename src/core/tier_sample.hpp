// The scores that cut-offs between tiers are found from: all of them, or a sample with a bounded error of rank.
//
// The sample is a ladder of levels: a value on level h stands for 2^h values. A level that is full is sorted, and every
// other value moves one level up, beginning with the first and the second in turn. Each such step moves the rank of any
// value by at most 2^h, and level h takes at most n / (capacity * 2^h) steps, so the error of a rank is at most
// n * levels / capacity; the capacity is chosen so that up to 20 levels stay within the accuracy asked for. Up to that
// capacity the sample is exact. Literature: Manku, Rajagopalan, Lindsay, SIGMOD 1998, section 3; Karnin, Lang, Liberty,
// FOCS 2016, section 2.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lead_scoring::core
{

// The head of a sample as it is stored; the values follow, level by level, the lowest first
struct TierSampleHead
{
	uint32_t version;   // of this layout: 1
	int32_t tiers;      // asked for
	uint32_t capacity;  // of a level, in values; 0 for exact
	uint32_t levels;    // in use
	uint64_t turns;     // bit h: which half level h gives up next
	int64_t count;      // of the scores
};

inline constexpr uint32_t most_levels = 48;

// A sample taken apart
struct TierSample
{
	TierSampleHead head;
	std::vector<std::vector<double>> levels;
};

// Return how many values a level holds for an accuracy, 0 for all
uint32_t sample_capacity(double accuracy);

// Make an empty sample; accuracy is the error of rank that is allowed, as a share of all, or 0 for none
TierSample make_tier_sample(int32_t tiers, double accuracy);

// Add a score
void add_score(TierSample &sample, double score);

// Add another sample of the same tiers and accuracy
void add_sample(TierSample &sample, const TierSample &other);

// Find the lowest score of each tier but the last, best tier first
std::vector<double> find_cutoffs(const TierSample &sample);

// The stored form: bytes of the head, then of each level its length and its values
std::string tier_sample_bytes(const TierSample &sample);
TierSample parse_tier_sample_bytes(std::span<const std::byte> bytes);

// The text form
std::string tier_sample_text(const TierSample &sample);
TierSample parse_tier_sample(std::string_view text);

} // namespace lead_scoring::core
