// lead_scoring.explain: how the score of one record comes about.
#include "pg/postgres_api.hpp"

#include "pg/guard.hpp"
#include "pg/owned.hpp"
#include "pg/pipeline.hpp"
#include "pg/results.hpp"
#include "pg/row_set.hpp"

LEAD_SCORING_FUNCTION(lead_scoring_explain);

namespace lead_scoring::pg
{

namespace
{

enum Column
{
	step_column,
	level_column,
	part_column,
	group_column,
	rule_column,
	matched_column,
	raw_column,
	decayed_column,
	clamped_column,
	running_column,
	note_column,
	column_count,
};

// The record once found, and the account of its score
struct ExplainSink
{
	core::Scorer *scorer;
	core::Account *account;
	core::ScoreResult result;
	bool found;
};

// The rows as they are written one after the other
struct Writer
{
	RowSet rows;
	int step;
	double running;
	Datum values[column_count];
	bool nulls[column_count];
};

void
take_record(void *argument, const core::Batch &batch)
{
	auto *sink = static_cast<ExplainSink *>(argument);

	sink->found = true;
	guarded([sink, &batch]() { sink->result = sink->scorer->explain_record(batch, 0, *sink->account); });
}

void
begin_row(Writer *writer, const char *level, const char *part)
{
	for (int column = 0; column < column_count; column++)
	{
		writer->nulls[column] = true;
		writer->values[column] = 0;
	}
	writer->values[step_column] = Int32GetDatum(++writer->step);
	writer->nulls[step_column] = false;
	writer->values[level_column] = text_datum(level);
	writer->nulls[level_column] = false;
	writer->values[part_column] = text_datum(part);
	writer->nulls[part_column] = false;
}

void
put_text(Writer *writer, Column column, std::string_view text)
{
	writer->values[column] = text_datum(text.data(), text.size());
	writer->nulls[column] = false;
}

void
put_number(Writer *writer, Column column, double number)
{
	// Adding zero turns -0 into 0
	writer->values[column] = Float8GetDatum(number + 0.0);
	writer->nulls[column] = false;
}

void
end_row(Writer *writer)
{
	tuplestore_putvalues(writer->rows.store, writer->rows.descriptor, writer->values, writer->nulls);
}

const char *
part_text(core::Part part)
{
	return part == core::Part::fit ? "fit" : part == core::Part::engagement ? "engagement" : "total";
}

void
put_rule(Writer *writer, const LoadedScore *score, size_t rule, const core::RuleOutcome &outcome)
{
	const core::RuleDefinition &definition = score->definition.rules[rule];
	const core::GroupDefinition &group = score->definition.groups[definition.group];

	begin_row(writer, "rule", part_text(group.part));
	put_text(writer, group_column, group.name);
	put_text(writer, rule_column, definition.name);
	writer->values[matched_column] = Int64GetDatum(outcome.matched);
	writer->nulls[matched_column] = false;
	put_number(writer, raw_column, outcome.raw);
	put_number(writer, decayed_column, outcome.decayed);
	put_number(writer, clamped_column, outcome.decayed);
	writer->running += outcome.decayed;
	put_number(writer, running_column, writer->running);
	if (score->rule_sources[rule] != nullptr)
	{
		put_text(writer, note_column, score->rule_sources[rule]);
	}
	end_row(writer);
}

const char *
limit_note(double sum, double value)
{
	return value < sum ? "upper limit" : value > sum ? "lower limit" : nullptr;
}

// Write the rules of a group and what the group makes of them
void
put_group(Writer *writer, const LoadedScore *score, size_t group, const core::Account &account)
{
	const core::GroupDefinition &definition = score->definition.groups[group];
	double before = writer->running;
	double raw = 0;

	for (size_t rule = 0; rule < score->definition.rules.size(); rule++)
	{
		if (score->definition.rules[rule].group == group)
		{
			put_rule(writer, score, rule, account.rules[rule]);
			raw += account.rules[rule].raw;
		}
	}
	begin_row(writer, "group", part_text(definition.part));
	put_text(writer, group_column, definition.name);
	put_number(writer, raw_column, raw);
	put_number(writer, decayed_column, account.group_sums[group]);
	put_number(writer, clamped_column, account.group_values[group]);
	writer->running = before + account.group_values[group];
	put_number(writer, running_column, writer->running);
	if (const char *note = limit_note(account.group_sums[group], account.group_values[group]))
	{
		put_text(writer, note_column, note);
	}
	end_row(writer);
}

void
put_part(Writer *writer, const LoadedScore *score, core::Part part, const core::Account &account, double value)
{
	double sum = 0;

	for (size_t group = 0; group < score->definition.groups.size(); group++)
	{
		if (score->definition.groups[group].part == part)
		{
			put_group(writer, score, group, account);
			sum += account.group_values[group];
		}
	}
	begin_row(writer, part_text(part), part_text(part));
	put_number(writer, decayed_column, sum);
	put_number(writer, clamped_column, value);
	put_number(writer, running_column, writer->running);
	end_row(writer);
}

void
put_adjustment(Writer *writer, double adjustment)
{
	begin_row(writer, "adjustment", "total");
	put_number(writer, raw_column, adjustment);
	put_number(writer, decayed_column, adjustment);
	put_number(writer, clamped_column, adjustment);
	writer->running += adjustment;
	put_number(writer, running_column, writer->running);
	end_row(writer);
}

void
put_total(Writer *writer, const ExplainSink &sink, const LabelDatums &labels)
{
	begin_row(writer, "total", "total");
	if (!sink.result.in_scope)
	{
		put_text(writer, note_column, "out of scope");
		end_row(writer);
		return;
	}
	put_number(writer, decayed_column, sink.account->unlimited_total);
	put_number(writer, clamped_column, sink.result.total);
	put_number(writer, running_column, sink.result.total);
	put_label(labels, sink.result.labels.label, &writer->values[note_column], &writer->nulls[note_column]);
	end_row(writer);
}

void
put_account(Writer *writer, const LoadedScore *score, const ExplainSink &sink, const LabelDatums &labels)
{
	if (sink.result.in_scope)
	{
		if (score->definition.kind != core::ScoreKind::engagement)
		{
			put_part(writer, score, core::Part::fit, *sink.account, sink.result.fit);
		}
		if (score->definition.kind != core::ScoreKind::fit)
		{
			put_part(writer, score, core::Part::engagement, *sink.account, sink.result.engagement);
		}
		if (sink.account->adjustment != 0)
		{
			put_adjustment(writer, sink.account->adjustment);
		}
	}
	put_total(writer, sink, labels);
}

} // namespace

} // namespace lead_scoring::pg

// Explain the score of one record
Datum
lead_scoring_explain(PG_FUNCTION_ARGS)
{
	using namespace lead_scoring::pg;

	Writer writer{};
	writer.rows = begin_row_set(fcinfo);
	for (int argument = 0; argument < 3; argument++)
	{
		if (PG_ARGISNULL(argument))
		{
			static const char *const names[] = {"score", "record_key", "as_of"};
			ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("%s must not be NULL", names[argument]),
							errhint("Name a score, the key of a record, and the instant at which to evaluate.")));
		}
	}
	require_finite_instant(PG_GETARG_TIMESTAMPTZ(2));
	LoadedScore *score = load_score(text_to_cstring(PG_GETARG_TEXT_PP(0)), Reader::anybody);
	Datum key = PG_GETARG_DATUM(1);
	ArrayType *keys = construct_array(&key, 1, TEXTOID, -1, false, TYPALIGN_INT);
	Evaluation *evaluation = begin_evaluation(score, PG_GETARG_TIMESTAMPTZ(2), keys, true);
	ExplainSink sink{evaluation->scorer, make_owned<lead_scoring::core::Account>(CurrentMemoryContext), {}, false};
	run_evaluation_raw(evaluation, take_record, &sink);
	if (!sink.found)
	{
		ereport(ERROR, (errcode(ERRCODE_NO_DATA_FOUND),
						errmsg("record \"%s\" does not exist", text_to_cstring(DatumGetTextPP(key))),
						errhint("The keys are those in column \"%s\" of \"%s\".", score->records->key_column,
								get_rel_name(score->records->relation))));
	}
	put_account(&writer, score, sink, make_label_datums(evaluation->scorer->program()));
	return static_cast<Datum>(0);
}
