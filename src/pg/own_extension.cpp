#include "pg/postgres_api.hpp"

#include "pg/own_extension.hpp"

extern "C"
{
#include "catalog/dependency.h"
#include "catalog/pg_extension.h"
#include "commands/extension.h"
#include "storage/lmgr.h"
}

namespace lead_scoring::pg
{

void
hold_extension()
{
	Oid extension = get_extension_oid("lead_scoring", true);

	if (OidIsValid(extension))
	{
		LockDatabaseObject(ExtensionRelationId, extension, 0, AccessShareLock);
	}
}

void
tie_to_extension(Oid catalog, Oid object)
{
	ObjectAddress dependent;
	ObjectAddress extension;

	hold_extension();
	ObjectAddressSet(dependent, catalog, object);
	ObjectAddressSet(extension, ExtensionRelationId, get_extension_oid("lead_scoring", false));
	recordDependencyOn(&dependent, &extension, DEPENDENCY_AUTO_EXTENSION);
}

} // namespace lead_scoring::pg
