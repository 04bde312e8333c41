// Intervals as lengths of time.
#pragma once

#include "pg/postgres_api.hpp"

namespace lead_scoring::pg
{

// Give the length of an interval in microseconds, a month being 30 days (decision D4); false if it does not fit
bool interval_length(const Interval *interval, int64 *length);

} // namespace lead_scoring::pg
