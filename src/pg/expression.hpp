// Expressions of definitions: parsed and checked by PostgreSQL itself, as one expression over one row of a relation.
#pragma once

#include "pg/postgres_api.hpp"

namespace lead_scoring::pg
{

// What an expression yields
enum class ExpressionType
{
	boolean,
	number,   // any type of number, made double precision
	any,      // any type that can be cast to text
	integer,  // any type of integer, made bigint
	text,     // any type of text and enums, made text
	instant,  // timestamp with time zone, or what becomes it by itself: a date is midnight UTC
	outcome,  // an instant or a boolean, made one of these
	input,    // what a model can learn from: a number, a boolean or a text, made one of these
	hashable, // any type whose values can be told apart
};

// Where an expression stands, for errors, and what it must be
struct ExpressionSite
{
	const char *what;  // 'rule "student" of score "lead_score"'
	const char *field; // "criterion", "filter"
	bool resolved;     // whether the text was written by expression_sql, without alias
	ExpressionType type = ExpressionType::boolean;
};

// Parse and check an expression over a row of a relation; names are looked up under the search path in force.
// The pseudo-column as_of becomes parameter 1. Errors name the site, quote the text and point at the mistake
Node *parse_expression(Relation relation, const char *text, const ExpressionSite &site);

// Write a parsed expression with every name resolved, as safe under any search path as under this one; the row is
// called by the alias, or in the way that parse_expression expects of resolved texts if it is null
char *expression_sql(Node *expression, Oid relation, const char *alias);

// Whether an expression calls functions, or makes values of types, that end with the session
bool names_temporary(Node *expression);

// Whether an expression reads the pseudo-column as_of
bool reads_as_of(Node *expression);

// Whether an expression calls functions that are not PostgreSQL's own, or has values of types that may: these call anything, by
// names that are looked up when they run
bool calls_others(Node *expression);

// Whether all that an expression calls may run in several processes at once
bool is_parallel_safe(Node *expression);

} // namespace lead_scoring::pg
