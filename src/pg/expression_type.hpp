// What expressions must yield. Included by what parses them.
#pragma once

#include "pg/postgres_api.hpp"

#include "pg/expression.hpp"

struct ParseState;

namespace lead_scoring::pg
{

// Make an expression yield what it must; raises if it cannot
void require_type(ParseState *parser, Node *&expression, ExpressionType type);

// What a type is called in advice, and an expression that yields it
const char *noun_of(ExpressionType type);
const char *example_of(ExpressionType type);

} // namespace lead_scoring::pg
