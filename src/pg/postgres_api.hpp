// The one door to PostgreSQL's headers: first in every file of this folder, with C linkage.
#pragma once

extern "C"
{
#include "postgres.h"

#include "access/htup_details.h"
#include "access/relation.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "executor/tuptable.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "tcop/dest.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"
#include "utils/uuid.h"
}

// What Postgres looks up by name must be visible although the library hides its symbols
#define LEAD_SCORING_EXPORT_BEGIN _Pragma("GCC visibility push(default)") extern "C" {
#define LEAD_SCORING_EXPORT_END } _Pragma("GCC visibility pop")

// Declare an SQL-callable function; its body follows as `Datum name(PG_FUNCTION_ARGS)`
#define LEAD_SCORING_FUNCTION(name) \
	LEAD_SCORING_EXPORT_BEGIN \
	PG_FUNCTION_INFO_V1(name); \
	LEAD_SCORING_EXPORT_END \
	static_assert(true)
