// What several unit tests share: random choices that are the same on every machine, faults as values, criteria and
// batches that own their memory, and three-valued logic written as plainly as it can be.
#pragma once

#include "core/batch.hpp"
#include "core/code_book.hpp"
#include "core/fault.hpp"
#include "core/predicate.hpp"

#include <cmath>
#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <ostream>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lead_scoring::core
{

inline void
PrintTo(Fault fault, std::ostream *out)
{
	constexpr const char *names[] = {"invalid_text",  "invalid_parameter", "out_of_range",    "limit_exceeded",
									 "duplicate_key", "missing_library",   "library_failure", "cancelled"};
	*out << names[static_cast<size_t>(fault)];
}

inline void
PrintTo(Truth truth, std::ostream *out)
{
	*out << (truth == Truth::unknown ? "unknown" : truth == Truth::yes ? "yes" : "no");
}

} // namespace lead_scoring::core

namespace lead_scoring::core::test
{

// Within a test, Test is the class of GoogleTest that all tests inherit
using Check = core::Test;

inline constexpr double infinity = std::numeric_limits<double>::infinity();
inline constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

// The distributions of the standard library differ between implementations, so these do without
class Random
{
public:
	explicit Random(uint64_t seed) : engine_(seed)
	{
	}

	uint64_t
	bits()
	{
		return engine_();
	}

	// Return a number in 0 .. count - 1
	size_t
	below(size_t count)
	{
		return engine_() % count;
	}

	// Return a number in lowest .. highest
	int64_t
	between(int64_t lowest, int64_t highest)
	{
		return lowest + static_cast<int64_t>(engine_() % (static_cast<uint64_t>(highest - lowest) + 1));
	}

	// Return a number in [0, 1)
	double
	share()
	{
		return std::ldexp(static_cast<double>(engine_() >> 11), -53);
	}

	bool
	one_in(size_t count)
	{
		return below(count) == 0;
	}

	template <typename Items>
	auto
	one_of(const Items &items)
	{
		return *(std::begin(items) + static_cast<std::ptrdiff_t>(below(std::size(items))));
	}

	template <typename Items>
	void
	shuffle(Items &items)
	{
		for (size_t count = items.size(); count > 1; count--)
		{
			std::swap(items[count - 1], items[below(count)]);
		}
	}

private:
	std::mt19937_64 engine_;
};

// Return the kind of the fault that an action raises, if it raises one
inline std::optional<Fault>
fault_of(const std::function<void()> &action)
{
	try
	{
		action();
	}
	catch (const ScoringError &error)
	{
		return error.fault();
	}
	return std::nullopt;
}

// A value of a row before it becomes a cell; which member counts depends on the kind of its column
struct Value
{
	bool null = false;
	std::string text = {};
	int64_t integer = 0;
	double real = 0;
};

inline Value
null_value()
{
	return {true};
}

inline Value
text_value(std::string text)
{
	return {false, std::move(text)};
}

inline Value
integer_value(int64_t integer)
{
	return {false, {}, integer};
}

inline Value
real_value(double real)
{
	return {false, {}, 0, real};
}

// Criteria under construction, with the memory that trees only point to
class Forest
{
public:
	const PredicateTree *
	always()
	{
		return make({Test::always, 0, {}, {}});
	}

	const PredicateTree *
	never()
	{
		return make({Test::never, 0, {}, {}});
	}

	// A test of a column that needs no constant
	const PredicateTree *
	column(Test test, size_t column)
	{
		return make({test, static_cast<uint16_t>(column), {}, {}});
	}

	const PredicateTree *
	compare(Test test, size_t column, const std::vector<Value> &values)
	{
		std::vector<Constant> &constants = constants_.emplace_back();
		for (const Value &value : values)
		{
			constants.push_back({texts_.emplace_back(value.text), value.integer, value.real});
		}
		return make({test, static_cast<uint16_t>(column), constants, {}});
	}

	const PredicateTree *
	junction(Test test, std::vector<const PredicateTree *> operands)
	{
		return make({test, 0, {}, operands_.emplace_back(std::move(operands))});
	}

	const PredicateTree *
	all_of(std::vector<const PredicateTree *> operands)
	{
		return junction(Test::all_of, std::move(operands));
	}

	const PredicateTree *
	any_of(std::vector<const PredicateTree *> operands)
	{
		return junction(Test::any_of, std::move(operands));
	}

	const PredicateTree *
	negation(const PredicateTree *operand)
	{
		return junction(Test::negation, {operand});
	}

	const PredicateTree *
	text_is(size_t column, std::string text)
	{
		return compare(Test::equal, column, {text_value(std::move(text))});
	}

private:
	const PredicateTree *
	make(const PredicateTree &tree)
	{
		return &trees_.emplace_back(tree);
	}

	std::deque<PredicateTree> trees_;
	std::deque<std::vector<Constant>> constants_;
	std::deque<std::vector<const PredicateTree *>> operands_;
	std::deque<std::string> texts_;
};

// Few values of each kind, so that random constants and random cells often meet
inline Value
random_value(Random &random, ColumnKind kind)
{
	constexpr double reals[] = {-infinity, -1.5, -0.0, 0.0, 2.25, infinity, not_a_number};
	constexpr int64_t integers[] = {std::numeric_limits<int64_t>::min(), -3, 0, 1, 7,
									std::numeric_limits<int64_t>::max()};
	const std::string texts[] = {"", "call", "e-mail opened", "e-mail clicked", "meeting"};

	switch (kind)
	{
	case ColumnKind::code:
		return text_value(random.one_of(texts));
	case ColumnKind::integer:
		return integer_value(random.one_of(integers));
	case ColumnKind::real:
		return real_value(random.one_of(reals));
	default:
		return integer_value(static_cast<int64_t>(random.below(2)));
	}
}

inline const PredicateTree *
random_leaf(Random &random, Forest &forest, std::span<const ColumnKind> kinds)
{
	constexpr Test any_test[] = {Test::equal,   Test::unequal,       Test::less,  Test::less_equal,
								 Test::greater, Test::greater_equal, Test::one_of};
	constexpr Test code_test[] = {Test::equal, Test::unequal, Test::one_of};

	if (kinds.empty() || random.one_in(12))
	{
		return random.one_in(2) ? forest.always() : forest.never();
	}
	size_t column = random.below(kinds.size());
	ColumnKind kind = kinds[column];
	if (kind == ColumnKind::presence || random.one_in(6))
	{
		return forest.column(random.one_in(2) ? Test::is_null : Test::is_not_null, column);
	}
	if (kind == ColumnKind::truth)
	{
		return forest.column(Test::is_true, column);
	}
	Test test = kind == ColumnKind::code ? random.one_of(code_test) : random.one_of(any_test);
	std::vector<Value> values;
	for (size_t count = test == Test::one_of ? 1 + random.below(8) : 1; count > 0; count--)
	{
		values.push_back(random_value(random, kind));
	}
	return forest.compare(test, column, values);
}

inline const PredicateTree *
random_tree(Random &random, Forest &forest, std::span<const ColumnKind> kinds, size_t depth)
{
	if (depth == 0 || random.one_in(3))
	{
		return random_leaf(random, forest, kinds);
	}
	if (random.one_in(4))
	{
		return forest.negation(random_tree(random, forest, kinds, depth - 1));
	}
	std::vector<const PredicateTree *> operands;
	for (size_t count = random.below(4); count > 0; count--)
	{
		operands.push_back(random_tree(random, forest, kinds, depth - 1));
	}
	return forest.junction(random.one_in(2) ? Test::all_of : Test::any_of, std::move(operands));
}

// Say whether a value that is not NULL passes a test against one constant
inline bool
naive_comparison(Test test, ColumnKind kind, const Value &value, const Constant &constant)
{
	bool equal;
	bool less;

	if (kind == ColumnKind::code)
	{
		equal = value.text == constant.text;
		less = false;
	}
	else if (kind == ColumnKind::real)
	{
		// As PostgreSQL: NaN is one value, above all others
		bool left_nan = value.real != value.real;
		bool right_nan = constant.real != constant.real;
		equal = (left_nan && right_nan) || value.real == constant.real;
		less = (!left_nan && right_nan) || value.real < constant.real;
	}
	else
	{
		equal = value.integer == constant.integer;
		less = value.integer < constant.integer;
	}
	switch (test)
	{
	case Test::equal:
		return equal;
	case Test::unequal:
		return !equal;
	case Test::less:
		return less;
	case Test::less_equal:
		return less || equal;
	case Test::greater:
		return !less && !equal;
	default:
		return !less;
	}
}

// Evaluate a criterion over one row, nothing standing for unknown
inline std::optional<bool>
naive_truth(const PredicateTree &tree, std::span<const ColumnKind> kinds, const std::vector<Value> &row)
{
	switch (tree.test)
	{
	case Test::always:
		return true;
	case Test::never:
		return false;
	case Test::negation:
	{
		std::optional<bool> truth = naive_truth(*tree.operands[0], kinds, row);
		return truth.has_value() ? std::optional<bool>(!*truth) : std::nullopt;
	}
	case Test::all_of:
	case Test::any_of:
	{
		size_t yes = 0;
		size_t no = 0;
		for (const PredicateTree *operand : tree.operands)
		{
			std::optional<bool> truth = naive_truth(*operand, kinds, row);
			yes += truth == true;
			no += truth == false;
		}
		if (tree.test == Test::all_of)
		{
			return no > 0                         ? std::optional<bool>(false)
				   : yes == tree.operands.size() ? std::optional<bool>(true)
												  : std::nullopt;
		}
		return yes > 0                       ? std::optional<bool>(true)
			   : no == tree.operands.size() ? std::optional<bool>(false)
											 : std::nullopt;
	}
	default:
		break;
	}
	const Value &value = row[tree.column];
	if (tree.test == Test::is_null || tree.test == Test::is_not_null)
	{
		return value.null == (tree.test == Test::is_null);
	}
	if (value.null)
	{
		return std::nullopt;
	}
	if (tree.test == Test::is_true)
	{
		return value.integer != 0;
	}
	for (const Constant &constant : tree.values)
	{
		if (naive_comparison(tree.test == Test::one_of ? Test::equal : tree.test, kinds[tree.column], value,
							 constant))
		{
			return true;
		}
	}
	return false;
}

// A batch with its memory
class BatchBuffer
{
public:
	explicit BatchBuffer(std::vector<ColumnKind> kinds)
		: kinds_(std::move(kinds)), keys_(batch_rows), times_(batch_rows), cells_(kinds_.size() * batch_rows),
		  nulls_(new bool[kinds_.size() * batch_rows + 1]())
	{
	}

	// Put a row in place; texts get their codes from find_code(column, text)
	template <typename FindCode>
	void
	put(size_t row, const Key &key, int64_t time, const std::vector<Value> &values, FindCode find_code)
	{
		keys_[row] = key;
		times_[row] = time;
		for (size_t column = 0; column < kinds_.size(); column++)
		{
			// What lies behind a NULL must not matter
			Cell cell{.integer = 0x5555555555555555};
			if (!values[column].null && kinds_[column] == ColumnKind::code)
			{
				cell.integer = find_code(column, values[column].text);
			}
			else if (!values[column].null && kinds_[column] == ColumnKind::real)
			{
				cell.real = values[column].real;
			}
			else if (!values[column].null)
			{
				cell.integer = values[column].integer;
			}
			cells_[column * batch_rows + row] = cell;
			nulls_[column * batch_rows + row] = values[column].null;
		}
	}

	// Mark a row as one that others of this mark may repeat; without a mark it repeats none
	void
	mark(size_t row, std::string_view text)
	{
		marks_.resize(batch_rows);
		marks_[row] = text;
	}

	// Say whether a row was there before the transaction; then of all rows
	void
	stand(size_t row, bool standing)
	{
		if (standing_ == nullptr)
		{
			standing_ = std::make_unique<bool[]>(batch_rows);
		}
		standing_[row] = standing;
	}

	Batch
	batch(size_t rows)
	{
		return {rows,          keys_.data(), times_.data(),
				cells_.data(), nulls_.get(), marks_.empty() ? nullptr : marks_.data(),
				standing_.get()};
	}

	const std::vector<ColumnKind> &
	kinds() const
	{
		return kinds_;
	}

private:
	std::vector<ColumnKind> kinds_;
	std::vector<Key> keys_;
	std::vector<int64_t> times_;
	std::vector<Cell> cells_;
	std::unique_ptr<bool[]> nulls_;
	std::vector<std::string_view> marks_;
	std::unique_ptr<bool[]> standing_;
};

} // namespace lead_scoring::core::test
