#include "pg/postgres_api.hpp"

#include "pg/events.hpp"

#include "pg/kept_plan.hpp"
#include "pg/query.hpp"

namespace lead_scoring::pg
{

namespace
{

KeptPlan insert_event = {
	"INSERT INTO lead_scoring.outbox (score, changed_at, reason, record_key, kind, part, alert, from_label, to_label, "
	"total_before, total_after) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
	11,
	{TEXTOID, TIMESTAMPTZOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID,
	 FLOAT8OID, FLOAT8OID},
	nullptr};

KeptPlan insert_events = {
	"INSERT INTO lead_scoring.outbox (score, changed_at, reason, record_key, kind, part, alert, from_label, to_label, "
	"total_before, total_after) SELECT $1, $2, $3, e.* FROM unnest($4, $5, $6, $7, $8, $9, $10, $11) e",
	11,
	{TEXTOID, TIMESTAMPTZOID, TEXTOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID,
	 TEXTARRAYOID, TEXTARRAYOID, FLOAT8ARRAYOID, FLOAT8ARRAYOID},
	nullptr};

constexpr int shared_columns = 3; // score, changed_at, reason

void
grow(Events *events)
{
	events->capacity = Max(events->capacity * 2, 8);
	for (int column = 0; column < event_columns; column++)
	{
		Size values = sizeof(Datum) * events->capacity;
		Size nulls = sizeof(bool) * events->capacity;
		bool first = events->count == 0;
		events->values[column] =
			static_cast<Datum *>(first ? palloc(values) : repalloc(events->values[column], values));
		events->nulls[column] =
			static_cast<bool *>(first ? palloc(nulls) : repalloc(events->nulls[column], nulls));
	}
}

void
put(Events *events, EventColumn column, Datum value, bool none)
{
	events->values[column][events->count] = value;
	events->nulls[column][events->count] = none;
}

} // namespace

LabelText
label_of(const ScoreValues &values)
{
	return {values.label, values.nulls[3]};
}

void
add_event(Events *events, const Change &change, const char *part, const char *alert, LabelText from,
		  LabelText to)
{
	if (events->count == events->capacity)
	{
		grow(events);
	}
	put(events, key_column, change.key, false);
	put(events, kind_column, CStringGetTextDatum(alert == nullptr ? "label" : "alert"), false);
	put(events, part_column, CStringGetTextDatum(part), false);
	put(events, alert_column, alert == nullptr ? 0 : CStringGetTextDatum(alert), alert == nullptr);
	put(events, from_column, from.text, from.none);
	put(events, to_column, to.text, to.none);
	put(events, before_column, Float8GetDatum(change.before.total), change.before.nulls[0]);
	put(events, after_column, Float8GetDatum(change.after.total), change.after.nulls[0]);
	events->count++;
}

void
write_events(const Noting &noting, const Events &events)
{
	Datum values[shared_columns + event_columns] = {noting.name, TimestampTzGetDatum(noting.as_of),
													CStringGetTextDatum(noting.reason)};
	char nulls[shared_columns + event_columns];
	bool one = events.count == 1;

	memset(nulls, ' ', sizeof nulls);
	for (int column = 0; column < event_columns; column++)
	{
		int at = shared_columns + column;
		if (one)
		{
			values[at] = events.values[column][0];
			nulls[at] = events.nulls[column][0] ? 'n' : ' ';
		}
		else
		{
			values[at] =
				column >= before_column
					? real_array(events.values[column], events.nulls[column], events.count)
					: text_array(events.values[column], events.nulls[column], events.count);
		}
	}
	execute_plan(one ? &insert_event : &insert_events, values, nulls);
}

} // namespace lead_scoring::pg
