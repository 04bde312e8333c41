// Announcing changes.
//
// The stored label is always that of the value. Where bands have a margin or a dwell, what was announced last is another
// thing: lead_scoring.announced has it for the records of which it is not the stored label, or of which it must still
// stand for some time.
#include "pg/postgres_api.hpp"

#include "pg/announcements.hpp"

#include "pg/events.hpp"
#include "pg/kept_plan.hpp"
#include "pg/own_rows.hpp"
#include "pg/query.hpp"

extern "C"
{
#include "commands/async.h"
#include "replication/logicalworker.h"
#include "replication/worker_internal.h"
}

namespace lead_scoring::pg
{

namespace
{

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

KeptPlan drop_announced = {
	"DELETE FROM lead_scoring.announced WHERE score = $1 AND record_key = ANY ($2)",
	2,
	{TEXTOID, TEXTARRAYOID},
	nullptr};

// An alert that was edited has not been given as it is now
KeptPlan keep_alerted = {
	"INSERT INTO lead_scoring.alerted AS a (score, record_key, alert, part, threshold) VALUES ($1, $2, $3, $4, $5) "
	"ON CONFLICT (score, record_key, alert) DO UPDATE SET part = excluded.part, threshold = excluded.threshold "
	"WHERE (a.part, a.threshold) IS DISTINCT FROM (excluded.part, excluded.threshold)",
	5,
	{TEXTOID, TEXTOID, TEXTOID, TEXTOID, FLOAT8OID},
	nullptr};

KeptPlan drop_alerted = {
	"DELETE FROM lead_scoring.alerted WHERE (score, record_key, alert) = ($1, $2, $3)",
	3,
	{TEXTOID, TEXTOID, TEXTOID},
	nullptr};

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
	return left.none || right.none ? left.none == right.none
								   : view_of(left.text) == view_of(right.text);
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
	core::Announcement chosen = core::choose_announcement(score->announced, view_of(announced.text),
														  view_of(stored.text), parts);
	if (chosen.as_stored)
	{
		return stored;
	}
	std::string_view first = chosen.texts[0];
	std::string_view second = chosen.texts[1];
	return {PointerGetDatum(
				cstring_to_text(psprintf("%.*s%.*s", static_cast<int>(first.size()), first.data(),
										 static_cast<int>(second.size()), second.data()))),
			false};
}

// Keep what was announced, unless it is the stored label and need not stand
void
remember(const Noting &noting, const Change &change, const Announced &announced, bool was_kept)
{
	if (announced.dwells || !same_label(announced.label, label_of(change.after)))
	{
		Datum values[] = {noting.name, change.key, announced.label.text,
						  TimestampTzGetDatum(announced.at)};
		const char nulls[] = {' ', ' ', announced.label.none ? 'n' : ' ',
							  announced.dwells ? ' ' : 'n'};
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
	bool stands = last.dwells && !last.label.none &&
				  still_stands(noting.score, last.label.text, last.at, noting.as_of);
	LabelText target = target_label(noting.score, last.label, change.after);

	if (stands || same_label(target, last.label))
	{
		bool known = last.kept &&
					 (stands || (!last.dwells && !same_label(last.label, label_of(change.after))));
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
	return !value.none && (alert.kind == AlertKind::above ? value.value > alert.threshold
														  : value.value >= alert.threshold);
}

bool
is_armed(const LoadedAlert &alert, Value value)
{
	return value.none || value.value < alert.threshold - alert.margin;
}

const char *
name_of(core::Part part)
{
	static const char *const names[] = {"fit", "engagement", "total"};

	return names[static_cast<size_t>(part)];
}

// Remember that an alert was given; false if it was given before, and not armed again
bool
remember_alerted(const Noting &noting, const Change &change, const LoadedAlert &alert)
{
	Datum values[] = {noting.name, change.key, CStringGetTextDatum(alert.name), CStringGetTextDatum(name_of(alert.part)),
					  Float8GetDatum(alert.threshold)};

	return execute_plan(&keep_alerted, values, nullptr) > 0;
}

void
forget_alerted(const Noting &noting, const Change &change, const LoadedAlert &alert)
{
	Datum values[] = {noting.name, change.key, CStringGetTextDatum(alert.name)};

	execute_plan(&drop_alerted, values, nullptr);
}

// Give an alert on a value if a change calls for it; any_alerted: some were given before, of any record
void
give_alert(const Noting &noting, const Change &change, const LoadedAlert &alert, bool any_alerted, Events *events)
{
	Value before = value_of(change.before, alert.part);
	Value after = value_of(change.after, alert.part);

	// A record without a value may be new under the key of another one
	if (any_alerted && (before.none || (is_armed(alert, after) && !is_armed(alert, before))))
	{
		forget_alerted(noting, change, alert);
	}
	if (noting.silent || !reached(alert, after) || reached(alert, before) ||
		(alert.margin > 0 && !remember_alerted(noting, change, alert)))
	{
		return;
	}
	add_event(events, change, name_of(alert.part), alert.name, label_of(change.before), label_of(change.after));
}

void
give_alerts(const Noting &noting, Events *events)
{
	for (int at = 0; at < noting.score->alert_count; at++)
	{
		const LoadedAlert &alert = noting.score->alerts[at];
		bool any_alerted = alert.margin > 0 && has_rows_by_now(own::alerted, noting.score->name);
		for (size_t change = 0; alert.kind != AlertKind::label && change < noting.count; change++)
		{
			give_alert(noting, noting.changes[change], alert, any_alerted, events);
		}
	}
}

// Whether the transaction is prepared in two phases because its publisher's was: it cannot tell anybody, and would fail for ever
bool
is_prepared_by_publisher()
{
#if PG_VERSION_NUM >= 150000
	return IsLogicalWorker() && MySubscription != nullptr && MySubscription->twophasestate == LOGICALREP_TWOPHASE_STATE_ENABLED;
#else
	return false;
#endif
}

// Tell those who listen; equal messages of a transaction are delivered once
void
tell(const char *score)
{
	if (!is_prepared_by_publisher())
	{
		Async_Notify("lead_scoring", score);
	}
}

} // namespace

bool
still_stands(const LoadedScore *score, Datum label, TimestampTz announced_at, TimestampTz as_of)
{
	int64 until;

	return __builtin_add_overflow(announced_at, core::dwell_of(score->announced, view_of(label)),
								  &until) ||
		   until > as_of;
}

Datum
text_array(Datum *texts, bool *nulls, size_t count)
{
	int size = static_cast<int>(count);
	int lower = 1;

	return PointerGetDatum(
		construct_md_array(texts, nulls, 1, &size, &lower, TEXTOID, -1, false, TYPALIGN_INT));
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

	return PointerGetDatum(construct_md_array(values, nulls, 1, &size, &lower, FLOAT8OID, 8,
											  FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
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
		tell(noting.score->name);
	}
	return events.count;
}

} // namespace lead_scoring::pg
