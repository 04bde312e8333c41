#include "pg/postgres_api.hpp"

#include "pg/results.hpp"

#include "pg/row_set.hpp"

#include <cmath>

namespace lead_scoring::pg
{

LabelDatums
make_label_datums(const core::Program &program)
{
	size_t count = program.bands.texts().size();
	auto *texts = static_cast<Datum *>(palloc(sizeof(Datum) * Max(count, 1)));

	for (size_t at = 0; at < count; at++)
	{
		texts[at] = text_datum(program.bands.texts()[at].data(), program.bands.texts()[at].size());
	}
	return {texts};
}

void
put_values(const core::ScoreResult &result, Datum *values, bool *nulls)
{
	const double parts[] = {result.total, result.fit, result.engagement};

	for (int at = 0; at < 3; at++)
	{
		nulls[at] = !result.in_scope || std::isnan(parts[at]);
		values[at] = Float8GetDatum(nulls[at] ? 0 : parts[at]);
	}
}

void
put_label(const LabelDatums &labels, uint16_t label, Datum *value, bool *null)
{
	*null = label == core::no_label;
	*value = *null ? 0 : labels.texts[label];
}

} // namespace lead_scoring::pg
