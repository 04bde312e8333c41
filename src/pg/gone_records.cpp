// Records that are due or not, but not there any more.
//
// Whoever deletes a record removes its row of lead_scoring.due; rows can stay behind where no trigger fires. A key can come
// back at any time, and its row with it, so they are removed only while nobody writes scores, and else left for later.
#include "pg/postgres_api.hpp"

#include "pg/gone_records.hpp"

#include "pg/loaded_stream.hpp"
#include "pg/own_tables.hpp"
#include "pg/query.hpp"
#include "pg/session.hpp"

extern "C"
{
#include "access/xact.h"
}

namespace lead_scoring::pg
{

namespace
{

// Where the records of a score are
struct RecordPlace
{
	Oid relation;
	Oid owner;
	const char *key_column;
	const char *key_type;
};

// What is attempted
struct Removal
{
	const char *score;
	TimestampTz as_of;
	KeyList keys;
};

OwnCommand remove_due = {"DELETE FROM lead_scoring.due WHERE score = $1 AND record_key = ANY ($2)", 2,
						 {TEXTOID, TEXTARRAYOID}, nullptr};

constexpr const char *due_among =
	"SELECT d.record_key FROM lead_scoring.due d WHERE d.score = $1 AND d.due_at <= $2 AND d.record_key = ANY ($3)";
constexpr const char *due_at_all = "SELECT d.record_key FROM lead_scoring.due d WHERE d.score = $1";

RecordPlace
find_records(const char *score)
{
	MemoryContext context = CurrentMemoryContext;

	SPI_connect();
	Session session = begin_as_table_owner(definitions_owner());
	QueryRows rows = run_query(context,
							   "SELECT c.oid, c.relowner, a.attname, format_type(a.atttypid, NULL) FROM lead_scoring.score s "
							   "JOIN lead_scoring.record_type t ON t.name = s.record_type JOIN pg_class c ON c.oid = t.relation "
							   "JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = t.key_column WHERE s.name = $1",
							   1, &score);
	RecordPlace place{};
	if (rows.count == 1)
	{
		place = {DatumGetObjectId(datum_at(rows, 0, 1)), DatumGetObjectId(datum_at(rows, 0, 2)), text_at(rows, 0, 3),
				 text_at(rows, 0, 4)};
	}
	end_session(session);
	SPI_finish();
	return place;
}

// Which of some records are not there, asked as their owner
KeyList
gone_among(const RecordPlace &place, const KeyList &keys)
{
	MemoryContext context = CurrentMemoryContext;
	Oid type = TEXTARRAYOID;
	Datum value = text_array(keys.keys, keys.count);

	SPI_connect();
	Session session = begin_as_owner(place.owner);
	const char *sql = psprintf("SELECT k FROM unnest($1) k WHERE NOT EXISTS (SELECT FROM %s r WHERE r.%s = k::%s)",
							   relation_sql(place.relation), quote_identifier(place.key_column), place.key_type);
	if (SPI_execute_with_args(sql, 1, &type, &value, nullptr, false, 0) != SPI_OK_SELECT)
	{
		elog(ERROR, "query failed: %s", sql);
	}
	KeyList list = found_keys(context);
	end_session(session);
	SPI_finish();
	return list;
}

// The rows of lead_scoring.due that may be left over
KeyList
candidates(const Removal &removal)
{
	MemoryContext context = CurrentMemoryContext;
	bool all = removal.keys.keys == nullptr;
	Oid types[] = {TEXTOID, TIMESTAMPTZOID, TEXTARRAYOID};
	Datum values[] = {CStringGetTextDatum(removal.score), TimestampTzGetDatum(removal.as_of),
					  all ? 0 : text_array(removal.keys.keys, removal.keys.count)};

	SPI_connect();
	Session session = begin_as_table_owner(definitions_owner());
	if (SPI_execute_with_args(all ? due_at_all : due_among, all ? 1 : 3, types, values, nullptr, false, 0) != SPI_OK_SELECT)
	{
		elog(ERROR, "query failed: %s", due_among);
	}
	KeyList list = found_keys(context);
	end_session(session);
	SPI_finish();
	return list;
}

// Whether nobody writes this score until the end of the transaction
bool
keep_writers_away(const char *score)
{
	SPI_connect();
	Session session = begin_safe_path();
	QueryRows rows = run_query(CurrentMemoryContext,
							   "SELECT pg_try_advisory_xact_lock('lead_scoring.score'::regclass::oid::int4, hashtext($1))", 1, &score);
	bool alone = DatumGetBool(datum_at(rows, 0, 1));
	end_session(session);
	SPI_finish();
	return alone;
}

bool
remove_gone(void *argument)
{
	auto *removal = static_cast<Removal *>(argument);
	RecordPlace place = find_records(removal->score);
	KeyList keys = candidates(*removal);

	if (!OidIsValid(place.relation) || keys.count == 0)
	{
		return true;
	}
	keys = gone_among(place, keys);
	if (keys.count == 0 || !keep_writers_away(removal->score))
	{
		return true;
	}
	// Who came back meanwhile has written its row before we were alone
	keys = gone_among(place, keys);
	Datum values[] = {CStringGetTextDatum(removal->score), text_array(keys.keys, keys.count)};
	run_own_command(&remove_due, values);
	return true;
}

// What keys are read into
struct Reading
{
	const char *score;
	KeyList keys;
};

bool
read_record_keys(void *argument)
{
	auto *reading = static_cast<Reading *>(argument);
	MemoryContext context = CurrentMemoryContext;
	RecordPlace place = find_records(reading->score);

	if (!OidIsValid(place.relation))
	{
		return true;
	}
	SPI_connect();
	Session session = begin_as_owner(place.owner);
	const char *key = quote_identifier(place.key_column);
	const char *sql = psprintf("SELECT r.%s::text FROM %s r WHERE r.%s IS NOT NULL", key, relation_sql(place.relation), key);
	if (SPI_execute(sql, false, 0) != SPI_OK_SELECT)
	{
		elog(ERROR, "query failed: %s", sql);
	}
	reading->keys = found_keys(context);
	end_session(session);
	SPI_finish();
	return true;
}

} // namespace

KeyList
record_keys(const char *score)
{
	Reading reading{score, {}};
	Failure failure;

	return attempt(read_record_keys, &reading, &failure) ? reading.keys : KeyList{};
}

void
remove_gone_records(const char *score, TimestampTz as_of, const KeyList &keys)
{
	Removal removal{score, as_of, keys};
	Failure failure;

	if (!IsolationUsesXactSnapshot())
	{
		attempt(remove_gone, &removal, &failure);
	}
}

} // namespace lead_scoring::pg
