#include "pg/postgres_api.hpp"

#include "pg/paths.hpp"

#include "pg/fill.hpp"
#include "pg/kept_score.hpp"
#include "pg/key_set.hpp"
#include "pg/loaded_stream.hpp"
#include "pg/query.hpp"
#include "pg/read_columns.hpp"
#include "pg/score_columns.hpp"
#include "pg/session.hpp"

extern "C"
{
#include "catalog/pg_inherits.h"
}

namespace lead_scoring::pg
{

namespace
{

enum Column
{
	record_type_column = 1,
	records_column,
	key_column_column,
	key_type_column,
	source_column,
	relation_column,
	record_key_column,
	record_column_column,
	through_column,
	through_key_column,
	through_record_column,
	guarded_column,
	score_column,
	queued_column,
	relative_column,
	target_column,
};

// One row for each score and source of it, or for a score without sources. A foreign key that always holds guards what
// names the records, a source or a hop: no row of it names a record that others cannot see yet
constexpr const char *paths_sql =
	"SELECT t.name, t.relation::oid, t.key_column, k.atttypid, o.name, o.relation::oid, o.record_key, "
	"nullif(o.record_column, t.key_column), o.through::oid, o.through_key, o.through_record, "
	"EXISTS (SELECT FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid "
	"AND a.attname = coalesce(o.through_record, o.record_key) "
	"WHERE c.contype = 'f' AND c.conrelid = coalesce(o.through::oid, o.relation) AND c.confrelid = t.relation AND c.convalidated "
	"AND NOT c.condeferrable AND c.conkey = ARRAY[a.attnum] AND c.confkey = ARRAY[k.attnum]), "
	"s.name, s.mode = 'queued', EXISTS (SELECT FROM lead_scoring.band b WHERE b.score = s.name AND "
	"(b.capacity IS NOT NULL OR b.top_share IS NOT NULL)), s.target::oid "
	"FROM lead_scoring.score s JOIN lead_scoring.record_type t ON t.name = s.record_type "
	"JOIN pg_attribute k ON k.attrelid = t.relation AND k.attname = t.key_column AND NOT k.attisdropped "
	"LEFT JOIN lead_scoring.source o ON o.record_type = t.name AND lead_scoring.uses_source(s.name, o.name) "
	"WHERE s.status = 'active' ORDER BY t.name, o.name NULLS FIRST, s.name";

Paths *known = nullptr;
MemoryContext known_context = nullptr;

// What tells the paths of a kind and a record type apart; null if there is one only
const char *
name_of_path(const QueryRows &rows, uint64 row, PathKind kind)
{
	switch (kind)
	{
	case PathKind::record:
	case PathKind::record_key:
		return nullptr;
	case PathKind::target:
		return text_at(rows, row, target_column);
	default:
		return text_at(rows, row, source_column);
	}
}

// The path of a kind for the source of a row, made if it is not there
Path *
path_for(Paths *paths, const QueryRows &rows, uint64 row, PathKind kind)
{
	const char *record_type = text_at(rows, row, record_type_column);
	const char *source = name_of_path(rows, row, kind);

	for (int at = 0; at < list_length(paths->paths); at++)
	{
		auto *path = static_cast<Path *>(list_nth(paths->paths, at));
		if (path->kind == kind && strcmp(path->record_type, record_type) == 0 &&
			(source == nullptr || strcmp(path->source, source) == 0))
		{
			return path;
		}
	}
	auto *path = static_cast<Path *>(palloc0(sizeof(Path)));
	Oid records = DatumGetObjectId(datum_at(rows, row, records_column));
	path->kind = kind;
	path->record_type = record_type;
	path->source = source;
	path->owner = owner_of(records);
	path->key_kind = key_kind_of_type(DatumGetObjectId(datum_at(rows, row, key_type_column)));
	path->leads = kind == PathKind::record || kind == PathKind::source || kind == PathKind::hop || kind == PathKind::target;
	path->locks = !path->leads;
	paths->paths = lappend(paths->paths, path);
	return path;
}

void
add_score(Path *path, ActiveScore *score)
{
	if (path->scores == NIL || llast(path->scores) != score)
	{
		path->scores = lappend(path->scores, score);
	}
}

// Find the records through a column of theirs
const char *
by_record_column(const QueryRows &rows, uint64 row)
{
	const char *column = text_at(rows, row, record_column_column);

	return column == nullptr
			   ? nullptr
			   : psprintf("SELECT r.%s FROM %s r WHERE r.%s OPERATOR(pg_catalog.=) ANY ($1)",
						  quote_identifier(text_at(rows, row, key_column_column)),
						  relation_sql(DatumGetObjectId(datum_at(rows, row, records_column))), quote_identifier(column));
}

// Find what the hop names
const char *
to_middle(const QueryRows &rows, uint64 row)
{
	return psprintf("SELECT DISTINCT h.%s FROM %s h WHERE h.%s OPERATOR(pg_catalog.=) ANY ($1)",
					quote_identifier(text_at(rows, row, through_record_column)),
					relation_sql(DatumGetObjectId(datum_at(rows, row, through_column))),
					quote_identifier(text_at(rows, row, through_key_column)));
}

// Find the records through the hop, and perhaps a column of theirs
const char *
by_hop(const QueryRows &rows, uint64 row)
{
	const char *column = text_at(rows, row, record_column_column);

	if (column == nullptr)
	{
		return to_middle(rows, row);
	}
	return psprintf("SELECT DISTINCT r.%s FROM %s h JOIN %s r ON r.%s OPERATOR(pg_catalog.=) h.%s "
					"WHERE h.%s OPERATOR(pg_catalog.=) ANY ($1)",
					quote_identifier(text_at(rows, row, key_column_column)),
					relation_sql(DatumGetObjectId(datum_at(rows, row, through_column))),
					relation_sql(DatumGetObjectId(datum_at(rows, row, records_column))), quote_identifier(column),
					quote_identifier(text_at(rows, row, through_record_column)),
					quote_identifier(text_at(rows, row, through_key_column)));
}

// Whether rows may name records that nobody sees yet
bool
awaits_records(const QueryRows &rows, uint64 row)
{
	return null_at(rows, row, record_column_column) && !DatumGetBool(datum_at(rows, row, guarded_column));
}

void
add_hop_paths(Paths *paths, const QueryRows &rows, uint64 row, ActiveScore *score)
{
	Oid relation = DatumGetObjectId(datum_at(rows, row, through_column));
	// What the source names before what the records hold: the order in which an event locks them
	Path *link = path_for(paths, rows, row, PathKind::hop_link);
	Path *hop = path_for(paths, rows, row, PathKind::hop);

	hop->relation = link->relation = relation;
	hop->link_column = link->second_column = text_at(rows, row, through_record_column);
	hop->second_column = link->link_column = text_at(rows, row, through_key_column);
	hop->resolve_sql = by_record_column(rows, row);
	hop->locks = hop->held = hop->resolve_sql != nullptr;
	hop->awaits_records = awaits_records(rows, row);
	add_score(hop, score);
	add_score(link, score);
}

void
add_source_paths(Paths *paths, const QueryRows &rows, uint64 row, ActiveScore *score)
{
	Path *path = path_for(paths, rows, row, PathKind::source);
	bool has_hop = !null_at(rows, row, through_column);
	bool has_column = !null_at(rows, row, record_column_column);

	path->relation = DatumGetObjectId(datum_at(rows, row, relation_column));
	path->link_column = text_at(rows, row, record_key_column);
	path->resolve_sql = has_hop ? by_hop(rows, row) : by_record_column(rows, row);
	if (has_hop && has_column)
	{
		Oid hop = DatumGetObjectId(datum_at(rows, row, through_column));
		path->middle_sql = to_middle(rows, row);
		path->middle_kind = key_kind_of_type(get_atttype(hop, get_attnum(hop, text_at(rows, row, through_record_column))));
	}
	path->locks = has_hop || has_column;
	path->awaits_records = awaits_records(rows, row);
	add_score(path, score);
	if (has_hop)
	{
		add_hop_paths(paths, rows, row, score);
	}
	if (has_column || path->awaits_records)
	{
		Path *link = path_for(paths, rows, row, has_column ? PathKind::record_link : PathKind::record_key);
		link->relation = DatumGetObjectId(datum_at(rows, row, records_column));
		link->link_column = text_at(rows, row, has_column ? record_column_column : key_column_column);
		// Who has found the records by what they hold looks for their keys
		link->second_column = text_at(rows, row, key_column_column);
		link->held = has_hop;
		link->scores = list_append_unique_ptr(link->scores, score);
	}
}

// A row of a table apart that goes, or gets another key, leaves its record without its scores
void
add_target_path(Paths *paths, const QueryRows &rows, uint64 row, ActiveScore *score)
{
	Path *path = path_for(paths, rows, row, PathKind::target);

	path->relation = DatumGetObjectId(datum_at(rows, row, target_column));
	path->link_column = text_at(rows, row, key_column_column);
	path->scores = list_append_unique_ptr(path->scores, score);
}

// Note the score of a row; rows of one score need not follow each other
ActiveScore *
score_for(List **scores, const QueryRows &rows, uint64 row)
{
	const char *name = text_at(rows, row, score_column);

	for (int at = 0; at < list_length(*scores); at++)
	{
		auto *score = static_cast<ActiveScore *>(list_nth(*scores, at));
		if (strcmp(score->name, name) == 0)
		{
			return score;
		}
	}
	auto *score = static_cast<ActiveScore *>(palloc(sizeof(ActiveScore)));
	*score = {name, text_at(rows, row, record_type_column), DatumGetBool(datum_at(rows, row, queued_column)),
			  DatumGetBool(datum_at(rows, row, relative_column)), false,
			  DatumGetObjectId(datum_at(rows, row, null_at(rows, row, target_column) ? records_column : target_column))};
	*scores = lappend(*scores, score);
	return score;
}

int
compare_names(const ListCell *left, const ListCell *right)
{
	return strcmp(static_cast<const ActiveScore *>(lfirst(left))->name, static_cast<const ActiveScore *>(lfirst(right))->name);
}

Paths *
read_paths(MemoryContext context)
{
	SPI_connect();
	Session session = begin_as_table_owner(definitions_owner());
	QueryRows rows = run_query(context, paths_sql, 0, nullptr);
	MemoryContext before = MemoryContextSwitchTo(context);
	auto *paths = static_cast<Paths *>(palloc0(sizeof(Paths)));

	for (uint64 row = 0; row < rows.count; row++)
	{
		ActiveScore *score = score_for(&paths->scores, rows, row);
		Path *records = path_for(paths, rows, row, PathKind::record);
		records->relation = DatumGetObjectId(datum_at(rows, row, records_column));
		records->link_column = text_at(rows, row, key_column_column);
		records->scores = list_append_unique_ptr(records->scores, score);
		if (!null_at(rows, row, target_column))
		{
			add_target_path(paths, rows, row, score);
		}
		if (!null_at(rows, row, source_column))
		{
			add_source_paths(paths, rows, row, score);
		}
	}
	for (int at = 0; at < list_length(paths->paths); at++)
	{
		auto *path = static_cast<Path *>(list_nth(paths->paths, at));
		list_sort(path->scores, compare_names);
		watch_relation(path->relation);
	}
	MemoryContextSwitchTo(before);
	end_session(session);
	SPI_finish();
	return paths;
}

// Whether a relation is another, or a partition or child of it
bool
is_part_of(Oid part, Oid whole)
{
	return part == whole || (has_superclass(part) && list_member_oid(find_all_inheritors(whole, NoLock, nullptr), part));
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
		LoadedScore *score = load_score(active->name, Reader::writer);
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

// The columns of the scores that have theirs in a relation
List *
find_kept(const Paths *paths, Oid relation)
{
	List *kept = NIL;

	for (int at = 0; at < list_length(paths->scores); at++)
	{
		auto *score = static_cast<const ActiveScore *>(list_nth(paths->scores, at));
		ScoreColumns columns = score_columns(score->name);
		if (score->target != relation)
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

PathStarts *
find_starts(const Paths *paths, Oid id)
{
	auto *starts = static_cast<PathStarts *>(palloc0(sizeof(PathStarts)));

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
		start->link = get_attnum(id, path->link_column);
		start->second = path->second_column == nullptr ? 0 : get_attnum(id, path->second_column);
		start->link_type = getBaseType(get_atttype(id, start->link));
		translate_columns(start, columns_that_matter(path), path, id);
		starts->all_matter |= start->all_matter;
		starts->matter = bms_add_members(starts->matter, start->matter);
	}
	starts->kept = find_kept(paths, id);
	return starts;
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
