#include "core/samples.hpp"

#include "core/time.hpp"

#include <algorithm>

#include <fmt/format.h>

#if defined(POSTGRES_H)
static_assert(false, "No Postgres header should be included in this file.");
#endif

namespace lead_scoring::core
{

namespace
{

// The finalizer of SplitMix64 (Steele, Lea, Flood 2014, Fast splittable pseudorandom number generators)
uint64_t
mix(uint64_t number) noexcept
{
	number = (number ^ (number >> 30)) * 0xbf58476d1ce4e5b9;
	number = (number ^ (number >> 27)) * 0x94d049bb133111eb;
	return number ^ (number >> 31);
}

uint64_t
hash_key(KeyKind kind, const Key &key, uint64_t seed) noexcept
{
	uint64_t hash = mix(seed + 0x9e3779b97f4a7c15);

	if (kind != KeyKind::text)
	{
		return mix(mix(hash ^ key.low) ^ key.high);
	}
	for (char byte : key.text)
	{
		hash = mix(hash ^ static_cast<unsigned char>(byte));
	}
	return hash;
}

int64_t
instant_in(const Batch &records, int32_t column, size_t row, int64_t if_null) noexcept
{
	size_t at = static_cast<size_t>(column);

	return records.is_null(at, row) ? if_null : records.cell(at, row).integer;
}

} // namespace

std::string
key_text(KeyKind kind, const Key &key)
{
	switch (kind)
	{
	case KeyKind::integer:
		return fmt::format("{}", static_cast<int64_t>(key.low));
	case KeyKind::uuid:
	{
		const auto *low = reinterpret_cast<const unsigned char *>(&key.low);
		const auto *high = reinterpret_cast<const unsigned char *>(&key.high);
		std::string text;
		for (size_t at = 0; at < 16; at++)
		{
			text += fmt::format("{}{:02x}", at == 4 || at == 6 || at == 8 || at == 10 ? "-" : "", at < 8 ? low[at] : high[at - 8]);
		}
		return text;
	}
	default:
		return std::string(key.text);
	}
}

SampleCollector::SampleCollector(const SampleRules &rules, size_t features) : rules_(rules)
{
	data.columns.resize(features);
}

// Whether a record takes part as of a snapshot, and whether it converted
bool
SampleCollector::outcome_of(const Batch &records, size_t row, int64_t snapshot, bool *converted) const noexcept
{
	size_t column = static_cast<size_t>(rules_.outcome_column);

	if (snapshot > rules_.as_of ||
		(rules_.observed_column != no_column && instant_in(records, rules_.observed_column, row, infinitely_late) > snapshot))
	{
		return false;
	}
	if (!rules_.instant_outcome)
	{
		*converted = !records.is_null(column, row) && records.cell(column, row).integer != 0;
		return !records.is_null(column, row);
	}
	int64_t at = instant_in(records, rules_.outcome_column, row, infinitely_late);
	int64_t end = later(snapshot, rules_.horizon_us);
	*converted = at <= end;
	// Of those who were observed for less, only the converted ones are known: with them alone everybody would seem to convert
	return at > snapshot && end <= rules_.as_of;
}

void
SampleCollector::add_row(const Batch &records, size_t row, const double *values, const Sample &sample, bool converted)
{
	for (size_t feature = 0; feature < data.columns.size(); feature++)
	{
		data.columns[feature].values.push_back(values[feature]);
	}
	data.outcome.push_back(converted);
	uint64_t fold = hash_key(rules_.key_kind, records.keys[row], rules_.seed) % rules_.folds;
	if (rules_.fold_column != no_column)
	{
		// Whatever number it is, there are at most so many
		constexpr uint64_t most_folds = 100;
		fold = static_cast<uint64_t>(instant_in(records, rules_.fold_column, row, 0)) % most_folds;
	}
	data.fold.push_back(static_cast<uint32_t>(fold));
	samples.push_back(sample);
	if (rules_.keeps_keys)
	{
		keys.push_back(key_text(rules_.key_kind, records.keys[row]));
	}
}

void
SampleCollector::add(const Batch &records, std::span<const double> values, const bool *in_scope, int64_t snapshot)
{
	for (size_t row = 0; row < records.rows; row++)
	{
		int64_t instant = rules_.instant_column == no_column ? snapshot
															 : instant_in(records, rules_.instant_column, row, infinitely_late);
		bool converted = false;
		if (!in_scope[row] || !outcome_of(records, row, instant, &converted))
		{
			continue;
		}
		seen_++;
		seen_converted_ += converted;
		uint64_t lot = mix(hash_key(rules_.key_kind, records.keys[row], ~rules_.seed) ^ static_cast<uint64_t>(instant));
		if (lot > kept_lots_)
		{
			continue;
		}
		add_row(records, row, values.data() + row * data.columns.size(), {instant, lot}, converted);
		if (data.rows() > rules_.most_rows)
		{
			thin_out();
		}
	}
}

// Leave half of the samples, whichever order they came in
void
SampleCollector::thin_out()
{
	size_t kept = 0;

	kept_lots_ /= 2;
	for (size_t row = 0; row < samples.size(); row++)
	{
		if (samples[row].lot > kept_lots_)
		{
			continue;
		}
		for (DataColumn &column : data.columns)
		{
			column.values[kept] = column.values[row];
		}
		data.outcome[kept] = data.outcome[row];
		data.fold[kept] = data.fold[row];
		samples[kept] = samples[row];
		// A string that is moved to itself may be empty afterwards
		if (rules_.keeps_keys && kept != row)
		{
			keys[kept] = std::move(keys[row]);
		}
		kept++;
	}
	for (DataColumn &column : data.columns)
	{
		column.values.resize(kept);
	}
	data.outcome.resize(kept);
	data.fold.resize(kept);
	samples.resize(kept);
	keys.resize(rules_.keeps_keys ? kept : 0);
}

} // namespace lead_scoring::core
