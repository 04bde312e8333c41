// Scoring what statements have touched.
#pragma once

#include "pg/postgres_api.hpp"

namespace lead_scoring::pg
{

// Names of our triggers, the same on every relation
inline constexpr const char *hold_trigger = "lead_scoring_hold";
inline constexpr const char *touch_trigger = "lead_scoring_touch";
inline constexpr const char *touch_update_trigger = "lead_scoring_touch_update";
inline constexpr const char *flush_trigger = "lead_scoring_flush";
// The last one before a row is written, as other triggers may change what it reads
inline constexpr const char *fill_trigger = "zz_lead_scoring_fill";

// Score, or queue, the records that this session has touched and not yet scored
void score_touched();

} // namespace lead_scoring::pg
