// Work whose errors are survived: it runs in a subtransaction, which an error undoes.
#pragma once

#include "pg/postgres_api.hpp"

namespace lead_scoring::pg
{

// What is left of an error; texts are null where it had none
struct Failure
{
	int sqlstate;
	const char *message;
	const char *detail;
	const char *hint;
	const char *context;
};

// Work to be attempted; false undoes it as an error does, and leaves it to the work to say why
using Attempted = bool (*)(void *argument);

// Attempt some work. Whether it was done; if an error undid it, what the error was, kept in the current memory context.
// A query that is to be cancelled is cancelled
bool attempt(Attempted work, void *argument, Failure *failure);

// Whether the same work may succeed if it is done again at once
bool is_passing(const Failure &failure);

} // namespace lead_scoring::pg
