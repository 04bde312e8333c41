// What rows write for the features of a model; a part of scorer.hpp.
#include "core/fault.hpp"
#include "core/peaks.hpp"
#include "core/scorer.hpp"
#include "core/time.hpp"

#include <cmath>

#if defined(POSTGRES_H)
static_assert(false, "No Postgres header should be included in this file.");
#endif

namespace lead_scoring::core
{

namespace
{

// Hash a text: FNV-1a of 64 bits (Fowler, Noll, Vo), then mixed, as its low bits alone are weak
uint64_t
hash_text(std::string_view text) noexcept
{
	uint64_t hash = 0xcbf29ce484222325;

	for (char byte : text)
	{
		hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3;
	}
	hash ^= hash >> 32;
	hash *= 0x9e3779b97f4a7c15;
	return hash ^ (hash >> 29);
}

} // namespace

void
Scorer::add_instants(const Batch &rows)
{
	locate(rows);
	for (size_t row = 0; row < rows.rows; row++)
	{
		uint64_t &instant = states_.peaks(states_.state(numbers_[row]))[program_.instant_slot];
		raise_peak(instant, peak_of_time(rows.times[row]));
	}
}

// Move a time, if any, so that the record's own instant becomes that of the program; false if the record has none
bool
Scorer::move_time(std::byte *state, int64_t *time) const noexcept
{
	uint64_t peak = states_.peaks(state)[program_.instant_slot];

	if (peak == no_peak)
	{
		return false;
	}
	if (time != nullptr && *time != infinitely_old && *time != infinitely_late)
	{
		int64_t distance;
		bool far = __builtin_sub_overflow(program_.as_of, time_of_peak(peak), &distance);
		*time = far ? infinitely_old : distance >= 0 ? later(*time, distance) : earlier(*time, -distance);
	}
	return true;
}

void
Scorer::log_value(const RowRule &rule, std::byte *state, int64_t time, double value)
{
	log_.append(states_.counts(state)[program_.log_slot], rule.slots.log, {time, value, Role::alone});
}

// The newest row may have no value, and nothing is filled in from an older one; all other features pass it over
void
Scorer::log_missing(const RowRule &rule, std::byte *state, int64_t time)
{
	if (rule.statistic == Statistic::value)
	{
		log_value(rule, state, time, no_value);
	}
}

// Let a row count for a feature
void
Scorer::measure(const RowRule &rule, const Batch &rows, size_t row, std::byte *state, int64_t time)
{
	const RuleSlots &slots = rule.slots;
	const std::string &name = program_.rules[rule.name].name;
	double value = 1;

	if (rule.value_column != no_column)
	{
		size_t column = static_cast<size_t>(rule.value_column);
		if (rows.is_null(column, row))
		{
			log_missing(rule, state, time);
			return;
		}
		Cell cell = rows.cell(column, row);
		if (rule.statistic == Statistic::distinct)
		{
			// As many bits as a double holds whole numbers of
			log_value(rule, state, time, static_cast<double>(hash_text(*cell.text) >> 11));
			return;
		}
		value = rule.value_kind == ColumnKind::text    ? finisher_.features().intern(*cell.text)
				: rule.value_kind == ColumnKind::truth ? static_cast<double>(cell.integer)
													   : cell.real;
		if (!std::isfinite(value))
		{
			// Not a number says as little as NULL
			log_missing(rule, state, time);
			return;
		}
	}
	if (slots.log != no_slot)
	{
		log_value(rule, state, time, value);
		return;
	}
	if (slots.count != no_slot)
	{
		uint32_t &count = states_.counts(state)[slots.count];
		count += count != UINT32_MAX;
	}
	if (slots.sum != no_slot)
	{
		double share = rule.decay == no_slot ? 1 : factor(rule.decay, time);
		add_checked(states_.sums(state)[slots.sum], checked_term(value * share, name), name);
	}
	if (slots.values != no_slot)
	{
		add_checked(states_.sums(state)[slots.values], checked_term(value, name), name);
	}
	if (slots.extreme != no_slot)
	{
		raise_peak(states_.peaks(state)[slots.extreme], peak_of_real(rule.rollup == Rollup::minimum ? -value : value));
	}
	if (slots.newest != no_slot)
	{
		raise_peak(states_.peaks(state)[slots.newest], peak_of_time(time));
	}
	if (slots.oldest != no_slot)
	{
		raise_peak(states_.peaks(state)[slots.oldest], peak_of_due(time));
	}
}

// Let a row count for the features that are of what is to come, if it was known at the instant of evaluation
void
Scorer::look_ahead(const SourceProgram &source, const Batch &rows, size_t row, std::byte *state, int64_t time)
{
	for (uint32_t entry : source.dispatch[0].rules_for(rows, row))
	{
		const RowRule &rule = source.rules[entry];
		if (rule.statistic != Statistic::days_until_next || !rule.window.contains(time) || !all_hold(rule.criteria, rows, row))
		{
			continue;
		}
		size_t column = static_cast<size_t>(rule.known_column);
		if (rule.known_column == no_column || rows.is_null(column, row))
		{
			continue;
		}
		int64_t known = rows.cell(column, row).integer;
		if (program_.own_instants)
		{
			move_time(state, &known);
		}
		if (known <= program_.as_of)
		{
			measure(rule, rows, row, state, time);
		}
	}
}

void
Scorer::read_features(const Batch &records, std::span<double> values, bool *in_scope)
{
	size_t features = program_.rules.size();

	if (!unique_keys_)
	{
		require_unique(records);
	}
	find(records);
	for (size_t row = 0; row < records.rows; row++)
	{
		row_at_hand_ = row;
		in_scope[row] = finisher_.read_features(records, row, state_of(row), values.subspan(row * features, features));
	}
}

} // namespace lead_scoring::core
