#include "core/predicate.hpp"

#include <algorithm>
#include <cmath>

#if defined(POSTGRES_H)
static_assert(false, "No Postgres header should be included in this file.");
#endif

namespace lead_scoring::core
{

namespace
{

Truth
negate(Truth truth) noexcept
{
	return truth == Truth::unknown ? truth : truth == Truth::yes ? Truth::no : Truth::yes;
}

Truth
as_truth(bool value) noexcept
{
	return value ? Truth::yes : Truth::no;
}

} // namespace

int
Predicate::compare_cells(ColumnKind kind, Cell left, Cell right) noexcept
{
	if (kind == ColumnKind::real)
	{
		return compare_reals(left.real, right.real);
	}
	return (left.integer > right.integer) - (left.integer < right.integer);
}

Predicate::Predicate(const PredicateTree &tree, std::span<const ColumnKind> kinds,
					 std::span<CodeBook> books)
{
	add(tree, kinds, books);
}

void
Predicate::add(const PredicateTree &tree, std::span<const ColumnKind> kinds, std::span<CodeBook> books)
{
	size_t at = nodes_.size();
	bool on_column = tree.test <= Test::is_true;
	ColumnKind kind = on_column ? kinds[tree.column] : ColumnKind::presence;

	nodes_.push_back({tree.test, kind, tree.column, 0, static_cast<uint32_t>(cells_.size()),
					  static_cast<uint32_t>(tree.values.size())});
	for (const Constant &value : tree.values)
	{
		Cell cell;
		if (kind == ColumnKind::real)
		{
			cell.real = value.real;
		}
		else
		{
			cell.integer = kind == ColumnKind::code ? books[tree.column].add(value.text) : value.integer;
		}
		cells_.push_back(cell);
	}
	if (tree.test == Test::one_of)
	{
		std::sort(cells_.end() - static_cast<ptrdiff_t>(tree.values.size()), cells_.end(),
				  [kind](Cell left, Cell right) { return compare_cells(kind, left, right) < 0; });
	}
	for (const PredicateTree *operand : tree.operands)
	{
		add(*operand, kinds, books);
	}
	nodes_[at].size = static_cast<uint32_t>(nodes_.size() - at);
}

Truth
Predicate::evaluate(const Batch &batch, size_t row) const noexcept
{
	return evaluate_node(batch, row, 0);
}

Truth
Predicate::evaluate_node(const Batch &batch, size_t row, size_t at) const noexcept
{
	const Node &node = nodes_[at];

	switch (node.test)
	{
	case Test::all_of:
	case Test::any_of:
		return evaluate_junction(batch, row, at);
	case Test::negation:
		return negate(evaluate_node(batch, row, at + 1));
	case Test::always:
		return Truth::yes;
	case Test::never:
		return Truth::no;
	case Test::is_null:
		return as_truth(batch.is_null(node.column, row));
	case Test::is_not_null:
		return as_truth(!batch.is_null(node.column, row));
	default:
		if (batch.is_null(node.column, row))
		{
			return Truth::unknown;
		}
		return as_truth(test_column(node, batch.cell(node.column, row)));
	}
}

Truth
Predicate::evaluate_junction(const Batch &batch, size_t row, size_t at) const noexcept
{
	size_t end = at + nodes_[at].size;
	Truth decisive = nodes_[at].test == Test::all_of ? Truth::no : Truth::yes;
	Truth result = negate(decisive);

	for (size_t operand = at + 1; operand < end; operand += nodes_[operand].size)
	{
		Truth truth = evaluate_node(batch, row, operand);
		if (truth == decisive)
		{
			return decisive;
		}
		if (truth == Truth::unknown)
		{
			result = Truth::unknown;
		}
	}
	return result;
}

bool
Predicate::test_column(const Node &node, Cell cell) const noexcept
{
	const Cell *values = cells_.data() + node.first;

	switch (node.test)
	{
	case Test::is_true:
		return cell.integer != 0;
	case Test::one_of:
		return std::binary_search(values, values + node.values, cell,
								  [&node](Cell left, Cell right)
								  { return compare_cells(node.kind, left, right) < 0; });
	default:
		return compare(node, cell);
	}
}

} // namespace lead_scoring::core
