#include "pg/postgres_api.hpp"

#include "pg/chores.hpp"

#include "pg/due.hpp"
#include "pg/held.hpp"
#include "pg/own_rows.hpp"
#include "pg/settings.hpp"
#include "pg/table_locks.hpp"

extern "C"
{
#include "catalog/pg_inherits.h"
#include "utils/snapmgr.h"
}

LEAD_SCORING_FUNCTION(lead_scoring_has_unwatched);

namespace lead_scoring::pg
{

namespace
{

constexpr const char *state_columns[] = {"refreshed_at", "swept_at", "failed_at"};
constexpr const char *retry_columns[] = {"retry_at"};
constexpr const char *rule_validity[] = {"valid_from", "valid_to", "enabled"};
constexpr const char *factor_validity[] = {"valid_from", "valid_to"};

// Whether no trigger can tell of the changes of a relation, or of a partition or child of it
bool
is_unwatched(Oid relation)
{
	ListCell *cell;

	if (!can_have_triggers(relation))
	{
		return true;
	}
	foreach (cell, has_subclass(relation) ? find_all_inheritors(relation, NoLock, nullptr) : NIL)
	{
		if (!can_have_triggers(lfirst_oid(cell)))
		{
			return true;
		}
	}
	return false;
}

// Whether a score reads relations on which no trigger can tell of changes
bool
has_unwatched(const char *score)
{
	PushActiveSnapshot(GetLatestSnapshot());
	const Paths *paths = all_paths();
	PopActiveSnapshot();
	for (int at = 0; at < list_length(paths->paths); at++)
	{
		auto *path = static_cast<const Path *>(list_nth(paths->paths, at));
		for (int place = 0; place < list_length(path->scores); place++)
		{
			if (strcmp(static_cast<const ActiveScore *>(list_nth(path->scores, place))->name, score) == 0 && is_unwatched(path->relation))
			{
				return true;
			}
		}
	}
	return false;
}

// Whether an instant lies between two, the later one included
bool
has_passed(const QueryRows &rows, uint64 row, int column, TimestampTz from, TimestampTz until)
{
	if (null_at(rows, row, column))
	{
		return false;
	}
	TimestampTz instant = DatumGetTimestampTz(datum_at(rows, row, column));
	return instant > from && instant <= until;
}

// Whether a rule or a factor came into force between two instants, or ended: that concerns everybody
bool
has_boundary(const char *score, TimestampTz from, TimestampTz until)
{
	QueryRows rules = own_rows(CurrentMemoryContext, own::rules, score, rule_validity);
	QueryRows factors = own_rows(CurrentMemoryContext, own::factors, score, factor_validity);

	for (uint64 row = 0; row < rules.count; row++)
	{
		if (DatumGetBool(datum_at(rules, row, 3)) &&
			(has_passed(rules, row, 1, from, until) || has_passed(rules, row, 2, from, until)))
		{
			return true;
		}
	}
	for (uint64 row = 0; row < factors.count; row++)
	{
		if (has_passed(factors, row, 1, from, until) || has_passed(factors, row, 2, from, until))
		{
			return true;
		}
	}
	return false;
}

// Whether a record that failed is to be tried again by now
bool
has_retries(const char *score)
{
	QueryRows parked = own_rows(CurrentMemoryContext, own::parked, score, retry_columns);
	TimestampTz now = GetCurrentTimestamp();

	for (uint64 row = 0; row < parked.count; row++)
	{
		if (DatumGetTimestampTz(datum_at(parked, row, 1)) <= now)
		{
			return true;
		}
	}
	return false;
}

// How far time has been followed for a score, by its row of lead_scoring.score_state
struct Followed
{
	bool known; // everybody was brought to an instant that is not later
	bool stale; // what changes continuously has become too old
	TimestampTz refreshed_at;
	bool failed;
};

Followed
read_followed(const char *score, TimestampTz as_of)
{
	QueryRows states = own_rows(CurrentMemoryContext, own::states, score, state_columns);
	Followed followed{false, true, 0, false};

	if (states.count == 0)
	{
		return followed;
	}
	followed.failed = !null_at(states, 0, 3);
	if (!null_at(states, 0, 1))
	{
		followed.refreshed_at = DatumGetTimestampTz(datum_at(states, 0, 1));
		followed.known = followed.refreshed_at <= as_of;
	}
	if (!null_at(states, 0, 2))
	{
		TimestampTz swept_at = DatumGetTimestampTz(datum_at(states, 0, 2));
		followed.stale = swept_at > as_of || as_of - swept_at >= refresh_interval_us();
	}
	return followed;
}

} // namespace

Chores
find_chores(const char *score, TimestampTz as_of)
{
	Chores chores{};
	const ActiveScore *active = find_active(score);
	Followed followed = read_followed(score, as_of);

	chores.failed_before = followed.failed;
	chores.due = has_due(score, first_due(DT_NOBEGIN + 1), as_of);
	chores.fading = followed.stale && has_due(score, first_due(DT_NOBEGIN), DT_NOBEGIN);
	chores.parked = has_retries(score);
	chores.everybody = !followed.known || has_boundary(score, followed.refreshed_at, as_of) ||
					   (followed.stale && has_unwatched(score)) ||
					   (active != nullptr && active->relative && (chores.due || chores.fading));
	return chores;
}

} // namespace lead_scoring::pg

// Tell whether an active score reads relations on which no trigger can tell of changes
Datum
lead_scoring_has_unwatched(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(lead_scoring::pg::has_unwatched(text_to_cstring(PG_GETARG_TEXT_PP(0))));
}
