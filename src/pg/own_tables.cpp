// Our own tables, reached without a look at the search path.
#include "pg/postgres_api.hpp"

#include "pg/own_tables.hpp"

#include "pg/session.hpp"

extern "C"
{
#include "utils/inval.h"
#include "utils/syscache.h"
}

namespace lead_scoring::pg
{

namespace
{

// Relations that were looked up since the last change of any
struct Known
{
	const char *name; // a literal
	Oid relation;
};

Known known[32];
size_t known_count = 0;

void
forget_known(Datum, int, uint32)
{
	known_count = 0;
}

} // namespace

void
watch_own_relations()
{
	CacheRegisterSyscacheCallback(RELNAMENSP, forget_known, 0);
	CacheRegisterSyscacheCallback(NAMESPACENAME, forget_known, 0);
}

Oid
own_relation(const char *name)
{
	for (size_t at = 0; at < known_count; at++)
	{
		if (known[at].name == name)
		{
			return known[at].relation;
		}
	}
	Oid relation = get_relname_relid(name, get_namespace_oid("lead_scoring", false));

	if (!OidIsValid(relation))
	{
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE), errmsg("relation \"lead_scoring.%s\" does not exist", name),
						errhint("The library is newer than the extension: run ALTER EXTENSION lead_scoring UPDATE.")));
	}
	if (known_count < lengthof(known))
	{
		known[known_count++] = {name, relation};
	}
	return relation;
}

uint64
run_own_command(OwnCommand *command, const Datum *values, const char *nulls)
{
	SPI_connect();
	Session session = begin_as_table_owner(definitions_owner());
	if (command->plan == nullptr)
	{
		SPIPlanPtr plan = SPI_prepare(command->sql, command->count, command->types);
		if (plan == nullptr || SPI_keepplan(plan) != 0)
		{
			elog(ERROR, "could not prepare: %s", command->sql);
		}
		command->plan = plan;
	}
	int result = SPI_execute_plan(command->plan, const_cast<Datum *>(values), nulls, false, 0);
	if (result < 0)
	{
		elog(ERROR, "command failed: %s: %s", SPI_result_code_string(result), command->sql);
	}
	uint64 processed = SPI_processed;
	end_session(session);
	SPI_finish();
	return processed;
}

Datum
text_array(const Datum *texts, size_t count)
{
	return PointerGetDatum(construct_array(const_cast<Datum *>(texts), static_cast<int>(count), TEXTOID, -1, false,
										   TYPALIGN_INT));
}

} // namespace lead_scoring::pg
