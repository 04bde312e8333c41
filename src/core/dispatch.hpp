// Which rules a row concerns: found by the column that most of them test for equality (the type of an event), so that a
// row costs the rules of its own type and those without a type, not all of them.
#pragma once

#include "core/batch.hpp"
#include "core/code_book.hpp"
#include "core/predicate.hpp"

#include <cstdint>
#include <map>
#include <span>
#include <vector>

namespace lead_scoring::core
{

class Dispatch
{
public:
	// Prepare for the criteria of rules; criteria keeps, by rule, what is still to be tested once a row has been
	// dispatched. Texts get their codes from the books of their columns
	Dispatch(std::span<const PredicateTree *const> rules, std::span<const ColumnKind> kinds, std::span<CodeBook> books,
			 std::vector<std::vector<Predicate>> &criteria);

	// Return the rules that a row may concern, in the order of their definition
	std::span<const uint32_t>
	rules_for(const Batch &rows, size_t row) const noexcept
	{
		return entries_of(code(rows, row));
	}

	// Return the column that decides, or no_dispatch
	uint32_t
	column() const noexcept
	{
		return column_;
	}

	// Return how many codes there are
	size_t
	codes() const noexcept
	{
		return first_entry_.size() - 1;
	}

	// Return the rules that rows of a code may concern
	std::span<const uint32_t>
	entries_of(uint32_t code) const noexcept
	{
		return {entries_.data() + first_entry_[code], first_entry_[code + 1] - first_entry_[code]};
	}

	// Return the code by which a row is dispatched
	uint32_t
	code(const Batch &rows, size_t row) const noexcept
	{
		if (column_ == no_dispatch || rows.is_null(column_, row))
		{
			return 0;
		}
		int64_t value = rows.cell(column_, row).integer;
		return kind_ == ColumnKind::code
				   ? static_cast<uint32_t>(value)
				   : book_.find({reinterpret_cast<const char *>(&value), sizeof value});
	}

	static constexpr uint32_t no_dispatch = UINT32_MAX;

private:
	uint32_t code_of(const Constant &value, std::span<CodeBook> books);
	void fill(std::map<uint32_t, std::vector<uint32_t>> &by_code, const std::vector<uint32_t> &always,
			  std::span<CodeBook> books);

	uint32_t column_ = no_dispatch;
	ColumnKind kind_ = ColumnKind::code;
	CodeBook book_;                     // of integers, where the deciding column is one
	std::vector<uint32_t> first_entry_; // by code, one more than there are codes
	std::vector<uint32_t> entries_;     // rules, in the order of their definition
};

} // namespace lead_scoring::core
