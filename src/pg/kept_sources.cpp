#include "pg/postgres_api.hpp"

#include "pg/kept_sources.hpp"

#include "pg/batch_guard.hpp"
#include "pg/kept_score.hpp"
#include "pg/source_query.hpp"

namespace lead_scoring::pg
{

namespace
{

// Where the rows of a source go
struct SourceTarget
{
	core::Scorer *scorer;
	size_t number;
	core::KeyKind key_kind;
};

bool
add_source_rows(void *argument, const core::Batch &batch)
{
	auto *target = static_cast<SourceTarget *>(argument);
	core::Scorer *scorer = target->scorer;
	size_t number = target->number;

	guarded_batch(scorer, target->key_kind, batch, [scorer, number, &batch]() { scorer->add_rows(number, batch); });
	return true;
}

KeptStream *
keep_source(const LoadedScore *score, core::Scorer *scorer, size_t number)
{
	Stream stream{};
	auto *target = static_cast<SourceTarget *>(palloc(sizeof(SourceTarget)));

	*target = {scorer, number, score->definition.key_kind};
	describe_source(score, score->sources[number], Reading::recent, &stream);
	stream.program = &scorer->program().sources[number];
	stream.books = stream.program->books.data();
	stream.sink = add_source_rows;
	stream.argument = target;
	return keep_stream(stream);
}

} // namespace

KeptStream **
keep_sources(const LoadedScore *score, core::Scorer *scorer)
{
	size_t count = score->definition.sources.size();
	auto **sources = static_cast<KeptStream **>(palloc0(sizeof(KeptStream *) * Max(count, 1)));

	for (size_t number = 0; number < count; number++)
	{
		sources[number] = keep_source(score, scorer, number);
	}
	return sources;
}

void
watch_relations(const LoadedScore *score)
{
	watch_relation(score->records->relation);
	watch_relation(score->target);
	for (size_t number = 0; number < score->definition.sources.size(); number++)
	{
		watch_relation(score->sources[number]->relation);
		if (OidIsValid(score->sources[number]->hop.relation))
		{
			watch_relation(score->sources[number]->hop.relation);
		}
	}
}

} // namespace lead_scoring::pg
