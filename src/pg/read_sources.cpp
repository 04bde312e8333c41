#include "pg/postgres_api.hpp"

#include "pg/read_sources.hpp"

#include "pg/own_rows.hpp"

extern "C"
{
#include "access/genam.h"
#include "access/skey.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "catalog/indexing.h"
#include "catalog/pg_constraint.h"
#include "utils/array.h"
#include "utils/fmgroids.h"
#include "utils/syscache.h"
}

namespace lead_scoring::pg
{

namespace
{

enum ScoreColumn
{
	score_column = 1,
	type_of_score_column,
	mode_column,
	status_column,
	model_column,
	target_column,
};

constexpr const char *score_columns[] = {"name", "record_type", "mode", "status", "model", "target"};

enum RecordTypeColumn
{
	record_type_column = 1,
	records_column,
	key_column_column,
};

constexpr const char *record_type_columns[] = {"name", "relation", "key_column"};

enum SourceColumn
{
	source_column = 1,
	relation_column,
	record_key_column,
	record_column_column,
	through_column,
	through_key_column,
	through_record_column,
};

constexpr const char *source_columns[] = {"name", "relation", "record_key", "record_column", "through", "through_key", "through_record"};

constexpr const char *rule_columns[] = {"source", "enabled"};
constexpr const char *named_source[] = {"source"};
constexpr const char *band_columns[] = {"capacity", "top_share"};

// Whether the constraint at hand is a foreign key that always holds, of one column to another
bool
is_guard(HeapTuple row, TupleDesc columns, Oid referenced, AttrNumber from, AttrNumber to)
{
	auto *constraint = reinterpret_cast<const FormData_pg_constraint *>(GETSTRUCT(row));
	AttrNumber expected[] = {from, to};
	bool fits = constraint->contype == CONSTRAINT_FOREIGN && constraint->confrelid == referenced && constraint->convalidated &&
				!constraint->condeferrable;

	for (int side = 0; side < 2 && fits; side++)
	{
		bool is_null;
		Datum datum = heap_getattr(row, side == 0 ? Anum_pg_constraint_conkey : Anum_pg_constraint_confkey, columns, &is_null);
		ArrayType *numbers = is_null ? nullptr : DatumGetArrayTypeP(datum);
		fits = numbers != nullptr && ARR_NDIM(numbers) == 1 && ARR_DIMS(numbers)[0] == 1 &&
			   *reinterpret_cast<const int16 *>(ARR_DATA_PTR(numbers)) == expected[side];
	}
	return fits;
}

// Whether a foreign key says that a column names rows of another relation. The relation is not locked: somebody may alter it for
// long, and need not matter to who asks
bool
is_guarded(Oid relation, AttrNumber from, Oid referenced, AttrNumber to)
{
	Relation constraints = table_open(ConstraintRelationId, AccessShareLock);
	ScanKeyData key;
	bool guarded = false;

	ScanKeyInit(&key, Anum_pg_constraint_conrelid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(relation));
	SysScanDesc scan = systable_beginscan(constraints, ConstraintRelidTypidNameIndexId, true, nullptr, 1, &key);
	for (HeapTuple row = systable_getnext(scan); HeapTupleIsValid(row) && !guarded; row = systable_getnext(scan))
	{
		guarded = is_guard(row, RelationGetDescr(constraints), referenced, from, to);
	}
	systable_endscan(scan);
	table_close(constraints, AccessShareLock);
	return guarded;
}

Oid
oid_at(const QueryRows &rows, uint64 row, int column)
{
	return null_at(rows, row, column) ? InvalidOid : DatumGetObjectId(datum_at(rows, row, column));
}

// Whether labels of a score depend on where a record stands among all others
bool
has_relative_bands(const char *score)
{
	QueryRows bands = own_rows(CurrentMemoryContext, own::bands, score, band_columns);

	for (uint64 at = 0; at < bands.count; at++)
	{
		if (!null_at(bands, at, 1) || !null_at(bands, at, 2))
		{
			return true;
		}
	}
	return false;
}

// The names of the sources of some rows, of a table that a score has rows in
List *
add_names(List *names, const OwnTable &table, const char *score, std::span<const char *const> columns)
{
	QueryRows rows = own_rows(CurrentMemoryContext, table, score, columns);

	for (uint64 at = 0; at < rows.count; at++)
	{
		bool enabled = columns.size() == 1 || DatumGetBool(datum_at(rows, at, 2));
		if (enabled && !null_at(rows, at, 1))
		{
			names = lappend(names, text_at(rows, at, 1));
		}
	}
	return names;
}

bool
is_listed(const List *names, const char *name)
{
	for (int at = 0; at < list_length(names); at++)
	{
		if (strcmp(static_cast<const char *>(list_nth(names, at)), name) == 0)
		{
			return true;
		}
	}
	return false;
}

// Whether a model looks at a source
bool
is_read_by_model(const char *model, const char *source)
{
	const char *parameters[] = {model, source};
	QueryRows rows = run_query(CurrentMemoryContext, "SELECT lead_scoring.model_uses_source($1, $2)", 2, parameters);

	return DatumGetBool(datum_at(rows, 0, 1));
}

// Note a score with the sources that it looks at, as lead_scoring.uses_source() tells them one by one
void
note_reader(const ReadRecords *records, ActiveScore *score, const char *model)
{
	List *names = add_names(NIL, own::rules, score->name, rule_columns);

	names = add_names(names, own::scopes, score->name, named_source);
	names = add_names(names, own::factors, score->name, named_source);
	for (int at = 0; at < list_length(records->sources); at++)
	{
		auto *source = static_cast<ReadSource *>(list_nth(records->sources, at));
		if (is_listed(names, source->name) || (model != nullptr && is_read_by_model(model, source->name)))
		{
			MemoryContext before = MemoryContextSwitchTo(GetMemoryChunkContext(source));
			source->scores = lappend(source->scores, score);
			MemoryContextSwitchTo(before);
		}
	}
}

ReadSource *
read_source(const ReadRecords *records, const QueryRows &rows, uint64 row)
{
	auto *source = static_cast<ReadSource *>(MemoryContextAllocZero(rows.context, sizeof(ReadSource)));
	const char *column = text_at(rows, row, record_column_column);

	source->name = text_at(rows, row, source_column);
	source->relation = oid_at(rows, row, relation_column);
	source->record_key = text_at(rows, row, record_key_column);
	source->record_column = column == nullptr || strcmp(column, records->key_column) == 0 ? nullptr : column;
	source->through = oid_at(rows, row, through_column);
	source->through_key = text_at(rows, row, through_key_column);
	source->through_record = text_at(rows, row, through_record_column);
	bool has_hop = OidIsValid(source->through);
	Oid naming = has_hop ? source->through : source->relation;
	AttrNumber from = get_attnum(naming, has_hop ? source->through_record : source->record_key);
	AttrNumber to = get_attnum(records->relation, records->key_column);
	source->guarded = from != InvalidAttrNumber && to != InvalidAttrNumber && is_guarded(naming, from, records->relation, to);
	return source;
}

// Read a record type and its sources; null if its relation is gone
ReadRecords *
read_records(MemoryContext context, const char *record_type)
{
	QueryRows types = own_rows(context, own::record_types, record_type, record_type_columns);
	Oid relation = types.count == 0 ? InvalidOid : oid_at(types, 0, records_column);

	if (!SearchSysCacheExists1(RELOID, ObjectIdGetDatum(relation)))
	{
		return nullptr;
	}
	auto *records = static_cast<ReadRecords *>(MemoryContextAllocZero(context, sizeof(ReadRecords)));
	records->record_type = text_at(types, 0, record_type_column);
	records->relation = relation;
	records->key_column = text_at(types, 0, key_column_column);
	QueryRows rows = own_rows(context, own::sources, record_type, source_columns);
	for (uint64 row = 0; row < rows.count; row++)
	{
		ReadSource *source = read_source(records, rows, row);
		MemoryContext before = MemoryContextSwitchTo(context);
		records->sources = lappend(records->sources, source);
		MemoryContextSwitchTo(before);
	}
	return records;
}

ActiveScore *
read_score(const ReadRecords *records, const QueryRows &rows, uint64 row)
{
	auto *score = static_cast<ActiveScore *>(MemoryContextAllocZero(rows.context, sizeof(ActiveScore)));
	Oid target = oid_at(rows, row, target_column);

	score->name = text_at(rows, row, score_column);
	score->record_type = records->record_type;
	score->queued = strcmp(text_at(rows, row, mode_column), "queued") == 0;
	score->relative = has_relative_bands(score->name);
	score->apart = OidIsValid(target);
	score->target = score->apart ? target : records->relation;
	return score;
}

int
compare_types(const ListCell *left, const ListCell *right)
{
	return strcmp(static_cast<const ReadRecords *>(lfirst(left))->record_type, static_cast<const ReadRecords *>(lfirst(right))->record_type);
}

ReadRecords *
find_records(const List *types, const char *record_type)
{
	for (int at = 0; at < list_length(types); at++)
	{
		auto *records = static_cast<ReadRecords *>(list_nth(types, at));
		if (strcmp(records->record_type, record_type) == 0)
		{
			return records;
		}
	}
	return nullptr;
}

} // namespace

List *
read_active_records(MemoryContext context)
{
	QueryRows scores = own_rows(context, own::scores, nullptr, score_columns);
	constexpr RowOrder order[] = {{score_column, bttextcmp, C_COLLATION_OID, false}};
	List *types = NIL;

	sort_rows(&scores, order);
	for (uint64 row = 0; row < scores.count; row++)
	{
		const char *record_type = text_at(scores, row, type_of_score_column);
		if (strcmp(text_at(scores, row, status_column), "active") != 0)
		{
			continue;
		}
		ReadRecords *records = find_records(types, record_type);
		if (records == nullptr)
		{
			records = read_records(context, record_type);
		}
		if (records == nullptr)
		{
			continue;
		}
		types = list_append_unique_ptr(types, records);
		ActiveScore *score = read_score(records, scores, row);
		MemoryContext before = MemoryContextSwitchTo(context);
		records->scores = lappend(records->scores, score);
		MemoryContextSwitchTo(before);
		note_reader(records, score, text_at(scores, row, model_column));
	}
	list_sort(types, compare_types);
	return types;
}

} // namespace lead_scoring::pg
