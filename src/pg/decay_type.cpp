// The SQL type decay: text and binary forms, and an order for indexes.
#include "pg/postgres_api.hpp"

#include "pg/decay_type.hpp"
#include "pg/guard.hpp"

#include <string_view>

extern "C"
{
#include "libpq/pqformat.h"
}

using lead_scoring::core::Decay;
using lead_scoring::pg::guarded;

namespace lead_scoring::pg
{

namespace
{

struct DecayText
{
	char text[256];
};

Decay *
copy_decay(const Decay &decay)
{
	auto *copy = static_cast<Decay *>(palloc0(sizeof(Decay)));

	*copy = decay;
	return copy;
}

int
compare_arguments(FunctionCallInfo fcinfo)
{
	return core::compare_decays(*decay_from_datum(PG_GETARG_DATUM(0)),
								*decay_from_datum(PG_GETARG_DATUM(1)));
}

} // namespace

const Decay *
decay_from_datum(Datum datum) noexcept
{
	return reinterpret_cast<const Decay *>(DatumGetPointer(datum));
}

} // namespace lead_scoring::pg

using lead_scoring::pg::compare_arguments;
using lead_scoring::pg::copy_decay;

LEAD_SCORING_FUNCTION(lead_scoring_decay_in);
LEAD_SCORING_FUNCTION(lead_scoring_decay_out);
LEAD_SCORING_FUNCTION(lead_scoring_decay_recv);
LEAD_SCORING_FUNCTION(lead_scoring_decay_send);
LEAD_SCORING_FUNCTION(lead_scoring_decay_cmp);
LEAD_SCORING_FUNCTION(lead_scoring_decay_eq);
LEAD_SCORING_FUNCTION(lead_scoring_decay_ne);
LEAD_SCORING_FUNCTION(lead_scoring_decay_lt);
LEAD_SCORING_FUNCTION(lead_scoring_decay_le);
LEAD_SCORING_FUNCTION(lead_scoring_decay_gt);
LEAD_SCORING_FUNCTION(lead_scoring_decay_ge);

// Read a decay from text
Datum
lead_scoring_decay_in(PG_FUNCTION_ARGS)
{
	const char *text = PG_GETARG_CSTRING(0);
	Decay decay = guarded([text]() { return lead_scoring::core::parse_decay(text); });

	PG_RETURN_POINTER(copy_decay(decay));
}

// Write a decay as its canonical text
Datum
lead_scoring_decay_out(PG_FUNCTION_ARGS)
{
	const Decay *decay = lead_scoring::pg::decay_from_datum(PG_GETARG_DATUM(0));
	lead_scoring::pg::DecayText text = guarded(
		[decay]()
		{
			lead_scoring::pg::DecayText written;
			std::string form = lead_scoring::core::decay_text(*decay);
			strlcpy(written.text, form.c_str(), sizeof written.text);
			return written;
		});

	PG_RETURN_CSTRING(pstrdup(text.text));
}

// Read a decay from its binary form, trusting nothing
Datum
lead_scoring_decay_recv(PG_FUNCTION_ARGS)
{
	auto *buffer = reinterpret_cast<StringInfo>(PG_GETARG_POINTER(0));
	Decay decay{};

	decay.version = static_cast<uint8_t>(pq_getmsgbyte(buffer));
	decay.form = static_cast<lead_scoring::core::DecayForm>(pq_getmsgbyte(buffer));
	decay.percent = pq_getmsgfloat8(buffer);
	decay.period_us = pq_getmsgint64(buffer);
	decay.grace_us = pq_getmsgint64(buffer);
	guarded([&decay]() { lead_scoring::core::require_valid_decay(decay); });
	PG_RETURN_POINTER(copy_decay(decay));
}

// Write a decay in its binary form: version, form, percentage, period, grace
Datum
lead_scoring_decay_send(PG_FUNCTION_ARGS)
{
	const Decay *decay = lead_scoring::pg::decay_from_datum(PG_GETARG_DATUM(0));
	StringInfoData buffer;

	pq_begintypsend(&buffer);
	pq_sendbyte(&buffer, decay->version);
	pq_sendbyte(&buffer, static_cast<uint8>(decay->form));
	pq_sendfloat8(&buffer, decay->percent);
	pq_sendint64(&buffer, decay->period_us);
	pq_sendint64(&buffer, decay->grace_us);
	PG_RETURN_BYTEA_P(pq_endtypsend(&buffer));
}

// Order two decays
Datum
lead_scoring_decay_cmp(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(compare_arguments(fcinfo));
}

Datum
lead_scoring_decay_eq(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_arguments(fcinfo) == 0);
}

Datum
lead_scoring_decay_ne(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_arguments(fcinfo) != 0);
}

Datum
lead_scoring_decay_lt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_arguments(fcinfo) < 0);
}

Datum
lead_scoring_decay_le(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_arguments(fcinfo) <= 0);
}

Datum
lead_scoring_decay_gt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_arguments(fcinfo) > 0);
}

Datum
lead_scoring_decay_ge(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_arguments(fcinfo) >= 0);
}
