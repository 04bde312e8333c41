#include "pg/postgres_api.hpp"

#include "pg/sent_scores.hpp"

#include "pg/cells.hpp"
#include "pg/key_set.hpp"
#include "pg/score_columns.hpp"

namespace lead_scoring::pg
{

namespace
{

// A score that came with a row
struct SentScore
{
	const char *score;
	core::Key key;
	StoredScore replaced; // what the row held before
};

// Those of the innermost row that is being scored, or null
SentScores *sent_now = nullptr;

// Where a relation has the keys of the records of a score; null if none of its paths say
const PathStart *
start_of(const PathStarts *starts, const ActiveScore *score)
{
	for (int at = 0; at < starts->count; at++)
	{
		const Path *path = starts->starts[at].path;
		if ((path->kind == PathKind::record || path->kind == PathKind::target) && list_member_ptr(path->scores, score))
		{
			return &starts->starts[at];
		}
	}
	return nullptr;
}

// What a row holds of a score; nothing if there is no row
StoredScore
score_in(TupleTableSlot *row, Oid relation, const char *score)
{
	ScoreColumns columns = score_columns(score);
	const char *const names[] = {columns.total, columns.fit, columns.engagement, columns.label};
	StoredScore found{{0, 0, 0}, {}, {true, true, true, true}};

	for (int at = 0; row != nullptr && at <= stored_values; at++)
	{
		AttrNumber column = get_attnum(relation, names[at]);
		Datum value = column == InvalidAttrNumber ? 0 : slot_getattr(row, column, &found.nulls[at]);
		if (found.nulls[at])
		{
			continue;
		}
		if (at == stored_values)
		{
			found.label = copy_text(value, CurrentMemoryContext);
		}
		else
		{
			found.values[at] = DatumGetFloat8(value);
		}
	}
	return found;
}

} // namespace

void
begin_sent_scores(SentScores *sent, Relation relation, const PathStarts *starts, const Rows &rows)
{
	*sent = {NIL, sent_now};
	for (int at = 0; rows.after != nullptr && at < list_length(starts->kept); at++)
	{
		auto *kept = static_cast<const KeptColumns *>(list_nth(starts->kept, at));
		const PathStart *start = left_alone(kept->columns, rows) ? nullptr : start_of(starts, kept->score);
		bool is_null;
		Datum key = start == nullptr ? 0 : slot_getattr(rows.after, start->link, &is_null);
		if (start == nullptr || is_null)
		{
			continue;
		}
		auto *score = static_cast<SentScore *>(palloc(sizeof(SentScore)));
		*score = {kept->score->name, read_key(start->link_type, key, CurrentMemoryContext),
				  score_in(rows.before, RelationGetRelid(relation), kept->score->name)};
		sent->scores = lappend(sent->scores, score);
	}
	sent_now = sent;
}

void
end_sent_scores(const SentScores &sent)
{
	sent_now = sent.around;
}

const StoredScore *
take_replaced(const char *score, core::KeyKind kind, const core::Key &key)
{
	for (int at = 0; sent_now != nullptr && at < list_length(sent_now->scores); at++)
	{
		auto *sent = static_cast<const SentScore *>(list_nth(sent_now->scores, at));
		if (strcmp(sent->score, score) == 0 && same_key(kind, sent->key, key))
		{
			sent_now->scores = list_delete_nth_cell(sent_now->scores, at);
			return &sent->replaced;
		}
	}
	return nullptr;
}

} // namespace lead_scoring::pg
