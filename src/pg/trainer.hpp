// Training by itself, in a process of its own, so that scores are kept current meanwhile.
#pragma once

#include "pg/postgres_api.hpp"

namespace lead_scoring::pg
{

// Start the process if a model is to be trained again and none is at it; in a transaction of the background worker
void start_trainer_if_due();

} // namespace lead_scoring::pg
