#include "pg/postgres_api.hpp"

#include "pg/pipeline.hpp"

#include "pg/guard.hpp"
#include "pg/owned.hpp"
#include "pg/session.hpp"
#include "pg/stream.hpp"

extern "C"
{
#include "lib/stringinfo.h"
}

namespace lead_scoring::pg
{

namespace
{

// Where a batch of a source goes
struct SourceSink
{
	core::Scorer *scorer;
	size_t source;
};

void
add_source_rows(void *argument, const core::Batch &batch)
{
	auto *sink = static_cast<SourceSink *>(argument);

	guarded([sink, &batch]() { sink->scorer->add_rows(sink->source, batch); });
}

void
add_adjustment_rows(void *argument, const core::Batch &batch)
{
	auto *scorer = static_cast<core::Scorer *>(argument);

	guarded([scorer, &batch]() { scorer->add_adjustments(batch); });
}

// Where the records go
struct RecordSink
{
	core::Scorer *scorer;
	ResultSink sink;
	void *argument;
	core::ScoreResult results[core::batch_rows];
};

void
finish_record_rows(void *argument, const core::Batch &batch)
{
	auto *sink = static_cast<RecordSink *>(argument);

	guarded([sink, &batch]() { sink->scorer->finish_records(batch, sink->results); });
	sink->sink(sink->argument, batch, sink->results);
}

void
append_inputs(StringInfo sql, const InputColumns *inputs)
{
	for (int at = 0; at < inputs->count; at++)
	{
		appendStringInfo(sql, ", %s", inputs->columns[at].sql);
	}
}

char *
key_condition(core::KeyKind kind, const char *key)
{
	return psprintf("%s OPERATOR(pg_catalog.=) ANY ($2::pg_catalog.%s)", key,
					kind == core::KeyKind::integer ? "int8[]"
					: kind == core::KeyKind::uuid  ? "uuid[]"
												   : "text[]");
}

// Select from a source what its rules read
const char *
source_sql(const Evaluation *evaluation, const LoadedStream *source)
{
	StringInfoData sql;
	const LoadedStream *records = evaluation->score->records;
	char *key = psprintf("s.%s", quote_identifier(source->key_column));

	initStringInfo(&sql);
	if (source->record_column != nullptr)
	{
		// The rows name another column of the record than its key: they come once for each record that they match
		char *record_key = psprintf("r.%s", quote_identifier(records->key_column));
		appendStringInfo(&sql, "SELECT %s", record_key);
		if (source->time_column != nullptr)
		{
			appendStringInfo(&sql, ", s.%s", quote_identifier(source->time_column));
		}
		append_inputs(&sql, source->inputs);
		appendStringInfo(&sql, " FROM %s s JOIN %s r ON %s OPERATOR(pg_catalog.=) r.%s",
						 relation_sql(source->relation), relation_sql(records->relation), key,
						 quote_identifier(source->record_column));
		key = record_key;
	}
	else
	{
		appendStringInfo(&sql, "SELECT %s", key);
		if (source->time_column != nullptr)
		{
			appendStringInfo(&sql, ", s.%s", quote_identifier(source->time_column));
		}
		append_inputs(&sql, source->inputs);
		appendStringInfo(&sql, " FROM %s s", relation_sql(source->relation));
	}
	const char *join = " WHERE ";
	if (source->filter_sql != nullptr)
	{
		appendStringInfo(&sql, "%s(%s)", join, source->filter_sql);
		join = " AND ";
	}
	if (evaluation->keys != nullptr)
	{
		appendStringInfo(&sql, "%s%s", join, key_condition(evaluation->score->definition.key_kind, key));
	}
	return sql.data;
}

const char *
records_sql(const Evaluation *evaluation)
{
	StringInfoData sql;
	const LoadedStream *records = evaluation->score->records;
	char *key = psprintf("r.%s", quote_identifier(records->key_column));

	initStringInfo(&sql);
	appendStringInfo(&sql, "SELECT %s", key);
	append_inputs(&sql, records->inputs);
	appendStringInfo(&sql, " FROM %s r", relation_sql(records->relation));
	if (evaluation->keys != nullptr)
	{
		appendStringInfo(&sql, " WHERE %s", key_condition(evaluation->score->definition.key_kind, key));
	}
	return sql.data;
}

const char *
adjustments_sql(const Evaluation *evaluation)
{
	core::KeyKind kind = evaluation->score->definition.key_kind;
	char *key = psprintf("a.record_key::pg_catalog.%s", kind == core::KeyKind::integer ? "int8"
														: kind == core::KeyKind::uuid  ? "uuid"
																					   : "text");
	char *sql = psprintf("SELECT %s, a.points FROM lead_scoring.adjustment a WHERE a.score "
						 "OPERATOR(pg_catalog.=) %s AND a.created_at OPERATOR(pg_catalog.<=) $1 AND "
						 "(a.expires_at IS NULL OR a.expires_at OPERATOR(pg_catalog.>) $1)",
						 key, quote_literal_cstr(evaluation->score->name));

	return evaluation->keys == nullptr ? sql : psprintf("%s AND %s", sql, key_condition(kind, key));
}

void
stream_source(Evaluation *evaluation, size_t number)
{
	const LoadedStream *source = evaluation->score->sources[number];
	SourceSink sink{evaluation->scorer, number};
	Stream stream{};

	stream.sql = source_sql(evaluation, source);
	stream.owner = source->owner;
	stream.key_kind = evaluation->score->definition.key_kind;
	stream.has_time = source->time_column != nullptr;
	stream.name = source->name;
	stream.column_count = source->inputs->count;
	stream.columns = source->inputs->columns;
	stream.books = evaluation->scorer->program().sources[number].books.data();
	stream.sink = add_source_rows;
	stream.argument = &sink;
	run_stream(stream, evaluation->as_of, evaluation->keys);
}

void
stream_adjustments(Evaluation *evaluation)
{
	InputColumn points{core::ColumnKind::real, 0, FLOAT8OID, nullptr};
	Stream stream{};

	stream.sql = adjustments_sql(evaluation);
	stream.owner = definitions_owner();
	stream.key_kind = evaluation->score->definition.key_kind;
	stream.name = "adjustment";
	stream.column_count = 1;
	stream.columns = &points;
	stream.sink = add_adjustment_rows;
	stream.argument = evaluation->scorer;
	run_stream(stream, evaluation->as_of, evaluation->keys);
}

} // namespace

void
require_finite_instant(TimestampTz as_of)
{
	if (TIMESTAMP_NOT_FINITE(as_of))
	{
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("as_of must be finite"),
						errhint("Give the instant at which to evaluate, such as now().")));
	}
}

Evaluation *
begin_evaluation(LoadedScore *score, TimestampTz as_of, ArrayType *keys, bool detail)
{
	auto *evaluation = static_cast<Evaluation *>(palloc0(sizeof(Evaluation)));

	evaluation->score = score;
	evaluation->as_of = as_of;
	if (keys != nullptr)
	{
		auto *array = static_cast<Datum *>(palloc(sizeof(Datum)));
		*array = make_key_array(score->definition.key_kind, keys);
		evaluation->keys = array;
	}
	evaluation->scorer =
		make_owned<core::Scorer>(CurrentMemoryContext, score->definition, static_cast<int64_t>(as_of), detail);
	return evaluation;
}

void
run_evaluation_raw(Evaluation *evaluation, void (*sink)(void *, const core::Batch &), void *argument)
{
	const LoadedStream *records = evaluation->score->records;
	Stream stream{};

	for (size_t source = 0; source < evaluation->score->definition.sources.size(); source++)
	{
		stream_source(evaluation, source);
	}
	if (evaluation->score->definition.has_adjustments)
	{
		stream_adjustments(evaluation);
	}
	stream.sql = records_sql(evaluation);
	stream.owner = records->owner;
	stream.key_kind = evaluation->score->definition.key_kind;
	stream.key_required = true;
	stream.name = records->name;
	stream.column_count = records->inputs->count;
	stream.columns = records->inputs->columns;
	stream.books = evaluation->scorer->program().record_books.data();
	stream.sink = sink;
	stream.argument = argument;
	run_stream(stream, evaluation->as_of, evaluation->keys);
}

void
run_evaluation(Evaluation *evaluation, ResultSink sink, void *argument)
{
	auto *records = static_cast<RecordSink *>(palloc0(sizeof(RecordSink)));

	records->scorer = evaluation->scorer;
	records->sink = sink;
	records->argument = argument;
	run_evaluation_raw(evaluation, finish_record_rows, records);
}

} // namespace lead_scoring::pg
