// What expressions ask of whoever evaluates them.
#include "pg/postgres_api.hpp"

#include "pg/expression.hpp"

extern "C"
{
#include "access/transam.h"
#include "catalog/pg_proc.h"
}

namespace lead_scoring::pg
{

namespace
{

bool
contains_parameter(Node *node, void *context)
{
	if (node == nullptr)
	{
		return false;
	}
	if (IsA(node, Param))
	{
		return true;
	}
#if PG_VERSION_NUM >= 160000
	return expression_tree_walker(node, contains_parameter, context);
#else
	auto untyped = reinterpret_cast<void (*)()>(contains_parameter);
	return expression_tree_walker(node, reinterpret_cast<bool (*)()>(untyped), context);
#endif
}

bool
is_unsafe_function(Oid function, void *)
{
	return func_parallel(function) != PROPARALLEL_SAFE;
}

bool
is_foreign_function(Oid function, void *)
{
	return function >= FirstUnpinnedObjectId;
}

// Whether an expression calls functions of a kind
template <check_function_callback is_of_kind>
bool
calls(Node *node, void *context)
{
	if (node == nullptr)
	{
		return false;
	}
	// The coercion to a domain runs its constraints, which are expressions of their own
	if (IsA(node, CoerceToDomain) || check_functions_in_node(node, is_of_kind, context))
	{
		return true;
	}
#if PG_VERSION_NUM >= 160000
	return expression_tree_walker(node, calls<is_of_kind>, context);
#else
	auto untyped = reinterpret_cast<void (*)()>(calls<is_of_kind>);
	return expression_tree_walker(node, reinterpret_cast<bool (*)()>(untyped), context);
#endif
}

} // namespace

bool
reads_as_of(Node *expression)
{
	return contains_parameter(expression, nullptr);
}

bool
calls_others(Node *expression)
{
	return calls<is_foreign_function>(expression, nullptr);
}

bool
is_parallel_safe(Node *expression)
{
	return !calls<is_unsafe_function>(expression, nullptr);
}

} // namespace lead_scoring::pg
