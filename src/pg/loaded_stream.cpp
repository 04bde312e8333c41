#include "pg/postgres_api.hpp"

#include "pg/loaded_stream.hpp"

#include "pg/session.hpp"

extern "C"
{
#include "access/table.h"
#include "catalog/pg_index.h"
#include "catalog/pg_namespace.h"
#include "utils/rls.h"
#include "utils/syscache.h"
}

namespace lead_scoring::pg
{

namespace
{

// Return the role that a stream's expressions run as; raises if the relation is gone or changed hands since they were
// written
Oid
require_same_owner(Oid relation, const char *defined_for, const char *kind, const char *name)
{
	Oid owner = owner_of(relation);

	if (!OidIsValid(owner))
	{
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE),
						errmsg("the relation of %s \"%s\" no longer exists", kind, name),
						errhint("It was dropped after the %s was defined: name another relation, or delete the "
								"definitions.",
								kind)));
	}
	if (strcmp(GetUserNameFromId(owner, false), defined_for) != 0)
	{
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("relation \"%s\" of %s \"%s\" has another owner than when it was defined",
						get_rel_name(relation), kind, name),
				 errhint("The new owner confirms the definition, whose expressions run with his rights: UPDATE "
						 "lead_scoring.%s SET relation = relation WHERE name = %s;",
						 strcmp(kind, "source") == 0 ? "source" : "record_type", quote_literal_cstr(name))));
	}
	return owner;
}

// Raise if the owner has taken from himself the right that expressions are run with
void
require_readable_for_owner(const LoadedStream *stream, Oid relation)
{
	if (pg_class_aclcheck(relation, stream->owner, ACL_SELECT) != ACLCHECK_OK &&
		pg_attribute_aclcheck_all(relation, stream->owner, ACL_SELECT, ACLMASK_ALL) != ACLCHECK_OK)
	{
		const char *owner = GetUserNameFromId(stream->owner, false);
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
						errmsg("permission denied for relation \"%s\" of %s \"%s\"", get_rel_name(relation),
							   stream->is_source ? "source" : "record type", stream->name),
						errdetail("Scores are computed with the rights of its owner \"%s\", who may not read it.", owner),
						errhint("GRANT SELECT ON %s TO %s;", relation_sql(relation), quote_identifier(owner))));
	}
}

// Return the type of a column of a relation, domains looked through; raises if it is gone
Oid
require_type_in(Oid relation, const LoadedStream *stream, const char *column, const char *meaning)
{
	AttrNumber attribute = get_attnum(relation, column);

	if (attribute <= 0)
	{
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_COLUMN),
						errmsg("%s \"%s\" of %s \"%s\" is no longer a column of \"%s\"", meaning, column,
							   stream->is_source ? "source" : "record type", stream->name,
							   get_rel_name(relation)),
						errhint("The relation was altered after it was defined: update the definition.")));
	}
	return getBaseType(get_atttype(relation, attribute));
}

Oid
require_column_type(const LoadedStream *stream, const char *column, const char *meaning)
{
	return require_type_in(stream->relation, stream, column, meaning);
}

// Text keys are compared byte by byte; a collation that finds other bytes equal would disagree
void
require_byte_equality(const LoadedStream *stream)
{
	AttrNumber attribute = get_attnum(stream->relation, stream->key_column);
	Oid type;
	int32 modifier;
	Oid collation;

	get_atttypetypmodcoll(stream->relation, attribute, &type, &modifier, &collation);
	if (OidIsValid(collation) && !get_collation_isdeterministic(collation))
	{
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("key \"%s\" of \"%s\" has a nondeterministic collation", stream->key_column,
							   get_rel_name(stream->relation)),
						errhint("Give the column a deterministic collation, or use a view that lowers its case.")));
	}
}

bool
may_use_schema(Oid schema)
{
#if PG_VERSION_NUM >= 160000
	return object_aclcheck(NamespaceRelationId, schema, GetUserId(), ACL_USAGE) == ACLCHECK_OK;
#else
	return pg_namespace_aclcheck(schema, GetUserId(), ACL_USAGE) == ACLCHECK_OK;
#endif
}

// Whether a stream reads a view that shows each user what he may see: the owner may see more than the caller
bool
is_foreign_invoker_view(const LoadedStream *stream)
{
#if PG_VERSION_NUM >= 150000
	if (get_rel_relkind(stream->relation) == RELKIND_VIEW && !has_privs_of_role(GetUserId(), stream->owner))
	{
		Relation view = table_open(stream->relation, AccessShareLock);
		bool invoker = RelationHasSecurityInvoker(view);
		table_close(view, AccessShareLock);
		return invoker;
	}
#endif
	return false;
}

} // namespace

void
settle_hop(const LoadedStream *stream, const char *defined_for)
{
	if (require_same_owner(stream->hop.relation, defined_for, "source", stream->name) != stream->owner)
	{
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
						errmsg("relations \"%s\" and \"%s\" of source \"%s\" have different owners",
							   get_rel_name(stream->relation), get_rel_name(stream->hop.relation), stream->name),
						errhint("They are read together, with the rights of one owner.")));
	}
	require_readable_for_owner(stream, stream->hop.relation);
	require_type_in(stream->hop.relation, stream, stream->hop.row_key, "through key");
}

core::KeyKind
key_kind_of(const LoadedStream *stream)
{
	switch (stream->key_type)
	{
	case INT2OID:
	case INT4OID:
	case INT8OID:
		return core::KeyKind::integer;
	case UUIDOID:
		return core::KeyKind::uuid;
	case TEXTOID:
	case VARCHAROID:
		return core::KeyKind::text;
	default:
		ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
						errmsg("key \"%s\" of %s \"%s\" has type %s", stream->key_column,
							   stream->is_source ? "source" : "record type", stream->name,
							   format_type_be(stream->key_type)),
						errhint("A key is a smallint, integer, bigint, uuid, text or varchar.")));
	}
	pg_unreachable();
}

void
settle_stream(LoadedStream *stream, const char *defined_for)
{
	stream->owner = require_same_owner(stream->relation, defined_for,
									   stream->is_source ? "source" : "record type", stream->name);
	require_readable_for_owner(stream, stream->relation);
	stream->key_type =
		require_column_type(stream, stream->key_column, stream->is_source ? "record key" : "key column");
	if (key_kind_of(stream) == core::KeyKind::text)
	{
		require_byte_equality(stream);
	}
	if (stream->time_column != nullptr &&
		require_column_type(stream, stream->time_column, "time of the event") != TIMESTAMPTZOID)
	{
		ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
						errmsg("time of the event \"%s\" of source \"%s\" is no longer timestamp with time zone",
							   stream->time_column, stream->name),
						errhint("The relation was altered after it was defined: update the definition.")));
	}
	stream->inputs = make_input_columns(stream->relation, stream->is_source ? "s" : "r");
}

void
require_same_kind(const LoadedStream *source, const LoadedStream *records)
{
	LoadedStream named = *records;
	LoadedStream naming = *source;
	bool has_hop = OidIsValid(source->hop.relation);

	if ((source->record_column != nullptr || has_hop) && source->owner != records->owner)
	{
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
						errmsg("relations of source \"%s\" and of record type \"%s\" have different owners",
							   source->name, records->name),
						errhint("With record_column or through both are read together, with the rights of one owner.")));
	}
	if (source->record_column != nullptr)
	{
		named.key_column = source->record_column;
		named.key_type = require_column_type(records, source->record_column, "record column");
	}
	if (has_hop)
	{
		naming.key_column = source->hop.record_key;
		naming.key_type = require_type_in(source->hop.relation, source, source->hop.record_key, "through record");
	}
	if (key_kind_of(&naming) != key_kind_of(&named))
	{
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("record key \"%s\" of source \"%s\" has type %s, the record's column \"%s\" has type %s",
						naming.key_column, source->name, format_type_be(naming.key_type), named.key_column,
						format_type_be(named.key_type)),
				 errhint("The relation was altered after it was defined: both must be integers, uuid or text.")));
	}
}

bool
has_unique_key(Oid relation_id, const char *key_column)
{
	Relation relation = table_open(relation_id, AccessShareLock);
	AttrNumber attribute = get_attnum(relation_id, key_column);
	List *indexes = RelationGetIndexList(relation);
	bool unique = false;

	for (int at = 0; at < list_length(indexes); at++)
	{
		HeapTuple tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(list_nth_oid(indexes, at)));
		auto *index = reinterpret_cast<Form_pg_index>(GETSTRUCT(tuple));
		unique |= index->indisunique && index->indisvalid && index->indimmediate && index->indnkeyatts == 1 &&
				  index->indkey.values[0] == attribute && heap_attisnull(tuple, Anum_pg_index_indpred, nullptr);
		ReleaseSysCache(tuple);
	}
	// Children of plain inheritance may repeat the keys of their parent
	unique &= relation->rd_rel->relkind == RELKIND_PARTITIONED_TABLE || !relation->rd_rel->relhassubclass;
	table_close(relation, AccessShareLock);
	return unique;
}

void
require_stream_readable(const LoadedStream *stream)
{
	if (OidIsValid(stream->hop.relation))
	{
		LoadedStream hop = *stream;
		hop.relation = stream->hop.relation;
		hop.hop.relation = InvalidOid;
		require_stream_readable(&hop);
	}
	if (pg_class_aclcheck(stream->relation, GetUserId(), ACL_SELECT) != ACLCHECK_OK ||
		!may_use_schema(get_rel_namespace(stream->relation)))
	{
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
						errmsg("permission denied for relation \"%s\"", get_rel_name(stream->relation)),
						errhint("Evaluating a score takes the right to read all that it is computed from.")));
	}
	if (check_enable_rls(stream->relation, InvalidOid, true) == RLS_ENABLED || is_foreign_invoker_view(stream))
	{
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
						errmsg("row-level security of \"%s\" may apply to you", get_rel_name(stream->relation)),
						errhint("Evaluation sees all rows, as a score must: read the stored columns instead.")));
	}
}

bool
is_from_rows(const LoadedStream *stream)
{
	for (int at = 0; at < stream->inputs->count; at++)
	{
		if (stream->inputs->columns[at].computed != nullptr)
		{
			return false;
		}
	}
	return stream->filter_sql == nullptr && !OidIsValid(stream->hop.relation) && stream->record_column == nullptr &&
		   !stream->cleaned && stream->mark_sql == nullptr;
}

char *
relation_sql(Oid relation)
{
	const char *name = get_rel_name(relation);

	if (name == nullptr)
	{
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE), errmsg("relation with OID %u does not exist", relation),
						errhint("It was dropped after a score was defined that uses it.")));
	}
	return quote_qualified_identifier(get_namespace_name(get_rel_namespace(relation)), name);
}

} // namespace lead_scoring::pg
