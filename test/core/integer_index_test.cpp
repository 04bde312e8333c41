#include "core/integer_index.hpp"

#include "support.hpp"

#include <gtest/gtest.h>

#include <unordered_map>
#include <vector>

namespace lead_scoring::core::test
{

namespace
{

// Numbers batches of keys, and compares with a plain map
class Numbered
{
public:
	void
	number(const std::vector<uint64_t> &values)
	{
		std::vector<Key> keys;
		std::vector<uint32_t> numbers(values.size());

		for (uint64_t value : values)
		{
			keys.push_back({value, 0, {}});
		}
		index.number(keys.data(), keys.size(), numbers.data());
		for (size_t at = 0; at < values.size(); at++)
		{
			auto [known, is_new] = expected.emplace(values[at], static_cast<uint32_t>(expected.size()));
			ASSERT_EQ(numbers[at], known->second) << values[at];
		}
		ASSERT_EQ(index.size(), expected.size());
	}

	// Number a run of keys in full batches
	void
	number_run(uint64_t first, size_t count)
	{
		for (size_t at = 0; at < count; at += batch_rows)
		{
			std::vector<uint64_t> values;
			for (size_t row = at; row < std::min(count, at + batch_rows); row++)
			{
				values.push_back(first + row);
			}
			number(values);
		}
	}

	// Find all again, and collect each once
	void
	check()
	{
		for (const auto &[value, expected_number] : expected)
		{
			Key key{value, 0, {}};
			uint32_t number;
			index.find(&key, 1, &number);
			ASSERT_EQ(number, expected_number) << value;
		}
		std::unordered_map<uint64_t, uint32_t> collected;
		Key keys[batch_rows];
		uint32_t numbers[batch_rows];
		size_t cursor = 0;
		while (size_t count = index.collect(cursor, keys, numbers))
		{
			for (size_t at = 0; at < count; at++)
			{
				ASSERT_TRUE(collected.emplace(keys[at].low, numbers[at]).second) << keys[at].low;
			}
		}
		ASSERT_EQ(collected, expected);
	}

	IntegerIndex index;
	std::unordered_map<uint64_t, uint32_t> expected;
};

} // namespace

TEST(IntegerIndex, NumbersKeysOfASequence)
{
	Numbered numbered;

	numbered.number_run(1, 300'000);
	numbered.number_run(1, 1000);
	numbered.check();
	EXPECT_LT(numbered.index.memory(), 7u << 20);
}

TEST(IntegerIndex, KeepsKeysApartThatLieFarFromTheOthers)
{
	Numbered numbered;

	numbered.number_run(1, 100'000);
	size_t before = numbered.index.memory();
	numbered.number({5, UINT64_MAX, 100'001, 1ull << 40, UINT64_MAX, 7, 1ull << 40, 100'002});
	numbered.check();
	// A few strange keys cost little
	EXPECT_LT(numbered.index.memory(), before + 100'000);
}

TEST(IntegerIndex, TakesFarKeysInOnceTheArrayReachesThem)
{
	Numbered numbered;

	numbered.number_run(1, 10'000);
	numbered.number({900'000, 400'000, UINT64_MAX, 900'000});
	numbered.number_run(10'001, 500'000);
	numbered.check();
	numbered.number({900'000, 400'000, UINT64_MAX});
}

TEST(IntegerIndex, NumbersTwoSequences)
{
	Numbered numbered;

	numbered.number_run(1, 50'000);
	numbered.number_run(1ull << 50, 50'000);
	numbered.number_run(50'001, 50'000);
	numbered.check();
}

TEST(IntegerIndex, BeginsAnewOnceItIsCleared)
{
	Numbered numbered;

	for (size_t keys : {5u, 50'000u, 3u, 500u, 20'000u})
	{
		numbered.number_run(1, keys);
		numbered.number({UINT64_MAX, 1ull << 60});
		numbered.check();
		numbered.index.clear();
		numbered.expected.clear();
		numbered.check();
	}
}

TEST(IntegerIndex, NumbersKeysAtRandom)
{
	for (uint64_t seed = 1; seed <= 20; seed++)
	{
		Random random(seed);
		Numbered numbered;
		for (size_t batch = 0; batch < 300; batch++)
		{
			std::vector<uint64_t> values(1 + random.below(batch_rows));
			uint64_t range = uint64_t{1} << (4 + random.below(20));
			for (uint64_t &value : values)
			{
				value = random.one_in(50) ? ~random.below(1000) : random.below(range);
			}
			numbered.number(values);
		}
		numbered.check();
	}
}

TEST(IntegerIndex, StopsGrowingWhenSomebodyCancels)
{
	static bool stop;
	stop = false;
	IntegerIndex index([]() noexcept { return stop; });
	uint32_t number;

	auto add = [&](uint64_t first, size_t count, uint64_t step)
	{
		for (size_t at = 0; at < count; at++)
		{
			Key key{first + at * step, 0, {}};
			index.number(&key, 1, &number);
		}
	};
	add(1, 5000, 1);
	stop = true;
	EXPECT_EQ(fault_of([&] { add(5001, 100'000, 1); }), Fault::cancelled);
	stop = false;
	IntegerIndex sparse([]() noexcept { return stop; });
	Key key{0, 0, {}};
	EXPECT_EQ(fault_of(
				  [&]
				  {
					  for (uint64_t at = 0; at < 100'000; at++)
					  {
						  stop = at > 5000;
						  key.low = at * 1'000'003;
						  sparse.number(&key, 1, &number);
					  }
				  }),
			  Fault::cancelled);
}

} // namespace lead_scoring::core::test
