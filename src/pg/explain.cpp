// lead_scoring.explain: how the score of one record comes about.
#include "pg/postgres_api.hpp"

#include "pg/explain.hpp"

#include "core/model.hpp"
#include "pg/feature.hpp"
#include "pg/guard.hpp"
#include "pg/owned.hpp"
#include "pg/pipeline.hpp"
#include "pg/results.hpp"
#include "pg/row_set.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

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

// The account of a score
struct Explained
{
	core::Account *account;
	core::ScoreResult result;
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

// Say of a multiplier what it multiplies, of another rule where its rows come from
const char *
rule_note(const LoadedScore *score, size_t rule)
{
	static const char *const scopes[] = {"fit", "engagement", "total", "group"};
	const core::RuleDefinition &definition = score->definition.rules[rule];

	if (definition.multiplies == core::Multiplies::nothing)
	{
		return score->rule_sources[rule];
	}
	return psprintf("x %s %s", DatumGetCString(DirectFunctionCall1(float8out, Float8GetDatum(definition.points))),
					scopes[static_cast<size_t>(definition.multiplies)]);
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
	if (const char *note = rule_note(score, rule))
	{
		put_text(writer, note_column, note);
	}
	end_row(writer);
}

const char *
limit_note(double sum, double value)
{
	return value < sum ? "upper limit" : value > sum ? "lower limit" : nullptr;
}

// Write one step from a value to the next
void
put_step(Writer *writer, const char *level, const char *part, std::string_view group, double by, double before,
		 double after)
{
	begin_row(writer, level, part);
	if (!group.empty())
	{
		put_text(writer, group_column, group);
	}
	put_number(writer, raw_column, by);
	put_number(writer, decayed_column, before);
	put_number(writer, clamped_column, after);
	writer->running += after - before;
	put_number(writer, running_column, writer->running);
}

// Write the multipliers of a group, a part or the total
void
put_multipliers(Writer *writer, const LoadedScore *score, const core::StepOutcome &step, const char *part,
				std::string_view group)
{
	for (const core::MultiplierOutcome &multiplier : step.multipliers)
	{
		const core::RuleDefinition &rule = score->definition.rules[multiplier.rule];
		put_step(writer, "multiplier", part, group, rule.points, multiplier.before, multiplier.after);
		put_text(writer, rule_column, rule.name);
		if (multiplier.before == multiplier.after && rule.points != 1 && multiplier.before != 0)
		{
			put_text(writer, note_column, "lifts only what is above 0");
		}
		end_row(writer);
	}
}

// Write the rules of a group and what the group makes of them
void
put_group(Writer *writer, const LoadedScore *score, size_t group, const core::Account &account)
{
	const core::GroupDefinition &definition = score->definition.groups[group];
	const core::StepOutcome &step = account.groups[group];
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
	put_number(writer, decayed_column, step.sum);
	put_number(writer, clamped_column, step.limited);
	writer->running = before + step.limited;
	put_number(writer, running_column, writer->running);
	if (const char *note = limit_note(step.sum, step.limited))
	{
		put_text(writer, note_column, note);
	}
	end_row(writer);
	if (definition.weight != 1)
	{
		put_step(writer, "weight", part_text(definition.part), definition.name, definition.weight, step.limited,
				 step.weighted);
		end_row(writer);
	}
	put_multipliers(writer, score, step, part_text(definition.part), definition.name);
}

void
put_part(Writer *writer, const LoadedScore *score, core::Part part, const core::Account &account, double value)
{
	const core::StepOutcome &step = account.parts[static_cast<size_t>(part)];

	for (size_t group = 0; group < score->definition.groups.size(); group++)
	{
		if (score->definition.groups[group].part == part)
		{
			put_group(writer, score, group, account);
		}
	}
	begin_row(writer, part_text(part), part_text(part));
	put_number(writer, decayed_column, step.weighted);
	put_number(writer, clamped_column, step.multipliers.empty() ? value : step.weighted);
	put_number(writer, running_column, writer->running);
	end_row(writer);
	put_multipliers(writer, score, step, part_text(part), {});
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
put_total(Writer *writer, const Explained &explained, const LabelDatums &labels)
{
	begin_row(writer, "total", "total");
	if (!explained.result.in_scope)
	{
		put_text(writer, note_column, "out of scope");
		end_row(writer);
		return;
	}
	put_number(writer, decayed_column, explained.account->unlimited_total);
	put_number(writer, clamped_column, explained.result.total);
	put_number(writer, running_column, explained.result.total);
	put_label(labels, explained.result.labels.label, &writer->values[note_column], &writer->nulls[note_column]);
	end_row(writer);
}

// Write a step of the log-odds
void
put_log_odds(Writer *writer, const char *level, double contribution)
{
	begin_row(writer, level, "total");
	put_number(writer, raw_column, contribution);
	writer->running += contribution;
	put_number(writer, running_column, writer->running);
}

// Write what each feature adds to the log-odds, that which matters most first
void
put_features(Writer *writer, const core::Model &model, const core::Account &account)
{
	size_t features = model.features().size();
	auto *order = static_cast<size_t *>(palloc(sizeof(size_t) * (features + 1)));
	std::span<size_t> places{order, features};

	if (account.contributions.empty())
	{
		return; // Nobody is predicted who is a customer
	}
	std::iota(places.begin(), places.end(), size_t{0});
	std::sort(places.begin(), places.end(), [&account](size_t left, size_t right) {
		double by = std::fabs(account.contributions[left]) - std::fabs(account.contributions[right]);
		return by > 0 || (by == 0 && left < right);
	});
	put_log_odds(writer, "base", account.contributions[features]);
	const core::Segment *segment = model.segment_of(account.features);
	put_text(writer, note_column, segment == nullptr ? "average record" : psprintf("average record of %s", segment->name.c_str()));
	end_row(writer);
	for (size_t place : places)
	{
		const core::FeatureInfo &feature = model.features()[place];
		put_log_odds(writer, "feature", account.contributions[place]);
		put_text(writer, rule_column, feature.name);
		if (const char *value = feature_text(feature, account.features[place]))
		{
			put_text(writer, note_column, value);
		}
		end_row(writer);
	}
}

// Write how a likelihood comes about: the steps of its log-odds, then the likelihood itself
void
put_likelihood(Writer *writer, const LoadedScore *score, const Explained &explained, const LabelDatums &labels)
{
	put_features(writer, *score->definition.prediction.model, *explained.account);
	begin_row(writer, "total", "total");
	if (explained.result.is_open)
	{
		put_number(writer, raw_column, writer->running);
		put_number(writer, clamped_column, explained.result.total);
		put_number(writer, running_column, explained.result.total);
	}
	put_label(labels, explained.result.labels.label, &writer->values[note_column], &writer->nulls[note_column]);
	end_row(writer);
}

void
put_account(Writer *writer, const LoadedScore *score, const Explained &explained, const LabelDatums &labels)
{
	const core::Account &account = *explained.account;

	if (score->predicted && explained.result.in_scope)
	{
		put_likelihood(writer, score, explained, labels);
		return;
	}

	if (explained.result.in_scope)
	{
		if (score->definition.kind != core::ScoreKind::engagement)
		{
			put_part(writer, score, core::Part::fit, account, explained.result.fit);
		}
		if (score->definition.kind != core::ScoreKind::fit)
		{
			put_part(writer, score, core::Part::engagement, account, explained.result.engagement);
		}
		put_multipliers(writer, score, account.parts[static_cast<size_t>(core::Part::total)], "total", {});
		if (account.adjustment != 0)
		{
			put_adjustment(writer, account.adjustment);
		}
	}
	put_total(writer, explained, labels);
}

void
take_labels(void *argument, const core::Batch &, const core::ScoreResult *results)
{
	*static_cast<core::LabelSet *>(argument) = results[0].labels;
}

} // namespace

bool
explain_record(LoadedScore *score, Datum key, TimestampTz as_of, const RowSet &rows)
{
	ArrayType *keys = construct_array(&key, 1, TEXTOID, -1, false, TYPALIGN_INT);
	Evaluation *evaluation = begin_evaluation(score, as_of, keys, {true, false});
	Explained explained{make_owned<core::Account>(CurrentMemoryContext), {}};
	Writer writer{};

	if (!run_explanation(evaluation, explained.account, &explained.result))
	{
		return false;
	}
	LabelDatums labels = make_label_datums(evaluation->scorer->program());
	if (!evaluation->scorer->program().bands.relative().empty())
	{
		// Its place among the others is known to none but all of them
		run_evaluation(begin_evaluation(score, as_of, keys, {}), take_labels, &explained.result.labels);
	}
	writer.rows = rows;
	put_account(&writer, score, explained, labels);
	return true;
}

} // namespace lead_scoring::pg

// Explain the score of one record
Datum
lead_scoring_explain(PG_FUNCTION_ARGS)
{
	using namespace lead_scoring::pg;

	RowSet rows = begin_row_set(fcinfo);
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
	if (!explain_record(score, PG_GETARG_DATUM(1), PG_GETARG_TIMESTAMPTZ(2), rows))
	{
		ereport(ERROR, (errcode(ERRCODE_NO_DATA_FOUND),
						errmsg("record \"%s\" does not exist", text_to_cstring(PG_GETARG_TEXT_PP(1))),
						errhint("The keys are those in column \"%s\" of \"%s\".", score->records->key_column,
								get_rel_name(score->records->relation))));
	}
	return static_cast<Datum>(0);
}
