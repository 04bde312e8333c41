// The triggers that keep scores current.
//
// A trigger before the statement holds the definitions of the scores where rows are going to be locked that have their columns. A
// trigger for each row notes which records it touches, without evaluating anything; a trigger after the statement scores
// all that was noted, each record once. Where no trigger after the statement comes (rows that arrive by logical
// replication, rows written straight into a partition that was made after the score was switched on), the trigger for
// the row scores at once.
#include "pg/postgres_api.hpp"

#include "pg/fill.hpp"
#include "pg/flush.hpp"
#include "pg/guard_columns.hpp"
#include "pg/held.hpp"
#include "pg/idle_update.hpp"
#include "pg/row_change.hpp"
#include "pg/sent_scores.hpp"
#include "pg/session.hpp"
#include "pg/touched.hpp"
#include "pg/writing.hpp"

extern "C"
{
#include "catalog/pg_trigger.h"
#include "commands/trigger.h"
}

LEAD_SCORING_FUNCTION(lead_scoring_hold);
LEAD_SCORING_FUNCTION(lead_scoring_touch);
LEAD_SCORING_FUNCTION(lead_scoring_flush);

namespace lead_scoring::pg
{

namespace
{

void
touch(const PathStart &start, TupleTableSlot *row)
{
	bool is_null;

	if (row == nullptr)
	{
		return;
	}
	Datum link = slot_getattr(row, start.link, &is_null);
	if (!is_null)
	{
		touch_link(start, link);
	}
}

void
touch_row(const PathStart &start, const Rows &rows, bool overwritten)
{
	PathKind kind = start.path->kind;
	bool of_scores = kind == PathKind::record || kind == PathKind::target;

	if ((is_indifferent(start, rows) && !(overwritten && of_scores)) || (kind == PathKind::target && is_writing_scores()))
	{
		return;
	}
	bool found_by_after = kind == PathKind::record && rows.before != nullptr && rows.after != nullptr && same_column(rows, start.link);
	// Who looks for a record that is about to go, or to be linked otherwise, still finds it, and waits for its row
	bool only_after = kind == PathKind::record_key || kind == PathKind::record_link;
	if (!found_by_after && !only_after)
	{
		touch(start, rows.before);
	}
	touch(start, rows.after);
}

// Whether an update brings a score that is not ours; raise unless it is a publisher's
bool
is_overwritten(const TriggerData *trigger, const PathStarts *starts, const Rows &rows)
{
	bool overwritten = TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) && !may_write_scores() && is_score_written(starts, rows);

	if (overwritten && SessionReplicationRole != SESSION_REPLICATION_ROLE_REPLICA)
	{
		refuse_write(trigger->tg_relation);
	}
	return overwritten;
}

// Whether an update brings a score that was computed of the row on its way into the table
bool
is_filled(const TriggerData *trigger, const PathStarts *starts, const Rows &rows)
{
	return TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) && !may_write_scores() && writes_filled(starts, rows);
}

// Whether a trigger of ours comes after the statement that wrote a row of a relation
bool
flush_comes(Relation relation, const PathStarts *starts)
{
	// Logical replication writes rows without statements; only TRUNCATE has its trigger there
	return SessionReplicationRole != SESSION_REPLICATION_ROLE_REPLICA && !starts->from_above &&
		   has_enabled_trigger(relation, flush_trigger);
}

// Score what a row has touched, which may bring scores of a publisher
void
score_row(Relation relation, const PathStarts *starts, const Rows &rows)
{
	SentScores sent;

	if (SessionReplicationRole != SESSION_REPLICATION_ROLE_REPLICA || is_writing_scores())
	{
		score_touched();
		return;
	}
	begin_sent_scores(&sent, relation, starts, rows);
	PG_TRY();
	{
		score_touched();
	}
	PG_FINALLY();
	{
		end_sent_scores(sent);
	}
	PG_END_TRY();
}

// When a trigger function is to be called
struct Timing
{
	TriggerEvent bits;
	const char *words;
};

constexpr Timing before_statement = {TRIGGER_EVENT_BEFORE, "before an event, for each statement"};
constexpr Timing after_row = {TRIGGER_EVENT_AFTER | TRIGGER_EVENT_ROW, "after an event, for each row"};
constexpr Timing after_statement = {TRIGGER_EVENT_AFTER, "after an event, for each statement"};

const TriggerData *
trigger_of(FunctionCallInfo fcinfo, const char *function, const Timing &timing)
{
	if (!CALLED_AS_TRIGGER(fcinfo))
	{
		ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
						errmsg("%s is a trigger function", function),
						errhint("lead_scoring.activate() attaches it where it is needed.")));
	}
	auto *trigger = reinterpret_cast<const TriggerData *>(fcinfo->context);
	if ((trigger->tg_event & (TRIGGER_EVENT_TIMINGMASK | TRIGGER_EVENT_ROW)) != timing.bits)
	{
		ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
						errmsg("%s must be fired %s", function, timing.words),
						errhint("lead_scoring.activate() attaches it where it is needed.")));
	}
	return trigger;
}

} // namespace

} // namespace lead_scoring::pg

// Hold the definitions of the scores of a relation before its rows are locked, or those that foreign keys name: who scores all
// records at once has them to himself and is going to write these rows
Datum
lead_scoring_hold(PG_FUNCTION_ARGS)
{
	using namespace lead_scoring::pg;

	const TriggerData *trigger = trigger_of(fcinfo, "lead_scoring.hold()", before_statement);
	if (!is_restoring() && !is_writing_scores())
	{
		const PathStarts *starts = hold_paths_from(RelationGetRelid(trigger->tg_relation));
		if (TRIGGER_FIRED_BY_UPDATE(trigger->tg_event))
		{
			skip_idle_update(trigger, starts);
		}
	}
	return PointerGetDatum(nullptr);
}

// Note the records that a row touches
Datum
lead_scoring_touch(PG_FUNCTION_ARGS)
{
	using namespace lead_scoring::pg;

	const TriggerData *trigger = trigger_of(fcinfo, "lead_scoring.touch()", after_row);
	if (is_restoring())
	{
		return PointerGetDatum(nullptr);
	}
	const PathStarts *starts = hold_paths_from(RelationGetRelid(trigger->tg_relation));
	Rows rows = rows_of(trigger);
	// What a publisher says of scores is replaced; and what was computed of a row that a later trigger has changed back
	bool overwritten = is_overwritten(trigger, starts, rows) || is_filled(trigger, starts, rows);
	note_filled(trigger->tg_relation, starts, rows);
	for (int at = 0; at < starts->count; at++)
	{
		touch_row(starts->starts[at], rows, overwritten);
	}
	if (!flush_comes(trigger->tg_relation, starts))
	{
		score_row(trigger->tg_relation, starts, rows);
	}
	return PointerGetDatum(nullptr);
}

// Score the records that a statement has touched
Datum
lead_scoring_flush(PG_FUNCTION_ARGS)
{
	using namespace lead_scoring::pg;

	const TriggerData *trigger = trigger_of(fcinfo, "lead_scoring.flush()", after_statement);
	if (is_restoring())
	{
		return PointerGetDatum(nullptr);
	}
	if (TRIGGER_FIRED_BY_TRUNCATE(trigger->tg_event))
	{
		const PathStarts *starts = hold_paths_from(RelationGetRelid(trigger->tg_relation));
		for (int at = 0; at < starts->count; at++)
		{
			touch_everybody(starts->starts[at]);
		}
	}
	score_touched();
	return PointerGetDatum(nullptr);
}
