#include "pg/postgres_api.hpp"

#include "pg/row_change.hpp"

extern "C"
{
#include "utils/datum.h"
}

namespace lead_scoring::pg
{

namespace
{

// Whether two values are the same as they are stored: of a long text that an update leaves alone only the reference is
bool
stored_alike(Datum left, Datum right, int16 length)
{
	const char *left_bytes = DatumGetPointer(left);
	const char *right_bytes = DatumGetPointer(right);

	if (length >= 0)
	{
		return memcmp(left_bytes, right_bytes, static_cast<Size>(length)) == 0;
	}
	return length == -1 && VARSIZE_ANY(left_bytes) == VARSIZE_ANY(right_bytes) &&
		   memcmp(left_bytes, right_bytes, VARSIZE_ANY(left_bytes)) == 0;
}

// Whether a value at a place is the same in two rows that have been taken apart so far
bool
same_value(const Rows &rows, int place)
{
	Form_pg_attribute described = TupleDescAttr(rows.before->tts_tupleDescriptor, place);
	Datum before = rows.before->tts_values[place];
	Datum after = rows.after->tts_values[place];

	if (rows.before->tts_isnull[place] || rows.after->tts_isnull[place])
	{
		return rows.before->tts_isnull[place] == rows.after->tts_isnull[place];
	}
	if (described->attbyval)
	{
		return before == after;
	}
	return stored_alike(before, after, described->attlen) || datum_image_eq(before, after, false, described->attlen);
}

} // namespace

bool
same_column(const Rows &rows, AttrNumber attribute)
{
	slot_getsomeattrs(rows.before, attribute);
	slot_getsomeattrs(rows.after, attribute);
	return same_value(rows, attribute - 1);
}

bool
has_enabled_trigger(Relation relation, const char *name)
{
	const TriggerDesc *triggers = relation->trigdesc;

	for (int at = 0; triggers != nullptr && at < triggers->numtriggers; at++)
	{
		const Trigger &trigger = triggers->triggers[at];
		if (strcmp(trigger.tgname, name) == 0 && trigger.tgenabled != TRIGGER_DISABLED)
		{
			return true;
		}
	}
	return false;
}

Rows
rows_of(const TriggerData *trigger)
{
	if (TRIGGER_FIRED_BY_INSERT(trigger->tg_event))
	{
		return {nullptr, trigger->tg_trigslot};
	}
	if (TRIGGER_FIRED_BY_DELETE(trigger->tg_event))
	{
		return {trigger->tg_trigslot, nullptr};
	}
	return {trigger->tg_trigslot, trigger->tg_newslot};
}

bool
left_alone(const Bitmapset *columns, const Rows &rows)
{
	if (rows.before == nullptr || rows.after == nullptr)
	{
		return false;
	}
	int last = bms_prev_member(columns, -1);
	if (last > 0)
	{
		slot_getsomeattrs(rows.before, last);
		slot_getsomeattrs(rows.after, last);
	}
	for (int attribute = -1; (attribute = bms_next_member(columns, attribute)) >= 0;)
	{
		if (!same_value(rows, attribute - 1))
		{
			return false;
		}
	}
	return true;
}

bool
is_indifferent(const PathStart &start, const Rows &rows)
{
	return !start.all_matter && left_alone(start.matter, rows);
}

bool
are_indifferent(const PathStarts *starts, const Rows &rows)
{
	return !starts->all_matter && left_alone(starts->matter, rows);
}

} // namespace lead_scoring::pg
