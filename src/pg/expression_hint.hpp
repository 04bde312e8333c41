// The advice that goes with an error in an expression. Included by what parses expressions.
#pragma once

#include "pg/postgres_api.hpp"

#include "pg/expression.hpp"

namespace lead_scoring::pg
{

// What to do about an error of PostgreSQL's parser, which an expression has caused
const char *expression_hint(const ErrorData *error, const char *text, const ExpressionSite &site);

} // namespace lead_scoring::pg
