#include "pg/postgres_api.hpp"

#include "pg/flush.hpp"

#include "pg/concerned.hpp"
#include "pg/held.hpp"
#include "pg/keep_scores.hpp"
#include "pg/kept_score.hpp"
#include "pg/queue.hpp"
#include "pg/stream.hpp"
#include "pg/touched.hpp"
#include "pg/write_scores.hpp"
#include "pg/writing.hpp"

extern "C"
{
#include "utils/snapmgr.h"
}

namespace lead_scoring::pg
{

namespace
{

void
score_all(const ActiveScore *score)
{
	TimestampTz instant = instant_on_its_way(score->name);

	seize_definition(score->name);
	PushActiveSnapshot(GetLatestSnapshot());
	refresh_whole(score->name, instant == DT_NOBEGIN ? GetCurrentTimestamp() : instant, "facts");
	PopActiveSnapshot();
}

// Let the records wait for a worker
void
queue_keys(const ActiveScore *score, Concerned *concerned)
{
	settle_keys(concerned->keys);
	if (concerned->everybody)
	{
		enqueue(score->name, nullptr, 0);
		return;
	}
	auto *texts = static_cast<Datum *>(palloc(sizeof(Datum) * static_cast<Size>(Max(concerned->keys->count, 1))));
	for (int at = 0; at < concerned->keys->count; at++)
	{
		texts[at] = CStringGetTextDatum(key_string(concerned->keys->kind, concerned->keys->keys[at]));
	}
	if (concerned->keys->count > 0)
	{
		enqueue(score->name, texts, static_cast<size_t>(concerned->keys->count));
	}
}

// Score the records as of an instant, DT_NOBEGIN standing for now
void
score_records(const char *const *names, int count, const Concerned *concerned, TimestampTz instant)
{
	PushActiveSnapshot(GetLatestSnapshot());
	keep_scores(names, count, concerned->keys, {instant, "facts", concerned->awaits_records, concerned->only_rows});
	PopActiveSnapshot();
}

void
score_concerned(Concerned *concerned)
{
	auto **names = static_cast<const char **>(palloc(sizeof(char *) * static_cast<Size>(list_length(concerned->scores))));
	int count = 0;

	sort_scores(concerned->scores);
	for (int at = 0; at < list_length(concerned->scores); at++)
	{
		auto *score = static_cast<const ActiveScore *>(list_nth(concerned->scores, at));
		TimestampTz instant = instant_on_its_way(score->name);
		announce_if_ahead(score->name, instant);
		if (score->queued)
		{
			queue_keys(score, concerned);
		}
		else if (concerned->everybody || score->relative)
		{
			score_all(score);
		}
		else if (instant != DT_NOBEGIN)
		{
			score_records(&score->name, 1, concerned, instant);
		}
		else
		{
			names[count++] = score->name;
		}
	}
	if (count > 0)
	{
		score_records(names, count, concerned, DT_NOBEGIN);
	}
}

} // namespace

void
score_touched()
{
	MemoryContext context;
	List *touched = take_touched(&context);

	if (touched == NIL)
	{
		return;
	}
	CommandCounterIncrement();
	MemoryContext before = MemoryContextSwitchTo(context);
	PushActiveSnapshot(GetLatestSnapshot());
	const Paths *paths = all_paths();
	PopActiveSnapshot();
	const List *all = find_concerned(paths, touched);
	for (int at = 0; at < list_length(all); at++)
	{
		auto *concerned = static_cast<Concerned *>(list_nth(all, at));
		find_records(concerned);
		score_concerned(concerned);
	}
	MemoryContextSwitchTo(before);
	MemoryContextDelete(context);
}

} // namespace lead_scoring::pg
