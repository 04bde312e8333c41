// The columns that hold a score.
#pragma once

#include "pg/postgres_api.hpp"

#include "pg/loaded_score.hpp"

namespace lead_scoring::pg
{

// The columns that a score has, or will have
struct ScoreColumns
{
	const char *total;
	const char *fit;
	const char *engagement;
	const char *label;
};

ScoreColumns score_columns(const char *score);

// Raise unless the columns of an active score are there
void require_columns(const LoadedScore *score);

// Add the columns that are missing; on a draft none of them may be there. SPI is connected
void add_columns(const LoadedScore *score);

// Drop the columns of a score from a relation. SPI is connected
void drop_columns(const char *target, const char *score);

} // namespace lead_scoring::pg
