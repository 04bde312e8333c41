#include "pg/postgres_api.hpp"

#include "pg/write_rows.hpp"

#include "pg/key_set.hpp"
#include "pg/score_columns.hpp"
#include "pg/write_in_place.hpp"

extern "C"
{
#include "access/xact.h"
}

namespace lead_scoring::pg
{

namespace
{

// The names that statements speak of, quoted
struct Names
{
	const char *target;
	const char *key;
	const char *columns[stored_values + 1];
};

Names
names_of(const LoadedScore *score)
{
	ScoreColumns columns = score_columns(score->name);

	return {relation_sql(score->target),
			quote_identifier(score->records->key_column),
			{quote_identifier(columns.total), quote_identifier(columns.fit), quote_identifier(columns.engagement),
			 quote_identifier(columns.label)}};
}

// The rows that statements about many of them are given
constexpr const char *given_rows =
	"ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2), pg_catalog.unnest($3), pg_catalog.unnest($4), pg_catalog.unnest($5))";

const char *
update_one_sql(const Names &names)
{
	return psprintf("UPDATE %s t SET %s = $2, %s = $3, %s = $4, %s = $5 WHERE t.%s OPERATOR(pg_catalog.=) $1", names.target,
					names.columns[0], names.columns[1], names.columns[2], names.columns[3], names.key);
}

const char *
update_many_sql(const Names &names)
{
	return psprintf("UPDATE %s t SET %s = n.t, %s = n.f, %s = n.e, %s = n.l FROM %s n (k, t, f, e, l) "
					"WHERE t.%s OPERATOR(pg_catalog.=) n.k",
					names.target, names.columns[0], names.columns[1], names.columns[2], names.columns[3], given_rows, names.key);
}

const char *
insert_many_sql(const Names &names)
{
	return psprintf("INSERT INTO %s (%s, %s, %s, %s, %s) SELECT n.k, n.t, n.f, n.e, n.l FROM %s n (k, t, f, e, l)",
					names.target, names.key, names.columns[0], names.columns[1], names.columns[2], names.columns[3], given_rows);
}

Oid
key_type_of(const KeptScore *kept)
{
	core::KeyKind kind = kept->score->definition.key_kind;

	return kind == core::KeyKind::integer ? INT8OID : kind == core::KeyKind::uuid ? UUIDOID : TEXTOID;
}

// The types of what statements about many rows are given
struct ArrayTypes
{
	Oid types[stored_values + 2];
};

ArrayTypes
array_types_of(const KeptScore *kept)
{
	return {{key_array_type(kept->score->definition.key_kind), FLOAT8ARRAYOID, FLOAT8ARRAYOID, FLOAT8ARRAYOID, TEXTARRAYOID}};
}

SPIPlanPtr
plan_write(const KeptScore *kept, const char *sql, bool many)
{
	Oid one[] = {key_type_of(kept), FLOAT8OID, FLOAT8OID, FLOAT8OID, TEXTOID};
	ArrayTypes arrays = array_types_of(kept);

	return prepare_kept(kept->context, sql, lengthof(one), many ? arrays.types : one);
}

// Return a plan, which is made when it is first needed, to be run now
SPIPlanPtr
plan_at_hand(KeptScore *kept, SPIPlanPtr *plan, const char *(*sql)(const Names &), bool many)
{
	prepare_for_queries(kept);
	if (*plan == nullptr)
	{
		*plan = plan_write(kept, sql(names_of(kept->score)), many);
	}
	return *plan;
}

// Write some rows, and return how many. In a target of their own they are not locked, and in a transaction that sees only what was
// there when it began they may not be seen
int
execute(const KeptScore *kept, SPIPlanPtr plan, Datum *values, const char *nulls, int count)
{
	MemoryContext before = CurrentMemoryContext;
	int result = SPI_execute_plan(plan, values, nulls, false, 0);

	// SPI leaves its own memory context behind
	MemoryContextSwitchTo(before);
	if (result < 0)
	{
		elog(ERROR, "could not write scores: %s", SPI_result_code_string(result));
	}
	if (!kept->score->own_target && IsolationUsesXactSnapshot() && SPI_processed < static_cast<uint64>(count))
	{
		ereport(ERROR, (errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
						errmsg("could not serialize access: a row for scores was added concurrently"),
						errhint("The transaction might succeed if retried.")));
	}
	return static_cast<int>(SPI_processed);
}

int
write_one(KeptScore *kept, const ColumnChange &change)
{
	Datum values[5] = {make_key_datum(key_type_of(kept), change.key)};
	char nulls[5] = {' ', ' ', ' ', ' ', ' '};

	if (write_in_place(kept, change))
	{
		return 1;
	}
	for (int at = 0; at < stored_values; at++)
	{
		values[at + 1] = Float8GetDatum(change.after.values[at]);
		nulls[at + 1] = change.after.nulls[at] ? 'n' : ' ';
	}
	nulls[stored_values + 1] = change.after.nulls[stored_values] ? 'n' : ' ';
	values[stored_values + 1] = change.after.nulls[stored_values] ? 0 : label_datum(change.after);
	return execute(kept, plan_at_hand(kept, &kept->plans.update_one, update_one_sql, false), values, nulls, 1);
}

// Make an array of one column of some changes
Datum
column_array(const ColumnChange *const *changes, int count, int column)
{
	auto *values = static_cast<Datum *>(palloc(sizeof(Datum) * static_cast<Size>(count)));
	auto *nulls = static_cast<bool *>(palloc(sizeof(bool) * static_cast<Size>(count)));
	bool is_label = column == stored_values;
	int lower = 1;

	for (int at = 0; at < count; at++)
	{
		const StoredScore &after = changes[at]->after;
		nulls[at] = after.nulls[column];
		values[at] = nulls[at] ? 0 : is_label ? label_datum(after) : Float8GetDatum(after.values[column]);
	}
	return PointerGetDatum(is_label ? construct_md_array(values, nulls, 1, &count, &lower, TEXTOID, -1, false, TYPALIGN_INT)
									: construct_md_array(values, nulls, 1, &count, &lower, FLOAT8OID, sizeof(float8),
														 FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

// The arrays that statements about many rows take
void
make_arrays(const KeptScore *kept, const ColumnChange *const *changes, int count, Datum *values)
{
	auto *keys = static_cast<core::Key *>(palloc(sizeof(core::Key) * static_cast<Size>(count)));

	for (int at = 0; at < count; at++)
	{
		keys[at] = changes[at]->key;
	}
	values[0] = key_array(kept->score->definition.key_kind, keys, count);
	for (int column = 0; column <= stored_values; column++)
	{
		values[column + 1] = column_array(changes, count, column);
	}
}

int
write_many(KeptScore *kept, const ColumnChange *const *changes, int count, SPIPlanPtr plan)
{
	Datum values[5];

	make_arrays(kept, changes, count, values);
	return execute(kept, plan, values, nullptr, count);
}

const char *
refused_sql(const Names &names, bool added)
{
	const char *differs = psprintf("(t.%s, t.%s, t.%s, t.%s) IS DISTINCT FROM (n.t, n.f, n.e, n.l)", names.columns[0], names.columns[1],
								   names.columns[2], names.columns[3]);

	return psprintf("SELECT n.o::integer FROM %s WITH ORDINALITY n (k, t, f, e, l, o) %s JOIN %s t "
					"ON t.%s OPERATOR(pg_catalog.=) n.k WHERE %s",
					given_rows, added ? "LEFT" : "", names.target, names.key, differs);
}

// Find out which rows are not as they were to be written, and mark them; returns how many. Rows that are gone need not be
int
mark_refused(const KeptScore *kept, ColumnChange *const *changes, int count, bool added)
{
	ArrayTypes arrays = array_types_of(kept);
	Datum values[lengthof(arrays.types)];
	MemoryContext before = CurrentMemoryContext;

	make_arrays(kept, changes, count, values);
	if (SPI_execute_with_args(refused_sql(names_of(kept->score), added), lengthof(values), arrays.types, values, nullptr, false, 0) !=
		SPI_OK_SELECT)
	{
		elog(ERROR, "could not look for scores that were not written");
	}
	for (uint64 row = 0; row < SPI_processed; row++)
	{
		bool is_null;
		int32 place = DatumGetInt32(SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, 1, &is_null));
		changes[place - 1]->refused = true;
	}
	MemoryContextSwitchTo(before);
	return static_cast<int>(SPI_processed);
}

// Write scores into rows that are there; returns how many a trigger has kept as they were
int
update_rows(KeptScore *kept, ColumnChange *const *changes, int count)
{
	int written = count == 0   ? 0
				  : count == 1 ? write_one(kept, *changes[0])
				  : write_many_in_place(kept, changes, count)
					  ? count
					  : write_many(kept, changes, count, plan_at_hand(kept, &kept->plans.update_many, update_many_sql, true));

	return written < count ? mark_refused(kept, changes, count, false) : 0;
}

// Add rows to a target apart from the records; returns how many a trigger has not let in
int
insert_rows(KeptScore *kept, ColumnChange *const *changes, int count)
{
	int written =
		count == 0 ? 0 : write_many(kept, changes, count, plan_at_hand(kept, &kept->plans.insert_many, insert_many_sql, true));

	return written < count ? mark_refused(kept, changes, count, true) : 0;
}

} // namespace

Datum
label_datum(const StoredScore &score)
{
	return PointerGetDatum(cstring_to_text_with_len(score.label.data(), static_cast<int>(score.label.size())));
}

int
write_rows(KeptScore *kept, ColumnChange *changes, int count)
{
	auto **known = static_cast<ColumnChange **>(palloc(sizeof(ColumnChange *) * static_cast<Size>(count)));
	auto **added = static_cast<ColumnChange **>(palloc(sizeof(ColumnChange *) * static_cast<Size>(count)));
	int known_count = 0;
	int added_count = 0;

	for (int at = 0; at < count; at++)
	{
		if (!changes[at].stands)
		{
			(changes[at].is_new ? added[added_count++] : known[known_count++]) = &changes[at];
		}
	}
	int refused = update_rows(kept, known, known_count);
	return refused + insert_rows(kept, added, added_count);
}

void
warn_of_refused(const LoadedScore *score, uint64 count)
{
	if (count > 0)
	{
		ereport(WARNING,
				(errcode(ERRCODE_TRIGGERED_ACTION_EXCEPTION),
				 errmsg_plural("score \"%s\" of " UINT64_FORMAT " record could not be written",
							   "score \"%s\" of " UINT64_FORMAT " records could not be written", count, score->name, count),
				 errdetail("A trigger or rule keeps rows of \"%s\" as they are.", get_rel_name(score->target)),
				 errhint("Let it pass updates of the score columns: a BEFORE trigger returns NEW for them.")));
	}
}

} // namespace lead_scoring::pg
