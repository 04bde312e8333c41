#include "pg/postgres_api.hpp"

#include "pg/prove_score.hpp"

#include "pg/held.hpp"
#include "pg/kept_score.hpp"
#include "pg/key_set.hpp"
#include "pg/pipeline.hpp"
#include "pg/session.hpp"

extern "C"
{
#include "utils/snapmgr.h"
}

namespace lead_scoring::pg
{

namespace
{

void
ignore_results(void *, const core::Batch &, const core::ScoreResult *)
{
}

bool
evaluate_nobody(void *argument)
{
	auto *proven = static_cast<const UpkeepScore *>(argument);
	const ActiveScore *active = find_active(proven->name);

	// Nobody can write facts of a score whose records or columns are gone: it says so
	if (active == nullptr)
	{
		PushActiveSnapshot(GetLatestSnapshot());
		load_score(proven->name, Reader::writer);
		PopActiveSnapshot();
		return true;
	}
	// Who ranks all records holds the definition alone, which is too much to ask for
	if (active->relative)
	{
		return true;
	}
	Session session = begin_safe_path();
	// Nothing is to be done that is worth waiting for whoever edits the definition, or alters a table
	do_not_wait();
	share_score(proven->name);
	PushActiveSnapshot(GetLatestSnapshot());
	SPI_connect();
	LoadedScore *score = settled_score(proven->name, proven->as_of)->score;
	Datum nobody = key_array(score->definition.key_kind, nullptr, 0);
	Evaluation *evaluation = begin_evaluation(score, proven->as_of, nullptr, {});
	evaluation->keys = &nobody;
	run_evaluation(evaluation, ignore_results, nullptr);
	SPI_finish();
	PopActiveSnapshot();
	end_session(session);
	return true;
}

} // namespace

bool
prove_score(UpkeepScore *score)
{
	bool well = attempt(evaluate_nobody, score, &score->failure);

	score->unproven = !well && is_passing(score->failure);
	return well || score->unproven;
}

} // namespace lead_scoring::pg
