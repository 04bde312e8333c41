// Which index rows of a stream are looked up by.
#include "pg/postgres_api.hpp"

#include "pg/row_index.hpp"

#include "pg/index_rows.hpp"
#include "pg/kept_score.hpp"
#include "pg/read_columns.hpp"

extern "C"
{
#include "access/stratnum.h"
#include "access/table.h"
#include "catalog/pg_am.h"
#include "catalog/pg_index.h"
#include "utils/lsyscache.h"
#include "utils/relcache.h"
}

namespace lead_scoring::pg
{

namespace
{

// Whether a query of a table reads all its rows, and nothing else
bool
is_plain(Relation relation)
{
#if PG_VERSION_NUM >= 180000
	const TupleConstr *constraints = RelationGetDescr(relation)->constr;
	if (constraints != nullptr && constraints->has_generated_virtual)
	{
		// Their values are not in the rows
		return false;
	}
#endif
	return relation->rd_rel->relkind == RELKIND_RELATION && relation->rd_rel->relam == HEAP_TABLE_AM_OID &&
		   !relation->rd_rel->relhassubclass && !relation->rd_rel->relrowsecurity;
}

// Whether an index finds all rows of any snapshot
bool
is_complete(Relation index)
{
	const FormData_pg_index *form = index->rd_index;

	return form->indisvalid && form->indisready && form->indislive && !form->indcheckxmin &&
		   index->rd_rel->relam == BTREE_AM_OID && RelationGetIndexPredicate(index) == NIL;
}

bool
is_exact(Oid collation)
{
	return !OidIsValid(collation) || get_collation_isdeterministic(collation);
}

RegProcedure
comparison(Relation index, int column, StrategyNumber strategy)
{
	Oid type = index->rd_opcintype[column];
	Oid op = get_opfamily_member(index->rd_opfamily[column], type, type, static_cast<int16>(strategy));

	return OidIsValid(op) ? get_opcode(op) : InvalidOid;
}

// Note how to read from the latest row of a key back, if what is NULL comes with it
void
order_by_time(Relation index, RowIndex *found)
{
	constexpr int16 both = INDOPTION_DESC | INDOPTION_NULLS_FIRST;
	int order = index->rd_indoption[1] & both;

	if (order == 0 || order == both)
	{
		found->latest_first = order == 0 ? BackwardScanDirection : ForwardScanDirection;
	}
}

bool
is_key_type(Oid type)
{
	return type == INT2OID || type == INT4OID || type == INT8OID || type == UUIDOID || type == TEXTOID;
}

// The columns that are read of a stream's rows; 0 stands for whole rows
Bitmapset *
attributes_of(const LoadedStream *stream)
{
	Bitmapset *attributes = bms_add_member(read_attributes(stream), get_attnum(stream->relation, stream->key_column));

	return stream->time_column == nullptr ? attributes
										  : bms_add_member(attributes, get_attnum(stream->relation, stream->time_column));
}

// Fill in what an index is good for; false if it is not good
bool
describe_index(Relation relation, Relation index, const LoadedStream *stream, bool to_lock, RowIndex *found)
{
	const FormData_pg_index *form = index->rd_index;
	AttrNumber key = get_attnum(stream->relation, stream->key_column);
	TupleDesc columns = RelationGetDescr(relation);

	if (!is_complete(index) || form->indkey.values[0] != key || !is_key_type(index->rd_opcintype[0]) ||
		!is_exact(index->rd_indcollation[0]) || !is_exact(TupleDescAttr(columns, key - 1)->attcollation))
	{
		return false;
	}
	if (to_lock && !(form->indisunique && form->indimmediate && form->indnkeyatts == 1))
	{
		return false;
	}
	*found = {RelationGetRelid(relation), RelationGetRelid(index), index->rd_opcintype[0], index->rd_indcollation[0],
			  comparison(index, 0, BTEqualStrategyNumber), stream->time_column != nullptr, NoMovementScanDirection, false, 0};
	AttrNumber time = found->timed ? get_attnum(stream->relation, stream->time_column) : InvalidAttrNumber;
	found->holds_all = !to_lock && holds_columns(relation, index, attributes_of(stream));
	if (found->timed && form->indnkeyatts > 1 && form->indkey.values[1] == time && index->rd_opcintype[1] == TIMESTAMPTZOID)
	{
		order_by_time(index, found);
	}
	return OidIsValid(found->is_key);
}

// Whether one index leads to fewer rows than another, or to all of them with less to read
bool
is_better(const RowIndex &index, const RowIndex &other)
{
	return is_by_time(index) == is_by_time(other) ? index.holds_all && !other.holds_all : is_by_time(index);
}

} // namespace

const RowIndex *
find_row_index(const LoadedStream *stream, bool to_lock)
{
	RowIndex *best = nullptr;
	ListCell *cell;
	uint64 version = definitions_version();
	Relation relation = table_open(stream->relation, AccessShareLock);

	if (is_plain(relation) && is_from_rows(stream))
	{
		foreach (cell, RelationGetIndexList(relation))
		{
			RowIndex found;
			Relation index = index_open(lfirst_oid(cell), AccessShareLock);
			bool is_good = describe_index(relation, index, stream, to_lock, &found);
			index_close(index, AccessShareLock);
			if (is_good && (best == nullptr || is_better(found, *best)))
			{
				best = static_cast<RowIndex *>(palloc(sizeof(RowIndex)));
				*best = found;
				best->version = version;
			}
		}
	}
	table_close(relation, NoLock);
	return best;
}

} // namespace lead_scoring::pg
