// How good scores and predictions are, as aggregates: auc and average_precision, log_loss and brier.
//
// The first two need all scores: their common state is an expanded object. The state of the others is flat and small.
// Both are bytea to PostgreSQL, so that they can go to and come from any process.
#include "pg/postgres_api.hpp"

#include "core/mean_loss.hpp"
#include "core/metrics.hpp"
#include "pg/expanded_state.hpp"
#include "pg/guard.hpp"

#include <cmath>
#include <type_traits>

using lead_scoring::core::MeanLoss;
using lead_scoring::core::ScoredOutcomes;

namespace lead_scoring::pg
{

namespace
{

struct ScoredFormat
{
	using Object = ScoredOutcomes;
	static constexpr const char *name = "auc";

	static size_t
	flat_size(const ScoredOutcomes &scored)
	{
		return scored.flat_size();
	}

	static void
	write_flat(const ScoredOutcomes &scored, std::byte *bytes)
	{
		scored.write_flat(bytes);
	}

	static ScoredOutcomes
	read_flat(std::span<const std::byte> bytes)
	{
		return ScoredOutcomes::read_flat(bytes);
	}
};

using ScoredState = ExpandedState<ScoredFormat>;

// The state of log_loss and brier, as it is stored; always 8-byte aligned here, which a bytea elsewhere need not be
struct LossState
{
	char length_word[VARHDRSZ];
	uint32 version;
	MeanLoss loss;
};

constexpr uint32 loss_version = 1;

static_assert(std::is_trivially_copyable_v<LossState> && std::is_standard_layout_v<LossState>);
static_assert(sizeof(LossState) == 560, "the layout of the state of log_loss and brier is 560 bytes");

LossState *
make_loss_state()
{
	auto *state = static_cast<LossState *>(palloc0(sizeof(LossState)));

	SET_VARSIZE(state, sizeof(LossState));
	state->version = loss_version;
	return state;
}

// Copy a state that may have come from anywhere
LossState *
read_loss_state(Datum datum)
{
	struct varlena *flat = PG_DETOAST_DATUM(datum);
	auto *state = static_cast<LossState *>(palloc0(sizeof(LossState)));

	if (VARSIZE(flat) == sizeof(LossState))
	{
		memcpy(static_cast<void *>(state), flat, sizeof(LossState));
	}
	if (state->version != loss_version)
	{
		ereport(ERROR, (errcode(ERRCODE_INVALID_TEXT_REPRESENTATION), errmsg("invalid state of log_loss or brier"),
						errhint("It is made by these aggregates themselves.")));
	}
	const MeanLoss *loss = &state->loss;
	guarded([loss]() { core::require_valid_mean_loss(*loss); });
	return state;
}

// Return the first argument as a state that may be changed: the one at hand within an aggregate, else a copy
LossState *
own_loss_state(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(0))
	{
		return make_loss_state();
	}
	auto *state = reinterpret_cast<LossState *>(DatumGetPointer(PG_GETARG_DATUM(0)));
	// PostgreSQL keeps the state of an aggregate in memory of its own, aligned for anything
	if (AggCheckCallContext(fcinfo, nullptr) && VARATT_IS_4B_U(state) && VARSIZE(state) == sizeof(LossState) &&
		state->version == loss_version)
	{
		return state;
	}
	return read_loss_state(PG_GETARG_DATUM(0));
}

Datum
add_loss(FunctionCallInfo fcinfo, double (*loss_of)(double, bool))
{
	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
	{
		return unchanged_state(fcinfo);
	}
	double probability = PG_GETARG_FLOAT8(1);
	bool outcome = PG_GETARG_BOOL(2);
	LossState *state = own_loss_state(fcinfo);
	MeanLoss *loss = &state->loss;
	guarded([loss, loss_of, probability, outcome]() { loss->add(loss_of(probability, outcome)); });
	PG_RETURN_POINTER(state);
}

// Warn, once for a call in a query, that there is no result
void
warn_undefined(FunctionCallInfo fcinfo, const char *aggregate, const ScoredOutcomes *scored)
{
	if (fcinfo->flinfo->fn_extra == nullptr)
	{
		fcinfo->flinfo->fn_extra = fcinfo->flinfo; // anything that is not NULL
		ereport(WARNING, (errmsg("%s is undefined: %s of the " INT64_FORMAT " outcomes %s true", aggregate,
								 scored->converted() == 0 ? "none" : "all", scored->records(),
								 scored->converted() == 0 ? "is" : "are"),
						  errhint("It needs records that converted%s.",
								  strcmp(aggregate, "auc") == 0 ? " and records that did not" : "")));
	}
}

// Rank the scores of a state and measure them; a number that is not defined is NULL
Datum
measure(FunctionCallInfo fcinfo, const char *aggregate, double (*measure_of)(const ScoredOutcomes &))
{
	ScoredOutcomes *scored = ScoredState::view(PG_GETARG_DATUM(0));
	// The order is no part of the value, and the next who asks need not sort again
	double result = guarded(
		[scored, measure_of]()
		{
			scored->sort(stop_wanted);
			return measure_of(*scored);
		});

	if (std::isnan(result))
	{
		warn_undefined(fcinfo, aggregate, scored);
		PG_RETURN_NULL();
	}
	PG_RETURN_FLOAT8(result);
}

} // namespace

} // namespace lead_scoring::pg

using namespace lead_scoring::pg;

LEAD_SCORING_FUNCTION(lead_scoring_auc_trans);
LEAD_SCORING_FUNCTION(lead_scoring_auc_combine);
LEAD_SCORING_FUNCTION(lead_scoring_auc_final);
LEAD_SCORING_FUNCTION(lead_scoring_average_precision_final);
LEAD_SCORING_FUNCTION(lead_scoring_log_loss_trans);
LEAD_SCORING_FUNCTION(lead_scoring_brier_trans);
LEAD_SCORING_FUNCTION(lead_scoring_mean_loss_combine);
LEAD_SCORING_FUNCTION(lead_scoring_mean_loss_final);

// Add a record; one with a NULL does not count
Datum
lead_scoring_auc_trans(PG_FUNCTION_ARGS)
{
	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
	{
		return unchanged_state(fcinfo);
	}
	double score = PG_GETARG_FLOAT8(1);
	bool outcome = PG_GETARG_BOOL(2);
	MemoryContext context = aggregate_context(fcinfo);
	ScoredState *state = PG_ARGISNULL(0) ? ScoredState::make(context) : ScoredState::own(context, PG_GETARG_DATUM(0));
	ScoredOutcomes *scored = state->object();
	guarded([scored, score, outcome]() { scored->add(score, outcome); });
	return state->datum();
}

// Merge two states
Datum
lead_scoring_auc_combine(PG_FUNCTION_ARGS)
{
	if (PG_ARGISNULL(1))
	{
		return unchanged_state(fcinfo);
	}
	MemoryContext context = aggregate_context(fcinfo);
	ScoredState *state = PG_ARGISNULL(0) ? ScoredState::make(context) : ScoredState::own(context, PG_GETARG_DATUM(0));
	ScoredOutcomes *scored = state->object();
	const ScoredOutcomes *other = ScoredState::view(PG_GETARG_DATUM(1));
	guarded([scored, other]() { scored->add(*other); });
	return state->datum();
}

// Return the area under the ROC curve
Datum
lead_scoring_auc_final(PG_FUNCTION_ARGS)
{
	return measure(fcinfo, "auc", lead_scoring::core::auc);
}

// Return the average precision
Datum
lead_scoring_average_precision_final(PG_FUNCTION_ARGS)
{
	return measure(fcinfo, "average_precision", lead_scoring::core::average_precision);
}

// Add the logarithmic loss of a prediction; one with a NULL does not count
Datum
lead_scoring_log_loss_trans(PG_FUNCTION_ARGS)
{
	return add_loss(fcinfo, lead_scoring::core::log_loss_of);
}

// Add the squared error of a prediction; one with a NULL does not count
Datum
lead_scoring_brier_trans(PG_FUNCTION_ARGS)
{
	return add_loss(fcinfo, lead_scoring::core::brier_of);
}

// Merge two states
Datum
lead_scoring_mean_loss_combine(PG_FUNCTION_ARGS)
{
	if (PG_ARGISNULL(1))
	{
		return unchanged_state(fcinfo);
	}
	const LossState *other = read_loss_state(PG_GETARG_DATUM(1));
	if (PG_ARGISNULL(0))
	{
		PG_RETURN_POINTER(other);
	}
	LossState *state = own_loss_state(fcinfo);
	MeanLoss *loss = &state->loss;
	const MeanLoss *added = &other->loss;
	guarded([loss, added]() { loss->add(*added); });
	PG_RETURN_POINTER(state);
}

// Return the mean
Datum
lead_scoring_mean_loss_final(PG_FUNCTION_ARGS)
{
	const LossState *state = read_loss_state(PG_GETARG_DATUM(0));

	PG_RETURN_FLOAT8(state->loss.mean());
}
