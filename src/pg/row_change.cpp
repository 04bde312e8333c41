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

} // namespace

bool
same_column(const Rows &rows, AttrNumber attribute)
{
	Form_pg_attribute described = TupleDescAttr(rows.before->tts_tupleDescriptor, attribute - 1);
	bool before_null;
	bool after_null;
	Datum before = slot_getattr(rows.before, attribute, &before_null);
	Datum after = slot_getattr(rows.after, attribute, &after_null);

	if (before_null || after_null)
	{
		return before_null == after_null;
	}
	if (described->attbyval)
	{
		return before == after;
	}
	return stored_alike(before, after, described->attlen) || datum_image_eq(before, after, false, described->attlen);
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
	for (int attribute = -1; (attribute = bms_next_member(columns, attribute)) >= 0;)
	{
		if (!same_column(rows, static_cast<AttrNumber>(attribute)))
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
