// Scores that a publisher sends with a row. They are none of ours: what is noted of the record's next evaluation is the change
// from what the row held before.
#pragma once

#include "pg/postgres_api.hpp"

#include "core/batch.hpp"
#include "pg/row_change.hpp"
#include "pg/stream.hpp"

namespace lead_scoring::pg
{

// The scores that came with a row
struct SentScores
{
	List *scores; // those that were not evaluated yet
	SentScores *around;
};

// Say that a row brings scores, until the end is said; whoever begins must end it, whatever happens
void begin_sent_scores(SentScores *sent, Relation relation, const PathStarts *starts, const Rows &rows);
void end_sent_scores(const SentScores &sent);

// What the row of a record held of a score before another was sent, null if none was; told once
const StoredScore *take_replaced(const char *score, core::KeyKind kind, const core::Key &key);

} // namespace lead_scoring::pg
