#include "core/state_table.hpp"

#include "support.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace lead_scoring::core::test
{

namespace
{

// From less than a word to several cache lines, and to so many that few fill a chunk
const std::vector<StateLayout> layouts = {
	{0, 0, 0}, {0, 0, 1}, {1, 0, 0}, {1, 0, 1}, {1, 1, 1}, {2, 1, 3}, {3, 2, 5}, {5, 0, 1}, {40, 17, 33}, {3000, 1, 7},
};

FixedSum
sum_of(uint32_t record, uint32_t slot)
{
	// More than 64 bits
	return (static_cast<FixedSum>(record) << 80) + slot - 7;
}

uint64_t
peak_of(uint32_t record, uint32_t slot)
{
	return ~(uint64_t{record} * 1000 + slot);
}

uint32_t
count_of(uint32_t record, uint32_t slot)
{
	return record * 31 + slot;
}

void
fill(StateTable &states, const StateLayout &layout, uint32_t record)
{
	std::byte *state = states.state(record);

	for (uint32_t slot = 0; slot < layout.sums; slot++)
	{
		states.sums(state)[slot] = sum_of(record, slot);
	}
	for (uint32_t slot = 0; slot < layout.peaks; slot++)
	{
		states.peaks(state)[slot] = peak_of(record, slot);
	}
	for (uint32_t slot = 0; slot < layout.counts; slot++)
	{
		states.counts(state)[slot] = count_of(record, slot);
	}
}

bool
is_filled(StateTable &states, const StateLayout &layout, uint32_t record)
{
	std::byte *state = states.state(record);
	bool filled = true;

	for (uint32_t slot = 0; slot < layout.sums; slot++)
	{
		filled &= states.sums(state)[slot] == sum_of(record, slot);
	}
	for (uint32_t slot = 0; slot < layout.peaks; slot++)
	{
		filled &= states.peaks(state)[slot] == peak_of(record, slot);
	}
	for (uint32_t slot = 0; slot < layout.counts; slot++)
	{
		filled &= states.counts(state)[slot] == count_of(record, slot);
	}
	return filled;
}

bool
is_zero(StateTable &states, const StateLayout &layout, uint32_t record)
{
	std::byte *state = states.state(record);
	bool zero = true;

	for (uint32_t slot = 0; slot < layout.sums; slot++)
	{
		zero &= states.sums(state)[slot] == 0;
	}
	for (uint32_t slot = 0; slot < layout.peaks; slot++)
	{
		zero &= states.peaks(state)[slot] == 0;
	}
	for (uint32_t slot = 0; slot < layout.counts; slot++)
	{
		zero &= states.counts(state)[slot] == 0;
	}
	return zero;
}

// Grow through these sizes; each time new states are zero, and in the end all hold what was put there
void
grow_through(const StateLayout &layout, const std::vector<uint32_t> &sizes)
{
	StateTable states(layout);
	uint32_t filled = 0;

	for (uint32_t size : sizes)
	{
		states.reserve(size);
		for (; filled < size; filled++)
		{
			ASSERT_TRUE(is_zero(states, layout, filled)) << "record " << filled << " of " << size;
			fill(states, layout, filled);
		}
	}
	for (uint32_t record = 0; record < filled; record++)
	{
		ASSERT_TRUE(is_filled(states, layout, record)) << "record " << record << " of " << filled;
	}
}

} // namespace

TEST(StateTable, KeepsItsContentsWhileItGrows)
{
	const std::vector<std::vector<uint32_t>> growths = {
		{1, 2, 63, 64, 65, 66, 200}, {64, 65}, {64, 3000}, {1, 100}, {65}, {64, 64, 128, 129}, {1000, 1001, 5000},
	};

	for (const StateLayout &layout : layouts)
	{
		for (const std::vector<uint32_t> &growth : growths)
		{
			SCOPED_TRACE(testing::Message() << layout.sums << " sums, " << layout.peaks << " peaks, "
											<< layout.counts << " counts, growth from " << growth.front());
			grow_through(layout, layout.sums > 100 ? std::vector<uint32_t>{1, 64, 65, 300} : growth);
		}
	}
}

TEST(StateTable, GrowsToAMillionRecordsOneBatchAtATime)
{
	std::vector<uint32_t> sizes;
	for (uint32_t size = 1; size < 1'000'000; size += batch_rows)
	{
		sizes.push_back(size);
	}
	grow_through({1, 0, 1}, sizes);
}

TEST(StateTable, NeedsNoMoreRoomForFewerRecords)
{
	StateLayout layout{1, 1, 1};
	StateTable states(layout);

	states.reserve(500);
	fill(states, layout, 499);
	states.reserve(10);
	states.reserve(0);
	EXPECT_TRUE(is_filled(states, layout, 499));
}

TEST(StateTable, KeepsSumsPeaksAndCountsApartAndAligned)
{
	for (const StateLayout &layout : layouts)
	{
		StateTable states(layout);
		states.reserve(200);
		for (uint32_t record = 0; record < 199; record++)
		{
			std::byte *state = states.state(record);
			auto *sums_end = reinterpret_cast<std::byte *>(states.sums(state) + layout.sums);
			auto *peaks = reinterpret_cast<std::byte *>(states.peaks(state));
			auto *peaks_end = reinterpret_cast<std::byte *>(states.peaks(state) + layout.peaks);
			auto *counts = reinterpret_cast<std::byte *>(states.counts(state));

			EXPECT_EQ(reinterpret_cast<uintptr_t>(state) % alignof(FixedSum), 0u);
			EXPECT_LE(sums_end, peaks);
			EXPECT_LE(peaks_end, counts);
			EXPECT_EQ(reinterpret_cast<uintptr_t>(peaks) % alignof(uint64_t), 0u);
		}
	}
}

TEST(StateTable, DoesNotSpreadASmallStateOverTwoCacheLines)
{
	for (const StateLayout &layout : layouts)
	{
		size_t bytes = layout.sums * sizeof(FixedSum) + layout.peaks * sizeof(uint64_t) +
					   layout.counts * sizeof(uint32_t);
		if (bytes == 0 || bytes > 64)
		{
			continue;
		}
		StateTable states(layout);
		states.reserve(100);
		for (uint32_t record = 0; record < 100; record++)
		{
			auto first = reinterpret_cast<uintptr_t>(states.state(record));
			EXPECT_EQ(first / 64, (first + bytes - 1) / 64) << bytes << " bytes, record " << record;
		}
	}
}

} // namespace lead_scoring::core::test
