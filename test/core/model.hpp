// A score under construction: a definition with the memory it points to. Sources, groups and rules are added one by
// one, with the defaults of the extension.
#pragma once

#include "core/definition.hpp"
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

class Model
{
public:
	Model() = default;
	Model(const Model &) = delete;
	Model &operator=(const Model &) = delete;

	ScoreKind kind = ScoreKind::combined;
	Limits limits = unlimited;
	KeyKind key_kind = KeyKind::integer;
	bool unique_keys = true;
	bool has_adjustments = false;
	std::vector<ColumnKind> record_columns;
	std::vector<GroupDefinition> groups;
	std::vector<RuleDefinition> rules;
	std::vector<ScopeDefinition> scopes;
	std::vector<BandDefinition> bands;
	Forest forest;

	int32_t
	add_source(bool has_time, std::vector<ColumnKind> columns)
	{
		columns_.push_back(std::move(columns));
		sources_.push_back({has_time, columns_.back()});
		return static_cast<int32_t>(sources_.size() - 1);
	}

	uint32_t
	add_group(Part part, Limits group_limits = unlimited, std::string_view decay = {})
	{
		const Decay *parsed = decay.empty() ? nullptr : &decays_.emplace_back(parse_decay(decay));

		groups.push_back({names_.emplace_back("group " + std::to_string(groups.size())), part, group_limits, parsed});
		return static_cast<uint32_t>(groups.size() - 1);
	}

	RuleDefinition &
	add_rule(uint32_t group, int32_t source, double points, const PredicateTree *criterion = nullptr)
	{
		bool event = source != record_itself && sources_[static_cast<size_t>(source)].has_time;

		rules.push_back({names_.emplace_back("rule " + std::to_string(rules.size())), group, source,
						 criterion == nullptr ? forest.always() : criterion, points,
						 event ? Counting::each : Counting::once, at_least_one, infinitely_old, infinitely_late, 0});
		return rules.back();
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

	void
	add_scope(bool include, int32_t source, const PredicateTree *criterion = nullptr)
	{
		scopes.push_back({include, source, criterion == nullptr ? forest.always() : criterion});
	}

	const std::vector<SourceDefinition> &
	sources() const
	{
		return sources_;
	}

	Definition
	definition() const
	{
		return {kind,  limits, key_kind, unique_keys, has_adjustments, groups,
				rules, scopes, bands,    sources_,    record_columns};
	}

private:
	std::deque<std::vector<ColumnKind>> columns_;
	std::vector<SourceDefinition> sources_;
	std::deque<Decay> decays_;
	std::deque<std::string> names_;
};

} // namespace lead_scoring::core::test
