#include "pg/postgres_api.hpp"

#include "pg/confirm_triggers.hpp"

#include "pg/fill.hpp"
#include "pg/flush.hpp"
#include "pg/query.hpp"
#include "pg/session.hpp"

extern "C"
{
#include "access/relation.h"
#include "commands/trigger.h"
}

namespace lead_scoring::pg
{

namespace
{

// A trigger of ours
struct OwnTrigger
{
	const char *name;
	bool always; // whatever the role of the session in replication
};

constexpr OwnTrigger own_triggers[] = {
	{hold_trigger, false}, {touch_trigger, true}, {touch_update_trigger, true}, {flush_trigger, true}, {fill_trigger, false}};

// Whether a table has a trigger, which does not fire when it should
bool
is_off(Relation relation, const OwnTrigger &own)
{
	const TriggerDesc *triggers = relation->trigdesc;

	for (int at = 0; triggers != nullptr && at < triggers->numtriggers; at++)
	{
		const Trigger &trigger = triggers->triggers[at];
		if (strcmp(trigger.tgname, own.name) == 0)
		{
			return trigger.tgenabled != TRIGGER_FIRES_ALWAYS && (own.always || trigger.tgenabled != TRIGGER_FIRES_ON_ORIGIN);
		}
	}
	return false;
}

// Write the commands that let triggers of a table fire when they should; empty if all do
StringInfoData
commands_for(Oid relation_id)
{
	Relation relation = try_relation_open(relation_id, AccessShareLock);
	StringInfoData commands;

	initStringInfo(&commands);
	if (relation == nullptr)
	{
		return commands;
	}
	for (const OwnTrigger &own : own_triggers)
	{
		if (is_off(relation, own))
		{
			appendStringInfo(&commands, "ALTER TABLE ONLY %s ENABLE %sTRIGGER %s;", relation_sql(relation_id),
							 own.always ? "ALWAYS " : "", own.name);
		}
	}
	// Who looks ahead holds nothing while he waits for other tables
	relation_close(relation, AccessShareLock);
	return commands;
}

} // namespace

bool
triggers_fire(Oid relation)
{
	return commands_for(relation).len == 0;
}

void
confirm_triggers(Oid relation)
{
	StringInfoData commands = commands_for(relation);

	if (commands.len > 0)
	{
		Session session = begin_as_table_owner(owner_of(relation));
		execute_command(commands.data);
		end_session(session);
	}
}

} // namespace lead_scoring::pg
