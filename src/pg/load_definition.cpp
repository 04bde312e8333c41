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

constexpr const char *score_columns[] = {"kind", "min_points", "max_points", "status", "target", "record_type", "adjustment_share",
										 "dormant_after", "history", "announce_rule_changes", "model"};
constexpr const char *record_type_columns[] = {"open_when", "open_when_resolved", "relation", "relation_owner", "key_column"};
constexpr const char *group_columns[] = {"name", "kind", "min_points", "max_points", "decay", "decay_after", "weight"};
constexpr const char *fade_columns[] = {"segment", "segment_resolved", "criterion_relation", "criterion_owner", "decay", "decay_after",
										"group_name"};
constexpr const char *factor_columns[] = {"name", "source", "factor", "since", "until", "valid_from", "valid_to",
										  "criterion", "criterion_resolved", "criterion_relation", "criterion_owner"};
constexpr const char *scope_columns[] = {"mode", "source", "criterion", "criterion_resolved", "criterion_relation", "criterion_owner",
										 "scope_id"};
constexpr const char *band_columns[] = {"part", "label", "lower_bound", "capacity", "top_share", "segment", "segment_resolved",
										"criterion_relation", "criterion_owner", "margin", "dwell"};

// Read the ways in which the points of a group fade: for each segment, of the rows for all groups, then for all others
void
read_fades(Loading *loading, core::GroupDefinition *group, const QueryRows &rows, const core::FadeDefinition &others)
{
	auto *fades = make_array<core::FadeDefinition>(loading->context, rows.count + 1);
	const char *what =
		loading_text(loading, "a decay of group \"%s\" of score \"%s\"", group->name.data(), loading->score->name);
	uint64 count = 0;

	for (uint64 at = 0; at < rows.count; at++)
	{
		if (!has_text(rows, at, 7, group->name))
		{
			continue;
		}
		core::FadeDefinition *fade = &fades[count++];
		fade->decay = decay_at(loading, rows, at, 5);
		fade->quiet_us = length_at(rows, at, 6, -1, "decay_after", what);
		read_expression(loading, rows, at, 1,
						{what, "segment", nullptr, false, core::record_itself, InvalidOid, nullptr, ExpressionType::boolean,
						 &fade->segment, nullptr});
	}
	fades[count++] = others;
	group->fades = {fades, count};
}

// Read what the records of a score are
void
load_record_type(Loading *loading, const char *record_type)
{
	QueryRows rows = own_rows(loading->context, own::record_types, record_type, record_type_columns);

	loading->record_type = record_type;
	if (rows.count == 0)
	{
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
						errmsg("record type \"%s\" of score \"%s\" does not exist", record_type, loading->score->name),
						errhint("Insert it into lead_scoring.record_type first.")));
	}
	settle_records(loading, DatumGetObjectId(datum_at(rows, 0, 3)), text_at(rows, 0, 5), text_at(rows, 0, 4));
	read_expression(loading, rows, 0, 1,
					{loading_text(loading, "record type \"%s\"", record_type), "open_when", nullptr, false, core::record_itself,
					 InvalidOid, nullptr, ExpressionType::boolean, &loading->score->definition.open_when, nullptr});
}

// Read what all sessions have been told: whether there may be points by hand, and resets, which they look for for good then, and
// whether the score was ahead of the clock
void
load_marks(Loading *loading)
{
	const char *name = loading->score->name;
	core::Definition *definition = &loading->score->definition;
	ScoreMarks marks = marks_of(name);

	definition->has_adjustments = marks.adjusted || has_rows(own::adjustments, name);
	definition->has_resets = marks.adjusted || has_rows(own::resets, name);
	loading->score->was_ahead = marks.ahead;
}

} // namespace

ScoreMarks
marks_of(const char *score)
{
	constexpr const char *columns[] = {"is_adjusted", "was_ahead"};
	QueryRows rows = own_rows(CurrentMemoryContext, own::states, score, columns);

	return rows.count == 0 ? ScoreMarks{} : ScoreMarks{DatumGetBool(datum_at(rows, 0, 1)), DatumGetBool(datum_at(rows, 0, 2))};
}

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
	QueryRows rows = own_rows(loading->context, own::scores, name, score_columns);

	if (rows.count == 0)
	{
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("score \"%s\" does not exist", name),
						errhint("The scores are the rows of lead_scoring.score.")));
	}
	core::Definition *definition = &score->definition;
	*definition = core::Definition{};
	score->name = MemoryContextStrdup(loading->context, name);
	definition->kind = kind_of(text_at(rows, 0, 1));
	definition->limits = {real_at(rows, 0, 2, -unlimited), real_at(rows, 0, 3, unlimited)};
	if (!null_at(rows, 0, 7))
	{
		double most = real_at(rows, 0, 7, 0) * (definition->limits.upper - definition->limits.lower);
		definition->adjustment_limits = {-most, most};
	}
	definition->dormant_us =
		length_at(rows, 0, 8, 0, "dormant_after", loading_text(loading, "score \"%s\"", score->name));
	score->history = history_of(text_at(rows, 0, 9));
	score->announce_rule_changes = DatumGetBool(datum_at(rows, 0, 10));
	score->active = strcmp(text_at(rows, 0, 4), "active") == 0;
	load_record_type(loading, text_at(rows, 0, 6));
	load_marks(loading);
	score->own_target = null_at(rows, 0, 5);
	score->target = score->own_target ? score->records->relation : DatumGetObjectId(datum_at(rows, 0, 5));
	if (!null_at(rows, 0, 11))
	{
		load_champion(loading, text_at(rows, 0, 11));
	}
}

void
load_groups(Loading *loading)
{
	constexpr RowOrder order[] = {{2, bttextcmp, C_COLLATION_OID, true}, {1, bttextcmp, DEFAULT_COLLATION_OID, false}};
	constexpr RowOrder fade_order[] = {{1, bttextcmp, C_COLLATION_OID, false}};
	QueryRows rows = own_rows(loading->context, own::groups, loading->score->name, group_columns);
	QueryRows fades = own_rows(loading->context, own::fades, loading->score->name, fade_columns);

	sort_rows(&rows, order);
	sort_rows(&fades, fade_order);

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
		read_fades(loading, group, fades, {nullptr, decay_at(loading, rows, at, 5), length_at(rows, at, 6, -1, "decay_after", what)});
	}
	loading->score->definition.groups = {loading->groups, rows.count};
}

void
load_factors(Loading *loading)
{
	QueryRows rows = own_rows(loading->context, own::factors, loading->score->name, factor_columns);
	auto *factors = make_array<core::FactorDefinition>(loading->context, rows.count);
	uint64 count = 0;

	for (uint64 at = 0; at < rows.count; at++)
	{
		const char *source = text_at(rows, at, 2);
		if (!has_text_anywhere(loading->rule_rows, rule_source_column, source))
		{
			continue;
		}
		core::FactorDefinition *factor = &factors[count++];
		const char *what = loading_text(loading, "event factor \"%s\" of score \"%s\"", text_at(rows, at, 1), loading->score->name);
		factor->source = source_number(loading, source, what);
		factor->factor = DatumGetFloat8(datum_at(rows, at, 3));
		factor->events = {instant_at(rows, at, 4, core::infinitely_old), instant_at(rows, at, 5, core::infinitely_late)};
		factor->valid = {instant_at(rows, at, 6, core::infinitely_old), instant_at(rows, at, 7, core::infinitely_late)};
		read_expression(loading, rows, at, 8,
						{what, "criterion", nullptr, false, factor->source, InvalidOid, nullptr, ExpressionType::boolean,
						 &factor->criterion, nullptr});
	}
	loading->score->definition.factors = {factors, count};
}

void
load_scopes(Loading *loading)
{
	constexpr RowOrder order[] = {{7, btint8cmp, InvalidOid, false}};
	QueryRows rows = own_rows(loading->context, own::scopes, loading->score->name, scope_columns);

	sort_rows(&rows, order);
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
	constexpr RowOrder order[] = {{1, bttextcmp, C_COLLATION_OID, false}, {6, bttextcmp, C_COLLATION_OID, false},
								  {3, btfloat8cmp, InvalidOid, true}, {2, bttextcmp, C_COLLATION_OID, false}};
	QueryRows rows = own_rows(loading->context, own::bands, loading->score->name, band_columns);

	sort_rows(&rows, order);
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
		loading->score->has_damped_bands |= real_at(rows, at, 10, 0) > 0 || !null_at(rows, at, 11);
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
	// What was held back is to be told, though no band does so any more
	loading->score->has_damped_bands = loading->score->has_damped_bands || has_rows(own::announced, loading->score->name);
	loading->score->definition.bands = {bands, rows.count};
}

} // namespace lead_scoring::pg
