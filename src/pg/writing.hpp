// What is known of score columns while they are written, and of the instant that they are brought to.
#pragma once

#include "pg/postgres_api.hpp"

extern "C"
{
#include "datatype/timestamp.h"
}

namespace lead_scoring::pg
{

// The columns of a score that are being written, as of an instant; triggers may have others written meanwhile
struct Writing
{
	const char *score;
	TimestampTz as_of;
	int depth;      // in triggers
	bool in_circle; // writing it has had it written again
	const Writing *around;
};

// Whether an instant stands for now: the clock has shown it since the transaction began, and others may have committed facts
// that are later
bool is_now(TimestampTz instant);

// Say that the columns of a score are being written by the extension, until the end is said; whoever begins must end it,
// whatever happens
void begin_writing_scores(Writing *writing, const char *score, TimestampTz as_of);
void end_writing_scores(const Writing &writing);

// The end after an error, which is raised again: in a catch block. If it comes of scores that have each other written without
// end, it says so instead
[[noreturn]] void fail_writing_scores(const Writing &writing);

// Say that all scores are on their way to an instant other than now, DT_NOBEGIN for none; returns what was said before
TimestampTz begin_following(TimestampTz as_of);

// Whether they are
bool is_following();

// The instant other than now that a score is on its way to, or DT_NOBEGIN: if its record is touched meanwhile, as by what is
// written for it, it is scored as of that instant, or it would not get there
TimestampTz instant_on_its_way(const char *score);

// Whether a trigger is fired by such a write itself, not by what another trigger does meanwhile
bool is_writing_scores();

// The same for the condition of a trigger
bool is_statement_of_scores();

} // namespace lead_scoring::pg
