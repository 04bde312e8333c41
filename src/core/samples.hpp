// What a model is trained on, as it is collected: records as they were known at a snapshot, with what came of them.
//
// Which of them take part is what keeps the future out: a record that had converted by the snapshot, was not there yet, or has been
// observed for less than the horizon, is left out.
#pragma once

#include "core/batch.hpp"
#include "core/dataset.hpp"
#include "core/definition.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace lead_scoring::core
{

// How records become samples; columns are those of the record
struct SampleRules
{
	KeyKind key_kind = KeyKind::integer;
	bool instant_outcome = false;      // the outcome is when it converted, else whether it did
	int32_t outcome_column = no_column;
	int32_t instant_column = no_column;  // the record's own snapshot
	int32_t observed_column = no_column; // since when there is something to be known of it
	int32_t fold_column = no_column;
	int64_t horizon_us = 0;
	int64_t as_of = 0;                 // of the training: what is known
	uint32_t folds = 5;
	uint64_t seed = 1;
	size_t most_rows = SIZE_MAX;       // of which more are sampled
	bool keeps_keys = false;
};

// What is known of a sample besides its features
struct Sample
{
	int64_t snapshot;
	uint64_t lot; // decides about sampling, and about the fold
};

class SampleCollector
{
public:
	SampleCollector(const SampleRules &rules, size_t features);

	// Add the records of a batch that take part as of a snapshot; values[batch_rows][features]
	void add(const Batch &records, std::span<const double> values, const bool *in_scope, int64_t snapshot);

	// How many samples there would be without sampling
	uint64_t
	seen() const noexcept
	{
		return seen_;
	}

	uint64_t
	seen_converted() const noexcept
	{
		return seen_converted_;
	}

	Dataset data;
	std::vector<Sample> samples;    // by row of the data
	std::vector<std::string> keys;  // the same, if they are kept

private:
	bool outcome_of(const Batch &records, size_t row, int64_t snapshot, bool *converted) const noexcept;
	void add_row(const Batch &records, size_t row, const double *values, const Sample &sample, bool converted);
	void thin_out();

	SampleRules rules_;
	uint64_t seen_ = 0;
	uint64_t seen_converted_ = 0;
	uint64_t kept_lots_ = UINT64_MAX; // samples of higher lots are left out
};

// Write a key as the text that it is given by
std::string key_text(KeyKind kind, const Key &key);

} // namespace lead_scoring::core
