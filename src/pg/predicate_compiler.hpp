// From PostgreSQL's expression trees to the core's criteria, and the columns that they read.
#pragma once

#include "pg/postgres_api.hpp"

#include "core/predicate.hpp"

namespace lead_scoring::pg
{

// A column that a stream delivers: an attribute of the relation, or an expression that the executor computes
struct InputColumn
{
	core::ColumnKind kind;
	AttrNumber attribute; // 0 for an expression
	Oid type;             // of the attribute, domains looked through
	const char *sql;      // what to select
};

struct InputColumns
{
	Oid relation;
	const char *alias; // of the relation in the query that reads them
	int count;
	int capacity;
	InputColumn *columns;
};

InputColumns *make_input_columns(Oid relation, const char *alias);

// Compile a criterion. What the core cannot test itself is computed by the executor as one truth column; tests for
// equality beside it are compiled all the same, so that the core can dispatch on them
const core::PredicateTree *compile_criterion(Node *expression, InputColumns *inputs);

} // namespace lead_scoring::pg
