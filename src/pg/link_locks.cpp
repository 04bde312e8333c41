#include "pg/postgres_api.hpp"

#include "pg/link_locks.hpp"

extern "C"
{
#include "access/xact.h"
#include "common/hashfn.h"
#include "storage/lock.h"
}

namespace lead_scoring::pg
{

namespace
{

// Beyond the two sorts of advisory locks that users can take
constexpr uint16 source_lock = 3;
constexpr uint16 link_lock = 4;
constexpr uint16 rowless_lock = 5;

// More locks than this would crowd the lock table, which all sessions share
constexpr int most_links = 64;

// The locks that a transaction has taken one by one
int taken = 0;
TransactionId taken_by = InvalidTransactionId;

// Note some more locks; whether they are too many for one transaction, which may write one row at a time for long
bool
are_too_many(int count)
{
	constexpr int most_of_transaction = 1024;
	TransactionId transaction = GetTopTransactionId();

	if (transaction != taken_by)
	{
		taken = 0;
		taken_by = transaction;
	}
	taken = Min(taken, most_of_transaction) + Min(count, most_links);
	return count > most_links || taken > most_of_transaction;
}

void
lock(uint32 source, uint32 link, uint16 sort, LOCKMODE mode)
{
	LOCKTAG tag;

	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, source, link, sort);
	LockAcquire(&tag, mode, false, false);
}

uint32
hash_text(const char *text)
{
	return hash_bytes(reinterpret_cast<const unsigned char *>(text), static_cast<int>(strlen(text)));
}

uint32
hash_source(const char *record_type, const char *source)
{
	return hash_combine(hash_text(record_type), hash_text(source));
}

uint32
hash_link(core::KeyKind kind, const core::Key &key)
{
	if (kind == core::KeyKind::text)
	{
		return hash_bytes(reinterpret_cast<const unsigned char *>(key.text.data()), static_cast<int>(key.text.size()));
	}
	return hash_bytes(reinterpret_cast<const unsigned char *>(&key.low), sizeof key.low + sizeof key.high);
}

void
lock_keys(uint32 number, core::KeyKind kind, const core::Key *keys, int count)
{
	if (count == 0)
	{
		return;
	}
	if (are_too_many(count))
	{
		lock(number, 0, source_lock, ExclusiveLock);
		return;
	}
	lock(number, 0, source_lock, ShareLock);
	for (int at = 0; at < count; at++)
	{
		lock(number, hash_link(kind, keys[at]), link_lock, ExclusiveLock);
	}
}

} // namespace

void
lock_record_keys(const char *record_type, core::KeyKind kind, const core::Key *keys, int count)
{
	lock_keys(hash_text(record_type), kind, keys, count);
}

void
lock_rowless_keys(const char *record_type, core::KeyKind kind, const core::Key *keys, int count)
{
	// Many keys share a lock: nobody ever has to take a larger one while he holds a smaller
	constexpr uint32 shares = 256;
	bool wanted[shares] = {};

	for (int at = 0; at < count; at++)
	{
		wanted[hash_link(kind, keys[at]) % shares] = true;
	}
	for (uint32 share = 0; share < shares; share++)
	{
		if (wanted[share])
		{
			lock(hash_text(record_type), share, rowless_lock, ExclusiveLock);
		}
	}
}

void
lock_link_keys(const char *record_type, const char *source, core::KeyKind kind, const core::Key *keys, int count)
{
	lock_keys(hash_source(record_type, source), kind, keys, count);
}

void
lock_held_keys(const char *record_type, const char *source, core::KeyKind kind, const core::Key *keys, int count)
{
	lock_keys(hash_combine(hash_source(record_type, source), 1), kind, keys, count);
}

} // namespace lead_scoring::pg
