// Reading a score from the definition tables.
//
// First the rows are read through SPI into plain memory; then, relation by relation, the expressions are parsed and
// compiled with the rights of that relation's owner.
#include "pg/postgres_api.hpp"

#include "pg/loading.hpp"
#include "pg/session.hpp"

namespace lead_scoring::pg
{

LoadedScore *
load_score(const char *name, Reader reader)
{
	Loading loading = {};

	loading.context = CurrentMemoryContext;
	loading.score = static_cast<LoadedScore *>(palloc0(sizeof(LoadedScore)));
	loading.score->parallel_safe = true;
	SPI_connect();
	// Our own tables, by queries of our own: whoever asks may have been denied to read them
	Session session = begin_as_table_owner(definitions_owner());
	load_head(&loading, name);
	load_rule_rows(&loading);
	load_sources(&loading);
	if (loading.model == nullptr)
	{
		load_groups(&loading);
		load_rules(&loading);
		load_factors(&loading);
	}
	else
	{
		load_features(&loading);
	}
	load_scopes(&loading);
	load_bands(&loading);
	load_announcing(&loading);
	load_alerts(&loading);
	end_session(session);
	SPI_finish();
	if (reader == Reader::anybody)
	{
		require_stream_readable(loading.score->records);
		for (int at = 0; at < loading.source_count; at++)
		{
			require_stream_readable(loading.score->sources[at]);
		}
	}
	compile_streams(&loading);
	settle_prediction(&loading);
	return loading.score;
}

} // namespace lead_scoring::pg
