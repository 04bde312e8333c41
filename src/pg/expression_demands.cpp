// What expressions ask of whoever evaluates them.
#include "pg/postgres_api.hpp"

#include "pg/expression.hpp"

extern "C"
{
#include "access/transam.h"
#include "catalog/namespace.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
}

namespace lead_scoring::pg
{

namespace
{

using Walker = bool (*)(Node *node, void *context);

// Whether something is true of a node within another
bool
walk(Node *node, Walker walker, void *context)
{
#if PG_VERSION_NUM >= 160000
	return expression_tree_walker(node, walker, context);
#else
	auto untyped = reinterpret_cast<void (*)()>(walker);
	return expression_tree_walker(node, reinterpret_cast<bool (*)()>(untyped), context);
#endif
}

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
	return walk(node, contains_parameter, context);
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
	return walk(node, calls_unsafe, context);
}

bool
is_foreign_function(Oid function, void *)
{
	return function >= FirstUnpinnedObjectId;
}

// Whether a type may have operators of its own, which functions of PostgreSQL look up and call, as those that compare arrays do
bool
is_foreign_type(Oid type)
{
	return type >= FirstUnpinnedObjectId && get_typtype(type) != TYPTYPE_ENUM;
}

// Whether a node yields a value of such a type; true of nodes that are not known
bool
yields_foreign(Node *node)
{
	switch (nodeTag(node))
	{
	case T_List:
	case T_CaseWhen:
		return false;
	case T_Var:
	case T_Const:
	case T_Param:
	case T_SubscriptingRef:
	case T_FuncExpr:
	case T_NamedArgExpr:
	case T_OpExpr:
	case T_DistinctExpr:
	case T_NullIfExpr:
	case T_ScalarArrayOpExpr:
	case T_BoolExpr:
	case T_FieldSelect:
	case T_RelabelType:
	case T_CoerceViaIO:
	case T_ArrayCoerceExpr:
	case T_CollateExpr:
	case T_CaseExpr:
	case T_CaseTestExpr:
	case T_ArrayExpr:
	case T_RowExpr:
	case T_RowCompareExpr:
	case T_CoalesceExpr:
	case T_MinMaxExpr:
	case T_NullTest:
	case T_BooleanTest:
		return is_foreign_type(exprType(node));
	default:
		return true;
	}
}

bool
calls_foreign(Node *node, void *context)
{
	if (node == nullptr)
	{
		return false;
	}
	if (yields_foreign(node) || check_functions_in_node(node, is_foreign_function, context))
	{
		return true;
	}
	return walk(node, calls_foreign, context);
}

bool
is_temporary_function(Oid function, void *)
{
	return isAnyTempNamespace(get_func_namespace(function));
}

bool
is_temporary_type(Oid type)
{
	HeapTuple found = SearchSysCache1(TYPEOID, ObjectIdGetDatum(type));
	bool is_temporary = HeapTupleIsValid(found) && isAnyTempNamespace(reinterpret_cast<Form_pg_type>(GETSTRUCT(found))->typnamespace);

	if (HeapTupleIsValid(found))
	{
		ReleaseSysCache(found);
	}
	return is_temporary;
}

// Whether a node makes a value of a type that ends with the session. Other nodes have such values from these only, from functions,
// or from columns
bool
makes_temporary(Node *node)
{
	switch (nodeTag(node))
	{
	case T_Const:
	case T_RelabelType:
	case T_CoerceViaIO:
	case T_CoerceToDomain:
	case T_ArrayCoerceExpr:
	case T_ConvertRowtypeExpr:
	case T_RowExpr:
		return is_temporary_type(exprType(node));
	default:
		return false;
	}
}

bool
contains_temporary(Node *node, void *context)
{
	if (node == nullptr)
	{
		return false;
	}
	if (makes_temporary(node) || check_functions_in_node(node, is_temporary_function, context))
	{
		return true;
	}
	return walk(node, contains_temporary, context);
}

} // namespace

bool
names_temporary(Node *expression)
{
	return contains_temporary(expression, nullptr);
}

bool
reads_as_of(Node *expression)
{
	return contains_parameter(expression, nullptr);
}

bool
calls_others(Node *expression)
{
	return calls_foreign(expression, nullptr);
}

bool
is_parallel_safe(Node *expression)
{
	return !calls_unsafe(expression, nullptr);
}

} // namespace lead_scoring::pg
