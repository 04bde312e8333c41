#include "pg/postgres_api.hpp"

#include "pg/fill.hpp"

#include "pg/batch_guard.hpp"
#include "pg/cells.hpp"
#include "pg/changes.hpp"
#include "pg/guard_columns.hpp"
#include "pg/held.hpp"
#include "pg/read_columns.hpp"
#include "pg/score_columns.hpp"
#include "pg/session.hpp"
#include "pg/settings.hpp"
#include "pg/waiting.hpp"
#include "pg/write_scores.hpp"
#include "pg/writing.hpp"

extern "C"
{
#include "catalog/pg_inherits.h"
#include "commands/trigger.h"
#include "executor/executor.h"
#include "utils/datum.h"
#include "utils/snapmgr.h"
}

LEAD_SCORING_FUNCTION(lead_scoring_fill);

namespace lead_scoring::pg
{

namespace
{

// The columns of a score, in a row of its table
struct FilledColumns
{
	int positions[stored_values + 1];
	Datum values[stored_values + 1];
	bool nulls[stored_values + 1];
};

// Whether a column that the score reads is computed after triggers have run
bool
reads_generated(const LoadedScore *score)
{
	Bitmapset *read = read_attributes(score->records);

	for (int member = -1; (member = bms_next_member(read, member)) >= 0;)
	{
		if (member == 0 || get_attgenerated(score->records->relation, static_cast<AttrNumber>(member)) != '\0')
		{
			return true;
		}
	}
	return false;
}

bool
always_in_force(const core::Definition &definition)
{
	for (const core::RuleDefinition &rule : definition.rules)
	{
		if (rule.valid.from != core::infinitely_old || rule.valid.until != core::infinitely_late)
		{
			return false;
		}
	}
	return true;
}

bool
all_from_row(const LoadedScore *score)
{
	for (int at = 0; at < score->records->inputs->count; at++)
	{
		if (score->records->inputs->columns[at].computed != nullptr)
		{
			return false;
		}
	}
	return true;
}

// Make a slot as the query of the records would deliver the row: without what was dropped
TupleTableSlot *
slot_of(HeapTuple row, TupleDesc descriptor)
{
	int count = 0;
	for (int at = 0; at < descriptor->natts; at++)
	{
		count += !TupleDescAttr(descriptor, at)->attisdropped;
	}
	TupleDesc live = CreateTemplateTupleDesc(count);
	auto *values = static_cast<Datum *>(palloc(sizeof(Datum) * static_cast<Size>(descriptor->natts)));
	auto *nulls = static_cast<bool *>(palloc(sizeof(bool) * static_cast<Size>(descriptor->natts)));
	AttrNumber next = 0;
	for (int at = 0; at < descriptor->natts; at++)
	{
		if (!TupleDescAttr(descriptor, at)->attisdropped)
		{
			TupleDescCopyEntry(live, ++next, descriptor, static_cast<AttrNumber>(at + 1));
		}
	}
	TupleTableSlot *slot = MakeSingleTupleTableSlot(live, &TTSOpsVirtual);
	heap_deform_tuple(row, descriptor, values, nulls);
	next = 0;
	for (int at = 0; at < descriptor->natts; at++)
	{
		if (!TupleDescAttr(descriptor, at)->attisdropped)
		{
			slot->tts_values[next] = values[at];
			slot->tts_isnull[next++] = nulls[at];
		}
	}
	return ExecStoreVirtualTuple(slot);
}

// Evaluate a row as if the query of the records had delivered it
core::ScoreResult
evaluate_row(KeptScore *kept, TupleTableSlot *slot)
{
	Receiver *receiver = kept->records->receiver;
	core::Scorer *scorer = kept->scorer;
	core::ScoreResult result{};
	core::ScoreResult *results = static_cast<core::ScoreResult *>(palloc(sizeof(core::ScoreResult) * core::batch_rows));
	TimestampTz instant = GetCurrentTimestamp();

	kept->records->parameters->params[0].value = TimestampTzGetDatum(instant);
	guarded([scorer, instant]() { scorer->move_to(static_cast<int64_t>(instant)); });
	reset_receiver(receiver);
	receiver->base.rStartup(&receiver->base, CMD_SELECT, slot->tts_tupleDescriptor);
	receiver->base.receiveSlot(slot, &receiver->base);
	const core::Batch &batch = receiver->batch;
	guarded_batch(scorer, kept->score->definition.key_kind, batch,
				  [scorer, &batch, results]() { scorer->finish_records(batch, results); });
	result = results[0];
	return result;
}

FilledColumns
fill_columns(KeptScore *kept, HeapTuple row, TupleDesc descriptor)
{
	ScoreColumns columns = score_columns(kept->score->name);
	const char *const names[] = {columns.total, columns.fit, columns.engagement, columns.label};
	FilledColumns filled{};
	Session session = begin_for_owners(kept->score->settings_matter);

	become_owner(kept->score->records->owner, session);
	kept->busy = true;
	kept->users++;
	PG_TRY();
	{
		core::ScoreResult result = evaluate_row(kept, slot_of(row, descriptor));
		put_values(result, filled.values, filled.nulls);
		put_label(kept->labels, result.labels.label, &filled.values[stored_values], &filled.nulls[stored_values]);
	}
	PG_FINALLY();
	{
		kept->busy = false;
		kept->users--;
	}
	PG_END_TRY();
	end_session(session);
	for (int at = 0; at <= stored_values; at++)
	{
		filled.positions[at] = get_attnum(kept->score->target, names[at]);
	}
	return filled;
}

// Visit the scores that the rows of a relation decide
template <typename Visit>
void
each_filled(const PathStarts *starts, Visit visit)
{
	for (int at = 0; at < starts->count; at++)
	{
		const Path *path = starts->starts[at].path;
		for (int place = 0; path->kind == PathKind::record && place < list_length(path->scores); place++)
		{
			auto *score = static_cast<const ActiveScore *>(list_nth(path->scores, place));
			if (score->filled)
			{
				visit(score, starts->starts[at]);
			}
		}
	}
}

ScoreValues
values_in(TupleTableSlot *row, const ScoreColumns &columns, Oid relation)
{
	const char *const names[] = {columns.total, columns.fit, columns.engagement, columns.label};
	ScoreValues found{0, 0, 0, 0, {true, true, true, true}};
	double *const numbers[] = {&found.total, &found.fit, &found.engagement};

	for (int at = 0; row != nullptr && at <= stored_values; at++)
	{
		AttrNumber column = get_attnum(relation, names[at]);
		Datum value = column == InvalidAttrNumber ? 0 : slot_getattr(row, column, &found.nulls[at]);
		if (at == stored_values)
		{
			found.label = value;
		}
		else
		{
			*numbers[at] = found.nulls[at] ? 0 : DatumGetFloat8(value);
		}
	}
	return found;
}

bool
same_values(const ScoreValues &left, const ScoreValues &right)
{
	return memcmp(left.nulls, right.nulls, sizeof left.nulls) == 0 && left.total == right.total && left.fit == right.fit &&
		   left.engagement == right.engagement &&
		   (left.nulls[stored_values] || datum_image_eq(left.label, right.label, false, -1));
}

// The key of a record in its row
core::Key
key_in(TupleTableSlot *row, Oid relation, const LoadedStream *records)
{
	bool is_null;
	Datum key = slot_getattr(row, get_attnum(relation, records->key_column), &is_null);

	return read_key(records->key_type, key, CurrentMemoryContext);
}

} // namespace

bool
decided_by_row(const LoadedScore *score)
{
	const core::Definition &definition = score->definition;

	return definition.sources.empty() && !definition.has_adjustments && !definition.has_resets && !definition.reads_clock &&
		   score->own_target && !has_relative_bands(score) && always_in_force(definition) &&
		   get_rel_relkind(score->target) == RELKIND_RELATION && !has_subclass(score->target) &&
		   !has_superclass(score->target) && all_from_row(score) && !reads_generated(score);
}

bool
writes_filled(const PathStarts *starts, const Rows &rows)
{
	for (int at = 0; at < list_length(starts->kept); at++)
	{
		auto *kept = static_cast<const KeptColumns *>(list_nth(starts->kept, at));
		if (kept->score->filled && !left_alone(kept->columns, rows))
		{
			return true;
		}
	}
	return false;
}

void
note_filled(Relation relation, const PathStarts *starts, const Rows &rows)
{
	TupleTableSlot *before = rows.before;
	TupleTableSlot *after = rows.after;

	// What a publisher sends was not computed here: it is when the row is scored by itself
	if (after == nullptr || is_writing_scores() || SessionReplicationRole == SESSION_REPLICATION_ROLE_REPLICA)
	{
		return;
	}
	each_filled(starts,
				[&](const ActiveScore *score, const PathStart &)
				{
					ScoreColumns columns = score_columns(score->name);
					Change change{0, values_in(before, columns, RelationGetRelid(relation)),
								  values_in(after, columns, RelationGetRelid(relation))};
					if (same_values(change.before, change.after))
					{
						return;
					}
					SPI_connect();
					PushActiveSnapshot(GetLatestSnapshot());
					KeptScore *kept = kept_score(score->name, GetCurrentTimestamp());
					kept->users++;
					core::KeyKind kind = kept->score->definition.key_kind;
					core::Key key = key_in(after, RelationGetRelid(relation), kept->score->records);
					if (before != nullptr)
					{
						end_parked(score->name, kind, {&key, 1});
					}
					if (wants_changes(kept->score))
					{
						change.key = CStringGetTextDatum(key_string(kind, key));
						note_changes(kept->score, &change, 1, score_writes_allowed() ? "repair" : "facts", GetCurrentTimestamp());
					}
					kept->users--;
					PopActiveSnapshot();
					SPI_finish();
				});
}

} // namespace lead_scoring::pg

// Compute the scores of a row before it is written
Datum
lead_scoring_fill(PG_FUNCTION_ARGS)
{
	using namespace lead_scoring::pg;

	if (!CALLED_AS_TRIGGER(fcinfo))
	{
		ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED), errmsg("lead_scoring.fill() is a trigger function"),
						errhint("lead_scoring.activate() attaches it where it is needed.")));
	}
	auto *trigger = reinterpret_cast<const TriggerData *>(fcinfo->context);
	if (!TRIGGER_FIRED_BEFORE(trigger->tg_event) || !TRIGGER_FIRED_FOR_ROW(trigger->tg_event) ||
		TRIGGER_FIRED_BY_DELETE(trigger->tg_event))
	{
		ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
						errmsg("lead_scoring.fill() must be fired before INSERT or UPDATE, for each row"),
						errhint("lead_scoring.activate() attaches it where it is needed.")));
	}
	HeapTuple row = TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) ? trigger->tg_newtuple : trigger->tg_trigtuple;
	if (is_writing_scores() || is_restoring())
	{
		return PointerGetDatum(row);
	}
	Relation relation = trigger->tg_relation;
	const Rows rows = rows_of(trigger);
	const PathStarts *starts = hold_paths_from(RelationGetRelid(relation));
	if (TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) && writes_filled(starts, rows) && !may_write_scores())
	{
		refuse_write(relation);
	}
	each_filled(starts,
				[&](const ActiveScore *score, const PathStart &start)
				{
					if (is_indifferent(start, rows))
					{
						return;
					}
					MemoryContext outside = CurrentMemoryContext;
					SPI_connect();
					PushActiveSnapshot(GetLatestSnapshot());
					forget_changed_scores();
					FilledColumns filled = fill_columns(kept_score(score->name, GetCurrentTimestamp()), row, RelationGetDescr(relation));
					MemoryContext inside = MemoryContextSwitchTo(outside);
					row = heap_modify_tuple_by_cols(row, RelationGetDescr(relation), stored_values + 1, filled.positions,
													filled.values, filled.nulls);
					MemoryContextSwitchTo(inside);
					PopActiveSnapshot();
					SPI_finish();
				});
	return PointerGetDatum(row);
}
