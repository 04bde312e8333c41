// Cut-offs between tiers: the aggregate tier_cutoffs and tier_for.
//
// The state is the type tier_sample, kept taken apart while an aggregate runs.
#include "pg/postgres_api.hpp"

#include "core/tier_sample.hpp"
#include "pg/expanded_state.hpp"
#include "pg/guard.hpp"
#include "pg/owned.hpp"
#include "pg/row_set.hpp"

extern "C"
{
#include "libpq/pqformat.h"
}

using lead_scoring::core::TierSample;

namespace lead_scoring::pg
{

namespace
{

// Bytes that the core has made, for the moment
struct Bytes
{
	std::string text;
};

struct SampleFormat
{
	using Object = TierSample;
	static constexpr const char *name = "tier_sample";

	static size_t
	flat_size(const TierSample &sample)
	{
		Size size = sizeof(core::TierSampleHead);

		for (const std::vector<double> &level : sample.levels)
		{
			size += sizeof(uint64) + level.size() * sizeof(double);
		}
		if (!AllocSizeIsValid(size + VARHDRSZ))
		{
			ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("too many scores for exact cut-offs"),
							errhint("Ask for an accuracy: tier_cutoffs(score, n, 0.001).")));
		}
		return size;
	}

	static void
	write_flat(const TierSample &sample, std::byte *bytes)
	{
		std::string text = core::tier_sample_bytes(sample);
		memcpy(bytes, text.data(), text.size());
	}

	static TierSample
	read_flat(std::span<const std::byte> bytes)
	{
		return core::parse_tier_sample_bytes(bytes);
	}
};

using SampleState = ExpandedState<SampleFormat>;

Datum
add_to_sample(FunctionCallInfo fcinfo, double accuracy)
{
	if (PG_ARGISNULL(1))
	{
		return unchanged_state(fcinfo);
	}
	if (PG_ARGISNULL(2))
	{
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("number of tiers must not be NULL"),
						errhint("Write tier_cutoffs(score, 4) for quartiles.")));
	}
	double score = PG_GETARG_FLOAT8(1);
	int32 tiers = PG_GETARG_INT32(2);
	MemoryContext context = aggregate_context(fcinfo);
	bool is_first = PG_ARGISNULL(0);
	SampleState *state = is_first ? SampleState::make(context) : SampleState::own(context, PG_GETARG_DATUM(0));
	TierSample *sample = state->object();
	if (is_first)
	{
		guarded([sample, tiers, accuracy]() { *sample = core::make_tier_sample(tiers, accuracy); });
	}
	guarded(
		[sample, score, tiers, accuracy]()
		{
			if (sample->head.tiers != tiers || sample->head.capacity != core::sample_capacity(accuracy))
			{
				throw core::ScoringError(core::Fault::invalid_parameter,
										 "number of tiers and accuracy must not vary between rows",
										 "Give the same for all rows.");
			}
			core::add_score(*sample, score);
		});
	return state->datum();
}

} // namespace

} // namespace lead_scoring::pg

using namespace lead_scoring::pg;

LEAD_SCORING_FUNCTION(lead_scoring_tier_sample_in);
LEAD_SCORING_FUNCTION(lead_scoring_tier_sample_out);
LEAD_SCORING_FUNCTION(lead_scoring_tier_sample_recv);
LEAD_SCORING_FUNCTION(lead_scoring_tier_sample_send);
LEAD_SCORING_FUNCTION(lead_scoring_tier_cutoffs_trans);
LEAD_SCORING_FUNCTION(lead_scoring_tier_cutoffs_accuracy_trans);
LEAD_SCORING_FUNCTION(lead_scoring_tier_cutoffs_combine);
LEAD_SCORING_FUNCTION(lead_scoring_tier_cutoffs_final);
LEAD_SCORING_FUNCTION(lead_scoring_tier_for);

// Read a sample from its text
Datum
lead_scoring_tier_sample_in(PG_FUNCTION_ARGS)
{
	const char *text = PG_GETARG_CSTRING(0);
	SampleState *state = SampleState::make(CurrentMemoryContext);
	TierSample *sample = state->object();

	guarded([sample, text]() { *sample = lead_scoring::core::parse_tier_sample(text); });
	PG_RETURN_POINTER(state->flatten());
}

// Write a sample as its text
Datum
lead_scoring_tier_sample_out(PG_FUNCTION_ARGS)
{
	const TierSample *sample = SampleState::view(PG_GETARG_DATUM(0));
	Bytes *bytes = make_owned<Bytes>(CurrentMemoryContext);

	guarded([sample, bytes]() { bytes->text = lead_scoring::core::tier_sample_text(*sample); });
	PG_RETURN_CSTRING(pnstrdup(bytes->text.data(), bytes->text.size()));
}

// Read a sample from its binary form, trusting nothing
Datum
lead_scoring_tier_sample_recv(PG_FUNCTION_ARGS)
{
	auto *buffer = reinterpret_cast<StringInfo>(PG_GETARG_POINTER(0));
	int length = buffer->len - buffer->cursor;
	auto *flat = static_cast<struct varlena *>(palloc(VARHDRSZ + static_cast<Size>(length)));

	SET_VARSIZE(flat, VARHDRSZ + length);
	pq_copymsgbytes(buffer, VARDATA(flat), length);
	SampleState::view(PointerGetDatum(flat));
	PG_RETURN_POINTER(flat);
}

// Write a sample in its binary form, which is the stored one
Datum
lead_scoring_tier_sample_send(PG_FUNCTION_ARGS)
{
	struct varlena *flat = PG_DETOAST_DATUM(PG_GETARG_DATUM(0));
	StringInfoData buffer;

	pq_begintypsend(&buffer);
	pq_sendbytes(&buffer, VARDATA(flat), static_cast<int>(VARSIZE(flat) - VARHDRSZ));
	PG_RETURN_BYTEA_P(pq_endtypsend(&buffer));
}

// Add a score, keeping all
Datum
lead_scoring_tier_cutoffs_trans(PG_FUNCTION_ARGS)
{
	return add_to_sample(fcinfo, 0);
}

// Add a score, keeping a sample
Datum
lead_scoring_tier_cutoffs_accuracy_trans(PG_FUNCTION_ARGS)
{
	if (PG_ARGISNULL(3))
	{
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("accuracy must not be NULL"),
						errhint("Give the error of rank that is allowed, such as 0.001, or leave it out for exact.")));
	}
	return add_to_sample(fcinfo, PG_GETARG_FLOAT8(3));
}

// Merge two samples
Datum
lead_scoring_tier_cutoffs_combine(PG_FUNCTION_ARGS)
{
	if (PG_ARGISNULL(1))
	{
		return unchanged_state(fcinfo);
	}
	MemoryContext context = aggregate_context(fcinfo);
	const TierSample *other = SampleState::view(PG_GETARG_DATUM(1));
	bool is_first = PG_ARGISNULL(0);
	SampleState *state = is_first ? SampleState::make(context) : SampleState::own(context, PG_GETARG_DATUM(0));
	TierSample *sample = state->object();
	guarded(
		[sample, other, is_first]()
		{
			if (is_first)
			{
				*sample = *other;
			}
			else
			{
				lead_scoring::core::add_sample(*sample, *other);
			}
		});
	return state->datum();
}

// Return the lowest score of each tier but the last
Datum
lead_scoring_tier_cutoffs_final(PG_FUNCTION_ARGS)
{
	if (PG_ARGISNULL(0))
	{
		PG_RETURN_NULL();
	}
	const TierSample *sample = SampleState::view(PG_GETARG_DATUM(0));
	auto *cutoffs = make_owned<std::vector<double>>(CurrentMemoryContext);
	guarded([sample, cutoffs]() { *cutoffs = lead_scoring::core::find_cutoffs(*sample); });
	auto *datums = static_cast<Datum *>(palloc(sizeof(Datum) * Max(cutoffs->size(), 1)));
	for (size_t at = 0; at < cutoffs->size(); at++)
	{
		datums[at] = Float8GetDatum((*cutoffs)[at]);
	}
	PG_RETURN_ARRAYTYPE_P(construct_array(datums, static_cast<int>(cutoffs->size()), FLOAT8OID, sizeof(float8),
										  FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

// Find the tier of a score among cut-offs
Datum
lead_scoring_tier_for(PG_FUNCTION_ARGS)
{
	double score = PG_GETARG_FLOAT8(0);
	ArrayType *cutoffs = PG_GETARG_ARRAYTYPE_P(1);
	int count = ArrayGetNItems(ARR_NDIM(cutoffs), ARR_DIMS(cutoffs));

	if (ARR_NDIM(cutoffs) > 1 || ARR_HASNULL(cutoffs))
	{
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("cut-offs must be a list of numbers"),
						errhint("Use the result of tier_cutoffs.")));
	}
	if (score != score)
	{
		ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE), errmsg("a score must be a number, not NaN"),
						errhint("Use NULL for an unknown score.")));
	}
	auto *bounds = reinterpret_cast<const float8 *>(ARR_DATA_PTR(cutoffs));
	int better = 0;
	int beyond = count;
	// The cut-offs go down: the first that the score reaches is that of its tier
	while (better < beyond)
	{
		int middle = better + (beyond - better) / 2;
		if (score >= bounds[middle])
		{
			beyond = middle;
		}
		else
		{
			better = middle + 1;
		}
	}
	PG_RETURN_INT32(better + 1);
}
