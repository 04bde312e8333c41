// A score under construction: a definition with the memory it points to. Sources, groups and rules are added one by
// one, with the defaults of the extension.
#pragma once

#include "core/definition.hpp"
#include "core/program.hpp"
#include "core/time.hpp"
#include "support.hpp"

#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lead_scoring::core::test
{

inline constexpr Limits unlimited{-infinity, infinity};
inline constexpr Limits at_least_one{1, infinity};

inline constexpr EvaluationNeeds plain{false, false};
inline constexpr EvaluationNeeds with_detail{true, false};
inline constexpr EvaluationNeeds with_activity{false, true};
inline constexpr EvaluationNeeds with_due{false, false, true};

class Model
{
public:
	Model() = default;
	Model(const Model &) = delete;
	Model &operator=(const Model &) = delete;

	ScoreKind kind = ScoreKind::combined;
	Limits limits = unlimited;
	Limits adjustment_limits = unlimited;
	KeyKind key_kind = KeyKind::integer;
	bool unique_keys = true;
	bool has_adjustments = false;
	bool has_resets = false;
	int64_t dormant_us = 0;
	bool reads_clock = false;
	const PredicateTree *open_when = nullptr;
	std::vector<ColumnKind> record_columns;
	std::vector<GroupDefinition> groups;
	std::vector<RuleDefinition> rules;
	std::vector<FactorDefinition> factors;
	std::vector<ScopeDefinition> scopes;
	std::vector<BandDefinition> bands;
	Forest forest;

	int32_t
	add_source(bool has_time, std::vector<ColumnKind> columns)
	{
		columns_.push_back(std::move(columns));
		sources_.push_back({has_time, columns_.back()});
		marked_.push_back(false);
		return static_cast<int32_t>(sources_.size() - 1);
	}

	// Drop the duplicates of a source; with marks only rows of one mark repeat each other
	void
	clean(int32_t source, int64_t dedup_us, bool has_marks)
	{
		sources_[static_cast<size_t>(source)].cleaned = true;
		sources_[static_cast<size_t>(source)].dedup_us = dedup_us;
		marked_[static_cast<size_t>(source)] = has_marks;
	}

	bool
	has_marks(size_t source) const
	{
		return marked_[source];
	}

	uint32_t
	add_group(Part part, Limits group_limits = unlimited, std::string_view decay = {})
	{
		const std::string &name = names_.emplace_back("group " + std::to_string(groups.size()));

		fades_.push_back({{nullptr, parsed(decay), -1}});
		groups.push_back({name, part, group_limits, 1, fades_.back()});
		return static_cast<uint32_t>(groups.size() - 1);
	}

	// Let all points of a group fade by the record's quiet time beyond this, rather than each event's by its age
	void
	fade_when_quiet(uint32_t group, int64_t quiet_us)
	{
		fades_[group].back().quiet_us = quiet_us;
	}

	// Let the points of a group fade in another way for the records of a segment, unless they are of an earlier one
	void
	add_segment(uint32_t group, const PredicateTree *segment, std::string_view decay, int64_t quiet_us = -1)
	{
		fades_[group].insert(fades_[group].end() - 1, {segment, parsed(decay), quiet_us});
		groups[group].fades = fades_[group];
	}

	// A rule that pays for each event, or once for anything else
	RuleDefinition &
	add_rule(uint32_t group, int32_t source, double points, const PredicateTree *criterion = nullptr)
	{
		bool event = source != record_itself && sources_[static_cast<size_t>(source)].has_time;
		RuleDefinition rule;

		rule.name = names_.emplace_back("rule " + std::to_string(rules.size()));
		rule.group = group;
		rule.source = source;
		rule.criterion = criterion == nullptr ? forest.always() : criterion;
		rule.points = points;
		rule.counting = event ? Counting::each : Counting::once;
		rule.count = at_least_one;
		return rules.emplace_back(rule);
	}

	// A rule that pays once while the number of events lies within bounds
	RuleDefinition &
	add_frequency(uint32_t group, int32_t source, double points, Limits count, const PredicateTree *criterion = nullptr)
	{
		RuleDefinition &rule = add_rule(group, source, points, criterion);

		rule.counting = Counting::once;
		rule.count = count;
		return rule;
	}

	// A rule that multiplies by a factor, once
	RuleDefinition &
	add_multiplier(uint32_t group, int32_t source, double factor, Multiplies what,
				   const PredicateTree *criterion = nullptr)
	{
		RuleDefinition &rule = add_frequency(group, source, factor, at_least_one, criterion);

		rule.multiplies = what;
		return rule;
	}

	// A rule over a column of values; without bounds one matching row is enough for a rule that pays once
	RuleDefinition &
	add_value(uint32_t group, int32_t source, double points, Counting counting, Rollup rollup,
			  Limits bounds = unlimited)
	{
		RuleDefinition &rule = add_frequency(group, source, points, bounds);

		rule.counting = counting;
		rule.rollup = rollup;
		rule.value_column = 0;
		return rule;
	}

	void
	add_scope(bool include, int32_t source, const PredicateTree *criterion = nullptr)
	{
		scopes.push_back({include, source, criterion == nullptr ? forest.always() : criterion});
	}

	FactorDefinition &
	add_factor(int32_t source, double factor, const PredicateTree *criterion = nullptr)
	{
		return factors.emplace_back(
			FactorDefinition{source, criterion == nullptr ? forest.always() : criterion, factor, {}, {}});
	}

	const std::vector<SourceDefinition> &
	sources() const
	{
		return sources_;
	}

	// Return the columns of a source, or of the record itself
	std::span<const ColumnKind>
	columns(int32_t source) const
	{
		return source == record_itself ? std::span<const ColumnKind>(record_columns)
									   : sources_[static_cast<size_t>(source)].columns;
	}

	Definition
	definition() const
	{
		return {.kind = kind,
				.limits = limits,
				.adjustment_limits = adjustment_limits,
				.key_kind = key_kind,
				.unique_keys = unique_keys,
				.has_adjustments = has_adjustments,
				.has_resets = has_resets,
				.dormant_us = dormant_us,
				.reads_clock = reads_clock,
				.open_when = open_when,
				.groups = groups,
				.rules = rules,
				.factors = factors,
				.scopes = scopes,
				.bands = bands,
				.sources = sources_,
				.record_columns = record_columns};
	}

private:
	const Decay *
	parsed(std::string_view decay)
	{
		return decay.empty() ? nullptr : &decays_.emplace_back(parse_decay(decay));
	}

	std::deque<std::vector<ColumnKind>> columns_;
	std::vector<SourceDefinition> sources_;
	std::vector<bool> marked_;                      // by source
	std::deque<std::vector<FadeDefinition>> fades_; // by group
	std::deque<Decay> decays_;
	std::deque<std::string> names_;
};

} // namespace lead_scoring::core::test
