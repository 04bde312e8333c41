// Announcing changes.
//
// The stored label is always that of the value. Where bands have a margin or a dwell, what was announced last is another
// thing: lead_scoring.announced has it for the records of which it is not the stored label, or of which it must still
// stand for some time.
#include "pg/postgres_api.hpp"

#include "pg/announcements.hpp"

#include "pg/kept_plan.hpp"
#include "pg/query.hpp"

extern "C"
{
#include "commands/async.h"
}

namespace lead_scoring::pg
{

namespace
{

KeptPlan insert_event = {
	"INSERT INTO lead_scoring.outbox (score, changed_at, reason, record_key, kind, part, alert, from_label, to_label, "
	"total_before, total_after) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
	11,
	{TEXTOID, TIMESTAMPTZOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, FLOAT8OID, FLOAT8OID},
	nullptr};

KeptPlan insert_events = {
	"INSERT INTO lead_scoring.outbox (score, changed_at, reason, record_key, kind, part, alert, from_label, to_label, "
	"total_before, total_after) SELECT $1, $2, $3, e.* FROM unnest($4, $5, $6, $7, $8, $9, $10, $11) e",
	11,
	{TEXTOID, TIMESTAMPTZOID, TEXTOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID,
	 FLOAT8ARRAYOID, FLOAT8ARRAYOID},
	nullptr};

// The lock is for announce_due, which looks at the row without locking the record
KeptPlan find_announced = {
	"SELECT k.at, a.label, a.announced_at FROM unnest($2) WITH ORDINALITY k (record_key, at) "
	"JOIN lead_scoring.announced a ON a.record_key = k.record_key WHERE a.score = $1 FOR UPDATE OF a",
	2,
	{TEXTOID, TEXTARRAYOID},
	nullptr};

KeptPlan keep_announced = {
	"INSERT INTO lead_scoring.announced (score, record_key, label, announced_at) VALUES ($1, $2, $3, $4) "
	"ON CONFLICT (score, record_key) DO UPDATE SET label = excluded.label, announced_at = excluded.announced_at",
	4,
	{TEXTOID, TEXTOID, TEXTOID, TIMESTAMPTZOID},
	nullptr};

KeptPlan drop_announced = {"DELETE FROM lead_scoring.announced WHERE score = $1 AND record_key = ANY ($2)",
						   2,
						   {TEXTOID, TEXTARRAYOID},
						   nullptr};

KeptPlan keep_alerted = {
	"INSERT INTO lead_scoring.alerted (score, record_key, alert) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
	3,
	{TEXTOID, TEXTOID, TEXTOID},
	nullptr};

KeptPlan drop_alerted = {"DELETE FROM lead_scoring.alerted WHERE (score, record_key, alert) = ($1, $2, $3)",
						 3,
						 {TEXTOID, TEXTOID, TEXTOID},
						 nullptr};

// A label, or none
struct LabelText
{
	Datum text;
	bool none;
};

// What was announced last of a record
struct Announced
{
	bool kept; // there is a row of it
	LabelText label;
	bool dwells;
	TimestampTz at; // if it dwells
};

std::string_view
view_of(Datum label)
{
	text *whole = DatumGetTextPP(label);

	return {VARDATA_ANY(whole), VARSIZE_ANY_EXHDR(whole)};
}

bool
same_label(const LabelText &left, const LabelText &right)
{
	return left.none || right.none ? left.none == right.none : view_of(left.text) == view_of(right.text);
}

LabelText
label_of(const ScoreValues &values)
{
	return {values.label, values.nulls[3]};
}

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

constexpr int shared_columns = 3; // score, changed_at, reason

// Rows on their way into the outbox
struct Events
{
	Datum *values[event_columns];
	bool *nulls[event_columns];
	size_t count;
	size_t capacity;
};

void
grow(Events *events)
{
	events->capacity = Max(events->capacity * 2, 8);
	for (int column = 0; column < event_columns; column++)
	{
		Size values = sizeof(Datum) * events->capacity;
		Size nulls = sizeof(bool) * events->capacity;
		bool first = events->count == 0;
		events->values[column] = static_cast<Datum *>(first ? palloc(values) : repalloc(events->values[column], values));
		events->nulls[column] = static_cast<bool *>(first ? palloc(nulls) : repalloc(events->nulls[column], nulls));
	}
}

void
put(Events *events, EventColumn column, Datum value, bool none)
{
	events->values[column][events->count] = value;
	events->nulls[column][events->count] = none;
}

// Add a row for the outbox
void
add_event(Events *events, const Change &change, const char *part, const char *alert, LabelText from, LabelText to)
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
			values[at] = column >= before_column ? real_array(events.values[column], events.nulls[column], events.count)
												 : text_array(events.values[column], events.nulls[column], events.count);
		}
	}
	execute_plan(one ? &insert_event : &insert_events, values, nulls);
}

// Announce a label, and give the alerts that wait for it
void
add_label(const Noting &noting, const Change &change, LabelText from, LabelText to, Events *events)
{
	add_event(events, change, "label", nullptr, from, to);
	for (int at = 0; at < noting.score->alert_count; at++)
	{
		const LoadedAlert &alert = noting.score->alerts[at];
		if (alert.kind == AlertKind::label && !to.none && view_of(to.text) == alert.label)
		{
			add_event(events, change, "label", alert.name, from, to);
		}
	}
}

// Find what was announced last of each record
Announced *
read_announced(const Noting &noting)
{
	auto *announced = static_cast<Announced *>(palloc0(sizeof(Announced) * noting.count));
	Datum values[] = {noting.name, key_array(noting)};

	for (size_t at = 0; at < noting.count; at++)
	{
		announced[at].label = label_of(noting.changes[at].before);
	}
	execute_plan(&find_announced, values, nullptr);
	for (uint64 row = 0; row < SPI_processed; row++)
	{
		HeapTuple tuple = SPI_tuptable->vals[row];
		TupleDesc descriptor = SPI_tuptable->tupdesc;
		bool none;
		Announced &known = announced[DatumGetInt64(SPI_getbinval(tuple, descriptor, 1, &none)) - 1];
		known.kept = true;
		known.label.text = SPI_getbinval(tuple, descriptor, 2, &known.label.none);
		known.at = DatumGetTimestampTz(SPI_getbinval(tuple, descriptor, 3, &none));
		known.dwells = !none;
	}
	return announced;
}

// Return the label to announce, which margins may hold back
LabelText
target_label(const LoadedScore *score, const LabelText &announced, const ScoreValues &values)
{
	LabelText stored = label_of(values);

	if (announced.none || stored.none)
	{
		return stored;
	}
	const double parts[] = {values.fit, values.engagement, values.total};
	core::Announcement chosen =
		core::choose_announcement(score->announced, view_of(announced.text), view_of(stored.text), parts);
	if (chosen.as_stored)
	{
		return stored;
	}
	std::string_view first = chosen.texts[0];
	std::string_view second = chosen.texts[1];
	return {PointerGetDatum(cstring_to_text(psprintf("%.*s%.*s", static_cast<int>(first.size()), first.data(),
													 static_cast<int>(second.size()), second.data()))),
			false};
}

// Keep what was announced, unless it is the stored label and need not stand
void
remember(const Noting &noting, const Change &change, const Announced &announced, bool was_kept)
{
	if (announced.dwells || !same_label(announced.label, label_of(change.after)))
	{
		Datum values[] = {noting.name, change.key, announced.label.text, TimestampTzGetDatum(announced.at)};
		const char nulls[] = {' ', ' ', announced.label.none ? 'n' : ' ', announced.dwells ? ' ' : 'n'};
		execute_plan(&keep_announced, values, nulls);
	}
	else if (was_kept)
	{
		Datum key = change.key;
		bool null = false;
		Datum values[] = {noting.name, text_array(&key, &null, 1)};
		execute_plan(&drop_announced, values, nullptr);
	}
}

// Announce the label of a record as far as margin and dwell allow
void
announce_damped(const Noting &noting, const Change &change, const Announced &last, Events *events)
{
	bool stands = last.dwells && !last.label.none && still_stands(noting.score, last.label.text, last.at, noting.as_of);
	LabelText target = target_label(noting.score, last.label, change.after);

	if (stands || same_label(target, last.label))
	{
		bool known = last.kept && (stands || (!last.dwells && !same_label(last.label, label_of(change.after))));
		if (!known)
		{
			remember(noting, change, {true, last.label, false, 0}, last.kept);
		}
		return;
	}
	bool dwells = !target.none && core::dwell_of(noting.score->announced, view_of(target.text)) > 0;
	remember(noting, change, {true, target, dwells, noting.as_of}, last.kept);
	add_label(noting, change, last.label, target, events);
}

void
announce_labels(const Noting &noting, Events *events)
{
	if (noting.score->has_damped_bands && noting.silent)
	{
		// What nobody is told of is taken for announced
		Datum values[] = {noting.name, key_array(noting)};
		execute_plan(&drop_announced, values, nullptr);
	}
	if (noting.silent)
	{
		return;
	}
	const Announced *announced = noting.score->has_damped_bands ? read_announced(noting) : nullptr;
	for (size_t at = 0; at < noting.count; at++)
	{
		const Change &change = noting.changes[at];
		LabelText before = label_of(change.before);
		LabelText after = label_of(change.after);
		if (announced != nullptr && (announced[at].kept || !same_label(before, after)))
		{
			announce_damped(noting, change, announced[at], events);
		}
		else if (announced == nullptr && !same_label(before, after))
		{
			add_label(noting, change, before, after, events);
		}
	}
}

struct Value
{
	double value;
	bool none;
};

Value
value_of(const ScoreValues &values, core::Part part)
{
	switch (part)
	{
	case core::Part::fit:
		return {values.fit, values.nulls[1]};
	case core::Part::engagement:
		return {values.engagement, values.nulls[2]};
	case core::Part::total:
		break;
	}
	return {values.total, values.nulls[0]};
}

// Tell whether a value is beyond the threshold of an alert
bool
reached(const LoadedAlert &alert, Value value)
{
	return !value.none && (alert.kind == AlertKind::above ? value.value > alert.threshold : value.value >= alert.threshold);
}

bool
is_armed(const LoadedAlert &alert, Value value)
{
	return value.none || value.value < alert.threshold - alert.margin;
}

bool
touch_alerted(KeptPlan *plan, const Noting &noting, const Change &change, const LoadedAlert &alert)
{
	Datum values[] = {noting.name, change.key, CStringGetTextDatum(alert.name)};

	return execute_plan(plan, values, nullptr) > 0;
}

// Give an alert on a value if a change calls for it
void
give_alert(const Noting &noting, const Change &change, const LoadedAlert &alert, Events *events)
{
	static const char *const parts[] = {"fit", "engagement", "total"};
	Value before = value_of(change.before, alert.part);
	Value after = value_of(change.after, alert.part);

	if (alert.margin > 0 && is_armed(alert, after) && !is_armed(alert, before))
	{
		touch_alerted(&drop_alerted, noting, change, alert);
	}
	if (noting.silent || !reached(alert, after) || reached(alert, before) ||
		(alert.margin > 0 && !touch_alerted(&keep_alerted, noting, change, alert)))
	{
		return;
	}
	add_event(events, change, parts[static_cast<size_t>(alert.part)], alert.name, label_of(change.before),
			  label_of(change.after));
}

void
give_alerts(const Noting &noting, Events *events)
{
	for (int at = 0; at < noting.score->alert_count; at++)
	{
		const LoadedAlert &alert = noting.score->alerts[at];
		for (size_t change = 0; alert.kind != AlertKind::label && change < noting.count; change++)
		{
			give_alert(noting, noting.changes[change], alert, events);
		}
	}
}

} // namespace

bool
still_stands(const LoadedScore *score, Datum label, TimestampTz announced_at, TimestampTz as_of)
{
	int64 until;

	return __builtin_add_overflow(announced_at, core::dwell_of(score->announced, view_of(label)), &until) || until > as_of;
}

Datum
text_array(Datum *texts, bool *nulls, size_t count)
{
	int size = static_cast<int>(count);
	int lower = 1;

	return PointerGetDatum(construct_md_array(texts, nulls, 1, &size, &lower, TEXTOID, -1, false, TYPALIGN_INT));
}

Datum
key_array(const Noting &noting)
{
	auto *keys = static_cast<Datum *>(palloc(sizeof(Datum) * noting.count));

	for (size_t at = 0; at < noting.count; at++)
	{
		keys[at] = noting.changes[at].key;
	}
	return text_array(keys, nullptr, noting.count);
}

Datum
real_array(Datum *values, bool *nulls, size_t count)
{
	int size = static_cast<int>(count);
	int lower = 1;

	return PointerGetDatum(construct_md_array(values, nulls, 1, &size, &lower, FLOAT8OID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

size_t
announce(const Noting &noting)
{
	Events events{};

	if (!noting.score->definition.bands.empty())
	{
		announce_labels(noting, &events);
	}
	give_alerts(noting, &events);
	if (events.count > 0)
	{
		write_events(noting, events);
		// Equal ones of a transaction are delivered once
		Async_Notify("lead_scoring", noting.score->name);
	}
	return events.count;
}

} // namespace lead_scoring::pg
