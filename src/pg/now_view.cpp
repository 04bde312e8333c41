#include "pg/postgres_api.hpp"

#include "pg/now_view.hpp"

#include "pg/own_extension.hpp"
#include "pg/query.hpp"
#include "pg/score_columns.hpp"
#include "pg/session.hpp"

extern "C"
{
#include "access/xact.h"
}

namespace lead_scoring::pg
{

namespace
{

const char *
view_name(const char *score)
{
	return psprintf("%s_now", score);
}

const char *
view_sql(Oid target, const char *score)
{
	return quote_qualified_identifier(get_namespace_name(get_rel_namespace(target)), view_name(score));
}

// Whether a relation is a view of ours for a score
bool
is_now_view(Oid relation, const char *score)
{
	const char *const parameters[] = {psprintf("%u", relation), psprintf("score \"%s\" at this instant, kept by lead_scoring", score)};
	QueryRows rows = run_query(CurrentMemoryContext,
							   "SELECT FROM pg_class WHERE oid = $1::oid AND relkind = 'v' AND obj_description(oid, 'pg_class') = $2",
							   2, parameters);

	return rows.count > 0;
}

} // namespace

void
make_now_view(const LoadedScore *score)
{
	Oid space = get_rel_namespace(score->target);
	Oid there = get_relname_relid(view_name(score->name), space);
	const char *name = view_sql(score->target, score->name);
	ScoreColumns columns = score_columns(score->name);
	AttrNumber key = get_attnum(score->records->relation, score->records->key_column);

	if (OidIsValid(there) && is_now_view(there, score->name))
	{
		return;
	}
	if (OidIsValid(there))
	{
		ereport(ERROR, (errcode(ERRCODE_DUPLICATE_TABLE), errmsg("relation \"%s\" already exists", view_name(score->name)),
						errdetail("Score \"%s\" has a view of that name, with its values at the present instant.", score->name),
						errhint("Give the score another name, or rename the relation.")));
	}
	Session session = begin_as_table_owner(owner_of(score->target));
	execute_command(psprintf("CREATE VIEW %s AS SELECT e.record_key::%s AS %s, e.total AS %s, e.fit AS %s, e.engagement AS %s, "
							 "e.label AS %s FROM lead_scoring.evaluate(%s) e",
							 name, format_type_be_qualified(get_atttype(score->records->relation, key)),
							 quote_identifier(score->records->key_column), quote_identifier(columns.total),
							 quote_identifier(columns.fit), quote_identifier(columns.engagement),
							 quote_identifier(columns.label), quote_literal_cstr(score->name)));
	execute_command(psprintf("COMMENT ON VIEW %s IS %s", name,
							 quote_literal_cstr(psprintf("score \"%s\" at this instant, kept by lead_scoring", score->name))));
	end_session(session);
	CommandCounterIncrement();
	// No command does that for a view
	tie_to_extension(RelationRelationId, get_relname_relid(view_name(score->name), space));
}

void
drop_now_view(Oid target, const char *score)
{
	Oid view = get_relname_relid(view_name(score), get_rel_namespace(target));

	if (OidIsValid(view) && is_now_view(view, score))
	{
		Session session = begin_as_table_owner(owner_of(view));
		execute_command(psprintf("DROP VIEW %s", view_sql(target, score)));
		end_session(session);
	}
}

} // namespace lead_scoring::pg
