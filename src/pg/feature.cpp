#include "pg/postgres_api.hpp"

#include "pg/feature.hpp"

#include <cmath>

namespace lead_scoring::pg
{

ExpressionType
type_of_feature(const char *statistic)
{
	static const struct
	{
		const char *statistic;
		ExpressionType type;
	} types[] = {
		{"value", ExpressionType::input},        {"days_since", ExpressionType::instant},
		{"days_until", ExpressionType::instant}, {"sum", ExpressionType::number},
		{"average", ExpressionType::number},     {"minimum", ExpressionType::number},
		{"maximum", ExpressionType::number},     {"distinct", ExpressionType::hashable},
	};

	for (const auto &known : types)
	{
		if (strcmp(known.statistic, statistic) == 0)
		{
			return known.type;
		}
	}
	return ExpressionType::any;
}

const char *
feature_text(const core::FeatureInfo &feature, double value)
{
	if (std::isnan(value))
	{
		return nullptr;
	}
	if (!feature.categorical)
	{
		// To be read: 4 decimals are plenty, except of what is tiny
		double size = std::fabs(value);
		double shown = size >= 0.001 && size < 1e11 ? std::round(value * 1e4) / 1e4 : value;
		return DatumGetCString(DirectFunctionCall1(float8out, Float8GetDatum(shown)));
	}
	return value == core::unseen_category ? "(not seen in training)" : feature.categories[static_cast<size_t>(value)].c_str();
}

} // namespace lead_scoring::pg
