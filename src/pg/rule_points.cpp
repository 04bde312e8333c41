// lead_scoring.rule_points: what each rule of a score gives each record; explain, of many records and of the rules only.
#include "pg/postgres_api.hpp"

#include "pg/pipeline.hpp"
#include "pg/row_set.hpp"

LEAD_SCORING_FUNCTION(lead_scoring_rule_points);

namespace lead_scoring::pg
{

namespace
{

constexpr int rule_columns = 5;

struct RuleSink
{
	RowSet rows;
	const LoadedScore *score;
	Datum *names;
	double *lifted; // by rule: what it adds as a multiplier
	bool *at_work;  // by rule: whether it multiplies
	MemoryContext row_context;
};

// Note what the multipliers of a group, a part or the total made of it
void
note_multipliers(RuleSink *sink, const core::StepOutcome &step)
{
	for (const core::MultiplierOutcome &multiplier : step.multipliers)
	{
		sink->lifted[multiplier.rule] += multiplier.after - multiplier.before;
		sink->at_work[multiplier.rule] = true;
	}
}

void
put_rules(void *argument, const core::Key &key, const core::ScoreResult &result, const core::Account &account)
{
	auto *sink = static_cast<RuleSink *>(argument);
	size_t rules = sink->score->definition.rules.size();

	if (!result.in_scope)
	{
		return;
	}
	memset(sink->lifted, 0, sizeof(double) * rules);
	memset(sink->at_work, 0, sizeof(bool) * rules);
	for (const core::StepOutcome &group : account.groups)
	{
		note_multipliers(sink, group);
	}
	for (const core::StepOutcome &part : account.parts)
	{
		note_multipliers(sink, part);
	}
	MemoryContext before = MemoryContextSwitchTo(sink->row_context);
	Datum key_datum = CStringGetTextDatum(key_string(sink->score->definition.key_kind, key));
	for (size_t rule = 0; rule < rules; rule++)
	{
		// Adding zero turns -0 into 0
		double points = account.rules[rule].decayed + sink->lifted[rule] + 0.0;
		bool nulls[rule_columns] = {};
		Datum values[rule_columns] = {key_datum, sink->names[rule], Int64GetDatum(account.rules[rule].matched),
									  Float8GetDatum(points), BoolGetDatum(sink->at_work[rule] || points != 0)};
		tuplestore_putvalues(sink->rows.store, sink->rows.descriptor, values, nulls);
	}
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

	for (size_t rule = 0; rule < score->definition.rules.size(); rule++)
	{
		std::string_view name = score->definition.rules[rule].name;
		sink.names[rule] = text_datum(name.data(), name.size());
	}
	return sink;
}

} // namespace

} // namespace lead_scoring::pg

// Return what each rule gives each record
Datum
lead_scoring_rule_points(PG_FUNCTION_ARGS)
{
	using namespace lead_scoring::pg;

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
	run_explanations(begin_evaluation(score, PG_GETARG_TIMESTAMPTZ(1), keys, {true, false}), put_rules, &sink);
	return static_cast<Datum>(0);
}
