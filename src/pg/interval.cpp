#include "pg/interval.hpp"

namespace lead_scoring::pg
{

bool
interval_length(const Interval *interval, int64 *length)
{
	int64 days;

	return !__builtin_mul_overflow(static_cast<int64>(interval->month), INT64CONST(30), &days) &&
		   !__builtin_add_overflow(days, static_cast<int64>(interval->day), &days) &&
		   !__builtin_mul_overflow(days, static_cast<int64>(USECS_PER_DAY), length) &&
		   !__builtin_add_overflow(*length, interval->time, length);
}

} // namespace lead_scoring::pg
