#include "pg/postgres_api.hpp"

#include "pg/paths.hpp"

#include "pg/fill.hpp"
#include "pg/kept_score.hpp"
#include "pg/key_set.hpp"
#include "pg/read_columns.hpp"
#include "pg/read_paths.hpp"
#include "pg/score_columns.hpp"
#include "pg/session.hpp"

extern "C"
{
#include "access/relation.h"
#include "catalog/pg_inherits.h"
}

namespace lead_scoring::pg
{

namespace
{

Paths *known = nullptr;
MemoryContext known_context = nullptr;

// Whether a relation is another, or a partition or child of it
bool
is_part_of(Oid part, Oid whole)
{
	// Of a relation that was dropped nothing is a part; what reads it says so
	return part == whole ||
		   (has_superclass(part) && get_rel_name(whole) != nullptr &&
			list_member_oid(find_all_inheritors(whole, NoLock, nullptr), part));
}

Bitmapset *
add_column(Bitmapset *columns, Oid relation, const char *name)
{
	AttrNumber attribute = name == nullptr ? InvalidAttrNumber : get_attnum(relation, name);

	return attribute == InvalidAttrNumber ? columns : bms_add_member(columns, attribute);
}

// Add what a score reads of the rows at the start of a path, numbered as in the path's own relation
Bitmapset *
add_score_columns(Bitmapset *columns, const Path *path, const LoadedScore *score)
{
	if (path->kind == PathKind::record)
	{
		columns = bms_add_members(columns, read_attributes(score->records));
		for (size_t at = 0; at < score->definition.sources.size(); at++)
		{
			columns = add_column(columns, path->relation, score->sources[at]->record_column);
		}
		return columns;
	}
	for (size_t at = 0; at < score->definition.sources.size(); at++)
	{
		const LoadedStream *source = score->sources[at];
		if (strcmp(source->name, path->source) == 0 && path->kind == PathKind::source)
		{
			columns = bms_add_members(columns, read_attributes(source));
			columns = add_column(columns, path->relation, source->time_column);
		}
		else if (strcmp(source->name, path->source) == 0 && path->kind == PathKind::hop)
		{
			columns = bms_add_members(columns, hop_attributes(source));
		}
	}
	return columns;
}

// What matters of the rows at the start of a path, numbered as in the path's own relation; 0 for all of them
Bitmapset *
columns_that_matter(const Path *path)
{
	Bitmapset *columns = add_column(nullptr, path->relation, path->link_column);

	columns = add_column(columns, path->relation, path->second_column);
	MemoryContext scratch = AllocSetContextCreate(CurrentMemoryContext, "lead_scoring columns", ALLOCSET_DEFAULT_SIZES);
	for (int at = 0; at < list_length(path->scores) && path->leads; at++)
	{
		auto *active = static_cast<ActiveScore *>(list_nth(path->scores, at));
		MemoryContext before = MemoryContextSwitchTo(scratch);
		const LoadedScore *kept = definition_at_hand(active->name);
		const LoadedScore *score = kept != nullptr ? kept : load_score(active->name, Reader::writer);
		active->filled |= path->kind == PathKind::record && !active->queued && decided_by_row(score);
		MemoryContextSwitchTo(before);
		columns = add_score_columns(columns, path, score);
	}
	MemoryContextDelete(scratch);
	return columns;
}

// Number columns as a part of a relation has them
void
translate_columns(PathStart *start, Bitmapset *columns, const Path *path, Oid part)
{
	for (int member = -1; (member = bms_next_member(columns, member)) >= 0;)
	{
		const char *name = member == 0 ? nullptr : get_attname(path->relation, static_cast<AttrNumber>(member), true);
		AttrNumber attribute = name == nullptr ? InvalidAttrNumber : get_attnum(part, name);
		if (attribute > 0)
		{
			start->matter = bms_add_member(start->matter, attribute);
		}
		else
		{
			// Whole rows, or what cannot be told apart
			start->all_matter = true;
		}
	}
}

// The columns of the scores that have theirs in a relation, or inherited it
List *
find_kept(const Paths *paths, Oid relation)
{
	List *kept = NIL;

	for (int at = 0; at < list_length(paths->scores); at++)
	{
		auto *score = static_cast<const ActiveScore *>(list_nth(paths->scores, at));
		ScoreColumns columns = score_columns(score->name);
		if (!is_part_of(relation, score->target))
		{
			continue;
		}
		auto *found = static_cast<KeptColumns *>(palloc0(sizeof(KeptColumns)));
		found->score = score;
		for (const char *column : {columns.total, columns.fit, columns.engagement, columns.label})
		{
			found->columns = add_column(found->columns, relation, column);
		}
		kept = lappend(kept, found);
	}
	return kept;
}

int
compare_names(const ListCell *left, const ListCell *right)
{
	return strcmp(static_cast<const ActiveScore *>(lfirst(left))->name, static_cast<const ActiveScore *>(lfirst(right))->name);
}

// Add the scores that look at what is written into a relation
List *
add_readers(List *scores, const Paths *paths, Oid relation)
{
	for (int at = 0; at < list_length(paths->paths); at++)
	{
		auto *path = static_cast<const Path *>(list_nth(paths->paths, at));
		if (is_part_of(relation, path->relation) || is_part_of(path->relation, relation))
		{
			scores = list_concat_unique_ptr(scores, path->scores);
		}
	}
	return scores;
}

// Add the scores that look at what is written when some are, when those are, and so on; in the order of their names
List *
add_followers(List *scores, const Paths *paths)
{
	// The list grows meanwhile
	for (int at = 0; at < list_length(scores); at++)
	{
		scores = add_readers(scores, paths, static_cast<const ActiveScore *>(list_nth(scores, at))->target);
	}
	sort_scores(scores);
	return scores;
}

// Whether some columns of a relation are computed whenever they are read, from any others: the rows do not show that they change
bool
has_virtual_columns([[maybe_unused]] Oid id)
{
	bool found = false;
#if PG_VERSION_NUM >= 180000
	// It need not be there any more
	if (Relation relation = try_relation_open(id, AccessShareLock); relation != nullptr)
	{
		const TupleConstr *constraints = RelationGetDescr(relation)->constr;
		found = constraints != nullptr && constraints->has_generated_virtual;
		relation_close(relation, NoLock);
	}
#endif
	return found;
}

PathStarts *
find_starts(const Paths *paths, Oid id)
{
	auto *starts = static_cast<PathStarts *>(palloc0(sizeof(PathStarts)));
	bool all_matter = has_virtual_columns(id);

	starts->relation = id;
	starts->starts = static_cast<PathStart *>(palloc0(sizeof(PathStart) * static_cast<Size>(Max(list_length(paths->paths), 1))));
	for (int at = 0; at < list_length(paths->paths); at++)
	{
		auto *path = static_cast<Path *>(list_nth(paths->paths, at));
		if (!is_part_of(id, path->relation))
		{
			continue;
		}
		PathStart *start = &starts->starts[starts->count++];
		start->path = path;
		// Says which column is gone, if one is
		Bitmapset *matter = columns_that_matter(path);
		start->link = get_attnum(id, path->link_column);
		if (start->link == InvalidAttrNumber)
		{
			// The key of a target, which no definition names
			ereport(ERROR, (errcode(ERRCODE_UNDEFINED_COLUMN),
							errmsg("\"%s\" is no longer a column of \"%s\", by which record type \"%s\" is scored",
								   path->link_column, get_rel_name(id), path->record_type),
							errhint("Rename it back, or update the definition.")));
		}
		start->second = path->second_column == nullptr ? 0 : get_attnum(id, path->second_column);
		start->link_type = getBaseType(get_atttype(id, start->link));
		translate_columns(start, matter, path, id);
		start->all_matter |= all_matter;
		starts->all_matter |= start->all_matter;
		starts->from_above |= has_superclass(path->relation);
		starts->matter = bms_add_members(starts->matter, start->matter);
		starts->concerned = list_concat_unique_ptr(starts->concerned, path->scores);
	}
	starts->concerned = add_followers(starts->concerned, paths);
	starts->relations = relations_of(paths, starts->concerned);
	starts->kept = find_kept(paths, id);
	starts->watched = bms_copy(starts->matter);
	for (int at = 0; at < list_length(starts->kept); at++)
	{
		starts->watched = bms_add_members(starts->watched, static_cast<const KeptColumns *>(list_nth(starts->kept, at))->columns);
	}
	return starts;
}

int
compare_texts(const ListCell *left, const ListCell *right)
{
	return strcmp(static_cast<const char *>(lfirst(left)), static_cast<const char *>(lfirst(right)));
}

// Whether the records of a type are those of a relation
bool
are_records_of(const Paths *paths, Oid relation, const char *record_type)
{
	for (int at = 0; at < list_length(paths->paths); at++)
	{
		auto *path = static_cast<const Path *>(list_nth(paths->paths, at));
		if (path->kind == PathKind::record && strcmp(path->record_type, record_type) == 0)
		{
			return is_part_of(relation, path->relation) || is_part_of(path->relation, relation);
		}
	}
	return false;
}

// Whether the records of a type lead to those of another one, as rows of a source or a hop
bool
leads_to(const Paths *paths, const char *record_type, const char *other)
{
	for (int at = 0; at < list_length(paths->paths); at++)
	{
		auto *path = static_cast<const Path *>(list_nth(paths->paths, at));
		bool is_between = path->kind == PathKind::source || path->kind == PathKind::hop;
		if (is_between && strcmp(path->record_type, other) == 0 && are_records_of(paths, path->relation, record_type))
		{
			return true;
		}
	}
	return false;
}

// Whether scores of a record type look, in turn, at what scores of another one write
bool
look_at_scores(const Paths *paths, const char *record_type, const char *other)
{
	Oid asked = InvalidOid;

	for (int at = 0; at < list_length(paths->scores); at++)
	{
		auto *score = static_cast<const ActiveScore *>(list_nth(paths->scores, at));
		// Most scores of a type are written into the same table
		bool is_new = strcmp(score->record_type, record_type) == 0 && score->target != asked;
		const List *followers = is_new ? scores_around(paths, score->target) : NIL;
		asked = is_new ? score->target : asked;
		for (int place = 0; place < list_length(followers); place++)
		{
			if (strcmp(static_cast<const ActiveScore *>(list_nth(followers, place))->record_type, other) == 0)
			{
				return true;
			}
		}
	}
	return false;
}

// Whether who writes a record of a type may come to one of another type
bool
feeds(const Paths *paths, const char *record_type, const char *other)
{
	return leads_to(paths, record_type, other) || look_at_scores(paths, record_type, other);
}

// Whether no other of these types comes before one
bool
may_be_next(const Paths *paths, const List *types, const char *record_type)
{
	for (int at = 0; at < list_length(types); at++)
	{
		auto *other = static_cast<const char *>(list_nth(types, at));
		if (strcmp(other, record_type) != 0 && feeds(paths, other, record_type) && !feeds(paths, record_type, other))
		{
			return false;
		}
	}
	return true;
}

// The names of the record types that have scores, each once, sorted
List *
find_types(const Paths *paths)
{
	List *all = NIL;
	List *types = NIL;

	for (int at = 0; at < list_length(paths->scores); at++)
	{
		all = lappend(all, const_cast<char *>(static_cast<const ActiveScore *>(list_nth(paths->scores, at))->record_type));
	}
	list_sort(all, compare_texts);
	for (int at = 0; at < list_length(all); at++)
	{
		auto *record_type = static_cast<char *>(list_nth(all, at));
		bool is_new = types == NIL || strcmp(static_cast<const char *>(llast(types)), record_type) != 0;
		types = is_new ? lappend(types, record_type) : types;
	}
	return types;
}

// The record types in the order of Paths
List *
order_types(const Paths *paths)
{
	List *types = find_types(paths);
	List *ordered = NIL;

	while (types != NIL)
	{
		int next = 0;
		while (next + 1 < list_length(types) && !may_be_next(paths, types, static_cast<const char *>(list_nth(types, next))))
		{
			next++;
		}
		ordered = lappend(ordered, list_nth(types, next));
		types = list_delete_nth_cell(types, next);
	}
	return ordered;
}

} // namespace

const Paths *
all_paths()
{
	if (known != nullptr && known->version == definitions_version())
	{
		return known;
	}
	watch_relation(get_relname_relid("score", get_namespace_oid("lead_scoring", false)));
	uint64 version = definitions_version();
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "lead_scoring paths", ALLOCSET_SMALL_SIZES);
	Paths *paths = read_paths(context);
	paths->version = version;
	const List *types = order_types(paths);
	MemoryContext before = MemoryContextSwitchTo(context);
	paths->types = list_copy(types);
	MemoryContextSwitchTo(before);
	if (known_context != nullptr)
	{
		// Somebody further up may be on one of these paths
		MemoryContextSetParent(known_context, TopTransactionContext);
	}
	MemoryContextSetParent(context, CacheMemoryContext);
	known = paths;
	known_context = context;
	return paths;
}

void
sort_scores(List *scores)
{
	list_sort(scores, compare_names);
}

List *
scores_around(const Paths *paths, Oid relation)
{
	return add_followers(add_readers(NIL, paths, relation), paths);
}

List *
relations_of(const Paths *paths, const List *scores)
{
	List *relations = NIL;

	for (int at = 0; at < list_length(paths->paths); at++)
	{
		auto *path = static_cast<const Path *>(list_nth(paths->paths, at));
		for (int place = 0; place < list_length(path->scores); place++)
		{
			if (list_member_ptr(scores, list_nth(path->scores, place)))
			{
				relations = list_append_unique_oid(relations, path->relation);
			}
		}
	}
	list_sort(relations, list_oid_cmp);
	return relations;
}

const PathStarts *
known_paths_from(Oid relation)
{
	if (known == nullptr || known->version != definitions_version())
	{
		return nullptr;
	}
	for (int at = 0; at < list_length(known->starts); at++)
	{
		auto *starts = static_cast<const PathStarts *>(list_nth(known->starts, at));
		if (starts->relation == relation)
		{
			return starts;
		}
	}
	return nullptr;
}

const PathStarts *
paths_from(Oid relation)
{
	auto *paths = const_cast<Paths *>(all_paths());

	if (const PathStarts *starts = known_paths_from(relation); starts != nullptr)
	{
		return starts;
	}
	MemoryContext before = MemoryContextSwitchTo(known_context);
	PathStarts *starts = find_starts(paths, relation);
	paths->starts = lappend(paths->starts, starts);
	watch_relation(relation);
	MemoryContextSwitchTo(before);
	return starts;
}

} // namespace lead_scoring::pg
