// lead_scoring.rule_points: what each rule of a score gives each record; explain, of many records and of the rules only.
// lead_scoring.subtotals: what those rules give that add points, and those that take some away.
#include "pg/postgres_api.hpp"

#include "pg/pipeline.hpp"
#include "pg/row_set.hpp"

LEAD_SCORING_FUNCTION(lead_scoring_rule_points);
LEAD_SCORING_FUNCTION(lead_scoring_subtotals);

namespace lead_scoring::pg
{

namespace
{

constexpr int rule_columns = 5;
constexpr int subtotal_columns = 6;

struct RuleSink
{
	RowSet rows;
	const LoadedScore *score;
	Datum *names;
	double *points; // by rule: after decay, of a multiplier what it adds
	bool *at_work;	// by rule: whether it multiplies
	MemoryContext row_context;
};

size_t
count_rules(const RuleSink &sink)
{
	return sink.score->definition.rules.size();
}

// Note what the multipliers of a group, a part or the total made of it
void
note_multipliers(RuleSink *sink, const core::StepOutcome &step)
{
	for (const core::MultiplierOutcome &multiplier : step.multipliers)
	{
		sink->points[multiplier.rule] += multiplier.after - multiplier.before;
		sink->at_work[multiplier.rule] = true;
	}
}

// Find the points of all rules, and the multipliers at work
void
note_points(RuleSink *sink, const core::Account &account)
{
	for (size_t rule = 0; rule < count_rules(*sink); rule++)
	{
		// Adding zero turns -0 into 0
		sink->points[rule] = account.rules[rule].decayed + 0.0;
		sink->at_work[rule] = false;
	}
	for (const core::StepOutcome &group : account.groups)
	{
		note_multipliers(sink, group);
	}
	for (const core::StepOutcome &part : account.parts)
	{
		note_multipliers(sink, part);
	}
}

Datum
key_datum(const RuleSink &sink, const core::Key &key)
{
	return CStringGetTextDatum(key_string(sink.score->definition.key_kind, key));
}

void
put_rules(void *argument, const core::Key &key, const core::ScoreResult &result, const core::Account &account)
{
	auto *sink = static_cast<RuleSink *>(argument);

	if (!result.in_scope)
	{
		return;
	}
	note_points(sink, account);
	MemoryContext before = MemoryContextSwitchTo(sink->row_context);
	Datum record = key_datum(*sink, key);
	for (size_t rule = 0; rule < count_rules(*sink); rule++)
	{
		bool nulls[rule_columns] = {};
		Datum values[rule_columns] = {record, sink->names[rule], Int64GetDatum(account.rules[rule].matched),
									  Float8GetDatum(sink->points[rule]),
									  BoolGetDatum(sink->at_work[rule] || sink->points[rule] != 0)};
		tuplestore_putvalues(sink->rows.store, sink->rows.descriptor, values, nulls);
	}
	MemoryContextSwitchTo(before);
	MemoryContextReset(sink->row_context);
}

// What the rules give and what they take, as the total is rounded; the rest is what limits and weights made of it
void
put_sums(RuleSink *sink, const core::ScoreResult &result, Datum *values)
{
	double positive = 0;
	double negative = 0;

	for (size_t rule = 0; rule < count_rules(*sink); rule++)
	{
		(sink->points[rule] > 0 ? positive : negative) += sink->points[rule];
	}
	positive = core::round_score(positive);
	negative = core::round_score(negative);
	values[0] = Float8GetDatum(result.total);
	values[1] = Float8GetDatum(positive);
	values[2] = Float8GetDatum(negative);
	values[3] = Float8GetDatum(core::round_score(result.total - result.adjustment - (positive + negative)));
	values[4] = Float8GetDatum(result.adjustment);
}

void
put_subtotals(void *argument, const core::Key &key, const core::ScoreResult &result, const core::Account &account)
{
	auto *sink = static_cast<RuleSink *>(argument);
	bool left_out = !result.in_scope;
	MemoryContext before = MemoryContextSwitchTo(sink->row_context);
	bool nulls[subtotal_columns] = {false, left_out, left_out, left_out, left_out, left_out};
	Datum values[subtotal_columns] = {key_datum(*sink, key)};

	if (!left_out)
	{
		note_points(sink, account);
		put_sums(sink, result, values + 1);
	}
	tuplestore_putvalues(sink->rows.store, sink->rows.descriptor, values, nulls);
	MemoryContextSwitchTo(before);
	MemoryContextReset(sink->row_context);
}

RuleSink
begin_rules(const RowSet &rows, const LoadedScore *score)
{
	size_t count = Max(score->definition.rules.size(), 1);
	RuleSink sink{rows, score, static_cast<Datum *>(palloc(sizeof(Datum) * count)),
				  static_cast<double *>(palloc(sizeof(double) * count)), static_cast<bool *>(palloc(sizeof(bool) * count)),
				  AllocSetContextCreate(CurrentMemoryContext, "lead_scoring rows", ALLOCSET_DEFAULT_SIZES)};

	for (size_t rule = 0; rule < count_rules(sink); rule++)
	{
		std::string_view name = score->definition.rules[rule].name;
		sink.names[rule] = text_datum(name.data(), name.size());
	}
	return sink;
}

Datum
explain_records(FunctionCallInfo fcinfo, AccountSink put)
{
	RowSet rows = begin_row_set(fcinfo);
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
	{
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						errmsg("%s must not be NULL", PG_ARGISNULL(0) ? "score" : "as_of"),
						errhint("Name a score, and the instant at which to evaluate it.")));
	}
	require_finite_instant(PG_GETARG_TIMESTAMPTZ(1));
	LoadedScore *score = load_score(text_to_cstring(PG_GETARG_TEXT_PP(0)), Reader::anybody);
	if (score->predicted)
	{
		ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE), errmsg("score \"%s\" is a likelihood and has no rules", score->name),
						errhint("Name a score with rules; explain_prediction() tells what a likelihood is made of.")));
	}
	ArrayType *keys = PG_ARGISNULL(2) ? nullptr : PG_GETARG_ARRAYTYPE_P(2);
	RuleSink sink = begin_rules(rows, score);
	run_explanations(begin_evaluation(score, PG_GETARG_TIMESTAMPTZ(1), keys, {true, false}), put, &sink);
	return static_cast<Datum>(0);
}

} // namespace

} // namespace lead_scoring::pg

// Return what each rule gives each record
Datum
lead_scoring_rule_points(PG_FUNCTION_ARGS)
{
	return lead_scoring::pg::explain_records(fcinfo, lead_scoring::pg::put_rules);
}

// Return what rules give each record, and what they take
Datum
lead_scoring_subtotals(PG_FUNCTION_ARGS)
{
	return lead_scoring::pg::explain_records(fcinfo, lead_scoring::pg::put_subtotals);
}
