#include "pg/postgres_api.hpp"

#include "pg/write_changes.hpp"

#include "pg/changes.hpp"
#include "pg/key_set.hpp"
#include "pg/sent_scores.hpp"
#include "pg/session.hpp"
#include "pg/write_rows.hpp"
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
	change = {record.key, known, after, before == nullptr, stands, false, {}};
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
			if (!change.refused && !same_scores(change.before, change.after))
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
	volatile int refused = 0;
	Writing writing;
	begin_writing_scores(&writing, kept->score->name, changes.as_of);
	PG_TRY();
	{
		for (int first = 0; first < changes.count; first += most_rows)
		{
			refused = refused + write_rows(kept, changes.changes + first, Min(most_rows, changes.count - first));
		}
	}
	PG_CATCH();
	{
		fail_writing_scores(writing);
	}
	PG_END_TRY();
	end_writing_scores(writing);
	SetUserIdAndSecContext(user, security_context);
	warn_of_refused(kept->score, static_cast<uint64>(refused));
	if (wants_changes(kept->score))
	{
		note_columns(kept, changes, reason);
	}
	return static_cast<uint64>(changes.count - refused);
}

} // namespace lead_scoring::pg
