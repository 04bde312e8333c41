// Sets of record keys that a statement has touched.
#pragma once

#include "pg/postgres_api.hpp"

#include "core/batch.hpp"
#include "pg/loaded_stream.hpp"

namespace lead_scoring::pg
{

// Keys in the order in which they came, repeated ones dropped when they are many; texts live in the set's memory
struct KeySet
{
	core::KeyKind kind;
	MemoryContext context;
	core::Key *keys;
	int count;
	int capacity;
	int distinct; // that many at the front are sorted and differ
};

// Make an empty set in a context of its own, a child of this one
KeySet *make_key_set(MemoryContext parent, core::KeyKind kind);

// Make a set of the keys of records that are given as texts, less the NULLs; raises for a text that is not a key
KeySet *make_keys(const LoadedStream *records, ArrayType *texts);

// The same as an array
Datum make_key_array(const LoadedStream *records, ArrayType *texts);

// Add a key of a type to a set
void add_key(KeySet *set, Oid type, Datum key);

// Add a key whose text lives as long as the set
void add_known_key(KeySet *set, const core::Key &key);

// Sort a set and drop what is repeated
void settle_keys(KeySet *set);

// Make an array of keys as a parameter for queries
Datum key_array(core::KeyKind kind, const core::Key *keys, int count);

// Whether two keys are one
bool same_key(core::KeyKind kind, const core::Key &left, const core::Key &right);

// The kind of keys of a type; raises for a type that cannot be a key
core::KeyKind key_kind_of_type(Oid type);

// The same for a column. One that is gone, or cannot be a key any more, is taken for text: its records are complained of when
// they are loaded, and others are not concerned
core::KeyKind key_kind_of_column(Oid relation, const char *name);

} // namespace lead_scoring::pg
