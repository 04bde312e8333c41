#include "pg/postgres_api.hpp"

#include "pg/concerned.hpp"

#include "pg/keep_scores.hpp"
#include "pg/kept_stream.hpp"
#include "pg/link_locks.hpp"
#include "pg/session.hpp"

extern "C"
{
#include "utils/snapmgr.h"
}

namespace lead_scoring::pg
{

namespace
{

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

// Run a query of a path; SPI is connected. A plan is kept for few links
void
run_query(const Path *path, const PathQuery *query, const KeySet *links)
{
	constexpr int few_links = 64;
	Oid type = links->kind == core::KeyKind::integer ? INT8ARRAYOID : links->kind == core::KeyKind::uuid ? UUIDARRAYOID : TEXTARRAYOID;
	Datum array = key_array(links->kind, links->keys, links->count);
	int result;

	if (links->count > few_links)
	{
		result = SPI_execute_with_args(query->sql, 1, &type, &array, nullptr, true, 0);
	}
	else
	{
		query->plan = query->plan != nullptr ? query->plan : prepare_lookups(GetMemoryChunkContext(const_cast<Path *>(path)), query->sql, 1, &type);
		result = SPI_execute_plan(query->plan, &array, nullptr, true, 0);
	}
	if (result != SPI_OK_SELECT)
	{
		elog(ERROR, "query failed: %s", query->sql);
	}
}

// Follow a path from links to keys
void
follow(const Path *path, const PathQuery *query, const KeySet *links, KeySet *keys)
{
	PushActiveSnapshot(GetLatestSnapshot());
	SPI_connect();
	Session session = begin_as_owner(path->owner);
	run_query(path, query, links);
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

LinkSide
side_of(const Path *path)
{
	return path->leads ? LinkSide::names : LinkSide::holds;
}

// Whether links lead to rows of a hop, whose writer has these, then the links, and then the records
bool
leads_to_hop(const Path *path)
{
	return path->kind == PathKind::hop_link ||
		   (path->kind == PathKind::source && (!path->by_column || path->middle.sql != nullptr));
}

// Lock what rows name, or hold, where that is found in rows of a hop
void
lock_hop_links(const Touched *touched, const Path *path)
{
	KeySet *links = touched->links;

	if (path->locks && leads_to_hop(path))
	{
		settle_keys(links);
		lock_link_keys(side_of(path), path->record_type, path->source, links->kind, links->keys, links->count);
	}
}

// Lock what the rows of a hop name that a source's rows lead to; returns the locks
List *
lock_middle(const KeySet *links, const Path *path)
{
	KeySet *middle = make_key_set(CurrentMemoryContext, path->middle_kind);

	if (links->count > 0)
	{
		follow(path, &path->middle, links, middle);
		settle_keys(middle);
	}
	return lock_held_keys(side_of(path), path->record_type, path->source, middle->kind, middle->keys, middle->count);
}

// Lock what rows name, or hold, where records hold it; returns the locks
List *
lock_record_links(const Touched *touched, const Path *path)
{
	KeySet *links = touched->links;

	settle_keys(links);
	if (path->kind == PathKind::record_key)
	{
		return lock_record_keys(side_of(path), path->record_type, links->kind, links->keys, links->count);
	}
	if (path->held)
	{
		return lock_held_keys(side_of(path), path->record_type, path->source, links->kind, links->keys, links->count);
	}
	if (path->middle.sql != nullptr)
	{
		return lock_middle(links, path);
	}
	return leads_to_hop(path)
			   ? NIL
			   : lock_link_keys(side_of(path), path->record_type, path->source, links->kind, links->keys, links->count);
}

[[noreturn]] void
raise_severed(const Path *path)
{
	ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE),
					errmsg("the relation in \"through\" of source \"%s\" no longer exists", path->source),
					errhint("It was dropped after the source was defined: name another relation, or delete the definitions.")));
	pg_unreachable();
}

// Add the records that the rows of a path lead to
void
add_records(const Step *step, KeySet *keys)
{
	const Path *path = step->path;
	const KeySet *links = step->touched->links;

	if (links->count == 0)
	{
		return;
	}
	if (path->severed)
	{
		raise_severed(path);
	}
	if (path->resolve.sql != nullptr)
	{
		follow(path, &path->resolve, links, keys);
		return;
	}
	for (int at = 0; at < links->count; at++)
	{
		add_known_key(keys, links->keys[at]);
	}
}

// Add all records of a type that are concerned
void
add_all_records(const Concerned *concerned, KeySet *keys)
{
	ListCell *cell;

	foreach (cell, concerned->steps)
	{
		auto *step = static_cast<const Step *>(lfirst(cell));
		if (step->path->leads)
		{
			settle_keys(step->touched->links);
			add_records(step, keys);
		}
	}
}

void
add_step(List **all, const Paths *paths, const Path *path, Touched *touched)
{
	Concerned *concerned = concerned_with(all, paths, path);
	auto *step = static_cast<Step *>(palloc(sizeof(Step)));

	*step = {touched, path};
	concerned->steps = lappend(concerned->steps, step);
	if (path->leads)
	{
		concerned->scores = list_concat_unique_ptr(concerned->scores, path->scores);
		concerned->everybody |= touched->everybody;
		concerned->awaits_records |= path->awaits_records;
		concerned->only_rows &= path->kind == PathKind::source && path->resolve.sql == nullptr;
	}
}

// A score of which the records will be locked, if they hold what they were found by: who changes that has the record before he locks
// what it holds; or null. Where all are scored together definitions come first
const ActiveScore *
score_to_lock_for(const Concerned *concerned)
{
	const ActiveScore *found = nullptr;
	bool by_column = false;
	ListCell *cell;

	foreach (cell, concerned->steps)
	{
		auto *path = static_cast<const Step *>(lfirst(cell))->path;
		by_column |= path->leads && path->by_column;
	}
	foreach (cell, by_column && !concerned->everybody ? concerned->scores : NIL)
	{
		auto *score = static_cast<const ActiveScore *>(lfirst(cell));
		if (score->relative)
		{
			return nullptr;
		}
		found = score->queued || found != nullptr ? found : score;
	}
	return found;
}

// Lock what rows of all paths to a type name, or hold, where records hold it; returns the locks
List *
lock_all_record_links(const Concerned *concerned)
{
	List *locks = NIL;
	ListCell *cell;

	foreach (cell, concerned->steps)
	{
		auto *step = static_cast<const Step *>(lfirst(cell));
		locks = step->path->locks ? list_concat(locks, lock_record_links(step->touched, step->path)) : locks;
	}
	return locks;
}

// Add keys to others; whether any is new
bool
add_keys(KeySet *keys, const KeySet *others)
{
	settle_keys(keys);
	int before = keys->count;

	for (int at = 0; at < others->count; at++)
	{
		add_known_key(keys, others->keys[at]);
	}
	settle_keys(keys);
	return keys->count > before;
}

// Find the records of a type and lock them before what links them; if others were linked meanwhile, those as well
void
lock_records_and_links(Concerned *concerned, const char *score)
{
	constexpr int most_rounds = 10;
	KeySet *seen = make_key_set(CurrentMemoryContext, concerned->keys->kind);

	add_all_records(concerned, seen);
	for (int round = 1;; round++)
	{
		PushActiveSnapshot(GetLatestSnapshot());
		lock_records(score, seen);
		PopActiveSnapshot();
		const List *locks = lock_all_record_links(concerned);
		concerned->keys = make_key_set(CurrentMemoryContext, seen->kind);
		add_all_records(concerned, concerned->keys);
		if (!add_keys(seen, concerned->keys) || round == most_rounds)
		{
			return;
		}
		unlock_links(locks);
	}
}

int
compare_turns(const ListCell *left, const ListCell *right)
{
	return static_cast<const Concerned *>(lfirst(left))->turn - static_cast<const Concerned *>(lfirst(right))->turn;
}

} // namespace

List *
find_concerned(const Paths *paths, const List *touched)
{
	List *all = NIL;

	for (int at = 0; at < list_length(touched); at++)
	{
		auto *entry = static_cast<Touched *>(list_nth(touched, at));
		const Path *path = path_of(paths, entry);
		if (path != nullptr)
		{
			add_step(&all, paths, path, entry);
		}
	}
	list_sort(all, compare_turns);
	return all;
}

void
find_records(Concerned *concerned)
{
	ListCell *cell;

	foreach (cell, concerned->steps)
	{
		auto *step = static_cast<const Step *>(lfirst(cell));
		lock_hop_links(step->touched, step->path);
	}
	if (const ActiveScore *score = score_to_lock_for(concerned); score != nullptr)
	{
		lock_records_and_links(concerned, score->name);
		return;
	}
	lock_all_record_links(concerned);
	add_all_records(concerned, concerned->keys);
}

} // namespace lead_scoring::pg
