#include "core/dispatch.hpp"

#include <algorithm>
#include <iterator>

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

// Return the column that most rules test for equality, or no_dispatch
uint32_t
choose_column(const std::vector<Conjuncts> &rules, std::span<const ColumnKind> kinds)
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
	return best == uses.end() || *best == 0 ? Dispatch::no_dispatch : static_cast<uint32_t>(best - uses.begin());
}

std::string_view
integer_bytes(const int64_t &integer)
{
	return {reinterpret_cast<const char *>(&integer), sizeof integer};
}

} // namespace

Dispatch::Dispatch(std::span<const PredicateTree *const> rules, std::span<const ColumnKind> kinds,
				   std::span<CodeBook> books, std::vector<std::vector<Predicate>> &criteria)
{
	std::vector<Conjuncts> conjuncts(rules.size());
	std::map<uint32_t, std::vector<uint32_t>> by_code;
	std::vector<uint32_t> always;

	for (size_t rule = 0; rule < rules.size(); rule++)
	{
		collect_conjuncts(*rules[rule], conjuncts[rule]);
	}
	column_ = choose_column(conjuncts, kinds);
	if (column_ != no_dispatch)
	{
		kind_ = kinds[column_];
	}
	criteria.resize(rules.size());
	for (uint32_t rule = 0; rule < rules.size(); rule++)
	{
		const PredicateTree *key = nullptr;
		for (const PredicateTree *tree : conjuncts[rule])
		{
			if (key == nullptr && tree->column == column_ && can_dispatch(*tree, kinds))
			{
				key = tree;
				continue;
			}
			criteria[rule].emplace_back(*tree, kinds, books);
		}
		if (key == nullptr)
		{
			always.push_back(rule);
			continue;
		}
		for (const Constant &value : key->values)
		{
			std::vector<uint32_t> &entries = by_code[code_of(value, books)];
			if (entries.empty() || entries.back() != rule)
			{
				entries.push_back(rule);
			}
		}
	}
	fill(by_code, always, books);
}

uint32_t
Dispatch::code_of(const Constant &value, std::span<CodeBook> books)
{
	return kind_ == ColumnKind::code ? books[column_].add(value.text) : book_.add(integer_bytes(value.integer));
}

void
Dispatch::fill(std::map<uint32_t, std::vector<uint32_t>> &by_code, const std::vector<uint32_t> &always,
			   std::span<CodeBook> books)
{
	uint32_t codes = 1;

	if (column_ != no_dispatch)
	{
		codes = kind_ == ColumnKind::code ? books[column_].size() : book_.size();
	}
	for (uint32_t code = 0; code < codes; code++)
	{
		first_entry_.push_back(static_cast<uint32_t>(entries_.size()));
		const std::vector<uint32_t> &own = by_code[code];
		std::merge(own.begin(), own.end(), always.begin(), always.end(), std::back_inserter(entries_));
	}
	first_entry_.push_back(static_cast<uint32_t>(entries_.size()));
}

} // namespace lead_scoring::core
