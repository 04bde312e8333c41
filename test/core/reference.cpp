#include "reference.hpp"

#include "naive_matches.hpp"

#include <algorithm>
#include <cmath>
#include <map>

namespace lead_scoring::core::test
{

namespace
{

long double
limited(long double value, const Limits &limits)
{
	return value > limits.upper ? limits.upper : value < limits.lower ? limits.lower : value;
}

long double
decay_factor(const Decay *decay, long double age)
{
	if (decay == nullptr)
	{
		return 1;
	}
	long double periods = (age - decay->grace_us) / decay->period_us;
	long double rate = static_cast<long double>(decay->percent) / 100;
	if (periods <= 0)
	{
		return 1;
	}
	if (std::isinf(periods))
	{
		return 0;
	}
	switch (decay->form)
	{
	case DecayForm::linear:
		return std::max(0.0L, 1 - rate * periods);
	case DecayForm::stepwise:
		return std::max(0.0L, 1 - rate * std::floor(periods));
	default:
		return std::pow(1 - rate, periods);
	}
}

long double
rolled_up(const RuleDefinition &rule, const NaiveMatches &matches)
{
	// What rules pay for each match, event factors multiply
	auto amount = [&](const NaiveMatch &match)
	{ return static_cast<long double>(match.value) * (rule.counting == Counting::each ? match.boost : 1); };
	long double sum = 0;
	long double least = matches.empty() ? 0 : amount(matches[0]);
	long double most = least;

	for (const NaiveMatch &match : matches)
	{
		sum += amount(match);
		least = std::min(least, amount(match));
		most = std::max(most, amount(match));
	}
	return rule.rollup == Rollup::sum       ? sum
		   : rule.rollup == Rollup::average ? sum / static_cast<long double>(matches.size())
		   : rule.rollup == Rollup::minimum ? least
											: most;
}

bool
lies_within(long double amount, const Limits &bounds)
{
	return amount >= bounds.lower && amount <= bounds.upper;
}

NaiveRule
pay_record_rule(const Model &model, const RuleDefinition &rule, const Record &record)
{
	NaiveRule outcome;
	const Value *value = rule.value_column == no_column
							 ? nullptr
							 : &record.values[static_cast<size_t>(rule.value_column)];

	if (!holds(rule.criterion, model.record_columns, record.values) || (value != nullptr && value->null))
	{
		return outcome;
	}
	outcome.matched = 1;
	if (value != nullptr && rule.counting == Counting::once && !lies_within(value->real, rule.count))
	{
		return outcome;
	}
	outcome.pays = true;
	outcome.raw = rule.points * (value != nullptr && rule.counting == Counting::each ? value->real : 1);
	outcome.lasting = outcome.raw;
	return outcome;
}

NaiveRule
pay_quiet(const RuleDefinition &rule, const NaiveMatches &matches)
{
	NaiveRule outcome;
	long double periods = matches.empty() ? 1 : std::floor(age_of(matches.back().time) / rule.within_us);

	if (std::isinf(periods))
	{
		// Nobody can say how many: as many as count, or one
		periods = std::max(1u, rule.max_times);
	}
	if (rule.max_times != 0)
	{
		periods = std::min<long double>(periods, rule.max_times);
	}
	outcome.matched = static_cast<size_t>(periods);
	outcome.pays = periods > 0;
	outcome.raw = rule.points * periods;
	outcome.lasting = outcome.raw;
	return outcome;
}

// What a rule over rows pays; decay is that of each event by its own age, if there is any
NaiveRule
pay_row_rule(const Model &model, const RuleDefinition &rule, const Rows &rows, const Decay *decay)
{
	NaiveRule outcome;
	NaiveMatches matches = matches_of(model, rule, rows);
	bool has_value = rule.value_column != no_column;

	if (rule.counting == Counting::quiet)
	{
		return pay_quiet(rule, matches);
	}
	outcome.matched = matches.size();
	matches = capped(rule, matches);
	if (rule.counting == Counting::each && rule.rollup == Rollup::sum)
	{
		outcome.pays = !matches.empty();
		for (const NaiveMatch &match : matches)
		{
			long double points = static_cast<long double>(rule.points) * match.value * match.boost;
			outcome.raw += points;
			outcome.fading += points * decay_factor(decay, age_of(match.time));
		}
		return outcome;
	}
	bool has_bounds = std::isfinite(rule.count.lower) || std::isfinite(rule.count.upper);
	bool needs_rows =
		rule.counting == Counting::each || (has_value && (rule.rollup != Rollup::sum || !has_bounds));
	if (needs_rows && matches.empty())
	{
		return outcome;
	}
	long double amount = has_value ? rolled_up(rule, matches) : static_cast<long double>(matches.size());
	if (rule.counting == Counting::once && !lies_within(amount, rule.count))
	{
		return outcome;
	}
	outcome.pays = true;
	outcome.raw = rule.points * (rule.counting == Counting::each ? amount : 1);
	if (matches.empty())
	{
		outcome.lasting = outcome.raw;
	}
	else
	{
		outcome.fading = outcome.raw * decay_factor(decay, age_of(matches.back().time));
	}
	return outcome;
}

bool
judge_scope(const Model &model, const RecordFacts &facts, const std::vector<Rows> &rows)
{
	bool any_include = false;
	bool included = false;
	bool excluded = false;

	for (const ScopeDefinition &scope : model.scopes)
	{
		bool matches = false;
		if (scope.source == record_itself)
		{
			matches = holds(scope.criterion, model.record_columns, facts.record.values);
		}
		else
		{
			for (const Row &row : rows[static_cast<size_t>(scope.source)])
			{
				matches |= holds(scope.criterion, model.columns(scope.source), row.values);
			}
		}
		any_include |= scope.include;
		included |= scope.include && matches;
		excluded |= !scope.include && matches;
	}
	return !excluded && (included || !any_include);
}

const FadeDefinition &
fade_of(const Model &model, uint32_t group, const Record &record)
{
	const auto &fades = model.groups[group].fades;

	return *std::find_if(fades.begin(), fades.end(),
						 [&](const FadeDefinition &fade) {
							 return fade.segment == nullptr ||
									holds(fade.segment, model.record_columns, record.values);
						 });
}

// Apply the multipliers of a part, or of a group
long double
multiplied(const Model &model, const NaiveScore &score, Multiplies what, uint32_t group, long double value)
{
	for (size_t rule = 0; rule < model.rules.size(); rule++)
	{
		const RuleDefinition &definition = model.rules[rule];
		bool applies = definition.multiplies == what && (what != Multiplies::group || definition.group == group);
		if (applies && score.rules[rule].pays && (definition.points <= 1 || value > 0))
		{
			value *= definition.points;
		}
	}
	return value;
}

void
pay_rules(const Model &model, const RecordFacts &facts, const std::vector<Rows> &rows, NaiveScore &score)
{
	for (const RuleDefinition &rule : model.rules)
	{
		const FadeDefinition &fade = fade_of(model, rule.group, facts.record);
		bool by_quiet = fade.decay != nullptr && fade.quiet_us >= 0;
		long double quiet =
			by_quiet && score.has_activity ? std::max(0.0L, age_of(score.last_activity) - fade.quiet_us) : 0;
		bool is_event = rule.source != record_itself && model.sources()[static_cast<size_t>(rule.source)].has_time;
		NaiveRule outcome;
		if (rule.valid.contains(as_of) && rule.source == record_itself)
		{
			outcome = pay_record_rule(model, rule, facts.record);
		}
		else if (rule.valid.contains(as_of))
		{
			outcome = pay_row_rule(model, rule, rows[static_cast<size_t>(rule.source)],
								   is_event && !by_quiet ? fade.decay : nullptr);
		}
		if (by_quiet)
		{
			outcome.fading *= decay_factor(fade.decay, quiet);
		}
		outcome.decayed = outcome.fading + outcome.lasting;
		if (rule.multiplies != Multiplies::nothing)
		{
			outcome.raw = outcome.decayed = 0;
		}
		score.rules.push_back(outcome);
	}
}

void
add_up(const Model &model, const RecordFacts &facts, NaiveScore &score)
{
	score.groups.resize(model.groups.size());
	for (uint32_t group = 0; group < model.groups.size(); group++)
	{
		const GroupDefinition &definition = model.groups[group];
		NaiveStep &step = score.groups[group];
		for (size_t rule = 0; rule < model.rules.size(); rule++)
		{
			step.sum += model.rules[rule].group == group ? score.rules[rule].decayed : 0;
		}
		step.limited = limited(step.sum, definition.limits);
		step.weighted = step.limited * definition.weight;
		step.value = multiplied(model, score, Multiplies::group, group, step.weighted);
		score.parts[static_cast<size_t>(definition.part)].weighted += step.value;
	}
	NaiveStep &fit = score.parts[0];
	NaiveStep &engagement = score.parts[1];
	NaiveStep &all = score.parts[2];
	fit.value = multiplied(model, score, Multiplies::fit, 0, fit.weighted);
	engagement.value = multiplied(model, score, Multiplies::engagement, 0, engagement.weighted);
	all.weighted = fit.value + engagement.value;
	all.value = multiplied(model, score, Multiplies::total, 0, all.weighted);
	for (const Row &row : facts.adjustments)
	{
		score.adjustment += row.time <= as_of && row.until > as_of ? row.values[0].real : 0;
	}
	score.adjustment = limited(score.adjustment, model.adjustment_limits);
	score.machine = limited(all.value, model.limits);
	score.total = limited(all.value + score.adjustment, model.limits);
}

} // namespace

std::vector<RecordFacts>
facts_by_record(const Model &model, const Facts &facts)
{
	std::vector<RecordFacts> sorted_facts;
	std::map<uint32_t, size_t> places;
	auto facts_of = [&](uint32_t record) -> RecordFacts *
	{
		auto found = places.find(record);
		return found == places.end() ? nullptr : &sorted_facts[found->second];
	};

	for (const Record &record : facts.records)
	{
		places[record.number] = sorted_facts.size();
		sorted_facts.push_back({record, std::vector<Rows>(model.sources().size()), {}, {}});
	}
	for (size_t source = 0; source < facts.rows.size(); source++)
	{
		for (const Row &row : facts.rows[source])
		{
			if (RecordFacts *own = facts_of(row.record))
			{
				own->rows[source].push_back(row);
			}
		}
	}
	for (const Row &row : facts.adjustments)
	{
		if (RecordFacts *own = facts_of(row.record); own != nullptr && model.has_adjustments)
		{
			own->adjustments.push_back(row);
		}
	}
	for (const Row &row : facts.resets)
	{
		if (RecordFacts *own = facts_of(row.record))
		{
			own->resets.push_back(row);
		}
	}
	return sorted_facts;
}

NaiveScore
naive_score(const Model &model, const RecordFacts &facts)
{
	NaiveScore score;
	std::vector<Rows> rows;
	int64_t reset = infinitely_old;

	for (const Row &row : facts.resets)
	{
		reset = row.time <= as_of ? std::max(reset, row.time) : reset;
	}
	for (size_t source = 0; source < model.sources().size(); source++)
	{
		rows.push_back(existing(model, source, facts.rows[source], reset));
		for (const Row &row : rows.back())
		{
			bool is_event = model.sources()[source].has_time;
			score.has_activity |= is_event;
			score.last_activity = is_event ? std::max(score.last_activity, row.time) : score.last_activity;
		}
	}
	score.dormant =
		model.dormant_us != 0 && score.has_activity && age_of(score.last_activity) >= model.dormant_us;
	score.in_scope = judge_scope(model, facts, rows);
	score.is_open = model.open_when == nullptr || holds(model.open_when, model.record_columns, facts.record.values);
	pay_rules(model, facts, rows, score);
	add_up(model, facts, score);
	return score;
}

std::string
naive_label(const Model &model, Part part, double value, const Record &record)
{
	const BandDefinition *segment = nullptr;
	const BandDefinition *best = nullptr;

	for (const BandDefinition &band : model.bands)
	{
		if (band.part == part && band.segment != nullptr && holds(band.segment, model.record_columns, record.values) &&
			(segment == nullptr || band.segment_text < segment->segment_text))
		{
			segment = &band;
		}
	}
	for (const BandDefinition &band : model.bands)
	{
		bool same = segment == nullptr ? band.segment == nullptr : band.segment_text == segment->segment_text;
		if (band.part == part && same && value >= band.lower_bound &&
			(best == nullptr || band.lower_bound > best->lower_bound))
		{
			best = &band;
		}
	}
	return best == nullptr ? "(none)" : std::string(best->label);
}

} // namespace lead_scoring::core::test
