#include "core/share.hpp"

#include "feed.hpp"
#include "model.hpp"
#include "random_model.hpp"
#include "support.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace lead_scoring::core::test
{

namespace
{

constexpr uint32_t many = 64'000;

// Keys as they are found in tables
struct Sample
{
	const char *what;
	KeyKind kind;
	std::function<Key(uint64_t number, std::string &memory)> key;
};

const std::vector<Sample> samples = {
	{"numbers in a row", KeyKind::integer, [](uint64_t number, std::string &) { return Key{number, 0, {}}; }},
	{"negative numbers", KeyKind::integer, [](uint64_t number, std::string &) { return Key{0 - number, 0, {}}; }},
	{"each 64th number", KeyKind::integer, [](uint64_t number, std::string &) { return Key{number << 6, 0, {}}; }},
	{"each 1000th number", KeyKind::integer, [](uint64_t number, std::string &) { return Key{number * 1000, 0, {}}; }},
	{"numbers in the upper half", KeyKind::integer,
	 [](uint64_t number, std::string &) { return Key{number << 32, 0, {}}; }},
	{"numbers of shards", KeyKind::integer,
	 [](uint64_t number, std::string &) { return Key{number / 16 + (number % 16 << 48), 0, {}}; }},
	{"random uuids", KeyKind::uuid,
	 [](uint64_t number, std::string &)
	 {
		 Random random(number);
		 uint64_t low = random.bits();
		 return Key{low, random.bits(), {}};
	 }},
	{"uuids with one first half", KeyKind::uuid, [](uint64_t number, std::string &) { return Key{7, number, {}}; }},
	{"uuids with one second half", KeyKind::uuid, [](uint64_t number, std::string &) { return Key{number, 7, {}}; }},
	{"texts", KeyKind::text,
	 [](uint64_t number, std::string &memory)
	 {
		 memory = "lead-" + std::to_string(number);
		 return Key{0, 0, memory};
	 }},
};

} // namespace

TEST(KeyShare, GivesEachKeyToExactlyOneShareAndAboutAsManyToEach)
{
	for (const Sample &sample : samples)
	{
		for (unsigned bits : {0u, 1u, 2u, 3u, 5u, 6u})
		{
			uint64_t shares = uint64_t{1} << bits;
			std::vector<size_t> sizes(shares);
			std::string memory;
			for (uint64_t number = 0; number < many; number++)
			{
				Key key = sample.key(number, memory);
				size_t holders = 0;
				for (uint64_t share = 0; share < shares; share++)
				{
					if (KeyShare{bits, share}.holds(sample.kind, key))
					{
						sizes[share]++;
						holders++;
					}
				}
				ASSERT_EQ(holders, 1u) << sample.what << ", " << shares << " shares, number " << number;
			}
			double even = static_cast<double>(many) / static_cast<double>(shares);
			for (size_t size : sizes)
			{
				EXPECT_NEAR(static_cast<double>(size), even, even / 4) << sample.what << ", " << shares << " shares";
			}
		}
	}
}

TEST(KeyShare, SplitsIntoHalvesAgainAndAgain)
{
	for (const Sample &sample : samples)
	{
		std::string memory;
		for (uint64_t number = 0; number < 1000; number++)
		{
			Key key = sample.key(number, memory);
			for (unsigned bits : {0u, 1u, 5u, 20u, 63u})
			{
				// A share is the union of the two that its number begins
				for (uint64_t share = 0; share < 4; share++)
				{
					bool whole = KeyShare{bits, share}.holds(sample.kind, key) && share >> bits == 0;
					bool halves = KeyShare{bits + 1, share * 2}.holds(sample.kind, key) ||
								  KeyShare{bits + 1, share * 2 + 1}.holds(sample.kind, key);
					ASSERT_EQ(whole, halves && share >> bits == 0) << sample.what << ' ' << bits << ' ' << share;
				}
			}
		}
	}
}

TEST(KeyShare, LeavesTheKeysOfAShareSpreadOverTheIndex)
{
	// The index takes the lower bits of the hash: within a share they must be as good as in the whole
	constexpr uint64_t places = 64;

	for (const Sample &sample : samples)
	{
		std::map<uint64_t, size_t> whole;
		std::map<uint64_t, size_t> part;
		std::string memory;
		for (uint64_t number = 0; number < many; number++)
		{
			Key key = sample.key(number, memory);
			uint64_t place = hash_key(sample.kind, key) % places;
			whole[place]++;
			part[place] += KeyShare{2, 1}.holds(sample.kind, key);
		}
		for (const auto &[place, size] : whole)
		{
			EXPECT_NEAR(static_cast<double>(part[place]), static_cast<double>(size) / 4, static_cast<double>(size) / 8)
				<< sample.what << ", place " << place;
		}
	}
}

TEST(KeyShare, ScoredShareByShareGivesTheWhole)
{
	for (uint64_t seed = 1; seed <= 40; seed++)
	{
		Random random(seed);
		Model model;
		make_random_model(random, model);
		Facts facts = make_random_facts(random, model);
		Fed whole(model, facts, plain);
		whole.feed();
		std::vector<ScoreResult> expected = whole.finish();
		size_t scored = 0;

		for (uint64_t number = 0; number < 4; number++)
		{
			KeyShare share{2, number};
			auto strange = [&](uint32_t record)
			{ return !share.holds(model.key_kind, whole.keys().key(record)); };
			Facts part = facts;
			for (std::vector<Row> &rows : part.rows)
			{
				std::erase_if(rows, [&](const Row &row) { return strange(row.record); });
			}
			std::erase_if(part.adjustments, [&](const Row &row) { return strange(row.record); });
			std::erase_if(part.resets, [&](const Row &row) { return strange(row.record); });
			std::erase_if(part.records, [&](const Record &record) { return strange(record.number); });
			Fed fed(model, part, plain);
			fed.feed();
			std::vector<ScoreResult> results = fed.finish();
			for (size_t record = 0, at = 0; record < facts.records.size(); record++)
			{
				if (!strange(facts.records[record].number))
				{
					ASSERT_TRUE(same_bits(results[at++], expected[record])) << "seed " << seed;
					scored++;
				}
			}
		}
		EXPECT_EQ(scored, facts.records.size()) << "seed " << seed;
	}
}

} // namespace lead_scoring::core::test
