// The evaluation of one score over streams of rows.
//
// First every source is streamed through add_rows, in any order; then the records themselves through finish_records,
// which gives each its score. Memory is one state for each record that has rows in a source, in no order; records
// without any cost nothing.
#pragma once

#include "core/finish.hpp"
#include "core/key_index.hpp"

#include <cstdint>
#include <span>
#include <variant>

namespace lead_scoring::core
{

class Scorer
{
public:
	Scorer(const Definition &definition, int64_t as_of, bool detail);

	// Add rows of a source
	void add_rows(size_t source, const Batch &rows);

	// Add manual points; the first column holds them
	void add_adjustments(const Batch &rows);

	// Score a batch of records into results[batch_rows]
	void finish_records(const Batch &records, ScoreResult *results);

	// Score one row of a batch of records and give account of it; needs detail
	ScoreResult explain_record(const Batch &records, size_t row, Account &account);

	// Give the code of a text in a column of a source, or of the record
	uint32_t
	text_code(int32_t source, size_t column, std::string_view text) const noexcept
	{
		const std::vector<CodeBook> &books =
			source == record_itself ? program_.record_books : program_.sources[static_cast<size_t>(source)].books;
		return books[column].find(text);
	}

	const Program &
	program() const noexcept
	{
		return program_;
	}

private:
	using Index = std::variant<KeyIndex<IntegerKeys>, KeyIndex<UuidKeys>, KeyIndex<TextKeys>>;

	static Index make_index(KeyKind kind);
	void locate(const Batch &rows);
	void find(const Batch &records);
	void require_unique(const Batch &records);
	std::byte *state_of(size_t row) noexcept;
	void add_row(const SourceProgram &source, const Batch &rows, size_t row) noexcept;
	std::span<const uint32_t> rules_for(const SourceProgram &source, const Batch &rows,
										size_t row) const noexcept;
	void pay(const RowRule &rule, std::byte *state, int64_t time) noexcept;
	double factor(uint32_t decay, int64_t time) noexcept;

	Program program_;
	StateTable states_;
	Finisher finisher_;
	Index index_;
	bool unique_keys_;
	Index finished_;                   // records already given, where the relation may repeat a key
	uint32_t numbers_[batch_rows];     // of the records that the batch at hand speaks of
	std::vector<double> factors_;      // of the row at hand, by decay
	std::vector<uint64_t> factor_rows_; // the row that each of them was computed for
	uint64_t row_count_ = 0;           // rows seen
};

} // namespace lead_scoring::core
