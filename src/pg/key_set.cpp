#include "pg/postgres_api.hpp"

#include "pg/key_set.hpp"

#include "core/bands.hpp"
#include "pg/cells.hpp"
#include "pg/stream.hpp"

#include <algorithm>
#include <optional>

using lead_scoring::core::Key;
using lead_scoring::core::KeyKind;

namespace lead_scoring::pg
{

namespace
{

constexpr int first_capacity = 64;

void
make_room(KeySet *set)
{
	if (set->count < set->capacity)
	{
		return;
	}
	settle_keys(set);
	if (set->count > set->capacity / 2)
	{
		set->capacity *= 2;
		set->keys = static_cast<Key *>(repalloc_huge(set->keys, sizeof(Key) * static_cast<Size>(set->capacity)));
	}
}

std::optional<KeyKind>
find_kind(Oid type)
{
	switch (getBaseType(type))
	{
	case INT2OID:
	case INT4OID:
	case INT8OID:
		return KeyKind::integer;
	case UUIDOID:
		return KeyKind::uuid;
	case TEXTOID:
	case VARCHAROID:
		return KeyKind::text;
	default:
		return std::nullopt;
	}
}

// Raise what is the matter with a text that is not a key, and where the keys are
[[noreturn]] void
raise_no_key(const LoadedStream *records, const ErrorData *error)
{
	const char *relation = get_rel_name(records->relation);

	ereport(ERROR, (errcode(error->sqlerrcode), errmsg("key of record type \"%s\": %s", records->name, error->message),
					relation == nullptr ? 0
										: errhint("The keys are those in column \"%s\" of \"%s\".", records->key_column, relation)));
	pg_unreachable();
}

// Parse those texts that are not NULL as keys of a type, in place; returns how many they are
int
parse_keys(const LoadedStream *records, Oid type, Datum *texts, const bool *nulls, int count)
{
	MemoryContext context = CurrentMemoryContext;
	volatile int kept = 0;
	Oid input;
	Oid parameter;

	getTypeInputInfo(type, &input, &parameter);
	PG_TRY();
	{
		for (int at = 0; at < count; at++)
		{
			if (!nulls[at])
			{
				texts[kept] = OidInputFunctionCall(input, TextDatumGetCString(texts[at]), parameter, -1);
				kept = kept + 1;
			}
		}
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		ErrorData *error = CopyErrorData();
		FlushErrorState();
		raise_no_key(records, error);
	}
	PG_END_TRY();
	return kept;
}

} // namespace

bool
same_key(KeyKind kind, const Key &left, const Key &right)
{
	return kind == KeyKind::text ? left.text == right.text : left.low == right.low && left.high == right.high;
}

KeyKind
key_kind_of_type(Oid type)
{
	std::optional<KeyKind> kind = find_kind(type);

	if (!kind.has_value())
	{
		ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
						errmsg("type %s cannot be a key of records", format_type_be(type)),
						errhint("Keys are of type smallint, integer, bigint, uuid, text or varchar.")));
	}
	return *kind;
}

KeyKind
key_kind_of_column(Oid relation, const char *name)
{
	AttrNumber column = get_attnum(relation, name);

	return column == InvalidAttrNumber ? KeyKind::text : find_kind(get_atttype(relation, column)).value_or(KeyKind::text);
}

KeySet *
make_key_set(MemoryContext parent, KeyKind kind)
{
	MemoryContext context = AllocSetContextCreate(parent, "lead_scoring keys", ALLOCSET_DEFAULT_SIZES);
	auto *set = static_cast<KeySet *>(MemoryContextAllocZero(context, sizeof(KeySet)));

	set->kind = kind;
	set->context = context;
	set->capacity = first_capacity;
	set->keys = static_cast<Key *>(MemoryContextAlloc(context, sizeof(Key) * first_capacity));
	return set;
}

void
add_key(KeySet *set, Oid type, Datum key)
{
	add_known_key(set, read_key(type, key, set->context));
}

void
add_known_key(KeySet *set, const core::Key &key)
{
	if (set->count > 0 && same_key(set->kind, set->keys[set->count - 1], key))
	{
		return;
	}
	make_room(set);
	set->keys[set->count++] = key;
}

KeySet *
make_keys(const LoadedStream *records, ArrayType *texts)
{
	KeySet *set = make_key_set(CurrentMemoryContext, key_kind_of(records));
	Datum array = make_key_array(records, texts);
	ArrayIterator iterator = array_create_iterator(DatumGetArrayTypeP(array), 0, nullptr);
	Datum key;
	bool is_null;

	while (array_iterate(iterator, &key, &is_null))
	{
		add_key(set, ARR_ELEMTYPE(DatumGetArrayTypeP(array)), key);
	}
	array_free_iterator(iterator);
	return set;
}

Datum
make_key_array(const LoadedStream *records, ArrayType *texts)
{
	Oid type = get_element_type(key_array_type(key_kind_of(records)));
	Datum *datums;
	bool *nulls;
	int count;
	int16 length;
	bool by_value;
	char alignment;

	if (ARR_NDIM(texts) > 1)
	{
		ereport(ERROR, (errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR), errmsg("keys must be a one-dimensional array"),
						errhint("Write ARRAY['1', '2'].")));
	}
	deconstruct_array(texts, TEXTOID, -1, false, TYPALIGN_INT, &datums, &nulls, &count);
	int kept = parse_keys(records, type, datums, nulls, count);
	get_typlenbyvalalign(type, &length, &by_value, &alignment);
	return PointerGetDatum(construct_array(datums, kept, type, length, by_value, alignment));
}

void
settle_keys(KeySet *set)
{
	KeyKind kind = set->kind;

	if (set->count == set->distinct)
	{
		return;
	}
	std::sort(set->keys, set->keys + set->count,
			  [kind](const Key &left, const Key &right) { return core::key_before(kind, left, right); });
	Key *end = std::unique(set->keys, set->keys + set->count,
						   [kind](const Key &left, const Key &right) { return same_key(kind, left, right); });
	set->count = set->distinct = static_cast<int>(end - set->keys);
}

Datum
key_array(KeyKind kind, const Key *keys, int count)
{
	Oid type = kind == KeyKind::integer ? INT8OID : kind == KeyKind::uuid ? UUIDOID : TEXTOID;
	auto *datums = static_cast<Datum *>(palloc(sizeof(Datum) * static_cast<Size>(Max(count, 1))));
	int16 length;
	bool by_value;
	char alignment;

	for (int at = 0; at < count; at++)
	{
		datums[at] = make_key_datum(type, keys[at]);
	}
	get_typlenbyvalalign(type, &length, &by_value, &alignment);
	return PointerGetDatum(construct_array(datums, count, type, length, by_value, alignment));
}

} // namespace lead_scoring::pg
