#include "core/transfer.hpp"

#include "core/fault.hpp"
#include "core/peaks.hpp"

#include <algorithm>
#include <cstring>

#if defined(POSTGRES_H)
static_assert(false, "No Postgres header should be included in this file.");
#endif

namespace lead_scoring::core
{

namespace
{

// A piece has at most so many matches, whatever a single record has
constexpr size_t most_matches = 1 << 15;

template <typename Item>
void
put(std::vector<std::byte> &piece, const Item &item)
{
	const auto *bytes = reinterpret_cast<const std::byte *>(&item);

	piece.insert(piece.end(), bytes, bytes + sizeof item);
}

// Reads a piece from front to back
class Reader
{
public:
	explicit Reader(std::span<const std::byte> piece) : rest_(piece)
	{
	}

	const std::byte *
	take(size_t size)
	{
		if (size > rest_.size())
		{
			throw ScoringError(Fault::invalid_text, "a piece of a scorer is truncated");
		}
		const std::byte *taken = rest_.data();
		rest_ = rest_.subspan(size);
		return taken;
	}

	template <typename Item>
	Item
	get()
	{
		Item item;
		std::memcpy(&item, take(sizeof item), sizeof item);
		return item;
	}

private:
	std::span<const std::byte> rest_;
};

Key
read_key(Reader &reader, KeyKind kind)
{
	Key key{};

	if (kind == KeyKind::text)
	{
		auto length = reader.get<uint32_t>();
		key.text = {reinterpret_cast<const char *>(reader.take(length)), length};
		return key;
	}
	key.low = reader.get<uint64_t>();
	if (kind == KeyKind::uuid)
	{
		key.high = reader.get<uint64_t>();
	}
	return key;
}

// Add to a sum what another scorer has; raises if it leaves its range
void
merge_sum(const Program &program, uint32_t slot, FixedSum &sum, FixedSum other)
{
	if (__builtin_add_overflow(sum, other, &sum))
	{
		uint32_t group = program.sum_uses[slot].group;
		throw ScoringError(Fault::out_of_range,
						   (group == no_slot ? "values of a rule" : "points of group \"" + program.groups[group].name + "\"") +
							   " add up to more than 1.8e19",
						   "Let the values of its rules be smaller, in thousands for example.");
	}
}

// Add the sums, peaks and counts of a state to those of another
void
merge_state(const Program &program, const StateTable &states, std::byte *into, const std::byte *from)
{
	const StateLayout &layout = states.layout();
	FixedSum *sums = states.sums(into);
	uint64_t *peaks = states.peaks(into);
	uint32_t *counts = states.counts(into);

	for (uint32_t slot = 0; slot < layout.sums; slot++)
	{
		FixedSum sum;
		std::memcpy(&sum, from + slot * sizeof sum, sizeof sum);
		merge_sum(program, slot, sums[slot], sum);
	}
	from += layout.sums * sizeof(FixedSum);
	for (uint32_t slot = 0; slot < layout.peaks; slot++)
	{
		uint64_t peak;
		std::memcpy(&peak, from + slot * sizeof peak, sizeof peak);
		raise_peak(peaks[slot], peak);
	}
	from += layout.peaks * sizeof(uint64_t);
	for (uint32_t slot = 0; slot < layout.counts; slot++)
	{
		uint32_t count;
		std::memcpy(&count, from + slot * sizeof count, sizeof count);
		if (slot != program.log_slot)
		{
			counts[slot] = counts[slot] > UINT32_MAX - count ? UINT32_MAX : counts[slot] + count;
		}
	}
}

} // namespace

void
Transfer::write_keys(const Key *keys, size_t count)
{
	for (size_t at = 0; at < count; at++)
	{
		if (scorer_.key_kind_ == KeyKind::text)
		{
			put(piece_, static_cast<uint32_t>(keys[at].text.size()));
			const auto *bytes = reinterpret_cast<const std::byte *>(keys[at].text.data());
			piece_.insert(piece_.end(), bytes, bytes + keys[at].text.size());
			continue;
		}
		put(piece_, keys[at].low);
		if (scorer_.key_kind_ == KeyKind::uuid)
		{
			put(piece_, keys[at].high);
		}
	}
}

void
Transfer::write_states(const uint32_t *numbers, size_t count)
{
	size_t state_size = scorer_.states_.state_size();

	for (size_t at = 0; at < count; at++)
	{
		scorer_.states_.prefetch(numbers[at]);
	}
	for (size_t at = 0; at < count; at++)
	{
		const std::byte *state = scorer_.states_.state(numbers[at]);
		piece_.insert(piece_.end(), state, state + state_size);
	}
}

// Write matches of a record for which there is room; returns the head of those that are left
uint32_t
Transfer::write_log(uint32_t head, size_t &room)
{
	size_t length_at = piece_.size();
	uint32_t length = 0;

	put(piece_, length);
	for (; head != 0 && room > 0; length++, room--)
	{
		const MatchLog::Entry &entry = scorer_.log_.entry(head);
		put(piece_, entry);
		head = entry.previous;
	}
	std::memcpy(piece_.data() + length_at, &length, sizeof length);
	return head;
}

// Write more matches of a record, whose state has been sent: a state of zeros adds nothing to that
void
Transfer::go_on_with(Unfinished &record)
{
	size_t room = most_matches;

	put(piece_, uint32_t{1});
	write_keys(&record.key, 1);
	piece_.resize(piece_.size() + scorer_.states_.state_size());
	record.head = write_log(record.head, room);
}

std::span<const std::byte>
Transfer::next()
{
	Key keys[batch_rows];
	uint32_t numbers[batch_rows];

	piece_.clear();
	if (!unfinished_.empty())
	{
		go_on_with(unfinished_.back());
		if (unfinished_.back().head == 0)
		{
			unfinished_.pop_back();
		}
		return piece_;
	}
	size_t count = std::visit([&](const auto &index) { return index.collect(cursor_, keys, numbers); }, scorer_.index_);
	if (count == 0)
	{
		return piece_;
	}
	put(piece_, static_cast<uint32_t>(count));
	write_keys(keys, count);
	write_states(numbers, count);
	size_t room = most_matches;
	for (size_t at = 0; at < count && scorer_.program_.log_slot != no_slot; at++)
	{
		uint32_t left = write_log(scorer_.states_.counts(scorer_.states_.state(numbers[at]))[scorer_.program_.log_slot], room);
		if (left != 0)
		{
			unfinished_.push_back({keys[at], left});
		}
	}
	return piece_;
}

void
Transfer::merge(Scorer &scorer, std::span<const std::byte> piece)
{
	Reader reader(piece);
	auto count = reader.get<uint32_t>();
	size_t state_size = scorer.states_.state_size();
	Key keys[batch_rows];
	Batch batch{count, keys, nullptr, nullptr, nullptr};

	if (count > batch_rows)
	{
		throw ScoringError(Fault::invalid_text, "a piece of a scorer is too large");
	}
	for (size_t at = 0; at < count; at++)
	{
		keys[at] = read_key(reader, scorer.key_kind_);
	}
	scorer.locate(batch);
	for (size_t at = 0; at < count; at++)
	{
		merge_state(scorer.program_, scorer.states_, scorer.states_.state(scorer.numbers_[at]), reader.take(state_size));
	}
	for (size_t at = 0; at < count && scorer.program_.log_slot != no_slot; at++)
	{
		uint32_t &head = scorer.states_.counts(scorer.states_.state(scorer.numbers_[at]))[scorer.program_.log_slot];
		for (auto entries = reader.get<uint32_t>(); entries > 0; entries--)
		{
			auto entry = reader.get<MatchLog::Entry>();
			scorer.log_.append(head, MatchLog::rule_of(entry), MatchLog::match_of(entry));
		}
	}
}

} // namespace lead_scoring::core
