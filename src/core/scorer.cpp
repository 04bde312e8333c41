#include "core/scorer.hpp"

#include "core/fault.hpp"
#include "core/time.hpp"

#include <algorithm>

#if defined(POSTGRES_H)
static_assert(false, "No Postgres header should be included in this file.");
#endif

namespace lead_scoring::core
{

Scorer::Scorer(const Definition &definition, int64_t as_of, bool detail)
	: program_(definition, as_of, detail), states_(program_.layout), finisher_(program_, states_),
	  index_(make_index(definition.key_kind)), unique_keys_(definition.unique_keys),
	  finished_(make_index(definition.key_kind)), factors_(program_.curves.size()),
	  factor_rows_(program_.curves.size())
{
}

Scorer::Index
Scorer::make_index(KeyKind kind)
{
	switch (kind)
	{
	case KeyKind::integer:
		return KeyIndex<IntegerKeys>();
	case KeyKind::uuid:
		return KeyIndex<UuidKeys>();
	default:
		return KeyIndex<TextKeys>();
	}
}

// Number the records of a batch and fetch their states
void
Scorer::locate(const Batch &rows)
{
	uint32_t size = std::visit(
		[&](auto &index)
		{
			index.number(rows.keys, rows.rows, numbers_);
			return index.size();
		},
		index_);
	states_.reserve(size);
	for (size_t row = 0; row < rows.rows; row++)
	{
		states_.prefetch(numbers_[row]);
	}
}

// Find the states of a batch of records, if they have any
void
Scorer::find(const Batch &records)
{
	std::visit([&](auto &index) { index.find(records.keys, records.rows, numbers_); }, index_);
	for (size_t row = 0; row < records.rows; row++)
	{
		if (numbers_[row] != no_record)
		{
			states_.prefetch(numbers_[row]);
		}
	}
}

void
Scorer::require_unique(const Batch &records)
{
	uint32_t numbers[batch_rows];

	std::visit(
		[&](auto &index)
		{
			uint32_t expected = index.size();
			index.number(records.keys, records.rows, numbers);
			for (size_t row = 0; row < records.rows; row++)
			{
				if (numbers[row] != expected++)
				{
					throw ScoringError(Fault::duplicate_key, "two records have the same key",
									   "Every record needs a key of its own: choose another key column, or "
									   "let a view give each record once.");
				}
			}
		},
		finished_);
}

std::byte *
Scorer::state_of(size_t row) noexcept
{
	return numbers_[row] == no_record ? nullptr : states_.state(numbers_[row]);
}

void
Scorer::add_rows(size_t source, const Batch &rows)
{
	const SourceProgram &program = program_.sources[source];

	locate(rows);
	for (size_t row = 0; row < rows.rows; row++)
	{
		add_row(program, rows, row);
	}
}

std::span<const uint32_t>
Scorer::rules_for(const SourceProgram &source, const Batch &rows, size_t row) const noexcept
{
	uint32_t code = 0;

	if (source.dispatch_column != no_slot && !rows.is_null(source.dispatch_column, row))
	{
		int64_t value = rows.cell(source.dispatch_column, row).integer;
		code = source.dispatch_kind == ColumnKind::code
				   ? static_cast<uint32_t>(value)
				   : source.dispatch_book.find({reinterpret_cast<const char *>(&value), sizeof value});
	}
	return {source.entries.data() + source.first_entry[code],
			source.first_entry[code + 1] - source.first_entry[code]};
}

void
Scorer::add_row(const SourceProgram &source, const Batch &rows, size_t row) noexcept
{
	// Related rows have no age: they are as new as can be
	int64_t time = source.has_time ? rows.times[row] : program_.as_of;

	row_count_++;
	if (time > program_.as_of)
	{
		return;
	}
	std::byte *state = states_.state(numbers_[row]);
	for (uint32_t entry : rules_for(source, rows, row))
	{
		const RowRule &rule = source.rules[entry];
		if (source.has_time && (time < rule.from || time >= rule.until))
		{
			continue;
		}
		if (std::all_of(rule.criteria.begin(), rule.criteria.end(),
						[&](const Predicate &criterion) { return criterion.holds(rows, row); }))
		{
			pay(rule, state, time);
		}
	}
}

double
Scorer::factor(uint32_t decay, int64_t time) noexcept
{
	if (factor_rows_[decay] != row_count_)
	{
		factor_rows_[decay] = row_count_;
		factors_[decay] = program_.curves[decay].factor(age_us(program_.as_of, time));
	}
	return factors_[decay];
}

void
Scorer::pay(const RowRule &rule, std::byte *state, int64_t time) noexcept
{
	bool first = true;

	if (rule.count_slot != no_slot)
	{
		uint32_t &count = states_.counts(state)[rule.count_slot];
		first = count == 0;
		count += count != UINT32_MAX;
	}
	if (rule.newest_slot != no_slot)
	{
		int64_t &newest = states_.instants(state)[rule.newest_slot];
		newest = first ? time : std::max(newest, time);
	}
	if (rule.sum_slot != no_slot)
	{
		double share = rule.decay == no_slot ? 1 : factor(rule.decay, time);
		states_.sums(state)[rule.sum_slot] += fixed_term(rule.points * share);
	}
}

void
Scorer::add_adjustments(const Batch &rows)
{
	locate(rows);
	for (size_t row = 0; row < rows.rows; row++)
	{
		states_.sums(states_.state(numbers_[row]))[program_.adjustment_slot] +=
			fixed_term(rows.cell(0, row).real);
	}
}

void
Scorer::finish_records(const Batch &records, ScoreResult *results)
{
	if (!unique_keys_)
	{
		require_unique(records);
	}
	find(records);
	for (size_t row = 0; row < records.rows; row++)
	{
		results[row] = finisher_.finish(records, row, state_of(row), nullptr);
	}
}

ScoreResult
Scorer::explain_record(const Batch &records, size_t row, Account &account)
{
	if (!unique_keys_)
	{
		require_unique(records);
	}
	find(records);
	account.rules.resize(program_.rules.size());
	account.group_sums.resize(program_.groups.size());
	account.group_values.resize(program_.groups.size());
	return finisher_.finish(records, row, state_of(row), &account);
}

} // namespace lead_scoring::core
