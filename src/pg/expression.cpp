// Expressions of definitions.
//
// The text is parsed by PostgreSQL's grammar for a single expression, so that it can never become another statement or
// escape from its place; analysed against the one relation; and refused if it looks beyond the row (subqueries,
// aggregates), returns sets or is volatile. What is kept is the text with every name resolved (expression_sql), like
// the definition of a view, so that a later search path cannot change its meaning.
#include "pg/postgres_api.hpp"

#include "pg/expression.hpp"
#include "pg/expression_hint.hpp"
#include "pg/expression_type.hpp"

extern "C"
{
#include "access/transam.h"
#include "catalog/pg_proc.h"
#include "optimizer/clauses.h"
#include "optimizer/optimizer.h"
#include "parser/parse_coerce.h"
#include "parser/parse_collate.h"
#include "parser/parse_expr.h"
#include "parser/parse_node.h"
#include "parser/parse_relation.h"
#include "parser/parser.h"
#include "utils/fmgroids.h"
#include "utils/ruleutils.h"
}

namespace lead_scoring::pg
{

namespace
{

constexpr int as_of_parameter = 1;

// What a resolved expression calls the row
constexpr const char *resolved_alias = "this";

Node *
make_as_of(int location)
{
	Param *param = makeNode(Param);

	param->paramkind = PARAM_EXTERN;
	param->paramid = as_of_parameter;
	param->paramtype = TIMESTAMPTZOID;
	param->paramtypmod = -1;
	param->paramcollid = InvalidOid;
	param->location = location;
	return reinterpret_cast<Node *>(param);
}

// Resolve the pseudo-column as_of; a column of that name is still reached through its relation's name
Node *
resolve_as_of(ParseState *, ColumnRef *reference)
{
	if (list_length(reference->fields) != 1)
	{
		return nullptr;
	}
	auto *field = static_cast<Node *>(linitial(reference->fields));
	if (!IsA(field, String) || strcmp(strVal(field), "as_of") != 0)
	{
		return nullptr;
	}
	return make_as_of(reference->location);
}

// Resolve $1, which is how a resolved expression writes as_of
Node *
resolve_parameter(ParseState *parser, ParamRef *reference)
{
	if (reference->number != as_of_parameter)
	{
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_PARAMETER),
						errmsg("there is no parameter $%d", reference->number),
						parser_errposition(parser, reference->location)));
	}
	return make_as_of(reference->location);
}

// Find a subquery, and refuse a star on the way
bool
find_subquery(Node *node, void *location)
{
	if (node == nullptr)
	{
		return false;
	}
	if (IsA(node, SubLink))
	{
		*static_cast<int *>(location) = reinterpret_cast<SubLink *>(node)->location;
		return true;
	}
	if (IsA(node, ColumnRef) &&
		IsA(linitial(reinterpret_cast<ColumnRef *>(node)->fields), A_Star))
	{
		// The grammar takes a star for a column; the analysis of expressions crashes on it
		ereport(ERROR, (errcode(ERRCODE_SYNTAX_ERROR), errmsg("not a single expression")));
	}
#if PG_VERSION_NUM >= 160000
	return raw_expression_tree_walker(node, find_subquery, location);
#else
	auto untyped = reinterpret_cast<void (*)()>(find_subquery);
	return raw_expression_tree_walker(node, reinterpret_cast<bool (*)()>(untyped), location);
#endif
}

// Return the one expression that a text consists of
Node *
parse_single_expression(const char *text)
{
	List *statements = raw_parser(text, RAW_PARSE_PLPGSQL_EXPR);
	auto *select = reinterpret_cast<SelectStmt *>(linitial_node(RawStmt, statements)->stmt);

	if (list_length(select->targetList) != 1 || select->distinctClause != NIL || select->fromClause != NIL ||
		select->whereClause != nullptr || select->groupClause != NIL || select->havingClause != nullptr ||
		select->windowClause != NIL || select->sortClause != NIL || select->limitOffset != nullptr ||
		select->limitCount != nullptr || select->lockingClause != NIL ||
		linitial_node(ResTarget, select->targetList)->name != nullptr)
	{
		ereport(ERROR, (errcode(ERRCODE_SYNTAX_ERROR), errmsg("not a single expression")));
	}
	return linitial_node(ResTarget, select->targetList)->val;
}

[[noreturn]] void
raise_subquery(ParseState *parser, int location)
{
	ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("subqueries are not allowed"),
					parser_errposition(parser, location)));
	pg_unreachable();
}

bool
is_foreign_operator(Oid operator_id)
{
	// Those of pg_catalog are there from the beginning
	return operator_id >= FirstNormalObjectId;
}

// Find an expression whose text does not tell which operator it uses: IS DISTINCT FROM, NULLIF, CASE x WHEN, comparisons of
// rows
bool
find_nameless_operator(Node *node, void *found)
{
	if (node == nullptr)
	{
		return false;
	}
	if ((IsA(node, DistinctExpr) || IsA(node, NullIfExpr)) && is_foreign_operator(reinterpret_cast<OpExpr *>(node)->opno))
	{
		*static_cast<Node **>(found) = node;
		return true;
	}
	if (IsA(node, RowCompareExpr))
	{
		List *operators = reinterpret_cast<RowCompareExpr *>(node)->opnos;
		for (int at = 0; at < list_length(operators); at++)
		{
			if (is_foreign_operator(list_nth_oid(operators, at)))
			{
				*static_cast<Node **>(found) = node;
				return true;
			}
		}
	}
	if (IsA(node, CaseExpr) && reinterpret_cast<CaseExpr *>(node)->arg != nullptr)
	{
		List *branches = reinterpret_cast<CaseExpr *>(node)->args;
		for (int at = 0; at < list_length(branches); at++)
		{
			auto *condition = reinterpret_cast<Node *>(list_nth_node(CaseWhen, branches, at)->expr);
			if (!IsA(condition, OpExpr) || is_foreign_operator(reinterpret_cast<OpExpr *>(condition)->opno))
			{
				*static_cast<Node **>(found) = node;
				return true;
			}
		}
	}
#if PG_VERSION_NUM >= 160000
	return expression_tree_walker(node, find_nameless_operator, found);
#else
	auto untyped = reinterpret_cast<void (*)()>(find_nameless_operator);
	return expression_tree_walker(node, reinterpret_cast<bool (*)()>(untyped), found);
#endif
}

// Whether an expression reads the clock of the session
bool
reads_clock(Node *node, void *context)
{
	if (node == nullptr)
	{
		return false;
	}
	if (IsA(node, FuncExpr))
	{
		Oid function = reinterpret_cast<FuncExpr *>(node)->funcid;
		if (function == F_NOW || function == F_TRANSACTION_TIMESTAMP || function == F_STATEMENT_TIMESTAMP ||
			function == F_AGE_TIMESTAMPTZ || function == F_AGE_TIMESTAMP)
		{
			return true;
		}
	}
	if (IsA(node, SQLValueFunction) && reinterpret_cast<SQLValueFunction *>(node)->op <= SVFOP_LOCALTIMESTAMP_N)
	{
		return true;
	}
#if PG_VERSION_NUM >= 160000
	return expression_tree_walker(node, reads_clock, context);
#else
	auto untyped = reinterpret_cast<void (*)()>(reads_clock);
	return expression_tree_walker(node, reinterpret_cast<bool (*)()>(untyped), context);
#endif
}

// Whether a literal of a text names an instant by its distance from today: it has been one of today's since it was read
bool
is_frozen(const char *literal)
{
	static const char *const words[] = {"'now'", "'today'", "'yesterday'", "'tomorrow'", "'today ", "'yesterday ", "'tomorrow "};

	for (const char *word : words)
	{
		if (pg_strncasecmp(literal, word, strlen(word)) == 0)
		{
			return true;
		}
	}
	return false;
}

// Find a constant that was made of such a literal of the text
bool
has_frozen(Node *node, void *text)
{
	if (node == nullptr)
	{
		return false;
	}
	if (IsA(node, Const))
	{
		auto *constant = reinterpret_cast<Const *>(node);
		return constant->location >= 0 && TypeCategory(constant->consttype) == TYPCATEGORY_DATETIME &&
			   is_frozen(static_cast<const char *>(text) + constant->location);
	}
#if PG_VERSION_NUM >= 160000
	return expression_tree_walker(node, has_frozen, text);
#else
	auto untyped = reinterpret_cast<void (*)()>(has_frozen);
	return expression_tree_walker(node, reinterpret_cast<bool (*)()>(untyped), text);
#endif
}

// Warn of what an author may not have meant
void
warn_of_clock(Node *expression, const char *text, const ExpressionSite &site)
{
	if (reads_clock(expression, nullptr))
	{
		ereport(WARNING, (errmsg("%s of %s depends on the clock", site.field, site.what),
						  errhint("Use as_of instead of now(), and age(as_of, x) instead of age(x): a score is then the same for the same "
								  "instant, and a model does not look ahead.")));
	}
	if (has_frozen(expression, const_cast<char *>(text)))
	{
		ereport(WARNING, (errmsg("%s of %s has a constant that stays what it is today", site.field, site.what),
						  errhint("For what moves along with time write it by as_of, such as as_of - interval '1 day' for 'yesterday'.")));
	}
}

Node *
analyse(Relation relation, const char *text, const ExpressionSite &site)
{
	ParseState *parser = make_parsestate(nullptr);

	parser->p_sourcetext = text;
	parser->p_pre_columnref_hook = resolve_as_of;
	parser->p_paramref_hook = resolve_parameter;
	Node *raw = parse_single_expression(text);
	int location = -1;
	if (find_subquery(raw, &location))
	{
		raise_subquery(parser, location);
	}
	Alias *alias = site.resolved ? makeAlias(resolved_alias, NIL) : nullptr;
	ParseNamespaceItem *item =
		addRangeTableEntryForRelation(parser, relation, AccessShareLock, alias, false, true);
	addNSItemToQuery(parser, item, false, true, true);
	Node *expression = transformExpr(parser, raw, EXPR_KIND_WHERE);
	require_type(parser, expression, site.type);
	assign_expr_collations(parser, expression);
	if (contain_subplans(expression))
	{
		// Some forms, such as JSON_ARRAY(SELECT ...), hide their subquery until now
		raise_subquery(parser, exprLocation(expression));
	}
	Node *nameless = nullptr;
	if (find_nameless_operator(expression, &nameless))
	{
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("IS DISTINCT FROM, NULLIF, CASE with an operand and comparisons of rows need operators of "
							   "pg_catalog"),
						errhint("Write the comparison itself, as in a = b, or cast both sides to a built-in type."),
						parser_errposition(parser, exprLocation(nameless))));
	}
	if (contain_volatile_functions(expression))
	{
		ereport(ERROR, (errcode(ERRCODE_INVALID_OBJECT_DEFINITION), errmsg("volatile functions are not allowed"),
						parser_errposition(parser, exprLocation(expression))));
	}
	if (!site.resolved && relation->rd_rel->relpersistence != RELPERSISTENCE_TEMP && names_temporary(expression))
	{
		ereport(ERROR, (errcode(ERRCODE_INVALID_OBJECT_DEFINITION), errmsg("temporary functions and types are not allowed"),
						errhint("Other sessions would fail once this one has ended. Create them in another schema than pg_temp."),
						parser_errposition(parser, exprLocation(expression))));
	}
	free_parsestate(parser);
	return expression;
}

// A message of PostgreSQL's without the name that a resolved expression gives to the row, which nobody wrote
const char *
without_alias(const char *message)
{
	const char *qualifier = psprintf(" %s.", resolved_alias);
	const char *at = strstr(message, qualifier);

	return at == nullptr ? message : psprintf("%.*s %s", static_cast<int>(at - message), message, at + strlen(qualifier));
}

// Raise an error of PostgreSQL's parser again, telling where the expression stands
[[noreturn]] void
raise_at(ErrorData *error, const char *text, const ExpressionSite &site)
{
	if (ERRCODE_TO_CATEGORY(error->sqlerrcode) == ERRCODE_OPERATOR_INTERVENTION)
	{
		ReThrowError(error);
	}
	const char *message = site.resolved ? without_alias(error->message) : error->message;
	const char *hint = expression_hint(error, text, site);
	error->message = psprintf("%s of %s: %s", site.field, site.what, message);
	error->hint = hint == nullptr ? nullptr : pstrdup(hint);
	if (error->internalquery == nullptr)
	{
		error->internalquery = pstrdup(text);
		error->internalpos = error->cursorpos;
	}
	error->cursorpos = 0;
	// Not ReThrowError: those who called us have not had their say yet
	ThrowErrorData(error);
	pg_unreachable();
}

} // namespace

Node *
parse_expression(Relation relation, const char *text, const ExpressionSite &site)
{
	MemoryContext context = CurrentMemoryContext;
	Node *volatile expression = nullptr;

	PG_TRY();
	{
		// A caller's context callback would take the position of the mistake for one in its own query; restored at
		// the end of the block
		error_context_stack = nullptr;
		expression = analyse(relation, text, site);
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		ErrorData *error = CopyErrorData();
		FlushErrorState();
		raise_at(error, text, site);
	}
	PG_END_TRY();
	if (!site.resolved)
	{
		warn_of_clock(expression, text, site);
	}
	return expression;
}

char *
expression_sql(Node *expression, Oid relation, const char *alias)
{
	List *context = deparse_context_for(alias == nullptr ? resolved_alias : alias, relation);

	return deparse_expression(expression, context, true, false);
}

} // namespace lead_scoring::pg
