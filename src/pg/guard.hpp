// The one guard between the core, which throws, and PostgreSQL, which jumps.
//
// Every SQL function goes: take (Postgres calls, only trivial locals), work (guarded: only core, may throw), give
// (Postgres calls again). Exceptions end here: the ladder copies what it caught into plain memory, and the error is
// raised after the ladder has been left, when nothing of C++ is pending.
#pragma once

#include "pg/postgres_api.hpp"

#include "core/fault.hpp"

#include <new>
#include <type_traits>

namespace lead_scoring::pg
{

// What is left of an exception once it has been handled
struct CaughtFault
{
	bool caught;
	bool cancelled;
	int sqlstate;
	char message[512];
	char hint[512];
};

// SQLSTATE of a fault of the core
int sqlstate_of(core::Fault fault) noexcept;

// Keep the texts of an exception in plain memory
void keep_fault(CaughtFault &kept, int sqlstate, const char *message, const char *hint) noexcept;

// Raise what was caught as a PostgreSQL error
[[noreturn]] void raise_fault(const CaughtFault &caught);

// Whether the user or the server wants us to stop; what long loops of the core ask. Nor do they keep others waiting
bool stop_wanted() noexcept;

// Run work that may throw; an exception becomes a PostgreSQL error
template <typename Work>
auto
guarded(Work work) -> decltype(work())
{
	using Result = decltype(work());
	static_assert(std::is_trivially_destructible_v<Work>, "the closure would be skipped by the jump");

	CaughtFault caught;
	caught.caught = false;
	caught.cancelled = false;
	if constexpr (std::is_void_v<Result>)
	{
		try
		{
			work();
			return;
		}
		catch (const core::ScoringError &error)
		{
			keep_fault(caught, sqlstate_of(error.fault()), error.what(), error.hint());
			caught.cancelled = error.fault() == core::Fault::cancelled;
		}
		catch (const std::bad_alloc &)
		{
			keep_fault(caught, ERRCODE_OUT_OF_MEMORY, "out of memory", "");
		}
		catch (const std::exception &error)
		{
			keep_fault(caught, ERRCODE_INTERNAL_ERROR, error.what(), "");
		}
		catch (...)
		{
			keep_fault(caught, ERRCODE_INTERNAL_ERROR, "unknown failure in lead_scoring", "");
		}
		raise_fault(caught);
	}
	else
	{
		static_assert(std::is_trivially_destructible_v<Result>, "the result would be skipped by the jump");
		Result result{};
		guarded([&result, &work]() { result = work(); });
		return result;
	}
}

} // namespace lead_scoring::pg
