#include "core/scored_outcomes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#if defined(POSTGRES_H)
static_assert(false, "No Postgres header should be included in this file.");
#endif

namespace lead_scoring::core
{

namespace
{

constexpr uint32_t layout_version = 1;
// A state is one value of PostgreSQL in the end, and that holds less than 1 GB
constexpr int64_t most_scores = 100'000'000;

struct FlatHead
{
	uint32_t version;
	uint32_t unused;
	uint64_t converted;
	uint64_t unconverted;
};

[[noreturn]] void
raise_damaged(const char *what)
{
	throw ScoringError(Fault::invalid_text, fmt::format("invalid state of auc or average_precision: {}", what),
					   "It is made by these aggregates themselves.");
}

void
require_room(int64_t records)
{
	if (records > most_scores)
	{
		throw ScoringError(Fault::limit_exceeded, fmt::format("more than {} scores to be judged", most_scores),
						   "Judge a random part of them, for example with TABLESAMPLE.");
	}
}

// Append numbers, which may be those that are there
void
append(std::vector<double> &numbers, const std::vector<double> &others)
{
	size_t before = numbers.size();
	size_t count = others.size();

	numbers.resize(before + count);
	std::copy_n(others.begin(), count, numbers.begin() + static_cast<std::ptrdiff_t>(before));
}

// Sort numbers, giving the caller a chance to cancel between parts that take milliseconds
void
sort_numbers(std::vector<double> &numbers, Poll cancelled)
{
	constexpr size_t block = size_t{1} << 18;
	size_t size = numbers.size();
	auto at = [&numbers, size](size_t position)
	{ return numbers.begin() + static_cast<std::ptrdiff_t>(std::min(position, size)); };

	for (size_t from = 0; from < size; from += block)
	{
		give_up_if(cancelled);
		std::sort(at(from), at(from + block));
	}
	for (size_t width = block; width < size; width *= 2)
	{
		for (size_t from = 0; from + width < size; from += 2 * width)
		{
			give_up_if(cancelled);
			std::inplace_merge(at(from), at(from + width), at(from + 2 * width));
		}
	}
}

} // namespace

ScoredOutcomes::ScoredOutcomes(std::span<const double> scores, std::span<const uint8_t> outcomes)
{
	if (scores.size() != outcomes.size())
	{
		throw ScoringError(Fault::invalid_parameter,
						   fmt::format("{} scores, but {} outcomes", scores.size(), outcomes.size()),
						   "Give each score the outcome of the same record.");
	}
	for (size_t row = 0; row < scores.size(); row++)
	{
		add(scores[row], outcomes[row] != 0);
	}
}

void
ScoredOutcomes::add(double score, bool outcome)
{
	if (!std::isfinite(score))
	{
		throw ScoringError(Fault::invalid_parameter, fmt::format("a score must be finite: {}", score),
						   "Use NULL for an unknown score: such records do not count.");
	}
	require_room(records() + 1);
	// Adding zero turns -0 into 0
	(outcome ? converted_ : unconverted_).push_back(score + 0.0);
	sorted_ = false;
}

void
ScoredOutcomes::add(const ScoredOutcomes &other)
{
	require_room(records() + other.records());
	append(converted_, other.converted_);
	append(unconverted_, other.unconverted_);
	sorted_ = false;
}

void
ScoredOutcomes::sort(Poll cancelled)
{
	if (!sorted_)
	{
		sort_numbers(converted_, cancelled);
		sort_numbers(unconverted_, cancelled);
		sorted_ = true;
	}
}

std::pair<int64_t, int64_t>
ScoredOutcomes::count_reaching(double score) const noexcept
{
	auto reaches = [score](double other) { return other >= score; };

	return {std::count_if(converted_.begin(), converted_.end(), reaches),
			std::count_if(unconverted_.begin(), unconverted_.end(), reaches)};
}

size_t
ScoredOutcomes::flat_size() const noexcept
{
	return sizeof(FlatHead) + (converted_.size() + unconverted_.size()) * sizeof(double);
}

void
ScoredOutcomes::write_flat(std::byte *bytes) const noexcept
{
	FlatHead head{layout_version, 0, converted_.size(), unconverted_.size()};
	size_t length = converted_.size() * sizeof(double);

	std::memcpy(bytes, &head, sizeof head);
	bytes += sizeof head;
	if (length > 0)
	{
		std::memcpy(bytes, converted_.data(), length);
	}
	if (!unconverted_.empty())
	{
		std::memcpy(bytes + length, unconverted_.data(), unconverted_.size() * sizeof(double));
	}
}

ScoredOutcomes
ScoredOutcomes::read_flat(std::span<const std::byte> bytes)
{
	FlatHead head;
	ScoredOutcomes scored;

	if (bytes.size() < sizeof head)
	{
		raise_damaged("truncated");
	}
	std::memcpy(&head, bytes.data(), sizeof head);
	bytes = bytes.subspan(sizeof head);
	if (head.version != layout_version)
	{
		raise_damaged("unknown version");
	}
	if (head.converted > most_scores || head.unconverted > most_scores ||
		bytes.size() != (head.converted + head.unconverted) * sizeof(double))
	{
		raise_damaged("the length does not fit the number of scores");
	}
	require_room(static_cast<int64_t>(head.converted + head.unconverted));
	scored.sorted_ = false;
	for (auto [numbers, count] : {std::pair(&scored.converted_, head.converted),
								  std::pair(&scored.unconverted_, head.unconverted)})
	{
		numbers->resize(count);
		if (count > 0)
		{
			std::memcpy(numbers->data(), bytes.data(), count * sizeof(double));
		}
		bytes = bytes.subspan(count * sizeof(double));
		if (!std::all_of(numbers->begin(), numbers->end(), [](double score) { return std::isfinite(score); }))
		{
			raise_damaged("a score is not finite");
		}
	}
	return scored;
}

} // namespace lead_scoring::core
