#include "pg/postgres_api.hpp"

#include "pg/read_columns.hpp"

extern "C"
{
#include "access/sysattr.h"
#include "optimizer/optimizer.h"
}

namespace lead_scoring::pg
{

namespace
{

// Move members from where system columns begin to where the user's do; what is below stands for whole rows
Bitmapset *
user_attributes(const Bitmapset *attributes)
{
	Bitmapset *moved = nullptr;

	for (int member = -1; (member = bms_next_member(attributes, member)) >= 0;)
	{
		moved = bms_add_member(moved, Max(member + FirstLowInvalidHeapAttributeNumber, 0));
	}
	return moved;
}

} // namespace

Bitmapset *
read_attributes(const LoadedStream *stream)
{
	Bitmapset *read = user_attributes(stream->query_attributes);

	for (int at = 0; at < stream->inputs->count; at++)
	{
		const InputColumn &column = stream->inputs->columns[at];
		if (column.attribute > 0)
		{
			read = bms_add_member(read, column.attribute);
			continue;
		}
		Bitmapset *attributes = nullptr;
		pull_varattnos(column.expression, 1, &attributes);
		read = bms_add_members(read, user_attributes(attributes));
	}
	return read;
}

Bitmapset *
hop_attributes(const LoadedStream *source)
{
	return user_attributes(source->hop.relation == source->relation ? source->query_attributes : source->hop.attributes);
}

} // namespace lead_scoring::pg
