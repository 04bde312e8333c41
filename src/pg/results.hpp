// Scores as rows of datums.
#pragma once

#include "pg/postgres_api.hpp"

#include "core/scorer.hpp"

namespace lead_scoring::pg
{

// The labels of a score as datums, by number
struct LabelDatums
{
	const Datum *texts;
};

LabelDatums make_label_datums(const core::Program &program);

// Put total, fit and engagement from a column on; NULL where the score has no such part
void put_values(const core::ScoreResult &result, Datum *values, bool *nulls);

// Put a label; NULL where there is none
void put_label(const LabelDatums &labels, uint16_t label, Datum *value, bool *null);

} // namespace lead_scoring::pg
