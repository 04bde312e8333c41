#include "pg/postgres_api.hpp"

#include "pg/flush.hpp"

#include "pg/held.hpp"
#include "pg/keep_scores.hpp"
#include "pg/kept_score.hpp"
#include "pg/link_locks.hpp"
#include "pg/queue.hpp"
#include "pg/session.hpp"
#include "pg/stream.hpp"
#include "pg/touched.hpp"
#include "pg/write_scores.hpp"
#include "pg/writing.hpp"

extern "C"
{
#include "utils/snapmgr.h"
}

namespace lead_scoring::pg
{

namespace
{

// The records of one type that are to be scored, and the scores that look at what has changed
struct Concerned
{
	const char *record_type;
	int turn; // contacts before the companies whose scores look at theirs: who writes a contact has that before its company
	KeySet *keys;
	bool everybody;
	bool awaits_records; // rows may name records that nobody sees yet
	bool only_rows;      // only rows of sources that name the records themselves are touched
	List *scores; // of ActiveScore
};

const Path *
path_of(const Paths *paths, const Touched *touched)
{
	for (int at = 0; at < list_length(paths->paths); at++)
	{
		auto *path = static_cast<const Path *>(list_nth(paths->paths, at));
		if (path->kind == touched->kind && strcmp(path->record_type, touched->record_type) == 0 &&
			(path->source == nullptr || strcmp(path->source, touched->source) == 0))
		{
			return path;
		}
	}
	return nullptr;
}

int
turn_of(const Paths *paths, const char *record_type)
{
	int turn = 0;

	while (turn < list_length(paths->types) && strcmp(static_cast<const char *>(list_nth(paths->types, turn)), record_type) != 0)
	{
		turn++;
	}
	return turn;
}

Concerned *
concerned_with(List **all, const Paths *paths, const Path *path)
{
	for (int at = 0; at < list_length(*all); at++)
	{
		auto *concerned = static_cast<Concerned *>(list_nth(*all, at));
		if (strcmp(concerned->record_type, path->record_type) == 0)
		{
			return concerned;
		}
	}
	auto *concerned = static_cast<Concerned *>(palloc0(sizeof(Concerned)));
	concerned->record_type = path->record_type;
	concerned->turn = turn_of(paths, path->record_type);
	concerned->only_rows = true;
	concerned->keys = make_key_set(CurrentMemoryContext, path->key_kind);
	*all = lappend(*all, concerned);
	return concerned;
}

// Run a query of a path that leads from links to keys
void
follow(const Path *path, const char *query, const KeySet *links, KeySet *keys)
{
	Oid type = links->kind == core::KeyKind::integer ? INT8ARRAYOID : links->kind == core::KeyKind::uuid ? UUIDARRAYOID : TEXTARRAYOID;
	Datum array = key_array(links->kind, links->keys, links->count);

	PushActiveSnapshot(GetLatestSnapshot());
	SPI_connect();
	Session session = begin_as_owner(path->owner);
	if (SPI_execute_with_args(query, 1, &type, &array, nullptr, true, 0) != SPI_OK_SELECT)
	{
		elog(ERROR, "query failed: %s", query);
	}
	Oid key_type = SPI_gettypeid(SPI_tuptable->tupdesc, 1);
	for (uint64 row = 0; row < SPI_processed; row++)
	{
		bool is_null;
		Datum key = SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, 1, &is_null);
		if (!is_null)
		{
			add_key(keys, getBaseType(key_type), key);
		}
	}
	end_session(session);
	SPI_finish();
	PopActiveSnapshot();
}

// Lock what rows name
void
lock_links(const Touched *touched, const Path *path)
{
	KeySet *links = touched->links;

	settle_keys(links);
	if (path->kind == PathKind::record_key)
	{
		lock_record_keys(path->record_type, links->kind, links->keys, links->count);
		return;
	}
	if (path->held)
	{
		lock_held_keys(path->record_type, path->source, links->kind, links->keys, links->count);
		return;
	}
	lock_link_keys(path->record_type, path->source, links->kind, links->keys, links->count);
	if (path->middle_sql != nullptr && links->count > 0)
	{
		KeySet *middle = make_key_set(CurrentMemoryContext, path->middle_kind);
		follow(path, path->middle_sql, links, middle);
		settle_keys(middle);
		lock_held_keys(path->record_type, path->source, middle->kind, middle->keys, middle->count);
	}
}

[[noreturn]] void
raise_severed(const Path *path)
{
	ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE),
					errmsg("the relation in \"through\" of source \"%s\" no longer exists", path->source),
					errhint("It was dropped after the source was defined: name another relation, or delete the definitions.")));
	pg_unreachable();
}

void
add_concerned(List **all, const Paths *paths, const Path *path, const Touched *touched)
{
	Concerned *concerned = concerned_with(all, paths, path);

	concerned->scores = list_concat_unique_ptr(concerned->scores, path->scores);
	concerned->everybody |= touched->everybody;
	concerned->awaits_records |= path->awaits_records;
	concerned->only_rows &= path->kind == PathKind::source && path->resolve_sql == nullptr;
	settle_keys(touched->links);
	if (touched->links->count == 0)
	{
		return;
	}
	if (path->severed)
	{
		raise_severed(path);
	}
	if (path->resolve_sql != nullptr)
	{
		follow(path, path->resolve_sql, touched->links, concerned->keys);
		return;
	}
	for (int at = 0; at < touched->links->count; at++)
	{
		add_known_key(concerned->keys, touched->links->keys[at]);
	}
}

int
compare_types(const ListCell *left, const ListCell *right)
{
	return static_cast<const Concerned *>(lfirst(left))->turn - static_cast<const Concerned *>(lfirst(right))->turn;
}

void
score_all(const ActiveScore *score)
{
	TimestampTz instant = instant_on_its_way(score->name);

	seize_definition(score->name);
	PushActiveSnapshot(GetLatestSnapshot());
	refresh_whole(score->name, instant == DT_NOBEGIN ? GetCurrentTimestamp() : instant, "facts");
	PopActiveSnapshot();
}

// Let the records wait for a worker
void
queue_keys(const ActiveScore *score, Concerned *concerned)
{
	settle_keys(concerned->keys);
	if (concerned->everybody)
	{
		enqueue(score->name, nullptr, 0);
		return;
	}
	auto *texts = static_cast<Datum *>(palloc(sizeof(Datum) * static_cast<Size>(Max(concerned->keys->count, 1))));
	for (int at = 0; at < concerned->keys->count; at++)
	{
		texts[at] = CStringGetTextDatum(key_string(concerned->keys->kind, concerned->keys->keys[at]));
	}
	if (concerned->keys->count > 0)
	{
		enqueue(score->name, texts, static_cast<size_t>(concerned->keys->count));
	}
}

// Score the records as of an instant, DT_NOBEGIN standing for now
void
score_records(const char *const *names, int count, const Concerned *concerned, TimestampTz instant)
{
	PushActiveSnapshot(GetLatestSnapshot());
	keep_scores(names, count, concerned->keys, {instant, "facts", concerned->awaits_records, concerned->only_rows});
	PopActiveSnapshot();
}

void
score_concerned(Concerned *concerned)
{
	auto **names = static_cast<const char **>(palloc(sizeof(char *) * static_cast<Size>(list_length(concerned->scores))));
	int count = 0;

	sort_scores(concerned->scores);
	for (int at = 0; at < list_length(concerned->scores); at++)
	{
		auto *score = static_cast<const ActiveScore *>(list_nth(concerned->scores, at));
		TimestampTz instant = instant_on_its_way(score->name);
		announce_if_ahead(score->name, instant);
		if (score->queued)
		{
			queue_keys(score, concerned);
		}
		else if (concerned->everybody || score->relative)
		{
			score_all(score);
		}
		else if (instant != DT_NOBEGIN)
		{
			score_records(&score->name, 1, concerned, instant);
		}
		else
		{
			names[count++] = score->name;
		}
	}
	if (count > 0)
	{
		score_records(names, count, concerned, DT_NOBEGIN);
	}
}

} // namespace

void
score_touched()
{
	MemoryContext context;
	List *touched = take_touched(&context);
	List *all = NIL;

	if (touched == NIL)
	{
		return;
	}
	CommandCounterIncrement();
	MemoryContext before = MemoryContextSwitchTo(context);
	PushActiveSnapshot(GetLatestSnapshot());
	const Paths *paths = all_paths();
	PopActiveSnapshot();
	for (int at = 0; at < list_length(touched); at++)
	{
		auto *entry = static_cast<Touched *>(list_nth(touched, at));
		const Path *path = path_of(paths, entry);
		if (path != nullptr && path->locks)
		{
			lock_links(entry, path);
		}
	}
	for (int at = 0; at < list_length(touched); at++)
	{
		auto *entry = static_cast<Touched *>(list_nth(touched, at));
		const Path *path = path_of(paths, entry);
		if (path != nullptr && path->leads)
		{
			add_concerned(&all, paths, path, entry);
		}
	}
	list_sort(all, compare_types);
	for (int at = 0; at < list_length(all); at++)
	{
		score_concerned(static_cast<Concerned *>(list_nth(all, at)));
	}
	MemoryContextSwitchTo(before);
	MemoryContextDelete(context);
}

} // namespace lead_scoring::pg
