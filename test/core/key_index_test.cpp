#include "core/key_index.hpp"

#include "core/integer_index.hpp"

#include "support.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <unordered_map>
#include <vector>

namespace lead_scoring::core::test
{

namespace
{

constexpr uint32_t many = 1'000'000;

// The keys of many records; unknown(n) is none of them
struct IntegerSample
{
	static Key
	key(uint32_t record)
	{
		// Around zero and, every eighth, far away
		uint64_t value = uint64_t{record} - many / 2;
		return {record % 8 == 0 ? value * 0x100000001B3u : value, 0, {}};
	}
	static Key
	unknown(uint32_t record)
	{
		return {uint64_t{record} + many, 0, {}};
	}
};

struct UuidSample
{
	static Key
	key(uint32_t record)
	{
		// Many share one half or the other, as uuids with a time or a prefix do
		return {record % 1000, record / 1000, {}};
	}
	static Key
	unknown(uint32_t record)
	{
		return {record % 1000, record / 1000 + 1000, {}};
	}
};

struct TextSample
{
	Key
	key(uint32_t record)
	{
		text = std::to_string(record);
		if (record % 3 == 0)
		{
			text.insert(0, "account number with a long beginning ");
		}
		return {0, 0, text};
	}
	Key
	unknown(uint32_t record)
	{
		text = std::to_string(record) + 'x';
		return {0, 0, text};
	}

	std::string text;
};

// Number many keys in batches of all sizes, some of them known, and find them again
template <typename Keys, typename Sample>
void
number_many()
{
	Random random(1);
	KeyIndex<Keys> index;
	std::vector<Sample> samples(batch_rows); // each holds the memory of a key
	Key keys[batch_rows];
	uint32_t expected[batch_rows];
	uint32_t numbers[batch_rows];
	uint32_t known = 0;

	while (known < many)
	{
		size_t count = 1 + random.below(batch_rows);
		for (size_t row = 0; row < count; row++)
		{
			bool again = known > 0 && (known == many || random.one_in(4));
			expected[row] = again ? static_cast<uint32_t>(random.below(known)) : known++;
			keys[row] = samples[row].key(expected[row]);
		}
		index.number(keys, count, numbers);
		ASSERT_TRUE(std::equal(expected, expected + count, numbers)) << "after " << known << " keys";
		ASSERT_EQ(index.size(), known);
	}
	for (uint32_t record = 0; record < many; record += batch_rows)
	{
		size_t count = std::min<size_t>(batch_rows, many - record);
		for (size_t row = 0; row < count; row++)
		{
			uint32_t here = record + static_cast<uint32_t>(row);
			bool strange = random.one_in(8);
			expected[row] = strange ? no_record : here;
			keys[row] = strange ? samples[row].unknown(here) : samples[row].key(here);
		}
		index.find(keys, count, numbers);
		ASSERT_TRUE(std::equal(expected, expected + count, numbers)) << "from " << record;
	}
	EXPECT_EQ(index.size(), many);
}

} // namespace

TEST(KeyIndex, NumbersAMillionIntegersAndFindsThemAgain)
{
	number_many<IntegerKeys, IntegerSample>();
}

TEST(KeyIndex, NumbersAMillionUuidsAndFindsThemAgain)
{
	number_many<UuidKeys, UuidSample>();
}

TEST(KeyIndex, NumbersAMillionTextsAndFindsThemAgain)
{
	number_many<TextKeys, TextSample>();
}

TEST(KeyIndex, OfNothingFindsNothing)
{
	KeyIndex<IntegerKeys> index;
	const Key keys[] = {{0, 0, {}}, {UINT64_MAX, 0, {}}};
	uint32_t numbers[] = {5, 5};

	index.find(keys, 2, numbers);
	EXPECT_EQ(numbers[0], no_record);
	EXPECT_EQ(numbers[1], no_record);
	index.number(keys, 0, numbers);
	EXPECT_EQ(index.size(), 0u);
}

TEST(KeyIndex, NumbersAKeyThatABatchRepeatsOnlyOnce)
{
	KeyIndex<IntegerKeys> index;
	const Key keys[] = {{7, 0, {}}, {static_cast<uint64_t>(-7), 0, {}}, {7, 0, {}}, {0, 0, {}}, {7, 0, {}}};
	uint32_t numbers[5];

	index.number(keys, 5, numbers);
	EXPECT_EQ(std::vector<uint32_t>(numbers, numbers + 5), (std::vector<uint32_t>{0, 1, 0, 2, 0}));
	EXPECT_EQ(index.size(), 3u);
}

TEST(KeyIndex, TellsExtremeIntegersApart)
{
	KeyIndex<IntegerKeys> index;
	std::vector<Key> keys;
	for (int64_t integer : {std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::min() + 1, int64_t{-1},
							int64_t{0}, int64_t{1}, int64_t{UINT32_MAX}, int64_t{UINT32_MAX} + 1,
							std::numeric_limits<int64_t>::max()})
	{
		keys.push_back({static_cast<uint64_t>(integer), 0, {}});
	}
	std::vector<uint32_t> numbers(keys.size());

	index.number(keys.data(), keys.size(), numbers.data());
	index.find(keys.data(), keys.size(), numbers.data());
	for (uint32_t at = 0; at < keys.size(); at++)
	{
		EXPECT_EQ(numbers[at], at);
	}
}

TEST(KeyIndex, TakesBothHalvesOfAUuidSeriously)
{
	KeyIndex<UuidKeys> index;
	const Key keys[] = {{1, 2, {}}, {2, 1, {}}, {1, 1, {}}, {0, 0, {}}, {1, 2, {}}};
	uint32_t numbers[5];

	index.number(keys, 5, numbers);
	EXPECT_EQ(std::vector<uint32_t>(numbers, numbers + 5), (std::vector<uint32_t>{0, 1, 2, 3, 0}));
}

TEST(KeyIndex, TellsTextsApartByEachByte)
{
	KeyIndex<TextKeys> index;
	const std::vector<std::string> texts = {"", "a", "A", "a ", std::string("a\0", 2), std::string("\0", 1), "\xC3\xA4"};
	std::vector<Key> keys;
	for (const std::string &text : texts)
	{
		keys.push_back({0, 0, text});
	}
	std::vector<uint32_t> numbers(keys.size());

	index.number(keys.data(), keys.size(), numbers.data());
	for (uint32_t at = 0; at < keys.size(); at++)
	{
		EXPECT_EQ(numbers[at], at);
	}
}

TEST(KeyIndex, KeepsItsOwnCopyOfTexts)
{
	KeyIndex<TextKeys> index;
	uint32_t number = no_record;
	{
		std::string passing = "a text that does not live long enough";
		Key key{0, 0, passing};
		index.number(&key, 1, &number);
		passing.assign(passing.size(), '#');
	}
	Key same{0, 0, "a text that does not live long enough"};
	index.find(&same, 1, &number);
	EXPECT_EQ(number, 0u);
	Key overwritten{0, 0, "#####################################"};
	index.find(&overwritten, 1, &number);
	EXPECT_EQ(number, no_record);
}

TEST(KeyIndex, FindingDoesNotAdd)
{
	KeyIndex<TextKeys> index;
	Key key{0, 0, "lead"};
	uint32_t number;

	index.find(&key, 1, &number);
	EXPECT_EQ(number, no_record);
	EXPECT_EQ(index.size(), 0u);
	index.number(&key, 1, &number);
	EXPECT_EQ(number, 0u);
}

TEST(KeyIndex, ForgetsItsKeysOnceCleared)
{
	IntegerIndex integers;
	KeyIndex<TextKeys> texts;
	std::vector<std::string> memory;
	for (uint64_t number = 0; number < 5000; number++)
	{
		memory.push_back("lead " + std::to_string(number));
	}

	for (size_t count : {1, 3, 256, 5000, 2, 600})
	{
		for (size_t number = 0; number < count; number++)
		{
			Key key{number * 3, 0, memory[number]};
			uint32_t found;
			integers.find(&key, 1, &found);
			ASSERT_EQ(found, no_record);
			integers.number(&key, 1, &found);
			ASSERT_EQ(found, number);
			texts.find(&key, 1, &found);
			ASSERT_EQ(found, no_record);
			texts.number(&key, 1, &found);
			ASSERT_EQ(found, number);
		}
		integers.clear();
		texts.clear();
		EXPECT_EQ(integers.size(), 0u);
		EXPECT_EQ(texts.size(), 0u);
	}
	EXPECT_EQ(integers.memory(), IntegerIndex().memory());
}

TEST(IntegerIndex, TakesLittleMemoryForFewKeysFarApart)
{
	for (bool dense_before : {false, true})
	{
		IntegerIndex index;
		uint32_t number;
		for (uint64_t key = 0; dense_before && key < 5000; key++)
		{
			Key low{key, 0, {}};
			index.number(&low, 1, &number);
		}
		index.clear();
		for (uint64_t key : {uint64_t{1}, uint64_t{1} << 40, ~uint64_t{0}, uint64_t{1} << 62})
		{
			Key far{key, 0, {}};
			index.number(&far, 1, &number);
		}
		EXPECT_LT(index.memory(), 100'000u);
	}
}

} // namespace lead_scoring::core::test
