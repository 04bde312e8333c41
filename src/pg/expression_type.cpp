#include "pg/postgres_api.hpp"

#include "pg/expression_type.hpp"

extern "C"
{
#include "parser/parse_coerce.h"
#include "parser/parse_node.h"
#include "utils/typcache.h"
}

namespace lead_scoring::pg
{

namespace
{

// Make an expression yield another type, as if the cast were written: a resolved text then has this type wherever it is
// put
void
make(ParseState *parser, Node *&expression, Oid type, CoercionContext context)
{
	expression = coerce_to_target_type(parser, expression, exprType(expression), type, -1, context,
									   COERCE_EXPLICIT_CAST, -1);
}

[[noreturn]] void
raise_type(ParseState *parser, Node *expression, const char *wanted)
{
	ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
					errmsg("must be %s, not %s", wanted, format_type_be(exprType(expression))),
					parser_errposition(parser, exprLocation(expression))));
	pg_unreachable();
}

bool
is_integer(Oid type)
{
	Oid base = getBaseType(type);

	return base == INT2OID || base == INT4OID || base == INT8OID;
}

bool
is_number(Oid type)
{
	Oid base = getBaseType(type);

	return is_integer(base) || base == NUMERICOID || base == FLOAT4OID || base == FLOAT8OID;
}

bool
is_text(Oid type)
{
	Oid base = getBaseType(type);

	return TypeCategory(base) == TYPCATEGORY_STRING || type_is_enum(base);
}

bool
is_instant(Oid type)
{
	Oid base = getBaseType(type);

	return base == TIMESTAMPTZOID || base == TIMESTAMPOID || base == DATEOID;
}

void
require_boolean(ParseState *parser, Node *&expression)
{
	if (exprType(expression) == UNKNOWNOID || getBaseType(exprType(expression)) == BOOLOID)
	{
		expression = coerce_to_boolean(parser, expression, "criterion");
	}
	if (exprType(expression) != BOOLOID)
	{
		raise_type(parser, expression, "boolean");
	}
}

void
require_number(ParseState *parser, Node *&expression)
{
	if (exprType(expression) != UNKNOWNOID && !is_number(exprType(expression)))
	{
		raise_type(parser, expression, "a number");
	}
	make(parser, expression, FLOAT8OID, COERCION_IMPLICIT);
}

void
require_integer(ParseState *parser, Node *&expression)
{
	if (exprType(expression) != UNKNOWNOID && !is_integer(exprType(expression)))
	{
		raise_type(parser, expression, "a whole number");
	}
	make(parser, expression, INT8OID, COERCION_IMPLICIT);
}

void
require_text(ParseState *parser, Node *&expression)
{
	if (exprType(expression) != UNKNOWNOID && !is_text(exprType(expression)))
	{
		raise_type(parser, expression, "a text");
	}
	make(parser, expression, TEXTOID, COERCION_EXPLICIT);
}

void
require_instant(ParseState *parser, Node *&expression)
{
	if (exprType(expression) != UNKNOWNOID && !is_instant(exprType(expression)))
	{
		raise_type(parser, expression, "a timestamp or a date");
	}
	make(parser, expression, TIMESTAMPTZOID, COERCION_IMPLICIT);
}

void
require_outcome(ParseState *parser, Node *&expression)
{
	Oid type = exprType(expression);

	if (getBaseType(type) != BOOLOID && !is_instant(type))
	{
		raise_type(parser, expression, "a timestamp, a date or boolean");
	}
	make(parser, expression, is_instant(type) ? TIMESTAMPTZOID : BOOLOID, COERCION_IMPLICIT);
}

void
require_input(ParseState *parser, Node *&expression)
{
	Oid type = exprType(expression);

	if (is_number(type))
	{
		require_number(parser, expression);
	}
	else if (type == UNKNOWNOID || is_text(type))
	{
		require_text(parser, expression);
	}
	else if (getBaseType(type) == BOOLOID)
	{
		require_boolean(parser, expression);
	}
	else
	{
		raise_type(parser, expression, "a number, boolean, a text or an enum");
	}
}

void
require_text_form(ParseState *parser, Node *&expression)
{
	Oid type = exprType(expression);
	Oid text = TEXTOID;

	if (type == UNKNOWNOID)
	{
		make(parser, expression, TEXTOID, COERCION_IMPLICIT);
	}
	else if (type == VOIDOID || !can_coerce_type(1, &type, &text, COERCION_EXPLICIT))
	{
		ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
						errmsg("type %s cannot be cast to text", format_type_be(type)),
						parser_errposition(parser, exprLocation(expression))));
	}
}

void
require_hashable(ParseState *parser, Node *&expression)
{
	require_text_form(parser, expression);
	TypeCacheEntry *entry = lookup_type_cache(exprType(expression), TYPECACHE_EQ_OPR | TYPECACHE_HASH_PROC);
	if (!OidIsValid(entry->eq_opr) || !OidIsValid(entry->hash_proc))
	{
		ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
						errmsg("values of type %s cannot be told apart", format_type_be(exprType(expression))),
						parser_errposition(parser, exprLocation(expression))));
	}
}

// By type: its noun, an example, and what makes it so
struct TypeWords
{
	const char *noun;
	const char *example;
	void (*require)(ParseState *, Node *&);
};

const TypeWords &
words_of(ExpressionType type)
{
	static const TypeWords words[] = {
		{"condition", "type = 'email_open'", require_boolean},
		{"number (smallint to double precision)", "amount or extract(epoch FROM duration) / 60", require_number},
		{"value that has a text form", "lower(email)", require_text_form},
		{"whole number (smallint to bigint)", "id % 5", require_integer},
		{"text or an enum", "industry", require_text},
		{"timestamp with time zone, or a timestamp or date in UTC", "created_at", require_instant},
		{"timestamp with time zone (when it converted) or a condition (whether it did)",
		 "became_customer_at or stage = 'won'", require_outcome},
		{"number, a boolean, a text or an enum (of a date take the statistic days_since)", "annual_revenue or industry",
		 require_input},
		{"value whose type has a hash function", "form_name", require_hashable},
	};
	return words[static_cast<int>(type)];
}

} // namespace

void
require_type(ParseState *parser, Node *&expression, ExpressionType type)
{
	words_of(type).require(parser, expression);
}

const char *
noun_of(ExpressionType type)
{
	return words_of(type).noun;
}

const char *
example_of(ExpressionType type)
{
	return words_of(type).example;
}

} // namespace lead_scoring::pg
