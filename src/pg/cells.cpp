#include "pg/postgres_api.hpp"

#include "pg/cells.hpp"

namespace lead_scoring::pg
{

std::string_view
unpack_text(Datum datum, MemoryContext context)
{
	MemoryContext before = MemoryContextSwitchTo(context);
	std::string_view unpacked = view_plain(DatumGetTextPP(datum));

	MemoryContextSwitchTo(before);
	return unpacked;
}

std::string_view
copy_text(Datum datum, MemoryContext context)
{
	std::string_view text = is_plain(datum) ? view_plain(DatumGetPointer(datum)) : unpack_text(datum, context);
	auto *copy = static_cast<char *>(MemoryContextAlloc(context, Max(text.size(), 1)));

	memcpy(copy, text.data(), text.size());
	return {copy, text.size()};
}

const std::string_view *
keep_text(Datum datum, MemoryContext context)
{
	auto *kept = static_cast<std::string_view *>(MemoryContextAlloc(context, sizeof(std::string_view)));

	*kept = copy_text(datum, context);
	return kept;
}

} // namespace lead_scoring::pg
