// email_domain and is_free_email.
//
// The list of free-mail domains is two tables: what comes with the extension, and what this database says, which wins.
// A call site looks its first domains up one by one, as a single record needs no more, and then reads the whole list once
// and searches that. What was read belongs to the statement: it goes with the call site (fn_extra), and is dropped as soon
// as another snapshot is looked through, so that an answer is never older than the statement that asks.
#include "pg/postgres_api.hpp"

#include "core/email_domain.hpp"

extern "C"
{
#include "access/xact.h"
#include "utils/snapmgr.h"
}

#include <algorithm>
#include <string_view>

namespace lead_scoring::pg
{

namespace
{

constexpr const char *find_domain =
	"SELECT coalesce((SELECT o.is_free FROM lead_scoring.free_email_domain o WHERE o.domain OPERATOR(pg_catalog.=) $1),"
	" EXISTS (SELECT FROM lead_scoring.shipped_free_email_domain s WHERE s.domain OPERATOR(pg_catalog.=) $1))";
constexpr const char *list_domains =
	"SELECT s.domain FROM lead_scoring.shipped_free_email_domain s WHERE NOT EXISTS"
	" (SELECT FROM lead_scoring.free_email_domain o WHERE o.domain OPERATOR(pg_catalog.=) s.domain)"
	" UNION ALL SELECT o.domain FROM lead_scoring.free_email_domain o WHERE o.is_free";

// The plans of the two, kept for the session
SPIPlanPtr find_plan;
SPIPlanPtr list_plan;

// So many domains are looked up before the list is read: that costs about as much as reading a short one
constexpr int single_lookups = 16;

// What tells two views of the data apart: the snapshot, and which of our own changes it includes
struct Sight
{
	TransactionId xmin;
	TransactionId xmax;
	TransactionId own;
	uint32 running;
	int32 running_below;
	CommandId command;
	SubTransactionId subtransaction;

	bool operator==(const Sight &) const = default;
};

// What a call site remembers
struct FreeDomains
{
	Sight sight;
	int lookups;              // since the sight changed
	MemoryContext context;    // of the list; NULL until it is read
	std::string_view *domains; // in the order of their bytes
	size_t count;
};

Sight
current_sight()
{
	Snapshot snapshot = GetActiveSnapshot();

	return {snapshot->xmin, snapshot->xmax,    GetTopTransactionIdIfAny(), snapshot->xcnt,
			snapshot->subxcnt, snapshot->curcid, GetCurrentSubTransactionId()};
}

// Run one of the two queries, preparing it the first time; SPI is connected
void
run_kept(SPIPlanPtr &plan, const char *query, int arguments, Datum *values)
{
	if (plan == nullptr)
	{
		Oid types[] = {TEXTOID};
		// A plan for any domain: planning anew would take longer than the lookup
		SPIPlanPtr prepared = SPI_prepare_cursor(query, arguments, types, CURSOR_OPT_GENERIC_PLAN);
		if (prepared == nullptr || SPI_keepplan(prepared) != 0)
		{
			elog(ERROR, "could not prepare the query for free e-mail domains: %s", SPI_result_code_string(SPI_result));
		}
		plan = prepared;
	}
	int result = SPI_execute_plan(plan, values, nullptr, true, 0);
	if (result != SPI_OK_SELECT)
	{
		elog(ERROR, "could not read free e-mail domains: %s", SPI_result_code_string(result));
	}
}

bool
look_up(std::string_view domain)
{
	Datum values[] = {PointerGetDatum(cstring_to_text_with_len(domain.data(), static_cast<int>(domain.size())))};
	bool is_null;

	SPI_connect();
	run_kept(find_plan, find_domain, 1, values);
	bool found = DatumGetBool(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &is_null));
	SPI_finish();
	pfree(DatumGetPointer(values[0]));
	return found;
}

void
read_list(FreeDomains *known, MemoryContext parent)
{
	MemoryContext context = AllocSetContextCreate(parent, "lead_scoring free e-mail domains", ALLOCSET_SMALL_SIZES);
	bool is_null;

	SPI_connect();
	run_kept(list_plan, list_domains, 0, nullptr);
	size_t count = SPI_processed;
	auto *domains = static_cast<std::string_view *>(
		MemoryContextAllocHuge(context, (count + 1) * sizeof(std::string_view)));
	for (size_t row = 0; row < count; row++)
	{
		text *domain = DatumGetTextPP(SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, 1, &is_null));
		size_t length = VARSIZE_ANY_EXHDR(domain);
		auto *copy = static_cast<char *>(MemoryContextAlloc(context, length + 1));
		memcpy(copy, VARDATA_ANY(domain), length);
		domains[row] = std::string_view(copy, length);
	}
	SPI_finish();
	std::sort(domains, domains + count);
	known->domains = domains;
	known->count = count;
	known->context = context;
}

bool
is_free_domain(FmgrInfo *call_site, std::string_view domain)
{
	if (call_site->fn_extra == nullptr)
	{
		call_site->fn_extra = MemoryContextAllocZero(call_site->fn_mcxt, sizeof(FreeDomains));
	}
	auto *known = static_cast<FreeDomains *>(call_site->fn_extra);
	Sight sight = current_sight();
	if (known->lookups == 0 || !(known->sight == sight))
	{
		if (known->context != nullptr)
		{
			MemoryContextDelete(known->context);
			known->context = nullptr;
		}
		known->lookups = 0;
		known->sight = sight;
	}
	if (known->lookups < single_lookups)
	{
		known->lookups++;
		return look_up(domain);
	}
	if (known->context == nullptr)
	{
		read_list(known, call_site->fn_mcxt);
	}
	return std::binary_search(known->domains, known->domains + known->count, domain);
}

// Find the domain of an address; nothing if there is none
std::string_view
domain_of(const text *address)
{
	return core::email_domain({VARDATA_ANY(address), VARSIZE_ANY_EXHDR(address)});
}

} // namespace

} // namespace lead_scoring::pg

using namespace lead_scoring::pg;

LEAD_SCORING_FUNCTION(lead_scoring_email_domain);
LEAD_SCORING_FUNCTION(lead_scoring_is_free_email);

// Find the domain of an e-mail address, in lower case
Datum
lead_scoring_email_domain(PG_FUNCTION_ARGS)
{
	std::string_view domain = domain_of(PG_GETARG_TEXT_PP(0));

	if (domain.empty())
	{
		PG_RETURN_NULL();
	}
	auto *result = static_cast<text *>(palloc(VARHDRSZ + domain.size()));
	SET_VARSIZE(result, VARHDRSZ + domain.size());
	lead_scoring::core::lower_domain(domain, VARDATA(result));
	PG_RETURN_TEXT_P(result);
}

// Say whether an address is one of a free-mail service
Datum
lead_scoring_is_free_email(PG_FUNCTION_ARGS)
{
	std::string_view domain = domain_of(PG_GETARG_TEXT_PP(0));
	char lower[lead_scoring::core::longest_domain];

	if (domain.empty())
	{
		PG_RETURN_NULL();
	}
	lead_scoring::core::lower_domain(domain, lower);
	PG_RETURN_BOOL(is_free_domain(fcinfo->flinfo, std::string_view(lower, domain.size())));
}
