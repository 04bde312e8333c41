#include "pg/postgres_api.hpp"

#include "pg/read_paths.hpp"

#include "pg/kept_score.hpp"
#include "pg/key_set.hpp"
#include "pg/loaded_stream.hpp"
#include "pg/query.hpp"
#include "pg/session.hpp"

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
// names the records, a source or a hop: no row of it names a record that others cannot see yet. A key column that is gone
// is no reason to leave a score out: whoever writes its facts is told, instead of nothing happening
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
	"JOIN pg_class w ON w.oid = t.relation "
	"LEFT JOIN pg_attribute k ON k.attrelid = t.relation AND k.attname = t.key_column AND NOT k.attisdropped "
	"LEFT JOIN lead_scoring.source o ON o.record_type = t.name AND lead_scoring.uses_source(s.name, o.name) "
	"WHERE s.status = 'active' ORDER BY t.name, o.name NULLS FIRST, s.name";

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
	// A key column that is gone has no kind; what is loaded next says so
	path->key_kind =
		null_at(rows, row, key_type_column) ? core::KeyKind::text : key_kind_of_type(DatumGetObjectId(datum_at(rows, row, key_type_column)));
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

} // namespace

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
		sort_scores(path->scores);
		watch_relation(path->relation);
	}
	MemoryContextSwitchTo(before);
	end_session(session);
	SPI_finish();
	return paths;
}

} // namespace lead_scoring::pg
