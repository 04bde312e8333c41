#include "core/program.hpp"

#include "core/compiler.hpp"
#include "core/fault.hpp"
#include "core/time.hpp"

#include <algorithm>

#if defined(POSTGRES_H)
static_assert(false, "No Postgres header should be included in this file.");
#endif

namespace lead_scoring::core
{

Period
last_of(Period period, int64_t as_of, int64_t within_us) noexcept
{
	if (within_us != 0)
	{
		period.from = std::max(period.from, earlier(as_of, within_us));
	}
	return period;
}

Program::Program(const Definition &definition, int64_t as_of_instant, EvaluationNeeds what_for)
	: kind(definition.kind), limits(definition.limits), adjustment_limits(definition.adjustment_limits),
	  as_of(as_of_instant), needs(what_for), dormant_us(definition.dormant_us),
	  reads_clock(definition.reads_clock), learns_categories(definition.learns_categories),
	  own_instants(definition.own_instants), instant_column(definition.instant_column)
{
	Compiler(*this, definition).run();
	set_windows();
}

void
Program::move_to(int64_t instant)
{
	if (!valid.contains(instant))
	{
		throw ScoringError(Fault::invalid_parameter, "other rules are in force at this instant",
						   "Compile the definition again.");
	}
	as_of = instant;
	set_windows();
}

// Tell which times concern the rules, and so anybody, as of the instant
void
Program::set_windows() noexcept
{
	for (SourceProgram &source : sources)
	{
		for (RowRule &rule : source.rules)
		{
			rule.window = rule.statistic == Statistic::days_until_next
							  ? Period{later(as_of, 1), later(as_of, rule.within_us == 0 ? infinitely_late : rule.within_us)}
							  : last_of(last_of(rule.dates, as_of, rule.within_us), as_of, rule.worth_us);
		}
		for (uint32_t code = 0; code < source.needs.size(); code++)
		{
			Period &window = source.needs[code].window;
			window = source.all_times ? Period{} : Period{infinitely_late, infinitely_old};
			for (uint32_t rule : source.dispatch[0].entries_of(code))
			{
				window.from = std::min(window.from, source.rules[rule].window.from);
				window.until = std::max(window.until, source.rules[rule].window.until);
			}
		}
	}
}

int64_t
Program::earliest(size_t source) const noexcept
{
	int64_t first = infinitely_late;

	for (const RowNeeds &row : sources[source].needs)
	{
		first = std::min(first, row.window.from);
	}
	return first;
}

} // namespace lead_scoring::core
