// What expressions ask of whoever evaluates them.
#include "pg/postgres_api.hpp"

#include "pg/expression.hpp"

extern "C"
{
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

// Whether an expression calls what must not run in several processes at once
bool
calls_unsafe(Node *node, void *context)
{
	if (node == nullptr)
	{
		return false;
	}
	// The coercion to a domain runs its constraints, which are expressions of their own
	if (IsA(node, CoerceToDomain) || check_functions_in_node(node, is_unsafe_function, context))
	{
		return true;
	}
#if PG_VERSION_NUM >= 160000
	return expression_tree_walker(node, calls_unsafe, context);
#else
	auto untyped = reinterpret_cast<void (*)()>(calls_unsafe);
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
is_parallel_safe(Node *expression)
{
	return !calls_unsafe(expression, nullptr);
}

} // namespace lead_scoring::pg
