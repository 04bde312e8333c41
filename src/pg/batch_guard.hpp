// The guard for work of the core over a batch: its errors name the record that they are about.
#pragma once

#include "pg/postgres_api.hpp"

#include "core/scorer.hpp"
#include "pg/guard.hpp"
#include "pg/stream.hpp"

namespace lead_scoring::pg
{

// A batch at work, for errors
struct BatchAtWork
{
	const core::Scorer *scorer;
	const core::Batch *batch;
	core::KeyKind key_kind;
};

// Tell in an error which record the core was looking at
inline void
describe_row(void *argument)
{
	auto *work = static_cast<const BatchAtWork *>(argument);

	errcontext("record \"%s\"", key_string(work->key_kind, work->batch->keys[work->scorer->row_at_hand()]));
}

// Run work of a scorer over a batch
template <typename Work>
void
guarded_batch(const core::Scorer *scorer, core::KeyKind key_kind, const core::Batch &batch, Work work)
{
	BatchAtWork at_work{scorer, &batch, key_kind};
	ErrorContextCallback callback{error_context_stack, describe_row, &at_work};

	error_context_stack = &callback;
	guarded(work);
	error_context_stack = callback.previous;
}

} // namespace lead_scoring::pg
