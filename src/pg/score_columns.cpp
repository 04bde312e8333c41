#include "pg/postgres_api.hpp"

#include "pg/score_columns.hpp"

#include "pg/query.hpp"

extern "C"
{
#include "lib/stringinfo.h"
}

namespace lead_scoring::pg
{

ScoreColumns
score_columns(const char *score)
{
	return {pstrdup(score), psprintf("%s_fit", score), psprintf("%s_engagement", score),
			psprintf("%s_label", score)};
}

void
require_columns(const LoadedScore *score)
{
	ScoreColumns columns = score_columns(score->name);

	if (get_rel_name(score->target) == nullptr)
	{
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE),
						errmsg("the relation with the columns of score \"%s\" no longer exists", score->name),
						errhint("Switch the score off: SELECT lead_scoring.deactivate(%s);", quote_literal_cstr(score->name))));
	}
	if (get_attnum(score->target, score->records->key_column) == InvalidAttrNumber)
	{
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_COLUMN),
						errmsg("key column \"%s\" of record type \"%s\" is not a column of \"%s\", the target of score \"%s\"",
							   score->records->key_column, score->records->name, get_rel_name(score->target), score->name),
						errhint("A target has the key in a column of the same name: rename it.")));
	}
	for (const char *column : {columns.total, columns.fit, columns.engagement, columns.label})
	{
		if (get_attnum(score->target, column) == InvalidAttrNumber)
		{
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_COLUMN),
					 errmsg("column \"%s\" of score \"%s\" does not exist", column, score->name),
					 errhint("It was dropped or renamed while the score was active: SELECT lead_scoring.activate(%s); "
							 "makes it again.",
							 quote_literal_cstr(score->name))));
		}
	}
}

void
add_columns(const LoadedScore *score)
{
	ScoreColumns columns = score_columns(score->name);
	const char *const names[] = {columns.total, columns.fit, columns.engagement, columns.label};
	const char *const comments[] = {"score", "fit part of score", "engagement part of score", "label of score"};
	StringInfoData sql;

	initStringInfo(&sql);
	for (const char *column : names)
	{
		bool exists = get_attnum(score->target, column) != InvalidAttrNumber;
		if (exists && !score->active)
		{
			ereport(ERROR, (errcode(ERRCODE_DUPLICATE_COLUMN),
							errmsg("column \"%s\" of relation \"%s\" already exists", column,
								   get_rel_name(score->target)),
							errhint("Give the score another name, or drop the column.")));
		}
		if (!exists)
		{
			appendStringInfo(&sql, "%s ADD COLUMN %s %s", sql.len == 0 ? "" : ",", quote_identifier(column),
							 column == columns.label ? "text" : "double precision");
		}
	}
	if (sql.len == 0)
	{
		return;
	}
	execute_command(psprintf("ALTER TABLE %s%s", relation_sql(score->target), sql.data));
	for (int at = 0; at < 4; at++)
	{
		execute_command(psprintf("COMMENT ON COLUMN %s.%s IS %s", relation_sql(score->target),
								 quote_identifier(names[at]),
								 quote_literal_cstr(psprintf("%s \"%s\", kept by lead_scoring", comments[at],
															 score->name))));
	}
}

void
drop_columns(const char *target, const char *score)
{
	ScoreColumns columns = score_columns(score);

	execute_command(psprintf("ALTER TABLE %s DROP COLUMN IF EXISTS %s, DROP COLUMN IF EXISTS %s, "
							 "DROP COLUMN IF EXISTS %s, DROP COLUMN IF EXISTS %s",
							 target, quote_identifier(columns.total), quote_identifier(columns.fit),
							 quote_identifier(columns.engagement), quote_identifier(columns.label)));
}

} // namespace lead_scoring::pg
