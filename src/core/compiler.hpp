// The steps by which a definition becomes a program, with what only they need.
#pragma once

#include "core/program.hpp"

#include <cstdint>
#include <set>
#include <span>
#include <vector>

namespace lead_scoring::core
{

class Program::Compiler
{
public:
	Compiler(Program &program, const Definition &definition);

	void run();

private:
	void add_sources();
	void add_groups();
	uint32_t add_curve(const Decay &decay);
	void add_factors();
	bool in_force(const Period &valid) noexcept;
	void add_record_slots();
	void add_due_slots();
	uint32_t new_sum(uint32_t group, uint32_t fade);
	uint32_t new_group_sums(uint32_t group);
	uint32_t sums_of(uint32_t group);
	uint32_t add_record_criterion(const PredicateTree &tree);
	bool fades_by_event(uint32_t group) const;
	bool needs_log(const RuleDefinition &rule) const;
	RuleSlots make_slots(const RuleDefinition &rule);
	void add_rule(const RuleDefinition &rule);
	void add_feature(const RuleDefinition &rule);
	RuleSlots make_feature_slots(const RuleDefinition &rule);
	void add_row_rule(const RuleDefinition &rule, const RuleSlots &slots);
	const PredicateTree *add_roles(const RuleDefinition &rule, RowRule &row);
	void narrow_to_worth(RowRule &row) const noexcept;
	void add_scope(const ScopeDefinition &scope);
	void add_bands();
	void add_prediction();
	void add_criterion(int32_t source, const PredicateTree &criterion, RowRule row);
	void finish_source(size_t at);
	std::vector<uint16_t> columns_of(size_t at, std::span<const uint32_t> rules) const;

	Program &program_;
	const Definition &definition_;
	const PredicateTree always_{Test::always, 0, {}, {}};
	const PredicateTree never_{Test::never, 0, {}, {}};
	std::vector<std::vector<const PredicateTree *>> criteria_; // by source and row rule
	std::vector<std::vector<std::set<uint16_t>>> columns_;     // by source and row rule: what it reads
	std::vector<std::set<uint16_t>> factor_columns_;           // by source
	std::set<uint16_t> role_columns_;                          // of the pair at hand
	std::vector<uint32_t> group_sums_;                         // by group: its first shared sum
	std::vector<Decay> known_decays_;
};

// Collect the columns that a criterion reads
void collect_columns(const PredicateTree &tree, std::set<uint16_t> &columns);

} // namespace lead_scoring::core
