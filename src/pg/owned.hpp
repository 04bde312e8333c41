// C++ objects that live as long as a memory context.
#pragma once

#include "pg/guard.hpp"

#include <cstddef>
#include <new>
#include <type_traits>

namespace lead_scoring::pg
{

template <typename Object>
struct Owned
{
	MemoryContextCallback callback;
	alignas(Object) std::byte storage[sizeof(Object)];

	Object *
	object() noexcept
	{
		return std::launder(reinterpret_cast<Object *>(storage));
	}

	static void
	destroy(void *owned) noexcept
	{
		static_cast<Owned *>(owned)->object()->~Object();
	}
};

// Construct an object that is destroyed when the context is reset, whether by an error or in peace.
// The memory is there before the constructor runs, and the callback is registered right after it.
template <typename Object, typename... Arguments>
Object *
make_owned(MemoryContext context, const Arguments &...arguments)
{
	static_assert(std::is_nothrow_destructible_v<Object>);
	static_assert(alignof(Object) <= MAXIMUM_ALIGNOF);

	auto *owned = static_cast<Owned<Object> *>(MemoryContextAllocZero(context, sizeof(Owned<Object>)));
	guarded([&]() { new (owned->storage) Object(arguments...); });
	owned->callback.func = Owned<Object>::destroy;
	owned->callback.arg = owned;
	MemoryContextRegisterResetCallback(context, &owned->callback);
	return owned->object();
}

} // namespace lead_scoring::pg
