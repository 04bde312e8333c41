// Cut-offs between tiers: the aggregate tier_cutoffs and tier_for.
//
// The state is the type tier_sample. While an aggregate runs, it is kept taken apart, as an expanded object whose memory
// context owns the C++ side; it is flattened only when it has to leave the process.
#include "pg/postgres_api.hpp"

#include "core/tier_sample.hpp"
#include "pg/guard.hpp"
#include "pg/owned.hpp"
#include "pg/row_set.hpp"

extern "C"
{
#include "libpq/pqformat.h"
#include "utils/expandeddatum.h"
}

using lead_scoring::core::TierSample;

namespace lead_scoring::pg
{

namespace
{

constexpr int sample_magic = 0x54534d50;

struct ExpandedSample
{
	ExpandedObjectHeader header; // must be first
	int magic;
	TierSample *sample;
	Size flat_size; // since it was last asked for
};

// Bytes that the core has made, for the moment
struct Bytes
{
	std::string text;
};

Size
get_flat_size(ExpandedObjectHeader *header)
{
	auto *expanded = reinterpret_cast<ExpandedSample *>(header);
	TierSample *sample = expanded->sample;
	Size size = VARHDRSZ + sizeof(core::TierSampleHead);

	for (const std::vector<double> &level : sample->levels)
	{
		size += sizeof(uint64) + level.size() * sizeof(double);
	}
	if (!AllocSizeIsValid(size))
	{
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("too many scores for exact cut-offs"),
						errhint("Ask for an accuracy: tier_cutoffs(score, n, 0.001).")));
	}
	expanded->flat_size = size;
	return size;
}

void
flatten_into(ExpandedObjectHeader *header, void *result, Size allocated)
{
	auto *expanded = reinterpret_cast<ExpandedSample *>(header);
	TierSample *sample = expanded->sample;
	char *payload = static_cast<char *>(result) + VARHDRSZ;

	Assert(allocated == expanded->flat_size);
	guarded(
		[sample, payload]()
		{
			std::string bytes = core::tier_sample_bytes(*sample);
			memcpy(payload, bytes.data(), bytes.size());
		});
	SET_VARSIZE(result, allocated);
}

const ExpandedObjectMethods methods = {get_flat_size, flatten_into};

ExpandedSample *
make_expanded(MemoryContext parent, const TierSample &content)
{
	MemoryContext context = AllocSetContextCreate(parent, "lead_scoring tier sample", ALLOCSET_SMALL_SIZES);
	auto *expanded = static_cast<ExpandedSample *>(MemoryContextAllocZero(context, sizeof(ExpandedSample)));

	EOH_init_header(&expanded->header, &methods, context);
	expanded->magic = sample_magic;
	expanded->sample = make_owned<TierSample>(context, content);
	return expanded;
}

// A sample for the moment, while others are being made
TierSample *
make_scratch(MemoryContext context)
{
	return make_owned<TierSample>(context);
}

TierSample *
parse_flat(MemoryContext context, Datum datum)
{
	struct varlena *flat = PG_DETOAST_DATUM(datum);
	auto *bytes = reinterpret_cast<const std::byte *>(VARDATA(flat));
	size_t length = VARSIZE(flat) - VARHDRSZ;
	TierSample *sample = make_scratch(context);

	guarded([sample, bytes, length]() { *sample = core::parse_tier_sample_bytes({bytes, length}); });
	return sample;
}

ExpandedSample *
as_expanded(Datum datum)
{
	if (!VARATT_IS_EXTERNAL_EXPANDED(DatumGetPointer(datum)))
	{
		return nullptr;
	}
	auto *expanded = reinterpret_cast<ExpandedSample *>(DatumGetEOHP(datum));
	return expanded->magic == sample_magic ? expanded : nullptr;
}

// View a sample that is not to be changed
const TierSample *
view_sample(Datum datum)
{
	ExpandedSample *expanded = as_expanded(datum);

	return expanded != nullptr ? expanded->sample : parse_flat(CurrentMemoryContext, datum);
}

// Return a sample that may be changed: the state at hand within an aggregate, else a copy
ExpandedSample *
own_sample(MemoryContext context, Datum datum)
{
	ExpandedSample *expanded = as_expanded(datum);

	if (expanded != nullptr && VARATT_IS_EXTERNAL_EXPANDED_RW(DatumGetPointer(datum)))
	{
		return expanded;
	}
	return make_expanded(context, *view_sample(datum));
}

MemoryContext
sample_context(FunctionCallInfo fcinfo)
{
	MemoryContext context;

	return AggCheckCallContext(fcinfo, &context) ? context : CurrentMemoryContext;
}

Datum
unchanged_state(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(0))
	{
		PG_RETURN_NULL();
	}
	PG_RETURN_DATUM(PG_GETARG_DATUM(0));
}

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
	MemoryContext context = sample_context(fcinfo);
	ExpandedSample *state;
	if (PG_ARGISNULL(0))
	{
		TierSample *empty = make_scratch(CurrentMemoryContext);
		guarded([empty, tiers, accuracy]() { *empty = core::make_tier_sample(tiers, accuracy); });
		state = make_expanded(context, *empty);
	}
	else
	{
		state = own_sample(context, PG_GETARG_DATUM(0));
	}
	TierSample *sample = state->sample;
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
	return EOHPGetRWDatum(&state->header);
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
	TierSample *sample = make_scratch(CurrentMemoryContext);

	guarded([sample, text]() { *sample = lead_scoring::core::parse_tier_sample(text); });
	ExpandedSample *expanded = make_expanded(CurrentMemoryContext, *sample);
	Size size = EOH_get_flat_size(&expanded->header);
	auto *flat = static_cast<struct varlena *>(palloc(size));
	EOH_flatten_into(&expanded->header, flat, size);
	PG_RETURN_POINTER(flat);
}

// Write a sample as its text
Datum
lead_scoring_tier_sample_out(PG_FUNCTION_ARGS)
{
	const TierSample *sample = view_sample(PG_GETARG_DATUM(0));
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
	parse_flat(CurrentMemoryContext, PointerGetDatum(flat));
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
	MemoryContext context = sample_context(fcinfo);
	const TierSample *other = view_sample(PG_GETARG_DATUM(1));
	if (PG_ARGISNULL(0))
	{
		return EOHPGetRWDatum(&make_expanded(context, *other)->header);
	}
	ExpandedSample *state = own_sample(context, PG_GETARG_DATUM(0));
	TierSample *sample = state->sample;
	guarded([sample, other]() { lead_scoring::core::add_sample(*sample, *other); });
	return EOHPGetRWDatum(&state->header);
}

// Return the lowest score of each tier but the last
Datum
lead_scoring_tier_cutoffs_final(PG_FUNCTION_ARGS)
{
	if (PG_ARGISNULL(0))
	{
		PG_RETURN_NULL();
	}
	const TierSample *sample = view_sample(PG_GETARG_DATUM(0));
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
