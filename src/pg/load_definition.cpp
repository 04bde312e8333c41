// Reading a score's rows: the score itself, its groups, scopes, bands and factors.
#include "pg/postgres_api.hpp"

#include "pg/loading.hpp"

#include "core/time.hpp"
#include "pg/decay_type.hpp"
#include "pg/interval.hpp"

#include <cstdarg>

extern "C"
{
#include "lib/stringinfo.h"
}

namespace lead_scoring::pg
{

namespace
{

core::ScoreKind
kind_of(const char *text)
{
	return strcmp(text, "fit") == 0          ? core::ScoreKind::fit
		   : strcmp(text, "engagement") == 0 ? core::ScoreKind::engagement
											 : core::ScoreKind::combined;
}

History
history_of(const char *text)
{
	return strcmp(text, "none") == 0        ? History::none
		   : strcmp(text, "explained") == 0 ? History::explained
											: History::values;
}

const core::Decay *
decay_at(const Loading *loading, const QueryRows &rows, uint64 row, int column)
{
	if (null_at(rows, row, column))
	{
		return nullptr;
	}
	auto *decay = make_array<core::Decay>(loading->context, 1);
	*decay = *decay_from_datum(datum_at(rows, row, column));
	return decay;
}

// Read the ways in which the points of a group fade: for each segment, then for all others
void
read_fades(Loading *loading, core::GroupDefinition *group, const core::FadeDefinition &others)
{
	const char *parameters[] = {loading->score->name, group->name.data()};
	QueryRows rows = run_query(
		loading->context,
		"SELECT segment, segment_resolved, criterion_relation::oid, criterion_owner, decay, decay_after "
		"FROM lead_scoring.segment_decay WHERE score = $1 AND group_name = $2 ORDER BY segment COLLATE \"C\"",
		2, parameters);
	auto *fades = make_array<core::FadeDefinition>(loading->context, rows.count + 1);
	const char *what =
		loading_text(loading, "a decay of group \"%s\" of score \"%s\"", group->name.data(), loading->score->name);

	for (uint64 at = 0; at < rows.count; at++)
	{
		fades[at].decay = decay_at(loading, rows, at, 5);
		fades[at].quiet_us = length_at(rows, at, 6, -1, "decay_after", what);
		read_expression(loading, rows, at, 1,
						{what, "segment", nullptr, false, core::record_itself, InvalidOid, nullptr, ExpressionType::boolean,
						 &fades[at].segment, nullptr});
	}
	fades[rows.count] = others;
	group->fades = {fades, rows.count + 1};
}

} // namespace

core::Part
part_of(const char *text)
{
	return strcmp(text, "fit") == 0          ? core::Part::fit
		   : strcmp(text, "engagement") == 0 ? core::Part::engagement
											 : core::Part::total;
}

const char *
loading_text(const Loading *loading, const char *format, ...)
{
	MemoryContext before = MemoryContextSwitchTo(loading->context);
	StringInfoData text;

	initStringInfo(&text);
	for (;;)
	{
		va_list arguments;
		va_start(arguments, format);
		int missing = appendStringInfoVA(&text, format, arguments);
		va_end(arguments);
		if (missing == 0)
		{
			break;
		}
		enlargeStringInfo(&text, missing);
	}
	MemoryContextSwitchTo(before);
	return text.data;
}

void
read_expression(Loading *loading, const QueryRows &rows, uint64 row, int column, RawExpression expression)
{
	if (null_at(rows, row, column))
	{
		return;
	}
	MemoryContext before = MemoryContextSwitchTo(loading->context);
	auto *kept = static_cast<RawExpression *>(palloc(sizeof(RawExpression)));
	*kept = expression;
	kept->resolved = !null_at(rows, row, column + 1);
	kept->text = text_at(rows, row, kept->resolved ? column + 1 : column);
	kept->relation = null_at(rows, row, column + 2) ? InvalidOid : DatumGetObjectId(datum_at(rows, row, column + 2));
	kept->owner = text_at(rows, row, column + 3);
	loading->expressions = lappend(loading->expressions, kept);
	MemoryContextSwitchTo(before);
}

int64
length_at(const QueryRows &rows, uint64 row, int column, int64 if_null, const char *field, const char *what)
{
	int64 length;

	if (null_at(rows, row, column))
	{
		return if_null;
	}
	if (!interval_length(DatumGetIntervalP(datum_at(rows, row, column)), &length) || length < 0)
	{
		ereport(ERROR, (errcode(ERRCODE_INTERVAL_FIELD_OVERFLOW), errmsg("%s of %s is out of range", field, what),
						errhint("It is not negative and at most 290,000 years.")));
	}
	return length;
}

int64
instant_at(const QueryRows &rows, uint64 row, int column, int64 if_null)
{
	return null_at(rows, row, column) ? if_null : DatumGetTimestampTz(datum_at(rows, row, column));
}

void
settle_records(Loading *loading, Oid relation, const char *key_column, const char *defined_for)
{
	LoadedScore *score = loading->score;
	MemoryContext before = MemoryContextSwitchTo(loading->context);

	score->records = make_array<LoadedStream>(loading->context, 1);
	score->records->name = loading->record_type;
	score->records->relation = relation;
	score->records->key_column = key_column;
	settle_stream(score->records, defined_for);
	score->definition.key_kind = key_kind_of(score->records);
	score->definition.unique_keys = has_unique_key(relation, key_column);
	MemoryContextSwitchTo(before);
}

void
load_head(Loading *loading, const char *name)
{
	LoadedScore *score = loading->score;
	QueryRows rows = run_query(
		loading->context,
		"SELECT s.kind, s.min_points, s.max_points, s.status, s.target::oid, s.record_type, t.relation::oid, "
		"t.key_column, t.relation_owner, "
		"x.is_adjusted OR EXISTS (SELECT FROM lead_scoring.adjustment a WHERE a.score = s.name), "
		"x.is_adjusted OR EXISTS (SELECT FROM lead_scoring.engagement_reset e WHERE e.score = s.name), "
		"s.adjustment_share, s.dormant_after, t.open_when, t.open_when_resolved, t.relation::oid, t.relation_owner, "
		"s.history, s.announce_rule_changes, "
		"EXISTS (SELECT FROM lead_scoring.band b WHERE b.score = s.name AND (b.margin > 0 OR b.dwell IS NOT NULL)), "
		"EXISTS (SELECT FROM lead_scoring.alert w WHERE w.score = s.name), s.model "
		"FROM lead_scoring.score s LEFT JOIN lead_scoring.record_type t ON t.name = s.record_type "
		"LEFT JOIN LATERAL (SELECT EXISTS (SELECT FROM lead_scoring.score_state e WHERE e.score = s.name AND e.is_adjusted)) x (is_adjusted) ON true "
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
	core::Definition *definition = &score->definition;
	*definition = core::Definition{};
	score->name = MemoryContextStrdup(loading->context, name);
	definition->kind = kind_of(text_at(rows, 0, 1));
	definition->limits = {real_at(rows, 0, 2, -unlimited), real_at(rows, 0, 3, unlimited)};
	definition->has_adjustments = DatumGetBool(datum_at(rows, 0, 10));
	definition->has_resets = DatumGetBool(datum_at(rows, 0, 11));
	if (!null_at(rows, 0, 12))
	{
		double most = real_at(rows, 0, 12, 0) * (definition->limits.upper - definition->limits.lower);
		definition->adjustment_limits = {-most, most};
	}
	definition->dormant_us =
		length_at(rows, 0, 13, 0, "dormant_after", loading_text(loading, "score \"%s\"", score->name));
	score->history = history_of(text_at(rows, 0, 18));
	score->announce_rule_changes = DatumGetBool(datum_at(rows, 0, 19));
	score->has_damped_bands = DatumGetBool(datum_at(rows, 0, 20));
	loading->has_alerts = DatumGetBool(datum_at(rows, 0, 21));
	score->active = strcmp(text_at(rows, 0, 4), "active") == 0;
	settle_records(loading, DatumGetObjectId(datum_at(rows, 0, 7)), text_at(rows, 0, 8), text_at(rows, 0, 9));
	score->own_target = null_at(rows, 0, 5);
	score->target = score->own_target ? score->records->relation : DatumGetObjectId(datum_at(rows, 0, 5));
	read_expression(loading, rows, 0, 14,
					{loading_text(loading, "record type \"%s\"", loading->record_type), "open_when", nullptr, false,
					 core::record_itself, InvalidOid, nullptr, ExpressionType::boolean, &definition->open_when, nullptr});
	if (!null_at(rows, 0, 22))
	{
		load_champion(loading, text_at(rows, 0, 22));
	}
}

void
load_groups(Loading *loading)
{
	QueryRows rows = run_query(loading->context,
							   "SELECT name, kind, min_points, max_points, decay, decay_after, weight "
							   "FROM lead_scoring.score_group WHERE score = $1 ORDER BY kind DESC, name",
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
		group->weight = real_at(rows, at, 7, 1);
		const char *what = loading_text(loading, "group \"%s\" of score \"%s\"", group->name.data(), loading->score->name);
		read_fades(loading, group, {nullptr, decay_at(loading, rows, at, 5), length_at(rows, at, 6, -1, "decay_after", what)});
	}
	loading->score->definition.groups = {loading->groups, rows.count};
}

void
load_factors(Loading *loading)
{
	QueryRows rows = run_query(loading->context,
							   "SELECT name, source, factor, since, until, valid_from, valid_to, criterion, "
							   "criterion_resolved, criterion_relation::oid, criterion_owner FROM lead_scoring.event_factor f "
							   "WHERE score = $1 AND EXISTS (SELECT FROM lead_scoring.rule r WHERE r.score = f.score "
							   "AND r.source = f.source AND r.enabled) ORDER BY name",
							   1, &loading->score->name);
	auto *factors = make_array<core::FactorDefinition>(loading->context, rows.count);

	for (uint64 at = 0; at < rows.count; at++)
	{
		core::FactorDefinition *factor = &factors[at];
		const char *what = loading_text(loading, "event factor \"%s\" of score \"%s\"", text_at(rows, at, 1), loading->score->name);
		factor->source = source_number(loading, text_at(rows, at, 2), what);
		factor->factor = DatumGetFloat8(datum_at(rows, at, 3));
		factor->events = {instant_at(rows, at, 4, core::infinitely_old), instant_at(rows, at, 5, core::infinitely_late)};
		factor->valid = {instant_at(rows, at, 6, core::infinitely_old), instant_at(rows, at, 7, core::infinitely_late)};
		read_expression(loading, rows, at, 8,
						{what, "criterion", nullptr, false, factor->source, InvalidOid, nullptr, ExpressionType::boolean,
						 &factor->criterion, nullptr});
	}
	loading->score->definition.factors = {factors, rows.count};
}

void
load_scopes(Loading *loading)
{
	QueryRows rows = run_query(loading->context,
							   "SELECT mode, source, criterion, criterion_resolved, criterion_relation::oid, criterion_owner "
							   "FROM lead_scoring.scope WHERE score = $1 ORDER BY scope_id",
							   1, &loading->score->name);
	auto *scopes = make_array<core::ScopeDefinition>(loading->context, rows.count);
	const char *what = loading_text(loading, "a scope of score \"%s\"", loading->score->name);

	for (uint64 at = 0; at < rows.count; at++)
	{
		scopes[at].include = strcmp(text_at(rows, at, 1), "include") == 0;
		scopes[at].source = source_number(loading, text_at(rows, at, 2), what);
		read_expression(loading, rows, at, 3,
						{what, "criterion", nullptr, false, scopes[at].source, InvalidOid, nullptr, ExpressionType::boolean,
						 &scopes[at].criterion, nullptr});
	}
	loading->score->definition.scopes = {scopes, rows.count};
}

void
load_bands(Loading *loading)
{
	QueryRows rows = run_query(loading->context,
							   "SELECT part, label, lower_bound, capacity, top_share, segment, segment_resolved, "
							   "criterion_relation::oid, criterion_owner FROM lead_scoring.band WHERE score = $1 "
							   "ORDER BY part, segment COLLATE \"C\", lower_bound DESC NULLS LAST",
							   1, &loading->score->name);
	auto *bands = make_array<core::BandDefinition>(loading->context, rows.count);

	for (uint64 at = 0; at < rows.count; at++)
	{
		core::BandDefinition *band = &bands[at];
		const char *segment = text_at(rows, at, 6);
		band->part = part_of(text_at(rows, at, 1));
		band->label = text_at(rows, at, 2);
		band->lower_bound = real_at(rows, at, 3, -unlimited);
		band->capacity = null_at(rows, at, 4) ? 0 : static_cast<uint32>(DatumGetInt32(datum_at(rows, at, 4)));
		band->top_share = real_at(rows, at, 5, 0);
		if (strcmp(segment, "true") == 0)
		{
			continue;
		}
		band->segment_text = segment;
		read_expression(loading, rows, at, 6,
						{loading_text(loading, "band \"%s\" of score \"%s\"", band->label.data(), loading->score->name),
						 "segment", nullptr, false, core::record_itself, InvalidOid, nullptr, ExpressionType::boolean,
						 &band->segment, nullptr});
	}
	loading->score->definition.bands = {bands, rows.count};
}

} // namespace lead_scoring::pg
