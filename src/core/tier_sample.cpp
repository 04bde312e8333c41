#include "core/tier_sample.hpp"

#include "core/fault.hpp"
#include "core/tiers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <iterator>
#include <utility>

#if defined(POSTGRES_H)
static_assert(false, "No Postgres header should be included in this file.");
#endif

namespace lead_scoring::core
{

namespace
{

constexpr uint32_t layout_version = 1;
constexpr double planned_levels = 20;
// An exact sample is one value of PostgreSQL in the end, and that holds less than 1 GB
constexpr size_t most_exact_scores = 100'000'000;

[[noreturn]] void
raise_damaged(const char *what)
{
	throw ScoringError(Fault::invalid_text, fmt::format("invalid tier_sample: {}", what),
					   "It is the state of the aggregate tier_cutoffs, made by PostgreSQL itself.");
}

// Give every other value of a full level to the next
void
compact(TierSample &sample, size_t level)
{
	if (level + 1 == sample.levels.size())
	{
		if (sample.levels.size() == most_levels)
		{
			throw ScoringError(Fault::limit_exceeded, "too many scores for a tier_sample");
		}
		sample.levels.emplace_back();
		sample.head.levels++;
	}
	std::vector<double> &from = sample.levels[level];
	std::vector<double> &to = sample.levels[level + 1];
	std::sort(from.begin(), from.end());
	bool odd = from.size() % 2 != 0;
	double kept = odd ? from.back() : 0;
	size_t pairs = from.size() / 2;
	size_t turn = sample.head.turns >> level & 1;
	sample.head.turns ^= uint64_t{1} << level;
	for (size_t pair = 0; pair < pairs; pair++)
	{
		to.push_back(from[2 * pair + turn]);
	}
	from.clear();
	if (odd)
	{
		from.push_back(kept);
	}
}

void
compact_full_levels(TierSample &sample)
{
	if (sample.head.capacity == 0)
	{
		if (sample.levels[0].size() > most_exact_scores)
		{
			throw ScoringError(Fault::limit_exceeded,
							   fmt::format("more than {} scores for exact cut-offs", most_exact_scores),
							   "Ask for an accuracy: tier_cutoffs(score, n, 0.001).");
		}
		return;
	}
	for (size_t level = 0; level < sample.levels.size(); level++)
	{
		if (sample.levels[level].size() >= sample.head.capacity)
		{
			compact(sample, level);
		}
	}
}

void
require_valid_head(const TierSampleHead &head)
{
	if (head.version != layout_version)
	{
		raise_damaged("unknown version");
	}
	if (head.tiers < 1 || head.tiers > most_tiers)
	{
		raise_damaged("number of tiers out of range");
	}
	if (head.levels < 1 || head.levels > most_levels || (head.capacity == 0 && head.levels != 1))
	{
		raise_damaged("number of levels out of range");
	}
	if (head.count < 0)
	{
		raise_damaged("negative count");
	}
}

// Raise unless the values on the levels are finite and stand for as many scores as the head says
void
require_valid_levels(const TierSample &sample)
{
	__extension__ typedef unsigned __int128 Wide;
	Wide count = 0;

	for (size_t level = 0; level < sample.levels.size(); level++)
	{
		count += static_cast<Wide>(sample.levels[level].size()) << level;
		for (double score : sample.levels[level])
		{
			if (!std::isfinite(score))
			{
				raise_damaged("a score is not finite");
			}
		}
	}
	if (count != static_cast<Wide>(sample.head.count))
	{
		raise_damaged("the count does not fit the scores");
	}
}

template <typename Number>
Number
take_number_field(std::string_view &rest, char end_sign)
{
	Number number{};
	auto [end, code] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
	size_t length = static_cast<size_t>(end - rest.data());

	if (code != std::errc() || length >= rest.size() || rest[length] != end_sign)
	{
		raise_damaged("malformed text");
	}
	rest.remove_prefix(length + 1);
	return number;
}

} // namespace

uint32_t
sample_capacity(double accuracy)
{
	if (!(accuracy >= 0 && accuracy <= 0.5) || (accuracy > 0 && accuracy < 1e-5))
	{
		throw ScoringError(Fault::invalid_parameter, fmt::format("accuracy out of range: {}", accuracy),
						   "It is the error of rank that is allowed, as a share of all: 0.00001 to 0.5, or 0 for exact.");
	}
	return accuracy == 0 ? 0 : static_cast<uint32_t>(std::ceil(planned_levels / accuracy));
}

TierSample
make_tier_sample(int32_t tiers, double accuracy)
{
	uint32_t capacity = sample_capacity(accuracy);

	if (tiers < 1 || tiers > most_tiers)
	{
		throw ScoringError(Fault::invalid_parameter, fmt::format("number of tiers out of range: {}", tiers),
						   fmt::format("Use 1 to {} tiers.", most_tiers));
	}
	TierSample sample;
	sample.head = {layout_version, tiers, capacity, 1, 0, 0};
	sample.levels.resize(1);
	return sample;
}

void
add_score(TierSample &sample, double score)
{
	if (!std::isfinite(score))
	{
		throw ScoringError(Fault::out_of_range, fmt::format("a score must be finite: {}", score),
						   "Leave such rows out with FILTER.");
	}
	if (sample.head.count == INT64_MAX)
	{
		throw ScoringError(Fault::limit_exceeded, "too many scores for a tier_sample");
	}
	sample.levels[0].push_back(score);
	sample.head.count++;
	if (sample.head.capacity == 0 ? sample.levels[0].size() > most_exact_scores
								  : sample.levels[0].size() >= sample.head.capacity)
	{
		compact_full_levels(sample);
	}
}

void
add_sample(TierSample &sample, const TierSample &other)
{
	if (sample.head.tiers != other.head.tiers || sample.head.capacity != other.head.capacity)
	{
		throw ScoringError(Fault::invalid_parameter, "number of tiers and accuracy must not vary",
						   "Give the same for all rows.");
	}
	if (__builtin_add_overflow(sample.head.count, other.head.count, &sample.head.count))
	{
		throw ScoringError(Fault::limit_exceeded, "too many scores for a tier_sample");
	}
	if (other.levels.size() > sample.levels.size())
	{
		sample.levels.resize(other.levels.size());
		sample.head.levels = other.head.levels;
	}
	for (size_t level = 0; level < other.levels.size(); level++)
	{
		sample.levels[level].insert(sample.levels[level].end(), other.levels[level].begin(),
									other.levels[level].end());
	}
	compact_full_levels(sample);
}

std::vector<double>
find_cutoffs(const TierSample &sample)
{
	std::vector<std::pair<double, int64_t>> scores;
	std::vector<double> cutoffs;
	size_t kept = 0;

	for (const std::vector<double> &level : sample.levels)
	{
		kept += level.size();
	}
	scores.reserve(kept);
	for (size_t level = 0; level < sample.levels.size(); level++)
	{
		for (double score : sample.levels[level])
		{
			scores.emplace_back(score, int64_t{1} << level);
		}
	}
	std::sort(scores.begin(), scores.end(), [](const auto &left, const auto &right) { return left.first > right.first; });
	size_t at = 0;
	int64_t behind = scores.empty() ? 0 : scores[0].second; // position behind the score at hand
	for (int32_t tier = 1; tier < sample.head.tiers && !scores.empty(); tier++)
	{
		int64_t end = tier_end(tier, sample.head.count, sample.head.tiers);
		while (behind < end)
		{
			behind += scores[++at].second;
		}
		cutoffs.push_back(scores[at].first);
	}
	return cutoffs;
}

std::string
tier_sample_bytes(const TierSample &sample)
{
	std::string bytes(reinterpret_cast<const char *>(&sample.head), sizeof sample.head);

	for (const std::vector<double> &level : sample.levels)
	{
		uint64_t length = level.size();
		bytes.append(reinterpret_cast<const char *>(&length), sizeof length);
		bytes.append(reinterpret_cast<const char *>(level.data()), level.size() * sizeof(double));
	}
	return bytes;
}

TierSample
parse_tier_sample_bytes(std::span<const std::byte> bytes)
{
	TierSample sample;

	if (bytes.size() < sizeof sample.head)
	{
		raise_damaged("truncated");
	}
	std::memcpy(&sample.head, bytes.data(), sizeof sample.head);
	bytes = bytes.subspan(sizeof sample.head);
	require_valid_head(sample.head);
	sample.levels.resize(sample.head.levels);
	for (std::vector<double> &level : sample.levels)
	{
		uint64_t length;
		if (bytes.size() < sizeof length)
		{
			raise_damaged("truncated");
		}
		std::memcpy(&length, bytes.data(), sizeof length);
		bytes = bytes.subspan(sizeof length);
		if (length > bytes.size() / sizeof(double))
		{
			raise_damaged("truncated");
		}
		level.resize(length);
		if (length > 0)
		{
			std::memcpy(level.data(), bytes.data(), length * sizeof(double));
		}
		bytes = bytes.subspan(length * sizeof(double));
	}
	if (!bytes.empty())
	{
		raise_damaged("too long");
	}
	require_valid_levels(sample);
	return sample;
}

std::string
tier_sample_text(const TierSample &sample)
{
	std::string text = fmt::format("v1;{};{};{};{}", sample.head.tiers, sample.head.capacity, sample.head.turns,
								   sample.head.count);

	for (const std::vector<double> &level : sample.levels)
	{
		text += ";";
		for (double score : level)
		{
			fmt::format_to(std::back_inserter(text), "{} ", score);
		}
	}
	text += ";";
	return text;
}

TierSample
parse_tier_sample(std::string_view text)
{
	TierSample sample;

	if (text.substr(0, 3) != "v1;")
	{
		raise_damaged("malformed text");
	}
	text.remove_prefix(3);
	sample.head.version = layout_version;
	sample.head.tiers = take_number_field<int32_t>(text, ';');
	sample.head.capacity = take_number_field<uint32_t>(text, ';');
	sample.head.turns = take_number_field<uint64_t>(text, ';');
	sample.head.count = take_number_field<int64_t>(text, ';');
	while (!text.empty())
	{
		if (sample.levels.size() == most_levels)
		{
			raise_damaged("number of levels out of range");
		}
		std::vector<double> &level = sample.levels.emplace_back();
		while (!text.empty() && text.front() != ';')
		{
			level.push_back(take_number_field<double>(text, ' '));
		}
		if (text.empty())
		{
			raise_damaged("malformed text");
		}
		text.remove_prefix(1);
	}
	sample.head.levels = static_cast<uint32_t>(sample.levels.size());
	require_valid_head(sample.head);
	require_valid_levels(sample);
	return sample;
}

} // namespace lead_scoring::core
