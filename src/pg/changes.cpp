// The history of scores.
//
// It runs for single rows whenever an event arrives, so its statements are planned once in a session; what was not asked
// for costs a comparison. Many rows go in by one statement, as arrays.
#include "pg/postgres_api.hpp"

#include "pg/changes.hpp"

#include "pg/announcements.hpp"
#include "pg/explain.hpp"
#include "pg/kept_plan.hpp"

extern "C"
{
#include "utils/queryenvironment.h"
}

namespace lead_scoring::pg
{

namespace
{

constexpr const char *explanation_name = "lead_scoring_explanation";

KeptPlan insert_one = {
	"INSERT INTO lead_scoring.history (history_id, score, changed_at, reason, record_key, total, fit, engagement, label, "
	"previous_total, previous_fit, previous_engagement, previous_label, explanation) VALUES "
	"(nextval('lead_scoring.history_id'), $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
	13,
	{TEXTOID, TIMESTAMPTZOID, TEXTOID, TEXTOID, FLOAT8OID, FLOAT8OID, FLOAT8OID, TEXTOID, FLOAT8OID, FLOAT8OID, FLOAT8OID,
	 TEXTOID, JSONBOID},
	nullptr};

KeptPlan insert_many = {
	"INSERT INTO lead_scoring.history (history_id, score, changed_at, reason, record_key, total, fit, engagement, label, "
	"previous_total, previous_fit, previous_engagement, previous_label) "
	"SELECT nextval('lead_scoring.history_id'), $1, $2, $3, c.* FROM unnest($4, $5, $6, $7, $8, $9, $10, $11, $12) c",
	12,
	{TEXTOID, TIMESTAMPTZOID, TEXTOID, TEXTARRAYOID, FLOAT8ARRAYOID, FLOAT8ARRAYOID, FLOAT8ARRAYOID, TEXTARRAYOID,
	 FLOAT8ARRAYOID, FLOAT8ARRAYOID, FLOAT8ARRAYOID, TEXTARRAYOID},
	nullptr};

// Put the four values of a score into parameters
void
put_score(const ScoreValues &score, Datum *values, char *nulls)
{
	values[0] = Float8GetDatum(score.total);
	values[1] = Float8GetDatum(score.fit);
	values[2] = Float8GetDatum(score.engagement);
	values[3] = score.label;
	for (int at = 0; at < 4; at++)
	{
		nulls[at] = score.nulls[at] ? 'n' : ' ';
	}
}

TupleDesc
make_explanation_row()
{
	static const struct
	{
		const char *name;
		Oid type;
	} columns[] = {{"step", INT4OID},    {"level", TEXTOID},    {"part", TEXTOID},          {"group_name", TEXTOID},
				   {"rule", TEXTOID},    {"matched", INT8OID},  {"raw", FLOAT8OID},         {"decayed", FLOAT8OID},
				   {"clamped", FLOAT8OID}, {"running_total", FLOAT8OID}, {"note", TEXTOID}};
	TupleDesc row = CreateTemplateTupleDesc(lengthof(columns));

	for (size_t at = 0; at < lengthof(columns); at++)
	{
		TupleDescInitEntry(row, static_cast<AttrNumber>(at + 1), columns[at].name, columns[at].type, -1, 0);
	}
	return row;
}

// The explanation at hand as a table by name. It is registered once, as SPI keeps its list in the context of that moment
EphemeralNamedRelation
register_explanation()
{
	auto *relation = static_cast<EphemeralNamedRelation>(palloc0(sizeof(EphemeralNamedRelationData)));

	relation->md.name = pstrdup(explanation_name);
	relation->md.reliddesc = InvalidOid;
	relation->md.tupdesc = make_explanation_row();
	relation->md.enrtype = ENR_NAMED_TUPLESTORE;
	relation->md.enrtuples = 50;
	if (SPI_register_relation(relation) != SPI_OK_REL_REGISTER)
	{
		elog(ERROR, "could not register the explanation");
	}
	return relation;
}

// Explain a record as of the instant of the evaluation, by the facts that the evaluation saw
bool
explain_change(const Noting &noting, const Change &change, EphemeralNamedRelation relation, Datum *json)
{
	auto *store = tuplestore_begin_heap(true, false, work_mem);
	// Whoever evaluates a score may lay hands on it; explaining does not
	bool found = explain_record(const_cast<LoadedScore *>(noting.score), change.key, noting.as_of, {store, relation->md.tupdesc});
	bool is_null = true;

	if (found)
	{
		relation->reldata = store;
		if (SPI_execute("SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_strip_nulls(pg_catalog.to_jsonb(e)) ORDER BY e.step) "
						"FROM lead_scoring_explanation e",
						false, 1) != SPI_OK_SELECT)
		{
			elog(ERROR, "could not write the explanation");
		}
		*json = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &is_null);
	}
	tuplestore_end(store);
	return !is_null;
}

void
write_one(const Noting &noting, const Change &change, const Datum *explanation)
{
	Datum values[13] = {noting.name, TimestampTzGetDatum(noting.as_of), PointerGetDatum(cstring_to_text(noting.reason)),
						change.key};
	char nulls[13];

	memset(nulls, ' ', sizeof nulls);
	put_score(change.after, values + 4, nulls + 4);
	put_score(change.before, values + 8, nulls + 8);
	values[12] = explanation == nullptr ? 0 : *explanation;
	nulls[12] = explanation == nullptr ? 'n' : ' ';
	execute_plan(&insert_one, values, nulls);
}

// An explanation leaves much behind: each record has a connection of its own, which takes it away
void
write_explained(const Noting &noting)
{
	for (size_t at = 0; at < noting.count; at++)
	{
		SPI_connect();
		EphemeralNamedRelation relation = register_explanation();
		Datum json;
		bool explained = explain_change(noting, noting.changes[at], relation, &json);
		write_one(noting, noting.changes[at], explained ? &json : nullptr);
		SPI_finish();
	}
}

// Make the four columns of values before, or after, all changes
void
put_columns(const Noting &noting, ScoreValues Change::*which, Datum *columns)
{
	auto *values = static_cast<Datum *>(palloc(sizeof(Datum) * noting.count));
	auto *nulls = static_cast<bool *>(palloc(sizeof(bool) * noting.count));
	static constexpr double ScoreValues::*const parts[] = {&ScoreValues::total, &ScoreValues::fit, &ScoreValues::engagement};

	for (int column = 0; column < 4; column++)
	{
		for (size_t at = 0; at < noting.count; at++)
		{
			const ScoreValues &score = noting.changes[at].*which;
			values[at] = column == 3 ? score.label : Float8GetDatum(score.*parts[column]);
			nulls[at] = score.nulls[column];
		}
		columns[column] = column == 3 ? text_array(values, nulls, noting.count) : real_array(values, nulls, noting.count);
	}
}

void
write_history(const Noting &noting)
{
	if (noting.score->history == History::explained)
	{
		write_explained(noting);
		return;
	}
	if (noting.count == 1)
	{
		write_one(noting, noting.changes[0], nullptr);
		return;
	}
	Datum values[12] = {noting.name, TimestampTzGetDatum(noting.as_of), PointerGetDatum(cstring_to_text(noting.reason)),
						key_array(noting)};
	put_columns(noting, &Change::after, values + 4);
	put_columns(noting, &Change::before, values + 8);
	execute_plan(&insert_many, values, nullptr);
}

} // namespace

bool
wants_changes(const LoadedScore *score)
{
	return score->history != History::none || !score->definition.bands.empty() || score->alert_count > 0;
}

void
note_changes(const LoadedScore *score, const Change *changes, size_t count, const char *reason, TimestampTz as_of)
{
	if (count == 0 || !wants_changes(score))
	{
		return;
	}
	bool by_rule = strcmp(reason, "rule_change") == 0 || strcmp(reason, "activation") == 0;

	SPI_connect();
	Session session = begin_own_statements();
	Noting noting{score, CStringGetTextDatum(score->name), changes, count, reason, as_of,
				  by_rule && !score->announce_rule_changes};
	if (score->history != History::none)
	{
		write_history(noting);
	}
	announce(noting);
	end_session(session);
	SPI_finish();
}

} // namespace lead_scoring::pg
