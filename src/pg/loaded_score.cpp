// Reading a score from the definition tables.
//
// First the rows are read through SPI into plain memory; then, relation by relation, the expressions are parsed and
// compiled with the rights of that relation's owner.
#include "pg/postgres_api.hpp"

#include "pg/loaded_score.hpp"

#include "core/time.hpp"
#include "pg/decay_type.hpp"
#include "pg/expression.hpp"
#include "pg/interval.hpp"
#include "pg/query.hpp"
#include "pg/score_columns.hpp"
#include "pg/session.hpp"

#include <limits>

extern "C"
{
#include "access/table.h"
#include "optimizer/optimizer.h"
}

namespace lead_scoring::pg
{

namespace
{

constexpr double unlimited = std::numeric_limits<double>::infinity();

// A rule or a scope before its expression is compiled
struct RawCriterion
{
	const char *what;   // for errors
	const char *text;
	bool resolved;      // whether the names in the text are
	const char *source; // name, or null
	Oid relation;       // that it was written for
	const char *owner;  // of that relation, then; null if unknown
};

// What loading carries from step to step
struct Loading
{
	LoadedScore *score;
	const char *record_type;
	MemoryContext context;
	core::GroupDefinition *groups;
	const char **group_names;
	int group_count;
	core::RuleDefinition *rules;
	RawCriterion *raw_rules;
	int rule_count;
	core::ScopeDefinition *scopes;
	RawCriterion *raw_scopes;
	int scope_count;
	core::BandDefinition *bands;
	int band_count;
	int source_count;
};

template <typename Item>
Item *
make_array(MemoryContext context, uint64 count)
{
	return static_cast<Item *>(MemoryContextAllocZero(context, sizeof(Item) * Max(count, 1)));
}

core::Part
part_of(const char *text)
{
	return strcmp(text, "fit") == 0          ? core::Part::fit
		   : strcmp(text, "engagement") == 0 ? core::Part::engagement
											 : core::Part::total;
}

core::ScoreKind
kind_of(const char *text)
{
	return strcmp(text, "fit") == 0          ? core::ScoreKind::fit
		   : strcmp(text, "engagement") == 0 ? core::ScoreKind::engagement
											 : core::ScoreKind::combined;
}

void
read_score(Loading *loading, const char *name)
{
	LoadedScore *score = loading->score;
	QueryRows rows = run_query(
		loading->context,
		"SELECT s.kind, s.min_points, s.max_points, s.status, s.target::oid, s.record_type, t.relation::oid, "
		"t.key_column, t.relation_owner, "
		"EXISTS (SELECT FROM lead_scoring.adjustment a WHERE a.score = s.name) "
		"FROM lead_scoring.score s LEFT JOIN lead_scoring.record_type t ON t.name = s.record_type "
		"WHERE s.name = $1",
		1, &name);

	if (rows.count == 0)
	{
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("score \"%s\" does not exist", name),
						errhint("The scores are the rows of lead_scoring.score.")));
	}
	loading->record_type = text_at(rows, 0, 6);
	if (null_at(rows, 0, 7))
	{
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
						errmsg("record type \"%s\" of score \"%s\" does not exist", loading->record_type, name),
						errhint("Insert it into lead_scoring.record_type first.")));
	}
	score->name = MemoryContextStrdup(loading->context, name);
	score->definition.kind = kind_of(text_at(rows, 0, 1));
	score->definition.limits = {real_at(rows, 0, 2, -unlimited), real_at(rows, 0, 3, unlimited)};
	score->active = strcmp(text_at(rows, 0, 4), "active") == 0;
	score->records = make_array<LoadedStream>(loading->context, 1);
	score->records->name = loading->record_type;
	score->records->relation = DatumGetObjectId(datum_at(rows, 0, 7));
	score->records->key_column = text_at(rows, 0, 8);
	score->own_target = null_at(rows, 0, 5);
	score->target = score->own_target ? score->records->relation : DatumGetObjectId(datum_at(rows, 0, 5));
	score->definition.has_adjustments = DatumGetBool(datum_at(rows, 0, 10));
	const char *defined_for = text_at(rows, 0, 9);
	MemoryContext before = MemoryContextSwitchTo(loading->context);
	settle_stream(score->records, defined_for);
	score->definition.key_kind = key_kind_of(score->records);
	score->definition.unique_keys = has_unique_key(score->records->relation, score->records->key_column);
	MemoryContextSwitchTo(before);
}

void
read_groups(Loading *loading)
{
	QueryRows rows = run_query(loading->context,
							   "SELECT name, kind, min_points, max_points, decay FROM lead_scoring.score_group "
							   "WHERE score = $1 ORDER BY kind DESC, name",
							   1, &loading->score->name);

	loading->group_count = static_cast<int>(rows.count);
	loading->groups = make_array<core::GroupDefinition>(loading->context, rows.count);
	loading->group_names = make_array<const char *>(loading->context, rows.count);
	for (uint64 at = 0; at < rows.count; at++)
	{
		core::GroupDefinition *group = &loading->groups[at];
		loading->group_names[at] = text_at(rows, at, 1);
		group->name = loading->group_names[at];
		group->part = part_of(text_at(rows, at, 2));
		group->limits = {real_at(rows, at, 3, -unlimited), real_at(rows, at, 4, unlimited)};
		if (!null_at(rows, at, 5))
		{
			auto *decay = make_array<core::Decay>(loading->context, 1);
			*decay = *decay_from_datum(datum_at(rows, at, 5));
			group->decay = decay;
		}
	}
	loading->score->definition.groups = {loading->groups, rows.count};
}

// Read the sources that the score's rules and scopes use
void
read_sources(Loading *loading)
{
	const char *parameters[] = {loading->score->name, loading->record_type};
	QueryRows rows = run_query(
		loading->context,
		"SELECT o.name, o.relation::oid, o.record_key, o.record_column, o.occurred_at, o.filter_resolved, "
		"o.relation_owner FROM lead_scoring.source o WHERE o.record_type = $2 AND o.name IN "
		"(SELECT source FROM lead_scoring.rule WHERE score = $1 AND enabled "
		"UNION SELECT source FROM lead_scoring.scope WHERE score = $1) ORDER BY o.name",
		2, parameters);

	loading->source_count = static_cast<int>(rows.count);
	loading->score->sources = make_array<LoadedStream *>(loading->context, rows.count);
	MemoryContext before = MemoryContextSwitchTo(loading->context);
	for (uint64 at = 0; at < rows.count; at++)
	{
		auto *stream = make_array<LoadedStream>(loading->context, 1);
		stream->is_source = true;
		stream->name = text_at(rows, at, 1);
		stream->relation = DatumGetObjectId(datum_at(rows, at, 2));
		stream->key_column = text_at(rows, at, 3);
		stream->record_column = text_at(rows, at, 4);
		stream->time_column = text_at(rows, at, 5);
		stream->filter_sql = text_at(rows, at, 6);
		settle_stream(stream, text_at(rows, at, 7));
		if (stream->record_column != nullptr &&
			strcmp(stream->record_column, loading->score->records->key_column) == 0)
		{
			stream->record_column = nullptr;
		}
		require_same_kind(stream, loading->score->records);
		loading->score->sources[at] = stream;
	}
	MemoryContextSwitchTo(before);
}

// Return the number of a source; raises if it is not there
int32_t
source_number(const Loading *loading, const char *source, const char *what)
{
	if (source == nullptr)
	{
		return core::record_itself;
	}
	for (int at = 0; at < loading->source_count; at++)
	{
		if (strcmp(loading->score->sources[at]->name, source) == 0)
		{
			return at;
		}
	}
	ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
					errmsg("source \"%s\" of %s does not exist", source, what),
					errhint("Insert it into lead_scoring.source first, for record type \"%s\".",
							loading->record_type)));
	pg_unreachable();
}

uint32_t
group_number(const Loading *loading, const char *group, const char *what)
{
	for (int at = 0; at < loading->group_count; at++)
	{
		if (strcmp(loading->group_names[at], group) == 0)
		{
			return static_cast<uint32_t>(at);
		}
	}
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("group \"%s\" of %s does not exist", group, what),
			 errhint("Insert it into lead_scoring.score_group first.")));
	pg_unreachable();
}

// The length of a rule's window in microseconds
int64
window_length(const Interval *interval, const char *what)
{
	int64 length;

	if (!interval_length(interval, &length) || length <= 0)
	{
		ereport(ERROR, (errcode(ERRCODE_INTERVAL_FIELD_OVERFLOW), errmsg("within of %s is out of range", what),
						errhint("It is longer than zero and at most 290,000 years.")));
	}
	return length;
}

// Read what a criterion was written for
void
read_pin(RawCriterion *raw, const QueryRows &rows, uint64 row, int column)
{
	raw->resolved = DatumGetBool(datum_at(rows, row, column));
	raw->relation = null_at(rows, row, column + 1) ? InvalidOid : DatumGetObjectId(datum_at(rows, row, column + 1));
	raw->owner = text_at(rows, row, column + 2);
}

void
read_rules(Loading *loading)
{
	QueryRows rows = run_query(
		loading->context,
		"SELECT r.name, r.group_name, r.source, coalesce(r.criterion_resolved, r.criterion), r.points, r.counting, "
		"r.at_least, r.at_most, r.within, r.since, r.until, r.criterion_resolved IS NOT NULL, "
		"r.criterion_relation::oid, r.criterion_owner "
		"FROM lead_scoring.rule r LEFT JOIN lead_scoring.score_group g ON g.score = r.score AND g.name = r.group_name "
		"WHERE r.score = $1 AND r.enabled ORDER BY g.kind DESC, r.group_name, r.name",
		1, &loading->score->name);

	loading->rule_count = static_cast<int>(rows.count);
	loading->rules = make_array<core::RuleDefinition>(loading->context, rows.count);
	loading->raw_rules = make_array<RawCriterion>(loading->context, rows.count);
	loading->score->rule_sources = make_array<const char *>(loading->context, rows.count);
	for (uint64 at = 0; at < rows.count; at++)
	{
		core::RuleDefinition *rule = &loading->rules[at];
		RawCriterion *raw = &loading->raw_rules[at];
		rule->name = text_at(rows, at, 1);
		MemoryContext before = MemoryContextSwitchTo(loading->context);
		raw->what = psprintf("rule \"%s\" of score \"%s\"", rule->name.data(), loading->score->name);
		MemoryContextSwitchTo(before);
		raw->text = text_at(rows, at, 4);
		raw->source = text_at(rows, at, 3);
		read_pin(raw, rows, at, 12);
		rule->group = group_number(loading, text_at(rows, at, 2), raw->what);
		rule->source = source_number(loading, raw->source, raw->what);
		rule->points = DatumGetFloat8(datum_at(rows, at, 5));
		rule->counting =
			strcmp(text_at(rows, at, 6), "each") == 0 ? core::Counting::each : core::Counting::once;
		double lowest = null_at(rows, at, 8) ? 1 : 0;
		rule->count = {real_at(rows, at, 7, lowest), real_at(rows, at, 8, unlimited)};
		rule->within_us = null_at(rows, at, 9) ? 0 : window_length(DatumGetIntervalP(datum_at(rows, at, 9)), raw->what);
		rule->since = null_at(rows, at, 10) ? core::infinitely_old : DatumGetTimestampTz(datum_at(rows, at, 10));
		rule->until = null_at(rows, at, 11) ? core::infinitely_late : DatumGetTimestampTz(datum_at(rows, at, 11));
		loading->score->rule_sources[at] = raw->source;
	}
	loading->score->definition.rules = {loading->rules, rows.count};
}

void
read_scopes(Loading *loading)
{
	QueryRows rows = run_query(loading->context,
							   "SELECT mode, source, coalesce(criterion_resolved, criterion), "
							   "criterion_resolved IS NOT NULL, criterion_relation::oid, criterion_owner "
							   "FROM lead_scoring.scope WHERE score = $1 ORDER BY scope_id",
							   1, &loading->score->name);

	loading->scope_count = static_cast<int>(rows.count);
	loading->scopes = make_array<core::ScopeDefinition>(loading->context, rows.count);
	loading->raw_scopes = make_array<RawCriterion>(loading->context, rows.count);
	for (uint64 at = 0; at < rows.count; at++)
	{
		RawCriterion *raw = &loading->raw_scopes[at];
		MemoryContext before = MemoryContextSwitchTo(loading->context);
		raw->what = psprintf("a scope of score \"%s\"", loading->score->name);
		MemoryContextSwitchTo(before);
		raw->source = text_at(rows, at, 2);
		raw->text = text_at(rows, at, 3);
		read_pin(raw, rows, at, 4);
		loading->scopes[at].include = strcmp(text_at(rows, at, 1), "include") == 0;
		loading->scopes[at].source = source_number(loading, raw->source, raw->what);
	}
	loading->score->definition.scopes = {loading->scopes, rows.count};
}

void
read_bands(Loading *loading)
{
	QueryRows rows = run_query(loading->context,
							   "SELECT part, label, lower_bound FROM lead_scoring.band WHERE score = $1 "
							   "ORDER BY part, lower_bound DESC NULLS LAST",
							   1, &loading->score->name);

	loading->bands = make_array<core::BandDefinition>(loading->context, rows.count);
	for (uint64 at = 0; at < rows.count; at++)
	{
		loading->bands[at].part = part_of(text_at(rows, at, 1));
		loading->bands[at].label = text_at(rows, at, 2);
		loading->bands[at].lower_bound = real_at(rows, at, 3, -unlimited);
	}
	loading->score->definition.bands = {loading->bands, rows.count};
}

// Raise if a criterion reads what the score itself has written: it would never come to rest
void
require_no_own_column(const LoadedScore *score, Oid relation, Node *expression, const char *what)
{
	ScoreColumns columns = score_columns(score->name);
	Bitmapset *attributes = nullptr;

	if (relation != score->target)
	{
		return;
	}
	pull_varattnos(expression, 1, &attributes);
	for (const char *column : {columns.total, columns.fit, columns.engagement, columns.label})
	{
		AttrNumber attribute = get_attnum(relation, column);
		if (attribute != InvalidAttrNumber &&
			bms_is_member(attribute - FirstLowInvalidHeapAttributeNumber, attributes))
		{
			ereport(ERROR, (errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
							errmsg("criterion of %s reads the score's own column \"%s\"", what, column),
							errhint("A score depends on facts, not on itself: refer to other columns.")));
		}
	}
}

// Compile one criterion; only over the relation and for the owner that it was written for, so that nobody's condition
// ever runs with the rights of another
const core::PredicateTree *
compile_raw(const Loading *loading, const RawCriterion *raw, LoadedStream *stream, Relation relation)
{
	if (raw->relation != stream->relation || raw->owner == nullptr ||
		strcmp(raw->owner, GetUserNameFromId(stream->owner, false)) != 0)
	{
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("criterion of %s was written for another relation or owner", raw->what),
				 errhint("The owner of \"%s\" confirms it by writing it again: UPDATE lead_scoring.rule (or scope) "
						 "SET criterion = criterion WHERE score = %s;",
						 RelationGetRelationName(relation), quote_literal_cstr(loading->score->name))));
	}
	Node *expression = parse_criterion(relation, raw->text, {raw->what, "criterion", raw->resolved});
	require_no_own_column(loading->score, stream->relation, expression, raw->what);
	return compile_criterion(expression, stream->inputs);
}

// Compile the expressions that look at one stream's rows; the session is that of its relation's owner
void
compile_stream(Loading *loading, LoadedStream *stream, int32_t number)
{
	Relation relation = table_open(stream->relation, AccessShareLock);

	for (int at = 0; at < loading->rule_count; at++)
	{
		if (loading->rules[at].source == number)
		{
			loading->rules[at].criterion = compile_raw(loading, &loading->raw_rules[at], stream, relation);
		}
	}
	for (int at = 0; at < loading->scope_count; at++)
	{
		if (loading->scopes[at].source == number)
		{
			loading->scopes[at].criterion = compile_raw(loading, &loading->raw_scopes[at], stream, relation);
		}
	}
	if (stream->filter_sql != nullptr)
	{
		Node *expression = parse_criterion(relation, stream->filter_sql,
										   {psprintf("source \"%s\"", stream->name), "filter", true});
		stream->filter_sql = expression_sql(expression, stream->relation, stream->inputs->alias);
	}
	table_close(relation, NoLock);
}

void
compile_streams(Loading *loading)
{
	LoadedScore *score = loading->score;
	auto *sources = make_array<core::SourceDefinition>(loading->context, static_cast<uint64>(loading->source_count));

	for (int number = core::record_itself; number < loading->source_count; number++)
	{
		LoadedStream *stream = number == core::record_itself ? score->records : score->sources[number];
		Session session = begin_as_owner(stream->owner);
		compile_stream(loading, stream, number);
		end_session(session);
		auto *kinds = make_array<core::ColumnKind>(loading->context, static_cast<uint64>(stream->inputs->count));
		for (int column = 0; column < stream->inputs->count; column++)
		{
			kinds[column] = stream->inputs->columns[column].kind;
		}
		std::span<const core::ColumnKind> columns{kinds, static_cast<size_t>(stream->inputs->count)};
		if (number == core::record_itself)
		{
			score->definition.record_columns = columns;
		}
		else
		{
			sources[number] = {stream->time_column != nullptr, columns};
		}
	}
	score->definition.sources = {sources, static_cast<size_t>(loading->source_count)};
}

void
require_readable(const Loading *loading)
{
	require_stream_readable(loading->score->records);
	for (int at = 0; at < loading->source_count; at++)
	{
		require_stream_readable(loading->score->sources[at]);
	}
}

} // namespace

LoadedScore *
load_score(const char *name, Reader reader)
{
	Loading loading = {};

	loading.context = CurrentMemoryContext;
	loading.score = static_cast<LoadedScore *>(palloc0(sizeof(LoadedScore)));
	SPI_connect();
	// Our own tables, by queries of our own: whoever asks may have been denied to read them
	Session session = begin_as_table_owner(definitions_owner());
	read_score(&loading, name);
	read_groups(&loading);
	read_sources(&loading);
	read_rules(&loading);
	read_scopes(&loading);
	read_bands(&loading);
	end_session(session);
	SPI_finish();
	if (reader == Reader::anybody)
	{
		require_readable(&loading);
	}
	compile_streams(&loading);
	return loading.score;
}

} // namespace lead_scoring::pg
