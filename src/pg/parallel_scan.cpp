// Reading a large source in several processes at once.
//
// PostgreSQL's parallel contexts give helpers that share our snapshot, transaction and rights. Each loads the score by
// itself, then all, this process included, take stretches of the table's blocks until none is left, and add the rows to
// scorers of their own. At the end the helpers send what they know through queues, and it is merged piece by piece. Sums
// are exact, so how the rows were split makes no difference.
#include "pg/postgres_api.hpp"

#include "pg/parallel_scan.hpp"

#include "core/transfer.hpp"
#include "pg/batch_guard.hpp"
#include "pg/owned.hpp"
#include "pg/progress.hpp"
#include "pg/settings.hpp"
#include "pg/source_query.hpp"

extern "C"
{
#include "access/parallel.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "optimizer/cost.h"
#include "optimizer/paths.h"
#include "port/atomics.h"
#include "storage/bufmgr.h"
#include "storage/shm_mq.h"
#include "storage/shm_toc.h"
}

LEAD_SCORING_EXPORT_BEGIN
void lead_scoring_help_scan(dsm_segment *segment, shm_toc *directory);
LEAD_SCORING_EXPORT_END

namespace lead_scoring::pg
{

namespace
{

constexpr uint64 scan_entry = 1;
constexpr uint64 queues_entry = 2;
constexpr Size queue_size = 1024 * 1024;

// What all processes of a scan share
struct SharedScan
{
	char score[NAMEDATALEN];
	TimestampTz as_of;
	core::EvaluationNeeds needs;
	core::KeyShare share;
	uint32 source;
	BlockNumber blocks;          // of the table
	BlockNumber stretch;         // how many are taken at once
	pg_atomic_uint64 next_block; // the first that nobody has taken
	pg_atomic_uint32 overflowed; // whether somebody's memory is full: the scan is in vain
};

// Where the rows go in one process
struct HelperSink
{
	SharedScan *scan;
	core::Scorer *scorer;
	core::KeyKind key_kind;
	size_t source;
};

bool
add_rows(void *argument, const core::Batch &batch)
{
	auto *sink = static_cast<HelperSink *>(argument);

	guarded_batch(sink->scorer, sink->key_kind, batch, [sink, &batch]() { sink->scorer->add_rows(sink->source, batch); });
	if (sink->scorer->memory() > work_memory_bytes())
	{
		pg_atomic_write_u32(&sink->scan->overflowed, 1);
	}
	return pg_atomic_read_u32(&sink->scan->overflowed) == 0;
}

// Take stretches of the table, which has about so many rows, until none is left
void
scan_stretches(SharedScan *scan, Stream *stream, double rows)
{
	while (pg_atomic_read_u32(&scan->overflowed) == 0)
	{
		uint64 first = pg_atomic_fetch_add_u64(&scan->next_block, scan->stretch);
		if (first >= scan->blocks)
		{
			return;
		}
		note_progress(rows * static_cast<double>(first) / static_cast<double>(scan->blocks));
		stream->first_block = static_cast<BlockNumber>(first);
		stream->last_block = static_cast<BlockNumber>(Min(first + scan->stretch, scan->blocks));
		run_stream(*stream, scan->as_of, nullptr);
	}
}

// Merge what a helper sends until it has sent everything
void
merge_from(Evaluation *evaluation, ParallelContext *context, SharedScan *scan, shm_mq_handle *queue)
{
	core::Scorer *scorer = evaluation->scorer;
	Size size;
	void *data;

	for (;;)
	{
		CHECK_FOR_INTERRUPTS();
		if (shm_mq_receive(queue, &size, &data, false) != SHM_MQ_SUCCESS)
		{
			// A helper that failed, or never started, tells why once it has ended
			WaitForParallelWorkersToFinish(context);
			ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
							errmsg("lost connection to parallel worker"), errhint("Try again.")));
		}
		if (size <= 1)
		{
			return;
		}
		std::span<const std::byte> piece{static_cast<const std::byte *>(data), size};
		guarded([scorer, piece]() { core::Transfer::merge(*scorer, piece); });
		if (scorer->memory() > work_memory_bytes())
		{
			pg_atomic_write_u32(&scan->overflowed, 1);
		}
	}
}

shm_mq_result
send_message(shm_mq_handle *queue, Size size, const void *data)
{
#if PG_VERSION_NUM >= 150000
	return shm_mq_send(queue, size, data, false, true);
#else
	return shm_mq_send(queue, size, data, false);
#endif
}

// Send all that a helper knows, then a message of one byte
void
send_all(SharedScan *scan, core::Scorer *scorer, shm_mq_handle *queue)
{
	auto *transfer = make_owned<core::Transfer>(CurrentMemoryContext, scorer);
	char end = 0;

	while (pg_atomic_read_u32(&scan->overflowed) == 0)
	{
		std::span<const std::byte> piece = guarded([transfer]() { return transfer->next(); });
		if (piece.empty())
		{
			break;
		}
		CHECK_FOR_INTERRUPTS();
		if (send_message(queue, piece.size(), piece.data()) != SHM_MQ_SUCCESS)
		{
			return;
		}
	}
	send_message(queue, sizeof end, &end);
}

shm_mq *
queue_at(char *queues, int helper)
{
	return reinterpret_cast<shm_mq *>(queues + static_cast<Size>(helper) * queue_size);
}

// Whether helpers can read a relation: a plain table that they see as we do, by ranges of its blocks
bool
is_divisible(Relation relation)
{
	return relation->rd_rel->relkind == RELKIND_RELATION && !relation->rd_rel->relhassubclass &&
		   relation->rd_rel->relpersistence != RELPERSISTENCE_TEMP &&
		   relation->rd_tableam->scan_set_tidrange != nullptr;
}

// Return as many helpers as the planner would take for a table of so many blocks
int
helpers_by_size(BlockNumber blocks)
{
	uint64 threshold = static_cast<uint64>(Max(min_parallel_table_scan_size, 1));
	int helpers = 0;

	for (; blocks >= threshold && helpers < max_parallel_workers_per_gather; threshold *= 3)
	{
		helpers++;
	}
	return helpers;
}

// Set up what all processes share
SharedScan *
share_scan(ParallelContext *context, const Evaluation *evaluation, size_t source, BlockNumber blocks)
{
	auto *scan = static_cast<SharedScan *>(shm_toc_allocate(context->toc, sizeof(SharedScan)));

	*scan = SharedScan{};
	strlcpy(scan->score, evaluation->score->name, sizeof scan->score);
	scan->as_of = evaluation->as_of;
	scan->needs = evaluation->scorer->program().needs;
	scan->share = evaluation->share;
	scan->source = static_cast<uint32>(source);
	scan->blocks = blocks;
	scan->stretch = Max(Min(blocks / static_cast<BlockNumber>((context->nworkers + 1) * 16), 4096), 64);
	pg_atomic_init_u64(&scan->next_block, 0);
	pg_atomic_init_u32(&scan->overflowed, 0);
	shm_toc_insert(context->toc, scan_entry, scan);
	return scan;
}

shm_mq_handle **
make_queues(ParallelContext *context)
{
	auto *queues = static_cast<char *>(shm_toc_allocate(context->toc, queue_size * static_cast<Size>(Max(context->nworkers, 1))));
	auto **handles = static_cast<shm_mq_handle **>(palloc0(sizeof(shm_mq_handle *) * static_cast<Size>(Max(context->nworkers, 1))));

	for (int helper = 0; helper < context->nworkers; helper++)
	{
		shm_mq *queue = shm_mq_create(queue_at(queues, helper), queue_size);
		shm_mq_set_receiver(queue, MyProc);
		handles[helper] = shm_mq_attach(queue, context->seg, nullptr);
	}
	shm_toc_insert(context->toc, queues_entry, queues);
	return handles;
}

} // namespace

int
helpers_for(const Evaluation *evaluation, size_t source)
{
	const LoadedScore *score = evaluation->score;
	const LoadedStream *stream = score->sources[source];

	if (max_parallel_workers_per_gather == 0 || evaluation->keys != nullptr || IsInParallelMode() || stream->cleaned ||
		stream->record_column != nullptr || OidIsValid(stream->hop.relation) || score->definition.has_resets ||
		!score->parallel_safe)
	{
		return 0;
	}
	Relation relation = table_open(stream->relation, AccessShareLock);
	int helpers = is_divisible(relation)
					  ? RelationGetParallelWorkers(relation, helpers_by_size(RelationGetNumberOfBlocks(relation)))
					  : 0;
	table_close(relation, NoLock);
	return Min(helpers, max_parallel_workers_per_gather);
}

void
scan_in_parallel(Evaluation *evaluation, size_t source, const Stream &stream, int helpers)
{
	Relation relation = table_open(evaluation->score->sources[source]->relation, AccessShareLock);
	BlockNumber blocks = RelationGetNumberOfBlocks(relation);

	EnterParallelMode();
	ParallelContext *context = CreateParallelContext("$libdir/lead_scoring", "lead_scoring_help_scan", helpers);
	shm_toc_estimate_chunk(&context->estimator, sizeof(SharedScan));
	shm_toc_estimate_chunk(&context->estimator, queue_size * static_cast<Size>(helpers));
	shm_toc_estimate_keys(&context->estimator, 2);
	InitializeParallelDSM(context);
	SharedScan *scan = share_scan(context, evaluation, source, blocks);
	shm_mq_handle **queues = make_queues(context);
	LaunchParallelWorkers(context);
	for (int helper = 0; helper < context->nworkers_launched; helper++)
	{
		shm_mq_set_handle(queues[helper], context->worker[helper].bgwhandle);
	}

	HelperSink sink{scan, evaluation->scorer, stream.key_kind, source};
	Stream own = stream;
	own.share = evaluation->share;
	own.sink = add_rows;
	own.argument = &sink;
	scan_stretches(scan, &own, expected_rows(RelationGetRelid(relation)));
	for (int helper = 0; helper < context->nworkers_launched; helper++)
	{
		merge_from(evaluation, context, scan, queues[helper]);
	}
	evaluation->overflowed = pg_atomic_read_u32(&scan->overflowed) != 0;
	WaitForParallelWorkersToFinish(context);
	DestroyParallelContext(context);
	ExitParallelMode();
	table_close(relation, NoLock);
}

} // namespace lead_scoring::pg

// Help another process to read a source
void
lead_scoring_help_scan(dsm_segment *segment, shm_toc *directory)
{
	using namespace lead_scoring::pg;

	auto *scan = static_cast<SharedScan *>(shm_toc_lookup(directory, scan_entry, false));
	auto *queues = static_cast<char *>(shm_toc_lookup(directory, queues_entry, false));
	shm_mq *queue = queue_at(queues, ParallelWorkerNumber);
	shm_mq_set_sender(queue, MyProc);
	shm_mq_handle *handle = shm_mq_attach(queue, segment, nullptr);

	LoadedScore *score = load_score(scan->score, Reader::writer);
	Evaluation *evaluation = begin_evaluation(score, scan->as_of, nullptr, scan->needs);
	Stream stream{};
	describe_source(score, score->sources[scan->source], Reading::blocks, &stream);
	stream.program = &evaluation->scorer->program().sources[scan->source];
	stream.books = stream.program->books.data();
	stream.share = scan->share;
	HelperSink sink{scan, evaluation->scorer, stream.key_kind, scan->source};
	stream.sink = add_rows;
	stream.argument = &sink;
	scan_stretches(scan, &stream, 0);
	send_all(scan, evaluation->scorer, handle);
}
