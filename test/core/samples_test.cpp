// What a model is trained on, as it is collected: which samples stay when there are too many.
#include "core/samples.hpp"

#include "support.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

namespace lead_scoring::core::test
{

namespace
{

constexpr size_t most_rows = 100;

// A key that does not fit into a std::string itself
std::string
long_key(size_t number)
{
	return "a key that is longer than most, of record " + std::to_string(number);
}

// Records by number: their keys are long, every fifth converted, and the feature of each is its number
SampleCollector
collect(size_t count, size_t most)
{
	SampleRules rules;
	rules.key_kind = KeyKind::text;
	rules.outcome_column = 0;
	rules.most_rows = most;
	rules.keeps_keys = true;
	SampleCollector collector(rules, 1);

	for (size_t first = 0; first < count; first += batch_rows)
	{
		const size_t rows = std::min(batch_rows, count - first);
		BatchBuffer buffer({ColumnKind::truth});
		std::vector<std::string> keys;
		std::vector<double> values(batch_rows);
		bool in_scope[batch_rows];
		for (size_t row = 0; row < rows; row++)
		{
			keys.push_back(long_key(first + row));
		}
		for (size_t row = 0; row < rows; row++)
		{
			Value outcome;
			outcome.null = false;
			outcome.integer = (first + row) % 5 == 0;
			buffer.put(row, {0, 0, keys[row]}, 0, {outcome}, [](size_t, const std::string &) { return 0; });
			values[row] = static_cast<double>(first + row);
			in_scope[row] = true;
		}
		collector.add(buffer.batch(rows), values, in_scope, 0);
	}
	return collector;
}

} // namespace

TEST(Samples, StayWholeWhenOthersAreDropped)
{
	for (size_t count : {size_t{50}, size_t{101}, size_t{1000}, size_t{20000}})
	{
		const SampleCollector collector = collect(count, most_rows);
		const size_t kept = collector.data.rows();

		EXPECT_EQ(collector.seen(), count);
		EXPECT_EQ(collector.seen_converted(), (count + 4) / 5);
		ASSERT_LE(kept, most_rows);
		ASSERT_GT(kept, count <= most_rows ? count - 1 : most_rows / 8) << count;
		ASSERT_EQ(collector.keys.size(), kept);
		ASSERT_EQ(collector.samples.size(), kept);
		for (size_t row = 0; row < kept; row++)
		{
			const auto number = static_cast<size_t>(collector.data.columns[0].values[row]);
			ASSERT_EQ(collector.keys[row], long_key(number)) << count;
			ASSERT_EQ(collector.data.outcome[row] != 0, number % 5 == 0);
		}
	}
}

} // namespace lead_scoring::core::test
