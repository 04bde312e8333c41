#include "pg/postgres_api.hpp"

#include "pg/lockable.hpp"

#include "pg/attempt.hpp"
#include "pg/session.hpp"

namespace lead_scoring::pg
{

namespace
{

// Lock none of the rows, which is planned all the same: views that group, join outwards or look through windows have none to lock
bool
lock_no_row(void *argument)
{
	auto *records = static_cast<const LoadedStream *>(argument);

	SPI_connect();
	Session session = begin_as_owner(records->owner);
	SPI_execute(psprintf("SELECT FROM %s r LIMIT 0 FOR NO KEY UPDATE OF r", relation_sql(records->relation)), false, 0);
	end_session(session);
	SPI_finish();
	return true;
}

} // namespace

bool
can_lock_rows(const LoadedStream *records)
{
	char kind = get_rel_relkind(records->relation);
	Failure failure;

	if (kind == RELKIND_VIEW && !attempt(lock_no_row, const_cast<LoadedStream *>(records), &failure))
	{
		return failure.sqlstate != ERRCODE_FEATURE_NOT_SUPPORTED && failure.sqlstate != ERRCODE_WRONG_OBJECT_TYPE;
	}
	return kind != RELKIND_MATVIEW;
}

} // namespace lead_scoring::pg
