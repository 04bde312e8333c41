// How rules become part of a program; the other half of compiler.hpp.
#include "core/compiler.hpp"

#if defined(POSTGRES_H)
static_assert(false, "No Postgres header should be included in this file.");
#endif

namespace lead_scoring::core
{

bool
Program::Compiler::fades_by_event(uint32_t group) const
{
	const FinishGroup &found = program_.groups[group];

	for (size_t fade = 0; fade < found.fades.size(); fade++)
	{
		if (found.fades_by_event(fade))
		{
			return true;
		}
	}
	return false;
}

// Whether what a rule pays depends on which of its matches count, so that each must be known
bool
Program::Compiler::needs_log(const RuleDefinition &rule) const
{
	if (rule.counting == Counting::quiet)
	{
		return false;
	}
	if (rule.followed_by != nullptr || rule.max_times_per_us != 0)
	{
		return true;
	}
	bool worth_differs = fades_by_event(rule.group) || rule.value_column != no_column ||
						 !program_.sources[static_cast<size_t>(rule.source)].factors.empty();
	return (rule.max_times != 0 || rule.every_n != 0) && worth_differs;
}

// Give a rule over rows of a source the slots that it needs
RuleSlots
Program::Compiler::make_slots(const RuleDefinition &rule)
{
	bool has_time = program_.sources[static_cast<size_t>(rule.source)].has_time;
	bool values = rule.value_column != no_column;
	bool pays_each = rule.counting == Counting::each && rule.rollup == Rollup::sum;
	bool counted = rule.max_times != 0 || rule.every_n != 0;
	RuleSlots slots;

	if (has_time && needs_log(rule))
	{
		slots.log = program_.log_rules++;
		if (program_.log_slot == no_slot)
		{
			program_.log_slot = program_.layout.counts++;
		}
		return slots;
	}
	if (pays_each && !counted)
	{
		slots.sum = sums_of(rule.group);
		slots.raw = program_.needs.detail ? new_sum(no_slot, 0) : no_slot;
	}
	if (!pays_each || counted || program_.needs.detail)
	{
		slots.count = program_.layout.counts++;
	}
	if (values && !pays_each)
	{
		bool extreme = rule.rollup == Rollup::minimum || rule.rollup == Rollup::maximum;
		slots.extreme = extreme ? program_.layout.peaks++ : no_slot;
		slots.values = extreme ? no_slot : new_sum(no_slot, 0);
	}
	if (rule.counting == Counting::quiet || (has_time && !pays_each && fades_by_event(rule.group)))
	{
		slots.newest = program_.layout.peaks++;
	}
	return slots;
}

void
Program::Compiler::add_rule(const RuleDefinition &rule)
{
	FinishRule added{std::string(rule.name), rule.group, rule.source, rule.counting, rule.count, rule.points,
					 rule.multiplies, rule.rollup, rule.max_times, rule.max_times_per_us, rule.every_n,
					 rule.within_us, rule.followed_by != nullptr, rule.followed_within_us, {rule.since, rule.until},
					 rule.value_column != no_column, no_column, no_slot, {}};

	if (rule.statistic != Statistic::none)
	{
		add_feature(rule);
		return;
	}
	if (!in_force(rule.valid))
	{
		// Out of force, it looks at nothing and finds nothing
		added.points = added.multiplies == Multiplies::nothing ? 0 : 1;
		added.source = record_itself;
		added.criterion = add_record_criterion(never_);
	}
	else if (rule.source == record_itself)
	{
		added.criterion = add_record_criterion(*rule.criterion);
		added.value_column = rule.value_column;
	}
	else
	{
		added.slots = make_slots(rule);
		add_row_rule(rule, added.slots);
	}
	program_.rules.push_back(std::move(added));
}

void
Program::Compiler::add_row_rule(const RuleDefinition &rule, const RuleSlots &slots)
{
	RowRule row;

	row.dates = {rule.since, rule.until};
	row.within_us = rule.counting == Counting::quiet ? 0 : rule.within_us;
	row.points = rule.points;
	row.slots = slots;
	row.rollup = rule.rollup;
	row.group = rule.group;
	row.value_column = rule.value_column;
	row.name = static_cast<uint32_t>(program_.rules.size());
	row.statistic = rule.statistic;
	row.known_column = rule.known_column;
	if (rule.statistic != Statistic::none && rule.value_column != no_column)
	{
		row.value_kind = definition_.sources[static_cast<size_t>(rule.source)].columns[static_cast<size_t>(rule.value_column)];
	}
	const FinishGroup &group = program_.groups[rule.group];
	bool one_fade = group.fades.size() == 1;
	row.decay = one_fade && group.fades_by_event(0) ? group.fades[0].curve : no_slot;
	row.plain = rule.statistic == Statistic::none && slots.sum != no_slot && slots.raw == no_slot && slots.count == no_slot && one_fade &&
				rule.value_column == no_column && program_.sources[static_cast<size_t>(rule.source)].factors.empty();
	const PredicateTree *criterion = rule.criterion;
	if (rule.followed_by != nullptr)
	{
		// What opens a pair may be of any time before
		row.dates.from = infinitely_old;
		row.within_us = 0;
		criterion = add_roles(rule, row);
	}
	// Nobody waits for what pays nothing
	row.due_slot = rule.points == 0 && rule.multiplies == Multiplies::nothing ? no_slot : program_.due_slot;
	narrow_to_worth(row);
	add_criterion(rule.source, *criterion, std::move(row));
	if (rule.value_column != no_column)
	{
		columns_[static_cast<size_t>(rule.source)].back().insert(static_cast<uint16_t>(rule.value_column));
	}
	if (rule.known_column != no_column)
	{
		columns_[static_cast<size_t>(rule.source)].back().insert(static_cast<uint16_t>(rule.known_column));
	}
}

// The two criteria of a pair, tested one by one; returns the criterion of rows that are either
const PredicateTree *
Program::Compiler::add_roles(const RuleDefinition &rule, RowRule &row)
{
	size_t at = static_cast<size_t>(rule.source);

	for (const PredicateTree *tree : {rule.criterion, rule.followed_by})
	{
		row.roles.emplace_back(*tree, definition_.sources[at].columns, program_.sources[at].books);
		collect_columns(*tree, role_columns_);
	}
	return &always_;
}

// Leave out times at which a row would pay nothing
void
Program::Compiler::narrow_to_worth(RowRule &row) const noexcept
{
	if (!row.plain || row.decay == no_slot)
	{
		return;
	}
	double age = program_.curves[row.decay].vanishing_age_us(row.points);
	if (age < 0x1p62)
	{
		row.worth_us = static_cast<int64_t>(age) + 1;
	}
}

void
Program::Compiler::add_criterion(int32_t source, const PredicateTree &criterion, RowRule row)
{
	size_t at = static_cast<size_t>(source);

	program_.sources[at].rules.push_back(std::move(row));
	criteria_[at].push_back(&criterion);
	collect_columns(criterion, columns_[at].emplace_back());
	columns_[at].back().merge(role_columns_);
	role_columns_.clear();
}

} // namespace lead_scoring::core
