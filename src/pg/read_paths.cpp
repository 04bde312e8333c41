#include "pg/postgres_api.hpp"

#include "pg/read_paths.hpp"

#include "pg/kept_score.hpp"
#include "pg/key_set.hpp"
#include "pg/loaded_stream.hpp"
#include "pg/read_sources.hpp"
#include "pg/session.hpp"

extern "C"
{
#include "utils/syscache.h"
}

namespace lead_scoring::pg
{

namespace
{

// Where paths are noted, of the records of a type
struct Noting
{
	Paths *paths;
	const ReadRecords *records;
	core::KeyKind key_kind;
};

// What tells the paths of a kind and a record type apart; null if there is one only
const char *
name_of_path(const ReadSource *source, const ActiveScore *score, PathKind kind)
{
	switch (kind)
	{
	case PathKind::record:
	case PathKind::record_key:
		return nullptr;
	case PathKind::target:
		return psprintf("%u", score->target);
	default:
		return source->name;
	}
}

// The path of a kind for a source, made if it is not there
Path *
path_for(const Noting &noting, const ReadSource *source, const ActiveScore *score, PathKind kind)
{
	Paths *paths = noting.paths;
	const char *record_type = noting.records->record_type;
	const char *name = name_of_path(source, score, kind);

	for (int at = 0; at < list_length(paths->paths); at++)
	{
		auto *path = static_cast<Path *>(list_nth(paths->paths, at));
		if (path->kind == kind && strcmp(path->record_type, record_type) == 0 && (name == nullptr || strcmp(path->source, name) == 0))
		{
			return path;
		}
	}
	auto *path = static_cast<Path *>(palloc0(sizeof(Path)));
	path->kind = kind;
	path->record_type = record_type;
	path->source = name;
	path->owner = owner_of(noting.records->relation);
	path->key_kind = noting.key_kind;
	path->leads = kind == PathKind::record || kind == PathKind::source || kind == PathKind::hop || kind == PathKind::target;
	path->locks = !path->leads;
	paths->paths = lappend(paths->paths, path);
	return path;
}

// Find the records through a column of theirs
const char *
by_record_column(const ReadRecords *records, const ReadSource *source)
{
	return source->record_column == nullptr
			   ? nullptr
			   : psprintf("SELECT r.%s FROM %s r WHERE r.%s OPERATOR(pg_catalog.=) ANY ($1)", quote_identifier(records->key_column),
						  relation_sql(records->relation), quote_identifier(source->record_column));
}

// Find what the hop names
const char *
to_middle(const ReadSource *source)
{
	return psprintf("SELECT DISTINCT h.%s FROM %s h WHERE h.%s OPERATOR(pg_catalog.=) ANY ($1)",
					quote_identifier(source->through_record), relation_sql(source->through), quote_identifier(source->through_key));
}

// Find the records through the hop, and perhaps a column of theirs
const char *
by_hop(const ReadRecords *records, const ReadSource *source)
{
	if (source->record_column == nullptr)
	{
		return to_middle(source);
	}
	return psprintf("SELECT DISTINCT r.%s FROM %s h JOIN %s r ON r.%s OPERATOR(pg_catalog.=) h.%s "
					"WHERE h.%s OPERATOR(pg_catalog.=) ANY ($1)",
					quote_identifier(records->key_column), relation_sql(source->through), relation_sql(records->relation),
					quote_identifier(source->record_column), quote_identifier(source->through_record),
					quote_identifier(source->through_key));
}

// Whether rows may name records that nobody sees yet
bool
awaits_records(const ReadSource *source)
{
	return source->record_column == nullptr && !source->guarded;
}

void
add_hop_paths(const Noting &noting, const ReadSource *source, ActiveScore *score)
{
	// What the source names before what the records hold: the order in which an event locks them
	Path *link = path_for(noting, source, score, PathKind::hop_link);
	Path *hop = path_for(noting, source, score, PathKind::hop);

	hop->relation = link->relation = source->through;
	hop->link_column = link->second_column = source->through_record;
	hop->second_column = link->link_column = source->through_key;
	hop->resolve.sql = by_record_column(noting.records, source);
	hop->locks = hop->held = hop->by_column = hop->resolve.sql != nullptr;
	hop->awaits_records = awaits_records(source);
	hop->scores = list_append_unique_ptr(hop->scores, score);
	link->scores = list_append_unique_ptr(link->scores, score);
}

void
add_source_paths(const Noting &noting, const ReadSource *source, ActiveScore *score)
{
	Path *path = path_for(noting, source, score, PathKind::source);
	bool has_hop = OidIsValid(source->through);
	bool has_column = source->record_column != nullptr;

	path->relation = source->relation;
	path->link_column = source->record_key;
	path->severed = has_hop && get_rel_name(source->through) == nullptr;
	if (!path->severed)
	{
		path->resolve.sql = has_hop ? by_hop(noting.records, source) : by_record_column(noting.records, source);
	}
	if (has_hop && has_column && !path->severed)
	{
		path->middle.sql = to_middle(source);
		path->middle_kind = key_kind_of_column(source->through, source->through_record);
	}
	path->locks = has_hop || has_column;
	path->by_column = has_column;
	path->awaits_records = awaits_records(source);
	path->scores = list_append_unique_ptr(path->scores, score);
	if (has_hop)
	{
		add_hop_paths(noting, source, score);
	}
	if (has_column || path->awaits_records)
	{
		Path *link = path_for(noting, source, score, has_column ? PathKind::record_link : PathKind::record_key);
		link->relation = noting.records->relation;
		link->link_column = has_column ? source->record_column : noting.records->key_column;
		// Who has found the records by what they hold looks for their keys
		link->second_column = noting.records->key_column;
		link->held = has_hop;
		link->scores = list_append_unique_ptr(link->scores, score);
	}
}

// A row of a table apart that goes, or gets another key, leaves its record without its scores
void
add_target_path(const Noting &noting, ActiveScore *score)
{
	Path *path = path_for(noting, nullptr, score, PathKind::target);

	path->relation = score->target;
	path->link_column = noting.records->key_column;
	path->scores = list_append_unique_ptr(path->scores, score);
}

// Note the paths that lead to the records of a type
void
add_paths(Paths *paths, const ReadRecords *records)
{
	Noting noting{paths, records, key_kind_of_column(records->relation, records->key_column)};

	for (int at = 0; at < list_length(records->scores); at++)
	{
		auto *score = static_cast<ActiveScore *>(list_nth(records->scores, at));
		Path *path = path_for(noting, nullptr, score, PathKind::record);
		path->relation = records->relation;
		path->link_column = records->key_column;
		path->scores = lappend(path->scores, score);
		paths->scores = lappend(paths->scores, score);
		if (score->apart)
		{
			add_target_path(noting, score);
		}
	}
	for (int at = 0; at < list_length(records->sources); at++)
	{
		auto *source = static_cast<const ReadSource *>(list_nth(records->sources, at));
		for (int place = 0; place < list_length(source->scores); place++)
		{
			add_source_paths(noting, source, static_cast<ActiveScore *>(list_nth(source->scores, place)));
		}
	}
}

} // namespace

Paths *
read_paths(MemoryContext context)
{
	SPI_connect();
	Session session = begin_as_table_owner(definitions_owner());
	const List *records = read_active_records(context);
	MemoryContext before = MemoryContextSwitchTo(context);
	auto *paths = static_cast<Paths *>(palloc0(sizeof(Paths)));

	for (int at = 0; at < list_length(records); at++)
	{
		add_paths(paths, static_cast<const ReadRecords *>(list_nth(records, at)));
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
