#include "pg/postgres_api.hpp"

#include "pg/operator_family.hpp"

extern "C"
{
#include "access/stratnum.h"
#include "catalog/pg_opfamily.h"
#include "utils/date.h"
}

using lead_scoring::core::ColumnKind;
using lead_scoring::core::Constant;
using lead_scoring::core::Test;

namespace lead_scoring::pg
{

namespace
{

// The btree families of operators that the core imitates, fixed OIDs of the catalog
constexpr Oid text_family = 1994;
constexpr Oid integer_family = 1976;
constexpr Oid float_family = 1970;
constexpr Oid datetime_family = 434;
constexpr Oid boolean_family = 424;
constexpr Oid enum_family = 3522;

} // namespace

Oid
family_of(Oid type, ColumnKind *kind)
{
	switch (type)
	{
	case TEXTOID:
	case VARCHAROID:
		*kind = ColumnKind::code;
		return text_family;
	case INT2OID:
	case INT4OID:
	case INT8OID:
		*kind = ColumnKind::integer;
		return integer_family;
	case FLOAT4OID:
	case FLOAT8OID:
		*kind = ColumnKind::real;
		return float_family;
	case BOOLOID:
		*kind = ColumnKind::truth;
		return boolean_family;
	case DATEOID:
	case TIMESTAMPOID:
	case TIMESTAMPTZOID:
		*kind = ColumnKind::integer;
		return datetime_family;
	default:
		*kind = type_is_enum(type) ? ColumnKind::integer : ColumnKind::presence;
		return type_is_enum(type) ? enum_family : InvalidOid;
	}
}

bool
read_constant(Datum value, Oid type, Oid family, Constant *constant)
{
	*constant = {};
	switch (type)
	{
	case TEXTOID:
	case VARCHAROID:
	{
		text *packed = DatumGetTextPP(value);
		constant->text = {VARDATA_ANY(packed), static_cast<size_t>(VARSIZE_ANY_EXHDR(packed))};
		return family == text_family;
	}
	case INT2OID:
		constant->integer = DatumGetInt16(value);
		return family == integer_family;
	case INT4OID:
		constant->integer = DatumGetInt32(value);
		return family == integer_family;
	case INT8OID:
		constant->integer = DatumGetInt64(value);
		return family == integer_family;
	case FLOAT4OID:
		constant->real = static_cast<double>(DatumGetFloat4(value));
		return family == float_family;
	case FLOAT8OID:
		constant->real = DatumGetFloat8(value);
		return family == float_family;
	case BOOLOID:
		constant->integer = DatumGetBool(value);
		return family == boolean_family;
	case DATEOID:
		constant->integer = DatumGetDateADT(value);
		return family == datetime_family;
	case TIMESTAMPOID:
	case TIMESTAMPTZOID:
		constant->integer = DatumGetTimestampTz(value);
		return family == datetime_family;
	default:
		constant->integer = static_cast<int64>(DatumGetObjectId(value));
		return family == enum_family && type_is_enum(type);
	}
}

bool
test_of(Oid operator_id, Oid family, Test *test)
{
	static const Test by_strategy[] = {Test::less, Test::less_equal, Test::equal, Test::greater_equal,
									   Test::greater};
	int strategy = get_op_opfamily_strategy(operator_id, family);

	if (strategy >= BTLessStrategyNumber && strategy <= BTGreaterStrategyNumber)
	{
		*test = by_strategy[strategy - 1];
	}
	else if (OidIsValid(get_negator(operator_id)) &&
			 get_op_opfamily_strategy(get_negator(operator_id), family) == BTEqualStrategyNumber)
	{
		*test = Test::unequal;
	}
	else
	{
		return false;
	}
	// Texts are compared for equality only, and so are enums, whose order is not that of their numbers
	return *test == Test::equal || *test == Test::unequal || (family != text_family && family != enum_family);
}

bool
usable_collation(Oid collation)
{
	return !OidIsValid(collation) || get_collation_isdeterministic(collation);
}

bool
same_clock(Oid family, Oid left, Oid right)
{
	return family != datetime_family || left == right;
}

} // namespace lead_scoring::pg
