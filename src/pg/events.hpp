// Rows on their way into lead_scoring.outbox.
#pragma once

#include "pg/postgres_api.hpp"

#include "pg/announcements.hpp"

namespace lead_scoring::pg
{

// A label, or none
struct LabelText
{
	Datum text;
	bool none;
};

// The label of the score as a whole
LabelText label_of(const ScoreValues &values);

// The columns of the outbox that differ from row to row
enum EventColumn
{
	key_column,
	kind_column,
	part_column,
	alert_column,
	from_column,
	to_column,
	before_column,
	after_column,
	event_columns,
};

// Rows on their way into the outbox
struct Events
{
	Datum *values[event_columns];
	bool *nulls[event_columns];
	size_t count;
	size_t capacity;
};

// Add a change of a label, or an alert, if one is named
void add_event(Events *events, const Change &change, const char *part, const char *alert, LabelText from, LabelText to);

// Write all of them; there is at least one
void write_events(const Noting &noting, const Events &events);

} // namespace lead_scoring::pg
