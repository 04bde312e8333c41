#include "pg/postgres_api.hpp"

#include "pg/write_changes.hpp"

#include "pg/changes.hpp"
#include "pg/key_set.hpp"
#include "pg/score_columns.hpp"
#include "pg/sent_scores.hpp"
#include "pg/session.hpp"
#include "pg/write_in_place.hpp"
#include "pg/writing.hpp"

extern "C"
{
#include "access/xact.h"
}

#include <algorithm>
#include <cmath>

namespace lead_scoring::pg
{

namespace
{

// In one statement
constexpr int most_rows = 8192;

bool
same_scores(const StoredScore &left, const StoredScore &right)
{
	for (int at = 0; at < stored_values; at++)
	{
		if (left.nulls[at] != right.nulls[at] || (!left.nulls[at] && left.values[at] != right.values[at]))
		{
			return false;
		}
	}
	return left.nulls[stored_values] == right.nulls[stored_values] && left.label == right.label;
}

StoredScore
score_of(const core::Program &program, const core::ScoreResult &result)
{
	const double parts[] = {result.total, result.fit, result.engagement};
	StoredScore score{};

	for (int at = 0; at < stored_values; at++)
	{
		score.nulls[at] = !result.in_scope || std::isnan(parts[at]);
		score.values[at] = score.nulls[at] ? 0 : parts[at];
	}
	score.nulls[stored_values] = result.labels.label == core::no_label;
	if (!score.nulls[stored_values])
	{
		const std::string &text = program.bands.texts()[result.labels.label];
		score.label = {text.data(), text.size()};
	}
	return score;
}

constexpr StoredScore nothing_stored{{0, 0, 0}, {}, {true, true, true, true}};

// Find the row of the target for a record among those that were fetched; null if there is none
const StoredScore *
stored_of(const KeptScore *kept, const core::Key &key)
{
	const core::Batch &batch = kept->stored->receiver->batch;

	for (size_t row = 0; row < batch.rows; row++)
	{
		if (same_key(kept->score->definition.key_kind, batch.keys[row], key))
		{
			return &kept->stored->stream.stored[row];
		}
	}
	return nullptr;
}

std::string_view
keep_text(std::string_view text)
{
	return text.data() == nullptr ? text : std::string_view(pnstrdup(text.data(), text.size()), text.size());
}

// Add what becomes of a record's row, unless it is as it must be; a publisher may have replaced what was in it before
void
add_change(ColumnChanges *changes, const LockedRecord &record, const StoredScore *before, const StoredScore &after,
		   const StoredScore *replaced = nullptr)
{
	const StoredScore &stored = before == nullptr ? nothing_stored : *before;
	const StoredScore &known = replaced == nullptr ? stored : *replaced;
	bool stands = same_scores(stored, after);

	if (stands && same_scores(known, after))
	{
		return;
	}
	if (changes->count == changes->capacity)
	{
		changes->capacity *= 2;
		changes->changes = static_cast<ColumnChange *>(
			repalloc_huge(changes->changes, sizeof(ColumnChange) * static_cast<Size>(changes->capacity)));
	}
	ColumnChange &change = changes->changes[changes->count++];
	change = {record.key, known, after, before == nullptr, stands, {}};
	ItemPointerSetInvalid(&change.place);
	if (record.place != nullptr)
	{
		change.place = *record.place;
	}
	change.key.text = keep_text(record.key.text);
	change.before.label = keep_text(known.label);
	change.after.label = keep_text(after.label);
}

Datum
key_text(core::KeyKind kind, const core::Key &key)
{
	return CStringGetTextDatum(key_string(kind, key));
}

void
add_due(ColumnChanges *changes, Datum key, const core::ScoreResult &result)
{
	if (changes->due_count == changes->due_capacity)
	{
		changes->due_capacity *= 2;
		changes->dues = static_cast<DueRow *>(
			repalloc_huge(changes->dues, sizeof(DueRow) * static_cast<Size>(changes->due_capacity)));
	}
	changes->dues[changes->due_count++] = {key, static_cast<TimestampTz>(result.due)};
}

// A target apart from the records keeps rows of records that are gone: their scores are cleared
void
add_orphans(const KeptScore *kept, const core::Batch &records, ColumnChanges *changes)
{
	const core::Batch &stored = kept->stored->receiver->batch;
	core::KeyKind kind = kept->score->definition.key_kind;

	for (size_t row = 0; row < stored.rows; row++)
	{
		const core::Key &key = stored.keys[row];
		bool is_there = std::any_of(records.keys, records.keys + records.rows,
									[&](const core::Key &record) { return same_key(kind, record, key); });
		if (!is_there)
		{
			add_change(changes, {key, nullptr}, &kept->stored->stream.stored[row], nothing_stored);
		}
	}
}

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

const char *
rows_sql()
{
	return "ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2), pg_catalog.unnest($3), pg_catalog.unnest($4), "
		   "pg_catalog.unnest($5)) n (k, t, f, e, l)";
}

const char *
update_one_sql(const Names &names)
{
	return psprintf("UPDATE %s t SET %s = $2, %s = $3, %s = $4, %s = $5 WHERE t.%s OPERATOR(pg_catalog.=) $1", names.target,
					names.columns[0], names.columns[1], names.columns[2], names.columns[3], names.key);
}

const char *
update_many_sql(const Names &names)
{
	return psprintf("UPDATE %s t SET %s = n.t, %s = n.f, %s = n.e, %s = n.l FROM %s WHERE t.%s OPERATOR(pg_catalog.=) n.k",
					names.target, names.columns[0], names.columns[1], names.columns[2], names.columns[3], rows_sql(),
					names.key);
}

const char *
insert_many_sql(const Names &names)
{
	return psprintf("INSERT INTO %s (%s, %s, %s, %s, %s) SELECT n.k, n.t, n.f, n.e, n.l FROM %s", names.target, names.key,
					names.columns[0], names.columns[1], names.columns[2], names.columns[3], rows_sql());
}

Oid
key_type_of(const KeptScore *kept)
{
	core::KeyKind kind = kept->score->definition.key_kind;

	return kind == core::KeyKind::integer ? INT8OID : kind == core::KeyKind::uuid ? UUIDOID : TEXTOID;
}

SPIPlanPtr
plan_write(const KeptScore *kept, const char *sql, bool many)
{
	Oid one[] = {key_type_of(kept), FLOAT8OID, FLOAT8OID, FLOAT8OID, TEXTOID};
	Oid arrays[] = {key_array_type(kept->score->definition.key_kind), FLOAT8ARRAYOID, FLOAT8ARRAYOID, FLOAT8ARRAYOID,
					TEXTARRAYOID};

	return prepare_kept(kept->context, sql, 5, many ? arrays : one);
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

Datum
label_datum(const StoredScore &score)
{
	return PointerGetDatum(cstring_to_text_with_len(score.label.data(), static_cast<int>(score.label.size())));
}

// Write some rows. In a target of their own they are not locked, and in a transaction that sees only what was there when it
// began they may not be seen
void
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
}

void
write_one(KeptScore *kept, const ColumnChange &change)
{
	Datum values[5] = {make_key_datum(key_type_of(kept), change.key)};
	char nulls[5] = {' ', ' ', ' ', ' ', ' '};

	if (write_in_place(kept, change))
	{
		return;
	}
	for (int at = 0; at < stored_values; at++)
	{
		values[at + 1] = Float8GetDatum(change.after.values[at]);
		nulls[at + 1] = change.after.nulls[at] ? 'n' : ' ';
	}
	nulls[stored_values + 1] = change.after.nulls[stored_values] ? 'n' : ' ';
	values[stored_values + 1] = change.after.nulls[stored_values] ? 0 : label_datum(change.after);
	execute(kept, plan_at_hand(kept, &kept->plans.update_one, update_one_sql, false), values, nulls, 1);
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

void
write_many(KeptScore *kept, const ColumnChange *const *changes, int count, SPIPlanPtr plan)
{
	auto *keys = static_cast<core::Key *>(palloc(sizeof(core::Key) * static_cast<Size>(count)));
	Datum values[5];

	for (int at = 0; at < count; at++)
	{
		keys[at] = changes[at]->key;
	}
	values[0] = key_array(kept->score->definition.key_kind, keys, count);
	for (int column = 0; column <= stored_values; column++)
	{
		values[column + 1] = column_array(changes, count, column);
	}
	execute(kept, plan, values, nullptr, count);
}

void
write_rows(KeptScore *kept, const ColumnChange *changes, int count)
{
	auto **known = static_cast<const ColumnChange **>(palloc(sizeof(ColumnChange *) * static_cast<Size>(count)));
	auto **added = static_cast<const ColumnChange **>(palloc(sizeof(ColumnChange *) * static_cast<Size>(count)));
	int known_count = 0;
	int added_count = 0;

	for (int at = 0; at < count; at++)
	{
		if (!changes[at].stands)
		{
			(changes[at].is_new ? added[added_count++] : known[known_count++]) = &changes[at];
		}
	}
	if (known_count == 1)
	{
		write_one(kept, *known[0]);
	}
	else if (known_count > 1 && !write_many_in_place(kept, known, known_count))
	{
		write_many(kept, known, known_count, plan_at_hand(kept, &kept->plans.update_many, update_many_sql, true));
	}
	if (added_count > 0)
	{
		write_many(kept, added, added_count, plan_at_hand(kept, &kept->plans.insert_many, insert_many_sql, true));
	}
}

ScoreValues
values_of(const StoredScore &score)
{
	ScoreValues values{score.values[0], score.values[1], score.values[2], 0, {}};

	memcpy(values.nulls, score.nulls, sizeof values.nulls);
	values.label = score.nulls[stored_values] ? 0 : label_datum(score);
	return values;
}

// Write what changed into the history, and what follows from it
void
note_columns(const KeptScore *kept, const ColumnChanges &changes, const char *reason)
{
	auto *noted = static_cast<Change *>(palloc(sizeof(Change) * static_cast<Size>(Min(changes.count, most_rows))));

	for (int first = 0; first < changes.count; first += most_rows)
	{
		size_t count = 0;
		for (int at = first; at < Min(first + most_rows, changes.count); at++)
		{
			const ColumnChange &change = changes.changes[at];
			// What a publisher had replaced may be as it was
			if (!same_scores(change.before, change.after))
			{
				noted[count++] = {key_text(kept->score->definition.key_kind, change.key), values_of(change.before),
								  values_of(change.after)};
			}
		}
		note_changes(kept->score, noted, count, reason, changes.as_of);
	}
}

// Who comes because time has passed knows best when to come again
DueMode
due_mode_of(const char *reason)
{
	return strcmp(reason, "time") == 0 ? DueMode::exactly : DueMode::sooner;
}

// Note when the scores of some records will change by themselves. Those that are ahead of the others are due at once, to be brought
// back
void
note_dues(const KeptScore *kept, const ColumnChanges &changes, DueMode mode)
{
	auto count = static_cast<size_t>(changes.due_count);
	// Not later than any instant that stands for now
	TimestampTz now = GetCurrentTransactionStartTimestamp();
	bool ahead = changes.as_of > GetCurrentTimestamp() && !(is_following() && mode == DueMode::exactly);

	for (size_t at = 0; at < count && ahead; at++)
	{
		changes.dues[at].due = Min(changes.dues[at].due, now);
	}
	// In the order of their keys neighbours are found on one page of the index
	sort_due(changes.dues, count);
	note_due(kept->score, changes.dues, count, mode);
}

} // namespace

ColumnChanges
make_changes(size_t room, TimestampTz as_of)
{
	size_t capacity = Max(room, 1);
	int count = static_cast<int>(capacity);

	return {static_cast<ColumnChange *>(palloc(sizeof(ColumnChange) * capacity)), 0, count,
			static_cast<DueRow *>(palloc(sizeof(DueRow) * capacity)), 0, count, as_of};
}

void
compare_result(ColumnChanges *changes, const core::Program &program, core::KeyKind kind, const LockedRecord &record,
			   const StoredScore &stored, const core::ScoreResult &result)
{
	add_change(changes, record, &stored, score_of(program, result));
	add_due(changes, key_text(kind, record.key), result);
}

ColumnChanges
find_changes(const KeptScore *kept, const LockedRecords &records, const core::ScoreResult *results, TimestampTz as_of, bool only_rows)
{
	const core::Batch &batch = *records.batch;
	size_t most = batch.rows + (kept->stored == nullptr ? 0 : kept->stored->receiver->batch.rows);
	ColumnChanges changes = make_changes(most, as_of);

	for (size_t row = 0; row < batch.rows; row++)
	{
		const StoredScore *before = kept->stored == nullptr ? &records.stored[row] : stored_of(kept, batch.keys[row]);
		const ItemPointerData *place = records.places == nullptr ? nullptr : &records.places[row];
		add_change(&changes, {batch.keys[row], place}, before, score_of(kept->scorer->program(), results[row]),
				   take_replaced(kept->score->name, kept->score->definition.key_kind, batch.keys[row]));
		if (!only_rows || !results[row].due_stands)
		{
			add_due(&changes, key_text(kept->score->definition.key_kind, batch.keys[row]), results[row]);
		}
	}
	if (kept->stored != nullptr)
	{
		add_orphans(kept, batch, &changes);
	}
	return changes;
}

uint64
write_changes(KeptScore *kept, const ColumnChanges &changes, const char *reason)
{
	Oid user;
	int security_context;

	if (changes.due_count > 0)
	{
		note_dues(kept, changes, due_mode_of(reason));
	}
	if (changes.count == 0)
	{
		return 0;
	}
	GetUserIdAndSecContext(&user, &security_context);
	SetUserIdAndSecContext(owner_of(kept->score->target), security_context | SECURITY_LOCAL_USERID_CHANGE);
	Writing writing;
	begin_writing_scores(&writing, kept->score->name, changes.as_of);
	PG_TRY();
	{
		for (int first = 0; first < changes.count; first += most_rows)
		{
			write_rows(kept, changes.changes + first, Min(most_rows, changes.count - first));
		}
	}
	PG_CATCH();
	{
		fail_writing_scores(writing);
	}
	PG_END_TRY();
	end_writing_scores(writing);
	SetUserIdAndSecContext(user, security_context);
	if (wants_changes(kept->score))
	{
		note_columns(kept, changes, reason);
	}
	return static_cast<uint64>(changes.count);
}

} // namespace lead_scoring::pg
