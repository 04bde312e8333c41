// Which expressions the core can test itself.
//
// Columns of text (under deterministic collations), whole numbers, doubles, booleans, enums, dates and instants, compared
// with constants through the built-in operators of their btree families, IN lists, IS NULL, and AND, OR, NOT of those.
// Both ways give the same answer, NULLs included; a test compares them.
#include "pg/postgres_api.hpp"

#include "pg/predicate_compiler.hpp"

#include "pg/expression.hpp"

extern "C"
{
#include "access/stratnum.h"
#include "catalog/pg_opfamily.h"
#include "optimizer/optimizer.h"
#include "utils/date.h"
}

using lead_scoring::core::ColumnKind;
using lead_scoring::core::Constant;
using lead_scoring::core::PredicateTree;
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

PredicateTree *
make_tree(Test test, uint16 column)
{
	auto *tree = static_cast<PredicateTree *>(palloc0(sizeof(PredicateTree)));

	tree->test = test;
	tree->column = column;
	return tree;
}

PredicateTree *
make_junction(Test test, const PredicateTree **operands, int count)
{
	PredicateTree *tree = make_tree(test, 0);

	tree->operands = {operands, static_cast<size_t>(count)};
	return tree;
}

// Return the family whose operators the core knows for a type, and the kind of column that holds it
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

int
add_column(InputColumns *inputs, const InputColumn &column)
{
	// Beside these, a query selects a key and a time, and takes 1664 columns
	if (inputs->count >= 1600)
	{
		ereport(ERROR, (errcode(ERRCODE_TOO_MANY_COLUMNS),
						errmsg("the rules of a score read more than 1600 columns and conditions of \"%s\"",
							   get_rel_name(inputs->relation)),
						errhint("Conditions that compare columns with constants do not count by themselves.")));
	}
	if (inputs->count == inputs->capacity)
	{
		inputs->capacity = inputs->capacity == 0 ? 8 : inputs->capacity * 2;
		Size size = sizeof(InputColumn) * static_cast<Size>(inputs->capacity);
		inputs->columns = static_cast<InputColumn *>(
			inputs->columns == nullptr ? palloc(size) : repalloc(inputs->columns, size));
	}
	inputs->columns[inputs->count] = column;
	return inputs->count++;
}

// Return the column of an attribute, adding it once; if nothing compares its value, it only says whether it is NULL
int
attribute_column(InputColumns *inputs, Var *var, bool compared)
{
	InputColumn column;

	column.attribute = var->varattno;
	column.type = getBaseType(var->vartype);
	family_of(column.type, &column.kind);
	if (!compared)
	{
		column.kind = ColumnKind::presence;
	}
	for (int at = 0; at < inputs->count; at++)
	{
		if (inputs->columns[at].attribute == var->varattno)
		{
			if (compared)
			{
				inputs->columns[at].kind = column.kind;
			}
			return at;
		}
	}
	column.sql = psprintf("%s.%s", inputs->alias,
						  quote_identifier(get_attname(inputs->relation, var->varattno, false)));
	return add_column(inputs, column);
}

int
expression_column(InputColumns *inputs, Node *expression)
{
	InputColumn column;

	column.attribute = 0;
	column.type = BOOLOID;
	column.kind = ColumnKind::truth;
	column.sql = expression_sql(expression, inputs->relation, inputs->alias);
	for (int at = 0; at < inputs->count; at++)
	{
		if (inputs->columns[at].attribute == 0 && strcmp(inputs->columns[at].sql, column.sql) == 0)
		{
			return at;
		}
	}
	return add_column(inputs, column);
}

// Look through a cast that changes nothing but the name of the type
Node *
strip_relabel(Node *node)
{
	while (node != nullptr && IsA(node, RelabelType))
	{
		node = reinterpret_cast<Node *>(reinterpret_cast<RelabelType *>(node)->arg);
	}
	return node;
}

Var *
plain_column(Node *node)
{
	node = strip_relabel(node);
	if (node == nullptr || !IsA(node, Var))
	{
		return nullptr;
	}
	auto *var = reinterpret_cast<Var *>(node);
	return var->varattno > 0 && var->varlevelsup == 0 ? var : nullptr;
}

// Read a constant as the core compares it; false if it is not of a type that the family compares as such
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

// Say what an operator tests, if it belongs to a family; false if it does not
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

// Dates, instants and instants without a zone compare with each other only through the session's time zone
bool
same_clock(Oid family, Oid left, Oid right)
{
	return family != datetime_family || left == right;
}

PredicateTree *
compile_comparison(OpExpr *operation, InputColumns *inputs)
{
	if (list_length(operation->args) != 2)
	{
		return nullptr;
	}
	auto *left = static_cast<Node *>(linitial(operation->args));
	auto *right = static_cast<Node *>(lsecond(operation->args));
	Oid operator_id = operation->opno;
	Var *var = plain_column(left);
	Node *other = strip_relabel(right);
	if (var == nullptr)
	{
		var = plain_column(right);
		other = strip_relabel(left);
		operator_id = get_commutator(operator_id);
	}
	if (var == nullptr || other == nullptr || !IsA(other, Const) || !OidIsValid(operator_id) ||
		reinterpret_cast<Const *>(other)->constisnull || !usable_collation(operation->inputcollid))
	{
		return nullptr;
	}
	auto *constant = reinterpret_cast<Const *>(other);
	Oid type = getBaseType(var->vartype);
	ColumnKind kind;
	Oid family = family_of(type, &kind);
	Test test;
	auto *value = static_cast<Constant *>(palloc(sizeof(Constant)));
	if (!OidIsValid(family) || !test_of(operator_id, family, &test) ||
		!same_clock(family, type, constant->consttype) ||
		!read_constant(constant->constvalue, constant->consttype, family, value))
	{
		return nullptr;
	}
	PredicateTree *tree = make_tree(test, static_cast<uint16>(attribute_column(inputs, var, true)));
	tree->values = {value, 1};
	return tree;
}

PredicateTree *
compile_list(ScalarArrayOpExpr *operation, InputColumns *inputs)
{
	Var *var = plain_column(static_cast<Node *>(linitial(operation->args)));
	Node *list = strip_relabel(static_cast<Node *>(lsecond(operation->args)));

	if (var == nullptr || list == nullptr || !IsA(list, Const) ||
		reinterpret_cast<Const *>(list)->constisnull || !usable_collation(operation->inputcollid))
	{
		return nullptr;
	}
	Oid type = getBaseType(var->vartype);
	ColumnKind kind;
	Oid family = family_of(type, &kind);
	Test test;
	// IN is = ANY, NOT IN is <> ALL; other combinations are rare
	if (!OidIsValid(family) || !test_of(operation->opno, family, &test) ||
		test != (operation->useOr ? Test::equal : Test::unequal))
	{
		return nullptr;
	}
	ArrayType *array = DatumGetArrayTypeP(reinterpret_cast<Const *>(list)->constvalue);
	Oid element = ARR_ELEMTYPE(array);
	int16 length;
	bool by_value;
	char alignment;
	get_typlenbyvalalign(element, &length, &by_value, &alignment);
	Datum *datums;
	bool *nulls;
	int count;
	deconstruct_array(array, element, length, by_value, alignment, &datums, &nulls, &count);
	auto *values = static_cast<Constant *>(palloc(sizeof(Constant) * static_cast<Size>(Max(count, 1))));
	for (int at = 0; at < count; at++)
	{
		if (nulls[at] || !same_clock(family, type, element) ||
			!read_constant(datums[at], element, family, &values[at]))
		{
			return nullptr;
		}
	}
	PredicateTree *tree = make_tree(Test::one_of, static_cast<uint16>(attribute_column(inputs, var, true)));
	tree->values = {values, static_cast<size_t>(count)};
	if (operation->useOr)
	{
		return count == 0 ? make_tree(Test::never, 0) : tree;
	}
	if (count == 0)
	{
		return make_tree(Test::always, 0);
	}
	auto **operand = static_cast<const PredicateTree **>(palloc(sizeof(PredicateTree *)));
	*operand = tree;
	return make_junction(Test::negation, operand, 1);
}

PredicateTree *compile(Node *node, InputColumns *inputs);

PredicateTree *
compile_junction(BoolExpr *junction, InputColumns *inputs)
{
	int count = list_length(junction->args);
	auto **operands = static_cast<const PredicateTree **>(
		palloc(sizeof(PredicateTree *) * static_cast<Size>(count)));

	for (int at = 0; at < count; at++)
	{
		operands[at] = compile(static_cast<Node *>(list_nth(junction->args, at)), inputs);
		if (operands[at] == nullptr)
		{
			return nullptr;
		}
	}
	return make_junction(junction->boolop == AND_EXPR  ? Test::all_of
						 : junction->boolop == OR_EXPR ? Test::any_of
													   : Test::negation,
						 operands, count);
}

PredicateTree *
compile_null_test(NullTest *null_test, InputColumns *inputs)
{
	Var *var = plain_column(reinterpret_cast<Node *>(null_test->arg));

	// A row value IS NULL when all of its fields are
	if (var == nullptr || null_test->argisrow || type_is_rowtype(var->vartype))
	{
		return nullptr;
	}
	return make_tree(null_test->nulltesttype == IS_NULL ? Test::is_null : Test::is_not_null,
					 static_cast<uint16>(attribute_column(inputs, var, false)));
}

// Compile an expression the core can test by itself; null if it cannot
PredicateTree *
compile(Node *node, InputColumns *inputs)
{
	switch (nodeTag(node))
	{
	case T_OpExpr:
		return compile_comparison(reinterpret_cast<OpExpr *>(node), inputs);
	case T_ScalarArrayOpExpr:
		return compile_list(reinterpret_cast<ScalarArrayOpExpr *>(node), inputs);
	case T_BoolExpr:
		return compile_junction(reinterpret_cast<BoolExpr *>(node), inputs);
	case T_NullTest:
		return compile_null_test(reinterpret_cast<NullTest *>(node), inputs);
	case T_Var:
		if (Var *var = plain_column(node); var != nullptr && getBaseType(var->vartype) == BOOLOID)
		{
			return make_tree(Test::is_true, static_cast<uint16>(attribute_column(inputs, var, true)));
		}
		return nullptr;
	case T_Const:
	{
		auto *constant = reinterpret_cast<Const *>(node);
		bool holds = !constant->constisnull && DatumGetBool(constant->constvalue);
		// NULL never holds, but NOT NULL does not hold either: only the executor knows
		return constant->constisnull ? nullptr : make_tree(holds ? Test::always : Test::never, 0);
	}
	default:
		return nullptr;
	}
}

} // namespace

InputColumns *
make_input_columns(Oid relation, const char *alias)
{
	auto *inputs = static_cast<InputColumns *>(palloc0(sizeof(InputColumns)));

	inputs->relation = relation;
	inputs->alias = alias;
	return inputs;
}

const PredicateTree *
compile_criterion(Node *expression, InputColumns *inputs)
{
	// Constants are folded with the owner's rights: the caller has begun such a session
	List *conditions = make_ands_implicit(
		reinterpret_cast<Expr *>(eval_const_expressions(nullptr, expression)));
	int capacity = list_length(conditions) + 1;
	auto **operands = static_cast<const PredicateTree **>(
		palloc(sizeof(PredicateTree *) * static_cast<Size>(capacity)));
	int count = 0;
	bool complete = true;
	int columns_before = inputs->count;

	for (int at = 0; at < list_length(conditions); at++)
	{
		PredicateTree *tree = compile(static_cast<Node *>(list_nth(conditions, at)), inputs);
		if (tree != nullptr)
		{
			operands[count++] = tree;
		}
		complete &= tree != nullptr;
	}
	if (!complete)
	{
		// The executor computes the whole: it may rely on the order of its conditions. Of the rest only tests for
		// equality stay, which dispatch can use
		int kept = 0;
		for (int at = 0; at < count; at++)
		{
			if (operands[at]->test == Test::equal || operands[at]->test == Test::one_of)
			{
				operands[kept++] = operands[at];
			}
		}
		count = kept;
		if (kept == 0)
		{
			inputs->count = columns_before;
		}
		operands[count++] =
			make_tree(Test::is_true, static_cast<uint16>(expression_column(inputs, expression)));
	}
	return count == 0 ? make_tree(Test::always, 0) : make_junction(Test::all_of, operands, count);
}

} // namespace lead_scoring::pg
