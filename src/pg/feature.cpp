#include "pg/postgres_api.hpp"

#include "pg/feature.hpp"

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

} // namespace lead_scoring::pg
