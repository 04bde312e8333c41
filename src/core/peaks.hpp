// Numbers of which only the greatest is kept, as unsigned integers of the same order: 0, what an empty state holds, is
// below all of them.
#pragma once

#include <bit>
#include <cstdint>

namespace lead_scoring::core
{

inline constexpr uint64_t no_peak = 0;

// Instants. What is infinitely old would be 0: it takes the place of the instant next to it, which no clock shows
inline uint64_t
peak_of_time(int64_t time) noexcept
{
	uint64_t biased = static_cast<uint64_t>(time) ^ (uint64_t{1} << 63);

	return biased == no_peak ? 1 : biased;
}

inline int64_t
time_of_peak(uint64_t peak) noexcept
{
	return static_cast<int64_t>((peak == 1 ? no_peak : peak) ^ (uint64_t{1} << 63));
}

// Finite doubles: the bits of positive numbers are in order already, those of negative ones in the opposite order
inline uint64_t
peak_of_real(double value) noexcept
{
	uint64_t bits = std::bit_cast<uint64_t>(value + 0.0);

	return bits >> 63 != 0 ? ~bits : bits | (uint64_t{1} << 63);
}

inline double
real_of_peak(uint64_t peak) noexcept
{
	return std::bit_cast<double>(peak >> 63 != 0 ? peak & ~(uint64_t{1} << 63) : ~peak);
}

// Instants of which the earliest stays, infinitely_late being none. The one after infinitely_old gives its place away: no clock
// shows it
inline uint64_t
peak_of_due(int64_t instant) noexcept
{
	return ~(static_cast<uint64_t>(instant) ^ (uint64_t{1} << 63));
}

// For infinitely_old, which stands for any instant: by a row that may be new, and by one that others have seen already
inline constexpr uint64_t always_due = UINT64_MAX - 1;
inline constexpr uint64_t standing_due = UINT64_MAX;

inline int64_t
due_of_peak(uint64_t peak) noexcept
{
	return static_cast<int64_t>(~(peak == always_due ? standing_due : peak) ^ (uint64_t{1} << 63));
}

inline void
raise_peak(uint64_t &peak, uint64_t candidate) noexcept
{
	peak = candidate > peak ? candidate : peak;
}

} // namespace lead_scoring::core
