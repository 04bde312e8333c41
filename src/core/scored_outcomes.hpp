// Scores of records of which it is known whether they converted: what every judgement of a ranking is made from.
//
// Only the multiset of (score, outcome) counts: records that share a score are told apart by nothing, so they go through
// every measure together, and no order in which they were given changes a digit.
#pragma once

#include "core/fault.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <utility>
#include <vector>

namespace lead_scoring::core
{

// All records of one score
struct ScoreRun
{
	double score;
	int64_t records;
	int64_t converted;
};

class ScoredOutcomes
{
public:
	ScoredOutcomes() = default;

	// outcomes[i] belongs to scores[i]; raises if there are more of one than of the other
	ScoredOutcomes(std::span<const double> scores, std::span<const uint8_t> outcomes);

	// Add a record; raises for a score that is not finite
	void add(double score, bool outcome);

	// Add the records of another
	void add(const ScoredOutcomes &other);

	// Bring the scores into order, as all that looks at them needs it
	void sort(Poll cancelled = nullptr);

	int64_t
	converted() const noexcept
	{
		return static_cast<int64_t>(converted_.size());
	}

	int64_t
	unconverted() const noexcept
	{
		return static_cast<int64_t>(unconverted_.size());
	}

	int64_t
	records() const noexcept
	{
		return converted() + unconverted();
	}

	// Return how many of each kind, converted first, have this score or a higher one; they need no order
	std::pair<int64_t, int64_t> count_reaching(double score) const noexcept;

	// Visit the runs of equal scores, the highest first
	template <typename Visit>
	void
	for_each_run(Visit visit) const
	{
		visit_runs(converted_.rbegin(), converted_.rend(), unconverted_.rbegin(), unconverted_.rend(),
				   std::greater<>(), visit);
	}

	// Visit the runs of equal scores, the lowest first
	template <typename Visit>
	void
	for_each_rising_run(Visit visit) const
	{
		visit_runs(converted_.begin(), converted_.end(), unconverted_.begin(), unconverted_.end(), std::less<>(), visit);
	}

	// The bytes in which an aggregate hands its state on: a head, then the scores of both kinds
	size_t flat_size() const noexcept;
	void write_flat(std::byte *bytes) const noexcept;
	static ScoredOutcomes read_flat(std::span<const std::byte> bytes);

private:
	template <typename Position, typename Before, typename Visit>
	static void
	visit_runs(Position yes, Position yes_end, Position no, Position no_end, Before before, Visit &visit)
	{
		while (yes != yes_end || no != no_end)
		{
			double score = no == no_end || (yes != yes_end && before(*yes, *no)) ? *yes : *no;
			int64_t converted = take_equal(yes, yes_end, score);
			visit(ScoreRun{score, converted + take_equal(no, no_end, score), converted});
		}
	}

	// Step over the scores that equal one, and return how many they are
	template <typename Position>
	static int64_t
	take_equal(Position &at, Position end, double score)
	{
		Position first = at;

		while (at != end && *at == score)
		{
			++at;
		}
		return at - first;
	}

	std::vector<double> converted_;
	std::vector<double> unconverted_;
	bool sorted_ = true;
};

} // namespace lead_scoring::core
