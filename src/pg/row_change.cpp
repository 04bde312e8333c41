#include "pg/postgres_api.hpp"

#include "pg/row_change.hpp"

extern "C"
{
#include "utils/datum.h"
}

namespace lead_scoring::pg
{

bool
same_column(const Rows &rows, AttrNumber attribute)
{
	Form_pg_attribute described = TupleDescAttr(rows.before->tts_tupleDescriptor, attribute - 1);
	bool before_null;
	bool after_null;
	Datum before = slot_getattr(rows.before, attribute, &before_null);
	Datum after = slot_getattr(rows.after, attribute, &after_null);

	return before_null == after_null &&
		   (before_null || datum_image_eq(before, after, described->attbyval, described->attlen));
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
is_indifferent(const PathStart &start, const Rows &rows)
{
	if (rows.before == nullptr || rows.after == nullptr)
	{
		return false;
	}
	if (start.all_matter)
	{
		return false;
	}
	for (int attribute = -1; (attribute = bms_next_member(start.matter, attribute)) >= 0;)
	{
		if (!same_column(rows, static_cast<AttrNumber>(attribute)))
		{
			return false;
		}
	}
	return true;
}

} // namespace lead_scoring::pg
