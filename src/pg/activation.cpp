// The score columns: made by activate, kept by refresh, removed by deactivate.
#include "pg/postgres_api.hpp"

#include "pg/attach.hpp"
#include "pg/catch_up.hpp"
#include "pg/held.hpp"
#include "pg/index_advice.hpp"
#include "pg/keep_many.hpp"
#include "pg/keep_scores.hpp"
#include "pg/kept_score.hpp"
#include "pg/limit_advice.hpp"
#include "pg/now_view.hpp"
#include "pg/pipeline.hpp"
#include "pg/query.hpp"
#include "pg/score_columns.hpp"
#include "pg/session.hpp"
#include "pg/settings.hpp"
#include "pg/table_locks.hpp"
#include "pg/write_scores.hpp"
#include "pg/writing.hpp"

extern "C"
{
#include "access/xact.h"
#include "storage/lmgr.h"
#include "tcop/utility.h"
#include "utils/snapmgr.h"
}

LEAD_SCORING_FUNCTION(lead_scoring_activate);
LEAD_SCORING_FUNCTION(lead_scoring_deactivate);
LEAD_SCORING_FUNCTION(lead_scoring_refresh);
LEAD_SCORING_FUNCTION(lead_scoring_has_records);
LEAD_SCORING_FUNCTION(lead_scoring_status_may_change);

namespace lead_scoring::pg
{

namespace
{

// Set only while activate or deactivate changes a score's status; the trigger on lead_scoring.score asks for it
bool status_may_change = false;

void
require_owner(Oid relation)
{
	Oid owner = owner_of(relation);

	if (OidIsValid(owner) && !has_privs_of_role(GetUserId(), owner))
	{
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
						errmsg("must be owner of relation \"%s\"", get_rel_name(relation)),
						errhint("Score columns are added and dropped by the owner of their relation.")));
	}
}

// Write the status, past the trigger that keeps others from doing so
void
set_status(const char *score, const char *status)
{
	status_may_change = true;
	PG_TRY();
	{
		execute_command(psprintf("UPDATE lead_scoring.score SET status = %s WHERE name = %s",
								 quote_literal_cstr(status), quote_literal_cstr(score)));
	}
	PG_FINALLY();
	{
		status_may_change = false;
	}
	PG_END_TRY();
}

// Where the columns of a score are, and whether they are there already
struct Whereabouts
{
	bool active;
	Oid records;
	Oid target;
	const char *target_sql; // null if the relation is gone
};

Whereabouts
find_score(const char *name)
{
	MemoryContext context = CurrentMemoryContext;

	SPI_connect();
	Session session = begin_safe_path();
	QueryRows rows = run_query(context,
							   "SELECT s.status = 'active', t.relation::oid, c.oid, c.oid::regclass::text "
							   "FROM lead_scoring.score s LEFT JOIN lead_scoring.record_type t ON t.name = s.record_type "
							   "LEFT JOIN pg_class c ON c.oid = coalesce(s.target, t.relation) WHERE s.name = $1",
							   1, &name);
	if (rows.count == 0)
	{
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("score \"%s\" does not exist", name),
						errhint("The scores are the rows of lead_scoring.score.")));
	}
	Whereabouts found{};
	found.active = DatumGetBool(datum_at(rows, 0, 1));
	found.records = null_at(rows, 0, 2) ? InvalidOid : DatumGetObjectId(datum_at(rows, 0, 2));
	found.target = null_at(rows, 0, 3) ? InvalidOid : DatumGetObjectId(datum_at(rows, 0, 3));
	found.target_sql = text_at(rows, 0, 4);
	end_session(session);
	SPI_finish();
	return found;
}

void
require_activatable(const LoadedScore *score)
{
	char kind = get_rel_relkind(score->target);

	if (kind != RELKIND_RELATION && kind != RELKIND_PARTITIONED_TABLE)
	{
		ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE),
						errmsg("\"%s\" is not a table: score \"%s\" cannot have its columns there",
							   get_rel_name(score->target), score->name),
						errhint("Set the target of the score to a table with the same key.")));
	}
	if (score->definition.groups.empty() || score->definition.rules.empty())
	{
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("score \"%s\" has no %s", score->name,
							   score->definition.groups.empty() ? "groups" : "enabled rules"),
						errhint("Insert them into lead_scoring.score_group and lead_scoring.rule first.")));
	}
}

// Keep others from editing the record type of a score, and its sources
void
share_record_type_of(const char *score)
{
	PushActiveSnapshot(GetLatestSnapshot());
	SPI_connect();
	Session session = begin_as_table_owner(definitions_owner());
	QueryRows rows = run_query(CurrentMemoryContext, "SELECT record_type FROM lead_scoring.score WHERE name = $1", 1, &score);
	const char *record_type = rows.count > 0 ? text_at(rows, 0, 1) : nullptr;
	if (record_type != nullptr)
	{
		share_record_type(record_type);
	}
	end_session(session);
	SPI_finish();
	PopActiveSnapshot();
}

// The score as it is now, if its tables are the caller's
Whereabouts
find_own_score(const char *name)
{
	PushActiveSnapshot(GetLatestSnapshot());
	Whereabouts found = find_score(name);
	require_owner(found.target);
	require_owner(found.records);
	PopActiveSnapshot();
	return found;
}

uint64
activate(const char *name)
{
	// Nothing is locked for those who may not do this
	find_own_score(name);
	lock_status(name);
	// Nobody edits the record type or its sources, for the scores that there are now
	share_record_type_of(name);
	lock_to_attach(name, find_own_score(name).target);
	seize_score(name, Wanted::always);
	Whereabouts found = find_own_score(name);
	if (OidIsValid(found.target))
	{
		LockRelationOid(found.target, AccessExclusiveLock);
	}
	// What is read from here on is read behind all locks
	PushActiveSnapshot(GetLatestSnapshot());
	LoadedScore *score = load_score(name, Reader::writer);
	require_writable(score);
	require_activatable(score);
	advise_limits(score);
	advise_indexes(score);
	SPI_connect();
	Session session = begin_safe_path();
	add_columns(score);
	set_status(name, "active");
	CommandCounterIncrement();
	PushActiveSnapshot(GetLatestSnapshot());
	// Before the first scoring: no write may come between
	attach_triggers(score, true);
	guard_columns(score->target, nullptr);
	make_now_view(score);
	PopActiveSnapshot();
	end_session(session);
	SPI_finish();
	PopActiveSnapshot();
	PushActiveSnapshot(GetLatestSnapshot());
	uint64 written = write_scores(score, GetCurrentTimestamp(), "activation");
	PopActiveSnapshot();
	return written;
}

// Drop the triggers that no score needs any more
void
detach_all(const char *name)
{
	const List *relations = relations_around(name);

	for (int at = 0; at < list_length(relations); at++)
	{
		detach_triggers(list_nth_oid(relations, at));
	}
}

void
hint_at_dependents(void *)
{
	if (geterrcode() == ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST)
	{
		errhint("The columns of the score go with it. Drop or change first what the detail lists; a view can be made again once the score is "
				"switched on.");
	}
}

// Drop what a score has added to its table; raises if something reads it
void
drop_stored(const Whereabouts &found, const char *name)
{
	ErrorContextCallback callback{error_context_stack, hint_at_dependents, nullptr};

	run_query(CurrentMemoryContext, "SELECT lead_scoring.require_unread($1)", 1, &name);
	error_context_stack = &callback;
	guard_columns(found.target, name);
	drop_now_view(found.target, name);
	drop_columns(found.target_sql, name);
	error_context_stack = callback.previous;
}

void
deactivate(const char *name)
{
	find_own_score(name);
	lock_status(name);
	if (Whereabouts before = find_own_score(name); before.active)
	{
		lock_to_detach(name, before.target);
	}
	seize_score(name, Wanted::always);
	Whereabouts found = find_own_score(name);
	PushActiveSnapshot(GetLatestSnapshot());
	SPI_connect();
	Session session = begin_safe_path();
	if (found.active && found.target_sql != nullptr)
	{
		drop_stored(found, name);
	}
	if (found.active)
	{
		set_status(name, "draft");
		CommandCounterIncrement();
		PushActiveSnapshot(GetLatestSnapshot());
		detach_all(name);
		PopActiveSnapshot();
	}
	end_session(session);
	SPI_finish();
	PopActiveSnapshot();
}

// Read a score that the caller may refresh
LoadedScore *
load_active(const char *name)
{
	LoadedScore *score = load_score(name, Reader::writer);

	if (!score->active)
	{
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("score \"%s\" is not active", score->name),
						errhint("Switch it on first: SELECT lead_scoring.activate(%s);",
								quote_literal_cstr(score->name))));
	}
	require_writable(score);
	require_columns(score);
	return score;
}

// Attach triggers to sources that a rule has begun to use
void
watch_sources(const LoadedScore *score)
{
	SPI_connect();
	Session session = begin_safe_path();
	attach_triggers(score, false);
	end_session(session);
	SPI_finish();
}

// Whether labels of an active score go by rank, so that one record's change may change those of others
bool
goes_by_rank(const char *name)
{
	const ActiveScore *active = find_active(name);

	return active != nullptr && active->relative;
}

bool
is_adjustment(const char *reason)
{
	return strcmp(reason, "adjustment") == 0;
}

void
announce_if_adjusted(const char *name, const char *reason)
{
	if (is_adjustment(reason))
	{
		announce_adjustments(name);
	}
}

uint64
refresh_all(const char *name, TimestampTz as_of, const char *reason)
{
	// All records at once are scored alone: who writes facts meanwhile waits, and then scores what he has touched
	seize_score(name, Wanted::if_active);
	announce_if_adjusted(name, reason);
	announce_if_ahead(name, as_of);
	PushActiveSnapshot(GetLatestSnapshot());
	watch_sources(load_active(name));
	PopActiveSnapshot();
	as_of = is_now(as_of) ? GetCurrentTimestamp() : as_of;
	PushActiveSnapshot(GetLatestSnapshot());
	uint64 written = write_scores(load_active(name), as_of, reason);
	PopActiveSnapshot();
	return written;
}

// Whether records are there for some keys
bool
all_there(const LoadedScore *score, const KeySet *keys)
{
	SPI_connect();
	uint64 there = count_records(score, key_array(keys->kind, keys->keys, keys->count));
	SPI_finish();
	return there == static_cast<uint64>(keys->count);
}

// The keys that texts are in a score that the caller may refresh
KeySet *
keys_in_active(const char *name, TimestampTz as_of, ArrayType *texts)
{
	MemoryContext context = CurrentMemoryContext;

	if (find_active(name) == nullptr)
	{
		// Says why not
		load_active(name);
	}
	SPI_connect();
	const LoadedScore *score = settled_score(name, as_of)->score;
	require_writable(score);
	MemoryContext before = MemoryContextSwitchTo(context);
	KeySet *keys = make_keys(score->records, texts);
	MemoryContextSwitchTo(before);
	SPI_finish();
	return keys;
}

uint64
refresh_some(const char *name, TimestampTz as_of, ArrayType *texts, const char *reason)
{
	share_score(name);
	announce_if_adjusted(name, reason);
	announce_if_ahead(name, as_of);
	if (goes_by_rank(name))
	{
		return refresh_all(name, as_of, reason);
	}
	PushActiveSnapshot(GetLatestSnapshot());
	KeySet *keys = keys_in_active(name, as_of, texts);
	Keeping keeping{is_now(as_of) ? DT_NOBEGIN : as_of, reason, false, false};
	uint64 written = keep_scores(&name, 1, keys, keeping);
	if (is_adjustment(reason) && !all_there(load_active(name), keys))
	{
		// Somebody may be adding the record, who does not see what was written about it
		seize_definition(name);
		written += keep_scores(&name, 1, keys, keeping);
	}
	PopActiveSnapshot();
	return written;
}

} // namespace

uint64
refresh_whole(const char *name, TimestampTz as_of, const char *reason)
{
	LoadedScore *score = load_score(name, Reader::writer);

	require_columns(score);
	return write_scores(score, as_of, reason);
}

} // namespace lead_scoring::pg

// Switch a score on: make its columns and score every record
Datum
lead_scoring_activate(PG_FUNCTION_ARGS)
{
	const char *score = text_to_cstring(PG_GETARG_TEXT_PP(0));

	PreventCommandIfReadOnly("lead_scoring.activate()");
	PG_RETURN_INT64(static_cast<int64>(lead_scoring::pg::activate(score)));
}

// Switch a score off: drop its columns
Datum
lead_scoring_deactivate(PG_FUNCTION_ARGS)
{
	PreventCommandIfReadOnly("lead_scoring.deactivate()");
	lead_scoring::pg::deactivate(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	PG_RETURN_VOID();
}

// Bring the stored values of a score to an instant
Datum
lead_scoring_refresh(PG_FUNCTION_ARGS)
{
	using namespace lead_scoring::pg;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
	{
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						errmsg("%s must not be NULL", PG_ARGISNULL(0) ? "score" : "as_of"),
						errhint("Name a score, and the instant to which to refresh it.")));
	}
	require_finite_instant(PG_GETARG_TIMESTAMPTZ(1));
	PreventCommandIfReadOnly("lead_scoring.refresh()");
	const char *score = text_to_cstring(PG_GETARG_TEXT_PP(0));
	ArrayType *keys = PG_ARGISNULL(2) ? nullptr : PG_GETARG_ARRAYTYPE_P(2);
	TimestampTz as_of = PG_GETARG_TIMESTAMPTZ(1);
	const char *reason = pstrdup(refresh_reason());
	bool everybody = keys == nullptr || goes_by_rank(score);
	uint64 written = everybody && strcmp(reason, "rule_change") == 0 ? catch_up(score) : 0;
	written += everybody ? refresh_all(score, as_of, reason) : refresh_some(score, as_of, keys, reason);
	PG_RETURN_INT64(static_cast<int64>(written));
}

// Tell whether a score has a record for each of some keys, be it since the transaction began
Datum
lead_scoring_has_records(PG_FUNCTION_ARGS)
{
	using namespace lead_scoring::pg;

	PushActiveSnapshot(GetLatestSnapshot());
	LoadedScore *score = load_score(text_to_cstring(PG_GETARG_TEXT_PP(0)), Reader::writer);
	bool found = all_there(score, make_keys(score->records, PG_GETARG_ARRAYTYPE_P(1)));
	PopActiveSnapshot();
	PG_RETURN_BOOL(found);
}

// Tell whether activate or deactivate is at work
Datum
lead_scoring_status_may_change(FunctionCallInfo)
{
	PG_RETURN_BOOL(lead_scoring::pg::status_may_change);
}
