// The evaluation of one score over streams of rows.
//
// First resets are given, then every source is streamed through add_rows, then adjustments; then the records themselves go
// through finish_records, which gives each its score. Memory is one state for each record that has rows in a source, in no
// order; records without any cost nothing. Two scorers that have seen different rows can be merged (transfer.hpp).
#pragma once

#include "core/finish.hpp"
#include "core/integer_index.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <variant>

namespace lead_scoring::core
{

class Scorer
{
public:
	Scorer(const Definition &definition, int64_t as_of, EvaluationNeeds needs, Poll cancelled);

	// Forget all rows, to begin anew with other records. Keeps memory only if it is little; takes less than a microsecond
	// after a few records
	void clear();

	// Forget all rows, and the cuts of relative bands, to begin anew as of another instant: from now on this is what a new
	// scorer as of that instant would be. Raises, and forgets nothing, unless the instant lies in program().valid
	void move_to(int64_t as_of);

	// Note from when on the events of records exist; times holds the instants
	void add_resets(const Batch &rows);

	// Note the instants that records are evaluated as of, where each has its own: before anything else. Rows of records
	// that have none are left out
	void add_instants(const Batch &rows);

	// Add rows of a source
	void add_rows(size_t source, const Batch &rows);

	// Add manual points; the first column holds them. For `due`, times says when they will begin or cease to count, of
	// both the next, infinitely_late for never; those that are yet to begin are given as 0 points. Null if nobody asks
	void add_adjustments(const Batch &rows);

	// Score a batch of records into results[batch_rows]
	void finish_records(const Batch &records, ScoreResult *results);

	// Score one row of a batch of records and give account of it; needs detail
	ScoreResult explain_record(const Batch &records, size_t row, Account &account);

	// Read the features of a batch of records, as FeatureReader does, into values[batch_rows][features]; whether a record
	// is in scope goes to in_scope[batch_rows]. For definitions whose rules are features
	void read_features(const Batch &records, std::span<double> values, bool *in_scope);

	// Return the categories of a feature, in the order of their numbers
	const std::vector<std::string> &
	categories(size_t feature) noexcept
	{
		return finisher_.features().categories(feature);
	}

	// Give the row of the batch at hand that is being looked at, for errors
	size_t
	row_at_hand() const noexcept
	{
		return row_at_hand_;
	}

	// Return how much memory the rows seen so far take, and another batch may take at its height
	size_t memory() const noexcept;

	const Program &
	program() const noexcept
	{
		return program_;
	}

	BandTable &
	bands() noexcept
	{
		return program_.bands;
	}

private:
	friend class Transfer;

	using Index = std::variant<IntegerIndex, KeyIndex<UuidKeys>, KeyIndex<TextKeys>>;

	// The row of a cleaned source that was kept last
	struct LastKept
	{
		bool any = false;
		size_t source = 0;
		uint32_t record = no_record;
		std::string mark = {};
		int64_t time = 0;
	};

	Index make_index() const;
	void locate(const Batch &rows);
	void find(const Batch &records);
	void require_unique(const Batch &records);
	std::byte *state_of(size_t row) noexcept;
	void add_noting(const SourceProgram &source, const Batch &rows);
	template <bool due>
	void add_row(const SourceProgram &source, const Batch &rows, size_t row);
	void note_later(const SourceProgram &source, const Batch &rows, size_t row, std::byte *state, int64_t time);
	bool fades_for_all(const RowRule &rule, const Fade &fade, double worth, int64_t time) const noexcept;
	void note_change(const RowRule &rule, const Batch &rows, size_t row, std::byte *state, int64_t time, uint64_t fades);
	void note_due(uint32_t slot, std::byte *state, int64_t instant) const noexcept;
	bool is_duplicate(const SourceProgram &source, const Batch &rows, size_t row, int64_t time);
	bool move_time(std::byte *state, int64_t *time) const noexcept;
	template <bool due>
	void add_later(const SourceProgram &source, const Batch &rows, size_t row, int64_t time);
	void measure(const RowRule &rule, const Batch &rows, size_t row, std::byte *state, int64_t time);
	void log_value(const RowRule &rule, std::byte *state, int64_t time, double value);
	void log_missing(const RowRule &rule, std::byte *state, int64_t time);
	void look_ahead(const SourceProgram &source, const Batch &rows, size_t row, std::byte *state, int64_t time);
	void pay(const RowRule &rule, const Batch &rows, size_t row, std::byte *state, int64_t time);
	void pay_each(const RowRule &rule, std::byte *state, int64_t time, double value);
	void collect_value(const RowRule &rule, std::byte *state, double value);
	void log_match(const RowRule &rule, const Batch &rows, size_t row, std::byte *state, const Match &match);
	double boost(const SourceProgram &source, const Batch &rows, size_t row, int64_t time) const noexcept;
	double factor(uint32_t decay, int64_t time) noexcept;

	Program program_;
	StateTable states_;
	MatchLog log_;
	Finisher finisher_;
	KeyKind key_kind_;
	Poll cancelled_;
	Index index_;
	bool unique_keys_;
	Index finished_;                    // records already given, where the relation may repeat a key
	LastKept last_kept_;
	uint32_t numbers_[batch_rows];      // of the records that the batch at hand speaks of
	std::vector<double> factors_;       // of the row at hand, by decay
	std::vector<uint64_t> factor_rows_; // the row that each of them was computed for
	uint64_t row_count_ = 0;            // rows seen
	size_t row_at_hand_ = 0;
	double boost_ = 1;                  // what the points of the row at hand are multiplied by
};

} // namespace lead_scoring::core
