// Rows of our own tables, read without a query.
//
// What a session has to learn of the definitions it would otherwise ask by a dozen queries, and each of them takes longer to be
// made ready than to run.
#pragma once

#include "pg/postgres_api.hpp"

#include "pg/query.hpp"

#include <span>

namespace lead_scoring::pg
{

// One of our tables, and a text column that tells which of its rows belong together
struct OwnTable
{
	const char *name;
	const char *index; // that begins with the column; or null: the table is read as a whole
	const char *key;   // the column
};

// Those that are read so
namespace own
{
inline constexpr OwnTable adjustments{"adjustment", "adjustment_record", "score"};
inline constexpr OwnTable alerted{"alerted", "alerted_pkey", "score"};
inline constexpr OwnTable alerts{"alert", "alert_pkey", "score"};
inline constexpr OwnTable announced{"announced", "announced_pkey", "score"};
inline constexpr OwnTable bands{"band", "band_pkey", "score"};
inline constexpr OwnTable dues{"due", "due_by_time", "score"};
inline constexpr OwnTable dwelling{"announced", "announced_dwelling", "score"};
inline constexpr OwnTable factors{"event_factor", "event_factor_pkey", "score"};
inline constexpr OwnTable fades{"segment_decay", "segment_decay_pkey", "score"};
inline constexpr OwnTable groups{"score_group", "score_group_pkey", "score"};
inline constexpr OwnTable parked{"parked", "parked_pkey", "score"};
inline constexpr OwnTable queue{"queue", "queue_pkey", "score"};
inline constexpr OwnTable record_types{"record_type", "record_type_pkey", "name"};
inline constexpr OwnTable resets{"engagement_reset", "engagement_reset_record", "score"};
inline constexpr OwnTable rules{"rule", "rule_pkey", "score"};
inline constexpr OwnTable scopes{"scope", nullptr, "score"};
inline constexpr OwnTable scores{"score", "score_pkey", "name"};
inline constexpr OwnTable sources{"source", "source_pkey", "record_type"};
inline constexpr OwnTable states{"score_state", "score_state_pkey", "score"};
} // namespace own

// The rows that have a text in the key column, or all of them, under the active snapshot, in the order of the index. Columns are
// numbered as they are named here. Rows live in the current memory context, texts that are taken from them in the other one
QueryRows own_rows(MemoryContext context, const OwnTable &table, const char *key, std::span<const char *const> columns);

// Whether there are such rows
bool has_rows(const OwnTable &table, const char *key);

// The same as of now, whatever the transaction sees
bool has_rows_by_now(const OwnTable &table, const char *key);

// Sort by a column, what is NULL last
struct RowOrder
{
	int column;
	PGFunction compare;
	Oid collation;
	bool descending;
};

void sort_rows(QueryRows *rows, std::span<const RowOrder> orders);

} // namespace lead_scoring::pg
