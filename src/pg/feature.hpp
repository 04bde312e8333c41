// Features of models.
#pragma once

#include "pg/postgres_api.hpp"

#include "pg/expression.hpp"

namespace lead_scoring::pg
{

// What the expression of a feature must yield, by its statistic
ExpressionType type_of_feature(const char *statistic);

} // namespace lead_scoring::pg
