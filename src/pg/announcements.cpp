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

// Write a row of the outbox
void
write_event(const Noting &noting, const Change &change, const char *part, const char *alert, LabelText from, LabelText to)
{
	Datum values[] = {noting.name,
					  TimestampTzGetDatum(noting.as_of),
					  CStringGetTextDatum(noting.reason),
					  change.key,
					  CStringGetTextDatum(alert == nullptr ? "label" : "alert"),
					  CStringGetTextDatum(part),
					  alert == nullptr ? 0 : CStringGetTextDatum(alert),
					  from.text,
					  to.text,
					  Float8GetDatum(change.before.total),
					  Float8GetDatum(change.after.total)};
	char nulls[lengthof(values)];

	memset(nulls, ' ', sizeof nulls);
	nulls[6] = alert == nullptr ? 'n' : ' ';
	nulls[7] = from.none ? 'n' : ' ';
	nulls[8] = to.none ? 'n' : ' ';
	nulls[9] = change.before.nulls[0] ? 'n' : ' ';
	nulls[10] = change.after.nulls[0] ? 'n' : ' ';
	execute_plan(&insert_event, values, nulls);
}

// Announce a label, and the alerts that wait for it; returns how many rows were written
size_t
write_label(const Noting &noting, const Change &change, LabelText from, LabelText to)
{
	size_t written = 1;

	write_event(noting, change, "label", nullptr, from, to);
	for (int at = 0; at < noting.score->alert_count; at++)
	{
		const LoadedAlert &alert = noting.score->alerts[at];
		if (alert.kind == AlertKind::label && !to.none && view_of(to.text) == alert.label)
		{
			write_event(noting, change, "label", alert.name, from, to);
			written++;
		}
	}
	return written;
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
size_t
announce_damped(const Noting &noting, const Change &change, const Announced &last)
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
		return 0;
	}
	bool dwells = !target.none && core::dwell_of(noting.score->announced, view_of(target.text)) > 0;
	remember(noting, change, {true, target, dwells, noting.as_of}, last.kept);
	return write_label(noting, change, last.label, target);
}

size_t
announce_labels(const Noting &noting)
{
	size_t written = 0;

	if (noting.score->has_damped_bands && noting.silent)
	{
		// What nobody is told of is taken for announced
		Datum values[] = {noting.name, key_array(noting)};
		execute_plan(&drop_announced, values, nullptr);
	}
	if (noting.silent)
	{
		return 0;
	}
	const Announced *announced = noting.score->has_damped_bands ? read_announced(noting) : nullptr;
	for (size_t at = 0; at < noting.count; at++)
	{
		const Change &change = noting.changes[at];
		LabelText before = label_of(change.before);
		LabelText after = label_of(change.after);
		if (announced != nullptr && (announced[at].kept || !same_label(before, after)))
		{
			written += announce_damped(noting, change, announced[at]);
		}
		else if (announced == nullptr && !same_label(before, after))
		{
			written += write_label(noting, change, before, after);
		}
	}
	return written;
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
bool
give_alert(const Noting &noting, const Change &change, const LoadedAlert &alert)
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
		return false;
	}
	write_event(noting, change, parts[static_cast<size_t>(alert.part)], alert.name, label_of(change.before),
				label_of(change.after));
	return true;
}

size_t
give_alerts(const Noting &noting)
{
	size_t written = 0;

	for (int at = 0; at < noting.score->alert_count; at++)
	{
		const LoadedAlert &alert = noting.score->alerts[at];
		for (size_t change = 0; alert.kind != AlertKind::label && change < noting.count; change++)
		{
			written += give_alert(noting, noting.changes[change], alert);
		}
	}
	return written;
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

size_t
announce(const Noting &noting)
{
	size_t written = noting.score->definition.bands.empty() ? 0 : announce_labels(noting);

	written += give_alerts(noting);
	if (written > 0)
	{
		// Equal ones of a transaction are delivered once
		Async_Notify("lead_scoring", noting.score->name);
	}
	return written;
}

} // namespace lead_scoring::pg
