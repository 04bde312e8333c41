// Which expressions the core can test itself.
//
// Columns of text (under deterministic collations), whole numbers, doubles, booleans, enums, dates and instants, compared
// with constants through the built-in operators of their btree families, IN lists, IS NULL, and AND, OR, NOT of those.
// Both ways give the same answer, NULLs included; a test compares them. Where an expression stands in the place of the
// column, as in lower(type) = 'call', the executor computes it once per row and the core compares; but only where the
// executor alone would compute it for every row too, as an expression may fail.
#include "pg/postgres_api.hpp"

#include "pg/predicate_compiler.hpp"

#include "pg/expression.hpp"
#include "pg/operator_family.hpp"
#include "pg/site_context.hpp"

extern "C"
{
#include "optimizer/optimizer.h"
}

using lead_scoring::core::ColumnKind;
using lead_scoring::core::Constant;
using lead_scoring::core::PredicateTree;
using lead_scoring::core::Test;

namespace lead_scoring::pg
{

namespace
{

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

int
add_column(InputColumns *inputs, const InputColumn &column)
{
	constexpr int most_columns = 10000;

	if (inputs->count >= most_columns)
	{
		ereport(ERROR, (errcode(ERRCODE_TOO_MANY_COLUMNS),
						errmsg("the rules of a score read more than %d columns and conditions of \"%s\"", most_columns,
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
	InputColumn column{};

	column.attribute = var->varattno;
	column.type = getBaseType(var->vartype);
	column.what = inputs->what;
	column.field = inputs->field;
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
	return add_column(inputs, column);
}

// Whether an expression reads what only the query can deliver: the whole row, or a system column
bool
reads_beyond_columns(Node *expression)
{
	Bitmapset *attributes = nullptr;

	pull_varattnos(expression, 1, &attributes);
	for (int at = -1; (at = bms_next_member(attributes, at)) >= 0;)
	{
		if (at + FirstLowInvalidHeapAttributeNumber <= 0)
		{
			return true;
		}
	}
	return false;
}

int
find_expression(const InputColumns *inputs, Node *expression, ColumnKind kind)
{
	for (int at = 0; at < inputs->count; at++)
	{
		const InputColumn &column = inputs->columns[at];
		if (column.attribute == 0 && column.kind == kind && equal(column.expression, expression))
		{
			return at;
		}
	}
	return -1;
}

int
expression_column(InputColumns *inputs, Node *expression, ColumnKind kind)
{
	InputColumn column{};

	// Thousands of expressions are each compared with all before them
	CHECK_FOR_INTERRUPTS();
	int known = find_expression(inputs, expression, kind);
	if (known >= 0)
	{
		return known;
	}
	column.type = getBaseType(exprType(expression));
	column.kind = kind;
	column.expression = expression;
	column.what = inputs->what;
	column.field = inputs->field;
	if (reads_beyond_columns(expression))
	{
		column.computed = expression_sql(expression, inputs->relation, inputs->alias);
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

// Return the column of what a condition compares, -1 if only the executor can compare it; may_compute tells whether the
// executor would compute it for every row
int
operand_column(Node *operand, ColumnKind kind, InputColumns *inputs, bool may_compute)
{
	if (Var *var = plain_column(operand))
	{
		return attribute_column(inputs, var, true);
	}
	if (may_compute && contain_var_clause(operand))
	{
		return expression_column(inputs, operand, kind);
	}
	return find_expression(inputs, operand, kind);
}

PredicateTree *
compile_comparison(OpExpr *operation, InputColumns *inputs, bool may_compute)
{
	if (list_length(operation->args) != 2)
	{
		return nullptr;
	}
	auto *operand = static_cast<Node *>(linitial(operation->args));
	Node *other = strip_relabel(static_cast<Node *>(lsecond(operation->args)));
	Oid operator_id = operation->opno;
	if (!IsA(other, Const))
	{
		operand = static_cast<Node *>(lsecond(operation->args));
		other = strip_relabel(static_cast<Node *>(linitial(operation->args)));
		operator_id = get_commutator(operator_id);
	}
	if (!IsA(other, Const) || !OidIsValid(operator_id) || reinterpret_cast<Const *>(other)->constisnull ||
		!usable_collation(operation->inputcollid))
	{
		return nullptr;
	}
	auto *constant = reinterpret_cast<Const *>(other);
	Oid type = getBaseType(exprType(strip_relabel(operand)));
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
	int column = operand_column(operand, kind, inputs, may_compute);
	if (column < 0)
	{
		return nullptr;
	}
	PredicateTree *tree = make_tree(test, static_cast<uint16>(column));
	tree->values = {value, 1};
	return tree;
}

PredicateTree *
compile_list(ScalarArrayOpExpr *operation, InputColumns *inputs, bool may_compute)
{
	auto *operand = static_cast<Node *>(linitial(operation->args));
	Node *list = strip_relabel(static_cast<Node *>(lsecond(operation->args)));

	if (!IsA(list, Const) || reinterpret_cast<Const *>(list)->constisnull || !usable_collation(operation->inputcollid))
	{
		return nullptr;
	}
	Oid type = getBaseType(exprType(strip_relabel(operand)));
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
	int column = operand_column(operand, kind, inputs, may_compute);
	if (column < 0)
	{
		return nullptr;
	}
	if (count == 0)
	{
		return make_tree(operation->useOr ? Test::never : Test::always, 0);
	}
	PredicateTree *tree = make_tree(Test::one_of, static_cast<uint16>(column));
	tree->values = {values, static_cast<size_t>(count)};
	if (operation->useOr)
	{
		return tree;
	}
	auto **negated = static_cast<const PredicateTree **>(palloc(sizeof(PredicateTree *)));
	*negated = tree;
	return make_junction(Test::negation, negated, 1);
}

PredicateTree *compile(Node *node, InputColumns *inputs, bool may_compute);

PredicateTree *
compile_junction(BoolExpr *junction, InputColumns *inputs, bool may_compute)
{
	int count = list_length(junction->args);
	auto **operands = static_cast<const PredicateTree **>(
		palloc(sizeof(PredicateTree *) * static_cast<Size>(count)));

	for (int at = 0; at < count; at++)
	{
		// Of several conditions only the first is certain to be looked at
		operands[at] = compile(static_cast<Node *>(list_nth(junction->args, at)), inputs, may_compute && at == 0);
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
compile(Node *node, InputColumns *inputs, bool may_compute)
{
	switch (nodeTag(node))
	{
	case T_OpExpr:
		return compile_comparison(reinterpret_cast<OpExpr *>(node), inputs, may_compute);
	case T_ScalarArrayOpExpr:
		return compile_list(reinterpret_cast<ScalarArrayOpExpr *>(node), inputs, may_compute);
	case T_BoolExpr:
		return compile_junction(reinterpret_cast<BoolExpr *>(node), inputs, may_compute);
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
	SiteContext site{inputs->what, inputs->field, {}};

	begin_site(&site);
	// Constants are folded with the owner's rights: the caller has begun such a session
	List *conditions = make_ands_implicit(
		reinterpret_cast<Expr *>(eval_const_expressions(nullptr, expression)));
	end_site(&site);
	int capacity = list_length(conditions) + 1;
	auto **operands = static_cast<const PredicateTree **>(
		palloc(sizeof(PredicateTree *) * static_cast<Size>(capacity)));
	int count = 0;
	bool complete = true;
	int columns_before = inputs->count;

	for (int at = 0; at < list_length(conditions); at++)
	{
		PredicateTree *tree = compile(static_cast<Node *>(list_nth(conditions, at)), inputs, at == 0);
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
			make_tree(Test::is_true, static_cast<uint16>(expression_column(inputs, expression, ColumnKind::truth)));
	}
	return count == 0 ? make_tree(Test::always, 0) : make_junction(Test::all_of, operands, count);
}

int
compile_column(Node *expression, ColumnKind kind, InputColumns *inputs)
{
	return expression_column(inputs, expression, kind);
}

int
compile_value(Node *expression, InputColumns *inputs)
{
	Var *var = plain_column(expression);

	if (var != nullptr && getBaseType(var->vartype) == FLOAT8OID)
	{
		return attribute_column(inputs, var, true);
	}
	return expression_column(inputs, expression, ColumnKind::real);
}

} // namespace lead_scoring::pg
