// Criteria that the core evaluates itself: tests of columns against constants, joined by AND, OR and NOT, with SQL's
// three-valued logic. Anything else reaches the core as a truth column that PostgreSQL has computed.
#pragma once

#include "core/batch.hpp"
#include "core/code_book.hpp"

#include <cmath>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace lead_scoring::core
{

enum class Test : uint8_t
{
	equal,
	unequal,
	less,
	less_equal,
	greater,
	greater_equal,
	one_of,      // any of the values
	is_null,
	is_not_null,
	is_true,     // the truth column itself
	all_of,      // AND of the operands
	any_of,      // OR of the operands
	negation,    // NOT of the operand
	always,      // constant true
	never,       // constant false
};

// A constant of a criterion: text for code columns, otherwise the number that the column would hold
struct Constant
{
	std::string_view text;
	int64_t integer;
	double real;
};

// A criterion as a tree, as the PostgreSQL layer hands it over; plain memory owned by the caller
struct PredicateTree
{
	Test test;
	uint16_t column;
	std::span<const Constant> values;
	std::span<const PredicateTree *const> operands;
};

enum class Truth : uint8_t
{
	no = 0,
	yes = 1,
	unknown = 2,
};

// A criterion ready to run
class Predicate
{
public:
	// Compile a tree; texts that it compares get their codes from the books of their columns
	Predicate(const PredicateTree &tree, std::span<const ColumnKind> kinds, std::span<CodeBook> books);

	Truth evaluate(const Batch &batch, size_t row) const noexcept;

	bool
	holds(const Batch &batch, size_t row) const noexcept
	{
		const Node &node = nodes_.front();

		// Most criteria are a single comparison
		if (node.test > Test::greater_equal)
		{
			return evaluate(batch, row) == Truth::yes;
		}
		return !batch.is_null(node.column, row) && compare(node, batch.cell(node.column, row));
	}

	bool
	always() const noexcept
	{
		return nodes_.size() == 1 && nodes_[0].test == Test::always;
	}

private:
	struct Node
	{
		Test test;
		ColumnKind kind;
		uint16_t column;
		uint32_t size;   // of the subtree, in nodes
		uint32_t first;  // value in cells_
		uint32_t values; // how many
	};

	void add(const PredicateTree &tree, std::span<const ColumnKind> kinds, std::span<CodeBook> books);
	Truth evaluate_node(const Batch &batch, size_t row, size_t at) const noexcept;
	Truth evaluate_junction(const Batch &batch, size_t row, size_t at) const noexcept;
	bool
	compare(const Node &node, Cell cell) const noexcept
	{
		const Cell value = cells_[node.first];

		if (node.kind == ColumnKind::real)
		{
			return passes(node.test, compare_reals(cell.real, value.real));
		}
		return passes(node.test, (cell.integer > value.integer) - (cell.integer < value.integer));
	}

	// Order two numbers as PostgreSQL does: NaN equals NaN and is greater than all others
	static int
	compare_reals(double left, double right) noexcept
	{
		if (std::isnan(left) || std::isnan(right))
		{
			return static_cast<int>(std::isnan(left)) - static_cast<int>(std::isnan(right));
		}
		return (left > right) - (left < right);
	}

	// Whether a comparison holds for operands in this order
	static bool
	passes(Test test, int order) noexcept
	{
		switch (test)
		{
		case Test::equal:
			return order == 0;
		case Test::unequal:
			return order != 0;
		case Test::less:
			return order < 0;
		case Test::less_equal:
			return order <= 0;
		case Test::greater:
			return order > 0;
		default:
			return order >= 0;
		}
	}

	static int compare_cells(ColumnKind kind, Cell left, Cell right) noexcept;
	bool test_column(const Node &node, Cell cell) const noexcept;

	std::vector<Node> nodes_; // in prefix order
	std::vector<Cell> cells_;
};

// Whether all of several criteria hold for a row
inline bool
all_hold(const std::vector<Predicate> &criteria, const Batch &batch, size_t row) noexcept
{
	for (const Predicate &criterion : criteria)
	{
		if (!criterion.holds(batch, row))
		{
			return false;
		}
	}
	return true;
}

} // namespace lead_scoring::core
