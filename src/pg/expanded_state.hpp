// Aggregate states that are C++ objects.
//
// While an aggregate runs, its state is an expanded object, whose memory context owns the C++ side; it is flattened into a
// plain varlena value only when it has to leave the process. A Format says what the object is:
//
//     using Object = ...;                                        what the state is
//     static constexpr const char *name = ...;                   of the memory context
//     static size_t flat_size(const Object &);                   of the flat form, without its header; may raise
//     static void write_flat(const Object &, std::byte *);       guarded: may throw
//     static Object read_flat(std::span<const std::byte>);       guarded: throws for what is no such state
#pragma once

#include "pg/owned.hpp"

extern "C"
{
#include "utils/expandeddatum.h"
}

#include <span>

namespace lead_scoring::pg
{

// Memory for the state of an aggregate, or for the result of its support function where it was called by itself
inline MemoryContext
aggregate_context(FunctionCallInfo fcinfo)
{
	MemoryContext context;

	return AggCheckCallContext(fcinfo, &context) ? context : CurrentMemoryContext;
}

// Return the first argument, the state of an aggregate, as it came
inline Datum
unchanged_state(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(0))
	{
		PG_RETURN_NULL();
	}
	PG_RETURN_DATUM(PG_GETARG_DATUM(0));
}

template <typename Format>
class ExpandedState
{
public:
	using Object = typename Format::Object;

	// Make an empty state
	static ExpandedState *
	make(MemoryContext parent)
	{
		MemoryContext context = AllocSetContextCreate(parent, "lead_scoring aggregate state", ALLOCSET_SMALL_SIZES);
		auto *state = static_cast<ExpandedState *>(MemoryContextAllocZero(context, sizeof(ExpandedState)));

		MemoryContextSetIdentifier(context, Format::name);
		EOH_init_header(&state->header_, &methods, context);
		state->object_ = make_owned<Object>(context);
		return state;
	}

	// Return a state that may be changed: the one at hand within an aggregate, else a copy
	static ExpandedState *
	own(MemoryContext parent, Datum datum)
	{
		ExpandedState *expanded = as_expanded(datum);

		if (expanded != nullptr && VARATT_IS_EXTERNAL_EXPANDED_RW(DatumGetPointer(datum)))
		{
			return expanded;
		}
		ExpandedState *copy = make(parent);
		if (expanded == nullptr)
		{
			read(copy->object_, datum);
			return copy;
		}
		guarded([copy, expanded]() { *copy->object_ = *expanded->object_; });
		return copy;
	}

	// Return the object of a state that keeps its value; what does not show in the value may be changed, as its order
	static Object *
	view(Datum datum)
	{
		ExpandedState *expanded = as_expanded(datum);

		if (expanded != nullptr)
		{
			return expanded->object_;
		}
		auto *object = make_owned<Object>(CurrentMemoryContext);
		read(object, datum);
		return object;
	}

	Object *
	object() noexcept
	{
		return object_;
	}

	// Return it as a value that may be changed
	Datum
	datum() noexcept
	{
		return EOHPGetRWDatum(&header_);
	}

	// Return a plain value with the same content
	struct varlena *
	flatten()
	{
		Size size = EOH_get_flat_size(&header_);
		auto *flat = static_cast<struct varlena *>(palloc(size));

		EOH_flatten_into(&header_, flat, size);
		return flat;
	}

private:
	static ExpandedState *
	as_expanded(Datum datum)
	{
		if (!VARATT_IS_EXTERNAL_EXPANDED(DatumGetPointer(datum)))
		{
			return nullptr;
		}
		ExpandedObjectHeader *header = DatumGetEOHP(datum);
		return header->eoh_methods == &methods ? reinterpret_cast<ExpandedState *>(header) : nullptr;
	}

	static void
	read(Object *object, Datum datum)
	{
		struct varlena *flat = PG_DETOAST_DATUM(datum);
		auto *bytes = reinterpret_cast<const std::byte *>(VARDATA(flat));
		size_t length = VARSIZE(flat) - VARHDRSZ;

		guarded([object, bytes, length]() { *object = Format::read_flat({bytes, length}); });
	}

	static Size
	get_flat_size(ExpandedObjectHeader *header)
	{
		auto *state = reinterpret_cast<ExpandedState *>(header);

		return VARHDRSZ + Format::flat_size(*state->object_);
	}

	static void
	flatten_into(ExpandedObjectHeader *header, void *result, Size allocated)
	{
		const Object *object = reinterpret_cast<ExpandedState *>(header)->object_;
		auto *payload = static_cast<std::byte *>(result) + VARHDRSZ;

		guarded([object, payload]() { Format::write_flat(*object, payload); });
		SET_VARSIZE(result, allocated);
	}

	static constexpr ExpandedObjectMethods methods = {get_flat_size, flatten_into};

	ExpandedObjectHeader header_; // must be first
	Object *object_;
};

} // namespace lead_scoring::pg
