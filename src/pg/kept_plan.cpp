#include "pg/postgres_api.hpp"

#include "pg/kept_plan.hpp"

namespace lead_scoring::pg
{

Session
begin_own_statements()
{
	if (strcmp(namespace_search_path, "pg_catalog, pg_temp") != 0)
	{
		return begin_as_table_owner(definitions_owner());
	}
	Session session;
	GetUserIdAndSecContext(&session.user, &session.security_context);
	session.guc_level = NewGUCNestLevel();
	SetUserIdAndSecContext(definitions_owner(),
						   session.security_context | SECURITY_LOCAL_USERID_CHANGE);
	return session;
}

uint64
execute_plan(KeptPlan *plan, const Datum *values, const char *nulls)
{
	if (plan->plan == nullptr)
	{
		SPIPlanPtr made = SPI_prepare(plan->sql, plan->count, plan->types);
		if (made == nullptr || SPI_keepplan(made) != 0)
		{
			elog(ERROR, "could not plan: %s", plan->sql);
		}
		plan->plan = made;
	}
	int result = SPI_execute_plan(plan->plan, const_cast<Datum *>(values), nulls, false, 0);
	if (result < 0)
	{
		elog(ERROR, "statement failed: %s: %s", SPI_result_code_string(result), plan->sql);
	}
	return SPI_processed;
}

} // namespace lead_scoring::pg
