// The extension as an object of the catalogue.
#pragma once

#include "pg/postgres_api.hpp"

namespace lead_scoring::pg
{

// Hold the extension, if it is there, until the end of the transaction: whoever drops it waits for that before he locks any of
// its tables, and we wait for him before we do
void hold_extension();

// Let an object go with the extension, as ALTER ... DEPENDS ON EXTENSION does for those that have it. That locks the extension
// against everybody who holds it
void tie_to_extension(Oid catalog, Oid object);

} // namespace lead_scoring::pg
