#include "core/program.hpp"

#include "core/time.hpp"

#include <algorithm>
#include <iterator>
#include <map>

#if defined(POSTGRES_H)
static_assert(false, "No Postgres header should be included in this file.");
#endif

namespace lead_scoring::core
{

namespace
{

using Conjuncts = std::vector<const PredicateTree *>;

// Flatten the AND at the top of a criterion
void
collect_conjuncts(const PredicateTree &tree, Conjuncts &conjuncts)
{
	if (tree.test == Test::all_of)
	{
		for (const PredicateTree *operand : tree.operands)
		{
			collect_conjuncts(*operand, conjuncts);
		}
	}
	else if (tree.test != Test::always)
	{
		conjuncts.push_back(&tree);
	}
}

bool
can_dispatch(const PredicateTree &tree, std::span<const ColumnKind> kinds)
{
	return (tree.test == Test::equal || tree.test == Test::one_of) &&
		   (kinds[tree.column] == ColumnKind::code || kinds[tree.column] == ColumnKind::integer);
}

// Return the column that most rules test for equality, or no_slot
uint32_t
choose_dispatch_column(const std::vector<Conjuncts> &rules, std::span<const ColumnKind> kinds)
{
	std::vector<size_t> uses(kinds.size());

	for (const Conjuncts &conjuncts : rules)
	{
		for (const PredicateTree *tree : conjuncts)
		{
			if (can_dispatch(*tree, kinds))
			{
				uses[tree->column]++;
			}
		}
	}
	auto best = std::max_element(uses.begin(), uses.end());
	return best == uses.end() || *best == 0 ? no_slot : static_cast<uint32_t>(best - uses.begin());
}

std::string_view
integer_bytes(const int64_t &integer)
{
	return {reinterpret_cast<const char *>(&integer), sizeof integer};
}

} // namespace

// The steps of a compilation, with what only they need
class Program::Compiler
{
public:
	Compiler(Program &program, const Definition &definition) : program_(program), definition_(definition)
	{
		conjuncts_.resize(definition.sources.size());
		group_slots_.assign(definition.groups.size(), no_slot);
	}

	void
	run()
	{
		add_sources();
		add_groups();
		for (const RuleDefinition &rule : definition_.rules)
		{
			add_rule(rule);
		}
		for (const ScopeDefinition &scope : definition_.scopes)
		{
			add_scope(scope);
		}
		for (size_t source = 0; source < program_.sources.size(); source++)
		{
			build_dispatch(source);
		}
		if (definition_.has_adjustments)
		{
			program_.adjustment_slot = new_sum_slot(no_slot);
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
			added.books.resize(source.columns.size());
		}
		program_.record_books.resize(definition_.record_columns.size());
	}

	void
	add_groups()
	{
		for (const GroupDefinition &group : definition_.groups)
		{
			program_.groups.push_back({std::string(group.name), group.part, group.limits});
			decays_.push_back(group.decay == nullptr ? no_slot : add_curve(*group.decay));
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

	uint32_t
	new_sum_slot(uint32_t group)
	{
		program_.slot_groups.push_back(group);
		return program_.layout.sums++;
	}

	// Rules that pay for each row share the slot of their group, unless each rule must be told apart
	uint32_t
	sum_slot(uint32_t group)
	{
		if (program_.detail)
		{
			return new_sum_slot(group);
		}
		if (group_slots_[group] == no_slot)
		{
			group_slots_[group] = new_sum_slot(group);
		}
		return group_slots_[group];
	}

	uint32_t
	add_record_criterion(const PredicateTree &tree)
	{
		program_.record_criteria.emplace_back(tree, definition_.record_columns, program_.record_books);
		return static_cast<uint32_t>(program_.record_criteria.size() - 1);
	}

	void
	add_rule(const RuleDefinition &rule)
	{
		FinishRule added{std::string(rule.name), rule.group, rule.source, rule.counting, rule.count,
						 rule.points, no_slot, no_slot, no_slot,
						 no_slot, no_slot};

		if (rule.source == record_itself)
		{
			added.criterion = add_record_criterion(*rule.criterion);
			program_.rules.push_back(std::move(added));
			return;
		}
		bool has_time = program_.sources[static_cast<size_t>(rule.source)].has_time;
		added.decay = has_time ? decays_[rule.group] : no_slot;
		if (rule.counting == Counting::each)
		{
			added.sum_slot = sum_slot(rule.group);
		}
		if (rule.counting == Counting::once || program_.detail)
		{
			added.count_slot = program_.layout.counts++;
		}
		if (rule.counting == Counting::once && added.decay != no_slot)
		{
			added.newest_slot = program_.layout.instants++;
		}
		int64_t from = rule.within_us == 0 ? infinitely_old : earlier(program_.as_of, rule.within_us);
		add_row_rule(rule.source, *rule.criterion,
					 {std::max(from, rule.since), rule.until, added.points, added.sum_slot,
					  added.count_slot, added.newest_slot, added.decay, {}});
		program_.rules.push_back(std::move(added));
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
			added.count_slot = program_.layout.counts++;
			add_row_rule(scope.source, *scope.criterion,
						 {infinitely_old, infinitely_late, 0, no_slot, added.count_slot, no_slot, no_slot, {}});
		}
		program_.any_include |= scope.include;
		program_.scopes.push_back(added);
	}

	void
	add_row_rule(int32_t source, const PredicateTree &criterion, RowRule rule)
	{
		size_t at = static_cast<size_t>(source);

		program_.sources[at].rules.push_back(std::move(rule));
		collect_conjuncts(criterion, conjuncts_[at].emplace_back());
	}

	void
	build_dispatch(size_t at)
	{
		SourceProgram &source = program_.sources[at];
		std::span<const ColumnKind> kinds = definition_.sources[at].columns;
		std::map<uint32_t, std::vector<uint32_t>> by_code;
		std::vector<uint32_t> always;

		source.dispatch_column = choose_dispatch_column(conjuncts_[at], kinds);
		if (source.dispatch_column != no_slot)
		{
			source.dispatch_kind = kinds[source.dispatch_column];
		}
		for (uint32_t rule = 0; rule < source.rules.size(); rule++)
		{
			const PredicateTree *key = nullptr;
			for (const PredicateTree *tree : conjuncts_[at][rule])
			{
				if (key == nullptr && tree->column == source.dispatch_column && can_dispatch(*tree, kinds))
				{
					key = tree;
					continue;
				}
				source.rules[rule].criteria.emplace_back(*tree, kinds, source.books);
			}
			if (key == nullptr)
			{
				always.push_back(rule);
				continue;
			}
			for (const Constant &value : key->values)
			{
				std::vector<uint32_t> &rules = by_code[dispatch_code(source, value)];
				if (rules.empty() || rules.back() != rule)
				{
					rules.push_back(rule);
				}
			}
		}
		fill_entries(source, by_code, always);
	}

	static uint32_t
	dispatch_code(SourceProgram &source, const Constant &value)
	{
		if (source.dispatch_kind == ColumnKind::code)
		{
			return source.books[source.dispatch_column].add(value.text);
		}
		return source.dispatch_book.add(integer_bytes(value.integer));
	}

	static void
	fill_entries(SourceProgram &source, std::map<uint32_t, std::vector<uint32_t>> &by_code,
				 const std::vector<uint32_t> &always)
	{
		uint32_t codes = 1;
		if (source.dispatch_column != no_slot)
		{
			codes = source.dispatch_kind == ColumnKind::code ? source.books[source.dispatch_column].size()
															 : source.dispatch_book.size();
		}
		for (uint32_t code = 0; code < codes; code++)
		{
			source.first_entry.push_back(static_cast<uint32_t>(source.entries.size()));
			const std::vector<uint32_t> &own = by_code[code];
			std::merge(own.begin(), own.end(), always.begin(), always.end(),
					   std::back_inserter(source.entries));
		}
		source.first_entry.push_back(static_cast<uint32_t>(source.entries.size()));
	}

	Program &program_;
	const Definition &definition_;
	std::vector<std::vector<Conjuncts>> conjuncts_; // by source and row rule
	std::vector<uint32_t> group_slots_;
	std::vector<uint32_t> decays_; // by group, in Program::curves
	std::vector<Decay> known_decays_;
};

Program::Program(const Definition &definition, int64_t as_of_instant, bool with_detail)
	: kind(definition.kind), limits(definition.limits), as_of(as_of_instant), detail(with_detail),
	  bands(definition.bands)
{
	Compiler(*this, definition).run();
}

} // namespace lead_scoring::core
