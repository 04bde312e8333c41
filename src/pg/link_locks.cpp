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

struct LinkLock
{
	LOCKTAG tag;
	LOCKMODE mode;
};

// Take a lock; returns it
LinkLock *
lock(uint32 source, uint32 link, uint16 sort, LOCKMODE mode)
{
	auto *taken_lock = static_cast<LinkLock *>(palloc(sizeof(LinkLock)));

	SET_LOCKTAG_ADVISORY(taken_lock->tag, MyDatabaseId, source, link, sort);
	taken_lock->mode = mode;
	LockAcquire(&taken_lock->tag, mode, false, false);
	return taken_lock;
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

// The mode of locks on all: the two conflict with each other, and neither with itself
LOCKMODE
mode_of(LinkSide side)
{
	return side == LinkSide::names ? ShareLock : RowExclusiveLock;
}

// Of two locks on all links the first is for those who name, few or many, and those who hold many; the second the other way round.
// So nobody waits who does not meet somebody of the other side
List *
lock_keys(LinkSide side, uint32 number, core::KeyKind kind, const core::Key *keys, int count)
{
	LOCKMODE mode = mode_of(side);

	if (count == 0)
	{
		return NIL;
	}
	if (are_too_many(count))
	{
		LinkLock *first = lock(number, 0, source_lock, mode);
		return list_make2(first, lock(number, 1, source_lock, mode));
	}
	List *locks = list_make1(lock(number, side == LinkSide::names ? 0 : 1, source_lock, mode));
	for (int at = 0; at < count; at++)
	{
		locks = lappend(locks, lock(number, hash_link(kind, keys[at]), link_lock, ExclusiveLock));
	}
	return locks;
}

} // namespace

List *
lock_record_keys(LinkSide side, const char *record_type, core::KeyKind kind, const core::Key *keys, int count)
{
	return lock_keys(side, hash_text(record_type), kind, keys, count);
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

List *
lock_link_keys(LinkSide side, const char *record_type, const char *source, core::KeyKind kind, const core::Key *keys, int count)
{
	return lock_keys(side, hash_source(record_type, source), kind, keys, count);
}

List *
lock_held_keys(LinkSide side, const char *record_type, const char *source, core::KeyKind kind, const core::Key *keys, int count)
{
	return lock_keys(side, hash_combine(hash_source(record_type, source), 1), kind, keys, count);
}

void
unlock_links(const List *locks)
{
	const ListCell *cell;

	foreach (cell, locks)
	{
		auto *taken_lock = static_cast<const LinkLock *>(lfirst(cell));
		LockRelease(&taken_lock->tag, taken_lock->mode, false);
	}
}

} // namespace lead_scoring::pg
