// Features of models.
#pragma once

#include "pg/postgres_api.hpp"

#include "core/model.hpp"
#include "pg/expression.hpp"

namespace lead_scoring::pg
{

// What the expression of a feature must yield, by its statistic
ExpressionType type_of_feature(const char *statistic);

// The value of a feature as a text, null if it is missing
const char *feature_text(const core::FeatureInfo &feature, double value);

} // namespace lead_scoring::pg
