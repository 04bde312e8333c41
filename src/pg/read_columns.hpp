// Which columns of a relation a score reads.
#pragma once

#include "pg/postgres_api.hpp"

#include "pg/loaded_stream.hpp"

namespace lead_scoring::pg
{

// The attributes that a stream's columns, expressions and conditions read; 0 stands for whole rows
Bitmapset *read_attributes(const LoadedStream *stream);

// The same for the filter of a source's hop
Bitmapset *hop_attributes(const LoadedStream *source);

} // namespace lead_scoring::pg
