#include "random_model.hpp"

namespace lead_scoring::core::test
{

namespace
{

constexpr std::string_view decays[] = {
	"50% per month",   "30% per 10 days stepwise",      "20% per 72 hours exponential",
	"50% per 30 days", "half-life 7 days after 3 days", "100% per 90 days after 1 day"};

constexpr Limits counts[] = {{1, infinity}, {3, 3}, {2, 4}, {0, 2}, {0, 0}, {5, infinity}, {1, 2}};

Limits
random_limits(Random &random, int64_t reach)
{
	Limits limits = unlimited;

	if (random.one_in(3))
	{
		limits.lower = static_cast<double>(random.between(-reach, reach / 4));
	}
	if (random.one_in(3))
	{
		limits.upper = static_cast<double>(random.between(reach / 4, reach));
	}
	return limits;
}

// Instants around now, one end or both
Period
random_period(Random &random)
{
	Period period;

	if (random.one_in(4))
	{
		period.from = as_of - random.between(-1, 60) * day_us;
	}
	if (random.one_in(4))
	{
		period.until = as_of - random.between(-5, 40) * day_us;
	}
	return period;
}

std::vector<ColumnKind>
random_columns(Random &random, size_t most)
{
	constexpr ColumnKind kinds[] = {ColumnKind::code,  ColumnKind::code,     ColumnKind::integer,
									ColumnKind::real,  ColumnKind::truth,    ColumnKind::presence};
	std::vector<ColumnKind> columns = {ColumnKind::real};

	for (size_t count = random.below(most + 1); count > 0; count--)
	{
		columns.push_back(random.one_of(kinds));
	}
	return columns;
}

// Criteria of the kind that people write, often with a test for equality, and of any other kind
const PredicateTree *
random_criterion(Random &random, Forest &forest, std::span<const ColumnKind> kinds)
{
	std::vector<const PredicateTree *> conjuncts;

	for (size_t column = 0; column < kinds.size(); column++)
	{
		if ((kinds[column] == ColumnKind::code || kinds[column] == ColumnKind::integer) && random.one_in(2))
		{
			std::vector<Value> values = {random_value(random, kinds[column])};
			if (random.one_in(3))
			{
				values.push_back(random_value(random, kinds[column]));
			}
			conjuncts.push_back(forest.compare(values.size() == 1 ? Check::equal : Check::one_of, column, values));
		}
	}
	if (conjuncts.empty() || random.one_in(4))
	{
		conjuncts.push_back(random_tree(random, forest, kinds, 2));
	}
	return conjuncts.size() == 1 ? conjuncts[0] : forest.all_of(conjuncts);
}

void
add_random_group(Random &random, Model &model, Part part)
{
	bool fades = part == Part::engagement && !random.one_in(2);
	uint32_t group =
		model.add_group(part, random_limits(random, 100), fades ? random.one_of(decays) : std::string_view());

	if (random.one_in(3))
	{
		model.groups[group].weight = static_cast<double>(random.between(0, 8)) / 4;
	}
	if (fades && random.one_in(3))
	{
		model.fade_when_quiet(group, random.between(0, 30) * day_us);
	}
	for (size_t count = part == Part::engagement && random.one_in(3) ? 1 + random.below(2) : 0; count > 0; count--)
	{
		const PredicateTree *segment = random_criterion(random, model.forest, model.record_columns);
		std::string_view decay = random.one_in(4) ? "" : random.one_of(decays);
		model.add_segment(group, segment, decay, random.one_in(3) ? random.between(0, 30) * day_us : -1);
	}
}

uint32_t
random_group(Random &random, const Model &model, Part part)
{
	for (;;)
	{
		uint32_t group = static_cast<uint32_t>(random.below(model.groups.size()));
		if (model.groups[group].part == part)
		{
			return group;
		}
	}
}

// Options of rules about events, few of which go together
void
choose_event_options(Random &random, Model &model, RuleDefinition &rule)
{
	bool has_value = rule.value_column != no_column;

	if (random.one_in(3))
	{
		rule.within_us = random.between(1, 60) * day_us;
	}
	Period period = random_period(random);
	rule.since = period.from;
	rule.until = period.until;
	if (!has_value && rule.multiplies == Multiplies::nothing && random.one_in(8))
	{
		rule.counting = Counting::quiet;
		rule.within_us = random.between(1, 30) * day_us;
		rule.max_times = static_cast<uint32_t>(random.below(4));
		return;
	}
	if (!has_value && random.one_in(4))
	{
		rule.followed_by = random_criterion(random, model.forest, model.columns(rule.source));
		rule.followed_within_us = random.between(1, 20) * day_us;
	}
	if (!has_value && rule.counting == Counting::each && random.one_in(4))
	{
		rule.every_n = static_cast<uint32_t>(random.between(2, 4));
	}
	if (random.one_in(3))
	{
		constexpr int64_t intervals[] = {day_us, 7 * day_us, 5 * hour_us, 30 * day_us};
		rule.max_times = static_cast<uint32_t>(random.between(1, 5));
		if (rule.counting == Counting::once || random.one_in(2))
		{
			rule.max_times_per_us = random.one_of(intervals);
		}
	}
}

void
add_random_rule(Random &random, Model &model)
{
	int32_t source = static_cast<int32_t>(random.below(model.sources().size() + 1)) - 1;
	bool is_event = source != record_itself && model.sources()[static_cast<size_t>(source)].has_time;
	Part part = is_event ? Part::engagement : Part::fit;
	if (model.kind != ScoreKind::combined && (model.kind == ScoreKind::fit) != (part == Part::fit))
	{
		return;
	}
	uint32_t group = random_group(random, model, part);
	double points = random.one_in(3) ? static_cast<double>(random.between(-500, 500)) / 8
									 : static_cast<double>(random.between(-300, 300)) / 10;
	const PredicateTree *criterion = random_criterion(random, model.forest, model.columns(source));

	RuleDefinition &rule = model.add_rule(group, source, points, criterion);
	rule.counting = is_event && random.one_in(2) ? Counting::each : Counting::once;
	rule.count = random.one_of(counts);
	if (random.one_in(3))
	{
		rule.value_column = 0;
		rule.rollup = static_cast<Rollup>(random.below(4));
		rule.counting = random.one_in(2) ? Counting::each : Counting::once;
		rule.count = random.one_in(3) ? unlimited : random_limits(random, 8);
	}
	if (random.one_in(6))
	{
		rule.valid = random_period(random);
	}
	if (random.one_in(6))
	{
		constexpr double numbers[] = {0, 0.5, 0.85, 1, 1.15, 2, 3};
		rule.counting = Counting::once;
		rule.points = random.one_of(numbers);
		rule.multiplies = random.one_in(3)               ? Multiplies::group
						  : random.one_in(2)             ? Multiplies::total
						  : model.kind == ScoreKind::fit ? Multiplies::fit
						  : model.kind == ScoreKind::combined
							  ? (random.one_in(2) ? Multiplies::fit : Multiplies::engagement)
							  : Multiplies::engagement;
	}
	if (is_event)
	{
		choose_event_options(random, model, rule);
	}
}

void
add_random_source(Random &random, Model &model)
{
	constexpr double numbers[] = {0, 0.5, 1.5, 2};
	bool has_time = !random.one_in(3);
	int32_t source = model.add_source(has_time, random_columns(random, 4));

	if (has_time && random.one_in(3))
	{
		model.clean(source, random.one_in(3) ? infinitely_late : random.between(1, 20) * day_us, !random.one_in(3));
	}
	for (size_t count = has_time && random.one_in(3) ? 1 + random.below(2) : 0; count > 0; count--)
	{
		FactorDefinition &factor = model.add_factor(
			source, random.one_of(numbers), random_criterion(random, model.forest, model.columns(source)));
		factor.events = random_period(random);
		factor.valid = random.one_in(3) ? random_period(random) : Period{};
	}
}

void
add_random_bands(Random &random, Model &model, Part part)
{
	constexpr std::string_view labels[] = {"A", "B", "C", "D"};
	constexpr std::string_view segments[] = {"", "a > 1", "b", "c = 'x'"};

	for (size_t ladder = 0; ladder < (random.one_in(3) ? std::size(segments) : 1); ladder++)
	{
		const PredicateTree *segment =
			ladder == 0 ? nullptr : random_criterion(random, model.forest, model.record_columns);
		std::vector<double> bounds = {-infinity, 0, 10, 20};
		random.shuffle(bounds);
		for (size_t count = random.below(5); count > 0; count--)
		{
			model.bands.push_back({part, labels[count - 1], bounds[count - 1], 0, 0, segments[ladder], segment});
		}
	}
}

int64_t
random_time(Random &random)
{
	switch (random.below(16))
	{
	case 0:
		return infinitely_old;
	case 1:
		return infinitely_late;
	case 2:
		return as_of;
	case 3:
		return as_of + 1;
	case 4:
		return as_of - random.between(0, 60) * day_us - 1;
	case 5:
		return as_of - random.between(0, 60) * day_us + 1;
	case 6:
		return random.between(-as_of, as_of);
	default:
		// Whole days meet the bounds of windows and the ends of periods
		return as_of - random.between(0, 60) * day_us;
	}
}

std::vector<Value>
random_row(Random &random, std::span<const ColumnKind> kinds)
{
	std::vector<Value> values;

	for (ColumnKind kind : kinds)
	{
		values.push_back(random.one_in(6) ? null_value() : random_value(random, kind));
	}
	if (!values.empty() && !values[0].null)
	{
		values[0] = real_value(static_cast<double>(random.between(-20, 60)) / 8);
	}
	return values;
}

std::optional<std::string>
random_mark(Random &random)
{
	const std::string marks[] = {"", "a", "a mark so long that it does not fit into the text itself"};

	return random.one_in(4) ? std::nullopt : std::optional(random.one_of(marks));
}

} // namespace

void
make_random_model(Random &random, Model &model)
{
	model.kind = static_cast<ScoreKind>(random.below(3));
	model.limits = random_limits(random, 200);
	model.adjustment_limits = random.one_in(3) ? Limits{-20, 20} : unlimited;
	model.key_kind = static_cast<KeyKind>(random.below(3));
	model.unique_keys = random.one_in(2);
	model.has_adjustments = random.one_in(2);
	model.has_resets = random.one_in(3);
	model.dormant_us = random.one_in(2) ? random.between(0, 40) * day_us : 0;
	model.record_columns = random_columns(random, 4);
	if (random.one_in(2))
	{
		model.open_when = random_criterion(random, model.forest, model.record_columns);
	}
	for (size_t count = random.below(4); count > 0; count--)
	{
		add_random_source(random, model);
	}
	for (Part part : {Part::fit, Part::engagement})
	{
		bool has_part = model.kind == ScoreKind::combined || (model.kind == ScoreKind::fit) == (part == Part::fit);
		for (size_t count = has_part ? 1 + random.below(3) : 0; count > 0; count--)
		{
			add_random_group(random, model, part);
		}
		add_random_bands(random, model, part);
	}
	add_random_bands(random, model, Part::total);
	for (size_t count = random.below(13); count > 0; count--)
	{
		add_random_rule(random, model);
	}
	for (size_t count = random.one_in(2) ? 0 : random.below(4); count > 0; count--)
	{
		int32_t source = static_cast<int32_t>(random.below(model.sources().size() + 1)) - 1;
		model.add_scope(random.one_in(2), source, random_criterion(random, model.forest, model.columns(source)));
	}
}

Facts
make_random_facts(Random &random, const Model &model)
{
	Facts facts;
	uint32_t records = static_cast<uint32_t>(random.one_in(4) ? 400 : 1 + random.below(60));

	for (uint32_t record = 0; record < records; record++)
	{
		// Some records have rows but are not, or no longer, there
		if (!random.one_in(8))
		{
			facts.records.push_back({record, random_row(random, model.record_columns)});
		}
	}
	random.shuffle(facts.records);
	for (size_t source = 0; source < model.sources().size(); source++)
	{
		std::vector<Row> &rows = facts.rows.emplace_back();
		for (size_t count = random.below(800); count > 0; count--)
		{
			rows.push_back({static_cast<uint32_t>(random.below(records)), random_time(random),
							random_row(random, model.sources()[source].columns),
							model.has_marks(source) ? random_mark(random) : std::nullopt});
		}
	}
	for (size_t count = model.has_adjustments ? random.below(60) : 0; count > 0; count--)
	{
		Period period = random_period(random);
		facts.adjustments.push_back({static_cast<uint32_t>(random.below(records)), period.from,
									 {real_value(static_cast<double>(random.between(-400, 400)) / 16)},
									 std::nullopt, period.until});
	}
	for (size_t count = model.has_resets ? random.below(60) : 0; count > 0; count--)
	{
		facts.resets.push_back({static_cast<uint32_t>(random.below(records)), random_time(random)});
	}
	return facts;
}

} // namespace lead_scoring::core::test
