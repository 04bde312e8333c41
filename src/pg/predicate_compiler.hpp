// From PostgreSQL's expression trees to the core's criteria, and the columns that they read.
#pragma once

#include "pg/postgres_api.hpp"

#include "core/predicate.hpp"

namespace lead_scoring::pg
{

// A column that a stream delivers: an attribute of the relation, or an expression over a row
struct InputColumn
{
	core::ColumnKind kind;
	AttrNumber attribute;   // 0 for an expression
	Oid type;               // domains looked through
	Node *expression;       // null for an attribute
	const char *computed;   // SQL of an expression that only the query itself can compute, or null
	const char *what;       // the first rule that reads it, for errors
	const char *field;      // "criterion", "value"
};

struct InputColumns
{
	Oid relation;
	const char *alias; // of the relation in the query that reads them
	const char *what;  // what is being compiled, for errors
	const char *field;
	int count;
	int capacity;
	InputColumn *columns;
};

InputColumns *make_input_columns(Oid relation, const char *alias);

// Compile a criterion. What the core cannot test itself is computed by PostgreSQL's executor as one truth column; tests
// for equality beside it are compiled all the same, so that the core can dispatch on them
const core::PredicateTree *compile_criterion(Node *expression, InputColumns *inputs);

// Return the number of the column of a kind that holds what an expression yields
int compile_column(Node *expression, core::ColumnKind kind, InputColumns *inputs);

// Return the number of the column of doubles that holds the value of an expression
int compile_value(Node *expression, InputColumns *inputs);

} // namespace lead_scoring::pg
