// How features become part of a program; the third part of compiler.hpp.
#include "core/compiler.hpp"

#if defined(POSTGRES_H)
static_assert(false, "No Postgres header should be included in this file.");
#endif

namespace lead_scoring::core
{

namespace
{

// Whether a feature changes as time goes by, with nothing happening
bool
ages(Statistic statistic) noexcept
{
	switch (statistic)
	{
	case Statistic::days_since:
	case Statistic::days_until:
	case Statistic::days_since_newest:
	case Statistic::days_since_oldest:
	case Statistic::days_until_next:
		return true;
	default:
		return false;
	}
}

} // namespace

// Give a feature of rows of a source the slots that it needs
RuleSlots
Program::Compiler::make_feature_slots(const RuleDefinition &rule)
{
	RuleSlots slots;

	switch (rule.statistic)
	{
	case Statistic::count:
	case Statistic::sum:
		if (rule.statistic == Statistic::sum || fades_by_event(rule.group))
		{
			slots.sum = new_sum(no_slot, 0);
			return slots;
		}
		break;
	case Statistic::average:
		slots.values = new_sum(no_slot, 0);
		break;
	case Statistic::minimum:
	case Statistic::maximum:
		slots.extreme = program_.layout.peaks++;
		break;
	case Statistic::days_since_newest:
		slots.newest = program_.layout.peaks++;
		break;
	case Statistic::days_since_oldest:
	case Statistic::days_until_next:
		slots.oldest = program_.layout.peaks++;
		break;
	case Statistic::distinct:
	case Statistic::value:
		slots.log = program_.log_rules++;
		if (program_.log_slot == no_slot)
		{
			program_.log_slot = program_.layout.counts++;
		}
		return slots;
	default:
		break;
	}
	slots.count = program_.layout.counts++;
	return slots;
}

void
Program::Compiler::add_feature(const RuleDefinition &rule)
{
	FinishRule added{};

	added.name = rule.name;
	added.group = rule.group;
	added.source = rule.source;
	added.points = 1;
	added.value_column = rule.value_column;
	added.has_value = rule.value_column != no_column;
	added.criterion = no_slot;
	added.statistic = rule.statistic;
	program_.measures = true;
	program_.reads_clock |= ages(rule.statistic);
	if (rule.source == record_itself)
	{
		added.criterion = add_record_criterion(*rule.criterion);
		added.value_kind = definition_.record_columns[static_cast<size_t>(rule.value_column)];
	}
	else
	{
		RuleDefinition row = rule;
		row.points = 1;
		row.rollup = rule.statistic == Statistic::minimum ? Rollup::minimum : Rollup::maximum;
		added.rollup = row.rollup;
		added.slots = make_feature_slots(rule);
		program_.sources[static_cast<size_t>(rule.source)].looks_ahead |= rule.statistic == Statistic::days_until_next;
		add_row_rule(row, added.slots);
		added.value_kind = program_.sources[static_cast<size_t>(rule.source)].rules.back().value_kind;
	}
	std::vector<std::string> &categories = program_.categories.emplace_back();
	for (std::string_view category : rule.categories)
	{
		categories.emplace_back(category);
	}
	program_.rules.push_back(std::move(added));
}

} // namespace lead_scoring::core
