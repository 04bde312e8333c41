#include "pg/session.hpp"

namespace lead_scoring::pg
{

namespace
{

void
set_option(const char *name, const char *value)
{
	set_config_option(name, value, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
}

} // namespace

Session
begin_safe_path()
{
	Session session;

	GetUserIdAndSecContext(&session.user, &session.security_context);
	session.guc_level = NewGUCNestLevel();
	set_option("search_path", "pg_catalog, pg_temp");
	return session;
}

Session
begin_as_owner(Oid owner)
{
	Session session = begin_safe_path();

	set_option("row_security", "off");
	SetUserIdAndSecContext(owner, session.security_context | SECURITY_RESTRICTED_OPERATION |
									  SECURITY_LOCAL_USERID_CHANGE);
	return session;
}

void
end_session(const Session &session)
{
	AtEOXact_GUC(false, session.guc_level);
	SetUserIdAndSecContext(session.user, session.security_context);
}

} // namespace lead_scoring::pg
