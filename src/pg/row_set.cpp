#include "pg/row_set.hpp"

namespace lead_scoring::pg
{

RowSet
begin_row_set(FunctionCallInfo fcinfo)
{
	auto *info = reinterpret_cast<ReturnSetInfo *>(fcinfo->resultinfo);
	RowSet rows;

	if (info == nullptr || !IsA(info, ReturnSetInfo) || !(info->allowedModes & SFRM_Materialize))
	{
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("set-valued function called in context that cannot accept a set"),
						errhint("Call it in FROM.")));
	}
	MemoryContext before = MemoryContextSwitchTo(info->econtext->ecxt_per_query_memory);
	if (get_call_result_type(fcinfo, nullptr, &rows.descriptor) != TYPEFUNC_COMPOSITE)
	{
		elog(ERROR, "return type must be a row type");
	}
	rows.descriptor = BlessTupleDesc(rows.descriptor);
	rows.store = tuplestore_begin_heap((info->allowedModes & SFRM_Materialize_Random) != 0, false, work_mem);
	info->returnMode = SFRM_Materialize;
	info->setResult = rows.store;
	info->setDesc = rows.descriptor;
	MemoryContextSwitchTo(before);
	return rows;
}

Datum
text_datum(const char *text)
{
	return PointerGetDatum(cstring_to_text(text));
}

Datum
text_datum(const char *text, size_t length)
{
	return PointerGetDatum(cstring_to_text_with_len(text, static_cast<int>(length)));
}

} // namespace lead_scoring::pg
