// lead_scoring.completeness: the share of values that are filled in.
//
// Immutable, so no output function is called: the datum itself is looked at, by what its type is stored as.
#include "pg/postgres_api.hpp"

#include "core/emptiness.hpp"

extern "C"
{
#include "access/detoast.h"
#include "mb/pg_wchar.h"
#include "utils/jsonb.h"
}

#include <string_view>

namespace lead_scoring::pg
{

namespace
{

// What decides whether a value of a type is empty
enum class Stuff
{
	any,      // nothing: it is there
	string,   // varlena text
	c_string, // text that ends with a zero byte
	array,
	json,
	jsonb,
};

// What a call site remembers
struct CallShape
{
	Oid element;       // type of the elements of the VARIADIC array, if there is one
	int16 element_length;
	bool element_by_value;
	char element_align;
	Stuff element_stuff;
	Stuff argument_stuff[FLEXIBLE_ARRAY_MEMBER];
};

// How much of a long text is fetched first
constexpr int32 first_bytes = 256;

std::string_view
view_of(const struct varlena *value)
{
	return {VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value)};
}

bool
is_utf8()
{
	return GetDatabaseEncoding() == PG_UTF8;
}

Stuff
stuff_of(Oid type)
{
	Oid base = getBaseType(type);
	char category;
	bool is_preferred;

	if (base == JSONOID)
	{
		return Stuff::json;
	}
	if (base == JSONBOID)
	{
		return Stuff::jsonb;
	}
	if (OidIsValid(get_element_type(base)))
	{
		return Stuff::array;
	}
	get_type_category_preferred(base, &category, &is_preferred);
	if (category == TYPCATEGORY_STRING || category == TYPCATEGORY_UNKNOWN)
	{
		int16 length = get_typlen(base);
		return length == -1 ? Stuff::string : length == -2 || base == NAMEOID ? Stuff::c_string : Stuff::any;
	}
	return Stuff::any;
}

bool
is_blank_text(Datum datum)
{
	if (VARATT_IS_EXTENDED(DatumGetPointer(datum)) && !VARATT_IS_SHORT(DatumGetPointer(datum)))
	{
		// Nearly always the beginning tells, and a long text is not fetched
		struct varlena *start = PG_DETOAST_DATUM_SLICE(datum, 0, first_bytes);
		int length = static_cast<int>(VARSIZE_ANY_EXHDR(start));
		length = pg_mbcliplen(VARDATA_ANY(start), length, length);
		if (!core::is_blank({VARDATA_ANY(start), static_cast<size_t>(length)}, is_utf8()))
		{
			return false;
		}
	}
	return core::is_blank(view_of(PG_DETOAST_DATUM_PACKED(datum)), is_utf8());
}

bool
is_empty_jsonb(Datum datum)
{
	Jsonb *value = DatumGetJsonbP(datum);

	if (!JB_ROOT_IS_SCALAR(value))
	{
		return JB_ROOT_COUNT(value) == 0;
	}
	JsonbValue *scalar = getIthJsonbValueFromContainer(&value->root, 0);
	return scalar->type == jbvNull ||
		   (scalar->type == jbvString &&
			core::is_blank({scalar->val.string.val, static_cast<size_t>(scalar->val.string.len)}, is_utf8()));
}

bool
is_empty_array(Datum datum)
{
	AnyArrayType *array = DatumGetAnyArrayP(datum);

	return ArrayGetNItems(AARR_NDIM(array), AARR_DIMS(array)) == 0;
}

bool
is_filled(Datum datum, Stuff stuff)
{
	switch (stuff)
	{
	case Stuff::string:
		return !is_blank_text(datum);
	case Stuff::c_string:
		return !core::is_blank(DatumGetCString(datum), is_utf8());
	case Stuff::array:
		return !is_empty_array(datum);
	case Stuff::json:
		return !core::is_empty_json(view_of(PG_DETOAST_DATUM_PACKED(datum)), is_utf8());
	case Stuff::jsonb:
		return !is_empty_jsonb(datum);
	case Stuff::any:
		break;
	}
	return true;
}

CallShape *
shape_of(FunctionCallInfo fcinfo)
{
	FmgrInfo *call_site = fcinfo->flinfo;

	if (call_site->fn_extra == nullptr)
	{
		auto count = static_cast<size_t>(PG_NARGS());
		auto *shape = static_cast<CallShape *>(MemoryContextAllocZero(
			call_site->fn_mcxt, offsetof(CallShape, argument_stuff) + count * sizeof(Stuff)));
		for (size_t at = 0; at < count; at++)
		{
			Oid type = get_fn_expr_argtype(call_site, static_cast<int>(at));
			if (!OidIsValid(type))
			{
				elog(ERROR, "could not determine the types of the arguments of completeness");
			}
			shape->argument_stuff[at] = stuff_of(type);
		}
		call_site->fn_extra = shape;
	}
	return static_cast<CallShape *>(call_site->fn_extra);
}

void
learn_element(CallShape *shape, Oid element)
{
	if (shape->element == element)
	{
		return;
	}
	get_typlenbyvalalign(element, &shape->element_length, &shape->element_by_value, &shape->element_align);
	shape->element_stuff = stuff_of(element);
	shape->element = element;
}

} // namespace

} // namespace lead_scoring::pg

using namespace lead_scoring::pg;

LEAD_SCORING_FUNCTION(lead_scoring_completeness);

// Return the share of the arguments that are neither NULL nor empty
Datum
lead_scoring_completeness(PG_FUNCTION_ARGS)
{
	CallShape *shape = shape_of(fcinfo);
	int count = PG_NARGS();
	int filled = 0;

	if (!get_fn_expr_variadic(fcinfo->flinfo))
	{
		for (int at = 0; at < count; at++)
		{
			filled += !PG_ARGISNULL(at) && is_filled(PG_GETARG_DATUM(at), shape->argument_stuff[at]);
		}
		PG_RETURN_FLOAT8(static_cast<double>(filled) / count);
	}
	if (PG_ARGISNULL(0))
	{
		PG_RETURN_NULL();
	}
	ArrayType *values = PG_GETARG_ARRAYTYPE_P(0);
	Datum *datums;
	bool *nulls;
	learn_element(shape, ARR_ELEMTYPE(values));
	deconstruct_array(values, shape->element, shape->element_length, shape->element_by_value, shape->element_align,
					  &datums, &nulls, &count);
	for (int at = 0; at < count; at++)
	{
		filled += !nulls[at] && is_filled(datums[at], shape->element_stuff);
	}
	if (count == 0)
	{
		PG_RETURN_NULL();
	}
	PG_RETURN_FLOAT8(static_cast<double>(filled) / count);
}
