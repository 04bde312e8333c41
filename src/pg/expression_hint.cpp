#include "pg/postgres_api.hpp"

#include "pg/expression_hint.hpp"
#include "pg/expression_type.hpp"

extern "C"
{
#include "catalog/namespace.h"
#include "nodes/nodeFuncs.h"
#include "parser/parser.h"
}

namespace lead_scoring::pg
{

namespace
{

bool
is_function(List *names)
{
	return FuncnameGetCandidates(names, -1, NIL, false, false, false, true) != nullptr;
}

// Whether only the extension has a function of a name, as far as the search path goes
bool
is_out_of_path(const char *name)
{
	Node *bare = reinterpret_cast<Node *>(makeString(pstrdup(name)));
	Node *schema = reinterpret_cast<Node *>(makeString(pstrdup("lead_scoring")));

	return !is_function(list_make1(bare)) && is_function(list_make2(schema, bare));
}

// Find a function of ours that is called without its schema, and not found so
bool
find_bare_call(Node *node, void *found)
{
	if (node == nullptr)
	{
		return false;
	}
	if (IsA(node, FuncCall))
	{
		List *names = reinterpret_cast<FuncCall *>(node)->funcname;
		if (list_length(names) == 1 && is_out_of_path(strVal(linitial(names))))
		{
			*static_cast<const char **>(found) = strVal(linitial(names));
			return true;
		}
	}
#if PG_VERSION_NUM >= 160000
	return raw_expression_tree_walker(node, find_bare_call, found);
#else
	auto untyped = reinterpret_cast<void (*)()>(find_bare_call);
	return raw_expression_tree_walker(node, reinterpret_cast<bool (*)()>(untyped), found);
#endif
}

// The advice about an unknown function: PostgreSQL's, but where it is one of ours
const char *
hint_for_function(const ErrorData *error, const char *text)
{
	Node *statement = linitial_node(RawStmt, raw_parser(text, RAW_PARSE_PLPGSQL_EXPR))->stmt;
	const char *function = nullptr;

	find_bare_call(statement, &function);
	return function == nullptr ? error->hint : psprintf("Write it with its schema: lead_scoring.%s().", function);
}

} // namespace

const char *
expression_hint(const ErrorData *error, const char *text, const ExpressionSite &site)
{
	if (site.resolved)
	{
		return "The relation has been altered since this was written (columns are kept by their names), or what it calls is gone: write it "
			   "again; if it is a feature of a model, train and publish that then.";
	}
	if (error->sqlerrcode == ERRCODE_UNDEFINED_FUNCTION)
	{
		return hint_for_function(error, text);
	}
	if (error->hint != nullptr)
	{
		return error->hint;
	}
	switch (error->sqlerrcode)
	{
	case ERRCODE_FEATURE_NOT_SUPPORTED:
		return "An expression looks at one row. To look at rows of another table, register it as a source.";
	case ERRCODE_GROUPING_ERROR:
	case ERRCODE_WINDOWING_ERROR:
		return site.type == ExpressionType::number
				   ? "An expression looks at one row. The rollup of a rule, or the statistic of a feature, says how the values of "
					 "several rows come together."
				   : "An expression looks at one row. A rule counts rows by counting = 'once' with at_least and at_most, a "
					 "feature by its statistic.";
	case ERRCODE_INVALID_OBJECT_DEFINITION:
		return "The score must depend on nothing but the data and as_of: use immutable or stable functions.";
	case ERRCODE_DATATYPE_MISMATCH:
		return psprintf("Write a %s, such as %s.", noun_of(site.type), example_of(site.type));
	case ERRCODE_UNDEFINED_COLUMN:
	case ERRCODE_UNDEFINED_TABLE:
		return "An expression can use the columns of its own relation and as_of; texts stand in single quotes.";
	default:
		return psprintf("Write one SQL expression over the columns of the relation, such as %s.", example_of(site.type));
	}
}

} // namespace lead_scoring::pg
