// What can go wrong in the core, as values: the PostgreSQL layer turns a fault into an SQLSTATE.
#pragma once

#include <exception>
#include <string>
#include <utility>

namespace lead_scoring::core
{

enum class Fault
{
	invalid_text,      // text that is not of the expected form
	invalid_parameter, // a value that makes no sense
	out_of_range,      // a number too large or too small
	limit_exceeded,    // more than the program can hold
	duplicate_key,     // two records with one key
	missing_library,   // a shared library that is not installed
	library_failure,   // a shared library reports an error
	cancelled,         // the caller asked to stop
};

// Error of the core, with the texts that the user will read
class ScoringError : public std::exception
{
public:
	ScoringError(Fault fault, std::string message, std::string hint = {})
		: fault_(fault), message_(std::move(message)), hint_(std::move(hint))
	{
	}

	Fault
	fault() const noexcept
	{
		return fault_;
	}

	const char *
	what() const noexcept override
	{
		return message_.c_str();
	}

	const char *
	hint() const noexcept
	{
		return hint_.c_str();
	}

private:
	Fault fault_;
	std::string message_;
	std::string hint_;
};

// Long work asks this from time to time, and gives up by an exception if it returns true
using Poll = bool (*)() noexcept;

inline void
give_up_if(Poll cancelled)
{
	if (cancelled != nullptr && cancelled())
	{
		throw ScoringError(Fault::cancelled, "canceled");
	}
}

} // namespace lead_scoring::core
