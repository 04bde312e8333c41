#include "core/program.hpp"

#include "core/fault.hpp"
#include "core/time.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#if defined(POSTGRES_H)
static_assert(false, "No Postgres header should be included in this file.");
#endif

namespace lead_scoring::core
{

namespace
{

// Collect the columns that a criterion reads
void
collect_columns(const PredicateTree &tree, std::set<uint16_t> &columns)
{
	if (tree.test <= Test::is_true)
	{
		columns.insert(tree.column);
	}
	for (const PredicateTree *operand : tree.operands)
	{
		collect_columns(*operand, columns);
	}
}

// Return the part of a period that a window of so much time before an instant leaves
Period
last_of(Period period, int64_t as_of, int64_t within_us)
{
	if (within_us != 0)
	{
		period.from = std::max(period.from, earlier(as_of, within_us));
	}
	return period;
}

} // namespace

// The steps of a compilation, with what only they need
class Program::Compiler
{
public:
	Compiler(Program &program, const Definition &definition) : program_(program), definition_(definition)
	{
		criteria_.resize(definition.sources.size());
		columns_.resize(definition.sources.size());
		factor_columns_.resize(definition.sources.size());
		group_sums_.assign(definition.groups.size(), no_slot);
	}

	void
	run()
	{
		add_sources();
		add_groups();
		add_factors();
		add_record_slots();
		for (const RuleDefinition &rule : definition_.rules)
		{
			add_rule(rule);
		}
		for (const ScopeDefinition &scope : definition_.scopes)
		{
			add_scope(scope);
		}
		add_bands();
		if (definition_.open_when != nullptr)
		{
			program_.open_when = add_record_criterion(*definition_.open_when);
		}
		for (size_t source = 0; source < program_.sources.size(); source++)
		{
			finish_source(source);
		}
	}

private:
	void
	add_sources()
	{
		for (const SourceDefinition &source : definition_.sources)
		{
			SourceProgram &added = program_.sources.emplace_back();
			added.has_time = source.has_time;
			added.cleaned = source.cleaned;
			added.dedup_us = source.dedup_us;
			added.books.resize(source.columns.size());
		}
		program_.record_books.resize(definition_.record_columns.size());
	}

	void
	add_groups()
	{
		for (const GroupDefinition &group : definition_.groups)
		{
			FinishGroup added{std::string(group.name), group.part, group.limits, group.weight, {}};
			for (const FadeDefinition &fade : group.fades)
			{
				uint32_t segment = fade.segment == nullptr ? no_slot : add_record_criterion(*fade.segment);
				uint32_t curve = fade.decay == nullptr ? no_slot : add_curve(*fade.decay);
				added.fades.push_back({segment, curve, curve == no_slot ? -1 : fade.quiet_us});
			}
			if (added.fades.empty())
			{
				added.fades.push_back({no_slot, no_slot, -1});
			}
			program_.groups.push_back(std::move(added));
		}
	}

	uint32_t
	add_curve(const Decay &decay)
	{
		for (uint32_t curve = 0; curve < known_decays_.size(); curve++)
		{
			if (known_decays_[curve] == decay)
			{
				return curve;
			}
		}
		known_decays_.push_back(decay);
		program_.curves.emplace_back(decay);
		return static_cast<uint32_t>(known_decays_.size() - 1);
	}

	void
	add_factors()
	{
		for (const FactorDefinition &factor : definition_.factors)
		{
			if (factor.valid.contains(program_.as_of))
			{
				size_t at = static_cast<size_t>(factor.source);
				SourceProgram &source = program_.sources[at];
				source.factors.push_back({factor.events, factor.factor,
										  Predicate(*factor.criterion, definition_.sources[at].columns, source.books)});
				collect_columns(*factor.criterion, factor_columns_[at]);
			}
		}
	}

	// Slots that belong to the record rather than to a rule
	void
	add_record_slots()
	{
		bool needs_activity = program_.needs.activity;

		for (const FinishGroup &group : program_.groups)
		{
			needs_activity |= std::any_of(group.fades.begin(), group.fades.end(),
										  [](const Fade &fade) { return fade.quiet_us >= 0; });
		}
		if (needs_activity)
		{
			program_.activity_slot = program_.layout.peaks++;
		}
		if (definition_.has_resets)
		{
			program_.reset_slot = program_.layout.peaks++;
		}
		if (definition_.has_adjustments)
		{
			program_.adjustment_slot = new_sum(no_slot, 0);
		}
	}

	uint32_t
	new_sum(uint32_t group, uint32_t fade)
	{
		program_.sum_uses.push_back({group, fade});
		return program_.layout.sums++;
	}

	uint32_t
	new_group_sums(uint32_t group)
	{
		uint32_t first = program_.layout.sums;

		for (uint32_t fade = 0; fade < program_.groups[group].fades.size(); fade++)
		{
			new_sum(group, fade);
		}
		return first;
	}

	// Rules that pay for each row share the sums of their group, unless each rule must be told apart
	uint32_t
	sums_of(uint32_t group)
	{
		if (program_.needs.detail)
		{
			return new_group_sums(group);
		}
		if (group_sums_[group] == no_slot)
		{
			group_sums_[group] = new_group_sums(group);
		}
		return group_sums_[group];
	}

	uint32_t
	add_record_criterion(const PredicateTree &tree)
	{
		program_.record_criteria.emplace_back(tree, definition_.record_columns, program_.record_books);
		return static_cast<uint32_t>(program_.record_criteria.size() - 1);
	}

	bool
	fades_by_event(uint32_t group) const
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
	needs_log(const RuleDefinition &rule) const
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
	make_slots(const RuleDefinition &rule)
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
	add_rule(const RuleDefinition &rule)
	{
		Period window = rule.counting == Counting::quiet
							? Period{rule.since, rule.until}
							: last_of({rule.since, rule.until}, program_.as_of, rule.within_us);
		FinishRule added{std::string(rule.name), rule.group, rule.source, rule.counting, rule.count, rule.points,
						 rule.multiplies, rule.rollup, rule.max_times, rule.max_times_per_us, rule.every_n,
						 rule.within_us, rule.followed_by != nullptr, rule.followed_within_us, window,
						 rule.value_column != no_column, no_column, no_slot, {}};

		if (!rule.valid.contains(program_.as_of))
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
			add_row_rule(rule, window, added.slots);
		}
		program_.rules.push_back(std::move(added));
	}

	void
	add_row_rule(const RuleDefinition &rule, Period window, const RuleSlots &slots)
	{
		RowRule row;

		row.window = window;
		row.points = rule.points;
		row.slots = slots;
		row.rollup = rule.rollup;
		row.group = rule.group;
		row.value_column = rule.value_column;
		row.name = static_cast<uint32_t>(program_.rules.size());
		const FinishGroup &group = program_.groups[rule.group];
		bool one_fade = group.fades.size() == 1;
		row.decay = one_fade && group.fades_by_event(0) ? group.fades[0].curve : no_slot;
		row.plain = slots.sum != no_slot && slots.raw == no_slot && slots.count == no_slot && one_fade &&
					rule.value_column == no_column && program_.sources[static_cast<size_t>(rule.source)].factors.empty();
		const PredicateTree *criterion = rule.criterion;
		if (rule.followed_by != nullptr)
		{
			// What opens a pair may be of any time before
			row.window.from = infinitely_old;
			criterion = add_roles(rule, row);
		}
		narrow_to_worth(row);
		add_criterion(rule.source, *criterion, std::move(row));
		if (rule.value_column != no_column)
		{
			columns_[static_cast<size_t>(rule.source)].back().insert(static_cast<uint16_t>(rule.value_column));
		}
	}

	// The two criteria of a pair, tested one by one; returns the criterion of rows that are either
	const PredicateTree *
	add_roles(const RuleDefinition &rule, RowRule &row)
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
	narrow_to_worth(RowRule &row)
	{
		if (!row.plain || row.decay == no_slot)
		{
			return;
		}
		double age = program_.curves[row.decay].vanishing_age_us(row.points);
		if (age < 0x1p62)
		{
			row.window.from = std::max(row.window.from, earlier(program_.as_of, static_cast<int64_t>(age) + 1));
		}
	}

	void
	add_scope(const ScopeDefinition &scope)
	{
		FinishScope added{scope.include, no_slot, no_slot};

		if (scope.source == record_itself)
		{
			added.criterion = add_record_criterion(*scope.criterion);
		}
		else
		{
			RowRule row;
			added.count_slot = program_.layout.counts++;
			row.slots.count = added.count_slot;
			add_criterion(scope.source, *scope.criterion, std::move(row));
		}
		program_.any_include |= scope.include;
		program_.scopes.push_back(added);
	}

	void
	add_bands()
	{
		std::vector<uint32_t> segments;

		for (const BandDefinition &band : definition_.bands)
		{
			segments.push_back(band.segment == nullptr ? always_segment : add_record_criterion(*band.segment));
		}
		program_.bands = BandTable(definition_.bands, segments, definition_.key_kind);
	}

	void
	add_criterion(int32_t source, const PredicateTree &criterion, RowRule row)
	{
		size_t at = static_cast<size_t>(source);

		program_.sources[at].rules.push_back(std::move(row));
		criteria_[at].push_back(&criterion);
		collect_columns(criterion, columns_[at].emplace_back());
		columns_[at].back().merge(role_columns_);
		role_columns_.clear();
	}

	void
	finish_source(size_t at)
	{
		SourceProgram &source = program_.sources[at];
		std::vector<std::vector<Predicate>> criteria;

		source.dispatch.emplace_back(criteria_[at], definition_.sources[at].columns, source.books, criteria);
		for (size_t rule = 0; rule < source.rules.size(); rule++)
		{
			source.rules[rule].criteria = std::move(criteria[rule]);
		}
		for (uint32_t code = 0; code < source.dispatch[0].codes(); code++)
		{
			source.needs.push_back(needs_of(at, source.dispatch[0].entries_of(code)));
		}
	}

	// What must be read of rows that may concern these rules
	RowNeeds
	needs_of(size_t at, std::span<const uint32_t> rules) const
	{
		const SourceProgram &source = program_.sources[at];
		bool all_times = source.cleaned || program_.activity_slot != no_slot || !source.has_time;
		std::set<uint16_t> columns = factor_columns_[at];
		RowNeeds needs{all_times ? Period{} : Period{infinitely_late, infinitely_old}, {}};

		for (uint32_t rule : rules)
		{
			const Period &window = source.rules[rule].window;
			needs.window.from = std::min(needs.window.from, window.from);
			needs.window.until = std::max(needs.window.until, window.until);
			columns.insert(columns_[at][rule].begin(), columns_[at][rule].end());
		}
		if (source.cleaned)
		{
			// Which of two duplicates of one instant stays depends on all that is read
			for (size_t column = 0; column < definition_.sources[at].columns.size(); column++)
			{
				columns.insert(static_cast<uint16_t>(column));
			}
		}
		std::copy_if(columns.begin(), columns.end(), std::back_inserter(needs.columns),
					 [&source](uint16_t column) { return column != source.dispatch[0].column(); });
		return needs;
	}

	Program &program_;
	const Definition &definition_;
	const PredicateTree always_{Test::always, 0, {}, {}};
	const PredicateTree never_{Test::never, 0, {}, {}};
	std::vector<std::vector<const PredicateTree *>> criteria_;  // by source and row rule
	std::vector<std::vector<std::set<uint16_t>>> columns_;      // by source and row rule: what it reads
	std::vector<std::set<uint16_t>> factor_columns_;            // by source
	std::set<uint16_t> role_columns_;                           // of the pair at hand
	std::vector<uint32_t> group_sums_;                          // by group: its first shared sum
	std::vector<Decay> known_decays_;
};

Program::Program(const Definition &definition, int64_t as_of_instant, EvaluationNeeds what_for)
	: kind(definition.kind), limits(definition.limits), adjustment_limits(definition.adjustment_limits),
	  as_of(as_of_instant), needs(what_for), dormant_us(definition.dormant_us)
{
	Compiler(*this, definition).run();
}

} // namespace lead_scoring::core
