#include "pg/postgres_api.hpp"

#include "pg/limit_advice.hpp"

#include "core/finish.hpp"

#include <cmath>

extern "C"
{
#include "lib/stringinfo.h"
}

namespace lead_scoring::pg
{

namespace
{

const char *
number_text(double number)
{
	return std::isfinite(number) ? DatumGetCString(DirectFunctionCall1(float8out, Float8GetDatum(number))) : "(none)";
}

void
warn_of_sums(const LoadedScore *score)
{
	double upper = 0;
	double lower = 0;

	for (const core::GroupDefinition &group : score->definition.groups)
	{
		upper += group.limits.upper;
		lower += group.limits.lower;
	}
	const core::Limits &limits = score->definition.limits;
	bool differs = (std::isfinite(upper) && std::isfinite(limits.upper) && upper != limits.upper) ||
				   (std::isfinite(lower) && std::isfinite(limits.lower) && lower != limits.lower);
	if (differs)
	{
		ereport(WARNING, (errmsg("the limits of the groups of score \"%s\" do not add up to its own", score->name),
						  errdetail("The groups add up to %s .. %s, the score is limited to %s .. %s.", number_text(lower),
									number_text(upper), number_text(limits.lower), number_text(limits.upper)),
						  errhint("Both limits hold.")));
	}
}

// What the rules of a group come to if each of them applies once: the lowest and the highest sum. Points that a value of the record
// is part of have no such sum
core::Limits
points_of_rules(const core::Definition &definition, size_t group)
{
	core::Limits sums{0, 0};

	for (const core::RuleDefinition &rule : definition.rules)
	{
		if (rule.group == group && rule.multiplies == core::Multiplies::nothing && rule.value_column == core::no_column)
		{
			(rule.points > 0 ? sums.upper : sums.lower) += rule.points;
		}
	}
	// 0.1 + 0.2 is not more than 0.3
	return {core::round_score(sums.lower), core::round_score(sums.upper)};
}

void
add_sum(StringInfo text, const core::GroupDefinition &group, double sum, double limit)
{
	appendStringInfo(text, "%sGroup \"%s\": %s points, limit %s.", text->len > 0 ? "\n" : "",
					 pnstrdup(group.name.data(), group.name.size()), number_text(sum), number_text(limit));
}

void
tell_of_rules(const LoadedScore *score)
{
	const core::Definition &definition = score->definition;
	StringInfoData groups;

	initStringInfo(&groups);
	for (size_t at = 0; at < definition.groups.size(); at++)
	{
		const core::GroupDefinition &group = definition.groups[at];
		core::Limits sums = points_of_rules(definition, at);
		if (sums.upper > group.limits.upper)
		{
			add_sum(&groups, group, sums.upper, group.limits.upper);
		}
		if (sums.lower < group.limits.lower)
		{
			add_sum(&groups, group, sums.lower, group.limits.lower);
		}
	}
	if (groups.len > 0)
	{
		ereport(NOTICE, (errmsg("rules of score \"%s\" together come to more than the limits of their groups", score->name),
						 errdetail_internal("%s", groups.data), errhint("The limits hold; nothing is to be done if that is meant.")));
	}
}

} // namespace

void
advise_limits(const LoadedScore *score)
{
	warn_of_sums(score);
	tell_of_rules(score);
}

} // namespace lead_scoring::pg
