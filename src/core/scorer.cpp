#include "core/scorer.hpp"

#include "core/fault.hpp"
#include "core/peaks.hpp"
#include "core/time.hpp"

#include <algorithm>

#if defined(POSTGRES_H)
static_assert(false, "No Postgres header should be included in this file.");
#endif

namespace lead_scoring::core
{

Scorer::Scorer(const Definition &definition, int64_t as_of, EvaluationNeeds needs, Poll cancelled)
	: program_(definition, as_of, needs), states_(program_.layout), finisher_(program_, states_, log_, cancelled),
	  key_kind_(definition.key_kind), cancelled_(cancelled), index_(make_index()), unique_keys_(definition.unique_keys),
	  finished_(make_index()), factors_(program_.curves.size()), factor_rows_(program_.curves.size())
{
}

void
Scorer::clear()
{
	states_.clear(std::visit([](const auto &index) { return index.size(); }, index_));
	log_.clear();
	std::visit([](auto &index) { index.clear(); }, index_);
	std::visit([](auto &index) { index.clear(); }, finished_);
	last_kept_.any = false;
	finisher_.features().clear();
}

void
Scorer::move_to(int64_t as_of)
{
	program_.move_to(as_of);
	clear();
	for (RelativeBand &band : program_.bands.relative())
	{
		band.cut = {};
	}
}

Scorer::Index
Scorer::make_index() const
{
	switch (key_kind_)
	{
	case KeyKind::integer:
		return IntegerIndex(cancelled_);
	case KeyKind::uuid:
		return KeyIndex<UuidKeys>(cancelled_);
	default:
		return KeyIndex<TextKeys>(cancelled_);
	}
}

size_t
Scorer::memory() const noexcept
{
	size_t indexes = std::visit([](const auto &index) { return index.memory(); }, index_);

	if (!unique_keys_)
	{
		indexes += std::visit([](const auto &index) { return index.memory(); }, finished_);
	}
	return states_.memory() + log_.memory() + indexes;
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
				row_at_hand_ = row;
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

// Flat, as every row that concerns a rule comes through here
[[gnu::flatten]] void
Scorer::add_rows(size_t source, const Batch &rows)
{
	const SourceProgram &program = program_.sources[source];

	last_kept_.any &= last_kept_.source == source;
	last_kept_.source = source;
	locate(rows);
	if (program_.due_slot != no_slot && program.has_time)
	{
		add_noting(program, rows);
		return;
	}
	for (size_t row = 0; row < rows.rows; row++)
	{
		row_at_hand_ = row;
		add_row<false>(program, rows, row);
	}
}

// Add rows, and note when they will change what; flat too, and apart
[[gnu::flatten, gnu::noinline]] void
Scorer::add_noting(const SourceProgram &source, const Batch &rows)
{
	for (size_t row = 0; row < rows.rows; row++)
	{
		row_at_hand_ = row;
		add_row<true>(source, rows, row);
	}
}

// Whether a row repeats one that was kept: the rows of a cleaned source come by record, mark and time
bool
Scorer::is_duplicate(const SourceProgram &source, const Batch &rows, size_t row, int64_t time)
{
	const std::string_view *mark = rows.marks == nullptr ? nullptr : &rows.marks[row];

	if (mark != nullptr && mark->data() == nullptr)
	{
		return false;
	}
	bool same = last_kept_.any && last_kept_.record == numbers_[row] && (mark == nullptr || last_kept_.mark == *mark);
	if (same && (source.dedup_us == infinitely_late || time == last_kept_.time ||
				 (last_kept_.time != infinitely_old && earlier(time, source.dedup_us) < last_kept_.time)))
	{
		return true;
	}
	last_kept_.any = true;
	last_kept_.record = numbers_[row];
	last_kept_.time = time;
	if (mark != nullptr && !same)
	{
		last_kept_.mark = *mark;
	}
	return false;
}

// What the points of a row are multiplied by
double
Scorer::boost(const SourceProgram &source, const Batch &rows, size_t row, int64_t time) const noexcept
{
	double product = 1;

	for (const RowFactor &factor : source.factors)
	{
		if (factor.window.contains(time) && factor.criterion.holds(rows, row))
		{
			product *= factor.factor;
		}
	}
	return product;
}

// Look at a row that is later than the instant of evaluation
template <bool due>
void
Scorer::add_later(const SourceProgram &source, const Batch &rows, size_t row, int64_t time)
{
	if ((!due && !source.looks_ahead) || (source.cleaned && is_duplicate(source, rows, row, time)))
	{
		return;
	}
	if constexpr (due)
	{
		note_later(source, rows, row, states_.state(numbers_[row]), time);
	}
	if (source.looks_ahead)
	{
		look_ahead(source, rows, row, states_.state(numbers_[row]), time);
	}
}

template <bool due>
void
Scorer::add_row(const SourceProgram &source, const Batch &rows, size_t row)
{
	// Related rows have no age: they are as new as can be
	int64_t time = source.has_time ? rows.times[row] : program_.as_of;

	row_count_++;
	// Whether a row of a cleaned source counts depends on others
	uint64_t fades = due && rows.standing != nullptr && rows.standing[row] && !source.cleaned ? standing_due : always_due;
	if (program_.own_instants && !move_time(states_.state(numbers_[row]), source.has_time ? &time : nullptr))
	{
		return;
	}
	if (time > program_.as_of)
	{
		add_later<due>(source, rows, row, time);
		return;
	}
	std::byte *state = states_.state(numbers_[row]);
	if (source.has_time)
	{
		if (program_.reset_slot != no_slot && peak_of_time(time) < states_.peaks(state)[program_.reset_slot])
		{
			return;
		}
		if (source.cleaned && is_duplicate(source, rows, row, time))
		{
			return;
		}
		if (program_.activity_slot != no_slot)
		{
			raise_peak(states_.peaks(state)[program_.activity_slot], peak_of_time(time));
		}
	}
	if (!source.factors.empty())
	{
		boost_ = boost(source, rows, row, time);
	}
	for (uint32_t entry : source.dispatch[0].rules_for(rows, row))
	{
		const RowRule &rule = source.rules[entry];
		if ((!source.has_time || rule.window.contains(time)) && all_hold(rule.criteria, rows, row))
		{
			if constexpr (due)
			{
				if (rule.due_slot != no_slot && states_.peaks(state)[rule.due_slot] < fades)
				{
					note_change(rule, rows, row, state, time, fades);
				}
			}
			if (rule.plain)
			{
				double share = rule.decay == no_slot ? 1 : factor(rule.decay, time);
				states_.sums(state)[rule.slots.sum] += fixed_term(rule.points * share);
				continue;
			}
			pay(rule, rows, row, state, time);
		}
	}
	boost_ = 1;
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
Scorer::pay(const RowRule &rule, const Batch &rows, size_t row, std::byte *state, int64_t time)
{
	if (rule.statistic != Statistic::none)
	{
		measure(rule, rows, row, state, time);
		return;
	}
	const RuleSlots &slots = rule.slots;
	double value = 1;

	if (rule.value_column != no_column)
	{
		size_t column = static_cast<size_t>(rule.value_column);
		if (rows.is_null(column, row))
		{
			return;
		}
		value = rows.cell(column, row).real;
		checked_term(value, program_.rules[rule.name].name);
	}
	if (slots.log != no_slot)
	{
		log_match(rule, rows, row, state, {time, value, Role::alone});
		return;
	}
	if (slots.count != no_slot)
	{
		uint32_t &count = states_.counts(state)[slots.count];
		count += count != UINT32_MAX;
	}
	if (slots.newest != no_slot)
	{
		raise_peak(states_.peaks(state)[slots.newest], peak_of_time(time));
	}
	if (rule.value_column != no_column && slots.sum == no_slot)
	{
		collect_value(rule, state, value);
	}
	if (slots.sum != no_slot)
	{
		pay_each(rule, state, time, value);
	}
}

// Add the value of a row to what the values of its rule come to
void
Scorer::collect_value(const RowRule &rule, std::byte *state, double value)
{
	const FinishRule &finish = program_.rules[rule.name];
	// What rules pay for each match, event factors multiply
	double amount = finish.counting == Counting::each ? value * boost_ : value;
	FixedSum term = checked_term(amount, finish.name);

	if (rule.slots.values != no_slot)
	{
		add_checked(states_.sums(state)[rule.slots.values], term, finish.name);
	}
	if (rule.slots.extreme != no_slot)
	{
		raise_peak(states_.peaks(state)[rule.slots.extreme], peak_of_real(rule.rollup == Rollup::minimum ? -amount : amount));
	}
}

// Pay a row's points into the sums of the group, for each way in which its points may fade
void
Scorer::pay_each(const RowRule &rule, std::byte *state, int64_t time, double value)
{
	const std::vector<Fade> &fades = program_.groups[rule.group].fades;
	FixedSum *sums = states_.sums(state);
	double worth = rule.value_column == no_column ? 1 : value;
	const std::string &name = program_.rules[rule.name].name;

	for (size_t fade = 0; fade < fades.size(); fade++)
	{
		bool by_event = fades[fade].quiet_us < 0 && fades[fade].curve != no_slot;
		double share = by_event ? boost_ * factor(fades[fade].curve, time) : boost_;
		add_checked(sums[rule.slots.sum + fade], checked_term(rule.points * share * worth, name), name);
	}
	if (rule.slots.raw != no_slot)
	{
		add_checked(sums[rule.slots.raw], checked_term(rule.points * boost_ * worth, name), name);
	}
}

// Write a match down, or a row that may be part of one
void
Scorer::log_match(const RowRule &rule, const Batch &rows, size_t row, std::byte *state, const Match &match)
{
	Role role = match.role;

	if (!rule.roles.empty())
	{
		bool opens = rule.roles[0].holds(rows, row);
		bool closes = rule.roles[1].holds(rows, row);
		if (!opens && !closes)
		{
			return;
		}
		role = opens && closes ? Role::both : opens ? Role::opening : Role::closing;
	}
	const FinishRule &finish = program_.rules[rule.name];
	double worth = finish.counting == Counting::each ? match.value * boost_ : match.value;
	checked_term(worth, finish.name);
	log_.append(states_.counts(state)[program_.log_slot], rule.slots.log, {match.time, worth, role});
}

void
Scorer::add_resets(const Batch &rows)
{
	locate(rows);
	for (size_t row = 0; row < rows.rows; row++)
	{
		std::byte *state = states_.state(numbers_[row]);
		if (rows.times[row] <= program_.as_of)
		{
			raise_peak(states_.peaks(state)[program_.reset_slot], peak_of_time(rows.times[row]));
		}
		else
		{
			note_due(program_.due_slot, state, rows.times[row]);
			note_due(program_.scope_due_slot, state, rows.times[row]);
		}
	}
}

void
Scorer::add_adjustments(const Batch &rows)
{
	locate(rows);
	for (size_t row = 0; row < rows.rows; row++)
	{
		std::byte *state = states_.state(numbers_[row]);
		states_.sums(state)[program_.adjustment_slot] += fixed_term(rows.cell(0, row).real);
		if (rows.times != nullptr)
		{
			note_due(program_.due_slot, state, rows.times[row]);
		}
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
		row_at_hand_ = row;
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
	account.groups.resize(program_.groups.size());
	row_at_hand_ = row;
	return finisher_.finish(records, row, state_of(row), &account);
}

} // namespace lead_scoring::core
