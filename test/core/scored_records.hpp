// Records with scores and outcomes for tests, with many ties.
#pragma once

#include "core/scored_outcomes.hpp"
#include "support.hpp"

namespace lead_scoring::core::test
{

struct ScoredRecords
{
	std::vector<double> scores;
	std::vector<uint8_t> outcomes;

	size_t
	size() const
	{
		return scores.size();
	}

	ScoredOutcomes
	sorted() const
	{
		ScoredOutcomes scored(scores, outcomes);

		scored.sort();
		return scored;
	}

	void
	shuffle(Random &random)
	{
		for (size_t count = size(); count > 1; count--)
		{
			size_t other = random.below(count);
			std::swap(scores[count - 1], scores[other]);
			std::swap(outcomes[count - 1], outcomes[other]);
		}
	}
};

// So many records, of so many distinct scores in 0..1, of which higher ones convert more often
inline ScoredRecords
random_records(Random &random, size_t count, size_t distinct)
{
	ScoredRecords records;

	for (size_t at = 0; at < count; at++)
	{
		double score = static_cast<double>(random.below(distinct)) / static_cast<double>(distinct);
		records.scores.push_back(score);
		records.outcomes.push_back(random.share() < 0.1 + 0.6 * score);
	}
	return records;
}

// The thousand customers of E40: a hundred of each tenth, of which so many bought
inline ScoredRecords
gains_example()
{
	ScoredRecords records;
	double decile = 10;

	for (int buyers : {23, 22, 22, 13, 8, 5, 3, 2, 1, 1})
	{
		for (int at = 0; at < 100; at++)
		{
			records.scores.push_back(decile);
			records.outcomes.push_back(at < buyers);
		}
		decile--;
	}
	return records;
}

} // namespace lead_scoring::core::test
