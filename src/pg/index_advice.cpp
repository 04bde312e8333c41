#include "pg/postgres_api.hpp"

#include "pg/index_advice.hpp"

extern "C"
{
#include "access/genam.h"
#include "access/table.h"
#include "storage/bufmgr.h"
#include "utils/relcache.h"
}

namespace lead_scoring::pg
{

namespace
{

// So many blocks are worth a word (8 MB)
constexpr BlockNumber large_table = 1024;

bool
leads_to(Relation index, AttrNumber column)
{
	return index->rd_index->indisvalid && index->rd_index->indkey.values[0] == column && RelationGetIndexPredicate(index) == NIL;
}

bool
has_index(Relation relation, AttrNumber column)
{
	bool found = false;
	ListCell *cell;

	foreach (cell, RelationGetIndexList(relation))
	{
		Relation index = index_open(lfirst_oid(cell), AccessShareLock);
		found |= leads_to(index, column);
		index_close(index, AccessShareLock);
	}
	return found;
}

// Tell if a large table has no index that begins with a column
void
advise_index(Oid table, const char *column, const char *time_column)
{
	Relation relation = table_open(table, AccessShareLock);
	char kind = relation->rd_rel->relkind;
	bool is_large = (kind == RELKIND_RELATION || kind == RELKIND_MATVIEW) && RelationGetNumberOfBlocks(relation) >= large_table;
	bool is_slow = is_large && !has_index(relation, get_attnum(table, column));

	table_close(relation, NoLock);
	if (is_slow)
	{
		const char *columns = quote_identifier(column);
		ereport(NOTICE, (errmsg("no index of \"%s\" begins with \"%s\": each change of a record's facts reads the whole table",
								get_rel_name(table), column),
						 errhint("CREATE INDEX ON %s (%s);", relation_sql(table),
								 time_column == nullptr ? columns : psprintf("%s, %s", columns, quote_identifier(time_column)))));
	}
}

} // namespace

void
advise_indexes(const LoadedScore *score)
{
	advise_index(score->records->relation, score->records->key_column, nullptr);
	for (size_t at = 0; at < score->definition.sources.size(); at++)
	{
		const LoadedStream *source = score->sources[at];
		advise_index(source->relation, source->key_column, source->time_column);
		if (OidIsValid(source->hop.relation))
		{
			advise_index(source->hop.relation, source->hop.row_key, nullptr);
			advise_index(source->hop.relation, source->hop.record_key, nullptr);
		}
		if (source->record_column != nullptr)
		{
			advise_index(score->records->relation, source->record_column, nullptr);
		}
	}
}

} // namespace lead_scoring::pg
