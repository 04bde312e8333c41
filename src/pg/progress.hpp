// How far an evaluation has come, for other sessions (view lead_scoring.progress) and, now and then, as a NOTICE.
#pragma once

#include "pg/postgres_api.hpp"

namespace lead_scoring::pg
{

// What an evaluation or a training is doing
enum class Phase : int
{
	reading = 1, // a source
	scoring = 2, // the records
	writing = 3, // the columns
	collecting = 4, // samples for a training, by snapshots
	training = 5,   // by thousandths
};

// Begin to report on a score; nothing happens if the session reports on something else already
void begin_progress(const char *score, Oid records);

// The same for the training of a model
void begin_training_progress(const char *model, Oid records);

// Begin a phase; expected is how many rows it may have to do, as far as is known
void begin_phase(Phase phase, const char *name, double expected);

// Note that a phase has come to so many rows
void note_progress(double done);

// Tell other sessions only how far the training is, 0 .. 1; never raises
void note_training(const char *phase, double share) noexcept;

void end_progress();

} // namespace lead_scoring::pg
