// Facts about records, and a scorer that is fed with them: all at once, in any order and any batches, or only what it
// says that it needs.
#pragma once

#include "core/scorer.hpp"

#include "model.hpp"
#include "support.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lead_scoring::core::test
{

inline constexpr int64_t as_of = 9527 * day_us; // 2026-01-31 as PostgreSQL counts

// A row of a source; for adjustments the one value is the points, which count from its time on
struct Row
{
	uint32_t record;
	int64_t time = as_of;
	std::vector<Value> values = {};
	std::optional<std::string> mark = {}; // in a cleaned source, what it may repeat
	int64_t until = infinitely_late;      // of adjustments, the first instant at which they no longer count
	std::optional<bool> standing = {};    // whether it was there before the transaction; of all rows or of none
};

struct Record
{
	uint32_t number;
	std::vector<Value> values = {};
};

// Everything that a score is computed from
struct Facts
{
	std::vector<std::vector<Row>> rows; // by source
	std::vector<Row> adjustments;
	std::vector<Record> records;
	std::vector<Row> resets = {};
};

// The keys of records, of any kind, with the memory of texts
class Keys
{
public:
	Keys(KeyKind kind, size_t records);

	Key key(uint32_t record) const;

private:
	KeyKind kind_;
	std::vector<std::string> texts_;
};

// Hand items over in batches of sizes that a function chooses
template <typename Item, typename Size, typename Give>
void
in_batches(const std::vector<Item> &items, Size size, Give give)
{
	for (size_t first = 0; first < items.size();)
	{
		size_t count = std::min(size(), items.size() - first);
		give(first, count);
		first += count;
	}
}

inline size_t
full_batches()
{
	return batch_rows;
}

// A scorer and its facts
class Fed
{
public:
	Fed(const Model &model, const Facts &facts, EvaluationNeeds needs, int64_t instant = as_of,
		Poll cancelled = nullptr);

	// Add all rows as they come, in full batches
	void feed();

	// Add all rows in a random order, in batches of random sizes that alternate between the sources
	void feed(Random &random);

	// Add only the rows of which the program says that it needs them, and of those only the columns that it needs
	void feed_needed(Random &random);

	// Score all records, in batches of sizes that a function chooses; results are in the order of the records
	template <typename Size>
	std::vector<ScoreResult>
	finish(Size size)
	{
		std::vector<ScoreResult> results;

		in_batches(facts_.records, size, [&](size_t first, size_t count) { finish_batch(first, count, results); });
		return results;
	}

	std::vector<ScoreResult>
	finish()
	{
		return finish(full_batches);
	}

	// Begin anew as of another instant
	void
	move_to(int64_t instant)
	{
		scorer_->move_to(instant);
	}

	// Explain a record, in the middle of a batch of others
	ScoreResult explain(size_t record, Account &account);

	// Return how many rows the last call of feed_needed left out
	size_t
	left_out() const
	{
		return left_out_;
	}

	Scorer &
	scorer()
	{
		return *scorer_;
	}

	const Keys &
	keys() const
	{
		return keys_;
	}

private:
	void give_resets();
	void give_rows(size_t source, const std::vector<Row> &rows, size_t first, size_t count);
	void give_adjustments(const std::vector<Row> &rows, size_t first, size_t count);
	void give(size_t stream, const std::vector<Row> &rows, size_t first, size_t count);
	void blank(size_t source, Batch &batch, Random &random);
	void finish_batch(size_t first, size_t count, std::vector<ScoreResult> &results);
	BatchBuffer record_buffer(size_t first, size_t count) const;

	const Model &model_;
	const Facts &facts_;
	Keys keys_;
	std::unique_ptr<Scorer> scorer_;
	size_t left_out_ = 0;
};

// Order rows as a cleaned source gives them: by record, mark and time, then by all that is read of them
bool cleaned_before(const Row &left, const Row &right);

std::string_view text_of(const Scorer &scorer, uint16_t label);

bool same_bits(const ScoreResult &left, const ScoreResult &right);

// Score record 0 with these rows in the first source: with and without detail, all rows or only those needed, which must
// make no difference
ScoreResult score_of(const Model &model, std::vector<Row> rows, std::vector<Value> record = {},
					 int64_t instant = as_of);

// Explain record 0 with these rows in the first source
Account account_of(const Model &model, std::vector<Row> rows, std::vector<Value> record = {}, int64_t instant = as_of);

// Events of record 0 of these ages
std::vector<Row> events_aged(const std::vector<int64_t> &ages_us);

// Events of record 0 as of now, so many of each type
std::vector<Row> events_of(const std::vector<std::pair<std::string, size_t>> &types);

// Events of record 0 with these ages and values
std::vector<Row> events_worth(const std::vector<std::pair<int64_t, Value>> &ages_and_values);

} // namespace lead_scoring::core::test
