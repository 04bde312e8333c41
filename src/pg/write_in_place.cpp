#include "pg/postgres_api.hpp"

#include "pg/write_in_place.hpp"

#include "pg/cells.hpp"
#include "pg/held.hpp"
#include "pg/key_set.hpp"
#include "pg/row_index.hpp"
#include "pg/score_columns.hpp"

extern "C"
{
#include "access/genam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "commands/trigger.h"
#include "executor/executor.h"
#include "utils/relcache.h"
#include "utils/snapmgr.h"
}

namespace lead_scoring::pg
{

namespace
{

// Whether a trigger need not fire when the extension writes a score: ours have nothing to say then, those of foreign keys
// only if their columns change
bool
is_silent(const Trigger &trigger, Oid ours)
{
	return trigger.tgisinternal ? RI_FKey_trigger_type(trigger.tgfoid) != RI_TRIGGER_NONE
								: get_func_namespace(trigger.tgfoid) == ours;
}

bool
has_silent_triggers(Relation relation)
{
	Oid ours = get_namespace_oid("lead_scoring", false);

	// To look a function up is to hear of what others have changed: the triggers may be read anew, and lie elsewhere then
	for (int at = 0; relation->trigdesc != nullptr && at < relation->trigdesc->numtriggers; at++)
	{
		if (!is_silent(relation->trigdesc->triggers[at], ours))
		{
			return false;
		}
	}
	return true;
}

// Whether an index checks at once, and no foreign key can refer to the columns through it
bool
is_harmless(Relation index, const Bitmapset *columns)
{
	const FormData_pg_index *form = index->rd_index;

	for (int at = 0; at < form->indnatts; at++)
	{
		if (form->indisunique && bms_is_member(Max(form->indkey.values[at], 0), columns))
		{
			return false;
		}
	}
	return form->indimmediate;
}

// Whether no foreign key is about some columns, and no index is checked later
bool
are_unrelated(Relation relation, const Bitmapset *columns)
{
	ListCell *cell;

	foreach (cell, RelationGetIndexList(relation))
	{
		Relation index = index_open(lfirst_oid(cell), AccessShareLock);
		bool harmless = is_harmless(index, columns);
		index_close(index, AccessShareLock);
		if (!harmless)
		{
			return false;
		}
	}
	foreach (cell, RelationGetFKeyList(relation))
	{
		auto *key = static_cast<const ForeignKeyCacheInfo *>(lfirst(cell));
		for (int at = 0; at < key->nkeys; at++)
		{
			if (bms_is_member(key->conkey[at], columns))
			{
				return false;
			}
		}
	}
	return true;
}

bool
has_constraints(Relation relation, const Bitmapset *columns)
{
	const TupleConstr *constraints = RelationGetDescr(relation)->constr;

	for (int attribute = -1; (attribute = bms_next_member(columns, attribute)) >= 0;)
	{
		if (TupleDescAttr(RelationGetDescr(relation), attribute - 1)->attnotnull)
		{
			return true;
		}
	}
	return constraints != nullptr && (constraints->num_check > 0 || constraints->has_generated_stored);
}

// The columns of a score, in the order total, fit, engagement, label; 0 for one that is not there as it must be
void
find_columns(const LoadedScore *score, AttrNumber *columns)
{
	ScoreColumns names = score_columns(score->name);
	int at = 0;

	for (const char *name : {names.total, names.fit, names.engagement, names.label})
	{
		AttrNumber column = get_attnum(score->target, name);
		Oid type = column == InvalidAttrNumber ? InvalidOid : get_atttype(score->target, column);
		columns[at] = type == (at == stored_values ? TEXTOID : FLOAT8OID) ? column : InvalidAttrNumber;
		at++;
	}
}

// Whether no score reads the columns: else whoever writes them touches records, as triggers would find out
bool
are_unread(const KeptScore *kept)
{
	const PathStarts *starts = hold_paths_from(kept->score->target);
	bool unread = !starts->all_matter;

	for (AttrNumber column : kept->columns)
	{
		unread = unread && !bms_is_member(column, starts->matter);
	}
	return unread;
}

bool
has_key(const KeptScore *kept, TupleTableSlot *row, const core::Key &key)
{
	const LoadedStream *records = kept->score->records;
	bool is_null;
	Datum value = slot_getattr(row, kept->record.rows->stream.key_position, &is_null);

	return !is_null && same_key(kept->score->definition.key_kind, read_key(records->key_type, value, CurrentMemoryContext), key);
}

Datum
label_datum(const StoredScore &score)
{
	return PointerGetDatum(cstring_to_text_with_len(score.label.data(), static_cast<int>(score.label.size())));
}

// Make the row that follows another
void
make_row(const KeptScore *kept, TupleTableSlot *before, const StoredScore &score, TupleTableSlot *after)
{
	Size count = static_cast<Size>(before->tts_tupleDescriptor->natts);

	slot_getallattrs(before);
	memcpy(after->tts_values, before->tts_values, sizeof(Datum) * count);
	memcpy(after->tts_isnull, before->tts_isnull, sizeof(bool) * count);
	for (int at = 0; at <= stored_values; at++)
	{
		int column = kept->columns[at] - 1;
		after->tts_isnull[column] = score.nulls[at];
		after->tts_values[column] = score.nulls[at] ? 0 : at == stored_values ? label_datum(score) : Float8GetDatum(score.values[at]);
	}
	ExecStoreVirtualTuple(after);
}

// A table that scores are being written into
struct Target
{
	EState *state;
	ResultRelInfo *info;
	TupleTableSlot *after;
};

Target
begin_writing(Relation relation)
{
	Target target{CreateExecutorState(), makeNode(ResultRelInfo),
				  MakeSingleTupleTableSlot(RelationGetDescr(relation), &TTSOpsVirtual)};

	// Without its triggers
	target.info->ri_RelationDesc = relation;
	ExecOpenIndices(target.info, false);
	return target;
}

void
end_writing(const Target &target)
{
	ExecCloseIndices(target.info);
	ExecDropSingleTupleTableSlot(target.after);
	FreeExecutorState(target.state);
}

void
update_row(const KeptScore *kept, const Target &target, TupleTableSlot *before, const StoredScore &score)
{
	make_row(kept, before, score, target.after);
	ExecSimpleRelationUpdate(target.info, target.state, nullptr, before, target.after);
	ResetPerTupleExprContext(target.state);
	ExecClearTuple(target.after);
}

// Fetch the row that was locked, if it is still there: what the evaluation has called may have written it
bool
fetch_locked(const KeptScore *kept, const RowLookup &lookup, const ColumnChange &change)
{
	ItemPointerData place = change.place;

	return ItemPointerIsValid(&place) && table_tuple_fetch_row_version(lookup.table, &place, GetActiveSnapshot(), lookup.slot) &&
		   has_key(kept, lookup.slot, change.key);
}

bool
may_write_in_place(const KeptScore *kept)
{
	return kept->in_place && kept->record.index != nullptr && are_unread(kept);
}

} // namespace

bool
is_writable_in_place(const LoadedScore *score, AttrNumber *columns)
{
	Bitmapset *members = nullptr;

	if (!score->own_target)
	{
		return false;
	}
	find_columns(score, columns);
	for (int at = 0; at <= stored_values; at++)
	{
		if (columns[at] == InvalidAttrNumber)
		{
			return false;
		}
		members = bms_add_member(members, columns[at]);
	}
	Relation relation = table_open(score->target, AccessShareLock);
	bool fits = relation->rd_rel->relkind == RELKIND_RELATION && !relation->rd_rel->relispartition &&
				!relation->rd_rel->relhasrules && has_silent_triggers(relation) && are_unrelated(relation, members) &&
				!has_constraints(relation, members);
	table_close(relation, NoLock);
	return fits;
}

bool
has_plain_indexes(Oid relation)
{
	Relation table = table_open(relation, AccessShareLock);
	bool plain = true;
	ListCell *cell;

	foreach (cell, RelationGetIndexList(table))
	{
		Relation index = index_open(lfirst_oid(cell), AccessShareLock);
		plain = plain && heap_attisnull(index->rd_indextuple, Anum_pg_index_indexprs, nullptr) &&
				heap_attisnull(index->rd_indextuple, Anum_pg_index_indpred, nullptr);
		index_close(index, AccessShareLock);
	}
	table_close(table, NoLock);
	return plain;
}

bool
write_in_place(const KeptScore *kept, const ColumnChange &change)
{
	RowLookup lookup;

	if (!may_write_in_place(kept) || !ItemPointerIsValid(&change.place) ||
		!begin_lookup(&lookup, kept->record.index, RowExclusiveLock))
	{
		return false;
	}
	PushActiveSnapshot(GetLatestSnapshot());
	bool found = fetch_locked(kept, lookup, change);
	if (found)
	{
		Target target = begin_writing(lookup.table);
		update_row(kept, target, lookup.slot, change.after);
		end_writing(target);
	}
	end_lookup(lookup);
	PopActiveSnapshot();
	CommandCounterIncrement();
	return found;
}

bool
write_many_in_place(const KeptScore *kept, const ColumnChange *const *changes, int count)
{
	RowLookup lookup;

	if (!may_write_in_place(kept) || !begin_lookup(&lookup, kept->record.index, RowExclusiveLock))
	{
		return false;
	}
	Target target = begin_writing(lookup.table);
	PushActiveSnapshot(GetLatestSnapshot());
	for (int at = 0; at < count; at++)
	{
		CHECK_FOR_INTERRUPTS();
		if (fetch_locked(kept, lookup, *changes[at]) ||
			find_row(&lookup, kept->record.index, GetActiveSnapshot(), changes[at]->key))
		{
			update_row(kept, target, lookup.slot, changes[at]->after);
		}
	}
	end_writing(target);
	end_lookup(lookup);
	PopActiveSnapshot();
	CommandCounterIncrement();
	return true;
}

} // namespace lead_scoring::pg
